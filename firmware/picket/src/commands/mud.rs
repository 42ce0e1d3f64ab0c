//! `picket mud`: manufacturers' descriptions of devices.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::process::ExitCode;

use policy::mud::{self, Description};

use super::BAD_FILE;
use crate::cli::MudCommand;
use crate::terminal::{clean, print};

/// `picket mud ...`.
pub fn mud(command: &MudCommand) -> ExitCode {
    let MudCommand::Read { json, file } = command;
    let described = octets(file).map_err(|error| error.to_string());
    let described = described.and_then(|octets| mud::read(&octets).map_err(|error| error.to_string()));
    let printed = described.and_then(|description| {
        if *json {
            serde_json::to_string(&description).map_err(|error| error.to_string())
        } else {
            Ok(text(&description))
        }
    });
    match printed {
        Ok(text) => {
            print(&(text + "\n"));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("picket: {}: {}", file.display(), clean(&error));
            ExitCode::from(BAD_FILE)
        }
    }
}

/// The file, and one octet more than it may have, so that a device or a pipe without end is no trap.
fn octets(path: &Path) -> io::Result<Vec<u8>> {
    let mut octets = Vec::new();
    File::open(path)?.take(mud::LONGEST as u64 + 1).read_to_end(&mut octets)?;
    Ok(octets)
}

/// A description for people.
fn text(description: &Description) -> String {
    let mut lines = vec![format!("{}, of {}", description.url, description.last_update)];
    let made = [&description.manufacturer, &description.model, &description.system];
    lines.extend(made.into_iter().flatten().cloned());
    if !description.is_supported {
        lines.push("its manufacturer does not look after it any more".into());
    }
    lines.push(match description.rules.len() {
        0 => "no rules: it may start nothing, and nobody may start anything with it".into(),
        n => format!("{n} rules:"),
    });
    lines.extend(description.rules.iter().map(|rule| format!("  {rule}")));
    lines.extend(description.notes.iter().map(|note| format!("note: {note}")));
    lines.iter().map(|line| clean(line)).collect::<Vec<_>>().join("\n")
}
