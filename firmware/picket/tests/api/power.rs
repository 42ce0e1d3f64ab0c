//! The box switched off, where it can be, and whom to tell of its weaknesses.

use serde_json::json;

use super::client::Box;
use super::stand::{TEN, eventually};

#[test]
fn the_box_is_switched_off_by_the_images_init_alone_and_the_audit_says_who_wanted_it() {
    let Some((mut made, root)) = Box::claimed("power") else { return };
    let named = made.get(&root, "/.well-known/security.txt");
    assert!(named.status == 200 && named.text.contains("Expires: 20") && !named.text.contains("Contact:"), "{named:?}");
    let set = |value: &str| {
        let body = json!({"value": value}).to_string();
        made.ask("PATCH", "/api/v1/settings/security.contact", Some(&root), Some(&body)).status
    };
    assert_eq!((set("anna"), set("javascript:x"), set("mailto:anna@example.org")), (422, 422, 200));
    let named = made.ask("GET", "/.well-known/security.txt", None, None);
    assert!(named.text.contains("Contact: mailto:anna@example.org\n"), "{named:?}");

    // Nobody said that the machine is Picket's to switch off.
    let off = |made: &Box| made.post(&root, "/api/v1/system/shutdown", &json!({"why": "the move"}));
    let refused = off(&made);
    assert!(refused.status == 409 && refused.text.contains("its own system"), "{refused:?}");
    assert!(made.stand.try_ask(&["shutdown"]).unwrap_err().contains("its own system"));
    assert!(made.stand.runs());
    let process = made.process();
    made.stand.ask(&["restart"]);
    eventually(20, "another API process", || ![process, 0].contains(&made.process()));
    made.stand.stop();
    made.stand.start_after("export PICKET_SWITCH=init");
    eventually(TEN, "the API to answer", || made.ask("GET", "/healthz", None, None).status == 200);
    let audit = made.get(&root, "/api/v1/audit?limit=100").text;
    assert!(audit.contains("system.shutdown") && audit.contains("system.restart"), "{audit}");
    assert_eq!(off(&made).status, 200);
    assert_eq!(made.stand.status(10), Some(100), "the exit status that image/init knows");
}
