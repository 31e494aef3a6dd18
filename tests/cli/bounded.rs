//! Searches end: by a bound that is counted, or by a deadline.

use super::Akit;
use super::akit::Ran;
use super::replies::{outcomes, replies};
use super::server::{Answer, Server};

fn judged(expected: &str, answer: &str, more: &[&str]) -> Ran {
    Akit::new(&["run", "s.yaml", "--replies", "r.jsonl", "--json", "run.json"])
        .args(more)
        .file("s.yaml", format!("name: s\ncases:\n  - {{ id: a, prompt: x, expected: {expected} }}\n"))
        .file("r.jsonl", replies(&[("a", answer)]))
        .run()
}

/// Neither an expectation nor its opposite passes on an answer that it cannot be held against.
#[test]
fn what_does_not_end_in_its_bound_is_errored() {
    let regex = "type: regex, pattern: '(?!.*foo).*bar'";
    let fuzzy = format!("type: fuzzy, value: '{}'", "y".repeat(100_000));
    for (expected, answer, reason) in [
        (regex, "x".repeat(60_000), "gave up after 50000000 steps"),
        (&fuzzy, "x".repeat(100_000), "too long to be compared"),
    ] {
        for expected in [format!("{{ {expected} }}"), format!("{{ not: {{ {expected} }} }}")] {
            let ran = judged(&expected, &answer, &[]).ended(4);
            let run = ran.json("run.json");
            assert_eq!(outcomes(&run), ["a errored"], "{expected:.80}");
            let fault = &run["cases"][0]["trials"][0]["fault"];
            assert_eq!(fault["kind"], "expectation-error", "{fault}");
            assert!(fault["message"].as_str().unwrap().contains(reason), "{fault}");
        }
    }
}

/// A search that nobody counts is left behind.
#[test]
fn a_deadline_cuts_a_search() {
    let schema = "{ type: json_schema, schema: { type: string, pattern: '(?!.*foo).*bar' } }";
    let answer = format!("\"{}\"", "x".repeat(400_000));
    judged(schema, &answer, &["--deadline", "500ms"]).ended(6).out("the run was ended by its deadline");
}

/// A search within a schema is counted as any other, also where its failing would be good; trying many ways has a time.
#[test]
fn a_schema_that_does_not_end_is_errored() {
    let long = format!("\"{}\"", "x".repeat(60_000));
    let nested = format!("{}1{}", "[".repeat(40), "]".repeat(40));
    let ways = "anyOf: [{ type: array, items: { $ref: '#' }, minItems: 2 }, \
        { type: array, items: { $ref: '#' }, contains: { const: 7 } }, { type: array, items: { $ref: '#' }, maxItems: 0 }]";
    for (schema, answer) in [
        ("type: string, pattern: '(?!.*foo).*bar'", &long),
        ("not: { pattern: '(?!.*foo).*bar' }", &long),
        ("if: { pattern: '(?!.*foo).*bar' }, then: false", &long),
        (ways, &nested),
    ] {
        let expected = format!("{{ type: json_schema, schema: {{ {schema} }} }}");
        for expected in [expected.clone(), format!("{{ not: {expected} }}")] {
            let ran = judged(&expected, answer, &[]).ended(4);
            assert_eq!(outcomes(&ran.json("run.json")), ["a errored"], "{expected:.80}");
            assert!(ran.stdout.contains("gave up after"), "{}", ran.stdout);
        }
    }
    // What refers to itself ends, and patterns are those of JavaScript.
    for (schema, answer, status) in [
        ("$ref: '#'", "1", 0),
        ("allOf: [{ $ref: '#' }, { type: string }]", "1", 1),
        ("pattern: '^\\p{Lu}\\w+$'", "\"ÄÄ\"", 1),
        ("pattern: '^\\p{Lu}.+$'", "\"Ärger\"", 0),
        ("pattern: '^(?<a>x)\\k<a>$'", "\"xx\"", 0),
        ("pattern: '^\\d+$'", "7", 0),
    ] {
        judged(&format!("{{ type: json_schema, schema: {{ {schema} }} }}"), answer, &[]).ended(status);
    }
    judged("{ type: json_schema, schema: { pattern: '(x' } }", "1", &[]).ended(2).err("(x");
}

/// Nesting that no stack holds is an error in words, wherever it is read.
#[test]
fn deep_nesting_ends_in_words() {
    const DEEP: usize = 100_000;
    let (open, shut) = ("[".repeat(DEEP), "]".repeat(DEEP));
    let (whole, objects) =
        (format!("{open}{shut}"), format!("{}1{}", "{\"a\":".repeat(DEEP), "}".repeat(DEEP)));
    let deep = [&open, &whole, &objects];
    for answer in deep {
        for expected in [
            "{ type: json_schema, schema: { type: array } }",
            "{ type: inline, expression: 'json.a == 1' }",
            "{ type: fuzzy, value: '[[' }",
            "{ type: regex, pattern: '^(\\[)*x' }",
        ] {
            assert!([1, 4].contains(&judged(expected, answer, &[]).status), "{expected}");
        }
    }
    for (kind, deep) in [
        ("type: inline, expression", format!("'{}length > 1{}'", "(".repeat(DEEP), ")".repeat(DEEP))),
        ("type: inline, expression", format!("'{}(length > 1)'", "!".repeat(DEEP))),
        ("type: regex, pattern", format!("'{}a{}'", "(".repeat(DEEP), ")".repeat(DEEP))),
        ("type: regex, pattern", format!("'{open}'")),
        ("type: json_schema, schema", whole.clone()),
        ("type: json_schema, schema", format!("{}{{}}{}", "{not: ".repeat(DEEP), "}".repeat(DEEP))),
        ("type: json_schema, schema", format!("{{ pattern: '{}a{}' }}", "(".repeat(DEEP), ")".repeat(DEEP))),
    ] {
        judged(&format!("{{ {kind}: {deep} }}"), "1", &[]).ended(2);
    }
    let suite = "name: s\ncases:\n  - { id: a, prompt: x, expected: { type: exact, value: y } }\n";
    let start = || {
        Akit::new(&["run", "s.yaml", "--replies", "r.jsonl", "--json", "run.json"])
            .file("s.yaml", suite)
            .file("r.jsonl", replies(&[("a", "y")]))
            .run()
            .ended(0)
    };
    for text in deep {
        let ran = start();
        for (file, command) in [
            ("d.yaml", &["validate", "d.yaml"][..]),
            ("d.jsonl", &["run", "s.yaml", "--replies", "d.jsonl"]),
            ("akit.yaml", &["run", "s.yaml", "--replies", "r.jsonl", "--config", "akit.yaml"]),
            ("d.json", &["gate", "d.json"]),
            ("d.json", &["run", "s.yaml", "--replies", "r.jsonl", "--baseline", "d.json"]),
            ("d.json", &["history", "d.json"]),
            ("d.json", &["compare", "d.json", "run.json"]),
            ("d.jsonl", &["cache", "import", "d.jsonl"]),
            ("d.yaml", &["import", "promptfoo", "d.yaml"]),
            ("d.jsonl", &["calibrate", "d.jsonl", "--grader-model", "j"]),
        ] {
            let ran = ran.then(command).file(file, text).env("OPENAI_API_KEY", "x").run();
            assert!([2, 4].contains(&ran.status), "{command:?}: {} {:.300}", ran.status, ran.stderr);
            std::fs::remove_file(ran.path(file)).unwrap();
        }
        let field = format!("{{\"id\":\"a\",\"reply\":\"y\",\"usage\":{text}}}\n");
        assert_eq!(
            ran.then(&["run", "s.yaml", "--replies", "d.jsonl"]).file("d.jsonl", field).run().status,
            2
        );
    }
}

/// What requests in flight hold is bounded by the longest reply that is read.
#[test]
fn a_reply_above_the_bound_is_errored() {
    const MOST: usize = 32 * 1024 * 1024;
    let server = Server::start(|asked| {
        let head = r#"{"choices":[{"finish_reason":"stop","message":{"content":"yes"}}],"more":""#;
        let size = if asked.last_message() == "long" { MOST + 1 } else { MOST };
        let body = format!("{head}{}\"}}", "x".repeat(size - head.len() - 2));
        Answer::Raw(200, Vec::new(), body.into())
    });
    let case =
        |id: &str| format!("  - {{ id: {id}, prompt: {id}, expected: {{ type: exact, value: yes }} }}\n");
    let ran = Akit::new(&[
        "run",
        "s.yaml",
        "--model",
        "m",
        "--retries",
        "0",
        "--cache",
        "off",
        "--json",
        "run.json",
    ])
    .args(&["--base-url", &server.url])
    .env("OPENAI_API_KEY", "k")
    .file(
        "s.yaml",
        format!("name: s\ncases:\n{}{}", case("long"), case("right").replace("yes", "'yes'"))
            .replace("value: yes", "value: 'yes'"),
    )
    .run()
    .ended(4);
    assert_eq!(outcomes(&ran.json("run.json")), ["long errored", "right passed"], "{}", ran.stdout);
    ran.out("the reply has more than 32 MiB");
}
