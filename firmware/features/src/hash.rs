//! The keyed hash by which every table finds its rows.
//!
//! An attacker on the LAN chooses addresses and ports; without the key it cannot choose where they land. 64 bits serve as the
//! row's identity: among 2^16 rows two differ in 31 of 32 billion cases.
//!
//! **Source**: folded 64 x 64 -> 128 bit multiplication, as in wyhash (public domain idea; own lines).

use terms::{HostKey, MacAddr};

/// A secret drawn at start; replay uses `HashKey::FIXED` so that two runs agree to the last bit.
#[derive(Clone, Copy, Debug)]
pub struct HashKey(u64, u64);

/// The identity of a row in a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowId(pub(crate) u64);

impl RowId {
    /// Half of it, for small sets in which two alike do no harm.
    #[allow(clippy::cast_possible_truncation, reason = "half is what is asked for")]
    pub(crate) fn short(self) -> u32 {
        self.0 as u32
    }
}

impl HashKey {
    /// The key of replays and tests.
    pub const FIXED: Self = Self(0x9e37_79b9_7f4a_7c15, 0xd1b5_4a32_d192_ed03);

    /// A key from random bits.
    #[must_use]
    pub const fn new(a: u64, b: u64) -> Self {
        Self(a | 1, b | 1)
    }

    #[inline]
    fn mix(self, a: u64, b: u64) -> u64 {
        let product = u128::from(a ^ self.0).wrapping_mul(u128::from(b ^ self.1));
        #[allow(clippy::cast_possible_truncation, reason = "folding keeps both halves")]
        {
            (product as u64) ^ ((product >> 64) as u64)
        }
    }

    #[inline]
    pub(crate) fn host(self, host: HostKey) -> RowId {
        let (a, b, kind) = lanes(host);
        RowId(self.mix(self.mix(a, b), kind))
    }

    #[inline]
    pub(crate) fn mac(self, mac: MacAddr) -> RowId {
        self.host(HostKey::Mac(mac))
    }

    /// Two rows and a tag, in this order.
    #[inline]
    pub(crate) fn pair(self, a: RowId, b: RowId, tag: u64) -> RowId {
        RowId(self.mix(self.mix(a.0, b.0.rotate_left(23)), tag))
    }

    /// The first 64 bits that tell octets apart.
    #[inline]
    pub(crate) fn octets(self, octets: &[u8]) -> u64 {
        let mut state = octets.len() as u64;
        for chunk in octets.chunks(8) {
            let mut lane = [0; 8];
            lane[..chunk.len()].copy_from_slice(chunk);
            state = self.mix(state, u64::from_le_bytes(lane));
        }
        state
    }
}

#[inline]
fn lanes(host: HostKey) -> (u64, u64, u64) {
    match host {
        HostKey::V4(a) => (u64::from(a.to_bits()), 0, 4),
        HostKey::V6(a) => {
            let bits = a.to_bits();
            #[allow(clippy::cast_possible_truncation, reason = "both halves are used")]
            (bits as u64, (bits >> 64) as u64, 6)
        }
        HostKey::Mac(mac) => {
            let [a, b, c, d, e, f] = mac.octets();
            (u64::from_le_bytes([a, b, c, d, e, f, 0, 0]), 0, 2)
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn neighbouring_addresses_and_other_kinds_have_other_rows() {
        let key = HashKey::FIXED;
        let mut seen = BTreeSet::new();
        for n in 0..100_000_u32 {
            assert!(seen.insert(key.host(HostKey::V4(core::net::Ipv4Addr::from_bits(n))).0));
            assert!(seen.insert(key.host(HostKey::V6(core::net::Ipv6Addr::from_bits(u128::from(n)))).0));
        }
    }

    #[test]
    fn another_key_gives_another_place() {
        let host = HostKey::V4(core::net::Ipv4Addr::new(10, 0, 0, 1));
        assert_ne!(HashKey::new(3, 5).host(host), HashKey::FIXED.host(host));
    }
}
