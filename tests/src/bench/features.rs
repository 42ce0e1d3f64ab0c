//! Capture file to features: `picket replay` beside flow meters that read the same file, in packets a second of processor time.
//!
//! They do different work: tcpdump's reader none, the flow meters counters a flow, nfstream features a flow, Picket features and
//! findings a host. Each peer's own count of packets is compared with the input's, since one that did nothing is fast.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::Plan;
use super::input::Input;
use super::peer::{self, Ran, debian, folder, pypi};
use super::row::{Goal, Peer, Row};
use crate::gateway::binary;

/// Frames of the input that the slow peer gets.
const PREFIX: u64 = 500_000;
/// The least share of the input's frames that a peer must account for; the flow meters leave out what is not IP.
const LEAST: f64 = 0.9;

/// A program that reads a capture, and how much of it it says it read.
struct Reader {
    name: &'static str,
    version: fn() -> Result<String>,
    read: fn(&Path, &Path) -> Result<(Ran, u64)>,
    goal: Goal,
}

const FLOW_METERS: [Reader; 4] = [
    Reader { name: "nfpcapd", version: || debian("nfdump"), read: nfpcapd, goal: Goal::Ratio(2.0, Some(5.0)) },
    Reader { name: "softflowd", version: || debian("softflowd"), read: softflowd, goal: Goal::None },
    Reader { name: "argus", version: || debian("argus-server"), read: argus, goal: Goal::None },
    Reader { name: "tcpdump -w /dev/null", version: || debian("tcpdump"), read: tcpdump, goal: Goal::None },
];
const NFSTREAM: [Reader; 1] =
    [Reader { name: "nfstream", version: || pypi("nfstream"), read: nfstream, goal: Goal::Ratio(40.0, Some(100.0)) }];

/// Measures all of them.
///
/// # Errors
/// When a peer is missing or did not do its work.
pub fn run(plan: &Plan) -> Result<Vec<Row>> {
    let input = Input::make(&folder())?;
    eprintln!("bench: input is {} frames, {} octets: {}", input.frames, input.octets, input.made_of);
    let prefix = input.prefix(PREFIX)?;
    let mut rows = side_by_side(plan, &input, &FLOW_METERS, "")?;
    rows.extend(side_by_side(plan, &prefix, &NFSTREAM, &format!(", its first {} frames", prefix.frames))?);
    Ok(rows)
}

fn side_by_side(plan: &Plan, input: &Input, readers: &[Reader], which: &str) -> Result<Vec<Row>> {
    let versions = readers.iter().map(|reader| (reader.version)()).collect::<Result<Vec<_>>>()?;
    let scratch = folder().join("scratch");
    let rate = |cpu: f64| input.frames as f64 / cpu / 1e3;
    let (mut ours, mut theirs) = (Vec::new(), vec![Vec::new(); readers.len()]);
    for round in 1..=plan.rounds {
        let mine = peer::run(Command::new(binary()?).args(["replay", "--format", "summary"]).arg(&input.file))?;
        let read = number_behind(&mine.text, "\"frames\":").context("picket replay has no summary")?;
        ensure!(read == input.frames, "picket replay read {read} of {} frames", input.frames);
        ours.push(rate(mine.cpu));
        for (reader, figures) in readers.iter().zip(&mut theirs) {
            empty(&scratch)?;
            let (ran, read) = (reader.read)(&input.file, &scratch).with_context(|| reader.name.to_owned())?;
            ensure!(
                read as f64 >= input.frames as f64 * LEAST,
                "{} accounts for {read} of {} frames only: its figure would be void",
                reader.name,
                input.frames
            );
            figures.push(rate(ran.cpu));
        }
        plan.told("features", round, &ours);
    }
    let _ = fs::remove_dir_all(&scratch);
    let row = |((reader, version), figures): ((&Reader, String), Vec<f64>)| {
        let what = format!("capture file to features, beside {}{which}", reader.name);
        let peer = Peer { name: reader.name.into(), version, figures };
        Row::new(&what, "thousand packets a CPU second", ours.clone(), Some(peer), reader.goal)
    };
    Ok(readers.iter().zip(versions).zip(theirs).map(row).collect())
}

fn nfpcapd(file: &Path, scratch: &Path) -> Result<(Ran, u64)> {
    let ran = peer::run(Command::new("nfpcapd").arg("-r").arg(file).arg("-l").arg(scratch).args(["-S", "0"]))?;
    let told = peer::run(Command::new("nfdump").arg("-R").arg(scratch).arg("-I"))?;
    let packets = number_behind(&told.text, "\nPackets:").context("nfdump -I tells no packets")?;
    Ok((ran, packets))
}

fn softflowd(file: &Path, _: &Path) -> Result<(Ran, u64)> {
    // Its records go to a port where nobody listens, as datagrams do.
    let ran = peer::run(Command::new("softflowd").arg("-r").arg(file).args(["-d", "-n", "127.0.0.1:9"]))?;
    let packets = number_behind(&ran.text, "Packets processed:").context("softflowd tells no packets")?;
    Ok((ran, packets))
}

fn argus(file: &Path, scratch: &Path) -> Result<(Ran, u64)> {
    let out = scratch.join("argus.out");
    let ran = peer::run(Command::new("argus").arg("-r").arg(file).arg("-w").arg(&out))?;
    let told = peer::run(Command::new("racount").arg("-r").arg(&out))?;
    let sum = told.text.lines().find(|line| line.trim_start().starts_with("sum")).context("racount tells no sum")?;
    let packets = sum.split_whitespace().nth(2).and_then(|word| word.parse().ok()).context("racount's sum")?;
    Ok((ran, packets))
}

fn tcpdump(file: &Path, _: &Path) -> Result<(Ran, u64)> {
    let ran = peer::run(Command::new("tcpdump").arg("-r").arg(file).args(["-w", "/dev/null"]))?;
    let told = peer::run(Command::new("tcpdump").arg("-r").arg(file).arg("--count"))?;
    let packets = told.text.lines().find_map(|line| line.strip_suffix(" packets")?.parse().ok());
    Ok((ran, packets.context("tcpdump --count tells no packets")?))
}

fn nfstream(file: &Path, scratch: &Path) -> Result<(Ran, u64)> {
    let script = scratch.join("meter.py");
    fs::write(
        &script,
        "import sys\nfrom nfstream import NFStreamer\nif __name__ == '__main__':\n    \
         meter = NFStreamer(source=sys.argv[1], statistical_analysis=True, n_dissections=0, n_meters=1)\n    \
         print('packets', sum(flow.bidirectional_packets for flow in meter))\n",
    )?;
    let ran = peer::run(Command::new(peer::python()?).arg(&script).arg(file))?;
    let packets = number_behind(&ran.text, "packets ").context("nfstream tells no packets")?;
    Ok((ran, packets))
}

fn empty(folder: &Path) -> Result<()> {
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).with_context(|| format!("can't make {}", folder.display()))
}

/// The whole number that follows the first such text.
fn number_behind(text: &str, before: &str) -> Option<u64> {
    let (_, rest) = text.split_once(before)?;
    let rest = rest.trim_start();
    rest[..rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_behind_its_name_only() {
        assert_eq!(number_behind("Flows: 7\nPackets:   42\n", "\nPackets:"), Some(42));
        assert_eq!(number_behind("{\"frames\":12,\"x\":1}", "\"frames\":"), Some(12));
        assert_eq!(number_behind("packets none", "packets "), None);
        assert_eq!(number_behind("nothing", "Packets"), None);
    }
}
