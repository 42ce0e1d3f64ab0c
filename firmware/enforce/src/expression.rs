//! The expressions and set attributes that nftnl has no words for, built by libnftnl's own functions.

use std::ffi::CStr;
use std::ptr::NonNull;

use nftnl::expr::Expression;
use nftnl::set::SetKey;
use nftnl::{ProtoFamily, Rule, Table};
use nftnl_sys as sys;

use crate::layout::{BLOCKS_A_SET, Set};
use crate::message::COUNTER;

/// The first of the sixteen 32-bit registers; it begins where the 128-bit register 1 does.
pub(crate) const REG32_00: u32 = 8;

/// What `nft` notes with a set of links so that it can list their names: attribute 0 (the key's order of octets) of four octets, 1
/// (the host's). The kernel keeps it and does not look.
const NAMES_IN_HOST_ORDER: [u8; 6] =
    if cfg!(target_endian = "little") { [0, 4, 1, 0, 0, 0] } else { [0, 4, 0, 0, 0, 1] };

/// Marks a set whose key type and length are given by the layout.
pub(crate) struct ByLayout;

/// One attribute of an expression.
#[derive(Clone, Copy)]
pub(crate) enum Value {
    U32(u32),
    U16(u16),
    U64(u64),
    Text(&'static CStr),
}

/// An expression as libnftnl names it, with its attributes.
pub(crate) struct Raw {
    pub name: &'static CStr,
    pub values: Vec<(u32, Value)>,
}

/// Loads octets of the frame into a register of choice.
pub(crate) struct Load {
    /// One of `NFT_PAYLOAD_LL_HEADER` and `NFT_PAYLOAD_NETWORK_HEADER`.
    pub base: i32,
    pub offset: u32,
    pub len: u32,
    pub register: u32,
}

/// Counts the frame on a named counter.
pub(crate) struct Count(pub &'static CStr);

/// Goes on only if what is in register 1 is not in this set.
pub(crate) struct NotIn(pub Set);

/// An expression among others of another type.
pub(crate) struct Step<'a>(pub &'a dyn Expression);

impl SetKey for ByLayout {
    const TYPE: u32 = 0;
    const LEN: u32 = 0;

    /// Elements are written by `message`, with their time to live.
    fn data(&self) -> Box<[u8]> {
        Box::default()
    }
}

impl Expression for Raw {
    fn to_expr(&self, _: &Rule<'_>) -> NonNull<sys::nftnl_expr> {
        // SAFETY: the name ends with a zero octet and outlives the call; libnftnl copies nothing of it.
        let expr = unsafe { sys::nftnl_expr_alloc(self.name.as_ptr()) };
        let Some(expr) = NonNull::new(expr) else {
            // Out of memory for a few octets, or a name that libnftnl does not know: nothing sensible can follow.
            std::process::abort();
        };
        for &(attribute, value) in &self.values {
            let (at, attribute) = (expr.as_ptr(), u16::try_from(attribute).unwrap_or(u16::MAX));
            // SAFETY: `expr` was allocated above and is not shared; text ends with a zero octet and is copied by libnftnl.
            unsafe {
                match value {
                    Value::U16(v) => sys::nftnl_expr_set_u16(at, attribute, v),
                    Value::U32(v) => sys::nftnl_expr_set_u32(at, attribute, v),
                    Value::U64(v) => sys::nftnl_expr_set_u64(at, attribute, v),
                    Value::Text(v) => {
                        sys::nftnl_expr_set_str(at, attribute, v.as_ptr());
                    }
                }
            }
        }
        expr
    }
}

impl Expression for Load {
    fn to_expr(&self, rule: &Rule<'_>) -> NonNull<sys::nftnl_expr> {
        let values = vec![
            (sys::NFTNL_EXPR_PAYLOAD_DREG, Value::U32(self.register)),
            (sys::NFTNL_EXPR_PAYLOAD_BASE, Value::U32(self.base.unsigned_abs())),
            (sys::NFTNL_EXPR_PAYLOAD_OFFSET, Value::U32(self.offset)),
            (sys::NFTNL_EXPR_PAYLOAD_LEN, Value::U32(self.len)),
        ];
        Raw { name: c"payload", values }.to_expr(rule)
    }
}

impl Expression for Count {
    fn to_expr(&self, rule: &Rule<'_>) -> NonNull<sys::nftnl_expr> {
        let values = vec![
            (sys::NFTNL_EXPR_OBJREF_IMM_TYPE, Value::U32(COUNTER)),
            (sys::NFTNL_EXPR_OBJREF_IMM_NAME, Value::Text(self.0)),
        ];
        Raw { name: c"objref", values }.to_expr(rule)
    }
}

impl Expression for NotIn {
    fn to_expr(&self, rule: &Rule<'_>) -> NonNull<sys::nftnl_expr> {
        let values = vec![
            (sys::NFTNL_EXPR_LOOKUP_SREG, Value::U32(nftnl_sys::libc::NFT_REG_1.unsigned_abs())),
            (sys::NFTNL_EXPR_LOOKUP_SET, Value::Text(self.0.name())),
            (sys::NFTNL_EXPR_LOOKUP_SET_ID, Value::U32(self.0.id())),
            (sys::NFTNL_EXPR_LOOKUP_FLAGS, Value::U32(nftnl_sys::libc::NFT_LOOKUP_F_INV.unsigned_abs())),
        ];
        Raw { name: c"lookup", values }.to_expr(rule)
    }
}

impl Expression for Step<'_> {
    fn to_expr(&self, rule: &Rule<'_>) -> NonNull<sys::nftnl_expr> {
        self.0.to_expr(rule)
    }
}

/// A set of the layout as nftnl knows it.
pub(crate) fn set(of: Set, table: &Table) -> nftnl::set::Set<'_, ByLayout> {
    let set = nftnl::set::Set::new_named(of.name(), of.id(), table, ProtoFamily::Bridge);
    let mut values = vec![
        (sys::NFTNL_SET_KEY_TYPE, of.key_type()),
        (sys::NFTNL_SET_KEY_LEN, u32::try_from(of.key_len()).unwrap_or_default()),
    ];
    if of.is_timed() {
        values.push((sys::NFTNL_SET_FLAGS, nftnl_sys::libc::NFT_SET_TIMEOUT.unsigned_abs()));
        values.push((sys::NFTNL_SET_DESC_SIZE, BLOCKS_A_SET));
    }
    for (attribute, value) in values {
        // SAFETY: the pointer is the live set's own, used while `set` is borrowed by nobody else; the attributes take a u32.
        unsafe { sys::nftnl_set_set_u32(set.as_ptr().as_ptr(), u16::try_from(attribute).unwrap_or(u16::MAX), value) };
    }
    if of == Set::Armed {
        let (note, len) = (NAMES_IN_HOST_ORDER.as_ptr().cast(), NAMES_IN_HOST_ORDER.len() as u32);
        let attribute = u16::try_from(sys::NFTNL_SET_USERDATA).unwrap_or(u16::MAX);
        // SAFETY: as above; libnftnl copies the `len` octets that `note` points at.
        unsafe { sys::nftnl_set_set_data(set.as_ptr().as_ptr(), attribute, note, len) };
    }
    set
}
