//! The examples of docs/providers.md, each with a server that speaks its vendor's protocol.

use super::super::Akit;
use super::super::akit::repository;
use super::super::server::Server;
use super::{KEY, SUITE, Speech, Stop, VENDORS, Vendor, raw};

/// Every variable that holds a key in an example.
const VARIABLES: [&str; 12] = [
    "OPENAI_API_KEY",
    "AZURE_OPENAI_API_KEY",
    "ANTHROPIC_API_KEY",
    "GEMINI_API_KEY",
    "MISTRAL_API_KEY",
    "GROQ_API_KEY",
    "OPENROUTER_API_KEY",
    "TOGETHER_API_KEY",
    "LITELLM_API_KEY",
    "VLLM_API_KEY",
    "LLM_KEY",
    "GATEWAY_TOKEN",
];

fn examples() -> Vec<String> {
    let page = std::fs::read_to_string(repository().join("docs/providers.md")).unwrap();
    page.split("```yaml provider\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap().to_owned())
        .collect()
}

#[test]
fn every_example_of_the_page_works_with_its_protocol() {
    let examples = examples();
    for name in ["anthropic", "azure-openai", "google", "mistral", "ollama", "openai"] {
        assert!(examples.iter().any(|text| text.starts_with(&format!("provider: {name}\n"))), "{name}");
    }
    for name in ["groq", "openrouter", "together", "litellm", "vllm"] {
        assert!(examples.iter().any(|text| text.contains(&format!("like: {name}"))), "{name}");
    }
    for text in examples {
        let value = |key: &str| {
            let line = text.lines().find_map(|line| line.trim().strip_prefix(key))?;
            line.split_whitespace().next().map(str::to_owned)
        };
        let provider = value("provider:").unwrap();
        let speech = if text.contains("api: responses") { Some(Speech::Responses) } else { None };
        let known = VENDORS.into_iter().find(|vendor| vendor.provider == provider).unwrap();
        let vendor = Vendor { speech: speech.unwrap_or(known.speech), ..known };
        let body = vendor.answer("this is ok", Stop::Whole, None).to_string();
        let server = Server::plain(move |_| raw(200, &body));
        let address = server.url.trim_end_matches("/v1");
        let url = if matches!(&*provider, "azure-openai" | "google") { address } else { &server.url };
        let akit = Akit::new(&["run", "s.yaml", "--base-url", url]).file("s.yaml", format!("{text}{SUITE}"));
        VARIABLES.iter().fold(akit, |akit, name| akit.env(name, KEY)).run().ended(0);
        let asked = &server.asked()[0];
        let sends_key = asked.headers.iter().any(|(_, value)| value.contains(KEY));
        assert_eq!(sends_key, provider != "ollama", "{text}");
        let path = asked.path.split('?').next().unwrap();
        let ends = ["/chat/completions", "/responses", "/messages", ":generateContent"];
        assert!(ends.iter().any(|end| path.ends_with(end)), "{path}");
    }
}
