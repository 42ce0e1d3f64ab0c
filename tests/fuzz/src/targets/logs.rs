//! Lines of hosts' own logs, and connections that carry them.

use intake::json::{Teller, record};
use intake::{Cut, Framer, LINE_MAX, Proof, TEXT_MAX, WORD_MAX, plain, shown};
use terms::Timestamp;

use super::{kind, size};

/// 2026-11-22T16:00:00Z.
const CAME: Timestamp = Timestamp::from_secs(1_795_363_200);

pub fn line(input: &[u8]) -> u64 {
    match plain(input, [192, 0, 2, 7].into(), CAME) {
        Ok(activity) => {
            assert!(activity.text.len() <= TEXT_MAX);
            let words = [&activity.device, &activity.subject, &activity.object, &activity.program];
            assert!(words.iter().all(|word| word.len() <= WORD_MAX));
            // Whatever the line says, it is of the address that it came from and of the moment at which it came, and proves nothing.
            assert_eq!((activity.at, activity.source, activity.proof), (CAME, [192, 0, 2, 7].into(), Proof::Unproven));
            assert!(!shown(&activity.text).contains(|c: char| c.is_control()));
            let told = [&activity.device, &activity.subject, &activity.program].map(|word| word.is_empty());
            kind((
                told,
                activity.action,
                activity.result,
                activity.claimed.is_some(),
                activity.address.is_some(),
                size(activity.text.len()),
            ))
        }
        Err(why) => kind(why),
    }
}

pub fn object(input: &[u8]) -> u64 {
    let teller = Teller { name: "nas", from: [192, 0, 2, 7].into() };
    match record(input, teller, CAME) {
        Ok((activity, place)) => {
            assert!(input.len() <= LINE_MAX && activity.text.len() <= TEXT_MAX);
            let words = [&activity.device, &activity.subject, &activity.object, &activity.program];
            assert!(words.iter().all(|word| word.len() <= WORD_MAX));
            // Whatever the object says, it is of the source that told it and of the moment at which it came.
            assert_eq!((activity.at, activity.source, activity.device.as_str()), (CAME, teller.from, teller.name));
            assert!(activity.proof == Proof::Enrolled && activity.priority <= 191);
            assert!(!shown(&activity.text).contains(|c: char| c.is_control()));
            kind((
                [&activity.subject, &activity.object, &activity.program].map(|word| word.is_empty()),
                activity.action,
                activity.result,
                activity.claimed.is_some(),
                activity.address.is_some(),
                place.is_some(),
                size(activity.text.len()),
            ))
        }
        Err(why) => kind(why),
    }
}

pub fn connection(input: &[u8]) -> u64 {
    // The first octet says how the rest is cut into pieces.
    let Some((piece, octets)) = input.split_first() else { return 0 };
    let read = |piece: usize| {
        let (mut framer, mut cuts, mut lines) = (Framer::default(), [0_usize; 3], Vec::new());
        for part in octets.chunks(piece) {
            framer.push(part);
            while let Some(cut) = framer.cut() {
                match cut {
                    Cut::Line(line) => {
                        assert!(line.len() <= LINE_MAX);
                        cuts[0] += 1;
                        lines.push(line.to_vec());
                    }
                    Cut::TooLong => cuts[1] += 1,
                    Cut::Lost => {
                        cuts[2] += 1;
                        return (cuts, lines, None);
                    }
                }
            }
            assert!(framer.held() <= LINE_MAX + 16 + piece);
        }
        (cuts, lines, framer.end())
    };
    let (cuts, lines, end) = read(usize::from(*piece) + 1);
    assert_eq!(read(LINE_MAX), (cuts, lines, end.clone()), "however it is cut");
    kind((cuts.map(size), end.map(|end| end.is_ok())))
}
