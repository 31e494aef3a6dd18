//! Scenario files: cases with their places in the YAML, variables, discovery, validation.
//!
//! Loading reports everything that is wrong in every file before anything is sent. Cases keep the order of files and
//! positions.

mod always;
mod bot;
mod deterministic;
mod dialogue;
mod discover;
mod functions;
mod prompt;
mod provider_config;
mod read;
mod redaction;
mod select;
mod table;
mod weaker;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::client::Limits;
use crate::environment::{Environment, Waiting};
use crate::expectation::{Exception, Expectation, Rule, Signs};
use crate::provider::{AZURE, DEFAULT, HTTP, Message, Options, Origin, Own, Spec, Whom};
use crate::redact::RedactionChoice;
use crate::secret::Secret;
use crate::seed::Root;
use crate::source::{Diagnostic, Diagnostics, Location, ReadError, SourceFile, Span};
use crate::text;
use crate::vocabulary::{CaseId, StopWords};

pub use dialogue::{Dialogue, Line, Lines, Next, Progress, Say};
pub use discover::{DiscoverError, among, discover};
pub use functions::{Functions, Played};
pub use provider_config::{api_key, limits, provider_config, tries};
pub use read::scenario as read;
pub use redaction::{REDACTION, redaction, redactor};
pub use select::{Selection, SelectionError};
pub use table::{ALWAYS, LIMITS, PATIENCE, PROVIDER_CONFIG, keys, schema};
pub use weaker::Tries;

/// Access to a provider, as a file grants it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProviderConfig {
    /// Key; `Err` names the environment variable that is not set.
    pub api_key: Option<Result<Secret, String>>,
    /// Address.
    pub base_url: Option<String>,
    /// Name of the Azure resource, in place of the address.
    pub resource: Option<String>,
    /// Where the address is in the file, or the key that names a server in its place.
    pub base_url_span: Span,
    /// Servers that a scenario may name and that get the key; only a configuration can list them.
    pub trusted: Vec<Origin>,
    /// Default model.
    pub default_model: Option<String>,
    /// Time limit per attempt.
    pub timeout: Option<Duration>,
    /// Retries after a transient error.
    pub retries: Option<u32>,
    /// Maximum wait for a rate limit to clear.
    pub patience: Option<Duration>,
    /// Rate and concurrency limits of the address.
    pub limits: Limits,
    /// OpenAI organization.
    pub organization: Option<String>,
    /// File of recorded answers, relative to the file that names it.
    pub file: Option<String>,
    /// A known server that is compatible with `openai`.
    pub like: Option<String>,
    /// Other options of requests.
    pub options: Options,
    /// File with the key; only a configuration names one.
    pub key_file: Option<PathBuf>,
    /// Program that prints the key; only a configuration names one.
    pub key_command: Vec<String>,
    /// The meaning of stop words that akit does not know.
    pub stop_words: StopWords,
    /// Settings of an own bot.
    pub own: Own,
    /// The keys that are set, in the order of their table.
    pub written: Vec<&'static str>,
    /// Environment variables that its keys need and that are not set: nothing can be sent before they are.
    pub unset: Waiting,
}

impl ProviderConfig {
    /// Like [`Self::misplaced`], for keys of an own bot and presets only. No old file has those, so they are errors
    /// with any provider.
    #[must_use]
    pub fn misplaced_of_own(&self, provider: &str) -> Option<(&'static str, String, String)> {
        let is_own = |key: &str| Spec::is_own(provider) || key == "like" || !Own::takers(key).is_empty();
        self.misplaced(provider).filter(|(key, ..)| is_own(key))
    }

    /// Whether it names a key.
    #[must_use]
    pub fn has_key(&self) -> bool {
        self.api_key.is_some() || self.key_file.is_some() || !self.key_command.is_empty()
    }

    /// The keys that have a value.
    pub fn said(&self) -> impl Iterator<Item = &'static str> {
        let said = [
            ("baseUrl", self.base_url.is_some()),
            ("resourceName", self.resource.is_some()),
            ("defaultModel", self.default_model.is_some()),
            ("timeout", self.timeout.is_some()),
            ("maxRetries", self.retries.is_some()),
            ("patience", self.patience.is_some()),
            ("limits", !self.limits.are_none()),
            ("organization", self.organization.is_some()),
            ("file", self.file.is_some()),
            ("stopWords", !self.stop_words.is_empty()),
        ];
        let said = said.into_iter().filter(|(_, is_said)| *is_said).map(|(key, _)| key);
        said.chain(self.own.entries().into_iter().map(|(key, ..)| key))
    }

    /// The address that it names for a provider, with its key and place.
    #[must_use]
    pub fn address(&self, provider: &str) -> Option<(&'static str, &str, Span)> {
        if provider == HTTP {
            return self.own.url.as_ref().map(|url| ("url", url.value.written(), url.at.1));
        }
        let like = self.like.as_deref().and_then(Spec::like).map(|vendor| vendor.address);
        let all = [
            ("baseUrl", self.base_url.as_deref()),
            ("resourceName", self.resource.as_deref().filter(|_| provider == AZURE)),
            ("like", like.filter(|_| provider == DEFAULT)),
        ];
        all.into_iter().find_map(|(key, address)| Some((key, address?, self.base_url_span)))
    }

    /// The first key that does not belong to a provider, with the reason and the fix.
    #[must_use]
    pub fn misplaced(&self, provider: &str) -> Option<(&'static str, String, String)> {
        let taker = self.like.as_deref().and_then(|like| Some((like, Spec::taker_of(like)?)));
        if let Some((like, taker)) = taker.filter(|(_, taker)| *taker != provider) {
            let message =
                format!("`like: {like}` is a preset of provider `{taker}`, but the provider is `{provider}`");
            return Some(("like", message, format!("remove it, or set `provider: {taker}`")));
        }
        self.written.iter().find_map(|key| {
            let (message, help) = Spec::misplaced(provider, key)?;
            Some((*key, message, help))
        })
    }
}

/// A scenario file.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its name; the file's stem by default.
    pub name: String,
    /// Its file.
    pub file: Arc<SourceFile>,
    /// The folder of its file; other files are resolved against it.
    pub folder: PathBuf,
    /// Provider that it names.
    pub provider: Option<String>,
    /// Model that it names.
    pub model: Option<String>,
    /// Access that it grants.
    pub provider_config: ProviderConfig,
    /// Root seed of its cases; `None` if `--seed` takes precedence.
    pub seed: Option<u64>,
    /// 0 to 2.
    pub temperature: Option<f64>,
    /// Maximum number of tokens per answer.
    pub max_tokens: Option<u64>,
    /// System prompt of its cases, with the scenario's variables filled but not those of cases.
    pub system: Option<String>,
    /// Functions that the model may call, and what they return.
    pub functions: Functions,
    /// How a handoff is recognized, as written.
    pub handoff: serde_json::Value,
    /// `handoff`, parsed.
    pub signs: Option<Arc<Signs>>,
    /// The environment variables whose values are in the file, in alphabetical order.
    pub environment: BTreeSet<String>,
    /// Its cases, in order.
    pub cases: Vec<Case>,
}

impl Scenario {
    /// The root of its cases' seeds: its own, or the run's.
    #[must_use]
    pub fn root(&self, run: Root) -> Root {
        self.seed.map_or(run, Root)
    }
}

/// One case.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its id, unique in the scenario.
    pub id: String,
    /// Its title.
    pub name: Option<String>,
    /// Where its id is.
    pub span: Span,
    /// Where its id is, for reports.
    pub location: Location,
    /// Tags of scenario and case, without duplicates.
    pub tags: Vec<String>,
    /// What is sent: system prompt and conversation, variables filled.
    pub messages: Vec<Message>,
    /// What is expected of the answer, or of the conversation.
    pub expectation: Expectation,
    /// What the customer says if the case is a conversation, which continues from `messages`.
    pub dialogue: Option<Box<Dialogue>>,
    /// What is expected of every answer: the rules of the scenario and, after [`Loaded::hold`], all that apply to the
    /// case.
    pub always: Vec<Arc<Rule>>,
    /// The rules that do not apply to it.
    pub except: Vec<Exception>,
    /// Its variables and those of the scenario.
    pub variables: Arc<BTreeMap<String, String>>,
    /// Provider that it names.
    pub provider: Option<String>,
    /// Model that it names.
    pub model: Option<String>,
    /// Time limit per attempt.
    pub timeout: Option<Duration>,
    /// Retries after a transient error.
    pub retries: Option<u32>,
    /// Whether a truncated answer may pass if it meets the expectations.
    pub allow_cut: bool,
    /// What is removed before anything is stored or shown.
    pub redaction: RedactionChoice,
    /// What it expects, as written, with variables filled in. It is JSON in a string, because a tree would be ten times
    /// its size. Only redaction reads it; without redaction, it is dropped.
    pub expected: Box<str>,
    /// A hash of what the case itself says, in 16 hexadecimal digits: messages and expectation, but not the system
    /// prompt of the scenario.
    pub content_hash: String,
}

impl Case {
    /// The case, as other files refer to it.
    #[must_use]
    pub fn whom<'a>(&'a self, scenario: &'a str) -> Whom<'a> {
        Whom {
            scenario,
            id: &self.id,
            name: self.name.as_deref(),
            variables: &self.variables,
            messages: &self.messages,
        }
    }

    /// What the user said last, or first in a conversation, for display.
    #[must_use]
    pub fn asked(&self) -> Cow<'_, str> {
        match &self.dialogue {
            Some(dialogue) => dialogue.opening().into(),
            None => self.messages.last().map_or("", |message| message.content.as_str()).into(),
        }
    }
}

/// The result of loading.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The scenarios that could be read, in order.
    pub scenarios: Vec<Scenario>,
    /// The files that could be read as text, in order.
    pub files: Vec<Arc<SourceFile>>,
    /// Everything that is wrong.
    pub diagnostics: Diagnostics,
}

impl Loaded {
    /// The files by their names in reports.
    #[must_use]
    pub fn sources(&self) -> BTreeMap<String, Arc<SourceFile>> {
        self.files.iter().map(|file| (file.name().to_owned(), Arc::clone(file))).collect()
    }

    /// How many cases there are.
    #[must_use]
    pub fn cases(&self) -> usize {
        self.scenarios.iter().map(|scenario| scenario.cases.len()).sum()
    }
}

/// Loads scenario files, in the order given.
#[must_use]
pub fn load(paths: &[impl AsRef<Path>], environment: &Environment) -> Loaded {
    let mut loaded = Loaded::default();
    for path in paths {
        let path = path.as_ref();
        match SourceFile::read(path) {
            Ok(file) => {
                let file = Arc::new(file);
                let scenario = read::scenario(&file, path, environment, &mut loaded.diagnostics);
                loaded.files.push(file);
                loaded.scenarios.extend(scenario);
            }
            Err(error) => loaded.diagnostics.push(unreadable(path, &error)),
        }
    }
    report_shared_names(&loaded.scenarios, &mut loaded.diagnostics);
    loaded.diagnostics.sort();
    loaded
}

fn unreadable(path: &Path, error: &ReadError) -> Diagnostic {
    let shown = crate::source::slashed(path);
    let file = Arc::new(SourceFile::from_text(&shown, ""));
    let help = error.help("save the file as YAML in UTF-8");
    Diagnostic::error("unreadable-file", &file, Span::default(), format!("cannot read the file: {error}"))
        .help(help)
}

/// Results are matched by scenario and id, so two files may share a name but not a case.
fn report_shared_names(scenarios: &[Scenario], found: &mut Diagnostics) {
    if scenarios.len() < 2 {
        return;
    }
    let mut seen: BTreeMap<CaseId<'_>, &Case> = BTreeMap::new();
    for scenario in scenarios {
        for case in &scenario.cases {
            let name = CaseId::new(&scenario.name, &case.id);
            match seen.get(&name) {
                Some(first) if first.location.file != case.location.file => {
                    let id = text::excerpt(&case.id, 60);
                    let message =
                        format!("duplicate case `{}/{id}`, also in {}", scenario.name, first.location);
                    found.push(
                        Diagnostic::error("duplicate-id", &scenario.file, case.span, message)
                            .help("change the `name:` of one of the scenarios"),
                    );
                }
                Some(_) => {}
                None => {
                    seen.insert(name, case);
                }
            }
        }
    }
}
