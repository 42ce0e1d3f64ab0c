//! Labelled captures to rows, through the code that runs on the box.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Result, ensure};
use capture::CaptureFile;
use detect::Window;

use crate::labels::Labels;
use crate::replay::{Replay, schema};
use crate::rows::Rows;

/// Rows of one subject and minute that are kept.
const ROWS_A_MINUTE: usize = 4;

/// Replays every capture of a folder that its `labels.csv` names, and keeps the hosts' minutes that have a label.
///
/// **Bounds**: labels of files that are no captures (as logs) are passed over. A capture that cannot be read is told to
/// `progress` and left out.
///
/// # Errors
/// The labels cannot be read, or they give not one row.
pub fn rows(folder: &Path, progress: &mut dyn FnMut(&str, Result<usize>)) -> Result<Rows> {
    let labels = Labels::of_folder(folder)?;
    let mut rows = Rows { schema: schema(), rows: Vec::new() };
    for capture in labels.captures().filter(|c| c.contains(".pcap")) {
        let before = rows.rows.len();
        let read = windows(&folder.join(capture)).map(|windows| {
            // Invented addresses are one subject: a few rows a minute tell as much as thousands.
            let mut told: BTreeMap<(String, u64), usize> = BTreeMap::new();
            for row in windows.iter().filter_map(|w| labels.row(capture, "", w)) {
                let rows_of_minute = told.entry((row.host.clone(), row.minute)).or_default();
                *rows_of_minute += 1;
                if *rows_of_minute <= ROWS_A_MINUTE {
                    rows.rows.push(row);
                }
            }
            rows.rows.len() - before
        });
        progress(capture, read);
    }
    ensure!(!rows.rows.is_empty(), "{} labels no capture that can be read", folder.display());
    Ok(rows)
}

/// Every host's minutes in a capture, in the order in which they closed.
///
/// # Errors
/// The file is no capture.
pub fn windows(file: &Path) -> Result<Vec<Window>> {
    let mut capture = CaptureFile::open(file)?;
    let mut replay = Replay::default();
    while let Some(frame) = capture.next() {
        replay.observe(&frame);
    }
    Ok(replay.end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

    use capture::{Frame, PcapWriter};
    use terms::{Side, ThreatLevel, Timestamp};
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
