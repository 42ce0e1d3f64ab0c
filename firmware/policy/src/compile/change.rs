//! A policy that differs from the one before in its rules alone: only what the change is about is compiled.

use core::net::IpAddr;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use terms::Timestamp;

use super::{Compiling, DENIED, INBOUND, RESERVED, TOLERATED, compile, is_outside, kernel_name, number, prune};
use crate::plan::{Lines, Name, Plan, RuleNumber};
use crate::rules::{Effect, Policy, Rule, Who};

/// Compiles one policy after the other, each at the cost of what it changes.
///
/// What comes out is what [`compile`] makes of the same policy.
#[derive(Debug, Default)]
pub struct Compiler {
    last: Option<Last>,
}

/// What was compiled, from what.
#[derive(Debug)]
struct Last {
    policy: Arc<Policy>,
    servers: Vec<IpAddr>,
    plan: Plan,
    /// Whether every rule has the number and the counter that it would have alone.
    alone: bool,
}

/// The rules in which two policies differ: what lies between the first difference and the last.
#[derive(Clone, Copy, Debug)]
pub struct Between<'p> {
    /// Of the one before.
    pub gone: &'p [Arc<Rule>],
    /// Of the one after.
    pub come: &'p [Arc<Rule>],
}

impl Compiler {
    /// As [`compile`].
    pub fn compile(&mut self, policy: &Arc<Policy>, servers: &[IpAddr], at: Timestamp) -> Option<Plan> {
        let last = self.last.take().filter(|last| last.alone && last.servers == servers);
        let changed = last.and_then(|last| {
            let between = Between::of(&last.policy, policy)?;
            change(last.plan, &between, policy, at)
        });
        let (plan, alone) = match changed {
            Some(plan) => (plan, true),
            None => {
                let plan = compile(policy, servers, at)?;
                let alone = is_numbered_alone(policy) && counts_alone(policy, &plan);
                (plan, alone)
            }
        };
        self.last = Some(Last { policy: Arc::clone(policy), servers: servers.to_vec(), plan: plan.clone(), alone });
        Some(plan)
    }

    /// The number of a rule of the policy that was compiled last, if rules hold for anybody there.
    #[must_use]
    pub fn number(&self, rule: &str) -> Option<RuleNumber> {
        self.last.as_ref().and_then(|last| last.plan.rules.get(rule).copied())
    }
}

impl<'p> Between<'p> {
    /// Where two policies differ; nothing where they differ in more than their rules.
    #[must_use]
    pub fn of(before: &'p Policy, after: &'p Policy) -> Option<Self> {
        if !before.differs_in_rules_alone(after) {
            return None;
        }
        let alike = |pair: &(&Arc<Rule>, &Arc<Rule>)| pair.0 == pair.1;
        let first = before.rules.iter().zip(&after.rules).take_while(alike).count();
        let (gone, come) = (&before.rules[first..], &after.rules[first..]);
        let last = gone.iter().rev().zip(come.iter().rev()).take_while(alike).count();
        Some(Self { gone: &gone[..gone.len() - last], come: &come[..come.len() - last] })
    }
}

/// The plan of a policy out of the one before; nothing where two rules would share a number or a counter, which depends on all of
/// them.
fn change(mut plan: Plan, between: &Between<'_>, policy: &Policy, at: Timestamp) -> Option<Plan> {
    let come: BTreeMap<Name, RuleNumber> =
        between.come.iter().map(|rule| (rule.name.as_str().into(), RuleNumber(number(rule)))).collect();
    let counted: BTreeSet<&str> =
        between.come.iter().filter(|rule| !rule.shadow).map(|rule| rule.name.as_str()).collect();
    for rule in between.gone {
        let number = plan.rules.remove(rule.name.as_str())?;
        plan.live.remove(&number);
        if !counted.contains(rule.name.as_str()) {
            plan.counters.remove(&kernel_name("rule", &rule.name));
        }
    }
    let mut fresh: BTreeSet<RuleNumber> = RESERVED.map(RuleNumber).collect();
    let alone = come.len() == between.come.len() && come.values().all(|number| fresh.insert(*number));
    if !alone || plan.rules.iter().any(|(name, number)| fresh.contains(number) || come.contains_key(name)) {
        return None;
    }
    plan.rules.extend(come);
    let mut chains = std::mem::take(&mut plan.chains);
    let mut compiling = Compiling { policy, plan, chains: BTreeMap::new(), at };
    // What has a time may have begun meanwhile, or be over.
    let has_time = |rule: &&Arc<Rule>| rule.until.is_some() || !rule.when.is_empty();
    for rule in policy.rules.iter().filter(has_time) {
        let number = compiling.plan.rules.get(rule.name.as_str())?;
        compiling.plan.live.remove(number);
        compiling.alive(rule);
    }
    between.come.iter().for_each(|rule| compiling.alive(rule));

    let changed = || between.gone.iter().chain(between.come);
    let about: BTreeSet<(Effect, &Who)> =
        changed().flat_map(|rule| rule.who.iter().map(|who| (rule.effect, who))).collect();
    // No policy has rules about those: their chains are those of others.
    if about.iter().any(|(_, who)| matches!(who, Who::Starter | Who::Everyone)) {
        return None;
    }
    let is_about = |rule: &&Arc<Rule>| rule.who.iter().any(|who| about.contains(&(rule.effect, who)));
    for rule in policy.rules.iter().filter(is_about) {
        compiling.rule(rule, |who| about.contains(&(rule.effect, who)));
    }
    let names = about.iter().filter(|(_, who)| !is_outside(who)).map(|(effect, who)| super::chain_of(*effect, who));
    let mut other_chains = false;
    for name in names {
        let lines = compiling.chains.remove(&name).filter(|lines| !lines.is_empty());
        other_chains |= lines.is_some() != chains.contains_key(name.as_str());
        match lines {
            Some(lines) => chains.insert(name.into(), Lines::from(lines)),
            None => chains.remove(name.as_str()),
        };
    }
    if changed().any(|rule| rule.who.iter().any(is_outside)) {
        compiling.inbound();
        chains.extend(compiling.chains.remove_entry(INBOUND).map(|(name, lines)| (name.into(), Lines::from(lines))));
    }
    if other_chains {
        compiling.ways();
        for (name, mut lines) in std::mem::take(&mut compiling.chains) {
            prune(&mut lines, |chain| chains.contains_key(chain));
            chains.insert(name.into(), Lines::from(lines));
        }
    }
    let plan = Plan { chains, ..compiling.plan };
    counts_alone(policy, &plan).then_some(plan)
}

/// Whether each rule has a number of its own, in which no other rule had a say.
fn is_numbered_alone(policy: &Policy) -> bool {
    let mut taken: HashSet<u32> = RESERVED.collect();
    policy.numbered().all(|rule| taken.insert(number(rule)))
}

/// Whether each rule has a counter of its own.
fn counts_alone(policy: &Policy, plan: &Plan) -> bool {
    let counted = policy.all_rules().filter(|rule| !rule.shadow).count() + DENIED.len();
    plan.counters.len() == counted + usize::from(plan.counters.contains(TOLERATED))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::read;
    use proptest::prelude::*;

    const HEAD: &str = "posture = \"enforce\"\nnew = \"everything\"\n\
        [[device]]\nname = \"a\"\nmacs = [\"02:00:00:00:00:01\"]\naddresses = [\"10.0.0.1\"]\ngroups = [\"g\"]\nstate = \"approved\"\n\
        [[device]]\nname = \"b\"\nmacs = [\"02:00:00:00:00:02\"]\ngroups = [\"g\", \"h\"]\nstate = \"approved\"\n\
        [[device]]\nname = \"c\"\naddresses = [\"10.0.0.3\"]\nstate = \"quarantined\"\n";
    const WHO: [&str; 9] = ["a", "b", "c", "g", "h", "lan", "new", "uplink", "203.0.113.0/24"];

    /// A rule out of a few numbers; of two with the same name only one can stand in a policy.
    fn rule((name, who, what): (u8, usize, u32)) -> String {
        let pick = |from: &[&str], shift: u32| from[(what >> shift) as usize % from.len()].to_owned();
        let who = WHO[who % WHO.len()];
        let outside = who == "uplink" || who.contains('/');
        let to = if outside {
            pick(&["a", "lan", "10.0.0.0/24"], 2)
        } else {
            pick(&["internet", "uplink", "198.51.100.7", "x.example.com", "a"], 2)
        };
        let more = pick(
            &[
                "",
                "",
                "shadow = true\n",
                "until = \"1000000\"\n",
                "until = \"9000000\"\n",
                "when = \"thu 00:00-01:00\"\n",
            ],
            5,
        );
        let service = pick(&["tcp/443", "udp/53", "any", "ping", "tcp/1-99"], 9);
        let kind = pick(&["allow", "allow", "deny"], 13);
        format!("[[{kind}]]\nname = \"r{name}\"\nwho = \"{who}\"\nto = \"{to}\"\nservice = \"{service}\"\n{more}")
    }

    fn policy(rules: &BTreeMap<u8, String>, head: &str) -> Arc<Policy> {
        Arc::new(read(&(head.to_owned() + &rules.values().cloned().collect::<String>())).expect("a policy"))
    }

    proptest! {
        #[test]
        fn one_policy_after_the_other_comes_to_the_same_as_each_alone(
            steps in prop::collection::vec((prop::collection::vec((0_u8..12, 0_usize..9, any::<u32>()), 0..3), 0_u8..12, 0_u64..2_000_000, 0_u8..20), 1..16)
        ) {
            let (mut compiler, mut rules, mut head) = (Compiler::default(), BTreeMap::new(), HEAD.to_owned());
            for (come, gone, at, other) in steps {
                rules.remove(&gone);
                rules.extend(come.into_iter().map(|numbers| (numbers.0, rule(numbers))));
                match other {
                    0 => head = HEAD.replace("everything", "starter"),
                    1 => head = HEAD.replace("enforce", "protect"),
                    2 => head = HEAD.replacen("\"approved\"", "\"blocked\"", 1),
                    3 => head = HEAD.replacen("new = ", "dns = \"own\"\nnew = ", 1),
                    4..8 => head = HEAD.to_owned(),
                    _ => {}
                }
                let (policy, at) = (policy(&rules, &head), Timestamp::from_secs(at));
                prop_assert_eq!(compiler.compile(&policy, &[], at), compile(&policy, &[], at));
            }
        }
    }

    #[test]
    fn one_rule_leaves_the_chains_of_all_others_where_they_are() {
        let mut rules: BTreeMap<u8, String> = (0..9).map(|n| (n, rule((n, usize::from(n), 0)))).collect();
        let mut compiler = Compiler::default();
        let mut compiled = |rules: &BTreeMap<u8, String>| {
            compiler.compile(&policy(rules, HEAD), &[], Timestamp::EPOCH).expect("a plan")
        };
        let before = compiled(&rules);
        rules.insert(0, rule((0, 0, 4)));
        let after = compiled(&rules);
        let new: Vec<_> = after
            .chains
            .iter()
            .filter(|(name, lines)| !before.chains.get(*name).is_some_and(|b| b.is_shared_with(lines)))
            .collect();
        assert_eq!(new.len(), 1, "{new:?}");
    }
}
