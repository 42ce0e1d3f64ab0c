//! What one policy's text has and another lacks.

/// What would change, a table each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// What is held and not wanted.
    pub removed: Vec<String>,
    /// What is wanted and not held.
    pub added: Vec<String>,
}

/// Compares two texts as [`super::write`] writes them, table by table.
#[must_use]
pub fn difference(held: &str, wanted: &str) -> Difference {
    let tables = |text: &str| text.split("\n\n").map(|block| block.trim().to_owned()).collect::<Vec<_>>();
    let (held, wanted) = (tables(held), tables(wanted));
    let lacking = |of: &[String], by: &[String]| of.iter().filter(|b| !by.contains(b)).cloned().collect();
    Difference { removed: lacking(&held, &wanted), added: lacking(&wanted, &held) }
}
