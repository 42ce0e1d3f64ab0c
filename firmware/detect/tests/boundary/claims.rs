//! Who claims what is another's: ARP, DHCP, router advertisements, invented sources.

use std::net::{IpAddr, Ipv4Addr};

use terms::{Family, HostKey, MacAddr};

use crate::draw::{Crossing, Draw, SECOND, always_found, never_found, never_high};
use crate::frames::{self, End, SYN};

const CLAIMS: usize = 2;
const SOURCES: usize = 20;
const MINUTE: u64 = 60 * SECOND - 1;

fn v4(end: End) -> Ipv4Addr {
    match end.ip {
        IpAddr::V4(address) => address,
        IpAddr::V6(_) => panic!("an IPv4 host"),
    }
}

/// A network in which the owner of an address lives: it asks for others by broadcast, as every router does, and speaks IP.
fn living(draw: &mut Draw, owner: End, until: u64) {
    let other = draw.host();
    let mut at = draw.start.saturating_sub(10 * SECOND);
    draw.lan(at, frames::who_has(owner, other.ip));
    draw.lan(at + 300, frames::is_at(other, owner));
    while at < until + SECOND {
        at += draw.chance.within(2 * SECOND..9 * SECOND);
        let absent = draw.host();
        let frame = match draw.chance.count(0..4) {
            0 => frames::who_has(owner, absent.ip),
            1 => frames::who_has(owner, other.ip),
            _ => frames::udp(owner, other, (40_001, 514), b"log"),
        };
        draw.lan(at, frame);
    }
}

/// So many unasked claims of one address that is another's: pushed at a neighbour, told to all, or as the sender of a question.
fn claims(draw: &mut Draw, n: usize) -> (End, u64) {
    draw.only_v4();
    let (who, owner) = (draw.host(), draw.host());
    let victims: Vec<End> = (0..3).map(|_| draw.host()).collect();
    let moments = draw.moments(n, SECOND / 10, MINUTE);
    living(draw, owner, moments[n - 1]);
    // The pusher is a host like any other and asked for the router before.
    let before = draw.start.saturating_sub(5 * SECOND);
    draw.lan(before, frames::who_has(who, owner.ip));
    draw.lan(before + 200, frames::is_at(owner, who));
    let claimed = (who.mac, v4(owner));
    for at in &moments {
        let victim = draw.chance.pick(&victims);
        let frame = match draw.chance.count(0..4) {
            0 => frames::arp(true, who.mac, MacAddr::BROADCAST, claimed, (who.mac, v4(owner))),
            1 => frames::arp(false, who.mac, MacAddr::BROADCAST, claimed, (MacAddr::ZERO, v4(victim))),
            _ => frames::arp(true, who.mac, victim.mac, claimed, (victim.mac, v4(victim))),
        };
        draw.lan(*at, frame);
    }
    (who, moments[n - 1])
}

#[test]
fn two_claims_of_anothers_address_are_no_attack() {
    never_high("arp, 2 claims", |draw| {
        claims(draw, CLAIMS);
    });
}

#[test]
fn three_claims_of_anothers_address_in_a_minute_are_an_attack() {
    always_found("arp, 3 claims", |draw| {
        let (who, at) = claims(draw, CLAIMS + 1);
        Crossing { host: who.key(), families: vec![Family::ArpSpoof], at }
    });
}

#[test]
fn several_addresses_of_one_machine_are_normal() {
    never_high("arp, own addresses", |draw| {
        draw.only_v4();
        let (who, router) = (draw.host(), draw.host());
        let own: Vec<End> = (0..draw.chance.count(2..6)).map(|_| End { mac: who.mac, ..draw.host() }).collect();
        for at in draw.moments(40, SECOND, MINUTE) {
            let me = draw.chance.pick(&own);
            let frame = if draw.chance.percent(50) {
                frames::who_has(me, router.ip)
            } else {
                frames::arp(true, me.mac, MacAddr::BROADCAST, (me.mac, v4(me)), (me.mac, v4(me)))
            };
            draw.lan(at, frame);
        }
    });
}

/// The known DHCP server serves its clients; gives the server and a moment after it was first heard.
fn served(draw: &mut Draw, rounds: usize) -> (End, u64) {
    draw.only_v4();
    let server = draw.host();
    let moments = draw.moments(rounds, SECOND, MINUTE);
    for at in &moments {
        let client = draw.host();
        draw.uplink(*at, frames::dhcp(server, client.mac, v4(client), 2));
        draw.uplink(*at + 900, frames::dhcp(server, client.mac, v4(client), 5));
    }
    (server, moments[rounds - 1] + 1_000)
}

#[test]
fn one_dhcp_server_is_normal_however_much_it_serves() {
    never_high("dhcp, one server", |draw| {
        let rounds = draw.chance.count(1..30);
        served(draw, rounds);
    });
}

#[test]
fn a_second_dhcp_server_is_found_at_its_first_offer() {
    always_found("dhcp, a second server", |draw| {
        let rounds = draw.chance.count(1..10);
        let (_, after) = served(draw, rounds);
        let (rogue, client, kind) = (draw.host(), draw.host(), draw.chance.pick(&[2, 5]));
        let at = after + draw.chance.within(1..20 * SECOND);
        draw.lan(at, frames::dhcp(rogue, client.mac, v4(client), kind));
        Crossing { host: rogue.key(), families: vec![Family::RogueDhcp], at }
    });
}

fn routed(draw: &mut Draw) -> u64 {
    draw.only_v6();
    let router = draw.host();
    let rounds = draw.chance.count(1..10);
    let moments = draw.moments(rounds, SECOND, MINUTE);
    for at in &moments {
        draw.uplink(*at, frames::advertisement(router));
    }
    moments[rounds - 1]
}

#[test]
fn one_router_is_normal_however_often_it_advertises() {
    never_high("router, one", |draw| {
        routed(draw);
    });
}

#[test]
fn a_second_router_is_found_at_its_first_advertisement() {
    always_found("router, a second", |draw| {
        let at = routed(draw) + draw.chance.within(1..20 * SECOND);
        let rogue = draw.host();
        draw.lan(at, frames::advertisement(rogue));
        Crossing { host: rogue.key(), families: vec![Family::RogueRouter], at }
    });
}

/// One machine that speaks as itself and then as so many others within ten seconds; nobody answers those.
fn invented(draw: &mut Draw, n: usize) -> (End, u64) {
    let (who, target) = (draw.host(), draw.host());
    let before = draw.start.saturating_sub(draw.chance.within(0..12 * SECOND));
    draw.talk(before, who, target, 443, &[(true, vec![0x71; 80]), (false, vec![0x70; 300])]);
    let moments = draw.moments(n, 1_000, 10 * SECOND - 1);
    let style = draw.chance.count(0..4);
    for at in &moments {
        let from = End { mac: who.mac, ..draw.host() };
        let ports = (draw.client_port(), 80);
        let frame = match if style == 3 { draw.chance.count(0..3) } else { style } {
            0 => frames::tcp(from, target, ports, SYN, 1, b""),
            1 => frames::udp(from, target, ports, b"x"),
            _ => frames::echo(from, target, ports.0, 1),
        };
        draw.lan(*at, frame);
    }
    (who, moments[n - 1])
}

#[test]
fn twenty_new_sources_of_one_machine_are_not_invented() {
    never_high("sources, 20", |draw| {
        // One of them is the machine's own address.
        invented(draw, SOURCES - 1);
    });
}

#[test]
fn twenty_one_sources_of_one_machine_in_ten_seconds_are_invented() {
    always_found("sources, 21", |draw| {
        let (who, at) = invented(draw, SOURCES + 1);
        Crossing { host: HostKey::Mac(who.mac), families: vec![Family::SpoofedSource], at }
    });
}

/// A neighbour talks with so many servers through its router until somebody pushes a claim of the router's address at it, and
/// passes on what they say from then on. Gives that somebody and the moment of the last server's first frame.
fn drawn_to(draw: &mut Draw, servers: usize, pushed: bool) -> (End, u64) {
    draw.only_v4();
    let (who, router, neighbour) = (draw.host(), draw.host(), draw.host());
    let servers: Vec<End> = (0..servers).map(|_| End { mac: router.mac, ..draw.host() }).collect();
    let start = draw.start;
    // Whoever pushes is a host like any other.
    let (other, said) = (draw.host(), [(true, vec![0x71; 80]), (false, vec![0x70; 300])]);
    draw.talk(start, who, other, 443, &said);
    for server in &servers {
        let at = start + draw.chance.within(0..20 * SECOND);
        draw.uplink(at, frames::udp(*server, neighbour, (443, 40_001), b"before"));
    }
    let mut at = start + 21 * SECOND;
    if pushed {
        let claimed = (who.mac, v4(router));
        draw.lan(at, frames::arp(true, who.mac, neighbour.mac, claimed, (neighbour.mac, v4(neighbour))));
    }
    for server in &servers {
        at += draw.chance.within(1_000..5 * SECOND);
        let passed_on = End { mac: who.mac, ..*server };
        draw.lan(at, frames::udp(passed_on, neighbour, (443, 40_001), b"passed on"));
    }
    (who, at)
}

#[test]
fn one_address_that_moves_after_a_pushed_claim_is_no_proof() {
    never_high("takes over 1", |draw| {
        drawn_to(draw, 1, true);
    });
}

#[test]
fn addresses_that_move_without_a_pushed_claim_moved_to_another_router() {
    never_high("takes over without a claim", |draw| {
        let servers = draw.chance.count(1..6);
        drawn_to(draw, servers, false);
    });
}

#[test]
fn two_addresses_that_move_after_a_pushed_claim_are_a_man_in_the_middle() {
    always_found("takes over 2", |draw| {
        let (who, at) = drawn_to(draw, 2, true);
        Crossing { host: who.key(), families: vec![Family::ArpSpoof], at }
    });
}

/// One machine asks DHCP in the name of so many clients.
fn starves(draw: &mut Draw, n: usize) -> (MacAddr, u64) {
    draw.only_v4();
    let who = draw.host();
    let moments = draw.moments(n, SECOND, MINUTE);
    for at in &moments {
        let client = draw.host();
        let kind = draw.chance.pick(&[1, 3]);
        draw.lan(*at, frames::dhcp_wanted(who.mac, client.mac, kind));
        if draw.chance.percent(50) {
            draw.lan(*at + 1, frames::dhcp_wanted(who.mac, client.mac, kind));
        }
    }
    (who.mac, moments[n - 1])
}

#[test]
fn twenty_clients_behind_one_machine_are_an_extender() {
    never_high("dhcp, 20 clients", |draw| {
        starves(draw, 20);
    });
}

#[test]
fn many_clients_behind_what_carries_several_hosts_are_told_and_not_blocked() {
    never_high("dhcp, an extender", |draw| {
        draw.only_v4();
        let (extender, router) = (draw.host(), draw.host());
        for at in draw.moments(6, SECOND, 20 * SECOND) {
            let client = End { mac: extender.mac, ..draw.host() };
            draw.talk(at, client, router, 443, &[(true, vec![0x71; 80]), (false, vec![0x70; 300])]);
        }
        let start = draw.start;
        for n in 0..30 {
            let (client, at) = (draw.host(), start + 21 * SECOND + n * SECOND);
            draw.lan(at, frames::dhcp_wanted(extender.mac, client.mac, 1));
        }
    });
}

#[test]
fn twenty_one_clients_of_one_machine_in_a_minute_starve_dhcp() {
    always_found("dhcp, 21 clients", |draw| {
        let (mac, at) = starves(draw, 21);
        Crossing { host: HostKey::Mac(mac), families: vec![Family::DhcpStarvation], at }
    });
}

fn redirects(draw: &mut Draw, n: usize) -> (End, u64) {
    let who = draw.host();
    let moments = draw.moments(n, SECOND / 10, MINUTE);
    for at in &moments {
        let victim = draw.host();
        draw.lan(*at, frames::redirect(who, victim));
    }
    (who, moments[n - 1])
}

#[test]
fn two_redirects_are_told_to_nobody() {
    never_found("redirects, 2", Family::IcmpRedirect, |draw| {
        redirects(draw, 2);
    });
}

#[test]
fn three_redirects_of_one_that_is_no_router_are_found() {
    always_found("redirects, 3", |draw| {
        let (who, at) = redirects(draw, 3);
        Crossing { host: who.key(), families: vec![Family::IcmpRedirect], at }
    });
}

/// So many advertisements of an address whose owner lives: in answer to its neighbours, or unasked.
fn advertised(draw: &mut Draw, n: usize) -> (End, u64) {
    draw.only_v6();
    let (who, owner) = (draw.host(), draw.host());
    let victims: Vec<End> = (0..3).map(|_| draw.host()).collect();
    let start = draw.start;
    draw.lan(start - 9 * SECOND, frames::solicitation(victims[0], owner.ip));
    draw.lan(start - 9 * SECOND + 300, frames::neighbor_is_at(owner, victims[0], owner.ip));
    let moments = draw.moments(n, SECOND / 10, MINUTE);
    let mut at = start;
    while at <= moments[n - 1] {
        draw.lan(at, frames::udp(owner, victims[1], (40_001, 514), b"log"));
        at += 10 * SECOND;
    }
    for at in &moments {
        let victim = draw.chance.pick(&victims);
        if draw.chance.percent(50) {
            draw.lan(at - 1, frames::solicitation(victim, owner.ip));
        }
        draw.lan(*at, frames::neighbor_is_at(who, victim, owner.ip));
    }
    (who, moments[n - 1])
}

#[test]
fn two_advertisements_of_anothers_address_are_no_attack() {
    never_high("neighbour discovery, 2 claims", |draw| {
        advertised(draw, CLAIMS);
    });
}

#[test]
fn three_advertisements_of_anothers_address_in_a_minute_are_an_attack() {
    always_found("neighbour discovery, 3 claims", |draw| {
        let (who, at) = advertised(draw, CLAIMS + 1);
        Crossing { host: who.key(), families: vec![Family::NdSpoof], at }
    });
}
