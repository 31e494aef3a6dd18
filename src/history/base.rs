//! Which commit a change is compared with: where it branched off its target.

use std::fmt::Write as _;

use serde_json::Value as Json;

use super::git::{Commits, Git, GitError, short};
use super::{HistoryError, parse, read_baseline};
use crate::baseline::Baseline;
use crate::environment::Environment;
use crate::text;

/// How many commits before the base are searched for the baseline.
const MOST_ANCESTORS: usize = 50;

/// What the pipeline says about the change that it tests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pipeline {
    /// A merge of the change into its target that the pipeline made and checked out.
    merge: Option<OwnMerge>,
    /// The target branch of the change.
    pub target: Option<String>,
    /// The commit that the event names as the base.
    pub base: Option<String>,
    /// The commit that the change started from.
    pub began: Option<String>,
}

/// What distinguishes the pipeline's own merge from a merge in the change: at least one of these must be known, and each
/// that is known must match.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct OwnMerge {
    /// The merge.
    commit: Option<String>,
    /// The newest commit of the change, which is its second parent.
    change: Option<String>,
}

impl OwnMerge {
    /// Whether HEAD, with this second parent, is the merge.
    fn is(&self, head: &str, second: &str) -> bool {
        let is = |known: &Option<String>, found| known.as_deref().is_none_or(|known| known == found);
        (self.commit.is_some() || self.change.is_some()) && is(&self.commit, head) && is(&self.change, second)
    }
}

impl Pipeline {
    /// Reads the variables of GitHub Actions and GitLab CI, and the event of GitHub Actions.
    #[must_use]
    pub fn of(environment: &Environment) -> Self {
        Self::with_event(environment, environment.event().as_ref())
    }

    /// Like `of`, but with this event.
    pub(super) fn with_event(environment: &Environment, event: Option<&Json>) -> Self {
        let own = |name: &str| environment.get(name).map(str::to_owned);
        let kind = environment.get("GITHUB_EVENT_NAME").unwrap_or_default();
        let (request, queue) = (kind.starts_with("pull_request"), kind == "merge_group");
        let gitlab = environment
            .get("CI_MERGE_REQUEST_EVENT_TYPE")
            .is_some_and(|kind| kind == "merged_result" || kind == "merge_train");
        let said = |path: &str| {
            let said = event?.pointer(path)?.as_str()?;
            (said.len() >= 40 && said.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| said.to_owned())
        };
        let branch = || {
            let name = event?.pointer("/merge_group/base_ref")?.as_str()?;
            Some(name.strip_prefix("refs/heads/").unwrap_or(name).to_owned())
        };
        // `pull_request_target` runs on the target, and the parents of its merges say nothing about the change.
        let merge = match kind {
            "pull_request" => {
                Some(OwnMerge { commit: own("GITHUB_SHA"), change: said("/pull_request/head/sha") })
            }
            _ if gitlab => own("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA")
                .map(|change| OwnMerge { commit: own("CI_COMMIT_SHA"), change: Some(change) }),
            _ => None,
        };
        Self {
            merge,
            target: own("GITHUB_BASE_REF")
                .or_else(|| own("CI_MERGE_REQUEST_TARGET_BRANCH_NAME"))
                .or_else(|| branch().filter(|_| queue)),
            base: match kind {
                "merge_group" => said("/merge_group/base_sha"),
                _ if request => said("/pull_request/base/sha"),
                _ => None,
            },
            began: own("CI_MERGE_REQUEST_DIFF_BASE_SHA"),
        }
    }

    /// Whether the pipeline says what its change is compared with.
    #[must_use]
    pub fn is_told(&self) -> bool {
        self.merge.is_some() || self.target.is_some() || self.base.is_some() || self.began.is_some()
    }
}

/// The commit to compare with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Base {
    pub(super) commit: String,
    /// What it is, as reports show it.
    pub(super) role: &'static str,
}

/// Chooses the commit to compare with.
///
/// If the pipeline merged the change, it is the first parent of that merge: the target as it is now. In a merge that
/// the change itself contains, the first parent is a commit of the change, which the change must not be compared
/// with. Otherwise it is the merge base of HEAD and the target: the commit that the event names, which a merge queue
/// builds on, or else the branch. Later commits of the target are not part of the change.
pub(super) fn choose(commits: &impl Commits, pipeline: &Pipeline) -> Result<Base, GitError> {
    let Some(head) = commits.found("HEAD")? else { return Err(GitError::NoCommitYet) };
    if let Some(merge) = &pipeline.merge
        && let [first, second] = commits.parents(&head)?.as_slice()
        && merge.is(&head, second)
    {
        return Ok(Base { commit: first.clone(), role: "the merge's first parent" });
    }
    // The event's commit comes first: the branch may have moved on since.
    let mut candidates: Vec<String> = pipeline.base.iter().cloned().collect();
    if let Some(target) = &pipeline.target {
        candidates.extend([format!("refs/remotes/origin/{target}"), format!("refs/heads/{target}")]);
    }
    candidates.extend(pipeline.began.clone());
    // A branch that the pipeline names is never replaced by another one.
    if candidates.is_empty() {
        let usual =
            ["origin/HEAD", "origin/main", "origin/master"].map(|name| format!("refs/remotes/{name}"));
        candidates.extend(usual);
        candidates.extend(["main", "master"].map(|name| format!("refs/heads/{name}")));
    }
    let why = |problem: String, other: GitError| match commits.shallow() {
        Ok(true) => GitError::Shallow(problem),
        Ok(false) => other,
        Err(error) => error,
    };
    for candidate in &candidates {
        if let Some(target) = commits.found(candidate)? {
            if let Some(commit) = commits.merge_base(&head, &target)? {
                return Ok(Base { commit, role: "the merge base" });
            }
            let problem = format!("HEAD and {candidate} have no common commit");
            let doing = "find the merge base".to_owned();
            return Err(why(problem.clone(), GitError::Failed { doing, reason: problem }));
        }
    }
    let names = text::list(&candidates);
    Err(why(format!("this clone has none of {names}"), GitError::NoTarget(names)))
}

/// The nearest of these commits that has a readable baseline, and its distance. If there is none, the error of the
/// nearest broken baseline.
fn nearest(
    commits: &[String],
    mut read: impl FnMut(&str) -> Result<Option<Baseline>, HistoryError>,
) -> Result<Option<(usize, Baseline)>, HistoryError> {
    let mut broken = None;
    for (distance, commit) in commits.iter().enumerate() {
        match read(commit) {
            Ok(Some(baseline)) => return Ok(Some((distance, baseline))),
            Ok(None) => {}
            Err(error @ HistoryError::Foreign { .. }) => {
                broken.get_or_insert(error);
            }
            Err(error) => return Err(error),
        }
    }
    broken.map_or(Ok(None), Err)
}

/// Reads the baseline of the commit that a change is compared with.
pub(super) fn read(git: &Git, base: &Base, path: &str) -> Result<(Baseline, String), HistoryError> {
    let line = git.line(&base.commit, MOST_ANCESTORS + 1)?;
    let found = nearest(&line, |commit| {
        let Some(text) = git.file(commit, path)? else { return Ok(None) };
        parse(&format!("{path} at {}", short(commit)), &text).map(Some)
    })?;
    if let Some((distance, mut baseline)) = found {
        let at = short(&line[distance]);
        let mut from = match distance {
            0 => format!("{path} at {at}, {}", base.role),
            _ => format!("{path} at {at}, {} before {}", text::count(distance, "commit"), base.role),
        };
        take_acceptances(git, path, &mut baseline, &mut from)?;
        return Ok((baseline, from));
    }
    let before = match line.len().saturating_sub(1) {
        0 => String::new(),
        1 => " or in the commit before it".to_owned(),
        n => format!(" or in the {n} commits before it"),
    };
    let where_ = format!("{path} at {} ({}){before}", short(&base.commit), base.role);
    if line.len() <= MOST_ANCESTORS && git.shallow()? {
        return Err(GitError::Shallow(format!("no baseline {where_}")).into());
    }
    Err(HistoryError::Missing(where_))
}

/// Adds the acceptances of a change, which are in the change's own baseline file and not yet in the commit. A file that
/// cannot be read adds none.
pub(super) fn take_acceptances(
    git: &Git,
    path: &str,
    baseline: &mut Baseline,
    from: &mut String,
) -> Result<(), GitError> {
    if let Ok(own) = read_baseline(&git.in_tree(path)?) {
        let accepted = baseline.take_acceptances(&own);
        if !accepted.is_empty() {
            let _ = write!(from, ", and {} accepted by the change", text::count(accepted.len(), "case"));
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "base_tests.rs"]
mod tests;
