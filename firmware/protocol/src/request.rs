//! What is asked over the control socket and how it is answered.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use terms::HostKey;

/// The longest request, in octets with its line end.
pub const REQUEST_MAX: usize = 64 << 10;
/// The longest response, in octets with its line end.
pub const RESPONSE_MAX: usize = 64 << 20;
/// The most events that one request can ask for.
pub const EVENTS_MAX: u32 = 1_000;
/// The longest reason for a block, in octets.
pub const WHY_MAX: usize = 500;

/// What a command asks of the gateway.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// The totals: answered by one `StatusView`.
    Status,
    /// The hosts being watched: answered by an array of `HostView`.
    Hosts,
    /// What was found and done, oldest first: answered by an array of `EventView`.
    Events {
        /// At most so many, the newest.
        limit: u32,
        /// Only those after this many seconds since the epoch.
        since: Option<f64>,
    },
    /// The newest events with a number below this one, oldest first: answered by an array of `EventView`.
    EventsBefore {
        /// The number; the newest of all where there is none.
        before: Option<u64>,
        /// At most so many.
        limit: u32,
    },
    /// The oldest events with a number above this one, oldest first: answered by an array of `EventView`.
    EventsAfter {
        /// The number.
        after: u64,
        /// At most so many.
        limit: u32,
    },
    /// One event with its frames: answered by one `EventDetail`.
    Event {
        /// Its number.
        id: u64,
    },
    /// The blocks in force: answered by an array of `BlockView`.
    Blocks,
    /// Blocks a host: answered by the `BlockView` once the kernel holds it.
    Block {
        /// Whom.
        #[serde(with = "host_text")]
        host: HostKey,
        /// For how long; the configured time if absent.
        for_secs: Option<u64>,
        /// Why, for those who read the list later.
        why: String,
    },
    /// What is known of a host and why it stands where it does: answered by an `ExplainView`.
    Explain {
        /// Whom.
        #[serde(with = "host_text")]
        host: HostKey,
    },
    /// Says of an event that it was right, or a false alarm: answered by the `FeedbackView`.
    Feedback {
        /// The event's number.
        id: u64,
        /// Whether it was right.
        right: bool,
        /// For how long a false alarm quiets its family for its host.
        for_secs: u64,
    },
    /// Takes back what was said of an event: answered by the `FeedbackView` that was.
    Unsay {
        /// The event's number.
        id: u64,
    },
    /// Audit records after this number, oldest first: answered by an array of lines.
    Audit {
        /// The number.
        after: u64,
        /// At most so many.
        limit: u32,
    },
    /// The signed end of an audit export whose last record has this number: answered by a line.
    AuditTrailer {
        /// The number.
        last: u64,
    },
    /// All that was said of events: answered by an array of `FeedbackView`.
    Feedbacks,
    /// Ends a host's block: answered by the `BlockView` that ended.
    Unblock {
        /// Whose.
        #[serde(with = "host_text")]
        host: HostKey,
    },
}

/// How the gateway answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Response {
    /// It was done, and this is what was asked for.
    Ok(Value),
    /// It was not done, and this is why, in one line.
    Error(String),
}

impl Request {
    /// Reads one line.
    ///
    /// # Errors
    /// The line is not a request, or one of its numbers is out of bounds; the text says which.
    pub fn read(line: &[u8]) -> Result<Self, String> {
        let request: Self = serde_json::from_slice(line).map_err(|error| format!("not a request: {error}"))?;
        request.checked()
    }

    /// The request, if its numbers and texts are within bounds.
    ///
    /// # Errors
    /// The text says which is not.
    pub fn checked(self) -> Result<Self, String> {
        match &self {
            Self::Events { limit, .. } | Self::EventsBefore { limit, .. } | Self::EventsAfter { limit, .. }
                if *limit > EVENTS_MAX =>
            {
                Err(format!("limit is {limit}; at most {EVENTS_MAX} events can be asked for"))
            }
            Self::Block { why, .. } if why.len() > WHY_MAX => {
                Err(format!("why is {} octets long; at most {WHY_MAX} are kept", why.len()))
            }
            Self::Feedback { for_secs: 0, .. } => {
                Err("for_secs is 0; a false alarm is quiet for at least a second".into())
            }
            Self::Block { for_secs: Some(0), .. } => Err("for_secs is 0; a block lasts at least a second".into()),
            _ => Ok(self),
        }
    }
}

impl Response {
    /// A view as the answer.
    #[must_use]
    pub fn of(view: &impl Serialize) -> Self {
        serde_json::to_value(view)
            .map_or_else(|error| Self::Error(format!("the answer cannot be written: {error}")), Self::Ok)
    }
}

/// A host as the text that people read.
pub mod host_text {
    use serde::de::{Deserialize, Deserializer, Error};
    use serde::ser::Serializer;
    use terms::HostKey;

    /// Writes the address.
    ///
    /// # Errors
    /// The serializer's own.
    pub fn serialize<S: Serializer>(host: &HostKey, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(host)
    }

    /// Reads an IPv4, IPv6 or hardware address.
    ///
    /// # Errors
    /// The text is none of these.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<HostKey, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(|_| D::Error::custom(format!("{text:?} is neither an IP nor a hardware address")))
    }
}
