//! The text of a configuration file -> the configuration, or everything that is wrong with it.

use std::collections::BTreeMap;
use std::ops::Range;

use policy::text::{Fault, likely, line_at, nearest, refuse_depth, short};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::keys::{self, Config, KEYS, Key, TABLES};

/// The largest file that is read, in octets.
pub const TEXT_MAX: usize = 256 << 10;
/// The most faults that are told at once.
const FAULTS_MAX: usize = 20;

/// The line of the file that set a key, by table and name.
pub type Origins = BTreeMap<(&'static str, &'static str), usize>;

/// Reads a whole file.
///
/// # Errors
/// Every fault that was found, in the order of the lines, at most 20; never an empty list.
pub fn read(text: &str) -> Result<(Config, Origins), Vec<Fault>> {
    read_over(Config::default(), text)
}

/// Reads a file over a configuration: what the file does not name stays.
///
/// # Errors
/// As for [`read`].
pub fn read_over(config: Config, text: &str) -> Result<(Config, Origins), Vec<Fault>> {
    refuse_depth(text)?;
    let document = DeTable::parse(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_at(text, span.start));
        vec![Fault { line, what: format!("this is not TOML: {}", error.message().replace('\n', ", ")) }]
    })?;
    let mut reading = Reading { text, config, origins: Origins::new(), faults: Vec::new() };
    reading.top(document.get_ref());
    reading.agree();
    let Reading { config, origins, mut faults, .. } = reading;
    faults.sort_by_key(|fault| fault.line);
    faults.truncate(FAULTS_MAX);
    if faults.is_empty() { Ok((config, origins)) } else { Err(faults) }
}

/// A file being read.
struct Reading<'t> {
    text: &'t str,
    config: Config,
    origins: Origins,
    faults: Vec<Fault>,
}

impl Reading<'_> {
    /// The top of the file: keys without a table, and the tables.
    fn top(&mut self, document: &DeTable<'_>) {
        for (name, value) in document {
            let known = TABLES.iter().find(|(table, _)| table == name.get_ref());
            match (known, value.get_ref(), keys::find("", name.get_ref())) {
                (Some((table, _)), DeValue::Table(entries), _) => self.table(table, entries),
                (Some((table, _)), ..) => {
                    self.fault(name.span(), format!("{table} is a table: write [{table}] and its keys below it"))
                }
                (None, _, Some(key)) => self.value(key, name.span(), value),
                (None, DeValue::Table(_), None) => self.unknown_table(name),
                (None, _, None) => self.unknown_key("", name),
            }
        }
    }

    /// The keys of one table.
    fn table(&mut self, table: &'static str, entries: &DeTable<'_>) {
        for (name, value) in entries {
            match keys::find(table, name.get_ref()) {
                Some(key) => self.value(key, name.span(), value),
                None => self.unknown_key(table, name),
            }
        }
    }

    /// The value of a known key.
    fn value(&mut self, key: &'static Key, at: Range<usize>, value: &Spanned<DeValue<'_>>) {
        if (key.take)(&mut self.config, value.get_ref()) {
            self.origins.insert((key.table, key.name), line_at(self.text, at.start));
        } else {
            let found = match value.get_ref() {
                DeValue::Table(_) => "a table".to_owned(),
                _ => short(self.text.get(value.span()).unwrap_or_default()),
            };
            self.fault(at, format!("{} expects {}, not {found}", place(key.table, key.name), (key.expected)()));
        }
    }

    fn unknown_key(&mut self, table: &str, name: &Spanned<impl AsRef<str>>) {
        let unknown = name.get_ref().as_ref();
        let hint = match KEYS.iter().find(|key| key.name == unknown) {
            Some(key) if key.table.is_empty() => "it belongs to the top of the file".into(),
            Some(key) => format!("it belongs to [{}]", key.table),
            None => format!("the nearest known key is {}", nearest_key(table, unknown)),
        };
        self.fault(name.span(), format!("unknown key {}; {hint}", place(table, &short(unknown))));
    }

    fn unknown_table(&mut self, name: &Spanned<impl AsRef<str>>) {
        let unknown = name.get_ref().as_ref();
        let known = nearest(unknown, TABLES.iter().map(|(table, _)| *table)).unwrap_or_default();
        self.fault(name.span(), format!("unknown table [{}]; the nearest known table is [{known}]", short(unknown)));
    }

    /// What values must hold together.
    fn agree(&mut self) {
        let Config { links, respond, api, intake, .. } = &self.config;
        if respond.longest < respond.block_for {
            self.disagreement("respond", "longest", "must not be less than block_for");
        } else if !links.lan.is_empty() && links.lan == links.uplink {
            self.disagreement("links", "uplink", "must be another link than lan");
        } else if [&links.lan, &links.uplink].contains(&&links.bridge) && !links.bridge.is_empty() {
            self.disagreement("links", "bridge", "must be another link than lan and uplink");
        } else if links.bridge.is_empty() {
            self.disagreement("links", "bridge", "needs a name");
        } else if intake.user == api.user {
            self.disagreement("intake", "user", "must be another number than user in [api]");
        } else if !intake.syslog_tls.is_empty() && api.listen.is_empty() {
            self.disagreement("intake", "syslog_tls", "needs an address in [api] listen: the certificate is the API's");
        }
    }

    /// Two values that do not go together; told at the line of the named one, or of whichever of its table the file sets last.
    fn disagreement(&mut self, table: &'static str, name: &'static str, what: &str) {
        let of_table = self.origins.range((table, "")..).take_while(|((t, _), _)| *t == table).map(|(_, line)| *line);
        let line = self.origins.get(&(table, name)).copied().or_else(|| of_table.max()).unwrap_or(1);
        self.faults.push(Fault { line, what: format!("{} {what}", place(table, name)) });
    }

    fn fault(&mut self, at: Range<usize>, what: String) {
        self.faults.push(Fault { line: line_at(self.text, at.start), what });
    }
}

/// The key that was meant: the nearest of the same table, or of another one (with its table) if that is likelier.
fn nearest_key(table: &str, unknown: &str) -> String {
    let of = |here: bool| nearest(unknown, KEYS.iter().filter(|key| (key.table == table) == here).map(|key| key.name));
    match (of(true).unwrap_or_default(), of(false).unwrap_or_default()) {
        (here, elsewhere) if likely(unknown, here) || !likely(unknown, elsewhere) => here.to_owned(),
        (_, elsewhere) => {
            KEYS.iter().find(|key| key.name == elsewhere).map_or_else(String::new, |key| place(key.table, key.name))
        }
    }
}

/// The key with its table, as it is told.
fn place(table: &str, name: &str) -> String {
    if table.is_empty() { name.to_owned() } else { format!("{name} in [{table}]") }
}
