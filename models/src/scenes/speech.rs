//! What is said in conversations and datagrams: the first words of each protocol, and sizes for the rest.
//!
//! **Shape**: only what may be looked at is spelt out; encrypted octets are a head of noise and a length.

use crate::sample::Random;

use super::packet::Said;

/// How a program says hello over TLS: the same program says the same each time.
///
/// **Source**: RFC 8446, section 4.1.2; the choice among its lists is what fingerprints of clients are made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    ciphers: Vec<u16>,
    /// Extensions without content, beside the names, the groups, the signatures and the versions.
    plain: Vec<u16>,
    protocols: Vec<&'static str>,
}

const CIPHERS: [u16; 17] = [
    0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f,
    0x0035, 0xc009, 0xc00a,
];
const PLAIN: [u16; 5] = [0x0017, 0x0023, 0x0012, 0x0016, 0x0031];

impl Hello {
    /// The hello of a program.
    pub fn draw(random: &mut Random) -> Self {
        let ciphers = CIPHERS.into_iter().filter(|_| random.happens(0.6)).collect::<Vec<_>>();
        let plain = PLAIN.into_iter().filter(|_| random.happens(0.5)).collect();
        let protocols = random.pick(&[&["h2", "http/1.1"][..], &["http/1.1"], &[]]).to_vec();
        Self { ciphers: if ciphers.is_empty() { CIPHERS[..5].to_vec() } else { ciphers }, plain, protocols }
    }

    /// Its record, with the name of the server where one is wanted.
    #[must_use]
    pub fn record(&self, name: Option<&str>, random: &mut Random) -> Said {
        let mut extensions = Vec::new();
        let mut extend = |kind: u16, value: &[u8]| {
            extensions.extend(kind.to_be_bytes());
            extensions.extend(behind(value));
        };
        if let Some(name) = name {
            let entry = [&[0][..], &behind(name.as_bytes())].concat();
            extend(0, &behind(&entry));
        }
        self.plain.iter().for_each(|kind| extend(*kind, &[]));
        extend(10, &behind(&[0, 0x1d, 0, 0x17, 0, 0x18]));
        extend(13, &behind(&[4, 3, 8, 4, 4, 1, 5, 3, 8, 5]));
        if !self.protocols.is_empty() {
            let list: Vec<u8> = self.protocols.iter().flat_map(|p| [&[p.len() as u8], p.as_bytes()].concat()).collect();
            extend(16, &behind(&list));
        }
        extend(43, &[4, 3, 4, 3, 3]);
        extend(51, &[&[0, 36, 0, 0x1d, 0, 32][..], &noise(random, 32)].concat());
        let ciphers: Vec<u8> = self.ciphers.iter().flat_map(|c| c.to_be_bytes()).collect();
        let mut body = vec![3, 3];
        body.extend(noise(random, 32));
        body.push(32);
        body.extend(noise(random, 32));
        body.extend(behind(&ciphers));
        body.extend([1, 0]);
        body.extend(behind(&extensions));
        let handshake = [&[1, 0][..], &behind(&body)].concat();
        Said::all([&[22, 3, 1][..], &behind(&handshake)].concat())
    }
}

/// Octets behind their length.
fn behind(octets: &[u8]) -> Vec<u8> {
    let len = u16::try_from(octets.len()).unwrap_or(u16::MAX);
    [&len.to_be_bytes()[..], octets].concat()
}

/// So many octets without a meaning.
pub fn noise(random: &mut Random, len: usize) -> Vec<u8> {
    let mut octets = Vec::with_capacity(len + 8);
    while octets.len() < len {
        octets.extend(random.bits().to_le_bytes());
    }
    octets.truncate(len);
    octets
}

/// A record of TLS with so many octets in it: a handshake (22) or what is said inside (23).
pub fn record(kind: u8, len: usize, random: &mut Random) -> Said {
    let [a, b] = u16::try_from(len.min(16_400)).unwrap_or(0).to_be_bytes();
    let mut head = vec![kind, 3, 3, a, b];
    head.extend(noise(random, len.min(24)));
    Said::long(head, len + 5)
}

/// A request of HTTP; what it carries beyond its head is `len` octets.
pub fn request(host: &str, path: &str, agent: &str, len: usize) -> Said {
    let method = if len > 0 { "POST" } else { "GET" };
    let head = format!(
        "{method} /{path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {agent}\r\nAccept: */*\r\nContent-Length: {len}\r\n\r\n"
    );
    let all = head.len() + len;
    Said::long(head, all)
}

/// Its answer.
pub fn response(len: usize) -> Said {
    let head = format!("HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: text/html\r\nContent-Length: {len}\r\n\r\n");
    let all = head.len() + len;
    Said::long(head, all)
}

/// A question of DNS (RFC 1035, section 4.1).
pub fn question(id: u16, name: &str, qtype: u16) -> Vec<u8> {
    let mut message = id.to_be_bytes().to_vec();
    message.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.split('.') {
        message.push(label.len() as u8);
        message.extend(label.as_bytes());
    }
    message.push(0);
    message.extend(qtype.to_be_bytes());
    message.extend([0, 1]);
    message
}

/// The answer to a question: records of its type with this content, or the code of an error.
pub fn answer(question: &[u8], code: u8, ttl: u32, contents: &[Vec<u8>]) -> Vec<u8> {
    let mut message = question.to_vec();
    (message[2], message[3]) = (0x81, 0x80 | code);
    message[7] = contents.len() as u8;
    let qtype = [question[question.len() - 4], question[question.len() - 3]];
    for content in contents {
        message.extend([0xc0, 12]);
        message.extend(qtype);
        message.extend([0, 1]);
        message.extend(ttl.to_be_bytes());
        message.extend(behind(content));
    }
    message
}

/// A packet of NTP (RFC 5905, section 7.3): a client's (3) or a server's (4).
pub fn ntp(mode: u8, random: &mut Random) -> Said {
    let mut packet = vec![0x20 | mode, 2, 6, 0xec];
    packet.extend(noise(random, 44));
    Said::all(packet)
}

/// A question of multicast DNS for a service.
#[must_use]
pub fn service_question(service: &str) -> Said {
    let mut message = question(0, service, 12);
    message[2] = 0;
    Said::all(message)
}

/// A message that a device publishes by MQTT (version 3.1.1, section 3.3), or a ping where there is room for no more.
#[must_use]
pub fn published(len: usize) -> Said {
    match u8::try_from(len) {
        Ok(len @ 8..=129) => Said::long([&[0x30, len - 2, 0, 4][..], b"home"].concat(), len.into()),
        _ => Said::all([0xc0, 0]),
    }
}

/// A message of CoAP (RFC 7252, section 3): a question, or the answer to one.
#[must_use]
pub fn constrained(answers: bool, id: u16, len: usize) -> Said {
    let (kind, code) = if answers { (0x60, 0x45) } else { (0x40, 0x02) };
    let [a, b] = id.to_be_bytes();
    Said::long([kind, code, a, b, 0xff, b'{'], len)
}

/// A search of SSDP (UPnP device architecture, section 1.3.2).
#[must_use]
pub fn search(target: &str) -> Said {
    Said::all(format!(
        "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 2\r\nST: {target}\r\n\r\n"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hello_reads_back_with_the_name_and_is_the_same_but_for_its_noise() {
        let mut random = Random::new(1);
        for _ in 0..50 {
            let hello = Hello::draw(&mut random);
            let said = hello.record(Some("www.house.example"), &mut random);
            let read = wire::tls::client_hello(&said.head).unwrap();
            assert_eq!(read.sni, Some("www.house.example"));
            assert_eq!(read.alpn.is_some(), !hello.protocols.is_empty());
            assert_eq!(said.len, hello.record(Some("www.mouse.example"), &mut random).len);
            let unnamed = hello.record(None, &mut random);
            assert_eq!(wire::tls::client_hello(&unnamed.head).unwrap().sni, None);
        }
    }

    #[test]
    fn an_answer_repeats_its_question_and_bears_its_records() {
        let asked = question(7, "www.house.example", 1);
        let message = answer(&asked, 0, 60, &[vec![198, 18, 0, 1], vec![198, 18, 0, 2]]);
        let read = wire::dns::Message::parse(&message).unwrap();
        assert!(read.header.response && read.header.id == 7);
        let addresses: Vec<_> = read.answers().filter_map(|a| a.address).map(|a| a.to_string()).collect();
        assert_eq!(addresses, ["198.18.0.1", "198.18.0.2"]);
        assert_eq!(wire::dns::Message::parse(&answer(&asked, 3, 0, &[])).unwrap().header.rcode, wire::dns::NAME_ERROR);
    }
}
