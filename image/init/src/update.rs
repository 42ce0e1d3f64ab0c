//! An update that its owner put onto the boot partition, with the card in a computer: checked wholly, then written to the other slot.
//!
//! | file of the boot partition | what |
//! |---|---|
//! | `update.picket` | the bundle; removed when it was installed, `update.refused` when it was not |
//! | `update.key` | ed25519 keys that the owner trusts beside those of the image, 64 hexadecimal digits a line |
//! | `update.txt` | what came of it, in words |

use std::fs::{self, File};
use std::path::Path;
use std::thread::{self, JoinHandle};

use card::bundle::Asked;
use card::{Card, Label, Refusal};
use rustix::mount::{UnmountFlags, unmount};
use rustix::system::uname;

use crate::console::say;
use crate::mounts;
use crate::slot::Booted;

/// Where the boot partition is mounted, for as long as it is looked at.
pub const BOOT: &str = "/boot";
/// Keys that are trusted because the image holds them.
const KEYS: &str = "/etc/picket/keys";
/// Which image this is.
const IMAGE: &str = "/etc/picket/image";

/// An update on its way, on a thread of its own so that everything else is looked after meanwhile.
#[derive(Debug)]
pub struct Update(JoinHandle<bool>);

impl Update {
    /// Looks for a bundle and begins to install it.
    pub fn start(booted: &Booted) -> Option<Self> {
        let booted = booted.clone();
        let work = move || {
            let device = booted.device(card::table::BOOT);
            if let Err(error) = mounts::boot(&device.to_string_lossy(), BOOT) {
                say(format_args!("the boot partition: {error}"));
                return false;
            }
            let done = install(Path::new(BOOT), &booted);
            let _ = unmount(BOOT, UnmountFlags::empty());
            // Told once it stands on the card: who reads it may pull the plug, and half of a removal loses its room for good.
            done.is_some_and(|(installed, words)| {
                say(words);
                installed
            })
        };
        thread::Builder::new().name("update".into()).spawn(work).ok().map(Self)
    }

    /// Whether it is over.
    pub fn is_over(&self) -> bool {
        self.0.is_finished()
    }

    /// Whether something new is to be tried, once it is over.
    pub fn installed(self) -> bool {
        self.0.join().unwrap_or(false)
    }
}

/// Installs the bundle of a folder, if there is one, and leaves word of what came of it: whether something is to be tried, and that word.
fn install(folder: &Path, booted: &Booted) -> Option<(bool, String)> {
    let bundle = folder.join("update.picket");
    let file = File::open(&bundle).ok()?;
    say("an update is on the boot partition");
    let done = write(file, folder, booted);
    let words = match &done {
        Ok(label) => {
            format!("version {} is installed in slot {} and tried next", label.version, booted.slot.other().letter())
        }
        Err(refusal) => format!("the update is refused: {refusal}"),
    };
    let moved = match &done {
        Ok(_) => fs::remove_file(&bundle),
        Err(_) => fs::rename(&bundle, folder.join("update.refused")),
    };
    for left in [moved, fs::write(folder.join("update.txt"), format!("{words}\n"))] {
        if let Err(error) = left {
            say(format_args!("the boot partition can't be written: {error}"));
        }
    }
    Some((done.is_ok(), words))
}

fn write(mut bundle: File, folder: &Path, booted: &Booted) -> Result<Label, Refusal> {
    let trusted =
        [Path::new(KEYS), &folder.join("update.key")].map(|file| fs::read_to_string(file).unwrap_or_default());
    let keys: Vec<[u8; 32]> = trusted.iter().flat_map(|text| text.lines().filter_map(card::key_of)).collect();
    let image = fs::read_to_string(IMAGE)?;
    let kernel = uname().release().to_string_lossy().into_owned();
    let mut card = Card::open(&booted.disk)?.ok_or_else(|| std::io::Error::other("the card is gone"))?;
    let asked = Asked { keys: &keys, image: image.trim(), kernel: &kernel, floor: card.choice()?.floor };
    card.install(&mut bundle, &asked, booted.slot.other())
}
