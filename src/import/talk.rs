//! promptfoo tests that continue each other with `_conversation` in their prompt: one case, with a turn for each test.

use std::collections::BTreeMap;

use super::assertion;
use super::case::{CaseText, Test, commented, demands, indented, one_line};
use super::document::Folder;
use super::findings::{Findings, place};
use super::prompt::Prompt;
use super::template::{Variables, resolve};
use super::yaml::YamlItem;
use crate::environment::literal;
use crate::expectation::substitute;
use crate::text;

/// Writes the tests as one case; parts without an equivalent become comments.
pub(super) fn write(
    tests: &[(&Test, &Variables)],
    (id, tags): (&str, &[String]),
    prompt: &Prompt,
    folder: &Folder,
    findings: &mut Findings,
) -> CaseText {
    let mut reason = prompt.body.clone().err();
    let messages = prompt.body.as_ref().map(Vec::as_slice).unwrap_or_default();
    let (mut comments, mut turns, mut instructions) = (String::new(), Vec::new(), None);
    let (mut demanded, mut variables_of_case) = (false, BTreeMap::new());
    for (test, raw) in tests {
        let variables = resolve(raw).map_err(|error| error.to_string());
        let said: Result<Vec<String>, String> = variables.clone().and_then(|known| {
            let fill = |template: &super::template::Template| {
                template.filled(&known).ok_or("a variable of its prompt has no value")
            };
            messages.iter().map(|(_, template)| fill(template).map_err(str::to_owned)).collect()
        });
        let known = variables.unwrap_or_else(|_| (*raw).clone());
        let (items, left) = demands(test, &known, folder, reason.is_none(), findings);
        comments.push_str(&left);
        demanded |= !items.is_empty();
        let is_plain = test.around.0.is_empty() && test.around.1.is_empty();
        let around = "`prefix` and `suffix` apply to text, not to a list of messages";
        let refused = test.refused.clone().or_else(|| (!is_plain).then(|| around.to_owned()));
        reason = reason.or(refused).or_else(|| said.as_ref().err().cloned());
        let Some((question, before)) = said.as_ref().ok().and_then(|said| said.split_last()) else {
            continue;
        };
        if instructions.get_or_insert_with(|| before.to_vec()) != before {
            reason.get_or_insert_with(|| "its instructions change from turn to turn".to_owned());
        }
        let mut turn = vec![("user".to_owned(), YamlItem::Text(unfilled(question)))];
        if !items.is_empty() {
            // Each test has its own variables, but a case has only one set.
            let number = turns.len() + 1;
            let mut renamed = |text: &str| {
                substitute(text, |name| {
                    let own = format!("{name}_{number}");
                    let value = literal(known.get(name).map_or("", String::as_str));
                    variables_of_case.insert(own.clone(), YamlItem::Text(value));
                    Some(format!("{{{{{own}}}}}"))
                })
            };
            turn.push(("expected".to_owned(), assertion::all(items).map_texts(&mut renamed)));
        }
        turns.push(YamlItem::Map(turn));
    }
    if reason.is_none() && !demanded {
        reason = Some("it has no assertions".to_owned());
    }
    let mut entries = vec![("id".to_owned(), YamlItem::text(id))];
    if !tags.is_empty() {
        entries.push(("tags".to_owned(), YamlItem::List(tags.iter().map(YamlItem::text).collect())));
    }
    let instruction = |said: &String| {
        YamlItem::map([("role", YamlItem::text("system")), ("content", YamlItem::Text(unfilled(said)))])
    };
    let instructions: Vec<_> = instructions.iter().flatten().map(instruction).collect();
    if !instructions.is_empty() {
        entries.push(("prompt".to_owned(), YamlItem::List(instructions)));
    }
    if !variables_of_case.is_empty() {
        entries.push(("variables".to_owned(), YamlItem::Map(variables_of_case.into_iter().collect())));
    }
    entries.push(("turns".to_owned(), YamlItem::List(turns)));
    let body = indented(&YamlItem::List(vec![YamlItem::Map(entries)]).render());
    let Some(why) = reason else {
        let (first, rest) = body.split_at(body.find('\n').map_or(body.len(), |end| end + 1));
        return CaseText { lines: format!("{first}{comments}{rest}"), lives: true };
    };
    let Some((test, _)) = tests.first() else { return CaseText { lines: String::new(), lives: false } };
    let message = format!("case `{}` was not imported: {why}", text::excerpt(id, 60));
    let instead = "rewrite it by hand; the file has it as a comment";
    findings.lost(&test.part, test.part.node.span, message, instead);
    let head = format!("{}: this case was not imported: {why}", place(&test.part));
    let lines = commented(&one_line(&head), "  # ") + &comments + &commented(&body, "  #");
    CaseText { lines, lives: false }
}

/// Escapes every placeholder in a string, so that akit does not fill it.
fn unfilled(text: &str) -> String {
    literal(&text.replace("{{", "\\{{"))
}
