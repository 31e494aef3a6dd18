//! Values of every kind, planted in every input that others control, are not in anything that akit leaves behind.

use std::path::Path;

use serde_json::{Value as Json, json};

use super::Akit;
use super::akit::Ran;
use super::canaries::canary;
use super::comment::{BOT, HEAD, in_pipeline, request};
use super::forge::Forge;
use super::replies::replies;
use super::server::{Answer, Asked, Server, completion};
use super::weakening;

/// Kind, value, and a part of it that an excerpt could show.
const PLANTED: [(&str, &str, &str); 19] = [
    ("email", "jane.doe@example.com", "jane.d"),
    ("phone", "+1 415 555 0132", "415 555"),
    ("phone", "(212) 555-0199", "212) 5"),
    ("credit_card", "4111 1111 1111 1111", "4111 1111"),
    ("ssn", "078-05-1120", "078-05"),
    ("iban", "DE89 3704 0044 0532 0130 00", "DE89 3704"),
    ("api_key", "sk-proj-abcDEF1234567890abcd", "abcDEF12"),
    ("api_key", "sk-ant-api03-Zbcdefgh12345678", "Zbcdefgh"),
    ("api_key", "ghp_Ybcdefghijklmnopqrstuvwxyz0123456789", "Ybcdefgh"),
    ("api_key", "glpat-Xbcd1234efgh5678ijkl", "Xbcd1234"),
    ("api_key", "xoxb-987656789012-Wbcdefghij", "98765678"),
    ("api_key", "AIzaSyV1234567890abcdefghijklmnopqrstuvw", "SyV12345"),
    ("api_key", "sk_live_Ubcdefghij1234567890", "Ubcdefgh"),
    ("aws_key", "AKIAIOSFODNN7EXAMPLE", "AKIAIOSF"),
    ("jwt", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N", "hbGciOiJ"),
    ("secrets", "-----BEGIN RSA PRIVATE KEY-----\nMIITbcdefgh\n-----END RSA PRIVATE KEY-----", "MIITbcde"),
    ("secrets", "password=hunter2hunter2", "hunter2"),
    ("secrets", "Authorization: Bearer Sbcdefgh12345678", "Sbcdefgh"),
    ("custom", "KD-77-1234", "KD-77"),
];

const OWN: &str = r"KD-\d\d-\d{4}";

/// Kind and value of each sort, in the formats of vendors, banks and states.
const CORPUS: &str = include_str!("../../src/redact/planted.txt");

/// One value of the corpus per line; braces contain the alphabet and the length of a generated part.
fn corpus() -> Vec<String> {
    let made = |line: usize, part: &str| -> String {
        let letters: &[u8] = match &part[..1] {
            "h" => b"3f9a0c7d1e8b",
            "d" => b"7391528",
            "u" | "U" => b"Q7ZK2XW5",
            "l" => b"qRzKwXjHyV",
            _ => b"k3Rz9Qw7Xj2Hy5V",
        };
        let length: usize = part[1..].parse().unwrap();
        (0..length).map(|at| char::from(letters[(at + at / 7 + line) % letters.len()])).collect()
    };
    let value = |(line, template): (usize, &str)| {
        let mut parts = template.split('{');
        let mut out = parts.next().unwrap().to_owned();
        for part in parts {
            let (inner, after) = part.split_once('}').unwrap();
            match out.strip_suffix("\\u") {
                Some(before) => {
                    out = format!(
                        "{before}{}",
                        char::from_u32(u32::from_str_radix(inner, 16).unwrap()).unwrap()
                    );
                }
                None => out.push_str(&made(line, inner)),
            }
            out.push_str(after);
        }
        out.replace("\\n", " ")
    };
    CORPUS.lines().map(|line| line.split_once('\t').unwrap().1).enumerate().map(value).collect()
}

fn planted() -> String {
    PLANTED.map(|(_, value, _)| value.to_owned()).into_iter().chain(corpus()).collect::<Vec<_>>().join(" , ")
}

/// A suite with the values in prompts, titles, tools, metadata, variables and most kinds of expectations.
fn suite() -> Json {
    let all = planted();
    let case = |id: &str, expected: Json| {
        json!({ "id": id, "name": format!("{id}: {all}"), "prompt": format!("{id} {{{{who}}}} {all}"),
            "variables": { "who": "jane.doe@example.com" }, "metadata": { "who": all }, "expected": expected })
    };
    json!({
        "name": "s",
        "setup": { "systemPrompt": all, "functions": [{ "type": "function", "function": {
            "name": "find", "description": all,
            "parameters": { "type": "object", "properties": { "n": { "const": 4_111_111_111_111_111_u64 } } },
        } }] },
        "cases": [
            case("good", json!({ "type": "contains", "values": ["jane.doe@example.com"] })),
            case("lacks", json!({ "type": "contains", "values": [format!("not {all}")] })),
            case("has", json!({ "type": "not_contains", "values": ["KD-77-1234"] })),
            case("exact", json!({ "type": "exact", "value": format!("no {all}") })),
            case("near", json!({ "type": "fuzzy", "value": all, "threshold": 1 })),
            case("schema", json!({ "type": "json_schema", "schema": { "const": all } })),
            case("inline", json!({ "type": "inline", "expression": "response == expected", "value": all })),
            case("judged", json!({ "type": "llm_grader", "rubric": format!("Be kind to {all}.") })),
            case("unread", json!({ "type": "llm_grader", "rubric": "Say nothing that can be read." })),
            case("broken", json!({ "type": "contains", "values": ["x"] })),
            case("garbled", json!({ "type": "contains", "values": ["x"] })),
        ],
    })
}

/// An application and a judge that repeat what they receive in every field of an answer.
fn server() -> Server {
    Server::plain(|asked: &Asked| {
        let (all, said) = (planted(), asked.last_message());
        let whole = asked.body.to_string();
        let mut answer = completion(&format!("{said} {all}"));
        answer["model"] = json!(format!("m {all}"));
        answer["system_fingerprint"] = json!(format!("fp {all}"));
        // An unknown stop word: the answer is errored, and the word is shown.
        let end = if said.starts_with("good") { format!("stop {all}") } else { "stop".to_owned() };
        answer["choices"][0]["finish_reason"] = json!(end);
        if asked.is_for_judge() {
            let is_good = canary(asked).is_some_and(|(is_good, _)| is_good);
            let score = if is_good { 10 } else { i32::from(whole.contains("Be kind")) };
            let text = if whole.contains("can be read") {
                all.clone()
            } else {
                json!({ "reasoning": format!("Because of {all}"), "score": score }).to_string()
            };
            answer["choices"][0]["message"]["content"] = json!(text);
            answer["choices"][0]["finish_reason"] = json!("stop");
        } else if said.starts_with("broken") {
            return Answer::Raw(500, Vec::new(), json!({ "error": { "message": all } }).to_string().into());
        } else if said.starts_with("garbled") {
            return Answer::Raw(200, Vec::new(), json!({ "said": all }).to_string().into());
        }
        Answer::Raw(200, Vec::new(), answer.to_string().into())
    })
}

/// Everything that was printed, and every file that the test did not write.
fn left(ran: &Ran) -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<(String, String)>) {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let name = entry.file_name().unwrap().to_string_lossy().into_owned();
            if entry.is_dir() && name != ".git" {
                walk(&entry, found);
            } else if !entry.is_dir()
                && !["s.yaml", "akit.yaml", "r.jsonl", "event.json"].contains(&name.as_str())
            {
                found.push((name, String::from_utf8(std::fs::read(&entry).unwrap()).unwrap()));
            }
        }
    }
    let mut found =
        vec![("stdout".to_owned(), ran.stdout.clone()), ("stderr".to_owned(), ran.stderr.clone())];
    walk(&ran.path(""), &mut found);
    found
}

#[track_caller]
fn clean(name: &str, text: &str) {
    // Hashes and ids are not values. JSON and XML syntax must not hide a value.
    for (_, value, part) in PLANTED {
        for needle in [value, part] {
            assert!(!text.contains(needle), "{needle:?} in {name}:\n{text}");
        }
    }
    for value in corpus() {
        // Next to a name, only the value is redacted.
        let part = value.rsplit([' ', '=', ':']).find(|part| part.len() > 5).unwrap_or(&value);
        let needle = if value.contains(['=', ':']) { part } else { &value };
        assert!(!text.contains(needle), "{needle:?} in {name}:\n{text}");
    }
    assert!(!text.contains("4111111111111111"), "{name}:\n{text}");
}

#[track_caller]
fn all_clean(ran: &Ran, least: usize) {
    let found = left(ran);
    assert!(found.len() >= least, "{:?}", found.iter().map(|(name, _)| name).collect::<Vec<_>>());
    for (name, text) in &found {
        clean(name, text);
    }
}

const FILES: [&str; 20] = [
    "--json",
    "out/run.json",
    "--junit",
    "out/j.xml",
    "--sarif",
    "out/s.sarif",
    "--markdown",
    "out/m.md",
    "--html",
    "out/h.html",
    "--code-quality",
    "out/q.json",
    "--open-metrics",
    "out/o.txt",
    "--annotations",
    "out/a.json",
    "--dotenv",
    "out/d.env",
    "--verbose",
    "--comment",
];

fn asking<'a>(akit: Akit, url: &'a str, more: &[&'a str]) -> Akit {
    akit.args(&["--model", "m", "--grader-model", "j", "--retries", "0", "--base-url", url])
        .args(&["--grader-base-url", url])
        .args(more)
        .env("OPENAI_API_KEY", "test")
}

#[test]
fn no_output_contains_a_planted_value() {
    let (server, forge) = (server(), Forge::start(HEAD));
    let first = Akit::new(&["run", "s.yaml"])
        .file("s.yaml", suite().to_string())
        .file("event.json", request("acme/shop").to_string());
    let plain = asking(first, &server.url, &["--json", "run.json"]).run().ended(1);
    for (_, value, _) in PLANTED {
        let written = json!(value).to_string();
        assert!(
            plain.read("run.json").contains(written.trim_matches('"')),
            "{value}: the test must be able to fail"
        );
    }
    std::fs::remove_dir_all(plain.path(".akit")).unwrap();
    std::fs::remove_file(plain.path("run.json")).unwrap();

    let run = |arguments: &[&str], more: &[&str]| {
        let akit = plain.then(&["run", "s.yaml"]).args(&FILES).args(arguments);
        let akit = in_pipeline(asking(akit, &server.url, more), &forge, "pull_request", "2");
        akit.env("GITHUB_SERVER_URL", "https://github.com").env("GITHUB_SHA", HEAD)
    };
    let flags = [
        "--redact",
        "--redact-patterns",
        "email,phone,credit_card,ssn,iban,api_key,aws_key,jwt,secrets,national_id,ipv6,mac",
        OWN,
    ];
    let live = run(&flags, &[]).run().ended(1).err("commented");
    all_clean(&live, 14);
    clean("the comment", &forge.by(BOT)[0].body);
    assert_eq!(forge.by(BOT).len(), 1);
    let shown = live.read("out/run.json");
    for (kind, _, _) in PLANTED {
        assert!(shown.contains(&format!("[REDACTED:{kind}]")), "{kind}");
    }
    assert!(live.stdout.contains("::error file=s.yaml"), "{}", live.stdout);
    let counts = &live.json("out/run.json")["redacted"];
    assert_eq!(counts["cases"], 11);
    assert_eq!(counts["kinds"].as_array().unwrap().len(), 13, "{counts}");
    for (file, words) in [("out/m.md", "- redacted: 11 of 11 cases (api"), ("out/h.html", "redacted")] {
        assert!(live.read(file).contains(words), "{}", live.read(file));
    }
    assert!(live.stdout.contains("redacted: 11 of 11 cases (api_key, aws_key, credit_card, custom,"));
    // Commands that read the stored run can show only what is in it.
    for arguments in [
        &["baseline", "update", "out/run.json", "--baseline", "b.json"] as &[&str],
        &["history", "out"],
        &["history", "out", "--json", "-"],
        &[
            "report",
            "out/run.json",
            "--sarif",
            "out/full.sarif",
            "--sarif-profile",
            "full",
            "--format",
            "console",
        ],
        &["gate", "out/run.json", "--baseline", "b.json"],
        &["compare", "out/run.json", "out/run.json", "--html", "out/c.html", "--json", "out/c.json"],
    ] {
        let ran = plain.then(arguments).run();
        assert!([0, 1, 4].contains(&ran.status), "{arguments:?}: {}", ran.stderr);
        all_clean(&ran, 14);
    }
    let gitlab = plain.then(&["run", "s.yaml", "--replay"]).args(&FILES[..18]).args(&flags);
    let gitlab = asking(gitlab, &server.url, &["--format", "json"]).env("GITLAB_CI", "true");
    let gitlab = gitlab.env("CI_PROJECT_URL", "https://gitlab.test/a/b").env("CI_COMMIT_SHA", HEAD).run();
    all_clean(&gitlab.ended(1), 14);
}

#[test]
fn a_removed_expectation_is_reported_without_its_value() {
    let suite = |values: &str| {
        format!(
            "name: s\nredaction: {{}}\ncases:\n  - id: a\n    prompt: x\n    expected: {{ type: contains, values: [{values}] }}\n"
        )
    };
    let ran = Akit::new(&["validate", "s.yaml"])
        .file("s.yaml", suite("ok, jane.doe@example.com"))
        .file("r.jsonl", replies(&[("a", "ok")]))
        .run()
        .ended(0);
    weakening::git(&ran, &["init", "--quiet", "--initial-branch=main"]);
    weakening::git(&ran, &["add", "."]);
    weakening::git(&ran, &["commit", "--quiet", "-m", "first"]);
    let run = ["run", "s.yaml", "--replies", "r.jsonl", "--json", "run.json", "--weakened-since", "main"];
    let output =
        weakening::akit(&ran, &run).file("s.yaml", suite("ok")).run().out("s/a: its expectation changed");
    all_clean(&output, 3);
    let again = weakening::akit(&ran, &["gate", "run.json", "--weakened-since", "main"]).run();
    all_clean(&again.out("s/a: its expectation changed"), 3);
}

#[test]
fn patterns_of_the_command_line() {
    let run = |more: &[&str]| {
        Akit::new(&["run", "s.yaml", "--replies", "r.jsonl", "--json", "run.json"])
            .args(more)
            .file(
                "s.yaml",
                "name: s\ncases:\n  - { id: a, prompt: x, expected: { type: contains, values: [KD] } }\n",
            )
            .file("r.jsonl", replies(&[("a", "KD-77-1234, jane.doe@example.com, 078-05-1120")]))
            .run()
    };
    let said = |more: &[&str]| {
        run(more).ended(0).json("run.json")["cases"][0]["trials"][0]["turns"][0]["answer"]["text"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(said(&["--redact"]), "KD-77-1234, [REDACTED:email], [REDACTED:ssn]");
    assert_eq!(said(&["--redact-patterns", "email,ssn"]), "KD-77-1234, [REDACTED:email], [REDACTED:ssn]");
    assert_eq!(
        said(&["--redact-patterns", "ssn", r"[A-Z]{2,3}-\d{2,}-\d{4}", "--redact"]),
        "[REDACTED:custom], jane.doe@example.com, [REDACTED:ssn]"
    );
    run(&["--redact-patterns", "(x"]).ended(2).err("this group is not closed").err("nothing was sent");
    run(&["--redact-patterns", "emial"]).ended(0).err("did you mean `email`?");
    run(&["--redact-patterns", "email", "r.jsonl"]).ended(2).err("`r.jsonl` is a file");
}

/// The visible text of a Markdown page, without references and invisible characters.
fn page(text: &str) -> String {
    let mut parts = text.split("&#");
    let mut out = parts.next().unwrap().to_owned();
    for part in parts {
        let (code, rest) = part.split_once(';').unwrap();
        out.push(char::from_u32(code.parse().unwrap()).unwrap());
        out.push_str(rest);
    }
    out.replace('\u{200b}', "")
}

/// Without `--redact`: comments and step summaries have more readers than the log. Numbers that only look personal
/// stay, and so do the reports that the user asked for.
#[test]
fn a_comment_shows_no_card_key_or_address_whatever_the_flags() {
    let forge = Forge::start(HEAD);
    let all: Vec<_> = PLANTED.iter().map(|(_, value, _)| value.replace('\n', " ")).collect();
    let all = all.join(" , ");
    let case = |id: &str, value: &str, expected: Json| json!({ "id": id, "name": value, "prompt": value, "expected": expected });
    // A message that shortens its quotation must not show part of a value.
    let cases = PLANTED.iter().enumerate().map(|(index, (_, value, _))| {
        case(
            &format!("c{index}"),
            value,
            json!({ "type": "exact", "value": format!("{} {value}", "x".repeat(index * 7 % 60)) }),
        )
    });
    let whole = case("all", &all, json!({ "type": "contains", "values": [format!("{all}!"), "absent"] }));
    let suite = json!({ "name": "s", "cases": cases.chain([whole]).collect::<Vec<_>>() });
    let answers: Vec<_> = PLANTED
        .iter()
        .enumerate()
        .map(|(index, (_, value, _))| {
            (format!("c{index}"), format!("{} {value}", "y".repeat(index * 11 % 80)))
        })
        .chain([("all".to_owned(), all.clone())])
        .collect();
    let answers: Vec<_> = answers.iter().map(|(id, text)| (id.as_str(), text.as_str())).collect();
    let akit = Akit::new(&[
        "run",
        "s.yaml",
        "--replies",
        "r.jsonl",
        "--json",
        "run.json",
        "--markdown",
        "m.md",
        "--comment",
    ])
    .file("s.yaml", suite.to_string())
    .file("r.jsonl", replies(&answers))
    .file("event.json", request("acme/shop").to_string());
    let ran = in_pipeline(akit, &forge, "pull_request", "2").run().ended(1).err("commented");
    let posted = || page(&forge.by(BOT)[0].body);
    let mut pages = vec![("the comment", posted()), ("the summary", page(&ran.read("summary.md")))];
    in_pipeline(ran.then(&["comment", "run.json"]), &forge, "pull_request", "3")
        .run()
        .ended(0)
        .err("updated");
    pages.push(("akit comment", posted()));
    for (name, page) in &pages {
        for (kind, value, part) in PLANTED {
            let shown = page.contains(value) || page.contains(part);
            assert_eq!(
                shown,
                ["phone", "ssn", "custom"].contains(&kind),
                "{kind} {value} in {name}:\n{page}"
            );
        }
        assert!(page.contains("[REDACTED:email]") && page.contains("[REDACTED:api_key]"), "{page}");
    }
    let kept = page(&ran.read("m.md"));
    assert!(
        kept.contains("jane.doe@example.com") && ran.read("run.json").contains("jane.doe@example.com"),
        "{kept}"
    );
}
