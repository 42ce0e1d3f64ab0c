//! Letters of the standard font: how they are written in a PDF, and how wide they are.
//!
//! Helvetica is one of the fonts that every reader has (ISO 32000-1, 9.6.2.2), so that none is carried along. Its letters are those of WinAnsi (annex D.2); any other
//! is written out as `\u{...}`. **Source** of the widths: Adobe's metrics of Helvetica.

use intake::shown;

/// Widths of the letters from space to tilde, in thousandths of the size.
#[rustfmt::skip]
const WIDTHS: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278,
    556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556,
    1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778,
    667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
    333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556,
    556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
];
/// The width of every other letter: that of most of them.
const OTHER: u16 = 667;
/// How much wider bold letters are, at most.
const BOLD: f32 = 1.08;

/// Text in the octets of WinAnsi.
pub fn octets(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for c in shown(text).chars() {
        match u32::from(c) {
            code @ (0x20..=0x7e | 0xa0..=0xff) => out.extend(u8::try_from(code)),
            _ => out.extend(c.escape_unicode().to_string().bytes()),
        }
    }
    out
}

/// How wide octets are at a size.
///
/// **Units**: points.
pub fn width(octets: &[u8], size: f32, bold: bool) -> f32 {
    let of = |octet: &u8| WIDTHS.get(usize::from(*octet).wrapping_sub(32)).copied().unwrap_or(OTHER);
    let sum: f32 = octets.iter().map(|octet| f32::from(of(octet))).sum();
    sum * size / 1_000.0 * if bold { BOLD } else { 1.0 }
}

/// Octets in lines that are no wider than this, at most so many; what is left out is told by three dots.
pub fn lines(octets: &[u8], size: f32, widest: f32, most: usize) -> Vec<Vec<u8>> {
    let (mut out, mut line): (Vec<Vec<u8>>, Vec<u8>) = (Vec::new(), Vec::new());
    for word in octets.split(|octet| *octet == b' ') {
        let longer = [&line[..], if line.is_empty() { b"" } else { b" " }, word].concat();
        if width(&longer, size, false) <= widest {
            line = longer;
            continue;
        }
        if !line.is_empty() {
            out.push(std::mem::take(&mut line));
        }
        // A word that is too wide is broken where it must be.
        for octet in word {
            line.push(*octet);
            if line.len() > 1 && width(&line, size, false) > widest {
                line.pop();
                out.push(std::mem::replace(&mut line, vec![*octet]));
            }
        }
        if out.len() > most {
            break;
        }
    }
    out.push(line);
    if out.len() > most {
        out.truncate(most);
        if let Some(last) = out.last_mut() {
            while !last.is_empty() && width(&[&last[..], b"..."].concat(), size, false) > widest {
                last.pop();
            }
            last.extend_from_slice(b"...");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn letters_that_the_font_lacks_are_written_out() {
        assert_eq!(octets("Büro\u{1b}日"), b"B\xfcro\\x1b\\u{65e5}");
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_it_may_be(text in "[ -~]{0,200}", widest in 30_f32..300.0, most in 1_usize..6) {
            let lines = lines(text.as_bytes(), 9.0, widest, most);
            prop_assert!(lines.len() <= most && lines.iter().all(|line| width(line, 9.0, false) <= widest));
        }
    }
}
