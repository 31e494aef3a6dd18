//! The run that every format is tested with: each result, several trials, and hostile text of every kind.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use crate::baseline::{Baseline, BaselineCase};
use crate::gate::{Decision, Evidence, Policy, Reference, decide};
use crate::manifest::{CaseResult, Ended, Fault, Grade, RunManifest, SCHEMA, ScenarioRun, Trial, Verdict};
use crate::source::{Diagnostic, Diagnostics, SourceFile};
use crate::stats::Tally;
use crate::vocabulary::{Answer, FaultKind, Outcome, Usage, VerdictKind};

use super::{Links, Past, Report};

/// What a model could say to break a report.
pub(super) const HOSTILE: &str = "::error::owned\n/close\n##vso[task.complete]x ##[error]x\n@octocat fixes #1, GH-2 and !3 \
    ![i](http://evil.example/a.png) [l](javascript:alert(1)) <img src=x onerror=alert(1)> \
    <!-- akit:v1 key=x --> </pre></details></code> www.evil.example a@evil.example\n```````\n~~~~\n\
    | a | b |\n|---|---|\n\u{1b}[31mred\u{7}\u{202e}bidi\u{2066}\u{fffe}\u{ffff}\u{85}\u{9b}31m\u{0}\r\ttab\r\n\
    ]]>&amp;&#64; \"'{0}{{ $x$ \u{feff}end";

/// Everything that a [`Report`] borrows.
pub(super) struct Fixture {
    pub(super) run: RunManifest,
    pub(super) decision: Decision,
    pub(super) sources: BTreeMap<String, Arc<SourceFile>>,
    pub(super) past: Past,
    pub(super) links: Links,
}

impl Fixture {
    /// Everything, including an answer of a megabyte.
    pub(super) fn new() -> Self {
        Self::sized(1_000_000)
    }

    /// The same with a short answer, for snapshots.
    pub(super) fn short() -> Self {
        Self::sized(100)
    }

    /// A run of these cases of `support`, judged without a baseline.
    pub(super) fn of(cases: Vec<CaseResult>, policy: &Policy) -> Self {
        Self::decided(cases, None, policy)
    }

    pub(super) fn report(&self) -> Report<'_> {
        let Self { run, decision, sources, past, links } = self;
        Report { run, decision, sources, past, links }
    }

    fn sized(bytes: usize) -> Self {
        let stored = [
            ("broken", 20, 20),
            ("changed", 5, 5),
            ("flaky", 4, 5),
            ("fixed", 0, 5),
            ("known", 1, 5),
            ("pass", 5, 5),
        ];
        let mut baseline = Baseline::empty();
        baseline.cases =
            stored.iter().map(|(id, passes, trials)| stored_case(id, *passes, *trials)).collect();
        baseline.cases.push(stored_case("gone", 1, 1));
        baseline.cases.sort_by(|a, b| a.id.cmp(&b.id));
        Self::decided(
            cases(bytes),
            Some(&baseline),
            &Policy { min_pass_rate: Some(0.9), ..Policy::default() },
        )
    }

    fn decided(mut cases: Vec<CaseResult>, baseline: Option<&Baseline>, policy: &Policy) -> Self {
        let mut sources = BTreeMap::new();
        for name in ["support", "größe & co."] {
            let file = format!("evals/{name}.yaml");
            let mut text = format!("name: {name}\ncases:\n");
            for case in cases.iter_mut().filter(|case| case.scenario == name) {
                let line = u32::try_from(text.lines().count() + 1).unwrap();
                case.location = crate::source::Location { file: file.clone(), line, column: 5 };
                writeln!(text, "  - id: {}\n    prompt: …", case.id).unwrap();
            }
            sources.insert(file.clone(), Arc::new(SourceFile::from_text(&file, &text)));
        }
        let scenario = |name: &str| ScenarioRun {
            version: None,
            unidentified: false,
            name: name.to_owned(),
            file: format!("evals/{name}.yaml"),
            seed: None,
            target: "openai gpt-4o at api.openai.com".to_owned(),
            target_hash: "a1b2c3d4e5f60718".to_owned(),
            grader_hash: Some("18070f6e5d4c3b2a".to_owned()),
            grader: Some("openai gpt-4o-mini at api.openai.com".to_owned()),
        };
        let run = RunManifest {
            schema: SCHEMA.to_owned(),
            akit: "0.1.0".to_owned(),
            run_id: "0123456789abcdef".to_owned(),
            at: Some("2025-11-02T10:20:30Z".to_owned()),
            commit: None,
            suite: Vec::new(),
            seed: 7,
            ended: Ended::Complete,
            duration_ms: 1_240,
            scenarios: vec![scenario("support"), scenario("größe & co.")],
            cases,
            redacted: None,
            notes: vec!["api.openai.com refused `seed`; asked without it".to_owned()],
        };
        let found = |baseline| Reference::Found { baseline, from: "akit.baseline.json" };
        let reference = baseline.map_or(Reference::None, found);
        let decision = decide(&Evidence { run: &run, reference, weakened: &[] }, policy);
        Self { run, decision, sources, past: Past::default(), links: Links::default() }
    }
}

fn cases(bytes: usize) -> Vec<CaseResult> {
    let fails = |verdict: Verdict, answer: &str| vec![trial(0, Outcome::Failed, Some(verdict), answer)];
    let mut graded = verdict(VerdictKind::LlmGrader, "the answer blames the customer");
    (graded.score, graded.threshold) = (Some(0.4), Some(0.7));
    graded.grade = Some(Box::new(Grade {
        grader: "openai gpt-4o-mini at api.openai.com".to_owned(),
        model: None,
        votes: vec![0.2, 0.8, 0.4],
        reasoning: "It says \"your own fault\", which the rubric forbids.".to_owned(),
        usage: Some(Usage { input_tokens: 500, output_tokens: 67, ..Usage::default() }),
        cost_usd: None,
        latency_ms: Some(900),
        recorded: false,
    }));
    let mut combined = verdict(VerdictKind::Combined, "2 of 3 parts failed");
    let mut met = verdict(VerdictKind::Contains, "");
    met.outcome = Outcome::Passed;
    combined.parts = vec![
        met,
        verdict(VerdictKind::Regex, "no match of `^\\d+$`"),
        verdict(VerdictKind::JsonSchema, "not JSON"),
    ];
    let mut odd = verdict(VerdictKind::Contains, HOSTILE);
    (odd.expected, odd.got) = (HOSTILE.to_owned(), HOSTILE.to_owned());
    let mut hostile = case("größe & co.", "hostile", Outcome::Failed, fails(odd, HOSTILE));
    (hostile.name, hostile.prompt) = (Some(HOSTILE.to_owned()), HOSTILE.to_owned());
    hostile.reason = HOSTILE.to_owned();
    let fault = |kind: FaultKind, message: &str| Trial {
        fault: Some(Box::new(Fault::new(kind, message.to_owned(), "raise `timeout:` or try again"))),
        ..Trial::single(Outcome::Errored, None, None)
    };
    let (ok, bad) = (Outcome::Passed, Outcome::Failed);
    let lacks = || verdict(VerdictKind::Contains, "the answer lacks `30 days`");
    let several = |outcomes: [Outcome; 3]| -> Vec<Trial> {
        let judged = |(index, outcome): (u32, Outcome)| {
            let verdict = (outcome == bad).then(lacks);
            trial(index, outcome, verdict, "It depends.")
        };
        (0..).zip(outcomes).map(judged).collect()
    };
    let again = |mut trials: Vec<Trial>, fresh: &[Outcome]| -> Vec<Trial> {
        let confirmation = |(index, outcome): (u32, &Outcome)| {
            let verdict = (*outcome == bad).then(lacks);
            Trial { confirmation: true, ..trial(index, *outcome, verdict, "Soon.") }
        };
        trials.extend((1..).zip(fresh).map(confirmation));
        trials
    };
    let mut kept = trial(0, ok, None, "Within 30 days.");
    kept.answer_mut().unwrap().recorded = true;
    let huge = fails(lacks(), &"0123456789".repeat(bytes / 10));
    vec![
        case("support", "pass", ok, vec![kept]),
        case("support", "broken", bad, again(fails(lacks(), "Soon."), &[bad; 4])),
        case("support", "judged", bad, fails(graded, "That is your own fault.")),
        case("support", "changed", bad, fails(combined, "forty-two")),
        case("support", "down", Outcome::Errored, vec![fault(FaultKind::Timeout, "no answer after 30 s")]),
        case("support", "later", Outcome::Skipped, Vec::new()),
        case("support", "flaky", bad, again(fails(lacks(), "It depends."), &[ok])),
        case("support", "known", bad, fails(lacks(), "Never.")),
        case("support", "fixed", ok, vec![trial(0, ok, None, "30 days.")]),
        case("größe & co.", "überweisung", bad, several([bad, ok, bad])),
        hostile,
        case("größe & co.", "huge", bad, huge),
        case("größe & co.", "unread", Outcome::Errored, vec![fault(FaultKind::JudgeUnreadable, HOSTILE)]),
    ]
}

/// A case; its location is set by the fixture.
pub(super) fn case(scenario: &str, id: &str, outcome: Outcome, trials: Vec<Trial>) -> CaseResult {
    CaseResult {
        scenario: scenario.to_owned(),
        id: id.to_owned(),
        name: (id == "broken").then(|| "How long a refund takes".to_owned()),
        tags: Vec::new(),
        location: crate::source::Location::default(),
        content_hash: format!("hash-{id}"),
        outcome,
        score: trials.first().and_then(|trial| trial.score),
        reason: String::new(),
        prompt: "How long do I have to send it back?".to_owned(),
        trials,
        earlier: None,
    }
}

/// A trial with an answer.
pub(super) fn trial(index: u32, outcome: Outcome, verdict: Option<Verdict>, answer: &str) -> Trial {
    let score = verdict.as_ref().and_then(|verdict| verdict.score);
    let answer = Answer {
        text: answer.to_owned(),
        latency_ms: Some(310),
        usage: Some(Usage { input_tokens: 40, output_tokens: 9, ..Usage::default() }),
        ..Answer::default()
    };
    Trial { index, score, ..Trial::single(outcome, Some(answer), verdict) }
}

/// A verdict that failed.
pub(super) fn verdict(kind: VerdictKind, reason: &str) -> Verdict {
    Verdict {
        kind,
        outcome: Outcome::Failed,
        score: Some(0.0),
        threshold: None,
        reason: reason.to_owned(),
        expected: "30 days".to_owned(),
        got: String::new(),
        line: 4,
        rule: None,
        grade: None,
        fault: None,
        advisory: None,
        turn: None,
        any: false,
        parts: Vec::new(),
    }
}

fn stored_case(id: &str, passes: u64, trials: u64) -> BaselineCase {
    let content_hash = if id == "changed" { "other".to_owned() } else { format!("hash-{id}") };
    BaselineCase::new("support", id, &content_hash, Tally { hits: passes, of: trials })
}

/// Diagnostics of `akit validate`, and the files they are about.
pub(super) fn diagnostics() -> (Diagnostics, Vec<Arc<SourceFile>>) {
    let bad = Arc::new(SourceFile::from_text("evals/bad & odd.yaml", "cases:\n  - id: ä\n    mod: any\n"));
    let good = Arc::new(SourceFile::from_text("evals/good.yaml", "name: good\n"));
    let mut found = Diagnostics::default();
    let unknown = format!("unknown key `mod` {HOSTILE}");
    found.push(
        Diagnostic::error("unknown-key", &bad, bad.clamp(3, 5, 3), unknown).help("did you mean `mode`?"),
    );
    found.push(Diagnostic::error("no-expectation", &bad, bad.clamp(2, 5, 2), "nothing is expected".into()));
    found.push(Diagnostic::error("no-cases", &good, good.clamp(1, 1, 4), "there is no case".into()).warn());
    (found, vec![bad, good])
}
