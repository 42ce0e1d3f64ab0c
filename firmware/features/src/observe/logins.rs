//! Log-ins: refusals that are seen, and conversations that look refused.

use wire::login;
use wire::tcp::Segment;

use super::{Moment, Notes};
use crate::change::{Change, Service};
use crate::flow::{self, Phase};
use crate::host::Judgement;
use crate::host_table::HostTable;
use crate::window::Tally;

impl<J: Judgement> HostTable<J> {
    /// Reads what a server says about a log-in.
    pub(super) fn read_login(
        &mut self,
        slot: usize,
        from_orig: bool,
        segment: &Segment<'_>,
        m: &Moment,
        notes: &mut Notes,
    ) {
        let flow = self.flows.at(slot);
        if !from_orig && !flow.server_spoke {
            flow.server_spoke = true;
            flow.is_ssh = login::ssh_banner(segment.payload).is_some();
        }
        let Some(service) = flow::service(flow.port) else { return };
        if from_orig {
            if service == Service::Http {
                flow.credentials = login::basic_credentials(segment.payload);
            }
            return;
        }
        if service == Service::Http && !flow.credentials {
            return;
        }
        let Some(outcome) = login::outcome(flow.port, segment.payload) else { return };
        let again = flow.login_seen && flow.refusal == segment.seq;
        flow.login_seen = true;
        flow.refusal = segment.seq;
        if outcome == login::Outcome::Failed && !again {
            self.login_failed(service, true, m, notes);
        }
    }

    /// A conversation ended, by FIN or RST from either end.
    pub(super) fn ended(&mut self, slot: usize, from_orig: bool, m: &Moment, notes: &mut Notes) {
        let flow = self.flows.at(slot);
        if flow.phase != Phase::Established {
            return;
        }
        flow.phase = Phase::Closed;
        let Some(service) = flow.looks_refused() else { return };
        let m = if from_orig { Moment { src: m.dst, dst: m.src, ..*m } } else { *m };
        self.login_failed(service, false, &m, notes);
    }

    /// Counts a failed log-in of `m.dst` at `m.src`.
    fn login_failed(&mut self, service: Service, seen: bool, m: &Moment, notes: &mut Notes) {
        let horizon = self.login_horizon;
        let failed = self.pair(m.dst, m.src, m.at).login_failed(service, m.at, horizon);
        self.tally(m.dst, Tally::LoginsFailed, m.at);
        self.note(m.dst, Change::Logins { target: m.src.key, service, failed, seen }, notes);
        // One estimate a server proves nothing: a script that logs in everywhere and does next to nothing looks the same.
        if !seen {
            return;
        }
        let logins = &mut self.doings(m.dst, m.at).logins;
        let failed = logins.note(m.src.id.short(), m.at, horizon);
        let targets = logins.different(m.at, horizon);
        self.note(m.dst, Change::Sprayed { failed, targets }, notes);
    }
}
