//! Frames made, sent and received by raw sockets at the ends of two veth pairs whose other ends a bridge holds.

use std::io;
use std::net::IpAddr;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use terms::MacAddr;

use super::links;

const ETH_ALL: u16 = 0x0003;
/// Stands before a frame's number.
pub const TAG: &[u8] = b"picket-frame";
/// A hardware address that nobody has: the bridge floods it to the other side only.
const NOBODY: [u8; 6] = [2, 0xff, 0xff, 0xff, 0xff, 0xff];

/// What a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carries {
    Packet(IpAddr),
    /// A packet behind one 802.1Q tag.
    Tagged(IpAddr),
    /// An ARP claim of the address, which is no packet: only hardware addresses decide.
    Arp(IpAddr),
}

/// One end of a link, to send frames on and to see what arrives.
pub struct End {
    fd: OwnedFd,
}

/// Makes `host0 - lan0 - bridge br0 - up0 - router0` and gives the two outer ends.
pub fn bridge() -> (End, End) {
    links::pair("lan0", "host0");
    links::pair("up0", "router0");
    links::bridge("br0");
    ["lan0", "up0"].iter().for_each(|link| links::join(link, "br0"));
    ["lan0", "up0", "host0", "router0", "br0"].iter().for_each(|link| links::up(link));
    (End::open("host0").expect("host0"), End::open("router0").expect("router0"))
}

/// A frame with a number by which it is known at the other end.
pub fn frame(src: MacAddr, carries: Carries, number: u32) -> Vec<u8> {
    let (address, tagged) = match carries {
        Carries::Packet(a) | Carries::Arp(a) => (a, false),
        Carries::Tagged(a) => (a, true),
    };
    let mut frame = [NOBODY.as_slice(), &src.octets()].concat();
    if tagged {
        frame.extend_from_slice(&[0x81, 0, 0, 7]);
    }
    let payload = [TAG, &number.to_be_bytes()].concat();
    match (carries, address) {
        (Carries::Arp(_), IpAddr::V4(a)) => {
            frame.extend_from_slice(&[8, 6, 0, 1, 8, 0, 6, 4, 0, 2]);
            frame.extend_from_slice(&[src.octets().as_slice(), &a.octets(), &NOBODY, &a.octets()].concat());
        }
        (_, IpAddr::V4(_)) => frame.extend(ip(address, [198, 51, 100, 1].into(), 253, payload.len(), [0; 2])),
        (_, IpAddr::V6(_)) => frame.extend(ip(address, address, 253, payload.len(), [0; 2])),
    }
    frame.extend_from_slice(&payload);
    frame.resize(frame.len().max(60), 0);
    frame
}

/// The EtherType and the header of IP before so many octets; `fragment` is the identification, and flags with the offset, of IPv4.
pub fn ip(src: IpAddr, dst: IpAddr, protocol: u8, payload: usize, fragment: [u16; 2]) -> Vec<u8> {
    match (src, dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            let [id, flags] = fragment.map(u16::to_be_bytes);
            let len = u16::try_from(20 + payload).unwrap().to_be_bytes();
            let mut header = [[0x45, 0], len, id, flags, [64, protocol], [0, 0]].concat();
            header.extend([src.octets(), dst.octets()].concat());
            // A bridge may look at the sum.
            let sum: u32 = header.chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
            let folded = !u16::try_from((sum & 0xffff) + (sum >> 16)).unwrap();
            header[10..12].copy_from_slice(&folded.to_be_bytes());
            [vec![8, 0], header].concat()
        }
        (IpAddr::V6(src), IpAddr::V6(dst)) => {
            let len = u16::try_from(payload).unwrap().to_be_bytes();
            let mut header = vec![0x86, 0xdd, 0x60, 0, 0, 0, len[0], len[1], protocol, 64];
            header.extend([src.octets(), dst.octets()].concat());
            header
        }
        _ => panic!("both ends speak the same IP"),
    }
}

/// Writes the sum that the header behind that of IP has; connection tracking does not believe packets without it.
pub fn sum(src: IpAddr, dst: IpAddr, protocol: u8, behind: &mut [u8]) {
    let Some(at) =
        [(6, 16), (17, 6), (1, 2), (58, 2)].iter().find(|(number, _)| *number == protocol).map(|(_, at)| *at)
    else {
        return;
    };
    let octets = |address: IpAddr| match address {
        IpAddr::V4(a) => a.octets().to_vec(),
        IpAddr::V6(a) => a.octets().to_vec(),
    };
    let mut all = Vec::new();
    if protocol != 1 {
        all =
            [octets(src), octets(dst), vec![0, protocol], u16::try_from(behind.len()).unwrap().to_be_bytes().to_vec()]
                .concat();
    }
    all.extend_from_slice(behind);
    let pair = |pair: &[u8]| u64::from(u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or_default()]));
    let mut sum: u64 = all.chunks(2).map(pair).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    behind[at..at + 2].copy_from_slice(&(!u16::try_from(sum).unwrap()).to_be_bytes());
}

impl End {
    fn open(link: &str) -> io::Result<Self> {
        let name = std::ffi::CString::new(link)?;
        // SAFETY: the name ends with a zero octet; the descriptor is checked before it is owned, and owned once.
        unsafe {
            let index = libc::if_nametoindex(name.as_ptr());
            let fd = libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, i32::from(ETH_ALL.to_be()));
            if fd < 0 || index == 0 {
                return Err(io::Error::last_os_error());
            }
            let end = Self { fd: OwnedFd::from_raw_fd(fd) };
            let mut address: libc::sockaddr_ll = std::mem::zeroed();
            address.sll_family = u16::try_from(libc::AF_PACKET).unwrap();
            address.sll_protocol = ETH_ALL.to_be();
            address.sll_ifindex = i32::try_from(index).unwrap();
            let len = u32::try_from(size_of::<libc::sockaddr_ll>()).unwrap();
            if libc::bind(fd, (&raw const address).cast(), len) < 0 {
                return Err(io::Error::last_os_error());
            }
            let (room, wait) = (8 * 1024 * 1024, libc::timeval { tv_sec: 2, tv_usec: 0 });
            libc::setsockopt(fd, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, (&raw const room).cast(), 4);
            let len = u32::try_from(size_of::<libc::timeval>()).unwrap();
            libc::setsockopt(fd, libc::SOL_SOCKET, libc::SO_RCVTIMEO, (&raw const wait).cast(), len);
            Ok(end)
        }
    }

    pub fn send(&self, frame: &[u8]) {
        // SAFETY: the descriptor is open and the octets live during the call.
        let sent = unsafe { libc::send(self.fd.as_raw_fd(), frame.as_ptr().cast(), frame.len(), 0) };
        assert_eq!(usize::try_from(sent).ok(), Some(frame.len()), "{}", io::Error::last_os_error());
    }

    /// The numbers of the frames that arrive, up to the one with number `last`, or until nothing arrived for two seconds.
    pub fn numbers_until(&self, last: u32) -> Vec<u32> {
        let mut numbers = Vec::new();
        while numbers.last() != Some(&last) {
            let mut frame = [0; 256];
            // SAFETY: all zero is a valid address; filled by the kernel below.
            let mut from: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
            let mut from_len = u32::try_from(size_of::<libc::sockaddr_ll>()).unwrap();
            let fd = self.fd.as_raw_fd();
            // SAFETY: buffer and address live during the call and are as long as said.
            let len = unsafe {
                libc::recvfrom(fd, frame.as_mut_ptr().cast(), frame.len(), 0, (&raw mut from).cast(), &raw mut from_len)
            };
            let Ok(len) = usize::try_from(len) else { break };
            // What this end sends is seen here too.
            if from.sll_pkttype == libc::PACKET_OUTGOING {
                continue;
            }
            let tag = frame[..len].windows(TAG.len()).position(|octets| octets == TAG);
            if let Some(number) = tag.and_then(|at| frame[..len].get(at + TAG.len()..)?.first_chunk()) {
                numbers.push(u32::from_be_bytes(*number));
            }
        }
        numbers
    }
}

/// Keeps the thread on one processor, so that frames keep their order.
pub fn keep_order() {
    // SAFETY: a zeroed set is an empty one; the kernel reads it during the call only.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(0, &mut set);
        libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set);
    }
}
