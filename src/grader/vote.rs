//! How many votes a verdict takes, and when voting stops.
//!
//! The majority decides, so voting stops as soon as one side has a majority: further votes could not change the
//! verdict. By default, one vote is enough, except near the threshold, where a judge that wavers by one step would pass
//! or fail an answer by chance; there, the majority of three votes decides.

use crate::stats::{SLACK, whole};

/// How many votes to request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ballot {
    /// One vote, or up to three if the first is within one step of the threshold.
    #[default]
    NearThreshold,
    /// Up to this odd number of votes.
    Fixed(u32),
}

/// What a score must reach to pass.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bar {
    /// The threshold, as a fraction of the scale from 0 to 1.
    pub threshold: f64,
    /// The highest score on the scale.
    pub scale: u32,
}

impl Bar {
    /// Converts a fraction of the scale to a score on it.
    #[must_use]
    pub fn score(self, share: f64) -> u32 {
        let score = whole((share.clamp(0.0, 1.0) * f64::from(self.scale)).round());
        score.and_then(|score| u32::try_from(score).ok()).unwrap_or_default()
    }

    /// Whether a score reaches the threshold.
    #[must_use]
    pub fn reached(self, score: u32) -> bool {
        f64::from(score) + SLACK >= self.threshold * f64::from(self.scale)
    }

    /// The deciding score of votes given as fractions of the scale.
    #[must_use]
    pub fn middle(self, votes: &[f64]) -> u32 {
        let scores: Vec<u32> = votes.iter().map(|vote| self.score(*vote)).collect();
        median(&scores)
    }

    /// Whether one step up or down could change the verdict.
    fn near(self, score: u32) -> bool {
        (f64::from(score) - self.threshold * f64::from(self.scale)).abs() <= 1.0 + SLACK
    }
}

impl Ballot {
    /// The fewest and the most votes asked for.
    #[must_use]
    pub fn range(self) -> [u32; 2] {
        match self {
            Ballot::NearThreshold => [1, 3],
            Ballot::Fixed(most) => [most / 2 + 1, most],
        }
    }

    /// Whether another vote is needed after these.
    #[must_use]
    pub fn wants_more(self, bar: Bar, scores: &[u32]) -> bool {
        let Some(first) = scores.first() else { return true };
        let most = match self {
            Ballot::Fixed(most) => most as usize,
            Ballot::NearThreshold if bar.near(*first) => 3,
            Ballot::NearThreshold => 1,
        };
        let reached = scores.iter().filter(|score| bar.reached(**score)).count();
        let majority = most / 2 + 1;
        scores.len() < most && reached < majority && scores.len() - reached < majority
    }
}

/// The median score; for an even number of scores, the lower of the two in the middle, which is on the majority's side.
#[must_use]
pub fn median(scores: &[u32]) -> u32 {
    let mut sorted = scores.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use rand_core::Rng;

    use super::*;
    use crate::seed::Root;

    #[test]
    fn thresholds_are_compared_without_floating_error() {
        for (threshold, scale, least) in [
            (0.85, 10, 9),
            (0.85, 100, 85),
            (0.9, 10, 9),
            (0.7, 10, 7),
            (0.6, 5, 3),
            (0.0, 10, 0),
            (1.0, 10, 10),
            (0.29, 100, 29),
        ] {
            let bar = Bar { threshold, scale };
            assert!(bar.reached(least), "{threshold} of {scale}");
            assert!(least == 0 || !bar.reached(least - 1), "{threshold} of {scale}");
        }
    }

    #[test]
    fn by_default_only_a_verdict_near_the_threshold_gets_more_votes() {
        let bar = Bar { threshold: 0.8, scale: 10 };
        let wants = |scores: &[u32]| Ballot::NearThreshold.wants_more(bar, scores);
        assert!(wants(&[]) && wants(&[7]) && wants(&[8]) && wants(&[9]) && wants(&[8, 7]));
        assert!(!wants(&[10]) && !wants(&[6]) && !wants(&[8, 8]) && !wants(&[7, 7]) && !wants(&[8, 7, 8]));
    }

    #[test]
    fn stopping_early_does_not_change_the_verdict_and_saves_a_third_of_the_calls() {
        let mut random = Root(1).stream(&["votes"]);
        let (mut asked, mut full) = (0, 0);
        for _ in 0..10_000 {
            let bar = Bar { threshold: f64::from(random.next_u32() % 11) / 10.0, scale: 10 };
            let centre = random.next_u32() % 11;
            let all: Vec<u32> =
                (0..5).map(|_| (centre + random.next_u32() % 3).saturating_sub(1).min(10)).collect();
            let mut seen = Vec::new();
            while Ballot::Fixed(5).wants_more(bar, &seen) {
                seen.push(all[seen.len()]);
            }
            assert_eq!(bar.reached(median(&seen)), bar.reached(median(&all)), "{all:?}");
            asked += seen.len();
            full += all.len();
        }
        assert!(asked * 10 <= full * 7, "{asked} of {full}");
    }
}
