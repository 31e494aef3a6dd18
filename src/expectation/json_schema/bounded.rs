//! Validates a value by a schema within limits.
//!
//! Each try of a subschema with alternatives or references counts, and patterns take counted steps, as in `regex`. A
//! validation that runs out of tries or steps ends and leaves nothing behind. Work that the library does between these
//! counts has a time limit. Threads that exceed it keep running, so their number is limited, too.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicIsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Keyword, PatternOptions, ValidationError, Validator};
use serde_json::{Map, Value as Json, json};

use super::lint::{Content, content};
use crate::expectation::SHOWN;
use crate::expectation::aside::aside;
use crate::expectation::pattern::{Pattern, STEPS};
use crate::text;
use crate::text::number::whole;

/// How long to wait directly; longer waits go through `aside`, so that other tasks can run.
const SOON: Duration = Duration::from_millis(10);

/// Longest validation: far longer than the counted work takes on a busy machine, so that the count decides.
const MOST: Duration = Duration::from_secs(20);

/// Maximum tries to find out whether a value conforms.
const TRIED: usize = 2_000_000;

/// Maximum tries to explain why it does not: each may leave some hundred bytes of explanation.
const EXPLAINED: usize = 50_000;

/// Backtracking limit of patterns for the names of members, which the library searches itself.
const BACK: usize = 10_000;

/// Stack size for schemas that refer to themselves, which take some stack for each level.
const STACK: usize = 16 << 20;

/// Maximum threads left behind.
const LEFT_BEHIND: isize = 4;

/// Keywords that validate a value again; without them, each part of a value is validated once.
const AGAIN: [&str; 9] =
    ["$ref", "$dynamicRef", "$recursiveRef", "allOf", "anyOf", "oneOf", "not", "if", "dependentSchemas"];

/// A keyword that accepts everything and counts each try. It is in an `allOf`, which is tried before the other
/// keywords.
const COUNTED: &str = "$akit";

/// Number of threads still validating after their caller gave up.
static LATE: AtomicIsize = AtomicIsize::new(0);

thread_local! {
    /// Tries that this thread has left.
    static TRIES: Cell<usize> = const { Cell::new(0) };
    /// Steps that the patterns of this thread have left.
    static SEARCHED: Cell<usize> = const { Cell::new(STEPS) };
}

/// Ends the work of this thread.
fn give_up(why: String) -> ! {
    resume_unwind(Box::new(why))
}

/// Counts the tries of a schema.
struct Counted;

impl<'i> Keyword<'i> for Counted {
    fn validate(&self, instance: &'i Json) -> Result<(), ValidationError<'i>> {
        self.is_valid(instance);
        Ok(())
    }

    fn is_valid(&self, _: &'i Json) -> bool {
        match TRIES.get().checked_sub(1) {
            Some(left) => TRIES.set(left),
            None => give_up(format!(
                "the validation gave up after {} tries; use fewer alternatives (`anyOf`, `oneOf`, `$ref`)",
                whole(TRIED as u64)
            )),
        }
        true
    }
}

/// The keyword `pattern`, a JavaScript regex as everywhere in akit.
struct Searched(Pattern);

impl<'i> Keyword<'i> for Searched {
    fn validate(&self, instance: &'i Json) -> Result<(), ValidationError<'i>> {
        let error = || ValidationError::custom(format!("{instance} does not match {:?}", self.0.source()));
        if self.is_valid(instance) { Ok(()) } else { Err(error()) }
    }

    fn is_valid(&self, instance: &'i Json) -> bool {
        let Some(text) = instance.as_str() else { return true };
        let mut steps = SEARCHED.get();
        let found = self.0.find_from(text, 0, &mut steps);
        SEARCHED.set(steps);
        found.unwrap_or_else(|error| give_up(error.to_string())).is_some()
    }
}

/// The schema, with tries counted in every part that needs it.
fn counted(schema: &Json) -> Json {
    let Json::Object(members) = schema else { return schema.clone() };
    let each = |value: &Json| match value {
        Json::Array(list) => Json::Array(list.iter().map(counted).collect()),
        one => counted(one),
    };
    let is_tried_again = members.keys().any(|name| AGAIN.contains(&name.as_str()));
    let members = members.iter().map(|(name, value)| {
        let value = match (content(name), value) {
            (Content::Named, Json::Object(named)) => {
                Json::Object(named.iter().map(|(name, one)| (name.clone(), counted(one))).collect())
            }
            (Content::No, value) => value.clone(),
            // Counts below unknown keywords, too: a reference may lead there.
            (Content::Schemas | Content::Named | Content::Unknown, value) => each(value),
        };
        (name.clone(), value)
    });
    let mut members: Map<_, _> = members.collect();
    if is_tried_again
        && let Json::Array(all) = members.entry("allOf").or_insert_with(|| Json::Array(Vec::new()))
    {
        all.push(json!({ COUNTED: true }));
    }
    Json::Object(members)
}

/// Compiles a schema.
pub(super) fn compiled(schema: &Json) -> Result<Validator, ValidationError<'static>> {
    let options = jsonschema::draft202012::options().should_validate_formats(true);
    let options = options.with_pattern_options(PatternOptions::fancy_regex().backtrack_limit(BACK));
    let options = options.with_keyword(COUNTED, |_, _, _| Ok(Box::new(Counted) as _));
    let options = options.with_keyword("pattern", |_, value, _| {
        let source = value.as_str().unwrap_or_default();
        let read = Pattern::compile(source, "u").or_else(|_| Pattern::compile(source, ""));
        read.map(|pattern| Box::new(Searched(pattern)) as _)
            .map_err(|error| ValidationError::custom(format!("the pattern {source:?}: {}", error.message)))
    });
    options.build(&counted(schema)).map_err(ValidationError::to_owned)
}

/// Why a value does not conform.
pub(super) struct Problems {
    /// The first problems; empty if the value conforms.
    pub(super) messages: Vec<String>,
    /// The part of the value with the first problem.
    pub(super) got: String,
}

/// Validates a value.
///
/// # Errors
/// If it is unknown whether the value conforms.
pub(super) fn problems(validator: &Arc<Validator>, value: Json) -> Result<Problems, String> {
    if LATE.load(Ordering::Relaxed) >= LEFT_BEHIND {
        return Err(format!(
            "the schema was not checked: {LEFT_BEHIND} validations that gave up after {} s are still running",
            MOST.as_secs()
        ));
    }
    let (sender, found) = mpsc::channel();
    let validator = Arc::clone(validator);
    // Set by whichever comes first: the end of the work, or the end of the wait.
    let is_over = Arc::new(AtomicBool::new(false));
    let ended = Arc::clone(&is_over);
    let work = move || {
        let all = catch_unwind(AssertUnwindSafe(|| all(&validator, &value)));
        let all = all.unwrap_or_else(|why| Err(message(&*why)));
        if ended.swap(true, Ordering::Relaxed) {
            LATE.fetch_sub(1, Ordering::Relaxed);
        }
        // The receiver may be gone.
        let _ = sender.send(all);
    };
    let begun = thread::Builder::new().stack_size(STACK).spawn(work);
    begun.map_err(|error| format!("cannot start a thread to validate the answer: {error}"))?;
    let soon = found.recv_timeout(SOON);
    soon.or_else(|_| aside(|| found.recv_timeout(MOST))).unwrap_or_else(|_| {
        if !is_over.swap(true, Ordering::Relaxed) {
            LATE.fetch_add(1, Ordering::Relaxed);
        }
        Err(format!("the validation gave up after {} s; use fewer alternatives", MOST.as_secs()))
    })
}

/// The message that a thread ended with.
fn message(why: &(dyn std::any::Any + Send)) -> String {
    why.downcast_ref::<String>().map_or_else(|| "the validation failed".to_owned(), Clone::clone)
}

fn all(validator: &Validator, value: &Json) -> Result<Problems, String> {
    TRIES.set(TRIED);
    // This creates no explanations, but it does not report if a search for names of members gave up.
    let conforms = validator.is_valid(value);
    TRIES.set(if conforms { TRIED } else { EXPLAINED });
    let found = catch_unwind(AssertUnwindSafe(|| validator.iter_errors(value).take(4).collect::<Vec<_>>()));
    let found = match found {
        Ok(found) => found,
        Err(_) if !conforms => {
            let message = "the answer does not conform to the schema; it is too long, or has too many problems, to show where";
            return Ok(Problems {
                messages: vec![message.to_owned()],
                got: text::excerpt(&value.to_string(), SHOWN),
            });
        }
        Err(why) => return Err(message(&*why)),
    };
    if let Some(one) = found.iter().find(|one| gave_up(one)) {
        return Err(text::excerpt(&one.to_string(), 200));
    }
    let shown = |problem: &ValidationError<'_>| {
        let path = problem.instance_path().to_string();
        let place = if path.is_empty() { "the answer".to_owned() } else { format!("`{path}`") };
        format!("{place}: {}", text::excerpt(&uncounted(&problem.to_string()), 120))
    };
    let mut messages: Vec<_> = found.iter().take(3).map(shown).collect();
    if found.len() > 3 {
        messages.push("and more".to_owned());
    }
    let got = found.first().map(|first| text::excerpt(&first.instance().to_string(), SHOWN));
    Ok(Problems { messages, got: got.unwrap_or_default() })
}

/// A message of the library, without the counting keyword.
fn uncounted(words: &str) -> String {
    let one = json!({ COUNTED: true }).to_string();
    let list = format!("\"allOf\":[{one}]");
    [format!("{list},"), format!(",{list}"), list, format!(",{one}")]
        .iter()
        .fold(words.to_owned(), |words, one| words.replace(one, ""))
}

/// Whether the library's own search for names of members gave up.
fn gave_up(problem: &ValidationError<'_>) -> bool {
    matches!(problem.kind(), ValidationErrorKind::BacktrackLimitExceeded { .. })
}
