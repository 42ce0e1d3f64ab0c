//! The protocols of conversations: how each begins, and what its questions and answers look like.

use terms::Span;

use crate::scenes::conversation::{Conversation, Way};
use crate::scenes::packet::Said;
use crate::scenes::speech::{self, Hello};
use crate::scenes::stage::Stage;
use crate::scenes::words::spoken;

/// How the two ends speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speech {
    /// TLS with the server's name.
    Tls,
    /// TLS by somebody who does not say whom he wants.
    TlsUnnamed,
    /// TLS with the server's name, by a program that brings its own library.
    TlsForeign,
    /// The same without the name.
    TlsForeignUnnamed,
    /// HTTP.
    Http,
    /// SSH.
    Ssh,
    /// SMTP that goes on as TLS (RFC 3207).
    Smtp,
    /// SMB.
    Smb,
    /// Stratum, in which miners talk to their pool.
    Stratum,
    /// MQTT without TLS.
    Mqtt,
    /// Something of the program's own.
    Raw,
}

impl Speech {
    /// What comes before the first question.
    pub(super) fn greet(self, with: &mut Conversation, name: Option<&str>, stage: &mut Stage) {
        match self {
            Self::Tls => greet_tls(with, name, &stage.device.hello.clone(), stage),
            Self::TlsUnnamed => greet_tls(with, None, &stage.device.hello.clone(), stage),
            Self::TlsForeign => greet_tls(with, name, &stage.device.foreign_hello.clone(), stage),
            Self::TlsForeignUnnamed => greet_tls(with, None, &stage.device.foreign_hello.clone(), stage),
            Self::Ssh => {
                with.say(stage, Way::Up, &Said::all(*b"SSH-2.0-OpenSSH_9.2p1\r\n"));
                with.say(stage, Way::Down, &Said::all(*b"SSH-2.0-OpenSSH_9.6\r\n"));
                for len in [1_500, 400, 1_100] {
                    let head = [0, 0, 4, 0xdc, 6, 20];
                    with.say(stage, Way::Up, &Said::long(head, len));
                    with.say(stage, Way::Down, &Said::long(head, len + 80));
                }
            }
            Self::Smtp => {
                with.say(stage, Way::Down, &Said::all(*b"220 mx.example ESMTP\r\n"));
                with.say(stage, Way::Up, &Said::all(*b"EHLO mail.example\r\n"));
                with.say(stage, Way::Down, &Said::all(*b"250-mx.example\r\n250-STARTTLS\r\n250 8BITMIME\r\n"));
                with.say(stage, Way::Up, &Said::all(*b"STARTTLS\r\n"));
                with.say(stage, Way::Down, &Said::all(*b"220 2.0.0 Ready to start TLS\r\n"));
                greet_tls(with, name, &stage.device.hello.clone(), stage);
            }
            Self::Smb => {
                for (up, down) in [(240, 280), (166, 350), (620, 150), (170, 140)] {
                    with.say(stage, Way::Up, &smb(up));
                    with.say(stage, Way::Down, &smb(down));
                }
            }
            Self::Stratum => {
                let login = format!(
                    "{{\"id\":1,\"method\":\"login\",\"params\":{{\"login\":\"{:032x}\",\"agent\":\"rig\"}}}}\n",
                    stage.device.own
                );
                with.say(stage, Way::Up, &Said::all(login));
                with.say(stage, Way::Down, &Said::long(*b"{\"id\":1,\"result\":{\"job\":", 420));
            }
            Self::Mqtt => {
                with.say(stage, Way::Up, &Said::all(*b"\x10\x1a\x00\x04MQTT\x04\x02\x00\x3c\x00\x0edevice-0000001"));
                with.say(stage, Way::Down, &Said::all([0x20, 2, 0, 0]));
            }
            Self::Http | Self::Raw => {}
        }
    }

    /// A question (`Up`) or an answer of so many octets.
    pub(super) fn said(self, len: usize, way: Way, name: Option<&str>, stage: &mut Stage) -> Said {
        match (self, way) {
            (Self::Http, Way::Up) => {
                let path = spoken(&mut stage.random);
                let body = if len > 400 { len } else { 0 };
                speech::request(name.unwrap_or("device"), &path, &stage.device.agent, body)
            }
            (Self::Http, Way::Down) => speech::response(len),
            (Self::Smb, _) => smb(len),
            (Self::Stratum, Way::Up) => Said::long(*b"{\"id\":7,\"method\":\"submit\",\"params\":{", len),
            (Self::Stratum, Way::Down) => Said::long(*b"{\"jsonrpc\":\"2.0\",\"method\":\"job\",", len),
            (Self::Mqtt, _) => speech::published(len),
            (Self::Ssh | Self::Raw, _) => {
                let head = speech::noise(&mut stage.random, len.min(24));
                Said::long(head, len)
            }
            _ => speech::record(23, len, &mut stage.random),
        }
    }
}

fn greet_tls(with: &mut Conversation, name: Option<&str>, hello: &Hello, stage: &mut Stage) {
    let said = hello.record(name, &mut stage.random);
    with.say(stage, Way::Up, &said);
    let resumed = stage.random.happens(0.3);
    let flight = if resumed { 220 } else { 2_400 + stage.random.below(2_600) };
    let flight = speech::record(22, flight, &mut stage.random);
    with.say(stage, Way::Down, &flight);
    with.wait(Span::from_micros(900));
    let finished = 64 + stage.random.below(62);
    let finished = speech::record(20, finished, &mut stage.random);
    with.say(stage, Way::Up, &finished);
}

fn smb(len: usize) -> Said {
    let [_, a, b, c] = u32::try_from(len.max(8) - 4).unwrap_or(0).to_be_bytes();
    Said::long([0, a, b, c, 0xfe, b'S', b'M', b'B'], len)
}
