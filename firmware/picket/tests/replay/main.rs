//! `picket replay`, the program, on captures: what the replay contract promises.

#[path = "../../../capture/tests/common/archive.rs"]
mod archive;
mod causality;
mod held;
mod machines;
mod malformed;
mod spoofed;
