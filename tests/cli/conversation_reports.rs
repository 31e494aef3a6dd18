//! Reports of conversations for people and programs: one failed, two errored, one passed.

use serde_json::{Value as Json, json};

use super::Akit;
use super::akit::Ran;

const SUITE: &str = r#"name: parcel
setup:
  handoff: { tool: transfer_to_human }
cases:
  - id: third-time
    turns:
      - user: My parcel NW-5512 has not come.
        expected: { type: contains, values: ["NW-5512"] }
      - user: It is not here.
      - id: third
        user: This is the third time I write about it.
        expected: { type: not_contains, values: ["order number"] }
      - user: Hello?
        if: { type: contains, values: ["case"] }
      - id: back
        session: new
        user: I am back. What about my parcel?
        expected: { type: contains, values: ["NW-5512"] }
    expected:
      type: combined
      operator: and
      expectations:
        - { type: no_loop }
        - { type: handoff, by: third, state: done }
  - id: strange
    customer:
      says: Where is my parcel?
      facts:
        - { name: number, asked: number, say: NW-5512. }
      max_turns: 6
    expected: { type: no_reask }
  - id: short
    turns:
      - user: Where is my parcel?
      - user: And now?
    expected: { type: no_loop }
  - id: reask
    customer:
      says: Where is my parcel?
      facts:
        - { name: number, asked: number, say: NW-5512. }
      otherwise: { say: Please look again., most: 3, then: end }
      max_turns: 3
    expected: { type: no_reask }
  - id: fine
    turns:
      - user: Where is my parcel?
      - user: Thank you.
    expected: { type: no_loop }
"#;

/// A line of recorded answers: questions and answers in turn; an answer's calls come before a `|`.
fn line(id: &str, said: &[(&str, &str)]) -> String {
    let messages = said.iter().flat_map(|(asked, answer)| {
        let (call, text) = answer.split_once('|').unwrap_or(("", answer));
        let mut answer_message = json!({ "role": "assistant", "content": text });
        if !call.is_empty() {
            answer_message["tool_calls"] = json!([{ "name": call, "arguments": { "parcel": "NW-5512" } }]);
        }
        [json!({ "role": "user", "content": asked }), answer_message]
    });
    json!({ "id": id, "messages": messages.collect::<Vec<_>>() }).to_string()
}

/// The answers, with this third one and this text in every last one.
fn replies(third: &str) -> String {
    let last = "It is lost. ::error::x <script>alert(1)</script> [l](http://evil.example)";
    let lines = [
        line(
            "third-time",
            &[
                ("My parcel NW-5512 has not come.", "track|I am looking for NW-5512."),
                ("It is not here.", "I will open a search today."),
                ("This is the third time I write about it.", third),
                ("I am back. What about my parcel?", last),
            ],
        ),
        line("strange", &[("Where is my parcel?", "Which number?"), ("NW-5512.", "Do you want a coupon?")]),
        line("short", &[("Where is my parcel?", "On its way.")]),
        line(
            "reask",
            &[
                ("Where is my parcel?", "Which number?"),
                ("NW-5512.", "Tell me the number."),
                ("Please look again.", "refund|Done."),
            ],
        ),
        line("fine", &[("Where is my parcel?", "On its way."), ("Thank you.", "You are welcome.")]),
    ];
    lines.join("\n")
}

fn run(third: &str, more: &[&str]) -> Ran {
    Akit::new(&["run", "s.yaml", "--replies", "r.jsonl", "--json", "run.json"])
        .args(more)
        .file("s.yaml", SUITE)
        .file("r.jsonl", replies(third))
        .run()
        .ended(1)
}

const THIRD: &str = "lookup|Please give me your order number.";

#[test]
fn readable_reports_show_where_it_broke() {
    let ran = run(THIRD, &["--junit", "j.xml", "--markdown", "s.md"]);
    insta::assert_snapshot!("console", ran.stdout);
    insta::assert_snapshot!("junit", ran.read("j.xml"));
    insta::assert_snapshot!("markdown", ran.read("s.md"));
    // A stored run is described in the same words.
    let again = ran.then(&["report", "run.json"]).run().ended(0);
    assert_eq!(again.stdout, ran.stdout);
}

#[test]
fn results_point_to_their_turn_and_show_the_conversation() {
    let ran = run(THIRD, &["--sarif", "s.sarif", "--code-quality", "q.json"]);
    let log = ran.json("s.sarif");
    let reported: Vec<Json> = log["runs"][0]["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| {
            let region = &result["locations"][0]["physicalLocation"]["region"];
            let steps = result["codeFlows"][0]["threadFlows"][0]["locations"].as_array().unwrap();
            let steps: Vec<Json> = steps
                .iter()
                .map(|step| {
                    let line = &step["location"]["physicalLocation"]["region"]["startLine"];
                    json!([line, step["importance"], step["location"]["message"]["text"]])
                })
                .collect();
            json!({
                "rule": result["ruleId"],
                "at": [region["startLine"], region["startColumn"]],
                "says": result["message"]["text"],
                "steps": steps,
            })
        })
        .collect();
    insta::assert_snapshot!("sarif", serde_json::to_string_pretty(&reported).unwrap());
    // An expectation of the whole conversation is reported at the turn that did not meet it.
    let results = log["runs"][0]["results"].as_array().unwrap();
    let handoff = results.iter().find(|result| result["ruleId"] == "akit/expect/handoff").unwrap();
    let related = &handoff["relatedLocations"][0];
    assert_eq!(related["physicalLocation"]["region"]["startLine"], 24, "{related}");
    assert_eq!(related["message"]["text"], "the expectation");
    let troubles = log["runs"][0]["invocations"][0]["toolExecutionNotifications"].as_array().unwrap();
    let line = |at: usize| &troubles[at]["locations"][0]["physicalLocation"]["region"]["startLine"];
    // At the turn where the customer gave the fact, and at the only turn that is too short.
    assert_eq!((line(0), line(1)), (&json!(29), &json!(34)), "{troubles:?}");
    assert!(troubles[0]["message"]["text"].as_str().unwrap().contains("; answer: Do you want a coupon?"));
    let quality: Vec<Json> = ran
        .json("q.json")
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["location"]["lines"]["begin"].clone())
        .collect();
    assert!(quality.contains(&json!(11)) && quality.contains(&json!(41)), "{quality:?}");
    let again = ran.then(&["run", "s.yaml", "--replies", "r.jsonl"]);
    let github = again.env("GITHUB_ACTIONS", "true").run().ended(1);
    assert!(github.stdout.contains("::error file=s.yaml,line=11,title=akit%3A akit/expect/not-contains::"));
}

#[test]
fn the_page_shows_a_chat_with_anchors() {
    let ran = run(THIRD, &["--html", "p.html"]);
    let page = ran.read("p.html");
    for part in [
        r##"<a href="#c0-turn-3">broke at turn 3 of 5 (third)</a>"##,
        r#"<li class="turn broke" id="c0-turn-3">"#,
        r#"<span class="tag o-failed">broke here</span>"#,
        r#"<li class="turn" id="c0-turn-1">"#,
        "1 turn left out: `if` was not met",
        "new session",
        "ended after turn 5: the script ended",
        r#"<span class="tag o-errored">broke here</span>"#,
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains(r#"id="c0-turn-4""#) && !page.contains("<script>alert"));
    // A stored run is shown at the first turn that differs, and only there.
    let later = run("I am sorry, it is not there.", &[]);
    std::fs::copy(ran.path("run.json"), later.path("before.json")).unwrap();
    let page = later
        .then(&["report", "run.json", "--history", "before.json", "--html", "p.html"])
        .run()
        .read("p.html");
    let (_, third) = page.split_once(r#"id="c0-turn-3""#).unwrap();
    let (third, _) = third.split_once(r#"id="c0-turn-5""#).unwrap();
    assert!(third.contains("Answer before") && third.contains("<del>"), "{third}");
}

#[test]
fn two_runs_are_compared_where_they_diverge() {
    let base = run(THIRD, &[]);
    let head = run("I am sorry, NW-5512 is lost.", &[]);
    std::fs::copy(base.path("run.json"), head.path("base.json")).unwrap();
    let compared =
        head.then(&["compare", "base.json", "run.json", "--json", "c.json", "--html", "c.html"]).run();
    let cases = compared.json("c.json");
    let (first, fine) = (&cases["cases"][0], &cases["cases"][4]);
    assert_eq!((&first["turn"], &fine["turn"]), (&json!(3), &json!(2)));
    assert_eq!(first["base"]["answer"], "Please give me your order number.");
    assert_eq!(first["head"]["answer"], "I am sorry, NW-5512 is lost.");
    assert_eq!(first["base"]["tool_calls"][0]["name"], "lookup");
    let page = compared.read("c.html");
    assert!(
        page.contains("Asked in turn 3, the first that differs")
            && page.contains("All answers are the same.")
    );
    head.then(&["history", "base.json", "run.json"]).run().ended(0).out("over 2 runs");
    head.then(&["plan", "s.yaml", "--replies", "r.jsonl"]).run();
}

#[test]
fn reports_contain_nothing_redacted() {
    let suite = r#"name: s
redaction: { patterns: [email] }
cases:
  - id: told
    turns:
      - { user: "I am jane.doe@example.com." }
      - id: again
        user: Is it jane.doe@example.com?
        expected: { type: contains, values: [never] }
    expected: { type: no_loop }
  - id: other
    turns:
      - user: Write to jane.doe@example.com.
    expected: { type: no_loop }
"#;
    let answer = "Yes, jane.doe@example.com it is.";
    let said = [("I am jane.doe@example.com.", answer), ("Is it jane.doe@example.com?", answer)];
    let lines = [line("told", &said), line("other", &[("I am jane.doe@example.com.", answer)])].join("\n");
    let names = ["run.json", "j.xml", "s.sarif", "s.md", "p.html", "q.json"];
    let flags = ["--json", "--junit", "--sarif", "--markdown", "--html", "--code-quality"];
    let ran = flags
        .iter()
        .zip(names)
        .fold(Akit::new(&["run", "s.yaml", "--replies", "r.jsonl"]), |akit, (flag, name)| {
            akit.args(&[flag, name])
        });
    let ran = ran.file("s.yaml", suite).file("r.jsonl", lines).run().ended(1);
    for (name, text) in
        names.iter().map(|name| (*name, ran.read(name))).chain([("console", ran.stdout.clone())])
    {
        assert!(!text.contains("jane.doe"), "{name}: {text}");
        assert!(text.contains("REDACTED"), "{name}: {text}");
    }
    ran.out("broke at turn 2 of 2 (again)").out("is \"I am [REDACTED:email].\"");
}

/// If no answer meets the expectation, no turn is more at fault than another.
#[test]
fn a_failed_some_answer_is_at_its_expectation() {
    let suite = "name: s\nprovider: replies\ncases:\n  - id: a\n    turns:\n      - user: one\n      - user: two\n    expected:\n      type: some_answer\n      expected: { type: contains, values: [refund] }\n";
    let said = json!({ "id": "a", "messages": [
        { "role": "user", "content": "one" }, { "role": "assistant", "content": "no" },
        { "role": "user", "content": "two" }, { "role": "assistant", "content": "never" },
    ] });
    let akit = Akit::new(&["run", "s.yaml", "--replies", "r.jsonl", "--sarif", "s.sarif"]);
    let ran = akit.file("s.yaml", suite).file("r.jsonl", said.to_string()).run().ended(1);
    let results = ran.json("s.sarif")["runs"][0]["results"].clone();
    let all = results.as_array().unwrap().iter();
    let lines: Vec<_> = all
        .filter(|one| one["message"]["text"].as_str().unwrap().contains("refund"))
        .map(|one| one["locations"][0]["physicalLocation"]["region"]["startLine"].as_u64().unwrap())
        .collect();
    assert!(!lines.is_empty() && lines.iter().all(|line| *line >= 8), "{results:#}");
    assert!(!ran.stdout.contains("broke at turn"), "{}", ran.stdout);
}
