//! The judge of the configuration: who it is, how often it is asked, and what is known of it.

use serde_json::Value as Json;

use super::document::{below, is_true, number, place, shown, value};
use super::kind::{Kind, Log};
use super::suite::configured_patience;
use super::{Demands, Document};
use crate::source::Node;

/// The configured judge, on which expectations fall back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Judging<'a> {
    grader: Option<&'a Node>,
}

impl<'a> Judging<'a> {
    pub(super) fn of(config: Option<&'a Document>) -> Self {
        Self { grader: config.and_then(|config| config.node.get("grader")) }
    }

    /// What holds for an expectation, or without one.
    pub(super) fn setting(self, expectation: Option<&Node>, key: &str) -> Json {
        let own = expectation.and_then(|node| node.get(key));
        // A judge that an expectation names is OpenAI's unless it says otherwise.
        let named = expectation.is_some_and(|node| node.get("model").is_some());
        let configured = self.grader.filter(|_| !(named && key == "provider"));
        let found = own.or_else(|| configured.and_then(|grader| grader.get(key)));
        found.map_or_else(
            || match key {
                "provider" => "openai".into(),
                "scale" => 10.into(),
                _ => Json::Null,
            },
            Node::to_json,
        )
    }

    /// Most verdicts that are asked for; without a number they are between one and three.
    pub(super) fn votes(self, expectation: Option<&Node>) -> f64 {
        let own = expectation.and_then(|node| number(node, "votes"));
        own.or_else(|| number(self.grader?, "votes")).unwrap_or(2.0)
    }
}

/// Demands on a calibration.
const CALIBRATION: [&str; 4] = ["min_n", "min_kappa", "min_tpr", "min_tnr"];

pub(super) fn compare(before: &Demands, now: &Demands, log: &mut Log) {
    let (Some(before), Some(document)) = (&before.config, now.config.as_ref().or(before.config.as_ref()))
    else {
        return;
    };
    let (was, is) = (Judging::of(Some(before)), Judging::of(now.config.as_ref()));
    let mut tell = |kind, keys: &[&str], message: String| {
        log.at(kind, &document.file, place(&document.node, keys), &message);
    };
    // Where nobody was named before, nobody was swapped.
    if was.grader.is_some() {
        for key in ["provider", "model", "baseUrl", "scale", "embeddingModel"] {
            let (old, new) = (was.setting(None, key), is.setting(None, key));
            if old != new {
                let message = format!("the judge's `{key}` was {}, it is {}", shown(&old), shown(&new));
                tell(Kind::JudgeSwapped, &["grader", key], message);
            }
        }
    }
    if was.grader.is_some() && is.votes(None) < was.votes(None) {
        let message = "the judge is asked for fewer votes than before".to_owned();
        tell(Kind::VotesLowered, &["grader", "votes"], message);
    }
    let (old, new) = (calibration(was.grader), calibration(is.grader));
    if let (Some(_), None) = (old, new) {
        let message = "the judge's calibration is no longer demanded".to_owned();
        tell(Kind::CalibrationRemoved, &["grader"], message);
    }
    if let (Some(old), Some(new)) = (old, new) {
        if is_true(old, "required") && !is_true(new, "required") {
            let message = "a verdict without a calibration was an error, now it is advisory".to_owned();
            tell(Kind::CalibrationRemoved, &["grader", "calibration", "required"], message);
        }
        for key in CALIBRATION {
            let (was, is) = (number(old, key), number(new, key));
            if let Some(was) = was.filter(|was| is.is_none_or(|is| is < *was)) {
                let is = is.map_or("nothing".to_owned(), |is| is.to_string());
                let message = format!("`{key}` was {was}, it is {is}");
                tell(Kind::CalibrationLowered, &["grader", "calibration", key], message);
            }
        }
    }
    let old = below(&before.node, &["repeat"]).and_then(value).unwrap_or(1.0);
    let new = document.node.get("repeat").and_then(value).filter(|_| now.config.is_some()).unwrap_or(1.0);
    if new < old {
        tell(Kind::RepeatLowered, &["repeat"], format!("cases were asked {old} times, now {new}"));
    }
    if let Some(document) = &now.config {
        configured_patience(before.node.get("grader"), document, &["grader"], log);
        for (name, _) in super::document::entries(document.node.get("providers")) {
            let Some(name) = name.as_str() else { continue };
            let path = ["providers", name];
            configured_patience(below(&before.node, &path), document, &path, log);
        }
    }
}

fn calibration(grader: Option<&Node>) -> Option<&Node> {
    grader?.get("calibration")
}
