//! The socket pair between the gateway and its API process: frames of JSON, each a length and that many octets.
//!
//! **Shape**: four octets, big-endian length, then one message. **Bounds**: `FROM_API_MAX` towards the gateway, so that a process
//! that people reach cannot make the gateway hold much; `TO_API_MAX` towards the API.

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::certificate::CertificateAsk;
use crate::source::SourceAsk;
use crate::{AccessAsk, REQUEST_MAX, Request, Response};

/// The longest message from the API process, in octets: a policy with its quotes escaped fits, as into any request.
pub const FROM_API_MAX: usize = REQUEST_MAX;
/// The longest message to the API process, in octets.
pub const TO_API_MAX: usize = 16 << 20;
/// The most addresses of guests; the newest log-ins count.
pub const GUESTS_MAX: usize = 64;
/// The most audit records that one errand brings.
pub const RECORDS_MAX: u32 = 500;

/// What the gateway tells its API process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ToApi {
    /// The first message: where to listen.
    Start(Start),
    /// The answer to a question.
    Answer(u64, Response),
    /// Something that only the API process can do.
    Errand(u64, Errand),
}

/// What the API process needs to know before it gives up its rights.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Start {
    /// The addresses to serve.
    pub listen: Vec<SocketAddr>,
    /// Addresses where people are sent to the page without TLS, each with the port that it is at.
    pub redirect: Vec<(SocketAddr, u16)>,
    /// Whether it answers to the box's name by multicast DNS.
    pub mdns: bool,
    /// The folder that it owns; made if it is not there.
    pub folder: String,
    /// As whom it runs from then on; nobody else may have this number.
    pub uid: u32,
    /// The newest audit record that the gateway heard of.
    pub head: Option<Head>,
    /// The addresses at which the intake takes syslog over TLS; it needs a key for them.
    #[serde(default)]
    pub intake: Vec<IpAddr>,
    /// How long a name behind a pseudonym waits where there is no second admin, in seconds.
    #[serde(default)]
    pub consent_after: u64,
}

/// A certificate and its key, with which a process serves TLS.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerKey {
    /// The chain as PEM, the server's own first.
    pub chain: String,
    /// Its key as PEM.
    pub key: String,
}

impl std::fmt::Debug for ServerKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ServerKey { .. }")
    }
}

/// Where the audit's chain stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The number of a record.
    pub number: u64,
    /// Its hash, hexadecimal.
    pub hash: String,
}

/// What the gateway wants of its API process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Errand {
    /// Writes an act of the command line into the audit.
    Record(Act),
    /// Gives an account all rights and a one-time code, because nobody else can.
    Recover {
        /// Its e-mail address; one that has no account gets one.
        email: String,
    },
    /// Shows or decides requests for access.
    Access(AccessAsk),
    /// Audit records after this number, as lines.
    Audit {
        /// The number before the first.
        after: u64,
        /// At most so many.
        limit: u32,
    },
    /// Enrols a source, or ends that.
    Source(SourceAsk),
    /// Shows, installs or removes the box's own certificate.
    Certificate(CertificateAsk),
    /// Hears which addresses the box has now.
    Addresses(Vec<IpAddr>),
    /// Incidents: all of them, or one whole.
    Incidents {
        /// Which one.
        id: Option<u64>,
    },
    /// The signed end of an export whose last record has this number.
    Trailer {
        /// That number.
        last: u64,
    },
}

/// Something done at the command line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Act {
    /// What was done: `block.create`.
    pub what: String,
    /// To whom or what.
    pub on: String,
    /// Why, in the words of who did it.
    pub why: String,
    /// `done`, or why not.
    pub result: String,
}

/// What the API process tells the gateway.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FromApi {
    /// It serves.
    Ready {
        /// SHA-256 of its certificate, hexadecimal.
        fingerprint: String,
        /// What holds it, and what the kernel lacks for that.
        held_by: Vec<String>,
    },
    /// It serves another certificate now.
    Fingerprint(String),
    /// The intake serves TLS with this from now on: a leaf of the box's own authority, for the intake alone.
    IntakeKey(ServerKey),
    /// The code with which the box can be claimed; nothing once it is.
    Claim(Option<String>),
    /// From where admins are logged in: no block may cut them while they are.
    Guests(Vec<IpAddr>),
    /// What is not as it should be.
    Warnings(Vec<String>),
    /// The newest audit record.
    Head(Head),
    /// A question.
    Ask(u64, Request),
    /// How an errand went.
    Done(u64, Response),
}

/// Writes one message.
///
/// # Errors
/// The other end is gone, or the message is longer than `max`.
pub fn send(to: &mut impl Write, message: &impl Serialize, max: usize) -> io::Result<()> {
    let text = serde_json::to_vec(message)?;
    let len = u32::try_from(text.len()).ok().filter(|len| *len as usize <= max);
    let len = len.ok_or_else(|| io::Error::other(format!("a message of {} octets is too long", text.len())))?;
    let mut frame = Vec::with_capacity(text.len() + 4);
    frame.extend_from_slice(&len.to_be_bytes());
    frame.extend_from_slice(&text);
    to.write_all(&frame)
}

/// Reads one message; nothing when the other end has closed.
///
/// # Errors
/// The connection breaks, or what comes is no message or longer than `max`.
pub fn receive<T: DeserializeOwned>(from: &mut impl Read, max: usize) -> io::Result<Option<T>> {
    let mut len = [0; 4];
    match from.read_exact(&mut len) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let len = u32::from_be_bytes(len) as usize;
    if len > max {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("a message of {len} octets is too long")));
    }
    let mut text = vec![0; len];
    from.read_exact(&mut text)?;
    serde_json::from_slice(&text).map(Some).map_err(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_arrives_as_it_was_sent_and_the_end_is_told() {
        let mut pipe = Vec::new();
        let sent = [FromApi::Claim(Some("word".into())), FromApi::Ask(7, Request::Status)];
        sent.iter().for_each(|message| send(&mut pipe, message, FROM_API_MAX).expect("room"));
        let mut from = pipe.as_slice();
        for message in sent {
            assert_eq!(receive(&mut from, FROM_API_MAX).expect("a message"), Some(message));
        }
        assert_eq!(receive::<FromApi>(&mut from, FROM_API_MAX).expect("an end"), None);
    }

    #[test]
    fn a_length_beyond_the_bound_is_refused_before_anything_is_held() {
        let mut from: &[u8] = &[0xff, 0xff, 0xff, 0xff, b'{'];
        assert!(receive::<FromApi>(&mut from, FROM_API_MAX).is_err());
        assert!(send(&mut Vec::new(), &"x".repeat(100), 50).is_err());
    }

    #[test]
    fn octets_that_are_no_message_are_refused() {
        for text in ["{\"dance\":1}", "[", "{\"ask\":[1,{\"ask\":\"event\",\"id\":1,\"more\":1}]}", "{\"ready\":{}}"] {
            let mut frame = u32::try_from(text.len()).expect("short").to_be_bytes().to_vec();
            frame.extend_from_slice(text.as_bytes());
            assert!(receive::<FromApi>(&mut frame.as_slice(), FROM_API_MAX).is_err(), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_comes_is_a_message_or_a_refusal(octets in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let _ = receive::<FromApi>(&mut octets.as_slice(), FROM_API_MAX);
            let _ = receive::<ToApi>(&mut octets.as_slice(), TO_API_MAX);
            let _ = Request::read(&octets);
        }

        #[test]
        fn a_message_with_an_octet_changed_is_another_message_or_a_refusal(at in 0_usize..64, octet in proptest::num::u8::ANY) {
            let mut frame = Vec::new();
            send(&mut frame, &FromApi::Ask(7, Request::EventsAfter { after: 9, limit: 10 }), FROM_API_MAX).expect("room");
            let at = at % frame.len();
            frame[at] = octet;
            let _ = receive::<FromApi>(&mut frame.as_slice(), FROM_API_MAX);
        }
    }
}
