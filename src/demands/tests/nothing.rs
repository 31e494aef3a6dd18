//! Changes that look weaker but are not.

use super::*;

const CONFIG: &str = "\
grader: { model: judge }
gate:
  min_pass_rate: 0.9
  thresholds:
    - { metric: pass_rate, tags: [fraud], min: 1.0 }
    - { metric: latency_p95_ms, max: 100 }
  critical: [\"s/a\", { tags: [fraud] }]
";

fn of(now: &[(&str, &str)]) -> Vec<String> {
    weakenings(&[("s.yaml", SUITE), ("akit.yaml", CONFIG)], now)
}

#[test]
fn changes_of_form_weaken_nothing() {
    let suites: &[(&str, String)] = &[
        ("nothing", SUITE.to_owned()),
        ("comments", format!("# A suite.\n{}", SUITE.replace("  - id", "\n  # A case.\n  - id"))),
        ("quotes", SUITE.replace("id: a", "id: \"a\"").replace("[yes, sure]", "['yes', \"sure\"]")),
        ("windows line ends", SUITE.replace('\n', "\r\n")),
        (
            "block style",
            SUITE.replace(
                "{ type: contains, values: [yes, sure] }",
                "\n      values:\n        - sure\n        - yes\n      type: contains",
            ),
        ),
        (
            "order of cases",
            format!(
                "name: s\ntags: [safety]\ncases:\n{}{}",
                SUITE.split_at(SUITE.find("  - id: b").unwrap()).1,
                "  - id: a\n    prompt: How?\n    expected: { type: contains, values: [yes, sure] }\n"
            ),
        ),
        (
            "order of keys",
            SUITE.replace("    prompt: How?\n", "").replace("sure] }\n", "sure] }\n    prompt: How?\n"),
        ),
        (
            "an added case",
            format!("{SUITE}  - {{ id: c, prompt: Who?, expected: {{ type: exact, value: me }} }}\n"),
        ),
        ("a renamed id outside of the policy", SUITE.replace("id: b", "id: z")),
        ("another prompt", SUITE.replace("How?", "How so?")),
        ("a prompt as a list", SUITE.replace("prompt: How?", "prompt: [{ role: user, content: How? }]")),
        ("a tag of the case, not of the suite", SUITE.replace("tags: [fraud]", "tags: [safety, fraud]")),
        ("a title", SUITE.replace("prompt: How?", "name: Hm\n    description: d\n    prompt: How?")),
        ("a default", SUITE.replace("[yes, sure] }", "[yes, sure], mode: all }")),
        ("an alias", SUITE.replace("expected: {", "expected: &e {")),
        ("a tightened value", SUITE.replace("[yes, sure]", "[yes, sure, indeed]")),
        (
            "variables",
            SUITE
                .replace("value: so", "value: \"{{v}}\"")
                .replace("prompt: Why?", "prompt: Why?\n    variables: { v: so }"),
        ),
    ];
    for (name, suite) in suites {
        assert_eq!(of(&[("s.yaml", suite), ("akit.yaml", CONFIG)]), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn files_that_move_weaken_nothing() {
    let none = Vec::<String>::new();
    assert_eq!(of(&[("deep/down/t.yaml", SUITE), ("akit.yaml", CONFIG)]), none);
    let unnamed = SUITE.replace("name: s\n", "");
    let config = ("akit.yaml", "gate: { critical: [{ tags: [fraud] }] }");
    assert_eq!(weakenings(&[("s.yaml", &unnamed), config], &[("t.yaml", &unnamed), config]), none);
    let (head, b) = SUITE.split_at(SUITE.find("  - id: b").unwrap());
    let split = format!("name: s\ntags: [safety]\ncases:\n{b}");
    assert_eq!(of(&[("s.yaml", head), ("b.yaml", &split), ("akit.yaml", CONFIG)]), none);
    assert_eq!(
        weakenings(&[("s.yaml", head), ("b.yaml", &split)], &[("b.yaml", &split), ("s.yaml", head)]),
        none
    );
    // A renamed critical case stays in the policy under its new name.
    let renamed = SUITE.replace("id: a", "id: first");
    let followed = CONFIG.replace("s/a", "s/first");
    assert_eq!(of(&[("s.yaml", &renamed), ("akit.yaml", &followed)]), none);
    assert_eq!(of(&[("s.yaml", SUITE), ("akit.yaml", &format!("# Ours.\n{CONFIG}"))]), none);
}
