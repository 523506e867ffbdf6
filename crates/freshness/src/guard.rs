use rustls_pki_types::UnixTime;

use crate::OnceKey;

/// Remembers what was used, so that nothing is used twice.
///
/// Whoever keeps a database needs no other guard: it records the keys in the transaction that
/// carries the message out. This trait is for those that do not, and for tests.
///
/// One guard serves one window. Where the window is widened, what was forgotten under the narrow one
/// could pass under the wide one, so the guard begins anew.
pub trait ReplayGuard {
    /// Records all of `keys` as used, or none of them.
    ///
    /// `Ok` is said at most once for a key; the caller carries the message out only then. A key
    /// that is named twice in one call counts as used by its first mention.
    ///
    /// # Errors
    /// [`Refused`]: nothing was recorded, and the message must have no effect.
    fn once(&mut self, keys: &[OnceKey], now: UnixTime) -> Result<(), Refused>;
}

/// Why a message is not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// It was used before.
    #[error("the message was seen before")]
    Seen,
    /// It could have been used before the guard began to watch.
    #[error("the message may have been seen before the guard's start, {start} s after 1970")]
    BeforeStart {
        /// When the guard began, in Unix seconds.
        start: u64,
    },
    /// Its key could be among those that were forgotten: it is stale, or the clock was set back.
    #[error("the message may have been seen and forgotten, its time ended {until} s after 1970")]
    Forgotten {
        /// Until when its key had to be remembered, in Unix seconds.
        until: u64,
    },
    /// There is no room to remember it, and nothing that may be forgotten.
    #[error("the replay guard is full: it holds {capacity} keys, and none may be forgotten yet")]
    Full {
        /// How many keys it holds.
        capacity: usize,
    },
}
