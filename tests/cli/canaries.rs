//! The known answers that every live judge is tested on, for servers that play a judge.

use super::server::Asked;

#[expect(dead_code, reason = "bad answers are recognized by their rubric")]
#[path = "../../src/grader/canary_table.rs"]
mod table;

/// The canary in a judge's prompt, if it is one: whether the answer is good, and the highest score.
pub(crate) fn canary(asked: &Asked) -> Option<(bool, u64)> {
    let prompt = asked.body["messages"].to_string();
    let is_in = |rubric: &str| prompt.contains(&format!("Rubric:\\n{rubric}"));
    let (_, number) = prompt.split_once("whole number from 0 to ")?;
    let digits: String = number.chars().take_while(char::is_ascii_digit).collect();
    let scale = digits.parse().ok()?;
    let is_good = table::GOOD.iter().any(|(rubric, _)| is_in(rubric));
    (is_good || table::RUBRICS.iter().any(|rubric| is_in(rubric))).then_some((is_good, scale))
}

/// A sound judge's verdict on a canary.
pub(crate) fn verdict(asked: &Asked) -> Option<String> {
    let (is_good, scale) = canary(asked)?;
    Some(format!("{{\"reasoning\":\"a known answer\",\"score\":{}}}", if is_good { scale } else { 0 }))
}
