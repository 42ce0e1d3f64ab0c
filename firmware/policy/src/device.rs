//! What is known of the devices of a network: one record a device over its hardware addresses, its addresses and its names.
//!
//! A [`Devices`] book hears of frames ([`Sight`]) and of what devices say of themselves ([`Clue`]), and keeps a [`DeviceRecord`] of
//! each. Who made a device ([`vendor`]) and what it is ([`guess`]) are told from that, with reasons; they offer, they never trust.
//! Two things that cannot both be true are a [`Conflict`], and nobody inherits anything by it. A device that comes back under a
//! fresh hardware address is a [`Suggestion`]: a person merges.
//!
//! **Bounds**: [`DEVICES`] records, each with its own bounds; what a record cannot hold pushes out the oldest of its kind.

mod book;
mod clue;
mod conflict;
mod hand;
mod kind;
mod record;
mod returning;
mod vendor;

#[cfg(test)]
mod tests;

pub use book::{DEVICES, Devices, Sight};
pub use clue::{Clue, MudSource, NameSource, Says, TEXT};
pub use conflict::Conflict;
pub use hand::{HandError, Said};
pub use kind::{Guess, Kind, guess};
pub use record::{DeviceId, DeviceRecord, Hints, Name, Place};
pub use returning::Suggestion;
pub use vendor::{is_randomised, vendor};
