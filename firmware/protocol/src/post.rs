//! One message on its way out of the box: what the process that posts it is told, and what it answers.

use core::fmt;

use serde::{Deserialize, Serialize};

/// The most messages that are posted at a time.
pub const POSTS_MAX: usize = 4;

/// How a message travels, by the scheme of its receiver's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// A request in the clear.
    Http,
    /// A request over TLS.
    Https,
    /// One datagram a message (RFC 5426); nobody tells whether it arrived.
    SyslogUdp,
    /// Counted octets on a connection (RFC 6587, 3.4.1).
    SyslogTcp,
    /// The same over TLS (RFC 5425).
    SyslogTls,
    /// Lines of EVE JSON on a connection.
    EveTcp,
    /// The same over TLS.
    EveTls,
}

/// What is to be posted, and where.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostOrder {
    /// A scheme that [`Way`] knows, a name or an address, a port where it is another one, a path where it is a webhook.
    pub url: String,
    /// The authority that signed the receiver's certificate, as PEM; empty for the public ones.
    pub ca: String,
    /// Headers of a webhook, beside those that every request has.
    pub headers: Vec<(String, String)>,
    /// The body: of a webhook, one syslog message without its frame, or whole lines of EVE JSON.
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

impl Way {
    /// The way of a scheme.
    #[must_use]
    pub fn of(scheme: &str) -> Option<Self> {
        Some(match scheme {
            "http" => Self::Http,
            "https" => Self::Https,
            "syslog+udp" => Self::SyslogUdp,
            "syslog+tcp" => Self::SyslogTcp,
            "syslog+tls" => Self::SyslogTls,
            "eve+tcp" => Self::EveTcp,
            "eve+tls" => Self::EveTls,
            _ => return None,
        })
    }

    /// The port where an address names none; nothing where it has to.
    #[must_use]
    pub const fn port(self) -> Option<u16> {
        match self {
            Self::Http => Some(80),
            Self::Https => Some(443),
            Self::SyslogUdp | Self::SyslogTcp => Some(514),
            Self::SyslogTls => Some(6514),
            Self::EveTcp | Self::EveTls => None,
        }
    }

    /// Whether it is encrypted, and the receiver shows a certificate.
    #[must_use]
    pub const fn encrypted(self) -> bool {
        matches!(self, Self::Https | Self::SyslogTls | Self::EveTls)
    }
}

impl fmt::Debug for PostOrder {
    /// Without the path, which may hold a secret, and without what is written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostOrder {{ {} octets }}", self.body.len())
    }
}
