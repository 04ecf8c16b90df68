//! The method-specific identifier of `did:webvh`: SCID, domain, path
//! ([method-specific identifier](https://identity.foundation/didwebvh/v1.0/#method-specific-identifier)).

use thiserror::Error;

use crate::Did;
use crate::location::Location;
use crate::location::LocationError;

/// The method's name.
pub const METHOD: &str = "webvh";

/// A base58btc SHA-256 multihash has 46 characters.
const SCID_CHARS: usize = 46;

/// The DID is not a `did:webvh`: the fault of whoever made it.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum IdentifierError {
    /// The part after the SCID names no place on the web.
    #[error("the did:webvh names no place on the web")]
    Location(#[from] LocationError),
    /// A DID of another method.
    #[error("expected a did:webvh, found method {found}")]
    Method {
        /// Its method.
        found: String,
    },
    /// The first part is not 46 characters of base58btc.
    #[error("expected a SCID of 46 base58btc characters in the did:webvh")]
    Scid,
}

/// A `did:webvh` come apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identifier {
    scid: String,
    location: Location,
}

impl Identifier {
    /// Takes `did` apart and checks every part.
    ///
    /// # Errors
    /// [`IdentifierError`].
    pub fn parse(did: &Did) -> Result<Self, IdentifierError> {
        if did.method() != METHOD {
            return Err(IdentifierError::Method {
                found: did.method().to_owned(),
            });
        }
        let (scid, location) = did.method_specific_id().split_once(':').ok_or(IdentifierError::Scid)?;
        if !is_scid(scid) {
            return Err(IdentifierError::Scid);
        }
        Ok(Self {
            scid: scid.to_owned(),
            location: Location::parse(location)?,
        })
    }

    /// The self-certifying part, which never changes.
    #[must_use]
    pub fn scid(&self) -> &str {
        &self.scid
    }

    /// Where the log is published.
    #[must_use]
    pub fn log_url(&self) -> String {
        self.location.file("did.jsonl")
    }

    /// Where the witnesses' proofs are published.
    #[must_use]
    pub fn witness_url(&self) -> String {
        self.location.file("did-witness.json")
    }

    /// The URL that DID URL paths are appended to, without a slash at the end.
    #[must_use]
    pub fn base_url(&self) -> String {
        self.location.base()
    }
}

/// Whether `text` has the form of a SCID.
pub(crate) fn is_scid(text: &str) -> bool {
    let base58 = |byte: u8| byte.is_ascii_alphanumeric() && !matches!(byte, b'0' | b'O' | b'I' | b'l');
    text.len() == SCID_CHARS && text.bytes().all(base58)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCID: &str = "QmTYXE8TR3uLUWWrefCtFCLhdFWDBk7Eyq5DQRmiHFVAEL";

    fn parse(rest: &str) -> Result<Identifier, IdentifierError> {
        Identifier::parse(&Did::parse(&format!("did:webvh:{rest}")).unwrap())
    }

    #[test]
    fn urls_of_log_and_witnesses() {
        let root = parse(&format!("{SCID}:example.com")).unwrap();
        assert_eq!(root.scid(), SCID);
        assert_eq!(root.log_url(), "https://example.com/.well-known/did.jsonl");
        assert_eq!(root.witness_url(), "https://example.com/.well-known/did-witness.json");
        assert_eq!(root.base_url(), "https://example.com");
        let path = parse(&format!("{SCID}:example.com%3A3000:dids:issuer")).unwrap();
        assert_eq!(path.log_url(), "https://example.com:3000/dids/issuer/did.jsonl");
        assert_eq!(
            path.witness_url(),
            "https://example.com:3000/dids/issuer/did-witness.json"
        );
    }

    #[test]
    fn scid_must_be_base58() {
        for bad in [
            "{SCID}".replace(['{', '}'], ""),
            SCID.replace('Q', "0"),
            SCID.replace('Q', "l"),
            format!("{SCID}a"),
            SCID[1..].to_owned(),
        ] {
            assert_eq!(
                parse(&format!("{bad}:example.com")),
                Err(IdentifierError::Scid),
                "{bad}"
            );
        }
        assert_eq!(parse(SCID), Err(IdentifierError::Scid), "no domain");
    }

    #[test]
    fn path_traversal_in_the_did_is_refused() {
        for bad in ["..", "%2e%2e", "a%2f..", "a:..:b"] {
            assert_eq!(
                parse(&format!("{SCID}:example.com:{bad}")),
                Err(IdentifierError::Location(LocationError::PathSegment)),
                "{bad}"
            );
        }
    }

    #[test]
    fn encoded_and_plain_ip_hosts_are_refused() {
        for bad in ["127.0.0.1", "%31%32%37.0.0.1", "0x7f.0.0.1", "169.254.169.254%3A80"] {
            assert_eq!(
                parse(&format!("{SCID}:{bad}")),
                Err(IdentifierError::Location(LocationError::IpAddress)),
                "{bad}"
            );
        }
        assert_eq!(
            parse(&format!("{SCID}:localhost%3A8000")),
            Err(IdentifierError::Location(LocationError::Domain))
        );
    }

    #[test]
    fn other_methods_are_refused() {
        let found = Identifier::parse(&Did::parse("did:web:example.com").unwrap());
        assert_eq!(found, Err(IdentifierError::Method { found: "web".into() }));
    }
}
