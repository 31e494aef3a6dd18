//! Handoffs under load, and text that turns up in the wrong conversation.

use serde_json::json;

use super::super::server::completion;
use super::*;

fn suite(handoff: &str) -> String {
    format!(
        "setup: {{ handoff: {handoff} }}
cases:
  - {{ id: a, prompt: Say alpha., expected: {{ type: contains, values: [alpha] }} }}
  - {{ id: b, prompt: Say beta., expected: {{ type: contains, values: [beta] }} }}
  - {{ id: p, prompt: A person!, tags: [escalation], expected: {{ type: not_contains, values: [alpha] }} }}
"
    )
}

fn is_escalation(asked: &Asked) -> bool {
    asked.body.to_string().contains("A person!")
}

#[test]
fn escalations_have_exactly_the_requested_share() {
    for (share, of_100) in [("0.2", 20), ("0", 0), ("0.5", 50), ("1", 100), ("0.07", 7)] {
        let server = echo();
        let ran = stress(&server.url, &["-n", "100", "-c", "5", "--escalation-share", share])
            .file("s.yaml", suite("{ text: person }"))
            .run();
        let found = found(&ran);
        let sent = server.asked().iter().filter(|asked| is_escalation(asked)).count();
        assert_eq!(sent, of_100, "{share}");
        let escalation = &found["levels"][0]["escalation"];
        if of_100 == 0 {
            assert_eq!(*escalation, Json::Null);
        } else {
            assert_eq!(escalation["n"], of_100, "{share}");
        }
        assert_eq!(found["cases"][2]["n"], of_100);
        assert_eq!(found["cases"][2]["escalation"], true);
    }
    // One fifth by default.
    let server = echo();
    let ran = stress(&server.url, &["-n", "50", "-c", "5"]).file("s.yaml", suite("{ text: person }")).run();
    assert_eq!(found(&ran)["levels"][0]["escalation"]["n"], 10);
}

/// The signs of a handoff, the answer to an escalation, and the counts out of ten: offered, claimed, done, available.
type Row = (&'static str, fn(&mut Json), [u64; 4]);

#[test]
fn signs_of_a_handoff_are_counted_by_how_far_they_go() {
    fn says(body: &mut Json, text: &str) {
        body["choices"][0]["message"]["content"] = text.into();
    }
    fn calls(body: &mut Json, name: &str) {
        let call = json!({ "id": "1", "type": "function", "function": { "name": name, "arguments": "{}" } });
        body["choices"][0]["message"]["tool_calls"] = json!([call]);
    }
    let words = "{ text: I connect you, offers: would you like }";
    let tool = "{ tool: transfer, text: I connect you, offers: would you like }";
    let table: &[Row] = &[
        (words, |body| says(body, "Hello."), [0, 0, 0, 0]),
        (words, |body| says(body, "Would you like to talk to somebody?"), [10, 0, 0, 0]),
        (words, |body| says(body, "I connect you."), [10, 10, 0, 10]),
        // If a tool shows that a handoff is done, text is not enough.
        (tool, |body| says(body, "I connect you."), [10, 10, 0, 0]),
        (tool, |body| calls(body, "transfer"), [10, 10, 10, 10]),
        (tool, |body| calls(body, "other"), [0, 0, 0, 0]),
        (tool, |body| says(body, "Would you like to talk to somebody?"), [10, 0, 0, 0]),
    ];
    all(table, |(signs, change, [offered, claimed, done, available])| {
        let change = *change;
        let server = Server::plain(move |asked| {
            let mut body = completion(&asked.last_message());
            if is_escalation(asked) {
                change(&mut body);
            }
            Answer::Raw(200, Vec::new(), body.to_string().into_bytes())
        });
        let ran = stress(&server.url, &["-n", "50", "-c", "5"]).file("s.yaml", suite(signs)).run();
        let found = found(&ran);
        let escalation = &found["levels"][0]["escalation"];
        let counts =
            ["n", "offered", "claimed", "done", "available"].map(|key| escalation[key].as_u64().unwrap());
        assert_eq!(counts, [10, *offered, *claimed, *done, *available], "{signs}");
        assert_eq!(escalation["p95_ms"].is_number(), *available > 0, "{signs}");
        let (low, high) = (escalation["low"].as_f64().unwrap(), escalation["high"].as_f64().unwrap());
        let share = f64::from(u32::try_from(*available).unwrap()) / 10.0;
        assert!((low..=high).contains(&share) && high - low < 0.35, "{escalation}");
    });
}

#[test]
fn a_state_of_the_users_bot_is_a_handoff() {
    let head = "provider: http\nproviderConfig: { url: URL, body: { text: \"{{prompt}}\" }, answer: /answer, state: /state }\n";
    for (state, done) in
        [(json!({ "accepted": true }), 10), (json!({ "accepted": false }), 0), (json!({}), 0)]
    {
        let server = Server::plain(move |asked| {
            let mut body = json!({ "answer": asked.body["text"], "state": { "accepted": false } });
            if is_escalation(asked) {
                body["state"] = state.clone();
            }
            Answer::Raw(
                200,
                vec![("content-type", "application/json".to_owned())],
                body.to_string().into_bytes(),
            )
        });
        let text = format!("{}{}", head.replace("URL", &server.url), suite("{ state: /accepted }"));
        let ran = Akit::new(&["stress", "s.yaml", "-q", "--json", "stress.json", "-n", "50", "-c", "5"])
            .file("s.yaml", text)
            .run();
        let found = found(&ran);
        let escalation = &found["levels"][0]["escalation"];
        assert_eq!(
            (escalation["done"].clone(), escalation["available"].clone()),
            (done.into(), done.into()),
            "{escalation}"
        );
        assert_eq!(escalation["n"], 10);
    }
}

#[test]
fn an_escalation_without_an_answer_counts_as_unavailable() {
    // Every second escalation gets an error.
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let server = Server::plain(move |question| {
        std::thread::sleep(Duration::from_millis(100));
        let fails = is_escalation(question)
            && asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst).is_multiple_of(2);
        if fails {
            return Answer::Raw(503, Vec::new(), Vec::new());
        }
        Answer::Text(if is_escalation(question) {
            "I connect you.".to_owned()
        } else {
            question.last_message()
        })
    });
    let load = |slo: &str| {
        stress(&server.url, &["-n", "50", "-c", "10", "--slo", slo])
            .file("s.yaml", suite("{ text: I connect you }"))
    };
    let ran = solid(|| load("escalation_availability=0.51")).ended(1);
    let found = found(&ran);
    let escalation = &found["levels"][0]["escalation"];
    assert_eq!((escalation["n"].clone(), escalation["available"].clone()), (10.into(), 5.into()));
    assert_eq!(errors(&found["levels"][0]), ["server_error 5"]);
    assert_eq!(found["slo"][0]["measured"], 0.5);
    ran.out("escalation_availability is 50%; the limit is 51%");
    solid(|| load("escalation_availability=0.5")).ended(0);
}

#[test]
fn without_the_tag_there_is_no_escalation() {
    let ran = stress(&echo().url, &["-n", "10", "-c", "2"]).run();
    let found = found(&ran);
    assert_eq!(found["levels"][0]["escalation"], Json::Null);
    assert_eq!(found["settings"]["escalation_share"], 0.0);
    assert_eq!(found["cross_talk"], Json::Null, "it was not checked");
}

/// The reference in a text.
fn reference(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("AKREF-")?;
    Some(format!(
        "AKREF-{}",
        rest.chars().take_while(|c| c.is_ascii_hexdigit() || *c == '-').collect::<String>()
    ))
}

/// Where a server puts the reference from this question or an earlier one.
#[derive(Clone, Copy, Debug)]
enum Leak {
    Nowhere,
    Own,
    Words,
    Folded,
    Call,
}

fn leaking(leak: Leak, takes: Duration) -> Server {
    let before = std::sync::Mutex::new(None::<String>);
    Server::plain(move |asked| {
        std::thread::sleep(takes);
        let own = reference(&asked.last_message());
        let other = std::mem::replace(&mut *before.lock().unwrap(), own.clone()).unwrap_or_default();
        let said = if asked.last_message().contains("alpha") { "alpha" } else { "beta" };
        let mut body = completion(&match leak {
            Leak::Nowhere | Leak::Call => said.to_owned(),
            Leak::Own => format!("{said} {}", own.unwrap_or_default()),
            Leak::Words => format!("{said}, like {other}"),
            Leak::Folded => format!("{said} {}", other.to_lowercase().replace('-', " ")),
        });
        if matches!(leak, Leak::Call) {
            let arguments = json!({ "note": other }).to_string();
            let call = json!({ "id": "1", "type": "function", "function": { "name": "note", "arguments": arguments } });
            body["choices"][0]["message"]["tool_calls"] = json!([call]);
        }
        Answer::Raw(200, Vec::new(), body.to_string().into_bytes())
    })
}

#[test]
fn a_reference_of_another_conversation_fails_the_load() {
    // There is no earlier reference before the first answer.
    let table = [(Leak::Nowhere, 0), (Leak::Own, 0), (Leak::Words, 11), (Leak::Folded, 11), (Leak::Call, 11)];
    all(&table, |(leak, wanted)| {
        for redaction in
            ["", "redaction: { enabled: true, patterns: ['[A-Za-z]+[- ][0-9A-Fa-f]+[- ][0-9A-Fa-f]+'] }\n"]
        {
            let server = leaking(*leak, Duration::ZERO);
            let ran = stress(&server.url, &["-n", "12", "-c", "1", "--canary"])
                .file("s.yaml", format!("{redaction}{SUITE}"))
                .run();
            let load = found(&ran);
            assert_eq!(load["cross_talk"], *wanted, "{leak:?} {redaction}");
            let reason = format!("another conversation's reference turned up in {wanted}");
            let reasons = load["decision"]["reasons"].to_string();
            assert_eq!(reasons.contains(&reason), *wanted > 0, "{leak:?} {reasons}");
            assert_eq!(ran.stdout.contains(&reason), *wanted > 0, "{leak:?} {}", ran.stdout);
            // References are not checked unless a flag asks for it.
            let server = leaking(*leak, Duration::ZERO);
            let ran = stress(&server.url, &["-n", "4", "-c", "1"]).run();
            assert_eq!(found(&ran)["cross_talk"], Json::Null);
            assert!(server.asked().iter().all(|asked| reference(&asked.last_message()).is_none()));
        }
    });
    // Even if something else is wrong.
    let server = leaking(Leak::Words, Duration::ZERO);
    let flags = ["-n", "6", "-c", "1", "--canary", "--slo", "pass_rate=0"];
    let ran = stress(&server.url, &flags).run().ended(1);
    assert_eq!(found(&ran)["decision"]["conclusion"], "fail");
    solid(|| stress(&leaking(Leak::Own, Duration::from_millis(100)).url, &flags)).ended(0);
}

#[test]
fn every_conversation_has_a_reference_of_its_own_in_its_first_message() {
    let server = echo();
    let suite = "cases:
  - { id: a, prompt: [{ role: user, content: before }, { role: assistant, content: yes }, { role: user, content: Say alpha. }], expected: { type: contains, values: [alpha] } }
  - id: t
    turns: [{ user: one }, { user: two, expected: { type: contains, values: [two] } }]
";
    let ran = stress(&server.url, &["-n", "30", "-c", "3", "--canary"]).file("s.yaml", suite).run();
    assert_eq!(found(&ran)["cross_talk"], 0);
    let mut seen = std::collections::BTreeSet::new();
    for asked in server.asked() {
        let messages = asked.body["messages"].as_array().unwrap();
        let users: Vec<_> = messages
            .iter()
            .filter(|message| message["role"] == "user")
            .map(|message| message["content"].as_str().unwrap())
            .collect();
        let marked: Vec<_> = users.iter().filter_map(|text| reference(text)).collect();
        assert_eq!(marked.len(), 1, "{users:?}");
        // In the customer's first message of this conversation; the history comes before it.
        let first = users.iter().find(|text| **text != "before").unwrap();
        assert!(reference(first).is_some(), "{users:?}");
        seen.extend(marked);
    }
    let n: u64 =
        found(&ran)["cases"].as_array().unwrap().iter().map(|case| case["n"].as_u64().unwrap()).sum();
    assert_eq!(seen.len() as u64, n);
}

#[test]
fn a_reference_in_the_state_of_the_users_bot_is_found() {
    let before = std::sync::Mutex::new(String::new());
    let server = Server::plain(move |asked| {
        let own = reference(asked.body["text"].as_str().unwrap()).unwrap_or_default();
        let other = std::mem::replace(&mut *before.lock().unwrap(), own);
        let body = json!({ "answer": "alpha beta", "state": { "customer": { "last": other } } });
        Answer::Raw(200, vec![("content-type", "application/json".to_owned())], body.to_string().into_bytes())
    });
    let text = format!(
        "provider: http\nproviderConfig: {{ url: {}, body: {{ text: \"{{{{prompt}}}}\" }}, answer: /answer, state: /state }}\n{SUITE}",
        server.url
    );
    let ran =
        Akit::new(&["stress", "s.yaml", "-q", "--json", "stress.json", "-n", "6", "-c", "1", "--canary"])
            .file("s.yaml", text)
            .run();
    assert_eq!(found(&ran)["cross_talk"], 5);
}
