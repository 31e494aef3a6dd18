//! What akit knows about a provider: its name, how it is reached, and what to use if it is not supported.

use super::Provider;
use super::access::{Access, Api, ConnectError};
use super::dialect::Dialect;
use super::server::Server;
use crate::http::Http;

/// A provider that `provider:` may name.
#[derive(Debug)]
pub struct Spec {
    /// Its name under `provider:`.
    pub name: &'static str,
    /// How it is called.
    pub means: Means,
}

/// How a provider is called.
#[derive(Debug)]
pub enum Means {
    /// Over the network.
    Network(Vendor),
    /// As configured, for `http` and `command`.
    Own,
    /// Not at all: its answers are recorded.
    Recorded,
    /// Not supported in this version; what to use instead.
    NotYet(&'static str),
}

/// How a vendor's servers are reached.
#[derive(Debug)]
pub struct Vendor {
    /// Default address; empty if every customer has their own.
    pub address: &'static str,
    /// The variable that sets another address.
    pub address_variable: Option<&'static str>,
    /// The variables for the key; the first one that is set counts. If there are any, the vendor's own address needs a
    /// key.
    pub key_variables: &'static [&'static str],
    /// The variable for the organization.
    pub organization_variable: Option<&'static str>,
    /// The model for a new suite.
    pub model: &'static str,
    /// How requests are written and answers read.
    pub(super) dialect: &'static dyn Dialect,
    /// The dialect of `api: responses`, if supported.
    pub(super) responses: Option<&'static dyn Dialect>,
}

impl Vendor {
    /// Prepares a server; connects to nothing.
    ///
    /// # Errors
    /// If the access cannot be used.
    pub fn connect(&self, http: Http, access: Access) -> Result<Box<dyn Provider>, ConnectError> {
        let dialect = match access.options.api {
            Some(Api::Responses) => self.responses.ok_or(ConnectError::Api)?,
            Some(Api::Chat) | None => self.dialect,
        };
        Ok(Box::new(Server::new(http, access, dialect)?))
    }
}

impl Spec {
    /// How it is reached over the network, if it is.
    #[must_use]
    pub fn vendor(&'static self) -> Option<&'static Vendor> {
        match &self.means {
            Means::Network(vendor) => Some(vendor),
            Means::Own | Means::Recorded | Means::NotYet(_) => None,
        }
    }

    /// Whether this version supports it.
    #[must_use]
    pub const fn is_offered(&self) -> bool {
        !matches!(self.means, Means::NotYet(_))
    }
}
