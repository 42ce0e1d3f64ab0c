//! The feature vector: a list of features, each in a file of its own.
//!
//! Rates, ratios and estimates only: never an address, an absolute time or a hop count, which would tell labs apart. A feature is
//! added by a file and a line in `ALL`; the schema's hash changes with it, and a forest of another schema is refused.

mod arp_conflicts;
mod asked_of_rate;
mod asks_burst;
mod asks_long_rate;
mod asks_rate;
mod dns_rate;
mod dns_share;
mod failed_in_rate;
mod failed_long_rate;
mod frames_in_rate;
mod frames_long_rate;
mod frames_out_burst;
mod frames_out_rate;
mod gap_equality;
mod half_open_share;
mod icmp_rate;
mod icmp_share;
mod logins_failed;
mod mean_size_in;
mod mean_size_out;
mod name_entropy;
mod name_length;
mod new_peers_share;
mod no_such_name_long;
mod no_such_name_share;
mod octets_in_rate;
mod octets_out_rate;
mod ports;
mod ports_long;
mod ports_per_target;
mod refused_share;
mod reset_out_share;
mod resets_in_rate;
mod signs_long;
mod silent_share;
mod size_deviation;
mod small_share;
mod sources;
mod syn_share;
mod targets;
mod targets_long;
mod tcp_share;
mod udp_share;
mod unnamed_long_share;
mod upload_ratio;

use crate::window::{Counters, Horizons, Tally};
use terms::{FNV_BEGINS, fnv};

/// One number about a host.
struct Feature {
    name: &'static str,
    read: fn(&Horizons) -> f32,
}

const ALL: [Feature; FEATURES] = [
    frames_out_rate::FEATURE,
    frames_in_rate::FEATURE,
    octets_out_rate::FEATURE,
    octets_in_rate::FEATURE,
    frames_out_burst::FEATURE,
    mean_size_out::FEATURE,
    mean_size_in::FEATURE,
    size_deviation::FEATURE,
    small_share::FEATURE,
    upload_ratio::FEATURE,
    tcp_share::FEATURE,
    udp_share::FEATURE,
    icmp_rate::FEATURE,
    icmp_share::FEATURE,
    syn_share::FEATURE,
    reset_out_share::FEATURE,
    resets_in_rate::FEATURE,
    asks_rate::FEATURE,
    asks_burst::FEATURE,
    asks_long_rate::FEATURE,
    refused_share::FEATURE,
    silent_share::FEATURE,
    failed_long_rate::FEATURE,
    targets::FEATURE,
    targets_long::FEATURE,
    ports::FEATURE,
    ports_long::FEATURE,
    new_peers_share::FEATURE,
    ports_per_target::FEATURE,
    asked_of_rate::FEATURE,
    sources::FEATURE,
    dns_rate::FEATURE,
    dns_share::FEATURE,
    no_such_name_share::FEATURE,
    no_such_name_long::FEATURE,
    name_length::FEATURE,
    logins_failed::FEATURE,
    frames_long_rate::FEATURE,
    arp_conflicts::FEATURE,
    name_entropy::FEATURE,
    gap_equality::FEATURE,
    half_open_share::FEATURE,
    failed_in_rate::FEATURE,
    unnamed_long_share::FEATURE,
    signs_long::FEATURE,
];

/// How many features a vector has.
pub const FEATURES: usize = 45;

/// The names of the features, in the order of the vector.
pub const SCHEMA: [&str; FEATURES] = {
    let mut names = [""; FEATURES];
    let mut n = 0;
    while n < FEATURES {
        names[n] = ALL[n].name;
        n += 1;
    }
    names
};

/// A host's features at one moment.
///
/// **Shape**: `FEATURES` finite floats in the order of `SCHEMA`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FeatureVector(pub [f32; FEATURES]);

impl FeatureVector {
    pub(crate) fn read(horizons: &Horizons) -> Self {
        Self(core::array::from_fn(|n| (ALL[n].read)(horizons)))
    }
}

/// A number that changes when a feature is added, removed, renamed or moved.
///
/// **Source**: FNV-1a, 64 bits, over the names with a zero octet after each.
#[must_use]
pub const fn schema_hash() -> u64 {
    let mut hash = FNV_BEGINS;
    let mut n = 0;
    while n < FEATURES {
        hash = fnv(fnv(hash, SCHEMA[n].as_bytes()), &[0]);
        n += 1;
    }
    hash
}

impl Counters {
    /// Standard deviation of the size of the frames sent, octets.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "a feature needs no more than a float"
    )]
    fn size_deviation(&self) -> f32 {
        let frames = self.get(Tally::FramesOut);
        if frames == 0.0 {
            return 0.0;
        }
        let mean = self.get(Tally::OctetsOut) / frames;
        libm::sqrtf((self.squares as f64 / f64::from(frames)) as f32 - mean * mean).max(0.0)
    }
}

/// The share of `part` in `part + rest`, `empty` where both are nothing.
fn ratio(part: f32, rest: f32, empty: f32) -> f32 {
    if part + rest > 0.0 { part / (part + rest) } else { empty }
}

/// `a` for each of `b`, 0 where there is no `b`.
fn ratio_of(a: f32, b: f32) -> f32 {
    if b > 0.0 { a / b } else { 0.0 }
}
