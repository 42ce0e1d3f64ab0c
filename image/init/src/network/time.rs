//! The right time: several servers asked, the clock set forward or led, never back.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs, UdpSocket};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, Timespec, clock_settime};

use super::sntp::{self, Act, SECOND};
use super::told::Told;
use super::{draw, kernel};
use crate::console::say;

/// Servers that are asked at most.
const SERVERS: usize = 4;
/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(2);
/// The pause after everybody was asked in vain: doubled from the first to the longest; and after it was told.
const FIRST_PAUSE: Duration = Duration::from_secs(4);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
const PAUSE: Duration = Duration::from_secs(1_024);
/// How often it is looked whether there are others to ask.
const LOOK: Duration = Duration::from_millis(500);
/// How far ahead the clock may be without that being said.
const AHEAD: i64 = 10 * SECOND;

/// Names or addresses of those who are asked.
pub type Servers = Arc<Mutex<Vec<String>>>;

/// Keeps the clock right on a thread of its own, by whoever the list names at the time.
pub fn keep(servers: Servers, told: Told) -> io::Result<()> {
    thread::Builder::new().name("time".into()).spawn(move || {
        let mut keeper = Keeper { told, was_right: false, complaint: String::new(), vain: 0 };
        loop {
            let asked = servers.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let pause = keeper.look(&asked);
            let until = Instant::now() + pause;
            while Instant::now() < until && *servers.lock().unwrap_or_else(PoisonError::into_inner) == asked {
                thread::sleep(LOOK);
            }
        }
    })?;
    Ok(())
}

struct Keeper {
    told: Told,
    /// Whether the clock was set since the start.
    was_right: bool,
    /// What was said last of what is wrong.
    complaint: String,
    /// Times in a row that nobody answered.
    vain: u32,
}

impl Keeper {
    /// Asks everybody once; how long to wait until the next time.
    fn look(&mut self, servers: &[String]) -> Duration {
        if servers.is_empty() {
            self.told.time("nobody is known who knows it: the clock goes on from the last known time".into());
            return PAUSE;
        }
        let (mut behind, mut refused) = (Vec::new(), String::new());
        for server in servers.iter().take(SERVERS) {
            match ask(server) {
                Ok(answer) => behind.push(answer),
                Err(why) => refused = format!("{server}: {why}"),
            }
        }
        let number = behind.len();
        let Some(agreed) = sntp::agreed(behind) else {
            let pause = (FIRST_PAUSE * (1 << self.vain.min(8))).min(LONGEST_PAUSE);
            self.vain += 1;
            self.complain(if number > 1 {
                "the servers of time do not agree, and none is believed".into()
            } else {
                format!("nobody tells the time: {refused}")
            });
            return pause;
        };
        self.vain = 0;
        match set(agreed, self.was_right) {
            Ok(None) => {
                if agreed < -AHEAD {
                    let seconds = -agreed / SECOND;
                    self.complain(format!("the clock is {seconds} s ahead: it goes slower until it is right, since time never runs backwards here"));
                } else {
                    self.right(agreed, servers, number);
                }
            }
            Ok(Some(words)) => {
                self.right(agreed, servers, number);
                say(words);
            }
            Err(why) => self.complain(why),
        }
        PAUSE
    }

    fn right(&mut self, behind: i64, servers: &[String], number: usize) {
        if !self.was_right {
            say(format_args!("the clock is right, by {number} of {} servers: {}", servers.len(), servers.join(", ")));
        }
        self.was_right = true;
        self.complaint.clear();
        let now = micros() / SECOND;
        self.told.time(format!(
            "right at {now} by {number} of {} servers, then {} ms behind",
            servers.len(),
            behind / 1_000
        ));
    }

    /// Says what is wrong, once.
    fn complain(&mut self, why: String) {
        self.told.time(why.clone());
        if self.complaint != why {
            say(&why);
            self.complaint = why;
        }
    }
}

/// How far the clock is behind, in microseconds, as one server says.
fn ask(server: &str) -> Result<i64, String> {
    let words = |error: io::Error| error.to_string();
    let place = match server.parse() {
        Ok(address) => SocketAddr::new(address, sntp::PORT),
        Err(_) => (server, sntp::PORT).to_socket_addrs().map_err(words)?.next().ok_or("the name has no address")?,
    };
    let own: SocketAddr = if place.is_ipv4() { ([0; 4], 0).into() } else { ([0; 16], 0).into() };
    let socket = UdpSocket::bind(own).map_err(words)?;
    // Only what comes from there is heard.
    socket.connect(place).map_err(words)?;
    let number = draw();
    let (sent, until) = (micros(), Instant::now() + PATIENCE);
    socket.send(&sntp::question(number)).map_err(words)?;
    let mut octets = [0; 512];
    let mut why = "no answer".to_owned();
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(why);
        }
        socket.set_read_timeout(Some(left)).map_err(words)?;
        let Ok(len) = socket.recv(&mut octets) else { return Err(why) };
        match sntp::behind(&octets[..len], number, sent, micros()) {
            Ok(behind) => return Ok(behind),
            // The right answer may follow one that somebody else made up.
            Err(refused) => why = refused.to_string(),
        }
    }
}

/// Does what is to be done with a clock that is behind by so much; says so where it steps.
fn set(behind: i64, was_right: bool) -> Result<Option<String>, String> {
    match sntp::act(behind, was_right) {
        Act::Lead(behind) => {
            kernel::lead_clock(behind).map_err(|error| format!("the clock can't be led: {error}"))?;
            Ok(None)
        }
        Act::Forward(behind) => {
            let then = micros() + behind;
            let time = Timespec { tv_sec: then / SECOND, tv_nsec: then % SECOND * 1_000 };
            clock_settime(ClockId::Realtime, time).map_err(|error| format!("the clock can't be set: {error}"))?;
            Ok(Some(format!("the clock was {} s behind and is set", behind / SECOND)))
        }
        Act::Leave => Err(format!(
            "the servers of time jumped by {} s and are not followed; a restart follows them",
            behind / SECOND
        )),
    }
}

/// The clock's time in microseconds since 1970.
fn micros() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}
