//! Endpoints: an endpoint is a whole address, because one host can serve several applications.

use std::fmt;

use reqwest::Url;
use sha2::{Digest, Sha256};

use super::own::without_keys;
use crate::text;

/// Endings of an address that belong to a call, not to the server.
const CALLS: [&str; 4] = ["/chat/completions", "/responses", "/embeddings", "/messages"];

/// The path of most servers.
const USUAL_PATH: &str = "/v1";

/// Where requests go.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Endpoint {
    /// Name of the provider.
    pub provider: String,
    /// Host, with the port if it is not the default.
    pub host: String,
    /// Scheme, host, port, path and a digest of the query: the query may contain a key, so it is not stored itself.
    pub address: String,
}

/// Why an address cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("`{url}` is not a usable address: {reason}")]
pub struct AddressError {
    url: String,
    reason: String,
}

/// The address of a server, without the path of a call, fragment and credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address(Url);

impl Address {
    /// Parses an address as people write it: surrounding spaces, trailing slashes and the path of a call are removed.
    pub(super) fn parse(written: &str) -> Result<Self, AddressError> {
        let Self(mut url) = Self::exact(written)?;
        let path = url.path().trim_end_matches('/');
        let path = CALLS.iter().find_map(|call| path.strip_suffix(call)).unwrap_or(path);
        let path = path.trim_end_matches('/').to_owned();
        url.set_path(&path);
        Ok(Self(url))
    }

    /// Parses an address as written, except for surrounding spaces.
    pub(super) fn exact(written: &str) -> Result<Self, AddressError> {
        let written = written.trim();
        let wrong = |reason: &str| {
            // An invalid address may contain a password or be a key, and so may a query.
            let before = written.split(['?', '#']).next().unwrap_or_default();
            let host = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-:/".contains(c);
            let bare = before.len() < 60 && before.contains(['.', ':']) && before.chars().all(host);
            let shown = !written.contains('@') && (bare || written.contains("://"));
            let url = if shown { before } else { "" };
            let more = if url.len() < written.len() { "…" } else { "" };
            AddressError { url: text::excerpt(&without_keys(url), 100) + more, reason: reason.to_owned() }
        };
        if written.contains(char::is_whitespace) {
            return Err(wrong("it contains a space"));
        }
        if !written.contains("://") {
            return Err(wrong("it must start with http:// or https://"));
        }
        let mut url = Url::parse(written).map_err(|error| wrong(&error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong("it must start with http:// or https://"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(AddressError {
                url: url.host_str().unwrap_or_default().to_owned(),
                reason: "credentials do not belong in an address; use `apiKey`".to_owned(),
            });
        }
        if url.host_str().is_none() {
            return Err(wrong("it has no host"));
        }
        if url.fragment().is_some() {
            return Err(wrong("a fragment (`#…`) is never sent; remove it"));
        }
        if url.query() == Some("") {
            url.set_query(None);
        }
        Ok(Self(url))
    }

    /// The address of a call, such as `/chat/completions`; queries of address and call are joined.
    pub(super) fn call(&self, name: &str) -> reqwest::Url {
        let (name, query) = name.split_once('?').unwrap_or((name, ""));
        let mut url = self.0.clone();
        url.set_path(&format!("{}{name}", self.path()));
        if !query.is_empty() {
            let all = [url.query().unwrap_or_default(), query].join("&");
            url.set_query(Some(all.trim_start_matches('&')));
        }
        url
    }

    /// This address with a version appended, unless it ends with one.
    pub(super) fn in_version(self, version: &str) -> Self {
        let last = self.path().rsplit('/').next().unwrap_or_default();
        let is_version =
            last.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        let path = format!("{}{version}", self.path());
        if is_version { self } else { self.at(&path) }
    }

    /// This address with another path.
    pub(super) fn at(mut self, path: &str) -> Self {
        self.0.set_path(path);
        self
    }

    /// This address with a parameter in its query.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        let others: Vec<(String, String)> = self
            .0
            .query_pairs()
            .filter(|(known, _)| known != name)
            .map(|(a, b)| (a.into(), b.into()))
            .collect();
        self.0.query_pairs_mut().clear().extend_pairs(others).append_pair(name, value);
        self
    }

    /// The error that says why this address cannot be used.
    pub(super) fn wrong(&self, reason: &str) -> AddressError {
        AddressError { url: self.shown(""), reason: reason.to_owned() }
    }

    /// This address for display, without the query, which may contain a key, and without keys in its path.
    pub(super) fn shown(&self, name: &str) -> String {
        let shown = self.clone().at(&without_keys(self.path()));
        shown.call(name).as_str().split('?').next().unwrap_or_default().to_owned()
    }

    /// The path without trailing slashes.
    pub(super) fn path(&self) -> &str {
        self.0.path().trim_end_matches('/')
    }

    /// The endpoint of a provider at this address.
    pub(super) fn endpoint(&self, provider: &str) -> Endpoint {
        let name = self.0.host_str().unwrap_or_default();
        let host = match self.0.port() {
            Some(port) => format!("{name}:{port}"),
            None => name.to_owned(),
        };
        // An address without a path has a single slash.
        let path = Some(self.0.path()).filter(|path| *path != "/").unwrap_or_default();
        let mut address = format!("{}://{host}{path}", self.0.scheme());
        if let Some(query) = self.0.query() {
            let digest = text::hex(&Sha256::digest(query)[..8]);
            address.extend(["?sha256:", &digest]);
        }
        Endpoint { provider: provider.to_owned(), host, address }
    }
}

impl Endpoint {
    /// Checks an address.
    ///
    /// # Errors
    /// If it is not a usable address.
    pub fn check(address: &str) -> Result<(), AddressError> {
        Address::parse(address).map(|_| ())
    }

    /// A server at `/v1` of a host.
    #[must_use]
    pub fn at_host(provider: &str, host: &str) -> Self {
        let address = format!("https://{host}{USUAL_PATH}");
        Self { provider: provider.to_owned(), host: host.to_owned(), address }
    }

    /// Whether the host alone identifies this server: its path is `/v1`, and there is no query.
    #[must_use]
    pub fn is_usual(&self) -> bool {
        self.address.split_once("://").and_then(|(_, rest)| rest.strip_prefix(&self.host)) == Some(USUAL_PATH)
    }

    /// Identifies this server in stored hashes: the host if that is enough, so hashes of earlier versions stay the
    /// same, or else the whole address.
    #[must_use]
    pub fn identity(&self) -> &str {
        if self.is_usual() { &self.host } else { &self.address }
    }

    /// The host of an address, with the port if it is not the default.
    #[must_use]
    pub fn host_of(address: &str) -> Option<String> {
        Some(Address::parse(address).ok()?.endpoint("").host)
    }

    /// Whether this is the server at an address.
    #[must_use]
    pub fn is_at(&self, address: &str) -> bool {
        Address::parse(address).is_ok_and(|other| other.endpoint(&self.provider).address == self.address)
    }

    /// Host and path for display, without the usual path, and without keys in the path.
    #[must_use]
    pub fn place(&self) -> String {
        if self.is_usual() {
            return self.host.clone();
        }
        let whole = self.address.split('?').next().unwrap_or_default();
        let shown = without_keys(whole);
        shown.split_once("://").map_or(shown.clone(), |(_, place)| place.to_owned())
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.provider, self.place())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_people_write_it() {
        let table = [
            ("http://127.0.0.1:8091/v1/", "127.0.0.1:8091", "http://127.0.0.1:8091/v1"),
            (" https://api.example.com/v1\n", "api.example.com", "https://api.example.com/v1"),
            ("https://API.example.com:443/v1", "api.example.com", "https://api.example.com/v1"),
            ("https://h/v1/chat/completions", "h", "https://h/v1"),
            ("https://h/v1/chat/completions/", "h", "https://h/v1"),
            ("https://h/a/../b/v1", "h", "https://h/b/v1"),
            ("https://h", "h", "https://h"),
            ("https://h/", "h", "https://h"),
            ("https://h/v1?", "h", "https://h/v1"),
            ("https://h/v1?api-version=1", "h", "https://h/v1?sha256:1e8e7d2f9f2f7f9e"),
            ("http://[::1]:8080/v1", "[::1]:8080", "http://[::1]:8080/v1"),
        ];
        for (written, host, address) in table {
            let endpoint = Address::parse(written).unwrap().endpoint("openai");
            assert_eq!(endpoint.host, host, "{written}");
            let cut = |text: &str| text.split("sha256:").next().unwrap().to_owned();
            assert_eq!(cut(&endpoint.address), cut(address), "{written}");
        }
    }

    #[test]
    fn an_invalid_address_is_refused_without_showing_its_password() {
        for wrong in [
            "api.openai.com",
            "ftp://x/v1",
            "http://user:s3cret@x/v1",
            "http://u:s3cret@[::1/v1",
            "ht!tp://s3cret:x@h",
            "",
            " ",
            "https://h/v 1",
            "https://h/v1 https://i/v1",
            "https://h\t/v1",
            "https://h/v1#part",
            "https://h/v1#",
            "https://h/v1?key=s3cret#part",
            "https://h:99999/v1?key=s3cret",
            "https://h/v1?key=s3cret and more",
            "h/v1?s3cret",
            "sk-s3cret",
            "SG.s3cret.s3cret",
        ] {
            let error = Address::parse(wrong).unwrap_err().to_string();
            assert!(!error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn the_call_comes_before_the_query() {
        let call = |written: &str| Address::parse(written).unwrap().call("/chat/completions").to_string();
        for (written, expected) in [
            ("https://h/v1", "https://h/v1/chat/completions"),
            ("https://h", "https://h/chat/completions"),
            ("https://h/v1/?api-version=2", "https://h/v1/chat/completions?api-version=2"),
            ("https://h/v1/chat/completions?a=b&c", "https://h/v1/chat/completions?a=b&c"),
        ] {
            assert_eq!(call(written), expected);
        }
    }

    #[test]
    fn a_version_and_a_query_come_once() {
        let address = |written: &str| Address::parse(written).unwrap().in_version("/v1");
        for (written, expected) in [
            ("https://h", "https://h/v1/messages"),
            ("https://h/v1/", "https://h/v1/messages"),
            ("https://h/v1/messages", "https://h/v1/messages"),
            ("https://h/v1beta", "https://h/v1beta/messages"),
            ("https://h/gate/way?a=b", "https://h/gate/way/v1/messages?a=b"),
        ] {
            assert_eq!(address(written).call("/messages").as_str(), expected);
        }
        let of = address("https://h?a=b&c=d").with("c", "e f");
        assert_eq!(of.call("/m:x?alt=sse").as_str(), "https://h/v1/m:x?a=b&c=e+f&alt=sse");
        assert_eq!(address("https://h").call("/m?alt=sse").as_str(), "https://h/v1/m?alt=sse");
    }

    #[test]
    fn a_key_in_the_path_is_not_shown() {
        for (written, place) in [
            ("https://a1b2c3d4e5.example/gate/abcdefghijklmnopqrstuvwx/v1", "a1b2c3d4e5.example/gate/***/v1"),
            ("https://h/k3y4k3y4/v1?a=b", "h/***/v1"),
            (
                "https://h/openai/deployments/gpt-4o-mini-2024-07-18",
                "h/openai/deployments/gpt-4o-mini-2024-07-18",
            ),
        ] {
            let address = Address::parse(written).unwrap();
            assert_eq!(address.endpoint("openai").place(), place);
            let shown = format!("https://{place}/models/m:streamGenerateContent");
            assert_eq!(address.shown("/models/m:streamGenerateContent?alt=sse"), shown);
        }
        let wrong = Address::parse("https://h/abcdefghijklmnopqrstuvwx/v 1").unwrap_err().to_string();
        assert!(wrong.starts_with("`https://h/***/v 1"), "{wrong}");
    }

    #[test]
    fn two_addresses_are_one_server_only_if_every_part_is_the_same() {
        let identity =
            |address: &str| Address::parse(address).unwrap().endpoint("openai").identity().to_owned();
        let all = [
            "https://h/v1",
            "https://h/a/v1",
            "https://h/b/v1",
            "https://h",
            "https://h/v2",
            "https://h/v1/v1",
            "https://h/v1?deployment=a",
            "https://h/v1?deployment=b",
            "https://h:8443/v1",
            "http://h/a/v1",
            "https://i/v1",
        ];
        for (n, one) in all.iter().enumerate() {
            for other in &all[..n] {
                assert_ne!(identity(one), identity(other), "{one} {other}");
            }
        }
        // Version 1 hashes contain only the host.
        assert_eq!(identity("https://h/v1/"), "h");
        assert_eq!(identity("http://h:1/v1"), "h:1");
        assert!(!identity("https://h/v1?key=sk-secret").contains("secret"));
    }
}
