//! `akit history`: trends over stored runs.

use serde_json::Value as Json;

use super::Akit;
use super::akit::Ran;
use super::replies::{replies, suite};

/// Runs in one folder with different answers, stored under `runs/`.
fn stored(answers: &[(&str, &str)]) -> Ran {
    let mut akit = Akit::new(&["schema"]).file("s.yaml", suite(&["a", "b"]));
    for (name, a) in answers {
        akit = akit.file(&format!("{name}.jsonl"), replies(&[("a", a), ("b", "b")]));
    }
    let mut ran = akit.run().ended(0);
    for (name, _) in answers {
        let (file, json) = (format!("{name}.jsonl"), format!("runs/{name}.json"));
        let arguments = ["run", "s.yaml", "--replies", &file, "--min-pass-rate", "0", "--json", &json];
        ran = ran.then(&arguments).run().ended(0);
    }
    ran
}

/// Four runs on four days: `a` fails, passes, fails, passes.
fn four() -> Ran {
    let answers = [("1", "no"), ("2", "a"), ("3", "nope"), ("4", "a it is")];
    let ran = stored(&answers);
    for (name, _) in answers {
        let file = format!("runs/{name}.json");
        let mut run: Json = ran.json(&file);
        run["at"] = format!("2026-01-0{name}T00:00:00Z").into();
        std::fs::write(ran.path(&file), run.to_string()).unwrap();
    }
    ran
}

fn history(ran: &Ran, arguments: &[&str]) -> Ran {
    ran.then(&[&["history"], arguments].concat()).run()
}

#[test]
fn runs_of_a_folder_are_listed_with_a_chart() {
    let ran = history(&four(), &["runs"]).ended(0);
    assert_eq!(ran.stderr, "");
    let lines: Vec<_> = ran.stdout.lines().collect();
    assert_eq!(lines[0], "pass rate ▁█▁█ 50.0% to 100.0%, 100.0% last, over 4 runs");
    assert!(
        lines[3].starts_with("2026-01-01T00:00:00Z PASS             50.0%      1      1 "),
        "{}",
        ran.stdout
    );
    assert!(lines[3].ends_with("  runs/1.json"), "{}", ran.stdout);
    ran.out("\nFlakiest\n  s/a: changed 3 times; 2 of 4 trials passed\n");
}

#[test]
fn the_same_as_data() {
    let ran = history(&four(), &["runs/4.json", "runs/2.json", "runs/2.json", "--json", "-"]).ended(0);
    let trend: Json = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(trend["schema"], "akit.history/1");
    let files: Vec<_> =
        trend["runs"].as_array().unwrap().iter().map(|run| run["file"].as_str().unwrap()).collect();
    assert_eq!(files, ["runs/2.json", "runs/4.json"]);
    assert_eq!((&trend["runs"][0]["ruling"], &trend["runs"][0]["pass_rate"]), (&"PASS".into(), &1.0.into()));
    assert_eq!(trend["flakiest"], serde_json::json!([]));
}

#[test]
fn what_is_not_a_run_is_skipped_in_one_line() {
    let ran = four();
    std::fs::write(ran.path("runs/broken.json"), "{").unwrap();
    std::fs::write(ran.path("runs/other.json"), "{\"schema\":\"akit.baseline/1\",\"cases\":[]}").unwrap();
    std::fs::write(ran.path("runs/notes.txt"), "not looked at").unwrap();
    let ran = history(&ran, &["runs"]).ended(0).out("over 4 runs");
    let lines: Vec<_> = ran.stderr.lines().collect();
    assert_eq!(lines[0], "warning: skipped 1 file that is not a stored run: `runs/other.json`");
    assert!(
        lines[1].starts_with("warning: skipped 1 file: `runs/broken.json` is not a stored run"),
        "{lines:?}"
    );
    assert_eq!(lines.len(), 2, "{lines:?}");
    // No matter how many there are.
    for name in ["a", "b", "c", "d"] {
        std::fs::write(ran.path(&format!("runs/{name}.json")), "[]").unwrap();
        std::fs::write(ran.path(&format!("runs/{name}{name}.json")), "{").unwrap();
    }
    let ran = history(&ran, &["runs"]).ended(0).out("over 4 runs");
    let lines: Vec<_> = ran.stderr.lines().collect();
    let names = "`runs/a.json`, `runs/b.json`, `runs/c.json`, and 2 more";
    assert_eq!(lines[0], format!("warning: skipped 5 files that are not stored runs: {names}"));
    assert!(
        lines[1].starts_with("warning: skipped 5 files: ") && lines[1].ends_with("; and 2 more"),
        "{lines:?}"
    );
    assert_eq!(lines.len(), 2, "{lines:?}");
    history(&ran, &["runs/broken.json"]).ended(2).err("broken.json");
    history(&ran, &["nowhere"]).ended(2).err("no such file or folder: `nowhere`");
    history(&ran, &[]).ended(2).err("required arguments");
}

#[test]
fn the_same_as_a_page() {
    let ran = history(&four(), &["runs", "--html", "h.html"]).ended(0).out("pass rate");
    let page = ran.read("h.html");
    assert!(page.starts_with("<!doctype html>") && page.contains("<h1>akit: history</h1>"));
    assert!(page.contains("changed 3 times; 2 of 4 trials passed"), "{page}");
    assert!(page.contains("aria-label=\"0.0%, 100.0%, 0.0%, 100.0%\""), "{page}");
    history(&ran, &["runs/1.json", "--html", "runs/1.json"]).ended(2).err("would be replaced");
    let ran = history(&ran, &["runs", "--html", "-"]).ended(0).err("pass rate");
    assert_eq!(ran.stdout, page);
}
