//! The API as a process of its own: takes its place, gives up its rights, then serves.
//!
//! It is started by the gateway with one end of a socket pair as its standard input. In this order, and before there is a second
//! thread: listeners, folder, rights. From then on it holds these three and nothing else, and ends when the gateway does.

use std::fs;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use protocol::Response;
use protocol::link::{Errand, FromApi, RECORDS_MAX, Start, TO_API_MAX, ToApi, receive};
use terms::{Span, Timestamp};

use crate::audit::{Act, Who};
use crate::clock::{now, rfc3339};
use crate::follow::follow;
use crate::link::{Errands, Link};
use crate::office::{Gateway, Office, OfficeError};
use crate::outbox::deliver;
use crate::privileges;
use crate::rows::Change;
use crate::serve::{Certificate, Server, TlsError, mdns, serve_all};

/// The folder, once the process is in it. Its full path leads through folders that are closed to its user, and sled makes every path
/// a full one; this one ends where the process is.
const HERE: &str = "/proc/self/cwd";
/// How long a port may be held by an API process that is just ending.
const PORT: Duration = Duration::from_secs(5);
/// How often the certificate is looked at.
const DAY: Duration = Duration::from_secs(86_400);
/// How long before the end of an installed certificate people are warned.
const INSTALLED_ENDS: Span = Span::from_secs(21 * 86_400);
/// Threads that handlers run on.
const HANDLERS: usize = 12;

/// Why the API does not serve.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// It was not started by a gateway.
    #[error("the API is started by picket run, not by hand")]
    ByHand,
    /// An address cannot be listened at.
    #[error("cannot listen at {0}: {1}")]
    Listen(SocketAddr, io::Error),
    /// The system refuses.
    #[error("{0}")]
    System(#[from] io::Error),
    /// It could not give up its rights.
    #[error("{0}")]
    Rights(#[from] privileges::RightsError),
    /// Its folder cannot be used.
    #[error(transparent)]
    Office(#[from] OfficeError),
    /// Its certificate cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// Runs the API until the gateway is gone.
#[must_use]
pub fn run() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("the API ends: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve() -> Result<(), ProcessError> {
    let input: OwnedFd = io::stdin().as_fd().try_clone_to_owned()?;
    let kind = rustix::fs::fstat(&input).map_err(io::Error::from)?;
    if rustix::fs::FileType::from_raw_mode(kind.st_mode) != rustix::fs::FileType::Socket {
        return Err(ProcessError::ByHand);
    }
    let mut stream = UnixStream::from(input);
    let Some(ToApi::Start(start)) = receive(&mut stream, TO_API_MAX)? else { return Err(ProcessError::ByHand) };
    close_inherited();
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let listeners = start.listen.iter().map(|address| listen(*address)).collect::<Result<Vec<_>, _>>()?;
    // Without these the box is served all the same.
    let redirect = |(at, port): &(SocketAddr, u16)| listen(*at).map(|listener| (listener, *port));
    let (plain, deaf): (Vec<_>, Vec<_>) = start.redirect.iter().map(redirect).partition(Result::is_ok);
    let ips: Vec<_> = start.listen.iter().map(SocketAddr::ip).collect();
    let named = if start.mdns { mdns::open(&ips) } else { Ok(None) };
    let held_by = privileges::give_up(Path::new(&start.folder), start.uid)?;
    // From here on there may be threads.
    let link = Arc::new(Link::new(&stream)?);
    let certificate = Arc::new(Certificate::find(Path::new(HERE), &ips)?);
    let heard = {
        let (link, start) = (Arc::clone(&link), start.clone());
        open(&link, stream, &start, boot.trim(), Arc::clone(&certificate))?
    };
    deaf.into_iter()
        .filter_map(Result::err)
        .for_each(|error| heard.warn(format!("nobody is sent to the page: {error}")));
    if !start.intake.is_empty() {
        heard.serves_intake(Certificate::find_for_intake(Path::new(HERE), &start.intake)?);
    }
    let named = named.unwrap_or_else(|error| {
        heard.warn(format!("nobody answers to the box's name: {error}"));
        None
    });
    let config = certificate.config()?;
    let fingerprint = certificate.fingerprint();
    tracing::info!(%fingerprint, listen = ?start.listen, "the API serves");
    if let Some(code) = heard.claim() {
        tracing::warn!("the box has no owner; claim it with the code {code}");
    }
    link.tell(FromApi::Ready { fingerprint, held_by });
    link.tell(FromApi::Claim(heard.claim()));
    link.tell(FromApi::Head(heard.audit().head()));
    {
        let office = Arc::clone(&heard);
        thread::Builder::new().name("follower".into()).spawn(move || follow(&office))?;
    }
    {
        let office = Arc::clone(&heard);
        thread::Builder::new().name("outbox".into()).spawn(move || deliver(&office))?;
    }
    crate::notice::deliver(&heard)?;
    {
        let office = Arc::clone(&heard);
        thread::Builder::new().name("chain".into()).spawn(move || {
            if let Err(error) = office.read_audit() {
                office.warn(format!("the audit cannot be read as a whole: {error}"));
            }
        })?;
    }
    {
        let office = Arc::clone(&heard);
        thread::Builder::new().name("calendar".into()).spawn(move || crate::calendar::keep(&office))?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(HANDLERS).build()?;
    runtime.block_on(async {
        if let Some(named) = named {
            tokio::spawn(mdns::answer(named, Arc::clone(&heard)));
        }
        tokio::select! {
            () = serve_all(listeners, plain.into_iter().flatten().collect(), config, Arc::new(Server::new(Arc::clone(&heard)))) => {}
            () = renew(&heard) => {}
        }
    });
    Ok(())
}

/// Looks once a day whether a certificate is near its end: the box's own is made anew, of the installed one people are warned.
async fn renew(office: &Office) {
    let mut warned = None;
    loop {
        if let Some(one) = office.certificate.installed().filter(|one| one.until < now().secs() + INSTALLED_ENDS.secs())
            && warned.as_ref() != Some(&one.fingerprint)
        {
            let at = rfc3339(Timestamp::from_secs(one.until));
            office.warn(format!("the installed certificate of {} ends at {at}; install another", one.names.join(", ")));
            warned = Some(one.fingerprint.clone());
        }
        tokio::time::sleep(DAY).await;
        let renewed = office.certificate.renew();
        office.told_certificate(renewed, "it was near its end");
        office.renew_intake(Certificate::renew);
    }
}

/// Opens the office, and listens to the gateway on a thread of its own.
fn open(
    link: &Arc<Link>,
    stream: UnixStream,
    start: &Start,
    boot: &str,
    certificate: Arc<Certificate>,
) -> Result<Arc<Office>, ProcessError> {
    let way = Box::new(Arc::clone(link));
    let office = Office::open(Path::new(HERE), boot, start.head.as_ref(), certificate, way)?;
    let office = Arc::new(office);
    start.listen.first().into_iter().for_each(|at| office.listens_at(*at));
    office.consents_after(Span::from_secs(start.consent_after));
    let (link, heard) = (Arc::clone(link), Arc::clone(&office));
    thread::Builder::new().name("link".into()).spawn(move || {
        let errands: Errands = Arc::new(move |errand| run_errand(&heard, errand));
        link.listen(stream, &errands);
        // The gateway is gone: whoever starts the next one starts another API.
        std::process::exit(0);
    })?;
    Ok(office)
}

/// Closes what whoever started the gateway left open in it, and the gateway in turn in this process.
pub fn close_inherited() {
    let names = fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    let numbers: Vec<i32> = names.filter_map(|name| name.file_name().to_str()?.parse().ok()).collect();
    let pair = fs::read_link("/proc/self/fd/0").ok();
    for number in numbers.into_iter().filter(|number| *number > 2) {
        // The pair itself was cloned from standard input.
        let own = pair.is_some() && fs::read_link(format!("/proc/self/fd/{number}")).ok() == pair;
        if !own {
            // What was the folder above is closed already.
            let _ = nix::unistd::close(number);
        }
    }
}

/// Listens at an address, without waiting for connections. A port may still be held by the process of a gateway that was killed.
///
/// # Errors
/// The address cannot be had.
pub fn listen(address: SocketAddr) -> Result<TcpListener, ProcessError> {
    let until = Instant::now() + PORT;
    loop {
        match TcpListener::bind(address) {
            Ok(listener) => {
                listener.set_nonblocking(true)?;
                return Ok(listener);
            }
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && Instant::now() < until => {
                thread::sleep(Duration::from_millis(50));
            }
            Err(error) => return Err(ProcessError::Listen(address, error)),
        }
    }
}

/// Does what the gateway wants done.
fn run_errand(office: &Office, errand: Errand) -> Response {
    match errand {
        Errand::Record(act) => {
            let who = Who { name: "command line".into(), ..Who::default() };
            let act =
                Act { who, what: act.what.into(), on: act.on, why: act.why, result: act.result, ..Act::default() };
            match office.commit(Change::default(), act) {
                Ok(()) => Response::Ok(serde_json::Value::Null),
                Err(problem) => Response::Error(problem.detail),
            }
        }
        Errand::Addresses(own) => {
            let renewed = office.certificate.follow(&own);
            office.told_certificate(renewed, "the box's addresses changed");
            office.renew_intake(|certificate| certificate.follow(&own));
            Response::Ok(serde_json::Value::Null)
        }
        Errand::Certificate(ask) => match crate::api::certificate_at_the_box(office, ask) {
            Ok(view) => Response::of(&view),
            Err(problem) => {
                let field = problem.field.map(|field| format!("{field} ")).unwrap_or_default();
                Response::Error(field + &problem.detail)
            }
        },
        Errand::Source(ask) => match crate::api::source_at_the_box(office, ask) {
            Ok(made) => Response::of(&made),
            Err(problem) => Response::Error(problem.detail),
        },
        Errand::Incidents { id } => match crate::api::incidents_at_the_box(office, id) {
            Ok(told) => Response::Ok(told),
            Err(problem) => Response::Error(problem.detail),
        },
        Errand::Recover { email } => match crate::api::recover(office, &email) {
            Ok(code) => Response::of(&code),
            Err(problem) => Response::Error(problem.detail),
        },
        Errand::Access(ask) => crate::api::about_access(office, ask),
        Errand::Audit { after, limit } => {
            let lines = office.rows().lines(after.saturating_add(1), limit.min(RECORDS_MAX) as usize);
            match lines {
                Ok(lines) => Response::of(&lines.into_iter().map(|(_, line)| line).collect::<Vec<_>>()),
                Err(error) => Response::Error(error.to_string()),
            }
        }
        Errand::Trailer { last } => match office.audit().trailer(office.rows(), last) {
            Ok(Some(line)) => Response::of(&line),
            Ok(None) => Response::Error(format!("the audit has no record {last}")),
            Err(error) => Response::Error(error.to_string()),
        },
    }
}
