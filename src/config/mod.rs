//! `akit.yaml` (or `artemis.config.yaml`), the environment and flags, resolved into each module's own options.

mod asking;
mod bot;
mod explain;
mod file;
mod gate;
mod grader;
mod judge;
mod key;
mod resolved;
mod stress;
mod target;
mod trust;
mod version;
mod weaker;

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::cache::{Cache, FOLDER, Mode};
use crate::client::Road;
use crate::environment::{Environment, Unset};
use crate::http::Http;
use crate::source::{Diagnostics, SourceFile, Span};

pub use asking::Asking;
pub use explain::Setting;
pub use file::{ConfigFile, FILES, find, keys, quarantine_in};
pub use gate::{GateConfig, Named, Suites};
pub use key::{Held, is_open_to_all};
pub use stress::StressConfig;
pub use target::Targets;
pub use trust::Whose;

use resolved::Resolved;
pub use resolved::SaidBy;

/// Values of flags; `None` for a flag that was not given.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// `--provider`.
    pub provider: Option<String>,
    /// `--model`.
    pub model: Option<String>,
    /// `--base-url`.
    pub base_url: Option<String>,
    /// `--replies`, in order.
    pub replies: Vec<PathBuf>,
    /// The program after `--`, with its arguments.
    pub command: Vec<String>,
    /// `--target-version`.
    pub target_version: Option<String>,
    /// `--timeout`.
    pub timeout: Option<Duration>,
    /// `--retries`.
    pub retries: Option<u32>,
    /// `--patience`.
    pub patience: Option<Duration>,
    /// `--seed`.
    pub seed: Option<u64>,
    /// `--cache` or `--replay`.
    pub cache: Option<Mode>,
    /// `--cache-dir`.
    pub cache_dir: Option<PathBuf>,
    /// `--grader-provider`.
    pub grader_provider: Option<String>,
    /// `--grader-model`.
    pub grader_model: Option<String>,
    /// `--grader-base-url`.
    pub grader_base_url: Option<String>,
}

/// All settings that decide what is called and how.
#[derive(Debug)]
pub struct Settings {
    /// Flags.
    pub flags: Flags,
    /// The configuration file, if there is one.
    pub file: ConfigFile,
    /// The environment.
    pub environment: Environment,
    /// The HTTP client.
    pub http: Http,
    /// Recorded exchanges.
    pub cache: Cache,
    /// Shared by everything that is called.
    pub road: Road,
    /// Whether the time to the first token is always measured, so that all answers are streamed.
    pub streams: bool,
    /// Identifies the suite; empty if there is none.
    pub suite: String,
    /// Output of the command for the application's version, once it has been run.
    printed: OnceLock<Result<String, Obstacle>>,
}

impl Settings {
    /// Settings of a command.
    #[must_use]
    pub fn new(flags: Flags, file: ConfigFile, environment: Environment, http: Http) -> Self {
        let (cache, road) = (Cache::at(PathBuf::new()), Road::default());
        let printed = OnceLock::new();
        let mut settings = Self {
            flags,
            file,
            environment,
            http,
            cache,
            road,
            streams: false,
            suite: String::new(),
            printed,
        };
        settings.cache = Cache::at(settings.cache_folder().value);
        settings
    }

    fn cache_folder(&self) -> Resolved<'_, PathBuf> {
        let configured = self.file.cache_folder();
        Resolved::or_default(
            [
                (SaidBy::Flag("--cache-dir"), self.flags.cache_dir.clone()),
                (self.key(["cache", "dir", ""]), configured),
            ],
            PathBuf::from(FOLDER),
        )
    }

    /// How the cache is used; by default, the application is asked again and its answers are recorded.
    fn mode(&self) -> Resolved<'_, Mode> {
        Resolved::or_default(
            [
                (SaidBy::Flag("--cache"), self.flags.cache),
                (self.key(["cache", "mode", ""]), self.file.cache_mode),
            ],
            Mode::Record,
        )
    }

    /// How the application under test uses the cache.
    #[must_use]
    pub fn target_mode(&self) -> Mode {
        self.mode().value
    }

    /// How judges use the cache: a recorded verdict is not asked for again.
    #[must_use]
    pub fn grader_mode(&self) -> Mode {
        match self.mode().value {
            Mode::Record => Mode::Auto,
            mode => mode,
        }
    }
}

/// Why a case or a judge cannot be called, and how to fix it.
#[derive(Clone, Debug)]
pub struct Obstacle {
    /// What is missing or wrong.
    pub message: String,
    /// How to fix it.
    pub help: String,
    /// Where the problem is, if not at the case.
    pub at: Option<(Arc<SourceFile>, Span)>,
    /// Findings in another file, line by line; if there are any, they replace the message.
    pub found: Diagnostics,
}

impl Obstacle {
    /// An obstacle of the case itself.
    pub(super) fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: help.into(), at: None, found: Diagnostics::default() }
    }

    /// This obstacle, at the place in the file with the wrong setting.
    pub(super) fn at(self, said_by: SaidBy<'_>) -> Self {
        Self { at: said_by.place().or(self.at), ..self }
    }

    /// An unset variable that a section of a file needs.
    pub(super) fn unset(unset: &Unset) -> Self {
        Self::new(format!("{unset}"), unset.help())
    }
}
