//! Messages on their way into one transaction, each under the name of its object.

use std::ffi::c_void;
use std::ops::Range;

use nftnl::{Batch, MsgType, NlMsg};
use terms::Span;

use crate::attribute::{Attributes, HEADER, PREFIX, set_seq};
use crate::key::Key;
use crate::layout::{Set, TABLE};
use crate::message::{self, Act, Special, attr};

/// A transaction that nobody has sent.
pub(crate) struct Draft {
    batch: Batch,
    parts: Vec<Part>,
}

/// A transaction with its end, ready to be sent as one request.
pub(crate) struct Ready {
    /// Every message, first to last.
    pub octets: Vec<u8>,
    /// The sequence numbers that the kernel answers.
    pub answers: Range<u32>,
    parts: Vec<Part>,
}

/// What one message is about.
struct Part {
    object: String,
    /// The message itself where it carries elements, to find the one at fault.
    elements: Option<(Set, Vec<u8>)>,
}

/// Octets that `message` wrote.
struct Written<'a>(&'a [u8]);

impl Draft {
    pub fn new() -> Self {
        Self { batch: Batch::new(), parts: Vec::new() }
    }

    pub fn add(&mut self, object: impl Into<String>, message: &impl NlMsg) {
        self.put(object.into(), message, MsgType::Add);
    }

    pub fn remove(&mut self, object: impl Into<String>, message: &impl NlMsg) {
        self.put(object.into(), message, MsgType::Del);
    }

    /// A message that nftnl has no words for.
    pub fn write(&mut self, object: impl Into<String>, octets: &[u8]) {
        self.put(object.into(), &Written(octets), MsgType::Add);
    }

    pub fn elements(&mut self, act: Act, set: Set, elements: &[(Key, Option<Span>)]) {
        self.put_elements(set, message::elements(act, set, elements));
    }

    /// Makes a set that only the ruleset fills hold these and no others.
    pub fn refill_special(&mut self, set: Set, all: &[Special]) {
        self.write(format!("elements of set {}", set.text()), &message::flush(set));
        self.put_elements(set, message::specials(set, all));
    }

    /// Makes a set hold these elements and no others.
    pub fn refill(&mut self, set: Set, elements: &[(Key, Option<Span>)]) {
        self.write(format!("elements of set {}", set.text()), &message::flush(set));
        self.elements(Act::Add, set, elements);
    }

    /// How many messages it holds, without the two that frame it.
    pub fn len(&self) -> usize {
        self.parts.len()
    }

    pub fn finish(self) -> Ready {
        let finished = self.batch.finalize();
        let octets = finished.iter().collect::<Vec<_>>().concat();
        Ready { octets, answers: finished.sequence_numbers(), parts: self.parts }
    }

    fn put_elements(&mut self, set: Set, messages: impl Iterator<Item = Vec<u8>>) {
        for octets in messages {
            self.batch.add(&Written(&octets), MsgType::Add);
            self.parts.push(Part { object: format!("set {}", set.text()), elements: Some((set, octets)) });
        }
    }

    fn put(&mut self, object: String, message: &impl NlMsg, act: MsgType) {
        self.batch.add(message, act);
        self.parts.push(Part { object, elements: None });
    }
}

impl Ready {
    /// The name of the object that the message with this sequence number is about, down to the element if the kernel says at
    /// which octet of the message it stopped.
    pub fn object(&self, seq: u32, stopped_at: Option<u32>) -> String {
        // Kernels from 6.10 on also answer the two messages that frame the transaction.
        let framed = self.answers.len() == self.parts.len() + 2;
        let index = seq.checked_sub(self.answers.start + u32::from(framed)).and_then(|n| usize::try_from(n).ok());
        match index.and_then(|n| self.parts.get(n)) {
            Some(part) => match part.element(stopped_at) {
                Some(element) => format!("{}, element {element}", part.object),
                None => part.object.clone(),
            },
            None => format!("the transaction on table bridge {TABLE}"),
        }
    }
}

impl Part {
    fn element(&self, stopped_at: Option<u32>) -> Option<String> {
        let (set, octets) = self.elements.as_ref()?;
        let stopped_at = usize::try_from(stopped_at?).ok()?;
        let mut at = PREFIX;
        let (_, list) = Attributes::new(octets.get(PREFIX..)?).find_map(|(kind, value)| {
            let here = at;
            at += (4 + value.len()).next_multiple_of(4);
            (kind == attr::LIST_ELEMENTS).then_some((here, value)).inspect(|_| at = here + 4)
        })?;
        for (_, element) in Attributes::new(list) {
            let end = at + (4 + element.len()).next_multiple_of(4);
            if (at..end).contains(&stopped_at) {
                let key = Attributes::new(element).inside(attr::ELEMENT_KEY).value(attr::DATA_VALUE)?;
                return Some(set.element(key));
            }
            at = end;
        }
        None
    }
}

// SAFETY: writes at most `nft_nlmsg_maxsize` octets, which the caller guarantees to be there.
unsafe impl NlMsg for Written<'_> {
    unsafe fn write(&self, buffer: *mut c_void, seq: u32, _: MsgType) {
        let room = usize::try_from(nftnl::nft_nlmsg_maxsize()).unwrap_or(usize::MAX);
        let len = self.0.len().min(room);
        // SAFETY: the caller gives at least `nft_nlmsg_maxsize` octets that nobody else reads or writes meanwhile; `len` is no
        // more than that, and no more than there are to copy. Zeroing them first makes the slice below one of initialised octets.
        let buffer = unsafe {
            buffer.write_bytes(0, len.max(HEADER));
            std::slice::from_raw_parts_mut(buffer.cast::<u8>(), len)
        };
        buffer.copy_from_slice(&self.0[..len]);
        set_seq(buffer, seq);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use policy::BlockTarget;
    use std::net::{IpAddr, Ipv4Addr};

    fn blocks(count: u32) -> Vec<(Key, Option<Span>)> {
        (0..count)
            .map(|n| BlockTarget::Address(IpAddr::V4(Ipv4Addr::from(0x0a00_0000 + n))))
            .map(|target| (Key::of_block(target).1, Some(Span::from_secs(600))))
            .collect()
    }

    #[test]
    fn an_error_finds_the_element_at_which_the_kernel_stopped() {
        let mut draft = Draft::new();
        draft.write("counter blocked_lan", &message::counter("blocked_lan"));
        draft.elements(Act::Add, Set::BlockedV4, &blocks(3));
        let ready = draft.finish();
        let first = ready.answers.end - 1 - u32::from(ready.answers.len() == 4);
        let (_, octets) = ready.parts[1].elements.as_ref().unwrap();
        let element = octets.windows(4).position(|w| w == [10, 0, 0, 2]).unwrap();
        let stopped_at = Some(u32::try_from(element).unwrap());
        assert_eq!(ready.object(first, stopped_at), "set blocked_v4, element 10.0.0.2");
        assert_eq!(ready.object(first, None), "set blocked_v4");
        assert_eq!(ready.object(first - 1, stopped_at), "counter blocked_lan");
        assert_eq!(ready.object(900, None), "the transaction on table bridge picket");
    }

    #[test]
    fn a_big_transaction_keeps_every_message_in_one_request() {
        let mut draft = Draft::new();
        draft.elements(Act::Add, Set::BlockedV4, &blocks(10_000));
        let (messages, ready) = (draft.len(), draft.finish());
        let found = crate::attribute::Messages::new(&ready.octets).filter(|m| m.number().is_some()).count();
        assert_eq!((messages, found), (10, 10));
    }
}
