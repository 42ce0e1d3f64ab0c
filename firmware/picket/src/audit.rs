//! `picket audit` and `picket openapi`.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::ExitCode;

use serde_json::Value;

use crate::cli::AuditCommand;
use crate::config::Config;
use crate::control::Request;
use crate::control::client::ask;
use crate::terminal::{clean, print};

/// Records asked for at a time.
const PAGE: u32 = 500;

type Outcome = Result<String, Box<dyn std::error::Error>>;

/// `picket audit export` and `picket audit verify`.
pub fn audit(command: &AuditCommand) -> ExitCode {
    let done = match command {
        AuditCommand::Export { config, out } => export(config.as_deref(), out),
        AuditCommand::Verify { file, key } => verify(file, key.as_deref()),
    };
    match done {
        Ok(text) => {
            print(&text);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("picket: {error}");
            ExitCode::FAILURE
        }
    }
}

/// `picket openapi`.
pub fn openapi() -> ExitCode {
    let text = serde_json::to_string_pretty(&admin::openapi()).unwrap_or_default();
    print(&(text + "\n"));
    ExitCode::SUCCESS
}

/// Writes all records, then the trailer over the last of them.
fn export(config: Option<&Path>, out: &Path) -> Outcome {
    let config = Config::find(config)?;
    let socket = &config.control.socket;
    let named = |error: std::io::Error| format!("{}: {error}", out.display());
    let file = File::options().write(true).create_new(true).mode(0o600).open(out);
    let file = match file {
        // A file that is there is written over only where it is a plain one of an earlier export.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            File::options().write(true).truncate(true).open(out).map_err(named)?
        }
        other => other.map_err(named)?,
    };
    let mut to = BufWriter::new(file);
    let mut after = 0;
    loop {
        let lines: Vec<String> = ask(socket, &Request::Audit { after, limit: PAGE })?;
        let Some(last) = lines.last() else { break };
        after = number(last).ok_or("the audit holds a line that is no record")?;
        lines.iter().try_for_each(|line| writeln!(to, "{line}")).map_err(named)?;
    }
    let trailer: String = ask(socket, &Request::AuditTrailer { last: after })?;
    writeln!(to, "{trailer}").and_then(|()| to.flush()).map_err(named)?;
    to.get_ref().sync_all().map_err(named)?;
    let read: Value = serde_json::from_str(&trailer)?;
    let key = read["trailer"]["key"].as_str().unwrap_or_default();
    Ok(format!("{after} records in {}, signed with the key {key}\n", out.display()))
}

fn number(line: &str) -> Option<u64> {
    serde_json::from_str::<Value>(line).ok()?["number"].as_u64()
}

fn verify(file: &Path, key: Option<&str>) -> Outcome {
    let open = File::open(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let broken = |line: u64, why: &str| format!("{}: line {line}: {}", file.display(), clean(why));
    let whole = admin::verify(BufReader::new(open)).map_err(|at| broken(at.number, &at.why))?;
    if key.is_some_and(|key| key != whole.key) {
        return Err(broken(whole.records + 1, &format!("it is signed with another key, {}", whole.key)).into());
    }
    Ok(format!("whole: {} records, made {}, signed with the key {}\n", whole.records, whole.at, whole.key))
}
