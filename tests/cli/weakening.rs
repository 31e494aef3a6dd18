//! `--weakened-since` and `--policy-from base` in real repositories.

use std::process::Command;

use super::Akit;
use super::akit::Ran;
use super::replies::replies;

const POLICY: &str = "gate:\n  min_pass_rate: 1.0\n  critical: [\"s/a\"]\n";

const SUITE: &str = "\
name: s
cases:
  - id: a
    prompt: How?
    expected: { type: contains, values: [a, b] }
";

pub(crate) fn git(ran: &Ran, arguments: &[&str]) {
    let output = Command::new("git")
        .args(["-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "commit.gpgsign=false"])
        .args(arguments)
        .current_dir(ran.path(""))
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

pub(crate) fn akit(ran: &Ran, arguments: &[&str]) -> Akit {
    ran.then(arguments).env("PATH", &std::env::var("PATH").unwrap())
}

const RUN: [&str; 6] = ["run", "scenarios", "--replies", "r.jsonl", "--json", "run.json"];

/// A change on a branch off `main` that expects one value less; the answer has only the other one.
fn changed() -> Ran {
    let ran = Akit::new(&["validate", "scenarios"])
        .file("scenarios/s.yaml", SUITE)
        .file("akit.yaml", POLICY)
        .file("r.jsonl", replies(&[("a", "a")]))
        .run()
        .ended(0);
    git(&ran, &["init", "--quiet", "--initial-branch=main"]);
    git(&ran, &["add", "."]);
    git(&ran, &["commit", "--quiet", "-m", "first"]);
    git(&ran, &["switch", "--quiet", "-c", "change"]);
    akit(&ran, &RUN).run().ended(1);
    akit(&ran, &RUN)
        .file("scenarios/s.yaml", SUITE.replace("[a, b]", "[a]"))
        .file("akit.yaml", "gate:\n  min_pass_rate: 0.5\n")
        .run()
        .ended(0)
}

#[test]
fn a_weaker_change_is_reported_at_its_lines() {
    let ran = changed();
    assert!(!ran.stdout.contains("weakened"), "nothing was asked for: {}", ran.stdout);
    let since = ["--weakened-since", "main", "--sarif", "akit.sarif"];
    let named = akit(&ran, &RUN)
        .args(&since)
        .run()
        .ended(0)
        .out("value-removed: s/a: `b` is no longer required (scenarios/s.yaml:5)")
        .out("pass-rate-lowered: the pass rate had to be 1, now 0.5 is enough (akit.yaml:2)")
        .out("critical-removed");
    let warnings = &named.json("run.json")["decision"]["warnings"];
    assert_eq!(warnings.as_array().unwrap().iter().filter(|one| one["id"] == "weakened").count(), 3);
    let log = named.json("akit.sarif");
    let results = log["runs"][0]["results"].as_array().unwrap();
    let lines: Vec<_> = results
        .iter()
        .map(|one| {
            let place = &one["locations"][0]["physicalLocation"];
            let line = place["region"]["startLine"].as_u64().unwrap();
            (place["artifactLocation"]["uri"].as_str().unwrap(), line, one["level"].as_str().unwrap())
        })
        .collect();
    assert!(lines.contains(&("scenarios/s.yaml", 5, "note")), "{lines:?}");
    assert!(lines.contains(&("akit.yaml", 2, "note")), "{lines:?}");

    akit(&ran, &RUN).args(&["--fail-on", "weakened"]).run().ended(1).out("weakened");
    // The stored run is compared with the base in the same way.
    akit(&ran, &["gate", "run.json", "--fail-on", "weakened"]).run().ended(1).out("value-removed");
    akit(&ran, &["gate", "run.json", "--weakened-since", "main"]).run().ended(0).out("value-removed");
}

#[test]
fn the_base_is_the_pipelines_and_later_additions_are_not_removals() {
    let ran = changed();
    git(&ran, &["add", "."]);
    git(&ran, &["commit", "--quiet", "-m", "change"]);
    git(&ran, &["switch", "--quiet", "main"]);
    std::fs::write(ran.path("scenarios/t.yaml"), SUITE.replace("name: s", "name: t")).unwrap();
    git(&ran, &["add", "scenarios"]);
    git(&ran, &["commit", "--quiet", "-m", "more"]);
    git(&ran, &["switch", "--quiet", "change"]);
    let named = akit(&ran, &RUN)
        .env("CI", "true")
        .env("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main")
        .run()
        .ended(0)
        .out("value-removed");
    assert!(!named.stdout.contains("scenario-removed"), "{}", named.stdout);
    // Renamed, reformatted and moved, but as strict as before.
    std::fs::create_dir(ran.path("scenarios/deep")).unwrap();
    std::fs::remove_file(ran.path("scenarios/s.yaml")).unwrap();
    let moved = format!(
        "# Ours.\n{}",
        SUITE.replace(
            "{ type: contains, values: [a, b] }",
            "\n      values: [\"b\", a]\n      type: contains"
        )
    );
    std::fs::write(ran.path("scenarios/deep/u.yaml"), moved).unwrap();
    std::fs::write(ran.path("akit.yaml"), format!("# Ours.\n{POLICY}")).unwrap();
    let same = akit(&ran, &RUN).args(&["--fail-on", "weakened"]).run().ended(1);
    assert!(!same.stdout.contains("weakened"), "{}", same.stdout);
}

#[test]
fn the_policy_of_the_base_judges() {
    let ran = changed();
    std::fs::write(ran.path("r.jsonl"), replies(&[("a", "b")])).unwrap();
    akit(&ran, &RUN).run().ended(1);
    std::fs::write(ran.path("akit.yaml"), "gate:\n  min_pass_rate: 0.0\n").unwrap();
    akit(&ran, &RUN).args(&["--soft-fail"]).run().ended(0).out("nothing-passed");
    akit(&ran, &RUN)
        .args(&["--policy-from", "base"])
        .run()
        .ended(1)
        .out("critical")
        .out("judged with the policy and the other settings in");
    akit(&ran, &["gate", "run.json", "--policy-from", "base"]).run().ended(1).out("critical");
}

#[cfg(unix)]
#[test]
fn a_suite_behind_a_link_is_compared_with_the_files_before() {
    use std::os::unix::fs::symlink;

    let since = ["--weakened-since", "main", "--fail-on", "weakened"];
    let suite = "name: s\ncases: [{ id: c, prompt: q, expected: { type: exact, value: good } }]\n";
    let start = |path: &str| {
        let ran = Akit::new(&["validate", path])
            .file("scenarios/s.yaml", suite)
            .file("r.jsonl", replies(&[("c", "bad")]))
            .run()
            .ended(0);
        git(&ran, &["init", "--quiet", "--initial-branch=main"]);
        git(&ran, &["add", "."]);
        git(&ran, &["commit", "--quiet", "-m", "first"]);
        git(&ran, &["switch", "--quiet", "-c", "change"]);
        ran
    };
    let run = |ran: &Ran, path: &str| {
        akit(ran, &["run", path, "--replies", "r.jsonl", "--json", "run.json"]).args(&since).run()
    };
    let weak = suite.replace("good", "bad");
    // The folder becomes a link, and its target is weaker.
    for path in ["scenarios", "scenarios/s.yaml", "./scenarios/", "scenarios/*.yaml", "."] {
        let ran = start("scenarios");
        run(&ran, path).ended(1).out("exact");
        std::fs::rename(ran.path("scenarios"), ran.path("real")).unwrap();
        symlink("real", ran.path("scenarios")).unwrap();
        std::fs::write(ran.path("real/s.yaml"), &weak).unwrap();
        let found = run(&ran, path).ended(1).out("value-changed");
        if path != "." {
            found.out("path-linked: `scenarios` was a folder, now a link to `real`");
        }
        git(&ran, &["add", "."]);
        git(&ran, &["commit", "--quiet", "-m", "linked"]);
        run(&ran, path).ended(1).out("value-changed");
        akit(&ran, &["gate", "run.json"]).args(&since).run().ended(1).out("value-changed");
    }
    // A file becomes a link, and an existing link gets a new target.
    let ran = start("scenarios");
    std::fs::rename(ran.path("scenarios/s.yaml"), ran.path("real.yaml")).unwrap();
    symlink("../real.yaml", ran.path("scenarios/s.yaml")).unwrap();
    run(&ran, "scenarios").ended(1).out("path-linked: `scenarios/s.yaml` was a file");
    git(&ran, &["add", "."]);
    git(&ran, &["commit", "--quiet", "-m", "linked"]);
    git(&ran, &["branch", "--force", "main"]);
    let same = run(&ran, "scenarios").ended(1);
    assert!(!same.stdout.contains("weakened"), "it already was a link: {}", same.stdout);
    std::fs::write(ran.path("other.yaml"), &weak).unwrap();
    std::fs::remove_file(ran.path("scenarios/s.yaml")).unwrap();
    symlink("../other.yaml", ran.path("scenarios/s.yaml")).unwrap();
    run(&ran, "scenarios").ended(1).out("was a link to `../real.yaml`").out("value-changed");
    // Out of the repository, and into a nested one.
    let ran = start("scenarios");
    let elsewhere = tempfile::tempdir().unwrap();
    std::fs::write(elsewhere.path().join("s.yaml"), &weak).unwrap();
    std::fs::create_dir(elsewhere.path().join(".git")).unwrap();
    std::fs::remove_dir_all(ran.path("scenarios")).unwrap();
    symlink(elsewhere.path(), ran.path("scenarios")).unwrap();
    run(&ran, "scenarios").ended(1).out("path-linked");
    // A folder that becomes its own repository, whose history was always weak.
    let ran = start("scenarios");
    std::fs::write(ran.path("scenarios/s.yaml"), &weak).unwrap();
    let inner = |arguments: &[&str]| git(&ran, &[&["-C", "scenarios"], arguments].concat());
    inner(&["init", "--quiet", "--initial-branch=main"]);
    inner(&["add", "."]);
    inner(&["commit", "--quiet", "-m", "first"]);
    for path in ["scenarios", "scenarios/s.yaml"] {
        run(&ran, path).ended(1).out("path-linked: `scenarios` is now a separate repository");
    }
    // The parent of the working folder becomes a link to a copy outside.
    let ran = Akit::new(&["validate", "app/scenarios"])
        .file("app/scenarios/s.yaml", suite)
        .file("app/r.jsonl", replies(&[("c", "bad")]))
        .run()
        .ended(0);
    git(&ran, &["init", "--quiet", "--initial-branch=main"]);
    git(&ran, &["add", "."]);
    git(&ran, &["commit", "--quiet", "-m", "first"]);
    std::fs::rename(ran.path("app"), elsewhere.path().join("app")).unwrap();
    std::fs::write(elsewhere.path().join("app/scenarios/s.yaml"), &weak).unwrap();
    symlink(elsewhere.path().join("app"), ran.path("app")).unwrap();
    let app = ran.path("app");
    let here = app.to_str().unwrap();
    let below = akit(&ran, &["run", "scenarios", "--replies", "r.jsonl"]).args(&since).env("PWD", here);
    let output = below.command().current_dir(here).output().unwrap();
    below.ran(output).ended(1).out("path-linked: `app` was a folder, now a link to");
    // A suite that only moved is still compared with its old version.
    let ran = start("scenarios");
    std::fs::rename(ran.path("scenarios"), ran.path("evals")).unwrap();
    std::fs::write(ran.path("evals/s.yaml"), &weak).unwrap();
    run(&ran, "evals").ended(1).out("value-changed");
}

#[test]
fn without_a_base_nothing_is_compared_and_the_output_says_so() {
    let there = || Akit::new(&RUN).file("scenarios/s.yaml", SUITE).file("r.jsonl", replies(&[("a", "a b")]));
    let path = std::env::var("PATH").unwrap();
    let plain = there().env("PATH", &path).run().ended(0);
    assert!(!plain.stderr.contains("base"), "{}", plain.stderr);
    let note = "cannot compare with the base";
    let ran =
        there().env("PATH", &path).env("CI", "true").env("GITHUB_BASE_REF", "main").run().ended(0).err(note);
    let notes = ran.json("run.json")["notes"].to_string();
    assert!(notes.contains(note), "{notes}");
    // Without git.
    there().env("CI", "true").env("GITHUB_BASE_REF", "main").run().ended(0).err(note);
    for asked in [["--fail-on", "weakened"], ["--weakened-since", "nowhere"], ["--policy-from", "base"]] {
        there().env("PATH", &path).args(&asked).run().ended(4).err(note);
    }
}

#[test]
fn prices_matter_if_a_budget_depends_on_them() {
    let ran = changed();
    let prices = |usd: u32| format!("{POLICY}model: m\nprices:\n  m: {{ input: {usd}, output: 4 }}\n");
    let run = |more: &[&str]| {
        akit(&ran, &RUN)
            .args(&["--weakened-since", "main"])
            .args(more)
            .file("scenarios/s.yaml", SUITE)
            .file("r.jsonl", replies(&[("a", "a b")]))
            .file("akit.yaml", prices(0))
            .run()
            .ended(0)
    };
    git(&ran, &["switch", "--quiet", "--force", "main"]);
    std::fs::write(ran.path("akit.yaml"), prices(2)).unwrap();
    git(&ran, &["commit", "--quiet", "--all", "-m", "prices"]);
    assert!(!run(&[]).stdout.contains("price-lowered"));
    run(&["--budget", "1"])
        .out("price-lowered: `input` of m was 2 USD, now 0: limits on costs allow more (akit.yaml:6)");
}
