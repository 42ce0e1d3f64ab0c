//! What programs log, and how it is sent.

/// Lines in every form.
pub fn lines() -> Vec<Vec<u8>> {
    [
        "<38>1 2026-11-22T15:00:00.5+01:00 web sshd 77 - - Accepted password for ann from 192.0.2.7 port 22 ssh2",
        "<13>1 - h a - m [b@32473 c=\"d\"][e@1 f=\"\\]\"] \u{feff}message",
        "<86>Nov 22 15:00:00 web sudo:     ann : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/id",
        "<86>Nov  2 05:00:00 web useradd[9]: new user: name=bob, UID=1001, GID=1001, home=/home/bob",
        "<30>Nov 22 15:00:00 nas smbd_audit: ann|192.0.2.7|pread_send|ok|plans/a.pdf",
        "<14>2026-11-22T15:00:00Z x y: plain",
        "<86>Nov 22 15:00:00 web su[1]: pam_unix(login:auth): authentication failure; logname= uid=0 rhost=2001:db8::1  user=ann",
    ]
    .map(|line| line.as_bytes().to_vec())
    .to_vec()
}

/// Objects of Picket's agent and of each shipper.
pub fn objects() -> Vec<Vec<u8>> {
    [
        r#"{"seq":7,"stream":99,"at":1795363100.5,"action":"read","subject":"ann","object":"/srv/a","result":"done","address":"192.0.2.7","message":"m"}"#,
        r#"{"program":"sshd","message":"Failed password for invalid user ann from 192.0.2.7 port 22 ssh2","priority":38}"#,
        r#"{"@timestamp":"2026-11-22T15:00:00.5Z","winlog":{"event_id":"4625","provider_name":"x","event_data":{"TargetUserName":"ann","IpAddress":"::ffff:192.0.2.7"}},"message":"m"}"#,
        r#"{"EventID":4624,"EventTime":"2026-11-22 15:00:00","TargetUserName":"ann","IpAddress":"-","Message":"An account
	was logged on"}"#,
        r#"{"EventID":4720,"StringInserts":["bob","WORK","S-1-5-21","ann","WORK"],"Message":"m","TimeGenerated":"2026-11-22 15:00:00 +0100"}"#,
        r#"{"MESSAGE":"pam_unix(su:session): session opened for user root by ann(uid=1000)","SYSLOG_IDENTIFIER":"su","PRIORITY":"6"}"#,
        r#"{"log":"plain","date":1795363100.25}"#,
    ]
    .map(|object| object.as_bytes().to_vec())
    .to_vec()
}

/// Connections with both framings, a line that is too long, and a length that is.
pub fn connections() -> Vec<Vec<u8>> {
    let long = [&b"\x20"[..], &[b'x'; (64 << 10) + 9], b"\n<13>next\n"].concat();
    vec![
        b"\x05<13>a\n<14>b\r\n5 <13>c5 <13>d\n".to_vec(),
        b"\x00999999999 <13>".to_vec(),
        b"\x0220 <13>torn".to_vec(),
        long,
    ]
}
