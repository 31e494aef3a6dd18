//! Changes to suite and settings at once: the base's settings judge, so the weakening check compares with them.

use super::Akit;
use super::akit::Ran;
use super::replies::replies;
use super::trust_base::{base, change};
use super::weakening::{akit, git};

/// A change that would go unnoticed if only its own settings were compared with the base's.
struct Pair {
    what: &'static str,
    kind: &'static str,
    /// `akit.yaml` of the base and of the change; an empty text removes it.
    settings: [&'static str; 2],
    /// A text of the suite, and its replacement.
    suite: [&'static str; 2],
}

const SUITE: &str = "\
name: s
cases:
  - { id: a, prompt: q, expected: { type: contains, values: [good] } }
  - { id: b, prompt: q, tags: [fraud], expected: { type: contains, values: [good] } }
";

const PAIRS: [Pair; 6] = [
    Pair {
        what: "a tag and the threshold on it",
        kind: "tag-removed",
        settings: [
            "gate: { min_pass_rate: 0.5, thresholds: [{ metric: pass_rate, tags: [fraud], min: 1 }] }",
            "gate: { min_pass_rate: 0.5, thresholds: [{ metric: pass_rate, tags: [scam], min: 1 }] }",
        ],
        suite: ["tags: [fraud]", "tags: [scam]"],
    },
    Pair {
        what: "a critical case and its name in the policy",
        kind: "critical-removed",
        settings: [
            "gate: { min_pass_rate: 0.5, critical: [s/b] }",
            "gate: { min_pass_rate: 0.5, critical: [s/b2] }",
        ],
        suite: ["id: b", "id: b2"],
    },
    Pair {
        what: "a scenario and the threshold on it",
        kind: "threshold-narrowed",
        settings: [
            "gate: { min_pass_rate: 0.5, thresholds: [{ metric: pass_rate, scenario: \"[st]\", min: 1 }] }",
            "gate: { min_pass_rate: 0.5, thresholds: [{ metric: pass_rate, scenario: \"*\", min: 1 }] }",
        ],
        suite: ["name: s", "name: other"],
    },
    Pair {
        what: "a case that takes a name in quarantine, which the change no longer names",
        kind: "quarantine-added",
        settings: ["gate: { quarantine: q.yaml }", "gate: {}"],
        suite: ["id: b", "id: flaky-b"],
    },
    Pair {
        what: "the same without settings",
        kind: "quarantine-added",
        settings: ["gate: { quarantine: q.yaml }", ""],
        suite: ["id: b", "id: flaky-b"],
    },
    Pair {
        what: "what the suite keeps from the redaction of its settings",
        kind: "redaction-widened",
        settings: [
            "gate: { min_pass_rate: 0.5 }\nredaction: { enabled: true }",
            "gate: { min_pass_rate: 0.5 }",
        ],
        suite: ["redaction: { enabled: false }\n", ""],
    },
];

const QUARANTINE: &str = "- { case: s/flaky-*, owner: ana, reason: known, until: 2099-01-01 }\n";

#[test]
fn a_change_to_suite_and_settings_is_compared_with_the_settings_that_judge_it() {
    for Pair { what, kind, settings, suite } in &PAIRS {
        let text = format!("redaction: {{ enabled: false }}\n{SUITE}");
        let ran = base(&[
            ("scenarios/s.yaml", text.clone()),
            ("q.yaml", QUARANTINE.to_owned()),
            ("akit.yaml", settings[0].to_owned()),
        ]);
        change(
            &ran,
            &[("scenarios/s.yaml", text.replace(suite[0], suite[1])), ("akit.yaml", settings[1].to_owned())],
        );
        let answers = replies(&[("a", "good"), ("b", "bad"), ("b2", "bad"), ("flaky-b", "bad")]);
        let run = ["run", "scenarios", "--replies", "r.jsonl", "--trust", "base"];
        let asked = akit(&ran, &run).file("r.jsonl", answers).run();
        assert_eq!(asked.status, 0, "{what} must let the bad answer pass: {}", asked.stdout);
        let checked = akit(&ran, &run).args(&["--weakened-since", "main", "--fail-on", "weakened"]).run();
        checked.ended(1).out(&format!("weakened: {kind}: "));
    }
}

#[test]
fn files_that_look_like_a_repository_are_not_used_as_one() {
    let config = "[core]\n\tsshCommand = \"touch pwned; false\"\n[remote \"origin\"]\n\turl = ssh://x/y\n";
    let files = [("HEAD", "ref: refs/heads/main\n"), ("config", config), ("objects/x", ""), ("refs/x", "")];
    let show = ["baseline", "show", "--baseline", "git-ref:x"];
    let ran = files.iter().fold(Akit::new(&show), |akit, (name, text)| akit.file(name, text));
    let path = std::env::var("PATH").unwrap_or_default();
    let ran = ran.env("PATH", &path).run();
    assert!(ran.status != 0 && !ran.path("pwned").exists(), "{}", ran.stderr);
    ran.err("git could not find a repository here");
}

#[test]
fn a_repository_without_a_commit_is_told_so() {
    let ran = Akit::new(&["--version"]).run();
    git(&ran, &["init", "--quiet"]);
    for place in ["git:base:b.json", "git:HEAD:b.json"] {
        let show = akit(&ran, &["baseline", "show", "--baseline", place]).run();
        assert_ne!(show.status, 0);
        show.err("this repository has no commit yet; make the first one with `git commit`");
    }
}

/// A repository with a suite in a submodule; the base uses the commit `strict`.
fn submodule() -> Ran {
    let ran = base(&[("akit.yaml", "gate: { min_pass_rate: 0.9 }\n".to_owned())]);
    let inner = |arguments: &[&str]| git(&ran, &[&["-C", "inner"], arguments].concat());
    ran.then(&["--version"]).file("inner/scenarios/s.yaml", SUITE).run();
    inner(&["init", "--quiet", "--initial-branch=main"]);
    inner(&["add", "--all"]);
    inner(&["commit", "--quiet", "-m", "strict"]);
    git(&ran, &["switch", "--quiet", "main"]);
    git(&ran, &["add", "--force", "inner"]);
    git(&ran, &["commit", "--quiet", "-m", "a submodule"]);
    git(&ran, &["switch", "--quiet", "-c", "bump"]);
    ran
}

#[test]
fn a_suite_in_a_submodule_is_compared_with_the_outer_repository() {
    let ran = submodule();
    let answers = replies(&[("a", "good"), ("b", "bad")]);
    let run = ["run", "inner/scenarios", "--replies", "r.jsonl", "--weakened-since", "main"];
    let checked = |more: &[&str]| akit(&ran, &run).args(more).file("r.jsonl", &answers).run();
    checked(&["--fail-on", "weakened"]).ended(1).out("FAILED s/b");
    // The settings are in the outer repository, where the submodule has no base.
    checked(&["--trust", "base"]).ended(4).err("it is outside the suite's repository");
    // The change moves the submodule to a weaker commit on the submodule's own main branch.
    let loose = SUITE.replace("values: [good]", "values: [bad, good], mode: any");
    ran.then(&["--version"]).file("inner/scenarios/s.yaml", loose).run();
    git(&ran, &["-C", "inner", "commit", "--quiet", "-a", "-m", "loose"]);
    git(&ran, &["add", "inner"]);
    checked(&[]).ended(0).out("path-linked");
    checked(&["--fail-on", "weakened"]).ended(1).out("path-linked");
}
