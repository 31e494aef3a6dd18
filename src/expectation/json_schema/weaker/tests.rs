//! An empty result must be a proof: generated schemas and values, and pairs that are reported or not.

use proptest::prelude::*;
use serde_json::json;

use super::*;

/// Values of every shape that the generated schemas cover.
fn values() -> Vec<Json> {
    let scalars = [
        json!(null),
        json!(true),
        json!(false),
        json!(0),
        json!(1),
        json!(2),
        json!(3),
        json!(4),
        json!(6),
        json!(-1),
        json!(1.5),
        json!(""),
        json!("a"),
        json!("ab"),
        json!("abc"),
    ];
    let few = [json!(null), json!(1), json!(2), json!("a"), json!("abc")];
    let mut all = scalars.to_vec();
    all.extend([json!([]), json!({}), json!({"a": {"b": 1}}), json!({"a": {}}), json!([[1]]), json!([{}])]);
    for one in &few {
        all.extend([
            json!([one]),
            json!({"a": one}),
            json!({"b": one}),
            json!({"c": one}),
            json!({"xa": one}),
        ]);
        for other in &few {
            all.extend([json!([one, other]), json!({"a": one, "b": other}), json!({"a": one, "c": other})]);
            all.extend([json!([one, other, 1]), json!({"b": one, "xa": other})]);
        }
    }
    all
}

fn leaf() -> impl Strategy<Value = Json> {
    prop::sample::select(vec![
        json!(true),
        json!(false),
        json!({}),
        json!({"type": "integer"}),
        json!({"type": "number"}),
        json!({"type": ["string", "null"]}),
        json!({"const": 1}),
        json!({"enum": [1, "a"]}),
        json!({"minimum": 2}),
        json!({"exclusiveMinimum": 1}),
        json!({"maximum": 2}),
        json!({"minLength": 1}),
        json!({"maxLength": 2}),
        json!({"multipleOf": 2}),
        json!({"multipleOf": 3}),
        json!({"minItems": 1}),
        json!({"maxItems": 1}),
        json!({"uniqueItems": true}),
        json!({"required": ["a"]}),
        json!({"required": ["a", "b"]}),
        json!({"pattern": "^a"}),
        json!({"maxProperties": 1}),
        json!({"dependentRequired": {"a": ["b"]}}),
        json!({"$ref": "#/$defs/d"}),
        json!({"$ref": "#/$defs/e"}),
    ])
}

/// One keyword that contains schemas.
fn keyword(inner: &BoxedStrategy<Json>) -> impl Strategy<Value = Json> + use<> {
    let one = |name: &'static str| inner.clone().prop_map(move |schema| json!({ name: schema })).boxed();
    let many = |name: &'static str| {
        prop::collection::vec(inner.clone(), 1..3).prop_map(move |schemas| json!({ name: schemas })).boxed()
    };
    let named = |name: &'static str, keys: &'static [&'static str]| {
        prop::collection::btree_map(prop::sample::select(keys), inner.clone(), 0..3)
            .prop_map(move |map| json!({ name: map }))
            .boxed()
    };
    prop::strategy::Union::new([
        one("items"),
        one("contains"),
        one("additionalProperties"),
        one("unevaluatedProperties"),
        one("unevaluatedItems"),
        one("propertyNames"),
        one("not"),
        one("if"),
        one("then"),
        one("else"),
        many("allOf"),
        many("anyOf"),
        many("oneOf"),
        many("prefixItems"),
        named("properties", &["a", "b", "c"]),
        named("patternProperties", &["^a", "", "b"]),
        named("dependentSchemas", &["a", "b"]),
        prop::sample::select(vec![
            json!({"minContains": 0}),
            json!({"minContains": 2}),
            json!({"maxContains": 1}),
            json!({"additionalProperties": false}),
            json!({"unevaluatedProperties": false}),
            json!({"unevaluatedItems": false}),
            json!({"items": false}),
        ])
        .boxed(),
        leaf().boxed(),
    ])
}

fn merged(parts: Vec<Json>) -> Json {
    let entries = parts.into_iter().filter_map(|part| part.as_object().cloned()).flatten();
    Json::Object(entries.collect())
}

fn schema() -> impl Strategy<Value = Json> {
    leaf().boxed().prop_recursive(3, 24, 3, |inner| {
        prop::collection::vec(keyword(&inner), 1..4).prop_map(merged).boxed()
    })
}

/// Removes, adds or replaces one keyword of a schema.
fn changed(schema: &Json, at: usize, with: &Json) -> Json {
    fn places(schema: &Json, path: &str, found: &mut Vec<String>) {
        found.push(path.to_owned());
        let children: Vec<(String, &Json)> = match schema {
            Json::Object(map) => map.iter().map(|(key, value)| (key.clone(), value)).collect(),
            Json::Array(list) => {
                list.iter().enumerate().map(|(key, value)| (key.to_string(), value)).collect()
            }
            _ => Vec::new(),
        };
        for (key, value) in children {
            places(value, &format!("{path}/{}", key.replace('~', "~0").replace('/', "~1")), found);
        }
    }
    let (mut found, mut changed) = (Vec::new(), schema.clone());
    places(schema, "", &mut found);
    let path = &found[at % found.len()];
    let place = changed.pointer_mut(path).unwrap();
    match (place, with) {
        (Json::Object(map), Json::Object(with)) if !at.is_multiple_of(3) => {
            let kept = map.len() * usize::from(at % 2 == 1);
            let first: Vec<_> = map.keys().take(map.len() - kept.min(map.len())).take(1).cloned().collect();
            for key in first {
                map.remove(&key);
            }
            map.extend(with.clone());
        }
        (place, with) => *place = with.clone(),
    }
    changed
}

fn whole(schema: Json, d: &Json, e: &Json) -> Json {
    let schema = if let Json::Object(_) = schema { schema } else { json!({ "allOf": [schema] }) };
    merged(vec![schema, json!({ "$defs": { "d": d, "e": e } })])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn a_change_that_is_not_reported_accepts_nothing_more(
        schema in schema(), d in leaf(), e in leaf(), with in keyword(&leaf().boxed()), at in 0_usize..1000,
        other in leaf(), redefined in prop::bool::ANY,
    ) {
        let now = changed(&schema, at, &with);
        let before = whole(schema, &d, &e);
        let now = if redefined { whole(now, &d, &other) } else { whole(now, &d, &e) };
        let [old, new] = [&before, &now].map(jsonschema::draft202012::new);
        let (Ok(old), Ok(new)) = (old, new) else { return Ok(()) };
        prop_assert!(weaker(&before, &before).is_empty(), "{before} compared with itself");
        if weaker(&before, &now).is_empty() {
            for value in values() {
                prop_assert!(old.is_valid(&value) || !new.is_valid(&value), "{value}\n{before}\n{now}");
            }
        }
    }
}

/// Whether a change is reported.
fn reported(before: &Json, now: &Json) -> bool {
    !weaker(before, now).is_empty()
}

#[test]
fn what_accepts_more_is_reported() {
    let closed = || json!({"properties": {"a": {}}, "additionalProperties": false});
    let with = |schema: Json, more: Json| merged(vec![schema, more]);
    let table = [
        (closed(), with(closed(), json!({"patternProperties": {"": {}}}))),
        (
            json!({"additionalProperties": false}),
            json!({"additionalProperties": false, "properties": {"b": {}}}),
        ),
        (
            json!({"additionalProperties": {"type": "integer"}}),
            json!({"additionalProperties": {"type": "integer"}, "properties": {"b": {}}}),
        ),
        (
            json!({"unevaluatedProperties": false}),
            json!({"unevaluatedProperties": false, "properties": {"b": {}}}),
        ),
        (
            json!({"unevaluatedProperties": false}),
            json!({"unevaluatedProperties": false, "additionalProperties": true}),
        ),
        (
            json!({"unevaluatedProperties": false}),
            json!({"unevaluatedProperties": false, "allOf": [{"properties": {"b": {}}}]}),
        ),
        (
            json!({"properties": {"k": {"type": "integer"}}, "allOf": [{"properties": {"k": {}}}], "unevaluatedProperties": false}),
            json!({"allOf": [{"properties": {"k": {}}}], "unevaluatedProperties": false}),
        ),
        (json!({"items": {"type": "integer"}}), json!({"items": {"type": "integer"}, "prefixItems": [{}]})),
        (json!({"items": false}), json!({"items": false, "prefixItems": [{}]})),
        (json!({"unevaluatedItems": false}), json!({"unevaluatedItems": false, "contains": {"const": 1}})),
        (json!({"contains": {"const": 1}}), json!({"contains": {"const": 1}, "minContains": 0})),
        (json!({"contains": {}}), json!({})),
        (
            json!({"contains": {"const": 1}, "maxContains": 1}),
            json!({"contains": {"const": 2}, "maxContains": 1}),
        ),
        (
            json!({"additionalProperties": false, "dependentSchemas": {"a": {"required": ["b"]}}}),
            json!({"additionalProperties": false, "dependentSchemas": {}}),
        ),
        (
            json!({"properties": {"a": {"type": "integer"}}, "patternProperties": {"^a": {}}, "additionalProperties": false}),
            json!({"patternProperties": {"^a": {}}, "additionalProperties": false}),
        ),
        (json!({"not": {}}), json!({})),
        (json!({"const": {}}), json!({})),
        (json!({"enum": []}), json!({})),
        (json!({"if": {"type": "string"}, "then": {"minLength": 2}}), json!({"then": {"minLength": 2}})),
        (
            json!({"not": {"$ref": "#/$defs/d"}, "$defs": {"d": {"type": "number"}}}),
            json!({"not": {"$ref": "#/$defs/d"}, "$defs": {"d": {"type": "integer"}}}),
        ),
        (
            json!({"oneOf": [{"$ref": "#/$defs/d"}, {"minimum": 2}], "$defs": {"d": {"type": "number"}}}),
            json!({"oneOf": [{"$ref": "#/$defs/d"}, {"minimum": 2}], "$defs": {"d": {"type": "integer"}}}),
        ),
        (
            json!({"$ref": "#x", "$defs": {"a": {"$anchor": "x", "type": "string"}, "b": {"$anchor": "y"}}}),
            json!({"$ref": "#x", "$defs": {"a": {"$anchor": "y", "type": "string"}, "b": {"$anchor": "x"}}}),
        ),
        (
            json!({"properties": {"a": {"$ref": "#/properties/b"}, "b": {"not": {"$ref": "#/properties/c"}}, "c": {"type": "number"}}}),
            json!({"properties": {"a": {"$ref": "#/properties/b"}, "b": {"not": {"$ref": "#/properties/c"}}, "c": {"type": "integer"}}}),
        ),
        (
            json!({"if": {"type": "number"}, "then": {"minimum": 2}}),
            json!({"if": {"type": "integer"}, "then": {"minimum": 2}}),
        ),
        (
            json!({"$ref": "#/$defs/d", "unevaluatedProperties": false, "$defs": {"d": {"properties": {"a": {}}}}}),
            json!({"$ref": "#/$defs/d", "unevaluatedProperties": false, "$defs": {"d": {"properties": {"a": {}, "b": {}}}}}),
        ),
        (json!({"minimum": 9_007_199_254_740_993_u64}), json!({"minimum": 9_007_199_254_740_992_u64})),
        (json!({"exclusiveMinimum": 3}), json!({"minimum": 3})),
        (json!({"multipleOf": 6}), json!({"multipleOf": 3})),
        (json!({"type": "integer"}), json!(true)),
        (json!(false), json!({})),
        (json!({"x-rule": 1}), json!({"x-rule": 2})),
    ];
    for (before, now) in table {
        assert!(reported(&before, &now), "{before}\n->\n{now}");
    }
}

#[test]
fn what_accepts_as_much_or_less_is_not_reported() {
    let table = [
        (json!({"unevaluatedProperties": false}), json!({"additionalProperties": false})),
        (
            json!({"additionalProperties": false, "properties": {"a": {}}}),
            json!({"unevaluatedProperties": false, "properties": {"a": {}}}),
        ),
        (
            json!({"properties": {"a": {}, "b": {"minimum": 1}}, "additionalProperties": false}),
            json!({"properties": {"a": {}}, "additionalProperties": false}),
        ),
        (
            json!({"additionalProperties": {"type": "number"}}),
            json!({"additionalProperties": {"type": "number"}, "properties": {"b": {"type": "integer"}}}),
        ),
        (
            json!({"items": {"type": "number"}}),
            json!({"prefixItems": [{"type": "integer"}], "items": {"type": "number"}}),
        ),
        (json!({"multipleOf": 3}), json!({"multipleOf": 6})),
        (json!({"minimum": 3}), json!({"exclusiveMinimum": 3})),
        (json!({"type": "boolean"}), json!({"const": true})),
        (json!({"minimum": 3, "type": "integer"}), json!({"enum": [3, 4]})),
        (json!({"not": {"type": "integer"}}), json!({"not": {"type": "number"}})),
        (json!({"not": false, "propertyNames": {}, "required": [], "if": true}), json!({})),
        (json!({"contains": {"type": "number"}}), json!({"contains": {"type": "integer"}, "minContains": 2})),
        (json!({"dependentRequired": {"a": ["b"]}}), json!({"dependentRequired": {"a": ["b", "c"]}})),
        (
            json!({"properties": {"a": {"title": "x"}}}),
            json!({"properties": {"a": {"title": "y", "$anchor": "q"}}, "$id": "https://x.test/2"}),
        ),
        (
            json!({"properties": {"a": {"$ref": "#/$defs/d"}}, "$defs": {"d": {"type": "number"}}}),
            json!({"properties": {"a": {"$ref": "#/$defs/d"}}, "$defs": {"d": {"type": "integer"}}}),
        ),
        (
            json!({"oneOf": [{"title": "x", "type": "string"}, true]}),
            json!({"oneOf": [{"type": "string"}, {}]}),
        ),
    ];
    for (before, now) in table {
        assert_eq!(weaker(&before, &now), [], "{before}\n->\n{now}");
    }
}

#[test]
fn schemas_that_are_nested_deep_are_compared_at_once() {
    let nest = |inner: Json| (0..60).fold(inner, |inner, _| json!({ "oneOf": [{ "not": inner }] }));
    assert!(reported(&nest(json!({"minimum": 1})), &nest(json!({"minimum": 2}))));
    assert!(!reported(&nest(json!({"minimum": 1})), &nest(json!({"minimum": 1, "title": "x"}))));
}
