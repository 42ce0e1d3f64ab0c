//! The second factor: set up by its owner, asked for at each log-in.

use qrcodegen::{QrCode, QrCodeEcc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::account::{Account, UserRow};
use crate::clock::now;
use crate::office::Office;
use crate::people::People;
use crate::problem::Problem;
use crate::route::{Call, encode};
use crate::rows::{Change, Kind};
use crate::totp::Totp;

/// A secret for an authenticator app.
#[derive(Serialize, JsonSchema)]
pub struct Secret {
    /// The secret, base 32. Shown this once.
    secret: String,
    /// The same as a link, which apps read from a QR code.
    uri: String,
    /// That QR code.
    qr: Drawing,
}

/// A QR code as a drawing.
#[derive(Serialize, JsonSchema)]
pub struct Drawing {
    /// How many modules it is wide and high; around it belong four that are light.
    size: i32,
    /// The dark modules as the path of an SVG, each one unit wide and high.
    path: String,
}

impl Drawing {
    /// Draws a text.
    ///
    /// # Errors
    /// 500: it is longer than 2,331 octets.
    fn of(text: &str) -> Result<Self, Problem> {
        let code = QrCode::encode_text(text, QrCodeEcc::Medium)
            .map_err(|error| Problem::new(500, format!("no QR code holds the link: {error}")))?;
        let size = code.size();
        let dark = (0..size).flat_map(|y| (0..size).map(move |x| (x, y))).filter(|&(x, y)| code.get_module(x, y));
        Ok(Self { size, path: dark.map(|(x, y)| format!("M{x} {y}h1v1h-1z")).collect() })
    }
}

/// A code.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// Six digits of the app, or a recovery code.
    #[schemars(length(min = 6, max = 40))]
    code: String,
}

/// What helps when the app is lost.
#[derive(Serialize, JsonSchema)]
pub struct Recovery {
    /// Codes that are worth one log-in each. Shown this once.
    recovery_codes: Vec<String>,
}

/// `POST profile/totp`: nothing is asked for before the first code has come back.
pub fn begin(office: &Office, call: &Call) -> Result<Secret, Problem> {
    let mut people = office.people();
    let mut account = own(&people, call)?;
    if account.totp.is_some() {
        return Err(Problem::conflict("there is a second factor; end it first"));
    }
    let totp = Totp::new().map_err(|error| Problem::busy(error.to_string()))?;
    let secret = totp.base32();
    let uri = format!("otpauth://totp/Picket:{}?secret={secret}&issuer=Picket", encode(account.email.as_str()));
    let qr = Drawing::of(&uri)?;
    account.totp_draft = Some(totp);
    keep(office, &mut people, account, call, "totp.begin")?;
    Ok(Secret { secret, uri, qr })
}

/// `POST profile/totp/confirm`: from now on a log-in asks for it; the other sessions end.
pub fn confirm(office: &Office, call: &Call, body: Code) -> Result<Recovery, Problem> {
    let mut people = office.people();
    let mut account = own(&people, call)?;
    let mut totp =
        account.totp_draft.take().ok_or_else(|| Problem::conflict("begin first: POST /api/v1/profile/totp"))?;
    if !totp.take(&body.code, now()) {
        return Err(Problem::field("code", "is not what the app shows now; is the box's clock right?"));
    }
    let recovery_codes = totp.recover().map_err(|error| Problem::busy(error.to_string()))?;
    account.totp = Some(totp);
    keep(office, &mut people, account, call, "totp.confirm")?;
    Ok(Recovery { recovery_codes })
}

/// `DELETE profile/totp`.
pub fn end(office: &Office, call: &Call) -> Result<(), Problem> {
    let mut people = office.people();
    let mut account = own(&people, call)?;
    account.totp.take().ok_or_else(|| Problem::missing("second factor"))?;
    keep(office, &mut people, account, call, "totp.end")
}

/// `POST auth/totp`: the session that asks may do from now on what its role may.
pub fn answer(office: &Office, call: &Call, body: Code) -> Result<UserRow, Problem> {
    let caller = call.caller()?;
    let key = format!("totp {}", caller.account);
    if let Some(secs) = office.gates().codes.refused(&key, now()) {
        return Err(Problem::too_often(secs));
    }
    let mut people = office.people();
    let mut account = own(&people, call)?;
    let session = caller.session.and_then(|number| people.sessions.get(&number)).filter(|session| session.due).cloned();
    let mut session = session.ok_or_else(|| Problem::conflict("this session needs no code"))?;
    if !account.totp.as_mut().is_some_and(|totp| totp.take(&body.code, now())) {
        drop(people);
        office.gates().codes.fail(key, now());
        office.refused(call.act("auth.totp", account.email.as_str()), "wrong code");
        return Err(Problem::field("code", "is wrong, used or over"));
    }
    session.due = false;
    let mut change = Change::default();
    change.put(Kind::Session, session.number, &session);
    change.put(Kind::Account, account.number, &account);
    office.commit(change, call.act("auth.totp", account.email.as_str()))?;
    let row = UserRow::from(&account);
    people.sessions.insert(session.number, session);
    people.accounts.insert(account.number, account);
    drop(people);
    office.gates().codes.succeed(&key);
    Ok(row)
}

fn own(people: &People, call: &Call) -> Result<Account, Problem> {
    people.accounts.get(&call.caller()?.account).cloned().ok_or_else(Problem::unknown)
}

/// Keeps the account; the sessions that were begun under other terms end.
fn keep(
    office: &Office,
    people: &mut People,
    account: Account,
    call: &Call,
    what: &'static str,
) -> Result<(), Problem> {
    let ended =
        if what == "totp.confirm" { people.sessions_of(account.number, call.caller()?.session) } else { Vec::new() };
    let mut change = Change::default();
    ended.iter().for_each(|session| change.remove(Kind::Session, *session));
    change.put(Kind::Account, account.number, &account);
    office.commit(change, call.act(what, account.email.as_str()))?;
    ended.iter().for_each(|session| drop(people.sessions.remove(session)));
    people.accounts.insert(account.number, account);
    Ok(())
}
