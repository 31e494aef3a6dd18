//! Every command of the documentation, executed.
//!
//! A fenced block of `sh` is executed line by line in the [world](super::world) of its page, in the
//! order of the page; of `console` only what stands behind `$ `. Its mark may say more:
//!
//! * `sh no-run: WHY` is not executed. `NOT_RUN` lists page and reason.
//! * `sh new` is executed in a folder of its own, empty at first.
//! * `sh in jenkins` is executed with the variables of that pipeline.
//! * `LANGUAGE file PATH` is written to this file, executable, before what follows is executed.
//! * `yml in azure` and `groovy in jenkins` are pipelines: what they would have a shell do is executed.
//!
//! A command ends with 0, or with what `# exit 1` behind it says.

use super::page::{Block, Page, pages};
use super::recipe;
use super::world::{Template, World};

/// Blocks that nobody executes here: page and reason.
const NOT_RUN: &[(&str, &str)] = &[
    ("CONTRIBUTING.md", "builds"),
    ("CONTRIBUTING.md", "writes fixtures"),
    ("docs/benchmarks.md", "builds"),
    ("docs/ci/docker.md", "needs a Docker daemon"),
    ("docs/comparison.md", "installs other programs"),
    ("docs/releasing.md", "builds"),
    ("docs/releasing.md", "needs a release"),
];

/// Programs that need not be there: a command that calls one is left out where it is not.
const OPTIONAL: &[&str] = &["jq", "pre-commit", "sha256sum"];

/// What runs all of this, and must not run itself.
const THESE_TESTS: &str = "cargo test";

#[derive(PartialEq)]
enum Task<'a> {
    /// Commands, and the pipeline in whose surroundings they are executed.
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
        ("sh", "new") => Task::Run(lines(&block.body).iter().map(|line| anew(line)).collect(), ""),
        ("console", "") => {
            let typed = block.body.lines().filter_map(|line| line.strip_prefix("$ "));
            Task::Run(typed.map(str::to_owned).collect(), "")
        }
        ("yml" | "yaml", "in") => Task::Run(recipe::yaml(&block.body), of),
        ("groovy", "in") => Task::Run(recipe::groovy(&block.body), of),
        ("sh" | "console", _) => panic!("no such mark: {}", block.mark),
        _ => Task::Nothing,
    }
}

/// The command in a folder that nothing was in.
fn anew(command: &str) -> String {
    format!("mkdir -p ../new && cd ../new && {command}")
}

/// Commands: lines, joined where one goes on after `\` or as a document (`<<'END'`).
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

/// The status that a command is to end with.
fn status(command: &str) -> i32 {
    let told = command.rsplit_once("# exit ").map(|(_, after)| after.trim());
    told.map_or(0, |code| code.parse().unwrap_or_else(|_| panic!("no status: {command}")))
}

fn there(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).exists())
}

/// What came of the commands of a page.
#[derive(Default)]
struct Executed {
    count: usize,
    /// Commands that did not end as they should.
    faults: Vec<String>,
    /// Why blocks were left out.
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
                    let absent =
                        |name: &&str| command.split_whitespace().any(|word| word == *name) && !there(name);
                    if OPTIONAL.iter().any(absent) || command == THESE_TESTS {
                        continue;
                    }
                    executed.count += 1;
                    let output = world.run(&command, site);
                    // Where a pipeline has a change and a token, a comment comes about.
                    let mute = String::from_utf8_lossy(&output.stderr).contains("warning: no comment");
                    if output.status.code() != Some(status(&command)) || (mute && !site.is_empty()) {
                        executed.faults.push(format!(
                            "{}:{}: {command}\nended with {}, {} was expected\n{}{}",
                            page.name,
                            block.line,
                            output.status,
                            status(&command),
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
    assert_eq!(left, known, "blocks that are not executed, and the list of them");
    assert!(count >= 70, "only {count} commands were executed");
}

#[test]
fn a_command_goes_on_over_lines_and_documents() {
    let text = "a \\\n  b\n\n# note\ncat > x <<'END'\n# in\n\nEND\nc # exit 3\n";
    assert_eq!(lines(text), ["a \\\n  b", "cat > x <<'END'\n# in\n\nEND", "c # exit 3"]);
    assert_eq!(status("c # exit 3"), 3);
    assert_eq!(status("c # say"), 0);
}
