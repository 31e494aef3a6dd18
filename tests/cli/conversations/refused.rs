//! Invalid conversations are reported when the file is read.

use std::sync::Arc;

use serde_json::Value as Json;

use super::{refused, suite};
use crate::Akit;

const HANDOFF: &str = "setup: { handoff: { tool: transfer } }\n";
const OK: &str = "expected: { type: last_answer, expected: { type: contains, values: [a] } }";

/// A rule-based customer with these keys.
fn customer(keys: &str) -> String {
    format!("customer: {{ says: Hello, {keys} }}\n{OK}")
}

#[test]
fn each_mistake_is_reported_at_its_place() {
    let rows: &[(&str, String, &str, &[&str])] = &[
        ("", "turns: [{ user: one }]\nexpected: { type: contains, values: [a] }".into(), "wrong-place", &["choose an answer", "last_answer", "first_answer", "every_answer", "some_answer", "`answer` (with `turn: ID`)"]),
        ("", "turns: [{ user: one }]\nexpected: { not: { type: regex, pattern: a } }".into(), "wrong-place", &["`regex` is about one answer"]),
        ("", "turns: [{ user: one }]\nexpected: { type: combined, operator: or, expectations: [{ type: no_loop }, { type: pii, none: [email] }] }".into(), "wrong-place", &["`pii` is about one answer"]),
        ("", "turns: [{ user: one, expected: { type: no_loop } }]".into(), "wrong-place", &["`no_loop` is about a conversation"]),
        ("", "prompt: Hi\nexpected: { type: no_loop }".into(), "wrong-place", &["`no_loop` is about a conversation"]),
        ("", "prompt: Hi\nexpected: { type: llm_grader, rubric: Kind., of: conversation }".into(), "wrong-place", &["needs a conversation"]),
        ("", format!("turns: []\n{OK}"), "wrong-type", &["at least one turn, found an empty list"]),
        ("", format!("turns: hello\n{OK}"), "wrong-type", &["`turns` must be a list"]),
        ("", "turns: [{ user: one }]".into(), "missing-field", &["this conversation has no expectation"]),
        ("", format!("turns: [{{ user: one }}]\ncustomer: {{ says: a, max_turns: 2 }}\n{OK}"), "wrong-value", &["`turns` and `customer` cannot be combined"]),
        ("", format!("prompt: Hi\nturns: [{{ user: one }}]\n{OK}"), "wrong-value", &["ends with a message that has no answer"]),
        ("", format!("prompt: [{{ role: user, content: Hi }}]\nturns: [{{ user: one }}]\n{OK}"), "wrong-value", &["ends with a message that has no answer"]),
        ("", "prompt: [{ role: user, content: Hi }, { role: assistant, content: Yes }]\nexpected: { type: contains, values: [a] }".into(), "no-question", &["it asks nothing"]),
        ("", format!("turns: [{{ id: a, user: one }}, {{ id: a, user: two }}]\n{OK}"), "duplicate-id", &["duplicate turn id `a`"]),
        ("", format!("turns: [{{ id: a b, user: one }}]\n{OK}"), "wrong-value", &["invalid turn id `a b`"]),
        ("", format!("turns: [{{ user: one, session: new }}]\n{OK}"), "wrong-value", &["every conversation starts with a new session"]),
        ("", format!("turns: [{{ user: one }}, {{ user: two, session: old }}]\n{OK}"), "wrong-value", &["session"]),
        ("", format!("turns: [{{ user: one }}, {{ user: two, pause: 11m }}]\n{OK}"), "wrong-value", &["at most 10 minutes"]),
        ("", format!("turns: [{{ user: one }}, {{ user: two, pause: -1 }}]\n{OK}"), "wrong-value", &["`pause`"]),
        ("", format!("turns: [{{ user: one }}, {{ user: two, if: {{ type: llm_grader, rubric: Kind. }} }}]\n{OK}"), "judge-in-choice", &["a judge in `if`"]),
        ("", format!("turns: [{{ user: one }}, {{ user: two, if: {{ type: no_loop }} }}]\n{OK}"), "wrong-place", &["no_loop"]),
        ("", format!("turns: [{{ user: one }}, {{ user: \"{{{{turn.first.x}}}}\" }}]\n{OK}"), "unknown-turn", &["`{{turn.first.x}}` names no earlier turn", "give that turn an `id:`"]),
        ("", format!("turns: [{{ user: \"{{{{turn.later.x}}}}\" }}, {{ id: later, user: a, expected: {{ type: regex, pattern: \"(?<x>a)\" }} }}]\n{OK}"), "unknown-turn", &["names no earlier turn"]),
        ("", format!("turns: [{{ id: me, user: \"{{{{turn.me.x}}}}\", expected: {{ type: regex, pattern: \"(?<x>a)\" }} }}]\n{OK}"), "unknown-turn", &["names no earlier turn"]),
        ("", format!("turns: [{{ id: one, user: a, expected: {{ type: regex, pattern: \"(?<x>a)\" }} }}, {{ user: \"{{{{turn.one.y}}}}\" }}]\n{OK}"), "unknown-group", &["turn `one` has no group `y`", "x"]),
        ("", format!("turns: [{{ id: one, user: a }}, {{ user: \"{{{{turn.one.y}}}}\" }}]\n{OK}"), "unknown-group", &["(?<y>...)"]),
        ("", "turns: [{ id: one, user: a }]\nexpected: { type: answer, turn: two, expected: { type: contains, values: [a] } }".into(), "unknown-turn", &["unknown turn `two`", "one"]),
        (HANDOFF, "turns: [{ id: one, user: a }]\nexpected: { type: handoff, by: oen }".into(), "unknown-turn", &["unknown turn `oen`", "one"]),
        (HANDOFF, "turns: [{ id: one, user: a }, { user: b }]\nexpected: { type: handoff, by: one, within: 1 }".into(), "wrong-value", &["`by` and `within` cannot be combined"]),
        (HANDOFF, "turns: [{ id: one, user: a }, { user: b }]\nexpected: { type: handoff, by: one, never: true }".into(), "wrong-value", &["`never: true` has no deadline"]),
        (HANDOFF, "prompt: a\nexpected: { type: handoff, within: 2 }".into(), "wrong-value", &["`within` is about a conversation"]),
        (HANDOFF, "turns: [{ user: a }, { user: b }]\nexpected: { type: handoff, within: 2 }".into(), "always-holds", &["this is not a limit"]),
        ("", "turns: [{ user: a }]\nexpected: { type: handoff }".into(), "missing-field", &["`handoff` needs `setup.handoff`"]),
        ("", "turns: [{ user: a }, { user: b }]\nexpected: { type: handoff_kept }".into(), "missing-field", &["`handoff_kept` needs `setup.handoff`"]),
        (HANDOFF, "customer: { says: a, ends: [handoff], max_turns: 3 }\nexpected: { type: handoff_kept }".into(), "wrong-value", &["ends with the handoff"]),
        ("", "turns: [{ user: a }]\nexpected: { type: no_reask }".into(), "missing-field", &["the case has no `facts:`"]),
        ("", "turns: [{ user: a 1 }]\nfacts: [{ name: x, asked: x, value: \"1\" }]\nexpected: { type: no_reask, facts: [y] }".into(), "unknown-fact", &["unknown fact `y`"]),
        ("", "turns: [{ user: a 1 }]\nfacts: [{ name: x, asked: x, value: \"1\" }]\nexpected: { type: keeps, facts: [x] }".into(), "missing-field", &["fact `x` has no `shape`"]),
        (HANDOFF, "turns: [{ user: a one }]\nfacts: [{ name: x, asked: x, say: one }]\nexpected: { type: handoff, carries: [x] }".into(), "missing-field", &["fact `x` has no value"]),
        ("", format!("turns: [{{ user: a }}]\nfacts: [{{ name: x, asked: x, value: \"17\" }}]\n{OK}"), "unknown-fact", &["no turn gives fact `x`"]),
        ("", format!("turns: [{{ user: a 1 }}]\nfacts: [{{ name: x, asked: x, value: \"1\" }}, {{ name: x, asked: y, value: \"1\" }}]\n{OK}"), "duplicate-id", &["duplicate fact `x`"]),
        ("", format!("turns: [{{ user: a 1 }}]\nfacts: [{{ name: x, asked: \"(\", value: \"1\" }}]\n{OK}"), "invalid-regex", &["invalid pattern"]),
        ("", format!("turns: [{{ user: a 1 }}]\nfacts: [{{ name: x, asked: \"x*\", value: \"1\" }}]\n{OK}"), "wrong-value", &["`asked` matches every answer"]),
        ("", format!("turns: [{{ user: a 1 }}]\nfacts: [{{ name: x, asked: x, value: \"1\", shape: \"\\\\d\\\\d\" }}]\n{OK}"), "wrong-value", &["`shape` does not match the value"]),
        ("", "prompt: a\nfacts: [{ name: x, asked: x, value: a }]\nexpected: { type: contains, values: [a] }".into(), "wrong-place", &["`facts` applies only to conversations"]),
        ("", "prompt: a\nstop_on_failure: true\nexpected: { type: contains, values: [a] }".into(), "wrong-place", &["`stop_on_failure` applies only to conversations"]),
        ("", customer("otherwise: { say: b, then: end }"), "missing-field", &["max_turns"]),
        ("", customer("max_turns: 3, otherwise: { say: \"\" }"), "wrong-type", &["found an empty string"]),
        ("", customer("max_turns: 3, otherwise: { say: [a, \" \"] }"), "wrong-type", &["found a blank string"]),
        ("", customer("max_turns: 3, otherwise: { say: [] }"), "wrong-type", &["found an empty list"]),
        ("", customer("max_turns: 51"), "wrong-value", &["`max_turns` must be at most 50, found 51"]),
        ("", customer("max_turns: 0"), "wrong-value", &["max_turns"]),
        ("", customer("max_turns: 3, facts: [{ name: x, asked: x, value: \"1\" }]"), "missing-field", &["fact `x` has no `say`"]),
        ("", customer("max_turns: 3, rules: [{ when: { type: contains, values: [a] }, say: b }, { when: { type: contains, values: [a] }, say: c }]"), "unreachable-rule", &["this rule is never reached", "say: [first, second]"]),
        ("", customer("max_turns: 3, ends: [{ type: last_answer, expected: { type: contains, values: [a] } }], rules: [{ when: { type: contains, values: [a] }, say: b }]"), "unreachable-rule", &["this rule is never reached"]),
        ("", customer("max_turns: 3, rules: [{ when: { type: contains, values: [a] }, say: b }, { when: { values: [A], type: contains }, say: c }]"), "unreachable-rule", &["this rule is never reached"]),
        ("", customer("max_turns: 3, rules: [{ when: { type: contains, values: [a, b] }, say: b }, { when: { type: contains, values: [b, a], mode: all }, say: c }]"), "unreachable-rule", &["this rule is never reached"]),
        ("", customer("max_turns: 3, ends: [{ type: contains, values: [bye] }], rules: [{ when: { type: contains, values: [good bye, then] }, say: b }]"), "unreachable-rule", &["this rule is never reached"]),
        ("", customer("max_turns: 3, rules: [{ when: { type: similarity, value: a }, say: b }]"), "judge-in-choice", &["a judge in `when`"]),
        ("", customer("max_turns: 3, rules: [{ when: { not: { type: llm_grader, rubric: a } }, say: b }]"), "judge-in-choice", &["a judge in `when`"]),
        ("", customer("max_turns: 3, ends: [{ type: llm_grader, rubric: a }]"), "judge-in-choice", &["a judge in an entry of `ends`"]),
        ("", customer("max_turns: 3, ends: [goodbye]"), "wrong-value", &["`goodbye` cannot end a conversation"]),
        ("", customer("max_turns: 3, ends: [handoff]"), "missing-field", &["needs `setup.handoff`"]),
        ("", customer("max_turns: 3, rules: [{ when: { type: contains, values: [a] }, say: [a, b], most: 1 }]"), "wrong-value", &["`most` is 1, but there are 2 strings"]),
        ("", customer("max_turns: 3, otherwise: { say: [] }"), "wrong-type", &["`say` must be text"]),
        ("", customer("max_turns: 3, otherwise: { say: [a, 3] }"), "wrong-type", &["`say` must be text"]),
        ("", customer("max_turns: 3, off_script: pass"), "wrong-value", &["off_script"]),
        ("", format!("facts: [{{ name: x, asked: x, say: a }}]\n{}", customer("max_turns: 3")), "wrong-place", &["belong under `customer`"]),
        ("", format!("stop_on_failure: true\n{}", customer("max_turns: 3")), "wrong-place", &["`stop_on_failure` applies only to `turns`"]),
        ("", "customer: { says: a, otherwise: { say: b, then: end }, max_turns: 3 }\nexpected: { type: ended, by: [handoff] }".into(), "wrong-value", &["cannot end by `handoff`", "max_turns"]),
        ("", "customer: { says: a, max_turns: 3 }\nexpected: { type: ended, by: [max_turns] }".into(), "always-holds", &["it always passes"]),
    ];
    for (head, case, code, words) in rows {
        refused(head, case, code, words);
    }
}

/// The schema refuses a file for its shape exactly if akit does.
#[test]
fn the_schema_refuses_the_same_shapes_as_akit() {
    let schema = Akit::new(&["schema"]).run().ended(0).stdout;
    let schema: Json = serde_json::from_str(&schema).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let good = "expected: { type: last_answer, expected: { type: contains, values: [a] } }";
    let rows: &[(&str, bool)] = &[
        ("turns: [{ user: a }]", true),
        (
            "turns: [{ user: a }, { id: x, user: a, session: new, pause: 30s, if: { type: contains, values: [a] } }]",
            true,
        ),
        ("turns: [{ user: a, pause: 300 }]", true),
        ("turns: []", false),
        ("turns: a", false),
        ("turns: [{ id: x }]", false),
        ("turns: [{ user: a, session: old }]", false),
        ("turns: [{ user: a, pause: -1 }]", false),
        ("turns: [{ user: a, then: b }]", false),
        ("turns: [{ user: a }]\ncustomer: { says: a, max_turns: 2 }", false),
        ("turns: [{ user: a }]\nfacts: [{ name: x }]", false),
        ("turns: [{ user: a }]\nstop_on_failure: yes please", false),
        ("customer: { says: a, max_turns: 2 }", true),
        (
            "customer: { says: a, max_turns: 2, off_script: fail, ends: [{ type: contains, values: [a] }], rules: [{ when: { type: contains, values: [b] }, say: [a, b], most: 3 }], otherwise: { say: a, most: 2, then: end }, facts: [{ name: x, asked: x, say: a, value: b, shape: b }] }",
            true,
        ),
        ("customer: { says: a }", false),
        ("customer: { says: a, max_turns: 0 }", false),
        ("customer: { says: a, max_turns: 51 }", false),
        ("customer: { max_turns: 2 }", false),
        ("customer: { says: a, max_turns: 2, off_script: pass }", false),
        ("customer: { says: a, max_turns: 2, otherwise: { say: [] } }", false),
        ("customer: { says: a, max_turns: 2, otherwise: { say: a, then: go on } }", false),
        ("customer: { says: a, max_turns: 2, rules: [{ say: a }] }", false),
        ("customer: { says: a, max_turns: 2, ends: [goodbye] }", false),
        ("prompt: a", true),
    ];
    for (case, is_good) in rows {
        let case = if case.starts_with("prompt") {
            format!("{case}\nexpected: {{ type: contains, values: [a] }}")
        } else {
            format!("{case}\n{good}")
        };
        let text = suite("", &case);
        let status = Akit::new(&["validate", "s.yaml"]).file("s.yaml", &text).run().status;
        assert_eq!(status == 0, *is_good, "akit of\n{text}");
        let file = Arc::new(akit::inside::SourceFile::from_text("s.yaml", &text));
        let parsed = akit::inside::Node::parse(&file).unwrap().to_json();
        assert_eq!(validator.is_valid(&parsed), *is_good, "the schema of\n{text}");
    }
}

/// An answer can also reach a later rule with a broader or narrower condition, once the first one is used up.
#[test]
fn rules_for_other_answers_are_reached() {
    let rows = [
        "rules: [{ when: { type: contains, values: [a] }, say: b }, { when: { type: contains, values: [a, b] }, say: c }]",
        "rules: [{ when: { type: contains, values: [a, b] }, say: b }, { when: { type: contains, values: [a, b], mode: any }, say: c }]",
        "rules: [{ when: { type: contains, values: [a] }, say: b }, { when: { type: contains, values: [A], caseSensitive: true }, say: c }]",
        "rules: [{ when: { type: contains, values: [a] }, say: b }, { when: { not: { type: contains, values: [a] } }, say: c }]",
        "ends: [{ type: contains, values: [good, bye] }], rules: [{ when: { type: contains, values: [bye] }, say: b }]",
    ];
    for row in rows {
        let case = format!(
            "customer: {{ says: hi, max_turns: 3, {row} }}\nexpected: {{ type: last_answer, expected: {{ type: contains, values: [a] }} }}"
        );
        Akit::new(&["validate", "s.yaml"]).file("s.yaml", super::suite("", &case)).run().ended(0);
    }
}
