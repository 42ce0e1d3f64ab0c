//! What holds the API process: a reviewed list, compared with what the kernel says of every thread.

use std::fs;
use std::os::unix::fs::MetadataExt;

use super::client::Box;

/// The API's user, and that of its folder.
const USER: u32 = 61_000;

#[test]
fn every_thread_of_the_api_is_held_by_all_that_is_listed() {
    let Some((made, _)) = Box::claimed("held") else { return };
    let api = made.process();
    let mut threads = 0;
    for thread in fs::read_dir(format!("/proc/{api}/task")).unwrap() {
        let status = fs::read_to_string(thread.unwrap().path().join("status")).unwrap();
        let line = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned();
        assert_eq!(line("Uid:"), [USER.to_string().as_str(); 4].join("\t"));
        assert_eq!(line("Gid:"), [USER.to_string().as_str(); 4].join("\t"));
        assert_eq!(line("Groups:"), "");
        for set in ["CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"] {
            assert_eq!(line(set), "0000000000000000", "{set}");
        }
        assert_eq!((line("NoNewPrivs:"), line("Seccomp:")), ("1".into(), "2".into()));
        threads += 1;
    }
    assert!(threads > 2, "{threads}");
    let told = made.stand.ask(&["status"])["api"].to_string();
    for words in ["user 61000", "no capabilities", "seccomp", "Landlock"] {
        assert!(told.contains(words), "{told}");
    }
    if told.contains("has none") {
        eprintln!("NOTE: this kernel has no Landlock");
    }
}

#[test]
fn it_holds_its_listeners_its_store_and_its_socket_pair_and_nothing_else() {
    let Some((made, _)) = Box::claimed("few") else { return };
    let api = made.process();
    let store = made.stand.file("store/state/api");
    for descriptor in fs::read_dir(format!("/proc/{api}/fd")).unwrap() {
        let path = descriptor.unwrap().path();
        let number: u32 = path.file_name().unwrap().to_str().unwrap().parse().unwrap();
        let target = fs::read_link(&path).unwrap_or_default();
        let text = target.to_string_lossy();
        let own = text.starts_with("anon_inode:[event") || target.starts_with(&store) || number <= 2;
        let socket = text.strip_prefix("socket:[").and_then(|rest| rest.strip_suffix(']'));
        if let Some(inode) = socket {
            for table in ["netlink", "packet"] {
                let sockets = fs::read_to_string(format!("/proc/{api}/net/{table}")).unwrap();
                let held = sockets.lines().any(|line| line.split_whitespace().any(|word| word == inode));
                assert!(!held, "descriptor {number} is a {table} socket");
            }
        }
        assert!(own || socket.is_some(), "descriptor {number} is {text}");
    }
    let folder = fs::metadata(&store).unwrap();
    assert_eq!((folder.uid(), folder.mode() & 0o777), (USER, 0o700));
}

#[test]
fn without_an_address_there_is_no_api_process_and_the_audit_says_so() {
    let Some(mut stand) = super::stand::Stand::build("off") else { return };
    stand.configure("");
    stand.start();
    assert!(stand.ask(&["status"]).get("fingerprint").is_none() && !stand.file("store/state/api").exists());
    let output = stand.picket(&["audit", "export", "--out", stand.file("x").to_str().unwrap()]);
    assert!(super::stand::said(&output).contains("[api] listen"), "{}", super::stand::said(&output));
}
