//! Rules: what a result is about, in the words that GitHub shows beside every result of it.
//!
//! A rule is a kind of expectation or demand, never a case, so that its identity lasts.

use serde_json::json;
use serde_sarif::sarif;

use crate::report::entry::slug;

/// What a result is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rule {
    /// A case passed in the baseline and fails now.
    Regression,
    /// An expectation of this kind was not met.
    Expect(String),
    /// A demand on the whole run was not met.
    Threshold(String),
    /// A scenario file is wrong in this way.
    Validate(String),
}

impl Rule {
    /// The rule of an expectation by its kind as written.
    pub(super) fn expect(kind: &str) -> Self {
        Rule::Expect(slug(kind))
    }

    /// Its place among rules of one level: what is about the release as a whole comes first.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Rule::Regression | Rule::Threshold(_) => 0,
            Rule::Expect(_) | Rule::Validate(_) => 1,
        }
    }

    pub(super) fn id(&self) -> String {
        match self {
            Rule::Regression => "akit/regression/case".to_owned(),
            Rule::Expect(kind) => format!("akit/expect/{kind}"),
            Rule::Threshold(id) => format!("akit/threshold/{id}"),
            Rule::Validate(code) => format!("akit/validate/{code}"),
        }
    }

    fn name(&self) -> String {
        let (first, rest) = match self {
            Rule::Regression => ("Regression", "case"),
            Rule::Expect(kind) => ("Expect", kind.as_str()),
            Rule::Threshold(id) => ("Threshold", id.as_str()),
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
            Rule::Regression => "A case that passed in the baseline fails now.".to_owned(),
            Rule::Expect(kind) => format!("An answer does not meet its expectation `{kind}`."),
            Rule::Threshold(id) => format!("The run misses its threshold `{id}`."),
            Rule::Validate(code) => format!("A scenario file is wrong: `{code}`."),
        }
    }

    fn full(&self) -> String {
        match self {
            Rule::Regression => "The application used to answer this case well, as the stored baseline \
                shows; the same question with the same expectation fails now."
                .to_owned(),
            Rule::Expect(kind) => format!(
                "The application's answer to a case was judged by an expectation of the kind `{kind}` and \
                 did not meet it. The message says what was expected and what stood there."
            ),
            Rule::Threshold(id) => format!(
                "The run as a whole was measured against the policy's threshold `{id}` and did not reach it. \
                 The message has the measured value and the limit."
            ),
            Rule::Validate(code) => format!(
                "The scenario file cannot be used as it stands, or does not say what was probably meant \
                 (`{code}`). Nothing was sent to a model."
            ),
        }
    }

    fn help(&self) -> &'static str {
        match self {
            Rule::Regression => {
                "Find the change of prompt, model or data between the baseline and this run. If the new \
                 answer is right, change the expectation and store a new baseline."
            }
            Rule::Expect(_) => {
                "Compare the answer with the expectation. If the answer is wrong, mend the prompt, the model \
                 or the data behind it; if it is right, change the expectation in the marked case."
            }
            Rule::Threshold(_) => {
                "Look at the cases that failed first. Lower the threshold only if the suite asks for more \
                 than the release needs."
            }
            Rule::Validate(_) => {
                "Mend the marked line as the message says, and run `akit validate` again. It asks no model."
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
    fn descriptions_are_as_short_as_github_wants_them() {
        let long = "x".repeat(60);
        for rule in [
            Rule::Regression,
            Rule::Expect(long.clone()),
            Rule::Threshold(long.clone()),
            Rule::Validate(long),
        ] {
            assert!(rule.full().len() <= 1024 && !rule.full().contains("  "), "{rule:?}");
        }
    }
}
