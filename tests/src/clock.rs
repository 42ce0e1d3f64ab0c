//! A server of time for the lab, which may be as far ahead of the machine's own clock as a scene wants.
//!
//! **Source**: RFC 4330 section 6.

use std::net::{SocketAddr, UdpSocket};
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};

/// 1970 as NTP counts, in seconds since 1900.
const EPOCH: u64 = 2_208_988_800;

/// Answers at an address until the process is ended, with the machine's time and so many seconds.
///
/// # Errors
/// When the address can't be had.
pub fn serve(at: SocketAddr, ahead: u64) -> Result<ExitCode> {
    let socket = UdpSocket::bind(at).with_context(|| format!("{at}"))?;
    let mut octets = [0; 512];
    loop {
        let (len, from) = socket.recv_from(&mut octets)?;
        if len < 48 || octets[0] & 7 != 3 {
            continue;
        }
        let mut answer = [0; 48];
        // Version 4, a server, two steps from a clock; then the asker's own stamp.
        answer[..2].copy_from_slice(&[0x24, 2]);
        answer[24..32].copy_from_slice(&octets[40..48]);
        let now = SystemTime::now().duration_since(UNIX_EPOCH)? + Duration::from_secs(ahead);
        let fraction = (u64::from(now.subsec_nanos()) << 32) / 1_000_000_000;
        let stamp = (((now.as_secs() + EPOCH) << 32) | fraction).to_be_bytes();
        answer[32..40].copy_from_slice(&stamp);
        answer[40..].copy_from_slice(&stamp);
        socket.send_to(&answer, from)?;
    }
}
