//! Pull requests on GitHub and GitHub Enterprise Server, with octocrab on the shared HTTP client.
//!
//! octocrab's own retries stay off, because they repeat a POST at once. Neither redirects nor addresses in responses
//! are followed, so that the token goes to only one host.

use octocrab::Octocrab;
use octocrab::service::middleware::retry::RetryConfig;
use reqwest::header::HeaderName;
use serde::Deserialize;
use serde_json::json;

use super::request::{ForgeError, Head, MOST_PAGES, PER_PAGE, Posted, TIMEOUT, address, part, usable};
use crate::secret::Secret;

/// The author of comments with GitHub Actions' token; that token cannot look up its own account.
const ACTIONS: &str = "github-actions[bot]";

pub(super) struct GitHub {
    client: Octocrab,
    /// `/repos/owner/name`.
    path: String,
    token: Secret,
}

#[derive(Deserialize)]
struct User {
    login: String,
}

#[derive(Deserialize)]
struct Comment {
    id: u64,
    body: Option<String>,
    user: Option<User>,
    html_url: String,
}

#[derive(Deserialize)]
struct Pull {
    number: u64,
    state: Option<String>,
    head: Commit,
}

#[derive(Deserialize)]
struct Commit {
    sha: String,
}

impl From<Comment> for Posted {
    fn from(comment: Comment) -> Self {
        Self {
            id: comment.id,
            author: comment.user.map(|user| user.login).unwrap_or_default(),
            body: comment.body.unwrap_or_default(),
            place: comment.html_url,
        }
    }
}

impl GitHub {
    pub(super) fn new(
        client: reqwest::Client,
        api: &str,
        repository: &str,
        token: Secret,
    ) -> Result<Self, ForgeError> {
        usable(&token)?;
        let setup = |error: octocrab::Error| ForgeError::Setup(error.to_string());
        let client = Octocrab::builder()
            .base_uri(address(api)?)
            .map_err(setup)?
            .personal_token(token.expose().to_owned())
            .add_retry_config(RetryConfig::None)
            .add_header(HeaderName::from_static("x-github-api-version"), "2022-11-28".to_owned())
            .build_with_reqwest(client)
            .map_err(setup)?;
        Ok(Self { client, path: format!("/repos/{repository}"), token })
    }

    pub(super) async fn me(&self) -> Result<String, ForgeError> {
        match self.ask::<User>(self.client.get("/user", None::<&()>)).await {
            Ok(user) => Ok(user.login),
            Err(ForgeError::Refused { status: 403 | 404, .. }) => Ok(ACTIONS.to_owned()),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn page(&self, pull: u64, page: u32) -> Result<(Vec<Posted>, bool), ForgeError> {
        let route = format!("{}/issues/{pull}/comments?per_page={PER_PAGE}&page={page}", self.path);
        let found: octocrab::Page<Comment> = self.ask(self.client.get(route, None::<&()>)).await?;
        let more = found.next.is_some() && page < MOST_PAGES;
        Ok((found.items.into_iter().map(Posted::from).collect(), more))
    }

    pub(super) async fn create(&self, pull: u64, body: &str) -> Result<Posted, ForgeError> {
        let route = format!("{}/issues/{pull}/comments", self.path);
        let body = json!({ "body": body });
        self.ask::<Comment>(self.client.post(route, Some(&body))).await.map(Posted::from)
    }

    pub(super) async fn update(&self, id: u64, body: &str) -> Result<Posted, ForgeError> {
        let route = format!("{}/issues/comments/{id}", self.path);
        let body = json!({ "body": body });
        self.ask::<Comment>(self.client.patch(route, Some(&body))).await.map(Posted::from)
    }

    pub(super) async fn delete(&self, id: u64) -> Result<(), ForgeError> {
        let route = format!("{}/issues/comments/{id}", self.path);
        let done = async {
            let answer = self.client._delete(route, None::<&()>).await?;
            octocrab::map_github_error(answer).await
        };
        self.ask(done).await.map(|_| ())
    }

    pub(super) async fn head(&self, pull: u64) -> Result<Head, ForgeError> {
        let route = format!("{}/pulls/{pull}", self.path);
        let pull: Pull = self.ask(self.client.get(route, None::<&()>)).await?;
        Ok(Head { number: pull.number, commit: pull.head.sha })
    }

    pub(super) async fn changes(&self, commit: &str, from: Option<&str>) -> Result<Vec<Head>, ForgeError> {
        let of_commit = format!("{}/commits/{commit}/pulls?per_page={PER_PAGE}", self.path);
        let mut found = match self.pulls(of_commit).await {
            // This is how GitHub says that the repository has no such commit.
            Err(ForgeError::Refused { status: 422, .. }) => Vec::new(),
            found => found?,
        };
        // The repository does not always know a commit of a fork.
        if let Some(from) = from.filter(|_| !found.iter().any(|head| head.commit == commit)) {
            let owner_and_branch = from.split(':').map(part).collect::<Vec<_>>().join(":");
            found = self.pulls(format!("{}/pulls?state=open&head={owner_and_branch}", self.path)).await?;
        }
        Ok(found)
    }

    async fn pulls(&self, route: String) -> Result<Vec<Head>, ForgeError> {
        let found: Vec<Pull> = self.ask(self.client.get(route, None::<&()>)).await?;
        let open = found.into_iter().filter(|pull| pull.state.as_deref().is_none_or(|state| state == "open"));
        Ok(open.map(|pull| Head { number: pull.number, commit: pull.head.sha }).collect())
    }

    /// Waits for an answer, up to the time limit.
    async fn ask<T>(
        &self,
        asking: impl Future<Output = Result<T, octocrab::Error>>,
    ) -> Result<T, ForgeError> {
        match tokio::time::timeout(TIMEOUT, asking).await {
            Ok(answer) => answer.map_err(|error| self.wrong(&error)),
            Err(_) => Err(ForgeError::Unclear(format!("nothing arrived within {} s", TIMEOUT.as_secs()))),
        }
    }

    fn wrong(&self, error: &octocrab::Error) -> ForgeError {
        match error {
            octocrab::Error::GitHub { source, .. } => {
                let status = source.status_code.as_u16();
                ForgeError::of(status, &source.message, source.headers.as_ref(), &self.token)
            }
            error => {
                // The innermost cause says what happened; the outer ones contain the address.
                let mut inner: &dyn std::error::Error = error;
                while let Some(next) = inner.source() {
                    inner = next;
                }
                let text = self.token.scrub(&inner.to_string());
                ForgeError::Unclear(crate::text::excerpt(text.lines().next().unwrap_or_default(), 200))
            }
        }
    }
}
