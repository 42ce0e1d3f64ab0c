//! Domains that are known for what they serve.

/// Services that tell who asks from which address: domains, and names under domains that serve other things, too.
static OWN_ADDRESS: Domains<28> = Domains::new([
    b"geoplugin.net",
    b"reallyfreegeoip.org",
    b"freegeoip.app",
    b"api.ip.sb",
    b"ipwho.is",
    b"ipapi.co",
    b"seeip.org",
    b"myip.opendns.com",
    b"ipify.org",
    b"icanhazip.com",
    b"ip-api.com",
    b"ipinfo.io",
    b"ifconfig.me",
    b"ifconfig.co",
    b"ident.me",
    b"ipecho.net",
    b"wtfismyip.com",
    b"myexternalip.com",
    b"whatismyip.com",
    b"whatismyipaddress.com",
    b"myip.dnsomatic.com",
    b"api.myip.com",
    b"ip.anysrc.net",
    b"curlmyip.net",
    b"freegeoip.net",
    b"checkip.dyndns.org",
    b"checkip.amazonaws.com",
    b"api.2ip.ua",
]);

/// Services that are asked about files, senders and pages by names made of them, under which nobody but they answers: virus scanners' and
/// mail servers' clouds, block lists. Their names are long and ever different, as a tunnel's are.
static LOOKED_UP: Domains<26> = Domains::new([
    b"mcafee.com",
    b"sophosxl.net",
    b"sophosxl.com",
    b"e5.sk",
    b"trendmicro.com",
    b"avast.com",
    b"avg.com",
    b"bitdefender.net",
    b"brightcloud.com",
    b"webroot.com",
    b"cymru.com",
    b"spamhaus.org",
    b"spamhaus.net",
    b"spamcop.net",
    b"barracudacentral.org",
    b"abuseat.org",
    b"sorbs.net",
    b"surbl.org",
    b"uribl.com",
    b"dnswl.org",
    b"mailspike.net",
    b"mailspike.org",
    b"senderscore.com",
    b"senderbase.org",
    b"rspamd.com",
    b"rspamd.net",
]);

/// Services under which anybody takes a name without being asked who he is, and moves it to another address at any time.
static DYNAMIC: Domains<42> = Domains::new([
    b"duckdns.org",
    b"ddns.net",
    b"ddnsking.com",
    b"no-ip.org",
    b"no-ip.biz",
    b"no-ip.info",
    b"hopto.org",
    b"zapto.org",
    b"sytes.net",
    b"servebeer.com",
    b"serveblog.net",
    b"serveftp.com",
    b"servegame.com",
    b"servehttp.com",
    b"serveminecraft.net",
    b"myftp.org",
    b"myftp.biz",
    b"myvnc.com",
    b"redirectme.net",
    b"bounceme.net",
    b"gotdns.ch",
    b"onthewifi.com",
    b"webhop.me",
    b"3utilities.com",
    b"freeddns.org",
    b"ddnsfree.com",
    b"dynu.net",
    b"mywire.org",
    b"ooguy.com",
    b"giize.com",
    b"kozow.com",
    b"gleeze.com",
    b"camdvr.org",
    b"dynamic-dns.net",
    b"ddns.info",
    b"ddns.us",
    b"changeip.org",
    b"dyndns.org",
    b"chickenkiller.com",
    b"mooo.com",
    b"strangled.net",
    b"linkpc.net",
]);

/// Domains, in lower case, that are looked for in a name with all that lies below them.
struct Domains<const N: usize> {
    names: [&'static [u8]; N],
    /// A bit for each first octet and length: hardly a name has a part that begins like one of them and is as long.
    alike: [u64; 4],
    /// The length of the longest: what stands before so many octets is not looked at.
    longest: usize,
}

impl<const N: usize> Domains<N> {
    /// Made when the program is: a domain without an octet is an error of its build.
    const fn new(names: [&'static [u8]; N]) -> Self {
        let (mut alike, mut longest, mut n) = ([0; 4], 0, 0);
        while n < N {
            if names[n].len() > longest {
                longest = names[n].len();
            }
            let bit = Self::bit(names[n][0], names[n].len());
            alike[bit / 64] |= 1 << (bit % 64);
            n += 1;
        }
        Self { names, alike, longest }
    }

    const fn bit(first: u8, len: usize) -> usize {
        (first as usize ^ len << 3) % 256
    }

    /// Whether a name, in lower case, is one of them or lies under one.
    fn hold(&self, name: &[u8]) -> bool {
        let mut rest = match name.len().checked_sub(self.longest + 1) {
            Some(cut) => behind_dot(&name[cut..]),
            None => Some(name),
        };
        while let Some(name @ [first, ..]) = rest {
            let bit = Self::bit(*first, name.len());
            if self.alike[bit / 64] >> (bit % 64) & 1 == 1 && self.names.contains(&name) {
                return true;
            }
            rest = behind_dot(name);
        }
        false
    }
}

/// Whether what a name's front says is meant for its server and no message to somebody else: addresses that are looked up for their
/// names, and what services are asked about.
pub(super) fn is_looked_up(name: &[u8]) -> bool {
    name.ends_with(b".arpa") || LOOKED_UP.hold(name)
}

/// What stands behind the first dot.
fn behind_dot(name: &[u8]) -> Option<&[u8]> {
    let dot = name.iter().position(|octet| *octet == b'.')?;
    Some(&name[dot + 1..])
}

/// Whether a name, in lower case, is one of a service that tells who asks from which address.
pub(super) fn tells_own_address(name: &[u8]) -> bool {
    OWN_ADDRESS.hold(name)
}

/// Whether a name, in lower case, is one that anybody may take and move at any time.
pub(super) fn is_dynamic(name: &[u8]) -> bool {
    DYNAMIC.hold(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_that_tell_ones_address_are_known_with_all_below_them() {
        for name in [
            "ipify.org",
            "api.ipify.org",
            "ip-api.com",
            "checkip.dyndns.org",
            "a-long-label-before.checkip.amazonaws.com",
        ] {
            assert!(tells_own_address(name.as_bytes()), "{name}");
        }
        for name in [
            "notipify.org",
            "dyndns.org",
            "org",
            "",
            ".",
            "ipify.org.",
            "ipify.org.example.com",
            "a-long-label-beforecheckip.amazonaws.com",
        ] {
            assert!(!tells_own_address(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn names_that_anybody_takes_are_known_by_their_service() {
        for (name, dynamic) in [
            ("me.duckdns.org", true),
            ("a.b.no-ip.org", true),
            ("www.example.org", false),
            ("duckdns.org.example.com", false),
        ] {
            assert_eq!(is_dynamic(name.as_bytes()), dynamic, "{name}");
        }
    }

    #[test]
    fn what_services_are_asked_about_is_no_message() {
        for name in ["4.3.2.1.in-addr.arpa", "k7q2.avqs.mcafee.com", "2.0.0.127.zen.spamhaus.org"] {
            assert!(is_looked_up(name.as_bytes()), "{name}");
        }
        for name in ["arpa.example.com", "k7q2.notmcafee.com", "mcafee.com.example.org"] {
            assert!(!is_looked_up(name.as_bytes()), "{name}");
        }
    }
}
