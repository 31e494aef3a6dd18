//! `akit case from`: turns a recorded conversation into a script.

use serde_json::{Value as Json, json};

use super::{recorded, suite};
use crate::Akit;
use crate::akit::Ran;

const HEAD: &str = "setup: { handoff: { tool: transfer } }";

/// The script made from a conversation, which must pass like the original, and the command's notes.
fn frozen(case: &str, turns: &[(&str, Json)]) -> (String, Ran) {
    let ran = Akit::new(&["run", "s.yaml", "--replies", "r.jsonl", "--json", "run.json"])
        .file("s.yaml", suite(HEAD, case))
        .file("r.jsonl", recorded("c", turns))
        .run()
        .ended(0);
    let made = ran
        .then(&["case", "from", "run.json", "--case", "c", "--as", "turns", "-o", "f.yaml"])
        .run()
        .ended(0);
    let text = made.read("f.yaml");
    made.then(&["validate", "f.yaml", "--strict"]).run().ended(0);
    made.then(&["run", "f.yaml", "--replies", "r.jsonl"]).run().ended(0);
    (text, made)
}

#[test]
fn facts_that_were_not_given_are_left_out() {
    let case = "
customer:
  says: \"A person, please: parcel NW-1.\"
  facts:
    - { name: amount, asked: amount, say: 240 euros., value: \"240\", shape: \"\\\\d{3}\" }
    - { name: parcel, asked: parcel, say: NW-1, shape: \"NW-\\\\d\" }
  ends: [handoff]
  max_turns: 6
expected:
  type: combined
  operator: and
  expectations:
    - { type: no_reask, facts: [amount, parcel] }
    - { type: keeps }
    - { type: keeps, facts: [amount] }
    - { type: handoff, carries: [parcel], within: 2 }
    - { type: ended, by: [handoff] }";
    let call = json!({ "tool_calls": [{ "id": "1", "type": "function",
        "function": { "name": "transfer", "arguments": "{\"parcel\":\"NW-1\"}" } }] });
    let (text, made) = frozen(case, &[("A person, please: parcel NW-1.", call)]);
    assert!(!text.contains("amount"), "{text}");
    for kept in ["no_reask", "keeps", "carries", "parcel"] {
        assert!(text.contains(kept), "{kept}\n{text}");
    }
    assert!(!text.contains("within"), "{text}");
    made.err("warning: fact `amount` was never given").err("warning: `keeps` refers to facts that");
}

#[test]
fn references_to_turns_that_did_not_happen_are_left_out() {
    let case = "
turns:
  - { user: Hi., id: a }
  - { user: Well?, id: x, if: { type: contains, values: [never] } }
  - { user: So?, id: b }
expected:
  type: combined
  operator: or
  expectations:
    - { type: answer, turn: x, expected: { type: exact, value: One } }
    - { type: handoff, by: x }
    - { type: answer, turn: b, expected: { type: contains, values: [two] } }";
    let (text, made) = frozen(case, &[("Hi.", json!("One")), ("So?", json!("Two"))]);
    assert!(text.contains("turn: b") && !text.contains("turn: x") && !text.contains("by: x"), "{text}");
    made.err("warning: `answer` refers to turn `x`, which was not said")
        .err("warning: `handoff` refers to turn `x`");
}

#[test]
fn turns_on_one_line_keep_their_own_keys() {
    let case = "
turns: [{ user: Hi., id: a, expected: { type: contains, values: [One] } }, { user: Skip., if: { type: exact, value: no } }, { user: So?, expected: { type: contains, values: [Two] } }, { user: End. }]";
    let (text, _) = frozen(case, &[("Hi.", json!("One")), ("So?", json!("Two")), ("End.", json!("Ok"))]);
    let own: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| line.contains("user:") || line.contains("One") || line.contains("Two"))
        .collect();
    assert_eq!(own.len(), 5, "{text}");
    assert!(own[1].contains("One") && own[3].contains("Two"), "{text}");
}
