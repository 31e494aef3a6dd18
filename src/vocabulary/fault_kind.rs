//! Why a trial could not be judged, by name.

use strum::{EnumIter, EnumString, IntoStaticStr};

/// Why there is no result.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, EnumIter, EnumString, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum FaultKind {
    /// No connection: nothing listens there, or the name is unknown.
    Connect,
    /// The connection broke.
    ConnectionBroken,
    /// The answer ended with an error.
    BrokenAnswer,
    /// No answer in time.
    Timeout,
    /// The key is missing or wrong, or its account has nothing left.
    Unauthorized,
    /// Too many requests.
    RateLimited,
    /// A redirect, which is not followed.
    Redirected,
    /// The provider did not accept the request.
    RefusedRequest,
    /// The provider failed.
    ProviderDown,
    /// What came back is no completion.
    MalformedReply,
    /// A budget, and nobody knows what an answer costs.
    Unmetered,
    /// What an own bot said is not where the configuration looks for it.
    MalformedAnswer,
    /// A program failed.
    CommandFailed,
    /// A replay, and no record.
    CacheMiss,
    /// A replay, and a record that only the change under test brings.
    UntrustedRecord,
    /// The file of replies has none to the case.
    NoReply,
    /// A recorded conversation in which the customer says something else than here.
    OtherConversation,
    /// An answer to which the customer's rules have nothing to say.
    OffScript,
    /// What a turn says depends on a match that an earlier answer does not have.
    NoMatch,
    /// No turn of the conversation was said.
    NothingSaid,
    /// The case has nothing to be asked of.
    NotPlanned,
    /// The answer ended with a stop word that akit does not know.
    UnknownStopReason,
    /// The answer calls a function that is not declared.
    UndeclaredFunction,
    /// Nothing that a function returns fits its call.
    NoToolAnswer,
    /// The answer goes on calling functions.
    ToolRounds,
    /// The application's state has a word that akit does not know.
    UnknownState,
    /// An expectation gave up.
    ExpectationError,
    /// No judge is configured.
    NoGrader,
    /// The judge's answer is no verdict.
    JudgeUnreadable,
    /// The judge is not calibrated for the verdict, and must be.
    JudgeUncalibrated,
    /// The judge let a known-bad answer pass, or a known-good one fail.
    JudgeVoid,
    /// A defect of akit.
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
            Self::Connect => "check the address, and that the server runs",
            Self::ConnectionBroken => "look at the server's log",
            Self::BrokenAnswer => "the server reported an error inside its answer: see its message",
            Self::Timeout => "raise `--timeout`, or `timeout:` of the case",
            Self::Unauthorized => "check the key, its rights, and what its account has left",
            Self::RateLimited => "lower `-c`, or raise `--patience`",
            Self::Redirected => {
                "name the address that the server redirects to: akit follows no redirect with a key"
            }
            Self::RefusedRequest => "the provider names what it does not accept; is the model's name right?",
            Self::ProviderDown => "try again later, or raise `--retries`",
            Self::MalformedReply => "is this an OpenAI-compatible address? It usually ends in `/v1`",
            Self::Unmetered => {
                "`--budget` needs a server that reports the tokens of its answers, and a price for each model"
            }
            Self::MalformedAnswer => {
                "change the key that its help names: `answer`, `tools`, `session`, `sse` or `url`"
            }
            Self::CommandFailed => "see its exit code and what it wrote to stderr in the message",
            Self::CacheMiss => {
                "what is asked has changed since it was recorded: ask once with `--cache auto` and a key"
            }
            Self::UntrustedRecord => {
                "only the change brings this record: run with a key, or merge the record in a change of its own"
            }
            Self::NoReply => "add a line for the case to the file of replies",
            Self::OtherConversation => {
                "record the conversation again, or write the customer's turns as they were recorded"
            }
            Self::OffScript => "add a rule for what the application said, or say what happens `otherwise`",
            Self::NoMatch => "see why the answer does not have what a later turn repeats",
            Self::NothingSaid => {
                "no `if` of its turns was met: see the conversation, or say one turn in any case"
            }
            Self::UnknownStopReason => {
                "the answer ended with a word that akit does not know: see [the stop words](expectations.md#hollow-answers)"
            }
            Self::UndeclaredFunction => {
                "declare the function under `setup.functions`, or see why the application calls it"
            }
            Self::NoToolAnswer => {
                "add an entry to `returns` of the function that fits the call, or one without `with`"
            }
            Self::ToolRounds => {
                "raise `setup.max_tool_rounds`, or see why the application does not come to an answer"
            }
            Self::UnknownState => "say what the word means under `setup.handoff.states`",
            Self::ExpectationError => {
                "a pattern gave up, or two embeddings cannot be compared: see the message"
            }
            Self::NoGrader => "name a judge, or a model for embeddings",
            Self::JudgeUnreadable => {
                "choose a judge that can answer in JSON; if its answer was cut, raise `grader.maxTokens`"
            }
            Self::JudgeUncalibrated => {
                "a calibration is required and does not carry the verdict: see [calibration.md](calibration.md)"
            }
            Self::JudgeVoid => "the judge erred on an answer whose verdict is known: choose another one",
            Self::NotPlanned | Self::Internal => "a defect of akit: please report it",
            Self::Other(_) => "see the notes of the version that wrote it",
        }
    }

    /// Whether it is about one case: asked again, another case may be answered. The others are about the address, the
    /// key or the judge, and say nothing of the application.
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

    /// Whether recorded answers were all there are, and this one is not among them.
    #[must_use]
    pub fn is_not_recorded(&self) -> bool {
        matches!(self, Self::NoReply | Self::CacheMiss | Self::UntrustedRecord)
    }
}
