//! What benchmarks send from inside a namespace: light bursts of datagrams, and frames of hosts that do not exist.

use std::net::{SocketAddr, UdpSocket};
use std::process::ExitCode;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use clap::Args;
use pnet_datalink::{Channel, Config};
use terms::MacAddr;

/// Datagrams that are sent before the sender looks at the clock again.
const BURST: u32 = 50;

/// Hosts that are to be made up, and what each sends.
#[derive(Args, Debug)]
pub struct Invented {
    /// The link to send on.
    link: String,
    /// The hardware address that the frames are for.
    to: String,
    /// What each frame is.
    #[arg(value_parser = ["echo", "datagram"])]
    kind: String,
    /// The number of the first host.
    first: u16,
    /// How many hosts.
    hosts: u16,
    /// How many frames each.
    frames: u16,
    /// Microseconds between two frames of a host.
    gap: u64,
    /// Milliseconds between two hosts.
    rest: u64,
}

/// Sends datagrams in small bursts at a steady pace, and prints how many the kernel took.
///
/// # Errors
/// When there is no way to the address.
pub fn burst(to: SocketAddr, number: u32, rate: u32, len: usize) -> Result<ExitCode> {
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    socket.connect(to)?;
    let payload = vec![0x5a; len];
    let (begin, gap) = (Instant::now(), Duration::from_secs_f64(1.0 / f64::from(rate.max(1))));
    let mut sent = 0_u32;
    for n in 0..number {
        sent += u32::from(socket.send(&payload).is_ok());
        if n % BURST == 0 {
            sleep((begin + gap * n).saturating_duration_since(Instant::now()));
        }
    }
    println!("{sent}");
    Ok(ExitCode::SUCCESS)
}

/// Sends what invented hosts send, one host after the other, and prints for each its hardware address and the time just before its
/// last frame, in seconds since the epoch.
///
/// # Errors
/// When the link can't be sent on.
pub fn invent(what: &Invented) -> Result<ExitCode> {
    let link = pnet_datalink::interfaces().into_iter().find(|link| link.name == what.link);
    let link = link.with_context(|| format!("there is no link named {}", what.link))?;
    let Channel::Ethernet(mut out, _) = pnet_datalink::channel(&link, Config::default())? else {
        bail!("{} is no Ethernet", what.link)
    };
    let to: MacAddr = what.to.parse().map_err(|_| anyhow::anyhow!("{} is no hardware address", what.to))?;
    for host in what.first..what.first.saturating_add(what.hosts) {
        let begin = Instant::now();
        let mut last = Duration::ZERO;
        for n in 0..what.frames {
            sleep((begin + Duration::from_micros(what.gap * u64::from(n))).saturating_duration_since(Instant::now()));
            let frame = if what.kind == "echo" { echo(host, to, n) } else { datagram(host, to, n) };
            last = SystemTime::now().duration_since(UNIX_EPOCH)?;
            out.send_to(&frame, None).context("the link takes no frame")??;
        }
        if what.kind == "echo" {
            println!("{} {:.6}", invented(host), last.as_secs_f64());
        }
        sleep(Duration::from_millis(what.rest));
    }
    Ok(ExitCode::SUCCESS)
}

/// The hardware address of an invented host.
fn invented(host: u16) -> MacAddr {
    let [high, low] = host.to_be_bytes();
    MacAddr::new([2, 0x79, 0, 0, high, low])
}

fn echo(host: u16, to: MacAddr, n: u16) -> Vec<u8> {
    let [high, low] = n.to_be_bytes();
    let mut message = vec![8, 0, 0, 0, 0x77, 0x77, high, low];
    message.resize(18, 0);
    let sum = checksum(&message);
    message[2..4].copy_from_slice(&sum);
    packet(host, to, 1, &message)
}

fn datagram(host: u16, to: MacAddr, n: u16) -> Vec<u8> {
    let (mut message, [high, low]) = (vec![0; 18], (40_000_u16.wrapping_add(n)).to_be_bytes());
    // Without a checksum, which IPv4 allows.
    message[..8].copy_from_slice(&[high, low, high, low, 0, 18, 0, 0]);
    packet(host, to, 17, &message)
}

/// A frame of 60 octets at most from an invented host to a server's address.
fn packet(host: u16, to: MacAddr, protocol: u8, body: &[u8]) -> Vec<u8> {
    let [high, low] = host.to_be_bytes();
    let mut frame = [to.octets(), invented(host).octets()].concat();
    frame.extend([8, 0, 0x45, 0]);
    frame.extend((20 + body.len() as u16).to_be_bytes());
    frame.extend([0, 0, 0, 0, 64, protocol, 0, 0, 10, 79, high, low, 198, 51, 100, 10]);
    let sum = checksum(&frame[14..34]);
    frame[24..26].copy_from_slice(&sum);
    frame.extend_from_slice(body);
    frame
}

/// RFC 1071.
pub(super) fn checksum(octets: &[u8]) -> [u8; 2] {
    let word = |two: &[u8]| u32::from(u16::from_be_bytes([two[0], two.get(1).copied().unwrap_or(0)]));
    let sum: u32 = octets.chunks(2).map(word).sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    (!((folded & 0xffff) + (folded >> 16)) as u16).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::{LinkType, Net, Transport, parse};

    #[test]
    fn an_invented_echo_is_read_as_one_and_its_checksums_are_right() {
        let frame = echo(300, MacAddr::BROADCAST, 7);
        let summary = parse(LinkType::Ethernet, &frame, 60, None).expect("a frame");
        let Net::Ip(packet) = summary.net else { panic!("{summary:?}") };
        assert!(matches!(packet.transport, Transport::Icmp(message) if message.kind == 8));
        assert_eq!((summary.src, checksum(&frame[14..34]), checksum(&frame[34..])), (invented(300), [0, 0], [0, 0]));
    }
}
