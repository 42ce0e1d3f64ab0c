//! DNS messages, multicast DNS included.
//!
//! **Shape**: id (2), flags (2), four counts (2 each), then the questions and records. A name is a chain of labels, each with its
//! length in front; a length with both top bits set points back to labels told before.
//!
//! **Bounds**: pointers are followed only backwards and only so many, so no name loops; a name holds 253 octets. Records end at
//! the first that is malformed or beyond the payload. Over TCP the caller takes off the two octets of length first.
//!
//! **Source**: RFC 1035 section 4.1; RFC 3596 section 2.1 for IPv6 addresses.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::octets::{Cursor, u16_at};

mod name;

pub use name::Name;

/// The type of a record with an IPv4 address.
pub const A: u16 = 1;
/// The type of a record with the name behind an alias.
pub const CNAME: u16 = 5;
/// The type of a record that points to a name.
pub const PTR: u16 = 12;
/// The type of a record with free text.
pub const TXT: u16 = 16;
/// The type of a record with an IPv6 address.
pub const AAAA: u16 = 28;
/// The type of a record that says where a service is.
pub const SRV: u16 = 33;
/// The port of multicast DNS.
pub const MULTICAST_PORT: u16 = 5353;
/// The response code for a name that does not exist.
pub const NAME_ERROR: u8 = 3;

/// Octets of the header.
const HEADER: usize = 12;

/// One message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// What it begins with.
    pub header: Header,
    payload: &'a [u8],
}

/// What a message begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Ties an answer to its question.
    pub id: u16,
    /// Whether this is an answer.
    pub response: bool,
    /// The response code, 0 if all is well.
    pub rcode: u8,
    /// Whether the answer did not fit.
    pub truncated: bool,
    /// How many questions are announced.
    pub questions: u16,
    /// How many answers are announced.
    pub answers: u16,
}

/// A question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    /// What is asked about.
    pub name: Name,
    /// The type of record asked for.
    pub qtype: u16,
    /// The class, zero where it was not captured; in multicast DNS its highest bit asks for an answer to the asker alone.
    pub qclass: u16,
}

/// A record of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer<'a> {
    payload: &'a [u8],
    at: usize,
    /// What the record holds, where it begins and ends in the message.
    data: (usize, usize),
    /// The type of the record.
    pub rtype: u16,
    /// How long it may be kept.
    ///
    /// **Units**: seconds.
    pub ttl: u32,
    /// The address, if it is one.
    pub address: Option<IpAddr>,
}

/// The records of an answer, in their order.
#[derive(Clone, Debug)]
pub struct Answers<'a> {
    payload: &'a [u8],
    at: usize,
    left: u32,
}

impl<'a> Message<'a> {
    /// The message in this payload. `None` if it is shorter than a header.
    #[must_use]
    pub fn parse(payload: &'a [u8]) -> Option<Self> {
        let [a, b, c, d, e, f, g, h, ..] = *payload.first_chunk::<HEADER>()?;
        let header = Header {
            id: u16::from_be_bytes([a, b]),
            response: c & 0x80 != 0,
            rcode: d & 0x0f,
            truncated: c & 0x02 != 0,
            questions: u16::from_be_bytes([e, f]),
            answers: u16::from_be_bytes([g, h]),
        };
        Some(Self { header, payload })
    }

    /// The first question, if there is one and all of it was captured.
    #[must_use]
    pub fn question(&self) -> Option<Question> {
        self.questions().next()
    }

    /// All questions; what cannot be read ends them.
    pub fn questions(&self) -> impl Iterator<Item = Question> + use<'a> {
        let (payload, mut at) = (self.payload, HEADER);
        (0..self.header.questions).map_while(move |_| {
            let (name, end) = Name::read(payload, at)?;
            let mut rest = Cursor(payload.get(end..)?);
            // Of a message that was cut behind the type, that is known.
            let (qtype, qclass) = (rest.u16()?, rest.u16().unwrap_or(0));
            at = end + 4;
            Some(Question { name, qtype, qclass })
        })
    }

    /// The records of the answer section.
    #[must_use]
    pub fn answers(&self) -> Answers<'a> {
        self.behind_questions(self.header.answers.into())
    }

    /// The records of all three sections: in multicast DNS the address of a service's host stands behind the answers.
    #[must_use]
    pub fn records(&self) -> Answers<'a> {
        let more = [8, 10].map(|at| u32::from(u16_at(self.payload, at).unwrap_or(0)));
        self.behind_questions(u32::from(self.header.answers) + more[0] + more[1])
    }

    fn behind_questions(&self, left: u32) -> Answers<'a> {
        let start = (0..self.header.questions).try_fold(HEADER, |at, _| Some(name::skip(self.payload, at)? + 4));
        let (at, left) = start.map_or((0, 0), |at| (at, left));
        Answers { payload: self.payload, at, left }
    }
}

impl Answer<'_> {
    /// What the record is about, if its name can be read.
    #[must_use]
    pub fn name(&self) -> Option<Name> {
        Name::read(self.payload, self.at).map(|(name, _)| name)
    }

    /// The name that the record leads to: behind an alias, of a pointer, of a service's host.
    #[must_use]
    pub fn target(&self) -> Option<Name> {
        let at = match self.rtype {
            CNAME | PTR => self.data.0,
            SRV => self.data.0 + 6,
            _ => return None,
        };
        // A name that ran out of its record would be made of the records behind it.
        let (name, end) = Name::read(self.payload, at)?;
        (end <= self.data.1).then_some(name)
    }

    /// The strings of a record with free text; none of another.
    pub fn texts(&self) -> impl Iterator<Item = &[u8]> {
        let data = if self.rtype == TXT { self.payload.get(self.data.0..self.data.1) } else { None };
        let mut rest = Cursor(data.unwrap_or_default());
        core::iter::from_fn(move || rest.behind_u8())
    }
}

impl<'a> Iterator for Answers<'a> {
    type Item = Answer<'a>;

    fn next(&mut self) -> Option<Answer<'a>> {
        self.left = self.left.checked_sub(1)?;
        // A record that cannot be read is not stepped over, so every later call ends there too.
        self.read()
    }
}

impl<'a> Answers<'a> {
    fn read(&mut self) -> Option<Answer<'a>> {
        let at = self.at;
        let end = name::skip(self.payload, at)?;
        let mut rest = Cursor(self.payload.get(end..)?);
        let rtype = rest.u16()?;
        let _class = rest.u16()?;
        let ttl = rest.u32()?;
        let data = rest.behind_u16()?;
        self.at = self.payload.len() - rest.0.len();
        let address = match rtype {
            A => <[u8; 4]>::try_from(data).ok().map(|a| IpAddr::V4(Ipv4Addr::from(a))),
            AAAA => <[u8; 16]>::try_from(data).ok().map(|a| IpAddr::V6(Ipv6Addr::from(a))),
            _ => None,
        };
        let data = (self.at - data.len(), self.at);
        Some(Answer { payload: self.payload, at, data, rtype, ttl, address })
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    /// Asks for `Www.Example.org` and answers with an alias, an IPv4 and an IPv6 address.
    const ANSWER: &[u8] = b"\x12\x34\x81\x80\0\x01\0\x03\0\0\0\0\
        \x03Www\x07Example\x03org\0\0\x01\0\x01\
        \xc0\x0c\0\x05\0\x01\0\0\0\x3c\0\x06\x03cdn\xc0\x10\
        \xc0\x2d\0\x01\0\x01\0\0\0\x0a\0\x04\xc0\x00\x02\x07\
        \xc0\x2d\0\x1c\0\x01\0\0\0\x0a\0\x10\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07";

    #[test]
    fn a_question_is_read_in_lower_case() {
        let question = Message::parse(ANSWER).unwrap().question().unwrap();
        assert_eq!((question.name.as_str(), question.qtype), ("www.example.org", A));
    }

    #[test]
    fn the_header_tells_an_answer_from_a_question() {
        let header = Message::parse(ANSWER).unwrap().header;
        let expected = Header { id: 0x1234, response: true, rcode: 0, truncated: false, questions: 1, answers: 3 };
        assert_eq!(header, expected);
    }

    #[test]
    fn answers_follow_pointers_and_carry_addresses() {
        let answers: Vec<Answer<'_>> = Message::parse(ANSWER).unwrap().answers().collect();
        assert_eq!(answers.len(), 3);
        let names: Vec<Name> = answers.iter().filter_map(Answer::name).collect();
        assert_eq!((names[0].as_str(), answers[0].rtype, answers[0].address), ("www.example.org", 5, None));
        assert_eq!((names[1].as_str(), answers[1].ttl), ("cdn.example.org", 10));
        assert_eq!(answers[1].address, Some("192.0.2.7".parse().unwrap()));
        assert_eq!(answers[2].address, Some("2001:db8::7".parse().unwrap()));
    }

    /// A printer as it announces itself: its services, and behind them what one of them is and where it lives.
    const ANNOUNCED: &[u8] = b"\0\0\x84\0\0\0\0\x01\0\0\0\x03\
        \x04_ipp\x04_tcp\x05local\0\0\x0c\0\x01\0\0\x11\x94\0\x05\x02HP\xc0\x0c\
        \xc0\x27\0\x21\x80\x01\0\0\0\x78\0\x0e\0\0\0\0\x02\x77\x05print\xc0\x16\
        \xc0\x27\0\x10\x80\x01\0\0\x11\x94\0\x0f\x05ty=HP\x08rp=a/b/c\
        \xc0\x3e\0\x01\x80\x01\0\0\0\x78\0\x04\x0a\0\0\x05";

    #[test]
    fn all_sections_tell_services_their_texts_and_their_host() {
        let message = Message::parse(ANNOUNCED).unwrap();
        assert_eq!(message.answers().count(), 1);
        let records: Vec<Answer<'_>> = message.records().collect();
        let kinds: Vec<u16> = records.iter().map(|r| r.rtype).collect();
        assert_eq!(kinds, [PTR, SRV, TXT, A]);
        assert_eq!(records[0].name().unwrap().as_str(), "_ipp._tcp.local");
        assert_eq!(records[0].target().unwrap().as_str(), "hp._ipp._tcp.local");
        assert_eq!(records[1].target().unwrap().as_str(), "print.local");
        assert_eq!(records[2].texts().collect::<Vec<_>>(), [&b"ty=HP"[..], b"rp=a/b/c"]);
        assert_eq!((records[3].target(), records[3].texts().count()), (None, 0));
        assert_eq!(records[3].name().unwrap().as_str(), "print.local");
    }

    #[test]
    fn a_target_ends_with_its_record() {
        let mut message = b"\0\0\x84\0\0\0\0\x01\0\0\0\0\x01a\0\0\x0c\0\x01\0\0\0\x09\0\x02\x01b\0".to_vec();
        assert_eq!(Message::parse(&message).unwrap().answers().next().unwrap().target(), None);
        message[24] = 3;
        assert_eq!(Message::parse(&message).unwrap().answers().next().unwrap().target().unwrap().as_str(), "b");
    }

    #[test]
    fn counts_that_lie_end_with_the_payload() {
        let mut message = ANSWER.to_vec();
        (message[6], message[7]) = (0xff, 0xff);
        assert_eq!(Message::parse(&message).unwrap().answers().count(), 3);
        (message[4], message[5]) = (0xff, 0xff);
        assert_eq!(Message::parse(&message).unwrap().answers().count(), 0);
    }

    #[test]
    fn a_message_cut_anywhere_tells_the_records_before_the_cut() {
        let whole = Message::parse(ANSWER).unwrap();
        for len in 0..ANSWER.len() {
            let message = Message::parse(&ANSWER[..len]);
            assert_eq!(message.is_some(), len >= HEADER, "{len}");
            let Some(message) = message else { continue };
            assert_eq!(message.question().is_some(), len >= 31, "{len}");
            let read = message.answers().count();
            assert!(
                read < 3 && message.answers().map(|a| a.address).eq(whole.answers().take(read).map(|a| a.address)),
                "{len}"
            );
        }
    }
}
