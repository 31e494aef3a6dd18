//! From arguments to a plan: everything that is decided before anything is sent.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, SecondsFormat};
use clap::Args;

use super::args::{AskArgs, Asked, SelectArgs, configuration, files, places};
use super::output::behind_link;
use super::{Status, terminal};
use crate::client::ModelClient;
use crate::config::{ConfigFile, Obstacle, Settings, Targets};
use crate::environment::Environment;
use crate::grader::Graders;
use crate::provider::Replies;
use crate::redact::{Cover, Redaction, RedactionChoice};
use crate::runner::{Job, Plan, Planned, Target};
use crate::scenario::{self, Case, Loaded, Scenario, Selection};
use crate::seed::Root;
use crate::source::{Diagnostic, Diagnostics, repository_name, slashed};
use crate::text;
use crate::vocabulary::CaseId;

/// Case selection, and the flags about sending that a command has.
#[derive(Clone, Debug, Args)]
pub(super) struct SuiteArgs<A: Args = AskArgs> {
    /// Scenario files, folders or globs [default: scenarios]
    pub(super) paths: Vec<PathBuf>,
    /// Configuration [default: the nearest akit.yaml above the scenarios]
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    #[command(flatten)]
    pub(super) select: SelectArgs,
    #[command(flatten)]
    pub(super) ask: A,
}

impl SuiteArgs {
    /// These arguments, with the words after `--` as scenarios if neither scenarios nor a program are named.
    pub(super) fn settle(&mut self) {
        if self.paths.is_empty() {
            self.paths.extend(self.ask.names_behind().into_iter().map(PathBuf::from));
        }
    }

    /// The suite as named: paths from the root of the repository, and the selection flags.
    pub(super) fn name(&self, config: &ConfigFile) -> Vec<String> {
        let places = places(&self.paths, config);
        places.iter().map(|path| repository_name(path)).chain(self.select.words()).collect()
    }

    /// These arguments, with the last path read as a case ID if it is not a file.
    pub(super) fn with_case_behind_paths(&self) -> Self {
        let mut args = self.clone();
        if let [_, .., last] = args.paths.as_slice()
            && !last.exists()
        {
            args.select.add_case(last.to_string_lossy().into_owned());
            args.paths.pop();
        }
        args
    }
}

/// Why a limit on the time to first token cannot be checked for a model.
pub(super) const NOT_STREAMED: (&str, &str) = (
    "`ttft_p95_ms` cannot be measured here: this provider does not report when an answer begins",
    "nothing was sent; set a limit on `latency_p95_ms`, or judge recorded answers that have `ttft_ms`",
);

/// Why each case is skipped, if it is; an error if the selection is empty.
pub(super) fn left_out(
    selection: &Selection,
    scenarios: &[Scenario],
    root: Root,
) -> Result<Vec<Vec<Option<String>>>, (String, &'static str)> {
    let unknown = selection.unknown_cases(scenarios);
    if !unknown.is_empty() {
        let message = format!("no case {}", text::list(&unknown));
        return Err((message, "pass `--case` an ID, or `scenario/id`"));
    }
    let left_out = selection.apply(scenarios, root);
    if left_out.iter().flatten().all(Option::is_some) {
        let help = "check the tags and IDs in the files, or omit `-t`, `--case` and `--filter`";
        return Err(("no case matches".to_owned(), help));
    }
    Ok(left_out)
}

/// Reports why a case cannot run, at the line responsible.
fn told_obstacle(
    obstacle: Obstacle,
    code: &'static str,
    scenario: &Scenario,
    case: &Case,
    found: &mut Diagnostics,
) {
    let Obstacle { message, help, at, found: lines } = obstacle;
    if lines.has_errors() {
        return found.extend(lines);
    }
    let (file, span) = at.unwrap_or_else(|| (Arc::clone(&scenario.file), case.span));
    found.push(Diagnostic::error(code, &file, span, message).help(help));
}

/// Identity of a suite for its judges: all cases they judge, selected or not.
fn judged(loaded: &Loaded) -> String {
    let cases = loaded.scenarios.iter().flat_map(|scenario| &scenario.cases);
    let judged = cases.filter(|case| !case.graders().is_empty());
    judged.map(|case| case.content_hash.as_str()).collect::<BTreeSet<_>>().into_iter().collect()
}

/// Valid scenarios, and the settings for sending.
pub(super) struct Suite {
    pub(super) settings: Settings,
    pub(super) loaded: Loaded,
    pub(super) files: Vec<PathBuf>,
    selection: Selection,
}

impl Suite {
    /// Reads configuration and scenarios; prints all errors.
    pub(super) fn load<A: Args + Asked>(
        args: &SuiteArgs<A>,
        environment: Environment,
    ) -> Result<Self, Status> {
        Self::load_under(args, environment, |_, _, _, _| Ok(None))
    }

    /// Like [`load`], but under the configuration that `held` returns instead of the one found; `held` receives the one
    /// found and the scenario files.
    pub(super) fn load_under<A: Args + Asked>(
        args: &SuiteArgs<A>,
        environment: Environment,
        held: impl FnOnce(&ConfigFile, &[PathBuf], &Loaded, &Environment) -> Result<Option<ConfigFile>, Status>,
    ) -> Result<Self, Status> {
        let config = configuration(args.config.as_deref(), &args.paths, &environment)?;
        let files = files(&args.paths, &config)?;
        let selection = args.select.selection()?;
        let redactor = args.ask.redactor()?;
        let mut loaded = scenario::load(&files, &environment);
        // By the change's configuration: the base's may not know a rule yet.
        loaded.check(&config.always);
        terminal::diagnostics(&loaded.diagnostics);
        if loaded.diagnostics.has_errors() {
            let errors = crate::text::count(loaded.diagnostics.errors(), "error");
            terminal::say(&format!("{errors}; nothing was sent"));
            return Err(Status::Invalid);
        }
        let http = args.ask.http()?;
        let config = held(&config, &files, &loaded, &environment)?.unwrap_or(config);
        let mut settings = Settings::new(args.ask.flags(), config, environment, http);
        settings.suite = judged(&loaded);
        if settings.flags.seed.is_some() {
            loaded.scenarios.iter_mut().for_each(|scenario| scenario.seed = None);
        }
        loaded.hold(&settings.file.always);
        settings.hash_variables(&mut loaded.scenarios);
        for case in loaded.scenarios.iter_mut().flat_map(|scenario| &mut scenario.cases) {
            case.redaction = case.redaction.or(&settings.file.redaction);
            if let Some(redactor) = &redactor {
                case.redaction = RedactionChoice::On(Arc::new(match case.redaction.on() {
                    Some(redaction) => redaction.and(redactor),
                    None => Redaction { redactor: redactor.clone(), cover: Cover::Both, replacement: None },
                }));
            }
            if case.redaction.on().is_none() {
                case.expected = Box::default();
            }
        }
        Ok(Self { settings, loaded, files, selection })
    }

    /// Whether anything is redacted in any case.
    pub(super) fn redacts(&self) -> bool {
        self.loaded
            .scenarios
            .iter()
            .flat_map(|scenario| &scenario.cases)
            .any(|case| case.redaction.on().is_some())
    }

    /// `--seed`, or 0. A scenario's own seed is the root for its cases.
    pub(super) fn root(&self) -> Root {
        self.settings.flags.seed.map_or(Root::default(), Root)
    }

    /// The time set by `SOURCE_DATE_EPOCH`, for reproducible builds.
    pub(super) fn source_date(&self) -> Option<String> {
        let seconds = self.settings.environment.get("SOURCE_DATE_EPOCH")?.parse().ok()?;
        Some(DateTime::from_timestamp(seconds, 0)?.to_rfc3339_opts(SecondsFormat::Secs, true))
    }

    /// Decides what is called and who judges; prints all obstacles.
    pub(super) fn plan(self) -> Result<(Plan, Graders), Status> {
        let (jobs, graders) = self.asking(Targets::default(), |_, _| true)?;
        let elsewhere = self.judges_elsewhere(&jobs, &graders);
        let plan = Plan { scenarios: self.loaded.scenarios, jobs, notes: Vec::new() };
        Self::warned(plan, graders, elsewhere)
    }

    /// Like [`plan`](Self::plan), for a suite that is needed again.
    pub(super) fn plan_of(&self) -> Result<(Plan, Graders), Status> {
        let (jobs, graders) = self.asking(Targets::default(), |_, _| true)?;
        let elsewhere = self.judges_elsewhere(&jobs, &graders);
        let plan = Plan { scenarios: self.loaded.scenarios.clone(), jobs, notes: Vec::new() };
        Self::warned(plan, graders, elsewhere)
    }

    /// Prints warnings about a plan.
    fn warned(mut plan: Plan, graders: Graders, elsewhere: Vec<String>) -> Result<(Plan, Graders), Status> {
        let untested: Vec<String> = graders.all().filter_map(|grader| grader.note()).collect();
        let clients = plan.clients().map(Arc::as_ref).chain(graders.all().map(|grader| grader.client()));
        let exposed: BTreeSet<String> = clients.filter_map(ModelClient::exposes_key).collect();
        for (notes, help) in [
            (exposed.into_iter().collect(), "use `https://`, or a key for this server only"),
            (plan.conflicts(&graders), "choose another judge with `--grader-model`"),
            (elsewhere, "set the judge's address with `--grader-base-url`, or `baseUrl:` under `grader:`"),
            (untested, "use `canaries: off` only in tests with a stub judge"),
        ] {
            for note in notes {
                terminal::warning(&note, help);
                plan.notes.push(note);
            }
        }
        if let Some(trouble) = plan.doubtful_replies() {
            return Err(Status::Invalid.because(
                trouble,
                "set the promptfoo test's `description` to the ID of the case, or add an `id` to the line",
            ));
        }
        for note in plan.replies_without_calls() {
            terminal::warning(
                &note,
                "add `tool_calls` to the lines, or `[]` where nothing was called; without it, the calls are unknown",
            );
        }
        for note in plan.unused_replies() {
            terminal::warning(&note, "check the IDs in the files: lines are matched to cases by ID");
        }
        if let Some(binding) = graders.binding().filter(|_| graders.all().next().is_some())
            && let Some(trouble) = binding.trouble()
        {
            terminal::warning(&format!("{trouble}; {}", binding.consequence()), "see docs/calibration.md");
        }
        Ok((plan, graders))
    }

    /// Judges called at another address than the one given for the application. An address applies to
    /// a scenario, so its first case is enough.
    fn judges_elsewhere(&self, jobs: &[Planned], graders: &Graders) -> Vec<String> {
        let mut seen = BTreeSet::new();
        let mut notes = Vec::new();
        let asks = |job: &Job| matches!(job.target, Target::Model { .. });
        for planned in jobs.iter().filter(|planned| planned.job.as_deref().is_some_and(asks)) {
            let scenario = &self.loaded.scenarios[planned.scenario];
            let case = &scenario.cases[planned.case];
            for expectation in case.graders() {
                let Ok(grader) = graders.find(expectation.named()) else { continue };
                if !seen.insert((planned.scenario, grader.name())) {
                    continue;
                }
                let note = self.settings.judge_elsewhere(scenario, case, grader);
                notes.extend(note.filter(|note| !notes.contains(note)));
            }
        }
        notes
    }

    /// The plan and the judges for existing answers to some cases, by (scenario, id).
    pub(super) fn over(
        &self,
        replies: Replies,
        wanted: &BTreeSet<CaseId<'_>>,
    ) -> Result<(Plan, Graders), Status> {
        let asked = |scenario: &str, id: &str| wanted.contains(&CaseId::new(scenario, id));
        let (jobs, graders) = self.asking(Targets::given(replies), asked)?;
        Ok((Plan { scenarios: self.loaded.scenarios.clone(), jobs, notes: Vec::new() }, graders))
    }

    /// The selected cases with their provider and judge; prints all obstacles.
    fn asking(
        &self,
        mut targets: Targets,
        wanted: impl Fn(&str, &str) -> bool,
    ) -> Result<(Vec<Planned>, Graders), Status> {
        let mut found = Diagnostics::default();
        let mut jobs = self.jobs(&mut targets, &mut found)?;
        jobs.retain(|job| {
            let scenario = &self.loaded.scenarios[job.scenario];
            wanted(&scenario.name, &scenario.cases[job.case].id)
        });
        let graders = self.graders(&jobs, &mut targets, &mut found);
        terminal::diagnostics(&found);
        if found.has_errors() {
            terminal::say("nothing was sent");
            return Err(Status::Invalid);
        }
        let asks = |planned: &Planned| {
            planned.job.as_ref().is_some_and(|job| matches!(job.target, Target::Model { .. }))
        };
        if jobs.iter().any(asks) || graders.all().next().is_some() {
            self.prepare_cache()?;
        }
        Ok((jobs, graders))
    }

    /// Checks that answers can be recorded before paying for them.
    fn prepare_cache(&self) -> Result<(), Status> {
        let Settings { cache, flags, .. } = &self.settings;
        if !self.settings.target_mode().writes() {
            return Ok(());
        }
        if let Some(link) = behind_link(cache.folder()).filter(|_| self.settings.environment.is_ci()) {
            let folder = slashed(cache.folder());
            return Err(Status::Invalid.because(
                format!("records in `{folder}` would be written through the link `{}`", slashed(link)),
                "nothing was sent; remove the link, or set the folder with `--cache-dir`: in CI, akit records nothing through a link",
            ));
        }
        let Err(error) = cache.prepare() else { return Ok(()) };
        let message = format!("cannot record answers in {}: {error}", slashed(cache.folder()));
        let help = "fix its permissions, choose another folder with `--cache-dir`, or turn recording off with `--cache off`";
        // A cache flag on the command line asks for records.
        if flags.cache.is_some() || flags.cache_dir.is_some() {
            return Err(Status::Invalid.because(message, format!("nothing was sent; {help}")));
        }
        terminal::warning(&message, help);
        Ok(())
    }

    /// The selected cases, each with its scenario.
    pub(super) fn selected(&self) -> Result<Vec<(&Scenario, &Case)>, Status> {
        let scenarios = self.loaded.scenarios.iter().zip(self.left_out()?);
        let cases = scenarios.flat_map(|(scenario, left_out)| {
            let taken = scenario.cases.iter().zip(left_out).filter(|(_, why)| why.is_none());
            taken.map(move |(case, _)| (scenario, case)).collect::<Vec<_>>()
        });
        Ok(cases.collect())
    }

    /// Why each case is skipped, if it is; prints an error if the selection is empty.
    fn left_out(&self) -> Result<Vec<Vec<Option<String>>>, Status> {
        left_out(&self.selection, &self.loaded.scenarios, self.root())
            .map_err(|(message, help)| Status::Nothing.because(message, help))
    }

    /// Each case with its target, or why it is skipped.
    fn jobs(&self, targets: &mut Targets, found: &mut Diagnostics) -> Result<Vec<Planned>, Status> {
        let left_out = self.left_out()?;
        let mut jobs = Vec::with_capacity(self.loaded.cases());
        let mut last: Option<Arc<Job>> = None;
        for (s, (scenario, left_out)) in self.loaded.scenarios.iter().zip(left_out).enumerate() {
            // An obstacle of a whole scenario is reported at its first case.
            let mut told = BTreeSet::new();
            for (c, (case, skipped)) in scenario.cases.iter().zip(left_out).enumerate() {
                let mut planned = Planned { scenario: s, case: c, job: None, skipped };
                if planned.skipped.is_none() {
                    match targets.job(&self.settings, scenario, case) {
                        Ok(job) => {
                            let known = last.filter(|last| last.is_as(&job));
                            last = Some(known.unwrap_or_else(|| Arc::new(job)));
                            planned.job.clone_from(&last);
                        }
                        Err(obstacle) if told.insert(obstacle.message.clone()) => {
                            told_obstacle(obstacle, "no-target", scenario, case, found);
                        }
                        Err(_) => {}
                    }
                }
                jobs.push(planned);
            }
        }
        Ok(jobs)
    }

    /// The judges of all cases to run.
    fn graders(&self, jobs: &[Planned], targets: &mut Targets, found: &mut Diagnostics) -> Graders {
        let asked = jobs.iter().filter(|planned| planned.skipped.is_none());
        let cases = asked.map(|planned| {
            let scenario = &self.loaded.scenarios[planned.scenario];
            (scenario, &scenario.cases[planned.case])
        });
        let judged: Vec<_> = cases
            .flat_map(|(scenario, case)| case.graders().into_iter().map(move |g| (scenario, case, g)))
            .collect();
        let expectations = judged.iter().map(|(_, _, expectation)| *expectation);
        let (graders, obstacles) = self.settings.graders(expectations, self.root(), targets);
        let mut told = BTreeSet::new();
        for ((scenario, case, _), obstacle) in judged.iter().zip(obstacles) {
            let Some(obstacle) = obstacle else { continue };
            if told.insert((scenario.file.name(), obstacle.message.clone())) {
                told_obstacle(obstacle, "no-grader", scenario, case, found);
            }
        }
        graders
    }
}
