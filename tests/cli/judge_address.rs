//! Which address judge and application are asked at, and which model really answers.

use super::Akit;
use super::judge_wire::{SUITE, ok, verdict};
use super::server::{Answer, Server, completion};

#[test]
fn the_judges_address_is_reported_before_anything_is_sent() {
    let target = Server::start(|_| Answer::Text("I am sorry. I block it now.".to_owned()));
    let judge = Server::start(|_| Answer::Text(verdict(9)));
    let words = "the judge j is called at";
    let ask = |more: &[&str], config: &str, suite: &str| {
        Akit::new(&[
            "run",
            "s.yaml",
            "-m",
            "m",
            "--grader-model",
            "j",
            "--json",
            "run.json",
            "--cache",
            "off",
        ])
        .args(more)
        .env("OPENAI_BASE_URL", &judge.url)
        .file("akit.yaml", config)
        .file("s.yaml", suite)
        .run()
        .ended(0)
    };
    let ran = ask(&["--base-url", &target.url], "", SUITE)
        .err(words)
        .err(&format!("openai at {}", judge.host()).replace("openai at ", ""))
        .err("--grader-base-url");
    let (at, sent) = (ran.stderr.find(words).unwrap(), ran.stderr.find("1 passed").unwrap_or(usize::MAX));
    assert!(at < sent);
    assert!(ran.json("run.json")["notes"].to_string().contains(words));
    // Also if a scenario configures its application.
    let own = format!("providerConfig: {{ baseUrl: '{}' }}\n{SUITE}", target.url);
    ask(&[], "", &own).err(words);
    // Both have an address, neither has, or both have the same: nothing to report.
    let both = format!("grader: {{ model: j, baseUrl: '{}' }}\n", judge.url);
    for ran in [
        ask(&["--base-url", &target.url, "--grader-base-url", &judge.url], "", SUITE),
        ask(&["--base-url", &target.url], &both, SUITE),
        ask(&["--base-url", &judge.url], "", SUITE),
        ask(&[], "", SUITE),
    ] {
        assert!(!ran.stderr.contains(words), "{}", ran.stderr);
    }
}

#[test]
fn an_answer_by_another_model_is_reported_and_starts_an_epoch() {
    let serve = |model: &'static str| {
        Server::start(move |asked| {
            let mut body = completion(if asked.is_for_judge() { "" } else { "fine" });
            body["model"] = model.into();
            ok(&body)
        })
    };
    let suite = "name: s\ncases: [{ id: a, prompt: q, expected: { type: contains, values: [fine] } }]\n";
    let config = "prices: { gpt-4o: { input: 1, output: 1 } }\n";
    let ask = |server: &Server, model: &str| {
        let ran = Akit::new(&["run", "s.yaml", "-m", model, "--json", "run.json", "--base-url"])
            .arg(&server.url)
            .file("akit.yaml", config)
            .file("s.yaml", suite)
            .run()
            .ended(0);
        let run = ran.json("run.json");
        let cost = run["cases"][0]["trials"][0]["turns"][0]["answer"]["cost_usd"].as_f64();
        let hash = run["scenarios"][0]["target_hash"].as_str().unwrap().to_owned();
        (run["notes"].to_string().contains("answered-by"), cost.is_some(), hash, ran)
    };
    let (right, other) = (serve("gpt-4o-2024-08-06"), serve("other-model-7b"));
    let (told, priced, usual, _) = ask(&right, "gpt-4o");
    assert_eq!((told, priced), (false, true));
    let (told, priced, hash, ran) = ask(&other, "gpt-4o");
    assert_eq!((told, priced), (true, false), "{}", ran.stdout);
    let run = ran.json("run.json");
    assert!(run["scenarios"][0]["target"].as_str().unwrap().contains("answered by other"), "{run}");
    assert_ne!(hash.len(), 0);
    assert_ne!(hash, usual);
    // An alias does not identify the model behind it.
    let (told, _, _, _) = ask(&other, "our-bot");
    assert!(!told);
}
