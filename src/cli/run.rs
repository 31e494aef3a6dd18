//! `akit run`: from scenario files to a verdict.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::output::Output;
use super::prepare::{Suite, SuiteArgs};
use super::progress::{Detail, Progress};
use super::{Status, terminal};
use crate::gate::{self, Decision, Policy, Reference};
use crate::grader::Graders;
use crate::history::{self, HistoryError, Pipeline, Place};
use crate::manifest::{Baseline, Ended, RunManifest};
use crate::report::{Format, Report};
use crate::runner::{self, OnFailure, Options, Plan, Stop};
use crate::scenario::Environment;
use crate::source::Ink;

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    suite: SuiteArgs,
    /// Most cases under way at once
    #[arg(short, long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..))]
    concurrency: u16,
    /// Begin no further case after the first that does not pass
    #[arg(long)]
    fail_fast: bool,
    /// Tell every case as it is judged
    #[arg(short, long)]
    verbose: bool,
    /// Least share of judged cases that must pass, 0 to 1 [default: every case]
    #[arg(long, value_name = "SHARE", value_parser = share, help_heading = "Gate")]
    min_pass_rate: Option<f64>,
    /// Compare with these results: FILE, git:REVISION:PATH or git-ref:NAME
    #[arg(long, value_name = "PLACE", value_parser = Place::parse, help_heading = "Gate")]
    baseline: Option<Place>,
    /// Store the run as JSON; `-` is stdout
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    json: Option<PathBuf>,
    /// Write JUnit XML
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    junit: Option<PathBuf>,
    /// Write SARIF
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    sarif: Option<PathBuf>,
    /// Write Markdown
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    markdown: Option<PathBuf>,
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err(format!("`{text}` is no share from 0 to 1")),
    }
}

pub(super) fn run(args: &RunArgs, environment: Environment) -> Status {
    try_run(args, environment).unwrap_or_else(|status| status)
}

fn try_run(args: &RunArgs, environment: Environment) -> Result<Status, Status> {
    let suite = Suite::load(&args.suite, environment)?;
    let policy = Policy { min_pass_rate: args.min_pass_rate.or(suite.settings.file.min_pass_rate) };
    let pipeline = Pipeline::of(|name| suite.settings.environment.get(name));
    let (sources, root) = (suite.loaded.sources(), suite.root());
    let at = suite.source_date();
    let files = suite.files.clone();
    let (mut plan, graders) = suite.plan()?;
    let baseline =
        args.baseline.as_ref().map(|place| read_baseline(place, &pipeline, &mut plan)).transpose()?.flatten();
    let stored = args.baseline.as_ref().and_then(Place::file);
    let inputs = files.iter().chain(args.suite.ask.replies()).map(PathBuf::as_path);
    let inputs: Vec<_> = inputs.chain(stored).collect();
    let outputs = Output::open_all([&args.json, &args.junit, &args.sarif, &args.markdown], &inputs)
        .map_err(|()| Status::Invalid)?;

    let options = Options {
        concurrency: args.concurrency.into(),
        on_failure: if args.fail_fast { OnFailure::Stop } else { OnFailure::GoOn },
        root,
        at,
    };
    let detail = if args.verbose { Detail::Cases } else { Detail::Share };
    let manifest = execute(plan, graders, options, detail)?;
    let reference = baseline.as_ref().map(|(baseline, from)| Reference { baseline, from });
    let decision = gate::decide(&manifest, reference, &policy);
    write(&Report { run: &manifest, decision: &decision, sources: &sources }, outputs);
    Ok(status(&decision, &manifest))
}

fn status(decision: &Decision, manifest: &RunManifest) -> Status {
    Status::of(decision, manifest.ended)
}

/// The baseline and its name; a missing one is told and leaves every case to pass by itself.
fn read_baseline(
    place: &Place,
    pipeline: &Pipeline,
    plan: &mut Plan,
) -> Result<Option<(Baseline, String)>, Status> {
    match history::read_baseline_at(place, pipeline) {
        Ok(found) => Ok(Some(found)),
        Err(HistoryError::Missing(path)) => {
            let note = format!(
                "there is no baseline `{path}`: regressions were not evaluated, every case must pass"
            );
            terminal::warning(&note, "make it with `akit baseline update run.json --baseline FILE`");
            plan.notes.push(note);
            Ok(None)
        }
        Err(error) => {
            terminal::error(
                &error.to_string(),
                "nothing was sent; restore the file or make it anew with `akit baseline update`",
            );
            Err(Status::Unjudged)
        }
    }
}

fn execute(plan: Plan, graders: Graders, options: Options, detail: Detail) -> Result<RunManifest, Status> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| {
        terminal::error(&format!("cannot start: {error}"), "");
        Status::Unjudged
    })?;
    let stop = Stop::default();
    let sink = Arc::new(Progress::new(detail));
    let manifest = runtime.block_on(async {
        listen(&stop);
        runner::run(plan, graders, options, sink, stop).await
    });
    // A name look-up under way may not be awaited.
    runtime.shutdown_background();
    Ok(manifest)
}

/// Ctrl-C and SIGTERM stop the run.
fn listen(stop: &Stop) {
    let interrupt = stop.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            interrupt.now(Ended::Interrupted);
        }
    });
    #[cfg(unix)]
    {
        let terminate = stop.clone();
        tokio::spawn(async move {
            let signal = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate());
            if let Ok(mut signal) = signal
                && signal.recv().await.is_some()
            {
                terminate.now(Ended::Terminated);
            }
        });
    }
}

fn write(report: &Report<'_>, outputs: [Option<Output>; 4]) {
    let [json, junit, sarif, markdown] = outputs;
    let to_stdout =
        [&json, &junit, &sarif, &markdown].into_iter().flatten().any(|o| matches!(o, Output::Stdout));
    let ink = if to_stdout { terminal::stderr_ink() } else { terminal::stdout_ink() };
    let render = |format: Format, ink: Ink| match format.render(report, ink) {
        Ok(text) => Some(text),
        Err(error) => {
            terminal::error(&error.to_string(), "the other reports and the exit status are not touched");
            None
        }
    };
    let files =
        [(json, Format::Json), (junit, Format::Junit), (sarif, Format::Sarif), (markdown, Format::Markdown)];
    for (output, format) in files {
        if let Some(output) = output
            && let Some(text) = render(format, Ink::Plain)
        {
            output.write(&text);
        }
    }
    if let Some(console) = render(Format::Console, ink) {
        if to_stdout { terminal::say(&console) } else { terminal::out(&console) }
    }
}
