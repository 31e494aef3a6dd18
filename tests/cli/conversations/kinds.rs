//! Expectations about conversations, met and not met.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use super::{Row, table};

pub(super) const HEAD: &str = r#"setup:
  handoff:
    tool: transfer
    text: "(connect|transfer) you now"
    offers: "would you like (me )?to (connect|transfer)"
    notice: "you are number \\d+ in the queue"
"#;

/// A case with turns `1`, `2`, … (ids `t1`, `t2`, …) and this expectation.
fn case(turns: usize, expected: &str) -> String {
    let mut text = String::from("turns:\n");
    for number in 1..=turns {
        writeln!(text, "  - {{ id: t{number}, user: \"{number}\" }}").unwrap();
    }
    format!("{text}expected: {expected}\n")
}

/// A short row: name, expectation, answers, outcome, and part of the reason.
pub(super) type Short<'a> = (&'a str, &'a str, Vec<Json>, &'a str, &'a str);

#[track_caller]
pub(super) fn judge(head: &str, keys: &str, rows: &[Short<'_>]) {
    const ASKED: [&str; 6] = ["1", "2", "3", "4", "5", "6"];
    let long: Vec<_> = rows
        .iter()
        .map(|(name, expected, answers, outcome, part)| {
            let turns: Vec<_> = ASKED.into_iter().zip(answers.clone()).collect();
            (*name, format!("{keys}{}", case(answers.len(), expected)), turns, *outcome, *part)
        })
        .collect();
    let rows: Vec<Row<'_>> = long
        .iter()
        .map(|(name, case, turns, outcome, part)| (*name, case.as_str(), turns.as_slice(), *outcome, *part))
        .collect();
    table(head, &rows);
}

pub(super) fn said(texts: &[&str]) -> Vec<Json> {
    texts.iter().map(|text| json!(text)).collect()
}

#[expect(clippy::needless_pass_by_value, reason = "tables pass `json!` values")]
pub(super) fn call(text: &str, name: &str, arguments: Json) -> Json {
    json!({ "content": text, "tool_calls": [{ "name": name, "arguments": arguments }] })
}

pub(super) fn transfer(text: &str, arguments: Json) -> Json {
    call(text, "transfer", arguments)
}

/// An answer that was cut off.
pub(super) fn cut(text: &str) -> Json {
    json!({ "content": text, "finish_reason": "length" })
}

#[test]
fn of_some_answers() {
    let a = "expected: { type: contains, values: [a] }";
    let first = &format!("{{ type: first_answer, {a} }}");
    let last = &format!("{{ type: last_answer, {a} }}");
    let every = &format!("{{ type: every_answer, {a} }}");
    let some = &format!("{{ type: some_answer, {a} }}");
    let second = &format!("{{ type: answer, turn: t2, {a} }}");
    let never = "{ type: every_answer, expected: { not: { type: contains, values: [a] } } }";
    let not_some = &format!("{{ not: {some} }}");
    let rows: &[Short<'_>] = &[
        ("first", first, said(&["a", "x"]), "passed", "answer 1 (t1): found 1 of 1 value"),
        ("not the first", first, said(&["x", "a"]), "failed", "answer 1 (t1): missing"),
        ("last", last, said(&["x", "a"]), "passed", "answer 2 (t2): found"),
        ("not the last", last, said(&["a", "x"]), "failed", "answer 2 (t2): missing"),
        ("every", every, said(&["a", "a", "a"]), "passed", "3 of 3 answers passed"),
        ("not every", every, said(&["a", "x", "a"]), "failed", "answer 2 (t2): missing"),
        ("some", some, said(&["x", "a", "x"]), "passed", "1 of 3 answers passed"),
        ("none", some, said(&["x", "x"]), "failed", "answer 1 (t1): missing"),
        ("the second", second, said(&["x", "a", "x"]), "passed", "answer 2 (t2)"),
        ("not the second", second, said(&["a", "x", "a"]), "failed", "answer 2 (t2): missing"),
        ("in no answer", never, said(&["x", "y"]), "passed", "2 of 2 answers passed"),
        (
            "in an answer",
            never,
            said(&["x", "a"]),
            "failed",
            "answer 2 (t2): `contains` must fail, but it passed",
        ),
        ("not some", not_some, said(&["x", "y"]), "passed", ""),
        (
            "not some, and one is empty",
            not_some,
            said(&["x", ""]),
            "failed",
            "answer 2 (t2): the answer is empty",
        ),
        (
            "an empty one in the middle",
            never,
            said(&["x", "", "y"]),
            "failed",
            "answer 2 (t2): the answer is empty",
        ),
        (
            "a cut one in the middle",
            never,
            vec![json!("x"), cut("y"), json!("z")],
            "failed",
            "answer 2 (t2): the answer was cut off",
        ),
    ];
    judge("", "", rows);
}

#[test]
fn a_turn_that_did_not_happen_meets_no_expectation() {
    let left_out = "
turns:
  - { user: one }
  - { id: two, user: two, if: { type: contains, values: [yes] } }
expected: { type: answer, turn: two, expected: { not: { type: contains, values: [bad] } } }";
    let rows: &[Row<'_>] = &[
        ("left out", left_out, &[("one", json!("no"))], "failed", "turn `two` did not happen"),
        ("said", left_out, &[("one", json!("yes")), ("two", json!("fine"))], "passed", ""),
    ];
    table("", rows);
}

/// Distinct words.
fn words(from: usize, count: usize) -> String {
    (from..from + count).map(|n| format!("w{n}")).collect::<Vec<_>>().join(" ")
}

#[test]
fn loops() {
    let kind = "{ type: no_loop }";
    // 20 words make 18 shingles. Two answers that share 18 words have 16 in common and 2 each of their own: 16 of 20,
    // or 0.8.
    let twenty = words(0, 20);
    let at = format!("{} other tail", words(0, 18));
    let below = format!("{} other words here", words(0, 17));
    let seven = words(0, 7);
    let eight = words(0, 8);
    let look = |n: u32| call(&format!("Looking {n}."), "look", json!({ "b": n / 100, "a": "x" }));
    let look_other_order = json!({ "content": "And more.", "tool_calls": [{ "name": "look", "arguments": "{\"a\": \"x\", \"b\": 0}" }] });
    let rows: &[Short<'_>] = &[
        ("nothing", kind, said(&["one", "two"]), "passed", "nothing repeats"),
        ("seven words", kind, said(&[&seven, &seven]), "passed", ""),
        (
            "eight words",
            kind,
            said(&[&eight, &eight]),
            "failed",
            "answer 2 (t2) says nearly the same as answer 1 (t1)",
        ),
        (
            "eight words in capitals and with points",
            kind,
            said(&[&eight, &eight.to_uppercase().replace(' ', ", ")]),
            "failed",
            "nearly the same",
        ),
        (
            "not next to each other",
            kind,
            said(&[&eight, "no", "no", &eight]),
            "failed",
            "answer 4 (t4) says nearly the same as answer 1 (t1)",
        ),
        ("0.8 in common", kind, said(&[&twenty, &at]), "failed", "nearly the same"),
        ("less than 0.8 in common", kind, said(&[&twenty, &below]), "passed", ""),
        ("two equal calls", kind, vec![look(1), look(2)], "passed", ""),
        (
            "three equal calls",
            kind,
            vec![look(1), look(2), look(3)],
            "failed",
            "`look` was called 3 times with the same arguments",
        ),
        (
            "in whatever order they are written",
            kind,
            vec![look(1), look(2), look_other_order],
            "failed",
            "3 times",
        ),
        ("other arguments", kind, vec![look(1), look(2), look(103)], "passed", ""),
        (
            "an empty answer",
            kind,
            said(&["one", "", "three"]),
            "failed",
            "answer 2 (t2): the answer is empty",
        ),
        (
            "a cut answer",
            kind,
            vec![json!("one"), cut("two"), json!("three")],
            "failed",
            "answer 2 (t2): the answer was cut off",
        ),
    ];
    judge("", "", rows);
}

#[test]
fn what_was_given() {
    let ask = "{ type: no_reask }";
    let keep = "{ type: keeps, facts: [parcel] }";
    let facts = "facts:\n  - { name: parcel, asked: \"parcel number|which parcel\", value: NW-5512, shape: \"NW[- ]?\\\\d{4}\" }\n  - { name: day, asked: which day, value: Monday }\n";
    let case = |expected: &str| {
        format!(
            "{facts}turns: [{{ user: Hello }}, {{ user: It is NW-5512. }}, {{ user: On Monday. }}]\nexpected: {expected}"
        )
    };
    let turns = |answers: [&str; 3]| -> Vec<(&str, Json)> {
        ["Hello", "It is NW-5512.", "On Monday."].into_iter().zip(answers.map(|text| json!(text))).collect()
    };
    let (ask, keep) = (case(ask), case(keep));
    let rows = [
        (
            "asked before",
            &ask,
            ["Which parcel?", "Which day?", "Fine."],
            "passed",
            "nothing was asked for again",
        ),
        (
            "asked again",
            &ask,
            ["Hm?", "Which parcel?", "Fine."],
            "failed",
            "answer 2 asks again for `parcel`",
        ),
        (
            "asked again later",
            &ask,
            ["Hm?", "Fine.", "WHICH PARCEL?"],
            "failed",
            "answer 3 asks again for `parcel`",
        ),
        ("another one asked again", &ask, ["Hm?", "Fine.", "Which day?"], "failed", "asks again for `day`"),
        ("said back", &ask, ["Hm?", "I look for parcel number NW-5512.", "Fine."], "passed", ""),
        (
            "said back and asked",
            &ask,
            ["Hm?", "NW-5512, I see. What is the parcel number?", "Fine."],
            "failed",
            "asks again",
        ),
        ("never mentioned", &ask, ["a", "b", "c"], "passed", ""),
        ("one is empty", &ask, ["a", "", "c"], "failed", "answer 2: the answer is empty"),
        (
            "repeated",
            &keep,
            ["Hm?", "NW-5512 it is.", "nw 5512 and ＮＷ５５１２."],
            "passed",
            "no given fact was changed",
        ),
        (
            "altered",
            &keep,
            ["Hm?", "NW-5512 it is.", "So NW-5521?"],
            "failed",
            "answer 3 changed a fact: `parcel` is NW-5512, but it says NW-5521",
        ),
        ("before it was given", &keep, ["NW-0000 is an example.", "b", "c"], "passed", ""),
        ("two in one answer", &keep, ["a", "NW-5512 or NW-5513?", "c"], "failed", "it says NW-5513"),
        ("an empty one", &keep, ["a", "", "c"], "failed", "answer 2: the answer is empty"),
    ];
    let long: Vec<_> = rows
        .iter()
        .map(|(name, case, answers, outcome, part)| (*name, case.as_str(), turns(*answers), *outcome, *part))
        .collect();
    let rows: Vec<Row<'_>> = long
        .iter()
        .map(|(name, case, turns, outcome, part)| (*name, *case, turns.as_slice(), *outcome, *part))
        .collect();
    table("", &rows);
}

#[test]
fn calls_over_turns() {
    let find = || call("a", "find", json!({ "id": 1 }));
    let open = || call("b", "open", json!({}));
    let before = "{ type: tools, called: [{ name: find, before: open }] }";
    let never = "{ type: tools, never: [refund] }";
    let rows: &[Short<'_>] = &[
        ("before", before, vec![find(), json!("x"), open()], "passed", ""),
        ("after", before, vec![open(), find()], "failed", "find"),
        ("not at all", before, vec![json!("x"), open()], "failed", "find"),
        ("never", never, vec![find(), open()], "passed", ""),
        ("once", never, vec![find(), call("x", "refund", json!({})), json!("y")], "failed", "refund"),
        (
            "never, and an answer is empty",
            never,
            vec![find(), json!(""), json!("y")],
            "failed",
            "answer 2 (t2): the answer is empty",
        ),
        ("never, and an answer is cut", never, vec![find(), cut("x"), json!("y")], "failed", "was cut off"),
    ];
    judge("", "", rows);
}

#[test]
fn ends() {
    let case = |by: &str| {
        format!(
            "customer: {{ says: Hello, otherwise: {{ say: Hm., then: end }}, ends: [handoff, {{ type: contains, values: [bye] }}], max_turns: 2 }}\nexpected: {{ type: ended, by: [{by}] }}"
        )
    };
    let (handoff, others) = (case("handoff"), case("expectation, max_turns"));
    let one = case("otherwise").replace("max_turns: 2", "max_turns: 9");
    let rows: &[Row<'_>] = &[
        (
            "handoff",
            &handoff,
            &[("Hello", transfer("x", json!({})))],
            "passed",
            "ended by `handoff` after turn 1",
        ),
        (
            "not handoff",
            &handoff,
            &[("Hello", json!("bye"))],
            "failed",
            "ended by `expectation` after turn 1",
        ),
        ("one of several", &others, &[("Hello", json!("bye"))], "passed", ""),
        (
            "the other",
            &others,
            &[("Hello", json!("x")), ("Hm.", json!("y"))],
            "passed",
            "ended by `max_turns` after turn 2",
        ),
        ("otherwise", &one, &[("Hello", json!("x")), ("Hm.", json!("y"))], "passed", "ended by `otherwise`"),
    ];
    table(HEAD, rows);
}
