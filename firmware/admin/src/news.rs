//! What the live feed tells: the gateway's events to those who may see the whole network, requests for access to whom they concern.

use std::sync::Arc;

use serde::Serialize;
use tokio::sync::broadcast;

use crate::people::Caller;
use crate::role::Role;

/// News that wait for the slowest listener; then it is dropped.
const WAITING: usize = 256;

/// One thing that happened.
#[derive(Debug)]
pub struct News {
    /// The number of the gateway's event, by which a listener that comes back says what it has. Nothing else has one: it stands in a list.
    pub id: Option<u64>,
    /// What the stream calls it.
    pub kind: &'static str,
    /// It, as JSON.
    pub line: String,
    /// The account that it concerns, which is told of it whatever its role.
    pub of: Option<u64>,
}

impl News {
    /// Whether a listener is told.
    #[must_use]
    pub fn is_for(&self, caller: &Caller) -> bool {
        caller.role != Role::User || self.of == Some(caller.account)
    }
}

/// The way to all listeners.
#[derive(Clone)]
pub struct Feed(broadcast::Sender<Arc<News>>);

impl Default for Feed {
    fn default() -> Self {
        Self(broadcast::channel(WAITING).0)
    }
}

impl Feed {
    /// Tells whoever listens; nobody may.
    pub fn tell(&self, id: Option<u64>, kind: &'static str, row: &impl Serialize, of: Option<u64>) {
        if self.0.receiver_count() == 0 {
            return;
        }
        let Ok(line) = serde_json::to_string(row) else { return };
        let _ = self.0.send(Arc::new(News { id, kind, line, of }));
    }

    /// Hears what is told from now on.
    #[must_use]
    pub fn listen(&self) -> broadcast::Receiver<Arc<News>> {
        self.0.subscribe()
    }
}
