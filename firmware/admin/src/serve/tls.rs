//! The box's certificates: a CA made at the first start, a leaf for its names and addresses, and the one that people installed.
//!
//! The installed one is served to whoever asks by one of its names; at addresses and as `picket.local` the box is always reached with its
//! own leaf. So none that was installed can cut anybody off, and agents, which know the box's CA, go on.
//!
//! | file | what |
//! |---|---|
//! | `ca.key`, `ca.pem` | the device's CA: may sign nothing outside `.local` and private networks |
//! | `leaf.key`, `leaf.pem` | what is served: `picket.local` and the addresses that are listened at |
//! | `intake.key`, `intake.pem` | the same for syslog over TLS, where that is on: another process holds this key |
//! | `leaf.for`, `intake.for` | names and last day of the leaf, so that it is made anew when they change |

use std::fs::{self, File};
use std::io::{self, Write};
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use protocol::link::ServerKey;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, NameConstraints, SanType, SerialNumber, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::installed::Checked;
use super::private;
use crate::clock::{civil, now};
use crate::secret::{NoRandom, random, sha256};

/// The name by which the box is found.
pub const NAME: &str = "picket.local";
/// How long a leaf holds from now on (it begins two days ago, for clocks that are behind), and how long before its end it is made anew: less
/// than 366 days in all, as Mozilla's TLS configurations want. **Units**: days.
const LEAF_DAYS: u64 = 363;
const RENEW_DAYS: u64 = 60;
/// How long the CA holds. **Units**: days.
const CA_DAYS: u64 = 20 * 365;
/// A box without a clock starts long ago; what it makes then must hold later too.
const FIRST_DAY: u64 = 20_454;

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read or written.
    #[error("the certificate's files: {0}")]
    File(#[from] io::Error),
    /// One cannot be made.
    #[error("no certificate can be made: {0}")]
    Make(#[from] rcgen::Error),
    /// One cannot be used.
    #[error("the certificate cannot be used: {0}")]
    Use(#[from] rustls::Error),
    /// A file holds something else.
    #[error("the certificate cannot be read: {0}")]
    Read(String),
    /// There are no random numbers.
    #[error(transparent)]
    Random(#[from] NoRandom),
}

/// The box's own leaf, and where it stands.
#[derive(Debug)]
struct Leaf {
    key: Arc<CertifiedKey>,
    fingerprint: String,
    /// What it is for: names and addresses.
    names: Vec<String>,
    /// The last day on which it holds, since the epoch.
    last: u64,
}

/// What is served, which can be another certificate for the next connection: to whoever asks by a name of the installed one that,
/// to everybody else the box's own leaf.
#[derive(Debug)]
pub struct Certificate {
    folder: PathBuf,
    /// What its files begin with.
    stem: &'static str,
    /// The addresses that are listened at.
    listen: Vec<IpAddr>,
    /// The addresses that the box has, where it listens at all of them.
    own: Mutex<Vec<IpAddr>>,
    leaf: RwLock<Leaf>,
    installed: RwLock<Option<Arc<Checked>>>,
}

impl Certificate {
    /// Reads the leaf, or makes it: at the first start, for a name or an address that it lacks, and 60 days before its end.
    ///
    /// # Errors
    /// It cannot be made or read.
    pub fn find(folder: &Path, listen: &[IpAddr]) -> Result<Self, TlsError> {
        Self::find_as("leaf", folder, listen)
    }

    /// The same of another leaf, for the intake: whoever holds its key holds none of the page's.
    ///
    /// # Errors
    /// It cannot be made or read.
    pub fn find_for_intake(folder: &Path, listen: &[IpAddr]) -> Result<Self, TlsError> {
        Self::find_as("intake", folder, listen)
    }

    fn find_as(stem: &'static str, folder: &Path, listen: &[IpAddr]) -> Result<Self, TlsError> {
        // Which addresses the box has is heard later; those of the last run stay until then.
        let enough = |held: &[String]| wanted(listen, &[]).iter().all(|name| held.contains(name));
        let leaf = load(folder, stem, enough, &wanted(listen, &[]))?;
        Ok(Self {
            folder: folder.to_owned(),
            stem,
            listen: listen.to_vec(),
            own: Mutex::default(),
            leaf: RwLock::new(leaf),
            installed: RwLock::default(),
        })
    }

    /// Hears which addresses the box has now. Whether the leaf was made anew for them; connections that stand go on with the old one.
    ///
    /// # Errors
    /// It cannot be made; the old one is served on.
    pub fn follow(&self, own: &[IpAddr]) -> Result<bool, TlsError> {
        // A box that has no address at the moment gets one back.
        if !own.is_empty() {
            *self.own.lock().unwrap_or_else(PoisonError::into_inner) = own.to_vec();
        }
        self.renew()
    }

    /// Makes the leaf anew if it is due. Whether it was; connections that stand go on with the old one.
    ///
    /// # Errors
    /// It cannot be made; the old one is served on.
    pub fn renew(&self) -> Result<bool, TlsError> {
        let own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        let names = wanted(&self.listen, &own);
        // Where nothing was heard of addresses yet, those of the last run stay.
        let heard = !own.is_empty() || !self.listen.iter().any(IpAddr::is_unspecified);
        let enough = |held: &[String]| {
            if heard { held == names } else { names.iter().all(|name| held.contains(name)) }
        };
        let leaf = load(&self.folder, self.stem, enough, &names)?;
        let mut held = self.leaf.write().unwrap_or_else(PoisonError::into_inner);
        let other = held.fingerprint != leaf.fingerprint;
        *held = leaf;
        Ok(other)
    }

    /// The leaf with its key, for the process that serves with it.
    ///
    /// # Errors
    /// The files cannot be read.
    pub fn server_key(&self) -> Result<ServerKey, TlsError> {
        let read = |ending: &str| fs::read_to_string(self.folder.join(format!("{}.{ending}", self.stem)));
        Ok(ServerKey { chain: read("pem")?, key: read("key")? })
    }

    /// Serves this to whoever asks by one of its names from now on; nothing serves the leaf to everybody.
    pub fn install(&self, installed: Option<Arc<Checked>>) {
        *self.installed.write().unwrap_or_else(PoisonError::into_inner) = installed;
    }

    /// What was installed.
    #[must_use]
    pub fn installed(&self) -> Option<Arc<Checked>> {
        self.installed.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// SHA-256 of the leaf, hexadecimal.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.leaf.read().unwrap_or_else(PoisonError::into_inner).fingerprint.clone()
    }

    /// What the leaf is for, and until when in seconds since the epoch.
    #[must_use]
    pub fn of_leaf(&self) -> (Vec<String>, u64) {
        let leaf = self.leaf.read().unwrap_or_else(PoisonError::into_inner);
        (leaf.names.clone(), leaf.last * 86_400)
    }

    /// How TLS is spoken: 1.2 and 1.3, HTTP/2 and HTTP/1.1.
    ///
    /// # Errors
    /// The versions are not there.
    pub fn config(self: &Arc<Self>) -> Result<Arc<ServerConfig>, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let versions = [&rustls::version::TLS13, &rustls::version::TLS12];
        let builder = ServerConfig::builder_with_provider(provider).with_protocol_versions(&versions)?;
        let mut config =
            builder.with_no_client_auth().with_cert_resolver(Arc::clone(self) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let installed = hello.server_name().and_then(|name| self.installed().filter(|one| one.is_for(name)));
        Some(installed.map_or_else(
            || Arc::clone(&self.leaf.read().unwrap_or_else(PoisonError::into_inner).key),
            |installed| Arc::clone(&installed.key),
        ))
    }
}

/// Reads the leaf, if its names are enough and it holds for long; else makes one for `names`.
fn load(folder: &Path, stem: &str, enough: impl Fn(&[String]) -> bool, names: &[String]) -> Result<Leaf, TlsError> {
    let file = |ending: &str| format!("{stem}.{ending}");
    let today = (now().secs() / 86_400).max(FIRST_DAY);
    let kept = fs::read_to_string(folder.join(file("for"))).unwrap_or_default();
    let kept = kept.split_once('\n').and_then(|(last, held)| {
        let last: u64 = last.parse().ok()?;
        let held: Vec<String> = held.split_whitespace().map(str::to_owned).collect();
        ((today + RENEW_DAYS..=today + LEAF_DAYS).contains(&last) && enough(&held)).then_some((last, held))
    });
    let (last, names) = match kept.filter(|_| folder.join(file("pem")).exists()) {
        Some(kept) => kept,
        None => {
            make_leaf(folder, stem, names, today)?;
            write(folder, &file("for"), &format!("{}\n{}\n", today + LEAF_DAYS, names.join(" ")))?;
            (today + LEAF_DAYS, names.to_vec())
        }
    };
    let read = |name: &str| fs::read(folder.join(name));
    let chain = CertificateDer::pem_slice_iter(&read(&file("pem"))?).collect::<Result<Vec<_>, _>>();
    let chain = chain.map_err(|error| TlsError::Read(error.to_string()))?;
    let key = PrivateKeyDer::from_pem_slice(&read(&file("key"))?).map_err(|error| TlsError::Read(error.to_string()))?;
    let fingerprint = chain.first().map(|leaf| sha256(leaf)).ok_or_else(|| TlsError::Read("it is empty".into()))?;
    let provider = rustls::crypto::ring::default_provider();
    Ok(Leaf { key: Arc::new(CertifiedKey::from_der(chain, key, &provider)?), fingerprint, names, last })
}

/// What the leaf is to be for: the name, and the addresses at which people reach the box. One that the box's CA may not sign would
/// make all of it worthless, and one that begins with fe80 stands in no address line.
fn wanted(listen: &[IpAddr], own: &[IpAddr]) -> Vec<String> {
    let everywhere = listen.iter().any(IpAddr::is_unspecified);
    let link_local = |address: &IpAddr| matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local());
    let all = listen.iter().chain(own.iter().filter(|_| everywhere));
    let mut names: Vec<String> =
        all.filter(|address| private(**address) && !link_local(address)).map(ToString::to_string).collect();
    names.sort_unstable();
    names.dedup();
    names.insert(0, NAME.into());
    names
}

/// Makes a leaf with a key of its own, signed by the device's CA.
fn make_leaf(folder: &Path, stem: &str, names: &[String], today: u64) -> Result<(), TlsError> {
    let (ca, ca_pem) = authority(folder, today)?;
    let key = KeyPair::generate()?;
    let mut params = params("Picket", today, LEAF_DAYS)?;
    let name = |text: &String| match text.parse() {
        Ok(address) => Ok(SanType::IpAddress(address)),
        Err(_) => text.as_str().try_into().map(SanType::DnsName),
    };
    params.subject_alt_names = names.iter().map(name).collect::<Result<_, _>>()?;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let leaf = params.signed_by(&key, &ca)?;
    write(folder, &format!("{stem}.key"), &key.serialize_pem())?;
    write(folder, &format!("{stem}.pem"), &(leaf.pem() + &ca_pem))
}

/// The device's CA, made at the first start.
fn authority(folder: &Path, today: u64) -> Result<(Issuer<'static, KeyPair>, String), TlsError> {
    let (key_file, pem_file) = (folder.join("ca.key"), folder.join("ca.pem"));
    let mut params = params("Picket device CA", today, CA_DAYS)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.name_constraints = Some(NameConstraints { permitted_subtrees: permitted(), excluded_subtrees: Vec::new() });
    if key_file.exists() && pem_file.exists() {
        let key = KeyPair::from_pem(&fs::read_to_string(key_file)?)?;
        return Ok((Issuer::new(params, key), fs::read_to_string(pem_file)?));
    }
    let key = KeyPair::generate()?;
    let pem = params.self_signed(&key)?.pem();
    write(folder, "ca.key", &key.serialize_pem())?;
    write(folder, "ca.pem", &pem)?;
    Ok((Issuer::new(params, key), pem))
}

/// What the CA may speak for: names below `.local`, and addresses that no stranger has.
fn permitted() -> Vec<GeneralSubtree> {
    let v4 = [
        ([10, 0, 0, 0], 8),
        ([172, 16, 0, 0], 12),
        ([192, 168, 0, 0], 16),
        ([169, 254, 0, 0], 16),
        ([127, 0, 0, 0], 8),
    ];
    let v6 = [(0xfc00_u16, 7), (0xfe80, 10)].map(|(first, prefix)| {
        let mut address = [0; 16];
        address[..2].copy_from_slice(&first.to_be_bytes());
        CidrSubnet::from_v6_prefix(address, prefix)
    });
    let mut own = [0; 16];
    own[15] = 1;
    let mut all = vec![GeneralSubtree::DnsName("local".into())];
    all.extend(v4.map(|(address, prefix)| GeneralSubtree::IpAddress(CidrSubnet::from_v4_prefix(address, prefix))));
    all.extend(v6.map(GeneralSubtree::IpAddress));
    all.push(GeneralSubtree::IpAddress(CidrSubnet::from_v6_prefix(own, 128)));
    all
}

/// What every certificate of the box has. The name tells nothing of the box: whoever connects sees it before logging in.
fn params(name: &str, today: u64, days: u64) -> Result<CertificateParams, TlsError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    let mut serial = random::<16>()?;
    serial[0] &= 0x7f;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params.not_before = day(today.saturating_sub(2));
    params.not_after = day(today + days);
    Ok(params)
}

fn day(days: u64) -> time::OffsetDateTime {
    let (year, month, day) = civil(days);
    let small = |number: u64| u8::try_from(number).unwrap_or(1);
    date_time_ymd(i32::try_from(year).unwrap_or(9999), small(month), small(day))
}

/// Writes a file that only this process may read, whole or not at all.
fn write(folder: &Path, name: &str, text: &str) -> Result<(), TlsError> {
    let draft = folder.join(format!("{name}.new"));
    let mut file = File::options().create(true).truncate(true).write(true).mode(0o600).open(&draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(draft, folder.join(name))?;
    Ok(File::open(folder)?.sync_all()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leaf_is_kept_until_addresses_change_and_no_two_boxes_share_one() {
        let (a, b) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let home: IpAddr = [192, 168, 1, 2].into();
        let print =
            |folder: &Path, addresses: &[IpAddr]| Certificate::find(folder, addresses).expect("a leaf").fingerprint();
        let first = print(a.path(), &[home]);
        assert_eq!(print(a.path(), &[home, home]), first);
        assert_ne!(print(b.path(), &[home]), first);
        let ca = fs::read(a.path().join("ca.pem")).expect("a CA");
        let certificate = Arc::new(Certificate::find(a.path(), &[home]).expect("a leaf"));
        assert!(!certificate.follow(&[[10, 0, 0, 1].into()]).expect("a leaf"), "it listens at one address alone");
        drop(certificate);
        let certificate = Arc::new(Certificate::find(a.path(), &[[0, 0, 0, 0].into()]).expect("a leaf"));
        assert_eq!(certificate.fingerprint(), first, "until it is heard which addresses there are, the old ones stay");
        assert!(!certificate.follow(&[home, [203, 0, 113, 7].into()]).expect("a leaf"), "its CA may not sign that one");
        assert!(certificate.follow(&[home, [10, 0, 0, 1].into()]).expect("another leaf"));
        assert!(!certificate.follow(&[[10, 0, 0, 1].into(), home]).expect("the same"));
        assert!(!certificate.follow(&[]).expect("the same"), "an address that is away comes back");
        assert_eq!(certificate.of_leaf().0, ["picket.local", "10.0.0.1", "192.168.1.2"]);
        assert_ne!(certificate.fingerprint(), first);
        // Near its end it is made anew.
        let names = certificate.of_leaf().0.join(" ");
        let soon = now().secs() / 86_400 + RENEW_DAYS - 1;
        write(a.path(), "leaf.for", &format!("{soon}\n{names}\n")).expect("written");
        assert!(certificate.renew().expect("another leaf") && !certificate.renew().expect("the same"));
        assert_eq!(fs::read(a.path().join("ca.pem")).expect("a CA"), ca, "whoever trusts the CA trusts the new leaf");
        assert!(certificate.config().is_ok());
    }

    #[test]
    fn nobody_else_may_read_the_keys() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        Certificate::find(folder.path(), &[]).expect("a leaf");
        for file in fs::read_dir(folder.path()).expect("files") {
            let mode = file.expect("a file").metadata().expect("a mode").permissions().mode();
            assert_eq!(mode & 0o077, 0);
        }
    }
}
