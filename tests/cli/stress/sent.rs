//! Requests are the same as those of `akit run`, and expectations are judged.

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::json;

use super::super::server::completion;
use super::*;

/// A server that calls a function once if it can, then repeats what it received.
fn calling() -> Server {
    Server::plain(|asked| {
        let mut body = completion(&format!("You say {}.", asked.last_message()));
        let messages = asked.body["messages"].as_array().cloned().unwrap_or_default();
        let has_result = messages.iter().any(|message| message["role"] == "tool");
        if asked.body["tools"].is_array() && !has_result {
            let call = json!({ "id": "c1", "type": "function", "function": { "name": "find_order", "arguments": "{\"order\":\"NW-1\"}" } });
            body["choices"][0]["message"] =
                json!({ "role": "assistant", "content": null, "tool_calls": [call] });
            body["choices"][0]["finish_reason"] = "tool_calls".into();
        }
        // A bot behind HTTP or a program uses another key.
        body["answer"] = format!("You say {}.", asked.body["text"].as_str().unwrap_or_default()).into();
        Answer::Raw(200, vec![("content-type", "application/json".to_owned())], body.to_string().into_bytes())
    })
}

/// All requests in order, with conversation ids numbered by first appearance.
fn transcript(asked: &[Asked]) -> Vec<String> {
    let mut ids = BTreeMap::new();
    let lines = asked.iter().map(|asked| {
        let kept = ["content-type", "authorization", "x-turn", "x-shop", "accept"];
        let headers: Vec<_> = asked.headers.iter().filter(|(name, _)| kept.contains(&&**name)).collect();
        format!("{} {} {headers:?} {}", asked.method, asked.path, asked.body)
    });
    let lines: Vec<_> = lines.collect();
    lines
        .into_iter()
        .map(|line| {
            let mut out = line.clone();
            for found in ids_in(&line) {
                let next = ids.len();
                let name = ids.entry(found.clone()).or_insert_with(|| format!("conversation-{next}")).clone();
                out = out.replace(&found, &name);
            }
            out
        })
        .collect()
}

/// Words of a line that look like conversation ids: 8-4-4-4-12 hexadecimal digits.
fn ids_in(line: &str) -> Vec<String> {
    let words = line.split(|c: char| !(c.is_ascii_hexdigit() || c == '-'));
    let is_id = |word: &&str| {
        let parts: Vec<_> = word.split('-').map(str::len).collect();
        parts == [8, 4, 4, 4, 12]
    };
    words.filter(is_id).map(str::to_owned).collect()
}

const EXPECTED: &str = "expected: { type: contains, values: [say] }";

#[test]
fn requests_are_those_of_a_run_byte_for_byte() {
    let openai = "provider: openai\nmodel: m\nproviderConfig: { baseUrl: URL }\n";
    let http = "provider: http\nproviderConfig: { url: \"URL/chat/{{conversation_id}}\", headers: { X-Turn: \"{{turn}}\", X-Shop: \"{{shop}}\" }, body: { text: \"{{prompt}}\", id: \"{{conversation_id}}\", turn: \"{{turn}}\", all: \"{{messages}}\", n: 1 }, answer: /answer }\n";
    let functions = "setup: { systemPrompt: 'You serve {{shop}}.', functions: [{ name: find_order, description: Finds., parameters: { type: object, properties: { order: { type: string } } }, returns: [{ give: { status: lost } }] }] }\n";
    let table: Vec<(&str, String)> = vec![
        ("a question", format!("{openai}cases: [{{ id: a, prompt: Hello., {EXPECTED} }}]\n")),
        (
            "instructions, variables and parameters",
            format!(
                "{openai}setup: {{ systemPrompt: 'You serve {{{{shop}}}}.' }}\nvariables: {{ shop: Blau & Co }}\ntemperature: 0.25\nmaxTokens: 77\nseed: 5\ncases: [{{ id: a, prompt: 'Say {{{{shop}}}} {{{{what}}}} ü €.', variables: {{ what: \"x\\\"y\" }}, {EXPECTED} }}]\n"
            ),
        ),
        (
            "a history",
            format!(
                "{openai}cases: [{{ id: a, prompt: [{{ role: system, content: s }}, {{ role: user, content: u1 }}, {{ role: assistant, content: a1 }}, {{ role: user, content: u2 }}], {EXPECTED} }}]\n"
            ),
        ),
        (
            "functions",
            format!(
                "{openai}{functions}variables: {{ shop: Blau }}\ncases: [{{ id: a, prompt: Where is NW-1?, {EXPECTED} }}]\n"
            ),
        ),
        (
            "turns and sessions",
            format!(
                "{openai}{functions}variables: {{ shop: Blau }}\ncases:\n  - id: a\n    turns:\n      - {{ user: one, {EXPECTED} }}\n      - {{ user: two }}\n      - {{ user: three, session: new }}\n      - {{ user: four }}\n"
            ),
        ),
        (
            "an own bot",
            format!(
                "{http}variables: {{ shop: Blau & Co }}\ncases: [{{ id: a, prompt: Hello., {EXPECTED} }}]\n"
            ),
        ),
        (
            "a talk with an own bot",
            format!(
                "{http}variables: {{ shop: Blau }}\ncases:\n  - id: a\n    turns:\n      - {{ user: one, {EXPECTED} }}\n      - {{ user: two }}\n      - {{ user: three, session: new }}\n"
            ),
        ),
    ];
    all(&table, |(name, suite)| {
        let asked = |command: &[&str]| {
            let server = calling();
            let ran = Akit::new(command)
                .args(&["--seed", "9", "--cache", "off"])
                .file("s.yaml", suite.replace("URL", &server.url))
                .env("OPENAI_API_KEY", "k")
                .run();
            assert!([0, 4].contains(&ran.status), "{name}: {}{}", ran.stdout, ran.stderr);
            server.asked()
        };
        let requests = asked(&["run", "s.yaml", "--repeat", "1"]).len();
        let run = asked(&["run", "s.yaml", "--repeat", "3", "-c", "1"]);
        // The limit is a number of requests, but a conversation that has started is finished.
        let most = (2 * requests + 1).to_string();
        let load = asked(&["stress", "s.yaml", "-c", "1", "-n", &most]);
        assert_eq!(run.len(), 3 * requests, "{name}");
        let (run, load) = (transcript(&run), transcript(&load));
        assert!(load.len() >= run.len(), "{name}");
        // A run orders trials differently.
        let visits = |lines: &[String]| {
            let mut visits: Vec<Vec<String>> = lines.chunks(requests).map(<[String]>::to_vec).collect();
            for visit in &mut visits {
                *visit = renamed(visit);
            }
            visits.sort();
            visits
        };
        assert_eq!(visits(&load[..run.len()]), visits(&run), "{name}");
    });
}

/// The same with conversations renumbered from zero.
fn renamed(visit: &[String]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for line in visit {
        for (at, _) in line.match_indices("conversation-") {
            let digits: String = line[at + 13..].chars().take_while(char::is_ascii_digit).collect();
            let name = format!("conversation-{digits}");
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    let rename = |line: &String| {
        // In delimiters, so that a new name is not replaced again; longest names first.
        let by_number = names.iter().enumerate().rev();
        by_number.fold(line.clone(), |line, (n, name)| line.replace(name, &format!("#{n}#")))
    };
    visit.iter().map(rename).collect()
}

#[cfg(unix)]
#[test]
fn a_program_gets_the_same_input_as_in_a_run() {
    let suite = "provider: command\nproviderConfig: { command: [sh, bot.sh] }\nvariables: { shop: Blau }\nsetup: { systemPrompt: 'You serve {{shop}}.' }\ncases: [{ id: a, prompt: 'Say {{shop}}.', expected: { type: contains, values: [ok] } }]\n";
    let input = |command: &[&str]| {
        let ran = Akit::new(command)
            .env("PATH", &std::env::var("PATH").unwrap())
            .file("s.yaml", suite)
            .file("bot.sh", "cat >> told.txt; printf '|' >> told.txt; echo ok\n")
            .run();
        assert!([0, 4].contains(&ran.status), "{}{}", ran.stdout, ran.stderr);
        ran.read("told.txt")
    };
    let run = input(&["run", "s.yaml", "--repeat", "3", "-c", "1", "--cache", "off"]);
    assert_eq!(input(&["stress", "s.yaml", "-n", "3", "-c", "1"]), run);
    assert_eq!(run.matches('|').count(), 3);
}

#[test]
fn conversations_keep_their_order_and_their_pauses() {
    let head = "provider: http\nproviderConfig: { url: URL/chat, body: { text: \"{{prompt}}\", id: \"{{conversation_id}}\" }, answer: /answer, stateful: true }\n";
    let times = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let log = std::sync::Arc::clone(&times);
    let server = Server::plain(move |asked| {
        let id = asked.body["id"].as_str().unwrap().to_owned();
        let text = asked.body["text"].as_str().unwrap().to_owned();
        log.lock().unwrap().push((id, text.clone(), Instant::now()));
        let body = json!({ "answer": format!("You say {text}.") });
        Answer::Raw(200, vec![("content-type", "application/json".to_owned())], body.to_string().into_bytes())
    });
    let suite = format!(
        "{}cases:\n  - id: a\n    turns:\n      - {{ user: one, {EXPECTED} }}\n      - {{ user: two, pause: 200ms }}\n      - {{ user: three, {EXPECTED} }}\n",
        head.replace("URL", &server.url)
    );
    let ran = Akit::new(&["stress", "s.yaml", "-c", "4", "-n", "24", "-q", "--json", "stress.json"])
        .file("s.yaml", suite)
        .run();
    let found = found(&ran);
    let mut visits: BTreeMap<String, Vec<(String, Instant)>> = BTreeMap::new();
    for (id, text, at) in times.lock().unwrap().iter().cloned() {
        visits.entry(id).or_default().push((text, at));
    }
    // One id per conversation, and one conversation per id.
    for turns in visits.values() {
        let texts: Vec<_> = turns.iter().map(|(text, _)| text.as_str()).collect();
        assert_eq!(texts, ["one", "two", "three"]);
        assert!(turns[1].1 - turns[0].1 >= Duration::from_millis(200), "the pause must be respected");
    }
    let requests: usize = visits.values().map(Vec::len).sum();
    assert_eq!(
        (found["requests"].as_u64(), found["cases"][0]["n"].as_u64()),
        (Some(requests as u64), Some(visits.len() as u64))
    );
    assert_eq!(found["levels"][0]["quality"]["n"], visits.len());
}

#[test]
fn a_failing_case_is_reported_with_its_line() {
    let server = Server::start(|asked| {
        Answer::Text(if asked.last_message().contains("beta") {
            "gamma".to_owned()
        } else {
            asked.last_message()
        })
    });
    let ran = stress(&server.url, &["-n", "40", "-c", "4"]).run();
    let found = found(&ran);
    assert_eq!(found["levels"][0]["quality"]["n"], 40);
    assert_eq!(found["levels"][0]["quality"]["passed"], 20);
    assert_eq!(found["levels"][0]["quality"]["rate"], 0.5);
    let [a, b] = [&found["cases"][0], &found["cases"][1]];
    assert_eq!(
        (a["id"].clone(), a["passed"].clone(), a["judged"].clone(), a["reason"].clone()),
        ("a".into(), 20.into(), 20.into(), Json::Null)
    );
    assert_eq!(
        (b["id"].clone(), b["passed"].clone(), b["judged"].clone(), b["line"].clone()),
        ("b".into(), 0.into(), 20.into(), 4.into())
    );
    assert!(b["reason"].as_str().unwrap().contains("beta"), "{b}");
    assert_eq!(b["file"], "s.yaml");
}

#[test]
fn every_kind_of_expectation_is_judged() {
    let server = echo();
    let suite = "cases:
  - { id: a, prompt: one two, expected: { type: exact, value: one two } }
  - { id: b, prompt: one two, expected: { type: regex, pattern: '^two' } }
  - { id: c, prompt: '{\"n\": 1}', expected: { type: json_schema, schema: { type: object, required: [n] } } }
  - { id: d, prompt: one two, expected: { type: not_contains, values: [two] } }
  - { id: e, prompt: one two, expected: { type: inline, expression: length > 3 } }
  - id: f
    turns: [{ user: one, expected: { type: contains, values: [one] } }, { user: two, expected: { type: contains, values: [three] } }]
always: [{ name: short, type: inline, expression: length < 99 }]
";
    let ran = stress(&server.url, &["-n", "21", "-c", "3"]).file("s.yaml", suite).run();
    let found = found(&ran);
    for case in found["cases"].as_array().unwrap() {
        let passes = ["a", "c", "e"].contains(&case["id"].as_str().unwrap());
        assert!(case["judged"].as_u64().unwrap() >= 2, "{case}");
        assert_eq!(case["passed"], if passes { case["judged"].clone() } else { 0.into() }, "{case}");
    }
}
