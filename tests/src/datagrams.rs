//! Numbered datagrams: a sender with a steady pace and a counter, so that loss and drops are counted, not guessed.

use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::ExitCode;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::net::sockopt::set_socket_recv_buffer_size_force;

/// Largest payload that fits one frame.
const LONGEST: usize = 1472;
/// The counter's receive buffer: enough for a second in which it does not get the processor.
const BUFFER: usize = 64 << 20;
/// Highest number that is told apart.
const HIGHEST: usize = 1 << 26;

/// Counts different numbers that arrive until the time is over or the file `until` is there, and prints how many.
///
/// # Errors
/// When the port can't be listened at.
pub fn count(at: SocketAddr, seconds: f64, until: Option<&Path>) -> Result<ExitCode> {
    let socket = UdpSocket::bind(at).with_context(|| format!("can't listen at {at}"))?;
    socket.set_read_timeout(Some(Duration::from_millis(50)))?;
    set_socket_recv_buffer_size_force(&socket, BUFFER)?;
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    let mut seen: Vec<bool> = Vec::new();
    let mut payload = [0_u8; LONGEST];
    let mut quiet = false;
    while Instant::now() < end && !(quiet && until.is_some_and(Path::exists)) {
        quiet = false;
        match socket.recv(&mut payload) {
            Ok(len) if len >= 4 => {
                let number = u32::from_be_bytes([payload[0], payload[1], payload[2], payload[3]]) as usize;
                if number >= seen.len() && number < HIGHEST {
                    seen.resize(number + 1, false);
                }
                if let Some(slot) = seen.get_mut(number) {
                    *slot = true;
                }
            }
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => quiet = true,
            Err(error) => return Err(error.into()),
        }
    }
    println!("{}", seen.iter().filter(|seen| **seen).count());
    Ok(ExitCode::SUCCESS)
}

/// Sends `number` datagrams at `rate` a second, or until the file `until` is there, and prints how many were sent.
///
/// # Errors
/// When there is no way to the address.
pub fn pour(to: SocketAddr, number: u32, rate: u32, len: usize, until: Option<&Path>) -> Result<ExitCode> {
    let any = if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let socket = UdpSocket::bind(any)?;
    let mut payload = vec![0_u8; len.clamp(4, LONGEST)];
    let gap = Duration::from_secs_f64(1.0 / f64::from(rate.max(1)));
    let begin = Instant::now();
    let mut sent: u32 = 0;
    for n in 0..number {
        payload[..4].copy_from_slice(&sent.to_be_bytes());
        // A refused or dropped datagram is what some scenes want: only the receiver's count matters.
        if socket.send_to(&payload, to).is_ok() {
            sent += 1;
        }
        let due = begin + gap * (n + 1);
        sleep(due.saturating_duration_since(Instant::now()));
        if n % 256 == 0 && until.is_some_and(Path::exists) {
            break;
        }
    }
    println!("{sent}");
    Ok(ExitCode::SUCCESS)
}
