//! What TCP and UDP carry, without the frame around it.

use wire::ja4::{self, Ja4};
use wire::{dhcp, dhcp6, dns, login, ssdp, tls};

use super::{kind, size};

/// The ports whose answers are read.
const PORTS: [u16; 16] = [21, 22, 23, 25, 80, 110, 143, 443, 465, 587, 993, 995, 2323, 8000, 8080, 8888];

pub fn dns(input: &[u8]) -> u64 {
    let Some(message) = dns::Message::parse(input) else { return 0 };
    let name = message.question().map(|question| {
        let name = question.name.as_bytes();
        assert!(name.len() <= 255 && question.name.as_str().len() <= 255);
        assert!(!name.iter().any(u8::is_ascii_uppercase));
        (size(name.len()), size(question.qtype.into()))
    });
    let mut answers = 0;
    let mut addresses = (0, 0);
    for answer in message.answers() {
        assert!(answer.name().is_none_or(|name| name.as_bytes().len() <= 255));
        answers += 1;
        addresses.0 += usize::from(answer.address.is_some_and(|a| a.is_ipv4()));
        addresses.1 += usize::from(answer.address.is_some_and(|a| a.is_ipv6()));
    }
    assert!(answers <= usize::from(message.header.answers) && answers <= input.len());
    let mut targets = 0;
    for record in message.records() {
        targets += usize::from(record.target().is_some_and(|name| name.as_bytes().len() <= 253));
        assert!(record.texts().map(<[u8]>::len).sum::<usize>() <= input.len());
    }
    let header = (message.header.response, message.header.truncated, message.header.rcode);
    kind((header, name, size(answers), size(addresses.0), size(addresses.1), size(targets)))
}

pub fn dhcp(input: &[u8]) -> u64 {
    let Some(message) = dhcp::Message::parse(input) else { return 0 };
    let parts = [message.host_name, message.vendor_class, message.parameters, message.mud_url];
    for part in parts.into_iter().chain([message.name_servers, message.time_servers]).flatten() {
        assert!(dhcp::addresses(part).count() == part.len() / 4);
        assert!(input.as_ptr_range().start <= part.as_ptr_range().start && part.len() <= 255);
    }
    assert!(message.fqdn().is_none_or(|name| (1..=253).contains(&name.as_bytes().len())));
    let addresses = (message.server.is_some(), message.router.is_some(), message.your.is_unspecified());
    kind((message.kind, message.is_from_server(), addresses, parts.map(|part| part.map(|part| size(part.len())))))
}

pub fn dhcp6(input: &[u8]) -> u64 {
    let Some(message) = dhcp6::Message::parse(input) else { return 0 };
    let name = message.fqdn().map(|name| {
        assert!((1..=253).contains(&name.as_bytes().len()));
        size(name.as_bytes().len())
    });
    let parts = [message.vendor_class, message.parameters, message.mud_url];
    kind((message.kind, message.client_mac.is_some(), name, parts.map(|part| part.map(|part| size(part.len())))))
}

pub fn ssdp(input: &[u8]) -> u64 {
    let Some(message) = ssdp::Message::parse(input) else { return 0 };
    let parts = [message.server, message.agent, message.target, message.usn, message.friendly_name];
    for part in parts.into_iter().flatten() {
        assert!(!part.contains(&b'\n') && part.len() < input.len());
    }
    kind((message.kind, message.device_type().is_some(), parts.map(|part| part.map(|part| size(part.len())))))
}

pub fn tls(input: &[u8]) -> u64 {
    let Some(hello) = tls::client_hello(input) else { return 0 };
    let name = hello.sni.map(|name| {
        assert!(name.len() <= input.len());
        size(name.chars().count())
    });
    let client = Ja4::of_hello(input).map(|client| {
        let text = client.to_string();
        assert!(text.len() == ja4::LEN && text.is_ascii(), "{text:?}");
        size(input.len())
    });
    kind((1, name, hello.alpn.map(<[u8]>::len), client))
}

pub fn login(input: &[u8]) -> u64 {
    let banner = login::ssh_banner(input).map(|banner| {
        assert!(banner.len() <= input.len());
        size(banner.len())
    });
    let outcomes = PORTS.map(|port| login::outcome(port, input).map(|outcome| outcome == login::Outcome::Failed));
    kind((banner, outcomes, login::basic_credentials(input)))
}
