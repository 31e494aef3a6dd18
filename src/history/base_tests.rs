use super::super::Kind;
use super::*;

/// A made-up history: revisions, parents, and merge bases with HEAD.
#[derive(Default)]
struct WrittenHistory {
    revisions: &'static [(&'static str, &'static str)],
    parents: &'static [&'static str],
    merge_bases: &'static [(&'static str, &'static str)],
    shallow: bool,
}

impl Commits for WrittenHistory {
    fn found(&self, revision: &str) -> Result<Option<String>, GitError> {
        let known = self.revisions.iter().find(|(name, _)| *name == revision);
        Ok(known.map(|(_, commit)| (*commit).to_owned()).or((revision == "HEAD").then(|| "head".to_owned())))
    }

    fn parents(&self, _: &str) -> Result<Vec<String>, GitError> {
        Ok(self.parents.iter().map(ToString::to_string).collect())
    }

    fn merge_base(&self, _: &str, other: &str) -> Result<Option<String>, GitError> {
        let known = self.merge_bases.iter().find(|(commit, _)| *commit == other);
        Ok(known.map(|(_, base)| (*base).to_owned()))
    }

    fn line(&self, _: &str, _: usize) -> Result<Vec<String>, GitError> {
        Ok(Vec::new())
    }

    fn shallow(&self) -> Result<bool, GitError> {
        Ok(self.shallow)
    }
}

fn pipeline(variables: &[(&str, &'static str)], event: &Json) -> Pipeline {
    Pipeline::with_event(&Environment::of(variables.iter().copied()), Some(event))
}

#[test]
fn the_base_is_the_target_as_merged_or_where_the_change_left_it() {
    const GITHUB: &[(&str, &str)] =
        &[("GITHUB_EVENT_NAME", "pull_request"), ("GITHUB_BASE_REF", "dev"), ("GITHUB_SHA", "head")];
    const ELSEWHERE: &[(&str, &str)] =
        &[("GITHUB_EVENT_NAME", "pull_request"), ("GITHUB_BASE_REF", "dev"), ("GITHUB_SHA", "merge")];
    const UNSAID: &[(&str, &str)] = &[("GITHUB_EVENT_NAME", "pull_request"), ("GITHUB_BASE_REF", "dev")];
    const TARGET: &[(&str, &str)] =
        &[("GITHUB_EVENT_NAME", "pull_request_target"), ("GITHUB_BASE_REF", "dev"), ("GITHUB_SHA", "head")];
    const MERGED: &[(&str, &str)] = &[
        ("CI_MERGE_REQUEST_EVENT_TYPE", "merged_result"),
        ("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", "p2"),
        ("CI_COMMIT_SHA", "head"),
    ];
    const TRAIN: &[(&str, &str)] = &[
        ("CI_MERGE_REQUEST_EVENT_TYPE", "merge_train"),
        ("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", "other"),
        ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "dev"),
    ];
    const DETACHED: &[(&str, &str)] =
        &[("CI_MERGE_REQUEST_EVENT_TYPE", "detached"), ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "dev")];
    const BEGAN: &[(&str, &str)] = &[("CI_MERGE_REQUEST_DIFF_BASE_SHA", "b0")];
    const DEV: &[(&str, &str)] = &[
        ("refs/remotes/origin/dev", "d"),
        ("refs/remotes/origin/HEAD", "m"),
        ("refs/heads/main", "l"),
        ("b0", "b0"),
    ];
    const BASES: &[(&str, &str)] = &[("d", "bd"), ("m", "bm"), ("l", "bl"), ("b0", "b0")];
    let usual = |parents: &'static [&'static str]| WrittenHistory {
        revisions: DEV,
        parents,
        merge_bases: BASES,
        shallow: false,
    };
    let merge = "the merge's first parent";
    let table = [
        (usual(&["p1", "p2"]), GITHUB, Ok(("p1", merge))),
        (usual(&["p1", "p2"]), MERGED, Ok(("p1", merge))),
        // Not the pipeline's merge: both change and target may contain merges.
        (usual(&["p1", "p2"]), ELSEWHERE, Ok(("bd", "the merge base"))),
        (usual(&["p1", "p2"]), UNSAID, Ok(("bd", "the merge base"))),
        (usual(&["p1", "p2"]), TARGET, Ok(("bd", "the merge base"))),
        (usual(&["p1", "p2"]), TRAIN, Ok(("bd", "the merge base"))),
        (usual(&["p1", "p2"]), DETACHED, Ok(("bd", "the merge base"))),
        (usual(&["p1", "p2"]), &[], Ok(("bm", "the merge base"))),
        (usual(&["p1"]), GITHUB, Ok(("bd", "the merge base"))),
        (usual(&["p1"]), BEGAN, Ok(("b0", "the merge base"))),
        (WrittenHistory { revisions: &DEV[2..], ..usual(&["p1"]) }, &[], Ok(("bl", "the merge base"))),
        // The named branch is missing: main does not replace it.
        (
            WrittenHistory { revisions: &DEV[1..], ..usual(&["p1"]) },
            GITHUB,
            Err("none of `refs/remotes/origin/dev`"),
        ),
        (WrittenHistory { revisions: &DEV[1..], shallow: true, ..usual(&[]) }, GITHUB, Err("fetch-depth: 0")),
        (WrittenHistory { merge_bases: &[], shallow: true, ..usual(&[]) }, &[], Err("GIT_DEPTH: 0")),
        (WrittenHistory { merge_bases: &[], ..usual(&[]) }, &[], Err("no common commit")),
        (WrittenHistory::default(), &[], Err("none of")),
    ];
    for (history, variables, expected) in table {
        let found = choose(&history, &pipeline(variables, &Json::Null));
        match (found, expected) {
            (Ok(base), Ok((commit, role))) => {
                assert_eq!((base.commit.as_str(), base.role), (commit, role), "{variables:?}");
            }
            (Err(error), Err(words)) => assert!(error.to_string().contains(words), "{error}"),
            (found, expected) => panic!("{variables:?}: {found:?}, not {expected:?}"),
        }
    }
}

#[test]
fn the_event_names_the_base_of_a_merge_queue_and_of_a_pull_request() {
    const BASE: &str = "dddddddddddddddddddddddddddddddddddddddd";
    const TIP: &str = "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee";
    const REVISIONS: &[(&str, &str)] = &[
        (BASE, BASE),
        ("refs/remotes/origin/develop", "tip"),
        ("refs/remotes/origin/HEAD", "m"),
        ("refs/remotes/origin/main", "m"),
    ];
    const BASES: &[(&str, &str)] = &[(BASE, BASE), ("tip", "old"), ("m", "bm")];
    let queue = serde_json::json!({ "merge_group": { "base_ref": "refs/heads/develop", "base_sha": BASE } });
    let request = serde_json::json!({ "pull_request": { "base": { "sha": BASE, "ref": "develop" }, "head": { "sha": TIP } } });
    let hostile = serde_json::json!({ "merge_group": { "base_ref": "refs/heads/develop", "base_sha": "--upload-pack=x" } });
    let table = [
        ("merge_group", &queue, REVISIONS, &["p1"][..], Ok(BASE)),
        // A merge queue's commit may be a merge itself; its base is the one in the event.
        ("merge_group", &queue, REVISIONS, &["p1", "p2"], Ok(BASE)),
        // If the base is not fetched, the queue's own branch counts and no other.
        ("merge_group", &queue, &REVISIONS[1..], &["p1"], Ok("old")),
        ("merge_group", &queue, &REVISIONS[2..], &["p1"], Err("none of")),
        ("merge_group", &hostile, REVISIONS, &["p1"], Ok("old")),
        ("pull_request", &request, REVISIONS, &["p1"], Ok(BASE)),
        ("pull_request", &request, REVISIONS, &["p1", TIP], Ok("p1")),
        // The tip of the change is its own merge: its first parent belongs to the change.
        ("pull_request", &request, REVISIONS, &["p1", BASE], Ok(BASE)),
        ("pull_request", &request, REVISIONS, &["p1", "p2"], Ok(BASE)),
        ("pull_request_target", &request, REVISIONS, &["p1", "p2"], Ok(BASE)),
        ("pull_request_target", &request, REVISIONS, &["p1", TIP], Ok(BASE)),
        ("pull_request_target", &request, REVISIONS, &["p1"], Ok(BASE)),
        // Other events are ignored.
        ("push", &queue, REVISIONS, &["p1"], Ok("bm")),
    ];
    for (event, payload, revisions, parents, expected) in table {
        let history = WrittenHistory { revisions, parents, merge_bases: BASES, shallow: false };
        let pipeline = pipeline(&[("GITHUB_EVENT_NAME", event)], payload);
        match (choose(&history, &pipeline), expected) {
            (Ok(base), Ok(commit)) => assert_eq!(base.commit, commit, "{event} {payload}"),
            (Err(error), Err(words)) => assert!(error.to_string().contains(words), "{error}"),
            (found, expected) => panic!("{event} {payload}: {found:?}, not {expected:?}"),
        }
    }
}

#[test]
fn broken_baselines_are_skipped_if_an_older_one_can_be_read() {
    let line: Vec<String> = ["c0", "c1", "c2"].map(str::to_owned).into();
    let broken =
        || HistoryError::Foreign { path: "b".to_owned(), what: Kind::Baseline, reason: "no".to_owned() };
    let walk = |states: [char; 3]| {
        nearest(&line, |commit| match states[usize::from(commit.as_bytes()[1] - b'0')] {
            'b' => Ok(Some(Baseline::empty())),
            'x' => Err(broken()),
            '!' => Err(HistoryError::Git(GitError::NoCommit("x".to_owned()))),
            _ => Ok(None),
        })
    };
    let distance = |states| walk(states).unwrap().map(|(distance, _)| distance);
    assert_eq!(distance(['b', 'b', 'b']), Some(0));
    assert_eq!(distance([' ', 'b', 'b']), Some(1));
    assert_eq!(distance(['x', ' ', 'b']), Some(2));
    assert_eq!(distance([' ', ' ', ' ']), None);
    assert!(matches!(walk([' ', 'x', ' ']), Err(HistoryError::Foreign { .. })));
    assert!(matches!(walk(['!', 'b', ' ']), Err(HistoryError::Git(_))));
}
