//! The kinds of rows, and what a backup does with each: one table, which the store keys by and the backup walks.
//!
//! A kind that is added here says whether it is kept, or why not; there is no other place to add one.

use serde::{Deserialize, Serialize};

/// What a backup does with a kind of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeping {
    /// Its rows go into the backup; a restore puts those of the backup in place of those of the box.
    Kept,
    /// The same as lines, whose chain is checked.
    Chained,
    /// Each number is a kind of its own: see `Single`.
    Each,
    /// Not in a backup, for this reason; a restore leaves those of the box alone.
    Stays(&'static str),
    /// Not in a backup, for this reason; a restore takes away those of the box, which belong to what it replaces.
    Goes(&'static str),
}

/// A table of kinds: the meaning, the name, the number in a key, and what a backup does with it.
macro_rules! table {
    ($(#[$about:meta])* $name:ident as $number:ident { $( $(#[$doc:meta])* $kind:ident = $value:literal: $keeping:expr, )* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[repr($number)]
        pub enum $name { $( $(#[$doc])* $kind = $value, )* }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$kind),*];

            /// What a backup does with it.
            #[must_use]
            pub const fn keeping(self) -> Keeping {
                match self { $( Self::$kind => $keeping, )* }
            }
        }
    };
}

table! {
    /// What a row is about: the first octet of its key.
    Kind as u8 {
        /// An account.
        Account = b'u': Keeping::Kept,
        /// A session.
        Session = b's': Keeping::Goes("whoever was logged in logs in again, to the box that it is now"),
        /// A token of a program.
        Token = b't': Keeping::Kept,
        /// An alert.
        Alert = b'l': Keeping::Stays("it names threats by their numbers in the history of the box that saw them; what happened is told whole by its incident"),
        /// A request for access.
        Access = b'q': Keeping::Kept,
        /// An account's draft of the policy.
        Draft = b'd': Keeping::Goes("it is written against a version of the policy that the restored box does not have"),
        /// A letter that waits.
        Letter = b'm': Keeping::Goes("the box that wrote it may have sent it; nobody shall have it twice"),
        /// An enrolled source.
        Source = b'e': Keeping::Kept,
        /// A report.
        Report = b'r': Keeping::Stays("it is made of the history, which is no part of a backup, and is made again from it"),
        /// A channel of notifications.
        Channel = b'c': Keeping::Kept,
        /// A notice that waits, or is dead.
        Notice = b'n': Keeping::Goes("the box that wrote it may have delivered it; nobody shall have it twice"),
        /// An incident.
        Incident = b'i': Keeping::Kept,
        /// A name that is asked for.
        Disclosure = b'p': Keeping::Goes("the pseudonym that it names is of the box that drew it, and consent is given anew"),
        /// An audit record.
        Audit = b'a': Keeping::Chained,
        /// One of a kind.
        Single = b'0': Keeping::Each,
    }
}

table! {
    /// Rows that are one of a kind, by their numbers.
    Single as u64 {
        /// The keys that sign sessions.
        Keys = 1: Keeping::Stays("they sign the sessions of this box, and no session outlives a restore"),
        /// The numbers that were given last to accounts, sessions and tokens.
        Numbers = 2: Keeping::Kept,
        /// How often this machine was started.
        Boot = 3: Keeping::Stays("it counts the starts of this machine"),
        /// The key that signs exports of the audit.
        AuditKey = 4: Keeping::Kept,
        /// The newest event of the gateway that the audit has.
        Followed = 5: Keeping::Stays("it is a number in the history of this box"),
        /// The API's own settings.
        Settings = 6: Keeping::Kept,
        /// The certificate that people installed, with its key.
        Certificate = 7: Keeping::Kept,
        /// Up to when regular reports were made.
        Reported = 9: Keeping::Stays("it says up to which moment of this box's own history reports were made"),
        /// Which states of the box were told, and of whom what the policy denied.
        Told = 8: Keeping::Stays("it is what people were told of this box's own state"),
    }
}

impl Single {
    /// The kind with this number.
    #[must_use]
    pub fn of(number: u64) -> Option<Self> {
        Self::ALL.iter().copied().find(|single| *single as u64 == number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_backup_leaves_out_has_a_reason_in_words() {
        let all = Kind::ALL.iter().map(|kind| kind.keeping()).chain(Single::ALL.iter().map(|single| single.keeping()));
        for why in all.filter_map(|keeping| match keeping {
            Keeping::Stays(why) | Keeping::Goes(why) => Some(why),
            Keeping::Kept | Keeping::Chained | Keeping::Each => None,
        }) {
            assert!(why.split(' ').count() >= 6, "{why}");
        }
        // What is kept is compared over the API, on one box and another, in firmware/picket/tests/api/backup.rs: add a new kind there too.
        let kept: Vec<_> = Kind::ALL.iter().filter(|kind| kind.keeping() == Keeping::Kept).collect();
        let compared = [Kind::Account, Kind::Token, Kind::Access, Kind::Source, Kind::Channel, Kind::Incident];
        assert!(kept.into_iter().eq(&compared));
        assert_eq!(Single::of(6), Some(Single::Settings));
        assert_eq!(Single::of(99), None);
    }
}
