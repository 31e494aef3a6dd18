//! Progress of a run: a bar in terminals, a few lines in logs.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::terminal;
use crate::event::{Event, Sink};
use crate::text;
use crate::vocabulary::Outcome;

/// Follows a run.
#[derive(Debug)]
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    detail: Detail,
    total: AtomicUsize,
    done: AtomicUsize,
    /// Number of failed cases, and of errored ones.
    wrong: [AtomicUsize; 2],
    confirming: AtomicBool,
}

/// Verbosity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Detail {
    /// Only why a run ends early.
    Nothing,
    /// The share done.
    Share,
    /// Every case.
    Cases,
}

impl Progress {
    pub(super) fn new(detail: Detail) -> Self {
        let bar = (terminal::watched() && detail != Detail::Nothing).then(|| {
            let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("{bar:24} {pos}/{len} cases{msg}, {elapsed}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        Self {
            bar,
            detail,
            total: AtomicUsize::new(0),
            done: AtomicUsize::new(0),
            wrong: [const { AtomicUsize::new(0) }; 2],
            confirming: AtomicBool::new(false),
        }
    }

    fn line(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| terminal::say(line)),
            None => terminal::say(line),
        }
    }

    fn judged(&self, scenario: &str, case: &str, outcome: Outcome) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        let total = self.total.load(Ordering::Relaxed);
        match outcome {
            Outcome::Failed => drop(self.wrong[0].fetch_add(1, Ordering::Relaxed)),
            Outcome::Errored => drop(self.wrong[1].fetch_add(1, Ordering::Relaxed)),
            Outcome::Passed | Outcome::Skipped => {}
        }
        if let Some(bar) = &self.bar {
            bar.set_message(self.failures());
            bar.inc(1);
        }
        if self.detail == Detail::Cases {
            let name = text::log::line(&format!("{scenario}/{case}"), 120);
            self.line(&format!("{:>7} {name}", outcome.word()));
        } else if self.detail == Detail::Share
            && self.bar.is_none()
            && total >= 20
            && done < total
            && done * 10 / total != (done - 1) * 10 / total
        {
            // At most ten lines, the same ones for the same number of cases.
            self.line(&format!("{done} of {}{}", text::count(total, "case"), self.failures()));
        }
    }

    /// `, 2 failed, 1 errored`; empty while nothing is wrong.
    fn failures(&self) -> String {
        let words = self.wrong.iter().zip(["failed", "errored"]);
        let words = words.map(|(count, word)| (count.load(Ordering::Relaxed), word));
        let words: Vec<_> = words
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| format!(", {} {word}", text::number::size(count)))
            .collect();
        words.concat()
    }
}

impl Sink for Progress {
    fn see(&self, event: Event<'_>) {
        match event {
            Event::Started { cases } => {
                self.total.store(cases, Ordering::Relaxed);
                if let Some(bar) = &self.bar {
                    bar.set_length(cases as u64);
                }
            }
            Event::Confirming { .. } if self.detail == Detail::Nothing => {}
            // The first round has all suspects.
            Event::Confirming { cases } if !self.confirming.swap(true, Ordering::Relaxed) => {
                self.line(&format!(
                    "running {} again to confirm or clear failures",
                    text::count(cases, "case")
                ));
            }
            Event::Confirming { .. } => {}
            Event::Judged { scenario, case, outcome } => self.judged(scenario, case, outcome),
            Event::Awaiting { why, requests, seconds } => {
                let requests = text::count(requests, "request");
                self.line(&format!(
                    "{why}: waiting up to {seconds} s for {requests}; a second signal stops akit at once"
                ));
            }
            Event::Stopping { why } => {
                self.line(&format!("{why}: sending nothing more; writing the reports"));
            }
            Event::Finished => {
                if let Some(bar) = &self.bar {
                    bar.finish_and_clear();
                }
            }
        }
    }
}
