//! A place in a file: a value with the way to it, so that every complaint says where.

use core::ops::RangeInclusive;

use super::MudError;
use super::json::{Node, Value};

/// Octets of a text that is kept.
const TEXT: usize = 1_024;

/// A value and the way to it.
#[derive(Clone, Debug)]
pub(super) struct Place<'a> {
    node: &'a Node,
    field: String,
}

impl<'a> Place<'a> {
    /// The whole file.
    pub(super) const fn whole(node: &'a Node) -> Self {
        Self { node, field: String::new() }
    }

    /// A complaint about this value.
    pub(super) fn wrong(&self, what: impl Into<String>) -> MudError {
        MudError { line: self.node.line, field: self.field.clone(), what: what.into() }
    }

    fn inner(&self, name: &str, node: &'a Node) -> Self {
        let field = if self.field.is_empty() { name.into() } else { format!("{}.{name}", self.field) };
        Self { node, field }
    }

    fn object(&self) -> Result<&'a [(String, Node)], MudError> {
        match &self.node.value {
            Value::Object(members) => Ok(members),
            _ => Err(self.wrong("is no object")),
        }
    }

    /// The members; each must be one of those that are known.
    pub(super) fn members(&self, known: &[&str]) -> Result<Vec<(&'a str, Self)>, MudError> {
        let mut members = Vec::new();
        for (name, node) in self.object()? {
            let place = self.inner(name, node);
            if !known.contains(&name.as_str()) {
                return Err(place.wrong("is an extension that is not known"));
            }
            members.push((name.as_str(), place));
        }
        Ok(members)
    }

    /// The member with this name, where there is one.
    pub(super) fn get(&self, name: &str) -> Result<Option<Self>, MudError> {
        let found = self.object()?.iter().find(|(known, _)| known == name);
        Ok(found.map(|(name, node)| self.inner(name, node)))
    }

    /// The member with one of these names, which say the same.
    ///
    /// # Errors
    /// More than one is there.
    pub(super) fn one_of(&self, names: &[&str]) -> Result<Option<Self>, MudError> {
        let mut found = None;
        for name in names {
            let Some(place) = self.get(name)? else { continue };
            if found.replace(place.clone()).is_some() {
                return Err(
                    place.wrong(format!("says the same as another member: one of {} is enough", names.join(", ")))
                );
            }
        }
        Ok(found)
    }

    /// The member with this name, which must be there.
    pub(super) fn need(&self, names: &[&str]) -> Result<Self, MudError> {
        self.one_of(names)?.ok_or_else(|| self.wrong(format!("lacks {}", names.join(" or "))))
    }

    /// The values of a list.
    pub(super) fn list(&self) -> Result<Vec<Self>, MudError> {
        match &self.node.value {
            Value::List(nodes) => Ok(nodes
                .iter()
                .enumerate()
                .map(|(n, node)| Self { node, field: format!("{}[{n}]", self.field) })
                .collect()),
            _ => Err(self.wrong("is no list")),
        }
    }

    /// A text in one line.
    pub(super) fn text(&self) -> Result<&'a str, MudError> {
        match &self.node.value {
            Value::Text(text) if text.len() > TEXT => Err(self.wrong(format!("is longer than {TEXT} octets"))),
            Value::Text(text) if text.chars().any(char::is_control) => Err(self.wrong("holds control characters")),
            Value::Text(text) => Ok(text),
            _ => Err(self.wrong("is no text")),
        }
    }

    /// A whole number.
    pub(super) fn number(&self, range: RangeInclusive<u16>) -> Result<u16, MudError> {
        let Value::Number(digits) = &self.node.value else { return Err(self.wrong("is no number")) };
        let number = digits.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| self.wrong(format!("is {digits}; {} to {} can be", range.start(), range.end())))
    }

    /// Yes or no.
    pub(super) fn is_true(&self) -> Result<bool, MudError> {
        match self.node.value {
            Value::Bool(yes) => Ok(yes),
            _ => Err(self.wrong("is neither true nor false")),
        }
    }

    /// A member that only says that it is there: `[null]`.
    pub(super) fn is_there(&self) -> Result<(), MudError> {
        match &self.node.value {
            Value::Null => Ok(()),
            Value::List(one) if matches!(&one[..], [Node { value: Value::Null, .. }]) => Ok(()),
            _ => Err(self.wrong("must be [null]: it has no value")),
        }
    }
}

/// An identity without the module in front of it: `accept` of `ietf-access-control-list:accept`.
pub(super) fn bare(identity: &str) -> &str {
    identity.rsplit(':').next().unwrap_or(identity)
}
