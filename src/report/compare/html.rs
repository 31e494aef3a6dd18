//! A comparison as one page: both answers to each question side by side, with the words that differ marked.

use std::io::Write;

use serde_json::{Value, json};
use strum::IntoEnumIterator as _;

use super::console::{counts, rows};
use crate::analysis::compare::{CLAIM, Comparison, Pair, Transition};
use crate::analysis::{Seen, Side};
use crate::report::RenderError;
use crate::report::calls::Calls;
use crate::report::detail::{Detail, Interest, MARKUP, fit, unfolded};
use crate::report::html::MANY;
use crate::report::html::page::{Excerpt, Shell, fill};
use crate::report::words::{Piece, differ};
use crate::text::{self, excerpt, number};

/// Maximum number of characters in a name.
const NAME: usize = 200;

/// Maximum number of names of cases that only one run has.
const NAMES: usize = 200;

/// The comparison as one self-contained page.
///
/// # Errors
/// None is known.
pub fn of(comparison: &Comparison<'_>) -> Result<String, RenderError> {
    let many = comparison.cases.len() > MANY;
    let foot = format!("akit {}", env!("CARGO_PKG_VERSION"));
    let shell = Shell::new("Two runs compared", many, foot);
    let size = |pair: &Pair<'_>, detail: Detail| {
        let most = detail.text(interest(pair.change));
        let texts = [pair.prompt, pair.base.answer, pair.head.answer, &pair.base.reason, &pair.head.reason];
        // Marks around words make a text longer.
        let texts: usize = texts.iter().map(|text| text.len().min(most) * 3 / 2).sum();
        let calls = pair.base.tool_calls.iter().chain(pair.head.tool_calls);
        MARKUP + texts + calls.map(|call| call.line().len().min(most)).sum::<usize>()
    };
    let whole = |detail| comparison.cases.iter().map(|pair| size(pair, detail)).sum();
    let write = |detail, out: &mut dyn Write| {
        let page = fill(include_str!("compare.html"), page(comparison, &shell, detail))?;
        Ok(out.write_all(page.as_bytes())?)
    };
    crate::report::text(|out| fit(whole, write, out))
}

/// How much a reader of a comparison wants to see of a case.
fn interest(change: Transition) -> Interest {
    match change {
        Transition::NewlyFailing | Transition::Fixed | Transition::Flipped => Interest::High,
        Transition::BothFailing | Transition::Changed | Transition::BothPassing | Transition::NotJudged => {
            Interest::Low
        }
    }
}

/// The comparison as the template reads it.
fn page(comparison: &Comparison<'_>, shell: &Shell, detail: Detail) -> Value {
    let (mut groups, mut chips, mut place) = (Vec::new(), Vec::new(), 0);
    for (key, change) in Transition::iter().enumerate() {
        let count = number::size(comparison.count(change));
        if comparison.count(change) > 0 {
            chips.push(json!({ "key": key, "label": format!("{} {count}", change.words()) }));
            let most = detail.text(interest(change));
            let pairs = comparison.cases.iter().enumerate().filter(|(_, pair)| pair.change == change);
            let shown = |(index, pair)| {
                place += 1;
                case(index, pair, most, place <= unfolded(comparison.cases.len()))
            };
            groups.push(json!({
                "title": change.words(),
                "class": class(change),
                "key": key,
                "count": count,
                "folded": change == Transition::BothPassing,
                "cases": pairs.map(shown).collect::<Vec<_>>(),
            }));
        }
    }
    let lone = [("Only in base", &comparison.only_in_base), ("Only in head", &comparison.only_in_head)];
    let lone = lone.into_iter().filter(|(_, names)| !names.is_empty()).map(|(title, names)| {
        json!({
            "title": format!("{title} ({})", number::size(names.len())),
            "names": names.iter().take(NAMES).map(|name| excerpt(name, NAME)).collect::<Vec<_>>(),
            "more": (names.len() > NAMES).then(|| number::size(names.len() - NAMES)),
        })
    });
    let numbers = rows(comparison).into_iter();
    json!({
        "shell": shell,
        "left_out": detail.left_out(comparison.cases.len(), false),
        "claim": CLAIM.replace('`', ""),
        "summary": counts(comparison),
        "sides": [who("Base", &comparison.base), who("Head", &comparison.head)],
        "numbers": numbers.map(|row| json!([row.label, row.base, row.head, row.difference])).collect::<Vec<_>>(),
        "chips": chips,
        "groups": groups,
        "lone": lone.collect::<Vec<_>>(),
    })
}

fn class(change: Transition) -> &'static str {
    match change {
        Transition::NewlyFailing => "failed",
        Transition::Fixed => "passed",
        Transition::Flipped | Transition::NotJudged => "errored",
        Transition::BothFailing | Transition::Changed | Transition::BothPassing => "skipped",
    }
}

/// Who answered in one of the runs.
fn who(label: &str, side: &Side) -> Value {
    let names = |names: &[String]| names.iter().take(20).map(|name| excerpt(name, NAME)).collect::<Vec<_>>();
    let at = side.at.as_deref().map(|at| format!(" · {}", excerpt(at, 40))).unwrap_or_default();
    json!({
        "label": label,
        "run": format!("run {}{at}", excerpt(&side.run_id, 40)),
        "answered_by": names(&side.answered_by),
        "judged_by": names(&side.judged_by),
    })
}

fn case(index: usize, pair: &Pair<'_>, most: usize, unfolds: bool) -> Value {
    let several = pair.base.trials > 1 && pair.flips > 0;
    let short = several.then(|| format!("differs in {}", text::count(pair.flips, "trial")));
    if !unfolds {
        return json!({ "index": index, "name": excerpt(&pair.name(), NAME), "short": short, "sides": null });
    }
    let (was, now) = (Excerpt::new(pair.base.answer, most), Excerpt::new(pair.head.answer, most));
    let (left, right) = differ(&was.text, &now.text);
    json!({
        "index": index,
        "name": excerpt(&pair.name(), NAME),
        "short": short,
        "prompt": Excerpt::new(pair.prompt, most),
        "turn": pair.turn,
        "same": pair.base.says_as(&pair.head),
        "sides": [
            answer(["Base", "del"], &pair.base, &left, &was.more, most),
            answer(["Head", "ins"], &pair.head, &right, &now.more, most),
        ],
    })
}

fn answer([label, mark]: [&str; 2], seen: &Seen<'_>, pieces: &[Piece], more: &str, most: usize) -> Value {
    let mut about = Vec::new();
    about.extend((seen.trials > 1).then(|| format!("{} of {} trials passed", seen.passed, seen.trials)));
    about.extend(seen.score.map(|score| format!("score {}", number::score(score))));
    about.extend(seen.latency_ms.map(number::span));
    about.extend(seen.tokens.map(|tokens| format!("{tokens:.1} tokens per answer")));
    about.extend(seen.cost_usd.map(|cost| format!("${cost:.6} per answer")));
    let calls = Calls::of(seen.tool_calls.iter());
    json!({
        "label": label,
        "mark": mark,
        "outcome": seen.outcome.word(),
        "about": about.join(" · "),
        "reason": excerpt(&seen.reason, most),
        "pieces": pieces,
        "more": more,
        "calls": calls.shown.iter().map(|call| Excerpt::new(call, most)).collect::<Vec<_>>(),
        "more_calls": calls.more(),
    })
}
