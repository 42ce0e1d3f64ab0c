//! Netlink messages and their attributes, written and read.
//!
//! **Shape**: a message is a 16-octet header and, for nftables, four octets of family, version and resource; then attributes:
//! length (with its own four octets), kind, value, padding to four. Headers are in the machine's octet order; nftables' numbers
//! are in network order. **Source**: `include/uapi/linux/netlink.h`, `nfnetlink.h`.
//!
//! The readers never panic: each ends at the first length that does not fit.

/// Octets of a message before its nftables part.
pub(crate) const HEADER: usize = 16;
/// Octets of a message before its attributes.
pub(crate) const PREFIX: usize = HEADER + 4;
/// The subsystem's number in a message's kind.
pub(crate) const NFTABLES: u16 = 10;
/// The bridge family.
pub(crate) const BRIDGE: u8 = 7;
const NESTED: u16 = 0x8000;
const KIND: u16 = 0x3fff;

/// One nftables message being written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Writer(Vec<u8>);

/// An attribute that holds attributes and is not closed yet.
#[derive(Debug)]
#[must_use]
pub(crate) struct Open(usize);

/// The messages of one reading from the socket.
#[derive(Clone, Debug)]
pub(crate) struct Messages<'a>(&'a [u8]);

/// One message from the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Message<'a> {
    /// Subsystem and message number, or one of netlink's own below 16.
    pub kind: u16,
    pub flags: u16,
    pub seq: u32,
    /// What follows the 16 octets of header.
    pub body: &'a [u8],
}

/// The attributes of a message or of an attribute.
#[derive(Clone, Debug)]
pub(crate) struct Attributes<'a>(&'a [u8]);

impl Writer {
    /// An nftables message of this number, in the bridge family.
    pub fn new(number: u16, flags: u16) -> Self {
        Self::of(NFTABLES, number, flags, BRIDGE, 0)
    }

    /// A message of another subsystem.
    pub fn of(subsystem: u16, number: u16, flags: u16, family: u8, resource: u16) -> Self {
        let mut octets = Vec::with_capacity(64);
        octets.extend_from_slice(&[0; 4]);
        octets.extend_from_slice(&(subsystem << 8 | number).to_ne_bytes());
        octets.extend_from_slice(&flags.to_ne_bytes());
        octets.extend_from_slice(&[0; 8]);
        octets.extend_from_slice(&[family, 0]);
        octets.extend_from_slice(&resource.to_be_bytes());
        Self(octets)
    }

    pub fn put(&mut self, kind: u16, value: &[u8]) {
        let open = self.begin(kind);
        self.0.extend_from_slice(value);
        self.end(open);
    }

    /// An attribute that holds attributes, which are there already.
    pub fn put_nested(&mut self, kind: u16, attributes: &[u8]) {
        self.put(kind | NESTED, attributes);
    }

    /// Text with the zero octet at its end.
    pub fn put_text(&mut self, kind: u16, text: &str) {
        let open = self.begin(kind);
        self.0.extend_from_slice(text.as_bytes());
        self.0.push(0);
        self.end(open);
    }

    pub fn open(&mut self, kind: u16) -> Open {
        self.begin(kind | NESTED)
    }

    pub fn end(&mut self, open: Open) {
        let len = u16::try_from(self.0.len() - open.0).unwrap_or(u16::MAX);
        self.0[open.0..open.0 + 2].copy_from_slice(&len.to_ne_bytes());
        self.0.resize(self.0.len().next_multiple_of(4), 0);
    }

    /// The message's octets, with its length set and its sequence number zero.
    pub fn finish(mut self) -> Vec<u8> {
        let len = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        self.0[..4].copy_from_slice(&len.to_ne_bytes());
        self.0
    }

    fn begin(&mut self, kind: u16) -> Open {
        let open = Open(self.0.len());
        self.0.extend_from_slice(&[0; 2]);
        self.0.extend_from_slice(&kind.to_ne_bytes());
        open
    }
}

/// Writes a message's sequence number.
pub(crate) fn set_seq(message: &mut [u8], seq: u32) {
    if let Some(at) = message.get_mut(8..12) {
        at.copy_from_slice(&seq.to_ne_bytes());
    }
}

impl<'a> Messages<'a> {
    pub const fn new(octets: &'a [u8]) -> Self {
        Self(octets)
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Message<'a>;

    fn next(&mut self) -> Option<Message<'a>> {
        let len = usize::try_from(u32::from_ne_bytes(array(self.0, 0)?)).ok()?;
        let whole = self.0.get(..len)?;
        let message = Message {
            kind: u16::from_ne_bytes(array(whole, 4)?),
            flags: u16::from_ne_bytes(array(whole, 6)?),
            seq: u32::from_ne_bytes(array(whole, 8)?),
            body: whole.get(HEADER..)?,
        };
        self.0 = self.0.get(len.next_multiple_of(4)..).unwrap_or_default();
        Some(message)
    }
}

impl<'a> Message<'a> {
    /// The number of an nftables message; nothing for any other.
    pub fn number(&self) -> Option<u16> {
        (self.kind >> 8 == NFTABLES).then_some(self.kind & 0xff)
    }

    /// The attributes of an nftables message.
    pub fn attributes(&self) -> Attributes<'a> {
        Attributes(self.body.get(PREFIX - HEADER..).unwrap_or_default())
    }
}

impl<'a> Attributes<'a> {
    pub const fn new(octets: &'a [u8]) -> Self {
        Self(octets)
    }

    /// The value of the first attribute of this kind.
    pub fn value(&self, kind: u16) -> Option<&'a [u8]> {
        self.clone().find_map(|(k, value)| (k == kind).then_some(value))
    }

    /// The attributes inside the first attribute of this kind; none if it is missing.
    pub fn inside(&self, kind: u16) -> Self {
        Self(self.value(kind).unwrap_or_default())
    }

    pub fn text(&self, kind: u16) -> Option<&'a str> {
        let value = self.value(kind)?;
        let end = value.iter().position(|o| *o == 0).unwrap_or(value.len());
        core::str::from_utf8(&value[..end]).ok()
    }

    pub fn u32(&self, kind: u16) -> Option<u32> {
        array(self.value(kind)?, 0).map(u32::from_be_bytes)
    }

    pub fn u64(&self, kind: u16) -> Option<u64> {
        array(self.value(kind)?, 0).map(u64::from_be_bytes)
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let len = usize::from(u16::from_ne_bytes(array(self.0, 0)?));
        let kind = u16::from_ne_bytes(array(self.0, 2)?) & KIND;
        let value = self.0.get(4..len)?;
        self.0 = self.0.get(len.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, value))
    }
}

/// `N` octets from `at` on; nothing if there are fewer.
pub(crate) fn array<const N: usize>(octets: &[u8], at: usize) -> Option<[u8; N]> {
    octets.get(at..)?.first_chunk().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<u8> {
        let mut writer = Writer::new(12, 1);
        writer.put_text(1, "picket");
        let outer = writer.open(3);
        writer.put(1, &7u32.to_be_bytes());
        writer.put(2, &9u64.to_be_bytes());
        writer.end(outer);
        writer.finish()
    }

    #[test]
    fn a_message_reads_back_as_written() {
        let octets = sample();
        let message = Messages::new(&octets).next().unwrap();
        let (attributes, inner) = (message.attributes(), message.attributes().inside(3));
        assert_eq!((message.number(), message.flags), (Some(12), 1));
        assert_eq!(attributes.text(1), Some("picket"));
        assert_eq!((inner.u32(1), inner.u64(2), inner.u32(3)), (Some(7), Some(9), None));
    }

    #[test]
    fn a_message_cut_anywhere_is_no_message() {
        let octets = sample();
        for len in 0..octets.len() {
            assert_eq!(Messages::new(&octets[..len]).next(), None, "{len}");
        }
    }

    #[test]
    fn two_messages_are_read_from_one_reading() {
        let octets = [sample(), sample()].concat();
        assert_eq!(Messages::new(&octets).count(), 2);
    }

    #[test]
    fn a_length_shorter_than_its_own_header_ends_the_reading() {
        assert_eq!(Attributes::new(&[0, 0, 1, 0, 8, 0, 1, 0]).count(), 0);
        assert_eq!(Attributes::new(&[3, 0, 1, 0]).count(), 0);
        assert_eq!(Messages::new(&[0; 64]).count(), 0);
    }
}
