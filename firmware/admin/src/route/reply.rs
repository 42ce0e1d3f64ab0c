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
    /// The token of the session that began, for the page's cookie.
    pub cookie: Option<String>,
    /// Under which name a browser saves it.
    pub file: Option<String>,
}

impl Reply {
    /// JSON without a tag.
    #[must_use]
    pub fn json(status: u16, value: &impl Serialize) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => Self { status, kind: "application/json", body, tag: None, cookie: None, file: None },
            Err(error) => Self::problem(&Problem::new(500, format!("the answer cannot be written: {error}"))),
        }
    }

    /// JSON with its tag.
    #[must_use]
    pub fn tagged(status: u16, value: &impl Serialize) -> Self {
        Self { tag: Some(tag_of(value)), ..Self::json(status, value) }
    }

    /// Text.
    #[must_use]
    pub fn text(kind: &'static str, text: String) -> Self {
        Self { status: 200, kind, body: text.into_bytes(), tag: None, cookie: None, file: None }
    }

    /// A file, to be saved.
    #[must_use]
    pub fn file(kind: &'static str, body: Vec<u8>, name: String) -> Self {
        Self { status: 200, kind, body, tag: None, cookie: None, file: Some(name) }
    }

    /// 204.
    #[must_use]
    pub fn empty() -> Self {
        Self { status: 204, kind: "application/json", body: Vec::new(), tag: None, cookie: None, file: None }
    }

    /// A refusal.
    #[must_use]
    pub fn problem(problem: &Problem) -> Self {
        let body = serde_json::to_vec(problem).unwrap_or_default();
        Self { status: problem.status, kind: "application/problem+json", body, tag: None, cookie: None, file: None }
    }
}

/// What moves by itself: that it moved does not make a thing another one.
const MOVING: [&str; 6] = ["last_seen", "frames", "octets", "score", "confidence", "seen"];

/// The tag of a thing.
#[must_use]
pub fn tag_of(value: &impl Serialize) -> String {
    let mut value = serde_json::to_value(value).unwrap_or_default();
    if let Some(fields) = value.as_object_mut() {
        MOVING.iter().for_each(|name| drop(fields.remove(*name)));
    }
    format!("\"{}\"", &sha256(value.to_string().as_bytes())[..32])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_thing_that_is_merely_seen_again_keeps_its_tag() {
        let tag = |name: &str, seen: u64| tag_of(&json!({"name": name, "last_seen": seen}));
        assert_eq!(tag("a", 1), tag("a", 2));
        assert_ne!(tag("a", 1), tag("b", 1));
    }
}
