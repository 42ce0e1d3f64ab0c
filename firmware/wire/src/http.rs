//! HTTP/1 in the clear: what a request asks and how it presents itself, and whether an answer is a program.
//!
//! **Shape**: a request line (method, target, version), fields of one line each, an empty line, the body.
//!
//! **Bounds**: one segment, as far as it was captured; a field whose line is cut is not told, and `whole` says whether all were there.
//!
//! **Source**: RFC 9110 section 7.2 (Host), 10.1.3 (Referer), 10.1.5 (User-Agent); RFC 9112 sections 2 to 6; RFC 6454 section 7.

use core::net::IpAddr;
use core::str;

use crate::octets::head_end;
use crate::words::Words;

/// The methods that clients use; after each a blank.
const METHODS: [(&[u8], Method); 5] = [
    (b"GET ", Method::Get),
    (b"POST ", Method::Post),
    (b"HEAD ", Method::Other),
    (b"PUT ", Method::Other),
    (b"OPTIONS ", Method::Other),
];
/// Ends of paths under which programs are fetched: Windows', scripts', Java's, Android's, Linux' of small machines.
const PROGRAMS: [&[u8]; 23] = [
    b".exe", b".dll", b".scr", b".msi", b".bat", b".ps1", b".vbs", b".hta", b".jar", b".apk", b".sh", b".arm",
    b".arm5", b".arm6", b".arm7", b".mips", b".mpsl", b".x86", b".ppc", b".sh4", b".m68k", b".spc", b".elf",
];
/// With what programs begin: Windows', Linux'.
const MAGICS: [&[u8]; 2] = [b"MZ", b"\x7fELF"];
/// Media types of programs.
static PROGRAM_TYPES: Words<4> = Words::new([
    b"content-type: application/x-msdownload",
    b"content-type: application/x-msdos-program",
    b"content-type: application/x-dosexec",
    b"content-type: application/x-executable",
]);

/// Media types of what people read, see or hear; playlists and pages of data are read by what shows them.
static MEDIA_TYPES: Words<8> = Words::new([
    b"content-type: text/",
    b"content-type: image/",
    b"content-type: audio/",
    b"content-type: video/",
    b"content-type: application/json",
    b"content-type: application/xml",
    b"content-type: application/vnd.apple.mpegurl",
    b"content-type: application/x-mpegurl",
]);
/// What browsers call themselves that say so behind the page that a request comes from.
static BEHIND_PAGE: Words<3> = Words::new([b"msie ", b"trident/", b"applewebkit/"]);

/// What a request wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Fetches.
    Get,
    /// Sends.
    Post,
    /// Anything else.
    Other,
}

/// One request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// What it wants done.
    pub method: Method,
    /// The path without its query.
    pub path: &'a [u8],
    /// The server wanted, without a port.
    pub host: Option<&'a [u8]>,
    /// What the client says that it is.
    pub agent: Option<&'a [u8]>,
    /// Whether it comes from a page: `Referer`, `Origin` or `X-Requested-With` is there.
    pub from_page: bool,
    /// The server of that page, without a port, where `Referer` names it.
    pub page: Option<&'a [u8]>,
    /// Whether it asks for the state of a certificate or for a time stamp, as browsers do by themselves (RFC 6960, RFC 3161).
    pub about_certificates: bool,
    /// Whether all its fields were captured.
    pub whole: bool,
}

impl<'a> Request<'a> {
    /// The request at the head of this payload, if there is one.
    #[must_use]
    pub fn parse(payload: &'a [u8]) -> Option<Self> {
        let (method, rest) = METHODS.iter().find_map(|(word, m)| Some((*m, payload.strip_prefix(*word)?)))?;
        let mut lines = rest.split_inclusive(|octet| *octet == b'\n');
        let target = lines.next()?.split(|octet| octet.is_ascii_whitespace()).next()?;
        let (authority, path) = match target.strip_prefix(b"http://") {
            Some(absolute) => {
                let end = absolute.iter().position(|octet| *octet == b'/').unwrap_or(absolute.len());
                (Some(&absolute[..end]), &absolute[end..])
            }
            None => (None, target),
        };
        let path = path.split(|octet| *octet == b'?').next()?;
        let mut request = Self {
            method,
            path,
            host: authority.map(without_port),
            agent: None,
            from_page: false,
            page: None,
            about_certificates: false,
            whole: false,
        };
        for line in lines {
            // A line that has no end may have been cut.
            let Some(line) = line.strip_suffix(b"\n") else {
                request.read_cut(line);
                break;
            };
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.is_empty() {
                request.whole = true;
                break;
            }
            request.read(line);
        }
        Some(request)
    }

    fn read(&mut self, line: &'a [u8]) {
        let Some(colon) = line.iter().position(|octet| *octet == b':') else { return };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        let is = |word: &[u8]| name.eq_ignore_ascii_case(word);
        if is(b"host") {
            self.host = self.host.or(Some(without_port(value)));
        } else if is(b"user-agent") {
            self.agent = Some(value);
        } else if is(b"referer") || is(b"origin") || is(b"x-requested-with") {
            self.from_page = true;
            self.page = if is(b"referer") { server_of(value) } else { self.page };
        } else if is(b"content-type") {
            let kinds: [&[u8]; 2] = [b"application/ocsp-request", b"application/timestamp-query"];
            self.about_certificates = kinds.iter().any(|kind| value.eq_ignore_ascii_case(kind));
        }
    }

    /// Of a line that was cut, what begins with what the client says that it is tells as much.
    fn read_cut(&mut self, line: &'a [u8]) {
        const AGENT: &[u8] = b"user-agent:";
        if let Some((name, value)) = line.split_at_checked(AGENT.len())
            && name.eq_ignore_ascii_case(AGENT)
        {
            let end = value.iter().position(|octet| *octet == 0).unwrap_or(value.len());
            self.agent = Some(value[..end].trim_ascii());
        }
    }

    /// Whether the server is wanted by its address, without a name. Where that was cut off, the page's server tells.
    #[must_use]
    pub fn names_address(&self) -> bool {
        let host = self.host.or(self.page).unwrap_or_default();
        let host = host.strip_prefix(b"[").and_then(|h| h.strip_suffix(b"]")).unwrap_or(host);
        str::from_utf8(host).is_ok_and(|host| host.parse::<IpAddr>().is_ok())
    }

    /// Whether it asks for a program, by the end of its path.
    #[must_use]
    pub fn wants_program(&self) -> bool {
        PROGRAMS.iter().any(|end| {
            let from = self.path.len().saturating_sub(end.len());
            self.path[from..].eq_ignore_ascii_case(end)
        })
    }

    /// Whether it says to be a browser.
    #[must_use]
    pub fn claims_browser(&self) -> bool {
        self.agent.is_some_and(|agent| agent.starts_with(b"Mozilla/"))
    }

    /// Whether it sends something as a browser, but from no page. Of what was cut, as far as the browser that it says to be names the page,
    /// or where that came from, before itself.
    ///
    /// **Source**: Internet Explorer sends `Referer` before `User-Agent`, those made of WebKit send `Origin` before it with every POST; as
    /// captured.
    #[must_use]
    pub fn is_pageless_post(&self) -> bool {
        let named_before = || BEHIND_PAGE.any(self.agent.unwrap_or_default());
        let pageless = !self.from_page && !self.about_certificates && (self.whole || named_before());
        self.method == Method::Post && self.claims_browser() && pageless
    }
}

/// The server in an address of a page.
fn server_of(page: &[u8]) -> Option<&[u8]> {
    let rest = page.strip_prefix(b"http://").or_else(|| page.strip_prefix(b"https://"))?;
    Some(without_port(rest.split(|octet| *octet == b'/').next()?))
}

/// Whether this payload of a server is an answer that carries a program: by its media type, or by how its body begins.
#[must_use]
pub fn is_program(payload: &[u8]) -> bool {
    if !payload.starts_with(b"HTTP/1.") {
        return false;
    }
    let end = head_end(payload).map_or(payload.len(), |at| at + 4);
    let (head, body) = payload.split_at(end);
    MAGICS.iter().any(|magic| body.starts_with(magic)) || PROGRAM_TYPES.any(head)
}

/// Whether this payload of a server is an answer that carries what people read, see or hear.
#[must_use]
pub fn is_media(payload: &[u8]) -> bool {
    let head = || &payload[..head_end(payload).unwrap_or(payload.len())];
    payload.starts_with(b"HTTP/1.") && MEDIA_TYPES.any(head())
}

/// Whether this payload of a client begins with a word in capitals and a blank, as every request does, of whatever method.
#[must_use]
pub fn is_worded(payload: &[u8]) -> bool {
    let word = payload
        .iter()
        .take_while(|octet| octet.is_ascii_uppercase() || matches!(octet, b'-' | b'_'))
        .fold(0, |n, _| n + 1);
    word >= 3 && payload.get(word) == Some(&b' ')
}

/// Whether this payload of a server says that what was asked for is not there, or not for everybody.
#[must_use]
pub fn is_missing(payload: &[u8]) -> bool {
    let code = payload.strip_prefix(b"HTTP/1.").and_then(|rest| rest.get(1..5));
    matches!(code, Some(b" 403" | b" 404"))
}

fn without_port(host: &[u8]) -> &[u8] {
    match host.iter().rposition(|octet| *octet == b':') {
        Some(colon) if host.last() != Some(&b']') && host[colon + 1..].iter().all(u8::is_ascii_digit) => &host[..colon],
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::format;

    use super::*;

    const POST: &[u8] = b"POST /gate/in.php?id=7 HTTP/1.1\r\nHost: 198.51.100.7:8080\r\nUser-Agent: Mozilla/4.0\r\n\
        content-length: 3\r\n\r\nabc";

    #[test]
    fn a_request_tells_what_it_asks_of_whom_as_what() {
        let request = Request::parse(POST).unwrap();
        assert_eq!((request.method, request.path), (Method::Post, &b"/gate/in.php"[..]));
        assert_eq!((request.host, request.agent), (Some(&b"198.51.100.7"[..]), Some(&b"Mozilla/4.0"[..])));
        assert!(request.whole && !request.from_page && request.names_address() && request.claims_browser());
        assert!(!request.wants_program());
    }

    #[test]
    fn a_request_cut_anywhere_never_tells_of_what_was_not_there() {
        let whole = Request::parse(POST).unwrap();
        for len in 0..POST.len() - 3 {
            let Some(cut) = Request::parse(&POST[..len]) else { continue };
            assert!(!cut.whole && !cut.from_page, "{len}");
            assert!(whole.path.starts_with(cut.path), "{len}");
        }
    }

    #[test]
    fn a_page_behind_a_request_is_seen_in_whatever_case() {
        for payload in [
            &b"GET / HTTP/1.1\r\nReferer: http://a/\r\n"[..],
            b"GET / HTTP/1.1\norigin: null\n",
            b"POST / HTTP/1.1\r\nX-REQUESTED-WITH: XMLHttpRequest\r\nHost",
        ] {
            assert!(Request::parse(payload).unwrap().from_page, "{}", payload.escape_ascii());
        }
    }

    #[test]
    fn a_post_of_no_page_is_seen_where_the_browser_would_have_named_it_before_itself() {
        for (fields, pageless) in [
            ("User-Agent: Mozilla/5.0 (X11) Firefox/99\r\nHost: a\r\n\r\n", true),
            ("User-Agent: Mozilla/5.0 (X11) Gecko/20100101 Firefox/99\r\nHo", false),
            ("User-Agent: Mozilla/4.0 (compatible; MSIE 7.0; Win", true),
            ("User-Agent: Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:11.0)\r\nHo", true),
            ("User-Agent: Mozilla/5.0 AppleWebKit/537.36 (KHTML)\0\0\0", true),
            ("User-Agent: Mozilla/5.0\0AppleWebKit/", false),
            ("Origin: http://a\r\nUser-Agent: Mozilla/5.0 AppleWebKit/537.36 (KHTML)\0\0\0", false),
            ("Referer: http://a/\r\nUser-Agent: Mozilla/4.0 (compatible; MSIE 7.0; Win", false),
            ("Content-Type: application/ocsp-request\r\nUser-Agent: Mozilla/4.0 (compatible; MSIE 7.0", false),
            ("User-Agent: tool (MSIE 7.0\0\0", false),
            ("", false),
        ] {
            let post = format!("POST /gate HTTP/1.1\r\n{fields}");
            assert_eq!(Request::parse(post.as_bytes()).unwrap().is_pageless_post(), pageless, "{fields}");
            let get = format!("GET /gate HTTP/1.1\r\n{fields}");
            assert!(!Request::parse(get.as_bytes()).unwrap().is_pageless_post(), "{fields}");
        }
    }

    #[test]
    fn where_the_server_is_cut_off_its_page_tells_whether_it_has_a_name() {
        for (fields, address) in [
            ("Referer: http://192.0.2.9/a\r\nUser-Ag", true),
            ("Referer: https://192.0.2.9:81\r\n", true),
            ("Referer: http://192.0.2.9.example.org/\r\n", false),
            ("Referer: http://192.0.2.9/a\r\nHost: example.org\r\n", false),
            ("Referer: 192.0.2.9\r\n", false),
            ("Origin: http://192.0.2.9\r\n", false),
        ] {
            let post = format!("POST /gate HTTP/1.1\r\n{fields}");
            assert_eq!(Request::parse(post.as_bytes()).unwrap().names_address(), address, "{fields}");
        }
    }

    #[test]
    fn questions_about_certificates_are_known_by_their_type() {
        let ocsp = b"POST / HTTP/1.1\r\nContent-Type: application/ocsp-request\r\n\r\n";
        assert!(Request::parse(ocsp).unwrap().about_certificates);
        assert!(!Request::parse(POST).unwrap().about_certificates);
    }

    #[test]
    fn servers_are_wanted_by_name_or_by_address() {
        for (host, address) in [
            ("192.0.2.1", true),
            ("[2001:db8::1]:80", true),
            ("192.0.2.1:81", true),
            ("example.org:80", false),
            ("", false),
        ] {
            let request = Request { host: Some(without_port(host.as_bytes())), ..Request::parse(POST).unwrap() };
            assert_eq!(request.names_address(), address, "{host}");
        }
        let absolute =
            Request::parse(b"POST http://192.0.2.9/fakeurl.htm HTTP/1.1\r\nHost: example.org\r\n\r\n").unwrap();
        assert!(absolute.names_address());
    }

    #[test]
    fn programs_are_known_by_their_path_their_type_and_their_first_octets() {
        let wants = |line: &[u8]| Request::parse(line).unwrap().wants_program();
        assert!(wants(b"GET /a/Setup.EXE?x=1 HTTP/1.1\r\n"));
        assert!(!wants(b"GET /exe HTTP/1.1\r\n"));
        assert!(is_program(b"HTTP/1.1 200 OK\r\nServer: x\r\n\r\nMZ\x90"));
        assert!(is_program(b"HTTP/1.0 200 OK\r\nContent-Type: application/x-msdownload\r\n"));
        assert!(is_program(b"HTTP/1.1 200 OK\r\n\r\n\x7fELF\x01"));
        assert!(!is_program(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>MZ"));
        assert!(!is_program(b"MZ"));
    }

    #[test]
    fn what_people_see_is_known_by_its_type() {
        assert!(is_media(b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\n\r\n"));
        assert!(is_media(b"HTTP/1.0 200 OK\r\nCONTENT-TYPE: Text/html\r\nX"));
        assert!(!is_media(b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n\r\n"));
        assert!(!is_media(b"HTTP/1.1 200 OK\r\n\r\nContent-Type: text/html"));
        assert!(!is_media(b"Content-Type: text/html"));
    }

    #[test]
    fn what_is_missing_is_told_by_its_code() {
        for (line, missing) in [
            (&b"HTTP/1.1 404 Not Found\r\n"[..], true),
            (b"HTTP/1.0 403 Forbidden", true),
            (b"HTTP/1.1 200 404", false),
            (b"HTTP/1.1 401 Unauthorized", false),
            (b"HTTP/1.1 40", false),
            (b"404", false),
        ] {
            assert_eq!(is_missing(line), missing, "{}", line.escape_ascii());
        }
    }

    #[test]
    fn other_words_are_no_request() {
        for payload in [&b"GETTER / HTTP/1.1"[..], b"HTTP/1.1 200 OK", b"", b"\x16\x03\x01"] {
            assert_eq!(Request::parse(payload), None);
        }
    }
}
