//! How to reach a server, and its options.

use serde_json::{Map, Value as Json, json};
use strum::{Display, EnumString, VariantNames};

use super::endpoint::AddressError;
use crate::secret::Secret;

/// How to reach a server.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Access {
    /// Name of the provider, for display and the cache key.
    pub provider: String,
    /// Address up to and including `/v1`.
    pub base_url: String,
    /// Key, if the server needs one.
    pub api_key: Option<Secret>,
    /// The vendor's organization.
    pub organization: Option<String>,
    /// Other options.
    pub options: Options,
}

/// The API of a vendor with several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Display, EnumString, VariantNames)]
#[strum(serialize_all = "lowercase")]
pub enum Api {
    /// Chat completions.
    Chat,
    /// OpenAI's Responses.
    Responses,
}

/// Options of a server.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// Which API to use.
    pub api: Option<Api>,
    /// Azure's deployment of the model.
    pub deployment: Option<String>,
    /// Azure's deployment for embeddings.
    pub embedding_deployment: Option<String>,
    /// Azure's API version.
    pub api_version: Option<String>,
    /// The model behind a deployment.
    pub family: Option<String>,
    /// Extra headers.
    pub headers: Vec<Header>,
    /// Extra members of the body.
    pub extra_body: Map<String, Json>,
    /// Whether answers are streamed.
    pub stream: bool,
}

/// A header of a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// Its name.
    pub name: String,
    /// Its value as written, with `${NAME}`.
    pub written: String,
    /// The value with the environment's variables filled in.
    pub value: Option<Secret>,
    /// Its secret parts, which are not shown.
    pub secrets: Vec<Secret>,
}

impl Header {
    /// The value for display; a key written directly is hidden.
    #[must_use]
    pub fn shown(&self) -> &str {
        if self.is_credential() && !self.written.contains("${") { "***" } else { &self.written }
    }

    /// Whether its name suggests a secret.
    #[must_use]
    pub fn is_credential(&self) -> bool {
        const WORDS: [&str; 7] = ["auth", "key", "token", "secret", "cookie", "password", "session"];
        let name = self.name.to_ascii_lowercase();
        WORDS.iter().any(|word| name.contains(word))
    }
}

impl Options {
    /// These options, completed by `others`.
    #[must_use]
    pub fn or(&self, others: &Self) -> Self {
        let own =
            |header: &&Header| !self.headers.iter().any(|own| own.name.eq_ignore_ascii_case(&header.name));
        let headers = self.headers.iter().chain(others.headers.iter().filter(own));
        let either = |one: &Option<String>, other: &Option<String>| one.clone().or_else(|| other.clone());
        Self {
            api: self.api.or(others.api),
            deployment: either(&self.deployment, &others.deployment),
            embedding_deployment: either(&self.embedding_deployment, &others.embedding_deployment),
            api_version: either(&self.api_version, &others.api_version),
            family: either(&self.family, &others.family),
            headers: headers.cloned().collect(),
            extra_body: others.extra_body.clone().into_iter().chain(self.extra_body.clone()).collect(),
            stream: self.stream || others.stream,
        }
    }

    /// The options that affect answers, by key, without secrets. Streaming does not.
    #[must_use]
    pub fn told(&self) -> Vec<(&'static str, Json)> {
        let text = |text: &Option<String>| text.as_ref().map(|text| json!(text));
        let headers = self.headers.iter().map(|header| (header.name.to_lowercase(), json!(header.shown())));
        let headers: Map<String, Json> = headers.collect();
        let all = [
            ("api", self.api.map(|api| json!(api.to_string()))),
            ("apiVersion", text(&self.api_version)),
            ("deploymentName", text(&self.deployment)),
            ("embeddingDeploymentName", text(&self.embedding_deployment)),
            ("extraBody", (!self.extra_body.is_empty()).then(|| self.extra_body.clone().into())),
            ("headers", (!headers.is_empty()).then(|| headers.into())),
        ];
        all.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
    }

    /// These options for the cache key; `None` if there are none.
    #[must_use]
    pub fn keyed(&self) -> Option<Json> {
        let told: Map<String, Json> =
            self.told().into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        (!told.is_empty()).then(|| told.into())
    }
}

/// Why a server cannot be called as configured.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Its address is not usable.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// A header cannot be sent.
    #[error("cannot send header `{0}`")]
    Header(String),
    /// The configuration sets a member of the body that akit writes itself.
    #[error("`extraBody` has `{0}`, which akit sets itself")]
    Body(String),
    /// The configuration names an API that the provider does not have.
    #[error("this provider has no Responses API")]
    Api,
}

impl ConnectError {
    /// The key that is wrong.
    #[must_use]
    pub fn key(&self) -> &'static str {
        match self {
            Self::Address(_) => "baseUrl",
            Self::Header(_) => "headers",
            Self::Body(_) => "extraBody",
            Self::Api => "api",
        }
    }

    /// How to fix it.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::Address(_) => "write it as `http://127.0.0.1:8080/v1`",
            Self::Header(_) => {
                "use letters, digits and hyphens in the name, one line in the value, and no header of the connection itself"
            }
            Self::Body(_) => "use the scenario's own keys, such as `temperature:` and `maxTokens:`",
            Self::Api => "remove `api:`; only providers `openai` and `azure-openai` have it",
        }
    }
}
