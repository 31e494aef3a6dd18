//! Answers in other tools' files, which have no case ids: promptfoo results, and conversations in OpenAI's format.
//! They are matched by what they say about the test.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use super::message::{self, Said, Unread};
use super::{Message, Role, end};
use crate::stats::whole;
use crate::text;
use crate::vocabulary::{Answer, ToolCall, Usage};

/// A case, with everything such files may identify it by.
#[derive(Clone, Copy, Debug)]
pub struct Whom<'a> {
    /// Name of its scenario.
    pub scenario: &'a str,
    /// Its id.
    pub id: &'a str,
    /// Its title.
    pub name: Option<&'a str>,
    /// Its variables.
    pub variables: &'a BTreeMap<String, String>,
    /// The messages sent.
    pub messages: &'a [Message],
}

impl Whom<'_> {
    /// The question.
    fn asked(&self) -> &str {
        self.messages.last().map_or("", |last| plain(&last.content))
    }
}

/// Speaker and text.
type Line = (Role, String);

/// The question as it is in a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Asked {
    Text(String),
    Messages(Vec<Line>),
}

/// How well a question matches a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fit {
    /// It is the case's question.
    Exact,
    /// It contains the case's question, or the file has no question.
    Perhaps,
    /// It is another question.
    Other,
}

impl Asked {
    /// The last message.
    fn last(&self) -> &str {
        match self {
            Self::Text(text) => plain(text),
            Self::Messages(list) => list.last().map_or("", |(_, text)| plain(text)),
        }
    }

    /// The messages before the answer; `None` if one is unreadable.
    fn read(messages: &[Json]) -> Option<Self> {
        let until = message::answers(messages).next().map_or(messages.len(), |(at, _)| at);
        let line = |one: &Json| {
            let role = Json::clone(one.get("role")?);
            Some((serde_json::from_value(role).ok()?, message::said(one).ok()?.text))
        };
        messages[..until].iter().map(line).collect::<Option<_>>().map(Self::Messages)
    }

    fn fit(&self, whom: &Whom<'_>) -> Fit {
        let is_system = |role: Role| matches!(role, Role::System | Role::Developer);
        let is_exact = match self {
            Self::Text(text) => plain(text) == whom.asked(),
            Self::Messages(list) => {
                // A case without instructions leaves them to the application.
                let has_system = whom.messages.iter().any(|one| is_system(one.role));
                let lines = list.iter().filter(|(role, _)| has_system || !is_system(*role));
                let lines = lines.map(|(role, text)| ((!is_system(*role)).then_some(*role), plain(text)));
                let wanted = whom.messages.iter();
                lines.eq(wanted.map(|one| ((!is_system(one.role)).then_some(one.role), plain(&one.content))))
            }
        };
        match is_exact {
            true => Fit::Exact,
            false if !whom.asked().is_empty() && self.last().contains(whom.asked()) => Fit::Perhaps,
            false => Fit::Other,
        }
    }
}

/// An answer, and what its file says about the test.
#[derive(Clone, Debug)]
struct Given {
    /// Its place: `result 3`, `line 7`.
    place: String,
    description: Option<String>,
    variables: BTreeMap<String, String>,
    asked: Option<Asked>,
    answer: Answer,
}

impl Given {
    fn fit(&self, whom: &Whom<'_>) -> Fit {
        self.asked.as_ref().map_or(Fit::Perhaps, |asked| asked.fit(whom))
    }

    fn has_variables(&self, whom: &Whom<'_>) -> bool {
        let is_told = |(name, value): (&String, &String)| {
            self.variables.get(name).is_some_and(|told| plain(told) == plain(value))
        };
        !whom.variables.is_empty() && whom.variables.iter().all(is_told)
    }
}

/// The answers of one or more files.
#[derive(Clone, Debug, Default)]
pub(super) struct Foreign {
    given: Vec<Given>,
    by_description: BTreeMap<String, Vec<usize>>,
    by_prompt: BTreeMap<String, Vec<usize>>,
}

/// A string for comparison, without the line breaks that files add at the end.
fn plain(text: &str) -> &str {
    text.trim()
}

impl Foreign {
    fn add(&mut self, given: Given) {
        let index = self.given.len();
        if let Some(description) = &given.description {
            self.by_description.entry(plain(description).to_owned()).or_default().push(index);
        }
        if let Some(asked) = &given.asked {
            self.by_prompt.entry(asked.last().to_owned()).or_default().push(index);
        }
        self.given.push(given);
    }

    /// Adds a conversation of a line without an id.
    pub(super) fn add_conversation(&mut self, line: u32, messages: &Json, answer: Answer) {
        let asked = messages.as_array().and_then(|list| Asked::read(list));
        let place = format!("line {line}");
        self.add(Given { place, description: None, variables: BTreeMap::new(), asked, answer });
    }

    /// The answers to a case: matched by the test's description if possible, then by its variables, then by its prompt.
    fn all(&self, whom: &Whom<'_>) -> Vec<usize> {
        let fit = |at: &usize| self.given[*at].fit(whom);
        let mut named = [whom.name, Some(whom.id)].into_iter().flatten();
        let mut found = match named.find_map(|name| self.by_description.get(plain(name))) {
            Some(found) => found.clone(),
            None if whom.variables.is_empty() => Vec::new(),
            None => {
                let is_meant = |given: &Given| given.description.is_none() && given.has_variables(whom);
                let all = (0..self.given.len()).filter(|at| is_meant(&self.given[*at]));
                all.filter(|at| fit(at) != Fit::Other).collect()
            }
        };
        if found.is_empty() {
            let asked = self.by_prompt.get(whom.asked()).cloned().unwrap_or_default();
            found = asked.into_iter().filter(|at| fit(at) == Fit::Exact).collect();
        }
        // One test may have been run with several prompts.
        if found.iter().any(|at| fit(at) == Fit::Exact) {
            found.retain(|at| fit(at) == Fit::Exact);
        }
        found
    }

    pub(super) fn find(&self, whom: &Whom<'_>, trial: u32) -> Option<&Answer> {
        if self.given.is_empty() {
            return None;
        }
        self.all(whom).get(trial as usize).map(|at| &self.given[*at].answer)
    }

    /// Describes ambiguous answers: those that match several cases or another case's question, and those that answer
    /// several questions of one case.
    pub(super) fn doubtful(&self, cases: &[Whom<'_>]) -> Vec<String> {
        if self.given.is_empty() {
            return Vec::new();
        }
        let mut by_asked: BTreeMap<&str, Vec<&Whom<'_>>> = BTreeMap::new();
        for whom in cases {
            by_asked.entry(whom.asked()).or_default().push(whom);
        }
        let mut served: BTreeMap<usize, Vec<&Whom<'_>>> = BTreeMap::new();
        let mut found = Vec::new();
        for whom in cases {
            let all = self.all(whom);
            let asked: BTreeSet<_> = all.iter().map(|at| &self.given[*at].asked).collect();
            if asked.len() > 1 {
                let places: Vec<_> = all.iter().map(|at| self.given[*at].place.clone()).collect();
                found.push(format!(
                    "{} answer different prompts, and none clearly belongs to case `{}`",
                    places.join(" and "),
                    text::excerpt(whom.id, 60)
                ));
            }
            for at in all {
                served.entry(at).or_default().push(whom);
            }
        }
        for (at, mut whoms) in served {
            let given = &self.given[at];
            let asked = given.asked.as_ref().and_then(|asked| by_asked.get(asked.last()));
            if let ([whom], Some(others)) = (whoms.as_slice(), asked)
                && given.fit(whom) != Fit::Exact
            {
                whoms.extend(others.iter().filter(|other| given.fit(other) == Fit::Exact));
            }
            if whoms.len() > 1 {
                let names: Vec<_> = whoms.into_iter().map(|whom| text::excerpt(whom.id, 60)).collect();
                found.push(format!("{} may be the answer to cases {}", given.place, text::list(&names)));
            }
        }
        found
    }

    /// Describes the answers that match none of these cases.
    pub(super) fn unmatched(&self, cases: &[Whom<'_>]) -> Vec<String> {
        if self.given.is_empty() {
            return Vec::new();
        }
        let used: BTreeSet<usize> = cases.iter().flat_map(|whom| self.all(whom)).collect();
        let told = |given: &Given| {
            let what = given.description.as_deref().or(given.asked.as_ref().map(Asked::last));
            format!("{} (`{}`)", given.place, text::excerpt(what.unwrap_or("no description"), 60))
        };
        let unused = self.given.iter().enumerate().filter(|(at, _)| !used.contains(at));
        unused.map(|(_, given)| told(given)).collect()
    }

    /// Adds promptfoo results; `None` if the document is something else, and an error if the results cannot be used.
    pub(super) fn add_promptfoo(&mut self, document: &Json) -> Option<Result<(), String>> {
        let results =
            document.pointer("/results/results").or_else(|| document.pointer("/results"))?.as_array()?;
        let providers: BTreeSet<String> = results.iter().filter_map(provider).collect();
        if providers.len() > 1 {
            let names: Vec<_> = providers.iter().map(|name| text::excerpt(name, 60)).collect();
            return Some(Err(format!(
                "these are results of several providers ({}); export those of one with `promptfoo eval --filter-providers`",
                text::list(&names)
            )));
        }
        let before = self.given.len();
        for (number, result) in (before + 1..).zip(results) {
            match given(number, result) {
                Ok(given) => self.add(given),
                Err(trouble) => return Some(Err(format!("result {number}: {trouble}"))),
            }
        }
        Some(Ok(()))
    }
}

fn provider(result: &Json) -> Option<String> {
    let provider = result.get("provider")?;
    provider.as_str().or_else(|| provider.get("id")?.as_str()).map(str::to_owned)
}

fn given(number: usize, result: &Json) -> Result<Given, String> {
    let text = |place: &str| result.pointer(place).and_then(Json::as_str).map(str::to_owned);
    let asked = text("/prompt/raw").or_else(|| text("/prompt")).map(|raw| {
        // A conversation is written as JSON.
        let messages = serde_json::from_str::<Vec<Json>>(&raw).ok();
        messages.and_then(|list| Asked::read(&list)).unwrap_or(Asked::Text(raw))
    });
    let variables = result.get("vars").or_else(|| result.pointer("/testCase/vars")).and_then(Json::as_object);
    let scalar = |value: &Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let variables =
        variables.into_iter().flatten().map(|(name, value)| (name.clone(), scalar(value))).collect();
    let output = result.pointer("/response/output").or_else(|| result.pointer("/output"));
    let output = output.filter(|output| !output.is_null());
    // A failed request has no answer, and must not be left out.
    let is_error = says_error(result, output.is_some());
    let said = match output {
        None if is_error => Said::default(),
        None => return Err("it has no `response.output`".to_owned()),
        Some(output) => said(output).map_err(|unread| format!("`response.output` {unread}"))?,
    };
    let response = result.get("response");
    let is = |place: &str| response.and_then(|response| response.pointer(place)) == Some(&Json::Bool(true));
    let beside = [
        (is_error, "error"),
        (is("/guardrails/flagged"), "content_filter"),
        (said.refused || is("/isRefusal"), "refusal"),
    ];
    let beside = beside.into_iter().find_map(|(is_so, word)| is_so.then(|| word.to_owned()));
    let number_at =
        |place: &str| result.pointer(place).and_then(Json::as_f64).filter(|number| *number >= 0.0);
    let tokens = |place: &str| result.pointer(place).and_then(Json::as_u64);
    let usage = (tokens("/response/tokenUsage/prompt"), tokens("/response/tokenUsage/completion"));
    let usage = match usage {
        (None, None) => None,
        (input, output) => Some(Usage {
            input_tokens: input.unwrap_or_default(),
            output_tokens: output.unwrap_or_default(),
            ..Usage::default()
        }),
    };
    Ok(Given {
        place: format!("result {number}"),
        description: text("/testCase/description").or_else(|| text("/description")),
        variables,
        asked,
        answer: Answer {
            text: said.text,
            tool_calls: said.tool_calls,
            finish_reason: end::of_messages(response.into_iter(), beside),
            latency_ms: number_at("/latencyMs").and_then(|ms| whole(ms.round())),
            cost_usd: number_at("/cost"),
            usage,
            given: true,
            ..Answer::default()
        },
    })
}

/// Reads an output. promptfoo keeps a vendor's calls unchanged: as a message, as a list of calls or parts, or as text
/// with one JSON call per line.
fn said(output: &Json) -> Result<Said, Unread> {
    match output {
        Json::String(text) => {
            let mut said = Said::default();
            let mut words = Vec::new();
            for line in text.split('\n') {
                match serde_json::from_str::<Json>(line).ok().filter(is_call) {
                    Some(call) => said.tool_calls.extend(calls(std::slice::from_ref(&call))?),
                    None => words.push(line),
                }
            }
            said.text =
                if said.tool_calls.is_empty() { text.clone() } else { words.join("\n").trim().to_owned() };
            Ok(said)
        }
        Json::Array(items) if items.iter().any(is_call) => {
            let (called, parts): (Vec<_>, Vec<_>) = items.iter().cloned().partition(is_call);
            let said = message::said(&json!({ "content": parts }))?;
            Ok(Said { tool_calls: calls(&called)?, ..said })
        }
        Json::Object(message)
            if ["tool_calls", "function_call"].iter().any(|key| message.contains_key(*key)) =>
        {
            message::said(output)
        }
        call if is_call(call) => {
            Ok(Said { tool_calls: calls(std::slice::from_ref(call))?, ..Said::default() })
        }
        other => Ok(Said { text: other.to_string(), ..Said::default() }),
    }
}

/// Whether JSON is a call, under any vendor's names.
fn is_call(json: &Json) -> bool {
    const TYPES: [&str; 7] = [
        "function",
        "function_call",
        "tool_call",
        "tool_use",
        "custom",
        "custom_tool_call",
        "server_tool_use",
    ];
    let is_type = |told: &Json| told.as_str().is_some_and(|told| TYPES.contains(&told));
    json.get("type").is_some_and(is_type)
        || ["functionCall", "function_call"].iter().any(|key| json[key].is_object())
}

/// Reads calls in any of these forms.
fn calls(list: &[Json]) -> Result<Vec<ToolCall>, Unread> {
    let inner = |call: &Json| ["functionCall", "function_call"].iter().find_map(|key| call.get(key).cloned());
    let list = list.iter().map(|call| inner(call).unwrap_or_else(|| call.clone())).collect::<Json>();
    Ok(message::said(&json!({ "tool_calls": list }))?.tool_calls)
}

/// Whether a result is an error. A failed assertion is in the same place, but is not an error.
fn says_error(result: &Json, has_output: bool) -> bool {
    let is_told = |place: &str| result.pointer(place).is_some_and(end::says_something);
    let is_assertion = match result.get("failureReason").and_then(Json::as_u64) {
        // 0: no failure; 1: an assertion failed.
        Some(reason @ (0 | 1)) => reason == 1 || !is_told("/error"),
        Some(_) => return true,
        None => is_told("/gradingResult"),
    };
    is_told("/response/error") || (is_told("/error") && !(has_output && is_assertion))
}
