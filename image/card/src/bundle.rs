//! An update: a signed label, then the content that it describes, to the file's end.
//!
//! A bundle is read to its end and compared with its label before anything is written; the same is read back from the card before
//! the slot may boot.

use std::io::{self, Read};

use ring::digest::{Context, SHA256};

use crate::label::{LABEL_LEN, Label, LabelError, Version};
use crate::table::SLOT_A;

/// The longest content that a slot takes, in octets.
pub const LONGEST: u64 = SLOT_A.len - LABEL_LEN as u64;
/// How much is held in memory at a time, in octets.
const PIECE: usize = 1 << 16;

/// What a box asks of a bundle.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// The keys that it trusts.
    pub keys: &'a [[u8; 32]],
    /// Its own image.
    pub image: &'a str,
    /// The release of the kernel that it boots.
    pub kernel: &'a str,
    /// The lowest version that it takes.
    pub floor: Version,
}

/// A bundle is refused, and nothing was written for it.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// It could not be read, or the card could not be written.
    #[error("{0}")]
    Medium(#[from] io::Error),
    /// Its label is wrong, or nobody vouches for it.
    #[error("{0}")]
    Label(#[from] LabelError),
    /// It is for other boards.
    #[error("it is for {0}, this box takes {1}")]
    Image(String, String),
    /// Its modules are for another kernel than the boot partition holds.
    #[error("it is made for kernel {0}, this box boots {1}")]
    Kernel(String, String),
    /// It is older than what this box was well with.
    #[error("it is version {0}, this box takes {1} or later")]
    Older(Version, Version),
    /// It does not fit into a slot.
    #[error("its content has {0} octets, a slot takes {LONGEST}")]
    Long(u64),
    /// It is shorter or longer than its label says.
    #[error("it does not end where its label says")]
    Cut,
    /// Its content is not what its label describes.
    #[error("its content is not what its label describes")]
    Content,
    /// The card did not keep what was written.
    #[error("the card did not keep what was written")]
    Written,
}

/// Reads a whole bundle, and gives its label if this box takes it.
///
/// # Errors
/// Why it does not.
pub fn check(mut bundle: impl Read, asked: &Asked<'_>) -> Result<(Box<[u8; LABEL_LEN]>, Label), Refusal> {
    let mut octets = Box::new([0; LABEL_LEN]);
    bundle.read_exact(&mut octets[..]).map_err(cut)?;
    let label = Label::vouched(&octets, asked.keys)?;
    if label.image != asked.image {
        return Err(Refusal::Image(label.image, asked.image.to_owned()));
    }
    if label.kernel != asked.kernel {
        return Err(Refusal::Kernel(label.kernel, asked.kernel.to_owned()));
    }
    if label.version < asked.floor {
        return Err(Refusal::Older(label.version, asked.floor));
    }
    if label.len > LONGEST {
        return Err(Refusal::Long(label.len));
    }
    let sum = sum(&mut bundle, label.len).map_err(cut)?;
    if bundle.read(&mut [0])? != 0 {
        return Err(Refusal::Cut);
    }
    if sum != label.sha256 { Err(Refusal::Content) } else { Ok((octets, label)) }
}

/// The SHA-256 of the next `len` octets.
///
/// # Errors
/// There are fewer, or they can't be read.
pub fn sum(from: &mut impl Read, len: u64) -> io::Result<[u8; 32]> {
    let mut sum = Context::new(&SHA256);
    pieces(from, len, |piece| {
        sum.update(piece);
        Ok(())
    })?;
    let mut found = [0; 32];
    found.copy_from_slice(sum.finish().as_ref());
    Ok(found)
}

/// Hands out the next `len` octets piece by piece.
pub(crate) fn pieces(from: &mut impl Read, len: u64, mut take: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    let mut buffer = vec![0; PIECE];
    let mut left = len;
    while left > 0 {
        let piece = &mut buffer[..usize::try_from(left).unwrap_or(PIECE).min(PIECE)];
        from.read_exact(piece)?;
        take(piece)?;
        left -= piece.len() as u64;
    }
    Ok(())
}

fn cut(error: io::Error) -> Refusal {
    if error.kind() == io::ErrorKind::UnexpectedEof { Refusal::Cut } else { Refusal::Medium(error) }
}
