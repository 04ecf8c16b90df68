//! The pages for people: an explorer whose scripts verify the trust bundle in the browser, and show nothing else.
//!
//! Files of `registry/web`, as they are there: no build step stands between what is reviewed and what runs. They are served
//! under fixed names, so browsers ask each time and get 304 while nothing has changed.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::IntoResponse as _;
use axum::response::Redirect;
use axum::response::Response;
use server::Problem;
use trust::merkle::Hash;

/// Scripts, styles and data from here only, nothing inline; and with Trusted Types no script can make markup of a string,
/// such as one in a proposal.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
    form-action 'none'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// A file as it is served.
struct File {
    name: &'static str,
    media_type: &'static str,
    text: &'static str,
    /// Of its bytes.
    etag: String,
}

macro_rules! files {
    ($($media_type:ident: $($name:literal)*;)*) => {
        [$($(File {
            name: $name,
            media_type: $media_type,
            text: include_str!(concat!("../../web/", $name)),
            etag: format!("\"{}\"", Hash::digest(include_bytes!(concat!("../../web/", $name)))),
        },)*)*]
    };
}

static FILES: LazyLock<[File; 24]> = LazyLock::new(|| {
    files! {
        HTML: "index.html";
        CSS: "pages.css";
        SVG: "icon.svg";
        SCRIPT: "bundle.js" "bytes.js" "cbor.js" "dom.js" "keys.js" "log.js" "memory.js" "merkle.js" "note.js" "pages.js"
            "policies.js" "refused.js" "shapes.js" "state.js" "tlog-policy.js" "views/agencies.js" "views/catalogue.js"
            "views/delegation.js" "views/log.js" "views/policy.js" "views/proposals.js";
    }
});

/// `GET /registry`
pub(super) async fn moved() -> Redirect {
    Redirect::permanent("/registry/")
}

/// `GET /registry/`
pub(super) async fn index(headers: HeaderMap) -> Result<Response, Problem> {
    serve("index.html", &headers)
}

/// `GET /registry/pages/{name}`
pub(super) async fn get(Path(name): Path<String>, headers: HeaderMap) -> Result<Response, Problem> {
    serve(&name, &headers)
}

fn serve(name: &str, headers: &HeaderMap) -> Result<Response, Problem> {
    let file = FILES.iter().find(|file| file.name == name);
    let file = file.ok_or_else(|| Problem::not_found("a file of the registry's pages"))?;
    let own = [
        (header::CONTENT_TYPE, file.media_type),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-cache"),
        (header::ETAG, file.etag.as_str()),
    ];
    if has(headers, &file.etag) {
        return Ok((StatusCode::NOT_MODIFIED, own).into_response());
    }
    Ok((own, file.text).into_response())
}

/// Whether `If-None-Match` has the file as it is. [RFC 9110](https://www.rfc-editor.org/rfc/rfc9110#name-if-none-match)
fn has(headers: &HeaderMap, etag: &str) -> bool {
    let asked = headers.get_all(header::IF_NONE_MATCH).iter();
    let mut tags = asked
        .filter_map(|value| value.to_str().ok())
        .flat_map(|tags| tags.split(','));
    tags.any(|tag| tag.trim().trim_start_matches("W/") == etag)
}
