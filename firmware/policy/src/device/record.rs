//! The record of one device.

use core::fmt;
use core::net::IpAddr;
use core::str::FromStr;

use serde::{Deserialize, Serialize};
use terms::{MacAddr, Side, Timestamp};

use super::clue::{MudSource, NameSource, Says};

/// Hardware addresses of a device.
pub(super) const MACS: usize = 8;
/// Addresses kept of a device: a host with privacy addresses has a handful, a router many.
const ADDRESSES: usize = 16;
/// Names kept of a device.
const NAMES: usize = 8;
/// Services, models, UPnP types and pieces of software kept of a device, of each.
const HINTS: usize = 16;
/// Options kept of a DHCP fingerprint.
const PARAMETERS: usize = 64;

/// A device's number: given to no other one as long as the box runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DeviceId(pub(super) u32);

/// What is known of a device.
///
/// **Bounds**: 8 hardware addresses, 16 addresses, 8 names, 16 hints of each kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceRecord {
    /// Its number.
    pub id: DeviceId,
    /// Its hardware addresses, the newest last.
    pub macs: Vec<MacAddr>,
    /// Its addresses.
    pub addresses: Vec<Place>,
    /// What it calls itself, and what others call it.
    pub names: Vec<Name>,
    /// What tells its kind.
    pub hints: Hints,
    /// Where its description is, and how that came.
    pub mud: Option<(MudSource, String)>,
    /// The side on which it was seen first.
    pub side: Side,
    /// Its first frame.
    pub first_seen: Timestamp,
    /// Its newest frame.
    pub last_seen: Timestamp,
    /// The name that a person gave it.
    pub given_name: Option<String>,
    /// Whose it is.
    pub owner: String,
    /// The groups that a person put it in.
    pub groups: Vec<String>,
    /// A person's tags.
    pub tags: Vec<String>,
    /// A person's notes.
    pub notes: String,
}

/// An address in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The address.
    pub address: IpAddr,
    /// When it was last used.
    pub last_seen: Timestamp,
    /// When the network's DHCP server last gave it to this device; the epoch if it never did.
    pub leased: Timestamp,
}

/// A name and who told it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Name {
    /// Who told it.
    pub source: NameSource,
    /// The name.
    pub text: String,
    /// When it was last told.
    pub at: Timestamp,
}

/// What tells a device's kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hints {
    /// The DHCP options it asks for, in its order.
    pub parameters: Vec<u8>,
    /// Its make, as DHCP says.
    pub vendor_class: String,
    /// The services it offers.
    pub services: Vec<String>,
    /// Its models.
    pub models: Vec<String>,
    /// What UPnP calls it.
    pub upnp_types: Vec<String>,
    /// What it runs.
    pub software: Vec<String>,
    /// What LLDP says that it works as.
    pub capabilities: u16,
}

impl DeviceId {
    /// The number itself.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }

    /// The device with this number.
    #[must_use]
    pub const fn of(number: u32) -> Self {
        Self(number)
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for DeviceId {
    type Err = core::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

impl DeviceRecord {
    /// A device that was just seen.
    pub(super) fn new(id: DeviceId, mac: MacAddr, side: Side, at: Timestamp) -> Self {
        Self { id, macs: vec![mac], side, first_seen: at, last_seen: at, ..Self::default() }
    }

    /// What it is called: by a person, else by itself, else by its address.
    #[must_use]
    pub fn name(&self) -> String {
        let told = self.names.iter().max_by_key(|name| (rank(name.source), name.at)).map(|name| name.text.clone());
        let mac = || self.macs.last().map(ToString::to_string);
        self.given_name.clone().or(told).or_else(mac).unwrap_or_default()
    }

    /// Who made it, by the hardware addresses that were not drawn by chance.
    #[must_use]
    pub fn vendor(&self) -> Option<String> {
        self.macs.iter().rev().find_map(|mac| super::vendor(*mac))
    }

    /// Whether every hardware address that it has was drawn by chance.
    #[must_use]
    pub fn is_randomised(&self) -> bool {
        self.macs.iter().all(|mac| super::is_randomised(*mac))
    }

    /// Whether a person said something about it.
    #[must_use]
    pub fn is_kept_by_hand(&self) -> bool {
        let said = [&self.owner, &self.notes].iter().any(|text| !text.is_empty());
        said || self.given_name.is_some() || !self.groups.is_empty() || !self.tags.is_empty() || self.macs.len() > 1
    }

    /// Whether no list of it is longer than those of a record that was made here.
    #[must_use]
    pub fn is_within_bounds(&self) -> bool {
        let hints = [
            self.hints.services.len(),
            self.hints.models.len(),
            self.hints.upnp_types.len(),
            self.hints.software.len(),
        ];
        (1..=MACS).contains(&self.macs.len())
            && self.addresses.len() <= ADDRESSES
            && self.names.len() <= NAMES
            && hints.iter().all(|len| *len <= HINTS)
            && self.groups.len().max(self.tags.len()) <= HINTS
    }

    /// Notes a sight. Returns whether anything but the time changed.
    pub(super) fn seen(&mut self, address: Option<IpAddr>, at: Timestamp) -> bool {
        self.last_seen = self.last_seen.max(at);
        self.first_seen = self.first_seen.min(at);
        let Some(address) = address else { return false };
        if let Some(place) = self.addresses.iter_mut().find(|place| place.address == address) {
            place.last_seen = place.last_seen.max(at);
            return false;
        }
        let place = Place { address, last_seen: at, leased: Timestamp::EPOCH };
        push(&mut self.addresses, place, ADDRESSES, |place| place.last_seen);
        true
    }

    /// Notes what is said. Returns whether anything but the time changed.
    pub(super) fn told(&mut self, says: &Says, at: Timestamp) -> bool {
        let hints = &mut self.hints;
        let (list, text) = match says {
            Says::Name(source, text) => return self.called(*source, text, at),
            Says::Fingerprint(parameters, class) => {
                let parameters = &parameters[..parameters.len().min(PARAMETERS)];
                let same = hints.parameters == parameters && hints.vendor_class == *class;
                hints.parameters = parameters.into();
                hints.vendor_class.clone_from(class);
                return !same;
            }
            Says::Capabilities(bits) => {
                let before = hints.capabilities;
                hints.capabilities |= bits;
                return hints.capabilities != before;
            }
            Says::Mud(source, url) => {
                let now = Some((*source, url.clone()));
                let same = self.mud == now;
                self.mud = now;
                return !same;
            }
            Says::Leased(address) => {
                let fresh = self.seen(Some(IpAddr::V4(*address)), at);
                for place in self.addresses.iter_mut().filter(|place| place.address == IpAddr::V4(*address)) {
                    place.leased = at;
                }
                return fresh;
            }
            Says::Service(text) => (&mut hints.services, text),
            Says::Model(text) => (&mut hints.models, text),
            Says::UpnpType(text) => (&mut hints.upnp_types, text),
            Says::Software(text) => (&mut hints.software, text),
        };
        keep(list, text)
    }

    fn called(&mut self, source: NameSource, text: &str, at: Timestamp) -> bool {
        let known = self.names.iter_mut().filter(|name| name.source == source);
        if let Some(name) = known.into_iter().find(|name| is_same_name(&name.text, text)) {
            name.at = name.at.max(at);
            let longer = text.len() > name.text.len();
            if longer {
                name.text = text.into();
            }
            return longer;
        }
        push(&mut self.names, Name { source, text: text.into(), at }, NAMES, |name| name.at);
        true
    }

    /// Takes over all that another record holds.
    pub(super) fn absorb(&mut self, other: Self) {
        let macs = core::mem::take(&mut self.macs);
        self.macs = other.macs.into_iter().chain(macs).collect();
        for place in other.addresses {
            if self.addresses.iter().all(|known| known.address != place.address) {
                push(&mut self.addresses, place, ADDRESSES, |place| place.last_seen);
            }
        }
        for name in other.names {
            self.called(name.source, &name.text, name.at);
        }
        let hints = other.hints;
        for (mine, theirs) in [
            (&mut self.hints.services, hints.services),
            (&mut self.hints.models, hints.models),
            (&mut self.hints.upnp_types, hints.upnp_types),
            (&mut self.hints.software, hints.software),
            (&mut self.groups, other.groups),
            (&mut self.tags, other.tags),
        ] {
            for text in &theirs {
                keep(mine, text);
            }
        }
        if self.hints.parameters.is_empty() {
            (self.hints.parameters, self.hints.vendor_class) = (hints.parameters, hints.vendor_class);
        }
        self.hints.capabilities |= hints.capabilities;
        self.mud = self.mud.take().or(other.mud);
        self.given_name = self.given_name.take().or(other.given_name);
        for (mine, theirs) in [(&mut self.owner, other.owner), (&mut self.notes, other.notes)] {
            if mine.is_empty() {
                *mine = theirs;
            }
        }
        self.first_seen = self.first_seen.min(other.first_seen);
        self.last_seen = self.last_seen.max(other.last_seen);
    }
}

/// Adds a text to a list of different ones. Returns whether it is new there.
fn keep(list: &mut Vec<String>, text: &str) -> bool {
    let fresh = list.len() < HINTS && list.iter().all(|known| known != text);
    if fresh {
        list.push(text.into());
    }
    fresh
}

/// Whether two names are one, in whatever case, or one of them cut short: there are devices that forget the end of theirs between
/// two messages.
pub(super) fn is_same_name(a: &str, b: &str) -> bool {
    let len = a.len().min(b.len());
    len > 0 && a.as_bytes()[..len].eq_ignore_ascii_case(&b.as_bytes()[..len])
}

/// How much a name says: people's own first.
const fn rank(source: NameSource) -> u8 {
    match source {
        NameSource::Lldp => 0,
        NameSource::Dns => 1,
        NameSource::Mdns => 2,
        NameSource::Dhcp => 3,
        NameSource::Upnp => 4,
    }
}

/// Adds an item in place of the oldest where there are too many.
fn push<T>(list: &mut Vec<T>, item: T, most: usize, age: impl Fn(&T) -> Timestamp) {
    if list.len() >= most
        && let Some(oldest) = (0..list.len()).min_by_key(|n| age(&list[*n]))
    {
        list.remove(oldest);
    }
    list.push(item);
}
