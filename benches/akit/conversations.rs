//! What a thousand conversations of six turns cost beside the time that the answers take.

use std::fmt::Write as _;
use std::path::Path;

use crate::process::{median, once};
use crate::{Outcome, server};

/// Conversations, turns of each, and how many are held at once.
const CONVERSATIONS: u32 = 1_000;
const TURNS: u32 = 6;
const AT_ONCE: u32 = 50;

/// Milliseconds that an answer takes.
const ANSWER: f64 = 20.0;

/// Most time, beside that of answers which follow each other without a pause.
const MOST: f64 = 1.1;

/// How many of the targets were missed.
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

/// Half of them by a script, half by rules; all are as they must be.
fn write(place: &Path) -> std::io::Result<()> {
    let mut text = String::from("name: talks\nprovider: openai\ncases:\n");
    for number in 0..CONVERSATIONS {
        // Writing into a text cannot fail.
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
