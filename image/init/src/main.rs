//! The first process of the box.
//!
//! | runs as | from | does |
//! |---|---|---|
//! | `/init` | the initramfs | modules of the medium, the card, the slot that boots, its root ([`early`]) |
//! | `/sbin/init` | the slot | modules of the links, the last good ruleset, the bridge, the data partition, then the gateway under supervision ([`late`]) |
//! | `/sbin/init network` | the one before | the box's own address and the right time, as a process of its own with few rights ([`network`]) |
//!
//! All are one program, so that a slot brings the supervisor that belongs to its gateway. Whatever fails is said in words on the
//! console, and the box goes on with what it has: a bridge without a data partition forwards, a box without a whole slot tries again.

mod attendant;
mod bridge;
mod clock;
mod console;
mod daemon;
mod data;
mod early;
mod errand;
mod late;
mod log;
mod modules;
mod mounts;
mod network;
mod preset;
mod reset;
mod rules;
mod slot;
mod update;
mod watchdog;

use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().collect();
    if let [_, word, link, settings, folder] = &words[..]
        && word == network::WORD
    {
        return network::run(link, settings.as_ref(), folder.as_ref());
    }
    if std::process::id() != 1 {
        eprintln!(
            "init is the first process of the box and runs nowhere else; `init network LINK SETTINGS FOLDER` keeps an address"
        );
        return ExitCode::FAILURE;
    }
    let name = words.into_iter().next().unwrap_or_default();
    if name == late::PROGRAM {
        late::run();
    }
    early::run()
}
