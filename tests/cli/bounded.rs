//! Every search ends: at a step limit or at the deadline.

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

/// If a check cannot be completed, neither the expectation nor its opposite passes.
#[test]
fn a_check_above_its_limit_is_errored() {
    let regex = "type: regex, pattern: '(?!.*foo).*bar'";
    let fuzzy = format!("type: fuzzy, value: '{}'", "y".repeat(100_000));
    for (expected, answer, reason) in [
        (regex, "x".repeat(60_000), "gave up after 50,000,000 steps"),
        (&fuzzy, "x".repeat(100_000), "too long to compare (more than 1,073,741,824 pairs"),
        (&fuzzy, "x".repeat(1_000_000), "too long to compare"),
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

/// Even if each single search stays within its limit.
#[test]
fn a_deadline_cuts_a_search() {
    let schema = "{ type: json_schema, schema: { type: string, pattern: '(?!.*foo).*bar' } }";
    let answer = format!("\"{}\"", "x".repeat(400_000));
    judged(schema, &answer, &["--deadline", "500ms"]).ended(6).out("the run hit its deadline");
}

/// A search inside a schema counts like any other, even under `not`; the number of alternatives to try is limited as
/// well.
#[test]
fn a_schema_above_its_limit_is_errored() {
    let long = format!("\"{}\"", "x".repeat(60_000));
    let nested = format!("{}1{}", "[".repeat(40), "]".repeat(40));
    // Each level tries the next one twice.
    let level =
        |n| format!("a{n}: {{ oneOf: [{{ $ref: '#/$defs/a{0}' }}, {{ $ref: '#/$defs/a{0}' }}] }}", n + 1);
    let levels: Vec<_> = (0..40).map(level).collect();
    let ways = format!("$defs: {{ {}, a40: {{ type: string }} }}, $ref: '#/$defs/a0'", levels.join(", "));
    let below = ways
        .replace("oneOf: [{", "anyOf: [{ items: {")
        .replace("' }, {", "' } }, { items: {")
        .replace("' }]", "' } }]");
    for (schema, answer) in [
        ("type: string, pattern: '(?!.*foo).*bar'", &long),
        ("not: { pattern: '(?!.*foo).*bar' }", &long),
        ("if: { pattern: '(?!.*foo).*bar' }, then: false", &long),
        (&ways, &nested),
        (&below, &nested),
    ] {
        let expected = format!("{{ type: json_schema, schema: {{ {schema} }} }}");
        for expected in [expected.clone(), format!("{{ not: {expected} }}")] {
            let ran = judged(&expected, answer, &[]).ended(4);
            assert_eq!(outcomes(&ran.json("run.json")), ["a errored"], "{expected:.80}");
            assert!(ran.stdout.contains("gave up after"), "{}", ran.stdout);
        }
    }
    // One search does not affect the others: only its own count decides.
    let ids: Vec<_> = (0..12).map(|n| format!("c{n}")).collect();
    let case = |id: &String| {
        format!("  - {{ id: {id}, prompt: x, expected: {{ type: json_schema, schema: {{ {ways} }} }} }}\n")
    };
    let given: Vec<_> = ids.iter().map(|id| (id.as_str(), nested.as_str())).collect();
    let ran = Akit::new(&["run", "s.yaml", "--replies", "r.jsonl", "--json", "run.json", "-c", "12"])
        .file("s.yaml", format!("name: s\ncases:\n{}", ids.iter().map(case).collect::<String>()))
        .file("r.jsonl", replies(&given))
        .run()
        .ended(4);
    for case in ran.json("run.json")["cases"].as_array().unwrap() {
        let message = case["trials"][0]["fault"]["message"].as_str().unwrap();
        assert!(message.contains("gave up after 2,000,000 tries"), "{message}");
    }
    // An answer that is certainly wrong fails, even if the problems are too many to list.
    let wrong = "anyOf: [{ type: array, items: { $ref: '#' }, minItems: 2 }, \
        { type: array, items: { $ref: '#' }, contains: { const: 7 } }, { type: array, items: { $ref: '#' }, maxItems: 0 }]";
    let expected = format!("{{ type: json_schema, schema: {{ {wrong} }} }}");
    judged(&expected, &nested, &[]).ended(1).out("has too many problems, to show where");
    judged(&format!("{{ not: {expected} }}"), &nested, &[]).ended(0);
    // Long answers are fine, and an answer with many problems still fails.
    let long = format!("[{}]", vec!["{\"a\":[1,2,3]}"; 5_000].join(","));
    let row = "type: array, items: { type: object, properties: { a: { items: { type: integer } } } }";
    judged(&format!("{{ type: json_schema, schema: {{ {row} }} }}"), &long, &[]).ended(0);
    let branches = (0..20).map(|n| format!("{{ required: [k{n}] }}")).collect::<Vec<_>>().join(", ");
    let row = format!("type: array, items: {{ anyOf: [{branches}] }}");
    judged(&format!("{{ type: json_schema, schema: {{ {row} }} }}"), &long, &[]).ended(1);
    judged("{ type: json_schema, schema: { not: { type: [integer, string] } } }", "1", &[])
        .ended(1)
        .out("{\"type\":[\"integer\",\"string\"]} is not allowed for 1");
    // Recursive schemas end, and patterns use JavaScript's dialect.
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

/// Nesting too deep for the stack is a readable error in every kind of file.
#[test]
fn deep_nesting_is_a_readable_error() {
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

/// The maximum answer size bounds the memory of requests in flight.
#[test]
fn an_answer_above_the_maximum_size_is_errored() {
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
    ran.out("the answer has more than 32 MiB");
}
