//! An expression of a rule as plain data, and the rule it becomes.
//!
//! nftnl's own words cover one register and no maps; here a rule is a list of [`Part`]s, each with the registers that it reads and
//! writes. Registers are the sixteen of 32 bits; a key of several fields lies in consecutive ones, each field padded to four octets.

use std::ffi::{CStr, CString};

use nftnl::expr::Expression;
use nftnl::{Chain, Rule};
use nftnl_sys as sys;
use nftnl_sys::libc;
use policy::Family;

use crate::expression::{REG32_00, Raw, Value};
use crate::layout::Set;
use crate::message::COUNTER;

/// The kernel's number for taking elements out by a rule (`NFT_DYNSET_OP_DELETE`).
const DYNSET_DELETE: u32 = 2;
/// The kernel's flag that more connections match, not fewer (`NFT_CONNLIMIT_F_INV`).
const CONNLIMIT_MORE: u32 = 1;

/// A register of 32 bits, by its place among the sixteen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Register(pub u32);

/// The register that parts use between them when nothing needs to stay.
pub(crate) const SCRATCH: Register = Register(0);

/// Where octets of a frame are counted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Base {
    Link,
    Network,
    Transport,
}

/// An end of a frame, by what its headers say of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Source,
    Destination,
}

/// How what is in a register must stand to octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Is {
    Equal,
    Not,
    AtLeast,
    AtMost,
}

/// So many a second, and so many at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Rate {
    pub per_second: u64,
    pub burst: u32,
}

/// One expression.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Part {
    /// The name of the link that the frame came in by.
    LinkName(Register),
    /// The EtherType.
    EtherType(Register),
    /// The IP protocol behind extension headers.
    Protocol(Register),
    /// Octets of the frame; a frame that lacks them is not meant.
    Load {
        base: Base,
        offset: u32,
        len: u32,
        to: Register,
    },
    /// Octets that stand in the rule.
    Constant(Register, Vec<u8>),
    /// Bits that count.
    Mask(Register, Vec<u8>),
    /// Goes on only if it is so.
    Compare(Register, Is, Vec<u8>),
    /// Goes on only if the key is in the set.
    In(Set, Register),
    /// Goes on only if it is not.
    NotIn(Set, Register),
    /// Goes on only if the key is in the map, with what it stands for in another register.
    Get(Set, Register, Register),
    /// Does what the verdict map says of the key; goes on if it says nothing.
    Ways(Set, Register),
    /// Puts the key into the map with what another register holds, or renews its time; goes on only if there was room.
    Put {
        set: Set,
        key: Register,
        data: Option<Register>,
        millis: u64,
    },
    /// Takes the key out of a map, where it may be missing; what it stood for is read from another register.
    TakeOut {
        set: Set,
        key: Register,
        data: Register,
    },
    /// Puts the key into the set, or renews its time; goes on only where the key comes more often than so.
    Beyond {
        set: Set,
        key: Register,
        millis: u64,
        rate: Rate,
    },
    /// Puts the key into the set, or renews its time, and counts there how often it came.
    Tally {
        set: Set,
        key: Register,
        millis: u64,
    },
    /// Writes the register as the frame's mark, which the kernel keeps with it.
    SetMark(Register),
    /// The frame's mark.
    Mark(Register),
    /// How the kernel's connection tracking sees the packet.
    CtState(Register),
    /// The mark of the packet's connection; a packet of none is not meant.
    CtMark(Register),
    /// Writes the register as the connection's mark; a packet of none is left as it is.
    SetCtMark(Register),
    /// Notes the packet's connection with the key in the set; goes on only where the key has more than so many.
    Holds {
        set: Set,
        key: Register,
        more_than: u32,
    },
    /// Counts on a named counter.
    Count(CString),
    /// Goes on for so many frames a second.
    Few(Rate),
    /// Goes on for those that are more.
    More(Rate),
    /// Copies the frame's beginning to whoever listens to the group, under these words.
    Tell {
        group: u16,
        words: CString,
        octets: u32,
    },
    Accept,
    Drop,
    Return,
    Jump(CString),
    Goto(CString),
}

impl Part {
    fn raw(&self) -> Raw {
        use Value::{Data, Text, U16, U32, U64};
        let reg = |register: &Register| U32(REG32_00 + register.0);
        let meta = |key: i32, to: &Register| Raw {
            name: c"meta",
            values: vec![(sys::NFTNL_EXPR_META_KEY, U32(key.unsigned_abs())), (sys::NFTNL_EXPR_META_DREG, reg(to))],
        };
        let ct = |key: i32, register: (u32, Value)| Raw {
            name: c"ct",
            values: vec![(sys::NFTNL_EXPR_CT_KEY, U32(key.unsigned_abs())), register],
        };
        let lookup = |set: &Set, key: &Register, more: Vec<(u32, Value)>| {
            let mut values = vec![
                (sys::NFTNL_EXPR_LOOKUP_SREG, reg(key)),
                (sys::NFTNL_EXPR_LOOKUP_SET, Text(set.name().to_owned())),
                (sys::NFTNL_EXPR_LOOKUP_SET_ID, U32(set.id())),
            ];
            values.extend(more);
            Raw { name: c"lookup", values }
        };
        let dynset = |set: &Set, key: &Register, more: &mut dyn Iterator<Item = (u32, Value)>| {
            let mut values = vec![
                (sys::NFTNL_EXPR_DYNSET_OP, U32(libc::NFT_DYNSET_OP_UPDATE.unsigned_abs())),
                (sys::NFTNL_EXPR_DYNSET_SREG_KEY, reg(key)),
                (sys::NFTNL_EXPR_DYNSET_SET_NAME, Text(set.name().to_owned())),
                (sys::NFTNL_EXPR_DYNSET_SET_ID, U32(set.id())),
            ];
            values.extend(more);
            Raw { name: c"dynset", values }
        };
        let verdict = |code: i32, chain: Option<&CStr>| {
            let mut values = vec![
                (sys::NFTNL_EXPR_IMM_DREG, U32(libc::NFT_REG_VERDICT.unsigned_abs())),
                (sys::NFTNL_EXPR_IMM_VERDICT, U32(code.cast_unsigned())),
            ];
            values.extend(chain.map(|name| (sys::NFTNL_EXPR_IMM_CHAIN, Text(name.to_owned()))));
            Raw { name: c"immediate", values }
        };
        match self {
            Self::LinkName(to) => meta(libc::NFT_META_IIFNAME, to),
            Self::EtherType(to) => meta(libc::NFT_META_PROTOCOL, to),
            Self::Protocol(to) => meta(libc::NFT_META_L4PROTO, to),
            Self::Load { base, offset, len, to } => Raw {
                name: c"payload",
                values: vec![
                    (sys::NFTNL_EXPR_PAYLOAD_DREG, reg(to)),
                    (sys::NFTNL_EXPR_PAYLOAD_BASE, U32(base.number())),
                    (sys::NFTNL_EXPR_PAYLOAD_OFFSET, U32(*offset)),
                    (sys::NFTNL_EXPR_PAYLOAD_LEN, U32(*len)),
                ],
            },
            Self::Constant(to, octets) => Raw {
                name: c"immediate",
                values: vec![(sys::NFTNL_EXPR_IMM_DREG, reg(to)), (sys::NFTNL_EXPR_IMM_DATA, Data(octets.clone()))],
            },
            Self::Mask(register, mask) => Raw {
                name: c"bitwise",
                values: vec![
                    (sys::NFTNL_EXPR_BITWISE_SREG, reg(register)),
                    (sys::NFTNL_EXPR_BITWISE_DREG, reg(register)),
                    (sys::NFTNL_EXPR_BITWISE_LEN, U32(u32::try_from(mask.len()).unwrap_or(u32::MAX))),
                    (sys::NFTNL_EXPR_BITWISE_MASK, Data(mask.clone())),
                    (sys::NFTNL_EXPR_BITWISE_XOR, Data(vec![0; mask.len()])),
                ],
            },
            Self::Compare(register, is, octets) => Raw {
                name: c"cmp",
                values: vec![
                    (sys::NFTNL_EXPR_CMP_SREG, reg(register)),
                    (sys::NFTNL_EXPR_CMP_OP, U32(is.number())),
                    (sys::NFTNL_EXPR_CMP_DATA, Data(octets.clone())),
                ],
            },
            Self::In(set, key) => lookup(set, key, vec![]),
            Self::NotIn(set, key) => {
                let not = U32(libc::NFT_LOOKUP_F_INV.unsigned_abs());
                lookup(set, key, vec![(sys::NFTNL_EXPR_LOOKUP_FLAGS, not)])
            }
            Self::Get(set, key, to) => lookup(set, key, vec![(sys::NFTNL_EXPR_LOOKUP_DREG, reg(to))]),
            Self::Ways(set, key) => {
                let verdict = U32(libc::NFT_REG_VERDICT.unsigned_abs());
                lookup(set, key, vec![(sys::NFTNL_EXPR_LOOKUP_DREG, verdict)])
            }
            Self::Put { set, key, data, millis } => {
                let data = data.as_ref().map(|data| (sys::NFTNL_EXPR_DYNSET_SREG_DATA, reg(data)));
                dynset(set, key, &mut [(sys::NFTNL_EXPR_DYNSET_TIMEOUT, U64(*millis))].into_iter().chain(data))
            }
            Self::TakeOut { set, key, data } => {
                let delete = (sys::NFTNL_EXPR_DYNSET_OP, U32(DYNSET_DELETE));
                dynset(set, key, &mut [delete, (sys::NFTNL_EXPR_DYNSET_SREG_DATA, reg(data))].into_iter())
            }
            Self::Beyond { set, key, millis, rate } => {
                let each = (sys::NFTNL_EXPR_DYNSET_EXPR, Value::Expression(Box::new(rate.raw(true))));
                dynset(set, key, &mut [(sys::NFTNL_EXPR_DYNSET_TIMEOUT, U64(*millis)), each].into_iter())
            }
            Self::Tally { set, key, millis } => {
                let counter = Raw { name: c"counter", values: vec![] };
                let each = (sys::NFTNL_EXPR_DYNSET_EXPR, Value::Expression(Box::new(counter)));
                dynset(set, key, &mut [(sys::NFTNL_EXPR_DYNSET_TIMEOUT, U64(*millis)), each].into_iter())
            }
            Self::Holds { set, key, more_than } => {
                let values = vec![
                    (sys::NFTNL_EXPR_CONNLIMIT_COUNT, U32(*more_than)),
                    (sys::NFTNL_EXPR_CONNLIMIT_FLAGS, U32(CONNLIMIT_MORE)),
                ];
                let each = Value::Expression(Box::new(Raw { name: c"connlimit", values }));
                dynset(set, key, &mut [(sys::NFTNL_EXPR_DYNSET_EXPR, each)].into_iter())
            }
            Self::CtState(to) => ct(libc::NFT_CT_STATE, (sys::NFTNL_EXPR_CT_DREG, reg(to))),
            Self::CtMark(to) => ct(libc::NFT_CT_MARK, (sys::NFTNL_EXPR_CT_DREG, reg(to))),
            Self::SetCtMark(from) => ct(libc::NFT_CT_MARK, (sys::NFTNL_EXPR_CT_SREG, reg(from))),
            Self::Mark(to) => meta(libc::NFT_META_MARK, to),
            Self::SetMark(from) => Raw {
                name: c"meta",
                values: vec![
                    (sys::NFTNL_EXPR_META_KEY, U32(libc::NFT_META_MARK.unsigned_abs())),
                    (sys::NFTNL_EXPR_META_SREG, reg(from)),
                ],
            },
            Self::Count(counter) => Raw {
                name: c"objref",
                values: vec![
                    (sys::NFTNL_EXPR_OBJREF_IMM_TYPE, U32(COUNTER)),
                    (sys::NFTNL_EXPR_OBJREF_IMM_NAME, Text(counter.clone())),
                ],
            },
            Self::Few(rate) => rate.raw(false),
            Self::More(rate) => rate.raw(true),
            Self::Tell { group, words, octets } => Raw {
                name: c"log",
                values: vec![
                    (sys::NFTNL_EXPR_LOG_GROUP, U16(*group)),
                    (sys::NFTNL_EXPR_LOG_PREFIX, Text(words.clone())),
                    (sys::NFTNL_EXPR_LOG_SNAPLEN, U32(*octets)),
                    (sys::NFTNL_EXPR_LOG_QTHRESHOLD, U16(1)),
                ],
            },
            Self::Accept => verdict(libc::NF_ACCEPT, None),
            Self::Drop => verdict(libc::NF_DROP, None),
            Self::Return => verdict(libc::NFT_RETURN, None),
            Self::Jump(chain) => verdict(libc::NFT_JUMP, Some(chain)),
            Self::Goto(chain) => verdict(libc::NFT_GOTO, Some(chain)),
        }
    }
}

impl Rate {
    fn raw(self, more: bool) -> Raw {
        let flags = if more { libc::NFT_LIMIT_F_INV.unsigned_abs() } else { 0 };
        Raw {
            name: c"limit",
            values: vec![
                (sys::NFTNL_EXPR_LIMIT_RATE, Value::U64(self.per_second)),
                (sys::NFTNL_EXPR_LIMIT_UNIT, Value::U64(1)),
                (sys::NFTNL_EXPR_LIMIT_BURST, Value::U32(self.burst)),
                (sys::NFTNL_EXPR_LIMIT_FLAGS, Value::U32(flags)),
            ],
        }
    }
}

impl End {
    /// Loads its hardware address.
    pub const fn mac(self, to: Register) -> Part {
        let offset = match self {
            Self::Source => 6,
            Self::Destination => 0,
        };
        Part::Load { base: Base::Link, offset, len: 6, to }
    }

    /// Loads its address.
    pub const fn address(self, family: Family, to: Register) -> Part {
        Part::Load { base: Base::Network, offset: self.offset(family), len: width(family), to }
    }

    /// Loads what a set of one field holds of it: an address of the set's kind, or the hardware address.
    pub fn key(self, of: Set) -> Part {
        of.family().map_or_else(|| self.mac(SCRATCH), |family| self.address(family, SCRATCH))
    }

    /// Where its address stands in a header of IP.
    pub const fn offset(self, family: Family) -> u32 {
        match (family, self) {
            (Family::V4, Self::Source) => 12,
            (Family::V4, Self::Destination) => 16,
            (Family::V6, Self::Source) => 8,
            (Family::V6, Self::Destination) => 24,
        }
    }
}

/// Octets of an address.
pub(crate) const fn width(family: Family) -> u32 {
    match family {
        Family::V4 => 4,
        Family::V6 => 16,
    }
}

/// A packet of this kind of IP.
pub(crate) fn is_family(family: Family) -> Vec<Part> {
    let ethertype: u16 = match family {
        Family::V4 => 0x0800,
        Family::V6 => 0x86dd,
    };
    is_ethertype(ethertype)
}

/// A frame of this EtherType.
pub(crate) fn is_ethertype(kind: u16) -> Vec<Part> {
    vec![Part::EtherType(SCRATCH), Part::Compare(SCRATCH, Is::Equal, kind.to_be_bytes().to_vec())]
}

/// A packet of this protocol.
pub(crate) fn is_protocol(number: u8) -> Vec<Part> {
    vec![Part::Protocol(SCRATCH), Part::Compare(SCRATCH, Is::Equal, vec![number])]
}

impl Base {
    const fn number(self) -> u32 {
        match self {
            Self::Link => libc::NFT_PAYLOAD_LL_HEADER.unsigned_abs(),
            Self::Network => libc::NFT_PAYLOAD_NETWORK_HEADER.unsigned_abs(),
            Self::Transport => libc::NFT_PAYLOAD_TRANSPORT_HEADER.unsigned_abs(),
        }
    }
}

impl Is {
    const fn number(self) -> u32 {
        match self {
            Self::Equal => libc::NFT_CMP_EQ.unsigned_abs(),
            Self::Not => libc::NFT_CMP_NEQ.unsigned_abs(),
            Self::AtLeast => libc::NFT_CMP_GTE.unsigned_abs(),
            Self::AtMost => libc::NFT_CMP_LTE.unsigned_abs(),
        }
    }
}

/// The rule of a chain that these parts make.
pub(crate) fn rule<'c>(chain: &'c Chain<'c>, parts: &[Part]) -> Rule<'c> {
    let mut rule = Rule::new(chain);
    for part in parts {
        rule.add_expr(part);
    }
    rule
}

impl Expression for Part {
    fn to_expr(&self, rule: &Rule<'_>) -> std::ptr::NonNull<sys::nftnl_expr> {
        self.raw().to_expr(rule)
    }
}
