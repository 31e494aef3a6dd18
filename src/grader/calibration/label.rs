//! Labeled answers: one JSON object per line.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value as Json;

use crate::grader::{Anchor, Bar, Rubric};
use crate::provider::{Message, Role};
use crate::source::{Diagnostic, Diagnostics, SourceFile, json_object};
use crate::stats::SLACK;
use crate::text;

/// The default score needed to pass, the same as for `llm_grader`.
const THRESHOLD: f64 = 0.7;

/// An answer that people have judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// Its id, or `line 7`.
    pub id: String,
    /// 1-based line in its file.
    pub line: u32,
    /// The question, if known.
    pub conversation: Vec<Message>,
    /// The answer.
    pub answer: String,
    /// What a good answer does.
    pub rubric: Rubric,
    /// The score needed to pass, 0 to 1.
    pub threshold: f64,
    /// Whether people pass it.
    pub pass: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LabelLine {
    id: Option<String>,
    input: Option<String>,
    answer: String,
    rubric: String,
    #[serde(default)]
    anchors: Vec<AnchorLine>,
    threshold: Option<f64>,
    label: Json,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AnchorLine {
    score: f64,
    example: String,
}

/// What is wrong with a line, and how to fix it.
struct Wrong(String, String);

impl Label {
    /// Reads all labels of a file and reports every invalid line.
    #[must_use]
    pub fn read_all(source: &Arc<SourceFile>, found: &mut Diagnostics) -> Vec<Self> {
        let mut labels: Vec<Self> = Vec::new();
        let mut seen = BTreeMap::new();
        for (number, line) in (1_u32..).zip(source.text().lines()) {
            if line.trim().is_empty() {
                continue;
            }
            let here = source.clamp(number, 1, u32::MAX);
            let parsed: Result<LabelLine, _> = json_object(line.as_bytes());
            let read = match parsed {
                Ok(line) => Self::of(line, number),
                Err(error) => {
                    let column = u32::try_from(error.column()).unwrap_or(1);
                    let at = source.clamp(number, column, 1);
                    let message = format!("invalid label: {}", text::json::trouble(&error));
                    let help = "write each line as `{\"answer\": \"…\", \"rubric\": \"…\", \"label\": \"pass\"}`; see docs/calibration.md";
                    found.push(Diagnostic::error("invalid-label", source, at, message).help(help));
                    continue;
                }
            };
            match read {
                Ok(label) => {
                    let content = label.content();
                    match seen.get(&content) {
                        Some(first) => {
                            let message = format!("this label repeats the one on line {first}");
                            let help = "remove it: a label that counts twice makes every interval too narrow";
                            let finding = Diagnostic::error("repeated-label", source, here, message);
                            found.push(finding.help(help).warn());
                        }
                        None => {
                            seen.insert(content, number);
                        }
                    }
                    labels.push(label);
                }
                Err(Wrong(message, help)) => {
                    found.push(Diagnostic::error("invalid-label", source, here, message).help(help));
                }
            }
        }
        labels
    }

    /// The score needed on a scale.
    #[must_use]
    pub fn bar(&self, scale: u32) -> Bar {
        Bar { threshold: self.threshold, scale }
    }

    fn of(line: LabelLine, number: u32) -> Result<Self, Wrong> {
        let share = |name: &str, value: f64| {
            if (0.0..=1.0).contains(&value) {
                return Ok(value);
            }
            Err(Wrong(format!("`{name}` must be a number from 0 to 1, found {value}"), String::new()))
        };
        let threshold = share("threshold", line.threshold.unwrap_or(THRESHOLD))?;
        let pass = match &line.label {
            Json::String(word) if word == "pass" => true,
            Json::String(word) if word == "fail" => false,
            Json::Number(score) => {
                // With slack for floating-point error, as for judges' scores.
                share("label", score.as_f64().unwrap_or(f64::NAN))? + SLACK >= threshold
            }
            other => {
                let shown = text::excerpt(&other.to_string(), 40);
                let message =
                    format!("`label` must be `\"pass\"`, `\"fail\"` or a score from 0 to 1, found {shown}");
                return Err(Wrong(
                    message,
                    "use one of these; a score passes if it reaches the threshold".to_owned(),
                ));
            }
        };
        if line.rubric.trim().is_empty() {
            return Err(Wrong("`rubric` is blank".to_owned(), "describe what a good answer does".to_owned()));
        }
        let mut rubric = match Rubric::named(&line.rubric) {
            None => Rubric::of(line.rubric),
            Some(named) => named.map_err(|unknown| Wrong(unknown.to_string(), unknown.help))?,
        };
        for anchor in line.anchors {
            rubric.anchors.push(Anchor { share: share("score", anchor.score)?, example: anchor.example });
        }
        let asked = line.input.map(|content| Message::new(Role::User, content));
        Ok(Self {
            id: line.id.unwrap_or_else(|| format!("line {number}")),
            line: number,
            conversation: asked.into_iter().collect(),
            answer: line.answer,
            rubric,
            threshold,
            pass,
        })
    }

    /// What the judge is asked, as a key for finding repeated labels.
    fn content(&self) -> String {
        let input = self.conversation.first().map(|turn| &turn.content);
        format!("{input:?} {:?} {:?} {}", self.answer, self.rubric, self.threshold)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Ink;

    fn read(text: &str) -> (Vec<Label>, Vec<String>) {
        let source = Arc::new(SourceFile::from_text("labels.jsonl", text));
        let mut found = Diagnostics::default();
        let labels = Label::read_all(&source, &mut found);
        (labels, found.iter().map(|one| one.render(Ink::Plain)).collect())
    }

    #[test]
    fn words_and_scores_are_labels() {
        let (labels, found) = read(
            "{\"answer\":\"a\",\"rubric\":\"r\",\"label\":\"pass\",\"id\":\"x\",\"input\":\"q\"}\n\n\
             {\"answer\":\"b\",\"rubric\":\"builtin:tone\",\"label\":0.7}\r\n\
             {\"answer\":\"c\",\"rubric\":\"r\",\"label\":0.85,\"threshold\":0.9}\n\
             {\"answer\":\"d\",\"rubric\":\"r\",\"label\":1,\"anchors\":[{\"score\":0,\"example\":\"no\"}]}\n",
        );
        assert_eq!(found, Vec::<String>::new());
        let facts: Vec<_> = labels.iter().map(|l| (l.id.as_str(), l.pass, l.conversation.len())).collect();
        assert_eq!(facts, [("x", true, 1), ("line 3", true, 0), ("line 4", false, 0), ("line 5", true, 0)]);
        assert!(labels[1].rubric.text.starts_with("The answer is polite"));
        assert_eq!(labels[3].rubric.anchors.len(), 1);
    }

    #[test]
    fn all_invalid_lines_are_reported() {
        for (line, expected) in [
            ("no", "invalid label: it is not JSON"),
            ("{\"answer\":\"a\",\"rubric\":\"r\"}", "`label` is missing"),
            ("{\"answer\":\"a\",\"rubric\":\"r\",\"label\":\"pass\",\"score\":1}", "unknown key `score`"),
            ("{\"answer\":\"a\",\"rubric\":\"r\",\"label\":\"good\"}", "found \"good\""),
            ("{\"answer\":\"a\",\"rubric\":\"r\",\"label\":true}", "found true"),
            ("{\"answer\":\"a\",\"rubric\":\"r\",\"label\":7}", "from 0 to 1, found 7"),
            (
                "{\"answer\":\"a\",\"rubric\":\"r\",\"label\":1,\"threshold\":-1}",
                "`threshold` must be a number",
            ),
            ("{\"answer\":\"a\",\"rubric\":\" \",\"label\":1}", "`rubric` is blank"),
            ("{\"answer\":\"a\",\"rubric\":\"builtin:tome\",\"label\":1}", "did you mean `builtin:tone`?"),
        ] {
            let (labels, found) = read(&format!("\n{line}\n"));
            assert!(labels.is_empty());
            assert!(found[0].contains(expected) && found[0].contains("labels.jsonl:2:"), "{}", found[0]);
        }
        let good = "{\"answer\":\"a\",\"rubric\":\"r\",\"label\":1}";
        let (labels, found) = read(&format!("{good}\n[]\n{good}\n{{\n"));
        assert_eq!((labels.len(), found.len()), (2, 3));
        assert!(found[1].contains("warning: this label repeats the one on line 1"), "{}", found[1]);
    }
}
