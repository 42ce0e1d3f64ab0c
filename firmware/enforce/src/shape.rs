//! The table's form as the kernel lists it: digests of its chains, rules and sets, without what was learned.

use std::collections::BTreeMap;
use terms::{FNV_BEGINS, fnv};

use policy::USER;

use crate::attribute::Message;
use crate::error::EnforceError;
use crate::held::{elements, list};
use crate::layout::{Set, TABLE};
use crate::message::{self, attr, number};
use crate::socket::Socket;

/// How often the whole is read anew because others changed the ruleset meanwhile.
pub(crate) const READINGS: usize = 10;
/// So many changed chains are read one by one; of more the whole table is read.
const SINGLY: usize = 64;

/// The table's form at one generation of the kernel's ruleset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub generation: u32,
    form: Form,
    /// A digest of the links that are armed.
    pub armed: u64,
}

/// What of the table nobody but its owner changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Form {
    flags: u32,
    /// Every chain but the owner's own, which is nobody else's business.
    chains: BTreeMap<String, Chain>,
    sets: BTreeMap<String, u64>,
    /// The elements of sets that only the ruleset fills.
    filled: BTreeMap<Set, u64>,
}

/// A chain with its rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Chain {
    head: Digest,
    rules: usize,
    content: Digest,
}

/// What a change of the table was about.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changed {
    /// The chains that were written, each with so many rules.
    pub chains: BTreeMap<String, usize>,
    /// Whether chains came or went.
    pub heads: bool,
    /// The sets that were filled anew.
    pub filled: Vec<Set>,
}

/// Digest of what is fed, part by part ([`fnv`]: nobody gains from a collision who could not change the table itself).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Digest(u64);

/// The digest where no link is armed.
pub(crate) const NONE_ARMED: u64 = Digest::new().0;

/// A digest of armed links, in any order.
pub(crate) fn armed<'a>(links: impl Iterator<Item = &'a [u8]>) -> u64 {
    let (mut digest, mut links) = (Digest::new(), links.collect::<Vec<_>>());
    links.sort_unstable();
    links.iter().for_each(|link| digest.feed(link));
    digest.0
}

/// The number that each change of the kernel's ruleset raises, by whomever.
pub(crate) fn generation(socket: &mut Socket) -> Result<u32, EnforceError> {
    let found =
        socket.ask("the ruleset's generation", message::get_generation(), |id: &mut Option<u32>, message| {
            if message.number() == Some(number::NEW_GENERATION) {
                *id = message.attributes().u32(attr::GENERATION_ID);
            }
        })?;
    found.flatten().ok_or(EnforceError::Unconfirmed { acknowledged: 0, expected: 1 })
}

impl Shape {
    /// Reads the table's form; nothing if there is no table.
    ///
    /// # Errors
    /// `Restless` if others change the ruleset all the time.
    pub fn read(socket: &mut Socket) -> Result<Option<Self>, EnforceError> {
        for _ in 0..READINGS {
            let before = generation(socket)?;
            let form = Form::read(socket)?;
            let armed = armed(elements(socket, Set::Armed)?.iter().map(|(key, _)| key.as_slice()));
            if generation(socket)? == before {
                return Ok(form.map(|form| Self { generation: before, form, armed }));
            }
        }
        Err(EnforceError::Restless(READINGS))
    }

    /// The form after one transaction of Picket's own: reads what that was about, or the whole if that is less work or if somebody
    /// else changed something too.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn after(mut self, socket: &mut Socket, changed: &Changed) -> Result<Option<Self>, EnforceError> {
        let now = generation(socket)?;
        if now != self.next_generation() || changed.chains.len() > SINGLY {
            return Self::read(socket);
        }
        if changed.heads {
            let heads = heads(socket)?;
            self.form.chains.retain(|name, _| heads.contains_key(name));
            for (name, head) in heads {
                self.form.chains.entry(name).or_default().head = head;
            }
        }
        for name in changed.chains.keys().filter(|name| *name != USER) {
            let mut content = rules(socket, message::dump_rules(name))?;
            let (rules, content) = content.remove(name).unwrap_or_default();
            let chain = self.form.chains.entry(name.clone()).or_default();
            (chain.rules, chain.content) = (rules, content);
        }
        for set in changed.filled.iter().copied().filter(|set| is_filled(*set)) {
            self.form.filled.insert(set, filling(socket, set)?);
        }
        self.generation = now;
        if generation(socket)? == now { Ok(Some(self)) } else { Self::read(socket) }
    }

    /// The generation after one change; the kernel leaves out zero when it counts.
    pub fn next_generation(&self) -> u32 {
        self.generation.checked_add(1).unwrap_or(1)
    }

    /// Whether the table's form is the same, at whatever generation.
    pub fn is_as(&self, other: &Self) -> bool {
        self.form == other.form && self.armed == other.armed
    }

    /// How many rules there are in all.
    pub fn rules(&self) -> usize {
        self.form.chains.values().map(|chain| chain.rules).sum()
    }

    /// Chains, sets and rules that are there.
    pub fn parts(&self) -> usize {
        self.form.chains.len() + self.form.sets.len() + self.rules()
    }

    /// The rules that are there of those that should be in some chains.
    pub fn rules_of(&self, chains: &BTreeMap<String, usize>) -> usize {
        chains.iter().map(|(name, wanted)| self.form.chains.get(name).map_or(0, |c| c.rules).min(*wanted)).sum()
    }

    /// A digest of the whole form.
    pub fn fingerprint(&self) -> u64 {
        let mut digest = Digest::new();
        digest.feed(&self.form.flags.to_be_bytes());
        for (name, chain) in &self.form.chains {
            digest.feed(name.as_bytes());
            digest.feed(&chain.head.0.to_be_bytes());
            digest.feed(&chain.content.0.to_be_bytes());
        }
        for (name, set) in &self.form.sets {
            digest.feed(name.as_bytes());
            digest.feed(&set.to_be_bytes());
        }
        for (set, filling) in &self.form.filled {
            digest.feed(set.text().as_bytes());
            digest.feed(&filling.to_be_bytes());
        }
        digest.0
    }
}

impl Form {
    fn read(socket: &mut Socket) -> Result<Option<Self>, EnforceError> {
        let flags = socket.ask("table bridge picket", message::get_table(), |flags: &mut Option<u32>, message| {
            if message.number() == Some(number::NEW_TABLE) {
                *flags = message.attributes().u32(attr::TABLE_FLAGS);
            }
        })?;
        let Some(flags) = flags else { return Ok(None) };
        let mut form = Self { flags: flags.unwrap_or_default(), ..Self::default() };
        for (name, head) in heads(socket)? {
            form.chains.entry(name).or_default().head = head;
        }
        for (name, (rules, content)) in rules(socket, message::dump(number::GET_RULE))? {
            let chain = form.chains.entry(name).or_default();
            (chain.rules, chain.content) = (rules, content);
        }
        form.sets = list(socket, number::GET_SET, set)?.into_iter().collect();
        for set in Set::ALL.into_iter().filter(|set| is_filled(*set)) {
            form.filled.insert(set, filling(socket, set)?);
        }
        Ok(Some(form))
    }
}

/// Whether a set holds what the ruleset says and nothing else.
fn is_filled(set: Set) -> bool {
    Set::NEVER.contains(&set) || Set::OF_POLICY.contains(&set) && !set.is_timed()
}

fn filling(socket: &mut Socket, set: Set) -> Result<u64, EnforceError> {
    let mut digest = Digest::new();
    elements(socket, set)?.iter().for_each(|(key, _)| digest.feed(key));
    Ok(digest.0)
}

/// Every chain but the owner's own, with a digest of what it is.
fn heads(socket: &mut Socket) -> Result<BTreeMap<String, Digest>, EnforceError> {
    let all = list(socket, number::GET_CHAIN, chain)?;
    Ok(all.into_iter().filter(|(name, _)| name != USER).collect())
}

/// By chain the number of rules and a digest of them; within a chain the order is the kernel's own.
fn rules(socket: &mut Socket, request: Vec<u8>) -> Result<BTreeMap<String, (usize, Digest)>, EnforceError> {
    type Rules = BTreeMap<String, (usize, Digest)>;
    let found = socket.ask("table bridge picket", request, |all: &mut Rules, message| {
        let ours = message.attributes().text(attr::OF_TABLE) == Some(TABLE);
        let Some((chain, expressions)) = rule(message).filter(|(chain, _)| ours && *chain != USER) else { return };
        if !all.contains_key(chain) {
            all.insert(chain.to_owned(), (0, Digest::new()));
        }
        if let Some((count, digest)) = all.get_mut(chain) {
            *count += 1;
            digest.feed(expressions);
        }
    })?;
    Ok(found.unwrap_or_default())
}

fn rule<'a>(message: &Message<'a>) -> Option<(&'a str, &'a [u8])> {
    let of = (message.number()? == number::NEW_RULE).then(|| message.attributes())?;
    Some((of.text(attr::RULE_CHAIN)?, of.value(attr::RULE_EXPRESSIONS).unwrap_or_default()))
}

fn chain(message: &Message<'_>) -> Option<(String, Digest)> {
    let of = (message.number()? == number::NEW_CHAIN).then(|| message.attributes())?;
    let hook = of.inside(attr::CHAIN_HOOK);
    let parts = [
        hook.value(attr::HOOK_NUMBER),
        hook.value(attr::HOOK_PRIORITY),
        of.value(attr::CHAIN_POLICY),
        of.value(attr::CHAIN_TYPE),
    ];
    Some((of.text(attr::CHAIN_NAME)?.to_owned(), Digest::of(&parts)))
}

fn set(message: &Message<'_>) -> Option<(String, u64)> {
    let of = (message.number()? == number::NEW_SET).then(|| message.attributes())?;
    let parts = [of.value(attr::SET_FLAGS), of.value(attr::SET_KEY_TYPE), of.value(attr::SET_KEY_LEN)];
    Some((of.text(attr::SET_NAME)?.to_owned(), Digest::of(&parts).0))
}

/// How many named things a message tells of.
pub(crate) fn named(message: &Message<'_>) -> usize {
    usize::from(chain(message).is_some()) + usize::from(rule(message).is_some()) + usize::from(set(message).is_some())
}

impl Digest {
    const fn new() -> Self {
        Self(FNV_BEGINS)
    }

    /// Of parts that may be missing, which differs from empty ones.
    fn of(parts: &[Option<&[u8]>]) -> Self {
        let mut digest = Self::new();
        for part in parts {
            digest.feed(&[u8::from(part.is_some())]);
            digest.feed(part.unwrap_or_default());
        }
        digest
    }

    /// Feeds a part behind its length, so that none can pass for another.
    fn feed(&mut self, part: &[u8]) {
        let len = (part.len() as u64).to_be_bytes();
        self.0 = fnv(fnv(self.0, &len), part);
    }
}

impl Default for Digest {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_part_differs_from_an_empty_one() {
        assert_ne!(Digest::of(&[None]), Digest::of(&[Some(&[])]));
        let (mut a, mut b) = (Digest::new(), Digest::new());
        a.feed(b"ab");
        b.feed(b"a");
        b.feed(b"b");
        assert_ne!(a.0, b.0);
    }
}
