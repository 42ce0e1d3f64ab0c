//! The machine that the gateway runs on, as those who ask see it: memory, load, disk, temperature, links, open ports.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use protocol::views::{LinkView, ListeningView, MachineView};

use crate::config::Config;

/// What `ss` calls a socket that listens, in `/proc/net`.
const LISTENS: &str = "0A";

/// The machine now.
pub fn view(config: &Config, api: Option<u32>) -> MachineView {
    let meminfo = text("/proc/meminfo");
    let (disk, disk_free) = disk(&config.store.path);
    MachineView {
        version: env!("CARGO_PKG_VERSION").into(),
        kernel: text("/proc/sys/kernel/osrelease").trim().into(),
        machine: std::env::consts::ARCH.into(),
        processors: std::thread::available_parallelism().map_or(1, |n| n.get() as u64),
        up: text("/proc/uptime").split(' ').next().and_then(|secs| secs.parse().ok()).unwrap_or(0.0),
        load: text("/proc/loadavg").split(' ').take(3).filter_map(|load| load.parse().ok()).collect(),
        memory: kib(&meminfo, "MemTotal:"),
        memory_free: kib(&meminfo, "MemAvailable:"),
        memory_gateway: kib(&text("/proc/self/status"), "RssAnon:"),
        memory_api: api.map_or(0, |id| kib(&text(&format!("/proc/{id}/status")), "RssAnon:")),
        disk,
        disk_free,
        temperature: text("/sys/class/thermal/thermal_zone0/temp").trim().parse().ok().map(|milli: f64| milli / 1e3),
        links: links(),
        listening: listening(),
    }
}

fn links() -> Vec<LinkView> {
    let mut names: Vec<String> = fs::read_dir("/sys/class/net")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|e| e.file_name().into_string().ok())
        .collect();
    names.sort_unstable();
    let of = |name: &str, what: &str| text(&format!("/sys/class/net/{name}/{what}")).trim().to_owned();
    let number = |name: &str, what: &str| of(name, what).parse().unwrap_or(0);
    names
        .into_iter()
        .map(|name| LinkView {
            mac: of(&name, "address"),
            carrier: of(&name, "carrier") == "1",
            speed: of(&name, "speed").parse().ok(),
            octets_in: number(&name, "statistics/rx_bytes"),
            octets_out: number(&name, "statistics/tx_bytes"),
            dropped: number(&name, "statistics/rx_dropped"),
            name,
        })
        .collect()
}

/// Every socket of this network namespace that takes what others begin.
fn listening() -> Vec<ListeningView> {
    let mut all = Vec::new();
    for (protocol, file) in [("tcp", "tcp"), ("tcp", "tcp6"), ("udp", "udp"), ("udp", "udp6")] {
        for line in text(&format!("/proc/net/{file}")).lines().skip(1) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let (Some(local), Some(state)) = (words.get(1), words.get(3)) else { continue };
            // A datagram socket that is bound and not connected is in state 07.
            let open = if protocol == "tcp" { *state == LISTENS } else { *state == "07" };
            if let Some((address, port)) = local.split_once(':').filter(|_| open) {
                let port = u16::from_str_radix(port, 16).unwrap_or(0);
                all.push(ListeningView { protocol: protocol.into(), address: address_of(address), port });
            }
        }
    }
    all.sort_by(|a, b| (&a.protocol, a.port, &a.address).cmp(&(&b.protocol, b.port, &b.address)));
    all
}

/// An address as `/proc/net` writes it: 32-bit words in the order of the machine.
fn address_of(hex: &str) -> String {
    let word =
        |at: usize| hex.get(at..at + 8).and_then(|word| u32::from_str_radix(word, 16).ok()).unwrap_or(0).to_ne_bytes();
    let address: IpAddr = if hex.len() == 8 {
        Ipv4Addr::from(word(0)).into()
    } else {
        let mut octets = [0; 16];
        (0..4).for_each(|n| octets[n * 4..n * 4 + 4].copy_from_slice(&word(n * 8)));
        Ipv6Addr::from(octets).into()
    };
    address.to_string()
}

/// Size and free room of the medium below a folder. **Units**: octets.
fn disk(folder: &Path) -> (u64, u64) {
    store::room(folder).unwrap_or_default()
}

/// A figure of a file in `/proc` that is told in KiB. **Units**: octets.
fn kib(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) << 10
}

fn text(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_that_listens_is_listed_with_its_address() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let wanted = ListeningView { protocol: "tcp".into(), address: "127.0.0.1".into(), port };
        assert!(listening().contains(&wanted));
        drop(listener);
        assert!(!listening().contains(&wanted));
        assert_eq!(address_of("0100007F"), "127.0.0.1");
        assert_eq!(address_of("00000000000000000000000001000000"), "::1");
    }

    #[test]
    fn figures_of_this_machine_are_not_nothing() {
        let view = view(&Config::default(), Some(std::process::id()));
        assert!(view.memory > view.memory_free && view.memory_api > 0 && view.up > 0.0, "{view:?}");
        assert!(view.links.iter().any(|link| link.name == "lo"), "{view:?}");
    }
}
