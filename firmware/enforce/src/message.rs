//! The messages that nftnl has no words for: elements with a time to live, named counters, requests to list.
//!
//! **Source**: `include/uapi/linux/netfilter/nf_tables.h`.

use nftnl_sys::libc;
use policy::Name;
use terms::Span;

use crate::attribute::Writer;
use crate::key::Key;
use crate::layout::{Set, TABLE};

/// Message numbers.
pub(crate) mod number {
    pub const NEW_TABLE: u16 = 0;
    pub const GET_TABLE: u16 = 1;
    pub const NEW_CHAIN: u16 = 3;
    pub const GET_CHAIN: u16 = 4;
    pub const DEL_CHAIN: u16 = 5;
    pub const NEW_RULE: u16 = 6;
    pub const GET_RULE: u16 = 7;
    pub const NEW_SET: u16 = 9;
    pub const GET_SET: u16 = 10;
    pub const NEW_ELEMENT: u16 = 12;
    pub const GET_ELEMENT: u16 = 13;
    pub const DEL_ELEMENT: u16 = 14;
    pub const NEW_GENERATION: u16 = 15;
    pub const GET_GENERATION: u16 = 16;
    pub const NEW_OBJECT: u16 = 18;
    pub const GET_OBJECT: u16 = 19;
    pub const DEL_OBJECT: u16 = 20;
    /// Since Linux 6.3: as the deletions, but what is missing is no error.
    pub const DESTROY_TABLE: u16 = 26;
    pub const DESTROY_ELEMENT: u16 = 30;
}

/// Attribute kinds.
pub(crate) mod attr {
    pub const TABLE_NAME: u16 = 1;
    pub const TABLE_FLAGS: u16 = 2;
    pub const CHAIN_NAME: u16 = 3;
    pub const CHAIN_HOOK: u16 = 4;
    pub const CHAIN_POLICY: u16 = 5;
    pub const CHAIN_TYPE: u16 = 7;
    pub const HOOK_NUMBER: u16 = 1;
    pub const HOOK_PRIORITY: u16 = 2;
    /// In the messages of chains, rules, sets and objects alike.
    pub const OF_TABLE: u16 = 1;
    pub const RULE_CHAIN: u16 = 2;
    pub const RULE_EXPRESSIONS: u16 = 4;
    pub const SET_NAME: u16 = 2;
    pub const SET_FLAGS: u16 = 3;
    pub const SET_KEY_TYPE: u16 = 4;
    pub const SET_KEY_LEN: u16 = 5;
    pub const LIST_TABLE: u16 = 1;
    pub const LIST_SET: u16 = 2;
    pub const LIST_ELEMENTS: u16 = 3;
    pub const ELEMENT: u16 = 1;
    pub const ELEMENT_KEY: u16 = 1;
    pub const ELEMENT_DATA: u16 = 2;
    pub const ELEMENT_FLAGS: u16 = 3;
    pub const ELEMENT_TIMEOUT: u16 = 4;
    pub const ELEMENT_EXPIRATION: u16 = 5;
    pub const ELEMENT_EXPRESSION: u16 = 7;
    pub const EXPRESSION_DATA: u16 = 2;
    pub const DATA_VALUE: u16 = 1;
    pub const DATA_VERDICT: u16 = 2;
    pub const VERDICT_CODE: u16 = 1;
    pub const VERDICT_CHAIN: u16 = 2;
    pub const OBJECT_NAME: u16 = 2;
    pub const OBJECT_TYPE: u16 = 3;
    pub const OBJECT_DATA: u16 = 4;
    pub const COUNTER_OCTETS: u16 = 1;
    pub const COUNTER_PACKETS: u16 = 2;
    pub const GENERATION_ID: u16 = 1;
}

/// nftables' number for a named counter.
pub(crate) const COUNTER: u32 = 1;
/// Elements a message: keeps the list under the 65,535 octets that an attribute's length can say.
const ELEMENTS: usize = 1_024;
/// The longest that a block lasts, so that no kernel's clock arithmetic overflows: ten years.
const LONGEST_MS: u64 = 10 * 366 * 86_400 * 1_000;

const REQUEST: u16 = 0x1;
const ACK: u16 = 0x4;
const DUMP: u16 = 0x300;
const CREATE: u16 = 0x400;

/// What is done with elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// Added; one that is there stays as it is, and from Linux 6.12 on takes the new time.
    Add,
    /// Removed; one that is missing is an error.
    Remove,
    /// Removed if it is there (Linux 6.3).
    Destroy,
}

/// Elements of one set, in as many messages as they need.
pub(crate) fn elements<'a>(
    act: Act,
    set: Set,
    elements: &'a [(Key, Option<Span>)],
) -> impl Iterator<Item = Vec<u8>> + use<'a> {
    listed(act, set, ELEMENTS, elements, move |writer, (key, lasts)| {
        put_key(writer, key);
        if let (Act::Add, Some(lasts)) = (act, lasts) {
            writer.put(attr::ELEMENT_TIMEOUT, &millis(*lasts).to_be_bytes());
        }
    })
}

/// An element of a set that only the ruleset fills.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Special {
    /// Of a set like any other.
    Plain(Key),
    /// Frames with the key go through this chain, or pass where there is none.
    Way(Key, Option<Name>),
    /// Where an interval begins.
    First(Key),
    /// Where one has ended.
    Past(Key),
}

/// Adds such elements to a set.
pub(crate) fn specials<'a>(set: Set, all: &'a [Special]) -> impl Iterator<Item = Vec<u8>> + use<'a> {
    // A chain's name makes an element twice as long.
    listed(Act::Add, set, ELEMENTS / 2, all, |writer, special| {
        let (Special::Plain(key) | Special::Way(key, _) | Special::First(key) | Special::Past(key)) = special;
        put_key(writer, key);
        match special {
            Special::Way(_, chain) => put_way(writer, chain.as_deref()),
            Special::Past(_) => writer.put(attr::ELEMENT_FLAGS, &1_u32.to_be_bytes()),
            Special::Plain(_) | Special::First(_) => {}
        }
    })
}

/// Messages with so many elements each, which `put` writes one by one.
fn listed<T>(
    act: Act,
    set: Set,
    a_message: usize,
    all: &[T],
    put: impl Fn(&mut Writer, &T),
) -> impl Iterator<Item = Vec<u8>> {
    all.chunks(a_message).map(move |chunk| {
        let mut writer = list(act, set);
        let list = writer.open(attr::LIST_ELEMENTS);
        for one in chunk {
            let element = writer.open(attr::ELEMENT);
            put(&mut writer, one);
            writer.end(element);
        }
        writer.end(list);
        writer.finish()
    })
}

fn put_key(writer: &mut Writer, key: &Key) {
    let value = writer.open(attr::ELEMENT_KEY);
    writer.put(attr::DATA_VALUE, key.octets());
    writer.end(value);
}

/// The verdict that a key stands for: through a chain, or on.
fn put_way(writer: &mut Writer, chain: Option<&str>) {
    let data = writer.open(attr::ELEMENT_DATA);
    let verdict = writer.open(attr::DATA_VERDICT);
    let code = if chain.is_some() { libc::NFT_GOTO } else { libc::NF_ACCEPT };
    writer.put(attr::VERDICT_CODE, &code.to_be_bytes());
    if let Some(chain) = chain {
        writer.put_text(attr::VERDICT_CHAIN, chain);
    }
    writer.end(verdict);
    writer.end(data);
}

/// Removes a chain, which must be empty and referred to by nothing by then.
pub(crate) fn delete_chain(name: &str) -> Vec<u8> {
    let mut writer = Writer::new(number::DEL_CHAIN, REQUEST | ACK);
    writer.put_text(attr::OF_TABLE, TABLE);
    writer.put_text(attr::CHAIN_NAME, name);
    writer.finish()
}

/// Removes a named counter, to which nothing refers by then.
pub(crate) fn delete_counter(name: &str) -> Vec<u8> {
    let mut writer = Writer::new(number::DEL_OBJECT, REQUEST | ACK);
    writer.put_text(attr::OF_TABLE, TABLE);
    writer.put_text(attr::OBJECT_NAME, name);
    writer.put(attr::OBJECT_TYPE, &COUNTER.to_be_bytes());
    writer.finish()
}

/// Empties a set.
pub(crate) fn flush(set: Set) -> Vec<u8> {
    list(Act::Remove, set).finish()
}

/// A named counter; one that is there keeps its numbers.
pub(crate) fn counter(name: &str) -> Vec<u8> {
    counter_in(TABLE, name)
}

/// A named counter of any table.
pub(crate) fn counter_in(table: &str, name: &str) -> Vec<u8> {
    let mut writer = Writer::new(number::NEW_OBJECT, REQUEST | CREATE | ACK);
    writer.put_text(attr::OF_TABLE, table);
    writer.put_text(attr::OBJECT_NAME, name);
    writer.put(attr::OBJECT_TYPE, &COUNTER.to_be_bytes());
    let data = writer.open(attr::OBJECT_DATA);
    writer.put(attr::COUNTER_OCTETS, &0u64.to_be_bytes());
    writer.put(attr::COUNTER_PACKETS, &0u64.to_be_bytes());
    writer.end(data);
    writer.finish()
}

/// Removes a table that may be missing (Linux 6.3).
pub(crate) fn destroy_table(name: &str) -> Vec<u8> {
    let mut writer = Writer::new(number::DESTROY_TABLE, REQUEST | ACK);
    writer.put_text(attr::TABLE_NAME, name);
    writer.finish()
}

/// A request for one named counter.
pub(crate) fn get_counter(name: &str) -> Vec<u8> {
    let mut writer = Writer::new(number::GET_OBJECT, REQUEST);
    writer.put_text(attr::OF_TABLE, TABLE);
    writer.put_text(attr::OBJECT_NAME, name);
    writer.put(attr::OBJECT_TYPE, &COUNTER.to_be_bytes());
    writer.finish()
}

/// A request for Picket's table itself.
pub(crate) fn get_table() -> Vec<u8> {
    let mut writer = Writer::new(number::GET_TABLE, REQUEST);
    writer.put_text(attr::TABLE_NAME, TABLE);
    writer.finish()
}

/// A request for the number that each change of the ruleset raises.
pub(crate) fn get_generation() -> Vec<u8> {
    Writer::new(number::GET_GENERATION, REQUEST).finish()
}

/// A request to list all objects of one kind; those of other tables are for the reader to leave out.
pub(crate) fn dump(kind: u16) -> Vec<u8> {
    let mut writer = Writer::new(kind, REQUEST | DUMP);
    if matches!(kind, number::GET_RULE | number::GET_SET) {
        writer.put_text(attr::OF_TABLE, TABLE);
    }
    writer.finish()
}

/// A request to list the rules of one chain.
pub(crate) fn dump_rules(chain: &str) -> Vec<u8> {
    let mut writer = Writer::new(number::GET_RULE, REQUEST | DUMP);
    writer.put_text(attr::OF_TABLE, TABLE);
    writer.put_text(attr::RULE_CHAIN, chain);
    writer.finish()
}

/// A request to list a set's elements.
pub(crate) fn dump_elements(set: Set) -> Vec<u8> {
    let mut writer = Writer::new(number::GET_ELEMENT, REQUEST | DUMP);
    writer.put_text(attr::LIST_TABLE, TABLE);
    writer.put_text(attr::LIST_SET, set.text());
    writer.finish()
}

fn list(act: Act, set: Set) -> Writer {
    let mut writer = match act {
        Act::Add => Writer::new(number::NEW_ELEMENT, REQUEST | CREATE | ACK),
        Act::Remove => Writer::new(number::DEL_ELEMENT, REQUEST | ACK),
        Act::Destroy => Writer::new(number::DESTROY_ELEMENT, REQUEST | ACK),
    };
    writer.put_text(attr::LIST_TABLE, TABLE);
    writer.put_text(attr::LIST_SET, set.text());
    writer
}

/// Whole milliseconds, never zero (which would mean "without end") and never past the bound.
fn millis(span: Span) -> u64 {
    span.micros().div_ceil(1_000).clamp(1, LONGEST_MS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribute::{Attributes, Messages};
    use policy::BlockTarget;
    use std::net::{IpAddr, Ipv6Addr};
    use terms::MacAddr;

    fn read(octets: &[u8]) -> Attributes<'_> {
        Messages::new(octets).next().unwrap().attributes()
    }

    #[test]
    fn a_block_shorter_than_a_millisecond_still_ends() {
        assert_eq!(millis(Span::ZERO), 1);
        assert_eq!(millis(Span::from_micros(1_001)), 2);
        assert_eq!(millis(Span::from_micros(u64::MAX)), LONGEST_MS);
    }

    #[test]
    fn many_elements_go_into_messages_that_an_attribute_can_hold() {
        let all: Vec<_> = (0..2_500u128)
            .map(|n| BlockTarget::MacAndAddress(MacAddr::ZERO, IpAddr::V6(Ipv6Addr::from(n))))
            .map(|target| (Key::of_block(target).1, Some(Span::from_secs(600))))
            .collect();
        let messages: Vec<_> = elements(Act::Add, Set::BlockedMacV6, &all).collect();
        let counts: Vec<_> = messages.iter().map(|m| read(m).inside(attr::LIST_ELEMENTS).count()).collect();
        assert_eq!(counts, [1_024, 1_024, 452]);
        assert!(messages.iter().all(|m| m.len() < usize::from(u16::MAX)));
    }

    #[test]
    fn emptying_names_the_set_and_no_element() {
        let octets = flush(Set::NeverV4);
        assert_eq!(read(&octets).text(attr::LIST_SET), Some("never_v4"));
        assert_eq!(read(&octets).value(attr::LIST_ELEMENTS), None);
    }

    #[test]
    fn a_removal_says_no_time() {
        let (set, key) = Key::of_block(BlockTarget::Mac(MacAddr::ZERO));
        let octets = elements(Act::Remove, set, &[(key, Some(Span::from_secs(1)))]).next().unwrap();
        let (_, element) = read(&octets).inside(attr::LIST_ELEMENTS).next().unwrap();
        assert_eq!(Attributes::new(element).value(attr::ELEMENT_TIMEOUT), None);
    }
}
