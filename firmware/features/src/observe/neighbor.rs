//! Neighbour discovery: who asks for whom, who answers, and who claims what another owns.
//!
//! **Source**: RFC 4861, section 7.2. A proxy answers for others without the override flag; who sets it against a living owner
//! deceives, asked for or not.

use terms::{HostKey, MacAddr};
use wire::Summary;
use wire::icmp6::{Neighbor, NeighborKind};

use super::{Moment, Notes};
use crate::change::Ask;
use crate::flow::Phase;
use crate::host::Judgement;
use crate::host_table::{Awaited, HostTable};
use crate::pair::Answer;
use crate::window::Tally;

impl<J: Judgement> HostTable<J> {
    pub(super) fn observe_neighbor(&mut self, frame: &Summary<'_>, said: &Neighbor, m: &Moment, notes: &mut Notes) {
        let target = HostKey::V6(said.target);
        match said.kind {
            // Duplicate address detection asks for nobody.
            NeighborKind::Solicitation if matches!(m.src.key, HostKey::Mac(_)) => {}
            NeighborKind::Solicitation => {
                let id = self.question(m.mac, target);
                let m = Moment { dst: self.party(target), group: false, ..*m };
                self.asked(id, Ask::Neighbor, 0, &m, notes);
            }
            NeighborKind::Advertisement => {
                self.found(frame.dst, target, m, notes);
                self.claimed(frame, said, target, m, notes);
            }
        }
    }

    /// A neighbour that was asked for is there.
    fn found(&mut self, asker: MacAddr, target: HostKey, m: &Moment, notes: &mut Notes) {
        let flow = self.question(asker, target);
        let Some(row) = self.flows.get_mut(flow).filter(|f| matches!(f.phase, Phase::Asked | Phase::Silent)) else {
            return;
        };
        row.phase = Phase::Accepted;
        let (asked, target) = (row.first, self.party(target));
        let awaited = Awaited { due: m.at, asked, flow, orig: m.dst, target, ask: Ask::Neighbor, port: 0 };
        self.answered(&awaited, Answer::Accepted, m.at, notes);
    }

    /// An advertisement says whose an address is.
    fn claimed(&mut self, frame: &Summary<'_>, said: &Neighbor, target: HostKey, m: &Moment, notes: &mut Notes) {
        let claims = said.lladdr.unwrap_or(frame.src);
        let Some(owner) = self.living_owner(target, claims, m.at) else {
            self.bind(target, claims, frame.dst.is_multicast(), m.at);
            return;
        };
        if said.override_ {
            self.tally_sender(m, Tally::Claims);
            self.neighbor(frame.src, m.side, m.at).claims = true;
            let change = self.claimant(frame.src, m.at).claim(target, Some(owner), frame.dst.is_multicast(), m.at);
            self.note_sender(m, change, notes);
        }
    }
}
