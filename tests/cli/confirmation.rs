//! While failures are being confirmed, between the first answers and the decision: budget, deadline, a failing
//! provider, Ctrl-C.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::Akit;
use super::akit::Ran;
use super::server::{Answer, Server};
use super::signal::{end, send_twice};

/// Cases `a` and `b`; both expect `yes`.
const SUITE: &str = "name: s\nmaxTokens: 5\ncases:\n  - { id: a, prompt: a, expected: { type: exact, value: \"yes\" } }\n  \
    - { id: b, prompt: b, expected: { type: exact, value: \"yes\" } }\n";

/// An answer costs 0.01 USD, which is also the most it can cost.
const PRICES: &str = "prices: { m: { input: 0, output: 2000 } }\n";

/// A server that answers `b` correctly; the answer to `a` depends on its turn, from 0 on.
fn server(a: impl Fn(usize) -> Answer + Send + Sync + 'static) -> Server {
    let turns = Mutex::new(BTreeMap::<String, usize>::new());
    Server::start(move |asked| {
        let prompt = asked.last_message();
        let turn = {
            let mut turns = turns.lock().unwrap();
            let turn = turns.entry(prompt.clone()).or_default();
            *turn += 1;
            *turn - 1
        };
        if prompt == "a" { a(turn) } else { text("yes") }
    })
}

fn text(text: &str) -> Answer {
    Answer::Text(text.to_owned())
}

fn broken() -> Answer {
    Answer::Raw(500, Vec::new(), Vec::new())
}

/// A folder with a baseline in which both cases passed six times.
fn settled() -> Ran {
    let reply = |id: &str, trial| format!("{{\"id\":\"{id}\",\"trial\":{trial},\"reply\":\"yes\"}}\n");
    let replies: String = (0..6).flat_map(|trial| [reply("a", trial), reply("b", trial)]).collect();
    let ran = Akit::new(&["run", "s.yaml", "--replies", "r.jsonl", "--repeat", "6", "--json", "then.json"])
        .file("s.yaml", SUITE)
        .file("akit.yaml", PRICES)
        .file("r.jsonl", replies)
        .run()
        .ended(0);
    ran.then(&["baseline", "update", "then.json", "--baseline", "b.json"]).run().ended(0);
    ran
}

/// The run under test, with one request at a time.
fn now(ran: &Ran, server: &Server, more: &[&str]) -> Akit {
    let arguments = [
        "run",
        "s.yaml",
        "-m",
        "m",
        "-c",
        "1",
        "--retries",
        "0",
        "--baseline",
        "b.json",
        "--json",
        "now.json",
    ];
    ran.then(&arguments).args(&["--base-url", &server.url]).args(more)
}

/// The ids of the decision's findings.
fn findings(ran: &Ran) -> Vec<String> {
    let decision = ran.json("now.json")["decision"].clone();
    let ids = decision["breaches"].as_array().unwrap().iter();
    ids.map(|breach| breach["id"].as_str().unwrap().to_owned()).collect()
}

/// How many extra trials of `a` could be judged.
fn judged_extra_trials(ran: &Ran) -> usize {
    let run = ran.json("now.json");
    let trials = run["cases"][0]["trials"].as_array().unwrap().iter();
    trials.filter(|trial| trial["confirmation"] == true && trial["outcome"] != "errored").count()
}

#[test]
fn a_budget_that_ends_before_a_proof_is_exit_code_six() {
    let ran = settled();
    // Two answers, then extra trials of `a`. Compared with six of six, one failure proves nothing and two do.
    for (budget, status, asked, ids) in [
        ("0.025", 6, 0, &["budget", "unconfirmed"][..]),
        ("0.035", 6, 1, &["budget", "open"]),
        ("0.045", 1, 2, &["regression"]),
        ("1", 1, 2, &["regression"]),
    ] {
        let failing = server(|_| text("no"));
        let done = now(&ran, &failing, &["--budget", budget]).run().ended(status);
        assert_eq!(
            (judged_extra_trials(&done), findings(&done)),
            (asked, ids.iter().map(ToString::to_string).collect()),
            "{budget}"
        );
        assert_eq!(failing.asked().len(), 2 + asked, "{budget}");
        // The stored run leads to the same decision.
        done.then(&["gate", "now.json", "--baseline", "b.json"]).run().ended(status);
    }
    // The budget is spent, but nothing is left to ask.
    let fine = server(|_| text("yes"));
    now(&ran, &fine, &["--budget", "0.025"]).run().ended(0);
}

#[test]
fn a_deadline_while_failures_are_confirmed_is_exit_code_six() {
    let slow = server(|turn| if turn < 2 { text("no") } else { Answer::Hang });
    let done = now(&settled(), &slow, &["--deadline", "2500ms"])
        .run()
        .ended(6)
        .out("the run hit its deadline before all trials were asked");
    assert_eq!(
        (judged_extra_trials(&done), findings(&done)),
        (1, vec!["deadline".to_owned(), "open".to_owned()])
    );
    assert_eq!(done.json("now.json")["ended"], "deadline");
}

#[test]
fn a_provider_that_fails_while_confirming_is_retried_and_then_an_error() {
    let ran = settled();
    // The provider recovers, and the case is either broken or was unlucky.
    let failing = server(|turn| if turn == 1 { broken() } else { text("no") });
    let done = now(&ran, &failing, &[]).run().ended(1).out("2 of 2 extra trials failed");
    assert_eq!((judged_extra_trials(&done), failing.asked().len()), (2, 5));
    let lucky = server(|turn| match turn {
        0 => text("no"),
        1 | 2 => broken(),
        _ => text("yes"),
    });
    let done = now(&ran, &lucky, &[]).run().ended(0).out("RESULT: PASS");
    assert!(judged_extra_trials(&done) > 0);
    // The provider does not recover: after as many tries as extra trials, the run could not be judged.
    let down = server(|turn| if turn == 0 { text("no") } else { broken() });
    let done =
        now(&ran, &down, &[]).run().ended(4).out("RESULT: ERROR").out("20 extra trials could not be judged");
    assert_eq!(
        (judged_extra_trials(&done), down.asked().len(), findings(&done)),
        (0, 22, vec!["unconfirmed".to_owned()])
    );
    assert_eq!(done.json("now.json")["cases"][0]["outcome"], "failed");
    // Once the regression is proven, later errors do not matter.
    let late = server(|turn| if turn < 3 { text("no") } else { broken() });
    now(&ran, &late, &[]).run().ended(1).out("2 of 2 extra trials failed");
}

#[test]
fn a_signal_while_failures_are_confirmed_leaves_reports_that_say_so() {
    let ran = settled();
    for (signal, status, word) in [("-INT", 130, "interrupted"), ("-TERM", 143, "terminated")] {
        let hanging = server(|turn| if turn < 2 { text("no") } else { Answer::Hang });
        let akit = now(&ran, &hanging, &["--junit", "r.xml", "--sarif", "r.sarif", "--markdown", "r.md"]);
        let child = akit.command().spawn().unwrap();
        hanging.wait_for(4);
        send_twice(&child, signal);
        let output = end(child);
        let done = akit
            .ran(output)
            .ended(status)
            .err(&format!("{word}: sending nothing more"))
            .out(&format!("the run was {word} before it finished"))
            .out("1 passed, 1 failed, 0 errored, 0 skipped");
        assert_eq!(findings(&done), ["interrupted", "open"]);
        let open = &done.json("now.json")["decision"]["breaches"][1];
        assert!(open["message"].as_str().unwrap().contains("1 of 1 extra trial failed: none passed"));
        assert_eq!((judged_extra_trials(&done), done.json("now.json")["ended"].as_str()), (1, Some(word)));
        assert_eq!(done.json("r.sarif")["runs"][0]["invocations"][0]["executionSuccessful"], false);
        for report in ["r.md", "r.xml"] {
            assert!(done.read(report).contains(word), "{}", done.read(report));
        }
        assert_eq!(hanging.asked().len(), 4, "nothing more may be sent");
    }
}

#[test]
fn cases_without_extra_trials_are_reported_by_kind() {
    let known: Vec<String> = (0..12).map(|n| format!("k{n:02}")).collect();
    let suite = |ids: &[String]| -> String {
        let case =
            |id| format!("  - {{ id: {id}, prompt: {id}, expected: {{ type: exact, value: \"yes\" }} }}\n");
        format!("name: s\ncases:\n{}", ids.iter().map(case).collect::<String>())
    };
    let replies = |ids: &[String], no: &[&str]| -> String {
        let reply = |id: &String| {
            let answer = if no.contains(&id.as_str()) { "no" } else { "yes" };
            format!("{{\"id\":\"{id}\",\"reply\":\"{answer}\"}}\n")
        };
        ids.iter().map(reply).collect()
    };
    let run = ["run", "s.yaml", "--replies", "r.jsonl", "--json", "run.json"];
    let ran =
        Akit::new(&run).file("s.yaml", suite(&known)).file("r.jsonl", replies(&known, &[])).run().ended(0);
    ran.then(&["baseline", "update", "run.json", "--baseline", "b.json"]).run().ended(0);
    let summary = |no: &[&str], new: &[&str]| {
        let ids = [known.clone(), new.iter().map(ToString::to_string).collect()].concat();
        let done = ran
            .then(&run)
            .args(&["--strict", "--baseline", "b.json"])
            .file("s.yaml", suite(&ids))
            .file("r.jsonl", replies(&ids, no))
            .run()
            .ended(5);
        done.json("run.json")["decision"]["summary"].as_str().unwrap().to_owned()
    };
    let new = "2 new or changed cases passed too few times for the strict policy";
    let none = "and no extra trials were possible";
    let out = "add more answers, or run live (exit code 5)";
    assert_eq!(summary(&["k00", "k01"], &[]), format!("2 cases may have broken, {none}; {out}"));
    assert_eq!(summary(&[], &["x", "y"]), format!("{new}, {none}; {out}"));
    assert_eq!(summary(&["k00"], &["x", "y"]), format!("1 case may have broken, {new}, {none}; {out}"));
}
