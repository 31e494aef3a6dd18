//! The rules that apply to each case: those of its scenario and of the configuration, without its exceptions.

use std::sync::Arc;

use serde_json::json;

use super::{Case, Loaded};
use crate::canonical;
use crate::expectation::{self, Candidate, Expectation, LlmGrader, Rule, Seen, check_exceptions, standing};
use crate::grader::Bench;
use crate::manifest::Verdict;

impl Loaded {
    /// Reports exceptions that name no rule, or more than one, given the rules of the configuration.
    pub fn check(&mut self, rules: &[Arc<Rule>]) {
        for scenario in &self.scenarios {
            for case in scenario.cases.iter().filter(|case| !case.except.is_empty()) {
                let all: Vec<_> = case.always.iter().chain(rules).collect();
                check_exceptions(&case.except, &all, &scenario.file, &mut self.diagnostics);
            }
        }
        self.diagnostics.sort();
    }

    /// Applies the rules of the configuration too. A case whose rules differ is a different case.
    pub fn hold(&mut self, rules: &[Arc<Rule>]) {
        for case in self.scenarios.iter_mut().flat_map(|scenario| &mut scenario.cases) {
            case.always = case.standing(rules).cloned().collect();
            if case.always.is_empty() {
                continue;
            }
            let own = serde_json::from_str(&case.expected).unwrap_or(json!(null));
            let written = || case.always.iter().map(|rule| rule.written.clone());
            let mut marks: Vec<_> = written().map(|one| canonical::digest(&one)).collect();
            // The order of the rules makes no difference.
            marks.sort();
            marks.dedup();
            case.content_hash = canonical::digest(&json!({ "content": case.content_hash, "always": marks }));
            case.expected =
                json!(std::iter::once(own).chain(written()).collect::<Vec<_>>()).to_string().into();
        }
    }
}

impl Case {
    /// The rules that apply to it, given those of the configuration.
    pub fn standing<'a>(&'a self, rules: &'a [Arc<Rule>]) -> impl Iterator<Item = &'a Arc<Rule>> {
        standing(self.always.iter().chain(rules), &self.except)
    }

    /// Judges an answer by what the case expects.
    pub async fn judge(&self, answer: &Candidate<'_>, bench: &Bench<'_>) -> Verdict {
        expectation::judge(&self.expectation, &self.always, answer, bench).await
    }

    /// What can be said about a raw answer without a judge.
    #[must_use]
    pub fn see(&self, answer: &Candidate<'_>) -> Seen {
        expectation::see(&self.expectation, &self.always, answer)
    }

    /// The judges that it needs, in order.
    #[must_use]
    pub fn graders(&self) -> Vec<&LlmGrader> {
        self.expectations().flat_map(Expectation::graders).collect()
    }

    /// Everything that it expects: of the whole conversation, of its turns, and of every answer.
    pub fn expectations(&self) -> impl Iterator<Item = &Expectation> {
        let turns = self.dialogue.iter().flat_map(|dialogue| dialogue.expectations());
        let rules = self.always.iter().map(|rule| &rule.expectation);
        std::iter::once(&self.expectation).chain(turns).chain(rules)
    }
}
