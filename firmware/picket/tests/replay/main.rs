//! `picket replay`, the program, on captures: what the replay contract promises.

#[path = "../../../capture/tests/common/archive.rs"]
mod archive;
mod causality;
#[path = "../../../../tests/common/chance.rs"]
mod chance;
mod held;
mod machines;
mod malformed;
#[path = "../../../../tests/common/seed.rs"]
mod seed;
mod spoofed;
mod why;
