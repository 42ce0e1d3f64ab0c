//! What the store on flash does for itself: coming back after the medium failed, and letting old history go.

use std::io;

use sled::Batch;
use terms::Timestamp;

use crate::attached::{Kind, State};
use crate::codec::host_key;
use crate::contract::{Retained, StoreError};
use crate::disk::{octets_in, room_for};
use crate::journal::SLICE;
use crate::open::{OpenError, attach_or_begin_anew};
use crate::sled_store::{Medium, SledStore};

/// Sealed blocks that one `retain` lets go of for want of octets.
const BLOCKS_A_CALL: usize = 64;

impl SledStore {
    /// Opens the medium anew and brings to it what memory knows better.
    pub(crate) fn come_back(&mut self) -> Result<String, StoreError> {
        room_for(&self.path, 0)?;
        let (mut attached, state, repaired) = attach_or_begin_anew(&self.path).map_err(|error| match error {
            OpenError::Disk { path, source } => StoreError::Disk { path, source },
            OpenError::Busy(_) => self.disk(io::Error::other(error.to_string())),
        })?;
        let skipped = attached.events.skip_to(self.next_event);
        skipped.map_err(|source| self.disk(io::Error::other(source.to_string())))?;
        self.medium = Medium::Open(Box::new(attached));
        self.restore(&state).inspect_err(|_| self.let_go(Medium::Failed))?;
        Ok(repaired.unwrap_or_else(|| format!("the store {} can be written again", self.path.display())))
    }

    /// Makes the medium agree with memory.
    fn restore(&mut self, medium: &State) -> Result<(), StoreError> {
        let mut batch = Batch::default();
        for &host in medium.blocks.keys() {
            batch.remove(host_key(host));
        }
        self.act(|attached| Ok(attached.block_rows.apply_batch(batch)?))?;
        for block in self.blocks.clone().values() {
            self.write_block(block)?;
        }
        let mut batch = Batch::default();
        for event in medium.feedback.keys() {
            batch.remove(&event.to_be_bytes());
        }
        self.act(|attached| Ok(attached.feedback_rows.apply_batch(batch)?))?;
        for said in self.feedback.clone().values() {
            self.write_feedback(said, None)?;
        }
        let mut batch = Batch::default();
        for device in medium.devices.keys() {
            batch.remove(&device.number().to_be_bytes());
        }
        self.act(|attached| Ok(attached.device_rows.apply_batch(batch)?))?;
        let devices: Vec<_> = self.devices.values().cloned().collect();
        self.write_devices(&devices, &[])?;
        self.hosts.forget_written();
        self.write_hosts(&self.hosts.all(), &[])
    }

    /// Lets a slice of what is older than a moment go.
    pub(crate) fn retain_age(&mut self, cutoff: Timestamp) -> Result<Retained, StoreError> {
        let mut retained = Retained::default();
        for kind in Kind::ALL {
            let gone = self.act(|attached| Ok(attached.journal_mut(kind).drop_before(cutoff.minute())?))?;
            retained.more |= gone == SLICE;
            retained.history += gone;
        }
        let gone = self.hosts.old(cutoff, SLICE);
        self.write_hosts(&[], &gone)?;
        self.hosts.remove(&gone);
        retained.hosts = gone.len();
        retained.more |= gone.len() == SLICE;
        Ok(retained)
    }

    /// Lets the oldest blocks of history go while more octets are held than may be. Returns how many, and whether more must go.
    pub(crate) fn retain_octets(&mut self) -> Result<(usize, bool), StoreError> {
        self.figures.octets_held = octets_in(&self.path);
        for gone in 0..BLOCKS_A_CALL {
            if self.figures.octets_held <= self.limits.max_octets {
                return Ok((gone, false));
            }
            let freed = self.act(|attached| match attached.oldest() {
                Some(kind) => Ok(Some(attached.journal_mut(kind).drop_oldest()?)),
                None => Ok(None),
            })?;
            let Some(freed) = freed else {
                return Ok((gone, false));
            };
            self.figures.octets_held = self.figures.octets_held.saturating_sub(freed);
        }
        Ok((BLOCKS_A_CALL, true))
    }
}
