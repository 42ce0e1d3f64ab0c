//! The control socket: how the commands reach a running gateway.
//!
//! One connection carries one request and one response, each one line of JSON. The socket is a file that only root may open,
//! and the server asks the kernel who called before it reads a word. What may be asked stands in the crate `protocol`.

pub mod client;
mod frame;
mod server;

pub use ::protocol::{self, Request, Response, views};
pub use frame::frame_view;
pub use server::{ControlError, Gateway, Server};

#[cfg(test)]
mod tests;
