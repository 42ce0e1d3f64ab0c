//! A hash that names things. It protects nothing: who wants two things of equal hash makes them up.
//!
//! **Source**: FNV-1a, 64 bits.

/// Where [`fnv`] begins.
pub const FNV_BEGINS: u64 = 0xcbf2_9ce4_8422_2325;

/// Mixes octets into a hash; the same on every machine and in every version.
#[must_use]
pub const fn fnv(mut hash: u64, octets: &[u8]) -> u64 {
    let mut n = 0;
    while n < octets.len() {
        hash = (hash ^ octets[n] as u64).wrapping_mul(0x0100_0000_01b3);
        n += 1;
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_gives_what_its_authors_publish() {
        assert_eq!(fnv(FNV_BEGINS, b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv(FNV_BEGINS, b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv(fnv(FNV_BEGINS, b"foo"), b"bar"), 0x8594_4171_f739_67e8);
    }
}
