//! Scheme, host and port of an address, which decide who receives a request.

use std::fmt;

/// Scheme, host and port. Two addresses with the same origin reach the same server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(String);

impl Origin {
    /// The origin of an http or https address; `None` for anything else.
    #[must_use]
    pub fn of(address: &str) -> Option<Self> {
        let url = reqwest::Url::parse(address.trim_end_matches('/')).ok()?;
        matches!(url.scheme(), "http" | "https").then(|| Self(url.origin().ascii_serialization()))
    }

    /// Like `of`, but only for an address that is just an origin, such as `https://llm.example.com:8443`.
    #[must_use]
    pub fn bare(address: &str) -> Option<Self> {
        let url = reqwest::Url::parse(address).ok()?;
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        let anonymous = url.username().is_empty() && url.password().is_none();
        if bare && anonymous { Self::of(address) } else { None }
    }

    /// Whether this is a server on the same machine: `localhost`, `127.0.0.1` or `[::1]`.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let host = reqwest::Url::parse(&self.0).ok();
        let host = host.as_ref().and_then(reqwest::Url::host_str);
        host.is_some_and(|host| ["localhost", "127.0.0.1", "[::1]"].contains(&host))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_scheme_host_and_port_and_nothing_else() {
        let of = |address: &str| Origin::of(address).map(|origin| origin.to_string());
        for (address, origin) in [
            ("https://API.example.com:443/v1/", Some("https://api.example.com")),
            ("http://api.example.com/v1", Some("http://api.example.com")),
            ("https://api.example.com:8443", Some("https://api.example.com:8443")),
            ("https://user:key@api.example.com/v1", Some("https://api.example.com")),
            (r"https://evil.example\@api.example.com/v1", Some("https://evil.example")),
            ("ftp://api.example.com", None),
            ("api.example.com:80", None),
            ("https://", None),
        ] {
            assert_eq!(of(address).as_deref(), origin, "{address}");
        }
        assert_eq!(Origin::bare("https://a.example/"), Origin::of("https://a.example/v1"));
        for more in
            ["https://a.example/v1", "https://a.example?x", "https://u@a.example", "a.example", "file:///"]
        {
            assert_eq!(Origin::bare(more), None, "{more}");
        }
    }

    #[test]
    fn names_that_look_like_the_same_machine_are_not() {
        let is_loopback = |address: &str| Origin::of(address).unwrap().is_loopback();
        for address in ["http://localhost:1/v1", "https://127.0.0.1", "http://[::1]:8080/v1", "http://127.1/"]
        {
            assert!(is_loopback(address), "{address}");
        }
        for address in [
            "http://localhost.evil.example",
            "http://127.0.0.1.evil.example",
            "http://10.0.0.1",
            "http://[::2]",
        ] {
            assert!(!is_loopback(address), "{address}");
        }
    }
}
