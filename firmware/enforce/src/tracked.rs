//! Conversations as the kernel's own connection tracking knows them, where it does so in the bridge.
//!
//! A connection's mark is the number of the rule that admitted it. Packets pass while that number is alive: replies, further packets
//! of one that nobody has answered yet, errors of ICMP about it. Fragments come here whole: the kernel puts them together before, and
//! takes them apart after.
//!
//! A packet that belongs to no connection, as one of TCP outside its window, has no mark and goes through the rules like a first one:
//! what a rule allows passes here as it does with Picket's own map, though nothing is known of it afterwards.
//!
//! **Source**: `net/bridge/netfilter/nf_conntrack_bridge.c`, `net/netfilter/nft_ct.c`.

use policy::{Begins, Family, Told};

use crate::layout::Set;
use crate::lines::name;
use crate::part::{Is, Part, SCRATCH};
use crate::room;
use crate::talk::{ADMITTED, begin, pass_unmarked};

/// The state of a packet that begins a connection (`NF_CT_STATE_BIT(IP_CT_NEW)`).
const NEW: u32 = 8;

/// The rule by which packets of known connections pass, in either direction.
pub(crate) fn known() -> Vec<Vec<Part>> {
    vec![vec![Part::CtMark(SCRATCH), Part::In(Set::Live, SCRATCH), Part::Accept]]
}

/// The chains that a packet goes through which begins a connection.
pub(crate) fn beginnings() -> Vec<(&'static str, Vec<Vec<Part>>)> {
    let mut all = room::chains_with_connections();
    for begins in [Begins::Lan, Begins::Uplink] {
        let is_new = vec![
            Part::CtState(SCRATCH),
            Part::Mask(SCRATCH, NEW.to_ne_bytes().to_vec()),
            Part::Compare(SCRATCH, Is::Not, vec![0; 4]),
        ];
        // One that goes on under another rule takes up no more room than it has.
        let room = [is_new, vec![Part::Jump(name(room::chain(begins)))]].concat();
        let known = vec![
            Part::Mark(SCRATCH),
            Part::SetCtMark(SCRATCH),
            Part::Count(room::BEGUN.to_owned()),
            Part::Goto(name(ADMITTED)),
        ];
        for family in [Family::V4, Family::V6] {
            for told in [Told::ByPorts, Told::ByEcho, Told::ByProtocol] {
                all.push((begin(family, told, begins), vec![room.clone(), known.clone()]));
            }
        }
    }
    all.push((ADMITTED, vec![pass_unmarked()]));
    all
}
