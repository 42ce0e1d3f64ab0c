//! The trainer: labelled captures to the shipped forest. It runs on a workstation, never on the box.
//!
//! ```text
//! captures + labels.csv ─> rows ─> weighted samples ─> smartcore trees ─> shares, pruning ─> image ─> report, golden rows
//!  captures.rs, labels.rs  rows.rs      sample.rs         grow.rs            tree.rs        image.rs  evaluate.rs, field.rs, report/
//! ```
//! Captures come from anybody who labelled them, and from `make record`, which plays real tools in the lab and leaves what passed the
//! box in `models/recordings`: a capture a draw, snapped as the box snaps it, and labels that name tool, version, seed and scene.
//! What no capture holds, hours of harmless devices and threats that are slow, is drawn by [`scenes`] and goes the same way.
//!
//! The vectors come from the same code that runs on the box. What is trained is judged through the box's own evaluator
//! (`detect::forest`), on rows whose whole source was left out of the training.

pub mod captures;
pub mod card;
pub mod evaluate;
pub mod field;
pub mod golden;
pub mod grow;
pub mod image;
pub mod labels;
pub mod overlay;
pub mod replay;
pub mod report;
pub mod rows;
pub mod sample;
pub mod scenes;
mod side_by_side;
pub mod sign;
pub mod tree;

pub use grow::{Shape, grow};
pub use image::{Thresholds, encode};
pub use labels::Labels;
pub use rows::{Row, Rows, Schema};
pub use tree::Tree;

/// Grows, weighs and prunes a forest on these rows. What rules define is not learnt: the forest is for the rest, and a few loud families
/// would take all its splits.
///
/// # Errors
/// There is nothing to learn from, or smartcore refuses the rows.
pub fn train(rows: &[&Row], shape: &Shape) -> anyhow::Result<Vec<Tree>> {
    let rows: Vec<&Row> = rows.iter().copied().filter(|row| !row.is_defined()).collect();
    let rows = rows.as_slice();
    let weights = sample::weights(rows);
    let mut trees = grow(rows, &weights, shape)?;
    let whole = tree::Totals::of(rows, &weights);
    for tree in &mut trees {
        tree.weigh(rows, &weights, &whole);
        tree.prune();
    }
    Ok(trees)
}
