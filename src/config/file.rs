//! The configuration file, searched from the scenarios upward.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::grader::{GRADER, GraderConfig};
use super::trust::{PROVIDER, Whose, trusted_origins};
use super::version::TargetVersion;
use crate::cache::Mode;
use crate::environment::{Environment, Filled, Relevance, expand};
use crate::expectation::pattern::Patterns;
use crate::expectation::{NAMED, Reading, Rule, Setup};
use crate::grader::{Defaults, Terms};
use crate::provider::{MOST, NAMES, OFFERED, Price, Prices};
use crate::redact::RedactionChoice;
use crate::scenario::{ALWAYS, ProviderConfig, REDACTION, provider_config, redaction};
use crate::source::{
    Diagnostic, Diagnostics, Field, Fields, Node, ReadError, Shape, SourceFile, Span, Value, slashed,
};
use crate::text;
use strum::VariantNames as _;

use super::gate::{GATE, GateConfig};
use super::stress::{STRESS, StressConfig};

/// Names of configuration files; the first one in a folder counts.
pub const FILES: [&str; 4] = ["akit.yaml", "akit.yml", "artemis.config.yaml", "artemis.config.yml"];

const CACHE: &[Field] = &[
    Field::optional("dir", Shape::Name, "Folder of the records, relative to this file (.akit/cache)."),
    Field::optional("mode", Shape::OneOf(Mode::VARIANTS), "What is read from and written to the cache."),
];

const TARGET: &[Field] = &[Field::optional(
    "version",
    Shape::Part("version"),
    "Its version, such as its commit, or a `command` that prints it; answers from another version are never read from the cache.",
)];

const PRICE: &[Field] = &[
    Field::required("input", Shape::Number(0.0, MOST), "US dollars per million input tokens."),
    Field::optional(
        "cached",
        Shape::Number(0.0, MOST),
        "US dollars per million input tokens read from the server's cache (input).",
    ),
    Field::optional(
        "cache_write",
        Shape::Number(0.0, MOST),
        "US dollars per million input tokens written to that cache (input).",
    ),
    Field::required(
        "output",
        Shape::Number(0.0, MOST),
        "US dollars per million output tokens, including thinking.",
    ),
];

/// Keys of `ArtemisKit`'s `ci`, each with its replacement in akit.
const CI: [(&str, &str); 3] = [
    ("failOnRegression", "gate: { baseline: { from: akit-baseline.json } }"),
    ("minSuccessRate", "gate: { min_pass_rate: 0.99 }"),
    ("regressionThreshold", "gate: { baseline: { margin: 0.05 } }"),
];

const CONFIG: &[Field] = &[
    Field::optional("project", Shape::Text, "Name of the project; akit ignores it."),
    Field::optional(
        "provider",
        Shape::Offered(&OFFERED, &NAMES),
        "How the application is called, unless the scenario sets it.",
    ),
    Field::optional("model", Shape::Name, "Model, unless the scenario sets one."),
    Field::optional("providers", Shape::Map, "How to reach each provider, by name."),
    Field::optional("scenariosDir", Shape::Name, "Folder of the scenarios, relative to this file."),
    Field::inert(
        "storage",
        Shape::Map,
        "ArtemisKit only; has no effect.",
        "store a run with `akit run --json FILE`, and a baseline with `akit baseline update`",
    ),
    Field::inert(
        "output",
        Shape::Map,
        "ArtemisKit only; has no effect.",
        "choose reports with flags: `akit run --json FILE --html FILE --junit FILE`",
    ),
    Field::inert(
        "ci",
        Shape::Map,
        "ArtemisKit only; has no effect. See `gate`.",
        "move the limits to `gate:`, as in `gate: { min_pass_rate: 0.99, baseline: { from: akit-baseline.json, margin: 0.05 } }`",
    ),
    Field::optional("grader", Shape::Object(GRADER), "The judge."),
    Field::optional("cache", Shape::Object(CACHE), "Recorded exchanges."),
    Field::optional("target", Shape::Object(TARGET), "The application under test."),
    Field::optional("gate", Shape::Object(GATE), "The policy of the gate."),
    Field::optional("stress", Shape::Object(STRESS), "Limits for `akit stress`."),
    Field::optional("repeat", Shape::Integer(1), "Trials per case (1)."),
    Field::optional("redaction", Shape::Object(REDACTION), "Removal of personal data."),
    ALWAYS,
    Field::optional("prices", Shape::Map, "Prices of tokens, by model name."),
];

/// The paths of all keys of a configuration and a quarantine.
#[must_use]
pub fn keys() -> Vec<String> {
    let tables: [(&str, &[Field]); 5] = [
        ("always", NAMED),
        ("providers.NAME", PROVIDER),
        ("prices.MODEL", PRICE),
        ("gate.critical", super::gate::CRITICAL),
        ("quarantine", super::gate::QUARANTINED),
    ];
    let parts = tables.into_iter().flat_map(|(part, table)| {
        Field::paths(table).into_iter().map(|path| format!("{part}.{path}")).collect::<Vec<_>>()
    });
    Field::paths(CONFIG).into_iter().chain(parts).collect()
}

/// The contents of a configuration file.
#[derive(Clone, Debug, Default)]
pub struct ConfigFile {
    /// The file, if there is one.
    pub file: Option<Arc<SourceFile>>,
    /// Its path as found, without following links.
    pub path: Option<PathBuf>,
    /// Its folder.
    pub folder: PathBuf,
    /// `provider`.
    pub provider: Option<String>,
    /// `model`.
    pub model: Option<String>,
    /// The environment variables used in names of models and providers; these names are sent to the provider.
    pub named_by_variables: BTreeSet<String>,
    /// `providers`, by name.
    pub providers: BTreeMap<String, ProviderConfig>,
    /// `scenariosDir`.
    pub scenarios: Option<String>,
    /// `grader`.
    pub grader: Option<GraderConfig>,
    /// `cache.dir`.
    pub cache_dir: Option<String>,
    /// `cache.mode`.
    pub cache_mode: Option<Mode>,
    /// `gate`.
    pub gate: GateConfig,
    /// `stress`.
    pub stress: StressConfig,
    /// `target.version`, unless it is empty.
    pub target_version: Option<TargetVersion>,
    /// `repeat`.
    pub repeat: Option<u64>,
    /// `redaction`.
    pub redaction: RedactionChoice,
    /// `always`.
    pub always: Vec<Arc<Rule>>,
    /// `prices`.
    pub prices: Prices,
    /// Whose configuration it is.
    pub whose: Whose,
}

/// The closest configuration in a folder or above it.
#[must_use]
pub fn find(from: &Path) -> Option<PathBuf> {
    let full = from.canonicalize().ok()?;
    let path = full
        .ancestors()
        .flat_map(|folder| FILES.iter().map(|name| folder.join(name)))
        .find(|path| path.is_file())?;
    // Shown relative to the current folder if possible.
    let here = std::env::current_dir().ok()?;
    Some(path.strip_prefix(here).map(Path::to_path_buf).unwrap_or(path))
}

/// The quarantine named by the configuration in a folder, if there is one; nothing else in the file matters.
#[must_use]
pub fn quarantine_in(folder: &Path) -> Option<PathBuf> {
    let path = FILES.iter().map(|name| folder.join(name)).find(|path| path.is_file())?;
    let root = Node::parse(&SourceFile::read(&path).ok()?).ok()?;
    Some(folder.join(root.get("gate")?.get("quarantine")?.as_str()?))
}

/// The variables in the names of models and providers, before they are filled in.
fn named_by_variables(node: &Node) -> BTreeSet<String> {
    let providers = node.get("providers").map(|node| &node.value);
    let defaults = match providers {
        Some(Value::Map(entries)) => entries.iter().filter_map(|(_, one)| one.get("defaultModel")).collect(),
        _ => Vec::new(),
    };
    let names = ["provider", "model"].into_iter().filter_map(|key| node.get(key)).chain(defaults);
    let end = |c: char| !(c.is_alphanumeric() || c == '_');
    let variables = names.filter_map(Node::as_str).flat_map(|text| {
        // `$${` is a literal `${`.
        let real = text.match_indices("${").filter(|(at, _)| !text[..*at].ends_with('$'));
        real.filter_map(|(at, begin)| text[at + begin.len()..].trim_start().split(end).next())
    });
    variables.map(str::to_owned).collect()
}

impl ConfigFile {
    /// Votes, scale and embeddings of expectations that do not set them.
    #[must_use]
    pub fn grader_defaults(&self) -> Defaults {
        self.grader.as_ref().map(|grader| grader.defaults.clone()).unwrap_or_default()
    }

    /// The folder of the cache, if the file sets it.
    #[must_use]
    pub fn cache_folder(&self) -> Option<PathBuf> {
        Some(self.folder.join(self.cache_dir.as_ref()?))
    }

    /// How judges are called.
    #[must_use]
    pub fn grader_terms(&self) -> Terms {
        self.grader.as_ref().map(|grader| grader.terms).unwrap_or_default()
    }

    /// Reads a configuration; reports everything that is wrong.
    #[must_use]
    pub fn read(path: &Path, environment: &Environment, found: &mut Diagnostics) -> Self {
        let source = match SourceFile::read(path) {
            Ok(source) => Arc::new(source),
            Err(error) => {
                found.push(unreadable(path, &error));
                return Self::default();
            }
        };
        let folder = path.parent().unwrap_or(Path::new("")).to_path_buf();
        let config = Self::of(&source, folder, environment, found, &SourceFile::read);
        Self { path: Some(path.to_path_buf()), ..config }
    }

    /// Builds it from a document that was already read; `read` gets the quarantine that it names.
    #[must_use]
    pub fn of(
        source: &Arc<SourceFile>,
        folder: PathBuf,
        environment: &Environment,
        found: &mut Diagnostics,
        read: &dyn Fn(&Path) -> Result<SourceFile, ReadError>,
    ) -> Self {
        let empty = Self { file: Some(Arc::clone(source)), folder, ..Self::default() };
        let mut node = match Node::parse(source) {
            Ok(node) => node,
            Err(error) => {
                let message = format!("invalid YAML: {}", error.message);
                found.push(Diagnostic::error("invalid-yaml", source, error.span, message));
                return empty;
            }
        };
        if matches!(node.value, Value::Null) {
            return empty;
        }
        let named = named_by_variables(&node);
        let filled = expand(&mut node, environment, source, found, |keys| match keys {
            ["providers", _, key, ..] if Field::is_inert(PROVIDER, key) => Relevance::Idle,
            ["providers" | "grader", ..] => Relevance::Perhaps,
            // Nothing reads it.
            ["project", ..] => Relevance::Idle,
            [key, ..] if Field::is_inert(CONFIG, key) => Relevance::Idle,
            _ => Relevance::Used,
        });
        let Some(fields) = Fields::check(&node, CONFIG, "the configuration", source, found) else {
            return empty;
        };
        ci(&fields, source, found);
        let (cache, patterns) = (fields.object("cache"), Patterns::default());
        Self {
            named_by_variables: named,
            provider: fields.string("provider"),
            model: fields.string("model"),
            providers: providers(&fields, &filled, &empty.folder, source, found),
            scenarios: fields.string("scenariosDir"),
            grader: fields.object("grader").map(|grader| {
                GraderConfig::read(&grader, filled.unset_below(&["grader"]), &empty.folder, source, found)
            }),
            cache_dir: cache.and_then(|cache| cache.string("dir")),
            cache_mode: cache.and_then(|cache| cache.word("mode")),
            gate: fields
                .object("gate")
                .map(|gate| GateConfig::read(&gate, &empty.folder, source, found, read))
                .unwrap_or_default(),
            stress: fields.object("stress").map(|stress| StressConfig::read(&stress)).unwrap_or_default(),
            target_version: fields
                .object("target")
                .and_then(|target| TargetVersion::read(target.node("version")?, source, found)),
            repeat: fields.integer("repeat"),
            redaction: redaction(&fields, source, &patterns, found),
            always: fields.node("always").map_or(Vec::new(), |node| {
                let variables = &BTreeMap::new();
                let setup = &Setup::default();
                Rule::read_all(
                    node,
                    &mut Reading { file: source, variables, setup, patterns: &patterns, found },
                )
            }),
            prices: prices(&fields, source, found),
            ..empty
        }
    }
}

/// Reports the replacement for each key of `ci`.
fn ci(fields: &Fields<'_>, source: &Arc<SourceFile>, found: &mut Diagnostics) {
    let Some(Value::Map(entries)) = fields.node("ci").map(|node| &node.value) else { return };
    for (key, _) in entries {
        let known = CI.iter().find(|(name, _)| key.as_str() == Some(name));
        if let Some((name, line)) = known {
            let finding = Diagnostic::error(
                "no-effect",
                source,
                key.span,
                format!("`ci.{name}` has no effect in akit"),
            );
            found.push(finding.help(format!("use `{line}`")).warn());
        }
    }
}

fn providers(
    fields: &Fields<'_>,
    filled: &Filled,
    folder: &Path,
    source: &Arc<SourceFile>,
    found: &mut Diagnostics,
) -> BTreeMap<String, ProviderConfig> {
    let Some(Value::Map(entries)) = fields.node("providers").map(|node| &node.value) else {
        return BTreeMap::new();
    };
    let mut providers = BTreeMap::new();
    for (key, value) in entries {
        let Some(name) = key.as_str() else { continue };
        if !NAMES.contains(&name) {
            let help = text::meant(name, &OFFERED, || format!("known providers: {}", text::list(&OFFERED)));
            let message = format!("unknown provider `{}`", text::excerpt(name, 60));
            found.push(Diagnostic::error("unknown-key", source, key.span, message).help(help));
        } else if let Some(fields) =
            Fields::check(value, PROVIDER, &format!("provider `{name}`"), source, found)
        {
            let trusted = trusted_origins(&fields, source, found);
            let unset = filled.unset_below(&["providers", name]);
            let key_file = fields.string("apiKeyFile").map(|file| folder.join(file));
            let key_command = fields.strings("apiKeyCommand");
            let granted = provider_config(&fields, source, found);
            let config = ProviderConfig { trusted, key_file, key_command, unset, ..granted };
            if let Some((key, message, help)) = config.misplaced_of_own(name) {
                let span = fields.key_span(key).unwrap_or_default();
                found.push(Diagnostic::error("unknown-key", source, span, message).help(help));
            }
            providers.insert(name.to_owned(), config);
        }
    }
    providers
}

fn prices(fields: &Fields<'_>, source: &Arc<SourceFile>, found: &mut Diagnostics) -> Prices {
    let Some(Value::Map(entries)) = fields.node("prices").map(|node| &node.value) else {
        return Prices::default();
    };
    let mut prices = Prices::default();
    for (key, value) in entries {
        let Some(model) = key.as_str() else { continue };
        let price = Fields::check(value, PRICE, &format!("the price of `{model}`"), source, found).and_then(
            |fields| {
                Some(Price {
                    input: fields.number("input")?,
                    cached: fields.number("cached"),
                    cache_write: fields.number("cache_write"),
                    output: fields.number("output")?,
                    ..Price::default()
                })
            },
        );
        if let Some(price) = price {
            prices.0.insert(model.to_owned(), price);
        }
    }
    prices
}

fn unreadable(path: &Path, error: &ReadError) -> Diagnostic {
    let file = Arc::new(SourceFile::from_text(&slashed(path), ""));
    let message = format!("cannot read the configuration: {error}");
    Diagnostic::error("unreadable-file", &file, Span::default(), message)
        .help("check the path passed to `--config`")
}
