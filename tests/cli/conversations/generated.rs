//! Five hundred conversations generated from a seed, replayed with different numbers of workers.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use super::providers::contents;
use crate::Akit;
use crate::akit::Ran;
use crate::server::{Answer, Server};

const CONVERSATIONS: usize = 500;

/// A pseudorandom number from a text; the same on every machine.
fn number(text: &str) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in text.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    (hash ^ (hash >> 31)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 17
}

/// The bot's answer in a conversation.
fn says(said: &[String]) -> &'static str {
    const ANSWERS: [&str; 12] = [
        "Which card is it, and how much was it?",
        "How much was it?",
        "Please ask the merchant.",
        "A moment, please wait.",
        "Your case is C-17.",
        "Your case is C-18, and you will be refunded.",
        "I connect you now.",
        "Thank you, goodbye.",
        "I have looked at your account, and found the payment of last Tuesday.",
        "What a nice day it is.",
        "Your card ends in 4471.",
        "Your card ends in 4417.",
    ];
    ANSWERS[usize::try_from(number(&said.join("\n"))).unwrap() % ANSWERS.len()]
}

/// A case with a script, or with a rule-based customer.
fn case(at: usize) -> String {
    let pick = |what: &str, of: usize| usize::try_from(number(&format!("{at} {what}"))).unwrap() % of;
    if at.is_multiple_of(2) {
        let mut turns = String::from("turns:\n");
        for turn in 1..=2 + pick("turns", 4) {
            let expected = match pick(&format!("expected {turn}"), 4) {
                0 => ", expected: { not: { type: regex, pattern: \"refunded|nice day|C-17\" } }",
                1 => ", expected: { not: { type: regex, pattern: \"merchant|last Tuesday|4471\" } }",
                2 if turn > 2 => ", if: { not: { type: contains, values: [goodbye] } }",
                _ => "",
            };
            writeln!(turns, "  - {{ id: t{turn}, user: \"Conversation {at}, turn {turn}.\"{expected} }}")
                .unwrap();
        }
        let whole = [
            "{ type: no_loop }",
            "{ type: every_answer, expected: { not: { type: contains, values: [connect] } } }",
        ];
        return format!("{turns}expected: {}\n", whole[pick("whole", 2)]);
    }
    let otherwise = if pick("otherwise", 3) == 0 {
        ""
    } else {
        "  otherwise: { say: \"A person, please.\", most: 2, then: end }\n"
    };
    let off = if pick("off", 4) == 0 { "  off_script: fail\n" } else { "" };
    format!(
        "customer:
  says: \"Conversation {at} begins.\"
  facts:
    - {{ name: card, asked: which card, say: It ends in 4417., shape: \"\\\\b44\\\\d\\\\d\\\\b\" }}
    - {{ name: amount, asked: how much, say: 240 euros., value: \"240\" }}
  rules:
    - {{ when: {{ type: contains, values: [merchant] }}, say: [I did., I told you.] }}
    - {{ when: {{ type: regex, pattern: \"C-\\\\d+\" }}, say: Thank you. }}
    - {{ when: {{ type: contains, values: [wait] }}, say: I wait., most: 2 }}
{otherwise}{off}  ends: [{{ type: contains, values: [goodbye] }}]
  max_turns: {}
expected: {{ type: combined, operator: and, expectations: [{{ type: no_reask }}, {{ type: keeps, facts: [card] }}, {{ type: every_answer, expected: {{ not: {{ type: regex, pattern: \"refunded|nice day\" }} }} }}] }}
",
        2 + pick("most", 5)
    )
}

/// The cases of a report, without the fields that say where an answer came from.
fn cases(ran: &Ran, file: &str) -> String {
    let mut report = ran.json(file);
    for case in report["cases"].as_array_mut().unwrap() {
        for turn in case["trials"][0]["turns"].as_array_mut().into_iter().flatten() {
            turn["answer"].as_object_mut().unwrap().remove("recorded");
        }
    }
    report["cases"].to_string()
}

#[test]
fn five_hundred_conversations_are_replayed_byte_for_byte() {
    let server = Server::start(|asked| Answer::Text(says(&contents(asked)).to_owned()));
    let text: String = (0..CONVERSATIONS).map(|at| super::entry(&format!("c{at}"), &case(at))).collect();
    let text = format!("name: s\nmodel: m\nproviderConfig: {{ baseUrl: {} }}\ncases:\n{text}", server.url);
    let ran = Akit::new(&["run", "s.yaml", "-c", "64", "--json", "run.json", "--target-version", "1"])
        .env("OPENAI_API_KEY", "test")
        .file("s.yaml", text)
        .run()
        .ended(1);
    let first = cases(&ran, "run.json");
    let requests = server.asked().len();
    let mut replays: Vec<Json> = Vec::new();
    for workers in ["1", "8", "64"] {
        let arguments = [
            "run",
            "s.yaml",
            "--replay",
            "-c",
            workers,
            "--json",
            "again.json",
            "--junit",
            "j.xml",
            "--target-version",
            "1",
        ];
        let again = ran.then(&arguments).run().ended(1);
        assert!(cases(&again, "again.json") == first, "-c {workers} differs");
        let junit = again.read("j.xml");
        let untimed: Vec<_> =
            junit.lines().filter(|line| !line.contains("<testsuite")).map(str::to_owned).collect();
        replays.push(json!([again.json("again.json")["cases"].to_string(), untimed]));
    }
    assert!(replays[0] == replays[1] && replays[1] == replays[2]);
    assert_eq!(server.asked().len(), requests);

    // The conversations are varied enough to be worth replaying.
    let report = ran.json("run.json");
    let trials = || report["cases"].as_array().unwrap().iter().map(|case| &case["trials"][0]);
    let share = |count: usize| 100 * count / CONVERSATIONS;
    let is_failed = |trial: &Json| {
        trial["outcome"] == "failed" && trial["turns"].as_array().is_some_and(|turns| turns.len() > 1) && {
            let bad = |one: &Json| one["outcome"] == "failed";
            !trial["turns"][0]["verdicts"].as_array().is_some_and(|all| all.iter().any(bad))
        }
    };
    let failed = trials().filter(|trial| is_failed(trial)).count();
    let off = trials().filter(|trial| {
        trial["fault"]["kind"] == "off-script" || trial["conversation"]["ended_by"] == "off_script"
    });
    let (failed, off) = (share(failed), share(off.count()));
    let longest = trials().map(|trial| trial["turns"].as_array().map_or(0, Vec::len)).max();
    assert!(
        failed >= 30 && off >= 10,
        "{failed}% fail after turn 1, {off}% are off the script; {longest:?} turns"
    );
}
