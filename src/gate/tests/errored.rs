//! A case that errors first, and its extra trials: an error does not excuse later failures.

use super::*;

/// The state of a case next to five that pass. It always passed before, errors now, and then answers like this.
fn ruled(past: u64, fresh: &[Outcome], policy: &Policy) -> Decision {
    let names = ["a", "b", "c", "d", "e", "f"];
    let stored = baseline(&names.map(|id| (id, past, past)));
    let mut manifest = run(&names.map(|id| (id, if id == "a" { Errored } else { Passed })));
    let again = (1..).zip(fresh).map(|(index, outcome)| trial(index, *outcome, true));
    manifest.cases[0].trials.extend(again);
    judge(&manifest, Some(&stored), policy)
}

#[test]
fn extra_answers_of_an_errored_case_count_like_those_of_a_failed_one() {
    let policy = Policy { max_error_rate: 0.5, ..Policy::default() };
    let word = |past, fresh: &[Outcome]| {
        let decision = ruled(past, fresh, &policy);
        let finding = decision.findings.first().map(|finding| finding.id.word().to_owned());
        (decision.cases[0].state, decision.conclusion, finding.unwrap_or_default())
    };
    let broken = || (State::Broken, Conclusion::Fail, "regression".to_owned());
    assert_eq!(word(20, &[Failed, Failed]), broken());
    assert_eq!(word(3, &[Failed; 6]), broken());
    // It passed once, after a third of the failures needed for a proof.
    let open = [&[Failed, Failed, Passed][..], &[Failed; 7]].concat();
    assert_eq!(word(3, &open), (State::Open, Conclusion::Inconclusive, "open".to_owned()));
    assert_eq!(word(3, &[Failed, Failed]), (State::Open, Conclusion::Inconclusive, "open".to_owned()));
    assert_eq!(word(20, &[Errored; 20]), (State::Broken, Conclusion::Fail, "regression-errored".to_owned()));
    assert_eq!(word(20, &[]), (State::Unconfirmed, Conclusion::Inconclusive, "unconfirmed".to_owned()));
    // It passes as soon as it can be judged.
    assert_eq!(word(20, &[Passed]).1, Conclusion::Pass);
}

#[test]
fn a_run_that_passes_only_in_quarantine_passes_nothing() {
    let stored = baseline(&[("a", 0, 10), ("b", 10, 10)]);
    let one = Quarantined {
        case: Glob::parse("support/b").unwrap(),
        owner: "ana".to_owned(),
        reason: "known".to_owned(),
        until: "2099-01-01".to_owned(),
    };
    let policy = Policy { quarantine: vec![one], ..Policy::default() };
    let decision = judge(&run(&[("a", Failed), ("b", Passed)]), Some(&stored), &policy);
    assert_eq!((decision.conclusion, ids(&decision)), (Conclusion::Fail, vec!["nothing-passed"]));
}

#[test]
fn tags_without_a_guard_are_named() {
    let names: Vec<String> = (0..100).map(|n| format!("c{n:02}")).collect();
    let stored = baseline(&names.iter().map(|id| (id.as_str(), 9, 10)).collect::<Vec<_>>());
    let told_of = |tags: usize| {
        let mut manifest = run(&names.iter().map(|id| (id.as_str(), Passed)).collect::<Vec<_>>());
        for (n, case) in manifest.cases.iter_mut().enumerate() {
            case.tags = vec![format!("t{:02}", n % tags)];
        }
        judge(&manifest, Some(&stored), &Policy::default()).power
    };
    assert!(told_of(20).unguarded_tags.is_empty());
    let power = told_of(22);
    assert_eq!(power.unguarded_tags, ["t20", "t21"]);
    let note = "only the largest tags are compared one by one; `t20`, `t21` count as part of the suite";
    assert!(power.sentences().iter().any(|one| one == note), "{:?}", power.sentences());
}

#[test]
fn without_a_history_nothing_is_flaky() {
    let decision = judge(&of(vec![case("a", &[Passed, Failed])]), None, &Policy::default());
    assert_eq!((decision.cases[0].state, decision.conclusion), (State::Failed, Conclusion::Fail));
}
