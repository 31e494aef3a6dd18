//! Changes that are not weaker and must not be reported.

use super::{CHECKED, REPORTED, again, committed, named};
use crate::Akit;
use crate::replies::replies;

const SUITE: &str = "\
name: support
description: What customers ask.
tags: [all]
variables: { shop: Blau }
cases:
  - id: refund
    name: Refund
    prompt: I want my money back from {{shop}}.
    expected: { type: contains, values: [refund, days] }
    tags: [money]
    timeout: 60000
  - id: greeting
    prompt: Hello!
    expected: { type: regex, pattern: '^Hello' }
  - id: limits
    prompt: How much may I send?
    expected:
      type: combined
      operator: and
      expectations:
        - { type: contains, values: [limit] }
        - { type: not_contains, values: [no limit] }
  - id: form
    prompt: Answer in JSON.
    expected: { type: json_schema, schema: { type: object, required: [ok] } }
";

const CONFIG: &str = "\
gate:
  min_pass_rate: 0.9
  thresholds:
    - { metric: pass_rate, tags: [money], min: 1 }
  critical: [{ tags: [money] }]
redaction: { patterns: [email], replacement: gone }
providers: { openai: { timeout: 60000, maxRetries: 2 } }
";

const ANSWERS: [(&str, &str); 6] = [
    ("refund", "The refund takes five days."),
    ("greeting", "Hello, how are you?"),
    ("limits", "The limit is 500."),
    ("form", "{\"ok\": true}"),
    ("money-back", "The refund takes five days."),
    ("new", "Hello."),
];

/// The files of a change (the new texts of suite and configuration) and the path of the suite.
struct Edited {
    suite: String,
    config: String,
    place: &'static str,
}

/// A name, and how to make the change.
type Edit = (&'static str, fn(&mut Edited));

fn swap(text: &mut String, from: &str, to: &str) {
    assert!(text.contains(from), "{from}");
    *text = text.replacen(from, to, 1);
}

const EDITS: [Edit; 36] = [
    ("nothing", |_| {}),
    ("a comment before", |files| files.suite.insert_str(0, "# Ours.\n")),
    ("a comment after a key", |files| swap(&mut files.suite, "tags: [money]", "tags: [money] # of course")),
    ("blank lines", |files| files.suite = files.suite.replace("  - id", "\n\n  - id")),
    ("a line end at the end", |files| files.suite.push_str("\n\n")),
    ("carriage returns", |files| files.suite = files.suite.replace('\n', "\r\n")),
    ("quotes", |files| swap(&mut files.suite, "values: [refund, days]", "values: [\"refund\", 'days']")),
    ("a block list", |files| swap(&mut files.suite, "values: [limit]", "values: [\"limit\",]")),
    ("the order of keys", |files| {
        swap(
            &mut files.suite,
            "type: contains, values: [refund, days]",
            "values: [refund, days], type: contains",
        );
    }),
    ("the order of values", |files| swap(&mut files.suite, "[refund, days]", "[days, refund]")),
    ("the order of parts", |files| {
        let parts = [
            "        - { type: contains, values: [limit] }\n",
            "        - { type: not_contains, values: [no limit] }\n",
        ];
        swap(&mut files.suite, &parts.concat(), &[parts[1], parts[0]].concat());
    }),
    ("the order of cases", |files| {
        let at = files.suite.find("  - id: refund").unwrap();
        let next = files.suite.find("  - id: greeting").unwrap();
        let first = files.suite[at..next].to_owned();
        files.suite.replace_range(at..next, "");
        files.suite.push_str(&first);
    }),
    ("a default that is written out", |files| {
        swap(&mut files.suite, "values: [refund, days]", "values: [refund, days], mode: all");
    }),
    ("an anchor", |files| {
        swap(&mut files.suite, "values: [limit]", "values: &needed [limit]");
    }),
    ("an id", |files| swap(&mut files.suite, "id: refund", "id: money-back")),
    ("a title", |files| swap(&mut files.suite, "name: Refund", "name: Money back")),
    ("the name of the scenario", |files| swap(&mut files.suite, "name: support", "name: help")),
    ("its description", |files| swap(&mut files.suite, "What customers ask.", "What people ask.")),
    ("its version", |files| swap(&mut files.suite, "tags: [all]", "version: \"2\"\ntags: [all]")),
    ("the name of its file", |files| files.place = "scenarios/help.yaml"),
    ("the folder of its file", |files| files.place = "scenarios/deep/support.yaml"),
    ("another prompt", |files| swap(&mut files.suite, "prompt: Hello!", "prompt: Hi!")),
    ("one more tag", |files| swap(&mut files.suite, "tags: [money]", "tags: [money, slow]")),
    ("one more case", |files| {
        files.suite.push_str("  - { id: new, prompt: Hey, expected: { type: contains, values: [hello] } }\n");
    }),
    ("one more value", |files| swap(&mut files.suite, "[refund, days]", "[refund, days, takes]")),
    ("one more part", |files| {
        swap(
            &mut files.suite,
            "        - { type: contains, values: [limit] }\n",
            "        - { type: contains, values: [limit] }\n        - { type: contains, values: [\"500\"] }\n",
        );
    }),
    ("a closer schema", |files| swap(&mut files.suite, "required: [ok]", "required: [ok], maxProperties: 1")),
    ("the dialect that a schema names", |files| {
        swap(
            &mut files.suite,
            "{ type: object, req",
            "{ $schema: \"http://json-schema.org/draft-07/schema#\", type: object, req",
        );
    }),
    ("a tighter rate", |files| swap(&mut files.config, "min_pass_rate: 0.9", "min_pass_rate: 1")),
    ("one more limit", |files| {
        swap(&mut files.config, "min: 1 }", "min: 1 }\n    - { metric: pass_rate, min: 0.5 }");
    }),
    ("one more critical case", |files| {
        swap(&mut files.config, "[{ tags: [money] }]", "[{ tags: [money] }, \"*/form\"]");
    }),
    ("another replacement", |files| {
        swap(&mut files.config, "replacement: gone", "replacement: \"[removed]\"");
    }),
    ("less redaction", |files| {
        swap(&mut files.config, "redaction: { patterns: [email], replacement: gone }\n", "");
    }),
    ("a timeout that is the default", |files| swap(&mut files.config, "timeout: 60000, ", "")),
    ("the order of the configuration", |files| {
        let at = files.config.find("redaction").unwrap();
        files.config = format!("{}{}", &files.config[at..], &files.config[..at]);
    }),
    ("a project", |files| files.config.push_str("project: ours\n")),
];

#[test]
fn harmless_changes_are_not_reported() {
    let run = ["run", "scenarios", "--replies", "r.jsonl"];
    for (name, edit) in EDITS {
        let ran = Akit::new(&["validate", "scenarios"])
            .file("scenarios/support.yaml", SUITE)
            .file("akit.yaml", CONFIG)
            .file("r.jsonl", replies(&ANSWERS))
            .run()
            .ended(0);
        committed(&ran.path(""));
        let mut files =
            Edited { suite: SUITE.to_owned(), config: CONFIG.to_owned(), place: "scenarios/support.yaml" };
        edit(&mut files);
        std::fs::remove_file(ran.path("scenarios/support.yaml")).unwrap();
        let ran = again(&ran, &run)
            .args(&CHECKED)
            .args(&REPORTED)
            .file(files.place, files.suite)
            .file("akit.yaml", files.config)
            .run();
        assert!(ran.status == 0 && named(&ran).is_empty(), "{name}: {}{}", ran.stdout, ran.stderr);
    }
}
