//! `akit stress`: a suite under load.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use strum::VariantNames as _;

use super::args::Asked as _;
use super::asking::{listen_for, wait};
use super::output::Output;
use super::prepare::{NOT_STREAMED, Suite, SuiteArgs};
use super::progress::{Detail, Progress};
use super::publish::load_step;
use super::value::{dollars, share, shown, whole};
use super::{Status, sample, spending, terminal};
use crate::cache::Mode;
use crate::client::Road;
use crate::config::{Flags, StressConfig};
use crate::environment::Environment;
use crate::grader::Graders;
use crate::manifest::{Ended, StressRun};
use crate::process;
use crate::report::RenderError;
use crate::report::json::pretty;
use crate::report::stress::{console, html, junit, markdown};
use crate::runner::{Forecast, Plan, Purpose, Target};
use crate::scenario::{Case, Scenario};
use crate::stress::{
    Amount, Arrivals, ESCALATION, Limits, MOST, NamedLimit, Options, Stage, Stages, Stress, rate, seconds,
};
use crate::text::{self, number};
use crate::vocabulary::ServiceLevel;

/// Renders the report in one format.
type Render = fn(&StressRun) -> Result<String, RenderError>;

/// Default duration when nothing else bounds the load.
const USUAL_TIME: Duration = Duration::from_secs(60);
/// Default limit on requests when nothing else bounds them.
const USUAL_MOST: u64 = 100_000;
const USUAL_BUDGET: f64 = 1.0;
/// Maximum visits in flight at once under `--rate`.
const MOST_IN_FLIGHT: u64 = 20_000;
/// Open files besides the connections.
const OTHER_FILES: u64 = 100;

#[derive(Debug, Args)]
pub(super) struct StressArgs {
    #[command(flatten)]
    pub(super) suite: SuiteArgs,
    #[command(flatten)]
    load: LoadArgs,
    /// Limit for every level, such as `latency_p95_ms=2000`; repeatable: `ttft_p95_ms`, `error_rate`, `pass_rate`,
    /// `goodput_rps`, `escalation_availability`
    #[arg(long, value_name = "NAME=VALUE", value_parser = slo, help_heading = "Limits", allow_negative_numbers = true)]
    slo: Vec<NamedLimit>,
    /// Maximum to spend, in US dollars [default: 1, if the price is known]
    #[arg(long, value_name = "USD", value_parser = dollars, help_heading = "Limits", allow_negative_numbers = true)]
    budget: Option<f64>,
    /// Answers per level that the judge grades after the load
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = whole::<u32>(0..=10_000, 50), help_heading = "Limits", allow_negative_numbers = true)]
    judge_sample: u32,
    /// Write the results as JSON (`-` for stdout)
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    json: Option<PathBuf>,
    /// Write JUnit XML: a test per level, and one per level and limit
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    junit: Option<PathBuf>,
    /// Write Markdown, such as for a job summary
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    markdown: Option<PathBuf>,
    /// Write a self-contained HTML page with charts over time and load
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    html: Option<PathBuf>,
    /// Print only the result
    #[arg(short, long, help_heading = "Reports")]
    quiet: bool,
}

/// Load, schedule and duration.
#[derive(Debug, Args)]
#[command(next_help_heading = "Load")]
struct LoadArgs {
    /// Requests in flight at once
    #[arg(short, long, value_name = "N", default_value_t = 10, value_parser = whole::<u32>(1..=50_000, 10), allow_negative_numbers = true)]
    concurrency: u32,
    /// Arrivals per second, however slow the server is; instead of `-c`
    #[arg(long, value_name = "N", value_parser = per_second, conflicts_with = "concurrency", allow_negative_numbers = true)]
    rate: Option<f64>,
    /// Stages: `5@30s` keeps 5 in flight for 30 s, `5/s@30s` sends 5 a second
    #[arg(long, value_name = "LOAD@TIME,…", allow_hyphen_values = true, conflicts_with_all = ["concurrency", "rate", "duration"])]
    stages: Option<Stages>,
    /// How arrivals at a rate are spaced [default: constant]
    #[arg(long, value_name = "HOW", value_parser = clap::builder::PossibleValuesParser::new(Arrivals::VARIANTS))]
    arrivals: Option<String>,
    /// Duration: seconds, or with a unit (`10m`) [default: 60, unless `-n` is set]
    #[arg(short, long, value_name = "TIME", value_parser = lasting, allow_negative_numbers = true)]
    duration: Option<Duration>,
    /// Maximum requests [default: 100000, unless `-d` or `--stages` is set]
    #[arg(short = 'n', long, value_name = "N", value_parser = whole::<u64>(1..=1_000_000_000, 1000), allow_negative_numbers = true)]
    requests: Option<u64>,
    /// Time to reach the load of the first stage: seconds, or with a unit [default: 0]
    #[arg(long, value_name = "TIME", value_parser = ramp, allow_negative_numbers = true)]
    ramp_up: Option<Duration>,
    /// Share of arrivals that use cases tagged `escalation`
    #[arg(long, value_name = "SHARE", default_value_t = 0.2, value_parser = share, allow_negative_numbers = true)]
    escalation_share: f64,
    /// Put a unique reference into each conversation; exit with 1 if one turns up in another
    #[arg(long)]
    canary: bool,
    /// Keep the limits, retries and rate-limit waits of `akit run`
    #[arg(long)]
    limits: bool,
    /// Print what would be sent, and send nothing
    #[arg(long)]
    dry_run: bool,
}

fn slo(text: &str) -> Result<NamedLimit, String> {
    let wrong = || format!("{} is not NAME=VALUE; for example `latency_p95_ms=2000`", shown(text));
    let (name, limit) = text.split_once('=').ok_or_else(wrong)?;
    let metric: ServiceLevel = name.trim().parse().map_err(|_| {
        let names = ServiceLevel::VARIANTS;
        let help = text::meant(name.trim(), names, || format!("there are {}", text::list(names)));
        format!("unknown service level {}; {help}", shown(name))
    })?;
    let limit = limit.trim().parse::<f64>().ok().filter(|limit| (0.0..=metric.most()).contains(limit));
    // Zero needs no sign.
    let limit = limit.map(|limit| limit + 0.0);
    let limit = limit.ok_or_else(|| {
        let most = if metric.most() > 1.0 { "up" } else { "to 1" };
        format!(
            "{}: {} takes a number from 0 {most}; for example `{name}={}`",
            shown(text),
            name.trim(),
            example(metric)
        )
    })?;
    Ok(NamedLimit { metric, limit })
}

fn example(metric: ServiceLevel) -> &'static str {
    match metric {
        ServiceLevel::LatencyP95 => "2000",
        ServiceLevel::FirstTokenP95 => "500",
        ServiceLevel::ErrorRate => "0.01",
        ServiceLevel::PassRate => "0.9",
        ServiceLevel::Goodput => "10",
        ServiceLevel::EscalationAvailability => "0.999",
    }
}

fn per_second(text: &str) -> Result<f64, String> {
    let most = number::whole(MOST);
    let wrong = || format!("{} is not a rate from 0.001 to {most} per second; for example `50`", shown(text));
    rate(text).ok_or_else(wrong)
}

fn lasting(text: &str) -> Result<Duration, String> {
    seconds(text).filter(|time| !time.is_zero()).ok_or_else(|| no_time(text, "60"))
}

fn ramp(text: &str) -> Result<Duration, String> {
    seconds(text).ok_or_else(|| no_time(text, "10"))
}

fn no_time(text: &str, example: &str) -> String {
    let text = shown(text);
    format!(
        "{text} is not a duration of up to a week; write seconds, or add `ms`, `s` or `m`; for example `{example}`"
    )
}

impl LoadArgs {
    /// The stages, and the maximum number of requests.
    fn stages(&self) -> (Vec<Stage>, Option<u64>) {
        if let Some(Stages(stages)) = &self.stages {
            return (stages.clone(), self.requests);
        }
        let is_unbounded = self.duration.is_none() && self.requests.is_none();
        let lasts = self.duration.or(is_unbounded.then_some(USUAL_TIME));
        let most = self.requests.or(is_unbounded.then_some(USUAL_MOST));
        let amount = self.rate.map_or(Amount::InFlight(self.concurrency), Amount::PerSecond);
        (vec![Stage { amount, lasts }], most)
    }

    fn arrivals(&self) -> Arrivals {
        self.arrivals.as_ref().and_then(|word| word.parse().ok()).unwrap_or_default()
    }
}

/// Recorded answers cannot be load-tested.
fn no_server() -> Status {
    Status::Invalid.because(
        "recorded answers cannot be load-tested",
        "nothing was sent; remove `--replies` and `--replay`, and name the application: `-p NAME` and `--base-url URL`",
    )
}

pub(super) fn stress(args: &StressArgs, environment: Environment) -> Result<Status, Status> {
    let flags = args.suite.ask.flags();
    if !args.suite.ask.replies().is_empty() || flags.cache == Some(Mode::Replay) {
        return Err(no_server());
    }
    let mut suite = Suite::load(&args.suite, environment)?;
    let name = args.suite.name(&suite.settings.file);
    suite.settings.flags.cache = Some(Mode::Off);
    let road = if args.load.limits { Road::new(usize::MAX, None) } else { Road::free() };
    suite.settings.road = road.clone();
    let slo = args.limits(&suite.settings.file.stress);
    suite.settings.streams = slo.iter().any(|one| one.metric == ServiceLevel::FirstTokenP95);
    let (plan, graders) = suite.plan_of()?;
    if plan.replies().next().is_some() {
        return Err(no_server());
    }
    let (stages, most) = args.load.stages();
    args.refuse_idle(&stages, &flags)?;
    args.check(&plan, &slo)?;
    let budget = args.budget(&plan, &graders, suite.root())?;
    if let Some(budget) = budget {
        road.cap(budget);
    }
    let most_in_flight = in_flight(&stages)?;
    let inputs: Vec<_> = suite.files.iter().map(PathBuf::as_path).collect();
    let files = [&args.json, &args.junit, &args.markdown, &args.html];
    let outputs = Output::open_all(files, &inputs, &suite.settings.environment)?;
    let limit = |metric| {
        let limit = slo.iter().find(|one| one.metric == metric)?.limit;
        Duration::try_from_secs_f64(limit / 1000.0).ok()
    };
    let options = Options {
        stages,
        ramp_up: args.load.ramp_up.unwrap_or_default(),
        arrivals: args.load.arrivals(),
        most,
        cap: cap(&plan, budget),
        escalation_share: args.load.escalation_share,
        canary: args.load.canary,
        judge_sample: usize::try_from(args.judge_sample).unwrap_or(usize::MAX),
        limits: Limits { latency: limit(ServiceLevel::LatencyP95), ttft: limit(ServiceLevel::FirstTokenP95) },
        most_in_flight,
        root: suite.root(),
    };
    let told = announced(&plan, &options, args.load.limits, budget);
    if args.load.dry_run {
        return Ok(Status::of_product(&format!("Dry run: nothing was sent.\n{told}")));
    }
    if !args.quiet {
        terminal::say(&told);
    }
    let shows = !args.quiet;
    let stress = Stress::new(&plan, options.clone(), road.clone());
    let (mut found, listening) = wait(async {
        let sink = Arc::new(Progress::new(Detail::Nothing));
        // After a signal, do not wait for a server that may be overloaded.
        let listening = listen_for(&road, sink, Duration::ZERO);
        let live = tokio::spawn(super::live::show(stress.clone(), options.clone(), shows));
        let found = stress.run().await;
        live.abort();
        let _ = live.await;
        listening.writes();
        (found, listening)
    })?;
    found.run().settings.limits = args.load.limits;
    found.run().settings.budget_usd = budget;
    found.run().suite = name;
    listening.leave();
    if found.run().ended == Ended::Complete {
        sample::hear(&mut found, &mut suite, &plan, budget);
    }
    let run = found.decided(&slo);
    let forms: [Render; 4] = [|run| pretty(run), junit::of, |run| Ok(markdown::of(run)), html::of];
    let asked = outputs.into_iter().zip(forms).filter(|(output, _)| output.is_some());
    let page = if args.quiet { console::brief } else { console::of };
    Output::tell(asked.map(|(output, form)| (output, form(&run))), |ink| page(&run, ink));
    let status = Status::of_load(&run);
    load_step(&suite.settings.environment, &run, status);
    Ok(status)
}

impl StressArgs {
    /// The configured limits, overridden by those from flags.
    fn limits(&self, configured: &StressConfig) -> Vec<NamedLimit> {
        let mut limits = configured.slo.clone();
        limits.extend(self.slo.iter().map(|one| (one.metric, one.limit)));
        limits.into_iter().map(|(metric, limit)| NamedLimit { metric, limit }).collect()
    }

    /// Rejects flags that would have no effect.
    fn refuse_idle(&self, stages: &[Stage], flags: &Flags) -> Result<(), Status> {
        let is_rate = |stage: &Stage| matches!(stage.amount, Amount::PerSecond(_));
        let idle = [
            (
                self.load.arrivals.is_some() && !stages.iter().any(is_rate),
                "`--arrivals` needs a rate, but this load is a number in flight",
                "pass `--rate`, or stages such as `10/s@30s`",
            ),
            (
                flags.cache.is_some_and(|mode| mode != Mode::Off),
                "`--cache` has no effect under load: nothing is recorded",
                "remove it",
            ),
            (
                self.load
                    .ramp_up
                    .zip(stages.first().and_then(|stage| stage.lasts))
                    .is_some_and(|(ramp, lasts)| ramp > lasts),
                "the first stage ends before `--ramp-up` reaches its load",
                "shorten `--ramp-up`, or test for longer",
            ),
        ];
        match idle.into_iter().find(|(is_idle, ..)| *is_idle) {
            Some((_, message, help)) => {
                Err(Status::Invalid.because(message, format!("nothing was sent; {help}")))
            }
            None => Ok(()),
        }
    }

    /// Rejects a limit on something this load cannot measure.
    fn check(&self, plan: &Plan, slo: &[NamedLimit]) -> Result<(), Status> {
        let limits = |metric| slo.iter().any(|one| one.metric == metric);
        let refused = |message: String, help: &str| {
            Err(Status::Invalid.because(message, format!("nothing was sent; {help}")))
        };
        if limits(ServiceLevel::FirstTokenP95) && plan.clients().any(|client| !client.streams()) {
            let (message, help) = NOT_STREAMED;
            return Err(Status::Invalid.because(message, help));
        }
        let asked: Vec<(&Scenario, &Case)> = plan
            .jobs
            .iter()
            .filter(|planned| planned.skipped.is_none())
            .map(|planned| {
                let scenario = &plan.scenarios[planned.scenario];
                (scenario, &scenario.cases[planned.case])
            })
            .collect();
        let checked = asked.iter().any(|(_, case)| case.without_judge().expects_anything());
        let sampled = self.judge_sample > 0 && asked.iter().any(|(_, case)| !case.graders().is_empty());
        for (metric, is_known) in
            [(ServiceLevel::PassRate, checked || sampled), (ServiceLevel::Goodput, checked)]
        {
            if limits(metric) && !is_known {
                return refused(
                    format!(
                        "cannot measure `{}`: no selected case has an expectation that is checked",
                        metric.word()
                    ),
                    "add expectations, see docs/expectations.md",
                );
            }
        }
        let escalates = |case: &Case| case.tags.iter().any(|tag| tag == ESCALATION);
        let escalations: Vec<_> = asked.iter().filter(|(_, case)| escalates(case)).collect();
        if limits(ServiceLevel::EscalationAvailability) {
            if escalations.is_empty() {
                return refused(
                    "cannot measure `escalation_availability`: no selected case has the tag `escalation`"
                        .to_owned(),
                    "tag the cases in which the customer asks for a person",
                );
            }
            if self.load.escalation_share <= 0.0 && escalations.len() < asked.len() {
                return refused(
                    "cannot measure `escalation_availability`: no case tagged `escalation` is asked"
                        .to_owned(),
                    "raise `--escalation-share`",
                );
            }
        }
        if let Some((scenario, case)) = escalations.iter().rfind(|(scenario, _)| scenario.signs.is_none()) {
            let message = format!(
                "cannot tell whether `{}/{}` is handed off: its scenario does not define a handoff",
                scenario.name, case.id
            );
            let help =
                "add `setup: { handoff: … }` (see docs/expectations.md), or remove the tag `escalation`";
            if limits(ServiceLevel::EscalationAvailability) {
                return refused(message, help);
            }
            terminal::warning(&message, help);
        }
        Ok(())
    }

    /// The budget, if prices are known.
    fn budget(&self, plan: &Plan, graders: &Graders, root: crate::seed::Root) -> Result<Option<f64>, Status> {
        let forecast = Forecast::of(plan, graders, 1, 0, root);
        if let Some(budget) = self.budget {
            spending::check(&forecast, budget)?;
            return Ok(Some(budget));
        }
        let mut answers = forecast.asked().filter(|(_, purpose, _)| *purpose == Purpose::Answers);
        Ok(answers.all(|(_, _, asked)| asked.dearest.is_ok()).then_some(USUAL_BUDGET))
    }
}

/// Maximum visits in flight at once under `--rate`; an error if that exceeds the possible connections.
fn in_flight(stages: &[Stage]) -> Result<usize, Status> {
    let wanted = stages.iter().map(|stage| match stage.amount {
        Amount::InFlight(many) => u64::from(many),
        Amount::PerSecond(_) => 0,
    });
    let wanted = wanted.max().unwrap_or_default();
    let files = process::allow_files(MOST_IN_FLIGHT.max(wanted) + OTHER_FILES).saturating_sub(OTHER_FILES);
    if wanted > files {
        return Err(Status::Invalid.because(
            format!(
                "{} requests in flight need one connection each, but this process may open only {}",
                number::whole(wanted),
                number::whole(files)
            ),
            "nothing was sent; raise the limit (`ulimit -n`), or lower the load",
        ));
    }
    Ok(usize::try_from(files.min(MOST_IN_FLIGHT)).unwrap_or(usize::MAX))
}

/// US dollars after which nothing more is sent, if the price is known but the maximum length of answers is not.
fn cap(plan: &Plan, budget: Option<f64>) -> Option<f64> {
    let jobs = plan.jobs.iter().filter_map(|planned| planned.job.as_ref());
    let mut asked = jobs.filter_map(|job| match &job.target {
        Target::Model { client, model, .. } => Some(client.price(model)),
        Target::Replies(_) => None,
    });
    (budget.is_none() && asked.all(|price| price.is_some())).then_some(USUAL_BUDGET)
}

/// What will be sent, and where.
fn announced(plan: &Plan, options: &Options, limits: bool, budget: Option<f64>) -> String {
    let asked: Vec<_> = plan.jobs.iter().filter(|planned| planned.skipped.is_none()).collect();
    let mut targets: Vec<String> = Vec::new();
    for job in asked.iter().filter_map(|planned| planned.job.as_ref()) {
        let name = job.target.name();
        if !targets.contains(&name) {
            targets.push(name);
        }
    }
    let escalations = asked.iter().filter(|planned| {
        let tags = &plan.scenarios[planned.scenario].cases[planned.case].tags;
        tags.iter().any(|tag| tag == ESCALATION)
    });
    let escalations = match escalations.count() {
        0 => String::new(),
        many => format!(
            ", {many} of them tagged `escalation` (with {:.0}% of the arrivals)",
            options.escalation_share * 100.0
        ),
    };
    let stages: Vec<String> = options
        .stages
        .iter()
        .map(|stage| match stage.lasts {
            Some(lasts) => format!("{} for {} s", stage.amount, lasts.as_secs_f64()),
            None => stage.amount.to_string(),
        })
        .collect();
    let how = if options.stages.iter().any(|stage| matches!(stage.amount, Amount::PerSecond(_))) {
        format!(", {} arrivals", <&str>::from(options.arrivals))
    } else {
        String::new()
    };
    let most = options.most.map(|most| format!(", at most {} requests", number::whole(most)));
    let cost = match budget.or(options.cap) {
        Some(cap) if budget.is_none() => {
            format!("about ${cap:.2} at most: the length of answers has no limit")
        }
        Some(budget) => format!("at most ${budget:.2}"),
        None => "no limit: the price is unknown".to_owned(),
    };
    let limits = if limits { "on, as in `akit run`" } else { "off" };
    format!(
        "load: {}{how}{}\nto: {}\nwhat: {}{escalations}\ncost: {cost}\nclient limits and retries: {limits}\n",
        stages.join(", then "),
        most.unwrap_or_default(),
        targets.join(", "),
        text::count(asked.len(), "case"),
    )
}

impl Status {
    /// The exit code of a load test.
    fn of_load(run: &StressRun) -> Self {
        match run.decision.exit_code {
            0 => Self::Passed,
            1 => Self::Failed,
            6 => Self::Spent,
            130 => Self::Interrupted,
            143 => Self::Terminated,
            _ => Self::Unjudged,
        }
    }
}
