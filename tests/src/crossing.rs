//! What crosses the box and what does not, counted by the kernels of those who receive it.
//!
//! Each receiver has a table `inet counted` of its own, in which its kernel counts packets by both addresses, protocol and both ports
//! before any program sees them. So a verdict rests neither on the gateway's word nor on that of a tool.

use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_json::Value;

use crate::gateway::Gateway;
use crate::kernel;
use crate::namespace::Namespace;
use crate::network::Network;
use crate::scene::fill;

/// From which port on clients are answered.
const CLIENTS: u16 = 32_768;
/// How much earlier than declared a rule may end, whose moments are whole seconds, in seconds.
const ROUNDED: f64 = 1.0;

/// A conversation, as one of its ends receives it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Crossing {
    /// Who sends: a host's name, or an address.
    pub from: String,
    /// Who receives, and counts.
    pub at: String,
    /// The address that it is sent to, where that is not the receiver's first.
    pub to: Option<String>,
    /// `tcp/PORT` or `udp/PORT`, at whichever end.
    pub service: String,
    /// The rule that decides, or `default`.
    pub rule: String,
}

/// A conversation that must go on until a moment and stop then.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ending {
    /// Who sends: a host's name, or an address.
    pub from: String,
    /// Who receives, and counts.
    pub at: String,
    /// The address that it is sent to, where that is not the receiver's first.
    pub to: Option<String>,
    /// `tcp/PORT` or `udp/PORT`, at whichever end.
    pub service: String,
    /// How many seconds after the scene's start it ends.
    pub after: f64,
    /// Within how many seconds from then on.
    pub within: f64,
}

/// One reading of a receiver's count: when it began and when it was over, in seconds since the scene's start.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    began: f64,
    over: f64,
    packets: u64,
}

/// Has a receiver's kernel count anew.
///
/// # Errors
/// When nftables is missing.
pub fn count_anew(space: &Namespace) -> Result<()> {
    let key = |kind: &str| format!("typeof {kind} saddr . {kind} daddr . meta l4proto . th sport . th dport");
    let set = |kind: &str| format!("set {kind}s {{ {}; size 65535; flags dynamic; counter; }}", key(kind));
    let rule = |kind: &str| {
        let family = if kind == "ip" { "ipv4" } else { "ipv6" };
        format!(
            "meta nfproto {family} meta l4proto {{ tcp, udp }} \
             update @{kind}s {{ {kind} saddr . {kind} daddr . meta l4proto . th sport . th dport }}"
        )
    };
    space.shell(&format!(
        "nft 'table inet counted {{\n}}\n delete table inet counted\n table inet counted {{\n {}\n {}\n \
         chain in {{ type filter hook prerouting priority -400;\n {}\n {}\n}}\n}}'",
        set("ip"),
        set("ip6"),
        rule("ip"),
        rule("ip6")
    ))?;
    Ok(())
}

impl Crossing {
    /// How many packets of it were received.
    ///
    /// # Errors
    /// When the receiver has no count, or the crossing names nobody.
    pub fn received(&self, network: &Network) -> Result<u64> {
        let to = self.to.as_deref().unwrap_or(&self.at);
        received(network, &self.at, [&self.from, to], &self.service)
    }

    /// Whether the gateway told that it was denied, by the rule that is declared.
    ///
    /// # Errors
    /// When the crossing names nobody.
    pub fn is_told(&self, network: &Network, events: &[Value]) -> Result<bool> {
        let (from, to) = (address(network, &self.from)?, address(network, self.to.as_deref().unwrap_or(&self.at))?);
        let begins = format!("denied: {from} to {to} about {}; ", self.service);
        let by = match self.rule.as_str() {
            "default" => "no rule allows it".to_owned(),
            rule => format!("rule {rule} denies it"),
        };
        let words = format!("{begins}{by}");
        Ok(events.iter().any(|event| event["why"].as_str().is_some_and(|why| why == words)))
    }

    /// Whether the kernel's rules know it as a conversation.
    ///
    /// # Errors
    /// When the kernel can't be asked, or the crossing names nobody.
    pub fn is_known(&self, network: &Network) -> Result<bool> {
        let ends = [address(network, &self.from)?, address(network, self.to.as_deref().unwrap_or(&self.at))?];
        let (protocol, port) =
            self.service.split_once('/').with_context(|| format!("{} is no service", self.service))?;
        let known = kernel::conversations(network.space("box")?)?;
        Ok(known.iter().any(|[lan, kind, lan_port, far, far_port]| {
            kind == protocol && ends.contains(lan) && ends.contains(far) && (lan_port == port || far_port == port)
        }))
    }

    /// The rule that decides about it, as the gateway says when it is asked.
    ///
    /// # Errors
    /// When the gateway does not answer, or the crossing names nobody.
    pub fn decided_by(&self, network: &Network, gateway: &Gateway) -> Result<String> {
        let (from, to) = (address(network, &self.from)?, address(network, self.to.as_deref().unwrap_or(&self.at))?);
        let answer = gateway.ask(&["policy", "explain", &from, &to, &self.service])?;
        Ok(answer["rule"].as_str().unwrap_or_default().to_owned())
    }

    /// It in words.
    #[must_use]
    pub fn told(&self) -> String {
        format!("{} to {} about {}", self.from, self.to.as_deref().unwrap_or(&self.at), self.service)
    }
}

impl Ending {
    /// Reads how much of it was received until now.
    ///
    /// # Errors
    /// When the receiver has no count, or the ending names nobody.
    pub fn read(&self, network: &Network, begin: Instant) -> Result<Reading> {
        let began = begin.elapsed().as_secs_f64();
        let to = self.to.as_deref().unwrap_or(&self.at);
        let packets = received(network, &self.at, [&self.from, to], &self.service)?;
        Ok(Reading { began, over: begin.elapsed().as_secs_f64(), packets })
    }

    /// When its packets were told as denied, in seconds since the scene's start.
    ///
    /// # Errors
    /// When the ending names nobody.
    pub fn denied(&self, network: &Network, events: &[Value], begin: f64) -> Result<Vec<f64>> {
        let (from, to) = (address(network, &self.from)?, address(network, self.to.as_deref().unwrap_or(&self.at))?);
        let ways = [format!("denied: {from} to {to} about "), format!("denied: {to} to {from} about ")];
        let is_meant = |event: &&Value| {
            let why = event["why"].as_str().unwrap_or_default();
            let about = ways.iter().find_map(|way| why.strip_prefix(way.as_str())?.split(';').next());
            about.is_some_and(|about| about == self.service || self.is_answer(about))
        };
        Ok(events.iter().filter(is_meant).filter_map(|event| Some(event["at"].as_f64()? - begin)).collect())
    }

    /// Whether a packet to this port is one to who asked, as a client of the service.
    fn is_answer(&self, about: &str) -> bool {
        let (own, other) = (self.service.split_once('/'), about.split_once('/'));
        let (Some((protocol, _)), Some((kind, port))) = (own, other) else { return false };
        kind == protocol && port.parse().is_ok_and(|port: u16| port >= CLIENTS)
    }

    /// What is wrong with how it went, by all readings in their order, and by when its packets were told as denied.
    ///
    /// One that stood still before its end did so by itself, as where a receiver has no processor, if nobody denied it before: then both
    /// ends were still at it when the rule ended, and that is told.
    #[must_use]
    pub fn fault(&self, readings: &[Reading], denied: &[f64]) -> Option<String> {
        let what = format!("{} to {} about {}", self.from, self.at, self.service);
        let (limit, last) = (self.after + self.within, readings.last()?);
        // What a reading that began later does not have yet came later still.
        let early = readings.iter().rev().find(|reading| reading.over <= self.after - 1.0);
        let end = readings.iter().find(|reading| reading.over >= self.after);
        let late = readings.iter().find(|reading| reading.began >= limit);
        let (Some(early), Some(end), Some(late)) = (early, end, late) else {
            return Some(format!("{what}: too few readings"));
        };
        let first_denied = denied.iter().copied().reduce(f64::min);
        let by_itself = end.packets > 0 && first_denied.is_some_and(|first| first >= self.after - ROUNDED);
        if end.packets <= early.packets && !by_itself {
            let still = readings.iter().find(|reading| reading.packets == end.packets).unwrap_or(end);
            return Some(format!(
                "{what}: it does not go on until {} s: {} packets by {:.1} s, denied from {first_denied:?} s on",
                self.after, end.packets, still.over
            ));
        }
        let more = last.packets - late.packets;
        (more > 0).then(|| format!("{what}: {more} packets came later than {limit} s"))
    }
}

fn received(network: &Network, at: &str, ends: [&str; 2], service: &str) -> Result<u64> {
    let [from, to] = [address(network, ends[0])?, address(network, ends[1])?];
    let (protocol, port) = service.split_once('/').with_context(|| format!("{service} is no service"))?;
    let port: u64 = port.parse().with_context(|| format!("{service} has no port"))?;
    let set = if from.contains(':') { "ip6s" } else { "ips" };
    let text = network.space(at)?.shell(&format!("nft -j list set inet counted {set}"))?;
    let listed: Value = serde_json::from_str(&text).context("nft -j")?;
    let sets = listed["nftables"].as_array().into_iter().flatten().filter_map(|entry| entry.get("set"));
    let mut packets = 0;
    for element in sets.flat_map(|set| set["elem"].as_array().into_iter().flatten()) {
        let inner = &element["elem"];
        let key = inner["val"]["concat"].as_array().context("an element without a key")?;
        let [source, destination, kind, sport, dport] = &key[..] else { bail!("a key of {} fields", key.len()) };
        let ports = [sport, dport].map(Value::as_u64);
        if *source == from && *destination == to && *kind == protocol && ports.contains(&Some(port)) {
            packets += inner["counter"]["packets"].as_u64().context("an element without a counter")?;
        }
    }
    Ok(packets)
}

/// The address of a host, or what is one already.
fn address(network: &Network, end: &str) -> Result<String> {
    if let Ok(host) = network.host(end) {
        return Ok(host.address.clone());
    }
    let written = fill(end, network, std::path::Path::new(""))?;
    ensure!(written.parse::<std::net::IpAddr>().is_ok(), "{end} is no host and no address");
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ending() -> Ending {
        let text = "from = 'inet'\nat = 'h1'\nservice = 'tcp/80'\nafter = 4.0\nwithin = 1.0";
        toml::from_str(text).expect("an ending")
    }

    /// One every half second, which takes a tenth.
    fn readings(packets: &[u64]) -> Vec<Reading> {
        let reading = |(n, packets): (usize, &u64)| {
            let began = n as f64 / 2.0;
            Reading { began, over: began + 0.1, packets: *packets }
        };
        packets.iter().enumerate().map(reading).collect()
    }

    #[test]
    fn what_goes_on_until_its_end_and_stops_is_right() {
        assert_eq!(ending().fault(&readings(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 9]), &[]), None);
    }

    #[test]
    fn what_stands_still_is_right_only_if_it_is_denied_at_its_end_and_not_before() {
        let still = readings(&[0, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2]);
        assert_eq!(ending().fault(&still, &[4.1, 9.0]), None);
        assert!(ending().fault(&still, &[]).expect("a fault").contains("does not go on"));
        assert!(ending().fault(&still, &[9.0, 1.5]).expect("a fault").contains("denied from Some(1.5) s"));
        assert!(ending().fault(&readings(&[0; 13]), &[4.1]).is_some(), "nothing ever passed");
    }

    #[test]
    fn who_answers_a_client_is_told_by_its_port() {
        let is = |about: &str| ending().is_answer(about);
        assert!(is("tcp/40000") && !is("udp/40000") && !is("tcp/443") && !is("ping"));
    }

    #[test]
    fn what_stops_early_goes_on_or_was_not_looked_at_is_wrong() {
        let fault = |packets: &[u64]| ending().fault(&readings(packets), &[]).expect("a fault");
        assert!(fault(&[0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]).contains("does not go on"));
        assert!(fault(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]).contains("later than 5 s"));
        assert!(fault(&[0, 1, 2, 3]).contains("too few"));
    }
}
