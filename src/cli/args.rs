//! Arguments that several commands share.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use strum::{EnumMessage as _, VariantArray as _};

use super::value::{address, duration, patience, version, whole};
use super::{Status, terminal};
use crate::cache::Mode;
use crate::config::{ConfigFile, Flags, find, quarantine_in};
use crate::environment::Environment;
use crate::http::{Http, HttpError};
use crate::provider;
use crate::redact::{Kind, Redactor};
use crate::scenario::{self, DiscoverError, Selection, SelectionError, discover};
use crate::source::Diagnostics;
use crate::text;

/// Provider names; those that cannot be called are parsed, but not listed in help.
pub(super) fn provider_names() -> clap::builder::PossibleValuesParser {
    let offered = |name: &&str| provider::OFFERED.contains(name);
    provider::NAMES
        .iter()
        .map(|name| PossibleValue::new(*name).hide(!offered(name)))
        .collect::<Vec<_>>()
        .into()
}

/// Like [`provider_names`], but for judges, which must be models.
fn judge_names() -> clap::builder::PossibleValuesParser {
    let judges = |name: &&str| provider::Spec::vendors().any(|(judge, _)| judge == *name);
    let value = |name: &&'static str| PossibleValue::new(*name).hide(!judges(name));
    provider::NAMES.iter().map(value).collect::<Vec<_>>().into()
}

/// Case selection.
#[derive(Clone, Debug, Args)]
pub(super) struct SelectArgs {
    /// Only cases with one of these tags; `!tag` excludes
    #[arg(short = 't', long = "tags", value_name = "TAG[,TAG]", help_heading = "Cases")]
    tags: Vec<String>,
    /// Only the case with this ID, or `scenario/id`; repeatable
    #[arg(long = "case", value_name = "ID", help_heading = "Cases")]
    cases: Vec<String>,
    /// Only cases whose ID or `scenario/id` matches; repeatable
    #[arg(long = "filter", value_name = "GLOB", help_heading = "Cases")]
    filters: Vec<String>,
    /// Only a seeded share of the remaining cases, such as `10%`
    #[arg(long, value_name = "N%", help_heading = "Cases")]
    sample: Option<String>,
}

impl SelectArgs {
    /// Selects one more case by ID.
    pub(super) fn add_case(&mut self, id: String) {
        self.cases.push(id);
    }

    /// The flags as words, to identify a run of a suite.
    pub(super) fn words(&self) -> Vec<String> {
        let all = |flag: &'static str, values: &[String]| -> Vec<String> {
            values.iter().map(|value| format!("{flag} {value}")).collect()
        };
        let sample: Vec<_> = self.sample.iter().cloned().collect();
        [
            all("-t", &self.tags),
            all("--case", &self.cases),
            all("--filter", &self.filters),
            all("--sample", &sample),
        ]
        .concat()
    }

    /// The inverse of [`words`](Self::words); other words are ignored.
    pub(super) fn written(words: &[String]) -> Self {
        let all = |flag: &str| {
            let values = words.iter().filter_map(|word| word.strip_prefix(flag)?.strip_prefix(' '));
            values.map(str::to_owned).collect()
        };
        Self { tags: all("-t"), cases: all("--case"), filters: all("--filter"), sample: None }
    }

    pub(super) fn selection(&self) -> Result<Selection, Status> {
        self.parse().map_err(|error| Status::Invalid.because(error.to_string(), ""))
    }

    pub(super) fn parse(&self) -> Result<Selection, SelectionError> {
        Selection::parse(&self.tags, &self.cases, &self.filters, self.sample.as_deref())
    }
}

/// Flags about sending.
pub(super) trait Asked {
    /// The flags; those a command lacks are unset.
    fn flags(&self) -> Flags;
    /// The HTTP client; on failure, prints the error and returns its exit code.
    fn http(&self) -> Result<Http, Status>;
    /// Redaction for every case; on failure, prints the error and returns its exit code.
    fn redactor(&self) -> Result<Option<Redactor>, Status>;
}

/// What is called, and how.
#[derive(Clone, Debug, Args)]
pub(super) struct AskArgs {
    #[command(flatten)]
    redact: RedactArgs,
    /// Provider to call; overrides the files
    #[arg(short, long, value_name = "NAME", help_heading = "Application", value_parser = provider_names())]
    provider: Option<String>,
    /// Model to call; overrides the files
    #[arg(short, long, value_name = "NAME", help_heading = "Application")]
    model: Option<String>,
    /// Server address; for `-p http`, replaces scheme, host and port of `url`
    #[arg(long, value_name = "URL", help_heading = "Application", value_parser = address)]
    base_url: Option<String>,
    /// For `-p command`: the program to run, with its arguments
    #[arg(last = true, value_name = "PROGRAM", help_heading = "Application")]
    command: Vec<String>,
    /// Judge these recorded answers (JSONL) and send nothing; repeatable
    #[arg(long, value_name = "FILE", help_heading = "Application")]
    replies: Vec<PathBuf>,
    /// Version of the application, such as its commit; answers recorded from other versions are not reused
    #[arg(long, value_name = "VERSION", help_heading = "Application", value_parser = version)]
    target_version: Option<String>,
    #[command(flatten, next_help_heading = "Application")]
    pub(super) manner: MannerArgs,
    #[command(flatten)]
    judge: JudgeArgs,
    #[command(flatten)]
    records: RecordArgs,
}

/// Only the judge is called, for existing answers.
#[derive(Clone, Debug, Args)]
pub(super) struct AskJudgeArgs {
    #[command(flatten)]
    redact: RedactArgs,
    #[command(flatten)]
    judge: JudgeArgs,
    #[command(flatten, next_help_heading = "Judge")]
    manner: MannerArgs,
    #[command(flatten)]
    records: RecordArgs,
}

/// Nothing is sent; the seed still decides which cases `--sample` selects.
#[derive(Clone, Debug, Args)]
pub(super) struct SeedArgs {
    /// Seed for `--sample` [default: 0]
    #[arg(long, value_name = "N", help_heading = "Cases", value_parser = whole::<u64>(0..=u64::MAX, 7), allow_negative_numbers = true)]
    seed: Option<u64>,
}

/// How requests are sent.
#[derive(Clone, Debug, Args)]
pub(super) struct MannerArgs {
    /// Time limit per attempt: milliseconds, or with a unit (`30s`)
    #[arg(long, value_name = "TIME", value_parser = duration, allow_negative_numbers = true)]
    timeout: Option<Duration>,
    /// Retries after a transient error other than a rate limit [default: 2]
    #[arg(long, value_name = "N", value_parser = whole::<u32>(0..=u32::MAX.into(), 2), allow_negative_numbers = true)]
    retries: Option<u32>,
    /// Maximum wait for a rate limit (429) to clear [default: 5m]
    #[arg(long, value_name = "TIME", value_parser = patience, allow_negative_numbers = true)]
    patience: Option<Duration>,
    /// Base seed [default: the scenario's, or 0]
    #[arg(long, value_name = "N", value_parser = whole::<u64>(0..=u64::MAX, 7), allow_negative_numbers = true)]
    seed: Option<u64>,
    /// Additional CA certificates to trust (PEM)
    #[arg(long, value_name = "FILE", env = "AKIT_CA_BUNDLE")]
    ca_bundle: Option<PathBuf>,
}

/// The judge.
#[derive(Clone, Debug, Args)]
#[expect(clippy::struct_field_names, reason = "they are the names of the flags")]
pub(super) struct JudgeArgs {
    /// Judge's provider [default: openai]
    #[arg(long, value_name = "NAME", help_heading = "Judge", value_parser = judge_names())]
    grader_provider: Option<String>,
    /// Judge's model; overrides the files
    #[arg(long, value_name = "NAME", help_heading = "Judge")]
    grader_model: Option<String>,
    /// Judge's address, up to and including `/v1`
    #[arg(long, value_name = "URL", help_heading = "Judge", value_parser = address)]
    grader_base_url: Option<String>,
}

/// What is recorded, and what is read instead of sent.
#[derive(Clone, Debug, Args)]
pub(super) struct RecordArgs {
    /// How the cache is used [default: record]
    #[arg(long, value_name = "MODE", help_heading = "Cache")]
    cache: Option<Mode>,
    /// Cache folder [default: .akit/cache]
    #[arg(long, value_name = "DIR", help_heading = "Cache")]
    cache_dir: Option<PathBuf>,
    /// Send nothing, use recorded answers only (same as `--cache replay`)
    #[arg(long, conflicts_with = "cache", help_heading = "Cache")]
    replay: bool,
}

impl ValueEnum for Mode {
    fn value_variants<'a>() -> &'a [Self] {
        Self::VARIANTS
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(<&str>::from(*self)).help(self.get_documentation()))
    }
}

impl AskArgs {
    /// The same flags, but with nothing sent.
    pub(super) fn replaying(&self) -> Flags {
        Flags { cache: Some(Mode::Replay), ..self.flags() }
    }

    /// The words after `--` if they are scenarios, not a program: `--` then protects unusual file names. A file can
    /// also set the provider `command`, so words that do not look like scenarios are always a program.
    pub(super) fn names_behind(&mut self) -> Vec<String> {
        let is_scenario = |word: &String| {
            let path = Path::new(word);
            let is_yaml =
                |end: &std::ffi::OsStr| end.eq_ignore_ascii_case("yaml") || end.eq_ignore_ascii_case("yml");
            path.extension().is_some_and(is_yaml) || path.is_dir()
        };
        let is_program = self.provider.as_deref() == Some(provider::COMMAND);
        if is_program || !self.command.iter().all(is_scenario) {
            return Vec::new();
        }
        std::mem::take(&mut self.command)
    }

    /// Files of recorded answers.
    pub(super) fn replies(&self) -> &[PathBuf] {
        &self.replies
    }
}

impl Asked for AskArgs {
    fn flags(&self) -> Flags {
        Flags {
            provider: self.provider.clone(),
            model: self.model.clone(),
            base_url: self.base_url.clone(),
            replies: self.replies.clone(),
            command: self.command.clone(),
            target_version: self.target_version.clone(),
            ..judge_flags(&self.manner, &self.judge, &self.records)
        }
    }

    fn http(&self) -> Result<Http, Status> {
        self.manner.http()
    }

    fn redactor(&self) -> Result<Option<Redactor>, Status> {
        self.redact.redactor()
    }
}

impl Asked for AskJudgeArgs {
    fn flags(&self) -> Flags {
        judge_flags(&self.manner, &self.judge, &self.records)
    }

    fn http(&self) -> Result<Http, Status> {
        self.manner.http()
    }

    fn redactor(&self) -> Result<Option<Redactor>, Status> {
        self.redact.redactor()
    }
}

impl Asked for SeedArgs {
    fn flags(&self) -> Flags {
        Flags { seed: self.seed, ..Flags::default() }
    }

    fn http(&self) -> Result<Http, Status> {
        http(None)
    }

    fn redactor(&self) -> Result<Option<Redactor>, Status> {
        Ok(None)
    }
}

impl MannerArgs {
    /// The HTTP client.
    pub(super) fn way(&self) -> Result<Http, HttpError> {
        Http::new(self.ca_bundle.as_deref())
    }

    /// The HTTP client; on failure, prints the error and returns its exit code.
    pub(super) fn http(&self) -> Result<Http, Status> {
        http(self.ca_bundle.as_deref())
    }
}

/// The HTTP client, or an error about the certificates.
pub(super) fn http(ca_bundle: Option<&Path>) -> Result<Http, Status> {
    Http::new(ca_bundle).map_err(|error| {
        Status::Invalid.because(error.to_string(), "pass `--ca-bundle` a PEM file of certificates")
    })
}

impl RecordArgs {
    fn mode(&self) -> Option<Mode> {
        if self.replay { Some(Mode::Replay) } else { self.cache }
    }
}

/// Flags about the judge only.
pub(super) fn judge_flags(manner: &MannerArgs, judge: &JudgeArgs, records: &RecordArgs) -> Flags {
    Flags {
        timeout: manner.timeout,
        retries: manner.retries,
        patience: manner.patience,
        seed: manner.seed,
        cache: records.mode(),
        cache_dir: records.cache_dir.clone(),
        grader_provider: judge.grader_provider.clone(),
        grader_model: judge.grader_model.clone(),
        grader_base_url: judge.grader_base_url.clone(),
        ..Flags::default()
    }
}

/// The configuration: the named file, the nearest above the scenarios, or the default.
pub(super) fn configuration(
    named: Option<&Path>,
    paths: &[PathBuf],
    environment: &Environment,
) -> Result<ConfigFile, Status> {
    let path = match named {
        Some(path) => Some(path.to_path_buf()),
        None => find(&common_folder(paths)),
    };
    let mut found = Diagnostics::default();
    let file = path.map(|path| ConfigFile::read(&path, environment, &mut found)).unwrap_or_default();
    terminal::diagnostics(&found);
    if found.has_errors() { Err(Status::Invalid) } else { Ok(file) }
}

/// The deepest folder that contains all paths; the current one if there are none.
pub(super) fn common_folder(paths: &[PathBuf]) -> PathBuf {
    let folders: Vec<_> = paths
        .iter()
        .map(|path| {
            let fixed: PathBuf = path
                .components()
                .take_while(|part| !crate::source::slashed(part.as_ref()).contains(['*', '?', '[', '{']))
                .collect();
            let full = std::path::absolute(&fixed).unwrap_or(fixed);
            if full.is_dir() { full } else { full.parent().map(Path::to_path_buf).unwrap_or(full) }
        })
        .collect();
    let Some((first, rest)) = folders.split_first() else { return PathBuf::from(".") };
    let shared = first.ancestors().find(|folder| rest.iter().all(|other| other.starts_with(folder)));
    shared.unwrap_or(Path::new(".")).to_path_buf()
}

/// The scenario files: those named, the configured folder, or `scenarios`.
pub(super) fn files(paths: &[PathBuf], config: &ConfigFile) -> Result<Vec<PathBuf>, Status> {
    discovered(paths, config).map_err(|(message, status, help)| {
        terminal::error(&message, help);
        status
    })
}

/// The named paths, or the default ones.
pub(super) fn places(paths: &[PathBuf], config: &ConfigFile) -> Vec<PathBuf> {
    if !paths.is_empty() {
        return paths.to_vec();
    }
    vec![match &config.scenarios {
        Some(folder) => config.folder.join(folder),
        None => PathBuf::from("scenarios"),
    }]
}

/// Like [`files`], but an error comes with its exit code and a fix.
pub(super) fn discovered(
    paths: &[PathBuf],
    config: &ConfigFile,
) -> Result<Vec<PathBuf>, (String, Status, &'static str)> {
    let found = discover(&places(paths, config)).map(|mut files| {
        // akit.yaml may be among the scenarios, but is not one.
        let folders: BTreeSet<_> = files.iter().flat_map(|file| file.ancestors().skip(1)).collect();
        let named = folders.into_iter().filter_map(quarantine_in);
        let quarantines = config.gate.quarantine.clone().into_iter().chain(named);
        let quarantines: BTreeSet<_> = quarantines.filter_map(|path| path.canonicalize().ok()).collect();
        files.retain(|file| !file.canonicalize().is_ok_and(|file| quarantines.contains(&file)));
        files
    });
    found.map_err(|error| {
        let (status, help) = match &error {
            DiscoverError::Missing(_) if paths.is_empty() => {
                (Status::Nothing, "run `akit init` to create a first one, or name a scenario file or folder")
            }
            DiscoverError::Missing(_) => (Status::Nothing, "check the path"),
            DiscoverError::Empty(_) => (Status::Nothing, "scenario files end in .yaml or .yml"),
            DiscoverError::Glob(..) => {
                (Status::Invalid, "quote the pattern; `**` matches any number of folders")
            }
            DiscoverError::Walk(..) => (Status::Invalid, "check the permissions"),
        };
        (error.to_string(), status, help)
    })
}

#[derive(Clone, Debug, Args)]
pub(super) struct RedactArgs {
    /// Remove common personal data and credentials from every case
    #[arg(long)]
    redact: bool,
    /// Remove these instead: names of built-in patterns, comma-separated, or regexes
    #[arg(long, value_name = "PATTERN", num_args = 1..)]
    redact_patterns: Vec<String>,
}

impl RedactArgs {
    /// Redaction for every case, if any; on failure, prints the error and returns its exit code.
    pub(super) fn redactor(&self) -> Result<Option<Redactor>, Status> {
        if self.redact_patterns.is_empty() {
            return Ok(self.redact.then(Redactor::usual));
        }
        // The flag takes all words after it.
        let file = |one: &&String| Kind::named(one).is_none() && Path::new(one).exists();
        if let Some(file) = self.redact_patterns.iter().find(file) {
            return Err(Status::Invalid.because(
                format!("`{}` is a file; `--redact-patterns` takes patterns", text::excerpt(file, 200)),
                "nothing was sent; put the files before the flag, or put another flag in between",
            ));
        }
        match scenario::redactor(&self.redact_patterns) {
            Ok((redactor, doubts)) => {
                for (message, help) in &doubts {
                    terminal::warning(message, help);
                }
                Ok(Some(redactor))
            }
            Err(error) => Err(Status::Invalid.because(
                format!("`--redact-patterns`: {error}"),
                format!("nothing was sent; {}", error.help),
            )),
        }
    }
}
