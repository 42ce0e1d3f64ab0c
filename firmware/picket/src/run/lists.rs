//! Lists of indicators: kept beside the store, read wholly before they count, handed to the inspector between two frames.
//!
//! **Shape**: a folder `<store>.lists` with one file a list (`<name>.json`), which holds the text as it was loaded, where it comes from
//! and until when it holds. A file is replaced in one step. One that cannot be read at the start is told and does not count; it stays.
//!
//! **Bounds**: [`LISTS`] lists; together no more networks, and names and TLS clients, than one list may have.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, TrySendError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use features::listed::{Indicators, LISTS, List, Mark};
use policy::indicators::{self, ENTRIES, Listing};
use serde::{Deserialize, Serialize};
use terms::{BlockState, HostKey, Span, ThreatLevel, Timestamp};

use super::event::{News, Order, act, now};
use super::shelf::write;
use crate::config::Config;
use crate::control::views::IndicatorsView;
use crate::control::{Request, Response};

/// What files of lists end in.
const ENDING: &str = "json";
/// The longest name of a list, in octets.
const NAME_MAX: usize = 40;

/// The lists and the way to those who use them.
pub struct Lists {
    folder: PathBuf,
    held: Mutex<Vec<Held>>,
    key: features::HashKey,
    orders: SyncSender<Order>,
    news: SyncSender<News>,
    /// By whom events about lists go.
    this_box: HostKey,
}

/// A list as it lies in its file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    number: u16,
    name: String,
    high: bool,
    origin: String,
    loaded: Timestamp,
    until: Timestamp,
    text: String,
}

/// A list in force.
struct Held {
    /// What is shown of it.
    view: IndicatorsView,
    list: Arc<List>,
}

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
enum ListsError {
    #[error("a list's name is 1 to {NAME_MAX} of a-z, 0-9, - and _")]
    Name,
    #[error("there is no list {0}")]
    Missing(String),
    #[error("{0}")]
    Text(String),
    #[error("there are {LISTS} lists already; remove one first")]
    Lists,
    #[error(
        "all lists together would hold {0} networks and {1} names and TLS clients; there is room for {ENTRIES} of each"
    )]
    Room(u64, u64),
    #[error("{0} can't be written: {1}; the lists in force stay")]
    Folder(String, io::Error),
    #[error("the inspector does not listen; the lists in force stay until the gateway is started again")]
    Inspector,
}

impl Lists {
    /// The lists of former runs, from now on in force.
    pub fn open(
        config: &Config,
        key: features::HashKey,
        this_box: HostKey,
        orders: SyncSender<Order>,
        news: SyncSender<News>,
    ) -> Self {
        let mut folder = config.store.path.clone().into_os_string();
        folder.push(".lists");
        let lists = Self { folder: folder.into(), held: Mutex::default(), key, orders, news, this_box };
        let mut held = Vec::new();
        for path in lists.files() {
            let read = read(&path).and_then(|kept| Held::of(&kept, lists.key).map_err(io::Error::other));
            match read {
                Ok(list) if held.len() < LISTS => held.push(list),
                Ok(list) => lists.tell(format!("list {} does not count: there are {LISTS} others", list.view.name)),
                Err(error) => lists.tell(format!("{} does not count: {error}; load it again", path.display())),
            }
        }
        held.sort_by_key(|list| list.view.number);
        if !held.is_empty()
            && let Err(error) = lists.look_for(&held)
        {
            tracing::error!("{error}");
        }
        *lists.held() = held;
        lists
    }

    /// Answers what is asked about lists.
    pub fn handle(&self, request: Request) -> Response {
        let done = match request {
            Request::IndicatorsLoad { name, text, high, origin, for_secs } => {
                let loaded = now();
                let until = loaded + Span::from_secs(for_secs);
                let kept = Kept { number: 0, name, high, origin, loaded, until, text };
                self.load(kept).map(|view| Response::of(&view))
            }
            Request::IndicatorsRemove { name } => self.remove(&name).map(|view| Response::of(&view)),
            Request::IndicatorsText { name } => self.text(&name).map(|text| Response::of(&text)),
            _ => Ok(Response::of(&self.held().iter().map(Held::shown).collect::<Vec<_>>())),
        };
        done.unwrap_or_else(|error| Response::Error(error.to_string()))
    }

    fn held(&self) -> MutexGuard<'_, Vec<Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn load(&self, mut kept: Kept) -> Result<IndicatorsView, ListsError> {
        let path = self.path(&kept.name)?;
        let mut held = self.held();
        let name = kept.name.clone();
        let others = || held.iter().map(|list| &list.view).filter(|view| view.name != name);
        // The lowest that is free; a list that is replaced keeps its own, by which events name it.
        let own = held.iter().map(|list| &list.view).find(|view| view.name == name).map(|view| view.number);
        let free = (1..).find(|number| others().all(|view| view.number != *number));
        kept.number = own.or(free).unwrap_or(u16::MAX);
        let list = Held::of(&kept, self.key).map_err(ListsError::Text)?;
        if others().count() >= LISTS {
            return Err(ListsError::Lists);
        }
        let sum = |of: fn(&IndicatorsView) -> u64| others().map(of).sum::<u64>() + of(&list.view);
        let (networks, names) = (sum(|view| view.networks), sum(|view| view.names));
        if networks.max(names) > ENTRIES as u64 {
            return Err(ListsError::Room(networks, names));
        }
        let octets = serde_json::to_vec(&kept).map_err(|error| self.unwritten(error.into()))?;
        write(&self.folder, &path, &octets).map_err(|error| self.unwritten(error))?;
        let view = list.shown();
        held.retain(|list| list.view.name != name);
        held.push(list);
        held.sort_by_key(|list| list.view.number);
        self.look_for(&held)?;
        drop(held);
        self.tell(format!(
            "an admin loaded list {} {} of {}: {} networks and {} names and TLS clients are {} until {} UTC",
            view.number,
            view.name,
            view.origin,
            view.networks,
            view.names,
            view.level,
            crate::terminal::moment(view.until)
        ));
        Ok(view)
    }

    fn remove(&self, name: &str) -> Result<IndicatorsView, ListsError> {
        let path = self.path(name)?;
        let mut held = self.held();
        let place = held.iter().position(|list| list.view.name == name);
        let removed = fs::remove_file(&path);
        match (place, removed) {
            (None, Ok(())) => Ok(IndicatorsView { name: name.into(), ..IndicatorsView::default() }),
            (None, Err(_)) => Err(ListsError::Missing(name.into())),
            (Some(_), Err(error)) if error.kind() != io::ErrorKind::NotFound => Err(self.unwritten(error)),
            (Some(place), _) => {
                let list = held.remove(place);
                self.look_for(&held)?;
                self.tell(format!("an admin removed list {} {name}", list.view.number));
                Ok(list.shown())
            }
        }
    }

    fn text(&self, name: &str) -> Result<String, ListsError> {
        let path = self.path(name)?;
        read(&path).map(|kept| kept.text).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => ListsError::Missing(name.into()),
            _ => ListsError::Text(format!("{}: {error}", path.display())),
        })
    }

    /// The file of a list. A name leads nowhere else.
    fn path(&self, name: &str) -> Result<PathBuf, ListsError> {
        let plain = |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit() || matches!(octet, b'-' | b'_');
        let good = (1..=NAME_MAX).contains(&name.len()) && name.bytes().all(plain);
        if good { Ok(self.folder.join(name).with_extension(ENDING)) } else { Err(ListsError::Name) }
    }

    /// The files of lists, in the order of their names.
    fn files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut files: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|e| e == ENDING)).collect();
        files.sort();
        files
    }

    fn look_for(&self, held: &[Held]) -> Result<(), ListsError> {
        let indicators = Arc::new(Indicators::new(held.iter().map(|list| Arc::clone(&list.list))));
        self.orders.try_send(Order::LookFor(indicators)).map_err(|error| match error {
            TrySendError::Full(_) | TrySendError::Disconnected(_) => ListsError::Inspector,
        })
    }

    fn unwritten(&self, error: io::Error) -> ListsError {
        ListsError::Folder(self.folder.display().to_string(), error)
    }

    fn tell(&self, why: String) {
        tracing::info!("{why}");
        let event = act(now(), None, self.this_box, BlockState::Observed, "admin", why);
        let _gone = self.news.send(News::Event(Box::new(event)));
    }
}

/// Reads a file of a list.
fn read(path: &Path) -> io::Result<Kept> {
    serde_json::from_slice(&fs::read(path)?).map_err(io::Error::from)
}

impl Held {
    /// A list, read wholly.
    fn of(kept: &Kept, key: features::HashKey) -> Result<Self, String> {
        let listing = indicators::read(&kept.text)
            .map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))?;
        let level = if kept.high { ThreatLevel::High } else { ThreatLevel::Medium };
        let mark = Mark { list: kept.number, level };
        let networks = listing.networks.iter().map(|network| (network.address(), network.prefix()));
        let list = List::new(mark, kept.until, key, networks, listing.names.iter().map(String::as_str));
        let list = list.with_clients(listing.clients.iter().copied());
        Ok(Self { view: view(kept, level, &listing), list: Arc::new(list) })
    }

    fn shown(&self) -> IndicatorsView {
        IndicatorsView { over: self.view.until <= now().as_secs_f64(), ..self.view.clone() }
    }
}

fn view(kept: &Kept, level: ThreatLevel, listing: &Listing) -> IndicatorsView {
    IndicatorsView {
        number: kept.number,
        name: kept.name.clone(),
        level: level.as_str().into(),
        origin: kept.origin.clone(),
        networks: listing.networks.len() as u64,
        names: (listing.names.len() + listing.clients.len()) as u64,
        passed_over: listing.passed_over as u64,
        loaded: kept.loaded.as_secs_f64(),
        until: kept.until.as_secs_f64(),
        over: false,
    }
}
