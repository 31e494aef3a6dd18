//! `akit run`: from scenario files to a decision.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use clap::Args;
use serde_json::json;

use super::args::Asked as _;
use super::asking::{Listening, listen, wait};
use super::base::{Base, Here, SuitePaths};
use super::output::{Output, ReportArgs};
use super::past::{self, PastArgs};
use super::policy::{FoundBaseline, GateArgs, StatusArgs, accepted_in, check_names, named, read_baseline};
use super::prepare::{NOT_STREAMED, Suite, SuiteArgs};
use super::progress::{Detail, Progress};
use super::publish::{CommentArgs, Told};
use super::value::{dollars, duration, whole};
use super::{Status, spending, terminal};
use crate::cache::{JOURNALS, Journal, JournalError, Mode};
use crate::client::Road;
use crate::demands::withhold;
use crate::environment::Environment;
use crate::gate::{self, Evidence, Next, Policy, Reference, WayOut};
use crate::grader::Graders;
use crate::history::{Attempts, Place};
use crate::manifest::{Ended, RunManifest};
use crate::provider::Replies;
use crate::report::Report;
use crate::runner::{Again, Forecast, OnFailure, Options, Plan, Runner};
use crate::seed::RunId;
use crate::source::slashed;
use crate::text;
use crate::vocabulary::{Metric, Outcome, moment, rfc3339};

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a separate flag")]
pub(super) struct RunArgs {
    #[command(flatten)]
    pub(super) suite: SuiteArgs,
    /// Cases to run at the same time
    #[arg(short, long, value_name = "N", default_value_t = 4, value_parser = whole::<u16>(1..=65_535, 4), allow_negative_numbers = true)]
    concurrency: u16,
    /// Trials per case [default: 1]
    #[arg(long, value_name = "N", value_parser = whole::<u32>(1..=1000, 3), allow_negative_numbers = true)]
    repeat: Option<u32>,
    /// Finish an interrupted run with the same arguments; answers it has are not asked for again
    #[arg(long)]
    resume: bool,
    /// Start no more cases after the first that fails or errors
    #[arg(long)]
    fail_fast: bool,
    /// Spend no more than this, in US dollars; every model needs a price
    #[arg(long, value_name = "USD", value_parser = dollars, allow_negative_numbers = true)]
    budget: Option<f64>,
    /// Print what would be sent and what it could cost; send and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Stop the run after this time: milliseconds, or with a unit (`10m`)
    #[arg(long, value_name = "TIME", value_parser = duration, allow_negative_numbers = true)]
    deadline: Option<Duration>,
    /// Time the `--replies` answers were recorded, RFC 3339; part of the run ID [default: their newest `at`]
    #[arg(long, value_name = "TIME", value_parser = time)]
    recorded_at: Option<String>,
    /// Print every case as it finishes
    #[arg(short, long, conflicts_with = "quiet")]
    verbose: bool,
    #[command(flatten)]
    gate: GateArgs,
    #[command(flatten)]
    status: StatusArgs,
    #[command(flatten)]
    past: PastArgs,
    #[command(flatten)]
    reports: ReportArgs,
    #[command(flatten)]
    comment: CommentArgs,
}

fn time(text: &str) -> Result<String, String> {
    moment(text, crate::vocabulary::now()).map(rfc3339).map_err(|error| format!("this is {error}"))
}

pub(super) fn run(args: &RunArgs, environment: Environment) -> Result<Status, Status> {
    let began = Instant::now();
    let (suite, mut base) = args.load(environment)?;
    let config = &suite.settings.file;
    let name = args.suite.name(config);
    if suite.redacts() {
        withhold(&mut base.weakened);
    }
    let of_base = base.cases.take();
    let policy = Policy { of_base, ..args.gate.policy(&config.gate, &suite.settings.environment) };
    let place = base.place.take();
    let found = read_baseline(place.as_ref(), base.commit.as_ref(), &suite.settings.environment)?;
    let repeat = args.repeat.or(config.repeat.and_then(|n| u32::try_from(n).ok())).unwrap_or(1);
    let (sources, root) = (suite.loaded.sources(), suite.root());
    let told = Told::new(&args.comment, &suite.settings.environment, &args.suite.ask.manner)?;
    let date = suite.source_date();
    let (files, environment) = (suite.files.clone(), suite.settings.environment.clone());
    let road = suite.settings.road.clone();
    let mode = suite.settings.target_mode();
    let (mut plan, graders) = suite.plan()?;
    plan.notes.extend(base.notes.iter().cloned());
    if args.recorded_at.is_some() && plan.replies().next().is_none() {
        return Err(
            Status::Invalid.because("`--recorded-at` is for recorded answers", "add `--replies FILE`")
        );
    }
    let given = || plan.replies().filter_map(Replies::latest).max().map(rfc3339);
    let at = args.recorded_at.clone().or_else(given).or(date);
    let limits_first_token = policy.thresholds.iter().any(|limit| limit.metric == Metric::FirstToken);
    if limits_first_token && plan.clients().any(|client| !client.streams()) {
        let (message, help) = NOT_STREAMED;
        return Err(Status::Invalid.because(message, help));
    }
    let again = gate::most_fresh(found.reference(), &policy);
    for (note, most) in plan.unjudged_replies(repeat) {
        terminal::warning(&note, &format!("judge all of them with `--repeat {most}`"));
    }
    let forecast = Forecast::of(&plan, &graders, repeat, again, root);
    if let Some(budget) = args.budget {
        spending::check(&forecast, budget)?;
    }
    if args.dry_run {
        return Ok(Status::of_product(&spending::told(&forecast)));
    }
    let asks = plan.asks_models() && mode != Mode::Replay;
    let commit = told.commit().filter(|_| asks && matches!(found.reference(), Reference::Found { .. }));
    let attempts = commit.map(|commit| args.attempts(&commit, &name)).transpose()?;
    plan.notes.extend(attempts.as_ref().and_then(Attempts::note));
    let before = args.past.find(args.reports.shows_past() || args.comment.is_wanted())?;
    let stored = place.as_ref().and_then(Place::file);
    let asked = files.iter().chain(args.suite.ask.replies()).map(PathBuf::as_path);
    let inputs: Vec<_> = asked.chain(stored).chain(past::named(before.as_ref())).collect();
    let outputs = args.reports.open(&inputs, &environment)?.within(&environment).since(began);

    let options = Options {
        concurrency: args.concurrency.into(),
        repeat,
        on_failure: if args.fail_fast { OnFailure::Stop } else { OnFailure::GoOn },
        root,
        run: RunId::fresh(),
        at,
    };
    let settings = json!([root.0, repeat, args.fail_fast, <&str>::from(mode)]);
    args.keep_journal(&road, &plan.signature(&graders, &settings))?;
    let asking = Asking { plan, graders, options, road, deadline: args.deadline, detail: args.detail() };
    let road = asking.road.clone();
    let (mut manifest, listening) = asking.execute(&found, &policy, attempts.as_ref())?;
    if let Some(Err(error)) = attempts.map(|attempts| attempts.keep(&manifest, SystemTime::now())) {
        terminal::warning(&error.to_string(), "later attempts at this commit will not count this one");
    }
    if args.recorded_at.is_some() {
        manifest.date_given();
    }
    manifest.commit = told.commit();
    manifest.suite = name;
    let evidence = Evidence { run: &manifest, reference: found.reference(), weakened: &base.weakened };
    let mut decision = gate::decide(&evidence, &policy);
    decision.accepted_in(place.as_ref().map(accepted_in), &evidence, &policy);
    let past = past::read(before.as_ref(), &manifest, &decision);
    let links = args.reports.links(&environment, args.reports.stored());
    let report =
        Report { run: &manifest, decision: &decision, sources: &sources, past: &past, links: &links };
    let wanted = outputs.files();
    let files = Output::write_all(&report, outputs);
    let reports_stand = files.len() == wanted;
    listening.leave();
    let status = args.status.of(&decision, &manifest);
    told.tell(&report, status, files);
    args.tell_way_out(&manifest, &decision);
    finish(&road, manifest.ended, reports_stand);
    Ok(status)
}

/// Maximum number of cases that a hint lists.
const RERUN: usize = 5;

/// Where a pipeline stores the findings of its attempts at a commit.
const ATTEMPTS: &str = ".akit/attempts";

/// Removes the journal if the run is complete and its reports are written; otherwise, prints how to resume.
fn finish(road: &Road, ended: Ended, reports_stand: bool) {
    let Some(journal) = road.journal() else { return };
    if !ended.can_be_finished() && reports_stand {
        journal.end();
    } else if journal.answers() > 0 {
        let answers = text::count(journal.answers(), "answer");
        terminal::say(&format!(
            "to finish this run and keep its {answers}, add `--resume` to the same command"
        ));
    }
}

impl RunArgs {
    /// The suite under the settings in effect, and what follows from the base.
    fn load(&self, environment: Environment) -> Result<(Suite, Base), Status> {
        let mut base = Base::default();
        let mut suite = Suite::load_under(&self.suite, environment, |config, files, loaded, environment| {
            let cases: Vec<_> = named(&loaded.scenarios).collect();
            check_names(config, &cases, environment)?;
            let now = SuitePaths {
                paths: &self.suite.paths,
                files,
                named: self.suite.config.as_deref(),
                config,
                budget: self.budget.is_some(),
                flags_decide: self.gate.decides(),
                flags: self.suite.ask.flags(),
                selection: self.suite.select.selection()?,
                here: Here::of(environment),
            };
            base = self.gate.base.compare(&self.gate, &now, environment)?;
            Ok(base.held.clone())
        })?;
        suite.settings.road = Road::new(self.concurrency.into(), self.budget);
        if let Some(untrusted) = base.untrusted.take() {
            suite.settings.cache = suite.settings.cache.clone().distrusting(untrusted);
        }
        if self.resume && base.brings_journal {
            let help = format!("nothing was sent; remove `{JOURNALS}` from git, and run without `--resume`");
            return Err(Status::Invalid
                .because("the journal of an interrupted run comes from this change itself", help));
        }
        Ok((suite, base))
    }

    /// Findings of earlier attempts at a commit.
    fn attempts(&self, commit: &str, suite: &[String]) -> Result<Attempts, Status> {
        let kept = Attempts::at(Path::new(ATTEMPTS), commit, suite, self.resume);
        kept.map_err(|error| Status::Unjudged.because(error.to_string(), error.help()))
    }

    /// Journals answers as they arrive, and finds those of the run to resume.
    fn keep_journal(&self, road: &Road, name: &str) -> Result<(), Status> {
        let folder = Path::new(JOURNALS);
        if !self.resume {
            match Journal::begin(folder, name) {
                Ok((journal, given_up)) => {
                    if given_up > 0 {
                        let answers = text::count(given_up, "answer");
                        terminal::say(&format!(
                            "a run with these arguments was interrupted after {answers}; starting over"
                        ));
                    }
                    road.keep(journal);
                }
                Err(error) => {
                    terminal::warning(&format!("`--resume` could not finish this run: {error}"), "");
                }
            }
            return Ok(());
        }
        let journal = Journal::resume(folder, name).map_err(|error| {
            let help = match error {
                JournalError::Nothing(_) => {
                    "use the same arguments and files, or start over without `--resume`"
                }
                JournalError::Busy(_) => "wait for it to finish, or stop it",
                JournalError::Unreadable(..) => "check the file, or start over without `--resume`",
            };
            Status::Invalid.because(error.to_string(), format!("nothing was sent; {help}"))
        })?;
        let answers = text::count(journal.answers(), "answer");
        terminal::say(&format!("finishing an interrupted run that has {answers}"));
        road.keep(journal);
        Ok(())
    }

    /// Prints how to run the failing cases again, accept them, or decide those that are open.
    fn tell_way_out(&self, run: &RunManifest, decision: &gate::Decision) {
        let wrong =
            || run.cases.iter().filter(|case| matches!(case.outcome, Outcome::Failed | Outcome::Errored));
        let few = (1..=RERUN).contains(&wrong().count()) && wrong().count() < run.counts().judged();
        if few && !self.reports.is_quiet() {
            let flags = wrong().map(|case| format!("--case {}", text::argument(&case.key().to_string())));
            let flags = flags.collect::<Vec<_>>().join(" ");
            terminal::say(&format!("to run only these again, add `{flags}` to the same command"));
        }
        let stored = self.reports.stored().map_or("run.json".into(), slashed);
        match decision.way_out(&stored) {
            Some(WayOut::Accept { command, then }) => {
                let is_stored = self.reports.stored().is_some();
                let store = if is_stored { "" } else { " (store this run with `--json run.json`)" };
                terminal::say(&format!("if the change is intended, accept it: `{command}`{store}, {then}"));
            }
            Some(WayOut::NotEnough(why)) => {
                terminal::say(&format!("accepting the failing cases is not enough: {why}"));
            }
            None => {}
        }
        if let Some((words, command)) = decision.how_to_decide(run, &stored) {
            let is_stored = self.reports.stored().is_some() || command.is_none();
            let store = if is_stored { "" } else { ", and store this run with `--json run.json`" };
            let command = command.map_or_else(String::new, |command| format!(": `{command}`"));
            terminal::say(&format!("to {words}{command}{store}"));
        }
    }

    fn detail(&self) -> Detail {
        match self.verbose {
            true => Detail::Cases,
            false if self.reports.is_quiet() => Detail::Nothing,
            false => Detail::Share,
        }
    }
}

/// Everything needed to run the cases.
struct Asking {
    plan: Plan,
    graders: Graders,
    options: Options,
    road: Road,
    deadline: Option<Duration>,
    detail: Detail,
}

impl Asking {
    /// Runs every case, then suspected cases again until the gate has enough evidence or no more can be had.
    fn execute(
        self,
        found: &FoundBaseline,
        policy: &Policy,
        attempts: Option<&Attempts>,
    ) -> Result<(RunManifest, Listening), Status> {
        let road = self.road;
        let sink = Arc::new(Progress::new(self.detail));
        wait(async {
            let listening = listen(&road, Arc::<Progress>::clone(&sink));
            if let Some(deadline) = self.deadline {
                let late = road.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(deadline).await;
                    late.cut(Ended::Deadline);
                });
            }
            let runner = Runner::new(self.plan, self.graders, self.options, sink, road.clone());
            let mut run = runner.run().await;
            if let Some(attempts) = attempts {
                attempts.tell(&mut run);
            }
            let mut short = BTreeSet::new();
            loop {
                let next = gate::next(&run, found.reference(), policy, &short);
                let (cases, second) = match &next {
                    Next::Nothing => break,
                    Next::Suspects(cases) => (cases, false),
                    Next::SecondRound(cases) => (cases, true),
                };
                if let Some(why) = road.closed() {
                    // The run was stopped between the last answer and the confirmations that it needs.
                    run.ended = why;
                    break;
                }
                let wanted: Vec<_> = cases.iter().map(|case| Again { case: *case, trials: 1 }).collect();
                let missing = runner.again(&mut run, &wanted).await;
                for case in cases.iter().filter(|case| second && !missing.contains(case)) {
                    run.cases[*case]
                        .trials
                        .last_mut()
                        .into_iter()
                        .for_each(|trial| trial.second_round = true);
                }
                short.extend(missing);
            }
            // An interrupted run never passes, even if everything arrived in time.
            if let Some(why @ (Ended::Interrupted | Ended::Terminated)) = road.closed() {
                run.ended = why;
            }
            listening.writes();
            (run, listening)
        })
    }
}
