//! `grader:` of a configuration: the judge and how it is called.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::trust::{KEY_COMMAND, KEY_FILE};
use crate::environment::Unset;
use crate::grader::calibration::{Demands, Unmet};
use crate::grader::{Ballot, Canaries, Defaults, Effort, Terms};
use crate::provider::{DEFAULT, NAMES, OFFERED, Spec};
use crate::scenario::{LIMITS, PATIENCE, ProviderConfig, api_key, limits, tries};
use crate::source::{Diagnostic, Diagnostics, Field, Fields, Shape, SourceFile};
use strum::VariantNames as _;

pub(super) const GRADER: &[Field] = &[
    Field::optional("provider", Shape::Offered(&OFFERED, &NAMES), "Provider of the judge (openai)."),
    Field::required("model", Shape::Name, "Model of the judge."),
    Field::optional("baseUrl", Shape::Name, "Address of the judge, up to and including `/v1`."),
    Field::optional("apiKey", Shape::Text, "API key; write `${NAME}` to take it from the environment."),
    KEY_FILE,
    KEY_COMMAND,
    Field::optional("timeout", Shape::Integer(1), "Time limit per attempt, in milliseconds."),
    Field::optional("maxRetries", Shape::Integer(0), "Retries after a transient error."),
    PATIENCE,
    LIMITS,
    Field::optional("votes", Shape::Integer(1), "Verdicts per answer, an odd number."),
    Field::optional("scale", Shape::Steps, "Highest score on the judge's scale (10)."),
    Field::optional("embeddingModel", Shape::Name, "Embedding model for `similarity`."),
    Field::optional(
        "maxTokens",
        Shape::Integer(1),
        "Maximum tokens per verdict, including thinking; doubled once if a verdict is truncated (8192).",
    ),
    Field::optional("effort", Shape::OneOf(Effort::VARIANTS), "How much the judge reasons."),
    Field::optional("maxAnswer", Shape::Integer(1), "Longest answer to judge, in characters (32000)."),
    Field::optional(
        "canaries",
        Shape::OneOf(Canaries::VARIANTS),
        "Whether the judge is first tested on known-bad answers (on); use `off` only for stubs in tests.",
    ),
    Field::optional("calibration", Shape::Object(CALIBRATION), "Calibration of the judge."),
];

const CALIBRATION: &[Field] = &[
    Field::required("file", Shape::Name, "File stored by `akit calibrate`, relative to this file."),
    Field::optional("min_n", Shape::Integer(1), "Minimum number of judged labels."),
    Field::optional("min_kappa", Shape::Number(-1.0, 1.0), "Minimum kappa, -1 to 1."),
    Field::optional(
        "min_tpr",
        Shape::Number(0.0, 1.0),
        "Minimum share of good answers that the judge passes.",
    ),
    Field::optional("min_tnr", Shape::Number(0.0, 1.0), "Minimum share of bad answers that the judge fails."),
    Field::optional(
        "required",
        Shape::Bool,
        "Whether a verdict without such a calibration is an error instead of advisory (false).",
    ),
];

/// The configured judge.
#[derive(Clone, Debug, Default)]
pub struct GraderConfig {
    /// Provider.
    pub provider: Option<String>,
    /// Model.
    pub model: Option<String>,
    /// Address, key, timeouts and retries.
    pub access: ProviderConfig,
    /// Votes, scale, embeddings.
    pub defaults: Defaults,
    /// Its limits, effort and canaries.
    pub terms: Terms,
    /// `calibration`: its file, as written, and its requirements.
    pub calibration: Option<(String, Demands)>,
}

impl GraderConfig {
    /// Reads it; reports what is wrong.
    pub(super) fn read(
        grader: &Fields<'_>,
        unset: Vec<(String, Unset)>,
        folder: &Path,
        source: &Arc<SourceFile>,
        found: &mut Diagnostics,
    ) -> Self {
        if let Some((name, span)) = grader.text("provider").filter(|(name, _)| Spec::is_own(name)) {
            let message = format!("provider `{name}` cannot judge; it can only answer cases");
            let finding = Diagnostic::error("wrong-value", source, span, message);
            found.push(finding.help("choose a model provider"));
        }
        Self {
            provider: grader.string("provider"),
            model: grader.string("model"),
            access: ProviderConfig { unset, ..access(grader, folder) },
            defaults: defaults(grader, source, found),
            terms: terms(grader),
            calibration: grader.object("calibration").and_then(|calibration| demands(&calibration)),
        }
    }

    /// Its provider, or the default.
    #[must_use]
    pub fn provider(&self) -> &str {
        self.provider.as_deref().unwrap_or(DEFAULT)
    }
}

/// Votes, scale and embeddings of a judge.
fn defaults(grader: &Fields<'_>, source: &Arc<SourceFile>, found: &mut Diagnostics) -> Defaults {
    let mut defaults = Defaults { embedding_model: grader.string("embeddingModel"), ..Defaults::default() };
    if let Some(scale) = grader.integer("scale").and_then(|scale| u32::try_from(scale).ok()) {
        defaults.scale = scale;
    }
    match grader.integer("votes") {
        Some(votes) if votes % 2 == 0 || votes > 99 => {
            let span = grader.key_span("votes").unwrap_or_default();
            let message = format!("`votes` must be an odd number up to 99, found {votes}");
            found.push(
                Diagnostic::error("wrong-value", source, span, message)
                    .help("use an odd number; an even number of votes can end in a tie"),
            );
        }
        Some(votes) => defaults.ballot = Ballot::Fixed(u32::try_from(votes).unwrap_or(1)),
        None => {}
    }
    defaults
}

/// Limits, effort and canaries of a judge.
fn terms(grader: &Fields<'_>) -> Terms {
    let usual = Terms::default();
    Terms {
        max_tokens: grader.integer("maxTokens").unwrap_or(usual.max_tokens),
        effort: grader.word("effort"),
        max_answer: grader.integer("maxAnswer").unwrap_or(usual.max_answer),
        canaries: grader.word("canaries").unwrap_or(usual.canaries),
    }
}

/// The file of a calibration and its requirements.
fn demands(calibration: &Fields<'_>) -> Option<(String, Demands)> {
    let demands = Demands {
        min_n: calibration.integer("min_n"),
        min_kappa: calibration.number("min_kappa"),
        min_tpr: calibration.number("min_tpr"),
        min_tnr: calibration.number("min_tnr"),
        unmet: match calibration.bool("required") {
            Some(true) => Unmet::Error,
            _ => Unmet::Advisory,
        },
    };
    Some((calibration.string("file")?, demands))
}

/// Address, key, timeouts and retries of a judge, which has fewer keys than a provider.
fn access(grader: &Fields<'_>, folder: &Path) -> ProviderConfig {
    ProviderConfig {
        api_key: api_key(grader),
        key_file: grader.string("apiKeyFile").map(|file| folder.join(file)),
        key_command: grader.strings("apiKeyCommand"),
        base_url: grader.string("baseUrl"),
        timeout: grader.integer("timeout").map(Duration::from_millis),
        retries: grader.integer("maxRetries").map(tries),
        patience: grader.integer("patience").map(Duration::from_millis),
        limits: limits(grader),
        ..ProviderConfig::default()
    }
}
