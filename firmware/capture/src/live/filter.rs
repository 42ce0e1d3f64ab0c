//! The socket filter that tells the kernel how much to keep of a frame.
//!
//! What is kept is told in `snap`, once for the kernel and for files. A frame is never left out.
//!
//! **Source**: bpf(4), "The filter machine".

use libc::{
    BPF_ABS, BPF_ALU, BPF_AND, BPF_B, BPF_H, BPF_IMM, BPF_IND, BPF_JEQ, BPF_JGT, BPF_JMP, BPF_JSET, BPF_K, BPF_LD,
    BPF_LDX, BPF_LEN, BPF_MISC, BPF_MSH, BPF_RET, BPF_RSH, BPF_TAX, BPF_W, BPF_X, sock_filter, sock_fprog,
};

use super::TapError;
use super::socket::PacketSocket;
use crate::snap::{DEEP, DEEP_TCP, DEEP_UDP, DEEP_WORDS, ETHERNET, SHORT, TLS_HANDSHAKE};

/// The port of DNS.
const DNS: u32 = 53;

/// Where a jump goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum To {
    Next,
    Ipv4,
    Ipv6,
    Tcp,
    Udp,
    Head,
    Deep,
}

/// A filter being written: instructions whose jumps are not yet counted out.
#[derive(Default)]
struct Draft {
    steps: Vec<(sock_filter, To, To)>,
    labels: Vec<(To, usize)>,
}

/// Attaches the filter: `head` octets of every frame, `deep` of those that are read deeper.
pub(super) fn attach(socket: &PacketSocket, head: u32, deep: u32) -> Result<(), TapError> {
    load(socket, program(head, deep))
}

/// Attaches the filter that leaves only what comes from the port of DNS and does not fit into a ring, and all of that.
pub(super) fn attach_answers(socket: &PacketSocket) -> Result<(), TapError> {
    load(socket, answers())
}

fn load(socket: &PacketSocket, mut program: Vec<sock_filter>) -> Result<(), TapError> {
    // The count is the number of instructions, far below 65,536.
    let program = sock_fprog { len: program.len() as u16, filter: program.as_mut_ptr() };
    socket.set(libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &program, "attach the socket filter")
}

fn program(head: u32, deep: u32) -> Vec<sock_filter> {
    let mut draft = Draft::default();
    draft.step(BPF_LD | BPF_W | BPF_LEN, 0);
    draft.jump(BPF_JGT, SHORT, To::Next, To::Deep);
    // What is neither (ARP, LLDP, a second VLAN tag) is rare, and all of it is wanted; behind extension headers anything may follow.
    draft.transport(To::Deep);

    draft.label(To::Udp);
    draft.ports(&DEEP_UDP);
    draft.step(BPF_RET | BPF_K, head);

    draft.label(To::Tcp);
    draft.ports(&DEEP_TCP);
    // X becomes the length of both headers: four times the upper half of the octet at 12.
    draft.step(BPF_LD | BPF_B | BPF_IND, ETHERNET + 12);
    draft.step(BPF_ALU | BPF_AND | BPF_K, 0xf0);
    draft.step(BPF_ALU | BPF_RSH | BPF_K, 2);
    // Addition is the arithmetic of code zero.
    draft.step(BPF_ALU | BPF_X, 0);
    draft.step(BPF_MISC | BPF_TAX, 0);
    draft.step(BPF_LD | BPF_H | BPF_IND, ETHERNET);
    draft.jump(BPF_JEQ, TLS_HANDSHAKE, To::Deep, To::Next);
    draft.step(BPF_LD | BPF_W | BPF_IND, ETHERNET);
    for word in DEEP_WORDS {
        draft.jump(BPF_JEQ, u32::from_be_bytes(*word), To::Deep, To::Next);
    }

    draft.label(To::Head);
    draft.step(BPF_RET | BPF_K, head);
    draft.label(To::Deep);
    draft.step(BPF_RET | BPF_K, deep);
    draft.count_out()
}

fn answers() -> Vec<sock_filter> {
    let mut draft = Draft::default();
    draft.transport(To::Head);

    draft.label(To::Udp);
    draft.step(BPF_LD | BPF_W | BPF_LEN, 0);
    draft.jump(BPF_JGT, DEEP, To::Next, To::Head);

    draft.label(To::Tcp);
    draft.step(BPF_LD | BPF_H | BPF_IND, ETHERNET);
    draft.jump(BPF_JEQ, DNS, To::Deep, To::Head);

    draft.label(To::Head);
    draft.step(BPF_RET | BPF_K, 0);
    draft.label(To::Deep);
    draft.step(BPF_RET | BPF_K, u32::MAX);
    draft.count_out()
}

impl Draft {
    fn step(&mut self, code: u32, k: u32) {
        // Codes are 16 bits wide; libc declares them wider.
        self.steps.push((sock_filter { code: code as u16, jt: 0, jf: 0, k }, To::Next, To::Next));
    }

    fn jump(&mut self, test: u32, k: u32, yes: To, no: To) {
        self.steps.push((sock_filter { code: (BPF_JMP | test | BPF_K) as u16, jt: 0, jf: 0, k }, yes, no));
    }

    fn label(&mut self, label: To) {
        self.labels.push((label, self.steps.len()));
    }

    /// Goes on at the transport header with the length of the one of IP in X; what is not IP, or hides behind extension headers, goes
    /// elsewhere, and what has no ports is known by its head.
    fn transport(&mut self, others: To) {
        self.step(BPF_LD | BPF_H | BPF_ABS, 12);
        self.jump(BPF_JEQ, 0x0800, To::Ipv4, To::Next);
        self.jump(BPF_JEQ, 0x86dd, To::Ipv6, others);

        self.label(To::Ipv4);
        self.step(BPF_LD | BPF_H | BPF_ABS, ETHERNET + 6);
        self.jump(BPF_JSET, 0x1fff, To::Head, To::Next);
        self.step(BPF_LDX | BPF_B | BPF_MSH, ETHERNET);
        self.step(BPF_LD | BPF_B | BPF_ABS, ETHERNET + 9);
        self.jump(BPF_JEQ, 6, To::Tcp, To::Next);
        self.jump(BPF_JEQ, 17, To::Udp, To::Head);

        self.label(To::Ipv6);
        self.step(BPF_LDX | BPF_W | BPF_IMM, 40);
        self.step(BPF_LD | BPF_B | BPF_ABS, ETHERNET + 6);
        self.jump(BPF_JEQ, 6, To::Tcp, To::Next);
        self.jump(BPF_JEQ, 17, To::Udp, To::Next);
        self.jump(BPF_JEQ, 58, To::Head, others);
    }

    /// Goes deep if either port behind the IP header, whose length is in X, is one of these.
    fn ports(&mut self, ports: &[u32]) {
        for port_at in [ETHERNET, ETHERNET + 2] {
            self.step(BPF_LD | BPF_H | BPF_IND, port_at);
            for &port in ports {
                self.jump(BPF_JEQ, port, To::Deep, To::Next);
            }
        }
    }

    fn count_out(self) -> Vec<sock_filter> {
        let distance = |at: usize, to: To| {
            let target = self.labels.iter().find(|(label, _)| *label == to).map_or(at + 1, |(_, target)| *target);
            // Every jump goes forward within a program of fewer than 256 steps.
            (target - at - 1) as u8
        };
        let resolve = |(at, (step, yes, no)): (usize, &(sock_filter, To, To))| sock_filter {
            jt: distance(at, *yes),
            jf: distance(at, *no),
            ..*step
        };
        self.steps.iter().enumerate().map(resolve).collect()
    }
}
