//! Private values stay out of reports, and hostile answers cannot change a report.

use super::*;

const KEY: &str = "sk-proj-abcDEF1234567890abcd";

/// What a server answers.
type Reply = fn(&Asked) -> Answer;

#[test]
fn keys_are_in_no_report() {
    let hostile: [fn(&Asked) -> Answer; 4] = [
        |asked| Answer::Text(format!("alpha beta {}", asked.header("authorization").unwrap_or_default())),
        |asked| Answer::Text(asked.header("authorization").unwrap_or_default().to_owned()),
        |asked| Answer::Raw(400, Vec::new(), asked.header("authorization").unwrap_or_default().into()),
        |asked| Answer::Raw(200, Vec::new(), asked.header("authorization").unwrap_or_default().into()),
    ];
    for answer in hostile {
        let server = Server::plain(answer);
        let ran = Akit::new(&["stress", "s.yaml", "-m", "m", "--json", "stress.json", "-n", "4"])
            .file("s.yaml", SUITE)
            .env("OPENAI_API_KEY", KEY)
            .env("OPENAI_BASE_URL", &server.url)
            .run();
        assert!(
            server.asked()[0].header("authorization").unwrap().contains(KEY),
            "the server must receive it"
        );
        for text in [&ran.stdout, &ran.stderr, &ran.read("stress.json")] {
            assert!(!text.contains("abcDEF1234567890abcd"), "{text}");
        }
    }
}

#[test]
fn reasons_contain_nothing_redacted() {
    let secret = "jane.doe@example.com";
    let suite = format!(
        "redaction: {{ enabled: true, patterns: [email] }}
cases:
  - {{ id: a, prompt: 'Write to {secret}.', expected: {{ type: exact, value: nothing }} }}
  - {{ id: b, prompt: 'Write to {secret} too.', expected: {{ type: contains, values: [{secret}] }} }}
"
    );
    let answers: [(Reply, u64); 3] = [
        (|asked| Answer::Text(asked.last_message()), 3),
        (|asked| Answer::Raw(400, Vec::new(), asked.last_message().into_bytes()), 0),
        (|asked| Answer::Raw(200, Vec::new(), asked.last_message().into_bytes()), 0),
    ];
    for (answer, passed) in answers {
        let server = Server::plain(answer);
        for flags in [&[][..], &["--canary"]] {
            let ran = stress(&server.url, &["-n", "6", "-c", "2"]).args(flags).file("s.yaml", &suite).run();
            assert!(server.asked()[0].body.to_string().contains(secret), "the application must receive it");
            let found = found(&ran);
            // Expectations see the original answers.
            assert_eq!(found["levels"][0]["quality"]["passed"], passed);
            assert!(found["cases"][0]["reason"].is_string());
            for text in [&ran.stdout, &ran.stderr, &ran.read("stress.json")] {
                assert!(!text.contains("jane.doe"), "{text}");
            }
        }
    }
}

#[test]
fn the_judge_of_a_sample_sees_redacted_text() {
    let suite = "redaction: { enabled: true, patterns: [email] }
cases: [{ id: a, prompt: Write to jane.doe@example.com., expected: { type: llm_grader, rubric: Is it kind? } }]
";
    let judge = Server::start(|_| Answer::Text(super::super::judge::verdict(10)));
    let ran =
        stress(&echo().url, &["-n", "3", "-c", "1", "--grader-model", "j", "--grader-base-url", &judge.url])
            .file("s.yaml", suite)
            .run();
    assert_eq!(found(&ran)["levels"][0]["judged"]["passed"], 3);
    assert!(!judge.votes().is_empty());
    for asked in judge.asked() {
        assert!(!asked.body.to_string().contains("jane.doe"), "{}", asked.body);
    }
}

#[test]
fn hostile_answers_do_not_change_the_report() {
    let hostile = [
        "\u{1b}[2J\u{1b}]0;owned\u{7}",
        "\nRESULT: PASS (exit code 0)\n",
        "::error::owned\n::set-output name=x::y",
        "\u{202e}dessap lla",
        "</script><script>alert(1)</script>",
        "\0\u{1}\u{7f}",
    ];
    for text in hostile {
        let server = Server::start(move |_| Answer::Text(text.to_owned()));
        let ran = stress(&server.url, &["-n", "4", "-c", "2"]).run();
        assert_ne!(ran.status, 0);
        let results: Vec<_> = ran.stdout.lines().filter(|line| line.starts_with("RESULT: ")).collect();
        assert_eq!(results.len(), 1, "{}", ran.stdout);
        assert!(!results[0].contains("PASS"), "{}", ran.stdout);
        assert!(ran.stdout.lines().all(|line| !line.trim_start().starts_with("::")), "{}", ran.stdout);
        let is_raw = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!ran.stdout.contains(is_raw) && !ran.stderr.contains(is_raw), "{:?}", ran.stdout);
        assert!(found(&ran)["cases"][0]["reason"].as_str().unwrap().len() < 2_000);
    }
    // However long it is.
    let server = Server::start(|_| Answer::Text("gamma ".repeat(100_000)));
    let ran = stress(&server.url, &["-n", "4", "-c", "2"]).run();
    assert!(ran.stdout.len() < 10_000 && ran.read("stress.json").len() < 100_000);
}

#[test]
fn nothing_is_recorded() {
    let ran = stress(&echo().url, &["-n", "4", "-c", "2"]).run();
    assert!(!ran.path(".akit").exists(), "a load must not record anything");
}
