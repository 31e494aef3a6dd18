//! Moved suites and records, selection by flags, and cases added next to a failure.

use std::path::Path;

use super::{CHECKED, Change, REPORTED, again, committed, kinds};
use crate::Akit;
use crate::replies::replies;

const SUITE: &str = "\
name: s
cases:
  - { id: a, prompt: q, expected: { type: exact, value: good }, tags: [fraud] }
  - { id: b, prompt: r, expected: { type: exact, value: good }, tags: [fraud] }
  - { id: c, prompt: s, expected: { type: exact, value: good } }
  - { id: d, prompt: t, expected: { type: exact, value: good } }
  - { id: e, prompt: u, expected: { type: exact, value: good } }
";

/// Case `a` gets a bad answer, all others a good one.
fn answers() -> String {
    let other = ["b", "c", "d", "e", "f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8"];
    replies(&[&[("a", "bad")], other.map(|id| (id, "good")).as_slice()].concat())
}

fn write(here: &Path, name: &str, text: &str) {
    let path = here.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn change<'a>(
    name: &'a str,
    arguments: &[&str],
    more: &[(&'a str, &str)],
    kind: &str,
    edit: impl Fn(&Path) + 'a,
) -> Change<'a> {
    let run = [&["run"], arguments, &["--replies", "r.jsonl"]].concat();
    let files = [("scenarios/s.yaml", SUITE)].into_iter().chain(more.iter().copied());
    let files = files.map(|(name, text)| (name, text.to_owned()));
    Change {
        name,
        run: run.into_iter().map(str::to_owned).collect(),
        variables: Vec::new(),
        before: files.chain([("r.jsonl", answers())]).collect(),
        edit: Box::new(edit),
        kinds: kinds(&[kind]),
        is_shown: true,
    }
}

#[test]
fn a_case_selected_only_by_flags_is_reported() {
    let rows: [(&str, &[&str], (&str, &str)); 6] = [
        ("a tag", &["scenarios", "-t", "fraud"], ("value: good }, tags: [fraud] }", "value: good } }")),
        ("one of two tags", &["scenarios", "-t", "fraud,other"], ("good }, tags: [fraud] }", "good } }")),
        ("a tag that leaves out", &["scenarios", "-t", "!slow"], ("[fraud] }", "[fraud, slow] }")),
        ("an added tag", &["scenarios", "-t", "fraud"], ("tags: [fraud] }", "tags: [Fraud] }")),
        ("an id", &["scenarios", "--case", "a", "--case", "b"], ("id: a,", "id: aa,")),
        ("a glob", &["scenarios", "--filter", "s/[ab]"], ("id: a,", "id: z,")),
    ];
    for (name, arguments, (from, to)) in rows {
        let mut change = change(name, arguments, &[], "case-unselected", move |here| {
            write(here, "scenarios/s.yaml", &SUITE.replacen(from, to, 1));
        });
        // An unknown case in a flag is an error of its own.
        change.is_shown = name != "an id";
        if change.is_shown {
            change.check();
        }
    }
}

#[test]
fn a_stored_run_remembers_which_cases_flags_selected() {
    let ran = Akit::new(&["validate", "scenarios"])
        .file("scenarios/s.yaml", SUITE)
        .file("r.jsonl", answers())
        .run()
        .ended(0);
    committed(&ran.path(""));
    write(&ran.path(""), "scenarios/s.yaml", &SUITE.replacen("good }, tags: [fraud] }", "good } }", 1));
    let run = ["run", "scenarios", "--replies", "r.jsonl", "-t", "fraud", "--json", "run.json"];
    again(&ran, &run).run().ended(0);
    again(&ran, &["gate", "run.json"]).args(&CHECKED).run().ended(1).out("case-unselected: s/a");
}

/// Passing cases added next to a failure: the rate over the base's cases counts.
#[test]
fn added_cases_do_not_outweigh_a_failure() {
    let more: Vec<_> = (1..9)
        .map(|n| format!("  - {{ id: f{n}, prompt: v{n}, expected: {{ type: exact, value: good }} }}\n"))
        .collect();
    let more = more.concat();
    let one = format!("{SUITE}{more}");
    let other = format!("name: t\ncases:\n{more}");
    let rows = [
        (
            "a rate",
            "gate: { min_pass_rate: 0.9 }",
            "the pass rate is 80.0% (4 of 5 over the base's cases, 12 of 13",
        ),
        (
            "a threshold",
            "gate: { thresholds: [{ metric: pass_rate, min: 0.9 }] }",
            "pass_rate is 80.0% (4 of 5 over the base's cases",
        ),
        (
            "a mean of scores",
            "gate: { min_pass_rate: 0.1, thresholds: [{ metric: score_mean, min: 0.9 }] }",
            "over the base's cases",
        ),
        (
            "a greatest rate",
            "gate: { min_pass_rate: 0.1, thresholds: [{ metric: error_rate, max: 0.1 }], max_error_rate: 0.5 }",
            "over the base's cases",
        ),
        ("errors", "gate: { min_pass_rate: 0.1, max_error_rate: 0.1 }", "could not be judged (20.0%"),
    ];
    for (name, policy, words) in rows {
        for (file, text) in [("scenarios/s.yaml", &one), ("scenarios/t.yaml", &other)] {
            let is_error = policy.contains("error");
            let answers = if is_error { answers().replacen("\"a\"", "\"nobody\"", 1) } else { answers() };
            let run = ["run", "scenarios", "--replies", "r.jsonl", "--json", "run.json"];
            let ran = Akit::new(&run)
                .file("scenarios/s.yaml", SUITE)
                .file("akit.yaml", policy)
                .file("r.jsonl", answers)
                .run();
            assert!([1, 4].contains(&ran.status), "{name}: {}{}", ran.stdout, ran.stderr);
            committed(&ran.path(""));
            write(&ran.path(""), file, text);
            let blind = again(&ran, &run).run();
            assert_eq!(blind.status, 0, "{name}: {}{}", blind.stdout, blind.stderr);
            let seen = again(&ran, &run).args(&CHECKED).run();
            assert!([1, 4].contains(&seen.status), "{name}: {}{}", seen.stdout, seen.stderr);
            let stored = again(&ran, &["gate", "run.json"]).args(&CHECKED).run();
            assert_eq!(stored.status, seen.status, "{name}: {}{}", stored.stdout, stored.stderr);
            for ran in [seen, stored] {
                assert!(
                    !ran.stdout.contains("weakened"),
                    "{name}: more cases are not a weakening: {}",
                    ran.stdout
                );
                ran.out(words);
            }
        }
    }
    // If the base's cases pass and a new one fails, the rate over all cases counts.
    let ran = Akit::new(&["run", "scenarios", "--replies", "r.jsonl"])
        .file("scenarios/s.yaml", SUITE)
        .file("akit.yaml", "gate: { min_pass_rate: 0.9 }")
        .file(
            "r.jsonl",
            answers().replacen("bad", "good", 1).replacen("good\"}\n{\"id\":\"f2", "bad\"}\n{\"id\":\"f2", 1),
        )
        .run()
        .ended(0);
    committed(&ran.path(""));
    write(&ran.path(""), "scenarios/t.yaml", &other.lines().take(3).collect::<Vec<_>>().join("\n"));
    again(&ran, &["run", "scenarios", "--replies", "r.jsonl"]).args(&CHECKED).run().ended(1).out("(5 of 6)");
}

#[cfg(unix)]
#[test]
fn replacing_anything_by_a_link_is_reported() {
    use std::os::unix::fs::symlink;

    let weak = SUITE.replacen("good", "bad", 1);
    let moved = |here: &Path, from: &str, to: &str, target: &str| {
        std::fs::create_dir_all(here.join(to).parent().unwrap()).unwrap();
        std::fs::rename(here.join(from), here.join(to)).unwrap();
        symlink(target, here.join(from)).unwrap();
    };
    let folder = |here: &Path| {
        moved(here, "scenarios", "real", "real");
        write(here, "real/s.yaml", &weak);
    };
    let file = |here: &Path| {
        moved(here, "scenarios/s.yaml", "real.yaml", "../real.yaml");
        write(here, "real.yaml", &weak);
    };
    for paths in ["scenarios", "scenarios/", "./scenarios", "scenarios/s.yaml", "scenarios/*.yaml"] {
        let both = kinds(&["path-linked", "value-changed"]);
        Change { kinds: both.clone(), ..change(paths, &[paths], &[], "", folder) }.check();
        Change { kinds: both, ..change(paths, &[paths], &[], "", file) }.check();
    }
    // In the middle of the path.
    let deep = [("a/b/c/t.yaml", &*SUITE.replace("name: s", "name: t"))];
    let weak_below = SUITE.replace("name: s", "name: t").replacen("good", "bad", 1);
    for paths in ["a", "a/b", "a/b/c", "a/b/c/t.yaml"] {
        change(paths, &[paths], &deep, "path-linked", |here| {
            moved(here, "a/b", "elsewhere/b", "../elsewhere/b");
            write(here, "elsewhere/b/c/t.yaml", &weak_below);
        })
        .check();
    }
    // A chain: a link to a link to a folder.
    change("a chain", &["scenarios"], &[], "path-linked", |here| {
        moved(here, "scenarios", "real", "first");
        symlink("real", here.join("first")).unwrap();
        write(here, "real/s.yaml", &weak);
    })
    .check();
    change("the configuration", &["scenarios"], &[("akit.yaml", "gate: {}")], "path-linked", |here| {
        moved(here, "akit.yaml", "other.yaml", "other.yaml");
        write(here, "other.yaml", "gate: { min_pass_rate: 0.1 }");
    })
    .check();
    // The target of a link in the base becomes a link itself.
    let run = ["run", "suite", "--replies", "r.jsonl"];
    let ran = Akit::new(&["validate", "scenarios"])
        .file("scenarios/s.yaml", SUITE)
        .file("r.jsonl", answers())
        .run()
        .ended(0);
    symlink("scenarios", ran.path("suite")).unwrap();
    committed(&ran.path(""));
    let same = again(&ran, &run).args(&CHECKED).run().ended(1);
    assert!(!same.stdout.contains("weakened"), "{}", same.stdout);
    folder(&ran.path(""));
    again(&ran, &run).run().ended(0);
    again(&ran, &run)
        .args(&CHECKED)
        .args(&REPORTED)
        .run()
        .ended(1)
        .out("path-linked: `scenarios` was a folder");
}
