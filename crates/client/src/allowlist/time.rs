use std::time::{SystemTime, UNIX_EPOCH};

/// The clock's time in Unix seconds, whatever it is worth; 0 before 1970.
pub fn clock() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

/// The clock's time in Unix seconds, if it is not before this software was built. Entries that begin or
/// end are judged by no other.
pub fn trusted_time() -> Option<u64> {
    let built = env!("GANGPLANK_BUILD_TIME").parse().ok()?;
    Some(clock()).filter(|now| *now >= built)
}
