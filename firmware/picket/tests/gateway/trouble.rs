//! Where the machine refuses: no rights, a disk that is full. It is said once, retried, and frames pass all the same.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use super::stand::{HOST_MAC, Stand, TEN, alone, binary, eventually, said};

/// Takes every capability away, as if this were not root.
const POWERLESS: [&str; 5] = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--", binary_name()];

const fn binary_name() -> &'static str {
    env!("CARGO_BIN_EXE_picket")
}

#[test]
fn without_the_rights_it_says_which_are_missing_and_what_to_do() {
    let Some(stand) = Stand::build("rights") else { return };
    stand.configure("");
    let output = alone(&stand.gate, &POWERLESS, &stand.file("picket.toml"));
    let words = said(&output);
    assert!(words.contains("CAP_NET_ADMIN and CAP_NET_RAW") && words.contains("run it as root"), "{words}");
    assert_eq!(output.status.code(), Some(1), "{words}");
    assert!(stand.gate.shell("ip -o link show type bridge").unwrap().is_empty() && stand.table().is_empty());
    let mut doctor = stand.gate.command(POWERLESS[0]);
    let output = doctor
        .args(&POWERLESS[1..4])
        .args([binary(), "doctor", "--config"])
        .arg(stand.file("picket.toml"))
        .output()
        .unwrap();
    let table = String::from_utf8_lossy(&output.stdout);
    assert!(table.contains("without CAP_NET_ADMIN") && !output.status.success(), "{table}");
}

/// The store's folder as the gateway sees it, on a medium of its own.
fn medium(stand: &Stand) -> PathBuf {
    PathBuf::from(format!("/proc/{}/root", stand.id())).join(stand.file("store").strip_prefix("/").unwrap())
}

fn on_a_medium_of(stand: &Stand, size: &str) -> String {
    let folder = stand.file("store");
    format!("mkdir -p {0} && mount -t tmpfs -o size={size} none {0}", folder.display())
}

#[test]
fn a_disk_that_fills_up_is_told_once_and_history_goes_on_when_there_is_room() {
    let Some(mut stand) = Stand::build("full") else { return };
    stand.configure("");
    let mount = on_a_medium_of(&stand, "24m");
    stand.start_after(&mount);
    eventually(TEN, "the host to be seen", || stand.ask(&["hosts"]).to_string().contains(HOST_MAC));
    let act = |address: &str| {
        stand.ask(&["block", address, "--for", "10m", "--why", "fills the history"]);
    };
    act("192.168.9.100");
    assert_eq!(stand.events(&["fills the history"]).len(), 1);
    let filler = medium(&stand).join("filler");
    let mut file = fs::File::create(&filler).unwrap();
    while file.write_all(&[7; 4096]).is_ok() {}
    for n in 101..110 {
        act(&format!("192.168.9.{n}"));
        assert_eq!(stand.pings(2), 2, "the bridge forwards on");
    }
    assert!(stand.warnings().contains("is full"), "{}", stand.warnings());
    assert_eq!(stand.table().matches("192.168.9.1").count(), 10, "blocks reach the kernel: {}", stand.table());
    let said = stand.log().matches("is full").count();
    assert_eq!(said, 1, "said once:\n{}", stand.log());
    fs::remove_file(&filler).unwrap();
    drop(file);
    eventually(TEN, "history to go on", || stand.warnings().is_empty());
    assert_eq!(stand.events(&["fills the history"]).len(), 10, "what waited is there");
    assert_eq!(stand.log().matches("the store takes records again").count(), 1, "{}", stand.log());
    assert!(stand.pings(3) == 3 && stand.log().matches("is full").count() == 1);
}

#[test]
fn on_a_disk_without_room_the_gateway_starts_all_the_same_and_writes_when_there_is_room() {
    let Some(mut stand) = Stand::build("tiny") else { return };
    stand.configure("");
    let mount = on_a_medium_of(&stand, "64k");
    stand.start_after(&mount);
    stand.ask(&["block", "192.168.9.100", "--for", "10m", "--why", "waits in memory"]);
    assert!(stand.pings(3) == 3 && stand.table().contains("192.168.9.100"));
    assert!(stand.tells(&["waits in memory"]), "history is shown all the same: {}", stand.warnings());
    assert!(stand.warnings().contains("events wait"), "{}", stand.log());
    let line =
        format!("nsenter --mount --target {} mount -o remount,size=24m {}", stand.id(), stand.file("store").display());
    stand.gate.shell(&line).unwrap();
    eventually(TEN, "history to be written", || stand.warnings().is_empty());
    let event = &stand.events(&["waits in memory"])[0];
    assert!(event["id"].as_u64() > Some(0) || stand.log().contains("takes records again"), "{event}");
}

#[test]
fn on_a_store_that_cannot_be_written_the_box_forwards_blocks_and_says_so() {
    let Some(mut stand) = Stand::build("sealed") else { return };
    stand.configure("[api]\nlisten = \"127.0.0.1:8443\"");
    let mount = on_a_medium_of(&stand, "24m");
    stand.start_after(&format!("{mount} && mount -o remount,ro {}", stand.file("store").display()));
    stand.ask(&["block", "192.168.9.100", "--for", "10m", "--why", "lost tablet"]);
    assert!(stand.table().contains("192.168.9.100") && stand.tells(&["lost tablet"]), "{}", stand.log());
    let warnings = stand.warnings();
    assert!(warnings.contains("Read-only file system") && warnings.contains("no policy can be applied"), "{warnings}");
    eventually(TEN, "the API to say why it does not serve", || {
        stand.log().contains("the API ends: giving up its folder")
    });
    assert!(stand.runs() && stand.pings(3) == 3 && !stand.log().contains("panicked"), "{}", stand.log());
}
