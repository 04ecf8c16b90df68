//! Who may use an instance: whoever has the administrative token, and for the sample's instances any program of
//! this machine.
//!
//! The sample's instances exist for test suites, which send no token. They are open only while all of this holds:
//! the platform was started with `--sample`, it listens on loopback and goes by no `--public-url`
//! ([`SampleAccess`]); the instance belongs to the sample and its DID has no accreditation; and the request names a
//! loopback host, does not come from a web page and did not pass a proxy.

use std::net::IpAddr;
use std::net::SocketAddr;

use axum::extract::FromRequestParts as _;
use axum::http::HeaderMap;
use axum::http::Uri;
use axum::http::header;
use axum::http::request::Parts;
use axum::http::uri::Authority;
use server::Problem;
use server::admin::Admin;

use crate::VcApi;
use crate::instance::InstanceRecord;

/// What a page or a proxy leaves in a request. `x-forwarded-...` is looked for by its beginning.
const FOREIGN: [&str; 6] = ["forwarded", "origin", "referer", "sec-fetch-site", "via", "x-real-ip"];
const FORWARDED_PREFIX: &str = "x-forwarded-";

/// Whether programs of this machine may use the sample's instances without a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SampleAccess {
    /// They need the token like any others.
    TokenOnly,
    /// Programs that speak to a loopback address need none.
    Loopback,
}

impl SampleAccess {
    /// The access of a platform that was started this way.
    #[must_use]
    pub const fn of(with_sample: bool, listen: SocketAddr, has_public_url: bool) -> Self {
        if with_sample && listen.ip().is_loopback() && !has_public_url {
            Self::Loopback
        } else {
            Self::TokenOnly
        }
    }
}

/// Lets a request pass that has the token, or needs none. `record` is absent for the verifier.
pub(crate) async fn check(api: &VcApi, record: Option<&InstanceRecord>, parts: &mut Parts) -> Result<(), Problem> {
    if api.0.sample_access == SampleAccess::Loopback && is_open(api, record) && is_local(&parts.uri, &parts.headers) {
        return Ok(());
    }
    Admin::from_request_parts(parts, api).await.map(|_: Admin| ())
}

/// Whether the instance is one of the sample, and nothing that anybody relies on.
fn is_open(api: &VcApi, record: Option<&InstanceRecord>) -> bool {
    record.is_none_or(|record| record.sample && !api.0.registry.is_accredited(&record.did))
}

/// Whether a program of this machine sent the request directly. The host stands in the header, with HTTP/2 in the
/// request's URI, and wherever it stands it must be loopback.
fn is_local(uri: &Uri, headers: &HeaderMap) -> bool {
    let in_uri = uri.authority().map(Authority::as_str);
    let in_headers = headers.get_all(header::HOST).iter();
    let mut hosts = in_headers
        .map(|host| host.to_str().unwrap_or_default())
        .chain(in_uri)
        .peekable();
    let foreign = |name: &str| FOREIGN.contains(&name) || name.starts_with(FORWARDED_PREFIX);
    hosts.peek().is_some() && hosts.all(is_loopback) && !headers.keys().any(|name| foreign(name.as_str()))
}

/// Whether `host`, with its port, is a name of the loopback interface.
fn is_loopback(host: &str) -> bool {
    let bare = match host.rsplit_once(':') {
        Some((bare, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => bare,
        _ => host,
    };
    let address = bare.strip_prefix('[').and_then(|inner| inner.strip_suffix(']'));
    bare.eq_ignore_ascii_case("localhost")
        || address
            .unwrap_or(bare)
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderName;
    use axum::http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_bytes(name.as_bytes()).unwrap(),
                    HeaderValue::from_str(value).unwrap(),
                )
            })
            .collect()
    }

    #[test]
    fn every_condition_of_the_platform_counts() {
        let (loopback, network) = ("127.0.0.1:8080".parse().unwrap(), "192.0.2.1:8080".parse().unwrap());
        assert_eq!(SampleAccess::of(true, loopback, false), SampleAccess::Loopback);
        assert_eq!(
            SampleAccess::of(true, "[::1]:8080".parse().unwrap(), false),
            SampleAccess::Loopback
        );
        assert_eq!(SampleAccess::of(false, loopback, false), SampleAccess::TokenOnly);
        assert_eq!(SampleAccess::of(true, network, false), SampleAccess::TokenOnly);
        assert_eq!(
            SampleAccess::of(true, "0.0.0.0:8080".parse().unwrap(), false),
            SampleAccess::TokenOnly
        );
        assert_eq!(SampleAccess::of(true, loopback, true), SampleAccess::TokenOnly);
    }

    #[test]
    fn loopback_hosts_are_local_and_others_are_not() {
        for host in [
            "127.0.0.1:8080",
            "127.0.0.1",
            "localhost:8080",
            "LocalHost",
            "[::1]:8080",
            "[::1]",
        ] {
            assert!(is_local(&Uri::from_static("/"), &headers(&[("host", host)])), "{host}");
            let uri: Uri = format!("https://{host}/vc-api").parse().unwrap();
            assert!(is_local(&uri, &headers(&[])), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "evil.example:8080",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "192.0.2.1:8080",
            "localhost:80:80",
            "user@localhost",
        ] {
            assert!(!is_local(&Uri::from_static("/"), &headers(&[("host", host)])), "{host}");
        }
        assert!(!is_local(&Uri::from_static("/"), &headers(&[])));
        let local = ("host", "127.0.0.1:8080");
        assert!(!is_local(
            &Uri::from_static("https://evil.example/"),
            &headers(&[local])
        ));
        assert!(!is_local(
            &Uri::from_static("/"),
            &headers(&[local, ("host", "evil.example")])
        ));
    }

    #[test]
    fn pages_and_proxies_are_not_local() {
        let local = ("host", "127.0.0.1:8080");
        let root = Uri::from_static("/");
        assert!(is_local(&root, &headers(&[local, ("user-agent", "suite")])));
        for foreign in [
            "origin",
            "referer",
            "sec-fetch-site",
            "forwarded",
            "via",
            "x-real-ip",
            "x-forwarded-for",
            "x-forwarded-host",
            "x-forwarded-proto",
            "X-Forwarded-Anything",
        ] {
            assert!(
                !is_local(&root, &headers(&[local, (foreign, "127.0.0.1")])),
                "{foreign}"
            );
        }
    }
}
