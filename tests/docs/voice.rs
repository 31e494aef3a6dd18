//! Words that no text of akit may use.

use std::path::Path;

use super::{akit, commands, root};

/// Words that a native speaker would not use here, or that have a better one in the glossary.
const NEVER: [&str; 34] = [
    "absent",
    "amiss",
    "anew",
    "back end",
    "breach",
    "breaches",
    "dear",
    "dearest",
    "fresh trial",
    "fresh trials",
    "goes before",
    "grader",
    "hand-over",
    "has no like",
    "held against",
    "holds",
    "lets expect",
    "look after",
    "mend",
    "mended",
    "misspelt",
    "nobody",
    "otherwise than",
    "product",
    "replies",
    "reply",
    "ruling",
    "shall",
    "stands",
    "status",
    "take out",
    "take over",
    "tells",
    "under way",
];

/// Files with texts sent to judges: these are part of cache keys, so they do not change.
const SENT: [&str; 3] = ["grader/canary_table.rs", "grader/prompt.rs", "grader/rubric.rs"];

/// The string literals of a Rust file, without comments and tests.
fn literals(code: &str) -> Vec<String> {
    let code = code.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(at) = rest.find(['"', '/', '\'']) {
        let (mark, after) = (rest.as_bytes()[at], &rest[at + 1..]);
        rest = after;
        if mark == b'/' {
            if after.starts_with('/') {
                rest = after.split_once('\n').map_or("", |(_, next)| next);
            }
        } else if mark == b'\'' {
            // A character literal, unless it is a lifetime.
            let escaped = after.starts_with('\\');
            let end = after.char_indices().nth(if escaped { 2 } else { 1 });
            rest = end.filter(|(_, c)| *c == '\'').map_or(after, |(end, _)| &after[end + 1..]);
        } else {
            let (mut text, mut chars) = (String::new(), after.char_indices());
            while let Some((end, c)) = chars.next() {
                match c {
                    '"' => {
                        rest = &after[end + 1..];
                        break;
                    }
                    // An escape separates words.
                    '\\' => {
                        let _ = chars.next();
                        text.push(' ');
                    }
                    c => text.push(c),
                }
            }
            found.push(text);
        }
    }
    found
}

/// The words in a text that should not be there; code in it is ignored.
fn wrong(text: &str) -> Vec<&'static str> {
    let prose: String = text.split('`').step_by(2).collect::<Vec<_>>().join(" ");
    let prose: String =
        prose.split('{').map(|part| part.split_once('}').map_or(part, |(_, rest)| rest)).collect();
    let words: Vec<String> = prose
        .split_whitespace()
        .filter(|word| !word.starts_with(['-', '<', '[']) && !word.contains(['_', '/', '=']))
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase())
        .collect();
    let prose = format!(" {} ", words.join(" "));
    NEVER.into_iter().filter(|never| prose.contains(&format!(" {never} "))).collect()
}

fn files(path: &Path, found: &mut Vec<std::path::PathBuf>) {
    if path.is_dir() && !path.ends_with("tests") {
        for entry in std::fs::read_dir(path).unwrap() {
            files(&entry.unwrap().path(), found);
        }
    } else if path.extension().is_some_and(|end| end == "rs") && !path.to_string_lossy().ends_with("tests.rs")
    {
        found.push(path.to_owned());
    }
}

#[test]
fn words_of_the_old_voice_are_found() {
    for (text, found) in [
        ("make it anew", &["anew"][..]),
        ("The status, again", &["status"]),
        ("at most: every fresh trial of it", &["fresh trial"]),
        ("see `status` and {status} --replies FILE", &[]),
        ("statuses", &[]),
    ] {
        assert_eq!(wrong(text), found, "{text}");
    }
    let code = "// \"anew\"\nlet a = '\"'; let b = \"one \\\"two\\\" {x}\"; /* */ f(\"three\", 'x', '\\n');\n#[cfg(test)]\nmod tests {\"no\"";
    assert_eq!(literals(code), ["one  two  {x}", "three"]);
}

#[test]
fn no_text_has_a_word_of_the_old_voice() {
    let (mut found, mut read, mut paths) = (Vec::new(), 0, Vec::new());
    files(&root().join("src"), &mut paths);
    for path in paths.into_iter().filter(|path| !SENT.iter().any(|sent| path.ends_with(sent))) {
        for text in
            literals(&std::fs::read_to_string(&path).unwrap()).iter().filter(|text| text.contains(' '))
        {
            read += 1;
            let words = wrong(text);
            if !words.is_empty() {
                found.push(format!("{}: {words:?} in {text:?}", path.display()));
            }
        }
    }
    for command in commands() {
        let words: Vec<&str> = command.iter().map(String::as_str).chain(["--help"]).collect();
        let page = akit(&words).split_whitespace().collect::<Vec<_>>().join(" ");
        // Possible values are not prose.
        let prose = page.split("[possible values:").enumerate().map(|(at, part)| match at {
            0 => part,
            _ => part.split_once(']').map_or("", |(_, rest)| rest),
        });
        read += page.len() / 80;
        let words = wrong(&prose.collect::<String>());
        if !words.is_empty() {
            found.push(format!("akit {} --help: {words:?}", command.join(" ")));
        }
    }
    assert!(found.is_empty(), "{}:\n{}", found.len(), found.join("\n"));
    assert!(read > 1_000, "only {read} texts were read");
}
