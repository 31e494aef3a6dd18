//! A run's maximum cost: shown in advance, and within the budget.

use serde_json::{Value as Json, json};

use super::Akit;
use super::replies::replies;
use super::server::{Answer, Server, completion};

const PRICES: &str = "prices: { m: { input: 1, output: 1000 } }\n";

/// A change to a completion before it is sent.
type Change = fn(&mut Json);

/// A suite whose cases expect `yes`.
fn suite(ids: &[&str]) -> String {
    let case = |id: &&str| {
        format!("  - {{ id: {id}, prompt: {id}, expected: {{ type: exact, value: \"yes\" }} }}\n")
    };
    format!("cases:\n{}", ids.iter().map(case).collect::<Vec<_>>().concat())
}

/// A suite whose answers have at most five tokens: 0.005 USD, plus a little for the request.
fn short(ids: &[&str]) -> String {
    format!("maxTokens: 5\n{}", suite(ids))
}

/// A server whose completions are changed before they are sent.
fn changed(change: impl Fn(&mut Json) + Send + Sync + 'static) -> Server {
    Server::start(move |asked| {
        let mut body = completion("yes");
        body["model"] = asked.body["model"].clone();
        change(&mut body);
        Answer::Raw(200, Vec::new(), body.to_string().into_bytes())
    })
}

fn run(server: &Server, more: &[&str]) -> Akit {
    asking(server, "m", more)
}

fn asking(server: &Server, model: &str, more: &[&str]) -> Akit {
    let run = ["run", "s.yaml", "-m", model, "-c", "1", "--json", "run.json", "--base-url", &server.url];
    Akit::new(&run).args(more).file("akit.yaml", PRICES).file("s.yaml", short(&["a", "b", "c"]))
}

#[test]
fn a_budget_that_cannot_be_enforced_is_refused_before_anything_is_sent() {
    let server = Server::start(|_| panic!("nothing may be sent"));
    let with = |budget| run(&server, &["--budget", budget]);
    let table = [
        (with("1").file("akit.yaml", ""), "no price for m (openai at 127.0.0.1"),
        (with("1").file("s.yaml", suite(&["a"])), "answers from m have no maximum length"),
        (with("0.004"), "`--budget` is too small: one answer of m"),
        (with("0"), "`--budget` is too small"),
        // A model whose price is known only at the vendor's own server.
        (asking(&server, "gpt-4.1", &["--budget", "1"]).file("akit.yaml", ""), "no price for gpt-4.1"),
    ];
    for (akit, message) in table {
        akit.run().ended(2).err(message).err("help: nothing was sent; ");
    }
    run(&server, &["--budget", "0.004"]).run().ended(2).err("set `maxTokens`");
    with("1")
        .file("akit.yaml", "")
        .run()
        .ended(2)
        .err("add `prices: { \"m\": { input: USD, output: USD } }`");
    assert_eq!(server.asked().len(), 0);
    // The judge's tokens count, too.
    let judged = "name: s\nmaxTokens: 5\ncases: [{ id: a, prompt: a, expected: { type: llm_grader, rubric: Is it kind? } }]\n";
    let judge = || with("1").file("s.yaml", judged).args(&["--grader-base-url", &server.url]);
    judge().args(&["--grader-model", "j"]).run().ended(2).err("no price for j");
    let expensive = "prices: { m: { input: 1, output: 1 }, j: { input: 1, output: 1000 } }\n";
    judge()
        .args(&["--grader-model", "j"])
        .file("akit.yaml", expensive)
        .run()
        .ended(2)
        .err("`grader.maxTokens`");
    assert_eq!(server.asked().len(), 0);
}

#[test]
fn cases_beyond_the_budget_are_skipped_with_exit_code_six() {
    let server = changed(|_| {});
    let ran = run(&server, &["--budget", "0.0125"]).run().ended(6);
    let ran = ran.out("the run hit its budget; 1 case not judged");
    let case = ran.json("run.json")["cases"]
        .as_array()
        .unwrap()
        .iter()
        .find(|case| case["outcome"] == "skipped")
        .cloned();
    assert_eq!(case.unwrap()["reason"], "not judged: the budget ended the run first");
    assert_eq!(server.asked().len(), 2);
    run(&server, &["--budget", "0.02"]).run().ended(0);
}

#[test]
fn a_server_without_token_counts_is_asked_once_within_a_budget() {
    let table: [(Change, &str); 7] = [
        // Some servers send zeros in place of a count.
        (
            |body| body["usage"] = json!({ "prompt_tokens": 0, "completion_tokens": 9 }),
            "it does not report token usage",
        ),
        (
            |body| body["usage"] = json!({ "prompt_tokens": 9, "completion_tokens": 0 }),
            "it does not report token usage",
        ),
        (|body| drop(body.as_object_mut().unwrap().remove("usage")), "it does not report token usage"),
        (|body| body["usage"] = json!(null), "it does not report token usage"),
        (|body| body["usage"]["prompt_tokens"] = json!(-3), "it does not report token usage"),
        (|body| body["usage"]["completion_tokens"] = json!(1e300), "it does not report token usage"),
        (|body| body["model"] = "gpt-6-astra".into(), "gpt-6-astra answered instead"),
    ];
    for (change, message) in table {
        let server = changed(change);
        let ran = asking(&server, "claude-m", &["--budget", "1"]);
        let ran = ran.file("akit.yaml", PRICES.replace(" m:", " claude-m:")).run().ended(4);
        let ran = ran.out(message).out("`--budget` cannot be enforced for");
        assert_eq!(server.asked().len(), 1, "{message}");
        let kinds = ran.json("run.json")["cases"].clone();
        assert!(
            kinds.as_array().unwrap().iter().all(|case| case["trials"][0]["fault"]["kind"] == "unmetered")
        );
    }
    // A count above what was sent and allowed cannot be this request's; akit does not risk a second one.
    let beyond: [Change; 2] = [
        |body| body["usage"]["prompt_tokens"] = json!(50_000),
        |body| body["usage"]["completion_tokens"] = json!(50_000),
    ];
    for change in beyond {
        let server = changed(change);
        let ran =
            Akit::new(&["run", "s.yaml", "-m", "m", "-c", "3", "--budget", "1", "--base-url", &server.url]);
        let ran = ran.file("akit.yaml", PRICES).file("s.yaml", short(&["a", "b", "c"])).run().ended(4);
        ran.out("it counted more tokens than the request");
        assert_eq!(server.asked().len(), 1);
    }
    // Without a budget, no count is needed.
    run(&changed(|body| body["usage"] = json!(null)), &[]).run().ended(0);
}

#[test]
fn reasoning_and_cached_tokens_have_their_own_prices() {
    let prices = "prices: { m: { input: 100, cached: 10, cache_write: 1000, output: 10000 } }\n";
    let cost = |change: Change| {
        let ran = run(&changed(change), &[]).file("akit.yaml", prices).run().ended(0);
        ran.json("run.json")["cases"][0]["trials"][0]["turns"][0]["answer"]["cost_usd"].as_f64().unwrap()
    };
    // 10 tokens sent, 5 received.
    let table: [(Change, f64); 4] = [
        (|_| {}, 0.051),
        (|body| body["usage"]["total_tokens"] = 25.into(), 0.151),
        (|body| body["usage"]["prompt_tokens_details"] = json!({ "cached_tokens": 9 }), 0.050_19),
        (|body| body["usage"]["cache_creation_input_tokens"] = 10.into(), 0.06),
    ];
    for (change, expected) in table {
        let cost = cost(change);
        assert!((cost - expected).abs() < 1e-9, "{cost} {expected}");
    }
}

#[test]
fn impossible_prices_and_limits_are_refused_at_their_line() {
    let server = Server::start(|_| panic!("nothing may be sent"));
    let price = |price: &str| format!("prices: {{ m: {{ input: {price}, output: 1 }} }}\n");
    let limit = |limit: &str| format!("grader: {{ model: j, limits: {{ requests_per_minute: {limit} }} }}\n");
    let mut table: Vec<_> = ["-1", ".nan", ".inf", "1000001", "cheap", "\"1\"", "null"].map(price).into();
    table.extend(["0", "-1", ".nan", ".inf", "1.5", "many", "null"].map(limit));
    for key in ["cached", "cache_write"] {
        table.push(format!("prices: {{ m: {{ input: 1, {key}: -1, output: 1 }} }}\n"));
    }
    for key in ["tokens_per_minute: 0", "concurrency: 0", "concurrency: two", "requests: 5"] {
        table.push(format!("providers: {{ openai: {{ limits: {{ {key} }} }} }}\n"));
    }
    table.push("providers: { openai: { patience: -1 } }\n".to_owned());
    for config in table {
        run(&server, &[]).file("akit.yaml", &config).run().ended(2).err("akit.yaml:1:");
    }
    assert_eq!(server.asked().len(), 0);
}

#[test]
fn limits_and_timeouts_are_explained_with_their_source() {
    let server = Server::start(|_| panic!("nothing may be sent"));
    let config =
        "providers: { openai: { patience: 7000, limits: { requests_per_minute: 1200, concurrency: 3 } } }\n";
    let doctor = ["doctor", "s.yaml", "-m", "m", "--base-url", &server.url, "--explain"];
    let ran = Akit::new(&doctor).file("akit.yaml", config).file("s.yaml", suite(&["a"])).run();
    let ran = ran.out("1,200 requests per minute, 3 at once").out("7000 ms");
    ran.out("`providers.openai.limits` at akit.yaml:1");
}

#[test]
fn a_concurrency_limit_covers_the_judge_and_the_application() {
    let judged = "name: s\nproviderConfig: { limits: { concurrency: 1 } }\ncases:\n";
    let case =
        |n| format!("  - {{ id: c{n}, prompt: p{n}, expected: {{ type: llm_grader, rubric: Kind? }} }}\n");
    let cases = (0..6).map(case).collect::<Vec<_>>().concat();
    let in_flight = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let now = std::sync::Arc::clone(&in_flight);
    let server = Server::start(move |asked| {
        use std::sync::atomic::Ordering::SeqCst;
        assert_eq!(now.fetch_add(1, SeqCst), 0, "one at a time");
        std::thread::sleep(std::time::Duration::from_millis(5));
        now.fetch_sub(1, SeqCst);
        Answer::Text(if asked.is_for_judge() {
            json!({ "reasoning": "kind", "score": 10 }).to_string()
        } else {
            "yes".to_owned()
        })
    });
    let run = ["run", "s.yaml", "-m", "m", "-c", "6", "--base-url", &server.url, "--grader-model", "j"];
    let run = Akit::new(&run).args(&["--grader-base-url", &server.url]);
    run.file("s.yaml", format!("{judged}{cases}")).run().ended(0);
}

#[test]
fn a_dry_run_shows_calls_tokens_and_cost_and_sends_nothing() {
    let server = Server::start(|_| panic!("nothing may be sent"));
    let judged = "name: s\nmaxTokens: 100\ncases:\n  - { id: a, prompt: a, expected: { type: contains, values: [\"yes\"] } }\n  \
                  - { id: b, prompt: b, expected: { type: llm_grader, rubric: Is it kind? } }\n  \
                  - { id: c, prompt: c, expected: { type: similarity, value: \"yes\", embeddingModel: e } }\n";
    let dry = |more: &[&str]| {
        let run = ["run", "s.yaml", "-m", "m", "--base-url", &server.url, "--dry-run", "--grader-model", "j"];
        let run = Akit::new(&run).args(&["--grader-base-url", &server.url, "--json", "run.json"]).args(more);
        run.file("s.yaml", judged)
    };
    let ran = dry(&["--repeat", "3"]).run().ended(0);
    let ran = ran
        .out("Dry run: nothing was sent.")
        .out(&format!("openai at {}", server.host()))
        .out("answers of m: 9 calls, ")
        .out("unknown price: m")
        // One verdict each, up to three votes near the threshold, at most two requests per vote.
        .out("verdicts of j: 3 calls, ")
        .out("at most 18 calls, ")
        .out("canaries of j: 5 calls, ")
        .out("embeddings of e: 6 calls, ");
    assert!(!ran.path("run.json").exists(), "no report may be written");
    // With prices, and with a budget that is enough or not.
    let prices = "prices:\n  m: { input: 1, output: 10 }\n  j: { input: 1, output: 10 }\n  e: { input: 1, output: 0 }\n";
    let ran = dry(&[]).file("akit.yaml", prices).run().ended(0);
    assert!(!ran.stdout.contains("unknown price"), "{}", ran.stdout);
    ran.out("everywhere\n  in all: 11 calls, ");
    dry(&["--budget", "1"]).file("akit.yaml", prices).run().ended(0);
    dry(&["--budget", "0.0001"]).file("akit.yaml", prices).run().ended(2).err("too small");
    // As in a run: no match, and a mistake.
    dry(&["--case", "nobody"]).run().ended(3);
    dry(&[]).file("akit.yaml", "gate: { min_pas_rate: 1 }\n").run().ended(2);
    // Recorded answers need no request, and a critical case may get extra trials.
    let given =
        dry(&["--replies", "r.jsonl"]).file("r.jsonl", replies(&[("a", "yes"), ("b", "yes"), ("c", "yes")]));
    let ran = given.run().ended(0);
    assert!(!ran.stdout.contains("answers of"), "{}", ran.stdout);
    let critical = "gate: { critical: [{ case: s/a }], baseline: { confirm: 4 } }\n";
    dry(&[]).file("akit.yaml", critical).run().ended(0).out("at most 30 calls, ");
    dry(&["--replay"]).run().ended(0).out("No model would be called");
    assert_eq!(server.asked().len(), 0);
}

#[test]
fn the_vendors_own_prices_are_known() {
    let dry = |model: &str| {
        let run = ["run", "s.yaml", "--dry-run", "-m", model];
        Akit::new(&run).env("OPENAI_API_KEY", "sk-none").file("s.yaml", short(&["a"])).run().ended(0)
    };
    let ran = dry("gpt-4.1-mini-2025-04-14").out("openai at api.openai.com");
    assert!(!ran.stdout.contains("unknown price"), "{}", ran.stdout);
    dry("gpt-99").out("unknown price: gpt-99");
}

/// Two conversations of three turns; each answer has five tokens: 0.005 USD, plus a little for the request.
fn conversations(server: &Server, budget: &str) -> Akit {
    let case = |id: &str| {
        let turn = |at: usize| format!("{{ user: \"{id} {at}\" }}");
        let turns: Vec<_> = (1..=3).map(turn).collect();
        format!(
            "  - {{ id: {id}, turns: [{}], expected: {{ type: last_answer, expected: {{ type: exact, value: \"yes\" }} }} }}\n",
            turns.join(", ")
        )
    };
    let suite = format!("maxTokens: 5\ncases:\n{}{}", case("a"), case("b"));
    let run = ["run", "s.yaml", "-m", "m", "-c", "2", "--json", "run.json", "--base-url", &server.url];
    Akit::new(&run).args(&["--budget", budget]).file("akit.yaml", PRICES).file("s.yaml", suite)
}

#[test]
fn a_budget_does_not_end_a_conversation_in_the_middle() {
    let server = changed(|body| body["usage"] = json!({ "prompt_tokens": 10, "completion_tokens": 5 }));
    // The budget pays for five answers: the second conversation would stop after its second turn.
    let ran = conversations(&server, "0.027").run().ended(6);
    let cases = ran.json("run.json")["cases"].as_array().unwrap().clone();
    let mut found: Vec<_> = cases
        .iter()
        .map(|case| {
            let turns = case["trials"][0]["turns"].as_array().map_or(0, Vec::len);
            (case["outcome"].as_str().unwrap().to_owned(), turns)
        })
        .collect();
    found.sort();
    assert_eq!(found, [("passed".to_owned(), 3), ("skipped".to_owned(), 0)]);
    let first: Vec<_> = server.asked().iter().map(|asked| asked.last_message()[..1].to_owned()).collect();
    assert!(first.len() == 3 && first.iter().all(|one| *one == first[0]), "{first:?}");
    // What the first conversation leaves is enough for the second.
    conversations(&server, "0.032").run().ended(0).err("");
    assert_eq!(server.asked().len(), 9);
    // The cost of a whole conversation is estimated before it starts, including its messages.
    conversations(&server, "0.015").run().ended(2).err("`--budget` is too small: one conversation of m");
}
