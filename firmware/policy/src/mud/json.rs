//! JSON as a tree that knows its lines.
//!
//! **Bounds**: 32 levels deep; a member told twice is refused, since readers would not agree on which one counts.
//!
//! **Source**: RFC 8259.

use super::MudError;

/// Levels of lists and objects.
const DEEPEST: usize = 32;

/// A value and where it begins.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    /// The line of its first octet, from 1.
    pub(super) line: u32,
    pub(super) value: Value,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    /// As it is written.
    Number(String),
    Text(String),
    List(Vec<Node>),
    /// In the order of the file.
    Object(Vec<(String, Node)>),
}

/// Reads a whole file.
pub(super) fn parse(text: &str) -> Result<Node, MudError> {
    let mut reader = Reader { text: text.as_bytes(), at: 0, line: 1 };
    let node = reader.value(0)?;
    reader.blank();
    match reader.peek() {
        None => Ok(node),
        Some(_) => Err(reader.error("something stands behind the end of the object")),
    }
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    line: u32,
}

impl Reader<'_> {
    fn error(&self, what: impl Into<String>) -> MudError {
        MudError { line: self.line, field: String::new(), what: what.into() }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn next(&mut self) -> Result<u8, MudError> {
        let octet = self.peek().ok_or_else(|| self.error("the file ends in the middle of a value"))?;
        self.at += 1;
        Ok(octet)
    }

    fn blank(&mut self) {
        while let Some(octet @ (b' ' | b'\t' | b'\r' | b'\n')) = self.peek() {
            self.at += 1;
            self.line += u32::from(octet == b'\n');
        }
    }

    /// The next octet behind blanks.
    fn mark(&mut self) -> Result<u8, MudError> {
        self.blank();
        self.next()
    }

    fn value(&mut self, depth: usize) -> Result<Node, MudError> {
        if depth == DEEPEST {
            return Err(self.error(format!("the file is more than {DEEPEST} levels deep")));
        }
        self.blank();
        let line = self.line;
        let value = match self.next()? {
            b'{' => Value::Object(self.object(depth)?),
            b'[' => Value::List(self.list(depth)?),
            b'"' => Value::Text(self.text()?),
            b't' => self.word("rue", Value::Bool(true))?,
            b'f' => self.word("alse", Value::Bool(false))?,
            b'n' => self.word("ull", Value::Null)?,
            first @ (b'-' | b'0'..=b'9') => Value::Number(self.number(first)),
            _ => return Err(self.error("this is not JSON: a value was expected")),
        };
        Ok(Node { line, value })
    }

    fn word(&mut self, rest: &str, value: Value) -> Result<Value, MudError> {
        if !self.text[self.at..].starts_with(rest.as_bytes()) {
            return Err(self.error("this is not JSON: a value was expected"));
        }
        self.at += rest.len();
        Ok(value)
    }

    fn number(&mut self, first: u8) -> String {
        let mut number = String::from(char::from(first));
        while let Some(octet @ (b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-')) = self.peek() {
            number.push(char::from(octet));
            self.at += 1;
        }
        number
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Node>, MudError> {
        let mut list = Vec::new();
        self.blank();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(list);
        }
        loop {
            list.push(self.value(depth + 1)?);
            match self.mark()? {
                b',' => {}
                b']' => return Ok(list),
                _ => return Err(self.error("this is not JSON: , or ] was expected")),
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Vec<(String, Node)>, MudError> {
        let mut members: Vec<(String, Node)> = Vec::new();
        self.blank();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(members);
        }
        loop {
            if self.mark()? != b'"' {
                return Err(self.error("this is not JSON: the name of a member was expected"));
            }
            let name = self.text()?;
            if members.iter().any(|(known, _)| *known == name) {
                return Err(self.error(format!("{name:?} is told twice")));
            }
            if self.mark()? != b':' {
                return Err(self.error("this is not JSON: : was expected"));
            }
            members.push((name, self.value(depth + 1)?));
            match self.mark()? {
                b',' => {}
                b'}' => return Ok(members),
                _ => return Err(self.error("this is not JSON: , or } was expected")),
            }
        }
    }

    /// The text behind a quotation mark.
    fn text(&mut self) -> Result<String, MudError> {
        let mut octets = Vec::new();
        loop {
            match self.next()? {
                b'"' => break,
                b'\\' => octets.extend(self.escaped()?.to_string().as_bytes()),
                0..0x20 => return Err(self.error("a text holds a line end or a control character")),
                octet => octets.push(octet),
            }
        }
        String::from_utf8(octets).map_err(|_| self.error("a text is not UTF-8"))
    }

    fn escaped(&mut self) -> Result<char, MudError> {
        Ok(match self.next()? {
            plain @ (b'"' | b'\\' | b'/') => char::from(plain),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.unit()?;
                let code = if (0xd800..0xdc00).contains(&first) && self.text[self.at..].starts_with(b"\\u") {
                    self.at += 2;
                    0x1_0000 + ((first - 0xd800) << 10 | (self.unit()?.wrapping_sub(0xdc00) & 0x3ff))
                } else {
                    first
                };
                char::from_u32(code).ok_or_else(|| self.error("a text holds half a character"))?
            }
            _ => return Err(self.error("a text holds an escape that JSON does not know")),
        })
    }

    /// Four hexadecimal digits.
    fn unit(&mut self) -> Result<u32, MudError> {
        let digits = self.text.get(self.at..self.at + 4).and_then(|four| str::from_utf8(four).ok());
        let digits = digits.filter(|four| four.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let unit = digits.and_then(|four| u32::from_str_radix(four, 16).ok());
        self.at += 4;
        unit.ok_or_else(|| self.error("a text holds an escape without its four digits"))
    }
}

/// A text as JSON writes it.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            c if u32::from(c) < 0x20 => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn error(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    #[test]
    fn values_know_their_lines() {
        let Value::Object(members) = parse("{\n \"a\": [1,\n -2.5e3],\n \"b\": null}").unwrap().value else { panic!() };
        assert_eq!((members[0].1.line, members[1].1.line), (2, 4));
        let Value::List(list) = &members[0].1.value else { panic!() };
        assert_eq!((list[1].line, &list[1].value), (3, &Value::Number("-2.5e3".into())));
    }

    #[test]
    fn texts_are_unescaped() {
        let Value::Text(text) = parse(r#""a\u00e4\ud83d\ude00\n\"""#).unwrap().value else { panic!() };
        assert_eq!(text, "a\u{e4}\u{1f600}\n\"");
        for broken in [r#""\ud83d""#, r#""\u12""#, r#""\x""#, "\"a\nb\"", "\"a", r#""\u"#] {
            assert!(parse(broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn what_is_no_json_is_refused_with_its_line() {
        assert_eq!(error("{\n\n]"), "line 3: this is not JSON: the name of a member was expected");
        assert_eq!(error("{\"a\": 1,\n\"a\": 2}"), "line 2: \"a\" is told twice");
        for broken in ["", "{", "[1 2]", "tru", "{}{}", "{\"a\" 1}", "{a: 1}", "[1,]", "\u{feff}{}"] {
            assert!(parse(broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn a_bottomless_file_is_refused() {
        assert!(error(&"[".repeat(60_000)).contains("levels deep"));
        assert!(error(&"{\"a\":".repeat(10_000)).contains("levels deep"));
        assert!(parse(&format!("{}{}", "[".repeat(DEEPEST), "]".repeat(DEEPEST))).is_ok());
    }

    proptest! {
        #[test]
        fn noise_is_never_a_panic(text in "[\\[\\]{}\",:0-9a-u\\\\ \n]{0,60}") {
            let _ = parse(&text);
        }

        #[test]
        fn a_text_reads_back_as_written(text in any::<String>()) {
            prop_assert_eq!(parse(&quoted(&text)).unwrap().value, Value::Text(text));
        }
    }
}
