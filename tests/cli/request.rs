//! Requests over the wire: messages, parameters, headers, and which setting decides each.

use serde_json::{Value as Json, json};

use super::Akit;
use super::server::{Answer, Asked, Server};

fn echo() -> Server {
    Server::start(|asked| Answer::Text(format!("ok {}", asked.last_message())))
}

fn case(extra: &str) -> String {
    format!("cases:\n  - id: a\n    prompt: Hello\n    expected: {{ type: contains, values: [ok] }}\n{extra}")
}

/// Runs a scenario with a server and returns the only request.
fn asked(text: &str, configure: impl Fn(Akit, &Server) -> Akit) -> Asked {
    let server = echo();
    let akit = Akit::new(&["run", "s.yaml"]).file("s.yaml", text.replace("URL", &server.url));
    configure(akit, &server).run().ended(0);
    let asked = server.asked();
    assert_eq!(asked.len(), 1);
    asked[0].clone()
}

fn with_flags(text: &str, flags: &[&str]) -> Asked {
    asked(text, |akit, server| akit.args(&["-m", "m", "--base-url", &server.url]).args(flags))
}

#[test]
fn a_plain_case_sends_its_prompt_and_nothing_else() {
    let asked = with_flags(&case(""), &[]);
    assert_eq!(asked.path, "/v1/chat/completions");
    assert_eq!(asked.body, json!({ "model": "m", "messages": [{ "role": "user", "content": "Hello" }] }));
    assert_eq!(asked.header("content-type"), Some("application/json"));
    assert!(asked.header("user-agent").unwrap().starts_with("akit/"));
    assert_eq!((asked.header("authorization"), asked.header("openai-organization")), (None, None));
}

fn messages(text: &str) -> Vec<String> {
    let asked = with_flags(text, &[]);
    let messages = asked.body["messages"].as_array().unwrap().clone();
    let summary = |message: &Json| {
        format!("{}: {}", message["role"].as_str().unwrap(), message["content"].as_str().unwrap())
    };
    messages.iter().map(summary).collect()
}

#[test]
fn the_system_prompt_goes_first_unless_the_conversation_has_its_own() {
    let head = "variables: { bank: Nord }\nsetup: { systemPrompt: \"You are {{bank}}.\" }\n";
    let list =
        |turns: &str| format!("{head}{}", case("").replace("prompt: Hello", &format!("prompt: [{turns}]")));
    assert_eq!(messages(&format!("{head}{}", case(""))), ["system: You are Nord.", "user: Hello"]);
    let turns = "{ role: user, content: One }, { role: assistant, content: Two }, { role: user, content: \"{{bank}}?\" }";
    assert_eq!(
        messages(&list(turns)),
        ["system: You are Nord.", "user: One", "assistant: Two", "user: Nord?"]
    );
    let own = "{ role: system, content: Mine }, { role: user, content: One }";
    assert_eq!(messages(&list(own)), ["system: Mine", "user: One"]);
}

#[test]
fn parameters_of_the_scenario_go_along() {
    let asked = with_flags(&format!("temperature: 0.5\nmaxTokens: 64\nseed: 7\n{}", case("")), &[]);
    assert_eq!(
        (asked.body["temperature"].as_f64(), asked.body["max_tokens"].as_u64()),
        (Some(0.5), Some(64))
    );
    let seed = asked.body["seed"].as_u64().unwrap();
    assert!(seed < 1 << 31, "{seed}");
    let again = with_flags(&case(""), &["--seed", "7"]);
    assert_eq!(again.body["seed"].as_u64(), Some(seed), "flag and key must mean the same");
    assert_ne!(with_flags(&case(""), &["--seed", "8"]).body["seed"].as_u64(), Some(seed));

    let limit = |model: &str| {
        let text = format!("maxTokens: 64\n{}", case(""));
        let body = asked_model(&text, model).body;
        (body["max_tokens"].as_u64(), body["max_completion_tokens"].as_u64())
    };
    assert_eq!(limit("gpt-5"), (None, Some(64)));
    assert_eq!(limit("gpt-5.1-mini"), (None, Some(64)));
    assert_eq!(limit("gpt-4o"), (Some(64), None));
}

fn asked_model(text: &str, model: &str) -> Asked {
    asked(text, |akit, server| akit.args(&["-m", model, "--base-url", &server.url]))
}

#[test]
fn functions_are_sent_as_tools() {
    let text = format!(
        "setup:\n  functions:\n    - {{ name: look_up, parameters: {{ type: object }} }}\n    \
         - {{ type: function, function: {{ name: block }} }}\n{}",
        case("")
    );
    let tools = with_flags(&text, &[]).body["tools"].clone();
    assert_eq!(
        tools,
        json!([
            { "type": "function", "function": { "name": "look_up", "parameters": { "type": "object" } } },
            { "type": "function", "function": { "name": "block" } },
        ])
    );
}

#[test]
fn keys_and_organizations_come_from_file_configuration_or_environment() {
    let in_file = "provider: openai\nproviderConfig: { apiKey: \"${MY_KEY}\", organization: org-file }\n";
    let header = |text: &str, configuration: &str, environment: &[(&str, &str)]| {
        let asked = asked(text, |mut akit, server| {
            for (name, value) in environment {
                akit = akit.env(name, value);
            }
            akit.args(&["-m", "m", "--base-url", &server.url]).file("akit.yaml", configuration)
        });
        let get = |name: &str| asked.header(name).unwrap_or("none").to_owned();
        (get("authorization"), get("openai-organization"))
    };
    let configured = "providers: { openai: { apiKey: key-in-config, organization: org-config } }\n";
    let environment =
        [("OPENAI_API_KEY", " key-in-env\n"), ("OPENAI_ORGANIZATION", "org-env"), ("MY_KEY", "mine")];
    let pair = |key: &str, organization: &str| (key.to_owned(), organization.to_owned());
    assert_eq!(
        header(&format!("{in_file}{}", case("")), configured, &environment),
        pair("Bearer mine", "org-file")
    );
    assert_eq!(header(&case(""), configured, &environment), pair("Bearer key-in-config", "org-config"));
    assert_eq!(header(&case(""), "", &environment), pair("Bearer key-in-env", "org-env"));
    assert_eq!(header(&case(""), "", &[]), pair("none", "none"));
}

#[test]
fn the_model_comes_from_flag_case_scenario_configuration_in_this_order() {
    // Each row removes the strongest setting of the previous row.
    let table: [(&[&str], &str, &str, &str, &str); 6] = [
        (&["-m", "flag"], "    model: case\n", "model: scenario\n", "model: config\n", "flag"),
        (&[], "    model: case\n", "model: scenario\n", "model: config\n", "case"),
        (&[], "", "model: scenario\n", "model: config\n", "scenario"),
        (&[], "", "providerConfig: { defaultModel: own }\n", "model: config\n", "own"),
        (&[], "", "", "model: config\nproviders: { openai: { defaultModel: deep } }\n", "config"),
        (&[], "", "", "providers: { openai: { defaultModel: deep } }\n", "deep"),
    ];
    for (flags, in_case, in_scenario, in_config, expected) in table {
        let asked = asked(&format!("{in_scenario}{}", case(in_case)), |akit, server| {
            akit.args(flags).args(&["--base-url", &server.url]).file("akit.yaml", in_config)
        });
        assert_eq!(asked.body["model"], expected);
    }
    Akit::new(&["run", "s.yaml", "--base-url", "http://127.0.0.1:9/v1"])
        .file("s.yaml", case(""))
        .run()
        .ended(2)
        .err("no model set for provider `openai`")
        .err("nothing was sent");
}

#[test]
fn the_model_of_the_configuration_applies_only_to_its_provider() {
    let config = "provider: openai\nmodel: gpt-4o\nproviders: { ollama: { defaultModel: deep } }\n";
    let model = |config: &str, scenario: &str, in_case: &str| {
        let asked = asked(&format!("{scenario}{}", case(in_case)), |akit, server| {
            akit.args(&["--base-url", &server.url]).file("akit.yaml", config)
        });
        asked.body["model"].as_str().unwrap().to_owned()
    };
    assert_eq!(model(config, "", ""), "gpt-4o");
    assert_eq!(model(config, "provider: openai\n", ""), "gpt-4o");
    assert_eq!(model("model: any\n", "provider: ollama\n", ""), "any");
    assert_eq!(model(config, "provider: ollama\n", ""), "deep");
    assert_eq!(model(config, "", "    provider: ollama\n"), "deep");
    Akit::new(&["run", "s.yaml"])
        .file("akit.yaml", "provider: openai\nmodel: gpt-4o\n")
        .file("s.yaml", format!("provider: ollama\n{}", case("")))
        .run()
        .ended(2)
        .err("no model set for provider `ollama`")
        .err("`model:` to the scenario");
}

#[test]
fn the_address_comes_from_flag_scenario_configuration_environment_in_this_order() {
    let right = echo();
    let wrong = "http://127.0.0.1:9/v1";
    let url = right.url.as_str();
    let scenario = |url: &str| format!("providerConfig: {{ baseUrl: \"{url}\" }}\n");
    let config = |url: &str| format!("providers: {{ openai: {{ baseUrl: \"{url}\" }} }}\n");
    let table = [
        (Some(url), scenario(wrong), config(wrong), wrong),
        (None, scenario(url), config(wrong), wrong),
        (None, String::new(), config(url), wrong),
        (None, String::new(), String::new(), url),
        (None, scenario(&format!("{url}/")), String::new(), wrong),
    ];
    for (flag, in_scenario, in_config, in_environment) in table {
        let flag = flag.map(|url| vec!["--base-url", url]).unwrap_or_default();
        Akit::new(&["run", "s.yaml", "-m", "m", "--retries", "0"])
            .args(&flag)
            .env("OPENAI_BASE_URL", in_environment)
            .file("akit.yaml", in_config)
            .file("s.yaml", format!("{in_scenario}{}", case("")))
            .run()
            .ended(0);
    }
    assert_eq!(right.asked().len(), 5);
}

#[test]
fn the_provider_comes_from_flag_case_scenario_configuration_in_this_order() {
    let refused = |flags: &[&str], in_case: &str, in_scenario: &str, in_config: &str| {
        let ran = Akit::new(&["run", "s.yaml", "-m", "m", "--base-url", "http://127.0.0.1:9/v1"])
            .args(flags)
            .file("akit.yaml", in_config)
            .file("s.yaml", format!("{in_scenario}{}", case(in_case)))
            .run()
            .ended(2)
            .err("nothing was sent");
        let (_, rest) = ran.stderr.split_once("akit cannot call provider `").unwrap();
        rest.split('`').next().unwrap().to_owned()
    };
    let (c, s, f) = ("    provider: custom\n", "provider: cohere\n", "provider: langchain\n");
    assert_eq!(refused(&["-p", "deepagents"], c, s, f), "deepagents");
    assert_eq!(refused(&[], c, s, f), "custom");
    assert_eq!(refused(&[], "", s, f), "cohere");
    assert_eq!(refused(&[], "", "", f), "langchain");
}

#[test]
fn a_misspelled_provider_gets_a_suggestion() {
    Akit::new(&["run", "s.yaml", "-p", "opnai"]).file("s.yaml", case("")).run().ended(2).err("openai");
}

#[test]
fn a_missing_key_is_reported_before_anything_is_sent() {
    let run = |head: &str, arguments: &[&str]| {
        Akit::new(&["run", "s.yaml", "-m", "m"])
            .args(arguments)
            .file("s.yaml", format!("{head}{}", case("")))
            .run()
    };
    run("", &[])
        .ended(2)
        .err("no key set for provider `openai`")
        .err("set OPENAI_API_KEY; without a key, `--replay`")
        .err("nothing was sent");
    Akit::new(&["run", "s.yaml", "-m", "m"])
        .env("CI", "true")
        .env("OPENAI_API_KEY", "")
        .file("s.yaml", case(""))
        .run()
        .ended(2)
        .err("set OPENAI_API_KEY in the pipeline's secrets");
    let head = "providerConfig: { apiKey: \"${MY_KEY}\", baseUrl: \"http://127.0.0.1:9/v1\" }\n";
    run(head, &[]).ended(2).err("environment variable `MY_KEY`, the key of `openai`, is not set");
    // A replay sends nothing, so the API key does not matter; the record is what is missing.
    run(head, &["--replay"]).ended(4).out("not in the cache");
    run("", &["--replay"]).ended(4).out("not in the cache");
    for (url, expected) in [
        ("ftp://127.0.0.1/v1", "it must start with http:// or https://"),
        ("127.0.0.1:8080/v1", "is not a usable address"),
        ("http://", "is not a usable address"),
        ("http://user:secret-pass@127.0.0.1/v1", "credentials do not belong in an address"),
    ] {
        let ran = run("", &["--base-url", url]).ended(2).err(expected).err("for example `http");
        assert!(!ran.stderr.contains("secret-pass"), "{}", ran.stderr);
    }
}

#[test]
fn a_case_with_another_provider_gets_neither_key_nor_address_of_the_scenario() {
    let (own, other) = (echo(), echo());
    let second = "  - id: b\n    prompt: Hi\n    provider: ollama\n    model: m\n    expected: { type: contains, values: [ok] }\n";
    let head = format!("model: m\nproviderConfig: {{ apiKey: sk-scenario, baseUrl: \"{}\" }}\n", own.url);
    Akit::new(&["run", "s.yaml"])
        .file("akit.yaml", format!("providers: {{ ollama: {{ baseUrl: \"{}\" }} }}\n", other.url))
        .file("s.yaml", format!("{head}{}{second}", case("")))
        .run()
        .ended(0);
    let keys = |server: &Server| {
        let asked = server.asked();
        asked.iter().map(|asked| asked.header("authorization").map(str::to_owned)).collect::<Vec<_>>()
    };
    assert_eq!(keys(&own), [Some("Bearer sk-scenario".to_owned())]);
    assert_eq!(keys(&other), [None]);
}
