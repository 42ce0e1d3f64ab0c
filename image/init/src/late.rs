//! From a slot's root to a gateway that runs, and then for as long as the box runs.

use std::ffi::CStr;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use crate::attendant::Attendant;
use crate::clock::Clock;
use crate::console::{self, Wish, say, uptime};
use crate::daemon::{Daemon, PROGRAM as GATEWAY, configuration};
use crate::data::Glimpse;
use crate::errand::{Errand, Outcome, Words};
use crate::reset::restart;
use crate::slot::Booted;
use crate::update::Update;
use crate::watchdog::Watchdog;
use crate::{bridge, data, modules, mounts, network, preset};

/// Where the slot holds this program.
pub const PROGRAM: &str = "/sbin/init";
/// Where the slot holds its modules: what the bridge needs, and what is needed later.
const MODULES: &str = "/lib/modules";
/// How often everything is looked after.
const TICK: Duration = Duration::from_millis(200);
/// Wishes of the console that wait.
const WISHES: usize = 4;
/// How long a slot on trial has to prove itself, in seconds after the kernel's start.
const TRIAL: f64 = 600.0;
/// How long it may take to show that a slot on trial protects.
const PROOF: Duration = Duration::from_secs(120);
/// What is mounted in memory, and how much of it.
const MEMORY: [(&str, &CStr); 2] = [("/run", c"size=16m,mode=0755"), ("/tmp", c"size=16m,mode=1777")];

/// What the box is at while it runs.
struct Box {
    booted: Option<Booted>,
    daemon: Daemon,
    watchdog: Watchdog,
    clock: Clock,
    /// Who keeps the box's own address and the right time.
    network: Attendant,
    errand: Option<Errand>,
    update: Option<Update>,
    /// The check whether a slot on trial still protects.
    proof: Option<Errand>,
    /// Whether this slot has said that all is well.
    confirmed: bool,
}

/// Runs the box. The bridge comes first: whatever else fails, frames pass, under the last good ruleset where there is one.
pub fn run() -> ! {
    let booted = Booted::told(|name| std::env::var(name).ok());
    for (place, options) in MEMORY {
        if let Err(error) = mounts::memory(place, options) {
            say(format_args!("{place}: {error}"));
        }
    }
    modules::load(MODULES, "list");
    let glimpse = booted.as_ref().map(|booted| Glimpse::take(booted.data()));
    bridge::up();
    modules::load(MODULES, "later");
    let watchdog = Watchdog::start();
    match &booted {
        Some(_) if glimpse.is_some_and(|glimpse| !glimpse.ends()) => data::stand_in(),
        Some(booted) => data::up(&booted.data()),
        None => say("no card is known: nothing is kept over a restart"),
    }
    let clock = Clock::start();
    if let Some(booted) = &booted {
        preset::take(booted);
    }
    let (wish, wishes) = sync_channel(WISHES);
    if let Err(error) = console::listen(wish) {
        say(format_args!("the console is not read: {error}"));
    }
    let mut this = Box {
        booted,
        daemon: Daemon::new(),
        watchdog,
        clock,
        network: Attendant::new(PROGRAM, &[network::WORD, bridge::BRIDGE, preset::FILE, network::FOLDER]),
        errand: None,
        update: None,
        proof: None,
        confirmed: false,
    };
    loop {
        this.look(&wishes);
    }
}

impl Box {
    /// Looks after everything once.
    fn look(&mut self, wishes: &Receiver<Wish>) {
        match wishes.recv_timeout(TICK) {
            Ok(wish) => self.grant(wish),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => std::thread::sleep(TICK),
        }
        self.watchdog.alive();
        self.clock.look();
        self.network.look();
        self.daemon.look();
        if self.errand.as_mut().is_some_and(|errand| errand.look() != Outcome::Runs) {
            self.errand = None;
            say("done");
        }
        self.prove();
        if let Some(update) = self.update.take_if(|update| update.is_over())
            && update.installed()
        {
            restart("an update is to be tried");
        }
    }

    /// Says once that all is well, or gives a slot up that does not get there.
    fn prove(&mut self) {
        if self.daemon.is_hopeless() {
            restart("picket could not be started");
        }
        if self.confirmed {
            return;
        }
        let well = self.daemon.is_well();
        if well && !self.protects() {
            return;
        }
        let Some(booted) = &self.booted else { return };
        if well {
            self.confirmed = true;
            self.update = Update::start(booted);
            match booted.confirm() {
                Ok(()) => say(format_args!("all is well: slot {}, version {}", booted.slot.letter(), booted.version)),
                Err(error) => say(format_args!("all is well, but the card does not take it: {error}")),
            }
        } else if uptime() > TRIAL && booted.on_trial() {
            restart("this slot did not prove itself");
        }
    }

    /// Whether the slot still protects, if it is on trial: a process of its own attacks a network of its own, and sees that found and
    /// blocked. A slot that does not protect is given up at once.
    fn protects(&mut self) -> bool {
        let outcome = match (&mut self.proof, &self.booted) {
            (Some(proof), _) => proof.look(),
            (None, Some(booted)) if booted.on_trial() => {
                say("this slot is on trial: does it still protect?");
                match Errand::start_for(PROOF, GATEWAY, &["self-test", "--protects"], Words::Shown) {
                    Ok(proof) => self.proof = Some(proof),
                    Err(error) => {
                        say(error);
                        restart("this slot does not protect");
                    }
                }
                Outcome::Runs
            }
            (None, _) => Outcome::Done,
        };
        match outcome {
            Outcome::Runs => false,
            Outcome::Done => true,
            Outcome::Failed => restart("this slot does not protect"),
        }
    }

    /// Does what somebody at the console wants.
    fn grant(&mut self, wish: Wish) {
        match wish {
            Wish::Status => {
                network::tell();
                self.show("status");
            }
            Wish::Blocks => self.show("blocks"),
            Wish::Events => self.show("events"),
            Wish::Log => {
                self.daemon.last_words().iter().for_each(|line| eprintln!("  {line}"));
                say("done");
            }
            Wish::Restart => self.daemon.kill(),
            Wish::OtherSlot => match self.booted.as_ref().map(Booted::try_other) {
                Some(Ok(())) => restart("somebody wants the other slot"),
                Some(Err(refusal)) => say(format_args!("the other slot does not boot: {refusal}")),
                None => say("there is no other slot"),
            },
            Wish::Reboot => restart("somebody wants it"),
            Wish::FactoryReset => self.forget(),
            Wish::Menu => console::menu(),
        }
    }

    /// Has the gateway tell something, one thing at a time.
    fn show(&mut self, what: &str) {
        if self.errand.is_some() {
            return say("one thing at a time");
        }
        match Errand::start(GATEWAY, &[what, "--config", configuration()], Words::Shown) {
            Ok(errand) => self.errand = Some(errand),
            Err(error) => say(error),
        }
    }

    fn forget(&mut self) {
        let Some(booted) = &self.booted else { return say("nothing is kept that could be forgotten") };
        self.daemon.kill();
        say("everything is forgotten; this takes a while on a large card, and the bridge forwards meanwhile");
        match data::forget(&booted.data(), || self.watchdog.alive()) {
            Ok(()) => restart("it begins anew"),
            Err(error) => say(format_args!("not everything could be forgotten: {error}")),
        }
    }
}
