//! Log-ins that are tried and refused.

use terms::Timestamp;

use crate::scenes::chance::Between;
use crate::scenes::conversation::{Conversation, Way};
use crate::scenes::packet::Said;
use crate::scenes::speech::noise;
use crate::scenes::stage::Stage;

/// Where it is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// SSH, encrypted: only sizes tell.
    Ssh,
    /// SMB, which shows sizes as well.
    Smb,
    /// FTP, in plain words.
    Ftp,
    /// Telnet, in plain words.
    Telnet,
    /// HTTP with a password in each request.
    Http,
}

/// Guessing at several hosts of the network in turn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Guesses {
    /// At what.
    pub door: Door,
    /// The number of the first host.
    pub first: u8,
    /// How many hosts.
    pub hosts: u8,
    /// Attempts at a time, each at the next host.
    pub times: Between,
    /// Seconds between two of them.
    pub gap: Between,
}

impl Guesses {
    pub(super) fn make(&self, time: u64, mut at: Timestamp, stage: &mut Stage) {
        for n in 0..self.times.whole(&mut stage.random) as u64 {
            let host = self.first + ((time + n) % u64::from(self.hosts.max(1))) as u8;
            if host != stage.device.number {
                self.guess(host, at, stage);
            }
            at = at + self.gap.span(&mut stage.random);
        }
    }

    fn guess(&self, host: u8, at: Timestamp, stage: &mut Stage) {
        let peer = stage.site.host(host);
        let (at, own, far) = stage.reach(at, &peer);
        let who = ([own, far], [stage.port(), self.door.port()]);
        let mut with = Conversation::open(stage, at, who, Way::Up, (peer.rtt, peer.pace));
        for (way, said) in self.door.words() {
            let said = match said {
                Words::Plain(text) => Said::all(text.as_bytes()),
                Words::Sealed(len) => Said::long(noise(&mut stage.random, 16), *len),
            };
            with.say(stage, *way, &said);
        }
        with.close(stage, Way::Down);
    }
}

enum Words {
    Plain(&'static str),
    Sealed(usize),
}

impl Door {
    const fn port(self) -> u16 {
        match self {
            Self::Ssh => 22,
            Self::Smb => 445,
            Self::Ftp => 21,
            Self::Telnet => 23,
            Self::Http => 80,
        }
    }

    /// What is said, and what is answered.
    const fn words(self) -> &'static [(Way, Words)] {
        use Way::{Down, Up};
        use Words::{Plain, Sealed};
        match self {
            Self::Ssh => &[
                (Down, Plain("SSH-2.0-OpenSSH_9.6\r\n")),
                (Up, Plain("SSH-2.0-libssh_0.10.4\r\n")),
                (Down, Sealed(1_080)),
                (Up, Sealed(1_200)),
                (Up, Sealed(84)),
                (Down, Sealed(700)),
                (Up, Sealed(140)),
                (Down, Sealed(52)),
            ],
            Self::Smb => &[
                (Up, Sealed(220)),
                (Down, Sealed(300)),
                (Up, Sealed(180)),
                (Down, Sealed(380)),
                (Up, Sealed(540)),
                (Down, Sealed(77)),
            ],
            Self::Ftp => &[
                (Down, Plain("220 ready\r\n")),
                (Up, Plain("USER admin\r\n")),
                (Down, Plain("331 Please specify the password.\r\n")),
                (Up, Plain("PASS winter\r\n")),
                (Down, Plain("530 Login incorrect.\r\n")),
            ],
            Self::Telnet => &[
                (Down, Plain("login: ")),
                (Up, Plain("root\r\n")),
                (Down, Plain("Password: ")),
                (Up, Plain("root\r\n")),
                (Down, Plain("\r\nLogin incorrect\r\nlogin: ")),
            ],
            Self::Http => &[
                (Up, Plain("GET /admin HTTP/1.1\r\nHost: device\r\nAuthorization: Basic YWRtaW46YWRtaW4=\r\n\r\n")),
                (Down, Plain("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")),
            ],
        }
    }
}
