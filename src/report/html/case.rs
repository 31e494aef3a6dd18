//! One case: a line that opens to show question, answer, expectations and verdict.

use serde_json::{Map, Value, json};

use super::head::Filters;
use super::page::{Excerpt, joined};
use crate::manifest::{Trial, Turn, Verdict};
use crate::report::Entry;
use crate::report::calls::Calls;
use crate::report::detail::{Detail, Interest};
use crate::report::past::Before;
use crate::report::talk::{self, Step, Talk};
use crate::report::view::{TrialView, VerdictView, View, score, votes};
use crate::report::words::{Piece, differ};
use crate::text::{self, excerpt, number};
use crate::vocabulary::{Answer, Outcome};

/// Maximum number of characters in a name.
const NAME: usize = 200;

/// Maximum number of levels of nested expectations that are shown.
const DEPTH: usize = 6;

/// Maximum number of parts of a verdict that are shown.
const PARTS: usize = 40;

/// Maximum number of votes of a verdict that are shown.
const VOTES: usize = 25;

/// A case that cannot be opened, as the template reads it.
pub(super) fn line(index: usize, entry: &Entry<'_>, filters: &Filters, detail: Detail) -> Value {
    folded(index, entry, &View::of(entry), filters, detail).into()
}

/// What every case shows: its name, why it did not pass, and the states, scenarios and tags by which it can be
/// filtered.
fn folded(
    index: usize,
    entry: &Entry<'_>,
    view: &View<'_>,
    filters: &Filters,
    detail: Detail,
) -> Map<String, Value> {
    let (case, interest) = (entry.case, Interest::of(entry.case.outcome));
    let short = if interest == Interest::High { &*view.why } else { "" };
    let facts = [
        ("index", index.into()),
        ("outcome", case.outcome.word().into()),
        // Indexes into the lists of states, scenarios and tags.
        ("state", filters.state(entry.state).into()),
        ("scenario", filters.scenario(&case.scenario).into()),
        ("tags", filters.tags(&case.tags).into()),
        ("name", excerpt(&view.name, NAME).into()),
        ("short", excerpt(short, NAME.min(detail.text(interest))).into()),
        ("num", num(entry).into()),
        ("body", Value::Null),
    ];
    facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// A case as the template reads it.
pub(super) fn of(
    index: usize,
    entry: &Entry<'_>,
    filters: &Filters,
    detail: Detail,
    before: Option<&Before>,
) -> Value {
    let (case, view) = (entry.case, View::of(entry));
    let most = detail.text(Interest::of(case.outcome));
    let mut folded = folded(index, entry, &view, filters, detail);
    let trials = trials(index, entry, detail, before);
    let more = case.trials.len() - trials.len();
    let state = entry.state.words();
    let named = (state != case.outcome.word()).then_some(state);
    let tags: Vec<_> = case.tags.iter().take(20).map(|tag| excerpt(tag, 60)).collect();
    let talks = case.trials.iter().any(|trial| trial.conversation.is_some());
    // For a case that passed, the evidence for its state.
    let remark = if view.state.is_empty() { entry.note } else { &view.state };
    let body = json!({
        "title": excerpt(view.title, NAME),
        "place": excerpt(&view.place, NAME),
        // Its state and tags, for people.
        "labels": joined(named.into_iter().chain(tags.iter().map(String::as_str))),
        "tally": entry.tally().map(|(passed, all)| format!("{passed} of {all} trials passed")),
        "remark": excerpt(remark, 2 * NAME),
        // A conversation shows it in its first turn.
        "prompt": Excerpt::new(if talks { "" } else { view.asked }, most),
        "trials": trials,
        "left_out": (more > 0).then(|| text::count(more, "more trial")),
    });
    folded.insert("body".to_owned(), body);
    folded.into()
}

/// `score 0.4 · 310 ms`, with whichever of the two is known.
fn num(entry: &Entry<'_>) -> String {
    let score = entry.case.score.map(|score| format!("score {}", number::score(score)));
    let latency = entry.case.telling().and_then(|trial| trial.answer()?.latency_ms);
    score.into_iter().chain(latency.map(number::span)).collect::<Vec<_>>().join(" · ")
}

/// The first trials; the one that explains the result has an earlier run's answer next to it.
fn trials(index: usize, entry: &Entry<'_>, detail: Detail, before: Option<&Before>) -> Vec<Value> {
    let (all, interest) = (&entry.case.trials, Interest::of(entry.case.outcome));
    let (shown, most) = (&all[..all.len().min(detail.trials())], detail.text(interest));
    let telling = shown.iter().position(|trial| trial.outcome == entry.case.outcome).unwrap_or(0);
    let shown_trial = |(at, trial): (usize, &Trial)| {
        let same = shown[..at].iter().find(|one| alike(one, trial));
        let new = Some(trial).filter(|_| same.is_none());
        let answer = new.and_then(Trial::answer);
        let view = new.map(TrialView::of).unwrap_or_default();
        let before = before.filter(|_| at == telling);
        // The case's own anchor leads to the trial that explains the outcome.
        let anchor = if at == telling { format!("c{index}") } else { format!("c{index}-trial-{}", at + 1) };
        let talk = view.talk.map(|talk| chat(talk, &anchor, before, (most, detail.explains(interest))));
        let answer = answer.filter(|_| talk.is_none()).map(|answer| Excerpt::new(&answer.text, most));
        let (pieces, before) = before
            .filter(|_| talk.is_none())
            .map_or_else(Default::default, |before| beside(before, answer.as_ref(), most));
        let whole = new.and_then(|trial| trial.conversation.as_ref());
        let verdict = whole.map_or(new.and_then(Trial::verdict), |whole| whole.verdict.as_ref());
        let (verdicts, brief) = match verdict {
            Some(verdict) if detail.explains(interest) => (vec![judged(verdict, most, DEPTH)], String::new()),
            Some(verdict) => (Vec::new(), brief(verdict)),
            None => Default::default(),
        };
        let calls = if talk.is_none() { view.calls } else { Calls::default() };
        json!({
            "label": label(trial, all.len(), same),
            "outcome": if all.len() > 1 { trial.outcome.word() } else { "" },
            "talk": talk,
            "answer": answer,
            "calls": calls.shown.iter().map(|call| Excerpt::new(call, most)).collect::<Vec<_>>(),
            "more_calls": calls.more(),
            "state": view.state.filter(|_| view.talk.is_none()).map(|state| Excerpt::new(&state.to_string(), most)),
            // The answer with its new words marked; empty if there is nothing to mark.
            "pieces": pieces,
            "before": before,
            "fault": new.and_then(|trial| trial.fault.as_ref()).map(|fault| json!({
                "kind": excerpt(fault.kind.word(), 60),
                "message": excerpt(&fault.message, most.max(300)),
                "help": excerpt(&fault.help, 300),
            })),
            // The expectations in one line, if they are not listed one by one.
            "brief": brief,
            "verdicts": verdicts,
        })
    };
    shown.iter().enumerate().map(shown_trial).collect()
}

/// A conversation, turn by turn; the turn where it broke has everything that is wrong there.
fn chat(talk: Talk<'_>, anchor: &str, before: Option<&Before>, (most, explains): (usize, bool)) -> Value {
    let decisive = if talk.trial.outcome == Outcome::Passed { Vec::new() } else { talk.trial.decisive() };
    // An earlier answer to a turn that this run did not reach goes under the last turn.
    let last = talk.trial.turns.len().saturating_sub(1);
    let turn = |at: usize, turn: &Turn| {
        let number = turn.place.as_ref().map_or(0, |place| place.number);
        let (mark, said) = (talk.mark(turn), turn.answer.as_ref());
        let broke = mark.is_some();
        let answer = said.map(|said| Excerpt::new(&said.text, most));
        let (pieces, before) = before
            .filter(|before| before.turn.map(|turn| turn.min(last)) == Some(at))
            .map_or_else(Default::default, |before| {
                beside(before, answer.as_ref().filter(|_| before.turn == Some(at)), most)
            });
        let own = turn.verdicts.iter().filter(|_| explains && broke).map(|one| judged(one, most, DEPTH));
        // What the expectations of the whole conversation say about this turn.
        let of_whole = decisive.iter().filter(|one| explains && one.verdict.turn.is_some());
        let of_whole = of_whole.filter(|one| one.turn.is_some_and(|of| std::ptr::eq(of, turn)));
        let calls = Calls::of(said.iter().flat_map(|said| &said.tool_calls));
        json!({
            "name": talk::named(turn),
            "anchor": format!("{anchor}-turn-{number}"),
            "between": "",
            "broke": mark,
            "outcome": talk.trial.outcome.word(),
            "asked": Excerpt::new(&turn.asked, most),
            "answer": answer,
            "calls": calls.shown.iter().map(|call| Excerpt::new(call, most)).collect::<Vec<_>>(),
            "calls_count": text::count(said.map_or(0, |said| said.tool_calls.len()), "tool call"),
            "more_calls": calls.more(),
            "state": said.and_then(|said| said.state.as_ref()).map(|state| Excerpt::new(&state.to_string(), most)),
            "pieces": pieces,
            "before": before,
            "verdicts": own.chain(of_whole.map(|one| judged(one.verdict, most, DEPTH))).collect::<Vec<_>>(),
            "brief": turn.verdicts.iter().filter(|_| !explains || !broke).map(brief).collect::<Vec<_>>().join(" · "),
        })
    };
    let step = |step: Step<'_>| match step {
        Step::Session => json!({ "between": talk::NEW_SESSION }),
        Step::LeftOut(count) => json!({ "between": talk::left_out(count) }),
        Step::Said(at, said) => turn(at, said),
    };
    json!({
        "steps": talk.steps().into_iter().map(step).collect::<Vec<_>>(),
        "ended": talk.ended(),
        "broke": talk.broke(),
        "broke_at": talk.trial.broken_turn().and_then(|turn| Some(format!("{anchor}-turn-{}", turn.place.as_ref()?.number))),
    })
}

/// Whether both trials look the same to a reader.
fn alike(one: &Trial, other: &Trial) -> bool {
    let same = |(one, other): (&Answer, &Answer)| one.says_as(other);
    one.outcome == other.outcome
        && one.verdicts().eq(other.verdicts())
        && one.fault == other.fault
        && one.turns.len() == other.turns.len()
        && one.answers().count() == other.answers().count()
        && one.answers().zip(other.answers()).all(same)
}

/// What is known about one of `all` trials; `same` is an earlier trial that went the same way.
fn label(trial: &Trial, all: usize, same: Option<&Trial>) -> String {
    let number = |trial: &Trial| u64::from(trial.index) + 1;
    let mut facts = Vec::new();
    if all > 1 {
        let kind = if trial.confirmation { "confirmation, trial" } else { "trial" };
        facts.push(format!("{kind} {}", number(trial)));
    }
    if let Some(answer) = trial.answer() {
        facts.extend(answer.model.as_deref().map(|model| excerpt(model, 80)));
        facts.extend(answer.latency_ms.map(number::span));
        facts.extend(answer.usage.map(|usage| format!("{} tokens", number::whole(usage.total()))));
        facts.extend(answer.cost_usd.map(|cost| format!("${cost:.4}")));
        let odd = answer.finish_reason.as_deref().filter(|reason| *reason != "stop");
        facts.extend(odd.map(|reason| format!("finish reason {}", excerpt(reason, 40))));
        facts.extend(answer.recorded.then(|| "from the cache".to_owned()));
    }
    facts.extend(same.map(|same| format!("same answer and verdict as trial {}", number(same))));
    facts.join(" · ")
}

/// This answer in pieces, and an earlier run's answer; both mark the words that differ.
fn beside(before: &Before, answer: Option<&Excerpt>, most: usize) -> (Vec<Piece>, Value) {
    let (was, same) = (Excerpt::new(&before.text, most), before.same_answer);
    let (was_pieces, now) = match answer {
        _ if same => Default::default(),
        Some(now) => differ(&was.text, &now.text),
        None => (vec![Piece { text: was.text, alone: false }], Vec::new()),
    };
    let mut facts = vec![format!("in run {}", excerpt(&before.run_id, 40))];
    facts.extend(before.at.as_deref().map(|at| excerpt(at, 40)));
    facts.extend(before.commit.as_deref().map(|commit| format!("commit {}", excerpt(commit, 12))));
    facts.extend(
        before
            .in_baseline
            .map(|known| if known { "in the baseline" } else { "not in the baseline" }.to_owned()),
    );
    facts.extend(
        (!before.same_question).then(|| "the question or its expectations were different".to_owned()),
    );
    let before = json!({
        "outcome": before.outcome.word(),
        "label": facts.join(" · "),
        "same": same,
        "pieces": was_pieces,
        "more": if same { "" } else { &was.more },
    });
    (now, before)
}

/// `contains passed · llm_grader passed, score 1, 0.9 required`: the expectations that have no parts.
fn brief(verdict: &Verdict) -> String {
    let mut shown = Vec::new();
    verdict.walk(&mut |one| {
        if one.parts.is_empty() {
            let score = one.threshold.and(one.score).map(|_| format!(", score {}", score(one)));
            shown.push(format!("{} {}{}", one.kind, one.outcome.word(), score.unwrap_or_default()));
        }
    });
    excerpt(&shown.join(" · "), NAME)
}

/// A verdict and its parts, down to a depth.
fn judged(verdict: &Verdict, most: usize, depth: usize) -> Value {
    let parts = if depth == 0 { &[] } else { verdict.parts.as_slice() };
    let view = VerdictView::of(verdict);
    // No reason is needed for a pass, or if the parts or the judge give it.
    let known = verdict.outcome == Outcome::Passed || !parts.is_empty() || view.quotes_judge;
    json!({
        "kind": excerpt(view.kind, 60),
        "outcome": verdict.outcome.word(),
        "score": Some(&view.score).filter(|score| !score.is_empty()).map(|score| format!("score {score}")),
        "reason": excerpt(if known { "" } else { &view.reason }, most),
        "advisory": excerpt(verdict.advisory.as_deref().unwrap_or_default(), 300),
        "expected": Excerpt::new(&verdict.expected, most),
        "got": Excerpt::new(&verdict.got, most),
        "grade": verdict.grade.as_ref().map(|grade| json!({
            "grader": excerpt(&grade.grader, 120),
            "reasoning": Excerpt::new(&grade.reasoning, most),
            "votes": votes(&grade.votes[..grade.votes.len().min(VOTES)]),
            "cached": grade.recorded,
        })),
        "parts": parts.iter().take(PARTS).map(|part| judged(part, most, depth - 1)).collect::<Vec<_>>(),
    })
}
