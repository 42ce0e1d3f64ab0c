//! Indicators: addresses, networks, names and TLS clients that somebody put on a list, for hosts to be looked for that have to do with them.
//!
//! **Bounds**: [`LISTS`] lists; what they hold is for whoever makes them to bound. A list is made once and searched by halves; a name
//! is told by 64 keyed bits of it.

extern crate alloc;
use alloc::boxed::Box;
use alloc::sync::Arc;
use core::net::IpAddr;

use heapless::Vec;
use terms::{HostKey, ThreatLevel, Timestamp};
use wire::ja4::Ja4;

use crate::hash::HashKey;

/// Lists that are in force at a time.
pub const LISTS: usize = 16;
/// The longest name, in octets. **Source**: RFC 1035, section 2.3.4.
const LONGEST: usize = 253;

/// One list.
#[derive(Clone, Debug)]
pub struct List {
    mark: Mark,
    until: Timestamp,
    v4: Ranges<u32>,
    v6: Ranges<u128>,
    names: Box<[u64]>,
    clients: Box<[Ja4]>,
    key: HashKey,
}

/// What is told of an indicator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The list's number.
    pub list: u16,
    /// What it holds against who has to do with what it lists.
    pub level: ThreatLevel,
}

/// The lists in force.
#[derive(Clone, Debug, Default)]
pub struct Indicators(Vec<Arc<List>, LISTS>);

/// First and last addresses of networks, in order and none within another.
type Ranges<T> = Box<[(T, T)]>;

impl List {
    /// A list of these networks (an address and how many of its bits count) and names (each for itself and all below it), which holds
    /// until a moment.
    #[must_use]
    pub fn new<'n>(
        mark: Mark,
        until: Timestamp,
        key: HashKey,
        networks: impl Iterator<Item = (IpAddr, u8)>,
        names: impl Iterator<Item = &'n str>,
    ) -> Self {
        let (mut v4, mut v6) = (alloc::vec::Vec::new(), alloc::vec::Vec::new());
        for (address, bits) in networks {
            match address {
                IpAddr::V4(address) => {
                    let rest = u32::MAX.checked_shr(bits.into()).unwrap_or(0);
                    v4.push((address.to_bits() & !rest, address.to_bits() | rest));
                }
                IpAddr::V6(address) => {
                    let rest = u128::MAX.checked_shr(bits.into()).unwrap_or(0);
                    v6.push((address.to_bits() & !rest, address.to_bits() | rest));
                }
            }
        }
        let mut names: alloc::vec::Vec<u64> =
            names.filter_map(|name| Some(key.octets(&lower(name.as_bytes())?))).collect();
        names.sort_unstable();
        names.dedup();
        Self { mark, until, v4: outermost(v4), v6: outermost(v6), names: names.into(), clients: Box::default(), key }
    }

    /// The same list with these TLS clients.
    #[must_use]
    pub fn with_clients(mut self, clients: impl Iterator<Item = Ja4>) -> Self {
        let mut clients: alloc::vec::Vec<Ja4> = clients.collect();
        clients.sort_unstable();
        clients.dedup();
        self.clients = clients.into();
        self
    }

    fn holds_address(&self, host: HostKey) -> bool {
        match host {
            HostKey::V4(address) => is_within(&self.v4, address.to_bits()),
            HostKey::V6(address) => is_within(&self.v6, address.to_bits()),
            HostKey::Mac(_) => false,
        }
    }

    /// Whether a name in lower case, or one that it lies under, is listed; a last label alone never is.
    fn holds_name(&self, name: &[u8]) -> bool {
        let mut rest = name;
        while let Some(dot) = rest.iter().position(|octet| *octet == b'.') {
            if self.names.binary_search(&self.key.octets(rest)).is_ok() {
                return true;
            }
            rest = rest.get(dot + 1..).unwrap_or_default();
        }
        false
    }
}

impl Indicators {
    /// These lists; those that are too many are left out.
    #[must_use]
    pub fn new(lists: impl Iterator<Item = Arc<List>>) -> Self {
        Self(lists.take(LISTS).collect())
    }

    /// Whether there is any list.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The worst list that holds an address now.
    #[must_use]
    pub fn of_address(&self, host: HostKey, at: Timestamp) -> Option<Mark> {
        self.worst(at, |list| list.holds_address(host))
    }

    /// The worst list that holds a name now, or one that it lies under.
    ///
    /// **Bounds**: a longer name than DNS has is none.
    #[must_use]
    pub fn of_name(&self, name: &[u8], at: Timestamp) -> Option<Mark> {
        let name = lower(name)?;
        self.worst(at, |list| !list.names.is_empty() && list.holds_name(&name))
    }

    /// The worst list that holds a TLS client now.
    #[must_use]
    pub fn of_client(&self, client: &Ja4, at: Timestamp) -> Option<Mark> {
        self.worst(at, |list| list.clients.binary_search(client).is_ok())
    }

    fn worst(&self, at: Timestamp, holds: impl Fn(&List) -> bool) -> Option<Mark> {
        let found = self.0.iter().filter(|list| at < list.until && holds(list)).map(|list| list.mark);
        found.max_by_key(|mark| mark.level)
    }
}

/// A name in lower case, without a dot at its end.
fn lower(name: &[u8]) -> Option<Vec<u8, LONGEST>> {
    let mut lower = Vec::from_slice(name.strip_suffix(b".").unwrap_or(name)).ok()?;
    lower.make_ascii_lowercase();
    Some(lower)
}

/// Networks lie within each other or apart: those within others add nothing.
fn outermost<T: Copy + Ord>(mut all: alloc::vec::Vec<(T, T)>) -> Ranges<T> {
    all.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)));
    all.dedup_by(|next, kept| next.1 <= kept.1);
    all.into()
}

fn is_within<T: Copy + Ord>(ranges: &Ranges<T>, address: T) -> bool {
    let after = ranges.partition_point(|(first, _)| *first <= address);
    after.checked_sub(1).and_then(|n| ranges.get(n)).is_some_and(|(_, last)| address <= *last)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_secs(1_700_000_000);

    fn list(number: u16, level: ThreatLevel, until: Timestamp, networks: &[(&str, u8)], names: &[&str]) -> Arc<List> {
        let networks = networks.iter().map(|(address, bits)| (address.parse().unwrap(), *bits));
        let mark = Mark { list: number, level };
        Arc::new(List::new(mark, until, HashKey::FIXED, networks, names.iter().copied()))
    }

    fn later(secs: u64) -> Timestamp {
        Timestamp::from_secs(NOON.secs() + secs)
    }

    #[test]
    fn an_address_is_found_in_its_network_and_not_beside_it() {
        let networks =
            [("198.51.100.7", 32), ("203.0.112.0", 23), ("203.0.113.9", 32), ("2001:db8:5::", 48), ("9.0.0.0", 8)];
        let lists = Indicators::new([list(3, ThreatLevel::Medium, later(1), &networks, &[])].into_iter());
        let listed = |text: &str| lists.of_address(text.parse().unwrap(), NOON).map(|mark| mark.list);
        for text in
            ["198.51.100.7", "203.0.112.0", "203.0.113.9", "203.0.113.255", "2001:db8:5:ffff::1", "9.255.255.255"]
        {
            assert_eq!(listed(text), Some(3), "{text}");
        }
        for text in [
            "198.51.100.6",
            "198.51.100.8",
            "203.0.111.255",
            "203.0.114.0",
            "2001:db8:6::",
            "10.0.0.0",
            "8.255.255.255",
        ] {
            assert_eq!(listed(text), None, "{text}");
        }
        assert_eq!(listed("02:00:00:00:00:01"), None);
        let all =
            Indicators::new([list(1, ThreatLevel::Medium, later(1), &[("0.0.0.0", 0), ("::", 0)], &[])].into_iter());
        for text in ["0.0.0.0", "255.255.255.255", "::", "ffff::1"] {
            assert!(all.of_address(text.parse().unwrap(), NOON).is_some(), "{text}");
        }
    }

    #[test]
    fn a_name_is_found_with_all_below_it() {
        let names = ["bad.example.org", "Worse.Example."];
        let lists = Indicators::new([list(1, ThreatLevel::Medium, later(1), &[], &names)].into_iter());
        let listed = |name: &str| lists.of_name(name.as_bytes(), NOON).is_some();
        for name in ["bad.example.org", "a.b.BAD.example.org", "bad.example.org.", "worse.example"] {
            assert!(listed(name), "{name}");
        }
        for name in ["", ".", "org", "example.org", "notbad.example.org", "bad.example.org.example.net", "bad"] {
            assert!(!listed(name), "{name}");
        }
        assert!(!listed(&alloc::format!("{}.bad.example.org", "a.".repeat(130))));
    }

    #[test]
    fn a_tls_client_is_found_as_it_is_and_while_its_list_holds() {
        let client = |text: &str| Ja4::parse(text).unwrap();
        let [one, other] = ["t13d1516h2_8daaf6152771_e5627efa2ab1", "t12i0101h1_8daaf6152771_e5627efa2ab1"].map(client);
        let mark = Mark { list: 4, level: ThreatLevel::High };
        let list = List::new(mark, later(1), HashKey::FIXED, [].into_iter(), [].into_iter());
        let lists = Indicators::new([Arc::new(list.with_clients([one, one].into_iter()))].into_iter());
        assert_eq!(lists.of_client(&one, NOON), Some(mark));
        assert_eq!([lists.of_client(&other, NOON), lists.of_client(&one, later(1))], [None, None]);
    }

    #[test]
    fn of_several_lists_the_worst_that_holds_still_counts() {
        let address = [("198.51.100.7", 32)];
        let lists = Indicators::new(
            [
                list(1, ThreatLevel::Medium, later(20), &address, &[]),
                list(2, ThreatLevel::High, later(10), &address, &[]),
            ]
            .into_iter(),
        );
        let host = "198.51.100.7".parse().unwrap();
        let found = |secs| lists.of_address(host, later(secs)).map(|mark| mark.list);
        assert_eq!([found(0), found(9), found(10), found(19), found(20)], [Some(2), Some(2), Some(1), Some(1), None]);
        assert!(Indicators::default().is_empty() && Indicators::default().of_address(host, NOON).is_none());
    }

    #[test]
    fn a_full_list_is_searched_by_halves() {
        let networks = (0..65_536_u32).map(|n| (IpAddr::from((n << 10).to_be_bytes()), 30));
        let mark = Mark { list: 1, level: ThreatLevel::High };
        let lists = Indicators::new(
            [Arc::new(List::new(mark, later(1), HashKey::FIXED, networks, [].into_iter()))].into_iter(),
        );
        for n in (0..65_536_u32).step_by(511) {
            let of = |bits: u32| lists.of_address(HostKey::from(IpAddr::from(bits.to_be_bytes())), NOON).is_some();
            assert!(of(n << 10) && of((n << 10) + 3) && !of((n << 10) + 4), "{n}");
        }
    }
}
