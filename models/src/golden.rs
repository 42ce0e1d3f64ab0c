//! Golden rows: answers of this forest that the box must repeat bit for bit.

use anyhow::{Context, Result};
use detect::forest::Forest;
use detect::forest::golden::{MAGIC, check, level_octet};

use crate::rows::Row;

/// How many rows are kept of each class.
pub const PER_CLASS: usize = 64;

/// Writes evenly spaced rows of each class with the forest's answers, and reads them back.
///
/// # Errors
/// There is no row, or the answers do not repeat.
pub fn write(forest: &Forest<'_>, rows: &[&Row]) -> Result<Vec<u8>> {
    let mut chosen: Vec<&Row> = Vec::new();
    for class in 0..3 {
        let of_class: Vec<&Row> = rows.iter().copied().filter(|r| r.class() == class).collect();
        let step = of_class.len().div_ceil(PER_CLASS).max(1);
        chosen.extend(of_class.into_iter().step_by(step));
    }
    let mut golden = MAGIC.to_vec();
    golden.extend(u32::try_from(chosen.len())?.to_le_bytes());
    golden.extend(u32::try_from(forest.features())?.to_le_bytes());
    for row in chosen {
        let answer = forest.classify(&row.vector);
        golden.extend(row.vector.iter().chain(&answer.shares).flat_map(|v| v.to_le_bytes()));
        golden.extend([level_octet(answer.level), 0, 0, 0]);
    }
    check(forest, &golden).context("the golden rows do not hold")?;
    Ok(golden)
}
