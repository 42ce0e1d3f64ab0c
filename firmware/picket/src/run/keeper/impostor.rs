//! Devices whose hardware address another one may have taken over.
//!
//! Nothing in a frame tells who really sent it. Were rights taken away whenever a hardware address begins to speak like another device,
//! one forged message would cut off whomever its sender likes; so by default they stay, it is told, and somebody decides. Who fears the
//! thief more than that may have them suspended: the device is in quarantine until it is approved again, a version of the policy like
//! any other.

use std::collections::BTreeSet;

use ::policy::DeviceState;
use terms::MacAddr;

use super::Book;
use super::policy::ITSELF;

/// So many wait for their quarantine while a policy is on trial; more are told all the same.
const WAITING: usize = 256;

/// Whose rights are to be suspended.
#[derive(Debug)]
pub(super) struct Impostors {
    suspend: bool,
    waiting: BTreeSet<MacAddr>,
}

impl Impostors {
    pub fn new(suspend: bool) -> Self {
        Self { suspend, waiting: BTreeSet::new() }
    }

    /// From now on rights are suspended, or not.
    pub fn suspend(&mut self, suspend: bool) {
        self.suspend = suspend;
        if !suspend {
            self.waiting.clear();
        }
    }

    /// Another device may use this hardware address.
    pub fn meet(&mut self, mac: Option<MacAddr>) {
        if self.suspend && self.waiting.len() < WAITING {
            self.waiting.extend(mac);
        }
    }
}

impl Book {
    /// Puts those who wait in quarantine, as far as somebody had approved them; while a policy is on trial they wait on.
    pub(super) fn suspend_impostors(&mut self) {
        if self.impostors.waiting.is_empty() {
            return;
        }
        let Some(mut policy) = self.policies.for_good().cloned() else { return };
        let waiting = std::mem::take(&mut self.impostors.waiting);
        let mut names = Vec::new();
        for device in policy.devices.iter_mut().filter(|device| device.state == DeviceState::Approved) {
            if device.macs.iter().any(|mac| waiting.contains(mac)) {
                device.state = DeviceState::Quarantined;
                names.push(device.name.clone());
            }
        }
        if names.is_empty() {
            return;
        }
        let why = format!("{} may be another device under the same hardware address", names.join(", "));
        if let Err(error) = self.put_changed("device quarantined", &policy, ITSELF, why) {
            tracing::warn!("{} is approved still: {error}", names.join(", "));
        }
    }
}
