//! Errors point to the line of their cause, use plain words, and are reported once.

use std::io::Read as _;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::Akit;
use super::server::{Answer, Server};

/// Words of parsers and of Rust.
const FOREIGN: [&str; 24] = [
    "u64",
    "u32",
    "i64",
    "f64",
    "usize",
    "expected value",
    "at line",
    "EOF while",
    "invalid type",
    "missing field",
    "unknown field",
    "duplicate field",
    "trailing characters",
    "key must be a string",
    "lone leading",
    "hex escape",
    "while parsing",
    "while scanning",
    "did not find expected",
    "simple key",
    "not allowed in this context",
    "plain scalar",
    "serde",
    "(os error",
];

const CASES: &str = "cases:\n  - { id: a, prompt: p, expected: { type: contains, values: [x] } }\n";

#[track_caller]
fn in_plain_words(what: &str, texts: [&str; 2]) {
    for text in texts {
        // Text in backquotes is the user's own.
        let own = text
            .lines()
            .filter(|line| !line.trim_start().starts_with(|c: char| c.is_ascii_digit() || c == '|'));
        for line in own {
            let found = FOREIGN.iter().find(|word| line.contains(*word));
            assert!(found.is_none(), "{what}: {found:?} in {text}");
        }
    }
}

#[test]
fn broken_yaml_is_reported_in_plain_words_at_its_line() {
    let table = [
        ("cases:\n\t- id: a\n", "a tab where only spaces", 2),
        ("name: \"a\ncases: []\n", "a quote is never closed", 0),
        ("cases: [\n", "a bracket", 0),
        ("cases: [a b: c}\n", "", 1),
        ("name: a: b\n", "a `: ` where no value can start", 1),
        ("name: *nobody\n", "has no anchor", 1),
        ("name: a\n bad: b\n", "", 2),
        ("name: a\nbad\ncases: []\n", "", 0),
        ("name: \"a\\q\"\n", "`\\` in double quotes", 1),
        ("name: 'a' b\n", "", 1),
        ("- a\nb: c\n", "", 2),
        ("a: - b\n", "a `-` where no list can start", 1),
        ("a: !!!x y\n", "", 1),
        ("%x\n---\na: b\n", "", 0),
        ("a: b\n---\nc: d\n", "a second document starts here", 0),
        ("a: |\n  x\n y\n", "", 0),
        ("a: @b\n", "", 0),
        ("{a: b}}\n", "", 0),
        ("a: \"\\ud83d\"\n", "", 1),
    ];
    for (text, words, line) in table {
        for (name, arguments) in [("s.yaml", ["validate", "s.yaml"]), ("akit.yaml", ["validate", "t.yaml"])] {
            let ran = Akit::new(&arguments)
                .file(name, text)
                .file("t.yaml", format!("name: t\n{CASES}"))
                .run()
                .ended(2)
                .err(words);
            in_plain_words(text, [&ran.stdout, &ran.stderr]);
            if line > 0 {
                assert!(ran.stderr.contains(&format!("{name}:{line}:")), "{text}: {}", ran.stderr);
            }
        }
    }
}

#[test]
fn every_invalid_line_of_answers_is_reported_at_its_place() {
    let lines = [
        ("not json", "it is not JSON"),
        ("{\"id\":\"b\"", "its JSON is incomplete"),
        ("{\"id\":\"b\"}", "missing"),
        ("{\"id\":7,\"reply\":\"x\"}", "expected text, found the number `7`"),
        ("{\"id\":\"c\",\"reply\":null}", "expected text, found nothing"),
        (
            "{\"id\":\"d\",\"reply\":\"x\",\"usage\":{\"input_tokens\":null}}",
            "expected a whole number, found nothing",
        ),
        ("{\"id\":\"e\",\"reply\":\"x\",\"trial\":-1}", "the number `-1` is out of range"),
        ("{\"id\":\"f\",\"reply\":\"x\",\"answer\":\"y\"}", "unknown key `answer`"),
        ("[\"g\"]", "expected an object, found a list"),
        ("{\"id\":\"h\",\"reply\":\"x\"}{}", "text after its JSON"),
        ("{\"id\":\"i\",\"reply\":\"\\ud800\"}", "half of a character"),
        ("{\"id\":\"a\",\"reply\":\"again\"}", "this is a second answer for case `a`"),
    ];
    let text = format!("{{\"id\":\"a\",\"reply\":\"x\"}}\n\n{}\n", lines.map(|(line, _)| line).join("\n"));
    let ran = Akit::new(&["run", "s.yaml", "--replies", "r.jsonl"])
        .file("s.yaml", CASES)
        .file("r.jsonl", text)
        .run()
        .ended(2)
        .err("nothing was sent");
    for (number, (line, words)) in (3..).zip(lines) {
        let place = format!(" r.jsonl:{number}:");
        let message = ran.stderr.split("error: ").find(|part| part.contains(&place));
        assert!(message.is_some_and(|message| message.contains(words)), "{line}: {}", ran.stderr);
    }
    assert_eq!(ran.stderr.matches("error: ").count(), lines.len(), "{}", ran.stderr);
    in_plain_words("replies", [&ran.stdout, &ran.stderr]);
}

#[test]
fn answers_without_a_case_are_reported() {
    let run = |replies: &str| {
        Akit::new(&["run", "s.yaml", "--replies", "r.jsonl"])
            .file("s.yaml", CASES)
            .file("r.jsonl", replies)
            .run()
            .ended(0)
    };
    let line = |id: &str| format!("{{\"id\":\"{id}\",\"reply\":\"x\"}}\n");
    let message = run(&[line("a"), line("a "), line("order-9"), line("A")].concat());
    let warning =
        "3 lines of r.jsonl match no case here: line 2 (`a `: did you mean `a`?), line 3 (`order-9`), line 4";
    assert!(message.stderr.contains(warning), "{}", message.stderr);
    assert!(!run(&line("a")).stderr.contains("match no case here"));
    // This line belongs to another scenario.
    let other = "{\"id\":\"a\",\"scenario\":\"other\",\"reply\":\"x\"}\n";
    run(&(line("a") + other)).err("1 line of r.jsonl match no case here: line 2");
}

#[test]
fn other_broken_files_are_reported_in_plain_words() {
    let suite = || Akit::new(&[]).file("s.yaml", CASES).file("r.jsonl", "{\"id\":\"a\",\"reply\":\"x\"}\n");
    let texts = [
        "",
        "{",
        "[]",
        "7",
        "not json",
        "{}",
        "{\"schema\":7}",
        "{\"schema\":\"akit.run/2\",\"cases\":7}",
        "{\"schema\":\"akit.run/2\",\"cases\":[{\"id\":null}]}",
    ];
    for text in texts {
        for arguments in [
            &["run", "s.yaml", "--replies", "r.jsonl", "--baseline", "f.json"][..],
            &["report", "f.json"],
            &["compare", "f.json", "f.json"],
            &["baseline", "show", "--baseline", "f.json"],
            &["calibrate", "f.json", "--grader-model", "j"],
            &["cache", "import", "f.json"],
        ] {
            let ran = suite().args(arguments).file("f.json", text).run();
            in_plain_words(&format!("{arguments:?} {text}"), [&ran.stdout, &ran.stderr]);
        }
    }
    let ran = suite()
        .args(&["run", "s.yaml", "--replies", "r.jsonl"])
        .file("r.jsonl", b"\xff\xfe{\0\"\0".as_slice())
        .run()
        .ended(2)
        .err("the file is UTF-16");
    in_plain_words("UTF-16", [&ran.stdout, &ran.stderr]);
}

#[test]
fn a_reason_not_to_ask_a_case_is_reported_at_its_line() {
    let judged = "cases:\n  - { id: a, prompt: p, expected: { type: llm_grader, rubric: Be kind. } }\n";
    let table = [
        ("providerConfig:\n  baseUrl: nowhere\n  apiKey: k\nmodel: m\n", "", "s.yaml:2:12"),
        (
            "model: m\nproviderConfig:\n  baseUrl: http://127.0.0.1:1/v1\n  apiKey: ${NO_KEY}\n",
            "",
            "s.yaml:4:11",
        ),
        ("model: m\nprovider: anthropic\n", "", "s.yaml:2:11"),
        ("model: m\n", "project: p\nproviders:\n  openai:\n    baseUrl: ftp://x\n", "akit.yaml:4:14"),
        (
            "model: m\n",
            "providers:\n  openai:\n    apiKey: ${NO_KEY}\n    baseUrl: http://127.0.0.1:1/v1\n",
            "akit.yaml:3:13",
        ),
        ("provider: replies\n", "", "s.yaml:1:11"),
    ];
    for (head, config, place) in table {
        let akit = Akit::new(&["run", "s.yaml"]).file("s.yaml", format!("{head}{CASES}"));
        let akit = if config.is_empty() { akit } else { akit.file("akit.yaml", config) };
        akit.run().ended(2).err(&format!("--> {place}")).err("nothing was sent");
    }
    for (config, place) in [
        ("grader:\n  model: j\n  apiKey: k\n  baseUrl: nowhere\n", "akit.yaml:4:12"),
        ("grader:\n  model: j\n  baseUrl: http://127.0.0.1:1/v1\n  apiKey: ${NO_KEY}\n", "akit.yaml:4:11"),
        ("grader:\n  model: j\n  provider: google\n", "akit.yaml:3:13"),
    ] {
        Akit::new(&["run", "s.yaml", "--replies", "r.jsonl"])
            .file("s.yaml", judged)
            .file("akit.yaml", config)
            .file("r.jsonl", "{\"id\":\"a\",\"reply\":\"yes, of course\"}\n")
            .run()
            .ended(2)
            .err(&format!("--> {place}"))
            .err("nothing was sent");
    }
}

#[test]
fn errors_name_the_whole_address_and_report_each_cause_once() {
    let server =
        Server::start(|_| Answer::Raw(401, Vec::new(), b"{\"error\":{\"message\":\"bad key\"}}".to_vec()));
    let cases = (0..7)
        .map(|n| format!("  - {{ id: c{n}, prompt: p{n}, expected: {{ type: contains, values: [x] }} }}\n"));
    let suite = format!(
        "model: m\nproviderConfig:\n  apiKey: k-123456789\n  baseUrl: {}/deep?key=hidden\ncases:\n{}",
        server.url,
        cases.collect::<String>()
    );
    let ran = Akit::new(&["run", "s.yaml", "-c", "1"]).file("s.yaml", suite).run().ended(4);
    assert_eq!(
        ran.stdout.matches("bad key").count(),
        2,
        "one error for the request and one for the others: {}",
        ran.stdout
    );
    let ran = ran.out("ERRORED 6 cases: not asked: ").out("s.yaml:3");
    let ran = ran.out(&format!("{}/deep/chat/completions answered 401: bad key", server.url));
    assert!(!ran.stdout.contains("hidden"), "{}", ran.stdout);
    let missing = Server::start(|_| Answer::Raw(404, Vec::new(), b"{}".to_vec()));
    Akit::new(&["run", "s.yaml", "-m", "gtp-9", "--base-url", &missing.url])
        .file("s.yaml", CASES)
        .run()
        .ended(4)
        .out("check the address (from `--base-url`) and the model `gtp-9`");
}

#[test]
fn a_dead_proxy_is_named_as_the_proxy() {
    let suite =
        "model: m\nproviderConfig: { baseUrl: http://models.invalid/v1, apiKey: k }\n".to_owned() + CASES;
    for (name, value) in [
        ("HTTP_PROXY", "http://u:s3cret@127.0.0.1:1"),
        ("http_proxy", "127.0.0.1:1"),
        ("ALL_PROXY", "http://127.0.0.1:1"),
    ] {
        let ran = Akit::new(&["run", "s.yaml", "--retries", "0"])
            .env(name, value)
            .file("s.yaml", &suite)
            .run()
            .ended(4);
        let ran = ran.out("the proxy 127.0.0.1:1 (from ").out(&name.to_uppercase());
        assert!(!ran.stdout.contains("s3cret"), "{}", ran.stdout);
    }
    let direct =
        "model: m\nproviderConfig: { baseUrl: http://127.0.0.1:1/v1, apiKey: k }\n".to_owned() + CASES;
    let ran = Akit::new(&["run", "s.yaml", "--retries", "0"])
        .env("HTTP_PROXY", "http://127.0.0.1:2")
        .env("NO_PROXY", "127.0.0.1")
        .file("s.yaml", direct)
        .run()
        .ended(4);
    assert!(!ran.stdout.contains("the proxy"), "{}", ran.stdout);
}

/// A proxy on another machine would resolve the address there, and would see the key.
#[test]
fn local_addresses_bypass_the_proxy() {
    let answering = |text: &'static str| Server::start(move |_| Answer::Text(text.to_owned()));
    let (server, proxy) = (answering("fine"), answering("from the proxy"));
    let through = proxy.url.trim_end_matches("/v1");
    for host in
        ["localhost", "127.0.0.1", "127.1", "127.0.0.2", "[::ffff:127.0.0.1]", "LOCALHOST", "localhost."]
    {
        let url = server.url.replace("127.0.0.1", host);
        let mut akit =
            Akit::new(&["run", "s.yaml", "-m", "m", "--retries", "0", "--cache", "off", "--base-url", &url]);
        for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
            akit = akit.env(name, through);
        }
        let ran = akit.env("OPENAI_API_KEY", "k").file("s.yaml", CASES).run();
        assert!(!ran.stdout.contains("the proxy"), "{host}: {}", ran.stdout);
    }
    assert!(server.asked().len() > 3, "{}", server.asked().len());
    assert_eq!(proxy.asked().len(), 0);
    // The same proxy is used for other addresses.
    let akit =
        Akit::new(&["run", "s.yaml", "-m", "m", "--cache", "off", "--base-url", "http://models.invalid/v1"]);
    akit.env("HTTP_PROXY", through).env("OPENAI_API_KEY", "k").file("s.yaml", CASES).run();
    assert!(!proxy.asked().is_empty());
}

/// A self-signed certificate and its key, used only in this test.
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\n\
    MIIBszCCAVigAwIBAgIUIE9Eke4owFlWWjy2g5/9+4c/URgwCgYIKoZIzj0EAwIw\n\
    JDEiMCAGA1UEAwwZYWtpdCB0ZXN0IG9mIGNlcnRpZmljYXRlczAgFw0yNjExMjkx\n\
    NTQ0MDZaGA8yMTI2MTEwNTE1NDQwNlowJDEiMCAGA1UEAwwZYWtpdCB0ZXN0IG9m\n\
    IGNlcnRpZmljYXRlczBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABMk6bK/3jHFN\n\
    WbOwn/oW9G8Tu9Y3n+Emse6cd4KhG885RnBa83I+8ijSrTihcpXkUoPklFelZj6f\n\
    T9GNccklsCijZjBkMB0GA1UdDgQWBBTrA69LUBTdORIdLi5divX25yoECjAfBgNV\n\
    HSMEGDAWgBTrA69LUBTdORIdLi5divX25yoECjAUBgNVHREEDTALgglsb2NhbGhv\n\
    c3QwDAYDVR0TAQH/BAIwADAKBggqhkjOPQQDAgNJADBGAiEA+K+g5twjnlyrk+vR\n\
    OQ5hTnRJWt6QI1sADgVqp7PX3RMCIQCEBlDnJCa45Pg5JAwCsvm+o3qrDEazuIRr\n\
    iD8fu2FeiQ==\n\
    -----END CERTIFICATE-----\n";
const CERTIFICATE_KEY: &str = "-----BEGIN PRIVATE KEY-----\n\
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgOFQ+XjeWR6clzylZ\n\
    lnv+jbgbzXCn12rzWkVaqbt1PyahRANCAATJOmyv94xxTVmzsJ/6FvRvE7vWN5/h\n\
    JrHunHeCoRvPOUZwWvNyPvIo0q04oXKV5FKD5JRXpWY+n0/RjXHJJbAo\n\
    -----END PRIVATE KEY-----\n";

#[test]
fn an_untrusted_certificate_is_not_retried() {
    let chain = vec![CertificateDer::from_pem_slice(CERTIFICATE.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(CERTIFICATE_KEY.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config =
        rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(config.with_no_client_auth().with_single_cert(chain, key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let count = Arc::new(AtomicUsize::new(0));
    let tries = Arc::clone(&count);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            tries.fetch_add(1, Ordering::SeqCst);
            let mut server = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let _ = rustls::Stream::new(&mut server, &mut stream).read(&mut [0; 16]);
        }
    });
    let url = format!("https://localhost:{port}/v1");
    let ran =
        Akit::new(&["run", "s.yaml", "-m", "m", "--base-url", &url]).file("s.yaml", CASES).run().ended(4);
    let ran =
        ran.out("the certificate of https://localhost:").out("its issuer is not trusted on this machine");
    ran.out("--ca-bundle FILE").out("SSL_CERT_FILE");
    assert_eq!(count.load(Ordering::SeqCst), 1);
}
