//! Command lines of `ArtemisKit`, as docs/migrating.md lists them.

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

/// The rows of the table: the line, and what it is in akit.
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
        let words: Vec<_> = line.split(' ').collect();
        let ran = folder.then(&words).run();
        if let Some(instead) = here.strip_prefix("status 2: ") {
            assert!(!ran.stderr.contains("unexpected argument"), "{line}: {}", ran.stderr);
            let ran = ran.ended(2).err("of ArtemisKit has no like here").err(&format!("help: {instead}"));
            assert_eq!(ran.stdout, "", "{line}");
        } else {
            let ran = ran.ended(0).err("note: `").err(&here);
            for file in here.split('`').filter(|word| word.starts_with("--")) {
                // Of two forms the second is told for the other value.
                if let Some((_, path)) = file.split_once(' ').filter(|(_, path)| path.contains("/a"))
                    && (line.contains("markdown") || !path.contains(".md"))
                {
                    assert!(ran.path(path).exists(), "{line}: no {path}");
                }
            }
        }
    }
    for file in ["out/run.json", "akit-run.json", "artemis-output/run.html", "out/run.html"] {
        assert!(folder.path(file).exists(), "{file}");
    }
}

#[test]
fn a_pipeline_of_artemiskit_runs_as_it_is() {
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
    let ran = ran.err("`--ci` is ArtemisKit's").err("`--export junit` is").err("`--parallel 2` is");
    assert_eq!(ran.stderr.matches("note:").count(), 5, "{}", ran.stderr);
}

#[test]
fn a_regression_fails_with_the_bare_baseline_too() {
    let folder = folder();
    std::fs::write(folder.path("r.jsonl"), super::replies::replies(&[("a", "b")])).unwrap();
    let ran = folder.then(&["run", "--baseline", "x.yaml", "--confirm", "0"]).run().ended(1);
    assert!(ran.stdout.contains("akit-baseline.json"), "{}", ran.stdout);
}

#[test]
fn help_knows_nothing_of_it() {
    let help = Akit::new(&["run", "--help"]).run().ended(0).stdout;
    for flag in ["--ci", "--export", "--summary", "--save", "--parallel"] {
        assert!(!help.contains(&format!("{flag} ")), "{flag}");
    }
    let ran = Akit::new(&["gate", "--ci", "run.json"]).run().ended(2);
    assert!(!ran.stderr.contains("note:"), "{}", ran.stderr);
}

#[test]
fn hostile_words_are_told_without_their_escapes() {
    let ran = Akit::new(&["run", "--summary", "\u{1b}[31m\u{202e}x"]).run().ended(2).err("has no like here");
    assert!(!ran.stderr.contains(['\u{1b}', '\u{202e}']), "{:?}", ran.stderr);
}

#[test]
fn strict_validation_takes_warnings_for_errors() {
    let suite =
        "cases:\n  - id: a\n    prompt: p\n    expected: { type: not_contains, values: [x, y], mode: any }\n";
    let ran = Akit::new(&["validate", "x.yaml"]).file("x.yaml", suite).run().ended(0).out("1 warning");
    ran.then(&["validate", "--strict", "x.yaml"]).run().ended(2).out("1 warning");
}
