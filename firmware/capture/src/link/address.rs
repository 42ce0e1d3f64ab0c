//! The IPv4 addresses of a link and the way out of its network: given and taken.
//!
//! **Source**: rtnetlink(7); the kernel's include/uapi/linux/if_addr.h and rtnetlink.h.

use std::net::Ipv4Addr;

use super::netlink::{Message, Netlink};
use super::{LinkError, LinkState};

/// For ever, as the kernel counts the seconds of an address.
const FOR_EVER: u32 = u32::MAX;
/// A route that this box was told, as by DHCP: the kernel's `RTPROT_DHCP`.
const TOLD: u8 = 16;

/// Gives a link an address for so many seconds, after which the kernel takes it away again by itself, or for ever. One that the link
/// has already only gets its time anew.
///
/// # Errors
/// There is no such link, or the kernel refuses; the text names it.
pub fn give_address(link: &str, address: Ipv4Addr, prefix: u8, seconds: Option<u32>) -> Result<(), LinkError> {
    let mut kernel = Netlink::open()?;
    let mut message = about(&mut kernel, link, libc::RTM_NEWADDR, libc::NLM_F_CREATE | libc::NLM_F_REPLACE, prefix)?;
    let broadcast = u32::from(address) | u32::MAX.checked_shr(prefix.into()).unwrap_or(0);
    message.attribute(libc::IFA_LOCAL, &address.octets());
    message.attribute(libc::IFA_ADDRESS, &address.octets());
    message.attribute(libc::IFA_BROADCAST, &broadcast.to_be_bytes());
    // How long it is preferred, how long it is valid, and two times that the kernel sets.
    let seconds = seconds.unwrap_or(FOR_EVER);
    let times = [seconds, seconds, 0, 0].map(u32::to_ne_bytes).concat();
    message.attribute(libc::IFA_CACHEINFO, &times);
    let done = kernel.ask(message);
    done.map(drop).map_err(|refusal| LinkError::refused(link, "give it an address", &refusal))
}

/// Takes an address from a link, and with it the routes that leave from it.
///
/// # Errors
/// There is no such link, or it has no such address; the text names it.
pub fn take_address(link: &str, address: Ipv4Addr, prefix: u8) -> Result<(), LinkError> {
    let mut kernel = Netlink::open()?;
    let mut message = about(&mut kernel, link, libc::RTM_DELADDR, 0, prefix)?;
    message.attribute(libc::IFA_LOCAL, &address.octets());
    let done = kernel.ask(message);
    done.map(drop).map_err(|refusal| LinkError::refused(link, "take its address", &refusal))
}

/// Has everything that is not of the link's own network go to a router, from one of the link's addresses.
///
/// # Errors
/// There is no such link, or the kernel does not know how to reach the router; the text names it.
pub fn set_router(link: &str, router: Ipv4Addr, from: Ipv4Addr) -> Result<(), LinkError> {
    let mut kernel = Netlink::open()?;
    let index = must(&mut kernel, link)?.index;
    let mut message = Message::new(libc::RTM_NEWROUTE, libc::NLM_F_CREATE | libc::NLM_F_REPLACE);
    let family = libc::AF_INET as u8;
    // Lengths of destination and source, type of service, then where it stands.
    message.fixed(&[family, 0, 0, 0, libc::RT_TABLE_MAIN, TOLD, libc::RT_SCOPE_UNIVERSE, libc::RTN_UNICAST]);
    message.fixed(&[0; 4]);
    message.attribute(libc::RTA_OIF, &index.to_ne_bytes());
    message.attribute(libc::RTA_GATEWAY, &router.octets());
    message.attribute(libc::RTA_PREFSRC, &from.octets());
    let done = kernel.ask(message);
    done.map(drop).map_err(|refusal| LinkError::refused(link, "set its router", &refusal))
}

fn about(kernel: &mut Netlink, link: &str, kind: u16, flags: i32, prefix: u8) -> Result<Message, LinkError> {
    let index = must(kernel, link)?.index;
    let mut message = Message::new(kind, flags);
    message.fixed(&[libc::AF_INET as u8, prefix, 0, libc::RT_SCOPE_UNIVERSE]);
    message.fixed(&index.to_ne_bytes());
    Ok(message)
}

fn must(kernel: &mut Netlink, link: &str) -> Result<LinkState, LinkError> {
    kernel.link(link)?.ok_or_else(|| LinkError::Missing(link.to_owned()))
}
