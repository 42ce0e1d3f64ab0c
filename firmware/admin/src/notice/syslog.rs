//! A notice as one syslog message.
//!
//! **Source**: RFC 5424. Octet counts and datagrams are its transport's, and put around it where it is sent.

use super::Notice;
use crate::clock::rfc3339;
use crate::words::plain;
use protocol::incident::IncidentView;
use terms::Timestamp;

/// What every receiver should take (6.1). **Units**: octets.
const MESSAGE_MAX: usize = 2_048;
/// Facility local0: alerts do not mix with what the receiver's own daemons write.
const FACILITY: u8 = 16;
/// The element of structured data (6.3.2); 32473 is the enterprise number for examples (RFC 5612), for want of one of our own.
const ELEMENT: &str = "picket@32473";
/// The most values of one name, and the longest value in octets: there must be room for words.
const VALUES: usize = 4;
const VALUE_MAX: usize = 48;

/// The message; at most `MESSAGE_MAX` octets, without a line end.
pub fn message(notice: &Notice, host: &str) -> String {
    // Severity (6.2.1): alert, warning, informational.
    let (severity, id) = match notice.kind() {
        "test" => (6, "TEST".to_owned()),
        kind => {
            let severity = if notice.high() { 1 } else { 4 };
            (severity, if notice.matter.is_some() { kind.to_uppercase() } else { "ALERT".into() })
        }
    };
    let at = rfc3339(Timestamp::from_micros(notice.created));
    let data = data(notice);
    let head = format!("<{}>1 {at} {host} picket - {id} [{ELEMENT}{data}] ", FACILITY * 8 + severity);
    let words = plain(&format!("{} {}", notice.text, notice.more()), MESSAGE_MAX);
    // Text that is not ASCII begins with the mark that says how it is written (6.4).
    let mark = if words.is_ascii() { "" } else { "\u{feff}" };
    let room = MESSAGE_MAX.saturating_sub(head.len() + mark.len());
    format!("{head}{mark}{}", cut(&words, room))
}

/// The parameters, each with a space before it.
fn data(notice: &Notice) -> String {
    let mut text = String::new();
    let mut put = |name: &str, value: &str| {
        text.push_str(&format!(" {name}=\"{}\"", escaped(cut(&plain(value, VALUE_MAX), VALUE_MAX))));
    };
    put("notice", &notice.number.to_string());
    if !notice.held.is_empty() {
        put("held", &notice.held.count().to_string());
    }
    for matter in notice.matters().take(VALUES) {
        let who = &matter.who;
        put("family", matter.family.as_str());
        for (name, value) in [("device", &who.name), ("host", &who.address), ("mac", &who.mac), ("owner", &who.owner)] {
            if !value.is_empty() {
                put(name, value);
            }
        }
    }
    let incidents: Vec<&IncidentView> = notice.incidents().take(VALUES).collect();
    for incident in &incidents {
        put("incident", &incident.id.to_string());
    }
    if let [incident] = incidents[..] {
        put("level", &incident.level);
        put("began", &incident.began);
        put("events", &incident.events.to_string());
        put("blocked", if incident.blocked { "true" } else { "false" });
        for (name, values) in
            [("host", &incident.hosts), ("subject", &incident.subjects), ("source", &incident.sources)]
        {
            values.iter().take(VALUES).for_each(|value| put(name, value));
        }
    }
    text
}

/// As it stands between quotes (6.3.3).
fn escaped(value: &str) -> String {
    let mut text = String::new();
    for c in value.chars() {
        if matches!(c, '"' | '\\' | ']') {
            text.push('\\');
        }
        text.push(c);
    }
    text
}

/// The beginning that is at most so many octets long.
fn cut(text: &str, max: usize) -> &str {
    let end = (0..=max.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or_default()]
}

#[cfg(test)]
mod tests {
    use super::super::tests::told;
    use super::*;

    #[test]
    fn a_notice_is_one_line_with_its_level_and_its_parameters() {
        let mut notice = told("HIGH");
        (notice.number, notice.created) = (5, 1_000_000);
        let text = message(&notice, "box");
        let head = "<129>1 1970-01-01T00:00:01.000000Z box picket - ALERT [picket@32473 notice=\"5\" incident=\"7\" level=\"HIGH\" ";
        assert!(text.starts_with(head) && text.contains("] HIGH: ann on nas: =1+1 (incident 7)"), "{text}");
        assert!(message(&told("MEDIUM"), "box").starts_with("<132>1 "));
        notice.incident = None;
        assert!(message(&notice, "box").starts_with("<134>1 1970-01-01T00:00:01.000000Z box picket - TEST ["));
    }

    #[test]
    fn hostile_names_stay_inside_their_quotes_and_the_message_within_its_bound() {
        let mut notice = told("MEDIUM");
        let incident = notice.incident.as_mut().expect("one");
        incident.subjects = vec!["a\"b\\c] d\n<9>1 evil".into(), "\u{10ffff}".repeat(500)];
        incident.hosts = vec!["\"".repeat(400); 16];
        notice.text = format!("\u{e4}\r\n<34>1 {}", "\u{20ac}".repeat(3_000));
        let text = message(&notice, "box");
        assert!(text.contains(r#"subject="a\"b\\c\] d\\u{a}<9>1 evil""#), "{text}");
        assert!(text.contains("\u{feff}\u{e4}") && !text.contains(['\r', '\n']), "{text}");
        assert!((MESSAGE_MAX - 3..=MESSAGE_MAX).contains(&text.len()), "{}", text.len());
    }
}
