//! `akit comment`: posts a stored run on its pull or merge request.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;

use super::Status;
use super::args::http;
use super::gate::decide;
use super::output::page_url;
use super::past::{self, PastArgs};
use super::policy::GateArgs;
use super::publish::{self, Came};
use super::stored::{self, files};
use super::value::whole;
use crate::environment::Environment;
use crate::manifest::RunManifest;
use crate::publish::site::Site;
use crate::publish::{CommentMode, CommentOptions, Key, Trust};
use crate::report::Report;

/// Largest accepted run from another workflow, in bytes.
const MAX_FOREIGN: u64 = 64 * 1024 * 1024;

#[derive(Debug, Args)]
pub(super) struct CommentCommand {
    /// Run stored by `akit run --json`
    #[arg(required_unless_present = "from", conflicts_with = "from")]
    run: Option<PathBuf>,
    /// Run stored by another workflow; untrusted, and must test the newest commit
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// Configuration [default: the nearest akit.yaml above the run's scenarios; with `--from`, here]
    #[arg(long, value_name = "FILE", alias = "policy")]
    config: Option<PathBuf>,
    /// When to comment
    #[arg(long, alias = "mode", value_name = "MODE", value_enum, default_value_t)]
    comment_mode: CommentMode,
    /// Name of the comment, to keep several on one request
    #[arg(long, alias = "key", value_name = "KEY", default_value = "default", value_parser = Key::parse)]
    comment_key: Key,
    /// Account the token belongs to; needed for a GitHub App
    #[arg(long, alias = "author", value_name = "NAME")]
    comment_author: Option<String>,
    /// Number of the pull or merge request, if CI does not set it
    #[arg(long, value_name = "N", conflicts_with = "from", value_parser = whole::<u64>(1..=u64::MAX, 12), allow_negative_numbers = true)]
    pull: Option<u64>,
    /// Address of the HTML page, to link to
    #[arg(long, value_name = "URL", env = "AKIT_PAGE_URL", value_parser = page_url)]
    page_url: Option<String>,
    #[command(flatten)]
    past: PastArgs,
    /// Exit with 4 if the comment cannot be posted
    #[arg(long)]
    required: bool,
    #[command(flatten)]
    gate: GateArgs,
    /// Additional CA certificates to trust (PEM)
    #[arg(long, value_name = "FILE", env = "AKIT_CA_BUNDLE")]
    ca_bundle: Option<PathBuf>,
}

pub(super) fn comment(args: &CommentCommand, environment: &Environment) -> Result<Status, Status> {
    let site = Site::of(environment).about(args.pull);
    let before = args.past.find(true)?;
    let (mut run, own) = match (&args.run, &args.from) {
        (Some(path), _) if !site.after_another => (stored::run(path)?, true),
        // A workflow triggered by another one comments for that one, whatever the flag.
        (Some(path), _) | (None, Some(path)) => (foreign(path, &site)?, false),
        (None, None) => return Err(Status::Invalid),
    };
    // An untrusted run may name any file and must not choose the policy that way.
    let (files, trust) = if own { (files(&run), Trust::Own) } else { (Vec::new(), Trust::Foreign) };
    let (decision, _) = decide(&mut run, &files, args.config.as_deref(), &args.gate, environment)?;
    let http = http(args.ca_bundle.as_deref())?;
    let past = past::read(before.as_ref(), &run, &decision);
    let links = site
        .links(environment, args.page_url.as_deref())
        .stored_in(args.run.as_deref().or(args.from.as_deref()));
    // No excerpts: a run may name any file, and a comment shows none.
    let report =
        Report { run: &run, decision: &decision, sources: &BTreeMap::new(), past: &past, links: &links };
    let options = CommentOptions {
        mode: args.comment_mode,
        key: args.comment_key.clone(),
        author: args.comment_author.clone(),
        trust,
    };
    let came = publish::comment(&report, &site, environment, &http, &options);
    if came == Came::Amiss {
        publish::instead(environment, &report);
    }
    Ok(match came {
        Came::Stopped(status) => status,
        Came::Amiss if args.required => Status::Unjudged,
        Came::Amiss | Came::Right => Status::Passed,
    })
}

/// A run from another workflow, which anyone could have changed: it must not be too large, and must test the commit
/// that this pipeline names.
fn foreign(path: &Path, site: &Site) -> Result<RunManifest, Status> {
    let refuse = |message: &str, help: &str| Err(Status::Invalid.because(message, help));
    match std::fs::metadata(path) {
        Ok(found) if !found.is_file() => {
            return refuse("the run is a folder, a pipe or a device, not a file", "nothing was sent");
        }
        Ok(found) if found.len() > MAX_FOREIGN => {
            let long = format!("the run has {} bytes; at most {MAX_FOREIGN} are read", found.len());
            return refuse(&long, "nothing was sent");
        }
        // Parsing gives a better error.
        _ => {}
    }
    let run = stored::run(path)?;
    match (&site.commit, &run.commit) {
        (Some(known), Some(told)) if known.eq_ignore_ascii_case(told) => Ok(run),
        (None, _) => refuse(
            "this pipeline does not name the tested commit",
            "use `--from` only in a workflow started by `workflow_run`; nothing was sent",
        ),
        (Some(known), told) => {
            let told = told.as_deref().map_or("unknown".to_owned(), |told| crate::text::excerpt(told, 40));
            refuse(
                &format!("the run's commit is {told}, but this pipeline tests {known}"),
                "store the run with `akit run --json` in the workflow that tests the change; nothing was sent",
            )
        }
    }
}
