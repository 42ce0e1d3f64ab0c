//! The box as its owner finds it: at an address that the network gave it, with the right time, a page that is claimed with the code of
//! the console, and a switch.

use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::guest::{PATIENCE, Stand};
use crate::network::ROUTER;
use crate::process::{Process, output};

/// Who looks at the page, at the side of the switch.
const OWNER: &str = "h5";
const EMAIL: &str = "owner@example.org";
const PASSWORD: &str = "a-good-horse-7-staple";
/// How far the lab's server of time is ahead of the machine's own clock, in seconds: two days.
const AHEAD: u64 = 172_800;
/// How often something is asked again that has not come yet.
const AGAIN: Duration = Duration::from_millis(500);

/// The page of the box, as a program on the LAN side reaches it.
struct Page<'a, 'b> {
    stand: &'a Stand<'b>,
    /// The box's address.
    at: String,
}

/// The box gets an address from the lab's DHCP server, and its page answers there over TLS.
///
/// # Errors
/// When it does not.
pub fn is_found(stand: &mut Stand<'_>) -> Result<()> {
    let address = address(stand)?;
    let page = Page { stand, at: address.clone() };
    let root = page.await_answer("GET", "/", None, None, 200)?;
    ensure!(root.to_lowercase().contains("<!doctype html"), "no page: {root}");
    println!("   the page is at https://{address}/");
    Ok(())
}

/// The address that the box got.
fn address(stand: &mut Stand<'_>) -> Result<String> {
    // It may have been said before what was waited for last.
    let words = "this box is at ";
    let until = Instant::now() + PATIENCE;
    loop {
        let console = stand.console();
        let said =
            console.lines().filter(|line| line.contains("by the DHCP server")).find_map(|line| line.split_once(words));
        if let Some((_, rest)) = said {
            return Ok(rest.split('/').next().unwrap_or_default().to_owned());
        }
        again(until, &format!("the box has no address: {console}"))?;
    }
}

/// All that an owner does with a new box, from the address to the switch; and what was said then is there at the next start.
///
/// # Errors
/// What did not go as it should.
pub fn has_its_way(stand: &mut Stand<'_>) -> Result<()> {
    let lab = std::env::current_exe()?;
    let line = format!("exec {} clock {ROUTER}:123 {AHEAD}", lab.display());
    let _clock: Process = stand.network.space("router")?.start(&line, &stand.file("clock"))?;
    stand.start()?;
    stand.await_words("all is well: slot a")?;
    is_found(stand)?;
    let set = said(stand, "the clock was ")?;
    let behind: u64 =
        set.split("was ").nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok()).context(set.clone())?;
    ensure!(behind + 600 > AHEAD, "{set}");
    println!("   {}", set.trim());
    stand.type_in("1")?;
    let code = stand.await_words("claim code")?;
    let code = code.split_whitespace().last().context("no code")?.to_owned();
    let page = Page { at: address(stand)?, stand };
    let body = json!({"code": code, "email": EMAIL, "first_name": "Anna", "password": PASSWORD});
    page.await_answer("POST", "/api/v1/auth/claim", None, Some(&body), 201)?;
    let token = page.log_in()?;
    let why = json!({"why": "a test"});
    let before = page.uptime(&token)?;
    page.await_answer("POST", "/api/v1/system/restart", Some(&token), Some(&why), 200)?;
    let token = page.await_restart(before)?;
    page.await_answer("POST", "/api/v1/system/shutdown", Some(&token), Some(&why), 200)?;
    stand.await_words("the box is switched off: an admin wants it")?;
    stand.await_end()?;
    stand.medium.check_data().context("the data partition was left in order")?;
    println!("   switched off by its page; the data partition is clean");
    stand.start()?;
    stand.await_words("picket0 forwards between")?;
    stand.await_words("picket runs as process")?;
    let page = Page { at: address(stand)?, stand };
    let token = page.log_in().context("the account is there again")?;
    let audit = page.await_answer("GET", "/api/v1/audit?limit=100", Some(&token), None, 200)?;
    for act in ["system.shutdown", "system.restart"] {
        ensure!(audit.contains(act), "the audit does not tell {act}: {audit}");
    }
    println!("   the account and the audit are there at the next start");
    Ok(())
}

/// A line of the console, said by now or soon.
fn said(stand: &Stand<'_>, words: &str) -> Result<String> {
    let until = Instant::now() + PATIENCE;
    loop {
        let console = stand.console();
        if let Some(line) = console.lines().find(|line| line.contains(words)) {
            return Ok(line.to_owned());
        }
        again(until, &format!("it did not say {words:?}: {console}"))?;
    }
}

/// Waits a little; fails where the time is over or somebody wants the lab to end.
fn again(until: Instant, what: &str) -> Result<()> {
    ensure!(Instant::now() < until && !crate::stop::asked(), "{what}");
    sleep(AGAIN);
    Ok(())
}

impl Page<'_, '_> {
    /// For how many seconds the gateway has run.
    fn uptime(&self, token: &str) -> Result<f64> {
        let told = self.await_answer("GET", "/api/v1/system", Some(token), None, 200)?;
        let told: Value = serde_json::from_str(&told)?;
        told["uptime"].as_f64().context("no uptime")
    }

    /// Waits until the gateway has started anew, in the same process, since it had run for so many seconds; a new log-in.
    fn await_restart(&self, before: f64) -> Result<String> {
        let until = Instant::now() + PATIENCE;
        loop {
            let token = self.log_in()?;
            if self.uptime(&token)? < before {
                return Ok(token);
            }
            again(until, "the gateway does not start anew")?;
        }
    }

    fn log_in(&self) -> Result<String> {
        let body = json!({"email": EMAIL, "password": PASSWORD});
        let answer = self.await_answer("POST", "/api/v1/auth/login", None, Some(&body), 200)?;
        let answer: Value = serde_json::from_str(&answer)?;
        Ok(answer["access_token"].as_str().context("no token")?.to_owned())
    }

    /// Asks until the answer has this status: the API starts with the gateway, and again after each restart.
    fn await_answer(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Option<&Value>,
        wanted: u16,
    ) -> Result<String> {
        let until = Instant::now() + PATIENCE;
        loop {
            let (status, text) = self.ask(method, path, token, body)?;
            if status == wanted {
                return Ok(text);
            }
            // What was answered is an answer, except that the gateway may not be there yet.
            let early = matches!(status, 0 | 502..=504);
            ensure!(early, "{method} {path}: {status} {text}");
            again(until, &format!("{method} {path}: {status} {text}"))?;
        }
    }

    /// The status, 0 where nobody answers, and the body.
    fn ask(&self, method: &str, path: &str, token: Option<&str>, body: Option<&Value>) -> Result<(u16, String)> {
        let mut command: Command = self.stand.network.space(OWNER)?.command("curl");
        // The certificate is of the box's own authority, which nobody outside knows yet.
        command.args(["-sk", "--max-time", "30", "-w", "\n%{http_code}", "-X", method]);
        if let Some(token) = token {
            command.args(["-H", &format!("Authorization: Bearer {token}")]);
        }
        if let Some(body) = body {
            command.args(["-H", "Content-Type: application/json", "--data-binary", &body.to_string()]);
        }
        let said = output(command.arg(format!("https://{}{path}", self.at))).unwrap_or_default();
        let (text, status) = said.rsplit_once('\n').unwrap_or(("", &said));
        Ok((status.trim().parse().unwrap_or(0), text.to_owned()))
    }
}
