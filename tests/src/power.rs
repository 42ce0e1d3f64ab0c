//! A folder on a medium whose power can be cut: what was written there and not flushed is forgotten, or a random half of it.
//!
//! The machine itself serves the medium (nbdkit with `machine/dropping.py`, seen as a file by nbdfuse, on a loop device), so that a cut
//! costs a second and not the boot of a machine. Killing a program alone loses nothing: its writes rest in the kernel.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nix::sched::{CloneFlags, unshare};

use crate::process::output;

/// The medium that forgets, for nbdkit.
pub const DROPPING: &str = include_str!("machine/dropping.py");
/// How large the medium is.
const SIZE: &str = "96M";
/// How long its parts may take to start.
const PATIENCE: Duration = Duration::from_secs(20);

/// A medium with a file system. Dropping it lets go of all that it uses.
pub struct Medium {
    folder: PathBuf,
    device: Option<String>,
    served: Vec<Child>,
}

impl Medium {
    /// Makes an empty one; its files stand in this folder.
    ///
    /// From here on the calling thread, and what it starts, has mounts of its own: what others clone of the machine's would keep these
    /// alive beyond a cut.
    ///
    /// # Errors
    /// When this is not root, or a program is missing.
    pub fn make(folder: &Path) -> Result<Self> {
        unshare(CloneFlags::CLONE_NEWNS).context("mounts of its own need root")?;
        output(Command::new("mount").args(["--make-rprivate", "/"]))?;
        let made = Self { folder: folder.to_owned(), device: None, served: Vec::new() };
        for name in ["shown", "mounted"] {
            fs::create_dir_all(made.file(name))?;
        }
        fs::write(made.file("dropping.py"), DROPPING)?;
        let card = made.file("card");
        output(Command::new("truncate").args(["-s", SIZE]).arg(&card))?;
        output(Command::new("mkfs.ext4").args(["-q", "-F"]).arg(&card))?;
        Ok(made)
    }

    /// Turns it on and gives the folder; with a seed a cut keeps a random half of what was not flushed.
    ///
    /// # Errors
    /// When the kernel or one of the programs refuses.
    pub fn on(&mut self, seed: Option<u64>) -> Result<PathBuf> {
        let (socket, shown) = (self.file("socket"), self.file("shown"));
        let _ = fs::remove_file(&socket);
        let mut server = Command::new("nbdkit");
        server.arg("-f").arg("-U").arg(&socket).arg("python").arg(self.file("dropping.py"));
        server.arg(format!("file={}", self.file("card").display()));
        server.arg(format!("log={}", self.file("lost").display()));
        server.args(seed.map(|seed| format!("seed={seed}")));
        self.serve(server, "nbdkit")?;
        wait_for("nbdkit", || socket.exists())?;
        let mut fuse = Command::new("nbdfuse");
        fuse.arg(shown.join("nbd")).arg("--unix").arg(&socket);
        self.serve(fuse, "nbdfuse")?;
        wait_for("nbdfuse", || shown.join("nbd").exists())?;
        let device = attach(&shown.join("nbd"))?;
        self.device = Some(device.clone());
        output(Command::new("mount").arg(device).arg(self.file("mounted")))?;
        Ok(self.file("mounted"))
    }

    /// Cuts the power, and tells how many sectors that were written and not flushed are lost.
    ///
    /// # Errors
    /// When it was not on, or does not tell.
    pub fn cut(&mut self) -> Result<u64> {
        let [mut server, mut fuse] =
            <[Child; 2]>::try_from(std::mem::take(&mut self.served)).ok().context("it was not on")?;
        // The way to it first: nothing must be written again because its end was noticed.
        fuse.kill()?;
        fuse.wait()?;
        output(Command::new("kill").arg(server.id().to_string()))?;
        server.wait()?;
        self.let_go();
        let lost = fs::read_to_string(self.file("lost")).context("nbdkit did not say what was lost")?;
        Ok(lost.trim().parse()?)
    }

    /// What stands on it while it is off, after the file system was put in order as a next start does.
    ///
    /// # Errors
    /// When it can't be mounted.
    pub fn looked_at<T>(&self, look: impl FnOnce(&Path) -> T) -> Result<T> {
        // A device of its own each time: `mount -o loop` would take the one of an earlier look where somebody still has it open, and show
        // what stood there then.
        let device = attach(&self.file("card"))?;
        let mounted = self.file("mounted");
        let seen = output(Command::new("mount").arg(&device).arg(&mounted)).and_then(|_| {
            let seen = look(&mounted);
            output(Command::new("umount").arg(&mounted)).map(|_| seen)
        });
        output(Command::new("losetup").args(["-d", &device]))?;
        seen
    }

    fn serve(&mut self, mut command: Command, what: &'static str) -> Result<()> {
        let errors = File::create(self.file(&format!("{what}.err")))?;
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors).spawn();
        self.served.push(child.with_context(|| format!("{what} is missing"))?);
        Ok(())
    }

    /// Each may be gone already.
    fn let_go(&mut self) {
        let quiet = |command: &mut Command| {
            let _ = command.stdin(Stdio::null()).output();
        };
        quiet(Command::new("umount").arg("-l").arg(self.file("mounted")));
        if let Some(device) = self.device.take() {
            quiet(Command::new("losetup").args(["-d", &device]));
        }
        quiet(Command::new("fusermount3").arg("-uz").arg(self.file("shown")));
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

impl Drop for Medium {
    fn drop(&mut self) {
        for child in self.served.iter_mut().rev() {
            let _ = child.kill();
            let _ = child.wait();
        }
        self.let_go();
    }
}

/// A block device that is this file, without what the kernel may remember of another one in its place.
fn attach(file: &Path) -> Result<String> {
    let device = output(Command::new("losetup").args(["-f", "--show"]).arg(file))?.trim().to_owned();
    output(Command::new("blockdev").args(["--flushbufs", &device]))?;
    Ok(device)
}

fn wait_for(what: &str, is_there: impl Fn() -> bool) -> Result<()> {
    let until = Instant::now() + PATIENCE;
    while !is_there() {
        ensure!(Instant::now() < until, "{what} does not start");
        sleep(Duration::from_millis(10));
    }
    Ok(())
}
