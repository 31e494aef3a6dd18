//! The keys of a scenario file with their types, and the JSON Schema made from them.

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
    Field::optional("systemPrompt", Shape::Text, "Instructions for the model, sent before each prompt."),
    Field::optional("functions", Shape::Part("functions"), "Functions the model may call."),
    Field::optional(
        "max_tool_rounds",
        Shape::Integer(1),
        "Maximum number of times the model is asked again with the results of its calls (8).",
    ),
    Field::optional("handoff", Shape::Object(SIGNS), "How to recognize a handoff to a person."),
];

const TEARDOWN: &[Field] = &[Field::optional("cleanup", Shape::Bool, "Has no effect; kept for old files.")];

/// Help for applications behind a provider that akit cannot call.
const SERVED: &str = "use `provider: http` with `providerConfig: { url: \"http://127.0.0.1:8080/chat\" }`, or `provider: command`, or judge its answers with `--replies FILE`";

/// Rate and concurrency limits of an endpoint, of a provider or a judge.
pub const LIMITS: Field = Field::optional(
    "limits",
    Shape::Object(&[
        Field::optional("requests_per_minute", Shape::Integer(1), "Maximum requests per minute."),
        Field::optional(
            "tokens_per_minute",
            Shape::Integer(1),
            "Maximum tokens per minute, sent and received.",
        ),
        Field::optional("concurrency", Shape::Integer(1), "Maximum requests at once; `-c` may be lower."),
    ]),
    "Limits for everything sent to this address.",
);

/// How long to wait out a rate limit, for a provider or a judge.
pub const PATIENCE: Field = Field::optional(
    "patience",
    Shape::Integer(0),
    "Maximum wait for a rate limit to clear, in milliseconds.",
);

/// Keys of `providerConfig`.
pub const PROVIDER_CONFIG: &[Field] = &Field::join::<{ OF_VENDORS.len() + OWN.len() }>(&[OF_VENDORS, OWN]);

/// Keys for vendors' servers, and for all providers.
const OF_VENDORS: &[Field] = &[
    Field::optional("apiKey", Shape::Text, "API key; write `${NAME}` to take it from the environment."),
    Field::optional("baseUrl", Shape::Name, "Address of the server, with or without its `/v1`."),
    Field::optional(
        "like",
        Shape::OneOf(&LIKES),
        "Provider `openai`: a known compatible server, which sets the address and the key's variable; \
             provider `http`: a preset for keys that you do not set.",
    ),
    Field::optional(
        "api",
        Shape::OneOf(Api::VARIANTS),
        "Providers `openai` and `azure-openai`: which API (chat).",
    ),
    HEADERS,
    Field::optional(
        "extraBody",
        Shape::Map,
        "Additional members of the request body; they are recorded, so do not put secrets here.",
    ),
    Field::optional("stream", Shape::Bool, "Whether answers are streamed (false)."),
    Field::optional("defaultModel", Shape::Name, "Default model."),
    Field::optional("timeout", Shape::Integer(1), "Time limit per attempt, in milliseconds."),
    Field::optional("maxRetries", Shape::Integer(0), "Retries after a transient error."),
    PATIENCE,
    LIMITS,
    Field::optional("organization", Shape::Text, "OpenAI organization."),
    Field::optional(
        "stopWords",
        Shape::Lexicon(&StopWords::MEANINGS, StopWords::is_known, StopWords::folded),
        "Meaning of stop words that akit does not know.",
    ),
    Field::optional("resourceName", Shape::Name, "Azure OpenAI: name of the resource, instead of `baseUrl`."),
    Field::optional("deploymentName", Shape::Name, "Azure OpenAI: name of the deployment (the model)."),
    Field::optional("apiVersion", Shape::Name, "Azure OpenAI: API version, if you do not use `/openai/v1`."),
    Field::optional("embeddingDeploymentName", Shape::Name, "Azure OpenAI: deployment for embeddings."),
    Field::optional("modelFamily", Shape::Name, "Azure OpenAI: the deployed model, such as `gpt-6-luna`."),
    Field::foreign("apiKeyFile", "set it in akit.yaml, under `providers:` or `grader:`"),
    Field::foreign("apiKeyCommand", "set it in akit.yaml, under `providers:` or `grader:`"),
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
        "Provider `replies`: file of recorded answers, relative to this file.",
    ),
];

/// Keys of a message in a list under `prompt`.
pub(super) const MESSAGE: &[Field] = &[
    Field::required("role", Shape::OneOf(Role::VARIANTS), "Role of the speaker."),
    Field::required("content", Shape::Text, "Text of the message."),
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
        "The question: text, or a list of messages; with `turns`, the conversation before them.",
    ),
    Field::optional(
        "expected",
        Shape::Part("expected"),
        "What the answer must meet; with `turns` or `customer`, what the conversation must meet.",
    ),
    Field::optional(
        "except",
        Shape::Part("except"),
        "Rules of `always` that do not apply to the case, by name, each with a reason.",
    ),
    Field::optional("tags", Shape::Texts, "Tags to select the case by."),
    Field::optional("metadata", Shape::Map, "Any data; akit ignores it."),
    Field::optional("timeout", Shape::Integer(1), "Time limit per attempt, in milliseconds."),
    Field::optional("retries", Shape::Integer(0), "Retries after a transient error."),
    Field::optional("provider", Shape::Offered(&OFFERED, &NAMES), "Provider; overrides the scenario's."),
    Field::optional("model", Shape::Name, "Model; overrides the scenario's."),
    Field::optional("variables", Shape::Scalars, "Values for `{{name}}`; override those of the scenario."),
    Field::optional(
        "allow_cut",
        Shape::Bool,
        "Whether a truncated answer may pass; overrides the scenario's.",
    ),
    Field::optional(
        "redaction",
        Shape::Object(REDACTION),
        "Removal of personal data; overrides the scenario's.",
    ),
];

/// The paths of all keys of a scenario file except those of expectations.
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

/// The key of the rules, in scenarios and in the configuration.
pub const ALWAYS: Field = Field::optional(
    "always",
    Shape::Part("always"),
    "Expectations that every answer in every case must meet.",
);

/// Keys of a scenario.
pub(super) const SCENARIO: &[Field] = &[
    Field::optional("name", Shape::Name, "Name of the scenario; defaults to the file's name."),
    Field::optional("description", Shape::Text, "What the scenario is about."),
    Field::optional("version", Shape::Text, "Version of the scenario, as text."),
    Field::optional("provider", Shape::Offered(&OFFERED, &NAMES), "How the application is called."),
    Field::optional("model", Shape::Name, "Model, as the provider calls it."),
    Field::optional("providerConfig", Shape::Object(PROVIDER_CONFIG), "How to reach the provider."),
    Field::optional("seed", Shape::Integer(0), "Base seed of the cases."),
    Field::optional("temperature", Shape::Number(0.0, 2.0), "Temperature of the model, 0 to 2."),
    Field::optional("maxTokens", Shape::Integer(1), "Maximum tokens per answer."),
    Field::optional("tags", Shape::Texts, "Tags of every case."),
    Field::optional("variables", Shape::Scalars, "Values for `{{name}}` in prompts and expectations."),
    Field::optional(
        "allow_cut",
        Shape::Bool,
        "Whether a truncated answer may pass if it meets the expectations (false).",
    ),
    Field::optional("redaction", Shape::Object(REDACTION), "Removal of personal data."),
    Field::optional("setup", Shape::Object(SETUP), "What every case starts with."),
    Field::foreign("system_prompt", "use `setup: { systemPrompt: … }`"),
    Field::foreign("systemPrompt", "use `setup: { systemPrompt: … }`"),
    ALWAYS,
    Field::required("cases", Shape::Part("cases"), "The cases, at least one."),
    Field::inert(
        "teardown",
        Shape::Object(TEARDOWN),
        "Has no effect; kept for old files.",
        "remove it: akit keeps nothing between cases",
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
    // All other keys belong to the provider.
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
