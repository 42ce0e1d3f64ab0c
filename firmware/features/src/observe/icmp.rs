//! ICMP and ICMPv6: who pings, who answers with what, which packets are refused, and who shows another way.

use terms::Side;
use wire::{Summary, icmp, icmp6};

use super::ip::Question;
use super::{MINUTE, Moment, Notes};
use crate::change::{Ask, Change, Noted};
use crate::doings::{Other, Said};
use crate::flow::Phase;
use crate::host::Judgement;
use crate::host_table::{Awaited, HostTable};
use crate::pair::Answer;
use crate::window::Tally;

/// The protocol under which echoes are kept, those of ICMPv6 as well.
const ICMP: u8 = 1;
/// ICMP destination unreachable, time exceeded, echo request and reply (RFC 792); the same echoes for ICMPv6 (RFC 4443).
const UNREACHABLE: u8 = 3;
const TIME_EXCEEDED: u8 = 11;
const ECHO: u8 = 8;
const ECHO_REPLY: u8 = 0;
const ECHO6: u8 = 128;
const ECHO_REPLY6: u8 = 129;
const ROUTER_ADVERTISEMENT: u8 = 134;
/// ICMP redirect (RFC 792), ICMPv6 redirect (RFC 4861).
const REDIRECT: u8 = 5;
const REDIRECT6: u8 = 137;
/// ICMP types that are no errors: echo, timestamp, information, mask.
const QUERIES: [u8; 7] = [ECHO, 13, 14, 15, 16, 17, 18];

impl<J: Judgement> HostTable<J> {
    pub(super) fn observe_icmp(&mut self, message: &icmp::Message<'_>, m: &Moment, notes: &mut Notes) {
        self.tally_sender(m, Tally::IcmpOut);
        match message.kind {
            UNREACHABLE | TIME_EXCEEDED => self.observe_error(message, m, notes),
            ECHO_REPLY => self.echoed(said(message.id, message.seq, message.payload, message.payload_len), m, notes),
            REDIRECT => self.observe_redirect(m, notes),
            ECHO => {
                self.echo_request(said(message.id, message.seq, message.payload, message.payload_len), m, notes);
            }
            kind if QUERIES.contains(&kind) => self.echo(message.id, m, notes),
            _ => {}
        }
    }

    pub(super) fn observe_icmp6(
        &mut self,
        frame: &Summary<'_>,
        message: &icmp6::Message<'_>,
        m: &Moment,
        notes: &mut Notes,
    ) {
        self.tally_sender(m, Tally::IcmpOut);
        if let Some(said) = message.neighbor() {
            self.observe_neighbor(frame, &said, m, notes);
        }
        match message.kind {
            ECHO6 => {
                self.echo_request(said(message.id, message.seq, message.payload, message.payload_len), m, notes);
            }
            ECHO_REPLY6 => self.echoed(said(message.id, message.seq, message.payload, message.payload_len), m, notes),
            REDIRECT6 => self.observe_redirect(m, notes),
            ROUTER_ADVERTISEMENT => match self.infrastructure.router {
                None => {
                    self.infrastructure.router = Some(m.mac);
                    self.infrastructure.add_mac(m.mac);
                    self.infrastructure.add_address(m.src.key);
                }
                Some(known) if known != m.mac => self.note_sender(m, Change::RouterAdvertisement { known }, notes),
                Some(_) => {}
            },
            _ => {}
        }
    }

    /// A redirect of one that is not the router known so far.
    fn observe_redirect(&mut self, m: &Moment, notes: &mut Notes) {
        let router = m.side == Side::Uplink || self.infrastructure.macs.contains(&m.mac);
        if !router {
            // Hosts obey their router alone: whoever redirects forges its address.
            let owner = self.owner_of(m.mac);
            let owner = Some(self.party(owner)).filter(|owner| self.hosts.find(owner.id).is_some()).unwrap_or(m.src);
            let redirects = self.doings(owner, m.at).redirects.note(m.dst.id.short(), m.at, MINUTE);
            let change = Change::Redirects { target: m.dst.key, redirects };
            self.push(Noted { host: owner.key, mac: m.mac, side: m.side, change }, notes);
        }
    }

    /// An echo is asked for, and what it carries is kept beside the answer to come.
    fn echo_request(&mut self, said: Said<'_>, m: &Moment, notes: &mut Notes) {
        self.echoes(m.src, m.dst, m.at).ask(said, m.mac, m.at);
        self.echo(said.number.0, m, notes);
    }

    fn echo(&mut self, id: u16, m: &Moment, notes: &mut Notes) {
        let per_second = self.doings(m.src, m.at).pings.count(m.at);
        self.note_sender(m, Change::IcmpRate { target: m.dst.key, per_second }, notes);
        if m.group {
            return;
        }
        let flow = self.flow_id(m, ICMP, id, id);
        let waiting = self.flows.get_mut(flow).is_some_and(|f| f.phase == Phase::Asked);
        if !waiting {
            self.asked(flow, Ask::Icmp, 0, m, notes);
        }
    }

    fn echoed(&mut self, said: Said<'_>, m: &Moment, notes: &mut Notes) {
        let asked = self.pair_id(m.dst, m.src);
        let other = self.echoes.get_mut(asked).and_then(|echoes| echoes.answer(said, m.at));
        if let Some(Other { answers: other, asker, asked_for }) = other {
            self.note_sender(m, Change::Echoes { target: m.dst.key, other, own: true }, notes);
            if self.hosts.get_mut(m.dst.id).is_some_and(|host| host.mac == asker) {
                self.note(m.dst, Change::Echoes { target: m.src.key, other, own: asked_for }, notes);
            }
        }
        let flow = self.flow_id(m, ICMP, said.number.0, said.number.0);
        let Some(row) = self.flows.get_mut(flow).filter(|f| matches!(f.phase, Phase::Asked | Phase::Silent)) else {
            return;
        };
        row.phase = Phase::Accepted;
        let asked = row.first;
        self.settle(Question { flow, asked, ask: Ask::Icmp, port: 0 }, Answer::Accepted, m, notes);
    }

    /// An ICMP error answers the packet that it quotes.
    fn observe_error(&mut self, message: &icmp::Message<'_>, m: &Moment, notes: &mut Notes) {
        let Some(inner) = message.inner() else { return };
        let (orig, target) = (self.party(inner.src.into()), self.party(inner.dst.into()));
        let quoted = Moment { src: orig, dst: target, ..*m };
        let flow = self.flow_id(&quoted, inner.protocol, inner.src_port, inner.dst_port);
        let Some(row) = self.flows.get_mut(flow).filter(|f| matches!(f.phase, Phase::Asked | Phase::Silent)) else {
            return;
        };
        // A router on the way that says the packet was too old is a traceroute's answer, no refusal.
        let traced = message.kind == TIME_EXCEEDED;
        row.phase = if traced { Phase::Established } else { Phase::Refused };
        let answer = if traced { Answer::Accepted } else { Answer::Refused };
        let awaited = Awaited { due: m.at, asked: row.first, flow, orig, target, ask: row.ask, port: row.port };
        self.answered(&awaited, answer, m.at, notes);
    }
}

fn said(id: u16, seq: u16, payload: &[u8], len: u32) -> Said<'_> {
    Said { number: (id, seq), payload, len }
}
