//! The slot that runs: handed from the initramfs to the slot's own program in the environment.

use std::io;
use std::path::{Path, PathBuf};

use card::table::{DATA, Part};
use card::{Card, Choice, Health, Slot, Version};

const DISK: &str = "PICKET_DISK";
const SLOT: &str = "PICKET_SLOT";
const VERSION: &str = "PICKET_VERSION";

/// What was booted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booted {
    /// The medium's file.
    pub disk: PathBuf,
    /// The slot.
    pub slot: Slot,
    /// Its version.
    pub version: Version,
}

impl Booted {
    /// How the slot's program is told.
    pub fn environment(&self) -> [(&'static str, String); 3] {
        [
            (DISK, self.disk.to_string_lossy().into_owned()),
            (SLOT, self.slot.letter().to_string()),
            (VERSION, self.version.to_string()),
        ]
    }

    /// What the environment tells; nothing where this was not started by the initramfs.
    pub fn told(tell: impl Fn(&str) -> Option<String>) -> Option<Self> {
        Some(Self { disk: tell(DISK)?.into(), slot: Slot::of(&tell(SLOT)?)?, version: Version::read(&tell(VERSION)?)? })
    }

    /// The file of a partition: `vda4`, but `mmcblk0p4`.
    pub fn device(&self, part: Part) -> PathBuf {
        let disk = self.disk.to_string_lossy();
        let between = if disk.ends_with(|last: char| last.is_ascii_digit()) { "p" } else { "" };
        PathBuf::from(format!("{disk}{between}{}", part.number))
    }

    /// The file of the data partition.
    pub fn data(&self) -> PathBuf {
        self.device(DATA)
    }

    /// Whether this slot has yet to prove itself; no card is no trial.
    pub fn on_trial(&self) -> bool {
        self.choice().is_ok_and(|choice| choice.of(self.slot).health == Health::Trial)
    }

    /// Says that all is well.
    pub fn confirm(&self) -> io::Result<()> {
        self.change(|choice| choice.confirmed(self.slot, self.version))
    }

    /// Has the other slot tried at the next boot, if it is whole.
    pub fn try_other(&self) -> Result<(), card::Refusal> {
        open(&self.disk)?.whole(self.slot.other())?;
        Ok(self.change(|choice| choice.installed(self.slot.other()))?)
    }

    fn choice(&self) -> io::Result<Choice> {
        open(&self.disk)?.choice()
    }

    fn change(&self, change: impl Fn(&Choice) -> Choice) -> io::Result<()> {
        let mut card = open(&self.disk)?;
        let choice = card.choice()?;
        card.choose(&change(&choice))
    }
}

fn open(disk: &Path) -> io::Result<Card> {
    Card::open(disk)?.ok_or_else(|| io::Error::other(format!("{} is no card of Picket's", disk.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_booted_is_told_and_understood() {
        let booted = Booted { disk: "/dev/vda".into(), slot: Slot::B, version: Version::new(0, 1, 0) };
        let told = booted.environment();
        let tell = |name: &str| told.iter().find(|(own, _)| *own == name).map(|(_, value)| value.clone());
        assert_eq!(Booted::told(tell), Some(booted.clone()));
        assert_eq!(Booted::told(|_| None), None);
        assert_eq!(booted.data(), Path::new("/dev/vda4"));
        assert_eq!(Booted { disk: "/dev/mmcblk0".into(), ..booted }.data(), Path::new("/dev/mmcblk0p4"));
    }
}
