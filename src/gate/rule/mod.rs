//! The rules: which evidence is a finding, a warning, or nothing.

mod case;
mod rate;
mod run;

pub(super) use case::{case, wanted};
pub(super) use rate::Rates;
pub(super) use run::{
    baseline, errors, limits, nothing_passed, removed, resets, rests_on_untrusted, shifts, unasked, weakened,
};
