//! Records of the cache that come with a change: under `--trust base` nobody believes them.

use std::path::Path;

use serde_json::{Value as Json, json};

use super::akit::Ran;
use super::judge::verdict;
use super::replies::replies;
use super::server::{Answer, Server};
use super::trust_base::{base, change};
use super::weakening::{akit, git};

const SUITE: &str =
    "name: s\ncases: [{ id: a, prompt: q, expected: { type: llm_grader, rubric: Be kind. } }]\n";

const RUN: [&str; 6] = ["run", "scenarios", "--replies", "r.jsonl", "--json", "run.json"];

fn stern() -> Server {
    Server::start(|_| Answer::Text(verdict(0)))
}

/// The suite and its judge, with the records that a run of it makes: path below the cache, and text.
fn suite(server: &Server, more: &str) -> (Ran, Vec<(String, String)>) {
    let ran = base(&[
        ("scenarios/s.yaml", SUITE.to_owned()),
        ("akit.yaml", config(server, more)),
        ("r.jsonl", replies(&[("a", "No.")])),
    ]);
    akit(&ran, &RUN).args(&["--cache-dir", "made"]).run().ended(1);
    let records = records(&ran.path("made"));
    std::fs::remove_dir_all(ran.path("made")).unwrap();
    (ran, records)
}

fn config(server: &Server, more: &str) -> String {
    format!("grader: {{ model: j, baseUrl: \"{}\" }}\n{more}", server.url)
}

fn records(folder: &Path) -> Vec<(String, String)> {
    let below = |folder: &Path| std::fs::read_dir(folder).unwrap().map(|one| one.unwrap().path());
    let files = below(folder).flat_map(|shelf| below(&shelf).collect::<Vec<_>>());
    let named = |path: &Path| path.strip_prefix(folder).unwrap().to_str().unwrap().replace('\\', "/");
    files.map(|path| (named(&path), std::fs::read_to_string(&path).unwrap())).collect()
}

/// The records with the best score that the judge can give.
fn forged(records: &[(String, String)]) -> Vec<(String, String)> {
    let forge = |text: &String| {
        let mut record: Json = serde_json::from_str(text).unwrap();
        if record["request"].to_string().contains("Be kind.") {
            record["response"]["text"] = json!(verdict(10));
        }
        serde_json::to_string_pretty(&record).unwrap() + "\n"
    };
    records.iter().map(|(path, text)| (path.clone(), forge(text))).collect()
}

fn put(ran: &Ran, folder: &str, records: &[(String, String)]) {
    let named: Vec<_> =
        records.iter().map(|(path, text)| (format!("{folder}/{path}"), text.clone())).collect();
    change(ran, &named.iter().map(|(path, text)| (path.as_str(), text.clone())).collect::<Vec<_>>());
}

fn commit(ran: &Ran) {
    git(ran, &["commit", "--quiet", "--all", "-m", "change"]);
}

fn trusting(ran: &Ran, who: &str, flags: &[&str]) -> Ran {
    akit(ran, &RUN).args(&["--trust", who, "--weakened-since", "main"]).args(flags).run()
}

#[test]
fn a_verdict_that_only_the_change_brings_is_asked_for_again() {
    let server = stern();
    let (ran, made) = suite(&server, "");
    put(&ran, ".akit/cache", &forged(&made));
    commit(&ran);
    // Trusted, it is what it says, and that it is new is said.
    trusting(&ran, "head", &[]).ended(0).out("cache-record-added").out(".akit/cache/");
    trusting(&ran, "head", &["--replay"]).ended(0);
    trusting(&ran, "head", &["--fail-on", "weakened"]).ended(1);
    // Where nobody can be asked, nobody knows.
    let replayed = trusting(&ran, "base", &["--replay"])
        .ended(5)
        .out("untrusted-record")
        .out("the records exist only in this change (first: s/a)")
        .err("cached records not read (first: `.akit/cache/");
    assert_eq!(replayed.json("run.json")["cases"][0]["trials"][0]["fault"]["kind"], "untrusted-record");
    assert_eq!(replayed.json("run.json")["decision"]["ruling"], "INCONCLUSIVE");
    let asked = server.asked().len();
    let own = trusting(&ran, "base", &[]).ended(1);
    assert!(server.asked().len() > asked, "{}", own.stdout);
    assert!(!own.stdout.contains("cache-record-added"), "what is not read weakens nothing: {}", own.stdout);
}

#[test]
fn so_is_an_answer_of_the_application() {
    let server = Server::start(|_| Answer::Text("no".to_owned()));
    let text = "name: s\ncases: [{ id: a, prompt: q, expected: { type: contains, values: [good] } }]\n";
    let config = format!(
        "provider: openai\nmodel: m\ntarget: {{ version: \"1\" }}\nproviders: {{ openai: {{ baseUrl: \"{}\" }} }}\n",
        server.url
    );
    let ran = base(&[("scenarios/s.yaml", text.to_owned()), ("akit.yaml", config)]);
    let run = ["run", "scenarios", "--json", "run.json"];
    akit(&ran, &run).args(&["--cache-dir", "made"]).run().ended(1);
    let made: Vec<_> = records(&ran.path("made"));
    let good: Vec<_> =
        made.iter().map(|(path, text)| (path.clone(), text.replace("\"no\"", "\"good\""))).collect();
    put(&ran, ".akit/cache", &good);
    commit(&ran);
    for (who, flags, status) in [
        ("head", ["--cache", "replay"], 0),
        ("base", ["--cache", "replay"], 5),
        ("head", ["--cache", "auto"], 0),
        ("base", ["--cache", "auto"], 1),
    ] {
        akit(&ran, &run).args(&["--trust", who]).args(&flags).run().ended(status);
    }
}

/// What the base has, and what a pipeline keeps beside git, is read as ever.
#[test]
fn records_of_the_base_and_of_the_pipeline_are_trusted() {
    let server = stern();
    let (ran, made) = suite(&server, "");
    let asked = server.asked().len();
    // The pipeline's own.
    for (path, text) in forged(&made) {
        akit(&ran, &["--version"]).file(&format!(".akit/cache/{path}"), text).run();
    }
    trusting(&ran, "base", &["--replay"]).ended(0);
    // Those of the base, which the change leaves alone.
    let kept = base(&[
        ("scenarios/s.yaml", SUITE.to_owned()),
        ("akit.yaml", config(&server, "")),
        ("r.jsonl", replies(&[("a", "No.")])),
        (&format!(".akit/cache/{}", made[0].0), made[0].1.clone()),
        (&format!(".akit/cache/{}", made[made.len() - 1].0), made[made.len() - 1].1.clone()),
    ]);
    put(&kept, ".akit/cache", &made);
    let (first, last) = (made[0].0.clone(), made[made.len() - 1].0.clone());
    let told = trusting(&kept, "base", &["--replay"]).stderr;
    assert!(!told.contains(&first) && !told.contains(&last), "{told}");
    assert_eq!(server.asked().len(), asked);
}

#[test]
fn a_record_that_the_change_rewrites_is_named_and_not_read() {
    let server = stern();
    let (first, made) = suite(&server, "");
    drop(first);
    let all: Vec<_> = made.iter().map(|(path, text)| (format!(".akit/cache/{path}"), text.clone())).collect();
    let mut files = vec![
        ("scenarios/s.yaml", SUITE.to_owned()),
        ("akit.yaml", config(&server, "")),
        ("r.jsonl", replies(&[("a", "No.")])),
    ];
    files.extend(all.iter().map(|(path, text)| (path.as_str(), text.clone())));
    let ran = base(&files);
    trusting(&ran, "base", &["--replay"]).ended(1);
    put(&ran, ".akit/cache", &forged(&made));
    commit(&ran);
    trusting(&ran, "head", &["--replay"]).ended(0).out("cache-record-changed");
    trusting(&ran, "base", &["--replay"]).ended(5).out("cache-record-changed");
    trusting(&ran, "base", &[]).ended(1).out("cache-record-changed");
}

#[test]
fn a_cache_in_another_folder_is_named_and_the_bases_holds() {
    let server = stern();
    let (ran, made) = suite(&server, "");
    put(&ran, "forged", &forged(&made));
    change(&ran, &[("akit.yaml", config(&server, "cache: { dir: forged }\n"))]);
    commit(&ran);
    trusting(&ran, "head", &["--replay"])
        .ended(0)
        .out("cache-moved: records were read from `.akit/cache`, now from `forged` (akit.yaml:2)");
    trusting(&ran, "base", &[]).ended(1).out("cache-moved");
    // The flag is the pipeline's, and what lies there may be the change's all the same.
    trusting(&ran, "base", &["--replay", "--cache-dir", "forged"]).ended(5);
}

#[cfg(unix)]
#[test]
fn records_behind_links_are_not_read() {
    use std::os::unix::fs::symlink;

    let server = stern();
    // The folder, and one above it.
    for (link, to, folder) in [(".akit/cache", "../forged", "forged"), (".akit", "forged", "forged/cache")] {
        let (ran, made) = suite(&server, "");
        put(&ran, folder, &forged(&made));
        // The runs of the suite kept their journal there.
        let _ = std::fs::remove_dir_all(ran.path(".akit"));
        std::fs::create_dir_all(ran.path(link).parent().unwrap()).unwrap();
        symlink(to, ran.path(link)).unwrap();
        git(&ran, &["add", "--force", link]);
        commit(&ran);
        trusting(&ran, "head", &["--replay"]).ended(0).out("cache-moved");
        trusting(&ran, "base", &["--replay"]).ended(5).out("cache-moved").err("no cached record is read");
        trusting(&ran, "base", &[]).ended(1);
    }
    // A shelf, and a record.
    for whole_shelf in [true, false] {
        let (ran, made) = suite(&server, "");
        put(&ran, "forged", &forged(&made));
        for (path, _) in &made {
            let (shelf, _) = path.split_once('/').unwrap();
            let (link, to) = if whole_shelf {
                (shelf.to_owned(), format!("../../forged/{shelf}"))
            } else {
                (path.clone(), format!("../../../forged/{path}"))
            };
            let link = ran.path(&format!(".akit/cache/{link}"));
            std::fs::create_dir_all(link.parent().unwrap()).unwrap();
            let _ = symlink(to, link);
        }
        git(&ran, &["add", "--force", ".akit"]);
        commit(&ran);
        for (who, flags, status) in
            [("head", &["--replay"][..], 4), ("base", &["--replay"], 4), ("head", &[], 1), ("base", &[], 1)]
        {
            trusting(&ran, who, flags).ended(status);
        }
    }
    // Neither is a device, which never ends.
    let (ran, made) = suite(&server, "");
    let record = ran.path(&format!(".akit/cache/{}", made[0].0));
    std::fs::create_dir_all(record.parent().unwrap()).unwrap();
    symlink("/dev/zero", record).unwrap();
    akit(&ran, &RUN).args(&["--replay"]).run().ended(4);
    akit(&ran, &["cache", "verify"]).run().out("link");
}

/// What an interrupted run was answered is noted beside the cache, and may be a change's work as well.
#[test]
fn a_journal_that_the_change_brings_finishes_no_run() {
    let server = stern();
    let (ran, _) = suite(&server, "");
    change(&ran, &[(".akit/journal/any.jsonl", "{}\n".to_owned())]);
    commit(&ran);
    let asked = server.asked().len();
    trusting(&ran, "base", &["--resume"])
        .ended(2)
        .err("the journal of an interrupted run comes from this change");
    assert_eq!(server.asked().len(), asked);
    trusting(&ran, "base", &[]).ended(1);
}
