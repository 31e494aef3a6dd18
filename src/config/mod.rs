//! `akit.yaml` (or `artemis.config.yaml`), the environment and flags -> each module's own options.

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

/// What flags say; absent where a flag was not given.
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
    /// The program behind `--`, with its arguments.
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

/// Everything that decides who is asked and how.
#[derive(Debug)]
pub struct Settings {
    /// Flags.
    pub flags: Flags,
    /// The configuration file, where there is one.
    pub file: ConfigFile,
    /// The environment.
    pub environment: Environment,
    /// The way to the network.
    pub http: Http,
    /// Recorded exchanges.
    pub cache: Cache,
    /// What everything that is asked shares.
    pub road: Road,
    /// Whether the time to the first token is wanted whatever the configuration says: then answers come piece by piece.
    pub streams: bool,
    /// What tells the suite from others; empty where there is none.
    pub suite: String,
    /// What the command for the application's version printed, once it was run.
    printed: OnceLock<Result<String, Obstacle>>,
}

impl Settings {
    /// Options of a command.
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

    /// Where the cache is.
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

    /// How the cache is used: the application is asked anew and recorded, unless told otherwise.
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

    /// How judges use the cache: a verdict that is there is not asked for again.
    #[must_use]
    pub fn grader_mode(&self) -> Mode {
        match self.mode().value {
            Mode::Record => Mode::Auto,
            mode => mode,
        }
    }
}

/// Why a case or a judge cannot be asked, and how to fix it.
#[derive(Clone, Debug)]
pub struct Obstacle {
    /// What is missing or wrong.
    pub message: String,
    /// How to fix it.
    pub help: String,
    /// The place that stands in the way, where it is not the case.
    pub at: Option<(Arc<SourceFile>, Span)>,
    /// What is wrong line by line, where that is in a file of its own: it says all.
    pub found: Diagnostics,
}

impl Obstacle {
    /// An obstacle of the case itself.
    pub(super) fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: help.into(), at: None, found: Diagnostics::default() }
    }

    /// The same at the place in a file where somebody said what is wrong.
    pub(super) fn at(self, said_by: SaidBy<'_>) -> Self {
        Self { at: said_by.place().or(self.at), ..self }
    }

    /// A variable that a part of a file waits for.
    pub(super) fn unset(unset: &Unset) -> Self {
        Self::new(format!("{unset}"), unset.help())
    }
}
