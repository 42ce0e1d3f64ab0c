//! The box's name: whoever asks the network for `picket.local` hears the addresses at which the page is. No other question is answered.
//!
//! | | bound |
//! |---|---|
//! | answers to all | one a second and address |
//! | answers to one | 20 a second, to private addresses only |
//!
//! The socket hears what is sent to the group alone, so that the port is closed at the box's own addresses. It speaks IPv4; addresses of
//! IPv6 are told over it as well. Whoever else answers to the name is told to people and changes nothing: the certificate, not the
//! name, proves the box, and a name that is given up to whoever claims it could be taken by anybody.
//!
//! **Source**: RFC 6762; section 6.1 for what is said of a type that the name lacks, 6.7 for askers that know no multicast DNS.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket as StdSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, socket_with, sockopt};
use tokio::net::UdpSocket;
use tokio::time::{MissedTickBehavior, interval};
use wire::dns::{Message, Question};

use super::private;
use super::tls::NAME;
use crate::office::Office;

const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);
const PORT: u16 = 5353;
/// The addresses that are told at most, and the networks that are spoken to.
const ADDRESSES: usize = 8;
/// How often it is looked which addresses the box has.
const LOOK: Duration = Duration::from_secs(5);
/// The pause between two answers to all, and the answers to one in as long a time.
const PAUSE: Duration = Duration::from_secs(1);
const SINGLE: u32 = 20;
/// How long an answer may be kept, in seconds: by those who hear when it changes, and by others.
const KEPT: u32 = 120;
const KEPT_BY_OTHERS: u32 = 10;
/// The longest message.
const MESSAGE: usize = 9_000;

const A: u16 = 1;
const AAAA: u16 = 28;
const NSEC: u16 = 47;
const ANY: u16 = 255;
const INTERNET: u16 = 1;
/// Of a question's class: answer me alone. Of an answer's: forget what you knew.
const TOP: u16 = 0x8000;

/// A socket that hears what is asked of the group; nothing where nobody but the box itself could reach it.
///
/// # Errors
/// The port cannot be had.
pub fn open(listen: &[IpAddr]) -> io::Result<Option<StdSocket>> {
    if listen.iter().all(IpAddr::is_loopback) {
        return Ok(None);
    }
    let socket =
        socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)?;
    // Other responders of the same machine hear the group as well.
    sockopt::set_socket_reuseaddr(&socket, true)?;
    bind(&socket, &SocketAddr::from((GROUP, PORT)))?;
    let socket = StdSocket::from(socket);
    socket.set_multicast_ttl_v4(255)?;
    Ok(Some(socket))
}

/// Answers until the future is dropped.
pub async fn answer(socket: StdSocket, office: Arc<Office>) {
    let mut responder = match UdpSocket::from_std(socket) {
        Ok(socket) => {
            Responder { socket, office, own: Vec::new(), said: None, single: 0, since: Instant::now(), warned: false }
        }
        Err(error) => return tracing::error!("nobody answers to {NAME}: {error}"),
    };
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut octets = vec![0; MESSAGE];
    loop {
        tokio::select! {
            _ = look.tick() => responder.look().await,
            got = responder.socket.recv_from(&mut octets) => match got {
                Ok((len, from)) => responder.hear(&octets[..len], from).await,
                Err(error) => {
                    tracing::warn!("{NAME}: {error}");
                    tokio::time::sleep(PAUSE).await;
                }
            },
        }
    }
}

struct Responder {
    socket: UdpSocket,
    office: Arc<Office>,
    /// The addresses at which the page is.
    own: Vec<IpAddr>,
    /// When all were told last.
    said: Option<Instant>,
    /// Answers to single askers since then.
    single: u32,
    since: Instant,
    warned: bool,
}

/// To whom an answer goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum To {
    All,
    /// One that follows what is said to all.
    One(SocketAddr),
    /// One that knows no multicast DNS and wants its question back, with its number.
    Other(SocketAddr, u16),
}

impl Responder {
    /// Looks which addresses the box has, and listens where it does not yet: a link may come late, or go and come back. What is new is
    /// told to all.
    async fn look(&mut self) {
        let (names, _) = self.office.certificate.of_leaf();
        let addresses = names.iter().filter_map(|name| name.parse().ok()).filter(|own: &IpAddr| !own.is_loopback());
        let own: Vec<IpAddr> = addresses.take(ADDRESSES).collect();
        let mut fresh = own != self.own;
        self.own = own;
        for address in v4(&self.own) {
            match self.socket.join_multicast_v4(GROUP, address) {
                Ok(()) => fresh = true,
                // It listens there already.
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                Err(error) => tracing::debug!("{NAME} is not heard at {address}: {error}"),
            }
        }
        if fresh {
            self.send(&message(To::All, &self.own, ANY), To::All).await;
        }
    }

    async fn hear(&mut self, octets: &[u8], from: SocketAddr) {
        let Some(heard) = Message::parse(octets) else { return };
        if heard.header.response {
            return self.other(&heard, from);
        }
        for Question { name, qtype, qclass } in heard.questions() {
            let asked = name.as_str().eq_ignore_ascii_case(NAME) && matches!(qtype, A | AAAA | ANY);
            if !asked || !matches!(qclass & !TOP, INTERNET | ANY) || !private(from.ip()) {
                continue;
            }
            let to = match from.port() {
                PORT if qclass & TOP == 0 => To::All,
                PORT => To::One(from),
                _ => To::Other(from, heard.header.id),
            };
            if self.may_speak(to) {
                let answer = message(to, &self.own, qtype);
                self.send(&answer, to).await;
            }
            // Whoever asks for both types hears both.
            return;
        }
    }

    fn may_speak(&mut self, to: To) -> bool {
        let now = Instant::now();
        if to == To::All {
            let speaks = self.said.is_none_or(|then| now - then >= PAUSE);
            self.said = if speaks { Some(now) } else { self.said };
            return speaks;
        }
        if now - self.since >= PAUSE {
            (self.since, self.single) = (now, 0);
        }
        self.single += 1;
        self.single <= SINGLE
    }

    /// Somebody answers; where that is with another address to the box's own name, people are told once.
    fn other(&mut self, heard: &Message<'_>, from: SocketAddr) {
        let claims =
            heard.answers().filter(|answer| answer.name().is_some_and(|name| name.as_str().eq_ignore_ascii_case(NAME)));
        let other = claims.filter_map(|answer| answer.address).find(|address| !self.own.contains(address));
        if let Some(address) = other.filter(|_| !self.warned && !self.own.contains(&from.ip())) {
            self.warned = true;
            self.office.warn(format!(
                "another device, {}, says that {NAME} is {address}: go by this box's address, and compare its certificate's fingerprint",
                from.ip()
            ));
        }
    }

    async fn send(&self, message: &[u8], to: To) {
        let sent = match to {
            To::One(asker) | To::Other(asker, _) => self.socket.send_to(message, asker).await.map(drop),
            To::All => {
                let mut sent = Ok(());
                for address in v4(&self.own) {
                    sent = match sockopt::set_ip_multicast_if(&self.socket, &address) {
                        Ok(()) => self.socket.send_to(message, (GROUP, PORT)).await.map(drop),
                        Err(error) => Err(error.into()),
                    };
                }
                sent
            }
        };
        if let Err(error) = sent {
            tracing::debug!("{NAME} could not be told: {error}");
        }
    }
}

fn v4(addresses: &[IpAddr]) -> impl Iterator<Item = Ipv4Addr> {
    addresses.iter().filter_map(|address| match address {
        IpAddr::V4(v4) => Some(*v4),
        IpAddr::V6(_) => None,
    })
}

/// What is answered to a question for this type: the addresses, both kinds, or that there are none of its kind.
fn message(to: To, own: &[IpAddr], qtype: u16) -> Vec<u8> {
    let name: Vec<u8> =
        NAME.split('.').flat_map(|label| [&[label.len() as u8], label.as_bytes()].concat()).chain([0]).collect();
    let (id, questions, class, kept) = match to {
        To::Other(_, id) => (id, 1_u16, INTERNET, KEPT_BY_OTHERS),
        To::All | To::One(_) => (0, 0, INTERNET | TOP, KEPT),
    };
    let mut records: Vec<(u16, Vec<u8>)> = own
        .iter()
        .map(|address| match address {
            IpAddr::V4(v4) => (A, v4.octets().to_vec()),
            IpAddr::V6(v6) => (AAAA, v6.octets().to_vec()),
        })
        .collect();
    let held = |kind: u16| records.iter().any(|(held, _)| *held == kind);
    if qtype != ANY && !held(qtype) {
        // The types that there are, as bits of the first four octets.
        let bits = [A, AAAA].into_iter().filter(|kind| held(*kind)).fold(0_u32, |bits, kind| bits | 1 << (31 - kind));
        records.push((NSEC, [&name[..], &[0, 4], &bits.to_be_bytes()].concat()));
    }
    let mut octets = Vec::new();
    for word in [id, 0x8400, questions, u16::try_from(records.len()).unwrap_or(0), 0, 0] {
        octets.extend(word.to_be_bytes());
    }
    if questions > 0 {
        octets.extend(&name);
        octets.extend([qtype, INTERNET].map(u16::to_be_bytes).concat());
    }
    for (kind, data) in &records {
        octets.extend(&name);
        octets.extend([*kind, class].map(u16::to_be_bytes).concat());
        octets.extend(kept.to_be_bytes());
        octets.extend(u16::try_from(data.len()).unwrap_or(0).to_be_bytes());
        octets.extend(data);
    }
    octets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_tells_the_addresses_and_what_there_is_none_of() {
        let own = ["192.168.9.2".parse().unwrap(), "192.168.9.3".parse().unwrap()];
        let said = message(To::All, &own, A);
        let said = Message::parse(&said).unwrap();
        assert!(said.header.response && said.header.questions == 0 && said.header.id == 0);
        let told: Vec<_> =
            said.answers().map(|answer| (answer.name().unwrap().as_str().to_owned(), answer.address)).collect();
        assert_eq!(told, own.map(|address| (NAME.to_owned(), Some(address))));
        let octets = message(To::One(([192, 168, 9, 10], PORT).into()), &own, AAAA);
        let said = Message::parse(&octets).unwrap();
        assert_eq!(said.answers().map(|answer| answer.rtype).collect::<Vec<_>>(), [A, A, NSEC]);
        // Type 1 is the second bit.
        assert!(octets.ends_with(&[0, 4, 0x40, 0, 0, 0]));
    }

    #[test]
    fn who_knows_no_multicast_hears_its_own_question_again() {
        let own = ["fd00::2".parse().unwrap()];
        let octets = message(To::Other(([192, 168, 9, 10], 40_000).into(), 7), &own, AAAA);
        let said = Message::parse(&octets).unwrap();
        assert_eq!((said.header.id, said.questions().count()), (7, 1));
        assert_eq!(said.question().map(|question| (question.qtype, question.qclass)), Some((AAAA, INTERNET)));
        let told: Vec<_> = said.answers().map(|answer| (answer.address, answer.ttl)).collect();
        assert_eq!(told, [(Some(own[0]), KEPT_BY_OTHERS)]);
    }
}
