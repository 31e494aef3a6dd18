//! Records of conversations: what is read, what is asked again, and conversations interrupted in the middle.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value as Json, json};

use super::providers::{STATEFUL, THREE, contents, raw, run};
use super::{asked, reasons, suite, trial};
use crate::Akit;
use crate::akit::Ran;
use crate::server::{Answer, Server};
use crate::signal::{end, send, send_twice};

const HEAD: &str = "model: m\nproviderConfig: { baseUrl: URL }\n";

fn echo() -> Server {
    Server::start(|asked| Answer::Text(format!("You say {}.", asked.last_message())))
}

/// A bot that remembers and repeats what it receives.
fn memory() -> Server {
    let counts = Mutex::new(BTreeMap::<String, usize>::new());
    Server::plain(move |asked| {
        let mut counts = counts.lock().unwrap();
        let count = counts.entry(asked.body["id"].as_str().unwrap().to_owned()).or_default();
        *count += 1;
        raw(
            &json!({ "answer": format!("You say {} as number {count}.", asked.body["text"].as_str().unwrap()), "session": "s" }),
        )
    })
}

/// Runs a suite again in the same folder.
fn again(ran: &Ran, server: &Server, head: &str, case: &str, more: &[&str]) -> Ran {
    ran.then(&["run", "s.yaml", "--json", "again.json", "--retries", "0", "--target-version", "1"])
        .args(if more.contains(&"--replay") { &[][..] } else { &["--cache", "auto"] })
        .args(more)
        .env("OPENAI_API_KEY", "test")
        .file("s.yaml", suite(&head.replace("URL", &server.url), case))
        .run()
}

/// The trials of a run, without the fields that say where an answer came from.
fn trials(ran: &Ran, file: &str) -> Json {
    let mut report = ran.json(file);
    for case in report["cases"].as_array_mut().unwrap() {
        for trial in case["trials"].as_array_mut().unwrap() {
            for turn in trial["turns"].as_array_mut().into_iter().flatten() {
                turn["answer"].as_object_mut().unwrap().remove("recorded");
            }
        }
    }
    report["cases"].clone()
}

#[test]
fn a_replay_is_the_same_and_sends_nothing() {
    for (head, server) in [(HEAD, echo()), (STATEFUL, memory())] {
        let ran = run(head, THREE, &server, &["--repeat", "2"]).ended(0);
        let count = server.asked().len();
        assert_eq!(count, 6);
        let first = trials(&ran, "run.json");
        for more in [
            &["--repeat", "2"][..],
            &["--repeat", "2", "--replay"],
            &["--repeat", "2", "-c", "8", "--replay"],
        ] {
            let again = again(&ran, &server, head, THREE, more).ended(0);
            assert_eq!(trials(&again, "again.json"), first, "{more:?}");
        }
        assert_eq!(server.asked().len(), count, "{head}");
    }
}

#[test]
fn a_change_at_a_turn_asks_from_there_on() {
    let server = echo();
    let ran = run(HEAD, THREE, &server, &[]).ended(0);
    let changed = THREE.replace("user: two", "user: two please");
    let ran = again(&ran, &server, HEAD, &changed, &[]).ended(0);
    let sent: Vec<_> = server.asked()[3..].iter().map(super::super::server::Asked::last_message).collect();
    assert_eq!(sent, ["two please", "three"]);
    // Expectations come after the last answer and are not part of any cache key.
    let other = changed.replace("values: [three]", "values: [say]");
    again(&ran, &server, HEAD, &other, &[]).ended(0);
    assert_eq!(server.asked().len(), 5);
    let lost = again(&ran, &server, HEAD, &THREE.replace("user: two", "user: other"), &["--replay"]).ended(4);
    let trial = lost.json("again.json")["cases"][0]["trials"][0].clone();
    assert_eq!(trial["fault"]["kind"], "cache-miss", "{trial}");
    assert_eq!(asked(&trial), ["one"]);
}

#[test]
fn a_stateful_server_is_asked_all_turns_or_none() {
    let server = memory();
    let ran = run(STATEFUL, THREE, &server, &[]).ended(0);
    let changed = THREE.replace("user: two", "user: two please");
    let ran = again(&ran, &server, STATEFUL, &changed, &[]).ended(0);
    let sent: Vec<_> =
        server.asked()[3..].iter().map(|asked| asked.body["text"].as_str().unwrap().to_owned()).collect();
    assert_eq!(sent, ["one", "two please", "three"]);
    let ids: Vec<_> = server.asked()[3..].iter().map(|asked| asked.body["id"].clone()).collect();
    assert!(ids.iter().all(|id| *id == ids[0]) && ids[0] != server.asked()[0].body["id"]);
    let output = ran.json("again.json")["cases"][0]["trials"][0]["turns"][2]["answer"]["text"].clone();
    assert_eq!(output, "You say three as number 3.");
    // All of it is recorded now; a missing record is not matched with one of a different conversation.
    let other = THREE.replace("user: one", "user: three");
    let output = again(&ran, &server, STATEFUL, &other, &["--replay"]).ended(4);
    let output = output.stdout + &output.stderr;
    assert!(!output.contains("held"), "{output}");
    again(&ran, &server, STATEFUL, &changed, &["--replay"]).ended(0);
    again(&ran, &server, STATEFUL, &changed, &[]).ended(0);
    assert_eq!(server.asked().len(), 6);
    // One turn more.
    let longer =
        format!("{changed}\n  - {{ user: four, expected: {{ type: contains, values: [number 4] }} }}");
    again(&ran, &server, STATEFUL, &longer, &[]).ended(0);
    assert_eq!(server.asked().len(), 10);
    // One turn less sends nothing.
    let shorter = changed.replace("\n  - { user: three, expected: { type: contains, values: [three] } }", "");
    again(&ran, &server, STATEFUL, &shorter, &[]).ended(0);
    assert_eq!(server.asked().len(), 10);
}

#[test]
fn a_failure_is_confirmed_by_the_whole_conversation() {
    for (head, is_stateful) in [(HEAD, false), (STATEFUL, true)] {
        let good = Json::from("two");
        let replies: String = (0..6)
            .map(|trial| {
                let line = super::recorded(
                    "c",
                    &[("one", json!("a")), ("two", good.clone()), ("three", json!("three"))],
                );
                let mut line: Json = serde_json::from_str(&line).unwrap();
                line["trial"] = trial.into();
                line.to_string() + "\n"
            })
            .collect();
        let server = if is_stateful {
            Server::plain(|_| raw(&json!({ "answer": "three", "session": "s" })))
        } else {
            Server::start(|_| Answer::Text("three".to_owned()))
        };
        let text = suite(&head.replace("URL", &server.url), THREE);
        let ran =
            Akit::new(&["run", "s.yaml", "--replies", "r.jsonl", "--repeat", "6", "--json", "then.json"])
                .file("s.yaml", text)
                .file("r.jsonl", replies)
                .run()
                .ended(0);
        ran.then(&["baseline", "update", "then.json", "--baseline", "b.json"]).run().ended(0);
        let ran = ran
            .then(&[
                "run",
                "s.yaml",
                "--json",
                "run.json",
                "--baseline",
                "b.json",
                "--retries",
                "0",
                "--confirm",
                "3",
            ])
            .env("OPENAI_API_KEY", "test")
            .run();
        let report = ran.json("run.json");
        let trials = report["cases"][0]["trials"].as_array().unwrap();
        assert!(trials.len() > 1, "{}", ran.stdout);
        assert!(trials[1..].iter().all(|trial| trial["confirmation"] == true));
        for trial in trials {
            assert_eq!(asked(trial), ["one", "two", "three"], "{}", reasons(trial));
        }
        assert_eq!(server.asked().len(), 3 * trials.len(), "{head}");
        if is_stateful {
            let ids: std::collections::BTreeSet<_> =
                server.asked().iter().map(|asked| asked.body["id"].as_str().unwrap().to_owned()).collect();
            assert_eq!(ids.len(), trials.len());
        }
    }
}

/// A server that hangs at the second turn of its first conversation.
fn hangs(is_stateful: bool) -> Server {
    let count = AtomicUsize::new(0);
    Server::plain(move |asked| {
        if count.fetch_add(1, Ordering::SeqCst) == 1 {
            return Answer::Hang;
        }
        if is_stateful {
            raw(
                &json!({ "answer": format!("You say {}", asked.body["text"].as_str().unwrap()), "session": "s" }),
            )
        } else {
            Answer::Text(format!("You say {}", asked.last_message()))
        }
    })
}

#[test]
#[cfg(unix)]
fn a_killed_run_continues_if_the_application_can() {
    for (head, is_stateful) in [(HEAD, false), (STATEFUL, true)] {
        for (signal, is_killed) in [("-KILL", true), ("-INT", false)] {
            let server = hangs(is_stateful);
            let akit = Akit::new(&[
                "run",
                "s.yaml",
                "--json",
                "run.json",
                "--retries",
                "0",
                "--target-version",
                "1",
            ])
            .env("OPENAI_API_KEY", "test")
            .file("s.yaml", suite(&head.replace("URL", &server.url), THREE));
            let child = akit.command().spawn().unwrap();
            server.wait_for(2);
            if is_killed {
                send(&child, signal);
            } else {
                send_twice(&child, signal);
            }
            let ran = akit.ran(end(child));
            let resumed = ran
                .then(&[
                    "run",
                    "s.yaml",
                    "--json",
                    "run.json",
                    "--retries",
                    "0",
                    "--target-version",
                    "1",
                    "--resume",
                ])
                .env("OPENAI_API_KEY", "test")
                .run()
                .ended(0);
            let sent: Vec<_> = server.asked()[2..]
                .iter()
                .map(|asked| {
                    contents(asked).pop().or(asked.body["text"].as_str().map(str::to_owned)).unwrap()
                })
                .collect();
            // A stateless application's answers are not paid for twice; a stateful one starts over.
            let expected: &[&str] = if is_stateful { &["one", "two", "three"] } else { &["two", "three"] };
            assert_eq!(sent, expected, "{head} {signal}");
            assert_eq!(asked(&trial(&resumed)), ["one", "two", "three"]);
        }
    }
}

#[test]
fn a_budget_covers_all_turns_of_a_conversation() {
    let server = echo();
    let prices = "prices: { m: { input: 0, output: 1000 } }\n";
    // Three turns of five tokens cost 0.015 USD.
    let text = suite(&format!("maxTokens: 5\n{}", HEAD.replace("URL", &server.url)), THREE);
    let ask = |budget: &str, more: &[&str]| {
        Akit::new(&["run", "s.yaml", "--json", "run.json", "--retries", "0", "--budget", budget])
            .args(more)
            .env("OPENAI_API_KEY", "test")
            .file("akit.yaml", prices)
            .file("s.yaml", &text)
            .run()
    };
    let refused = ask("0.010", &[]);
    assert_ne!(refused.status, 0, "{}", refused.stdout);
    assert!(server.asked().is_empty(), "{}\n{}", refused.stdout, refused.stderr);
    ask("0.015", &[]).ended(0);
    assert_eq!(server.asked().len(), 3);
    // What is left in the middle of the second conversation is not exceeded.
    let ran = ask("0.029", &["--repeat", "2", "-c", "1"]);
    assert_ne!(ran.status, 0, "{}", ran.stdout);
    assert!(server.asked().len() < 3 + 6, "{}", ran.stdout);
}

#[test]
fn a_deadline_ends_a_conversation_between_its_turns() {
    let server = hangs(false);
    let ran = run(HEAD, THREE, &server, &["--deadline", "1s"]);
    assert_ne!(ran.status, 0);
    let report = ran.json("run.json");
    assert_ne!(report["cases"][0]["outcome"], "passed");
    assert_ne!(report["cases"][0]["outcome"], "failed");
    assert_eq!(server.asked().len(), 2);
}

#[test]
fn answers_are_judged_before_redaction() {
    let case = "
redaction: { patterns: [email, phone] }
facts: [{ name: mail, asked: which mail, value: jane.doe@example.com, shape: \"\\\\S+@\\\\S+\\\\w\" }]
turns:
  - { user: I am jane.doe@example.com, expected: { type: contains, values: [jane.doe@example.com] } }
  - { user: Again, expected: { type: pii, none: [phone] } }
  - { user: Bye }
expected:
  type: combined
  operator: and
  expectations:
    - { type: keeps }
    - { type: first_answer, expected: { type: contains, values: [jane.doe@example.com] } }
    - { type: every_answer, expected: { type: pii, none: [phone] } }";
    let altered = case.replace("user: Again", "user: Other");
    for (head, is_stateful) in [(HEAD, false), (STATEFUL, true)] {
        let say = |said: &str| match said {
            "Other" => "So john.roe@example.com, or +1 415 555 0132?".to_owned(),
            "Again" => "It is jane.doe@example.com.".to_owned(),
            said => format!("{said}, I see."),
        };
        let server = Server::plain(move |asked| {
            if is_stateful {
                raw(&json!({ "answer": say(asked.body["text"].as_str().unwrap()), "session": "s" }))
            } else {
                Answer::Text(say(&asked.last_message()))
            }
        });
        for (case, status) in [(case, 0), (altered.as_str(), 1)] {
            let before = server.asked().len();
            let ran = run(head, case, &server, &[]);
            assert_eq!(ran.status, status, "{}\n{}", ran.stdout, ran.stderr);
            // The bot receives the customer's message; nothing stores it.
            let heard = server.asked()[before].body.to_string();
            assert!(heard.contains("jane.doe@example.com"), "{heard}");
            let first = trials(&ran, "run.json");
            let found = format!("{first}{}{}", ran.stdout, ran.stderr);
            for value in ["jane.doe", "john.roe", "555 0132"] {
                assert!(!found.contains(value), "{value} is in {found}");
            }
            let again = again(&ran, &server, head, case, &["--replay"]).ended(status);
            assert_eq!(trials(&again, "again.json"), first);
            if status == 1 {
                let found = reasons(&first[0]["trials"][0]);
                assert!(found.contains("keeps failed") && found.contains("pii failed"), "{found}");
                let whole = &first[0]["trials"][0]["conversation"]["verdict"]["parts"];
                let of_turn = whole.as_array().unwrap().iter().find(|part| part["kind"] == "keeps");
                assert_eq!(of_turn.map(|part| &part["turn"]), Some(&json!(2)), "{whole}");
            }
        }
    }
}

/// A server that numbers its conversations and recognizes a customer who introduces himself again.
#[test]
fn records_of_two_conversations_that_begin_alike_do_not_mix() {
    let known = std::sync::Mutex::new(std::collections::BTreeMap::<String, usize>::new());
    let server = Server::plain(move |asked| {
        let mut known = known.lock().unwrap();
        let count = known.len() + 1;
        let number = *known.entry(asked.body["id"].to_string()).or_insert(count);
        raw(&json!({ "answer": format!("Ticket {number}, you say {}.", asked.body["text"]), "session": "s" }))
    });
    let cases = "\
turns:
  - { id: first, user: Hi., expected: { type: regex, pattern: \"Ticket (?<number>.)\" } }
  - { user: \"Still {{turn.first.number}}?\", expected: { type: contains, values: [Still] } }
- id: d
  turns: [{ user: Hi. }, { user: Other?, expected: { type: contains, values: [Ticket] } }]
";
    let cases =
        cases.replace("\n- id", "\n@- id").replace("\n  turns: [{ user: Hi.", "\n@  turns: [{ user: Hi.");
    let head = STATEFUL.replace("URL", &server.url);
    let text = suite(&head, &cases).replace("    @", "  ");
    let ran = Akit::new(&["run", "s.yaml", "--json", "run.json", "-c", "1", "--target-version", "1"])
        .args(&["--cache", "auto"])
        .file("s.yaml", &text)
        .run()
        .ended(0);
    let texts = |ran: &Ran, file: &str| -> Vec<String> {
        let report = ran.json(file);
        let cases = report["cases"].as_array().unwrap().iter();
        let turns = cases.flat_map(|case| case["trials"][0]["turns"].as_array().unwrap().clone());
        turns.map(|turn| turn["answer"]["text"].as_str().unwrap().to_owned()).collect()
    };
    let (first, count) = (texts(&ran, "run.json"), server.asked().len());
    assert_ne!(first[0].split(',').next(), first[2].split(',').next(), "{first:?}");
    let replay =
        ran.then(&["run", "s.yaml", "--json", "again.json", "--target-version", "1", "--replay"]).run();
    assert_eq!(texts(&replay.ended(0), "again.json"), first);
    assert_eq!(server.asked().len(), count);
}
