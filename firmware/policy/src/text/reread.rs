//! A text that differs from one that was read before in its rules alone: only what lies between the first difference and the last is
//! read.
//!
//! Whatever is not plainly such a change, and whatever is wrong with a text, is left to [`super::read`].

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use memchr::memmem;
use toml::de::DeTable;

use super::fault::{Fault, refuse_depth};
use super::read::{Reading, TEXT_MAX, read, words_of};
use crate::rules::{Effect, Policy, RULES, Rule};

/// The line with which a table begins, behind the end of the line before.
const HEAD: &[u8] = b"\n[[";

/// Reads a whole policy, as [`read`] does; with the text before and what was read of it at the cost of what changed.
///
/// # Errors
/// As [`read`].
pub fn reread(before: Option<(&str, &Policy)>, text: &str) -> Result<Policy, Vec<Fault>> {
    before.and_then(|(held, policy)| changed(held, policy, text)).map_or_else(|| read(text), Ok)
}

fn changed(held: &str, policy: &Policy, text: &str) -> Option<Policy> {
    if held == text {
        return Some(policy.clone());
    }
    if text.len() > TEXT_MAX {
        return None;
    }
    let [gone, come] = between(held, text)?;
    let (before, gone, come) = (held.get(..gone.start)?, held.get(gone)?, text.get(come)?);
    // In words that go over several lines one may look like a table's head.
    if [held, come].iter().any(|text| ["\"\"\"", "'''"].iter().any(|mark| has(text, mark))) || is_at_top(held) {
        return None;
    }
    let [all, first, out] = [held, before, gone].map(rules_of);
    let (all, first, out) = (all?, first?, out?);
    let denies = policy.rules.iter().take_while(|rule| rule.effect == Effect::Deny).count();
    if all.rules != [denies, policy.rules.len() - denies] || out.others > 0 {
        return None;
    }
    let new = read_rules(policy, come)?;
    let cut = |effect: Effect| {
        let (of, base) = if effect == Effect::Deny { (0, 0) } else { (1, denies) };
        base + first.rules[of]..base + first.rules[of] + out.rules[of]
    };
    let (no_denies, no_allows) = (cut(Effect::Deny), cut(Effect::Allow));
    let kept = |at: usize| !no_denies.contains(&at) && !no_allows.contains(&at);
    let names: BTreeSet<&str> = new.iter().map(|rule| rule.name.as_str()).collect();
    let doubled = policy.rules.iter().enumerate().any(|(at, rule)| kept(at) && names.contains(rule.name.as_str()));
    if doubled || names.len() < new.len() || policy.rules.len() + new.len() > RULES + out.rules.iter().sum::<usize>() {
        return None;
    }
    let new = new.into_iter().map(Arc::new);
    let (new_denies, new_allows): (Vec<_>, Vec<_>) = new.partition(|rule| rule.effect == Effect::Deny);
    let mut rules = Vec::with_capacity(policy.rules.len() + new_denies.len() + new_allows.len());
    rules.extend_from_slice(policy.rules.get(..no_denies.start)?);
    rules.extend(new_denies);
    rules.extend_from_slice(policy.rules.get(no_denies.end..no_allows.start)?);
    rules.extend(new_allows);
    rules.extend_from_slice(policy.rules.get(no_allows.end..)?);
    Some(Policy { rules, ..without_rules(policy) })
}

/// The tables in which two texts differ: what lies between the last head before the first difference and the first behind the last.
fn between(held: &str, text: &str) -> Option<[Range<usize>; 2]> {
    let (a, b) = (held.as_bytes(), text.as_bytes());
    let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let tail = a[same..].iter().rev().zip(b[same..].iter().rev()).take_while(|(a, b)| a == b).count();
    let begins = |text: &str| {
        let rest = text.get(same..).map(|rest| rest.trim_start_matches('\n'));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("[["))
    };
    let at_line = same > 0 && a[same - 1] == b'\n';
    let start = if at_line && begins(held) && begins(text) { same } else { memmem::rfind(&a[..same], HEAD)? + 1 };
    let behind = a.len() - tail;
    let kept = memmem::find(&a[behind..], HEAD).map_or(0, |at| a.len() - behind - at - 1);
    Some([start..a.len() - kept, start..b.len() - kept])
}

/// Whether rules stand at the top of a text, where heads do not tell of them.
fn is_at_top(text: &str) -> bool {
    let top = memmem::find(text.as_bytes(), HEAD).map_or(text, |end| &text[..end]);
    let says = |line: &str| line.contains("allow") || line.contains("deny");
    top.starts_with("[[") || top.lines().any(|line| !line.trim_start().starts_with('#') && says(line))
}

fn has(text: &str, mark: &str) -> bool {
    memmem::find(text.as_bytes(), mark.as_bytes()).is_some()
}

/// Heads of tables.
#[derive(Default)]
struct Heads {
    /// Denies and allows.
    rules: [usize; 2],
    others: usize,
}

/// Counts heads; nothing where one is written in a way of its own.
fn rules_of(text: &str) -> Option<Heads> {
    let mut heads = Heads::default();
    let first = text.starts_with("[[").then_some(0);
    for at in first.into_iter().chain(memmem::find_iter(text.as_bytes(), HEAD).map(|at| at + 1)) {
        let line = text.get(at..)?.lines().next()?;
        match line.trim_end() {
            "[[deny]]" => heads.rules[0] += 1,
            "[[allow]]" => heads.rules[1] += 1,
            "[[device]]" | "[[group]]" | "[[list]]" => heads.others += 1,
            _ => return None,
        }
    }
    Some(heads)
}

/// Reads tables that are rules and nothing else, under the names of a policy.
fn read_rules(policy: &Policy, text: &str) -> Option<Vec<Rule>> {
    refuse_depth(text).ok()?;
    let document = DeTable::parse(text).ok()?;
    let document = document.get_ref();
    if document.iter().any(|(key, _)| !matches!(key.get_ref().as_ref(), "allow" | "deny")) {
        return None;
    }
    let mut reading = Reading { text, faults: Vec::new(), names: words_of(policy) };
    let mut rules = Vec::new();
    for (effect, kind) in [(Effect::Deny, "deny"), (Effect::Allow, "allow")] {
        for (table, at) in reading.tables(document, kind) {
            rules.push(reading.rule(effect, table, at)?);
        }
    }
    reading.faults.is_empty().then_some(rules)
}

/// Everything of a policy but its rules.
fn without_rules(policy: &Policy) -> Policy {
    Policy {
        zone: policy.zone.clone(),
        dns_servers: policy.dns_servers.clone(),
        groups: policy.groups.clone(),
        devices: policy.devices.clone(),
        lists: policy.lists.clone(),
        newcomers: policy.newcomers,
        dns: policy.dns,
        quic: policy.quic,
        ..Policy::empty(policy.posture)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TOP: &str = "posture = \"enforce\"\n# who may what\n[[device]]\nname = \"a\"\nmacs = [\"02:00:00:00:00:01\"]\ngroups = [\"g\"]\n\
        [[group]]\nname = \"h\"\n";

    /// Lines that a change may bring, harmless and not.
    const LINES: [&str; 22] = [
        "",
        "# a comment",
        "[[allow]]",
        "[[deny]]",
        "  [[allow]]",
        "[[allow]] # one more",
        "[[device]]",
        "[device]",
        "[allow.x]",
        "name = \"r1\"",
        "name = \"r2\"",
        "name = \"new\"",
        "who = \"a\"",
        "who = [\"g\",",
        "[[\"h\"]]",
        "]",
        "to = \"uplink\"",
        "comment = \"\"\"",
        "\"\"\"",
        "comment = '''",
        "owner = \"ad\u{e4}\"",
        "posture = \"protect\"",
    ];

    fn rule(n: usize) -> String {
        let kind = if n.is_multiple_of(3) { "deny" } else { "allow" };
        let (space, who) = (if n.is_multiple_of(2) { "\n" } else { "" }, ["a", "g", "lan"][n % 3]);
        format!("{space}[[{kind}]]\nname = \"r{n}\"\nwho = \"{who}\"\nto = \"198.51.100.{n}\"\n")
    }

    fn text(rules: &[usize]) -> String {
        TOP.to_owned() + &rules.iter().map(|n| rule(*n)).collect::<String>()
    }

    fn agree(held: &str, text: &str) -> Result<(), TestCaseError> {
        let Ok(policy) = read(held) else { return Ok(()) };
        prop_assert_eq!(reread(Some((held, &policy)), text), read(text), "{:?} after {:?}", text, held);
        Ok(())
    }

    /// A place, how many lines go there, and which come.
    type Edit = (usize, usize, Vec<usize>);

    fn edits(most: usize) -> impl Strategy<Value = Vec<Edit>> {
        prop::collection::vec((0_usize..60, 0_usize..2, prop::collection::vec(0..LINES.len(), 0..4)), 0..most)
    }

    fn edited(text: &str, edits: &[Edit]) -> String {
        let mut lines: Vec<&str> = text.lines().collect();
        for (at, gone, come) in edits {
            let at = at % (lines.len() + 1);
            lines.splice(at..(at + gone).min(lines.len()), come.iter().map(|n| LINES[*n]));
        }
        lines.join("\n") + "\n"
    }

    proptest! {
        #[test]
        fn rules_that_come_and_go_are_read_as_in_the_whole(
            before in prop::collection::btree_set(0_usize..12, 0..9),
            after in prop::collection::btree_set(0_usize..12, 0..9),
            turn in 0_usize..9,
        ) {
            let mut after: Vec<usize> = after.into_iter().collect();
            let turn = turn % after.len().max(1);
            after.rotate_left(turn);
            agree(&text(&before.into_iter().collect::<Vec<_>>()), &text(&after))?;
        }

        #[test]
        fn whatever_lines_come_and_go_a_text_is_read_as_in_the_whole(first in edits(4), again in edits(3)) {
            let held = text(&[0, 1, 2, 3, 4, 5]);
            let other = edited(&held, &first);
            agree(&held, &other)?;
            agree(&other, &edited(&other, &again))?;
            agree(&other, &held)?;
        }
    }

    #[test]
    fn a_rule_more_is_read_without_the_rest() {
        let (held, more) = (text(&[1, 2, 3]), text(&[1, 2, 3, 4]));
        let policy = read(&held).expect("a policy");
        assert_eq!(changed(&held, &policy, &more), read(&more).ok(), "at the end");
        assert_eq!(changed(&more, &read(&more).expect("a policy"), &held), Some(policy.clone()), "and gone again");
        let other = held.replace("198.51.100.2", "198.51.100.9");
        assert_eq!(changed(&held, &policy, &other), read(&other).ok(), "in the middle");
        for left in [held.replace("\"a\"", "\"b\""), held.replace("r2", "r1"), held.replace("[[group]]", "[[list]]")] {
            assert_eq!(changed(&held, &policy, &left), None);
        }
    }
}
