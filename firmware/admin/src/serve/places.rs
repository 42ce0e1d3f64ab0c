//! How many connections there may be: in all, and from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Connections in all.
pub const PLACES: usize = 96;
/// Connections from one address.
pub const PLACES_EACH: usize = 24;

/// The places, and who has how many.
pub struct Places {
    all: usize,
    each: usize,
    taken: Mutex<HashMap<IpAddr, usize>>,
}

/// One connection's place, given back when it is dropped.
pub struct Place {
    places: Arc<Places>,
    from: IpAddr,
}

impl Default for Places {
    fn default() -> Self {
        Self::of(PLACES, PLACES_EACH)
    }
}

impl Places {
    /// So many places in all, and for one address.
    #[must_use]
    pub fn of(all: usize, each: usize) -> Self {
        Self { all, each, taken: Mutex::default() }
    }

    /// A place for a connection from this address, if there is one.
    #[must_use]
    pub fn take(self: &Arc<Self>, from: IpAddr) -> Option<Place> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let own = taken.get(&from).copied().unwrap_or(0);
        if own >= self.each || taken.values().sum::<usize>() >= self.all {
            return None;
        }
        taken.insert(from, own + 1);
        Some(Place { places: Arc::clone(self), from })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = taken.get_mut(&self.from) {
            *own -= 1;
            if *own == 0 {
                taken.remove(&self.from);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_takes_all_places_and_each_comes_back() {
        let places = Arc::new(Places::default());
        let from = |n: u8| IpAddr::from([10, 0, 0, n]);
        let mut held: Vec<Place> = (0..PLACES_EACH).filter_map(|_| places.take(from(1))).collect();
        assert!(held.len() == PLACES_EACH && places.take(from(1)).is_none() && places.take(from(2)).is_some());
        held.extend((2..=255).filter_map(|n| places.take(from(n))));
        assert_eq!(held.len(), PLACES);
        drop(held);
        assert!(places.take(from(1)).is_some());
        assert!(places.taken.lock().expect("places").is_empty());
    }
}
