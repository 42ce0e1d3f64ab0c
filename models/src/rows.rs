//! Labelled feature vectors, and the CSV file that carries them.

use std::io::{Read, Write};

use anyhow::{Context, Result, bail, ensure};
use detect::catalogue::{Found, Group, THREATS};
use terms::{FNV_BEGINS, Family, ThreatLevel, fnv};

/// The columns that stand before the features.
const COLUMNS: [&str; 9] = ["level", "family", "source", "tool", "capture", "device", "host", "minute", "rules"];

/// What the places of a vector mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    /// The features' names in the order of the vector.
    pub names: Vec<String>,
    /// The hash that the box compares.
    pub hash: u64,
}

/// What one host did in one minute, and what that was.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The features.
    pub vector: Vec<f32>,
    /// The level that the label gives.
    pub level: ThreatLevel,
    /// The family as the label words it.
    pub family: String,
    /// Who made the capture.
    pub source: String,
    /// The program that made it; empty where the label names none.
    pub tool: String,
    /// The capture's file.
    pub capture: String,
    /// The kind of device, where it is known; nothing for captures.
    pub device: String,
    /// The host's address.
    pub host: String,
    /// Minutes since the epoch.
    pub minute: u64,
    /// The level that the rules alone gave; nothing is learnt from it.
    pub rules: ThreatLevel,
}

/// Rows of one schema.
#[derive(Clone, Debug, PartialEq)]
pub struct Rows {
    /// What the vectors mean.
    pub schema: Schema,
    /// The rows.
    pub rows: Vec<Row>,
}

impl Row {
    /// The row's class as the trees number it.
    #[must_use]
    pub const fn class(&self) -> usize {
        match self.level {
            ThreatLevel::Safe => 0,
            ThreatLevel::Medium => 1,
            ThreatLevel::High => 2,
        }
    }

    /// Whether rules define what this threat is: scans, guessing, the local link, floods. Infected hosts have more faces than definitions.
    #[must_use]
    pub fn is_defined(&self) -> bool {
        let known = THREATS.iter().find(|threat| threat.word == self.family);
        self.level > ThreatLevel::Safe
            && known.is_some_and(|t| t.group != Group::Infected && matches!(t.found, Found::By { .. }))
    }

    /// The family as the box words it; nothing for a harmless row.
    #[must_use]
    pub fn named(&self) -> Option<Family> {
        if self.level == ThreatLevel::Safe {
            return None;
        }
        let known = Family::ALL.iter().find(|f| f.as_str() == self.family).copied();
        Some(known.unwrap_or(match self.family.as_str() {
            "port_scan_mixed" => Family::PortScanVertical,
            _ => Family::Anomaly,
        }))
    }
}

impl Rows {
    /// A digest of all that the training sees of the rows.
    #[must_use]
    pub fn digest(&self) -> u64 {
        let mut hash = FNV_BEGINS;
        let mut mix = |octets: &[u8]| hash = fnv(hash, octets);
        for row in &self.rows {
            mix(&[row.class() as u8]);
            mix(row.family.as_bytes());
            row.vector.iter().for_each(|v| mix(&v.to_le_bytes()));
        }
        hash
    }

    /// Writes the rows as CSV.
    ///
    /// # Errors
    /// What the writer says.
    pub fn write(&self, to: impl Write) -> Result<()> {
        let mut csv = csv::Writer::from_writer(to);
        csv.write_record(COLUMNS.into_iter().chain(self.schema.names.iter().map(String::as_str)))?;
        for row in &self.rows {
            let labels =
                [row.level.as_str(), &row.family, &row.source, &row.tool, &row.capture, &row.device, &row.host];
            let labels = labels.map(str::to_owned);
            let minute = row.minute.to_string();
            csv.write_record(
                labels
                    .into_iter()
                    .chain([minute, row.rules.as_str().to_owned()])
                    .chain(row.vector.iter().map(f32::to_string)),
            )?;
        }
        csv.flush().context("the rows could not be written")
    }

    /// Reads rows back; their columns must be those of this schema.
    ///
    /// # Errors
    /// Names the column or the line at fault.
    pub fn read(from: impl Read, schema: Schema) -> Result<Self> {
        let mut csv = csv::Reader::from_reader(from);
        let head = csv.headers()?.clone();
        let expected = COLUMNS.into_iter().chain(schema.names.iter().map(String::as_str));
        for (i, (name, found)) in expected.zip(head.iter().chain(std::iter::repeat(""))).enumerate() {
            ensure!(name == found, "column {} of the rows is `{found}`, this version has `{name}` there", i + 1);
        }
        ensure!(
            head.len() == COLUMNS.len() + schema.names.len(),
            "the rows have columns that this version does not know"
        );
        let mut rows = Vec::new();
        for (i, record) in csv.records().enumerate() {
            let record = record?;
            rows.push(row(&record).with_context(|| format!("line {} of the rows", i + 2))?);
        }
        Ok(Self { schema, rows })
    }
}

/// Reads a level as the labels and the rows word it.
///
/// # Errors
/// The word is none of the three.
pub fn level(word: &str) -> Result<ThreatLevel> {
    let all = [ThreatLevel::Safe, ThreatLevel::Medium, ThreatLevel::High];
    match all.into_iter().find(|l| l.as_str() == word) {
        Some(level) => Ok(level),
        None => bail!("`{word}` is no level: SAFE, MEDIUM or HIGH"),
    }
}

fn row(record: &csv::StringRecord) -> Result<Row> {
    let field = |i: usize| record.get(i).unwrap_or_default().to_owned();
    let mut vector = Vec::with_capacity(record.len().saturating_sub(COLUMNS.len()));
    for value in record.iter().skip(COLUMNS.len()) {
        let value: f32 = value.parse().with_context(|| format!("`{value}` is no number"))?;
        ensure!(value.is_finite(), "a feature is not finite");
        vector.push(value);
    }
    Ok(Row {
        vector,
        level: level(&field(0))?,
        family: field(1),
        source: field(2),
        tool: field(3),
        capture: field(4),
        device: field(5),
        host: field(6),
        minute: field(7).parse().context("the minute is no number")?,
        rules: level(&field(8))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Rows {
        let schema = Schema { names: vec!["a".into(), "b".into()], hash: 7 };
        let row = Row {
            vector: vec![0.1, 16_777_217.0],
            level: ThreatLevel::High,
            family: "botnet_spread".into(),
            source: "one, two".into(),
            tool: "nmap".into(),
            capture: "x.pcap".into(),
            device: "camera".into(),
            host: "fe80::1".into(),
            minute: 29_000_000,
            rules: ThreatLevel::Medium,
        };
        Rows { schema, rows: vec![row] }
    }

    #[test]
    fn rows_read_back_bit_for_bit() {
        let mut csv = Vec::new();
        rows().write(&mut csv).unwrap();
        let again = Rows::read(&csv[..], rows().schema).unwrap();
        assert_eq!(again, rows());
        assert_eq!(again.digest(), rows().digest());
    }

    #[test]
    fn rows_of_other_features_are_refused_by_name() {
        let mut csv = Vec::new();
        rows().write(&mut csv).unwrap();
        let read = |names: &[&str]| {
            let schema = Schema { names: names.iter().map(|&n| n.to_owned()).collect(), hash: 7 };
            Rows::read(&csv[..], schema).unwrap_err().to_string()
        };
        assert!(read(&["a", "c"]).contains("column 11 of the rows is `b`"), "{}", read(&["a", "c"]));
        assert!(read(&["a"]).contains("columns that this version does not know"));
        assert!(read(&["a", "b", "c"]).contains("column 12"));
    }

    #[test]
    fn families_without_a_definition_are_anomalies_and_harmless_ones_have_no_name() {
        let mut row = rows().rows.remove(0);
        assert_eq!(row.named(), Some(Family::Anomaly));
        row.family = "arp_scan".into();
        assert_eq!(row.named(), Some(Family::ArpScan));
        row.level = ThreatLevel::Safe;
        assert_eq!(row.named(), None);
    }
}
