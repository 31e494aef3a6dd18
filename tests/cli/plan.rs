//! `akit plan`: which drop a run could detect, and what more would cost.

use super::Akit;
use super::akit::Ran;
use super::replies::{replies, suite};
use super::schema::assert_matches;
use super::server::{Answer, Server};

fn ids(n: usize) -> Vec<String> {
    (0..n).map(|n| format!("c{n}")).collect()
}

fn plan(n: usize, arguments: &[&str]) -> Ran {
    let ids = ids(n);
    let ids: Vec<_> = ids.iter().map(String::as_str).collect();
    Akit::new(&["plan", "s.yaml", "--json", "plan.json"]).args(arguments).file("s.yaml", suite(&ids)).run()
}

#[test]
fn cases_and_repeats_that_a_drop_needs() {
    let ran = plan(50, &["--detect", "3pp"])
        .ended(0)
        .out("even 20 trials of each detect no less than 3.1 points. It needs 819 cases asked once.")
        .out("detects a drop of");
    let found = ran.json("plan.json");
    assert_eq!(found["schema"], "akit.plan/1");
    assert_matches(&found, "plan.json");
    assert_eq!((&found["more_cases"]["cases"], &found["more_repeats"]), (&819.into(), &().into()));
    assert!((found["now"]["detectable"].as_f64().unwrap() - 0.123).abs() < 1e-3);
    assert_eq!((&found["discordance_measured"], &found["unlucky"]), (&false.into(), &().into()));
    assert!(found["now"]["cost_usd"].is_null());
    for drop in ["3%", "0.03"] {
        assert_eq!(plan(50, &["--detect", drop]).ended(0).json("plan.json"), found, "{drop}");
    }
    // Selection and repeats count.
    let few = plan(50, &["--detect", "10%", "--filter", "c1*", "--repeat", "12"]).ended(0);
    assert_eq!(
        (&few.json("plan.json")["cases"], &few.json("plan.json")["now"]["calls"]),
        (&11.into(), &132.into())
    );
    few.out("The run as planned detects a drop of 10.0 points.");
    plan(4, &["--detect", "3pp"]).ended(0).out(
        "cannot be detected with these cases: even 20 trials of each detect no less than 13.5 points. It needs 880 cases",
    );
    plan(4, &[]).ended(0).out("4 cases; none has a baseline");
}

#[test]
fn an_impossible_drop_is_wrong_usage() {
    for (drop, why) in [
        ("0", "is not above 0"),
        ("0pp", "is not above 0"),
        ("-3pp", "is not above 0"),
        ("51pp", "more than 50 points"),
        ("3", "more than 50 points"),
        ("many", "for example `3pp`"),
    ] {
        let ran = plan(2, &[&format!("--detect={drop}")]).ended(2).err(why);
        assert!(ran.stdout.is_empty() && !ran.path("plan.json").exists());
    }
    plan(2, &["--case", "nobody"]).ended(3);
    plan(2, &["-t", "nowhere"]).ended(3).err("no case matches");
    plan(2, &["--repeat", "0"]).ended(2);
}

#[test]
fn a_baseline_provides_noise_cost_and_time_and_nothing_is_sent() {
    let server = Server::start(|asked| Answer::Text(asked.last_message()));
    let names = ids(4);
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let config = "prices: { m: { input: 1000, output: 2000 } }\n";
    let ran = Akit::new(&[
        "run",
        "s.yaml",
        "-m",
        "m",
        "--base-url",
        &server.url,
        "--repeat",
        "3",
        "--json",
        "run.json",
    ])
    .file("s.yaml", suite(&names))
    .file("akit.yaml", config)
    .run()
    .ended(0);
    ran.then(&["baseline", "update", "run.json", "--baseline", "b.json"]).run().ended(0);
    let asked = server.asked().len();
    assert_eq!(asked, 12);
    let planned = ran
        .then(&[
            "plan",
            "s.yaml",
            "--baseline",
            "b.json",
            "--detect",
            "5pp",
            "-c",
            "2",
            "--json",
            "plan.json",
        ])
        .run()
        .ended(0)
        .out("4 are in the baseline, with 3 trials each")
        .out("measured in the baseline")
        .out("a break is proven by 4 extra trials that fail in a row.")
        .out("Time is at `-c 2`");
    let found = planned.json("plan.json");
    assert_eq!((&found["broken"]["proven"], &found["broken"]["failing_trials"]), (&4.into(), &4.into()));
    // Ten tokens in and five out cost two cents per answer; extra trials come on top.
    let (cost, fresh) =
        (found["now"]["cost_usd"].as_f64().unwrap(), found["now"]["fresh"][0].as_f64().unwrap());
    assert!((cost - 0.02 * (4.0 + fresh)).abs() < 1e-9 && fresh > 0.0 && fresh < 1.0, "{found}");
    assert!(found["now"]["time_ms"].as_f64().is_some());
    assert_eq!(server.asked().len(), asked, "nothing may be sent");

    // A case whose question changed is unknown.
    let edited = suite(&names).replacen("Say", "Please say", 1);
    ran.then(&["plan", "s.yaml", "--baseline", "b.json"])
        .file("s.yaml", edited)
        .run()
        .ended(0)
        .out("3 are in the baseline")
        .out("For 1 case there is no baseline");
    ran.then(&["plan", "s.yaml", "--baseline", "nowhere.json"])
        .run()
        .ended(0)
        .err("regressions are not checked");
    ran.then(&["plan", "s.yaml", "--baseline", "r.json"]).file("r.json", "[]").run().ended(4);
}

#[test]
fn one_failure_proves_a_regression_of_a_deterministic_application() {
    let ran = Akit::new(&["run", "s.yaml", "--replies", "r.jsonl", "--json", "run.json"])
        .file("s.yaml", suite(&["a", "b"]))
        .file("r.jsonl", replies(&[("a", "a"), ("b", "no")]))
        .run()
        .ended(1);
    ran.then(&["baseline", "update", "run.json", "--baseline", "b.json", "--force"]).run().ended(0);
    let plan =
        |more: &[&str]| ran.then(&["plan", "s.yaml", "--baseline", "b.json"]).args(more).run().ended(0);
    plan(&["--confirm", "0"])
        .out("For 1 case, a break is proven by one failure (`confirm: 0`).")
        .out("1 case failed too often before");
    plan(&[]).out("the baseline is thin").out("runs up to 20 times");
    // With the data on stdout, the page is not printed.
    let data = plan(&["--json", "-"]).err("detects a drop of");
    assert!(serde_json::from_str::<serde_json::Value>(&data.stdout).is_ok(), "{}", data.stdout);
}
