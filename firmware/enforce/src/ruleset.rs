//! A ruleset to what table `bridge picket` must hold for it, as plain values.
//!
//! ```text
//! forward, input           accept by default; by the link a frame came in, go to
//!   blocked_from_lan       count and drop if its source is blocked by hardware address, by both, or by address on either side
//!   blocked_from_uplink    count and drop if its source is blocked by address there, or on either side
//! ```
//! What may never be blocked stands in each dropping rule itself, before the drop: a hardware address exempts from what matches
//! hardware addresses, an address from what matches addresses, either of them from what matches both. So the router is never cut
//! by whatever matches it, a blocked device that forges the router's address stays blocked, and a frame that nothing matches pays
//! for no look into the never-block sets. On the uplink side each frame carries the router's hardware address, so that only
//! addresses count there.
//!
//! The set `armed` holds both links as soon as one block stands: a transaction that blocks puts them in. A network in which nobody is
//! blocked, which is nearly every one, pays for one look.
//!
//! Where a policy holds for somebody, `forward` goes through two more chains instead:
//!
//! ```text
//! from_lan                 blocked? cut off? known? then by the source to the chain of its device, or to `newcomers`
//! from_uplink              blocked? cut off? known? then by the destination to `inbound`, or on
//! begin_...                a packet that begins a conversation: is there room (`room_...`)? then it is known
//! admitted                 its later fragments may follow, and it passes
//! ```
//! **Bounds**: the kernel looks for addresses through one VLAN tag; behind two, and in ARP, only hardware addresses count.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::CStr;
use std::net::{IpAddr, Ipv4Addr};

use policy::{Begins, INBOUND, Lines, NEWCOMERS, Name, Names, Plan, RuleNumber, Ruleset};
use terms::{Span, Timestamp};

use crate::error::EnforceError;
use crate::key::Key;
use crate::layout::{COUNTERS, LINK_NAME, Set};
use crate::lines::{self, name};
use crate::message::Special;
use crate::part::{End, Is, Part, Register, SCRATCH, is_family};
use crate::room;
use crate::{talk, tracked};

/// The two chains at the bridge's hooks.
pub(crate) const FORWARD: &str = "forward";
pub(crate) const INPUT: &str = "input";
const FROM_LAN: &str = "from_lan";
const FROM_UPLINK: &str = "from_uplink";
const BLOCKED_FROM_LAN: &str = "blocked_from_lan";
const BLOCKED_FROM_UPLINK: &str = "blocked_from_uplink";
const BLOCKED_LAN: &CStr = c"blocked_lan";
const BLOCKED_UPLINK: &CStr = c"blocked_uplink";
/// Addresses that are not of the internet, as the first and the last. **Source**: as `HostKey::is_global`.
const LOCAL: [([u8; 4], [u8; 4]); 8] = [
    ([0, 0, 0, 0], [0, 255, 255, 255]),
    ([10, 0, 0, 0], [10, 255, 255, 255]),
    ([100, 64, 0, 0], [100, 127, 255, 255]),
    ([127, 0, 0, 0], [127, 255, 255, 255]),
    ([169, 254, 0, 0], [169, 254, 255, 255]),
    ([172, 16, 0, 0], [172, 31, 255, 255]),
    ([192, 168, 0, 0], [192, 168, 255, 255]),
    ([224, 0, 0, 0], [255, 255, 255, 255]),
];

/// Who knows which conversations are under way, so that replies pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tracking {
    /// Picket's own map, which rules fill: every kernel has that.
    #[default]
    Map,
    /// The kernel's connection tracking in the bridge.
    Kernel,
}

/// What the table must hold besides what is learned.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub links: Links,
    /// Those of every ruleset.
    pub counters: Vec<&'static str>,
    /// Those of the policy.
    pub of_policy: Names,
    pub chains: BTreeMap<Name, Content>,
    /// The elements of sets that only the ruleset fills.
    pub filled: BTreeMap<Set, Vec<Special>>,
    /// The rules that are alive, and when each ends by itself.
    pub live: BTreeMap<RuleNumber, Option<Timestamp>>,
}

/// What a chain consists of.
#[derive(Debug)]
pub(crate) enum Content {
    Rules(Vec<Vec<Part>>),
    Lines(Lines),
}

/// The two links of a ruleset, as elements of the set of armed ones.
pub(crate) type Links = [(Key, Option<Span>); 2];

impl Wanted {
    /// What a ruleset makes of the table.
    ///
    /// # Errors
    /// `LinkName` if one of the links cannot exist.
    pub fn of(ruleset: &Ruleset, tracking: Tracking) -> Result<Self, EnforceError> {
        let of_room = room::COUNTERS.iter().filter(|_| ruleset.plan.is_some()).filter_map(|name| name.to_str().ok());
        Ok(Self {
            links: [(Key::of_link(&link(&ruleset.lan)?), None), (Key::of_link(&link(&ruleset.uplink)?), None)],
            counters: COUNTERS.into_iter().chain(of_room).collect(),
            of_policy: ruleset.plan.as_ref().map(|plan| plan.counters.clone()).unwrap_or_default(),
            chains: chains(ruleset, tracking)?,
            filled: filled(ruleset),
            live: ruleset.plan.as_ref().map(|plan| plan.live.clone()).unwrap_or_default(),
        })
    }
}

impl Tracking {
    /// The rules by which packets of known conversations pass in a chain for one direction.
    fn known(self, from: Begins) -> Vec<Vec<Part>> {
        match self {
            Self::Map => talk::known(from),
            Self::Kernel => tracked::known(),
        }
    }

    /// The chains in which conversations become known.
    fn beginnings(self) -> Vec<(&'static str, Vec<Vec<Part>>)> {
        match self {
            Self::Map => talk::beginnings(),
            Self::Kernel => tracked::beginnings(),
        }
    }
}

impl Content {
    pub fn rules(&self) -> Cow<'_, [Vec<Part>]> {
        match self {
            Self::Rules(rules) => rules.into(),
            Self::Lines(lines) => lines.iter().flat_map(lines::rules).collect(),
        }
    }
}

/// The chains of a ruleset with their rules.
fn chains(ruleset: &Ruleset, tracking: Tracking) -> Result<BTreeMap<Name, Content>, EnforceError> {
    let (lan, uplink) = (link(&ruleset.lan)?, link(&ruleset.uplink)?);
    let to_blocked = [unless_armed(), came_in(&lan, BLOCKED_FROM_LAN), came_in(&uplink, BLOCKED_FROM_UPLINK)];
    let mut all = BTreeMap::new();
    let mut put = |chain: &str, rules| {
        all.insert(chain.into(), Content::Rules(rules));
    };
    put(INPUT, to_blocked.to_vec());
    put(BLOCKED_FROM_LAN, blocked_from_lan());
    put(BLOCKED_FROM_UPLINK, blocked_from_uplink());
    let Some(plan) = &ruleset.plan else {
        put(FORWARD, to_blocked.to_vec());
        return Ok(all);
    };
    put(FORWARD, vec![came_in(&lan, FROM_LAN), came_in(&uplink, FROM_UPLINK)]);
    put(FROM_LAN, from_lan(plan, tracking));
    put(FROM_UPLINK, from_uplink(plan, tracking));
    tracking.beginnings().into_iter().for_each(|(chain, rules)| put(chain, rules));
    all.extend(plan.chains.iter().map(|(chain, lines)| (chain.clone(), Content::Lines(lines.clone()))));
    Ok(all)
}

fn from_lan(plan: &Plan, tracking: Tracking) -> Vec<Vec<Part>> {
    let mut rules = vec![if_armed(BLOCKED_FROM_LAN)];
    rules.extend(shut(plan, End::Source));
    rules.extend(tracking.known(Begins::Lan));
    rules.extend(ways([Set::FromMac, Set::FromV4, Set::FromV6], End::Source));
    rules.extend(plan.holds_newcomers.then(|| vec![Part::Goto(name(NEWCOMERS))]));
    rules
}

fn from_uplink(plan: &Plan, tracking: Tracking) -> Vec<Vec<Part>> {
    let mut rules = vec![if_armed(BLOCKED_FROM_UPLINK)];
    rules.extend(shut(plan, End::Destination));
    rules.extend(tracking.known(Begins::Uplink));
    rules.extend(ways([Set::ToMac, Set::ToV4, Set::ToV6], End::Destination));
    rules.extend(plan.holds_newcomers.then(|| vec![Part::Goto(name(INBOUND))]));
    rules
}

/// What is cut off, before anything known passes.
fn shut(plan: &Plan, end: End) -> Vec<Vec<Part>> {
    let counter = name(policy::DENIED[usize::from(end == End::Destination)]);
    let cut = |set: Set| {
        [is_kind(set), vec![end.key(set), Part::In(set, SCRATCH), Part::Count(counter.clone()), Part::Drop]].concat()
    };
    let macs = (!plan.shut.is_empty()).then_some(Set::ShutMac);
    let addresses = if plan.shut_addresses.is_empty() { vec![] } else { vec![Set::ShutV4, Set::ShutV6] };
    macs.into_iter().chain(addresses).map(cut).collect()
}

/// Frames go the way of their end, where it is known.
fn ways(maps: [Set; 3], end: End) -> Vec<Vec<Part>> {
    maps.map(|map| [is_kind(map), vec![end.key(map), Part::Ways(map, SCRATCH)]].concat()).to_vec()
}

/// The elements of every set that only the ruleset fills, in order.
fn filled(ruleset: &Ruleset) -> BTreeMap<Set, Vec<Special>> {
    let none = Plan::default();
    let plan = ruleset.plan.as_ref().unwrap_or(&none);
    let sets = Set::NEVER.into_iter().chain(Set::OF_POLICY).filter(|set| !set.is_timed());
    let mut all: BTreeMap<Set, Vec<Special>> = sets.map(|set| (set, Vec::new())).collect();
    let mut put = |set: Set, element: Special| all.entry(set).or_default().push(element);
    for (first, last) in LOCAL {
        put(Set::LocalV4, Special::First(v4_key(first.into())));
        if let Some(past) = u32::from_be_bytes(last).checked_add(1) {
            put(Set::LocalV4, Special::Past(v4_key(past.into())));
        }
    }
    let address = |v4, v6| move |address: &IpAddr| Key::of_address(*address, v4, v6);
    let never = ruleset.never_block.iter().map(|never| Key::of_never(*never)).collect::<BTreeSet<_>>();
    let shut = plan.shut.iter().map(|mac| (Set::ShutMac, Key::of_mac(*mac)));
    let shut = shut.chain(plan.shut_addresses.iter().map(address(Set::ShutV4, Set::ShutV6)));
    let known = plan.from_mac.keys().map(|mac| (Set::KnownMac, Key::of_mac(*mac)));
    let servers = plan.servers.iter().map(address(Set::ServersV4, Set::ServersV6));
    for (set, key) in never.into_iter().chain(shut).chain(known).chain(servers) {
        put(set, Special::Plain(key));
    }
    let inbound = Name::from(INBOUND);
    let macs = plan.from_mac.iter().map(|(mac, chain)| (Set::FromMac, Set::ToMac, Key::of_mac(*mac), chain));
    let addresses = plan.from_address.iter().map(|(address, chain)| {
        let (from, key) = Key::of_address(*address, Set::FromV4, Set::FromV6);
        (from, if from == Set::FromV4 { Set::ToV4 } else { Set::ToV6 }, key, chain)
    });
    for (from, to, key, chain) in macs.chain(addresses) {
        put(from, Special::Way(key, chain.clone()));
        put(to, Special::Way(key, chain.as_ref().map(|_| inbound.clone())));
    }
    all
}

fn v4_key(address: Ipv4Addr) -> Key {
    Key::of_address(address.into(), Set::LocalV4, Set::LocalV4).1
}

fn blocked_from_lan() -> Vec<Vec<Part>> {
    use Set::{BlockedAnyV4, BlockedAnyV6, BlockedMac, BlockedMacV4, BlockedMacV6};
    [BlockedMac, BlockedMacV4, BlockedMacV6, BlockedAnyV4, BlockedAnyV6]
        .map(|set| drop_blocked(set, BLOCKED_LAN))
        .to_vec()
}

fn blocked_from_uplink() -> Vec<Vec<Part>> {
    let sets = [Set::BlockedV4, Set::BlockedV6, Set::BlockedAnyV4, Set::BlockedAnyV6];
    sets.map(|set| drop_blocked(set, BLOCKED_UPLINK)).to_vec()
}

/// A frame whose source is in the set is counted and dropped, unless it may never be.
fn drop_blocked(set: Set, counter: &'static CStr) -> Vec<Part> {
    let key = match (set, set.family()) {
        (Set::BlockedMacV4 | Set::BlockedMacV6, Some(family)) => {
            vec![End::Source.mac(Register(0)), End::Source.address(family, Register(2))]
        }
        (single, _) => vec![End::Source.key(single)],
    };
    let mut parts = [is_kind(set), key, vec![Part::In(set, SCRATCH)]].concat();
    for never in set.exempt() {
        parts.extend([End::Source.key(*never), Part::NotIn(*never, SCRATCH)]);
    }
    parts.extend([Part::Count(counter.to_owned()), Part::Drop]);
    parts
}

/// A packet of the kind that the set's keys are of.
fn is_kind(set: Set) -> Vec<Part> {
    set.family().map(is_family).unwrap_or_default()
}

/// A frame that came in by a link that is not armed passes.
fn unless_armed() -> Vec<Part> {
    vec![Part::LinkName(SCRATCH), Part::NotIn(Set::Armed, SCRATCH), Part::Return]
}

/// A frame that came in by a link that is armed goes through a chain first.
fn if_armed(chain: &str) -> Vec<Part> {
    vec![Part::LinkName(SCRATCH), Part::In(Set::Armed, SCRATCH), Part::Jump(name(chain))]
}

/// A frame that came in by the link goes through another chain, and from there to what is done by default.
fn came_in(link: &[u8; LINK_NAME], target: &str) -> Vec<Part> {
    vec![Part::LinkName(SCRATCH), Part::Compare(SCRATCH, Is::Equal, link.to_vec()), Part::Goto(name(target))]
}

/// A link's name as the kernel compares it.
fn link(name: &str) -> Result<[u8; LINK_NAME], EnforceError> {
    let fits = (1..LINK_NAME).contains(&name.len());
    let plain = name.bytes().all(|o| o.is_ascii_graphic() && o != b'/' && o != b':') && name != "." && name != "..";
    if !(fits && plain) {
        return Err(EnforceError::LinkName(name.to_owned()));
    }
    let mut octets = [0; LINK_NAME];
    octets.iter_mut().zip(name.bytes()).for_each(|(at, o)| *at = o);
    Ok(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_cannot_exist_is_refused_before_the_kernel_sees_it() {
        for name in ["", "sixteen-octets-x", "a b", "a/b", "a\0", "..", "nn:0"] {
            assert!(link(name).is_err(), "{name:?}");
        }
        assert_eq!(&link("eth0").unwrap()[..5], b"eth0\0");
    }
}
