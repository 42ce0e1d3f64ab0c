//! The box's own address on a network of namespaces with a real DHCP server: had, refused where somebody has it, chosen, set.
//!
//! No test here asks for the time: it would be that of the machine that runs it. A virtual machine's clock is set in `tests/src/machine`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(90);
const MAC: &str = "02:00:00:00:00:09";

/// Two namespaces with a cable between them, and who runs there. Dropping it ends and removes all.
struct Lab {
    spaces: [String; 2],
    folder: tempfile::TempDir,
    running: Vec<Child>,
}

impl Lab {
    /// The box's end is `box0`, the other one `srv0` with 192.168.50.1; nothing where this is not root.
    fn build(name: &str) -> Option<Self> {
        let spaces = ["b", "s"].map(|end| format!("pnet{}{name}{end}", std::process::id()));
        let folder = tempfile::tempdir().expect("a folder");
        if !ip(&format!("netns add {}", spaces[0])) {
            eprintln!("SKIP: no right to make a network namespace");
            return None;
        }
        let lab = Self { spaces, folder, running: Vec::new() };
        let [own, server] = &lab.spaces;
        for line in [
            format!("netns add {server}"),
            format!("-n {own} link add box0 address {MAC} type veth peer name srv0 netns {server}"),
            format!("-n {own} link set box0 up"),
            format!("-n {server} link set lo up"),
            format!("-n {server} address add 192.168.50.1/24 dev srv0"),
            format!("-n {server} link set srv0 up"),
        ] {
            assert!(ip(&line), "ip {line}");
        }
        Some(lab)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts a DHCP server with more options.
    fn serve(&mut self, options: &[&str]) {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.spaces[1], "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null"]);
        command.args([
            "--port=0",
            "--user=root",
            "--interface=srv0",
            "--bind-interfaces",
            "--no-ping",
            "--log-facility=-",
        ]);
        command.arg(format!("--pid-file={}", self.file("dnsmasq.pid").display()));
        command.arg(format!("--dhcp-leasefile={}", self.file("leases").display()));
        command.arg("--dhcp-range=192.168.50.100,192.168.50.101,255.255.255.0,2m").args(options);
        self.run(command);
    }

    /// Starts what keeps the address, with these settings.
    fn keep(&mut self, settings: &str) {
        let (file, folder, said) = (self.file("network.toml"), self.file("told"), self.file("said"));
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(&file, settings).expect("written");
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.spaces[0], env!("CARGO_BIN_EXE_init"), "network", "box0"]);
        command.arg(file).arg(folder).stderr(fs::File::create(said).expect("a file"));
        self.run(command);
    }

    fn run(&mut self, mut command: Command) {
        let child = command.stdin(Stdio::null()).spawn().expect("tests/setup brings iproute2 and dnsmasq");
        self.running.push(child);
    }

    fn said(&self) -> String {
        fs::read_to_string(self.file("said")).unwrap_or_default()
    }

    fn told(&self, name: &str) -> String {
        fs::read_to_string(self.file("told").join(name)).unwrap_or_default()
    }

    /// Waits until the box has an address, and gives what the kernel says of addresses and routes.
    fn await_address(&self, address: &str) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            let held = ["-4 address show box0", "route"].map(|what| self.ask(what)).concat();
            if held.contains(address) && self.told("state").contains(address) {
                return held;
            }
            assert!(Instant::now() < until, "no {address}: {held}\n{}", self.said());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn ask(&self, what: &str) -> String {
        let asked = Command::new("ip").args(["-n", &self.spaces[0]]).args(what.split(' ')).output().expect("ip");
        String::from_utf8_lossy(&asked.stdout).into_owned()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for child in &mut self.running {
            // One that has ended already can't be ended.
            let _ = child.kill();
            let _ = child.wait();
        }
        for space in &self.spaces {
            ip(&format!("netns del {space}"));
        }
    }
}

fn ip(line: &str) -> bool {
    Command::new("ip").args(line.split(' ')).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// Which address of those that the server may give; it draws one by the hardware address.
fn given(held: &str) -> &str {
    ["192.168.50.100", "192.168.50.101"].into_iter().find(|address| held.contains(address)).expect("one of them")
}

#[test]
fn an_address_comes_from_a_dhcp_server_with_its_router_and_resolvers_and_time() {
    let Some(mut lab) = Lab::build("d") else { return };
    lab.serve(&["--dhcp-option=6,192.168.50.1,9.9.9.9"]);
    lab.keep("time = []\n");
    let held = lab.await_address("192.168.50.10");
    let address = given(&held);
    assert!(held.contains(&format!("inet {address}/24 brd 192.168.50.255")), "{held}");
    assert!(held.contains(&format!("default via 192.168.50.1 dev box0 proto dhcp src {address}")), "{held}");
    let left = held.split("valid_lft ").nth(1).and_then(|rest| rest.split("sec").next()?.parse::<u32>().ok());
    assert!(left.is_some_and(|left| (1..=120).contains(&left)), "the kernel takes it away in time: {held}");
    assert_eq!(lab.told("resolv.conf"), "nameserver 192.168.50.1\nnameserver 9.9.9.9\n");
    assert!(lab.told("state").contains("by the DHCP server 192.168.50.1"), "{}", lab.told("state"));
    assert!(Path::new(&lab.file("told/state.half")).metadata().is_err());
    // What it may do is what it needs: two threads, neither with more.
    let process = lab.running.last().expect("it runs").id();
    let rights = fs::read_to_string(format!("/proc/{process}/status")).expect("it runs");
    let line = |name: &str| rights.lines().find_map(|line| line.strip_prefix(name)).map(|rest| rest.trim().to_owned());
    assert_eq!(line("CapEff:").as_deref(), Some("0000000002003400"), "{rights}");
    assert_eq!((line("CapPrm:"), line("NoNewPrivs:").as_deref()), (line("CapEff:"), Some("1")));
}

#[test]
fn an_address_that_somebody_has_is_not_taken_and_the_next_one_is() {
    let Some(mut lab) = Lab::build("c") else { return };
    assert!(ip(&format!("-n {} address add 192.168.50.100/32 dev lo", lab.spaces[1])));
    lab.serve(&[&format!("--dhcp-host={MAC},192.168.50.100")]);
    lab.keep("time = []\n");
    let held = lab.await_address("192.168.50.101");
    assert!(!held.contains("inet 192.168.50.100/"), "{held}");
    assert!(lab.said().contains("gives 192.168.50.100, but "), "{}", lab.said());
}

#[test]
fn a_fixed_address_is_had_and_had_again_and_nonsense_in_the_file_is_dhcp() {
    let Some(mut lab) = Lab::build("f") else { return };
    lab.keep("address = \"192.168.50.2/24\"\nrouter = \"192.168.50.1\"\nresolvers = [\"192.168.50.1\"]\ntime = []\n");
    let held = lab.await_address("192.168.50.2");
    assert!(held.contains("default via 192.168.50.1 dev box0") && held.contains("valid_lft forever"), "{held}");
    assert_eq!(lab.told("resolv.conf"), "nameserver 192.168.50.1\n");
    assert!(ip(&format!("-n {} address flush dev box0", lab.spaces[0])));
    let until = Instant::now() + PATIENCE;
    while lab.said().matches("192.168.50.2/24 as its owner set it").count() < 2 {
        assert!(Instant::now() < until, "the lost address is not had again: {}", lab.said());
        std::thread::sleep(Duration::from_millis(50));
    }
    let held = lab.await_address("192.168.50.2/24");
    assert!(held.contains("default via 192.168.50.1 dev box0"), "{held}");
    drop(lab);
    let Some(mut lab) = Lab::build("n") else { return };
    lab.serve(&[]);
    lab.keep("time = []\naddress = \"192.168.50.300/24\"\n");
    lab.await_address("192.168.50.10");
    assert!(
        lab.said().contains("network.toml counts for nothing and the address comes by DHCP: address: "),
        "{}",
        lab.said()
    );
}

#[test]
#[ignore = "long form: a server is waited for, and looked for again, for up to a minute"]
fn without_a_server_the_box_chooses_an_address_until_there_is_one() {
    let Some(mut lab) = Lab::build("l") else { return };
    lab.keep("time = []\n");
    let held = lab.await_address("169.254.");
    assert!(held.contains("/16 brd 169.254.255.255"), "{held}");
    lab.serve(&[]);
    let held = lab.await_address("192.168.50.10");
    assert!(!held.contains("169.254."), "{held}");
}
