//! Classes of requests under load that got no answer.

use serde::{Deserialize, Serialize};
use strum::{EnumIter, IntoStaticStr};

/// Why a request under load got no answer.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    EnumIter,
    IntoStaticStr,
    strum::VariantArray,
)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ErrorClass {
    /// No connection.
    Connect,
    /// The name of the host is unknown.
    Dns,
    /// No TLS, or a certificate that is not trusted.
    Tls,
    /// No answer in time.
    Timeout,
    /// Status 429.
    RateLimited,
    /// Status 5xx, an error in place of an answer, or a program that failed.
    ServerError,
    /// Any other status 4xx.
    ClientError,
    /// The connection broke before the answer was complete.
    StreamCut,
    /// The response is not an answer of this API.
    Malformed,
    /// Anything else, such as a redirect or an answer that cannot be judged.
    Unexpected,
}

impl ErrorClass {
    /// Its word in reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        self.into()
    }
}
