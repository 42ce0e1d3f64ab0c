//! What the image promises, each as one check in a machine of its own.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use board::Board;
use card::{Label, Slot, Version};
use store::{Policies, PolicyState, PolicyVersion};
use terms::Timestamp;

use super::bundle::Bundle;
use super::guest::{Kind, PATIENCE, Stand};
use super::medium::{self, Medium};
use super::owner;
use super::proof;
use super::sabotage;
use crate::chance::Chance;
use crate::network::{ROUTER, SERVER};
use crate::pings::Pings;
use crate::process::output;

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

/// A change of a program of the image.
type Change = fn(&Path) -> Result<()>;

/// All checks, in the order in which they run.
pub const CHECKS: &[Check] = &[
    ("bridges_before_the_gateway_and_blocks_a_scan_in_its_kernel", Length::Short, bridges_and_blocks),
    ("a_killed_gateway_costs_no_ping_and_comes_back", Length::Short, killed),
    ("where_its_owner_chose_it_nothing_passes_without_the_gateway", Length::Long, closed),
    ("its_owner_finds_the_box_claims_it_and_switches_it_off", Length::Long, owner::has_its_way),
    ("a_slot_with_one_wrong_bit_does_not_boot_and_the_other_does", Length::Short, wrong_bit),
    ("data_outlives_a_pulled_plug_grows_with_the_card_and_is_forgotten_on_wish", Length::Short, data),
    ("an_update_is_tried_and_stays_and_what_is_not_for_this_box_is_refused", Length::Short, update),
    ("an_update_that_boots_and_does_not_protect_is_undone", Length::Short, unhooked_update),
    ("no_update_that_does_not_protect_stays", Length::Long, blind_updates),
    ("a_first_process_that_hangs_is_reset_by_the_watchdog_and_undone", Length::Long, hung_first_process),
    ("a_gateway_whose_inspector_hangs_is_started_again", Length::Long, hung_inspector),
    ("a_cut_of_the_power_that_loses_writes_leaves_a_box_that_boots", Length::Short, power_cuts),
    ("more_cuts_of_the_power", Length::Long, more_power_cuts),
    ("the_pi_image_holds_what_its_firmware_and_boards_look_for", Length::Short, pi_files),
    ("the_pi_image_bridges_on_an_emulated_pi_3", Length::Long, pi_3),
    ("an_update_whose_gateway_or_first_process_fails_is_undone", Length::Long, bad_update),
    ("both_ways_of_knowing_conversations_agree", Length::Short, proof::agrees),
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
/// Whom a policy of these checks denies everything but what a network can't live without.
const DENIED: &str = "h7";
/// The store of the box, on the data partition.
const STORE: &str = "store";
/// How much of the time a daemon's death may take until the box is closed, in seconds.
const CLOSES: f64 = 1.0;

fn bridges_and_blocks(stand: &mut Stand<'_>) -> Result<()> {
    stand.medium.make_data()?;
    deny_one(stand)?;
    stand.start()?;
    let line = stand.await_words("picket0 forwards between eth0 (lan) and eth1 (uplink)")?;
    let after = line.split("(uplink), ").nth(1).and_then(|rest| rest.split(' ').next()?.parse::<f64>().ok());
    let after = after.with_context(|| format!("no time in {line:?}"))?;
    ensure!(after <= FORWARDS, "the bridge took {after} s");
    pings(stand, GOOD)?;
    println!("   bridge after {after:.2} s; a ping crosses it");
    stand.await_words("all is well: slot a")?;
    // Every host of the lab fetches a page through the box and becomes known.
    stand.network.warm_up(&[DENIED])?;
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
    fetches(stand, DENIED).err().context("the policy denies it, and it gets through")?;
    await_kept(stand, "\"blocks\":1")?;
    stand.type_in("7")?;
    stand.await_words("the box restarts: somebody wants it")?;
    stand.await_words("the kernel runs").context("what was written is on the card by then")?;
    // The gateway is held back: what is no configuration starts none.
    stand.put_data("picket.toml", "this is no configuration\n")?;
    stand.start()?;
    stand.await_words("the last ruleset stands: its policy, 1 blocks")?;
    stand.await_words("picket0 forwards between")?;
    stand.await_words("picket ended")?;
    // A box whose gateway can't be started restarts by itself, also in the middle of this: it may take the time of a start.
    let until = Instant::now() + PATIENCE;
    for (host, passes) in [(GOOD, true), (SCANNER, false), (DENIED, false), (GOOD, true)] {
        while fetches(stand, host).is_ok() != passes {
            ensure!(passes && Instant::now() < until, "without the gateway, {host}: {passes} was to be");
        }
    }
    ensure!(!stand.console().contains("all is well"), "the gateway was not held back");
    Ok(())
}

/// Has the store hold a policy, as if an admin had applied it: one device is held to what a network can't live without, the others may
/// do what they like.
fn deny_one(stand: &mut Stand<'_>) -> Result<()> {
    let folder = stand.file("policy-made");
    let mac = &stand.network.host(DENIED)?.mac;
    let text = format!(
        "posture = \"enforce\"\nnew = \"everything\"\n\n[[device]]\nname = \"camera\"\nmacs = [\"{mac}\"]\nstate = \"approved\"\n"
    );
    policy::text::read(&text).map_err(|faults| anyhow::anyhow!("{faults:?}"))?;
    let version = PolicyVersion {
        version: 0,
        at: Timestamp::from_secs(1_780_000_000),
        author: "an admin".into(),
        why: String::new(),
        act: "apply".into(),
        text,
    };
    Policies::open(&folder)?.put(version, |n| PolicyState { confirmed: n, trial: None })?;
    for file in ["1.json", "state.json"] {
        let name = format!("{STORE}/policy/{file}");
        stand.medium.put_data_file(&folder.join("policy").join(file), &name)?;
    }
    Ok(())
}

/// Waits until the gateway has kept its ruleset for the next start, and said this of it.
fn await_kept(stand: &mut Stand<'_>, words: &str) -> Result<()> {
    let (until, words) = (Instant::now() + SOON, words.to_owned());
    loop {
        let before = stand.console().len();
        stand.type_in("4")?;
        stand.await_words("done")?;
        let said = stand.console().split_off(before);
        if said.lines().any(|line| line.contains("the ruleset is kept") && line.contains(&words)) {
            return Ok(());
        }
        ensure!(Instant::now() < until, "no ruleset with {words} is kept: {said}");
    }
}

fn closed(stand: &mut Stand<'_>) -> Result<()> {
    stand.medium.make_data()?;
    stand.put_data("picket.toml", "[fail]\nprotect = \"closed\"\n")?;
    stand.start()?;
    stand.await_words("all is well")?;
    pings(stand, GOOD)?;
    await_kept(stand, "")?;
    // Killed several times, so that the pause before the next start is long.
    let mut line = String::new();
    for round in 0..4 {
        stand.type_in("5")?;
        let died = seconds(&stand.await_words("it is started again")?)?;
        line = stand.await_words("closed, as its owner chose: nothing passes until picket runs")?;
        ensure!(seconds(&line)? - died <= CLOSES, "closed at {line:?}, the gateway died at {died} s");
        if round < 3 {
            stand.await_words("picket runs as process")?;
        }
    }
    let lost = stand.network.space(GOOD)?.shell(&format!("ping -q -i 0.2 -c 5 -W 1 {ROUTER} | grep received"));
    ensure!(lost.as_deref().is_ok_and(|said| said.contains(" 0 received")), "something passes: {lost:?}");
    println!("   {line}");
    stand.await_words("picket runs as process")?;
    pings(stand, GOOD).context("the gateway runs again")?;
    stand.stop();
    // Nor does anything pass between the start and the gateway.
    stand.start()?;
    stand.await_words("closed, as its owner chose")?;
    stand.await_words("picket0 forwards between")?;
    stand.await_words("all is well")?;
    pings(stand, GOOD)
}

/// When a line of the console was said, in seconds after the kernel's start.
fn seconds(line: &str) -> Result<f64> {
    let text = line.split('[').nth(1).and_then(|rest| rest.split(']').next()).map(str::trim);
    text.and_then(|text| text.parse().ok()).with_context(|| format!("no time in {line:?}"))
}

fn killed(stand: &mut Stand<'_>) -> Result<()> {
    stand.start()?;
    stand.await_words("all is well")?;
    pings(stand, GOOD)?;
    let meanwhile = stand.pings(GOOD)?;
    for _ in 0..3 {
        stand.type_in("5")?;
        stand.await_words("it is started again")?;
        stand.await_words("picket runs as process")?;
    }
    none_is_lost(meanwhile)?;
    owner::is_found(stand).context("the page of a gateway that was killed three times")
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
        let script = |root: &Path| output(Command::new("sh").args(["-ec", change]).current_dir(root)).map(drop);
        install(stand, script)?;
        stand.await_words("slot b did not prove itself, back to slot a").context(change)?;
        stand.await_words("all is well: slot a")?;
        pings(stand, GOOD)?;
    }
    Ok(())
}

/// Has slot b tried with a root that was changed.
fn install(stand: &mut Stand<'_>, change: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let bundle = Bundle::of(stand.medium.path())?.with_root(&stand.file(""), change)?;
    stand.put_update(&bundle.signed(OWN_KEY)?)?;
    stand.start()?;
    stand.await_words("is installed in slot b and tried next")?;
    Ok(())
}

/// A change of the gateway alone that its own tests do not notice.
fn unnoticed(change: Change) -> impl FnOnce(&Path) -> Result<()> {
    move |root| {
        let program = root.join("bin/picket");
        change(&program)?;
        sabotage::passes_its_own_test(&program).context("its own test notices it")
    }
}

fn unhooked_update(stand: &mut Stand<'_>) -> Result<()> {
    stand.trust(OWN_KEY)?;
    install(stand, unnoticed(sabotage::chain_not_hooked))?;
    stand.await_words("lets the scanner's frames pass")?;
    stand.await_words("the box restarts: this slot does not protect")?;
    stand.await_words("slot b did not prove itself, back to slot a")?;
    Ok(())
}

fn blind_updates(stand: &mut Stand<'_>) -> Result<()> {
    stand.trust(OWN_KEY)?;
    let changes: [(Change, &str); 2] =
        [(sabotage::inspector_asleep, "was not found"), (sabotage::forest_of_zeros, "safe, 0 medium, 0 high")];
    for (change, words) in changes {
        install(stand, unnoticed(change))?;
        stand.await_words(words)?;
        stand.await_words("the box restarts: this slot does not protect")?;
        stand.await_words("slot b did not prove itself, back to slot a")?;
        stand.await_words("all is well: slot a")?;
        pings(stand, GOOD)?;
    }
    Ok(())
}

/// The first process sleeps as soon as it would keep the time; the bridge is up by then, and forwards until the reset.
fn hung_first_process(stand: &mut Stand<'_>) -> Result<()> {
    stand.trust(OWN_KEY)?;
    install(stand, |root| sabotage::sleeps_in(&root.join("sbin/init"), "init::clock::Clock::look"))?;
    stand.await_words("slot b, version")?;
    stand.await_words("the watchdog looks after this process and the kernel")?;
    pings(stand, GOOD)?;
    // The watchdog waits for 15 s: what is sent in the first 8 crosses a bridge that nobody looks after.
    let meanwhile = stand.pings(GOOD)?;
    std::thread::sleep(Duration::from_secs(8));
    none_is_lost(meanwhile).context("with the first process asleep")?;
    stand.await_words("slot b did not prove itself, back to slot a").context("the watchdog resets the box")?;
    ensure!(!stand.console().contains("the box restarts: this slot"), "it was not the watchdog");
    stand.await_words("all is well: slot a")?;
    pings(stand, GOOD)
}

/// The inspector sleeps with its first turn: the gateway notices, ends, and is started again with growing pauses; frames pass.
fn hung_inspector(stand: &mut Stand<'_>) -> Result<()> {
    stand.trust(OWN_KEY)?;
    // As an update it would be given up for not protecting, before it is noticed that it hangs: here both slots are this one.
    let asleep = |root: &Path| sabotage::sleeps_in(&root.join("bin/picket"), "picket::run::inspector::watch");
    let bundle = Bundle::of(stand.medium.path())?.with_root(&stand.file(""), asleep)?;
    stand.medium.put_slot(&bundle.signed(OWN_KEY)?, Slot::A)?;
    stand.start()?;
    stand.await_words("all is well: slot a")?;
    pings(stand, GOOD)?;
    let meanwhile = stand.pings(GOOD)?;
    for pause in ["again in 0 s", "again in 1 s"] {
        let line = stand.await_words("picket ended: exit status: 1")?;
        ensure!(line.contains(pause), "{line:?} does not say {pause:?}");
        stand.await_words("picket runs as process")?;
    }
    stand.type_in("4")?;
    stand.await_words("the inspector hangs; the gateway ends")?;
    none_is_lost(meanwhile)
}

fn power_cuts(stand: &mut Stand<'_>) -> Result<()> {
    cut(stand, 3, 2)
}

fn more_power_cuts(stand: &mut Stand<'_>) -> Result<()> {
    cut(stand, 50, 20)
}

/// Cuts the power so often while the box writes what it found, and so often inside an update, each in the midst of a flush; half of the
/// cuts keep a random half of what was not flushed. After each the box boots, and all is well in one slot.
fn cut(stand: &mut Stand<'_>, writing: u32, updating: u32) -> Result<()> {
    let seed = u64::from(std::process::id());
    let mut chance = Chance(seed);
    println!("   seed {seed}");
    let update = Bundle::of(stand.medium.path())?.signed(OWN_KEY)?;
    stand.trust(OWN_KEY)?;
    let mut lost = 0;
    for round in 0..writing + updating {
        let writes = round < writing;
        if !writes {
            stand.put_update(&update)?;
        }
        stand.start_dropping((round % 2 == 1).then_some(seed + u64::from(round)))?;
        // It goes on over the cut: what was written a while ago has been flushed.
        let mut scanning = None;
        if writes {
            stand.await_words("picket runs as process")?;
            // A scan makes events that are written; where it does not get through, that is what was wanted.
            let scan =
                format!("nmap -n -Pn -sS -T4 --max-retries 0 --host-timeout 5s -p 1-100 {SERVER} >/dev/null || true");
            scanning = Some(stand.network.space(SCANNER)?.start(&scan, &stand.file("scan"))?);
        } else {
            stand.await_words("an update is on the boot partition")?;
        }
        // From when on it may come is what is drawn here; nothing is waited for.
        std::thread::sleep(Duration::from_millis(chance.draw() % 3_000));
        let now = stand.cut()?;
        drop(scanning);
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

/// Every ping that was sent came back; it says how many.
fn none_is_lost(pings: Pings) -> Result<()> {
    let series = pings.end()?;
    ensure!(series.lost() == 0, "{} of {} pings were lost", series.lost(), series.sent);
    println!("   {} pings, none lost", series.sent);
    Ok(())
}

/// The page of the server, over TCP.
fn fetches(stand: &Stand<'_>, host: &str) -> Result<String> {
    stand.network.space(host)?.shell(&format!("curl -sf --max-time 3 http://{SERVER}/"))
}
