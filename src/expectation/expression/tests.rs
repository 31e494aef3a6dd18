//! What expressions say about answers, and the errors for invalid ones.

use super::*;

fn judge(expression: &str, response: &str) -> (bool, f64) {
    let judged = Expression::parse(expression).unwrap().evaluate(response, Some("ok")).unwrap();
    (judged.passed, judged.score)
}

fn why(expression: &str, response: &str) -> Vec<String> {
    Expression::parse(expression).unwrap().evaluate(response, None).unwrap().why
}

fn warned(expression: &str) -> Vec<(usize, String)> {
    let parsed = Expression::parse(expression).unwrap();
    parsed.warnings().iter().map(|warning| (warning.offset, warning.message.clone())).collect()
}

/// Whether expressions are true, with their score in thousandths.
const JUDGED: &[(&str, &str, bool, u32)] = &[
    ("response.includes(\"refund\")", "a refund", true, 1000),
    ("response.includes(\"Refund\")", "a refund", false, 0),
    ("response.includes('it')", "it", true, 1000),
    ("response.includes(\"it')", "it", true, 1000),
    ("response.includes('it\")", "it", true, 1000),
    ("response.includes( \"a\" )", "a", true, 1000),
    ("response.includes(\"it's\")", "it's", true, 1000),
    ("response.includes(\"say \"hi\"\")", "say \"hi\"", true, 1000),
    ("response.includes(\"it') && response.includes(\"b\")", "it b", true, 1000),
    ("response.includes(\"a && b\")", "a && b", true, 1000),
    ("response.includes(\"a || b)\")", "a || b)", true, 1000),
    ("response.includes(\"tab\\there\")", "tab\there", true, 1000),
    ("response.includes(\"\\u00e9\\x41\\u{1F600}\\uD83D\\uDE00\\\"\\\\\")", "éA😀😀\"\\", true, 1000),
    ("response.toLowerCase().includes(\"REFUND\")", "a Refund", true, 1000),
    ("!response.toLowerCase().includes(\"REFUND\")", "a Refund", false, 0),
    ("response.toLowerCase().includes(\"İ\")", "i\u{307}", true, 1000),
    ("response.startsWith(\"a\") && response.endsWith(\"z\")", "abcz", true, 1000),
    ("response.startsWith(\"a\") && response.endsWith(\"z\")", "abc", false, 500),
    ("!response.includes(\"x\")", "abc", true, 1000),
    ("! response.startsWith(\"a\")", "abc", false, 0),
    ("!(response.includes(\"x\"))", "abc", true, 1000),
    ("!(response == expected)", "ok", false, 0),
    ("length < 2 || length > 5 && length == 99", "a", true, 1000),
    ("(length < 2 || length > 5) && length == 99", "a", false, 500),
    ("length == 1 && length == 2 && length == 3 && length == 4", "a", false, 250),
    ("length == 1 && (length == 2 && (length == 3 && length == 4))", "a", false, 250),
    ("length == 9 || (length == 1 && length == 2)", "a", false, 500),
    ("length === 3", "abc", true, 1000),
    ("length !== 3", "abc", false, 0),
    ("length != 2", "abc", true, 1000),
    ("length > -1", "", true, 1000),
    ("length == 2", "😀", true, 1000),
    ("length>2", "abc", true, 1000),
    (" length\n>= 3 ", "abc", true, 1000),
    ("length <= 2", "abc", false, 0),
    ("words.length == 3", "  one two\n three ", true, 1000),
    ("words.length == 2", "one\u{feff}two", true, 1000),
    ("words.length == 1", "one\u{85}two", true, 1000),
    ("words.length == 0", " \n", true, 1000),
    ("lines.length == 2", "a\n \n\u{feff}\nb\n", true, 1000),
    ("lines.length == 1", "a\rb", true, 1000),
    ("json.a == 1", "{\"a\":1}", true, 1000),
    ("json.a == 1", "{\"a\":\"1\"}", false, 0),
    ("json.a == \"1\"", "{\"a\":\"1\"}", true, 1000),
    ("json.a == \"1\"", "{\"a\":1}", false, 0),
    ("json.a == 1", " {\"a\":1.0}\n", true, 1000),
    ("json.a == null", "{}", false, 0),
    ("json.a == null", "{\"a\":null}", true, 1000),
    ("json.a === null", "{}", false, 0),
    ("json.a != null", "{}", false, 0),
    ("json.a != null", "{\"a\":null}", false, 0),
    ("json.a != null", "{\"a\":0}", true, 1000),
    ("json.a !== null", "{}", true, 1000),
    ("json.a !== null", "{\"a\":null}", false, 0),
    ("json.a != 1", "{}", true, 1000),
    ("json.a != \"x\"", "{\"a\":\"x\"}", false, 0),
    ("json.a == \"true\"", "{\"a\":\"true\"}", false, 0),
    ("json.a == \"true\"", "{\"a\":true}", true, 1000),
    ("json.a == 'null'", "{\"a\":null}", true, 1000),
    ("json.a == false", "{\"a\":false}", true, 1000),
    ("json.a > 1.5", "{\"a\":2}", true, 1000),
    ("json.a > -1", "{\"a\":2}", true, 1000),
    ("json.a < - 1", "{\"a\":-2}", true, 1000),
    ("json.a > \"1\"", "{\"a\":2}", true, 1000),
    ("json.a > \"x\"", "{\"a\":2}", false, 0),
    ("json.a <= \"x\"", "{\"a\":2}", false, 0),
    ("json.a > 1", "{\"a\":\"2\"}", false, 0),
    ("json.a > 1", "{}", false, 0),
    ("json.a >= true", "{\"a\":1}", true, 1000),
    ("json.a >= null", "{\"a\":0}", true, 1000),
    ("json.items.0 == \"x\"", "{\"items\":[\"x\"]}", true, 1000),
    ("json.items.length == 1", "{\"items\":[\"x\"]}", true, 1000),
    ("json.items.length == 1", "{\"items\":\"x\"}", false, 0),
    ("json.items.length == 1", "{\"items\":{\"length\":1}}", true, 1000),
    ("json.items.1 == null", "{\"items\":[1]}", false, 0),
    ("json.a == \"x\" && json.b == \"y\"", "{\"a\":\"x\",\"b\":\"y\"}", true, 1000),
    ("(json.a == \"x\")", "{\"a\":\"x\"}", true, 1000),
    ("json.a == \"x'", "{\"a\":\"x\"}", true, 1000),
    ("json.a == 1", "not json", false, 0),
    ("json.a != 1", "not json", false, 0),
    ("!(json.a == 1)", "not json", false, 0),
    ("!(!(json.a == 1))", "{\"a\":1}", true, 1000),
    ("!(json.a == 1 || length > 100)", "not json", false, 0),
    ("json != null", "{}", true, 1000),
    ("json != null", "null", false, 0),
    ("json != null", "x", false, 0),
    ("!(json != null)", "x", true, 1000),
    ("response == expected", "ok", true, 1000),
    ("response == expected", " ok", false, 0),
    ("response === expected", "ok", true, 1000),
    ("response.trim() == expected", " ok\u{feff}\n", true, 1000),
    ("response.trim() == expected", "\u{85}ok", false, 0),
    ("response.match(/^\\d+$/m)", "a\n1", true, 1000),
    ("!response.match(/\\d/)", "a1", false, 0),
    ("response.match(/a||b/)", "b", true, 1000),
    ("response.match(/a&&b/) || length == 1", "x", true, 1000),
    ("response.match(/[/\"]x\\/y/)", "/x/y", true, 1000),
    ("response.match(/sorry/i) && response.match(/(?:a|b)\\)/)", "Sorry b)", true, 1000),
    ("!(length > 2 && length < 9)", "abc", false, 0),
    ("!(length > 2 && length < 9)", "a", true, 1000),
    ("!(length > 2 || length == 1)", "ab", true, 1000),
];

#[test]
fn expressions_are_judged() {
    for (expression, response, passed, thousandths) in JUDGED {
        let (held, score) = judge(expression, response);
        assert_eq!(held, *passed, "{expression} on {response:?}");
        assert!(
            (score * 1000.0 - f64::from(*thousandths)).abs() < 1e-9,
            "{expression} on {response:?}: {score}"
        );
    }
}

#[test]
fn the_part_that_failed_is_named() {
    for (expression, response, expected) in [
        ("length <= 5", "too long", "`length <= 5`: length is 8"),
        ("words.length > 3", "a b", "`words.length > 3`: words.length is 2"),
        (
            "json.u.role == \"admin\"",
            "{\"u\":{\"role\":\"guest\"}}",
            "`json.u.role == \"admin\"`: json.u.role is \"guest\"",
        ),
        ("json.a == 1", "sorry", "`json.a == 1`: the answer is not JSON"),
        ("json.a.b == 1", "{\"a\":3}", "`json.a.b == 1`: json.a.b is missing"),
        ("json != null", "sorry", "`json != null`: the answer is not JSON"),
        ("response.includes('x')", "a\nb", "`response.includes('x')`: the answer is \"a⏎b\""),
        ("response.includes('x')", "", "`response.includes('x')`: the answer is empty"),
        ("!response.includes('x')", "a x b", "`!response.includes('x')`: found in \"a x b\""),
        ("!response.match(/x/)", "a x b", "`!response.match(/x/)`: matches in \"a x b\""),
        ("response.match(/x/)", "ab", "`response.match(/x/)`: the answer is \"ab\""),
        ("!(length > 2)", "abc", "`!(length > 2)`: length is 3"),
        ("response == expected", "ab", "`response == expected`: there is no expected value"),
        ("response.startsWith('b')", "ab", "`response.startsWith('b')`: the answer is \"ab\""),
    ] {
        assert_eq!(why(expression, response), [expected], "{expression}");
    }
    let one = Expression::parse("response == expected").unwrap().evaluate("ab", Some("cd")).unwrap();
    assert_eq!(one.why, ["`response == expected`: the answer is \"ab\", expected \"cd\""]);
    assert_eq!(why("length > 0 && length > 9 || length > 8", "abc").len(), 2);
    assert!(why("length > 9 || length > 0", "abc").is_empty());
}

#[test]
fn a_missing_expected_never_passes() {
    for expression in ["response == expected", "!(response == expected)", "response.trim() == expected"] {
        let parsed = Expression::parse(expression).unwrap();
        assert!(parsed.uses_expected());
        assert!(!parsed.evaluate("", None).unwrap().passed, "{expression}");
    }
    assert!(!Expression::parse("response.includes('expected')").unwrap().uses_expected());
}

#[test]
fn negation_is_noticed() {
    for (expression, negative) in [
        ("!response.includes('x')", true),
        ("length > 2 && (length < 9 || !response.match(/x/))", true),
        ("!(length > 2)", true),
        ("length != 2", true),
        ("length >= 2 && json.n > 1", false),
        ("length <= 2", true),
        ("json.a !== 1", true),
        ("json.a != null", false),
        ("json.a !== null", true),
        ("response.match(/a$/)", true),
        ("response.match(/a/)", false),
        ("response.includes('!x')", false),
    ] {
        assert_eq!(Expression::parse(expression).unwrap().negative(), negative, "{expression}");
    }
}

#[test]
fn variables_are_replaced_only_in_strings() {
    let parsed =
        Expression::parse("response.includes('{{who}}') && json.a == \"{{who}}\" && !response.match(/z{2}/)");
    let mapped = parsed.unwrap().map_texts(&mut |text| text.replace("{{who}}", "An\"n"));
    assert!(mapped.evaluate("{\"a\":\"An\\\"n\"}", None).unwrap().why[0].ends_with("looking for \"An\"n\""));
    let mapped = Expression::parse("json.a == '{{x}}'").unwrap().map_texts(&mut |_| "true".into());
    assert!(mapped.evaluate("{\"a\":\"true\"}", None).unwrap().passed);
    for expression in ["response.includes('{{x}}')", "!response.includes('{{x}}')"] {
        let empty = Expression::parse(expression).unwrap().map_texts(&mut |_| String::new());
        assert!(!empty.evaluate("abc", None).unwrap().passed, "{expression}");
    }
}

#[test]
fn misleading_expressions_get_a_warning() {
    let one = |expression: &str, offset: usize, message: &str| {
        let found = warned(expression);
        assert_eq!(found.len(), 1, "{expression}: {found:?}");
        assert_eq!(found[0].0, offset, "{expression}");
        assert!(found[0].1.contains(message), "{expression}: {}", found[0].1);
    };
    one("response.includes(\"it')", 18, "different quotes");
    one("response.includes(\"a \"b\" c\")", 18, "its own quote character");
    one("response.includes(\"a\\nb\")", 20, "backslash");
    one("json.a == \"true\"", 10, "means `true`");
    one("json.a != 'null'", 10, "means `null`");
    one("length < 2 || length > 5 && length == 99", 11, "binds tighter");
    one("length < 2 && length > 5 || length == 99", 25, "binds tighter");
    for plain in [
        "(length < 2 && length > 5) || length == 99",
        "length < 2 && (length > 5 || length == 99)",
        "length < 2 || length > 5",
        "response.includes('it')",
        "response.match(/\\d && a || b/)",
    ] {
        assert!(warned(plain).is_empty(), "{plain}");
    }
}

/// Invalid expressions: place, message, and fix.
const WRONG: &[(&str, usize, &str, &str)] = &[
    ("", 0, "missing test", "response.includes"),
    ("  ", 2, "missing test", ""),
    ("length > 2 &&", 13, "missing test", ""),
    ("length > 2 || || length", 14, "unexpected `|`", ""),
    ("response.length > 2", 0, "not part of the language", "write `length > 2`"),
    ("response.words > 2", 0, "not part of the language", "write `words.length > 2`"),
    ("length > 2.5", 9, "whole number", "remove the fraction"),
    ("length > \"2\"", 9, "whole number", "without quotes"),
    ("length > many", 9, "whole number", "digits"),
    ("length", 0, "not compared with anything", "`length > 2`"),
    ("length = 2", 7, "`=` is not a comparison", "write `==`"),
    ("length => 2", 7, "`=>` is not a comparison", "write `>=`"),
    ("length > 1 > 2", 11, "unexpected `>`", "compare once"),
    ("length > 01", 9, "`01` is not a number", ""),
    ("length > 1e3", 9, "whole number", "exponent"),
    ("words > 2", 0, "`words` is not a number", "words.length"),
    ("!length > 2", 0, "only allowed before `response.…` and `(…)`", "!(length …)"),
    ("!!response.includes(\"a\")", 0, "`!!` is not part", "remove both"),
    ("!json.a == 1", 0, "only allowed before `response.…` and `(…)`", "reverse the comparison"),
    ("!response == expected", 0, "not allowed before a comparison", "!(response == expected)"),
    ("response.includes(\"\")", 18, "text to look for is empty", "length == 0"),
    ("response.include(\"a\")", 9, "no method `include`", "did you mean `includes`?"),
    ("response.contains(\"a\")", 9, "no method `contains`", "response.includes"),
    ("response.startswith(\"a\")", 9, "no method `startswith`", "`startsWith`"),
    ("response.includes(a)", 18, "quoted string", "\"…\""),
    ("response.includes(`a`)", 18, "backquotes are not allowed", "\"…\""),
    ("response.includes(/a/)", 18, "a pattern is not allowed", "match"),
    ("response.includes \"a\"", 17, "`(` is missing", ""),
    ("response.includes(\"a\"", 21, "`)` is missing", ""),
    ("response.includes(\"a\", 2)", 21, "only one string", "remove the rest"),
    ("response.includes(\"a", 18, "not closed", "end it with `\"`"),
    ("response.includes(\"\\u12\")", 19, "`\\u` is not a character", ""),
    ("response.match(\"a\")", 15, "a pattern is required here", "slashes"),
    ("response.match(/a)", 15, "not closed", "`/`"),
    ("response.match(//)", 15, "pattern is empty", ""),
    ("response.match(/https://a/)", 23, "pattern ends before", "\\/"),
    ("response.match(/a(b/)", 17, "not closed", "\\("),
    ("response.match(/ä**/)", 18, "nothing to repeat", ""),
    ("response.match(/a/ig x)", 21, "`)` is missing", ""),
    ("response.match(/a/iq)", 19, "unknown flag `q`", ""),
    ("response.match(/(?i)a/)", 16, "`(?i)` is not valid in JavaScript", "(?i:…)"),
    ("response.toLowerCase().startsWith(\"a\")", 0, "can follow `toLowerCase()`", "includes"),
    ("response.toLowerCase.includes(\"a\")", 0, "takes no arguments", "toLowerCase()"),
    ("response.trim().includes(\"a\")", 0, "can follow `trim()`", ""),
    ("response == \"ok\"", 12, "can only be compared with `expected`", "move the text to `value:`"),
    ("response != expected", 9, "can only be compared with `==`", "!(response == expected)"),
    ("response", 0, "not compared with anything", "response == expected"),
    ("expected == response", 0, "does not start a test", "response == expected"),
    ("2 < length", 0, "does not start a test", "first"),
    ("respnse.includes(\"a\")", 0, "`respnse` does not start a test", "did you mean `response`?"),
    ("json.a", 0, "not compared with anything", "json.a == true"),
    ("json.a == \"\"", 10, "empty string", "json_schema"),
    ("json.a == admin", 10, "`admin` is not a value", "\"admin\""),
    ("json.a == undefined", 10, "`undefined`", "!(json.a != null)"),
    ("json.a ==", 9, "missing value", ""),
    ("json[\"a\"] == 1", 4, "`[` is not part", "json.a.0"),
    ("json.a[0] == 1", 6, "`[` is not part", "json.a.0"),
    ("json.a-b == 1", 6, "not part of a JSON path", "json_schema"),
    ("json..a == 1", 5, "missing key", ""),
    ("json == null", 5, "can only be tested with `!= null`", "!(json != null)"),
    ("json == 1", 8, "can only be compared with `null`", ""),
    ("json.a == \"x\" \"y\" z", 13, "can follow a test", ""),
    ("length > 2 and length < 9", 11, "unexpected `and`", "`&&`"),
    ("length > 2 & length < 9", 11, "unexpected `&`", "`&&`"),
    ("length > 2;", 10, "unexpected `;`", "remove it"),
    ("length > 2)", 10, "unexpected `)`", ""),
    ("(length > 2", 0, "parenthesis is not closed", "add `)`"),
    ("/a/.test(response)", 0, "unexpected `/`", "response.match"),
    ("length > 2 ? 1 : 0", 11, "unexpected `?`", ""),
    ("not (length > 2)", 0, "does not start a test", "!(…)"),
];

#[test]
fn an_invalid_expression_is_an_error_at_its_place() {
    let mut wrong = Vec::new();
    for (expression, offset, message, help) in WRONG {
        match Expression::parse(expression) {
            Ok(_) => wrong.push(format!("{expression}: is read")),
            Err(error) => {
                let fits =
                    error.offset == *offset && error.message.contains(message) && error.help.contains(help);
                if !fits || error.help.is_empty() || error.offset + error.length > expression.chars().count()
                {
                    wrong.push(format!("{expression}: {error:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(Expression::parse(&"(".repeat(50_000)).unwrap_err().message.contains("deep"));
    assert!(Expression::parse(&"!(".repeat(50_000)).unwrap_err().message.contains("deep"));
}

#[test]
fn a_search_that_gives_up_is_an_error() {
    let parsed = Expression::parse("!response.match(/(?:a|a)*$(?<!b)/)").unwrap();
    assert!(parsed.evaluate(&format!("{}b", "a".repeat(40)), None).is_err());
}

const PARTS: [&str; 38] = [
    "response",
    ".includes(",
    ".match(",
    "/a/",
    "/(a|",
    "i",
    ")",
    "(",
    "!",
    "&&",
    "||",
    " ",
    "\"",
    "'",
    "x",
    "\\",
    "\\u",
    "length",
    "words.length",
    "json",
    ".a",
    ".0",
    "==",
    "!=",
    "===",
    ">",
    "<=",
    "-",
    "1",
    "2.5",
    "null",
    "expected",
    ".trim()",
    ".toLowerCase()",
    "/",
    "[",
    "é😀",
    ".startsWith(\"a\")",
];

proptest::proptest! {
    #[test]
    fn reading_never_panics(text in "\\PC{0,40}") {
        let _ = Expression::parse(&text);
    }

    #[test]
    fn reading_and_judging_never_panic(
        parts in proptest::collection::vec(proptest::sample::select(PARTS.to_vec()), 0..14),
        answer in "[a1{}:\", é😀\n\\[\\]]{0,12}",
    ) {
        let text = parts.concat();
        match Expression::parse(&text) {
            Ok(expression) => {
                let _ = expression.evaluate(&answer, None);
                for warning in expression.warnings() {
                    proptest::prop_assert!(warning.offset <= text.chars().count());
                }
            }
            Err(error) => proptest::prop_assert!(error.offset + error.length <= text.chars().count()),
        }
    }

    #[test]
    fn scores_and_verdicts_agree(
        tests in proptest::collection::vec(proptest::sample::select(vec![
            "length > 2", "!(length > 2)", "json.a == 1", "!response.includes('a')", "response.match(/1/)",
            "(words.length == 1 || json != null)", "!(json.a == 1 && length > 3)",
        ]), 1..5),
        joints in proptest::collection::vec(proptest::sample::select(vec![" && ", " || "]), 5),
        answer in proptest::sample::select(vec!["", "a", "1", "{\"a\":1}", "a b 1", "null"]),
    ) {
        let text: String = tests.iter().zip(&joints).flat_map(|(test, joint)| [*test, *joint]).collect();
        let text = text.trim_end_matches([' ', '&', '|']);
        let judged = Expression::parse(text).unwrap().evaluate(answer, None).unwrap();
        proptest::prop_assert!((0.0..=1.0).contains(&judged.score));
        proptest::prop_assert_eq!(judged.passed, judged.score >= 1.0);
        proptest::prop_assert_eq!(judged.passed, judged.why.is_empty());
    }
}
