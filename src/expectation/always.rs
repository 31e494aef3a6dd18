//! `always:`: rules for every answer of every case, from the scenario and the configuration.
//!
//! A case passes if its own expectation and all rules pass. It can be exempt from a rule by name, with a reason; a name
//! that does not match exactly one rule has no effect.

use std::sync::Arc;

use serde_json::Value as Json;

use super::combined::all;
use super::reading::filled;
use super::{Candidate, Expectation, Reading, Seen};
use crate::grader::Bench;
use crate::manifest::Verdict;
use crate::source::{Diagnostic, Diagnostics, Field, Location, Node, Shape, SourceFile, Span, Value};
use crate::text;
use crate::vocabulary::Outcome;

/// What an entry of `always` has besides the keys of its expectation.
pub const NAMED: &[Field] =
    &[Field::optional("name", Shape::Name, "Name to use under `except` in a case (its type).")];

/// An expectation of every answer.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its `name`, or its type if it has none.
    pub name: String,
    /// What it requires.
    pub expectation: Expectation,
    /// Its file.
    pub file: Arc<SourceFile>,
    /// As written, without its name.
    pub node: Node,
    /// The rule as written, with variables filled in.
    pub written: Json,
}

/// A rule that a case is exempt from.
#[derive(Clone, Debug)]
pub struct Exception {
    /// The name of the rule.
    pub name: String,
    /// Where it is written.
    pub span: Span,
}

impl Rule {
    /// Reads one entry, and reports every problem.
    fn read(node: &Node, reading: &mut Reading<'_>) -> Option<Self> {
        let mut node = node.clone();
        let mut named = None;
        if let Value::Map(entries) = &mut node.value {
            let at = entries.iter().position(|(key, _)| key.as_str() == Some("name"));
            named = at.map(|at| entries.remove(at).1);
        }
        let own = named.as_ref().and_then(Node::as_str).filter(|name| !name.trim().is_empty());
        if let Some(named) = named.as_ref().filter(|_| own.is_none()) {
            let message = "a rule's `name` must be text, and not empty".to_owned();
            reading.found.push(Diagnostic::error("wrong-type", reading.file, named.span, message));
        }
        let expectation = Expectation::read(&node, "an entry of `always`", reading)?;
        let name = own.map_or_else(|| expectation.expected.kind().to_string(), str::to_owned);
        let written = filled(&node.to_json(), reading.variables);
        Some(Self { name, expectation, file: Arc::clone(reading.file), node, written })
    }

    /// Reads a list of rules, and reports every problem.
    pub fn read_all(node: &Node, reading: &mut Reading<'_>) -> Vec<Arc<Self>> {
        match &node.value {
            Value::List(items) => {
                items.iter().filter_map(|item| Self::read(item, reading).map(Arc::new)).collect()
            }
            other => {
                let message = format!("`always` must be a list of expectations, found {}", other.kind());
                reading.found.push(
                    Diagnostic::error("wrong-type", reading.file, node.span, message)
                        .help("write `- { type: not_contains, values: [\"as an AI\"] }` lines"),
                );
                Vec::new()
            }
        }
    }

    /// Where it is written.
    #[must_use]
    pub fn location(&self) -> Location {
        self.file.location(self.node.place(&["type"]))
    }

    /// Judges an answer. A verdict that does not pass names the rule and its place.
    async fn judge(&self, answer: &Candidate<'_>, bench: &Bench<'_>) -> Verdict {
        let verdict = self.expectation.judge(answer, bench).await;
        let place = self.location();
        let reason = match verdict.outcome {
            Outcome::Passed | Outcome::Skipped => verdict.reason,
            Outcome::Failed | Outcome::Errored => {
                format!(
                    "{} (rule `{}` for every answer, {place})",
                    verdict.reason,
                    text::excerpt(&self.name, 60)
                )
            }
        };
        Verdict { reason, rule: Some(place.into()), ..verdict }
    }
}

/// The rules that apply to a case.
pub fn standing<'a>(
    rules: impl Iterator<Item = &'a Arc<Rule>> + Clone,
    except: &'a [Exception],
) -> impl Iterator<Item = &'a Arc<Rule>> {
    let lifted = |rule: &Rule, all: &[&Arc<Rule>]| {
        let named = || all.iter().filter(|one| one.name == rule.name).count();
        except.iter().any(|one| one.name == rule.name) && named() == 1
    };
    let all: Vec<_> = rules.collect();
    let standing: Vec<_> = all.iter().copied().filter(|rule| !lifted(rule, &all)).collect();
    standing.into_iter()
}

/// Reports exceptions that name no rule, or several.
pub fn check_exceptions(
    except: &[Exception],
    rules: &[&Arc<Rule>],
    file: &Arc<SourceFile>,
    found: &mut Diagnostics,
) {
    for Exception { name, span } in except {
        let named: Vec<_> = rules.iter().filter(|rule| rule.name == *name).collect();
        let shown = text::excerpt(name, 60);
        match named.as_slice() {
            [_] => {}
            [] => {
                let mut known: Vec<&str> = rules.iter().map(|rule| rule.name.as_str()).collect();
                known.dedup();
                let help = text::meant(name, &known, || match known.as_slice() {
                    [] => "remove it: neither this file nor akit.yaml has `always:`".to_owned(),
                    known => format!("use one of {}", text::list(known)),
                });
                let message = format!("`except`: no rule under `always` is named `{shown}`");
                found.push(Diagnostic::error("unknown-rule", file, *span, message).help(help));
            }
            several => {
                let places: Vec<_> = several.iter().map(|rule| rule.location().to_string()).collect();
                let message = format!("several rules are named `{shown}`: {}", places.join(", "));
                found.push(
                    Diagnostic::error("wrong-value", file, *span, message)
                        .help("give that rule a unique `name:`"),
                );
            }
        }
    }
}

/// Judges an answer by the expectation of its case and the rules that apply to it.
pub async fn judge(
    own: &Expectation,
    rules: &[Arc<Rule>],
    answer: &Candidate<'_>,
    bench: &Bench<'_>,
) -> Verdict {
    if rules.is_empty() {
        return own.judge(answer, bench).await;
    }
    let mut parts = vec![own.judge(&answer.part(0), bench).await];
    for (rule, index) in rules.iter().zip(1..) {
        parts.push(rule.judge(&answer.part(index), bench).await);
    }
    Verdict { line: own.line, ..all(parts) }
}

/// Judges the answer to a turn of a conversation in the same way; no verdict if nothing is expected of it.
pub async fn judge_turn(
    own: Option<&Expectation>,
    rules: &[Arc<Rule>],
    answer: &Candidate<'_>,
    bench: &Bench<'_>,
) -> Option<Verdict> {
    match own {
        Some(own) => Some(judge(own, rules, answer, bench).await),
        None if rules.is_empty() => None,
        None => {
            let mut parts = Vec::new();
            for (rule, index) in rules.iter().zip(0..) {
                parts.push(rule.judge(&answer.part(index), bench).await);
            }
            Some(all(parts))
        }
    }
}

/// What a turn's own expectation and the rules find in its raw answer, without a judge.
#[must_use]
pub fn see_turn(own: Option<&Expectation>, rules: &[Arc<Rule>], answer: &Candidate<'_>) -> Seen {
    match own {
        Some(own) => see(own, rules, answer),
        None => Seen::of_parts(rules.iter().map(|rule| rule.expectation.see(answer)).collect()),
    }
}

/// What the expectation and the rules find in a raw answer, without a judge.
#[must_use]
pub fn see(own: &Expectation, rules: &[Arc<Rule>], answer: &Candidate<'_>) -> Seen {
    if rules.is_empty() {
        return own.see(answer);
    }
    let rules = rules.iter().map(|rule| &rule.expectation);
    Seen::of_parts(std::iter::once(own).chain(rules).map(|one| one.see(answer)).collect())
}
