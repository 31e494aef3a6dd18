//! Every kind of weakening, end to end: if the base fails and the change passes, the change is reported, and fails
//! the run
//! with `--fail-on weakened`.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use super::Akit;
use super::akit::Ran;
use super::keys;
use super::replies::replies;
use super::server::{Answer, Server};

mod applications;
mod harmless;
mod places;

/// Answers that pass all seven cases of the tables.
const ANSWERS: [(&str, &str); 7] = [
    ("one", "a yes"),
    ("two", "yes"),
    ("three", "yes"),
    ("four", "yes"),
    ("five", "yes sir"),
    ("six", "yes yes"),
    ("seven", "{\"y\": \"a\"}"),
];

const REPORTED: [&str; 4] = ["--json", "run.json", "--concurrency", "2"];
const CHECKED: [&str; 4] = ["--weakened-since", "main", "--fail-on", "weakened"];

/// Makes a folder a repository with everything in one commit on `main`.
fn committed(here: &Path) {
    static EMPTY: OnceLock<tempfile::TempDir> = OnceLock::new();
    let empty = EMPTY.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        git(folder.path(), &["init", "--quiet", "--template=", "--initial-branch=main"], b"");
        folder
    });
    copy(&empty.path().join(".git"), &here.join(".git"));
    let mut stream = b"commit refs/heads/main\ncommitter t <t@localhost> 0 +0000\ndata 1\n.\n".to_vec();
    modified(here, Path::new(""), &mut stream);
    git(here, &["fast-import", "--quiet"], &stream);
}

/// Every file and link below a folder, in the format of `git fast-import`.
fn modified(root: &Path, below: &Path, stream: &mut Vec<u8>) {
    for entry in fs::read_dir(root.join(below)).unwrap() {
        let path = below.join(entry.unwrap().file_name());
        let (full, name) = (root.join(&path), path.to_str().unwrap());
        let (mode, content) = match fs::read_link(&full) {
            Ok(target) => ("120000", target.to_str().unwrap().as_bytes().to_vec()),
            Err(_) if name == ".git" => continue,
            Err(_) if full.is_dir() => {
                modified(root, &path, stream);
                continue;
            }
            Err(_) => ("100644", fs::read(&full).unwrap()),
        };
        write!(stream, "M {mode} inline {name}\ndata {}\n", content.len()).unwrap();
        stream.extend(content);
        stream.push(b'\n');
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            let _ = fs::copy(entry.path(), to).unwrap();
        }
    }
}

fn git(folder: &Path, arguments: &[&str], input: &[u8]) {
    let mut command = Command::new("git");
    command.args(arguments).current_dir(folder).env("GIT_CONFIG_GLOBAL", "/dev/null").stdin(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    assert!(child.wait().unwrap().success(), "{arguments:?}");
}

/// Another run in the same folder, with git available.
fn again(ran: &Ran, arguments: &[&str]) -> Akit {
    ran.then(arguments).env("PATH", &std::env::var("PATH").unwrap())
}

/// The kinds of weakening in a report.
fn named(ran: &Ran) -> BTreeSet<String> {
    let decision = &ran.json("run.json")["decision"];
    let found = ["breaches", "warnings"].into_iter().filter_map(|list| decision[list].as_array()).flatten();
    let weakened = found.filter(|one| one["id"] == "weakened");
    weakened.map(|one| one["message"].as_str().unwrap().split(':').next().unwrap().to_owned()).collect()
}

/// One change: the base fails, the change passes without the check, and the check reports it.
struct Change<'a> {
    /// The name in the message of a failing test.
    name: &'a str,
    /// The arguments of every run.
    run: Vec<String>,
    /// Environment variables of every run.
    variables: Vec<(&'static str, String)>,
    /// The files of the base.
    before: Vec<(&'a str, String)>,
    /// Applies the change.
    edit: Box<dyn Fn(&Path) + 'a>,
    /// Kinds that must be reported, possibly among others.
    kinds: BTreeSet<String>,
    /// Whether to show that the base fails and the change passes without the check.
    is_shown: bool,
}

impl Change<'_> {
    #[track_caller]
    fn check(&self) {
        if let Some(fault) = self.fault() {
            panic!("{fault}");
        }
    }

    /// The first thing that is wrong.
    fn fault(&self) -> Option<String> {
        let report =
            |what: &str, ran: &Ran| Some(format!("{}: {what}: {}{}", self.name, ran.stdout, ran.stderr));
        let run: Vec<&str> = self.run.iter().map(String::as_str).chain(REPORTED).collect();
        let within =
            |akit: Akit| self.variables.iter().fold(akit, |akit, (name, value)| akit.env(name, value));
        let start = self.before.iter().fold(Akit::new(&run), |akit, (file, text)| akit.file(file, text));
        let here = start.folder().to_path_buf();
        committed(&here);
        let seen = if self.is_shown {
            let before = within(start).run();
            if ![1, 4, 5].contains(&before.status) {
                return report("the base passes", &before);
            }
            (self.edit)(&here);
            again(&before, &run)
        } else {
            (self.edit)(&here);
            start.env("PATH", &std::env::var("PATH").unwrap())
        };
        let seen = within(seen.args(&CHECKED)).run();
        // Otherwise a run may fail for lack of an application or a judge.
        let codes: &[i32] = if self.is_shown { &[1] } else { &[1, 4, 5] };
        if !codes.contains(&seen.status) {
            return report("the check does not fail the run", &seen);
        }
        let found = named(&seen);
        if !self.kinds.is_subset(&found) || found.is_empty() {
            return report(&format!("{:?} is not in {found:?}", self.kinds), &seen);
        }
        if !self.is_shown {
            return None;
        }
        let blind = within(again(&seen, &run)).run();
        if blind.status == 0 { None } else { report("it fails without the check", &blind) }
    }
}

fn kinds(kinds: &[&str]) -> BTreeSet<String> {
    kinds.iter().map(ToString::to_string).collect()
}

/// Application and judge for the rows. The judge reads its score from the end of an answer, and accepts nice answers.
fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        Server::start(|asked| {
            if asked.body.get("response_format").is_none() {
                return Answer::Text("a yes".to_owned());
            }
            let data: serde_json::Value =
                asked.last_message().lines().nth(1).and_then(|line| serde_json::from_str(line).ok()).unwrap();
            let score = data["answer"].as_str().and_then(|answer| answer.rsplit(' ').next()?.parse().ok());
            let is_nice = asked.body["messages"][0].to_string().contains("nice");
            let score: u32 = if is_nice { 10 } else { score.unwrap_or(0) };
            Answer::Text(serde_json::json!({ "reasoning": "as it is", "score": score }).to_string())
        })
    })
}

/// Tests a row of the tables of keys.
fn row(row: &keys::Loosened) -> Change<'_> {
    fn texts(files: &keys::Files) -> Vec<(&str, &str)> {
        files.iter().map(|(name, text)| (*name, &**text)).collect()
    }
    let found = akit::inside::weaker(&texts(&row.before), &texts(&row.now));
    let mut found: BTreeSet<_> = found.iter().map(ToString::to_string).collect();
    let mut answers = ANSWERS.to_vec();
    match row.answer {
        Some("-") => drop(answers.remove(0)),
        Some(answer) if !answer.is_empty() => answers[0].1 = answer,
        Some(_) | None => {}
    }
    let holds = |word: &str| row.before.iter().chain(&row.now).any(|(_, text)| text.contains(word));
    let mut run = vec!["run", "s.yaml"];
    let is_asked = found == kinds(&["target-moved"]);
    if is_asked {
        run.extend(["--retries", "0"]);
    } else {
        // Answers from a flag are judged, whichever address the files name.
        found.remove("target-moved");
        run.extend(["--replies", "r.jsonl"]);
    }
    if holds("llm_grader") || holds("similarity") {
        run.extend(["--grader-model", "j", "--grader-base-url", &server().url]);
    }
    let recorded = ["r.jsonl", "t.jsonl"].map(|name| (name, replies(&answers)));
    let [mut before, mut now] = [row.before.clone(), row.now.clone()];
    for (_, text) in before.iter_mut().chain(&mut now).filter(|(name, _)| is_asked && *name == "akit.yaml") {
        if !text.lines().any(|line| line.starts_with("model:")) {
            text.push_str("model: m\n");
        }
    }
    before.extend(recorded);
    Change {
        name: row.key,
        run: run.into_iter().map(str::to_owned).collect(),
        variables: vec![("OPENAI_BASE_URL", server().url.clone())],
        edit: Box::new(move |here| {
            for (name, _) in row.before.iter().filter(|(name, _)| !now.iter().any(|(other, _)| other == name))
            {
                fs::remove_file(here.join(name)).unwrap();
            }
            for (name, text) in &now {
                fs::write(here.join(name), text).unwrap();
            }
        }),
        before,
        kinds: found,
        is_shown: row.answer.is_some(),
    }
}

/// A third of the rows of the tables of keys, so that the tests run concurrently.
fn third(part: usize) {
    // Tests do not send anything to real servers.
    let is_elsewhere = |key: &str| ["providerConfig.resourceName", "providerConfig.like"].contains(&key);
    let rows: Vec<_> = keys::loosened().into_iter().filter(|row| !is_elsewhere(row.key)).collect();
    assert!(rows.len() >= 90, "{} keys", rows.len());
    let faults: Vec<_> = rows.iter().skip(part).step_by(3).filter_map(|one| row(one).fault()).collect();
    assert!(faults.is_empty(), "{} of {} rows\n{}", faults.len(), rows.len() / 3, faults.join("\n"));
}

#[test]
fn every_key_is_checked() {
    third(0);
}

#[test]
fn every_other_key_is_checked() {
    third(1);
}

#[test]
fn every_third_key_is_checked() {
    third(2);
}
