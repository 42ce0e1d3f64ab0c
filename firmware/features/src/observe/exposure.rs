//! Who lets the internet in: by asking the router for it, or by answering.

use terms::Timestamp;
use wire::http::Request;
use wire::mapping;

use super::{Moment, Notes};
use crate::change::{Ask, Change, Exposure};
use crate::host::Judgement;
use crate::host_table::{Awaited, HostTable};

impl<J: Judgement> HostTable<J> {
    /// A datagram to the port at which routers open ports.
    pub(super) fn observe_mapping(&mut self, payload: &[u8], m: &Moment, notes: &mut Notes) {
        if mapping::is_opened_by(payload) {
            self.note_sender(m, Change::Exposes { target: m.dst.key, how: Exposure::OpensPort }, notes);
        }
    }

    /// A request by HTTP to a host of the network.
    pub(super) fn note_mapping(&mut self, request: &Request<'_>, payload: &[u8], m: &Moment, notes: &mut Notes) {
        let local = !m.dst.key.is_global();
        if local && request.method == wire::http::Method::Post && mapping::is_opened_over_http(payload) {
            self.note_sender(m, Change::Exposes { target: m.dst.key, how: Exposure::OpensPort }, notes);
        }
    }

    /// A host accepted a conversation: from the internet?
    pub(super) fn note_accepted(&mut self, awaited: &Awaited, at: Timestamp, notes: &mut Notes) {
        let (server, client) = (awaited.target, awaited.orig);
        // Datagrams cross each other: who began is seen for sure with TCP alone.
        if awaited.ask == Ask::Tcp && client.key.is_global() && self.goes_out(server, client, at) {
            self.note(server, Change::Exposes { target: client.key, how: Exposure::AnswersInternet }, notes);
        }
    }
}
