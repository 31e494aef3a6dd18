//! README and docs/ checked against the program: scenarios load, flags exist, ids are real, links work,
//! quoted output is what akit prints, pages stay short and use the project's words.
#![expect(clippy::unwrap_used, reason = "a panic fails the test")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

#[cfg(unix)]
#[path = "cli/canaries.rs"]
mod canaries;
#[cfg(unix)]
#[path = "docs/commands.rs"]
mod commands;
#[cfg(unix)]
#[expect(dead_code, reason = "other tests use the rest")]
#[path = "cli/forge.rs"]
mod forge;
#[path = "docs/page.rs"]
mod page;
#[cfg(unix)]
#[path = "docs/recipe.rs"]
mod recipe;
#[cfg(unix)]
#[expect(dead_code, reason = "other tests use the rest")]
#[path = "cli/server.rs"]
mod server;
#[path = "docs/voice.rs"]
mod voice;
#[cfg(unix)]
#[path = "docs/world.rs"]
mod world;

use page::{Page, pages, root};

use akit::inside::{ConfigFile, Diagnostics, Environment, FaultKind, FindingId, WeakeningKind, load};
use strum::IntoEnumIterator;

/// Every text in backquotes.
fn quoted(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn akit(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_akit"))
        .args(arguments)
        .current_dir(root())
        .env_clear()
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// Headings of command lists in `--help`.
const GROUPS: [&str; 6] = ["Commands:", "Start:", "Test:", "Gate:", "Inspect:", "Tools:"];

/// Every command that has no subcommands, as its words.
fn commands() -> Vec<Vec<String>> {
    let mut known = Vec::new();
    let mut open = vec![Vec::new()];
    while let Some(command) = open.pop() {
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        let help = akit(&[&words, &["--help"][..]].concat());
        // A group of flags can have the same name as a group of commands.
        let mut is_list = false;
        let names = help.lines().filter_map(|line| {
            if !line.starts_with(' ') {
                is_list = GROUPS.contains(&line);
            }
            let line = line.strip_prefix("  ").filter(|line| is_list && !line.starts_with([' ', '-']));
            line?.split_whitespace().next()
        });
        let below: Vec<_> = names.filter(|name| *name != "help").map(str::to_owned).collect();
        if below.is_empty() {
            known.push(command);
        } else {
            open.extend(below.into_iter().map(|name| [command.clone(), vec![name]].concat()));
        }
    }
    known
}

/// The flags that a command's help lists.
fn flags(command: &[String]) -> BTreeSet<String> {
    let words: Vec<&str> = command.iter().map(String::as_str).collect();
    let help = akit(&[&words, &["--help"][..]].concat());
    let mut found = BTreeSet::new();
    for line in help.lines().filter(|line| line.trim_start().starts_with(['-', '['])) {
        for word in line.split([' ', ',', ']']).filter(|word| word.starts_with('-')) {
            found.insert(word.to_owned());
        }
    }
    assert!(found.contains("--help"), "no help for {command:?}");
    found
}

/// Flags mentioned in a text: `--long` and `-s`.
fn flags_in(text: &str) -> Vec<String> {
    text.split(|c: char| c.is_whitespace() || "`,()[]|=/…".contains(c))
        .filter(|word| {
            let name = word.trim_start_matches('-');
            let dashes = word.len() - name.len();
            name.starts_with(|c: char| c.is_ascii_alphabetic())
                && (dashes == 2 && name.chars().all(|c| c.is_ascii_lowercase() || c == '-')
                    || dashes == 1 && name.len() == 1)
        })
        .map(str::to_owned)
        .collect()
}

#[test]
fn scenarios_in_the_documentation_load() {
    let folder = tempfile::tempdir().unwrap();
    let mut count = 0;
    for page in pages() {
        for block in page.blocks() {
            let mut words = block.mark.split_whitespace();
            let yaml = matches!(words.next(), Some("yaml" | "yml"));
            let cases = block.body.lines().any(|line| line.starts_with("cases:"));
            if !yaml || !(cases || words.next() == Some("scenario")) {
                continue;
            }
            count += 1;
            let path = folder.path().join("scenario.yaml");
            std::fs::write(&path, &block.body).unwrap();
            let loaded = load(&[path], &Environment::default());
            let found: Vec<_> = loaded.diagnostics.iter().map(|one| one.message.clone()).collect();
            assert!(found.is_empty() && loaded.cases() > 0, "{}:{}: {found:?}", page.name, block.line);
        }
    }
    assert!(count >= 10, "only {count} scenarios were found");
}

#[test]
fn configurations_in_the_documentation_load() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("akit.yaml");
    let mut count = 0;
    let pages = pages();
    let blocks = || {
        let of = |page| Page::blocks(page).into_iter().map(move |block| (page, block));
        pages.iter().flat_map(of).filter(|(_, block)| block.mark == "yaml")
    };
    let quarantine = blocks().find(|(_, block)| block.body.starts_with("- case:")).unwrap().1.body;
    std::fs::write(folder.path().join("akit-quarantine.yaml"), quarantine).unwrap();
    let environment =
        Environment::of(["OPENAI_API_KEY", "GRADER_KEY"].map(|name| (name.to_owned(), "k".to_owned())));
    for (page, block) in blocks() {
        let starts = ["cases:", "expected:", "- "];
        if block.body.lines().any(|line| starts.iter().any(|start| line.starts_with(start))) {
            continue;
        }
        count += 1;
        std::fs::write(&path, &block.body).unwrap();
        let mut found = Diagnostics::default();
        let _ = ConfigFile::read(&path, &environment, &mut found);
        let found: Vec<_> = found.iter().map(|one| one.message.clone()).collect();
        assert!(found.is_empty(), "{}:{}: {found:?}", page.name, block.line);
    }
    assert!(count >= 7, "only {count} configurations were found");
}

#[test]
fn commands_in_the_documentation_have_their_flags() {
    let commands = commands();
    let mut count = 0;
    for page in pages() {
        let blocks = page.blocks().into_iter().filter(|block| matches!(block.marks().0, "sh" | "console"));
        for block in blocks {
            for line in block.body.lines() {
                let place = format!("{}:{}: {line}", page.name, block.line);
                let line = line.trim_start_matches("$ ").split(" | ").next().unwrap();
                let Some(rest) = line
                    .strip_prefix("cargo run -- ")
                    .or_else(|| line.split_once("akit ").map(|(_, rest)| rest))
                else {
                    continue;
                };
                count += 1;
                // Arguments after `--` belong to another program.
                let rest = rest.split(" -- ").next().unwrap();
                let words: Vec<_> = rest.split_whitespace().collect();
                let command = commands.iter().find(|command| {
                    command.len() <= words.len() && command.iter().zip(&words).all(|(one, word)| one == word)
                });
                let known = flags(command.unwrap_or_else(|| panic!("{place}: no such command")));
                for flag in words.iter().filter(|word| word.starts_with('-') && word.len() > 1) {
                    assert!(known.contains(*flag), "{place}: no flag `{flag}`");
                }
                for path in words.iter().filter(|word| word.starts_with("fixtures/")) {
                    assert!(root().join(path).exists(), "{place}: no file `{path}`");
                }
            }
        }
    }
    assert!(count >= 15, "only {count} commands were found");
}

/// Whether another program's command starts this line.
fn foreign(command: &str) -> bool {
    let programs =
        ["cargo", "git", "docker", "npm", "pip", "pre-commit", "promptfoo", "deepeval", "artemiskit"];
    programs.contains(&command.split(' ').next().unwrap_or_default())
}

#[test]
fn flags_mentioned_in_prose_exist() {
    let known: BTreeSet<_> = commands().iter().chain([&Vec::new()]).flat_map(|one| flags(one)).collect();
    for page in pages() {
        for (number, line) in page.prose() {
            // The left column on this page lists another program's flags.
            let line = match line.strip_prefix('|') {
                Some(row) if page.name == "docs/migrating.md" => {
                    row.split_once('|').map_or("", |(_, rest)| rest)
                }
                _ => line,
            };
            for word in quoted(line).iter().filter(|word| !foreign(word)) {
                for flag in flags_in(word) {
                    assert!(known.contains(&flag), "{}:{number}: no flag `{flag}`", page.name);
                }
            }
        }
    }
}

/// The text of all files in a folder of src, without tests and test-only files.
fn sources(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join("src").join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs")
                && !["tests.rs", "fixture.rs"].contains(&name.as_str())
            {
                let text = std::fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
                found.push((name, code.to_owned()));
            }
        }
    }
    found
}

/// Quoted words that look like ids.
fn literals(code: &str) -> BTreeSet<String> {
    let words = code.split('"').skip(1);
    let id = |word: &&str| {
        !word.is_empty()
            && word.split('-').all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase()))
    };
    words.filter(id).map(str::to_owned).collect()
}

fn documented(heading: &str) -> BTreeSet<String> {
    let ids: BTreeSet<_> = pages().iter().flat_map(|page| page.column(heading)).collect();
    assert!(!ids.is_empty(), "no table of `{heading}`");
    ids
}

#[test]
fn codes_and_faults_in_the_documentation_exist() {
    let known: BTreeSet<_> = sources(".").iter().flat_map(|(_, code)| literals(code)).collect();
    for id in documented("code") {
        assert!(known.contains(&id), "code `{id}` is not in src");
    }
    for id in documented("fault") {
        assert!(!matches!(FaultKind::of(&id), FaultKind::Other(_)), "there is no fault `{id}`");
    }
}

#[test]
fn every_code_of_a_diagnostic_is_documented() {
    let documented = documented("code");
    for (name, code) in sources(".") {
        for after in code.split("Diagnostic::error(").skip(1) {
            let first = after.trim_start();
            if let Some(id) = first.strip_prefix('"').and_then(|rest| rest.split('"').next()) {
                assert!(documented.contains(id), "{name}: code `{id}` is not in docs/scenario.md");
            }
        }
    }
}

#[test]
fn every_finding_is_documented_and_no_other() {
    let known: BTreeSet<_> = FindingId::iter().map(|id| id.to_string()).collect();
    assert_eq!(known, documented("finding"));
}

#[test]
fn every_kind_of_weakening_is_documented_and_no_other() {
    let known: BTreeSet<_> = WeakeningKind::iter().map(|kind| kind.to_string()).collect();
    assert_eq!(known, documented("weakening"));
}

/// For someone who has a clone and nothing else.
#[test]
fn the_quick_start_is_two_commands() {
    let pages = pages();
    let readme = pages.iter().find(|page| page.name == "README.md").unwrap();
    let blocks = readme.blocks();
    let first = blocks.iter().find(|block| block.marks().0 == "sh").unwrap();
    assert_eq!(first.body, "cargo run -- run fixtures/customer-service.yaml\ncargo test\n");
}

#[test]
fn no_page_begins_with_a_model_that_is_about_to_end() {
    let ending = akit::inside::ending_models();
    let is_named = |text: &str, model: &str| {
        text.match_indices(model).any(|(at, _)| {
            let edge = |c: Option<char>| !c.is_some_and(|c| c.is_alphanumeric() || "-.".contains(c));
            edge(text[..at].chars().next_back()) && edge(text[at + model.len()..].chars().next())
        })
    };
    // Price tables keep old models.
    for page in pages().iter().filter(|page| !["CHANGELOG.md", "docs/gate.md"].contains(&page.name.as_str()))
    {
        let found: Vec<_> = ending.iter().filter(|model| is_named(&page.text, model)).collect();
        assert!(found.is_empty(), "{}: {found:?}", page.name);
    }
}

/// A page with the table under the same heading replaced.
fn with_table(text: &str, table: &str) -> Option<String> {
    let heading = table.lines().next()?;
    let at = text.find(&format!("\n{heading}\n"))? + 1;
    let old: usize =
        text[at..].split_inclusive('\n').take_while(|line| line.starts_with('|')).map(str::len).sum();
    Some(format!("{}{table}{}", &text[..at], &text[at + old..]))
}

/// Docs and program must not drift apart: a value missing on either side fails.
#[test]
fn tables_of_values_are_printed_from_the_types() {
    let pages = pages();
    for (name, table) in akit::inside::tables() {
        // Read the file again: it may just have gotten another table.
        assert!(pages.iter().any(|page| page.name == name), "{name}");
        let text = std::fs::read_to_string(root().join(name)).unwrap().replace("\r\n", "\n");
        let right = with_table(&text, &table).unwrap_or_else(|| panic!("{name} lacks the table\n{table}"));
        if std::env::var_os("AKIT_BLESS").is_some() {
            std::fs::write(root().join(name), right).unwrap();
        } else {
            assert!(
                text == right,
                "{name}: the table is out of date; AKIT_BLESS=1 cargo test updates it:\n{table}"
            );
        }
    }
}

/// Lines of a recipe that let a pipeline continue on exit code 5. An inconclusive run has a failure that could be
/// neither
/// confirmed nor excused, so no default and no example may tolerate it.
fn tolerant(text: &str) -> Vec<String> {
    let has_five = |text: &str| text.split(|c: char| !c.is_ascii_digit()).any(|number| number == "5");
    let keys =
        ["exit_codes:", "exit_code:", "exit_status:", "allow-exit-codes:", "exitcodes:", "success_codes:"];
    let tests = ["-eq 5", "-ne 5", "= 5", "!= 5", "-eq '5'", "= '5'", "= \"5\"", "!= 'inconclusive'"];
    let (mut found, mut under) = (Vec::new(), false);
    for line in text.lines() {
        let plain = line.trim();
        let key = keys.iter().find_map(|key| plain.to_lowercase().find(key).map(|at| at + key.len()));
        let listed = under && (plain.starts_with("- ") || plain.starts_with("default:")) && has_five(plain);
        let tested = tests.iter().any(|test| plain.contains(test));
        if key.is_some_and(|at| has_five(&plain[at..])) || listed || tested {
            found.push(plain.to_owned());
        }
        under = key.is_some() || (under && !plain.is_empty());
    }
    found
}

#[test]
fn no_recipe_tolerates_an_inconclusive_run_unasked() {
    let mut texts = vec![("templates/akit.yml".to_owned(), PathBuf::from("templates/akit.yml"))];
    let mut open = ["README.md", "action.yml", "docs", ".github", "src/cli/init"].map(PathBuf::from).to_vec();
    while let Some(path) = open.pop() {
        let full = root().join(&path);
        if full.is_dir() {
            let entries = std::fs::read_dir(full).unwrap().map(|entry| path.join(entry.unwrap().file_name()));
            open.extend(entries);
        } else if path.extension().is_none_or(|extension| extension != "png" && extension != "json") {
            texts.push((path.display().to_string(), path));
        }
    }
    assert!(texts.len() > 40, "{}", texts.len());
    for (name, path) in texts {
        let found = tolerant(&std::fs::read_to_string(root().join(path)).unwrap());
        assert_eq!(found, [""; 0], "{name}");
    }
    // The search itself works.
    for recipe in [
        "allow_failure: { exit_codes: [5] }",
        "allow_failure:\n  exit_codes:\n    - 4\n    - 5",
        "allow-exit-codes: [4, 5, 6]",
        "allow-exit-codes:\n  type: array\n  default: [5]",
        "soft_fail: [{ exit_status: 5 }]",
        "akit run || [ $? -eq 5 ]",
        "if [ \"$status\" != 5 ]; then exit 1; fi",
        "if: steps.akit.outputs.verdict != 'inconclusive'",
    ] {
        assert_eq!(tolerant(recipe).len(), 1, "{recipe}");
    }
    assert_eq!(tolerant("exit_codes: [4, 6]\nallow-exit-codes: [99]\nretries: 5"), [""; 0]);
}

/// A heading as links refer to it.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    text.chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

/// Readers should find their task on one page.
#[test]
fn pages_stay_short() {
    // The changelog only grows.
    for page in pages().iter().filter(|page| page.name != "CHANGELOG.md") {
        let most = if page.name == "README.md" { 149 } else { 250 };
        let lines = page.text.lines().count();
        assert!(lines <= most, "{} has {lines} lines, more than {most}", page.name);
    }
}

/// Words that have a better one in CONTRIBUTING, or that a native speaker would not use here.
const NEVER: &[&str] = &[
    "amiss",
    "anew",
    "artefact",
    "artefacts",
    "asks nobody",
    "breach",
    "breaches",
    "ends with exit code",
    "ends with status",
    "fresh trial",
    "go before",
    "goes before",
    "hand-over",
    "held against",
    "licence",
    "mend",
    "mended",
    "misspelt",
    "nobody is asked",
    "organisation",
    "ruling",
    "stands against",
    "status 2",
    "under way",
];

/// Lines that quote the program, by page.
const QUOTES: &[(&str, &str)] = &[("docs/planning.md", "* **Fresh trials** confirm failures.")];

/// A line without its text in backquotes.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join(" ")
}

/// Which of these words occur in a text as whole words.
fn found_in(text: &str, words: &[&'static str]) -> Vec<&'static str> {
    let plain: String =
        text.to_lowercase().chars().map(|c| if c.is_alphanumeric() || c == '-' { c } else { ' ' }).collect();
    let plain = format!(" {} ", plain.split_whitespace().collect::<Vec<_>>().join(" "));
    words.iter().filter(|word| plain.contains(&format!(" {word} "))).copied().collect()
}

#[test]
fn no_page_uses_a_word_that_has_a_better_one() {
    for page in pages() {
        for (number, line) in page.prose() {
            let is_quote = QUOTES.iter().any(|(name, start)| page.name == *name && line.starts_with(start));
            let found = found_in(&without_code(line), NEVER);
            assert!(found.is_empty() || is_quote, "{}:{number}: {found:?}", page.name);
        }
    }
    assert_eq!(found_in("It is (Anew) asked; nothing goes  before it.", NEVER), ["anew", "goes before"]);
    assert_eq!(found_in("A recommendation amends rulings.", NEVER), [""; 0]);
    assert_eq!(found_in(&without_code("see `decision.ruling`, or the ruling"), NEVER), ["ruling"]);
}

/// Readers cannot find a page that is missing from the index.
#[test]
fn the_book_names_every_page() {
    let pages = pages();
    let book = pages.iter().find(|page| page.name == "docs/README.md").unwrap();
    let text: String = book.prose().into_iter().map(|(_, line)| line).collect();
    for page in pages.iter().filter_map(|page| page.name.strip_prefix("docs/")) {
        assert!(page == "README.md" || text.contains(&format!("]({page}")), "docs/README.md lacks {page}");
    }
}

#[test]
fn links_lead_to_files_and_headings() {
    let pages = pages();
    for page in &pages {
        let folder = Path::new(&page.name).parent().unwrap();
        for (number, line) in page.prose() {
            let pictures = ["src=\"", "srcset=\""].into_iter().flat_map(|key| line.split(key).skip(1));
            let pictures = pictures.map(|after| after.split('"').next().unwrap());
            let links = line.split("](").skip(1).map(|after| after.split(')').next().unwrap());
            for target in links.chain(pictures) {
                if target.contains("://") {
                    continue;
                }
                let (path, heading) = target.split_once('#').unwrap_or((target, ""));
                let mut file = PathBuf::new();
                for part in folder.join(path).components() {
                    match part {
                        std::path::Component::ParentDir => assert!(file.pop(), "{}:{number}", page.name),
                        part => file.push(part),
                    }
                }
                let name = if path.is_empty() {
                    page.name.clone()
                } else {
                    file.to_string_lossy().replace('\\', "/")
                };
                assert!(root().join(&name).exists(), "{}:{number}: no file `{name}`", page.name);
                let Some(page_there) = pages.iter().find(|one| one.name == name) else { continue };
                let headings = page_there.prose().into_iter().filter(|(_, line)| line.starts_with('#'));
                let known =
                    heading.is_empty() || headings.into_iter().any(|(_, line)| anchor(line) == heading);
                assert!(known, "{}:{number}: `{name}` has no heading `{heading}`", page.name);
            }
        }
    }
}

/// A line without durations: a terminal shows a measured one next to the recorded one.
fn timeless(line: &str) -> String {
    match line.split_once("; took ").zip(line.split_once("; recorded ")) {
        Some(((before, _), (_, rest))) => format!("{before}; recorded {rest}"),
        None => line.to_owned(),
    }
}

#[test]
fn outputs_in_the_documentation_are_real() {
    let suite = "fixtures/customer-service.yaml";
    let mut real = akit(&["run", suite]);
    real += &akit(&["run", suite, "--replies", "fixtures/replies/regressed-bot.jsonl"]);
    let mut count = 0;
    for page in pages() {
        for block in page.blocks().iter().filter(|block| block.body.contains("RESULT:")) {
            count += 1;
            for line in block.body.lines().filter(|line| !line.is_empty()) {
                let there = real.lines().any(|one| timeless(one) == timeless(line));
                assert!(there, "{}:{}: akit does not print:\n{line}", page.name, block.line);
            }
        }
    }
    assert!(count >= 3, "only {count} outputs were found");
}
