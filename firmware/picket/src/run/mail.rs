//! Has one mail sent, or one message posted, by a process of its own that holds no right but to connect.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use protocol::{MailOrder, MailSent, PostOrder, PostSent};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::control::Response;

/// How long it may take in all; then the process is ended.
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest answer, in octets.
const ANSWER_MAX: u64 = 64 << 10;

/// Sends a mail, and says how that went.
pub fn send(order: &MailOrder) -> Response {
    match run::<MailSent>("mail", order) {
        Ok(Some(sent)) => Response::of(&sent),
        Ok(None) => Response::of(&MailSent { why: late("server"), ..MailSent::default() }),
        Err(error) => Response::Error(format!("the mail cannot be sent: {error}")),
    }
}

/// Posts a message to its receiver, and says how that went.
pub fn post(order: &PostOrder) -> Response {
    match run::<PostSent>("poster", order) {
        Ok(Some(sent)) => Response::of(&sent),
        Ok(None) => Response::of(&PostSent { why: late("receiver"), ..PostSent::default() }),
        Err(error) => Response::Error(format!("the message cannot be posted: {error}")),
    }
}

fn late(who: &str) -> String {
    format!("the {who} took longer than {} s", PATIENCE.as_secs())
}

/// Has a process of this binary do what it is told; nothing where that takes too long.
fn run<T: DeserializeOwned>(word: &str, order: &impl Serialize) -> std::io::Result<Option<T>> {
    let mut child = Command::new("/proc/self/exe")
        .arg(word)
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let order = serde_json::to_vec(order)?;
    let written = child.stdin.take().map_or(Ok(()), |mut to| to.write_all(&order));
    let until = Instant::now() + PATIENCE;
    let ended = loop {
        if child.try_wait()?.is_some() {
            break true;
        }
        if Instant::now() > until {
            break false;
        }
        thread::sleep(Duration::from_millis(20));
    };
    let _ = child.kill();
    let _ = child.wait();
    written?;
    if !ended {
        return Ok(None);
    }
    let mut text = Vec::new();
    child.stdout.take().map_or(Ok(0), |from| from.take(ANSWER_MAX).read_to_end(&mut text))?;
    serde_json::from_slice(&text).map(Some).map_err(Into::into)
}
