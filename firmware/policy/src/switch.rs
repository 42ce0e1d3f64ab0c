//! Switches of a policy that stand for rules: "only the network's own DNS", and no QUIC with peers that have no name.
//!
//! A switch that is on is a few denies which hold for every device that rules hold for, whatever else allows. They are rules as any
//! other: they are compiled, decided, counted and told under their names.
//!
//! Encrypted DNS is known by its port (853: TLS, RFC 7858; QUIC, RFC 9250) and, over HTTPS (RFC 8484), by the addresses and names of
//! the public resolvers in `resolvers.txt`. One that is in no list, at an address of its own, looks like any other site.

use core::net::IpAddr;
use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use terms::HostKey;

use crate::hostname::HostName;
use crate::rules::{Effect, Policy, Rule, To, Who};
use crate::service::{Ports, Service};

/// The file of public resolvers.
const RESOLVERS: &str = include_str!("resolvers.txt");
/// DNS in the clear.
const DNS: u16 = 53;
/// DNS over TLS and over QUIC.
const DNS_ENCRYPTED: u16 = 853;
/// HTTPS, and what QUIC carries of it.
const HTTPS: u16 = 443;

/// Whom devices may ask for names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dns {
    /// Whomever a rule allows.
    #[default]
    Any,
    /// The network's own servers alone, whatever a rule allows.
    Own,
}

/// With whom devices may speak QUIC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Quic {
    /// With whomever a rule allows.
    #[default]
    Any,
    /// With addresses that the device was told for a name; to others clients fall back to TLS, which shows a name.
    Named,
}

/// Public resolvers that answer over HTTPS, TLS or QUIC.
#[derive(Debug, Default)]
pub struct Resolvers {
    /// Their names.
    pub names: Vec<HostName>,
    /// Their addresses.
    pub addresses: BTreeSet<IpAddr>,
}

/// Those that are known.
#[must_use]
pub fn resolvers() -> &'static Resolvers {
    static KNOWN: LazyLock<Resolvers> = LazyLock::new(|| Resolvers::read(RESOLVERS));
    &KNOWN
}

impl Resolvers {
    /// Words that are neither an address nor a name are passed over: a test finds those of the file.
    fn read(text: &str) -> Self {
        let mut known = Self::default();
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        for word in lines.flat_map(str::split_whitespace) {
            if let Ok(address) = word.parse() {
                known.addresses.insert(address);
            } else {
                known.names.extend(HostName::read(word));
            }
        }
        known
    }

    /// Whether a name is one of theirs.
    #[must_use]
    pub fn has_name(&self, name: &str) -> bool {
        self.names.iter().any(|known| known.matches(name))
    }
}

impl Policy {
    /// The rules that the switches stand for.
    pub fn switched(&self) -> impl Iterator<Item = &'static Rule> {
        static RULES: LazyLock<[Vec<Rule>; 2]> = LazyLock::new(|| [own_dns(), named_quic()]);
        let on = [self.dns == Dns::Own, self.quic == Quic::Named];
        RULES.iter().zip(on).filter(|(_, on)| *on).flat_map(|(rules, _)| rules)
    }

    /// Whether an address is one of the network's own servers, of which the box has learnt `learnt`.
    ///
    /// Who answers a device's questions is learnt as a server. Under [`Dns::Own`] only those count that are not on the internet, or any
    /// resolver there would come to be the network's own; those that the policy names always do.
    #[must_use]
    pub fn is_server(&self, address: IpAddr, learnt: &[IpAddr]) -> bool {
        let near = self.dns == Dns::Any || !HostKey::from(address).is_global();
        self.dns_servers.contains(&address) || (near && learnt.contains(&address))
    }

    /// The network's own servers.
    pub fn servers<'a>(&'a self, learnt: &'a [IpAddr]) -> impl Iterator<Item = IpAddr> + 'a {
        let all: BTreeSet<IpAddr> = self.dns_servers.iter().chain(learnt).copied().collect();
        all.into_iter().filter(|address| self.is_server(*address, learnt))
    }
}

fn own_dns() -> Vec<Rule> {
    let both = |port| [Service::Tcp(Ports::one(port)), Service::Udp(Ports::one(port))];
    vec![
        deny("own-dns", To::Others, &[both(DNS), both(DNS_ENCRYPTED)].concat(), "only the network's own DNS answers"),
        deny("dns-over-https", To::Resolvers, &both(HTTPS), "a public resolver over HTTPS is DNS too"),
    ]
}

fn named_quic() -> Vec<Rule> {
    let quic = [Service::Udp(Ports::one(HTTPS))];
    vec![deny("named-quic", To::Unnamed, &quic, "without a name it goes by TLS, which shows one")]
}

fn deny(name: &str, to: To, services: &[Service], comment: &str) -> Rule {
    Rule::built_in(name, (Effect::Deny, Who::Everyone), to, services, comment)
}

impl Dns {
    /// The word of the text form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Own => "own",
        }
    }

    /// Every choice.
    pub const ALL: [Self; 2] = [Self::Any, Self::Own];
}

impl Quic {
    /// The word of the text form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Named => "named",
        }
    }

    /// Every choice.
    pub const ALL: [Self; 2] = [Self::Any, Self::Named];
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::read;

    #[test]
    fn every_word_of_the_file_is_an_address_of_the_internet_or_a_name_and_stands_there_once() {
        let words: Vec<&str> =
            RESOLVERS.lines().filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace).collect();
        let known = resolvers();
        assert_eq!(known.names.len() + known.addresses.len(), words.len());
        assert!(known.addresses.iter().all(|address| HostKey::from(*address).is_global()));
        assert!(known.has_name("DNS.google") && known.has_name("mozilla.cloudflare-dns.com"));
        assert!(!known.has_name("google.com") && !known.has_name("quad9.net"));
    }

    #[test]
    fn a_server_on_the_internet_is_the_networks_own_only_where_the_policy_says_so() {
        let learnt: Vec<IpAddr> = ["192.168.7.1", "9.9.9.9"].iter().map(|a| a.parse().unwrap()).collect();
        let servers = |text: &str| {
            let policy = read(text).unwrap();
            policy.servers(&learnt).map(|a| a.to_string()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(servers("dns = \"any\""), "9.9.9.9 192.168.7.1");
        assert_eq!(servers("dns = \"own\""), "192.168.7.1");
        assert_eq!(servers("dns = \"own\"\ndns_servers = \"203.0.113.53\""), "192.168.7.1 203.0.113.53");
    }
}
