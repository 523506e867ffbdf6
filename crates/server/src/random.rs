//! The one source of randomness of the server.

use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;

/// The operating system's generator. Where it fails nothing can go on safely, so that ends the
/// request (and no input can bring it about).
pub(crate) fn system() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}
