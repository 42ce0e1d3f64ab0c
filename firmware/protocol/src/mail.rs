//! One mail on its way: what the process that sends it is told, and what it answers.

use core::fmt;

use serde::{Deserialize, Serialize};

/// What is to be sent, and through whom.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailOrder {
    /// The server's name or address.
    pub server: String,
    /// Its port.
    pub port: u16,
    /// Whether TLS comes first (implicit); else STARTTLS is asked for, and nothing is sent without it.
    pub implicit_tls: bool,
    /// Another authority that may have signed the server's certificate, as PEM; empty for the public ones alone.
    pub ca: String,
    /// As whom to log in; empty for nobody.
    pub user: String,
    /// Their password.
    pub password: String,
    /// From whom.
    pub from: String,
    /// To whom.
    pub to: String,
    /// About what.
    pub subject: String,
    /// The lines of the text.
    pub lines: Vec<String>,
}

/// How it went.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailSent {
    /// Whether the server took it.
    pub accepted: bool,
    /// Whether it would not take it at another time either.
    pub refused: bool,
    /// Why not, in words.
    pub why: String,
}

impl fmt::Debug for MailOrder {
    /// Without the password, and without what is written: it may hold a code.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MailOrder {{ {} by {}:{} }}", self.to, self.server, self.port)
    }
}
