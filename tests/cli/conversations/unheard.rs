//! No expectation sees what the customer says.

use serde_json::{Value as Json, json};

use super::kinds::{HEAD, transfer};
use super::{entry, reasons, recorded};
use crate::Akit;

/// The same answers are judged the same way, whatever the customer says.
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
    let conversation = [
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
        for words in &conversation {
            let mut cases = String::new();
            let mut lines = String::new();
            for (at, kind) in kinds.iter().enumerate() {
                let turns = words.iter().zip(1..).fold(String::new(), |turns, (word, n)| {
                    let said = Json::from(word.replace("{{", "\\{{"));
                    turns + &format!("  - {{ id: t{n}, user: {said} }}\n")
                });
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
                let found = reasons(&case["trials"][0]);
                // The turns in the output show what the customer said.
                let found: Vec<_> = found.lines().filter(|line| !line.starts_with("turn ")).collect();
                (case["outcome"].clone(), found.join("\n"))
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
