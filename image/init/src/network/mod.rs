//! The box's own address and the right time, kept by a process of its own: what servers of the network say is read here, where neither
//! the first process nor the gateway can be reached from.
//!
//! The address is the bridge's. It comes from a DHCP server, or from the owner ([`settings`]); where no server answers, the box takes
//! an address of its own choice (RFC 3927) and goes on looking. Nobody's address is taken: it is asked for first. Time comes from the
//! owner's servers, else from those that DHCP names, else from the router.

mod kernel;
mod lease;
mod probe;
pub mod settings;
mod sntp;
mod time;
mod told;

use std::fs;
use std::io;
use std::net::{Ipv4Addr, UdpSocket};
use std::path::Path;
use std::process::ExitCode;
use std::sync::PoisonError;
use std::thread::sleep;
use std::time::{Duration, Instant};

use capture::{give_address, link_state, own_addresses, set_router, take_address};
use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities, set_no_new_privs};
use terms::MacAddr;

use crate::console::say;
use lease::{Change, Client, Lease, ToSend};
use settings::{Settings, Source};
use time::Servers;
use told::Told;

/// The word by which the first process starts it.
pub const WORD: &str = "network";
/// The folder of what it tells others.
pub const FOLDER: &str = "/run/network";
/// The port of DHCP servers.
const SERVER_PORT: u16 = 67;
/// The longest message that is read.
const LONGEST: usize = 1_500;
/// How often everything is looked after.
const TICK: Duration = Duration::from_millis(250);
/// How long a DHCP server is waited for before the box chooses an address itself.
const ALONE: Duration = Duration::from_secs(10);
/// How often it is looked whether a fixed address is still there, and how long one that somebody has is left alone.
const FIXED_LOOK: Duration = Duration::from_secs(5);
/// What the kernel still lets this process do: addresses, frames of its own, the port of DHCP, the clock.
const RIGHTS: CapabilitySet = CapabilitySet::NET_ADMIN
    .union(CapabilitySet::NET_RAW)
    .union(CapabilitySet::NET_BIND_SERVICE)
    .union(CapabilitySet::SYS_TIME);

/// Keeps the address of a link and the time until the process is ended.
pub fn run(link: &str, settings: &Path, folder: &Path) -> ExitCode {
    let settings = read(settings);
    let Err(error) = keep(link, settings, Told::new(folder));
    say(format_args!("no address is kept: {error}"));
    ExitCode::FAILURE
}

/// Says at the console what is known of address and time.
pub fn tell() {
    let text = fs::read_to_string(Path::new(FOLDER).join(told::STATE)).unwrap_or_default();
    text.lines().for_each(say);
}

/// The owner's settings; DHCP where there are none, or where they are wrong, which is said.
fn read(file: &Path) -> Settings {
    let text = match fs::read(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Settings::default(),
        Err(error) => Err(error.to_string()),
        Ok(octets) if octets.len() as u64 > settings::LONGEST => {
            Err(format!("it is longer than {}", settings::LONGEST))
        }
        Ok(octets) => String::from_utf8(octets).map_err(|error| error.to_string()),
    };
    text.and_then(|text| Settings::read(&text)).unwrap_or_else(|why| {
        say(format_args!("network.toml counts for nothing and the address comes by DHCP: {why}"));
        Settings::default()
    })
}

fn keep(link: &str, settings: Settings, told: Told) -> io::Result<std::convert::Infallible> {
    let mac = await_link(link);
    let socket = match settings.source {
        Source::Dhcp => Some(kernel::client_socket(link)?),
        Source::Fixed { .. } => None,
    };
    set_no_new_privs(true)?;
    set_capabilities(
        None,
        CapabilitySets { effective: RIGHTS, permitted: RIGHTS, inheritable: CapabilitySet::empty() },
    )?;
    let servers = Servers::default();
    told.resolvers(settings.resolvers.as_deref().unwrap_or_default());
    let mut station =
        Station { link: link.into(), mac, held: None, settings, told: told.clone(), servers: servers.clone() };
    station.ask_of_time(&[], None);
    time::keep(servers, told)?;
    match socket {
        Some(socket) => station.go_by_dhcp(&socket),
        None => station.stay(),
    }
}

/// Waits for the link, which comes up when the box has both sides.
fn await_link(link: &str) -> MacAddr {
    loop {
        match link_state(link) {
            Ok(Some(state)) if state.up => return state.mac,
            _ => sleep(TICK),
        }
    }
}

/// Any random number.
fn draw() -> u64 {
    let mut octets = [0; 8];
    // The kernel has random numbers once it has begun; where it has none yet, this waits for them.
    let _ = rustix::rand::getrandom(&mut octets, rustix::rand::GetRandomFlags::empty());
    u64::from_ne_bytes(octets)
}

/// The box on its network.
struct Station {
    link: String,
    mac: MacAddr,
    /// The address that it has, and its network's bits.
    held: Option<(Ipv4Addr, u8)>,
    settings: Settings,
    told: Told,
    servers: Servers,
}

impl Station {
    fn go_by_dhcp(&mut self, socket: &UdpSocket) -> ! {
        let mut client = Client::new(self.mac);
        let start = Instant::now();
        let (mut alone_at, mut octets) = (ALONE, [0; LONGEST]);
        self.told.address("a DHCP server is looked for".into());
        loop {
            let now = start.elapsed();
            if let Some(message) = client.due(now, draw() as u32) {
                send(socket, &message);
            }
            let _ = socket.set_read_timeout(Some(TICK));
            let heard = socket.recv_from(&mut octets).ok().filter(|(_, from)| from.port() == SERVER_PORT);
            let now = start.elapsed();
            let change = heard.and_then(|(len, _)| client.hear(&octets[..len], now)).or_else(|| client.look(now));
            match change {
                Some(Change::Granted(lease)) => {
                    if !self.take(&lease)
                        && let Some(message) = client.decline(start.elapsed())
                    {
                        send(socket, &message);
                    }
                    alone_at = start.elapsed() + ALONE;
                }
                Some(Change::Lost(address)) => {
                    say(format_args!("the time of {address} is over, and no server gave more"));
                    self.leave();
                    alone_at = now + ALONE;
                }
                None => {
                    let alone = !client.holds() && self.held.is_none() && now >= alone_at;
                    if alone && !self.choose() {
                        alone_at = start.elapsed() + ALONE;
                    }
                }
            }
        }
    }

    /// Has the fixed address, and has it again where it was lost.
    fn stay(&mut self) -> ! {
        let Source::Fixed { address, prefix, router } = self.settings.source else {
            unreachable!("only with a fixed address")
        };
        let mut announced = false;
        loop {
            if !own_addresses(&[&self.link]).addresses.contains(&address.into()) {
                match probe::holder(&self.link, self.mac, address) {
                    Ok(Some(other)) => self.say_address(format!("{address} is set, but {other} has it already")),
                    Ok(None) => announced = self.have(address, prefix, None, router, "as its owner set it"),
                    Err(error) => self.say_address(format!("{address} can't be asked for: {error}")),
                }
                if announced {
                    self.ask_of_time(&[], router);
                }
            }
            sleep(FIXED_LOOK);
        }
    }

    /// Takes what a server granted; whether nobody else has it.
    fn take(&mut self, lease: &Lease) -> bool {
        let (address, prefix) = (lease.address, lease.prefix);
        if self.held == Some((address, prefix)) {
            return match give_address(&self.link, address, prefix, lease.seconds) {
                Ok(()) => true,
                Err(error) => {
                    say(error);
                    true
                }
            };
        }
        match probe::holder(&self.link, self.mac, address) {
            Ok(None) => {}
            Ok(Some(other)) => {
                self.say_address(format!(
                    "the DHCP server {} gives {address}, but {other} has it already",
                    lease.server
                ));
                return false;
            }
            Err(error) => say(error),
        }
        self.leave();
        self.have(address, prefix, lease.seconds, lease.router, &format!("by the DHCP server {}", lease.server));
        if self.settings.resolvers.is_none() {
            self.told.resolvers(&lease.name_servers);
        }
        self.ask_of_time(&lease.time_servers, lease.router);
        true
    }

    /// Chooses an address without a server, one of 65,024; whether that was free.
    fn choose(&mut self) -> bool {
        let number = (draw() % 65_024) as u16 + 256;
        let [third, fourth] = number.to_be_bytes();
        let address = Ipv4Addr::new(169, 254, third, fourth);
        match probe::holder(&self.link, self.mac, address) {
            Ok(None) => self.have(address, 16, None, None, "of its own choice, since no DHCP server answers"),
            Ok(Some(_)) => false,
            Err(error) => {
                say(error);
                false
            }
        }
    }

    /// Gives the link an address, and says so.
    fn have(
        &mut self,
        address: Ipv4Addr,
        prefix: u8,
        seconds: Option<u32>,
        router: Option<Ipv4Addr>,
        how: &str,
    ) -> bool {
        if let Err(error) = give_address(&self.link, address, prefix, seconds) {
            self.say_address(error.to_string());
            return false;
        }
        self.held = Some((address, prefix));
        if let Err(error) = router.map_or(Ok(()), |router| set_router(&self.link, router, address)) {
            say(error);
        }
        if let Err(error) = probe::announce(&self.link, self.mac, address) {
            say(format_args!("{address} is not announced: {error}"));
        }
        self.say_address(format!("{address}/{prefix} {how}"));
        true
    }

    /// Gives up the address that it has.
    fn leave(&mut self) {
        if let Some((address, prefix)) = self.held.take()
            // The kernel may have taken it already, when its time was over.
            && own_addresses(&[&self.link]).addresses.contains(&address.into())
            && let Err(error) = take_address(&self.link, address, prefix)
        {
            say(error);
        }
    }

    /// Has the time asked of those whom the owner named, else of these, else of the router.
    fn ask_of_time(&self, told: &[Ipv4Addr], router: Option<Ipv4Addr>) {
        let told: Vec<String> =
            if told.is_empty() { router.as_slice() } else { told }.iter().map(Ipv4Addr::to_string).collect();
        let servers = self.settings.time.clone().unwrap_or(told);
        *self.servers.lock().unwrap_or_else(PoisonError::into_inner) = servers;
    }

    fn say_address(&self, words: String) {
        say(format_args!("this box is at {words}"));
        self.told.address(words);
    }
}

/// Sends a message; one that is not sent is sent again.
fn send(socket: &UdpSocket, message: &ToSend) {
    let _ = socket.send_to(&message.payload, (message.to, SERVER_PORT));
}
