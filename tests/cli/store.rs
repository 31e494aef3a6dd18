//! One cache shared by many processes that are killed.
#![cfg(unix)]

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::Akit;
use super::server::{Answer, Server};

const CASES: usize = 60;

fn suite() -> String {
    let case = |n| {
        format!(
            "  - {{ id: c{n}, prompt: question {n}, expected: {{ type: contains, values: [answer] }} }}\n"
        )
    };
    "name: many\nmodel: app-1\ncases:\n".to_owned() + &(0..CASES).map(case).collect::<String>()
}

fn akit(cache: &Path, url: &str, command: &[&str]) -> Akit {
    let folder = cache.display().to_string();
    let more = ["--base-url", url, "--cache-dir", folder.as_str()];
    more.iter().fold(Akit::new(command).file("many.yaml", suite()), |akit, argument| akit.arg(*argument))
}

fn files(cache: &Path) -> usize {
    let Ok(shelves) = std::fs::read_dir(cache) else { return 0 };
    let count = |shelf: std::fs::DirEntry| {
        let files = std::fs::read_dir(shelf.path()).into_iter().flatten().filter_map(Result::ok);
        files.filter(|file| file.path().extension().is_some_and(|e| e == "json")).count()
    };
    shelves.filter_map(Result::ok).map(count).sum()
}

#[test]
fn processes_share_a_folder() {
    let server = Server::start(|asked| Answer::Text(format!("answer to {}", asked.last_message())));
    let cache = tempfile::tempdir().unwrap();
    let runs: Vec<_> = (0..4)
        .map(|_| {
            akit(
                cache.path(),
                &server.url,
                &["run", "many.yaml", "--cache", "auto", "-c", "8", "--target-version", "1"],
            )
        })
        .collect();
    let children: Vec<_> = runs.iter().map(|run| run.command().spawn().unwrap()).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(files(cache.path()), CASES);
    let verified = akit(cache.path(), &server.url, &["cache", "verify", "many.yaml"]).run().ended(0);
    assert!(verified.stdout.contains("60 records valid, 0 invalid"), "{}", verified.stdout);
}

#[test]
fn a_killed_run_keeps_its_recorded_answers() {
    let before = AtomicUsize::new(0);
    let server = Server::start(move |asked| {
        // Some answers arrive immediately; the others are still pending when the run is killed.
        let number = before.fetch_add(1, Ordering::SeqCst);
        if number < 30 { Answer::Text(format!("answer to {}", asked.last_message())) } else { Answer::Hang }
    });
    let cache = tempfile::tempdir().unwrap();
    let run = akit(cache.path(), &server.url, &["run", "many.yaml", "-c", "8"]);
    let mut child = run.command().spawn().unwrap();
    let began = Instant::now();
    while files(cache.path()) < 30 {
        assert!(began.elapsed() < Duration::from_secs(20), "only {} records", files(cache.path()));
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    akit(cache.path(), &server.url, &["cache", "verify", "many.yaml"]).run().ended(0);
    let replay = akit(cache.path(), &server.url, &["run", "many.yaml", "--replay"]).run().ended(4);
    assert!(replay.stdout.contains("30 passed, 0 failed, 30 errored"), "{}", replay.stdout);
}
