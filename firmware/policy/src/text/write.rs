//! A policy to its text.

use core::fmt::{Display, Write};

use terms::Timestamp;

use crate::rules::{Effect, Policy, Rule, To, Who};
use crate::switch::{Dns, Quic};

/// The whole policy as text; it reads back as the same policy. The built-in rules are not in it.
#[must_use]
pub fn write(policy: &Policy) -> String {
    let mut text = Text(String::new());
    text.value("posture", policy.posture.as_str());
    text.value("new", policy.newcomers.as_str());
    if policy.dns != Dns::default() {
        text.value("dns", policy.dns.as_str());
    }
    text.values("dns_servers", &policy.dns_servers);
    if policy.quic != Quic::default() {
        text.value("quic", policy.quic.as_str());
    }
    if policy.zone.name() != "UTC" {
        text.value("time_zone", policy.zone.name());
    }
    for group in &policy.groups {
        text.table("group");
        text.value("name", &group.name);
        text.values("groups", &group.groups);
        text.some("posture", group.posture.map(terms::Posture::as_str).unwrap_or_default());
    }
    for list in &policy.lists {
        text.table("list");
        text.value("name", &list.name);
        text.values("hosts", &list.hosts);
    }
    for device in &policy.devices {
        text.table("device");
        text.value("name", &device.name);
        text.values("macs", &device.macs);
        text.values("addresses", &device.addresses);
        text.values("groups", &device.groups);
        text.value("state", device.state.as_str());
        text.some("posture", device.posture.map(terms::Posture::as_str).unwrap_or_default());
        text.some("shadow_since", &device.shadow_since.map(moment).unwrap_or_default());
        text.some("owner", &device.owner);
        text.some("comment", &device.comment);
    }
    for rule in &policy.rules {
        text.rule(rule);
    }
    text.0
}

/// One rule as text, as it stands in a policy.
#[must_use]
pub fn write_rule(rule: &Rule) -> String {
    let mut text = Text(String::new());
    text.rule(rule);
    text.0
}

struct Text(String);

impl Text {
    fn rule(&mut self, rule: &Rule) {
        self.table(if rule.effect == Effect::Allow { "allow" } else { "deny" });
        self.value("name", &rule.name);
        self.one_or_more("who", &rule.who.iter().map(who).collect::<Vec<_>>());
        self.one_or_more("to", &rule.to.iter().map(to).collect::<Vec<_>>());
        self.one_or_more("service", &rule.services.iter().map(ToString::to_string).collect::<Vec<_>>());
        self.values("when", &rule.when);
        self.some("until", &rule.until.map(moment).unwrap_or_default());
        self.some("owner", &rule.owner);
        self.some("comment", &rule.comment);
        if rule.shadow {
            self.line("shadow = true");
        }
    }

    fn table(&mut self, name: &str) {
        self.line(&format!("\n[[{name}]]"));
    }

    fn value(&mut self, key: &str, value: &str) {
        self.line(&format!("{key} = {}", quoted(value)));
    }

    /// Nothing where there is nothing to say.
    fn some(&mut self, key: &str, value: &str) {
        if !value.is_empty() {
            self.value(key, value);
        }
    }

    fn values(&mut self, key: &str, values: &[impl Display]) {
        if !values.is_empty() {
            let all: Vec<_> = values.iter().map(|v| quoted(&v.to_string())).collect();
            self.line(&format!("{key} = [{}]", all.join(", ")));
        }
    }

    fn one_or_more(&mut self, key: &str, values: &[String]) {
        match values {
            [one] => self.value(key, one),
            more => self.values(key, more),
        }
    }

    fn line(&mut self, line: &str) {
        let _always = writeln!(self.0, "{line}");
    }
}

/// A rule's `who` as text.
#[must_use]
pub fn who(who: &Who) -> String {
    match who {
        Who::Device(name) | Who::Group(name) => name.clone(),
        Who::Lan => "lan".into(),
        Who::New => "new".into(),
        Who::Starter => "starter".into(),
        Who::Everyone => "everyone".into(),
        Who::Uplink => "uplink".into(),
        Who::Internet => "internet".into(),
        Who::Network(network) => network.to_string(),
    }
}

/// A rule's `to` as text.
#[must_use]
pub fn to(to: &To) -> String {
    match to {
        To::Internet => "internet".into(),
        To::Uplink => "uplink".into(),
        To::Network(network) => network.to_string(),
        To::Name(name) => name.to_string(),
        To::List(name) | To::Device(name) => name.clone(),
        To::Lan => "lan".into(),
        To::Servers => "servers".into(),
        To::Others => "not-servers".into(),
        To::Resolvers => "public-resolvers".into(),
        To::Unnamed => "unnamed".into(),
    }
}

/// A moment as RFC 3339 has it, in universal time.
#[must_use]
pub fn moment(at: Timestamp) -> String {
    let micros = i64::try_from(at.micros()).unwrap_or(i64::MAX);
    jiff::Timestamp::from_microsecond(micros).map(|t| t.to_string()).unwrap_or_default()
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
