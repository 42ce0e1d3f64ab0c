//! Programs of the image with one thing broken that no test of theirs notices: what starts, answers and does not protect.
//!
//! The finished aarch64 program is changed, octet by octet, at the place of a function or of what is built in; nothing is compiled.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use detect::forest::format::{self, CLASSES, HEADER_LEN, LEAF, NAME_LEN, NO_FAMILY, NODE_LEN};
use detect::forest::{card, golden};

use crate::gateway::root;
use crate::process::output;

/// `ret`.
const RETURN: [u8; 4] = [0xc0, 0x03, 0x5f, 0xd6];
/// How libnftnl's `nftnl_chain_set_u32` begins, up to its call of another function, and the same with the hook's number (attribute 3)
/// become 3, which is that of what the box itself sends: `cmp w1, #3; csel w2, w1, w2, eq; mov w3, #4; stp; str; add`. Its end is to
/// come without the check of a signed return address, which is not signed any more.
const SETS: [u32; 6] = [0xd503_233f, 0xa9be_7bfd, 0x5280_0083, 0x9100_03fd, 0xb900_1fe2, 0x9100_73e2];
const SETS_ANOTHER: [u32; 6] = [0x7100_0c3f, 0x1a82_0022, 0x5280_0083, 0xa9be_7bfd, 0xb900_1fe2, 0x9100_73e2];
const SETS_END: usize = 32;
/// For ever `ppoll(0, 0, 0, 0)`, which waits for nothing that comes: `mov x0..x3, #0; mov x8, #73; svc #0; b` to the beginning.
const SLEEP: [u32; 7] = [0xd280_0000, 0xd280_0001, 0xd280_0002, 0xd280_0003, 0xd280_0928, 0xd400_0001, 0x17ff_fffa];

/// The inspector reads every frame, finds what it finds, and tells nobody.
///
/// # Errors
/// The program has no such function.
pub fn inspector_asleep(program: &Path) -> Result<()> {
    replace(program, "picket::run::inspector::Eye::pass_on", 0, &RETURN).map(drop)
}

/// The table is written with all its rules and read back as it was written, and no chain of it hangs at the hook of what is forwarded.
///
/// # Errors
/// The program has no such function, or one that begins otherwise.
pub fn chain_not_hooked(program: &Path) -> Result<()> {
    const SET: &str = "nftnl_chain_set_u32";
    let began = replace(program, SET, 0, &SETS_ANOTHER.map(u32::to_le_bytes).concat())?;
    ensure!(began == SETS.map(u32::to_le_bytes).concat(), "{SET} is made of other instructions: {began:x?}");
    replace(program, SET, SETS_END, &RETURN).map(drop)
}

/// A function sleeps for ever as soon as it is called.
///
/// # Errors
/// The program has no such function.
pub fn sleeps_in(program: &Path, function: &str) -> Result<()> {
    replace(program, function, 0, &SLEEP.map(u32::to_le_bytes).concat()).map(drop)
}

/// The forest is whole, its card and its golden answers fit, and each of its leaves says that all is safe.
///
/// # Errors
/// The program does not hold the shipped forest.
pub fn forest_of_zeros(program: &Path) -> Result<()> {
    let shipped = |name: &str| fs::read(root().join("models").join(name)).context("the shipped forest");
    let (mut octets, forest) = (fs::read(program)?, shipped("picket.forest")?);
    let mut zeros = forest.clone();
    let (families, trees) = (usize::from(zeros[12]), usize::from(u16::from_le_bytes([zeros[14], zeros[15]])));
    for node in zeros[HEADER_LEN + families * NAME_LEN + trees * 2..].chunks_exact_mut(NODE_LEN) {
        if node[6] == LEAF {
            node[..4].copy_from_slice(&[0, 0, NO_FAMILY, 0]);
        }
        node[7] = 0;
    }
    format::seal(&mut zeros);
    let (before, mut of_zeros) = (shipped("picket.card")?, shipped("picket.card")?);
    of_zeros[16..24].copy_from_slice(&format::checksum(&zeros).to_le_bytes());
    let end = of_zeros.len() - 8;
    let sum = card::checksum(&of_zeros[..end]);
    of_zeros[end..].copy_from_slice(&sum);
    let (answers, mut all_safe) = (shipped("picket.golden")?, shipped("picket.golden")?);
    let features = usize::from(forest[11]);
    for row in all_safe[golden::HEADER_LEN..].chunks_exact_mut(golden::row_len(features)) {
        let safe = [1.0_f32, 0.0, 0.0].map(f32::to_le_bytes).concat();
        row[features * 4..(features + CLASSES) * 4].copy_from_slice(&safe);
        row[(features + CLASSES) * 4] = 0;
    }
    for (from, to) in [(&forest, &zeros), (&before, &of_zeros), (&answers, &all_safe)] {
        let at = octets.windows(from.len()).position(|window| window == &from[..]);
        let at = at.context("the program does not hold the shipped forest")?;
        octets[at..at + to.len()].copy_from_slice(to);
    }
    Ok(fs::write(program, octets)?)
}

/// The program's own check finds nothing wrong with it.
///
/// # Errors
/// It does.
pub fn passes_its_own_test(program: &Path) -> Result<()> {
    output(Command::new("qemu-aarch64-static").arg(program).arg("self-test")).map(drop)
}

/// Writes octets over those of a function, so many behind its beginning, and gives those that stood there.
fn replace(program: &Path, function: &str, behind: usize, with: &[u8]) -> Result<Vec<u8>> {
    let names = output(Command::new("nm").arg("-C").arg(program))?;
    let line = names.lines().find(|line| line.split_once(' ').is_some_and(|(_, rest)| rest.get(2..) == Some(function)));
    let line = line.with_context(|| format!("{} has no function {function}", program.display()))?;
    let hexadecimal = |text: &str| u64::from_str_radix(text.trim_start_matches("0x"), 16);
    let address = hexadecimal(line.split(' ').next().unwrap_or_default())?;
    let parts = output(Command::new("readelf").arg("-lW").arg(program))?;
    // Each part's place in the file, its address, the address again, its length.
    let loaded = parts.lines().filter_map(|line| {
        let mut fields = line.trim().strip_prefix("LOAD")?.split_whitespace();
        let mut next = || hexadecimal(fields.next()?).ok();
        let (at, from, _, len) = (next()?, next()?, next()?, next()?);
        (from..from + len).contains(&address).then(|| address - from + at)
    });
    let at = usize::try_from(loaded.into_iter().next().context("the function is in no part of the program")?)? + behind;
    let mut octets = fs::read(program)?;
    ensure!(at + with.len() <= octets.len(), "the program ends in {function}");
    let before = octets[at..at + with.len()].to_vec();
    octets[at..at + with.len()].copy_from_slice(with);
    fs::write(program, octets)?;
    Ok(before)
}
