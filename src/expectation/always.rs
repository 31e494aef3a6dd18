//! `always:`: expectations that hold for every answer of every case, from a scenario and from the configuration.
//!
//! A case is met where its own expectation and all rules hold. It can be excepted from a rule by name, with a reason;
//! a name that is not that of exactly one rule lifts nothing.

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

/// What an entry of `always` has beside the keys of its expectation.
pub const NAMED: &[Field] =
    &[Field::optional("name", Shape::Name, "What a case that is excepted from it calls it (its type).")];

/// An expectation that holds for every answer.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its `name`, else its type.
    pub name: String,
    /// What it demands.
    pub expectation: Expectation,
    /// The file that it stands in.
    pub file: Arc<SourceFile>,
    /// As it is written, but for its name.
    pub node: Node,
    /// The same with variables filled.
    pub written: Json,
}

/// A rule that a case lifts.
#[derive(Clone, Debug)]
pub struct Exception {
    /// The name of the rule.
    pub name: String,
    /// Where that stands.
    pub span: Span,
}

impl Rule {
    /// Reads the entry of a list; reports all that is wrong.
    fn read(node: &Node, reading: &mut Reading<'_>) -> Option<Self> {
        let mut node = node.clone();
        let mut named = None;
        if let Value::Map(entries) = &mut node.value {
            let at = entries.iter().position(|(key, _)| key.as_str() == Some("name"));
            named = at.map(|at| entries.remove(at).1);
        }
        let own = named.as_ref().and_then(Node::as_str).filter(|name| !name.trim().is_empty());
        if let Some(named) = named.as_ref().filter(|_| own.is_none()) {
            let message = "`name` of a rule is a text that is not empty".to_owned();
            reading.found.push(Diagnostic::error("wrong-type", reading.file, named.span, message));
        }
        let expectation = Expectation::read(&node, "an entry of `always`", reading)?;
        let name = own.map_or_else(|| expectation.expected.kind().to_string(), str::to_owned);
        let written = filled(&node.to_json(), reading.variables);
        Some(Self { name, expectation, file: Arc::clone(reading.file), node, written })
    }

    /// Reads a list of them; reports all that is wrong.
    pub fn read_all(node: &Node, reading: &mut Reading<'_>) -> Vec<Arc<Self>> {
        match &node.value {
            Value::List(items) => {
                items.iter().filter_map(|item| Self::read(item, reading).map(Arc::new)).collect()
            }
            other => {
                let message = format!("`always` is a list of expectations, found {}", other.kind());
                reading.found.push(
                    Diagnostic::error("wrong-type", reading.file, node.span, message)
                        .help("write `- { type: not_contains, values: [\"as an AI\"] }` lines"),
                );
                Vec::new()
            }
        }
    }

    /// Its place.
    #[must_use]
    pub fn location(&self) -> Location {
        self.file.location(self.node.place(&["type"]))
    }

    /// Holds an answer against it. A verdict that does not pass says which rule that was, and where it stands.
    async fn judge(&self, answer: &Candidate<'_>, bench: &Bench<'_>) -> Verdict {
        let verdict = self.expectation.judge(answer, bench).await;
        let place = self.location();
        let reason = match verdict.outcome {
            Outcome::Passed | Outcome::Skipped => verdict.reason,
            Outcome::Failed | Outcome::Errored => {
                format!(
                    "{} (rule `{}` of every answer, {place})",
                    verdict.reason,
                    text::excerpt(&self.name, 60)
                )
            }
        };
        Verdict { reason, rule: Some(place.into()), ..verdict }
    }
}

/// The rules of these that hold for a case.
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

/// Tells of exceptions that name no rule, or several.
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
                    [] => "remove it: there is no `always:` here or in akit.yaml".to_owned(),
                    known => format!("there are {}", text::list(known)),
                });
                let message = format!("`except` names no rule of `always`: `{shown}`");
                found.push(Diagnostic::error("unknown-rule", file, *span, message).help(help));
            }
            several => {
                let places: Vec<_> = several.iter().map(|rule| rule.location().to_string()).collect();
                let message = format!("`{shown}` is the name of several rules: {}", places.join(", "));
                found.push(
                    Diagnostic::error("wrong-value", file, *span, message)
                        .help("give the one that is meant a `name:` of its own, and name that"),
                );
            }
        }
    }
}

/// Holds an answer against the expectation of a case and the rules that stand for it.
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

/// The same for the answer to a turn of a conversation; nothing where nothing is expected of it.
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

/// What they find in the raw answer to a turn without a judge.
#[must_use]
pub fn see_turn(own: Option<&Expectation>, rules: &[Arc<Rule>], answer: &Candidate<'_>) -> Seen {
    match own {
        Some(own) => see(own, rules, answer),
        None => Seen::of_parts(rules.iter().map(|rule| rule.expectation.see(answer)).collect()),
    }
}

/// What they find in a raw answer without a judge.
#[must_use]
pub fn see(own: &Expectation, rules: &[Arc<Rule>], answer: &Candidate<'_>) -> Seen {
    if rules.is_empty() {
        return own.see(answer);
    }
    let rules = rules.iter().map(|rule| &rule.expectation);
    Seen::of_parts(std::iter::once(own).chain(rules).map(|one| one.see(answer)).collect())
}
