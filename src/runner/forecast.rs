//! What a run would request, where, and at what cost. Nothing is sent.

use std::collections::BTreeMap;

use super::ask;
use super::plan::{Job, Plan, Planned, Target};
use crate::client::ModelClient;
use crate::expectation::{Consulted, Expectation};
use crate::grader::{Grader, Graders};
use crate::provider::{ChatRequest, Message, Role, Unmetered};
use crate::scenario::Case;
use crate::seed::Root;

/// Maximum number of requests per verdict: a second one is sent if the answer is unreadable, or, with twice the tokens,
/// if it was cut off.
const ATTEMPTS: u64 = 2;
/// Maximum number of bytes that a character of an answer takes in a request to a judge: a character of four bytes, or a
/// single byte after three escapes.
const WIDEST: u64 = 4;
/// Stands for an answer that does not exist yet.
const UNSEEN: [&str; 40] = ["An answer of usual length."; 40];

/// The purpose of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// Answers of the application.
    Answers,
    /// Verdicts on them.
    Verdicts,
    /// Verdicts on known answers.
    Canaries,
    /// Embeddings of strings.
    Embeddings,
}

/// The requests to one model at one address for one purpose: expected and maximum. Unknown figures are `None`.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The model.
    pub model: String,
    /// Number of requests.
    pub calls: [u64; 2],
    /// Tokens sent and received.
    pub tokens: [Option<u64>; 2],
    /// US dollars.
    pub cost: [Option<f64>; 2],
    /// Maximum cost of the most expensive request or conversation, as far as it is known in advance, or why it is
    /// unknown.
    pub dearest: Result<f64, Unmetered>,
    /// Whether any of them is a conversation.
    pub is_conversation: bool,
}

/// Everything that would be asked, by address, purpose and model.
#[derive(Debug, Default)]
pub struct Forecast {
    asked: BTreeMap<(String, Purpose, String), Asked>,
}

/// Requests of one kind.
struct Kind<'a> {
    client: &'a ModelClient,
    request: &'a ChatRequest,
    purpose: Purpose,
    calls: [u64; 2],
    /// Maximum cost of one request, or of a whole conversation, in US dollars.
    dearest: Result<f64, Unmetered>,
    /// Whether the requests form a conversation.
    together: bool,
    /// Maximum number of bytes that answers not yet known add to one of the requests.
    unseen: Option<u64>,
}

/// The expectations of a case, each with the minimum and maximum number of checks per trial.
fn demands(case: &Case, turns: u64) -> impl Iterator<Item = (&Expectation, [u64; 2])> {
    let of_turns = case.dialogue.iter().flat_map(|dialogue| dialogue.expectations());
    let rules = case.always.iter().map(move |rule| (&rule.expectation, [turns, turns]));
    std::iter::once((&case.expectation, [1, turns])).chain(of_turns.map(|one| (one, [1, 1]))).chain(rules)
}

impl Forecast {
    /// The requests of a plan, with up to `again` further trials of every case.
    #[must_use]
    pub fn of(plan: &Plan, graders: &Graders, repeat: u32, again: u32, root: Root) -> Self {
        let mut forecast = Self::default();
        let mut tested = BTreeMap::new();
        for planned in &plan.jobs {
            let Some(job) = planned.job.as_deref().filter(|_| planned.skipped.is_none()) else { continue };
            let trials = u64::from(planned.trials(plan, repeat));
            let is_asked = matches!(&job.target, Target::Model { client, .. } if !client.replays());
            let trials = [trials, trials + if is_asked { u64::from(again) } else { 0 }];
            forecast.answers(plan, planned, job, root, trials);
            let case = &plan.scenarios[planned.scenario].cases[planned.case];
            let turns = case.dialogue.as_ref().map_or(1, |dialogue| u64::from(dialogue.most()));
            for (expectation, times) in demands(case, turns) {
                let trials = [trials[0] * times[0], trials[1] * times[1]];
                for one in expectation.consults(graders.defaults()) {
                    if let Some((grader, scale)) = forecast.consulted(&one, graders, &case.messages, trials) {
                        tested.insert((grader.name(), scale), grader);
                    }
                }
            }
        }
        for ((_, scale), grader) in &tested {
            for request in grader.canaries(*scale) {
                forecast.add(&Kind {
                    client: grader.client(),
                    request: &request,
                    purpose: Purpose::Canaries,
                    calls: [1, ATTEMPTS],
                    dearest: grader.client().worst(&request),
                    together: false,
                    unseen: Some(0),
                });
            }
        }
        forecast
    }

    /// Everything that is asked, by address.
    pub fn asked(&self) -> impl Iterator<Item = (&str, Purpose, &Asked)> {
        self.asked.iter().map(|((endpoint, purpose, _), asked)| (endpoint.as_str(), *purpose, asked))
    }

    fn answers(&mut self, plan: &Plan, planned: &Planned, job: &Job, root: Root, calls: [u64; 2]) {
        let Target::Model { client, model, seeded, .. } = &job.target else { return };
        let scenario = &plan.scenarios[planned.scenario];
        let seed = seeded.then(|| root.derive(&[]));
        let case = &scenario.cases[planned.case];
        let mut request = ask::request(scenario, case, model, seed);
        let (mut turns, mut words) = (1, 0);
        if let Some(dialogue) = &case.dialogue {
            request.messages.push(Message::new(Role::User, dialogue.opening()));
            (turns, words) = (u64::from(dialogue.most()), dialogue.longest());
        }
        // Each round of played functions is a request of its own, with everything said before.
        let rounds = u64::from(scenario.functions.most_rounds());
        let calls =
            [calls[0].saturating_mul(turns), calls[1].saturating_mul(turns).saturating_mul(1 + rounds)];
        let unseen = (rounds == 0 && turns == 1).then_some(0);
        // A conversation is started only if all of it can be paid for.
        let dearest = if case.dialogue.is_some() {
            ask::whole(client, scenario, &request, ([turns, words], 0))
        } else {
            client.worst(&request)
        };
        let purpose = Purpose::Answers;
        let together = turns > 1;
        self.add(&Kind { client, request: &request, purpose, calls, dearest, together, unseen });
    }

    /// Adds the requests of an expectation; returns the judge, which is tested on known answers first.
    fn consulted<'a>(
        &mut self,
        one: &Consulted<'_>,
        graders: &'a Graders,
        conversation: &[Message],
        trials: [u64; 2],
    ) -> Option<(&'a Grader, u32)> {
        let answer = UNSEEN.join(" ");
        let grader = graders.find(one.judge.named()).ok()?;
        let client = grader.client();
        if let Some((model, text)) = one.embedding {
            let content = format!("{text}{answer}");
            let request = ChatRequest {
                model: model.to_owned(),
                messages: vec![Message::new(Role::User, content)],
                max_tokens: Some(0),
                ..ChatRequest::default()
            };
            let (purpose, calls) = (Purpose::Embeddings, trials.map(|trials| 2 * trials));
            let dearest = client.worst(&request);
            self.add(&Kind {
                client,
                request: &request,
                purpose,
                calls,
                dearest,
                together: false,
                unseen: None,
            });
            return None;
        }
        let question = one.judge.question(graders.defaults(), conversation, &answer);
        let [least, most] = one.judge.votes(graders.defaults()).map(u64::from);
        let request = grader.request(&question);
        self.add(&Kind {
            client,
            request: &request,
            purpose: Purpose::Verdicts,
            calls: [trials[0] * least, trials[1] * most * ATTEMPTS],
            dearest: client.worst(&request),
            together: false,
            unseen: Some(grader.longest_answer().saturating_mul(WIDEST)),
        });
        Some((grader, question.scale))
    }

    fn add(&mut self, kind: &Kind<'_>) {
        let Kind { client, request, purpose, calls, ref dearest, together, unseen } = *kind;
        if client.replays() || calls[1] == 0 {
            return;
        }
        let (model, price) = (&request.model, client.price(&request.model));
        let is_judge = matches!(purpose, Purpose::Verdicts | Purpose::Canaries);
        let doubled = |most: u64| most.saturating_mul(if is_judge { ATTEMPTS } else { 1 });
        let longest = request.max_tokens.or(price.and_then(|price| price.longest)).map(doubled);
        let sent = [Some(request.bytes() / 4), unseen.map(|more| request.bytes().saturating_add(more))];
        let received = [Some(request.likely_answer()), longest];
        let of = |at: usize| Some((sent[at]?, received[at]?));
        let tokens = [0, 1].map(|at| of(at).map(|(sent, received)| sent.saturating_add(received)));
        let cost = [0, 1].map(|at| of(at).and_then(|(sent, received)| price?.worst(sent, received)));
        let key = (client.endpoint().to_string(), purpose, model.clone());
        let nothing = Asked {
            model: model.clone(),
            calls: [0; 2],
            tokens: [Some(0); 2],
            cost: [Some(0.0); 2],
            dearest: Ok(0.0),
            is_conversation: false,
        };
        let sum = self.asked.entry(key).or_insert(nothing);
        for at in [0, 1] {
            sum.calls[at] += calls[at];
            let many = |tokens: u64| tokens.saturating_mul(calls[at]);
            sum.tokens[at] =
                sum.tokens[at].zip(tokens[at].map(many)).map(|(sum, more)| sum.saturating_add(more));
            let many = |cost: f64| cost * crate::stats::real(calls[at]);
            sum.cost[at] = sum.cost[at].zip(cost[at].map(many)).map(|(sum, more)| sum + more);
        }
        sum.is_conversation |= together;
        sum.dearest = match (std::mem::replace(&mut sum.dearest, Ok(0.0)), dearest.clone()) {
            (Ok(one), Ok(other)) => Ok(one.max(other)),
            (Err(why), _) | (_, Err(why)) => Err(why),
        };
    }
}
