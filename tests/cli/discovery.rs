//! From paths to files: folders, globs, several paths, the configured folder, and paths that do not exist.

use super::Akit;

const SUITE: &str = "cases:\n  - { id: a, prompt: p, expected: { type: contains, values: [x] } }\n";

/// Runs `akit validate`; returns its exit code and the files it read, which it names in errors.
fn files(akit: Akit) -> (i32, Vec<String>) {
    let ran = akit.args(&["--json", "-"]).run();
    let mut names = Vec::new();
    if let Ok(report) = serde_json::from_str::<serde_json::Value>(&ran.stdout) {
        for one in report["diagnostics"].as_array().unwrap() {
            names.push(one["location"]["file"].as_str().unwrap().to_owned());
        }
    }
    (ran.status, names)
}

/// A folder in which every file has exactly one error, so that the output names each file that was read.
fn tree(arguments: &[&str]) -> Akit {
    let mut akit = Akit::new(&["validate"]).args(arguments);
    for name in [
        "s/b.yaml",
        "s/a.yml",
        "s/deep/er/c.yaml",
        "s/A.yaml",
        "s/node_modules/x.yaml",
        "s/deep/dist/x.yaml",
        "s/build/x.yaml",
        "s/coverage/x.yaml",
        ".git/x.yaml",
        "s/akit.yaml",
        "s/artemis.config.yaml",
        "s/notes.txt",
        "s/data.json",
        "t/b.yaml",
    ] {
        // The configurations are valid, so that akit gets to the scenarios.
        let content =
            if name.contains("akit.") || name.contains("artemis") { "project: x\n" } else { "cases: []\n" };
        akit = akit.file(name, content);
    }
    akit
}

#[test]
fn folders_globs_and_files_are_read_once_in_the_order_of_their_paths() {
    let all = ["s/A.yaml", "s/a.yml", "s/b.yaml", "s/deep/er/c.yaml"];
    let table: [(&[&str], &[&str]); 14] = [
        (&["s"], &all),
        (&["s/"], &["s/A.yaml", "s/a.yml", "s/b.yaml", "s/deep/er/c.yaml"]),
        (&["./s"], &all),
        (&["."], &["s/A.yaml", "s/a.yml", "s/b.yaml", "s/deep/er/c.yaml", "t/b.yaml"]),
        (&["s", "s/b.yaml", "s/*.yaml"], &all),
        (&["./s/b.yaml", "s/b.yaml"], &["s/b.yaml"]),
        (&["t", "s/b.yaml"], &["s/b.yaml", "t/b.yaml"]),
        (&["s/*.yaml"], &["s/A.yaml", "s/b.yaml"]),
        (&["./s/*.yaml"], &["s/A.yaml", "s/b.yaml"]),
        (&["s/**/*.yaml"], &["s/A.yaml", "s/b.yaml", "s/deep/er/c.yaml"]),
        (&["*/b.yaml"], &["s/b.yaml", "t/b.yaml"]),
        (&["{s,t}/b.yaml"], &["s/b.yaml", "t/b.yaml"]),
        (&["s/[ab].y*ml"], &["s/a.yml", "s/b.yaml"]),
        (&["s/?.yml"], &["s/a.yml"]),
    ];
    for (arguments, expected) in table {
        let (status, found) = files(tree(arguments));
        assert_eq!((status, found.as_slice()), (2, expected.map_strings().as_slice()), "{arguments:?}");
    }
}

trait MapStrings {
    fn map_strings(&self) -> Vec<String>;
}

impl MapStrings for &[&str] {
    fn map_strings(&self) -> Vec<String> {
        self.iter().map(ToString::to_string).collect()
    }
}

#[test]
fn one_file_under_two_paths_is_one_file() {
    let akit = tree(&["s/b.yaml"]);
    let absolute = akit.folder().join("s/b.yaml").display().to_string();
    let (_, found) = files(akit.args(&["./s/b.yaml", "s/../s/b.yaml", &absolute]));
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn paths_without_scenarios_are_exit_code_three() {
    tree(&["nowhere.yaml"]).run().ended(3).err("no such file or folder: `nowhere.yaml`");
    tree(&["s", "nowhere"]).run().ended(3).err("no such file or folder: `nowhere`");
    tree(&["s/*.toml"]).run().ended(3).err("no .yaml or .yml file in `s/*.toml`");
    tree(&["q/*.yaml"]).run().ended(3).err("no .yaml or .yml file in `q/*.yaml`");
    tree(&["s/node_modules/../../t/none/**"]).run().ended(3);
    Akit::new(&["validate", "docs"]).file("docs/readme.md", "").run().ended(3).err("in `docs`");
    Akit::new(&["validate", ""]).run().ended(2);
    tree(&["s/[.yaml"]).run().ended(2).err("invalid glob `s/[.yaml`");
}

#[test]
fn without_a_path_the_configured_folder_is_read() {
    Akit::new(&["validate"]).run().ended(3).err("run `akit init` to create a first one");
    Akit::new(&["validate"]).file("scenarios/a.yaml", SUITE).run().ended(0).out("1 file with 1 case");
    Akit::new(&["validate"])
        .file("akit.yaml", "scenariosDir: suites\n")
        .file("suites/a.yaml", SUITE)
        .run()
        .ended(0)
        .out("1 file with 1 case");
    Akit::new(&["validate", "--config", "other/akit.yaml"])
        .file("other/akit.yaml", "scenariosDir: suites\n")
        .file("other/suites/a.yaml", SUITE)
        .run()
        .ended(0)
        .out("1 file with 1 case");
}

#[test]
fn configurations_are_checked_like_scenarios() {
    let table = [
        ("grader: { modle: x }\n", "did you mean `model`?"),
        ("provider: opnai\n", "did you mean `openai`?"),
        ("providers: { opnai: {} }\n", "unknown provider `opnai`"),
        ("model: ${NOWHERE}\n", "environment variable `NOWHERE` is not set"),
        ("gate: { min_pass_rate: 95 }\n", "a number from 0 to 1"),
        ("- a\n", "the configuration must be a mapping"),
        ("a: 'b\n", "invalid YAML"),
    ];
    for (config, expected) in table {
        for command in ["validate", "run"] {
            Akit::new(&[command, "a.yaml"])
                .file("a.yaml", SUITE)
                .file("akit.yaml", config)
                .run()
                .ended(2)
                .err(expected);
        }
    }
    Akit::new(&["validate", "a.yaml", "--config", "nowhere.yaml"])
        .file("a.yaml", SUITE)
        .run()
        .ended(2)
        .err("cannot read the configuration");
    Akit::new(&["validate", "a.yaml"]).file("a.yaml", SUITE).file("akit.yaml", "").run().ended(0);
}

#[test]
fn cases_of_one_name_in_two_files_are_refused() {
    let named = format!("name: same\n{SUITE}");
    Akit::new(&["validate", "a.yaml", "b.yaml"])
        .file("a.yaml", &named)
        .file("b.yaml", &named)
        .run()
        .ended(2)
        .err("duplicate case `same/a`, also in a.yaml:3");
    Akit::new(&["validate", "a.yaml", "b.yaml"]).file("a.yaml", SUITE).file("b.yaml", SUITE).run().ended(0);
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_broken_ones_do_not_stop_the_others() {
    use std::os::unix::fs::symlink;
    let akit = Akit::new(&["validate", "s"]).file("s/a.yaml", SUITE).file("elsewhere/b.yaml", SUITE);
    symlink("../elsewhere", akit.folder().join("s/linked")).unwrap();
    // Editors leave such links next to open files.
    symlink("user@host.123:456", akit.folder().join("s/.#a.yaml")).unwrap();
    symlink("nowhere", akit.folder().join("s/notes")).unwrap();
    akit.run().ended(0).out("2 files with 2 cases");

    let akit = Akit::new(&["validate", "s"]).file("s/a.yaml", SUITE);
    symlink(".", akit.folder().join("s/loop")).unwrap();
    akit.run().ended(0).out("1 file with 1 case");
}

#[test]
fn a_quarantine_next_to_the_scenarios_is_not_a_scenario() {
    let quarantine = "- { case: s/a, owner: o, reason: r, until: 2999-01-01 }\n";
    for paths in [&["scenarios"][..], &["."], &["scenarios/*.yaml"], &[]] {
        let ran = Akit::new(&["validate"])
            .args(paths)
            .file("scenarios/s.yaml", format!("name: s\n{SUITE}"))
            .file("scenarios/q.yaml", quarantine)
            .file("scenarios/akit.yaml", "gate: { quarantine: q.yaml }\n")
            .args(&["--config", "scenarios/akit.yaml"])
            .run();
        assert_eq!(
            (ran.status, ran.stdout.contains("1 file with 1 case")),
            (0, true),
            "{paths:?}: {}",
            ran.stderr
        );
    }
}

#[test]
fn brackets_in_a_folder_name_are_not_wildcards() {
    for (path, read) in [
        ("app/[locale]/evals/*.yaml", &["app/[locale]/evals/x.yaml"][..]),
        ("./app/[locale]/*/x.yaml", &["app/[locale]/evals/x.yaml"]),
        ("app/[locale]/evals/x.yaml", &["app/[locale]/evals/x.yaml"]),
        ("app/{a,b}/*.yaml", &["app/{a,b}/y.yaml"]),
        ("app/[lm]/z.yaml", &["app/l/z.yaml"]),
    ] {
        let akit = Akit::new(&["validate", path])
            .file("app/[locale]/evals/x.yaml", "cases: []\n")
            .file("app/{a,b}/y.yaml", "cases: []\n")
            .file("app/l/z.yaml", "cases: []\n");
        assert_eq!(files(akit), (2, read.map_strings()), "{path}");
    }
}

#[cfg(unix)]
#[test]
fn a_loop_of_links_is_skipped() {
    for path in ["*/s.yaml", "**/s.yaml", "evals", "."] {
        let akit =
            Akit::new(&["validate", path]).file("evals/s.yaml", "cases: []\n").file("other/note.txt", "");
        for (to, from) in
            [("..", "other/up"), (".", "evals/self"), ("../other", "evals/other"), ("b", "a"), ("a", "b")]
        {
            std::os::unix::fs::symlink(to, akit.folder().join(from)).unwrap();
        }
        let (status, mut found) = files(akit);
        found.dedup();
        assert_eq!((status, found), (2, vec!["evals/s.yaml".to_owned()]), "{path}");
    }
}
