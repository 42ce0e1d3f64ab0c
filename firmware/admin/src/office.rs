//! Everything that the handlers share: people, rows, audit, the way to the gateway.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use protocol::link::{FromApi, GUESTS_MAX, Head};
use protocol::{Request, Response};
use ring::rand::SystemRandom;
use ring::signature::Ed25519KeyPair;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use terms::{Span, Timestamp};

use crate::access::Access;
use crate::account::ACCOUNTS_MAX;
use crate::alert::Alert;
use crate::api::Applied;
use crate::audit::{Act, Audit, Broken, Who};
use crate::clock::now;
use crate::disclosure::{Disclosure, HOLDS};
use crate::incident::Incidents;
use crate::news::Feed;
use crate::notice::{self, Notices};
use crate::outbox::Outbox;
use crate::password::Hasher;
use crate::people::{Caller, People};
use crate::problem::Problem;
use crate::reports::Reports;
use crate::rows::{Change, Kind, Rows, RowsError, Single};
use crate::secret::{NoRandom, code, hex, unhex};
use crate::serve::{Certificate, TlsError};
use crate::session::{Claims, Keys};
use crate::settings::Settings;
use crate::source::{Source, Telling, telling};
use crate::throttle::{Allowance, Tries};
use crate::token::PREFIX;

/// Addresses, and accounts, whose failures are remembered.
const TRIES_MAX: usize = 4_096;
/// Records of refusals in a minute; more are only counted.
const REFUSALS: usize = 60;
/// Accounts that may be asked for in an hour.
const REGISTERS: usize = 20;
/// Requests for access that an account makes in ten minutes; the next one waits as long.
const ASKED: u32 = 10;
/// Wrong claim codes in an hour.
const CLAIMS: usize = 10;

/// The way to the gateway.
pub trait Gateway: Send + Sync {
    /// Asks, and waits for the answer.
    fn ask(&self, request: Request) -> Response;
    /// Tells something that needs no answer.
    fn tell(&self, message: FromApi);
}

/// Why the API cannot start.
#[derive(Debug, thiserror::Error)]
pub enum OfficeError {
    /// The rows cannot be read.
    #[error(transparent)]
    Rows(#[from] RowsError),
    /// There are no random numbers.
    #[error(transparent)]
    Random(#[from] NoRandom),
    /// A key cannot be made or read.
    #[error("{0}")]
    Key(&'static str),
}

/// What is tried how often.
pub struct Gates {
    /// Log-ins by address.
    pub addresses: Tries<IpAddr>,
    /// Log-ins by account, under whatever name was given.
    pub accounts: Tries<String>,
    /// One-time codes by e-mail address.
    pub codes: Tries<String>,
    /// Codes asked for by mail, by e-mail address.
    pub resends: Tries<String>,
    /// Accounts that people ask for.
    pub registers: Allowance,
    /// Requests for access, by account.
    pub asked: Tries<u64>,
    /// Codes of agents, by address.
    pub redeems: Tries<IpAddr>,
    /// Claims.
    pub claims: Allowance,
    refusals: Allowance,
    unrecorded: u64,
}

/// What is kept of answers to posts with an idempotency key.
type Answered = HashMap<(u64, String), (String, crate::route::Reply, Timestamp)>;

/// The shared state.
pub struct Office {
    rows: Rows,
    audit: Audit,
    people: Mutex<People>,
    alerts: Mutex<BTreeMap<u64, Alert>>,
    requests: Mutex<BTreeMap<u64, Access>>,
    disclosures: Mutex<BTreeMap<u64, Disclosure>>,
    /// How long a name waits where there is no second admin, and how old an account is that consents.
    consent_after: OnceLock<Span>,
    sources: Mutex<BTreeMap<u64, Source>>,
    batches: Mutex<()>,
    reports: Mutex<Reports>,
    incidents: Mutex<Incidents>,
    notices: Mutex<Notices>,
    keys: Mutex<Keys>,
    claim: Mutex<Option<String>>,
    applied: Mutex<Option<Applied>>,
    settings: Mutex<Settings>,
    outbox: Outbox,
    gates: Mutex<Gates>,
    /// The certificates that are served.
    pub certificate: Arc<Certificate>,
    /// Hashes passwords.
    pub hasher: Hasher,
    /// Tells those who listen.
    pub feed: Feed,
    gateway: Box<dyn Gateway>,
    answered: Mutex<Answered>,
    /// What is not as it should be.
    warnings: Mutex<Vec<String>>,
    /// The first address that is listened at.
    at: OnceLock<SocketAddr>,
    /// With what the intake serves TLS.
    of_intake: OnceLock<Certificate>,
}

impl Office {
    /// Opens the folder and everything in it. The first start makes keys; a box without an owner gets a claim code.
    ///
    /// # Errors
    /// The rows cannot be read, or no key can be made.
    pub fn open(
        folder: &Path,
        boot_id: &str,
        known: Option<&Head>,
        certificate: Arc<Certificate>,
        gateway: Box<dyn Gateway>,
    ) -> Result<Self, OfficeError> {
        let rows = Rows::open(folder)?;
        let mut keys: Keys = rows.single(Single::Keys)?.unwrap_or_default();
        keys.renew()?;
        let mut first = Change::default();
        first.set(Single::Keys, &keys);
        let boot = boots(&rows, boot_id, &mut first)?;
        let key = signing_key(&rows, &mut first)?;
        rows.commit(first)?;
        let (audit, broken) = Audit::open(&rows, boot, key, known)?;
        let people = People::load(&rows)?;
        let claim = if people.claimed() { None } else { Some(code()?) };
        let office = Self {
            audit,
            people: Mutex::new(people),
            alerts: Mutex::new(rows.all(Kind::Alert)?.into_iter().collect()),
            requests: Mutex::new(rows.all(Kind::Access)?.into_iter().collect()),
            disclosures: Mutex::new(rows.all(Kind::Disclosure)?.into_iter().collect()),
            consent_after: OnceLock::new(),
            sources: Mutex::new(rows.all(Kind::Source)?.into_iter().collect()),
            batches: Mutex::new(()),
            reports: Mutex::new(Reports::load(&rows)?),
            notices: Notices::load(&rows)?,
            incidents: Mutex::new(Incidents::of(rows.all(Kind::Incident)?.into_iter().collect())),
            keys: Mutex::new(keys),
            claim: Mutex::new(claim),
            applied: Mutex::new(None),
            settings: Mutex::new(Settings::load(&rows)?),
            outbox: Outbox::load(&rows)?,
            gates: Mutex::new(Gates {
                addresses: Tries::new(TRIES_MAX),
                accounts: Tries::new(TRIES_MAX),
                codes: Tries::allowing(TRIES_MAX, 3, Span::from_secs(600)),
                resends: Tries::allowing(TRIES_MAX, 2, Span::from_secs(600)),
                asked: Tries::allowing(ACCOUNTS_MAX, ASKED, Span::from_secs(600)),
                redeems: Tries::new(TRIES_MAX),
                registers: Allowance::new(REGISTERS, Span::from_secs(3_600)),
                claims: Allowance::new(CLAIMS, Span::from_secs(3_600)),
                refusals: Allowance::new(REFUSALS, Span::from_secs(60)),
                unrecorded: 0,
            }),
            hasher: Hasher::new().map_err(|_| OfficeError::Key("no password can be hashed"))?,
            feed: Feed::default(),
            certificate,
            gateway,
            answered: Mutex::new(HashMap::new()),
            warnings: Mutex::new(Vec::new()),
            at: OnceLock::new(),
            of_intake: OnceLock::new(),
            rows,
        };
        if let Err(problem) = crate::api::serve_installed(&office) {
            office.warn(format!("the certificate that was installed is not served: it {}", problem.detail));
        }
        office.audit.commit(&office.rows, Change::default(), vec![of_gateway("api.start", "", "")])?;
        broken.iter().for_each(|broken| office.told_break(broken));
        Ok(office)
    }

    /// Reads the whole audit, up to the newest record; a break is recorded and shown, once.
    ///
    /// # Errors
    /// The rows cannot be read.
    pub fn read_audit(&self) -> Result<Option<Broken>, RowsError> {
        let broken = self.audit.verify(&self.rows)?;
        broken.iter().for_each(|broken| self.told_break(broken));
        Ok(broken)
    }

    fn told_break(&self, broken: &Broken) {
        let why = format!("the audit is broken at record {}: {}", broken.number, broken.why);
        if !self.warned(&why) {
            tracing::error!("{why}");
            self.jot(Change::default(), vec![of_gateway("audit.broken", &broken.number.to_string(), &why)]);
            self.warn(why);
        }
    }

    /// The people, for as long as the guard lives.
    pub fn people(&self) -> MutexGuard<'_, People> {
        self.people.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The alerts by number, for as long as the guard lives.
    pub fn alerts(&self) -> MutexGuard<'_, BTreeMap<u64, Alert>> {
        self.alerts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The names that are asked for by number, for as long as the guard lives.
    pub fn disclosures(&self) -> MutexGuard<'_, BTreeMap<u64, Disclosure>> {
        self.disclosures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long a name waits where there is no second admin; also the age from which an account consents.
    pub fn consent_after(&self) -> Span {
        self.consent_after.get().copied().unwrap_or(HOLDS)
    }

    /// The same, as the configuration has it; once.
    pub fn consents_after(&self, wait: Span) {
        let _ = self.consent_after.set(wait);
    }

    /// The requests for access by number, for as long as the guard lives.
    pub fn requests(&self) -> MutexGuard<'_, BTreeMap<u64, Access>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The enrolled sources by number, for as long as the guard lives.
    pub fn sources(&self) -> MutexGuard<'_, BTreeMap<u64, Source>> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Held by the batch of a source that is on its way to the intake.
    #[must_use]
    pub fn batches(&self) -> &Mutex<()> {
        &self.batches
    }

    /// The source that a token stands for.
    #[must_use]
    pub fn telling(&self, token: &str) -> Option<Telling> {
        telling(&self.sources(), token)
    }

    /// The reports, for as long as the guard lives.
    pub fn reports(&self) -> MutexGuard<'_, Reports> {
        self.reports.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The incidents, for as long as the guard lives.
    pub fn incidents(&self) -> MutexGuard<'_, Incidents> {
        self.incidents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The notifications, for as long as the guard lives.
    pub fn notices(&self) -> MutexGuard<'_, Notices> {
        notice::lock(&self.notices)
    }

    /// The gates.
    pub fn gates(&self) -> MutexGuard<'_, Gates> {
        self.gates.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The token keys.
    pub fn keys(&self) -> MutexGuard<'_, Keys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The claim code, until the box has an owner.
    #[must_use]
    pub fn claim(&self) -> Option<String> {
        self.claim.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The API's own settings.
    pub fn settings(&self) -> MutexGuard<'_, Settings> {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The letters that wait.
    #[must_use]
    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// The policy that was put on trial last.
    pub fn applied(&self) -> MutexGuard<'_, Option<Applied>> {
        self.applied.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The box has an owner now.
    pub fn claimed(&self) {
        *self.claim.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.gateway.tell(FromApi::Claim(None));
    }

    /// The rows.
    #[must_use]
    pub fn rows(&self) -> &Rows {
        &self.rows
    }

    /// The audit.
    #[must_use]
    pub fn audit(&self) -> &Audit {
        &self.audit
    }

    /// Makes a person's change: it and its records are on the medium when this returns.
    ///
    /// # Errors
    /// 503: it may not be there.
    pub fn commit(&self, change: Change, act: Act) -> Result<(), Problem> {
        self.audit.commit(&self.rows, change, vec![act]).map_err(|error| {
            tracing::error!("{error}");
            Problem::busy(error.to_string())
        })?;
        self.gateway.tell(FromApi::Head(self.audit.head()));
        Ok(())
    }

    /// Puts another audit in place of this one, together with a change that is made up once nothing else is written any more. After that
    /// nothing is: the process is to end.
    ///
    /// # Errors
    /// 422: the lines are no chain, and nothing was changed; 503: the change may not be there.
    pub fn replace_audit(
        &self,
        change: impl FnOnce() -> Result<Change, Problem>,
        lines: &[String],
        act: Act,
    ) -> Result<(), Problem> {
        let head = self.audit.replace(&self.rows, change, lines, act)?;
        self.gateway.tell(FromApi::Head(head));
        Ok(())
    }

    /// Writes what happened without a change.
    ///
    /// # Errors
    /// 503: it may not be there.
    pub fn record(&self, act: Act) -> Result<(), Problem> {
        self.commit(Change::default(), act)
    }

    /// Writes what became of an act: what there is after it, or why it was refused.
    ///
    /// # Errors
    /// What was made of it, or 503 as [`Self::record`].
    pub fn outcome<T>(
        &self,
        act: Act,
        made: Result<T, Problem>,
        after: impl FnOnce(&T) -> Option<Value>,
    ) -> Result<T, Problem> {
        match made {
            Ok(made) => {
                self.record(Act { after: after(&made), ..act })?;
                Ok(made)
            }
            Err(problem) => {
                self.refused(act, &problem.detail);
                Err(problem)
            }
        }
    }

    /// Writes what was refused; beyond 60 a minute it is only counted, so that nobody fills the flash by failing.
    pub fn refused(&self, mut act: Act, why: &str) {
        {
            let mut gates = self.gates();
            if gates.refusals.refused(now()).is_some() {
                gates.unrecorded += 1;
                return;
            }
            gates.refusals.spend(now());
            act.result = why.into();
            let unrecorded = std::mem::take(&mut gates.unrecorded);
            if unrecorded > 0 {
                act.why = format!("{unrecorded} more refusals before this one were not recorded");
            }
        }
        self.jot(Change::default(), vec![act]);
    }

    /// Writes what the box did by itself; on the medium within a second.
    pub fn jot(&self, change: Change, acts: Vec<Act>) {
        if let Err(error) = self.audit.jot(&self.rows, change, acts) {
            tracing::error!("{error}");
        }
    }

    /// Asks the gateway.
    ///
    /// # Errors
    /// It refuses, in its own words.
    pub fn ask<T: DeserializeOwned>(&self, request: Request) -> Result<T, Problem> {
        match self.gateway.ask(request) {
            Response::Ok(value) => serde_json::from_value(value)
                .map_err(|error| Problem::new(500, format!("the gateway's answer cannot be read: {error}"))),
            Response::Error(why) => Err(Problem::conflict(why)),
        }
    }

    /// Who a token stands for.
    #[must_use]
    pub fn caller(&self, token: &str) -> Option<Caller> {
        if token.starts_with(PREFIX) {
            return self.people().of_token(token, now().micros());
        }
        let claims = self.keys().read(token)?;
        self.of_claims(&claims, false, true)
    }

    /// Who the page's cookie stands for, and what it says; `used` where a person does something.
    #[must_use]
    pub fn page_caller(&self, cookie: &str, used: bool) -> Option<(Caller, Claims)> {
        let claims = self.keys().read_cookie(cookie)?;
        Some((self.of_claims(&claims, true, used)?, claims))
    }

    fn of_claims(&self, claims: &Claims, page: bool, used: bool) -> Option<Caller> {
        let caller = self.people().of_session(claims.sid, &claims.jti, page, used);
        caller.filter(|caller| caller.account.to_string() == claims.sub)
    }

    /// Says something that is not as it should be, to whoever looks.
    pub fn warn(&self, what: String) {
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        warnings.push(what);
        self.gateway.tell(FromApi::Warnings(warnings.clone()));
    }

    fn warned(&self, what: &str) -> bool {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).iter().any(|told| told == what)
    }

    /// The intake serves TLS with this.
    pub fn serves_intake(&self, certificate: Certificate) {
        self.hand_over(&certificate);
        // It is told once, at the start.
        let _ = self.of_intake.set(certificate);
    }

    /// Has the intake's certificate made anew where that is due, and hands it over.
    pub fn renew_intake(&self, renew: impl Fn(&Certificate) -> Result<bool, TlsError>) {
        let Some(certificate) = self.of_intake.get() else { return };
        match renew(certificate) {
            Ok(false) => {}
            Ok(true) => self.hand_over(certificate),
            Err(error) => tracing::error!("{error}; the intake serves the old certificate on"),
        }
    }

    fn hand_over(&self, certificate: &Certificate) {
        match certificate.server_key() {
            Ok(key) => self.gateway.tell(FromApi::IntakeKey(key)),
            Err(error) => tracing::error!("the intake has no key for TLS: {error}"),
        }
    }

    /// The address that people reach, until a setting names another one.
    pub fn listens_at(&self, at: SocketAddr) {
        // It is told once, at the start.
        let _ = self.at.set(at);
    }

    /// Where the page tells of something; empty where nobody knows by which address people come.
    #[must_use]
    pub fn link(&self, page: &str, id: Option<u64>) -> String {
        let set = self.settings().value("box.page").as_str().unwrap_or_default().to_owned();
        let heard = self.at.get().filter(|at| !at.ip().is_unspecified()).map(|at| match at.port() {
            443 => format!("https://{}", SocketAddr::new(at.ip(), 0).to_string().trim_end_matches(":0")),
            _ => format!("https://{at}"),
        });
        let base = if set.is_empty() { heard } else { Some(set) };
        let id = id.map(|id| format!("/{id}")).unwrap_or_default();
        base.map(|base| format!("{base}/#/{page}{id}")).unwrap_or_default()
    }

    /// Tells the gateway and the audit that the box's own certificate was made anew, if it was.
    pub fn told_certificate(&self, renewed: Result<bool, TlsError>, why: &str) {
        match renewed {
            Ok(false) => {}
            Ok(true) => {
                let fingerprint = self.certificate.fingerprint();
                let act = Act {
                    after: shown(&self.certificate.of_leaf().0),
                    ..of_gateway("certificate.renew", &fingerprint, why)
                };
                self.jot(Change::default(), vec![act]);
                self.gateway.tell(FromApi::Fingerprint(fingerprint));
            }
            Err(error) => tracing::error!("{error}; the old certificate is served on"),
        }
    }

    /// Tells the gateway from where admins are logged in, where that changed.
    pub fn tell_guests(&self, told: &mut Vec<IpAddr>) {
        let guests = self.people().guests(now().micros(), GUESTS_MAX);
        if guests != *told {
            self.gateway.tell(FromApi::Guests(guests.clone()));
            *told = guests;
        }
    }

    /// The number of the newest event of the gateway that the audit has.
    #[must_use]
    pub fn followed(&self) -> u64 {
        self.rows.single(Single::Followed).ok().flatten().unwrap_or_default()
    }

    /// Puts that number into a change.
    pub fn follow(change: &mut Change, number: u64) {
        change.set(Single::Followed, &number);
    }

    /// The answer that this key had before, if the request was the same.
    ///
    /// # Errors
    /// 422: the key was used for another request.
    pub fn answered(&self, who: u64, key: &str, request: &str) -> Result<Option<crate::route::Reply>, Problem> {
        let mut answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        let now = now();
        answered.retain(|_, (.., at)| now.since(*at) < Span::from_secs(600));
        match answered.get(&(who, key.to_owned())) {
            Some((same, reply, _)) if same == request => Ok(Some(reply.clone())),
            Some(_) => Err(Problem::field("Idempotency-Key", "was used for another request")),
            None => Ok(None),
        }
    }

    /// Keeps an answer for its key, at most 256 of them.
    pub fn answer(&self, who: u64, key: &str, request: String, reply: &crate::route::Reply) {
        let mut answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        if answered.len() < 256 {
            answered.insert((who, key.to_owned()), (request, reply.clone(), now()));
        }
    }
}

/// A record of something that the gateway did by itself.
#[must_use]
pub fn of_gateway(what: &'static str, on: &str, why: &str) -> Act {
    let who = Who { name: "gateway".into(), ..Who::default() };
    Act { who, what: what.into(), on: on.into(), why: why.into(), ..Act::default() }
}

/// How often the machine was started, counted by its boot id.
fn boots(rows: &Rows, boot_id: &str, change: &mut Change) -> Result<u64, RowsError> {
    let (last, mut boot): (String, u64) = rows.single(Single::Boot)?.unwrap_or_default();
    if last != boot_id || boot == 0 {
        boot += 1;
        change.set(Single::Boot, &(boot_id, boot));
    }
    Ok(boot)
}

/// The key that signs exports, made at the first start.
fn signing_key(rows: &Rows, change: &mut Change) -> Result<Ed25519KeyPair, OfficeError> {
    let kept: Option<String> = rows.single(Single::AuditKey)?;
    let document = match kept.as_deref().and_then(unhex) {
        Some(document) => document,
        None => {
            let made = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new());
            let made = made.map_err(|_| OfficeError::Key("no key can be made"))?.as_ref().to_vec();
            change.set(Single::AuditKey, &hex(&made));
            made
        }
    };
    Ed25519KeyPair::from_pkcs8(&document).map_err(|_| OfficeError::Key("the audit's key cannot be read"))
}

/// What a record shows of something that changed.
#[must_use]
pub fn shown(row: &impl Serialize) -> Option<Value> {
    serde_json::to_value(row).ok()
}
