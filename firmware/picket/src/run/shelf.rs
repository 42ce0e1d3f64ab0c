//! The shelf: forests that were loaded lie here, the one in force and the former; it swaps them, and says what a swap would change.
//!
//! **Shape**: a folder beside the store, `<store>.models`, with one file a forest (`<name>.model`, as it was signed) and `index.json`,
//! which names the one in force and the former, and `drift` with what was counted for the one in force. The index is replaced in one step, so that whatever happens one of them votes.
//! The forest in the binary needs no file. What cannot be used at the start is told, and the next best votes: the former, then
//! the one in the binary.

mod index;
mod judge;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use detect::forest::drift::Drift;
use terms::{BlockState, HostKey, Span};

use super::event::{News, Order, act, now};
use super::jury::{Seen, Voting};
use crate::config::Config;
use crate::control::protocol::{Minute, ModelFile};
use crate::control::views::{ClassifiedView, LoadView, VotingView};
use crate::control::{Request, Response};
use crate::model::{self, Keys, Model, Origin, Refused};
use index::{Index, Place};

/// The name of the file with the counts of the drift: the forest's name, then the counts.
const DRIFT: &str = "drift";
/// How long the inspector may take to answer.
const PATIENCE: Duration = Duration::from_secs(4);

/// The forests and the way to those who use them.
pub struct Shelf {
    folder: PathBuf,
    state: Mutex<State>,
    orders: SyncSender<Order>,
    news: SyncSender<News>,
    /// By whom events about forests go.
    this_box: HostKey,
}

struct State {
    keys: Keys,
    index: Index,
    voting: Voting,
}

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
enum ShelfError {
    #[error("{path}: {source}")]
    File { path: String, source: io::Error },
    #[error("{path}: {source}")]
    Refused { path: String, source: Refused },
    #[error("forest {0} votes already")]
    Already(String),
    #[error("the forest in this binary fails its check; picket self-test says why")]
    Shipped,
    #[error("there is no former forest to go back to")]
    NoFormer,
    #[error("no forest votes; the rules are alone")]
    NoForest,
    #[error("no minute of {0} is kept; one closes a minute after the host's first frame")]
    NoMinute(HostKey),
    #[error("there is no feature {0}")]
    NoFeature(String),
    #[error("there is no shadow")]
    NoShadow,
    #[error("{0} can't be written: {1}; the forest in force stays")]
    Folder(String, io::Error),
    #[error("the inspector does not answer; the forest in force stays")]
    Inspector,
    #[error("the gateway failed at this before; start it again")]
    Poisoned,
}

/// The forest that votes at the start, what is wrong where that is not the one that was loaded last, and what was counted of its drift.
pub fn at_start(config: &Config) -> (Voting, Drift) {
    let (folder, keys) = (folder(config), Keys::with(&config.model.keys));
    let (_, voting) = choose(&folder, &keys);
    if let Some(trouble) = &voting.trouble {
        tracing::error!("{trouble}");
    }
    let counted = fs::read(folder.join(DRIFT)).unwrap_or_default();
    let of_this = voting.forest.as_ref().and_then(|forest| counted.strip_prefix(forest.id().as_bytes()));
    let drift = of_this.and_then(Drift::of_octets).unwrap_or_default();
    (voting, drift)
}

fn folder(config: &Config) -> PathBuf {
    let mut name = config.store.path.clone().into_os_string();
    name.push(".models");
    name.into()
}

/// The best forest that can be used: the one in force, the former, the one in the binary.
fn choose(folder: &Path, keys: &Keys) -> (Index, Voting) {
    let (index, mut trouble) = match Index::read(folder) {
        Ok(index) => (index, None),
        Err(error) => (Index::default(), Some(format!("what was loaded last is not known: {error}"))),
    };
    let mut forest = None;
    for place in [Some(&index.current), index.former.as_ref(), Some(&Place::Shipped)].into_iter().flatten() {
        match open(folder, place, keys) {
            Ok(model) => {
                forest = Some(Arc::new(model));
                break;
            }
            Err(error) => {
                let _first =
                    trouble.get_or_insert_with(|| format!("the forest that was loaded last does not vote: {error}"));
            }
        }
    }
    let votes =
        forest.as_ref().map_or_else(|| "the rules are alone".into(), |model| format!("{} votes", model.words()));
    (index, Voting { forest, shadow: None, trouble: trouble.map(|what| format!("{what}; {votes}")) })
}

/// What others go back to: not to what could not be used.
fn to_go_by(index: Index, voting: &Voting) -> Index {
    match &voting.trouble {
        None => index,
        Some(_) => Index { current: Place::of(voting.forest.as_deref()), former: None },
    }
}

fn open(folder: &Path, place: &Place, keys: &Keys) -> Result<Model, ShelfError> {
    match place {
        Place::Shipped => Model::shipped().ok_or(ShelfError::Shipped),
        Place::File(_) => read(&ModelFile::Path(place.path(folder)), keys).map(|(model, _)| model),
    }
}

/// Reads a file and checks it wholly.
fn read(file: &ModelFile, keys: &Keys) -> Result<(Model, Vec<u8>), ShelfError> {
    let wrong = |source| ShelfError::File { path: file.to_string(), source };
    let octets = match file {
        ModelFile::Path(path) => match fs::metadata(path).map_err(wrong)?.is_file() {
            true => model::read(path).map_err(wrong)?,
            false => return Err(wrong(io::Error::other("this is no file"))),
        },
        ModelFile::Sent(text) => STANDARD.decode(text).map_err(|_| wrong(io::Error::other("this is not base 64")))?,
    };
    let model = Model::open(&octets, keys).map_err(|source| ShelfError::Refused { path: file.to_string(), source })?;
    Ok((model, octets))
}

impl Shelf {
    /// The shelf of a gateway in which these forests vote.
    pub fn new(
        config: &Config,
        voting: Voting,
        this_box: HostKey,
        orders: SyncSender<Order>,
        news: SyncSender<News>,
    ) -> Self {
        let folder = folder(config);
        let index = to_go_by(Index::read(&folder).unwrap_or_default(), &voting);
        let trouble = voting.trouble.clone();
        let state = Mutex::new(State { keys: Keys::with(&config.model.keys), index, voting });
        let shelf = Self { folder, state, orders, news, this_box };
        trouble.into_iter().for_each(|trouble| shelf.tell(trouble));
        shelf
    }

    /// Answers what is asked about forests.
    pub fn handle(&self, request: Request) -> Response {
        let done = match request {
            Request::ModelCheck { file } => self.check(&file),
            Request::ModelClassify { minute } => self.classify(minute).map(|view| Response::of(&view)),
            Request::ModelLoad { file, dry_run } => self.load(&file, dry_run).map(|view| Response::of(&view)),
            Request::ModelRevert => self.revert().map(|view| Response::of(&view)),
            Request::ModelShadow { file, for_secs } => self.shadow(&file, Span::from_secs(for_secs)),
            Request::ModelUnshadow => self.unshadow(),
            _ => self.show(),
        };
        done.unwrap_or_else(|error| Response::Error(error.to_string()))
    }

    /// Other keys are trusted from now on: whoever votes by one that is not any more ends, and the next best forest votes.
    pub fn trust(&self, keys: Keys) {
        let Ok(mut state) = self.state.lock() else { return };
        state.keys = keys;
        let (index, mut voting) = choose(&self.folder, &state.keys);
        let trusted = |model: &Model| match model.origin() {
            Origin::Shipped => true,
            Origin::Signed(key, _) => state.keys.trust(&key),
        };
        voting.shadow = state.voting.shadow.clone().filter(|(model, _)| trusted(model));
        let names = |voting: &Voting| {
            let name = |model: &Arc<Model>| model.id().to_owned();
            (voting.forest.as_ref().map(name), voting.shadow.as_ref().map(|(model, _)| name(model)))
        };
        if names(&voting) == names(&state.voting) {
            return;
        }
        if let Err(error) = self.vote(&voting) {
            tracing::error!("{error}");
            return;
        }
        state.index = to_go_by(index, &voting);
        state.voting = voting;
        let why = state.voting.trouble.clone().unwrap_or_else(|| format!("{} votes", words(&state)));
        self.tell(format!("other keys are trusted: {why}"));
    }

    /// Writes down what was counted of the drift.
    pub fn keep(&self) {
        let Ok(state) = self.state.lock() else { return };
        let (reply, answer) = sync_channel::<Drift>(1);
        let Some(forest) = state.voting.forest.as_ref().filter(|_| self.order(Order::Drift(reply)).is_ok()) else {
            return;
        };
        let Ok(drift) = answer.recv_timeout(PATIENCE) else { return };
        let octets = [forest.id().as_bytes(), &drift.octets()].concat();
        if drift.minutes() > 0
            && let Err(error) = index::write(&self.folder, &self.folder.join(DRIFT), &octets)
        {
            tracing::warn!(
                "{}: {error}; how far this site is from the training is counted anew",
                self.folder.display()
            );
        }
    }

    fn state(&self) -> Result<MutexGuard<'_, State>, ShelfError> {
        self.state.lock().map_err(|_| ShelfError::Poisoned)
    }

    fn check(&self, file: &ModelFile) -> Result<Response, ShelfError> {
        let (model, _) = read(file, &self.state()?.keys)?;
        Ok(Response::of(&model::view(&model)))
    }

    fn classify(&self, minute: Minute) -> Result<ClassifiedView, ShelfError> {
        let seen = match minute {
            Minute::Newest(host) => {
                let newest = self.minutes()?.into_iter().rfind(|seen| seen.host == host);
                newest.ok_or(ShelfError::NoMinute(host))?
            }
            Minute::Of(named) => judge::stranger(&named).map_err(ShelfError::NoFeature)?,
        };
        let state = self.state()?;
        let forest = state.voting.forest.as_deref().and_then(Model::forest).ok_or(ShelfError::NoForest)?;
        Ok(judge::classify(&forest, &seen))
    }

    fn load(&self, file: &ModelFile, dry_run: bool) -> Result<LoadView, ShelfError> {
        let mut state = self.state()?;
        let (model, octets) = read(file, &state.keys)?;
        let view = self.judge(&state, &model, !dry_run)?;
        if dry_run {
            return Ok(view);
        }
        let same = state.voting.forest.as_ref().is_some_and(|forest| forest.id() == model.id());
        if same && state.voting.trouble.is_none() {
            return Err(ShelfError::Already(model.id().into()));
        }
        let place = Place::of(Some(&model));
        if let Place::File(_) = place {
            let written = index::write(&self.folder, &place.path(&self.folder), &octets);
            written.map_err(|error| self.unwritten(error))?;
        }
        let before = state.voting.forest.as_ref().map_or_else(|| "none".into(), |forest| forest.words());
        let index = Index { former: Some(state.index.current.clone()), current: place };
        self.swap(&mut state, index, model)?;
        self.tell(format!("an admin loaded forest {}; before: {before}", words(&state)));
        Ok(view)
    }

    fn revert(&self) -> Result<LoadView, ShelfError> {
        let mut state = self.state()?;
        let former = state.index.former.clone().ok_or(ShelfError::NoFormer)?;
        let model = open(&self.folder, &former, &state.keys)?;
        let view = self.judge(&state, &model, true)?;
        let index = Index { former: Some(state.index.current.clone()), current: former };
        let before = words(&state);
        self.swap(&mut state, index, model)?;
        self.tell(format!("an admin went back to forest {}; before: {before}", words(&state)));
        Ok(view)
    }

    /// Lets a forest vote: first the index, so that a restart agrees with what is in force.
    fn swap(&self, state: &mut State, index: Index, model: Model) -> Result<(), ShelfError> {
        index.write(&self.folder).map_err(|error| self.unwritten(error))?;
        let shadow = state.voting.shadow.clone().filter(|(shadow, _)| shadow.id() != model.id());
        let voting = Voting { forest: Some(Arc::new(model)), shadow, trouble: None };
        if let Err(error) = self.vote(&voting) {
            // The inspector may be ending; what votes is what the index says.
            if let Err(error) = state.index.write(&self.folder) {
                tracing::error!("{}: {error}", self.folder.display());
            }
            return Err(error);
        }
        (state.index, state.voting) = (index, voting);
        state.index.sweep(&self.folder);
        Ok(())
    }

    fn shadow(&self, file: &ModelFile, lasts: Span) -> Result<Response, ShelfError> {
        let mut state = self.state()?;
        let (model, _) = read(file, &state.keys)?;
        let said =
            format!("an admin set forest {} in the shadow: its votes are counted and decide nothing", model.words());
        let voting = Voting { shadow: Some((Arc::new(model), now() + lasts)), ..state.voting.clone() };
        self.vote(&voting)?;
        state.voting = voting;
        self.tell(said);
        drop(state);
        self.show()
    }

    fn unshadow(&self) -> Result<Response, ShelfError> {
        let shown = self.show()?;
        let mut state = self.state()?;
        let Some((model, _)) = state.voting.shadow.clone() else { return Err(ShelfError::NoShadow) };
        let voting = Voting { shadow: None, ..state.voting.clone() };
        self.vote(&voting)?;
        state.voting = voting;
        self.tell(format!("an admin ended the shadow of forest {}", model.words()));
        Ok(shown)
    }

    fn show(&self) -> Result<Response, ShelfError> {
        let (reply, answer) = sync_channel(1);
        self.order(Order::Votes(reply))?;
        let voted = answer.recv_timeout(PATIENCE).map_err(|_| ShelfError::Inspector)?;
        let state = self.state()?;
        let former = state.index.former.as_ref().map(ToString::to_string);
        let model = state.voting.forest.as_deref().and_then(model::view);
        Ok(Response::of(&VotingView { model, former, ..judge::voting(&voted) }))
    }

    /// Has the inspector take up other forests, and waits until it did.
    fn vote(&self, voting: &Voting) -> Result<(), ShelfError> {
        let (reply, answer) = sync_channel(1);
        self.order(Order::Vote(voting.clone(), reply))?;
        answer.recv_timeout(PATIENCE).map_err(|_| ShelfError::Inspector)
    }

    /// What a forest would change, by the minutes that the inspector keeps.
    fn judge(&self, state: &State, model: &Model, loaded: bool) -> Result<LoadView, ShelfError> {
        let view = judge::judge(&self.minutes()?, state.voting.forest.as_deref(), model);
        Ok(LoadView { loaded, ..view })
    }

    /// The minutes that the inspector keeps, oldest first.
    fn minutes(&self) -> Result<Vec<Seen>, ShelfError> {
        let (reply, answer) = sync_channel(1);
        self.order(Order::Minutes(reply))?;
        answer.recv_timeout(PATIENCE).map_err(|_| ShelfError::Inspector)
    }

    fn order(&self, order: Order) -> Result<(), ShelfError> {
        self.orders.try_send(order).map_err(|_| ShelfError::Inspector)
    }

    fn unwritten(&self, error: io::Error) -> ShelfError {
        ShelfError::Folder(self.folder.display().to_string(), error)
    }

    fn tell(&self, why: String) {
        tracing::info!("{why}");
        let event = act(now(), None, self.this_box, BlockState::Observed, "admin", why);
        let _gone = self.news.send(News::Event(Box::new(event)));
    }
}

fn words(state: &State) -> String {
    state.voting.forest.as_ref().map_or_else(|| "none".into(), |forest| forest.words())
}

impl Place {
    /// Where a forest lies.
    fn of(model: Option<&Model>) -> Self {
        match model.map(|model| (model.origin(), model.id())) {
            Some((Origin::Signed(..), id)) => Self::File(id.into()),
            _ => Self::Shipped,
        }
    }
}
