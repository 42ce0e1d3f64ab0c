//! The certificates that are served: the box's own leaf, and one that people install for names of their own.
//!
//! What is installed takes effect at once, for the connections that come. It waits for no confirmation because it cuts nobody off: at every
//! address and as `picket.local` the box shows its own leaf as before.

use std::sync::Arc;

use protocol::certificate::{CertificateAsk, CertificateView, InstalledView};
use schemars::JsonSchema;
use serde::Deserialize;
use terms::Timestamp;

use crate::audit::{Act, Who};
use crate::clock::{now, rfc3339};
use crate::office::{Office, shown};
use crate::problem::Problem;
use crate::route::Call;
use crate::rows::{Change, Single};
use crate::serve::{Checked, Installed};

/// The longest body with a chain and a key.
pub const BODY_MAX: usize = 64 << 10;
/// A box without a clock starts long ago; what holds on this day is not refused as too early there. **Units**: seconds since the epoch.
const FIRST: u64 = 20_454 * 86_400;

/// A certificate with its key.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCertificate {
    /// The chain as PEM: the certificate of the box first, then whoever signed it, and so on.
    #[schemars(length(min = 1, max = 24_576))]
    certificate: String,
    /// Its private key as PEM, without a passphrase. It is shown nowhere afterwards.
    #[schemars(length(min = 1, max = 24_576))]
    key: String,
}

/// `GET system/certificate`.
pub fn show(office: &Office, _: &Call) -> Result<CertificateView, Problem> {
    Ok(view(office))
}

/// `POST system/certificate`.
pub fn install(office: &Office, call: &Call, body: NewCertificate) -> Result<CertificateView, Problem> {
    let by = call.caller()?.email.clone();
    put(office, call.act("certificate.install", "box"), body.certificate, body.key, by)
}

/// `DELETE system/certificate`.
pub fn remove(office: &Office, call: &Call) -> Result<(), Problem> {
    take(office, call.act("certificate.remove", "box"))
}

/// What is asked at the command line.
///
/// # Errors
/// In words.
pub fn at_the_box(office: &Office, ask: CertificateAsk) -> Result<CertificateView, Problem> {
    let act = |what: &'static str| {
        let who = Who { name: "command line".into(), ..Who::default() };
        Act { who, what: what.into(), on: "box".into(), ..Act::default() }
    };
    match ask {
        CertificateAsk::Show => Ok(view(office)),
        CertificateAsk::Install { certificate, key } => {
            put(office, act("certificate.install"), certificate, key, "command line".into())
        }
        CertificateAsk::Remove => take(office, act("certificate.remove")).map(|()| view(office)),
    }
}

/// Has the installed certificate of the last run served again, if there is one.
///
/// # Errors
/// It cannot be read any more.
pub fn serve_installed(office: &Office) -> Result<(), Problem> {
    let kept = office.rows().single::<Installed>(Single::Certificate);
    let kept = kept.map_err(|error| Problem::busy(format!("cannot be read: {error}")))?;
    office.certificate.install(kept.map(|kept| kept.read().map(Arc::new)).transpose()?);
    Ok(())
}

fn put(office: &Office, mut act: Act, chain: String, key: String, by: String) -> Result<CertificateView, Problem> {
    let installed = Installed { chain, key, at: now().micros(), by };
    let checked = installed.read().and_then(|checked| checked.holds_at(now().secs().max(FIRST)).map(|()| checked));
    let checked = checked.inspect_err(|problem| office.refused(act.clone(), &problem.detail))?;
    act.before = shown(&view(office).installed);
    act.after = shown(&told(&checked));
    let mut change = Change::default();
    change.set(Single::Certificate, &installed);
    office.commit(change, act)?;
    office.certificate.install(Some(Arc::new(checked)));
    Ok(view(office))
}

fn take(office: &Office, mut act: Act) -> Result<(), Problem> {
    let before = view(office).installed.ok_or_else(|| Problem::missing("installed certificate"))?;
    act.before = shown(&before);
    let mut change = Change::default();
    change.unset(Single::Certificate);
    office.commit(change, act)?;
    office.certificate.install(None);
    Ok(())
}

fn view(office: &Office) -> CertificateView {
    let (names, until) = office.certificate.of_leaf();
    CertificateView {
        fingerprint: office.certificate.fingerprint(),
        names,
        until: at(until),
        installed: office.certificate.installed().map(|checked| told(&checked)),
    }
}

fn told(checked: &Checked) -> InstalledView {
    InstalledView {
        fingerprint: checked.fingerprint.clone(),
        names: checked.names.clone(),
        issuer: checked.issuer.clone(),
        from: at(checked.from),
        until: at(checked.until),
        installed: rfc3339(Timestamp::from_micros(checked.at)),
        by: checked.by.clone(),
    }
}

fn at(secs: u64) -> String {
    rfc3339(Timestamp::from_secs(secs))
}
