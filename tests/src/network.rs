//! The lab's network: sixteen LAN hosts at a switch, the box, a router and an "internet", all in namespaces.
//!
//! ```text
//! h1 .. h16 -- switch --[lan0 box up0]-- router -- inet   web, SSH, FTP, mail, iperf3
//!                                               `- far    someone else on the internet
//! ```
//! No namespace has a way out: traffic can't leave the lab.

use std::collections::BTreeMap;
use std::thread;

use anyhow::{Context, Result, anyhow};

use crate::namespace::Namespace;

/// LAN hosts.
pub const HOSTS: u8 = 16;
/// The router's address on the LAN.
pub const ROUTER: &str = "192.168.77.1";
/// Another machine of the network on the router's side of the box, as a recorder in the same rack would be.
pub const RECORDER: &str = "192.168.77.9";
/// The box's own address, on its bridge.
pub const BOX: &str = "192.168.77.2";
/// The first address of the servers.
pub const SERVER: &str = "198.51.100.10";
/// The first address of the servers, IPv6.
pub const SERVER6: &str = "fd78::10";
/// The other one on the internet.
pub const FAR: &str = "198.51.100.66";
/// The router's address on the internet, whose port 2222 is forwarded to SSH on `h2`.
pub const OUTSIDE: &str = "198.51.100.1";
/// The box's link to the switch.
pub const LAN_LINK: &str = "lan0";
/// The box's link to the router.
pub const UPLINK: &str = "up0";
/// The box's bridge.
pub const BRIDGE: &str = "br0";

/// What the gateway may know a host by.
#[derive(Clone, Debug)]
pub struct Host {
    /// Its name in scene files.
    pub name: String,
    /// Its hardware address, lower case.
    pub mac: String,
    /// Its IPv4 address.
    pub address: String,
    /// Its IPv6 address.
    pub address6: String,
}

impl Host {
    /// Whether a text names this host: its hardware address or one of its addresses.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        name.eq_ignore_ascii_case(&self.mac) || name == self.address || name == self.address6
    }
}

/// All namespaces of the lab, and who is in them.
pub struct Network {
    hosts: Vec<Host>,
    spaces: BTreeMap<String, Namespace>,
}

impl Network {
    /// Builds the network and waits until its bridges forward. `name` tells its namespaces from those of another network.
    ///
    /// # Errors
    /// When this is not root, or the kernel lacks something.
    pub fn build(name: &str) -> Result<Self> {
        let mut made = Self { hosts: (1..=HOSTS).map(lan_host).collect(), spaces: BTreeMap::new() };
        made.hosts.push(Host {
            name: "far".into(),
            mac: "02:78:00:00:00:66".into(),
            address: FAR.into(),
            address6: "fd78::66".into(),
        });
        made.hosts.push(Host {
            name: "inet".into(),
            mac: "02:78:00:00:00:10".into(),
            address: SERVER.into(),
            address6: SERVER6.into(),
        });
        made.hosts.push(Host {
            name: "router".into(),
            mac: "02:77:00:00:01:01".into(),
            address: ROUTER.into(),
            address6: "fd77::1".into(),
        });
        for role in ["switch", "box", "router", "inet", "far"] {
            made.spaces.insert(role.into(), Namespace::create(&format!("{name}{role}"))?);
        }
        for n in 1..=HOSTS {
            let role = format!("h{n}");
            made.spaces.insert(role.clone(), Namespace::create(&format!("{name}{role}"))?);
        }
        made.lan().context("building the LAN")?;
        made.internet().context("building the internet")?;
        Ok(made)
    }

    /// The hosts that a scene may name.
    #[must_use]
    pub fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// One host.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn host(&self, name: &str) -> Result<&Host> {
        self.hosts.iter().find(|host| host.name == name).with_context(|| format!("the lab has no host named {name}"))
    }

    /// The namespace of a host or of `switch`, `box`, `router`, `inet`, `far`.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn space(&self, name: &str) -> Result<&Namespace> {
        self.spaces.get(name).with_context(|| format!("the lab has no namespace named {name}"))
    }

    /// Lets every LAN host but these talk with the router and a server, so that it is known.
    ///
    /// # Errors
    /// When a host's talk does not get through.
    pub fn warm_up(&self, but: &[&str]) -> Result<()> {
        thread::scope(|scope| {
            let talk = |host: &Host| -> Result<()> {
                self.space(&host.name)?.shell(&format!(
                    "ping -q -c 2 -i 0.3 -W 2 {ROUTER} >/dev/null; ping -q -6 -c 1 -W 2 fd77::1 >/dev/null
                     curl -sf --max-time 5 -o /dev/null http://{SERVER}/"
                ))?;
                Ok(())
            };
            let hosts =
                self.hosts.iter().filter(|host| host.name.starts_with('h') && !but.contains(&host.name.as_str()));
            let talks: Vec<_> = hosts.map(|host| scope.spawn(move || talk(host))).collect();
            for talk in talks {
                talk.join()
                    .map_err(|_| anyhow!("a thread ended badly"))?
                    .context("the network does not carry the first talk")?;
            }
            Ok(())
        })
    }

    /// Forgets neighbours and forwarding entries that a scene may have poisoned.
    ///
    /// # Errors
    /// When a namespace is gone.
    pub fn forget_neighbours(&self) -> Result<()> {
        for (name, space) in &self.spaces {
            if name.starts_with('h') || name == "router" {
                space.shell("ip neigh flush all 2>/dev/null || true")?;
            }
        }
        Ok(())
    }

    fn lan(&self) -> Result<()> {
        let (switch, gateway, router) = (self.space("switch")?, self.space("box")?, self.space("router")?);
        switch.shell("ip link add sw type bridge mcast_snooping 0; ip link set sw up")?;
        for host in self.hosts.iter().filter(|host| host.name.starts_with('h')) {
            let Host { name, mac, address, address6 } = host;
            switch.shell(&format!(
                "ip link add {name} type veth peer name eth0 netns {}; ip link set {name} master sw up",
                self.space(name)?.name()
            ))?;
            self.space(name)?.shell(&format!(
                "ip link set eth0 address {mac}; ip addr add {address}/24 dev eth0; ip link set eth0 up
                 ip -6 addr add {address6}/64 dev eth0 nodad
                 ip route add default via {ROUTER}; ip -6 route add default via fd77::1"
            ))?;
        }
        gateway.shell(&format!(
            "sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
             ip link add {BRIDGE} type bridge mcast_snooping 0; ip addr add {BOX}/24 dev {BRIDGE}; ip link set {BRIDGE} up
             ip link add {LAN_LINK} type veth peer name trunk netns {switch}; ip link set {LAN_LINK} master {BRIDGE} up
             ip link add {UPLINK} type veth peer name lan netns {router}; ip link set {UPLINK} master {BRIDGE} up",
            switch = switch.name(),
            router = router.name(),
        ))?;
        switch.shell("ip link set trunk master sw up")?;
        router.shell(&format!(
            "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
             ip link set lan address {}; ip addr add {ROUTER}/24 dev lan; ip link set lan up
             ip addr add {RECORDER}/24 dev lan
             ip -6 addr add fd77::1/64 dev lan nodad",
            self.host("router")?.mac
        ))?;
        Ok(())
    }

    fn internet(&self) -> Result<()> {
        let router = self.space("router")?;
        router.shell(&format!(
            "ip link add wan type bridge mcast_snooping 0; ip link set wan up
             ip addr add {OUTSIDE}/24 dev wan; ip -6 addr add fd78::1/64 dev wan nodad"
        ))?;
        for name in ["inet", "far"] {
            let (space, host) = (self.space(name)?, self.host(name)?);
            router.shell(&format!(
                "ip link add {name} type veth peer name eth0 netns {}; ip link set {name} master wan up",
                space.name()
            ))?;
            space.shell(&format!(
                "ip link set eth0 address {}; ip addr add {}/24 dev eth0; ip link set eth0 up
                 ip -6 addr add {}/64 dev eth0 nodad
                 ip route add default via {OUTSIDE}; ip -6 route add default via fd78::1",
                host.mac, host.address, host.address6
            ))?;
        }
        self.space("inet")?.shell("for n in $(seq 11 40); do ip addr add 198.51.100.$n/24 dev eth0; done")?;
        Ok(())
    }
}

fn lan_host(n: u8) -> Host {
    Host {
        name: format!("h{n}"),
        mac: format!("02:77:00:00:00:{n:02x}"),
        address: format!("192.168.77.{}", 10 + u16::from(n)),
        address6: format!("fd77::{:x}", 0x10 + u16::from(n)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_known_by_each_of_its_addresses_and_no_other() {
        let host = lan_host(3);
        assert!(host.is("02:77:00:00:00:03") && host.is("192.168.77.13") && host.is("fd77::13"));
        assert!(!host.is("192.168.77.1") && !host.is(""));
    }
}
