//! Notes on GitLab merge requests, with four endpoints.
//!
//! Needs a token with the scope `api`: a job's own token can read notes but not write them.

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::request::{self, ForgeError, Head, MOST_PAGES, PER_PAGE, Posted, address, part, usable};
use crate::secret::Secret;

pub(super) struct GitLab {
    client: reqwest::Client,
    api: String,
    /// `/projects/42`.
    path: String,
    token: Secret,
}

#[derive(Deserialize)]
struct User {
    username: String,
}

#[derive(Deserialize)]
struct Note {
    id: u64,
    #[serde(default)]
    body: String,
    author: Option<User>,
}

#[derive(Deserialize)]
struct Request {
    iid: u64,
    #[serde(default)]
    sha: Option<String>,
    state: Option<String>,
}

impl Note {
    fn posted(self, request: u64) -> Posted {
        Posted {
            place: format!("note {} of merge request !{request}", self.id),
            id: self.id,
            author: self.author.map(|author| author.username).unwrap_or_default(),
            body: self.body,
        }
    }
}

impl GitLab {
    pub(super) fn new(
        client: reqwest::Client,
        api: &str,
        project: &str,
        token: Secret,
    ) -> Result<Self, ForgeError> {
        usable(&token)?;
        let api = address(api)?.to_owned();
        Ok(Self { client, api, path: format!("/projects/{}", part(project)), token })
    }

    pub(super) async fn me(&self) -> Result<String, ForgeError> {
        let user: User = read(&self.ask(Method::GET, "/user", None).await?.0)?;
        Ok(user.username)
    }

    pub(super) async fn page(&self, request: u64, page: u32) -> Result<(Vec<Posted>, bool), ForgeError> {
        let query = format!("?per_page={PER_PAGE}&page={page}&sort=asc&order_by=created_at");
        let path = format!("{}/merge_requests/{request}/notes{query}", self.path);
        let (body, more) = self.ask(Method::GET, &path, None).await?;
        let notes: Vec<Note> = read(&body)?;
        Ok((notes.into_iter().map(|note| note.posted(request)).collect(), more && page < MOST_PAGES))
    }

    pub(super) async fn create(&self, request: u64, body: &str) -> Result<Posted, ForgeError> {
        let path = format!("{}/merge_requests/{request}/notes", self.path);
        let note: Note = read(&self.ask(Method::POST, &path, Some(json!({ "body": body }))).await?.0)?;
        Ok(note.posted(request))
    }

    pub(super) async fn update(&self, request: u64, id: u64, body: &str) -> Result<Posted, ForgeError> {
        let path = format!("{}/merge_requests/{request}/notes/{id}", self.path);
        let note: Note = read(&self.ask(Method::PUT, &path, Some(json!({ "body": body }))).await?.0)?;
        Ok(note.posted(request))
    }

    pub(super) async fn delete(&self, request: u64, id: u64) -> Result<(), ForgeError> {
        let path = format!("{}/merge_requests/{request}/notes/{id}", self.path);
        self.ask(Method::DELETE, &path, None).await.map(|_| ())
    }

    pub(super) async fn head(&self, request: u64) -> Result<Head, ForgeError> {
        let path = format!("{}/merge_requests/{request}", self.path);
        let found: Request = read(&self.ask(Method::GET, &path, None).await?.0)?;
        Ok(Head { number: found.iid, commit: found.sha.unwrap_or_default() })
    }

    pub(super) async fn changes(&self, commit: &str) -> Result<Vec<Head>, ForgeError> {
        let path = format!("{}/repository/commits/{}/merge_requests", self.path, part(commit));
        let found: Vec<Request> = read(&self.ask(Method::GET, &path, None).await?.0)?;
        let open = found.into_iter().filter(|one| one.state.as_deref() == Some("opened"));
        Ok(open.map(|one| Head { number: one.iid, commit: one.sha.unwrap_or_default() }).collect())
    }

    /// The body of an answer, and whether more pages follow.
    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<Json>,
    ) -> Result<(Vec<u8>, bool), ForgeError> {
        let mut request = self.client.request(method, format!("{}{path}", self.api));
        request = request.header("PRIVATE-TOKEN", self.token.expose());
        if let Some(body) = body {
            request = request.json(&body);
        }
        let (headers, bytes) = request::ask(request, &self.token).await?;
        Ok((bytes, headers.get("x-next-page").is_some_and(|next| !next.is_empty())))
    }
}

fn read<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, ForgeError> {
    serde_json::from_slice(bytes).map_err(|error| ForgeError::Unclear(crate::text::json::trouble(&error)))
}
