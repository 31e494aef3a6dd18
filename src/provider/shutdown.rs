//! Shutdown dates of models.

use super::price::is_snapshot;

/// The vendors' announcements; the header explains the columns.
const LISTED: &str = include_str!("shutdown.txt");

/// A model's shutdown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shutdown {
    /// The day, such as `2027-01-14`.
    pub day: &'static str,
    /// The replacement that the vendor recommends.
    pub instead: Option<&'static str>,
}

/// When a model is shut down at its vendor's host, if known.
#[must_use]
pub fn shutdown(host: &str, model: &str) -> Option<Shutdown> {
    let is_meant = |name: &str| model == name || is_snapshot(model, name);
    lines()
        .find(|line| line[0] == host && is_meant(line[1]))
        .map(|[_, _, day, instead]| Shutdown { day, instead: Some(instead).filter(|name| *name != "-") })
}

/// The models with a known shutdown.
pub fn ending_models() -> impl Iterator<Item = &'static str> {
    lines().map(|[_, model, _, _]| model)
}

/// The lines of the table.
fn lines() -> impl Iterator<Item = [&'static str; 4]> {
    let lines = LISTED.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_whitespace().collect::<Vec<_>>().try_into().ok())
}

#[cfg(test)]
mod tests {
    use super::super::{Origin, Spec};
    use super::*;

    #[test]
    fn every_line_is_read_and_no_new_suite_uses_a_model_that_ends() {
        let written = LISTED.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        assert_eq!(lines().count(), written.count());
        for [host, model, day, _] in lines() {
            assert!(chrono::NaiveDate::parse_from_str(day, "%Y-%m-%d").is_ok(), "{model}: {day}");
            let is_known = |vendor: &super::super::Vendor| {
                Origin::of(vendor.address).is_some_and(|origin| origin.to_string().ends_with(host))
            };
            assert!(Spec::vendors().any(|(_, vendor)| is_known(vendor)), "{host}");
        }
        for (name, vendor) in Spec::vendors() {
            let is_shut = lines().any(|[host, ..]| shutdown(host, vendor.model).is_some());
            assert!(!is_shut, "{name} suggests {}", vendor.model);
        }
    }

    #[test]
    fn a_snapshot_ends_with_its_model_and_another_model_does_not() {
        let day = |model: &str| shutdown("api.openai.com", model).map(|one| one.day);
        for (model, expected) in [
            ("gpt-4o", Some("2027-01-14")),
            ("gpt-4o-2024-08-06", Some("2027-01-14")),
            ("gpt-4o-mini", Some("2027-01-14")),
            ("gpt-4o-audio-preview", None),
            ("gpt-4", Some("2026-10-23")),
            ("gpt-6-luna", None),
            ("claude-sonnet-4-5", None),
        ] {
            assert_eq!(day(model), expected, "{model}");
        }
        let claude = shutdown("api.anthropic.com", "claude-sonnet-4-5-20250929").unwrap();
        assert_eq!((claude.day, claude.instead), ("2026-11-30", Some("claude-sonnet-5-5")));
    }
}
