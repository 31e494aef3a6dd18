use crate::gate::Policy;
use crate::report::fixture::{Fixture, HOSTILE, case, trial, verdict};
use crate::vocabulary::{Outcome, VerdictKind};

use super::*;

/// Tags in the text, without those that akit writes itself.
fn strange_tags(text: &str) -> Vec<&str> {
    let own = ["<details><summary>", "<code>", "</code>", "</summary>", "</details>", "<pre>", "</pre>"];
    text.match_indices('<')
        .map(|(at, _)| &text[at..])
        .filter(|rest| !own.iter().any(|tag| rest.starts_with(tag)) && !rest.starts_with("<summary>"))
        .collect()
}

#[test]
fn hostile_text_stays_text() {
    let text = of_report(&Fixture::new().report());
    assert_eq!(strange_tags(&text), Vec::<&str>::new());
    assert_eq!(text.matches("<details>").count(), text.matches("</details>").count());
    assert_eq!(text.matches("<pre>").count(), text.matches("</pre>").count());
    for line in text.lines() {
        let start = line.trim_start();
        assert!(!start.starts_with(['/', ':', '`', '~', '@']), "{line}");
    }
}

#[test]
fn many_failures_fit_by_leaving_out_whole_entries() {
    let mut bad = verdict(VerdictKind::Contains, HOSTILE);
    bad.got = HOSTILE.to_owned();
    let one = case("support", HOSTILE, Outcome::Failed, vec![trial(0, Outcome::Failed, Some(bad), HOSTILE)]);
    let fixture = Fixture::of(vec![one; 2_000], &Policy::default());
    let text = of_report(&fixture.report());
    assert!(text.len() <= MOST && text.len() > MOST / 2, "{}", text.len());
    assert_eq!(text.matches("<details>").count(), text.matches("</details>").count());
    let shown = text.matches("<details>").count();
    let said = format!("Left out here, for length: {} failed cases.", number::size(2_000 - shown));
    assert!(text.contains(&said), "{said} {}", text.lines().last().unwrap());
    assert!(text.contains("#### About this run"), "facts matter more than one more case");
}

#[test]
fn a_passing_run_is_a_line_a_table_and_facts() {
    let fixture = Fixture::of(vec![case("support", "a", Outcome::Passed, Vec::new())], &Policy::default());
    insta::assert_snapshot!(of_report(&fixture.report()), @r"
    ### akit: PASS — all 1 judged case passed — 1 passed, 0 failed, 0 errored, 0 skipped

    | metric | now | limit |
    |---|---|---|
    | pass rate | 100.0% (1 of 1 cases) | — |
    | could not be judged | 0 | 0 |
    | time | 1.24 s | — |

    #### About this run
    - answered by: openai gpt-4o at api.openai.com
    - judged by: openai gpt-4o-mini at api.openai.com
    - power: 1 of 1 passed; with so few cases the true failure rate could still be up to 95% (95% confidence)
    - note: api.openai.com refused &#96;seed&#96;; asked without it
    ");
}
