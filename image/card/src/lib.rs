//! What stands where on a card, as plain octets.
//!
//! | octets from | what |
//! |---|---|
//! | 0 | the partition table ([`table`]), MBR because the boot ROM of a Pi 3 reads nothing else |
//! | 1 MiB | which slot boots ([`Choice`]), twice, so that a write that is cut leaves the other |
//! | 4 MiB | boot: FAT with firmware, kernel, initramfs |
//! | 100 MiB, 164 MiB | slots a and b: a squashfs, and a [`Label`] in the last 4096 octets |
//! | 228 MiB | data: made at the first boot, up to the card's end |
//!
//! A [`bundle`] is a signed label followed by what it describes; to install one is to copy both into the slot that does not run.
//!
//! **Contract**: whatever octets are read here, the answer is a value that was checked or an error that names what is wrong; nothing
//! panics, and nothing is written before all was checked. Called by `init` on the box and by `maker` on a workstation.

pub mod bundle;
mod choice;
mod label;
mod medium;
mod octets;
pub mod table;

pub use bundle::Refusal;
pub use choice::{Choice, Health, Record, Slot};
pub use label::{LABEL_LEN, Label, LabelError, SIGNED_LEN, Version, key_of};
pub use medium::Card;
