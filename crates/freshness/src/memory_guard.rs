use alloc::collections::{BTreeMap, BTreeSet};
use core::fmt;

use rustls_pki_types::UnixTime;

use crate::{OnceKey, Refused, ReplayGuard};

/// A replay guard in the memory of one process.
///
/// Another process does not see what it saw, and a restart empties it. So it refuses what could
/// have been accepted before its start: for a rule by `created`, everything created less than the
/// allowed lead after the start; for server nonces, those issued up to 5 seconds after it. A
/// server that uses it tells its devices to try again, for as long as that.
///
/// It is exact: whatever else it refuses was seen, and whatever was seen is refused until its time
/// has ended. When it is full of such keys it refuses new ones, since forgetting one would let it
/// pass again. A key takes about 150 bytes; choose the capacity for the rate of messages that
/// *verified*, times the seconds of the window.
///
/// Recording takes logarithmic time whatever the keys are (no hashing that an attacker could
/// exploit), and each key is forgotten once.
pub struct MemoryReplayGuard {
    capacity: usize,
    start: UnixTime,
    until: BTreeMap<[u8; 32], UnixTime>,
    by_end: BTreeSet<(UnixTime, [u8; 32])>,
    /// The latest end of a key that was forgotten.
    forgotten: Option<UnixTime>,
}

impl MemoryReplayGuard {
    /// An empty guard that begins to watch at `now` and holds up to `capacity` keys.
    pub fn new(capacity: usize, now: UnixTime) -> Self {
        Self {
            capacity,
            start: now,
            until: BTreeMap::new(),
            by_end: BTreeSet::new(),
            forgotten: None,
        }
    }

    /// How many keys it holds, some of which may have ended.
    pub fn len(&self) -> usize {
        self.until.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.until.is_empty()
    }

    fn forget(&mut self, now: UnixTime) {
        while let Some((until, key)) = self.by_end.first().copied()
            && until < now
        {
            self.by_end.remove(&(until, key));
            self.until.remove(&key);
            // Not `now`: a clock that is wrong for a moment must not make every later key stale.
            self.forgotten = self.forgotten.max(Some(until));
        }
    }

    fn record(&mut self, once: &OnceKey, now: UnixTime) -> Result<(), Refused> {
        if once.since <= self.start {
            return Err(Refused::BeforeStart {
                start: self.start.as_secs(),
            });
        }
        // A clock that was set back must not bring a forgotten key to life.
        if once.until < now || Some(once.until) <= self.forgotten {
            return Err(Refused::Forgotten {
                until: once.until.as_secs(),
            });
        }
        if self.until.contains_key(&once.key) {
            return Err(Refused::Seen);
        }
        if self.until.len() >= self.capacity {
            return Err(Refused::Full {
                capacity: self.capacity,
            });
        }
        self.until.insert(once.key, once.until);
        self.by_end.insert((once.until, once.key));
        Ok(())
    }

    fn take_back(&mut self, recorded: &[OnceKey]) {
        for once in recorded {
            self.until.remove(&once.key);
            self.by_end.remove(&(once.until, once.key));
        }
    }
}

impl ReplayGuard for MemoryReplayGuard {
    fn once(&mut self, keys: &[OnceKey], now: UnixTime) -> Result<(), Refused> {
        self.forget(now);
        for (at, once) in keys.iter().enumerate() {
            if let Err(refused) = self.record(once, now) {
                self.take_back(keys.get(..at).unwrap_or_default());
                return Err(refused);
            }
        }
        Ok(())
    }
}

impl fmt::Debug for MemoryReplayGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryReplayGuard")
            .field("capacity", &self.capacity)
            .field("start", &self.start)
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
