//! A thousand conversations of six turns: total time compared with the time the answers take.

use std::fmt::Write as _;
use std::path::Path;

use crate::process::{median, once};
use crate::{Outcome, server};

/// Number of conversations, turns of each, and concurrency.
const CONVERSATIONS: u32 = 1_000;
const TURNS: u32 = 6;
const AT_ONCE: u32 = 50;

/// Milliseconds per answer.
const ANSWER: f64 = 20.0;

/// Maximum time, relative to the same answers without a pause between them.
const MOST: f64 = 1.1;

/// Prints the table; returns how many targets were missed.
pub(crate) fn measure() -> Outcome<usize> {
    let folder = tempfile::tempdir()?;
    let place = folder.path();
    write(place)?;
    let server = server::start()?;
    let ideal = f64::from(CONVERSATIONS / AT_ONCE * TURNS) * ANSWER;
    let workers = AT_ONCE.to_string();
    let run =
        ["run", "talks.yaml", "-m", "bench", "--base-url", server.as_str(), "-c", &workers, "--cache", "off"];
    let mut times = Vec::new();
    for _ in 0..5 {
        times.push(once(&run, place, 0)?.time);
    }
    let share = median(times) / ideal;
    let missed = share > MOST;
    println!("{:<60} {:>14} {:>14}", "conversations", "time", "target");
    println!(
        "{:<60} {:>14} {:>14}{}",
        "1,000 of 6 turns, 20 ms each, -c 50, --cache off",
        format!("{share:.2} × ideal"),
        format!("{MOST} × ideal"),
        if missed { "  missed" } else { "" }
    );
    Ok(usize::from(missed))
}

/// Half of them use a script, half use rules; all pass.
fn write(place: &Path) -> std::io::Result<()> {
    let mut text = String::from("name: talks\nprovider: openai\ncases:\n");
    for number in 0..CONVERSATIONS {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  - id: talk-{number}");
        if number % 2 == 0 {
            text.push_str("    turns:\n");
            for turn in 1..=TURNS {
                let _ = writeln!(
                    text,
                    "      - {{ user: \"Question {turn} about order {number}?\", expected: {{ type: contains, values: [30 days] }} }}"
                );
            }
        } else {
            let _ = write!(
                text,
                "    customer:\n      says: Where is order {number}?\n      rules: [{{ when: {{ type: contains, values: [30 days] }}, say: And then?, most: {TURNS} }}]\n      max_turns: {TURNS}\n"
            );
        }
        text.push_str("    expected: { type: every_answer, expected: { not: { type: contains, values: [password] } } }\n");
    }
    std::fs::write(place.join("talks.yaml"), text)
}
