//! Where API keys come from, and where they may not go.

use super::super::Akit;
use super::super::akit::Ran;
use super::super::server::{Answer, Server};
use super::{KEY, SUITE};

fn run(server: &Server, config: &str, more: impl FnOnce(Akit) -> Akit) -> Ran {
    let config = format!("providers: {{ openai: {{ baseUrl: \"{}\", {config} }} }}\n", server.url);
    let artifacts = ["--json", "r.json", "--html", "r.html", "--junit", "r.xml", "--sarif", "r.sarif"];
    let akit = Akit::new(&["run", "s.yaml", "-m", "m", "-v", "--markdown", "r.md", "--retries", "0"]);
    more(akit.args(&artifacts).file("s.yaml", SUITE).file("akit.yaml", config)).run()
}

/// A server that repeats what it receives.
fn parrot() -> Server {
    Server::start(|asked| Answer::Text(format!("ok {:?}", asked.headers)))
}

#[test]
fn a_key_may_be_in_a_file_or_be_printed_by_a_program_and_is_not_shown() {
    let server = parrot();
    let seen = |ran: &Ran| {
        let all = format!(
            "{}{}{}{}",
            ran.stdout,
            ran.stderr,
            ran.all(".akit"),
            ["r.json", "r.html", "r.xml", "r.sarif", "r.md"].map(|name| ran.read(name)).concat()
        );
        assert!(!all.contains(KEY), "{all}");
    };
    let ran = run(&server, "apiKeyFile: secret/key", |akit| akit.file("secret/key", format!("\n  {KEY}\n")));
    seen(&ran.ended(0));
    let ran = run(
        &server,
        &format!("apiKeyCommand: [printf, \"{KEY}\"]").replace(KEY, "%s-0123456789abcdef"),
        |akit| akit,
    )
    .ended(0);
    assert_eq!(server.asked()[1].header("authorization"), Some("Bearer -0123456789abcdef"));
    drop(ran);
    let ran = run(&server, "apiKeyCommand: [sh, -c, \"cat secret/key; echo called >> calls\"]", |akit| {
        akit.file("secret/key", KEY)
    })
    .ended(0);
    assert_eq!(ran.read("calls"), "called\n", "it must be called once");
    seen(&ran);
    assert!(
        server
            .asked()
            .iter()
            .skip(2)
            .all(|asked| asked.header("authorization") == Some(&*format!("Bearer {KEY}")))
    );
    // A replay sends nothing and reads no key.
    ran.then(&["run", "s.yaml", "-m", "m", "--replay"]).run().ended(5);
    assert_eq!(ran.read("calls"), "called\n");
}

#[test]
fn an_unavailable_key_is_reported_without_the_programs_output() {
    let server = parrot();
    for (config, words) in [
        ("apiKeyFile: nothing", "cannot read the key in `nothing`"),
        ("apiKeyFile: folder", "not a regular file"),
        ("apiKeyFile: empty", "it is empty"),
        ("apiKeyCommand: [no-such-program-at-all]", "cannot get the key from"),
        ("apiKeyCommand: [sh, -c, \"printf s3%s cret-key; exit 3\"]", "it failed"),
        ("apiKeyCommand: [sh, -c, \"printf s3%s cret-key >&2\"]", "it printed no key"),
    ] {
        let ran = run(&server, config, |akit| akit.file("folder/x", "").file("empty", " \n"))
            .ended(2)
            .err(words)
            .err("akit.yaml:");
        assert!(!ran.stderr.contains("s3cret") && !ran.stderr.contains("os error"), "{}", ran.stderr);
    }
    assert!(server.asked().is_empty());
}

#[cfg(unix)]
#[test]
fn a_signal_ends_akit_and_the_program_that_would_print_a_key() {
    use super::super::server::wait_until;
    use super::super::signal::{end, send};
    let server = parrot();
    let config = format!(
        "providers: {{ openai: {{ baseUrl: \"{}\", apiKeyCommand: [sh, -c, \"echo $$ > pid; exec sleep 60\"] }} }}\n",
        server.url
    );
    for (signal, status) in [("-INT", 130), ("-TERM", 143)] {
        let akit = Akit::new(&["run", "s.yaml", "-m", "m"]).file("s.yaml", SUITE).file("akit.yaml", &config);
        let akit = akit.env("PATH", &std::env::var("PATH").unwrap());
        let child = akit.command().spawn().unwrap();
        let (path, pid) = (akit.folder().join("pid"), std::cell::RefCell::new(String::new()));
        wait_until(|| {
            *pid.borrow_mut() = std::fs::read_to_string(&path).unwrap_or_default();
            pid.borrow().ends_with('\n')
        });
        send(&child, signal);
        akit.ran(end(child)).ended(status);
        let pid = pid.into_inner();
        let is_gone = || {
            !std::process::Command::new("kill").args(["-0", pid.trim()]).output().unwrap().status.success()
        };
        wait_until(is_gone);
    }
    assert!(server.asked().is_empty());
}

#[test]
fn a_scenario_cannot_name_a_key_file_or_program() {
    for key in ["apiKeyFile: /etc/hostname", "apiKeyCommand: [id]"] {
        let text = format!("providerConfig: {{ {key} }}\n{SUITE}");
        Akit::new(&["run", "s.yaml", "-m", "m"])
            .file("s.yaml", text)
            .run()
            .ended(2)
            .err("set it in akit.yaml");
    }
}

#[test]
fn a_known_server_gets_only_its_own_key() {
    let none = |akit: Akit| akit.env("OPENAI_API_KEY", KEY).env("OPENAI_ORGANIZATION", "org-1");
    let text = format!("providerConfig: {{ like: groq }}\n{SUITE}");
    none(Akit::new(&["run", "s.yaml", "-m", "m"]).file("s.yaml", &text))
        .run()
        .ended(2)
        .err("set GROQ_API_KEY");
    // Settings for OpenAI in akit.yaml do not apply to Groq.
    let config = format!("providers: {{ openai: {{ apiKey: {KEY}, organization: org-1 }} }}\n");
    none(Akit::new(&["run", "s.yaml", "-m", "m"]).file("s.yaml", &text).file("akit.yaml", config))
        .run()
        .ended(2)
        .err("set GROQ_API_KEY");
    for (provider, variable) in
        [("anthropic", "ANTHROPIC_API_KEY"), ("google", "GEMINI_API_KEY"), ("mistral", "MISTRAL_API_KEY")]
    {
        none(Akit::new(&["run", "s.yaml", "-m", "m", "-p", provider]).file("s.yaml", SUITE))
            .run()
            .ended(2)
            .err(variable);
    }
    let azure = Akit::new(&["run", "s.yaml", "-m", "m", "-p", "azure-openai"]);
    none(azure.file("s.yaml", SUITE))
        .run()
        .ended(2)
        .err("no address set for provider `azure-openai`")
        .err("resourceName");
}

#[test]
fn doctor_names_retiring_models_and_world_readable_key_files() {
    let config = "providers: { openai: { apiKeyFile: key } }\ngrader: { model: gpt-4.1-mini }\n";
    let ran = Akit::new(&["doctor", "s.yaml", "-m", "gpt-4o-2024-08-06"])
        .file(
            "s.yaml",
            format!("{SUITE}  - id: b\n    prompt: q\n    expected: {{ type: llm_grader, rubric: Kind? }}\n"),
        )
        .file("akit.yaml", config)
        .file("key", KEY)
        .run()
        .out("gpt-4o-2024-08-06 is shut down on 2027-01-14")
        .out("gpt-4.1-mini is shut down on 2027-01-14")
        .out("its vendor recommends gpt-6-luna");
    assert!(!ran.stdout.contains(KEY));
    if cfg!(unix) {
        ran.out("everyone on this machine can read key");
    }
}
