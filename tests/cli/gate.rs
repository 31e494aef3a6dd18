//! The gate end to end: chance, policies, and decisions on stored runs.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;

use super::Akit;
use super::akit::Ran;
use super::server::{Answer, Server};

/// A suite whose cases expect `yes`.
pub(super) fn suite(ids: &[String]) -> String {
    let mut text = "name: s\nprovider: openai\nmodel: m\ncases:\n".to_owned();
    for id in ids {
        writeln!(text, "  - {{ id: {id}, prompt: {id}, expected: {{ type: exact, value: yes }} }}").unwrap();
    }
    text.replace("value: yes", "value: \"yes\"")
}

/// A well-mixed number from 0 to 1 that depends only on its arguments.
fn chance(of: &str, turn: u64) -> f64 {
    let mut state = of.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    state = state.wrapping_add(turn.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    f64::from(u32::try_from((state ^ (state >> 31)) >> 32).unwrap()) / f64::from(u32::MAX)
}

/// An application that answers each prompt correctly with its own probability.
fn application(rates: BTreeMap<String, f64>) -> Server {
    let turns = Mutex::new(BTreeMap::<String, u64>::new());
    Server::start(move |asked| {
        let prompt = asked.last_message();
        let turn = {
            let mut turns = turns.lock().unwrap();
            let turn = turns.entry(prompt.clone()).or_default();
            *turn += 1;
            *turn
        };
        let right = chance(&format!("third draw of {prompt}"), turn) < rates[&prompt];
        Answer::Text(if right { "yes" } else { "no" }.to_owned())
    })
}

/// Twenty cases: one always fails, four pass with 0.8, the others almost always.
fn rates() -> BTreeMap<String, f64> {
    let rate = |index: usize| match index {
        0 => 0.0,
        1..=4 => 0.8,
        _ => 0.995,
    };
    (0..20).map(|index| (format!("case-{index:02}"), rate(index))).collect()
}

#[test]
fn noise_does_not_block_and_one_broken_case_does() {
    let ids: Vec<String> = rates().into_keys().collect();
    let unchanged = application(rates());
    let run = |before: Option<&Ran>, server: &Server, more: &[&str]| {
        let arguments = ["run", "s.yaml", "--cache", "off", "-c", "8", "--base-url", &server.url];
        let akit = before
            .map_or_else(|| Akit::new(&arguments).file("s.yaml", suite(&ids)), |ran| ran.then(&arguments));
        akit.args(more).run()
    };
    let mut ran =
        run(None, &unchanged, &["--repeat", "5", "--min-pass-rate", "0", "--json", "run.json"]).ended(0);
    ran.then(&["baseline", "update", "run.json", "--baseline", "b.json"]).run().ended(0);
    for _ in 0..8 {
        ran = run(Some(&ran), &unchanged, &["--baseline", "b.json"]).ended(0);
        assert!(ran.stdout.contains("RESULT: PASS"), "{}", ran.stdout);
    }
    let mut broken = rates();
    broken.insert("case-10".to_owned(), 0.0);
    let broken = application(broken);
    let ran = run(Some(&ran), &broken, &["--baseline", "b.json", "--json", "run.json"]).ended(1);
    let decision = ran.json("run.json")["decision"].clone();
    let breaches: Vec<_> = decision["breaches"].as_array().unwrap().iter().collect();
    assert_eq!(breaches.len(), 1, "{breaches:#?}");
    assert_eq!(breaches[0]["id"], "regression");
    assert_eq!(breaches[0]["location"]["line"], 15);
    assert!(ran.stdout.contains("times better than an unchanged one"), "{}", ran.stdout);

    // The stored run leads to the same decision without sending anything.
    let asked = broken.asked().len();
    let again =
        ran.then(&["gate", "run.json", "--baseline", "b.json", "--json", "again.json"]).run().ended(1);
    assert_eq!(again.json("again.json")["decision"], decision);
    assert_eq!(broken.asked().len(), asked);
}

fn replies(trials: &[(&str, &[&str])]) -> String {
    let mut text = String::new();
    for (id, answers) in trials {
        for (trial, answer) in answers.iter().enumerate() {
            writeln!(text, "{}", serde_json::json!({ "id": id, "trial": trial, "reply": answer })).unwrap();
        }
    }
    text
}

/// Two cases with a baseline of two runs with one passing trial each; `now` has their answers.
fn judged(config: &str, now: &[(&str, &[&str])], more: &[&str]) -> Ran {
    let ids = ["a".to_owned(), "b".to_owned()];
    let ran = Akit::new(&["run", "s.yaml", "--replies", "then.jsonl", "--repeat", "6", "--json", "run.json"])
        .file("s.yaml", suite(&ids).replace("id: a,", "id: a, tags: [fraud],"))
        .file("then.jsonl", replies(&[("a", &["yes"; 6]), ("b", &["yes"; 6])]))
        .run()
        .ended(0);
    ran.then(&["baseline", "update", "run.json", "--baseline", "b.json"]).run().ended(0);
    ran.then(&["run", "s.yaml", "--replies", "now.jsonl", "--json", "now.json"])
        .args(more)
        .file("akit.yaml", config)
        .file("now.jsonl", replies(now))
        .run()
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn texts_and_exit_codes_of_the_policies() {
    type Row<'a> = (&'a str, &'a [(&'a str, &'a [&'a str])], &'a [&'a str], i32, &'a str, &'a str);
    let against = "gate: { baseline: { from: b.json } }\n";
    let strict = "gate: { policy: strict, baseline: { from: b.json } }\n";
    let (yes, no): (&[&str], &[&str]) = (&["yes"; 5], &["no"; 5]);
    let table: &[Row<'_>] = &[
        (against, &[("a", yes), ("b", yes)], &[], 0, "PASS", ""),
        (against, &[("a", no), ("b", yes)], &[], 1, "FAIL", "regression"),
        (against, &[("a", &["no"]), ("b", yes)], &[], 5, "INCONCLUSIVE", "unconfirmed"),
        (
            "gate: { baseline: { from: b.json, unconfirmed: inconclusive } }\n",
            &[("a", &["no"]), ("b", yes)],
            &[],
            5,
            "INCONCLUSIVE",
            "unconfirmed",
        ),
        (
            "gate: { baseline: { from: b.json, unconfirmed: fail } }\n",
            &[("a", &["no"]), ("b", yes)],
            &[],
            1,
            "FAIL",
            "unconfirmed",
        ),
        (
            "gate: { baseline: { from: b.json, unconfirmed: warn } }\n",
            &[("a", &["no"]), ("b", yes)],
            &[],
            0,
            "INCONCLUSIVE",
            "unconfirmed",
        ),
        (
            "gate: { baseline: { from: b.json, unconfirmed: warn } }\n",
            &[("a", &["no"]), ("b", &["no"])],
            &[],
            1,
            "FAIL",
            "suite-regression",
        ),
        (
            "gate: { baseline: { from: b.json, unconfirmed: warn }, critical: [\"s/a\"] }\n",
            &[("a", &["no"]), ("b", yes)],
            &[],
            1,
            "FAIL",
            "critical",
        ),
        (against, &[("a", &["no"]), ("b", yes)], &["--strict"], 5, "INCONCLUSIVE", "unconfirmed"),
        (
            against,
            &[("a", &["no"]), ("b", yes)],
            &["--strict", "--soft-fail"],
            0,
            "INCONCLUSIVE",
            "unconfirmed",
        ),
        (against, &[("a", &["no"]), ("b", yes)], &["--confirm", "0"], 1, "FAIL", "regression"),
        (against, &[("a", no), ("b", yes)], &["--soft-fail"], 0, "FAIL", "regression"),
        (against, &[("a", &["no", "yes", "yes"]), ("b", yes)], &[], 0, "PASS", ""),
        (against, &[("a", &["no", "yes"]), ("b", yes)], &[], 0, "PASS", ""),
        (against, &[("a", &["no", "yes", "yes"]), ("b", yes)], &["--fail-on", "flaky"], 1, "FAIL", "cleared"),
        (against, &[("a", no), ("b", &[])], &[], 1, "FAIL", "regression"),
        (against, &[("a", yes), ("b", &[])], &[], 4, "ERROR", "errors"),
        (against, &[("a", yes), ("b", &[])], &["--max-error-rate", "0.5"], 5, "INCONCLUSIVE", "unconfirmed"),
        (strict, &[("a", yes), ("b", yes)], &[], 0, "PASS", ""),
        (strict, &[("a", &["no", "yes", "yes", "no"]), ("b", yes)], &[], 5, "INCONCLUSIVE", "not-shown"),
        (strict, &[("a", &["no", "no", "yes"]), ("b", yes)], &[], 5, "INCONCLUSIVE", "not-cleared"),
        (
            "gate: { baseline: { from: c.json } }\n",
            &[("a", yes), ("b", yes)],
            &[],
            4,
            "ERROR",
            "baseline-missing",
        ),
        (
            "gate: { baseline: { from: c.json, missing: warn } }\n",
            &[("a", yes), ("b", yes)],
            &[],
            0,
            "PASS",
            "",
        ),
        (
            "gate: { baseline: { from: c.json, missing: fail } }\n",
            &[("a", yes), ("b", yes)],
            &[],
            4,
            "ERROR",
            "baseline-missing",
        ),
        (
            "gate: { thresholds: [{ metric: fraud_recall, min: 1 }] }\n",
            &[("a", no), ("b", yes)],
            &[],
            1,
            "FAIL",
            "threshold",
        ),
        ("gate: { min_pass_rate: 0.5 }\n", &[("a", no), ("b", yes)], &[], 0, "PASS", ""),
        (
            "gate: { min_pass_rate: 0.5, critical: [\"s/a\"] }\n",
            &[("a", no), ("b", yes)],
            &[],
            1,
            "FAIL",
            "critical",
        ),
        (
            "gate: { min_pass_rate: 0.5, critical: [{ tags: [fraud] }] }\n",
            &[("a", &["no", "yes", "yes", "yes", "yes"]), ("b", yes)],
            &[],
            0,
            "PASS",
            "",
        ),
        (
            "repeat: 2\ngate: { thresholds: [{ metric: flaky_rate, max: 0 }, { metric: pass_rate, min: 0 }] }\n",
            &[("a", &["yes", "no"]), ("b", yes)],
            &[],
            1,
            "FAIL",
            "threshold",
        ),
        (
            "gate: { thresholds: [{ metric: fraud_recall, min: 0 }] }\n",
            &[("a", yes), ("b", no)],
            &[],
            1,
            "FAIL",
            "case-failed",
        ),
        (
            "gate: { thresholds: [{ metric: pass_rate, max: 1 }] }\n",
            &[("a", yes), ("b", no)],
            &[],
            1,
            "FAIL",
            "case-failed",
        ),
        ("gate: { max_error_rate: 1 }\n", &[("a", &[]), ("b", &[])], &[], 4, "ERROR", "errors"),
        (
            "gate: { max_error_rate: 1, critical: [\"s/a\"] }\n",
            &[("a", &[]), ("b", yes)],
            &[],
            4,
            "ERROR",
            "errors",
        ),
        (
            "gate: { max_error_rate: 1, policy: strict, baseline: { from: b.json } }\n",
            &[("a", &[]), ("b", yes)],
            &[],
            4,
            "ERROR",
            "errors",
        ),
        ("gate: { policy: strict }\n", &[("a", yes), ("b", yes)], &[], 5, "INCONCLUSIVE", "baseline-missing"),
        (against, &[("a", no), ("b", yes)], &["--repeat", "5"], 1, "FAIL", "regression"),
        (
            "gate: { min_pass_rate: 0 }\n",
            &[("a", no), ("b", yes)],
            &["--fail-fast", "-c", "1"],
            4,
            "ERROR",
            "cut-short",
        ),
        (
            "gate: { thresholds: [{ metric: cost_usd, max: 1 }] }\n",
            &[("a", yes), ("b", yes)],
            &[],
            4,
            "ERROR",
            "not-measured",
        ),
    ];
    for (config, now, more, status, word, breach) in table {
        let ran = judged(config, now, more).ended(*status);
        let decision = &ran.json("now.json")["decision"];
        let first = decision["breaches"][0]["id"].as_str().unwrap_or_default();
        assert_eq!(
            (decision["ruling"].as_str().unwrap(), first),
            (*word, *breach),
            "{config} {now:?} {more:?}"
        );
    }
}

#[test]
fn invalid_policies_are_reported_at_their_line_before_anything_is_sent() {
    for (config, message, place) in [
        (
            "gate: { thresholds: [{ metric: pass_rat, min: 1 }] }",
            "unknown metric `pass_rat`",
            "akit.yaml:1:32",
        ),
        ("gate: { thresholds: [{ metric: pass_rate }] }", "has no limit", "akit.yaml:1:32"),
        ("gate: { critical: [{ tags: [fraud], case: \"s/b\" }] }", "no case has the", "akit.yaml:1:"),
        (
            "gate: { thresholds: [{ metric: pass_rate, tags: [froud], min: 1 }] }",
            "did you mean `fraud`?",
            "akit.yaml:1:50",
        ),
        (
            "gate: { thresholds: [{ metric: froud_recall, min: 1 }] }",
            "did you mean `fraud`?",
            "akit.yaml:1:32",
        ),
        ("gate: { critical: [\"s/x\"] }", "no case has the case `s/x`", "akit.yaml:1:20"),
        ("gate: { critical: { tags: [x] } }", "`critical` must be a list", "akit.yaml:1:19"),
        ("gate: { critical: [{}] }", "selects nothing", "akit.yaml:1:20"),
        ("gate: { fail_on: [flakey] }", "did you mean `flaky`?", "akit.yaml:1:19"),
        ("gate: { polizy: strict }", "did you mean `policy`?", "akit.yaml:1:9"),
        ("gate: { baseline: { confirm: -1 } }", "`confirm`", "akit.yaml:1:30"),
        (
            "gate: { baseline: { confirm: 1001 } }",
            "`confirm` must be at most 1000, found 1001",
            "akit.yaml:1:21",
        ),
        ("gate: { baseline: { confirm: 5000000000 } }", "found 5000000000", "akit.yaml:1:21"),
        (
            "gate: { thresholds: [{ metric: error_rate, max: 5 }] }",
            "`error_rate` must be from 0 to 1",
            "akit.yaml:1:44",
        ),
        (
            "gate: { thresholds: [{ metric: fraud_recall, max: 1, min: 95 }] }",
            "`fraud_recall` must be from",
            "akit.yaml:1:54",
        ),
        ("gate: { thresholds: [{ metric: score_mean, min: -0.1 }] }", "must be from", "akit.yaml:1:44"),
        ("gate: { quarantine: q.yaml }", "invalid date", "q.yaml:1:"),
        ("gate: { quarantine: none.yaml }", "cannot read the quarantine", "akit.yaml:1:21"),
        ("prices: { m: { input: 1 } }", "needs `output`", "akit.yaml:1:"),
    ] {
        let ran = Akit::new(&["run", "s.yaml", "--replies", "r.jsonl"])
            .file("akit.yaml", config)
            .file("q.yaml", "- { case: s/a, owner: me, reason: known, until: soon }\n")
            .file("s.yaml", suite(&["a".to_owned()]).replace("id: a,", "id: a, tags: [fraud],"))
            .file("r.jsonl", replies(&[("a", &["yes"])]))
            .run()
            .ended(2)
            .err(message);
        assert!(ran.stderr.contains(place), "{place} in {}", ran.stderr);
    }
}

#[test]
fn a_quarantine_expires() {
    // It lasts through its last day (UTC).
    for (day, status) in [("0", 0), ("32503679999", 0), ("32503680000", 1)] {
        Akit::new(&["run", "s.yaml", "--replies", "r.jsonl"])
            .file("akit.yaml", "gate: { quarantine: q.yaml }\n")
            .file("q.yaml", "- { case: s/a, owner: me, reason: known, until: 2999-12-31 }\n")
            .file("s.yaml", suite(&["a".to_owned(), "b".to_owned()]))
            .file("r.jsonl", replies(&[("a", &["no"]), ("b", &["yes"])]))
            .env("SOURCE_DATE_EPOCH", day)
            .run()
            .ended(status);
    }
}

#[test]
fn a_replay_sends_nothing_and_uses_recorded_confirmations() {
    let server = application([("a".to_owned(), 1.0), ("b".to_owned(), 0.0)].into());
    let good = application([("a".to_owned(), 1.0), ("b".to_owned(), 1.0)].into());
    let ids = ["a".to_owned(), "b".to_owned()];
    let ran = Akit::new(&[
        "run",
        "s.yaml",
        "--cache",
        "off",
        "--repeat",
        "4",
        "--json",
        "run.json",
        "--base-url",
        &good.url,
    ])
    .file("s.yaml", suite(&ids))
    .run()
    .ended(0);
    ran.then(&["baseline", "update", "run.json", "--baseline", "b.json"]).run().ended(0);
    let now = [
        "run",
        "s.yaml",
        "--baseline",
        "b.json",
        "--base-url",
        &server.url,
        "--target-version",
        "2",
        "--json",
    ];
    let live = ran.then(&now).args(&["live.json"]).run().ended(1).out("3 of 3 extra trials failed");
    let asked = server.asked().len();
    let replay =
        live.then(&now).args(&["replay.json", "--replay"]).run().ended(1).out("3 of 3 extra trials failed");
    assert_eq!(server.asked().len(), asked);
    let (replay_decision, live_decision) =
        (replay.json("replay.json")["decision"].clone(), live.json("live.json")["decision"].clone());
    for part in ["ruling", "breaches", "cases", "counts", "summary"] {
        assert_eq!(replay_decision[part], live_decision[part], "{part}");
    }
    assert_eq!(replay_decision["power"]["recorded"], 5);
    // Records of confirmations count as used, like those of other trials.
    let unused = ["cache", "prune", "--unused", "--dry-run", "s.yaml", "--base-url", &server.url];
    let unused = [&unused[..], &["--target-version", "2"]].concat();
    let kept = replay.then(&unused).run().ended(0);
    assert!(kept.stdout.starts_with("0 files"), "{}", kept.stdout);
}

#[test]
fn a_selection_is_judged_by_the_whole_suites_policy() {
    let run = |path: &str, config: &str| {
        Akit::new(&["run", path, "--replies", "r.jsonl"])
            .file("akit.yaml", config)
            .file("scenarios/one.yaml", suite(&["a".to_owned()]))
            .file("scenarios/two.yaml", suite(&["b".to_owned()]).replace("name: s", "name: two"))
            .file("r.jsonl", replies(&[("a", &["yes"]), ("b", &["yes"])]))
            .run()
    };
    let config = "gate: { critical: [\"two/b\"] }\n";
    run("scenarios/one.yaml", config).ended(0);
    run("scenarios", config).ended(0);
    run("scenarios/one.yaml", "gate: { critical: [\"two/c\"] }\n").ended(2).err("did you mean `two/b`?");
}
