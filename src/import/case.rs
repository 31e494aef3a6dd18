//! One promptfoo test, with one choice of its variables and one prompt, as a case.

use super::assertion::{self, scalar};
use super::document::{Excerpt, Folder};
use super::findings::{Findings, place};
use super::mapping::{self, Mapped};
use super::prompt::Prompt;
use super::template::{Template, Variables, no_mapping, resolve};
use super::yaml::YamlItem;
use crate::environment::literal;
use crate::source::{Node, Value};
use crate::text;

/// Parts of key names, in lowercase, whose values are never written.
const SECRET: [&str; 8] =
    ["apikey", "api_key", "api-key", "token", "password", "secret", "authorization", "cookie"];

/// A test merged with `defaultTest`.
#[derive(Clone, Debug)]
pub(super) struct Test {
    /// Its place.
    pub(super) part: Excerpt,
    /// The id, without the suffix that distinguishes its cases.
    pub(super) id: String,
    /// `description`.
    pub(super) name: Option<String>,
    /// `metadata`.
    pub(super) metadata: Option<YamlItem>,
    /// Every choice of variables.
    pub(super) choices: Vec<Variables>,
    /// Assertions, those of `defaultTest` first.
    pub(super) assertions: Vec<Excerpt>,
    /// `prefix` and `suffix` of the prompt.
    pub(super) around: (String, String),
    /// Minimum mean of the test's scores.
    pub(super) threshold: Option<f64>,
    /// Why none of its cases can be imported.
    pub(super) refused: Option<String>,
}

/// A case as text.
#[derive(Debug)]
pub(super) struct CaseText {
    /// Its lines, below `cases:`.
    pub(super) lines: String,
    /// Whether it is a case, not a comment.
    pub(super) lives: bool,
}

/// Writes a case of a test; parts without an equivalent become comments.
pub(super) fn write(
    test: &Test,
    (id, tags): (&str, &[String]),
    raw: &Variables,
    prompt: &Prompt,
    folder: &Folder,
    findings: &mut Findings,
) -> CaseText {
    let variables = resolve(raw).map_err(|error| error.to_string());
    let known = variables.clone().unwrap_or_else(|_| raw.clone());
    let asked = test.refused.clone().map_or(prompt.item(&test.around.0, &test.around.1), Err);
    let asked = asked.and_then(|asked| variables.map(|_| asked));
    let mut texts = prompt.names();
    let whole = no_mapping(texts.iter().map(String::as_str), &known).map_err(|error| error.to_string());
    let asked = asked.and_then(|asked| whole.map(|()| asked));
    let (items, comments) = demands(test, &known, folder, asked.is_ok(), findings);
    for item in &items {
        item.clone().map_texts(&mut |text| {
            if let Ok(template) = Template::parse(text) {
                texts.extend(template.names().map(str::to_owned));
            }
            String::new()
        });
    }
    let reason = match (&asked, items.is_empty()) {
        (Err(why), _) => Some(why.clone()),
        (Ok(_), true) if test.assertions.is_empty() => Some("it has no assertions".to_owned()),
        (Ok(_), true) => Some("none of its assertions could be imported".to_owned()),
        (Ok(_), false) => None,
    };
    let mut entries = vec![("id".to_owned(), YamlItem::text(id))];
    entries.extend(test.name.clone().map(|name| ("name".to_owned(), YamlItem::Text(literal(&name)))));
    if !tags.is_empty() {
        entries.push(("tags".to_owned(), YamlItem::List(tags.iter().map(YamlItem::text).collect())));
    }
    entries.extend(test.metadata.clone().map(|metadata| ("metadata".to_owned(), metadata)));
    let mut given = known;
    for name in texts {
        if !given.contains_key(&name) && reason.is_none() {
            let message = format!("`{{{{{name}}}}}` has no value, so it is empty, as in promptfoo");
            findings.differs(&test.part, test.part.node.span, message);
            given.insert(name, String::new());
        }
    }
    if !given.is_empty() {
        let given = given.into_iter().map(|(name, value)| (name, YamlItem::Text(literal(&value)))).collect();
        entries.push(("variables".to_owned(), YamlItem::Map(given)));
    }
    let fallback = || YamlItem::Text("…".to_owned());
    entries.push(("prompt".to_owned(), asked.unwrap_or_else(|_| fallback())));
    if !items.is_empty() {
        entries.push(("expected".to_owned(), assertion::all(items)));
    }
    let body = indented(&YamlItem::List(vec![YamlItem::Map(entries)]).render());
    match reason {
        None => {
            let (first, rest) = body.split_at(body.find('\n').map_or(body.len(), |end| end + 1));
            CaseText { lines: format!("{first}{comments}{rest}"), lives: true }
        }
        Some(why) => {
            let message = format!("case `{}` was not imported: {why}", text::excerpt(id, 60));
            findings.lost(
                &test.part,
                test.part.node.span,
                message,
                "rewrite it by hand; the file has it as a comment",
            );
            let head = commented(
                &one_line(&format!("{}: this case was not imported: {why}", place(&test.part))),
                "  # ",
            );
            let lines = head + &comments + &commented(&body, "  #");
            CaseText { lines, lives: false }
        }
    }
}

/// The expectations for a test's assertions, with a comment for each assertion that was not imported.
pub(super) fn demands(
    test: &Test,
    known: &Variables,
    folder: &Folder,
    is_asked: bool,
    findings: &mut Findings,
) -> (Vec<YamlItem>, String) {
    let (mut comments, mut items) = (String::new(), Vec::new());
    for part in &test.assertions {
        let mapped = mapping::map(part, known, folder).scored(test.threshold);
        findings.count(part, is_asked && !matches!(mapped, Mapped::Not(..)));
        let kind = part.node.get("type").and_then(Node::as_str).unwrap_or("assertion");
        let kind = text::excerpt(kind, 40);
        match mapped {
            Mapped::Same(item) => items.push(item),
            Mapped::Near(item, how) => {
                findings.differs(
                    part,
                    part.node.span,
                    format!("`{kind}` was imported with a difference: {how}"),
                );
                items.push(item);
            }
            Mapped::Not(why, instead) => {
                findings.lost(part, part.node.span, format!("`{kind}` was not imported: {why}"), &instead);
                let original = masked(YamlItem::of(&part.node)).render();
                let head = format!("{}: not imported: {why}; instead: {instead}", place(part));
                comments.push_str(&commented(&one_line(&head), "    # "));
                comments.push_str(&commented(&original, "    #   "));
            }
        }
    }
    (items, comments)
}

/// Every choice of variables: a list of strings makes one choice for each string, as in promptfoo.
pub(super) fn choices(vars: &[(String, Excerpt)], expand: bool) -> Vec<Variables> {
    let mut choices = vec![Variables::new()];
    for (name, value) in vars {
        let texts = value.items().filter(|items| {
            expand && items.first().is_some_and(|first| matches!(first.node.value, Value::String(_)))
        });
        let values = texts.unwrap_or_else(|| vec![value.clone()]);
        choices = choices
            .iter()
            .flat_map(|choice| {
                values.iter().map(move |value| {
                    let mut choice = choice.clone();
                    flatten(name, &value.node, &mut choice);
                    choice
                })
            })
            .collect();
    }
    choices
}

/// Adds a value under its name, and those of a mapping under their paths. A list of scalars is joined with commas, as
/// in JavaScript, and any other list is JSON. Like promptfoo, it drops one line break at the end of a string.
fn flatten(name: &str, node: &Node, variables: &mut Variables) {
    match &node.value {
        Value::Map(entries) => {
            for (key, value) in entries {
                flatten(&format!("{name}.{}", key.as_str().unwrap_or_default()), value, variables);
            }
        }
        Value::Null => {
            variables.insert(name.to_owned(), String::new());
        }
        Value::String(text) => {
            variables.insert(name.to_owned(), text.strip_suffix('\n').unwrap_or(text).to_owned());
        }
        Value::List(items) => {
            let texts: Option<Vec<_>> = items.iter().map(scalar).collect();
            let written = texts.map_or_else(|| node.to_json().to_string(), |texts| texts.join(","));
            variables.insert(name.to_owned(), written);
        }
        _ => {
            variables.insert(name.to_owned(), scalar(node).unwrap_or_default());
        }
    }
}

/// The item with the values of secret keys masked.
pub(super) fn masked(item: YamlItem) -> YamlItem {
    match item {
        YamlItem::List(items) => YamlItem::List(items.into_iter().map(masked).collect()),
        YamlItem::Map(entries) => YamlItem::Map(
            entries
                .into_iter()
                .map(|(key, item)| {
                    let lower = key.to_lowercase();
                    let secret = SECRET.iter().any(|word| lower.contains(word));
                    let item = if secret { YamlItem::text("***") } else { masked(item) };
                    (key, item)
                })
                .collect(),
        ),
        other => other,
    }
}

pub(super) fn indented(text: &str) -> String {
    text.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("  {line}\n") }).collect()
}

/// Puts a mark before every line.
pub(super) fn commented(text: &str, mark: &str) -> String {
    text.lines().map(|line| format!("{mark}{line}").trim_end().to_owned() + "\n").collect()
}

pub(super) fn one_line(text: &str) -> String {
    text::excerpt(text, 400)
}
