//! The tables that name the tests which hold a promise: a test that they name is there.

use std::fs;

use crate::gateway::root;

/// Whether a file of the tree declares a test of this name; one of properties takes what it draws as arguments.
pub fn is_a_test(file: &str, test: &str) -> bool {
    let Ok(text) = fs::read_to_string(root().join(file)) else { return false };
    let Some((before, _)) = text.split_once(&format!("fn {test}(")) else { return false };
    before.rsplit_once('}').map_or(before, |(_, attributes)| attributes).contains("#[test]")
}
