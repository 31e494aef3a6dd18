//! A table of fields: the single source for a part of the format.
//!
//! It drives the checks of [`Fields`](super::Fields), the "did you mean" for a misspelled key and the JSON Schema for
//! editors.

use serde_json::{Value as Json, json};

/// Scales that a judge may use.
pub(super) const STEPS: [i64; 3] = [5, 10, 100];

/// The type of a key's value.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// Text.
    Text,
    /// Text with at least one character that is not white space.
    Name,
    /// `true` or `false`.
    Bool,
    /// A whole number of at least the given one.
    Integer(i64),
    /// A number in a closed range.
    Number(f64, f64),
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// One of the first words; the others are accepted in old files, but not suggested.
    Offered(&'static [&'static str], &'static [&'static str]),
    /// A list of strings.
    Texts,
    /// A list of these words.
    Words(&'static [&'static str]),
    /// A mapping with any content.
    Map,
    /// A mapping of names to text, numbers or booleans.
    Scalars,
    /// A mapping of names to one of these words each. Names for which the first function returns true are not allowed;
    /// names that the second function maps to the same string are duplicates.
    Lexicon(&'static [&'static str], fn(&str) -> bool, fn(&str) -> String),
    /// A mapping described by its own table.
    Object(&'static [Field]),
    /// A list of mappings described by a table.
    Objects(&'static [Field]),
    /// Anything, read by its own code; the name is its definition in the JSON Schema.
    Part(&'static str),
    /// Steps of a scale: 5, 10 or 100.
    Steps,
    /// A key of other tools that akit does not have; the field's text gives the replacement.
    Foreign,
}

/// One key of a mapping.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// The key.
    pub name: &'static str,
    /// Its type.
    pub shape: Shape,
    /// Whether it is required.
    pub required: bool,
    /// What it means, for editors.
    pub doc: &'static str,
    /// What to write instead, if the key has no effect; otherwise empty.
    pub instead: &'static str,
}

impl Field {
    /// An optional key.
    #[must_use]
    pub const fn optional(name: &'static str, shape: Shape, doc: &'static str) -> Self {
        Self { name, shape, required: false, doc, instead: "" }
    }

    /// A required key.
    #[must_use]
    pub const fn required(name: &'static str, shape: Shape, doc: &'static str) -> Self {
        Self { name, shape, required: true, doc, instead: "" }
    }

    /// A key that is refused with a hint on what to write instead.
    #[must_use]
    pub const fn foreign(name: &'static str, instead: &'static str) -> Self {
        Self { name, shape: Shape::Foreign, required: false, doc: instead, instead: "" }
    }

    /// A key of other programs that is accepted but has no effect, with what to write instead.
    #[must_use]
    pub const fn inert(name: &'static str, shape: Shape, doc: &'static str, instead: &'static str) -> Self {
        Self { name, shape, required: false, doc, instead }
    }

    /// Joins several tables; `N` is the sum of their lengths.
    #[must_use]
    pub const fn join<const N: usize>(tables: &[&[Self]]) -> [Self; N] {
        let mut all = [Self::foreign("", ""); N];
        let (mut at, mut table) = (0, 0);
        while table < tables.len() {
            let mut field = 0;
            while field < tables[table].len() {
                all[at] = tables[table][field];
                at += 1;
                field += 1;
            }
            table += 1;
        }
        all
    }

    /// Whether a key of a table has no effect.
    #[must_use]
    pub fn is_inert(table: &[Field], name: &str) -> bool {
        table.iter().any(|field| field.name == name && !field.instead.is_empty())
    }

    /// The paths of all keys of a table, including nested tables; foreign keys are left out.
    #[must_use]
    pub fn paths(table: &[Field]) -> Vec<String> {
        let mut paths = Vec::new();
        for field in table.iter().filter(|field| field.known()) {
            paths.push(field.name.to_owned());
            if let Shape::Object(inner) | Shape::Objects(inner) = field.shape {
                paths.extend(Self::paths(inner).into_iter().map(|path| format!("{}.{path}", field.name)));
            }
        }
        paths
    }

    /// Whether the key is accepted at all.
    pub(super) fn known(&self) -> bool {
        !matches!(self.shape, Shape::Foreign)
    }

    /// The JSON Schema of a mapping with exactly these keys.
    #[must_use]
    pub fn schema(table: &[Field]) -> Json {
        let properties: serde_json::Map<_, _> =
            table.iter().filter(|f| f.known()).map(|f| (f.name.to_owned(), f.property())).collect();
        let required: Vec<_> = table.iter().filter(|f| f.required).map(|f| f.name).collect();
        let mut schema = json!({
            "type": "object", "additionalProperties": false, "properties": properties,
        });
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        schema
    }

    fn property(&self) -> Json {
        let mut schema = match self.shape {
            Shape::Text => json!({ "type": "string" }),
            Shape::Name => json!({ "type": "string", "pattern": "\\S" }),
            Shape::Bool => json!({ "type": "boolean" }),
            Shape::Integer(least) => json!({ "type": "integer", "minimum": least }),
            Shape::Number(least, most) if most.is_infinite() => {
                json!({ "type": "number", "minimum": least })
            }
            Shape::Number(least, most) => {
                json!({ "type": "number", "minimum": least, "maximum": most })
            }
            Shape::OneOf(words) | Shape::Offered(words, _) => json!({ "enum": words }),
            Shape::Texts => json!({ "type": "array", "items": { "type": "string" } }),
            Shape::Words(words) => json!({ "type": "array", "items": { "enum": words } }),
            Shape::Map => json!({ "type": "object" }),
            Shape::Scalars => json!({
                "type": "object",
                "additionalProperties": { "type": ["string", "number", "boolean"] },
            }),
            Shape::Lexicon(words, ..) => {
                json!({ "type": "object", "additionalProperties": { "enum": words } })
            }
            Shape::Object(table) => Field::schema(table),
            Shape::Objects(table) => json!({ "type": "array", "items": Field::schema(table) }),
            Shape::Part(name) => json!({ "$ref": format!("#/$defs/{name}") }),
            Shape::Steps => json!({ "enum": STEPS }),
            Shape::Foreign => json!(false),
        };
        schema["description"] = self.doc.into();
        schema
    }
}
