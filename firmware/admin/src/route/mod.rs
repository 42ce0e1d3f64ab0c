//! A route: one declaration gives its handler, roles, scope, schemas, bounds and its entry in the OpenAPI document.
//!
//! ```text
//! Route::get("/api/v1/users", "The accounts").roles(OVERSEERS).lists(users::all)
//! Route::post("/api/v1/users", "Creates an account").roles(OWNERS).scope(Scope::People).creates(users::create)
//! ```

mod call;
mod list;
mod openapi;
mod reply;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::office::Office;
use crate::problem::Problem;
use crate::role::{Role, Scope};

pub use call::{Call, encode, query};
pub use list::{Listed, Page, keyset};
pub use openapi::document;
pub use reply::Reply;

/// The longest body that a route takes unless it says otherwise, in octets.
const BODY_MAX: usize = 16 << 10;

/// What a route does; runs on a thread that may block.
type Handler = Arc<dyn Fn(&Arc<Office>, Call) -> Result<Reply, Problem> + Send + Sync>;
/// What begins a session gives: its answer, and the token for the page's cookie if it is the page's.
pub type Entered<R> = Result<(R, Option<String>), Problem>;
/// A type's JSON schema.
type Schema = fn(&mut schemars::SchemaGenerator) -> schemars::Schema;

/// What a route is asked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Makes, or acts.
    Post,
    /// Changes.
    Patch,
    /// Ends.
    Delete,
}

/// How a route answers when all is well.
#[derive(Clone)]
pub enum Answer {
    /// With one object.
    One(u16, Schema),
    /// With a page of a list; these fields can be filtered by.
    List(Schema, &'static [&'static str], Paged),
    /// With nothing.
    Empty,
    /// With text of this type.
    Text(&'static str),
    /// With a stream of server-sent events.
    Stream,
}

/// Who pages a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paged {
    /// The route: the handler gives all rows, so they can be sorted and searched too.
    Here,
    /// The handler, by number.
    ByHandler,
}

/// One route.
#[derive(Clone)]
pub struct Route {
    /// How it is asked.
    pub method: Method,
    /// Where; `{name}` stands for any text.
    pub path: &'static str,
    /// What it is, in a line.
    pub summary: &'static str,
    /// Who may; nobody in particular means everybody, without a session too.
    pub roles: &'static [Role],
    /// What a program's token needs.
    pub scope: Scope,
    /// Whether an account that is not verified may.
    pub unverified: bool,
    /// Whether a session whose second factor is due may.
    pub before_totp: bool,
    /// Whether it is how a second factor is set up, so that an account that lacks one may.
    pub enrols: bool,
    /// Whether the password must have been asked for within five minutes.
    pub dangerous: bool,
    /// Whether a box without an owner serves it.
    pub unclaimed: bool,
    /// Whether it is for enrolled sources, and for nobody else.
    pub enrolled: bool,
    /// Whether the connection ends with the answer, so that what follows comes over a new one.
    pub parting: bool,
    /// The schema of its body.
    pub body: Option<Schema>,
    /// The longest body, in octets.
    pub body_max: usize,
    /// How it answers.
    pub answer: Answer,
    /// What it does.
    pub handler: Handler,
}

impl Route {
    fn new(method: Method, path: &'static str, summary: &'static str) -> Self {
        let scope = if method == Method::Get { Scope::Read } else { Scope::People };
        Self {
            method,
            path,
            summary,
            roles: &[],
            scope,
            unverified: false,
            before_totp: false,
            enrols: false,
            dangerous: false,
            unclaimed: false,
            enrolled: false,
            parting: false,
            body: None,
            body_max: BODY_MAX,
            answer: Answer::Empty,
            handler: Arc::new(|_, _| Err(Problem::missing("route"))),
        }
    }

    /// Reads something.
    #[must_use]
    pub fn get(path: &'static str, summary: &'static str) -> Self {
        Self::new(Method::Get, path, summary)
    }

    /// Makes something, or acts.
    #[must_use]
    pub fn post(path: &'static str, summary: &'static str) -> Self {
        Self::new(Method::Post, path, summary)
    }

    /// Changes something.
    #[must_use]
    pub fn patch(path: &'static str, summary: &'static str) -> Self {
        Self::new(Method::Patch, path, summary)
    }

    /// Ends something.
    #[must_use]
    pub fn delete(path: &'static str, summary: &'static str) -> Self {
        Self::new(Method::Delete, path, summary)
    }

    /// Who may.
    #[must_use]
    pub fn roles(self, roles: &'static [Role]) -> Self {
        Self { roles, ..self }
    }

    /// What a program's token needs.
    #[must_use]
    pub fn scope(self, scope: Scope) -> Self {
        Self { scope, ..self }
    }

    /// For accounts that are not verified too.
    #[must_use]
    pub fn unverified(self) -> Self {
        Self { unverified: true, ..self }
    }

    /// For sessions whose second factor is due too.
    #[must_use]
    pub fn before_totp(self) -> Self {
        Self { before_totp: true, ..self }
    }

    /// For superadmins too who lack the second factor that is asked of them.
    #[must_use]
    pub fn enrols(self) -> Self {
        Self { enrols: true, ..self }
    }

    /// Asks for the password again, unless that was done within five minutes.
    #[must_use]
    pub fn dangerous(self) -> Self {
        Self { dangerous: true, ..self }
    }

    /// Served by a box without an owner too.
    #[must_use]
    pub fn unclaimed(self) -> Self {
        Self { unclaimed: true, ..self }
    }

    /// For enrolled sources, with their tokens; the body is what they log, as JSON or JSON lines.
    #[must_use]
    pub fn tells<R: Serialize + JsonSchema + 'static>(self, handler: fn(&Office, &Call) -> Result<R, Problem>) -> Self {
        let body: Schema = |schemas| schemas.subschema_for::<Vec<Value>>();
        Self { enrolled: true, body: Some(body), ..self }.gives(handler)
    }

    /// Takes a body, goes on with it after the answer, and answers 201 with what was begun.
    #[must_use]
    pub fn begins<B, R>(self, handler: fn(&Arc<Office>, &Call, B) -> Result<R, Problem>) -> Self
    where
        B: DeserializeOwned + JsonSchema + 'static,
        R: Serialize + JsonSchema + 'static,
    {
        let handler: Handler = Arc::new(move |office, call| {
            let body = call.body::<B>()?;
            Ok(Reply::json(201, &handler(office, &call, body)?))
        });
        let answer = Answer::One(201, |schemas| schemas.subschema_for::<R>());
        Self { body: Some(|schemas| schemas.subschema_for::<B>()), answer, handler, ..self }
    }

    /// Answers with a file.
    #[must_use]
    pub fn hands(self, handler: fn(&Office, &Call) -> Result<Reply, Problem>) -> Self {
        let handler: Handler = Arc::new(move |office, call| handler(office, &call));
        Self { answer: Answer::Text("application/octet-stream"), handler, ..self }
    }

    /// Ends the connection with the answer.
    #[must_use]
    pub fn parting(self) -> Self {
        Self { parting: true, ..self }
    }

    /// Takes bodies up to so many octets.
    #[must_use]
    pub fn up_to(self, body_max: usize) -> Self {
        Self { body_max, ..self }
    }

    /// Answers with one object.
    #[must_use]
    pub fn gives<R: Serialize + JsonSchema + 'static>(self, handler: fn(&Office, &Call) -> Result<R, Problem>) -> Self {
        let handler: Handler = Arc::new(move |office, call| Ok(Reply::tagged(200, &handler(office, &call)?)));
        Self { answer: Answer::One(200, |schemas| schemas.subschema_for::<R>()), handler, ..self }
    }

    /// Answers with a page of a list that the handler gives whole.
    #[must_use]
    pub fn lists<R: Serialize + JsonSchema + 'static>(
        self,
        fields: &'static [&'static str],
        handler: fn(&Office, &Call) -> Result<Vec<R>, Problem>,
    ) -> Self {
        let path = self.path;
        let handler: Handler = Arc::new(move |office, call| {
            let asked = Listed::read(&call, fields)?;
            let rows = handler(office, &call)?.iter().map(serde_json::to_value).collect::<Result<Vec<Value>, _>>();
            let rows = rows.map_err(|error| Problem::new(500, error.to_string()))?;
            Ok(asked.page(rows, &call.path_of(path)))
        });
        Self { answer: Answer::List(|schemas| schemas.subschema_for::<R>(), fields, Paged::Here), handler, ..self }
    }

    /// Answers with a page of a list that the handler pages itself.
    #[must_use]
    pub fn pages<R: Serialize + JsonSchema + 'static>(
        self,
        fields: &'static [&'static str],
        handler: fn(&Office, &Call) -> Result<Page<R>, Problem>,
    ) -> Self {
        let path = self.path;
        let handler: Handler =
            Arc::new(move |office, call| Ok(handler(office, &call)?.reply(&call, &call.path_of(path))));
        Self { answer: Answer::List(|schemas| schemas.subschema_for::<R>(), fields, Paged::ByHandler), handler, ..self }
    }

    /// Takes a body and answers with what was made of it.
    #[must_use]
    pub fn takes<B, R>(self, handler: fn(&Office, &Call, B) -> Result<R, Problem>) -> Self
    where
        B: DeserializeOwned + JsonSchema + 'static,
        R: Serialize + JsonSchema + 'static,
    {
        self.body_to(200, handler)
    }

    /// Takes a body and answers with what was begun by it, and with the page's cookie.
    #[must_use]
    pub fn enters<B, R>(self, handler: fn(&Office, &Call, B) -> Entered<R>) -> Self
    where
        B: DeserializeOwned + JsonSchema + 'static,
        R: Serialize + JsonSchema + 'static,
    {
        let handler: Handler = Arc::new(move |office, call| {
            let body = call.body::<B>()?;
            let (begun, cookie) = handler(office, &call, body)?;
            Ok(Reply { cookie, ..Reply::json(200, &begun) })
        });
        let answer = Answer::One(200, |schemas| schemas.subschema_for::<R>());
        Self { body: Some(|schemas| schemas.subschema_for::<B>()), answer, handler, ..self }
    }

    /// Takes a body and answers 201 with what was created.
    #[must_use]
    pub fn creates<B, R>(self, handler: fn(&Office, &Call, B) -> Result<R, Problem>) -> Self
    where
        B: DeserializeOwned + JsonSchema + 'static,
        R: Serialize + JsonSchema + 'static,
    {
        self.body_to(201, handler)
    }

    /// Acts without a body and answers 201 with what was created.
    #[must_use]
    pub fn makes<R: Serialize + JsonSchema + 'static>(self, handler: fn(&Office, &Call) -> Result<R, Problem>) -> Self {
        let handler: Handler = Arc::new(move |office, call| Ok(Reply::json(201, &handler(office, &call)?)));
        Self { answer: Answer::One(201, |schemas| schemas.subschema_for::<R>()), handler, ..self }
    }

    fn body_to<B, R>(self, status: u16, handler: fn(&Office, &Call, B) -> Result<R, Problem>) -> Self
    where
        B: DeserializeOwned + JsonSchema + 'static,
        R: Serialize + JsonSchema + 'static,
    {
        let handler: Handler = Arc::new(move |office, call| {
            let body = call.body::<B>()?;
            Ok(Reply::tagged(status, &handler(office, &call, body)?))
        });
        let answer = Answer::One(status, |schemas| schemas.subschema_for::<R>());
        Self { body: Some(|schemas| schemas.subschema_for::<B>()), answer, handler, ..self }
    }

    /// Takes a body and answers with nothing.
    #[must_use]
    pub fn obeys<B>(self, handler: fn(&Office, &Call, B) -> Result<(), Problem>) -> Self
    where
        B: DeserializeOwned + JsonSchema + 'static,
    {
        let handler: Handler = Arc::new(move |office, call| {
            let body = call.body::<B>()?;
            handler(office, &call, body).map(|()| Reply::empty())
        });
        Self { body: Some(|schemas| schemas.subschema_for::<B>()), handler, ..self }
    }

    /// Acts and answers with nothing.
    #[must_use]
    pub fn does(self, handler: fn(&Office, &Call) -> Result<(), Problem>) -> Self {
        Self { handler: Arc::new(move |office, call| handler(office, &call).map(|()| Reply::empty())), ..self }
    }

    /// Answers with text.
    #[must_use]
    pub fn writes(self, kind: &'static str, handler: fn(&Office, &Call) -> Result<String, Problem>) -> Self {
        let handler: Handler = Arc::new(move |office, call| Ok(Reply::text(kind, handler(office, &call)?)));
        Self { answer: Answer::Text(kind), handler, ..self }
    }

    /// Streams events; the server does that itself.
    #[must_use]
    pub fn streams(self) -> Self {
        Self { answer: Answer::Stream, ..self }
    }

    /// Whether everybody may.
    #[must_use]
    pub fn public(&self) -> bool {
        self.roles.is_empty()
    }
}

impl Method {
    /// As HTTP writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}
