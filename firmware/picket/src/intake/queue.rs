//! Records on their way to the log: bounded in octets, in all and for each source.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use intake::Activity;

use super::sources::Transport;

/// Octets of records that wait.
const OCTETS_MAX: usize = 4 << 20;
/// Of these, what one source may take.
const OF_ONE_MAX: usize = OCTETS_MAX / 2;
/// What a record takes beside its texts.
const RECORD: usize = 256;

/// The queue.
#[derive(Default)]
pub struct Queue {
    waiting: Mutex<Waiting>,
    come: Condvar,
}

#[derive(Default)]
struct Waiting {
    rows: Vec<(Activity, Transport)>,
    octets: usize,
    by_source: HashMap<IpAddr, usize>,
}

impl Queue {
    /// Puts a record in; gives it back where there is no room for it.
    pub fn put(&self, activity: Activity, by: Transport) -> Result<(), Box<Activity>> {
        let octets =
            RECORD + activity.text.len() + activity.subject.len() + activity.object.len() + activity.device.len();
        let mut waiting = self.lock();
        let of_this = waiting.by_source.get(&activity.source).copied().unwrap_or(0) + octets;
        if waiting.octets + octets > OCTETS_MAX || of_this > OF_ONE_MAX {
            return Err(Box::new(activity));
        }
        waiting.by_source.insert(activity.source, of_this);
        waiting.octets += octets;
        waiting.rows.push((activity, by));
        drop(waiting);
        self.come.notify_one();
        Ok(())
    }

    /// Everything that waits; where nothing does, after waiting for it at most so long.
    pub fn take(&self, patience: Duration) -> Vec<(Activity, Transport)> {
        let mut waiting = self.lock();
        if waiting.rows.is_empty() {
            let woken = self.come.wait_timeout(waiting, patience);
            waiting = woken.map_or_else(|poisoned| poisoned.into_inner().0, |(waiting, _)| waiting);
        }
        std::mem::take(&mut *waiting).rows
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use intake::plain;
    use terms::Timestamp;

    fn long(last: u8) -> Activity {
        plain(&[b'x'; 8_000], [192, 0, 2, last].into(), Timestamp::EPOCH).unwrap()
    }

    #[test]
    fn one_source_leaves_room_for_others_and_all_together_have_a_bound() {
        let queue = Queue::default();
        let fill = |last| (0..).take_while(|_| queue.put(long(last), Transport::Udp).is_ok()).count();
        let (first, second, third) = (fill(1), fill(2), fill(3));
        assert!(first > 200 && second > 200 && third < 5, "{first} {second} {third}");
        assert_eq!(queue.take(Duration::ZERO).len(), first + second + third);
        assert!(queue.take(Duration::ZERO).is_empty() && fill(3) == first);
    }
}
