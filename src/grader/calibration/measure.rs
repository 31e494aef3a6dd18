//! Judges every labeled answer, several at once, and keeps their order.

use std::sync::Arc;

use super::Label;
use crate::client::Road;
use crate::engine::{self, Order, Work};
use crate::event::{Event, Sink};
use crate::grader::{Ballot, Bench, Grader, GraderError, Graders, Question};
use crate::manifest::Fault;
use crate::vocabulary::{FaultKind, Outcome};

/// The scenario name in messages about verdicts.
const SCENARIO: &str = "calibration";

/// How answers are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manner {
    /// The highest score on the scale.
    pub scale: u32,
    /// Votes per answer.
    pub ballot: Ballot,
}

struct Measuring {
    grader: Arc<Grader>,
    manner: Manner,
    sink: Arc<dyn Sink>,
}

/// The judge's score for each labeled answer, or why there is none; `None` if the road was closed before all
/// were judged.
pub async fn measure(
    grader: Arc<Grader>,
    labels: &[Label],
    manner: Manner,
    concurrency: usize,
    sink: Arc<dyn Sink>,
    road: &Road,
) -> Option<Vec<Result<u32, Fault>>> {
    sink.see(Event::Started { cases: labels.len() });
    let measuring = Arc::new(Measuring { grader, manner, sink });
    let work = Arc::clone(&measuring);
    let found = engine::closed(work, labels.to_vec(), Order::AsListed, concurrency, road).await;
    measuring.sink.see(Event::Finished);
    let crashed = || {
        let message = "akit crashed while judging this answer".to_owned();
        Err(Fault::new(FaultKind::Internal, message, "report this bug with the message above"))
    };
    let verdicts = found.results.into_iter();
    verdicts.map(|verdict| verdict.or_else(|| found.crashed.then(crashed))).collect()
}

impl Work for Measuring {
    type Unit = Label;
    type Found = Result<u32, Fault>;

    fn goes_on(&self, _: &Label) -> bool {
        true
    }

    async fn carry_out(&self, label: &Label) -> Result<u32, Fault> {
        self.judge(label, &Graders::default()).await.map_err(|error| error.fault())
    }

    fn found(&self, index: usize, labels: &[Label], found: &[Option<Result<u32, Fault>>]) {
        let label = &labels[index];
        let outcome = match &found[index] {
            Some(Ok(score)) if label.bar(self.manner.scale).reached(*score) => Outcome::Passed,
            Some(Ok(_)) => Outcome::Failed,
            Some(Err(_)) | None => Outcome::Errored,
        };
        self.sink.see(Event::Judged { scenario: SCENARIO, case: &label.id, outcome });
    }
}

impl Measuring {
    async fn judge(&self, label: &Label, graders: &Graders) -> Result<u32, GraderError> {
        let question = Question {
            is_cut: false,
            is_whole: false,
            rubric: &label.rubric,
            scale: self.manner.scale,
            answer: &label.answer,
            tool_calls: &[],
            conversation: &label.conversation,
        };
        let bench = Bench {
            graders,
            root: self.grader.root(),
            messages: &label.conversation,
            scenario: SCENARIO,
            case: &label.id,
            trial: 0,
            redactor: None,
            hold: None,
        };
        let bar = label.bar(self.manner.scale);
        let grade = self.grader.grade(&question, bar, self.manner.ballot, &bench).await?;
        Ok(bar.middle(&grade.votes))
    }
}
