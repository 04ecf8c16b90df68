//! The Status List Token: its claims, and the JWT format
//! ([status list token](https://datatracker.ietf.org/doc/html/draft-ietf-oauth-status-list#name-status-list-token-in-jwt-fo)).
//! The CWT format is in `cwt.rs`.

use std::time::Duration;

use keys::Algorithm;
use keys::PublicKey;
use keys::SigningRequest;
use keys::Timestamp;
use keys::base64url;
use keys::cbor::CborError;
use keys::cose::CoseError;
use keys::json;
use keys::jws;
use keys::jws::JwsError;
use keys::jws::UnverifiedJws;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use thiserror::Error;

use super::BitsPerEntry;
use super::CompressedList;
use super::Lifetime;
use super::StatusArray;
use super::StatusList;
use super::StatusListError;
use super::compression::zlib_decompress;
use super::reference::is_uri;
use crate::registered_claims::ClaimError;
use crate::registered_claims::MAX_CLOCK_SKEW;
use crate::registered_claims::ValidityError;
use crate::registered_claims::check_validity;
use crate::registered_claims::numeric_date;
use crate::registered_claims::optional_string;
use crate::registered_claims::required_string;

/// The `typ` of a Status List Token, and its media type after `application/`.
pub const STATUS_LIST_TYPE: &str = "statuslist+jwt";

/// Bytes of a token. Random 2-bit statuses do not compress: 4 MiB of base64 are 12 million of them.
pub(super) const MAX_BYTES: usize = 4 << 20;

/// What a Status List Token says, for issuing one.
#[derive(Clone, Debug)]
pub struct StatusListToken<'a> {
    /// `sub`: where the token is published, as credentials name it.
    pub uri: &'a str,
    /// `iss`, which the standard leaves optional; ours name the issuer's DID.
    pub issuer: &'a str,
    /// `kid`: the issuer's verification method.
    pub key_id: &'a str,
    /// `iat`.
    pub issued_at: Timestamp,
    /// `exp`, after which nobody may rely on it.
    pub expires_at: Option<Timestamp>,
    /// `ttl`: seconds after which a fresh copy should be fetched.
    pub time_to_live: Option<u64>,
    /// Where the issuer names all its lists.
    pub aggregation_uri: Option<&'a str>,
    /// The statuses.
    pub list: &'a CompressedList,
}

/// What a Status List Token says, in either format, once its signature was checked.
pub(super) struct VerifiedClaims<'a> {
    pub(super) issuer: Option<&'a str>,
    pub(super) subject: &'a str,
    /// Whether it names an audience.
    pub(super) has_audience: bool,
    pub(super) issued_at: Timestamp,
    pub(super) not_before: Option<Timestamp>,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) time_to_live: Option<Duration>,
}

/// A Status List Token in JWT format whose signature nobody has checked.
pub struct UnverifiedStatusListToken {
    jws: UnverifiedJws,
    claims: Map<String, Value>,
}

/// The publisher's fault, or that of whoever swapped the token: no status can be read.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum StatusListTokenError {
    /// The payload is not CBOR as it is read here.
    #[error("the payload of the Status List Token is not read")]
    Cbor(#[from] CborError),
    /// A claim is missing or of another type.
    #[error("a claim of the Status List Token is not read")]
    Claim(#[from] ClaimError),
    /// The CWT itself: form, type, algorithm or signature.
    #[error("the Status List Token is refused")]
    Cose(#[from] CoseError),
    /// Issued in the future.
    #[error("expected a Status List Token issued before {now}, found {found}")]
    IssuedInTheFuture {
        /// The time of checking.
        now: Timestamp,
        /// Its `iat`.
        found: Timestamp,
    },
    /// The JWT itself: form, type, algorithm or signature.
    #[error("the Status List Token is refused")]
    Jws(#[from] JwsError),
    /// The list inside.
    #[error("the status list is not read")]
    List(#[from] StatusListError),
    /// The payload is not strict JSON.
    #[error("the payload of the Status List Token is not read")]
    Payload(#[source] json::JsonError),
    /// Expired.
    #[error("the Status List Token is not valid now")]
    Validity(#[from] ValidityError),
    /// Signed for another issuer than the key belongs to.
    #[error("expected iss {expected:?}, found another")]
    WrongIssuer {
        /// Whose key it is.
        expected: String,
    },
    /// A token about another list.
    #[error("expected sub {expected:?}, found {found:?}")]
    WrongSubject {
        /// The list that was asked for.
        expected: String,
        /// `sub` of the token.
        found: String,
    },
}

impl StatusListToken<'_> {
    /// The token, once signed.
    pub fn sign(&self, algorithm: Algorithm) -> SigningRequest<String> {
        let mut claims = json!({
            "iat": self.issued_at.unix(),
            "iss": self.issuer,
            "status_list": self.list.to_status_list(self.aggregation_uri),
            "sub": self.uri,
        });
        if let Value::Object(claims) = &mut claims {
            claims.extend(self.expires_at.map(|time| ("exp".to_owned(), json!(time.unix()))));
            claims.extend(self.time_to_live.map(|seconds| ("ttl".to_owned(), json!(seconds))));
        }
        let header = [("kid", self.key_id), ("typ", STATUS_LIST_TYPE)];
        let header = header
            .into_iter()
            .map(|(name, value)| (name.to_owned(), Value::from(value)))
            .collect();
        jws::sign(header, claims.to_string().as_bytes(), algorithm)
    }
}

impl UnverifiedStatusListToken {
    /// Reads the token's form; nothing is believed or decompressed.
    ///
    /// # Errors
    /// [`StatusListTokenError`], the publisher's fault.
    pub fn parse(token: &str) -> Result<Self, StatusListTokenError> {
        let jws = UnverifiedJws::parse(token, MAX_BYTES)?;
        jws.header().expect_typ(STATUS_LIST_TYPE)?;
        let limits = json::Limits {
            max_bytes: MAX_BYTES,
            ..json::DEFAULT_LIMITS
        };
        let claims = json::parse_object(jws.unverified_payload(), limits).map_err(StatusListTokenError::Payload)?;
        Ok(Self { jws, claims })
    }

    /// `iss`, if told: a hint for finding the key.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.claims.get("iss").and_then(Value::as_str)
    }

    /// `kid`: a hint for finding the key.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.jws.header().kid()
    }

    /// Checks the signature with `key`, which belongs to `issuer`, and that the token is about the list
    /// `uri` and not expired. For a list of the past, `now` is the time that was asked for
    /// ([historical resolution](https://datatracker.ietf.org/doc/html/draft-ietf-oauth-status-list#name-historical-resolution)).
    ///
    /// # Errors
    /// [`StatusListTokenError`], after which no statement about any status can be made.
    pub fn authenticate(
        self,
        key: &PublicKey,
        issuer: &str,
        uri: &str,
        now: Timestamp,
    ) -> Result<StatusList, StatusListTokenError> {
        let Self { jws, claims } = self;
        // The claims were parsed from these very bytes.
        let _verified = jws.verify(key)?;
        let issued_at = numeric_date(&claims, "iat")?;
        let verified = VerifiedClaims {
            issuer: optional_string(&claims, "iss")?,
            subject: required_string(&claims, "sub")?,
            has_audience: claims.contains_key("aud"),
            issued_at: issued_at.ok_or_else(|| ClaimError::missing("iat", "seconds since the epoch"))?,
            not_before: numeric_date(&claims, "nbf")?,
            expires_at: numeric_date(&claims, "exp")?,
            time_to_live: claims.get("ttl").map(read_time_to_live).transpose()?,
        };
        let lifetime = verified.check(issuer, uri, now)?;
        let list = claims.get("status_list");
        let list = list.ok_or_else(|| ClaimError::missing("status_list", "an object"))?;
        let aggregation_uri = list.get("aggregation_uri").map(|uri| {
            let uri = uri.as_str().filter(|uri| is_uri(uri)).map(str::to_owned);
            uri.ok_or_else(|| ClaimError::malformed("aggregation_uri", "a URI"))
        });
        Ok(StatusList::published(
            issuer.to_owned(),
            uri.to_owned(),
            StatusArray::from_status_list(list)?,
            lifetime,
            aggregation_uri.transpose()?,
        ))
    }
}

impl VerifiedClaims<'_> {
    /// Compares what the token says with what was asked for
    /// ([validation rules](https://datatracker.ietf.org/doc/html/draft-ietf-oauth-status-list#name-validation-rules)).
    pub(super) fn check(&self, issuer: &str, uri: &str, now: Timestamp) -> Result<Lifetime, StatusListTokenError> {
        if self.issuer.is_some_and(|found| found != issuer) {
            return Err(StatusListTokenError::WrongIssuer {
                expected: issuer.to_owned(),
            });
        }
        if self.subject != uri || !is_uri(self.subject) {
            return Err(StatusListTokenError::WrongSubject {
                expected: uri.to_owned(),
                found: self.subject.to_owned(),
            });
        }
        if self.has_audience {
            // RFC 7519: whoever does not find itself there must reject the token, and a status list is for everybody.
            return Err(ClaimError::malformed("aud", "absent").into());
        }
        let found = self.issued_at;
        if found > now.plus(MAX_CLOCK_SKEW) {
            return Err(StatusListTokenError::IssuedInTheFuture { now, found });
        }
        check_validity(self.not_before, self.expires_at, now)?;
        Ok(Lifetime {
            as_of: found,
            valid_until: self.expires_at,
            time_to_live: self.time_to_live,
        })
    }
}

/// A positive number of seconds, perhaps with a fraction.
fn read_time_to_live(ttl: &Value) -> Result<Duration, ClaimError> {
    let seconds = ttl.as_f64().filter(|seconds| *seconds > 0.0);
    let duration = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    duration.ok_or_else(|| ClaimError::malformed("ttl", "a positive number"))
}

impl CompressedList {
    /// The `status_list` object of a token:
    /// [status list in JSON format](https://datatracker.ietf.org/doc/html/draft-ietf-oauth-status-list#name-status-list-in-json-format).
    #[must_use]
    pub fn to_status_list(&self, aggregation_uri: Option<&str>) -> Value {
        let mut list = Map::from_iter([
            ("bits".to_owned(), json!(self.bits().number())),
            ("lst".to_owned(), json!(base64url::encode(self.bytes()))),
        ]);
        list.extend(aggregation_uri.map(|uri| ("aggregation_uri".to_owned(), json!(uri))));
        Value::Object(list)
    }
}

impl StatusArray {
    /// Reads a `status_list` object.
    ///
    /// # Errors
    /// [`StatusListTokenError::Claim`] and [`StatusListTokenError::List`], the publisher's fault.
    pub fn from_status_list(list: &Value) -> Result<Self, StatusListTokenError> {
        let malformed = |name: &'static str, expected| ClaimError::malformed(name, expected);
        let bits = list
            .get("bits")
            .and_then(Value::as_u64)
            .ok_or_else(|| malformed("bits", "1, 2, 4 or 8"))?;
        let encoded = list
            .get("lst")
            .and_then(Value::as_str)
            .ok_or_else(|| malformed("lst", "a string"))?;
        let bits = BitsPerEntry::try_from(bits)?;
        let compressed = base64url::decode(encoded).map_err(|_| StatusListError::Encoding {
            expected: "without padding",
        })?;
        Ok(Self::from_packed(bits, zlib_decompress(&compressed)?))
    }
}

#[cfg(test)]
mod tests {
    use keys::signing::fulfil;
    use signer::SoftwareKey;

    use super::super::Status;
    use super::super::StatusReference;
    use super::*;

    const URI: &str = "https://example.com/statuslists/1";
    const ISSUER: &str = "did:example:issuer";
    const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);

    fn key(algorithm: Algorithm) -> SoftwareKey {
        SoftwareKey::generate(algorithm, &mut signer::os_rng())
    }

    fn array() -> StatusArray {
        let mut array = StatusArray::new(BitsPerEntry::Two, 100);
        array.set(7, Status::Suspended).unwrap();
        array
    }

    fn compressed() -> CompressedList {
        array().compress().unwrap()
    }

    fn authenticate(token: &str, key: &SoftwareKey) -> Result<StatusList, StatusListTokenError> {
        use keys::Signer as _;
        UnverifiedStatusListToken::parse(token)?.authenticate(key.public_key(), ISSUER, URI, NOW)
    }

    fn claims() -> Value {
        json!({"iat": NOW.unix(), "iss": ISSUER, "sub": URI, "exp": NOW.plus(1).unix(), "ttl": 60, "status_list": compressed().to_status_list(None)})
    }

    fn signed(typ: &str, claims: &Value, key: &SoftwareKey) -> String {
        let header = Map::from_iter([("typ".to_owned(), Value::from(typ))]);
        fulfil(key, jws::sign(header, claims.to_string().as_bytes(), Algorithm::EdDsa)).unwrap()
    }

    /// The genuine claims with one member changed, or removed by `null`.
    fn with(member: &str, value: Value) -> Result<StatusList, StatusListTokenError> {
        let key = key(Algorithm::EdDsa);
        assert!(authenticate(&signed(STATUS_LIST_TYPE, &claims(), &key), &key).is_ok());
        let mut claims = claims();
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(member);
        } else {
            claims[member] = value;
        }
        authenticate(&signed(STATUS_LIST_TYPE, &claims, &key), &key)
    }

    #[test]
    fn what_is_issued_is_read() {
        for algorithm in [Algorithm::Es256, Algorithm::EdDsa] {
            let key = key(algorithm);
            let list = compressed();
            let token = StatusListToken {
                uri: URI,
                issuer: ISSUER,
                key_id: "did:example:issuer#1",
                issued_at: NOW,
                expires_at: Some(NOW.plus(60)),
                time_to_live: Some(300),
                aggregation_uri: Some("https://example.com/statuslists"),
                list: &list,
            };
            let token = fulfil(&key, token.sign(algorithm)).unwrap();
            let unverified = UnverifiedStatusListToken::parse(&token).unwrap();
            assert_eq!(
                (unverified.issuer(), unverified.key_id()),
                (Some(ISSUER), Some("did:example:issuer#1"))
            );
            let list = authenticate(&token, &key).unwrap();
            assert_eq!((list.array(), list.as_of()), (&array(), NOW));
            assert_eq!(list.aggregation_uri(), Some("https://example.com/statuslists"));
            let lifetime = list.lifetime();
            assert_eq!(lifetime.valid_until(), Some(NOW.plus(60)));
            assert_eq!(lifetime.refresh_at(NOW.minus(300)), Some(NOW));
            let reading = list
                .read(&StatusReference::token_status_list(URI.to_owned(), 7))
                .unwrap();
            assert_eq!(reading.status(), Status::Suspended);
        }
    }

    #[test]
    fn a_token_about_another_list_is_refused() {
        assert!(matches!(
            with("sub", json!("https://example.com/2")),
            Err(StatusListTokenError::WrongSubject { .. })
        ));
        assert!(matches!(with("sub", Value::Null), Err(StatusListTokenError::Claim(_))));
    }

    #[test]
    fn a_token_for_somebody_else_is_refused() {
        let refused = with("aud", json!("https://verifier.example"));
        assert!(matches!(refused, Err(StatusListTokenError::Claim(_))));
    }

    #[test]
    fn another_issuers_token_is_refused() {
        let refused = with("iss", json!("did:example:other"));
        assert!(matches!(refused, Err(StatusListTokenError::WrongIssuer { .. })));
        assert!(with("iss", Value::Null).is_ok(), "iss is optional in the standard");
    }

    #[test]
    fn times_are_checked() {
        assert!(matches!(
            with("exp", json!(NOW.unix())),
            Err(StatusListTokenError::Validity(_))
        ));
        assert!(matches!(
            with("iat", json!(NOW.plus(61).unix())),
            Err(StatusListTokenError::IssuedInTheFuture { .. })
        ));
        assert!(matches!(with("iat", Value::Null), Err(StatusListTokenError::Claim(_))));
        for ttl in [json!(0), json!(-1), json!("60"), json!(1e300)] {
            assert!(matches!(with("ttl", ttl), Err(StatusListTokenError::Claim(_))));
        }
        assert_eq!(
            with("ttl", json!(90.5)).unwrap().lifetime().refresh_at(NOW.minus(600)),
            Some(NOW.minus(510))
        );
        let endless = with("exp", Value::Null).unwrap();
        assert_eq!(endless.lifetime().valid_until(), None);
    }

    #[test]
    fn malformed_lists_are_refused() {
        let lst = compressed().to_status_list(None)["lst"].clone();
        for list in [
            json!({}),
            json!({"bits": 3, "lst": lst}),
            json!({"bits": 1}),
            json!({"bits": 1, "lst": "eNrbuRgAAhcBXQ=="}),
            json!({"bits": 1, "lst": "AAAA"}),
            json!({"bits": 1, "lst": lst, "aggregation_uri": 1}),
            json!({"bits": 1, "lst": lst, "aggregation_uri": "no uri"}),
            json!([]),
        ] {
            let refused = with("status_list", list.clone());
            assert!(
                matches!(
                    refused,
                    Err(StatusListTokenError::List(_) | StatusListTokenError::Claim(_))
                ),
                "{list}"
            );
        }
    }

    #[test]
    fn wrong_type_and_wrong_key_are_refused() {
        let key = key(Algorithm::EdDsa);
        for typ in ["JWT", "statuslist+cwt", "dc+sd-jwt"] {
            let refused = authenticate(&signed(typ, &claims(), &key), &key);
            assert!(matches!(
                refused,
                Err(StatusListTokenError::Jws(JwsError::WrongType { .. }))
            ));
        }
        let other = self::key(Algorithm::EdDsa);
        let refused = authenticate(&signed(STATUS_LIST_TYPE, &claims(), &other), &key);
        assert!(matches!(
            refused,
            Err(StatusListTokenError::Jws(JwsError::Signature(_)))
        ));
    }
}
