use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;

/// The operating system's random numbers. A system without any cannot go on, and panics.
pub(crate) fn system() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}
