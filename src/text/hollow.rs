//! Answers that say nothing: one rule for expectations and judges.

use serde_json::Value as Json;

use super::said::{behind_thoughts, folded};

/// Words for no value, as programs print them, in lowercase; also between quotes or other marks.
const NO_VALUE: [&str; 4] = ["undefined", "null", "nan", "nil"];

/// A word for no value only if spelled like this; in lowercase, it is an answer.
const NONE: &str = "None";

/// Members of an object that hold the answer: if they are empty, there is none.
const SAYING: [&str; 9] =
    ["text", "answer", "response", "content", "message", "output", "reply", "result", "completion"];

/// Members that describe an object with a word that is not an answer.
const KINDS: [&str; 7] = ["role", "type", "object", "id", "model", "finish_reason", "stop_reason"];

/// Tags without text of their own, whatever their attributes.
const TAGS: [&str; 60] = [
    "!doctype",
    "?xml",
    "a",
    "answer",
    "article",
    "aside",
    "b",
    "blockquote",
    "body",
    "br",
    "button",
    "center",
    "code",
    "div",
    "em",
    "font",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "head",
    "header",
    "hr",
    "html",
    "i",
    "label",
    "li",
    "link",
    "main",
    "meta",
    "nav",
    "noscript",
    "ol",
    "output",
    "p",
    "pre",
    "response",
    "result",
    "s",
    "script",
    "section",
    "small",
    "span",
    "strong",
    "style",
    "sub",
    "sup",
    "svg",
    "table",
    "tbody",
    "td",
    "template",
    "th",
    "thead",
    "title",
    "tr",
    "u",
    "ul",
];

/// Parts of a page that are not read as its text.
const UNSEEN: [&str; 5] = ["head", "script", "style", "noscript", "template"];

/// Tags of model templates that appear instead of text.
const TEMPLATE_TAGS: [&str; 9] =
    ["s", "eos", "bos", "pad", "unk", "end_of_turn", "start_of_turn", "end_of_utterance", "eot"];

/// Template tags with other brackets, and invisible entities; in lowercase.
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

/// Openings that are not an answer if nothing follows them, in eight languages. Judges are known to let such answers
/// pass.
const OPENERS: &str = "answer; assistant; bot; output; result; final answer; \
    let us solve this step by step; let us think step by step; let's solve this problem step by step; \
    let's solve this step by step; let's think step by step; reasoning; response; solution; the answer is; \
    thought process; antwort; die antwort lautet; gedankengang; hier ist die antwort; hier ist meine antwort; \
    lass uns schritt für schritt denken; lösung; überlegung; la réponse est; raisonnement; \
    réfléchissons étape par étape; réponse; réponse finale; voici la réponse; voici ma réponse; \
    la respuesta es; pensemos paso a paso; razonamiento; respuesta; respuesta final; solución; a resposta é; \
    raciocínio; resposta; resposta final; solução; vamos pensar passo a passo; la risposta è; \
    pensiamo passo dopo passo; ragionamento; risposta; risposta finale; soluzione; 回答; 思考过程; 最终答案; 答; 答案; 解; \
    解答; 让我们一步一步地思考; 让我们一步一步思考; ステップバイステップで考えてみましょう; 一歩ずつ考えてみましょう; 思考プロセス; 思考過程; 答え";

/// Variants of `here is my answer`, in three parts; the second part is optional.
const HERE: (&[&str], &[&str], &[&str]) = (
    &["here is ", "here's ", "this is "],
    &["the ", "my ", "your ", "the final ", "my final "],
    &["answer", "response", "reply", "result", "output", "solution"],
);

/// Words that are an answer, unless a colon follows.
const SPEAKERS: [&str; 5] = ["ai", "chatbot", "model", "agent", "reply"];

/// Whether words are an opening of an answer.
fn is_opener(words: &str, has_colon: bool) -> bool {
    let (here, whose, what) = HERE;
    let rest = here.iter().find_map(|here| words.strip_prefix(here));
    let is_here = rest.is_some_and(|rest| {
        let plain = whose.iter().filter_map(|whose| rest.strip_prefix(whose));
        plain.chain([rest]).any(|rest| what.contains(&rest))
    });
    is_here || OPENERS.split("; ").any(|opener| opener == words) || (has_colon && SPEAKERS.contains(&words))
}

/// The visible text of an HTML page, in lowercase; `None` if the text is not a page.
fn read_of_page(text: &str) -> Option<String> {
    let mut page = text.trim_start().to_lowercase();
    if !page.starts_with("<!doctype") && !page.starts_with("<html") {
        return None;
    }
    for part in UNSEEN {
        let (open, close) = (format!("<{part}"), format!("</{part}>"));
        let mut out = String::with_capacity(page.len());
        let mut rest = page.as_str();
        while let Some((before, inside)) = rest.split_once(open.as_str()) {
            out.push_str(before);
            rest = inside;
            // `<header>` is not `<head>`.
            if inside.starts_with(|c: char| c == '>' || c.is_whitespace()) {
                rest = inside.split_once(close.as_str()).map_or("", |(_, behind)| behind);
            } else {
                out.push_str(&open);
            }
        }
        page = out + rest;
    }
    Some(page)
}

/// What follows an empty pair of tags at the start of a string.
fn behind_empty_pair(text: &str) -> Option<&str> {
    let (name, rest) = text.strip_prefix('<')?.split_once('>')?;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "_-:.".contains(c));
    rest.trim_start().strip_prefix("</")?.strip_prefix(name)?.strip_prefix('>').filter(|_| is_name)
}

/// A string in lowercase without tags and tokens that say nothing.
fn without_markup(text: &str) -> String {
    let mut text = text.to_lowercase();
    for word in TEMPLATE_WORDS {
        text = text.replace(word, " ");
    }
    // `[object Object]`, and other text that programs print for values they cannot show.
    let mut parts = text.split("[object ");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once(']') {
            Some((name, behind)) if name.chars().all(char::is_alphanumeric) => plain.extend([" ", behind]),
            _ => plain.extend(["[object ", part]),
        }
    }
    let text = plain;
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find('<') {
        out.push_str(&rest[..at]);
        out.push(' ');
        rest = &rest[at..];
        let behind = if let Some(comment) = rest.strip_prefix("<!--") {
            Some(comment.split_once("-->").map_or("", |(_, behind)| behind))
        } else {
            let markup = || rest.split_once('>').filter(|(tag, _)| is_markup(&tag[1..]));
            behind_empty_pair(rest).or_else(|| Some(markup()?.1))
        };
        if behind.is_none() {
            out.push('<');
        }
        rest = behind.unwrap_or(&rest[1..]);
    }
    out + rest
}

/// Whether a tag, without its brackets, contains no text.
fn is_markup(tag: &str) -> bool {
    if tag.len() > 2 && tag.starts_with('|') && tag.ends_with('|') {
        return !tag.contains('<');
    }
    let name = tag.trim_start_matches('/').split(|c: char| c == '/' || c.is_whitespace()).next();
    name.is_some_and(|name| TAGS.contains(&name) || TEMPLATE_TAGS.contains(&name))
}

/// What JSON says, found in one pass, since JSON from a model may be deeply nested.
#[derive(Default)]
struct Said {
    /// It is empty where an answer would be.
    is_empty: bool,
    /// A member that holds the answer, at any depth, is empty.
    has_gap: bool,
    /// It has a string at any depth, or a number where the answer is.
    has_text: bool,
}

impl Said {
    fn of(json: &Json, is_said: bool) -> Self {
        match json {
            Json::Null => Self { is_empty: true, ..Self::default() },
            Json::Bool(_) | Json::Number(_) => Self { has_text: is_said, ..Self::default() },
            Json::String(text) => {
                let is_empty = says_nothing(text);
                Self { is_empty, has_gap: false, has_text: !is_empty }
            }
            Json::Array(items) => items.iter().map(|item| Self::of(item, is_said)).fold(
                Self { is_empty: true, ..Self::default() },
                |all, one| Self {
                    is_empty: all.is_empty && one.is_empty,
                    has_gap: all.has_gap || one.has_gap,
                    has_text: all.has_text || one.has_text,
                },
            ),
            Json::Object(members) => {
                let mut all = Self::default();
                for (name, value) in members {
                    let is_said = SAYING.contains(&name.as_str());
                    let one = Self::of(value, is_said);
                    all.has_gap |= one.has_gap || (is_said && one.is_empty);
                    all.has_text |= one.has_text && !KINDS.contains(&name.as_str());
                }
                Self { is_empty: members.is_empty() || (all.has_gap && !all.has_text), ..all }
            }
        }
    }
}

/// A fast check for an answer that surely says something: it has ten or more words of plain prose, and a letter that is
/// in none of the words for no value. No opening is that long, and nothing in it can be a tag, a fence, JSON or a
/// template token. This matters when thousands of answers are checked per second.
fn is_prose(answer: &str) -> bool {
    /// More words than the longest opening.
    const WORDS: usize = 10;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b" \n.,;:!?'\"()-*/%$#+=@".contains(&byte);
    let is_of_value = |byte: u8| byte.is_ascii_alphanumeric() && !b"undefilaUNDEFILA".contains(&byte);
    answer.bytes().all(is_plain)
        && answer
            .split_ascii_whitespace()
            .filter(|word| word.bytes().any(|byte| byte.is_ascii_alphabetic()))
            .take(WORDS)
            .count()
            == WORDS
        && answer.bytes().any(is_of_value)
}

/// Whether an answer says nothing: it is empty, or only punctuation, invisible characters, the opening of an answer, a
/// word for no value, an empty fence or tag, or thinking.
#[must_use]
pub fn says_nothing(answer: &str) -> bool {
    /// More letters than any text has that says nothing.
    const ENOUGH: usize = 400;
    if is_prose(answer) {
        return false;
    }
    let mut answer = answer;
    loop {
        match behind_thoughts(answer) {
            None => return true,
            Some(rest) if rest.len() < answer.len() => answer = rest,
            Some(_) => break,
        }
    }
    let page = read_of_page(answer);
    let answer = page.as_deref().unwrap_or(answer);
    // Pages, JSON and escapes have letters that are not read.
    let may_be_long = page.is_some() || answer.trim_start().starts_with(['{', '[', '`', '"', '\\']);
    if !may_be_long && answer.chars().filter(|c| c.is_alphanumeric()).take(ENOUGH).count() == ENOUGH {
        return false;
    }
    let is_fence = |line: &&str| {
        let mark = line.trim().strip_prefix("```").or(line.trim().strip_prefix("~~~"));
        mark.is_some_and(|mark| mark.chars().all(|c| c.is_ascii_alphanumeric() || c == ' '))
    };
    let lines: Vec<_> = answer.lines().filter(|line| !is_fence(line)).collect();
    let text = folded(&lines.join("\n"));
    let text = text.trim_matches(['"', '\'', '`', '*', ' ']);
    if text == NONE || serde_json::from_str(text).is_ok_and(|json| Said::of(&json, false).is_empty) {
        return true;
    }
    // Escapes of invisible characters, as text.
    if text.contains('\\')
        && serde_json::from_str::<String>(&format!("\"{text}\"")).is_ok_and(|text| says_nothing(&text))
    {
        return true;
    }
    let has_colon = text.ends_with([':', '：']);
    let text = without_markup(text);
    let words: String =
        text.chars().map(|c| if c.is_alphanumeric() || c == '\'' { c } else { ' ' }).collect();
    let mut words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    if words.chars().all(|c| !c.is_alphanumeric()) || is_opener(&words, has_colon) {
        return true;
    }
    // Also the same word repeated without a space.
    let is_no_value = |word: &str| {
        NO_VALUE.iter().fold(word.to_owned(), |rest, no_value| rest.replace(no_value, "")).is_empty()
    };
    words = words.split(' ').filter(|word| !is_no_value(word)).collect();
    words.chars().all(|c| !c.is_alphanumeric())
}

#[cfg(test)]
#[path = "hollow_table.rs"]
mod table;
