use core::time::Duration;
use std::time::SystemTime;

/// Milliseconds since 1970.
pub(crate) fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}

/// Milliseconds since 1970 as RFC 3339; nothing after the year 9999.
pub(crate) fn rfc3339(millis: u64) -> Option<String> {
    let time = der::DateTime::from_unix_duration(Duration::from_millis(millis)).ok()?;
    Some(time.to_string())
}
