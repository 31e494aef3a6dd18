//! A value held against a schema within bounds: every schema within it that has ways to try or refers to another one is
//! counted when it is tried, and its patterns are searched by counted steps as those of `regex` are. Who runs out of steps ends, and leaves nothing behind. What the library
//! does without asking a schema has a time, and only so many may be left behind.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicIsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Keyword, PatternOptions, ValidationError, Validator};
use serde_json::{Map, Value as Json, json};

use super::lint::{Holds, holds};
use crate::expectation::SHOWN;
use crate::expectation::aside::aside;
use crate::expectation::pattern::{Pattern, STEPS};
use crate::text;
use crate::text::number::whole;

/// What is waited for where the work begins; what takes more makes room for others.
const SOON: Duration = Duration::from_millis(10);

/// How long a value is held against a schema: far longer than what is counted takes on a busy machine, so that the count
/// decides.
const MOST: Duration = Duration::from_secs(20);

/// How often schemas are tried, to tell whether a value obeys.
const TRIED: usize = 2_000_000;

/// The same, to tell what stands against it: each may leave some hundred bytes of explanation.
const EXPLAINED: usize = 50_000;

/// Steps back of a pattern for the names of members, which the library searches by itself.
const BACK: usize = 10_000;

/// Room for schemas that refer to themselves, level by level.
const STACK: usize = 16 << 20;

/// Most threads that are left behind.
const LEFT_BEHIND: isize = 4;

/// Keywords that try a value again: without them, each part of a value is looked at once.
const AGAIN: [&str; 9] =
    ["$ref", "$dynamicRef", "$recursiveRef", "allOf", "anyOf", "oneOf", "not", "if", "dependentSchemas"];

/// A keyword that demands nothing: it counts. It stands in an `allOf`, which is tried before the others of them.
const COUNTED: &str = "$akit";

/// Threads that hold a value against a schema longer than anybody waits.
static LATE: AtomicIsize = AtomicIsize::new(0);

thread_local! {
    /// How often schemas may still be tried by this thread.
    static TRIES: Cell<usize> = const { Cell::new(0) };
    /// Steps that are left to the patterns of this thread.
    static SEARCHED: Cell<usize> = const { Cell::new(STEPS) };
}

/// Ends the work of this thread, whoever asked for it.
fn give_up(why: String) -> ! {
    resume_unwind(Box::new(why))
}

/// Counts that a schema is tried.
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
                "the schema gave up after it was tried {} times; let it try fewer ways (`anyOf`, `oneOf`, `$ref`)",
                whole(TRIED as u64)
            )),
        }
        true
    }
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
        let mut steps = SEARCHED.get();
        let found = self.0.find_from(said, 0, &mut steps);
        SEARCHED.set(steps);
        found.unwrap_or_else(|error| give_up(error.to_string())).is_some()
    }
}

/// The same schema, every part of which is counted when it is tried.
fn counted(schema: &Json) -> Json {
    let Json::Object(members) = schema else { return schema.clone() };
    let each = |value: &Json| match value {
        Json::Array(list) => Json::Array(list.iter().map(counted).collect()),
        one => counted(one),
    };
    let is_tried_again = members.keys().any(|name| AGAIN.contains(&name.as_str()));
    let members = members.iter().map(|(name, value)| {
        let value = match (holds(name), value) {
            (Holds::Named, Json::Object(named)) => {
                Json::Object(named.iter().map(|(name, one)| (name.clone(), counted(one))).collect())
            }
            (Holds::No, value) => value.clone(),
            // Also below a word that nobody knows: a reference may lead there.
            (Holds::Schemas | Holds::Named | Holds::Unknown, value) => each(value),
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

/// Reads a schema.
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
    if LATE.load(Ordering::Relaxed) >= LEFT_BEHIND {
        return Err(format!(
            "the schema was not tried: {LEFT_BEHIND} others still run that gave up after {} s",
            MOST.as_secs()
        ));
    }
    let (told, found) = mpsc::channel();
    let validator = Arc::clone(validator);
    // Whoever comes second finds it set: the work that ends late, or who waits no longer.
    let is_over = Arc::new(AtomicBool::new(false));
    let ended = Arc::clone(&is_over);
    let work = move || {
        let all = catch_unwind(AssertUnwindSafe(|| all(&validator, &value)));
        let all = all.unwrap_or_else(|why| Err(words(&*why)));
        if ended.swap(true, Ordering::Relaxed) {
            LATE.fetch_sub(1, Ordering::Relaxed);
        }
        // Nobody may be there any more.
        let _ = told.send(all);
    };
    let begun = thread::Builder::new().stack_size(STACK).spawn(work);
    begun.map_err(|error| format!("no thread to hold the answer against the schema: {error}"))?;
    let soon = found.recv_timeout(SOON);
    soon.or_else(|_| aside(|| found.recv_timeout(MOST))).unwrap_or_else(|_| {
        if !is_over.swap(true, Ordering::Relaxed) {
            LATE.fetch_add(1, Ordering::Relaxed);
        }
        Err(format!("the schema gave up after {} s; let it try fewer ways", MOST.as_secs()))
    })
}

/// What somebody ended with.
fn words(why: &(dyn std::any::Any + Send)) -> String {
    why.downcast_ref::<String>().map_or_else(|| "the schema cannot be tried".to_owned(), Clone::clone)
}

fn all(validator: &Validator, value: &Json) -> Result<Problems, String> {
    TRIES.set(TRIED);
    // It leaves no explanations, but does not say where names of members could not be searched.
    let obeys = validator.is_valid(value);
    TRIES.set(if obeys { TRIED } else { EXPLAINED });
    let found = catch_unwind(AssertUnwindSafe(|| validator.iter_errors(value).take(4).collect::<Vec<_>>()));
    let found = match found {
        Ok(found) => found,
        Err(_) if !obeys => {
            let words =
                vec!["the answer does not obey the schema; it is too long, or wrong in too many ways, to say where".to_owned()];
            return Ok(Problems { words, got: text::excerpt(&value.to_string(), SHOWN) });
        }
        Err(why) => return Err(words(&*why)),
    };
    if let Some(one) = found.iter().find(|one| gave_up(one)) {
        return Err(text::excerpt(&one.to_string(), 200));
    }
    let word = |problem: &ValidationError<'_>| {
        let path = problem.instance_path().to_string();
        let place = if path.is_empty() { "the answer".to_owned() } else { format!("`{path}`") };
        format!("{place}: {}", text::excerpt(&uncounted(&problem.to_string()), 120))
    };
    let mut words: Vec<_> = found.iter().take(3).map(word).collect();
    if found.len() > 3 {
        words.push("and more".to_owned());
    }
    let got = found.first().map(|first| text::excerpt(&first.instance().to_string(), SHOWN));
    Ok(Problems { words, got: got.unwrap_or_default() })
}

/// The words of the library without what only counts.
fn uncounted(words: &str) -> String {
    let one = json!({ COUNTED: true }).to_string();
    let list = format!("\"allOf\":[{one}]");
    [format!("{list},"), format!(",{list}"), list, format!(",{one}")]
        .iter()
        .fold(words.to_owned(), |words, one| words.replace(one, ""))
}

/// Names of members are searched for by the validator itself.
fn gave_up(problem: &ValidationError<'_>) -> bool {
    matches!(problem.kind(), ValidationErrorKind::BacktrackLimitExceeded { .. })
}
