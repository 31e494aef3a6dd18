//! Modules stand in rows, and a module uses only rows below its own.
//!
//! The compiler cannot see rows inside a crate, so this reads the `crate::…` paths of every file under
//! `src/` and holds them against the table. `super::` paths stay within a module and are not looked at.

#![expect(clippy::unwrap_used, reason = "what a test cannot read, it fails for")]

use std::path::Path;

/// The rows, lowest first; modules of one row do not know each other.
const ROWS: [&[&str]; 16] = [
    &["text", "stats", "seed", "secret", "redact", "canonical"],
    &["source"],
    &["environment", "http"],
    &["vocabulary"],
    &["provider", "cache", "manifest"],
    &["baseline"],
    &["client", "event", "gate", "history"],
    &["grader"],
    &["expectation"],
    &["scenario"],
    &["analysis"],
    &["runner", "report", "import"],
    &["publish"],
    &["config"],
    // What a change demands less is told over scenarios, policy and history alike.
    &["demands"],
    &["cli"],
];

/// Uses within a row that are right all the same, each with its reason.
const WITHIN_ROWS: [(&str, &str, &str); 0] = [];

fn row(module: &str) -> Option<usize> {
    ROWS.iter().position(|row| row.contains(&module))
}

/// What is wrong with `module` using `used`.
fn objection(module: &str, used: &str) -> Option<String> {
    let Some(own) = row(module) else { return Some(format!("`{module}` stands in no row")) };
    let Some(other) = row(used) else { return Some(format!("`{used}` stands in no row")) };
    let excepted = WITHIN_ROWS.iter().any(|(from, to, _)| (*from, *to) == (module, used));
    if other < own || module == used || excepted {
        return None;
    }
    Some(format!("`{module}` (row {own}) uses `{used}` (row {other})"))
}

/// The modules that a source names behind `crate::`, each with its 1-based line.
fn uses(source: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let code = without_comments(source);
    for (at, _) in code.match_indices("crate::") {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let line = code[..at].matches('\n').count() + 1;
        let rest = &code[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            found.extend(names(group).into_iter().map(|name| (line, name)));
        } else {
            found.push((line, word(rest)));
        }
    }
    found.retain(|(_, name)| !name.is_empty());
    found
}

/// The first names of the paths in a group, whose opening brace is gone.
fn names(group: &str) -> Vec<String> {
    let mut names = Vec::new();
    let (mut depth, mut first) = (0, true);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => first = true,
            c if c.is_whitespace() => {}
            _ if first => {
                names.push(word(&group[at..]));
                first = false;
            }
            _ => {}
        }
    }
    names
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// The source with its comments blanked out; lines stay where they are.
fn without_comments(source: &str) -> String {
    let blank = |line: &str| match line.find("//") {
        // `//` in a string, as in a URL, is kept: what stands before it decides.
        Some(at) if line[..at].matches('"').count().is_multiple_of(2) => line[..at].to_owned(),
        _ => line.to_owned(),
    };
    source.lines().map(blank).collect::<Vec<_>>().join("\n")
}

/// One module's use of another.
struct Use {
    module: String,
    used: String,
    place: String,
}

/// Every use in the sources under a folder, in the order of paths.
fn all_uses(folder: &Path, module: Option<&str>, found: &mut Vec<Use>) {
    let mut entries: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let own = module.unwrap_or(&stem);
        // The crate's own two files only name the modules.
        let root = module.is_none() && (stem == "lib" || stem == "main");
        if path.is_dir() {
            all_uses(&path, Some(own), found);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !root {
            let source = std::fs::read_to_string(&path).unwrap();
            found.extend(uses(&source).into_iter().map(|(line, used)| Use {
                module: own.to_owned(),
                used,
                place: format!("{}:{line}", path.display()),
            }));
        }
    }
}

/// Every objection to the sources under a folder, with its place.
fn objections(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    all_uses(folder, None, &mut found);
    found
        .iter()
        .filter_map(|one| Some(format!("{}: {}", one.place, objection(&one.module, &one.used)?)))
        .collect()
}

fn src() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

#[test]
fn every_module_uses_only_rows_below_its_own() {
    let found = objections(&src());
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn every_module_of_the_crate_stands_in_one_row() {
    let library = std::fs::read_to_string(src().join("lib.rs")).unwrap();
    let modules: Vec<_> = library
        .lines()
        .filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';'))
        .collect();
    assert!(modules.len() > 10, "{modules:?}");
    for module in modules {
        let rows = ROWS.iter().filter(|row| row.contains(&module)).count();
        assert_eq!(rows, 1, "{module}");
    }
}

#[test]
fn every_exception_is_needed_and_has_its_reason() {
    let mut found = Vec::new();
    all_uses(&src(), None, &mut found);
    for (from, to, reason) in WITHIN_ROWS {
        assert_eq!(row(from), row(to), "{from}, {to}");
        assert!(!reason.is_empty(), "{from}, {to}");
        assert!(found.iter().any(|one| one.module == from && one.used == to), "`{from}` does not use `{to}`");
    }
}

#[test]
fn the_checker_sees_what_it_should() {
    let bad = r#"
use crate::cli::Status; // fine words about crate::text
use crate::{
    config::{file, Settings},
    text,
};
//! crate::publish
use self_crate::runner;
fn f() -> crate::report::Format { let url = "http://crate::nowhere"; super::g(crate::source::slashed) }
pub(crate) fn g() {}
"#;
    let seen: Vec<_> = uses(bad).into_iter().map(|(line, name)| format!("{line} {name}")).collect();
    assert_eq!(seen, ["2 cli", "3 config", "3 text", "9 report", "9 nowhere", "9 source"]);

    assert_eq!(objection("gate", "cli").unwrap(), "`gate` (row 6) uses `cli` (row 15)");
    assert_eq!(objection("gate", "client").unwrap(), "`gate` (row 6) uses `client` (row 6)");
    assert_eq!(objection("text", "source").unwrap(), "`text` (row 0) uses `source` (row 1)");
    assert_eq!(objection("gate", "utils").unwrap(), "`utils` stands in no row");
    assert_eq!(objection("helpers", "text").unwrap(), "`helpers` stands in no row");
    for (module, used) in [("cli", "text"), ("gate", "manifest"), ("gate", "gate"), ("source", "text")] {
        assert_eq!(objection(module, used), None);
    }

    let folder = std::env::temp_dir().join(format!("akit-layers-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("gate")).unwrap();
    std::fs::write(folder.join("gate/mod.rs"), "use crate::manifest::A;\nuse crate::cli::B;\n").unwrap();
    std::fs::write(folder.join("lib.rs"), "use crate::cli::B;\n").unwrap();
    let found = objections(&folder);
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].ends_with("mod.rs:2: `gate` (row 6) uses `cli` (row 15)"), "{found:?}");
}
