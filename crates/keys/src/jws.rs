//! Compact JSON Web Signatures ([RFC 7515](https://www.rfc-editor.org/rfc/rfc7515)).
//!
//! `parse` gives an [`UnverifiedJws`]; only [`UnverifiedJws::verify`] gives a [`VerifiedJws`], whose claims
//! can be used. Which key to verify with is the caller's decision, never the header's: a `jwk` or `x5c`
//! header is a hint like `kid`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand_core::CryptoRng;
use serde_json::Map;
use serde_json::Value;
use thiserror::Error;

use crate::Algorithm;
use crate::PublicKey;
use crate::Signature;
use crate::SignatureError;
use crate::SigningRequest;
use crate::base64url;
use crate::json;
use crate::json::Json;
use crate::json::Tree;

/// A header has a handful of short members; `x5c` chains and verifier attestations are the longest.
const MAX_HEADER_BYTES: usize = 32 * 1024;

/// Certificates in `x5c`. Issuers' paths have two or three; each costs a signature check.
pub const MAX_CERTIFICATES: usize = 8;

/// Room for the dots, the last groups of header and payload, and the longest signature, of ES512.
const SIGNATURE_CHARS: usize = 192;

/// A JOSE header whose `alg` we implement and that has no `crit`.
#[derive(Clone, Debug)]
pub struct Header {
    algorithm: Algorithm,
    members: Tree,
}

/// A JWS as it arrived. Its payload is nobody's word yet.
#[derive(Clone, Debug)]
pub struct UnverifiedJws {
    header: Header,
    payload: Vec<u8>,
    signature: Signature,
    /// What was signed: the received text up to the second dot, never a re-encoding.
    signing_input: String,
}

/// A JWS whose signature a given key verified.
#[derive(Clone, Debug)]
#[must_use]
pub struct VerifiedJws {
    header: Header,
    payload: Vec<u8>,
}

/// The peer sent a JWS that is malformed or not signed by the expected key.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum JwsError {
    /// `alg` is missing, `none`, a MAC or one we do not implement.
    #[error("expected alg EdDSA, Ed25519, ES256, ES384 or ES512, found {found:?}")]
    Algorithm {
        /// What the header says.
        found: Option<String>,
    },
    /// The header demands extensions (RFC 7515, section 4.1.11); we implement none.
    #[error("expected no critical header parameters, found `crit`")]
    Critical,
    /// Not three parts of canonical base64url.
    #[error("expected three base64url parts separated by dots")]
    Form,
    /// The header is no JSON object or has a member of the wrong type.
    #[error("the protected header is not read")]
    Header(#[source] json::JsonError),
    /// The payload is no JSON object.
    #[error("the payload is not read")]
    Payload(#[source] json::JsonError),
    /// The signature is not the expected key's.
    #[error("the signature is not valid")]
    Signature(#[from] SignatureError),
    /// Longer than its place allows.
    #[error("expected a JWS of at most {limit} bytes, found {found}")]
    TooLong {
        /// The limit.
        limit: usize,
        /// Its length.
        found: usize,
    },
    /// `alg` is not the algorithm of the key.
    #[error("expected alg {expected} for this key, found {found}")]
    WrongKey {
        /// The key's algorithm.
        expected: Algorithm,
        /// The header's.
        found: Algorithm,
    },
    /// `typ` is not the one of this place; types are compared so that a token of one kind never passes for another.
    #[error("expected typ {expected}, found {found:?}")]
    WrongType {
        /// The type of this place.
        expected: &'static str,
        /// The header's.
        found: Option<String>,
    },
}

impl Header {
    /// The algorithm.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// `typ`, as written.
    #[must_use]
    pub fn typ(&self) -> Option<&str> {
        self.text("typ")
    }

    /// `kid`, as written.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.text("kid")
    }

    /// `x5c`, decoded: certificates in DER, the signer's first
    /// ([RFC 7515, section 4.1.6](https://www.rfc-editor.org/rfc/rfc7515#section-4.1.6)). A hint until the path to a trust
    /// anchor is checked.
    ///
    /// # Errors
    /// [`JwsError::Header`] when it is there and no array of 1 to [`MAX_CERTIFICATES`] texts in base64.
    pub fn certificates(&self) -> Result<Option<Vec<Vec<u8>>>, JwsError> {
        let Some(chain) = self.member("x5c") else {
            return Ok(None);
        };
        let malformed = || {
            JwsError::Header(json::JsonError::Shape {
                expected: "x5c as certificates in base64",
            })
        };
        let mut certificates = Vec::new();
        for certificate in chain.elements().ok_or_else(malformed)? {
            let der = certificate.as_str().and_then(|text| STANDARD.decode(text).ok());
            certificates.push(der.filter(|der| !der.is_empty()).ok_or_else(malformed)?);
            if certificates.len() > MAX_CERTIFICATES {
                return Err(malformed());
            }
        }
        if certificates.is_empty() {
            Err(malformed())
        } else {
            Ok(Some(certificates))
        }
    }

    /// Any member.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<Json<'_>> {
        self.members.root().get(name)
    }

    /// Checks `typ` case-insensitively, with or without `application/` (RFC 7515, section 4.1.9).
    ///
    /// # Errors
    /// [`JwsError::WrongType`].
    pub fn expect_typ(&self, expected: &'static str) -> Result<(), JwsError> {
        let found = self.typ();
        let bare = found.map(|typ| match typ.split_at_checked("application/".len()) {
            Some((prefix, rest)) if prefix.eq_ignore_ascii_case("application/") => rest,
            _ => typ,
        });
        if bare.is_some_and(|bare| bare.eq_ignore_ascii_case(expected)) {
            Ok(())
        } else {
            Err(JwsError::WrongType {
                expected,
                found: found.map(str::to_owned),
            })
        }
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.member(name).and_then(Json::as_str)
    }

    fn parse(bytes: &[u8]) -> Result<Self, JwsError> {
        let limits = json::Limits {
            max_bytes: MAX_HEADER_BYTES,
            ..json::DEFAULT_LIMITS
        };
        let members = Tree::parse_object(bytes, limits).map_err(JwsError::Header)?;
        let root = members.root();
        if root.get("crit").is_some() {
            return Err(JwsError::Critical);
        }
        for name in ["typ", "kid", "cty"] {
            if root.get(name).is_some_and(|value| value.as_str().is_none()) {
                return Err(JwsError::Header(json::JsonError::Shape {
                    expected: "typ, cty and kid as strings",
                }));
            }
        }
        let found = root.get("alg").and_then(Json::as_str);
        let algorithm = found
            .and_then(Algorithm::from_jose_name)
            .ok_or_else(|| JwsError::Algorithm {
                found: found.map(str::to_owned),
            })?;
        Ok(Self { algorithm, members })
    }
}

impl UnverifiedJws {
    /// Splits and decodes a compact JWS of at most `max_bytes`.
    ///
    /// # Errors
    /// [`JwsError`], the sender's fault.
    pub fn parse(text: &str, max_bytes: usize) -> Result<Self, JwsError> {
        if text.len() > max_bytes {
            return Err(JwsError::TooLong {
                limit: max_bytes,
                found: text.len(),
            });
        }
        let (signing_input, signature) = text.rsplit_once('.').ok_or(JwsError::Form)?;
        let (header, payload) = signing_input.split_once('.').ok_or(JwsError::Form)?;
        let decode = |part: &str| base64url::decode(part).map_err(|_| JwsError::Form);
        let header = Header::parse(&decode(header)?)?;
        let payload = decode(payload)?;
        // Not base64url at all is another fault than a signature of another length.
        let signature = match base64url::decode_array::<64>(signature) {
            Ok(bytes) => Signature::from_bytes(&bytes)?,
            Err(_) => Signature::from_bytes(&decode(signature)?)?,
        };
        Ok(Self {
            header,
            payload,
            signature,
            signing_input: signing_input.to_owned(),
        })
    }

    /// The header, which may tell where to look for the key.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The payload before verification. For one purpose only: to read who claims to have signed, so
    /// that the key can be found. Nothing else in it means anything yet.
    #[must_use]
    pub fn unverified_payload(&self) -> &[u8] {
        &self.payload
    }

    /// What was signed.
    #[must_use]
    pub fn signing_input(&self) -> &str {
        &self.signing_input
    }

    /// Checks the signature with `key`, whose algorithm must be the header's.
    ///
    /// # Errors
    /// [`JwsError::WrongKey`] or [`JwsError::Signature`].
    pub fn verify(self, key: &PublicKey) -> Result<VerifiedJws, JwsError> {
        self.check_algorithm(key)?;
        key.verify(self.signing_input.as_bytes(), &self.signature)?;
        Ok(self.verified())
    }

    fn check_algorithm(&self, key: &PublicKey) -> Result<(), JwsError> {
        if key.algorithm() == self.header.algorithm {
            Ok(())
        } else {
            Err(JwsError::WrongKey {
                expected: key.algorithm(),
                found: self.header.algorithm,
            })
        }
    }

    fn verified(self) -> VerifiedJws {
        VerifiedJws {
            header: self.header,
            payload: self.payload,
        }
    }
}

/// Checks many signatures of one key, each with the verdict of [`UnverifiedJws::verify`], in their order
/// ([`PublicKey::verify_all`]).
#[must_use]
pub fn verify_all(
    all: Vec<UnverifiedJws>,
    key: &PublicKey,
    rng: &mut dyn CryptoRng,
) -> Vec<Result<VerifiedJws, JwsError>> {
    let of_this_kind = |jws: &&UnverifiedJws| jws.check_algorithm(key).is_ok();
    let signed = all.iter().filter(of_this_kind);
    let signed: Vec<_> = signed
        .map(|jws| (jws.signing_input.as_bytes(), &jws.signature))
        .collect();
    let mut verdicts = key.verify_all(&signed, rng).into_iter();
    all.into_iter()
        .map(|jws| {
            jws.check_algorithm(key)?;
            // There is one for each that was checked.
            verdicts.next().unwrap_or(Err(SignatureError))?;
            Ok(jws.verified())
        })
        .collect()
}

impl VerifiedJws {
    /// The signed header.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The signed bytes.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The payload as a JSON object, as every JWT has it.
    ///
    /// # Errors
    /// [`JwsError::Payload`].
    pub fn claims(&self) -> Result<Map<String, Value>, JwsError> {
        json::parse_object(&self.payload, json::DEFAULT_LIMITS).map_err(JwsError::Payload)
    }
}

/// A request for a compact JWS over `payload`. `alg` is set here, so that header and key cannot disagree.
pub fn sign(mut header: Map<String, Value>, payload: &[u8], algorithm: Algorithm) -> SigningRequest<String> {
    header.insert("alg".to_owned(), Value::from(algorithm.jose_name()));
    let header = json::to_text(&header);
    // Four characters for three bytes, two dots, and a signature: nothing is moved later.
    let mut text = String::with_capacity((header.len() + payload.len()) / 3 * 4 + SIGNATURE_CHARS);
    base64url::append(header.as_bytes(), &mut text);
    text.push('.');
    base64url::append(payload, &mut text);
    let message = text.as_bytes().to_vec();
    SigningRequest::new(algorithm, message, move |signature| {
        let mut text = text;
        text.push('.');
        base64url::append(signature.as_bytes(), &mut text);
        text
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// RFC 8037, appendix A.4.
    const JWS: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

    fn key() -> PublicKey {
        let jwk = json!({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
        PublicKey::from_jwk(&crate::Jwk::from_value(&jwk).unwrap()).unwrap()
    }

    fn with_header(header: &Value) -> Result<UnverifiedJws, JwsError> {
        let (_, rest) = JWS.split_once('.').unwrap();
        UnverifiedJws::parse(&format!("{}.{rest}", base64url::encode(header.to_string())), 4096)
    }

    #[test]
    fn vector_of_rfc_8037() {
        let verified = UnverifiedJws::parse(JWS, 4096).unwrap().verify(&key()).unwrap();
        assert_eq!(verified.payload(), b"Example of Ed25519 signing");
    }

    #[test]
    fn what_is_signed_is_what_the_request_completes_to() {
        let request = sign(Map::new(), b"Example of Ed25519 signing", Algorithm::EdDsa);
        let (signing_input, signature) = JWS.rsplit_once('.').unwrap();
        assert_eq!(request.message(), signing_input.as_bytes());
        let signature = Signature::from_bytes(&base64url::decode(signature).unwrap()).unwrap();
        assert_eq!(request.complete(signature), JWS);
    }

    #[test]
    fn a_changed_payload_is_refused() {
        let changed = JWS.replacen("RXhh", "RXhi", 1);
        assert_eq!(
            UnverifiedJws::parse(&changed, 4096)
                .unwrap()
                .verify(&key())
                .unwrap_err(),
            JwsError::Signature(SignatureError)
        );
    }

    #[test]
    fn alg_none_macs_and_unknown_algorithms_are_refused() {
        for alg in [json!("none"), json!("HS256"), json!("RS256"), json!(null), json!(7)] {
            assert!(
                matches!(with_header(&json!({"alg": alg})), Err(JwsError::Algorithm { .. })),
                "{alg}"
            );
        }
    }

    #[test]
    fn alg_of_another_key_type_is_refused() {
        let jws = with_header(&json!({"alg": "ES256"})).unwrap();
        assert_eq!(
            jws.verify(&key()).unwrap_err(),
            JwsError::WrongKey {
                expected: Algorithm::EdDsa,
                found: Algorithm::Es256
            }
        );
    }

    /// RFC 9864 gave the algorithm a name of its own; the older one stays in use.
    #[test]
    fn both_names_of_ed25519_are_accepted() {
        use ed25519_dalek::Signer as _;
        let secret = base64url::decode_array("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap();
        for name in ["EdDSA", "Ed25519"] {
            let header = base64url::encode(json!({"alg": name}).to_string());
            let signing_input = format!("{header}.e30");
            let signature = ed25519_dalek::SigningKey::from_bytes(&secret).sign(signing_input.as_bytes());
            let text = format!("{signing_input}.{}", base64url::encode(signature.to_bytes()));
            assert!(
                UnverifiedJws::parse(&text, 4096).unwrap().verify(&key()).is_ok(),
                "{name}"
            );
        }
    }

    #[test]
    fn duplicate_members_are_refused() {
        let (_, rest) = JWS.split_once('.').unwrap();
        let twice = base64url::encode(r#"{"alg":"EdDSA","kid":"a","kid":"b"}"#);
        let refused = UnverifiedJws::parse(&format!("{twice}.{rest}"), 4096).unwrap_err();
        assert!(matches!(refused, JwsError::Header(json::JsonError::Malformed { .. })));
    }

    #[test]
    fn certificates_are_read_in_their_order() {
        let read = |x5c: Value| {
            with_header(&json!({"alg": "EdDSA", "x5c": x5c}))
                .unwrap()
                .header
                .certificates()
        };
        // Base64 with its padding, not base64url.
        assert_eq!(read(json!(["+/8=", "AQ=="])), Ok(Some(vec![vec![0xfb, 0xff], vec![1]])));
        assert_eq!(
            with_header(&json!({"alg": "EdDSA"})).unwrap().header.certificates(),
            Ok(None)
        );
        let too_many = json!(vec!["AQ=="; MAX_CERTIFICATES + 1]);
        for bad in [
            json!([]),
            json!("AQ=="),
            json!([1]),
            json!(["-_8="]),
            json!(["AQ"]),
            json!([""]),
            too_many,
        ] {
            assert!(matches!(read(bad.clone()), Err(JwsError::Header(_))), "{bad}");
        }
    }

    #[test]
    fn critical_parameters_are_refused() {
        assert_eq!(
            with_header(&json!({"alg": "EdDSA", "crit": ["b64"], "b64": false})).unwrap_err(),
            JwsError::Critical
        );
    }

    #[test]
    fn types_are_compared() {
        let header = |typ: &str| with_header(&json!({"alg": "EdDSA", "typ": typ})).unwrap().header;
        assert_eq!(header("kb+jwt").expect_typ("kb+jwt"), Ok(()));
        assert_eq!(header("Application/KB+JWT").expect_typ("kb+jwt"), Ok(()));
        assert!(matches!(
            header("jwt").expect_typ("kb+jwt"),
            Err(JwsError::WrongType { .. })
        ));
    }

    #[test]
    fn other_forms_are_refused() {
        for bad in [
            "",
            ".",
            "..",
            "a.b",
            &JWS.replacen('.', "..", 1),
            &format!("{JWS}="),
            &format!("{JWS}."),
        ] {
            assert!(UnverifiedJws::parse(bad, 4096).is_err(), "{bad}");
        }
        assert!(matches!(UnverifiedJws::parse(JWS, 10), Err(JwsError::TooLong { .. })));
    }
}
