//! The judges of a run.

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
    /// The judge that is named, or the configured one.
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
                "pass `--grader-model`, or set `grader: { model: … }` in akit.yaml; the model under test never judges itself by default",
            )),
        }
    }

    /// The judge of flags and configuration.
    pub fn configured_grader(&self, root: Root, targets: &mut Targets) -> Result<Arc<Grader>, Obstacle> {
        let judge = self.judge_of(None)?;
        self.grader(&judge, &self.judging(None), root, targets)
    }

    /// All judges that some expectations need, and for each expectation, what prevents judging it.
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

    /// A warning if the judge is called at its default address, although the application has a custom one.
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
                "the judge {} is called at {}, which gets conversations and answers: {:#} sets only the application's address",
                judge.model,
                endpoint.identity(),
                given.said_by,
            )
        })
    }

    /// The calibration that verdicts need, if one is configured.
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
