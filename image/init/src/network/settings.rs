//! How the box finds its own address and the time, as its owner set it in a file on the boot partition.
//!
//! ```toml
//! address = "dhcp"                    # or "192.168.1.2/24"
//! router = "192.168.1.1"              # of a fixed address
//! resolvers = ["192.168.1.1"]         # instead of those that DHCP names
//! time = ["192.168.1.1", "ntp.example.org"]   # instead of those that DHCP names; [] asks nobody
//! ```

use std::net::Ipv4Addr;

use serde::Deserialize;

use super::lease::is_host;

/// Octets of the file.
pub const LONGEST: u64 = 4_096;
/// Servers of a kind.
const SERVERS: usize = 4;
/// Octets of a server's name.
const LONGEST_NAME: usize = 253;

/// Where the address comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Source {
    /// From a DHCP server.
    #[default]
    Dhcp,
    /// From the owner.
    Fixed {
        /// The address.
        address: Ipv4Addr,
        /// How many of its bits are the network's.
        prefix: u8,
        /// The way out of the network.
        router: Option<Ipv4Addr>,
    },
}

/// What the owner set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Where the address comes from.
    pub source: Source,
    /// Who knows names; nothing takes those that DHCP names.
    pub resolvers: Option<Vec<Ipv4Addr>>,
    /// Who knows the time; nothing takes those that DHCP names, or the router.
    pub time: Option<Vec<String>>,
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default = "dhcp")]
    address: String,
    router: Option<Ipv4Addr>,
    resolvers: Option<Vec<Ipv4Addr>>,
    time: Option<Vec<String>>,
}

fn dhcp() -> String {
    "dhcp".into()
}

impl Settings {
    /// Reads the file.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn read(text: &str) -> Result<Self, String> {
        let written: Written = toml::from_str(text).map_err(|error| error.to_string().replace('\n', " "))?;
        let source = match written.address.as_str() {
            "dhcp" if written.router.is_some() => return Err("router goes with a fixed address only".into()),
            "dhcp" => Source::Dhcp,
            fixed => fixed_address(fixed, written.router)?,
        };
        let resolvers = written.resolvers;
        if let Some(wrong) = resolvers.iter().flatten().find(|one| !is_host(**one)) {
            return Err(format!("resolvers: {wrong} is no address of a server"));
        }
        let named = |name: &String| {
            (1..=LONGEST_NAME).contains(&name.len())
                && name.bytes().all(|octet| octet.is_ascii_alphanumeric() || b".-:".contains(&octet))
        };
        if let Some(wrong) = written.time.iter().flatten().find(|name| !named(name)) {
            return Err(format!("time: {wrong:?} is no name or address of a server"));
        }
        let most = resolvers.iter().map(Vec::len).chain(written.time.iter().map(Vec::len)).max();
        if most.is_some_and(|most| most > SERVERS) {
            return Err(format!("at most {SERVERS} servers of a kind"));
        }
        Ok(Self { source, resolvers, time: written.time })
    }
}

fn fixed_address(text: &str, router: Option<Ipv4Addr>) -> Result<Source, String> {
    let wrong = || format!("address: {text:?} is neither \"dhcp\" nor an address of a host as in \"192.168.1.2/24\"");
    let (address, prefix) = text.split_once('/').ok_or_else(wrong)?;
    let (address, prefix): (Ipv4Addr, u8) =
        (address.parse().map_err(|_| wrong())?, prefix.parse().map_err(|_| wrong())?);
    if !is_host(address) || !(8..=30).contains(&prefix) {
        return Err(wrong());
    }
    let mask = u32::MAX << (32 - u32::from(prefix));
    let host = u32::from(address) & !mask;
    if host == 0 || host == !mask {
        return Err(wrong());
    }
    let near = |router: Ipv4Addr| (u32::from(router) ^ u32::from(address)) & mask == 0 && router != address;
    match router {
        Some(router) if !near(router) => Err(format!("router: {router} is not another host of the network of {text}")),
        router => Ok(Source::Fixed { address, prefix, router }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_is_dhcp_and_a_full_one_is_taken_as_it_is() {
        assert_eq!(Settings::read(""), Ok(Settings::default()));
        let text = "address = \"192.168.1.2/24\"\nrouter = \"192.168.1.1\"\nresolvers = [\"9.9.9.9\"]\ntime = []\n";
        let read = Settings::read(text).expect("right");
        let (address, router) = (Ipv4Addr::new(192, 168, 1, 2), Some(Ipv4Addr::new(192, 168, 1, 1)));
        assert_eq!(read.source, Source::Fixed { address, prefix: 24, router });
        assert_eq!((read.resolvers, read.time), (Some(vec![Ipv4Addr::new(9, 9, 9, 9)]), Some(vec![])));
    }

    #[test]
    fn what_is_wrong_is_refused_and_named() {
        for (text, told) in [
            ("adress = \"dhcp\"", "adress"),
            ("address = \"192.168.1.2\"", "address"),
            ("address = \"192.168.1.2/31\"", "address"),
            ("address = \"192.168.1.255/24\"", "address"),
            ("address = \"127.0.0.1/8\"", "address"),
            ("address = \"fd00::1/64\"", "address"),
            ("address = \"192.168.1.2/24\"\nrouter = \"192.168.2.1\"", "router"),
            ("router = \"192.168.2.1\"", "router"),
            ("resolvers = [\"0.0.0.0\"]", "resolvers"),
            ("time = [\"a b\"]", "time"),
            ("time = [\"a\", \"b\", \"c\", \"d\", \"e\"]", "at most"),
            ("\u{0}", "TOML"),
        ] {
            let error = Settings::read(text).expect_err(text);
            assert!(error.contains(told) && !error.contains('\n'), "{text:?}: {error}");
        }
    }
}
