//! A run that is killed, interrupted or out of time, then finished with `--resume`: nothing is paid for twice, and
//! the
//! reports equal those of an uninterrupted run.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value as Json;

use super::Akit;
use super::akit::Ran;
use super::server::{Answer, Asked, Server, completion, wait_until};
use super::signal::{end, send};

/// Concurrent requests.
const AT_ONCE: usize = 4;

/// A failing case with extra trials, some judged cases, and a first verdict that is unreadable.
fn suite() -> String {
    let judged = |n: usize| {
        format!(
            "  - {{ id: j{n}, prompt: Judge {n}., expected: {{ type: llm_grader, rubric: Be kind., threshold: 0.7 }} }}\n"
        )
    };
    let plain = |n: usize| {
        format!("  - {{ id: p{n}, prompt: Say {n}., expected: {{ type: contains, values: [\"{n}\"] }} }}\n")
    };
    let cases: String = (0..4).map(judged).chain((0..6).map(plain)).collect();
    format!(
        "name: s\ncases:\n{cases}  - {{ id: falls, prompt: Fall., expected: {{ type: exact, value: \"no\" }} }}\n"
    )
}

/// The answer depends only on the request, so asking twice gets the same answer.
fn answer(asked: &Asked) -> String {
    let all = asked.body["messages"].to_string();
    let seed = asked.body["seed"].as_u64().unwrap_or_default();
    if !asked.is_for_judge() {
        return asked.last_message();
    }
    if !all.contains("Be kind.") {
        return "{\"reasoning\":\"bad\",\"score\":0}".to_owned();
    }
    match () {
        () if all.contains("Judge 0.") && seed.is_multiple_of(2) => "no verdict".to_owned(),
        () if all.contains("Judge 1.") => format!("{{\"reasoning\":\"near\",\"score\":{}}}", 7 + seed % 2),
        () => "{\"reasoning\":\"kind\",\"score\":9}".to_owned(),
    }
}

/// A server that takes a moment, and counts how often it was asked each thing.
fn server() -> (Server, Arc<Mutex<BTreeMap<String, usize>>>) {
    let counts = Arc::new(Mutex::new(BTreeMap::new()));
    let counted = Arc::clone(&counts);
    let server = Server::start(move |asked| {
        *counted.lock().unwrap().entry(asked.body.to_string()).or_insert(0) += 1;
        std::thread::sleep(Duration::from_millis(3));
        Answer::Raw(200, Vec::new(), completion(&answer(asked)).to_string().into_bytes())
    });
    (server, counts)
}

/// A baseline in which `falls` always passed.
fn baseline() -> String {
    let reply = |trial| format!("{{\"id\":\"falls\",\"trial\":{trial},\"reply\":\"no\"}}\n");
    let arguments =
        ["run", "s.yaml", "--replies", "r.jsonl", "--repeat", "6", "--json", "then.json", "--case", "falls"];
    let akit = Akit::new(&arguments).file("s.yaml", suite());
    let ran = akit.file("r.jsonl", (0..6).map(reply).collect::<String>()).run().ended(0);
    ran.then(&["baseline", "update", "then.json", "--baseline", "b.json"]).run().ended(0);
    ran.read("b.json")
}

/// Starts a run in a new folder.
fn first(baseline: &str, url: &str, mode: &[&str]) -> Akit {
    arguments(Akit::new(&["run", "s.yaml"]).file("s.yaml", suite()).file("b.json", baseline), url, mode)
}

/// Runs it again in the same folder.
fn again(folder: &Ran, url: &str, mode: &[&str]) -> Akit {
    arguments(folder.then(&["run", "s.yaml"]), url, mode)
}

fn arguments(akit: Akit, url: &str, mode: &[&str]) -> Akit {
    akit.args(&["-m", "m", "--seed", "3", "--grader-model", "j", "--baseline", "b.json"])
        .args(&["-c", &AT_ONCE.to_string(), "--base-url", url, "--grader-base-url", url])
        .args(&["--json", "run.json", "--junit", "r.xml", "--markdown", "r.md", "--target-version", "1"])
        .args(mode)
}

/// A report without times and anything computed from them.
fn timeless(mut report: Json) -> Json {
    fn strip(value: &mut Json) {
        match value {
            Json::Object(entries) => {
                entries.retain(|key, _| !key.ends_with("_ms") && key != "at" && key != "run_id");
                entries.values_mut().for_each(strip);
            }
            Json::Array(items) => items.iter_mut().for_each(strip),
            _ => {}
        }
    }
    strip(&mut report);
    report
}

/// Where two reports differ.
fn differences(one: &Json, other: &Json, at: &str) -> String {
    match (one, other) {
        (one, other) if one == other => String::new(),
        (Json::Object(one), Json::Object(other)) if one.keys().eq(other.keys()) => {
            one.iter().map(|(key, value)| differences(value, &other[key], &format!("{at}/{key}"))).collect()
        }
        (Json::Array(one), Json::Array(other)) if one.len() == other.len() => {
            let pairs = one.iter().zip(other).enumerate();
            pairs.map(|(index, (one, other))| differences(one, other, &format!("{at}/{index}"))).collect()
        }
        _ => format!("{at}: {one} instead of {other}\n"),
    }
}

/// Text without numbers of seconds and milliseconds.
fn without_times(text: &str) -> String {
    let time =
        fancy_regex::Regex::new(r#"\d+(\.\d+)? m?s\b|time="[^"]*"|timestamp="[^"]*"|[0-9a-f]{16}"#).unwrap();
    time.replace_all(text, "…").into_owned()
}

/// Numbers from 0 to 1 drawn from a seed.
fn draws(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        #[expect(clippy::cast_precision_loss, reason = "24 bits are exact")]
        let draw = (state >> 40) as f64 / (1_u64 << 24) as f64;
        draw
    }
}

/// Files that a killed process left in a folder or below.
fn left_behind(folder: &std::path::Path) -> Vec<String> {
    let files = walkdir::WalkDir::new(folder).into_iter().flatten();
    let names = files.map(|file| file.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with(".akit-")).collect()
}

/// Kills runs at points drawn from seeds, then finishes them.
fn killed(seeds: std::ops::Range<u64>, mode: &[&str]) {
    let baseline = baseline();
    let (server, counts) = server();
    let reference = first(&baseline, &server.url, mode).run().ended(1);
    let wanted: BTreeMap<String, usize> = std::mem::take(&mut *counts.lock().unwrap());
    let total: usize = wanted.values().sum();
    let usual = timeless(reference.json("run.json"));
    let mut at_points = std::collections::BTreeSet::new();
    for seed in seeds {
        counts.lock().unwrap().clear();
        let run = first(&baseline, &server.url, mode);
        let mut draw = draws(seed);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "below the number of requests"
        )]
        #[expect(clippy::cast_precision_loss, reason = "few requests")]
        let point = (draw() * total as f64) as usize;
        let mut child = run.command().spawn().unwrap();
        wait_until(|| counts.lock().unwrap().values().sum::<usize>() >= point);
        std::thread::sleep(Duration::from_micros(if draw() < 0.5 { 0 } else { 4_000 }));
        child.kill().unwrap();
        let folder = run.ran(child.wait_with_output().unwrap());
        let before: usize = counts.lock().unwrap().values().sum();
        at_points.insert(before);
        let done = again(&folder, &server.url, mode).arg("--resume").run();
        // Killed before the first answer, or after the last report.
        let done = if done.status == 2 {
            assert!(done.stderr.contains("no interrupted run"), "{}", done.stderr);
            if before == total {
                continue;
            }
            assert!(before <= AT_ONCE, "seed {seed}: {before} answers were lost: {}", done.stderr);
            again(&folder, &server.url, mode).run()
        } else {
            done
        };
        let done = done.ended(1);
        let twice: usize = counts
            .lock()
            .unwrap()
            .iter()
            .map(|(body, count)| count.saturating_sub(*wanted.get(body).unwrap_or(&0)))
            .sum();
        assert!(twice <= AT_ONCE, "seed {seed}, killed after {before}: {twice} requests were paid for twice");
        let found = timeless(done.json("run.json"));
        assert!(found == usual, "seed {seed}, killed after {before}: {}", differences(&found, &usual, ""));
        for report in ["r.xml", "r.md"] {
            let (one, other) = (without_times(&done.read(report)), without_times(&reference.read(report)));
            assert_eq!(one, other, "seed {seed}, killed after {before}: {report}");
        }
        assert_eq!(without_times(&done.stdout), without_times(&reference.stdout), "seed {seed}");
        assert_eq!(left_behind(done.path("").as_path()), Vec::<String>::new(), "seed {seed}");
        assert!(!done.path(".akit/journal").exists(), "the journal must be removed when the run ends");
        if !mode.contains(&"off") {
            // Everything that was paid for is in the cache.
            let replay = again(&folder, &server.url, &["--cache", "replay"]).run();
            assert_eq!(
                (replay.status, replay.stdout.matches("not in the cache").count()),
                (1, 0),
                "seed {seed}"
            );
        }
    }
    assert!(at_points.len() > 10, "killed at {at_points:?}");
}

#[test]
fn a_run_that_is_killed_anywhere_is_finished_without_paying_twice() {
    killed(0..70, &[]);
}

#[test]
fn a_run_that_is_killed_without_a_cache_is_finished_without_paying_twice() {
    killed(70..140, &["--cache", "off"]);
}

#[test]
fn a_run_that_is_killed_while_reading_its_cache_is_finished_without_paying_twice() {
    killed(140..200, &["--cache", "auto"]);
}

/// A few cases whose answers take a while.
fn slow(milliseconds: u64) -> Server {
    Server::start(move |asked| {
        std::thread::sleep(Duration::from_millis(milliseconds));
        Answer::Text(asked.last_message())
    })
}

fn plain(ids: &[&str]) -> String {
    super::replies::suite(ids)
}

#[test]
fn a_signal_gives_requests_in_flight_time_to_finish() {
    for (signal, status, word) in [("-INT", 130, "interrupted"), ("-TERM", 143, "terminated")] {
        let server = slow(700);
        let run = ["run", "s.yaml", "-m", "m", "-c", "2", "--base-url", &server.url, "--json", "run.json"];
        let akit = Akit::new(&run).file("s.yaml", plain(&["a", "b", "c", "d", "e"]));
        let child = akit.command().spawn().unwrap();
        server.wait_for(2);
        send(&child, signal);
        let ran = akit.ran(end(child)).ended(status);
        let ran =
            ran.out("2 passed, 0 failed, 0 errored, 3 skipped").err("waiting up to 10 s for 2 requests");
        let ran = ran.err("to finish this run and keep its 2 answers, add `--resume` to the same command");
        assert_eq!((ran.json("run.json")["ended"].as_str(), server.asked().len()), (Some(word), 2));
        // Without it the run starts over, and says what that costs.
        let done = ran.then(&run).arg("--resume").run().ended(0).out("5 passed");
        let done = done.err("finishing an interrupted run that has 2 answers");
        assert_eq!(server.asked().len(), 5, "nothing may be asked twice");
        let nothing = done.then(&run).arg("--resume").run().ended(2);
        nothing.err("no interrupted run of this suite with these settings").err("nothing was sent");
        assert_eq!(server.asked().len(), 5);
    }
}

#[test]
fn only_the_same_run_is_finished() {
    let server = slow(0);
    let stuck = Server::start(|asked| match asked.last_message().as_str() {
        "Say c." => Answer::Hang,
        other => Answer::Text(other.to_owned()),
    });
    let here = ["run", "s.yaml", "-m", "m", "-c", "2", "--json", "run.json", "--base-url", &stuck.url];
    let ran = Akit::new(&here)
        .args(&["--deadline", "1500ms"])
        .file("s.yaml", plain(&["a", "b", "c"]))
        .run()
        .ended(6);
    let answered = stuck.asked().len() - 1;
    let ran = ran.err(&format!("keep its {answered} answer"));
    // A different model, address, seed, number of trials, cache mode, suite or selection makes a different run.
    for other in [
        &["-m", "n"][..],
        &["--base-url", &server.url],
        &["--seed", "1"],
        &["--repeat", "2"],
        &["--cache", "off"],
        &["--case", "a"],
        &["--target-version", "2"],
    ] {
        let mut arguments: Vec<&str> = here.to_vec();
        if let Some(at) = arguments.iter().position(|word| *word == other[0]) {
            arguments.drain(at..at + 2);
        }
        ran.then(&arguments).args(other).arg("--resume").run().ended(2).err("no interrupted run");
    }
    assert_eq!(server.asked().len(), 0);
    let changed = ran.then(&here).arg("--resume").file("s.yaml", plain(&["a", "b", "d"]));
    changed.run().ended(2).err("no interrupted run");
    // Reports, limits and the gate are not part of what is asked.
    let again = ran.then(&here).file("s.yaml", plain(&["a", "b", "c"]));
    let again = again.args(&["--resume", "--junit", "r.xml", "--deadline", "1s", "--min-pass-rate", "0.5"]);
    let again = again.run().ended(6);
    assert_eq!(stuck.asked().len() - 1, answered + 1, "only unanswered requests may be sent");
    // Starting over says what is given up.
    let restarted = again.then(&here).args(&["--deadline", "1s"]).run().ended(6);
    let restarted = restarted.err("a run with these arguments was interrupted after").err("starting over");
    let removed = restarted.then(&here).args(&["--redact", "--resume"]).run().ended(2);
    removed.err("no interrupted run");
}

#[test]
fn spent_money_counts_after_resuming() {
    let cost = |asked: &Asked| {
        let body = completion(&asked.last_message());
        Answer::Raw(200, Vec::new(), body.to_string().into_bytes())
    };
    let server = Server::start(cost);
    // An answer costs 0.01 USD.
    let tokens = completion("x")["usage"]["completion_tokens"].as_u64().unwrap();
    let prices = format!("prices: {{ m: {{ input: 0, output: {} }} }}\n", 10_000 / tokens);
    let run = ["run", "s.yaml", "-m", "m", "-c", "1", "--base-url", &server.url, "--json", "run.json"];
    let akit = Akit::new(&run).args(&["--budget", "0.015"]).file("akit.yaml", prices);
    let suite = format!("maxTokens: {tokens}\n{}", plain(&["a", "b", "c", "d"]));
    let ran = akit.file("s.yaml", suite).run().ended(6);
    assert_eq!(server.asked().len(), 1, "half of a second answer's maximum cost is left");
    let same = ran.then(&run).args(&["--budget", "0.015", "--resume"]).run().ended(6);
    assert_eq!(server.asked().len(), 1, "one answer was paid for, and there is no money for a second");
    let more = same.then(&run).args(&["--budget", "0.025", "--resume"]).run().ended(6);
    assert_eq!(server.asked().len(), 2);
    more.then(&run).args(&["--budget", "1", "--resume"]).run().ended(0).out("4 passed");
    assert_eq!(server.asked().len(), 4);
}

#[test]
fn money_for_requests_without_an_answer_counts_as_spent() {
    // Killed during its first request, first answer cut off, first request refused: the first two may have cost 0.01
    // USD,
    // the third has not.
    for (what, spends) in [("hang", true), ("cut", true), ("refuse", false)] {
        let is_first = AtomicBool::new(true);
        let server = Server::start(move |asked| match (is_first.swap(false, Ordering::SeqCst), what) {
            (true, "hang") => Answer::Hang,
            (true, "cut") => Answer::Bytes(b"HTTP/1.1 200 X\r\ncontent-length: 9\r\n\r\n{".to_vec()),
            (true, _) => Answer::Raw(400, Vec::new(), b"{}".to_vec()),
            _ => Answer::Raw(200, Vec::new(), completion(&asked.last_message()).to_string().into_bytes()),
        });
        let run = ["run", "s.yaml", "-m", "m", "-c", "1", "--retries", "0", "--base-url", &server.url];
        let within = |budget| ["--budget", budget, "--json", "run.json"];
        let akit = Akit::new(&run).args(&within("0.015"));
        let akit = akit.file("akit.yaml", "prices: { m: { input: 0, output: 2000 } }\n");
        let akit = akit.file("s.yaml", format!("maxTokens: 5\n{}", plain(&["a", "b", "c"])));
        let ran = if what == "hang" {
            let mut child = akit.command().spawn().unwrap();
            server.wait_for(1);
            child.kill().unwrap();
            akit.ran(end(child))
        } else {
            akit.run().ended(6)
        };
        // The refused request left money for one more.
        let asked = 1 + usize::from(!spends);
        assert_eq!(server.asked().len(), asked, "{what}");
        let same = ran.then(&run).args(&within("0.015")).arg("--resume").run().ended(6);
        assert_eq!(server.asked().len(), asked, "{what}: nothing is left for another request");
        let budget = if spends { "0.035" } else { "0.025" };
        let more = same.then(&run).args(&within(budget)).arg("--resume").run().ended(6);
        assert_eq!(server.asked().len(), 3, "{what}");
        more.then(&run).args(&within("0.045")).arg("--resume").run().ended(0).out("3 passed");
    }
}

#[test]
fn a_tampered_journal_is_not_used() {
    let stuck = Server::start(|asked| match asked.last_message().as_str() {
        "Say b." => Answer::Hang,
        other => Answer::Text(other.to_owned()),
    });
    let run = ["run", "s.yaml", "-m", "m", "-c", "2", "--base-url", &stuck.url, "--json", "run.json"];
    let ran = Akit::new(&run).args(&["--deadline", "1s"]).file("s.yaml", plain(&["a", "b"])).run().ended(6);
    let folder = ran.path(".akit/journal");
    let journal = std::fs::read_dir(&folder).unwrap().flatten().map(|file| file.path());
    let journal = journal.into_iter().find(|path| path.extension().is_some_and(|e| e == "jsonl")).unwrap();
    let line = std::fs::read_to_string(&journal).unwrap();
    let head = line.lines().next().unwrap();
    let spoiled = [
        "garbage\n".to_owned(),
        format!("[{}]\n", line.trim()),
        line.replace("{\"asked\"", "{\"axed\""),
        line.replace(head, ""),
        format!("{head}\n"),
    ];
    for spoiled in spoiled {
        assert_ne!(spoiled, line);
        std::fs::write(&journal, spoiled).unwrap();
        let before = stuck.asked().len();
        ran.then(&run).args(&["--deadline", "1s", "--resume"]).run().ended(2).err("nothing was sent");
        assert_eq!(stuck.asked().len(), before);
    }
}

/// Kills a run after the server got this many requests and some time has passed.
fn kill_after(akit: &Akit, server: &Server, requests: usize, wait: u64) {
    let mut child = akit.command().spawn().unwrap();
    server.wait_for(requests);
    std::thread::sleep(Duration::from_millis(wait));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn answers_are_reported_even_if_fail_fast_ends_the_run() {
    let server = Server::start(|asked| match asked.last_message().as_str() {
        "Say e." => Answer::Hang,
        "Say a." => Answer::Text("no".to_owned()),
        other => Answer::Text(other.to_owned()),
    });
    let run = [
        "run",
        "s.yaml",
        "-m",
        "m",
        "-c",
        "5",
        "--fail-fast",
        "--base-url",
        &server.url,
        "--json",
        "run.json",
    ];
    let akit = Akit::new(&run).file("s.yaml", plain(&["a", "b", "c", "d", "e"]));
    kill_after(&akit, &server, 5, 500);
    let ran = akit.args(&["--resume", "--deadline", "3s"]).run().ended(1);
    ran.out("3 passed, 1 failed, 0 errored, 1 skipped");
    assert!(server.asked().len() <= 6, "only unanswered requests may be sent");
}

#[test]
fn trials_with_the_same_judge_request_have_their_own_verdicts() {
    // The score depends only on the seed, and the first verdict never arrives.
    let known = Mutex::new(std::collections::BTreeSet::new());
    let server = Server::start(move |asked| {
        if !asked.is_for_judge() {
            return Answer::Text("always the same".to_owned());
        }
        if !asked.body["messages"].to_string().contains("Be kind.") {
            return Answer::Text("{\"reasoning\":\"bad\",\"score\":0}".to_owned());
        }
        let seed = asked.body["seed"].as_u64().unwrap();
        let mut verdicts = known.lock().unwrap();
        let is_first = verdicts.is_empty();
        if verdicts.insert(seed) && is_first {
            return Answer::Hang;
        }
        Answer::Text(format!("{{\"reasoning\":\"of {seed}\",\"score\":9}}"))
    });
    let suite = "name: s\ncases:\n  - { id: a, prompt: p, expected: { type: llm_grader, rubric: Be kind., threshold: 0.7 } }\n";
    let run =
        ["run", "s.yaml", "-m", "m", "--grader-model", "j", "--repeat", "4", "-c", "4", "--cache", "off"];
    let more = ["--base-url", &server.url, "--grader-base-url", &server.url, "--json", "run.json"];
    let akit = Akit::new(&run).args(&more).file("s.yaml", suite);
    // Four answers, five known answers, four verdicts.
    kill_after(&akit, &server, 13, 300);
    let ran = akit.args(&["--resume"]).run().ended(0);
    let run = ran.json("run.json");
    let trials = run["cases"][0]["trials"].as_array().unwrap().iter();
    let verdicts: std::collections::BTreeSet<_> =
        trials.map(|trial| trial["turns"][0]["verdicts"][0]["grade"]["reasoning"].to_string()).collect();
    assert_eq!((verdicts.len(), server.asked().len()), (4, 14), "{verdicts:?}");
}

#[test]
fn a_report_that_could_not_be_written_is_not_lost() {
    // The folder disappears during the run.
    let doomed = Arc::new(Mutex::new(std::path::PathBuf::new()));
    let folder = Arc::clone(&doomed);
    let server = Server::start(move |asked| {
        let _ = std::fs::remove_dir_all(std::mem::take(&mut *folder.lock().unwrap()));
        Answer::Text(asked.last_message())
    });
    let run = ["run", "s.yaml", "-m", "m", "--base-url", &server.url, "--json", "out/run.json"];
    let akit = Akit::new(&run).file("s.yaml", plain(&["a", "b"])).file("out/x", "");
    *doomed.lock().unwrap() = akit.folder().join("out");
    let ran = akit.run().ended(0).err("could not write `out/run.json`");
    let ran = ran.err("to finish this run and keep its 2 answers");
    let ran = ran.then(&run).arg("--resume").run().ended(0);
    assert_eq!((ran.json("out/run.json")["counts"]["passed"].as_u64(), server.asked().len()), (Some(2), 2));
    assert!(!ran.path(".akit/journal").exists());
}

#[test]
fn a_newer_record_is_kept() {
    let stuck = Server::start(|asked| match asked.last_message().as_str() {
        "Say b." => Answer::Hang,
        other => Answer::Text(other.to_owned()),
    });
    let run = ["run", "s.yaml", "-m", "m", "-c", "2", "--base-url", &stuck.url, "--json", "run.json"];
    let akit = Akit::new(&run).args(&["--deadline", "1s"]).file("s.yaml", plain(&["a", "b"]));
    let ran = akit.run().ended(6);
    let record = || {
        let files = walkdir::WalkDir::new(ran.path(".akit/cache")).into_iter().flatten();
        let path = files
            .map(walkdir::DirEntry::into_path)
            .find(|path| path.extension().is_some_and(|e| e == "json"));
        path.unwrap()
    };
    let text = std::fs::read_to_string(record()).unwrap();
    let at = text.lines().find(|line| line.contains("recorded_at")).unwrap().to_owned();
    let newer = text.replace(&at, "  \"recorded_at\": \"2999-01-01T00:00:00Z\",");
    std::fs::write(record(), &newer).unwrap();
    ran.then(&run).args(&["--deadline", "1s", "--resume"]).run().ended(6);
    assert_eq!(std::fs::read_to_string(record()).unwrap(), newer);
}
