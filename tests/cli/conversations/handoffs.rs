//! Handoffs in conversations: whether they happen, when, with which data, and whether the bot keeps to them.

use serde_json::{Value as Json, json};

use super::kinds::{HEAD, Short, call, cut, judge, said, transfer};
use super::{reasons, recorded, suite, trial};
use crate::Akit;

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn handoffs() {
    let plain = "{ type: handoff }";
    let by = "{ type: handoff, by: t2, state: done }";
    let within = "{ type: handoff, within: 2 }";
    let claimed = "{ type: handoff, state: claimed }";
    let offered = "{ type: handoff, state: offered }";
    let never = "{ type: handoff, never: true }";
    let carries = "{ type: handoff, carries: [amount, card, refund] }";
    let done = || transfer("One moment.", json!({}));
    let rows: &[Short<'_>] = &[
        ("none", plain, said(&["hello", "no"]), "failed", "no handoff"),
        ("offered", plain, said(&["Would you like me to connect?", "x"]), "failed", "handoff"),
        (
            "only offered in the last",
            plain,
            said(&["x", "Would you like to transfer?"]),
            "failed",
            "only offered",
        ),
        ("phantom", plain, said(&["I connect you now.", "x"]), "failed", "answer 1 (t1): phantom handoff"),
        (
            "phantom in the last",
            plain,
            said(&["x", "I transfer you now."]),
            "failed",
            "answer 2 (t2): phantom handoff",
        ),
        ("done", plain, vec![json!("x"), done()], "passed", "answer 2 (t2): done: transfer"),
        (
            "claimed and then done",
            plain,
            vec![json!("I connect you now."), done()],
            "passed",
            "answer 2 (t2): done",
        ),
        ("in time", by, vec![json!("x"), done(), json!("y")], "passed", "answer 2 (t2): done"),
        ("early", by, vec![done(), json!("x"), json!("y")], "passed", "answer 1 (t1): done"),
        ("late", by, vec![json!("x"), json!("y"), done()], "failed", "too late; it was due by answer 2 (t2)"),
        ("never", by, said(&["x", "y", "z"]), "failed", "no handoff"),
        ("within", within, vec![json!("x"), done(), json!("y")], "passed", ""),
        ("not within", within, vec![json!("x"), json!("y"), done()], "failed", "due by answer 2 (t2):"),
        (
            "claimed is enough",
            claimed,
            said(&["x", "I connect you now."]),
            "passed",
            "answer 2 (t2): claimed",
        ),
        ("an offer is no claim", claimed, said(&["x", "Would you like to transfer?"]), "failed", ""),
        (
            "an offer is enough",
            offered,
            said(&["Would you like to transfer?", "x"]),
            "passed",
            "answer 1 (t1): offered",
        ),
        ("must not be", never, said(&["x", "y"]), "passed", "no handoff, as required"),
        (
            "must not be, and is done",
            never,
            vec![json!("x"), done(), json!("y")],
            "failed",
            "forbidden handoff: ",
        ),
        (
            "must not be, and is claimed",
            never,
            said(&["I connect you now.", "y"]),
            "failed",
            "forbidden handoff",
        ),
        (
            "must not be, and an answer is empty",
            never,
            said(&["x", "", "y"]),
            "failed",
            "the answer is empty",
        ),
        (
            "must not be, and an answer is cut",
            never,
            vec![json!("x"), cut("y"), json!("z")],
            "failed",
            "was cut off",
        ),
        (
            "carries",
            carries,
            vec![transfer("x", json!({ "sum": 240, "of": { "card": "44 17" }, "why": "a refund" }))],
            "passed",
            "",
        ),
        (
            "carries less",
            carries,
            vec![transfer("x", json!({ "sum": 240, "why": "refund" }))],
            "failed",
            "does not pass on \"4417\"",
        ),
        (
            "another number",
            carries,
            vec![transfer("x", json!({ "sum": 2400, "card": 4417, "why": "refund" }))],
            "failed",
            "does not pass on \"240\"",
        ),
        (
            "a number with cents",
            carries,
            vec![transfer("x", json!({ "sum": "240.00 EUR", "card": "x-4417", "why": "refund" }))],
            "passed",
            "",
        ),
        (
            "carried at a second try",
            carries,
            vec![transfer("x", json!({})), transfer("y", json!({ "s": "240 4417 refund" }))],
            "passed",
            "answer 2 (t2)",
        ),
    ];
    let facts = "facts:\n  - { name: card, asked: which card, value: \"4417\", say: \"1\" }\n  - { name: amount, asked: how much, value: \"240\", say: \"1\" }\n";
    judge(HEAD, facts, rows);
}

#[test]
fn handoffs_by_the_state_of_the_application() {
    let head = "setup: { handoff: { state: /handoff, text: connect you } }\n";
    let answer = |text: &str, state: Json| json!({ "content": text, "state": { "handoff": state } });
    let by = "{ type: handoff, by: t2 }";
    let rows: &[Short<'_>] = &[
        (
            "done",
            by,
            vec![answer("x", json!(null)), answer("y", json!("accepted"))],
            "passed",
            "answer 2 (t2): done",
        ),
        (
            "phantom",
            by,
            vec![answer("I connect you.", json!("none")), answer("y", json!("none"))],
            "failed",
            "answer 1 (t1): phantom",
        ),
        (
            "an unknown stop word",
            by,
            vec![answer("x", json!("pending")), answer("y", json!("none"))],
            "errored",
            "unknown-state",
        ),
        (
            "and then done in time",
            by,
            vec![answer("x", json!("pending")), answer("y", json!("done"))],
            "passed",
            "",
        ),
        (
            "and then done too late",
            by,
            vec![answer("x", json!("none")), answer("y", json!("pending")), answer("z", json!("done"))],
            "errored",
            "answer 2 (t2): the state at `/handoff` is `pending`",
        ),
        (
            "late",
            by,
            vec![answer("x", json!("none")), answer("y", json!("none")), answer("z", json!("done"))],
            "failed",
            "too late",
        ),
        (
            "forbidden, but unknown",
            "{ type: handoff, never: true }",
            vec![answer("x", json!("pending")), answer("y", json!("none"))],
            "errored",
            "unknown-state",
        ),
        (
            "forbidden, and done besides",
            "{ type: handoff, never: true }",
            vec![answer("x", json!("pending")), answer("y", json!("done"))],
            "failed",
            "forbidden handoff",
        ),
    ];
    judge(head, "", rows);
}

#[test]
fn kept_handoffs() {
    let kind = "{ type: handoff_kept }";
    let done = || transfer("One moment.", json!({}));
    let notice = || json!("You are number 3 in the queue.");
    let rows: &[Short<'_>] = &[
        (
            "the notice",
            kind,
            vec![json!("x"), done(), notice()],
            "passed",
            "the application stayed out after the handoff in answer 2 (t2)",
        ),
        (
            "the notice twice",
            kind,
            vec![done(), notice(), json!("You are number 2 in the queue!! You are number 1 in the queue.")],
            "passed",
            "",
        ),
        ("silence", kind, vec![done(), json!("")], "passed", ""),
        (
            "an answer",
            kind,
            vec![done(), json!("How can I help you?")],
            "failed",
            "answer 2 (t2) answers after the handoff in answer 1 (t1)",
        ),
        (
            "an answer after the notice",
            kind,
            vec![done(), json!("You are number 3 in the queue. Have you tried to turn it off?")],
            "failed",
            "answers",
        ),
        (
            "an answer before the notice",
            kind,
            vec![done(), json!("Try again\nYou are number 3 in the queue")],
            "failed",
            "answers",
        ),
        (
            "an answer with the notice in it",
            kind,
            vec![done(), json!("Let me help you myself, you are number 4 in the queue")],
            "failed",
            "answers",
        ),
        (
            "the notice with an answer in it",
            kind,
            vec![done(), json!("You are number 4 in the queue, so try to turn it off.")],
            "failed",
            "answers",
        ),
        (
            "the notice in quotes",
            kind,
            vec![done(), json!("  *You are number 4 in the queue* …")],
            "passed",
            "",
        ),
        ("later", kind, vec![done(), notice(), json!("Anything else?")], "failed", "answer 3 (t3)"),
        ("a tool", kind, vec![done(), call("", "look", json!({}))], "failed", "makes 1 tool call"),
        ("the handoff again", kind, vec![done(), done()], "failed", "makes 1 tool call"),
        (
            "a fact",
            kind,
            vec![done(), json!("You are number 3 in the queue, which card is it")],
            "failed",
            "asks for `card`",
        ),
        ("nothing after it", kind, vec![json!("x"), done()], "errored", "whether it is kept is unknown"),
        (
            "no handoff",
            kind,
            said(&["x", "I connect you now.", "y"]),
            "failed",
            "there was no handoff to keep",
        ),
        (
            "a cut notice",
            kind,
            vec![done(), cut("You are number 3 in the queue")],
            "failed",
            "is not silent (the answer was cut off",
        ),
        (
            "a filtered silence",
            kind,
            vec![done(), json!({ "content": "", "finish_reason": "content_filter" })],
            "failed",
            "is not silent",
        ),
    ];
    let facts = "facts: [{ name: card, asked: which card, value: \"4417\", say: \"1\" }]\n";
    judge(HEAD, facts, rows);
}

/// A deadline at a turn that was not asked is reported in terms of the turns that were.
#[test]
fn a_turn_that_was_left_out_is_not_mentioned() {
    let turns = |kind: &str| {
        format!(
            "turns: [{{ user: one }}, {{ id: x, user: two, if: {{ type: contains, values: [nothing] }} }}, {{ user: three }}]\nexpected: {kind}"
        )
    };
    let head = "setup: { handoff: { tool: transfer } }\n";
    let late = recorded("c", &[("one", json!("a")), ("three", transfer("b", json!({})))]);
    let never = recorded("c", &[("one", json!("a")), ("three", json!("b"))]);
    for kind in ["{ type: handoff, by: x }", "{ type: handoff, within: 1 }"] {
        for (replies, words) in [(&late, "due by answer 1:"), (&never, "no handoff by answer 1; answer 3:")] {
            let ran = Akit::new(&["run", "s.yaml", "--replies", "r.jsonl", "--json", "run.json"])
                .file("s.yaml", suite(head, &turns(kind)))
                .file("r.jsonl", replies)
                .run()
                .ended(1);
            let found = reasons(&trial(&ran));
            assert!(
                found.contains(words) && !found.contains("answer 2") && !found.contains("(x)"),
                "{kind}: {found}"
            );
        }
    }
}
