//! API keys of an application behind HTTP: none is shown, and hiding them does not change the results.

use serde_json::json;

use super::Akit;
use super::bot::{json, typed};
use super::replies::outcomes;
use super::server::{Answer, Asked, Server};

const KEY: &str = "S3CR3T-abc/999";

fn echo(asked: &Asked) -> String {
    format!("you sent {} {} {:?}", asked.body, asked.path, asked.headers)
}

/// A provider configuration, by name.
type Bot = (&'static str, fn(&Asked) -> Answer);

/// The configuration, with `URL` for the server, and the value of `K`.
type Config = (&'static str, &'static str);

#[test]
fn a_key_is_not_shown_wherever_it_was_configured() {
    let bots: [Bot; 5] = [
        ("fine", |_| json(json!({ "a": "Hello" }))),
        ("repeats it next to the answer", |asked| json(json!({ "a": "Hello", "debug": echo(asked) }))),
        ("repeats it", |asked| json(json!({ "a": format!("Hello, {}", echo(asked)) }))),
        ("fails", |asked| Answer::Raw(500, vec![], echo(asked).into_bytes())),
        ("answers otherwise", |asked| json(json!({ "z": echo(asked) }))),
    ];
    let basic = concat!("user:", "S3CR3T-abc/999");
    let configs: [Config; 9] = [
        ("{ url: \"URL/chat?key=${K}\", body: { t: \"{{prompt}}\" }, answer: /a }", KEY),
        ("{ url: \"URL/chat?u=1&api_key=${K}\", body: { t: \"{{prompt}}\" }, answer: /a }", "abc123"),
        ("{ url: \"URL/bot${K}/send\", body: { t: \"{{prompt}}\" }, answer: /a }", KEY),
        ("{ url: \"URL/c\", body: { t: \"{{prompt}}\", deep: [{ api_key: \"${K}\" }] }, answer: /a }", KEY),
        ("{ url: \"URL/c\", body: { t: \"{{prompt}}\", who: \"${K}\" }, answer: /a }", KEY),
        (
            "{ url: \"URL/c\", headers: { Authorization: \"Bearer ${K}\" }, body: { t: \"{{prompt}}\" }, answer: /a }",
            KEY,
        ),
        ("{ url: \"URL/c\", headers: { X-Tenant: \"${K}\" }, body: { t: \"{{prompt}}\" }, answer: /a }", KEY),
        ("{ url: \"URL/c\", apiKey: \"${K}\", body: { t: \"{{prompt}}\" }, answer: /a }", KEY),
        ("{ url: \"URL/c\", apiKey: \"${K}\", auth: basic, body: { t: \"{{prompt}}\" }, answer: /a }", basic),
    ];
    for (config, key) in configs {
        for (what, bot) in bots {
            let server = Server::plain(bot);
            let config = config.replace("URL", &server.url.replace("/v1", ""));
            let suite = format!(
                "name: s\nprovider: http\nproviderConfig: {config}\ncases: [{{ id: n, prompt: hello there, expected: {{ type: contains, values: [Hello] }} }}]\n"
            );
            let reports = [
                "--json",
                "run.json",
                "--html",
                "p.html",
                "--markdown",
                "m.md",
                "--junit",
                "j.xml",
                "--sarif",
                "x.sarif",
            ];
            let ran = Akit::new(&["run", "s.yaml", "--retries", "0", "-v"])
                .args(&reports)
                .env("K", key)
                .file("s.yaml", &suite)
                .run();
            assert!(!server.asked().is_empty(), "{config}: {}", ran.stderr);
            let sent = echo(&server.asked()[0]);
            let all = [ran.stdout.clone(), ran.stderr.clone(), ran.all(".")].concat();
            let bare = key.rsplit(':').next().unwrap();
            // A short key could be an ordinary word of an answer.
            let is_word = bare.len() < 8;
            for shown in [bare.to_owned(), bare.replace('/', "%2F"), "dXNlcjpTM0NSM1QtYWJj".to_owned()] {
                let lines: Vec<_> = all.lines().filter(|line| line.contains(&shown)).collect();
                assert!(
                    lines.is_empty() || (is_word && what == "repeats it"),
                    "{what}, {config}: {shown}\n{}",
                    lines.join("\n")
                );
            }
            let passed = outcomes(&ran.json("run.json")) == ["n passed"];
            let repeats = sent.contains(bare) || sent.contains("dXNlcjpTM0NSM1Q");
            assert!(repeats, "{config}: {sent}");
            assert_eq!(
                passed,
                what.starts_with("fine")
                    || what.ends_with("next to the answer")
                    || (is_word && what == "repeats it"),
                "{what}, {config}\n{}",
                ran.stdout
            );
            if what == "repeats it" && !is_word {
                assert!(all.contains("contains a key that was passed to akit"), "{config}\n{}", ran.stdout);
            }
        }
    }
    // Nothing listens there; errors show the variable's name in place of its value.
    let suite = "name: s\nprovider: http\nproviderConfig: { url: \"http://127.0.0.1:1/bot${K}/send\", body: { t: \"{{prompt}}\" }, answer: /a }\ncases: [{ id: n, prompt: x, expected: { type: contains, values: [Hello] } }]\n";
    let ran =
        Akit::new(&["run", "s.yaml", "--retries", "0"]).env("K", KEY).file("s.yaml", suite).run().ended(4);
    assert!(
        ran.stdout.contains("127.0.0.1:1/bot${K}/send") && !ran.stdout.contains("S3CR3T"),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_new_value_in_the_url_is_another_record_and_a_new_key_is_not() {
    for (name, same) in [("BOT_KEY", true), ("TENANT", false)] {
        let server = Server::plain(|_| json(json!({ "a": "Hello" })));
        let suite = format!(
            "name: s\nprovider: http\nproviderConfig: {{ url: \"{}/t/${{{name}}}/c\", body: {{ t: \"{{{{prompt}}}}\" }}, answer: /a }}\ncases: [{{ id: n, prompt: x, expected: {{ type: contains, values: [Hello] }} }}]\n",
            server.url.replace("/v1", "")
        );
        let first = Akit::new(&["run", "s.yaml", "--cache", "auto"])
            .env(name, "customer-2024-eu")
            .file("s.yaml", &suite)
            .run()
            .ended(0);
        first.then(&["run", "s.yaml", "--cache", "auto"]).env(name, "customer-2025-us").run();
        assert_eq!(server.asked().len(), if same { 1 } else { 2 }, "{name}");
    }
}

#[test]
fn hiding_keys_does_not_change_results() {
    let configs = [
        ", apiKey: \"refunds:pw12345678\", auth: basic",
        ", apiKey: refunds",
        ", headers: { X-Api-Key: refunds }",
        ", headers: { X-Tenant-Key: \"${TEN}\" }",
        ", headers: { Authorization: \"Bearer ${TEN}\" }",
    ];
    for config in configs {
        let server = Server::plain(|_| typed("text/plain", "We give refunds today"));
        for (expected, outcome) in [
            ("{ type: not_contains, values: [refunds] }", "n failed"),
            ("{ type: contains, values: [refunds] }", "n passed"),
        ] {
            let ran = Akit::new(&["run", "s.yaml", "--json", "run.json", "--cache", "off"])
                .env("TEN", "refunds")
                .file("s.yaml", format!("name: s\nprovider: http\nproviderConfig: {{ url: \"{}\", body: {{ t: \"{{{{prompt}}}}\" }}{config} }}\ncases: [{{ id: n, prompt: x, expected: {expected} }}]\n", server.url))
                .run();
            assert_eq!(outcomes(&ran.json("run.json")), [outcome], "{config}\n{}{}", ran.stdout, ran.stderr);
        }
    }
}

#[test]
fn a_key_in_a_url_from_the_environment_is_not_shown() {
    let bots: [Bot; 4] = [
        ("fine", |_| json(json!({ "a": "Hello" }))),
        ("repeats it", |asked| json(json!({ "a": format!("Hello, {}", echo(asked)) }))),
        ("fails", |asked| Answer::Raw(500, vec![], echo(asked).into_bytes())),
        ("answers otherwise", |asked| json(json!({ "z": echo(asked) }))),
    ];
    let addresses = [
        ("/chat?key=S3CR3T-abc999", "S3CR3T-abc999", "${BOT_URL}"),
        ("/?u=1&access_token=secretword-2024x&v=2", "secretword-2024x", "${BOT_URL}"),
        ("/chat?x=Zq9x8w7v6u5t", "Zq9x8w7v6u5t", "${BOT_URL}"),
        ("/bot123456:AAH-abcdefgh/send", "123456:AAH-abcdefgh", "${BOT_URL}/chat"),
        ("/hooks/x1y2z3x1y2z3", "x1y2z3x1y2z3", "${BOT_URL}"),
    ];
    for (behind, key, url) in addresses {
        for (what, bot) in bots {
            let server = Server::plain(bot);
            let suite = format!(
                "name: s\nprovider: http\nproviderConfig: {{ url: \"{url}\", body: {{ t: \"{{{{prompt}}}}\" }}, answer: /a }}\ncases: [{{ id: n, prompt: hello there, expected: {{ type: contains, values: [Hello] }} }}]\n"
            );
            let address = server.url.replace("/v1", "") + behind;
            let reports =
                ["--json", "run.json", "--html", "p.html", "--junit", "j.xml", "--sarif", "x.sarif"];
            let ran = Akit::new(&["run", "s.yaml", "--retries", "0", "-v", "--cache", "record"])
                .args(&reports)
                .env("BOT_URL", &address)
                .file("s.yaml", &suite)
                .run();
            assert!(server.asked()[0].path.contains(key), "{:?}", server.asked()[0].path);
            let all = [ran.stdout.clone(), ran.stderr.clone(), ran.all(".")].concat();
            let lines: Vec<_> = all.lines().filter(|line| line.contains(key)).collect();
            assert!(lines.is_empty(), "{what}, {behind}:\n{}", lines.join("\n"));
            assert_eq!(outcomes(&ran.json("run.json")) == ["n passed"], what == "fine", "{what}, {behind}");
        }
    }
    // A password in a URL is refused and not shown.
    let suite = "name: s\nprovider: http\nproviderConfig: { url: \"${BOT_URL}\", body: { t: \"{{prompt}}\" }, answer: /a }\ncases: [{ id: n, prompt: x, expected: { type: contains, values: [Hello] } }]\n";
    let ran = Akit::new(&["run", "s.yaml", "--retries", "0"])
        .env("BOT_URL", "http://ann:hunter22@127.0.0.1:1/chat")
        .file("s.yaml", suite)
        .run();
    assert!(ran.status == 2 && !(ran.stdout + &ran.stderr).contains("hunter22"));
}
