//! The operations that comments need from a forge: identify the account, list, create, update and delete comments, and
//! find the newest commit.

use super::github::GitHub;
use super::gitlab::GitLab;
use super::request::{ForgeError, Head, Posted};
use super::site::Project;
use crate::http::Http;
use crate::secret::Secret;

/// The forge of a project.
pub(super) enum Forge {
    GitHub(GitHub),
    GitLab(GitLab),
}

impl Forge {
    /// Prepares the client; sends nothing. Must be called within a runtime.
    pub(super) fn new(project: &Project, http: &Http, token: Secret) -> Result<Self, ForgeError> {
        let (Project::GitHub { api, .. } | Project::GitLab { api, .. }) = project;
        let client = http.client(api).map_err(|error| ForgeError::Setup(error.to_string()))?.clone();
        match project {
            Project::GitHub { api, repository } => {
                GitHub::new(client, api, repository, token).map(Forge::GitHub)
            }
            Project::GitLab { api, project } => GitLab::new(client, api, project, token).map(Forge::GitLab),
        }
    }

    /// The name under which comments are written.
    pub(super) async fn me(&self) -> Result<String, ForgeError> {
        match self {
            Forge::GitHub(forge) => forge.me().await,
            Forge::GitLab(forge) => forge.me().await,
        }
    }

    /// A page of comments, oldest first, and whether there are more; pages are numbered from 1.
    pub(super) async fn page(&self, change: u64, page: u32) -> Result<(Vec<Posted>, bool), ForgeError> {
        match self {
            Forge::GitHub(forge) => forge.page(change, page).await,
            Forge::GitLab(forge) => forge.page(change, page).await,
        }
    }

    pub(super) async fn create(&self, change: u64, body: &str) -> Result<Posted, ForgeError> {
        match self {
            Forge::GitHub(forge) => forge.create(change, body).await,
            Forge::GitLab(forge) => forge.create(change, body).await,
        }
    }

    pub(super) async fn update(&self, change: u64, id: u64, body: &str) -> Result<Posted, ForgeError> {
        match self {
            Forge::GitHub(forge) => forge.update(id, body).await,
            Forge::GitLab(forge) => forge.update(change, id, body).await,
        }
    }

    pub(super) async fn delete(&self, change: u64, id: u64) -> Result<(), ForgeError> {
        match self {
            Forge::GitHub(forge) => forge.delete(id).await,
            Forge::GitLab(forge) => forge.delete(change, id).await,
        }
    }

    /// The newest commit of a change.
    pub(super) async fn head(&self, change: u64) -> Result<Head, ForgeError> {
        match self {
            Forge::GitHub(forge) => forge.head(change).await,
            Forge::GitLab(forge) => forge.head(change).await,
        }
    }

    /// The open changes that contain a commit, or come from a branch.
    pub(super) async fn changes(&self, commit: &str, from: Option<&str>) -> Result<Vec<Head>, ForgeError> {
        match self {
            Forge::GitHub(forge) => forge.changes(commit, from).await,
            Forge::GitLab(forge) => forge.changes(commit).await,
        }
    }
}
