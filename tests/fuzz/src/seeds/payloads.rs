//! Messages of the protocols that are read behind UDP and TCP.

/// A question, an answer with compressed names and both kinds of addresses, and one of multicast DNS.
pub fn dns() -> Vec<Vec<u8>> {
    let name = b"\x03www\x07example\x03com\x00";
    let question = |header: [u8; 12]| [&header[..], name, &[0, 1, 0, 1]].concat();
    let alias = [&[0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 60, 0, 6][..], b"\x03cdn\xc0\x10"].concat();
    let v4 = [&[0xc0, 45, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4][..], &[198, 51, 100, 7]].concat();
    let v6 = [&[0xc0, 45, 0, 28, 0, 1, 0, 0, 0, 60, 0, 16][..], &[0x20; 16]].concat();
    let answer = [question([0, 7, 0x81, 0x80, 0, 1, 0, 3, 0, 0, 0, 0]), alias, v4, v6].concat();
    let local = b"\x07printer\x05local\x00";
    let multicast =
        [&[0, 0, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0][..], local, &[0, 1, 0x80, 1, 0, 0, 0, 120, 0, 4, 10, 0, 0, 5]]
            .concat();
    let refused = question([0, 8, 0x81, 0x83, 0, 1, 0, 0, 0, 0, 0, 0]);
    vec![question([0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]), answer, multicast, refused]
}

/// A discover and an acknowledgement with every option that is read.
pub fn dhcp() -> Vec<Vec<u8>> {
    let message = |op: u8, options: &[u8]| {
        let mut head = vec![0; 236];
        head[..4].copy_from_slice(&[op, 1, 6, 0]);
        head[28..34].copy_from_slice(&[2, 0, 0, 0, 0, 9]);
        [&head[..], &[0x63, 0x82, 0x53, 0x63], options, &[255]].concat()
    };
    let url = b"\xa1\x17https://example.com/mud";
    let asked = [&b"\x35\x01\x01\x0c\x06camera\x3c\x03IoT\x37\x04\x01\x03\x06\x0f\x00"[..], url].concat();
    let given = [53, 1, 5, 54, 4, 10, 0, 0, 1, 3, 4, 10, 0, 0, 1, 51, 4, 0, 0, 14, 16];
    vec![message(1, &asked), message(2, &given)]
}

/// A solicit with every option that is read.
pub fn dhcp6() -> Vec<Vec<u8>> {
    let option =
        |code: u16, value: &[u8]| [&code.to_be_bytes()[..], &(value.len() as u16).to_be_bytes(), value].concat();
    let options = [
        option(1, &[0, 1, 0, 1, 0, 0, 0, 1, 2, 0, 0, 0, 0, 9]),
        option(6, &[0, 23, 0, 24]),
        option(16, b"\0\0\x01\x37\0\x08MSFT 5.0"),
        option(39, b"\0\x06camera\x04home\0"),
        option(112, b"https://example.com/mud"),
    ];
    vec![[&[1, 0xaa, 0xbb, 0xcc][..], &options.concat()].concat(), vec![11, 1, 2, 3]]
}

/// A device that tells what it is, one that answers, and a search.
pub fn ssdp() -> Vec<Vec<u8>> {
    [
        &b"NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nNT: urn:schemas-upnp-org:device:MediaRenderer:1\r\n\
            NTS: ssdp:alive\r\nSERVER: Linux UPnP/1.0 Make/1\r\nUSN: uuid:1::upnp:rootdevice\r\n\r\n"[..],
        b"HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\nSERVER: a\r\nCPFN.UPNP.ORG: Front room\r\n\r\n",
        b"M-SEARCH * HTTP/1.1\r\nMAN: \"ssdp:discover\"\r\nST: ssdp:all\r\nUSER-AGENT: b\r\n\r\n",
    ]
    .map(<[u8]>::to_vec)
    .into()
}

/// A client hello with a server name and a protocol.
pub fn tls() -> Vec<Vec<u8>> {
    let two = |body: &[u8]| [&(body.len() as u16).to_be_bytes()[..], body].concat();
    let name = two(&[&[0][..], &two(b"www.example.com")].concat());
    let protocols = two(b"\x02h2\x08http/1.1");
    let extensions = [&[0, 0][..], &two(&name), &[0, 16], &two(&protocols), &[0, 43], &two(&[2, 3, 4])].concat();
    let body = [&[3, 3][..], &[7; 32], &[0], &two(&[0x13, 1, 0x13, 2]), &[1, 0], &two(&extensions)].concat();
    let handshake = [&[1, 0][..], &two(&body)].concat();
    let hello = [&[0x16, 3, 1][..], &two(&handshake)].concat();
    vec![hello]
}

/// What servers and clients say about log-ins.
pub fn login() -> Vec<Vec<u8>> {
    [
        &b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n"[..],
        b"530 Login incorrect.\r\n",
        b"230 Login successful.\r\n",
        b"\r\nLogin incorrect\r\nlogin: ",
        b"535 5.7.8 Error: authentication failed\r\n",
        b"-ERR [AUTH] Authentication failed.\r\n",
        b"a1 NO [AUTHENTICATIONFAILED] LOGIN failed.\r\n",
        b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Basic YTpi\r\n\r\n",
    ]
    .map(<[u8]>::to_vec)
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_is_read_to_its_end() {
        let answers: Option<Vec<_>> =
            dns().iter().map(|octets| wire::dns::Message::parse(octets).map(|m| m.answers().count())).collect();
        assert_eq!(answers, Some(vec![0, 3, 1, 0]));
        let [asked, given] = &dhcp()[..] else { panic!("two messages") };
        assert_eq!(wire::dhcp::Message::parse(asked).and_then(|m| m.mud_url), Some(&b"https://example.com/mud"[..]));
        assert_eq!(wire::dhcp::Message::parse(given).and_then(|m| m.router), Some([10, 0, 0, 1].into()));
        let hellos = tls();
        let hello = wire::tls::client_hello(&hellos[0]).map(|hello| (hello.sni, hello.alpn));
        assert_eq!(hello, Some((Some("www.example.com"), Some(&b"h2"[..]))));
    }
}
