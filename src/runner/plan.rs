//! What will be asked and where, decided before anything is sent.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::client::{ModelClient, Patience};
use crate::expectation::Expectation;
use crate::grader::Graders;
use crate::manifest::{Fault, Redacted};
use crate::provider::model::family;
use crate::provider::{Replies, Unused, Whom};
use crate::scenario::Scenario;
use crate::text;
use crate::vocabulary::{CaseId, FaultKind, StopWords};

/// Stored runs contain the name of the target, so this word must not change.
const REPLIES: &str = "replies";

/// The application to ask.
#[derive(Clone, Debug)]
pub enum Target {
    /// Recorded answers.
    Replies(Arc<Replies>),
    /// A model.
    Model {
        /// How to reach it.
        client: Arc<ModelClient>,
        /// Its name.
        model: String,
        /// Whether a derived seed is sent.
        seeded: bool,
        /// Whether model and prompt fully describe the application: it is the vendor's own server.
        described: bool,
    },
}

impl Target {
    /// The target, for people.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Target::Replies(replies) => format!("{REPLIES} in {}", replies.name()),
            Target::Model { client, model, .. } => {
                let endpoint = client.endpoint();
                let model = if model.is_empty() { String::new() } else { format!(" {model}") };
                format!("{}{model} at {}", endpoint.provider, endpoint.place())
            }
        }
    }
}

/// How to ask a case.
#[derive(Clone, Debug)]
pub struct Job {
    /// The application.
    pub target: Target,
    /// Version of the application, if the configuration or a flag names one.
    pub version: Option<String>,
    /// Timeouts and retries.
    pub patience: Patience,
    /// The meaning of stop words that akit does not know.
    pub stop_words: StopWords,
}

impl Job {
    /// Whether both jobs ask in the same way.
    #[must_use]
    pub fn is_as(&self, other: &Self) -> bool {
        let same = match (&self.target, &other.target) {
            (Target::Replies(one), Target::Replies(other)) => Arc::ptr_eq(one, other),
            (
                Target::Model { client: one, model, seeded, described },
                Target::Model { client: other, model: m, seeded: s, described: d },
            ) => Arc::ptr_eq(one, other) && (model, seeded, described) == (m, s, d),
            (Target::Replies(_), Target::Model { .. }) | (Target::Model { .. }, Target::Replies(_)) => false,
        };
        same && self.version == other.version
            && self.patience == other.patience
            && self.stop_words == other.stop_words
    }
}

/// One case of the run.
#[derive(Clone, Debug)]
pub struct Planned {
    /// Index of its scenario.
    pub scenario: usize,
    /// Index in its scenario.
    pub case: usize,
    /// How to ask it; `None` if it is skipped. Cases that are asked in the same way share this.
    pub job: Option<Arc<Job>>,
    /// Why it is skipped, if it is.
    pub skipped: Option<String>,
}

impl Planned {
    /// How to ask it.
    ///
    /// # Errors
    /// If it is skipped.
    pub(super) fn job(&self) -> Result<&Job, Fault> {
        let none = || Fault::new(FaultKind::NotPlanned, "the case has no target".to_owned(), "");
        self.job.as_deref().ok_or_else(none)
    }

    /// Whether its answer comes from this file.
    fn is_given_by(&self, file: &Replies) -> bool {
        let target = self.job.as_ref().map(|job| &job.target);
        matches!(target, Some(Target::Replies(replies)) if std::ptr::eq(replies.as_ref(), file))
    }

    /// Number of trials if `repeat` are wanted. There may be fewer recorded answers, and a case without any is asked
    /// once, so that this is reported.
    pub(super) fn trials(&self, plan: &Plan, repeat: u32) -> u32 {
        match self.job.as_ref().map(|job| &job.target) {
            _ if self.skipped.is_some() => 0,
            Some(Target::Replies(replies)) => {
                let scenario = &plan.scenarios[self.scenario];
                replies.trials(&scenario.cases[self.case].whom(&scenario.name)).clamp(1, repeat.max(1))
            }
            _ => repeat.max(1),
        }
    }
}

/// All cases of a run, in order.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The scenarios.
    pub scenarios: Vec<Scenario>,
    /// Their cases.
    pub jobs: Vec<Planned>,
    /// Notes for the report, such as a judge that is the model under test.
    pub notes: Vec<String>,
}

impl Plan {
    /// Whether a model is asked, not only files.
    #[must_use]
    pub fn asks_models(&self) -> bool {
        let jobs = self.jobs.iter().filter_map(|planned| planned.job.as_ref());
        jobs.into_iter().any(|job| matches!(job.target, Target::Model { .. }))
    }

    /// The files of recorded answers, for each case that has one.
    pub fn replies(&self) -> impl Iterator<Item = &Replies> {
        let jobs = self.jobs.iter().filter_map(|planned| planned.job.as_ref());
        jobs.filter_map(|job| match &job.target {
            Target::Replies(replies) => Some(replies.as_ref()),
            Target::Model { .. } => None,
        })
    }

    fn files(&self) -> Vec<&Replies> {
        let mut files: Vec<&Replies> = self.replies().collect();
        files.dedup_by(|one, other| std::ptr::eq(*one, *other));
        files
    }

    fn whoms(&self) -> Vec<Whom<'_>> {
        self.scenarios.iter().flat_map(|one| one.cases.iter().map(|case| case.whom(&one.name))).collect()
    }

    /// Describes the first file whose recorded answers cannot be matched to cases, if there is one.
    #[must_use]
    pub fn doubtful_replies(&self) -> Option<String> {
        self.files().into_iter().find_map(|file| {
            let found = file.doubtful(&self.whoms());
            let more = if found.len() > 1 {
                format!(", and {} more like it", found.len() - 1)
            } else {
                String::new()
            };
            Some(format!("{}: {}{more}", file.name(), found.first()?))
        })
    }

    /// A warning for each file of recorded answers without function calls, if cases check calls.
    #[must_use]
    pub fn replies_without_calls(&self) -> Vec<String> {
        let words = |file: &&Replies| {
            let asks = |planned: &&Planned| {
                let scenario = &self.scenarios[planned.scenario];
                let case = &scenario.cases[planned.case];
                case.expectations().any(Expectation::needs_calls)
                    && !file.tells_calls(&case.whom(&scenario.name))
            };
            let cases = self.jobs.iter().filter(|planned| planned.is_given_by(file)).filter(asks).count();
            (cases > 0).then(|| {
                let (name, cases) = (file.name(), text::count(cases, "case"));
                format!("{name} does not say which functions were called, but {cases} check it")
            })
        };
        self.files().iter().filter_map(words).collect()
    }

    /// A warning for each file that has more answers to a case than are judged, with the largest number of answers to
    /// one case.
    #[must_use]
    pub fn unjudged_replies(&self, repeat: u32) -> Vec<(String, u32)> {
        let words = |file: &&Replies| {
            let planned =
                self.jobs.iter().filter(|planned| planned.skipped.is_none() && planned.is_given_by(file));
            let more = planned.filter_map(|planned| {
                let scenario = &self.scenarios[planned.scenario];
                let case = &scenario.cases[planned.case];
                let trials = file.trials(&case.whom(&scenario.name));
                (trials > repeat.max(1)).then_some((trials, &case.id))
            });
            let more: Vec<_> = more.collect();
            let (most, first) = more.iter().max_by_key(|(trials, _)| *trials)?;
            let cases = match more.len() {
                1 => format!("case `{}` has", text::excerpt(first, 60)),
                several => format!("{} have", text::count(several, "case")),
            };
            let (limit, judged) = match repeat.max(1) {
                1 => ("one answer".to_owned(), "first of each is".to_owned()),
                repeat => (format!("{repeat} answers"), format!("first {repeat} of each are")),
            };
            Some((format!("{}: {cases} more than {limit}; only the {judged} judged", file.name()), *most))
        };
        self.files().iter().filter_map(words).collect()
    }

    /// A warning for each file with lines that match no case.
    #[must_use]
    pub fn unused_replies(&self) -> Vec<String> {
        const NAMED: usize = 5;
        let files = self.files();
        if files.is_empty() {
            return Vec::new();
        }
        let all =
            || self.scenarios.iter().flat_map(|one| one.cases.iter().map(move |case| (&one.name, &case.id)));
        let cases: BTreeSet<_> = all().map(|(scenario, id)| CaseId::new(scenario, id)).collect();
        let ids: BTreeSet<&str> = all().map(|(_, id)| id.as_str()).collect();
        let known: Vec<&str> = ids.iter().copied().collect();
        let words = |Unused { line, id, scenario }: &Unused<'_>| {
            let why = match scenario {
                Some(name) if ids.contains(id) => format!(": not in `{}`", text::excerpt(name, 60)),
                None if ids.contains(id) => ": lines that name the scenario take precedence".to_owned(),
                _ => match text::nearest(id, &known) {
                    Some(near) => format!(": did you mean `{near}`?"),
                    None => String::new(),
                },
            };
            format!("line {line} (`{}`{why})", text::excerpt(id, 60))
        };
        let unused = files.into_iter().filter_map(|file| {
            let unused = file.unused(&cases);
            let unmatched = file.unmatched(&self.whoms());
            let (lines, results) = (unused.len(), unmatched.len());
            let more = (lines + results).saturating_sub(NAMED);
            let more = if more > 0 { format!(", and {more} more") } else { String::new() };
            let named = unused.iter().map(words).chain(unmatched).take(NAMED).collect::<Vec<_>>().join(", ");
            let what = if results == 0 {
                text::count(lines, "line")
            } else {
                text::count(lines + results, "answer")
            };
            (lines + results > 0)
                .then(|| format!("{what} of {} match no case here: {named}{more}", file.name()))
        });
        unused.collect()
    }

    /// What is redacted in the asked cases, if anything.
    pub(super) fn redacted(&self) -> Option<Redacted> {
        let asked = self.jobs.iter().filter(|planned| planned.skipped.is_none());
        let found = asked.filter_map(|one| self.scenarios[one.scenario].cases[one.case].redaction.on());
        let (mut cases, mut kinds) = (0, BTreeSet::new());
        for redaction in found {
            cases += 1;
            kinds.extend(redaction.redactor.names());
        }
        let kinds = kinds.into_iter().map(str::to_owned).collect();
        (cases > 0).then_some(Redacted { cases, kinds })
    }

    /// Number of cases to ask.
    #[must_use]
    pub fn asked(&self) -> usize {
        self.jobs.iter().filter(|planned| planned.skipped.is_none()).count()
    }

    pub(super) fn jobs_of(&self, scenario: usize) -> impl Iterator<Item = (&Planned, &Job)> {
        self.jobs
            .iter()
            .filter(move |planned| planned.scenario == scenario)
            .filter_map(|planned| Some((planned, planned.job.as_deref()?)))
    }

    /// The targets of a scenario, joined by commas.
    pub(super) fn target_of(&self, scenario: usize) -> String {
        let mut names: Vec<String> = Vec::new();
        for (_, job) in self.jobs_of(scenario) {
            let name = job.target.name();
            if !names.contains(&name) {
                names.push(name);
            }
        }
        if names.is_empty() { "nobody".to_owned() } else { names.join(", ") }
    }

    /// The judges of a scenario.
    pub(super) fn grader_of(&self, scenario: usize, graders: &Graders) -> Option<String> {
        let mut names: Vec<String> = Vec::new();
        for (planned, _) in self.jobs_of(scenario) {
            let case = &self.scenarios[scenario].cases[planned.case];
            for expectation in case.graders() {
                if let Ok(grader) = graders.find(expectation.named())
                    && !names.contains(&grader.name())
                {
                    names.push(grader.name());
                }
            }
        }
        (!names.is_empty()).then(|| names.join(", "))
    }

    /// All clients of targets, each once.
    pub fn clients(&self) -> impl Iterator<Item = &Arc<ModelClient>> {
        let mut clients: BTreeMap<*const ModelClient, &Arc<ModelClient>> = BTreeMap::new();
        for job in self.jobs.iter().filter_map(|planned| planned.job.as_ref()) {
            if let Target::Model { client, .. } = &job.target {
                clients.insert(Arc::as_ptr(client), client);
            }
        }
        clients.into_values()
    }

    /// Notes on judges that are the model under test or of its family: such judges are lenient.
    #[must_use]
    pub fn conflicts(&self, graders: &Graders) -> Vec<String> {
        let mut notes: Vec<String> = Vec::new();
        for (index, scenario) in self.scenarios.iter().enumerate() {
            for (planned, job) in self.jobs_of(index) {
                let Target::Model { client, model, .. } = &job.target else { continue };
                for expectation in scenario.cases[planned.case].graders() {
                    let Ok(grader) = graders.find(expectation.named()) else { continue };
                    let same = grader.model() == model && grader.client().endpoint() == client.endpoint();
                    let note = if same {
                        format!("the judge {} is the model under test", grader.name())
                    } else if family(grader.model()) == family(model) {
                        format!(
                            "the judge {} is of the same family as the model under test, {model}",
                            grader.name()
                        )
                    } else {
                        continue;
                    };
                    if !notes.contains(&note) {
                        notes.push(note);
                    }
                }
            }
        }
        notes
    }
}

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
