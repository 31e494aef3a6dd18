//! The keys of a scenario file and what may stand behind them, and the JSON Schema made of both.

use super::dialogue::{CONVERSATION, MOST_TURNS, REPLY, TURN};
use super::functions::{FUNCTION, RETURN};
use super::redaction::REDACTION;
use crate::expectation::{self, NAMED, SIGNS};
use crate::provider::{Api, HEADERS, LIKES, NAMES, OFFERED, OWN, Role};
use crate::source::{Field, Shape};
use crate::vocabulary::StopWords;
use serde_json::{Value as Json, json};
use strum::VariantNames as _;

const SETUP: &[Field] = &[
    Field::optional("systemPrompt", Shape::Text, "Instructions to the model, sent before each prompt."),
    Field::optional("functions", Shape::Part("functions"), "Functions that the model may call."),
    Field::optional(
        "max_tool_rounds",
        Shape::Integer(1),
        "How often at most the model is asked again with what its calls returned (8).",
    ),
    Field::optional("handoff", Shape::Object(SIGNS), "How a handoff to a person shows."),
];

const TEARDOWN: &[Field] = &[Field::optional("cleanup", Shape::Bool, "Has no effect; kept for old files.")];

/// How an application behind a provider that akit cannot ask is tested.
const SERVED: &str = "write `provider: http` with `providerConfig: { url: \"http://127.0.0.1:8080/chat\" }`, or `provider: command`, or judge its answers with `--replies FILE`";

/// What an endpoint bears, of a provider or a judge.
pub const LIMITS: Field = Field::optional(
    "limits",
    Shape::Object(&[
        Field::optional("requests_per_minute", Shape::Integer(1), "Most requests in a minute."),
        Field::optional(
            "tokens_per_minute",
            Shape::Integer(1),
            "Most tokens in a minute, sent and received.",
        ),
        Field::optional("concurrency", Shape::Integer(1), "Most requests at once; `-c` may be lower."),
    ]),
    "What is sent to this address at most, by all who ask there.",
);

/// How long a rate limit is waited out, of a provider or a judge.
pub const PATIENCE: Field =
    Field::optional("patience", Shape::Integer(0), "Longest time to wait out a rate limit, in milliseconds.");

/// Keys of `providerConfig`.
pub const PROVIDER_CONFIG: &[Field] = &Field::join::<{ OF_VENDORS.len() + OWN.len() }>(&[OF_VENDORS, OWN]);

/// Keys for servers of vendors, and for all.
const OF_VENDORS: &[Field] = &[
    Field::optional("apiKey", Shape::Text, "Key; write `${NAME}` to take it from the environment."),
    Field::optional("baseUrl", Shape::Name, "Address of the server, with or without its `/v1`."),
    Field::optional(
        "like",
        Shape::OneOf(&LIKES),
        "Provider `openai`: a known server that speaks as it does, with its address and the variable of its key; provider `http`: the preset for keys that are not written.",
    ),
    Field::optional(
        "api",
        Shape::OneOf(Api::VARIANTS),
        "Providers `openai` and `azure-openai`: which interface (chat).",
    ),
    HEADERS,
    Field::optional("extraBody", Shape::Map, "What else goes along in the body; no secrets, it is recorded."),
    Field::optional("stream", Shape::Bool, "Whether answers are asked for piece by piece (false)."),
    Field::optional("defaultModel", Shape::Name, "Model where none is named."),
    Field::optional("timeout", Shape::Integer(1), "Longest time for one try, in milliseconds."),
    Field::optional("maxRetries", Shape::Integer(0), "Further tries after a transient error."),
    PATIENCE,
    LIMITS,
    Field::optional("organization", Shape::Text, "OpenAI's organisation."),
    Field::optional(
        "stopWords",
        Shape::Lexicon(&StopWords::MEANINGS, StopWords::is_known, StopWords::folded),
        "What a stop word means that akit does not know.",
    ),
    Field::optional(
        "resourceName",
        Shape::Name,
        "Azure OpenAI: name of the resource, in place of `baseUrl`.",
    ),
    Field::optional(
        "deploymentName",
        Shape::Name,
        "Azure OpenAI: name of the deployment; the model where none is named.",
    ),
    Field::optional(
        "apiVersion",
        Shape::Name,
        "Azure OpenAI: version of the interface, where not that of `/openai/v1`.",
    ),
    Field::optional("embeddingDeploymentName", Shape::Name, "Azure OpenAI: deployment for embeddings."),
    Field::optional(
        "modelFamily",
        Shape::Name,
        "Azure OpenAI: the model that is deployed, such as `gpt-6-luna`.",
    ),
    Field::foreign("apiKeyFile", "write it in akit.yaml, under `providers:` or `grader:`"),
    Field::foreign("apiKeyCommand", "write it in akit.yaml, under `providers:` or `grader:`"),
    Field::inert(
        "underlyingProvider",
        Shape::OneOf(&["openai", "azure", "anthropic", "google", "mistral"]),
        "Vercel AI: the provider behind it.",
        SERVED,
    ),
    Field::inert("name", Shape::Text, "LangChain, DeepAgents: name of the runnable.", SERVED),
    Field::inert("runnableType", Shape::Text, "LangChain: kind of runnable.", SERVED),
    Field::inert("captureTraces", Shape::Bool, "DeepAgents: whether traces are kept.", SERVED),
    Field::inert("captureMessages", Shape::Bool, "DeepAgents: whether messages are kept.", SERVED),
    Field::optional(
        "file",
        Shape::Name,
        "Provider `replies`: file of recorded replies, relative to this file.",
    ),
];

/// Keys of a message in a list under `prompt`.
pub(super) const MESSAGE: &[Field] = &[
    Field::required("role", Shape::OneOf(Role::VARIANTS), "Who speaks."),
    Field::required("content", Shape::Text, "What is said."),
];

/// Keys of a case.
pub(super) const CASE: &[Field] =
    &Field::join::<{ OF_CASES.len() + CONVERSATION.len() }>(&[OF_CASES, CONVERSATION]);

const OF_CASES: &[Field] = &[
    Field::required("id", Shape::Name, "Name of the case, unique in its scenario."),
    Field::optional("name", Shape::Text, "Title."),
    Field::optional("description", Shape::Text, "What the case is about."),
    Field::optional(
        "prompt",
        Shape::Part("prompt"),
        "What is asked: text, or a list of messages; beside `turns`, what was said before.",
    ),
    Field::optional(
        "expected",
        Shape::Part("expected"),
        "What the answer must be; of a case with `turns` or `customer`, what the conversation must be.",
    ),
    Field::optional(
        "except",
        Shape::Part("except"),
        "Rules of `always` that do not hold for the case, by their names, each with the reason.",
    ),
    Field::optional("tags", Shape::Texts, "Words to select the case by."),
    Field::optional("metadata", Shape::Map, "Anything; akit does not read it."),
    Field::optional("timeout", Shape::Integer(1), "Longest time for one try, in milliseconds."),
    Field::optional("retries", Shape::Integer(0), "Further tries after a transient error."),
    Field::optional("provider", Shape::Offered(&OFFERED, &NAMES), "Provider, instead of the scenario's."),
    Field::optional("model", Shape::Name, "Model, instead of the scenario's."),
    Field::optional("variables", Shape::Scalars, "Values for `{{name}}`, over those of the scenario."),
    Field::optional(
        "allow_cut",
        Shape::Bool,
        "Whether an answer that was cut may pass, instead of the scenario's.",
    ),
    Field::optional(
        "redaction",
        Shape::Object(REDACTION),
        "Removal of personal data, instead of the scenario's.",
    ),
];

/// Every key of a scenario file but those of expectations, with the keys that lead to it.
#[must_use]
pub fn keys() -> Vec<String> {
    let below = |part: &str, table: &'static [Field]| {
        Field::paths(table).into_iter().map(|path| format!("{part}.{path}")).collect::<Vec<_>>()
    };
    let functions = below("setup.functions", FUNCTION);
    let returns = below("setup.functions.returns", RETURN);
    let turns = [below("cases.turns", TURN), below("cases.customer.rules", REPLY)].concat();
    let parts = [turns, below("cases", CASE), below("cases.prompt", MESSAGE), below("always", NAMED)];
    [Field::paths(SCENARIO), functions, returns, parts.concat()].concat()
}

/// The key of the rules, in a scenario and in a configuration.
pub const ALWAYS: Field = Field::optional(
    "always",
    Shape::Part("always"),
    "Expectations that hold for every answer of every case.",
);

/// Keys of a scenario.
pub(super) const SCENARIO: &[Field] = &[
    Field::optional("name", Shape::Name, "Name of the scenario; the file's name where it is missing."),
    Field::optional("description", Shape::Text, "What the scenario is about."),
    Field::optional("version", Shape::Text, "Version of the scenario, as text."),
    Field::optional("provider", Shape::Offered(&OFFERED, &NAMES), "Who answers."),
    Field::optional("model", Shape::Name, "Model by the provider's name."),
    Field::optional("providerConfig", Shape::Object(PROVIDER_CONFIG), "How to reach the provider."),
    Field::optional("seed", Shape::Integer(0), "Root of the seeds of its cases."),
    Field::optional("temperature", Shape::Number(0.0, 2.0), "Temperature of the model, 0 to 2."),
    Field::optional("maxTokens", Shape::Integer(1), "Most tokens of a reply."),
    Field::optional("tags", Shape::Texts, "Tags of every case."),
    Field::optional("variables", Shape::Scalars, "Values for `{{name}}` in prompts and expectations."),
    Field::optional(
        "allow_cut",
        Shape::Bool,
        "Whether an answer that was cut may pass where it holds what it must (false).",
    ),
    Field::optional("redaction", Shape::Object(REDACTION), "Removal of personal data."),
    Field::optional("setup", Shape::Object(SETUP), "What goes before every prompt."),
    Field::foreign("system_prompt", "write `setup: { systemPrompt: … }`"),
    Field::foreign("systemPrompt", "write `setup: { systemPrompt: … }`"),
    ALWAYS,
    Field::required("cases", Shape::Part("cases"), "The cases, at least one."),
    Field::inert(
        "teardown",
        Shape::Object(TEARDOWN),
        "Has no effect; kept for old files.",
        "remove it: akit keeps nothing between cases that would have to be cleaned up",
    ),
];

/// The JSON Schema of a case: a question, or a conversation.
fn case() -> Json {
    let mut case = Field::schema(CASE);
    case["properties"]["customer"]["properties"]["max_turns"]["maximum"] = MOST_TURNS.into();
    case["oneOf"] = json!([
        { "required": ["prompt", "expected"], "not": { "anyOf": [{ "required": ["turns"] }, { "required": ["customer"] }] } },
        { "required": ["turns"] },
        { "required": ["customer"] },
    ]);
    case
}

/// JSON Schema 2020-12 of a scenario file.
#[must_use]
pub fn schema() -> Json {
    let mut schema = Field::schema(SCENARIO);
    let mut function = Field::schema(FUNCTION);
    // The rest of it is the provider's.
    function["additionalProperties"] = true.into();
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    schema["title"] = "akit scenario".into();
    schema["$defs"] = json!({
        "cases": { "type": "array", "minItems": 1, "items": case() },
        "turns": { "type": "array", "minItems": 1, "maxItems": MOST_TURNS, "items": Field::schema(TURN) },
        "rules": { "type": "array", "items": Field::schema(REPLY) },
        "ends": { "type": "array", "items": { "oneOf": [{ "const": "handoff" }, { "$ref": "#/$defs/expected" }] } },
        "say": { "oneOf": [
            { "type": "string", "pattern": "\\S" },
            { "type": "array", "minItems": 1, "items": { "type": "string", "pattern": "\\S" } },
        ] },
        "pause": { "type": ["integer", "string"], "minimum": 0 },
        "prompt": { "oneOf": [
            { "type": "string" },
            { "type": "array", "minItems": 1, "items": Field::schema(MESSAGE) },
        ] },
        "functions": { "type": "array", "items": function },
        "returns": { "type": "array", "minItems": 1, "items": Field::schema(RETURN) },
        "give": {},
        "pointers": { "oneOf": [
            { "type": "string" },
            { "type": "array", "minItems": 1, "items": { "type": "string" } },
        ] },
        "body": { "type": ["object", "array", "string"] },
        "statuses": { "type": "array", "minItems": 1, "items": { "type": "integer", "minimum": 200, "maximum": 599 } },
        "expected": expectation::schema(),
        "always": expectation::schema_of_rules(),
        "except": { "type": "object", "additionalProperties": { "type": "string", "pattern": "\\S" } },
        "expectations": { "type": "array", "minItems": 1, "items": { "$ref": "#/$defs/expected" } },
    });
    for (name, definition) in expectation::definitions() {
        schema["$defs"][name] = definition;
    }
    schema
}
