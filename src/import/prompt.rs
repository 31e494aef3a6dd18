//! Prompts: text, messages, or files with either.

use std::path::Path;

use super::document::{Excerpt, Folder};
use super::template::{Template, TemplateError};
use super::yaml::YamlItem;
use crate::source::{Node, SourceFile, Value, slashed};
use crate::text;

/// Name endings that mean a file even without `file://`.
const FILES: [&str; 8] = [".txt", ".md", ".json", ".yaml", ".yml", ".js", ".py", ".csv"];

/// Roles of messages.
const ROLES: [&str; 3] = ["system", "user", "assistant"];

/// A prompt.
#[derive(Clone, Debug)]
pub(super) struct Prompt {
    /// The messages with their roles, or a single user message without one, or why the prompt cannot be imported.
    pub(super) body: Result<Vec<(Option<&'static str>, Template)>, String>,
    /// Whether it starts with the messages of earlier tests: then each test is a turn of one conversation.
    pub(super) continues: bool,
}

impl Prompt {
    /// The prompts of one entry under `prompts`; a text file may hold several.
    pub(super) fn of(part: &Excerpt, folder: &Folder) -> Vec<Self> {
        let written = match &part.node.value {
            Value::String(text) => Some(text.clone()),
            Value::Map(_) => {
                ["raw", "id"].iter().find_map(|key| part.node.get(key)?.as_str().map(str::to_owned))
            }
            _ => None,
        };
        let Some(written) = written else {
            return vec![Self { body: Err("it is neither text nor a file".to_owned()), continues: false }];
        };
        let texts = texts(&written, folder);
        match texts {
            Ok(texts) => texts.iter().map(|text| Self::read(text)).collect(),
            Err(why) => vec![Self { body: Err(why), continues: false }],
        }
    }

    fn read(text: &str) -> Self {
        let Some(rest) = without_history(text) else { return Self { body: body(text), continues: false } };
        let is_turn = |messages: &Vec<(Option<&str>, Template)>| {
            let (last, before) = messages.split_last().unzip();
            last.is_some_and(|(role, _)| *role == Some("user"))
                && before.is_some_and(|before: &[_]| before.iter().all(|(role, _)| *role == Some("system")))
        };
        let why = "it uses `_conversation`, but is not a list of instructions, the conversation so far, and a question";
        let body = rest
            .and_then(|rest| body(&rest))
            .and_then(|all| if is_turn(&all) { Ok(all) } else { Err(why.to_owned()) });
        Self { body, continues: true }
    }

    /// The prompt as written to a scenario, between `prefix` and `suffix`.
    pub(super) fn item(&self, prefix: &str, suffix: &str) -> Result<YamlItem, String> {
        let messages = self.body.clone()?;
        if let [(None, template)] = messages.as_slice() {
            let of =
                |text: &str| Template::parse(text).map(|one| one.text()).map_err(|error| error.to_string());
            return Ok(YamlItem::Text(format!("{}{}{}", of(prefix)?, template.text(), of(suffix)?)));
        }
        if !(prefix.is_empty() && suffix.is_empty()) {
            return Err("`prefix` and `suffix` apply to text, not to a list of messages".to_owned());
        }
        let message = |(role, template): &(Option<&str>, Template)| {
            YamlItem::map([
                ("role", YamlItem::text(role.unwrap_or("user"))),
                ("content", YamlItem::Text(template.text())),
            ])
        };
        Ok(YamlItem::List(messages.iter().map(message).collect()))
    }

    /// The names of its placeholders.
    pub(super) fn names(&self) -> Vec<String> {
        let messages = self.body.as_ref().map(Vec::as_slice).unwrap_or_default();
        messages.iter().flat_map(|(_, template)| template.names().map(str::to_owned)).collect()
    }
}

/// The text of each prompt in an entry.
fn texts(written: &str, folder: &Folder) -> Result<Vec<String>, String> {
    let file = written.starts_with("file://")
        || (!written.contains([' ', '\n', '{']) && FILES.iter().any(|ending| written.ends_with(ending)));
    if !file {
        return Ok(vec![written.to_owned()]);
    }
    let shown = text::excerpt(&slashed(&folder.path(written)), 80);
    if written.contains(['*', '?']) {
        return Err(format!("`{shown}` is a pattern; list each file"));
    }
    if !FILES[..5].iter().any(|ending| written.ends_with(ending)) {
        return Err(format!("`{shown}` is a program or a table; akit takes text, JSON and YAML"));
    }
    let text = folder.text(written).map_err(|error| format!("cannot read `{shown}`: {error}"))?;
    if !has_ending(written, "txt") {
        return Ok(vec![text]);
    }
    // Lines of three dashes separate the prompts of a text file.
    let mut texts = vec![String::new()];
    for line in text.lines() {
        if line.trim() == "---" {
            texts.push(String::new());
        } else if let Some(last) = texts.last_mut() {
            last.push_str(line);
            last.push('\n');
        }
    }
    Ok(texts.iter().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()).collect())
}

/// Whether a file's name has this ending, in any case.
pub(super) fn has_ending(name: &str, ending: &str) -> bool {
    Path::new(name).extension().is_some_and(|own| own.eq_ignore_ascii_case(ending))
}

/// A prompt without the loop over `_conversation`; `None` if there is none. The loop must repeat the conversation
/// unchanged.
fn without_history(text: &str) -> Option<Result<String, String>> {
    if !text.contains("_conversation") {
        return None;
    }
    let tag = |from: usize| {
        let start = from + text[from..].find("{%")?;
        let end = start + text[start..].find("%}")? + 2;
        let words: Vec<&str> = text[start + 2..end - 2].trim_matches('-').split_whitespace().collect();
        Some((start, end, words))
    };
    let found = || {
        let (start, inner, words) = tag(0)?;
        let ["for", name, "in", "_conversation"] = words.as_slice() else { return None };
        let (inner_end, end, words) = tag(inner)?;
        let said = text[inner..inner_end]
            .split_whitespace()
            .collect::<String>()
            .replace('\'', "\"")
            .replace("|dump", "");
        let again = |role: &str, key: &str| {
            let content = format!("{{{{{name}.{key}}}}}");
            let (role, quoted) = (format!("\"role\":\"{role}\""), format!("\"content\":\"{content}\""));
            let bare = format!("\"content\":{content}");
            [&quoted, &bare].iter().any(|content| said.contains(&format!("{{{role},{content}}}")))
        };
        let is_said = again("user", "input") && again("assistant", "output");
        let rest = format!("{}{}", &text[..start], &text[end..]);
        (words == ["endfor"] && is_said && !rest.contains("_conversation")).then_some(rest)
    };
    Some(found().ok_or_else(|| "it uses `_conversation` other than as a list of messages".to_owned()))
}

fn body(text: &str) -> Result<Vec<(Option<&'static str>, Template)>, String> {
    let words = |error: TemplateError| error.to_string();
    let trimmed = text.trim_start();
    let listed = trimmed.starts_with('[') || trimmed.starts_with("- role:");
    let node = Node::parse(&SourceFile::from_text("prompt", text)).ok().filter(|_| listed);
    let Some(Value::List(items)) = node.map(|node| node.value) else {
        return Ok(vec![(None, Template::parse(text).map_err(words)?)]);
    };
    if !items.iter().any(|item| item.get("role").is_some()) {
        return Ok(vec![(None, Template::parse(text).map_err(words)?)]);
    }
    let message = |item: &Node| {
        let role = item
            .get("role")
            .and_then(Node::as_str)
            .and_then(|role| ROLES.into_iter().find(|one| *one == role));
        let role = role.ok_or("a message has a role other than system, user and assistant")?;
        let content =
            item.get("content").and_then(Node::as_str).ok_or("the content of a message is not text")?;
        Ok((Some(role), Template::parse(content).map_err(words)?))
    };
    items.iter().map(message).collect()
}
