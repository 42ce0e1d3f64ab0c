//! The same work on many things, on all cores.

use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Result, anyhow};

/// What the work gives for each of these, in their order, whoever of the workers was faster.
///
/// # Errors
/// The first of the works that fails, in no certain order; the others end what they began.
pub fn side_by_side<T: Sync, R: Send>(of: &[T], work: impl Fn(&T) -> Result<R> + Sync) -> Result<Vec<R>> {
    let next = AtomicUsize::new(0);
    let share = || -> Result<Vec<(usize, R)>> {
        let mut done = Vec::new();
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(one) = of.get(place) else { return Ok(done) };
            done.push((place, work(one)?));
        }
    };
    let mut all = Vec::with_capacity(of.len());
    std::thread::scope(|scope| -> Result<()> {
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        let running: Vec<_> = (0..workers).map(|_| scope.spawn(share)).collect();
        for worker in running {
            all.extend(worker.join().map_err(|_| anyhow!("a worker gave up"))??);
        }
        Ok(())
    })?;
    all.sort_unstable_by_key(|(place, _)| *place);
    Ok(all.into_iter().map(|(_, result)| result).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_stand_in_the_order_of_what_they_are_of() {
        let of: Vec<u64> = (0..1_000).collect();
        let squares = side_by_side(&of, |n| Ok(n * n)).unwrap();
        assert!(squares.iter().zip(&of).all(|(square, n)| *square == n * n));
        assert_eq!(squares.len(), of.len());
    }

    #[test]
    fn a_failure_is_told() {
        let failed = side_by_side(&[1, 2, 3], |n| if *n == 2 { Err(anyhow!("two")) } else { Ok(*n) });
        assert_eq!(failed.unwrap_err().to_string(), "two");
    }
}
