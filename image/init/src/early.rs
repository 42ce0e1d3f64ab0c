//! From the kernel's start to the root of a slot.

use std::convert::Infallible;
use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use card::{Card, Choice, Health, Label, Slot};
use rustix::system::{RebootCommand, reboot, uname};

use crate::console::say;
use crate::slot::Booted;
use crate::{late, modules, mounts};

/// Where the slot's root is mounted.
const ROOT: &str = "/slot";
/// How long the card may take to be found; card readers on USB take a few seconds.
const CARD_LIMIT: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(20);
/// How long the words stand on the console before the box tries again.
const AGAIN: Duration = Duration::from_secs(30);

/// Why no slot could be started.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("{0}: {1}")]
    Step(&'static str, io::Error),
    #[error("no card of Picket's is found")]
    NoCard,
    #[error("neither slot is whole")]
    NoSlot,
}

/// Starts the slot that is to boot, or says why there is none and tries again.
pub fn run() -> ! {
    let Err(fault) = start();
    say(format_args!("nothing to start: {fault}; trying again in {} s", AGAIN.as_secs()));
    sleep(AGAIN);
    let _ = reboot(RebootCommand::Restart);
    panic!("the kernel does not restart the box");
}

fn start() -> Result<Infallible, Fault> {
    let step = |what| move |error| Fault::Step(what, error);
    mounts::kernel().map_err(step("/proc, /sys and /dev"))?;
    say("the kernel runs");
    modules::load("/modules", "list");
    let (disk, mut card) = find()?;
    match card.grow() {
        Ok(false) => {}
        Ok(true) => {
            say("the data partition now reaches to the card's end");
            if let Err(error) = read_table_again(&disk) {
                say(format_args!("the kernel takes the new length with the next start: {error}"));
            }
        }
        Err(error) => say(format_args!("the card can't be written: {error}")),
    }
    let (slot, label) = choose(&mut card)?;
    drop(card);
    let booted = Booted { disk, slot, version: label.version };
    await_file(&booted.device(slot.part()))?;
    say(format_args!("slot {}, version {}", slot.letter(), label.version));
    mounts::slot(&booted.device(slot.part()).to_string_lossy(), ROOT).map_err(step("the slot's root"))?;
    // What is not needed any more would stay in memory.
    let _ = fs::remove_dir_all("/modules");
    let _ = fs::remove_file("/init");
    mounts::switch_root(ROOT).map_err(step("the slot's root becomes the root"))?;
    Err(step(late::PROGRAM)(Command::new(late::PROGRAM).env_clear().envs(booted.environment()).exec()))
}

/// Waits for the first medium that is a card of ours.
fn find() -> Result<(PathBuf, Card), Fault> {
    let until = Instant::now() + CARD_LIMIT;
    loop {
        let media = fs::read_dir("/sys/block").into_iter().flatten().flatten();
        for disk in media.map(|medium| Path::new("/dev").join(medium.file_name())) {
            if let Ok(Some(card)) = Card::open(&disk) {
                return Ok((disk, card));
            }
        }
        if Instant::now() > until {
            return Err(Fault::NoCard);
        }
        sleep(LOOK);
    }
}

/// The slot that is to boot; counts the boot on the card before anything of the slot is used.
fn choose(card: &mut Card) -> Result<(Slot, Label), Fault> {
    let choice = card.choice().unwrap_or_else(|error| {
        say(format_args!("which slot is to boot can't be read: {error}"));
        Choice::NEW
    });
    let mut found = None;
    let kernel = uname().release().to_string_lossy().into_owned();
    let (next, slot) = choice
        .boot(|slot| match card.whole(slot) {
            Ok(label) if label.kernel == kernel => {
                found = Some(label);
                true
            }
            Ok(label) => {
                say(format_args!("slot {} is made for kernel {}, this is {kernel}", slot.letter(), label.kernel));
                false
            }
            Err(refusal) => {
                say(format_args!("slot {} is not whole: {refusal}", slot.letter()));
                false
            }
        })
        .ok_or(Fault::NoSlot)?;
    if slot != choice.preferred {
        let trial = choice.of(choice.preferred).health == Health::Trial;
        let why = if trial { "did not prove itself" } else { "does not boot" };
        say(format_args!("slot {} {why}, back to slot {}", choice.preferred.letter(), slot.letter()));
    }
    if let Err(error) = card.choose(&next) {
        say(format_args!("the boot can't be counted: {error}"));
    }
    Ok((slot, found.ok_or(Fault::NoSlot)?))
}

/// The kernel makes a partition's file a moment after its medium's.
fn await_file(path: &Path) -> Result<(), Fault> {
    let until = Instant::now() + CARD_LIMIT;
    while !path.exists() {
        if Instant::now() > until {
            return Err(Fault::NoCard);
        }
        sleep(LOOK);
    }
    Ok(())
}

/// Has the kernel read a partition table again; no partition may be in use.
#[allow(unsafe_code)]
fn read_table_again(disk: &Path) -> io::Result<()> {
    use rustix::ioctl::{NoArg, ioctl, opcode};
    /// BLKRRPART of the kernel's include/uapi/linux/fs.h.
    const READ_TABLE: rustix::ioctl::Opcode = opcode::none(0x12, 95);
    let file = fs::File::open(disk)?;
    // SAFETY: BLKRRPART takes no argument and touches no memory of this process.
    Ok(unsafe { ioctl(&file, NoArg::<READ_TABLE>::new()) }?)
}
