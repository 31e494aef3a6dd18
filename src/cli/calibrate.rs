//! `akit calibrate`: measures how well the judge agrees with people.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::args::{JudgeArgs, MannerArgs, RecordArgs, configuration, judge_flags};
use super::asking::{listen, wait};
use super::output::Output;
use super::progress::{Detail, Progress};
use super::value::{odd, whole};
use super::{Status, terminal};
use crate::cache::Mode;
use crate::client::Road;
use crate::config::{Settings, Targets};
use crate::environment::Environment;
use crate::grader::calibration::{Calibration, Label, Manner, measure};
use crate::grader::{Ballot, Grader};
use crate::manifest::{Ended, Fault};
use crate::report::calibration::{Unjudged, of_calibration};
use crate::seed::Root;
use crate::source::{Diagnostics, SourceFile, slashed};
use crate::text;

#[derive(Debug, Args)]
pub(super) struct CalibrateArgs {
    /// Labeled answers (JSONL): answer, rubric, label and, if known, input
    labels: PathBuf,
    /// Configuration [default: the nearest akit.yaml above the labels]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Answers to judge at the same time
    #[arg(short, long, value_name = "N", default_value_t = 4, value_parser = whole::<u16>(1..=65_535, 4), allow_negative_numbers = true)]
    concurrency: u16,
    /// Print every verdict as it arrives
    #[arg(short, long)]
    verbose: bool,
    #[command(flatten)]
    judge: JudgeArgs,
    /// Votes per answer, an odd number [default: as configured, or 1, and up to 3 near the threshold]
    #[arg(long, value_name = "N", value_parser = odd, allow_negative_numbers = true, help_heading = "Judge")]
    votes: Option<u32>,
    #[command(flatten, next_help_heading = "Judge")]
    manner: MannerArgs,
    #[command(flatten)]
    records: RecordArgs,
    /// File to store the calibration in
    #[arg(long, value_name = "FILE", default_value = "akit-calibration.json", help_heading = "Reports")]
    out: PathBuf,
    /// Write the calibration as JSON, too (`-` for stdout)
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    json: Option<PathBuf>,
}

pub(super) fn calibrate(args: &CalibrateArgs, environment: Environment) -> Result<Status, Status> {
    let config = configuration(args.config.as_deref(), std::slice::from_ref(&args.labels), &environment)?;
    let labels = read_labels(&args.labels)?;
    let defaults = config.grader_defaults();
    let ballot = args.votes.map_or(defaults.ballot, Ballot::Fixed);
    let manner = Manner { scale: defaults.scale, ballot };
    let flags = judge_flags(&args.manner, &args.judge, &args.records);
    let root = flags.seed.map_or(Root::default(), Root);
    let mut settings = Settings::new(flags, config, environment, args.manner.http()?);
    settings.road = Road::new(args.concurrency.into(), None);
    let grader = settings
        .configured_grader(root, &mut Targets::default())
        .map_err(|obstacle| Status::Invalid.because(&obstacle.message, &obstacle.help))?;
    if let Some(note) = grader.note() {
        terminal::warning(&note, "use `canaries: off` only in tests with a stub judge");
    }
    let out = Some(args.out.clone());
    let outputs = Output::open_all([&out, &args.json], &[args.labels.as_path()], &settings.environment)?;
    let verdicts = ask(args, &grader, &labels, manner, &settings)?;
    for warning in grader.client().warnings() {
        terminal::warning(&warning, "");
    }
    let calibration = Calibration::of(&grader, manner, &labels, &verdicts);
    tell(&calibration, &labels, &verdicts, outputs, &slashed(&args.out))
}

/// The labels of a file; reports every invalid line.
fn read_labels(path: &Path) -> Result<Vec<Label>, Status> {
    let source = SourceFile::read(path).map_err(|error| {
        let message = format!("cannot read labels from `{}`: {error}", slashed(path));
        Status::Invalid.because(&message, "check the path")
    })?;
    let mut found = Diagnostics::default();
    let labels = Label::read_all(&Arc::new(source), &mut found);
    terminal::diagnostics(&found);
    if found.has_errors() {
        terminal::say(&format!("{}; nothing was sent", text::count(found.errors(), "error")));
        return Err(Status::Invalid);
    }
    if labels.is_empty() {
        return Err(
            Status::Nothing.because(format!("no labels in `{}`", slashed(path)), "see docs/calibration.md")
        );
    }
    Ok(labels)
}

/// The verdicts on all labels; after a signal, an older calibration is kept.
fn ask(
    args: &CalibrateArgs,
    grader: &Arc<Grader>,
    labels: &[Label],
    manner: Manner,
    settings: &Settings,
) -> Result<Vec<Result<u32, Fault>>, Status> {
    let sink = Arc::new(Progress::new(if args.verbose { Detail::Cases } else { Detail::Share }));
    let road = &settings.road;
    let measured = measure(
        Arc::clone(grader),
        labels,
        manner,
        args.concurrency.into(),
        Arc::<Progress>::clone(&sink),
        road,
    );
    let verdicts = wait(async {
        let _listening = listen(road, sink.clone());
        measured.await.filter(|_| road.closed().is_none())
    })?;
    verdicts.ok_or_else(|| {
        let by = road.closed().unwrap_or(Ended::Interrupted);
        let word = if by == Ended::Terminated { "terminated" } else { "interrupted" };
        terminal::say(&format!("{word}: sending nothing more; no calibration is stored; {}", kept(settings)));
        Status::stopped(by)
    })
}

/// What happens to the verdicts of an interrupted calibration.
fn kept(settings: &Settings) -> String {
    let folder = slashed(settings.cache.folder());
    match settings.grader_mode() {
        Mode::Off => "nothing was recorded".to_owned(),
        Mode::Replay => "nothing was asked".to_owned(),
        Mode::Refresh => format!("the verdicts so far are recorded in {folder}"),
        Mode::Auto | Mode::Record => {
            format!("the verdicts so far are recorded in {folder}, and the next attempt reuses them")
        }
    }
}

/// Writes and prints the result; if nothing could be judged, an older file is kept.
fn tell(
    calibration: &Calibration,
    labels: &[Label],
    verdicts: &[Result<u32, Fault>],
    outputs: [Option<Output>; 2],
    out: &str,
) -> Result<Status, Status> {
    let unjudged: Vec<_> = labels
        .iter()
        .zip(verdicts)
        .filter_map(|(label, verdict)| Some(Unjudged { id: &label.id, fault: verdict.as_ref().err()? }))
        .collect();
    if let (0, Some(first)) = (calibration.judged, unjudged.first()) {
        let message = format!("no answer could be judged: {}", first.fault.message);
        return Err(Status::Unjudged.because(&message, &first.fault.help));
    }
    let text = calibration.to_text().map_err(|error| Status::Unjudged.because(error.to_string(), ""))?;
    let stored = if out == "-" { String::new() } else { format!("Stored in {out}.\n") };
    let page = of_calibration(calibration, &unjudged) + &stored;
    Output::tell(outputs.map(|output| (output, Ok::<_, Infallible>(text.clone()))), |_| page);
    Ok(Status::Passed)
}
