//! What a device can do: each deed puts the frames of some seconds on the stage.
//!
//! **Bounds**: a deed makes at most some thousand frames at a time; what takes longer is done piece by piece, so that a scene of
//! a day needs no more memory than one of an hour.

mod attempts;
mod datagrams;
mod dialog;
mod guesses;
mod link;
mod names;
mod visit;
mod whom;

use terms::Timestamp;

use super::chance::Between;
use super::conversation::{Conversation, Way};
use super::stage::Stage;

pub use attempts::{Attempts, Knock};
pub use datagrams::{Ask, Call};
pub use dialog::Speech;
pub use guesses::{Door, Guesses};
pub use names::{Invented, Spelt};
pub use visit::Visit;
pub use whom::To;

/// One thing that is done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Deed {
    /// A conversation is opened, held and ended.
    Visit(Visit),
    /// Somebody else opens one with the device.
    Served(Visit),
    /// A conversation is held open; each time something is said in it. It is opened anew after so many seconds.
    Keep(Visit, Between),
    /// One datagram, and its answer.
    Ask(Ask),
    /// Datagrams both ways, for a while.
    Call(Call),
    /// An echo request and its answer, so many one after the other.
    Ping(To, Between),
    /// A question of multicast DNS for a service.
    Announce(&'static str),
    /// A search by SSDP.
    Search(&'static str),
    /// The router asks for the device, and advertises itself.
    Link,
    /// The device asks the DHCP server for its address.
    Lease,
    /// Names that exist are looked up and nothing else is done, so many at a time.
    Lookups(To, Between),
    /// A name is looked up that does not exist, so many of them.
    Missing(To, Between),
    /// A port is tried of somebody who is not there, or who refuses, so many times.
    Absent(To, u16, Between),
    /// Names that an algorithm made are looked up.
    Invented(Invented),
    /// Data is spelt in names.
    Spelt(Spelt),
    /// Ever further hosts are tried.
    Attempts(Attempts),
    /// Log-ins are tried.
    Guesses(Guesses),
}

/// What a deed leaves for the next time.
#[derive(Debug, Default)]
pub struct Held {
    /// A conversation and when it is to be opened anew.
    kept: Option<(Conversation, Option<String>, Timestamp)>,
    /// A call and how long it goes on.
    call: Option<datagrams::Going>,
    /// How often the deed was done.
    pub times: u64,
}

impl Deed {
    /// Does it; returns when it goes on, where that is not the rhythm's business.
    pub fn perform(&self, held: &mut Held, at: Timestamp, stage: &mut Stage) -> Option<Timestamp> {
        held.times += 1;
        match self {
            Self::Visit(visit) => visit.pay(at, stage),
            Self::Served(visit) => visit.receive(at, stage),
            Self::Keep(visit, lasting) => visit.keep(&mut held.kept, *lasting, at, stage),
            Self::Ask(ask) => ask.put(at, stage),
            Self::Call(call) => return call.go_on(&mut held.call, at, stage),
            Self::Ping(to, times) => link::ping(*to, *times, at, stage),
            Self::Announce(service) => link::announce(service, at, stage),
            Self::Search(target) => link::search(target, at, stage),
            Self::Link => link::router_speaks(at, stage),
            Self::Lease => link::lease(at, stage),
            Self::Lookups(to, count) => names::look_up(*to, *count, at, stage),
            Self::Missing(to, count) => names::miss(*to, *count, at, stage),
            Self::Absent(to, port, times) => attempts::miss(*to, *port, *times, at, stage),
            Self::Invented(names) => names.look_up(held.times, at, stage),
            Self::Spelt(data) => data.carry(at, stage),
            Self::Attempts(attempts) => attempts.make(held.times, at, stage),
            Self::Guesses(guesses) => guesses.make(held.times, at, stage),
        }
        None
    }
}

impl Held {
    /// Ends what is open.
    pub fn end(&mut self, at: Timestamp, stage: &mut Stage) {
        if let Some((mut conversation, ..)) = self.kept.take() {
            conversation.wait_until(at);
            conversation.close(stage, Way::Up);
        }
        self.call = None;
    }
}
