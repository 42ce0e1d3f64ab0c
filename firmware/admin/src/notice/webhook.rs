//! A notice as a webhook expects it.

use protocol::PostOrder;
use ring::hmac;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Notice;
use crate::clock::now;
use crate::secret::{hex, unhex};

/// The form in which a webhook is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// The incident as the API shows it, signed.
    #[default]
    Json,
    /// Slack's incoming webhooks, and what speaks like them.
    Slack,
    /// Microsoft Teams' workflows, as an adaptive card.
    Teams,
    /// Discord's webhooks.
    Discord,
    /// Telegram's `sendMessage`, with `chat_id` in the address.
    Telegram,
    /// ntfy, with the topic in the address.
    Ntfy,
    /// Gotify, with the token in the address.
    Gotify,
}

/// A notice as its receiver expects it. Signed is the time, a dot and the body, so that neither can be another.
pub fn order(notice: &Notice, url: &str, preset: Preset, ca: &str, secret: &str) -> PostOrder {
    let text = format!("{} {}", notice.text, notice.more());
    let high = notice.high();
    let body: Value = match preset {
        Preset::Json => {
            let mut body = json!({"id": notice.number, "kind": notice.kind(), "text": notice.text, "incident": notice.incident,
                    "matter": notice.matter, "link": notice.link});
            if !notice.held.is_empty() {
                body["incidents"] = json!(notice.held.incidents);
                body["matters"] = json!(notice.held.matters);
                body["held_back"] = json!(notice.held.count());
            }
            body
        }
        Preset::Slack | Preset::Telegram => json!({"text": text}),
        Preset::Discord => {
            json!({"content": text.chars().take(1_900).collect::<String>(), "allowed_mentions": {"parse": []}})
        }
        Preset::Gotify => json!({"title": "Picket", "message": text, "priority": if high { 8 } else { 4 }}),
        Preset::Teams => json!({"type": "message", "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "content": {"type": "AdaptiveCard", "version": "1.4", "body": [{"type": "TextBlock", "text": text, "wrap": true}]}}]}),
        Preset::Ntfy => Value::Null,
    };
    let (body, kind) = match preset {
        Preset::Ntfy => (text, "text/plain; charset=utf-8"),
        _ => (body.to_string(), "application/json"),
    };
    let time = (now().secs()).to_string();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &unhex(secret).unwrap_or_default());
    let signature = hmac::sign(&key, format!("{time}.{body}").as_bytes());
    let mut headers = vec![
        ("content-type".to_owned(), kind.to_owned()),
        ("x-picket-delivery".into(), notice.number.to_string()),
        ("x-picket-timestamp".into(), time),
        ("x-picket-signature".into(), format!("sha256={}", hex(signature.as_ref()))),
    ];
    if preset == Preset::Ntfy {
        headers.push(("title".into(), "Picket".into()));
        headers.push(("priority".into(), if high { "high" } else { "default" }.into()));
    }
    PostOrder { url: url.into(), ca: ca.into(), headers, body }
}

#[cfg(test)]
mod tests {
    use ring::hmac;

    use super::super::tests::told;
    use super::*;

    #[test]
    fn every_preset_says_the_words_and_is_signed() {
        let notice = told("HIGH");
        let presets = [
            Preset::Json,
            Preset::Slack,
            Preset::Teams,
            Preset::Discord,
            Preset::Telegram,
            Preset::Ntfy,
            Preset::Gotify,
        ];
        for preset in presets {
            let order = order(&notice, "http://x/y", preset, "", "aabb");
            let header = |name: &str| order.headers.iter().find(|(one, _)| one == name).expect("there").1.clone();
            assert!(order.body.contains("ann on nas: =1+1"), "{preset:?} {}", order.body);
            let key = hmac::Key::new(hmac::HMAC_SHA256, &[0xaa, 0xbb]);
            let signed = format!("{}.{}", header("x-picket-timestamp"), order.body);
            let tag = unhex(header("x-picket-signature").trim_start_matches("sha256=")).expect("digits");
            assert!(hmac::verify(&key, signed.as_bytes(), &tag).is_ok());
        }
    }
}
