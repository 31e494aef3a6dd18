//! Modules form rows, and a module uses only rows below its own.
//! || The compiler does not check layers inside a crate, so this test reads the `crate::…` paths of every file under
//! `src/` and compares them with the table. Inside a module, no two files may use each other.

#![expect(clippy::unwrap_used, reason = "a test fails if it cannot read a file")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The rows, lowest first. Modules in the same row do not use each other.
const ROWS: [&[&str]; 17] = [
    &["text", "stats", "seed", "secret", "redact", "canonical"],
    &["source"],
    &["environment", "http", "process"],
    &["vocabulary"],
    &["provider", "cache", "manifest"],
    &["baseline"],
    &["client", "event", "gate", "history"],
    &["engine"],
    &["grader"],
    &["expectation"],
    &["scenario"],
    &["analysis"],
    &["runner", "report", "import"],
    &["publish", "stress"],
    &["config"],
    // Compares scenarios, policy and history, so it needs all of them.
    &["demands"],
    &["cli"],
];

/// Permitted uses within a row, each with its reason.
const WITHIN_ROWS: [(&str, &str, &str); 0] = [];

fn row(module: &str) -> Option<usize> {
    ROWS.iter().position(|row| row.contains(&module))
}

/// Why `module` may not use `used`.
fn violation(module: &str, used: &str) -> Option<String> {
    let Some(own) = row(module) else { return Some(format!("`{module}` is not in the table")) };
    let Some(other) = row(used) else { return Some(format!("`{used}` is not in the table")) };
    let excepted = WITHIN_ROWS.iter().any(|(from, to, _)| (*from, *to) == (module, used));
    if other < own || module == used || excepted {
        return None;
    }
    Some(format!("`{module}` (row {own}) uses `{used}` (row {other})"))
}

/// All paths in a source that begin with `crate`, `super` or `self`, and everything it imports, each with its 1-based
/// line. A group in braces is expanded: one path per member.
fn paths(source: &str) -> Vec<(usize, Vec<String>)> {
    let mut found = Vec::new();
    let code = without_comments(source);
    let line = |at: usize| code[..at].matches('\n').count() + 1;
    for root in ["crate::", "super::", "self::", "use "] {
        for (at, _) in code.match_indices(root) {
            let before = code[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | ':')) {
                continue;
            }
            let from = if root == "use " { at + root.len() } else { at };
            // The match on the root already covers this import.
            let rooted =
                ["crate::", "super::", "self::", "std::"].iter().any(|one| code[from..].starts_with(one));
            if root != "use " || !rooted {
                let mut tree = Vec::new();
                members(&code[from..], &[], &mut tree);
                found.extend(tree.into_iter().map(|path| (line(at), path)));
            }
        }
    }
    found
}

/// Collects the paths at the start of a text, each prefixed with `before`; returns how many bytes it read.
fn members(text: &str, before: &[String], found: &mut Vec<Vec<String>>) -> usize {
    let mut path = before.to_vec();
    let mut at = 0;
    loop {
        let rest = &text[at..];
        if rest.starts_with('{') {
            at += 1;
            loop {
                at += text[at..].len() - text[at..].trim_start_matches([' ', '\n', ',']).len();
                if text[at..].starts_with('}') || text[at..].is_empty() {
                    return at + 1;
                }
                let taken = members(&text[at..], &path, found);
                at += taken;
                if taken == 0 {
                    return at;
                }
                // An alias (` as NAME`) does not change where an item comes from.
                at += text[at..].find([',', '}']).unwrap_or(0);
            }
        }
        let name = word(rest);
        at += name.len();
        if !name.is_empty() {
            path.push(name);
        }
        match text[at..].strip_prefix("::") {
            Some(next) if next.starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | '{')) => at += 2,
            _ => break,
        }
    }
    if path.len() > before.len() {
        found.push(path);
    }
    at
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// Blanks out comments; line numbers stay the same.
fn without_comments(source: &str) -> String {
    let blank = |line: &str| match line.find("//") {
        // Keep a `//` inside a string, such as in a URL: the text before it tells which one it is.
        Some(at) if line[..at].matches('"').count().is_multiple_of(2) => line[..at].to_owned(),
        _ => line.to_owned(),
    };
    source.lines().map(blank).collect::<Vec<_>>().join("\n")
}

/// A source file that is not a test: its module and the paths it uses.
struct File {
    module: Vec<String>,
    is_mod: bool,
    path: PathBuf,
    paths: Vec<(usize, Vec<String>)>,
}

/// Every non-test file in a folder, sorted by path. `lib.rs` and `main.rs` are left out: they only declare modules.
fn files(folder: &Path, module: &[String]) -> Vec<File> {
    let mut found = Vec::new();
    let mut entries: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    let own = std::fs::read_to_string(folder.join(if module.is_empty() { "lib.rs" } else { "mod.rs" }));
    let own = own.unwrap_or_default();
    for path in entries {
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let is_mod = stem == "mod";
        let is_test = own.contains(&format!("#[cfg(test)]\nmod {stem};"))
            || own.contains(&format!("#[cfg(test)]\npub mod {stem};"));
        if is_test || (module.is_empty() && (stem == "lib" || stem == "main")) {
            continue;
        }
        let below = if is_mod { module.to_vec() } else { [module, &[stem]].concat() };
        if path.is_dir() {
            found.extend(files(&path, &below));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
            found.push(File { module: below, is_mod, path, paths: paths(code) });
        }
    }
    found
}

/// All violations in a folder, with their places.
fn violations(folder: &Path) -> Vec<String> {
    let files = files(folder, &[]);
    let uses = files.iter().flat_map(|file| file.paths.iter().map(move |(line, path)| (file, line, path)));
    uses.filter(|(.., path)| path[0] == "crate" && path.len() > 1)
        .filter_map(|(file, line, path)| {
            Some(format!("{}:{line}: {}", file.path.display(), violation(&file.module[0], &path[1])?))
        })
        .collect()
}

/// The file that defines what a path names; a re-export in `mod.rs` resolves to its source file.
fn named<'a>(files: &'a [File], from: &File, path: &[String]) -> Option<&'a File> {
    let at = |module: &[String]| files.iter().find(|file| file.module == module);
    let (mut module, rest) = match path[0].as_str() {
        "crate" => (Vec::new(), &path[1..]),
        _ => (from.module.clone(), path),
    };
    // In a folder, `self` is the module itself; other paths start from what is in scope.
    let mut rest = rest.iter().peekable();
    while let Some(step) = rest.next_if(|step| matches!(step.as_str(), "super" | "self")) {
        if step == "super" {
            module.pop()?;
        }
    }
    for _ in 0..8 {
        while let Some(step) = rest.peek() {
            let below = [&module[..], &[(*step).clone()]].concat();
            if at(&below).is_none() {
                break;
            }
            module = below;
            rest.next();
        }
        let (file, item) = (at(&module)?, rest.peek());
        let passed_on = item.and_then(|item| {
            file.paths.iter().find(|(_, one)| {
                file.is_mod
                    && one.last() == Some(*item)
                    && one.len() > 1
                    && at(&[&module[..], &one[..1]].concat()).is_some()
            })
        });
        let Some((_, rest)) = passed_on else { return Some(file) };
        module = [&module[..], &rest[..rest.len() - 1]].concat();
        if at(&module).is_none() {
            return Some(file);
        }
    }
    None
}

/// Files that use each other. A file and the `mod.rs` above it count as one: `mod.rs` declares its parts, and they
/// use
/// what they share.
fn cycles(folder: &Path) -> Vec<String> {
    let files = files(folder, &[]);
    let index = |file: &File| files.iter().position(|one| one.path == file.path).unwrap();
    let edges: Vec<BTreeSet<usize>> = files
        .iter()
        .map(|file| {
            let used = file.paths.iter().filter_map(|(_, path)| named(&files, file, path));
            let used = used.filter(|one| {
                let above = one.is_mod && file.module.starts_with(&one.module);
                let below = file.is_mod && one.module.starts_with(&file.module);
                !above && !below && one.path != file.path
            });
            used.map(index).collect()
        })
        .collect();
    let reached = |from: usize| {
        let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
        while let Some(at) = open.pop() {
            open.extend(edges[at].iter().filter(|next| seen.insert(**next)));
        }
        seen
    };
    let reached: Vec<_> = (0..files.len()).map(reached).collect();
    let mut found = BTreeSet::new();
    for at in (0..files.len()).filter(|at| reached[*at].contains(at)) {
        let cycle =
            (0..files.len()).filter(|other| reached[at].contains(other) && reached[*other].contains(&at));
        let names = cycle.map(|one| files[one].path.strip_prefix(folder).unwrap().display().to_string());
        found.insert(names.collect::<Vec<_>>().join(", "));
    }
    found.into_iter().collect()
}

fn src() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

#[test]
fn every_module_uses_only_rows_below_its_own() {
    let found = violations(&src());
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn no_two_files_use_each_other() {
    let found = cycles(&src());
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// The modules declared in `lib.rs`.
fn modules() -> Vec<String> {
    let library = std::fs::read_to_string(src().join("lib.rs")).unwrap();
    let names = library
        .lines()
        .filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';'));
    names.map(str::to_owned).collect()
}

#[test]
fn every_module_is_in_exactly_one_row() {
    let mut modules = modules();
    assert!(modules.len() > 10, "{modules:?}");
    let mut rows: Vec<_> = ROWS.concat().into_iter().map(str::to_owned).collect();
    modules.sort();
    rows.sort();
    assert_eq!(rows, modules);
}

/// Someone who adds a module reads CONTRIBUTING, not this file.
#[test]
fn contributing_has_these_rows() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("CONTRIBUTING.md");
    let text = std::fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
    let rows: String = ROWS.map(|row| row.join("  ") + "\n").concat();
    let (before, rest) = text.split_once("```text\n").unwrap();
    let (_, after) = rest.split_once("```").unwrap();
    let right = format!("{before}```text\n{rows}```{after}");
    if std::env::var_os("AKIT_BLESS").is_some() {
        std::fs::write(path, right).unwrap();
    } else {
        assert!(text == right, "the table is out of date; AKIT_BLESS=1 cargo test updates it:\n{rows}");
    }
}

#[test]
fn every_exception_is_needed_and_has_its_reason() {
    let files = files(&src(), &[]);
    for (from, to, reason) in WITHIN_ROWS {
        assert_eq!(row(from), row(to), "{from}, {to}");
        assert!(!reason.is_empty(), "{from}, {to}");
        let used = files.iter().filter(|file| file.module[0] == from).flat_map(|file| &file.paths);
        assert!(used.clone().any(|(_, path)| path[..2] == ["crate", to]), "`{from}` does not use `{to}`");
    }
}

#[test]
fn the_checker_sees_what_it_should() {
    let bad = r#"
use crate::cli::Status; // fine words about crate::text
use crate::{
    config::{file, Settings as Ours},
    text,
};
//! crate::publish
use self_crate::runner;
fn f() -> crate::report::Format { let url = "http://crate::nowhere"; super::g(crate::source::slashed) }
pub(crate) fn g() {}
"#;
    let mut seen: Vec<_> =
        paths(bad).into_iter().map(|(line, path)| format!("{line} {}", path.join("::"))).collect();
    seen.sort();
    let right = [
        "2 crate::cli::Status",
        "3 crate::config::Settings",
        "3 crate::config::file",
        "3 crate::text",
        "8 self_crate::runner",
        "9 crate::nowhere",
        "9 crate::report::Format",
        "9 crate::source::slashed",
        "9 super::g",
    ];
    assert_eq!(seen, right);

    assert_eq!(violation("gate", "cli").unwrap(), "`gate` (row 6) uses `cli` (row 16)");
    assert_eq!(violation("gate", "client").unwrap(), "`gate` (row 6) uses `client` (row 6)");
    assert_eq!(violation("text", "source").unwrap(), "`text` (row 0) uses `source` (row 1)");
    assert_eq!(violation("gate", "utils").unwrap(), "`utils` is not in the table");
    assert_eq!(violation("helpers", "text").unwrap(), "`helpers` is not in the table");
    for (module, used) in [("cli", "text"), ("gate", "manifest"), ("gate", "gate"), ("source", "text")] {
        assert_eq!(violation(module, used), None);
    }

    let folder = std::env::temp_dir().join(format!("akit-layers-{}", std::process::id()));
    let write = |path: &str, text: &str| {
        std::fs::create_dir_all(folder.join(path).parent().unwrap()).unwrap();
        std::fs::write(folder.join(path), text).unwrap();
    };
    write("lib.rs", "use crate::cli::B;\n");
    write("gate/mod.rs", "use crate::manifest::A;\nuse crate::cli::B;\n");
    let found = violations(&folder);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].ends_with("mod.rs:2: `gate` (row 6) uses `cli` (row 16)"), "{found:?}");

    // One cycle through a re-export, one through a folder, and one closed only by tests, which is allowed.
    write(
        "gate/mod.rs",
        "mod a;\nmod b;\nmod c;\nmod d;\n#[cfg(test)]\nmod e;\npub use a::A;\npub use c::C;\n",
    );
    write("gate/a.rs", "use super::b::B;\nuse super::C;\npub struct A;\n");
    write("gate/b.rs", "pub struct B(super::A);\n#[cfg(test)]\nmod tests {\n use super::super::c::C; }\n");
    write("gate/c.rs", "use super::d::part::P;\npub struct C;\n");
    write("gate/d/mod.rs", "mod part;\n");
    write("gate/d/part.rs", "use crate::gate::{B as Other, C};\n");
    write("gate/e.rs", "use super::c::C;\n");
    let found = cycles(&folder);
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(found, ["gate/a.rs, gate/b.rs", "gate/c.rs, gate/d/part.rs"]);
}
