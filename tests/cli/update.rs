//! `akit baseline update`: which results a baseline accepts, decided by comparing the run with it.

use serde_json::{Value as Json, json};

use super::akit::Ran;
use super::evidence::{IDS, given, settled};

/// `id results` of each stored case.
fn results(ran: &Ran) -> Vec<String> {
    let stored = ran.json("b.json");
    let cases = stored["cases"].as_array().unwrap();
    cases.iter().map(|case| format!("{} {}", case["id"], case["results"]).replace('"', "")).collect()
}

const UPDATE: [&str; 5] = ["baseline", "update", "x.json", "--baseline", "b.json"];
const ALONE: [&str; 6] = ["run", "s.yaml", "--replies", "bad.jsonl", "--json", "x.json"];

#[test]
fn a_run_without_a_baseline_adds_no_unexpected_failures() {
    let ran = settled(8);
    for with_decision in [true, false] {
        let ran = ran.then(&ALONE).file("bad.jsonl", given(&IDS, 0..1, &["a"])).run().ended(1);
        if !with_decision {
            let mut run = ran.json("x.json");
            run.as_object_mut().unwrap().remove("decision");
            run["run_id"] = "1111111111111111".into();
            std::fs::write(ran.path("x.json"), run.to_string()).unwrap();
        }
        ran.then(&UPDATE).run().ended(0).out("left out, broken, open or degraded (1): s/a");
        let now = ran.then(&ALONE).args(&["--baseline", "b.json"]).run().ended(5);
        assert_eq!(now.json("x.json")["decision"]["cases"][0]["state"], "unconfirmed");
    }
    assert_eq!(results(&ran), ["a 8/8", "b 8/8 1x2", "c 8/8 1x2", "d 8/8 1x2"]);
}

#[test]
fn an_update_uses_the_policys_proof() {
    let ran = settled(8);
    // With more answers the regression is proven; the second run has none, and its policy needs none.
    for (trials, gate) in [(20, "{}"), (1, "{ baseline: { confirm: 0 } }")] {
        let repeat = ["--repeat", &trials.to_string()];
        let ran = ran.then(&ALONE).args(&repeat).file("bad.jsonl", given(&IDS, 0..trials, &["a"]));
        let ran = ran.run().ended(1);
        let refused = ran.then(&UPDATE).file("akit.yaml", format!("gate: {gate}\n")).run().ended(1);
        refused.err("regressed").err("`--force`");
        ran.then(&UPDATE)
            .file("other.yaml", "gate: { fail_on: [threshold], min_pass_rate: 0.5 }\n")
            .args(&["--config", "other.yaml"])
            .run()
            .ended(0);
        assert!(results(&ran)[0] == "a 8/8", "{:?}", results(&ran));
    }
    ran.then(&UPDATE).file("akit.yaml", "gate: [\n").run().ended(2).err("akit.yaml");
}

#[test]
fn broken_cases_are_left_out_even_if_the_policy_only_warns() {
    let ran = settled(8).then(&ALONE).file("bad.jsonl", given(&IDS, 0..20, &["a"]));
    let ran = ran
        .file("akit.yaml", "gate: { fail_on: [threshold], min_pass_rate: 0.5, baseline: { from: b.json } }\n")
        .run()
        .ended(0)
        .out("broken");
    ran.then(&UPDATE).run().ended(0).out("left out, broken, open or degraded (1): s/a");
    assert_eq!(results(&ran), ["a 8/8", "b 8/8 1", "c 8/8 1", "d 8/8 1"]);
    // What was added stays; the rest of the run already exists.
    ran.then(&UPDATE).run().ended(0).out("is already in it");
    ran.then(&UPDATE).arg("--force").run().ended(0).out("is already in it");
}

#[test]
fn a_future_time_is_refused_in_flags_and_ignored_in_files() {
    let ran = settled(1);
    for (at, words) in [
        ("2999-01-01T00:00:00Z", "in the future: 2999-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59-23:59", "not a valid time: 9999-12-31T23:59:59-23:59"),
    ] {
        let run = || ran.then(&ALONE).file("bad.jsonl", given(&IDS, 0..1, &[]));
        run().args(&["--recorded-at", at]).run().ended(2).err(words);
        let line = json!({ "id": "e", "reply": "e", "at": at }).to_string();
        run().file("bad.jsonl", given(&IDS, 0..1, &[]) + &line).run().ended(2).err(words).err("bad.jsonl:5");
    }
    // Written by hand, or by a wrong clock.
    let mut stored: Json = ran.json("b.json");
    stored["runs"][0]["at"] = "2999-01-01T00:00:00Z".into();
    std::fs::write(ran.path("b.json"), stored.to_string()).unwrap();
    for day in 1..=9 {
        let at = format!("2026-01-0{day}T00:00:00Z");
        let run = ran.then(&ALONE).args(&["--baseline", "b.json", "--recorded-at", &at]);
        let run = run.file("bad.jsonl", given(&IDS, 0..1, &[])).run().ended(0);
        let update = run.then(&UPDATE).run().ended(0);
        if day == 1 {
            run.err("b.json: ignored the time of run").err("at 2999-01-01T00:00:00Z, which is in the future");
            update.err("which is in the future");
        }
    }
    assert_eq!(results(&ran)[0], "a 1x10");
    // The time of a run that is added counts as well.
    let run = ran.then(&ALONE).file("bad.jsonl", given(&IDS, 0..1, &[])).run().ended(0);
    let mut stored = run.json("x.json");
    stored["at"] = "2999-01-01T00:00:00Z".into();
    stored["run_id"] = "1111111111111111".into();
    std::fs::write(ran.path("x.json"), stored.to_string()).unwrap();
    run.then(&UPDATE).run().ended(0).err("its time 2999-01-01T00:00:00Z is in the future and is ignored");
    assert_eq!((ran.read("b.json").contains("2999"), results(&ran)[0].as_str()), (false, "a 1x11"));
}

#[test]
fn the_time_of_a_line_applies_only_to_that_line() {
    let ran = settled(1);
    let dated = |id: &str, day: &str| {
        json!({ "id": id, "reply": id, "at": format!("2026-03-{day}T00:00:00Z") }).to_string()
    };
    let run = |day: &str, more: &[&str]| {
        let lines = format!("{}{}\n", given(&["b", "c", "d"], 0..1, &[]), dated("a", day));
        let ran = ran.then(&ALONE).args(more).file("bad.jsonl", lines).run().ended(0);
        ran.then(&UPDATE).run().ended(0)
    };
    run("01", &[]).out("left out, because their answers have no `at`").out("(3): s/b, s/c, s/d");
    run("02", &[]);
    assert_eq!(results(&ran), ["a 1x3", "b 1", "c 1", "d 1"]);
    // The flag dates all lines.
    run("03", &["--recorded-at", "2026-03-03T00:00:00Z"]).out("added 4 judged cases");
    assert_eq!(results(&ran), ["a 1x4", "b 1 -x2 1", "c 1 -x2 1", "d 1 -x2 1"]);
}
