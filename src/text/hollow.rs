//! Answers that say nothing: one rule for expectations and judges.

use serde_json::Value as Json;

use super::said::{behind_thoughts, folded, shows_nothing};

/// Words for no value, as programs print them, in lower case; between quotes or marks, too.
const NO_VALUE: [&str; 6] = ["null", "undefined", "nan", "nil", "object object", "object promise"];

/// A word for no value that is an answer in lower case.
const NONE: &str = "None";

/// Members of an object that hold what is said: where they are empty, nothing is.
const SAYING: [&str; 9] =
    ["text", "answer", "response", "content", "message", "output", "reply", "result", "completion"];

/// Tags that hold no word of their own, whatever their attributes.
const TAGS: [&str; 47] = [
    "!doctype",
    "?xml",
    "answer",
    "article",
    "b",
    "blockquote",
    "body",
    "br",
    "center",
    "code",
    "div",
    "em",
    "font",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "head",
    "header",
    "hr",
    "html",
    "i",
    "li",
    "main",
    "meta",
    "ol",
    "output",
    "p",
    "pre",
    "response",
    "result",
    "s",
    "section",
    "small",
    "span",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "tr",
    "u",
    "ul",
];

/// Tags that templates of models have in place of words.
const TEMPLATE_TAGS: [&str; 9] =
    ["s", "eos", "bos", "pad", "unk", "end_of_turn", "start_of_turn", "end_of_utterance", "eot"];

/// The same with other brackets, and entities of nothing that can be seen; in lower case.
const TEMPLATE_WORDS: [&str; 17] = [
    "<|start|>assistant",
    "<|im_start|>assistant",
    "<|start_header_id|>assistant",
    "<|channel|>final",
    "data: [done]",
    "[done]",
    "[inst]",
    "[/inst]",
    "[eos]",
    "&nbsp;",
    "&#160;",
    "&#xa0;",
    "&#8203;",
    "&#x200b;",
    "&shy;",
    "&zwnj;",
    "&zwj;",
];

/// The opening of an answer, with nothing behind it, in eight languages. Judges are known to wave
/// such answers through.
const OPENERS: &str = "answer; assistant; bot; output; result; final answer; here is my answer; here is the answer; here's my answer; here's the answer; \
    let us solve this step by step; let us think step by step; let's solve this problem step by step; \
    let's solve this step by step; let's think step by step; reasoning; response; solution; the answer is; \
    thought process; antwort; die antwort lautet; gedankengang; hier ist die antwort; hier ist meine antwort; \
    lass uns schritt für schritt denken; lösung; überlegung; la réponse est; raisonnement; \
    réfléchissons étape par étape; réponse; réponse finale; voici la réponse; voici ma réponse; \
    la respuesta es; pensemos paso a paso; razonamiento; respuesta; respuesta final; solución; a resposta é; \
    raciocínio; resposta; resposta final; solução; vamos pensar passo a passo; la risposta è; \
    pensiamo passo dopo passo; ragionamento; risposta; risposta finale; soluzione; 回答; 思考过程; 最终答案; 答; 答案; 解; \
    解答; 让我们一步一步地思考; 让我们一步一步思考; ステップバイステップで考えてみましょう; 一歩ずつ考えてみましょう; 思考プロセス; 思考過程; 答え";

/// A text in lower case without tags and tokens that say nothing.
fn without_markup(text: &str) -> String {
    let mut text = text.to_lowercase();
    for word in TEMPLATE_WORDS {
        text = text.replace(word, " ");
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find('<') {
        out.push_str(&rest[..at]);
        out.push(' ');
        rest = &rest[at..];
        let behind = match rest.strip_prefix("<!--") {
            Some(comment) => Some(comment.split_once("-->").map_or("", |(_, behind)| behind)),
            None => rest.split_once('>').filter(|(tag, _)| is_markup(&tag[1..])).map(|(_, behind)| behind),
        };
        if behind.is_none() {
            out.push('<');
        }
        rest = behind.unwrap_or(&rest[1..]);
    }
    out + rest
}

/// Whether a tag, without its brackets, holds no word.
fn is_markup(tag: &str) -> bool {
    if tag.len() > 2 && tag.starts_with('|') && tag.ends_with('|') {
        return !tag.contains('<');
    }
    let name = tag.trim_start_matches('/').split(|c: char| c == '/' || c.is_whitespace()).next();
    name.is_some_and(|name| TAGS.contains(&name) || TEMPLATE_TAGS.contains(&name))
}

/// Whether JSON holds nothing where something would be said.
fn is_empty(json: &Json) -> bool {
    match json {
        Json::Null => true,
        Json::Bool(_) | Json::Number(_) => false,
        Json::String(text) => shows_nothing(text),
        Json::Array(items) => items.iter().all(is_empty),
        Json::Object(members) => {
            members.iter().all(|(name, value)| SAYING.contains(&name.as_str()) && is_empty(value))
        }
    }
}

/// Whether an answer says nothing: it is empty, or only punctuation, invisible characters, the opening of an
/// answer, a word for no value, an empty fence or tag, or thoughts.
#[must_use]
pub fn says_nothing(answer: &str) -> bool {
    /// More letters than any text here that says nothing.
    const ENOUGH: usize = 400;
    let mut answer = answer;
    loop {
        match behind_thoughts(answer) {
            None => return true,
            Some(rest) if rest.len() < answer.len() => answer = rest,
            Some(_) => break,
        }
    }
    if answer.chars().filter(|c| c.is_alphanumeric()).take(ENOUGH).count() == ENOUGH {
        return false;
    }
    let is_fence = |line: &&str| {
        let mark = line.trim().strip_prefix("```").or(line.trim().strip_prefix("~~~"));
        mark.is_some_and(|mark| mark.chars().all(|c| c.is_ascii_alphanumeric() || c == ' '))
    };
    let lines: Vec<_> = answer.lines().filter(|line| !is_fence(line)).collect();
    let text = folded(&lines.join("\n"));
    let text = text.trim_matches(['"', '\'', '`', '*', ' ']);
    if text == NONE || serde_json::from_str(text).is_ok_and(|json| is_empty(&json)) {
        return true;
    }
    let text = without_markup(text);
    let words: String =
        text.chars().map(|c| if c.is_alphanumeric() || c == '\'' { c } else { ' ' }).collect();
    let mut words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    if words.chars().all(|c| !c.is_alphanumeric()) || OPENERS.split("; ").any(|opener| opener == words) {
        return true;
    }
    for word in NO_VALUE {
        words = format!(" {words} ").replace(&format!(" {word} "), "  ").replace(&format!(" {word} "), "  ");
    }
    words.chars().all(|c| !c.is_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn an_answer_without_content_says_nothing() {
        for answer in [
            "",
            "  \n",
            ":",
            "...",
            "…",
            "—",
            "-",
            ".",
            "**",
            "!?",
            "\u{1f937}",
            "\u{0}",
            "\u{200b}",
            "\u{2800}",
            "\u{3164}",
            "\u{fe0f}",
            "\u{e0041}",
            "\u{ad}",
            "{}",
            "[]",
            "\"\"",
            "null",
            "`null`",
            "\"undefined\"",
            "None",
            "NaN",
            "[object Object]",
            "nu\u{200b}ll",
            "ｎｕｌｌ",
            "<br>",
            "<p></p>",
            "<br/><br />",
            "```\n```",
            "```json\n```",
            "```json\n{}\n```",
            "~~~\n\n~~~",
            "```json",
            "Thought process:",
            "**Solution**",
            "Let’s solve this step by step.",
            "So\u{200b}lution:",
            "# Final answer",
            "解",
            "答案：",
            "Réponse :",
            "Re\u{301}ponse :",
            "Lösung:",
            "¡Respuesta!",
            "思考プロセス",
            "<think>It is a refund.</think>",
            "<think>It is a refund",
            "<THINK>so</THINK>\n\n",
            "\u{200b}\n<thinking>x",
            "it is a refund</think>\n.",
            "<reasoning>a</reasoning>```\n```",
            "<think>a</think><think>b</think>",
            "<think>a</think>\n<think>b",
            "<think x>abc",
            "<think >abc</think>",
            "<think/>",
            "<think",
            "<thoughts>abc</thoughts>",
            "<scratchpad id=\"1\">abc</scratchpad>\n<thinking>b</thinking>",
            "[THINK]abc[/THINK]",
            "[THINK]abc",
            "\u{25c1}think\u{25b7}abc\u{25c1}/think\u{25b7}",
            "<|channel|>analysis<|message|>abc",
            "<|channel|>analysis<|message|>abc<|end|><|start|>assistant<|channel|>final<|message|><|return|>",
            "<|im_end|>",
            "<|im_start|>assistant",
            "<\u{ff5c}end\u{2581}of\u{2581}sentence\u{ff5c}>",
            "</s>",
            "[DONE]",
            "data: [DONE]",
            "<|eot_id|>",
            "<end_of_turn>",
            "[INST] [/INST]",
            "NULL",
            "Null",
            "(null)",
            "null.",
            "<null>",
            "nil",
            "nil;",
            "[null]",
            "null null",
            "null\nundefined",
            "{\"text\":null}",
            "{\"answer\": \"\"}",
            "```json\n{\"message\": {\"content\": null}}\n```",
            "[{}]",
            "[object Promise]",
            "'null'",
            "<p class=\"x\"></p>",
            "<strong></strong>",
            "<ul><li></li></ul>",
            "<!DOCTYPE html><html lang=\"en\"></html>",
            "<?xml version=\"1.0\"?>",
            "<!-- hidden -->",
            "<!-- never ends",
            "<answer></answer>",
            "&nbsp;",
            "Assistant:",
            "Output:",
            "**Result**",
        ] {
            assert!(says_nothing(answer), "{answer:?}");
        }
        for answer in [
            "ok",
            "4",
            "0",
            "no",
            "Solution: 4",
            "好",
            "I can connect you to a person.",
            "nothing",
            "None of them",
            "null and void",
            "{\"a\": null}",
            "[0]",
            "<approve/>",
            "```json\n{\"a\": 1}\n```",
            "```yes```",
            "<think>hm</think>4",
            "hm</think>4",
            "Use <think> and </think> tags.",
            "é",
            "<p>ok</p>",
            "<p class=\"x\">ok</p>",
            "<thinkfoo>4</thinkfoo>",
            "<thinkfoo>4",
            "hm</thinkfoo>",
            "<think>a</think><think>b</think>4",
            "<think x>a</think>4",
            "[THINK]a[/THINK]4",
            "[Reasoning] It was paid twice.",
            "[thinking] is a heading",
            "<|channel|>analysis<|message|>a<|end|><|channel|>final<|message|>4",
            "4<|im_end|>",
            "4</s>",
            "none",
            "None.",
            "null pointer",
            "{\"text\": 0}",
            "{\"text\": \"4\"}",
            "{\"status\": null}",
            "{\"items\": []}",
            "[false]",
            "a < b",
            "a <b",
            "a <|b",
            "<item/>",
            "Output: 4",
            "AT&T",
        ] {
            assert!(!says_nothing(answer), "{answer:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_answer_is_too_strange(text in "[<>|/\\[\\]!a-z&;{}\":-]{0,40}|\\PC{0,40}") {
            let _ = says_nothing(&text);
        }
    }
}
