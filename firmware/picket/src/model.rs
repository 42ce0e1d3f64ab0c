//! The forest that the binary ships.

use detect::forest::{Forest, golden};

static FOREST: &[u8] = include_bytes!("../../../models/picket.forest");
static GOLDEN: &[u8] = include_bytes!("../../../models/picket.golden");

/// The shipped forest; nothing where its check fails (`picket self-test` says why): then the rules decide alone.
#[must_use]
pub fn shipped() -> Option<Forest<'static>> {
    Forest::load(FOREST, features::schema_hash()).ok()
}

/// What the shipped forest answers to its golden vectors.
///
/// # Errors
/// What is wrong with it.
pub fn check() -> Result<String, String> {
    let forest = Forest::load(FOREST, features::schema_hash()).map_err(|error| error.to_string())?;
    let answered = golden::check(&forest, GOLDEN).map_err(|error| error.to_string())?;
    Ok(format!("{} trees, {} nodes, {answered} vectors answered to the last bit", forest.trees(), forest.nodes()))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_shipped_forest_is_of_this_schema_and_answers_as_trained() {
        assert!(super::shipped().is_some());
        assert!(super::check().is_ok(), "{:?}", super::check());
    }
}
