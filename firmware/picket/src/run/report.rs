//! Has one report made, by a process of its own that holds no right at all: a year of events takes time and memory that the gateway does not have.

use std::io::{self, BufWriter, Read, Write};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use protocol::report::{REPORT_EVENTS, REPORT_MAX, ReportAsk};
use report::Period;

use crate::commands::events_of;
use crate::control::{Gateway, Response};

/// How long it may take in all; then the process is ended.
const PATIENCE: Duration = Duration::from_secs(60);

/// Makes it, and answers with its octets in Base64.
pub fn make(ask: &ReportAsk, gateway: &dyn Gateway) -> Response {
    let period = match Period::new(&ask.from, &ask.to) {
        Ok(period) => period,
        Err(error) => return Response::Error(error.to_string()),
    };
    match run(ask, &period, gateway) {
        Ok(octets) => Response::of(&STANDARD.encode(octets)),
        Err(error) => Response::Error(format!("the report cannot be made: {error}")),
    }
}

fn run(ask: &ReportAsk, period: &Period, gateway: &dyn Gateway) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let mut child = Command::new("/proc/self/exe")
        .arg("reporter")
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let told = tell(&mut child, ask, period, gateway);
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let out = thread::spawn(move || read(out, REPORT_MAX + 1));
    let err = thread::spawn(move || read(err, 4 << 10));
    let until = Instant::now() + PATIENCE;
    while matches!(child.try_wait(), Ok(None)) && Instant::now() < until && told.is_ok() {
        thread::sleep(Duration::from_millis(20));
    }
    let _ = child.kill();
    let ended = child.wait()?;
    let octets = out.join().unwrap_or_default();
    let why = String::from_utf8_lossy(&err.join().unwrap_or_default()).trim().to_owned();
    told.map_err(|error| if why.is_empty() { error } else { why.clone().into() })?;
    if !ended.success() {
        return Err(if why.is_empty() { format!("it took longer than {} s", PATIENCE.as_secs()) } else { why }.into());
    }
    if octets.len() > REPORT_MAX {
        return Err("it is too long; ask for a shorter period".into());
    }
    Ok(octets)
}

/// Tells the process what is asked, and then the events, a line each.
fn tell(
    child: &mut Child,
    ask: &ReportAsk,
    period: &Period,
    gateway: &dyn Gateway,
) -> Result<(), Box<dyn std::error::Error>> {
    let mut to = BufWriter::new(child.stdin.take().ok_or_else(|| io::Error::other("no pipe"))?);
    writeln!(to, "{}", serde_json::to_string(ask)?)?;
    let mut count = 0;
    let ask = |request| match gateway.handle(request) {
        Response::Ok(value) => serde_json::from_value(value).map_err(Into::into),
        Response::Error(why) => Err(why.into()),
    };
    events_of(period, ask, |event| {
        count += 1;
        if count > REPORT_EVENTS {
            return Err(format!("the period has more than {REPORT_EVENTS} events; ask for a shorter one").into());
        }
        writeln!(to, "{}", serde_json::to_string(&event)?).map_err(Into::into)
    })?;
    to.flush().map_err(Into::into)
}

fn read(from: Option<impl Read>, most: usize) -> Vec<u8> {
    let mut octets = Vec::new();
    // What was read before an error is all there is.
    let _ = from.map(|from| from.take(most as u64).read_to_end(&mut octets));
    octets
}
