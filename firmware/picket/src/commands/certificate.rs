//! `picket certificate`: what the API serves, and another one for names of one's own.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use protocol::certificate::{CertificateAsk, CertificateView};

use super::{BAD_FILE, finish, show};
use crate::cli::{CertificateArgs, CertificateCommand, ClientArgs};
use crate::control::Request;
use crate::terminal::{Table, clean};

/// The longest file that is read. **Units**: octets; the API says what is too long of it.
const FILE_MAX: u64 = 64 << 10;

/// `picket certificate ...`.
pub fn certificate(args: &CertificateArgs) -> ExitCode {
    match &args.act {
        None => ask(&args.client, CertificateAsk::Show),
        Some(CertificateCommand::Remove(client)) => ask(client, CertificateAsk::Remove),
        Some(CertificateCommand::Install { client, chain, key }) => match (read(chain), read(key)) {
            (Ok(certificate), Ok(key)) => ask(client, CertificateAsk::Install { certificate, key }),
            (Err(error), _) | (_, Err(error)) => {
                eprintln!("picket: {error}");
                ExitCode::from(BAD_FILE)
            }
        },
    }
}

fn ask(client: &ClientArgs, ask: CertificateAsk) -> ExitCode {
    finish(show(client, &Request::Certificate(ask), |view: &CertificateView| {
        let mut table = Table::new(&["SHOWN TO", "CERTIFICATE (SHA-256)", "UNTIL (UTC)", "SIGNED BY"]);
        if let Some(one) = &view.installed {
            table.row([clean(&one.names.join(" ")), one.fingerprint.clone(), one.until.clone(), clean(&one.issuer)]);
        }
        let names = format!("{} and all others", view.names.join(" "));
        table.row([names, view.fingerprint.clone(), view.until.clone(), "this box".into()]);
        table.text()
    }))
}

fn read(path: &Path) -> Result<String, String> {
    let mut text = String::new();
    let file = File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let done =
        file.take(FILE_MAX + 1).read_to_string(&mut text).map_err(|_| format!("{} is no text", path.display()))?;
    if done as u64 > FILE_MAX { Err(format!("{} is longer than 64 KiB", path.display())) } else { Ok(text) }
}
