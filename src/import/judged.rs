//! Assertions for a judge, and those without a counterpart, with a replacement.

use super::assertion::{Assertion, Refusal, combined};
use super::template::Template;
use super::yaml::YamlItem;

/// What to write where no other replacement is known.
const OTHERWISE: &str = "use `inline`, `regex`, `json_schema` or `llm_grader`";

/// Kinds without a counterpart: the prefix of their name, the reason, and the replacement.
const WITHOUT: [(&str, &str, &str); 19] = [
    (
        "cost",
        "it judges the run, not the answer",
        "use a gate threshold: `gate: { thresholds: [{ metric: cost_usd, max: … }] }`",
    ),
    (
        "latency",
        "it judges the call, not what the answer says",
        "use `latency` with `max_ms`, or a threshold of the gate: `gate: { thresholds: [{ metric: latency_p95_ms, max: … }] }`",
    ),
    ("python", "akit does not run code", OTHERWISE),
    ("ruby", "akit does not run code", OTHERWISE),
    (
        "webhook",
        "akit does not ask other servers for verdicts",
        "use `llm_grader`, or judge the answers on that server",
    ),
    (
        "answer-relevance",
        "akit has no rubric of this name",
        "use `llm_grader` with `rubric: \"builtin:resolution\"`",
    ),
    (
        "context-",
        "akit does not get the context",
        "use `llm_grader` with `rubric: \"builtin:groundedness\"`, and put the context into the prompt",
    ),
    ("g-eval", "akit judges with one rubric", "use `llm_grader` with the criteria as its rubric"),
    ("select-best", "it compares answers with each other", "compare runs: `akit run --baseline`"),
    ("max-score", "it compares answers with each other", "compare runs: `akit run --baseline`"),
    (
        "moderation",
        "akit does not call moderation services",
        "use `llm_grader` with a rubric that forbids such content",
    ),
    ("is-refusal", "akit detects refusals differently from promptfoo", "use `is_refusal`"),
    ("trace-", "akit sees answers, not traces", "use an expectation of the answer"),
    ("trajectory", "akit sees answers, not traces", "use an expectation of the answer"),
    ("is-valid", "akit sees the text of an answer", "use `json_schema` if the call is the answer"),
    ("tool-call", "akit sees the text of an answer", "use `json_schema` if the call is the answer"),
    ("finish-reason", "a truncated or refused answer fails negative expectations anyway", "remove it"),
    ("is-xml", "akit does not parse XML", "use `regex`"),
    ("contains-xml", "akit does not parse XML", "use `regex`"),
];

/// The expectation for a kind that a model judges.
pub(super) fn item(assertion: &Assertion<'_>, near: &mut Vec<String>) -> Result<YamlItem, Refusal> {
    match assertion.kind {
        "llm-rubric" => {
            let rubric = assertion.template()?.text();
            if assertion.threshold().is_none() {
                near.push("the judge's score must reach 0.7; promptfoo's judge answers yes or no".to_owned());
            }
            Ok(grader(assertion, rubric, assertion.threshold(), near))
        }
        "model-graded-closedqa" => {
            let rubric = format!("The answer meets this criterion: {}", assertion.template()?.text());
            Ok(grader(assertion, rubric, None, near))
        }
        "factuality" | "model-graded-factuality" => {
            let rubric = format!(
                "The answer does not contradict these facts. It may say less or more than they do, or differ where \
                 that does not matter to them; one contradiction fails it. Facts: {}",
                assertion.template()?.text()
            );
            Ok(grader(assertion, rubric, None, near))
        }
        "similar" | "similar:cosine" => {
            near.push(
                "without `embeddingModel`, the judge rates the similarity; promptfoo compares embeddings"
                    .to_owned(),
            );
            if assertion.part.get("provider").is_some() {
                near.push("its embedding provider was not imported".to_owned());
            }
            similar(assertion)
        }
        kind => {
            let known = WITHOUT.iter().find(|(name, ..)| kind.starts_with(name));
            let (why, instead) =
                known.map_or(("akit has no equivalent", OTHERWISE), |(_, why, instead)| (*why, *instead));
            Err(Refusal::new(why, instead))
        }
    }
}

/// The expectation with every judge's threshold raised to at least this; `None` if a low score is a pass, or if no
/// score is high enough.
pub(super) fn raised(item: YamlItem, least: f64) -> Option<YamlItem> {
    let YamlItem::Map(mut entries) = item else { return Some(item) };
    let kind = match entries.first() {
        Some((key, YamlItem::Text(kind))) if key == "type" => kind.clone(),
        Some((key, inner)) if key == "not" => {
            let plain = raised(inner.clone(), 1.0).as_ref() == Some(inner);
            return plain.then_some(YamlItem::Map(entries));
        }
        _ => return Some(YamlItem::Map(entries)),
    };
    let usual = match kind.as_str() {
        "llm_grader" => 0.7,
        "similarity" => 0.75,
        "combined" => {
            for (_, item) in &mut entries {
                if let YamlItem::List(parts) = item {
                    *parts = parts.drain(..).map(|part| raised(part, least)).collect::<Option<_>>()?;
                }
            }
            return Some(YamlItem::Map(entries));
        }
        _ => return Some(YamlItem::Map(entries)),
    };
    let own = entries.iter().position(|(key, _)| key == "threshold");
    let own_value = own.and_then(|at| match &entries[at].1 {
        YamlItem::Bare(number) => number.parse().ok(),
        _ => None,
    });
    let number = least.max(own_value.unwrap_or(usual));
    let entry = ("threshold".to_owned(), YamlItem::number(number));
    match own {
        Some(at) => entries[at] = entry,
        None => entries.push(entry),
    }
    (number <= 1.0).then_some(YamlItem::Map(entries))
}

fn grader(
    assertion: &Assertion<'_>,
    rubric: String,
    threshold: Option<f64>,
    near: &mut Vec<String>,
) -> YamlItem {
    // Text with this prefix would name a built-in rubric.
    let rubric =
        if rubric.trim_start().starts_with("builtin:") { format!("Rubric: {rubric}") } else { rubric };
    let mut entries = vec![
        ("type".to_owned(), YamlItem::text("llm_grader")),
        ("rubric".to_owned(), YamlItem::Text(rubric)),
    ];
    if let Some(threshold) = threshold {
        entries.push(("threshold".to_owned(), YamlItem::number(threshold)));
    }
    if let Some(provider) = assertion.part.get("provider") {
        let id = provider.node.as_str().or_else(|| provider.node.get("id")?.as_str());
        if provider.node.as_str().is_none() {
            near.push("only the name of its judge was imported".to_owned());
        }
        let provider = id.unwrap_or("without a name");
        match super::provider::Named::parse(provider) {
            Some(judge) => {
                entries.push(("provider".to_owned(), YamlItem::text(judge.provider)));
                entries.push(("model".to_owned(), YamlItem::Text(crate::environment::literal(&judge.model))));
            }
            None => {
                near.push(format!("its judge `{}` is unknown to akit", crate::text::excerpt(provider, 40)));
            }
        }
    }
    YamlItem::Map(entries)
}

fn similar(assertion: &Assertion<'_>) -> Result<YamlItem, Refusal> {
    let value = assertion.value()?;
    let one = |template: Template| {
        let mut entries = vec![
            ("type".to_owned(), YamlItem::text("similarity")),
            ("value".to_owned(), YamlItem::Text(template.text())),
        ];
        if let Some(threshold) = assertion.threshold() {
            entries.push(("threshold".to_owned(), YamlItem::number(threshold)));
        }
        YamlItem::Map(entries)
    };
    match value.items() {
        Some(items) if items.is_empty() => Err(Refusal::new("its list is empty", "add at least one string")),
        Some(items) => {
            let parts: Result<Vec<_>, _> =
                items.iter().map(|item| assertion.template_of(item).map(one)).collect();
            Ok(combined("or", parts?))
        }
        None => assertion.template().map(one),
    }
}
