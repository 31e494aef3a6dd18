//! Servers with OpenAI's chat completions API: each has its address and the variable of its key.

use super::chat::CHAT;
use super::spec::{Means, Spec, Vendor};

/// Ollama on this machine.
pub(super) const OLLAMA: Spec =
    Spec { name: "ollama", means: Means::Network(like("http://localhost:11434/v1", &[], "llama3.2")) };

/// Servers by name under `like:` of provider `openai`.
pub(super) const LIKE: [(&str, Vendor); 5] = [
    ("groq", like("https://api.groq.com/openai/v1", &["GROQ_API_KEY"], "")),
    ("litellm", like("http://localhost:4000/v1", &["LITELLM_API_KEY"], "")),
    ("openrouter", like("https://openrouter.ai/api/v1", &["OPENROUTER_API_KEY"], "")),
    ("together", like("https://api.together.xyz/v1", &["TOGETHER_API_KEY"], "")),
    ("vllm", like("http://localhost:8000/v1", &["VLLM_API_KEY"], "")),
];

const fn like(address: &'static str, key_variables: &'static [&'static str], model: &'static str) -> Vendor {
    Vendor {
        address,
        address_variable: None,
        key_variables,
        organization_variable: None,
        model,
        dialect: &CHAT,
        responses: None,
    }
}
