//! One message on its way to a webhook: what the process that posts it is told, and what it answers.

use core::fmt;

use serde::{Deserialize, Serialize};

/// What is to be posted, and where.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostOrder {
    /// `http://` or `https://`, a name or an address, a port where it is another one, a path.
    pub url: String,
    /// The authority that signed the receiver's certificate, as PEM; empty for the public ones.
    pub ca: String,
    /// Headers beside those that every request has.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

/// How it went.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostSent {
    /// Whether the receiver took it.
    pub accepted: bool,
    /// Whether it would not take it at another time either.
    pub refused: bool,
    /// Why not, in words.
    pub why: String,
}

impl fmt::Debug for PostOrder {
    /// Without the path, which may hold a secret, and without what is written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostOrder {{ {} octets }}", self.body.len())
    }
}
