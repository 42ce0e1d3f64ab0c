//! The box itself.

use std::fmt::Write as _;

use protocol::Request;
use protocol::views::{ListeningView, MachineView, StatusView};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::clock::{now, rfc3339};
use crate::office::Office;
use crate::problem::Problem;
use crate::route::Call;

/// The box.
#[derive(Serialize, JsonSchema)]
pub struct System {
    /// What people call it; empty where nobody named it.
    name: String,
    /// The gateway's version.
    version: String,
    /// `observe` or `protect`.
    posture: String,
    /// The bridge and its links, in words.
    bridge: String,
    /// The box's clock.
    clock: String,
    /// Seconds since the gateway started.
    uptime: f64,
    /// Whether the kernel's table is as it should be.
    table_intact: bool,
    /// Octets written to the gateway's store.
    store_octets: u64,
    /// Hosts pushed out of the full table.
    evicted: u64,
    /// SHA-256 of the certificate, hexadecimal.
    fingerprint: Option<String>,
    /// What is not as it should be, a line each.
    warnings: Vec<String>,
}

/// The machine: memory, load, disk, temperature, links, open ports.
pub fn resources(office: &Office, _: &Call) -> Result<MachineView, Problem> {
    office.ask(Request::Machine)
}

/// `GET system/ports`.
pub fn ports(office: &Office, call: &Call) -> Result<Vec<PortRow>, Problem> {
    let row = |open: ListeningView| PortRow {
        id: format!("{}/{} {}", open.protocol, open.port, open.address),
        protocol: open.protocol,
        address: open.address,
        port: open.port,
    };
    Ok(resources(office, call)?.listening.into_iter().map(row).collect())
}

/// One open port of the box.
#[derive(Serialize, JsonSchema)]
pub struct PortRow {
    /// Port, protocol and address.
    id: String,
    /// `tcp` or `udp`.
    protocol: String,
    /// The address.
    address: String,
    /// The port.
    port: u16,
}

/// The document; its schema is OpenAPI's own.
#[derive(Serialize, JsonSchema)]
#[serde(transparent)]
#[schemars(transparent)]
pub struct Document(Value);

/// `GET system`.
pub fn show(office: &Office, _: &Call) -> Result<System, Problem> {
    let status: StatusView = office.ask(Request::Status)?;
    let name = office.settings().value("box.name").as_str().unwrap_or_default().to_owned();
    Ok(System {
        name,
        version: status.version,
        posture: status.posture,
        bridge: status.bridge,
        clock: rfc3339(now()),
        uptime: status.uptime,
        table_intact: status.table_intact,
        store_octets: status.store_octets,
        evicted: status.evicted,
        fingerprint: status.fingerprint,
        warnings: status.warnings,
    })
}

/// `GET openapi.json`: made anew each time, for as a value it takes 17 MiB and is seldom asked for.
pub fn document(_: &Office, _: &Call) -> Result<Document, Problem> {
    Ok(Document(crate::route::document(&super::routes())))
}

/// `GET /healthz`.
pub fn healthz(_: &Office, _: &Call) -> Result<String, Problem> {
    Ok("ok\n".into())
}

/// `GET /metrics`.
pub fn metrics(office: &Office, _: &Call) -> Result<String, Problem> {
    let status: StatusView = office.ask(Request::Status)?;
    let mut text = String::new();
    let safe = status.hosts.saturating_sub(status.medium + status.high);
    // Writing to a string cannot fail.
    let mut family = |name: &str, kind: &str, help: &str, samples: &[(String, String)]| {
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (labels, value) in samples {
            let _ = writeln!(text, "{name}{labels} {value}");
        }
    };
    let one = |value: u64| [(String::new(), value.to_string())];
    let build = format!("{{version=\"{}\"}}", status.version);
    family("picket_build_info", "gauge", "The version that runs.", &[(build, "1".into())]);
    family("picket_packets_total", "counter", "Frames inspected.", &one(status.frames));
    family("picket_bytes_total", "counter", "Octets inspected.", &one(status.octets));
    let mut dropped = vec![("{reason=\"ring\"}".to_owned(), status.dropped.to_string())];
    dropped
        .extend(status.blocked_frames.iter().map(|(counter, n)| (format!("{{reason=\"{counter}\"}}"), n.to_string())));
    family(
        "picket_dropped_packets_total",
        "counter",
        "Frames not inspected, and frames dropped for a block.",
        &dropped,
    );
    let levels = [("safe", safe), ("medium", status.medium), ("high", status.high)];
    let hosts = levels.map(|(class, n)| (format!("{{class=\"{class}\"}}"), n.to_string()));
    family("picket_hosts", "gauge", "Hosts being watched.", &hosts);
    family("picket_active_blocks", "gauge", "Blocks in force.", &one(status.blocks));
    family("picket_findings_total", "counter", "Findings made.", &one(status.findings));
    family("picket_table_evictions_total", "counter", "Hosts pushed out of the full table.", &one(status.evicted));
    family(
        "picket_flash_written_bytes_total",
        "counter",
        "Octets written to the gateway's store.",
        &one(status.store_octets),
    );
    family(
        "picket_password_hashes_total",
        "counter",
        "Passwords hashed since the API started.",
        &one(office.hasher.done()),
    );
    family("picket_warnings", "gauge", "Things that are not as they should be.", &one(status.warnings.len() as u64));
    Ok(text)
}
