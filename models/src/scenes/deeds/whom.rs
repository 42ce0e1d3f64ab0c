//! Whom a device talks to.

use terms::Timestamp;

use crate::scenes::chance::drawn_for;
use crate::scenes::site::Peer;
use crate::scenes::stage::Stage;
use crate::scenes::words::{letters, spoken};

/// Whom a device talks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// One of so many servers with a name; in the name `#` stands for a word that belongs to the one chosen, `%` for letters
    /// and digits that belong to the device.
    Name(&'static str, u16),
    /// A server whose name somebody drew.
    Drawn(u64),
    /// A server on the internet whose name nobody asks for, by number.
    Address(u64),
    /// One of so many of them, of a device's own; the pool tells those of one program from those of another.
    Addresses(u64, u16),
    /// One of some hosts of the network: the number of the first, and how many.
    Here(u8, u8),
    /// The router.
    Router,
}

impl To {
    /// The name of one of them, where they have any.
    pub fn name(self, stage: &mut Stage) -> Option<String> {
        match self {
            Self::Name(pattern, many) => {
                let chosen = stage.random.below(many.into()) as u64;
                let own = stage.device.own;
                let word = spoken(&mut drawn_for(pattern, chosen));
                Some(pattern.replace('#', &word).replace('%', &letters(&mut drawn_for(pattern, own), 36, 10)))
            }
            Self::Drawn(seed) => {
                let mut random = drawn_for("name", seed);
                let (first, second) = (spoken(&mut random), spoken(&mut random));
                let zone = random.pick(&["example", "com.example", "net.example", "org.example", "test"]);
                Some(match random.below(3) {
                    0 => format!("{second}.{zone}"),
                    1 => format!("{first}.{second}.{zone}"),
                    _ => format!("{first}{second}.{zone}"),
                })
            }
            _ => None,
        }
    }

    /// The port that is meant; none stands for the one at which this peer happens to listen.
    pub fn port(self, port: u16, peer: &Peer) -> u16 {
        if port > 0 { port } else { 1_025 + drawn_for(&peer.v4.to_string(), 0).below(60_000) as u16 }
    }

    /// One of them; the moment from which its address is known, and its name where it was found by one.
    pub fn find(self, at: Timestamp, stage: &mut Stage) -> (Timestamp, Peer, Option<String>) {
        if let Some(name) = self.name(stage) {
            let (at, peer) = stage.resolve(at, &name);
            return (at, peer, Some(name));
        }
        let peer = match self {
            Self::Address(number) => stage.site.nameless(number),
            Self::Addresses(pool, many) => {
                let number = stage.random.below(many.into()) as u64;
                stage.site.nameless(stage.device.own ^ pool ^ number)
            }
            Self::Here(first, many) => {
                let number = first + stage.random.below(many.into()) as u8;
                // Nobody talks to itself.
                stage.site.host(if number == stage.device.number { first.wrapping_sub(1).max(2) } else { number })
            }
            _ => stage.site.router(),
        };
        (at, peer, None)
    }
}
