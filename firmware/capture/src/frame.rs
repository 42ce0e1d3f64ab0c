//! One frame as the link or the file lends it.

use terms::{Side, Timestamp};
use wire::LinkType;

/// A frame that was seen, borrowed from the buffer in which it lies.
///
/// **Bounds**: `octets` is never longer than `len`; it is shorter where the capture kept only the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// When it was seen.
    pub at: Timestamp,
    /// On which side of the box.
    pub side: Side,
    /// What its first octets are.
    pub link: LinkType,
    /// Its length on the wire, in octets.
    pub len: u32,
    /// The identifier of a VLAN tag that the kernel took off before it lent the frame.
    pub vlan: Option<u16>,
    /// What was kept of it, from its first octet.
    pub octets: &'a [u8],
}
