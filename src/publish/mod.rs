//! Where a decision is posted besides the reports: the comment on a pull or merge request, and GitHub Actions' step
//! summary and outputs.
//!
//! Posting is best effort: nothing here changes a decision or an exit code. A token is sent to one host, and never
//! shown.

mod access;
pub mod actions;
mod forge;
mod github;
mod gitlab;
mod marker;
mod request;
pub mod site;
mod sticky;
mod suite;

use serde_json::json;

use crate::canonical;
use crate::environment::Environment;
use crate::gate::{Conclusion, State};
use crate::http::Http;
use crate::report::{Report, markdown};
use crate::secret::Secret;

use forge::Forge;
use request::Patience;
use site::{Change, Project, Site};
use suite::Section;

pub use access::access;
pub use marker::Key;
pub use request::ForgeError;
pub use sticky::{CommentMode, Done};

/// Why there is no comment.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// There is nothing to comment on, which is not an error.
    #[error("there is nothing to comment on: {0}")]
    NoChange(String),
    /// The change has a newer commit.
    #[error("the change has a newer commit, {0}; its own run will comment")]
    MovedOn(String),
    /// There is no token.
    #[error("no token: {0} is not set")]
    NoToken(&'static str),
    /// The forge refused or failed.
    #[error(transparent)]
    Forge(#[from] ForgeError),
}

/// How a comment is made.
#[derive(Clone, Debug, Default)]
pub struct CommentOptions {
    /// When to comment.
    pub mode: CommentMode,
    /// Which comment, if there are several.
    pub key: Key,
    /// The account of the token, if the forge does not name it.
    pub author: Option<String>,
    /// How far the run is trusted.
    pub trust: Trust,
}

/// How far a run is trusted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    /// This pipeline made the run.
    #[default]
    Own,
    /// Another workflow made the run: the tested commit must be the newest of the change.
    Foreign,
}

impl Project {
    /// Variables that may contain the token; the first takes precedence.
    #[must_use]
    pub fn token_names(&self) -> &'static [&'static str] {
        match self {
            Project::GitHub { .. } => &["GITHUB_TOKEN", "GH_TOKEN"],
            Project::GitLab { .. } => &["AKIT_GITLAB_TOKEN"],
        }
    }
}

/// Posts a decided run on its change.
///
/// # Errors
/// If no comment was posted; the caller decides what that means.
pub async fn comment(
    report: &Report<'_>,
    site: &Site,
    environment: &Environment,
    http: &Http,
    options: &CommentOptions,
) -> Result<Done, PublishError> {
    let no_change = |why: &str| PublishError::NoChange(why.to_owned());
    if let Change::None(why) = site.change {
        return Err(no_change(why));
    }
    let project = site.project.as_ref().ok_or_else(|| {
        no_change(
            "akit can comment only on GitHub and GitLab; for GitHub Enterprise Server, set `GITHUB_API_URL`",
        )
    })?;
    let names = project.token_names();
    let token = names.iter().find_map(|name| environment.get(name));
    let token = token.map(|token| Secret::new(token.trim())).ok_or(PublishError::NoToken(names[0]))?;
    let forge = Forge::new(project, http, token)?;
    let number = number(&forge, site, options.trust).await?;
    let note = sticky::Note {
        key: &options.key,
        commit: site.commit.as_deref(),
        section: &section(report, site),
        wanted: wanted(report, options.mode),
    };
    Ok(sticky::post(&forge, number, options.author.as_deref(), &note, options.mode).await?)
}

/// The number of the change.
async fn number(forge: &Forge, site: &Site, trust: Trust) -> Result<u64, PublishError> {
    let mut patience = Patience::default();
    let unknown = || PublishError::NoChange("the pipeline does not name the tested commit".to_owned());
    match &site.change {
        Change::Number(number) if trust == Trust::Own => Ok(*number),
        Change::Number(number) => {
            let commit = site.commit.as_deref().ok_or_else(unknown)?;
            let head = patience.with(async || forge.head(*number).await).await?;
            if head.commit.eq_ignore_ascii_case(commit) {
                return Ok(head.number);
            }
            Err(PublishError::MovedOn(crate::text::excerpt(&head.commit, 12)))
        }
        Change::OfCommit { from } => {
            let commit = site.commit.as_deref().ok_or_else(unknown)?;
            let found = patience.with(async || forge.changes(commit, from.as_deref()).await).await?;
            let newest = found.iter().find(|head| head.commit.eq_ignore_ascii_case(commit));
            newest.map(|head| head.number).ok_or_else(|| {
                PublishError::NoChange(format!(
                    "no open pull or merge request has {} as its newest commit",
                    &commit[..12]
                ))
            })
        }
        Change::None(why) => Err(PublishError::NoChange((*why).to_owned())),
    }
}

/// Maximum size of the marker, in bytes.
const MARKER: usize = 1_000;

/// The section of a run's suite. Runs with the same arguments, files and application have the same suite. All files
/// of recorded answers count as one application, because more answers only add evidence.
fn section(report: &Report<'_>, site: &Site) -> Section {
    let run = report.run;
    let files: Vec<_> = run.scenarios.iter().map(|one| [&one.file, &one.name, &one.target_hash]).collect();
    let rank = match report.decision.conclusion {
        Conclusion::Fail => 0,
        Conclusion::Error => 1,
        Conclusion::Inconclusive => 2,
        Conclusion::Pass => 3,
    };
    Section {
        suite: canonical::digest(&json!([run.suite, files])),
        name: run.suite_name(),
        turn: site.turn,
        rank,
        text: markdown::posted(report, sticky::MOST - MARKER).trim_end().to_owned(),
    }
}

/// Whether this mode posts a first comment for this run.
fn wanted(report: &Report<'_>, mode: CommentMode) -> bool {
    let passes = report.decision.conclusion == Conclusion::Pass;
    let otherwise = || {
        use State::{Broken, Changed, Degraded, Fixed, New, Open, Unconfirmed};
        let removed = report.decision.compared.as_ref().is_some_and(|compared| !compared.removed.is_empty());
        removed
            || report.decision.cases.iter().any(|case| {
                matches!(case.state, Broken | Changed | Degraded | Fixed | New | Open | Unconfirmed)
            })
    };
    match mode {
        CommentMode::Always | CommentMode::Recreate => true,
        CommentMode::OnChange => !passes || otherwise(),
        CommentMode::OnFail => !passes,
    }
}
