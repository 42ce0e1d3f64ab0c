//! What Lighthouse thinks of the page: as a phone of the middle class would have it, from a real gateway over TLS.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::Plan;
use super::peer::folder;
use super::row::{Goal, Row};
use crate::load::Served;
use crate::network::BOX;
use crate::process::output;
use crate::site::Site;

/// The pages that are looked at.
const PAGES: [&str; 3] = ["overview", "devices", "threats"];
/// What they are judged by.
const KINDS: [&str; 2] = ["performance", "accessibility"];
/// What is asked for only when the frame of all pages stands.
const SHOWN: &str = "/api/v1/alerts";
/// Of 100 points, how many each must have.
const LEAST: f64 = 95.0;

/// Has Lighthouse look at each page several times.
///
/// # Errors
/// When it is missing, the gateway does not start, or a page can't be looked at.
pub fn run(plan: &Plan) -> Result<Vec<Row>> {
    let program = program()?;
    let site = Site::build(false)?;
    let served = Served::start(site.network(), site.folder())?;
    // The first set-up is over: it would stand before every page.
    served.change("/api/v1/settings/setup.step", &json!({"value": 0}))?;
    let mut rows = Vec::new();
    for page in PAGES {
        let mut points = KINDS.map(|_| Vec::new());
        for round in 1..=plan.rounds {
            let told = look(&program, &served, page, &folder().join(format!("lighthouse/{page}.json")))?;
            for (kind, points) in KINDS.iter().zip(&mut points) {
                let score = told["categories"][kind]["score"].as_f64();
                points.push(100.0 * score.with_context(|| format!("Lighthouse gave {page} no points for {kind}"))?);
            }
            plan.told(&format!("Lighthouse, {page}"), round, &points[0]);
        }
        rows.extend(KINDS.iter().zip(points).map(|(kind, points)| {
            Row::new(
                &format!("Lighthouse's {kind} of the page {page}"),
                "of 100 points",
                points,
                None,
                Goal::AtLeast(LEAST),
            )
        }));
    }
    Ok(rows)
}

fn program() -> Result<PathBuf> {
    let program = folder().join("lighthouse/node_modules/.bin/lighthouse");
    ensure!(program.exists(), "{} is missing: tests/setup bench installs it", program.display());
    Ok(program)
}

/// One look at a page, with the owner's token in each request.
fn look(program: &Path, served: &Served<'_>, page: &str, file: &Path) -> Result<Value> {
    let mut command = served.admin()?.command(program.to_str().context("a path is text")?);
    command
        .env("CHROME_PATH", "/usr/bin/chromium")
        .arg(format!("https://{BOX}/#/{page}"))
        .args(["--quiet", "--output=json"]);
    command.arg(format!("--output-path={}", file.display())).arg(format!("--only-categories={}", KINDS.join(",")));
    command.arg(format!("--extra-headers={}", json!({"Authorization": served.bearer()})));
    command.arg(
        "--chrome-flags=--headless=new --no-sandbox --disable-dev-shm-usage --disable-gpu --ignore-certificate-errors",
    );
    output(&mut command)?;
    let text = fs::read_to_string(file).with_context(|| format!("Lighthouse wrote no {}", file.display()))?;
    let told: Value = serde_json::from_str(&text).context("Lighthouse's report is no JSON")?;
    // A log-in page is light and accessible too.
    let requests = told["audits"]["network-requests"]["details"]["items"].as_array().context("no list of requests")?;
    let refused = requests.iter().find(|request| request["statusCode"].as_u64().is_some_and(|status| status >= 400));
    ensure!(refused.is_none(), "{page}: refused: {}", refused.unwrap_or_default());
    let asked = |request: &Value| request["url"].as_str().is_some_and(|url| url.contains(SHOWN));
    ensure!(requests.iter().any(asked), "{page}: is not shown: {requests:?}");
    Ok(told)
}
