//! `akit doctor`, `akit completions` and `akit man`.

use serde_json::Value as Json;

use super::Akit;
use super::replies::{replies, suite};
use super::server::{Answer, Server};

/// Runs `doctor` in a folder with a suite for a model.
fn doctor(arguments: &[&str]) -> Akit {
    Akit::new(&[&["doctor", "s.yaml"], arguments].concat())
        .file("s.yaml", suite(&["a", "b"]))
        .env("PATH", "/usr/bin:/bin")
}

/// The checks on this subject, as `state message`.
fn about(found: &Json, about: &str) -> Vec<String> {
    let checks = found["checks"].as_array().unwrap().iter().filter(|check| check["about"] == about);
    checks
        .map(|check| format!("{} {}", check["state"].as_str().unwrap(), check["message"].as_str().unwrap()))
        .collect()
}

fn parsed(text: &str) -> Json {
    let found = serde_json::from_str(text).unwrap();
    super::schema::assert_matches(&found, "doctor.json");
    found
}

#[test]
fn a_sound_folder_is_all_ok_and_nothing_is_left_behind() {
    let akit = doctor(&["-m", "gpt-4o", "--format", "json"])
        .file("akit.yaml", "providers: { openai: { baseUrl: \"https://llm.example/v1\" } }\n")
        .env("OPENAI_API_KEY", "sk-very-secret");
    let folder = akit.folder().to_path_buf();
    let ran = akit.run().ended(0).err("0 bad");
    assert!(!(ran.stdout.clone() + &ran.stderr).contains("very-secret"));
    let found = parsed(&ran.stdout);
    assert_eq!(about(&found, "configuration"), ["ok akit.yaml"]);
    assert_eq!(about(&found, "scenarios"), ["ok 1 file with 2 cases"]);
    assert_eq!(
        about(&found, "answers"),
        [
            "ok openai gpt-4o at llm.example (provider by default, model by --model, address by akit.yaml): 2 cases"
        ]
    );
    assert_eq!(about(&found, "judge"), ["ok no expectation needs a judge"]);
    assert_eq!(about(&found, "keys"), ["ok OPENAI_API_KEY is set"]);
    assert_eq!(about(&found, "pipeline"), ["ok CI not detected"]);
    let mut left: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, ["akit.yaml", "s.yaml"]);
}

/// What is wrong, the files, the exit code, and part of the message.
type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], i32, &'a str);

/// The exit code is the one of `akit run` for the same files, before it sends anything.
#[test]
fn mistakes_have_the_exit_code_of_the_run() {
    let replied = "provider: replies\nproviderConfig: { file: r.jsonl }\n".to_owned() + &suite(&["a"]);
    let config = "gate: { baseline: { from: b.json } }\n";
    let answers = "{\"id\":\"a\",\"reply\":\"a\"}";
    let judged = "  - { id: b, prompt: p, tags: [judged], expected: { type: llm_grader, rubric: kind } }\n";
    let half = format!("{replied}{judged}");
    let weakened = "gate: { fail_on: [weakened] }\n";
    let select: [(&[&str], Row<'_>); 7] = [
        (
            &[],
            (
                "no base",
                &[("s.yaml", &replied), ("r.jsonl", answers), ("akit.yaml", weakened)],
                4,
                "`fail_on` lists `weakened`",
            ),
        ),
        // Nothing is sent, so nothing is recorded.
        (
            &["--cache", "record", "--cache-dir", "s.yaml/records"],
            ("", &[("s.yaml", &replied), ("r.jsonl", answers)], 0, "no model is asked"),
        ),
        (&["--case", "zz"], ("no such case", &[("s.yaml", &replied)], 3, "no case `zz`")),
        (&["-t", "none"], ("", &[("s.yaml", &replied)], 3, "no case matches")),
        (&["--sample", "x"], ("", &[("s.yaml", &replied)], 2, "x")),
        (&["-t", "!judged"], ("", &[("s.yaml", &half), ("r.jsonl", answers)], 0, "1 case selected")),
        (&["--case", "b"], ("", &[("s.yaml", &half), ("r.jsonl", answers)], 2, "no judge is configured")),
    ];
    for (flags, (_, files, status, explained)) in select {
        let with = |command: &str| {
            let akit = files
                .iter()
                .fold(Akit::new(&[command, "s.yaml"]), |akit, (name, text)| akit.file(name, text));
            akit.args(flags).env("PATH", "/usr/bin:/bin").run()
        };
        with("doctor").ended(status).out(explained);
        with("run").ended(status);
    }
    let rows: [Row<'_>; 7] = [
        ("no key", &[("s.yaml", &suite(&["a"]))], 2, "no key set for provider `openai` (1 case)"),
        (
            "a misspelt key",
            &[("s.yaml", "cases:\n  - id: a\n    promt: x\n    expected: { type: exact, value: x }\n")],
            2,
            "s.yaml:3: ",
        ),
        (
            "a misspelt setting",
            &[
                ("s.yaml", &replied),
                ("r.jsonl", "{\"id\":\"a\",\"reply\":\"a\"}"),
                ("akit.yaml", "modle: x\n"),
            ],
            2,
            "akit.yaml:1: ",
        ),
        (
            "a name that no case has",
            &[
                ("s.yaml", &replied),
                ("r.jsonl", "{\"id\":\"a\",\"reply\":\"a\"}"),
                ("akit.yaml", "gate: { critical: [{ case: s/b }] }\n"),
            ],
            2,
            "akit.yaml:1: ",
        ),
        (
            "a broken baseline",
            &[
                ("s.yaml", &replied),
                ("r.jsonl", "{\"id\":\"a\",\"reply\":\"a\"}"),
                ("akit.yaml", config),
                ("b.json", "{"),
            ],
            4,
            "b.json",
        ),
        ("no scenario", &[("t.txt", "")], 3, "s.yaml"),
        (
            "nothing",
            &[("s.yaml", &replied), ("r.jsonl", "{\"id\":\"a\",\"reply\":\"a\"}")],
            0,
            "replies in r.jsonl: 1 case",
        ),
    ];
    for (what, files, status, explained) in rows {
        let with = |arguments: &[&str]| {
            files
                .iter()
                .fold(Akit::new(arguments), |akit, (name, text)| akit.file(name, text))
                .env("PATH", "/usr/bin:/bin")
        };
        let ran = with(&["doctor", "s.yaml"]).run();
        assert_eq!(ran.status, status, "{what}: {}{}", ran.stdout, ran.stderr);
        let ran = ran.out(explained);
        assert_eq!(ran.stdout.contains("\nbad "), status != 0, "{what}: {}", ran.stdout);
        with(&["run", "s.yaml", "-m", "gpt-4o"][..if what == "no key" { 4 } else { 2 }]).run().ended(status);
    }
}

/// A mistake in a flag is reported as a run reports it.
#[test]
fn a_flag_that_a_run_refuses_is_an_error_for_doctor_too() {
    for command in ["doctor", "run"] {
        let akit = Akit::new(&[command, "s.yaml", "--redact-patterns", "("]).file("s.yaml", suite(&["a"]));
        akit.env("PATH", "/usr/bin:/bin").run().ended(2).err("`--redact-patterns`");
    }
}

/// `doctor` names the source of the provider, the model and the address.
#[test]
fn doctor_names_the_real_source_of_each_setting() {
    let case = |more: &str| {
        format!("cases: [{{ id: a, prompt: p, {more}expected: {{ type: exact, value: a }} }}]\n")
    };
    let own = "provider: openai\nproviderConfig: { baseUrl: \"http://127.0.0.1:9/v1\", defaultModel: own }\n";
    let config = "providers: { ollama: { defaultModel: shared, baseUrl: \"http://127.0.0.1:8/v1\" } }\n";
    let rows: [(&[&str], String, &str, &str); 8] = [
        // Settings of a scenario for its own provider do not apply to another one.
        (&[], format!("{own}{}", case("provider: ollama, model: m, ")), "", "s.yaml, s.yaml, default"),
        (&[], format!("{own}{}", case("provider: ollama, ")), config, "s.yaml, akit.yaml, akit.yaml"),
        (&["-p", "ollama"], format!("{own}{}", case("")), config, "--provider, akit.yaml, akit.yaml"),
        (&[], format!("{own}{}", case("")), config, "s.yaml, s.yaml, s.yaml"),
        (&["-m", "m"], format!("{own}{}", case("")), config, "s.yaml, --model, s.yaml"),
        (
            &["--base-url", "http://127.0.0.1:7/v1"],
            format!("{own}{}", case("model: m, ")),
            "model: other\n",
            "s.yaml, s.yaml, --base-url",
        ),
        (&[], case(""), "model: m\n", "default, akit.yaml, OPENAI_BASE_URL"),
        (&[], case(""), "provider: ollama\nmodel: m\n", "akit.yaml, akit.yaml, default"),
    ];
    for (flags, scenario, config, said_by) in rows {
        let ran = Akit::new(&["doctor", "s.yaml", "--format", "json"])
            .args(flags)
            .file("s.yaml", &scenario)
            .file("akit.yaml", config)
            .env("OPENAI_BASE_URL", "http://127.0.0.1:6/v1")
            .run()
            .ended(0);
        let answers = about(&parsed(&ran.stdout), "answers").join("\n");
        let [provider, model, address] = said_by.split(", ").collect::<Vec<_>>()[..] else { panic!() };
        let words = format!("(provider by {provider}, model by {model}, address by {address})");
        assert!(answers.contains(&words), "{flags:?} {scenario}{config}: {answers}");
    }
}

#[test]
fn every_setting_is_explained_with_its_line() {
    let config = "model: m\nproviders:\n  openai: { baseUrl: \"https://llm.example/v1?key=hidden\", maxRetries: 5 }\n\
                  grader:\n  model: j\n  votes: 3\ngate:\n  baseline: { margin: 0.05 }\n";
    let judged = "cases:\n  - id: a\n    prompt: p\n    timeout: 9000\n    expected: { type: llm_grader, rubric: kind }\n";
    let with = |arguments: &[&str]| {
        Akit::new(&[&["doctor", "s.yaml"], arguments].concat())
            .file("s.yaml", judged)
            .file("akit.yaml", config)
            .env("OPENAI_API_KEY", "sk-very-secret")
    };
    let ran = with(&["--explain", "--retries", "7", "--format", "json"]).run().ended(0);
    assert!(!ran.stdout.contains("secret") && !ran.stdout.contains("hidden"), "{}", ran.stdout);
    let found = parsed(&ran.stdout);
    let of = |of: &str, name: &str| {
        let part = found["settings"].as_array().unwrap().iter().find(|part| part["of"] == of).unwrap();
        let set = part["settings"].as_array().unwrap().iter().find(|set| set["name"] == name).unwrap();
        format!("{} from {}", set["value"].as_str().unwrap(), set["said_by"].as_str().unwrap())
    };
    for (part, name, said) in [
        ("1 case", "provider", "openai from the default"),
        ("1 case", "model", "m from `model` at akit.yaml:1"),
        ("1 case", "address", "https://llm.example/v1?… from `providers.openai.baseUrl` at akit.yaml:3"),
        ("1 case", "key", "set from OPENAI_API_KEY"),
        ("1 case", "timeout", "9000 ms from `cases.a.timeout` at s.yaml:4"),
        ("1 case", "retries", "7 from `--retries`"),
        ("the judge", "model", "j from `grader.model` at akit.yaml:5"),
        ("the judge", "retries", "7 from `--retries`"),
        ("the judge", "timeout", "60000 ms from the default"),
        ("the run", "votes", "3 from `grader.votes` at akit.yaml:6"),
        ("the run", "cache", "record from the default"),
        ("the run", "margin", "0.05 from `gate.baseline.margin` at akit.yaml:8"),
        ("the run", "confirm", "10 from the default"),
        ("the run", "min_pass_rate", "every case from the default"),
    ] {
        assert_eq!(of(part, name), said, "{part}: {name}");
    }
    let explained = with(&["--explain"]).run().ended(0);
    explained.out("settings of the judge").out("`grader.model` at akit.yaml:5").out("  margin ");
    let ran = with(&[]).run().ended(0);
    assert!(!ran.stdout.contains("settings of"), "{}", ran.stdout);
}

#[test]
fn doctor_does_not_contradict_itself() {
    let bare =
        || Akit::new(&["doctor", "s.yaml", "-m", "m", "--format", "json"]).file("s.yaml", suite(&["a"]));
    let found = parsed(&bare().run().ended(2).stdout);
    assert_eq!(about(&found, "answers"), ["bad no key set for provider `openai` (1 case)"]);
    assert_eq!(about(&found, "keys"), ["warn OPENAI_API_KEY is not set"]);
    assert!(about(&found, "prices")[0].starts_with("ok unknown for `m`"), "{found}");
    // Nothing is known of a configuration that cannot be read.
    let found = parsed(&bare().file("akit.yaml", "gate: { min_pas_rate: 1 }\n").run().ended(2).stdout);
    assert_eq!(about(&found, "policy"), ["warn not checked: the configuration has errors"]);
}

#[test]
fn keys_are_shown_only_by_name() {
    let ran = doctor(&["-m", "m"])
        .file("akit.yaml", "providers: { openai: { baseUrl: \"http://127.0.0.1:9/v1\", apiKey: \"${MY_KEY}\" } }\ngrader: { model: j, apiKey: \"${OTHER:-none}\" }\n")
        .env("MY_KEY", "hunter2-hunter2")
        .env("OTHER", "")
        .run()
        .ended(0)
        .out("MY_KEY is set, OPENAI_API_KEY is not set, OTHER is empty");
    assert!(!ran.stdout.contains("hunter2") && !ran.stdout.contains("15"), "{}", ran.stdout);
}

#[test]
fn a_baseline_is_shown_with_its_age_and_size() {
    let replied = "provider: replies\nproviderConfig: { file: r.jsonl }\n".to_owned() + &suite(&["a"]);
    let ran = Akit::new(&["run", "s.yaml", "--json", "run.json"])
        .file("s.yaml", replied)
        .file("r.jsonl", replies(&[("a", "a")]))
        .env("SOURCE_DATE_EPOCH", "1700000000")
        .run()
        .ended(0);
    ran.then(&["baseline", "update", "run.json"]).run().ended(0);
    ran.then(&["doctor", "s.yaml"]).run().ended(0).out("warn  baseline").out("no configuration names it");
    let named = ran
        .then(&["doctor", "s.yaml"])
        .file("akit.yaml", "gate: { baseline: { from: akit-baseline.json } }\n");
    named
        .run()
        .ended(0)
        .out("1 case of 1 run, newest of ")
        .out("it has 1 of the suite's 1 case, 1 thin")
        .out("help: add a newer run");
}

#[test]
fn the_network_is_used_only_with_online() {
    let sha = "0af".repeat(14)[..40].to_owned();
    let server = Server::start(|_| {
        let headers = vec![("x-oauth-scopes", "repo, ghp_secret".to_owned())];
        Answer::Raw(200, headers, b"{\"full_name\":\"a/b\"}".to_vec())
    });
    let address = server.url.trim_end_matches("/v1").to_owned();
    let with = |arguments: &[&str]| {
        doctor(&[&["--replies", "r.jsonl"], arguments].concat())
            .file("r.jsonl", replies(&[("a", "a"), ("b", "b")]))
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_API_URL", &address)
            .env("GITHUB_REPOSITORY", "a/b")
            .env("GITHUB_SHA", &sha)
            .env("GITHUB_EVENT_NAME", "push")
            .env("GITHUB_TOKEN", "ghp_secret")
    };
    let ran = with(&[]).run().ended(0).out("GITHUB_TOKEN is set; `--online` checks what it may do");
    assert_eq!(server.asked().len(), 0);
    let ran = ran.out("GitHub Actions, event push, the open change of the commit, commit 0af");
    assert!(!ran.stdout.contains("ghp_secret"));
    let ran = with(&["--online"]).run().ended(0).out("GITHUB_TOKEN can read the project; scopes repo, ***");
    assert!(!ran.stdout.contains("ghp_secret"), "{}", ran.stdout);
    let asked = server.asked();
    assert_eq!((asked.len(), asked[0].method.as_str(), asked[0].path.as_str()), (1, "GET", "/repos/a/b"));
    assert_eq!(asked[0].header("authorization"), Some("Bearer ghp_secret"));
}

#[test]
fn a_token_without_permission_is_a_warning_and_a_fork_is_named() {
    let server =
        Server::start(|_| Answer::Raw(404, Vec::new(), b"{\"message\":\"Not Found\\u001b[31m\"}".to_vec()));
    let event = r#"{"pull_request":{"number":7,"head":{"sha":"","repo":{"full_name":"else/b"}}}}"#;
    let akit = doctor(&["--replies", "r.jsonl", "--online"])
        .file("r.jsonl", replies(&[("a", "a"), ("b", "b")]))
        .file("event.json", event)
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_API_URL", server.url.trim_end_matches("/v1"))
        .env("GITHUB_REPOSITORY", "a/b")
        .env("GITHUB_EVENT_NAME", "pull_request")
        .env("GITHUB_TOKEN", "t");
    let path = akit.folder().join("event.json").to_str().unwrap().to_owned();
    let ran = akit.env("GITHUB_EVENT_PATH", &path).run().ended(0).out("change 7").out("from a fork");
    let ran = ran.out("the forge answered 404").out("help: the job needs `permissions:");
    assert!(!ran.stdout.contains('\u{1b}'));
}

#[test]
fn hostile_names_do_not_control_the_terminal() {
    let name = "e\u{1b}[31m\u{202e}.yaml";
    let ran = Akit::new(&["doctor", name])
        .file(name, "cases: []\nx\u{1b}: 1\n")
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_EVENT_NAME", "\u{1b}]0;x\u{7}::error::x\n::error::y")
        .run()
        .ended(2);
    assert!(!ran.stdout.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{:?}", ran.stdout);
    assert!(ran.stdout.lines().all(|line| !line.starts_with("::")), "{}", ran.stdout);
}

#[cfg(target_os = "linux")]
#[test]
fn a_shallow_clone_is_reported_with_a_way_to_deepen_it() {
    let ran = doctor(&["-m", "m"]).run();
    let git = |folder: &str, words: &[&str]| {
        let status = std::process::Command::new("git")
            .args(["-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main"])
            .args(words)
            .current_dir(ran.path(folder))
            .output()
            .unwrap();
        assert!(status.status.success(), "{words:?}: {}", String::from_utf8_lossy(&status.stderr));
    };
    std::fs::create_dir(ran.path("full")).unwrap();
    git("full", &["init", "-q"]);
    for message in ["one", "two"] {
        git("full", &["commit", "-q", "--allow-empty", "-m", message]);
    }
    git("full", &["checkout", "-q", "-b", "change"]);
    git("full", &["commit", "-q", "--allow-empty", "-m", "three"]);
    let from = format!("file://{}", ran.path("full").display());
    git(".", &["clone", "-q", "--depth", "1", "--branch", "change", &from, "thin"]);
    let there = |folder: &str| {
        ran.then(&["doctor", &format!("{folder}/s.yaml"), "-m", "m"])
            .file(&format!("{folder}/s.yaml"), suite(&["a"]))
            .env("PATH", "/usr/bin:/bin")
            .env("GITHUB_BASE_REF", "main")
            .run()
    };
    there("full").out("a change is compared with commit ");
    there("thin").out("warn  git").out("`fetch-depth: 0` for actions/checkout");
}

#[test]
fn completions_and_man_pages_come_from_the_command_line() {
    for (shell, sign) in [
        ("bash", "complete -F _akit"),
        ("zsh", "#compdef akit"),
        ("fish", "complete -c akit"),
        ("powershell", "Register-ArgumentCompleter"),
        ("elvish", "edit:completion"),
    ] {
        let ran =
            Akit::new(&["completions", shell]).run().ended(0).out(sign).out("baseline").out("min-pass-rate");
        assert_eq!(ran.stderr, "");
    }
    Akit::new(&["completions", "tcsh"]).run().ended(2).err("`tcsh` is not one of");
    Akit::new(&["man"]).run().ended(0).out(".TH akit 1").out("Release gate");
    let ran = Akit::new(&["man", "--out", "share/man1"]).run().ended(0);
    assert!(ran.read("share/man1/akit-run.1").contains("min\\-pass\\-rate"));
    assert!(ran.read("share/man1/akit-baseline-show.1").contains("akit baseline show"));
    let pages = std::fs::read_dir(ran.path("share/man1")).unwrap().count();
    assert!(ran.stderr.starts_with(&format!("{pages} pages")), "{}", ran.stderr);
    Akit::new(&["man", "--out", "f/g"]).file("f", "").run().ended(2).err("cannot write");
}

/// A policy under which nearly everything may fail only reports. If another vendor's API key is set, using it is the
/// quickest way to start.
#[test]
fn doctor_reports_a_gate_that_cannot_fail_and_sees_the_keys_that_are_set() {
    let with = |config: &str| {
        let files = Akit::new(&["doctor", "s.yaml", "--format", "json"]).file("akit.yaml", config);
        let found = parsed(
            &files
                .file(
                    "s.yaml",
                    "provider: replies\nproviderConfig: { file: r.jsonl }\n".to_owned() + &suite(&["a", "b"]),
                )
                .file("r.jsonl", replies(&[("a", "a"), ("b", "b")]))
                .run()
                .ended(0)
                .stdout,
        );
        about(&found, "policy").into_iter().filter(|one| one.contains("cannot fail")).collect::<Vec<_>>()
    };
    let words = "warn this gate cannot fail: it passes with 1 case of 2 failing";
    assert_eq!(with("gate: { min_pass_rate: 0 }\n"), [words]);
    for config in
        ["", "gate: { min_pass_rate: 0.9 }\n", "gate: { min_pass_rate: 0, critical: [{ case: s/b }] }\n"]
    {
        assert!(with(config).is_empty(), "{config}");
    }

    let bare = || Akit::new(&["doctor", "s.yaml", "-m", "m"]).file("s.yaml", suite(&["a"]));
    bare()
        .env("ANTHROPIC_API_KEY", "sk-secret")
        .run()
        .ended(2)
        .out("use `-p anthropic` (ANTHROPIC_API_KEY is set)");
    Akit::new(&["doctor"]).run().ended(3).out("help: run `akit init` to create a first one");
}
