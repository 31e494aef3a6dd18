//! Why a trial could not be judged, by kind.

use strum::{EnumIter, EnumString, IntoStaticStr};

/// Why there is no result.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, EnumIter, EnumString, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum FaultKind {
    /// No connection: nothing listens there, or the host name is unknown.
    Connect,
    /// The connection broke.
    ConnectionBroken,
    /// The answer ended with an error.
    BrokenAnswer,
    /// No answer in time.
    Timeout,
    /// The key is missing or wrong, or its account has no credit left.
    Unauthorized,
    /// Too many requests.
    RateLimited,
    /// A redirect, which is not followed.
    Redirected,
    /// The provider did not accept the request.
    RefusedRequest,
    /// The provider failed.
    ProviderDown,
    /// The response is not a completion.
    MalformedReply,
    /// A budget is set, but the cost of an answer is unknown.
    Unmetered,
    /// An own bot's answer is not where the configuration expects it.
    MalformedAnswer,
    /// A program failed.
    CommandFailed,
    /// Replay without a record.
    CacheMiss,
    /// Replay with a record that only the change under test adds.
    UntrustedRecord,
    /// The file of recorded answers has none for the case.
    NoReply,
    /// In the recorded conversation, the customer says something else.
    OtherConversation,
    /// The customer's rules do not match an answer.
    OffScript,
    /// A turn uses a match that an earlier answer does not have.
    NoMatch,
    /// No turn of the conversation was said.
    NothingSaid,
    /// The case was not planned.
    NotPlanned,
    /// The answer ended with a stop word that akit does not know.
    UnknownStopReason,
    /// The answer calls a function that is not declared.
    UndeclaredFunction,
    /// No entry under `returns` of a function matches its call.
    NoToolAnswer,
    /// The answer keeps calling functions.
    ToolRounds,
    /// The application's state has a value that akit does not know.
    UnknownState,
    /// An expectation could not be evaluated.
    ExpectationError,
    /// No judge is configured.
    NoGrader,
    /// The judge's answer is not a verdict.
    JudgeUnreadable,
    /// The judge needs a calibration for the verdict, but has none that covers it.
    JudgeUncalibrated,
    /// The judge passed a known-bad answer, or failed a known-good one.
    JudgeVoid,
    /// A bug in akit.
    Internal,
    /// A kind of a newer version.
    #[strum(disabled)]
    Other(String),
}

super::word::open!(FaultKind);

impl FaultKind {
    /// What to do about it.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Connect => "check the address, and that the server is running",
            Self::ConnectionBroken => "check the server's log",
            Self::BrokenAnswer => "read the message: the server reported an error in its answer",
            Self::Timeout => "raise `--timeout`, or `timeout:` in the case",
            Self::Unauthorized => "check the key, its permissions and the account's credit",
            Self::RateLimited => "lower `-c`, or raise `--patience`",
            Self::Redirected => {
                "set the address the server redirects to: akit does not follow redirects with a key"
            }
            Self::RefusedRequest => "check what the provider rejects, and the name of the model",
            Self::ProviderDown => "try again later, or raise `--retries`",
            Self::MalformedReply => "check that the address is OpenAI-compatible; it usually ends in `/v1`",
            Self::Unmetered => {
                "set a price for each model; with `--budget`, the server must also report the tokens of its answers"
            }
            Self::MalformedAnswer => {
                "fix the key that its help names: `answer`, `tools`, `session`, `sse` or `url`"
            }
            Self::CommandFailed => "check its exit code and stderr, which the message shows",
            Self::CacheMiss => {
                "run once with `--cache auto` and a key: the question has changed since it was recorded"
            }
            Self::UntrustedRecord => {
                "run with a key, or merge the record in a separate change: only this change adds it"
            }
            Self::NoReply => "add a line for the case to the file of recorded answers",
            Self::OtherConversation => {
                "record the conversation again, or restore the customer's recorded turns"
            }
            Self::OffScript => "add a rule that matches the answer, or add `otherwise`",
            Self::NoMatch => "find out why the answer lacks what a later turn uses",
            Self::NothingSaid => "check the conversation, or remove an `if`: no turn's condition was met",
            Self::UnknownStopReason => {
                "add the word to `stopWords`: see [the stop words](expectations.md#hollow-answers)"
            }
            Self::UndeclaredFunction => {
                "declare the function under `setup.functions`, or find out why the application calls it"
            }
            Self::NoToolAnswer => {
                "add an entry that matches the call to `returns` of the function, or one without `with`"
            }
            Self::ToolRounds => {
                "raise `setup.max_tool_rounds`, or find out why the application does not answer"
            }
            Self::UnknownState => "add the word with its meaning to `setup.handoff.states`",
            Self::ExpectationError => {
                "read the message: a pattern gave up, or two embeddings cannot be compared"
            }
            Self::NoGrader => "set a judge, or a model for embeddings",
            Self::JudgeUnreadable => {
                "choose a judge that answers in JSON; if its answer was truncated, raise `grader.maxTokens`"
            }
            Self::JudgeUncalibrated => "calibrate the judge: see [calibration.md](calibration.md)",
            Self::JudgeVoid => {
                "choose another judge: this one was wrong about an answer with a known verdict"
            }
            Self::NotPlanned | Self::Internal => "please report this bug in akit",
            Self::Other(_) => "read the release notes of the version that wrote it",
        }
    }

    /// Whether it concerns one case only, so that other cases may still be answered. All other faults concern the
    /// address, the key or the judge, and show nothing about the application.
    #[must_use]
    pub fn is_of_case(&self) -> bool {
        match self {
            Self::ConnectionBroken
            | Self::BrokenAnswer
            | Self::Timeout
            | Self::RefusedRequest
            | Self::ProviderDown
            | Self::MalformedReply
            | Self::MalformedAnswer
            | Self::CommandFailed
            | Self::CacheMiss
            | Self::NoReply
            | Self::OtherConversation
            | Self::OffScript
            | Self::NoMatch
            | Self::NothingSaid
            | Self::UnknownStopReason
            | Self::UndeclaredFunction
            | Self::NoToolAnswer
            | Self::ToolRounds
            | Self::UnknownState
            | Self::ExpectationError
            | Self::JudgeUnreadable => true,
            Self::Connect
            | Self::Unauthorized
            | Self::RateLimited
            | Self::Redirected
            | Self::Unmetered
            | Self::NotPlanned
            | Self::NoGrader
            | Self::UntrustedRecord
            | Self::JudgeUncalibrated
            | Self::JudgeVoid
            | Self::Internal
            | Self::Other(_) => false,
        }
    }

    /// Whether there are only recorded answers, and this one is not among them.
    #[must_use]
    pub fn is_not_recorded(&self) -> bool {
        matches!(self, Self::NoReply | Self::CacheMiss | Self::UntrustedRecord)
    }
}
