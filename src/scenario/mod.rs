//! The YAML file: cases, the places where they stand, variables, discovery, validation.
//!
//! Loading reports everything that is wrong in every file before anything is sent. Cases keep the
//! order of files and positions.

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

/// Access that a file grants to its provider.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProviderConfig {
    /// Key; `Err` names the environment variable that is not set.
    pub api_key: Option<Result<Secret, String>>,
    /// Address.
    pub base_url: Option<String>,
    /// The same of Azure's resource.
    pub resource: Option<String>,
    /// Where the address stands, or what names a server in its place.
    pub base_url_span: Span,
    /// Servers that a scenario may name and that get the key; only a configuration grants it.
    pub trusted: Vec<Origin>,
    /// Model where none is named.
    pub default_model: Option<String>,
    /// Longest time for one try.
    pub timeout: Option<Duration>,
    /// Further tries after a transient error.
    pub retries: Option<u32>,
    /// Longest time to wait out a rate limit.
    pub patience: Option<Duration>,
    /// What its address bears.
    pub limits: Limits,
    /// OpenAI's organisation.
    pub organization: Option<String>,
    /// File of replies, relative to the file in which it is named.
    pub file: Option<String>,
    /// A known server that speaks as `openai` does.
    pub like: Option<String>,
    /// What else goes along.
    pub options: Options,
    /// File with the key; only a configuration names one.
    pub key_file: Option<PathBuf>,
    /// Program that prints the key; only a configuration names one.
    pub key_command: Vec<String>,
    /// What stop words mean that akit does not know.
    pub stop_words: StopWords,
    /// What is said of an own bot.
    pub own: Own,
    /// The keys that are written, in the order of their table.
    pub written: Vec<&'static str>,
    /// Variables that its keys wait for: nobody can be asked by them until then.
    pub unset: Waiting,
}

impl ProviderConfig {
    /// The same of an own bot and of presets, which no old file has: an error whoever is asked.
    #[must_use]
    pub fn misplaced_of_own(&self, provider: &str) -> Option<(&'static str, String, String)> {
        let is_own = |key: &str| Spec::is_own(provider) || key == "like" || !Own::takers(key).is_empty();
        self.misplaced(provider).filter(|(key, ..)| is_own(key))
    }

    /// Whether it says where a key is.
    #[must_use]
    pub fn has_key(&self) -> bool {
        self.api_key.is_some() || self.key_file.is_some() || !self.key_command.is_empty()
    }

    /// The keys that say something.
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

    /// The address that it names for a provider, with the key that does so and its place.
    #[must_use]
    pub fn address(&self, provider: &str) -> Option<(&'static str, &str, Span)> {
        if provider == HTTP {
            return self.own.url.as_ref().map(|told| ("url", told.value.written(), told.at.1));
        }
        let like = self.like.as_deref().and_then(Spec::like).map(|vendor| vendor.address);
        let all = [
            ("baseUrl", self.base_url.as_deref()),
            ("resourceName", self.resource.as_deref().filter(|_| provider == AZURE)),
            ("like", like.filter(|_| provider == DEFAULT)),
        ];
        all.into_iter().find_map(|(key, address)| Some((key, address?, self.base_url_span)))
    }

    /// Keys that do not belong to a provider: the first, with why and how to fix it.
    #[must_use]
    pub fn misplaced(&self, provider: &str) -> Option<(&'static str, String, String)> {
        let taker = self.like.as_deref().and_then(|like| Some((like, Spec::taker_of(like)?)));
        if let Some((like, taker)) = taker.filter(|(_, taker)| *taker != provider) {
            let message = format!(
                "`like: {like}` is a preset of provider `{taker}`, and the provider here is `{provider}`"
            );
            return Some(("like", message, format!("remove it, or write `provider: {taker}`")));
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
    /// Its name; the file's stem where it has none.
    pub name: String,
    /// Its file.
    pub file: Arc<SourceFile>,
    /// The folder of its file, against which other files are looked up.
    pub folder: PathBuf,
    /// Provider that it names.
    pub provider: Option<String>,
    /// Model that it names.
    pub model: Option<String>,
    /// Access that it grants.
    pub provider_config: ProviderConfig,
    /// Root seed of its cases that it names; none where `--seed` goes before it.
    pub seed: Option<u64>,
    /// 0 to 2.
    pub temperature: Option<f64>,
    /// Most tokens of a reply.
    pub max_tokens: Option<u64>,
    /// System prompt of its cases, its own variables filled and those of cases not.
    pub system: Option<String>,
    /// Functions that the model may call, and what they return.
    pub functions: Functions,
    /// How a handoff shows, as it is written.
    pub handoff: serde_json::Value,
    /// The same, read.
    pub signs: Option<Arc<Signs>>,
    /// The environment variables whose values stand in the file, in alphabetical order.
    pub environment: BTreeSet<String>,
    /// Its cases, in order.
    pub cases: Vec<Case>,
}

impl Scenario {
    /// The root of its cases' seeds: its own, else the run's.
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
    /// Where its id stands.
    pub span: Span,
    /// The same under the name for reports.
    pub location: Location,
    /// Tags of scenario and case, without repeats.
    pub tags: Vec<String>,
    /// What is sent: system prompt and conversation, variables filled.
    pub messages: Vec<Message>,
    /// What the answer must be, or the conversation.
    pub expectation: Expectation,
    /// What the customer says, where the case is a conversation: it goes on from `messages`.
    pub dialogue: Option<Box<Dialogue>>,
    /// What every answer must be: the rules of the scenario, and from [`Loaded::hold`] on all that stand for the case.
    pub always: Vec<Arc<Rule>>,
    /// The rules that it lifts.
    pub except: Vec<Exception>,
    /// Its variables and those of the scenario.
    pub variables: Arc<BTreeMap<String, String>>,
    /// Provider that it names.
    pub provider: Option<String>,
    /// Model that it names.
    pub model: Option<String>,
    /// Longest time for one try.
    pub timeout: Option<Duration>,
    /// Further tries after a transient error.
    pub retries: Option<u32>,
    /// Whether an answer that was cut may pass where it holds what it must.
    pub allow_cut: bool,
    /// What is removed before anything is stored or shown.
    pub redaction: RedactionChoice,
    /// What it expects, as written, variables filled: JSON, as a text because a tree has ten times its size. Redaction
    /// alone looks at it; it is let go where there is none.
    pub expected: Box<str>,
    /// 16 hexadecimal digits over what the case itself says: messages and expectation, but not the
    /// system prompt of the scenario.
    pub content_hash: String,
}

impl Case {
    /// The case, as files of others may know it.
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

    /// What the user said last, or first in a conversation, for people.
    #[must_use]
    pub fn asked(&self) -> Cow<'_, str> {
        match &self.dialogue {
            Some(dialogue) => dialogue.opening().into(),
            None => self.messages.last().map_or("", |message| message.content.as_str()).into(),
        }
    }
}

/// What loading came to.
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
    /// The files by the name for reports.
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
    let help = match error {
        ReadError::Io(_) | ReadError::Special => "check the path and its permissions",
        ReadError::TooLarge(..) => "split the scenario into several files",
        ReadError::Binary(_) => "scenario files are YAML text",
        ReadError::Encoding { .. } | ReadError::Utf16 | ReadError::Utf32 => "save the file as UTF-8",
    };
    Diagnostic::error("unreadable-file", &file, Span::default(), format!("cannot read the file: {error}"))
        .help(help)
}

/// Results are paired by scenario and id, so two files may share a name but not a case.
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
                    let message = format!("case `{}/{id}` also stands in {}", scenario.name, first.location);
                    found.push(
                        Diagnostic::error("duplicate-id", &scenario.file, case.span, message)
                            .help("give one of the scenarios another `name:`"),
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
