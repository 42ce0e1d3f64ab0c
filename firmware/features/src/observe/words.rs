//! The first words of conversations with the internet: what is spoken, whether it fits the port, and who pretends what.

use heapless::Vec;
use terms::{HostKey, MacAddr, Side, Span, Timestamp};
use wire::http::{self, Method, Request};
use wire::intrusion::{self, Intrusion};
use wire::tcp::Segment;
use wire::{dns, irc, tls};

use super::domains::{is_dynamic, tells_own_address};
use super::{MINUTE, Moment, Notes};
use crate::change::Change;
use crate::host::Judgement;
use crate::host_table::{HostTable, Named, Party};
use crate::signs::Sign;
use crate::window::Tally;

/// Ports at which TLS is usual: HTTPS, mail, DNS, XMPP and push services, MQTT, FTP, news, LDAP, SIP.
const TLS_PORTS: [u16; 21] = [
    443, 8443, 25, 110, 143, 465, 587, 993, 995, 853, 5_222, 5_223, 5_228, 8_883, 21, 989, 990, 563, 636, 5_061, 2_083,
];
/// Ports at which HTTP is usual: the web's, proxies', printers', players', management's.
const HTTP_PORTS: [u16; 17] =
    [80, 81, 82, 591, 631, 1_900, 2_869, 3_128, 5_985, 7_000, 8_000, 8_008, 8_060, 8_080, 8_081, 8_088, 8_888];
/// The ports of the web.
const HTTP: u16 = 80;
const HTTPS: u16 = 443;
/// Ports at which IRC is usual.
const IRC_PORTS: [u16; 14] =
    [194, 994, 6_660, 6_661, 6_662, 6_663, 6_664, 6_665, 6_666, 6_667, 6_668, 6_669, 6_697, 7_000];
/// Ports at which well-known programs keep conversations of their own kind open: games and their shops, tunnels (OpenVPN, PPTP), databases,
/// MQTT, RTMP, remote desktops and help, telephony, XMPP and messengers, queues, shared downloads.
const KEPT_OPEN: [core::ops::RangeInclusive<u16>; 21] = [
    1_119..=1_120,
    1_194..=1_194,
    1_433..=1_433,
    1_521..=1_521,
    1_723..=1_723,
    1_883..=1_883,
    1_935..=1_935,
    3_306..=3_306,
    3_389..=3_389,
    3_724..=3_724,
    5_060..=5_061,
    5_222..=5_228,
    5_432..=5_432,
    5_672..=5_672,
    5_900..=5_910,
    5_938..=5_938,
    6_379..=6_379,
    6_881..=6_999,
    7_070..=7_070,
    25_565..=25_565,
    27_000..=27_100,
];
/// Ports below this one belong to known services.
const HIGH_PORTS: u16 = 1_024;
/// For how long after its first answer from DNS a host may still know names from before.
const OLD_NAMES: Span = Span::from_secs(120);

/// What is kept in mind of what a host says to the internet.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Said {
    /// Its first words are in a protocol that nobody here knows, at a port where none is usual, to a server without a name.
    pub strange: bool,
    /// It fetches something by HTTP and does not say what fetches it.
    pub fetches_agentless: bool,
}

impl<J: Judgement> HostTable<J> {
    /// Whether a host gets names from DNS where they can be seen, and no answer named this server to anybody, or only by a name that
    /// anybody may take.
    fn is_unnamed(&mut self, host: Party, server: Party, at: Timestamp) -> bool {
        let resolves = self.hosts.get_mut(host.id).map_or(Timestamp::EPOCH, |h| h.resolves_since);
        let old = resolves > Timestamp::EPOCH && at.since(resolves) >= OLD_NAMES;
        self.named.get_mut(server.id).map_or(old, |named| named.dynamic)
    }

    /// Whether a server was named by a name that anybody may take, and by no other.
    fn is_dynamic(&mut self, server: Party) -> bool {
        self.named.get_mut(server.id).is_some_and(|named| named.dynamic)
    }

    /// The addresses that an answer from DNS tells its receiver.
    pub(super) fn note_resolved(&mut self, message: &dns::Message<'_>, m: &Moment) {
        let mut addresses = message.answers().filter_map(|answer| answer.address).peekable();
        if addresses.peek().is_none() {
            return;
        }
        if let Some(host) = self.hosts.get_mut(m.dst.id)
            && host.resolves_since == Timestamp::EPOCH
        {
            host.resolves_since = m.at;
        }
        let dynamic = message.question().is_some_and(|question| is_dynamic(question.name.as_bytes()));
        addresses.for_each(|address| self.note_named(address.into(), dynamic, m.at));
    }

    /// An answer from DNS named an address.
    fn note_named(&mut self, address: HostKey, dynamic: bool, at: Timestamp) {
        let id = self.key.host(address);
        match self.named.get_mut(id) {
            Some(named) => (named.last, named.dynamic) = (at, named.dynamic & dynamic),
            None => {
                self.named.insert(id, Named { last: at, dynamic });
            }
        }
    }

    /// Notes the signs that a host gives towards a server, and where it stands with all of them.
    pub(super) fn note_signs(&mut self, given: &[Sign], host: Party, server: Party, at: Timestamp, notes: &mut Notes) {
        if given.is_empty() {
            return;
        }
        let signs = &mut self.doings(host, at).signs;
        given.iter().for_each(|sign| signs.note(*sign, at));
        let change = Change::Signs { server: server.key, counts: signs.counts(at), unnamed: signs.unnamed(at) };
        given.iter().for_each(|_| self.tally(host, Tally::Signs, at));
        self.note(host, change, notes);
    }

    /// A conversation with the internet was opened.
    pub(super) fn opened_out(&mut self, m: &Moment) {
        if self.goes_out(m.src, m.dst, m.at) && self.is_unnamed(m.src, m.dst, m.at) {
            self.tally_sender(m, Tally::Unnamed);
            self.doings(m.src, m.at).signs.note_unnamed(m.dst.id.short(), m.at);
        }
    }

    /// A server on the internet refused or did not answer.
    pub(super) fn note_failed_server(&mut self, host: Party, server: Party, at: Timestamp, notes: &mut Notes) {
        // An address that nobody ever answered may be invented.
        let conversed = self.hosts.get_mut(host.id).is_some_and(|h| h.conversed);
        if !conversed || !self.goes_out(host, server, at) {
            return;
        }
        let unnamed = self.is_unnamed(host, server, at);
        let signs = &mut self.doings(host, at).signs;
        let mut given = Vec::<Sign, 2>::new();
        if unnamed && signs.is_new_dead(server.id.short(), at) {
            given.push(Sign::DeadServers).unwrap_or_default();
        }
        if signs.is_tried_on(server.id.short(), at) {
            given.push(Sign::KeptTrying).unwrap_or_default();
        }
        self.note_signs(&given, host, server, at, notes);
    }

    /// What a host says to the internet in a conversation that it opened; `first` for its first words.
    pub(super) fn read_outbound(&mut self, first: bool, segment: &Segment<'_>, m: &Moment, notes: &mut Notes) -> Said {
        let request = Request::parse(segment.payload);
        if let Some(request) = &request {
            self.note_request(first && is_unfinished(request, segment), m, notes);
            self.note_mapping(request, segment.payload, m, notes);
        }
        self.note_listed_server(request.as_ref(), segment.payload, m, notes);
        if first {
            self.note_client(segment.payload, m, notes);
        }
        if !self.goes_out(m.src, m.dst, m.at) {
            return Said::default();
        }
        let signs = &mut Vec::<Sign, 8>::new();
        if first {
            self.read_first_words(request.is_some(), segment, m, signs);
        }
        let mut said = Said::default();
        if let Some(request) = request {
            read_request(&request, signs);
            let (nameless, server) = (signs.contains(&Sign::NoAgent), m.dst.id.short());
            said.fetches_agentless = nameless && request.method == Method::Get;
            let sends = nameless && request.method == Method::Post;
            if sends && self.doings(m.src, m.at).signs.is_agentless_to_many(server, m.at) {
                signs.push(Sign::AgentlessToMany).unwrap_or_default();
            }
        }
        self.note_signs(signs, m.src, m.dst, m.at, notes);
        let port = segment.dst_port;
        said.strange = signs.contains(&Sign::RawOddPort) && !KEPT_OPEN.iter().any(|ports| ports.contains(&port));
        said
    }

    /// A request by HTTP, to whatever server.
    fn note_request(&mut self, unfinished: bool, m: &Moment, notes: &mut Notes) {
        let doings = self.doings(m.src, m.at);
        let per_second = doings.requests.count(m.at);
        let unfinished = unfinished.then(|| doings.unfinished.note(m.dst.id.short(), m.at, MINUTE));
        let server = m.dst.key;
        self.note_sender(m, Change::Requests { server, per_second }, notes);
        if let Some(requests) = unfinished {
            self.note_sender(m, Change::Unfinished { server, requests }, notes);
        }
    }

    fn read_first_words(&mut self, is_http: bool, segment: &Segment<'_>, m: &Moment, signs: &mut Vec<Sign, 8>) {
        let (payload, port) = (segment.payload, segment.dst_port);
        let mut give = |sign| signs.push(sign).unwrap_or_default();
        if irc::is_registration(payload) {
            give(if IRC_PORTS.contains(&port) { Sign::Irc } else { Sign::IrcOddPort });
        }
        if is_http {
            if !HTTP_PORTS.contains(&port) {
                give(Sign::HttpOddPort);
            }
            return;
        }
        let is_tls = tls::begins(payload);
        let is_named = tls::client_hello(payload).is_some_and(|hello| hello.sni.is_some());
        let of_web = port == HTTPS || (port == HTTP && !http::is_worded(payload));
        let speaks = (is_tls && !is_named) || (!is_tls && (of_web || port >= HIGH_PORTS));
        if !speaks || !self.is_unnamed(m.src, m.dst, m.at) {
            return;
        }
        match (is_tls, port) {
            (true, _) => {
                give(Sign::UnnamedTls);
                if !TLS_PORTS.contains(&port) {
                    give(Sign::UnnamedTlsOddPort);
                }
            }
            (false, HTTP | HTTPS) => give(Sign::NotWeb),
            (false, _) => {
                give(Sign::RawOddPort);
                if self.is_dynamic(m.dst) {
                    give(Sign::DynamicName);
                }
            }
        }
    }

    /// What a server answers: `m.src` to the host `m.dst`; `first` for its first words.
    pub(super) fn read_inbound(&mut self, first: bool, segment: &Segment<'_>, m: &Moment, notes: &mut Notes) {
        if http::is_missing(segment.payload) {
            let pages = self.doings(m.dst, m.at).missing_pages.note(m.src.id.short(), m.at, MINUTE);
            self.note(m.dst, Change::MissingPages { server: m.src.key, pages }, notes);
        }
        let given = if first && intrusion::is_stage(segment.payload) {
            Sign::BareProgram
        } else if http::is_program(segment.payload) {
            Sign::Program
        } else {
            return;
        };
        if self.goes_out(m.dst, m.src, m.at) {
            self.note_signs(&[given], m.dst, m.src, m.at, notes);
        }
    }

    /// Whether what either end says breaks into machines or steers them. Only who says it is to blame: anybody can send words.
    pub(super) fn read_intrusion(
        &mut self,
        (from_orig, first, port): (bool, bool, u16),
        segment: &Segment<'_>,
        m: &Moment,
        notes: &mut Notes,
    ) {
        let read = if from_orig { intrusion::of_client } else { intrusion::of_server };
        let Some(what) = read(segment.payload, port, first) else { return };
        let times = match what {
            Intrusion::WebProbe => self.doings(m.src, m.at).web_probes.note(m.dst.id.short(), m.at, MINUTE),
            Intrusion::SmbFragment => self.doings(m.src, m.at).smb_fragments.note(m.dst.id.short(), m.at, MINUTE),
            _ => 1,
        };
        self.note_sender(m, Change::Intrusion { target: m.dst.key, what, times }, notes);
    }

    /// Whether one end is on the inside and the other on the internet.
    pub(super) fn goes_out(&mut self, from: Party, to: Party, at: Timestamp) -> bool {
        goes_out(from.key, to.key) || (to.key.is_global() && self.is_inside(from, to, at))
    }

    /// Whether a host with an address of the internet is of this network all the same: its side says so or, where no side is known, it
    /// has its hardware address for itself, and the other end's stands for many.
    fn is_inside(&mut self, host: Party, other: Party, at: Timestamp) -> bool {
        if self.infrastructure.addresses.contains(&host.key) || !matches!(host.key, HostKey::V4(_)) {
            return false;
        }
        let Some((side, mac)) = self.hosts.get_mut(host.id).map(|h| (h.side, h.mac)) else { return false };
        match side {
            Side::Lan => true,
            Side::Uplink => false,
            Side::Unknown => {
                let Some(others) = self.hosts.get_mut(other.id).map(|h| h.mac) else { return false };
                mac != MacAddr::ZERO && self.hosts_behind(mac, at) <= 2 && self.hosts_behind(others, at) >= 3
            }
        }
    }

    /// A name for which a host asks DNS.
    pub(super) fn read_name(&mut self, name: &[u8], m: &Moment, notes: &mut Notes) {
        if tells_own_address(name) {
            self.note_signs(&[Sign::OwnAddress], m.src, m.dst, m.at, notes);
        }
    }
}

/// Whether the first words of a client are a request that has no end, and all of them were captured: what has much to say needs a second
/// segment, what has little does not.
fn is_unfinished(request: &Request<'_>, segment: &Segment<'_>) -> bool {
    let all = segment.payload.len() as u64 == u64::from(segment.payload_len);
    // What was captured and then blotted out with zeros was longer.
    !request.whole && all && segment.payload.last() != Some(&0)
}

/// The signs in a request.
fn read_request(request: &Request<'_>, signs: &mut Vec<Sign, 8>) {
    let mut give = |sign| signs.push(sign).unwrap_or_default();
    let by_address = request.names_address();
    let nameless = request.whole && request.agent.is_none();
    if request.wants_program() {
        give(match (by_address, nameless) {
            (true, _) => Sign::ProgramFromAddress,
            (false, true) => Sign::AgentlessProgram,
            (false, false) => Sign::Program,
        });
    }
    if request.method == Method::Post {
        if by_address {
            give(Sign::PostsToAddress);
        }
        if request.is_pageless_post() {
            give(Sign::PagelessPosts);
        }
    }
    if nameless {
        give(Sign::NoAgent);
    }
}

/// Whether one end is on the inside and the other on the internet.
fn goes_out(from: HostKey, to: HostKey) -> bool {
    let strangers = match (from, to) {
        // What shares a network of 64 bits is no stranger.
        (HostKey::V6(a), HostKey::V6(b)) => a.to_bits() >> 64 != b.to_bits() >> 64,
        _ => !from.is_global(),
    };
    strangers && to.is_global()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn out_is_from_the_inside_to_the_internet() {
        let out = |from: &str, to: &str| {
            let key = |text: &str| HostKey::from(text.parse::<core::net::IpAddr>().unwrap());
            goes_out(key(from), key(to))
        };
        assert!(out("192.168.1.2", "93.184.216.34"));
        assert!(out("2001:db8:1::2", "2001:db8:2::1"));
        assert!(!out("192.168.1.2", "10.0.0.1"));
        assert!(!out("93.184.216.34", "192.168.1.2"));
        assert!(!out("2001:db8:1::2", "2001:db8:1::3"));
        assert!(!out("fe80::1", "ff02::fb"));
    }
}
