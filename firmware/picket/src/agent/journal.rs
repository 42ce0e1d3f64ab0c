//! The systemd journal, by journalctl, where a host writes no auth.log.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::SyncSender;
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};

use super::Line;
use super::state::{JOURNAL, Place};

/// Where it may be.
const JOURNALCTL: [&str; 2] = ["/usr/bin/journalctl", "/bin/journalctl"];
/// How long to wait before it is started again.
const PAUSE: Duration = Duration::from_secs(5);
/// Facilities whose lines are told: auth and authpriv.
const FACILITIES: [&str; 2] = ["4", "10"];

/// Whether this host has one.
pub fn is_there() -> bool {
    JOURNALCTL.iter().any(|path| Path::new(path).exists())
}

/// Tells every line of the facilities for log-ins, from where it was read before, else from now on. Ends when nobody listens.
pub fn follow(mut cursor: Option<String>, told: &SyncSender<Line>) {
    let program = JOURNALCTL.iter().find(|path| Path::new(path).exists()).copied().unwrap_or(JOURNALCTL[0]);
    loop {
        let mut command = Command::new(program);
        command.args(["--follow", "--output=json", "--no-pager"]);
        match &cursor {
            Some(cursor) => command.arg(format!("--after-cursor={cursor}")),
            None => command.arg("--lines=0"),
        };
        command.args(FACILITIES.map(|facility| format!("SYSLOG_FACILITY={facility}")));
        match command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn() {
            Ok(mut child) => {
                let lines = child.stdout.take().map(|out| BufReader::new(out).lines()).into_iter().flatten();
                for line in lines.map_while(Result::ok).filter_map(|line| read(&line)) {
                    cursor = line.place.as_ref().map(|(_, place)| place.cursor.clone()).or(cursor);
                    if told.send(line).is_err() {
                        let _ = child.kill();
                        return;
                    }
                }
                let _ = child.kill();
                let _ = child.wait();
            }
            Err(error) => tracing::warn!("{program} does not start: {error}"),
        }
        sleep(PAUSE);
    }
}

/// One entry of the journal's JSON.
fn read(line: &str) -> Option<Line> {
    let entry: Value = serde_json::from_str(line).ok()?;
    let message = entry["MESSAGE"].as_str()?;
    let program = entry["SYSLOG_IDENTIFIER"].as_str().or_else(|| entry["_COMM"].as_str()).unwrap_or_default();
    let micros: Option<f64> = entry["__REALTIME_TIMESTAMP"].as_str().and_then(|text| text.parse().ok());
    let value = json!({"program": program, "message": message, "at": micros.map(|micros| micros / 1e6)});
    let cursor = entry["__CURSOR"].as_str().unwrap_or_default().to_owned();
    let place = (!cursor.is_empty()).then(|| (JOURNAL.to_owned(), Place { cursor, ..Place::default() }));
    Some(Line { value, place })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `journalctl --output=json` of systemd 252 wrote it; the machine's and the boot's numbers are left out.
    const ENTRY: &str = r#"{"__CURSOR":"s=1;i=2","__REALTIME_TIMESTAMP":"1795363200500000","SYSLOG_FACILITY":"10","SYSLOG_IDENTIFIER":"sudo","_COMM":"sudo","_UID":"1000","MESSAGE":"     ann : TTY=pts/0 ; PWD=/home/ann ; USER=root ; COMMAND=/usr/bin/id","PRIORITY":"5"}"#;

    #[test]
    fn an_entry_becomes_a_line_with_its_cursor() {
        let line = read(ENTRY).expect("a line");
        assert_eq!(line.value["program"], "sudo");
        assert_eq!(line.value["at"], 1_795_363_200.5);
        assert_eq!(line.place.expect("a place").1.cursor, "s=1;i=2");
        assert!(read("{\"MESSAGE\":[1,2]}").is_none() && read("nonsense").is_none());
    }
}
