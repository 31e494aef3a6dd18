//! Searches end: by a bound that is counted, or by a deadline.

use super::Akit;
use super::akit::Ran;
use super::replies::{outcomes, replies};

fn judged(expected: &str, answer: &str, more: &[&str]) -> Ran {
    Akit::new(&["run", "s.yaml", "--replies", "r.jsonl", "--json", "run.json"])
        .args(more)
        .file("s.yaml", format!("name: s\ncases:\n  - {{ id: a, prompt: x, expected: {expected} }}\n"))
        .file("r.jsonl", replies(&[("a", answer)]))
        .run()
}

/// Neither an expectation nor its opposite passes on an answer that it cannot be held against.
#[test]
fn what_does_not_end_in_its_bound_is_errored() {
    let regex = "type: regex, pattern: '(?!.*foo).*bar'";
    let fuzzy = format!("type: fuzzy, value: '{}'", "y".repeat(100_000));
    for (expected, answer, reason) in [
        (regex, "x".repeat(60_000), "gave up after 50000000 steps"),
        (&fuzzy, "x".repeat(100_000), "too long to be compared"),
    ] {
        for expected in [format!("{{ {expected} }}"), format!("{{ not: {{ {expected} }} }}")] {
            let ran = judged(&expected, &answer, &[]).ended(4);
            let run = ran.json("run.json");
            assert_eq!(outcomes(&run), ["a errored"], "{expected:.80}");
            let fault = &run["cases"][0]["trials"][0]["fault"];
            assert_eq!(fault["kind"], "expectation-error", "{fault}");
            assert!(fault["message"].as_str().unwrap().contains(reason), "{fault}");
        }
    }
}

/// A search that nobody counts is left behind.
#[test]
fn a_deadline_cuts_a_search() {
    let schema = "{ type: json_schema, schema: { type: string, pattern: '(?!.*foo).*bar' } }";
    let answer = format!("\"{}\"", "x".repeat(400_000));
    judged(schema, &answer, &["--deadline", "500ms"]).ended(6).out("the run was ended by its deadline");
}
