//! What a model's name shows: its family, and the parameters that the family refuses.

/// Beginnings of the names of well-known families. The name of an alias or a deployment may begin differently.
const FAMILIES: [&str; 22] = [
    "gpt",
    "chatgpt",
    "claude",
    "gemini",
    "gemma",
    "llama",
    "codellama",
    "mistral",
    "mixtral",
    "ministral",
    "magistral",
    "codestral",
    "devstral",
    "qwen",
    "qwq",
    "deepseek",
    "grok",
    "phi",
    "command",
    "kimi",
    "glm",
    "smollm",
];

/// The family of a model, such as `gpt`, `claude` or `llama`; if the family is unknown, the letters at the start of the
/// model's name.
#[must_use]
pub fn family(model: &str) -> String {
    let name = model.rsplit('/').next().unwrap_or(model).to_lowercase();
    known(model).unwrap_or_else(|| name.chars().take_while(|c| c.is_alphabetic()).collect())
}

/// Whether the model that answered is of another family than the requested one. Always `false` if the requested name
/// has no known family: an alias can stand for any model.
#[must_use]
pub fn is_stand_in(asked: &str, answered: &str) -> bool {
    let is_same = |family: &String| words(answered).any(|word| family_of(&word).as_ref() == Some(family));
    !answered.trim().is_empty() && known(asked).is_some_and(|family| !is_same(&family))
}

/// The known family of a name.
fn known(model: &str) -> Option<String> {
    words(model).find_map(|word| family_of(&word))
}

fn family_of(word: &str) -> Option<String> {
    // OpenAI's o1, o3, o4.
    if number_behind(word, "o").is_some() {
        return Some("o".to_owned());
    }
    let letters: String = word.chars().take_while(|c| c.is_alphabetic()).collect();
    let known = FAMILIES.contains(&letters.as_str());
    known.then(|| if letters == "chatgpt" { "gpt".to_owned() } else { letters })
}

/// The words of a name: `us.anthropic.claude-opus-4-7` has six.
fn words(model: &str) -> impl Iterator<Item = String> {
    let lower = model.to_lowercase();
    lower.split(|c: char| !c.is_alphanumeric()).map(str::to_owned).collect::<Vec<_>>().into_iter()
}

/// The number after the given beginning of a word, if nothing follows the number and it is not a date.
fn number_behind(word: &str, begins: &str) -> Option<u32> {
    word.strip_prefix(begins)?.parse().ok().filter(|number| *number < 1000)
}

/// Whether a model reasons before it answers and refuses sampling parameters: OpenAI's o family and everything from
/// GPT-5 on, except for the chat models.
pub(super) fn is_openai_reasoning(model: &str) -> bool {
    let name: Vec<String> = words(model.rsplit('/').next().unwrap_or(model)).collect();
    let is_chat = name.iter().any(|word| word == "chat");
    let version = match name.as_slice() {
        [first, second, ..] if first == "gpt" => number_behind(second, ""),
        _ => None,
    };
    let is_o = name.first().is_some_and(|first| number_behind(first, "o").is_some());
    is_o || (version.is_some_and(|version| version >= 5) && !is_chat)
}

/// Whether a Claude model refuses sampling parameters: from Opus 4.7, Sonnet 5 and Haiku 5.5 on.
pub(super) fn is_unsampled_claude(model: &str) -> bool {
    const SINCE: [(&str, (u32, u32)); 3] = [("opus", (4, 7)), ("sonnet", (5, 0)), ("haiku", (5, 5))];
    let name: Vec<String> = words(model).collect();
    let Some(at) = name.iter().position(|word| word == "claude") else { return false };
    let number = |index: usize| name.get(index).and_then(|word| number_behind(word, ""));
    let found = name.iter().enumerate().skip(at).find_map(|(index, word)| {
        let (_, since) = SINCE.iter().find(|(line, _)| line == word)?;
        Some(((number(index + 1)?, number(index + 2).unwrap_or(0)), *since))
    });
    found.is_some_and(|(version, since)| version >= since)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_that_refuse_parameters_are_known_by_name() {
        let table = [
            (
                "o3-mini openai/o1 o4-mini-2025-04-16 gpt-5 gpt-5.1 openai/gpt-5-mini gpt-6 gpt-12",
                true,
                false,
            ),
            (
                "gpt-4o gpt-4.1 gpt-5-chat-latest gpt-4-0613 o3xyz olmo-2 gpt-oss-120b llama3.2 gpt",
                false,
                false,
            ),
            (
                "claude-opus-4-7 claude-opus-4.8 anthropic/claude-opus-4.7 us.anthropic.claude-opus-4-7-v1:0 \
                 claude-opus-5 claude-sonnet-5 claude-sonnet-5-1-20270101 claude-haiku-5-5 claude-opus-4-7@20260101",
                false,
                true,
            ),
            (
                "claude-opus-4-6 claude-opus-4-20250514 claude-sonnet-4-5 claude-haiku-5 claude-3-7-sonnet-20250219 \
                 claude opus-5",
                false,
                false,
            ),
        ];
        for (models, reasoning, unsampled) in table {
            for model in models.split_whitespace() {
                let found = (is_openai_reasoning(model), is_unsampled_claude(model));
                assert_eq!(found, (reasoning, unsampled), "{model}");
            }
        }
    }

    #[test]
    fn an_answer_by_another_family_is_noticed_and_an_alias_is_fine() {
        let table = [
            ("gpt-4o", "gpt-4o-2024-08-06", false),
            ("openai/gpt-5", "gpt-5-mini", false),
            ("chatgpt-4o-latest", "gpt-4o", false),
            ("claude-opus-4-7", "us.anthropic.claude-opus-4-7-v1:0", false),
            ("meta-llama/Llama-3.1-8B", "llama3.1:8b", false),
            ("gpt-4o", "", false),
            ("our-support-bot", "gpt-4o", false),
            ("gpt-4o", "other-model-7b", true),
            ("claude-sonnet-5", "gpt-4o", true),
            ("o3", "gpt-4o", true),
            ("llama3.2", "Qwen/Qwen2.5-7B", true),
        ];
        for (asked, answered, expected) in table {
            assert_eq!(is_stand_in(asked, answered), expected, "{asked} {answered}");
        }
        assert_eq!(family("my-model"), "my");
        assert_eq!([family("openai/gpt-4o"), family("chatgpt-4o-latest")], ["gpt", "gpt"]);
    }
}
