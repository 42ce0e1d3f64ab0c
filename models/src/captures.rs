//! Labelled captures to rows, through the code that runs on the box.

use std::fs::File;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use capture::CaptureFile;
use detect::{Detector, Finding, Sink, Thresholds, Window};
use features::{Capacities, FeatureVector, HashKey, SCHEMA, schema_hash};
use terms::{HostKey, Side};

use crate::labels::{Labels, Seen};
use crate::rows::{Row, Rows, Schema};

/// The schema of this version's features.
#[must_use]
pub fn schema() -> Schema {
    Schema { names: SCHEMA.map(String::from).to_vec(), hash: schema_hash() }
}

/// Replays every capture of a folder that its `labels.csv` names, and keeps the hosts' minutes that have a label.
///
/// **Bounds**: labels of files that are no captures (as logs) are passed over. A capture that cannot be read is told to
/// `progress` and left out.
///
/// # Errors
/// The labels cannot be read, or they give not one row.
pub fn rows(folder: &Path, progress: &mut dyn FnMut(&str, Result<usize>)) -> Result<Rows> {
    let list = folder.join("labels.csv");
    let labels = Labels::read(File::open(&list).with_context(|| format!("{} cannot be opened", list.display()))?)
        .with_context(|| format!("{} cannot be read", list.display()))?;
    let mut rows = Rows { schema: schema(), rows: Vec::new() };
    for capture in labels.captures().filter(|c| c.contains(".pcap")) {
        let before = rows.rows.len();
        let read = windows(&folder.join(capture)).map(|windows| {
            rows.rows.extend(windows.iter().filter_map(|w| row(&labels, capture, w)));
            rows.rows.len() - before
        });
        progress(capture, read);
    }
    ensure!(!rows.rows.is_empty(), "{} labels no capture that can be read", list.display());
    Ok(rows)
}

/// Every host's minutes in a capture, in the order in which they closed.
///
/// # Errors
/// The file is no capture.
pub fn windows(file: &Path) -> Result<Vec<Window>> {
    let mut capture = CaptureFile::open(file)?;
    let mut detector = Detector::new(HashKey::FIXED, Capacities::default(), Thresholds::default(), None);
    let mut minutes = Minutes(Vec::new());
    while let Some(frame) = capture.next() {
        let frame = frame.snapped();
        if let Ok(summary) = wire::parse(frame.link, frame.octets, frame.len, frame.vlan) {
            detector.observe(&summary, frame.at, Side::Unknown, &mut minutes);
        }
    }
    detector.close(&mut minutes);
    Ok(minutes.0)
}

fn row(labels: &Labels, capture: &str, window: &Window) -> Option<Row> {
    let (host, mac) = (window.host.to_string(), window.mac.to_string());
    // Behind a router the hardware address is the router's: it says nothing of a host with an address of its own, unless the
    // label is about hardware.
    let seen = Seen { host: &host, mac: &mac, start: window.start.as_secs_f64(), end: window.end.as_secs_f64() };
    let label = labels.of(capture, seen)?;
    let multicast = matches!(window.host, HostKey::Mac(m) if m.is_multicast());
    (!multicast).then(|| Row {
        vector: window.vector.0.to_vec(),
        level: label.level,
        family: label.family.clone(),
        source: label.source.clone(),
        tool: label.tool.clone(),
        capture: capture.to_owned(),
        host,
        minute: window.start.minute(),
        rules: window.level,
    })
}

/// Keeps the minutes; findings are the box's business.
struct Minutes(Vec<Window>);

impl Sink for Minutes {
    fn finding(&mut self, _: &Finding, _: &FeatureVector) {}

    fn window(&mut self, window: &Window) {
        self.0.push(window.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use capture::{Frame, PcapWriter};
    use terms::{ThreatLevel, Timestamp};
    use wire::LinkType;

    const HEAD: &str = "file,attacker_or_subject_ip,label,family,start_time_epoch,end_time_epoch,source,license,why";

    /// An ARP question from 10.0.0.`host` for 10.0.0.9.
    fn question(host: u8) -> Vec<u8> {
        let mac = [2, 0, 0, 0, 0, host];
        let mut frame = vec![0xff; 6];
        frame.extend(mac);
        frame.extend([0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 1]);
        frame.extend(mac);
        frame.extend([10, 0, 0, host, 0, 0, 0, 0, 0, 0, 10, 0, 0, 9]);
        frame
    }

    #[test]
    fn a_labelled_capture_gives_a_row_for_each_minute_of_each_labelled_host() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = PcapWriter::new(File::create(folder.path().join("a.pcap")).unwrap()).unwrap();
        for (second, host) in [(60_000, 1), (60_001, 2), (60_002, 3), (60_060, 1)] {
            let octets = question(host);
            let (at, len) = (Timestamp::from_secs(second), octets.len() as u32);
            writer
                .write(&Frame { at, side: Side::Unknown, link: LinkType::Ethernet, len, vlan: None, octets: &octets })
                .unwrap();
        }
        writer.finish().unwrap();
        let list = format!(
            "{HEAD}\na.pcap,10.0.0.1,MEDIUM,arp_scan,,,s,l,w\na.pcap,10.0.0.2,SAFE,benign_iot,,,s,l,w\nz/conn.log.gz,*,SAFE,x,,,s,l,w\n"
        );
        std::fs::write(folder.path().join("labels.csv"), list).unwrap();
        let rows = rows(folder.path(), &mut |_, _| ()).unwrap();
        let mut found: Vec<_> = rows.rows.iter().map(|r| (r.host.as_str(), r.minute, r.level)).collect();
        found.sort_unstable();
        let expected = [
            ("10.0.0.1", 1000, ThreatLevel::Medium),
            ("10.0.0.1", 1001, ThreatLevel::Medium),
            ("10.0.0.2", 1000, ThreatLevel::Safe),
        ];
        assert_eq!(found, expected);
        assert!(rows.rows.iter().all(|r| r.vector.len() == rows.schema.names.len()));
    }

    #[test]
    fn a_capture_that_cannot_be_read_is_told_and_left_out() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("b.pcap"), "no capture").unwrap();
        let list = format!("{HEAD}\nb.pcap,*,SAFE,benign_iot,,,s,l,w\n");
        std::fs::write(folder.path().join("labels.csv"), list).unwrap();
        let mut told = Vec::new();
        let said =
            rows(folder.path(), &mut |capture, read| told.push((capture.to_owned(), read.is_err()))).unwrap_err();
        assert_eq!(told, [("b.pcap".to_owned(), true)]);
        assert!(said.to_string().contains("labels no capture that can be read"), "{said}");
    }

    #[test]
    fn a_folder_without_labels_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let said = format!("{:#}", rows(folder.path(), &mut |_, _| ()).unwrap_err());
        assert!(said.contains("labels.csv cannot be opened"), "{said}");
    }
}
