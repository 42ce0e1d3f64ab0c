//! SSDP, the discovery of UPnP: what a device says that it is.
//!
//! **Shape**: a line that says what the message is, then lines of a name, a colon and a value, as in HTTP.
//!
//! **Bounds**: a line without an end may have been cut and is not read; of a field told twice the first counts.
//!
//! **Source**: UPnP Device Architecture 2.0 section 1.

/// The port that everybody listens at.
pub const PORT: u16 = 1900;

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A device tells that it is there, or goes.
    Notify,
    /// A device answers a search.
    Answer,
    /// Somebody looks for devices.
    Search,
}

/// One message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// What it is.
    pub kind: Kind,
    /// What the device runs (`SERVER`).
    pub server: Option<&'a [u8]>,
    /// What the searcher runs (`USER-AGENT`).
    pub agent: Option<&'a [u8]>,
    /// What is told or looked for (`NT` or `ST`).
    pub target: Option<&'a [u8]>,
    /// The device and what of it is told (`USN`).
    pub usn: Option<&'a [u8]>,
    /// The name that people gave it (`CPFN.UPNP.ORG`).
    pub friendly_name: Option<&'a [u8]>,
}

impl<'a> Message<'a> {
    /// The message in this payload.
    #[must_use]
    pub fn parse(payload: &'a [u8]) -> Option<Self> {
        let kind = match payload {
            [b'N', b'O', b'T', b'I', b'F', b'Y', b' ', ..] => Kind::Notify,
            [b'M', b'-', b'S', b'E', b'A', b'R', b'C', b'H', b' ', ..] => Kind::Search,
            [b'H', b'T', b'T', b'P', b'/', b'1', b'.', _, b' ', b'2', b'0', b'0', ..] => Kind::Answer,
            _ => return None,
        };
        let mut message = Self { kind, server: None, agent: None, target: None, usn: None, friendly_name: None };
        let lines = payload.split_inclusive(|octet| *octet == b'\n').skip(1);
        for line in lines.map_while(|line| line.strip_suffix(b"\n")) {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.is_empty() {
                break;
            }
            message.read(line);
        }
        Some(message)
    }

    fn read(&mut self, line: &'a [u8]) {
        let Some(colon) = line.iter().position(|octet| *octet == b':') else { return };
        let (name, value) = (line[..colon].trim_ascii(), line[colon + 1..].trim_ascii());
        let field = match name {
            n if n.eq_ignore_ascii_case(b"server") => &mut self.server,
            n if n.eq_ignore_ascii_case(b"user-agent") => &mut self.agent,
            n if n.eq_ignore_ascii_case(b"nt") || n.eq_ignore_ascii_case(b"st") => &mut self.target,
            n if n.eq_ignore_ascii_case(b"usn") => &mut self.usn,
            n if n.eq_ignore_ascii_case(b"cpfn.upnp.org") => &mut self.friendly_name,
            _ => return,
        };
        *field = field.or(Some(value));
    }

    /// The kind of device that is told, without its namespace and version: `MediaRenderer` of
    /// `urn:schemas-upnp-org:device:MediaRenderer:1`.
    #[must_use]
    pub fn device_type(&self) -> Option<&'a [u8]> {
        let mut words = self.target?.split(|octet| *octet == b':');
        words.find(|word| *word == b"device")?;
        words.next().filter(|word| !word.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTIFY: &[u8] =
        b"NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nNT: urn:schemas-upnp-org:device:Printer:1\r\n\
        NTS: ssdp:alive\r\nSERVER: Linux/4.9 UPnP/1.0 Make/2\r\nUSN: uuid:9::urn:x\r\nserver: other\r\n\
        CPFN.UPNP.ORG: Front room\r\n\r\nNT: late\r\n";

    #[test]
    fn a_device_tells_what_it_is() {
        let message = Message::parse(NOTIFY).unwrap();
        assert_eq!((message.kind, message.device_type()), (Kind::Notify, Some(&b"Printer"[..])));
        assert_eq!(message.server, Some(&b"Linux/4.9 UPnP/1.0 Make/2"[..]));
        assert_eq!((message.usn, message.friendly_name), (Some(&b"uuid:9::urn:x"[..]), Some(&b"Front room"[..])));
    }

    #[test]
    fn answers_and_searches_are_told_apart() {
        let answer = Message::parse(b"HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\n").unwrap();
        assert_eq!((answer.kind, answer.target), (Kind::Answer, Some(&b"upnp:rootdevice"[..])));
        assert_eq!(answer.device_type(), None);
        let search = Message::parse(b"M-SEARCH * HTTP/1.1\nUSER-AGENT: Chrome\n").unwrap();
        assert_eq!((search.kind, search.agent), (Kind::Search, Some(&b"Chrome"[..])));
    }

    #[test]
    fn other_words_are_none() {
        for payload in [&b"HTTP/1.1 404 Not Found\r\n"[..], b"GET / HTTP/1.1\r\n", b"", b"NOTIFY"] {
            assert_eq!(Message::parse(payload), None);
        }
    }

    #[test]
    fn a_message_cut_anywhere_tells_whole_lines_only() {
        let whole = Message::parse(NOTIFY).unwrap();
        for len in 7..NOTIFY.len() {
            let cut = Message::parse(&NOTIFY[..len]).unwrap();
            for (cut, whole) in [(cut.server, whole.server), (cut.target, whole.target), (cut.usn, whole.usn)] {
                assert!(cut.is_none() || cut == whole, "{len}");
            }
        }
    }
}
