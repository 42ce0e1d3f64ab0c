//! LLDP: what a device says of itself to its next neighbour.
//!
//! **Shape**: TLVs of a type (7 bits), a length (9 bits) and a value, up to one of type zero. An organisation's own TLV has type 127
//! and begins with its OUI (3) and a subtype (1).
//!
//! **Bounds**: TLVs end at the first that is beyond the frame; of one told twice the first counts.
//!
//! **Source**: IEEE 802.1AB-2016 section 8; RFC 8520 section 12 for the MUD address.

use terms::MacAddr;

use crate::octets::Cursor;

/// The capability of a wireless access point.
pub const ACCESS_POINT: u16 = 1 << 3;
/// The capability of a router.
pub const ROUTER: u16 = 1 << 4;
/// The capability of a telephone.
pub const TELEPHONE: u16 = 1 << 5;

/// OUI and subtype in front of a MUD address: IANA's OUI, subtype 1.
const MUD: &[u8] = &[0, 0, 0x5e, 1];

/// One frame's TLVs, not yet read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a>(pub(crate) &'a [u8]);

/// What is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Announced<'a> {
    /// The hardware address of the chassis, where the chassis is named by one.
    pub chassis: Option<MacAddr>,
    /// The system's name as it was sent.
    pub system_name: Option<&'a [u8]>,
    /// The system's description as it was sent.
    pub description: Option<&'a [u8]>,
    /// What it is at work as: bits such as [`ROUTER`].
    pub capabilities: u16,
    /// Where the description of the device is.
    pub mud_url: Option<&'a [u8]>,
}

impl<'a> Message<'a> {
    /// Reads the TLVs.
    #[must_use]
    pub fn read(&self) -> Announced<'a> {
        let mut told = Announced::default();
        let mut rest = Cursor(self.0);
        while let Some((kind, value)) = tlv(&mut rest) {
            match kind {
                0 => break,
                1 => told.chassis = told.chassis.or(chassis(value)),
                5 => told.system_name = told.system_name.or(Some(value)),
                6 => told.description = told.description.or(Some(value)),
                7 => told.capabilities |= enabled(value),
                127 => told.mud_url = told.mud_url.or(value.strip_prefix(MUD)),
                _ => {}
            }
        }
        told
    }
}

/// The next TLV, if all of it is there.
fn tlv<'a>(rest: &mut Cursor<'a>) -> Option<(u16, &'a [u8])> {
    let head = rest.u16()?;
    let value = rest.take(usize::from(head & 0x1ff))?;
    Some((head >> 9, value))
}

/// The hardware address of a chassis that is named by one (subtype 4).
fn chassis(value: &[u8]) -> Option<MacAddr> {
    let address: &[u8; 6] = value.strip_prefix(&[4])?.try_into().ok()?;
    Some(MacAddr::new(*address))
}

/// The capabilities that are enabled: the second two octets.
fn enabled(value: &[u8]) -> u16 {
    value.get(2..4).and_then(|two| two.first_chunk()).map_or(0, |two| u16::from_be_bytes(*two))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAMP: &[u8] = b"\x02\x07\x04\x02\x00\x00\x00\x00\x09\x04\x02\x07\x31\x06\x02\x00\x78\x0a\x04lamp\x0c\x03abc\
        \x0e\x04\x00\x30\x00\x20\xfe\x15\x00\x00\x5e\x01https://m.ex/lamp\x00\x00";

    #[test]
    fn a_device_names_itself_and_its_description() {
        let told = Message(LAMP).read();
        assert_eq!(told.chassis, Some(MacAddr::new([2, 0, 0, 0, 0, 9])));
        assert_eq!((told.system_name, told.description), (Some(&b"lamp"[..]), Some(&b"abc"[..])));
        assert_eq!(told.capabilities, TELEPHONE);
        assert_eq!(told.mud_url, Some(&b"https://m.ex/lamp"[..]));
    }

    #[test]
    fn an_organisation_s_other_tlvs_are_no_mud_address() {
        let told = Message(b"\xfe\x05\x00\x00\x5e\x02x\xfe\x05\x00\x80\xc2\x01x").read();
        assert_eq!(told, Announced::default());
    }

    #[test]
    fn nothing_is_read_behind_the_end() {
        assert_eq!(Message(b"\x00\x00\x0a\x04late").read(), Announced::default());
    }

    #[test]
    fn a_frame_cut_anywhere_tells_the_tlvs_before_the_cut() {
        for len in 0..LAMP.len() {
            let told = Message(&LAMP[..len]).read();
            assert_eq!(told.chassis.is_some(), len >= 9, "{len}");
            assert_eq!(told.system_name.is_some(), len >= 23, "{len}");
            assert_eq!(told.mud_url.is_some(), len >= LAMP.len() - 2, "{len}");
        }
    }
}
