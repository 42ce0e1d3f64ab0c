//! What the kernel lists, as plain values.

use policy::BlockTarget;
use terms::Span;

use crate::attribute::{Attributes, Message, Messages};
use crate::change::Standing;
use crate::connections;
use crate::error::EnforceError;
use crate::layout::{Set, TABLE};
use crate::message::{self, attr, number};
use crate::shape::{self, READINGS, Shape};
use crate::socket::{self, Socket};

/// Everything that the kernel holds of table `bridge picket`.
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

/// Elements of a set: key, and the time left if it ends.
type Elements = Vec<(Vec<u8>, Option<Span>)>;

/// Reads blocks and counters, and says of the table's form what was read of it; `Held::default()` if there is no table.
pub(crate) fn read(socket: &mut Socket, shape: Option<&Shape>) -> Result<Held, EnforceError> {
    let Some(shape) = shape else { return Ok(Held::default()) };
    let blocks = blocks(socket)?;
    let dropped = list(socket, number::GET_OBJECT, counter)?;
    Ok(Held { table: true, blocks, rules: shape.rules(), fingerprint: shape.fingerprint(), dropped })
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
    let name = |message: &Message<'_>| {
        let of = (message.number()? == number::NEW_CHAIN).then(|| message.attributes())?;
        of.text(attr::CHAIN_NAME).map(str::to_owned)
    };
    let chains = list(socket, number::GET_CHAIN, name)?;
    let counters = list(socket, number::GET_OBJECT, counter)?.into_iter().map(|counter| counter.name).collect();
    Ok(Standing { chains, counters })
}

/// All objects of one kind in Picket's table.
pub(crate) fn list<T>(
    socket: &mut Socket,
    kind: u16,
    read: fn(&Message<'_>) -> Option<T>,
) -> Result<Vec<T>, EnforceError> {
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

fn counter(message: &Message<'_>) -> Option<Dropped> {
    let of = (message.number()? == number::NEW_OBJECT).then(|| message.attributes())?;
    let data = of.inside(attr::OBJECT_DATA);
    (of.u32(attr::OBJECT_TYPE)? == message::COUNTER).then_some(Dropped {
        name: of.text(attr::OBJECT_NAME)?.to_owned(),
        packets: data.u64(attr::COUNTER_PACKETS)?,
        octets: data.u64(attr::COUNTER_OCTETS)?,
    })
}

/// Reads octets as every kind of answer.
pub(crate) fn read_anything(octets: &[u8]) -> usize {
    let read = |m: Message<'_>| {
        shape::named(&m) + counter(&m).iter().count() + keys(&m).count() + connections::read_anything(&m)
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
}
