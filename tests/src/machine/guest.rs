//! A virtual machine with a card and two links, and the lab around it.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::bundle;
use super::medium::Medium;
use crate::network::{BRIDGE, LAN_LINK, Network, UPLINK};
use crate::pings::Pings;
use crate::process::output;
use crate::site::Site;

/// The machine's end of the links towards the switch and the router, in the order of its links.
const TAPS: [&str; 2] = ["pvmlan", "pvmup"];
/// Longest wait for anything on the console: emulation is slow, and other work may share the processors.
pub const PATIENCE: Duration = Duration::from_secs(120);
/// How often a wait looks whether the machine has ended.
const LOOK: Duration = Duration::from_millis(200);
/// How long a cut of the power waits for a flush.
const FLUSHES: Duration = Duration::from_secs(15);

/// Which machine is emulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// QEMU's `virt`, two virtio links.
    Virt,
    /// A Pi 3B with two USB adapters, the board's own link not being emulated.
    Pi3,
}

/// One check's machine and surroundings. Dropping it ends the machine.
pub struct Stand<'a> {
    /// The lab, with the machine in the place of the box.
    pub network: &'a Network,
    /// The machine's card.
    pub medium: Medium,
    /// Which machine is emulated.
    pub kind: Kind,
    site: &'a Path,
    folder: PathBuf,
    name: String,
    guest: Option<Guest>,
    /// The server between machine and card that forgets what was not flushed, if there is one.
    server: Option<Child>,
    boots: u32,
}

/// A running machine.
struct Guest {
    child: Child,
    keys: ChildStdin,
    console: Arc<Console>,
    /// How much of the console was read by waits.
    read: usize,
}

/// What a machine's console said so far.
#[derive(Default)]
struct Console {
    text: Mutex<String>,
    more: Condvar,
}

impl<'a> Stand<'a> {
    /// Writes the image to a new card.
    ///
    /// # Errors
    /// When the image is missing, or the lab's folder can't be written.
    pub fn new(site: &'a Site, image: &Path, name: &str) -> Result<Self> {
        let folder = site.folder().join(format!("machine-{name}"));
        fs::create_dir_all(&folder)?;
        let medium = Medium::write(image, folder.join("card.img"))?;
        Ok(Self {
            network: site.network(),
            medium,
            kind: Kind::Virt,
            site: site.folder(),
            folder,
            name: name.to_owned(),
            guest: None,
            server: None,
            boots: 0,
        })
    }

    /// How often a machine was started.
    pub const fn boots(&self) -> u32 {
        self.boots
    }

    /// Pings through the machine, 50 a second, from a host of the lab.
    ///
    /// # Errors
    /// When they can't be started.
    pub fn pings(&self, from: &str) -> Result<Pings> {
        Pings::start(self.network.space(from)?, self.site, 50)
    }

    /// A file in the check's own folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Starts the machine with what its card holds, as a boot loader does.
    ///
    /// # Errors
    /// When the card holds no kernel, or the machine does not start.
    pub fn start(&mut self) -> Result<()> {
        self.guest = None;
        let [kernel, initramfs, line] = ["kernel8.img", "initrd.img", "cmdline.txt"].map(|name| self.file(name));
        for file in [&kernel, &initramfs, &line] {
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            self.medium.boot_file(&name, file)?;
        }
        let line = fs::read_to_string(line)?.trim().to_owned();
        let mut command = Command::new("qemu-system-aarch64");
        command.args(["-display", "none", "-nodefaults"]).arg("-kernel").arg(kernel).arg("-initrd").arg(initramfs);
        match self.kind {
            Kind::Virt => self.virt(&mut command, &line),
            Kind::Pi3 => self.pi_3(&mut command, &line)?,
        }
        // A tap stays with the machine that opened it, in whatever namespace; those of an earlier one are in the way.
        let place = self.network.space("box")?;
        for tap in TAPS {
            let _ = output(Command::new("ip").args(["link", "del", tap]));
            place.shell(&format!("ip link del {tap} 2>/dev/null || true"))?;
            output(Command::new("ip").args(["tuntap", "add", tap, "mode", "tap"]))?;
        }
        self.boots += 1;
        let log = self.file(&format!("console-{}.log", self.boots));
        self.guest = Some(Guest::start(command, &log)?);
        self.await_words("picket [")?;
        self.plug_in().context("the machine's links")
    }

    /// Has the box trust a key, as its owner does with the card in a computer.
    ///
    /// # Errors
    /// When the card can't be written.
    pub fn trust(&mut self, seed: [u8; 32]) -> Result<()> {
        let file = self.file("update.key");
        fs::write(&file, bundle::public(seed)? + "\n")?;
        self.stop();
        self.medium.put_boot_file(&file, "update.key")
    }

    /// Puts a bundle onto the card, with the machine off.
    ///
    /// # Errors
    /// When there is no room for it.
    pub fn put_update(&mut self, octets: &[u8]) -> Result<()> {
        let file = self.file("update.picket");
        fs::write(&file, octets)?;
        self.stop();
        self.medium.put_boot_file(&file, "update.picket")
    }

    /// Puts a text into a file of the data partition, with the machine off.
    ///
    /// # Errors
    /// When there is no data partition.
    pub fn put_data(&mut self, name: &str, text: &str) -> Result<()> {
        let file = self.file("put");
        fs::write(&file, text)?;
        self.stop();
        self.medium.put_data_file(&file, name)
    }

    fn virt(&self, command: &mut Command, line: &str) {
        command.args("-M virt -cpu cortex-a72 -smp 2 -m 512 -accel tcg,thread=multi -serial stdio".split(' '));
        command.args(["-append", line]);
        // The kernel finds what stands last on the command line first: the link towards the switch is to be its eth0.
        for (n, tap) in TAPS.iter().enumerate().rev() {
            let end = format!("tap,id=n{n},ifname={tap},script=no,downscript=no");
            let device = format!("virtio-net-device,netdev=n{n},mac=52:54:00:00:00:0{}", n + 1);
            command.args(["-netdev", &end, "-device", &device]);
        }
        let file = match self.server {
            Some(_) => format!("nbd+unix:///?socket={}", self.file("nbd").display()),
            None => self.medium.path().display().to_string(),
        };
        let drive = format!("file={file},if=none,id=d0,format=raw,cache=writeback");
        command.args(["-drive", &drive, "-device", "virtio-blk-device,drive=d0"]);
        command.args(["-device", "i6300esb", "-action", "watchdog=reset"]);
    }

    /// The console is the second serial line; the emulated watchdog resets when it is opened, so the machine is told to leave it.
    fn pi_3(&self, command: &mut Command, line: &str) -> Result<()> {
        let tree = self.file("bcm2837-rpi-3-b.dtb");
        self.medium.boot_file("bcm2837-rpi-3-b.dtb", &tree)?;
        command.args("-M raspi3b -serial null -serial stdio".split(' ')).arg("-dtb").arg(tree);
        command.args(["-append", &format!("{line} picket.watchdog=off")]);
        // The first adapter becomes the board's link, which is the uplink; the address of a vendor makes the kernel name both "eth".
        for (n, tap) in TAPS.iter().rev().enumerate() {
            let end = format!("tap,id=n{n},ifname={tap},script=no,downscript=no");
            command.args(["-netdev", &end, "-device", &format!("usb-net,netdev=n{n},mac=00:16:3e:00:00:0{}", n + 1)]);
        }
        let drive = format!("file={},if=sd,format=raw", self.medium.path().display());
        command.args(["-drive", &drive]);
        Ok(())
    }

    /// Starts the machine on a medium that forgets what was not flushed when the power is cut; with a seed it keeps a random half.
    ///
    /// # Errors
    /// As for any start, and when the server is missing.
    pub fn start_dropping(&mut self, seed: Option<u64>) -> Result<()> {
        self.stop();
        let (socket, plugin) = (self.file("nbd"), self.file("dropping.py"));
        let _ = fs::remove_file(&socket);
        fs::write(&plugin, crate::power::DROPPING)?;
        let mut command = Command::new("nbdkit");
        command.arg("-f").arg("-U").arg(&socket).arg("python").arg(&plugin);
        command.arg(format!("file={}", self.medium.path().display()));
        command.arg(format!("log={}", self.file("lost").display()));
        command.args(seed.map(|seed| format!("seed={seed}")));
        let errors = File::create(self.file("nbdkit.err"))?;
        self.server = Some(command.stdin(Stdio::null()).stderr(errors).spawn().context("nbdkit is missing")?);
        let until = Instant::now() + PATIENCE;
        while !socket.exists() {
            ensure!(Instant::now() < until, "nbdkit does not start");
            thread::sleep(Duration::from_millis(20));
        }
        self.start()
    }

    /// Cuts the power in the midst of the next flush, or after a quarter of a minute in which none came; tells how many sectors were lost.
    ///
    /// # Errors
    /// When no dropping medium was in use.
    pub fn cut(&mut self) -> Result<u64> {
        let mut server = self.server.take().context("no dropping medium")?;
        let (soon, now) = (self.file("lost.soon"), self.file("lost.now"));
        let _ = fs::remove_file(&now);
        fs::write(&soon, "")?;
        let until = Instant::now() + FLUSHES;
        while !now.exists() && Instant::now() < until {
            thread::sleep(LOOK);
        }
        // The machine first: it must not notice, and so not write again, that its medium is gone.
        self.guest = None;
        fs::remove_file(soon)?;
        output(Command::new("kill").arg(server.id().to_string()))?;
        server.wait()?;
        let lost = fs::read_to_string(self.file("lost")).context("nbdkit did not say what was lost")?;
        Ok(lost.trim().parse()?)
    }

    /// Ends the machine at once, as a pulled plug does.
    pub fn stop(&mut self) {
        self.guest = None;
        if let Some(mut server) = self.server.take() {
            // One that has ended already can't be ended.
            let _ = server.kill();
            let _ = server.wait();
        }
    }

    /// Waits for words on the console, behind those that were waited for before, and gives the line that they stand in.
    ///
    /// # Errors
    /// When they do not come in time, or the machine ends: the message holds its last lines.
    pub fn await_words(&mut self, words: &str) -> Result<String> {
        let name = self.name.clone();
        self.guest.as_mut().context("no machine runs")?.await_words(words).with_context(|| format!("machine {name}"))
    }

    /// Waits until the machine has switched itself off.
    ///
    /// # Errors
    /// When it does not in time.
    pub fn await_end(&mut self) -> Result<()> {
        let guest = self.guest.as_mut().context("no machine runs")?;
        let until = Instant::now() + PATIENCE;
        while guest.child.try_wait()?.is_none() {
            ensure!(Instant::now() < until, "the machine did not switch itself off");
            thread::sleep(LOOK);
        }
        self.guest = None;
        Ok(())
    }

    /// Types a line at the console.
    ///
    /// # Errors
    /// When the machine has ended.
    pub fn type_in(&mut self, line: &str) -> Result<()> {
        let guest = self.guest.as_mut().context("no machine runs")?;
        guest.keys.write_all(format!("{line}\n").as_bytes())?;
        Ok(guest.keys.flush()?)
    }

    /// All that the console of this boot has said.
    pub fn console(&self) -> String {
        self.guest.as_ref().map(|guest| guest.console.lock().clone()).unwrap_or_default()
    }

    /// Puts the machine into the place of the box: its links instead of the box's own bridge.
    fn plug_in(&self) -> Result<()> {
        let place = self.network.space("box")?;
        for tap in TAPS {
            output(Command::new("ip").args(["link", "set", tap, "netns", place.name()]))?;
        }
        place.shell(&format!("ip link del {BRIDGE} 2>/dev/null || true"))?;
        for (tap, link) in TAPS.into_iter().zip([LAN_LINK, UPLINK]) {
            place.shell(&format!(
                "ip link add b{tap} type bridge mcast_snooping 0 2>/dev/null || true
                 ip link set {link} master b{tap} up; ip link set {tap} master b{tap} up; ip link set b{tap} up"
            ))?;
        }
        Ok(())
    }
}

impl Drop for Stand<'_> {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Guest {
    fn start(mut command: Command, log: &Path) -> Result<Self> {
        let errors = File::create(log.with_extension("err"))?;
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .context("qemu-system-aarch64 is missing; tests/setup machine brings it")?;
        let keys = child.stdin.take().context("a pipe")?;
        let mut from = child.stdout.take().context("a pipe")?;
        let console = Arc::new(Console::default());
        let (to, mut log) = (console.clone(), File::create(log)?);
        thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(len @ 1..) = from.read(&mut piece) {
                // A full disk costs the log, not the check.
                let _ = log.write_all(&piece[..len]);
                to.lock().push_str(&String::from_utf8_lossy(&piece[..len]));
                to.more.notify_all();
            }
        });
        Ok(Self { child, keys, console, read: 0 })
    }

    fn await_words(&mut self, words: &str) -> Result<String> {
        let until = Instant::now() + PATIENCE;
        let mut text = self.console.lock();
        loop {
            if let Some(at) = text[self.read..].find(words) {
                let at = self.read + at;
                // The whole line is needed, and only what stands in it counts as read.
                if let Some(end) = text[at..].find('\n') {
                    let line = text[..at].rfind('\n').map_or(0, |start| start + 1);
                    self.read = at + words.len();
                    return Ok(text[line..at + end].trim().to_owned());
                }
            }
            let last =
                || text.lines().rev().take(12).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("\n  ");
            if let Some(status) = self.child.try_wait()? {
                bail!("it ended ({status}) before it said {words:?}; its last lines:\n  {}", last());
            }
            if Instant::now() > until || crate::stop::asked() {
                bail!("it did not say {words:?} in {} s; its last lines:\n  {}", PATIENCE.as_secs(), last());
            }
            text = self.console.more.wait_timeout(text, LOOK).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        // One that has ended already can't be ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Console {
    fn lock(&self) -> std::sync::MutexGuard<'_, String> {
        self.text.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
