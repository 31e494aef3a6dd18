//! `akit cache`: what is recorded, which records a suite uses, and why one is missing.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use clap::{Args, Subcommand};

use super::asking::wait;
use super::prepare::{Suite, SuiteArgs};
use super::{Status, terminal};
use crate::cache::{Cache, Condition, Key, Looked, Nearest, Record, Shelved};
use crate::environment::Environment;
use crate::event::Silent;
use crate::runner::{Again, OnFailure, Options, Runner};
use crate::seed::RunId;
use crate::source::{Pending, SourceFile, json_object, slashed};
use crate::text::{self, number};
use crate::vocabulary::ExchangeKind;

#[derive(Debug, Args)]
pub(super) struct CacheArgs {
    #[command(subcommand)]
    command: CacheCommand,
}

#[derive(Debug, Subcommand)]
enum CacheCommand {
    /// Count the records, and those the suite uses
    Stats(Box<SuiteArgs>),
    /// Check every record for damage
    Verify(Box<SuiteArgs>),
    /// Explain why an exchange is not recorded
    Why {
        #[command(flatten)]
        suite: Box<SuiteArgs>,
        /// Also list the exchanges that are recorded
        #[arg(short, long)]
        verbose: bool,
    },
    /// Remove records that the suite does not use
    Prune {
        #[command(flatten)]
        suite: Box<SuiteArgs>,
        /// Remove what these scenarios do not use; list every suite that shares the cache
        #[arg(long, required = true)]
        unused: bool,
        /// Only print what would be removed
        #[arg(long)]
        dry_run: bool,
    },
    /// Write the records the suite uses to one file
    Export {
        #[command(flatten)]
        suite: Box<SuiteArgs>,
        /// File to write (`-` for stdout)
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
    },
    /// Add the records of an exported file
    Import {
        /// File to read
        file: PathBuf,
        /// Cache folder
        #[arg(long, value_name = "DIR", default_value = ".akit/cache")]
        cache_dir: PathBuf,
    },
}

impl CacheArgs {
    /// Reads the words after `--` as scenarios.
    pub(super) fn settle(&mut self) {
        match &mut self.command {
            CacheCommand::Stats(suite)
            | CacheCommand::Verify(suite)
            | CacheCommand::Why { suite, .. }
            | CacheCommand::Prune { suite, .. }
            | CacheCommand::Export { suite, .. } => suite.settle(),
            CacheCommand::Import { .. } => {}
        }
    }
}

pub(super) fn cache(args: &CacheArgs, environment: Environment) -> Result<Status, Status> {
    match &args.command {
        CacheCommand::Stats(suite) => Used::by(suite, environment).map(|used| used.stats()),
        CacheCommand::Verify(suite) => folder(suite, environment).map(|cache| verify(&cache)),
        CacheCommand::Why { suite, verbose } => {
            let suite = suite.with_case_behind_paths();
            Used::by(&suite, environment).map(|used| used.why(*verbose))
        }
        CacheCommand::Prune { suite, unused: _, dry_run } => {
            Used::by(suite, environment).and_then(|used| used.prune(*dry_run))
        }
        CacheCommand::Export { suite, output } => {
            Used::by(suite, environment).and_then(|used| used.export(output))
        }
        CacheCommand::Import { file, cache_dir } => import(file, &Cache::at(cache_dir)),
    }
}

fn folder(suite: &SuiteArgs, environment: Environment) -> Result<Cache, Status> {
    Ok(Suite::load(suite, environment)?.settings.cache)
}

/// The records a suite looks for, found by replaying it.
struct Used {
    cache: Cache,
    looked: BTreeMap<String, Looked>,
}

impl Used {
    fn by(suite: &SuiteArgs, environment: Environment) -> Result<Self, Status> {
        let mut suite_loaded = Suite::load(suite, environment)?;
        suite_loaded.settings.flags = suite.ask.replaying();
        let cache = suite_loaded.settings.cache.clone();
        // Only `why` needs the nearest record, and looks for it itself.
        cache.explain_nothing();
        let (root, road) = (suite_loaded.root(), suite_loaded.settings.road.clone());
        let (plan, graders) = suite_loaded.plan()?;
        // A verdict that needs a calibration counts as used, whether there is one or not.
        let graders = graders.bound(None);
        let options = Options {
            concurrency: 4,
            repeat: 1,
            on_failure: OnFailure::GoOn,
            root,
            run: RunId::default(),
            at: None,
        };
        let mut asked: Vec<usize> =
            (0..plan.jobs.len()).filter(|job| plan.jobs[*job].skipped.is_none()).collect();
        let looked = wait(async {
            let runner = Runner::new(plan, graders, options, Arc::new(Silent), road);
            let mut run = runner.run().await;
            let mut looked = cache.looked();
            // Further trials, from repeats and confirmations, count as used as far as they are recorded.
            while !asked.is_empty() {
                let wanted: Vec<_> = asked.iter().map(|case| Again { case: *case, trials: 1 }).collect();
                let short = runner.again(&mut run, &wanted).await;
                asked.retain(|case| !short.contains(case));
            }
            // The first trial beyond those recorded does not count as missing.
            looked.extend(cache.looked().into_iter().filter(|(_, looked)| looked.recorded_at.is_some()));
            looked
        })?;
        Ok(Self { cache, looked })
    }

    fn uses(&self, shelved: &Shelved) -> bool {
        // Canary verdicts vouch for the judge's other verdicts and are kept with them.
        shelved.record.as_ref().is_some_and(|record| {
            record.is(ExchangeKind::Canary) || self.looked.contains_key(record.key().hash())
        })
    }

    /// The nearest record, preferably an unused one: an edited case leaves its old record behind.
    fn nearest(&self, key: &Key, redacted: bool) -> Nearest {
        let unused = |hash: &str| !self.looked.contains_key(hash);
        let nearest = self.cache.nearest_among(key, &unused);
        if redacted { nearest.without_texts() } else { nearest }
    }

    fn misses(&self) -> usize {
        self.looked.values().filter(|looked| looked.recorded_at.is_none()).count()
    }

    fn stats(&self) -> Status {
        let mut kinds: BTreeMap<String, (usize, u64)> = BTreeMap::new();
        let (mut unused, mut unsound, mut dates) = (0, 0, Vec::new());
        for shelved in self.cache.shelved() {
            let kind = if let Some(record) = &shelved.record {
                dates.push(record.recorded_at.clone());
                unused += usize::from(!self.uses(&shelved));
                record.request["kind"].as_str().unwrap_or("other").to_owned()
            } else {
                unsound += 1;
                "not a record".to_owned()
            };
            let (count, bytes) = kinds.entry(kind).or_default();
            *count += 1;
            *bytes += shelved.bytes;
        }
        // Writing into a string cannot fail.
        let mut out = format!("{}\n", slashed(self.cache.folder()));
        for (kind, (count, bytes)) in &kinds {
            let _ =
                writeln!(out, "  {kind}: {}, {} bytes", text::count(*count, "file"), number::whole(*bytes));
        }
        if let (Some(first), Some(last)) = (dates.iter().min(), dates.iter().max()) {
            let _ = writeln!(out, "  recorded from {first} to {last}");
        }
        let misses = self.misses();
        let _ = write!(
            out,
            "the suite: {}, {}; {unused} unused, {unsound} not a record",
            text::count(self.looked.len() - misses, "hit"),
            if misses == 1 { "1 miss".to_owned() } else { format!("{misses} misses") },
        );
        terminal::page(&out);
        Status::Passed
    }

    fn why(&self, verbose: bool) -> Status {
        let mut all: Vec<_> = self.looked.iter().collect();
        all.sort_by_key(|(_, looked)| &looked.purpose);
        for (hash, looked) in all {
            match (&looked.recorded_at, &looked.missing) {
                (Some(at), _) if verbose => {
                    terminal::lines(&[format!("recorded {at}: {} ({})", looked.purpose, &hash[..12])]);
                }
                (None, Some(key)) => {
                    terminal::lines(&[format!("missing: {} ({})", looked.purpose, &hash[..12])]);
                    match self.nearest(key, looked.redacted) {
                        Nearest::Unknown => {
                            terminal::lines(&[
                                "  not compared: too many others came first, and no record has the same prompt",
                            ]);
                        }
                        Nearest::Nothing => terminal::lines(&["  nothing similar is recorded"]),
                        Nearest::Differs(differences) => {
                            for difference in differences {
                                terminal::lines(&[format!("  {difference}")]);
                            }
                        }
                    }
                }
                _ => {}
            }
        }
        let misses = self.misses();
        terminal::lines(&[format!(
            "{} of {} recorded",
            self.looked.len() - misses,
            text::count(self.looked.len(), "exchange")
        )]);
        if misses > 0 { Status::Unjudged } else { Status::Passed }
    }

    fn prune(&self, dry_run: bool) -> Result<Status, Status> {
        let misses = self.misses();
        if misses > 0 {
            return Err(Status::Unjudged.because(
                format!(
                    "{} not recorded, so what the suite uses is unknown",
                    text::count(misses, "exchange")
                ),
                "find them with `akit cache why`, record them, then prune",
            ));
        }
        let (mut count, mut bytes) = (0, 0);
        let unused = self.cache.shelved().filter(|shelved| !self.uses(shelved));
        let unused = unused.map(|shelved| (shelved.path, shelved.bytes));
        for (path, size) in self.cache.abandoned(SystemTime::now()).into_iter().chain(unused) {
            if !dry_run && let Err(error) = self.cache.remove(&path) {
                return Err(Status::Invalid.because(format!("cannot remove {}: {error}", slashed(&path)), ""));
            }
            count += 1;
            bytes += size;
        }
        let word = if dry_run { "would be removed" } else { "removed" };
        terminal::lines(&[format!("{}, {} bytes: {word}", text::count(count, "file"), number::whole(bytes))]);
        Ok(Status::Passed)
    }

    fn export(&self, path: &Path) -> Result<Status, Status> {
        let mut out = Vec::new();
        let mut count = 0;
        let used = self.cache.shelved().filter(|shelved| self.uses(shelved));
        for record in used.filter_map(|shelved| shelved.record) {
            let line = record.to_line().map_err(std::io::Error::other);
            let written = line.and_then(|line| out.write_all(line.as_bytes()));
            written.map_err(|error| unwritable(path, &error))?;
            count += 1;
        }
        if path == Path::new("-") {
            terminal::out(&String::from_utf8_lossy(&out));
        } else {
            let pending = Pending::open(path).and_then(|file| file.write(&out));
            pending.map_err(|error| unwritable(path, &error))?;
        }
        let misses = self.misses();
        terminal::say(&format!("{} written, {misses} missing", text::count(count, "record")));
        Ok(if misses > 0 { Status::Unjudged } else { Status::Passed })
    }
}

fn unwritable(path: &Path, error: &std::io::Error) -> Status {
    Status::Invalid.because(format!("cannot write `{}`: {error}", slashed(path)), "choose another path")
}

fn verify(cache: &Cache) -> Status {
    let (mut sound, mut wrong) = (0, 0);
    for shelved in cache.shelved() {
        let why = match &shelved.condition {
            Condition::Sound => {
                sound += 1;
                continue;
            }
            Condition::OtherVersion(version) => {
                format!("written with key version {version}, which is not read")
            }
            Condition::Misplaced => "its name is not the key of its contents".to_owned(),
            Condition::Damaged(why) => why.clone(),
        };
        wrong += 1;
        terminal::lines(&[format!("{}: {why}", slashed(&shelved.path))]);
    }
    terminal::lines(&[format!("{} valid, {wrong} invalid", text::count(sound, "record"))]);
    if wrong > 0 { Status::Failed } else { Status::Passed }
}

fn import(path: &Path, cache: &Cache) -> Result<Status, Status> {
    let wrong = |message: String| {
        Status::Invalid
            .because(&message, "only import files from `akit cache export`; nothing after this line was read")
    };
    let source =
        SourceFile::read(path).map_err(|error| wrong(format!("cannot read `{}`: {error}", slashed(path))))?;
    let (mut added, mut known) = (0, 0);
    for (index, line) in source.text().lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let place = format!("{}:{}", slashed(path), index + 1);
        let record: Record = json_object(line.as_bytes())
            .map_err(|error| wrong(format!("{place}: not a record: {}", text::json::trouble(&error))))?;
        if !record.is_readable() {
            return Err(wrong(format!("{place}: written under key version {}", record.key_version)));
        }
        match cache.import(&record) {
            Ok(true) => added += 1,
            Ok(false) => known += 1,
            Err(error) => return Err(wrong(format!("{place}: {error}"))),
        }
    }
    terminal::lines(&[format!("{} added, {known} already in the cache", text::count(added, "record"))]);
    Ok(Status::Passed)
}
