//! Cache records that come with a change are not trusted under `--trust base`.

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

/// The suite and its judge, with the records that a run makes: path below the cache, and text.
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

/// The records, edited to the judge's best score.
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
fn a_verdict_added_by_the_change_is_requested_again() {
    let server = stern();
    let (ran, made) = suite(&server, "");
    put(&ran, ".akit/cache", &forged(&made));
    commit(&ran);
    // Under `head` the record counts, and is reported as new.
    trusting(&ran, "head", &[]).ended(0).out("cache-record-added").out(".akit/cache/");
    trusting(&ran, "head", &["--replay"]).ended(0);
    trusting(&ran, "head", &["--fail-on", "weakened"]).ended(1);
    // If the judge cannot be asked, the case is errored.
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
    assert!(
        !own.stdout.contains("cache-record-added"),
        "an unread record does not weaken anything: {}",
        own.stdout
    );
}

#[test]
fn an_answer_added_by_the_change_is_requested_again() {
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

/// Records of the base, and those that a pipeline keeps outside of git, are read as usual.
#[test]
fn records_of_the_base_and_of_the_pipeline_are_trusted() {
    let server = stern();
    let (ran, made) = suite(&server, "");
    let asked = server.asked().len();
    // The pipeline's own records.
    for (path, text) in forged(&made) {
        akit(&ran, &["--version"]).file(&format!(".akit/cache/{path}"), text).run();
    }
    trusting(&ran, "base", &["--replay"]).ended(0);
    // Records of the base that the change does not touch.
    let kept = base(&[
        ("scenarios/s.yaml", SUITE.to_owned()),
        ("akit.yaml", config(&server, "")),
        ("r.jsonl", replies(&[("a", "No.")])),
        (&format!(".akit/cache/{}", made[0].0), made[0].1.clone()),
        (&format!(".akit/cache/{}", made[made.len() - 1].0), made[made.len() - 1].1.clone()),
    ]);
    put(&kept, ".akit/cache", &made);
    let (first, last) = (made[0].0.clone(), made[made.len() - 1].0.clone());
    let output = trusting(&kept, "base", &["--replay"]).stderr;
    assert!(!output.contains(&first) && !output.contains(&last), "{output}");
    assert_eq!(server.asked().len(), asked);
}

#[test]
fn a_record_edited_by_the_change_is_named_and_not_read() {
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
fn a_cache_moved_by_the_change_is_named_and_the_bases_is_used() {
    let server = stern();
    let (ran, made) = suite(&server, "");
    put(&ran, "forged", &forged(&made));
    change(&ran, &[("akit.yaml", config(&server, "cache: { dir: forged }\n"))]);
    commit(&ran);
    trusting(&ran, "head", &["--replay"])
        .ended(0)
        .out("cache-moved: records were read from `.akit/cache`, now from `forged` (akit.yaml:2)");
    trusting(&ran, "base", &[]).ended(1).out("cache-moved");
    // The flag comes from the pipeline, but its folder may come from the change.
    trusting(&ran, "base", &["--replay", "--cache-dir", "forged"]).ended(5);
}

#[cfg(unix)]
#[test]
fn records_behind_links_are_not_read() {
    use std::os::unix::fs::symlink;

    let server = stern();
    // The folder itself, and one above it.
    for (link, to, folder) in [(".akit/cache", "../forged", "forged"), (".akit", "forged", "forged/cache")] {
        let (ran, made) = suite(&server, "");
        put(&ran, folder, &forged(&made));
        // Earlier runs kept their journal there.
        let _ = std::fs::remove_dir_all(ran.path(".akit"));
        std::fs::create_dir_all(ran.path(link).parent().unwrap()).unwrap();
        symlink(to, ran.path(link)).unwrap();
        git(&ran, &["add", "--force", link]);
        commit(&ran);
        trusting(&ran, "head", &["--replay"]).ended(0).out("cache-moved");
        trusting(&ran, "base", &["--replay"]).ended(5).out("cache-moved").err("no cached record is read");
        trusting(&ran, "base", &[]).ended(1);
    }
    // A subfolder, and a record.
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
    // Nor is a device, which would never end.
    let (ran, made) = suite(&server, "");
    let record = ran.path(&format!(".akit/cache/{}", made[0].0));
    std::fs::create_dir_all(record.parent().unwrap()).unwrap();
    symlink("/dev/zero", record).unwrap();
    akit(&ran, &RUN).args(&["--replay"]).run().ended(4);
    akit(&ran, &["cache", "verify"]).run().out("link");
}

/// An interrupted run's journal lies next to the cache, and a change could have written it.
#[test]
fn a_journal_added_by_the_change_is_not_resumed() {
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
