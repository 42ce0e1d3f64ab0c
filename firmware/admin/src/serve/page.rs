//! The admin page: its files, built from `webui` and compressed beforehand, out of the program's own memory.
//!
//! A file's name holds the hash of what is in it, so browsers keep it for ever; the document alone is asked for anew. What a browser may
//! do with them is what `POLICY` says: nothing from outside, no script in the document, no text made into markup.

use axum::Router;
use axum::body::Body;
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Response, StatusCode};
use axum::routing::get;

/// One file in the forms in which it is served.
struct File {
    /// Its path on the box.
    path: &'static str,
    /// Its media type.
    kind: &'static str,
    /// Its tag: the hash of what is in it.
    tag: &'static str,
    plain: &'static [u8],
    gzip: &'static [u8],
    brotli: &'static [u8],
}

// FILES: &[File], written by build.rs.
include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// **Source**: W3C Content Security Policy 3 and Trusted Types.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'; \
                      require-trusted-types-for 'script'; trusted-types 'none'";
const HEADERS: [(HeaderName, &str); 7] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::VARY, "accept-encoding"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];
/// How long each is kept: what has a hash in its name never changes.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
const ASK_AGAIN: &str = "no-cache";

/// The page's files beside the API.
pub fn with_page(router: Router) -> Router {
    FILES.iter().fold(router, |router, file| {
        router.route(file.path, get(move |headers: HeaderMap| async move { answer(file, &headers) }))
    })
}

fn answer(file: &'static File, headers: &HeaderMap) -> Response<Body> {
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|tags| {
        tags.to_str().is_ok_and(|tags| tags.split(',').any(|tag| tag.trim().trim_start_matches("W/") == file.tag))
    });
    let (coding, octets) = form(file, headers);
    let mut answer = Response::new(Body::from(if known { &[][..] } else { octets }));
    if known {
        *answer.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let fields = answer.headers_mut();
    for (name, value) in HEADERS {
        fields.insert(name, HeaderValue::from_static(value));
    }
    let keep = if file.path == "/" { ASK_AGAIN } else { FOR_EVER };
    fields.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    fields.insert(header::CONTENT_TYPE, HeaderValue::from_static(file.kind));
    fields.insert(header::ETAG, HeaderValue::from_static(file.tag));
    if let Some(coding) = coding {
        fields.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    answer
}

/// The smallest form that the client takes.
fn form(file: &File, headers: &HeaderMap) -> (Option<&'static str>, &'static [u8]) {
    let fields = headers.get_all(header::ACCEPT_ENCODING).into_iter().filter_map(|field| field.to_str().ok());
    let codings: Vec<&str> = fields.flat_map(|field| field.split(',')).collect();
    let takes = |name: &str| {
        codings.iter().any(|coding| {
            let (coding, weight) = coding.split_once(';').unwrap_or((coding, ""));
            let never = weight.trim().strip_prefix("q=").is_some_and(|q| q.trim().parse() == Ok(0.0));
            coding.trim().eq_ignore_ascii_case(name) && !never
        })
    };
    match () {
        () if takes("br") => (Some("br"), file.brotli),
        () if takes("gzip") => (Some("gzip"), file.gzip),
        () => (None, file.plain),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(accept: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_str(accept).expect("a value"));
        headers
    }

    #[test]
    fn the_smallest_form_that_is_taken_is_served() {
        let document = FILES.iter().find(|file| file.path == "/").expect("a document");
        for (accept, coding) in [
            ("gzip, deflate, br", Some("br")),
            ("gzip", Some("gzip")),
            ("br;q=0, gzip;q=0.5", Some("gzip")),
            ("identity", None),
            ("", None),
        ] {
            assert_eq!(form(document, &asked(accept)).0, coding, "{accept}");
        }
    }

    #[test]
    fn the_document_names_every_file_that_it_loads_and_holds_no_script() {
        let document = FILES.iter().find(|file| file.path == "/").expect("a document");
        let text = std::str::from_utf8(document.plain).expect("text");
        assert!(text.contains("<script") && !text.contains("onload="));
        for kind in ["app-", "style-"] {
            let file = FILES.iter().find(|file| file.path.contains(kind)).expect(kind);
            assert!(text.contains(file.path), "{}", file.path);
        }
    }
}
