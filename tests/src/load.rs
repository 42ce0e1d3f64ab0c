//! The API under load that comes through the LAN link, while numbered frames cross the box: none of them is lost, hosts that attack
//! are blocked, and an admin is answered.
//!
//! Three loads, each from a host of its own: wrk asks with a token as fast as it is answered, slowhttptest holds what connections it
//! gets, hydra guesses the owner's password. None of the three hosts is exempt from blocks: what goes to the box's own API is no
//! evidence.

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use toml::Table;

use crate::faults::wait_for;
use crate::gateway::Gateway;
use crate::kernel;
use crate::namespace::Namespace;
use crate::network::{BOX, Network};
use crate::pings;
use crate::process::{Process, output};
use crate::site::Site;
use crate::stream::{self, Counted, Stream};

/// The owner of the box, who sits at [`ADMIN`].
const OWNER: [&str; 2] = ["owner@example.org", "correct-horse-7-staple"];
/// Who asks as an admin.
const ADMIN: &str = "h5";
/// Who asks at full speed, who is slow, and who guesses.
const LOADS: [&str; 3] = ["h1", "h2", "h3"];
/// Who sends the frames of invented hosts that attack.
const ATTACKER: &str = "h7";
/// Guesses of the owner's password, and how many of them may be hashed.
const GUESSES: (u32, u64) = (1_000, 10);
/// Hosts that attack in the short form.
const FEW: u16 = 4;
/// How often it is repeated where the machine itself lost frames.
const TRIES: u32 = 3;
/// How long each request of the admin may take before it is none. **Units**: seconds.
const PATIENCE: &str = "20";

/// A gateway with a claimed API on the box's own address, and its owner's token.
pub struct Served<'a> {
    network: &'a Network,
    gateway: Gateway,
    token: String,
}

/// A gateway that was ended, to be started again upon what it kept.
pub struct Stopped<'a> {
    network: &'a Network,
    token: String,
}

/// What wrk counted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Asked {
    /// Requests that were answered.
    pub answered: u64,
    /// Of those, answers that were no success.
    pub refused: u64,
}

impl<'a> Served<'a> {
    /// Starts the gateway with its API, and claims it over the LAN.
    ///
    /// # Errors
    /// When it does not start, or is not to be claimed.
    pub fn start(network: &'a Network, folder: &Path) -> Result<Self> {
        let (stream, pings) = (network.host(stream::FROM)?, network.host(pings::FROM)?);
        let exempt = [&stream.mac, &stream.address, &pings.mac, &pings.address];
        let over: Table = format!(
            "[api]\nlisten = \"{BOX}:443\"\n[never_block]\naddresses = {exempt:?}\n\
             [respond]\nper_minute = 1000\nshare_percent = 100\nat_least = 500"
        )
        .parse()?;
        let gateway = Gateway::start(network, folder, &over)?;
        network.warm_up(&[])?;
        let mut made = Self { network, gateway, token: String::new() };
        wait_for("the API to answer", Duration::from_secs(20), || Ok(made.ask("/healthz", None).is_ok()))?;
        let status = made.gateway.ask(&["status"])?;
        let code = status["claim_code"].as_str().context("an unclaimed box tells a code")?;
        let [email, password] = OWNER;
        let claim = json!({"code": code, "email": email, "first_name": "Owner", "password": password});
        made.ask("/api/v1/auth/claim", Some(&claim))?;
        let answer = made.ask("/api/v1/auth/login", Some(&json!({"email": email, "password": password})))?;
        let told: Value = serde_json::from_str(&answer).context("a log-in is answered with JSON")?;
        made.token = told["access_token"].as_str().context("a log-in gives a token")?.to_owned();
        Ok(made)
    }

    /// Where the owner sits.
    ///
    /// # Errors
    /// When the network has no such host.
    pub fn admin(&self) -> Result<&Namespace> {
        self.network.space(ADMIN)
    }

    /// What the owner's requests carry as `Authorization`.
    #[must_use]
    pub fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }

    /// The gateway's process and that of its API.
    ///
    /// # Errors
    /// When there is no API process.
    pub fn processes(&self) -> Result<[u32; 2]> {
        let id = self.gateway.id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children"))?;
        let mut children = children.split_whitespace().filter_map(|id| id.parse().ok());
        let is_api = |id: &u32| fs::read(format!("/proc/{id}/cmdline")).is_ok_and(|line| line.ends_with(b"\0api\0"));
        Ok([id, children.find(is_api).context("the gateway has no API process")?])
    }

    /// Ends the gateway; what it keeps and its owner's session stay.
    ///
    /// # Errors
    /// When it does not end.
    pub fn stop(self) -> Result<Stopped<'a>> {
        self.gateway.stop()?;
        Ok(Stopped { network: self.network, token: self.token })
    }

    /// What a route answers.
    ///
    /// # Errors
    /// When it refuses, or answers no JSON.
    pub fn json(&self, path: &str) -> Result<Value> {
        serde_json::from_str(&self.ask(path, None)?).with_context(|| format!("{path}: no JSON"))
    }

    /// How long so many answers took from the end of the question to the last octet, over one connection. **Units**: milliseconds.
    ///
    /// # Errors
    /// When one is refused.
    pub fn times(&self, path: &str, times: u32) -> Result<Vec<f64>> {
        let mut curl = self.admin()?.command("curl");
        curl.args(["-skS", "--fail", "--max-time", PATIENCE, "-H", &format!("Authorization: {}", self.bearer())]);
        curl.args(["-w", "%{time_total} %{time_pretransfer}\n"]);
        // The first one opens the connection and is left out.
        for _ in 0..=times {
            curl.args(["-o", "/dev/null", &format!("https://{BOX}{path}")]);
        }
        let text = output(&mut curl)?;
        let one = |line: &str| -> Option<f64> {
            let (total, begun) = line.split_once(' ')?;
            Some((total.parse::<f64>().ok()? - begun.parse::<f64>().ok()?) * 1e3)
        };
        text.lines().skip(1).map(|line| one(line).context("curl tells no time")).collect()
    }

    /// Starts wrk for so many seconds.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn at_full_speed(&self, seconds: u32, log: &Path) -> Result<Process> {
        let _ = fs::remove_file(log);
        let line = format!(
            "exec wrk -t 2 -c 16 -d {seconds} --timeout 10s -H 'Authorization: {}' 'https://{BOX}/api/v1/devices?limit=100'",
            self.bearer()
        );
        self.network.space(LOADS[0])?.start(&line, log)
    }

    /// Changes what a route holds.
    ///
    /// # Errors
    /// When it refuses.
    pub fn change(&self, path: &str, body: &Value) -> Result<()> {
        output(self.request(path, Some(body))?.args(["-X", "PATCH"])).map(drop)
    }

    /// One request of the owner; an answer that is no success is an error.
    fn ask(&self, path: &str, body: Option<&Value>) -> Result<String> {
        output(&mut self.request(path, body)?)
    }

    fn request(&self, path: &str, body: Option<&Value>) -> Result<Command> {
        let mut curl = self.admin()?.command("curl");
        curl.args(["-skS", "--fail-with-body", "--max-time", PATIENCE, "-H", "Content-Type: application/json"]);
        if !self.token.is_empty() {
            curl.args(["-H", &format!("Authorization: {}", self.bearer())]);
        }
        if let Some(body) = body {
            curl.args(["--data-binary", &body.to_string()]);
        }
        curl.arg(format!("https://{BOX}{path}"));
        Ok(curl)
    }

    /// Passwords that were hashed so far.
    fn hashed(&self) -> Result<u64> {
        let metrics = self.ask("/metrics", None)?;
        let line = metrics.lines().find_map(|line| line.strip_prefix("picket_password_hashes_total "));
        line.and_then(|number| number.parse().ok()).context("the metrics tell no hashes")
    }

    /// Starts what is slow and what guesses.
    fn besieged(&self, seconds: u32, folder: &Path) -> Result<Vec<Process>> {
        let login = format!("https://{BOX}/api/v1/auth/login");
        let list = folder.join("guesses");
        fs::write(&list, (0..GUESSES.0).map(|n| format!("wrong-guess-{n}\n")).collect::<String>())?;
        let form =
            r#"/api/v1/auth/login:{"email"\:"^USER^","password"\:"^PASS^"}:H=Content-Type\: application/json:F=status"#;
        let slow = format!("exec slowhttptest -c 1000 -H -i 3 -r 200 -l {seconds} -p 2 -t POST -u {login}");
        let guess =
            format!("exec hydra -I -t 8 -l {} -s 443 -P {} {BOX} https-post-form '{form}'", OWNER[0], list.display());
        Ok(vec![
            self.network.space(LOADS[1])?.start(&slow, &folder.join("slow.log"))?,
            self.network.space(LOADS[2])?.start(&guess, &folder.join("hydra.log"))?,
        ])
    }
}

impl<'a> Stopped<'a> {
    /// Starts it again and waits until its API answers. Tells how long that took, too. **Units**: seconds.
    ///
    /// # Errors
    /// When it does not.
    pub fn again(self, folder: &Path) -> Result<(Served<'a>, f64)> {
        let begin = Instant::now();
        let gateway = Gateway::again(self.network, folder)?;
        let made = Served { network: self.network, gateway, token: self.token };
        wait_for("the API to answer", Duration::from_secs(60), || Ok(made.ask("/healthz", None).is_ok()))?;
        Ok((made, begin.elapsed().as_secs_f64()))
    }
}

/// Builds a lab and lays all three loads on the API in it.
///
/// # Errors
/// When a promise is broken.
pub fn run(seconds: u32) -> Result<ExitCode> {
    crate::stop::listen()?;
    let site = Site::build(false)?;
    no_frame_is_lost(site.network(), site.folder(), seconds)?;
    Ok(ExitCode::SUCCESS)
}

/// Lays all three loads on the API for so many seconds.
///
/// # Errors
/// When a frame is lost, a host that attacks is not blocked, one that only asks the API is, an admin is not answered, or more guesses
/// are hashed than may be.
pub fn no_frame_is_lost(network: &Network, folder: &Path, seconds: u32) -> Result<Counted> {
    for attempt in 1..=TRIES {
        let served = Served::start(network, folder)?;
        let stream = Stream::start(network, folder)?;
        let log = folder.join("wrk.log");
        let hashed = served.hashed()?;
        let (begin, mut asked) = (Instant::now(), 0);
        let mut wrk = served.at_full_speed(seconds, &log)?;
        let besieged = served.besieged(seconds, folder)?;
        let attackers = attack(network, folder, 1, FEW, 100)?;
        while begin.elapsed() < Duration::from_secs(seconds.into()) {
            served.ask("/api/v1/devices", None).context("an admin's request under load")?;
            asked += 1;
        }
        blocked(network, &attackers)?;
        wrk.wait(Duration::from_secs(30)).context("wrk does not end")?;
        drop(besieged);
        let counted = stream.end()?;
        let hashed = served.hashed()?.saturating_sub(hashed);
        ensure!(hashed <= GUESSES.1, "{hashed} guesses were hashed");
        let Asked { answered, refused } = read(&log)?;
        ensure!(answered > 0 && refused == 0, "wrk: {answered} answers, {refused} of them no success");
        let held = kernel::blocked(network.space("box")?)?;
        for name in LOADS {
            ensure!(
                !held.iter().any(|element| network.host(name).is_ok_and(|host| element.blocks(host))),
                "{name} is blocked"
            );
        }
        drop(served);
        if counted.spoilt != 0 {
            eprintln!("load: round {attempt} is void, the machine dropped {} frames by itself", counted.spoilt);
            continue;
        }
        let lost = counted.sent.saturating_sub(counted.received);
        ensure!(lost == 0, "{lost} of {} frames were lost while the API was under load", counted.sent);
        eprintln!(
            "load: {} frames crossed at {:.0} a second and none was lost; wrk had {answered} answers, the admin {asked}; {hashed} guesses were hashed",
            counted.sent,
            counted.rate()
        );
        return Ok(counted);
    }
    bail!("{TRIES} rounds were void")
}

/// Has invented hosts send more pings than they may, one host after the other; each one's hardware address and when it crossed the
/// threshold, in seconds since the epoch.
///
/// # Errors
/// When the frames can't be sent.
pub fn attack(network: &Network, folder: &Path, first: u16, hosts: u16, rest: u32) -> Result<Vec<String>> {
    let router = &network.host("router")?.mac;
    let lab = folder.join("lab").display().to_string();
    let sent =
        network.space(ATTACKER)?.shell(&format!("{lab} invent eth0 {router} echo {first} {hosts} 101 500 {rest}"))?;
    let lines: Vec<String> = sent.lines().map(str::to_owned).collect();
    ensure!(lines.len() == usize::from(hosts), "{} of {hosts} hosts attacked", lines.len());
    Ok(lines)
}

/// Waits until the kernel holds a block of each.
fn blocked(network: &Network, attackers: &[String]) -> Result<()> {
    wait_for("the hosts that attack to be blocked", Duration::from_secs(20), || {
        let held = kernel::blocked(network.space("box")?)?;
        let is_held = |line: &String| {
            let mac = line.split(' ').next().unwrap_or_default();
            held.iter().any(|element| element.names.iter().any(|name| name.eq_ignore_ascii_case(mac)))
        };
        Ok(attackers.iter().all(is_held))
    })
}

/// What wrk wrote at its end.
///
/// # Errors
/// When it wrote something else.
pub fn read(log: &Path) -> Result<Asked> {
    let text = fs::read_to_string(log)?;
    told(&text).with_context(|| format!("wrk tells no requests: {text}"))
}

fn told(text: &str) -> Option<Asked> {
    let number = |line: &str| line.split_whitespace().next().and_then(|word| word.parse().ok());
    let answered = text.lines().find(|line| line.contains(" requests in "))?;
    let refused = text.lines().find_map(|line| line.trim().strip_prefix("Non-2xx or 3xx responses:"));
    Some(Asked { answered: number(answered)?, refused: refused.map_or(Some(0), number)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_wrk_counts_is_read_with_and_without_refusals() {
        let text = "Running 4s test @ https://192.168.77.2\n  2 threads and 16 connections\n  2402 requests in 4.02s, 1.07MB read\n";
        assert_eq!(told(text), Some(Asked { answered: 2_402, refused: 0 }));
        let some = format!("{text}  Non-2xx or 3xx responses: 7\nRequests/sec:    597.41\n");
        assert_eq!(told(&some), Some(Asked { answered: 2_402, refused: 7 }));
        assert_eq!(told("unable to connect to 192.168.77.2:443 Connection refused\n"), None);
    }
}
