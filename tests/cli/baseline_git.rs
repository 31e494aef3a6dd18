//! Baselines in commits and on refs, in real repositories.

use std::path::Path;
use std::process::Command;

use super::Akit;
use super::akit::Ran;
use super::replies::{replies, suite};

/// Runs git in a folder; panics with its output if it fails.
#[track_caller]
pub(crate) fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "init.defaultBranch=main"])
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {arguments:?}: {words}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Whether git is missing; prints a note if so.
#[expect(clippy::print_stderr, reason = "a skipped test must say so")]
pub(crate) fn without_git() -> bool {
    let missing = Command::new("git").arg("--version").output().is_err();
    if missing {
        eprintln!("skipped: git is not installed");
    }
    missing
}

/// `akit` with git in its path, but without the user's git configuration.
pub(crate) fn akit(ran: &Ran, arguments: &[&str]) -> Akit {
    ran.then(arguments)
        .env("PATH", &std::env::var("PATH").unwrap())
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("HOME", "/nonexistent")
}

/// A folder with runs `1.json` to `n.json` of case `a`; the last one fails.
fn runs(number: usize) -> Ran {
    let start = Akit::new(&["validate", "s.yaml"]).file("s.yaml", suite(&["a"])).run().ended(0);
    for index in 1..=number {
        let answer = if index == number { "no".to_owned() } else { format!("a {index}") };
        let name = format!("{index}.json");
        start
            .then(&["run", "s.yaml", "--min-pass-rate", "0", "--replies", "r.jsonl", "--json", &name])
            .file("r.jsonl", replies(&[("a", &answer)]))
            .run()
            // A run with no passing case fails whatever the limit is.
            .ended(i32::from(index == number));
    }
    start
}

/// A bare repository and clones of it, next to the runs.
fn clones(ran: &Ran, names: &[&str]) {
    git(&ran.path("."), &["init", "--quiet", "--bare", "central.git"]);
    for name in names {
        git(&ran.path("."), &["clone", "--quiet", "central.git", name]);
    }
}

#[test]
fn a_ref_takes_updates_from_several_clones_at_once_and_loses_none() {
    if without_git() {
        return;
    }
    let ran = runs(5);
    clones(&ran, &["one", "two", "reader"]);
    let place = "git-ref:team/nightly";
    let mut children = Vec::new();
    // Two clones race for the ref, and two processes of each clone for its lock.
    for (run, clone) in [("1", "one"), ("2", "two"), ("3", "one"), ("4", "two")] {
        let path = format!("../{run}.json");
        let command = akit(&ran, &["baseline", "update", &path, "--baseline", place]);
        children.push(command.command().current_dir(ran.path(clone)).spawn().unwrap());
    }
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let central = ran.path("central.git");
    let listed = git(&central, &["for-each-ref", "--format=%(refname)"]);
    assert_eq!(listed, "refs/akit/team/nightly");
    let stored = git(&central, &["cat-file", "blob", "refs/akit/team/nightly:akit-baseline.json"]);
    let stored: serde_json::Value = serde_json::from_str(&stored).unwrap();
    assert_eq!(
        (stored["runs"].as_array().unwrap().len(), &stored["cases"][0]["results"]),
        (4, &"1x4".into())
    );
    let log = git(&central, &["log", "--format=%an %ae %P", "refs/akit/team/nightly"]);
    assert_eq!(log, "akit akit@localhost", "one commit without a parent");

    let run = |answer: &str, place: &str| {
        akit(&ran, &["run", "../s.yaml", "--confirm", "0", "--replies", "../now.jsonl", "--baseline", place])
            .file("now.jsonl", replies(&[("a", answer)]))
    };
    let within = |akit: Akit| {
        let output = akit.command().current_dir(ran.path("reader")).output().unwrap();
        akit.ran(output)
    };
    within(run("no", place)).ended(1).out("passed in the baseline (4 of 4) and fails now");
    within(run("a", place)).ended(0).out("refs/akit/team/nightly at ");
    within(run("a", "git-ref:other"))
        .ended(0)
        .err("no git-ref:other: regressions are not checked")
        .err("create it: `akit baseline update run.json --baseline git-ref:other`");
    std::fs::rename(&central, ran.path("away.git")).unwrap();
    within(run("a", place)).ended(4).err("git could not query the remote");
    let update = akit(&ran, &["baseline", "update", "../5.json", "--baseline", place]);
    within(update).ended(2).err("git could not query the remote");
}

#[test]
fn a_ref_of_a_repository_without_a_remote_stays_in_it() {
    if without_git() {
        return;
    }
    let ran = runs(3);
    git(&ran.path("."), &["init", "--quiet"]);
    for run in ["1.json", "2.json", "2.json"] {
        akit(&ran, &["baseline", "update", run, "--baseline", "git-ref:n"]).run().ended(0);
    }
    akit(&ran, &["baseline", "show", "--baseline", "git-ref:n"]).run().ended(0).out("s/a      2/2  thin");
    akit(&ran, &["baseline", "accept", "s/a", "--reason", "why", "--baseline", "git-ref:n"]).run().ended(0);
    akit(&ran, &["baseline", "show", "--baseline", "git-ref:n"]).run().ended(0).out("0 cases of 2 runs");
}

/// A repository with four commits on main, a baseline in the second, and a change on top.
fn history(ran: &Ran) -> [String; 2] {
    let folder = ran.path(".");
    git(&folder, &["init", "--quiet"]);
    let commit = |message: &str| {
        git(&folder, &["commit", "--quiet", "--allow-empty", "-m", message]);
        git(&folder, &["rev-parse", "--short=7", "HEAD"])
    };
    commit("first");
    akit(ran, &["baseline", "update", "1.json"]).run().ended(0);
    git(&folder, &["add", "akit-baseline.json"]);
    let stored = commit("baseline");
    git(&folder, &["rm", "--quiet", "akit-baseline.json"]);
    commit("gone");
    let parted = commit("parted");
    git(&folder, &["switch", "--quiet", "-c", "change"]);
    commit("change");
    git(&folder, &["switch", "--quiet", "main"]);
    [stored, parted]
}

#[test]
fn a_commit_is_named_or_found_from_the_merge_base() {
    if without_git() {
        return;
    }
    let ran = runs(2);
    let [stored, parted] = history(&ran);
    let folder = ran.path(".");
    let run = |place: &str| {
        akit(&ran, &["run", "s.yaml", "--confirm", "0", "--replies", "r.jsonl", "--baseline", place])
    };
    let base = "git:base:akit-baseline.json";
    let found = |distance: &str| format!("akit-baseline.json at {stored}, {distance}");

    // The answers are those of the last run, which failed.
    run("git:HEAD~2:akit-baseline.json")
        .run()
        .ended(1)
        .out(&format!("akit-baseline.json at {stored} (HEAD~2)"));
    run("git:HEAD:akit-baseline.json")
        .run()
        .err("no git:HEAD:akit-baseline.json: regressions are not checked")
        .err("create it: `akit baseline update run.json --baseline akit-baseline.json`");
    run("git:nowhere:akit-baseline.json").run().ended(4).err("there is no commit `nowhere` in this clone");
    run("git:HEAD~2:s.yaml").run().err("regressions are not checked");
    run(base).run().ended(1).out(&found("2 commits before the merge base"));

    git(&folder, &["commit", "--quiet", "--allow-empty", "-m", "main goes on"]);
    git(&folder, &["switch", "--quiet", "change"]);
    run(base).run().ended(1).out(&found("2 commits before the merge base"));
    git(&folder, &["switch", "--quiet", "--detach", "main"]);
    git(&folder, &["merge", "--quiet", "--no-ff", "-m", "merge", "change"]);
    run(base)
        .env("GITHUB_EVENT_NAME", "pull_request")
        .env("GITHUB_BASE_REF", "main")
        .env("GITHUB_SHA", &git(&folder, &["rev-parse", "HEAD"]))
        .run()
        .ended(1)
        .out(&found("3 commits before the merge's first parent"));
    run(base).env("GITHUB_BASE_REF", "nobranch").run().ended(4).err("no branch to compare with");

    // First broken since the base, then broken before it as well.
    std::fs::write(ran.path("akit-baseline.json"), "{}").unwrap();
    git(&folder, &["switch", "--quiet", "main"]);
    git(&folder, &["add", "akit-baseline.json"]);
    git(&folder, &["commit", "--quiet", "-m", "broken"]);
    run(base).run().ended(1).out(&found("4 commits before the merge base"));
    run("git:HEAD:akit-baseline.json").run().ended(4).err("is not a baseline");
    run("git:base:other.json").run().err("no other.json at");
    akit(&ran, &["baseline", "update", "1.json", "--baseline", base]).run().ended(2).err("cannot be changed");
    assert_ne!(stored, parted);
}

#[test]
fn a_shallow_clone_is_explained() {
    if without_git() {
        return;
    }
    let ran = runs(2);
    history(&ran);
    let url = format!("file://{}", ran.path(".").display());
    git(&ran.path("."), &["clone", "--quiet", "--depth", "1", "--branch", "change", &url, "shallow"]);
    let akit = akit(&ran, &["run", "../s.yaml", "--confirm", "0", "--replies", "../r.jsonl"])
        .args(&["--baseline", "git:base:akit-baseline.json"])
        .env("GITHUB_BASE_REF", "main");
    let output = akit.command().current_dir(ran.path("shallow")).output().unwrap();
    akit.ran(output).ended(4).err("fetch-depth: 0").err("GIT_DEPTH: 0").err("nothing was sent");
}

#[test]
fn an_intended_change_is_accepted_in_its_own_pull_request() {
    if without_git() {
        return;
    }
    let answers = |a: &str, b: &str, trials: u32| {
        let line = |id: &str, reply: &str, trial| {
            format!("{{\"id\":\"{id}\",\"trial\":{trial},\"reply\":\"{reply}\"}}\n")
        };
        let lines = (0..trials).flat_map(|trial| [line("a", a, trial), line("b", b, trial)]);
        lines.collect::<String>()
    };
    let steady = answers("a", "b", 6);
    let start = Akit::new(&["run", "s.yaml", "--replies", "r.jsonl", "--repeat", "6", "--json", "then.json"]);
    let ran = start.file("s.yaml", suite(&["a", "b"])).file("r.jsonl", steady).run().ended(0);
    let folder = ran.path(".");
    git(&folder, &["init", "--quiet"]);
    akit(&ran, &["baseline", "update", "then.json"]).run().ended(0);
    git(&folder, &["add", "s.yaml", "akit-baseline.json"]);
    git(&folder, &["commit", "--quiet", "-m", "baseline"]);
    git(&folder, &["switch", "--quiet", "-c", "change"]);
    // From here on, the change makes `a` give a different answer.
    let now = answers("no", "b", 12);
    std::fs::write(ran.path("r.jsonl"), now).unwrap();
    let run = || {
        let arguments = ["run", "s.yaml", "--replies", "r.jsonl", "--json", "run.json", "--markdown", "r.md"];
        akit(&ran, &arguments)
            .args(&["--baseline", "git:base:akit-baseline.json"])
            .env("CI", "true")
            .env("GITHUB_BASE_REF", "main")
            .run()
    };
    let command = "akit baseline accept s/a --reason \"WHY\" --run run.json --baseline akit-baseline.json";
    let red = run().ended(1).err(&format!("if the change is intended, accept it: `{command}`"));
    assert!(red.read("r.md").contains("akit baseline accept s/a --reason"), "{}", red.read("r.md"));
    // With the exact command that was printed.
    let words = command.replace("\"WHY\"", "brisk");
    let words: Vec<&str> = words.split(' ').skip(1).collect();
    akit(&ran, &words).run().ended(0).out("accepted 1 case: brisk");
    let green = run().ended(0).out("and 1 case accepted by the change").out("baseline-accepted");
    let excuse = &green.json("run.json")["decision"]["excuses"][0];
    assert_eq!((excuse["id"].as_str(), excuse["kind"].as_str()), (Some("a"), Some("failed-before")));
    // Nothing else in the change's own baseline file counts.
    let own = ran.read("akit-baseline.json").replace("\"1x6\"", "\"0x6\"").replace("\"6/6\"", "\"0/6\"");
    assert_ne!(own, ran.read("akit-baseline.json"));
    std::fs::write(ran.path("akit-baseline.json"), own).unwrap();
    std::fs::write(ran.path("r.jsonl"), answers("no", "no", 12)).unwrap();
    run().ended(1).out("s/b");
}

/// A change that weakened its baseline and then merged its target: its tip is a merge commit, but not the pipeline's.
#[test]
fn a_change_that_merged_its_target_is_not_compared_with_its_own_commit() {
    if without_git() {
        return;
    }
    let ran = runs(2);
    let folder = ran.path(".");
    git(&folder, &["init", "--quiet"]);
    akit(&ran, &["baseline", "update", "1.json"]).run().ended(0);
    let commit = |message: &str| {
        git(&folder, &["add", "akit-baseline.json", "s.yaml"]);
        git(&folder, &["commit", "--quiet", "--allow-empty", "-m", message]);
        git(&folder, &["rev-parse", "HEAD"])
    };
    commit("baseline");
    let whole = ran.read("akit-baseline.json");
    git(&folder, &["switch", "--quiet", "-c", "change"]);
    std::fs::write(ran.path("akit-baseline.json"), whole.replace("\"1\"", "\"0\"")).unwrap();
    assert_ne!(ran.read("akit-baseline.json"), whole);
    commit("weaker");
    git(&folder, &["switch", "--quiet", "main"]);
    let base = commit("main goes on");
    git(&folder, &["switch", "--quiet", "change"]);
    git(&folder, &["merge", "--quiet", "--no-ff", "-m", "merge", "main"]);
    let tip = git(&folder, &["rev-parse", "HEAD"]);
    let event = serde_json::json!({ "pull_request": { "base": { "sha": base }, "head": { "sha": tip } } });
    // GitHub's own merge is a different commit; `pull_request_target` checks out the target's.
    for (event_name, tested) in [("pull_request", "c".repeat(40)), ("pull_request_target", base.clone())] {
        let run = ["run", "s.yaml", "--confirm", "0", "--replies", "r.jsonl", "--baseline"];
        akit(&ran, &run)
            .arg("git:base:akit-baseline.json")
            .file("event.json", event.to_string())
            .env("CI", "true")
            .env("GITHUB_EVENT_NAME", event_name)
            .env("GITHUB_EVENT_PATH", "event.json")
            .env("GITHUB_BASE_REF", "main")
            .env("GITHUB_SHA", &tested)
            .run()
            .ended(1)
            .out(&format!("akit-baseline.json at {}, the merge base", &base[..7]))
            // The weakening check uses the same commit.
            .out("the result of a run was 1, now 0");
    }
}
