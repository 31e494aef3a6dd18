//! JSON as servers and people write it, and clear messages for what is wrong with it.

use std::borrow::Cow;

use serde_json::error::Category;

/// Plain names for the parser's types.
const TYPES: [(&str, &str); 14] = [
    ("unit value", "nothing"),
    ("null", "nothing"),
    ("boolean", "the value"),
    ("floating point", "the number"),
    ("integer", "the number"),
    ("string", "the text"),
    ("sequence", "a list"),
    ("map", "an object"),
    ("a string", "text"),
    ("a borrowed string", "text"),
    ("a boolean", "true or false"),
    ("a map", "an object"),
    ("a sequence", "a list"),
    ("an object with one entry", "an object"),
];

/// What is wrong with JSON, without the parser's jargon.
#[must_use]
pub fn trouble(error: &serde_json::Error) -> String {
    let place = match error.line() {
        1 => format!("column {}", error.column()),
        line => format!("line {line}, column {}", error.column()),
    };
    let words = error.to_string();
    match error.classify() {
        Category::Eof => "its JSON is incomplete".to_owned(),
        Category::Io => "it could not be read".to_owned(),
        Category::Syntax if words.contains("surrogate") || words.contains("hex escape") => {
            "a `\\u` escape is incomplete, or half of a character (a lone surrogate); write `\\ufffd` for a lost character"
                .to_owned()
        }
        Category::Syntax if words.contains("trailing characters") => {
            format!("there is text after its JSON ({place})")
        }
        Category::Syntax => format!("it is not JSON ({place})"),
        Category::Data => wrong_data(words.rfind(" at line ").map_or(words.as_str(), |cut| &words[..cut])),
    }
}

fn wrong_data(words: &str) -> String {
    let named = |words: &str| words.split('`').nth(1).unwrap_or_default().to_owned();
    if words.starts_with("missing field") {
        format!("`{}` is missing", named(words))
    } else if words.starts_with("unknown field") {
        format!("unknown key `{}`", named(words))
    } else if words.starts_with("duplicate field") {
        format!("duplicate key `{}`", named(words))
    } else if let Some((found, expected)) = words.split_once(", expected ") {
        let found = found.trim_start_matches("invalid type: ");
        if let Some(number) = found.strip_prefix("invalid value: integer ") {
            return format!("the number {number} is out of range");
        }
        format!("expected {1}, found {0}", plain(found), plain(expected))
    } else {
        words.to_owned()
    }
}

/// A plain name for a type, with the value after it.
fn plain(kind: &str) -> String {
    let is_number = |word: &str| {
        let digits = word.strip_prefix(['u', 'i']).unwrap_or_default();
        word == "usize" || (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let kind = kind.trim();
    if is_number(kind) {
        return "a whole number".to_owned();
    }
    if kind.starts_with("struct ") {
        return "an object".to_owned();
    }
    if matches!(kind, "f64" | "f32") {
        return "a number".to_owned();
    }
    let known = TYPES.iter().find(|(own, _)| {
        kind == *own || kind.starts_with(&format!("{own} `")) || kind.starts_with(&format!("{own} \""))
    });
    known.map_or_else(|| kind.to_owned(), |(own, word)| format!("{word}{}", &kind[own.len()..]))
}

/// The text without a byte-order mark, and with U+FFFD for each escape that is half of a surrogate pair: JSON that
/// other parsers accept.
#[must_use]
pub fn mended(text: &str) -> Cow<'_, str> {
    let text = text.trim_start_matches('\u{feff}');
    if !text.contains("\\ud") && !text.contains("\\uD") {
        return Cow::Borrowed(text);
    }
    let unit = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
        u32::from_str_radix(digits, 16).ok()
    };
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(next) = text[at..].find('\\').map(|found| at + found) {
        out.push_str(&text[at..next]);
        let (length, lone) = match unit(next) {
            Some(0xd800..=0xdbff) if matches!(unit(next + 6), Some(0xdc00..=0xdfff)) => (12, false),
            Some(0xd800..=0xdfff) => (6, true),
            Some(_) => (6, false),
            None => (1 + text[next + 1..].chars().next().map_or(0, char::len_utf8), false),
        };
        out.push_str(if lone { "\\ufffd" } else { &text[next..next + length] });
        at = next + length;
    }
    out.push_str(&text[at..]);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_character_becomes_a_replacement_character() {
        for (written, expected) in [
            (r#""a""#, "a"),
            ("\u{feff}\"a\"", "a"),
            (r#""x \ud83d y""#, "x \u{fffd} y"),
            (r#""\uD83D\uDE00""#, "\u{1f600}"),
            (r#""\ude00\ud83d\ude00""#, "\u{fffd}\u{1f600}"),
            (r#""\ud83d\u0041""#, "\u{fffd}A"),
            (r#""\\ud83d""#, "\\ud83d"),
            (r#""\\\ud83d""#, "\\\u{fffd}"),
            (r#""\ud83d\\""#, "\u{fffd}\\"),
        ] {
            assert_eq!(serde_json::from_str::<String>(&mended(written)).unwrap(), expected, "{written}");
        }
        for odd in ["\\", "\\ud8", "\"\\ud83d", "\\ü", "\\ud83dü"] {
            let _ = mended(odd);
        }
    }

    #[test]
    fn a_parsers_messages_are_not_passed_on() {
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        #[expect(dead_code, reason = "only its errors matter")]
        struct One {
            count: u64,
            share: Option<f64>,
            list: Option<Vec<String>>,
            inner: Option<Box<One>>,
        }
        for (written, expected) in [
            ("", "its JSON is incomplete"),
            ("{\"count\":1", "its JSON is incomplete"),
            ("not json", "it is not JSON (column 2)"),
            ("{\"count\":1}}", "there is text after its JSON (column 12)"),
            ("{}", "`count` is missing"),
            ("{\"count\":1,\"cuont\":1}", "unknown key `cuont`"),
            ("{\"count\":1,\"count\":1}", "duplicate key `count`"),
            ("{\"count\":null}", "expected a whole number, found nothing"),
            ("{\"count\":-1}", "the number `-1` is out of range"),
            ("{\"count\":\"1\"}", "expected a whole number, found the text \"1\""),
            ("{\"count\":1,\"share\":true}", "expected a number, found the value `true`"),
            ("{\"count\":1,\"list\":{}}", "expected a list, found an object"),
            ("{\"count\":1,\"inner\":7}", "expected an object, found the number `7`"),
        ] {
            let error = serde_json::from_str::<One>(written).unwrap_err();
            assert_eq!(trouble(&error), expected, "{written}");
        }
    }
}
