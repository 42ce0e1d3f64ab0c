//! Rules that people ask for again and again, as the text of a policy.

/// What a device may do, under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preset {
    /// As commands and pages call it.
    pub name: &'static str,
    /// What it does, for people.
    pub words: &'static str,
    /// What has to be named besides the device; nothing if it needs no more.
    pub with: Option<&'static str>,
    /// Each rule: effect, who, to, services. An empty `who` or `to` is the device, [`WITH`] what was named besides.
    rules: &'static [(&'static str, &'static str, &'static [&'static str], &'static [&'static str])],
}

/// Stands for what was named besides the device.
const WITH: &str = "*";
/// Networks that are nobody's on the internet. **Source**: RFC 1918; RFC 4193; link-local addresses.
const LOCAL: &[&str] = &["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fe80::/10"];

/// Every preset.
pub const PRESETS: [Preset; 6] = [
    Preset {
        name: "internet-only",
        words: "begins conversations with the internet, and with nobody on the local networks behind the box",
        with: None,
        rules: &[("deny", "", LOCAL, &["any"]), ("allow", "", &["internet"], &["any"])],
    },
    Preset {
        name: "local-only",
        words: "begins conversations with local networks, and with nobody on the internet",
        with: None,
        rules: &[("deny", "", &["internet"], &["any"]), ("allow", "", LOCAL, &["any"])],
    },
    Preset {
        name: "no-internet",
        words: "never begins a conversation with the internet, whatever other rules allow",
        with: None,
        rules: &[("deny", "", &["internet"], &["any"])],
    },
    Preset {
        name: "vendor-cloud",
        words: "reaches its maker's hosts over TLS and MQTT, and nothing else on the internet",
        with: Some("the hosts, as *.example.com"),
        rules: &[("allow", "", &[WITH], &["https", "mqtt"])],
    },
    Preset {
        name: "printer",
        words: "takes print jobs from the networks that are named, on the uplink side too, and begins nothing by itself",
        with: Some("the networks that print, as 192.168.1.0/24"),
        rules: &[("allow", WITH, &[""], &["printing"])],
    },
    Preset {
        name: "camera-to-recorder",
        words: "sends its pictures to a recorder, by RTSP or over TLS, and reaches nothing else",
        with: Some("the recorder: its address, or its name in the policy"),
        rules: &[("allow", "", &[WITH], &["rtsp", "https", "tcp/8000"])],
    },
];

impl Preset {
    /// The preset of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        PRESETS.iter().find(|preset| preset.name == name)
    }

    /// Its rules for a device of the policy, as tables to put behind the policy's text; `with` is what was named besides, and `owner`
    /// who asks.
    #[must_use]
    pub fn text(&self, device: &str, with: &[String], owner: &str) -> String {
        let mut text = String::new();
        let own = [device.to_owned()];
        for (n, (effect, who, to, services)) in self.rules.iter().enumerate() {
            let stands_for = |word: &&str| match *word {
                "" => own.to_vec(),
                WITH => with.to_vec(),
                word => vec![word.to_owned()],
            };
            let number = if n == 0 { String::new() } else { format!(" {}", n + 1) };
            let name = format!("{device} {}{number}", self.name);
            let to: Vec<String> = to.iter().flat_map(stands_for).collect();
            let services: Vec<String> = services.iter().map(|service| (*service).to_owned()).collect();
            let keys = [("who", stands_for(who)), ("to", to), ("service", services)];
            text += &format!("\n[[{effect}]]\nname = {}\n", quoted(&name));
            for (key, words) in keys {
                let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
                text += &format!("{key} = [{}]\n", words.join(", "));
            }
            text += &format!("owner = {}\ncomment = {}\n", quoted(owner), quoted(self.words));
        }
        text
    }
}

/// A text as TOML has it.
#[must_use]
pub fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::read;
    use crate::{Asked, Effect, Sender, Start, decide};
    use terms::Timestamp;

    /// What a policy with one preset says of a conversation that `pc` begins, or that begins outside.
    fn ruled(preset: &str, with: &str, from: Option<&str>, to: &str, asked: (u8, u16), names: &[String]) -> Effect {
        let text = "posture = \"enforce\"\n[[device]]\nname = \"pc\"\nmacs = [\"02:00:00:00:00:01\"]\n\
            addresses = [\"192.168.1.5\"]\nstate = \"approved\"\n";
        let preset = Preset::named(preset).unwrap();
        let policy = read(&(text.to_owned() + &preset.text("pc", &[with.to_owned()], "me"))).unwrap();
        let mac = policy.devices[0].macs[0];
        let sender = from.map_or(Sender::Lan(Some(mac), "192.168.1.5".parse().unwrap()), |from| {
            Sender::Uplink(from.parse().unwrap())
        });
        let to_mac = from.map(|_| mac);
        let (to, asked) = (to.parse().unwrap(), Asked::port(asked.0, asked.1));
        decide(&policy, &Start { from: sender, to, to_mac, asked, names, servers: &[], at: Timestamp::EPOCH }).effect
    }

    #[test]
    fn each_preset_allows_what_it_says_and_no_more() {
        use Effect::{Allow, Deny};
        let tcp = |port| (6, port);
        assert_eq!(ruled("internet-only", "", None, "203.0.113.7", tcp(443), &[]), Allow);
        assert_eq!(ruled("internet-only", "", None, "10.1.2.3", tcp(443), &[]), Deny);
        assert_eq!(ruled("local-only", "", None, "203.0.113.7", tcp(443), &[]), Deny);
        assert_eq!(ruled("local-only", "", None, "10.1.2.3", tcp(22), &[]), Allow);
        assert_eq!(ruled("no-internet", "", None, "203.0.113.7", tcp(443), &[]), Deny);
        let (cloud, told) = ("*.example.com", ["cam.example.com".to_owned()]);
        assert_eq!(ruled("vendor-cloud", cloud, None, "203.0.113.7", tcp(8883), &told), Allow);
        assert_eq!(ruled("vendor-cloud", cloud, None, "203.0.113.7", tcp(8883), &[]), Deny);
        assert_eq!(ruled("printer", "10.0.0.0/8", Some("10.0.0.9"), "192.168.1.5", tcp(9100), &[]), Allow);
        assert_eq!(ruled("printer", "10.0.0.0/8", Some("10.0.0.9"), "192.168.1.5", tcp(22), &[]), Deny);
        assert_eq!(ruled("printer", "10.0.0.0/8", None, "10.0.0.9", tcp(445), &[]), Deny);
        assert_eq!(ruled("camera-to-recorder", "10.0.0.9", None, "10.0.0.9", tcp(554), &[]), Allow);
        assert_eq!(ruled("camera-to-recorder", "10.0.0.9", None, "10.0.0.8", tcp(554), &[]), Deny);
    }

    #[test]
    fn what_is_named_can_break_out_of_no_string() {
        let text = Preset::named("vendor-cloud").unwrap().text("a\"\n[[allow]]", &["\"]\nx = [\"".into()], "o\"o");
        let read: toml::Table = text.parse().unwrap();
        assert_eq!((read.len(), read["allow"].as_array().map(Vec::len)), (1, Some(1)), "{text}");
        assert_eq!(read["allow"][0].get("x"), None, "{text}");
    }
}
