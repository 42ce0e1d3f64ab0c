//! Whether there is room for one conversation more: what one device may take up of the maps of conversations, and how fast.
//!
//! ```text
//! room_lan, room_uplink        whoever begins: back if there is room, else on to
//! refused_..., strangers_...   counted by device, dropped
//! no_room                      the map itself is full: counted, dropped
//! ```
//! The kernel cannot count elements by a part of what they hold. So it bounds by itself how fast conversations of one device begin, and
//! [`Census`](crate::Census) counts now and then how many each holds; who holds as many as it may is put into the set `at_cap` for some
//! time. Where nobody counts, because the gateway is dead, the pace holds alone.
//!
//! A device is the hardware address of the LAN end. What it begins and what others begin with it are two counts: who floods a server
//! does not keep it from its own conversations. All whose hardware address the policy does not know are strangers, who besides share one
//! bound: else a sender that invents hardware addresses had as much room as it likes.
//!
//! **Bounds**: between two counts a device may overshoot by what its pace allows.

use std::ffi::CStr;

use policy::Begins;
use terms::Span;

use crate::layout::{Set, TALKS_A_DEVICE, TALKS_OF_STRANGERS};
use crate::lines::name;
use crate::part::{End, Part, Rate, Register, SCRATCH};

/// How fast one device's conversations may begin.
pub(crate) const PACE: Rate = Rate { per_second: 500, burst: 4_000 };
/// The same for all strangers together.
pub(crate) const PACE_OF_STRANGERS: Rate = Rate { per_second: 2_000, burst: 8_000 };
/// How long a device's pace is remembered after its last conversation: longer than it takes to be as good as new.
const REMEMBERED: Span = Span::from_secs(10);
/// The same for how often it was refused.
const REFUSED: Span = Span::from_secs(120);

/// Counts conversations that began.
pub(crate) const BEGUN: &CStr = c"conversations_begun";
/// Counts packets that would have begun one more than their device may have.
pub(crate) const REFUSED_DEVICE: &CStr = c"refused_device_full";
/// Counts packets that would have begun one more than the map holds.
pub(crate) const REFUSED_FULL: &CStr = c"refused_map_full";
/// The counters of this part.
pub(crate) const COUNTERS: [&CStr; 3] = [BEGUN, REFUSED_DEVICE, REFUSED_FULL];
/// The chain of those that the map has no room for.
pub(crate) const NO_ROOM: &str = "no_room";

/// The names of one side's chains.
struct Names {
    room: &'static str,
    strangers: &'static str,
    refused: &'static str,
    refused_strangers: &'static str,
}

/// The chain that comes back where there is room.
pub(crate) const fn chain(begins: Begins) -> &'static str {
    names(begins).room
}

/// Which side begins, as it stands in keys: never zero.
pub(crate) const fn side(begins: Begins) -> u32 {
    match begins {
        Begins::Lan => 1,
        Begins::Uplink => 2,
    }
}

/// The end of a frame that is on the LAN side.
pub(crate) const fn lan_end(begins: Begins) -> End {
    match begins {
        Begins::Lan => End::Source,
        Begins::Uplink => End::Destination,
    }
}

/// All chains with their rules where the kernel tracks connections: it counts those of each device itself, to the last.
pub(crate) fn chains_with_connections() -> Vec<(&'static str, Vec<Vec<Part>>)> {
    let mut all = chains();
    for begins in [Begins::Lan, Begins::Uplink] {
        let Names { room, strangers, refused, refused_strangers } = names(begins);
        let holds = |key: Vec<Part>, cap: u32, then: &str| {
            let holds = Part::Holds { set: Set::Holds, key: SCRATCH, more_than: cap };
            with(&key, vec![holds, Part::Goto(name(then))])
        };
        let of_device = holds(key_of_device(begins), TALKS_A_DEVICE, refused);
        let of_strangers = holds(key_of_strangers(begins), TALKS_OF_STRANGERS, refused_strangers);
        let known = vec![lan_end(begins).mac(SCRATCH), Part::NotIn(Set::KnownMac, SCRATCH), Part::Return];
        for (chain, rules) in &mut all {
            // What is refused for its pace never was a connection: the pace comes first.
            if *chain == room {
                rules.extend([known.clone(), of_device.clone()]);
            } else if *chain == strangers {
                rules.push(of_strangers.clone());
            }
        }
    }
    all
}

/// All chains with their rules.
pub(crate) fn chains() -> Vec<(&'static str, Vec<Vec<Part>>)> {
    let mut all = vec![(NO_ROOM, vec![vec![Part::Count(REFUSED_FULL.to_owned()), Part::Drop]])];
    for begins in [Begins::Lan, Begins::Uplink] {
        let Names { room, strangers, refused, refused_strangers } = names(begins);
        let (device, stranger) = (key_of_device(begins), key_of_strangers(begins));
        let at_cap = |key: &[Part], then: &str| with(key, vec![Part::In(Set::AtCap, SCRATCH), Part::Goto(name(then))]);
        let known =
            vec![lan_end(begins).mac(SCRATCH), Part::NotIn(Set::KnownMac, SCRATCH), Part::Jump(name(strangers))];
        let millis = REMEMBERED.micros() / 1_000;
        let beyond = vec![Part::Beyond { set: Set::Pace, key: SCRATCH, millis, rate: PACE }, Part::Goto(name(refused))];
        // Strangers as a whole first: so few of them are left that the set of paces has room for every device.
        all.push((room, vec![at_cap(&device, refused), known, with(&device, beyond)]));
        let more = vec![Part::More(PACE_OF_STRANGERS), Part::Goto(name(refused_strangers))];
        all.push((strangers, vec![at_cap(&stranger, refused_strangers), more]));
        let millis = REFUSED.micros() / 1_000;
        let tally = |key: &[Part]| {
            let drop = vec![Part::Count(REFUSED_DEVICE.to_owned()), Part::Drop];
            vec![with(key, vec![Part::Tally { set: Set::Refused, key: SCRATCH, millis }]), drop]
        };
        all.extend([(refused, tally(&device)), (refused_strangers, tally(&stranger))]);
    }
    all
}

fn with(key: &[Part], then: Vec<Part>) -> Vec<Part> {
    [key, &then].concat()
}

fn key_of_device(begins: Begins) -> Vec<Part> {
    vec![lan_end(begins).mac(Register(0)), Part::Constant(Register(2), side(begins).to_ne_bytes().to_vec())]
}

fn key_of_strangers(begins: Begins) -> Vec<Part> {
    let nobody = Part::Constant(Register(0), vec![0; 8]);
    vec![nobody, Part::Constant(Register(2), side(begins).to_ne_bytes().to_vec())]
}

const fn names(begins: Begins) -> Names {
    match begins {
        Begins::Lan => Names {
            room: "room_lan",
            strangers: "strangers_lan",
            refused: "refused_lan",
            refused_strangers: "refused_strangers_lan",
        },
        Begins::Uplink => Names {
            room: "room_uplink",
            strangers: "strangers_uplink",
            refused: "refused_uplink",
            refused_strangers: "refused_strangers_uplink",
        },
    }
}
