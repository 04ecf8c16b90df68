//! What stands in front of every route: the Host check, and the limits of size and time.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::extract::Request;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header;
use axum::middleware;
use axum::middleware::Next;
use axum::response::IntoResponse as _;
use axum::response::Response;
use url::Url;

use crate::Problem;

/// A presentation with a portrait, twice base64-encoded and encrypted, is below 200 kB; a few of them in
/// one answer stay below this. Endpoints that take less set their own limit.
pub const MAX_BODY_BYTES: usize = 1 << 20;
/// What the largest endpoints take. A request that declares more is not read at all.
pub const MAX_DECLARED_BYTES: u64 = 4 << 20;
/// For a body to arrive and its answer to be made: longer than what we fetch meanwhile may take, and shorter than
/// what is in flight gets at SIGTERM. A client that sends a byte a minute holds nothing up.
const MAX_REQUEST_TIME: Duration = Duration::from_secs(18);

/// The authorities (`host` or `host:port`) that a request may name.
#[derive(Clone, Debug)]
pub struct AllowedHosts(Arc<BTreeSet<String>>);

impl AllowedHosts {
    /// What clients of a service bound to `address` and known as `public` may call it.
    #[must_use]
    pub fn new(address: SocketAddr, public: &Url) -> Self {
        let port = address.port();
        let mut hosts = BTreeSet::from([address.to_string()]);
        if address.ip().is_loopback() {
            hosts.extend([
                format!("localhost:{port}"),
                format!("127.0.0.1:{port}"),
                format!("[::1]:{port}"),
            ]);
        }
        if let Some(host) = public.host_str() {
            let host = host.to_ascii_lowercase();
            hosts.extend(public.port_or_known_default().map(|port| format!("{host}:{port}")));
            if public.port().is_none() {
                hosts.insert(host);
            }
        }
        Self(Arc::new(hosts))
    }

    fn allows(&self, host: &str) -> bool {
        self.0.contains(&host.to_ascii_lowercase())
    }
}

/// Puts the guards in front of `router`. A page of another site whose name was made to point at this
/// machine (DNS rebinding) sends that site's name in `Host` and is turned away.
pub fn protect(router: Router, hosts: AllowedHosts) -> Router {
    router
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(middleware::from_fn(limit))
        .layer(middleware::from_fn(add_security_headers))
        .layer(middleware::from_fn_with_state(hosts, check_host))
}

async fn check_host(State(hosts): State<AllowedHosts>, request: Request, next: Next) -> Response {
    let in_header = request
        .headers()
        .get(header::HOST)
        .and_then(|value| value.to_str().ok());
    let host = request
        .uri()
        .authority()
        .map(axum::http::uri::Authority::as_str)
        .or(in_header);
    match host {
        Some(host) if hosts.allows(host) => next.run(request).await,
        found => Problem::new(
            StatusCode::MISDIRECTED_REQUEST,
            "host",
            "This service does not answer under that Host name.",
        )
        .detail(format!(
            "found Host {found:?}; start the platform with --public-url to name another"
        ))
        .into_response(),
    }
}

async fn limit(request: Request, next: Next) -> Response {
    let declared = request.headers().get(header::CONTENT_LENGTH);
    let declared = declared.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|bytes| bytes > MAX_DECLARED_BYTES) {
        return Problem::too_large().into_response();
    }
    match tokio::time::timeout(MAX_REQUEST_TIME, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "timeout",
            "The request did not arrive, or could not be answered, in time.",
        )
        .into_response(),
    }
}

async fn add_security_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    // Pages that need more say so themselves.
    let policy = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static(policy));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(address: &str, public: &str) -> AllowedHosts {
        AllowedHosts::new(address.parse().unwrap(), &Url::parse(public).unwrap())
    }

    #[test]
    fn own_names_are_allowed_and_foreign_ones_are_not() {
        let hosts = hosts("127.0.0.1:8080", "https://Attestry.example");
        for own in [
            "127.0.0.1:8080",
            "localhost:8080",
            "LOCALHOST:8080",
            "[::1]:8080",
            "attestry.example",
            "attestry.example:443",
        ] {
            assert!(hosts.allows(own), "{own}");
        }
        for foreign in [
            "evil.example",
            "evil.example:8080",
            "127.0.0.1",
            "localhost",
            "attestry.example:8080",
            "",
        ] {
            assert!(!hosts.allows(foreign), "{foreign}");
        }
    }
}
