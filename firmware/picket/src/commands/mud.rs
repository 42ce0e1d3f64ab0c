//! `picket mud`: manufacturers' descriptions of devices.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::process::ExitCode;

use policy::mud::{self, Description};
use policy::text;

use super::{BAD_FILE, Outcome, finish};
use crate::cli::{ClientArgs, MudCommand};
use crate::config::Config;
use crate::control::Request;
use crate::control::client::ask;
use crate::control::views::PolicyView;
use crate::run::now;
use crate::terminal::{clean, print};

/// `picket mud ...`.
pub fn mud(command: &MudCommand) -> ExitCode {
    let (json, file) = match command {
        MudCommand::Read { json, file } => (json, file),
        MudCommand::Write { client, device, file } => return finish(write(client, device, file)),
    };
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

/// A device's rules as a file.
fn write(client: &ClientArgs, device: &str, file: &Path) -> Outcome {
    let socket = Config::find(client.config.as_deref())?.control.socket;
    let view: PolicyView = ask(&socket, &Request::Policy)?;
    let policy = text::read(&view.text).map_err(|_| "the policy in force can't be read by this version")?;
    let known = policy.device(device).ok_or_else(|| format!("the policy knows no device {device}"))?;
    let (rules, untold) = mud::rules_of(&policy, device);
    untold.iter().for_each(|what| eprintln!("left out: {}", clean(what)));
    let label = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let description = Description {
        url: format!("https://picket.local/{}.json", known.name.chars().map(label).collect::<String>()),
        last_update: text::written(now()),
        cache_validity: 48,
        is_supported: true,
        system: Some(known.name.clone()),
        manufacturer: None,
        model: None,
        rules,
        notes: Vec::new(),
    };
    let written = mud::write(&description).map_err(|error| error.to_string())?;
    if file == Path::new("-") {
        print(&written);
    } else {
        std::fs::write(file, written).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    Ok(())
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
