//! The kinds about a whole conversation: reading, judging and comparing them follows from one list.

/// Makes the enum of these kinds. Each has a file with `FIELDS`, its keys, and a type with `read`, `judge` and
/// `weaker`.
macro_rules! whole {
    ($($kind:ident in $($file:ident)::+,)+) => {
        /// An expectation of a conversation that needs no model.
        #[derive(Clone, Debug)]
        pub enum Whole {
            $($kind($($file)::+::$kind),)+
        }

        impl Whole {
            /// The keys of a kind, if it is in the list.
            fn fields(kind: &VerdictKind) -> Option<&'static [Field]> {
                match kind {
                    $(VerdictKind::$kind => Some($($file)::+::FIELDS),)+
                    _ => None,
                }
            }

            /// Reads one, and reports its problems.
            fn read(kind: &VerdictKind, fields: &Fields<'_>, reading: &mut Reading<'_>) -> Option<Self> {
                match kind {
                    $(VerdictKind::$kind => $($file)::+::$kind::read(fields, reading).map(Self::$kind),)+
                    _ => None,
                }
            }

            /// Judges a conversation.
            fn judge(&self, talk: &Talk<'_>) -> Verdict {
                match self {
                    $(Self::$kind(one) => one.judge(talk),)+
                }
            }

            /// Where another one of the same kind requires less; `None` for another kind.
            fn weaker(&self, now: &Self) -> Option<Vec<$crate::vocabulary::Weaker>> {
                match (self, now) {
                    $((Self::$kind(old), Self::$kind(new)) => Some(old.weaker(new)),)+
                    ($(Self::$kind(_))|+, _) => None,
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

pub(super) use whole;
