//! Accepting an intended change: the printed command is enough, and where no command can accept it, the output says
//! so.

use serde_json::{Value as Json, json};

use super::Akit;
use super::akit::Ran;
use super::baseline_git::{akit, git, without_git};
use super::evidence::{IDS, NOW, given, settled};
use super::replies::suite;

/// The printed command, split into words.
fn command(ran: &Ran) -> Vec<String> {
    let (_, rest) = ran.stderr.split_once("`akit ").unwrap_or_else(|| panic!("{}", ran.stderr));
    let (command, _) = rest.split_once('`').unwrap();
    command.split(' ').map(|word| word.trim_matches(['"', '\'']).to_owned()).collect()
}

/// Runs the printed command.
fn accept(ran: &Ran) -> Ran {
    let words = command(ran);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    ran.then(&words).run().ended(0)
}

/// Cases that passed ten times each, with a baseline in `b.json`.
fn steady(number: usize) -> (Ran, Vec<String>) {
    let ids: Vec<String> = (0..number).map(|n| format!("c{n:02}")).collect();
    let names: Vec<&str> = ids.iter().map(String::as_str).collect();
    let ran =
        Akit::new(&["run", "s.yaml", "--replies", "then.jsonl", "--repeat", "10", "--json", "then.json"])
            .file("s.yaml", suite(&names))
            .file("then.jsonl", given(&names, 0..10, &[]))
            .run()
            .ended(0);
    ran.then(&["baseline", "update", "then.json", "--baseline", "b.json"]).run().ended(0);
    (ran, ids)
}

#[test]
fn the_printed_command_accepts_any_number_of_regressions() {
    let (ran, ids) = steady(20);
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let now = |bad: usize, more: &[&str]| {
        ran.then(&NOW).file("now.jsonl", given(&ids, 0..1, &ids[..bad])).args(more)
    };
    let before = ran.read("b.json");
    // Eleven regressed cases; then as many that only the suite guard fails; up to seven are listed by name.
    for (bad, more, words) in [
        (11, &["--confirm", "0"][..], "accept --unexcused --reason"),
        (12, &[], "accept --unexcused --reason"),
        (7, &[], "accept s/c00 s/c01 s/c02 s/c03 s/c04 s/c05 s/c06 --reason"),
        (1, &["--confirm", "0"], "accept s/c00 --reason"),
    ] {
        std::fs::write(ran.path("b.json"), &before).unwrap();
        let red = now(bad, more).arg("--markdown").arg("r.md").run().ended(1).err(words);
        assert!(red.read("r.md").contains(words), "{}", red.read("r.md"));
        let done = accept(&red).out(&format!("accepted {bad} case"));
        now(bad, more).run().ended(0).out("RESULT: PASS");
        // A case that was not accepted still fails.
        done.then(&NOW)
            .file("now.jsonl", given(&ids, 0..1, &ids[..=bad]))
            .args(&["--confirm", "0"])
            .run()
            .ended(1);
    }
}

#[test]
fn new_and_changed_cases_that_fail_can_be_accepted() {
    let ran = settled(8);
    let ids = [&IDS[..], &["new"]].concat();
    let now = |text: &str, bad: &[&str]| {
        ran.then(&NOW).file("s.yaml", text).file("now.jsonl", given(&ids, 0..1, bad)).run()
    };
    let text = suite(&ids);
    accept(&now(&text, &["new"]).ended(1).err("`akit baseline accept s/new --reason"));
    now(&text, &["new"]).ended(0);
    let text = text.replacen("Say", "Please say", 1);
    accept(&now(&text, &["a", "new"]).ended(1).err("`akit baseline accept s/a --reason"));
    now(&text, &["a", "new"]).ended(0);
}

#[test]
fn where_accepting_is_not_enough_the_output_says_why() {
    let ran = settled(8);
    let config = "gate: { critical: ['s/a'] }\n";
    let now =
        |bad: &[&str]| ran.then(&NOW).args(&["--confirm", "0"]).file("now.jsonl", given(&IDS, 0..1, bad));
    let red = now(&["a"]).file("akit.yaml", config).run().ended(1);
    assert!(!red.stderr.contains("akit baseline accept"), "{}", red.stderr);
    red.err("accepting the failing cases is not enough: s/a");
}

#[test]
fn a_case_name_is_not_read_as_a_pattern() {
    let ids = ["b*", "bb", "[x]", "x"];
    let ran =
        Akit::new(&["run", "s.yaml", "--replies", "then.jsonl", "--repeat", "8", "--json", "then.json"])
            .file("s.yaml", suite(&ids))
            .file("then.jsonl", given(&ids, 0..8, &[]))
            .run()
            .ended(0);
    ran.then(&["baseline", "update", "then.json", "--baseline", "b.json"]).run().ended(0);
    let bad = ["b*", "[x]"];
    let red =
        ran.then(&NOW).args(&["--confirm", "0"]).file("now.jsonl", given(&ids, 0..1, &bad)).run().ended(1);
    accept(&red).out("(2): s/[x], s/b*");
    let kept: Vec<Json> =
        ran.json("b.json")["cases"].as_array().unwrap().iter().map(|one| one["results"].clone()).collect();
    assert_eq!(kept, ["- 0/1", "- 0/1", "8/8", "8/8"].map(|text| json!(text.replace("0/1", "0"))));
    // An argument that is not the name of a case is a pattern.
    ran.then(&["baseline", "accept", "s/b?", "--reason", "why", "--baseline", "b.json"])
        .run()
        .ended(0)
        .out("(2)");
}

#[test]
fn accept_does_not_create_a_baseline() {
    let ran = settled(8);
    ran.then(&NOW).args(&["--confirm", "0"]).file("now.jsonl", given(&IDS, 0..1, &["a"])).run().ended(1);
    let accept = ["baseline", "accept", "s/a", "--reason", "why", "--run", "run.json", "--baseline"];
    let refused = ran.then(&accept).arg("deep/b.json").run().ended(2).err("no baseline at `deep/b.json`");
    assert!(!refused.path("deep/b.json").exists());
    ran.then(&["baseline", "accept", "s/a", "--reason", "why", "--baseline", "c.json"]).run().ended(2);
    assert!(!ran.path("c.json").exists());
}

#[test]
fn verdicts_of_different_judges_are_not_mixed() {
    let server = super::server::Server::start(|asked| {
        // The known-bad answers that the judge is tested on.
        let tested = !asked.body["messages"].to_string().contains("Be kind.");
        let score = if tested || asked.body["model"] == "strict" { 0 } else { 9 };
        super::server::Answer::Text(format!("{{\"reasoning\":\"so\",\"score\":{score}}}"))
    });
    let text = "name: s\ncases:\n  - { id: a, prompt: p, expected: { type: llm_grader, rubric: Be kind., threshold: 0.7 } }\n  \
                - { id: b, prompt: p, expected: { type: contains, values: [sorry] } }\n";
    let run = |akit: Akit, judge: &str, out: &str, b: &str| {
        akit.args(&["--replies", "r.jsonl", "--grader-base-url", &server.url, "--grader-model", judge])
            .args(&["--json", out])
            .file("s.yaml", text)
            .file("r.jsonl", super::replies::replies(&[("a", "I am sorry."), ("b", b)]))
            .run()
    };
    let ran = run(Akit::new(&["run", "s.yaml"]), "lenient", "one.json", "sorry").ended(0);
    ran.then(&["baseline", "update", "one.json", "--baseline", "b.json"]).run().ended(0);
    let before = ran.read("b.json");
    let red =
        run(ran.then(&["run", "s.yaml", "--baseline", "b.json"]), "strict", "two.json", "sorry").ended(1);
    assert!(!red.stderr.contains("akit baseline accept"), "{}", red.stderr);
    let red = red.err("is not enough: 1 of 2 cases could be compared");
    red.then(&["baseline", "accept", "s/a", "--reason", "why", "--run", "two.json", "--baseline", "b.json"])
        .run()
        .ended(1)
        .err("nothing was accepted: verdicts of different judges cannot be compared: s: the judge was")
        .err("`akit baseline update --force`");
    assert_eq!(ran.read("b.json"), before);
    // A deterministic expectation fails under every judge.
    let now = ["run", "s.yaml", "--baseline", "b.json", "--confirm", "0"];
    let red =
        run(ran.then(&now), "kind", "three.json", "no").ended(1).err("`akit baseline accept s/b --reason");
    accept(&red);
    run(ran.then(&now), "kind", "three.json", "no").ended(0);
}

#[test]
fn where_every_failure_is_excused_there_is_nothing_to_accept() {
    let ran = settled(8);
    ran.then(&NOW).file("now.jsonl", given(&IDS, 0..1, &[])).run().ended(0);
    let before = ran.read("b.json");
    let accept = ["baseline", "accept", "--unexcused", "--reason", "why", "--baseline", "b.json"];
    ran.then(&accept).args(&["--run", "run.json"]).run().ended(3).err("every failure of the run is excused");
    ran.then(&accept).run().ended(2).err("--run");
    assert_eq!(ran.read("b.json"), before);
}

/// A repository with a baseline of two steady cases in `evals/` on main, on a branch that breaks `a`.
fn change() -> Ran {
    let ids = ["a", "b"];
    let start =
        Akit::new(&["run", "s.yaml", "--replies", "then.jsonl", "--repeat", "6", "--json", "then.json"]);
    let ran = start
        .file("s.yaml", suite(&ids))
        .file("then.jsonl", given(&ids, 0..6, &[]))
        .file("evals/x", "")
        .run()
        .ended(0);
    let folder = ran.path(".");
    git(&folder, &["init", "--quiet"]);
    akit(&ran, &["baseline", "update", "then.json", "--baseline", "evals/b.json"]).run().ended(0);
    git(&folder, &["add", "s.yaml", "evals/b.json"]);
    git(&folder, &["commit", "--quiet", "-m", "baseline"]);
    git(&folder, &["switch", "--quiet", "-c", "change"]);
    std::fs::write(ran.path("r.jsonl"), given(&ids, 0..12, &["a"])).unwrap();
    ran
}

#[test]
fn the_printed_path_is_that_of_the_current_folder() {
    if without_git() {
        return;
    }
    for place in ["git:base:evals/b.json", "git:base:./b.json", "git:main:evals/b.json"] {
        let ran = change();
        let evals = ran.path("evals");
        let within = |words: &[&str]| {
            let akit = akit(&ran, words).env("CI", "true").env("GITHUB_BASE_REF", "main");
            let output = akit.command().current_dir(&evals).output().unwrap();
            akit.ran(output)
        };
        let run = ["run", "../s.yaml", "--replies", "../r.jsonl", "--baseline", place, "--json", "run.json"];
        let red = within(&run).ended(1).err("--run run.json --baseline b.json`, and commit the baseline");
        let words = command(&red);
        within(&words.iter().map(String::as_str).collect::<Vec<_>>()).ended(0);
        assert!(!ran.path("evals/evals").exists());
        // The acceptance takes effect and is reported.
        within(&run).ended(0).out("and 1 case accepted by the change").out("`s/a` accepted: WHY");
    }
}

#[test]
fn accepting_into_a_shared_ref_warns_that_it_changes_at_once() {
    if without_git() {
        return;
    }
    let ran = change();
    akit(&ran, &["baseline", "update", "then.json", "--baseline", "git-ref:n"]).run().ended(0);
    let run = ["run", "s.yaml", "--replies", "r.jsonl", "--baseline", "git-ref:n", "--json", "run.json"];
    let red = akit(&ran, &run).run().ended(1).err("which changes git-ref:n at once, for every branch");
    assert!(!red.stderr.contains("commit the baseline"), "{}", red.stderr);
    let words = command(&red);
    akit(&ran, &words.iter().map(String::as_str).collect::<Vec<_>>()).run().ended(0);
    akit(&ran, &run).run().ended(0);
}
