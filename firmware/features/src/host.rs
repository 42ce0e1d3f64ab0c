//! One host being watched: its counters, its peers, its names, and what detection thinks of it.

use terms::{HostKey, MacAddr, Side, Timestamp};

use crate::names::NameSet;
use crate::peers::PeerSet;
use crate::rate::Rate;
use crate::table::Worth;
use crate::window::{Sketch, Window};

/// What the owner of the table keeps with each host.
pub trait Judgement: Default {
    /// Whether the host must not make room for others: it is flagged or blocked.
    fn holds(&self) -> bool;
}

/// A host that sent at least one frame.
///
/// **Shape**: in the order written, so that what each frame touches lies together: rows are kilobytes apart, and a frame waits for
/// each line of memory that it needs.
#[derive(Clone, Debug)]
#[repr(C)]
pub struct Host<J> {
    /// Its address, or its hardware address where it has none.
    pub key: HostKey,
    /// The hardware address of its last frame.
    pub mac: MacAddr,
    /// Where that was seen.
    pub side: Side,
    /// Its first frame.
    pub first_seen: Timestamp,
    /// Its last frame.
    pub last_seen: Timestamp,
    /// Frames sent.
    pub frames: u64,
    /// Octets sent.
    pub octets: u64,
    /// Whether somebody answered it, or it answered somebody.
    pub conversed: bool,
    pub(crate) window: Window,
    /// What the owner of the table keeps with it.
    pub judgement: J,
    pub(crate) peers: PeerSet,
    pub(crate) names: NameSet,
    pub(crate) inbound: Rate,
    pub(crate) inbound_sources: (u64, Sketch),
    /// When DNS told it an address first; the epoch where it never did.
    pub(crate) resolves_since: Timestamp,
}

impl<J: Judgement> Host<J> {
    pub(crate) fn new(key: HostKey, mac: MacAddr, side: Side, at: Timestamp) -> Self {
        Self {
            key,
            mac,
            side,
            first_seen: at,
            last_seen: at,
            frames: 0,
            octets: 0,
            conversed: false,
            judgement: J::default(),
            window: Window::default(),
            peers: PeerSet::default(),
            names: NameSet::default(),
            inbound: Rate::default(),
            inbound_sources: (0, Sketch::default()),
            resolves_since: Timestamp::EPOCH,
        }
    }

    /// Makes it a host that was just seen first.
    pub(crate) fn renew(&mut self, key: HostKey, mac: MacAddr, side: Side, at: Timestamp) {
        let Self { window, peers, names, .. } = self;
        window.clear();
        peers.clear();
        names.clear();
        (self.key, self.mac, self.side) = (key, mac, side);
        (self.first_seen, self.last_seen, self.frames, self.octets, self.conversed) = (at, at, 0, 0, false);
        (self.judgement, self.inbound) = (J::default(), Rate::default());
        self.inbound_sources = (0, Sketch::default());
        self.resolves_since = Timestamp::EPOCH;
    }

    /// Counts something that came from `source` and asks for an answer: how many in a second, from how many.
    pub(crate) fn pressed(&mut self, source: u64, at: Timestamp) -> (u32, u16) {
        if self.inbound_sources.0 != at.secs() {
            self.inbound_sources = (at.secs(), Sketch::default());
        }
        self.inbound_sources.1.add(source);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an estimate between 0 and 621")]
        let sources = libm::roundf(self.inbound_sources.1.estimate()) as u16;
        (self.inbound.count(at), sources)
    }
}

impl<J: Judgement> Worth for Host<J> {
    /// Hosts that nobody ever answered go first, flagged ones last.
    fn class(&self) -> u8 {
        u8::from(self.conversed) + 2 * u8::from(self.judgement.holds())
    }

    fn last(&self) -> Timestamp {
        self.last_seen
    }
}
