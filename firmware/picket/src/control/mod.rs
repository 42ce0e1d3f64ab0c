//! The control socket: how the commands and, later, the pages reach a running gateway.
//!
//! One connection carries one request and one response, each one line of JSON. The socket is a file that only root may open,
//! and the server asks the kernel who called before it reads a word.

pub mod client;
mod frame;
pub mod protocol;
mod server;
pub mod views;

pub use protocol::{Request, Response};
pub use server::{ControlError, Gateway, Server};

#[cfg(test)]
mod tests;
