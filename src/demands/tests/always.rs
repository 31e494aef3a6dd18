//! Rules for every answer: removed, loosened, lifted or moved.

use super::*;

const RULES: &str = "always:\n  - { type: length, words: { max: 80 } }\n  - { type: not_contains, values: [AI], name: voice }\n";

/// Two cases under a scenario's `always`, each with more keys of its own.
fn suite(head: &str, a: &str, b: &str) -> String {
    format!(
        "name: s\n{head}cases:\n  - {{ id: a, prompt: How?, expected: {{ type: contains, values: [yes] }}{a} }}\n  \
         - {{ id: b, prompt: Why?, expected: {{ type: combined, operator: or, expectations: [{{ type: exact, value: no }}, {{ type: regex, pattern: n }}] }}{b} }}\n"
    )
}

/// A scenario and a configuration.
type Files<'a> = (&'a str, &'a str);

fn of(before: Files<'_>, now: Files<'_>) -> Vec<String> {
    weakenings(&[("s.yaml", before.0), ("akit.yaml", before.1)], &[("s.yaml", now.0), ("akit.yaml", now.1)])
}

#[test]
fn a_weaker_rule_is_named_once_at_its_line() {
    let (own, bare) = (suite(RULES, "", ""), suite("", "", ""));
    let loose = suite(&RULES.replace("80", "90"), "", "");
    let lone = "always:\n  - { type: not_contains, values: [AI], name: voice }\n";
    let except = ", except: { voice: it is about AI }";
    let rows: &[(&str, Files<'_>, Files<'_>, &[&str])] = &[
        ("gone from the scenario", (&own, ""), (&suite(lone, "", ""), ""), &["expectation-removed s.yaml:2"]),
        (
            "all gone from the scenario",
            (&own, ""),
            (&bare, ""),
            &["expectation-removed s.yaml:1", "expectation-removed s.yaml:1"],
        ),
        ("gone from the configuration", (&bare, RULES), (&bare, lone), &["expectation-removed akit.yaml:1"]),
        ("loosened in the scenario", (&own, ""), (&loose, ""), &["limit-loosened s.yaml:3"]),
        (
            "loosened in the configuration",
            (&bare, RULES),
            (&bare, &RULES.replace("[AI]", "[AIs]")),
            &["value-removed akit.yaml:3"],
        ),
        (
            "another kind",
            (&bare, RULES),
            (&bare, &RULES.replace("not_contains, values: [AI]", "regex, pattern: .")),
            &["kind-changed akit.yaml:3"],
        ),
        ("lifted", (&bare, RULES), (&suite("", "", except), RULES), &["expectation-removed s.yaml:4"]),
        (
            "lifted for each",
            (&own, ""),
            (&suite(RULES, except, except), ""),
            &["expectation-removed s.yaml:6", "expectation-removed s.yaml:7"],
        ),
        (
            "lifted and gone",
            (&bare, RULES),
            (
                &suite("", except, ""),
                &RULES.replace("not_contains, values: [AI]", "not_contains, values: [XY]"),
            ),
            &["value-removed akit.yaml:3", "expectation-removed s.yaml:3"],
        ),
        (
            "a case's own, with rules beside it",
            (&own, ""),
            (&own.replace("[yes]", "[y]"), ""),
            &["value-removed s.yaml:6"],
        ),
        (
            "a case's own alternative, with rules beside it",
            (&own, ""),
            (&own.replace("value: no", "value: never"), ""),
            &["value-changed s.yaml:7"],
        ),
    ];
    for (what, before, now, expected) in rows {
        assert_eq!(of(*before, *now), *expected, "{what}");
    }
}

#[test]
fn rules_that_move_or_grow_are_not_weaker() {
    let (own, bare) = (suite(RULES, "", ""), suite("", "", ""));
    let lone = "always:\n  - { type: not_contains, values: [AI], name: voice }\n";
    let except = ", except: { voice: it is about AI }";
    let both = "{ type: combined, operator: and, expectations: [{ type: contains, values: [yes] }, { type: length, words: { max: 80 } }] }";
    let into_case = suite("", "", "").replace("{ type: contains, values: [yes] }", both);
    let rows: &[(&str, Files<'_>, Files<'_>)] = &[
        ("new rules", (&bare, ""), (&own, RULES)),
        ("to the configuration", (&own, ""), (&bare, RULES)),
        ("to the scenario", (&bare, RULES), (&own, "")),
        ("one of two places", (&own, RULES), (&own, "")),
        (
            "another order, another name",
            (&own, ""),
            (
                &suite(&format!("{lone}  - {{ type: length, words: {{ max: 80 }}, name: short }}\n"), "", ""),
                "",
            ),
        ),
        ("a new rule that is lifted at once", (&bare, ""), (&suite("", "", except), RULES)),
        ("no longer lifted", (&suite("", "", except), RULES), (&bare, RULES)),
        ("stronger", (&own, ""), (&suite(&RULES.replace("80", "40"), "", ""), "")),
        (
            "from the case to the rules",
            (&into_case, ""),
            (&bare, "always: [{ type: length, words: { max: 80 } }]"),
        ),
        (
            "of another file",
            (&own, "always: [{ type: exact, value: q }]"),
            (&bare, &format!("{RULES}  - {{ type: exact, value: q }}\n")),
        ),
    ];
    for (what, before, now) in rows {
        assert_eq!(of(*before, *now), Vec::<String>::new(), "{what}");
    }
}

#[test]
fn rules_with_variables_are_those_of_each_case() {
    let head = |word: &str| {
        format!("variables: {{ v: {word} }}\nalways: [{{ type: contains, values: [\"{{{{v}}}}\"] }}]\n")
    };
    let own = ", variables: { v: own }";
    let before = suite(&head("shared"), "", own);
    assert_eq!(of((&before, ""), (&before, "")), Vec::<String>::new());
    assert_eq!(
        of((&before, ""), (&suite(&head("shared"), "", ", variables: { v: ow }"), "")),
        ["value-removed s.yaml:3"]
    );
    assert_eq!(of((&before, ""), (&suite(&head("share"), "", own), "")), ["value-removed s.yaml:3"]);
}
