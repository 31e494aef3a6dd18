//! The version of the application: text, or the output of a command.

use std::sync::Arc;
use std::time::Duration;

use super::{Obstacle, SaidBy, Settings, Whose};
use crate::process::{Program, USUAL};
use crate::source::{Diagnostic, Diagnostics, Field, Fields, Node, Shape, SourceFile, Value};
use crate::text;

/// Timeout of the command.
const LONGEST: Duration = Duration::from_secs(10);

/// Maximum characters of a version.
const MOST: usize = 200;

const COMMAND: &[Field] =
    &[Field::required("command", Shape::Texts, "Program and arguments, without a shell.")];

/// `target.version` of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetVersion {
    /// The version.
    Text(String),
    /// The program that prints it, with its arguments, and the command line for display.
    Command(Vec<String>, String),
    /// A command that only an unmerged change sets; it is not run.
    Unmerged(String),
}

impl TargetVersion {
    /// The version of a change, given that of its base: a command that only the change names is not run.
    #[must_use]
    pub fn unmerged(self, base: Option<&Self>) -> Self {
        match self {
            Self::Command(_, ref shown) if base != Some(&self) => Self::Unmerged(shown.clone()),
            other => other,
        }
    }

    /// Reads `version`; `None` if it is empty.
    pub(super) fn read(node: &Node, source: &Arc<SourceFile>, found: &mut Diagnostics) -> Option<Self> {
        match &node.value {
            Value::Waiting => None,
            Value::String(text) => {
                Some(text.trim().to_owned()).filter(|text| !text.is_empty()).map(Self::Text)
            }
            Value::Map(_) => {
                let command = Fields::check(node, COMMAND, "`version`", source, found)?.strings("command");
                if command.first().is_none_or(|name| name.trim().is_empty()) {
                    let message = "`command` names no program".to_owned();
                    let help = "write it as `version: { command: [git, rev-parse, HEAD] }`";
                    found.push(Diagnostic::error("wrong-value", source, node.start(), message).help(help));
                    return None;
                }
                let shown = command.join(" ");
                Some(Self::Command(command, shown))
            }
            other => {
                let message =
                    format!("`version` must be text or a mapping with `command`, found {}", other.kind());
                let quoted = node.number().and_then(|_| source.number_at(node.span));
                let help = match quoted {
                    Some(number) => format!("put it in quotes: \"{}\"", text::excerpt(number, 60)),
                    None => {
                        "write it as `version: \"1.2\"`, or `version: { command: [git, rev-parse, HEAD] }`"
                            .to_owned()
                    }
                };
                found.push(Diagnostic::error("wrong-type", source, node.span, message).help(help));
                None
            }
        }
    }
}

impl Settings {
    /// The version that the configuration names: the command's output, or the command itself until it has been run.
    pub(super) fn version(&self) -> Option<&str> {
        match (self.file.target_version.as_ref()?, self.printed.get()) {
            (TargetVersion::Text(version), _) => Some(version),
            (TargetVersion::Command(..), Some(printed)) => printed.as_deref().ok(),
            (TargetVersion::Command(_, shown), None) | (TargetVersion::Unmerged(shown), _) => Some(shown),
        }
    }

    /// Runs the command for the version once, if there is one and no flag takes precedence.
    pub(super) fn find_version(&self) -> Result<(), Obstacle> {
        let (Some(version), None) = (&self.file.target_version, &self.flags.target_version) else {
            return Ok(());
        };
        let printed = match (version, &self.file.whose) {
            (TargetVersion::Text(_), _) => return Ok(()),
            (TargetVersion::Unmerged(_), _) | (TargetVersion::Command(..), Whose::Change) => {
                let message = "command for `target.version` not run: it comes from an unmerged change";
                let help =
                    "merge akit.yaml first, pass `--target-version`, or trust the change: `--trust head`";
                return Err(Obstacle::new(message, help).at(self.key(["target", "version", ""])));
            }
            (TargetVersion::Command(command, _), Whose::Own | Whose::Base(_)) => {
                self.printed.get_or_init(|| self.run(command))
            }
        };
        printed.as_ref().map(|_| ()).map_err(Clone::clone)
    }

    fn run(&self, command: &[String]) -> Result<String, Obstacle> {
        let place: SaidBy<'_> = self.key(["target", "version", ""]);
        let obstacle = |message: String, help: &str| Err(Obstacle::new(message, help).at(place));
        let value = |name: &&str| Some(((*name).to_owned(), self.environment.get(name)?.to_owned()));
        let environment = USUAL.iter().filter_map(value).collect();
        let program = Program { command: command.to_vec(), environment };
        let name = text::excerpt(program.name(), 100);
        let failed = |why: String| format!("the command for `target.version` failed: `{name}`: {why}");
        let help = "run it by hand in the same folder, or pass `--target-version`";
        let ended = match program.run(LONGEST) {
            Ok(ended) => ended,
            Err(error) => return obstacle(failed(text::excerpt(&error.to_string(), 200)), help),
        };
        if !ended.status.success() {
            let how = ended
                .status
                .code()
                .map_or("it was killed by a signal".to_owned(), |code| format!("exit code {code}"));
            let why = text::excerpt(ended.stderr.trim(), 400);
            return obstacle(failed(if why.is_empty() { how } else { format!("{how}: {why}") }), help);
        }
        let printed = String::from_utf8_lossy(&ended.stdout).trim().to_owned();
        match printed.as_str() {
            "" => obstacle(failed("it printed nothing".to_owned()), help),
            printed if printed.chars().count() > MOST || printed.chars().any(char::is_control) => {
                let shown = text::excerpt(printed, 60);
                obstacle(failed(format!("it printed more than one version: \"{shown}\"")), help)
            }
            printed => Ok(printed.to_owned()),
        }
    }
}
