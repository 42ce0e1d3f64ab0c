//! Who has to do with what is on a list of indicators.
//!
//! Looked at where a conversation begins and at its first words, never at each frame.

use alloc::sync::Arc;

use terms::{HostKey, ThreatLevel};
use wire::http::Request;
use wire::ja4::Ja4;
use wire::tls;

use super::{Moment, Notes};
use crate::change::{Change, Listing};
use crate::host::Judgement;
use crate::host_table::HostTable;
use crate::listed::{Indicators, Mark};

extern crate alloc;

impl<J: Judgement> HostTable<J> {
    /// Puts these lists in the place of those in force.
    pub fn look_for(&mut self, indicators: Arc<Indicators>) {
        self.indicators = indicators;
    }

    /// A host begins a conversation.
    #[inline]
    pub(super) fn note_listed(&mut self, m: &Moment, notes: &mut Notes) {
        if !self.indicators.is_empty() {
            self.look_up_ends(m, notes);
        }
    }

    #[cold]
    fn look_up_ends(&mut self, m: &Moment, notes: &mut Notes) {
        // Whatever a list says of addresses that any network has.
        if m.dst.key.is_global()
            && let Some(mark) = self.indicators.of_address(m.dst.key, m.at)
        {
            self.note_mark(mark, m.dst.key, Listing::Peer, m, notes);
        }
        // Who comes from outside comes with its own address, and is answered by nobody's fault.
        if m.src.key.is_global()
            && let Some(mark) = self.indicators.of_address(m.src.key, m.at)
        {
            self.note_mark(mark, m.dst.key, Listing::Itself, m, notes);
        }
    }

    /// A host asks DNS for a name: it may ask for others.
    #[inline]
    pub(super) fn note_listed_question(&mut self, name: &[u8], m: &Moment, notes: &mut Notes) {
        if !self.indicators.is_empty()
            && let Some(mark) = self.indicators.of_name(name, m.at)
        {
            let mark = Mark { level: mark.level.min(ThreatLevel::Medium), ..mark };
            self.note_mark(mark, m.dst.key, Listing::Question, m, notes);
        }
    }

    /// The first words of a client may name the server that it wants.
    #[inline]
    pub(super) fn note_listed_server(
        &mut self,
        request: Option<&Request<'_>>,
        payload: &[u8],
        m: &Moment,
        notes: &mut Notes,
    ) {
        if self.indicators.is_empty() {
            return;
        }
        let wanted = match request {
            Some(request) => request.host,
            None => tls::client_hello(payload).and_then(|hello| hello.sni).map(str::as_bytes),
        };
        if let Some(mark) = wanted.and_then(|name| self.indicators.of_name(name, m.at)) {
            self.note_mark(mark, m.dst.key, Listing::Name, m, notes);
        }
    }

    /// The first words of a client, if they are those of TLS: who speaks, and whether that is listed.
    #[inline]
    pub(super) fn note_client(&mut self, payload: &[u8], m: &Moment, notes: &mut Notes) {
        let Some(client) = Ja4::of_hello(payload) else { return };
        self.note_sender(m, Change::Greets { server: m.dst.key, client }, notes);
        if !self.indicators.is_empty()
            && let Some(mark) = self.indicators.of_client(&client, m.at)
        {
            self.note_mark(mark, m.dst.key, Listing::Client, m, notes);
        }
    }

    fn note_mark(&mut self, mark: Mark, server: HostKey, by: Listing, m: &Moment, notes: &mut Notes) {
        self.note_sender(m, Change::Listed { server, mark, by }, notes);
    }
}
