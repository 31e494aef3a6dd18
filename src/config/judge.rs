//! Who judges.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::asking::Asking;
use super::resolved::{Resolved, SaidBy};
use super::target::Targets;
use super::{Obstacle, Settings, Whose};
use crate::expectation::LlmGrader;
use crate::grader::calibration::{Binding, Calibration, CalibrationError};
use crate::grader::{Grader, Graders, Judge};
use crate::scenario::{Case, Scenario};
use crate::seed::Root;
use crate::source::slashed;

impl Settings {
    /// The judge for somebody who names this one, or none.
    fn judge_of(&self, named: Option<&Judge>) -> Result<Judge, Obstacle> {
        let judging = self.judging(named);
        if let Some(obstacle) = judging.obstacle {
            return Err(obstacle);
        }
        match judging.model {
            Some(model) => {
                Ok(Judge { provider: judging.provider.value.to_owned(), model: model.value.to_owned() })
            }
            None => Err(Obstacle::new(
                "no judge is configured",
                "name a judge with `--grader-model`, or `grader: { model: … }` in akit.yaml; the model under test never judges itself unasked",
            )),
        }
    }

    /// The judge that flags and configuration name.
    pub fn configured_grader(&self, root: Root, targets: &mut Targets) -> Result<Arc<Grader>, Obstacle> {
        let judge = self.judge_of(None)?;
        self.grader(&judge, &self.judging(None), root, targets)
    }

    /// All judges that some expectations need, and what stands in the way of each expectation.
    pub fn graders<'a>(
        &self,
        expectations: impl Iterator<Item = &'a LlmGrader>,
        root: Root,
        targets: &mut Targets,
    ) -> (Graders, Vec<Option<Obstacle>>) {
        let mut default = None;
        let mut named = BTreeMap::new();
        let mut built: BTreeMap<Judge, Result<Arc<Grader>, Obstacle>> = BTreeMap::new();
        let mut obstacles = Vec::new();
        for expectation in expectations {
            let grader = self.judge_of(expectation.named()).and_then(|judge| {
                let judging = self.judging(expectation.named());
                built
                    .entry(judge.clone())
                    .or_insert_with(|| self.grader(&judge, &judging, root, targets))
                    .clone()
            });
            match (grader, expectation.named()) {
                (Ok(grader), Some(judge)) => {
                    named.insert(judge.clone(), grader);
                    obstacles.push(None);
                }
                (Ok(grader), None) => {
                    default = Some(grader);
                    obstacles.push(None);
                }
                (Err(obstacle), _) => obstacles.push(Some(obstacle)),
            }
        }
        let graders = Graders::new(default, named, self.file.grader_defaults());
        (graders.bound(self.binding()), obstacles)
    }

    /// Where a judge is asked whose address nobody gave, while that of an application was given: in a sentence.
    #[must_use]
    pub fn judge_elsewhere(&self, scenario: &Scenario, case: &Case, grader: &Grader) -> Option<String> {
        let is_given = |address: &Resolved<'_, &str>| {
            matches!(address.said_by, SaidBy::Flag(_) | SaidBy::Key(..)) && !grader.client().replays()
        };
        let endpoint = grader.client().endpoint();
        let judge = Judge { provider: endpoint.provider.clone(), model: grader.model().to_owned() };
        let given = self.asking(scenario, case).address.filter(is_given)?;
        let own = self.judging(Some(&judge)).address?;
        let is_elsewhere = !is_given(&own) && own.value != given.value;
        is_elsewhere.then(|| {
            format!(
                "the grader {} is asked at {}, and gets conversations and answers there: {:#} gives the address of the \
                 application alone",
                judge.model,
                endpoint.identity(),
                given.said_by,
            )
        })
    }

    /// The calibration that verdicts rest on, where one is configured.
    fn binding(&self) -> Option<Binding> {
        let (file, demands) = self.file.grader.as_ref()?.calibration.clone()?;
        let path = self.file.folder.join(file);
        let stored = match &self.file.whose {
            Whose::Own | Whose::Change => Calibration::read(&path),
            Whose::Base(Some(source)) => Calibration::of_file(source),
            Whose::Base(None) => {
                Err(CalibrationError::Missing(format!("{} in the base of the change", slashed(&path))))
            }
        };
        Some(Binding::of(&path, stored, demands))
    }

    fn grader(
        &self,
        judge: &Judge,
        judging: &Asking<'_>,
        root: Root,
        targets: &mut Targets,
    ) -> Result<Arc<Grader>, Obstacle> {
        let client = targets.client(self, judging, self.grader_mode())?;
        let grader = Grader::new(client, judge.model.clone(), judging.patience(), root);
        Ok(Arc::new(grader.on(self.file.grader_terms()).of_suite(self.suite.clone())))
    }
}
