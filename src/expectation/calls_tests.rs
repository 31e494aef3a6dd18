//! Tool calls and handoffs, kind by kind.

use serde_json::{Value as Json, json};

use super::tests::{judge, read};
use super::weaker::{Written, weaker};
use super::{Candidate, Judges};
use crate::grader::Configured;
use crate::source::{Node, SourceFile};
use crate::vocabulary::Outcome::{self, Errored, Failed, Passed};
use crate::vocabulary::ToolCall;

/// Calls as `[name, arguments]`.
fn calls(written: &[(&str, Json)]) -> Vec<ToolCall> {
    let call = |(name, arguments): &(&str, Json)| ToolCall {
        id: None,
        name: (*name).to_owned(),
        arguments: arguments.clone(),
        returned: None,
    };
    written.iter().map(call).collect()
}

/// Calls of these functions, without arguments.
fn named(names: &str) -> Vec<ToolCall> {
    let calls: Vec<_> = names.split_whitespace().map(|name| (name, Json::Null)).collect();
    self::calls(&calls)
}

fn verdict(yaml: &str, calls: &[ToolCall]) -> (Outcome, String) {
    let verdict = judge(yaml, Candidate { tool_calls: calls, ..Candidate::of("") });
    (verdict.outcome, verdict.reason)
}

#[test]
fn an_answer_with_only_calls_has_no_text_and_is_not_empty() {
    let calls = named("transfer");
    for (yaml, outcome) in [
        ("{type: contains, values: [x]}", Failed),
        ("{type: exact, value: x}", Failed),
        ("{type: regex, pattern: '.*'}", Failed),
        ("{type: regex, pattern: '^(?!.*secret)'}", Failed),
        ("{type: fuzzy, value: x, threshold: 0}", Failed),
        ("{type: fuzzy, value: x, distance: 1}", Failed),
        ("{type: json_schema, schema: {}}", Failed),
        ("{type: inline, expression: 'length < 99'}", Failed),
        ("{type: similarity, value: x}", Failed),
        ("{type: not_contains, values: [secret]}", Passed),
        ("{not: {type: contains, values: [secret]}}", Passed),
        ("{not: {type: regex, pattern: secret}}", Passed),
        ("{type: tools, called: [transfer]}", Passed),
        ("{type: tools, never: [refund]}", Passed),
    ] {
        for text in ["", "\u{200b}"] {
            let answer = Candidate { tool_calls: &calls, ..Candidate::of(text) };
            assert_eq!(judge(yaml, answer).outcome, outcome, "{yaml} on {text:?}");
            let hollow = judge(yaml, Candidate::of(text)).outcome;
            assert_eq!(hollow, Failed, "{yaml} on {text:?} without a call");
            for reason in ["length", "refusal", "content_filter"] {
                let partial = Candidate { finish_reason: Some(reason), ..answer };
                assert_eq!(judge(yaml, partial).outcome, Failed, "{yaml} {reason}");
            }
        }
    }
}

#[test]
fn calls_are_counted_and_ordered_and_missing_ones_noticed() {
    let table = [
        ("called: [a]", "a", Passed, ""),
        ("called: [a, b]", "b a", Passed, ""),
        ("called: [a]", "b c", Failed, "`a` was not called; called: 2 tool calls (b, c)"),
        ("called: [a]", "A", Failed, "`a` was not called"),
        ("called: [a], never: [b]", "a b", Failed, "`b` must not be called: b"),
        ("never: [b]", "a", Passed, ""),
        ("never: [b]", "", Failed, "the answer is empty, so a missing call does not count as a pass"),
        ("called: [a]", "", Failed, "`a` was not called; nothing was called"),
        ("called: [{name: a, count: 2}]", "a", Failed, "`a` was called once; exactly 2 required"),
        ("called: [{name: a, count: 2}]", "a b a", Passed, ""),
        ("called: [{name: a, count: 1}]", "a a", Failed, "called 2 times; exactly 1 required"),
        ("called: [{name: a, count: {max: 2}}]", "b", Failed, "`a` was not called"),
        ("called: [{name: a, count: {max: 2}}]", "a a a", Failed, "1 to 2 required"),
        ("called: [{name: a, count: {min: 0, max: 1}}]", "b", Passed, ""),
        ("called: [{name: a, count: {min: 0, max: 1}}]", "", Failed, "does not count as a pass"),
        ("called: [{name: a, count: 0}]", "a", Failed, "exactly 0 required"),
        ("called: [{name: a, before: b}]", "a b", Passed, ""),
        ("called: [{name: a, before: b}]", "a b a", Passed, ""),
        ("called: [{name: a, before: b}]", "b a", Failed, "`a` was not called before `b`"),
        ("called: [{name: a, before: b}]", "a", Failed, "must be called before `b`, but `b` was not called"),
        ("called: [{name: a, after: b}]", "b a", Passed, ""),
        ("called: [{name: a, after: b}]", "a b a", Failed, "`a` was not called after `b`"),
        ("called: [{name: a, before: a}]", "a", Failed, "not called before"),
    ];
    for (demand, names, outcome, words) in table {
        let (found, reason) = verdict(&format!("{{type: tools, {demand}}}"), &named(names));
        assert_eq!(found, outcome, "{demand} on {names}: {reason}");
        assert!(reason.contains(words), "{demand} on {names}: {reason}");
    }
}

#[test]
fn arguments_have_equal_members_or_conform_to_a_schema() {
    let schema = "{type: object, required: [n], properties: {n: {minimum: 2}}}";
    let table = [
        ("{n: 1}", json!({ "n": 1 }), Passed, ""),
        ("{n: 1}", json!({ "n": 1.0, "more": true }), Passed, ""),
        ("{n: 1}", json!({ "n": "1" }), Failed, "`n` is \"1\", not 1"),
        ("{n: 9007199254740993}", json!({ "n": 9_007_199_254_740_992_u64 }), Failed, "`n` is"),
        ("{n: 1}", json!({}), Failed, "`n` is missing"),
        ("{n: 1}", Json::Null, Failed, "`n` is missing"),
        ("{n: {a: [1, 2.0]}}", json!({ "n": { "a": [1.0, 2] } }), Passed, ""),
        ("{n: {a: 1}}", json!({ "n": { "a": 1, "b": 2 } }), Failed, "`n` is"),
        ("{n: null}", json!({ "n": null }), Passed, ""),
        ("{n: null}", json!({}), Failed, "`n` is missing"),
        ("{n: '{{name}}'}", json!({ "n": "a.b" }), Passed, ""),
        ("{n: 1}", json!("{\"n\": 1"), Failed, "the arguments of `f` are not a JSON object"),
        (schema, json!({ "n": 2 }), Passed, ""),
        (schema, json!({ "n": 1 }), Failed, "`/n`: 1 is less than the minimum of 2"),
        (schema, json!({}), Failed, "\"n\" is a required property"),
    ];
    for (args, given, outcome, words) in table {
        let (found, reason) = verdict(
            &format!("{{type: tools, called: [{{name: f, args: {args}}}]}}"),
            &calls(&[("f", given.clone())]),
        );
        assert_eq!(found, outcome, "{args} on {given}: {reason}");
        assert!(reason.contains(words), "{args} on {given}: {reason}");
        // Unreadable arguments may be the forbidden ones, so both fail.
        let (none, _) = verdict(
            &format!("{{type: tools, called: [{{name: f, args: {args}, count: 0}}]}}"),
            &calls(&[("f", given.clone())]),
        );
        let opposite = if outcome == Passed || given.is_string() { Failed } else { Passed };
        assert_eq!(none, opposite, "{args} on {given}, never");
    }
}

#[test]
fn invalid_expectations_of_calls_are_reported() {
    for (yaml, code) in [
        ("{type: tools}", "always-holds"),
        ("{type: tools, called: []}", "always-holds"),
        ("{type: tools, called: [], never: []}", "always-holds"),
        ("{type: tools, called: [{name: a, count: {min: 0}}]}", "always-holds"),
        ("{type: tools, called: [{name: a, args: {}}]}", "always-holds"),
        ("{type: tools, called: a}", "wrong-type"),
        ("{type: tools, called: [{args: {n: 1}}]}", "missing-field"),
        ("{type: tools, called: [{name: a, argz: {n: 1}}]}", "unknown-key"),
        ("{type: tools, called: [{name: a, count: -1}]}", "wrong-type"),
        ("{type: tools, called: [{name: a, count: two}]}", "wrong-type"),
        ("{type: tools, called: [{name: a, count: {max: 0}}]}", "wrong-value"),
        ("{type: tools, called: [{name: a, args: {properties: {n: {}}}}]}", "wrong-value"),
        ("{type: tools, called: [{name: a, args: {anyOf: []}}]}", "wrong-value"),
        ("{type: tools, called: [{name: a, args: {type: object, minimum: x}}]}", "invalid-schema"),
        ("{type: handoff, state: accepted}", "wrong-value"),
        ("{type: handoff, carries: NW-1}", "wrong-type"),
        ("{type: handoff, carries: [1]}", "wrong-type"),
        ("{type: handoff, carries: ['']}", "always-holds"),
        ("{type: handoff, carries: [x], never: true}", "wrong-value"),
    ] {
        let (_, found) = read(yaml);
        let codes: Vec<_> = found.iter().map(|one| one.code).collect();
        assert_eq!(codes, [code], "{yaml}");
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn a_handoff_is_what_the_application_did_and_not_what_it_says() {
    let transfer = || calls(&[("transfer", json!({ "order": "NW-5512", "n": 240 }))]);
    let reported = |word: Json| Some(json!({ "handoff": { "is": word, "card": "4417" }, "order": "1234" }));
    let (done, claimed, offered, never) = (
        "{type: handoff}",
        "{type: handoff, state: claimed}",
        "{type: handoff, state: offered}",
        "{type: handoff, never: true}",
    );
    let (claim, offer) = ("I connect you now.", "Would you like a person?");
    let table = [
        (done, "", transfer(), None, Passed, "done: transfer"),
        (done, claim, transfer(), None, Passed, "done"),
        (done, claim, vec![], reported(json!(true)), Passed, "done: the state at `/handoff/is` is true"),
        (done, "Hold on.", vec![], reported(json!("ACCEPTED")), Passed, "done"),
        (
            done,
            claim,
            vec![],
            None,
            Failed,
            "phantom handoff: the answer says \"I connect you now.\", but `transfer` was not called",
        ),
        (done, claim, vec![], reported(json!(false)), Failed, "phantom handoff"),
        (done, claim, vec![], reported(Json::Null), Failed, "and the state at `/handoff/is` is null"),
        (done, claim, named("close"), None, Failed, "phantom handoff"),
        (done, "Let me forward your request to a person.", vec![], None, Failed, "phantom handoff"),
        (done, offer, vec![], None, Failed, "only offered (\"Would you like a person?\")"),
        (
            done,
            "Goodbye.",
            named("close"),
            None,
            Failed,
            "no handoff: `transfer` was not called and the state has no `/handoff/is`; called: 1 tool call (close)",
        ),
        // The application's state outranks what its model says.
        (
            done,
            "",
            transfer(),
            reported(json!(false)),
            Failed,
            "`transfer` was called, but the state at `/handoff/is` is false",
        ),
        (done, "", transfer(), reported(json!("queued")), Failed, "was called, but the state"),
        (
            done,
            "",
            transfer(),
            reported(json!("escalated")),
            Errored,
            "is `escalated`, which akit does not know",
        ),
        (done, "", vec![], reported(json!(1)), Errored, "is `1`"),
        (done, "", vec![], reported(json!(["done"])), Errored, "[\"done\"]"),
        (claimed, claim, vec![], None, Passed, "claimed: \"I connect you now.\""),
        (claimed, "", transfer(), None, Passed, ""),
        (claimed, "", transfer(), reported(json!("queued")), Passed, ""),
        (claimed, offer, vec![], None, Failed, "only offered"),
        (offered, offer, vec![], None, Passed, "offered"),
        (offered, "No.", vec![], reported(json!("offered")), Passed, "offered: the state"),
        (offered, "No.", vec![], None, Failed, "no handoff"),
        (never, "No.", vec![], None, Passed, "no handoff, as required"),
        (never, offer, vec![], None, Passed, ""),
        (never, claim, vec![], None, Failed, "forbidden handoff: \"I connect you now.\""),
        (never, "No.", transfer(), reported(json!(false)), Failed, "forbidden handoff: transfer"),
        (never, "No.", vec![], reported(json!("done")), Failed, "forbidden handoff: the state"),
        (never, "No.", vec![], reported(json!("escalated")), Errored, ""),
        (never, "", vec![], None, Failed, "so missing text does not count as a pass"),
        ("{type: handoff, never: true, state: done}", claim, vec![], None, Passed, ""),
        ("{type: handoff, never: true, state: offered}", offer, vec![], None, Failed, ""),
        ("{not: {type: handoff}}", "No.", vec![], None, Passed, ""),
        ("{not: {type: handoff}}", "No.", vec![], reported(json!("escalated")), Errored, ""),
        ("{type: handoff, carries: [nw-5512, '240']}", "", transfer(), None, Passed, ""),
        ("{type: handoff, carries: [{order: NW-5512, n: 240.0}]}", "", transfer(), None, Passed, ""),
        (
            "{type: handoff, carries: [NW-1]}",
            "NW-1",
            transfer(),
            None,
            Failed,
            "the handoff does not pass on \"NW-1\": transfer",
        ),
        (
            "{type: handoff, carries: [{order: NW-1}]}",
            "",
            transfer(),
            None,
            Failed,
            "pass on {\"order\":\"NW-1\"}",
        ),
        ("{type: handoff, carries: ['4417']}", "x", vec![], reported(json!(true)), Passed, ""),
        ("{type: handoff, carries: [{card: '4417'}]}", "x", vec![], reported(json!(true)), Passed, ""),
        // Other parts of the state, the answer's own text, and parts of words do not count.
        (
            "{type: handoff, carries: ['1234']}",
            "x",
            vec![],
            reported(json!(true)),
            Failed,
            "does not pass on",
        ),
        ("{type: handoff, carries: ['441']}", "x", vec![], reported(json!(true)), Failed, "does not pass on"),
        ("{type: handoff, carries: [nw-551]}", "", transfer(), None, Failed, "does not pass on"),
    ];
    for (yaml, text, calls, state, outcome, words) in table {
        let answer = Candidate { tool_calls: &calls, state: state.as_ref(), ..Candidate::of(text) };
        let verdict = judge(yaml, answer);
        assert_eq!(verdict.outcome, outcome, "{yaml} on {text:?} {calls:?} {state:?}: {}", verdict.reason);
        assert!(verdict.reason.contains(words), "{yaml} on {text:?}: {}", verdict.reason);
        let kind = verdict.fault.map(|fault| fault.kind.word().to_owned());
        if !yaml.contains("not:") {
            assert_eq!(kind.as_deref(), (outcome == Errored).then_some("unknown-state"), "{yaml}");
        }
        // An incomplete answer is not a handoff, whatever it says.
        let cut = judge(yaml, Candidate { finish_reason: Some("length"), ..answer });
        assert_ne!(cut.outcome, Passed, "{yaml}");
    }
}

fn weakened(before: &str, now: &str) -> Vec<String> {
    let node = |yaml: &str| Node::parse(&SourceFile::from_text("e.yaml", yaml)).unwrap();
    let (nodes, read) = ([node(before), node(now)], [before, now].map(|yaml| read(yaml).0.unwrap()));
    let written = |at: usize| Written { expectation: &read[at], node: &nodes[at], rule: None };
    let configured = Configured::default();
    let judges = Judges { before: &configured, now: &configured };
    weaker((written(0), &[]), (written(1), &[]), judges).into_iter().map(|one| one.kind.to_string()).collect()
}

/// Each row is weaker than the one before it, and not the other way around.
#[test]
fn a_weaker_expectation_of_calls_is_named() {
    let chains: [&[&str]; 6] = [
        &["called: [a, b], never: [c]", "called: [a], never: [c]", "called: [a]", "called: []"],
        &[
            "called: [{name: a, args: {n: 1, m: 2}, before: b, after: c, count: 1}]",
            "called: [{name: a, args: {n: 1, m: 2}, before: b, count: 1}]",
            "called: [{name: a, args: {n: 1, m: 2}, count: 1}]",
            "called: [{name: a, args: {n: 1, m: 2}, count: {max: 3}}]",
            "called: [{name: a, args: {n: 1, m: 2}}]",
            "called: [{name: a, args: {n: 1}}]",
            "called: [a]",
            "called: [{name: a, count: {min: 0}}]",
        ],
        &["called: [{name: a, count: {min: 3}}]", "called: [{name: a, count: {min: 2}}]", "called: [a]"],
        &[
            "called: [{name: a, args: {type: object, required: [n, m]}}]",
            "called: [{name: a, args: {type: object, required: [n]}}]",
            "called: [a]",
        ],
        &[
            "called: [{name: a, count: 0}]",
            "called: [{name: a, count: {min: 0, max: 1}}]",
            "called: [{name: a, count: {min: 0, max: 2}}]",
        ],
        &["never: [a]", "called: [{name: a, args: {n: 1}, count: 0}]"],
    ];
    for chain in chains {
        for (at, before) in chain.iter().enumerate() {
            for (place, now) in chain.iter().enumerate() {
                let of = |demand: &str| format!("{{type: tools, {demand}}}");
                let found = weakened(&of(before), &of(now));
                // The same requirement written differently may be reported too.
                if at != place && !(at > place && now.starts_with("never")) {
                    assert_eq!(found.is_empty(), at > place, "{before} -> {now}: {found:?}");
                } else if at == place {
                    assert!(found.is_empty(), "{before}: {found:?}");
                }
            }
        }
    }
    // They accept different calls, so neither is stronger.
    for (one, other) in [
        ("called: [{name: a, args: {n: 1}, count: 0}]", "called: [{name: a, args: {n: 1, m: 2}, count: 0}]"),
        ("called: [{name: a, args: {n: 1}}]", "called: [{name: a, args: {n: 2}}]"),
        ("called: [{name: a, before: b}]", "called: [{name: a, before: c}]"),
        ("called: [a]", "called: [b]"),
        ("never: [a]", "called: [a]"),
    ] {
        let of = |demand: &str| format!("{{type: tools, {demand}}}");
        assert!(!weakened(&of(one), &of(other)).is_empty(), "{one} -> {other}");
    }
}

#[test]
fn a_weaker_expectation_of_a_handoff_is_named() {
    let chains: [&[&str]; 3] = [
        &[
            "state: done, carries: [NW-5512, {n: 1, m: 2}]",
            "state: done, carries: [NW-5512, {n: 1}]",
            "state: done, carries: [NW-5512]",
            "state: done, carries: [NW]",
            "state: done",
            "state: claimed",
            "state: offered",
        ],
        &["never: true, state: offered", "never: true", "never: true, state: done"],
        &["carries: [x]", "never: false"],
    ];
    for chain in chains {
        for (at, before) in chain.iter().enumerate() {
            for (place, now) in chain.iter().enumerate() {
                let of = |demand: &str| format!("{{type: handoff, {demand}}}");
                let found = weakened(&of(before), &of(now));
                assert_eq!(found.is_empty(), at >= place, "{before} -> {now}: {found:?}");
            }
        }
    }
    assert_eq!(weakened("{type: handoff}", "{type: handoff, never: true}"), ["expectation-negated"]);
    assert_eq!(weakened("{type: handoff}", "{type: tools, called: [transfer]}"), ["kind-changed"]);
}
