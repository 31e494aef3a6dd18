//! The JSON Schema for editors: it matches the committed file, accepts everything akit accepts, and refuses
//! everything a
//! schema can detect.

use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::Akit;
use super::akit::repository;

/// Diagnostics that a schema cannot detect: they need a regex compiler, the environment, or another part of the file.
const UNSEEN: [&str; 19] = [
    "duplicate-id",
    "duplicate-key",
    "invalid-expression",
    "invalid-regex",
    "invalid-schema",
    "judge-in-choice",
    "key-not-text",
    "no-question",
    "undefined-variable",
    "unknown-fact",
    "unknown-format",
    "unknown-function",
    "unknown-group",
    "unknown-rubric",
    "unknown-rule",
    "unknown-turn",
    "unreachable-rule",
    "unset-environment",
    "wrong-place",
];

/// Files that are not YAML.
const UNREAD: [&str; 2] = ["invalid-yaml", "unreadable-file"];

fn validator() -> jsonschema::Validator {
    let schema: Json = serde_json::from_str(&Akit::new(&["schema"]).run().ended(0).stdout).unwrap();
    jsonschema::draft202012::new(&schema).unwrap()
}

fn data(path: &Path) -> Json {
    let file = akit::inside::SourceFile::read(path).unwrap();
    akit::inside::Node::parse(&file).unwrap().to_json()
}

fn yaml_in(folder: &str) -> Vec<PathBuf> {
    akit::inside::discover(&[repository().join(folder)]).unwrap()
}

#[test]
fn the_committed_schema_is_the_printed_one() {
    let path = repository().join("docs/schema/scenario.json");
    let printed = Akit::new(&["schema"]).run().ended(0).stdout;
    if std::env::var_os("AKIT_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &printed).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == printed, "docs/schema/scenario.json is out of date: run `AKIT_BLESS=1 cargo test`");
}

#[test]
fn the_schema_accepts_every_scenario_that_akit_accepts() {
    let validator = validator();
    let files: Vec<_> =
        yaml_in("fixtures").into_iter().filter(|path| !path.iter().any(|part| part == "invalid")).collect();
    assert!(files.len() >= 5, "{files:?}");
    for path in files {
        let problems: Vec<_> = validator.iter_errors(&data(&path)).map(|error| error.to_string()).collect();
        assert!(problems.is_empty(), "{}: {problems:?}", path.display());
    }
}

#[test]
fn the_schema_refuses_everything_a_schema_can_detect() {
    let validator = validator();
    for path in yaml_in("fixtures/invalid") {
        let code = path.file_stem().unwrap().to_str().unwrap();
        if !UNREAD.contains(&code) {
            assert_eq!(validator.is_valid(&data(&path)), UNSEEN.contains(&code), "{code}");
        }
    }
}

#[test]
fn every_key_of_the_schema_says_what_it_is_for() {
    let schema: Json = serde_json::from_str(&Akit::new(&["schema"]).run().stdout).unwrap();
    let mut keys = 0;
    described(&schema, &mut keys);
    assert!(keys > 60, "{keys}");
}

fn described(schema: &Json, keys: &mut usize) {
    if let Some(properties) = schema["properties"].as_object() {
        for (name, property) in properties {
            *keys += 1;
            let has_description = property["description"].is_string() || property["const"].is_string();
            assert!(has_description, "`{name}` has no description");
        }
    }
    match schema {
        Json::Object(entries) => entries.values().for_each(|value| described(value, keys)),
        Json::Array(items) => items.iter().for_each(|value| described(value, keys)),
        _ => {}
    }
}

/// Panics unless a command's output matches this schema of the documentation.
#[track_caller]
pub(crate) fn assert_matches(written: &Json, schema: &str) {
    let text = std::fs::read_to_string(repository().join("docs/schema").join(schema)).unwrap();
    let schema = jsonschema::draft202012::new(&serde_json::from_str(&text).unwrap()).unwrap();
    let problems: Vec<_> = schema.iter_errors(written).map(|error| error.to_string()).collect();
    assert!(problems.is_empty(), "{problems:?}");
}
