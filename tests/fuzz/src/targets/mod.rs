//! What is fuzzed: a function over octets that panics where something is wrong, and tells what kind of thing it has read.
//!
//! The kind stands in for coverage: an input of a kind not seen before joins the corpus, so that chance goes on from there.

mod captures;
mod config;
mod frames;
mod logs;
mod model;
mod mud;
mod payloads;

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::seeds;

/// One reader, its good inputs, and the words of its format.
pub struct Target {
    /// Its name on the command line.
    pub name: &'static str,
    /// Whether it reads frames or what they carry.
    pub of_wire: bool,
    /// Reads the octets, panics where something is wrong, and gives the kind of what it has read.
    pub run: fn(&[u8]) -> u64,
    /// Good inputs.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Pieces that chance would hardly find.
    pub words: &'static [&'static [u8]],
    /// No input is longer. **Units**: octets.
    pub longest: usize,
}

/// Every target.
pub static TARGETS: [Target; 14] = [
    Target {
        name: "frame",
        of_wire: true,
        run: frames::run,
        seeds: seeds::frames::all,
        words: &[
            b"\x81\x00",
            b"\x88\xa8",
            b"\x08\x00",
            b"\x86\xdd",
            b"\x08\x06",
            b"\x45\x00",
            b"\x60\x00",
            b"\x2c\x00",
            b"\x3c\x00",
        ],
        longest: 2048,
    },
    Target {
        name: "dns",
        of_wire: true,
        run: payloads::dns,
        seeds: seeds::payloads::dns,
        words: &[b"\xc0\x0c", b"\xc0\x00", b"\x3f", b"\x00\x01\x00\x01", b"\x00\x1c\x00\x01", b"\xff\xff"],
        longest: 4096,
    },
    Target {
        name: "dhcp",
        of_wire: true,
        run: payloads::dhcp,
        seeds: seeds::payloads::dhcp,
        words: &[b"\x63\x82\x53\x63", b"\x35\x01\x05", b"\x34\x01\x03", b"\x0c\xff", b"\xff", b"\x00"],
        longest: 2048,
    },
    Target {
        name: "dhcp6",
        of_wire: true,
        run: payloads::dhcp6,
        seeds: seeds::payloads::dhcp6,
        words: &[b"\x00\x01\x00\x0a", b"\x00\x27", b"\x00\x70", b"\x00\x03\x00\x01", b"\xff\xff"],
        longest: 2048,
    },
    Target {
        name: "ssdp",
        of_wire: true,
        run: payloads::ssdp,
        seeds: seeds::payloads::ssdp,
        words: &[b"NOTIFY ", b"HTTP/1.1 200", b"SERVER:", b"NT: urn:x:device:", b"ST:", b"USN:", b"\r\n", b"::"],
        longest: 2048,
    },
    Target {
        name: "tls",
        of_wire: true,
        run: payloads::tls,
        seeds: seeds::payloads::tls,
        words: &[b"\x16\x03\x01", b"\x00\x00", b"\x00\x10", b"\x02h2", b"\xff\xff"],
        longest: 4096,
    },
    Target {
        name: "login",
        of_wire: true,
        run: payloads::login,
        seeds: seeds::payloads::login,
        words: &[
            b"SSH-2.0-",
            b"530 ",
            b"230 ",
            b"535 ",
            b"-ERR ",
            b" NO ",
            b"LOGIN",
            b"HTTP/1.1 401",
            b"Authorization: Basic ",
            b"\r\n",
        ],
        longest: 2048,
    },
    Target {
        name: "pcap",
        of_wire: false,
        run: captures::run,
        seeds: seeds::captures::all,
        words: &[
            b"\xd4\xc3\xb2\xa1",
            b"\x0a\x0d\x0d\x0a",
            b"\x4d\x3c\x2b\x1a",
            b"\x06\x00\x00\x00",
            b"\x01\x00\x00\x00",
            b"\x09\x00\x01\x00\xff",
        ],
        longest: 1 << 16,
    },
    Target {
        name: "model",
        of_wire: false,
        run: model::run,
        seeds: seeds::model::all,
        words: &[b"\xff\xff\x7f\x7f", b"\x00\x00\xc0\x7f"],
        longest: 1 << 16,
    },
    Target {
        name: "mud",
        of_wire: false,
        run: mud::run,
        seeds: seeds::mud::all,
        words: &[
            b"{",
            b"}",
            b"[",
            b"]",
            b"\"",
            b": ",
            b", ",
            b"null",
            b"\\u0000",
            b"1e9",
            b"-1",
            b"65536",
            b"\"mud\"",
            b"udp",
            b"tcp",
            b"to-device",
            b"drop",
            b"ipv6",
            b"\xff",
        ],
        longest: 1 << 17,
    },
    Target {
        name: "syslog",
        of_wire: false,
        run: logs::line,
        seeds: seeds::logs::lines,
        words: &[
            b"<38>",
            b"<0>1 ",
            b" - ",
            b"[a@1 b=\"",
            b"\"]",
            b"Nov 22 15:00:00 ",
            b"2026-11-22T15:00:00Z",
            b" from ",
            b" for ",
            b"pam_unix(",
            b" : ",
            b"sshd: ",
            b"\x1b[2J",
            b"\xe2\x80\xae",
            b"\xff",
        ],
        longest: 1 << 17,
    },
    Target {
        name: "json",
        of_wire: false,
        run: logs::object,
        seeds: seeds::logs::objects,
        words: &[
            b"\"seq\":",
            b"\"stream\":",
            b"18446744073709551615",
            b"-1e999",
            b"\"winlog\":{",
            b"\"event_data\":{",
            b"\"StringInserts\":[",
            b"\"EventID\":",
            b"\"TargetUserName\":",
            b"\"action\":\"read\"",
            b"\"message\":\"",
            b"\\ud83d",
            b"\\u0000",
            b"null",
            b"[[[[[[[[",
            b"\xff",
        ],
        longest: 1 << 17,
    },
    Target {
        name: "framing",
        of_wire: false,
        run: logs::connection,
        seeds: seeds::logs::connections,
        words: &[b"\n", b"\r\n", b" <", b"9 <", b"65536 <", b"65537 <", b"0 <", b"\0"],
        longest: 1 << 18,
    },
    Target {
        name: "config",
        of_wire: false,
        run: config::run,
        seeds: seeds::config::all,
        words: &[
            b"[", b"]", b"[[", b"\"", b"'''", b"\"\"\"", b"{", b"}", b" = ", b"\n", b"#", b".", b"\\u", b"posture",
            b"-1", b"1e999", b"\xff",
        ],
        longest: 1 << 16,
    },
];

/// A kind from whatever tells one apart.
fn kind(of: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

/// Lengths and counts that are alike: by their number of bits.
fn size(of: usize) -> u32 {
    usize::BITS - of.leading_zeros()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_tells_its_good_inputs_from_noise() {
        for target in &TARGETS {
            let noise = [(target.run)(b""), (target.run)(&[0xee; 9])];
            for (n, seed) in (target.seeds)().iter().enumerate() {
                assert!(!noise.contains(&(target.run)(seed)), "{} {n}: {seed:02x?}", target.name);
            }
        }
    }
}
