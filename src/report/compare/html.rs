//! A comparison as one page: the two answers to each question side by side, with the words that differ.

use serde::Serialize;

use super::console::{counts, rows};
use crate::analysis::compare::{CLAIM, Change, Comparison, Pair};
use crate::analysis::{Seen, Side};
use crate::report::RenderError;
use crate::report::detail::{Detail, Interest, MARKUP, fit};
use crate::report::html::MANY;
use crate::report::html::page::{Excerpt, Shell, fill};
use crate::report::words::{Piece, differ};
use crate::text::{self, number};
use strum::IntoEnumIterator as _;

/// Characters of a name.
const NAME: usize = 200;

/// Names of cases that only one run has.
const NAMES: usize = 200;

#[derive(Serialize)]
struct Page<'a> {
    shell: &'a Shell,
    claim: String,
    summary: String,
    sides: [Who; 2],
    numbers: Vec<[String; 4]>,
    chips: Vec<Chip>,
    groups: Vec<Group>,
    lone: Vec<Lone>,
}

/// Who answered in one of the runs.
#[derive(Serialize)]
struct Who {
    label: &'static str,
    run: String,
    answered_by: Vec<String>,
    judged_by: Vec<String>,
}

#[derive(Serialize)]
struct Chip {
    key: usize,
    label: String,
}

#[derive(Serialize)]
struct Group {
    title: &'static str,
    class: &'static str,
    key: usize,
    count: String,
    cases: Vec<Case>,
}

#[derive(Serialize)]
struct Lone {
    title: String,
    names: Vec<String>,
    more: String,
}

#[derive(Serialize)]
struct Case {
    index: usize,
    name: String,
    short: String,
    prompt: Excerpt,
    same: bool,
    sides: Vec<Answer>,
}

#[derive(Serialize)]
struct Answer {
    label: &'static str,
    mark: &'static str,
    outcome: &'static str,
    about: String,
    reason: String,
    pieces: Vec<Piece>,
    more: String,
}

/// The comparison as one page that opens from disk.
///
/// # Errors
/// None is known.
pub fn of(comparison: &Comparison<'_>) -> Result<String, RenderError> {
    let many = comparison.cases.len() > MANY;
    let foot = format!("akit {}", env!("CARGO_PKG_VERSION"));
    let shell = Shell::new("Two runs compared", many, foot);
    let size = |pair: &Pair<'_>, detail: Detail| {
        let most = of_change(pair.change, detail);
        let texts = [pair.prompt, pair.base.answer, pair.head.answer, pair.base.reason, pair.head.reason];
        // Marks round words make a text longer.
        MARKUP + texts.iter().map(|text| text.len().min(most) * 3 / 2).sum::<usize>()
    };
    fit(
        |detail| comparison.cases.iter().map(|pair| size(pair, detail)).sum(),
        |detail| fill(include_str!("compare.html"), page(comparison, &shell, detail)),
    )
}

/// Characters of one text of a case that changed so.
fn of_change(change: Change, detail: Detail) -> usize {
    detail.text(match change {
        Change::NewlyFailing | Change::Fixed | Change::Flipped => Interest::High,
        Change::BothFailing | Change::Changed | Change::BothPassing | Change::NotJudged => Interest::Low,
    })
}

fn page<'a>(comparison: &Comparison<'_>, shell: &'a Shell, detail: Detail) -> Page<'a> {
    let groups: Vec<_> = Change::iter()
        .enumerate()
        .map(|(key, change)| Group::of(comparison, change, key, detail))
        .filter(|group| !group.cases.is_empty())
        .collect();
    let chip = |group: &Group| Chip { key: group.key, label: format!("{} {}", group.title, group.count) };
    let lone = [("Only in base", &comparison.only_in_base), ("Only in head", &comparison.only_in_head)];
    Page {
        shell,
        claim: CLAIM.replace('`', ""),
        summary: counts(comparison),
        sides: [Who::of("Base", &comparison.base), Who::of("Head", &comparison.head)],
        numbers: rows(comparison)
            .into_iter()
            .map(|row| [row.label.to_owned(), row.base, row.head, row.difference])
            .collect(),
        chips: groups.iter().map(chip).collect(),
        groups,
        lone: lone
            .iter()
            .filter(|(_, names)| !names.is_empty())
            .map(|(title, names)| Lone {
                title: format!("{title} ({})", number::size(names.len())),
                names: names.iter().take(NAMES).map(|name| text::excerpt(name, NAME)).collect(),
                more: if names.len() > NAMES { number::size(names.len() - NAMES) } else { String::new() },
            })
            .collect(),
    }
}

impl Who {
    fn of(label: &'static str, side: &Side) -> Self {
        let names = |names: &[String]| {
            names.iter().take(20).map(|name| text::excerpt(name, NAME)).collect::<Vec<_>>()
        };
        let at = side.at.as_deref().map(|at| format!(" · {}", text::excerpt(at, 40))).unwrap_or_default();
        Self {
            label,
            run: format!("run {}{at}", text::excerpt(&side.run_id, 40)),
            answered_by: names(&side.answered_by),
            judged_by: names(&side.judged_by),
        }
    }
}

impl Group {
    fn of(comparison: &Comparison<'_>, change: Change, key: usize, detail: Detail) -> Self {
        let most = of_change(change, detail);
        let pairs = comparison.cases.iter().enumerate().filter(|(_, pair)| pair.change == change);
        let cases: Vec<_> = pairs.map(|(index, pair)| Case::of(index, pair, most)).collect();
        Self {
            title: change.words(),
            class: match change {
                Change::NewlyFailing => "failed",
                Change::Fixed => "passed",
                Change::Flipped | Change::NotJudged => "errored",
                Change::BothFailing | Change::Changed | Change::BothPassing => "skipped",
            },
            key,
            count: number::size(cases.len()),
            cases,
        }
    }
}

impl Case {
    fn of(index: usize, pair: &Pair<'_>, most: usize) -> Self {
        let (was, now) = (Excerpt::new(pair.base.answer, most), Excerpt::new(pair.head.answer, most));
        let same = pair.base.answer == pair.head.answer;
        let (left, right) = differ(&was.text, &now.text);
        let (was, now) = (
            Answer::of("Base", "del", &pair.base, left, was.more, most),
            Answer::of("Head", "ins", &pair.head, right, now.more, most),
        );
        let several = pair.base.trials > 1 && pair.flips > 0;
        let short =
            if several { format!("differs in {}", text::count(pair.flips, "trial")) } else { String::new() };
        Self {
            index,
            name: text::excerpt(&pair.name(), NAME),
            short,
            prompt: Excerpt::new(pair.prompt, most),
            same,
            sides: vec![was, now],
        }
    }
}

impl Answer {
    fn of(
        label: &'static str,
        mark: &'static str,
        seen: &Seen<'_>,
        pieces: Vec<Piece>,
        more: String,
        most: usize,
    ) -> Self {
        let mut about = Vec::new();
        about.extend((seen.trials > 1).then(|| format!("{} of {} trials passed", seen.passed, seen.trials)));
        about.extend(seen.score.map(|score| format!("score {}", number::score(score))));
        about.extend(seen.latency_ms.map(number::span));
        about.extend(seen.tokens.map(|tokens| format!("{} tokens", number::whole(tokens))));
        about.extend(seen.cost_usd.map(|cost| format!("${cost:.4}")));
        Self {
            label,
            mark,
            outcome: seen.outcome.word(),
            about: about.join(" · "),
            reason: text::excerpt(seen.reason, most),
            pieces,
            more,
        }
    }
}
