//! Suites of any size that use the deterministic kinds of expectation in turn; all pass. One case in five has a
//! pattern,
//! which costs more than any other kind; half of the patterns are the same in all cases.

use std::fmt::Write as _;
use std::path::Path;

/// Writes `NAME.yaml` and its answers, `NAME.jsonl`.
pub(crate) fn write(folder: &Path, name: &str, cases: usize) -> std::io::Result<()> {
    let mut scenario = format!(
        "name: {name}\nprovider: openai\ntags: [bench]\nvariables:\n  days: 30\nsetup:\n  systemPrompt: You answer within {{{{days}}}} words.\ncases:\n"
    );
    let mut replies = String::new();
    for number in 0..cases {
        let expected = match number % 10 {
            0..=2 => "{ type: contains, values: [\"{{days}} days\", refund] }",
            3 => "{ type: contains, values: [specialist, colleague], mode: any }",
            4 | 5 => "{ type: not_contains, values: [password, try again] }",
            6 => &format!("{{ type: regex, pattern: \"refunds? .*\\\\d+ days|order {number}\", flags: i }}"),
            7 => "{ type: inline, expression: 'length < 400 && response.includes(\"colleague\")' }",
            8 => {
                "{ type: combined, operator: and, expectations: [{ type: contains, values: [colleague, agent], mode: any }, { not: { type: regex, pattern: \"\\\\bno\\\\b\" } }] }"
            }
            _ => {
                "{ type: fuzzy, value: Refunds are possible within 30 days. A colleague calls you soon., threshold: 0.7 }"
            }
        };
        // Writing to a string cannot fail.
        let _ = write!(
            scenario,
            "  - id: case-{number}\n    name: Case number {number}\n    prompt: Can I return what I bought in shop {number}, and who helps me with it?\n    tags: [t{}]\n    expected: {expected}\n",
            number % 10
        );
        let _ = writeln!(
            replies,
            "{{\"id\": \"case-{number}\", \"reply\": \"Refunds are possible within 30 days. A colleague calls you today.\", \"finish_reason\": \"stop\", \"latency_ms\": 800, \"usage\": {{\"input_tokens\": 40, \"output_tokens\": 12}}}}"
        );
    }
    std::fs::write(folder.join(format!("{name}.yaml")), scenario)?;
    std::fs::write(folder.join(format!("{name}.jsonl")), replies)
}
