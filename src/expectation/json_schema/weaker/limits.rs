//! Limits of a JSON Schema: numbers, and lists of values.

use std::cmp::Ordering;

use serde_json::Value as Json;

use super::parts::{Schema, is_open, items};

/// How two numbers compare; `None` if unknown.
pub(in crate::expectation) fn order(one: &Json, other: &Json) -> Option<Ordering> {
    let whole = |number: &Json| number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
    match (whole(one), whole(other)) {
        (Some(one), Some(other)) => Some(one.cmp(&other)),
        (whole_one, whole_other) => {
            // Beyond 2^53, several whole numbers are the same double.
            let is_exact = |whole: Option<i128>| whole.is_none_or(|whole| whole.abs() <= 1 << 53);
            let known = is_exact(whole_one) && is_exact(whole_other);
            known.then(|| one.as_f64()?.partial_cmp(&other.as_f64()?)).flatten()
        }
    }
}

/// Whether a bound of a number still applies.
pub(super) fn bound(name: &str, old: &Json, new: &Schema) -> bool {
    let is_least = name.ends_with("inimum");
    let keywords = if is_least { ["minimum", "exclusiveMinimum"] } else { ["maximum", "exclusiveMaximum"] };
    keywords.into_iter().any(|keyword| {
        let Some(order) = new.get(keyword).and_then(|new| order(new, old)) else { return false };
        match order {
            // An exclusive bound also rejects the number itself; at the same number, only another exclusive one does.
            Ordering::Equal => keyword.starts_with("exclusive") || !name.starts_with("exclusive"),
            Ordering::Greater => is_least,
            Ordering::Less => !is_least,
        }
    })
}

/// Whether all multiples of one number are multiples of another.
pub(super) fn is_multiple(new: &Json, old: &Json) -> bool {
    new == old || matches!((new.as_u64(), old.as_u64()), (Some(new), Some(old)) if old > 0 && new % old == 0)
}

/// The only values that a schema accepts, if it lists them.
pub(super) fn values(schema: &Schema) -> Option<Vec<&Json>> {
    match (schema.get("const"), schema.get("enum")) {
        (Some(one), _) => Some(vec![one]),
        (None, Some(all)) => Some(items(all).iter().collect()),
        (None, None) => None,
    }
}

/// Whether a schema lists all of these values.
pub(super) fn all_in(values: &[&Json], schema: &Schema) -> bool {
    let listed = |keyword: &str, value: &Json| match (keyword, schema.get(keyword)) {
        ("const", Some(one)) => one == value,
        (_, Some(all)) => items(all).contains(value),
        (_, None) => true,
    };
    values.iter().all(|value| listed("const", value) && listed("enum", value))
}

/// Whether a schema without references accepts all of these values.
pub(super) fn all_valid(schema: &Json, values: &[&Json]) -> bool {
    jsonschema::draft202012::new(schema)
        .is_ok_and(|validator| values.iter().all(|value| validator.is_valid(value)))
}

pub(super) fn is_zero(number: &Json) -> bool {
    number.as_f64() == Some(0.0)
}

/// Whether a keyword by itself accepts everything.
pub(super) fn is_void(name: &str, value: &Json) -> bool {
    match name {
        "$defs" | "definitions" => true,
        "required" => items(value).is_empty(),
        "dependentRequired" => {
            value.as_object().is_some_and(|all| all.values().all(|one| items(one).is_empty()))
        }
        "dependentSchemas" => value.as_object().is_some_and(|all| all.values().all(is_open)),
        "propertyNames" => is_open(value),
        "minLength" | "minItems" | "minProperties" => is_zero(value),
        "not" | "uniqueItems" => *value == Json::Bool(false),
        _ => false,
    }
}
