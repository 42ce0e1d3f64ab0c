//! The page's session in a cookie, and the guard against requests that other sites make a browser send.
//!
//! The cookie is `__Host-` (this host only, whole path, TLS), `HttpOnly` (no script reads it) and `SameSite=Strict`. Its token is signed
//! for ten minutes and signed anew while the session's row holds, which alone decides.
//!
//! **Guard**: a request that changes something must carry the header `X-Picket-Page`, which no form and no other site can send without
//! asking first (and nobody answers that), and its `Origin` and `Sec-Fetch-Site`, where a browser sends them, must be the page's own.
//! **Source**: OWASP ASVS 5.0, 3.3.1 to 3.3.4, 3.5.1 to 3.5.3.

use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::request::Parts;

use crate::office::Office;
use crate::people::Caller;
use crate::problem::Problem;
use crate::route::Method;
use crate::session::Claims;

/// The cookie's name; browsers hold `__Host-` to what it promises.
const NAME: &str = "__Host-picket";
/// What the page says with every request: `used` where a person does something, `waits` where the page refreshes itself.
const PAGE: HeaderName = HeaderName::from_static("x-picket-page");
const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Who asks by a cookie, and what the cookie says.
pub struct Held {
    pub caller: Caller,
    claims: Claims,
}

/// Whether it is the page that asks.
pub fn is_page(headers: &HeaderMap) -> bool {
    headers.contains_key(PAGE)
}

/// Who asks by the page's cookie; nobody where there is none that holds.
///
/// # Errors
/// 403: another site makes the browser ask.
pub fn held(office: &Office, parts: &Parts, method: Method) -> Result<Option<Held>, Problem> {
    let Some(token) = token(&parts.headers) else { return Ok(None) };
    guard(parts, method)?;
    let used = parts.headers.get(PAGE).is_some_and(|word| word == "used");
    Ok(office.page_caller(&token, used).map(|(caller, claims)| Held { caller, claims }))
}

/// Refuses what another site makes the browser send.
///
/// # Errors
/// 403.
pub fn guard(parts: &Parts, method: Method) -> Result<(), Problem> {
    let foreign = || Err(Problem::forbidden("the request comes from another site"));
    if parts.headers.get(SITE).is_some_and(|site| site != "same-origin" && site != "none") {
        return foreign();
    }
    if let Some(origin) = parts.headers.get(header::ORIGIN) {
        let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let host = parts.uri.authority().map(|authority| authority.as_str()).or(host);
        if origin.to_str().ok().and_then(|origin| origin.strip_prefix("https://")) != host || host.is_none() {
            return foreign();
        }
    }
    if method != Method::Get && !is_page(&parts.headers) {
        return Err(Problem::forbidden("a change by the page's cookie needs the header X-Picket-Page"));
    }
    Ok(())
}

/// What becomes of the cookie after an answer: taken back where the session ended, signed anew where half of its time is over.
pub fn after(office: &Office, held: &Held) -> Option<HeaderValue> {
    let session = held.caller.session.and_then(|number| office.people().sessions.get(&number).cloned());
    match session {
        None => written("", 0),
        Some(session) if held.claims.half_over() => set(&office.keys().sign(&session, held.claims.jti.clone())?),
        Some(_) => None,
    }
}

/// The cookie with this token, for as long as the browser runs.
pub fn set(token: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(&format!("{NAME}={token}; Path=/; Secure; HttpOnly; SameSite=Strict")).ok()
}

fn written(token: &str, age: u32) -> Option<HeaderValue> {
    HeaderValue::from_str(&format!("{NAME}={token}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age={age}")).ok()
}

/// The cookie's token. HTTP/2 may send each cookie in a field of its own.
fn token(headers: &HeaderMap) -> Option<String> {
    let fields = headers.get_all(header::COOKIE).into_iter().filter_map(|field| field.to_str().ok());
    let mut cookies = fields.flat_map(|field| field.split(';')).filter_map(|cookie| cookie.trim().split_once('='));
    cookies.find(|(name, _)| *name == NAME).map(|(_, token)| token.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(fields: &[(&str, &str)]) -> Parts {
        let mut request = axum::http::Request::builder().uri("/api/v1/blocks").header("host", "box:8443");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        request.body(()).expect("a request").into_parts().0
    }

    #[test]
    fn what_another_site_sends_is_refused() {
        let own = [("x-picket-page", "used"), ("origin", "https://box:8443"), ("sec-fetch-site", "same-origin")];
        assert_eq!(guard(&parts(&own), Method::Post), Ok(()));
        for wrong in [
            vec![("origin", "https://box:8443"), ("sec-fetch-site", "same-origin")],
            vec![("x-picket-page", "used"), ("origin", "https://evil.example")],
            vec![("x-picket-page", "used"), ("origin", "http://box:8443")],
            vec![("x-picket-page", "used"), ("origin", "null")],
            vec![("x-picket-page", "used"), ("sec-fetch-site", "same-site")],
            vec![("x-picket-page", "used"), ("sec-fetch-site", "cross-site")],
        ] {
            assert_eq!(guard(&parts(&wrong), Method::Post).map_err(|problem| problem.status), Err(403), "{wrong:?}");
        }
        assert_eq!(guard(&parts(&[]), Method::Get), Ok(()), "reading needs no header: an event stream cannot send one");
        assert!(guard(&parts(&[("sec-fetch-site", "cross-site")]), Method::Get).is_err());
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        assert_eq!(token(&parts(&[("cookie", "a=b; __Host-picket=x.y.z; c=d")]).headers).as_deref(), Some("x.y.z"));
        assert_eq!(token(&parts(&[("cookie", "a=b"), ("cookie", "__Host-picket=q")]).headers).as_deref(), Some("q"));
        assert_eq!(token(&parts(&[("cookie", "picket=q")]).headers), None);
    }
}
