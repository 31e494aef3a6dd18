//! What a token may do, as far as the forge reports it, found with a single request that only reads.

use reqwest::header::HeaderMap;
use serde_json::Value as Json;

use super::request::{self, ForgeError, address, part, usable};
use super::site::Project;
use crate::http::Http;
use crate::secret::Secret;
use crate::text;

/// GitLab lets this role and higher ones write notes: <https://docs.gitlab.com/user/permissions/>.
const REPORTER: u64 = 20;

/// What a forge reports about a token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// Its scopes, as `x-oauth-scopes` lists them; `None` for tokens of GitHub Actions and fine-grained tokens.
    pub scopes: Option<String>,
    /// Whether its role may write comments; `None` if the forge does not report it.
    pub may_comment: Option<bool>,
}

/// Asks the forge for the project, with the token.
///
/// # Errors
/// If the address or the token is unusable, the forge refuses, or no answer comes in time.
pub async fn access(project: &Project, http: &Http, token: &Secret) -> Result<Access, ForgeError> {
    usable(token)?;
    let (Project::GitHub { api, .. } | Project::GitLab { api, .. }) = project;
    let client = http.client(api).map_err(|error| ForgeError::Setup(error.to_string()))?;
    let request = match project {
        Project::GitHub { api, repository } => client
            .get(format!("{}/repos/{repository}", address(api)?))
            .header("accept", "application/vnd.github+json")
            .bearer_auth(token.expose()),
        Project::GitLab { api, project } => client
            .get(format!("{}/projects/{}", address(api)?, part(project)))
            .header("PRIVATE-TOKEN", token.expose()),
    };
    let (headers, bytes) = request::ask(request, token).await?;
    let body: Json = serde_json::from_slice(&bytes).unwrap_or_default();
    Ok(told(project, &body, &headers, token))
}

fn told(project: &Project, body: &Json, headers: &HeaderMap, token: &Secret) -> Access {
    let scopes = headers.get("x-oauth-scopes").and_then(|value| value.to_str().ok());
    let scopes = scopes.map(str::trim).filter(|scopes| !scopes.is_empty());
    let may_comment = match project {
        // Anyone who can read a public repository can comment with a personal token, but not with a workflow's token.
        Project::GitHub { .. } => None,
        Project::GitLab { .. } => {
            let permissions = &body["permissions"];
            let levels = ["project_access", "group_access"].map(|way| &permissions[way]["access_level"]);
            let level = levels.into_iter().filter_map(Json::as_u64).max();
            permissions.is_object().then(|| level.unwrap_or_default() >= REPORTER)
        }
    };
    Access { scopes: scopes.map(|scopes| text::excerpt(&token.scrub(scopes), 200)), may_comment }
}
