//! IP: conversations are asked for, answered, refused and ended.

use terms::{HostKey, MacAddr, Side, Span, Timestamp};
use wire::tcp::{Flags, Segment};
use wire::udp::Datagram;
use wire::{Packet, Summary, Transport, dhcp, dns, http, mapping, stratum};

use super::domains::is_looked_up;
use super::{MINUTE, Moment, Notes};
use crate::change::{Administration, Ask, Change};
use crate::doings::Doings;
use crate::flow::{Flow, Phase};
use crate::hash::RowId;
use crate::host::Judgement;
use crate::host_table::{Awaited, HostTable};
use crate::names::{Letters, base_domain};
use crate::pair::Answer;
use crate::signs::Sign;
use crate::window::Tally;

const TCP: u8 = 6;
const UDP: u8 = 17;
/// Protocols that hosts and routers speak without malice: IGMP, IP in IP, IPv6 in IP, RSVP, GRE, ESP, AH, no next header,
/// EIGRP, OSPF, PIM, VRRP, L2TP, SCTP.
const USUAL: [u8; 14] = [2, 4, 41, 46, 47, 50, 51, 59, 88, 89, 103, 112, 115, 132];
const TEN_MINUTES: Span = Span::from_secs(600);
/// The port of name servers.
const DNS: u16 = 53;
/// Ports at which a traceroute aims.
const TRACEROUTE: core::ops::RangeInclusive<u16> = 33_434..=33_533;
/// The port of mail servers.
const SMTP: u16 = 25;

/// Which way a packet of a known conversation goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum From {
    Orig,
    Resp,
}

/// What a conversation's `orig` asked, and when.
pub(super) struct Question {
    pub flow: RowId,
    pub asked: Timestamp,
    pub ask: Ask,
    pub port: u16,
}

impl<J: Judgement> HostTable<J> {
    pub(super) fn observe_ip(&mut self, frame: &Summary<'_>, packet: &Packet<'_>, m: &Moment, notes: &mut Notes) {
        match &packet.transport {
            Transport::Tcp(segment) => self.observe_tcp(segment, m, notes),
            Transport::Udp(datagram) => self.observe_udp(frame, datagram, m, notes),
            Transport::Icmp(message) => self.observe_icmp(message, m, notes),
            Transport::Icmp6(message) => self.observe_icmp6(frame, message, m, notes),
            Transport::Other(protocol) => self.observe_protocol(*protocol, m, notes),
            Transport::LaterFragment | Transport::Cut => {}
        }
    }

    /// A packet of a protocol that nobody here reads.
    fn observe_protocol(&mut self, protocol: u8, m: &Moment, notes: &mut Notes) {
        if USUAL.contains(&protocol) {
            return;
        }
        let protocols = self.doings(m.src, m.at).protocols.note_once(protocol.into(), m.at, MINUTE);
        self.note_sender(m, Change::Protocols { target: m.dst.key, protocols }, notes);
    }

    /// The identity of a conversation, the same from both ends. Without a branch: which end sends is as good as random.
    pub(super) fn flow_id(&self, m: &Moment, protocol: u8, src_port: u16, dst_port: u16) -> RowId {
        let (src, dst) = (m.src.id.0, m.dst.id.0);
        let other_way = u64::from(src > dst).wrapping_neg();
        let swap = (src ^ dst) & other_way;
        let (src_port, dst_port) = (u64::from(src_port), u64::from(dst_port));
        let ports = (src_port << 16 | dst_port) ^ (((src_port ^ dst_port) * 0x1_0001) & other_way);
        self.key.pair(RowId(src ^ swap), RowId(dst ^ swap), u64::from(protocol) << 32 | ports)
    }

    fn direction(flow: &Flow, m: &Moment) -> From {
        if flow.orig_is_low == (m.src.id.0 <= m.dst.id.0) { From::Orig } else { From::Resp }
    }

    /// The sender of this frame answered a question of its receiver.
    pub(super) fn settle(&mut self, question: Question, answer: Answer, m: &Moment, notes: &mut Notes) {
        let Question { flow, asked, ask, port } = question;
        let awaited = Awaited { due: m.at, asked, flow, orig: m.dst, target: m.src, ask, port };
        self.answered(&awaited, answer, m.at, notes);
    }

    fn observe_tcp(&mut self, segment: &Segment<'_>, m: &Moment, notes: &mut Notes) {
        let flags = segment.flags;
        let syn = flags.contains(Flags::SYN) && !flags.contains(Flags::ACK);
        let reset = flags.contains(Flags::RST);
        let counters = self.hosts.at(m.slot).window.open(m.at);
        counters.add(Tally::TcpOut, 1);
        counters.add(Tally::SynOut, u32::from(syn));
        counters.add(Tally::RstOut, u32::from(reset));
        if reset {
            self.tally(m.dst, Tally::RstIn, m.at);
        }
        let id = self.flow_id(m, TCP, segment.src_port, segment.dst_port);
        let Some(slot) = self.flows.find(id) else {
            if syn || is_stealth(segment) {
                self.opened(id, segment, m, notes);
            } else if !reset {
                self.join(id, Phase::Joined, segment, m);
            }
            return;
        };
        let flow = self.flows.at(slot);
        flow.last = m.at;
        let (phase, asked, port, ask) = (flow.phase, flow.first, flow.port, flow.ask);
        if phase == Phase::Joined && !syn {
            // It takes both ends: who talks to itself has no conversation.
            if is_stealth(segment) && Self::direction(flow, m) == From::Resp {
                self.join(id, Phase::Established, segment, m);
            }
            return;
        }
        let over = matches!(phase, Phase::Joined | Phase::Refused | Phase::Silent | Phase::Closed);
        match Self::direction(flow, m) {
            From::Orig if syn => {
                let again = m.at.since(asked).micros() > 0 && phase == Phase::Asked;
                if over || !again || phase == Phase::Accepted {
                    self.opened(id, segment, m, notes);
                } else {
                    self.note_half_open(segment.dst_port, m, notes);
                }
            }
            From::Resp if syn && over => self.opened(id, segment, m, notes),
            From::Resp if matches!(phase, Phase::Asked | Phase::Silent) => {
                flow.phase = if reset { Phase::Refused } else { Phase::Accepted };
                let answer = if reset { Answer::Refused } else { Answer::Accepted };
                self.settle(Question { flow: id, asked, ask, port }, answer, m, notes);
            }
            from => {
                if phase == Phase::Accepted && from == From::Orig && !reset {
                    flow.phase = Phase::Established;
                    self.completed(m);
                }
                self.carried(slot, from == From::Orig, segment, m, notes);
            }
        }
    }

    /// A conversation from before the first frame is heard: nobody asked for it now, and no answer is awaited. What comes after an
    /// acknowledgement is read.
    fn join(&mut self, id: RowId, phase: Phase, segment: &Segment<'_>, m: &Moment) {
        let orig_is_low = m.src.id.0 <= m.dst.id.0;
        let flow = Flow { phase, begun: false, ..Flow::asked(Ask::Tcp, segment.dst_port, orig_is_low, m.mac, m.at) };
        self.keep(id, flow);
    }

    /// A TCP conversation is asked for.
    fn opened(&mut self, id: RowId, segment: &Segment<'_>, m: &Moment, notes: &mut Notes) {
        if segment.dst_port == SMTP {
            let servers = self.doings(m.src, m.at).mail_servers.note_once(m.dst.id.short(), m.at, TEN_MINUTES);
            self.note_sender(m, Change::MailServers { servers }, notes);
        }
        self.opened_out(m);
        let local = !m.dst.key.is_global();
        if let Some(what) = Administration::at(segment.dst_port).filter(|_| local) {
            self.note_sender(m, Change::Administers { target: m.dst.key, what }, notes);
        }
        self.asked(id, Ask::Tcp, segment.dst_port, m, notes);
        if local && segment.flags.contains(Flags::ACK) && self.hosts.find(m.dst.id).is_none() {
            self.unasked(segment.dst_port, m, notes);
        }
        self.note_half_open(segment.dst_port, m, notes);
    }

    /// An ACK came first, towards a host of the network that never said anything there is to acknowledge. It counts as failed until
    /// it is answered: a conversation from before the first frame shows its other end within a round trip.
    fn unasked(&mut self, port: u16, m: &Moment, notes: &mut Notes) {
        self.hosts.at(m.slot).peers.answer(m.dst.id, Ask::Tcp, port, Answer::Silent);
        self.note_counts(m.src, m.dst, Ask::Tcp, port, m.at, notes);
    }

    fn note_half_open(&mut self, port: u16, m: &Moment, notes: &mut Notes) {
        let pair = self.pair(m.src, m.dst, m.at);
        let per_second = pair.half_open.count(m.at);
        let (ports, _) = pair.count(0, m.at);
        self.note_sender(m, Change::HalfOpen { target: m.dst.key, port, per_second, ports }, notes);
        self.note_pressure(Ask::Tcp, m, notes);
    }

    fn note_pressure(&mut self, ask: Ask, m: &Moment, notes: &mut Notes) {
        if let Some(host) = self.hosts.get_mut(m.dst.id) {
            let (per_second, sources) = host.pressed(m.src.id.0, m.at);
            self.note(m.dst, Change::UnderFlood { ask, per_second, sources }, notes);
        }
    }

    /// The handshake's last step came: the conversation is no longer half open.
    fn completed(&mut self, m: &Moment) {
        let id = self.pair_id(m.src, m.dst);
        if let Some(pair) = self.pairs.get_mut(id) {
            pair.half_open.uncount(m.at);
        }
        if let Some(host) = self.hosts.get_mut(m.dst.id) {
            host.inbound.uncount(m.at);
            host.window.open(m.at).add(Tally::CompletedIn, 1);
        }
    }

    /// A segment within a conversation: payload, log-ins, the end.
    fn carried(&mut self, slot: usize, from_orig: bool, segment: &Segment<'_>, m: &Moment, notes: &mut Notes) {
        let flow = self.flows.at(slot);
        let way = usize::from(!from_orig);
        let (first, port) = (flow.payload[way] == 0, flow.port);
        let fetched = flow.carries(from_orig, segment.payload_len);
        if segment.payload_len > 0 {
            if fetched && self.goes_out(m.dst, m.src, m.at) {
                self.note_signs(&[Sign::AgentlessDownload], m.dst, m.src, m.at, notes);
            }
            self.read_login(slot, from_orig, segment, m, notes);
            if from_orig && stratum::is_request(segment.payload) {
                self.note_sender(m, Change::Mining { target: m.dst.key, port: segment.dst_port }, notes);
            }
            self.read_intrusion((from_orig, first, port), segment, m, notes);
            if self.flows.at(slot).spoken(from_orig) {
                let (host, server) = if from_orig { (m.src, m.dst) } else { (m.dst, m.src) };
                self.note_signs(&[Sign::KeptOpen], host, server, m.at, notes);
            }
            if from_orig {
                let said = self.read_outbound(first, segment, m, notes);
                let flow = self.flows.at(slot);
                flow.strange |= said.strange && flow.begun;
                flow.agentless |= said.fetches_agentless;
            } else {
                self.read_inbound(first, segment, m, notes);
                self.flows.at(slot).agentless &= !http::is_media(segment.payload);
            }
        }
        if segment.flags.contains(Flags::FIN) || segment.flags.contains(Flags::RST) {
            self.ended(slot, from_orig, m, notes);
        }
    }

    fn observe_udp(&mut self, frame: &Summary<'_>, datagram: &Datagram<'_>, m: &Moment, notes: &mut Notes) {
        self.tally_sender(m, Tally::UdpOut);
        match (datagram.src_port, datagram.dst_port) {
            (_, DNS) => self.observe_query(datagram.payload, m, notes),
            (DNS, client) => self.observe_answer(datagram.payload, client, m, notes),
            (_, mapping::PORT) => self.observe_mapping(datagram.payload, m, notes),
            (67 | 68, 67 | 68) => self.observe_dhcp(datagram.payload, m, notes),
            _ => {}
        }
        if m.group || frame.dst.is_multicast() || matches!(m.src.key, HostKey::Mac(_)) {
            return;
        }
        let id = self.flow_id(m, UDP, datagram.src_port, datagram.dst_port);
        let Some(slot) = self.flows.find(id) else {
            if is_reply(datagram) || TRACEROUTE.contains(&datagram.dst_port) {
                // Who answers was asked before the first frame, or never, as the victim of a reflected flood; who traces a route wants
                // no answer of the port.
                let low = m.src.id.0 <= m.dst.id.0;
                let flow = Flow::asked(Ask::Udp, datagram.dst_port, low, MacAddr::ZERO, m.at);
                self.flows.insert(id, Flow { phase: Phase::Joined, ..flow });
                self.note_unanswered(true, m, notes);
            } else {
                self.asked(id, Ask::Udp, datagram.dst_port, m, notes);
                if let Some(flow) = self.flows.get_mut(id) {
                    flow.payload[0] = 1;
                    flow.asks(datagram.payload_len);
                }
                self.note_unanswered(false, m, notes);
            }
            return;
        };
        let flow = self.flows.at(slot);
        flow.last = m.at;
        let way = usize::from(Self::direction(flow, m) == From::Resp);
        flow.payload[way] = flow.payload[way].saturating_add(1);
        let amplified = if way == 0 {
            flow.asks(datagram.payload_len);
            false
        } else {
            flow.amplifies(datagram.payload_len)
        };
        if amplified && self.goes_out(m.src, m.dst, m.at) {
            let per_second = self.doings(m.src, m.at).amplified.count(m.at);
            self.note_sender(m, Change::Amplified { target: m.dst.key, per_second }, notes);
        }
        let flow = self.flows.at(slot);
        match (Self::direction(flow, m), flow.phase) {
            (From::Resp, Phase::Asked | Phase::Silent | Phase::Refused) => {
                let (asked, port) = (flow.first, flow.port);
                flow.phase = Phase::Established;
                let pair = self.pair(m.dst, m.src, m.at);
                pair.heard = m.at;
                self.settle(Question { flow: id, asked, ask: Ask::Udp, port }, Answer::Accepted, m, notes);
            }
            (From::Resp, Phase::Joined) => flow.phase = Phase::Established,
            (From::Orig, Phase::Joined) => self.note_unanswered(true, m, notes),
            (From::Orig, Phase::Refused) => self.note_unanswered(false, m, notes),
            (From::Orig, Phase::Asked | Phase::Silent) => self.note_unanswered(true, m, notes),
            _ => {}
        }
    }

    /// Counts a datagram that nobody answers; `stream` is one more of a conversation that was not refused.
    fn note_unanswered(&mut self, stream: bool, m: &Moment, notes: &mut Notes) {
        let reverse = self.pair_id(m.dst, m.src);
        let heard_back = self.pairs.get_mut(reverse).is_some_and(|p| m.at.since(p.last).secs() < 10);
        let at = m.at;
        let pair = self.pair(m.src, m.dst, at);
        let fresh = if stream { pair.unanswered.read(at) } else { pair.unanswered.count(at) };
        let streamed = if stream { pair.stream.count(at) } else { pair.stream.read(at) };
        let per_second = fresh.saturating_add(streamed);
        let heard = heard_back || (pair.heard > Timestamp::EPOCH && m.at.since(pair.heard).secs() < 10);
        let (ports, _) = pair.count(1, m.at);
        if !heard {
            self.note_sender(m, Change::Unanswered { target: m.dst.key, per_second, fresh, ports }, notes);
            self.note_pressure(Ask::Udp, m, notes);
        }
    }

    fn observe_query(&mut self, payload: &[u8], m: &Moment, notes: &mut Notes) {
        let Some(message) = dns::Message::parse(payload).filter(|d| !d.header.response) else { return };
        let Some(question) = message.question() else { return };
        let name = question.name.as_bytes();
        let host = self.hosts.at(m.slot);
        let counters = host.window.open(m.at);
        counters.add(Tally::DnsOut, 1);
        counters.add(Tally::NameOctets, u32::try_from(name.len()).unwrap_or(0));
        let mut letters = Letters::NONE;
        letters.add(name);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "hundredths of at most 5.25 bits")]
        counters.add(Tally::NameEntropy, (100.0 * letters.entropy(&self.logarithms)) as u32);
        self.note_listed_question(name, m, notes);
        if is_looked_up(name) {
            return;
        }
        let host = self.hosts.at(m.slot);
        if let Some(change) = host.names.asked((self.key, &self.logarithms), name, question.qtype, m.at) {
            self.note_sender(m, change, notes);
        }
        self.read_name(name, m, notes);
    }

    fn observe_answer(&mut self, payload: &[u8], client: u16, m: &Moment, notes: &mut Notes) {
        let Some(message) = dns::Message::parse(payload).filter(|d| d.header.response) else { return };
        if message.header.rcode == dns::NAME_ERROR {
            self.tally(m.dst, Tally::NoSuchName, m.at);
            self.note_no_such_name(&message, client, m, notes);
        } else if message.header.answers > 0 {
            self.note_found_name(&message, client, m);
        }
        self.note_resolved(&message, m);
        // On the LAN side anybody could make itself a server; there the configuration names them.
        if m.side == Side::Uplink {
            self.infrastructure.add_address(m.src.key);
        }
    }

    /// Whether somebody asked for this answer of DNS: what nobody asked for is nobody's doing but its sender's.
    fn is_awaited(&mut self, client: u16, m: &Moment) -> bool {
        let flow = self.flow_id(m, UDP, DNS, client);
        let asker = self.hosts.get_mut(m.dst.id).map(|host| host.mac);
        self.flows.get_mut(flow).is_some_and(|flow| {
            // One socket may ask many times: each question has one answer.
            let open = flow.payload[1] < flow.payload[0];
            open && Some(flow.asker) == asker && Self::direction(flow, m) == From::Resp
        })
    }

    /// A name that its asker wanted does not exist: one more base domain, however many names were tried under it.
    fn note_no_such_name(&mut self, message: &dns::Message<'_>, client: u16, m: &Moment, notes: &mut Notes) {
        let Some(what) = self.base_answered(message, client, m) else { return };
        let doings = self.doings(m.dst, m.at);
        let domains = doings.no_such_names.note_once(what, m.at, TEN_MINUTES);
        let existing = doings.found_names.count(m.at, TEN_MINUTES);
        self.note(m.dst, Change::NoSuchNames { domains, existing }, notes);
    }

    /// A name exists: worth a note for whom others do not.
    fn note_found_name(&mut self, message: &dns::Message<'_>, client: u16, m: &Moment) {
        let misses = |doings: &mut Doings| doings.no_such_names.count(m.at, TEN_MINUTES) > 0;
        if !self.doings.get_mut(m.dst.id).is_some_and(misses) {
            return;
        }
        let Some(what) = self.base_answered(message, client, m) else { return };
        if let Some(doings) = self.doings.get_mut(m.dst.id) {
            doings.found_names.note_once(what, m.at, TEN_MINUTES);
        }
    }

    /// The base domain that an answer of DNS is about, if somebody asked for it.
    fn base_answered(&mut self, message: &dns::Message<'_>, client: u16, m: &Moment) -> Option<u32> {
        if !self.is_awaited(client, m) {
            return None;
        }
        let question = message.question()?;
        let base = base_domain(question.name.as_bytes())?;
        Some(RowId(self.key.octets(base)).short())
    }

    /// The first DHCP server that answers is the network's; another one later is noted.
    fn observe_dhcp(&mut self, payload: &[u8], m: &Moment, notes: &mut Notes) {
        let Some(message) = dhcp::Message::parse(payload) else { return };
        if let Some(dhcp::DISCOVER | dhcp::REQUEST) = message.kind {
            let client = self.key.mac(message.client_mac).short();
            let clients = self.claimant(m.mac, m.at).asks_for(client, m.at);
            let hosts = self.neighbor(m.mac, m.side, m.at).hosts(m.at);
            self.note_sender(m, Change::DhcpClients { clients, hosts }, notes);
        }
        if !matches!(message.kind, Some(dhcp::OFFER | dhcp::ACK)) {
            return;
        }
        match self.infrastructure.dhcp_server {
            Some(known) if known != m.mac => self.note_sender(m, Change::DhcpServer { known }, notes),
            Some(_) => {}
            None => {
                self.infrastructure.dhcp_server = Some(m.mac);
                self.infrastructure.add_mac(m.mac);
                self.infrastructure.add_address(m.src.key);
                if let Some(gateway) = message.router {
                    self.infrastructure.add_address(HostKey::V4(gateway));
                }
            }
        }
    }
}

/// First segments that ask without SYN: no flags, FIN alone, FIN with PSH and URG, ACK alone (RFC 9293, section 3.10.7: a closed
/// port answers with RST). A conversation that was going on before the first frame answers such an ACK and fails nobody.
fn is_stealth(segment: &Segment<'_>) -> bool {
    let only = |wanted: &[Flags]| {
        [Flags::FIN, Flags::SYN, Flags::RST, Flags::PSH, Flags::ACK, Flags::URG]
            .iter()
            .all(|flag| segment.flags.contains(*flag) == wanted.contains(flag))
    };
    let asks = only(&[]) || only(&[Flags::FIN]) || only(&[Flags::ACK]) || only(&[Flags::FIN, Flags::PSH, Flags::URG]);
    asks && segment.payload_len == 0
}

/// Whether a first datagram looks like the answer to a question that was not seen: a service's port to a client's.
fn is_reply(datagram: &Datagram<'_>) -> bool {
    datagram.src_port < 1024 && datagram.dst_port >= 1024
}
