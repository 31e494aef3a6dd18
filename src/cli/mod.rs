//! Arguments, one file per command, and the exit status.

mod args;
mod artemiskit;
mod asking;
mod base;
mod baseline;
mod cache;
mod calibrate;
mod case;
mod comment;
mod compare;
mod doctor;
mod exit;
mod gate;
mod history;
mod import;
mod init;
mod live;
mod output;
mod pages;
mod past;
mod plan;
mod policy;
mod prepare;
mod progress;
mod prompts;
mod publish;
mod regrade;
mod report;
mod run;
mod sample;
mod spending;
mod stored;
mod stress;
mod terminal;
mod validate;
mod value;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::environment::Environment;

pub use exit::Status;

/// Release gate for LLM applications.
///
/// Judges the answers of an application against scenario files, compares the run with a baseline,
/// and ends with a status that a pipeline can use.
#[derive(Debug, Parser)]
#[command(name = "akit", version, max_term_width = 100, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Ask the application, judge its answers, decide
    Run(Box<run::RunArgs>),
    /// Load the application with the suite; check latency and answers
    Stress(Box<stress::StressArgs>),
    /// Decide again over a stored run, without asking anybody
    Gate(Box<gate::StoredArgs>),
    /// Tell how many cases or repeats it takes to see a drop, and what they cost, without asking anybody
    Plan(Box<plan::PlanArgs>),
    /// Print the prompts of a suite as JSON lines; sends nothing
    Prompts(prompts::PromptsArgs),
    /// Tell whether a shift between two runs is the product's or the judge's
    Regrade(Box<regrade::RegradeArgs>),
    /// Tell a stored run on its pull or merge request
    Comment(Box<comment::CommentCommand>),
    /// Write reports of a stored run again, in any format; never gates
    Report(Box<report::RenderArgs>),
    /// Show two stored runs side by side; makes no statistical claim
    Compare(compare::CompareArgs),
    /// Check scenario files without asking anybody
    Validate(validate::ValidateArgs),
    /// Print the JSON Schema of scenario files, for editors
    Schema,
    /// Write the first files of a suite: a green run without a key, a red one, a pipeline
    Init(init::InitArgs),
    /// Turn the suite of another program into a scenario file
    Import(import::ImportArgs),
    /// Make a case of what happened
    Case(case::CaseArgs),
    /// Keep the results that later runs are compared with
    Baseline(baseline::BaselineArgs),
    /// Put stored runs beside each other: the pass rate over time, flaky, slow and dear cases
    History(history::HistoryArgs),
    /// Measure how far the judge agrees with people
    Calibrate(Box<calibrate::CalibrateArgs>),
    /// Look after recorded replies and verdicts
    Cache(cache::CacheArgs),
    /// Tell what akit sees here and what is amiss, without asking anybody
    Doctor(Box<doctor::DoctorArgs>),
    /// Print completions for a shell
    Completions(pages::CompletionsArgs),
    /// Print the manual page, or write those of all commands
    Man(pages::ManArgs),
}

/// Reads the arguments, does what they say, and answers with the exit status.
#[must_use]
pub fn main() -> ExitCode {
    let command = Cli::command().after_help(after_help());
    let arguments = match artemiskit::translated(&std::env::args_os().collect::<Vec<_>>()) {
        Ok(arguments) => arguments,
        Err(status) => return status.into(),
    };
    let mut cli =
        match command.try_get_matches_from(arguments).and_then(|matches| Cli::from_arg_matches(&matches)) {
            Ok(cli) => cli,
            Err(error) => {
                if !error.use_stderr() {
                    // Help and version go to stdout and are no error; where nobody reads any more there is nobody to
                    // tell.
                    let _ = error.print();
                    return Status::Passed.into();
                }
                terminal::wrong_arguments(&error, std::env::args_os());
                return Status::Invalid.into();
            }
        };
    let environment = Environment::of(std::env::vars_os().filter_map(|(name, value)| {
        // A variable that is no Unicode cannot be named in a file.
        Some((name.into_string().ok()?, value.into_string().ok()?))
    }));
    asking::guard();
    match &mut cli.command {
        Command::Run(args) => args.suite.settle(),
        Command::Stress(args) => args.suite.settle(),
        Command::Doctor(args) => args.suite.settle(),
        Command::Cache(args) => args.settle(),
        _ => {}
    }
    let done = match cli.command {
        Command::Run(args) => run::run(&args, environment),
        Command::Stress(args) => stress::stress(&args, environment),
        Command::Gate(args) => gate::gate(&args, &environment),
        Command::Plan(args) => plan::plan(&args, environment),
        Command::Prompts(args) => prompts::prompts(&args, environment),
        Command::Regrade(args) => regrade::regrade(&args, environment),
        Command::Comment(args) => comment::comment(&args, &environment),
        Command::Report(args) => report::report(&args, &environment),
        Command::Compare(args) => compare::compare(&args, &environment),
        Command::Validate(args) => validate::validate(&args, &environment),
        Command::Schema => Ok(pages::schema()),
        Command::Init(args) => init::init(&args, &environment),
        Command::Import(args) => Ok(import::import(&args)),
        Command::Case(args) => case::case(&args, &environment),
        Command::Baseline(args) => baseline::baseline(&args, &environment),
        Command::History(args) => history::history(&args, &environment),
        Command::Calibrate(args) => calibrate::calibrate(&args, environment),
        Command::Cache(args) => cache::cache(&args, environment),
        Command::Doctor(args) => doctor::doctor(&args, &environment),
        Command::Completions(args) => Ok(pages::completions(&args)),
        Command::Man(args) => Ok(pages::man(&args)),
    };
    done.unwrap_or_else(|status| status).into()
}

fn after_help() -> String {
    let codes: Vec<_> = Status::all().map(|(code, meaning)| format!("  {code:>3}  {meaning}\n")).collect();
    format!("Exit codes:\n{}", codes.concat())
}
