//! What can go wrong between Picket and nftables.

use std::io;

/// A change or a reading that did not come about.
#[derive(Debug, thiserror::Error)]
pub enum EnforceError {
    /// The netlink socket cannot be had.
    #[error("nftables cannot be reached: {0}")]
    Unreachable(#[source] io::Error),
    /// The request did not get to the kernel.
    #[error("{octets} octets could not be handed to nftables: {source}")]
    Unsent {
        /// How long the request was.
        octets: usize,
        /// What the kernel said.
        source: io::Error,
    },
    /// The kernel's answer did not arrive whole: what it holds must be read back.
    #[error("nftables acknowledged {acknowledged} of {expected} messages: what it holds must be read back")]
    Unconfirmed {
        /// Answers that came.
        acknowledged: usize,
        /// Answers that were due.
        expected: usize,
    },
    /// The kernel refuses one object, and with it the whole transaction.
    #[error("nftables refuses {object}: {}{}", io::Error::from_raw_os_error(*errno), said(text.as_deref()))]
    Refused {
        /// The object at fault, as in `set blocked_v4, element 203.0.113.7`.
        object: String,
        /// The kernel's error number.
        errno: i32,
        /// The kernel's own words, where it has some.
        text: Option<String>,
    },
    /// Somebody else's chains, rules or sets stand in Picket's table.
    #[error("table bridge picket holds {0} chains, rules or sets that are not Picket's")]
    Foreign(usize),
    /// Others changed the ruleset each time that it was being read.
    #[error("nftables' ruleset changed during each of {0} readings")]
    Restless(usize),
    /// A link's name that no link can have.
    #[error("{0:?} cannot be the name of a link: 1 to 15 octets, no space, no slash")]
    LinkName(String),
}

fn said(text: Option<&str>) -> String {
    text.map(|t| format!(" ({t})")).unwrap_or_default()
}

impl EnforceError {
    /// Whether the kernel refuses because the caller lacks the right to change nftables.
    #[must_use]
    pub fn is_permission(&self) -> bool {
        matches!(self, Self::Refused { errno: libc::EPERM | libc::EACCES, .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_line_that_names_the_object_and_the_reason() {
        let error =
            EnforceError::Refused { object: "set blocked_v4".into(), errno: libc::ENFILE, text: Some("full".into()) };
        assert_eq!(
            error.to_string(),
            "nftables refuses set blocked_v4: Too many open files in system (os error 23) (full)"
        );
    }
}
