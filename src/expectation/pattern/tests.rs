//! What patterns match, according to JavaScript engines, and the errors for invalid ones.

use super::*;

/// Pattern, flags, text and the matching bytes; one JSON list per line.
const MATCHES: &str = include_str!("matches.jsonl");

fn find(pattern: &str, flags: &str, text: &str) -> Option<(usize, usize)> {
    let found = Pattern::compile(pattern, flags).unwrap().find(text).unwrap();
    found.map(|range| (range.start, range.end))
}

#[test]
fn patterns_match_as_in_javascript() {
    let mut wrong = Vec::new();
    for line in MATCHES.lines() {
        let (pattern, flags, text, expected): (String, String, String, Option<(usize, usize)>) =
            serde_json::from_str(line).unwrap();
        match Pattern::compile(&pattern, &flags) {
            Err(error) => wrong.push(format!("/{pattern}/{flags}: {error}")),
            Ok(compiled) => {
                let found = compiled.find(&text).unwrap().map(|range| (range.start, range.end));
                if found != expected {
                    wrong.push(format!("/{pattern}/{flags} on {text:?}: {found:?}, not {expected:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn groups_may_change_flags() {
    assert_eq!(find("(?i:hello)", "", "Hello"), Some((0, 5)));
    assert_eq!(find("(?i:h)ello", "", "HELLO"), None);
    assert_eq!(find("(?-i:h)ello", "i", "hELLO"), Some((0, 5)));
    assert_eq!(find("(?-i:h)ello", "i", "HELLO"), None);
    assert_eq!(find("(?s:a.b).", "", "a\nbc"), Some((0, 4)));
    assert_eq!(find("(?s:a.b).", "", "a\nb\n"), None);
    assert_eq!(find("(?m:^b)", "", "a\nb"), Some((2, 3)));
    assert_eq!(find("(?m-i:^b$)", "i", "a\nb\nc"), Some((2, 3)));
    assert_eq!(find("(?i:a(?-i:b))c", "", "Abc"), Some((0, 3)));
    assert_eq!(find("(?i:a|b)|c", "", "C"), None);
}

#[test]
fn matching_is_by_characters() {
    assert_eq!(find("^.$", "", "😀"), Some((0, 4)));
    assert_eq!(find("^\\uD83D\\uDE00+$", "", "😀😀"), Some((0, 8)));
    assert_eq!(find("[\\uD800-\\uDFFF]", "", "a😀"), Some((1, 5)));
    assert_eq!(find("(?:\\ud83c[\\udde6-\\uddff]){2}", "", "🇩🇪"), Some((0, 8)));
    assert_eq!(find("[^😀]", "", "😀"), None);
    assert_eq!(find("[\\u0080-\\uFFFF]", "", "😀"), Some((0, 4)));
}

#[test]
fn an_invalid_pattern_is_an_error_at_its_place() {
    let cases = [
        ("(?i)hello", 0, "`(?i)` is not valid in JavaScript", "use `flags: i` or `(?i:…)`"),
        ("a(?im)b", 1, "`(?im)` is not valid in JavaScript", "use `flags: im` or `(?im:…)`"),
        ("(?-i)b", 0, "`(?-i)` is not valid in JavaScript", "write `(?-i:…)`"),
        ("(?-:a)", 0, "changes no flag", "(?:…)"),
        ("(?ii:a)", 3, "flag `i` is repeated", "once"),
        ("(?i-i:a)", 4, "flag `i` is repeated", "once"),
        ("(?x:a)", 0, "does not start a JavaScript group", "no `x` flag"),
        ("(?>a)", 0, "`(?>` does not start", "atomic"),
        ("(?P<n>a)", 0, "`(?P` does not start", "(?<name>…)"),
        ("a(?#b)", 1, "`(?#` does not start", "comments"),
        ("(?(1)a)", 0, "`(?(` does not start", "conditions"),
        ("(?~a)", 0, "`(?~` does not start", "after `(?`"),
        ("(", 0, "not closed", "\\("),
        ("ab(c", 2, "not closed", "close it with `)`"),
        ("(?", 0, "not closed", "close it"),
        ("a)b", 1, "unmatched `)`", "\\)"),
        ("a[b", 1, "class is not closed", "close it with `]`"),
        ("[a\\", 2, "ends with a backslash", "\\\\"),
        ("a\\", 1, "ends with a backslash", "\\\\"),
        ("*a", 0, "`*` has nothing to repeat", "\\*"),
        ("ä**", 2, "`*` has nothing to repeat", "\\*"),
        ("a++", 2, "`+` has nothing to repeat", "possessive"),
        ("a{2}+", 4, "`+` has nothing to repeat", "possessive"),
        ("a{1}{2}", 4, "`{` has nothing to repeat", "\\{"),
        ("^*", 1, "`*` has nothing to repeat", ""),
        ("\\b+", 2, "`+` has nothing to repeat", ""),
        ("(?<=a)*", 6, "`*` has nothing to repeat", ""),
        ("(|*)", 2, "`*` has nothing to repeat", ""),
        ("(*FAIL)", 1, "`*` has nothing to repeat", ""),
        ("a{2,1}", 1, "out of order", "{1,2}"),
        ("x[b-a]", 2, "range `b-a` is out of order", "\\-"),
        ("(?<1a>a)", 3, "invalid group name", "starting with a digit"),
        ("(?<>a)", 3, "invalid group name", "letters"),
        ("(?<a", 3, "not closed", "end the name with `>`"),
        ("(?<n>a)(?<n>b)", 10, "two groups are named `n`", "own name"),
        ("(?<year>a)\\k<yaer>", 13, "unknown group `yaer`", "did you mean `\\k<year>`?"),
        ("(?<n>a)\\k", 7, "without a group name", "\\k<name>"),
    ];
    for (pattern, offset, message, help) in cases {
        let error = Pattern::compile(pattern, "").unwrap_err();
        assert!(error.message.contains(message), "{pattern}: {}", error.message);
        assert!(error.help.contains(help), "{pattern}: {}", error.help);
        assert_eq!((error.part, error.offset), (RegexText::Pattern, offset), "{pattern}");
    }
}

#[test]
fn the_grammar_is_strict_with_the_u_flag() {
    let cases = [
        ("a{", 1, "invalid repetition"),
        ("a{,2}", 1, "invalid repetition"),
        ("{", 0, "nothing to repeat"),
        ("a}", 1, "unmatched `}`"),
        ("]", 0, "unmatched `]`"),
        ("(?=a)*", 5, "nothing to repeat"),
        ("\\Aa", 0, "`\\A` is not a JavaScript escape"),
        ("a\\-", 1, "`\\-` is not a JavaScript escape"),
        ("\\u{110000}", 0, "`\\u` is not a JavaScript escape"),
        ("\\x1", 0, "`\\x` is not a JavaScript escape"),
        ("\\c1", 0, "`\\c` is not a JavaScript escape"),
        ("\\01", 0, "`\\0` is not a JavaScript escape"),
        ("(a)\\2", 3, "unknown group 2: the pattern has 1 group"),
        ("[\\w-a]", 1, "a single character at each end"),
        ("\\p{Lx}", 0, "unknown property `Lx`"),
        ("a\\p{Greek}", 1, "unknown property `Greek`"),
        ("\\p{Script=greek}", 0, "unknown property"),
        ("\\pL", 0, "without a property in braces"),
        ("\\k<a>", 3, "unknown group `a`"),
    ];
    for (pattern, offset, message) in cases {
        let error = Pattern::compile(pattern, "u").unwrap_err();
        assert!(error.message.contains(message), "{pattern}: {}", error.message);
        assert_eq!(error.offset, offset, "{pattern}");
    }
    assert!(Pattern::compile("\\p{Greek}", "u").unwrap_err().help.contains("\\p{Script=Greek}"));
}

#[test]
fn flags_are_checked() {
    for (flags, offset, message, help) in [
        ("x", 0, "unknown flag `x`", "white space"),
        ("gg", 1, "flag `g` is repeated", "once"),
        ("iv", 1, "flag `v` is not supported", "use `u`"),
        ("I", 0, "unknown flag `I`", "write `i`"),
        ("mü", 1, "unknown flag `ü`", "use `d`, `g`"),
    ] {
        let error = Pattern::compile("a", flags).unwrap_err();
        assert!(error.message.contains(message), "{flags}: {}", error.message);
        assert!(error.help.contains(help), "{flags}: {}", error.help);
        assert_eq!((error.part, error.offset), (RegexText::Flags, offset), "{flags}");
    }
    assert!(Pattern::compile("a", "dgimsuy").is_ok());
}

#[test]
fn unsupported_syntax_is_refused() {
    for (pattern, offset, message) in [
        ("a{99999}{0}", 8, "nothing to repeat"),
        ("(?:a{9999}){9999}", 0, "too large"),
        ("(a{1000}){1000}", 0, "too large"),
        ("x(?:[a-z]{1000}){1000}y", 0, "too large"),
    ] {
        let error = Pattern::compile(pattern, "").unwrap_err();
        assert!(error.message.contains(message), "{pattern}: {}", error.message);
        assert_eq!(error.offset, offset, "{pattern}");
    }
    assert!(Pattern::compile(&"(".repeat(50_000), "").unwrap_err().message.contains("deep"));
    assert!(Pattern::compile(&format!("{}a{}", "(".repeat(40), ")".repeat(40)), "").is_ok());
}

/// Patterns that are not compiled when they are read must work when they are used: here are the heaviest and the
/// deepest.
#[test]
fn patterns_below_the_limit_compile() {
    // Ranges that need the most bytes of UTF-8 in the most combinations.
    let worst = "\\u{81}-\\u{10FFFE}";
    let ranges: Vec<String> =
        (0..60).map(|i| format!("\\u{{{:X}}}-\\u{{{:X}}}", 0x81 + i * 0x4001, 0x3fff + i * 0x4001)).collect();
    let nested =
        |times: usize, open: &str, close: &str| format!("{}c{}", open.repeat(times), close.repeat(times));
    for pattern in [
        format!("[{worst}]{{333}}"),
        format!("(?:[{worst}]{{1,166}}){{2}}"),
        format!("(?:[{worst}]*?x|){{100}}"),
        format!("[{}]{{16}}", ranges.concat()),
        nested(10, "(a", ")?"),
        nested(10, "(?:|b", ")*?"),
        nested(10, "(?:a|", "b)*"),
        nested(32, "(?:a|", ")"),
    ] {
        let node =
            Parser::read(&pattern.chars().collect::<Vec<_>>(), GroupFlags::default(), Dialect::Unicode);
        let node = node.unwrap();
        assert!(is_light(&node), "{pattern}");
        let found = program(&emit::emit(&node).unwrap().into());
        assert!(found.is_ok(), "{pattern}: {:?}", found.err());
    }
}

#[test]
fn many_patterns_are_searched_in_turn() {
    for _ in 0..2 {
        for number in 0..200 {
            assert_eq!(find(&format!("x{number}y"), "", "x7y x150y").is_some(), [7, 150].contains(&number));
        }
    }
}

/// Whether a search with a limit of steps finds a match, and how many steps are left.
fn walked(pattern: &str, text: &str, mut steps: usize) -> (Result<bool, Spent>, usize) {
    let Search::Walk(program) = Pattern::compile(pattern, "").unwrap().search else { panic!("{pattern}") };
    let found = walk::find(&program, text, 0, &mut steps);
    (found.map(|found| found.is_some()), steps)
}

/// Everything in a search costs steps: lookarounds, references, empty loops, and every start.
#[test]
fn every_search_gives_up_eventually() {
    for (pattern, text) in [
        ("(?:a|a)*$(?<!b)", format!("{}b", "a".repeat(40))),
        ("(?!.*foo).*bar", "x".repeat(60_000)),
        ("(?=.*\\d)x", "y".repeat(160_000)),
        ("(?=(a+))\\1b", "a".repeat(100_000)),
        ("(?=(a+)b)", "a".repeat(100_000)),
        ("(?<=c.*)b", "a".repeat(100_000)),
        ("(?:(?!.*foo).)*bar", "x".repeat(60_000)),
        ("(a*)*\\1c", "a".repeat(100_000)),
        ("(?:(?:){99999}){99999}\\b", String::new()),
        ("\\b(\\w+\\s?)*$", format!("{}!", "word ".repeat(40))),
    ] {
        assert_eq!(walked(pattern, &text, 1_000_000), (Err(Spent), 0), "{pattern}");
    }
    let error = Pattern::compile("(?!.*foo).*bar", "").unwrap().find(&"x".repeat(60_000)).unwrap_err();
    assert!(matches!(error, SearchError::LimitExceeded { .. }));
    assert!(error.to_string().contains("gave up after 50,000,000 steps"), "{error}");
}

/// The limit is per text and not per match.
#[test]
fn all_matches_together_share_one_limit() {
    let all = |pattern: &str, text: &str| Pattern::compile(pattern, "").unwrap().all(text);
    assert_eq!(all("\\ba|(?=b)", "a ba a"), Ok(vec![0..1, 5..6]));
    assert_eq!(all("a(?=[^]*$)", &"a".repeat(30_000)), Err(GaveUp));
}

/// A pattern that needs a few steps per character works on a string of several MB.
#[test]
fn long_texts_are_searched() {
    let text = "some words, as they come. ".repeat(4_000);
    for (pattern, found) in [
        ("\\bwords\\b", true),
        ("\\bword\\b", false),
        ("^(?=[^]*words)(?=[^]*come)(?![^]*foo)", true),
        ("(\\w)\\1\\1", false),
        ("(?<!o)me\\b", false),
    ] {
        let (searched, left) = walked(pattern, &text, 9 * text.len());
        assert_eq!(searched, Ok(found), "{pattern}: {left}");
    }
}

#[test]
fn literals_with_slashes_are_noticed() {
    for pattern in ["/yes/i", "/yes/", "/a/b/g"] {
        assert!(Pattern::looks_delimited(pattern), "{pattern}");
    }
    for pattern in ["yes", "/", "//", "/yes", "yes/i", "/usr/local/bin", "/a/x"] {
        assert!(!Pattern::looks_delimited(pattern), "{pattern}");
    }
    assert_eq!(find("/yes/i", "", "yes"), None);
    assert_eq!(find("/yes/i", "", "/yes/i"), Some((0, 6)));
}

proptest::proptest! {
    #[test]
    fn reading_and_searching_never_panic(
        pattern in "\\PC{0,30}",
        flags in "[dgimsuvy]{0,2}",
        text in "\\PC{0,30}",
    ) {
        if let Ok(pattern) = Pattern::compile(&pattern, &flags) {
            let found = pattern.find(&text);
            proptest::prop_assert!(!matches!(found, Err(SearchError::Refused { .. })), "{:?}", found);
        }
    }

    #[test]
    fn no_syntax_panics(
        parts in proptest::collection::vec(proptest::sample::select(vec![
            "a", "b", "(", ")", "(?:", "(?=", "(?!", "(?<=", "(?<!", "(?<n>", "(?i:", "[", "]", "[^", "-", "^", "$",
            ".", "*", "+", "?", "{2}", "{0,3}", "|", "\\", "\\d", "\\W", "\\b", "\\B", "\\1", "\\2", "\\k<n>", "\\p{L}",
            "\\P{Lu}", "\\uD83D", "\\uDE00", "é", "😀", "&&", "\\0", "\\c", "ſ",
        ]), 0..14),
        flags in "[imsuy]?",
        text in "[ab1é😀\n ]{0,12}",
    ) {
        match Pattern::compile(&parts.concat(), &flags) {
            Ok(pattern) => match pattern.find(&text) {
                Ok(Some(range)) => proptest::prop_assert!(text.get(range).is_some()),
                Err(SearchError::Refused { why, .. }) => proptest::prop_assert!(false, "{}", why),
                Ok(None) | Err(SearchError::LimitExceeded { .. }) => {}
            }
            Err(error) => proptest::prop_assert!(error.offset <= parts.concat().chars().count()),
        }
    }
}
