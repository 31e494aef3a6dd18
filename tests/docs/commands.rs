//! Runs every command in the documentation.
//!
//! Each fenced block of `sh` runs line by line, in page order, in its page's [world](super::world); of a `console`
//! block,
//! only the lines after `$ `. The info string can change that:
//!
//! * `sh no-run: WHY` is not run; `NOT_RUN` lists page and reason.
//! * `sh new` runs in a new, empty folder.
//! * `sh in jenkins` runs with the variables of that pipeline.
//! * `LANGUAGE file PATH` is written to this file, executable, before the next block runs.
//! * `yml in azure` and `groovy in jenkins` are pipelines: their shell scripts run.
//!
//! A command must exit with 0, or with the code in a trailing `# exit 1`.

use super::page::{Block, Page, pages};
use super::recipe;
use super::world::{Template, World};

/// Blocks that are not run: page and reason.
const NOT_RUN: &[(&str, &str)] = &[
    ("CONTRIBUTING.md", "builds"),
    ("CONTRIBUTING.md", "writes fixtures"),
    ("docs/benchmarks.md", "builds"),
    ("docs/ci/docker.md", "needs a Docker daemon"),
    ("docs/comparison.md", "installs other programs"),
    ("docs/releasing.md", "builds"),
    ("docs/releasing.md", "needs a release"),
];

/// Optional programs: commands that use one are skipped if it is not installed.
const OPTIONAL: &[&str] = &["jq", "pre-commit", "sha256sum"];

/// The command that runs these tests; running it here would recurse.
const THESE_TESTS: &str = "cargo test";

#[derive(PartialEq)]
enum Task<'a> {
    /// Commands, and the pipeline whose variables they get.
    Run(Vec<String>, &'a str),
    Write(&'a str),
    Leave(&'a str),
    Nothing,
}

fn task<'a>(block: &'a Block<'_>) -> Task<'a> {
    let (language, rest) = block.marks();
    let (word, of) = rest.split_once(' ').unwrap_or((rest, ""));
    match (language, word) {
        ("sh" | "console", "no-run:") => Task::Leave(of),
        (_, "file") => Task::Write(of),
        ("sh", "" | "in") => Task::Run(lines(&block.body), of),
        ("sh", "new") => Task::Run(lines(&block.body).iter().map(|line| in_new_folder(line)).collect(), ""),
        ("console", "") => {
            let typed = block.body.lines().filter_map(|line| line.strip_prefix("$ "));
            Task::Run(typed.map(str::to_owned).collect(), "")
        }
        ("yml" | "yaml", "in") => Task::Run(recipe::yaml(&block.body), of),
        ("groovy", "in") => Task::Run(recipe::groovy(&block.body), of),
        ("sh" | "console", _) => panic!("unknown info string: {}", block.mark),
        _ => Task::Nothing,
    }
}

/// Runs the command in a new, empty folder.
fn in_new_folder(command: &str) -> String {
    format!("mkdir -p ../new && cd ../new && {command}")
}

/// Splits a text into commands; a line that ends in `\` and a here-document (`<<'END'`) stay together.
fn lines(text: &str) -> Vec<String> {
    let mut commands: Vec<String> = Vec::new();
    let mut end: Option<String> = None;
    let mut open = false;
    for line in text.lines() {
        match commands.last_mut().filter(|_| open || end.is_some()) {
            Some(last) => {
                last.push('\n');
                last.push_str(line);
            }
            None if line.trim().is_empty() || line.starts_with('#') => continue,
            None => commands.push(line.to_owned()),
        }
        if end.as_deref() == Some(line.trim()) {
            end = None;
        } else if end.is_none() {
            let after = line.split_once("<<").map(|(_, after)| after.trim_start_matches('-'));
            end = after.map(|word| word.trim().trim_matches(['\'', '"']).to_owned());
        }
        open = line.ends_with('\\');
    }
    commands
}

/// The expected exit code of a command.
fn exit_code(command: &str) -> i32 {
    let mark = command.rsplit_once("# exit ").map(|(_, after)| after.trim());
    mark.map_or(0, |code| code.parse().unwrap_or_else(|_| panic!("no exit code: {command}")))
}

fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).exists())
}

/// The result of running a page's commands.
#[derive(Default)]
struct Executed {
    count: usize,
    /// Commands with an unexpected exit code.
    faults: Vec<String>,
    /// Reasons of the blocks that were not run.
    left: Vec<String>,
}

fn execute(page: &Page, template: &Template) -> Executed {
    let mut executed = Executed::default();
    let blocks = page.blocks();
    let tasks: Vec<_> = blocks.iter().map(|block| (block, task(block))).collect();
    executed.left.extend(tasks.iter().filter_map(|(_, task)| match task {
        Task::Leave(why) => Some((*why).to_owned()),
        _ => None,
    }));
    if !tasks.iter().any(|(_, task)| matches!(task, Task::Run(..))) {
        return executed;
    }
    let world = World::of(template);
    for (block, task) in tasks {
        match task {
            Task::Write(path) => world.write(path, &block.body),
            Task::Run(commands, site) => {
                for command in commands {
                    let missing = |name: &&str| {
                        command.split_whitespace().any(|word| word == *name) && !is_installed(name)
                    };
                    if OPTIONAL.iter().any(missing) || command == THESE_TESTS {
                        continue;
                    }
                    executed.count += 1;
                    let output = world.run(&command, site);
                    // In a pipeline with a change and a token, akit must post a comment.
                    let mute = String::from_utf8_lossy(&output.stderr).contains("warning: no comment");
                    if output.status.code() != Some(exit_code(&command)) || (mute && !site.is_empty()) {
                        executed.faults.push(format!(
                            "{}:{}: {command}\n{}, expected exit code {}\n{}{}",
                            page.name,
                            block.line,
                            output.status,
                            exit_code(&command),
                            String::from_utf8_lossy(&output.stdout),
                            String::from_utf8_lossy(&output.stderr),
                        ));
                    }
                }
            }
            Task::Leave(_) | Task::Nothing => {}
        }
    }
    executed
}

#[test]
fn commands_in_the_documentation_do_what_they_say() {
    let template = Template::build();
    let pages = pages();
    let (mut count, mut left, mut faults) = (0, Vec::new(), Vec::new());
    for page in &pages {
        let executed = execute(page, &template);
        count += executed.count;
        faults.extend(executed.faults);
        left.extend(executed.left.into_iter().map(|why| (page.name.clone(), why)));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    left.sort();
    left.dedup();
    let known: Vec<_> = NOT_RUN.iter().map(|(page, why)| ((*page).to_owned(), (*why).to_owned())).collect();
    assert_eq!(left, known, "blocks that were not run differ from NOT_RUN");
    assert!(count >= 70, "only {count} commands were executed");
}

#[test]
fn a_command_goes_on_over_lines_and_documents() {
    let text = "a \\\n  b\n\n# note\ncat > x <<'END'\n# in\n\nEND\nc # exit 3\n";
    assert_eq!(lines(text), ["a \\\n  b", "cat > x <<'END'\n# in\n\nEND", "c # exit 3"]);
    assert_eq!(exit_code("c # exit 3"), 3);
    assert_eq!(exit_code("c # say"), 0);
}
