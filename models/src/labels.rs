//! `labels.csv`: which host of which capture was what, and when.
//!
//! Two forms are read: nine columns, from `file` to `why`, and the thirteen of `make record`, which end with the tool, its
//! version, the seed and the scene. What the second form says more is empty in the first.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result};
use terms::ThreatLevel;

use crate::rows::level;

/// Families that cannot be judged by a single source host.
const NOT_BY_SOURCE: [&str; 1] = ["flood_ddos_distributed"];

/// All labels, by capture.
#[derive(Clone, Debug, Default)]
pub struct Labels(BTreeMap<String, Vec<Label>>);

/// What a subject was.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// Whom it is about.
    pub subject: Subject,
    /// The level.
    pub level: ThreatLevel,
    /// The family's word.
    pub family: String,
    /// Who made the capture.
    pub source: String,
    /// The program that made it and its version, where the label says so: a tool that can be left out of the training.
    pub tool: String,
    /// Seconds since the epoch, where the label has a beginning.
    pub from: Option<f64>,
    /// Seconds since the epoch, where the label has an end.
    pub until: Option<f64>,
}

/// Whom a label is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The host with this address.
    Host(String),
    /// The sender with this hardware address.
    Mac(String),
    /// Every host that no other label is about.
    Others,
}

/// A host's minute, as a label is looked up for it.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// The host's address.
    pub host: &'a str,
    /// Its hardware address, where it is known.
    pub mac: &'a str,
    /// Its first frame in the minute, in seconds since the epoch.
    pub start: f64,
    /// Its last frame in the minute.
    pub end: f64,
}

impl Labels {
    /// Reads the file.
    ///
    /// # Errors
    /// Names the line at fault.
    pub fn read(from: impl Read) -> Result<Self> {
        let mut all: BTreeMap<String, Vec<Label>> = BTreeMap::new();
        for (i, record) in csv::Reader::from_reader(from).records().enumerate() {
            let record = record?;
            let field = |i: usize| record.get(i).unwrap_or_default();
            let label = label(&field).with_context(|| format!("line {} of the labels", i + 2))?;
            all.entry(field(0).to_owned()).or_default().push(label);
        }
        Ok(Self(all))
    }

    /// Reads the `labels.csv` of a folder of captures.
    ///
    /// # Errors
    /// It cannot be opened, or a line is at fault.
    pub fn of_folder(folder: &Path) -> Result<Self> {
        let list = folder.join("labels.csv");
        let file = File::open(&list).with_context(|| format!("{} cannot be opened", list.display()))?;
        Self::read(file).with_context(|| format!("{} cannot be read", list.display()))
    }

    /// All labels of a capture.
    #[must_use]
    pub fn about(&self, capture: &str) -> &[Label] {
        self.0.get(capture).map_or(&[], Vec::as_slice)
    }

    /// The captures that have labels, in the order of their names.
    pub fn captures(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The label of a host's minute: the one about this host at that time, else the one about all others. A minute without a
    /// label, or whose family cannot be judged by one source, is no row.
    #[must_use]
    pub fn of(&self, capture: &str, seen: Seen<'_>) -> Option<&Label> {
        let labels = self.0.get(capture)?;
        let about = |l: &&Label| l.subject.is(seen.host, seen.mac);
        let during = |l: &&Label| l.from.is_none_or(|t| seen.end >= t) && l.until.is_none_or(|t| seen.start <= t);
        // One host can have several labels, of which the gravest at the time holds.
        let own = labels.iter().filter(about).filter(during).max_by_key(|l| l.level);
        let label = own.or_else(|| labels.iter().filter(during).find(|l| l.subject == Subject::Others))?;
        label.is_by_source().then_some(label)
    }
}

impl Label {
    /// Whether a single source shows what it is about.
    #[must_use]
    pub fn is_by_source(&self) -> bool {
        !NOT_BY_SOURCE.contains(&self.family.as_str())
    }
}

impl Subject {
    /// Whether a host with this address and hardware address is meant by name.
    #[must_use]
    pub fn is(&self, host: &str, mac: &str) -> bool {
        match self {
            Self::Host(this) => this.eq_ignore_ascii_case(host),
            Self::Mac(this) => this.eq_ignore_ascii_case(mac) || this.eq_ignore_ascii_case(host),
            Self::Others => false,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(host) => f.write_str(host),
            Self::Mac(mac) => write!(f, "mac:{mac}"),
            Self::Others => f.write_str("*"),
        }
    }
}

fn label<'a>(field: &impl Fn(usize) -> &'a str) -> Result<Label> {
    let time = |i: usize| match field(i) {
        "" => Ok(None),
        text => text.parse().map(Some).with_context(|| format!("`{text}` is no time")),
    };
    let subject = match (field(1), field(1).strip_prefix("mac:")) {
        ("*", _) | (_, Some("*")) => Subject::Others,
        (_, Some(mac)) => Subject::Mac(mac.to_owned()),
        (host, None) => Subject::Host(host.to_owned()),
    };
    Ok(Label {
        subject,
        level: level(field(2))?,
        family: field(3).to_owned(),
        source: field(6).to_owned(),
        tool: format!("{} {}", field(9), field(10)).trim().to_owned(),
        from: time(4)?,
        until: time(5)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\
file,attacker_or_subject_ip,label,family,start_time_epoch,end_time_epoch,source,license,why
a,10.0.0.1,HIGH,c2,100,200,s,l,\"why, so\"
a,*,SAFE,benign_iot,,,s,l,w
b,mac:00:25:b3:bf:91:ee,HIGH,arp_spoof,,,s,l,w
c,*,HIGH,flood_ddos_distributed,,,s,l,w
";

    fn family(capture: &str, host: &str, mac: &str, start: f64, end: f64) -> Option<String> {
        let labels = Labels::read(FILE.as_bytes()).unwrap();
        labels.of(capture, Seen { host, mac, start, end }).map(|l| l.family.clone())
    }

    #[test]
    fn a_host_has_its_label_while_it_holds_and_that_of_the_others_before_and_after() {
        assert_eq!(family("a", "10.0.0.1", "", 150.0, 160.0).as_deref(), Some("c2"));
        assert_eq!(family("a", "10.0.0.1", "", 60.0, 99.0).as_deref(), Some("benign_iot"));
        assert_eq!(family("a", "10.0.0.1", "", 201.0, 220.0).as_deref(), Some("benign_iot"));
        assert_eq!(family("a", "10.0.0.2", "", 150.0, 160.0).as_deref(), Some("benign_iot"));
    }

    #[test]
    fn a_hardware_address_is_found_behind_any_address() {
        assert_eq!(family("b", "10.0.0.9", "00:25:B3:bf:91:ee", 1.0, 2.0).as_deref(), Some("arp_spoof"));
        assert_eq!(family("b", "00:25:b3:bf:91:ee", "", 1.0, 2.0).as_deref(), Some("arp_spoof"));
        assert_eq!(family("b", "10.0.0.9", "00:00:00:00:00:01", 1.0, 2.0), None, "unlabelled hosts are no rows");
    }

    #[test]
    fn labels_with_a_tool_are_read_like_those_without() {
        let with = "\
file,attacker_or_subject_ip,label,family,start_time_epoch,end_time_epoch,source,license,why,tool,version,seed,scene
a,10.0.0.1,HIGH,port_scan_udp,100,200,picket-lab,l,w,nmap,7.93+dfsg1-1,12345,port_scan_udp.nmap.1
a,*,SAFE,benign_dns,,,picket-lab,l,w,,,,benign-dns
";
        let seen = |host| Seen { host, mac: "", start: 150.0, end: 160.0 };
        let labels = Labels::read(with.as_bytes()).unwrap();
        let tool = |host| labels.of("a", seen(host)).map(|l| (l.family.as_str(), l.tool.as_str()));
        assert_eq!(tool("10.0.0.1"), Some(("port_scan_udp", "nmap 7.93+dfsg1-1")));
        assert_eq!(tool("10.0.0.2"), Some(("benign_dns", "")));
        let without = Labels::read(FILE.as_bytes()).unwrap();
        assert_eq!(without.of("a", seen("10.0.0.1")).map(|l| l.tool.as_str()), Some(""));
    }

    #[test]
    fn what_no_single_source_shows_is_left_out() {
        assert_eq!(family("c", "10.0.0.9", "", 1.0, 2.0), None);
        assert_eq!(family("d", "10.0.0.9", "", 1.0, 2.0), None);
    }
}
