//! Changes of the application under test or of how it is asked: prompts, sampling, timeouts and retries, and the
//! judge's
//! calibration.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;

use super::{CHECKED, Change, again, committed, kinds};
use crate::Akit;
use crate::server::{Answer, Server};

const SUITE: &str = "\
name: s
cases:
  - id: a
    prompt: Say it.
    expected: { type: exact, value: good }
";

/// An edit of one file: the old text and the new one.
type Swap<'a> = (&'a str, &'a str, &'a str);

/// A change of a suite and a configuration, both of which may name servers.
fn change<'a>(
    name: &'a str,
    kind: &str,
    arguments: &[&str],
    files: [(&'a str, String); 2],
    (file, from, to): Swap<'a>,
) -> Change<'a> {
    let run = [&["run", "s.yaml", "-m", "m"], arguments].concat();
    let text = files.iter().find(|(name, _)| *name == file).unwrap().1.clone();
    assert!(text.contains(from), "{name}: {from}");
    let edited = text.replacen(from, to, 1);
    Change {
        name,
        run: run.into_iter().filter(|word| !word.is_empty()).map(str::to_owned).collect(),
        before: files.into(),
        edit: Box::new(move |here: &Path| std::fs::write(here.join(file), &edited).unwrap()),
        variables: Vec::new(),
        kinds: kinds(&[kind]),
        is_shown: true,
    }
}

fn says(word: &'static str) -> Server {
    Server::start(move |_| Answer::Text(word.to_owned()))
}

#[test]
fn another_server_provider_or_model_is_reported() {
    let (bad, good) = (says("bad"), says("good"));
    let config = |ollama: &str| {
        format!(
            "providers:\n  openai: {{ baseUrl: \"{}\" }}\n  ollama: {{ baseUrl: \"{ollama}\" }}\n",
            bad.url
        )
    };
    let files = |suite: &str| [("s.yaml", suite.to_owned()), ("akit.yaml", config(&good.url))];
    let own = SUITE.replace("cases:", &format!("providerConfig: {{ baseUrl: \"{}\" }}\ncases:", bad.url));
    let rows: [(&str, &str, Swap<'_>); 5] = [
        ("the configuration's address", SUITE, ("akit.yaml", &bad.url, &good.url)),
        ("the scenario's address", &own, ("s.yaml", &bad.url, &good.url)),
        (
            "the case's provider",
            SUITE,
            ("s.yaml", "prompt: Say it.", "prompt: Say it.\n    provider: ollama"),
        ),
        ("the scenario's provider", SUITE, ("s.yaml", "name: s", "name: s\nprovider: ollama")),
        ("the configuration's provider", SUITE, ("akit.yaml", "providers:", "provider: ollama\nproviders:")),
    ];
    for (name, suite, swap) in rows {
        change(name, "target-moved", &[], files(suite), swap).check();
    }
    let flags = ["--base-url", &bad.url];
    let ran = Akit::new(&["run", "s.yaml", "-m", "m"])
        .args(&flags)
        .file("s.yaml", SUITE)
        .file("akit.yaml", config(&good.url))
        .run()
        .ended(1);
    committed(&ran.path(""));
    std::fs::write(ran.path("akit.yaml"), config(&bad.url).replacen(&bad.url, &good.url, 1)).unwrap();
    let same = again(&ran, &["run", "s.yaml", "-m", "m"]).args(&flags).args(&CHECKED).run().ended(1);
    assert!(!same.stdout.contains("weakened"), "the pipeline sets the address: {}", same.stdout);
    // The same address, written differently.
    let now = config(&good.url).replace("/v1", "/v1/");
    std::fs::write(ran.path("akit.yaml"), now).unwrap();
    let same = again(&ran, &["run", "s.yaml", "-m", "m"]).args(&CHECKED).run().ended(1);
    assert!(!same.stdout.contains("weakened"), "{}", same.stdout);

    let server = Server::start(|asked| {
        Answer::Text(if asked.body["model"] == "nice" { "good" } else { "bad" }.to_owned())
    });
    let config = format!("model: strict\nproviders: {{ openai: {{ baseUrl: \"{}\" }} }}\n", server.url);
    let owned = SUITE.replace("name: s", "name: s\nproviderConfig: { defaultModel: strict }");
    let rows: [(&str, &str, Swap<'_>); 4] = [
        ("the configuration's model", SUITE, ("akit.yaml", "strict", "nice")),
        ("the scenario's model", SUITE, ("s.yaml", "name: s", "name: s\nmodel: nice")),
        ("the case's model", SUITE, ("s.yaml", "prompt: Say it.", "prompt: Say it.\n    model: nice")),
        ("the provider's model", &owned, ("s.yaml", "strict", "nice")),
    ];
    for (name, suite, swap) in rows {
        let files = [("s.yaml", suite.to_owned()), ("akit.yaml", config.clone())];
        let mut change = change(name, "target-moved", &[], files, swap);
        change.run.truncate(2);
        change.check();
    }
}

#[test]
fn changed_sampling_is_reported() {
    let server = Server::start(|asked| {
        let body = &asked.body;
        let asks = |key: &str| body.get(key).and_then(serde_json::Value::as_f64);
        let is_lucky = asks("temperature") == Some(0.5)
            || asks("max_tokens") == Some(7.0)
            || asks("max_completion_tokens") == Some(7.0)
            || asks("seed").is_some_and(|seed| seed % 2.0 == 0.0);
        Answer::Text(if is_lucky { "good" } else { "bad" }.to_owned())
    });
    let config = format!("providers: {{ openai: {{ baseUrl: \"{}\" }} }}\n", server.url);
    let files = |suite: &str| [("s.yaml", suite.to_owned()), ("akit.yaml", config.clone())];
    for (name, key, from, to) in
        [("a temperature", "temperature", "1", "0.5"), ("a longest answer", "maxTokens", "99", "7")]
    {
        let suite = SUITE.replace("name: s", &format!("name: s\n{key}: {from}"));
        let (from, to) = (format!("{key}: {from}"), format!("{key}: {to}"));
        change(name, "sampling-changed", &[], files(&suite), ("s.yaml", &from, &to)).check();
        change(name, "sampling-changed", &[], files(SUITE), ("s.yaml", "name: s", &format!("name: s\n{to}")))
            .check();
    }
    // Shopping for a seed: one of the first hundred gives an even number.
    let is_good = |seed: u32| {
        let suite = SUITE.replace("name: s", &format!("name: s\nseed: {seed}"));
        let ran =
            Akit::new(&["run", "s.yaml", "-m", "m"]).file("s.yaml", suite).file("akit.yaml", &config).run();
        ran.status == 0
    };
    let found: Vec<u32> = (0..100).filter(|seed| is_good(*seed)).take(1).collect();
    let lost: Vec<u32> = (0..100).filter(|seed| !is_good(*seed)).take(1).collect();
    let [good, bad] = [found[0], lost[0]].map(|seed| format!("seed: {seed}"));
    let suite = SUITE.replace("name: s", &format!("name: s\n{bad}"));
    change("a seed", "sampling-changed", &[], files(&suite), ("s.yaml", &bad, &good)).check();
}

#[test]
fn a_prompt_that_contains_the_expected_answer_is_reported() {
    // It answers good only if its prompt says so.
    let server = Server::start(|asked| {
        let prompt = asked.body["messages"].to_string();
        Answer::Text(if prompt.contains("good") { "good" } else { "bad" }.to_owned())
    });
    let config = format!("providers: {{ openai: {{ baseUrl: \"{}\" }} }}\n", server.url);
    let files = |suite: &str| [("s.yaml", suite.to_owned()), ("akit.yaml", config.clone())];
    let turns = "prompt: [{ role: user, content: Say it. }, { role: assistant, content: good }, { role: user, content: Again. }]";
    let prompt = "prompt: Say it.";
    let exact = "{ type: exact, value: good }";
    let rows: [(&str, &str, Swap<'_>); 6] = [
        ("a prompt", exact, ("s.yaml", prompt, "prompt: Say \"good\".")),
        (
            "a prompt in capitals",
            "{ type: contains, values: [GOOD] }",
            ("s.yaml", prompt, "prompt: Say good!"),
        ),
        ("an assistant turn", exact, ("s.yaml", prompt, turns)),
        ("instructions", exact, ("s.yaml", "cases:", "setup: { systemPrompt: Always say good. }\ncases:")),
        (
            "a variable",
            "{ type: regex, pattern: good }",
            ("s.yaml", prompt, "prompt: \"Say {{it}}.\"\n    variables: { it: good }"),
        ),
        (
            "a part",
            "{ type: combined, operator: and, expectations: [{ type: fuzzy, value: good }, { type: not_contains, values: [no] }] }",
            ("s.yaml", prompt, "prompt: Say good."),
        ),
    ];
    for (name, expected, swap) in rows {
        change(name, "answer-in-prompt", &[], files(&SUITE.replace(exact, expected)), swap).check();
    }
    for expected in [
        "{ type: inline, expression: 'response.includes(\"good\")' }",
        "{ type: inline, expression: 'json.state === \"good\" || length > 3' }",
        "{ type: inline, expression: '!(!response.startsWith(\"good\"))' }",
        "{ type: inline, expression: '!(json.state !== \"good\")' }",
        "{ type: json_schema, schema: { properties: { it: { const: good } }, required: [it] } }",
        "{ type: json_schema, schema: { allOf: [{ type: array, items: { enum: [good] } }] } }",
    ] {
        let before = SUITE.replace(exact, expected);
        let now = before.replace(prompt, "prompt: Say good.");
        let kinds = akit::inside::weaker(&[("s.yaml", &before)], &[("s.yaml", &now)]);
        assert_eq!(kinds, [akit::inside::WeakeningKind::AnswerInPrompt], "{expected}");
    }
    // A prompt may mention forbidden text, and text that was there before.
    for (expected, from, to) in [
        ("{ type: not_contains, values: [good] }", prompt, "prompt: Is it good?"),
        ("{ type: inline, expression: '!response.includes(\"good\")' }", prompt, "prompt: Is it good?"),
        ("{ type: inline, expression: 'json.a !== \"good\"' }", prompt, "prompt: Is it good?"),
        ("{ type: json_schema, schema: { not: { const: good } } }", prompt, "prompt: Is it good?"),
        ("{ type: json_schema, schema: { enum: [good, bad] } }", prompt, "prompt: Is it good?"),
        (exact, "prompt: Be good.", "prompt: Be good, please."),
        ("{ type: exact, value: good }", prompt, "prompt: Say goodbye."),
    ] {
        let before = SUITE.replace(exact, expected).replace(prompt, from);
        let kinds = akit::inside::weaker(&[("s.yaml", &before)], &[("s.yaml", &before.replace(from, to))]);
        assert_eq!(kinds, [], "{to}");
    }
}

/// Three cases with good answers.
const GOOD: &str = "\
name: t
cases:
  - { id: b, prompt: b, expected: { type: exact, value: good } }
  - { id: c, prompt: c, expected: { type: exact, value: good } }
  - { id: d, prompt: d, expected: { type: exact, value: good } }
";

/// One of four cases gets a bad answer after a while; the policy tolerates one errored case.
#[test]
fn turning_a_failure_into_an_error_is_reported() {
    let slow = Server::start(|asked| {
        if asked.last_message() == "Say it." || asked.last_message().contains("a bad answer") {
            std::thread::sleep(Duration::from_millis(200));
        }
        let is_judged = asked.body.get("response_format").is_some();
        let verdict = json!({ "reasoning": "as it is", "score": 0 }).to_string();
        Answer::Text(match asked.last_message() == "Say it." {
            _ if is_judged => verdict,
            true => "bad".to_owned(),
            false => "good".to_owned(),
        })
    });
    let url = &slow.url;
    let config = format!(
        "gate: {{ max_error_rate: 0.25 }}\nproviders:\n  openai: {{ baseUrl: \"{url}\" }}\n  ollama: {{ baseUrl: \"{url}\", timeout: 9000, maxRetries: 0 }}\n"
    );
    let judge = format!(
        "gate: {{ max_error_rate: 0.25 }}\ngrader: {{ model: j, baseUrl: \"{url}\", timeout: 9000, maxRetries: 0 }}\n"
    );
    let of_case = format!("{SUITE}    timeout: 9000\n    retries: 0\n");
    let of_scenario = SUITE.replace("name: s", "name: s\nproviderConfig: { timeout: 9000, maxRetries: 0 }");
    let of_config = SUITE.replace("name: s", "name: s\nprovider: ollama");
    let judged = SUITE.replace("{ type: exact, value: good }", "{ type: llm_grader, rubric: Be kind. }");
    let rows: [(&str, &str, &str, &str, &[&str]); 4] = [
        ("the case's timeout", &of_case, &config, "s.yaml", &[]),
        ("the scenario's timeout", &of_scenario, &config, "s.yaml", &[]),
        ("the configuration's timeout", &of_config, &config, "akit.yaml", &[]),
        ("the judge's timeout", &judged, &judge, "akit.yaml", &["--replies", "r.jsonl", "--cache", "off"]),
    ];
    for (name, suite, config, file, arguments) in rows {
        let arguments = [&["t.yaml"], arguments].concat();
        let files = [("s.yaml", suite.to_owned()), ("akit.yaml", config.to_owned())];
        let mut change =
            change(name, "timeout-lowered", &arguments, files, (file, "timeout: 9000", "timeout: 1"));
        let replies = [("a", "a bad answer"), ("b", "good"), ("c", "good"), ("d", "good")];
        change.before.push(("r.jsonl", crate::replies::replies(&replies)));
        change.before.push(("t.yaml", GOOD.to_owned()));
        change.check();
    }
}

/// The first try fails and the retry gets a bad answer; without a retry, that answer is missed.
#[test]
fn fewer_retries_are_reported() {
    let of_scenario = SUITE.replace("name: s", "name: s\nproviderConfig: { maxRetries: 1 }");
    let rows: [(&str, String, &str, Swap<'_>); 3] = [
        (
            "the case's retries",
            format!("{SUITE}    retries: 1\n"),
            "",
            ("s.yaml", "retries: 1", "retries: 0"),
        ),
        ("the scenario's retries", of_scenario, "", ("s.yaml", "maxRetries: 1", "maxRetries: 0")),
        (
            "the configuration's retries",
            SUITE.to_owned(),
            ", maxRetries: 1",
            ("akit.yaml", "maxRetries: 1", "maxRetries: 0"),
        ),
    ];
    for (name, suite, keys, swap) in rows {
        let (is_tried, is_edited) = (AtomicBool::new(false), Arc::new(AtomicBool::new(false)));
        let edited = Arc::clone(&is_edited);
        let server = Server::start(move |asked| {
            if asked.last_message() != "Say it." {
                return Answer::Text("good".to_owned());
            }
            // Before the change every second request is a retry; after it there are no retries.
            let is_retry = is_tried.fetch_xor(true, Ordering::SeqCst) && !edited.load(Ordering::SeqCst);
            if is_retry {
                Answer::Text("bad".to_owned())
            } else {
                Answer::Raw(503, Vec::new(), b"busy".to_vec())
            }
        });
        let config = format!(
            "gate: {{ max_error_rate: 0.25 }}\nproviders: {{ openai: {{ baseUrl: \"{}\"{keys} }} }}\n",
            server.url
        );
        let files = [("s.yaml", suite), ("akit.yaml", config)];
        let mut change = change(name, "retries-lowered", &["t.yaml"], files, swap);
        change.before.push(("t.yaml", GOOD.to_owned()));
        let edit = change.edit;
        change.edit = Box::new(move |here| {
            is_edited.store(true, Ordering::SeqCst);
            edit(here);
        });
        change.check();
    }
}

#[test]
fn another_calibration_is_reported() {
    let judge = Server::start(|asked| {
        let data: serde_json::Value =
            serde_json::from_str(asked.last_message().lines().nth(1).unwrap()).unwrap();
        let score =
            data["answer"].as_str().unwrap().rsplit(' ').next().and_then(|word| word.parse::<u32>().ok());
        Answer::Text(json!({ "reasoning": "read off the answer", "score": score.unwrap_or(0) }).to_string())
    });
    // Of 20 good and 20 bad answers, the judge gets this many right.
    let measured = |right: usize| {
        let label = |word: &str, n: usize, score: u32| {
            json!({ "input": "q", "answer": format!("{word} {n} worth {score}"), "rubric": "Be kind.", "label": word })
                .to_string()
                + "\n"
        };
        let labels: String = (0..20)
            .map(|n| {
                let (pass, fail) = if n < right { (9, 1) } else { (3, 8) };
                label("pass", n, pass) + &label("fail", n, fail)
            })
            .collect();
        let arguments = ["calibrate", "labels.jsonl", "--grader-model", "j", "--grader-base-url", &judge.url];
        Akit::new(&arguments).file("labels.jsonl", labels).run().ended(0).read("akit-calibration.json")
    };
    let (weak, strong) = (measured(12), measured(20));
    let suite = SUITE.replace("{ type: exact, value: good }", "{ type: llm_grader, rubric: Be kind. }");
    let config = format!(
        "grader:\n  model: j\n  baseUrl: \"{}\"\n  calibration: {{ file: c.json, min_kappa: 0.9, required: true }}\n",
        judge.url
    );
    let start = |calibration: &str| -> Change<'static> {
        let mut change = change(
            "a calibration",
            "calibration-edited",
            &["--replies", "r.jsonl"],
            [("s.yaml", suite.clone()), ("akit.yaml", config.clone())],
            ("s.yaml", "name", "name"),
        );
        change.before.push(("r.jsonl", crate::replies::replies(&[("a", "worth 9")])));
        change.before.push(("c.json", calibration.to_owned()));
        change
    };
    let put = |text: String| Box::new(move |here: &Path| std::fs::write(here.join("c.json"), &text).unwrap());
    Change { edit: put(strong.clone()), ..start(&weak) }.check();
    // Edited by hand, added, and removed.
    let kappa: serde_json::Value = serde_json::from_str(&weak).unwrap();
    let from = format!("\"value\": {}", kappa["kappa"]["value"]);
    let edited = weak.replace(&from, "\"value\": 0.99");
    assert_ne!(edited, weak, "{from}: {weak}");
    Change { edit: put(edited), is_shown: false, ..start(&weak) }.check();
    let mut first = Change { edit: put(strong.clone()), ..start("") };
    first.before.pop();
    first.check();
    let gone = Box::new(|here: &Path| std::fs::remove_file(here.join("c.json")).unwrap());
    Change { edit: gone, is_shown: false, kinds: kinds(&["calibration-removed"]), ..start(&strong) }.check();
    // Reformatting does not change the measurement.
    let parsed: serde_json::Value = serde_json::from_str(&strong).unwrap();
    let same = akit::inside::weaker(
        &[("s.yaml", &suite), ("akit.yaml", &config), ("calibration.json", &strong)],
        &[("s.yaml", &suite), ("akit.yaml", &config), ("calibration.json", &parsed.to_string())],
    );
    assert_eq!(same, []);
}
