//! What devices say of themselves, taken off the frames and handed to the keeper.
//!
//! A frame that says nothing of the kind costs a look at its ports. What was said within the last minute is not said again, and what
//! finds the channel full is dropped and counted: the inspector never waits, and a flood of announcements fills no memory.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use policy::device::{Clue, MudSource, NameSource, Says};
use terms::{HostKey, MacAddr, Side, Span, Timestamp};
use wire::udp::Datagram;
use wire::{Net, Packet, Summary, Transport, dhcp, dhcp6, dns, lldp, ssdp};

use super::told::Told;

/// Clues on their way to the keeper.
const CLUES: usize = 1_024;
/// Things said that are remembered; a later one pushes out another in its place.
const REMEMBERED: usize = 1_024;
/// How long the same is not said again.
const AGAIN: Span = Span::from_secs(60);
/// Records of one message that are looked at.
const RECORDS: usize = 32;

/// One thing learnt of a device.
#[derive(Debug)]
pub enum Learnt {
    /// A device said it itself.
    Said(Clue),
    /// A name server knows an address by this name.
    Called(IpAddr, String, Timestamp),
    /// A device was told addresses for a name that it asked for.
    Told(Told),
}

/// The inspector's end.
pub struct Clues {
    to: SyncSender<Learnt>,
    hasher: RandomState,
    /// What was said, and when: by the hash of it.
    said: Vec<(u64, Timestamp)>,
    lost: u64,
}

/// A frame at hand.
#[derive(Clone, Copy)]
struct Speaker {
    mac: MacAddr,
    side: Side,
    at: Timestamp,
}

impl Clues {
    /// Both ends of the channel.
    pub fn channel() -> (Self, Receiver<Learnt>) {
        let (to, from) = sync_channel(CLUES);
        let said = vec![(0, Timestamp::EPOCH); REMEMBERED];
        (Self { to, hasher: RandomState::new(), said, lost: 0 }, from)
    }

    /// Clues that found the channel full.
    pub const fn lost(&self) -> u64 {
        self.lost
    }

    /// Passes on what a device was told, unless it was told the same a moment ago.
    #[cold]
    pub fn pass_told(&mut self, told: Told) {
        let what = (told.mac, &told.name, told.addresses.iter().map(|(address, _)| *address).collect::<Vec<_>>());
        if self.is_news(what, told.at) {
            self.pass_on(Learnt::Told(told));
        }
    }

    /// Hears what a frame says of its sender.
    #[inline]
    pub fn hear(&mut self, frame: &Summary<'_>, at: Timestamp, side: Side) {
        let speaker = Speaker { mac: frame.src, side, at };
        match &frame.net {
            Net::Ip(packet) => {
                if let Transport::Udp(datagram) = &packet.transport {
                    self.hear_datagram(speaker, packet, datagram);
                }
            }
            Net::Lldp(message) => self.hear_lldp(speaker, message),
            Net::Arp(_) | Net::Other(_) => {}
        }
    }

    #[inline]
    fn hear_datagram(&mut self, speaker: Speaker, packet: &Packet<'_>, datagram: &Datagram<'_>) {
        match (datagram.src_port, datagram.dst_port) {
            (dhcp::CLIENT_PORT, dhcp::SERVER_PORT) | (dhcp::SERVER_PORT, dhcp::CLIENT_PORT) => {
                self.hear_dhcp(speaker, datagram.payload);
            }
            (dhcp6::CLIENT_PORT, dhcp6::SERVER_PORT) => self.hear_dhcp6(speaker, datagram.payload),
            (dns::MULTICAST_PORT, _) => self.hear_mdns(speaker, packet.src, datagram.payload),
            (ssdp::PORT, _) | (_, ssdp::PORT) => self.hear_ssdp(speaker, datagram.payload),
            // On the LAN side anybody could make itself a name server.
            (53, _) if speaker.side == Side::Uplink => self.hear_dns(speaker.at, datagram.payload),
            _ => {}
        }
    }

    #[cold]
    fn hear_dhcp(&mut self, speaker: Speaker, payload: &[u8]) {
        let Some(message) = dhcp::Message::parse(payload) else { return };
        if message.kind == Some(dhcp::ACK) {
            // What anybody on the LAN side calls a lease is none.
            if speaker.side == Side::Uplink && !message.your.is_unspecified() {
                let client = Speaker { mac: message.client_mac, side: Side::Unknown, ..speaker };
                self.say(client, Says::Leased(message.your));
            }
            return;
        }
        // Who speaks for another's hardware address tells nothing of its own.
        if !matches!(message.kind, Some(dhcp::DISCOVER | dhcp::REQUEST)) || message.client_mac != speaker.mac {
            return;
        }
        let full = message.fqdn().map(|name| name.as_str().to_owned());
        let name = message.host_name.and_then(Says::text).or(full);
        self.say_each(speaker, name, |name| Says::Name(NameSource::Dhcp, name));
        if let Some(parameters) = message.parameters {
            let class = message.vendor_class.and_then(Says::text).unwrap_or_default();
            self.say(speaker, Says::Fingerprint(parameters.to_vec(), class));
        }
        self.say_each(speaker, message.mud_url.and_then(url), |url| Says::Mud(MudSource::Dhcp, url));
    }

    #[cold]
    fn hear_dhcp6(&mut self, speaker: Speaker, payload: &[u8]) {
        let Some(message) = dhcp6::Message::parse(payload) else { return };
        let name = message.fqdn().map(|name| name.as_str().to_owned());
        self.say_each(speaker, name, |name| Says::Name(NameSource::Dhcp, name));
        self.say_each(speaker, message.mud_url.and_then(url), |url| Says::Mud(MudSource::Dhcp6, url));
    }

    #[cold]
    fn hear_mdns(&mut self, speaker: Speaker, from: IpAddr, payload: &[u8]) {
        let Some(message) = dns::Message::parse(payload).filter(|message| message.header.response) else { return };
        for record in message.records().take(RECORDS) {
            // Of other hosts' addresses a host may speak too, as a proxy for those that sleep.
            if record.address == Some(from) {
                let name = record.name().map(|name| name.as_str().to_owned());
                self.say_each(speaker, name, |name| Says::Name(NameSource::Mdns, name));
            } else if record.rtype == dns::PTR {
                self.say_each(speaker, service(&record), Says::Service);
            } else if record.rtype == dns::TXT {
                let model = record.texts().find_map(model).and_then(Says::text);
                self.say_each(speaker, model, Says::Model);
            }
        }
    }

    #[cold]
    fn hear_ssdp(&mut self, speaker: Speaker, payload: &[u8]) {
        let Some(message) = ssdp::Message::parse(payload) else { return };
        self.say_each(speaker, message.server.or(message.agent).and_then(Says::text), Says::Software);
        // A search names what is looked for, not who looks.
        if message.kind != ssdp::Kind::Search {
            self.say_each(speaker, message.device_type().and_then(Says::text), Says::UpnpType);
            let name = message.friendly_name.and_then(Says::text);
            self.say_each(speaker, name, |name| Says::Name(NameSource::Upnp, name));
        }
    }

    #[cold]
    fn hear_lldp(&mut self, speaker: Speaker, message: &lldp::Message<'_>) {
        let told = message.read();
        let name = told.system_name.and_then(Says::text);
        self.say_each(speaker, name, |name| Says::Name(NameSource::Lldp, name));
        self.say_each(speaker, told.description.and_then(Says::text), Says::Software);
        self.say_each(speaker, told.mud_url.and_then(url), |url| Says::Mud(MudSource::Lldp, url));
        if told.capabilities != 0 {
            self.say(speaker, Says::Capabilities(told.capabilities));
        }
    }

    fn hear_dns(&mut self, at: Timestamp, payload: &[u8]) {
        let Some(message) = dns::Message::parse(payload).filter(|message| message.header.answers > 0) else { return };
        for record in message.answers().take(RECORDS) {
            let Some(address) = record.address.filter(|address| !HostKey::from(*address).is_global()) else { continue };
            let Some(name) = record.name() else { continue };
            if self.is_news((address, name.as_bytes()), at) {
                self.pass_on(Learnt::Called(address, name.as_str().to_owned(), at));
            }
        }
    }

    fn say_each(&mut self, speaker: Speaker, text: Option<String>, says: impl Fn(String) -> Says) {
        if let Some(text) = text {
            self.say(speaker, says(text));
        }
    }

    fn say(&mut self, speaker: Speaker, says: Says) {
        let Speaker { mac, side, at } = speaker;
        if self.is_news((mac, side, &says), at) {
            self.pass_on(Learnt::Said(Clue { mac, side, at, says }));
        }
    }

    /// Whether this was not said within the last minute.
    fn is_news(&mut self, what: impl std::hash::Hash, at: Timestamp) -> bool {
        let hash = self.hasher.hash_one(what);
        let place = &mut self.said[hash as usize % REMEMBERED];
        let news = place.0 != hash || at.since(place.1) >= AGAIN;
        if news {
            *place = (hash, at);
        }
        news
    }

    fn pass_on(&mut self, learnt: Learnt) {
        self.lost += u64::from(self.to.try_send(learnt).is_err());
    }
}

/// An address of a description: printable ASCII that begins as one.
fn url(octets: &[u8]) -> Option<String> {
    let text = str::from_utf8(octets).ok()?.trim_end_matches('\0');
    (text.starts_with("https://") && text.bytes().all(|c| c.is_ascii_graphic())).then(|| text.to_owned())
}

/// The type of a service that a pointer tells: `_ipp._tcp`.
fn service(record: &dns::Answer<'_>) -> Option<String> {
    let owner = record.name()?;
    let listed = owner.as_str().starts_with("_services._dns-sd.");
    let name = if listed { record.target()? } else { owner };
    let service = name.as_str().strip_suffix(".local")?;
    let kept = service.starts_with('_') && !service.contains("._sub.") && service.matches('.').count() == 1;
    kept.then(|| service.to_owned())
}

/// The model in a text of multicast DNS. The same key holds numbers where it says which pictures a loudspeaker takes.
fn model(text: &[u8]) -> Option<&[u8]> {
    let model = [&b"ty="[..], b"md=", b"model=", b"am="].iter().find_map(|key| text.strip_prefix(*key))?;
    model.iter().any(u8::is_ascii_alphabetic).then_some(model)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::LinkType;

    const MAC: [u8; 6] = [2, 0, 0, 0, 0, 9];

    /// A frame of a datagram from 192.168.7.9.
    fn datagram(ports: (u16, u16), payload: &[u8]) -> Vec<u8> {
        let len = |more: usize| ((payload.len() + more) as u16).to_be_bytes();
        let ip = [&[0x45, 0][..], &len(28), &[0, 0, 0, 0, 64, 17, 0, 0, 192, 168, 7, 9, 224, 0, 0, 251]].concat();
        let udp = [&ports.0.to_be_bytes()[..], &ports.1.to_be_bytes(), &len(8), &[0, 0]].concat();
        [&[1, 0, 0x5e, 0, 0, 1][..], &MAC, &[8, 0], &ip, &udp, payload].concat()
    }

    /// What is learnt of a frame that comes at a second.
    fn learnt(clues: &mut Clues, from: &Receiver<Learnt>, octets: &[u8], side: Side, secs: u64) -> Vec<String> {
        let frame = wire::parse(LinkType::Ethernet, octets, octets.len() as u32, None).unwrap();
        clues.hear(&frame, Timestamp::from_secs(secs), side);
        let word = |learnt| match learnt {
            Learnt::Said(clue) => format!("{} {:?}", clue.mac, clue.says),
            Learnt::Called(address, name, _) => format!("{address} {name}"),
            Learnt::Told(told) => format!("{} {}", told.mac, told.name),
        };
        from.try_iter().map(word).collect()
    }

    fn dhcp_message(op: u8, options: &[u8]) -> Vec<u8> {
        let mut message = vec![0; 236];
        message[..3].copy_from_slice(&[op, 1, 6]);
        message[16..20].copy_from_slice(&[192, 168, 7, 50]);
        message[28..34].copy_from_slice(&MAC);
        [&message[..], &[99, 130, 83, 99], options, &[255]].concat()
    }

    #[test]
    fn a_request_for_a_lease_tells_name_fingerprint_and_description() {
        let (mut clues, from) = Clues::channel();
        let options = b"\x35\x01\x03\x0c\x03cam\x3c\x05udhcp\x37\x03\x01\x03\x06\xa1\x0ehttps://m.ex/c";
        let frame = datagram((68, 67), &dhcp_message(1, options));
        let told = [
            "02:00:00:00:00:09 Name(Dhcp, \"cam\")",
            "02:00:00:00:00:09 Fingerprint([1, 3, 6], \"udhcp\")",
            "02:00:00:00:00:09 Mud(Dhcp, \"https://m.ex/c\")",
        ];
        assert_eq!(learnt(&mut clues, &from, &frame, Side::Lan, 1_000), told);
        assert_eq!(learnt(&mut clues, &from, &frame, Side::Lan, 1_059), [""; 0], "the same is not said again");
        assert_eq!(learnt(&mut clues, &from, &frame, Side::Lan, 1_060), told);
    }

    #[test]
    fn a_lease_is_believed_from_the_router_s_side_alone() {
        let (mut clues, from) = Clues::channel();
        let frame = datagram((67, 68), &dhcp_message(2, b"\x35\x01\x05"));
        assert_eq!(learnt(&mut clues, &from, &frame, Side::Lan, 1), [""; 0]);
        let told = ["02:00:00:00:00:09 Leased(192.168.7.50)"];
        assert_eq!(learnt(&mut clues, &from, &frame, Side::Uplink, 1), told);
    }

    #[test]
    fn who_asks_for_another_s_lease_tells_nothing() {
        let (mut clues, from) = Clues::channel();
        let mut frame = datagram((68, 67), &dhcp_message(1, b"\x35\x01\x03\x0c\x03cam"));
        frame[11] = 7;
        assert_eq!(learnt(&mut clues, &from, &frame, Side::Lan, 1), [""; 0]);
    }

    #[test]
    fn multicast_dns_tells_services_models_and_the_speaker_s_own_name() {
        let (mut clues, from) = Clues::channel();
        let records = b"\x04_ipp\x04_tcp\x05local\0\0\x0c\0\x01\0\0\0\x09\0\x05\x02hp\xc0\x0c\
            \xc0\x27\0\x10\0\x01\0\0\0\x09\0\x06\x05ty=X1\
            \x05print\xc0\x16\0\x01\0\x01\0\0\0\x09\0\x04\xc0\xa8\x07\x09\
            \x05other\xc0\x16\0\x01\0\x01\0\0\0\x09\0\x04\xc0\xa8\x07\x63";
        let message = [&[0, 0, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 3][..], records].concat();
        let told = ["Service(\"_ipp._tcp\")", "Model(\"X1\")", "Name(Mdns, \"print.local\")"];
        let told = told.map(|says| format!("02:00:00:00:00:09 {says}"));
        assert_eq!(learnt(&mut clues, &from, &datagram((5353, 5353), &message), Side::Lan, 1), told);
    }

    #[test]
    fn a_name_server_beyond_the_box_names_addresses_of_the_network() {
        let (mut clues, from) = Clues::channel();
        let message = b"\0\x01\x81\x80\0\0\0\x02\0\0\0\0\x03nas\x03lan\0\0\x01\0\x01\0\0\0\x09\0\x04\xc0\xa8\x07\x32\
            \x03www\0\0\x01\0\x01\0\0\0\x09\0\x04\xc6\x33\x64\x07";
        let frame = datagram((53, 40_000), message);
        assert_eq!(learnt(&mut clues, &from, &frame, Side::Lan, 1), [""; 0]);
        assert_eq!(learnt(&mut clues, &from, &frame, Side::Uplink, 1), ["192.168.7.50 nas.lan"]);
    }

    #[test]
    fn what_finds_no_room_is_counted_and_nobody_waits() {
        let (mut clues, _from) = Clues::channel();
        for n in 0..CLUES as u32 + 7 {
            let text = format!("NOTIFY * HTTP/1.1\r\nSERVER: {n}\r\n");
            let frame = datagram((1900, 1900), text.as_bytes());
            let frame = wire::parse(LinkType::Ethernet, &frame, frame.len() as u32, None).unwrap();
            clues.hear(&frame, Timestamp::from_secs(1), Side::Lan);
        }
        assert_eq!(clues.lost(), 7);
    }
}
