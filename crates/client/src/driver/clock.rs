use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use gangplank_key::UnixTime;

use crate::Now;

/// When this software was built: `SOURCE_DATE_EPOCH` if that was set, else the build machine's time.
/// No clock that shows less is believed.
pub fn build_time() -> UnixTime {
    seconds(env!("GANGPLANK_BUILD_TIME").parse().unwrap_or(0))
}

/// The system's two clocks, and the latest time that has certainly passed.
#[derive(Debug)]
pub(crate) struct SystemClock {
    started: Instant,
    floor: AtomicU64,
    wall: fn() -> Option<u64>,
}

/// The time for TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TlsTime {
    /// The clock is plausible: it is not before the build time and the last authenticated time.
    Clock(UnixTime),
    /// It is not; this time has certainly passed.
    AtLeast(UnixTime),
}

impl SystemClock {
    pub(crate) fn new(floor: UnixTime) -> Self {
        Self::with_wall(floor, system_time)
    }

    pub(crate) fn with_wall(floor: UnixTime, wall: fn() -> Option<u64>) -> Self {
        Self {
            started: Instant::now(),
            floor: AtomicU64::new(floor.as_secs()),
            wall,
        }
    }

    pub(crate) fn now(&self) -> Now {
        let wall = match self.tls_time() {
            TlsTime::Clock(now) => Some(now),
            TlsTime::AtLeast(_) => None,
        };
        Now {
            monotonic: self.started.elapsed(),
            wall,
        }
    }

    pub(crate) fn tls_time(&self) -> TlsTime {
        let floor = self.floor.load(Ordering::Relaxed);
        match (self.wall)() {
            Some(wall) if wall >= floor => TlsTime::Clock(seconds(wall)),
            _ => TlsTime::AtLeast(seconds(floor)),
        }
    }

    /// An authenticated answer showed this time.
    pub(crate) fn authenticated(&self, time: UnixTime) {
        self.floor.fetch_max(time.as_secs(), Ordering::Relaxed);
    }
}

impl TlsTime {
    pub(crate) fn time(self) -> UnixTime {
        match self {
            Self::Clock(time) | Self::AtLeast(time) => time,
        }
    }
}

fn system_time() -> Option<u64> {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .map(|since| since.as_secs())
}

fn seconds(seconds: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}
