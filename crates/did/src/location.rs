//! Where `did:web` and `did:webvh` publish: the method-specific identifier as an HTTPS location
//! ([did:webvh, DID-to-HTTPS transformation](https://identity.foundation/didwebvh/v1.0/#the-did-to-https-transformation)).
//!
//! Everything is decided on decoded values, decoded exactly once: `%2e%2e` is as bad as `..`, and a
//! host that a URL parser would read as an IP address is refused in every spelling. What a name
//! resolves to in DNS is for the fetcher to judge.

use thiserror::Error;

use crate::syntax::percent_decode;

/// [RFC 1035 section 2.3.4](https://www.rfc-editor.org/rfc/rfc1035#section-2.3.4), without the root's octets.
const MAX_DOMAIN_BYTES: usize = 253;
const MAX_LABEL_BYTES: usize = 63;

/// The identifier names no place on the web: the fault of whoever made the DID.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum LocationError {
    /// Not a fully qualified domain name.
    #[error("expected a fully qualified domain name, found another host")]
    Domain,
    /// An IP address, in whatever spelling.
    #[error("expected a domain name, found an IP address")]
    IpAddress,
    /// A path segment that is empty, steps out of its folder or hides a separator.
    #[error("expected path segments without dots alone, separators, NUL and outer white space")]
    PathSegment,
    /// `%` that does not decode to UTF-8.
    #[error("expected percent-encoded UTF-8")]
    PercentEncoding,
    /// Something else than a number from 1 to 65535 after `%3A`.
    #[error("expected a port from 1 to 65535")]
    Port,
}

/// A place on the web: `https://host[:port]/segments`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Location {
    host: String,
    port: Option<u16>,
    /// Percent-encoded by RFC 3986.
    segments: Vec<String>,
}

impl Location {
    /// Reads `domain[%3Aport][:segment]*`.
    pub(crate) fn parse(text: &str) -> Result<Self, LocationError> {
        let mut parts = text.split(':');
        let (host, port) = parse_domain(parts.next().unwrap_or_default())?;
        let segments = parts.map(parse_segment).collect::<Result<_, _>>()?;
        Ok(Self { host, port, segments })
    }

    /// The URL of the method's file; without segments it is in `.well-known`.
    pub(crate) fn file(&self, name: &str) -> String {
        if self.segments.is_empty() {
            format!("{}/.well-known/{name}", self.base())
        } else {
            format!("{}/{name}", self.base())
        }
    }

    /// The URL below which the subject's own files are, without a slash at the end.
    pub(crate) fn base(&self) -> String {
        let mut url = match self.port {
            Some(port) => format!("https://{}:{port}", self.host),
            None => format!("https://{}", self.host),
        };
        for segment in &self.segments {
            url.push('/');
            url.push_str(segment);
        }
        url
    }
}

fn parse_domain(text: &str) -> Result<(String, Option<u16>), LocationError> {
    // Hexadecimal digits of either case mean the same (RFC 3986 section 2.1).
    let colon = text
        .as_bytes()
        .windows(3)
        .position(|window| window.eq_ignore_ascii_case(b"%3A"));
    let (name, port) = match colon {
        Some(at) => (text.get(..at).unwrap_or_default(), text.get(at + 3..)),
        None => (text, None),
    };
    let name = percent_decode(name).ok_or(LocationError::PercentEncoding)?;
    Ok((parse_host(&name)?, port.map(parse_port).transpose()?))
}

fn parse_port(digits: &str) -> Result<u16, LocationError> {
    let well_formed = (1..=5).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    match digits.parse() {
        Ok(port) if well_formed && port > 0 => Ok(port),
        _ => Err(LocationError::Port),
    }
}

/// The ASCII form of a domain name. The URL parser applies IDNA and knows all spellings of IP
/// addresses; what it would decode a second time, or drop, is refused before it sees it.
fn parse_host(name: &str) -> Result<String, LocationError> {
    let plain = |character: char| character.is_alphanumeric() || matches!(character, '-' | '.');
    // Marks, joiners and the dots of other scripts are letters of a name for IDNA to judge.
    if name.is_empty() || name.chars().any(|character| character.is_ascii() && !plain(character)) {
        return Err(LocationError::Domain);
    }
    let host = match url::Host::parse(name) {
        Ok(url::Host::Domain(host)) => host,
        Ok(url::Host::Ipv4(_) | url::Host::Ipv6(_)) => return Err(LocationError::IpAddress),
        Err(_) => return Err(LocationError::Domain),
    };
    let labels: Vec<&str> = host.split('.').collect();
    let label_fits = |label: &&str| {
        (1..=MAX_LABEL_BYTES).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let local = labels.last().is_some_and(|label| *label == "localhost");
    if labels.len() < 2 || host.len() > MAX_DOMAIN_BYTES || !labels.iter().all(label_fits) || local {
        return Err(LocationError::Domain);
    }
    Ok(host)
}

fn parse_segment(text: &str) -> Result<String, LocationError> {
    let decoded = percent_decode(text).ok_or(LocationError::PercentEncoding)?;
    let refused = decoded.is_empty()
        || matches!(decoded.as_ref(), "." | "..")
        || decoded.contains(['/', '\\', '\0'])
        || decoded.trim() != decoded;
    if refused {
        return Err(LocationError::PathSegment);
    }
    Ok(percent_encode(&decoded))
}

/// Everything but the unreserved characters of
/// [RFC 3986 section 2.3](https://www.rfc-editor.org/rfc/rfc3986#section-2.3).
fn percent_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.extend([byte >> 4, byte & 0x0f].into_iter().map(hex_digit));
        }
    }
    encoded
}

/// Upper case, as RFC 3986 section 2.1 recommends; `nibble` is below 16.
fn hex_digit(nibble: u8) -> char {
    char::from_digit(u32::from(nibble), 16)
        .unwrap_or_default()
        .to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_of_the_specification() {
        for (text, file, base) in [
            (
                "example.com",
                "https://example.com/.well-known/did.jsonl",
                "https://example.com",
            ),
            (
                "issuer.example.com",
                "https://issuer.example.com/.well-known/did.jsonl",
                "https://issuer.example.com",
            ),
            (
                "example.com:dids:issuer",
                "https://example.com/dids/issuer/did.jsonl",
                "https://example.com/dids/issuer",
            ),
            (
                "example.com%3A3000:dids:issuer",
                "https://example.com:3000/dids/issuer/did.jsonl",
                "https://example.com:3000/dids/issuer",
            ),
            (
                "Example.COM%3a443",
                "https://example.com:443/.well-known/did.jsonl",
                "https://example.com:443",
            ),
            (
                "jp%E7%B4%8D%E8%B1%86.%E4%BE%8B.jp:%E7%94%A8%E6%88%B7",
                "https://xn--jp-cd2fp15c.xn--fsq.jp/%E7%94%A8%E6%88%B7/did.jsonl",
                "https://xn--jp-cd2fp15c.xn--fsq.jp/%E7%94%A8%E6%88%B7",
            ),
            (
                "example.com:a%20b:c%2Bd",
                "https://example.com/a%20b/c%2Bd/did.jsonl",
                "https://example.com/a%20b/c%2Bd",
            ),
        ] {
            let location = Location::parse(text).unwrap();
            assert_eq!(location.file("did.jsonl"), file);
            assert_eq!(location.base(), base);
        }
    }

    #[test]
    fn path_traversal_is_refused_in_every_spelling() {
        assert!(Location::parse("example.com:a:...").is_ok(), "three dots are a name");
        for bad in [
            "..",
            "%2e%2e",
            "%2E.",
            ".",
            "%2e",
            "",
            "a%2Fb",
            "a%5Cb",
            "a%00",
            "%20a",
            "a%09",
            "%E2%80%83a",
            "%2F",
        ] {
            for text in [format!("example.com:{bad}"), format!("example.com:a:{bad}:b")] {
                assert_eq!(Location::parse(&text), Err(LocationError::PathSegment), "{text}");
            }
        }
    }

    #[test]
    fn decoding_happens_once() {
        let location = Location::parse("example.com:%252e%252e").unwrap();
        assert_eq!(location.file("f"), "https://example.com/%252e%252e/f");
        assert_eq!(Location::parse("example%252ecom"), Err(LocationError::Domain));
    }

    #[test]
    fn ip_addresses_are_refused_in_every_spelling() {
        for bad in [
            "127.0.0.1",
            "%31%32%37.0.0.1",
            "127.1",
            "0x7f.1",
            "0x7f000001",
            "2130706433",
            "017700000001",
            "%EF%BC%91%EF%BC%92%EF%BC%97.0.0.1",
            "127%E3%80%820%E3%80%820%E3%80%821",
            "10.0.0.1%3A8080",
        ] {
            assert_eq!(Location::parse(bad), Err(LocationError::IpAddress), "{bad}");
        }
        for bad in ["%5B%3A%3A1%5D", "%5B::1%5D", "1.2.3.4.5"] {
            assert!(Location::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn hosts_that_are_no_domain_names_are_refused() {
        let long_label = format!("{}.com", "a".repeat(64));
        let long_name = format!("{}com", "abc.".repeat(63));
        for bad in [
            "",
            "localhost",
            "localhost%3A8000",
            "a.localhost",
            ".com",
            "example.",
            "example.com.",
            "a..b",
            "-a.com",
            "a-.com",
            "a_b.com",
            "a%20b.com",
            "user%40example.com",
            "example.com%2Fpath",
            "example.com%23",
            "example.com%3F",
            "a%00.com",
            "a%5C.com",
            &long_label,
            &long_name,
        ] {
            assert_eq!(Location::parse(bad), Err(LocationError::Domain), "{bad}");
        }
        assert!(Location::parse(&format!("{}.com", "a".repeat(63))).is_ok());
    }

    #[test]
    fn ports_are_numbers() {
        for bad in ["", "0", "65536", "123456", "8a", "%38", "80%3A80", "+80", "-1"] {
            assert_eq!(
                Location::parse(&format!("example.com%3A{bad}")),
                Err(LocationError::Port),
                "{bad}"
            );
        }
        assert!(Location::parse("example.com%3A65535").is_ok());
    }

    #[test]
    fn broken_encoding_is_refused() {
        assert_eq!(Location::parse("ex%FFample.com"), Err(LocationError::PercentEncoding));
        assert_eq!(Location::parse("example.com:%FF"), Err(LocationError::PercentEncoding));
    }
}
