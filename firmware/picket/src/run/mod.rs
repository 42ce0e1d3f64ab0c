//! `picket run`: the gateway.
//!
//! | thread | owns | hears from | tells |
//! |---|---|---|---|
//! | inspector | both taps, the host table, detection | orders | suspects to the enforcer, a summary a second and what devices say of themselves to the keeper |
//! | enforcer | netlink, the responder | suspects, admins | events and its state to the keeper, marks to the inspector |
//! | bridge | the bridge's settings, the count of conversations | | events and what is wrong with it to the keeper, own addresses and counts to the enforcer |
//! | denials | the kernel's log of what rules deny | | events to the keeper, attempts to the inspector |
//! | keeper | the store, what is shown | events, summaries, clues, questions | answers |
//! | main | signals, the control socket (tokio), the shelf of forests | people | questions and orders |
//! | api | the API process: its start, its end, the socket pair | its questions | answers and errands |
//! | intake | the intake process in the same way | its answers | questions |
//!
//! Every channel is bounded. The inspector never waits: what does not fit is dropped and counted. Frames cross the kernel's bridge
//! whatever happens here.

mod allocator;
mod api;
mod bridge;
mod census;
mod child;
mod clues;
mod denials;
mod enforcer;
mod event;
mod gateway;
mod inspector;
mod intake;
mod jury;
mod keeper;
mod lists;
mod machine;
mod mail;
mod power;
mod pulse;
mod recent;
mod rehearsal;
mod report;
mod settings;
mod shelf;
mod shown;
mod told;

pub use event::now;
pub use rehearsal::rehearse;

use std::path::Path;
use std::process::ExitCode;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use features::HashKey;
use tokio::signal::unix::{SignalKind, signal};

use crate::commands::bad_file;
use crate::config::Config;
use crate::config::set::with_set;
use crate::control::Server;
use gateway::{CommandLine, Desk, Held};
use lists::Lists;
use power::{End, Ending};
use pulse::{Feeler, Pulse};
use settings::Settings;
use shelf::Shelf;
use terms::HostKey;

/// Findings on their way to the enforcer.
const SUSPECTS: usize = 1_024;
/// Orders on their way to the inspector.
const ORDERS: usize = 4_096;
/// Events, summaries and questions on their way to the keeper.
const NEWS: usize = 1_024;
/// How often what was counted of votes is written down, besides at the end.
const KEEP: Duration = Duration::from_secs(3_600);

/// How long an answer may need to reach whoever had the gateway start again.
const ANSWERED: Duration = Duration::from_millis(500);

/// Why the gateway did not start, or ended.
#[derive(Debug, thiserror::Error)]
enum RunError {
    #[error(transparent)]
    Settings(#[from] settings::SettingsError),
    #[error(transparent)]
    Control(#[from] crate::control::ControlError),
    #[error("the gateway needs {0}, which this process does not have; run it as root")]
    Rights(String),
    #[error("{0}")]
    System(#[from] std::io::Error),
    #[error("a part of the gateway ended by itself; see the log above")]
    Ended,
}

/// Runs the gateway until SIGTERM or SIGINT. The bridge and the last ruleset stay.
#[must_use]
pub fn run(named: Option<&Path>) -> ExitCode {
    crate::log::start();
    // Before anything is read that would be read again.
    allocator::settle();
    let (config, origins) = match Config::find_with_origins(named) {
        Ok(found) => found,
        Err(error) => return bad_file(&error),
    };
    let (config, set) = with_set(config);
    let held = Held { config: config.clone(), origins, set };
    // Before there is a second thread, a socket or a store of the gateway's own that it could inherit.
    let intake = Arc::new(intake::Intake::new(&config));
    let api = Arc::new(api::Api::new(&config, Arc::clone(&intake)));
    let may = crate::doctor::lacking_rights().is_empty();
    let begun =
        |what: &str, spawn: &dyn Fn() -> std::io::Result<Option<child::Running>>| match may.then(spawn).transpose() {
            Ok(started) => started.flatten(),
            Err(error) => {
                tracing::error!("the {what} process does not start: {error}");
                None
            }
        };
    let rooms = Rooms {
        api_started: begun("API", &|| api.spawn()),
        intake_started: begun("intake", &|| intake.spawn()),
        api,
        intake,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(4).build();
    let done = runtime.map_err(RunError::from).and_then(|runtime| runtime.block_on(gateway(held, named, rooms)));
    match done {
        Ok(End::Asked) => ExitCode::SUCCESS,
        Ok(End::Off) => power::off(),
        Ok(End::Again) => {
            let error = again();
            tracing::error!("the gateway does not start again: {error}");
            ExitCode::FAILURE
        }
        Err(error) => {
            tracing::error!("{error}");
            eprintln!("picket: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The processes beside the gateway, and those of them that were started.
struct Rooms {
    api: Arc<api::Api>,
    api_started: Option<child::Running>,
    intake: Arc<intake::Intake>,
    intake_started: Option<child::Running>,
}

/// Starts this binary again in this process, as it was started. Comes back only where that cannot be done.
fn again() -> std::io::Error {
    use std::os::unix::process::CommandExt;
    tracing::info!("picket starts again");
    std::process::Command::new("/proc/self/exe").args(std::env::args_os().skip(1)).exec()
}

/// Ends the gateway at once: a part that hangs can't be waited for, and whoever started the gateway starts it again.
fn hung(part: &str) -> ! {
    tracing::error!("the {part} hangs; the gateway ends, to be started again; the last ruleset stands");
    std::process::exit(1)
}

async fn gateway(held: Held, named: Option<&Path>, rooms: Rooms) -> Result<End, RunError> {
    let Rooms { api, api_started, intake, intake_started } = rooms;
    let config = held.config.clone();
    let lacking = crate::doctor::lacking_rights();
    if !lacking.is_empty() {
        return Err(RunError::Rights(lacking.join(" and ")));
    }
    let server = Server::bind(&config.control.socket)?;
    let settings = Settings::find(&config)?;
    let (voting, drift) = shelf::at_start(&config);
    let (suspects, suspected) = sync_channel(SUSPECTS);
    let (orders, ordered) = sync_channel(ORDERS);
    let (news, heard) = sync_channel(NEWS);
    let (clues, learnt) = clues::Clues::channel();
    let pulses = [Pulse::default(), Pulse::default()];
    let mut feelers = [Feeler::new("enforcer", &pulses[0]), Feeler::new("inspector", &pulses[1])];
    let keeper = {
        let config = config.clone();
        let (suspects, orders) = (suspects.clone(), orders.clone());
        let start = move || keeper::keep(&config, &heard, learnt, &suspects, &orders);
        thread::Builder::new().name("keeper".into()).spawn(start)?
    };
    let enforcer = {
        let (config, settings, news, orders) = (config.clone(), settings.clone(), news.clone(), orders.clone());
        let pulse = pulses[0].clone();
        let start = move || enforcer::enforce(&config, settings, &suspected, (&news, &orders), &pulse);
        thread::Builder::new().name("enforcer".into()).spawn(start)?
    };
    let inspector = {
        let (config, settings, news, suspects) = (config.clone(), settings.clone(), news.clone(), suspects.clone());
        let forests = (voting.clone(), drift);
        let pulse = pulses[1].clone();
        let start =
            move || inspector::inspect(&config, &settings, forests, &ordered, (&suspects, &news, clues), &pulse);
        thread::Builder::new().name("inspector".into()).spawn(start)?
    };
    let this_box = HostKey::Mac(settings.this_box());
    let shelf = Shelf::new(&config, voting, this_box, orders.clone(), news.clone());
    let key = HashKey::new(settings.secret[0], settings.secret[1]);
    let lists = Lists::open(&config, key, this_box, orders.clone(), news.clone());
    let (going_on, end) = sync_channel(0);
    let bridge = {
        let (news, suspects, api) = (news.clone(), suspects.clone(), Arc::clone(&api));
        let start = move || bridge::watch(settings, &end, &news, &suspects, &api);
        thread::Builder::new().name("bridge".into()).spawn(start)?
    };
    tracing::info!(posture = config.posture.as_str(), socket = %config.control.socket.display(), "picket runs");
    let named = named.map(Path::to_owned);
    let told = (suspects.clone(), orders.clone(), news.clone());
    let (listening, deaf) = sync_channel(0);
    let denials = {
        let (news, orders) = (news.clone(), orders.clone());
        thread::Builder::new().name("denials".into()).spawn(move || denials::listen(&deaf, &news, &orders))?
    };
    let ending = Arc::new(Ending::default());
    let (rooms, claims) = ((Arc::clone(&api), Arc::clone(&intake)), api.claims());
    let desk = Arc::new(Desk::new(held, (named, Arc::clone(&ending)), told, (shelf, lists), rooms));
    let supervisor = {
        let desk = Arc::clone(&desk) as Arc<dyn crate::control::Gateway>;
        let work = suspects.clone();
        thread::Builder::new().name("api".into()).spawn(move || api.supervise(api_started, &desk, &work))?
    };
    let heard = news.clone();
    let intake =
        thread::Builder::new().name("intake".into()).spawn(move || intake.supervise(intake_started, &heard))?;
    let mut hangup = signal(SignalKind::hangup())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let alive = || !(keeper.is_finished() || enforcer.is_finished() || inspector.is_finished());
    let mut look = tokio::time::interval(Duration::from_secs(1));
    let mut kept = Instant::now();
    let serving = server.serve(Arc::new(CommandLine { desk: desk.clone() }));
    tokio::pin!(serving);
    let done = loop {
        tokio::select! {
            () = &mut serving => break Err(RunError::Ended),
            _ = hangup.recv() => desk.reload(),
            _ = terminate.recv() => break Ok(End::Asked),
            _ = interrupt.recv() => break Ok(End::Asked),
            () = claims.notified() => desk.watch_claim(),
            () = ending.wanted.notified() => {
                // The answer that says so is on its way.
                tokio::time::sleep(ANSWERED).await;
                break Ok(*ending.how.lock().unwrap_or_else(PoisonError::into_inner));
            }
            _ = look.tick() => {
                if !alive() {
                    break Err(RunError::Ended);
                }
                if let Some(part) = feelers.iter_mut().find_map(|feeler| feeler.hung(Instant::now())) {
                    hung(part);
                }
                if kept.elapsed() >= KEEP {
                    kept = Instant::now();
                    let desk = desk.clone();
                    drop(tokio::task::spawn_blocking(move || desk.keep()));
                }
            }
        }
    };
    tracing::info!("picket ends; the bridge forwards on and the last ruleset stands");
    drop((going_on, listening));
    desk.stop();
    for part in [bridge, denials, inspector, enforcer, keeper, supervisor, intake] {
        if part.join().is_err() {
            tracing::error!("a part of the gateway ended badly");
        }
    }
    done
}
