//! How much is sent: limits, schedules, and what is announced.

use super::*;

#[test]
fn the_stated_number_of_requests_is_sent() {
    let table: &[(&[&str], u64)] = &[
        (&["-n", "1"], 1),
        (&["-n", "1", "-c", "50"], 1),
        (&["-n", "7", "-c", "3"], 7),
        (&["-n", "40", "-c", "8"], 40),
        (&["-n", "40", "-c", "40"], 40),
        (&["-n", "25", "--rate", "500"], 25),
        (&["-n", "25", "--rate", "400", "--arrivals", "poisson"], 25),
        (&["-n", "30", "--stages", "2@100s,4@100s"], 30),
        (&["-n", "30", "--stages", "100/s@100s"], 30),
        (&["-n", "9", "-c", "3", "--ramp-up", "300ms"], 9),
        (&["-n", "5", "-d", "60", "-c", "2"], 5),
    ];
    all(table, |(flags, wanted)| {
        let server = echo();
        let ran = stress(&server.url, flags).run();
        let found = found(&ran);
        assert_eq!(found["requests"], *wanted, "{flags:?}");
        assert_eq!(server.asked().len() as u64, *wanted, "{flags:?}");
        assert_eq!(
            found["levels"].as_array().unwrap().iter().map(|l| l["cut_off"].as_u64().unwrap()).sum::<u64>(),
            0
        );
    });
}

#[test]
fn the_number_of_requests_follows_from_time_and_rate() {
    let table: &[(&[&str], &[u64])] = &[
        (&["-n", "1000000", "--rate", "20", "-d", "1"], &[20]),
        (&["--rate", "20", "-d", "1s"], &[20]),
        (&["--stages", "10/s@500ms,20/s@500ms"], &[5, 10]),
        (&["--rate", "40", "-d", "1", "--ramp-up", "1"], &[20]),
    ];
    all(table, |(flags, wanted)| {
        // At the end of the time, akit does not wait for answers; requests that this machine could not start by then
        // are not sent.
        let count = |level: &Json| level["requests"].as_u64().unwrap() + level["cut_off"].as_u64().unwrap();
        let counts = || {
            let load = found(&stress(&echo().url, flags).run());
            load["levels"].as_array().unwrap().iter().map(count).collect::<Vec<_>>()
        };
        let found = (0..5).map(|_| counts()).find(|counts| counts == wanted);
        assert!(found.is_some(), "{flags:?}: expected {wanted:?}, found {:?}", counts());
    });
}

#[test]
fn every_case_has_its_turn() {
    let server = echo();
    let case = |n| {
        format!("  - {{ id: c{n}, prompt: Say c{n}., expected: {{ type: contains, values: [c{n}] }} }}\n")
    };
    let cases = (0..7).map(case).collect::<Vec<_>>().concat();
    let ran = stress(&server.url, &["-n", "70", "-c", "5"]).file("s.yaml", format!("cases:\n{cases}")).run();
    let found = found(&ran);
    for (number, case) in found["cases"].as_array().unwrap().iter().enumerate() {
        assert_eq!(case["id"], format!("c{number}"), "cases must be in file order");
        assert_eq!((case["n"].clone(), case["passed"].clone()), (10.into(), 10.into()), "{case}");
        assert_eq!(case["line"], number + 2);
    }
}

#[test]
fn a_dry_run_sends_nothing_and_says_what_would_be_sent_where() {
    let server = Server::start(|_| panic!("nothing may be sent"));
    let tagged = "setup: { handoff: { tool: transfer } }\ncases:\n  - { id: a, prompt: A person!, tags: [escalation], expected: { type: contains, values: [a] } }\n  - { id: b, prompt: Say b., expected: { type: contains, values: [b] } }\n";
    let table: &[(&[&str], &[&str])] = &[
        (
            &[],
            &[
                "load: 10 in flight for 60 s, at most 100,000 requests",
                "what: 2 cases",
                "client limits and retries: off",
            ],
        ),
        (&["-n", "5"], &["load: 10 in flight, at most 5 requests"]),
        (&["-d", "5"], &["load: 10 in flight for 5 s\n"]),
        (&["-c", "3", "-d", "2m", "-n", "7"], &["load: 3 in flight for 120 s, at most 7 requests"]),
        (&["--rate", "50"], &["load: 50/s for 60 s, constant arrivals, at most 100,000 requests"]),
        (
            &["--rate", "2.5", "--arrivals", "poisson", "-d", "9"],
            &["load: 2.5/s for 9 s, poisson arrivals\n"],
        ),
        (
            &["--stages", "5@30s,20/s@1m"],
            &["load: 5 in flight for 30 s, then 20/s for 60 s, constant arrivals\n"],
        ),
        (&["--limits"], &["client limits and retries: on, as in `akit run`"]),
        (&["--escalation-share", "0.5"], &["1 of them tagged `escalation` (with 50% of the arrivals)"]),
        (&["--budget", "0.5", "-m", "known"], &["cost: at most $0.50"]),
        (&["-m", "known"], &["cost: at most $1.00"]),
        (&[], &["cost: no limit: the price is unknown"]),
    ];
    for (flags, told) in table {
        let ran =
            Akit::new(&["stress", "s.yaml", "--dry-run", "--json", "stress.json", "--base-url", &server.url])
                .args(if flags.contains(&"-m") { &[] } else { &["-m", "m"] })
                .args(flags)
                .file("s.yaml", format!("maxTokens: 5\n{tagged}"))
                .file("akit.yaml", "prices: { known: { input: 1, output: 1 } }\n")
                .run()
                .ended(0)
                .out("Dry run: nothing was sent.");
        let ran = told.iter().fold(ran, |ran, told| ran.out(told));
        let ran = ran.out(&format!("to: openai {}", if flags.contains(&"known") { "known" } else { "m" }));
        assert!(ran.stdout.contains(server.host()), "{}", ran.stdout);
        assert!(!ran.path("stress.json").exists(), "a dry run must not write a report");
    }
    assert!(server.asked().is_empty());
}

#[test]
fn the_load_is_announced_before_it_starts() {
    let server = echo();
    let akit = Akit::new(&["stress", "s.yaml", "-m", "m", "-n", "2", "--base-url", &server.url])
        .file("s.yaml", SUITE);
    akit.run().err("load: 10 in flight, at most 2 requests").err("to: openai m").err("what: 2 cases");
}

#[test]
fn one_seed_is_one_schedule() {
    let server = echo();
    let schedule = |flags: &[&str]| {
        let ran = stress(&server.url, &["-n", "3"]).args(flags).run();
        let found = found(&ran);
        (found["settings"]["schedule"].as_str().map(str::to_owned), found["seed"].as_u64().unwrap())
    };
    let poisson = ["--rate", "100", "--arrivals", "poisson", "-d", "1", "--seed"];
    let of = |seed: &'static str| schedule(&[&poisson[..], &[seed]].concat());
    let (first, again, other) = (of("7"), of("7"), of("8"));
    assert_eq!(first, again);
    assert_ne!(first.0, other.0);
    assert_eq!((first.1, other.1), (7, 8));
    assert_eq!(first.0.as_ref().map(String::len), Some(64));
    // The intervals of a constant rate need no seed.
    assert_eq!(
        schedule(&["--rate", "100", "-d", "1", "--seed", "7"]).0,
        schedule(&["--rate", "100", "-d", "1", "--seed", "8"]).0
    );
    assert_ne!(
        schedule(&["--rate", "100", "-d", "1"]).0,
        schedule(&["--rate", "100", "-d", "1", "--ramp-up", "1"]).0
    );
    assert_eq!(schedule(&["-c", "2"]).0, None);
}

#[test]
fn the_report_has_the_settings_of_the_flags() {
    let server = echo();
    let ran =
        stress(&server.url, &["-n", "4", "-c", "2", "--ramp-up", "50ms", "--canary", "--budget", "0.5"])
            .file("akit.yaml", "prices: { m: { input: 1, output: 1 } }\n")
            .file("s.yaml", format!("maxTokens: 5\n{SUITE}"))
            .run();
    let settings = &found(&ran)["settings"];
    assert_eq!((settings["ramp_up_ms"].clone(), settings["most_requests"].clone()), (50.into(), 4.into()));
    assert_eq!((settings["canary"].clone(), settings["budget_usd"].clone()), (true.into(), 0.5.into()));
    assert_eq!(settings["escalation_share"], 0.0, "no case has the tag");
    let ran = stress(&server.url, &["-n", "4"]).run();
    let settings = &found(&ran)["settings"];
    assert_eq!((settings["canary"].clone(), settings["limits"].clone()), (false.into(), false.into()));
    assert_eq!((settings["budget_usd"].clone(), settings["schedule"].clone()), (Json::Null, Json::Null));
}

/// Flags of `artemiskit stress`, as docs/migrating.md lists them.
#[test]
fn flags_of_artemiskit_work_or_name_a_replacement() {
    let prices = "prices: { m: { input: 1, output: 1 } }\n";
    let suite = format!("maxTokens: 5\n{SUITE}");
    let table: &[(&[&str], &str, &str)] = &[
        (
            &["--concurrency", "2", "--requests", "4", "--duration", "5", "--ramp-up", "0", "--budget", "1"],
            "",
            "note",
        ),
        (
            &["-c", "2", "-n", "4", "-d", "5", "-o", "out"],
            "out/stress.json",
            "`-o out` is `--json out/stress.json` in akit",
        ),
        (&["-c", "2", "-n", "4", "--output", "out"], "out/stress.json", "--json out/stress.json"),
        (
            &["-c", "2", "-n", "4", "--save"],
            "akit-stress.json",
            "`--save` is `--json akit-stress.json` in akit",
        ),
        (
            &["-n", "4", "--save", "--json", "x.json"],
            "x.json",
            "`--save` is not needed in akit: `--json` names the file",
        ),
        (&["-n", "4", "-o", "out", "--save"], "out/stress.json", "--json out/stress.json"),
    ];
    for (flags, file, told) in table {
        let server = echo();
        let ran = Akit::new(&["stress", "s.yaml", "-p", "openai", "-m", "m"])
            .args(flags)
            .file("s.yaml", &suite)
            .file("akit.yaml", prices)
            .env("OPENAI_API_KEY", "k")
            .env("OPENAI_BASE_URL", &server.url)
            .run();
        assert!([0, 4].contains(&ran.status), "{flags:?}: {}", ran.stderr);
        assert_eq!(server.asked().len(), 4, "{flags:?}");
        if file.is_empty() {
            assert!(!ran.stderr.contains(told), "{}", ran.stderr);
        } else {
            assert_eq!(ran.json(file)["requests"], 4, "{flags:?}");
            ran.err(told);
        }
    }
}
