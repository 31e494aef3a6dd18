//! `llm_grader`: a judge grades the answer by a rubric.

use serde_json::Value as Json;

use super::reading::Reading;
use super::{Candidate, TYPE, errored, verdict};
use crate::grader::calibration::Standing;
use crate::grader::{Anchor, Ballot, Bar, Bench, Configured, Defaults, GraderError, Judge, Question, Rubric};
use crate::manifest::{Grade, Verdict};
use crate::provider::{self, Message};
use crate::source::{Diagnostic, Field, Fields, Shape};
use crate::text;
use crate::vocabulary::{VerdictKind, WeakeningKind, Weaker};

const ANCHOR: &[Field] = &[
    Field::required("score", Shape::Number(0.0, 1.0), "Score that the example deserves, 0 to 1."),
    Field::required("example", Shape::Name, "An answer that deserves this score."),
];

pub(super) const FIELDS: &[Field] = &[
    TYPE,
    Field::required(
        "rubric",
        Shape::Name,
        "What a good answer does, in plain words; or `builtin:NAME`, one of akit's rubrics.",
    ),
    Field::optional("threshold", Shape::Number(0.0, 1.0), "Lowest score that passes, 0 to 1 (0.7)."),
    Field::optional("anchors", Shape::Objects(ANCHOR), "Example answers and the scores that they deserve."),
    Field::optional(
        "votes",
        Shape::Integer(1),
        "Number of verdicts, odd (1, or up to 3 near the threshold).",
    ),
    Field::optional("scale", Shape::Steps, "Highest score on the judge's scale (10)."),
    Field::optional("model", Shape::Name, "Model to judge with, instead of the configured judge."),
    Field::optional(
        "provider",
        Shape::Offered(&provider::OFFERED, &provider::NAMES),
        "Provider of that model (openai).",
    ),
    Field::optional(
        "of",
        Shape::OneOf(&["answer", "conversation"]),
        "In a conversation: grade the last answer or the whole conversation (answer).",
    ),
];

/// A rubric and the score that passes.
#[derive(Clone, Debug)]
pub struct LlmGrader {
    kind: VerdictKind,
    rubric: Rubric,
    threshold: f64,
    scale: Option<u32>,
    votes: Option<u32>,
    judge: Option<Judge>,
    /// Whether the whole conversation is graded.
    is_whole: bool,
}

impl LlmGrader {
    pub(super) fn read(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Option<Self> {
        let (written, span) = fields.text("rubric")?;
        let mut rubric = match Rubric::named(written) {
            None => Rubric::of(reading.fill(written, span)),
            Some(Ok(rubric)) => rubric,
            Some(Err(unknown)) => {
                let message = unknown.to_string();
                let finding = Diagnostic::error("unknown-rubric", reading.file, span, message);
                reading.found.push(finding.help(unknown.help));
                return None;
            }
        };
        reading.least_score(fields, 0.7);
        let anchors = fields.objects("anchors");
        rubric.anchors.extend(anchors.iter().filter_map(|anchor| {
            let (example, span) = anchor.text("example")?;
            Some(Anchor { share: anchor.number("score")?, example: reading.fill(example, span) })
        }));
        Some(Self {
            kind: VerdictKind::LlmGrader,
            rubric,
            threshold: fields.number("threshold").unwrap_or(0.7),
            scale: fields.integer("scale").and_then(|scale| u32::try_from(scale).ok()),
            votes: votes(fields, reading),
            judge: judge(fields, reading),
            is_whole: is_whole(fields, reading),
        })
    }

    /// Asks a judge whether an answer has the same meaning as a given text.
    pub(super) fn same_meaning(value: &str, threshold: f64, judge: Option<Judge>) -> Self {
        let rubric = format!(
            "The answer means the same as the text below: it says the same things about the same subject, \
             whatever its wording, order or language. Score the share of the meaning that they have in common; \
             a contradiction, or another subject, is 0.\n\nText: {}",
            serde_json::Value::from(value)
        );
        Self {
            kind: VerdictKind::Similarity,
            rubric: Rubric::of(rubric),
            threshold,
            scale: None,
            votes: None,
            judge,
            is_whole: false,
        }
    }

    /// The judge that the expectation names, if it names one.
    #[must_use]
    pub fn named(&self) -> Option<&Judge> {
        self.judge.as_ref()
    }

    /// What a judge is asked about an answer.
    #[must_use]
    pub fn question<'a>(
        &'a self,
        defaults: &Defaults,
        conversation: &'a [Message],
        answer: &'a str,
    ) -> Question<'a> {
        let (rubric, scale) = (&self.rubric, self.scale.unwrap_or(defaults.scale));
        Question { rubric, scale, answer, tool_calls: &[], is_cut: false, is_whole: false, conversation }
    }

    /// The minimum and maximum number of verdicts to ask for.
    #[must_use]
    pub fn votes(&self, defaults: &Defaults) -> [u32; 2] {
        self.votes.map_or(defaults.ballot, Ballot::Fixed).range()
    }

    pub(super) async fn judge(&self, answer: &Candidate<'_>, bench: &Bench<'_>) -> Verdict {
        let grader = match bench.graders.find(self.judge.as_ref()) {
            Ok(grader) => grader,
            Err(missing) => return self.failed(&missing),
        };
        let last = answer.talk.and_then(super::Talk::last);
        let (answer, bench) = match last {
            Some(last) => (&last.answer, &bench.until(last.before)),
            None => (answer, bench),
        };
        let defaults = bench.graders.defaults();
        let scale = self.scale.unwrap_or(defaults.scale);
        let ballot = self.votes.map_or(defaults.ballot, Ballot::Fixed);
        let rubric = self.rubric.redacted(|text| bench.redacted(text));
        // `similarity` is about the meaning of the text alone.
        let tool_calls = if self.kind == VerdictKind::LlmGrader { answer.tool_calls } else { &[] };
        let conversation = bench.messages;
        let (is_cut, answer) = (answer.is_cut(), answer.text);
        let is_whole = self.is_whole && last.is_some();
        let question =
            Question { rubric: &rubric, scale, answer, tool_calls, is_cut, is_whole, conversation };
        let bar = Bar { threshold: self.threshold, scale };
        let standing = match bench.graders.binding() {
            // `similarity` asks another question for each string, so no labels can cover it.
            Some(binding) if self.kind == VerdictKind::LlmGrader => {
                binding.standing(grader, &question, bar, ballot)
            }
            _ => Standing::Sound,
        };
        let advisory = match standing {
            Standing::Sound => None,
            Standing::Advisory(why) => Some(why),
            Standing::Refused(why) => return self.failed(&GraderError::Uncalibrated(why)),
        };
        match grader.grade(&question, bar, ballot, bench).await {
            Ok(grade) => Verdict { advisory, ..self.verdict(grade, bar) },
            Err(error) => self.failed(&error),
        }
    }

    /// The text of its rubric.
    pub(super) fn rubric(&self) -> &str {
        &self.rubric.text
    }

    /// Where a new version requires less. What an expectation leaves to the configuration is compared there.
    pub(super) fn weaker(&self, now: &Self, judges: Judges<'_>) -> Vec<Weaker> {
        let Self { kind: _, rubric: old, threshold: was, scale: steps, votes: asked, judge, is_whole } = self;
        let Self { kind: _, rubric: new, threshold: is, scale, votes, judge: named, is_whole: _ } = now;
        let mut found = Vec::new();
        // A YAML block scalar adds a line end.
        if old.text.trim_end_matches(['\n', '\r']) != new.text.trim_end_matches(['\n', '\r']) {
            let message = format!("the rubric was `{}`", text::excerpt(&old.text, 60));
            found.push(Weaker::new(WeakeningKind::RubricChanged, &["rubric"], message));
        }
        if old.anchors != new.anchors {
            let message = format!(
                "the anchors have changed; there were {}",
                text::number::whole(old.anchors.len() as u64)
            );
            found.push(Weaker::new(WeakeningKind::RubricChanged, &["anchors"], message));
        }
        if *is_whole != now.is_whole {
            let message = "`of` switched between the last answer and the whole conversation";
            found.push(Weaker::new(WeakeningKind::ValueChanged, &["of"], message));
        }
        found.extend(lower_score(*was, *is));
        found.extend(judges.swapped(judge.as_ref(), named.as_ref()));
        if steps != scale {
            let (before, now) = (judges.before.defaults.scale, judges.now.defaults.scale);
            found.extend(swapped(&["scale"], steps.unwrap_or(before), scale.unwrap_or(now)));
        }
        let (was, is) = (judges.before.defaults.most_votes(*asked), judges.now.defaults.most_votes(*votes));
        if asked != votes && is < was {
            found.push(fewer_votes(&["votes"]));
        }
        found
    }

    fn verdict(&self, grade: Grade, bar: Bar) -> Verdict {
        let middle = bar.middle(&grade.votes);
        let passed = bar.reached(middle);
        let score = f64::from(middle) / f64::from(bar.scale);
        let mut verdict = verdict(self.kind.clone(), passed, score);
        verdict.threshold = Some(self.threshold);
        verdict.expected = self.expected();
        verdict.reason = format!(
            "the judge gave {score:.2}; at least {:.2} required: {}",
            self.threshold,
            text::excerpt(&grade.reasoning, 300)
        );
        verdict.grade = Some(Box::new(grade));
        verdict
    }

    fn failed(&self, error: &GraderError) -> Verdict {
        let mut verdict = errored(self.kind.clone(), error.to_string());
        verdict.threshold = Some(self.threshold);
        verdict.expected = self.expected();
        verdict.fault = Some(Box::new(error.fault()));
        verdict
    }

    fn expected(&self) -> String {
        text::excerpt(self.rubric.text.trim(), 200)
    }
}

/// The configured judges, before and now.
#[derive(Clone, Copy, Debug)]
pub struct Judges<'a> {
    /// Before.
    pub before: &'a Configured,
    /// Now.
    pub now: &'a Configured,
}

impl Judges<'_> {
    /// Before and now swapped.
    pub(super) fn swap(self) -> Self {
        Self { before: self.now, now: self.before }
    }

    /// Whether the judge is another one, named by the expectation or configured.
    pub(super) fn swapped(self, before: Option<&Judge>, now: Option<&Judge>) -> Vec<Weaker> {
        if before == now {
            return Vec::new();
        }
        let (was, is) = (before.or(self.before.judge.as_ref()), now.or(self.now.judge.as_ref()));
        let part = |judge: Option<&Judge>, of: fn(&Judge) -> &String| judge.map(of).cloned();
        let model = swapped(&["model"], part(was, |judge| &judge.model), part(is, |judge| &judge.model));
        let provider =
            swapped(&["provider"], part(was, |judge| &judge.provider), part(is, |judge| &judge.provider));
        model.into_iter().chain(provider).collect()
    }
}

/// The weakening if the judge, or the way it is asked, has changed, with the old and the new value of the key.
pub fn swapped(keys: &[&str], was: impl Into<Json>, is: impl Into<Json>) -> Option<Weaker> {
    let (was, is) = (was.into(), is.into());
    let shown = |value: &Json| match value {
        Json::Null => "nothing".to_owned(),
        Json::String(text) => format!("`{}`", text::excerpt(text, 60)),
        other => format!("`{other}`"),
    };
    let message = || {
        let key = keys.last().copied().unwrap_or_default();
        format!("the judge's `{key}` was {}, now {}", shown(&was), shown(&is))
    };
    (was != is).then(|| Weaker::new(WeakeningKind::JudgeSwapped, keys, message()))
}

/// The weakening if a lower score passes.
pub(super) fn lower_score(was: f64, is: f64) -> Option<Weaker> {
    let message = || format!("the threshold was {was}, now {is}");
    (is < was).then(|| Weaker::new(WeakeningKind::ScoreLowered, &["threshold"], message()))
}

/// The weakening if the judge is asked for fewer votes.
pub fn fewer_votes(keys: &[&str]) -> Weaker {
    Weaker::new(WeakeningKind::VotesLowered, keys, "the judge is asked for fewer votes than before")
}

/// Whether the whole conversation is graded; reports an error if there is no conversation.
fn is_whole(fields: &Fields<'_>, reading: &mut Reading<'_>) -> bool {
    let is_whole = fields.text("of").is_some_and(|(word, _)| word == "conversation");
    if is_whole && reading.setup.talk.is_none() {
        let span = fields.key_span("of").unwrap_or(fields.span());
        let message =
            "`of: conversation` needs a conversation, but this expectation is about one answer".to_owned();
        let help = "remove `of`, or move the expectation to `expected` of a case with `turns` or `customer`";
        reading.refuse("wrong-place", span, message, help);
    }
    is_whole
}

/// The odd number of votes of an expectation.
fn votes(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Option<u32> {
    let votes = fields.integer("votes")?;
    let span = fields.node("votes").map_or(fields.span(), |node| node.span);
    if votes % 2 == 0 || votes > 99 {
        let message = format!("`votes` must be an odd number up to 99, found {votes}");
        reading.found.push(
            Diagnostic::error("wrong-value", reading.file, span, message)
                .help("use an odd number; an even number of votes can end in a tie"),
        );
        return None;
    }
    u32::try_from(votes).ok()
}

/// The judge that an expectation names.
pub(super) fn judge(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Option<Judge> {
    let (provider, model) = (fields.string("provider"), fields.string("model"));
    if let Some((name, span)) = fields.text("provider").filter(|(name, _)| provider::Spec::is_own(name)) {
        let message = format!("provider `{name}` cannot judge; it can only answer cases");
        reading.refuse("wrong-value", span, message, "choose a model provider");
    }
    if provider.is_some() && model.is_none() && fields.key_span("model").is_none() {
        let at = fields.key_span("provider").unwrap_or(fields.span());
        let message = "`provider` of a judge needs a `model`".to_owned();
        reading.found.push(
            Diagnostic::error("missing-field", reading.file, at, message)
                .help("add `model:`, or remove `provider:` to use the configured judge"),
        );
    }
    Some(Judge { provider: provider.unwrap_or_else(|| provider::DEFAULT.to_owned()), model: model? })
}
