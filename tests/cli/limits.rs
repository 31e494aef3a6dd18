//! A run's limits: thresholds at their ends, money, and time.

use super::Akit;
use super::gate::suite;
use super::server::{Answer, Server};

#[test]
fn thresholds_accept_their_extremes() {
    let share = |metric| format!("{{ metric: {metric}, min: 0, max: 1 }}");
    let shares = ["pass_rate", "error_rate", "fraud_recall", "flaky_rate"].map(share).join(", ");
    let config = format!(
        "gate: {{ baseline: {{ confirm: 1000 }}, thresholds: [{shares}, {{ metric: tokens, max: 1000000 }}] }}"
    );
    Akit::new(&["run", "s.yaml", "--replies", "r.jsonl"])
        .file("akit.yaml", config)
        .file("s.yaml", suite(&["a".to_owned()]).replace("id: a,", "id: a, tags: [fraud],"))
        .file("r.jsonl", r#"{"id":"a","reply":"yes","usage":{"input_tokens":1,"output_tokens":1}}"#)
        .run()
        .ended(0);
}

#[test]
fn budget_and_deadline_end_a_run_with_exit_code_six() {
    let server = Server::start(|_| {
        let body = serde_json::json!({
            "choices": [{ "message": { "role": "assistant", "content": "yes" }, "finish_reason": "stop" }],
            "usage": { "prompt_tokens": 60, "completion_tokens": 1000 },
        });
        Answer::Raw(200, Vec::new(), body.to_string().into_bytes())
    });
    let ids: Vec<String> = ["a", "b", "c"].map(str::to_owned).to_vec();
    let run = |config: &str, more: &[&str]| {
        Akit::new(&["run", "s.yaml", "-c", "1", "--json", "run.json", "--base-url", &server.url])
            .args(more)
            .file("akit.yaml", config)
            .file("s.yaml", format!("maxTokens: 1000\n{}", suite(&ids)))
            .run()
    };
    let prices =
        "prices: { m: { input: 1, output: 9 } }\ngate: { thresholds: [{ metric: cost_usd, max: 0.02 }] }\n";
    let ran = run(prices, &["--budget", "0.025"]).ended(6).out("the run hit its budget; 1 case not judged");
    assert_eq!(
        ran.json("run.json")["cases"][0]["trials"][0]["turns"][0]["answer"]["cost_usd"]
            .as_f64()
            .map(|cost| cost < 0.02),
        Some(true)
    );
    run(prices, &[])
        .ended(1)
        .out("cost_usd is 0.0272 USD (3 answers); the policy requires at most 0.0200 USD");
    run("", &["--budget", "1"]).ended(2).err("`--budget` cannot be enforced: no price for m (openai at");
    let slow = Server::start(|_| Answer::Hang);
    Akit::new(&["run", "s.yaml", "--deadline", "200ms", "--base-url", &slow.url])
        .file("s.yaml", suite(&ids))
        .run()
        .ended(6)
        .out("the run hit its deadline; 3 cases not judged");
}

#[test]
fn the_time_to_the_first_token_comes_from_recorded_answers() {
    let config = "gate: { thresholds: [{ metric: ttft_p95_ms, max: 200 }] }\n";
    let run = |more: &[&str], more_keys: &str| {
        Akit::new(&["run", "s.yaml"])
            .args(more)
            .file("akit.yaml", config)
            .file("s.yaml", suite(&["a".to_owned()]))
            .file("r.jsonl", format!("{{\"id\":\"a\",\"reply\":\"yes\"{more_keys}}}\n"))
            .run()
    };
    run(&["--replies", "r.jsonl"], ",\"ttft_ms\":150").ended(0);
    run(&["--replies", "r.jsonl"], ",\"ttft_ms\":250").ended(1).out("ttft_p95_ms is 250 ms (1 answer)");
    run(&["--replies", "r.jsonl"], "").ended(4).out("ttft_p95_ms could not be measured");
}
