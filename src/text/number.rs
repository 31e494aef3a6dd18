//! Numbers for display: `1,234`, `1.24 s`, `87.5%`.

use std::time::Duration;

/// A whole number with a comma between thousands.
#[must_use]
pub fn whole(n: u64) -> String {
    grouped(&n.to_string())
}

fn grouped(digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A figure with one decimal if it is below 1,000 and not whole: `0.4`, `812`, `25,772`.
#[must_use]
pub fn figure(value: f64) -> String {
    let shown = if value < 999.95 { format!("{value:.1}") } else { format!("{value:.0}") };
    let short = shown.trim_end_matches(".0");
    if short.bytes().all(|byte| byte.is_ascii_digit()) { grouped(short) } else { short.to_owned() }
}

/// A number chosen by a person, with all its decimals and a comma between thousands.
#[must_use]
pub fn exact(value: f64) -> String {
    let shown = value.to_string();
    match shown.split_once('.') {
        Some((whole, decimals)) => format!("{}.{decimals}", grouped(whole)),
        None => grouped(&shown),
    }
}

/// A count or a length with a comma between thousands.
#[must_use]
pub fn size(n: usize) -> String {
    whole(n as u64)
}

/// A share from 0 to 1 in percent with one decimal.
///
/// Only a share of exactly 1 shows as 100%, and only 0 as 0%.
#[must_use]
pub fn percent(share: f64) -> String {
    let shown = format!("{:.1}", share * 100.0);
    match shown.as_str() {
        "100.0" if share < 1.0 => "99.9%".to_owned(),
        "0.0" if share > 0.0 => "0.1%".to_owned(),
        _ => format!("{shown}%"),
    }
}

/// A duration as written in files: milliseconds, or a number with `ms`, `s` or `m`.
#[must_use]
pub fn time(text: &str) -> Option<Duration> {
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = match &text[digits.len()..] {
        "" | "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        _ => return None,
    };
    let number: f64 = digits.trim().parse().ok()?;
    let time = Duration::try_from_secs_f64(number * factor).ok()?;
    // A positive time never rounds to zero.
    (number == 0.0 || !time.is_zero()).then_some(time)
}

/// Milliseconds as a duration: `0.05 s`, `1.24 s`, `2 min 5 s`, `1 h 1 min`.
#[must_use]
pub fn span(ms: u64) -> String {
    if ms < 60_000 {
        // Whole hundredths, so that 59,999 ms are not shown as 60 s.
        return format!("{}.{:02} s", ms / 1000, ms % 1000 / 10);
    }
    let seconds = ms / 1000;
    match seconds / 60 {
        minutes @ 0..60 => format!("{minutes} min {} s", seconds % 60),
        minutes => format!("{} h {} min", whole(minutes / 60), minutes % 60),
    }
}

/// A score with at most four decimals and no trailing zeros.
#[must_use]
pub fn score(value: f64) -> String {
    let shown = format!("{value:.4}");
    match shown.trim_end_matches('0').trim_end_matches('.') {
        "-0" | "" => "0".to_owned(),
        short => short.to_owned(),
    }
}

/// Two scores, with as many decimals as it takes to tell them apart.
#[must_use]
pub fn scores(one: f64, other: f64) -> (String, String) {
    let short = (score(one), score(other));
    if short.0 == short.1 && (one - other).abs() > 0.0 { (one.to_string(), other.to_string()) } else { short }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_have_commas() {
        let shown: Vec<_> = [0, 999, 1000, 1_234_567, u64::MAX].into_iter().map(whole).collect();
        assert_eq!(shown, ["0", "999", "1,000", "1,234,567", "18,446,744,073,709,551,615"]);
    }

    #[test]
    fn figures_have_commas_and_no_needless_decimals() {
        let shown: Vec<_> = [0.0, 0.44, 10.0, 999.94, 999.96, 25_772.03].into_iter().map(figure).collect();
        assert_eq!(shown, ["0", "0.4", "10", "999.9", "1,000", "25,772"]);
        assert_eq!((figure(f64::NAN), figure(-1.5)), ("NaN".to_owned(), "-1.5".to_owned()));
    }

    #[test]
    fn shares_do_not_round_to_all_or_nothing() {
        let shown: Vec<_> = [0.0, 0.000_01, 0.875, 0.999_99, 1.0].into_iter().map(percent).collect();
        assert_eq!(shown, ["0.0%", "0.1%", "87.5%", "99.9%", "100.0%"]);
    }

    #[test]
    fn spans_of_time() {
        let shown: Vec<_> = [50, 1_240, 59_999, 125_000, 3_660_000].into_iter().map(span).collect();
        assert_eq!(shown, ["0.05 s", "1.24 s", "59.99 s", "2 min 5 s", "1 h 1 min"]);
    }

    #[test]
    fn scores_that_differ_look_different() {
        assert_eq!(scores(0.4, 0.7), ("0.4".to_owned(), "0.7".to_owned()));
        assert_eq!(scores(0.699_999, 0.7), ("0.699999".to_owned(), "0.7".to_owned()));
        assert_eq!((score(1.0), score(0.0), score(-0.0)), ("1".to_owned(), "0".to_owned(), "0".to_owned()));
        assert_eq!(score(f64::NAN), "NaN");
    }
}
