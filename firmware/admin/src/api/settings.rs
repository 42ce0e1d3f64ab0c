//! Settings: the gateway's configuration, and what the API keeps for itself, in one list.

use protocol::Request;
use protocol::views::SettingView;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::office::{Office, shown};
use crate::outbox::{Fate, Letter, post_and_hear};
use crate::problem::Problem;
use crate::route::Call;
use crate::settings::{self, Settings};

/// `GET settings`.
pub fn all(office: &Office, _: &Call) -> Result<Vec<SettingView>, Problem> {
    let mut all: Vec<SettingView> = office.ask(Request::Settings)?;
    all.extend(office.settings().views());
    Ok(all)
}

/// `GET settings/{id}`.
pub fn one(office: &Office, call: &Call) -> Result<SettingView, Problem> {
    let id = call.text("id");
    all(office, call)?.into_iter().find(|view| view.id == id).ok_or_else(|| Problem::missing("setting"))
}

/// How a message to try it fared.
#[derive(Serialize, JsonSchema)]
pub struct Tried {
    /// To whom it went.
    to: String,
    /// How it fared.
    mail: Fate,
    /// Why it was not accepted.
    detail: String,
}

/// `POST settings/mail/test`: to the caller's own address.
pub fn try_mail(office: &Office, call: &Call) -> Result<Tried, Problem> {
    let to = call.caller()?.email.clone();
    let lines = vec!["This is a message to try whether the Picket box can send mail. It can.".to_owned()];
    office.record(call.act("mail.test", to.clone()))?;
    let letter = Letter::Note { to: to.clone(), subject: "A test of the Picket box".into(), lines };
    let (mail, detail) = post_and_hear(office, letter);
    Ok(Tried { to, mail, detail })
}

/// Another value.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Changed {
    /// The value; null for the one of the file, or the default.
    value: Value,
    /// Why.
    #[schemars(length(max = 500))]
    #[serde(default)]
    why: String,
}

/// `PATCH settings/{id}`: takes effect at once.
pub fn change(office: &Office, call: &Call, body: Changed) -> Result<SettingView, Problem> {
    let before = one(office, call)?;
    call.unchanged(&before)?;
    if !before.changeable {
        return Err(Problem::conflict(format!(
            "{} takes effect at a start only; set it in the configuration's file",
            before.id
        )));
    }
    let mut act = call.act("setting.change", before.id.clone());
    act.why = super::policy::reason(&body.why);
    act.before = shown(&before.value);
    let wrong = || Problem::field("value", format!("{} expects {}", before.id, before.expected));
    if settings::is_own(&before.id) {
        settings::may_change(&before.id, call.caller()?.role)?;
        if before.id == "accounts.require_totp" && body.value == Value::Bool(true) && !call.caller()?.second {
            return Err(Problem::conflict("set up your own second factor first, or you could do nothing else"));
        }
        let changed = office.settings().with(&before.id, body.value).ok_or_else(wrong)?;
        act.after = changed.shown(&before.id);
        Settings::keep(office, changed, act)?;
        return one(office, call);
    }
    // A value of JSON that is no object is one of TOML as well.
    let value = match body.value {
        Value::Null => None,
        Value::Object(_) => return Err(wrong()),
        value => Some(value.to_string()),
    };
    let set = office.ask::<SettingView>(Request::Set { id: before.id.clone(), value });
    office
        .outcome(act, set, |after| shown(&after.value))
        .map_err(|problem| Problem { field: Some("value".into()), ..Problem::new(422, problem.detail) })
}
