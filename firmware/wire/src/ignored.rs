//! The reasons for which a frame says nothing.

use core::fmt;

macro_rules! ignored {
    ($($(#[$doc:meta])* $variant:ident = $word:literal,)*) => {
        /// Why a frame was ignored. Each reason has its own counter.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Ignored {
            $($(#[$doc])* $variant,)*
        }

        impl Ignored {
            /// Every reason, in the order of [`Self::index`].
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word under which the reason is counted.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }
    };
}

ignored! {
    /// No octets at all.
    Empty = "empty",
    /// Shorter than an Ethernet header.
    EthernetCut = "ethernet_cut",
    /// Shorter than a Linux cooked header.
    CookedCut = "cooked_cut",
    /// The frame ends inside a VLAN tag.
    VlanCut = "vlan_cut",
    /// The frame ends inside an ARP packet.
    ArpCut = "arp_cut",
    /// ARP for something other than IPv4 over Ethernet.
    ArpUnknown = "arp_unknown",
    /// The frame ends inside an IPv4 header.
    Ipv4Cut = "ipv4_cut",
    /// Not version 4, or a header length below 20 octets.
    Ipv4Header = "ipv4_header",
    /// The packet claims to be shorter than its own header.
    Ipv4Length = "ipv4_length",
    /// The frame ends inside an IPv6 header.
    Ipv6Cut = "ipv6_cut",
    /// Not version 6.
    Ipv6Header = "ipv6_header",
    /// The packet claims to carry nothing, though a header must follow.
    Ipv6Length = "ipv6_length",
    /// More extension headers than are followed, or one that is longer than its packet.
    Ipv6Extensions = "ipv6_extensions",
}

impl Ignored {
    /// How many reasons there are.
    pub const COUNT: usize = Self::ALL.len();

    /// The place of the reason in a table of [`Self::COUNT`] counters.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Ignored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl core::error::Error for Ignored {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_stands_at_its_own_index() {
        assert_eq!(Ignored::COUNT, 13);
        for (place, reason) in Ignored::ALL.iter().enumerate() {
            assert_eq!(reason.index(), place, "{reason}");
        }
    }

    #[test]
    fn reasons_are_told_in_snake_case() {
        for reason in Ignored::ALL {
            assert!(reason.as_str().bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'));
        }
    }
}
