//! Warnings and errors about expectations when they are read.

use super::{Failed, Passed, read, said};

#[test]
fn an_invalid_schema_is_reported_in_plain_words() {
    for (schema, message, help) in [
        ("{type: strng}", "unknown type `strng`", "did you mean `string`?"),
        ("{type: [string, text]}", "unknown type `text`", "use one of `array`, `boolean`"),
        ("{items: {type: dict}}", "unknown type `dict`", "use one of `array`, `boolean`"),
        ("{$ref: 'http://a.example/s.json'}", "references to other documents are not allowed", "`$defs`"),
        ("{items: {$ref: 's.json#/a'}}", "references to other documents are not allowed", "`$defs`"),
        ("{$ref: '#/$defs/a'}", "invalid JSON Schema", "must include everything"),
        ("{minimum: a}", "invalid JSON Schema", "must include everything"),
    ] {
        let (_, found) = read(&format!("{{type: json_schema, schema: {schema}}}"));
        let found: Vec<_> = found.iter().map(|one| format!("{} {}", one.message, one.help)).collect();
        assert!(found.len() == 1 && found[0].contains(message) && found[0].contains(help), "{found:?}");
    }
}

#[test]
fn what_always_passes_is_reported() {
    let warned = |yaml: &str| {
        let (_, found) = read(yaml);
        found.iter().filter(|one| one.code == "always-holds").count()
    };
    for (yaml, count) in [
        ("{type: contains, values: ['']}", 1),
        ("{type: contains, values: [a, \"\\u200b\"]}", 1),
        ("{type: not_contains, values: ['']}", 1),
        ("{type: regex, pattern: ''}", 1),
        ("{type: regex, pattern: 'a*'}", 1),
        ("{type: regex, pattern: '(?:ab)?|c'}", 1),
        ("{not: {type: regex, pattern: ''}}", 1),
        ("{type: regex, pattern: '^'}", 1),
        ("{type: regex, pattern: '$'}", 1),
        ("{type: regex, pattern: '^[\\s\\S]*$'}", 1),
        ("{type: regex, pattern: '^.*$', flags: s}", 1),
        ("{type: regex, pattern: '^.*', flags: m}", 1),
        ("{type: regex, pattern: '(?=)'}", 1),
        ("{type: regex, pattern: 'refund|$'}", 1),
        ("{type: fuzzy, value: x, threshold: 0}", 1),
        ("{type: llm_grader, rubric: x, threshold: 0}", 1),
        ("{type: similarity, value: x, threshold: 0}", 1),
        ("{type: json_schema, schema: {}}", 1),
        ("{type: json_schema, schema: {title: x, description: y}}", 1),
        ("{type: json_schema, schema: {type: object, requird: [a]}}", 1),
        ("{type: json_schema, schema: {type: object, properties: {a: {tpye: string, minlength: 3}}}}", 2),
        ("{type: json_schema, schema: {type: array, items: {anyOf: [{patern: x}, {type: string}]}}}", 1),
        ("{type: json_schema, schema: {anyOf: [{}, {type: string}]}}", 1),
        ("{type: json_schema, schema: {allOf: [{}]}}", 1),
        ("{type: json_schema, schema: {allOf: [{anyOf: [true]}, {title: x}]}}", 1),
        ("{type: json_schema, schema: {properties: {a: {}}, required: []}}", 1),
        ("{type: json_schema, schema: {type: object, properties: {a: {anyOf: [{type: string}, {}]}}}}", 1),
        ("{type: starts_with, value: ''}", 1),
        ("{type: ends_with, value: ' '}", 1),
        ("{type: length, words: {min: 0}}", 1),
        ("{type: pii, none: []}", 1),
        ("{type: length, words: {min: 0}, sentences: {min: 1}}", 0),
        ("{type: contains, values: [a]}", 0),
        ("{type: regex, pattern: '^a*$'}", 0),
        ("{type: regex, pattern: '^(?!.*x)'}", 0),
        ("{type: regex, pattern: '^.*$'}", 0),
        ("{type: regex, pattern: '^$'}", 0),
        ("{type: regex, pattern: '^[^<]*$'}", 0),
        ("{type: regex, pattern: '^([^]*[^.])?$'}", 0),
        ("{type: regex, pattern: '^[^]{0,500}$'}", 0),
        ("{type: regex, pattern: '(?=.*x)'}", 0),
        ("{type: regex, pattern: '[^]'}", 0),
        ("{type: fuzzy, value: x, threshold: 0.1}", 0),
        ("{type: json_schema, schema: {type: object, properties: {requird: {type: string}}}}", 0),
        ("{type: json_schema, schema: {type: string, example: x, nullable: true, x-note: y, $id: z}}", 0),
        ("{type: json_schema, schema: {anyOf: [{type: object}, {type: string}]}}", 0),
        ("{type: json_schema, schema: {allOf: [{}, {type: string}]}}", 0),
        ("{type: json_schema, schema: {oneOf: [{}, {type: string}]}}", 0),
        ("{type: json_schema, schema: {properties: {a: {}}, required: [a]}}", 0),
        ("{type: json_schema, schema: {const: {requird: 1}, enum: [{tpye: 1}]}}", 0),
    ] {
        assert_eq!(warned(yaml), count, "{yaml}");
    }
}

#[test]
fn a_format_is_checked_and_an_unknown_one_refused() {
    let schema = |format: &str| format!("{{type: json_schema, schema: {{type: string, format: {format}}}}}");
    for (format, good, bad) in [
        ("email", "a@example.com", "a"),
        ("date", "2026-01-31", "31.1.2026"),
        ("date-time", "2026-01-31T10:00:00Z", "noon"),
        ("uri", "https://example.com/", "example"),
        ("uuid", "123e4567-e89b-12d3-a456-426614174000", "123"),
        ("ipv4", "127.0.0.1", "127.0.0.256"),
    ] {
        for (value, outcome) in [(good, Passed), (bad, Failed)] {
            assert_eq!(said(&schema(format), &format!("\"{value}\"")).0, outcome, "{format} {value}");
        }
    }
    for (format, help) in [("emial", "did you mean `email`?"), ("int32", "or a `pattern`")] {
        let (_, found) = read(&schema(format));
        let found: Vec<_> = found.iter().map(|one| (one.code, one.help.contains(help))).collect();
        assert_eq!(found, [("unknown-format", true)], "{format}");
    }
}
