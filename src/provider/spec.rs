//! What is known of a provider: its name, how it is reached, and the way out where it cannot be.

use super::Provider;
use super::access::{Access, Api, ConnectError};
use super::dialect::Dialect;
use super::server::Server;
use crate::http::Http;

/// A provider that may be named.
#[derive(Debug)]
pub struct Spec {
    /// Its name under `provider:`.
    pub name: &'static str,
    /// How it is asked.
    pub means: Means,
}

/// How a provider is asked.
#[derive(Debug)]
pub enum Means {
    /// Over the network.
    Network(Vendor),
    /// As the user's own files say.
    Own,
    /// Not at all: its answers were recorded.
    Recorded,
    /// Not by this version; how to test it all the same.
    NotYet(&'static str),
}

/// How a vendor's servers are reached.
#[derive(Debug)]
pub struct Vendor {
    /// Where, when nobody says so; empty where everybody has an address of their own.
    pub address: &'static str,
    /// The variable that names another address.
    pub address_variable: Option<&'static str>,
    /// The variables that may hold the key, the first that is set counts; a vendor that has one wants a key at its own
    /// address.
    pub key_variables: &'static [&'static str],
    /// The variable that names the organization.
    pub organization_variable: Option<&'static str>,
    /// The model that a new suite begins with.
    pub model: &'static str,
    /// How requests are written and answers read.
    pub(super) dialect: &'static dyn Dialect,
    /// The same for `api: responses`, where there is one.
    pub(super) responses: Option<&'static dyn Dialect>,
}

impl Vendor {
    /// Prepares a server; connects to nothing.
    ///
    /// # Errors
    /// When the access cannot be used.
    pub fn connect(&self, http: Http, access: Access) -> Result<Box<dyn Provider>, ConnectError> {
        let dialect = match access.options.api {
            Some(Api::Responses) => self.responses.ok_or(ConnectError::Api)?,
            Some(Api::Chat) | None => self.dialect,
        };
        Ok(Box::new(Server::new(http, access, dialect)?))
    }
}

impl Spec {
    /// How it is reached, where it is.
    #[must_use]
    pub fn vendor(&'static self) -> Option<&'static Vendor> {
        match &self.means {
            Means::Network(vendor) => Some(vendor),
            Means::Own | Means::Recorded | Means::NotYet(_) => None,
        }
    }

    /// Whether it can be named to be asked.
    #[must_use]
    pub const fn is_offered(&self) -> bool {
        !matches!(self.means, Means::NotYet(_))
    }
}
