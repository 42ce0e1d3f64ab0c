//! What an open store holds of its medium, and what goes wrong underneath.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;

use policy::Block;
use policy::device::{DeviceId, DeviceRecord};
use sled::{Db, Tree};
use terms::HostKey;

use crate::codec::DecodeError;
use crate::hosts::Hosts;
use crate::journal::Journal;
use crate::records::Feedback;

/// What went wrong underneath.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// What was read is not what was written.
    Damaged(String),
    /// The medium failed.
    Disk(io::Error),
}

/// Everything that needs the medium.
pub(crate) struct Attached {
    // dropped in this order: sled writes its rest while the lock is held
    pub(crate) events: Journal,
    pub(crate) minutes: Journal,
    pub(crate) counters: Journal,
    pub(crate) flows: Journal,
    pub(crate) block_rows: Tree,
    pub(crate) host_rows: Tree,
    pub(crate) feedback_rows: Tree,
    pub(crate) device_rows: Tree,
    pub(crate) db: Db,
    /// sled's file, to sync it.
    pub(crate) file: File,
    /// Held as long as the directory is ours.
    pub(crate) _lock: File,
}

/// What is held in memory as well.
pub(crate) struct State {
    pub(crate) blocks: BTreeMap<HostKey, Block>,
    pub(crate) hosts: Hosts,
    /// By the number of the event.
    pub(crate) feedback: BTreeMap<u64, Feedback>,
    pub(crate) devices: BTreeMap<DeviceId, DeviceRecord>,
}

/// A kind of history.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Events,
    Minutes,
    Counters,
    Flows,
}

impl Attached {
    /// The history of a kind.
    pub(crate) fn journal(&self, kind: Kind) -> &Journal {
        match kind {
            Kind::Events => &self.events,
            Kind::Minutes => &self.minutes,
            Kind::Counters => &self.counters,
            Kind::Flows => &self.flows,
        }
    }

    /// The history of a kind.
    pub(crate) fn journal_mut(&mut self, kind: Kind) -> &mut Journal {
        match kind {
            Kind::Events => &mut self.events,
            Kind::Minutes => &mut self.minutes,
            Kind::Counters => &mut self.counters,
            Kind::Flows => &mut self.flows,
        }
    }

    /// The kind with the block that ends first.
    pub(crate) fn oldest(&self) -> Option<Kind> {
        let ends = Kind::ALL.into_iter().filter_map(|kind| Some((self.journal(kind).oldest()?, kind)));
        ends.min_by_key(|(minute, _)| *minute).map(|(_, kind)| kind)
    }
}

impl Kind {
    /// Every kind.
    pub(crate) const ALL: [Self; 4] = [Self::Events, Self::Minutes, Self::Counters, Self::Flows];
}

impl From<sled::Error> for Trouble {
    fn from(error: sled::Error) -> Self {
        use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
        match error {
            sled::Error::Io(e) if !matches!(e.kind(), InvalidData | InvalidInput | UnexpectedEof) => Self::Disk(e),
            other => Self::Damaged(other.to_string()),
        }
    }
}

impl From<DecodeError> for Trouble {
    fn from(error: DecodeError) -> Self {
        Self::Damaged(error.to_string())
    }
}
