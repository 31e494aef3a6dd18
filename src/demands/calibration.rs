//! The judge's calibration: a new one may allow verdicts that the old one did not.

use super::Demands;
use super::Log;
use crate::source::SourceFile;
use crate::vocabulary::WeakeningKind as Kind;

pub(super) fn compare(before: &Demands, now: &Demands, log: &mut Log) {
    let demanded =
        |demands: &Demands| demands.configured().grader.is_some_and(|one| one.calibration.is_some());
    // If none is required before or now, the comparison of configurations reports it.
    if !demanded(before) || !demanded(now) {
        return;
    }
    let (kind, file, message) = match (&before.calibration, &now.calibration) {
        (Some(was), Some(is)) if !is_same(was, is) => {
            (Kind::CalibrationEdited, is, "the judge's calibration changed")
        }
        (None, Some(is)) => (Kind::CalibrationEdited, is, "this change adds a first calibration"),
        (Some(was), None) => (Kind::CalibrationRemoved, was, "the judge's calibration was removed"),
        (Some(_), Some(_)) | (None, None) => return,
    };
    log.file(kind, file.name(), message);
}

/// Whether two files have the same content, ignoring formatting.
fn is_same(was: &SourceFile, is: &SourceFile) -> bool {
    let json = |file: &SourceFile| serde_json::from_str::<serde_json::Value>(file.text()).ok();
    was.text() == is.text() || json(was).is_some_and(|was| json(is) == Some(was))
}
