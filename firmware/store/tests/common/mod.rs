//! Records and directories for the tests of the store.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::path::PathBuf;

use policy::device::{DeviceId, DeviceRecord};
use policy::{Asked, Block, BlockTarget, Flow};
use store::{Event, EvidenceFrame, HostRecord, Limits, Minute, SledStore, open};
use tempfile::TempDir;
use terms::{BlockState, Family, HostKey, MacAddr, Side, Span, ThreatLevel, Timestamp};

/// A directory with a store, removed at the end.
pub struct Fixture {
    dir: TempDir,
    pub limits: Limits,
}

impl Fixture {
    pub fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), limits: Limits::default() }
    }

    pub fn path(&self) -> PathBuf {
        self.dir.path().join("store")
    }

    /// Opens the store, which must be sound.
    pub fn open(&self) -> SledStore {
        let opened = open(&self.path(), self.limits).unwrap();
        assert_eq!(opened.repaired, None);
        opened.store
    }

    /// Opens the store, which must be found damaged.
    pub fn open_damaged(&self) -> (SledStore, String) {
        let opened = open(&self.path(), self.limits).unwrap();
        (opened.store, opened.repaired.expect("the damage is told"))
    }
}

pub fn at(secs: u64) -> Timestamp {
    Timestamp::from_secs(secs)
}

pub fn host(n: u8) -> HostKey {
    HostKey::V4([192, 0, 2, n].into())
}

/// An event whose content follows from a number.
pub fn event(n: u64) -> Event {
    Event {
        id: 0,
        at: at(60 * n),
        host: host(n as u8),
        mac: Some(MacAddr::new([2, 0, 0, 0, 0, n as u8])),
        side: Side::Lan,
        state: BlockState::Observed,
        level: ThreatLevel::High,
        family: Some(Family::PortScanVertical),
        detector: "rule:port_scan".into(),
        why: format!("{n} ports of one target in a minute"),
        confidence: 0.9,
        evidence: vec![("ports".into(), n as f64), ("refused".into(), 0.5)],
        features: (0..64).map(|v| (format!("feature {v}"), (v * n) as f32)).collect(),
        frames: (0..n % 4).map(|f| EvidenceFrame { at: at(f), len: 60, octets: vec![n as u8; 60] }).collect(),
    }
}

pub fn block(n: u8, secs: u64) -> Block {
    let mac = MacAddr::new([2, 0, 0, 0, 0, n]);
    Block {
        host: host(n),
        mac: Some(mac),
        target: BlockTarget::Mac(mac),
        since: at(100),
        lasts: Span::from_secs(secs),
        why: "port scan".into(),
        automatic: true,
    }
}

pub fn minute(minute: u64, n: u8) -> Minute {
    Minute { minute, host: host(n), level: ThreatLevel::Medium, confidence: 0.5, score: f32::from(n) }
}

pub fn host_record(n: u8, secs: u64) -> HostRecord {
    HostRecord {
        host: host(n),
        mac: None,
        side: Side::Lan,
        first_seen: at(secs),
        last_seen: at(secs),
        level: ThreatLevel::Safe,
        learnt: [n.into(); 7],
    }
}

pub fn device(n: u32, name: &str) -> DeviceRecord {
    DeviceRecord {
        id: DeviceId::of(n),
        macs: vec![MacAddr::new([0, 0, 0, 0, 0, 9])],
        given_name: Some(name.into()),
        last_seen: at(u64::from(n)),
        ..DeviceRecord::default()
    }
}

/// Conversations of a device in a minute.
pub fn flow(minute: u64, n: u8) -> Flow {
    let at = at(minute * 60);
    Flow {
        mac: MacAddr::new([2, 0, 0, 0, 0, n]),
        lan: [192, 168, 0, n].into(),
        far: [203, 0, 113, 7].into(),
        inbound: false,
        asked: Asked::port(6, 443),
        names: vec!["a.example".into()],
        first: at,
        last: at,
        count: 1,
        octets: [u64::from(n), 2],
    }
}
