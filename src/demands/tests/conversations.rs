//! Weaker conversations.

use super::*;

/// The findings for a change of one case; the case starts at line 4.
fn of(before: &str, now: &str) -> Vec<String> {
    let suite = |lines: &str| {
        let lines = lines.lines().fold(String::new(), |all, line| all + "    " + line + "\n");
        format!("name: s\nsetup: {{ handoff: {{ tool: t }} }}\ncases:\n  - id: a\n{lines}")
    };
    weakenings(&[("s.yaml", &suite(before))], &[("s.yaml", &suite(now))])
}

const EXPECTED: &str = "expected: { type: no_loop }\n";

#[test]
fn removed_moved_and_conditional_turns_are_named() {
    let turns = |turns: &str| format!("{EXPECTED}turns: [{turns}]");
    let before = turns("{ user: one }, { user: two }, { user: three }");
    let table: [(&str, &[&str]); 8] = [
        ("{ user: one }, { user: two }", &["turn-removed s.yaml:6"]),
        ("{ user: two }, { user: three }", &["turn-removed s.yaml:6"]),
        ("{ user: two }, { user: one }, { user: three }", &["turn-moved s.yaml:6"]),
        (
            "{ user: one }, { user: two, if: { type: exact, value: x } }, { user: three }",
            &["turn-conditional s.yaml:6"],
        ),
        ("{ user: one }, { user: two, session: new }, { user: three }", &["session-changed s.yaml:6"]),
        ("{ user: one }, { user: two, pause: 1s }, { user: three }", &[]),
        ("{ user: one }, { user: second }, { user: three }", &[]),
        ("{ user: one }, { user: two }, { user: between }, { user: three }", &[]),
    ];
    for (now, found) in table {
        assert_eq!(of(&before, &turns(now)), found, "{now}");
    }
    // They are matched by id, whatever they say.
    let named = turns("{ id: a, user: one }, { id: b, user: two }");
    assert_eq!(of(&named, &turns("{ id: b, user: zwei }, { id: a, user: eins }")), ["turn-moved s.yaml:6"]);
    let single = "prompt: one\nexpected: { type: exact, value: x }";
    assert!(of(&before, single).contains(&"turn-removed s.yaml:5".to_owned()), "{:?}", of(&before, single));
}

#[test]
fn expectations_of_turns_are_compared_turn_by_turn() {
    let turns =
        |turns: &str| format!("turns:\n  - {{ user: zero, expected: {{ type: exact, value: x }} }}\n{turns}");
    let demands = "  - { id: a, user: one, expected: { type: contains, values: [b, c] } }";
    let table: [(&str, &[&str]); 4] = [
        ("  - { id: a, user: one, expected: { type: contains, values: [b] } }", &["value-removed s.yaml:7"]),
        ("  - { id: a, user: one }", &["expectation-removed s.yaml:7"]),
        ("  - { user: one, expected: { type: contains, values: [c, b] } }", &[]),
        (
            "  - { user: between }\n  - { id: a, user: one, expected: { type: contains, values: [b, c, d] } }",
            &[],
        ),
    ];
    for (now, found) in table {
        assert_eq!(of(&turns(demands), &turns(now)), found, "{now}");
    }
}

#[test]
fn a_customer_who_says_less_or_gives_up_earlier_is_named() {
    let customer = |more: &str| format!("{EXPECTED}customer:\n  says: hi\n{more}");
    let rule = "  rules: [{ when: { type: exact, value: x }, say: [no, really], most: 3 }]\n";
    let usual = format!("  max_turns: 5\n{rule}  otherwise: {{ say: so, most: 2 }}");
    let broad = "{ when: { type: length, words: { min: 1 } }, say: [Thanks.] }";
    let rules = |all: &[&str]| usual.replace(rule, &format!("  rules: [{}]\n", all.join(", ")));
    let own = "{ when: { type: exact, value: x }, say: [no, really], most: 3 }";
    let table: [(String, &[&str]); 12] = [
        (rules(&[broad, own]), &["turn-moved s.yaml:9"]),
        (rules(&[own, broad]), &[]),
        (usual.replace("  otherwise: { say: so, most: 2 }", ""), &["turn-removed s.yaml:6"]),
        (usual.replace("say: so", "say: well"), &["turn-removed s.yaml:10"]),
        (usual.replace('5', "4"), &["conversation-shortened s.yaml:8"]),
        (usual.replace('5', "6"), &[]),
        (usual.replace(rule, ""), &["turn-removed s.yaml:6"]),
        (usual.replace("[no, really]", "[no]"), &["turn-removed s.yaml:9"]),
        (usual.replace("most: 3", "most: 2"), &["turn-removed s.yaml:9"]),
        (usual.replace("most: 2 }", "then: end }"), &["conversation-shortened s.yaml:10"]),
        (format!("{usual}\n  ends: [handoff]"), &["conversation-shortened s.yaml:11"]),
        (format!("{usual}\n  off_script: fail"), &[]),
    ];
    for (now, found) in table {
        assert_eq!(of(&customer(&usual), &customer(&now)), found, "{now}");
    }
    let reordered = of(&customer(&rules(&[own, broad])), &customer(&rules(&[broad, own])));
    assert_eq!(reordered, ["turn-moved s.yaml:9"]);
}

#[test]
fn a_shorter_pause_and_another_history_are_named() {
    let of_pause = |was: &str, is: &str| {
        let turns = |pause: &str| format!("{EXPECTED}turns: [{{ user: one }}, {{ user: two{pause} }}]");
        of(&turns(was), &turns(is))
    };
    assert_eq!(of_pause(", pause: 30s", ""), ["session-changed s.yaml:6"]);
    assert_eq!(of_pause(", pause: 30s", ", pause: 3s"), ["session-changed s.yaml:6"]);
    assert_eq!(of_pause(", pause: 3s", ", pause: 30s"), Vec::<String>::new());
    let prompt = |prompt: &str| format!("{prompt}\n{EXPECTED}turns: [{{ user: one }}]");
    let (asked, answered) = ("{ role: user, content: Hi }", "{ role: assistant, content: Hello }");
    let before = prompt(&format!("prompt: [{asked}, {answered}]"));
    let table: [(String, &[&str]); 6] = [
        (String::new(), &["turn-removed s.yaml:4"]),
        (format!("prompt: [{answered}]"), &["turn-removed s.yaml:5"]),
        (format!("prompt: [{asked}, {}]", answered.replace("Hello", "Bye")), &["turn-removed s.yaml:5"]),
        (format!("prompt: [{}, {answered}]", asked.replace("Hi", "Hey")), &[]),
        (format!("prompt: [{asked}, {answered}, {asked}, {answered}]"), &[]),
        (format!("prompt: [{{ role: system, content: Be kind }}, {asked}, {answered}]"), &[]),
    ];
    for (now, found) in table {
        assert_eq!(of(&before, &prompt(&now)), found, "{now}");
    }
}

#[test]
fn a_fact_that_a_later_turn_gives_is_named() {
    let facts = "facts: [{ name: card, asked: which card, value: \"4417\" }]";
    let turns = |turns: &str| format!("expected: {{ type: no_reask }}\n{facts}\nturns: [{turns}]");
    let before = turns("{ user: Card 4417. }, { user: So? }");
    let table: [(&str, &[&str]); 5] = [
        ("{ user: Hello. }, { user: So? 4417 }", &["fact-changed s.yaml:6"]),
        ("{ user: Hello. }, { user: So? }, { user: It is 4417 }", &["fact-changed s.yaml:6"]),
        ("{ user: My card is 4417. }, { user: So? }", &[]),
        ("{ user: Hello. }, { user: Card 4417. }, { user: So? }", &[]),
        ("{ user: It is 4417. }, { user: Card 4417. }, { user: So? }", &[]),
    ];
    for (now, found) in table {
        assert_eq!(of(&before, &turns(now)), found, "{now}");
    }
}

#[test]
fn removed_facts_and_facts_looked_for_elsewhere_are_named() {
    let facts = |facts: &str| {
        format!("expected: {{ type: no_reask }}\nfacts: [{facts}]\nturns: [{{ user: A1 and B2 }}]")
    };
    let (a, b) = ("{ name: a, asked: which a, value: A1 }", "{ name: b, asked: which b, value: B2 }");
    let before = facts(&format!("{a}, {b}"));
    assert_eq!(of(&before, &facts(&format!("{b}, {a}"))), Vec::<String>::new());
    for now in [
        a.to_owned(),
        format!("{a}, {}", b.replace("which b", "zzz")),
        format!("{a}, {}", b.replace("B2", "B")),
    ] {
        assert!(of(&before, &facts(&now)).contains(&"fact-changed s.yaml:6".to_owned()), "{now}");
    }
}

#[test]
fn a_customer_who_continues_longer_is_named_if_something_may_come_late() {
    let customer =
        |expected: &str, more: &str| format!("expected: {{ {expected} }}\ncustomer:\n  says: hi\n{more}");
    let usual = "  max_turns: 5\n  otherwise: { say: so, most: 2 }";
    let (more, oftener) = (usual.replace('5', "6"), usual.replace("most: 2", "most: 3"));
    let (late, both): (&[&str], &[&str]) = (&["limit-loosened s.yaml:8"], &["limit-loosened s.yaml:9"]);
    let combined = "type: combined, operator: and, expectations: [{ type: no_loop }, { type: handoff }]";
    let table = [
        ("type: handoff", late, both),
        (combined, late, both),
        ("type: some_answer, expected: { type: contains, values: [x] }", late, both),
        ("type: last_answer, expected: { type: contains, values: [x] }", late, both),
        ("not: { type: every_answer, expected: { type: contains, values: [x] } }", late, both),
        ("not: { type: handoff, never: true }", late, both),
        ("type: handoff, within: 3", &[], &[]),
        ("type: handoff, never: true", &[], &[]),
        ("type: no_loop", &[], &[]),
        ("type: every_answer, expected: { type: contains, values: [x] }", &[], &[]),
    ];
    for (expected, late, oftener_found) in table {
        let before = customer(expected, usual);
        assert_eq!(of(&before, &customer(expected, &more)), late, "{expected}");
        assert_eq!(of(&before, &customer(expected, &oftener)), oftener_found, "{expected}");
        assert_eq!(of(&before, &before), Vec::<String>::new());
    }
    // An error is not a lost failure; a missed failure is.
    let without = "  max_turns: 5";
    let handoff = |more: &str| customer("type: handoff", more);
    assert_eq!(of(&handoff(without), &handoff(usual)), Vec::<String>::new());
    let failing = "  max_turns: 5\n  off_script: fail";
    let now = format!("{failing}\n  otherwise: {{ say: so }}");
    assert_eq!(of(&handoff(failing), &handoff(&now)), ["limit-loosened s.yaml:10"]);
    // With any expectation: an answer that used to fail may pass.
    let quiet = |more: &str| customer("type: no_loop", more);
    let rule = format!("{failing}\n  rules: [{{ when: {{ type: contains, values: [a] }}, say: b }}]");
    for now in [&now, "  max_turns: 5", &rule] {
        let found = of(&quiet(failing), &quiet(now));
        assert!(matches!(&found[..], [one] if one.starts_with("limit-loosened ")), "{now}: {found:?}");
    }
    // A rule that matches more often, an added one, and a removed end.
    let rules = |more: &str| handoff(&format!("{usual}\n{more}"));
    let met = |most: u32, more: &str| {
        rules(&format!(
            "  rules: [{{ when: {{ type: contains, values: [a] }}, say: b, most: {most} }}{more}]"
        ))
    };
    let other = ", { when: { type: contains, values: [c] }, say: d }";
    let ends = rules("  ends: [{ type: contains, values: [bye] }]");
    for (before, now) in [(met(1, ""), met(9, "")), (met(1, ""), met(1, other)), (ends, rules(""))] {
        let found = of(&before, &now);
        assert!(matches!(&found[..], [one] if one.starts_with("limit-loosened ")), "{now}: {found:?}");
    }
    let script = |expected: &str, turns: usize| {
        let turns =
            ["hi", "so", "and", "then"][..turns].iter().map(|user| format!("  - {{ user: {user} }}\n"));
        format!("expected: {{ {expected} }}\nturns:\n{}", turns.collect::<Vec<_>>().concat())
    };
    let found = of(&script("type: handoff", 2), &script("type: handoff", 4));
    assert!(matches!(&found[..], [one] if one.starts_with("limit-loosened ")), "{found:?}");
    assert_eq!(of(&script("type: no_loop", 2), &script("type: no_loop", 4)), Vec::<String>::new());
}
