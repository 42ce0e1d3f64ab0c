//! Reports: known counts made by real scanners, read back from every form.

use std::fs;

use serde_json::Value;

use super::stand::{HOST, ROUTER, Stand, TEN, eventually, said};

/// Makes a report of everything until now.
fn make(stand: &Stand, form: &str) -> Vec<u8> {
    let out = stand.file(&format!("report.{form}"));
    let done = stand.picket(&[
        "report",
        "make",
        "--from",
        "2020-01-01T00:00:00Z",
        "--to",
        "2100-01-01T00:00:00Z",
        "--format",
        form,
        "--out",
        out.to_str().unwrap(),
    ]);
    assert!(done.status.success(), "{}", said(&done));
    fs::read(out).unwrap()
}

fn text(octets: Vec<u8>) -> String {
    String::from_utf8(octets).unwrap()
}

/// What pdftotext reads.
fn pdf_text(stand: &Stand) -> String {
    make(stand, "pdf");
    stand.host.shell(&format!("pdftotext -layout {} -", stand.file("report.pdf").display())).unwrap()
}

/// Every form, each as text.
fn forms(stand: &Stand) -> (Value, String, String, String) {
    let json = serde_json::from_slice(&make(stand, "json")).unwrap();
    (json, text(make(stand, "csv")), text(make(stand, "html")), pdf_text(stand))
}

/// The large numbers of the PDF, in the order of the page.
fn large(pdf: &str) -> Vec<u64> {
    let below = pdf.lines().skip_while(|line| !line.contains("Hosts blocked")).skip(1);
    let line = below.into_iter().find(|line| !line.trim().is_empty()).unwrap();
    line.split_whitespace().map(|word| word.parse().unwrap()).collect()
}

#[test]
fn all_forms_say_the_same_and_one_more_finding_changes_all() {
    let Some(mut stand) = Stand::build("report") else { return };
    stand.configure("");
    stand.start();
    let empty = forms(&stand);
    assert_eq!((empty.0["counts"]["findings"].as_u64(), empty.1.lines().count(), large(&empty.3)[0]), (Some(0), 1, 0));
    assert!(empty.2.contains("Nothing was found") && empty.3.contains("Nothing was found"));
    stand
        .host
        .shell(&format!("nmap -n -Pn -sS -T4 --max-rate 100 --max-retries 0 --host-timeout 6s -p 1000-1060 {ROUTER}"))
        .unwrap();
    eventually(TEN, "the block to be confirmed", || {
        stand
            .ask(&["events"])
            .as_array()
            .unwrap()
            .iter()
            .any(|event| event["family"].is_string() && event["state"] == "confirmed")
    });
    let agree = |blocked: u64| {
        let (json, csv, html, pdf) = forms(&stand);
        let counts = &json["counts"];
        let [findings, high, medium] = ["findings", "high", "medium"].map(|key| counts[key].as_u64().unwrap());
        assert_eq!((counts["blocked"].as_u64(), csv.lines().count() as u64), (Some(blocked), findings + 1), "{csv}");
        assert_eq!(large(&pdf)[..4], [findings, high, medium, blocked], "{pdf}");
        for (name, count) in [("Findings", findings), ("Level HIGH", high), ("Hosts blocked", blocked)] {
            assert!(html.contains(&format!("<dt>{name}</dt><dd>{count}</dd>")), "{name} {count}: {html}");
        }
        let everywhere = [&json.to_string(), &csv, &html, &pdf].iter().all(|form| form.contains(HOST));
        assert!(everywhere && high >= 1, "{pdf}");
        findings
    };
    let first = agree(1);
    // Somebody else is blocked by hand: no finding, one more host.
    stand.ask(&["block", "192.168.9.77", "--for", "10m", "--why", "<b>lost</b> tablet"]);
    assert_eq!(agree(2), first);
    let outside = stand.file("none");
    let refused = stand.picket(&[
        "report",
        "make",
        "--from",
        "2026-02-02T00:00:00Z",
        "--to",
        "2026-01-01T00:00:00Z",
        "--format",
        "pdf",
        "--out",
        outside.to_str().unwrap(),
    ]);
    assert!(said(&refused).contains("not after its beginning") && !refused.status.success() && !outside.exists());
}
