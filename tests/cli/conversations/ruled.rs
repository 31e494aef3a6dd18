//! Rule-based customers.

use serde_json::json;

use super::{Row, table};

const CARD: &str = "
customer:
  says: Help me.
  facts:
    - { name: card, asked: \"card\", say: It ends in 4417., shape: \"\\\\b4\\\\d{3}\\\\b\" }
    - { name: amount, asked: \"amount|how much\", say: 240 euros., value: \"240\" }
    - { name: name, asked: \"your name\", say: I am Ada. }
  rules:
    - { when: { type: contains, values: [merchant] }, say: [I did., I told you., Never.] }
    - { when: { type: contains, values: [wait] }, say: I wait., most: 2 }
  otherwise: { say: A person please., most: 1, then: end }
  ends: [handoff, { type: last_answer, expected: { type: contains, values: [goodbye] } }]
  max_turns: 6
expected: { type: every_answer, expected: { type: length, characters: { max: 500 } } }";

const HEAD: &str = "setup: { handoff: { tool: transfer } }\n";

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn what_the_customer_says() {
    let off = CARD.replace("  otherwise: { say: A person please., most: 1, then: end }\n", "");
    let fail = off.replace("  max_turns: 6", "  max_turns: 6\n  off_script: fail");
    let spent = CARD.replace(", then: end", "");
    let bye = || json!("goodbye");
    let rows: &[Row<'_>] = &[
        (
            "several facts are one message, in the order of the file",
            CARD,
            &[
                ("Help me.", json!("Your name, the amount and the card?")),
                ("It ends in 4417. 240 euros. I am Ada.", bye()),
            ],
            "passed",
            "ended by expectation",
        ),
        (
            "facts go before rules",
            CARD,
            &[("Help me.", json!("Ask the merchant, or give me the card.")), ("It ends in 4417.", bye())],
            "passed",
            "",
        ),
        (
            "a fact is given once",
            CARD,
            &[
                ("Help me.", json!("Card?")),
                ("It ends in 4417.", json!("CARD?")),
                ("A person please.", bye()),
            ],
            "passed",
            "",
        ),
        (
            "what remains is given",
            CARD,
            &[
                ("Help me.", json!("Card?")),
                ("It ends in 4417.", json!("And the card and amount?")),
                ("240 euros.", bye()),
            ],
            "passed",
            "",
        ),
        (
            "the so-manieth text for the so-manieth time",
            CARD,
            &[
                ("Help me.", json!("merchant")),
                ("I did.", json!("merchant")),
                ("I told you.", json!("merchant")),
                ("Never.", json!("merchant")),
                ("A person please.", bye()),
            ],
            "passed",
            "",
        ),
        (
            "the last text again, up to `most`",
            CARD,
            &[
                ("Help me.", json!("wait")),
                ("I wait.", json!("wait")),
                ("I wait.", json!("wait")),
                ("A person please.", bye()),
            ],
            "passed",
            "",
        ),
        (
            "the first rule that fits",
            CARD,
            &[("Help me.", json!("wait for the merchant")), ("I did.", bye())],
            "passed",
            "",
        ),
        (
            "a spent `otherwise` ends it",
            CARD,
            &[("Help me.", json!("hm")), ("A person please.", json!("hm"))],
            "passed",
            "ended by otherwise",
        ),
        (
            "a spent `otherwise` without `then`",
            &spent,
            &[("Help me.", json!("hm")), ("A person please.", json!("hm"))],
            "errored",
            "off-script: off-script: the customer has nothing to say to \"hm\"",
        ),
        (
            "off the script",
            &off,
            &[("Help me.", json!("What now?"))],
            "errored",
            "nothing to say to \"What now?\"",
        ),
        (
            "off the script by the application's fault",
            &fail,
            &[("Help me.", json!("What now?"))],
            "failed",
            "ended failed: off-script",
        ),
        (
            "off the script by its fault, and what else was wrong",
            &fail.replace("max: 500", "max: 2"),
            &[("Help me.", json!("What now?"))],
            "failed",
            "every_answer failed",
        ),
        (
            "a handoff ends it",
            CARD,
            &[(
                "Help me.",
                json!({ "content": "Which card?", "tool_calls": [{ "name": "transfer", "arguments": {} }] }),
            )],
            "passed",
            "ended by handoff",
        ),
        (
            "messages are counted",
            &CARD.replace("max_turns: 6", "max_turns: 2"),
            &[("Help me.", json!("wait")), ("I wait.", json!("wait"))],
            "passed",
            "ended by max_turns",
        ),
        (
            "an end goes before the count",
            &CARD.replace("max_turns: 6", "max_turns: 2"),
            &[("Help me.", json!("wait")), ("I wait.", bye())],
            "passed",
            "ended by expectation",
        ),
        (
            "other words than by the rules",
            CARD,
            &[("Help me.", json!("Card?")), ("It ends in 4418.", bye())],
            "errored",
            "turn 2 in r.jsonl is \"It ends in 4418.\", but here the customer says \"It ends in 4417.\"",
        ),
        (
            "what the opening says is given",
            &CARD.replace("Help me.", "Help me with card 4417."),
            &[("Help me with card 4417.", json!("Which card, which amount?")), ("240 euros.", bye())],
            "passed",
            "",
        ),
    ];
    table(HEAD, rows);
}

#[test]
fn off_script_suggests_a_rule() {
    let off = CARD.replace("  otherwise: { say: A person please., most: 1, then: end }\n", "");
    let ran = crate::Akit::new(&["run", "s.yaml", "--replies", "r.jsonl"])
        .file("s.yaml", super::suite(HEAD, &off))
        .file("r.jsonl", super::recorded("c", &[("Help me.", json!("What is \"it\" about?"))]))
        .run()
        .ended(4);
    let rule = "{ when: { type: contains, values: [\"What is \\\"it\\\" about?\"] }, say: \"…\" }";
    let ran = ran.out("off-script").out(rule);
    // The suggested rule can be used as printed.
    let ruled = off.replace("  rules:\n", &format!("  rules:\n    - {}\n", rule.replace('…', "Money.")));
    ran.then(&["run", "s.yaml", "--replies", "r.jsonl"])
        .file("s.yaml", super::suite(HEAD, &ruled))
        .file(
            "r.jsonl",
            super::recorded(
                "c",
                &[("Help me.", json!("What is \"it\" about?")), ("Money.", json!("goodbye"))],
            ),
        )
        .run()
        .ended(0);
}
