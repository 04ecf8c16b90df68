//! The one guarded fetcher: every request that the platform makes goes through here.
//!
//! Pure crates return *what* to fetch; this decides whether it may be fetched. https always; plain http
//! only to loopback, and only when the caller allows it. No redirects, a time limit, a size limit that is
//! enforced while reading, no cookies, no proxy from the environment.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::Method;
use reqwest::header::HeaderName;
use reqwest::header::HeaderValue;
use thiserror::Error;
use url::Host;
use url::Url;

/// A peer that has not answered by then is as good as gone; wallets are interactive.
const TIMEOUT: Duration = Duration::from_secs(15);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Makes requests within the guards. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Fetcher {
    client: reqwest::Client,
    reach: Reach,
}

/// Which addresses a fetcher may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Public https addresses and this machine, also by plain http: what a person's command on the machine
    /// itself may do.
    LoopbackToo,
    /// Public https addresses alone: what a service may do when a stranger names the URL.
    PublicOnly,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// HTTP status code.
    pub status: u16,
    /// Headers by lower-case name, those that are text; the last of a name.
    pub headers: BTreeMap<String, String>,
    /// The body, within the limit that was asked for.
    pub body: Vec<u8>,
}

/// A request as the protocol crates describe it.
#[derive(Clone, Debug)]
pub struct Outgoing {
    method: Method,
    url: Url,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    max_bytes: usize,
}

/// Nothing usable came back.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The HTTP client cannot be made: the environment's fault.
    #[error("the HTTP client cannot be started")]
    Client(#[source] reqwest::Error),
    /// The URL is one that we do not fetch.
    #[error("expected an https URL of a public host, found {url}")]
    Forbidden {
        /// The URL.
        url: Url,
    },
    /// The peer did not answer, or not in HTTP.
    #[error("no answer from {url}")]
    Request {
        /// The URL.
        url: Url,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// The answer is larger than its place allows.
    #[error("expected at most {limit} bytes from {url}, found more")]
    TooLarge {
        /// The URL.
        url: Url,
        /// The limit.
        limit: usize,
    },
    /// Not a URL.
    #[error("expected a URL, found {found:?}")]
    Url {
        /// The text.
        found: String,
    },
}

impl Outgoing {
    /// A GET of at most `max_bytes`.
    ///
    /// # Errors
    /// [`FetchError::Url`].
    pub fn get(url: &str, max_bytes: usize) -> Result<Self, FetchError> {
        Self::new(Method::GET, url, Vec::new(), max_bytes)
    }

    /// A POST of `body`; the answer has at most `max_bytes`.
    ///
    /// # Errors
    /// [`FetchError::Url`].
    pub fn post(url: &str, content_type: &str, body: impl Into<Vec<u8>>, max_bytes: usize) -> Result<Self, FetchError> {
        Ok(Self::new(Method::POST, url, body.into(), max_bytes)?.header("content-type", content_type))
    }

    /// A request of any method with `body`, which is what a gateway passes on.
    ///
    /// # Errors
    /// [`FetchError::Url`].
    pub fn request(method: Method, url: &str, body: impl Into<Vec<u8>>, max_bytes: usize) -> Result<Self, FetchError> {
        Self::new(method, url, body.into(), max_bytes)
    }

    /// Adds a header. One that HTTP does not allow makes [`Fetcher::send`] fail.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Adds `Authorization: Bearer`.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    fn new(method: Method, url: &str, body: Vec<u8>, max_bytes: usize) -> Result<Self, FetchError> {
        let parsed = Url::parse(url).map_err(|_| FetchError::Url {
            found: url.chars().take(200).collect(),
        })?;
        Ok(Self {
            method,
            url: parsed,
            headers: Vec::new(),
            body,
            max_bytes,
        })
    }
}

impl Fetched {
    /// `Content-Type`, as sent.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        self.headers.get("content-type").map(String::as_str)
    }

    /// Whether the status is 2xx.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        self.status >= 200 && self.status < 300
    }
}

impl Fetcher {
    /// A fetcher with the given reach.
    ///
    /// # Errors
    /// [`FetchError::Client`].
    #[expect(clippy::disallowed_methods, reason = "this is the one guarded fetcher")]
    pub fn new(reach: Reach) -> Result<Self, FetchError> {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            .no_proxy()
            .user_agent(concat!("attestry/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(FetchError::Client)?;
        Ok(Self { client, reach })
    }

    /// Makes the request. Any status is an answer; what it means is the protocol's business.
    ///
    /// # Errors
    /// [`FetchError`].
    pub async fn send(&self, request: Outgoing) -> Result<Fetched, FetchError> {
        let Outgoing {
            method,
            url,
            headers,
            body,
            max_bytes,
        } = request;
        if !self.may_reach(&url) {
            return Err(FetchError::Forbidden { url });
        }
        let failed = |source: reqwest::Error| FetchError::Request {
            url: url.clone(),
            source: source.without_url(),
        };
        let mut builder = self.client.request(method, url.clone());
        for (name, value) in headers {
            builder = builder.header(name, value);
        }
        let mut response = builder.body(body).send().await.map_err(failed)?;
        let text = |(name, value): (&HeaderName, &HeaderValue)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        };
        let headers = response.headers().iter().filter_map(text).collect();
        let status = response.status().as_u16();
        let mut received = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if received.len() + chunk.len() > max_bytes {
                return Err(FetchError::TooLarge { url, limit: max_bytes });
            }
            received.extend_from_slice(&chunk);
        }
        Ok(Fetched {
            status,
            headers,
            body: received,
        })
    }

    fn may_reach(&self, url: &Url) -> bool {
        let is_loopback = match url.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(ip)) => ip.is_loopback(),
            Some(Host::Ipv6(ip)) => ip.is_loopback(),
            None => return false,
        };
        if is_loopback {
            return self.reach == Reach::LoopbackToo && matches!(url.scheme(), "http" | "https");
        }
        // A literal address is never a public service's name, and is how inner networks get probed.
        url.scheme() == "https" && matches!(url.host(), Some(Host::Domain(_)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_reached() {
        let may = |reach, url: &str| Fetcher::new(reach).unwrap().may_reach(&Url::parse(url).unwrap());
        for (url, by_person, by_service) in [
            ("https://issuer.example/x", true, true),
            ("http://issuer.example/x", false, false),
            ("http://127.0.0.1:8080/", true, false),
            ("http://localhost:8080/", true, false),
            ("https://[::1]/", true, false),
            ("https://10.0.0.1/", false, false),
            ("https://169.254.169.254/latest", false, false),
            ("file:///etc/passwd", false, false),
        ] {
            assert_eq!(may(Reach::LoopbackToo, url), by_person, "{url}");
            assert_eq!(may(Reach::PublicOnly, url), by_service, "{url}");
        }
    }
}
