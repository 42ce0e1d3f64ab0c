//! What the image promises, each as one check in a machine of its own.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use board::Board;
use card::{Label, Slot, Version};

use super::bundle::Bundle;
use super::guest::{Kind, Stand};
use super::medium::{self, Medium};
use super::proof;
use crate::chance::Chance;
use crate::network::{ROUTER, SERVER};

/// Whether a check belongs to every gate or to the long one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// To every gate.
    Short,
    /// To `make image-test`.
    Long,
}

/// A check: its name states the fact that it holds.
type Check = (&'static str, Length, fn(&mut Stand<'_>) -> Result<()>);

/// All checks, in the order in which they run.
pub const CHECKS: &[Check] = &[
    ("bridges_before_the_gateway_and_blocks_a_scan_in_its_kernel", Length::Short, bridges_and_blocks),
    ("a_killed_gateway_costs_no_ping_and_comes_back", Length::Short, killed),
    ("a_slot_with_one_wrong_bit_does_not_boot_and_the_other_does", Length::Short, wrong_bit),
    ("data_outlives_a_pulled_plug_grows_with_the_card_and_is_forgotten_on_wish", Length::Short, data),
    ("an_update_is_tried_and_stays_and_what_is_not_for_this_box_is_refused", Length::Short, update),
    ("a_cut_of_the_power_that_loses_writes_leaves_a_box_that_boots", Length::Short, power_cuts),
    ("more_cuts_of_the_power", Length::Long, more_power_cuts),
    ("the_pi_image_holds_what_its_firmware_and_boards_look_for", Length::Short, pi_files),
    ("the_pi_image_bridges_on_an_emulated_pi_3", Length::Long, pi_3),
    ("an_update_whose_gateway_or_first_process_fails_is_undone", Length::Long, bad_update),
    ("both_ways_of_knowing_conversations_agree", Length::Long, proof::agrees),
    ("two_cards_of_one_image_have_nothing_drawn_in_common", Length::Long, two_cards),
    ("the_image_built_elsewhere_is_the_same_to_the_last_bit", Length::Long, elsewhere),
];

/// The owner's key of these checks, and somebody else's.
const OWN_KEY: [u8; 32] = [5; 32];
const OTHER_KEY: [u8; 32] = [6; 32];
/// How long a bridge may take to forward after the kernel's start, in seconds: generous, since processors are shared.
const FORWARDS: f64 = 20.0;
/// How long until what must happen has happened: a block, a neighbour found.
const SOON: Duration = Duration::from_secs(30);
/// Who scans.
const SCANNER: &str = "h3";
/// Who does not.
const GOOD: &str = "h5";

fn bridges_and_blocks(stand: &mut Stand<'_>) -> Result<()> {
    stand.start()?;
    let line = stand.await_words("picket0 forwards between eth0 (lan) and eth1 (uplink)")?;
    let after = line.split("(uplink), ").nth(1).and_then(|rest| rest.split(' ').next()?.parse::<f64>().ok());
    let after = after.with_context(|| format!("no time in {line:?}"))?;
    ensure!(after <= FORWARDS, "the bridge took {after} s");
    pings(stand, GOOD)?;
    println!("   bridge after {after:.2} s; a ping crosses it");
    stand.await_words("all is well: slot a")?;
    // Every host of the lab fetches a page through the box and becomes known.
    stand.network.warm_up(&[])?;
    ensure!(!fetches(stand, SCANNER)?.is_empty(), "the server's page is empty");
    stand
        .network
        .space(SCANNER)?
        .shell(&format!("nmap -n -Pn -sS -T4 --max-retries 1 -p 1-300 {SERVER} >/dev/null"))?;
    let until = Instant::now() + SOON;
    while fetches(stand, SCANNER).is_ok() {
        ensure!(Instant::now() < until, "{SCANNER} scanned and still gets through");
    }
    fetches(stand, GOOD).context("who did not scan")?;
    stand.type_in("2")?;
    let scanner = stand.network.host(SCANNER)?.address.clone();
    let line = stand.await_words(&scanner).context("who is blocked is told")?;
    ensure!(line.contains("confirmed"), "not read back from the kernel: {line}");
    Ok(())
}

fn killed(stand: &mut Stand<'_>) -> Result<()> {
    stand.start()?;
    stand.await_words("all is well")?;
    pings(stand, GOOD)?;
    let log = stand.file("pings");
    let line = format!("exec ping -q -i 0.02 -w 15 {ROUTER}");
    let mut pinging = stand.network.space(GOOD)?.start(&line, &log)?;
    for _ in 0..3 {
        stand.type_in("5")?;
        stand.await_words("the bridge forwards on; it is started again")?;
        stand.await_words("picket runs as process")?;
    }
    pinging.wait(Duration::from_secs(60)).context("ping ends")?;
    let text = std::fs::read_to_string(&log)?;
    ensure!(text.contains(" 0% packet loss"), "pings were lost: {text}");
    Ok(())
}

fn wrong_bit(stand: &mut Stand<'_>) -> Result<()> {
    stand.medium.flip(Slot::A.part().from + 100_000)?;
    stand.start()?;
    stand.await_words("slot a is not whole: its content is not what its label describes")?;
    stand.await_words("slot a does not boot, back to slot b")?;
    stand.await_words("all is well: slot b")?;
    pings(stand, GOOD)
}

fn data(stand: &mut Stand<'_>) -> Result<()> {
    ensure!(stand.medium.data(1 << 20)?.iter().all(|octet| *octet == 0), "the image's data partition holds something");
    stand.medium.lengthen(64 << 20)?;
    stand.start()?;
    stand.await_words("the data partition now reaches to the card's end")?;
    stand.await_words("it is made anew")?;
    stand.await_words("all is well")?;
    stand.start().context("after a pulled plug")?;
    stand.await_words("all is well")?;
    let console = stand.console();
    ensure!(
        !console.contains("made anew") && !console.contains("now reaches"),
        "the data partition was made twice: {console}"
    );
    stand.type_in("factory-reset")?;
    stand.await_words("the box restarts: it begins anew")?;
    stand.await_words("it is made anew")?;
    stand.await_words("all is well")?;
    Ok(())
}

fn update(stand: &mut Stand<'_>) -> Result<()> {
    let good = Bundle::of(stand.medium.path())?;
    let label = |version, image: &str| Label { version, image: image.into(), ..good.label.clone() };
    let with = |label| Bundle { label, content: good.content.clone() }.signed(OWN_KEY);
    let whole = good.signed(OWN_KEY)?;
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    let later = Version::new(60_000, 0, 0);
    let refused = [
        (good.signed(OTHER_KEY)?, "not signed by a key that is trusted here"),
        (with(label(Version::new(0, 0, 1), &good.label.image))?, "it is version 0.0.1"),
        (with(label(later, "rpi"))?, "it is for rpi"),
        (with(Label { kernel: "9.9".into(), ..good.label.clone() })?, "it is made for kernel 9.9"),
        (whole[..whole.len() - 1].to_vec(), "it does not end where its label says"),
        (flipped, "its content is not what its label describes"),
    ];
    stand.trust(OWN_KEY)?;
    for (bundle, words) in refused {
        stand.put_update(&bundle)?;
        stand.start()?;
        stand.await_words("all is well: slot a")?;
        let line = stand.await_words("the update is refused")?;
        ensure!(line.contains(words), "{line:?} does not say {words:?}");
        stand.stop();
        stand.medium.check_boot().context(words)?;
    }
    stand.put_update(&with(label(later, &good.label.image))?)?;
    stand.start()?;
    stand.await_words("version 60000.0.0 is installed in slot b and tried next")?;
    stand.await_words("slot b, version 60000.0.0")?;
    stand.await_words("all is well: slot b")?;
    stand.put_update(&whole)?;
    stand.start()?;
    stand.await_words("all is well: slot b")?;
    stand.await_words("the update is refused: it is version").context("nothing older follows")?;
    Ok(())
}

fn bad_update(stand: &mut Stand<'_>) -> Result<()> {
    stand.trust(OWN_KEY)?;
    // A gateway that ends at once; a first process that does, which is a panic of the kernel.
    for change in ["cp sbin/init bin/picket", "cp bin/picket sbin/init"] {
        let bundle = Bundle::of(stand.medium.path())?.with_root(&stand.file(""), change)?;
        stand.put_update(&bundle.signed(OWN_KEY)?)?;
        stand.start()?;
        stand.await_words("is installed in slot b and tried next")?;
        stand.await_words("slot b did not prove itself, back to slot a").context(change)?;
        stand.await_words("all is well: slot a")?;
        pings(stand, GOOD)?;
    }
    Ok(())
}

fn power_cuts(stand: &mut Stand<'_>) -> Result<()> {
    cut(stand, 3, 2)
}

fn more_power_cuts(stand: &mut Stand<'_>) -> Result<()> {
    cut(stand, 50, 20)
}

/// Cuts that are made beyond those asked for while none has lost anything: the moment is drawn, and many a moment has nothing to lose.
const MORE_CUTS: u32 = 8;

/// Cuts the power so often while the box writes what it found, and so often inside an update; half of the cuts keep a random half of
/// what was not flushed. After each the box boots, and all is well in one slot.
fn cut(stand: &mut Stand<'_>, writing: u32, updating: u32) -> Result<()> {
    let seed = u64::from(std::process::id());
    let mut chance = Chance(seed);
    println!("   seed {seed}");
    let update = Bundle::of(stand.medium.path())?.signed(OWN_KEY)?;
    stand.trust(OWN_KEY)?;
    let mut lost = 0;
    for round in 0..writing + updating + MORE_CUTS {
        let writes = round < writing || round >= writing + updating;
        if round >= writing + updating && lost > 0 {
            break;
        }
        if !writes {
            stand.put_update(&update)?;
        }
        stand.start_dropping((round % 2 == 1).then_some(seed + u64::from(round)))?;
        if writes {
            stand.await_words("picket runs as process")?;
            // A scan makes events that are written; where it does not get through, that is what was wanted.
            let scan =
                format!("nmap -n -Pn -sS -T4 --max-retries 0 --host-timeout 5s -p 1-100 {SERVER} >/dev/null || true");
            stand.network.space(SCANNER)?.shell(&scan)?;
        } else {
            stand.await_words("an update is on the boot partition")?;
        }
        // The moment of the cut is what is drawn here; nothing is waited for.
        std::thread::sleep(Duration::from_millis(chance.draw() % 3_000));
        let now = stand.cut()?;
        println!("   cut {}: {now} sectors lost", round + 1);
        lost += now;
        stand.start()?;
        stand.await_words("all is well: slot").with_context(|| format!("after cut {}", round + 1))?;
    }
    ensure!(lost > 0, "no cut lost anything: this proves nothing");
    Ok(())
}

fn two_cards(stand: &mut Stand<'_>) -> Result<()> {
    let mut drawn = Vec::new();
    for _ in 0..2 {
        stand.stop();
        stand.medium = Medium::write(&medium::built("qemu-virt"), stand.file("card.img"))?;
        stand.start()?;
        stand.await_words("all is well")?;
        stand.stop();
        // The identity of an ext4 file system: 16 octets at 0x68 of its superblock, which begins at 1024.
        drawn.push(stand.medium.data(2048)?[1024 + 0x68..][..16].to_vec());
    }
    ensure!(drawn[0] != drawn[1] && drawn.iter().all(|id| id.iter().any(|octet| *octet != 0)), "drawn: {drawn:?}");
    Ok(())
}

fn elsewhere(stand: &mut Stand<'_>) -> Result<()> {
    super::elsewhere::is_the_same(&stand.file(""))
}

fn pi_files(stand: &mut Stand<'_>) -> Result<()> {
    let pi = Medium::write(&medium::built("rpi"), stand.file("pi.img"))?;
    let held = |name: &str| -> Result<Vec<u8>> {
        let to = stand.file("held");
        pi.boot_file(name, &to)?;
        Ok(std::fs::read(to)?)
    };
    let config = String::from_utf8(held("config.txt")?)?;
    for line in ["arm_64bit=1", "upstream_kernel=1", "kernel=kernel8.img", "initramfs initrd.img followkernel"] {
        ensure!(config.lines().any(|own| own == line), "config.txt does not say {line:?}");
    }
    let words = String::from_utf8(held("cmdline.txt")?)?;
    ensure!(words.lines().count() == 1 && words.contains("console=ttyS1,115200"), "cmdline.txt: {words:?}");
    // A device tree and a compressed kernel begin as such; what a firmware file begins with nobody has written down.
    ensure!(held("kernel8.img")?.starts_with(&[0x1f, 0x8b]), "kernel8.img is no gzip file");
    let mut boards = 0;
    for image in Board::all()?.into_iter().filter_map(|board| board.image).filter(|image| image.name == "rpi") {
        boards += 1;
        for tree in &image.device_trees {
            ensure!(held(tree)?.starts_with(&[0xd0, 0x0d, 0xfe, 0xed]), "{tree} is no device tree");
        }
        for file in &image.firmware {
            ensure!(held(file)?.len() > 1_000, "{file} is empty");
        }
    }
    ensure!(boards == 2, "{boards} boards name the image of the Pis");
    Ok(())
}

fn pi_3(stand: &mut Stand<'_>) -> Result<()> {
    stand.medium = Medium::write(&medium::built("rpi"), stand.file("card.img"))?;
    stand.kind = Kind::Pi3;
    stand.start()?;
    stand.await_words("this is a Raspberry Pi 3B or 3B+")?;
    stand.await_words("picket0 forwards between eth1 (lan) and eth0 (uplink)")?;
    pings(stand, GOOD)?;
    stand.await_words("all is well: slot a")?;
    Ok(())
}

/// A ping from a host to the router comes back, after the neighbours have found each other.
fn pings(stand: &Stand<'_>, host: &str) -> Result<()> {
    let until = Instant::now() + SOON;
    let space = stand.network.space(host)?;
    while let Err(error) = space.shell(&format!("ping -q -c 1 -W 1 {ROUTER} >/dev/null")) {
        ensure!(Instant::now() < until, "no ping from {host} crosses the box: {error}");
    }
    Ok(())
}

/// The page of the server, over TCP.
fn fetches(stand: &Stand<'_>, host: &str) -> Result<String> {
    stand.network.space(host)?.shell(&format!("curl -sf --max-time 3 http://{SERVER}/"))
}
