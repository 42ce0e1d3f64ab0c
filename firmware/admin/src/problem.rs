//! What the API says when it does not do what was asked: `application/problem+json` (RFC 9457).

use schemars::JsonSchema;
use serde::Serialize;

/// Why a request was not done: the field at fault and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Problem {
    /// What kind of problem: `about:blank`, so the title is the status.
    #[serde(rename = "type")]
    pub kind: String,
    /// The status in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong, and what to do.
    pub detail: String,
    /// The field at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// After how many seconds it may be tried again.
    #[serde(skip)]
    #[schemars(skip)]
    pub retry_after: Option<u64>,
}

impl Problem {
    /// A problem with this status.
    #[must_use]
    pub fn new(status: u16, detail: impl Into<String>) -> Self {
        let title = match status {
            400 => "Malformed",
            401 => "Not logged in",
            403 => "Not allowed",
            404 => "Not found",
            405 => "Not possible here",
            408 => "Too slow",
            409 => "Conflict",
            412 => "Changed meanwhile",
            413 => "Too large",
            415 => "Not JSON",
            422 => "Not acceptable",
            429 => "Too many tries",
            503 => "Not possible now",
            _ => "Failed",
        };
        Self {
            kind: "about:blank".into(),
            title: title.into(),
            status,
            detail: detail.into(),
            field: None,
            retry_after: None,
        }
    }

    /// 400: the request itself cannot be read.
    #[must_use]
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new(400, detail)
    }

    /// 401: there is no session, or it is over.
    #[must_use]
    pub fn unknown() -> Self {
        Self::new(401, "log in first: POST /api/v1/auth/login")
    }

    /// 403: not with this role.
    #[must_use]
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(403, detail)
    }

    /// 403: the password was asked for too long ago. The field says to programs what is to be proven.
    #[must_use]
    pub fn stale() -> Self {
        let why = "log in again first: this asks for a log-in younger than five minutes";
        Self { field: Some("login".into()), ..Self::forbidden(why) }
    }

    /// 403: the second factor has not been asked for yet.
    #[must_use]
    pub fn due() -> Self {
        Self { field: Some("totp".into()), ..Self::forbidden("the second factor is due: POST /api/v1/auth/totp") }
    }

    /// 403: a second factor has to be set up first.
    #[must_use]
    pub fn unenrolled() -> Self {
        let why = "superadmins need a second factor here; set yours up first: POST /api/v1/profile/totp";
        Self { field: Some("totp".into()), ..Self::forbidden(why) }
    }

    /// 404: there is no such thing, or it is not the caller's.
    #[must_use]
    pub fn missing(what: &str) -> Self {
        Self::new(404, format!("there is no such {what}"))
    }

    /// 409: it exists already, or was changed.
    #[must_use]
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(409, detail)
    }

    /// 422: a field holds what it cannot hold.
    #[must_use]
    pub fn field(name: &str, detail: impl Into<String>) -> Self {
        Self { field: Some(name.into()), ..Self::new(422, detail) }
    }

    /// 429: too often; again after so many seconds.
    #[must_use]
    pub fn too_often(secs: u64) -> Self {
        let secs = secs.max(1);
        Self { retry_after: Some(secs), ..Self::new(429, format!("too many tries; again in {secs} s")) }
    }

    /// 503: the box cannot do it now.
    #[must_use]
    pub fn busy(detail: impl Into<String>) -> Self {
        Self { retry_after: Some(2), ..Self::new(503, detail) }
    }
}
