//! The page to look at: a lab of its own whose one gateway stays, and whose page is reached from this machine alone.

use std::fs::File;
use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nix::sched::{CloneFlags, setns};
use toml::Table;

use crate::gateway::Gateway;
use crate::network::SERVER;
use crate::process::Process;
use crate::site::Site;

/// Where the gateway listens in its namespace, and where this machine does, if nobody else does there.
const LISTEN: &str = "127.0.0.1:8443";
/// How long it may take until the page is served.
const START: Duration = Duration::from_secs(15);
/// Connections that are passed on at a time.
const CONNECTIONS: usize = 64;

/// A gateway with its page. Dropping it ends everything.
pub struct Page {
    _visitors: Vec<Process>,
    _gateway: Gateway,
    _site: Site,
    /// Where it is, and how it is claimed, for people.
    pub words: String,
}

impl Page {
    /// Builds the lab, starts the gateway and those who use the network: three who browse, one who scans every ten minutes.
    ///
    /// # Errors
    /// When the lab can't be built or the gateway does not answer.
    pub fn open() -> Result<Self> {
        let site = Site::build_beside("page", false)?;
        let (network, folder) = (site.network(), site.folder());
        let over: Table = toml::from_str(&format!("[api]\nlisten = \"{LISTEN}\""))?;
        let gateway = Gateway::start(network, folder, &over)?;
        let listener = TcpListener::bind(LISTEN).or_else(|_| TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?;
        let space = format!("/run/netns/{}", network.space("box")?.name());
        thread::Builder::new().name("page".into()).spawn(move || relay(&listener, &space))?;
        let browse = format!("while sleep 2; do curl -s --max-time 5 -o /dev/null http://{SERVER}/; done");
        let scan =
            format!("sleep 30; while :; do nmap -n -Pn -sS -T4 --max-rate 60 -p 100-400 {SERVER}; sleep 600; done");
        let visitor =
            |(host, line): (&str, &String)| network.space(host)?.start(line, &folder.join(format!("{host}.log")));
        let visitors = [("h1", &browse), ("h2", &browse), ("h4", &browse), ("h5", &scan)].map(visitor);
        let (code, fingerprint) = claim(&gateway)?;
        let words =
            format!("page: https://{address}/ on this machine, claim code {code}, certificate (SHA-256) {fingerprint}");
        let visitors = visitors.into_iter().collect::<Result<_>>()?;
        Ok(Self { _visitors: visitors, _gateway: gateway, _site: site, words })
    }
}

/// The claim code and the certificate's fingerprint, as soon as the API serves.
fn claim(gateway: &Gateway) -> Result<(String, String)> {
    let until = Instant::now() + START;
    loop {
        let status = gateway.ask(&["status"])?;
        if let (Some(code), Some(print)) = (status["claim_code"].as_str(), status["fingerprint"].as_str()) {
            return Ok((code.to_owned(), print.to_owned()));
        }
        ensure!(Instant::now() < until, "the gateway's page is not served");
        thread::sleep(Duration::from_millis(100));
    }
}

/// Passes connections on into a namespace, as long as the program runs.
fn relay(listener: &TcpListener, space: &str) {
    let open = Arc::new(AtomicUsize::new(0));
    for outside in listener.incoming().filter_map(Result::ok) {
        if open.fetch_add(1, Ordering::Relaxed) >= CONNECTIONS {
            open.fetch_sub(1, Ordering::Relaxed);
            continue;
        }
        let (space, count) = (space.to_owned(), Arc::clone(&open));
        let passed = move || {
            // A browser that goes away is no trouble of the lab's.
            let _over = pass(&outside, &space);
            count.fetch_sub(1, Ordering::Relaxed);
        };
        if thread::Builder::new().spawn(passed).is_err() {
            open.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// Carries octets both ways until one side ends. Only this thread enters the namespace; the socket stays in it.
fn pass(outside: &TcpStream, space: &str) -> Result<()> {
    setns(File::open(space).with_context(|| space.to_owned())?, CloneFlags::CLONE_NEWNET)?;
    let inside = TcpStream::connect(LISTEN)?;
    thread::scope(|scope| {
        scope.spawn(|| carry(outside, &inside));
        carry(&inside, outside);
    });
    Ok(())
}

fn carry(mut from: &TcpStream, mut to: &TcpStream) {
    let _ended = io::copy(&mut from, &mut to);
    let _gone = (to.shutdown(Shutdown::Write), from.shutdown(Shutdown::Read));
}
