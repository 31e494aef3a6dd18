//! What a text says, whatever characters it says it with: for comparing texts, and for knowing that one says nothing.

use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::CodePointSetData;
use icu_properties::props::DefaultIgnorableCodePoint;

use super::js_space;

/// Answers that stand for none, as programs print them; between quotes or marks, too.
const NO_VALUE: [&str; 5] = ["null", "undefined", "None", "NaN", "[object Object]"];

/// Tags that hold no word of their own.
const TAGS: [&str; 9] = ["br", "p", "div", "span", "html", "head", "body", "pre", "code"];

/// Tags of what a reasoning model thinks before it answers.
const THOUGHTS: [&str; 4] = ["think", "thinking", "thought", "reasoning"];

/// The opening of an answer, with nothing behind it, in eight languages. Judges are known to wave
/// such answers through.
const OPENERS: &str = "answer; final answer; here is my answer; here is the answer; here's my answer; here's the answer; \
    let us solve this step by step; let us think step by step; let's solve this problem step by step; \
    let's solve this step by step; let's think step by step; reasoning; response; solution; the answer is; \
    thought process; antwort; die antwort lautet; gedankengang; hier ist die antwort; hier ist meine antwort; \
    lass uns schritt für schritt denken; lösung; überlegung; la réponse est; raisonnement; \
    réfléchissons étape par étape; réponse; réponse finale; voici la réponse; voici ma réponse; \
    la respuesta es; pensemos paso a paso; razonamiento; respuesta; respuesta final; solución; a resposta é; \
    raciocínio; resposta; resposta final; solução; vamos pensar passo a passo; la risposta è; \
    pensiamo passo dopo passo; ragionamento; risposta; risposta finale; soluzione; 回答; 思考过程; 最终答案; 答; 答案; 解; \
    解答; 让我们一步一步地思考; 让我们一步一步思考; ステップバイステップで考えてみましょう; 一歩ずつ考えてみましょう; 思考プロセス; 思考過程; 答え";

/// Whether Unicode says to ignore a character (`Default_Ignorable_Code_Point`), such as a zero-width space.
#[must_use]
pub fn ignorable(c: char) -> bool {
    !c.is_ascii() && CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

/// Whether nothing of a text can be seen: it is empty, or all white space and ignorable characters.
#[must_use]
pub fn shows_nothing(text: &str) -> bool {
    text.chars().all(|c| blank(c) || ignorable(c))
}

/// The text as it is compared: in NFKC, without ignorable characters, with plain quotes and hyphens, and with one
/// blank for each run of white space and line ends.
#[must_use]
pub fn folded(text: &str) -> String {
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

/// The same in lower case.
#[must_use]
pub fn folded_lower(text: &str) -> String {
    folded(text).to_lowercase()
}

fn blank(c: char) -> bool {
    js_space(c) || c == '\u{85}'
}

/// Quotes and hyphens as keyboards have them. Some of them are no longer one character in NFKC.
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

/// The text behind one block of thoughts at its beginning; `None` where that block never ends.
#[must_use]
pub fn behind_thoughts(text: &str) -> Option<&str> {
    let start = text.trim_start_matches(|c| blank(c) || ignorable(c));
    if !start.contains('<') {
        return Some(text);
    }
    for tag in THOUGHTS {
        let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
        // Some templates write the opening tag into the prompt.
        let opened = start.get(..open.len()).is_some_and(|head| head.eq_ignore_ascii_case(&open));
        match find_ignoring_case(start, &close) {
            Some(at) if opened || find_ignoring_case(&start[..at], &open).is_none() => {
                return Some(&start[at + close.len()..]);
            }
            None if opened => return None,
            _ => {}
        }
    }
    Some(text)
}

fn find_ignoring_case(text: &str, tag: &str) -> Option<usize> {
    text.as_bytes().windows(tag.len()).position(|part| part.eq_ignore_ascii_case(tag.as_bytes()))
}

/// Whether an answer says nothing: it is empty, or only punctuation, invisible characters, the opening of an
/// answer, a word for no value, an empty fence or tag, or thoughts.
#[must_use]
pub fn says_nothing(answer: &str) -> bool {
    /// More letters than any text here that says nothing.
    const ENOUGH: usize = 400;
    let Some(answer) = behind_thoughts(answer) else { return true };
    if answer.chars().filter(|c| c.is_alphanumeric()).take(ENOUGH).count() == ENOUGH {
        return false;
    }
    let is_fence = |line: &&str| {
        let mark = line.trim().strip_prefix("```").or(line.trim().strip_prefix("~~~"));
        mark.is_some_and(|mark| mark.chars().all(|c| c.is_ascii_alphanumeric() || c == ' '))
    };
    let lines: Vec<_> = answer.lines().filter(|line| !is_fence(line)).collect();
    let text = folded(&lines.join("\n"));
    if NO_VALUE.contains(&text.trim_matches(['"', '\'', '`', '*', ' '])) {
        return true;
    }
    let mut text = text.to_lowercase();
    for tag in TAGS {
        for written in [format!("<{tag}>"), format!("</{tag}>"), format!("<{tag}/>"), format!("<{tag} />")] {
            text = text.replace(&written, " ");
        }
    }
    let words: String =
        text.chars().map(|c| if c.is_alphanumeric() || c == '\'' { c } else { ' ' }).collect();
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    words.chars().all(|c| !c.is_alphanumeric()) || OPENERS.split("; ").any(|opener| opener == words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_nothing() {
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
        ] {
            assert!(!says_nothing(answer), "{answer:?}");
        }
    }

    #[test]
    fn texts_that_read_the_same_are_compared_as_the_same() {
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
            let _ = (says_nothing(&text), behind_thoughts(&text));
        }
    }
}
