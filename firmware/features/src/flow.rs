//! One conversation: who asked, how it was answered, and what was carried each way.

use terms::{MacAddr, Span, Timestamp};

use crate::change::{Ask, Service};
use crate::table::Worth;

/// What makes a conversation long and thin: how often its ends take turns, for how long it lasts, and octets a turn.
const TURNS: u16 = 20;
const LONG: Span = Span::from_secs(300);
const THIN: u64 = 600;

/// From how many octets on something that is fetched is large.
const LARGE: u32 = 64 << 10;

/// How many times as large as its question an answer is that somebody may want to be sent to others.
const AMPLIFIED: u32 = 10;
/// Services that are used for it: quote, chargen, DNS, TFTP, portmap, NTP, NetBIOS, SNMP, LDAP, SSDP, remote desktop of Apple, discovery of
/// devices (WS-Discovery, mDNS, CoAP, Ubiquiti), memcached.
///
/// **Source**: US-CERT alert TA14-017A.
const AMPLIFIERS: [u16; 16] = [17, 19, 53, 69, 111, 123, 137, 161, 389, 1900, 3283, 3702, 5353, 5683, 10_001, 11_211];

/// How far a conversation has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// It was going on before its first frame was seen, or nobody waits for an answer; only one end was heard.
    Joined,
    /// Asked, not answered yet.
    Asked,
    /// Answered; for TCP, the handshake lacks its last step.
    Accepted,
    /// Going on.
    Established,
    /// Refused by RST or an ICMP error.
    Refused,
    /// Not answered within a second.
    Silent,
    /// Ended.
    Closed,
}

/// A conversation between `orig` (who asked) and `resp`.
#[derive(Clone, Debug)]
pub(crate) struct Flow {
    pub first: Timestamp,
    pub last: Timestamp,
    /// The hardware address that asked.
    pub asker: MacAddr,
    /// Whether the end with the lower row identity is `orig`.
    pub orig_is_low: bool,
    pub phase: Phase,
    pub ask: Ask,
    /// The port of `resp`.
    pub port: u16,
    /// Payload octets from `orig`, from `resp`; of UDP, datagrams.
    pub payload: [u32; 2],
    /// Whether a log-in was refused in so many words, or a success seen.
    pub login_seen: bool,
    /// Whether the last request carried HTTP Basic credentials.
    pub credentials: bool,
    /// Sequence number of the last refusal that was counted.
    pub refusal: u32,
    /// Whether `resp` spoke, and whether it began as an SSH server does, on whatever port.
    pub server_spoke: bool,
    pub is_ssh: bool,
    /// Whether `orig` began in a protocol that nobody here knows, at a port where none is usual, with a server without a name.
    pub strange: bool,
    /// Whether its first words were heard.
    pub begun: bool,
    /// Whether `orig` spoke last.
    pub orig_spoke: bool,
    /// Whether `orig` fetches by HTTP something that is no text, picture, sound or film, and does not say what fetches it.
    pub agentless: bool,
    /// Of TCP, times that the other end spoke than the one before; of UDP, octets that `orig` sent since `resp` answered last.
    pub turns: u16,
}

impl Flow {
    pub fn asked(ask: Ask, port: u16, orig_is_low: bool, asker: MacAddr, at: Timestamp) -> Self {
        Self {
            first: at,
            last: at,
            asker,
            orig_is_low,
            phase: Phase::Asked,
            ask,
            port,
            payload: [0; 2],
            login_seen: false,
            credentials: false,
            refusal: 0,
            server_spoke: false,
            is_ssh: false,
            strange: false,
            begun: true,
            orig_spoke: false,
            agentless: false,
            turns: 0,
        }
    }

    /// Notes a datagram of `orig`.
    pub fn asks(&mut self, octets: u32) {
        self.turns = self.turns.saturating_add(u16::try_from(octets).unwrap_or(u16::MAX));
    }

    /// Notes a datagram of `resp`, and tells whether it answers a question with many times as much.
    pub fn amplifies(&mut self, octets: u32) -> bool {
        let asked = core::mem::take(&mut self.turns);
        asked > 0 && octets >= AMPLIFIED * u32::from(asked) && AMPLIFIERS.contains(&self.port)
    }

    /// Notes who speaks, and tells whether that makes a strange conversation one that is kept open to give orders in: long, thin, in turn.
    ///
    /// **Source**: remote-access trojans as captured: an end says some octets to show that it lives, or gives an order, and is answered.
    pub fn spoken(&mut self, by_orig: bool) -> bool {
        if self.turns > 0 && self.orig_spoke == by_orig {
            return false;
        }
        (self.turns, self.orig_spoke) = (self.turns.saturating_add(1), by_orig);
        let said = self.payload.iter().map(|octets| u64::from(*octets)).sum::<u64>();
        let kept = self.turns >= TURNS && self.last.since(self.first) >= LONG && said <= THIN * u64::from(self.turns);
        // Once is enough.
        kept && !self.is_ssh && core::mem::take(&mut self.strange)
    }

    /// Notes payload that one end sends, and tells whether that makes what `orig` fetches without saying what fetches it a large one.
    pub fn carries(&mut self, by_orig: bool, octets: u32) -> bool {
        let said = &mut self.payload[usize::from(!by_orig)];
        *said = said.saturating_add(octets);
        // Once is enough.
        !by_orig && *said >= LARGE && core::mem::take(&mut self.agentless)
    }

    /// Whether a conversation that just ended looks like a refused log-in over an encrypted service.
    ///
    /// **Source**: own estimate: a key exchange happened (the server said more than 500 octets), little else did, and it was
    /// short. Deviation: a scripted log-in that succeeds and does next to nothing looks the same; `detect` asks for many.
    pub fn looks_refused(&self) -> Option<Service> {
        let service = match self.port {
            _ if self.is_ssh => Service::Ssh,
            22 => Service::Ssh,
            3389 => Service::Rdp,
            445 => Service::Smb,
            _ => return None,
        };
        let [asked, answered] = self.payload;
        let short = self.last.since(self.first) < Span::from_secs(60);
        let small = (400..8_000).contains(&answered) && (300..6_000).contains(&asked);
        (self.ask == Ask::Tcp && short && small && !self.login_seen).then_some(service)
    }
}

/// The service behind a port on which log-ins show.
pub(crate) fn service(port: u16) -> Option<Service> {
    Some(match port {
        21 => Service::Ftp,
        22 => Service::Ssh,
        23 | 2323 => Service::Telnet,
        25 | 110 | 143 | 587 => Service::Mail,
        1433 | 3306 | 5432 | 6379 => Service::Database,
        80 | 8000 | 8008 | 8080 | 8081 | 8088 | 8888 => Service::Http,
        _ => return None,
    })
}

impl Worth for Flow {
    fn class(&self) -> u8 {
        match self.phase {
            Phase::Joined | Phase::Refused | Phase::Silent | Phase::Closed => 0,
            Phase::Asked => 1,
            Phase::Accepted | Phase::Established => 2,
        }
    }

    fn last(&self) -> Timestamp {
        self.last
    }
}
