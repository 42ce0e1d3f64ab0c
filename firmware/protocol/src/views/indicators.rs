//! What the gateway shows of lists of indicators.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A list of indicators.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "IndicatorList")]
pub struct IndicatorsView<At = f64> {
    /// Its number, by which events name it.
    pub number: u16,
    /// What an admin calls it.
    pub name: String,
    /// `MEDIUM` or `HIGH`: what it holds against who has to do with what it lists.
    pub level: String,
    /// Where it comes from, in words.
    pub origin: String,
    /// Addresses and networks.
    pub networks: u64,
    /// Names, and fingerprints of TLS clients.
    pub names: u64,
    /// Lines about addresses and names that any network has, which do not count.
    pub passed_over: u64,
    /// When it was loaded.
    pub loaded: At,
    /// Until when it holds.
    pub until: At,
    /// Whether it is over.
    pub over: bool,
}

/// A device that had to do with what is on a list, as its stored conversations tell.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "IndicatorMet")]
pub struct MetView<At = f64> {
    /// The device's hardware address.
    pub mac: String,
    /// Its address.
    pub device: String,
    /// The other end's address.
    pub peer: String,
    /// The listed name for which the device was told that address; nothing where the address itself is listed.
    pub name: Option<String>,
    /// What was asked of the other: `tcp/443`.
    pub service: String,
    /// Who began: `lan` or `uplink`.
    pub begun_by: String,
    /// How many conversations.
    pub conversations: u64,
    /// Octets from the device.
    pub octets_out: u64,
    /// The first of them.
    pub first: At,
    /// The last of them.
    pub last: At,
}

/// What stored conversations say of a list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "IndicatorPast")]
pub struct PastView<At = f64> {
    /// Since when conversations were looked at.
    pub since: At,
    /// How many were looked at.
    pub conversations: u64,
    /// Who had to do with what is listed, the last first.
    pub met: Vec<MetView<At>>,
    /// How many more such conversations found no room here.
    pub untold: u64,
}
