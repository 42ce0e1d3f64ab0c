//! The forest that the binary ships, and forests in files.
//!
//! The shipped forest is trusted as the binary is. Any other needs the signature of a key that the binary or the configuration names:
//! see [`trust`]. Either is checked wholly before it is [`held`].

mod held;
mod trust;
mod view;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use detect::forest::package::MAX_LEN;
use detect::forest::{Forest, ModelError, golden};

pub use held::{Model, Origin, Refused};
pub use trust::{Keys, PublicKey};
pub use view::view;

static FOREST: &[u8] = include_bytes!("../../../models/picket.forest");
static CARD: &[u8] = include_bytes!("../../../models/picket.card");
static GOLDEN: &[u8] = include_bytes!("../../../models/picket.golden");

/// The shipped forest; nothing where its check fails (`picket self-test` says why): then the rules decide alone.
#[must_use]
pub fn shipped() -> Option<Forest<'static>> {
    load(FOREST).ok()
}

/// Checks an image for the features of this binary.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn load(image: &[u8]) -> Result<Forest<'_>, ModelError> {
    let forest = Forest::load(image, features::schema_hash())?;
    if forest.features() == features::FEATURES { Ok(forest) } else { Err(ModelError::Field("features")) }
}

/// Reads a file that may be a forest, with a signature or without.
///
/// **Bounds**: no more than [`MAX_LEN`] octets and one are read, whatever the file holds.
///
/// # Errors
/// The file can't be read, or is larger than an image may be.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut octets = Vec::new();
    File::open(path)?.take(MAX_LEN as u64 + 1).read_to_end(&mut octets)?;
    if octets.len() > MAX_LEN {
        return Err(io::Error::other(format!("this is not a model: it has more than the {MAX_LEN} octets allowed")));
    }
    Ok(octets)
}

/// What the shipped forest answers to its golden vectors; its card is checked too.
///
/// # Errors
/// What is wrong with it.
pub fn check() -> Result<String, String> {
    let forest = load(FOREST).map_err(|error| error.to_string())?;
    Model::open(FOREST, &Keys::default()).map_err(|error| error.to_string())?;
    let answered = golden::check(&forest, GOLDEN).map_err(|error| error.to_string())?;
    Ok(format!("{} trees, {} nodes, {answered} vectors answered to the last bit", forest.trees(), forest.nodes()))
}

/// Whether the shipped forest tells a threat from what is none: vectors of both kinds, whatever its golden answers are.
///
/// # Errors
/// It calls all of them the same, or is none.
pub fn tells_apart() -> Result<String, String> {
    let forest = load(FOREST).map_err(|error| error.to_string())?;
    let [safe, medium, high] = golden::levels(&forest, GOLDEN).map_err(|error| error.to_string())?;
    let words = format!("of {} vectors it calls {safe} safe, {medium} medium, {high} high", safe + medium + high);
    if safe > 0 && medium + high > 0 { Ok(words) } else { Err(words) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_forest_is_of_this_schema_and_answers_as_trained() {
        assert!(shipped().is_some() && Model::shipped().is_some());
        assert!(check().is_ok(), "{:?}", check());
        assert!(tells_apart().is_ok(), "{:?}", tells_apart());
    }

    #[test]
    fn a_file_without_end_is_refused_and_not_read_whole() {
        let said = read(Path::new("/dev/zero")).expect_err("it has no end").to_string();
        assert_eq!(said, format!("this is not a model: it has more than the {MAX_LEN} octets allowed"));
    }

    #[test]
    fn a_file_of_just_the_largest_size_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("large.forest");
        std::fs::write(&path, vec![0; MAX_LEN]).expect("a file");
        assert_eq!(read(&path).expect("all of it").len(), MAX_LEN);
    }
}
