//! The messages that turn what the table holds into what a ruleset wants: all of them where little is known of the table, or the
//! difference to the ruleset that was applied before.

use core::ops::Deref;
use std::collections::BTreeMap;
use std::ffi::{CStr, CString};
use std::hash::{DefaultHasher, Hash, Hasher};

use nftnl::{Chain, ChainType, Hook, Policy, ProtoFamily, Rule, Table};
use policy::{Lines, Name, Names, RuleNumber, USER};
use terms::{Span, Timestamp};

use crate::draft::Draft;
use crate::expression;
use crate::key::Key;
use crate::layout::{Set, TABLE_C};
use crate::lines::name;
use crate::message::{self, Act};
use crate::part;
use crate::ruleset::{Content, FORWARD, INPUT, Links, Wanted};
use crate::shape::Changed;

/// Where filters stand among the bridge's hooks (`NF_BR_PRI_FILTER_BRIDGED`).
const PRIORITY: i32 = -200;

/// What of an earlier ruleset may stand in the kernel.
#[derive(Clone, Debug, Default)]
pub(crate) struct Standing {
    pub chains: Vec<String>,
    pub counters: Vec<String>,
}

/// A ruleset that was applied, in short: enough to tell what another one changes.
#[derive(Clone, Debug)]
pub(crate) struct Outline {
    pub links: Links,
    counters: Vec<&'static str>,
    of_policy: Names,
    chains: BTreeMap<Name, Known>,
    filled: BTreeMap<Set, u64>,
    live: BTreeMap<RuleNumber, Option<Timestamp>>,
}

/// What a chain consisted of: a digest of what the ruleset itself makes, or the lines of the policy, which the next one shares.
#[derive(Clone, Debug)]
enum Known {
    Digest(u64),
    Lines(Lines),
}

/// How elements that may be missing are taken out of a set.
pub(crate) type TakeOut<'t> = &'t dyn Fn(&mut Draft, Set, &[(Key, Option<Span>)]);

impl Outline {
    pub fn of(wanted: Wanted) -> Self {
        let Wanted { links, counters, of_policy, chains, filled, live } = wanted;
        let chains = chains.into_iter().map(|(chain, content)| (chain, Known::of(content))).collect();
        let filled = filled.iter().map(|(set, elements)| (*set, digest(elements))).collect();
        Self { links, counters, of_policy, chains, filled, live }
    }

    /// Drafts what changes from this ruleset, which stands in the kernel, to another one on the same links.
    pub fn change(&self, draft: &mut Draft, wanted: &Wanted, at: Timestamp, take_out: TakeOut<'_>) -> Changed {
        let mut known = self.chains.iter().peekable();
        let is_new = |(chain, content): &(&Name, &Content)| {
            while known.next_if(|(other, _)| other < chain).is_some() {}
            known.next_if(|(other, _)| other == chain).is_none_or(|(_, known)| !known.is(content))
        };
        let mut step = Step {
            written: wanted.chains.iter().filter(is_new).map(|(chain, _)| &**chain).collect(),
            made: besides(wanted.chains.keys(), self.chains.keys()).into_iter().map(Deref::deref).collect(),
            gone: besides(self.chains.keys(), wanted.chains.keys()).into_iter().map(Deref::deref).collect(),
            counters: wanted.counters.iter().copied().filter(|name| !self.counters.contains(name)).collect(),
            lost: self.counters.iter().copied().filter(|name| !wanted.counters.contains(name)).collect(),
            filled: wanted
                .filled
                .iter()
                .filter(|(set, elements)| self.filled.get(set) != Some(&digest(elements)))
                .map(|(set, _)| *set)
                .collect(),
        };
        [&mut step.written, &mut step.gone].into_iter().for_each(|chains| chains.retain(|chain| *chain != USER));
        if self.of_policy != wanted.of_policy {
            let [come, gone] = [(&wanted.of_policy, &self.of_policy), (&self.of_policy, &wanted.of_policy)]
                .map(|(of, others)| besides(of.iter(), others.iter()).into_iter().map(Deref::deref));
            step.counters.extend(come);
            step.lost.extend(gone);
        }
        step.draft(draft, wanted, |draft| {
            let over = besides(&self.live, &wanted.live).into_iter();
            take_out(draft, Set::Live, &over.map(|(number, _)| (Key::of_rule(*number), None)).collect::<Vec<_>>());
            let fresh = besides(&wanted.live, &self.live).into_iter();
            draft.elements(Act::Add, Set::Live, &living(fresh, at));
        })
    }
}

impl Known {
    fn of(content: Content) -> Self {
        match content {
            Content::Rules(rules) => Self::Digest(digest(&rules)),
            Content::Lines(lines) => Self::Lines(lines),
        }
    }

    fn is(&self, content: &Content) -> bool {
        match (self, content) {
            (Self::Digest(known), Content::Rules(rules)) => *known == digest(rules),
            (Self::Lines(known), Content::Lines(lines)) => known == lines,
            _ => false,
        }
    }
}

/// Drafts everything that makes the table equal the ruleset, whatever of an earlier one stands, without emptying what was learned.
/// `armed` says whether anything is blocked, `at` when what is alive counts from.
pub(crate) fn whole(draft: &mut Draft, wanted: &Wanted, armed: bool, standing: &Standing, at: Timestamp) -> Changed {
    let table = Table::new(TABLE_C, ProtoFamily::Bridge);
    draft.add("table bridge picket", &table);
    for set in Set::ALL {
        draft.add(format!("set {}", set.text()), &expression::set(set, &table));
    }
    let gone = |chain: &&str| !wanted.chains.contains_key(*chain) && *chain != USER;
    let strange = |counter: &&str| !wanted.counters.contains(counter) && !wanted.of_policy.contains(*counter);
    let step = Step {
        made: wanted.chains.keys().map(Deref::deref).collect(),
        written: wanted.chains.keys().map(Deref::deref).filter(|chain| *chain != USER).collect(),
        gone: standing.chains.iter().map(String::as_str).filter(gone).collect(),
        counters: wanted.counters.iter().copied().chain(wanted.of_policy.iter().map(Deref::deref)).collect(),
        lost: standing.counters.iter().map(String::as_str).filter(strange).collect(),
        filled: wanted.filled.keys().copied().collect(),
    };
    step.draft(draft, wanted, |draft| {
        draft.refill(Set::Armed, if armed { &wanted.links } else { &[] });
        draft.refill(Set::Live, &living(wanted.live.iter(), at));
    })
}

/// What one transaction does, in the order in which the kernel can follow.
struct Step<'s> {
    made: Vec<&'s str>,
    /// The chains whose rules go and come anew; never the owner's own.
    written: Vec<&'s str>,
    gone: Vec<&'s str>,
    counters: Vec<&'s str>,
    lost: Vec<&'s str>,
    filled: Vec<Set>,
}

impl Step<'_> {
    fn draft(&self, draft: &mut Draft, wanted: &Wanted, live: impl FnOnce(&mut Draft)) -> Changed {
        let table = Table::new(TABLE_C, ProtoFamily::Bridge);
        for counter in &self.counters {
            draft.write(format!("counter {counter}"), &message::counter(counter));
        }
        let of = |chains: &[&str]| -> Vec<(String, CString)> {
            chains.iter().map(|chain| ((*chain).to_owned(), name(chain))).collect()
        };
        for (chain, c_name) in &of(&self.made) {
            draft.add(format!("chain {chain}"), &made(chain, c_name, &table));
        }
        let written = of(&self.written);
        // A rule without a handle stands for all rules of its chain.
        for (chain, c_name) in written.iter().chain(&of(&self.gone)) {
            draft.remove(format!("rules of chain {chain}"), &Rule::new(&Chain::new(c_name, &table)));
        }
        for set in &self.filled {
            draft.refill_special(*set, &wanted.filled[set]);
        }
        live(draft);
        let mut changed = Changed {
            chains: BTreeMap::new(),
            heads: !self.made.is_empty() || !self.gone.is_empty(),
            filled: self.filled.clone(),
        };
        for (chain, c_name) in &written {
            let of = Chain::new(c_name, &table);
            let rules = wanted.chains[chain.as_str()].rules();
            for (n, parts) in rules.iter().enumerate() {
                draft.add(format!("rule {} of chain {chain}", n + 1), &part::rule(&of, parts));
            }
            changed.chains.insert(chain.clone(), rules.len());
        }
        for chain in &self.gone {
            draft.write(format!("chain {chain}"), &message::delete_chain(chain));
        }
        for counter in &self.lost {
            draft.write(format!("counter {counter}"), &message::delete_counter(counter));
        }
        changed
    }
}

/// The elements of rules that are alive from a moment on.
fn living<'l>(
    live: impl Iterator<Item = (&'l RuleNumber, &'l Option<Timestamp>)>,
    at: Timestamp,
) -> Vec<(Key, Option<Span>)> {
    live.filter(|(_, until)| until.is_none_or(|until| until > at))
        .map(|(number, until)| (Key::of_rule(*number), until.map(|until| until.since(at))))
        .collect()
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

/// What is in one of two sorted lists and not in the other.
fn besides<T: Ord>(of: impl IntoIterator<Item = T>, others: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut others = others.into_iter().peekable();
    of.into_iter()
        .filter(|one| {
            while others.next_if(|other| other < one).is_some() {}
            others.peek() != Some(one)
        })
        .collect()
}

fn digest(content: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ruleset::Tracking;
    use policy::Ruleset;

    #[test]
    fn what_is_in_one_list_alone_is_found_in_order() {
        let lists = [&["a", "c", "d", "f"][..], &["b", "c", "f"], &[], &["a", "f"]];
        for (of, others) in lists.iter().flat_map(|of| lists.map(|others| (of, others))) {
            let slow: Vec<&&str> = of.iter().filter(|name| !others.contains(name)).collect();
            assert_eq!(besides(of.iter(), others.iter()), slow);
        }
    }

    #[test]
    fn a_draft_has_as_many_rules_as_it_says_and_the_same_again_has_none() {
        let ruleset = Ruleset { lan: "lan0".into(), uplink: "up0".into(), never_block: vec![], plan: None };
        let wanted = Wanted::of(&ruleset, Tracking::Map).unwrap();
        let mut draft = Draft::new();
        let changed = whole(&mut draft, &wanted, true, &Standing::default(), Timestamp::EPOCH);
        let ready = draft.finish();
        let rules = crate::attribute::Messages::new(&ready.octets)
            .filter(|m| m.number() == Some(message::number::NEW_RULE))
            .count();
        assert_eq!(rules, changed.chains.values().sum::<usize>());
        let mut draft = Draft::new();
        Outline::of(Wanted::of(&ruleset, Tracking::Map).unwrap()).change(
            &mut draft,
            &wanted,
            Timestamp::EPOCH,
            &|_, _, _| {},
        );
        assert_eq!(draft.len(), 0);
    }
}
