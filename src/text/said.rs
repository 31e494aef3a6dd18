//! The content of a string, however it is encoded: for comparing it with others, and for separating thinking from the
//! answer.

use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::CodePointSetData;
use icu_properties::props::DefaultIgnorableCodePoint;

use super::js_space;

/// Tags for what a reasoning model thinks before it answers.
const THOUGHTS: [&str; 6] = ["think", "thinking", "thought", "thoughts", "reasoning", "scratchpad"];

/// The brackets of such tags: before an opening one, before a closing one, after both. In square ones only `think`
/// counts, since `[Reasoning]` is a heading.
const BRACKETS: [(&str, &str, char); 3] =
    [("<", "</", '>'), ("[", "[/", ']'), ("\u{25c1}", "\u{25c1}/", '\u{25b7}')];

/// The token with which some templates start thinking, and the tokens that end it.
const CHANNEL: (&str, [&str; 3]) =
    ("<|channel|>analysis", ["<|channel|>final", "<|channel|>commentary", "<|end|>"]);

/// How the same templates start a message and the answer to the user; a format may come between the two.
const ASSISTANT: &str = "<|start|>assistant";
const FINAL: (&str, &str) = ("<|channel|>final", "<|message|>");

/// Whether Unicode says to ignore a character (`Default_Ignorable_Code_Point`), such as a zero-width space.
#[must_use]
pub fn ignorable(c: char) -> bool {
    !c.is_ascii() && CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

/// Whether nothing in a string is visible: it is empty, or all white space and ignorable characters.
#[must_use]
pub fn shows_nothing(text: &str) -> bool {
    text.chars().all(|c| blank(c) || ignorable(c))
}

/// The text normalized for comparison: in NFKC, without ignorable characters, with plain quotes and hyphens, and with
/// one space for each run of white space and line breaks.
#[must_use]
pub fn folded(text: &str) -> String {
    // Nothing else changes for plain letters.
    if text.is_ascii() {
        let mut out = String::with_capacity(text.len());
        for c in text.chars() {
            if !blank(c) {
                out.push(c);
            } else if !out.ends_with(' ') {
                out.push(' ');
            }
        }
        return out;
    }
    let plain: String = text.chars().filter(|c| !ignorable(*c)).map(typed).collect();
    let normal = ComposingNormalizerBorrowed::new_nfkc().normalize(&plain);
    let mut out = String::with_capacity(normal.len());
    // Some compatibility characters are quotes and hyphens in NFKC.
    for c in normal.chars().map(typed) {
        if !blank(c) {
            out.push(c);
        } else if !out.ends_with(' ') {
            out.push(' ');
        }
    }
    out
}

/// Like [`folded`], but ignoring case.
#[must_use]
pub fn folded_lower(text: &str) -> String {
    let folded_once = folded(text);
    if folded_once.is_ascii() {
        return folded_once.to_ascii_lowercase();
    }
    folded(&caseless(&folded_once))
}

/// The text with case folded, in any language: `ß` becomes `ss`, all sigmas are equal, and so is every `i`, dotted or
/// not, since a string does not say whether it is Turkish.
#[must_use]
pub fn caseless(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    // Lowercase alone keeps `ß` and a final sigma, uppercase alone `ẞ`.
    let raised = text.chars().flat_map(char::to_lowercase).flat_map(char::to_uppercase);
    let mut out = String::with_capacity(text.len());
    for c in raised.flat_map(char::to_lowercase) {
        if c != '\u{307}' || !out.ends_with('i') {
            out.push(c);
        }
    }
    out
}

fn blank(c: char) -> bool {
    js_space(c) || c == '\u{85}'
}

/// Quotes and hyphens as typed on keyboards. Some of them are more than one character in NFKC.
fn typed(c: char) -> char {
    match c {
        '\u{b4}'
        | '\u{2b9}'
        | '\u{2bb}'
        | '\u{2bc}'
        | '\u{2018}'..='\u{201b}'
        | '\u{2032}'
        | '\u{2039}'
        | '\u{203a}' => '\'',
        '\u{201c}'..='\u{201f}' | '\u{ab}' | '\u{bb}' | '\u{2033}' | '\u{301d}'..='\u{301f}' => '"',
        '\u{2010}'..='\u{2015}' | '\u{2043}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}' => '-',
        c => c,
    }
}

/// The sentences of a string, each with its end; `.` within a word or a number does not end one.
pub fn sentences(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let ends = |(at, c): (usize, char)| {
            let next = rest[at + c.len_utf8()..].chars().next();
            let is_end = matches!(c, '.' | '!' | '?' | '…' | '。' | '！' | '？');
            (c == '\n' || (is_end && next.is_none_or(|next| !next.is_alphanumeric())))
                .then_some(at + c.len_utf8())
        };
        let end = rest.char_indices().find_map(ends).unwrap_or(rest.len());
        let (part, others) = rest.split_at(end);
        rest = others;
        (!part.is_empty()).then_some(part)
    })
}

/// The text after one block of thinking at its start; `None` if that block never ends.
#[must_use]
pub fn behind_thoughts(text: &str) -> Option<&str> {
    let start = text.trim_start_matches(|c| blank(c) || ignorable(c));
    if !start.contains(['<', '[', '\u{25c1}']) {
        return Some(text);
    }
    let message = start.strip_prefix(ASSISTANT).unwrap_or(start);
    let (channel, ends) = CHANNEL;
    if message.get(..channel.len()).is_some_and(|head| head.eq_ignore_ascii_case(channel)) {
        let end = ends.iter().filter_map(|end| Some((message.find(end)?, *end))).min()?;
        let behind = &message[end.0 + end.1.len()..];
        return Some(without_header(if end.1 == FINAL.0 { &message[end.0..] } else { behind }));
    }
    if without_header(start).len() < start.len() {
        return Some(without_header(start));
    }
    let space = namespace(start);
    let spaces = std::iter::once("").chain(space);
    for ((open, close, end), space) in spaces.flat_map(|space| BRACKETS.map(|bracket| (bracket, space))) {
        for tag in THOUGHTS.into_iter().filter(|tag| open != "[" || *tag == "think") {
            let (open, close) = (format!("{open}{space}{tag}"), format!("{close}{space}{tag}{end}"));
            let opened = tag_at(start, &open, end);
            if opened.is_some_and(|inside| inside.ends_with('/')) {
                return start.split_once(end).map(|(_, rest)| rest);
            }
            // Some templates put the opening tag into the prompt.
            match find_ignoring_case(start, &close) {
                Some(at) if opened.is_some() || !has_tag(&start[..at], &open, end) => {
                    return Some(&start[at + close.len()..]);
                }
                None if opened.is_some() => return None,
                _ => {}
            }
        }
    }
    Some(text)
}

/// A string without the header of a message to the user.
fn without_header(text: &str) -> &str {
    let message = text.trim_start().strip_prefix(ASSISTANT).unwrap_or(text.trim_start());
    let said = message.strip_prefix(FINAL.0).and_then(|rest| rest.split_once(FINAL.1));
    said.map_or(text, |(_, said)| said)
}

/// The namespace of the first thinking tag that has one, as in `<seed:think>`, with its colon.
fn namespace(text: &str) -> Option<&str> {
    // Look no farther than a name is long: an answer of a megabyte can have as many colons as letters.
    let ends = |rest: &str| rest.chars().next().is_none_or(|c| c == '>' || c == '/' || c.is_whitespace());
    let is_thought = |rest: &str| {
        let named = |tag: &&str| rest.get(..tag.len()).is_some_and(|name| tag.eq_ignore_ascii_case(name));
        THOUGHTS.iter().filter(|tag| named(tag)).any(|tag| ends(&rest[tag.len()..]))
    };
    text.match_indices(':').filter(|(at, _)| is_thought(&text[at + 1..])).find_map(|(at, _)| {
        let name = text[..at].trim_end_matches(|c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        (name.len() < at && name.ends_with(['<', '/'])).then(|| &text[name.len()..=at])
    })
}

/// The rest of the tag that a string starts with, after its name.
fn tag_at<'a>(text: &'a str, open: &str, end: char) -> Option<&'a str> {
    let rest =
        text.get(..open.len()).filter(|head| head.eq_ignore_ascii_case(open)).map(|_| &text[open.len()..])?;
    let ends = |c: char| c == end || c == '/' || c.is_whitespace();
    if !rest.is_empty() && !rest.starts_with(ends) {
        return None;
    }
    Some(rest.split(end).next().unwrap_or_default())
}

fn has_tag(text: &str, open: &str, end: char) -> bool {
    text.char_indices().any(|(at, _)| tag_at(&text[at..], open, end).is_some())
}

fn find_ignoring_case(text: &str, tag: &str) -> Option<usize> {
    text.as_bytes().windows(tag.len()).position(|part| part.eq_ignore_ascii_case(tag.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invisible_text_is_empty() {
        for text in [
            "",
            " \n\t\u{a0}\u{85}\u{3000}",
            "\u{200b}",
            "\u{2060}\u{feff}\u{ad}\u{34f}\u{61c}",
            "\u{115f}\u{1160}\u{17b4}\u{180e}\u{3164}\u{ffa0}",
            "\u{200f}\u{206a}\u{fe0f}\u{e0041}\u{e0100}\u{1d173}",
            " \u{200b} \n",
        ] {
            assert!(shows_nothing(text), "{text:?}");
        }
        for text in ["x", "\u{200b}x", ".", "\u{e9}", "\u{1f642}\u{fe0f}", "\u{0}"] {
            assert!(!shows_nothing(text), "{text:?}");
        }
    }

    #[test]
    fn texts_that_look_the_same_are_equal() {
        for (one, other) in [
            ("30\u{a0}days", "30 days"),
            ("can\u{2019}t", "can't"),
            ("can\u{b4}t", "can't"),
            ("\u{201e}so\u{201c}", "\"so\""),
            ("\u{ab}so\u{bb}", "\"so\""),
            ("pass\u{200b}word", "password"),
            ("pass\u{ad}word", "password"),
            ("ｐａｓｓｗｏｒｄ", "password"),
            ("one\u{2011}time \u{2013} \u{2212}5", "one-time - -5"),
            ("e\u{301}", "\u{e9}"),
            ("e\u{34f}\u{301}", "\u{e9}"),
            ("a\r\n  b\u{2028}c\t\u{3000}d", "a b c d"),
            ("ﬁne…", "fine..."),
            ("\u{1f469}\u{200d}\u{1f52c}\u{fe0f}", "\u{1f469}\u{1f52c}"),
        ] {
            assert_eq!(folded(one), folded(other), "{one:?}");
        }
        assert_eq!(folded("A  b\n"), "A b ");
        assert_eq!(folded_lower("A\u{a0}B"), "a b");
        for (one, other) in [
            ("İPTAL", "iptal"),
            ("ILIK", "ılık"),
            ("Straße", "STRASSE"),
            ("STRAẞE", "strasse"),
            ("ΟΔΟΣ", "οδοσ"),
            ("οδος", "ΟΔΟΣ"),
            ("ΰ", "Ϋ\u{301}"),
            ("\u{1c4}", "dž"),
            ("ᾳ", "ΑΙ"),
            ("ＳＳ", "ß"),
        ] {
            assert_eq!(folded_lower(one), folded_lower(other), "{one:?}");
        }
        for (one, other) in
            [("a b", "ab"), ("so", "\"so\""), ("a-b", "a b"), ("resume", "résumé"), ("0", "O")]
        {
            assert_ne!(folded_lower(one), folded_lower(other));
        }
    }

    proptest::proptest! {
        #[test]
        fn folding_twice_changes_nothing(text in "\\PC{0,40}") {
            proptest::prop_assert_eq!(folded(&folded(&text)), folded(&text));
            let text = folded(&text);
            for other in [text.to_uppercase(), text.to_lowercase(), folded_lower(&text)] {
                proptest::prop_assert_eq!(folded_lower(&other), folded_lower(&text));
            }
            let _ = behind_thoughts(&text);
        }
    }
}
