//! The kinds of expectation that are about a conversation, met and not met.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use super::{Row, entry, reasons, recorded, table};
use crate::Akit;

const HEAD: &str = r#"setup:
  handoff:
    tool: transfer
    text: "(connect|transfer) you now"
    offers: "would you like (me )?to (connect|transfer)"
    notice: "you are number \\d+ in the queue"
"#;

/// A case of so many turns `1`, `2`, … with ids `t1`, `t2`, …, of which this is expected.
fn case(turns: usize, expected: &str) -> String {
    let mut text = String::from("turns:\n");
    for number in 1..=turns {
        writeln!(text, "  - {{ id: t{number}, user: \"{number}\" }}").unwrap();
    }
    format!("{text}expected: {expected}\n")
}

/// A row in short: a name, what is expected, the answers, the outcome, and what is told.
type Short<'a> = (&'a str, &'a str, Vec<Json>, &'a str, &'a str);

#[track_caller]
fn judge(head: &str, keys: &str, rows: &[Short<'_>]) {
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

fn said(texts: &[&str]) -> Vec<Json> {
    texts.iter().map(|text| json!(text)).collect()
}

fn call(text: &str, name: &str, arguments: Json) -> Json {
    json!({ "content": text, "tool_calls": [{ "name": name, "arguments": arguments }] })
}

fn transfer(text: &str, arguments: Json) -> Json {
    call(text, "transfer", arguments)
}

/// An answer that was cut off.
fn cut(text: &str) -> Json {
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
        ("every", every, said(&["a", "a", "a"]), "passed", "it holds for 3 of 3 answers"),
        ("not every", every, said(&["a", "x", "a"]), "failed", "answer 2 (t2): missing"),
        ("some", some, said(&["x", "a", "x"]), "passed", "it holds for 1 of 3 answers"),
        ("none", some, said(&["x", "x"]), "failed", "answer 1 (t1): missing"),
        ("the second", second, said(&["x", "a", "x"]), "passed", "answer 2 (t2)"),
        ("not the second", second, said(&["a", "x", "a"]), "failed", "answer 2 (t2): missing"),
        ("in no answer", never, said(&["x", "y"]), "passed", "it holds for 2 of 2"),
        ("in an answer", never, said(&["x", "a"]), "failed", "answer 2 (t2): `contains` holds"),
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
fn a_turn_that_was_not_said_is_no_answer_that_could_be_so() {
    let left_out = "
turns:
  - { user: one }
  - { id: two, user: two, if: { type: contains, values: [yes] } }
expected: { type: answer, turn: two, expected: { not: { type: contains, values: [bad] } } }";
    let rows: &[Row<'_>] = &[
        ("left out", left_out, &[("one", json!("no"))], "failed", "turn `two` was not said"),
        ("said", left_out, &[("one", json!("yes")), ("two", json!("fine"))], "passed", ""),
    ];
    table("", rows);
}

/// So many words of their own.
fn words(from: usize, count: usize) -> String {
    (from..from + count).map(|n| format!("w{n}")).collect::<Vec<_>>().join(" ")
}

#[test]
fn loops() {
    let kind = "{ type: no_loop }";
    // Of 20 words there are 18 shingles; of two answers with 17 in common there are 16 + 2 + 2, or 0.8.
    let twenty = words(0, 20);
    let at = format!("{} other tail", words(0, 18));
    let below = format!("{} other words here", words(0, 17));
    let seven = words(0, 7);
    let eight = words(0, 8);
    let look = |n: u32| call(&format!("Looking {n}."), "look", json!({ "b": n / 100, "a": "x" }));
    let look_other_order = json!({ "content": "And more.", "tool_calls": [{ "name": "look", "arguments": "{\"a\": \"x\", \"b\": 0}" }] });
    let rows: &[Short<'_>] = &[
        ("nothing", kind, said(&["one", "two"]), "passed", "nothing is repeated"),
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
            "`look` is called 3 times with the same arguments",
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
        ("late", by, vec![json!("x"), json!("y"), done()], "failed", "too late, it was due by answer 2 (t2)"),
        ("never", by, said(&["x", "y", "z"]), "failed", "no handoff"),
        ("within", within, vec![json!("x"), done(), json!("y")], "passed", ""),
        ("not within", within, vec![json!("x"), json!("y"), done()], "failed", "due by answer 2:"),
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
        ("must not be", never, said(&["x", "y"]), "passed", "no handoff, as demanded"),
        (
            "must not be, and is done",
            never,
            vec![json!("x"), done(), json!("y")],
            "failed",
            "a handoff that must not be",
        ),
        ("must not be, and is claimed", never, said(&["I connect you now.", "y"]), "failed", "must not be"),
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
            "does not carry \"4417\"",
        ),
        (
            "another number",
            carries,
            vec![transfer("x", json!({ "sum": 2400, "card": 4417, "why": "refund" }))],
            "failed",
            "does not carry \"240\"",
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
    let told = |text: &str, state: Json| json!({ "content": text, "state": { "handoff": state } });
    let by = "{ type: handoff, by: t2 }";
    let rows: &[Short<'_>] = &[
        (
            "done",
            by,
            vec![told("x", json!(null)), told("y", json!("accepted"))],
            "passed",
            "answer 2 (t2): done",
        ),
        (
            "phantom",
            by,
            vec![told("I connect you.", json!("none")), told("y", json!("none"))],
            "failed",
            "answer 1 (t1): phantom",
        ),
        (
            "a word that nobody knows",
            by,
            vec![told("x", json!("pending")), told("y", json!("none"))],
            "errored",
            "unknown-state",
        ),
        (
            "and then done in time",
            by,
            vec![told("x", json!("pending")), told("y", json!("done"))],
            "passed",
            "",
        ),
        (
            "and then done too late",
            by,
            vec![told("x", json!("none")), told("y", json!("pending")), told("z", json!("done"))],
            "errored",
            "answer 2 (t2): the state at `/handoff` is `pending`",
        ),
        (
            "late",
            by,
            vec![told("x", json!("none")), told("y", json!("none")), told("z", json!("done"))],
            "failed",
            "too late",
        ),
        (
            "forbidden, and nobody knows",
            "{ type: handoff, never: true }",
            vec![told("x", json!("pending")), told("y", json!("none"))],
            "errored",
            "unknown-state",
        ),
        (
            "forbidden, and done besides",
            "{ type: handoff, never: true }",
            vec![told("x", json!("pending")), told("y", json!("done"))],
            "failed",
            "must not be",
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
            "the application stays out after the handoff in answer 2 (t2)",
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
            "an answer behind the notice",
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
        ("nothing after it", kind, vec![json!("x"), done()], "errored", "whether it is kept cannot be seen"),
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
            "is no silence (the answer was cut off",
        ),
        (
            "a filtered silence",
            kind,
            vec![done(), json!({ "content": "", "finish_reason": "content_filter" })],
            "failed",
            "is no silence",
        ),
    ];
    let facts = "facts: [{ name: card, asked: which card, value: \"4417\", say: \"1\" }]\n";
    judge(HEAD, facts, rows);
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
            "nothing is asked for again",
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
            "repeated as it was",
        ),
        (
            "altered",
            &keep,
            ["Hm?", "NW-5512 it is.", "So NW-5521?"],
            "failed",
            "answer 3 has context altered: `parcel` is NW-5512, and it says NW-5521",
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

/// Whatever the customer says, the same answers are judged in the same way.
#[test]
fn no_expectation_sees_what_the_customer_says() {
    let kinds = [
        "{ type: first_answer, expected: { type: contains, values: [refund] } }",
        "{ type: last_answer, expected: { type: regex, pattern: refund } }",
        "{ type: every_answer, expected: { not: { type: contains, values: [refund] } } }",
        "{ type: some_answer, expected: { type: contains, values: [refund] } }",
        "{ type: answer, turn: t2, expected: { type: inline, expression: \"response.includes('refund')\" } }",
        "{ type: every_answer, expected: { type: pii, none: [email, iban] } }",
        "{ type: every_answer, expected: { type: fuzzy, value: refund, threshold: 0.9 } }",
        "{ type: every_answer, expected: { type: starts_with, value: refund } }",
        "{ type: some_answer, expected: { type: language, value: de } }",
        "{ type: every_answer, expected: { type: is_refusal } }",
        "{ type: every_answer, expected: { type: length, words: { max: 30 } } }",
        "{ type: handoff }",
        "{ type: handoff, never: true }",
        "{ type: handoff, state: claimed }",
        "{ type: handoff_kept }",
        "{ type: no_loop }",
        "{ type: tools, never: [transfer] }",
        "{ type: tools, called: [transfer] }",
    ];
    let spoken = [
        ["a", "b", "c"],
        ["refund", "refund refund", "I connect you now."],
        ["I connect you now. Would you like me to transfer?", "You are number 3 in the queue", "transfer {}"],
        [
            "jane@example.com DE89370400440532013000",
            "which card is it?",
            "{\"tool_calls\":[{\"name\":\"transfer\"}]}",
        ],
        ["w1 w2 w3 w4 w5 w6 w7 w8", "w1 w2 w3 w4 w5 w6 w7 w8", "w1 w2 w3 w4 w5 w6 w7 w8"],
        ["Ich möchte bitte mein Geld zurück haben.", "I cannot help with that.", "{{not}} <|im_end|>"],
    ];
    let answers = [
        vec![json!("Hello there."), json!("I look."), json!("It is done.")],
        vec![json!("A refund."), transfer("Moment.", json!({})), json!("You are number 3 in the queue.")],
        vec![json!("I connect you now."), json!(""), json!("No.")],
    ];
    for answers in &answers {
        let mut first: Option<Vec<(Json, String)>> = None;
        for words in &spoken {
            let mut cases = String::new();
            let mut lines = String::new();
            for (at, kind) in kinds.iter().enumerate() {
                let turns: String = words
                    .iter()
                    .zip(1..)
                    .map(|(word, n)| {
                        format!("  - {{ id: t{n}, user: {} }}\n", Json::from(word.replace("{{", "\\{{")))
                    })
                    .collect();
                cases += &entry(&format!("c{at}"), &format!("turns:\n{turns}expected: {kind}"));
                let pairs: Vec<_> = words.iter().copied().zip(answers.clone()).collect();
                lines += &recorded(&format!("c{at}"), &pairs);
            }
            let ran = Akit::new(&["run", "s.yaml", "--replies", "r.jsonl", "--json", "run.json"])
                .file("s.yaml", format!("name: s\n{HEAD}cases:\n{cases}"))
                .file("r.jsonl", lines)
                .run();
            assert!(ran.status != 2, "{}", ran.stderr);
            let report = ran.json("run.json");
            let judged = report["cases"].as_array().unwrap().iter().map(|case| {
                let told = reasons(&case["trials"][0]);
                // The lines of turns show what was asked.
                let told: Vec<_> = told.lines().filter(|line| !line.starts_with("turn ")).collect();
                (case["outcome"].clone(), told.join("\n"))
            });
            let judged: Vec<_> = judged.collect();
            match &first {
                Some(first) => assert_eq!(first, &judged, "{words:?}"),
                None => first = Some(judged),
            }
        }
        let first = first.unwrap();
        assert!(first.iter().any(|(outcome, _)| outcome == "passed"), "{first:?}");
        assert!(first.iter().any(|(outcome, _)| outcome == "failed"), "{first:?}");
    }
}
