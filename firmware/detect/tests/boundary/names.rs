//! DNS tunnels: more than 30 queries a minute under one base domain, nearly all for different names that are long or of types
//! that carry data.

use terms::Family;

use crate::draw::{Crossing, Draw, SECOND, always_found, never_high};
use crate::frames::{self, End};

const LIMIT: usize = 30;
const MINUTE: u64 = 60 * SECOND - 1;
const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789-";

/// A label of so many random letters.
fn label(draw: &mut Draw, len: usize) -> String {
    (0..len).map(|_| char::from(draw.chance.pick(&LETTERS[..36]))).collect()
}

/// A base domain.
fn base(draw: &mut Draw) -> String {
    let (name, end) = (draw.chance.count(4..12), draw.chance.pick(&["com", "net", "org", "io", "co.uk"]));
    format!("{}.{end}", label(draw, name))
}

/// A name of so many octets under a base domain.
fn name(draw: &mut Draw, len: usize, base: &str) -> String {
    let mut left = len;
    let mut labels = Vec::new();
    while left > 0 {
        let here = left.min(draw.chance.count(30..60));
        labels.push(label(draw, here));
        left -= here;
    }
    format!("{}.{base}", labels.join("."))
}

fn ask(draw: &mut Draw, at: u64, who: End, server: End, name: &str, qtype: u16) {
    let (port, id) = (draw.client_port(), draw.chance.word(0..65_535));
    let question = frames::query(who, server, port, id, name, qtype);
    let code = draw.chance.pick(&[0, 0, 3]);
    let later = at + draw.chance.within(500..40_000);
    draw.uplink(later, frames::answer(&question, server, who, port, code));
    draw.lan(at, question);
}

/// So many queries of a tunnel within one minute: long names, or shorter ones of types that carry data.
fn tunnel(draw: &mut Draw, n: usize) -> (End, u64) {
    let (who, server, base) = (draw.host(), draw.host(), base(draw));
    let moments = draw.moments(n, SECOND, MINUTE);
    let carrying = draw.chance.percent(50);
    for at in &moments {
        let len = if carrying { draw.chance.count(14..80) } else { draw.chance.count(45..150) };
        let qtype = if carrying { draw.chance.pick(&[10, 16, 5, 15, 33, 65_399]) } else { 1 };
        let name = name(draw, len, &base);
        ask(draw, *at, who, server, &name, qtype);
    }
    (who, moments[n - 1])
}

#[test]
fn thirty_queries_of_a_tunnels_kind_are_none() {
    never_high("dns, 30 queries", |draw| {
        tunnel(draw, LIMIT);
    });
}

#[test]
fn thirty_one_queries_of_a_tunnels_kind_in_a_minute_are_a_tunnel() {
    always_found("dns, 31 queries", |draw| {
        let (who, at) = tunnel(draw, LIMIT + 1);
        Crossing { host: who.key(), families: vec![Family::DnsTunnel], at }
    });
}

#[test]
fn many_queries_for_few_or_short_names_are_no_tunnel() {
    never_high("dns, busy", |draw| {
        let (who, server, base) = (draw.host(), draw.host(), base(draw));
        let few: Vec<String> = (0..draw.chance.count(2..20)).map(|_| name(draw, 50, &base)).collect();
        let (n, repeats) = (draw.chance.count(60..300), draw.chance.percent(50));
        for at in draw.moments(n, SECOND, MINUTE) {
            let len = draw.chance.count(2..15);
            let name = if repeats { draw.chance.pick(&few) } else { name(draw, len, &base) };
            ask(draw, at, who, server, &name, 1);
        }
    });
}

#[test]
fn scanners_and_mail_servers_that_ask_their_clouds_are_no_tunnel() {
    const CLOUDS: [&str; 4] = ["avqs.mcafee.com", "h.sophosxl.net", "dbl.spamhaus.org", "url.trendmicro.com"];
    never_high("dns, look-ups", |draw| {
        let (who, server, cloud) = (draw.host(), draw.host(), draw.chance.pick(&CLOUDS));
        let n = draw.chance.count(40..200);
        for at in draw.moments(n, SECOND, MINUTE) {
            let (len, qtype) = (draw.chance.count(30..120), draw.chance.pick(&[1, 16]));
            let name = name(draw, len, cloud);
            ask(draw, at, who, server, &name, qtype);
        }
    });
}
