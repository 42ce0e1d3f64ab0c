//! What the kernel lists, as plain values.

use policy::{BlockTarget, USER};
use terms::Span;

use crate::attribute::{Attributes, Message, Messages};
use crate::error::EnforceError;
use crate::layout::{Set, TABLE};
use crate::message::{self, attr, number};
use crate::ruleset::Standing;
use crate::socket::{self, Socket};

/// How often the whole is read anew because others changed the ruleset meanwhile.
const READINGS: usize = 10;

/// Everything that the kernel holds of table `bridge picket`, read at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Whether the table is there.
    pub table: bool,
    /// The blocks with the time left, sorted by target.
    ///
    /// **Units**: the kernel counts milliseconds. A block that somebody added without an end has `u64::MAX` microseconds left.
    pub blocks: Vec<(BlockTarget, Span)>,
    /// How many rules there are in all chains of the table.
    pub rules: usize,
    /// A digest of chains, rules, the sets' definitions and what may never be blocked, without counters, blocks and handles: equal
    /// rulesets have equal ones, as long as the kernel runs.
    pub fingerprint: u64,
    /// What the named counters say.
    pub dropped: Vec<Dropped>,
}

/// What one named counter says.
///
/// A broadcast counts once for each way that it would have gone: to the other side, and to the box itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// The counter's name, one of `COUNTERS` unless somebody else added it.
    pub name: String,
    /// Frames dropped.
    pub packets: u64,
    /// Their octets, without the Ethernet header.
    pub octets: u64,
}

/// The table's form at one generation of the kernel's ruleset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub generation: u32,
    pub rules: usize,
    pub chains: usize,
    pub sets: usize,
    pub fingerprint: u64,
    /// A digest of the links that are armed.
    pub armed: u64,
}

/// Digest of what is fed, part by part (FNV-1a: nobody gains from a collision who could not change the table itself).
struct Digest(u64);

/// Elements of a set: key, and the time left if it ends.
type Elements = Vec<(Vec<u8>, Option<Span>)>;

/// Reads everything; `Held::default()` if there is no table.
pub(crate) fn read(socket: &mut Socket) -> Result<Held, EnforceError> {
    let Some(shape) = shape(socket)? else {
        return Ok(Held::default());
    };
    let blocks = blocks(socket)?;
    let dropped = list(socket, number::GET_OBJECT, counter)?;
    Ok(Held { table: true, blocks, rules: shape.rules, fingerprint: shape.fingerprint, dropped })
}

/// The blocks with the time left, sorted by target; none where their sets are missing.
pub(crate) fn blocks(socket: &mut Socket) -> Result<Vec<(BlockTarget, Span)>, EnforceError> {
    let mut blocks = Vec::new();
    for set in Set::BLOCKED {
        let elements = elements(socket, set)?;
        blocks.extend(
            elements
                .into_iter()
                .filter_map(|(key, left)| Some((set.target(&key)?, left.unwrap_or(Span::from_micros(u64::MAX))))),
        );
    }
    blocks.sort_unstable();
    Ok(blocks)
}

/// The names of chains and counters; none where there is no table.
pub(crate) fn standing(socket: &mut Socket) -> Result<Standing, EnforceError> {
    let chains = list(socket, number::GET_CHAIN, chain)?.into_iter().map(|(name, _)| name).collect();
    let counters = list(socket, number::GET_OBJECT, counter)?.into_iter().map(|counter| counter.name).collect();
    Ok(Standing { chains, counters })
}

/// The digest where no link is armed.
pub(crate) const NONE_ARMED: u64 = Digest::new().0;

/// A digest of armed links, in any order.
pub(crate) fn armed<'a>(links: impl Iterator<Item = &'a [u8]>) -> u64 {
    let (mut digest, mut links) = (Digest::new(), links.collect::<Vec<_>>());
    links.sort_unstable();
    links.iter().for_each(|link| digest.feed(link));
    digest.0
}

/// The table's form; nothing if there is no table.
pub(crate) fn shape(socket: &mut Socket) -> Result<Option<Shape>, EnforceError> {
    for _ in 0..READINGS {
        let before = generation(socket)?;
        let shape = shape_once(socket, before)?;
        if generation(socket)? == before {
            return Ok(shape);
        }
    }
    Err(EnforceError::Restless(READINGS))
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

fn shape_once(socket: &mut Socket, generation: u32) -> Result<Option<Shape>, EnforceError> {
    let flags = socket.ask("table bridge picket", message::get_table(), |flags: &mut Option<u32>, message| {
        if message.number() == Some(number::NEW_TABLE) {
            *flags = message.attributes().u32(attr::TABLE_FLAGS);
        }
    })?;
    let Some(flags) = flags else {
        return Ok(None);
    };
    let mut digest = Digest::new();
    digest.feed(&flags.unwrap_or_default().to_be_bytes());
    let mut chains = list(socket, number::GET_CHAIN, chain)?;
    chains.retain(|(name, _)| name != USER);
    chains.sort_unstable();
    let mut rules = list(socket, number::GET_RULE, rule)?;
    // What the owner writes there is nobody else's business.
    rules.retain(|(chain, _)| chain != USER);
    // By chain; within a chain the order is the kernel's own.
    rules.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut sets = list(socket, number::GET_SET, set)?;
    sets.sort_unstable();
    for (name, parts) in chains.iter().chain(&rules).chain(&sets) {
        digest.feed(name.as_bytes());
        digest.feed(parts);
    }
    for set in Set::NEVER.into_iter().chain(Set::OF_POLICY).filter(|set| !set.is_timed()) {
        digest.feed(set.text().as_bytes());
        elements(socket, set)?.iter().for_each(|(key, _)| digest.feed(key));
    }
    let armed = armed(elements(socket, Set::Armed)?.iter().map(|(key, _)| key.as_slice()));
    let (chains, sets) = (chains.len(), sets.len());
    Ok(Some(Shape { generation, rules: rules.len(), chains, sets, fingerprint: digest.0, armed }))
}

/// All objects of one kind in Picket's table.
fn list<T>(socket: &mut Socket, kind: u16, read: fn(&Message<'_>) -> Option<T>) -> Result<Vec<T>, EnforceError> {
    let found = socket.ask("table bridge picket", message::dump(kind), |all: &mut Vec<T>, message| {
        // In each kind's messages the first attribute is the table's name.
        if message.attributes().text(attr::OF_TABLE) == Some(TABLE) {
            all.extend(read(message));
        }
    })?;
    Ok(found.unwrap_or_default())
}

/// A set's elements, sorted, each once; none if there is no such set.
///
/// A set that grew a moment ago is moved into a larger table behind everybody's back: a list made meanwhile tells some elements twice
/// and others not at all, and is not marked as interrupted.
pub(crate) fn elements(socket: &mut Socket, set: Set) -> Result<Elements, EnforceError> {
    let object = format!("set {}", set.text());
    for _ in 0..READINGS {
        let found = socket
            .ask(&object, message::dump_elements(set), |all: &mut Elements, message| all.extend(keys(message)))?;
        let mut elements = found.unwrap_or_default();
        elements.sort_unstable();
        if elements.windows(2).all(|two| two[0].0 != two[1].0) {
            return Ok(elements);
        }
    }
    Err(EnforceError::Restless(READINGS))
}

fn keys<'a>(message: &Message<'a>) -> impl Iterator<Item = (Vec<u8>, Option<Span>)> + use<'a> {
    let is_list = message.number() == Some(number::NEW_ELEMENT);
    let list = if is_list { message.attributes().inside(attr::LIST_ELEMENTS) } else { Attributes::new(&[]) };
    list.filter_map(|(_, element)| {
        let element = Attributes::new(element);
        let key = element.inside(attr::ELEMENT_KEY).value(attr::DATA_VALUE)?;
        // None of Picket's own has flags; in somebody's set of intervals one ends where the next begins.
        let flags = element.value(attr::ELEMENT_FLAGS).unwrap_or_default();
        Some(([key, flags].concat(), element.u64(attr::ELEMENT_EXPIRATION).map(Span::from_millis)))
    })
}

fn chain(message: &Message<'_>) -> Option<(String, Vec<u8>)> {
    let of = (message.number()? == number::NEW_CHAIN).then(|| message.attributes())?;
    let hook = of.inside(attr::CHAIN_HOOK);
    let parts = [
        hook.value(attr::HOOK_NUMBER),
        hook.value(attr::HOOK_PRIORITY),
        of.value(attr::CHAIN_POLICY),
        of.value(attr::CHAIN_TYPE),
    ];
    Some((of.text(attr::CHAIN_NAME)?.to_owned(), join(&parts)))
}

fn rule(message: &Message<'_>) -> Option<(String, Vec<u8>)> {
    let of = (message.number()? == number::NEW_RULE).then(|| message.attributes())?;
    Some((of.text(attr::RULE_CHAIN)?.to_owned(), of.value(attr::RULE_EXPRESSIONS).unwrap_or_default().to_vec()))
}

fn set(message: &Message<'_>) -> Option<(String, Vec<u8>)> {
    let of = (message.number()? == number::NEW_SET).then(|| message.attributes())?;
    let parts = [of.value(attr::SET_FLAGS), of.value(attr::SET_KEY_TYPE), of.value(attr::SET_KEY_LEN)];
    Some((of.text(attr::SET_NAME)?.to_owned(), join(&parts)))
}

fn counter(message: &Message<'_>) -> Option<Dropped> {
    let of = (message.number()? == number::NEW_OBJECT).then(|| message.attributes())?;
    let data = of.inside(attr::OBJECT_DATA);
    (of.u32(attr::OBJECT_TYPE)? == message::COUNTER).then_some(Dropped {
        name: of.text(attr::OBJECT_NAME)?.to_owned(),
        packets: data.u64(attr::COUNTER_PACKETS)?,
        octets: data.u64(attr::COUNTER_OCTETS)?,
    })
}

/// Parts behind their lengths, so that none can pass for another.
fn join(parts: &[Option<&[u8]>]) -> Vec<u8> {
    let one = |part: &Option<&[u8]>| {
        let len = part.map_or(u64::MAX, |p| p.len() as u64);
        [&len.to_be_bytes(), part.unwrap_or_default()].concat()
    };
    parts.iter().flat_map(one).collect()
}

impl Digest {
    const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn feed(&mut self, part: &[u8]) {
        let len = (part.len() as u64).to_be_bytes();
        for &octet in len.iter().chain(part) {
            self.0 = (self.0 ^ u64::from(octet)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

/// Reads octets as every kind of answer.
pub(crate) fn read_anything(octets: &[u8]) -> usize {
    let read = |m: Message<'_>| {
        let named = [chain(&m), rule(&m), set(&m)].iter().flatten().count();
        named + counter(&m).iter().count() + keys(&m).count()
    };
    Messages::new(octets).map(read).sum::<usize>() + socket::read_answers(octets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribute::Writer;
    use crate::key::Key;
    use std::net::IpAddr;

    fn listed() -> Vec<u8> {
        let (_, key) = Key::of_block(BlockTarget::Address("10.0.0.1".parse::<IpAddr>().unwrap()));
        let elements = message::elements(message::Act::Add, Set::BlockedV4, &[(key, None)]).next().unwrap();
        let mut rule = Writer::new(number::NEW_RULE, 0);
        rule.put_text(attr::OF_TABLE, TABLE);
        rule.put_text(attr::RULE_CHAIN, "forward");
        rule.put(attr::RULE_EXPRESSIONS, &[1, 2, 3]);
        [elements, message::counter("blocked_lan"), rule.finish()].concat()
    }

    #[test]
    fn each_kind_of_object_is_read_once() {
        assert_eq!(read_anything(&listed()), 3);
    }

    #[test]
    fn octets_cut_or_bent_anywhere_are_read_without_a_panic() {
        let octets = listed();
        for at in 0..octets.len() {
            assert!(read_anything(&octets[..at]) <= 2, "{at}");
            for bent in [0, 1, 0x7f, 0x80, 0xff] {
                let mut octets = octets.clone();
                octets[at] = bent;
                let _ = read_anything(&octets);
            }
        }
    }

    #[test]
    fn a_missing_part_differs_from_an_empty_one() {
        assert_ne!(join(&[None]), join(&[Some(&[])]));
        let (mut a, mut b) = (Digest::new(), Digest::new());
        a.feed(b"ab");
        b.feed(b"a");
        b.feed(b"b");
        assert_ne!(a.0, b.0);
    }
}
