//! The report as a page with two plots: `report.html`, whole in itself.

use std::fmt::Write as _;

use super::{Report, text};

const HEAD: &str = "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\n\
    <title>What Picket finds</title>\n<style>\n:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:1rem auto;padding:0 1rem}\n\
    table{border-collapse:collapse;display:block;overflow-x:auto}td,th{border:1px solid #8886;padding:.2rem .5rem;text-align:left}\n\
    svg{width:22rem;max-width:100%;height:auto}figure{display:inline-block;margin:1rem 2rem 1rem 0}\n</style>\n";
/// The side of a plot.
const SIDE: f64 = 200.0;

/// The whole page.
#[must_use]
pub fn page(report: &Report) -> String {
    let mut out = String::from(HEAD);
    body(&mut out, &text(report));
    out.push_str("<h2>Plots</h2>\n");
    plot(&mut out, "ROC of the forest by minutes, source left out: false alarms against finds", &report.roc);
    let reliability: Vec<[f64; 2]> =
        report.reliability.iter().map(|(from, lines, right)| [from + 0.05, *right as f64 / *lines as f64]).collect();
    plot(&mut out, "Reliability: confidence against the share that was right", &reliability);
    out.push_str("</html>\n");
    out
}

/// Headings, paragraphs, lists and tables: what the text uses of Markdown.
fn body(out: &mut String, text: &str) {
    let mut rows = 0;
    for line in text.lines() {
        let safe = line.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        if let Some(cells) = safe.strip_prefix("| ").and_then(|line| line.strip_suffix(" |")) {
            if rows == 0 {
                out.push_str("<table>\n");
            }
            rows += 1;
            let tag = if rows == 1 { "th" } else { "td" };
            if rows != 2 {
                let cells: String = cells.split(" | ").map(|cell| format!("<{tag}>{cell}</{tag}>")).collect();
                let _ = writeln!(out, "<tr>{cells}</tr>");
            }
            continue;
        }
        if rows > 0 {
            out.push_str("</table>\n");
            rows = 0;
        }
        let depth = safe.bytes().take_while(|octet| *octet == b'#').count();
        match depth {
            0 if safe.is_empty() => {}
            0 => {
                let _ = writeln!(out, "<p>{safe}</p>");
            }
            _ => {
                let _ = writeln!(out, "<h{depth}>{}</h{depth}>", safe[depth..].trim());
            }
        }
    }
    if rows > 0 {
        out.push_str("</table>\n");
    }
}

/// A curve in the unit square, with the diagonal.
fn plot(out: &mut String, title: &str, points: &[[f64; 2]]) {
    let place = |[x, y]: &[f64; 2]| format!("{:.1},{:.1}", 10.0 + x * SIDE, 10.0 + (1.0 - y) * SIDE);
    let line: Vec<String> = points.iter().map(place).collect();
    let _ = writeln!(
        out,
        "<figure><svg viewBox=\"0 0 220 220\" role=\"img\" aria-label=\"{title}\"><rect x=\"10\" y=\"10\" width=\"200\" height=\"200\" fill=\"none\" stroke=\"#888\"/>\
         <line x1=\"10\" y1=\"210\" x2=\"210\" y2=\"10\" stroke=\"#888\" stroke-dasharray=\"4\"/><polyline points=\"{}\" fill=\"none\" stroke=\"#36c\" stroke-width=\"2\"/>\
         </svg><figcaption>{title}</figcaption></figure>",
        line.join(" ")
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_becomes_a_table_and_words_stay_words() {
        let mut out = String::new();
        body(&mut out, "## A <b>\n\ntext\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n");
        assert_eq!(
            out,
            "<h2>A &lt;b&gt;</h2>\n<p>text</p>\n<table>\n<tr><th>a</th><th>b</th></tr>\n<tr><td>1</td><td>2</td></tr>\n</table>\n"
        );
    }
}
