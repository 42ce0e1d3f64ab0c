//! A DHCP client: what it sends when, and what it takes of what it hears.
//!
//! Pure: the time since some start and random numbers come in as arguments. What a server says counts only where it answers what was
//! asked, and a grant only where an address, a network and a time can be made of it; all else is as if it had not come.
//!
//! **Source**: RFC 2131 sections 3, 4.1 and 4.4; RFC 2132 for the options; RFC 3927 section 2.1 for addresses without a server.

use std::net::Ipv4Addr;
use std::time::Duration;

use terms::MacAddr;
use wire::dhcp::{ACK, DISCOVER, Message, NAK, OFFER, REQUEST, addresses};

/// The message type of a client that does not take what it was granted, since somebody else has it.
const DECLINE: u8 = 4;
/// Octets of a message up to its options, with what tells it from BOOTP.
const FIXED: usize = 240;
/// What is asked for: mask, router, servers of names and of time, and the times of the lease.
const WANTED: [u8; 7] = [1, 3, 6, 42, 51, 58, 59];
/// Pauses between two looks for a server: doubled from the first to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(64);
/// How often an offer is asked for before another one is looked for.
const ASKED: u32 = 4;
/// The pause after an address that somebody else had, and the shortest between two questions for more time.
const DECLINED: Duration = Duration::from_secs(10);
const RENEW_PAUSE: Duration = Duration::from_secs(60);
/// The shortest time of a lease that is taken: a shorter one would be asked for without end.
const SHORTEST: u32 = 30;
/// A lease without an end.
const FOR_EVER: u32 = u32::MAX;
/// Servers of a kind that are taken.
const SERVERS: usize = 4;

/// What a server granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The address.
    pub address: Ipv4Addr,
    /// How many of its bits are the network's.
    pub prefix: u8,
    /// Who granted it.
    pub server: Ipv4Addr,
    /// The way out of the network.
    pub router: Option<Ipv4Addr>,
    /// Servers of names.
    pub name_servers: Vec<Ipv4Addr>,
    /// Servers of time.
    pub time_servers: Vec<Ipv4Addr>,
    /// For how many seconds; nothing is for ever.
    pub seconds: Option<u32>,
    /// After how long that server is asked for more, and after how long any.
    renew: Duration,
    rebind: Duration,
}

/// Why an offer or a grant is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It does not say who made it.
    #[error("it names no server")]
    NoServer,
    /// The address is none that a box can have.
    #[error("{0} is no address for a box")]
    Address(Ipv4Addr),
    /// The network can't be told from the address.
    #[error("it names no network")]
    Network,
    /// It does not say for how long, or for too short a time.
    #[error("it is for too short a time")]
    Time,
}

/// A message to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToSend {
    /// What.
    pub payload: Vec<u8>,
    /// To whom; everybody where no server is known.
    pub to: Ipv4Addr,
}

/// What has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// An address was granted, or granted for longer.
    Granted(Lease),
    /// The address is not the box's any more.
    Lost(Ipv4Addr),
}

/// The client.
#[derive(Debug)]
pub struct Client {
    mac: MacAddr,
    /// What tells this exchange from others.
    id: u32,
    state: State,
    /// Messages of this state.
    tries: u32,
    /// When the next is due.
    next: Duration,
}

#[derive(Debug)]
enum State {
    Looking,
    Asking(Lease),
    Holding { lease: Lease, since: Duration },
}

impl Lease {
    /// Reads a server's message.
    ///
    /// # Errors
    /// No lease can be made of it.
    pub fn of(message: &Message<'_>) -> Result<Self, Refusal> {
        let address = message.your;
        let server = message.server.filter(|server| is_host(*server)).ok_or(Refusal::NoServer)?;
        if !is_host(address) || address.is_link_local() {
            return Err(Refusal::Address(address));
        }
        let mask = u32::from(message.mask.ok_or(Refusal::Network)?);
        let prefix = mask.leading_ones();
        let host = u32::from(address) & !mask;
        if !(8..=30).contains(&prefix) || mask.count_ones() != prefix || host == 0 || host == !mask {
            return Err(Refusal::Network);
        }
        let seconds = message.lease.filter(|seconds| *seconds >= SHORTEST).ok_or(Refusal::Time)?;
        let of_lease = |share: u64| Duration::from_secs(u64::from(seconds) * share / 8);
        // RFC 2131 section 4.4.5: half of the time, and seven eighths of it. Others count only where they are in that order.
        let named = |value: Option<u32>| value.map(|seconds| Duration::from_secs(seconds.into()));
        let own = named(message.renew).zip(named(message.rebind));
        let (renew, rebind) =
            own.filter(|(t1, t2)| !t1.is_zero() && t1 < t2 && *t2 < of_lease(8)).unwrap_or((of_lease(4), of_lease(7)));
        let near = |router: &Ipv4Addr| (u32::from(*router) ^ u32::from(address)) & mask == 0 && *router != address;
        let servers = |value: Option<&[u8]>| {
            addresses(value.unwrap_or_default()).filter(|server| is_host(*server)).take(SERVERS).collect()
        };
        Ok(Self {
            address,
            prefix: prefix as u8,
            server,
            router: message.router.filter(near),
            name_servers: servers(message.name_servers),
            time_servers: servers(message.time_servers),
            seconds: (seconds != FOR_EVER).then_some(seconds),
            renew,
            rebind,
        })
    }
}

impl Client {
    /// One that looks for a server at once.
    pub fn new(mac: MacAddr) -> Self {
        Self { mac, id: 0, state: State::Looking, tries: 0, next: Duration::ZERO }
    }

    /// Whether an address is held.
    pub fn holds(&self) -> bool {
        matches!(self.state, State::Holding { .. })
    }

    /// What is to be sent now, if anything; `draw` is any random number.
    pub fn due(&mut self, now: Duration, draw: u32) -> Option<ToSend> {
        if now < self.next {
            return None;
        }
        let everybody = Ipv4Addr::BROADCAST;
        if matches!(self.state, State::Asking(_)) && self.tries >= ASKED {
            (self.state, self.tries) = (State::Looking, 0);
        }
        // Up to a second more or less, so that boxes that started together do not ask together.
        let jitter = Duration::from_millis(u64::from(draw % 1_000));
        let pause = (FIRST_PAUSE * (1 << self.tries.min(5))).min(LONGEST_PAUSE) + jitter;
        let sent = match &self.state {
            State::Looking => {
                self.id = draw;
                self.next = now + pause;
                ToSend { payload: self.message(DISCOVER, None, &[]), to: everybody }
            }
            State::Asking(offer) => {
                self.next = now + pause;
                let options = [own(50, offer.address), own(54, offer.server)].concat();
                ToSend { payload: self.message(REQUEST, None, &options), to: everybody }
            }
            State::Holding { lease, since } => {
                let held = now.saturating_sub(*since);
                if lease.seconds.is_none() || held < lease.renew {
                    self.next = *since + lease.renew;
                    return None;
                }
                if self.tries == 0 {
                    self.id = draw;
                }
                let end = Duration::from_secs(lease.seconds.unwrap_or(FOR_EVER).into());
                let (to, until) = if held < lease.rebind { (lease.server, lease.rebind) } else { (everybody, end) };
                self.next = now + (until.saturating_sub(held) / 2).max(RENEW_PAUSE.min(end / 8));
                ToSend { payload: self.message(REQUEST, Some(lease.address), &[]), to }
            }
        };
        self.tries += 1;
        Some(sent)
    }

    /// Hears a message; what it changes, if it is the answer to what was asked.
    pub fn hear(&mut self, payload: &[u8], now: Duration) -> Option<Change> {
        let message = Message::parse(payload)?;
        if !message.is_from_server() || message.id != self.id || message.client_mac != self.mac || self.tries == 0 {
            return None;
        }
        let lease = Lease::of(&message).ok();
        match (&self.state, message.kind?, lease) {
            (State::Looking, OFFER, Some(offer)) => {
                (self.state, self.tries, self.next) = (State::Asking(offer), 0, now);
                None
            }
            (State::Asking(offer), ACK, Some(lease)) if same(offer, &lease) => Some(self.hold(lease, now)),
            (State::Asking(offer), NAK, _) if message.server == Some(offer.server) => {
                self.look_again(now + FIRST_PAUSE);
                None
            }
            (State::Holding { lease: held, .. }, ACK, Some(lease)) if lease.address == held.address => {
                Some(self.hold(lease, now))
            }
            (State::Holding { lease, .. }, NAK, _) if message.server == Some(lease.server) => {
                let address = lease.address;
                self.look_again(now + FIRST_PAUSE);
                Some(Change::Lost(address))
            }
            _ => None,
        }
    }

    /// Looks whether the time of the address is over.
    pub fn look(&mut self, now: Duration) -> Option<Change> {
        let State::Holding { lease, since } = &self.state else { return None };
        let end = Duration::from_secs(lease.seconds?.into());
        let address = lease.address;
        (now.saturating_sub(*since) >= end).then(|| {
            self.look_again(now);
            Change::Lost(address)
        })
    }

    /// Gives back an address that somebody else has.
    pub fn decline(&mut self, now: Duration) -> Option<ToSend> {
        let State::Holding { lease, .. } = &self.state else { return None };
        let options = [own(50, lease.address), own(54, lease.server)].concat();
        let payload = self.message(DECLINE, None, &options);
        self.look_again(now + DECLINED);
        Some(ToSend { payload, to: Ipv4Addr::BROADCAST })
    }

    fn hold(&mut self, lease: Lease, now: Duration) -> Change {
        (self.tries, self.next) = (0, now + lease.renew);
        self.state = State::Holding { lease: lease.clone(), since: now };
        Change::Granted(lease)
    }

    fn look_again(&mut self, next: Duration) {
        (self.state, self.tries, self.next) = (State::Looking, 0, next);
    }

    /// A message to a server; `held` is the address that is asked for again.
    fn message(&self, kind: u8, held: Option<Ipv4Addr>, options: &[u8]) -> Vec<u8> {
        let mut octets = vec![0; FIXED];
        // A request of an Ethernet client.
        octets[..3].copy_from_slice(&[1, 1, 6]);
        octets[4..8].copy_from_slice(&self.id.to_be_bytes());
        match held {
            Some(address) => octets[12..16].copy_from_slice(&address.octets()),
            // Whoever has no address yet hears only what is said to everybody.
            None => octets[10] = 0x80,
        }
        octets[28..34].copy_from_slice(&self.mac.octets());
        octets[236..].copy_from_slice(&[99, 130, 83, 99]);
        octets.extend([53, 1, kind, 61, 7, 1]);
        octets.extend(self.mac.octets());
        octets.extend(options);
        if kind != DECLINE {
            octets.extend([55, WANTED.len() as u8]);
            octets.extend(WANTED);
        }
        octets.push(255);
        // BOOTP's shortest message, which some relays still want.
        octets.resize(octets.len().max(300), 0);
        octets
    }
}

/// Whether a grant is what was offered.
fn same(offer: &Lease, lease: &Lease) -> bool {
    (offer.address, offer.server) == (lease.address, lease.server)
}

/// An option that is an address.
fn own(option: u8, address: Ipv4Addr) -> Vec<u8> {
    let mut octets = vec![option, 4];
    octets.extend(address.octets());
    octets
}

/// Whether one machine can have this address.
pub fn is_host(address: Ipv4Addr) -> bool {
    let first = address.octets()[0];
    (1..224).contains(&first) && !address.is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MAC: MacAddr = MacAddr::new([2, 0, 0, 0, 0, 9]);
    const ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 168, 7, 50);
    const SERVER: Ipv4Addr = Ipv4Addr::new(192, 168, 7, 1);

    /// A server's answer to what the client sent.
    fn answer(sent: &ToSend, kind: u8, options: &[u8]) -> Vec<u8> {
        let mut octets = sent.payload[..FIXED].to_vec();
        octets[0] = 2;
        octets[16..20].copy_from_slice(&ADDRESS.octets());
        octets.extend([53, 1, kind]);
        octets.extend(own(54, SERVER));
        octets.extend(options);
        octets.push(255);
        octets
    }

    fn options(seconds: u32) -> Vec<u8> {
        let lease = [&[51, 4][..], &seconds.to_be_bytes()].concat();
        [own(1, Ipv4Addr::new(255, 255, 255, 0)), own(3, SERVER), own(6, SERVER), own(42, SERVER), lease].concat()
    }

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// A client that was granted the address for so many seconds at second 1.
    fn granted(seconds: u32) -> (Client, Lease) {
        let mut client = Client::new(MAC);
        let sent = client.due(at(0), 7).expect("it looks at once");
        assert_eq!(client.hear(&answer(&sent, OFFER, &options(seconds)), at(1)), None);
        let sent = client.due(at(1), 8).expect("it asks at once");
        assert_eq!(sent.to, Ipv4Addr::BROADCAST);
        match client.hear(&answer(&sent, ACK, &options(seconds)), at(1)) {
            Some(Change::Granted(lease)) => (client, lease),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_offer_is_asked_for_granted_asked_for_again_and_lost_at_its_end() {
        let (mut client, lease) = granted(800);
        assert_eq!((lease.address, lease.prefix, lease.router), (ADDRESS, 24, Some(SERVER)));
        assert_eq!((lease.name_servers, lease.time_servers), (vec![SERVER], vec![SERVER]));
        assert_eq!(client.due(at(400), 9), None);
        let sent = client.due(at(401), 10).expect("half of the time is over");
        assert_eq!((sent.to, &sent.payload[12..16]), (SERVER, &ADDRESS.octets()[..]));
        let sent = client.due(at(702), 11).expect("seven eighths are over");
        assert_eq!(sent.to, Ipv4Addr::BROADCAST);
        assert!(matches!(client.hear(&answer(&sent, ACK, &options(800)), at(702)), Some(Change::Granted(_))));
        assert_eq!(client.look(at(1_501)), None);
        assert_eq!(client.look(at(1_502)), Some(Change::Lost(ADDRESS)));
        assert!(client.due(at(1_502), 12).is_some(), "it looks again at once");
    }

    #[test]
    fn a_lease_without_an_end_is_kept() {
        let (mut client, lease) = granted(u32::MAX);
        assert_eq!((lease.seconds, client.look(at(10_000_000_000))), (None, None));
        assert_eq!(client.due(at(10_000_000_000), 9), None);
    }

    #[test]
    fn what_does_not_answer_what_was_asked_is_not_heard() {
        let mut client = Client::new(MAC);
        assert_eq!(
            client.hear(&answer(&ToSend { payload: vec![0; FIXED], to: SERVER }, OFFER, &options(800)), at(0)),
            None
        );
        let sent = client.due(at(0), 7).expect("it looks");
        let right = answer(&sent, OFFER, &options(800));
        for (place, octet) in [(0, 1), (7, 8), (33, 1), (16, 127), (16, 230), (19, 255), (19, 0)] {
            let mut wrong = right.clone();
            wrong[place] = octet;
            client.hear(&wrong, at(1));
            // The operation is not what counts: only servers offer.
            assert_eq!(matches!(client.state, State::Looking), place != 0, "{place}");
            if place == 0 {
                client.look_again(at(1));
                client.tries = 1;
            }
        }
        client.hear(&right, at(1));
        let sent = client.due(at(1), 8).expect("it asks");
        let mut other = answer(&sent, ACK, &options(800));
        other[19] = 51;
        assert_eq!(client.hear(&other, at(1)), None, "another address than was offered");
        assert_eq!(client.hear(&answer(&sent, NAK, &[]), at(1)), None);
        assert!(matches!(client.state, State::Looking));
    }

    #[test]
    fn an_address_that_somebody_has_is_given_back() {
        let (mut client, _) = granted(800);
        let sent = client.decline(at(2)).expect("it holds one");
        let read = Message::parse(&sent.payload).expect("a message");
        assert_eq!((read.kind, read.server), (Some(DECLINE), Some(SERVER)));
        assert!(!client.holds() && client.due(at(11), 1).is_none() && client.due(at(12), 1).is_some());
    }

    #[test]
    fn who_looks_in_vain_looks_less_often() {
        let mut client = Client::new(MAC);
        let sent = (0..600).filter(|second| client.due(at(*second), 0).is_some()).count();
        assert!((10..16).contains(&sent), "{sent} times in ten minutes");
    }

    proptest! {
        /// Whatever is said, the client stands, sends no more than it may, and holds only an address that a box can have.
        #[test]
        fn no_answers_bring_it_down(
            kinds in prop::collection::vec((0_u8..9, any::<[u8; 4]>(), any::<[u8; 4]>(), any::<[u8; 12]>(), any::<bool>()), 1..40),
            noise in prop::collection::vec(any::<u8>(), 0..600),
        ) {
            let mut client = Client::new(MAC);
            let mut last = None;
            let mut now = Duration::ZERO;
            for (kind, address, mask, times, plain) in kinds {
                now += Duration::from_secs(u64::from(times[0]) * 10);
                last = client.due(now, u32::from_be_bytes(mask)).or(last);
                let Some(sent) = &last else { continue };
                let more = [&[1, 4][..], &mask, &[51, 4], &times[..4], &[58, 4], &times[4..8], &[59, 4], &times[8..], &[6, 5, 1, 2, 3, 4, 5]].concat();
                let mut said = answer(sent, kind, &if plain { options(u32::from_be_bytes(address)) } else { more });
                if !plain {
                    said[16..20].copy_from_slice(&address);
                }
                if let Some(Change::Granted(lease)) = client.hear(&said, now) {
                    prop_assert!(is_host(lease.address) && (8..=30).contains(&lease.prefix));
                    prop_assert!(lease.renew < lease.rebind && lease.seconds.is_none_or(|seconds| seconds >= SHORTEST));
                }
                client.look(now);
                client.hear(&noise, now);
            }
        }
    }
}
