//! `akit schema`: the JSON Schema of scenario files.

use super::Status;

pub(super) fn schema() -> Status {
    Status::of_product(&format!("{:#}", crate::scenario::schema()))
}
