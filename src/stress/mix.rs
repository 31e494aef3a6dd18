//! Which case each visit asks: all in turn, in an order drawn from the seed, with a fixed share of escalations.

use crate::engine::Order;
use crate::seed::Root;
use crate::stats::{real, whole};

/// The cases of a load.
#[derive(Clone, Debug)]
pub struct Mix {
    usual: Ring,
    escalations: Ring,
    /// Share of visits that are escalations, 0 to 1.
    share: f64,
}

/// Jobs that take turns.
#[derive(Clone, Debug)]
struct Ring {
    jobs: Vec<usize>,
    order: Vec<usize>,
}

impl Ring {
    fn of(jobs: Vec<usize>, root: Root) -> Self {
        Self { order: Order::Drawn(root).of(jobs.len()), jobs }
    }

    /// The job of the visit with this number.
    fn at(&self, number: u64) -> Option<usize> {
        let place = usize::try_from(number % self.order.len().max(1) as u64).ok()?;
        self.jobs.get(*self.order.get(place)?).copied()
    }
}

impl Mix {
    /// A mix of usual jobs and escalations.
    #[must_use]
    pub fn of(usual: Vec<usize>, escalations: Vec<usize>, share: f64, root: Root) -> Self {
        let share = match (usual.is_empty(), escalations.is_empty()) {
            (_, true) => 0.0,
            (true, false) => 1.0,
            (false, false) => share,
        };
        Self { usual: Ring::of(usual, root), escalations: Ring::of(escalations, root), share }
    }

    /// The share of visits that are escalations, 0 to 1.
    #[must_use]
    pub fn share(&self) -> f64 {
        self.share
    }

    /// How many of the first `visits` visits are escalations.
    fn escalated(&self, visits: u64) -> u64 {
        whole((real(visits) * self.share + 1e-9).floor()).unwrap_or_default()
    }

    /// The job of a visit, and whether it is an escalation. It depends only on the visit's number and the seed.
    #[must_use]
    pub fn job(&self, number: u64) -> Option<(usize, bool)> {
        let (before, after) = (self.escalated(number), self.escalated(number + 1));
        if after > before {
            Some((self.escalations.at(before)?, true))
        } else {
            Some((self.usual.at(number - before)?, false))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escalations_get_their_share_and_every_case_has_its_turn() {
        for share in [0.0, 0.01, 0.2, 0.5, 0.999, 1.0] {
            let mix = Mix::of(vec![0, 1, 2, 3], vec![4, 5], share, Root(3));
            let all: Vec<_> = (0..10_000).filter_map(|number| mix.job(number)).collect();
            assert_eq!(all.len(), 10_000);
            let escalated = all.iter().filter(|(_, is)| *is).count();
            assert!((real(escalated) / 10_000.0 - share).abs() < 0.001, "{share}: {escalated}");
            assert!(all.iter().all(|(job, is)| (*job >= 4) == *is));
            for jobs in [0..4, 4..6] {
                let counts: Vec<_> =
                    jobs.map(|job| all.iter().filter(|(found, _)| *found == job).count()).collect();
                let (least, most) = (counts.iter().min(), counts.iter().max());
                assert!(
                    most.zip(least).is_some_and(|(most, least)| most - least <= 1),
                    "{share}: {counts:?}"
                );
            }
        }
        let alone = Mix::of(vec![], vec![7], 0.2, Root(0));
        assert_eq!(alone.job(3), Some((7, true)));
        assert_eq!(Mix::of(vec![7], vec![], 0.2, Root(0)).job(4), Some((7, false)));
    }
}
