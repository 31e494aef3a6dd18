//! Values as vendors, banks and states write them, and text that only looks similar.

use super::tests::usual;

/// Kind and value of each sort; braces contain the alphabet and the length of a random part.
const PLANTED: &str = include_str!("planted.txt");

/// What must not be redacted: all sorts of text with numbers, hashes, names and code.
const HARMLESS: &str = include_str!("harmless.txt");

/// A number of a fixed pseudo-random sequence.
struct Drawn(u64);

impl Drawn {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % most
    }
}

/// The value for a template line.
fn value(template: &str, drawn: &mut Drawn) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, (part, after))) =
        rest.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
    {
        if let Some(before) = before.strip_suffix("\\u") {
            out.push_str(before);
            out.push(char::from_u32(u32::from_str_radix(part, 16).unwrap()).unwrap());
        } else {
            let letters: &[u8] = match &part[..1] {
                "a" => b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
                "w" => b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789012345",
                "l" => b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
                "h" => b"0123456789abcdef",
                "d" => b"123456789",
                "b" => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
                "k" => {
                    const WORDS: [&str; 12] = [
                        "order",
                        "invoice",
                        "token",
                        "refund",
                        "session",
                        "customer",
                        "management",
                        "key",
                        "service",
                        "password",
                        "secretary",
                        "configuration",
                    ];
                    let count: usize = part[1..].parse().unwrap();
                    let words: Vec<_> = (0..count).map(|_| WORDS[drawn.below(WORDS.len())]).collect();
                    out.push_str(before);
                    out.push_str(&words.join("-"));
                    rest = after;
                    continue;
                }
                "u" | "U" => b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
                other => panic!("{other}"),
            };
            out.push_str(before);
            let length: usize = part[1..].parse().unwrap();
            out.extend((0..length).map(|_| char::from(letters[drawn.below(letters.len())])));
        }
        rest = after;
    }
    out + &rest.replace("\\n", "\n")
}

#[test]
fn every_sort_of_value_gives_way_wherever_it_stands() {
    let mut drawn = Drawn(20_261_129);
    let contexts = [
        ("", ""),
        ("say ", ", please."),
        ("(", ")"),
        ("\"", "\""),
        ("x:\n", "\n"),
        ("| a | ", " | b |"),
        ("**", "**"),
        ("- ", ";"),
        ("„", "“"),
    ];
    let mut left = Vec::new();
    let mut sorts = 0;
    for line in PLANTED.lines() {
        let (kind, template) = line.split_once('\t').unwrap();
        sorts += 1;
        for (before, after) in contexts {
            let planted = value(template, &mut drawn);
            let text = usual().text(&format!("{before}{planted}{after}"));
            // After a name, only the value is replaced.
            let part = planted.rsplit([' ', '=', ':']).find(|part| part.len() > 5).unwrap_or(&planted);
            let gone = !text.contains(if kind == "secrets" { part } else { &planted });
            if !gone || !text.contains(&format!("[REDACTED:{kind}]")) {
                left.push(format!("{kind} {template}: {text}"));
            }
        }
    }
    assert!(left.is_empty(), "{} of {sorts}:\n{}", left.len(), left.join("\n"));
    assert!(sorts >= 210, "{sorts}");
}

#[test]
fn harmless_texts_stay() {
    let taken: Vec<String> = HARMLESS
        .lines()
        .map(|line| line.replace("\\n", "\n"))
        .filter(|text| usual().text(text) != *text)
        .map(|text| usual().text(&text))
        .collect();
    assert!(taken.is_empty(), "{}:\n{}", taken.len(), taken.join("\n"));
    assert!(HARMLESS.lines().count() >= 40);
}

/// A thousand each of order numbers, commit ids, UUIDs, prices, times, versions, ISBNs, parcel numbers, image headers
/// and words stay.
#[test]
fn numbers_of_all_sorts_stay() {
    let mut drawn = Drawn(7);
    let mut taken = Vec::new();
    for template in [
        "order {d8}",
        "Order #{d10}",
        "invoice 2026-{d6}",
        "ticket ABC-{d5}",
        "{h40}",
        "commit {h7}",
        "{h8}-{h4}-{h4}-{h4}-{h12}",
        "${d3}.{d2}",
        "{d1},{d3},{d3}",
        "v{d1}.{d2}.{d1}",
        "sku {u4}-{d4}",
        "{d3} {d3}",
        "id={d9}",
        "sha256:{h64}",
        "4b1d{h36}",
        "ISBN 978-{d1}-{d2}-{d6}-{d1}",
        "ISBN 978{d10}",
        "tracking 1Z{u6}{d10}",
        "tracking 00{d10}",
        "{d4}-{d2}-{d2}T{d2}:{d2}:{d2}.{d3}Z",
        "{d2}.{d2}.20{d2}",
        "EUR {d1}.{d3},{d2}",
        "JIRA-{d4} and #{d5}",
        "{k3}",
        "{k2}_{k2}_{d2}",
        "live_{k2}_{k2}_v{d1}",
        "test_{k2}_{k2}_{k1}",
        "the {k1} of the {k1} is {k2}",
        "data:image/png;base64,iVBORw0KGgo{b120}",
        "data:image/jpeg;base64,/9j/4AAQSkZJRgABAQ{b120}",
        "integrity sha512-{b86}==",
        "etag \"{h32}\", W/\"{h16}\"",
        "trace_id={h32} span_id={h16}",
    ] {
        for _ in 0..1_000 {
            let text = value(template, &mut drawn);
            if usual().text(&text) != text {
                taken.push(format!("{text} -> {}", usual().text(&text)));
            }
        }
    }
    assert!(taken.is_empty(), "{}:\n{}", taken.len(), taken[..taken.len().min(20)].join("\n"));
}
