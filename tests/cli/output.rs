//! Reports: where they go, what prevents them, and that stdout and colors work as documented.

use std::process::Stdio;

use super::Akit;
use super::replies::{replies, suite};
use super::server::{Answer, Server};

fn run(arguments: &[&str]) -> Akit {
    Akit::new(&["run", "s.yaml", "--replies", "r.jsonl"])
        .args(arguments)
        .file("s.yaml", suite(&["a", "b"]))
        .file("r.jsonl", replies(&[("a", "a"), ("b", "no")]))
}

#[test]
fn only_the_report_is_on_stdout_and_the_console_goes_to_stderr() {
    let json = run(&["--json", "-"]).run().ended(1).err("RESULT: FAIL");
    let report: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(
        (report["schema"].as_str(), report["counts"]["failed"].as_u64()),
        (Some("akit.run/2"), Some(1))
    );
    let junit = run(&["--junit", "-"]).run().ended(1).err("RESULT: FAIL");
    assert!(junit.stdout.starts_with("<?xml") && !junit.stdout.contains("RESULT: "), "{}", junit.stdout);
    let sarif = run(&["--sarif", "-"]).run().ended(1).err("RESULT: FAIL");
    serde_json::from_str::<serde_json::Value>(&sarif.stdout).unwrap();
    let markdown = run(&["--markdown", "-"]).run().ended(1).err("RESULT: FAIL");
    assert!(!markdown.stdout.contains("RESULT: FAIL"), "{}", markdown.stdout);
}

#[test]
fn two_reports_cannot_share_a_path() {
    run(&["--json", "-", "--junit", "-"]).run().ended(2).err("only one report can go to stdout");
    for other in ["out.x", "./out.x"] {
        let ran = run(&["--json", "out.x", "--sarif", other]).run().ended(2).err("two reports");
        assert!(!ran.path("out.x").exists());
    }
    run(&["--json", "/dev/null", "--sarif", "/dev/null"]).run().ended(1);
}

#[test]
fn a_report_cannot_replace_an_input() {
    for input in ["s.yaml", "./r.jsonl", "b.json"] {
        let ran = run(&["--baseline", "b.json", "--json", input])
            .file("b.json", "{\"schema\":\"akit.baseline/1\",\"cases\":[]}")
            .run()
            .ended(2)
            .err("is an input and would be replaced by a report");
        assert_eq!(ran.read("s.yaml"), suite(&["a", "b"]));
    }
    let ran =
        Akit::new(&["validate", "s.yaml", "--json", "s.yaml"]).file("s.yaml", suite(&["a"])).run().ended(2);
    assert_eq!(ran.read("s.yaml"), suite(&["a"]));
}

#[test]
fn colors_follow_pipe_and_environment() {
    let has_colour = |akit: Akit| {
        let ran = akit.run();
        (ran.stdout.contains('\u{1b}'), ran.stderr.contains('\u{1b}'))
    };
    assert_eq!(has_colour(run(&[])), (false, false));
    assert_eq!(has_colour(run(&["--json", "-"]).env("CLICOLOR_FORCE", "1")), (false, true));
    assert!(has_colour(run(&[]).env("CLICOLOR_FORCE", "1")).0);
    assert_eq!(has_colour(run(&[]).env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1")), (false, false));
    let wrong = || Akit::new(&["validate", "s.yaml"]).file("s.yaml", "cases: 1\n");
    assert_eq!(has_colour(wrong()), (false, false));
    assert_eq!(has_colour(wrong().env("CLICOLOR_FORCE", "1")), (false, true));
    assert_eq!(has_colour(wrong().env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1")), (false, false));
    for name in ["--json", "--junit", "--sarif", "--markdown"] {
        let ran = run(&[name, "out"]).env("CLICOLOR_FORCE", "1").run();
        assert!(!ran.read("out").contains('\u{1b}'), "{name}");
    }
}

#[test]
fn missing_folders_are_created_and_nothing_else_is_left_there() {
    let ran = run(&["--json", "a/b/run.json", "--junit", "a/b/c/run.xml"]).run().ended(1);
    assert!(ran.path("a/b/run.json").is_file() && ran.path("a/b/c/run.xml").is_file());
    assert_eq!(std::fs::read_dir(ran.path("a/b/c")).unwrap().count(), 1);
}

#[test]
fn unwritable_paths_are_refused_before_the_first_request() {
    let server = Server::start(|_| Answer::Text("a".to_owned()));
    for (path, expected) in [
        ("folder", "cannot write `folder`: it is a folder"),
        ("s.yaml/under.json", "cannot write `s.yaml/under.json`"),
        ("/proc/akit/run.json", "cannot write `/proc/akit/run.json`"),
        ("", "a value is required"),
    ] {
        for format in ["--json", "--junit", "--sarif", "--markdown"] {
            let ran = Akit::new(&["run", "s.yaml", "-m", "m", "--base-url", &server.url, format, path])
                .file("s.yaml", suite(&["a"]))
                .file("folder/x", "")
                .run()
                .ended(2)
                .err(expected);
            assert_eq!(ran.stdout, "");
        }
    }
    assert!(server.asked().is_empty());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_reported_and_does_not_change_the_decision() {
    run(&["--json", "/dev/full"]).run().ended(1).err("could not write `/dev/full`: no space left on device");
    run(&["--json", "/dev/full", "-t", "!x", "--case", "a"]).run().ended(0).err("the exit code still gives");
    let full = || Stdio::from(std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
    for arguments in [&["--json", "-"][..], &[]] {
        let akit = run(arguments);
        let output = akit.command().stdout(full()).output().unwrap();
        akit.ran(output).ended(1).err("could not write to stdout: no space left on device");
    }
    // These commands have no purpose but their output.
    for arguments in [&["schema"][..], &["completions", "bash"], &["man"], &["import", "promptfoo", "c.yaml"]]
    {
        let suite = "prompts: [hi]\ntests: [{ assert: [{ type: contains, value: a }] }]\n";
        let akit = Akit::new(arguments).file("c.yaml", suite);
        let output = akit.command().stdout(full()).output().unwrap();
        akit.ran(output).ended(2).err("could not write to stdout: no space left on device");
    }
}

#[cfg(unix)]
#[test]
fn a_closed_pipe_does_not_panic() {
    for arguments in [&["run", "s.yaml", "--replies", "r.jsonl", "--json", "-"][..], &["schema"], &["--help"]]
    {
        let akit = Akit::new(arguments).file("s.yaml", suite(&["a"])).file("r.jsonl", replies(&[("a", "a")]));
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = akit.command().stdout(writer).output().unwrap();
        let ran = akit.ran(output).ended(0);
        assert!(!ran.stderr.contains("error:"), "{}", ran.stderr);
    }
    let akit = run(&[]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = akit.command().stderr(writer).output().unwrap();
    akit.ran(output).ended(1).out("RESULT: FAIL");
}

#[cfg(unix)]
#[test]
fn a_report_through_a_link_replaces_the_links_target() {
    let akit = run(&["--json", "link.json"]).file("real.json", "old");
    std::os::unix::fs::symlink("real.json", akit.folder().join("link.json")).unwrap();
    let ran = akit.run().ended(1);
    assert!(ran.path("link.json").is_symlink() && ran.read("real.json").starts_with('{'));
}

#[test]
fn reports_of_one_run_are_reproducible() {
    let formats = ["--json", "--junit", "--sarif", "--markdown"];
    for format in formats {
        let first = run(&[format, "-"]).run().ended(1);
        assert_eq!(run(&[format, "-", "-c", "1"]).run().ended(1).stdout, first.stdout, "{format}");
    }
}
