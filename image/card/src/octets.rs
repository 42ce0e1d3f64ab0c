//! Fixed places in a block of octets: text filled up with zeros, numbers with their lowest octet first.

/// Writes text at a place, cut at `room` octets at a whole character, and fills the rest with zeros.
pub fn put_text(block: &mut [u8], at: usize, room: usize, text: &str) {
    let mut len = text.len().min(room);
    while !text.is_char_boundary(len) {
        len -= 1;
    }
    block[at..at + room].fill(0);
    block[at..at + len].copy_from_slice(&text.as_bytes()[..len]);
}

/// Reads text up to the first zero; nothing if it is empty or holds what can't be printed.
pub fn text(block: &[u8], at: usize, room: usize) -> Option<String> {
    let field = &block[at..at + room];
    let len = field.iter().position(|octet| *octet == 0).unwrap_or(room);
    let text = std::str::from_utf8(&field[..len]).ok()?;
    let plain = !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_graphic());
    plain.then(|| text.to_owned())
}

/// The number of eight octets at a place.
pub fn long(block: &[u8], at: usize) -> u64 {
    block[at..].first_chunk().map_or(0, |eight| u64::from_le_bytes(*eight))
}

/// The number of four octets at a place.
pub fn word(block: &[u8], at: usize) -> u32 {
    block[at..].first_chunk().map_or(0, |four| u32::from_le_bytes(*four))
}
