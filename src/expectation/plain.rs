//! The kinds that need no model: reading, judging and comparing them follows from one list.

/// Answers of this many bytes are judged through `aside` and not directly on the thread that sends requests.
pub(super) const LONG: usize = 1 << 16;

/// Makes the enum of these kinds. Each has a file with `FIELDS`, its keys, and a type with `read`, `judge`, `weaker`
/// and `texts`. A kind of the vocabulary that is neither here nor among the others below does not compile.
macro_rules! plain {
    ($($kind:ident in $file:ident,)+) => {
        /// An expectation that needs no model.
        #[derive(Clone, Debug)]
        pub enum Plain {
            $($kind($file::$kind),)+
        }

        impl Plain {
            /// The keys of a kind, if it is in the list.
            fn fields(kind: &VerdictKind) -> Option<&'static [Field]> {
                match kind {
                    $(VerdictKind::$kind => Some($file::FIELDS),)+
                    VerdictKind::Answer
                    | VerdictKind::Combined
                    | VerdictKind::Custom
                    | VerdictKind::Ended
                    | VerdictKind::EveryAnswer
                    | VerdictKind::FirstAnswer
                    | VerdictKind::HandoffKept
                    | VerdictKind::Keeps
                    | VerdictKind::LastAnswer
                    | VerdictKind::NoLoop
                    | VerdictKind::NoReask
                    | VerdictKind::SomeAnswer
                    | VerdictKind::LlmGrader
                    | VerdictKind::Not
                    | VerdictKind::Other(_)
                    | VerdictKind::Similarity => None,
                }
            }

            /// Reads one, and reports its problems.
            fn read(kind: &VerdictKind, fields: &Fields<'_>, reading: &mut Reading<'_>) -> Option<Self> {
                match kind {
                    $(VerdictKind::$kind => $file::$kind::read(fields, reading).map(Self::$kind),)+
                    // `fields` lists the others.
                    _ => None,
                }
            }

            /// Judges an answer; one that is not complete cannot pass, whatever it says.
            fn judge(&self, answer: &Candidate<'_>) -> Verdict {
                match (answer.talk, self) {
                    (Some(talk), Self::Handoff(kind)) => return kind.over(talk),
                    (Some(_), Self::Tools(kind)) => return kind.judge(answer),
                    (Some(_) | None, _) => {}
                }
                let judge = || match self {
                    $(Self::$kind(one) => one.judge(answer),)+
                };
                let verdict = if answer.text.len() < plain::LONG { judge() } else { aside::aside(judge) };
                // This expectation is about refusals, including those by the provider.
                if matches!(self, Self::IsRefusal(_)) && answer.is_refused() {
                    return verdict;
                }
                let hollow = answer.thinking.and(answer.hollow());
                match hollow.or(answer.unfinished()) {
                    Some(reason) if verdict.outcome == Outcome::Passed || text::said::shows_nothing(answer.text) => {
                        Verdict { outcome: Outcome::Failed, score: Some(0.0), reason, ..verdict }
                    }
                    _ => verdict,
                }
            }

            /// Where another one of the same kind requires less; `None` for another kind.
            fn weaker(&self, now: &Self) -> Option<Vec<$crate::vocabulary::Weaker>> {
                match (self, now) {
                    $((Self::$kind(old), Self::$kind(new)) => Some(old.weaker(new)),)+
                    ($(Self::$kind(_))|+, _) => None,
                }
            }

            /// The strings that a correct answer contains.
            fn texts(&self) -> Vec<&str> {
                match self {
                    $(Self::$kind(one) => one.texts(),)+
                }
            }

            fn kind(&self) -> VerdictKind {
                match self {
                    $(Self::$kind(_) => VerdictKind::$kind,)+
                }
            }
        }
    };
}

pub(super) use plain;
