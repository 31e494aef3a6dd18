//! Asks a judge about every labelled answer, several at once, and keeps their order.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::Label;
use crate::event::{Event, Sink};
use crate::grader::{Ballot, Bench, Grader, GraderError, Graders, Question};
use crate::manifest::Fault;
use crate::vocabulary::{FaultKind, Outcome};

/// What stands for the scenario's name in what is told about a verdict.
const SCENARIO: &str = "calibration";

/// How verdicts are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manner {
    /// Steps of the scale.
    pub scale: u32,
    /// How many verdicts are asked for.
    pub ballot: Ballot,
}

/// What all workers share.
struct Measuring {
    grader: Arc<Grader>,
    labels: Arc<Vec<Label>>,
    manner: Manner,
    sink: Arc<dyn Sink>,
    next: AtomicUsize,
    verdicts: Mutex<Vec<Option<Result<u32, Fault>>>>,
}

/// The judge's score of each labelled answer on its scale, or why there is none.
pub async fn measure(
    grader: Arc<Grader>,
    labels: Arc<Vec<Label>>,
    manner: Manner,
    concurrency: usize,
    sink: Arc<dyn Sink>,
) -> Vec<Result<u32, Fault>> {
    let verdicts = Mutex::new(vec![None; labels.len()]);
    sink.see(Event::Started { cases: labels.len() });
    let workers = concurrency.clamp(1, labels.len().max(1));
    let next = AtomicUsize::new(0);
    let shared = Arc::new(Measuring { grader, labels, manner, sink, next, verdicts });
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..workers {
        tasks.spawn(work(Arc::clone(&shared)));
    }
    while tasks.join_next().await.is_some() {}
    shared.sink.see(Event::Finished);
    let verdicts = std::mem::take(&mut *shared.verdicts.lock().unwrap_or_else(PoisonError::into_inner));
    let crashed = || {
        let message = "akit itself failed while this answer was judged".to_owned();
        Fault::new(FaultKind::Internal, message, "please report this with the message above")
    };
    verdicts.into_iter().map(|verdict| verdict.unwrap_or_else(|| Err(crashed()))).collect()
}

async fn work(shared: Arc<Measuring>) {
    let nobody = Graders::default();
    loop {
        let index = shared.next.fetch_add(1, Ordering::Relaxed);
        let Some(label) = shared.labels.get(index) else { return };
        let verdict = shared.judge(label, &nobody).await.map_err(|error| error.fault());
        let outcome = match &verdict {
            Ok(score) if label.bar(shared.manner.scale).reached(*score) => Outcome::Passed,
            Ok(_) => Outcome::Failed,
            Err(_) => Outcome::Errored,
        };
        shared.sink.see(Event::Judged { scenario: SCENARIO, case: &label.id, outcome });
        shared.verdicts.lock().unwrap_or_else(PoisonError::into_inner)[index] = Some(verdict);
    }
}

impl Measuring {
    async fn judge(&self, label: &Label, nobody: &Graders) -> Result<u32, GraderError> {
        let question = Question {
            rubric: &label.rubric,
            scale: self.manner.scale,
            answer: &label.answer,
            tool_calls: &[],
            conversation: &label.conversation,
        };
        let bench = Bench {
            graders: nobody,
            root: self.grader.root(),
            messages: &label.conversation,
            scenario: SCENARIO,
            case: &label.id,
            trial: 0,
            redactor: None,
        };
        let bar = label.bar(self.manner.scale);
        let grade = self.grader.grade(&question, bar, self.manner.ballot, &bench).await?;
        Ok(bar.middle(&grade.votes))
    }
}
