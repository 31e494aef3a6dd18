//! Times given by people and other programs.

use std::time::SystemTime;

use chrono::{DateTime, Datelike as _, SecondsFormat, TimeDelta, Utc};

use crate::text;

/// How far ahead of this computer's clock another one may be.
const SLACK: TimeDelta = TimeDelta::days(1);

/// Why a string is not a valid time of a past event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadMoment {
    /// Not RFC 3339, or out of its range in UTC.
    #[error("not a valid time: {0}; write it as `2026-01-31T10:20:30Z`")]
    Malformed(String),
    /// It is in the future.
    #[error("in the future: {0}; check the year and the clock")]
    Ahead(String),
}

/// The current time. Unlike chrono's own, it works with any clock, even before 1970.
#[must_use]
pub fn now() -> DateTime<Utc> {
    SystemTime::now().into()
}

/// Reads a time in RFC 3339 that is not later than now.
pub fn moment(written: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, BadMoment> {
    let shown = || text::excerpt(written, 40);
    let at = DateTime::parse_from_rfc3339(written).map_err(|_| BadMoment::Malformed(shown()))?.to_utc();
    // With its offset, a time may be outside the years that RFC 3339 allows.
    if !(0..=9999).contains(&at.year()) {
        return Err(BadMoment::Malformed(shown()));
    }
    if at - now > SLACK { Err(BadMoment::Ahead(shown())) } else { Ok(at) }
}

/// The current time in RFC 3339 in UTC, to the second.
#[must_use]
pub fn timestamp() -> String {
    now().to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A time in RFC 3339 in UTC.
#[must_use]
pub fn rfc3339(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn future_times_are_refused() {
        let now = DateTime::parse_from_rfc3339("2026-06-01T12:00:00Z").unwrap().to_utc();
        let table = [
            ("2026-06-01T14:00:00.5+02:00", Ok("2026-06-01T12:00:00.500Z")),
            ("2026-06-02T12:00:00Z", Ok("2026-06-02T12:00:00Z")),
            ("2026-06-02T12:00:01Z", Err("in the future: 2026-06-02T12:00:01Z")),
            ("2062-01-01T00:00:00Z", Err("in the future")),
            ("9999-12-31T23:59:59-23:59", Err("not a valid time: 9999-12-31T23:59:59-23:59")),
            ("0000-01-01T00:00:00+23:59", Err("not a valid time")),
            ("0001-01-01T00:00:00Z", Ok("0001-01-01T00:00:00Z")),
            ("yesterday", Err("not a valid time: yesterday; write it as")),
            ("2026-01-31", Err("not a valid time")),
        ];
        for (written, expected) in table {
            match (moment(written, now), expected) {
                (Ok(at), Ok(expected)) => assert_eq!(rfc3339(at), expected, "{written}"),
                (Err(error), Err(words)) => assert!(error.to_string().contains(words), "{error}"),
                (found, expected) => panic!("{written}: {found:?}, not {expected:?}"),
            }
        }
    }
}
