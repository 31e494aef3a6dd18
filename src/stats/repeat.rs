//! One case, several trials: any of them, or all of them.

use super::{Tally, real};

impl Tally {
    /// pass@k: the probability that at least one of k fresh trials passes, estimated without bias.
    ///
    /// 1 − C(n − c, k) / C(n, k) with c passes in n trials. Chen et al., "Evaluating large language
    /// models trained on code", arXiv:2107.03374 (2021), equation 1. Absent where k is 0 or above the
    /// number of trials; over a suite it is the mean over the cases.
    #[must_use]
    pub fn pass_at_k(self, k: u64) -> Option<f64> {
        let failed = Self { hits: self.of.saturating_sub(self.hits), of: self.of };
        failed.pass_hat_k(k).map(|none| 1.0 - none)
    }

    /// pass^k: the probability that all of k fresh trials pass, estimated without bias.
    ///
    /// C(c, k) / C(n, k) with c passes in n trials. Yao et al., "τ-bench: a benchmark for
    /// tool-agent-user interaction in real-world domains", arXiv:2406.12045 (2024). Absent
    /// where k is 0 or above the number of trials; over a suite it is the mean over the cases.
    #[must_use]
    pub fn pass_hat_k(self, k: u64) -> Option<f64> {
        if k == 0 || k > self.of {
            return None;
        }
        let hits = self.hits.min(self.of);
        // Beyond the last pass a factor is 0, and so is the rest.
        Some((0..k.min(hits + 1)).map(|i| real(hits - i.min(hits)) / real(self.of - i)).product())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Passes in four trials of the first 25 airline tasks of τ-bench, among the published historical
    /// trajectories of gpt-4o (Yao et al.).
    const AIRLINE: [u64; 25] = [0, 1, 1, 0, 0, 1, 1, 1, 0, 0, 0, 1, 4, 2, 0, 2, 1, 1, 4, 0, 4, 3, 0, 0, 4];

    fn mean(one: impl Fn(Tally) -> Option<f64>) -> f64 {
        AIRLINE.iter().map(|hits| one(Tally { hits: *hits, of: 4 }).unwrap()).sum::<f64>() / 25.0
    }

    /// By exact rational arithmetic.
    #[test]
    fn airline_tasks_give_their_known_rates() {
        for (k, all, any) in [
            (1, 0.31, 0.31),
            (2, 0.193_333_333_333_333_33, 0.426_666_666_666_666_7),
            (3, 0.17, 0.52),
            (4, 0.16, 0.6),
        ] {
            assert!((mean(|tally| tally.pass_hat_k(k)) - all).abs() < 1e-12, "pass^{k}");
            assert!((mean(|tally| tally.pass_at_k(k)) - any).abs() < 1e-12, "pass@{k}");
        }
    }

    #[test]
    fn rates_at_the_edges() {
        let some = Tally { hits: 3, of: 10 };
        assert_eq!(
            [some.pass_at_k(0), some.pass_hat_k(0), some.pass_at_k(11), some.pass_hat_k(11)],
            [None; 4]
        );
        assert_eq!((some.pass_at_k(8), some.pass_hat_k(4)), (Some(1.0), Some(0.0)));
        assert!((some.pass_at_k(1).unwrap() - 0.3).abs() < 1e-12);
        let all = Tally { hits: 5, of: 5 };
        assert_eq!((all.pass_at_k(5), all.pass_hat_k(5)), (Some(1.0), Some(1.0)));
        assert_eq!(Tally::default().pass_hat_k(1), None);
    }
}
