//! `ArtemisKit` command lines, as docs/migrating.md lists them.

use super::Akit;
use super::akit::{Ran, repository};
use super::server::{Answer, Server};

/// A folder with a suite, its answers, a stored run of it and a baseline.
fn folder() -> Ran {
    let suite =
        "provider: replies\nproviderConfig: { file: r.jsonl }\n".to_owned() + &super::replies::suite(&["a"]);
    let ran = Akit::new(&["run", "x.yaml", "--json", "run.json"])
        .file("x.yaml", suite)
        .file("r.jsonl", super::replies::replies(&[("a", "a")]))
        .run()
        .ended(0);
    ran.then(&["baseline", "update", "run.json"]).run().ended(0)
}

/// The rows of the table: the command line, and its equivalent in akit.
fn rows() -> Vec<(String, String)> {
    let page = std::fs::read_to_string(repository().join("docs/migrating.md")).unwrap();
    let from = page.lines().skip_while(|line| *line != "| `artemiskit …` | in akit |").skip(2);
    let cells = from.map_while(|line| line.strip_prefix("| `")?.strip_suffix(" |")?.split_once("` | "));
    cells.map(|(line, here)| (line.to_owned(), here.to_owned())).collect()
}

#[test]
fn each_documented_line_does_what_the_page_says() {
    let rows = rows();
    assert!(rows.len() > 25, "{rows:?}");
    let folder = folder();
    for (line, here) in rows {
        let ran = folder.then(&line.split(' ').collect::<Vec<_>>()).run();
        let quoted: Vec<_> = here.split('`').skip(1).step_by(2).collect();
        if here.starts_with("exit code 2: ") {
            let ran = ran.ended(2).err("akit has no equivalent of ArtemisKit's `").err("help: ");
            let ran = quoted.iter().fold(ran, |ran, word| ran.err(word));
            assert_eq!(ran.stdout, "", "{line}");
        } else {
            let ran = ran.ended(0).err("note: ArtemisKit's `");
            // Only the first quoted text applies to this line; others are for other values.
            let first = quoted.first().filter(|word| !word.starts_with("akit ")).copied();
            let ran = ran.err(first.unwrap_or_default());
            if let Some((_, path)) = first
                .and_then(|first| first.split_once(' '))
                .filter(|(flag, path)| flag.starts_with("--") && path.contains('/'))
            {
                assert!(ran.path(path).exists(), "{line}: no {path}");
            }
        }
    }
    for file in ["akit-run.json", "d/akit.md", "d/akit-validation.xml"] {
        assert!(folder.path(file).exists(), "{file}");
    }
}

#[test]
fn an_artemiskit_pipeline_runs_unchanged() {
    let server = Server::start(|_| Answer::Text("a".to_owned()));
    let line =
        "run x.yaml -p openai -m gpt-4o --ci --export junit --export-output d --summary json --parallel 2 -v";
    let ran = Akit::new(&line.split(' ').collect::<Vec<_>>())
        .file("x.yaml", super::replies::suite(&["a"]))
        .env("OPENAI_API_KEY", "k")
        .env("OPENAI_BASE_URL", &server.url)
        .run()
        .ended(0);
    let run: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(run["cases"][0]["outcome"], "passed");
    assert!(ran.read("d/akit.xml").contains("<testsuites"));
    let ran = ran.err("`--ci` is not needed in akit").err("`--export junit` is `--junit d/akit.xml` in akit");
    assert_eq!(ran.stderr.matches("note: ArtemisKit").count(), 5, "{}", ran.stderr);
}

#[test]
fn a_regression_fails_with_the_bare_baseline_too() {
    let folder = folder();
    std::fs::write(folder.path("r.jsonl"), super::replies::replies(&[("a", "b")])).unwrap();
    let ran = folder.then(&["run", "--baseline", "x.yaml", "--confirm", "0"]).run().ended(1);
    assert!(ran.stdout.contains("akit-baseline.json"), "{}", ran.stdout);
}

#[test]
fn help_does_not_mention_it() {
    let help = Akit::new(&["run", "--help"]).run().ended(0).stdout;
    for flag in ["--ci", "--export", "--summary", "--save", "--parallel"] {
        assert!(!help.contains(&format!("{flag} ")), "{flag}");
    }
    let ran = Akit::new(&["gate", "--ci", "run.json"]).run().ended(2);
    assert!(!ran.stderr.contains("note:"), "{}", ran.stderr);
}

#[test]
fn hostile_arguments_are_printed_without_escapes() {
    let ran = Akit::new(&["run", "--summary", "\u{1b}[31m\u{202e}x"]).run().ended(2).err("no equivalent");
    assert!(!ran.stderr.contains(['\u{1b}', '\u{202e}']), "{:?}", ran.stderr);
}

#[test]
fn strict_validation_fails_on_warnings() {
    let suite =
        "cases:\n  - id: a\n    prompt: p\n    expected: { type: not_contains, values: [x, y], mode: any }\n";
    let ran = Akit::new(&["validate", "x.yaml"]).file("x.yaml", suite).run().ended(0).out("1 warning");
    ran.then(&["validate", "--strict", "x.yaml"]).run().ended(2).out("1 warning");
}
