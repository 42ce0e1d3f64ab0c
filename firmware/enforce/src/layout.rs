//! The table's parts: its sets with what each holds, and the names of its counters.

use std::ffi::CStr;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use nftnl_sys::libc;
use policy::{BlockTarget, Family};
use terms::MacAddr;

/// The table that Picket owns, in the bridge family.
pub const TABLE: &str = "picket";
/// How many elements a set of blocks holds; the kernel refuses more.
pub const BLOCKS_A_SET: u32 = 65_536;
/// The named counters: what was dropped from the LAN side, and from the uplink side.
pub const COUNTERS: [&str; 2] = ["blocked_lan", "blocked_uplink"];

pub(crate) const TABLE_C: &CStr = c"picket";

/// Verdicts, as nftables numbers the type of what a map's keys stand for.
const VERDICT: u32 = 0xffff_ff00;

/// How many conversations of IPv4 are known at a time; a new one beyond that is denied, and counted.
pub const TALKS_V4: u32 = 65_536;
/// The same for IPv6.
pub const TALKS_V6: u32 = 32_768;
/// How many conversations one device may hold, of either IP, that itself began; as many again that others began with it. At that it
/// begins no new ones until some have ended.
pub const TALKS_A_DEVICE: u32 = 8_192;
/// The same for all devices together that the policy does not know by their hardware address.
pub const TALKS_OF_STRANGERS: u32 = 32_768;
/// How many devices' pace is known at a time.
const PACES: u32 = 65_536;
/// Of how many devices it is known how often they were refused.
const REFUSED: u32 = 4_096;
/// How many packets can be waiting for their later fragments.
const FRAGMENTS: u32 = 4_096;
/// How many rules can be alive: those of a policy, and the built-in ones.
const LIVE: u32 = 16_384 + 64;

/// Octets of a link's name with its zero octet.
pub(crate) const LINK_NAME: usize = 16;

/// A set of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Set {
    NeverMac,
    NeverV4,
    NeverV6,
    BlockedMac,
    BlockedMacV4,
    BlockedMacV6,
    BlockedV4,
    BlockedV6,
    BlockedAnyV4,
    BlockedAnyV6,
    /// The links whose frames are looked at, both as soon as anything is blocked.
    Armed,
    /// Conversations that are known, LAN end first, with the number of the rule that admitted each; filled by rules.
    TalkV4,
    TalkV6,
    /// Packets whose later fragments may follow; filled by rules.
    FragmentsV4,
    FragmentsV6,
    /// Devices that hold as many conversations as one may: hardware address, and the side that begins.
    AtCap,
    /// How fast devices begin conversations; filled by rules.
    Pace,
    /// Connections by device, where the kernel tracks them; filled by rules.
    Holds,
    /// How many new conversations a device was refused; filled by rules.
    Refused,
    /// The hardware addresses of the policy's devices.
    KnownMac,
    /// The numbers of the rules that are alive.
    Live,
    /// What a device was told: its hardware address, an address, the number of the rule with the name.
    NamedV4,
    NamedV6,
    /// The network's own servers.
    ServersV4,
    ServersV6,
    /// Addresses that are not of the internet.
    LocalV4,
    /// Devices that are cut off.
    ShutMac,
    ShutV4,
    ShutV6,
    /// Through which chain frames from a device go.
    FromMac,
    FromV4,
    FromV6,
    /// Through which chain frames to a device go.
    ToMac,
    ToV4,
    ToV6,
}

/// One field of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Mac,
    V4,
    V6,
    Protocol,
    Service,
    Mark,
    LinkName,
}

impl Field {
    /// Its type as nftables numbers it.
    const fn kind(self) -> u32 {
        match self {
            Self::V4 => 7,
            Self::V6 => 8,
            Self::Mac => 9,
            Self::Protocol => 12,
            Self::Service => 13,
            Self::Mark => 19,
            Self::LinkName => 41,
        }
    }

    /// Its octets, without padding.
    const fn len(self) -> usize {
        match self {
            Self::Protocol => 1,
            Self::Service => 2,
            Self::V4 | Self::Mark => 4,
            Self::Mac => 6,
            Self::V6 => 16,
            Self::LinkName => LINK_NAME,
        }
    }
}

impl Set {
    pub const ALL: [Self; 35] = [
        Self::NeverMac,
        Self::NeverV4,
        Self::NeverV6,
        Self::BlockedMac,
        Self::BlockedMacV4,
        Self::BlockedMacV6,
        Self::BlockedV4,
        Self::BlockedV6,
        Self::BlockedAnyV4,
        Self::BlockedAnyV6,
        Self::Armed,
        Self::TalkV4,
        Self::TalkV6,
        Self::FragmentsV4,
        Self::FragmentsV6,
        Self::AtCap,
        Self::Pace,
        Self::Holds,
        Self::Refused,
        Self::KnownMac,
        Self::Live,
        Self::NamedV4,
        Self::NamedV6,
        Self::ServersV4,
        Self::ServersV6,
        Self::LocalV4,
        Self::ShutMac,
        Self::ShutV4,
        Self::ShutV6,
        Self::FromMac,
        Self::FromV4,
        Self::FromV6,
        Self::ToMac,
        Self::ToV4,
        Self::ToV6,
    ];
    /// What follows from the policy alone.
    pub const OF_POLICY: [Self; 14] = [
        Self::Live,
        Self::KnownMac,
        Self::ServersV4,
        Self::ServersV6,
        Self::LocalV4,
        Self::ShutMac,
        Self::ShutV4,
        Self::ShutV6,
        Self::FromMac,
        Self::FromV4,
        Self::FromV6,
        Self::ToMac,
        Self::ToV4,
        Self::ToV6,
    ];
    /// The sets of what may never be blocked.
    pub const NEVER: [Self; 3] = [Self::NeverMac, Self::NeverV4, Self::NeverV6];
    /// The sets that hold blocks.
    pub const BLOCKED: [Self; 7] = [
        Self::BlockedMac,
        Self::BlockedMacV4,
        Self::BlockedMacV6,
        Self::BlockedV4,
        Self::BlockedV6,
        Self::BlockedAnyV4,
        Self::BlockedAnyV6,
    ];

    pub const fn name(self) -> &'static CStr {
        match self {
            Self::NeverMac => c"never_mac",
            Self::NeverV4 => c"never_v4",
            Self::NeverV6 => c"never_v6",
            Self::BlockedMac => c"blocked_mac",
            Self::BlockedMacV4 => c"blocked_mac_v4",
            Self::BlockedMacV6 => c"blocked_mac_v6",
            Self::BlockedV4 => c"blocked_v4",
            Self::BlockedV6 => c"blocked_v6",
            Self::BlockedAnyV4 => c"blocked_any_v4",
            Self::BlockedAnyV6 => c"blocked_any_v6",
            Self::Armed => c"armed",
            Self::TalkV4 => c"talk_v4",
            Self::TalkV6 => c"talk_v6",
            Self::FragmentsV4 => c"fragments",
            Self::FragmentsV6 => c"fragments_v6",
            Self::AtCap => c"at_cap",
            Self::Pace => c"pace",
            Self::Holds => c"holds",
            Self::Refused => c"refused",
            Self::KnownMac => c"known_mac",
            Self::Live => c"live",
            Self::NamedV4 => c"named_v4",
            Self::NamedV6 => c"named_v6",
            Self::ServersV4 => c"servers_v4",
            Self::ServersV6 => c"servers_v6",
            Self::LocalV4 => c"local_v4",
            Self::ShutMac => c"shut_mac",
            Self::ShutV4 => c"shut_v4",
            Self::ShutV6 => c"shut_v6",
            Self::FromMac => c"from_mac",
            Self::FromV4 => c"from_v4",
            Self::FromV6 => c"from_v6",
            Self::ToMac => c"to_mac",
            Self::ToV4 => c"to_v4",
            Self::ToV6 => c"to_v6",
        }
    }

    /// The name as text.
    pub fn text(self) -> &'static str {
        self.name().to_str().unwrap_or_default()
    }

    /// The number by which rules of the same transaction may refer to it.
    pub const fn id(self) -> u32 {
        self as u32 + 1
    }

    /// Whether elements come with a time to live.
    pub const fn is_timed(self) -> bool {
        self.flags() & libc::NFT_SET_TIMEOUT.unsigned_abs() != 0
    }

    /// The set's flags as nftables numbers them.
    pub const fn flags(self) -> u32 {
        const TIMED: u32 = libc::NFT_SET_TIMEOUT.unsigned_abs();
        const BY_RULES: u32 = TIMED | libc::NFT_SET_EVAL.unsigned_abs();
        const MAP: u32 = libc::NFT_SET_MAP.unsigned_abs();
        match self {
            Self::NeverMac | Self::NeverV4 | Self::NeverV6 | Self::Armed => 0,
            Self::KnownMac | Self::ServersV4 | Self::ServersV6 | Self::ShutMac | Self::ShutV4 | Self::ShutV6 => 0,
            Self::TalkV4 | Self::TalkV6 => BY_RULES | MAP,
            Self::FragmentsV4 | Self::FragmentsV6 | Self::Pace | Self::Refused => BY_RULES,
            // An element goes when its last connection is over.
            Self::Holds => libc::NFT_SET_EVAL.unsigned_abs(),
            Self::LocalV4 => libc::NFT_SET_INTERVAL.unsigned_abs(),
            Self::FromMac | Self::FromV4 | Self::FromV6 | Self::ToMac | Self::ToV4 | Self::ToV6 => MAP,
            _ => TIMED,
        }
    }

    /// How many elements it holds; nothing where the kernel may choose.
    pub const fn size(self) -> Option<u32> {
        match self {
            Self::TalkV4 => Some(TALKS_V4),
            Self::TalkV6 => Some(TALKS_V6),
            Self::FragmentsV4 | Self::FragmentsV6 => Some(FRAGMENTS),
            Self::Pace | Self::Holds => Some(PACES),
            Self::Refused => Some(REFUSED),
            Self::Live => Some(LIVE),
            timed if timed.is_timed() => Some(BLOCKS_A_SET),
            _ => None,
        }
    }

    /// Of a map the type and length of what keys stand for.
    pub const fn data(self) -> Option<(u32, u32)> {
        match self {
            // The rule's number, the hardware address of the LAN end, the side that began.
            Self::TalkV4 | Self::TalkV6 => {
                Some((Field::Mark.kind() << 12 | Field::Mac.kind() << 6 | Field::Mark.kind(), 16))
            }
            Self::FromMac | Self::FromV4 | Self::FromV6 | Self::ToMac | Self::ToV4 | Self::ToV6 => Some((VERDICT, 16)),
            _ => None,
        }
    }

    /// The fields of the key, first to last.
    const fn fields(self) -> &'static [Field] {
        use Field::{LinkName, Mac, Mark, Protocol, Service, V4, V6};
        match self {
            Self::NeverMac | Self::BlockedMac | Self::ShutMac | Self::FromMac | Self::ToMac | Self::KnownMac => &[Mac],
            Self::AtCap | Self::Pace | Self::Holds | Self::Refused => &[Mac, Mark],
            Self::NeverV4 | Self::BlockedV4 | Self::BlockedAnyV4 | Self::ServersV4 | Self::LocalV4 => &[V4],
            Self::ShutV4 | Self::FromV4 | Self::ToV4 => &[V4],
            Self::NeverV6 | Self::BlockedV6 | Self::BlockedAnyV6 | Self::ServersV6 => &[V6],
            Self::ShutV6 | Self::FromV6 | Self::ToV6 => &[V6],
            Self::BlockedMacV4 => &[Mac, V4],
            Self::BlockedMacV6 => &[Mac, V6],
            Self::Armed => &[LinkName],
            Self::Live => &[Mark],
            Self::TalkV4 => &[V4, Protocol, Service, V4, Service],
            Self::TalkV6 => &[V6, Protocol, Service, V6, Service],
            Self::FragmentsV4 => &[V4, V4, Service],
            // The identification has the four octets of a mark.
            Self::FragmentsV6 => &[V6, V6, Mark],
            Self::NamedV4 => &[Mac, V4, Mark],
            Self::NamedV6 => &[Mac, V6, Mark],
        }
    }

    /// The key's type as nftables numbers it: six bits a field.
    pub fn key_type(self) -> u32 {
        self.fields().iter().fold(0, |all, field| all << 6 | field.kind())
    }

    /// The key's length in octets: of several fields each is padded to four.
    pub fn key_len(self) -> usize {
        match self.fields() {
            [one] => one.len(),
            several => several.iter().map(|field| field.len().next_multiple_of(4)).sum(),
        }
    }

    /// The kind of packet whose addresses the key holds; nothing if it holds none.
    pub fn family(self) -> Option<Family> {
        self.fields().iter().find_map(|field| match field {
            Field::V4 => Some(Family::V4),
            Field::V6 => Some(Family::V6),
            _ => None,
        })
    }

    /// The sets whose members this set's blocks never cut.
    pub const fn exempt(self) -> &'static [Self] {
        match self {
            Self::BlockedMac => &[Self::NeverMac],
            Self::BlockedMacV4 => &[Self::NeverMac, Self::NeverV4],
            Self::BlockedMacV6 => &[Self::NeverMac, Self::NeverV6],
            Self::BlockedV4 | Self::BlockedAnyV4 => &[Self::NeverV4],
            Self::BlockedV6 | Self::BlockedAnyV6 => &[Self::NeverV6],
            _ => &[],
        }
    }

    /// An element's key in words, for an error.
    pub fn element(self, key: &[u8]) -> String {
        if self == Self::Armed {
            return String::from_utf8_lossy(key).trim_end_matches('\0').to_owned();
        }
        match (self.target(key), ip(key)) {
            (Some(target), _) => target.to_string(),
            (None, Some(address)) => address.to_string(),
            (None, None) => mac(key).map_or_else(|| format!("of {} octets", key.len()), |m| m.to_string()),
        }
    }

    /// What a block's key stands for; nothing if the set holds no blocks or the key is not one of its own.
    pub fn target(self, key: &[u8]) -> Option<BlockTarget> {
        if key.len() != self.key_len() {
            return None;
        }
        match self {
            Self::BlockedMac => mac(key).map(BlockTarget::Mac),
            Self::BlockedV4 | Self::BlockedV6 => ip(key).map(BlockTarget::Address),
            Self::BlockedAnyV4 | Self::BlockedAnyV6 => ip(key).map(BlockTarget::Anywhere),
            Self::BlockedMacV4 | Self::BlockedMacV6 => {
                let (hardware, address) = key.split_at_checked(8)?;
                Some(BlockTarget::MacAndAddress(mac(hardware.get(..6)?)?, ip(address)?))
            }
            _ => None,
        }
    }
}

fn mac(octets: &[u8]) -> Option<MacAddr> {
    <[u8; 6]>::try_from(octets).ok().map(MacAddr::new)
}

fn ip(octets: &[u8]) -> Option<IpAddr> {
    match octets.len() {
        4 => <[u8; 4]>::try_from(octets).ok().map(|o| Ipv4Addr::from(o).into()),
        16 => <[u8; 16]>::try_from(octets).ok().map(|o| Ipv6Addr::from(o).into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Key;
    use policy::NeverBlock;

    fn targets() -> Vec<BlockTarget> {
        let mac = MacAddr::new([2, 0x5a, 0x10, 0, 0, 1]);
        let (four, six) = ("192.168.7.9".parse().unwrap(), "fd00::7:9".parse().unwrap());
        vec![
            BlockTarget::Mac(mac),
            BlockTarget::Address(four),
            BlockTarget::Address(six),
            BlockTarget::Anywhere(four),
            BlockTarget::Anywhere(six),
            BlockTarget::MacAndAddress(mac, four),
            BlockTarget::MacAndAddress(mac, six),
        ]
    }

    #[test]
    fn a_target_reads_back_from_the_key_of_its_own_set_only() {
        for target in targets() {
            let (set, key) = Key::of_block(target);
            assert_eq!(key.octets().len(), set.key_len(), "{target}");
            for other in Set::ALL {
                // Two sets may have keys of one form, which then stand for two targets.
                let read = other.target(key.octets());
                assert_eq!(read == Some(target), other == set, "{target} in {}: {read:?}", other.text());
            }
        }
    }

    #[test]
    fn a_hardware_address_is_padded_before_the_next_field() {
        let (_, key) = Key::of_block(targets()[5]);
        assert_eq!(key.octets(), [2, 0x5a, 0x10, 0, 0, 1, 0, 0, 192, 168, 7, 9]);
    }

    #[test]
    fn what_no_block_may_cut_goes_into_a_set_without_an_end() {
        for never in [
            NeverBlock::Mac(MacAddr::BROADCAST),
            NeverBlock::Address("10.0.0.1".parse().unwrap()),
            NeverBlock::Address("fe80::1".parse().unwrap()),
        ] {
            let (set, key) = Key::of_never(never);
            assert!(!set.is_timed());
            assert_eq!(set.element(key.octets()), never.to_string());
        }
    }
}
