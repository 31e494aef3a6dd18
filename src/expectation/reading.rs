//! What reading an expectation needs: its file, the variables, and a place for findings.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value as Json;

use super::Setup;
use super::pattern::{Pattern, Patterns};
use crate::source::{Diagnostic, Diagnostics, Fields, SourceFile, Span};
use crate::text;
use crate::vocabulary::{About, VerdictKind};

/// The context of the case that is being read.
#[derive(Debug)]
pub struct Reading<'a> {
    /// The file.
    pub file: &'a Arc<SourceFile>,
    /// The variables of the case, which override those of the scenario.
    pub variables: &'a BTreeMap<String, String>,
    /// What the scenario sets up.
    pub setup: &'a Setup,
    /// The patterns that were already read in this file.
    pub patterns: &'a Patterns,
    /// Where findings go.
    pub found: &'a mut Diagnostics,
}

impl Reading<'_> {
    /// The text with every `{{name}}` replaced; reports a name without a value.
    ///
    /// `\{{name}}` gives the literal braces. Values are not searched for names.
    pub fn fill(&mut self, text: &str, span: Span) -> String {
        self.fill_with(text, span, std::borrow::ToOwned::to_owned)
    }

    /// Like [`fill`](Self::fill), but passes each value through `shape`, for example to escape it.
    pub fn fill_with(&mut self, text: &str, span: Span, shape: impl Fn(&str) -> String) -> String {
        let mut missing = Vec::new();
        let filled = substitute(text, |name| {
            let value = self.variables.get(name).map(|value| shape(value));
            if value.is_none() && !missing.iter().any(|known| known == name) {
                missing.push(name.to_owned());
            }
            value
        });
        for name in missing {
            let names: Vec<_> = self.variables.keys().map(String::as_str).collect();
            let help = match text::nearest(&name, &names) {
                Some(near) => format!("did you mean `{{{{{near}}}}}`?"),
                None => {
                    format!("define it under `variables:`, or write `\\{{{{{name}}}}}` for literal braces")
                }
            };
            let message = format!("undefined variable `{{{{{name}}}}}`");
            self.found.push(Diagnostic::error("undefined-variable", self.file, span, message).help(help));
        }
        filled
    }

    /// A string to look for, without the line ends that a YAML block scalar adds. Answers do not have them, so a
    /// forbidden string would never be found.
    #[must_use]
    pub fn needle<'t>(&self, text: &'t str, span: Span) -> &'t str {
        let line = self.file.line(span.line);
        let from = line.char_indices().nth((span.column as usize).saturating_sub(1));
        let written = from.map_or("", |(at, _)| line[at..].trim_end());
        let plain = trim_lines(text);
        // A quoted text begins with its quote, a block scalar with its first line.
        let is_block = plain.starts_with(written) || written.starts_with('*');
        if is_block { plain } else { text }
    }

    /// The name of a function, with variables filled in; if functions are declared, reports one that is not.
    pub fn function(&mut self, name: &str, span: Span) -> String {
        let name = self.fill(name, span);
        let known: Vec<&str> = self.setup.functions.iter().map(String::as_str).collect();
        if !known.is_empty() && !known.contains(&name.as_str()) {
            let message = format!("unknown function `{}`", text::excerpt(&name, 60));
            let help = text::meant(&name, &known, || {
                format!("add it to `setup.functions`, or use one of {}", text::list(&known))
            });
            self.found.push(Diagnostic::error("unknown-function", self.file, span, message).help(help));
        }
        name
    }

    /// Whether a kind fits here, about one answer or about a conversation; reports one that does not.
    pub(super) fn takes(&mut self, kind: &VerdictKind, span: Span) -> bool {
        let (message, help) = match (kind.about(), &self.setup.talk) {
            (About::Both, _) | (About::Answer, None) | (About::Conversation, Some(_)) => return true,
            (About::Answer, Some(_)) => (
                format!("`{kind}` is about one answer, but this is a conversation"),
                "choose an answer: move it to `expected` of `last_answer`, `first_answer`, `every_answer`, \
                     `some_answer` or `answer` (with `turn: ID`), or to a turn",
            ),
            (About::Conversation, None) => (
                format!("`{kind}` is about a conversation, but this is one answer"),
                "move it to `expected` of a case with `turns` or `customer`",
            ),
        };
        self.refuse("wrong-place", span, message, help);
        false
    }

    /// Reports an error and how to fix it.
    pub fn refuse(&mut self, code: &'static str, span: Span, message: String, help: impl Into<String>) {
        self.found.push(Diagnostic::error(code, self.file, span, message).help(help));
    }

    /// Compiles a pattern; reports one that is invalid.
    pub fn pattern(&mut self, written: &str, span: Span, flags: &str) -> Option<Pattern> {
        let pattern = self.patterns.compile(written, flags).map_err(|error| {
            self.refuse("invalid-regex", span, format!("invalid pattern: {}", error.message), error.help);
        });
        pattern.ok()
    }

    /// Reports a part of an expectation that every answer passes.
    pub fn always_holds(&mut self, span: Span, message: String, help: &str) {
        self.found.push(Diagnostic::error("always-holds", self.file, span, message).help(help).warn());
    }

    /// Reports an expectation that no answer with words passes.
    pub fn never_holds(&mut self, span: Span, message: String, help: &str) {
        self.found.push(Diagnostic::error("never-holds", self.file, span, message).help(help).warn());
    }

    /// Reports a `threshold` that every answer reaches; `usual` is the default.
    pub fn least_score(&mut self, fields: &Fields<'_>, usual: f64) {
        if let (Some(least), Some(node)) = (fields.number("threshold"), fields.node("threshold"))
            && least <= 0.0
        {
            let help = format!("raise it, or remove it for the default of {usual}");
            self.always_holds(node.span, format!("`threshold` is {least}, so every answer passes"), &help);
        }
    }

    /// A JSON value with variables filled in.
    pub fn fill_json(&mut self, value: &Json, span: Span) -> Json {
        match value {
            Json::String(text) => self.fill(text, span).into(),
            Json::Array(items) => items.iter().map(|item| self.fill_json(item, span)).collect(),
            Json::Object(entries) => entries
                .iter()
                .map(|(key, value)| (key.clone(), self.fill_json(value, span)))
                .collect::<serde_json::Map<_, _>>()
                .into(),
            other => other.clone(),
        }
    }

    /// Reports a problem inside a pattern or an expression.
    ///
    /// `offset` counts characters of the text. The carets point into the text if the file has it literally on one line,
    /// and at the whole text if not.
    pub fn inside(&mut self, code: &'static str, at: Inside<'_>, message: String, help: String) -> &mut Self {
        let finding = Diagnostic::error(code, self.file, self.place(at), message).help(help);
        self.found.push(finding);
        self
    }

    /// Like [`inside`](Self::inside), but as a warning.
    pub fn warn_inside(&mut self, code: &'static str, at: Inside<'_>, message: String, help: String) {
        let finding = Diagnostic::error(code, self.file, self.place(at), message).help(help).warn();
        self.found.push(finding);
    }

    fn place(&self, at: Inside<'_>) -> Span {
        let line: Vec<char> = self.file.line(at.span.line).chars().collect();
        let start = (at.span.column as usize).saturating_sub(1).min(line.len());
        let text: Vec<char> = at.text.chars().collect();
        let rest = &line[start..];
        let quoted = usize::from(matches!(rest.first(), Some('"' | '\'')));
        let verbatim = rest.get(quoted..).is_some_and(|rest| rest.starts_with(&text));
        if !verbatim || text.is_empty() {
            return at.span;
        }
        let offset = at.offset.min(text.len());
        let column = u32::try_from(start + quoted + offset + 1).unwrap_or(u32::MAX);
        self.file.clamp(at.span.line, column, 1)
    }
}

/// A place in a pattern or an expression.
#[derive(Clone, Copy, Debug)]
pub struct Inside<'a> {
    /// The text, as written.
    pub text: &'a str,
    /// Where the text is.
    pub span: Span,
    /// 0-based index of a character of the text.
    pub offset: usize,
}

/// A JSON value with these variables filled in; names without a value stay as they are.
#[must_use]
pub fn filled(value: &Json, variables: &BTreeMap<String, String>) -> Json {
    match value {
        Json::String(text) => substitute(text, |name| variables.get(name).cloned()).into(),
        Json::Array(items) => items.iter().map(|item| filled(item, variables)).collect(),
        Json::Object(entries) => entries
            .iter()
            .map(|(key, value)| (key.clone(), filled(value, variables)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

/// Replaces each `{{name}}` with its value; names without a value stay as they are.
pub fn substitute(text: &str, mut value: impl FnMut(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find("{{") {
        let escaped = rest[..open].ends_with('\\');
        let name = rest[open + 2..].find("}}").map(|close| &rest[open + 2..open + 2 + close]);
        let Some(name) = name.filter(|name| is_name(name.trim())) else {
            out.push_str(&rest[..=open]);
            rest = &rest[open + 1..];
            continue;
        };
        let whole = open..open + name.len() + 4;
        if escaped {
            out.push_str(&rest[..open - 1]);
            out.push_str(&rest[whole.clone()]);
        } else {
            out.push_str(&rest[..open]);
            match value(name.trim()) {
                Some(value) => out.push_str(&value),
                None => out.push_str(&rest[whole.clone()]),
            }
        }
        rest = &rest[whole.end..];
    }
    out.push_str(rest);
    out
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

/// A string without line ends at its start and end.
pub(super) fn trim_lines(text: &str) -> &str {
    text.trim_matches(['\n', '\r'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_of_block_scalars_are_not_searched_for() {
        let table = [
            ("- |\n  secret\n", "secret"),
            ("- |+\n  secret\n\n\n", "secret"),
            ("- |-\n  secret\n", "secret"),
            ("- |\n\n\n  secret\n", "secret"),
            ("- >\n  two\n  words\n", "two words"),
            ("- |2\n    deep\n", "  deep"),
            ("- |\n  one\n  two\n", "one\ntwo"),
            ("- |\n  \"in quotes\"\n", "\"in quotes\""),
            ("- |\r\n  secret\r\n", "secret"),
            ("- !!str |\n  secret\n", "secret"),
            ("- &name |\n  secret\n", "secret"),
            ("- |\n\n", ""),
            ("- secret\n", "secret"),
            ("- 'secret'\n", "secret"),
            ("- \"secret\\n\"\n", "secret\n"),
            ("- \"\\nsecret\"\n", "\nsecret"),
            ("- 'a\n\n  '\n", "a\n"),
        ];
        let (variables, patterns, setup) = (BTreeMap::new(), Patterns::default(), Setup::default());
        let needle = |yaml: &str, at: usize| {
            let file = Arc::new(SourceFile::from_text("f", yaml));
            let node = crate::source::Node::parse(&file).unwrap();
            let crate::source::Value::List(items) = &node.value else { panic!("{yaml}") };
            let (variables, setup, patterns) = (&variables, &setup, &patterns);
            let found = &mut Diagnostics::default();
            let reading = Reading { file: &file, variables, setup, patterns, found };
            reading.needle(items[at].as_str().unwrap(), items[at].span).to_owned()
        };
        for (yaml, expected) in table {
            assert_eq!(needle(yaml, 0), expected, "{yaml:?}");
        }
        assert_eq!(needle("- &name |\n  secret\n- *name\n", 1), "secret");
    }

    #[test]
    fn names_are_replaced_once_and_braces_can_be_kept() {
        let table = [
            ("hi {{name}}!", "hi {{x}}!"),
            ("hi {{ name }}!", "hi {{x}}!"),
            (r"\{{name}} {{name}}", "{{name}} {{x}}"),
            ("{{other}}", "{{other}}"),
            ("{{{name}}}", "{{{x}}}"),
            ("{{a b}} {{}} {{", "{{a b}} {{}} {{"),
        ];
        for (text, expected) in table {
            let filled = substitute(text, |name| (name == "name").then(|| "{{x}}".to_owned()));
            assert_eq!(filled, expected, "{text}");
        }
    }
}
