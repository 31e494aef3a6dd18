//! Answers in files of others, which know nothing of a case's id: the results of promptfoo, and conversations as OpenAI
//! writes them. They are matched by what they say of the test.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use crate::stats::whole;
use crate::text;
use crate::vocabulary::{Answer, Usage};

/// A case, as files of others may know it.
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
    /// What is asked.
    pub asked: &'a str,
}

/// An answer, and what its file says of the test.
#[derive(Clone, Debug)]
struct Given {
    /// Where it stands: `result 3`, `line 7`.
    place: String,
    description: Option<String>,
    variables: BTreeMap<String, String>,
    prompt: Option<String>,
    answer: Answer,
}

/// The answers of one or more files.
#[derive(Clone, Debug, Default)]
pub(super) struct Foreign {
    given: Vec<Given>,
    by_description: BTreeMap<String, Vec<usize>>,
    by_prompt: BTreeMap<String, Vec<usize>>,
}

/// A text as it is compared: line ends of a file's end are none of a prompt.
fn plain(text: &str) -> &str {
    text.trim()
}

impl Foreign {
    fn add(&mut self, given: Given) {
        let index = self.given.len();
        if let Some(description) = &given.description {
            self.by_description.entry(plain(description).to_owned()).or_default().push(index);
        }
        if let Some(prompt) = &given.prompt {
            self.by_prompt.entry(plain(prompt).to_owned()).or_default().push(index);
        }
        self.given.push(given);
    }

    /// Adds a conversation of a line that names no case: its answer, and the messages before it.
    pub(super) fn add_conversation(&mut self, line: u32, messages: &Json, answer: Answer) {
        let asked = messages.as_array().and_then(|list| asked_in(list));
        self.add(Given {
            place: format!("line {line}"),
            description: None,
            variables: BTreeMap::new(),
            prompt: asked,
            answer,
        });
    }

    /// The answers to a case, by the description of the test, else by its variables, else by its prompt.
    fn all(&self, whom: &Whom<'_>) -> Vec<&Given> {
        let mut named = [whom.name, Some(whom.id)].into_iter().flatten();
        let by_description = named.find_map(|name| self.by_description.get(plain(name)));
        let by_prompt = || self.by_prompt.get(plain(whom.asked)).cloned().unwrap_or_default();
        let has_variables = |given: &Given| {
            let all = &given.variables;
            !all.is_empty()
                && !whom.variables.is_empty()
                && whom
                    .variables
                    .iter()
                    .all(|(name, value)| all.get(name).map(|it| plain(it)) == Some(plain(value)))
        };
        let found = match by_description {
            Some(found) => found.clone(),
            None => (0..self.given.len())
                .filter(|at| self.given[*at].description.is_none() && has_variables(&self.given[*at]))
                .collect(),
        };
        let mut found = if found.is_empty() { by_prompt() } else { found };
        // One test may have been asked with several prompts.
        let prompts: BTreeSet<_> = found.iter().map(|at| self.given[*at].prompt.as_deref()).collect();
        if prompts.len() > 1 {
            found.retain(|at| self.given[*at].prompt.as_deref().map(plain) == Some(plain(whom.asked)));
        }
        found.into_iter().map(|at| &self.given[at]).collect()
    }

    pub(super) fn find(&self, whom: &Whom<'_>, trial: u32) -> Option<&Answer> {
        if self.given.is_empty() {
            return None;
        }
        self.all(whom).get(trial as usize).map(|given| &given.answer)
    }

    /// What answers none of these cases, for people.
    pub(super) fn unmatched<'a>(&self, cases: impl Iterator<Item = Whom<'a>>) -> Vec<String> {
        if self.given.is_empty() {
            return Vec::new();
        }
        let used: BTreeSet<&str> =
            cases.flat_map(|whom| self.all(&whom)).map(|given| given.place.as_str()).collect();
        let told = |given: &Given| {
            let what = given.description.as_deref().or(given.prompt.as_deref()).unwrap_or("no description");
            format!("{} (`{}`)", given.place, text::excerpt(what, 60))
        };
        self.given.iter().filter(|given| !used.contains(given.place.as_str())).map(told).collect()
    }

    /// Adds the results of promptfoo; `None` where a document is something else, and what is wrong where it is not usable.
    pub(super) fn add_promptfoo(&mut self, document: &Json) -> Option<Result<(), String>> {
        let results =
            document.pointer("/results/results").or_else(|| document.pointer("/results"))?.as_array()?;
        let providers: BTreeSet<String> = results.iter().filter_map(provider).collect();
        if providers.len() > 1 {
            let names: Vec<_> = providers.iter().map(|name| text::excerpt(name, 60)).collect();
            return Some(Err(format!(
                "these are results of several providers ({}); write those of one, with `promptfoo eval --filter-providers`",
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

/// What the user said last.
fn asked_in(messages: &[Json]) -> Option<String> {
    let asked =
        messages.iter().rev().find(|message| message.get("role").and_then(Json::as_str) == Some("user"))?;
    asked.get("content")?.as_str().map(str::to_owned)
}

fn given(number: usize, result: &Json) -> Result<Given, String> {
    let text = |place: &str| result.pointer(place).and_then(Json::as_str).map(str::to_owned);
    let prompt = text("/prompt/raw").or_else(|| text("/prompt")).map(|raw| {
        // A conversation stands there as its JSON.
        let messages = serde_json::from_str::<Vec<Json>>(&raw).ok();
        messages.and_then(|list| asked_in(&list)).unwrap_or(raw)
    });
    let variables = result.get("vars").or_else(|| result.pointer("/testCase/vars")).and_then(Json::as_object);
    let scalar = |value: &Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let variables =
        variables.into_iter().flatten().map(|(name, value)| (name.clone(), scalar(value))).collect();
    let (said, finish_reason) = match result.pointer("/response/output").or_else(|| result.pointer("/output"))
    {
        Some(Json::String(said)) => (said.clone(), None),
        // What could not be asked is no answer, and must not be left out.
        Some(Json::Null) | None if says_error(result) => (String::new(), Some("error".to_owned())),
        Some(Json::Null) | None => return Err("there is no `response.output` in it".to_owned()),
        Some(other) => (other.to_string(), None),
    };
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
        prompt,
        answer: Answer {
            text: said,
            finish_reason,
            latency_ms: number_at("/latencyMs").and_then(|ms| whole(ms.round())),
            cost_usd: number_at("/cost"),
            usage,
            given: true,
            ..Answer::default()
        },
    })
}

fn says_error(result: &Json) -> bool {
    ["/error", "/response/error"]
        .iter()
        .any(|place| result.pointer(place).is_some_and(|error| !error.is_null()))
}
