//! What is wrong with a file, where, and how to fix it.
//!
//! A diagnostic always names its file. The line it shows is cut to a window, made printable, and hides the value of a
//! key that holds a secret.

use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::{Location, SourceFile, Span};
use crate::text;

/// Number of characters shown of a long line.
const WINDOW: usize = 160;

/// Keys whose value is never shown.
const SECRET_KEYS: [&str; 3] = ["apiKey", "api_key", "token"];

/// Whether a diagnostic stops akit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// The file can be used, but probably does not mean what was intended.
    Warning,
}

/// Whether text may contain color codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// ANSI colors.
    Colour,
    /// Text only.
    Plain,
}

/// One finding in one file.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// Stable kebab-case name; SARIF shows it as `akit/validate/<code>`.
    pub code: &'static str,
    /// Whether it stops akit.
    pub severity: Severity,
    /// What is wrong, in one line.
    pub message: String,
    /// Text under the carets; may be empty.
    pub label: String,
    /// How to fix it.
    pub help: String,
    /// The file.
    pub file: Arc<SourceFile>,
    /// The place; line 0 means the file as a whole.
    pub span: Span,
}

impl Diagnostic {
    /// An error at a place.
    #[must_use]
    pub fn error(code: &'static str, file: &Arc<SourceFile>, span: Span, message: String) -> Self {
        let (label, help) = (String::new(), String::new());
        Self { code, severity: Severity::Error, message, label, help, file: Arc::clone(file), span }
    }

    /// This diagnostic, but as a warning.
    #[must_use]
    pub fn warn(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// This diagnostic with text under the carets.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// This diagnostic with a help line.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    /// The place, for reports.
    #[must_use]
    pub fn location(&self) -> Location {
        self.file.location(self.span)
    }

    /// The finding for display: title, place, line with carets, help.
    #[must_use]
    pub fn render(&self, ink: Ink) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let message = printable(&self.message);
        let title = level.primary_title(message.as_str());
        let (line, start, end) = self.window();
        let label = printable(&self.label);
        let group = if self.span.line == 0 {
            Group::with_title(title).element(annotate_snippets::Origin::path(self.file.shown()))
        } else {
            let mark = AnnotationKind::Primary.span(start..end);
            let mark = if label.is_empty() { mark } else { mark.label(label.as_str()) };
            Group::with_title(title).element(
                Snippet::source(line.as_str())
                    .path(self.file.shown())
                    .line_start(self.span.line as usize)
                    .annotation(mark),
            )
        };
        let help = printable(&self.help);
        let group = if help.is_empty() { group } else { group.element(Level::HELP.message(help.as_str())) };
        let renderer = match ink {
            Ink::Colour => Renderer::styled(),
            Ink::Plain => Renderer::plain(),
        };
        let text = renderer.render(&[group]);
        // The renderer counts the column in the visible part of the line.
        let counted = line[..start].chars().count() + 1;
        let place = |column: usize| format!("{}:{}:{column}", self.file.shown(), self.span.line);
        text.replacen(&place(counted), &place(self.span.column as usize), 1)
    }

    /// The line to show and the byte range of the carets in it.
    fn window(&self) -> (String, usize, usize) {
        let whole = self.file.line(self.span.line);
        let line = without_passwords(whole);
        if let Some(colon) = secret_colon(whole) {
            let before: String = line.iter().take(whole[..colon].chars().count()).collect();
            let shown = format!("{before}: ***");
            let end = shown.len();
            return (shown, end - 3, end);
        }
        let start = (self.span.column as usize).saturating_sub(1).min(line.len());
        let from = if line.len() <= WINDOW { 0 } else { start.saturating_sub(WINDOW / 4) };
        let to = (from + WINDOW).min(line.len());
        let end = (start + self.span.length as usize).min(to);
        let cut = |range: std::ops::Range<usize>| -> String {
            line[range].iter().map(|c| if *c == '\t' || text::inert(*c) { *c } else { '\u{fffd}' }).collect()
        };
        let before = format!("{}{}", if from > 0 { "…" } else { "" }, cut(from..start));
        let marked = cut(start..end);
        let after = format!("{}{}", cut(end..to), if to < line.len() { "…" } else { "" });
        let (first, last) = (before.len(), before.len() + marked.len());
        (before + &marked + &after, first, last)
    }
}

/// The byte offset of the colon after a key that holds a secret.
fn secret_colon(line: &str) -> Option<usize> {
    SECRET_KEYS.iter().find_map(|key| {
        let at = line.find(key)? + key.len();
        let colon = at + line[at..].find(':')?;
        line[at..colon].chars().all(|c| c == '"' || c == '\'' || c == ' ').then_some(colon)
    })
}

/// The characters of a line; what may be a password before the `@` of an address is replaced by stars, even if the
/// address is malformed.
fn without_passwords(line: &str) -> Vec<char> {
    let mut chars: Vec<char> = line.chars().collect();
    for word in chars.split_mut(|c| c.is_whitespace() || "\"'`<>".contains(*c)) {
        let Some(sign) = word.iter().rposition(|c| *c == '@') else { continue };
        let Some(colon) = word[..sign].iter().position(|c| *c == ':') else { continue };
        let slashes = word[colon + 1..sign].iter().take_while(|c| **c == '/').count();
        word[colon + 1 + slashes..sign].fill('*');
    }
    chars
}

fn printable(text: &str) -> String {
    text::plain(text)
}

/// Findings of a whole load, in the order of files and lines.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics {
    found: Vec<Diagnostic>,
    /// Values of variables, each with the variable's name.
    filled: Vec<(String, String)>,
}

/// Shortest value of a variable that is hidden, in characters.
const SECRET: usize = 4;

/// The text with a variable's value replaced by its name, even where it was cut.
fn named(text: &str, value: &str, name: &str) -> String {
    let name = format!("${{{name}}}");
    let whole = text.replace(value, &name);
    let mut parts: Vec<String> = whole.split('…').map(str::to_owned).collect();
    let last = parts.len() - 1;
    let cuts: Vec<usize> = value.char_indices().map(|(at, _)| at).skip(SECRET).collect();
    for part in &mut parts[..last] {
        if let Some(cut) = cuts.iter().rev().find(|cut| part.ends_with(&value[..**cut])) {
            part.replace_range(part.len() - cut.., &name);
        }
    }
    parts.join("…")
}

impl Diagnostics {
    /// Adds a finding.
    pub fn push(&mut self, mut diagnostic: Diagnostic) {
        for text in [&mut diagnostic.message, &mut diagnostic.label, &mut diagnostic.help] {
            *text = self.named(text);
        }
        self.found.push(diagnostic);
    }

    /// The text with the value of each variable replaced by its name, safe to store and show.
    #[must_use]
    pub fn named(&self, text: &str) -> String {
        self.filled.iter().fold(text.to_owned(), |text, (value, name)| named(&text, value, name))
    }

    /// The values of variables in a string, each with the variable's name.
    pub fn filled<'a>(&'a self, text: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let all = self.filled.iter().map(|(value, name)| (value.as_str(), name.as_str()));
        all.filter(|(value, _)| text.contains(value))
    }

    /// Hides the value of a variable from now on: its name is shown instead.
    pub fn fill(&mut self, name: &str, value: &str) {
        if value.chars().count() >= SECRET && !self.filled.iter().any(|(known, _)| known == value) {
            self.filled.push((value.to_owned(), name.to_owned()));
            // A value that contains another one comes first.
            self.filled.sort_by_key(|(value, _)| std::cmp::Reverse(value.len()));
        }
    }

    /// Adds all of another load's findings.
    pub fn extend(&mut self, other: Diagnostics) {
        other.filled.iter().for_each(|(value, name)| self.fill(name, value));
        other.found.into_iter().for_each(|one| self.push(one));
    }

    /// Whether anything stops akit.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.errors() > 0
    }

    /// How many errors there are.
    #[must_use]
    pub fn errors(&self) -> usize {
        self.found.iter().filter(|d| d.severity == Severity::Error).count()
    }

    /// How many warnings there are.
    #[must_use]
    pub fn warnings(&self) -> usize {
        self.found.len() - self.errors()
    }

    /// The findings in the order they were added.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.found.iter()
    }

    /// Sorts the findings of each file by line and removes duplicates; files keep their order.
    pub fn sort(&mut self) {
        let mut order = std::collections::BTreeMap::new();
        for one in &self.found {
            let next = order.len();
            order.entry(one.file.shown().to_owned()).or_insert(next);
        }
        self.found.sort_by_key(|one| (order.get(one.file.shown()).copied(), one.span.line, one.span.column));
        // What applies to every case is read once for the variables of each.
        self.found.dedup_by(|a, b| {
            (a.code, &a.message, a.span) == (b.code, &b.message, b.span) && a.file.shown() == b.file.shown()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(text: &str, line: u32, column: u32, length: u32) -> String {
        let file = Arc::new(SourceFile::from_text("suite.yaml", text));
        Diagnostic::error("x", &file, Span { line, column, length }, "wrong".into())
            .label("here")
            .help("fix it")
            .render(Ink::Plain)
    }

    #[test]
    fn a_diagnostic_shows_line_carets_and_help() {
        insta::assert_snapshot!(show("a: 1\nmod: any\n", 2, 1, 3), @r"
        error: wrong
         --> suite.yaml:2:1
          |
        2 | mod: any
          | ^^^ here
          |
          = help: fix it
        ");
    }

    #[test]
    fn secrets_are_not_shown() {
        let shown = show("  apiKey: sk-live-1234\n", 1, 11, 12);
        assert!(!shown.contains("sk-live"), "{shown}");
        assert!(shown.contains("apiKey: ***"), "{shown}");
    }

    #[test]
    fn passwords_in_urls_are_not_shown() {
        let shown = show("baseUrl: http://u:S3cr3t@[::1/v1 # not https://a@b S3c\n", 1, 10, 3);
        assert!(shown.contains("baseUrl: http://********@[::1/v1 # not https://*@b S3c"), "{shown}");
        for line in [
            "x: { baseUrl: 'http://u:S3cr3t@h', apiKey: k }",
            "//u:S3cr3t@h/v1",
            "u:S3cr3t@h",
            "http:/u:S3cr3t@ h",
        ] {
            let shown = show(line, 1, 1, 3);
            assert!(!shown.contains("S3cr3t"), "{shown}");
        }
        assert!(show("a@b.example http://h/v1", 1, 1, 1).contains("a@b.example http://h/v1"));
    }

    #[test]
    fn values_of_variables_are_not_shown() {
        let (file, span) =
            (Arc::new(SourceFile::from_text("s.yaml", "a")), Span { line: 1, column: 1, length: 1 });
        let mut found = Diagnostics::default();
        found.fill("KEY", "sk-1234567890");
        found.fill("LONG", "sk-1234567890-and-more");
        found.fill("N", "1");
        for (message, wanted) in [
            ("no kind `sk-1234567890`, 1", "no kind `${KEY}`, 1"),
            ("no kind `sk-1234…`", "no kind `${LONG}…`"),
            ("sk-1234567890-and-more", "${LONG}"),
            ("sk-1 … is short", "sk-1 … is short"),
        ] {
            found.push(Diagnostic::error("x", &file, span, message.to_owned()).help(message));
            let last = found.iter().last().unwrap();
            assert_eq!((last.message.as_str(), last.help.as_str()), (wanted, wanted));
        }
    }

    #[test]
    fn long_and_hostile_lines_are_cut_and_made_printable() {
        let shown =
            show(&format!("{}\u{1b}[31mX{}", "a".repeat(1_000_000), "b".repeat(1000)), 1, 1_000_001, 3);
        assert!(shown.len() < 1200 && !shown.contains('\u{1b}'), "{}", shown.len());
        assert!(shown.contains(":1:1000001\n"), "the column is that of the whole line: {shown}");
    }
}
