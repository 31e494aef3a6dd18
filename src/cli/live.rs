//! Live status line of a load test.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::terminal;
use crate::report::stress;
use crate::stats::real;
use crate::stress::{Glance, Options, Stress};
use crate::text::number;

/// Refresh interval of the line.
const STEP: Duration = Duration::from_millis(500);
/// Interval of lines in a log.
const LOG_STEP: Duration = Duration::from_secs(30);

/// Shows the live status until dropped.
pub(super) async fn show(stress: Stress, options: Options, is_shown: bool) {
    if !is_shown {
        return;
    }
    let bar = terminal::watched().then(|| {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        bar.set_style(
            ProgressStyle::with_template("{wide_msg}").unwrap_or_else(|_| ProgressStyle::default_spinner()),
        );
        Cleared(bar)
    });
    let step = if bar.is_some() { STEP } else { LOG_STEP };
    let began = Instant::now();
    let mut before = 0;
    loop {
        tokio::time::sleep(step).await;
        let glance = stress.glance();
        let rate = real(glance.requests - before) / step.as_secs_f64();
        before = glance.requests;
        let line = line(&glance, &options, rate, began.elapsed());
        match &bar {
            Some(Cleared(bar)) => bar.set_message(line),
            None => terminal::say(&line),
        }
    }
}

/// A progress bar that clears itself.
struct Cleared(ProgressBar);

impl Drop for Cleared {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

fn line(glance: &Glance, options: &Options, rate: f64, elapsed: Duration) -> String {
    let stage = options.stages.get(glance.stage).map(|stage| stage.amount.to_string()).unwrap_or_default();
    let [p50, p95] = glance.latency_ms.map(stress::time);
    let errors = (glance.requests > 0).then(|| real(glance.errors) / real(glance.requests));
    format!(
        "{:>4} s  {stage}: {rate:.0}/s, {} in flight, p50 {p50}, p95 {p95}, errors {}, passed {}",
        elapsed.as_secs(),
        number::whole(glance.in_flight),
        stress::share(errors),
        stress::share(glance.pass_rate),
    )
}
