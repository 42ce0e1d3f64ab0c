//! Good inputs to hostile ones.

use crate::chance::Chance;

/// Values at which lengths, counts and offsets break.
const EDGES: [u64; 20] =
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 0x0c, 0x14, 0x3f, 0x7f, 0x80, 0xc0, 0xff, 0x7fff, 0xffff, 0x7fff_ffff, 0xffff_ffff];

/// A mutated copy of one input of the corpus, at most `longest` octets; `words` are put in as they are.
pub fn mutate(chance: &mut Chance, corpus: &[Vec<u8>], words: &[&[u8]], longest: usize) -> Vec<u8> {
    let mut input = chance.pick(corpus).cloned().unwrap_or_default();
    for _ in 0..1 << chance.below(5) {
        step(chance, &mut input, corpus, words);
        input.truncate(longest);
    }
    input
}

fn step(chance: &mut Chance, input: &mut Vec<u8>, corpus: &[Vec<u8>], words: &[&[u8]]) {
    let at = chance.below(input.len());
    match chance.below(11) {
        0 => edit(input, at, |octet| octet ^ 1 << chance.below(8)),
        1 => edit(input, at, |_| chance.draw() as u8),
        2 => edit(input, at, |octet| octet.wrapping_add(chance.below(17) as u8).wrapping_sub(8)),
        3 => number(chance, input, at),
        4 => input.truncate(at),
        5 => drop(input.drain(at..(at + 1 + chance.below(16)).min(input.len()))),
        6 => insert(input, at, &[chance.draw() as u8].repeat(1 + chance.below(16))),
        7 => {
            let end = (at + 1 + chance.below(64)).min(input.len());
            let piece = input[at.min(end)..end].to_vec();
            let times = 1 + chance.below(4);
            insert(input, at, &piece.repeat(times));
        }
        8 => {
            let other = chance.pick(corpus).map_or(&[][..], Vec::as_slice);
            let from = chance.below(other.len());
            let piece = &other[from..(from + 1 + chance.below(256)).min(other.len())];
            insert(input, at, piece);
        }
        9 => {
            let other = chance.pick(corpus).map_or(&[][..], Vec::as_slice);
            input.truncate(at);
            input.extend_from_slice(&other[chance.below(other.len())..]);
        }
        _ => {
            let word = chance.pick(words).copied().unwrap_or(b"\xc0\x0c");
            if chance.below(2) == 0 {
                insert(input, at, word);
            } else {
                write(input, at, word);
            }
        }
    }
}

/// An edge, or a length that could be right, in one of the widths and octet orders of the formats.
fn number(chance: &mut Chance, input: &mut [u8], at: usize) {
    let near = (input.len() as u64).wrapping_sub(chance.below(64) as u64);
    let value = if chance.below(4) == 0 { near } else { chance.pick(&EDGES).copied().unwrap_or(0) };
    let value = if chance.below(8) == 0 { value.wrapping_neg() } else { value };
    match chance.below(5) {
        0 => write(input, at, &[value as u8]),
        1 => write(input, at, &(value as u16).to_be_bytes()),
        2 => write(input, at, &(value as u16).to_le_bytes()),
        3 => write(input, at, &(value as u32).to_be_bytes()),
        _ => write(input, at, &(value as u32).to_le_bytes()),
    }
}

fn edit(input: &mut [u8], at: usize, change: impl FnOnce(u8) -> u8) {
    if let Some(octet) = input.get_mut(at) {
        *octet = change(*octet);
    }
}

fn insert(input: &mut Vec<u8>, at: usize, piece: &[u8]) {
    input.splice(at..at, piece.iter().copied());
}

fn write(input: &mut [u8], at: usize, piece: &[u8]) {
    for (octet, new) in input.iter_mut().skip(at).zip(piece) {
        *octet = *new;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_inputs_within_the_longest() {
        let corpus = [b"some good input".to_vec(), vec![0; 90], vec![]];
        let inputs = |seed| {
            let mut chance = Chance::new(seed, "t");
            (0..2000).map(|_| mutate(&mut chance, &corpus, &[b"word"], 100)).collect::<Vec<_>>()
        };
        assert!(inputs(1) == inputs(1) && inputs(1) != inputs(2));
        assert!(inputs(1).iter().all(|input| input.len() <= 100));
    }
}
