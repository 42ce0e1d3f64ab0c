//! Lists: filtered, sorted and paged on the server, at most 100 rows a page, as JSON or CSV.
//!
//! `q` keeps rows that hold a text anywhere, the name of a field rows whose field is, or holds, a value. Paging is by key, not by offset: `next` names the last row that was shown, so rows that come and go move nobody's page.

use std::cmp::Ordering;
use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::call::{Call, encode};
use super::reply::Reply;
use crate::problem::Problem;

/// The most rows of a page.
pub const LIMIT_MAX: usize = 100;
/// Rows of a page where nothing is said.
const LIMIT: usize = 50;

/// How a list is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    limit: usize,
    /// Field, and whether the largest comes first.
    sort: Option<(String, bool)>,
    filters: Vec<(String, String)>,
    /// What a row must hold somewhere, in small letters.
    search: Option<String>,
    /// The sorted field and the id of the last row that was shown.
    after: Option<(Value, Value)>,
    csv: bool,
}

impl Listed {
    /// Reads the parameters `limit`, `after`, `sort`, `q` and those named like fields.
    ///
    /// # Errors
    /// One of them is unknown or out of bounds.
    pub fn read(call: &Call, fields: &[&str]) -> Result<Self, Problem> {
        let mut asked =
            Self { limit: LIMIT, sort: None, filters: Vec::new(), search: None, after: None, csv: call.csv };
        for (name, value) in &call.query {
            match name.as_str() {
                "limit" => asked.limit = limit(value)?,
                "q" => asked.search = Some(value.to_lowercase()),
                "after" => {
                    let cursor: Option<(Value, Value)> = serde_json::from_str(value).ok();
                    asked.after = Some(cursor.ok_or_else(|| Problem::field("after", "take it from next as it is"))?);
                }
                "sort" => {
                    let (field, down) = value.strip_prefix('-').map_or((value.as_str(), false), |field| (field, true));
                    if !fields.contains(&field) {
                        return Err(Problem::field(
                            "sort",
                            format!("takes one of {}, with - for the largest first", fields.join(", ")),
                        ));
                    }
                    asked.sort = Some((field.into(), down));
                }
                field if fields.contains(&field) => asked.filters.push((field.into(), value.clone())),
                other => return Err(unknown(other, fields)),
            }
        }
        Ok(asked)
    }

    /// The page of these rows.
    #[must_use]
    pub fn page(&self, mut rows: Vec<Value>, path: &str) -> Reply {
        rows.retain(|row| self.filters.iter().all(|(field, wanted)| is(&row[field], wanted)));
        rows.retain(|row| self.search.as_ref().is_none_or(|wanted| holds(row, wanted)));
        let mut rows: Vec<((Value, Value), Value)> = rows.into_iter().map(|row| (self.key(&row), row)).collect();
        if let Some(after) = &self.after {
            rows.retain(|(key, _)| self.order(key, after) == Ordering::Greater);
        }
        rows.sort_by(|(a, _), (b, _)| self.order(a, b));
        let more = rows.len() > self.limit;
        rows.truncate(self.limit);
        let next = rows.last().filter(|_| more).map(|(key, _)| self.next(key, path));
        reply(rows.into_iter().map(|(_, row)| row).collect(), next, self.csv)
    }

    fn key(&self, row: &Value) -> (Value, Value) {
        let field = self.sort.as_ref().map_or(Value::Null, |(field, _)| row[field].clone());
        (field, id(row).clone())
    }

    fn order(&self, a: &(Value, Value), b: &(Value, Value)) -> Ordering {
        let by = compare(&a.0, &b.0);
        let by = if self.sort.as_ref().is_some_and(|(_, down)| *down) { by.reverse() } else { by };
        by.then_with(|| compare(&a.1, &b.1))
    }

    fn next(&self, last: &(Value, Value), path: &str) -> String {
        let cursor = serde_json::to_string(last).unwrap_or_default();
        let mut next = format!("{path}?limit={}", self.limit);
        // Writing to a string cannot fail.
        if let Some((field, down)) = &self.sort {
            let _ = write!(next, "&sort={}{field}", if *down { "-" } else { "" });
        }
        for (field, wanted) in &self.filters {
            let _ = write!(next, "&{field}={}", encode(wanted));
        }
        if let Some(wanted) = &self.search {
            let _ = write!(next, "&q={}", encode(wanted));
        }
        let _ = write!(next, "&after={}", encode(&cursor));
        next
    }
}

/// A page of a list that is kept by number, newest first.
pub struct Page<R> {
    /// The rows.
    pub items: Vec<R>,
    /// The number below which the next page begins.
    pub before: Option<u64>,
}

impl<R: Serialize + JsonSchema> Page<R> {
    pub(super) fn reply(&self, call: &Call, path: &str) -> Reply {
        let next = self.before.map(|before| {
            let kept = call.query.iter().filter(|(name, _)| name != "before");
            let kept: String = kept.map(|(name, value)| format!("{}={}&", encode(name), encode(value))).collect();
            format!("{path}?{kept}before={before}")
        });
        let rows = self.items.iter().filter_map(|row| serde_json::to_value(row).ok()).collect();
        reply(rows, next, call.csv)
    }
}

/// The parameters `limit` and `before` of a list that is kept by number; others must be among `fields`.
///
/// # Errors
/// One of them is unknown or out of bounds.
pub fn keyset(call: &Call, fields: &[&str]) -> Result<(usize, Option<u64>), Problem> {
    let (mut most, mut before) = (LIMIT, None);
    for (name, value) in &call.query {
        match name.as_str() {
            "limit" => most = limit(value)?,
            "before" => {
                before = Some(value.parse().map_err(|_| Problem::field("before", "takes a number"))?);
            }
            field if fields.contains(&field) => {}
            other => return Err(unknown(other, fields)),
        }
    }
    Ok((most, before))
}

fn limit(value: &str) -> Result<usize, Problem> {
    let limit = value.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
    limit.ok_or_else(|| Problem::field("limit", format!("takes a whole number from 1 to {LIMIT_MAX}")))
}

fn unknown(name: &str, fields: &[&str]) -> Problem {
    Problem::field(
        &crate::words::plain(name, 40),
        format!("is no parameter of this list; it takes limit and {}", fields.join(", ")),
    )
}

fn reply(rows: Vec<Value>, next: Option<String>, as_csv: bool) -> Reply {
    if as_csv {
        Reply::text("text/csv; charset=utf-8", csv(&rows))
    } else {
        Reply::json(200, &json!({"items": rows, "next": next}))
    }
}

/// What tells a row from every other.
fn id(row: &Value) -> &Value {
    ["id", "host", "number"].iter().map(|name| &row[*name]).find(|value| !value.is_null()).unwrap_or(&Value::Null)
}

/// Whether a field is a value, or a list with it.
fn is(field: &Value, wanted: &str) -> bool {
    match field {
        Value::Array(all) => all.iter().any(|one| is(one, wanted)),
        one => text(one).eq_ignore_ascii_case(wanted),
    }
}

/// Whether a text stands anywhere in a row; `wanted` is in small letters.
fn holds(row: &Value, wanted: &str) -> bool {
    match row {
        Value::Array(all) => all.iter().any(|one| holds(one, wanted)),
        Value::Object(fields) => fields.values().any(|one| holds(one, wanted)),
        one => text(one).to_lowercase().contains(wanted),
    }
}

/// Numbers by size, everything else as text.
fn compare(a: &Value, b: &Value) -> Ordering {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        _ => text(a).cmp(&text(b)),
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| if value.is_null() { String::new() } else { value.to_string() }, str::to_owned)
}

/// Rows as CSV (RFC 4180). A cell that a spreadsheet would take for a formula begins with a quote. **Source**: OWASP, "CSV Injection".
fn csv(rows: &[Value]) -> String {
    let cell = |value: &Value| {
        let text = text(value);
        let formula = value.is_string() && text.starts_with(['=', '+', '-', '@', '\t', '\r']);
        format!("\"{}{}\"", if formula { "'" } else { "" }, text.replace('"', "\"\""))
    };
    let Some(Value::Object(first)) = rows.first() else { return String::new() };
    let mut out: String = first.keys().map(String::as_str).collect::<Vec<_>>().join(",") + "\r\n";
    for row in rows {
        out += &(first.keys().map(|name| cell(&row[name])).collect::<Vec<_>>().join(",") + "\r\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(query: &str) -> Call {
        Call {
            caller: None,
            telling: None,
            from: [127, 0, 0, 1].into(),
            port: 0,
            agent: String::new(),
            path: Vec::new(),
            query: super::super::call::query(query).expect("a query"),
            octets: Vec::new(),
            if_match: None,
            csv: false,
            page: false,
        }
    }

    fn rows() -> Vec<Value> {
        (0..250).map(|n| json!({"id": n, "side": if n % 3 == 0 { "lan" } else { "uplink" }, "score": n % 7})).collect()
    }

    /// All rows of a list, page by page, as the answers say.
    fn all(query: &str) -> Vec<Value> {
        let (mut query, mut all) = (query.to_owned(), Vec::new());
        loop {
            let reply = Listed::read(&call(&query), &["side", "score"]).expect("a list").page(rows(), "/x");
            let page: Value = serde_json::from_slice(&reply.body).expect("JSON");
            let items = page["items"].as_array().expect("rows").clone();
            assert!(items.len() <= LIMIT_MAX);
            all.extend(items);
            match page["next"].as_str() {
                Some(next) => query = next.split_once('?').expect("a query").1.to_owned(),
                None => return all,
            }
        }
    }

    #[test]
    fn every_row_comes_once_whatever_the_order_and_the_page() {
        for query in ["", "limit=1", "limit=100&sort=score", "limit=7&sort=-score", "sort=side"] {
            let mut ids: Vec<_> = all(query).iter().map(|row| row["id"].as_u64().expect("an id")).collect();
            ids.sort_unstable();
            assert_eq!(ids, (0..250).collect::<Vec<_>>(), "{query}");
        }
        let scores: Vec<_> = all("limit=9&sort=-score").iter().map(|row| row["score"].as_u64()).collect();
        assert!(scores.windows(2).all(|pair| pair[0] >= pair[1]));
        assert_eq!(all("side=LAN&limit=10").len(), 84);
        assert_eq!(all("q=LaN&limit=10").len(), 84);
    }

    #[test]
    fn what_is_no_parameter_is_refused_by_name() {
        for query in ["limit=0", "limit=101", "limit=x", "after=x", "sort=secret", "secret=1"] {
            let problem = Listed::read(&call(query), &["side"]).expect_err(query);
            assert_eq!((problem.status, problem.field.is_some()), (422, true), "{query}");
        }
    }

    #[test]
    fn a_list_in_a_row_is_looked_into() {
        let row = json!({"id": 1, "macs": ["02:00:00:00:00:01", "02:00:00:00:00:02"], "names": [{"name": "Kitchen"}]});
        let found = |query: &str| {
            let page = Listed::read(&call(query), &["macs"]).expect("a list").page(vec![row.clone()], "/x");
            serde_json::from_slice::<Value>(&page.body).expect("JSON")["items"].as_array().map(Vec::len)
        };
        assert_eq!((found("macs=02:00:00:00:00:02"), found("macs=02:00:00:00:00:03")), (Some(1), Some(0)));
        assert_eq!((found("q=kitch"), found("q=kitchenette")), (Some(1), Some(0)));
    }

    #[test]
    fn no_cell_of_a_csv_is_a_formula() {
        let text = csv(&[json!({"a": "=1+1", "b": "say \"x\"", "c": -5, "d": null, "e": "@x"})]);
        assert_eq!(text, "a,b,c,d,e\r\n\"'=1+1\",\"say \"\"x\"\"\",\"-5\",\"\",\"'@x\"\r\n");
    }
}
