//! `akit schema`: the JSON Schema of scenario files.

use super::{Status, terminal};

pub(super) fn schema() -> Status {
    terminal::product(&format!("{:#}", crate::scenario::schema()))
}
