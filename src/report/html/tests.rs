use std::collections::BTreeMap;

use super::*;
use crate::gate::Policy;
use crate::report::fixture::{Fixture, HOSTILE, case, trial, verdict};
use crate::text;
use crate::vocabulary::{Outcome, VerdictKind};

fn of_report(report: &Report<'_>) -> Result<String, RenderError> {
    crate::report::text(|out| write(report, out))
}

/// Tags of a page by name. Panics if an element is not closed or was never opened.
pub(in crate::report) fn tags(page: &str) -> BTreeMap<String, usize> {
    const VOID: [&str; 4] = ["meta", "input", "!doctype", "br"];
    let mut counts = BTreeMap::new();
    let mut open: Vec<String> = Vec::new();
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        // Every value is escaped, so no tag contains `>`.
        let end = rest.find('>').expect("a tag must end");
        let tag = &rest[..end];
        assert!(!tag.contains('<'), "a tag inside of a tag: {tag}");
        let name: String = tag.trim_start_matches('/').chars().take_while(|c| !" \n/".contains(*c)).collect();
        if tag.starts_with('/') {
            assert_eq!(open.pop().as_deref(), Some(name.as_str()), "closes another element");
        } else {
            if !VOID.contains(&name.as_str()) && !tag.ends_with('/') {
                open.push(name.clone());
            }
            *counts.entry(name.clone()).or_default() += 1;
        }
        rest = &rest[end..];
        if !tag.starts_with('/') && (name == "style" || name == "script") {
            rest = &rest[rest.find(&format!("</{name}>")).expect("the element must end")..];
        }
    }
    assert_eq!(open, Vec::<String>::new());
    counts
}

/// The text that a reader sees, with character references decoded.
fn unescaped(text: &str) -> String {
    let known = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    known.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

fn attributes<'a>(page: &'a str, name: &str) -> Vec<&'a str> {
    let mark = format!(" {name}=\"");
    page.match_indices(&mark)
        .map(|(at, _)| &page[at + mark.len()..])
        .map(|rest| &rest[..rest.find('"').expect("a value ends")])
        .collect()
}

#[test]
fn the_page_is_well_formed_and_its_counts_are_the_decisions() {
    let fixture = Fixture::new();
    let page = of_report(&fixture.report()).unwrap();
    let tags = tags(&page);
    assert_eq!((tags["script"], tags["style"], tags["h1"]), (1, 1, 1));
    assert_eq!(page.matches("<details class=\"case\"").count(), 13);
    let counts = fixture.decision.counts;
    let outcomes = attributes(&page, "data-o");
    for (word, count) in
        [("passed", counts.passed), ("failed", counts.failed), ("errored", counts.errored), ("skipped", 1)]
    {
        assert_eq!(outcomes.iter().filter(|one| **one == word).count(), count, "{word}");
        assert!(page.contains(&format!("<dt>{word}</dt><dd>{count}</dd>")), "{word}");
    }
    assert!(page.contains("<h1>akit: <span>FAIL</span></h1>"));
    for sentence in fixture.decision.power.sentences() {
        assert!(unescaped(&page).contains(&sentence), "{sentence}");
    }
    assert!(page.contains("votes 0.2, 0.8, 0.4") && page.contains("score 0.4, 0.7 required"));
    assert!(page.contains("class=\"tag o-failed\">regression<"));
}

#[test]
fn the_numbers_are_those_of_the_markdown() {
    let fixture = Fixture::new();
    let report = fixture.report();
    let page = unescaped(&of_report(&report).unwrap());
    let markdown = unescaped(&crate::report::markdown::of_report(&report));
    let rows = crate::report::table::rows(&report);
    assert!(rows.len() >= 4 && rows.iter().any(|row| row.baseline != "—"), "{rows:?}");
    assert!(page.contains("<th scope=\"col\">baseline</th>"));
    for row in rows {
        let (metric, now, baseline, limit) = (&row.metric, &row.now, &row.baseline, &row.limit);
        let cells = format!(">{metric}</th><td>{now}</td><td>{baseline}</td><td>{limit}</td>");
        assert!(page.contains(&cells), "{cells}");
        // Markdown has the comparable figures.
        let cells = format!(" | {} | {baseline} | ", now.split(' ').next().unwrap());
        assert!(baseline == "—" || markdown.contains(&cells), "{row:?}");
    }
    let alone = Fixture::of(vec![case("s", "a", Outcome::Passed, Vec::new())], &Policy::default());
    assert!(!of_report(&alone.report()).unwrap().contains(">baseline</th>"));
}

#[test]
fn ids_are_unique_and_links_have_targets() {
    let page = of_report(&Fixture::new().report()).unwrap();
    let ids = attributes(&page, "id");
    let unique: std::collections::BTreeSet<_> = ids.iter().collect();
    assert_eq!(unique.len(), ids.len());
    let links = attributes(&page, "href");
    assert!(links.len() > 2 && links.iter().all(|link| unique.contains(&&link[1..])), "{links:?}");
    assert!(attributes(&page, "aria-labelledby").iter().all(|id| unique.contains(id)));
}

#[test]
fn hostile_text_stays_text() {
    let page = of_report(&Fixture::new().report()).unwrap();
    assert_eq!(page.matches("<script").count(), 1, "akit's own");
    assert!(!page.contains("<img") && !page.contains("<!--") && !page.contains("javascript:\""));
    assert!(page.chars().all(|c| c == '\n' || c == '\t' || text::inert(c)));
    assert!(attributes(&page, "onerror").is_empty() && attributes(&page, "style").is_empty());
    let shown = unescaped(&page);
    assert!(shown.contains(&text::plain(HOSTILE)), "the text must not be cut");
    // Style and script cannot be ended early.
    assert!(!include_str!("page.js").contains("</") && !include_str!("page.css").contains("</"));
}

#[test]
fn only_akits_own_style_and_script_may_run() {
    use sha2::Digest as _;
    let page = of_report(&Fixture::short().report()).unwrap();
    let policy = unescaped(attributes(&page, "content")[0]);
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    for name in ["style", "script"] {
        let start = page.find(&format!("<{name}>")).unwrap() + name.len() + 2;
        let inside = &page[start..start + page[start..].find(&format!("</{name}>")).unwrap()];
        assert!(!inside.is_empty() && !inside.contains("http"));
        let digest = sha2::Sha256::digest(inside.as_bytes());
        // The first three bytes are enough to match the hash with its element.
        let first = page::Shell::first_digits(&digest);
        assert!(policy.contains(&format!("{name}-src 'sha256-{first}")), "{name}: {policy}");
    }
}

/// This many cases with long texts, of which every `nth` fails.
fn many(cases: usize, nth: usize) -> Fixture {
    let long = "A reply that goes on about it at some length, and says <b>little</b>. ".repeat(6);
    let cases = (0..cases).map(|index| {
        let bad = index % nth == 0;
        let outcome = if bad { Outcome::Failed } else { Outcome::Passed };
        let mut part = verdict(VerdictKind::LlmGrader, &long);
        part.outcome = outcome;
        part.expected.clone_from(&long);
        let mut found = verdict(VerdictKind::Combined, "");
        found.outcome = outcome;
        found.parts = vec![part; 3];
        let mut one = case(
            "support",
            &format!("case-{index:05}"),
            outcome,
            vec![trial(0, outcome, Some(found), &long)],
        );
        one.tags = vec!["fraud".to_owned(), format!("team-{}", index % 7)];
        one
    });
    Fixture::of(cases.collect(), &Policy::default())
}

#[test]
fn five_thousand_cases_stay_under_five_megabytes_and_cuts_are_said() {
    for nth in [10, 1] {
        let page = of_report(&many(5_000, nth).report()).unwrap();
        assert!(page.len() < 5_000_000 && page.len() > 2_000_000, "{}", page.len());
        assert_eq!(page.matches("<details class=\"case\"").count(), 5_000);
        assert!(page.contains("more characters"));
        assert!(page.contains("<body class=\"many\">"));
        // With a box for each case, the browser would visit all of them whenever it computes a style.
        let chunks = page.split("<div class=\"chunk\">").skip(1);
        let sizes: Vec<_> = chunks.map(|one| one.matches("<details class=\"case\"").count()).collect();
        assert!(sizes.iter().all(|size| *size == 100) && sizes.len() == 50, "{sizes:?}");
        assert_eq!(include_str!("page.css").matches("content-visibility: auto").count(), 1);
    }
}

#[test]
fn further_cases_are_one_line_each_with_failures_last() {
    // Every second case fails: 6,000 of them, of which 3,000 are unfolded.
    let page = of_report(&many(12_000, 2).report()).unwrap();
    assert!(page.len() < 8_000_000, "{}", page.len());
    let (bad, passed) = page.split_once("<details class=\"fold\">").unwrap();
    assert_eq!(bad.matches("<details class=\"case\"").count(), 3_000);
    let line = "<p class=\"case\" id=\"c11998\" data-o=\"failed\" data-s=\"0\" data-g=\"0\" data-t=\"0 1\">support/case-11998: ";
    assert_eq!((bad.matches("<p class=\"case\"").count(), bad.matches(line).count()), (3_000, 1));
    assert_eq!(passed.matches("<p class=\"case\"").count(), 6_000);
    assert!(!passed.contains("<details class=\"case\"") && passed.contains("\">support/case-11999 · score"));
    assert!(page.contains("only the first 3,000 cases can be opened"), "the page must say so");
    tags(&page);
}

#[test]
fn passing_cases_are_folded_under_their_heading() {
    let page = of_report(&many(20, 10).report()).unwrap();
    let heading = |title: &str| page.find(&format!("\">{title} <span class=\"soft\">(")).unwrap();
    let fold = page.find("<details class=\"fold\"><summary><h3").unwrap();
    assert!(heading("Blocking") < fold && fold < heading("Passed"), "{page}");
    assert_eq!(page.matches("<details class=\"fold\">").count(), 1);
    let (_, passed) = page.split_at(fold);
    let (passed, _) = passed.split_once("</section>").unwrap();
    assert_eq!(passed.matches("data-o=\"passed\"").count(), 18);
    assert!(passed.ends_with("</details>"), "{passed}");
}

#[test]
fn the_command_that_accepts_the_failures_is_on_the_page() {
    let mut fixture = Fixture::new();
    let command = "akit baseline accept support/broken";
    assert!(!of_report(&fixture.report()).unwrap().contains(command));
    let compared = fixture.decision.compared.as_mut().unwrap();
    (compared.accept, compared.place) = (vec!["support/broken".to_owned()], "b.json".to_owned());
    let page = of_report(&fixture.report()).unwrap();
    assert!(
        unescaped(&page)
            .contains(&format!("<pre>{command} --reason \"WHY\" --run run.json --baseline b.json</pre>"))
    );
    assert!(
        page.contains("Run this command, and commit the baseline; store this run with --json run.json first"),
        "{page}"
    );
}

#[test]
fn with_earlier_answers_they_stay_under_five_megabytes_too() {
    for (cases, nth, before) in [(2_000, 10, 200), (5_000, 1, 0)] {
        let mut fixture = many(cases, nth);
        let mut run = fixture.run.clone();
        (run.run_id, run.at) = ("earlier".to_owned(), None);
        for reply in run.cases.iter_mut().flat_map(|case| &mut case.trials).filter_map(|one| one.answer_mut())
        {
            reply.text = reply.text.replace("reply", "answer");
        }
        let stored =
            crate::history::StoredRun { file: String::new(), run, conclusion: None, pass_rate: None };
        fixture.past = crate::report::Past::of(&fixture.run, &fixture.decision, [stored]);
        let page = of_report(&fixture.report()).unwrap();
        assert!(page.len() < 5_000_000, "{}", page.len());
        let shown = page.matches("<h4>Answer before</h4>").count();
        assert_eq!(shown, before);
        assert!(page.contains("To save space, "), "the page must say so");
        assert!(shown == 0 || page.contains("<del>answer</del>"));
    }
}

#[test]
fn failing_cases_show_more_than_passing_ones() {
    let fixture = many(600, 10);
    let page = of_report(&fixture.report()).unwrap();
    let longest = |outcome: &str| {
        let cases = page.split("<details ").filter(|one| one.contains(&format!("data-o=\"{outcome}\"")));
        cases.map(|one| one.find("</details>").unwrap()).max().unwrap()
    };
    assert!(longest("failed") > longest("passed"));
}

#[test]
fn cases_are_filtered_by_tag_state_and_scenario() {
    let fixture = many(20, 10);
    let page = of_report(&fixture.report()).unwrap();
    assert!(page.contains("<option value=\"0\">fraud</option>"));
    let tags = attributes(&page, "data-t");
    assert_eq!(tags.len(), 20);
    assert!(tags.iter().all(|one| one.starts_with("0 ")), "{tags:?}");
    assert_eq!(attributes(&page, "aria-pressed"), ["true", "false", "false"], "all, passed and failed");
    assert!(
        page.contains("<button type=\"button\" value=\"failed\" aria-pressed=\"false\">failed 2</button>")
    );
    assert!(page.contains("<select name=\"s\">"), "two states need a filter");
    assert!(!page.contains("<select name=\"g\">"), "one scenario needs no filter");
}

#[test]
fn a_trial_like_an_earlier_one_is_one_line() {
    let page = of_report(&Fixture::new().report()).unwrap();
    let case = page.split("<details ").find(|one| one.contains("support/broken</span>")).unwrap();
    // The first trial, and four confirmations with the same result.
    assert_eq!(case.matches("<h4>Answer</h4>").count(), 1, "{case}");
    assert_eq!(case.matches("same answer and verdict as trial 1").count(), 4, "{case}");
}

#[test]
fn a_deep_verdict_does_not_end_the_report() {
    let mut deep = verdict(VerdictKind::Contains, "x");
    for _ in 0..60 {
        let mut outer = verdict(VerdictKind::Combined, "x");
        outer.parts = vec![deep];
        deep = outer;
    }
    let one = case("support", "deep", Outcome::Failed, vec![trial(0, Outcome::Failed, Some(deep), "x")]);
    let page = of_report(&Fixture::of(vec![one], &Policy::default()).report()).unwrap();
    assert!(tags(&page)["details"] == 1);
}

#[test]
fn the_histogram_counts_every_judged_score_once() {
    let scores = [0.0, 0.05, 0.3, 0.95, 1.0, 1.0];
    let cases = scores.iter().enumerate().map(|(index, score)| {
        let outcome = if *score < 0.5 { Outcome::Failed } else { Outcome::Passed };
        let mut one = case("support", &index.to_string(), outcome, Vec::new());
        one.score = Some(*score);
        one
    });
    let fixture = Fixture::of(cases.collect(), &Policy::default());
    let chart = Chart::of(&fixture.report()).unwrap();
    let bars: Vec<_> = chart.bins.iter().map(|bin| bin.count).collect();
    assert_eq!(bars, [2, 0, 0, 1, 0, 0, 0, 0, 0, 1, 2]);
    assert_eq!(chart.words, "6 scores from 0 to 1; half are 0.95 or more, 2 are 1");
}
