//! The kinds of values a key can have: what each expects, how it is read from TOML and written back.

use std::fmt::Display;
use std::net::SocketAddr;
use std::path::PathBuf;

use terms::{Failure, HostKey, Posture, Span};
use toml::de::DeValue;

use super::duration;
use crate::model::PublicKey;

/// Longest link name of the kernel (`IFNAMSIZ` less its zero).
const LINK_NAME_MAX: usize = 15;
/// Longest path that a Unix socket can have (`sun_path` less its zero).
const SOCKET_PATH_MAX: usize = 107;
/// Most addresses to listen at.
const LISTENERS_MAX: usize = 8;
/// Most addresses that the never-block list holds.
pub const ADDRESSES_MAX: usize = 1024;
/// Most keys that are trusted besides those of the binary.
pub const KEYS_MAX: usize = 16;

/// One kind of value: a door through which a key's value comes in checked, and goes out as TOML.
pub trait Kind<T> {
    /// What is expected, in words that follow "expects".
    fn expected(&self) -> String;
    /// The value, or `None` where it is not of this kind or out of bounds.
    fn read(&self, value: &DeValue<'_>) -> Option<T>;
    /// The value as TOML.
    fn write(&self, value: &T) -> String;
}

/// `true` or `false`.
pub struct Flag;
/// A whole number from the first to the second, both included.
pub struct Whole(pub u32, pub u32);
/// A duration from the first to the second number of seconds, both included.
pub struct Time(pub u64, pub u64);
/// Octets in a power of 1,024, from the first to the second number of octets, both included.
pub struct Size(pub u64, pub u64);
/// What the box does with what it finds.
pub struct PostureWord;
/// What passes while the gateway does not run.
pub struct FailureWord;
/// A network link's name, or nothing.
pub struct Link;
/// A folder or file by its full path.
pub struct FullPath;
/// A Unix socket by its full path.
pub struct SocketPath;
/// IP or hardware addresses.
pub struct Addresses;
/// Public keys.
pub struct PublicKeys;
/// IP addresses with a port each, to listen at.
pub struct Listeners;

impl Kind<bool> for Flag {
    fn expected(&self) -> String {
        "true or false".into()
    }

    fn read(&self, value: &DeValue<'_>) -> Option<bool> {
        value.as_bool()
    }

    fn write(&self, value: &bool) -> String {
        value.to_string()
    }
}

impl<N: TryFrom<u32> + Copy + Display> Kind<N> for Whole {
    fn expected(&self) -> String {
        format!("a whole number from {} to {}", self.0, self.1)
    }

    fn read(&self, value: &DeValue<'_>) -> Option<N> {
        let whole = value.as_integer()?;
        let number =
            u32::from_str_radix(whole.as_str(), whole.radix()).ok().filter(|n| (self.0..=self.1).contains(n))?;
        N::try_from(number).ok()
    }

    fn write(&self, value: &N) -> String {
        value.to_string()
    }
}

impl Kind<Span> for Time {
    fn expected(&self) -> String {
        let [least, most] = [self.0, self.1].map(|secs| duration::write(Span::from_secs(secs)));
        format!("a duration such as \"10m\" (s, m, h or d), from {least} to {most}")
    }

    fn read(&self, value: &DeValue<'_>) -> Option<Span> {
        duration::parse(value.as_str()?).filter(|span| (self.0..=self.1).contains(&span.secs()))
    }

    fn write(&self, value: &Span) -> String {
        quoted(&duration::write(*value))
    }
}

impl Size {
    /// The units, largest first.
    const UNITS: [(&'static str, u64); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];

    fn text(octets: u64) -> String {
        let fits = Self::UNITS.iter().find(|(_, unit)| octets >= *unit && octets.is_multiple_of(*unit));
        fits.map_or_else(|| format!("{}KiB", octets >> 10), |(unit, size)| format!("{}{unit}", octets / size))
    }
}

impl Kind<u64> for Size {
    fn expected(&self) -> String {
        format!("a size such as \"512MiB\" (KiB, MiB or GiB), from {} to {}", Self::text(self.0), Self::text(self.1))
    }

    fn read(&self, value: &DeValue<'_>) -> Option<u64> {
        let text = value.as_str()?;
        let (number, unit) = Self::UNITS.iter().find_map(|(name, unit)| Some((text.strip_suffix(name)?, unit)))?;
        let digits = number.bytes().all(|b| b.is_ascii_digit());
        let octets = digits.then(|| number.parse::<u64>().ok()?.checked_mul(*unit))??;
        (self.0..=self.1).contains(&octets).then_some(octets)
    }

    fn write(&self, value: &u64) -> String {
        quoted(&Self::text(*value))
    }
}

impl Kind<Posture> for PostureWord {
    fn expected(&self) -> String {
        "\"observe\", \"protect\" or \"enforce\"".into()
    }

    fn read(&self, value: &DeValue<'_>) -> Option<Posture> {
        let word = value.as_str()?;
        Posture::ALL.into_iter().find(|p| p.as_str() == word)
    }

    fn write(&self, value: &Posture) -> String {
        quoted(value.as_str())
    }
}

impl Kind<Failure> for FailureWord {
    fn expected(&self) -> String {
        "\"open\" or \"closed\"".into()
    }

    fn read(&self, value: &DeValue<'_>) -> Option<Failure> {
        let word = value.as_str()?;
        Failure::ALL.into_iter().find(|failure| failure.as_str() == word)
    }

    fn write(&self, value: &Failure) -> String {
        quoted(value.as_str())
    }
}

impl Kind<String> for Link {
    fn expected(&self) -> String {
        format!(
            "the name of a network link (at most {LINK_NAME_MAX} characters, no space or slash), or \"\" to choose one"
        )
    }

    fn read(&self, value: &DeValue<'_>) -> Option<String> {
        let name = value.as_str()?;
        let plain = name.bytes().all(|b| b.is_ascii_graphic() && b != b'/' && b != b':');
        (plain && name.len() <= LINK_NAME_MAX && name != "." && name != "..").then(|| name.to_owned())
    }

    fn write(&self, value: &String) -> String {
        quoted(value)
    }
}

impl Kind<PathBuf> for FullPath {
    fn expected(&self) -> String {
        "a full path, beginning with /".into()
    }

    fn read(&self, value: &DeValue<'_>) -> Option<PathBuf> {
        let path = value.as_str()?;
        (path.starts_with('/') && path.len() < 4096 && !path.contains('\0')).then(|| path.into())
    }

    fn write(&self, value: &PathBuf) -> String {
        quoted(&value.to_string_lossy())
    }
}

impl Kind<PathBuf> for SocketPath {
    fn expected(&self) -> String {
        format!("a full path, beginning with /, of at most {SOCKET_PATH_MAX} octets")
    }

    fn read(&self, value: &DeValue<'_>) -> Option<PathBuf> {
        FullPath.read(value).filter(|path| path.as_os_str().len() <= SOCKET_PATH_MAX)
    }

    fn write(&self, value: &PathBuf) -> String {
        FullPath.write(value)
    }
}

impl Kind<Vec<HostKey>> for Addresses {
    fn expected(&self) -> String {
        format!(
            "a list of at most {ADDRESSES_MAX} IP or hardware addresses such as [\"192.168.1.1\", \"02:5a:10:00:00:01\"]"
        )
    }

    fn read(&self, value: &DeValue<'_>) -> Option<Vec<HostKey>> {
        let list = value.as_array().filter(|list| list.len() <= ADDRESSES_MAX)?;
        let mut hosts =
            list.iter().map(|entry| entry.get_ref().as_str()?.parse().ok()).collect::<Option<Vec<HostKey>>>()?;
        hosts.sort_unstable();
        hosts.dedup();
        Some(hosts)
    }

    fn write(&self, value: &Vec<HostKey>) -> String {
        let list: Vec<_> = value.iter().map(|host| quoted(&host.to_string())).collect();
        format!("[{}]", list.join(", "))
    }
}

impl Kind<Vec<PublicKey>> for PublicKeys {
    fn expected(&self) -> String {
        format!(
            "a list of at most {KEYS_MAX} ed25519 public keys of 64 hexadecimal digits each, as models keygen prints them"
        )
    }

    fn read(&self, value: &DeValue<'_>) -> Option<Vec<PublicKey>> {
        let list = value.as_array().filter(|list| list.len() <= KEYS_MAX)?;
        let mut keys = list.iter().map(|entry| entry.get_ref().as_str()?.parse().ok()).collect::<Option<Vec<_>>>()?;
        keys.sort_unstable();
        keys.dedup();
        Some(keys)
    }

    fn write(&self, value: &Vec<PublicKey>) -> String {
        let list: Vec<_> = value.iter().map(|key| quoted(&key.to_string())).collect();
        format!("[{}]", list.join(", "))
    }
}

impl Kind<Vec<SocketAddr>> for Listeners {
    fn expected(&self) -> String {
        format!(
            "an address with a port such as \"192.168.1.2:443\", a list of at most {LISTENERS_MAX} of them, or \"\" for none"
        )
    }

    fn read(&self, value: &DeValue<'_>) -> Option<Vec<SocketAddr>> {
        if let Some(text) = value.as_str() {
            return if text.is_empty() { Some(Vec::new()) } else { Some(vec![text.parse().ok()?]) };
        }
        let list = value.as_array().filter(|list| list.len() <= LISTENERS_MAX)?;
        list.iter().map(|entry| entry.get_ref().as_str()?.parse().ok()).collect()
    }

    fn write(&self, value: &Vec<SocketAddr>) -> String {
        match value.as_slice() {
            [] => quoted(""),
            [one] => quoted(&one.to_string()),
            more => format!("[{}]", more.iter().map(|one| quoted(&one.to_string())).collect::<Vec<_>>().join(", ")),
        }
    }
}

/// The text as a TOML string.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads<T>(kind: &dyn Kind<T>, text: &str) -> Option<T> {
        kind.read(DeValue::parse(text).expect("the test's own TOML").get_ref())
    }

    #[test]
    fn a_whole_number_is_taken_within_its_bounds_only() {
        let kind: &dyn Kind<u16> = &Whole(1, 100);
        assert_eq!(reads(kind, "1"), Some(1));
        assert_eq!(reads(kind, "0x64"), Some(100));
        for text in ["0", "101", "-1", "99999999999999999999", "\"5\"", "5.0", "true"] {
            assert_eq!(reads(kind, text), None, "{text}");
        }
    }

    #[test]
    fn a_size_reads_back_as_written() {
        let kind = Size(1 << 20, 1 << 40);
        for text in ["\"1MiB\"", "\"3GiB\"", "\"1025KiB\"", "\"1024GiB\""] {
            assert_eq!(reads(&kind, text).map(|octets| kind.write(&octets)).as_deref(), Some(text));
        }
        for text in ["\"1KiB\"", "\"MiB\"", "\"-1MiB\"", "\"5\"", "5", "\"18446744073709551615GiB\""] {
            assert_eq!(reads(&kind, text), None, "{text}");
        }
    }

    #[test]
    fn a_name_that_the_kernel_would_refuse_is_refused_here() {
        for text in ["\"sixteen-letters-\"", "\"a b\"", "\"a/b\"", "\"..\"", "\"a:1\"", "7"] {
            assert_eq!(reads(&Link, text), None, "{text}");
        }
        assert_eq!(reads(&Link, "\"eth0\"").as_deref(), Some("eth0"));
    }

    #[test]
    fn one_wrong_key_refuses_the_list() {
        let key = "0a".repeat(32);
        assert_eq!(reads(&PublicKeys, &format!("[\"{key}\", \"{key}\"]")).map(|l| l.len()), Some(1));
        assert_eq!(reads(&PublicKeys, &format!("[\"{key}\", \"{}\"]", &key[1..])), None);
    }

    #[test]
    fn listeners_read_back_as_written_and_need_a_port() {
        for text in ["\"\"", "\"127.0.0.1:8443\"", "[\"[fe80::1]:443\", \"10.0.0.1:443\"]"] {
            assert_eq!(reads(&Listeners, text).map(|all| Listeners.write(&all)).as_deref(), Some(text));
        }
        for text in ["\"127.0.0.1\"", "\"picket.local:443\"", "[\"10.0.0.1:443\", \"x\"]", "443"] {
            assert_eq!(reads(&Listeners, text), None, "{text}");
        }
    }

    #[test]
    fn one_wrong_address_refuses_the_list() {
        assert_eq!(reads(&Addresses, "[\"10.0.0.1\", \"10.0.0.300\"]"), None);
        assert_eq!(reads(&Addresses, "[\"10.0.0.2\", \"fe80::1\", \"10.0.0.2\"]").map(|l| l.len()), Some(2));
    }
}
