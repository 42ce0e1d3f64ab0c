//! The findings as CSV.

use intake::shown;

use crate::figures::Figures;

/// The headings, in the order of the cells.
const HEADINGS: [&str; 9] = ["id", "at", "host", "mac", "level", "state", "family", "detector", "why"];

/// A heading and one row a finding, oldest first.
///
/// # Errors
/// Never for plain figures; the writer's own.
pub fn csv(figures: &Figures) -> csv::Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(HEADINGS)?;
    for finding in &figures.findings {
        let id = finding.id.to_string();
        let mac = finding.mac.as_deref().unwrap_or_default();
        let words = [&finding.level, &finding.state, &finding.family, &finding.detector, &finding.why];
        let cells = [&id, &finding.at, &finding.host].map(String::as_str).into_iter();
        let cells = cells.chain([mac]).chain(words.map(String::as_str));
        writer.write_record(cells.map(cell))?;
    }
    let octets = writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))?;
    Ok(String::from_utf8_lossy(&octets).into_owned())
}

/// A cell that no spreadsheet takes for a formula and no terminal obeys. **Source**: OWASP, CSV injection.
#[must_use]
pub fn cell(text: &str) -> String {
    let text = shown(text);
    let formula = text.trim_start().starts_with(['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}']);
    if formula { format!("'{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::tests::some;

    #[test]
    fn a_row_a_finding_and_no_cell_begins_a_formula() {
        let text = csv(&some()).unwrap();
        assert_eq!(text.lines().count(), 5);
        assert!(text.contains("'=flood\\x1b[2J") && !text.contains('\u{1b}'), "{text}");
        assert!(text.contains("\"it tried 1 ports <of> \"\"all\"\" = a lot, (and more)\""), "{text}");
        let cells = ["=1+1", " @SUM(A1)", "-2", "+3", "\t=4", "plain", "a=b"];
        assert_eq!(cells.map(cell), ["'=1+1", "' @SUM(A1)", "'-2", "'+3", "\\x09=4", "plain", "a=b"]);
    }
}
