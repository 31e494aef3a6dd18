//! The part of promptfoo's templates (Nunjucks) that akit supports: `{{name}}` and `{{ a.b }}`.
//!
//! Filters, blocks, comments and expressions are not approximated: text that contains one is refused.

use std::collections::BTreeMap;

/// Values by name; those of a mapping by dotted path.
pub(super) type Variables = BTreeMap<String, String>;

/// Deepest chain of references between variables.
const DEEPEST: usize = 8;

/// Largest value after references are filled, in bytes (16 MiB).
const LARGEST: usize = 16 * 1024 * 1024;

/// Text, split at its placeholders.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Template(Vec<Piece>);

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Text(String),
    Name(String),
    Environment(String),
}

/// Why akit's variables cannot express a string.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TemplateError {
    /// Something in braces that is not a name.
    #[error("`{0}` is more than a name in braces; akit has no filters or blocks")]
    Expression(String),
    /// A backslash before the braces, which akit reads as an escape.
    #[error("the backslash before `{0}` would stop akit from filling it in")]
    Backslash(String),
    /// A name whose value is a mapping.
    #[error("`{{{{{0}}}}}` is a mapping, but akit only fills in text")]
    Mapping(String),
    /// Braces in text that promptfoo does not fill.
    #[error("promptfoo keeps `{0}` as is, but akit would fill it in")]
    Taken(String),
    /// Values that refer to each other in a cycle.
    #[error("the values of `{0}` refer to each other in a cycle, or grow too large")]
    Circle(String),
}

impl Template {
    /// Splits text at its placeholders.
    ///
    /// # Errors
    /// If it contains Nunjucks other than names in braces.
    pub(super) fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(open) = ["{{", "{%", "{#"].iter().filter_map(|mark| rest.find(mark)).min() {
            let expression = || TemplateError::Expression(crate::text::excerpt(&rest[open..], 40));
            let inner = rest[open..].strip_prefix("{{").ok_or_else(expression)?;
            let name = inner.split_once("}}").map(|(name, _)| name).ok_or_else(expression)?;
            if !is_name(name.trim()) || inner[name.len() + 2..].starts_with('}') {
                return Err(expression());
            }
            if rest[..open].ends_with('\\') {
                return Err(TemplateError::Backslash(format!("{{{{{}}}}}", name.trim())));
            }
            if open > 0 {
                parts.push(Piece::Text(rest[..open].to_owned()));
            }
            parts.push(match name.trim().strip_prefix("env.") {
                Some(variable) if !variable.contains('.') => Piece::Environment(variable.to_owned()),
                _ => Piece::Name(name.trim().to_owned()),
            });
            rest = &inner[name.len() + 2..];
        }
        if !rest.is_empty() {
            parts.push(Piece::Text(rest.to_owned()));
        }
        Ok(Self(parts))
    }

    /// Text in which promptfoo fills nothing.
    ///
    /// # Errors
    /// If akit would fill something in it.
    pub(super) fn taken(text: &str) -> Result<Self, TemplateError> {
        match text.find("{{") {
            Some(open) => Err(TemplateError::Taken(crate::text::excerpt(&text[open..], 40))),
            None => Ok(Self(vec![Piece::Text(text.to_owned())])),
        }
    }

    /// The names of its placeholders.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Piece::Name(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// The text in akit's syntax, with its variables unfilled.
    pub(super) fn text(&self) -> String {
        self.written(&crate::environment::literal)
    }

    /// A pattern that matches the text literally.
    pub(super) fn pattern(&self) -> String {
        self.written(&escaped)
    }

    fn written(&self, literal: &dyn Fn(&str) -> String) -> String {
        let part = |part: &Piece| match part {
            Piece::Text(text) => literal(text),
            Piece::Name(name) => format!("{{{{{name}}}}}"),
            // promptfoo inserts nothing for an unset variable.
            Piece::Environment(name) => format!("${{{name}:-}}"),
        };
        self.0.iter().map(part).collect()
    }

    /// The text with its variables filled; those without a value are empty, as in promptfoo. `None` if it needs the
    /// environment.
    pub(super) fn filled(&self, variables: &Variables) -> Option<String> {
        let part = |part: &Piece| match part {
            Piece::Text(text) => Some(text.clone()),
            Piece::Name(name) => Some(variables.get(name).cloned().unwrap_or_default()),
            Piece::Environment(_) => None,
        };
        self.0.iter().map(part).collect()
    }
}

/// A pattern that matches the text literally, in JavaScript's dialect.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if "\\^$.|?*+()[]{}/".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Refuses a name whose value is a mapping: promptfoo would insert JavaScript's string form of it.
///
/// # Errors
/// [`TemplateError::Mapping`] with the first such name.
pub(super) fn no_mapping<'a>(
    names: impl IntoIterator<Item = &'a str>,
    variables: &Variables,
) -> Result<(), TemplateError> {
    let inside = |name: &str| {
        let below = format!("{name}.");
        let next = variables.range(below.clone()..).next();
        !variables.contains_key(name) && next.is_some_and(|(key, _)| key.starts_with(&below))
    };
    match names.into_iter().find(|name| inside(name)) {
        Some(name) => Err(TemplateError::Mapping(name.to_owned())),
        None => Ok(()),
    }
}

/// Fills references between values, as promptfoo does before it fills the prompt.
///
/// # Errors
/// If a value contains more than names, refers to itself, or grows past 16 MiB.
pub(super) fn resolve(raw: &Variables) -> Result<Variables, TemplateError> {
    let mut filled = Variables::new();
    for name in raw.keys() {
        fill(name, raw, &mut filled, 0)?;
    }
    Ok(filled)
}

/// Whether a variable has this name, or the name starts with that of a mapping.
fn is_there(name: &str, variables: &Variables) -> bool {
    let root = name.split('.').next().unwrap_or(name);
    variables.keys().any(|key| key.split('.').next() == Some(root))
}

/// Adds the value of a name, after those it refers to.
fn fill(name: &str, raw: &Variables, filled: &mut Variables, depth: usize) -> Result<(), TemplateError> {
    let Some(text) = raw.get(name).filter(|_| !filled.contains_key(name)) else { return Ok(()) };
    let mut value = text.clone();
    if ["{{", "{%", "{#"].iter().any(|mark| text.contains(mark)) {
        if depth > DEEPEST {
            return Err(TemplateError::Circle(name.to_owned()));
        }
        let template = Template::parse(text)?;
        no_mapping(template.names(), raw)?;
        // promptfoo does not fill a value that refers to a missing one.
        match template.names().filter(|other| !is_there(other, raw)).count() {
            0 => {}
            gone if gone == template.names().count() => {
                filled.insert(name.to_owned(), value);
                return Ok(());
            }
            _ => return Err(TemplateError::Taken(crate::text::excerpt(text, 40))),
        }
        let mut size = text.len();
        for other in template.names() {
            fill(other, raw, filled, depth + 1)?;
            size += filled.get(other).map_or(0, String::len);
        }
        // A few values that repeat each other can fill all memory.
        if size > LARGEST {
            return Err(TemplateError::Circle(name.to_owned()));
        }
        value = template.filled(filled).unwrap_or(value);
    }
    filled.insert(name.to_owned(), value);
    Ok(())
}

fn is_name(text: &str) -> bool {
    let part = |part: &str| {
        part.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_alphanumeric() || c == '_')
    };
    !text.is_empty() && text.split('.').all(part) && !["true", "false", "none", "null"].contains(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_names_and_the_rest_is_kept_from_akit() {
        let table = [
            ("Hi {{ name }}!", "Hi {{name}}!"),
            ("{{a.b}} {{_c1}}", "{{a.b}} {{_c1}}"),
            ("${HOME} costs $5", "$${HOME} costs $5"),
            ("{{env.HOST}}/x", "${HOST:-}/x"),
            ("{ } }} {x}", "{ } }} {x}"),
        ];
        for (text, expected) in table {
            assert_eq!(Template::parse(text).unwrap().text(), expected, "{text}");
        }
    }

    #[test]
    fn anything_but_a_name_is_refused() {
        for text in [
            "{{ name | upper }}",
            "{% if a %}b{% endif %}",
            "{# note #}",
            "{{ a + b }}",
            "{{",
            "{{-a}}",
            "{{{a}}}",
            "{{ 'x' }}",
            "{{a[0]}}",
            r"\{{name}}",
        ] {
            assert!(Template::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_pattern_matches_the_text_itself() {
        let pattern = Template::parse("a.b {{x}} (${C})").unwrap().pattern();
        assert_eq!(pattern, r"a\.b {{x}} \(\$\{C\}\)");
    }

    #[test]
    fn values_may_refer_to_each_other_but_not_endlessly() {
        let of = |pairs: &[(&str, &str)]| -> Variables {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let resolved = resolve(&of(&[("a", "x{{b}}"), ("b", "y{{c}}"), ("c", "z")])).unwrap();
        assert_eq!(resolved["a"], "xyz");
        assert_eq!(resolve(&of(&[("a", "b{{a}}")])), Err(TemplateError::Circle("a".to_owned())));
        assert!(resolve(&of(&[("a", "{{b | upper}}"), ("b", "")])).is_err());
        assert!(resolve(&of(&[("a", "{{a}}{{a}}{{a}}{{a}}{{a}}")])).is_err());
        assert_eq!(resolve(&of(&[("a", "x {{gone}}")])).unwrap()["a"], "x {{gone}}");
        assert!(resolve(&of(&[("a", "{{b}} {{gone}}"), ("b", "c")])).is_err());
        assert!(resolve(&of(&[("a", "{{b}}"), ("b.c", "c")])).is_err());
        assert_eq!(resolve(&of(&[("a", "x{{b.d}}"), ("b.c", "c")])).unwrap()["a"], "x");
        let tenfold = |name: &str| format!("{{{{{name}}}}}").repeat(100);
        let bomb =
            of(&[("a", &tenfold("b")), ("b", &tenfold("c")), ("c", &tenfold("d")), ("d", &"x".repeat(100))]);
        assert!(resolve(&bomb).is_err());
    }
}
