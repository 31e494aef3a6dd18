//! Reads a document into a [`Scenario`], and reports everything that is wrong in it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::bot;
use super::dialogue::{Dialogue, Read};
use super::functions::Functions;
use super::prompt::messages;
use super::provider_config::{provider_config, tries};
use super::table::{CASE, PROVIDER_CONFIG, SCENARIO};
use super::{Case, ProviderConfig, Scenario, redaction};
use crate::environment::{Environment, Relevance, expand};
use crate::expectation::pattern::Patterns;
use crate::expectation::{Exception, Expectation, Reading, Rule, Setup, Signs, filled};
use crate::provider::{Message, Role};
use crate::redact::RedactionChoice;
use crate::source::{Diagnostic, Diagnostics, Field, Fields, Node, SourceFile, Span, Value};
use crate::text;

/// Minimum number of cases for which another thread is worthwhile.
const LEAST_SHARE: usize = 128;

/// Cases read before their nodes are freed: a file's nodes take more memory than its cases.
const BLOCK: usize = 4096;

/// Reads a scenario file; `None` if too little of it is valid to make a scenario.
#[must_use]
pub fn scenario(
    file: &Arc<SourceFile>,
    path: &Path,
    environment: &Environment,
    found: &mut Diagnostics,
) -> Option<Scenario> {
    let mut node = match Node::parse(file) {
        Ok(node) => node,
        Err(error) => {
            found.push(syntax(file, &error));
            return None;
        }
    };
    if matches!(node.value, Value::Null) {
        let message = "the file is empty".to_owned();
        found.push(
            Diagnostic::error("empty-file", file, Span::default(), message)
                .help("add `cases:` with at least one case"),
        );
        return None;
    }
    let filled = expand(&mut node, environment, file, found, |keys| match keys {
        // Judging recorded answers needs no address.
        ["providerConfig", key, ..] if Field::is_inert(PROVIDER_CONFIG, key) => Relevance::Idle,
        ["providerConfig", ..] => Relevance::Perhaps,
        [key, ..] if Field::is_inert(SCENARIO, key) => Relevance::Idle,
        _ => Relevance::Used,
    });
    let fields = Fields::check(&node, SCENARIO, "a scenario", file, found)?;
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let setup = fields.object("setup");
    let system = setup.as_ref().and_then(|setup| setup.text("systemPrompt"));
    let system = system.map(|(text, span)| (text.to_owned(), span));
    let variables: BTreeMap<_, _> = fields.scalars("variables", file).into_iter().collect();
    let instructions = system
        .as_ref()
        .map(|(text, _)| crate::expectation::substitute(text, |name| variables.get(name).cloned()));
    let patterns = Patterns::default();
    let mut expected = Setup::default();
    let mut functions = Functions::default();
    if let Some(setup) = &setup {
        let variables = &variables;
        let mut reading = Reading { file, variables, setup: &Setup::default(), patterns: &patterns, found };
        functions = Functions::read(setup, &mut reading);
        expected.functions = functions.names();
        let mut reading = Reading { file, variables, setup: &expected, patterns: &patterns, found };
        let handoff = setup.object("handoff").map(|fields| Signs::read(&fields, &mut reading));
        expected.handoff = handoff.map(Arc::new);
    }
    let handoff = setup.as_ref().and_then(|setup| setup.node("handoff")).map(Node::to_json);
    let handoff = handoff.unwrap_or_default();
    let signs = expected.handoff.clone();
    let shared = Inherited {
        variables: Arc::new(variables),
        tags: fields.strings("tags"),
        system,
        redaction: redaction(&fields, file, &patterns, found),
        allow_cut: fields.bool("allow_cut").unwrap_or_default(),
        setup: expected,
        sends_variables: false,
        played: functions.played(),
        handoff: handoff.clone(),
        always: Rules::Read(Vec::new()),
        patterns,
        file,
    };
    let always = fields.node("always");
    let shared = match always {
        Some(node) if !node.to_json().to_string().contains("{{") => {
            let Inherited { file, variables, setup, patterns, .. } = &shared;
            let rules = Rule::read_all(node, &mut Reading { file, variables, setup, patterns, found });
            Inherited { always: Rules::Read(rules), ..shared }
        }
        // The rules depend on the variables of the case.
        Some(node) => Inherited { always: Rules::Written(node.clone()), ..shared },
        None => shared,
    };
    check_cases(fields.node("cases")?, file, found);
    let scenario = Scenario {
        name: fields.string("name").unwrap_or(stem),
        file: Arc::clone(file),
        folder: path.parent().unwrap_or(Path::new("")).to_path_buf(),
        provider: fields.string("provider"),
        model: fields.string("model"),
        provider_config: ProviderConfig {
            unset: filled.unset_below(&["providerConfig"]),
            ..fields.object("providerConfig").map(|f| provider_config(&f, file, found)).unwrap_or_default()
        },
        seed: fields.integer("seed"),
        temperature: fields.number("temperature"),
        max_tokens: fields.integer("maxTokens"),
        system: instructions,
        functions,
        handoff,
        signs,
        environment: filled.used,
        cases: Vec::new(),
    };
    let shared = Inherited { sends_variables: scenario.provider_config.own.has_variables(), ..shared };
    let cases = cases(node.take_items("cases"), &shared, found);
    let scenario = Scenario { cases, ..scenario };
    bot::check(&scenario, found);
    Some(scenario)
}

fn syntax(file: &Arc<SourceFile>, error: &crate::source::SyntaxError) -> Diagnostic {
    let help = if error.message.contains("tab") {
        "indent with spaces"
    } else if error.message.contains("document") {
        "one scenario per file: split it at `---`"
    } else if error.message.contains("too large") || error.message.contains("too deeply") {
        "use fewer aliases and levels of nesting"
    } else if error.message.contains("anchor") {
        "quote text that begins with `*` or `&`: `*name` repeats what `&name` marked earlier"
    } else {
        "quote text that contains `: `, `#` or quotes"
    };
    Diagnostic::error("invalid-yaml", file, error.span, format!("invalid YAML: {}", error.message)).help(help)
}

/// What every case inherits from its scenario.
struct Inherited<'a> {
    variables: Arc<BTreeMap<String, String>>,
    tags: Vec<String>,
    system: Option<(String, Span)>,
    redaction: RedactionChoice,
    allow_cut: bool,
    always: Rules,
    /// What expectations need to know about `setup`.
    setup: Setup,
    /// Whether variables are sent along with the question.
    sends_variables: bool,
    /// What functions return.
    played: Option<serde_json::Value>,
    /// How a handoff is recognized.
    handoff: serde_json::Value,
    patterns: Patterns,
    file: &'a Arc<SourceFile>,
}

/// Rules of a scenario.
enum Rules {
    /// They are the same for every case.
    Read(Vec<Arc<Rule>>),
    /// They contain variables.
    Written(Node),
}

/// Reports `cases` that is not a list with entries.
fn check_cases(node: &Node, file: &Arc<SourceFile>, found: &mut Diagnostics) {
    let kind = match &node.value {
        Value::List(items) if !items.is_empty() => return,
        Value::List(_) => "an empty list",
        other => other.kind(),
    };
    let message = format!("`cases` must be a list with at least one case, found {kind}");
    found.push(
        Diagnostic::error("wrong-type", file, node.span, message).help("begin each case with `- id: name`"),
    );
}

fn cases(mut items: Vec<Node>, shared: &Inherited<'_>, found: &mut Diagnostics) -> Vec<Case> {
    let mut cases = Vec::with_capacity(items.len());
    let mut unread = Vec::new();
    for block in items.chunks_mut(BLOCK) {
        for item in in_parallel(block, shared, found) {
            match item {
                Item::Case(case) => cases.push(*case),
                Item::Unread(id, span) => unread.push((cases.len(), id, span)),
            }
        }
        for item in block {
            item.value = Value::Null;
        }
    }
    check_ids(&cases, &unread, shared.file, found);
    cases
}

/// Reports duplicate ids, also among cases that could not be read; each of those is listed with the index of the case
/// that follows it.
fn check_ids(
    cases: &[Case],
    unread: &[(usize, String, Span)],
    file: &Arc<SourceFile>,
    found: &mut Diagnostics,
) {
    let mut unread = unread.iter().peekable();
    let mut known: BTreeMap<&str, u32> = BTreeMap::new();
    let mut see = |id, span: Span| match known.entry(id) {
        Entry::Occupied(first) => {
            let message = format!("duplicate case id `{}`", text::excerpt(id, 60));
            found.push(
                Diagnostic::error("duplicate-id", file, span, message)
                    .label(format!("first on line {}", first.get()))
                    .help("rename one of them: results are stored by id"),
            );
        }
        Entry::Vacant(place) => {
            place.insert(span.line);
        }
    };
    for (index, case) in cases.iter().enumerate() {
        while let Some((_, id, span)) = unread.next_if(|(before, ..)| *before <= index) {
            see(id, *span);
        }
        see(&case.id, case.span);
    }
    unread.for_each(|(_, id, span)| see(id, *span));
}

/// An item of `cases`.
enum Item {
    Case(Box<Case>),
    /// The id and its place, if something else in the case is wrong.
    Unread(String, Span),
}

/// Reads the items, in order; long lists are read on one thread per core.
fn in_parallel(items: &[Node], shared: &Inherited<'_>, found: &mut Diagnostics) -> Vec<Item> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = items.len().div_ceil(threads).max(LEAST_SHARE);
    let mut parts = items.chunks(share);
    let first = parts.next().unwrap_or_default();
    std::thread::scope(|scope| {
        let others: Vec<_> = parts.map(|part| scope.spawn(|| read_items(part, shared))).collect();
        let (mut read, own) = read_items(first, shared);
        found.extend(own);
        for other in others {
            match other.join() {
                Ok((more, theirs)) => {
                    read.extend(more);
                    found.extend(theirs);
                }
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        read
    })
}

fn read_items(items: &[Node], shared: &Inherited<'_>) -> (Vec<Item>, Diagnostics) {
    let mut found = Diagnostics::default();
    let read = items.iter().filter_map(|item| {
        let fields = Fields::check(item, CASE, "a case", shared.file, &mut found)?;
        match case(&fields, shared, &mut found) {
            Some(case) => Some(Item::Case(Box::new(case))),
            None => fields.text("id").map(|(id, span)| Item::Unread(id.to_owned(), span)),
        }
    });
    (read.collect(), found)
}

fn case(fields: &Fields<'_>, shared: &Inherited<'_>, found: &mut Diagnostics) -> Option<Case> {
    let mut variables = (*shared.variables).clone();
    variables.extend(fields.scalars("variables", shared.file));
    let (patterns, setup) = (&shared.patterns, &shared.setup);
    let mut reading = Reading { file: shared.file, variables: &variables, setup, patterns, found };
    let prompt = fields.node("prompt");
    let dialogue = Read::of(fields, &mut reading);
    let is_conversation = ["turns", "customer"].into_iter().any(|key| fields.key_span(key).is_some());
    let messages = match prompt {
        Some(node) => messages(node, is_conversation, &mut reading),
        None if is_conversation => Some(Vec::new()),
        None => None,
    };
    let expected = fields.node("expected");
    let expectation = expected.and_then(|node| {
        let setup = dialogue.as_ref().map_or(setup, |read| &read.setup);
        // If the conversation cannot be read, its expectation cannot be checked.
        let is_readable = dialogue.is_some() || !is_conversation;
        let mut reading = Reading { setup, found: &mut *reading.found, ..reading };
        is_readable.then(|| Expectation::read(node, "`expected`", &mut reading))?
    });
    check_case(fields, is_conversation, dialogue.as_ref().map(|read| &read.dialogue), &mut reading);
    let always = match &shared.always {
        Rules::Read(rules) => rules.clone(),
        Rules::Written(node) => Rule::read_all(node, &mut reading),
    };
    let except = fields.node("except").map_or(Vec::new(), |node| exceptions(node, &mut reading));
    let (id, span) = fields.text("id")?;
    let dialogue = dialogue.map(|read| read.dialogue);
    let expectation = match (expected, &dialogue) {
        (None, Some(_)) => Expectation::nothing(span.line),
        _ => expectation?,
    };
    if is_conversation && dialogue.is_none() {
        return None;
    }
    let mut messages = messages?;
    let variables =
        if variables == *shared.variables { Arc::clone(&shared.variables) } else { Arc::new(variables) };
    let said = |key: &str| fields.node(key).map_or(serde_json::Value::Null, Node::to_json);
    let written = if dialogue.is_none() {
        said("expected")
    } else {
        let keys = ["expected", "turns", "customer", "facts", "stop_on_failure"];
        let all = keys.into_iter().map(|key| (key.to_owned(), said(key)));
        all.filter(|(_, said)| !said.is_null()).collect()
    };
    let written = filled(&written, &variables);
    let own = Own {
        messages: &messages,
        expected: &written,
        variables: fields.scalars("variables", shared.file).into_iter().collect(),
        provider: fields.string("provider"),
        model: fields.string("model"),
        played: shared.played.as_ref(),
        handoff: (dialogue.is_some() || expectation.asks_for_handoff()).then_some(&shared.handoff),
    };
    let own_instructions = |first: &Message| matches!(first.role, Role::System | Role::Developer);
    let inherits = shared.system.is_some() && !messages.first().is_some_and(own_instructions);
    let content_hash = own.hash(inherits || shared.sends_variables);
    // A list that begins with its own instructions replaces those of the scenario.
    if let Some((system, span)) = shared.system.as_ref().filter(|_| inherits) {
        let mut reading = Reading { file: shared.file, variables: &variables, setup, patterns, found };
        messages.insert(0, Message::new(Role::System, reading.fill(system, *span)));
    }
    messages.shrink_to_fit();
    let mut tags = shared.tags.clone();
    for tag in fields.strings("tags") {
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    tags.shrink_to_fit();
    Some(Case {
        id: id.to_owned(),
        name: fields.string("name"),
        span,
        location: shared.file.location(fields.key_span("id").unwrap_or(span)),
        tags,
        content_hash,
        messages,
        expectation,
        dialogue: dialogue.map(Box::new),
        always,
        except,
        variables,
        provider: fields.string("provider"),
        model: fields.string("model"),
        timeout: fields.integer("timeout").map(Duration::from_millis),
        retries: fields.integer("retries").map(tries),
        allow_cut: fields.bool("allow_cut").unwrap_or(shared.allow_cut),
        redaction: redaction(fields, shared.file, patterns, found).or(&shared.redaction),
        expected: written.to_string().into(),
    })
}

/// The rules that a case lifts; each needs a reason.
fn exceptions(node: &Node, reading: &mut Reading<'_>) -> Vec<Exception> {
    let Value::Map(entries) = &node.value else {
        let message = format!("`except` must map rules to reasons, found {}", node.value.kind());
        let finding = Diagnostic::error("wrong-type", reading.file, node.span, message);
        reading.found.push(finding.help("write `except: { NAME: \"why it does not apply here\" }`"));
        return Vec::new();
    };
    let of = |(key, reason): &(Node, Node)| {
        let name = key.as_str()?.to_owned();
        if reason.as_str().is_none_or(|reason| reason.trim().is_empty()) {
            let message = format!("`except` gives no reason for `{}`", text::excerpt(&name, 60));
            let finding = Diagnostic::error("wrong-value", reading.file, reason.span, message);
            reading.found.push(finding.help("add the reason why it does not apply to this case"));
        }
        Some(Exception { name, span: key.span })
    };
    entries.iter().filter_map(of).collect()
}

/// Reports the required keys that a case lacks.
fn check_case(
    fields: &Fields<'_>,
    is_conversation: bool,
    dialogue: Option<&Dialogue>,
    reading: &mut Reading<'_>,
) {
    let needs = |key: &str| format!("a case needs `{key}`");
    let ends_with_question = |node: &Node| {
        node.as_str().is_some()
            || node.items().last().and_then(|last| last.get("role")).and_then(Node::as_str) == Some("user")
    };
    if let Some(node) = fields.node("prompt").filter(|node| is_conversation && ends_with_question(node)) {
        let message = "`prompt` ends with a message that has no answer before the first turn";
        let help = "make that message the first turn, or add its answer with `role: assistant`";
        reading.refuse("wrong-value", node.start(), message.to_owned(), help);
    }
    if !is_conversation {
        for (key, help) in [
            ("prompt", "add `prompt:` with the question, or `turns:` with a conversation"),
            ("expected", "add `expected:` with what the answer must meet"),
        ] {
            if fields.key_span(key).is_none() && !fields.may_mean(key) {
                let finding = Diagnostic::error("missing-field", reading.file, fields.span(), needs(key));
                reading.found.push(finding.label(format!("`{key}` is missing here")).help(help));
            }
        }
    } else if fields.key_span("expected").is_none()
        && dialogue.is_some_and(|dialogue| dialogue.expectations().next().is_none())
    {
        let message = "this conversation has no expectation".to_owned();
        let help = "add `expected:` to a turn, or to the case";
        reading.refuse("missing-field", fields.span(), message, help);
    }
}

/// What a case itself says, variables filled.
struct Own<'a> {
    messages: &'a [Message],
    expected: &'a serde_json::Value,
    variables: BTreeMap<String, String>,
    provider: Option<String>,
    model: Option<String>,
    /// What functions return, which is part of the question.
    played: Option<&'a serde_json::Value>,
    /// How a handoff is recognized, if one is expected.
    handoff: Option<&'a serde_json::Value>,
}

impl Own<'_> {
    /// A hash over question and expectation: reformatting does not change it, and any other change does.
    ///
    /// The scenario's system prompt is not included: it belongs to the application that is compared. Included are the
    /// case's own variables that fill that prompt or a bot's request, and the model that the case names.
    fn hash(self, has_variables: bool) -> String {
        let mut content = serde_json::json!({ "messages": self.messages, "expected": self.expected });
        if has_variables && !self.variables.is_empty() {
            content["variables"] = serde_json::json!(self.variables);
        }
        for (key, value) in [("provider", self.provider), ("model", self.model)] {
            if let Some(value) = value {
                content[key] = value.into();
            }
        }
        for (key, value) in [("returns", self.played), ("handoff", self.handoff)] {
            if let Some(value) = value {
                content[key] = value.clone();
            }
        }
        crate::canonical::digest(&content)
    }
}
