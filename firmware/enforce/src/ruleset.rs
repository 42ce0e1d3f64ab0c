//! A ruleset to a draft: the whole of table `bridge picket` besides blocks and counts.
//!
//! ```text
//! forward, input           accept by default, at once while nothing is blocked; by the link a frame came in, go to
//!   blocked_from_lan       count and drop if its source is blocked by hardware address, by both, or by address on either side
//!   blocked_from_uplink    count and drop if its source is blocked by address there, or on either side
//! ```
//! What may never be blocked stands in each dropping rule itself, before the drop: a hardware address exempts from what matches
//! hardware addresses, an address from what matches addresses, either of them from what matches both. So the router is never cut
//! by whatever matches it, a blocked device that forges the router's address stays blocked, and a frame that nothing matches pays
//! for no look into the never-block sets. On the uplink side each frame carries the router's hardware address, so that only
//! addresses count there. No rule accepts.
//!
//! The set `armed` holds both links as soon as one block stands: a transaction that blocks puts them in. A network in which nobody is
//! blocked, which is nearly every one, pays for one look.
//!
//! **Bounds**: the kernel looks for addresses through one VLAN tag; behind two, and in ARP, only hardware addresses count.

use std::collections::BTreeSet;
use std::ffi::CStr;

use nftnl::expr::{Cmp, CmpOp, Expression, LLHeaderField, Lookup, Meta, NetworkHeaderField, Payload, Verdict};
use nftnl::expr::{Ipv4HeaderField, Ipv6HeaderField};
use nftnl::{Chain, ChainType, Hook, Policy, ProtoFamily, Rule, Table};
use nftnl_sys::libc::{NFT_PAYLOAD_LL_HEADER, NFT_PAYLOAD_NETWORK_HEADER};
use policy::Ruleset;
use terms::Span;

use crate::draft::Draft;
use crate::error::EnforceError;
use crate::expression::{self, Count, Load, NotIn, REG32_00, Step};
use crate::layout::{COUNTERS, Key, LINK_NAME, Set, TABLE_C, V4};
use crate::message;

/// Where filters stand among the bridge's hooks (`NF_BR_PRI_FILTER_BRIDGED`).
const PRIORITY: i32 = -200;
const FROM_LAN: &CStr = c"blocked_from_lan";
const FROM_UPLINK: &CStr = c"blocked_from_uplink";
const BLOCKED_LAN: &CStr = c"blocked_lan";
const BLOCKED_UPLINK: &CStr = c"blocked_uplink";

/// How many rules the table holds once a ruleset is applied.
pub(crate) const RULES: usize = 15;

/// How many chains there are then.
pub(crate) const CHAINS: usize = 4;

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
/// is refused. `armed` says whether anything is blocked.
pub(crate) fn fill(draft: &mut Draft, ruleset: &Ruleset, armed: bool) -> Result<(), EnforceError> {
    let links = [(link(&ruleset.lan)?, FROM_LAN), (link(&ruleset.uplink)?, FROM_UPLINK)];
    let armable: Links = links.map(|(name, _)| (Key::of_link(&name), None));
    let table = Table::new(TABLE_C, ProtoFamily::Bridge);
    draft.add("table bridge picket", &table);
    for set in Set::ALL {
        draft.add(format!("set {}", set.text()), &expression::set(set, &table));
    }
    for name in COUNTERS {
        draft.write(format!("counter {name}"), &message::counter(name));
    }
    let bases: [Chain<'_>; CHAINS - 2] = [base(c"forward", Hook::Forward, &table), base(c"input", Hook::In, &table)];
    let [lan, uplink] = [Chain::new(FROM_LAN, &table), Chain::new(FROM_UPLINK, &table)];
    for chain in [&lan, &uplink, &bases[0], &bases[1]] {
        let name = chain.get_name().to_string_lossy();
        draft.add(format!("chain {name}"), chain);
        // A rule without a handle stands for all rules of its chain.
        draft.remove(format!("rules of chain {name}"), &Rule::new(chain));
    }
    never_block(draft, ruleset);
    draft.refill(Set::Armed, if armed { &armable } else { &[] });
    from_lan(&mut Rules::of(draft, &lan, &table));
    from_uplink(&mut Rules::of(draft, &uplink, &table));
    for base in &bases {
        let mut rules = Rules::of(draft, base, &table);
        rules.unless_armed();
        for (name, target) in &links {
            rules.goto(name, target);
        }
    }
    Ok(())
}

/// Fills the sets of what may never be blocked anew.
fn never_block(draft: &mut Draft, ruleset: &Ruleset) {
    let keys: BTreeSet<_> = ruleset.never_block.iter().map(|never| Key::of_never(*never)).collect();
    for set in Set::NEVER {
        let elements: Vec<_> = keys.iter().filter(|(of, _)| *of == set).map(|(_, key)| (*key, None)).collect();
        draft.refill(set, &elements);
    }
}

fn from_lan(rules: &mut Rules<'_, '_>) {
    use Set::{BlockedAnyV4, BlockedAnyV6, BlockedMac, BlockedMacV4, BlockedMacV6};
    for set in [BlockedMac, BlockedMacV4, BlockedMacV6, BlockedAnyV4, BlockedAnyV6] {
        rules.drop(set, BLOCKED_LAN);
    }
}

fn from_uplink(rules: &mut Rules<'_, '_>) {
    for set in [Set::BlockedV4, Set::BlockedV6, Set::BlockedAnyV4, Set::BlockedAnyV6] {
        rules.drop(set, BLOCKED_UPLINK);
    }
}

/// The rules of one chain, first to last.
struct Rules<'a, 'c> {
    draft: &'a mut Draft,
    chain: &'c Chain<'c>,
    table: &'c Table,
    count: usize,
}

impl<'a, 'c> Rules<'a, 'c> {
    fn of(draft: &'a mut Draft, chain: &'c Chain<'c>, table: &'c Table) -> Self {
        Self { draft, chain, table, count: 0 }
    }

    /// A frame whose source is in the set is counted and dropped, unless it may never be.
    fn drop(&mut self, set: Set, counter: &'static CStr) {
        let mut steps = self.source_in(set);
        for never in set.exempt() {
            steps.push(source(*never));
            steps.push(Box::new(NotIn(*never)));
        }
        steps.push(Box::new(Count(counter)));
        steps.push(Box::new(Verdict::Drop));
        self.rule(&steps);
    }

    /// A frame that came in by a link that is not armed passes.
    fn unless_armed(&mut self) {
        self.rule(&[Box::new(Meta::IifName), Box::new(NotIn(Set::Armed)), Box::new(Verdict::Return)]);
    }

    /// A frame that came in by the link goes through another chain, and from there to what is done by default.
    fn goto(&mut self, link: &[u8; LINK_NAME], target: &CStr) {
        let name = link.to_vec();
        self.rule(&[
            Box::new(Meta::IifName),
            Box::new(Cmp::new(CmpOp::Eq, Octets(name))),
            Box::new(Verdict::Goto { chain: target.to_owned() }),
        ]);
    }

    fn source_in(&self, set: Set) -> Vec<Box<dyn Expression>> {
        let mut steps: Vec<Box<dyn Expression>> = match set {
            Set::BlockedMacV4 => vec![mac_into_first(), source_behind(12, 4)],
            Set::BlockedMacV6 => vec![mac_into_first(), source_behind(8, 16)],
            single => vec![source(single)],
        };
        if let Some(ethertype) = set.ethertype() {
            let is = Cmp::new(CmpOp::Eq, Octets(ethertype.to_be_bytes().to_vec()));
            steps.splice(0..0, [Box::new(Meta::Protocol) as Box<dyn Expression>, Box::new(is)]);
        }
        steps.push(Box::new(Lookup::new(&expression::set(set, self.table))));
        steps
    }

    fn rule(&mut self, steps: &[Box<dyn Expression>]) {
        let mut rule = Rule::new(self.chain);
        for step in steps {
            rule.add_expr(&Step(step.as_ref()));
        }
        self.count += 1;
        let name = self.chain.get_name().to_string_lossy();
        self.draft.add(format!("rule {} of chain {name}", self.count), &rule);
    }
}

/// The frame's source as a set of one field has it.
fn source(set: Set) -> Box<dyn Expression> {
    Box::new(match set.ethertype() {
        None => Payload::LinkLayer(LLHeaderField::Saddr),
        Some(V4) => Payload::Network(NetworkHeaderField::Ipv4(Ipv4HeaderField::Saddr)),
        Some(_) => Payload::Network(NetworkHeaderField::Ipv6(Ipv6HeaderField::Saddr)),
    })
}

/// Octets to compare a register with.
struct Octets(Vec<u8>);

impl nftnl::expr::ToSlice for Octets {
    fn to_slice(&self) -> std::borrow::Cow<'_, [u8]> {
        self.0.as_slice().into()
    }
}

/// The frame's source hardware address, the first field of a two-field key.
fn mac_into_first() -> Box<dyn Expression> {
    Box::new(Load { base: NFT_PAYLOAD_LL_HEADER, offset: 6, len: 6, register: REG32_00 })
}

/// The packet's source address, the second field behind eight octets of hardware address.
fn source_behind(offset: u32, len: u32) -> Box<dyn Expression> {
    Box::new(Load { base: NFT_PAYLOAD_NETWORK_HEADER, offset, len, register: REG32_00 + 2 })
}

fn base<'t>(name: &CStr, hook: Hook, table: &'t Table) -> Chain<'t> {
    let mut chain = Chain::new(name, table);
    chain.set_type(ChainType::Filter);
    chain.set_hook(hook, PRIORITY);
    chain.set_policy(Policy::Accept);
    chain
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
        let ruleset = Ruleset { lan: "lan0".into(), uplink: "up0".into(), never_block: vec![] };
        let mut draft = Draft::new();
        fill(&mut draft, &ruleset, true).unwrap();
        let ready = draft.finish();
        let rules = crate::attribute::Messages::new(&ready.octets)
            .filter(|m| m.number() == Some(message::number::NEW_RULE))
            .count();
        assert_eq!(rules, RULES);
    }
}
