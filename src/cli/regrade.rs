//! `akit regrade`: shows whether application or judge has changed, by grading two runs with each other's judge.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::args::AskJudgeArgs;
use super::asking::{listen, wait};
use super::output::Output;
use super::prepare::{Suite, SuiteArgs};
use super::progress::{Detail, Progress};
use super::stored;
use super::value::{address, whole};
use super::{Status, terminal};
use crate::analysis::Common;
use crate::client::Road;
use crate::environment::Environment;
use crate::manifest::{RunManifest, Trial};
use crate::provider::{Exchanged, Replies};
use crate::report::json::pretty;
use crate::report::regrade::of_attribution;
use crate::runner::{OnFailure, Options, Runner};
use crate::seed::RunId;
use crate::source::slashed;
use crate::vocabulary::CaseId;

#[derive(Debug, Args)]
pub(super) struct RegradeArgs {
    /// The earlier run, stored by `akit run --json`
    old: PathBuf,
    /// The later run, stored by `akit run --json`
    new: PathBuf,
    #[command(flatten)]
    suite: SuiteArgs<AskJudgeArgs>,
    #[command(flatten)]
    then: OldJudgeArgs,
    /// Answers to judge at the same time
    #[arg(short, long, value_name = "N", default_value_t = 4, value_parser = whole::<u16>(1..=65_535, 4), allow_negative_numbers = true)]
    concurrency: u16,
    /// Write the result as JSON (`-` for stdout)
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    json: Option<PathBuf>,
}

/// The earlier run's judge; the later run's is the configured one.
#[derive(Debug, Args)]
#[command(next_help_heading = "Earlier judge")]
#[expect(clippy::struct_field_names, reason = "they are the names of the flags")]
struct OldJudgeArgs {
    /// Provider of the old run's judge
    #[arg(long, value_name = "NAME", value_parser = super::args::provider_names())]
    old_grader_provider: Option<String>,
    /// Model of the old run's judge; if not set, it does not judge the new answers
    #[arg(long, value_name = "NAME")]
    old_grader_model: Option<String>,
    /// Address of the old run's judge, up to and including `/v1`
    #[arg(long, value_name = "URL", value_parser = address)]
    old_grader_base_url: Option<String>,
}

impl OldJudgeArgs {
    fn is_named(&self) -> bool {
        [&self.old_grader_provider, &self.old_grader_model, &self.old_grader_base_url]
            .iter()
            .any(|one| one.is_some())
    }

    /// Replaces the configured judge with the earlier one.
    fn take_place(&self, suite: &mut Suite) {
        let flags = &mut suite.settings.flags;
        flags.grader_provider.clone_from(&self.old_grader_provider);
        flags.grader_base_url.clone_from(&self.old_grader_base_url);
        if let Some(model) = &self.old_grader_model {
            flags.grader_model = Some(model.clone());
        }
    }
}

/// Graded answers of a stored run, without confirmations.
fn answers(path: &Path, run: &RunManifest) -> Replies {
    let rows = run.cases.iter().map(|case| {
        let turns = |trial: &Trial| {
            let answered =
                trial.turns.iter().filter_map(|turn| Some((turn.asked.clone(), turn.answer.clone()?)));
            answered.map(|(asked, answer)| Exchanged::of(asked, answer)).collect()
        };
        (case.scenario.as_str(), case.id.as_str(), case.answers().map(turns).collect())
    });
    Replies::of(&slashed(path), rows)
}

pub(super) fn regrade(args: &RegradeArgs, environment: Environment) -> Result<Status, Status> {
    let (old, new) = (stored::run(&args.old)?, stored::run(&args.new)?);
    let mut suite = Suite::load(&args.suite, environment)?;
    suite.settings.road = Road::new(args.concurrency.into(), None);
    let common = {
        let selected = suite.selected()?;
        let names: BTreeMap<_, _> = selected
            .iter()
            .map(|(scenario, case)| (CaseId::new(&scenario.name, &case.id), case.content_hash.as_str()))
            .collect();
        Common::of(&old, &new, &names)
    };
    if common.count() == 0 {
        let help = match common.changed() {
            0 => "pass the suite of both runs",
            _ => "use the suite of these runs: its cases now ask or expect something else",
        };
        return Err(Status::Nothing.because("the runs and the suite have no judged case in common", help));
    }
    let read = [args.old.as_path(), args.new.as_path()];
    let inputs: Vec<_> = suite.files.iter().map(PathBuf::as_path).chain(read).collect();
    let [json] = Output::open_all([&args.json], &inputs, &suite.settings.environment)?;

    let wanted = common.contested();
    let mut notes = BTreeSet::new();
    let (mut anew, mut then) = (None, None);
    if !wanted.is_empty() {
        let run = judge(&suite, answers(&args.old, &old), &wanted, args.concurrency)?;
        notes.extend(other_judges(&run, &new, "later"));
        anew = Some(run);
        if args.then.is_named() {
            args.then.take_place(&mut suite);
            let run = judge(&suite, answers(&args.new, &new), &wanted, args.concurrency)?;
            notes.extend(other_judges(&run, &old, "earlier"));
            then = Some(run);
        }
    }
    notes.extend(same_judge(&old, &new));
    let mut found = common.attribute(anew.as_ref(), then.as_ref());
    found.notes.extend(notes);
    Output::tell([(json, pretty(&found))], |_| of_attribution(&found));
    let Some(first) = found.unheard.first() else { return Ok(Status::Passed) };
    terminal::error(&format!("{} could not be judged again: {}", first.case, first.reason), &first.help);
    Ok(Status::Unjudged)
}

/// Grades answers by the configured judge.
fn judge(
    suite: &Suite,
    replies: Replies,
    wanted: &BTreeSet<CaseId<'_>>,
    concurrency: u16,
) -> Result<RunManifest, Status> {
    let (plan, graders) = suite.over(replies, wanted)?;
    let options = Options {
        concurrency: concurrency.into(),
        // All of them.
        repeat: u32::MAX,
        on_failure: OnFailure::GoOn,
        root: suite.root(),
        run: RunId::default(),
        at: suite.source_date(),
    };
    let road = suite.settings.road.clone();
    let sink = Arc::new(Progress::new(Detail::Share));
    let run = wait(async {
        let _listening = listen(&road, Arc::<Progress>::clone(&sink));
        Runner::new(plan, graders, options, sink, road.clone()).run().await
    })?;
    road.closed().map_or(Ok(run), |by| Err(Status::stopped(by)))
}

/// Scenarios whose judge is not that of the stored run.
fn other_judges(asked: &RunManifest, stored: &RunManifest, which: &str) -> Vec<String> {
    let scenarios = asked.scenarios.iter().filter_map(|one| {
        let other =
            stored.scenarios.iter().find(|other| other.name == one.name && other.grader_hash.is_some())?;
        let differs = one.grader_hash.is_some() && one.grader_hash != other.grader_hash;
        differs.then(|| {
            let word = |name: &Option<String>| name.clone().unwrap_or_default();
            format!(
                "{}: the {which} run was judged by {}, but now {} judges, or with other settings: the \
                     attribution compares judges that the runs did not use",
                one.name,
                word(&other.grader),
                word(&one.grader),
            )
        })
    });
    scenarios.collect()
}

/// A note if both runs have the same judges, as far as recorded.
fn same_judge(old: &RunManifest, new: &RunManifest) -> Option<String> {
    let judges = |run: &RunManifest| -> BTreeMap<String, String> {
        run.scenarios.iter().filter_map(|one| Some((one.name.clone(), one.grader_hash.clone()?))).collect()
    };
    let (old, new) = (judges(old), judges(new));
    (!old.is_empty() && old == new)
        .then(|| "both runs have the same judge: the judge's share is only its own variance".to_owned())
}
