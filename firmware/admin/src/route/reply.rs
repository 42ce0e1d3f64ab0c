//! What a handler answers, before HTTP.

use serde::Serialize;

use crate::problem::Problem;
use crate::secret::sha256;

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The type of the body.
    pub kind: &'static str,
    /// The body.
    pub body: Vec<u8>,
    /// The body's tag, for `If-Match`.
    pub tag: Option<String>,
}

impl Reply {
    /// JSON without a tag.
    #[must_use]
    pub fn json(status: u16, value: &impl Serialize) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => Self { status, kind: "application/json", body, tag: None },
            Err(error) => Self::problem(&Problem::new(500, format!("the answer cannot be written: {error}"))),
        }
    }

    /// JSON with its tag.
    #[must_use]
    pub fn tagged(status: u16, value: &impl Serialize) -> Self {
        let reply = Self::json(status, value);
        Self { tag: Some(tag_of(&reply.body)), ..reply }
    }

    /// Text.
    #[must_use]
    pub fn text(kind: &'static str, text: String) -> Self {
        Self { status: 200, kind, body: text.into_bytes(), tag: None }
    }

    /// 204.
    #[must_use]
    pub fn empty() -> Self {
        Self { status: 204, kind: "application/json", body: Vec::new(), tag: None }
    }

    /// A refusal.
    #[must_use]
    pub fn problem(problem: &Problem) -> Self {
        let body = serde_json::to_vec(problem).unwrap_or_default();
        Self { status: problem.status, kind: "application/problem+json", body, tag: None }
    }
}

/// The tag of a body.
#[must_use]
pub fn tag_of(body: &[u8]) -> String {
    format!("\"{}\"", &sha256(body)[..32])
}
