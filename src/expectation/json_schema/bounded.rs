//! A value held against a schema within bounds: its patterns are searched as those of `regex` are, by counted steps, and all
//! of it has a time. A schema that tries many ways at every level takes longer than anybody waits.

use std::cell::RefCell;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Keyword, ValidationError, Validator};
use serde_json::Value as Json;

use crate::expectation::SHOWN;
use crate::expectation::aside::aside;
use crate::expectation::pattern::Pattern;
use crate::text;

/// What is waited for where the work begins; what takes more makes room for others.
const SOON: Duration = Duration::from_millis(10);

/// How long a value is held against a schema. Usual ones take milliseconds for a megabyte.
const MOST: Duration = Duration::from_secs(5);

/// Room for schemas that refer to themselves, level by level.
const STACK: usize = 16 << 20;

thread_local! {
    /// Why a search of this thread has come to no end.
    static GAVE_UP: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// The keyword `pattern`, in JavaScript's dialect as everywhere.
struct Searched(Pattern);

impl<'i> Keyword<'i> for Searched {
    fn validate(&self, instance: &'i Json) -> Result<(), ValidationError<'i>> {
        let told = || ValidationError::custom(format!("{instance} does not match {:?}", self.0.source()));
        if self.is_valid(instance) { Ok(()) } else { Err(told()) }
    }

    fn is_valid(&self, instance: &'i Json) -> bool {
        let Some(said) = instance.as_str() else { return true };
        self.0.find(said).map_or_else(
            |error| {
                GAVE_UP.set(Some(error.to_string()));
                false
            },
            |found| found.is_some(),
        )
    }
}

/// Reads a schema.
pub(super) fn compiled(schema: &Json) -> Result<Validator, ValidationError<'_>> {
    let options = jsonschema::draft202012::options().should_validate_formats(true);
    let options = options.with_keyword("pattern", |_, value, _| {
        let source = value.as_str().unwrap_or_default();
        let read = Pattern::compile(source, "u").or_else(|_| Pattern::compile(source, ""));
        read.map(|pattern| Box::new(Searched(pattern)) as _)
            .map_err(|error| ValidationError::custom(format!("the pattern {source:?}: {}", error.message)))
    });
    options.build(schema)
}

/// What stands against a value.
pub(super) struct Problems {
    /// The first of them in words; none where the value obeys.
    pub(super) words: Vec<String>,
    /// Where the first one was found.
    pub(super) got: String,
}

/// Holds a value against a schema.
///
/// # Errors
/// Where it cannot be told whether it obeys.
pub(super) fn problems(validator: &Arc<Validator>, value: Json) -> Result<Problems, String> {
    let (told, found) = mpsc::channel();
    let validator = Arc::clone(validator);
    let work = move || told.send(all(&validator, &value));
    let begun = thread::Builder::new().stack_size(STACK).spawn(work);
    begun.map_err(|error| format!("no thread to hold the answer against the schema: {error}"))?;
    let soon = found.recv_timeout(SOON);
    soon.or_else(|_| aside(|| found.recv_timeout(MOST))).unwrap_or_else(|_| {
        Err(format!("the schema gave up after {} s; let it try fewer ways", MOST.as_secs()))
    })
}

fn all(validator: &Validator, value: &Json) -> Result<Problems, String> {
    let found: Vec<_> = validator.iter_errors(value).take(4).collect();
    if let Some(why) = GAVE_UP.take() {
        return Err(why);
    }
    if let Some(one) = found.iter().find(|one| gave_up(one)) {
        return Err(text::excerpt(&one.to_string(), 200));
    }
    let word = |problem: &ValidationError<'_>| {
        let path = problem.instance_path().to_string();
        let place = if path.is_empty() { "the answer".to_owned() } else { format!("`{path}`") };
        format!("{place}: {}", text::excerpt(&problem.to_string(), 120))
    };
    let mut words: Vec<_> = found.iter().take(3).map(word).collect();
    if found.len() > 3 {
        words.push("and more".to_owned());
    }
    let got = found.first().map(|first| text::excerpt(&first.instance().to_string(), SHOWN));
    Ok(Problems { words, got: got.unwrap_or_default() })
}

/// Names of members are searched for by the validator itself.
fn gave_up(problem: &ValidationError<'_>) -> bool {
    matches!(problem.kind(), ValidationErrorKind::BacktrackLimitExceeded { .. })
}
