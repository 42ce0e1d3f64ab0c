//! Links made by the kernel's own messages: a machine that holds nothing but a test has no program for it.
//!
//! **Source**: `include/uapi/linux/if_link.h`, `include/linux/rtnetlink.h`.

use std::ffi::CString;

use mnl::{Bus, Socket};

const NEW_LINK: u16 = 16;
const SET_LINK: u16 = 19;
const REQUEST_AND_ANSWER: u16 = 0x5;
const CREATE: u16 = 0x400;
const UP: u32 = 1;
const NAME: u16 = 3;
const MASTER: u16 = 10;
const INFO: u16 = 18;
const AF_SPEC: u16 = 26;
const KIND: u16 = 1;
const DATA: u16 = 2;
const PEER: u16 = 1;
const MULTICAST_SNOOPING: u16 = 23;
const ADDRESS_MODE: u16 = 8;

/// Makes two links that are each other's far end.
pub fn pair(name: &str, other: &str) {
    let peer = [header(0, 0), text(NAME, other)].concat();
    let data = attribute(DATA, &attribute(PEER, &peer));
    make(name, "veth", &data);
}

/// Makes a bridge that floods multicast.
pub fn bridge(name: &str) {
    make(name, "bridge", &attribute(DATA, &attribute(MULTICAST_SNOOPING, &[0])));
}

/// Puts a link into a bridge.
pub fn join(name: &str, bridge: &str) {
    talk(SET_LINK, 0, &[header(index(name), 0), attribute(MASTER, &index(bridge).to_ne_bytes())].concat());
}

/// Has a link pass frames, and say nothing by itself.
pub fn up(name: &str) {
    let silent = attribute(u16::try_from(libc::AF_INET6).unwrap(), &attribute(ADDRESS_MODE, &[1]));
    talk(SET_LINK, 0, &[header(index(name), 0), attribute(AF_SPEC, &silent)].concat());
    talk(SET_LINK, 0, &header(index(name), UP));
}

fn make(name: &str, kind: &str, data: &[u8]) {
    let info = attribute(INFO, &[text(KIND, kind), data.to_vec()].concat());
    talk(NEW_LINK, CREATE, &[header(0, 0), text(NAME, name), info].concat());
}

fn index(name: &str) -> u32 {
    let c_name = CString::new(name).unwrap();
    // SAFETY: the name ends with a zero octet and lives during the call.
    let index = unsafe { libc::if_nametoindex(c_name.as_ptr()) };
    assert_ne!(index, 0, "no link {name}");
    index
}

/// The structure that each message about a link begins with.
fn header(index: u32, flags: u32) -> Vec<u8> {
    [[0; 4], index.to_ne_bytes(), flags.to_ne_bytes(), flags.to_ne_bytes()].concat()
}

fn text(kind: u16, text: &str) -> Vec<u8> {
    attribute(kind, &[text.as_bytes(), &[0]].concat())
}

fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let len = u16::try_from(4 + value.len()).unwrap();
    let mut octets = [len.to_ne_bytes().as_slice(), &kind.to_ne_bytes(), value].concat();
    octets.resize(octets.len().next_multiple_of(4), 0);
    octets
}

/// Sends a message, and believes nothing but the kernel's word that it was done.
fn talk(kind: u16, flags: u16, body: &[u8]) {
    let len = u32::try_from(16 + body.len()).unwrap().to_ne_bytes();
    let flags = (REQUEST_AND_ANSWER | flags).to_ne_bytes();
    let message = [&len[..], &kind.to_ne_bytes(), &flags, &[0; 8], body].concat();
    let socket = Socket::new(Bus::Route).unwrap();
    assert_eq!(socket.send(&message).unwrap(), message.len());
    let mut answer = vec![0; 8_192];
    let start = answer.as_ptr().align_offset(4).min(3);
    let len = socket.recv_raw(&mut answer[start..start + 8_188]).unwrap();
    let said = answer[start..start + len].get(16..20).and_then(|octets| octets.first_chunk()).copied().unwrap();
    let errno = -i32::from_ne_bytes(said);
    assert_eq!(errno, 0, "message {kind} about a link: {}", std::io::Error::from_raw_os_error(errno));
}
