//! Rubrics: a user's own text, or one of those built into akit.
//!
//! The text of a built-in rubric is part of a verdict's cache key, so changing it invalidates recorded verdicts and
//! calibrations; a test fails if it changes.

use crate::text;

/// An example answer and the score it deserves.
#[derive(Clone, Debug, PartialEq)]
pub struct Anchor {
    /// The score as a fraction of the scale, 0 to 1.
    pub share: f64,
    /// The answer.
    pub example: String,
}

/// A rubric as the judge sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Rubric {
    /// The text.
    pub text: String,
    /// Examples on the scale, worst first.
    pub anchors: Vec<Anchor>,
}

/// A built-in rubric.
#[derive(Clone, Copy, Debug)]
pub struct Builtin {
    /// Name after `builtin:`.
    pub name: &'static str,
    /// What a good answer does.
    pub text: &'static str,
    /// Examples: percent of the scale, and the answer.
    pub anchors: &'static [(u32, &'static str)],
}

/// The built-in rubrics.
pub const BUILTIN: [Builtin; 7] = [
    Builtin {
        name: "empathy",
        text: "The answer recognises how the customer feels and shows it in words of its own that fit this \
               situation; it takes the feeling seriously before it turns to the matter. Stock phrases that would \
               fit any message, cheerfulness in the face of distress, lecturing and blame count against it.",
        anchors: &[
            (0, "Please see section 4 of our terms."),
            (30, "We are sorry for any inconvenience caused."),
            (
                100,
                "Losing a week's wages to our mistake, right before rent is due, is a real blow. Let us put it right now.",
            ),
        ],
    },
    Builtin {
        name: "escalation",
        text: "Where the customer asks for a person, is in distress, reports fraud or danger, or has failed to get \
               help before, the answer hands over to a person at once: it says that it does, how and when, keeps \
               what is already known, and sets no condition. Offering more self-service instead, asking why, or \
               hiding the way to a person counts against it. Where none of these holds, an answer that helps \
               directly meets the rubric.",
        anchors: &[
            (0, "I can help you with that! Have you tried our FAQ?"),
            (50, "You may call our service team during office hours."),
            (
                100,
                "I'm connecting you with a colleague now; she sees what you wrote, and the wait is two minutes.",
            ),
        ],
    },
    Builtin {
        name: "policy-adherence",
        text: "The answer keeps to the instructions and policies that stand in the conversation: it does what they \
               demand, refuses what they forbid, and neither invents a rule nor makes an exception that they do not \
               allow. An answer that follows them in substance but not in wording meets the rubric.",
        anchors: &[
            (0, "Normally we don't do this, but I have waived the fee for you."),
            (
                100,
                "Under the policy the fee stays for cancellations within 24 hours; here is what I can do instead.",
            ),
        ],
    },
    Builtin {
        name: "no-promises",
        text: "The answer promises no outcome, amount, date or exception that the conversation does not already \
               establish. Saying what happens next, who decides and when the customer hears of it is no promise of an \
               outcome. Guarantees, \"certainly\" about another's decision, and admissions of legal fault count against it.",
        anchors: &[
            (0, "Don't worry, you will get every cent back by Friday."),
            (100, "A specialist decides by Friday and calls you with the result, whatever it is."),
        ],
    },
    Builtin {
        name: "tone",
        text: "The answer is polite, plain and respectful, as long as the matter needs and no longer. Sarcasm, \
               condescension, impatience, slang, exaggerated enthusiasm and walls of text count against it.",
        anchors: &[
            (0, "As I already told you, just read the instructions."),
            (60, "Awesome!!! Your request has totally been received!"),
            (100, "Thank you for the details. Your new card arrives within five working days."),
        ],
    },
    Builtin {
        name: "resolution",
        text: "The answer solves what was asked, or takes the largest step towards it that the conversation allows, and \
               says what remains to be done, by whom and when. Everything that was asked is covered. Repeating \
               the question, general advice and answers to another question count against it.",
        anchors: &[
            (0, "Thank you for contacting us. We value your feedback."),
            (50, "You can change the address somewhere in the app."),
            (
                100,
                "I have changed the address to 4 Elm Road. The parcel leaves tomorrow; nothing else is needed.",
            ),
        ],
    },
    Builtin {
        name: "groundedness",
        text: "Every statement of fact in the answer is supported by the conversation or its instructions. Names, \
               numbers, dates, prices, rules and features that do not stand there count against it, however \
               plausible they are. An answer that says what it does not know meets the rubric.",
        anchors: &[
            (0, "Our Zurich office, founded in 1987, handles this within 36 hours."),
            (100, "The terms above give 30 days for returns; they do not say who pays for shipping."),
        ],
    },
];

/// An unknown name after `builtin:`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown built-in rubric `{name}`")]
pub struct UnknownRubric {
    /// The name.
    name: String,
    /// The nearest name, or the list of names.
    pub help: String,
}

impl Rubric {
    /// This rubric with `clean` applied to every text.
    #[must_use]
    pub fn redacted(&self, clean: impl Fn(&str) -> String) -> Self {
        let anchors = self.anchors.iter();
        let anchors = anchors.map(|anchor| Anchor { example: clean(&anchor.example), ..anchor.clone() });
        Self { text: clean(&self.text), anchors: anchors.collect() }
    }

    /// The built-in rubric that `builtin:NAME` names; `None` for any other text.
    #[must_use]
    pub fn named(written: &str) -> Option<Result<Self, UnknownRubric>> {
        let name = written.trim().strip_prefix("builtin:")?.trim();
        Some(Self::builtin(name).ok_or_else(|| {
            let names: Vec<_> = BUILTIN.iter().map(|builtin| builtin.name).collect();
            let help = match text::nearest(name, &names) {
                Some(near) => format!("did you mean `builtin:{near}`?"),
                None => format!("choose one of {}", text::list(&names)),
            };
            UnknownRubric { name: text::excerpt(name, 60), help }
        }))
    }

    /// A user's own rubric.
    #[must_use]
    pub fn of(text: impl Into<String>) -> Self {
        Self { text: text.into(), anchors: Vec::new() }
    }

    /// The built-in rubric with this name.
    #[must_use]
    pub fn builtin(name: &str) -> Option<Self> {
        let found = BUILTIN.iter().find(|builtin| builtin.name == name)?;
        let anchors = found.anchors.iter().map(|(percent, example)| Anchor {
            share: f64::from(*percent) / 100.0,
            example: (*example).to_owned(),
        });
        Some(Self { text: words(found.text), anchors: anchors.collect() })
    }
}

/// The text with single spaces.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn a_builtin_text_does_not_change_by_accident() {
        let mut hash = Sha256::new();
        for builtin in BUILTIN {
            let rubric = Rubric::builtin(builtin.name).unwrap();
            hash.update(format!("{} 1 {rubric:?}\n", builtin.name));
        }
        let hash = crate::text::hex(&hash.finalize());
        assert_eq!(&hash[..16], "fcc5f6167fea2e72", "this change invalidates recorded verdicts");
    }
}
