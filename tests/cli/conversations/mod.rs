//! Cases that are conversations.

mod fixtures;
mod frozen;
mod generated;
mod handoffs;
mod imported;
mod kinds;
mod providers;
mod records;
mod refused;
mod ruled;
mod scripted;
mod unheard;

use serde_json::{Value as Json, json};

use super::Akit;
use super::akit::Ran;

/// A suite with the case `c` and these keys; `head` comes first in the file.
pub(crate) fn suite(head: &str, case: &str) -> String {
    let head = if head.is_empty() { String::new() } else { format!("{}\n", head.trim_end()) };
    format!("name: s\n{head}cases:\n{}", entry("c", case))
}

/// An entry of `cases`.
fn entry(id: &str, case: &str) -> String {
    let lines = case.trim_matches('\n').lines().map(|line| format!("    {line}\n"));
    format!("  - id: {id}\n{}", lines.collect::<String>())
}

/// A line of recorded answers: the customer's messages and the answers, each as text or as members of the message.
pub(crate) fn recorded(id: &str, turns: &[(&str, Json)]) -> String {
    let mut messages = Vec::new();
    for (asked, answer) in turns {
        messages.push(json!({ "role": "user", "content": asked }));
        let mut message = json!({ "role": "assistant", "content": "" });
        match answer {
            Json::Object(members) => message.as_object_mut().unwrap().extend(members.clone()),
            text => message["content"] = text.clone(),
        }
        messages.push(message);
    }
    json!({ "id": id, "messages": messages }).to_string() + "\n"
}

/// A row of a table: name, keys of the case, questions and answers, outcome, and part of the trial's reasons.
pub(crate) type Row<'a> = (&'a str, &'a str, &'a [(&'a str, Json)], &'a str, &'a str);

/// Judges every row in one run.
#[track_caller]
pub(crate) fn table(head: &str, rows: &[Row<'_>]) {
    let cases: String =
        rows.iter().enumerate().map(|(at, (_, case, ..))| entry(&format!("c{at}"), case)).collect();
    let lines: String =
        rows.iter().enumerate().map(|(at, (_, _, turns, ..))| recorded(&format!("c{at}"), turns)).collect();
    let ran = Akit::new(&["run", "s.yaml", "--replies", "r.jsonl", "--json", "run.json"])
        .file("s.yaml", format!("name: s\n{head}cases:\n{cases}"))
        .file("r.jsonl", lines)
        .run();
    assert!(ran.status != 2, "{}\n{}", ran.stderr, ran.stdout);
    let report = ran.json("run.json");
    let mut wrong = Vec::new();
    for (at, (name, _, _, outcome, part)) in rows.iter().enumerate() {
        let case = &report["cases"][at];
        let found = reasons(&case["trials"][0]);
        if case["outcome"] != *outcome || !found.contains(part) {
            wrong.push(format!("{name}: {} and not {outcome}, {part:?}:\n{found}", case["outcome"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// All reasons that a trial gives for its outcome, one per line.
pub(crate) fn reasons(trial: &Json) -> String {
    fn walk(verdict: &Json, out: &mut Vec<String>) {
        let text = |key: &str| verdict[key].as_str().unwrap_or_default().to_owned();
        out.push(format!("{} {}: {}", text("kind"), text("outcome"), text("reason")));
        for part in verdict["parts"].as_array().into_iter().flatten() {
            walk(part, out);
        }
    }
    let mut out = Vec::new();
    if let Some(fault) = trial.get("fault") {
        out.push(format!("{}: {}", fault["kind"].as_str().unwrap(), fault["message"].as_str().unwrap()));
    }
    for turn in trial["turns"].as_array().into_iter().flatten() {
        let place = &turn["place"];
        let id = place["id"].as_str().map(|id| format!(" ({id})")).unwrap_or_default();
        out.push(format!("turn {}{id} {:?}", place["number"], turn["asked"].as_str().unwrap_or_default()));
        for verdict in turn["verdicts"].as_array().into_iter().flatten() {
            walk(verdict, &mut out);
        }
    }
    let conversation = &trial["conversation"];
    out.push(format!("ended by {}", conversation["ended_by"].as_str().unwrap_or_default()));
    if let Some(verdict) = conversation.get("verdict") {
        walk(verdict, &mut out);
    }
    out.join("\n")
}

/// The only trial of the only case.
pub(crate) fn trial(ran: &Ran) -> Json {
    ran.json("run.json")["cases"][0]["trials"][0].clone()
}

/// The customer's messages in a trial.
pub(crate) fn asked(trial: &Json) -> Vec<String> {
    let turns = trial["turns"].as_array().cloned().unwrap_or_default();
    turns.iter().map(|turn| turn["asked"].as_str().unwrap_or_default().to_owned()).collect()
}

/// Panics unless a case is refused with this code and these words.
#[track_caller]
pub(crate) fn refused(head: &str, case: &str, code: &str, words: &[&str]) {
    let ran = Akit::new(&["validate", "s.yaml", "--json", "v.json"]).file("s.yaml", suite(head, case)).run();
    let report = ran.json("v.json");
    let list = report["diagnostics"].as_array().unwrap();
    let found = list
        .iter()
        .find(|one| one["code"] == code && words.iter().all(|word| one.to_string().contains(word)));
    let found = found.unwrap_or_else(|| panic!("no {code} with {words:?} of\n{case}\n{list:#?}"));
    assert!(found["location"]["line"].as_u64().is_some_and(|line| line > 1), "{found}");
    assert!(!found["help"].as_str().unwrap_or_default().is_empty(), "{found}");
}
