//! JWT VC Issuer Metadata: the keys of an issuer whose `iss` is an HTTPS URL
//! ([JWT VC issuer metadata](https://datatracker.ietf.org/doc/html/draft-ietf-oauth-sd-jwt-vc#name-jwt-vc-issuer-metadata)).
//!
//! Steps without I/O: where the document is, what it says, and which key a credential names. The caller fetches, and
//! decides first whether this way to find keys is permitted for the issuer at all.

use keys::Algorithm;
use keys::Jwk;
use keys::PublicKey;
use keys::json;
use keys::json::Json;
use keys::json::JsonError;
use keys::json::Tree;
use thiserror::Error;

/// Bytes of the metadata or of a key set: [`MAX_KEYS`] keys with certificates beside them.
pub const MAX_BYTES: usize = 256 * 1024;

/// Keys in one set. An issuer that rotates monthly and keeps five years has 60.
pub const MAX_KEYS: usize = 100;

const WELL_KNOWN: &str = "/.well-known/jwt-vc-issuer";

/// A metadata document of the issuer that it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerMetadata {
    /// Where the keys are.
    pub keys: IssuerKeys,
}

/// `jwks` or `jwks_uri`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IssuerKeys {
    /// In the document itself.
    Embedded(KeySet),
    /// At this URL, to be read with [`KeySet::read`].
    At(String),
}

/// The public keys of a JWK Set that we could verify with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySet {
    keys: Vec<Jwk>,
}

/// The issuer's fault, or that of whoever served the document.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum IssuerMetadataError {
    /// Not one key that could have signed, but none or several.
    #[error("expected one key with this kid and algorithm, found {found}")]
    AmbiguousKey {
        /// How many.
        found: usize,
    },
    /// Not strict JSON.
    #[error("the issuer metadata is not read")]
    Json(#[from] JsonError),
    /// A member is missing or of another type.
    #[error("expected {expected} in the issuer metadata, found something else")]
    Member {
        /// What belongs there.
        expected: &'static str,
    },
    /// `iss` is no URL that has such metadata.
    #[error("expected iss as an HTTPS URL without query and fragment, found another")]
    NoUrl,
    /// More keys than [`MAX_KEYS`].
    #[error("expected at most {MAX_KEYS} keys, found more")]
    TooManyKeys,
    /// A document about another issuer.
    #[error("expected the issuer {expected:?}, found {found:?}")]
    WrongIssuer {
        /// `iss` of the credential.
        expected: String,
        /// `issuer` of the document.
        found: String,
    },
}

/// Where the metadata of the issuer `iss` is: the well-known path stands between host and path.
///
/// # Errors
/// [`IssuerMetadataError::NoUrl`].
pub fn metadata_url(iss: &str) -> Result<String, IssuerMetadataError> {
    let rest = iss.strip_prefix("https://").ok_or(IssuerMetadataError::NoUrl)?;
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"?#\\@\"<>^`{|}".contains(&byte);
    if authority.is_empty() || !rest.bytes().all(is_plain) {
        return Err(IssuerMetadataError::NoUrl);
    }
    let path = path.strip_suffix('/').unwrap_or(path);
    Ok(format!("https://{authority}{WELL_KNOWN}{path}"))
}

impl IssuerMetadata {
    /// Reads the document that was found at [`metadata_url`] of `iss`.
    ///
    /// # Errors
    /// [`IssuerMetadataError`], after which nothing of the document may be used.
    pub fn read(document: &[u8], iss: &str) -> Result<Self, IssuerMetadataError> {
        let tree = parse(document)?;
        let root = tree.root();
        let found = root.get("issuer").and_then(Json::as_str);
        let found = found.ok_or(IssuerMetadataError::Member { expected: "issuer" })?;
        if found != iss {
            return Err(IssuerMetadataError::WrongIssuer {
                expected: iss.to_owned(),
                found: found.to_owned(),
            });
        }
        let keys = match (root.get("jwks"), root.get("jwks_uri").map(Json::as_str)) {
            (Some(set), None) => IssuerKeys::Embedded(KeySet::from_json(set)?),
            (None, Some(Some(url))) if url.starts_with("https://") => IssuerKeys::At(url.to_owned()),
            _ => {
                let expected = "either jwks or an HTTPS jwks_uri";
                return Err(IssuerMetadataError::Member { expected });
            }
        };
        Ok(Self { keys })
    }
}

impl KeySet {
    /// Reads the document at `jwks_uri`.
    ///
    /// # Errors
    /// [`IssuerMetadataError`].
    pub fn read(document: &[u8]) -> Result<Self, IssuerMetadataError> {
        Self::from_json(parse(document)?.root())
    }

    /// Keys of kinds that we do not know are left out, as RFC 7517 (section 5) asks. A private key refuses the set:
    /// whoever publishes one has lost it.
    fn from_json(set: Json<'_>) -> Result<Self, IssuerMetadataError> {
        let expected = "keys as an array of public JWKs";
        let members = set.get("keys").and_then(Json::elements);
        let mut keys = Vec::new();
        for (place, key) in members.ok_or(IssuerMetadataError::Member { expected })?.enumerate() {
            if place == MAX_KEYS {
                return Err(IssuerMetadataError::TooManyKeys);
            }
            match Jwk::from_json(key) {
                Ok(jwk) => keys.push(jwk),
                // RSA keys have no crv.
                Err(keys::jwk::JwkError::Member { .. }) => {}
                Err(_) => return Err(IssuerMetadataError::Member { expected }),
            }
        }
        Ok(Self { keys })
    }

    /// The key that signed: the one with this `kid`, or the only one if the credential names none.
    ///
    /// # Errors
    /// [`IssuerMetadataError::AmbiguousKey`] when it is not exactly one that verifies `algorithm`.
    pub fn choose(&self, kid: Option<&str>, algorithm: Algorithm) -> Result<PublicKey, IssuerMetadataError> {
        let named = |jwk: &&Jwk| kid.is_none_or(|kid| jwk.kid.as_deref() == Some(kid)) && jwk.is_for_signatures();
        let usable = |jwk: &Jwk| PublicKey::from_jwk(jwk).ok();
        let mut candidates: Vec<PublicKey> = self
            .keys
            .iter()
            .filter(named)
            .filter_map(usable)
            .filter(|key| key.algorithm() == algorithm)
            .collect();
        let found = candidates.len();
        match (candidates.pop(), found) {
            (Some(key), 1) => Ok(key),
            _ => Err(IssuerMetadataError::AmbiguousKey { found }),
        }
    }
}

fn parse(document: &[u8]) -> Result<Tree, IssuerMetadataError> {
    let limits = json::Limits {
        max_bytes: MAX_BYTES,
        ..json::DEFAULT_LIMITS
    };
    Ok(Tree::parse_object(document, limits)?)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use serde_json::json;

    use super::*;

    const ISSUER: &str = "https://example.com";

    /// The keys of the draft's example, and one that signs with EdDSA.
    fn document() -> Value {
        json!({"issuer": ISSUER, "jwks": {"keys": [
            {"kid": "doc-signer-05-25-2022", "kty": "EC", "crv": "P-256", "x": "b28d4MwZMjw8-00CG4xfnn9SLMVMM19SlqZpVb_uNtQ", "y": "Xv5zWwuoaTgdS6hV43yI6gBwTnjukmFQQnJ_kCxzqk8"},
            {"kid": "ed", "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
            {"kid": "rsa", "kty": "RSA", "n": "AQAB", "e": "AQAB"},
        ]}})
    }

    fn read(document: &Value) -> Result<IssuerMetadata, IssuerMetadataError> {
        IssuerMetadata::read(document.to_string().as_bytes(), ISSUER)
    }

    fn keys(document: &Value) -> KeySet {
        match read(document).unwrap().keys {
            IssuerKeys::Embedded(set) => set,
            IssuerKeys::At(url) => panic!("{url}"),
        }
    }

    #[test]
    fn the_well_known_path_stands_between_host_and_path() {
        for (iss, url) in [
            ("https://example.com", "https://example.com/.well-known/jwt-vc-issuer"),
            ("https://example.com/", "https://example.com/.well-known/jwt-vc-issuer"),
            (
                "https://example.com/tenant/1234",
                "https://example.com/.well-known/jwt-vc-issuer/tenant/1234",
            ),
            (
                "https://example.com:8443/Tenant/",
                "https://example.com:8443/.well-known/jwt-vc-issuer/Tenant",
            ),
        ] {
            assert_eq!(metadata_url(iss).as_deref(), Ok(url));
        }
        for bad in [
            "http://example.com",
            "did:web:example.com",
            "https://",
            "https:///path",
            "https://example.com?q=1",
            "https://example.com/a#b",
            "https://user@example.com",
            "https://example.com\\@evil.example",
            "https://example.com/a b",
        ] {
            assert_eq!(metadata_url(bad), Err(IssuerMetadataError::NoUrl), "{bad}");
        }
    }

    #[test]
    fn metadata_of_another_issuer_is_refused() {
        assert!(read(&document()).is_ok());
        for other in [
            json!("https://example.com/"),
            json!("https://Example.com"),
            json!(1),
            json!(null),
        ] {
            let mut changed = document();
            changed["issuer"] = other.clone();
            assert!(read(&changed).is_err(), "{other}");
        }
    }

    #[test]
    fn keys_are_in_one_place() {
        let url = "https://jwt-vc-issuer.example.com/my_public_keys.jwks";
        let by_url = json!({"issuer": ISSUER, "jwks_uri": url});
        assert_eq!(read(&by_url).unwrap().keys, IssuerKeys::At(url.to_owned()));
        let mut both = document();
        both["jwks_uri"] = json!(url);
        let insecure = json!({"issuer": ISSUER, "jwks_uri": "http://example.com/keys"});
        for bad in [
            both,
            insecure,
            json!({"issuer": ISSUER}),
            json!({"issuer": ISSUER, "jwks": []}),
        ] {
            assert!(matches!(read(&bad), Err(IssuerMetadataError::Member { .. })), "{bad}");
        }
    }

    #[test]
    fn kid_and_algorithm_choose_the_key() {
        let set = keys(&document());
        let p256 = set.choose(Some("doc-signer-05-25-2022"), Algorithm::Es256).unwrap();
        assert_eq!(set.choose(None, Algorithm::Es256), Ok(p256));
        assert!(set.choose(Some("ed"), Algorithm::EdDsa).is_ok());
        for (kid, algorithm) in [
            (Some("ed"), Algorithm::Es256),
            (Some("rsa"), Algorithm::Es256),
            (Some("missing"), Algorithm::EdDsa),
        ] {
            assert_eq!(
                set.choose(kid, algorithm),
                Err(IssuerMetadataError::AmbiguousKey { found: 0 })
            );
        }
    }

    #[test]
    fn two_keys_for_one_kid_are_refused() {
        let mut changed = document();
        let mut again = changed["jwks"]["keys"][0].clone();
        changed["jwks"]["keys"].as_array_mut().unwrap().push(again.clone());
        let refused = Err(IssuerMetadataError::AmbiguousKey { found: 2 });
        assert_eq!(
            keys(&changed).choose(Some("doc-signer-05-25-2022"), Algorithm::Es256),
            refused
        );
        // Of which one is not for signatures.
        again["use"] = json!("enc");
        changed["jwks"]["keys"][3] = again;
        assert!(
            keys(&changed)
                .choose(Some("doc-signer-05-25-2022"), Algorithm::Es256)
                .is_ok()
        );
    }

    #[test]
    fn private_keys_and_too_many_are_refused() {
        let mut private = document();
        private["jwks"]["keys"][1]["d"] = json!("AQAB");
        assert!(matches!(read(&private), Err(IssuerMetadataError::Member { .. })));
        let mut many = document();
        many["jwks"]["keys"] = json!(vec![many["jwks"]["keys"][1].clone(); MAX_KEYS + 1]);
        assert_eq!(read(&many), Err(IssuerMetadataError::TooManyKeys));
    }
}
