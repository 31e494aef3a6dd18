//! Arguments, one file per command, and the exit code.

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
mod examples;
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

/// Release gate for LLM applications
///
/// Checks the answers of your application against scenario files and compares the run with a baseline. The exit code
/// tells your pipeline whether to ship.
#[derive(Debug, Parser)]
#[command(name = "akit", version, max_term_width = 100, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Set up a suite, its first run and a CI pipeline
    Init(init::InitArgs),
    /// Check this project's setup (sends nothing)
    Doctor(Box<doctor::DoctorArgs>),
    /// Convert the suite of another tool to a scenario file
    Import(import::ImportArgs),
    /// Check scenario files (sends nothing)
    Validate(validate::ValidateArgs),
    /// Test the application and decide whether to ship
    Run(Box<run::RunArgs>),
    /// Test latency and answers under load
    Stress(Box<stress::StressArgs>),
    /// Estimate the cases or trials needed to detect a drop
    Plan(Box<plan::PlanArgs>),
    /// Print the prompts as JSON lines (sends nothing)
    Prompts(prompts::PromptsArgs),
    /// Measure how well the judge agrees with people
    Calibrate(Box<calibrate::CalibrateArgs>),
    /// Turn what happened into a case
    Case(case::CaseArgs),
    /// Decide again on a stored run (sends nothing)
    Gate(Box<gate::StoredArgs>),
    /// Manage the results that later runs are compared with
    Baseline(baseline::BaselineArgs),
    /// Post a stored run as a pull-request comment
    Comment(Box<comment::CommentCommand>),
    /// Write reports of a stored run again; never gates
    Report(Box<report::RenderArgs>),
    /// Compare two stored runs side by side; never gates
    Compare(compare::CompareArgs),
    /// Show trends over stored runs
    ///
    /// Pass rate over time; flaky, slow and expensive cases.
    History(history::HistoryArgs),
    /// Show whether the application or the judge has changed
    Regrade(Box<regrade::RegradeArgs>),
    /// Inspect and clean up recorded answers and verdicts
    Cache(cache::CacheArgs),
    /// Print the JSON Schema of scenario files, for editors
    Schema,
    /// Print completions for a shell
    Completions(pages::CompletionsArgs),
    /// Print the manual page, or write those of all commands
    Man(pages::ManArgs),
}

/// The command line with its full help.
fn command() -> clap::Command {
    examples::shown(Cli::command()).after_help(after_help())
}

/// Parses the arguments, runs the command and returns the exit code.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = match artemiskit::translated(&std::env::args_os().collect::<Vec<_>>()) {
        Ok(arguments) => arguments,
        Err(status) => return status.into(),
    };
    let mut cli =
        match command().try_get_matches_from(arguments).and_then(|matches| Cli::from_arg_matches(&matches)) {
            Ok(cli) => cli,
            Err(error) => {
                if !error.use_stderr() {
                    // Help and version go to stdout and are not errors; if the reader is gone, there is no one to
                    // report to.
                    let _ = error.print();
                    return Status::Passed.into();
                }
                terminal::wrong_arguments(&error, &std::env::args_os().collect::<Vec<_>>(), command());
                return Status::Invalid.into();
            }
        };
    let environment = Environment::of(std::env::vars_os().filter_map(|(name, value)| {
        // A variable that is not Unicode cannot be named in a file.
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
    format!(
        "`akit COMMAND --help` shows the flags of a command, and examples.\n\nExit codes:\n{}",
        codes.concat()
    )
}
