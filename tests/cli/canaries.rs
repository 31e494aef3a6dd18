//! The known answers that every live judge is shown first, for servers that play one.

use super::server::Asked;

#[expect(dead_code, reason = "a bad answer is known by its rubric")]
#[path = "../../src/grader/canary_table.rs"]
mod table;

/// What a judge is asked about itself: whether the answer is a good one, and the highest score.
pub(crate) fn canary(asked: &Asked) -> Option<(bool, u64)> {
    let told = asked.body["messages"].to_string();
    let is_in = |rubric: &str| told.contains(&format!("Rubric:\\n{rubric}"));
    let (_, number) = told.split_once("whole number from 0 to ")?;
    let digits: String = number.chars().take_while(char::is_ascii_digit).collect();
    let scale = digits.parse().ok()?;
    let is_good = table::GOOD.iter().any(|(rubric, _)| is_in(rubric));
    (is_good || table::RUBRICS.iter().any(|rubric| is_in(rubric))).then_some((is_good, scale))
}

/// The verdict of a sound judge, where it is asked about itself.
pub(crate) fn verdict(asked: &Asked) -> Option<String> {
    let (is_good, scale) = canary(asked)?;
    Some(format!("{{\"reasoning\":\"a known answer\",\"score\":{}}}", if is_good { scale } else { 0 }))
}
