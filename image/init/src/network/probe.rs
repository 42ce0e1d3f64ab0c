//! Whether somebody has an address already, asked before the box takes it.
//!
//! **Source**: RFC 5227 sections 2.1 and 2.3 for probes and announcements; RFC 826 for the packets.

use std::io;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use pnet_datalink::{Channel, Config, DataLinkReceiver, DataLinkSender};
use terms::MacAddr;
use wire::arp::Operation;
use wire::{LinkType, Net, parse};

/// Probes, and the pause after each.
const PROBES: u32 = 3;
const PAUSE: Duration = Duration::from_millis(500);
/// How long a look at the link waits.
const LOOK: Duration = Duration::from_millis(50);
/// The kind of an Ethernet frame that holds ARP.
const ARP: [u8; 2] = [0x08, 0x06];

/// Who has the address, or wants it as well; nothing where nobody does.
pub fn holder(link: &str, own: MacAddr, address: Ipv4Addr) -> io::Result<Option<MacAddr>> {
    let (mut to, mut from) = open(link)?;
    for _ in 0..PROBES {
        send(&mut *to, &request(own, Ipv4Addr::UNSPECIFIED, address))?;
        let until = Instant::now() + PAUSE;
        while Instant::now() < until {
            let Ok(frame) = from.next() else { continue };
            if let Some(other) = claims(frame, own, address) {
                return Ok(Some(other));
            }
        }
    }
    Ok(None)
}

/// Tells everybody that the box has the address now.
pub fn announce(link: &str, own: MacAddr, address: Ipv4Addr) -> io::Result<()> {
    let (mut to, _) = open(link)?;
    send(&mut *to, &request(own, address, address))
}

fn open(link: &str) -> io::Result<(Box<dyn DataLinkSender>, Box<dyn DataLinkReceiver>)> {
    let link = pnet_datalink::interfaces().into_iter().find(|known| known.name == link);
    let link = link.ok_or_else(|| io::Error::other("the link is gone"))?;
    let config = Config { read_timeout: Some(LOOK), promiscuous: false, ..Config::default() };
    match pnet_datalink::channel(&link, config)? {
        Channel::Ethernet(to, from) => Ok((to, from)),
        _ => Err(io::Error::other("the link carries no Ethernet frames")),
    }
}

fn send(to: &mut dyn DataLinkSender, frame: &[u8]) -> io::Result<()> {
    to.send_to(frame, None).unwrap_or_else(|| Err(io::Error::other("the frame is not sent")))
}

/// The frame that asks who has an address.
fn request(own: MacAddr, sender: Ipv4Addr, target: Ipv4Addr) -> Vec<u8> {
    let mut frame = vec![0xff; 6];
    frame.extend(own.octets());
    frame.extend(ARP);
    // Ethernet, IPv4, addresses of six and four octets, a request.
    frame.extend([0, 1, 8, 0, 6, 4, 0, 1]);
    frame.extend(own.octets());
    frame.extend(sender.octets());
    frame.extend([0; 6]);
    frame.extend(target.octets());
    frame
}

/// Who says in this frame that the address is theirs, or asks for it to take it.
fn claims(frame: &[u8], own: MacAddr, address: Ipv4Addr) -> Option<MacAddr> {
    let len = u32::try_from(frame.len()).ok()?;
    let Net::Arp(arp) = parse(LinkType::Ethernet, frame, len, None).ok()?.net else { return None };
    let has = arp.sender == address;
    let wants = arp.operation == Operation::Request && arp.sender.is_unspecified() && arp.target == address;
    (arp.sender_mac != own && (has || wants)).then_some(arp.sender_mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_or_wants_the_address_is_told_and_nobody_else() {
        let (own, other) = (MacAddr::new([2, 0, 0, 0, 0, 1]), MacAddr::new([2, 0, 0, 0, 0, 2]));
        let (address, another) = (Ipv4Addr::new(169, 254, 7, 8), Ipv4Addr::new(169, 254, 7, 9));
        let said = |mac, sender, target| claims(&request(mac, sender, target), own, address);
        assert_eq!(said(other, address, address), Some(other), "an announcement");
        assert_eq!(said(other, Ipv4Addr::UNSPECIFIED, address), Some(other), "another probe");
        assert_eq!(said(other, another, address), None, "somebody who only asks");
        assert_eq!(said(own, Ipv4Addr::UNSPECIFIED, address), None, "the box's own probe");
        assert_eq!(claims(&[0; 60], own, address), None);
    }
}
