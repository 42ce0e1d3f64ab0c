//! Lists of indicators as others publish them: one address, network, name or TLS client (JA4) a line.
//!
//! **Shape**: what follows `#` or `;` is a remark; what follows the first word is left out. Files of hosts (`0.0.0.0 name`, where the
//! names count) and filters (`||name^`) are read as the lists of names that they are. A name stands for itself and all below it.
//!
//! **Bounds**: [`TEXT_MAX`] octets; [`ENTRIES`] networks and as many names and clients. A list is read whole or not at all.

use std::collections::BTreeSet;
use std::net::IpAddr;

use terms::HostKey;
use wire::ja4::Ja4;

use crate::hostname::HostName;
use crate::network::{Network, NetworkError};
use crate::text::{Fault, short};

/// The longest list, in octets.
pub const TEXT_MAX: usize = 4 << 20;
/// The most networks, and the most names and clients together, of one list and of all that are in force together.
pub const ENTRIES: usize = 65_536;
/// Faults that are told one by one; what is wrong so often is no list.
const FAULTS: usize = 20;
/// The fewest bits of a network that counts: a wider one is a mistake.
const WIDEST: (u8, u8) = (8, 16);
/// What files of hosts say of a name that is not to be reached.
const NOWHERE: [&str; 4] = ["0.0.0.0", "127.0.0.1", "::", "::1"];

/// What a list holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Addresses and networks, in order.
    pub networks: BTreeSet<Network>,
    /// Names in lower case, in order.
    pub names: BTreeSet<String>,
    /// TLS clients, in order.
    pub clients: BTreeSet<Ja4>,
    /// Lines that are about addresses and names of any network's own, which say nothing of the internet: `localhost`, `10.0.0.0/8`.
    pub passed_over: usize,
}

/// Reads a list.
///
/// # Errors
/// Each line that is none, and why; a list that is too long or holds nothing.
pub fn read(text: &str) -> Result<Listing, Vec<Fault>> {
    let whole = |what: String| Err(vec![Fault { line: 1, what }]);
    if text.len() > TEXT_MAX {
        return whole(format!("the list has {} octets; at most {TEXT_MAX} are read", text.len()));
    }
    let (mut listing, mut faults) = (Listing::default(), Vec::new());
    for (line, number) in text.trim_start_matches('\u{feff}').lines().zip(1..) {
        if let Err(what) = listing.take(line) {
            faults.push(Fault { line: number, what });
        } else if listing.networks.len() > ENTRIES || listing.names.len() + listing.clients.len() > ENTRIES {
            let what = format!("more than {ENTRIES} networks, or names and TLS clients, have no room");
            faults.push(Fault { line: number, what });
            break;
        }
        if faults.len() == FAULTS {
            break;
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    if listing.networks.is_empty() && listing.names.is_empty() && listing.clients.is_empty() {
        return whole("the list holds no address, network or name of the internet, and no TLS client".into());
    }
    Ok(listing)
}

impl Listing {
    /// Whether an address is listed.
    #[must_use]
    pub fn holds(&self, address: IpAddr) -> bool {
        // A network that holds it begins at its first bits: one look-up for each length.
        let (most, widest) = if address.is_ipv4() { (32, WIDEST.0) } else { (128, WIDEST.1) };
        HostKey::from(address).is_global()
            && (widest..=most).any(|bits| self.networks.contains(&Network::new(address, bits)))
    }

    /// Whether a name, or one that it lies under, is listed.
    #[must_use]
    pub fn holds_name(&self, name: &str) -> bool {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let below = name.match_indices('.').map(|(at, _)| &name[at + 1..]);
        std::iter::once(name.as_str()).chain(below).any(|name| self.names.contains(name))
    }

    fn take(&mut self, line: &str) -> Result<(), String> {
        let line = line.split(['#', ';']).next().unwrap_or_default().trim();
        let mut words = line.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty());
        let Some(first) = words.next() else { return Ok(()) };
        let rest: Vec<&str> = words.collect();
        if NOWHERE.contains(&first) && !rest.is_empty() {
            return rest.iter().try_for_each(|name| self.take_name(name));
        }
        if let Some(client) = Ja4::parse(first) {
            self.clients.insert(client);
            return Ok(());
        }
        match first.parse::<Network>() {
            Ok(network) => self.take_network(network),
            Err(NetworkError::Address) => self.take_name(first),
            Err(NetworkError::Prefix(_)) => Err(format!("{} has more bits than an address", short(first))),
            Err(NetworkError::HostBits(meant)) => Err(format!("{} has bits behind its prefix: {meant}?", short(first))),
        }
    }

    fn take_network(&mut self, network: Network) -> Result<(), String> {
        let widest = if network.address().is_ipv4() { WIDEST.0 } else { WIDEST.1 };
        if !HostKey::from(network.address()).is_global() {
            self.passed_over += 1;
        } else if network.prefix() < widest {
            return Err(format!("{network} is wider than a list may hold: at least {widest} bits"));
        } else {
            self.networks.insert(network);
        }
        Ok(())
    }

    fn take_name(&mut self, word: &str) -> Result<(), String> {
        let name = word.strip_prefix("||").unwrap_or(word);
        let name = name.strip_suffix('^').unwrap_or(name);
        let name = name.strip_prefix("*.").or_else(|| name.strip_prefix('.')).unwrap_or(name);
        let is_own = |name: &str| {
            let end = name.rsplit('.').next().unwrap_or(name).to_ascii_lowercase();
            matches!(end.as_str(), "localhost" | "localdomain" | "local" | "broadcasthost") || end.starts_with("ip6-")
        };
        if is_own(name) {
            self.passed_over += 1;
            return Ok(());
        }
        let read = HostName::read(name);
        let name = read.map_err(|why| format!("{} is no address and no network, and {why}", short(word)))?;
        self.names.insert(name.to_string());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good(text: &str) -> Listing {
        read(text).unwrap_or_else(|faults| panic!("{faults:?}"))
    }

    #[test]
    fn lists_are_read_as_their_publishers_write_them() {
        let listing = good(
            "\u{feff}# Feodo\r\n198.51.100.7\r\n\n; DROP\n1.10.16.0/20 ; SBL256894\n2001:db8:5::/48\n\
             127.0.0.1 localhost\n::1 ip6-localhost ip6-loopback\n127.0.0.1\tBad.Example.ORG worse.example.net # two\n\
             ||ads.example.com^\n*.deep.example.com\n.under.example.com\n198.51.100.8,malware,2026-01-01\n10.0.0.0/8\n192.168.1.7\n",
        );
        let networks: Vec<String> = listing.networks.iter().map(ToString::to_string).collect();
        assert_eq!(networks, ["1.10.16.0/20", "198.51.100.7", "198.51.100.8", "2001:db8:5::/48"]);
        let names: Vec<&String> = listing.names.iter().collect();
        assert_eq!(
            names,
            ["ads.example.com", "bad.example.org", "deep.example.com", "under.example.com", "worse.example.net"]
        );
        assert_eq!(listing.passed_over, 5);
    }

    #[test]
    fn tls_clients_are_listed_by_their_fingerprints() {
        let listing = good("t13d1516h2_8daaf6152771_e5627efa2ab1 # a loader\nt13d1516h2_8daaf6152771_e5627efa2ab1\n");
        let written: Vec<String> = listing.clients.iter().map(ToString::to_string).collect();
        assert_eq!(written, ["t13d1516h2_8daaf6152771_e5627efa2ab1"]);
        assert!(listing.networks.is_empty() && listing.names.is_empty());
        assert!(read("T13d1516h2_8daaf6152771_e5627efa2ab1\n").is_err(), "it is written in lower case");
    }

    #[test]
    fn what_is_listed_is_held_and_what_lies_beside_it_is_not() {
        let listing = good("203.0.112.0/23\n2001:db8:5::/48\nbad.example.org\n172.0.0.0/8\n");
        let holds = |text: &str| listing.holds(text.parse().unwrap());
        assert!(holds("203.0.113.255") && holds("2001:db8:5::9") && holds("172.32.0.1"));
        assert!(!holds("203.0.114.0") && !holds("2001:db8:6::9") && !holds("172.16.0.1"), "no network's own addresses");
        assert!(listing.holds_name("A.bad.example.org.") && listing.holds_name("bad.example.org"));
        assert!(!listing.holds_name("notbad.example.org") && !listing.holds_name("example.org"));
    }

    #[test]
    fn each_line_that_is_none_is_told_and_the_list_is_refused() {
        let wrong = [
            ("198.51.100.7/33", "more bits"),
            ("198.51.100.7/24", "198.51.100.0/24?"),
            ("8.0.0.0/7", "at least 8 bits"),
            ("http://example.org/x", "is no host name"),
            ("com", "is no host name"),
            ("bücher.example", "xn--"),
            ("a\u{1b}[31m.example", "is no host name"),
        ];
        for (line, why) in wrong {
            let faults = read(&format!("198.51.100.7\n{line}\n")).expect_err(line);
            assert!(faults.len() == 1 && faults[0].line == 2 && faults[0].what.contains(why), "{faults:?}");
            assert!(!faults[0].what.contains('\u{1b}'), "{faults:?}");
        }
        assert_eq!(read(&"?\n".repeat(1_000)).expect_err("none is one").len(), FAULTS);
        assert!(read("# nothing\n10.0.0.1\n").is_err() && read("").is_err());
        assert!(read(&"#".repeat(TEXT_MAX + 1)).is_err());
    }

    #[test]
    fn a_list_has_room_for_so_many_and_no_more() {
        let names = |n: usize| (0..n).map(|n| format!("n{n}.example\n")).collect::<String>();
        assert_eq!(good(&names(ENTRIES)).names.len(), ENTRIES);
        assert!(read(&names(ENTRIES + 1)).is_err());
    }

    proptest::proptest! {
        #[test]
        fn whatever_stands_there_is_a_list_or_faults(text in "[ -~\\n]{0,200}") {
            if let Ok(listing) = read(&text) {
                proptest::prop_assert!(listing.networks.len() + listing.names.len() + listing.clients.len() > 0);
            }
        }
    }
}
