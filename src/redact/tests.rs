use proptest::prelude::*;

use super::*;

/// Kind, and a value of it.
pub(super) const VALUES: [(&str, &str); 30] = [
    ("email", "jane.doe+x@example.co.uk"),
    ("email", "jörg@müller.example"),
    ("email", "jane%40example.com"),
    ("phone", "+1 415 555 0132"),
    ("phone", "+49 (0)30 901820-11"),
    ("phone", "(415) 555-0132"),
    ("phone", "415-555-0132"),
    ("phone", "415.555.0132"),
    ("phone", "030 90182011"),
    ("credit_card", "4111 1111 1111 1111"),
    ("credit_card", "5555-5555-5555-4444"),
    ("credit_card", "378282246310005"),
    ("credit_card", "3782 822463 10005"),
    ("credit_card", "6011111111111117"),
    ("ssn", "078-05-1120"),
    ("ssn", "219 09 9999"),
    ("iban", "DE89 3704 0044 0532 0130 00"),
    ("iban", "GB82WEST12345698765432"),
    ("api_key", "sk-proj-abcDEF1234567890abcd"),
    ("api_key", "sk-ant-api03-abcdefgh12345678"),
    ("api_key", "ghp_abcdefghijklmnopqrstuvwxyz0123456789"),
    ("api_key", "github_pat_11ABCDEFG0abcdefghijkl"),
    ("api_key", "glpat-abcd1234efgh5678ijkl"),
    ("api_key", "xoxb-123456789012-abcdefghij"),
    ("api_key", "AIzaSyA1234567890abcdefghijklmnopqrstuvw"),
    ("aws_key", "AKIAIOSFODNN7EXAMPLE"),
    ("jwt", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P"),
    ("secrets", "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----"),
    ("phone", "1-800-555-0199"),
    ("credit_card", "4012888888881881"),
];

pub(super) fn usual() -> Redactor {
    Redactor::new(Kind::usual(), Vec::new())
}

#[test]
fn values_are_replaced_by_markers_of_their_kind() {
    for (kind, value) in VALUES {
        for (before, after) in [("", ""), ("say ", ", please."), ("(", ")"), ("\"", "\""), ("x:\n", "\n")] {
            let text = format!("{before}{value}{after}");
            let wanted = format!("{before}[REDACTED:{kind}]{after}");
            assert_eq!(usual().text(&text), wanted, "{text}");
        }
        assert_eq!(usual().text(&format!("\"x\\n{value}\"")).find(value), None, "{value}");
    }
    for (text, wanted) in [
        ("password=hunter2 x", "password=[REDACTED:secrets] x"),
        ("{\"client_secret\": \"a b\"}", "{\"client_secret\": \"[REDACTED:secrets]\"}"),
        ("apiKey: a1b2c3d4", "apiKey: [REDACTED:secrets]"),
        ("Authorization: Bearer abcdefgh12345678", "Authorization: Bearer [REDACTED:secrets]"),
        ("pay 12 4111 1111 1111 1111 now", "pay 12 [REDACTED:credit_card] now"),
    ] {
        assert_eq!(usual().text(text), wanted);
    }
    let ip = Redactor::new([Kind::Ipv4], Vec::new());
    assert_eq!(
        ip.text("at 192.168.0.1, not 1.2.3.4.5 or 1.2.3 or 300.1.1.1"),
        "at [REDACTED:ipv4], not 1.2.3.4.5 or 1.2.3 or 300.1.1.1"
    );
}

#[test]
fn a_value_is_found_as_people_see_it() {
    for (kind, text) in [
        ("credit_card", "pay **4111** **1111** **1111** **1111** now"),
        ("credit_card", "pay 4111_1111_1111_1111 now"),
        ("credit_card", "pay `4111 1111` `1111 1111` now"),
        ("credit_card", "pay _4111_ _1111_ _1111_ _1111_ now"),
        ("credit_card", "pay ~~4111111111111111~~ now"),
        ("credit_card", "pay 4111&nbsp;1111&nbsp;1111&#160;1111 now"),
        ("email", "write to john&#64;example.com today"),
        ("email", "write to john&#x40;example&#46;com today"),
        ("email", "write to john&commat;example.com today"),
        ("email", "write to john (at) example.com today"),
        ("email", "write to john[AT]example(dot)com today"),
        ("email", "write to john @ example.com today"),
        ("email", "write to \"john doe\"@example.com today"),
        ("ssn", "his SSN: 219099999 today"),
        ("ssn", "Social Security number is 219 09 9999 today"),
        ("ssn", "her **SSN** is **219-09-9999** today"),
        ("iban", "to **DE89** **3704** **0044** **0532** **0130** **00** today"),
    ] {
        let kind = Kind::named(kind).unwrap();
        let shown = Redactor::new([kind], Vec::new()).text(text);
        assert!(shown.contains(&format!("[REDACTED:{}]", kind.name())), "{text}: {shown}");
        for part in ["4111", "1111", "john", "example", "219", "9999", "3704"] {
            assert!(!shown.contains(part), "{text}: {shown}");
        }
        assert_eq!(Redactor::new([kind], Vec::new()).text(&shown), shown);
    }
    for text in [
        "Visit us at example.com, or call Mr. @ Work.",
        "thanks @jane.doe and (at) least",
        "list[at] is 2_000_000 of 5 * 6 * 7",
        "**12** of 34 and _5_ of `6`; 3 &lt; 4 &amp; 5",
        "the number 219099999 of your order",
        "items: 1*2*3, a_1_b_2, x ~ 3",
        "\"quoted\" @example.com",
    ] {
        assert_eq!(usual().text(text), text);
    }
    let key = "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----";
    let alone = Redactor::new([Kind::PrivateKey], Vec::new());
    assert_eq!(
        alone.text(&format!("key {key} password=hunter2")),
        "key [REDACTED:private_key] password=hunter2"
    );
}

#[test]
fn lookalikes_are_not_redacted() {
    for text in [
        "order 1234567890123456",
        "order number 4111111111111112",
        "order 100-2345-6789",
        "invoice 2026-0001234",
        "on 2026-11-22 at 23:15:35",
        "2026-11-22T23:15:35.123Z",
        "22/11/2026 and 01/02/2026",
        "v1.2.3 and 10.15.7 and 1.2.3.4",
        "serde@1.0.219",
        "@scope/package and @mention",
        "d41d8cd98f00b204e9800998ecf8427e",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "550e8400-e29b-41d4-a716-446655440000",
        "41111111-1111-1111-1111-111111111111",
        "1700000000 1700000000000",
        "3.14159265358979",
        "a total of 1,234,567,890",
        "000-12-3456 and 666-12-3456 and 900-12-3456",
        "GB82 WEST 1234 5698 7654 33",
        "sk-learn-and-its-many-friends",
        "the token: is missing; password: required",
        "max_tokens: 100000",
        "eyJ is how they begin",
        "AKIA is a prefix",
        "1 + 2 = 3, x += 10",
        "ISBN 978-3-16-148410-0",
        "[REDACTED:email] password=[REDACTED:secrets]",
        "",
    ] {
        assert_eq!(usual().text(text), text);
    }
}

#[derive(Debug)]
struct Word(&'static str);

impl Find for Word {
    fn all(&self, text: &str) -> Result<Vec<Range<usize>>, GaveUp> {
        if self.0 == "!" {
            return Err(GaveUp);
        }
        Ok(text.match_indices(self.0).map(|(at, found)| at..at + found.len()).collect())
    }

    fn source(&self) -> &str {
        self.0
    }
}

#[test]
fn own_patterns_and_replacements() {
    let email = |replacement: &str| Redaction {
        redactor: usual(),
        cover: Cover::Both,
        replacement: Some(replacement.to_owned()),
    };
    let text = usual().text("ask a@b.example or [c@d.example]");
    assert_eq!(text, "ask [REDACTED:email] or [[REDACTED:email]]");
    assert_eq!(email("***").shown(&text), "ask *** or [***]");
    // A report with the replacement can be read back, whatever else the answer contains.
    for (replacement, answer) in
        [("***", "***a@b.example***"), ("kind", "kind a@b.example kindly c@d.example"), ("é", "éa@b.example")]
    {
        let redacted = usual().text(answer);
        let (shown, replaced) = email(replacement).replaced(&redacted);
        assert!(shown.contains(replacement) && !shown.contains("REDACTED"), "{shown}");
        assert_eq!(Replaced::undo(&replaced, &shown), redacted);
        assert_eq!(Replaced::undo(&replaced, ""), "");
    }
    assert_eq!(email("x").shown("[REDACTED:] [REDACTED:é] plain"), "[REDACTED:] [REDACTED:é] plain");

    let own = |word| Redactor::new([Kind::Email], vec![Arc::new(Word(word)) as Arc<dyn Find>]);
    assert_eq!(own("E").text("E a@b.example"), "[REDACTED:custom] [REDACTED:email]");
    assert_eq!(own("").text("x a@b.example"), "x [REDACTED:email]");
    assert_eq!(own("!").text("a@b.example"), "[REDACTED:text]");
}

#[test]
fn excerpts_do_not_show_parts_of_values() {
    let source = ["write to jane.doe@example.com or password=hunter2".to_owned()];
    let words = |words| usual().words(words, &source);
    assert_eq!(words("missing \"write to jane.doe@exa…\""), "missing \"write to [REDACTED:email]…\"");
    assert_eq!(words("…e@example.com or"), "…[REDACTED:email] or");
    assert_eq!(words("it is hunter2"), "it is [REDACTED:secrets]");
    assert_eq!(words("ja… nothing"), "ja… nothing");
}

#[test]
fn json_keeps_its_structure() {
    for (text, wanted) in [
        (
            r#"{"reasoning": "write to a@b.example: \"password: hunter2\"", "score": 4}"#,
            r#"{"reasoning": "write to [REDACTED:email]: \"password: [REDACTED:secrets]\"", "score": 4}"#,
        ),
        (
            r#"{"token": "x", "n": 4111111111111111}"#,
            r#"{"token": "[REDACTED:secrets]", "n": "[REDACTED:credit_card]"}"#,
        ),
        (r#"{"score":7,"score":8}"#, r#"{"score":7,"score":8}"#),
        (
            r#"{"password": 1234, "n": 1, "in": {"api_key": ["a", "b", 3], "n": 2}, "token": {"t": "x"}}"#,
            r#"{"password": "[REDACTED:secrets]", "n": 1, "in": {"api_key": ["[REDACTED:secrets]", "[REDACTED:secrets]", "[REDACTED:secrets]"], "n": 2}, "token": {"t": "x"}}"#,
        ),
        (r#"[{"pwd":"x"},"y",7]"#, r#"[{"pwd":"[REDACTED:secrets]"},"y",7]"#),
        (r#"{"a@b.example":{"c@d.example":null}}"#, r#"{"[REDACTED:email]":{"[REDACTED:email]":null}}"#),
        ("no json a@b.example", "no json [REDACTED:email]"),
        (r#"{"a":"\u0061@b.example"}"#, r#"{"a":"[REDACTED:email]"}"#),
    ] {
        assert_eq!(usual().reply(text), wanted);
        if let (Ok(value), Ok(wanted)) =
            (serde_json::from_str(text), serde_json::from_str::<serde_json::Value>(wanted))
        {
            assert_eq!(usual().json(&value), wanted);
        }
        assert_eq!(usual().reply(wanted), wanted);
    }
}

#[test]
fn hostile_texts_take_linear_time() {
    let began = std::time::Instant::now();
    for part in [
        "sk-",
        "eyJ-",
        "AKIA-",
        "token=",
        "token: \"",
        "(1",
        "(123) ",
        "4111 ",
        "+1",
        "a@",
        "a.",
        "[REDACTED:x]",
        "550e8400-e29b-41d4-a716-446655440000 ",
        "DE89 ",
        "1-",
        "=",
        "-----BEGIN PRIVATE KEY",
        "Bearer ",
    ] {
        let all = Redactor::new(Kind::iter(), Vec::new());
        let once = all.text(&part.repeat(60_000 / part.len()));
        assert!(once.len() < 1_000_000, "{part}");
    }
    // Far more than needed, but far less than quadratic time.
    assert!(began.elapsed() < std::time::Duration::from_secs(20), "{:?}", began.elapsed());
}

proptest! {
    #[test]
    fn redacting_twice_is_redacting_once(
        parts in prop::collection::vec((0..VALUES.len(), "[a-z0-9 @.:=+\\-/(){}\"\\\\\n…é0-9]{0,12}"), 0..6),
    ) {
        let all = Redactor::new(Kind::iter(), Vec::new());
        let text: String = parts.iter().flat_map(|(index, more)| [VALUES[*index].1, more.as_str()]).collect();
        let once = all.text(&text);
        prop_assert_eq!(&all.text(&once), &once);
        prop_assert_eq!(all.values(&once).unwrap(), []);
        let reply = all.reply(&text);
        prop_assert_eq!(all.reply(&reply), reply);
    }

    #[test]
    fn any_text_can_be_redacted(text in "\\PC{0,80}") {
        let all = Redactor::new(Kind::iter(), Vec::new());
        let once = all.text(&text);
        prop_assert_eq!(&all.text(&once), &once);
    }
}
