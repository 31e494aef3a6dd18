//! Parsers for flag values: an error shows the value, what is allowed, and an example.

use std::ops::RangeInclusive;
use std::time::Duration;

use clap::builder::TypedValueParser;

use crate::provider::Endpoint;
use crate::text;

/// Whole numbers in a range.
pub(super) fn whole<T>(range: RangeInclusive<u64>, example: u64) -> impl TypedValueParser<Value = T>
where
    T: TryFrom<u64> + Clone + Send + Sync + 'static,
{
    move |text: &str| {
        let number = text.trim().parse::<u64>().ok().filter(|number| range.contains(number));
        number.and_then(|number| T::try_from(number).ok()).ok_or_else(|| {
            let (least, most) = (range.start(), range.end());
            let most = text::number::whole(*most);
            format!("{} is not a whole number from {least} to {most}; for example `{example}`", shown(text))
        })
    }
}

/// A share.
pub(super) fn share(text: &str) -> Result<f64, String> {
    number(text, |share| (0.0..=1.0).contains(&share))
        .ok_or_else(|| format!("{} is not a share from 0 to 1; for example `0.95`", shown(text)))
}

/// An amount of money.
pub(super) fn dollars(text: &str) -> Result<f64, String> {
    number(text, |dollars| dollars.is_finite() && dollars >= 0.0)
        .ok_or_else(|| format!("{} is not an amount in US dollars; for example `2.50`", shown(text)))
}

/// An odd number of votes.
pub(super) fn odd(text: &str) -> Result<u32, String> {
    let votes = text.trim().parse::<u32>().ok().filter(|votes| votes % 2 == 1 && *votes <= 99);
    let wrong = || format!("{} is not an odd number from 1 to 99; for example `3`", shown(text));
    votes.ok_or_else(wrong)
}

/// A duration above 0.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    text::number::time(text).filter(|time| !time.is_zero()).ok_or_else(|| {
        format!(
            "{} is not a duration above 0; write milliseconds, or add `ms`, `s` or `m`; for example `30s`",
            shown(text)
        )
    })
}

/// A duration, 0 included.
pub(super) fn patience(text: &str) -> Result<Duration, String> {
    text::number::time(text).ok_or_else(|| {
        format!(
            "{} is not a duration; write milliseconds, or add `ms`, `s` or `m`; for example `5m`",
            shown(text)
        )
    })
}

/// Version of the application.
pub(super) fn version(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("the version is empty; set one, such as the application's commit".to_owned()),
        version => Ok(version.to_owned()),
    }
}

pub(super) fn shown(text: &str) -> String {
    format!("`{}`", text::excerpt(text, 60))
}

/// A server address.
pub(super) fn address(text: &str) -> Result<String, String> {
    let wrong = |error| format!("{error}; for example `http://127.0.0.1:8080/v1`");
    Endpoint::check(text).map_err(wrong).map(|()| text.to_owned())
}

fn number(text: &str, is_right: impl Fn(f64) -> bool) -> Option<f64> {
    text.trim().parse::<f64>().ok().filter(|number| is_right(*number))
}
