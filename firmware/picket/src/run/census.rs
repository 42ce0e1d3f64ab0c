//! How many conversations each device holds, looked at now and then, and told to the enforcer.

use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use enforce::{Census, Count, EnforceError};

use super::event::Work;

/// Listing full maps may take at most one part in so many of a processor's time.
const SHARE: u32 = 20;
/// How long the kernel remembers who is at its cap: longer than it takes to count again, however slow the machine.
pub const REMEMBERED: Duration = Duration::from_secs(60);

/// Looks at the kernel's maps at a pace that the machine bears.
pub struct Counting {
    census: Option<Census>,
    /// Before this moment it does not look.
    rests: Instant,
    told: Count,
    complained: bool,
}

impl Counting {
    /// Nothing was looked at yet.
    pub fn new() -> Self {
        Self { census: None, rests: Instant::now(), told: Count::default(), complained: false }
    }

    /// Looks, if it is time, and tells the enforcer what concerns it.
    pub fn look(&mut self, work: &SyncSender<Work>) {
        if Instant::now() < self.rests {
            return;
        }
        let begun = Instant::now();
        match self.count() {
            Ok(count) => {
                // Whoever is at its cap is told each time: what the kernel holds of it ends by itself.
                if count != self.told || !count.at_cap.is_empty() {
                    // An enforcer that is behind hears of it the next time.
                    if work.try_send(Work::Counted(Box::new(count.clone()))).is_ok() {
                        self.told = count;
                    }
                }
            }
            Err(error) => {
                if !std::mem::replace(&mut self.complained, true) {
                    tracing::warn!(
                        "conversations are not counted by device, only how fast they begin is bounded: {error}"
                    );
                }
                self.census = None;
            }
        }
        self.rests = begun + begun.elapsed() * SHARE;
    }

    fn count(&mut self) -> Result<Count, EnforceError> {
        let census = match &mut self.census {
            Some(census) => census,
            none => none.insert(Census::open()?),
        };
        census.look()
    }
}
