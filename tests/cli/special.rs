//! Pipes, devices and folders in place of files: refused with a message, without waiting for them.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::Akit;
use super::akit::Ran;
use super::replies::replies;

const SUITE: &str =
    "name: s\ncases:\n  - { id: a, prompt: q, expected: { type: contains, values: [good] } }\n";

/// The start of a command and its other arguments, for tests of its flags.
type Row = (&'static [&'static str], &'static [&'static str]);

const COMMANDS: [Row; 14] = [
    (&["run"], &["s.yaml"]),
    (&["gate"], &["run.json"]),
    (&["report"], &["run.json"]),
    (&["comment"], &["run.json"]),
    (&["compare"], &["run.json", "run.json"]),
    (&["history"], &["run.json"]),
    (&["baseline", "update"], &["run.json", "--baseline", "b.json"]),
    (&["baseline", "accept"], &["s/a", "--reason", "x", "--baseline", "b.json"]),
    (&["validate"], &["s.yaml"]),
    (&["plan"], &["s.yaml"]),
    (&["regrade"], &["run.json", "run.json", "s.yaml"]),
    (&["calibrate"], &["labels.yaml", "--grader-model", "j"]),
    (&["prompts"], &["s.yaml"]),
    (&["cache", "export"], &["s.yaml"]),
];

/// Flags with an input file. `--history` also accepts a folder.
const READ: [&str; 7] =
    ["--config", "--replies", "--ca-bundle", "--history", "--from", "--run", "--suspects"];

/// Flags with an output file.
const WRITTEN: [&str; 11] = [
    "--json",
    "--junit",
    "--sarif",
    "--markdown",
    "--html",
    "--code-quality",
    "--open-metrics",
    "--annotations",
    "--dotenv",
    "--out",
    "--output",
];

/// The flags of a command that take a file, according to its help.
fn flags(command: &[&str]) -> Vec<String> {
    let help = Akit::new(command).arg("--help").run().ended(0).stdout;
    let takes = |line: &&str| {
        line.trim_start().starts_with('-')
            && ["<FILE>", "<PATH>", "<RUN>"].iter().any(|name| line.contains(name))
    };
    let flag = |line: &str| line.split_whitespace().find(|word| word.starts_with("--")).map(str::to_owned);
    help.lines().filter(takes).filter_map(flag).collect()
}

/// A folder with a file of each kind, a pipe without a writer, and a folder.
fn world() -> Ran {
    let ran = Akit::new(&["run", "s.yaml", "--replies", "r.jsonl", "--json", "run.json"])
        .file("s.yaml", SUITE)
        .file("r.jsonl", replies(&[("a", "good")]))
        .file("labels.yaml", "{\"answer\": \"x\", \"rubric\": \"y\", \"label\": \"pass\"}\n")
        .file("folder/x", "")
        .run()
        .ended(0);
    let ran = ran.then(&["baseline", "update", "run.json", "--baseline", "b.json"]).run().ended(0);
    pipe(&ran.path("pipe"));
    ran
}

fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// Runs it; kills it after a time that only a blocked process reaches.
#[track_caller]
fn run(akit: Akit, what: &str) -> Ran {
    let mut child = akit.command().stdout(Stdio::piped()).spawn().unwrap();
    let until = Instant::now() + Duration::from_secs(60);
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > until {
            child.kill().unwrap();
            panic!("{what} waits");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    akit.ran(child.wait_with_output().unwrap())
}

#[test]
fn every_flag_with_a_file_refuses_other_things() {
    let world = world();
    let (mut tried, mut wrong) = (0, Vec::new());
    let mut refused = |what: String, akit: Akit, words: &[&str]| {
        let ran = run(akit, &what);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        tried += 1;
        if ran.status != 2 || !words.iter().any(|word| said.contains(word)) {
            wrong.push(format!("{what} ended with {}: {said}", ran.status));
        }
    };
    for (command, rest) in COMMANDS {
        let flags = flags(command);
        for flag in &flags {
            let (paths, words) = if READ.contains(&flag.as_str()) {
                (["pipe", "/dev/zero"], ["pipe or a device", "no file"])
            } else {
                assert!(WRITTEN.contains(&flag.as_str()), "{command:?} {flag}: is it read or written?");
                (["pipe", "folder"], ["a pipe", "folder"])
            };
            for path in paths {
                // The command reads this file in place of another one.
                let rest = if flag == "--from" { &[] } else { rest };
                let akit = world.then(command).args(rest).args(&[flag, path]);
                // Arguments it needs to get as far as reading this file.
                let more: &[&str] = match (command, flag.as_str()) {
                    (["comment"], "--history") => &[],
                    (_, "--history") => &["--html", "out.html"],
                    (["baseline", "accept"], "--config") => &["--run", "run.json"],
                    (["cache", ..], "--output") | (["run"], _) if flag != "--replies" => {
                        &["--replies", "r.jsonl"]
                    }
                    (["cache", ..], "--replies") => &["--output", "out"],
                    (["cache", ..], _) => &["--output", "out", "--replies", "r.jsonl"],
                    _ => &[],
                };
                let akit = akit.args(more);
                let akit = if matches!(command, ["run"]) && flag == "--history" {
                    akit.args(&["--replies", "r.jsonl"])
                } else {
                    akit
                };
                refused(format!("{command:?} {flag} {path}"), akit.env("OPENAI_API_KEY", "x"), &words);
            }
        }
        // And in place of each file that it takes as an argument.
        for (index, _) in rest.iter().enumerate().filter(|(_, file)| file.contains('.')) {
            for path in ["pipe", "/dev/zero"] {
                let mut rest = rest.to_vec();
                rest[index] = path;
                let output: &[&str] =
                    if *command == ["cache", "export"] { &["--output", "out"] } else { &[] };
                let akit = world.then(command).args(&rest).args(output).env("OPENAI_API_KEY", "x");
                refused(format!("{command:?} {rest:?}"), akit, &["pipe or a device", "a pipe", "no file"]);
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {tried}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(tried > 100, "{tried}");
}

#[test]
fn files_named_in_files_are_checked_as_well() {
    let world = world();
    let mut wrong = Vec::new();
    for (configuration, suite) in [
        ("gate: { quarantine: pipe }\n", SUITE.to_owned()),
        ("gate: { baseline: { from: pipe } }\n", SUITE.to_owned()),
        (
            "grader: { model: j, calibration: { file: pipe } }\n",
            SUITE.replace("{ type: contains, values: [good] }", "{ type: llm_grader, rubric: x }"),
        ),
        ("", SUITE.replace("cases:", "provider: replies\nproviderConfig: { file: pipe }\ncases:")),
    ] {
        let akit = world.then(&["run", "s.yaml", "--replies", "r.jsonl"]);
        let akit = akit.file("akit.yaml", configuration).file("s.yaml", &suite).env("OPENAI_API_KEY", "x");
        let akit = if configuration.is_empty() { world.then(&["run", "s.yaml"]) } else { akit };
        let ran = run(akit, configuration);
        let said = format!("{}{}", ran.stderr, ran.stdout);
        if !said.contains("pipe or a device") || ran.status == 0 {
            wrong.push(format!("{configuration}{suite}: {said}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for name in ["GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT", "GITHUB_EVENT_PATH"] {
        let akit = world
            .then(&["run", "s.yaml", "--replies", "r.jsonl"])
            .file("akit.yaml", "")
            .file("s.yaml", SUITE);
        run(akit.env("GITHUB_ACTIONS", "true").env(name, "pipe"), name).ended(0);
    }
}

/// The HTTPS library reads these on its own.
#[test]
fn certificates_named_by_a_variable_must_be_files() {
    let world = world();
    std::fs::create_dir(world.path("certificates")).unwrap();
    pipe(&world.path("certificates/0a1b2c3d.0"));
    let asking = || {
        world
            .then(&["run", "s.yaml", "-m", "m", "--base-url", "https://127.0.0.1:1/v1"])
            .env("OPENAI_API_KEY", "x")
    };
    for (name, path) in
        [("SSL_CERT_FILE", "pipe"), ("SSL_CERT_FILE", "/dev/zero"), ("SSL_CERT_DIR", "certificates")]
    {
        let ran = run(asking().env(name, path), name).ended(2);
        let _ = ran.err(&format!("{name} names a pipe or a device"));
    }
    run(asking().env("SSL_CERT_FILE", "none").env("SSL_CERT_DIR", "folder"), "no certificates").ended(4);
}

#[test]
fn reports_are_not_written_to_devices() {
    let world = world();
    for path in ["/dev/zero", "/dev/random", "/dev/urandom", "/dev/ptmx"] {
        let ran = run(world.then(&["run", "s.yaml", "--replies", "r.jsonl", "--junit", path]), path).ended(2);
        let _ = ran.err("a device, not a file");
    }
}

/// Shells use paths below `/dev` for redirections.
#[test]
fn reports_are_written_to_standard_streams() {
    let world = world();
    for path in ["/dev/stdout", "/dev/stderr", "/dev/null", "/dev/fd/1", "-"] {
        run(world.then(&["run", "s.yaml", "--replies", "r.jsonl", "--json", path]), path).ended(0);
    }
}

#[test]
fn the_cache_reads_only_regular_files_of_limited_size() {
    use std::os::unix::fs::symlink;

    let server = super::server::Server::start(|_| super::server::Answer::Text("good".to_owned()));
    let ask = |ran: &Ran, more: &[&str]| {
        let akit = ran
            .then(&["run", "s.yaml", "--model", "m", "--target-version", "1", "--base-url", &server.url])
            .args(more);
        run(akit.env("OPENAI_API_KEY", "x"), "a run")
    };
    let world = world();
    let recorded = ask(&world, &[]).ended(0);
    let shelf = std::fs::read_dir(recorded.path(".akit/cache")).unwrap().next().unwrap().unwrap().path();
    let record = std::fs::read_dir(&shelf).unwrap().next().unwrap().unwrap().path();
    let whole = std::fs::read(&record).unwrap();
    // Above the limit through trailing whitespace, which JSON allows.
    let mut large = whole.clone();
    large.resize(32 * 1024 * 1024, b' ');
    std::fs::write(&record, &large).unwrap();
    ask(&world, &["--replay"]).ended(0);
    large.push(b' ');
    std::fs::write(&record, &large).unwrap();
    ask(&world, &["--replay"]).ended(4).out("the limit is 33554432");
    std::fs::remove_file(&record).unwrap();
    pipe(&record);
    ask(&world, &["--replay"]).ended(4).out("links and special files");
    std::fs::remove_file(&record).unwrap();

    // Nothing is written, pruned or removed behind a link.
    std::fs::remove_dir(&shelf).unwrap();
    let victim = world.path("victim");
    std::fs::create_dir(&victim).unwrap();
    for name in [record.file_name().unwrap().to_str().unwrap(), ".akit-0-1-2"] {
        std::fs::write(victim.join(name), "mine").unwrap();
    }
    symlink(&victim, &shelf).unwrap();
    ask(&world, &[]).ended(0).out("cannot record answers");
    let same = ["run", "s.yaml", "--model", "m", "--target-version", "1", "--base-url", &server.url];
    let cache = |command: &str| {
        let akit = world.then(&["cache", command, "s.yaml"]).args(&same[2..]);
        let akit = if command == "prune" { akit.arg("--unused") } else { akit };
        run(akit.env("OPENAI_API_KEY", "x"), command)
    };
    cache("verify").ended(1).out("links and special files");
    cache("prune");
    assert!(
        std::fs::read_dir(&victim).unwrap().count() == 2,
        "{:?}",
        std::fs::read_dir(&victim).unwrap().collect::<Vec<_>>()
    );
    assert_eq!(std::fs::read_to_string(victim.join(record.file_name().unwrap())).unwrap(), "mine");
    let _ = std::fs::remove_file(&shelf);

    // In a pipeline, not behind a linked cache folder either; outside of one, it is the user's own folder.
    std::fs::remove_dir_all(world.path(".akit/cache")).unwrap();
    symlink(&victim, world.path(".akit/cache")).unwrap();
    let akit = world.then(&same).env("OPENAI_API_KEY", "x").env("CI", "true");
    run(akit, "CI").ended(2).err("through the link `.akit/cache`");
    assert_eq!(std::fs::read_dir(&victim).unwrap().count(), 2);
    ask(&world, &[]).ended(0);
    assert_eq!(std::fs::read_dir(&victim).unwrap().count(), 3);
}
