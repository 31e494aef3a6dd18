//! The cache: recorded answers are judged again without sending anything.

use super::Akit;
use super::akit::Ran;
use super::replies::{outcomes, suite};
use super::server::{Answer, Server};

/// A folder with records of two scenarios, and the address of a server that is gone.
fn recorded() -> (Ran, String) {
    let server = Server::start(|asked| Answer::Text(asked.last_message().replace("b2", "wrong")));
    let ran = Akit::new(&["run", "s", "-m", "m", "--base-url", &server.url, "--cache-dir", "records"])
        .args(&["--json", "live.json"])
        .file("s/one.yaml", suite(&["a1", "a2", "a3"]))
        .file("s/two.yaml", suite(&["b1", "b2"]))
        .run()
        .ended(1)
        .out("4 passed, 1 failed");
    assert_eq!(server.asked().len(), 5);
    // Nothing listens at this address anymore, but it is part of the records' key.
    (ran, server.url.clone())
}

fn replay(ran: &Ran, url: &str, arguments: &[&str]) -> Ran {
    ran.then(&["run", "s", "-m", "m", "--base-url", url, "--cache-dir", "records", "--replay"])
        .args(arguments)
        .run()
}

fn records(ran: &Ran) -> Vec<std::path::PathBuf> {
    let shelves = std::fs::read_dir(ran.path("records")).unwrap();
    let mut files: Vec<_> = shelves
        .flat_map(|shelf| std::fs::read_dir(shelf.unwrap().path()).unwrap())
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    files
}

#[test]
fn a_replay_gives_the_same_bytes_in_every_format_at_every_concurrency_and_place() {
    let (here, url) = recorded();
    let elsewhere = Akit::new(&[]);
    for name in ["s/one.yaml", "s/two.yaml"] {
        let path = elsewhere.folder().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::copy(here.path(name), path).unwrap();
    }
    for file in records(&here) {
        let path = elsewhere.folder().join(file.strip_prefix(here.path("")).unwrap());
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::copy(file, path).unwrap();
    }
    let elsewhere = elsewhere.arg("schema").run();
    for format in [&["--json", "-"][..], &["--junit", "-"], &["--sarif", "-"], &["--markdown", "-"], &[]] {
        let first = replay(&here, &url, format).ended(1);
        for (place, concurrency) in [(&here, "1"), (&here, "8"), (&elsewhere, "1"), (&elsewhere, "8")] {
            let again = replay(place, &url, format).ended(1);
            assert_eq!(again.stdout, first.stdout, "{format:?}");
            let again = replay(place, &url, &[format, &["-c", concurrency]].concat()).ended(1);
            assert_eq!(again.stdout, first.stdout, "{format:?} -c {concurrency}");
        }
    }
    let replayed = replay(&here, &url, &["--json", "replay.json"]).ended(1);
    assert_eq!(outcomes(&replayed.json("replay.json")), outcomes(&here.json("live.json")));
}

#[test]
fn a_changed_prompt_misses_its_own_record_alone() {
    let (ran, url) = recorded();
    let text = ran.read("s/one.yaml").replacen("Say {{word}}.", "Tell {{word}}.", 1);
    std::fs::write(ran.path("s/one.yaml"), text).unwrap();
    let missed = replay(&ran, &url, &["--json", "replay.json", "--case", "a1", "--case", "a2"])
        .ended(4)
        .out("the reply to one/a1")
        .out("run once with `--cache record` and a key");
    let report = missed.json("replay.json");
    assert_eq!(outcomes(&report)[..3], ["a1 errored", "a2 passed", "a3 skipped"]);
    assert_eq!(report["cases"][0]["trials"][0]["fault"]["kind"], "cache-miss");
    // A definite failure outranks a missing record.
    replay(&ran, &url, &[]).ended(1).out("3 passed, 1 failed, 1 errored");
}

#[test]
fn expectations_may_change_without_asking_again() {
    let (ran, url) = recorded();
    let text = ran.read("s/two.yaml").replace("values: [\"{{word}}\"]", "values: [\"say\"]");
    std::fs::write(ran.path("s/two.yaml"), text).unwrap();
    replay(&ran, &url, &[]).ended(5).out("5 passed").out("the application was not asked");
}

#[test]
fn modes_ask_and_record_as_they_say() {
    let server = Server::start(|asked| Answer::Text(asked.last_message()));
    let ran = Akit::new(&["run", "s.yaml", "-m", "m", "--base-url", &server.url, "--cache", "off"])
        .file("s.yaml", suite(&["a"]))
        .run()
        .ended(0);
    assert!(!ran.path(".akit").exists(), "`off` must not write anything");
    let again = |arguments: &[&str], requests: usize| {
        let run = ["run", "s.yaml", "-m", "m", "--base-url", &server.url, "--target-version", "1"];
        let ran = ran.then(&run).args(arguments).run().ended(0);
        assert_eq!(server.asked().len(), requests, "{arguments:?}");
        ran
    };
    again(&[], 2);
    assert!(ran.path(".akit/cache").is_dir(), "the default must record");
    again(&[], 3);
    again(&["--cache", "auto"], 3);
    again(&["--cache", "replay"], 3);
    again(&["--cache", "auto", "--cache-dir", "other"], 4);
    again(&["--cache", "off"], 5);
    ran.then(&["run", "s.yaml", "--replay", "--cache", "auto"]).run().ended(2).err("cannot be used with");
    let configured = ran.then(&["run", "s.yaml", "-m", "m", "--base-url", &server.url]);
    let config = "cache: { mode: replay, dir: other }\ntarget: { version: \"1\" }\n";
    configured.file("akit.yaml", config).run().ended(0);
    assert_eq!(server.asked().len(), 5);
}

#[test]
fn a_damaged_record_is_reported_and_asked_again() {
    let server = Server::start(|asked| Answer::Text(asked.last_message()));
    let run = |ran: &Ran, mode: &str| {
        ran.then(&["run", "s.yaml", "-m", "m", "--cache-dir", "records", "--cache", mode])
            .args(&["--base-url", &server.url, "--target-version", "1"])
            .run()
    };
    let ran = Akit::new(&["schema"]).file("s.yaml", suite(&["a"])).run();
    run(&ran, "auto").ended(0);
    let whole = std::fs::read(&records(&ran)[0]).unwrap();
    for (n, damage) in [&b""[..], &whole[..whole.len() / 2], b"{}", b"[]", b"\xff\0"].into_iter().enumerate()
    {
        std::fs::write(&records(&ran)[0], damage).unwrap();
        run(&ran, "replay").ended(4).out("ignored a damaged record");
        assert_eq!(server.asked().len(), n + 1);
        run(&ran, "auto").ended(0).out("ignored a damaged record");
        assert_eq!(server.asked().len(), n + 2);
        run(&ran, "auto").ended(0);
        assert_eq!(server.asked().len(), n + 2, "the record must be repaired");
    }
}

/// An unwritable cache is reported before anything is paid for; it is an error if the command line names the cache.
#[test]
fn an_unwritable_cache_is_reported_before_anything_is_sent() {
    let server = Server::start(|asked| Answer::Text(asked.last_message()));
    let run = |flags: &[&str], config: &str| {
        let akit = Akit::new(&["run", "s.yaml", "-m", "m", "--base-url", &server.url]).args(flags);
        akit.file("s.yaml", suite(&["a", "b"])).file("akit.yaml", config).run()
    };
    let config = "cache: { dir: s.yaml/records }\n";
    let recorded = "cannot record answers in s.yaml/records";
    for (flags, config) in [(&["--cache-dir", "s.yaml/records"][..], ""), (&["--cache", "record"], config)] {
        run(flags, config).ended(2).err(recorded).err("nothing was sent");
    }
    assert_eq!(server.asked().len(), 0);
    let ran = run(&[], config).ended(0).err("warning: ").err(recorded);
    assert_eq!(ran.stdout.matches("cannot record answers in s.yaml/records").count(), 1, "{}", ran.stdout);
    assert_eq!(server.asked().len(), 2);
    // `doctor` says the same.
    let doctor = |flags: &[&str]| {
        let akit = Akit::new(&["doctor", "s.yaml", "-m", "m", "--base-url", &server.url]).args(flags);
        akit.file("s.yaml", suite(&["a"])).file("akit.yaml", config).env("PATH", "/usr/bin:/bin").run()
    };
    doctor(&[]).ended(0).out("warn  cache");
    doctor(&["--cache", "record"]).ended(2).out("bad   cache");
    // Without recording, no folder is needed.
    run(&["--cache", "off"], config).ended(0);
}

#[test]
fn another_address_or_model_is_another_record() {
    let (ran, url) = recorded();
    let other = |model: &str, url: &str| {
        ran.then(&["run", "s", "-m", model, "--base-url", url, "--cache-dir", "records", "--replay"])
            .run()
            .ended(4)
            .out("5 errored");
    };
    other("n", &url);
    other("m", "http://127.0.0.1:1/v1");
}

#[test]
fn a_replay_with_only_misses_searches_and_reports_once() {
    let server = Server::start(|asked| Answer::Text(asked.last_message()));
    let names: Vec<String> = (0..200).map(|n| format!("case {n}")).collect();
    let ids: Vec<&str> = names.iter().map(String::as_str).collect();
    let run = ["run", "s.yaml", "--base-url", &server.url, "--json", "run.json"];
    let ran = Akit::new(&run).args(&["-m", "one", "-c", "50"]).file("s.yaml", suite(&ids)).run().ended(0);
    let missed = ran.then(&run).args(&["-m", "two", "--replay"]).run().ended(4);
    let line = "ERRORED 200 cases: not in the cache (.akit/cache); the nearest record differs in model: \
                recorded \"one\", now \"two\"";
    assert_eq!(missed.stdout.matches("differs in model").count(), 1, "{}", missed.stdout);
    let missed =
        missed.out(line).out("cases: s/case 0, s/case 1, s/case 2, s/case 3, s/case 4, and 195 more");
    let fault = &missed.json("run.json")["cases"][199]["trials"][0]["fault"];
    assert!(fault["message"].as_str().unwrap().contains("the reply to s/case 199; the nearest"), "{fault}");
    // An edited prompt is matched with its own old record, even if other records are similar.
    let edited = ran.read("s.yaml").replacen("prompt: Say {{word}}.", "prompt: Say {{word}} now.", 8);
    std::fs::write(ran.path("s.yaml"), edited).unwrap();
    let why = ran.then(&["cache", "why", "s.yaml", "-m", "one", "--base-url", &server.url]).run().ended(4);
    for n in 0..8 {
        let recorded = format!("recorded \"…\"Say case {n}.\"");
        let near = why.stdout.contains(&format!("Say case {n}."))
            && why.stdout.contains(&format!("Say case {n} now."));
        assert!(near, "no {recorded} in {}", why.stdout);
    }
    assert!(why.stdout.contains("192 of 200 exchanges recorded"), "{}", why.stdout);
}

#[test]
fn a_version_1_record_is_read_if_its_host_is_enough() {
    let server = Server::start(|asked| Answer::Text(asked.last_message()));
    let ran = Akit::new(&["run", "s.yaml", "-m", "m", "--base-url", &server.url, "--cache-dir", "c"])
        .file("s.yaml", suite(&["a"]))
        .run()
        .ended(0);
    // The record as version 1 wrote it: with the host in place of the address, under its own name.
    let shelf = std::fs::read_dir(ran.path("c")).unwrap().next().unwrap().unwrap().path();
    let file = std::fs::read_dir(&shelf).unwrap().next().unwrap().unwrap().path();
    let mut record: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let request = record["request"].as_object_mut().unwrap();
    assert_eq!(request.remove("endpoint").unwrap(), server.url);
    request.insert("host".to_owned(), server.host().into());
    let whole = serde_json::json!({ "key_version": 1, "parts": record["request"] });
    let hash = <sha2::Sha256 as sha2::Digest>::digest(akit::inside::canonical(&whole));
    let hash = akit::inside::hex(&hash);
    record["key_version"] = 1.into();
    std::fs::remove_dir_all(ran.path("c")).unwrap();
    let old = ran.path(&format!("c/{}/{hash}.json", &hash[..2]));
    std::fs::create_dir_all(old.parent().unwrap()).unwrap();
    std::fs::write(&old, record.to_string()).unwrap();

    let asked = server.asked().len();
    let at = |command: &[&str], url: &str| {
        ran.then(command).args(&["s.yaml", "-m", "m", "--cache-dir", "c", "--base-url", url]).run()
    };
    at(&["run", "--replay"], &server.url).ended(5).out("1 passed");
    at(&["cache", "stats"], &server.url).ended(0).out("1 hit, 0 misses; 0 unused");
    at(&["cache", "verify"], &server.url).ended(0).out("1 record valid, 0 invalid");
    at(&["cache", "prune", "--unused"], &server.url).ended(0).out("0 files");
    let root = server.url.trim_end_matches("/v1");
    for other in [format!("{root}/tenant/v1"), root.to_owned(), format!("{root}/v1?a=b")] {
        at(&["run", "--replay"], &other).ended(4).out("not in the cache");
    }
    at(&["run", "--replay", "--target-version", "1"], &server.url).ended(4);
    assert_eq!(server.asked().len(), asked);
}
