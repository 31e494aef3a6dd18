//! `akit.yaml` (or `artemis.config.yaml`), the environment and flags -> each module's own options.
//!
//! Precedence everywhere: flag > case > scenario > configuration > environment > default.

mod file;
mod gate;
mod judge;
mod target;
mod trust;
mod weaker;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::cache::{Cache, Mode};
use crate::environment::Environment;
use crate::http::Http;

pub use file::{ConfigFile, FILES, find, keys};
pub use gate::{GateConfig, Named, Suites};
pub use target::Targets;

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
    /// `--target-version`.
    pub target_version: Option<String>,
    /// `--timeout`.
    pub timeout: Option<Duration>,
    /// `--retries`.
    pub retries: Option<u32>,
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
}

impl Settings {
    /// Options of a command; the cache is where the flag says, or the configuration, or `.akit/cache`.
    #[must_use]
    pub fn new(flags: Flags, file: ConfigFile, environment: Environment, http: Http) -> Self {
        let configured = file.cache_dir.as_ref().map(|folder| file.folder.join(folder));
        let folder = flags.cache_dir.clone().or(configured);
        let cache = Cache::at(folder.unwrap_or_else(|| Path::new(".akit").join("cache")));
        Self { flags, file, environment, http, cache }
    }

    /// How the application under test uses the cache: asked anew and recorded, unless told otherwise.
    #[must_use]
    pub fn target_mode(&self) -> Mode {
        self.flags.cache.or(self.file.cache_mode).unwrap_or(Mode::Record)
    }

    /// How judges use the cache: a verdict that is there is not asked for again.
    #[must_use]
    pub fn grader_mode(&self) -> Mode {
        match self.flags.cache.or(self.file.cache_mode) {
            None | Some(Mode::Record) => Mode::Auto,
            Some(mode) => mode,
        }
    }

    /// The key for a provider in the environment.
    fn environment_key(&self, provider: &str) -> Option<crate::secret::Secret> {
        let name = key_variable(provider)?;
        self.environment.get(name).map(|key| crate::secret::Secret::new(key.trim()))
    }
}

/// The environment variable that holds a provider's key.
fn key_variable(provider: &str) -> Option<&'static str> {
    (provider == "openai").then_some("OPENAI_API_KEY")
}
