//! The pages for people: an explorer whose scripts verify the trust bundle in the browser, and show nothing else.
//!
//! Files of `registry/web`, as they are there: no build step stands between what is reviewed and what runs. They are served
//! under fixed names, so browsers ask each time and get 304 while nothing has changed.
//!
//! What the pages cannot do: protect from a service that serves other pages. Against everybody else on the way, and against
//! a log that says one thing here and another there, they check what `crates/trust` checks.

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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use super::*;

    fn is_served(name: &str) -> bool {
        FILES.iter().any(|file| file.name == name)
    }

    #[test]
    fn every_file_of_the_pages_is_served_and_every_import_is_one() {
        let web = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("web");
        let mut found = BTreeSet::new();
        for folder in ["", "views/"] {
            for entry in fs::read_dir(web.join(folder)).unwrap() {
                let entry = entry.unwrap();
                if entry.file_type().unwrap().is_file() {
                    found.insert(format!("{folder}{}", entry.file_name().to_str().unwrap()));
                }
            }
        }
        let served: BTreeSet<String> = FILES.iter().map(|file| file.name.to_owned()).collect();
        assert_eq!(served, found);
        for file in FILES.iter().filter(|file| file.media_type == SCRIPT) {
            for import in file.text.lines().filter_map(|line| line.split_once(" from \"")) {
                let path = import.1.trim_end_matches("\";");
                let name = match path.strip_prefix("../") {
                    Some(name) => name.to_owned(),
                    None if file.name.starts_with("views/") => path.replacen("./", "views/", 1),
                    None => path.replacen("./", "", 1),
                };
                assert!(is_served(&name), "{} imports {path}", file.name);
            }
        }
    }

    #[test]
    fn a_browser_that_has_a_file_is_not_sent_it_again() {
        let etag = &FILES[0].etag;
        let asks = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_NONE_MATCH, value.parse().unwrap());
            serve("index.html", &headers).unwrap().status()
        };
        for known in [etag.clone(), format!("W/{etag}"), format!("\"other\", {etag}")] {
            assert_eq!(asks(&known), StatusCode::NOT_MODIFIED, "{known}");
        }
        assert_eq!(asks("\"other\""), StatusCode::OK);
    }
}
