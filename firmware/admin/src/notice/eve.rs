//! A notice as lines of EVE JSON, the form that Suricata made common: one line an incident, or what else it tells of.
//!
//! What EVE has no word for stands in `alert.metadata`, as arrays of strings.

use std::net::IpAddr;

use protocol::incident::IncidentView;
use serde_json::{Value, json};
use terms::Timestamp;

use super::{Matter, Notice};
use crate::clock::rfc3339;

/// The generator: apart from 1, which is Suricata's own rules.
const GENERATOR: u32 = 32_473;
/// The signatures: an incident, a try of the channel, and what is neither.
const INCIDENT: u32 = 1;
const TRY: u32 = 2;
const MATTER: u32 = 3;

/// The lines, each with its end.
pub fn lines(notice: &Notice, host: &str) -> String {
    let created = rfc3339(Timestamp::from_micros(notice.created));
    let mut events: Vec<Value> = notice.incidents().map(|incident| event(notice, incident, host)).collect();
    events.extend(notice.matters().map(|matter| event_of(notice, matter, &created, host)));
    if events.is_empty() {
        events.push(json!({
            "timestamp": moment(&created), "event_type": "alert", "host": host,
            "alert": {"action": "allowed", "gid": GENERATOR, "signature_id": TRY, "rev": 1, "signature": notice.text,
                "category": "Test", "severity": 3, "metadata": {"picket_notice": [notice.number.to_string()]}},
            "verdict": {"action": "alert"},
        }));
    }
    events.into_iter().map(|event| event.to_string() + "\n").collect()
}

fn event(notice: &Notice, incident: &IncidentView, host: &str) -> Value {
    let is_address = |host: &&String| host.parse::<IpAddr>().is_ok();
    let is_mac = |host: &&String| host.len() == 17 && host.bytes().filter(|octet| *octet == b':').count() == 5;
    let high = incident.level == "HIGH";
    let (action, verdict) = if incident.blocked { ("blocked", "drop") } else { ("allowed", "alert") };
    let mut event = json!({
        "timestamp": moment(&incident.last), "event_type": "alert", "host": host,
        "alert": {
            "action": action, "gid": GENERATOR, "signature_id": INCIDENT, "rev": 1, "signature": incident.summary,
            "category": "Incident", "severity": if high { 1 } else { 2 },
            "metadata": {
                "picket_class": [incident.level], "picket_notice": [notice.number.to_string()],
                "picket_incident": [incident.id.to_string()], "picket_began": [incident.began],
                "picket_events": [incident.events.to_string()], "picket_hosts": incident.hosts,
                "picket_subjects": incident.subjects, "picket_sources": incident.sources,
            },
        },
        "verdict": {"action": verdict},
    });
    if !notice.held.is_empty() {
        event["alert"]["metadata"]["picket_held_back"] = json!([notice.held.count().to_string()]);
    }
    if let Some(address) = incident.hosts.iter().find(is_address) {
        event["src_ip"] = json!(address);
    }
    if let Some(mac) = incident.hosts.iter().find(is_mac) {
        event["ether"] = json!({"src_mac": mac});
    }
    event
}

fn event_of(notice: &Notice, matter: &Matter, created: &str, host: &str) -> Value {
    let who = &matter.who;
    let mut metadata = json!({
        "picket_class": [matter.level], "picket_notice": [notice.number.to_string()],
        "picket_family": [matter.family.as_str()], "picket_done": [matter.done], "picket_repeats": [matter.again.to_string()],
    });
    for (name, value) in [("picket_device", &who.name), ("picket_owner", &who.owner), ("picket_link", &matter.link)] {
        if !value.is_empty() {
            metadata[name] = json!([value]);
        }
    }
    if !notice.held.is_empty() {
        metadata["picket_held_back"] = json!([notice.held.count().to_string()]);
    }
    let mut event = json!({
        "timestamp": moment(created), "event_type": "alert", "host": host,
        "alert": {
            "action": "allowed", "gid": GENERATOR, "signature_id": MATTER, "rev": 1, "signature": matter.text,
            "category": matter.family.as_str(), "severity": if matter.level == "HIGH" { 1 } else { 2 }, "metadata": metadata,
        },
        "verdict": {"action": "alert"},
    });
    if who.address.parse::<IpAddr>().is_ok() {
        event["src_ip"] = json!(who.address);
    }
    if !who.mac.is_empty() {
        event["ether"] = json!({"src_mac": who.mac});
    }
    event
}

/// RFC 3339 in UTC as EVE writes it: no `Z`, no colon in the offset.
fn moment(at: &str) -> String {
    format!("{}+0000", at.trim_end_matches('Z'))
}

#[cfg(test)]
mod tests {
    use super::super::tests::told;
    use super::*;

    #[test]
    fn an_incident_is_one_line_with_the_words_of_eve() {
        let mut notice = told("HIGH");
        let incident = notice.incident.as_mut().expect("one");
        incident.hosts = vec!["02:00:00:00:00:01".into(), "nas".into(), "fd00::9".into(), "10.0.0.9".into()];
        incident.last = "2026-11-21T05:31:57.251547Z".into();
        incident.summary = "ann\non nas".into();
        incident.blocked = true;
        let text = lines(&notice, "box");
        assert_eq!((text.matches('\n').count(), text.ends_with("}\n")), (1, true), "{text}");
        let event: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(event["timestamp"], "2026-11-21T05:31:57.251547+0000");
        assert_eq!((&event["src_ip"], &event["ether"]["src_mac"]), (&json!("fd00::9"), &json!("02:00:00:00:00:01")));
        assert_eq!((&event["alert"]["severity"], &event["alert"]["action"]), (&json!(1), &json!("blocked")));
        assert_eq!(event["alert"]["metadata"]["picket_class"], json!(["HIGH"]));
        notice.incident = None;
        let event: Value = serde_json::from_str(&lines(&notice, "box")).expect("JSON");
        assert_eq!((&event["alert"]["category"], &event["alert"]["signature_id"]), (&json!("Test"), &json!(TRY)));
    }
}
