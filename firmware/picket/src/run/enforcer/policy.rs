//! The policy as the enforcer carries it out, and what it says of a conversation.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use ::policy::{
    Asked, Device, Effect, NeverBlock, Policy, ResponderConfig, Rule, Ruleset, Sender, Start, To, decide, new_denies,
    next_opening, protocol, resolvers,
};
use enforce::Talk;
use terms::{HostKey, MacAddr, Timestamp};

use super::super::event::{Asking, Work, now};
use super::Hand;
use crate::control::{Response, views::RulingView};

/// How long the first policy may take to come: the last ruleset stands meanwhile.
const PATIENCE: Duration = Duration::from_secs(10);

impl Hand {
    /// Waits for the first word about the policy, and gives back what came meanwhile.
    pub(super) fn first_policy(&mut self, work: &Receiver<Work>) -> Vec<Work> {
        let (patience, mut others) = (Instant::now(), Vec::new());
        loop {
            match work.recv_timeout(PATIENCE.saturating_sub(patience.elapsed())) {
                Ok(Work::Policy(policy, reply)) => {
                    self.take(policy);
                    reply.iter().for_each(|reply| super::answer(reply, Response::of(&true)));
                    return others;
                }
                Ok(other) => others.push(other),
                Err(_) => return others,
            }
        }
    }

    /// Follows another policy; answers once the kernel holds it. One that the kernel does not take leaves no trace.
    pub(super) fn follow(&mut self, policy: Option<Arc<Policy>>) -> Response {
        let was = Arc::clone(&self.policy);
        let before = self.applied.then(|| Arc::clone(&was));
        self.take(policy);
        self.renew();
        let done = match &self.complaint {
            None if self.kernel.is_some() => Response::of(&true),
            why => {
                let why = why.clone().unwrap_or_else(|| "nftables can't be reached".into());
                self.take(before);
                self.renew();
                Response::Error(format!("the kernel does not take the policy: {why}"))
            }
        };
        self.follow_names(Some(&was));
        self.end_denied(&was, now());
        done
    }

    /// Ends what was admitted before a deny held. Who began is not in the kernel's table, so that another device's conversation with the
    /// same service ends too, and begins anew with its next packet where it may.
    pub(super) fn end_denied(&mut self, before: &Policy, then: Timestamp) {
        let denies = new_denies(before, then, &self.policy, now());
        if denies.is_empty() {
            return;
        }
        let addresses = self.told.addresses();
        let over = |talk: &Talk| {
            let echo = matches!(talk.protocol, protocol::ICMP | protocol::ICMP6);
            let asked = Asked { echo, ..Asked::port(talk.protocol, talk.far_port) };
            let about = |rule: &&&Rule| rule.services.iter().any(|service| service.covers(asked));
            let to = |to: &To| match to {
                To::Internet => HostKey::from(talk.far).is_global(),
                To::Network(network) => network.contains(talk.far),
                To::Device(name) => self.policy.device(name).is_some_and(|d| d.addresses.contains(&talk.far)),
                To::Name(_) | To::List(_) => addresses.contains(&talk.far),
                To::Resolvers => resolvers().addresses.contains(&talk.far) || addresses.contains(&talk.far),
                To::Uplink | To::Servers | To::Others | To::Unnamed | To::Lan => true,
            };
            denies.iter().filter(about).any(|rule| rule.to.iter().any(to))
        };
        let Some(kernel) = self.kernel.as_mut() else { return };
        match kernel.end(over) {
            Ok(count) => tracing::info!(count, "conversations ended that a rule now denies"),
            Err(error) => tracing::warn!("conversations that a rule now denies go on: {error}"),
        }
    }

    fn take(&mut self, policy: Option<Arc<Policy>>) {
        self.unkept.set(true);
        self.applied = policy.is_some();
        self.policy = policy.unwrap_or_else(|| Arc::new(Policy::empty(self.configured.posture)));
        self.take_posture("the policy now observes");
    }

    /// Has blocks follow the configuration in the posture of the policy.
    pub(super) fn take_posture(&mut self, why: &str) {
        let config = ResponderConfig { posture: self.policy.posture, ..self.configured.clone() };
        let ended = self.responder.reconfigure(config);
        self.end(ended, why);
    }

    /// What the kernel must hold now.
    pub(super) fn ruleset(&mut self) -> Ruleset {
        let at = now();
        self.opens = next_opening(&self.policy, at);
        let plan = self.compiler.compile(&self.policy, &self.servers(), at);
        self.settings.ruleset(self.responder.never_block(), plan)
    }

    /// The addresses of those that serve the network.
    pub(super) fn servers(&self) -> Vec<IpAddr> {
        self.serving.iter().filter_map(NeverBlock::address).collect()
    }

    /// Whether a conversation would pass, and which rule says so.
    pub(super) fn explain(&self, asking: &Asking) -> Response {
        let asked = match Asked::read(&asking.service) {
            Ok(asked) => asked,
            Err(_) => {
                return Response::Error(format!("{} is no service; ask as tcp/443, udp/53 or ping", asking.service));
            }
        };
        let (mac, from) = match self.end_of(&asking.from) {
            Some(end) => end,
            None => return Response::Error(format!("{} is no device of the policy and no address", asking.from)),
        };
        let named = |name: &str| (name.contains('.')).then(|| vec![name.to_owned()]);
        let (to_mac, to, names) = match (self.end_of(&asking.to), named(&asking.to)) {
            (Some((to_mac, to)), _) => (to_mac, to, mac.map(|mac| self.told.names(mac, to)).unwrap_or_default()),
            // An address that stands for whatever the name is told to be: no rule about addresses means it.
            (None, Some(names)) => (None, IpAddr::from([192, 0, 2, 0]), names),
            (None, None) => return Response::Error(format!("{} is no device, no address and no host name", asking.to)),
        };
        let outside = self.policy.device_of(mac, Some(from)).is_none() && self.inbound(from, to_mac, to);
        let from = if outside { Sender::Uplink(from) } else { Sender::Lan(mac, from) };
        let servers = self.servers();
        let start = Start { from, to, to_mac, asked, names: &names, servers: &servers, at: asking.at };
        let mut ruling = decide(&self.policy, &start);
        if let Some(name) = mac.and_then(|mac| self.told.shown(mac, to)) {
            // A name that was shown only takes away.
            let shown = decide(&self.policy, &Start { names: &[name.to_owned()], ..start });
            let by_name = self.policy.numbered().any(|rule| rule.name == shown.rule && rule.effect == Effect::Deny);
            if by_name {
                ruling = shown;
            }
            ruling.why += &format!("; the address is shared with others: it was asked for {name}");
        }
        if ruling.effect == Effect::Allow && self.is_by_name(&ruling.rule) {
            ruling.why += &format!("; allowed by name, as {}", names.join(" and "));
        }
        Response::of(&RulingView {
            decision: ruling.effect.as_str().into(),
            rule: ruling.rule,
            why: ruling.why,
            from: asking.from.clone(),
            to: asking.to.clone(),
            service: asked.to_string(),
        })
    }

    /// Whether a rule is about names.
    fn is_by_name(&self, name: &str) -> bool {
        let mut rules = self.policy.numbered().filter(|rule| rule.name == name);
        rules.any(|rule| self.policy.names_in(rule).next().is_some())
    }

    /// Whether somebody of whom the policy knows nothing means to begin with one of its devices of the LAN side.
    fn inbound(&self, from: IpAddr, to_mac: Option<MacAddr>, to: IpAddr) -> bool {
        let known = self.policy.device_of(to_mac, Some(to)).is_some()
            || self.policy.devices.iter().any(|d| d.addresses.contains(&to));
        known && terms::HostKey::from(from).is_global()
    }

    /// The addresses of a device by its name, or by one of them.
    fn end_of(&self, text: &str) -> Option<(Option<MacAddr>, IpAddr)> {
        let of = |device: &Device, address: Option<IpAddr>| {
            let unknown = IpAddr::from([0, 0, 0, 0]);
            (device.macs.first().copied(), address.or_else(|| device.addresses.first().copied()).unwrap_or(unknown))
        };
        if let Some(device) = self.policy.device(text) {
            return Some(of(device, None));
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            let device = self.policy.devices.iter().find(|d| d.addresses.contains(&address));
            return Some(device.map_or((None, address), |device| of(device, Some(address))));
        }
        let mac = text.parse::<MacAddr>().ok()?;
        let device = self.policy.device_of(Some(mac), None);
        Some(device.map_or((Some(mac), IpAddr::from([0, 0, 0, 0])), |device| (Some(mac), of(device, None).1)))
    }
}
