//! A real server on a real socket, asked by the real client and by worse.

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;

use serde_json::{Value, json};

use super::client::{AskError, ask};
use super::protocol::REQUEST_MAX;
use super::{ControlError, Gateway, Request, Response, Server};

/// Answers with the request itself; refuses to unblock, and falls over when asked for event 13.
struct Echo;

impl Gateway for Echo {
    fn handle(&self, request: Request) -> Response {
        match request {
            Request::Unblock { host } => Response::Error(format!("{host} is not blocked")),
            Request::Event { id: 13 } => panic!("a test of what happens then"),
            request => Response::of(&request),
        }
    }
}

/// A server in a folder of its own, until it is dropped.
struct Running {
    socket: PathBuf,
    _folder: tempfile::TempDir,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Running {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let socket = folder.path().join("deep/control.sock");
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let (ready, is_ready) = mpsc::channel();
        let path = socket.clone();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let server = Server::bind(&path).expect("a socket");
                ready.send(()).expect("the test waits");
                tokio::select! { () = server.serve(Arc::new(Echo)) => {}, _ = stopped => {} }
            });
        });
        is_ready.recv().expect("the server starts");
        Self { socket, _folder: folder, stop: Some(stop), thread: Some(thread) }
    }

    fn raw(&self, octets: &[u8]) -> String {
        let mut stream = UnixStream::connect(&self.socket).expect("a connection");
        // The server may hang up before it has read all of a request that is too long.
        let _ = stream.write_all(octets);
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        answer
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the server's thread");
        }
    }
}

fn bind(path: &Path) -> Result<Server, ControlError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async { Server::bind(path) })
}

#[test]
fn a_request_is_answered_and_a_refusal_is_told_in_the_gateways_words() {
    let running = Running::start();
    let host = "192.168.7.5".parse().expect("an address");
    let request = Request::Block { host, for_secs: Some(5), why: "a test".into() };
    let answer: Value = ask(&running.socket, &request).expect("an answer");
    assert_eq!(answer, json!({"ask": "block", "host": "192.168.7.5", "for_secs": 5, "why": "a test"}));
    let refusal = ask::<Value>(&running.socket, &Request::Unblock { host }).expect_err("a refusal");
    assert_eq!(refusal.to_string(), "192.168.7.5 is not blocked");
}

#[test]
fn what_is_no_request_is_refused_and_the_next_caller_is_served() {
    let running = Running::start();
    let long = [vec![b' '; REQUEST_MAX + 10], b"\n".to_vec()].concat();
    let deep = "[".repeat(REQUEST_MAX - 1) + "\n";
    let why = format!("{{\"ask\":\"block\",\"host\":\"10.0.0.1\",\"why\":\"{}\"}}\n", "x".repeat(1_000));
    let wrong: [&[u8]; 8] = [
        b"\n",
        b"\xff\xfe\n",
        b"{\"ask\":\"dance\"}\n",
        b"{\"ask\":\"block\",\"host\":\"ten\",\"why\":\"\"}\n",
        b"{\"ask\":\"events\",\"limit\":1001}\n",
        &long,
        deep.as_bytes(),
        why.as_bytes(),
    ];
    for request in wrong {
        let answer: Value = serde_json::from_str(&running.raw(request)).expect("a line of JSON");
        assert!(answer["error"].is_string(), "{answer}");
    }
    assert!(ask::<Value>(&running.socket, &Request::Status).is_ok());
}

#[test]
fn an_answer_that_falls_over_takes_nobody_with_it() {
    let running = Running::start();
    assert!(matches!(ask::<Value>(&running.socket, &Request::Event { id: 13 }), Err(AskError::Refused(_))));
    assert!(ask::<Value>(&running.socket, &Request::Status).is_ok());
}

#[test]
fn more_callers_than_places_are_all_served() {
    let running = Running::start();
    thread::scope(|scope| {
        for _ in 0..64 {
            scope.spawn(|| assert!(ask::<Value>(&running.socket, &Request::Hosts).is_ok()));
        }
    });
}

#[test]
fn the_socket_is_for_its_owner_only_and_is_gone_afterwards() {
    let running = Running::start();
    let socket = running.socket.clone();
    let mode = std::fs::metadata(&socket).expect("the socket").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    drop(running);
    assert!(!socket.exists());
    assert!(matches!(ask::<Value>(&socket, &Request::Status), Err(AskError::NotRunning(_))));
}

#[test]
fn a_second_gateway_leaves_the_first_one_its_socket() {
    let running = Running::start();
    assert!(matches!(bind(&running.socket), Err(ControlError::InUse(_))));
    assert!(ask::<Value>(&running.socket, &Request::Status).is_ok());
}

#[test]
fn a_socket_left_by_a_crash_is_replaced_and_any_other_file_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("control.sock");
    drop(std::os::unix::net::UnixListener::bind(&socket).expect("a socket left behind"));
    assert!(bind(&socket).is_ok());
    std::fs::write(&socket, "dear to somebody").expect("a file");
    assert!(matches!(bind(&socket), Err(ControlError::NotASocket(_))));
    assert!(socket.exists());
}

#[test]
fn no_more_events_are_asked_for_than_the_store_brings_back() {
    assert_eq!(usize::try_from(super::protocol::EVENTS_MAX), Ok(store::EVENTS_AT_MOST));
}
