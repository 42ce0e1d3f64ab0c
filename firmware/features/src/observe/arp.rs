//! ARP: who asks for whom, who answers, and who claims what another owns.
//!
//! **Source**: RFC 826; unasked claims against a living owner are what ARP spoofing is made of.

use terms::{HostKey, MacAddr, Side, Span, Timestamp};
use wire::Summary;
use wire::arp::{Operation, Packet};

use super::{Moment, Notes};
use crate::change::Ask;
use crate::flow::Phase;
use crate::hash::RowId;
use crate::host::Judgement;
use crate::host_table::{Awaited, HostTable};
use crate::neighbors::Binding;
use crate::pair::Answer;
use crate::window::Tally;

/// How long a host that sent something counts as alive.
const ALIVE: Span = Span::from_secs(60);
/// How long after a question an answer still counts as asked for.
const SOLICITED: Span = Span::from_secs(2);

impl<J: Judgement> HostTable<J> {
    pub(super) fn observe_arp(
        &mut self,
        frame: &Summary<'_>,
        arp: &Packet,
        at: Timestamp,
        side: Side,
        notes: &mut Notes,
    ) -> usize {
        let claimed = HostKey::V4(arp.sender);
        let owner = self.contradicted_owner(arp, at);
        let known = self.owner_of(frame.src);
        // A sender is taken at its word only where its word contradicts nobody.
        let honest = owner.is_none() && !arp.sender.is_unspecified() && arp.sender_mac == frame.src;
        let src =
            if honest && (known == HostKey::Mac(frame.src) || self.uses(frame.src, arp)) { claimed } else { known };
        let m = self.count_frame(frame, src, HostKey::V4(arp.target), at, side);
        self.tally_sender(&m, Tally::ArpOut);
        let asked_for = self.is_solicited(arp, at);
        let pushed = arp.operation == Operation::Reply && !frame.dst.is_multicast();
        if !asked_for && (owner.is_some() || pushed) && !arp.sender.is_unspecified() {
            self.tally_sender(&m, Tally::Claims);
            self.challenge(claimed, frame.src, at);
            // Who defends or tells the address that it has had for a while pushes nothing.
            let own = claimed == m.src.key && at.since(self.hosts.at(m.slot).first_seen) >= ALIVE;
            self.neighbor(frame.src, side, at).claims = true;
            let claimant = self.claimant(frame.src, at);
            if pushed && !own {
                claimant.pushes(m.src.key, at);
            }
            let change = claimant.claim(claimed, owner, frame.dst.is_multicast(), at);
            self.note_sender(&m, change, notes);
        }
        if owner.is_none() && !arp.sender.is_unspecified() {
            let announced = frame.dst.is_multicast() && arp.sender == arp.target;
            self.bind(claimed, arp.sender_mac, announced, at);
        }
        let gratuitous = arp.sender == arp.target || arp.sender.is_unspecified();
        match arp.operation {
            Operation::Request if !gratuitous => self.arp_asked(&m, notes),
            Operation::Reply => self.arp_answered(arp, &m, notes),
            _ => {}
        }
        m.slot
    }

    fn uses(&mut self, mac: MacAddr, arp: &Packet) -> bool {
        self.neighbors.get_mut(self.key.mac(mac)).is_none_or(|n| n.uses(arp.sender))
    }

    /// The living owner of the claimed address, where it is somebody else: as ARP told, or as the host's own packets do.
    fn contradicted_owner(&mut self, arp: &Packet, at: Timestamp) -> Option<MacAddr> {
        self.living_owner(HostKey::V4(arp.sender), arp.sender_mac, at)
    }

    /// The owner of an address, if it is alive and another than who claims it.
    pub(super) fn living_owner(&mut self, address: HostKey, claims: MacAddr, at: Timestamp) -> Option<MacAddr> {
        let id = self.key.host(address);
        let speaks = self.host(address).filter(|h| at.since(h.last_seen) < ALIVE).map(|h| h.mac);
        if let Some(binding) = self.bindings.get_mut(id) {
            let alive = binding.is_alive(at) || speaks == Some(binding.owner);
            return (binding.owner != claims && alive).then_some(binding.owner);
        }
        let owner = speaks.filter(|mac| *mac != claims)?;
        self.bindings.insert(id, Binding { owner, last: at, challenger: None });
        Some(owner)
    }

    /// Learns or refreshes an owner. One that announces its address to all (RFC 5227, section 2.4: it defends it) clears the claims
    /// of whoever challenged it; an ordinary question, as a router asks every few seconds, does not.
    pub(super) fn bind(&mut self, address: HostKey, owner: MacAddr, announced: bool, at: Timestamp) {
        let id = self.key.host(address);
        let Some(binding) = self.bindings.get_mut(id) else {
            self.bindings.insert(id, Binding { owner, last: at, challenger: None });
            return;
        };
        let challenger = binding.challenger.filter(|_| announced && binding.owner == owner);
        *binding = Binding { owner, last: at, challenger: if announced { None } else { binding.challenger } };
        if let Some(challenger) = challenger
            && let Some(claimant) = self.claimants.get_mut(self.key.mac(challenger))
        {
            claimant.contested(address);
        }
    }

    fn challenge(&mut self, address: HostKey, challenger: MacAddr, at: Timestamp) {
        let id = self.key.host(address);
        if let Some(binding) = self.bindings.get_mut(id).filter(|b| b.owner != challenger && b.is_alive(at)) {
            binding.challenger = Some(challenger);
        }
    }

    pub(super) fn question(&self, asker: MacAddr, target: HostKey) -> RowId {
        self.key.pair(self.key.mac(asker), self.key.host(target), 0x6172_7000)
    }

    /// Whether the receiver of this claim asked for it a moment ago.
    fn is_solicited(&mut self, arp: &Packet, at: Timestamp) -> bool {
        let id = self.question(arp.target_mac, HostKey::V4(arp.sender));
        arp.operation == Operation::Reply && self.flows.get_mut(id).is_some_and(|f| at.since(f.first) < SOLICITED)
    }

    fn arp_asked(&mut self, m: &Moment, notes: &mut Notes) {
        let id = self.question(m.mac, m.dst.key);
        self.asked(id, Ask::Arp, 0, m, notes);
    }

    fn arp_answered(&mut self, arp: &Packet, m: &Moment, notes: &mut Notes) {
        let target = HostKey::V4(arp.sender);
        let flow = self.question(arp.target_mac, target);
        let Some(row) = self.flows.get_mut(flow).filter(|f| matches!(f.phase, Phase::Asked | Phase::Silent)) else {
            return;
        };
        row.phase = Phase::Accepted;
        let asked = row.first;
        let orig = self.owner_of(arp.target_mac);
        let (orig, target) = (self.party(orig), self.party(target));
        let awaited = Awaited { due: m.at, asked, flow, orig, target, ask: Ask::Arp, port: 0 };
        self.answered(&awaited, Answer::Accepted, m.at, notes);
    }
}
