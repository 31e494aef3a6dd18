//! `command`: an application that akit runs as a program, one process per request or per worker.

use std::sync::{Mutex, PoisonError};

use serde_json::{Value as Json, json};
use strum::{EnumString, VariantNames};

use super::super::{ChatRequest, Completion, Endpoint, Pending, Provider, ProviderError};
use super::pointer::Pointer;
use super::reading::{Body, without_keys};
use super::template::Filling;
use super::{Own, Reader, Told};
use crate::process::{Ended, Meanwhile, ProcessError, Program, Running, Watch};
use crate::secret::Secret;
use crate::source::{Field, Shape, SourceFile, Span};
use crate::text;
use crate::vocabulary::Answer;
use std::sync::Arc;

/// The provider's name.
pub const COMMAND: &str = "command";

/// Number of characters shown of a program's error output.
const SHOWN: usize = 600;

/// Keys of the provider.
pub(super) const FIELDS: &[Field] = &[
    Field::optional(
        "command",
        Shape::Texts,
        "Provider `command`: program and arguments, run without a shell.",
    ),
    Field::optional(
        "input",
        Shape::OneOf(Input::VARIANTS),
        "Provider `command`: format of the program's input (text; json with `persistent`).",
    ),
    Field::optional(
        "persistent",
        Shape::Bool,
        "Provider `command`: whether one process answers many requests, one JSON line each (false).",
    ),
    Field::optional(
        "env",
        Shape::Texts,
        "Provider `command`: environment variables passed to the program in addition to PATH and HOME.",
    ),
];

/// A program's input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, EnumString, VariantNames)]
#[strum(serialize_all = "lowercase")]
pub enum Input {
    /// The newest message.
    #[default]
    Text,
    /// A line of JSON.
    Json,
}

pub(super) fn read(own: &mut Own, reader: &mut Reader<'_, '_>) {
    own.command = reader.texts("command");
    if let Some(told) = &own.command {
        let span = told.at.1;
        let named = told.value.iter().any(|part| reader.found.named(part) != *part);
        if told.value.iter().all(|part| part.trim().is_empty()) {
            reader.wrong(span, "`command` has no program", "write it as `command: [./bot, --json]`");
        } else if named {
            // Any user of the machine can list the arguments of its processes.
            reader.wrong(
                span,
                "`command` contains the value of a variable, but other users can see arguments",
                "list the variable under `env`, and read it in the program",
            );
        }
    }
    own.input = reader.word("input");
    own.persistent = reader.flag("persistent");
    own.env = reader.texts("env");
    if let (Some(Told { value: Input::Text, at: (_, span), .. }), Some(Told { value: true, .. })) =
        (&own.input, &own.persistent)
    {
        reader.wrong(
            *span,
            "`input: text` does not work with `persistent: true`",
            "set `input: json`, which sends one line per request",
        );
    }
}

impl Own {
    /// These settings with a program from the command line, as in `-- ./bot --json`.
    #[must_use]
    pub fn with_command(&self, command: &[String]) -> Self {
        let file = Arc::new(SourceFile::from_text("the command line", ""));
        let written = Json::from(command).to_string();
        let told = Told { value: command.to_vec(), written, filled: Vec::new(), at: (file, Span::default()) };
        Self { command: Some(told), ..self.clone() }
    }
}

/// An application that is a program.
#[derive(Debug)]
pub struct OwnCommand {
    endpoint: Endpoint,
    program: Program,
    secrets: Vec<Secret>,
    own: Own,
    /// Whether output that is not JSON is taken as the answer even if `answer` is set.
    takes_text: bool,
    /// Idle processes.
    idle: Mutex<Vec<Running>>,
}

impl OwnCommand {
    /// Prepares a program with this environment; starts nothing. The values of `secrets` are not shown.
    #[must_use]
    pub fn new(own: Own, environment: Vec<(String, String)>, secrets: Vec<Secret>) -> Self {
        let command = own.command.as_ref().map(|told| told.value.clone()).unwrap_or_default();
        let name = command.first().cloned().unwrap_or_default();
        let address =
            format!("{COMMAND}://{}", command.iter().map(|part| shown(part)).collect::<Vec<_>>().join(" "));
        let endpoint = Endpoint { provider: COMMAND.to_owned(), host: name, address };
        let program = Program { command, environment };
        Self { endpoint, program, secrets, own, takes_text: false, idle: Mutex::default() }
    }

    /// Marks this program as the replacement of a server that `answer` was written for: it may print just the answer if
    /// nothing else is read.
    #[must_use]
    pub fn in_place_of_server(self) -> Self {
        let Own { tools, state, stop, usage, .. } = &self.own;
        let takes_text = tools.is_none() && state.is_none() && stop.is_none() && usage.is_none();
        Self { takes_text, ..self }
    }

    fn host(&self) -> &str {
        self.program.name()
    }

    fn place(&self) -> String {
        match &self.own.command {
            Some(told) if told.at.1.line > 0 => format!("`command` ({})", told.place()),
            _ => "the command after `--`".to_owned(),
        }
    }

    fn scrub(&self, text: &str) -> String {
        Secret::scrub_all(&self.secrets, text)
    }

    fn failed(&self, reason: String, help: String) -> ProviderError {
        ProviderError::Program { name: self.host().to_owned(), reason, started: true, help }
    }

    fn broken(&self, error: &ProcessError) -> ProviderError {
        let help = match error {
            ProcessError::Start(_) => format!(
                "check {}; a path is relative to the current folder, and a bare name is looked up in PATH",
                self.place()
            ),
            ProcessError::Read(_) | ProcessError::TooLong | ProcessError::Late(_) => {
                format!("check {}", self.place())
            }
        };
        let reason = match error {
            ProcessError::Start(error) => format!(
                "cannot start: {}",
                text::excerpt(error.to_string().split(" (os error").next().unwrap_or_default(), 200)
            ),
            error => error.to_string(),
        };
        let started = !matches!(error, ProcessError::Start(_));
        ProviderError::Program { name: self.host().to_owned(), reason, started, help }
    }

    /// The error if the program failed.
    fn ended_badly(&self, ended: &Ended) -> Option<ProviderError> {
        (!ended.status.success()).then(|| self.gone(ended))
    }

    fn gone(&self, ended: &Ended) -> ProviderError {
        let how = match ended.status.code() {
            Some(code) => format!("exit code {code}"),
            None => format!("ended by a signal ({})", ended.status),
        };
        let complaints = self.scrub(ended.stderr.trim());
        let tail: String =
            complaints.chars().skip(complaints.chars().count().saturating_sub(SHOWN)).collect();
        let what = if tail.is_empty() {
            "nothing on stderr".to_owned()
        } else {
            format!("stderr: {}", text::excerpt(&tail, SHOWN))
        };
        self.failed(format!("{how}; {what}"), format!("run {} by hand with the same input", self.place()))
    }

    fn is_persistent(&self) -> bool {
        self.own.persistent.as_ref().is_some_and(|told| told.value)
    }

    async fn ask(&self, request: &ChatRequest) -> Result<Completion, ProviderError> {
        let filling = Filling::of(request, false);
        let conversation = &request.conversation;
        let usual = if self.is_persistent() { Input::Json } else { Input::Text };
        let is_json = self.own.input.as_ref().map_or(usual, |told| told.value) == Input::Json;
        let input = if is_json {
            let mut line = json!({
                "conversation_id": conversation.id, "trial": conversation.trial, "turn": conversation.turn,
                "prompt": filling.prompt(), "messages": filling.messages(), "tools": request.tools,
            });
            if let Some(session) = &conversation.session {
                line["session"] = session.as_str().into();
            }
            line.to_string()
        } else {
            filling.prompt().to_owned()
        };
        let (printed, kept) = if self.is_persistent() {
            let (printed, running, watch) = self.exchange(input).await?;
            (printed, Some((running, watch)))
        } else {
            (self.run(input).await?, None)
        };
        let answer = self.read(printed, is_json)?;
        // After an unreadable line the process is dropped: its next line might be the answer to this request.
        if let Some((running, watch)) = kept {
            watch.release();
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(running);
        }
        Ok(Completion { answer, ..Completion::default() })
    }

    fn body<'a>(&'a self, whole: &'a str) -> Body<'a> {
        Body { whole, host: self.host(), ..Body::default() }
    }

    fn read(&self, printed: Vec<u8>, is_json: bool) -> Result<Answer, ProviderError> {
        let printed = String::from_utf8(printed).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            let whole = String::from_utf8_lossy(error.as_bytes()).into_owned();
            self.body(&self.scrub(&whole)).misread(
                &format!("invalid UTF-8 at byte {at}"),
                format!("make the program print UTF-8: {}", self.place()),
            )
        })?;
        let (printed, hidden) = Secret::hide(&self.secrets, &printed);
        let answer = self.said(&printed, is_json)?;
        without_keys(answer, (&self.secrets, hidden), self.host())
    }

    fn said(&self, printed: &str, is_json: bool) -> Result<Answer, ProviderError> {
        let shown = self.scrub(printed);
        let body = self.body(&shown);
        if printed.trim().is_empty() {
            return Err(body.misread("it printed nothing", format!("check {}", self.place())));
        }
        let usual = || {
            let at = self.own.command.as_ref().map(|told| told.at.clone())?;
            Some(Told {
                value: vec![Pointer::parse("/answer").ok()?],
                written: String::new(),
                filled: Vec::new(),
                at,
            })
        };
        let json = serde_json::from_str::<Json>(&text::json::mended(printed));
        let is_document = matches!(json, Ok(Json::Object(_) | Json::Array(_)));
        let said = self.own.answer.clone().filter(|_| is_json || is_document || !self.takes_text);
        let answer = said.or_else(|| if is_json { usual() } else { None });
        let Some(answer) = answer else {
            return match json {
                Ok(json @ (Json::Object(_) | Json::Array(_))) => {
                    let body = Body { documents: vec![json], ..body };
                    let help = format!(
                        "set `input: json` if the program also reads JSON, or add `answer:` with a JSON pointer ({}): {}",
                        self.place(),
                        body.texts()
                    );
                    Err(body.misread("it is JSON, and `answer` is not set", help))
                }
                _ => Ok(Answer {
                    text: printed.trim_end_matches(['\r', '\n']).to_owned(),
                    ..Answer::default()
                }),
            };
        };
        let json = json.map_err(|error| {
            let help = format!(
                "make the program print only one JSON object, and its logs to stderr: {}",
                self.place()
            );
            body.misread(&text::json::trouble(&error), help)
        })?;
        Body { documents: vec![json], ..body }.answer(&self.own, Some(&answer))
    }

    /// Runs a new process for the request.
    async fn run(&self, input: String) -> Result<Vec<u8>, ProviderError> {
        let running = self.program.start().map_err(|error| self.broken(&error))?;
        let _watch = running.watch();
        let ended = blocking(move || running.finish((input + "\n").into_bytes())).await;
        let ended = ended.map_err(|error| self.broken(&error))?;
        self.ended_badly(&ended).map_or(Ok(ended.stdout), Err)
    }

    /// Uses an idle process or a new one. A process that printed extra lines is out of step: it is unclear which line
    /// answers which request.
    async fn exchange(&self, input: String) -> Result<(Vec<u8>, Running, Watch), ProviderError> {
        let mut idle = None;
        while let (None, Some(running)) =
            (&idle, self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop())
        {
            match running.meanwhile() {
                Meanwhile::Waited => idle = Some(running),
                Meanwhile::Spoke(line) => return Err(self.out_of_step(&line)),
                Meanwhile::Ended => {}
            }
        }
        loop {
            let was_idle = idle.is_some();
            let mut running = match idle.take() {
                Some(running) => running,
                None => self.program.start().map_err(|error| self.broken(&error))?,
            };
            let (watch, question) = (running.watch(), input.clone());
            let said = blocking(move || {
                let printed = running.exchange(&question)?;
                // An incomplete line means that the program ended.
                if printed.ends_with(b"\n") {
                    Ok(Ok((printed, running)))
                } else {
                    Ok(Err((printed, running.finish(Vec::new())?)))
                }
            });
            match said.await.map_err(|error| self.broken(&error))? {
                Ok((printed, running)) => {
                    return match running.meanwhile() {
                        Meanwhile::Spoke(line) => Err(self.out_of_step(&line)),
                        Meanwhile::Waited | Meanwhile::Ended => Ok((printed, running, watch)),
                    };
                }
                // It ended successfully before it read the request; a process may stop after any answer.
                Err((printed, ended)) if was_idle && printed.is_empty() && ended.status.success() => {}
                Err((_, ended)) => return Err(self.gone(&ended)),
            }
        }
    }

    fn out_of_step(&self, line: &[u8]) -> ProviderError {
        let line = self.scrub(&String::from_utf8_lossy(line));
        let help =
            format!("make the program print one line per request, and its logs to stderr: {}", self.place());
        self.body(&line).misread("it printed more than one line for a request", help)
    }
}

/// An argument for display.
fn shown(part: &str) -> String {
    if part.is_empty() || part.contains(char::is_whitespace) {
        text::argument(part)
    } else {
        text::excerpt(part, 300)
    }
}

/// Runs blocking code on its own thread.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ProcessError> + Send + 'static,
) -> Result<T, ProcessError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(ProcessError::Read(std::io::Error::other(error.to_string()))))
}

impl Provider for OwnCommand {
    fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    fn keyed(&self, request: &ChatRequest) -> Option<Json> {
        Some(self.own.keyed(&request.variables))
    }

    fn chat<'a>(&'a self, request: &'a ChatRequest) -> Pending<'a> {
        Box::pin(self.ask(request))
    }

    fn embed<'a>(&'a self, _: &'a str, _: &'a str) -> Pending<'a> {
        Box::pin(async { Err(self.failed("it has no embeddings".to_owned(), String::new())) })
    }
}
