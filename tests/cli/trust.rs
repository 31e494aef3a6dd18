//! A scenario file does not decide who receives API keys: an address in it gets them only if a flag, the
//! configuration
//! or the environment names the same server. The test server acts as a proxy, so that requests to made-up hosts
//! arrive.

use super::Akit;
use super::akit::Ran;
use super::server::{Answer, Server};

const CASE: &str =
    "cases:\n  - id: a\n    prompt: Hello SECRET\n    expected: { type: contains, values: [ok] }\n";

struct Proxy(Server);

impl Proxy {
    fn start() -> Self {
        Self(Server::start(|_| Answer::Text("ok".to_owned())))
    }

    /// Runs a scenario for `http://llm.example/v1` with an API key in the environment.
    fn run(&self, scenario: &str, config: &str, flags: &[&str], environment: &[(&str, &str)]) -> Ran {
        let head = "provider: openai\nmodel: m\nproviderConfig:\n  baseUrl: http://llm.example/v1\n";
        let akit = Akit::new(&["run", "s.yaml", "--retries", "0"])
            .args(flags)
            .file("akit.yaml", config)
            .file(
                "s.yaml",
                if scenario.contains("cases") {
                    scenario.to_owned()
                } else {
                    format!("{head}{scenario}{CASE}")
                },
            )
            .env("HTTP_PROXY", self.0.url.trim_end_matches("/v1"))
            .env("OTHER", "sk-other-key");
        environment.iter().fold(akit, |akit, (name, value)| akit.env(name, value)).run()
    }

    /// Where the only request went, and with which key and organization.
    fn sent(self) -> (String, Option<String>, Option<String>) {
        let asked = self.0.asked();
        assert_eq!(asked.len(), 1);
        let header = |name| asked[0].header(name).map(str::to_owned);
        (asked[0].path.clone(), header("authorization"), header("openai-organization"))
    }
}

const KEY: (&str, &str) = ("OPENAI_API_KEY", "sk-env-key");
const ORGANIZATION: (&str, &str) = ("OPENAI_ORGANIZATION", "org-env");

#[test]
fn a_server_that_only_the_scenario_names_gets_no_key() {
    let proxy = Proxy::start();
    let refused = |scenario: &str, config: &str, environment: &[(&str, &str)], what: &str| {
        let ran = proxy.run(scenario, config, &[], environment).ended(2).err("nothing was sent");
        let ran = ran.err(&format!("{what} is not sent to http://llm.example: only the scenario names"));
        assert!(!ran.stderr.contains("sk-"), "{}", ran.stderr);
        ran
    };
    let key = "the key of provider `openai`";
    refused("", "", &[KEY], key)
        .err("s.yaml:4:12")
        .err("providers: { openai: { trustedOrigins: [\"http://llm.example\"] } }")
        .err("`--base-url`");
    refused("", "providers: { openai: { apiKey: sk-config } }\n", &[], key);
    refused("", "providers: { openai: { apiKey: \"${OTHER}\" } }\n", &[], key);
    refused("  apiKey: ${OTHER}\n", "", &[], "the value of environment variable `OTHER`");
    refused(
        "  apiKey: ${OPENAI_API_KEY}\n",
        "",
        &[KEY],
        "the value of environment variable `OPENAI_API_KEY`",
    );
    for other in ["https://llm.example", "http://llm.example:81", "http://llm.example.org", "http://example"]
    {
        refused("", &format!("providers: {{ openai: {{ trustedOrigins: [\"{other}\"] }} }}\n"), &[KEY], key);
        refused("", &format!("providers: {{ openai: {{ baseUrl: \"{other}/v1\" }} }}\n"), &[KEY], key);
    }
    // Trust granted for another provider does not apply.
    let other = "providers: { ollama: { trustedOrigins: [\"http://llm.example\"] } }\n";
    refused("", other, &[KEY], key);
    assert_eq!(proxy.0.asked().len(), 0);
}

#[test]
fn nor_does_it_get_other_variables_of_the_environment() {
    let proxy = Proxy::start();
    let head = "provider: ollama\nmodel: m\nproviderConfig: { baseUrl: \"http://llm.example/v1\" }\n";
    for scenario in [
        format!("{head}{}", CASE.replace("SECRET", "${OTHER}")),
        format!("{}{CASE}", head.replace("/v1", "/${OTHER}/v1")),
        format!("{}{CASE}", head.replace("model: m", "model: m-${OTHER:-x}")),
        format!("{head}variables: {{ x: \"${{OTHER}}\" }}\n{CASE}"),
    ] {
        let ran = proxy.run(&scenario, "", &[], &[]).ended(2);
        ran.err("the value of environment variable `OTHER` is not sent to http://llm.example:");
    }
    assert_eq!(proxy.0.asked().len(), 0);
    // A replay sends nothing, so nothing can go to the wrong place.
    proxy.run("", "", &["--replay"], &[KEY]).ended(4).out("not in the cache");
}

#[test]
fn a_server_named_by_the_user_gets_the_key() {
    let url = "http://llm.example/v1/chat/completions".to_owned();
    let sent = |config: &str, environment: &[(&str, &str)]| {
        let proxy = Proxy::start();
        proxy.run("", config, &[], environment).ended(0);
        proxy.sent()
    };
    let env = (url.clone(), Some("Bearer sk-env-key".to_owned()), Some("org-env".to_owned()));
    let trusted =
        "providers: { openai: { trustedOrigins: [\"https://a.example\", \"http://llm.example/\"] } }\n";
    assert_eq!(sent(trusted, &[KEY, ORGANIZATION]), env);
    let configured = "providers: { openai: { baseUrl: \"http://LLM.example:80/other\" } }\n";
    assert_eq!(sent(configured, &[KEY, ORGANIZATION]), env);
    assert_eq!(sent("", &[KEY, ORGANIZATION, ("OPENAI_BASE_URL", "http://llm.example")]), env);

    let proxy = Proxy::start();
    proxy.run("", "", &["--base-url", "http://flag.example/v1"], &[KEY]).ended(0);
    let (to, key, _) = proxy.sent();
    assert_eq!(
        (to.as_str(), key.as_deref()),
        ("http://flag.example/v1/chat/completions", Some("Bearer sk-env-key"))
    );
}

#[test]
fn a_server_that_needs_no_key_is_asked() {
    let proxy = Proxy::start();
    proxy.run("  apiKey: sk-own\n", "", &[], &[KEY, ORGANIZATION]).ended(0);
    let (_, key, organization) = proxy.sent();
    assert_eq!((key.as_deref(), organization), (Some("Bearer sk-own"), None));
    let proxy = Proxy::start();
    proxy.run("", "providers: { openai: { organization: org-config } }\n", &[], &[ORGANIZATION]).ended(0);
    let (_, key, organization) = proxy.sent();
    assert_eq!((key, organization), (None, None));
}

/// A vendor's variables are only for that vendor: key, organization and address.
#[test]
fn variables_of_a_vendor_go_only_to_that_vendor() {
    let server = Server::start(|_| Answer::Text("ok".to_owned()));
    let judged = "cases: [{ id: a, prompt: p, expected: { type: contains, values: [ok] } }]\n";
    for provider in ["ollama", "openai"] {
        Akit::new(&["run", "s.yaml", "-p", provider, "-m", "m", "--base-url", &server.url])
            .file("s.yaml", judged)
            .env("OPENAI_API_KEY", "sk-env-key")
            .env("OPENAI_ORGANIZATION", "org-secret")
            .run()
            .ended(0);
    }
    let asked = server.asked();
    let of = |at: usize| (asked[at].header("authorization"), asked[at].header("openai-organization"));
    assert_eq!(of(0), (None, None));
    assert_eq!(of(1), (Some("Bearer sk-env-key"), Some("org-secret")));
    // An organization configured for a provider is sent to it.
    Akit::new(&["run", "s.yaml", "-p", "ollama", "-m", "m", "--base-url", &server.url])
        .file("s.yaml", judged)
        .file("akit.yaml", "providers: { ollama: { organization: own } }\n")
        .run()
        .ended(0);
    assert_eq!(server.asked()[2].header("openai-organization"), Some("own"));
}

#[test]
fn only_a_configuration_grants_trust_and_only_to_servers() {
    let proxy = Proxy::start();
    let own = "  trustedOrigins: [\"http://llm.example\"]\n";
    proxy.run(own, "", &[], &[KEY]).ended(2).err("`trustedOrigins`").err("s.yaml:5:3");
    for wrong in ["llm.example", "http://llm.example/v1", "*", "https://*.example/x"] {
        let config = format!("providers: {{ openai: {{ trustedOrigins: [\"{wrong}\"] }} }}\n");
        proxy.run("", &config, &[], &[]).ended(2).err("is not a scheme and host").err("akit.yaml:1:");
    }
    assert_eq!(proxy.0.asked().len(), 0);
}

/// Messages do not show secrets: values of variables, passwords in URLs.
#[test]
fn messages_show_no_secret() {
    let suite = |head: &str, expected: &str| {
        format!("name: s\n{head}cases:\n  - {{ id: a, prompt: x, expected: {expected} }}\n")
    };
    let fine = "{ type: exact, value: x }";
    let variables = [
        "{ type: '${KEY}' }",
        "{ type: regex, pattern: '${KEY}(' }",
        "{ type: exact, value: x, threshold: '${KEY}' }",
    ]
    .map(|expected| suite("", expected));
    let heads = [
        "provider: '${KEY}'\n",
        "provider: openai\nmodel: m\nproviderConfig: { baseUrl: '${KEY}' }\n",
        "provider: openai\nmodel: m\nproviderConfig: { baseUrl: 'http://u:sk-S3cr3t@[::1/v1' }\n",
        "provider: openai\nmodel: m\nproviderConfig: { baseUrl: 'ht!tp://sk-S3cr3t:x@h', retires: 1 }\n",
    ];
    for text in variables.into_iter().chain(heads.map(|head| suite(head, fine))) {
        for command in [&["validate", "s.yaml"] as &[&str], &["run", "s.yaml", "--retries", "0"]] {
            let akit = Akit::new(command).file("s.yaml", text.clone()).env("OPENAI_API_KEY", "k");
            let ran = akit.env("KEY", "sk-S3cr3t-1234567890").run();
            assert!(command[0] == "validate" || ran.status == 2, "{text}: {}", ran.stderr);
            let said = format!("{}{}", ran.stdout, ran.stderr);
            assert!(!said.contains("S3cr3t"), "{text}: {said}");
        }
    }
}

#[test]
fn a_key_over_plain_http_is_warned_about_once() {
    let suite = "name: s\ncases:\n  - { id: a, prompt: x, expected: { type: exact, value: x } }\n";
    let said = |url: &str, key: &str| {
        let run = ["run", "s.yaml", "-m", "m", "--retries", "0", "--base-url", url];
        let ran = Akit::new(&run).file("s.yaml", suite).env("OPENAI_API_KEY", key).run();
        ran.stderr.matches("the key for").count()
    };
    // Another address of this machine, where nothing listens.
    assert_eq!(said("http://127.0.0.2:1/v1", "k"), 1);
    assert_eq!(said("https://127.0.0.2:1/v1", "k"), 0);
    assert_eq!(said("http://127.0.0.1:1/v1", "k"), 0);
    assert_eq!(said("http://127.0.0.2:1/v1", ""), 0);
}
