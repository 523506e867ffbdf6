//! The one source of randomness of the server.

use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;

/// The operating system's generator. Where it fails nothing can go on safely, so that ends the
/// request (and no input can bring it about).
pub(crate) fn system() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}

/// A random UUID (RFC 9562 §5.4) as text.
pub(crate) fn uuid() -> String {
    use getrandom::rand_core::Rng as _;
    let mut bytes = [0; 16];
    system().fill_bytes(&mut bytes);
    let number = u128::from_be_bytes(bytes) & !VERSION_AND_VARIANT | RANDOM;
    let digits = format!("{number:032x}");
    let part = |range| digits.get(range).unwrap_or_default();
    [0..8, 8..12, 12..16, 16..20, 20..32].map(part).join("-")
}

const VERSION_AND_VARIANT: u128 = 0xf000_c000 << 48;
const RANDOM: u128 = 0x4000_8000 << 48;
