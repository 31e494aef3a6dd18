//! Scripted turns.

use serde_json::json;

use super::{Row, asked, reasons, recorded, refused, suite, table, trial};
use crate::Akit;

const TWO: &str = "turns: [{ user: one, expected: { type: contains, values: [a] } }, { user: two, expected: { type: contains, values: [b] } }]";

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn turns_and_their_results() {
    let some = "
turns:
  - { user: one }
  - { user: two, if: { type: contains, values: [yes] }, expected: { type: contains, values: [b] } }
  - { user: three, expected: { type: contains, values: [c] } }";
    let after_left_out = "
turns:
  - { user: one }
  - { user: two, if: { type: contains, values: [yes] } }
  - { user: three, if: { not: { type: contains, values: [yes] } }, expected: { type: contains, values: [c] } }
expected: { type: answer, turn: x, expected: { type: contains, values: [c] } }";
    let _ = after_left_out;
    let stop = "
stop_on_failure: true
turns:
  - { user: one, expected: { type: contains, values: [a] } }
  - { user: two }
expected: { type: every_answer, expected: { type: contains, values: [a] } }";
    let goes_on = "
turns:
  - { user: one, expected: { type: contains, values: [a] } }
  - { user: two, expected: { type: contains, values: [b] } }
expected: { type: last_answer, expected: { type: contains, values: [c] } }";
    let group = "
turns:
  - { id: open, user: open a case, expected: { type: regex, pattern: \"case (?<number>C-\\\\d+)( of (?<day>\\\\w+day))?\" } }
  - { user: \"And {{turn.open.number}}?\", expected: { type: contains, values: [fine] } }";
    let absent_group = group.replace("turn.open.number", "turn.open.day");
    let either = "
turns:
  - id: open
    user: open a case
    expected: { type: combined, operator: or, expectations: [{ type: contains, values: [zebra] }, { type: regex, pattern: \"(?<number>C-\\\\d+)\" }] }
  - { user: \"And {{turn.open.number}}?\", expected: { type: contains, values: [fine] } }";
    let history = "
prompt: [{ role: user, content: hello }, { role: assistant, content: hi there }]
turns: [{ user: one, expected: { type: contains, values: [a] } }]";
    let whole = "
turns: [{ user: one, expected: { type: contains, values: [a] } }, { user: two }]
expected: { type: last_answer, expected: { type: contains, values: [b] } }";
    let rows: &[Row<'_>] = &[
        ("both hold", TWO, &[("one", json!("a")), ("two", json!("b"))], "passed", "ended by turns"),
        ("blanks are no other words", TWO, &[(" one ", json!("a")), ("two\n", json!("b"))], "passed", ""),
        (
            "the first fails",
            TWO,
            &[("one", json!("x")), ("two", json!("b"))],
            "failed",
            "contains passed: found 1 of 1 value",
        ),
        (
            "a turn is left out",
            some,
            &[("one", json!("no")), ("three", json!("c"))],
            "passed",
            "turn 3 \"three\"",
        ),
        (
            "a turn is said",
            some,
            &[("one", json!("yes")), ("two", json!("b")), ("three", json!("c"))],
            "passed",
            "turn 2 \"two\"",
        ),
        (
            "its verdict counts then",
            some,
            &[("one", json!("yes")), ("two", json!("x")), ("three", json!("c"))],
            "failed",
            "turn 2 \"two\"\ncontains failed",
        ),
        (
            "what is left out is in a recorded one",
            some,
            &[("one", json!("no")), ("two", json!("b")), ("three", json!("c"))],
            "errored",
            "other-conversation",
        ),
        (
            "it goes on after a failure",
            goes_on,
            &[("one", json!("x")), ("two", json!("x")), ("three", json!("c"))],
            "errored",
            "goes on with \"three\"",
        ),
        (
            "all faults in one run",
            goes_on,
            &[("one", json!("x")), ("two", json!("x"))],
            "failed",
            "last_answer failed",
        ),
        (
            "a failure ends it",
            stop,
            &[("one", json!("x")), ("two", json!("a"))],
            "failed",
            "ended by failure",
        ),
        (
            "nothing ends it",
            stop,
            &[("one", json!("a")), ("two", json!("a"))],
            "passed",
            "2 of 2 answers passed",
        ),
        ("a group", group, &[("open a case", json!("case C-7")), ("And C-7?", json!("fine"))], "passed", ""),
        (
            "other words than the group",
            group,
            &[("open a case", json!("case C-7")), ("And C-8?", json!("fine"))],
            "errored",
            "other-conversation",
        ),
        (
            "a group that did not match",
            group,
            &[("open a case", json!("no case")), ("And ?", json!("fine"))],
            "errored",
            "no-match",
        ),
        (
            "a group next to one that did",
            &absent_group,
            &[("open a case", json!("case C-7")), ("And ?", json!("fine"))],
            "errored",
            "no-match",
        ),
        (
            "an optional group",
            &absent_group,
            &[("open a case", json!("case C-7 of Monday")), ("And Monday?", json!("fine"))],
            "passed",
            "",
        ),
        (
            "a group in a choice",
            either,
            &[("open a case", json!("C-7")), ("And C-7?", json!("fine"))],
            "passed",
            "",
        ),
        (
            "history",
            history,
            &[("hello", json!("hi there")), ("one", json!("a"))],
            "passed",
            "turn 1 \"one\"",
        ),
        (
            "history that is not there",
            history,
            &[("one", json!("a"))],
            "errored",
            "does not begin with \"hello\"",
        ),
        (
            "turns and the whole",
            whole,
            &[("one", json!("a")), ("two", json!("x"))],
            "failed",
            "last_answer failed",
        ),
        (
            "turns fail, the whole holds",
            whole,
            &[("one", json!("x")), ("two", json!("b"))],
            "failed",
            "last_answer passed",
        ),
        ("too short", TWO, &[("one", json!("a"))], "errored", "is too short: it ends after 1 turn"),
        (
            "too long",
            TWO,
            &[("one", json!("a")), ("two", json!("b")), ("three", json!("c"))],
            "errored",
            "goes on with \"three\"",
        ),
        (
            "an empty answer",
            TWO,
            &[("one", json!("")), ("two", json!("b"))],
            "failed",
            "contains failed: missing 1 of 1",
        ),
    ];
    table("", rows);
}

#[test]
fn a_conversation_without_a_turn_is_errored() {
    // The first turn cannot have an `if`, so there is always one; but the recorded conversation may hold only the
    // history.
    refused(
        "",
        "turns: [{ user: one, if: { type: contains, values: [a] }, expected: { type: contains, values: [a] } }]",
        "wrong-value",
        &["the first turn has an `if`"],
    );
}

#[test]
fn not_reached_is_not_judged() {
    let case = "
stop_on_failure: true
turns:
  - { user: one, expected: { type: contains, values: [a] } }
  - { user: two, expected: { type: contains, values: [b] } }";
    let ran = Akit::new(&["run", "s.yaml", "--replies", "r.jsonl", "--json", "run.json"])
        .file("s.yaml", suite("", case))
        .file("r.jsonl", recorded("c", &[("one", json!("x")), ("two", json!("b"))]))
        .run()
        .ended(1);
    let trial = trial(&ran);
    assert_eq!(asked(&trial), ["one"], "{}", reasons(&trial));
    assert_eq!(trial["conversation"]["turns"], 2);
    assert_eq!(trial["score"], 0.0);
}
