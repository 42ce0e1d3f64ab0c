//! The figures as one HTML file: no script, nothing from outside, readable in a mail and in print.

use std::fmt::Write as _;

use intake::shown;

use crate::figures::Figures;
use crate::{HOSTS_LISTED, LISTED};

/// The look; a mail and a sheet of paper get the same.
const STYLE: &str = "body{font:15px/1.45 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1d2329;background:#fff}\
h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .5rem}table{border-collapse:collapse;width:100%}\
caption{text-align:left;color:#4a545e}th,td{text-align:left;padding:.3rem .6rem .3rem 0;border-bottom:1px solid #d5dbe1;vertical-align:top}\
dl{display:flex;flex-wrap:wrap;gap:1rem 2.5rem;margin:1.5rem 0}dt{color:#4a545e}dd{margin:0;font-size:1.8rem;font-weight:600}\
td.n,th.n{text-align:right}.high{color:#a3160f;font-weight:600}@media print{body{margin:0}}";

/// The report as HTML.
#[must_use]
pub fn html(figures: &Figures) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut out, figures);
    out
}

fn write(out: &mut String, figures: &Figures) -> std::fmt::Result {
    let (from, to) = (text(&figures.from), text(&figures.to));
    write!(
        out,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>Picket report, {from} to {to}</title><style>{STYLE}</style></head>\n<body><h1>Network security report</h1>\n<p>{from} to {to}</p>\n"
    )?;
    if !figures.organisation.is_empty() {
        writeln!(out, "<p><strong>{}</strong></p>", text(&figures.organisation))?;
    }
    for words in &figures.summary {
        writeln!(out, "<p>{}</p>", text(words))?;
    }
    out.push_str("<dl>");
    let counts = figures.counts;
    for (name, count) in [
        ("Findings", counts.findings),
        ("Level HIGH", counts.high),
        ("Level MEDIUM", counts.medium),
        ("Hosts blocked", counts.blocked),
        ("Denied by rules", counts.denied),
    ] {
        write!(out, "<div><dt>{name}</dt><dd>{count}</dd></div>")?;
    }
    out.push_str("</dl>\n<h2>Findings over time</h2>\n");
    chart(out, figures)?;
    out.push_str(
        "<h2>What was found</h2>\n<table><thead><tr><th>Family</th><th class=\"n\">Findings</th></tr></thead><tbody>\n",
    );
    for (family, count) in &figures.families {
        writeln!(out, "<tr><td>{}</td><td class=\"n\">{count}</td></tr>", text(family))?;
    }
    out.push_str("</tbody></table>\n<h2>Hosts</h2>\n<table>");
    if figures.hosts.len() > HOSTS_LISTED {
        write!(out, "<caption>The worst {HOSTS_LISTED} of {}; the JSON has all.</caption>", figures.hosts.len())?;
    }
    out.push_str("<thead><tr><th>Host</th><th>Hardware address</th><th class=\"n\">Findings</th><th class=\"n\">HIGH</th><th>Blocked</th><th>Families</th></tr></thead><tbody>\n");
    for line in figures.hosts.iter().take(HOSTS_LISTED) {
        writeln!(
            out,
            "<tr><td>{}</td><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td>{}</td><td>{}</td></tr>",
            text(&line.host),
            text(line.mac.as_deref().unwrap_or("-")),
            line.findings,
            line.high,
            if line.blocked { "yes" } else { "no" },
            text(&line.families.join(", "))
        )?;
    }
    out.push_str("</tbody></table>\n<h2>Findings</h2>\n<table>");
    if figures.findings.len() > LISTED {
        write!(out, "<caption>The newest {LISTED} of {}; the CSV has all.</caption>", figures.findings.len())?;
    }
    out.push_str(
        "<thead><tr><th>At (UTC)</th><th>Host</th><th>Level</th><th>State</th><th>What</th></tr></thead><tbody>\n",
    );
    for finding in figures.findings.iter().rev().take(LISTED).rev() {
        let class = if finding.level == "HIGH" { " class=\"high\"" } else { "" };
        writeln!(
            out,
            "<tr><td>{}</td><td>{}</td><td{class}>{}</td><td>{}</td><td>{}: {}</td></tr>",
            text(&finding.at),
            text(&finding.host),
            text(&finding.level),
            text(&finding.state),
            text(&finding.family),
            text(&finding.why)
        )?;
    }
    out.push_str("</tbody></table>\n</body></html>\n");
    Ok(())
}

/// The trend as bars: all findings, and the HIGH ones of them darker.
fn chart(out: &mut String, figures: &Figures) -> std::fmt::Result {
    let most = figures.trend.iter().map(|slot| slot.findings).max().unwrap_or(0).max(1);
    let width = 900 / figures.trend.len().max(1);
    write!(
        out,
        "<svg viewBox=\"0 0 900 130\" role=\"img\" aria-label=\"{} findings in {} parts of the period, {most} at most in one\">",
        figures.counts.findings,
        figures.trend.len()
    )?;
    for (n, slot) in figures.trend.iter().enumerate() {
        for (count, colour) in [(slot.findings, "#d08a1d"), (slot.high, "#a3160f")] {
            let height = count * 100 / most;
            let (x, wide, y) = (n * width, width.saturating_sub(2).max(1), 105 - height);
            if count > 0 {
                write!(
                    out,
                    "<rect x=\"{x}\" y=\"{y}\" width=\"{wide}\" height=\"{}\" fill=\"{colour}\"/>",
                    height.max(1)
                )?;
            }
        }
    }
    let ends = [figures.trend.first(), figures.trend.last()].map(|slot| slot.map_or("", |slot| slot.begin.as_str()));
    write!(
        out,
        "<path d=\"M0 106H900\" stroke=\"#4a545e\"/><text x=\"0\" y=\"124\" font-size=\"13\">{}</text>\
         <text x=\"900\" y=\"124\" font-size=\"13\" text-anchor=\"end\">{}</text></svg>\n<p>Dark: level HIGH.</p>\n",
        text(ends[0]),
        text(ends[1])
    )
}

/// Text that a browser shows and does nothing else with.
fn text(words: &str) -> String {
    let mut out = String::new();
    for c in shown(words).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::tests::some;

    #[test]
    fn names_are_text_and_nothing_comes_from_outside() {
        let page = html(&some());
        assert!(page.contains("it tried 1 ports &lt;of&gt; &quot;all&quot;"), "{page}");
        assert!(
            ["10.0.0.1", "10.0.0.4", "<dd>4</dd>", "<dd>3</dd>", "<dd>2</dd>"].iter().all(|part| page.contains(part))
        );
        assert!(
            !page.contains("<script") && !page.contains("http") && !page.contains("<of>") && !page.contains('\u{1b}')
        );
    }
}
