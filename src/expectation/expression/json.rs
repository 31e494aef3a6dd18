//! JSON atoms: a path into the answer, and JavaScript's comparisons.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::Value;

use crate::text;

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    /// `==`
    Equal,
    /// `===`
    Same,
    /// `!=`
    Unequal,
    /// `!==`
    NotSame,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
}

impl Operator {
    /// All operators, each before those that it starts with.
    pub(super) const ALL: [(&'static str, Self); 8] = [
        ("===", Self::Same),
        ("!==", Self::NotSame),
        ("==", Self::Equal),
        ("!=", Self::Unequal),
        (">=", Self::GreaterEqual),
        ("<=", Self::LessEqual),
        (">", Self::Greater),
        ("<", Self::Less),
    ];

    /// Whether a greater value passes too.
    pub(super) fn is_lower_bound(self) -> bool {
        matches!(self, Self::Greater | Self::GreaterEqual)
    }

    /// Whether only an equal value passes.
    pub(super) fn is_equality(self) -> bool {
        matches!(self, Self::Equal | Self::Same)
    }

    /// Whether any other value passes.
    pub(super) fn is_inequality(self) -> bool {
        matches!(self, Self::Unequal | Self::NotSame)
    }

    /// Compares two numbers; every comparison with NaN is false, except inequality.
    pub(super) fn compares(self, left: f64, right: f64) -> bool {
        let order = left.partial_cmp(&right);
        match self {
            Self::Equal | Self::Same => order == Some(Ordering::Equal),
            Self::Unequal | Self::NotSame => order != Some(Ordering::Equal),
            Self::Greater => order == Some(Ordering::Greater),
            Self::GreaterEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
            Self::Less => order == Some(Ordering::Less),
            Self::LessEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        }
    }
}

/// What a value in the answer is compared with.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Literal {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number without quotes.
    Number(f64),
    /// Text in quotes.
    Text(String),
}

/// The value at a path; an array has its items by index and its `length`.
pub(super) fn at_path<'j>(json: &'j Value, path: &[String]) -> Option<Cow<'j, Value>> {
    let mut here = json;
    for (i, key) in path.iter().enumerate() {
        here = match here {
            Value::Object(entries) => entries.get(key)?,
            Value::Array(items) if key == "length" => {
                return (i + 1 == path.len()).then(|| Cow::Owned(Value::from(items.len())));
            }
            Value::Array(items) => {
                let index = key.parse::<usize>().ok().filter(|index| index.to_string() == *key)?;
                items.get(index)?
            }
            _ => return None,
        };
    }
    Some(Cow::Borrowed(here))
}

/// Compares a value, which may be missing, with a literal.
///
/// Equality never converts. `!= null` asks whether there is a value at all. Only numbers can be greater or less, so the
/// literal is converted to a number there.
pub(super) fn compares(value: Option<&Value>, operator: Operator, literal: &Literal) -> bool {
    match operator {
        Operator::Equal | Operator::Same => is_same(value, literal),
        Operator::Unequal if *literal == Literal::Null => !matches!(value, None | Some(Value::Null)),
        Operator::Unequal | Operator::NotSame => !is_same(value, literal),
        _ => match value.and_then(Value::as_f64) {
            Some(left) => operator.compares(left, number_of(literal)),
            None => false,
        },
    }
}

fn is_same(value: Option<&Value>, literal: &Literal) -> bool {
    match (value, literal) {
        (Some(Value::Null), Literal::Null) => true,
        (Some(Value::Bool(left)), Literal::Bool(right)) => left == right,
        (Some(Value::Number(left)), Literal::Number(right)) => left.as_f64() == Some(*right),
        (Some(Value::String(left)), Literal::Text(right)) => left == right,
        _ => false,
    }
}

/// JavaScript's `Number(…)`.
fn number_of(literal: &Literal) -> f64 {
    match literal {
        Literal::Null => 0.0,
        Literal::Bool(value) => f64::from(u8::from(*value)),
        Literal::Number(value) => *value,
        Literal::Text(value) => number_in(text::js_trim(value)),
    }
}

fn number_in(trimmed: &str) -> f64 {
    if trimmed.is_empty() {
        return 0.0;
    }
    let lower = trimmed.to_ascii_lowercase();
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(digits) = lower.strip_prefix(prefix) {
            let value = digits
                .chars()
                .try_fold(0.0, |sum, c| Some(sum * f64::from(radix) + f64::from(c.to_digit(radix)?)));
            return value.filter(|_| !digits.is_empty()).unwrap_or(f64::NAN);
        }
    }
    match trimmed.trim_start_matches(['+', '-']) {
        "Infinity" if trimmed.len() <= "-Infinity".len() => {
            if trimmed.starts_with('-') {
                f64::NEG_INFINITY
            } else {
                f64::INFINITY
            }
        }
        _ if trimmed.chars().all(|c| c.is_ascii_digit() || "+-.eE".contains(c)) => {
            trimmed.parse().unwrap_or(f64::NAN)
        }
        _ => f64::NAN,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_read_as_in_javascript() {
        for (text, value) in [
            ("", 0.0f64),
            (" 12 ", 12.0),
            ("-1.5e2", -150.0),
            (".5", 0.5),
            ("5.", 5.0),
            ("0x1F", 31.0),
            ("0b11", 3.0),
        ] {
            assert_eq!(number_of(&Literal::Text(text.into())).to_bits(), value.to_bits(), "{text}");
        }
        for text in ["inf", "nan", "1_0", "1,5", "0x", "-0x1", "++1", ".", "e5", "1 2", "++Infinity"] {
            assert!(number_of(&Literal::Text(text.into())).is_nan(), "{text}");
        }
        assert!(number_of(&Literal::Text("-Infinity".into())) < 0.0);
    }

    #[test]
    fn paths_reach_into_objects_and_arrays() {
        let json = json!({ "a": [{ "b": 1 }, "xy"], "length": 7, "0": "zero" });
        let at = |path: &str| {
            let path: Vec<_> = path.split('.').map(str::to_owned).collect();
            at_path(&json, &path).map(Cow::into_owned)
        };
        assert_eq!(at("a.0.b"), Some(json!(1)));
        assert_eq!(at("a.length"), Some(json!(2)));
        assert_eq!(at("length"), Some(json!(7)));
        assert_eq!(at("0"), Some(json!("zero")));
        for missing in ["a.2", "a.00", "a.1.length", "b", "a.b", "a.0.b.c", "a.length.x"] {
            assert_eq!(at(missing), None, "{missing}");
        }
    }
}
