//! By what the kernel can match a host's frames.

use core::net::IpAddr;

use terms::{Family, HostKey, MacAddr, Side};

use crate::BlockTarget;

/// The narrowest match that stops the host without cutting its neighbours.
///
/// On the uplink side every frame carries the router's hardware address, so only the IP address tells hosts apart there. On the
/// LAN side the hardware address stops all that a host sends, whatever address it takes next; where several hosts share one, as
/// behind an extender or on a machine with guests, the IP address narrows it down. An admin (who names no family) may also mean
/// a host that was not seen yet: then its address is matched on both sides.
///
/// # Errors
/// What is missing, in words.
pub(super) fn target(
    host: HostKey,
    mac: Option<MacAddr>,
    side: Side,
    addresses_on_mac: u16,
    family: Option<Family>,
) -> Result<BlockTarget, &'static str> {
    let address = host.ip().filter(is_one_host);
    let mac = match host {
        HostKey::Mac(own) => Some(own),
        HostKey::V4(_) | HostKey::V6(_) => mac,
    };
    match side {
        Side::Uplink => {
            address.map(BlockTarget::Address).ok_or("on the uplink side only the IP address of one host can be blocked")
        }
        Side::Lan | Side::Unknown
            if family.is_none() && host.ip().is_some() && (mac.is_none() || side == Side::Unknown) =>
        {
            address.map(BlockTarget::Anywhere).ok_or("its address is not that of one host")
        }
        Side::Unknown if host.ip().is_some() => Err("it is not known on which side of the box it is"),
        Side::Lan | Side::Unknown => {
            let mac = mac.ok_or("its hardware address is not known")?;
            if mac.is_multicast() || mac == MacAddr::ZERO {
                return Err("its hardware address is not that of one host");
            }
            Ok(match address {
                Some(address) if addresses_on_mac > 1 && !takes_addresses_of_others(family) => {
                    BlockTarget::MacAndAddress(mac, address)
                }
                _ => BlockTarget::Mac(mac),
            })
        }
    }
}

/// Whether the addresses behind the hardware address are there because of the offence itself, so that a match on one of them
/// would let the rest of it through.
const fn takes_addresses_of_others(family: Option<Family>) -> bool {
    matches!(family, Some(Family::ArpSpoof | Family::NdSpoof | Family::SpoofedSource))
}

/// Whether the address names one host, rather than none or many.
fn is_one_host(address: &IpAddr) -> bool {
    let broadcast = matches!(address, IpAddr::V4(a) if a.is_broadcast());
    !(address.is_unspecified() || address.is_multicast() || address.is_loopback() || broadcast)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: MacAddr = MacAddr::new([2, 0, 0, 0, 0, 9]);

    fn of(host: &str, mac: Option<MacAddr>, side: Side, addresses: u16) -> Result<BlockTarget, &'static str> {
        target(host.parse().unwrap(), mac, side, addresses, Some(Family::PortScanVertical))
    }

    #[test]
    fn each_kind_of_host_has_its_narrowest_match() {
        let mac = BlockTarget::Mac(MAC);
        let with = |a: &str| BlockTarget::MacAndAddress(MAC, a.parse().unwrap());
        let address = |a: &str| BlockTarget::Address(a.parse().unwrap());
        for (host, side, addresses, expected) in [
            ("10.0.0.9", Side::Lan, 0, mac),
            ("10.0.0.9", Side::Lan, 1, mac),
            ("10.0.0.9", Side::Lan, 2, with("10.0.0.9")),
            ("fe80::9", Side::Lan, 1, mac),
            ("fe80::9", Side::Lan, 3, with("fe80::9")),
            ("02:00:00:00:00:09", Side::Lan, 7, mac),
            ("02:00:00:00:00:09", Side::Unknown, 1, mac),
            ("0.0.0.0", Side::Lan, 5, mac),
            ("198.51.100.7", Side::Uplink, 900, address("198.51.100.7")),
            ("2001:db8::7", Side::Uplink, 1, address("2001:db8::7")),
        ] {
            assert_eq!(of(host, Some(MAC), side, addresses), Ok(expected), "{host} {side:?} {addresses}");
        }
    }

    #[test]
    fn what_cannot_be_matched_is_said_rather_than_guessed() {
        for (host, mac, side, words) in [
            ("10.0.0.9", None, Side::Lan, "hardware address is not known"),
            ("10.0.0.9", Some(MAC), Side::Unknown, "on which side"),
            ("02:00:00:00:00:09", None, Side::Uplink, "only the IP address"),
            ("255.255.255.255", Some(MAC), Side::Uplink, "only the IP address"),
            ("::", Some(MAC), Side::Uplink, "only the IP address"),
            ("10.0.0.9", Some(MacAddr::BROADCAST), Side::Lan, "not that of one host"),
            ("10.0.0.9", Some(MacAddr::ZERO), Side::Lan, "not that of one host"),
        ] {
            let missing = of(host, mac, side, 1).expect_err(host);
            assert!(missing.contains(words), "{host}: {missing}");
        }
    }

    #[test]
    fn an_admin_may_mean_a_host_that_was_never_seen() {
        let wish = |host: &str, mac, side| target(host.parse().unwrap(), mac, side, 1, None);
        let anywhere = BlockTarget::Anywhere("10.0.0.9".parse().unwrap());
        assert_eq!(wish("10.0.0.9", None, Side::Unknown), Ok(anywhere));
        assert_eq!(wish("10.0.0.9", None, Side::Lan), Ok(anywhere));
        assert_eq!(wish("10.0.0.9", Some(MAC), Side::Lan), Ok(BlockTarget::Mac(MAC)));
        assert_eq!(wish("02:00:00:00:00:09", None, Side::Unknown), Ok(BlockTarget::Mac(MAC)));
        assert!(wish("255.255.255.255", None, Side::Unknown).is_err());
        assert!(wish("::", None, Side::Lan).is_err());
    }

    #[test]
    fn who_takes_the_addresses_of_others_is_matched_by_its_hardware_address() {
        let host = "10.0.0.9".parse().unwrap();
        for family in [Family::ArpSpoof, Family::SpoofedSource] {
            assert_eq!(target(host, Some(MAC), Side::Lan, 5, Some(family)), Ok(BlockTarget::Mac(MAC)));
        }
        assert!(matches!(target(host, Some(MAC), Side::Lan, 5, None), Ok(BlockTarget::MacAndAddress(..))));
    }
}
