//! `always:` in a scenario and in the configuration: expectations for every answer of every case.

use serde_json::Value as Json;

use super::Akit;
use super::akit::Ran;
use super::replies::replies;
use super::server::{Answer, Server};
use super::trust_base::{base, change};
use super::weakening::akit;

const SUITE: &str = "\
name: s
variables: { team: Acme }
always:
  - { type: ends_with, value: 'Your {{team}} team' }
cases:
  - { id: a, prompt: q, expected: { type: contains, values: [good] } }
  - { id: b, prompt: q, variables: { team: Beta }, expected: { type: contains, values: [good] } }
";

const CONFIG: &str = "\
# House rules.
always:
  - name: no promises
    type: not_contains
    values: [guarantee]
";

const ANSWERS: [(&str, &str); 2] =
    [("a", "good. I guarantee it. Your Acme team"), ("b", "good. Your Acme team")];

fn suite(suite: &str, config: &str) -> Akit {
    Akit::new(&["run", "s.yaml", "--replies", "r.jsonl", "--json", "run.json"])
        .file("s.yaml", suite)
        .file("akit.yaml", config)
        .file("r.jsonl", replies(&ANSWERS))
}

fn case(ran: &Ran, at: usize) -> Json {
    ran.json("run.json")["cases"][at].clone()
}

#[test]
fn a_rule_fails_every_case_that_breaks_it_and_is_named_with_its_file_and_line() {
    let forms = ["--junit", "x.xml", "--sarif", "x.sarif", "--html", "x.html", "--markdown", "x.md"];
    let ran = suite(SUITE, CONFIG).args(&forms).run().ended(1);
    let rules = [
        "found `guarantee` (rule `no promises` for every answer, akit.yaml:4)",
        "does not end with \"Your Beta team\" (rule `ends_with` for every answer, s.yaml:4)",
    ];
    for (at, rule) in rules.iter().enumerate() {
        let verdict = case(&ran, at)["trials"][0]["turns"][0]["verdicts"][0].clone();
        assert_eq!(verdict["kind"], "combined", "{verdict}");
        let parts = verdict["parts"].as_array().unwrap();
        let outcomes: Vec<_> = parts.iter().map(|part| part["outcome"].as_str().unwrap()).collect();
        let expected = [["passed", "passed", "failed"], ["passed", "failed", "passed"]];
        assert_eq!(outcomes, expected[at]);
        let place = |at: usize| (parts[at]["rule"]["file"].clone(), parts[at]["rule"]["line"].clone());
        assert_eq!(parts[0]["rule"], Json::Null);
        assert_eq!((place(1), place(2)), (("s.yaml".into(), 4.into()), ("akit.yaml".into(), 4.into())));
        assert!(verdict["reason"].as_str().unwrap().contains(rule), "{verdict}");
        for text in
            [&ran.stdout, &ran.read("x.md"), &ran.read("x.xml"), &ran.read("x.sarif"), &ran.read("x.html")]
        {
            // Each format escapes its own special characters.
            let plain = text.replace("&#95;", "_");
            assert!(plain.contains(["no promises", "ends_with"][at]), "{rule}\n{text}");
            assert!(plain.contains(["akit.yaml:4", "s.yaml:4"][at]), "{rule}\n{text}");
        }
    }
}

#[test]
fn a_case_lifts_a_rule_by_its_name_with_a_reason() {
    let except = |what: &str| SUITE.replace("id: a,", &format!("id: a, except: {{ {what} }},"));
    let ran = suite(&except("no promises: a promise is what is asked for"), CONFIG).run().ended(1);
    assert_eq!((&case(&ran, 0)["outcome"], &case(&ran, 1)["outcome"]), (&"passed".into(), &"failed".into()));
    let rows = [
        ("no promise: why", "no rule under `always` is named `no promise`", "did you mean `no promises`?"),
        ("length: why", "no rule under `always` is named `length`", "use one of `ends_with`, `no promises`"),
        ("no promises: ''", "`except` gives no reason for `no promises`", "gives no reason"),
        ("no promises: ' '", "`except` gives no reason for `no promises`", "gives no reason"),
        ("no promises:", "`except` gives no reason for `no promises`", "gives no reason"),
    ];
    for (what, message, help) in rows {
        suite(&except(what), CONFIG).run().ended(2).err(message).err(help).err("s.yaml:6:");
        let ran = suite(&except(what), CONFIG).run();
        ran.then(&["validate", "s.yaml"]).run().ended(2).err(message);
    }
    // Two rules of the same type have the same default name, so an exception is ambiguous.
    let twice = format!("{CONFIG}  - {{ type: ends_with, value: team }}\n");
    suite(&except("ends_with: why"), &twice)
        .run()
        .ended(2)
        .err("several rules are named `ends_with`: s.yaml:4, akit.yaml:6")
        .err("give that rule a unique `name:`");
    suite(SUITE, &twice).run().ended(1);
}

#[test]
fn a_mistake_in_a_rule_is_reported_once_at_its_line() {
    let broken = |entry: &str| format!("always: [{entry}]\n");
    for (entry, message) in [
        ("{ type: contain, values: [x] }", "unknown expectation `contain`"),
        ("{ type: contains, values: [x], name: '' }", "a rule's `name` must be text, and not empty"),
        ("{ type: contains, values: [x], title: a }", "unknown key `title`"),
        ("{ type: contains, values: ['{{v}}'] }", "undefined variable `{{v}}`"),
        ("7", "an entry of `always` must be an expectation, found"),
    ] {
        suite(SUITE, &broken(entry)).run().ended(2).err(message).err("akit.yaml:1:");
        let own = SUITE.replace("always:\n", &format!("always:\n  - {entry}\n"));
        let ran = suite(&own, "").run().ended(2).err(message).err("s.yaml:4:");
        assert_eq!(ran.stderr.matches(message).count(), 1, "{}", ran.stderr);
    }
    suite(SUITE, "always: { type: exact, value: a }\n")
        .run()
        .ended(2)
        .err("`always` must be a list of expectations");
}

#[test]
fn a_case_depends_on_its_rules_and_not_on_their_place() {
    let hash = |suite: Akit| case(&suite.run(), 1)["content_hash"].clone();
    let (bare, rule) = (
        SUITE.replace("always:\n  - { type: ends_with, value: 'Your {{team}} team' }\n", ""),
        "{ type: length, words: { max: 9 } }",
    );
    let none = hash(suite(&bare, ""));
    let config = format!("always: [{rule}]\n");
    let with = hash(suite(&bare, &config));
    assert_ne!(none, with);
    assert_eq!(with, hash(suite(&format!("always: [{rule}]\n{bare}"), "")));
    assert_eq!(with, hash(suite(&bare, &config.replace("type", "name: short, type"))));
    assert_ne!(with, hash(suite(&bare, &config.replace('9', "8"))));
    let except = bare.replace("id: b,", "id: b, except: { length: it tells all },");
    assert_eq!(none, hash(suite(&except, &config)));
    // Commands that only print the questions count the same cases.
    let ran = suite(&bare, &config).run();
    let stored = ran.json("run.json");
    let said = ran.then(&["compare", "run.json", "run.json"]).run().ended(0);
    assert!(!said.stdout.contains("changed"), "{}", said.stdout);
    assert_eq!(stored["cases"][0]["outcome"], "passed");
}

#[test]
fn a_change_cannot_drop_a_rule_unseen() {
    let files = |suite: &str, config: &str| {
        [
            ("scenarios/s.yaml", suite.to_owned()),
            ("akit.yaml", config.to_owned()),
            ("r.jsonl", replies(&ANSWERS)),
        ]
    };
    let lax = "gate: { min_pass_rate: 0.1 }\n";
    let bare = SUITE.replace(
        "  - { type: ends_with, value: 'Your {{team}} team' }\n",
        "  - { type: length, words: { min: 1 } }\n",
    );
    let run = ["run", "scenarios", "--replies", "r.jsonl", "--json", "run.json"];
    let rules = |ran: &Ran| ran.json("run.json")["cases"][0]["outcome"].clone();
    let with = format!("{lax}{CONFIG}");
    for (config, suite, place) in [
        (lax.to_owned(), bare.clone(), "akit.yaml:1"),
        (with.replace("guarantee", "Guarantor"), bare.clone(), "akit.yaml:6"),
        (with.clone(), bare.replace("id: a,", "id: a, except: { no promises: why not },"), "s.yaml:6"),
    ] {
        let ran = base(&files(&bare, &with));
        change(&ran, &files(&suite, &config)[..2]);
        let weakened = |trust: &str| {
            akit(&ran, &run)
                .args(&["--trust", trust, "--weakened-since", "main"])
                .run()
                .ended(0)
                .out("weakened")
                .out(place)
        };
        // `head` judges by the change's own rules, `base` by the base's; exceptions always come from the change.
        assert_eq!(rules(&weakened("head")), "passed", "{config}");
        let by_base = weakened("base");
        let expected = if config == with { "passed" } else { "failed" };
        assert_eq!(rules(&by_base), expected, "{config}");
        akit(&ran, &run).args(&["--fail-on", "weakened", "--weakened-since", "main"]).run().ended(1);
    }
    // A new rule with an exception: the base does not know the rule.
    let ran = base(&files(&bare, lax));
    change(&ran, &files(&bare.replace("id: a,", "id: a, except: { no promises: why not },"), &with)[..2]);
    akit(&ran, &run).args(&["--trust", "base", "--weakened-since", "main"]).run().ended(0);
}

/// Rules see the original answer, and reports do not show the value they found.
#[test]
fn a_rule_sees_the_answer_before_redaction() {
    let suite = "cases:\n  - { id: a, prompt: q, expected: { type: contains, values: [card] } }\n";
    let config = "always:\n  - { type: pii, none: [credit_card, iban] }\n  - { not: { type: contains, values: [DE89] } }\n";
    let (card, iban) = ("4111 1111 1111 1111", "DE89 3704 0044 0532 0130 00");
    let answer = format!("Your card {card} and {iban}.");
    let run = [
        "run",
        "s.yaml",
        "--replies",
        "r.jsonl",
        "--json",
        "run.json",
        "--html",
        "x.html",
        "--junit",
        "x.xml",
    ];
    let akit = |flags: &[&str]| {
        let files = Akit::new(&run).file("s.yaml", suite).file("akit.yaml", config);
        files.file("r.jsonl", replies(&[("a", &answer)])).args(flags).run().ended(1)
    };
    for flags in
        [&[][..], &["--redact"], &["--redact-patterns", "credit_card"], &["--redact-patterns", "phone"]]
    {
        let ran = akit(flags);
        let parts = case(&ran, 0)["trials"][0]["turns"][0]["verdicts"][0]["parts"].clone();
        let [_, pii, no] = [0, 1, 2].map(|at| parts[at].clone());
        assert_eq!((&pii["outcome"], &no["outcome"]), (&"failed".into(), &"failed".into()), "{flags:?}");
        let reason = pii["reason"].as_str().unwrap();
        assert!(reason.starts_with("found `credit_card` at character 11"), "{flags:?} {reason}");
        // Redaction as a phone number leaves nothing to recognize as an IBAN.
        let is_phone = flags == ["--redact-patterns", "phone"];
        assert!(is_phone || reason.contains(", `iban` at character "), "{reason}");
        let words = format!("{}{}", pii["reason"], pii["got"]);
        assert!(!words.contains("4111") && (is_phone || !words.contains("3704")), "{flags:?} {words}");
        if flags == ["--redact"] {
            for name in ["run.json", "x.html", "x.xml"] {
                assert!(!ran.read(name).contains(card) && !ran.read(name).contains(iban), "{name}");
            }
        }
    }
}

/// Redaction replaces the answer before its latency is known, so this covers it, too.
#[test]
fn a_latency_is_measured_and_recorded_and_never_guessed() {
    let server = Server::start(|_| Answer::Text("Ask ana@example.com.".to_owned()));
    let run = ["run", "s.yaml", "-m", "m", "--base-url", &server.url, "--json", "run.json"];
    let suite = |max_ms: u64| {
        format!("cases:\n  - {{ id: a, prompt: q, expected: {{ type: latency, max_ms: {max_ms} }} }}\n")
    };
    for flags in [&["--target-version", "1"][..], &["--target-version", "1", "--redact"]] {
        let ran = Akit::new(&run).args(flags).file("s.yaml", suite(600_000)).run().ended(0);
        let took = case(&ran, 0)["trials"][0]["turns"][0]["answer"]["latency_ms"].as_u64().unwrap();
        let reason = |ran: &Ran| case(ran, 0)["trials"][0]["turns"][0]["verdicts"][0]["reason"].clone();
        let expected = format!("the answer took {took} ms; at most 600,000 ms allowed");
        assert_eq!(reason(&ran), expected, "{flags:?}");
        let again = ran.then(&run).args(flags).args(&["--replay"]).run();
        assert_eq!(reason(&again), expected, "{flags:?}");
    }
    let given = |line: &str| {
        let run = ["run", "s.yaml", "--replies", "r.jsonl", "--json", "run.json"];
        Akit::new(&run).file("s.yaml", suite(200)).file("r.jsonl", line).run()
    };
    given("{\"id\": \"a\", \"reply\": \"fine\", \"latency_ms\": 200}\n").ended(0);
    given("{\"id\": \"a\", \"reply\": \"fine\", \"latency_ms\": 201}\n")
        .ended(1)
        .out("at most 200 ms allowed");
    given("{\"id\": \"a\", \"reply\": \"fine\"}\n").ended(4).out("was not measured");
}
