//! What people do to records: merge, split, describe, forget.

use core::fmt;

use serde::{Deserialize, Serialize};
use terms::MacAddr;

use super::record::MACS;
use super::{DeviceId, Devices};

/// Octets kept of what a person writes of a device.
const NOTE: usize = 1_024;
/// The most groups, or tags, that a person gives a device; further ones are not kept.
const WORDS: usize = 16;

/// What a person says of a device. What is absent stays; an empty text takes away.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Said {
    /// Its name.
    pub name: Option<String>,
    /// Whose it is.
    pub owner: Option<String>,
    /// The groups that it is in.
    pub groups: Option<Vec<String>>,
    /// Tags.
    pub tags: Option<Vec<String>>,
    /// What those who come later should know.
    pub notes: Option<String>,
}

/// Why it was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HandError {
    /// There is no such device.
    Unknown(DeviceId),
    /// A device cannot be merged with itself.
    Same(DeviceId),
    /// Both together have more hardware addresses than a record holds.
    TooMany(DeviceId),
    /// The device has no such hardware address, or no other one.
    NotSplit(DeviceId, MacAddr),
    /// The book is full of devices that people decided about.
    Full,
}

impl Devices {
    /// Makes two records one: the first keeps its number and what people said of it.
    ///
    /// # Errors
    /// One is not there, both are the same, or they do not fit into one.
    pub fn merge(&mut self, into: DeviceId, from: DeviceId) -> Result<(), HandError> {
        if into == from {
            return Err(HandError::Same(into));
        }
        let gone = self.get(from).ok_or(HandError::Unknown(from))?;
        let kept = self.get(into).ok_or(HandError::Unknown(into))?;
        if gone.macs.len() + kept.macs.len() > MACS {
            return Err(HandError::TooMany(into));
        }
        let gone = self.remove(from).ok_or(HandError::Unknown(from))?;
        self.change(into, |kept| kept.absorb(gone)).ok_or(HandError::Unknown(into))
    }

    /// Gives a hardware address a record of its own again, of which nothing is known but when the device was seen. Returns its
    /// number.
    ///
    /// # Errors
    /// The device is not there, or this is not one of several hardware addresses of it.
    pub fn split(&mut self, device: DeviceId, mac: MacAddr) -> Result<DeviceId, HandError> {
        let record = self.get(device).ok_or(HandError::Unknown(device))?;
        if record.macs.len() < 2 || !record.macs.contains(&mac) {
            return Err(HandError::NotSplit(device, mac));
        }
        let (side, at) = (record.side, record.last_seen);
        let id = self.add(mac, side, at).ok_or(HandError::Full)?;
        self.change(device, |record| record.macs.retain(|known| *known != mac));
        Ok(id)
    }

    /// Writes down what a person says of a device.
    ///
    /// # Errors
    /// The device is not there.
    pub fn describe(&mut self, device: DeviceId, said: &Said) -> Result<(), HandError> {
        let kept = |text: &str| text.chars().filter(|c| !c.is_control()).take(NOTE / 4).collect::<String>();
        let described = self.change(device, |record| {
            if let Some(name) = &said.name {
                record.given_name = Some(kept(name)).filter(|name| !name.is_empty());
            }
            let texts = [(&said.owner, &mut record.owner), (&said.notes, &mut record.notes)];
            texts.into_iter().for_each(|(text, of)| *of = text.as_deref().map_or_else(|| of.clone(), kept));
            for (words, of) in [(&said.groups, &mut record.groups), (&said.tags, &mut record.tags)] {
                if let Some(words) = words {
                    *of = words.iter().take(WORDS).map(|word| kept(word)).filter(|word| !word.is_empty()).collect();
                }
            }
        });
        described.ok_or(HandError::Unknown(device))
    }

    /// Forgets a device. If it comes again, it is new.
    ///
    /// # Errors
    /// The device is not there.
    pub fn forget(&mut self, device: DeviceId) -> Result<(), HandError> {
        self.remove(device).map(drop).ok_or(HandError::Unknown(device))
    }
}

impl fmt::Display for HandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(id) => write!(f, "there is no device {id}; picket devices list shows those that are known"),
            Self::Same(id) => write!(f, "device {id} cannot be merged with itself"),
            Self::TooMany(id) => write!(f, "device {id} would have more than {MACS} hardware addresses"),
            Self::NotSplit(id, mac) => write!(f, "{mac} is not one of several hardware addresses of device {id}"),
            Self::Full => f.write_str("no room for another device; forget one first"),
        }
    }
}

impl core::error::Error for HandError {}
