//! What a level counts while it runs. Its size does not grow with the number of requests.

use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::time::Duration;

use hdrhistogram::Histogram;
use tokio::time::Instant;

use crate::manifest::Turn;
use crate::stats::{Tally, real, whole};
use crate::vocabulary::{Answer, ErrorClass};

/// Longest time that a histogram can distinguish, in microseconds: an hour.
const LONGEST: u64 = 3_600_000_000;
/// Maximum number of distinct answers kept in the search for one that many conversations got.
const MOST_TEXTS: usize = 128;

/// Times in microseconds, to three significant digits.
#[derive(Clone, Debug)]
pub(super) struct Times(pub(super) Histogram<u64>);

impl Times {
    pub(super) fn new() -> Self {
        // These bounds are valid, so this cannot fail.
        let made = Histogram::new_with_bounds(1, LONGEST, 3).or_else(|_| Histogram::new(3));
        Self(made.unwrap_or_else(|_| unreachable!("three digits are allowed")))
    }

    pub(super) fn add(&mut self, time: Duration) {
        self.0.saturating_record(u64::try_from(time.as_micros()).unwrap_or(LONGEST).max(1));
    }

    /// The usual time in whole microseconds: the mean without the slowest hundredth, which stalls cause.
    pub(super) fn usual(&self) -> u64 {
        let most = self.0.value_at_quantile(0.99);
        let (mut sum, mut all) = (0.0, 0);
        for value in self.0.iter_recorded().take_while(|value| value.value_iterated_to() <= most) {
            sum += real(value.value_iterated_to()) * real(value.count_at_value());
            all += value.count_at_value();
        }
        whole(sum / real(all.max(1))).unwrap_or(LONGEST)
    }

    /// Adds a time in milliseconds, as the application reports it.
    pub(super) fn add_ms(&mut self, ms: f64) {
        self.add(Duration::try_from_secs_f64(ms / 1000.0).unwrap_or_default());
    }
}

/// The result of a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent<'a> {
    /// When it should have been sent; for later requests of a conversation, when it was sent.
    pub(super) due: Instant,
    pub(super) began: Instant,
    /// When it was last sent, and how long that took.
    pub(super) at: Instant,
    pub(super) took: Duration,
    pub(super) retries: u32,
    pub(super) is_first: bool,
    pub(super) found: Result<&'a Answer, ErrorClass>,
}

impl Sent<'_> {
    /// From the intended send to the whole answer.
    pub(super) fn latency(&self) -> Duration {
        (self.at + self.took).saturating_duration_since(self.due)
    }
}

/// The result of a conversation.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is counted by itself")]
pub(super) struct Ended<'a> {
    pub(super) job: usize,
    pub(super) number: u64,
    /// Whether it met what can be checked without a judge; `None` if nothing can.
    pub(super) passed: Option<bool>,
    /// Whether it errored although no request failed.
    pub(super) fault: bool,
    /// Whether nothing was sent.
    pub(super) is_unsent: bool,
    /// Whether it ended with an error of any kind.
    pub(super) errored: bool,
    /// Its answers within the limits, if it met its expectations.
    pub(super) good: u64,
    pub(super) empty: bool,
    pub(super) cut: bool,
    pub(super) refused: bool,
    /// A hash of its last answer.
    pub(super) mark: Option<u64>,
    pub(super) escalation: Option<Reach>,
    pub(super) cost_usd: Option<f64>,
    /// The turns for the judge's sample, with their rank in the draw.
    pub(super) kept: Option<(u64, &'a [Turn])>,
}

/// How far a customer who asked for a person got.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reach {
    pub(super) offered: bool,
    pub(super) claimed: bool,
    pub(super) done: bool,
    /// How long it took until a person was available, if one was.
    pub(super) available: Option<Duration>,
}

/// A conversation that a judge grades after the load.
#[derive(Clone, Debug)]
pub struct Kept {
    draw: u64,
    /// Index in the plan's jobs.
    pub job: usize,
    /// Number of the visit.
    pub number: u64,
    /// The conversation.
    pub turns: Vec<Turn>,
}

impl PartialEq for Kept {
    fn eq(&self, other: &Self) -> bool {
        (self.draw, self.number) == (other.draw, other.number)
    }
}

impl Eq for Kept {}

impl PartialOrd for Kept {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Kept {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.draw, self.number).cmp(&(other.draw, other.number))
    }
}

/// The results of one case.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct OfCase {
    pub(super) n: u64,
    pub(super) judged: Tally,
    pub(super) errored: u64,
}

/// How many conversations got the same last answer.
#[derive(Clone, Debug, Default)]
struct Same {
    count: u64,
    first_job: usize,
    of_others: bool,
}

/// What a level counts.
#[derive(Clone, Debug)]
pub(super) struct Count {
    pub(super) began: Option<Instant>,
    pub(super) first_sent: Option<Instant>,
    pub(super) last_answered: Option<Instant>,
    pub(super) requests: u64,
    pub(super) retries: u64,
    pub(super) latency: Times,
    pub(super) service: Times,
    pub(super) lag: Times,
    pub(super) ttft: Times,
    pub(super) gaps: Times,
    pub(super) tokens: u64,
    pub(super) errors: BTreeMap<ErrorClass, u64>,
    pub(super) cut_off: u64,
    /// How long the requests that were cut off had waited, from their intended send.
    pub(super) waited: Times,
    /// How long the requests that were cut off had waited in conversations that asked for a person.
    pub(super) waited_for_person: Times,
    /// How long failed requests had waited.
    pub(super) lost: Times,
    /// When the last request was cut off, and when the stage ended.
    pub(super) cut_at: Option<Instant>,
    pub(super) until: Option<Instant>,
    pub(super) quality: Tally,
    pub(super) empty: u64,
    pub(super) cut: u64,
    pub(super) refused: u64,
    texts: BTreeMap<u64, Same>,
    pub(super) good: u64,
    pub(super) escalations: u64,
    pub(super) offered: u64,
    pub(super) claimed: u64,
    pub(super) done: u64,
    pub(super) available: Times,
    pub(super) crossed: u64,
    pub(super) cost_usd: Option<f64>,
    pub(super) cases: Vec<OfCase>,
    sample: BinaryHeap<Kept>,
    most_kept: usize,
}

impl Count {
    pub(super) fn of(jobs: usize, most_kept: usize) -> Self {
        Self {
            began: None,
            first_sent: None,
            last_answered: None,
            requests: 0,
            retries: 0,
            latency: Times::new(),
            service: Times::new(),
            lag: Times::new(),
            ttft: Times::new(),
            gaps: Times::new(),
            tokens: 0,
            errors: BTreeMap::new(),
            cut_off: 0,
            waited: Times::new(),
            waited_for_person: Times::new(),
            lost: Times::new(),
            cut_at: None,
            until: None,
            quality: Tally::default(),
            empty: 0,
            cut: 0,
            refused: 0,
            texts: BTreeMap::new(),
            good: 0,
            escalations: 0,
            offered: 0,
            claimed: 0,
            done: 0,
            available: Times::new(),
            crossed: 0,
            cost_usd: None,
            cases: vec![OfCase::default(); jobs],
            sample: BinaryHeap::new(),
            most_kept,
        }
    }

    pub(super) fn sent(&mut self, sent: &Sent<'_>) {
        self.requests += 1;
        self.retries += u64::from(sent.retries);
        self.first_sent = Some(self.first_sent.map_or(sent.began, |first| first.min(sent.began)));
        let answered = sent.at + sent.took;
        self.last_answered = Some(self.last_answered.map_or(answered, |last| last.max(answered)));
        if sent.is_first {
            self.lag.add(sent.began.saturating_duration_since(sent.due));
        }
        match sent.found {
            Ok(answer) => {
                self.latency.add(sent.latency());
                self.service.add(sent.took);
                if let Some(first) = answer.ttft_ms {
                    self.ttft.add(Duration::from_millis(first));
                }
                if let Some(timings) = answer.timings.as_ref().filter(|timings| timings.parts > 1) {
                    self.gaps.add_ms(timings.mean_gap_ms);
                }
                self.tokens += answer.usage.map_or(0, |usage| usage.output_tokens);
            }
            Err(class) => {
                *self.errors.entry(class).or_default() += 1;
                self.lost.add(sent.latency());
            }
        }
    }

    /// Counts a conversation, and keeps its turns if they are drawn for the sample.
    pub(super) fn ended(&mut self, ended: &Ended<'_>) {
        if let Some(case) = self.cases.get_mut(ended.job) {
            case.n += 1;
            case.errored += u64::from(ended.errored);
            if let Some(passed) = ended.passed {
                case.judged += Tally { hits: passed.into(), of: 1 };
            }
        }
        if let Some(passed) = ended.passed {
            self.quality += Tally { hits: passed.into(), of: 1 };
        }
        if ended.fault {
            *self.errors.entry(ErrorClass::Unexpected).or_default() += 1;
            self.requests += u64::from(ended.is_unsent);
        }
        self.good += ended.good;
        self.empty += u64::from(ended.empty);
        self.cut += u64::from(ended.cut);
        self.refused += u64::from(ended.refused);
        if let Some(cost) = ended.cost_usd {
            *self.cost_usd.get_or_insert(0.0) += cost;
        }
        if let Some(mark) = ended.mark {
            self.same(mark, ended.job);
        }
        if let Some(reach) = ended.escalation {
            self.escalations += 1;
            self.offered += u64::from(reach.offered);
            self.claimed += u64::from(reach.claimed);
            self.done += u64::from(reach.done);
            if let Some(time) = reach.available {
                self.available.add(time);
            }
        }
        if let Some((draw, turns)) = ended.kept
            && self.wants(draw)
        {
            let kept = Kept { draw, job: ended.job, number: ended.number, turns: turns.to_vec() };
            self.sample.push(kept);
            if self.sample.len() > self.most_kept {
                self.sample.pop();
            }
        }
    }

    fn wants(&self, draw: u64) -> bool {
        self.sample.len() < self.most_kept || self.sample.peek().is_some_and(|largest| draw < largest.draw)
    }

    /// Misra and Gries: an answer that more than one in [`MOST_TEXTS`] conversations got is kept, though counted a
    /// little low.
    fn same(&mut self, mark: u64, job: usize) {
        if let Some(same) = self.texts.get_mut(&mark) {
            same.count += 1;
            same.of_others |= same.first_job != job;
        } else if self.texts.len() < MOST_TEXTS {
            self.texts.insert(mark, Same { count: 1, first_job: job, of_others: false });
        } else {
            self.texts.retain(|_, same| {
                same.count -= 1;
                same.count > 0
            });
        }
    }

    /// From the first send to the last answer, or to the end of the stage if requests were still waiting then.
    pub(super) fn lasted(&self) -> Duration {
        let cut = self.cut_at.map(|at| self.until.map_or(at, |until| at.min(until)));
        let ends = self.last_answered.max(cut);
        self.first_sent.zip(ends).map_or(Duration::ZERO, |(from, to)| to.saturating_duration_since(from))
    }

    /// How many conversations about different cases ended with the same answer.
    pub(super) fn identical(&self) -> u64 {
        let shared = self.texts.values().filter(|same| same.of_others);
        shared.map(|same| same.count).max().unwrap_or_default()
    }

    /// The conversations of the sample, in drawn order, which depends only on seed and number.
    pub(super) fn sample(&self) -> Vec<Kept> {
        self.sample.clone().into_sorted_vec()
    }

    /// The cases with a verdict.
    pub(super) fn judged(&self) -> BTreeSet<usize> {
        let judged = self.cases.iter().enumerate().filter(|(_, case)| case.judged.of > 0);
        judged.map(|(job, _)| job).collect()
    }
}
