//! Links of the system: their state, their addresses, and the bridge over two of them.

mod address;
mod bridge;
mod netlink;

use std::io;
use std::net::IpAddr;

use terms::MacAddr;

pub use address::{give_address, set_router, take_address};
pub use bridge::{BridgeReport, LinkError, Setting, ensure_bridge, look_at_bridge, make_cable};
use netlink::{Attributes, Message, Netlink, Refusal};

/// The longest name of a link, in octets.
const LONGEST_NAME: usize = 15;
/// The fixed part of a message about a link: family, type of hardware, index, flags, changed flags.
const INFO: usize = 16;

/// One link as the kernel describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkState {
    /// Its name.
    pub name: String,
    /// Its number.
    pub index: u32,
    /// Whether it carries Ethernet frames (the loopback doesn't).
    pub ethernet: bool,
    /// Its kind if it is made of software, as in `bridge` or `veth`; empty for hardware.
    pub kind: String,
    /// Whether it was switched on.
    pub up: bool,
    /// Whether something answers at the other end of its cable.
    pub carrier: bool,
    /// The longest packet that it takes, in octets.
    pub mtu: u32,
    /// Its hardware address.
    pub mac: MacAddr,
    /// The number of the bridge that holds it.
    pub master: Option<u32>,
    /// What it is set to, if it is a bridge: the kernel's attribute and its value.
    bridge: Vec<(u16, u64)>,
}

/// The box's own addresses, which it must never block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnAddresses {
    /// Hardware addresses.
    pub macs: Vec<MacAddr>,
    /// IP addresses.
    pub addresses: Vec<IpAddr>,
}

/// What the kernel says of a link; nothing if there is none of that name.
///
/// # Errors
/// The kernel could not be asked.
pub fn link_state(name: &str) -> io::Result<Option<LinkState>> {
    Netlink::open()?.link(name)
}

/// Every link of this network namespace.
///
/// # Errors
/// The kernel could not be asked.
pub fn list() -> io::Result<Vec<LinkState>> {
    let mut netlink = Netlink::open()?;
    let mut links = Vec::new();
    for known in pnet_datalink::interfaces() {
        // A link may go between the two questions.
        links.extend(netlink.link(&known.name)?);
    }
    Ok(links)
}

/// The addresses of some links of the box, each once; links that are missing have none.
#[must_use]
pub fn own_addresses(links: &[&str]) -> OwnAddresses {
    let mut own = OwnAddresses::default();
    for known in pnet_datalink::interfaces().iter().filter(|known| links.contains(&known.name.as_str())) {
        let mac = known.mac.map(|mac| MacAddr::new(mac.octets()));
        own.macs.extend(mac.filter(|mac| *mac != MacAddr::ZERO));
        own.addresses.extend(known.ips.iter().map(|network| network.ip()));
    }
    own.macs.sort_unstable();
    own.macs.dedup();
    own.addresses.sort_unstable();
    own.addresses.dedup();
    own
}

impl Netlink {
    fn link(&mut self, name: &str) -> io::Result<Option<LinkState>> {
        if name.is_empty() || name.len() > LONGEST_NAME || name.contains('\0') {
            return Ok(None);
        }
        let mut message = Message::new(libc::RTM_GETLINK, 0);
        message.fixed(&[0; INFO]);
        message.text(libc::IFLA_IFNAME, name);
        match self.ask(message) {
            Ok(answer) => Ok(answer.and_then(|octets| LinkState::read(&octets))),
            Err(Refusal { cause, .. }) if cause.raw_os_error() == Some(libc::ENODEV) => Ok(None),
            Err(Refusal { cause, .. }) => Err(cause),
        }
    }
}

impl LinkState {
    /// A link that is down and of which only name and hardware address are known.
    #[must_use]
    pub fn named(name: &str, mac: MacAddr) -> Self {
        Self {
            name: name.to_owned(),
            index: 0,
            ethernet: true,
            kind: String::new(),
            up: false,
            carrier: false,
            mtu: 0,
            mac,
            master: None,
            bridge: Vec::new(),
        }
    }

    /// Reads the kernel's answer; nothing if it is too short to be one.
    fn read(octets: &[u8]) -> Option<Self> {
        let info = octets.first_chunk::<INFO>()?;
        let flags = word(&info[8..]);
        let mut link = Self {
            index: word(&info[4..]),
            ethernet: u16::from_ne_bytes([info[2], info[3]]) == libc::ARPHRD_ETHER,
            up: flags & libc::IFF_UP as u32 != 0,
            ..Self::named("", MacAddr::ZERO)
        };
        for (kind, value) in Attributes::of(&octets[INFO..]) {
            match kind {
                libc::IFLA_IFNAME => link.name = text(value),
                libc::IFLA_CARRIER => link.carrier = value.first() == Some(&1),
                libc::IFLA_MTU => link.mtu = word(value),
                libc::IFLA_ADDRESS => link.mac = value.try_into().map_or(MacAddr::ZERO, MacAddr::new),
                libc::IFLA_MASTER => link.master = Some(word(value)),
                libc::IFLA_LINKINFO => link.read_kind(value),
                _ => {}
            }
        }
        Some(link)
    }

    fn read_kind(&mut self, octets: &[u8]) {
        for (kind, value) in Attributes::of(octets) {
            match kind {
                libc::IFLA_INFO_KIND => self.kind = text(value),
                libc::IFLA_INFO_DATA if self.kind == "bridge" => {
                    self.bridge =
                        Attributes::of(value).filter_map(|(kind, value)| Some((kind, number(value)?))).collect();
                }
                _ => {}
            }
        }
    }
}

fn word(octets: &[u8]) -> u32 {
    octets.first_chunk().map_or(0, |four| u32::from_ne_bytes(*four))
}

/// A number of whatever width the kernel gives it.
fn number(octets: &[u8]) -> Option<u64> {
    match *octets {
        [a] => Some(u64::from(a)),
        [a, b] => Some(u64::from(u16::from_ne_bytes([a, b]))),
        [a, b, c, d] => Some(u64::from(u32::from_ne_bytes([a, b, c, d]))),
        _ => None,
    }
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets.split(|&octet| octet == 0).next().unwrap_or_default()).into_owned()
}
