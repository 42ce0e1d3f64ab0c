//! What a board is: which of its links is which, what its memory allows, and what its image holds.
//!
//! Turns the declarative files in `board/boards`, one a board and built into the program, into a [`Board`], and finds the one of
//! this machine by the names that the device tree gives it. A machine that no file names is `lab`: its links are chosen by what
//! the kernel tells of them, its budgets are the default ones.
//!
//! **Contract**: every file is read and checked by the tests, so that a released program knows all its boards. What an admin
//! configures comes before what a board says.
//!
//! Refused here: probing hardware beyond the name, and setting anything. Called by `picket` at start and by `picket doctor`, by
//! `init` before the gateway, and by `maker`, which builds an image for all boards that name it.

mod image;

use std::fs;

use serde::Deserialize;

pub use image::{Image, ImageBudgets};

/// Where the kernel tells the machine's names: several, each ended by a zero octet, the most exact first.
const DEVICE_TREE: &str = "/proc/device-tree/compatible";

/// The board files, that of any machine last.
const FILES: [&str; 4] = [
    include_str!("../boards/qemu-virt.toml"),
    include_str!("../boards/pi-3.toml"),
    include_str!("../boards/pi-4.toml"),
    include_str!("../boards/lab.toml"),
];

/// A kind of machine.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Board {
    /// Its short name.
    pub name: String,
    /// What it is, for people.
    pub about: String,
    /// The device tree's names for it; none for the board of any machine.
    pub compatible: Vec<String>,
    /// Which link is which.
    pub links: Links,
    /// What its memory allows.
    pub budgets: Budgets,
    /// What its image holds; nothing where there is none.
    pub image: Option<Image>,
}

/// The names of a board's two links; empty where they are to be chosen from those that are there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Links {
    /// The link to the switch.
    pub lan: String,
    /// The link to the router.
    pub uplink: String,
}

/// What a board's memory allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budgets {
    /// Hosts that are known at a time, at least 64.
    pub hosts: usize,
    /// Frames that one link's ring holds, 512 octets each.
    pub ring_frames: u32,
}

/// A board file is wrong.
#[derive(Debug, thiserror::Error)]
pub enum BoardError {
    /// It does not say what a board file says.
    #[error("board file: {0}")]
    Malformed(#[from] toml::de::Error),
    /// One of its values is out of range.
    #[error("board {board}: {what}")]
    Range {
        /// The board.
        board: String,
        /// Which value, and what it may be.
        what: &'static str,
    },
}

impl Board {
    /// The board of this machine.
    ///
    /// # Errors
    /// A board file that was built in is wrong.
    pub fn of_this_machine() -> Result<Self, BoardError> {
        Self::of(&fs::read(DEVICE_TREE).unwrap_or_default())
    }

    /// The board whose file has one of these names, each ended by a zero octet; else the one of any machine.
    ///
    /// # Errors
    /// A board file that was built in is wrong.
    pub fn of(compatible: &[u8]) -> Result<Self, BoardError> {
        let mut boards = FILES.iter().map(|text| Self::read(text));
        let named = |board: &Self| {
            compatible.split(|octet| *octet == 0).any(|name| board.compatible.iter().any(|own| own.as_bytes() == name))
        };
        boards
            .find(|board| board.as_ref().is_ok_and(|board| board.compatible.is_empty() || named(board)))
            .unwrap_or_else(|| Self::read(FILES[FILES.len() - 1]))
    }

    /// Every board that has a file.
    ///
    /// # Errors
    /// A board file that was built in is wrong.
    pub fn all() -> Result<Vec<Self>, BoardError> {
        FILES.iter().map(|text| Self::read(text)).collect()
    }

    /// Reads a board file.
    ///
    /// # Errors
    /// A key is missing, unknown or of the wrong type, or a value is out of range.
    pub fn read(text: &str) -> Result<Self, BoardError> {
        let board: Self = toml::from_str(text)?;
        let wrong = |what| Err(BoardError::Range { board: board.name.clone(), what });
        if board.budgets.hosts < 64 || board.budgets.hosts > 65_536 {
            return wrong("budgets.hosts must be 64 to 65536");
        }
        if !board.budgets.ring_frames.is_power_of_two() || board.budgets.ring_frames > 16_384 {
            return wrong(
                "budgets.ring_frames must be a power of two up to 16384, so that both rings stay below 16 MiB",
            );
        }
        if !board.links.lan.is_empty() && board.links.lan == board.links.uplink {
            return wrong("links.lan and links.uplink must differ");
        }
        if let Some(what) = board.image.as_ref().and_then(Image::wrong) {
            return wrong(what);
        }
        Ok(board)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_board_file_can_be_read_and_has_a_name_of_its_own() {
        let boards: Vec<Board> = FILES.iter().map(|text| Board::read(text).unwrap()).collect();
        let mut names: Vec<&str> = boards.iter().map(|board| board.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), FILES.len());
        assert_eq!(boards.iter().filter(|board| board.compatible.is_empty()).count(), 1);
    }

    #[test]
    fn a_machine_is_known_by_any_of_its_names_and_else_is_any_machine() {
        assert_eq!(Board::of(b"qemu,other\0linux,dummy-virt\0").unwrap().name, "qemu-virt");
        assert_eq!(Board::of(b"linux,dummy-virtual\0").unwrap().name, "lab");
        assert_eq!(Board::of(b"raspberrypi,400\0brcm,bcm2711\0").unwrap().name, "pi-4");
        assert_eq!(Board::of(b"raspberrypi,5-model-b\0brcm,bcm2712\0").unwrap().name, "lab");
        assert_eq!(Board::of(b"").unwrap().name, "lab");
    }

    #[test]
    fn a_wrong_board_file_is_refused_and_the_key_is_named() {
        let right = FILES[0];
        for (from, to, told) in [
            ("hosts", "hots", "hots"),
            ("4096", "1", "budgets.hosts"),
            ("16384", "16385", "budgets.ring_frames"),
            ("eth1", "eth0", "links.uplink"),
            ("compressed_mib = 64", "compressed_mib = 65", "image.budgets.compressed_mib"),
            ("slot_mib = 24", "slot_mib = 64", "image.budgets.slot_mib"),
            ("boot_mib = 48", "boot_mib = 0", "image.budgets.boot_mib"),
            ("virtio_blk", "../virtio_blk", "a name holds"),
        ] {
            let error = Board::read(&right.replace(from, to)).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
    }
}
