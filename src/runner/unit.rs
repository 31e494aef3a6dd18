//! What a worker carries out.

/// One trial of one case.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unit {
    /// Index in the plan's jobs.
    pub(super) job: usize,
    /// 0-based.
    pub(super) trial: u32,
    /// Whether it is asked to confirm a failure.
    pub(super) confirmation: bool,
}
