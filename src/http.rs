//! One HTTPS client for providers and forges: built on first use, with bounded reads.

use std::cell::Cell;
use std::io::ErrorKind;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use reqwest::header::HeaderMap;

use crate::text;

/// Maximum size of a body, in bytes.
pub const MAX_BODY: usize = 32 * 1024 * 1024;

/// Maximum size of a file with certificates, in bytes.
const MAX_BUNDLE: u64 = 16 * 1024 * 1024;

/// Maximum number of characters in a cause.
const LONGEST_CAUSE: usize = 300;

/// Why the client could not be built.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// A certificate file that cannot be used.
    #[error("cannot use the certificates in {path}: {reason}")]
    Certificates {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
    /// Anything else.
    #[error("cannot prepare HTTPS: {0}")]
    Client(String),
}

/// Number of threads that may have their own connections.
pub const CREWS: usize = 8;

/// A client for each of those threads, built on first use; the last one is for all other threads.
type Built = Arc<[OnceLock<Result<reqwest::Client, HttpError>>; CREWS + 1]>;

thread_local! {
    static CREW: Cell<usize> = const { Cell::new(CREWS) };
}

/// Gives this thread its own connections, because a connection driven by another thread wakes that thread for every
/// answer. Numbers go up to [`CREWS`].
pub fn keep_apart(number: usize) {
    CREW.set(number.min(CREWS));
}

/// The shared client.
#[derive(Clone, Debug)]
pub struct Http {
    client: Built,
    /// Clients that use no proxy, for addresses on this machine.
    direct: Built,
    certificates: Vec<reqwest::Certificate>,
}

impl Http {
    /// Reads the extra certificates, if any; connects to nothing.
    pub fn new(ca_bundle: Option<&std::path::Path>) -> Result<Self, HttpError> {
        let mut certificates = Vec::new();
        if let Some(path) = ca_bundle {
            let wrong =
                |reason: String| HttpError::Certificates { path: crate::source::slashed(path), reason };
            let pem = crate::source::read(path, MAX_BUNDLE).map_err(|error| wrong(error.to_string()))?;
            certificates =
                reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| wrong(error.to_string()))?;
            if certificates.is_empty() {
                return Err(wrong("no certificate in it".to_owned()));
            }
        }
        // The library reads these by itself, and would wait for a pipe.
        for name in ["SSL_CERT_FILE", "SSL_CERT_DIR"] {
            if let Some(path) =
                std::env::var_os(name).map(std::path::PathBuf::from).filter(|path| waits(path))
            {
                let reason = format!("{name} names a pipe or a device, not a file");
                return Err(HttpError::Certificates { path: crate::source::slashed(&path), reason });
            }
        }
        Ok(Self { client: Arc::default(), direct: Arc::default(), certificates })
    }

    /// The client for an address; it follows no redirects, and uses no proxy for this machine. Built on first use.
    ///
    /// # Errors
    /// If it cannot be built.
    pub fn client(&self, address: &str) -> Result<&reqwest::Client, &HttpError> {
        self.client_of(reqwest::Url::parse(address).is_ok_and(|url| stays_here(&url)))
    }

    /// Like [`Http::client`], but for a parsed address.
    ///
    /// # Errors
    /// If it cannot be built.
    pub fn client_at(&self, address: &reqwest::Url) -> Result<&reqwest::Client, &HttpError> {
        self.client_of(stays_here(address))
    }

    fn client_of(&self, is_here: bool) -> Result<&reqwest::Client, &HttpError> {
        let built = if is_here { &self.direct } else { &self.client };
        built[CREW.get()].get_or_init(|| self.build(is_here)).as_ref()
    }

    fn build(&self, is_direct: bool) -> Result<reqwest::Client, HttpError> {
        // A second installation is refused; the first one works.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = || {
            let builder = reqwest::Client::builder();
            let builder = if is_direct { builder.no_proxy() } else { builder };
            builder
                .user_agent(concat!("akit/", env!("CARGO_PKG_VERSION")))
                .redirect(reqwest::redirect::Policy::none())
                .connect_timeout(Duration::from_secs(10))
                .pool_idle_timeout(Duration::from_secs(30))
                .dns_resolver(Names)
                .tls_certs_merge(self.certificates.clone())
        };
        // A machine without a certificate store (a container from scratch) uses Mozilla's.
        let built = builder().build().or_else(|_| {
            let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS
                .iter()
                .filter_map(|der| reqwest::Certificate::from_der(der).ok())
                .chain(self.certificates.clone());
            builder().tls_certs_only(roots).build()
        });
        built.map_err(|error| HttpError::Client(causes(&error)))
    }
}

/// Resolves names like the system, so that an unknown name can be distinguished from a host that does not answer.
struct Names;

/// The name of a host could not be resolved.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct UnknownName(std::io::Error);

impl reqwest::dns::Resolve for Names {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        Box::pin(async move {
            // The caller fills in the port.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await.map_err(UnknownName)?;
            Ok(Box::new(found.collect::<Vec<_>>().into_iter()) as reqwest::dns::Addrs)
        })
    }
}

/// Whether a path, or an entry of its folder, is not a file: reading it could wait forever.
fn waits(path: &std::path::Path) -> bool {
    let Ok(found) = std::fs::metadata(path) else { return false };
    if found.is_dir() {
        let files = std::fs::read_dir(path).into_iter().flatten().flatten();
        return files.map(|file| file.path()).any(|file| !file.is_dir() && waits(&file));
    }
    !found.is_file()
}

/// The response of a server.
#[derive(Debug)]
pub struct Received {
    /// HTTP status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, at most [`MAX_BODY`] bytes.
    pub body: Vec<u8>,
}

/// Why there is no response. No variant contains the URL, which may include a key.
#[derive(Debug, thiserror::Error)]
pub enum Lost {
    /// The connection could not be made: nothing was sent.
    #[error("{0}")]
    Connect(String),
    /// The name of the host is unknown: nothing was sent.
    #[error("{0}")]
    Name(String),
    /// The server does not speak TLS correctly: nothing was sent.
    #[error("{0}")]
    Tls(String),
    /// The server's certificate is not trusted: nothing was sent.
    #[error("{0}")]
    Certificate(String),
    /// The connection broke: what was sent may have arrived.
    #[error("{0}")]
    Broken(String),
    /// More than [`MAX_BODY`] bytes.
    #[error("the answer has more than {} MiB", MAX_BODY >> 20)]
    TooLong,
}

impl From<reqwest::Error> for Lost {
    fn from(error: reqwest::Error) -> Self {
        if let Some(reason) = certificate(&error) {
            Self::Certificate(reason)
        } else if error.is_connect() {
            let reason = through_proxy(&error) + &causes(&error);
            if within::<UnknownName>(&error).is_some() {
                Self::Name(reason)
            } else if within::<rustls::Error>(&error).is_some() || hung_up_at_greeting(&error) {
                Self::Tls(reason)
            } else {
                Self::Connect(reason)
            }
        } else {
            Self::Broken(causes(&error))
        }
    }
}

/// A response whose body is not read yet.
#[derive(Debug)]
pub struct Incoming {
    /// HTTP status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    response: reqwest::Response,
    read: usize,
}

impl Incoming {
    /// Appends the next bytes of the body; `false` at its end.
    ///
    /// # Errors
    /// If the connection breaks, or the body is longer than [`MAX_BODY`].
    pub async fn more(&mut self, body: &mut Vec<u8>) -> Result<bool, Lost> {
        let Some(chunk) = self.response.chunk().await? else { return Ok(false) };
        self.read += chunk.len();
        if self.read > MAX_BODY {
            return Err(Lost::TooLong);
        }
        body.extend_from_slice(&chunk);
        Ok(true)
    }
}

/// Sends a request once and waits for the head of the response.
pub async fn open(request: reqwest::RequestBuilder) -> Result<Incoming, Lost> {
    let mut response = request.send().await?;
    let headers = std::mem::take(response.headers_mut());
    Ok(Incoming { status: response.status().as_u16(), headers, response, read: 0 })
}

/// Sends a request once and reads the whole response, whatever its status.
pub async fn send(request: reqwest::RequestBuilder) -> Result<Received, Lost> {
    let mut incoming = open(request).await?;
    let mut body = Vec::new();
    while incoming.more(&mut body).await? {}
    Ok(Received { status: incoming.status, headers: incoming.headers, body })
}

/// What is wrong with a server's certificate, if that is why the connection failed.
fn certificate(error: &reqwest::Error) -> Option<String> {
    use rustls::CertificateError as Wrong;
    let rustls::Error::InvalidCertificate(wrong) = within(error)? else { return None };
    let words = match wrong {
        Wrong::UnknownIssuer => "its issuer is not trusted on this machine",
        Wrong::Expired | Wrong::ExpiredContext { .. } => "it has expired",
        Wrong::NotValidYet | Wrong::NotValidYetContext { .. } => "it is not valid yet",
        Wrong::NotValidForName | Wrong::NotValidForNameContext { .. } => "it belongs to another server",
        _ => "it cannot be verified",
    };
    Some(words.to_owned())
}

/// Whether a server hung up before TLS began, which usually means that it does not speak TLS. While connecting, only
/// TLS reads, unless there is a proxy.
fn hung_up_at_greeting(error: &reqwest::Error) -> bool {
    let is_tls = error.url().is_some_and(|url| url.scheme() == "https") && through_proxy(error).is_empty();
    let hangs_up = |error: &std::io::Error| match error.kind() {
        // A refused connection means that no server is there.
        ErrorKind::UnexpectedEof
        | ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe => true,
        _ => false,
    };
    // The library wraps the system's error in others of the same type.
    is_tls && chain(error).filter_map(|one| one.downcast_ref()).any(hangs_up)
}

/// The cause of this type, if there is one.
fn within<E: std::error::Error + 'static>(error: &reqwest::Error) -> Option<&E> {
    chain(error).find_map(|one| one.downcast_ref())
}

/// An error and its causes.
fn chain(error: &reqwest::Error) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error as &(dyn std::error::Error + 'static)), |one| {
        // The error inside an `io::Error` is not its source.
        let held = one.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        held.map(|held| held as &(dyn std::error::Error + 'static)).or_else(|| one.source())
    })
}

/// Whether an address is on this machine; a remote proxy would look for it on its own machine.
fn stays_here(url: &reqwest::Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_end_matches('.');
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host == "localhost"
        || host.ends_with(".localhost")
        || address.is_ok_and(|address| address.to_canonical().is_loopback())
}

/// The proxy that a failed connection used, if the environment names one.
fn through_proxy(error: &reqwest::Error) -> String {
    let Some(url) = error.url().filter(|url| !stays_here(url)) else { return String::new() };
    let proxy = |name: &str| {
        let value = std::env::var(name).or_else(|_| std::env::var(name.to_lowercase())).ok();
        value.filter(|value| !value.trim().is_empty())
    };
    let of_scheme = if url.scheme() == "https" { "HTTPS_PROXY" } else { "HTTP_PROXY" };
    let passed_by = proxy("NO_PROXY").is_some_and(|list| {
        let host = url.host_str().unwrap_or_default();
        let names =
            list.split(',').map(|name| name.trim().trim_start_matches('.')).filter(|name| !name.is_empty());
        names.into_iter().any(|name| name == "*" || host == name || host.ends_with(&format!(".{name}")))
    });
    let named = [of_scheme, "ALL_PROXY"].into_iter().find_map(|name| Some((name, proxy(name)?)));
    match named.filter(|_| !passed_by) {
        Some((name, address)) => {
            // It may contain a password.
            let host = address.rsplit('@').next().unwrap_or_default();
            let host = host.rsplit("://").next().unwrap_or_default();
            format!("the proxy {} (from {name}) did not connect: ", text::excerpt(host, 100))
        }
        None => String::new(),
    }
}

/// The innermost cause, which says what happened; never the URL.
fn causes(error: &reqwest::Error) -> String {
    let mut inner: &dyn std::error::Error = error;
    while let Some(next) = inner.source() {
        inner = next;
    }
    let text = inner.to_string();
    let cut = text.find(" (os error").unwrap_or(text.len());
    text::excerpt(&text[..cut], LONGEST_CAUSE)
}

/// How long to wait, as the server asks: `retry-after-ms`, or `Retry-After` as a time or a date.
#[must_use]
pub fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let read = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    if let Some(ms) = read("retry-after-ms").and_then(|value| value.parse::<f64>().ok()) {
        return Duration::try_from_secs_f64(ms / 1000.0).ok();
    }
    let value = read("retry-after")?;
    if let Some(wait) = time(value) {
        return Some(wait);
    }
    let date = chrono::DateTime::parse_from_rfc2822(value).ok()?;
    Some(SystemTime::from(date).duration_since(now).unwrap_or_default())
}

/// Reads a time as servers write it: `2`, `1.5s`, `120ms`, `6m0s` or `26 seconds`. The whole text must be a time.
#[must_use]
pub fn time(text: &str) -> Option<Duration> {
    let (mut rest, mut sum) = (text.trim(), 0.0);
    while !rest.is_empty() {
        let number = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
        let after = rest[number..].trim_start();
        let unit = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let factor = match &after[..unit] {
            "ms" | "millisecond" | "milliseconds" => 0.001,
            "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
            "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
            "h" | "hour" | "hours" => 3600.0,
            "" if number == text.trim().len() => 1.0,
            _ => return None,
        };
        sum += rest[..number].parse::<f64>().ok()? * factor;
        rest = after[unit..].trim_start();
    }
    if text.trim().is_empty() { None } else { Duration::try_from_secs_f64(sum).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_read_in_all_its_forms() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_770);
        let table = [
            ("retry-after", "2", Some(2_000)),
            ("retry-after", "0.5", Some(500)),
            ("retry-after-ms", "250", Some(250)),
            ("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT", Some(7_000)),
            ("retry-after", "Tue, 06 Nov 1990 08:49:37 GMT", Some(0)),
            ("retry-after", "2.5s", Some(2_500)),
            ("retry-after", "6m0s", Some(360_000)),
            ("retry-after", "120ms", Some(120)),
            ("retry-after", "1h 2m 3 seconds", Some(3_723_000)),
            ("retry-after", "3600", Some(3_600_000)),
            ("retry-after", "1e400", None),
            ("retry-after", "99999999999999999999999", None),
            ("retry-after", "5 bananas", None),
            ("retry-after", "2 3", None),
            ("retry-after", "", None),
            ("retry-after", "-1", None),
            ("retry-after", "soon", None),
        ];
        for (name, value, expected) in table {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            let found = retry_after(&headers, now).map(|wait| wait.as_millis());
            assert_eq!(found, expected, "{name}: {value}");
        }
    }
}
