//! A ruleset to a draft: the whole of table `bridge picket` besides what was learned.
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
//! ```
//! **Bounds**: the kernel looks for addresses through one VLAN tag; behind two, and in ARP, only hardware addresses count.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{CStr, CString};
use std::net::{IpAddr, Ipv4Addr};

use nftnl::{Chain, ChainType, Hook, Policy, ProtoFamily, Rule, Table};
use policy::{Begins, INBOUND, NEWCOMERS, Plan, Ruleset, USER};
use terms::{MacAddr, Span, Timestamp};

use crate::draft::Draft;
use crate::error::EnforceError;
use crate::key::Key;
use crate::layout::{COUNTERS, LINK_NAME, Set, TABLE_C};
use crate::lines::{self, name};
use crate::message::{self, Special};
use crate::part::{self, End, Is, Part, Register, SCRATCH, is_family};
use crate::{expression, talk};

/// Where filters stand among the bridge's hooks (`NF_BR_PRI_FILTER_BRIDGED`).
const PRIORITY: i32 = -200;
const FORWARD: &str = "forward";
const INPUT: &str = "input";
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

/// What of an earlier ruleset may stand in the kernel.
#[derive(Clone, Debug, Default)]
pub(crate) struct Standing {
    pub chains: Vec<String>,
    pub counters: Vec<String>,
}

/// What a ruleset comes to in the kernel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Size {
    pub rules: usize,
    pub chains: usize,
}

/// The two links of a ruleset, as elements of the set of armed ones.
pub(crate) type Links = [(Key, Option<Span>); 2];

/// Both links.
///
/// # Errors
/// `LinkName` if one of them cannot exist.
pub(crate) fn links(ruleset: &Ruleset) -> Result<Links, EnforceError> {
    Ok([(Key::of_link(&link(&ruleset.lan)?), None), (Key::of_link(&link(&ruleset.uplink)?), None)])
}

/// Adds everything that makes the kernel's table equal the ruleset, without emptying what was learned; nothing where a link's name
/// is refused. `armed` says whether anything is blocked, `at` when what is alive counts from.
pub(crate) fn fill(
    draft: &mut Draft,
    ruleset: &Ruleset,
    armed: bool,
    standing: &Standing,
    at: Timestamp,
) -> Result<Size, EnforceError> {
    let armable = links(ruleset)?;
    let wanted = chains(ruleset)?;
    let table = Table::new(TABLE_C, ProtoFamily::Bridge);
    draft.add("table bridge picket", &table);
    for set in Set::ALL {
        draft.add(format!("set {}", set.text()), &expression::set(set, &table));
    }
    let of_policy = ruleset.plan.iter().flat_map(|plan| &plan.counters).map(String::as_str);
    let counters: BTreeSet<&str> = COUNTERS.into_iter().chain(of_policy).collect();
    for counter in &counters {
        draft.write(format!("counter {counter}"), &message::counter(counter));
    }
    let names: BTreeMap<&str, CString> = wanted.keys().map(|chain| (chain.as_str(), name(chain))).collect();
    let made: BTreeMap<&str, Chain<'_>> = names.iter().map(|(chain, c)| (*chain, made(chain, c, &table))).collect();
    for (chain, made) in &made {
        draft.add(format!("chain {chain}"), made);
    }
    let gone: Vec<&String> = standing.chains.iter().filter(|c| !wanted.contains_key(*c) && *c != USER).collect();
    // A rule without a handle stands for all rules of its chain.
    for (chain, made) in made.iter().filter(|(chain, _)| **chain != USER) {
        draft.remove(format!("rules of chain {chain}"), &Rule::new(made));
    }
    for chain in &gone {
        draft.remove(format!("rules of chain {chain}"), &Rule::new(&Chain::new(name(chain), &table)));
    }
    never_block(draft, ruleset);
    draft.refill(Set::Armed, if armed { &armable } else { &[] });
    elements_of_policy(draft, ruleset.plan.as_ref(), at);
    // The owner's chain stays, whatever comes and goes.
    let mut size = Size { rules: 0, chains: wanted.keys().filter(|chain| *chain != USER).count() };
    for (chain, rules) in &wanted {
        for (n, parts) in rules.iter().enumerate() {
            draft.add(format!("rule {} of chain {chain}", n + 1), &part::rule(&made[chain.as_str()], parts));
        }
        size.rules += rules.len();
    }
    for chain in gone {
        draft.write(format!("chain {chain}"), &message::delete_chain(chain));
    }
    for counter in standing.counters.iter().filter(|c| !counters.contains(c.as_str())) {
        draft.write(format!("counter {counter}"), &message::delete_counter(counter));
    }
    Ok(size)
}

/// The chains of a ruleset with their rules.
fn chains(ruleset: &Ruleset) -> Result<BTreeMap<String, Vec<Vec<Part>>>, EnforceError> {
    let (lan, uplink) = (link(&ruleset.lan)?, link(&ruleset.uplink)?);
    let to_blocked = [unless_armed(), came_in(&lan, BLOCKED_FROM_LAN), came_in(&uplink, BLOCKED_FROM_UPLINK)];
    let mut all: BTreeMap<String, Vec<Vec<Part>>> = BTreeMap::new();
    all.insert(INPUT.into(), to_blocked.to_vec());
    all.insert(BLOCKED_FROM_LAN.into(), blocked_from_lan());
    all.insert(BLOCKED_FROM_UPLINK.into(), blocked_from_uplink());
    let Some(plan) = &ruleset.plan else {
        all.insert(FORWARD.into(), to_blocked.to_vec());
        return Ok(all);
    };
    all.insert(FORWARD.into(), vec![came_in(&lan, FROM_LAN), came_in(&uplink, FROM_UPLINK)]);
    all.insert(FROM_LAN.into(), from_lan(plan));
    all.insert(FROM_UPLINK.into(), from_uplink(plan));
    for (chain, lines) in &plan.chains {
        all.insert(chain.clone(), lines.iter().flat_map(lines::rules).collect());
    }
    Ok(all)
}

fn from_lan(plan: &Plan) -> Vec<Vec<Part>> {
    let mut rules = vec![if_armed(BLOCKED_FROM_LAN)];
    rules.extend(shut(plan, End::Source));
    rules.extend(talk::known(Begins::Lan));
    rules.extend(ways([Set::FromMac, Set::FromV4, Set::FromV6], End::Source));
    rules.extend(plan.holds_newcomers.then(|| vec![Part::Goto(name(NEWCOMERS))]));
    rules
}

fn from_uplink(plan: &Plan) -> Vec<Vec<Part>> {
    let mut rules = vec![if_armed(BLOCKED_FROM_UPLINK)];
    rules.extend(shut(plan, End::Destination));
    rules.extend(talk::known(Begins::Uplink));
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

/// Fills anew what follows from the policy alone.
fn elements_of_policy(draft: &mut Draft, plan: Option<&Plan>, at: Timestamp) {
    let none = Plan::default();
    let plan = plan.unwrap_or(&none);
    let live: Vec<_> = plan
        .live
        .iter()
        .filter(|(_, until)| until.is_none_or(|until| until > at))
        .map(|(number, until)| (Key::of_rule(*number), until.map(|until| until.since(at))))
        .collect();
    draft.refill(Set::Live, &live);
    let local = |bounds: &([u8; 4], [u8; 4])| {
        let past = u32::from_be_bytes(bounds.1).checked_add(1).map(|n| Special::Past(v4_key(Ipv4Addr::from(n))));
        [Some(Special::First(v4_key(Ipv4Addr::from(bounds.0)))), past].into_iter().flatten().collect::<Vec<_>>()
    };
    draft.refill_special(Set::LocalV4, &LOCAL.iter().flat_map(local).collect::<Vec<_>>());
    let address = |v4, v6| move |address: &IpAddr| Key::of_address(*address, v4, v6);
    let shut = plan.shut.iter().map(|mac| (Set::ShutMac, Key::of_mac(*mac)));
    let shut = shut.chain(plan.shut_addresses.iter().map(address(Set::ShutV4, Set::ShutV6)));
    refill_each(draft, &[Set::ShutMac, Set::ShutV4, Set::ShutV6], shut);
    let servers = plan.servers.iter().map(address(Set::ServersV4, Set::ServersV6));
    refill_each(draft, &[Set::ServersV4, Set::ServersV6], servers);
    let inbound = |chain: &Option<String>| chain.as_ref().map(|_| INBOUND.to_owned());
    let macs = |way: &dyn Fn(&Option<String>) -> Option<String>| -> Vec<Special> {
        plan.from_mac.iter().map(|(mac, chain): (&MacAddr, _)| Special::Way(Key::of_mac(*mac), way(chain))).collect()
    };
    draft.refill_special(Set::FromMac, &macs(&Clone::clone));
    draft.refill_special(Set::ToMac, &macs(&inbound));
    for (from, to, is_v4) in [(Set::FromV4, Set::ToV4, true), (Set::FromV6, Set::ToV6, false)] {
        let of_kind = plan.from_address.iter().filter(|(address, _)| address.is_ipv4() == is_v4);
        let (mut out, mut into) = (Vec::new(), Vec::new());
        for (address, chain) in of_kind {
            let (_, key) = Key::of_address(*address, from, from);
            out.push(Special::Way(key, chain.clone()));
            into.push(Special::Way(key, inbound(chain)));
        }
        draft.refill_special(from, &out);
        draft.refill_special(to, &into);
    }
}

fn v4_key(address: Ipv4Addr) -> Key {
    Key::of_address(address.into(), Set::LocalV4, Set::LocalV4).1
}

/// Fills the sets of what may never be blocked anew.
fn never_block(draft: &mut Draft, ruleset: &Ruleset) {
    refill_each(draft, &Set::NEVER, ruleset.never_block.iter().map(|never| Key::of_never(*never)));
}

/// Makes each of these sets hold the keys that are its own, and no others.
fn refill_each(draft: &mut Draft, sets: &[Set], keys: impl Iterator<Item = (Set, Key)>) {
    let keys: BTreeSet<_> = keys.collect();
    for set in sets {
        let elements: Vec<_> = keys.iter().filter(|(of, _)| of == set).map(|(_, key)| (*key, None)).collect();
        draft.refill(*set, &elements);
    }
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

fn made<'t>(chain: &str, c_name: &'t CStr, table: &'t Table) -> Chain<'t> {
    let mut made = Chain::new(c_name, table);
    let hook = match chain {
        FORWARD => Hook::Forward,
        INPUT => Hook::In,
        _ => return made,
    };
    made.set_type(ChainType::Filter);
    made.set_hook(hook, PRIORITY);
    made.set_policy(Policy::Accept);
    made
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

    #[test]
    fn a_draft_has_as_many_rules_as_it_says() {
        let ruleset = Ruleset { lan: "lan0".into(), uplink: "up0".into(), never_block: vec![], plan: None };
        let mut draft = Draft::new();
        let size = fill(&mut draft, &ruleset, true, &Standing::default(), Timestamp::EPOCH).unwrap();
        let ready = draft.finish();
        let rules = crate::attribute::Messages::new(&ready.octets)
            .filter(|m| m.number() == Some(message::number::NEW_RULE))
            .count();
        assert_eq!(rules, size.rules);
    }
}
