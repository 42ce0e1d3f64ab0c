//! What the API keeps for itself that people may change: each key once, with its default, meaning and bounds.

use std::collections::BTreeMap;

use policy::{Turn, Zone};
use protocol::views::SettingView;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::audit::Act;
use crate::office::Office;
use crate::problem::Problem;
use crate::role::Role;
use crate::rows::{Change, Rows, RowsError, Single};
use crate::words::Email;

/// Where the first set-up stands.
pub const SETUP: &str = "setup.step";
/// The longest text of a value, in octets.
const TEXT_MAX: usize = 254;
/// The most addresses that reports are sent to.
const ADDRESSES_MAX: usize = 8;
/// What is shown of a secret that is there.
const HIDDEN: &str = "(set)";

/// One key.
struct Key {
    id: &'static str,
    default: fn() -> Value,
    meaning: &'static str,
    expected: &'static str,
    good: fn(&Value) -> bool,
    secret: bool,
}

/// Every key.
const KEYS: &[Key] = &[
    Key {
        id: "accounts.register",
        default: || json!(false),
        meaning: "Whether people may ask for an account by themselves; a superadmin approves it, and its role is user.",
        expected: "true or false",
        good: Value::is_boolean,
        secret: false,
    },
    Key {
        id: "accounts.bearer_minutes",
        default: || json!(60),
        meaning: "How long a session of a bearer token lasts, in minutes.",
        expected: "a whole number from 10 to 120",
        good: |value| value.as_u64().is_some_and(|minutes| (10..=120).contains(&minutes)),
        secret: false,
    },
    Key {
        id: "accounts.require_totp",
        default: || json!(false),
        meaning: "Whether a superadmin needs a second factor: one without may only set it up.",
        expected: "true or false",
        good: Value::is_boolean,
        secret: false,
    },
    Key {
        id: "security.contact",
        default: || json!(""),
        meaning: "Whom to tell of a weakness of this box, in /.well-known/security.txt; nothing names nobody.",
        expected: "mailto: with an e-mail address, tel: with a number, or an https: address",
        good: |value| {
            let known = |text: &str| {
                let (scheme, rest) = text.split_once(':').unwrap_or_default();
                ["mailto", "tel", "https"].contains(&scheme)
                    && !rest.is_empty()
                    && rest.bytes().all(|c| c.is_ascii_graphic())
            };
            value.as_str().is_some_and(|text| text.is_empty() || text.len() <= TEXT_MAX && known(text))
        },
        secret: false,
    },
    Key {
        id: "alerts.medium",
        default: || json!(false),
        meaning: "Whether a rise of a host to MEDIUM makes an alert too.",
        expected: "true or false",
        good: Value::is_boolean,
        secret: false,
    },
    text("box.name", "What people call this box, in the page's header.", "a text"),
    text("box.organisation", "Whose network it is, in the headings of reports.", "a text"),
    Key {
        id: "reports.daily",
        default: || json!(""),
        meaning: "When the letter of the last day is written, in local time; nothing writes none.",
        expected: "a time as 07:00",
        good: |value| {
            value.as_str().is_some_and(|text| text.is_empty() || Turn::read(text).is_ok_and(|turn| !turn.is_weekly()))
        },
        secret: false,
    },
    Key {
        id: "reports.weekly",
        default: || json!(""),
        meaning: "When the report of the last week is made, in local time; nothing makes none.",
        expected: "a day and a time as mon 07:00",
        good: |value| value.as_str().is_some_and(|text| text.is_empty() || Turn::read(text).is_ok_and(Turn::is_weekly)),
        secret: false,
    },
    Key {
        id: "reports.time_zone",
        default: || json!("UTC"),
        meaning: "The zone of these times, by its name in the IANA database.",
        expected: "a zone as Europe/Berlin",
        good: |value| value.as_str().is_some_and(|text| Zone::named(text).is_some()),
        secret: false,
    },
    Key {
        id: "reports.to",
        default: || json!(""),
        meaning: "Who gets them by mail; nothing keeps them on the box alone.",
        expected: "e-mail addresses with commas between them, eight at most",
        good: |value| value.as_str().is_some_and(|text| text.is_empty() || addresses(text).is_some()),
        secret: false,
    },
    Key {
        id: "box.page",
        default: || json!(""),
        meaning: "Where people reach the page, for the links in notifications; nothing takes the first address of [api] listen.",
        expected: "an address as https://192.168.1.2 without a path",
        good: |value| {
            let host = |text: &str| text.strip_prefix("https://").map(str::to_owned);
            let good = |host: String| {
                !host.is_empty() && host.bytes().all(|c| c.is_ascii_alphanumeric() || b".-:[]".contains(&c))
            };
            value.as_str().is_some_and(|text| text.is_empty() || text.len() <= TEXT_MAX && host(text).is_some_and(good))
        },
        secret: false,
    },
    Key {
        id: "learning.days",
        default: || json!(7),
        meaning: "How many days of what devices did a proposal rests on, and a draft is tried against, where nobody says how many.",
        expected: "a whole number from 1 to 90",
        good: |value| value.as_u64().is_some_and(|days| (1..=90).contains(&days)),
        secret: false,
    },
    Key {
        id: SETUP,
        default: || json!(0),
        meaning: "Which question of the first set-up comes next, from 1 to 6; 0 when it is over. The claim begins it.",
        expected: "a whole number from 0 to 6",
        good: |value| value.as_u64().is_some_and(|step| step <= 6),
        secret: false,
    },
    text("mail.server", "The mail server's name or address; nothing sends no mail.", "a name or an address"),
    Key {
        id: "mail.port",
        default: || json!(587),
        meaning: "The mail server's port.",
        expected: "a whole number from 1 to 65535",
        good: |value| value.as_u64().is_some_and(|port| (1..=65_535).contains(&port)),
        secret: false,
    },
    Key {
        id: "mail.security",
        default: || json!("starttls"),
        meaning: "How the way to the mail server is sealed: STARTTLS, or TLS from the first octet. It never is in clear.",
        expected: "starttls or tls",
        good: |value| value == "starttls" || value == "tls",
        secret: false,
    },
    Key {
        id: "mail.ca",
        default: || json!(""),
        meaning: "An authority that may have signed the mail server's certificate besides the public ones, as PEM.",
        expected: "a certificate as PEM, of at most 8192 characters",
        good: |value| {
            value
                .as_str()
                .is_some_and(|text| text.len() <= 8_192 && (text.is_empty() || text.contains("BEGIN CERTIFICATE")))
        },
        secret: false,
    },
    text("mail.user", "As whom the box logs in at the mail server; nothing for nobody.", "a name"),
    Key {
        secret: true,
        ..text("mail.password", "The password for that; it goes where another server is set.", "a text")
    },
    Key {
        id: "mail.from",
        default: || json!(""),
        meaning: "From which address the box writes.",
        expected: "an e-mail address",
        good: |value| value.as_str().is_some_and(|text| text.is_empty() || crate::words::Email::new(text).is_ok()),
        secret: false,
    },
];

/// A key whose value is any short text.
const fn text(id: &'static str, meaning: &'static str, expected: &'static str) -> Key {
    Key {
        id,
        default: || json!(""),
        meaning,
        expected,
        good: |value| value.as_str().is_some_and(|text| text.len() <= TEXT_MAX && !text.chars().any(char::is_control)),
        secret: false,
    }
}

/// The e-mail addresses of a text; nothing where one is none, or there are too many.
#[must_use]
pub fn addresses(text: &str) -> Option<Vec<String>> {
    let all: Option<Vec<String>> =
        text.split(',').map(|one| Email::new(one.trim()).ok().map(|email| email.as_str().to_owned())).collect();
    all.filter(|all| all.len() <= ADDRESSES_MAX)
}

/// The values that were set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Settings {
    set: BTreeMap<String, Value>,
}

impl Settings {
    /// Reads them.
    ///
    /// # Errors
    /// The row cannot be read.
    pub fn load(rows: &Rows) -> Result<Self, RowsError> {
        Ok(rows.single(Single::Settings)?.unwrap_or_default())
    }

    /// A value.
    #[must_use]
    pub fn value(&self, id: &str) -> Value {
        let default = || find(id).map_or(Value::Null, |key| (key.default)());
        self.set.get(id).cloned().unwrap_or_else(default)
    }

    /// A switch.
    #[must_use]
    pub fn on(&self, id: &str) -> bool {
        self.value(id) == Value::Bool(true)
    }

    /// A whole number.
    #[must_use]
    pub fn number(&self, id: &str) -> u64 {
        self.value(id).as_u64().unwrap_or_default()
    }

    /// The same with another value; null takes it back. Nothing where the value is not what its key expects.
    #[must_use]
    pub fn with(&self, id: &str, value: Value) -> Option<Self> {
        let key = find(id)?;
        let mut set = self.set.clone();
        if value.is_null() {
            set.remove(id);
        } else {
            (key.good)(&value).then(|| set.insert(id.to_owned(), value))?;
        }
        // Whoever names another server does not get the password of the one before.
        if ["mail.server", "mail.port", "mail.security", "mail.ca"].contains(&id) && set.get(id) != self.set.get(id) {
            set.remove("mail.password");
        }
        Some(Self { set })
    }

    /// What people see of a value: of a secret, whether there is one.
    #[must_use]
    pub fn shown(&self, id: &str) -> Option<Value> {
        let key = find(id)?;
        let value = self.value(id);
        Some(if key.secret && value != (key.default)() { json!(HIDDEN) } else { value })
    }

    /// Every key as it stands.
    #[must_use]
    pub fn views(&self) -> Vec<SettingView> {
        let view = |key: &Key| SettingView {
            id: key.id.into(),
            value: self.shown(key.id).unwrap_or_default(),
            default: (key.default)(),
            origin: if self.set.contains_key(key.id) { "here" } else { "default" }.into(),
            line: None,
            meaning: key.meaning.into(),
            expected: key.expected.into(),
            changeable: true,
        };
        KEYS.iter().map(view).collect()
    }

    /// Has changed ones take effect once they are on the medium.
    ///
    /// # Errors
    /// 503: they may not be there.
    pub fn keep(office: &Office, changed: Self, act: Act) -> Result<(), Problem> {
        let mut change = Change::default();
        change.set(Single::Settings, &changed);
        office.commit(change, act)?;
        *office.settings() = changed;
        Ok(())
    }
}

/// Whether a setting is one of the API's own.
#[must_use]
pub fn is_own(id: &str) -> bool {
    find(id).is_some()
}

/// Whether a role may change it: what is about accounts is the superadmins'.
///
/// # Errors
/// 403.
pub fn may_change(id: &str, role: Role) -> Result<(), Problem> {
    if id.starts_with("accounts.") && role != Role::Superadmin {
        return Err(Problem::forbidden("only a superadmin changes what is about accounts"));
    }
    Ok(())
}

fn find(id: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_what_its_key_expects_or_is_not_taken() {
        let set = Settings::default();
        assert!(!set.on("accounts.register") && set.number("accounts.bearer_minutes") == 60);
        let changed = set.with("accounts.bearer_minutes", json!(10)).expect("good");
        assert_eq!(changed.number("accounts.bearer_minutes"), 10);
        assert_eq!(changed.with("accounts.bearer_minutes", Value::Null), Some(set.clone()));
        for wrong in [json!(9), json!(121), json!("10"), json!(true), json!([])] {
            assert_eq!(set.with("accounts.bearer_minutes", wrong), None);
        }
        assert_eq!(set.with("accounts.nonsense", json!(1)), None);
    }
}
