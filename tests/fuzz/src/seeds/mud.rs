//! Files that describe devices, in the form of RFC 8519 and in that of the drafts.

/// Both forms, with every kind of match.
pub fn all() -> Vec<Vec<u8>> {
    let matches = [
        r#""ipv4": {"ietf-acldns:dst-dnsname": "a.example.com", "protocol": 6}, "tcp": {"ietf-mud:direction-initiated": "from-device", "destination-port": {"operator": "eq", "port": 443}}"#,
        r#""ietf-mud:mud": {"local-networks": [null]}, "udp": {"destination-port": {"lower-port": 5, "upper-port": 9}}"#,
        r#""ietf-mud:mud": {"controller": "urn:a:b"}, "udp": {"source-port": {"operator": "neq", "port": 9}}"#,
        r#""ipv6": {"destination-ipv6-network": "2001:db8::/32", "protocol": 58}"#,
    ];
    let ace =
        |matches: &str| format!(r#"{{"name": "x", "matches": {{{matches}}}, "actions": {{"forwarding": "accept"}}}}"#);
    let aces: Vec<_> = matches.iter().map(|matches| ace(matches)).collect();
    let file = format!(
        r#"{{"ietf-mud:mud": {{"mud-version": 1, "mud-url": "https://a.example.com/b", "last-update": "2026-01-31T12:00:00Z",
            "cache-validity": 48, "is-supported": true, "systeminfo": "a lamp",
            "from-device-policy": {{"access-lists": {{"access-list": [{{"name": "out"}}]}}}}}},
            "ietf-access-control-list:acls": {{"acl": [{{"name": "out", "type": "ipv4-acl-type", "aces": {{"ace": [{}]}}}}]}}}}"#,
        aces.join(", ")
    );
    let draft = file
        .replace("list:acls", "list:access-lists")
        .replace("\"aces\"", "\"access-list-entries\"")
        .replace("\"type\"", "\"acl-type\"")
        .replace("{\"name\": \"x\"", "{\"rule-name\": \"x\"")
        .replace("\"ipv4\"", "\"ipv4-acl\"");
    vec![file.into_bytes(), draft.into_bytes()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_become_the_same_rules() {
        let rules: Vec<_> =
            all().iter().map(|file| policy::mud::read(file).map(|description| description.rules)).collect();
        assert_eq!(rules[0].as_ref().map(Vec::len), Ok(3));
        assert_eq!(rules[0], rules[1]);
    }
}
