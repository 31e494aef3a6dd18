//! How long a busy server asks to wait: its `Retry-After`, its rate-limit reset, or its message.

use std::time::{Duration, SystemTime};

use reqwest::header::HeaderMap;

use crate::http;

/// Longest wait for a reset: it restores the whole limit, but a part of the limit is enough.
const LONGEST_RESET: Duration = Duration::from_secs(60);

/// How many characters of a body are searched for a wait.
const LOOKED_AT: usize = 4_000;

/// The wait that a response asks for.
pub(super) fn named(status: u16, headers: &HeaderMap, body: &str, now: SystemTime) -> Option<Duration> {
    let asked = http::retry_after(headers, now);
    // Other responses may have rate-limit headers, too, and their bodies may say anything.
    if asked.is_some() || status != 429 {
        return asked;
    }
    in_words(body).or_else(|| reset(headers, now).map(|wait| wait.min(LONGEST_RESET)))
}

/// When the used-up limits are reset, or the earliest reset if no limit is known to be used up.
fn reset(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let read = |name: &str| headers.get(name)?.to_str().ok();
    let (mut used_up, mut all) = (None, None);
    for suffix in ["", "-requests", "-tokens"] {
        for prefix in ["x-ratelimit", "ratelimit"] {
            let value = read(&format!("{prefix}-reset{suffix}"));
            let Some(wait) = value.and_then(|value| moment(value, now)) else { continue };
            all = Some(all.map_or(wait, |known: Duration| known.min(wait)));
            if read(&format!("{prefix}-remaining{suffix}")).is_some_and(|left| left.trim() == "0") {
                used_up = used_up.max(Some(wait));
            }
        }
    }
    used_up.or(all)
}

/// A duration, a Unix time in seconds or milliseconds, or a date.
fn moment(value: &str, now: SystemTime) -> Option<Duration> {
    let from_now = |since: Duration| {
        let at = SystemTime::UNIX_EPOCH.checked_add(since)?;
        Some(at.duration_since(now).unwrap_or_default())
    };
    match http::time(value) {
        Some(time) if time.as_secs() >= 100_000_000_000 => from_now(time / 1000),
        Some(time) if time.as_secs() >= 1_000_000_000 => from_now(time),
        Some(time) => Some(time),
        None => {
            let date = chrono::DateTime::parse_from_rfc3339(value.trim()).ok()?;
            Some(SystemTime::from(date).duration_since(now).unwrap_or_default())
        }
    }
}

/// The wait in a message such as "Please try again in 1.2s." or `"retryDelay": "34s"`.
fn in_words(body: &str) -> Option<Duration> {
    const BEFORE: [&str; 7] = [
        "try again in",
        "try again after",
        "retry in",
        "retry after",
        "retry_after\":",
        "retrydelay\":",
        "please wait",
    ];
    let text: String = body.chars().take(LOOKED_AT).collect::<String>().to_ascii_lowercase();
    let after = |words: &&str| {
        let rest = &text[text.find(*words)? + words.len()..];
        let rest = rest.trim_start_matches([' ', '"', '\'', ':']);
        // The longest sequence of words that is a time: anything may follow it.
        let ends =
            rest.char_indices().filter(|(_, c)| !c.is_ascii_alphanumeric() && *c != '.').map(|(at, _)| at);
        let ends: Vec<_> = ends.chain([rest.len()]).take(6).collect();
        ends.into_iter().rev().find_map(|end| http::time(rest[..end].trim_end_matches('.')))
    };
    BEFORE.iter().find_map(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_read_where_servers_write_them() {
        type Headers = &'static [(&'static str, &'static str)];
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_764_000_000);
        let table: [(Headers, &str, Option<u128>); 26] = [
            (&[("retry-after", "2")], "try again in 9s", Some(2_000)),
            (&[("retry-after-ms", "250")], "", Some(250)),
            (&[("x-ratelimit-reset-requests", "1s")], "", Some(1_000)),
            (&[("x-ratelimit-reset-requests", "120ms"), ("x-ratelimit-reset-tokens", "50s")], "", Some(120)),
            (
                &[
                    ("x-ratelimit-reset-requests", "120ms"),
                    ("x-ratelimit-reset-tokens", "50s"),
                    ("x-ratelimit-remaining-tokens", "0"),
                ],
                "",
                Some(50_000),
            ),
            (&[("x-ratelimit-reset-tokens", "6m0s")], "", Some(60_000)),
            (&[("x-ratelimit-reset", "3")], "", Some(3_000)),
            (&[("x-ratelimit-reset", "1764000007")], "", Some(7_000)),
            (&[("x-ratelimit-reset", "1764000007500")], "", Some(7_500)),
            (&[("x-ratelimit-reset", "1763999999")], "", Some(0)),
            (&[("x-ratelimit-reset-requests", "2025-11-24T16:00:05Z")], "", Some(5_000)),
            (&[("ratelimit-reset", "4")], "", Some(4_000)),
            (&[("x-ratelimit-reset", "soon")], "", None),
            (&[("x-ratelimit-reset", "3")], "Please try again in 1.2s.", Some(1_200)),
            (&[], "Rate limit reached. Please try again in 6m0s. Visit us.", Some(360_000)),
            (&[], "please try again in 120ms", Some(120)),
            (&[], "Please retry after 26 seconds.", Some(26_000)),
            (&[], "You exceeded your current quota. Please retry in 34.07s.", Some(34_070)),
            (&[], "{\"details\":[{\"retryDelay\": \"34s\"}]}", Some(34_000)),
            (&[], "{\"retry_after\": 1.5}", Some(1_500)),
            (&[], "Try again in 1 minute 5 seconds, please", Some(65_000)),
            (&[], "retry after 20", Some(20_000)),
            (&[], "please wait 3 sec", Some(3_000)),
            (&[], "try again in a while", None),
            (&[], "try again in \u{fc}1s", None),
            (&[], "", None),
        ];
        for (headers, body, expected) in table {
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                map.insert(*name, value.parse().unwrap());
            }
            assert_eq!(
                named(429, &map, body, now).map(|wait| wait.as_millis()),
                expected,
                "{headers:?} {body}"
            );
        }
        assert_eq!(named(503, &HeaderMap::new(), "try again in 1s", now), None);
    }
}
