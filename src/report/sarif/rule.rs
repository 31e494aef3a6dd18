//! Rules: what a result is about, in the words that GitHub shows next to every result.
//!
//! A rule is a kind of expectation or requirement, never a case, so that its identity lasts.

use serde_json::json;
use serde_sarif::sarif;

use crate::report::entry::slug;

/// What a result is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rule {
    /// Something is worse than in the baseline: a `case`, the `suite`, `cost` or `latency`.
    Regression(&'static str),
    /// An expectation of this kind was not met.
    Expect(String),
    /// A threshold of the run was missed, by metric.
    Threshold(String),
    /// The suite or its policy is weaker than before, in this way.
    Weakened(String),
    /// Another finding or warning of the gate, by its id.
    Gate(String),
    /// A problem in a scenario file, by its code.
    Validate(String),
}

impl Rule {
    /// The rule of an expectation, by its kind.
    pub(super) fn expect(kind: &str) -> Self {
        Rule::Expect(slug(kind))
    }

    /// Its rank among rules of one level: what is about the release as a whole comes first.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Rule::Regression(_) | Rule::Threshold(_) | Rule::Weakened(_) => 0,
            Rule::Expect(_) | Rule::Validate(_) | Rule::Gate(_) => 1,
        }
    }

    pub(super) fn id(&self) -> String {
        match self {
            Rule::Regression(of) => format!("akit/regression/{of}"),
            Rule::Expect(kind) => format!("akit/expect/{kind}"),
            Rule::Threshold(id) => format!("akit/threshold/{id}"),
            Rule::Weakened(kind) => format!("akit/weakened/{kind}"),
            Rule::Gate(id) => format!("akit/gate/{id}"),
            Rule::Validate(code) => format!("akit/validate/{code}"),
        }
    }

    fn name(&self) -> String {
        let (first, rest) = match self {
            Rule::Regression(of) => ("Regression", *of),
            Rule::Expect(kind) => ("Expect", kind.as_str()),
            Rule::Threshold(id) => ("Threshold", id.as_str()),
            Rule::Weakened(kind) => ("Weakened", kind.as_str()),
            Rule::Gate(id) => ("Gate", id.as_str()),
            Rule::Validate(code) => ("Validate", code.as_str()),
        };
        rest.split('-').fold(first.to_owned(), |mut name, word| {
            let mut chars = word.chars();
            name.extend(chars.next().map(|c| c.to_ascii_uppercase()));
            name.push_str(chars.as_str());
            name
        })
    }

    fn short(&self) -> String {
        match self {
            Rule::Regression("case") => "A case that passed in the baseline fails now.".to_owned(),
            Rule::Regression(of) => format!("The run is worse than its baseline: {of}."),
            Rule::Expect(kind) => format!("An answer does not meet its expectation `{kind}`."),
            Rule::Threshold(id) => format!("The run misses its threshold `{id}`."),
            Rule::Weakened(kind) => format!("The suite or its policy is weaker than before: `{kind}`."),
            Rule::Gate(id) => format!("A finding of the gate: `{id}`."),
            Rule::Validate(code) => format!("A scenario file is wrong: `{code}`."),
        }
    }

    fn full(&self) -> String {
        match self {
            Rule::Regression("case") => "The stored baseline shows that this case used to pass; the same \
                 question with the same expectation fails now."
                .to_owned(),
            Rule::Regression(of) => format!(
                "Over all compared cases, the run is worse than its baseline in this respect: {of}. The \
                 message has the measured value, the value expected from the baseline, and the probability that this is chance."
            ),
            Rule::Expect(kind) => format!(
                "The application's answer to a case was judged by an expectation of the kind `{kind}` and \
                 did not meet it. The message says what was expected and what was found."
            ),
            Rule::Threshold(id) => format!(
                "The run as a whole was measured against the policy's threshold `{id}` and did not reach it. \
                 The message has the measured value and the limit."
            ),
            Rule::Weakened(kind) => format!(
                "This change requires less of the application than the commit it is based on (`{kind}`). The \
                     message names the earlier requirement."
            ),
            Rule::Gate(id) => format!(
                "The gate found something that has no separate rule (`{id}`); docs/findings.md describes each reason and warning by its ID."
            ),
            Rule::Validate(code) => format!(
                "The scenario file is invalid, or probably does not mean what it says (`{code}`). Nothing was sent to a model."
            ),
        }
    }

    fn help(&self) -> &'static str {
        match self {
            Rule::Regression("case") => {
                "Find the change in prompt, model or data between the baseline and this run. If the new \
                     answer is right, change the expectation and store a new baseline."
            }
            Rule::Regression(_) => {
                "Look at what changed between the baseline and this run: prompt, model, data, prices. If the \
                 change is intended, store a new baseline."
            }
            Rule::Weakened(_) => {
                "Restore what the change removed, or get the suite owners' approval and give the reason in the pull request."
            }
            Rule::Gate(_) => "Read the message; docs/findings.md says what to do for each ID.",
            Rule::Expect(_) => {
                "Compare the answer with the expectation. If the answer is wrong, fix the prompt, the model \
                 or the data behind it; if it is right, change the expectation in the marked case."
            }
            Rule::Threshold(_) => {
                "Look at the cases that failed first. Lower the threshold only if it is stricter than the release needs."
            }
            Rule::Validate(_) => {
                "Fix the marked line as the message says, and run `akit validate` again. It calls no model."
            }
        }
    }

    pub(super) fn descriptor(&self) -> sarif::ReportingDescriptor {
        let words = |text: String| sarif::MultiformatMessageString::builder().text(text).build();
        let help = sarif::MultiformatMessageString::builder()
            .text(self.help())
            .markdown(format!("**{}**\n\n{}", self.short(), self.help()))
            .build();
        let properties = sarif::PropertyBag::builder()
            .tags(vec!["llm".to_owned(), "test".to_owned()])
            .additional_properties([("precision".to_owned(), json!("high"))])
            .build();
        sarif::ReportingDescriptor::builder()
            .id(self.id())
            .name(self.name())
            .short_description(words(self.short()))
            .full_description(words(self.full()))
            .help(help)
            .properties(properties)
            .build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_become_kebab_case() {
        assert_eq!(Rule::expect("llm_grader").id(), "akit/expect/llm-grader");
        assert_eq!(Rule::expect("../<x>").id(), "akit/expect/x");
        assert_eq!(Rule::expect("").id(), "akit/expect/unknown");
        assert_eq!(Rule::expect("llm_grader").name(), "ExpectLlmGrader");
    }

    #[test]
    fn descriptions_are_within_githubs_limit() {
        let long = "x".repeat(60);
        for rule in [
            Rule::Regression("case"),
            Rule::Regression("suite"),
            Rule::Expect(long.clone()),
            Rule::Threshold(long.clone()),
            Rule::Weakened(long.clone()),
            Rule::Gate(long.clone()),
            Rule::Validate(long),
        ] {
            assert!(rule.full().len() <= 1024 && !rule.full().contains("  "), "{rule:?}");
        }
    }
}
