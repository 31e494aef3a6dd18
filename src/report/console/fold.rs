//! Blocks of a log that a reader can expand and collapse, where the pipeline's log supports that.

use chrono::DateTime;

/// The markers that fold a block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fold {
    /// None.
    #[default]
    None,
    /// `::group::` (docs.github.com, "Workflow commands", "Grouping log lines").
    GitHub,
    /// `section_start` (docs.gitlab.com, "Job logs", "Custom collapsible sections").
    GitLab,
}

impl Fold {
    /// The line before the title of a block; `at` is in seconds since 1970.
    pub(super) fn begin(self, number: usize, at: i64) -> String {
        match self {
            Fold::None => String::new(),
            Fold::GitHub => "::group::".to_owned(),
            Fold::GitLab => {
                format!("\u{1b}[0Ksection_start:{at}:akit_case_{number}[collapsed=true]\r\u{1b}[0K")
            }
        }
    }

    /// The line after a block.
    pub(super) fn end(self, number: usize, at: i64) -> String {
        match self {
            Fold::None => String::new(),
            Fold::GitHub => "::endgroup::\n".to_owned(),
            Fold::GitLab => format!("\u{1b}[0Ksection_end:{at}:akit_case_{number}\r\u{1b}[0K\n"),
        }
    }
}

/// When the run ended, in seconds since 1970; 0 if unknown. GitLab shows how long a section took, and these take no
/// time.
pub(super) fn seconds(at: Option<&str>) -> i64 {
    at.and_then(|at| DateTime::parse_from_rfc3339(at).ok()).map_or(0, |at| at.timestamp())
}
