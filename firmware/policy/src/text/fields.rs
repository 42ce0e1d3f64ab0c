//! The keys of one table of the text, taken out one by one.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fault::{Fault, line_at, short};
use super::nearest::nearest;

/// One table being read: what it holds, and what was wrong with it.
pub(super) struct Fields<'t> {
    text: &'t str,
    /// What the table is called in a fault.
    kind: &'static str,
    table: &'t DeTable<'t>,
    /// The octet at which it begins.
    pub at: usize,
    pub faults: Vec<Fault>,
}

/// A text with the place where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub text: String,
    /// The octet of the whole at which it begins.
    pub at: usize,
}

impl<'t> Fields<'t> {
    pub fn new(text: &'t str, kind: &'static str, table: &'t DeTable<'t>, at: usize) -> Self {
        Self { text, kind, table, at, faults: Vec::new() }
    }

    /// Keys that are none of these are faults.
    pub fn only(&mut self, known: &[&str]) {
        for (name, _) in self.table {
            if !known.contains(&name.get_ref().as_ref()) {
                let meant = nearest(name.get_ref(), known.iter().copied()).unwrap_or_default();
                let what =
                    format!("unknown key {} in {}; the nearest known key is {meant}", short(name.get_ref()), self.kind);
                self.fault(name.span().start, what);
            }
        }
    }

    /// A text.
    pub fn word(&mut self, key: &str) -> Option<Word> {
        let value = self.table.get(key)?;
        let word = word_of(value);
        if word.is_none() {
            self.expected(key, value, "a text");
        }
        word
    }

    /// A text that has to be there.
    pub fn needed(&mut self, key: &str) -> Option<Word> {
        if self.table.get(key).is_none() {
            let what = format!("{} needs a {key}", self.kind);
            self.fault(self.at, what);
        }
        self.word(key)
    }

    /// A text, or several in brackets.
    pub fn words(&mut self, key: &str) -> Vec<Word> {
        let Some(value) = self.table.get(key) else { return Vec::new() };
        let list = value.get_ref().as_array();
        let all: Option<Vec<Word>> = match list {
            Some(list) => list.iter().map(word_of).collect(),
            None => word_of(value).map(|word| vec![word]),
        };
        if all.is_none() {
            self.expected(key, value, "a text, or several in brackets");
        }
        all.unwrap_or_default()
    }

    /// `true` or `false`; `false` where it is missing.
    pub fn flag(&mut self, key: &str) -> bool {
        let Some(value) = self.table.get(key) else { return false };
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            self.expected(key, value, "true or false");
        }
        flag.unwrap_or_default()
    }

    /// A word that stands for one of these values.
    pub fn one_of<T: Copy>(&mut self, key: &str, all: &[T], text: fn(T) -> &'static str) -> Option<T> {
        let word = self.word(key)?;
        let found = all.iter().copied().find(|value| text(*value) == word.text);
        if found.is_none() {
            let known: Vec<_> = all.iter().map(|value| format!("\"{}\"", text(*value))).collect();
            let what = format!("{key} in {} expects {}, not \"{}\"", self.kind, known.join(" or "), short(&word.text));
            self.fault(word.at, what);
        }
        found
    }

    /// Words read by a function that says in words what is wrong with one.
    pub fn each<T>(&mut self, key: &str, mut read: impl FnMut(&str) -> Result<T, String>) -> Vec<T> {
        let words = self.words(key);
        let read = |word: &Word| match read(&word.text) {
            Ok(value) => Some(value),
            Err(why) => {
                self.fault(word.at, format!("{key} in {}: \"{}\" {why}", self.kind, short(&word.text)));
                None
            }
        };
        words.iter().filter_map(read).collect()
    }

    /// Notes what is wrong at an octet. Lines are counted for faults alone: a policy of 5,000 rules has tens of thousands of words.
    pub fn fault(&mut self, at: usize, what: String) {
        self.faults.push(Fault { line: line_at(self.text, at), what });
    }

    fn expected(&mut self, key: &str, value: &Spanned<DeValue<'_>>, what: &str) {
        let found = match value.get_ref() {
            DeValue::Table(_) => "a table".to_owned(),
            _ => short(self.text.get(value.span()).unwrap_or_default()),
        };
        let what = format!("{key} in {} expects {what}, not {found}", self.kind);
        self.fault(value.span().start, what);
    }
}

/// A text, or a date and time, which TOML writes without quotes.
fn word_of(value: &Spanned<DeValue<'_>>) -> Option<Word> {
    let at = value.span().start;
    match value.get_ref() {
        DeValue::String(word) => Some(Word { text: word.to_string(), at }),
        DeValue::Datetime(moment) => Some(Word { text: moment.to_string(), at }),
        _ => None,
    }
}
