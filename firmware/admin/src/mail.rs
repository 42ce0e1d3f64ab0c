//! Sends one mail, in a process of its own: the API's can make no connection, and the gateway's has rights that no server's answer
//! should meet.
//!
//! It is started by the gateway, reads one `MailOrder` from its standard input, gives up its rights, and writes one `MailSent`.

use std::io::{self, Read, Write};
use std::process::ExitCode;
use std::time::Duration;

use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{Address, Message, SmtpTransport, Transport};
use protocol::{MailOrder, MailSent};

use crate::privileges;

/// The longest order, in octets.
const ORDER_MAX: u64 = 256 << 10;
/// How long the server may take for a step.
const PATIENCE: Duration = Duration::from_secs(8);

/// Sends what standard input says, as a user that owns nothing.
#[must_use]
pub fn run() -> ExitCode {
    let mut text = Vec::new();
    let order = io::stdin().take(ORDER_MAX).read_to_end(&mut text).map_err(|error| error.to_string());
    let order = order.and_then(|_| serde_json::from_slice::<MailOrder>(&text).map_err(|error| error.to_string()));
    let sent = match order {
        Ok(order) => match privileges::give_up_all_but_one_port(order.port) {
            Ok(()) => send(&order),
            Err(error) => not_now(error.to_string()),
        },
        Err(why) => not_now(why),
    };
    let text = serde_json::to_vec(&sent).unwrap_or_default();
    if io::stdout().write_all(&text).is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn not_now(why: String) -> MailSent {
    MailSent { accepted: false, refused: false, why }
}

fn send(order: &MailOrder) -> MailSent {
    let message = match message(order) {
        Ok(message) => message,
        Err(why) => return MailSent { refused: true, ..not_now(why) },
    };
    let transport = match transport(order) {
        Ok(transport) => transport,
        Err(why) => return not_now(why),
    };
    match transport.send(&message) {
        Ok(_) => MailSent { accepted: true, ..MailSent::default() },
        Err(error) => MailSent { accepted: false, refused: error.is_permanent(), why: told(&error) },
    }
}

/// An error with what lies behind it.
fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let more = cause.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        source = cause.source();
    }
    text
}

fn transport(order: &MailOrder) -> Result<SmtpTransport, String> {
    let mut tls = TlsParameters::builder(order.server.clone());
    if !order.ca.is_empty() {
        let ca = Certificate::from_pem(order.ca.as_bytes()).map_err(|error| format!("mail.ca: {}", told(&error)))?;
        tls = tls.add_root_certificate(ca);
    }
    let tls = tls.build_rustls().map_err(|error| told(&error))?;
    // Never in clear: neither a password nor a code crosses the network unsealed.
    let tls = if order.implicit_tls { Tls::Wrapper(tls) } else { Tls::Required(tls) };
    let mut transport =
        SmtpTransport::builder_dangerous(&order.server).port(order.port).tls(tls).timeout(Some(PATIENCE));
    if !order.user.is_empty() {
        transport = transport.credentials(Credentials::new(order.user.clone(), order.password.clone()));
    }
    Ok(transport.build())
}

fn message(order: &MailOrder) -> Result<Message, String> {
    let address = |text: &str| text.parse::<Address>().map_err(|error| format!("{text}: {error}"));
    let from = Mailbox::new(Some("Picket".into()), address(&order.from)?);
    let plain = order.lines.join("\r\n\r\n") + "\r\n";
    let paragraphs: String = order.lines.iter().map(|line| format!("<p>{}</p>\n", escaped(line))).collect();
    let html = format!("<!doctype html>\n<html><body>\n{paragraphs}</body></html>\n");
    Message::builder()
        .from(from)
        .to(Mailbox::new(None, address(&order.to)?))
        .subject(order.subject.replace(['\r', '\n'], " "))
        .multipart(MultiPart::alternative_plain_html(plain, html))
        .map_err(|error| error.to_string())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order() -> MailOrder {
        MailOrder {
            server: "127.0.0.1".into(),
            port: 1,
            implicit_tls: false,
            ca: String::new(),
            user: String::new(),
            password: "a secret".into(),
            from: "picket@example.org".into(),
            to: "ada@example.org".into(),
            subject: "a\r\nBcc: all@example.org".into(),
            lines: vec!["<b>1 & 2</b>".into()],
        }
    }

    #[test]
    fn no_line_of_the_head_and_no_tag_comes_from_a_text() {
        let text = String::from_utf8(message(&order()).expect("a message").formatted()).expect("text");
        assert!(!text.contains("\r\nBcc:"), "{text}");
        assert!(text.contains("&lt;b&gt;1 &amp; 2&lt;/b&gt;"), "{text}");
        assert!(!format!("{:?}", order()).contains("secret"));
    }

    #[test]
    fn a_server_that_is_not_there_is_tried_again_and_an_address_that_is_none_is_not() {
        let sent = send(&order());
        assert!(!sent.accepted && !sent.refused && !sent.why.is_empty(), "{sent:?}");
        assert!(send(&MailOrder { to: "nobody".into(), ..order() }).refused);
    }
}
