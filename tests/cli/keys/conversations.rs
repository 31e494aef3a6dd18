//! Every key of a conversation.

use super::{
    Files, Key,
    Key::{Neutral, Weaker},
    LABEL, QUESTION,
};

/// A conversation with one expectation.
pub(super) fn conversing(expected: &str) -> Files {
    let case = format!(
        "  - id: one
    facts:
      - {{ name: card, asked: which card, value: \"4417\", shape: \"4\\\\d+\" }}
      - {{ name: parcel, asked: which parcel, value: NW-1, shape: \"NW-\\\\d+\" }}
    turns: [{{ id: a, user: My card is 4417 }}, {{ id: b, user: And NW-1 }}, {{ id: c, user: So? }}]
    expected: {{ {expected} }}
"
    );
    vec![("s.yaml", format!("name: s\nsetup: {{ handoff: {{ tool: transfer }} }}\ncases:\n{case}"))]
}

/// A case with these lines.
pub(super) fn case(lines: &str) -> Files {
    let lines = lines.lines().fold(String::new(), |all, line| all + "    " + line + "\n");
    vec![(
        "s.yaml",
        format!("name: s\nsetup: {{ handoff: {{ tool: transfer }} }}\ncases:\n  - id: one\n{lines}"),
    )]
}

/// Expectations of a conversation.
pub const OF_CONVERSATIONS: &[(&str, Key)] = &[
    (
        "answer.type",
        Weaker(
            "type: answer, turn: a, expected: { type: exact, value: x }",
            "type: some_answer, expected: { type: exact, value: x }",
        ),
    ),
    (
        "answer.turn",
        Weaker(
            "type: answer, turn: a, expected: { type: exact, value: x }",
            "type: answer, turn: b, expected: { type: exact, value: x }",
        ),
    ),
    (
        "answer.expected",
        Weaker(
            "type: answer, turn: a, expected: { type: exact, value: x }",
            "type: answer, turn: a, expected: { type: exact, value: y }",
        ),
    ),
    ("ended.type", Weaker("type: ended, by: [turns]", "type: no_loop")),
    (
        "ended.by",
        Neutral(
            "a script has only one way to end",
            "type: ended, by: [turns]",
            "type: ended, by: [turns, turns]",
        ),
    ),
    (
        "every_answer.type",
        Weaker(
            "type: every_answer, expected: { type: exact, value: x }",
            "type: some_answer, expected: { type: exact, value: x }",
        ),
    ),
    (
        "every_answer.expected",
        Weaker(
            "type: every_answer, expected: { type: exact, value: x }",
            "type: every_answer, expected: { type: contains, values: [x] }",
        ),
    ),
    (
        "first_answer.type",
        Weaker(
            "type: first_answer, expected: { type: exact, value: x }",
            "type: last_answer, expected: { type: exact, value: x }",
        ),
    ),
    (
        "first_answer.expected",
        Weaker(
            "type: first_answer, expected: { type: exact, value: x }",
            "type: first_answer, expected: { type: exact, value: y }",
        ),
    ),
    ("handoff.by", Weaker("type: handoff, by: a", "type: handoff, by: b")),
    ("handoff.within", Weaker("type: handoff, within: 1", "type: handoff")),
    ("handoff_kept.type", Weaker("type: handoff_kept", "type: no_loop")),
    ("keeps.type", Weaker("type: keeps", "type: no_reask")),
    ("keeps.facts", Weaker("type: keeps", "type: keeps, facts: [card]")),
    (
        "last_answer.type",
        Weaker(
            "type: last_answer, expected: { type: exact, value: x }",
            "type: some_answer, expected: { type: exact, value: x }",
        ),
    ),
    (
        "last_answer.expected",
        Weaker(
            "type: last_answer, expected: { type: exact, value: x }",
            "type: last_answer, expected: { type: exact, value: y }",
        ),
    ),
    (
        "llm_grader.of",
        Weaker("type: llm_grader, rubric: kind, of: conversation", "type: llm_grader, rubric: kind"),
    ),
    ("no_loop.type", Weaker("type: no_loop", "type: no_reask")),
    ("no_reask.type", Weaker("type: no_reask", "type: no_loop")),
    ("no_reask.facts", Weaker("type: no_reask, facts: [card, parcel]", "type: no_reask, facts: [parcel]")),
    ("some_answer.type", Weaker("type: some_answer, expected: { type: exact, value: x }", "type: no_loop")),
    (
        "some_answer.expected",
        Weaker(
            "type: some_answer, expected: { type: exact, value: x }",
            "type: some_answer, expected: { type: exact, value: y }",
        ),
    ),
];

const SCRIPT: &str = "expected: { type: no_loop }\nturns:\n  - { id: a, user: Hi }\n  - { user: So? }";
const RULED: &str = "expected: { type: no_loop }\ncustomer:\n  says: Hi\n  max_turns: 5";

/// Keys of a case that belong to conversations.
pub const CONVERSATIONS: &[(&str, Key)] = &[
    ("cases.turns", Weaker(SCRIPT, "expected: { type: no_loop }\nturns: [{ id: a, user: Hi }]")),
    (
        "cases.turns.id",
        Neutral(
            LABEL,
            SCRIPT,
            "expected: { type: no_loop }\nturns:\n  - { id: b, user: Hi }\n  - { user: So? }",
        ),
    ),
    (
        "cases.turns.user",
        Neutral(
            QUESTION,
            SCRIPT,
            "expected: { type: no_loop }\nturns:\n  - { id: a, user: Hello }\n  - { user: So? }",
        ),
    ),
    (
        "cases.turns.expected",
        Weaker(
            "turns: [{ user: Hi, expected: { type: exact, value: x } }, { user: So?, expected: { type: exact, value: y } }]",
            "turns: [{ user: Hi }, { user: So?, expected: { type: exact, value: y } }]",
        ),
    ),
    (
        "cases.turns.if",
        Weaker(
            SCRIPT,
            "expected: { type: no_loop }\nturns:\n  - { id: a, user: Hi }\n  - { user: So?, if: { type: exact, value: x } }",
        ),
    ),
    (
        "cases.turns.session",
        Weaker(
            "expected: { type: no_loop }\nturns:\n  - { id: a, user: Hi }\n  - { user: So?, session: new }",
            SCRIPT,
        ),
    ),
    (
        "cases.turns.pause",
        Weaker(
            "expected: { type: no_loop }\nturns:\n  - { id: a, user: Hi }\n  - { user: So?, pause: 3s }",
            SCRIPT,
        ),
    ),
    ("cases.customer", Weaker(RULED, "expected: { type: no_loop }\nturns: [{ user: Hi }]")),
    (
        "cases.customer.says",
        Neutral(QUESTION, RULED, "expected: { type: no_loop }\ncustomer:\n  says: Hello\n  max_turns: 5"),
    ),
    (
        "cases.customer.max_turns",
        Weaker(RULED, "expected: { type: no_loop }\ncustomer:\n  says: Hi\n  max_turns: 4"),
    ),
    (
        "cases.customer.facts",
        Weaker(
            "expected: { type: no_reask }\ncustomer:\n  says: Hi\n  max_turns: 5\n  facts: [{ name: a, asked: which a, say: A }, { name: b, asked: which b, say: B }]",
            "expected: { type: no_reask }\ncustomer:\n  says: Hi\n  max_turns: 5\n  facts: [{ name: b, asked: which b, say: B }]",
        ),
    ),
    (
        "cases.customer.facts.name",
        Weaker(
            "expected: { type: no_reask }\ncustomer:\n  says: Hi\n  max_turns: 5\n  facts: [{ name: a, asked: which a, say: A }]",
            "expected: { type: no_reask }\ncustomer:\n  says: Hi\n  max_turns: 5\n  facts: [{ name: b, asked: which a, say: A }]",
        ),
    ),
    (
        "cases.customer.facts.asked",
        Weaker(
            "expected: { type: no_reask }\ncustomer:\n  says: Hi\n  max_turns: 5\n  facts: [{ name: a, asked: which a, say: A }]",
            "expected: { type: no_reask }\ncustomer:\n  says: Hi\n  max_turns: 5\n  facts: [{ name: a, asked: which z, say: A }]",
        ),
    ),
    (
        "cases.customer.facts.say",
        Neutral(
            QUESTION,
            "expected: { type: no_reask }\ncustomer:\n  says: Hi\n  max_turns: 5\n  facts: [{ name: a, asked: which a, say: A, value: A }]",
            "expected: { type: no_reask }\ncustomer:\n  says: Hi\n  max_turns: 5\n  facts: [{ name: a, asked: which a, say: It is A, value: A }]",
        ),
    ),
    (
        "cases.customer.facts.value",
        Weaker(
            "expected: { type: no_reask }\ncustomer:\n  says: Hi\n  max_turns: 5\n  facts: [{ name: a, asked: which a, say: A1, value: A1 }]",
            "expected: { type: no_reask }\ncustomer:\n  says: Hi\n  max_turns: 5\n  facts: [{ name: a, asked: which a, say: A1, value: A }]",
        ),
    ),
    (
        "cases.customer.facts.shape",
        Weaker(
            "expected: { type: keeps }\ncustomer:\n  says: Hi\n  max_turns: 5\n  facts: [{ name: a, asked: which a, say: A1, shape: \"A[0-9]\" }]",
            "expected: { type: keeps }\ncustomer:\n  says: Hi\n  max_turns: 5\n  facts: [{ name: a, asked: which a, say: A1, shape: \"A1\" }]",
        ),
    ),
    (
        "cases.customer.rules",
        Weaker(
            "expected: { type: no_loop }\ncustomer:\n  says: Hi\n  max_turns: 5\n  rules: [{ when: { type: exact, value: x }, say: No }]",
            RULED,
        ),
    ),
    (
        "cases.customer.rules.when",
        Weaker(
            "expected: { type: no_loop }\ncustomer:\n  says: Hi\n  max_turns: 5\n  rules: [{ when: { type: contains, values: [x] }, say: No }]",
            "expected: { type: no_loop }\ncustomer:\n  says: Hi\n  max_turns: 5\n  rules: [{ when: { type: contains, values: [zz] }, say: No }]",
        ),
    ),
    (
        "cases.customer.rules.say",
        Weaker(
            "expected: { type: no_loop }\ncustomer:\n  says: Hi\n  max_turns: 5\n  rules: [{ when: { type: exact, value: x }, say: No }]",
            "expected: { type: no_loop }\ncustomer:\n  says: Hi\n  max_turns: 5\n  rules: [{ when: { type: exact, value: x }, say: Yes }]",
        ),
    ),
    (
        "cases.customer.rules.most",
        Weaker(
            "expected: { type: no_loop }\ncustomer:\n  says: Hi\n  max_turns: 5\n  rules: [{ when: { type: exact, value: x }, say: No, most: 3 }]",
            "expected: { type: no_loop }\ncustomer:\n  says: Hi\n  max_turns: 5\n  rules: [{ when: { type: exact, value: x }, say: No, most: 2 }]",
        ),
    ),
    (
        "cases.customer.otherwise",
        Weaker(
            RULED,
            "expected: { type: no_loop }\ncustomer:\n  says: Hi\n  max_turns: 5\n  otherwise: { say: So?, then: end }",
        ),
    ),
    (
        "cases.customer.otherwise.say",
        Weaker(
            "expected: { type: no_loop }\ncustomer:\n  says: Hi\n  max_turns: 5\n  otherwise: { say: So? }",
            "expected: { type: no_loop }\ncustomer:\n  says: Hi\n  max_turns: 5\n  otherwise: { say: And? }",
        ),
    ),
    (
        "cases.customer.otherwise.most",
        Weaker(
            "expected: { type: no_loop }\ncustomer:\n  says: Hi\n  max_turns: 5\n  otherwise: { say: So?, most: 3 }",
            "expected: { type: no_loop }\ncustomer:\n  says: Hi\n  max_turns: 5\n  otherwise: { say: So?, most: 2 }",
        ),
    ),
    (
        "cases.customer.otherwise.then",
        Weaker(
            "expected: { type: no_loop }\ncustomer:\n  says: Hi\n  max_turns: 5\n  otherwise: { say: So? }",
            "expected: { type: no_loop }\ncustomer:\n  says: Hi\n  max_turns: 5\n  otherwise: { say: So?, then: end }",
        ),
    ),
    (
        "cases.customer.ends",
        Weaker(
            RULED,
            "expected: { type: no_loop }\ncustomer:\n  says: Hi\n  max_turns: 5\n  ends: [handoff]",
        ),
    ),
    (
        "cases.customer.off_script",
        Neutral(
            "an error does not pass either",
            RULED,
            "expected: { type: no_loop }\ncustomer:\n  says: Hi\n  max_turns: 5\n  off_script: fail",
        ),
    ),
    (
        "cases.facts",
        Weaker(
            "expected: { type: no_reask }\nfacts: [{ name: a, asked: which a, value: A1 }, { name: b, asked: which b, value: B1 }]\nturns: [{ user: A1 and B1 }]",
            "expected: { type: no_reask }\nfacts: [{ name: a, asked: which a, value: A1 }]\nturns: [{ user: A1 and B1 }]",
        ),
    ),
    (
        "cases.facts.name",
        Weaker(
            "expected: { type: no_reask }\nfacts: [{ name: a, asked: which a, value: A1 }]\nturns: [{ user: A1 }]",
            "expected: { type: no_reask }\nfacts: [{ name: b, asked: which a, value: A1 }]\nturns: [{ user: A1 }]",
        ),
    ),
    (
        "cases.facts.asked",
        Weaker(
            "expected: { type: no_reask }\nfacts: [{ name: a, asked: which a, value: A1 }]\nturns: [{ user: A1 }]",
            "expected: { type: no_reask }\nfacts: [{ name: a, asked: zzz, value: A1 }]\nturns: [{ user: A1 }]",
        ),
    ),
    (
        "cases.facts.say",
        Weaker(
            "expected: { type: no_reask }\nfacts: [{ name: a, asked: which a, say: Hi A1 }]\nturns: [{ user: Hi A1 }, { user: later }]",
            "expected: { type: no_reask }\nfacts: [{ name: a, asked: which a, say: later }]\nturns: [{ user: Hi A1 }, { user: later }]",
        ),
    ),
    (
        "cases.facts.value",
        Weaker(
            "expected: { type: no_reask }\nfacts: [{ name: a, asked: which a, value: A1 }]\nturns: [{ user: A1 }]",
            "expected: { type: no_reask }\nfacts: [{ name: a, asked: which a, value: A }]\nturns: [{ user: A1 }]",
        ),
    ),
    (
        "cases.facts.shape",
        Weaker(
            "expected: { type: keeps }\nfacts: [{ name: a, asked: which a, value: A1, shape: \"A[0-9]\" }]\nturns: [{ user: A1 }]",
            "expected: { type: keeps }\nfacts: [{ name: a, asked: which a, value: A1, shape: A1 }]\nturns: [{ user: A1 }]",
        ),
    ),
    (
        "cases.stop_on_failure",
        Neutral(
            "a turn that is not reached comes after a failure",
            SCRIPT,
            "stop_on_failure: true\nexpected: { type: no_loop }\nturns:\n  - { id: a, user: Hi }\n  - { user: So? }",
        ),
    ),
];
