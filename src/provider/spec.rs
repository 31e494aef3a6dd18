//! What is known of a provider: its name, how it is reached, and the way out where it cannot be.

use super::Provider;
use super::endpoint::AddressError;
use crate::http::Http;
use crate::secret::Secret;

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
    /// Where, when nobody says so.
    pub address: &'static str,
    /// The variable that names another address.
    pub address_variable: Option<&'static str>,
    /// The variable that holds the key; a vendor that has one wants a key at its own address.
    pub key_variable: Option<&'static str>,
    /// The variable that names the organization.
    pub organization_variable: Option<&'static str>,
    /// The model that a new suite begins with.
    pub model: &'static str,
    /// Prepares a server; connects to nothing.
    pub connect: fn(Http, Access) -> Result<Box<dyn Provider>, AddressError>,
}

/// How to reach a server.
#[derive(Clone, Debug)]
pub struct Access {
    /// Name of the provider, for people and for the cache.
    pub provider: String,
    /// Address up to and with `/v1`.
    pub base_url: String,
    /// Key, where the server wants one.
    pub api_key: Option<Secret>,
    /// The vendor's organization.
    pub organization: Option<String>,
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
}
