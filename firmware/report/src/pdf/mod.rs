//! The figures as a PDF: A4, tables and bars as vectors, page numbers, a tagged structure.

mod letters;
mod sheet;

use pdf_writer::Content;
use pdf_writer::types::StructRole;

use crate::figures::{Figures, Slot};
use crate::{HOSTS_LISTED, LISTED};
use letters::{lines, octets, width};
use sheet::{AMBER, Colour, GREY, INK, LINE, MARGIN, RED, Sheets, WIDE};

/// The width of the text.
const TEXT: f32 = WIDE - 2.0 * MARGIN;
/// The size of text and of tables, in points, and the height of their lines.
const SIZE: f32 = 10.0;
const LEADING: f32 = 14.0;
const SMALL: f32 = 8.0;
const SMALL_LEADING: f32 = 10.5;
/// Lines of a cell; what is longer is cut, and whole in the CSV.
const CELL_LINES: usize = 5;

/// The report as a PDF.
#[must_use]
pub fn pdf(figures: &Figures) -> Vec<u8> {
    let mut sheets = Sheets::new();
    sheets.down(18.0);
    sheets.tagged(StructRole::H1, |of| of.write(0.0, b"Network security report", 20.0, true, INK));
    sheets.down(18.0);
    let period = format!("{} to {}", figures.from, figures.to);
    sheets.tagged(StructRole::P, |of| of.write(0.0, &octets(&period), SIZE, false, GREY));
    if !figures.organisation.is_empty() {
        sheets.down(16.0);
        sheets.tagged(StructRole::P, |of| of.write(0.0, &octets(&figures.organisation), SIZE, true, INK));
    }
    sheets.down(22.0);
    for words in &figures.summary {
        paragraph(&mut sheets, words);
    }
    numbers(&mut sheets, figures);
    heading(&mut sheets, "Findings over time", 130.0);
    chart(&mut sheets, figures);
    heading(&mut sheets, "What was found", 60.0);
    let families = figures.families.iter().map(|(family, count)| [family.clone(), count.to_string()]);
    table(&mut sheets, &[("Family", 200.0), ("Findings", 80.0)], families);
    heading(&mut sheets, "Hosts", 60.0);
    told_if_cut(&mut sheets, figures.hosts.len(), HOSTS_LISTED, "worst", "JSON");
    let hosts = figures.hosts.iter().take(HOSTS_LISTED).map(|line| {
        let blocked = if line.blocked { "yes" } else { "no" };
        let mac = line.mac.clone().unwrap_or_else(|| "-".into());
        let counts = [line.findings, line.high].map(|count| count.to_string());
        let [findings, high] = counts;
        [line.host.clone(), mac, findings, high, blocked.into(), line.families.join(", ")]
    });
    let columns = [
        ("Host", 110.0),
        ("Hardware address", 100.0),
        ("Findings", 50.0),
        ("HIGH", 40.0),
        ("Blocked", 50.0),
        ("Families", 149.0),
    ];
    table(&mut sheets, &columns, hosts);
    heading(&mut sheets, "Findings", 60.0);
    told_if_cut(&mut sheets, figures.findings.len(), LISTED, "newest", "CSV");
    let findings = figures.findings.iter().rev().take(LISTED).rev().map(|finding| {
        let what = format!("{}: {}", finding.family, finding.why);
        [finding.at.clone(), finding.host.clone(), finding.level.clone(), finding.state.clone(), what]
    });
    table(
        &mut sheets,
        &[("At (UTC)", 90.0), ("Host", 100.0), ("Level", 48.0), ("State", 60.0), ("What", 201.0)],
        findings,
    );
    sheets.finish(&format!("Picket report, {period}"))
}

fn heading(sheets: &mut Sheets, words: &str, with: f32) {
    sheets.down(26.0);
    if !sheets.fits(with) {
        sheets.turn();
        sheets.down(14.0);
    }
    sheets.tagged(StructRole::H2, |of| of.write(0.0, words.as_bytes(), 13.0, true, INK));
    sheets.down(18.0);
}

fn paragraph(sheets: &mut Sheets, words: &str) {
    sheets.tagged(StructRole::P, |of| {
        for line in lines(&octets(words), SIZE, TEXT, 20) {
            if !of.fits(LEADING) {
                of.turn();
            }
            of.write(0.0, &line, SIZE, false, INK);
            of.down(LEADING);
        }
    });
}

fn told_if_cut(sheets: &mut Sheets, all: usize, most: usize, which: &str, whole: &str) {
    if all > most {
        paragraph(sheets, &format!("The {which} {most} of {all}; the {whole} has all."));
    }
}

/// The counts, large, side by side.
fn numbers(sheets: &mut Sheets, figures: &Figures) {
    let counts = figures.counts;
    let all: [(&str, u64, Colour); 5] = [
        ("Findings", counts.findings, INK),
        ("Level HIGH", counts.high, RED),
        ("Level MEDIUM", counts.medium, AMBER),
        ("Hosts blocked", counts.blocked, INK),
        ("Denied by rules", counts.denied, INK),
    ];
    sheets.down(24.0);
    for (n, (name, count, colour)) in (0_u8..).zip(all) {
        let x = f32::from(n) * TEXT / 5.0;
        sheets.tagged(StructRole::P, |of| {
            of.write(x, name.as_bytes(), SMALL, false, GREY);
            of.down(22.0);
            of.write(x, count.to_string().as_bytes(), 20.0, true, colour);
            of.down(-22.0);
        });
    }
    sheets.down(28.0);
}

/// The trend as bars: all findings, and the HIGH ones of them darker.
fn chart(sheets: &mut Sheets, figures: &Figures) {
    let most = figures.trend.iter().map(|slot| slot.findings).max().unwrap_or(0).max(1);
    let alt = format!(
        "Bars: {} findings in {} parts of the period, {most} at most in one, {} of them HIGH in all.",
        figures.counts.findings,
        figures.trend.len(),
        figures.counts.high
    );
    sheets.figure(84.0, alt, |content| bars(content, &figures.trend, most));
    sheets.down(12.0);
    let ends = [figures.trend.first(), figures.trend.last()].map(|slot| slot.map_or("", |slot| slot.begin.as_str()));
    sheets.tagged(StructRole::P, |of| {
        of.write(0.0, ends[0].as_bytes(), SMALL, false, GREY);
        let legend = format!("dark: HIGH; highest bar: {most}");
        of.write((TEXT - width(legend.as_bytes(), SMALL, false)) / 2.0, legend.as_bytes(), SMALL, false, GREY);
        of.write(TEXT - width(ends[1].as_bytes(), SMALL, false), ends[1].as_bytes(), SMALL, false, GREY);
    });
}

#[allow(clippy::cast_precision_loss, reason = "bars are drawn, not counted")]
fn bars(content: &mut Content, trend: &[Slot], most: u64) {
    let wide = TEXT / trend.len().max(1) as f32;
    for (n, slot) in trend.iter().enumerate() {
        for (count, [red, green, blue]) in [(slot.findings, AMBER), (slot.high, RED)] {
            if count > 0 {
                content.set_fill_rgb(red, green, blue);
                let high = 80.0 * count as f32 / most as f32;
                content.rect(n as f32 * wide, 0.0, (wide - 1.5).clamp(0.8, 40.0), high.max(1.0)).fill_nonzero();
            }
        }
    }
    content.set_stroke_rgb(LINE[0], LINE[1], LINE[2]).set_line_width(0.8);
    content.move_to(0.0, 0.0).line_to(TEXT, 0.0).stroke();
}

/// Rows under headings, which stand on each sheet again.
fn table<const N: usize>(sheets: &mut Sheets, columns: &[(&str, f32); N], rows: impl Iterator<Item = [String; N]>) {
    let head = columns.map(|(name, _)| name.to_owned());
    sheets.tagged(StructRole::Table, |of| {
        row(of, columns, &head, true);
        for cells in rows {
            let high = row_height(columns, &cells);
            if !of.fits(high) {
                of.turn();
                of.down(SMALL_LEADING);
                row(of, columns, &head, true);
            }
            row(of, columns, &cells, false);
        }
    });
}

fn cell_lines(text: &str, wide: f32) -> Vec<Vec<u8>> {
    lines(&octets(text), SMALL, wide - 6.0, CELL_LINES)
}

fn row_height<const N: usize>(columns: &[(&str, f32); N], cells: &[String; N]) -> f32 {
    let most = columns.iter().zip(cells).map(|((_, wide), text)| cell_lines(text, *wide).len()).max().unwrap_or(1);
    f32::from(u16::try_from(most).unwrap_or(1)) * SMALL_LEADING + 5.0
}

fn row<const N: usize>(sheets: &mut Sheets, columns: &[(&str, f32); N], cells: &[String; N], head: bool) {
    let high = row_height(columns, cells);
    sheets.tagged(StructRole::TR, |of| {
        let mut x = 0.0;
        for ((_, wide), text) in columns.iter().zip(cells) {
            of.tagged(if head { StructRole::TH } else { StructRole::TD }, |of| {
                let written = cell_lines(text, *wide);
                let back = f32::from(u16::try_from(written.len()).unwrap_or(0)) * SMALL_LEADING;
                let colour = if text == "HIGH" && !head {
                    RED
                } else if head {
                    GREY
                } else {
                    INK
                };
                for line in &written {
                    of.write(x, line, SMALL, head, colour);
                    of.down(SMALL_LEADING);
                }
                of.down(-back);
            });
            x += wide;
        }
    });
    sheets.down(high - SMALL_LEADING + 2.0);
    sheets.rule();
    sheets.down(SMALL_LEADING - 1.0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::tests::some;

    #[test]
    fn a_document_is_whole_and_tagged() {
        let file = pdf(&some());
        let holds = |part: &[u8]| file.windows(part.len()).any(|window| window == part);
        assert!(file.starts_with(b"%PDF-1.7") && file.ends_with(b"%%EOF"));
        for part in [&b"/StructTreeRoot"[..], b"/Marked true", b"/TH", b"/Figure", b"page 1 of 1", b"10.0.0.4"] {
            assert!(holds(part), "{}", String::from_utf8_lossy(part));
        }
    }

    #[test]
    fn a_long_report_goes_on_on_the_next_sheet_and_says_what_it_leaves_out() {
        let mut figures = some();
        figures.findings = std::iter::repeat_n(figures.findings[0].clone(), 2_000).collect();
        let file = pdf(&figures);
        let text = String::from_utf8_lossy(&file);
        assert!(text.contains("The newest 500 of 2000; the CSV has all."));
        let pages = text.matches("/Type /Page\n").count();
        assert!((8..30).contains(&pages) && text.contains(&format!("page {pages} of {pages}")), "{pages}");
    }
}
