//! One case: folded up a line, unfolded what was asked, answered, expected and said by the judge.

use serde::Serialize;

use super::head::Filters;
use super::page::{Excerpt, joined};
use super::{Entry, Room};
use crate::manifest::{Grade, Trial, Verdict};
use crate::report::past::Before;
use crate::report::view::{self, View, score, votes};
use crate::report::words::{Piece, differ};
use crate::text::{self, number};
use crate::vocabulary::Outcome;

/// Characters of a name.
const NAME: usize = 200;

/// Parts below parts that are shown.
const DEPTH: usize = 6;

/// Parts of one verdict that are shown.
const PARTS: usize = 40;

/// A case as the page shows it.
#[derive(Debug, Serialize)]
pub(super) struct Case {
    index: usize,
    outcome: &'static str,
    /// Places in the lists of states, scenarios and tags.
    state: usize,
    scenario: usize,
    tags: String,
    name: String,
    short: String,
    num: String,
    title: String,
    place: String,
    /// Its state and tags, for people.
    labels: String,
    tally: String,
    remark: String,
    prompt: Excerpt,
    trials: Vec<Told>,
    left_out: String,
}

/// A trial as the page shows it.
#[derive(Debug, Serialize)]
struct Told {
    label: String,
    outcome: &'static str,
    answer: Option<Excerpt>,
    /// The answer with the words marked that it did not have before; empty where nothing is to be marked.
    pieces: Vec<Piece>,
    before: Option<Past>,
    fault: Option<Fault>,
    /// The expectations in a line, where they are not shown one by one.
    brief: String,
    verdicts: Vec<Judged>,
}

/// What an earlier run answered.
#[derive(Debug, Serialize)]
struct Past {
    outcome: &'static str,
    label: String,
    same: bool,
    pieces: Vec<Piece>,
    more: String,
}

#[derive(Debug, Serialize)]
struct Fault {
    kind: String,
    message: String,
    help: String,
}

/// A verdict as the page shows it.
#[derive(Debug, Serialize)]
struct Judged {
    kind: String,
    outcome: &'static str,
    score: String,
    reason: String,
    advisory: String,
    expected: Excerpt,
    got: Excerpt,
    grade: Option<Opinion>,
    parts: Vec<Judged>,
}

/// What a judge said.
#[derive(Debug, Serialize)]
struct Opinion {
    grader: String,
    reasoning: Excerpt,
    votes: String,
    cached: bool,
}

impl Case {
    pub(super) fn of(
        index: usize,
        entry: &Entry<'_>,
        filters: &Filters,
        room: Room,
        before: Option<&Before>,
    ) -> Self {
        let (case, view) = (entry.case, View::of(entry));
        // Of a case that passed, what its state rests on.
        let remark = if view.state.is_empty() { entry.note } else { &view.state };
        let bad = crate::report::entry::bad(case.outcome);
        let most = room.of(case.outcome);
        let line = |text: &str, most: usize| text::excerpt(text, most);
        let several = case.trials.len() > 1;
        let shown = case.trials.iter().take(room.trials).enumerate();
        let mut trials: Vec<_> = shown
            .map(|(at, trial)| match case.trials[..at].iter().find(|one| alike(one, trial)) {
                Some(same) => Told::again(trial, same),
                None => Told::of(trial, several, most, room.shows_trees(case.outcome)),
            })
            .collect();
        if let Some(before) = before {
            let telling = case.trials.iter().take(trials.len());
            let telling = telling.zip(0..).find(|(trial, _)| trial.outcome == case.outcome);
            if let Some(told) = trials.get_mut(telling.map_or(0, |(_, at)| at)) {
                told.put_beside(before, most);
            }
        }
        let more = case.trials.len() - trials.len();
        let state = entry.state.words();
        let named = (state != case.outcome.word()).then_some(state);
        let tags = case.tags.iter().take(20).map(|tag| line(tag, 60)).collect::<Vec<_>>();
        Self {
            index,
            outcome: case.outcome.word(),
            state: filters.state(entry.state),
            scenario: filters.scenario(&case.scenario),
            tags: filters.tags(&case.tags),
            name: line(&view.name, NAME),
            short: if bad { line(view.why, NAME.min(most)) } else { String::new() },
            num: num(entry),
            title: line(view.title, NAME),
            place: line(&view.place, NAME),
            labels: joined(named.into_iter().chain(tags.iter().map(String::as_str))),
            tally: entry
                .tally()
                .map_or(String::new(), |(passed, all)| format!("{passed} of {all} trials passed")),
            remark: line(remark, 2 * NAME),
            prompt: Excerpt::new(view.asked, most),
            trials,
            left_out: if more > 0 { text::count(more, "more trial") } else { String::new() },
        }
    }
}

/// `score 0.4 · 310 ms`, as far as it is known.
fn num(entry: &Entry<'_>) -> String {
    let score = entry.case.score.map(|score| format!("score {}", number::score(score)));
    let latency = entry.case.telling().and_then(|trial| trial.reply.as_ref()?.latency_ms);
    let latency = latency.map(number::span);
    score.into_iter().chain(latency).collect::<Vec<_>>().join(" · ")
}

/// Whether a reader would see the same in both.
fn alike(one: &Trial, other: &Trial) -> bool {
    let text = |trial: &Trial| trial.reply.as_ref().map(|reply| reply.text.clone());
    one.outcome == other.outcome
        && one.verdict == other.verdict
        && one.fault == other.fault
        && text(one) == text(other)
}

impl Told {
    /// A trial that went as an earlier one.
    fn again(trial: &Trial, same: &Trial) -> Self {
        let (told, first) = (Self::of(trial, true, 0, false), u64::from(same.index) + 1);
        let label = format!("{} · the same answer and verdict as in trial {first}", told.label);
        Self { label, answer: None, fault: None, brief: String::new(), verdicts: Vec::new(), ..told }
    }

    fn of(trial: &Trial, several: bool, most: usize, tree: bool) -> Self {
        let mut facts = Vec::new();
        if several {
            let kind = if trial.confirmation { "asked again to confirm, trial" } else { "trial" };
            facts.push(format!("{kind} {}", u64::from(trial.index) + 1));
        }
        if let Some(reply) = &trial.reply {
            facts.extend(reply.model.as_deref().map(|model| text::excerpt(model, 80)));
            facts.extend(reply.latency_ms.map(number::span));
            facts.extend(reply.usage.map(|usage| format!("{} tokens", number::whole(usage.total()))));
            facts.extend(reply.cost_usd.map(|cost| format!("${cost:.4}")));
            let odd = reply.finish_reason.as_deref().filter(|reason| *reason != "stop");
            facts.extend(odd.map(|reason| format!("ended by {}", text::excerpt(reason, 40))));
            facts.extend(reply.recorded.then(|| "from the cache".to_owned()));
        }
        Self {
            label: facts.join(" · "),
            outcome: if several { trial.outcome.word() } else { "" },
            answer: trial.reply.as_ref().map(|reply| Excerpt::new(&reply.text, most)),
            pieces: Vec::new(),
            before: None,
            fault: trial.fault.as_ref().map(|fault| Fault {
                kind: text::excerpt(fault.kind.word(), 60),
                message: text::excerpt(&fault.message, most.max(300)),
                help: text::excerpt(&fault.help, 300),
            }),
            brief: trial.verdict.as_ref().filter(|_| !tree).map(brief).unwrap_or_default(),
            verdicts: trial
                .verdict
                .iter()
                .filter(|_| tree)
                .map(|verdict| Judged::of(verdict, most, DEPTH))
                .collect(),
        }
    }
}

impl Told {
    /// Puts what an earlier run answered beside this answer, and marks the words that differ.
    fn put_beside(&mut self, before: &Before, most: usize) {
        let was = Excerpt::new(&before.text, most);
        let same = before.same_answer;
        let pieces = match &self.answer {
            _ if same => Vec::new(),
            Some(now) => {
                let (was, now) = differ(&was.text, &now.text);
                self.pieces = now;
                was
            }
            None => vec![Piece { text: was.text, alone: false }],
        };
        let mut facts = vec![format!("in run {}", text::excerpt(&before.run_id, 40))];
        facts.extend(before.at.as_deref().map(|at| text::excerpt(at, 40)));
        facts.extend(before.commit.as_deref().map(|commit| format!("commit {}", text::excerpt(commit, 12))));
        facts.extend(before.in_baseline.map(|known| {
            if known { "one of the baseline's runs" } else { "none of the baseline's runs" }.to_owned()
        }));
        facts.extend((!before.same_question).then(|| "something else was asked or expected then".to_owned()));
        let more = if same { String::new() } else { was.more };
        self.before =
            Some(Past { outcome: before.outcome.word(), label: facts.join(" · "), same, pieces, more });
    }
}

/// `contains passed · llm_grader passed, score 1, 0.9 needed`: the expectations without parts.
fn brief(verdict: &Verdict) -> String {
    let mut shown = Vec::new();
    verdict.walk(&mut |one| {
        if one.parts.is_empty() {
            let score = one.threshold.and(one.score).map(|_| format!(", score {}", score(one)));
            shown.push(format!("{} {}{}", one.kind, one.outcome.word(), score.unwrap_or_default()));
        }
    });
    text::excerpt(&shown.join(" · "), NAME)
}

impl Judged {
    fn of(verdict: &Verdict, most: usize, depth: usize) -> Self {
        let parts = if depth == 0 { &[] } else { verdict.parts.as_slice() };
        let view = view::Judged::of(verdict);
        // A pass says so by its word, parts say it themselves, and so does the judge.
        let known = verdict.outcome == Outcome::Passed || !parts.is_empty() || view.quotes_judge;
        Self {
            kind: text::excerpt(view.kind, 60),
            outcome: verdict.outcome.word(),
            score: if view.score.is_empty() { view.score } else { format!("score {}", view.score) },
            reason: text::excerpt(if known { "" } else { &view.reason }, most),
            advisory: text::excerpt(verdict.advisory.as_deref().unwrap_or_default(), 300),
            expected: Excerpt::new(&verdict.expected, most),
            got: Excerpt::new(&verdict.got, most),
            grade: verdict.grade.as_ref().map(|grade| Opinion::of(grade, most)),
            parts: parts.iter().take(PARTS).map(|part| Self::of(part, most, depth - 1)).collect(),
        }
    }
}

impl Opinion {
    fn of(grade: &Grade, most: usize) -> Self {
        Self {
            grader: text::excerpt(&grade.grader, 120),
            reasoning: Excerpt::new(&grade.reasoning, most),
            votes: votes(&grade.votes[..grade.votes.len().min(25)]),
            cached: grade.recorded,
        }
    }
}
