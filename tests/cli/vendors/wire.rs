//! What is sent over the wire.

use serde_json::{Value as Json, json};

use super::super::Akit;
use super::super::server::{Answer, Asked, Server};
use super::{KEY, SUITE, Speech, Stop, VENDORS, Vendor, raw};

fn asked(vendor: Vendor, head: &str) -> Asked {
    let body = vendor.answer("this is ok", Stop::Whole, None).to_string();
    let server = Server::plain(move |_| raw(200, &body));
    vendor.run(&server, head, SUITE).run().ended(0);
    let mut asked = server.asked();
    assert_eq!(asked.len(), 1, "{}", vendor.name);
    asked.remove(0)
}

fn of(name: &str) -> Vendor {
    VENDORS.into_iter().find(|vendor| vendor.name == name).unwrap()
}

#[test]
fn each_vendor_is_asked_at_its_path_with_its_own_header() {
    for vendor in VENDORS {
        let asked = asked(vendor, "");
        assert_eq!(asked.path, vendor.path, "{}", vendor.name);
        let expected = match vendor.key {
            (_, "") => None,
            ("authorization", _) => Some(format!("Bearer {KEY}")),
            _ => Some(KEY.to_owned()),
        };
        assert_eq!(asked.header(vendor.key.0), expected.as_deref(), "{}", vendor.name);
        let others = ["authorization", "api-key", "x-api-key", "x-goog-api-key"];
        for other in others.into_iter().filter(|name| *name != vendor.key.0) {
            assert_eq!(asked.header(other), None, "{} {other}", vendor.name);
        }
        assert_eq!(asked.header("anthropic-version").is_some(), vendor.speech == Speech::Messages);
    }
}

#[test]
fn every_parameter_is_sent_in_the_vendors_format() {
    let head = "temperature: 0.5\nmaxTokens: 64\nseed: 7\nsetup:\n  systemPrompt: Be kind.\n  functions:\n    \
                - { name: refund, description: Pays back., parameters: { type: object, properties: { n: { type: integer } } } }\n";
    let seed = |body: &Json, place: &str| body.pointer(place).is_some_and(Json::is_number);
    for vendor in VENDORS {
        let body = asked(vendor, head).body;
        let schema = json!({ "type": "object", "properties": { "n": { "type": "integer" } } });
        match vendor.speech {
            Speech::Chat => {
                let name = if vendor.provider == "mistral" { "/random_seed" } else { "/seed" };
                assert!(seed(&body, name), "{}: {body}", vendor.name);
                assert_eq!((&body["temperature"], &body["max_tokens"]), (&json!(0.5), &json!(64)));
                assert_eq!(body["messages"][0], json!({ "role": "system", "content": "Be kind." }));
                assert_eq!(body["tools"][0]["function"]["parameters"], schema);
                let model = if vendor.provider == "azure-openai" { "bot" } else { vendor.model };
                assert_eq!(body["model"], model);
            }
            Speech::Responses => {
                assert_eq!((&body["temperature"], &body["max_output_tokens"]), (&json!(0.5), &json!(64)));
                assert_eq!(body["store"], false);
                assert_eq!(body["input"][1], json!({ "role": "user", "content": "Hello" }));
                assert_eq!(
                    (&body["tools"][0]["name"], &body["tools"][0]["parameters"]),
                    (&json!("refund"), &schema)
                );
            }
            Speech::Messages => {
                assert_eq!((&body["temperature"], &body["max_tokens"]), (&json!(0.5), &json!(64)));
                assert_eq!((&body["system"], &body["seed"]), (&json!("Be kind."), &Json::Null));
                assert_eq!(body["messages"], json!([{ "role": "user", "content": "Hello" }]));
                assert_eq!(body["tools"][0]["input_schema"], schema);
            }
            Speech::Gemini => {
                let config = &body["generationConfig"];
                assert_eq!((&config["temperature"], &config["maxOutputTokens"]), (&json!(0.5), &json!(64)));
                assert!(seed(&body, "/generationConfig/seed"));
                assert_eq!(body["systemInstruction"]["parts"][0]["text"], "Be kind.");
                assert_eq!(body["contents"], json!([{ "role": "user", "parts": [{ "text": "Hello" }] }]));
                assert_eq!(body["tools"][0]["functionDeclarations"][0]["parametersJsonSchema"], schema);
            }
        }
    }
    // Claude requires this number, and its newest models refuse a temperature.
    let newest = Vendor { model: "claude-haiku-5-5", ..of("anthropic") };
    let body = asked(newest, "temperature: 0.5\n").body;
    assert_eq!((&body["temperature"], &body["max_tokens"]), (&Json::Null, &json!(128_000)));
}

#[test]
fn a_parameter_that_is_refused_is_left_out_by_every_vendor() {
    for vendor in VENDORS {
        let ok = vendor.answer("this is ok", Stop::Whole, None).to_string();
        let server = Server::plain(move |asked| {
            let body = asked.body.to_string();
            if body.contains("\"temperature\"") {
                vendor.error(400, "temperature is not supported with this model")
            } else {
                raw(200, &ok)
            }
        });
        vendor.run(&server, "temperature: 0.5\n", SUITE).run().ended(0).out("does not accept `temperature`");
        assert_eq!(server.asked().len(), 2, "{}", vendor.name);
    }
}

#[test]
fn a_blocked_prompt_is_a_distinct_answer() {
    let blocked = json!({ "promptFeedback": { "blockReason": "PROHIBITED_CONTENT" }, "usageMetadata": { "promptTokenCount": 1 } });
    let server = Server::plain(move |_| raw(200, &blocked.to_string()));
    let ran = of("google").run(&server, "", SUITE).run().ended(1);
    let answer = &ran.json("run.json")["cases"][0]["trials"][0]["turns"][0]["answer"];
    assert_eq!((&answer["text"], &answer["finish_reason"]), (&json!(""), &json!("PROHIBITED_CONTENT")));
}

#[test]
fn custom_headers_and_members_are_sent_and_are_part_of_the_key() {
    let own = |more: &str| {
        let config = format!(
            ", headers: {{ X-Tenant: north, X-Auth-Token: \"tok ${{TENANT_TOKEN}}\" }}, extraBody: {{ {more} }}"
        );
        Vendor { config: Box::leak(config.into_boxed_str()), ..of("openai") }
    };
    let body = of("openai").answer("this is ok tok-9876543210", Stop::Whole, None).to_string();
    let server = Server::plain(move |_| raw(200, &body));
    let run = |more: &str| {
        own(more)
            .run(&server, "", SUITE)
            .args(&["-v", "--html", "r.html", "--junit", "r.xml", "--sarif", "r.sarif", "--markdown", "r.md"])
            .env("TENANT_TOKEN", "tok-9876543210")
            .run()
    };
    let ran = run("top_p: 0.5, metadata: { a: b }").ended(0);
    let asked = &server.asked()[0];
    assert_eq!(
        (asked.header("x-tenant"), asked.header("x-auth-token")),
        (Some("north"), Some("tok tok-9876543210"))
    );
    assert_eq!((&asked.body["top_p"], &asked.body["metadata"]["a"]), (&json!(0.5), &json!("b")));
    let everything = format!("{}{}{}", ran.stdout, ran.stderr, ran.all("."));
    assert!(!everything.contains("tok-9876543210"), "{everything}");
    assert!(ran.all(".akit/cache").contains("tok ${TENANT_TOKEN}"));
    // Another member of the body makes another question.
    ran.then(&["run", "s.yaml", "--replay", "--json", "run.json"]).run().out("1 from the cache");
    let text = ran.read("s.yaml").replace("0.5", "0.6");
    ran.then(&["run", "s.yaml", "--replay"]).file("s.yaml", text).run().ended(4).out("not in the cache");

    for (more, key) in
        [("temperature: 1", "temperature"), ("messages: []", "messages"), ("stream: true", "stream")]
    {
        run(more).ended(2).err(&format!("`extraBody` has `{key}`, which akit sets itself")).err("s.yaml:");
    }
    // A setting for another provider does not apply to this one.
    for (name, config, key) in [
        ("openai", ", resourceName: r", "resourceName"),
        ("google", ", like: groq", "like: groq"),
        ("anthropic", ", api: responses", "api"),
        ("mistral", ", deploymentName: d", "deploymentName"),
    ] {
        let ran = Vendor { config, ..of(name) }.run(&server, "", SUITE).run().ended(2);
        ran.err(&format!("`{key}` is a ")).err("the provider ").err("s.yaml:3");
    }
    let gemini = Vendor { config: ", extraBody: { generationConfig: { seed: 1 } }", ..of("google") };
    gemini.run(&server, "", SUITE).run().ended(2).err("`extraBody` has `generationConfig.seed`");
    let gemini = Vendor { config: ", extraBody: { generationConfig: { topK: 4 } }", ..of("google") };
    let sent = super::wire::asked(gemini, "temperature: 0.5\n").body;
    assert_eq!(sent["generationConfig"], json!({ "temperature": 0.5, "topK": 4 }));
    // Headers of the connection cannot be set, and an unset variable is named.
    let host = Vendor { config: ", headers: { Host: h }", ..of("openai") };
    host.run(&server, "", SUITE).run().ended(2).err("cannot send header `Host`");
    own("").run(&server, "", SUITE).run().ended(2).err("environment variable `TENANT_TOKEN` is not set");
}

#[test]
fn a_judge_and_embeddings_can_come_from_any_vendor_that_has_them() {
    for vendor in VENDORS {
        let verdict = json!({ "reasoning": "good", "score": 9 });
        let text = vendor.answer(&verdict.to_string(), Stop::Whole, None).to_string();
        let called = vendor.answer("", Stop::Whole, Some(("verdict", verdict))).to_string();
        for (form, body) in [("schema", text), ("call", called)] {
            let server = Server::plain(move |asked| {
                let written = asked.body.to_string();
                let has_schema =
                    ["json_schema", "responseJsonSchema"].iter().any(|name| written.contains(name));
                let has_schema = has_schema && !written.contains("parametersJsonSchema");
                if form == "call" && has_schema {
                    return vendor.error(400, "json_schema and responseJsonSchema are not supported");
                }
                raw(200, &body)
            });
            let address = server.url.trim_end_matches("/v1");
            let config = format!(
                "grader: {{ provider: {0}, model: {1}, canaries: off }}\nproviders: {{ {0}: {{ baseUrl: \"{2}\"{3} }} }}\n",
                vendor.provider,
                vendor.model,
                if matches!(vendor.provider, "google" | "azure-openai") { address } else { &server.url },
                vendor.config,
            );
            let suite = "cases: [{ id: a, prompt: p, expected: { type: llm_grader, rubric: Kind?, threshold: 0.5 } }]\n";
            let akit = Akit::new(&["run", "s.yaml", "--replies", "r.jsonl", "--retries", "0"])
                .file("s.yaml", suite)
                .file("r.jsonl", "{\"id\":\"a\",\"reply\":\"hello\"}\n")
                .file("akit.yaml", config);
            let akit = if vendor.key.1.is_empty() { akit } else { akit.env(vendor.key.1, KEY) };
            let ran = akit.run();
            assert_eq!(ran.status, 0, "{} {form}: {}{}", vendor.name, ran.stdout, ran.stderr);
        }
        let vectors = match vendor.speech {
            Speech::Gemini => json!({ "embedding": { "values": [0.6, 0.8] } }),
            _ => json!({ "data": [{ "embedding": [0.6, 0.8] }], "model": vendor.model }),
        };
        let server = Server::plain(move |_| raw(200, &vectors.to_string()));
        let address = server.url.trim_end_matches("/v1");
        let config = format!(
            "grader: {{ provider: {0}, model: {1}, embeddingModel: e }}\nproviders: {{ {0}: {{ baseUrl: \"{2}\"{3} }} }}\n",
            vendor.provider,
            vendor.model,
            if matches!(vendor.provider, "google" | "azure-openai") { address } else { &server.url },
            vendor.config,
        );
        let akit = Akit::new(&["run", "s.yaml", "--replies", "r.jsonl", "--retries", "0"])
            .file("s.yaml", "cases: [{ id: a, prompt: p, expected: { type: similarity, value: hi } }]\n")
            .file("r.jsonl", "{\"id\":\"a\",\"reply\":\"hello\"}\n")
            .file("akit.yaml", config);
        let akit = if vendor.key.1.is_empty() { akit } else { akit.env(vendor.key.1, KEY) };
        if vendor.speech == Speech::Messages {
            akit.run()
                .ended(4)
                .out("provider `anthropic` has no embeddings")
                .out("openai, azure-openai, google");
        } else {
            akit.run().ended(0);
        }
    }
}

#[test]
fn unsupported_providers_are_read_and_get_help() {
    for (name, way) in [
        ("custom", "`provider: command`"),
        ("langchain", "`provider: http`"),
        ("deepagents", "`provider: http`"),
        ("vercel-ai", "`provider: http`"),
        ("cohere", "`provider: http`"),
        ("huggingface", "`provider: http`"),
    ] {
        let text = format!("provider: {name}\nmodel: m\n{SUITE}");
        let akit = |more: &[&str]| Akit::new(&["run", "s.yaml"]).args(more).file("s.yaml", &text);
        akit(&[])
            .run()
            .ended(2)
            .err(&format!("akit cannot call provider `{name}`"))
            .err(way)
            .err("s.yaml:1:11");
        akit(&["--replies", "r.jsonl"]).file("r.jsonl", "{\"id\":\"a\",\"reply\":\"ok\"}\n").run().ended(0);
        let server = Server::start(|_| Answer::Text("ok".to_owned()));
        akit(&["-p", "openai", "-m", "m", "--base-url", &server.url]).run().ended(0);
    }
    let help = Akit::new(&["run", "--help"]).run().ended(0);
    let schema = Akit::new(&["schema"]).run();
    for gone in ["langchain", "deepagents", "huggingface", "cohere"] {
        assert!(!help.stdout.contains(gone) && !schema.stdout.contains(gone), "{gone}");
    }
    assert!(help.stdout.contains("anthropic"), "{}", help.stdout);
}
