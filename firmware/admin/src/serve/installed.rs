//! A certificate that people installed: read, checked as its readers will check it, and the names that it is served to.

use std::sync::Arc;

use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys};
use serde::{Deserialize, Serialize};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::parse_x509_certificate;

use super::tls::NAME;
use crate::problem::Problem;
use crate::secret::sha256;

/// The longest text of a chain or a key. **Units**: octets.
pub const PEM_MAX: usize = 24 << 10;
/// The most certificates of a chain, and names of the first.
const CHAIN_MAX: usize = 6;
const NAMES_MAX: usize = 50;
/// The field of each part.
const CHAIN: &str = "certificate";
const KEY: &str = "key";

/// A certificate and its key, as they are kept.
#[derive(Clone, Serialize, Deserialize)]
pub struct Installed {
    /// The chain as PEM, the box's own first.
    pub chain: String,
    /// Its key as PEM.
    pub key: String,
    /// When it was installed, in microseconds.
    pub at: u64,
    /// By whom.
    pub by: String,
}

/// One that can be served.
#[derive(Debug)]
pub struct Checked {
    /// What TLS needs of it.
    pub key: Arc<CertifiedKey>,
    /// The names that it is for; `picket.local` is not among them.
    pub names: Vec<String>,
    /// Who signed it.
    pub issuer: String,
    /// From when it holds, in seconds since the epoch.
    pub from: u64,
    /// Until when.
    pub until: u64,
    /// SHA-256 of the first certificate, hexadecimal.
    pub fingerprint: String,
    /// When it was installed, in microseconds.
    pub at: u64,
    /// By whom.
    pub by: String,
}

impl Installed {
    /// Reads it. Its times are not looked at: one that was kept may have ended meanwhile.
    ///
    /// # Errors
    /// 422: the field that is wrong, and why.
    pub fn read(&self) -> Result<Checked, Problem> {
        let wrong = |why: &str| Problem::field(CHAIN, why);
        if self.chain.len() > PEM_MAX || self.key.len() > PEM_MAX {
            return Err(wrong("takes at most 24 KiB, as does the key"));
        }
        let chain = CertificateDer::pem_slice_iter(self.chain.as_bytes()).collect::<Result<Vec<_>, _>>();
        let chain = chain.map_err(|_| wrong("is no certificate as PEM"))?;
        if chain.is_empty() || chain.len() > CHAIN_MAX {
            return Err(wrong("takes 1 to 6 certificates as PEM, that of the box first"));
        }
        let (from, until) = linked(&chain)?;
        let (_, first) = parse_x509_certificate(&chain[0]).map_err(|_| wrong("cannot be read"))?;
        let names = names(&first)?;
        let issuer = first.issuer().to_string();
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes())
            .map_err(|_| Problem::field(KEY, "is no private key as PEM; one with a passphrase is not taken"))?;
        let fingerprint = sha256(&chain[0]);
        let key = CertifiedKey::from_der(chain, key, &default_provider()).map_err(|error| match error {
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                Problem::field(KEY, "does not fit the certificate")
            }
            _ => Problem::field(
                KEY,
                "is of a kind that is not served: RSA from 2048 bits, ECDSA P-256 or P-384, Ed25519",
            ),
        })?;
        let (at, by) = (self.at, self.by.clone());
        Ok(Checked { key: Arc::new(key), names, issuer, from, until, fingerprint, at, by })
    }
}

impl Checked {
    /// Refuses one that does not hold now.
    ///
    /// # Errors
    /// 422: when it does.
    pub fn holds_at(&self, secs: u64) -> Result<(), Problem> {
        let at = |secs| crate::clock::rfc3339(terms::Timestamp::from_secs(secs));
        if secs < self.from {
            return Err(Problem::field(
                CHAIN,
                format!("holds from {} only; the box's clock says {}", at(self.from), at(secs)),
            ));
        }
        if secs >= self.until {
            return Err(Problem::field(
                CHAIN,
                format!("ended at {}; the box's clock says {}", at(self.until), at(secs)),
            ));
        }
        Ok(())
    }

    /// Whether it is for this name.
    #[must_use]
    pub fn is_for(&self, name: &str) -> bool {
        let rest = name.split_once('.').map(|(_, rest)| rest);
        let fits = |own: &String| {
            own.eq_ignore_ascii_case(name)
                || own.strip_prefix("*.").zip(rest).is_some_and(|(own, rest)| own.eq_ignore_ascii_case(rest))
        };
        !name.eq_ignore_ascii_case(NAME) && self.names.iter().any(fits)
    }
}

/// Refuses what is no chain: each certificate is signed by the next one. From when and until when all of them hold.
fn linked(chain: &[CertificateDer<'_>]) -> Result<(u64, u64), Problem> {
    let read = |n: usize| {
        let read = parse_x509_certificate(&chain[n]).ok().filter(|(rest, _)| rest.is_empty());
        read.map(|(_, one)| one).ok_or_else(|| Problem::field(CHAIN, format!("number {} cannot be read", n + 1)))
    };
    let (mut from, mut until) = (0, u64::MAX);
    for n in 0..chain.len() {
        let one = read(n)?;
        let secs = |time: x509_parser::time::ASN1Time| u64::try_from(time.timestamp()).unwrap_or(0);
        from = from.max(secs(one.validity().not_before));
        until = until.min(secs(one.validity().not_after));
        if n + 1 < chain.len() {
            let next = read(n + 1)?;
            let signed = one.issuer() == next.subject() && next.is_ca();
            if !signed || one.verify_signature(Some(next.public_key())).is_err() {
                let why = format!("is no chain: number {} was not signed by number {}", n + 1, n + 2);
                return Err(Problem::field(CHAIN, why));
            }
        }
    }
    Ok((from, until))
}

/// The names of a certificate that a server may show.
fn names(first: &X509Certificate<'_>) -> Result<Vec<String>, Problem> {
    let wrong = |why: &str| Err(Problem::field(CHAIN, why));
    if first.is_ca() {
        return wrong("is an authority's; the box's own comes first");
    }
    if let Ok(Some(usage)) = first.extended_key_usage()
        && !(usage.value.server_auth || usage.value.any)
    {
        return wrong("is not for servers");
    }
    let Ok(found) = first.subject_alternative_name() else { return wrong("holds its names twice") };
    let found = found.map(|names| names.value.general_names.as_slice()).unwrap_or_default();
    let names: Vec<String> = found
        .iter()
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            _ => None,
        })
        .filter(|name| !name.eq_ignore_ascii_case(NAME) && name.bytes().all(|c| c.is_ascii_graphic()))
        .collect();
    if names.is_empty() {
        return wrong(
            "is for no name: it is served to who asks by a name of it; addresses and picket.local keep the box's own",
        );
    }
    if names.len() > NAMES_MAX {
        return wrong("is for more than 50 names");
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, date_time_ymd};

    use super::*;

    /// A leaf for these names, signed by an authority of this name whose certificate follows, until this year.
    fn made(names: &[&str], signs: &str, until: i32) -> Installed {
        let mut ca = CertificateParams::default();
        ca.distinguished_name.push(rcgen::DnType::CommonName, signs);
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca_key = KeyPair::generate().expect("a key");
        let ca_pem = ca.self_signed(&ca_key).expect("an authority").pem();
        let key = KeyPair::generate().expect("a key");
        let mut leaf =
            CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).expect("names");
        leaf.not_before = date_time_ymd(2020, 1, 1);
        leaf.not_after = date_time_ymd(until, 1, 1);
        let pem = leaf.signed_by(&key, &Issuer::new(ca, ca_key)).expect("a leaf").pem();
        Installed { chain: pem + &ca_pem, key: key.serialize_pem(), at: 1, by: "root".into() }
    }

    fn refused(installed: &Installed) -> (String, String) {
        let problem = installed.read().map(drop).expect_err("refused");
        assert_eq!(problem.status, 422);
        (problem.field.expect("a field"), problem.detail)
    }

    #[test]
    fn it_is_served_to_its_names_and_never_to_the_boxs_own() {
        let checked = made(&["gw.example.org", "*.lab.example.org", "picket.local"], "ca", 2050).read().expect("good");
        for (name, is) in [
            ("gw.example.org", true),
            ("GW.Example.ORG", true),
            ("box.lab.example.org", true),
            ("a.box.lab.example.org", false),
            ("lab.example.org", false),
            ("example.org", false),
            ("picket.local", false),
            ("", false),
        ] {
            assert_eq!(checked.is_for(name), is, "{name}");
        }
        assert!(checked.holds_at(1_700_000_000).is_ok());
        assert!(checked.holds_at(1_500_000_000).is_err_and(|problem| problem.detail.contains("holds from 2020-01-01")));
        assert!(checked.holds_at(2_600_000_000).is_err_and(|problem| problem.detail.contains("ended at 2050-01-01")));
    }

    #[test]
    fn what_readers_would_refuse_is_refused_by_name() {
        let (good, other) = (made(&["gw.example.org"], "ca", 2050), made(&["gw.example.org"], "ca", 2050));
        assert!(good.read().is_ok());
        let with =
            |chain: &str, key: &str| refused(&Installed { chain: chain.into(), key: key.into(), ..good.clone() });
        assert_eq!(with(&good.chain, &other.key), ("key".into(), "does not fit the certificate".into()));
        assert_eq!(with(&good.chain, &good.chain).0, "key");
        assert_eq!(with(&good.key, &good.key).0, "certificate");
        assert_eq!(with("", &good.key).0, "certificate");
        let (leaf, _) = good.chain.split_at(good.chain.find("-----END").expect("an end") + 26);
        let (_, authority) = other.chain.split_at(other.chain.find("-----END").expect("an end") + 26);
        assert!(
            with(&format!("{leaf}{authority}"), &good.key).1.contains("is no chain: number 1"),
            "another authority of the same name"
        );
        assert!(with(&leaf.repeat(7), &good.key).1.contains("1 to 6"));
        assert!(with(&"x".repeat(PEM_MAX + 1), &good.key).1.contains("24 KiB"));
        assert!(with(authority, &good.key).1.contains("an authority's"));
        assert!(
            with("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", &good.key)
                .1
                .contains("cannot be read")
        );
        assert!(refused(&made(&["192.168.1.2", "picket.local"], "ca", 2050)).1.contains("for no name"));
        let mut client = CertificateParams::new(vec!["gw.example.org".into()]).expect("names");
        client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().expect("a key");
        let client = client.self_signed(&key).expect("a certificate").pem();
        assert_eq!(with(&client, &key.serialize_pem()).1, "is not for servers");
    }
}
