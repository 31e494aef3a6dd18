//! Output besides reports: job summary, step outputs and the comment.
//!
//! None of it changes an exit code by itself.

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use strum::{EnumMessage as _, VariantArray as _};

use super::args::MannerArgs;
use super::asking::{heard, wait};
use super::output::Surroundings;
use super::value::whole;
use super::{Status, terminal};
use crate::environment::Environment;
use crate::http::Http;
use crate::manifest::{Ended, StressRun};
use crate::publish::site::{Project, Site, Source, System};
use crate::publish::{self, CommentMode, CommentOptions, Done, Key, PublishError, actions};
use crate::report::{Report, annotation, dotenv, markdown, stress};
use crate::stats::real;
use crate::text;

impl ValueEnum for CommentMode {
    fn value_variants<'a>() -> &'a [Self] {
        Self::VARIANTS
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(<&str>::from(*self)).help(self.get_documentation()))
    }
}

/// The comment at the end of a run.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Comment")]
pub(super) struct CommentArgs {
    /// Post the run as a pull-request comment
    #[arg(long)]
    comment: bool,
    /// When to comment [default: always]
    #[arg(long, value_name = "MODE", requires = "comment")]
    comment_mode: Option<CommentMode>,
    /// Name of the comment, to keep several on one request [default: default]
    #[arg(long, value_name = "KEY", value_parser = Key::parse, requires = "comment")]
    comment_key: Option<Key>,
    /// Account the token belongs to; needed for a GitHub App
    #[arg(long, value_name = "NAME", requires = "comment")]
    comment_author: Option<String>,
    /// Number of the pull or merge request, if CI does not set it
    #[arg(long, value_name = "N", requires = "comment", value_parser = whole::<u64>(1..=u64::MAX, 12), allow_negative_numbers = true)]
    pull: Option<u64>,
}

/// What to publish at the end of a run, decided before anything is paid for.
pub(super) struct Told {
    site: Site,
    environment: Environment,
    comment: Option<(Http, CommentOptions)>,
}

impl CommentArgs {
    /// Whether a comment is requested.
    pub(super) fn is_wanted(&self) -> bool {
        self.comment
    }
}

impl Told {
    pub(super) fn new(
        args: &CommentArgs,
        environment: &Environment,
        manner: &MannerArgs,
    ) -> Result<Self, Status> {
        let comment = if args.comment {
            let mode = args.comment_mode.unwrap_or_default();
            let key = args.comment_key.clone().unwrap_or_default();
            let author = args.comment_author.clone();
            Some((manner.http()?, CommentOptions { mode, key, author, ..CommentOptions::default() }))
        } else {
            None
        };
        let site = Site::of(environment).about(args.pull);
        Ok(Self { site, environment: environment.clone(), comment })
    }

    /// The tested commit.
    pub(super) fn commit(&self) -> Option<String> {
        self.site.commit.clone()
    }

    /// Publishes; `files` are those written, each with the name of its flag.
    pub(super) fn tell(&self, report: &Report<'_>, status: Status, files: Files) {
        step(&self.environment, report, status, files);
        let Some((http, options)) = &self.comment else { return };
        if matches!(report.run.ended, Ended::Interrupted | Ended::Terminated) {
            terminal::say("no comment: the run was stopped");
            return;
        }
        // Summary and annotations are already written, so an error of the comment is not shown elsewhere.
        let _ = comment(report, &self.site, &self.environment, http, options);
    }
}

/// Written reports, by the names of their flags.
pub(super) type Files = Vec<(&'static str, String)>;

/// Writes summary and outputs, if this is a CI step.
pub(super) fn step(environment: &Environment, report: &Report<'_>, status: Status, files: Files) {
    warn(actions::summary(environment, &markdown::posted(report, markdown::MOST)).map(|_| ()));
    let mut values = dotenv::values(report, status.code());
    values.extend(files);
    warn(actions::outputs(environment, &values));
}

/// Like [`step`], for a load test.
pub(super) fn load_step(environment: &Environment, run: &StressRun, status: Status) {
    warn(actions::summary(environment, &stress::markdown::of(run)).map(|_| ()));
    let mut values = vec![
        ("verdict", run.decision.conclusion.word().to_owned()),
        ("exit-code", status.code().to_string()),
    ];
    let judged: u64 = run.levels.iter().map(|level| level.quality.n).sum();
    let passed: u64 = run.levels.iter().map(|level| level.quality.passed).sum();
    if judged > 0 {
        values.push(("pass-rate", format!("{:.4}", real(passed) / real(judged))));
    }
    values.extend(run.cost_usd.map(|cost| ("cost-usd", format!("{cost:.6}"))));
    warn(actions::outputs(environment, &values));
}

/// Publishes without a token in GitHub Actions: as job summary and annotations.
pub(super) fn instead(environment: &Environment, report: &Report<'_>) {
    if Surroundings::of(environment).takes_commands {
        terminal::out(&annotation::commands(report));
    }
    match actions::summary(environment, &markdown::posted(report, markdown::MOST)) {
        Ok(true) => terminal::say("the report is in the step summary instead"),
        told => warn(told.map(|_| ())),
    }
}

fn warn(done: Result<(), actions::ActionsError>) {
    if let Err(error) = done {
        terminal::warning(&error.to_string(), "");
    }
}

/// Result of posting the comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// Posted, or not wanted.
    Right,
    /// Not posted.
    Amiss,
    /// A signal came first.
    Stopped(Status),
}

/// Posts the comment, and prints the result.
pub(super) fn comment(
    report: &Report<'_>,
    site: &Site,
    environment: &Environment,
    http: &Http,
    options: &CommentOptions,
) -> Came {
    let done = wait(async {
        tokio::select! {
            done = publish::comment(report, site, environment, http, options) => Ok(done),
            by = heard() => Err(by),
        }
    });
    let done = match done {
        Ok(Ok(done)) => done,
        Ok(Err(by)) => {
            terminal::warning("stopped before GitHub or GitLab answered", "");
            return Came::Stopped(Status::stopped(by));
        }
        Err(_) => return Came::Amiss,
    };
    match done {
        Ok(Done::Created(place)) => stands(environment, "commented", &place),
        Ok(Done::CreatedAs { place, author, sought }) => {
            stands(environment, "commented", &place);
            let (author, sought) = (text::log::line(&author, 100), text::log::line(&sought, 100));
            terminal::warning(
                &format!("the comment belongs to `{author}`, but akit looks for comments by `{sought}`"),
                &format!("add `--comment-author {author}`; otherwise the next run posts another comment"),
            );
        }
        Ok(Done::Updated(place)) => stands(environment, "updated the comment", &place),
        Ok(Done::Newer(place)) => {
            terminal::say(&format!(
                "no comment: a newer run has already commented: {}",
                text::log::line(&place, 300)
            ));
        }
        Ok(Done::Unwanted) => terminal::say("no comment: nothing to report in this mode"),
        Err(error @ (PublishError::NoChange(_) | PublishError::MovedOn(_))) => {
            terminal::say(&format!("no comment: {error}"));
        }
        Err(error) => {
            terminal::warning(&format!("no comment: {error}"), &help(&error, site));
            return Came::Amiss;
        }
    }
    Came::Right
}

fn stands(environment: &Environment, what: &str, place: &str) {
    terminal::say(&format!("{what}: {}", text::log::line(place, 300)));
    warn(actions::outputs(environment, &[("comment-url", place.to_owned())]));
}

/// How to fix the error.
fn help(error: &PublishError, site: &Site) -> String {
    const LINES: &str = "permissions:\n  contents: read\n  pull-requests: write";
    const FORK: &str = "post the comment from a second workflow (`workflow_run` in docs/reports.md): the change comes from \
             a fork, whose token can only read";
    let gitlab = matches!(site.project, Some(Project::GitLab { .. }));
    let text = match error {
        PublishError::NoToken(_) if gitlab => {
            "use a token with the scope `api`, because a job's own token cannot write notes; nothing else depends on it"
        }
        PublishError::NoToken(_) if site.system == System::GitHubActions => {
            return format!(
                "add this to the step: `env: {{ GITHUB_TOKEN: \"${{{{ github.token }}}}\" }}`; give the job\n{LINES}"
            );
        }
        PublishError::NoToken(_) => "use a token that may write to pull requests",
        PublishError::Forge(error) if error.denied() => match site.source {
            _ if gitlab => "give the token the scope `api` and the Reporter role in the project",
            Source::Fork if !site.after_another => {
                return format!("{FORK}; that workflow needs\n{LINES}");
            }
            _ => return format!("give the job\n{LINES}"),
        },
        _ => "the decision and the exit code do not depend on it",
    };
    text.to_owned()
}
