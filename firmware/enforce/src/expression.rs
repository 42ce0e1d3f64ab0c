//! The expressions and set attributes that nftnl has no words for, built by libnftnl's own functions.

use std::ffi::{CStr, CString};
use std::ptr::NonNull;

use nftnl::expr::Expression;
use nftnl::set::SetKey;
use nftnl::{ProtoFamily, Rule, Table};
use nftnl_sys as sys;

use crate::layout::Set;

/// The first of the sixteen 32-bit registers; it begins where the 128-bit register 1 does.
pub(crate) const REG32_00: u32 = 8;

/// What `nft` notes with a set of links so that it can list their names: attribute 0 (the key's order of octets) of four octets, 1
/// (the host's). The kernel keeps it and does not look.
const NAMES_IN_HOST_ORDER: [u8; 6] =
    if cfg!(target_endian = "little") { [0, 4, 1, 0, 0, 0] } else { [0, 4, 0, 0, 0, 1] };

/// Marks a set whose key type and length are given by the layout.
pub(crate) struct ByLayout;

/// One attribute of an expression.
#[derive(Clone)]
pub(crate) enum Value {
    U32(u32),
    U16(u16),
    U64(u64),
    Text(CString),
    Data(Vec<u8>),
    /// An expression of each element.
    Expression(Box<Raw>),
}

/// An expression as libnftnl names it, with its attributes.
#[derive(Clone)]
pub(crate) struct Raw {
    pub name: &'static CStr,
    pub values: Vec<(u32, Value)>,
}

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

impl Raw {
    fn build(&self) -> NonNull<sys::nftnl_expr> {
        // SAFETY: the name ends with a zero octet and outlives the call; libnftnl copies nothing of it.
        let expr = unsafe { sys::nftnl_expr_alloc(self.name.as_ptr()) };
        let Some(expr) = NonNull::new(expr) else {
            // Out of memory for a few octets, or a name that libnftnl does not know: nothing sensible can follow.
            std::process::abort();
        };
        for (attribute, value) in &self.values {
            let (at, attribute) = (expr.as_ptr(), u16::try_from(*attribute).unwrap_or(u16::MAX));
            // SAFETY: `expr` was allocated above and is not shared; text ends with a zero octet, data has the length that is said,
            // and libnftnl copies both.
            unsafe {
                match value {
                    Value::U16(v) => sys::nftnl_expr_set_u16(at, attribute, *v),
                    Value::U32(v) => sys::nftnl_expr_set_u32(at, attribute, *v),
                    Value::U64(v) => sys::nftnl_expr_set_u64(at, attribute, *v),
                    Value::Text(v) => {
                        sys::nftnl_expr_set_str(at, attribute, v.as_ptr());
                    }
                    Value::Data(v) => {
                        let len = u32::try_from(v.len()).unwrap_or_default();
                        sys::nftnl_expr_set(at, attribute, v.as_ptr().cast(), len);
                    }
                    // libnftnl owns the inner expression from here on.
                    Value::Expression(v) => {
                        sys::nftnl_expr_set(at, attribute, v.build().as_ptr().cast(), 0);
                    }
                }
            }
        }
        expr
    }
}

impl Expression for Raw {
    fn to_expr(&self, _: &Rule<'_>) -> NonNull<sys::nftnl_expr> {
        self.build()
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
    if of.flags() != 0 {
        values.push((sys::NFTNL_SET_FLAGS, of.flags()));
    }
    values.extend(of.size().map(|size| (sys::NFTNL_SET_DESC_SIZE, size)));
    if let Some((kind, len)) = of.data() {
        values.extend([(sys::NFTNL_SET_DATA_TYPE, kind), (sys::NFTNL_SET_DATA_LEN, len)]);
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
