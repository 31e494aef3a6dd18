//! Who judges: the flag, the expectation's own judge, or the configured one; never silently the
//! model under test.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Settings;
use super::target::{Access, Obstacle, Targets};
use super::trust::Trust;
use crate::client::Patience;
use crate::expectation::LlmGrader;
use crate::grader::calibration::Binding;
use crate::grader::{Grader, Graders, Judge};
use crate::scenario::ProviderConfig;
use crate::seed::Root;

impl Settings {
    /// The judge for somebody who names this one, or none: flag > name > configuration.
    fn judge_of(&self, named: Option<&Judge>) -> Result<Judge, Obstacle> {
        let configured = self.file.grader.as_ref();
        let provider = || {
            let named = self.flags.grader_provider.clone();
            named.or(configured.and_then(|grader| grader.provider.clone())).unwrap_or("openai".to_owned())
        };
        if let Some(model) = &self.flags.grader_model {
            return Ok(Judge { provider: provider(), model: model.clone() });
        }
        if let Some(judge) = named {
            return Ok(judge.clone());
        }
        match configured.and_then(|grader| grader.model.clone()) {
            Some(model) => Ok(Judge { provider: provider(), model }),
            None => Err(Obstacle::new(
                "no grader is configured for `llm_grader`",
                "name a judge with `--grader-model`, or `grader: { model: … }` in akit.yaml; the model under test never judges itself unasked",
            )),
        }
    }

    /// The judge that flags and configuration name.
    pub fn configured_grader(&self, root: Root, targets: &mut Targets) -> Result<Arc<Grader>, Obstacle> {
        self.judge_of(None).and_then(|judge| self.grader(&judge, root, targets))
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
                built.entry(judge.clone()).or_insert_with(|| self.grader(&judge, root, targets)).clone()
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

    /// The calibration that verdicts rest on, where one is configured.
    fn binding(&self) -> Option<Binding> {
        let (file, demands) = self.file.grader.as_ref()?.calibration.clone()?;
        Some(Binding::read(&self.file.folder.join(file), demands))
    }

    fn grader(&self, judge: &Judge, root: Root, targets: &mut Targets) -> Result<Arc<Grader>, Obstacle> {
        let nothing = ProviderConfig::default();
        let configured = self
            .file
            .grader
            .as_ref()
            .filter(|grader| grader.provider.as_deref().unwrap_or("openai") == judge.provider);
        let own = configured.map_or(&nothing, |grader| &grader.access);
        let shared = self.file.providers.get(&judge.provider).unwrap_or(&nothing);
        let access = Access {
            base_url: self.flags.grader_base_url.clone().or(own.base_url.clone()).or(shared.base_url.clone()),
            api_key: own.api_key.clone().or(shared.api_key.clone()),
            organization: shared.organization.clone(),
            // An expectation names a model, never an address.
            trust: Trust::Named,
        };
        let client = targets.client(self, &judge.provider, access, self.grader_mode())?;
        let default = Patience::default();
        let patience = Patience {
            timeout: self.flags.timeout.or(own.timeout).or(shared.timeout).unwrap_or(default.timeout),
            retries: self.flags.retries.or(own.retries).or(shared.retries).unwrap_or(default.retries),
            jitter: 0,
        };
        Ok(Arc::new(Grader::new(client, judge.model.clone(), patience, root)))
    }
}
