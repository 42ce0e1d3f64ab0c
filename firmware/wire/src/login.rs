//! The words by which plain protocols tell whether a log-in went well.
//!
//! **Shape**: the payload of one segment from the server, judged by its first line; Telnet, which has no lines, by all of it.
//!
//! **Bounds**: the first 512 octets of a payload are looked at.
//!
//! **Source**: MySQL's protocol, ERR_Packet; PostgreSQL's, ErrorResponse; MS-TDS section 2.2.7.10 (ERROR); Redis, AUTH;
//! RFC 959 section 4.2 (FTP), RFC 4954 section 6 (SMTP), RFC 1939 section 7 and RFC 3206 (POP3), RFC 9051 section
//! 6.2 (IMAP), RFC 9110 section 15.5.2 and RFC 7617 (HTTP), RFC 4253 section 4.2 (SSH); Telnet: what `login` prints.

use crate::octets::contains;
use crate::words::Words;

/// How much of a payload is looked at.
const LOOKED_AT: usize = 512;
/// The longest banner of SSH, line end not counted.
const LONGEST_BANNER: usize = 253;

/// The field of a request in which a password is sent.
static BASIC: Words<1> = Words::new([b"\r\nauthorization: basic "]);

/// How a log-in ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The server refused it.
    Failed,
    /// The server took it.
    Succeeded,
}

/// A plain protocol with log-ins.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Service {
    Ftp,
    Telnet,
    Smtp,
    Pop3,
    Imap,
    Http,
    MySql,
    Postgres,
    Redis,
    Tds,
}

/// The banner with which either end of SSH begins, without its line end.
#[must_use]
pub fn ssh_banner(payload: &[u8]) -> Option<&[u8]> {
    let line = first_line(payload);
    (line.starts_with(b"SSH-") && line.len() <= LONGEST_BANNER).then_some(line)
}

/// What the server at this port says about a log-in, if this payload of it does.
#[must_use]
pub fn outcome(server_port: u16, server_payload: &[u8]) -> Option<Outcome> {
    let service = Service::at(server_port)?;
    let payload = server_payload.get(..LOOKED_AT).unwrap_or(server_payload);
    let line = first_line(payload);
    match service {
        Service::Ftp => ftp(line),
        Service::Telnet => telnet(payload),
        Service::Smtp => by_code(line, *b"535", *b"235"),
        Service::Pop3 => pop3(line),
        Service::Imap => imap(line),
        Service::Http => http(line),
        Service::MySql | Service::Postgres | Service::Redis | Service::Tds => database(service, payload),
    }
}

/// Whether this payload of a client is an HTTP request with a password in it.
#[must_use]
pub fn basic_credentials(client_payload: &[u8]) -> bool {
    BASIC.any(client_payload)
}

impl Service {
    fn at(port: u16) -> Option<Self> {
        match port {
            21 => Some(Self::Ftp),
            23 | 2323 => Some(Self::Telnet),
            25 | 587 => Some(Self::Smtp),
            110 => Some(Self::Pop3),
            143 => Some(Self::Imap),
            80 | 8000 | 8008 | 8080 | 8081 | 8088 | 8888 => Some(Self::Http),
            3306 => Some(Self::MySql),
            5432 => Some(Self::Postgres),
            6379 => Some(Self::Redis),
            1433 => Some(Self::Tds),
            _ => None,
        }
    }
}

/// A server that asks for a log-in uses the code of a failed one.
fn ftp(line: &[u8]) -> Option<Outcome> {
    by_code(line, *b"530", *b"230").filter(|_| !contains(line, b"please log"))
}

fn telnet(payload: &[u8]) -> Option<Outcome> {
    let failed: [&[u8]; 7] = [
        b"login incorrect",
        b"login failed",
        b"authentication failed",
        b"login invalid",
        b"bad password",
        b"invalid password",
        b"access denied",
    ];
    if failed.iter().any(|words| contains(payload, words)) {
        return Some(Outcome::Failed);
    }
    contains(payload, b"last login:").then_some(Outcome::Succeeded)
}

/// What databases answer to a wrong password: error 1045 of MySQL behind a header of four octets, SQLSTATE 28P01 or 28000 in a
/// PostgreSQL error, error 18456 of SQL Server in the first token behind a header of eight octets, Redis in words.
fn database(service: Service, payload: &[u8]) -> Option<Outcome> {
    let refused = match service {
        Service::MySql => payload.get(4..7) == Some(&[0xff, 0x15, 0x04]),
        Service::Postgres => {
            payload.first() == Some(&b'E') && (contains(payload, b"\0c28p01\0") || contains(payload, b"\0c28000\0"))
        }
        Service::Redis => payload.starts_with(b"-WRONGPASS") || payload.starts_with(b"-ERR invalid password"),
        Service::Tds => {
            payload.first() == Some(&4)
                && payload.get(8) == Some(&0xaa)
                && payload.get(11..15) == Some(&18_456_u32.to_le_bytes()[..])
        }
        _ => false,
    };
    refused.then_some(Outcome::Failed)
}

/// Every answer of POP3 begins with one of two words, so only the text behind tells what it is about.
fn pop3(line: &[u8]) -> Option<Outcome> {
    if line.starts_with(b"-ERR") {
        let about: [&[u8]; 4] = [b"auth", b"password", b"login", b"credentials"];
        return about.iter().any(|word| contains(line, word)).then_some(Outcome::Failed);
    }
    (line.starts_with(b"+OK") && contains(line, b"logged in")).then_some(Outcome::Succeeded)
}

/// An answer to a command repeats its tag; a log-in is told from other commands by the text behind.
fn imap(line: &[u8]) -> Option<Outcome> {
    let mut words = line.splitn(3, |octet| *octet == b' ');
    let (tag, status, text) = (words.next()?, words.next()?, words.next()?);
    if matches!(tag, b"*" | b"+" | b"") {
        return None;
    }
    if status.eq_ignore_ascii_case(b"NO") && (contains(text, b"auth") || contains(text, b"login")) {
        return Some(Outcome::Failed);
    }
    let done = contains(text, b"logged in") || contains(text, b"login completed");
    (status.eq_ignore_ascii_case(b"OK") && done).then_some(Outcome::Succeeded)
}

/// Only a refusal names itself; a page that is served needs no log-in.
fn http(line: &[u8]) -> Option<Outcome> {
    let code = line.strip_prefix(b"HTTP/1.")?.get(1..)?;
    code.starts_with(b" 401").then_some(Outcome::Failed)
}

/// Judges a line by the three digits in front of a blank, a dash or the end.
fn by_code(line: &[u8], failed: [u8; 3], succeeded: [u8; 3]) -> Option<Outcome> {
    let (code, rest) = line.split_first_chunk::<3>()?;
    if !matches!(rest.first(), None | Some(b' ' | b'-')) {
        return None;
    }
    match *code {
        code if code == failed => Some(Outcome::Failed),
        code if code == succeeded => Some(Outcome::Succeeded),
        _ => None,
    }
}

/// What stands before the first line end.
fn first_line(payload: &[u8]) -> &[u8] {
    payload.split(|octet| matches!(octet, b'\r' | b'\n')).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (port, payload, what it tells)
    const SAID: &[(u16, &[u8], Option<Outcome>)] = &[
        (21, b"530 Login incorrect.\r\n", Some(Outcome::Failed)),
        (21, b"530-Sorry\r\n530 no\r\n", Some(Outcome::Failed)),
        (21, b"530 Please login with USER and PASS.\r\n", None),
        (21, b"230 Login successful.\r\n", Some(Outcome::Succeeded)),
        (21, b"2300 files\r\n", None),
        (21, b"331 Please specify the password.\r\n", None),
        (23, b"\r\nLogin incorrect\r\nlogin: ", Some(Outcome::Failed)),
        (23, b"\r\nLast login: Mon Jan  1", Some(Outcome::Succeeded)),
        (23, b"login: ", None),
        (25, b"535 5.7.8 Error: authentication failed:\r\n", Some(Outcome::Failed)),
        (587, b"235 2.7.0 Authentication successful\r\n", Some(Outcome::Succeeded)),
        (25, b"250 OK\r\n", None),
        (110, b"-ERR [AUTH] Authentication failed.\r\n", Some(Outcome::Failed)),
        (110, b"-ERR no such message\r\n", None),
        (110, b"+OK Logged in.\r\n", Some(Outcome::Succeeded)),
        (110, b"+OK\r\n", None),
        (143, b"a001 NO [AUTHENTICATIONFAILED] Authentication failed.\r\n", Some(Outcome::Failed)),
        (143, b"3 no LOGIN failed\r\n", Some(Outcome::Failed)),
        (143, b"a2 NO Mailbox does not exist\r\n", None),
        (143, b"* NO login is slow today\r\n", None),
        (143, b"a001 OK [CAPABILITY IMAP4rev1] Logged in\r\n", Some(Outcome::Succeeded)),
        (80, b"HTTP/1.1 401 Unauthorized\r\n", Some(Outcome::Failed)),
        (8080, b"HTTP/1.0 401\r\n", Some(Outcome::Failed)),
        (80, b"HTTP/1.1 200 OK\r\nX: 401\r\n", None),
        (22, b"530 Login incorrect.\r\n", None),
        (3306, b"\x48\0\0\x02\xff\x15\x04#28000Access denied", Some(Outcome::Failed)),
        (3306, b"\x48\0\0\x02\xff\x28\x04#42000", None),
        (5432, b"E\0\0\0\x65SFATAL\0VFATAL\0C28P01\0Mpassword", Some(Outcome::Failed)),
        (5432, b"E\0\0\0\x65SERROR\0VERROR\0C42601\0Msyntax", None),
        (6379, b"-WRONGPASS invalid username-password pair\r\n", Some(Outcome::Failed)),
        (6379, b"-NOAUTH Authentication required.\r\n", None),
        (1433, b"\x04\x01\0\x7c\0\0\x01\0\xaa\x64\0\x18\x48\0\0\x01\x0e", Some(Outcome::Failed)),
        (1433, b"\x04\x01\0\x7c\0\0\x01\0\xe3\x1b\0\x01\x06", None),
    ];

    #[test]
    fn each_protocol_has_its_own_words() {
        for (port, payload, expected) in SAID {
            assert_eq!(outcome(*port, payload), *expected, "{port} {:?}", payload.escape_ascii());
        }
    }

    #[test]
    fn an_answer_cut_anywhere_never_tells_the_contrary() {
        for (port, payload, expected) in SAID.iter().filter(|(_, _, expected)| expected.is_some()) {
            for len in 0..payload.len() {
                let cut = outcome(*port, &payload[..len]);
                assert!(cut.is_none() || cut == *expected, "{port} {len}");
            }
        }
    }

    #[test]
    fn a_banner_ends_with_its_line() {
        assert_eq!(ssh_banner(b"SSH-2.0-OpenSSH_9.2\r\nmore"), Some(&b"SSH-2.0-OpenSSH_9.2"[..]));
        assert_eq!(ssh_banner(b"SSH"), None);
        assert_eq!(ssh_banner(b"HTTP/1.1 200"), None);
    }

    #[test]
    fn a_banner_has_a_longest_length() {
        for (len, fits) in [(LONGEST_BANNER, true), (LONGEST_BANNER + 1, false)] {
            let mut banner = [b'x'; LONGEST_BANNER + 1];
            banner[..4].copy_from_slice(b"SSH-");
            assert_eq!(ssh_banner(&banner[..len]).is_some(), fits, "{len}");
        }
    }

    #[test]
    fn only_the_head_of_a_payload_is_looked_at() {
        let words = b"Login incorrect";
        for (at, seen) in [(LOOKED_AT - words.len(), true), (LOOKED_AT, false)] {
            let mut payload = [b' '; 2 * LOOKED_AT];
            payload[at..at + words.len()].copy_from_slice(words);
            assert_eq!(outcome(23, &payload).is_some(), seen, "{at}");
        }
    }

    #[test]
    fn a_password_in_a_request_is_seen_in_whatever_case() {
        assert!(basic_credentials(b"GET / HTTP/1.1\r\nauthorization: BASIC YTpi\r\n\r\n"));
        assert!(!basic_credentials(b"GET / HTTP/1.1\r\nAuthorization: Bearer YTpi\r\n\r\n"));
        assert!(!basic_credentials(b""));
    }
}
