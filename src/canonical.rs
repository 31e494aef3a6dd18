//! JSON in the canonical form of RFC 8785.
//!
//! Every case is hashed when a suite is read, and the library that implements the full form first builds a tree of its
//! own, which takes time. So akit writes simple values itself, and leaves only numbers with a special form in
//! JavaScript to the library. A property test checks that the two agree.

use serde_json::{Number, Value as Json};
use sha2::{Digest, Sha256};

/// JavaScript can represent every whole number up to this one exactly.
const EXACT: u64 = 1 << 53;

/// The bytes of a value: keys sorted by UTF-16 units, no white space, shortest numbers.
#[must_use]
pub fn bytes(value: &Json) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    write(value, &mut out);
    out
}

/// 16 hexadecimal digits that identify a value: the first 64 bits of the SHA-256 of its bytes.
#[must_use]
pub fn digest(value: &Json) -> String {
    let head = Sha256::digest(bytes(value)).first_chunk().copied().unwrap_or_default();
    format!("{:016x}", u64::from_be_bytes(head))
}

fn write(value: &Json, out: &mut Vec<u8>) {
    match value {
        Json::Null => out.extend(b"null"),
        Json::Bool(value) => out.extend(if *value { &b"true"[..] } else { b"false" }),
        Json::Number(number) => write_number(number, out),
        Json::String(text) => write_text(text, out),
        Json::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                out.push(if index == 0 { b'[' } else { b',' });
                write(item, out);
            }
            out.extend(if items.is_empty() { &b"[]"[..] } else { b"]" });
        }
        Json::Object(entries) => {
            let mut entries: Vec<_> = entries.iter().collect();
            entries.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            for (index, (key, value)) in entries.iter().enumerate() {
                out.push(if index == 0 { b'{' } else { b',' });
                write_text(key, out);
                out.push(b':');
                write(value, out);
            }
            out.extend(if entries.is_empty() { &b"{}"[..] } else { b"}" });
        }
    }
}

fn write_number(number: &Number, out: &mut Vec<u8>) {
    let whole = number.as_i64().filter(|whole| whole.unsigned_abs() <= EXACT);
    match whole {
        Some(whole) => out.extend(whole.to_string().as_bytes()),
        // JSON numbers are finite, so they can always be written.
        None => out.extend(serde_json_canonicalizer::to_vec(number).unwrap_or_default()),
    }
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    // serde_json's escapes match the form; writing to a vector cannot fail.
    let _ = serde_json::to_writer(out, text);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn value() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            any::<i64>().prop_map(Json::from),
            any::<u64>().prop_map(Json::from),
            (-1_000_i64..1_000).prop_map(Json::from),
            any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(Json::from),
            any::<String>().prop_map(Json::from),
            "[\u{0}-\u{20}\"\\\\/\u{7f}-\u{ff}\u{2028}\u{e000}\u{ffff}\u{10000}]{0,6}".prop_map(Json::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Json::from),
                prop::collection::btree_map("[a-c\u{e000}\u{ffff}\u{10000}]{0,3}", inner, 0..5)
                    .prop_map(|entries| entries.into_iter().collect::<serde_json::Map<_, _>>().into()),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_form_matches_the_library(value in value()) {
            prop_assert_eq!(bytes(&value), serde_json_canonicalizer::to_vec(&value).unwrap());
        }
    }

    #[test]
    fn keys_are_in_the_order_of_utf_16() {
        let value = json!({ "\u{ffff}": [1.0, -0.0, 1e30], "\u{10000}": {}, "a": [], "": "\u{7}\n" });
        let expected = "{\"\":\"\\u0007\\n\",\"a\":[],\"\u{10000}\":{},\"\u{ffff}\":[1,0,1e+30]}";
        assert_eq!(String::from_utf8(bytes(&value)).unwrap(), expected);
    }
}
