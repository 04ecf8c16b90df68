//! The Status List Token in CWT format
//! ([status list token](https://datatracker.ietf.org/doc/html/draft-ietf-oauth-status-list#name-status-list-token-in-cwt-fo)):
//! a tagged `COSE_Sign1` around a claims set of [RFC 8392](https://www.rfc-editor.org/rfc/rfc8392).
//!
//! Out of scope: `COSE_Mac0`. Whoever can check a MAC can make one, and a list is for everybody.

use std::time::Duration;

use keys::Algorithm;
use keys::PublicKey;
use keys::SigningRequest;
use keys::Timestamp;
use keys::cbor;
use keys::cbor::Value;
use keys::cose;
use keys::cose::CoseError;
use keys::cose::HeaderMap;
use keys::cose::UnverifiedSign1;
use keys::json::Limits;

use super::BitsPerEntry;
use super::CompressedList;
use super::StatusArray;
use super::StatusList;
use super::StatusListToken;
use super::StatusListTokenError;
use super::compression::zlib_decompress;
use super::reference::is_uri;
use super::token::MAX_BYTES;
use super::token::VerifiedClaims;
use crate::registered_claims::ClaimError;

/// The `typ` of a Status List Token in CWT format, and its media type.
pub const STATUS_LIST_CWT_TYPE: &str = "application/statuslist+cwt";

/// Major type 6 with 18: the message must say that it is a `COSE_Sign1`.
const SIGN1_TAG: u8 = 0xd2;

/// The claims, the list in them, and two levels for other claims.
const MAX_DEPTH: usize = 4;

/// Claim keys, registered with RFC 8392 and by the draft.
const ISS: u64 = 1;
const SUB: u64 = 2;
const AUD: u64 = 3;
const EXP: u64 = 4;
const NBF: u64 = 5;
const IAT: u64 = 6;
const STATUS_LIST: u64 = 65_533;
const TTL: u64 = 65_534;

/// A Status List Token in CWT format whose signature nobody has checked.
pub struct UnverifiedStatusListCwt {
    sign1: UnverifiedSign1,
    claims: Claims,
}

struct Claims(Vec<(Value, Value)>);

impl StatusListToken<'_> {
    /// The token in CWT format, once signed.
    pub fn sign_cwt(&self, algorithm: Algorithm) -> SigningRequest<Vec<u8>> {
        let time = |time: Timestamp| Value::from(time.unix());
        let mut claims = vec![
            (Value::from(ISS), Value::text(self.issuer)),
            (Value::from(SUB), Value::text(self.uri)),
            (Value::from(IAT), time(self.issued_at)),
            (Value::from(STATUS_LIST), self.list.to_cbor(self.aggregation_uri)),
        ];
        claims.extend(self.expires_at.map(|end| (Value::from(EXP), time(end))));
        claims.extend(self.time_to_live.map(|ttl| (Value::from(TTL), Value::from(ttl))));
        let protected = HeaderMap::new().with_typ(STATUS_LIST_CWT_TYPE).with_key_id(self.key_id);
        let payload = Value::Map(claims).to_vec();
        cose::sign(protected, HeaderMap::new(), payload, algorithm).map(|sign1| cose::tagged(&sign1))
    }
}

impl UnverifiedStatusListCwt {
    /// Reads the token's form; nothing is believed or decompressed.
    ///
    /// # Errors
    /// [`StatusListTokenError`], the publisher's fault.
    pub fn parse(token: &[u8]) -> Result<Self, StatusListTokenError> {
        if token.first() != Some(&SIGN1_TAG) {
            let expected = "the tag of COSE_Sign1, and no other";
            return Err(CoseError::Form { expected }.into());
        }
        let sign1 = UnverifiedSign1::parse(token, MAX_BYTES)?;
        sign1.headers().expect_typ(STATUS_LIST_CWT_TYPE)?;
        let expected = "a payload in the message";
        let payload = sign1.unverified_payload().ok_or(CoseError::Payload { expected })?;
        let limits = Limits {
            max_bytes: MAX_BYTES,
            max_depth: MAX_DEPTH,
        };
        let Value::Map(claims) = cbor::decode_foreign(payload, limits)? else {
            let expected = "a map of claims as payload";
            return Err(CoseError::Form { expected }.into());
        };
        Ok(Self {
            sign1,
            claims: Claims(claims),
        })
    }

    /// `iss`, if told: a hint for finding the key.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.claims.get(ISS).and_then(Value::as_text)
    }

    /// `kid`: a hint for finding the key.
    #[must_use]
    pub fn key_id(&self) -> Option<&[u8]> {
        self.sign1.headers().key_id()
    }

    /// Checks the token as [`super::UnverifiedStatusListToken::authenticate`] does.
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
        let Self { sign1, claims } = self;
        // The claims were decoded from these very bytes.
        let _verified = sign1.verify(key)?;
        let verified = VerifiedClaims {
            issuer: claims.text(ISS, "iss")?,
            subject: claims
                .text(SUB, "sub")?
                .ok_or_else(|| ClaimError::missing("sub", "a string"))?,
            has_audience: claims.get(AUD).is_some(),
            issued_at: claims
                .date(IAT, "iat")?
                .ok_or_else(|| ClaimError::missing("iat", "seconds since the epoch"))?,
            not_before: claims.date(NBF, "nbf")?,
            expires_at: claims.date(EXP, "exp")?,
            time_to_live: claims.get(TTL).map(read_time_to_live).transpose()?,
        };
        let lifetime = verified.check(issuer, uri, now)?;
        let list = claims.get(STATUS_LIST);
        let list = list.ok_or_else(|| ClaimError::missing("status_list", "a map"))?;
        let aggregation_uri = list.get("aggregation_uri").map(|uri| {
            let uri = uri.as_text().filter(|uri| is_uri(uri)).map(str::to_owned);
            uri.ok_or_else(|| ClaimError::malformed("aggregation_uri", "a URI"))
        });
        Ok(StatusList::published(
            issuer.to_owned(),
            uri.to_owned(),
            StatusArray::from_cbor(list)?,
            lifetime,
            aggregation_uri.transpose()?,
        ))
    }
}

impl Claims {
    fn get(&self, key: u64) -> Option<&Value> {
        let (_, value) = self.0.iter().find(|(found, _)| found.as_unsigned() == Some(key))?;
        Some(value)
    }

    fn text(&self, key: u64, name: &'static str) -> Result<Option<&str>, ClaimError> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(_) => Err(ClaimError::malformed(name, "a string")),
        }
    }

    /// A `NumericDate`. Our CBOR has no fractions.
    fn date(&self, key: u64, name: &'static str) -> Result<Option<Timestamp>, ClaimError> {
        let date = |value: &Value| {
            let seconds = value.as_unsigned().and_then(|seconds| i64::try_from(seconds).ok());
            let seconds = seconds.ok_or_else(|| ClaimError::malformed(name, "whole seconds since the epoch"))?;
            Ok(Timestamp::from_unix(seconds))
        };
        self.get(key).map(date).transpose()
    }
}

/// "The value of the claim MUST be a positive number."
fn read_time_to_live(ttl: &Value) -> Result<Duration, ClaimError> {
    let seconds = ttl.as_unsigned().filter(|seconds| *seconds > 0);
    let seconds = seconds.ok_or_else(|| ClaimError::malformed("ttl", "a positive number"))?;
    Ok(Duration::from_secs(seconds))
}

impl CompressedList {
    /// The `StatusList` structure:
    /// [status list in CBOR format](https://datatracker.ietf.org/doc/html/draft-ietf-oauth-status-list#name-status-list-in-cbor-format).
    #[must_use]
    pub fn to_cbor(&self, aggregation_uri: Option<&str>) -> Value {
        let mut list = vec![
            (Value::text("bits"), Value::from(u64::from(self.bits().number()))),
            (Value::text("lst"), Value::bytes(self.bytes())),
        ];
        list.extend(aggregation_uri.map(|uri| (Value::text("aggregation_uri"), Value::text(uri))));
        Value::Map(list)
    }
}

impl StatusArray {
    /// Reads a `StatusList` structure.
    ///
    /// # Errors
    /// [`StatusListTokenError::Claim`] and [`StatusListTokenError::List`], the publisher's fault.
    pub fn from_cbor(list: &Value) -> Result<Self, StatusListTokenError> {
        let bits = list.get("bits").and_then(Value::as_unsigned);
        let bits = bits.ok_or_else(|| ClaimError::malformed("bits", "1, 2, 4 or 8"))?;
        let compressed = list.get("lst").and_then(Value::as_bytes);
        let compressed = compressed.ok_or_else(|| ClaimError::malformed("lst", "a byte string"))?;
        let bits = BitsPerEntry::try_from(bits)?;
        Ok(Self::from_packed(bits, zlib_decompress(compressed)?))
    }
}

#[cfg(test)]
mod tests {
    use keys::signing::fulfil;
    use signer::SoftwareKey;

    use super::super::Status;
    use super::super::StatusListError;
    use super::super::StatusReference;
    use super::super::compression::zlib_compress;
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

    fn authenticate(token: &[u8], key: &SoftwareKey) -> Result<StatusList, StatusListTokenError> {
        use keys::Signer as _;
        UnverifiedStatusListCwt::parse(token)?.authenticate(key.public_key(), ISSUER, URI, NOW)
    }

    fn claims() -> Vec<(Value, Value)> {
        let seconds = |time: Timestamp| Value::from(time.unix());
        vec![
            (Value::from(ISS), Value::text(ISSUER)),
            (Value::from(SUB), Value::text(URI)),
            (Value::from(EXP), seconds(NOW.plus(1))),
            (Value::from(IAT), seconds(NOW)),
            (Value::from(TTL), Value::from(60_u64)),
            (Value::from(STATUS_LIST), array().compress().unwrap().to_cbor(None)),
        ]
    }

    fn sign1(typ: &str, claims: Vec<(Value, Value)>, key: &SoftwareKey) -> Vec<u8> {
        let protected = HeaderMap::new().with_typ(typ);
        let payload = Value::Map(claims).to_vec();
        fulfil(key, cose::sign(protected, HeaderMap::new(), payload, Algorithm::EdDsa)).unwrap()
    }

    fn signed(claims: Vec<(Value, Value)>, key: &SoftwareKey) -> Vec<u8> {
        cose::tagged(&sign1(STATUS_LIST_CWT_TYPE, claims, key))
    }

    /// The genuine claims with one changed, added or, by `None`, removed.
    fn with(claim: u64, value: Option<Value>) -> Result<StatusList, StatusListTokenError> {
        let key = key(Algorithm::EdDsa);
        assert!(authenticate(&signed(claims(), &key), &key).is_ok());
        let mut claims = claims();
        claims.retain(|(found, _)| found.as_unsigned() != Some(claim));
        claims.extend(value.map(|value| (Value::from(claim), value)));
        authenticate(&signed(claims, &key), &key)
    }

    fn with_list(list: Value) -> Result<StatusList, StatusListTokenError> {
        with(STATUS_LIST, Some(list))
    }

    fn list(bits: u64, lst: Value) -> Value {
        Value::Map(vec![
            (Value::text("bits"), Value::from(bits)),
            (Value::text("lst"), lst),
        ])
    }

    #[test]
    fn what_is_issued_is_read() {
        for algorithm in [Algorithm::Es256, Algorithm::EdDsa] {
            let key = key(algorithm);
            let list = array().compress().unwrap();
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
            let token = fulfil(&key, token.sign_cwt(algorithm)).unwrap();
            let unverified = UnverifiedStatusListCwt::parse(&token).unwrap();
            assert_eq!(unverified.issuer(), Some(ISSUER));
            assert_eq!(unverified.key_id(), Some(&b"did:example:issuer#1"[..]));
            let list = authenticate(&token, &key).unwrap();
            assert_eq!((list.array(), list.as_of()), (&array(), NOW));
            assert_eq!(list.aggregation_uri(), Some("https://example.com/statuslists"));
            assert_eq!(list.lifetime().refresh_at(NOW.minus(300)), Some(NOW));
            let reference = StatusReference::token_status_list(URI.to_owned(), 7);
            assert_eq!(list.read(&reference).unwrap().status(), Status::Suspended);
        }
    }

    #[test]
    fn claims_are_checked() {
        let claim = |claim, value| matches!(with(claim, value), Err(StatusListTokenError::Claim(_)));
        for required in [SUB, IAT, STATUS_LIST] {
            assert!(claim(required, None), "{required}");
        }
        for required in [ISS, SUB, AUD, EXP, NBF, IAT, TTL, STATUS_LIST] {
            assert!(claim(required, Some(Value::Bytes(vec![1]))), "{required}");
        }
        assert!(claim(TTL, Some(Value::from(0_u64))));
        assert!(claim(IAT, Some(Value::from(u64::MAX))));
        for optional in [ISS, EXP, TTL] {
            assert!(with(optional, None).is_ok(), "{optional}");
        }
        let other = |text: &str| Some(Value::text(text));
        assert!(matches!(
            with(ISS, other("did:example:other")),
            Err(StatusListTokenError::WrongIssuer { .. })
        ));
        assert!(matches!(
            with(SUB, other("https://example.com/2")),
            Err(StatusListTokenError::WrongSubject { .. })
        ));
        let time = |time: Timestamp| Some(Value::from(time.unix()));
        assert!(matches!(with(EXP, time(NOW)), Err(StatusListTokenError::Validity(_))));
        assert!(matches!(
            with(NBF, time(NOW.plus(61))),
            Err(StatusListTokenError::Validity(_))
        ));
        assert!(matches!(
            with(IAT, time(NOW.plus(61))),
            Err(StatusListTokenError::IssuedInTheFuture { .. })
        ));
        // Other claims are nobody's business.
        assert!(with(70_000, other("x")).is_ok());
    }

    #[test]
    fn malformed_lists_are_refused() {
        let lst = || Value::bytes(array().compress().unwrap().bytes());
        assert!(with_list(list(2, lst())).is_ok());
        let mut wrong_aggregation = list(2, lst());
        if let Value::Map(entries) = &mut wrong_aggregation {
            entries.push((Value::text("aggregation_uri"), Value::text("no uri")));
        }
        for bad in [
            list(3, lst()),
            list(2, Value::text("eNrbuRgAAhcBXQ")),
            list(2, Value::bytes(&b"no zlib"[..])),
            Value::Map(vec![(Value::text("bits"), Value::from(1_u64))]),
            wrong_aggregation,
        ] {
            let refused = with_list(bad.clone());
            assert!(
                matches!(
                    refused,
                    Err(StatusListTokenError::List(_) | StatusListTokenError::Claim(_))
                ),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn a_decompression_bomb_is_refused() {
        let bomb = zlib_compress(&vec![0; super::super::MAX_LIST_BYTES + 1]).unwrap();
        let refused = with_list(list(1, Value::bytes(bomb)));
        assert_eq!(
            refused.err(),
            Some(StatusListTokenError::List(StatusListError::TooLarge))
        );
    }

    #[test]
    fn wrong_type_and_wrong_key_are_refused() {
        let key = key(Algorithm::EdDsa);
        for typ in ["statuslist+jwt", "application/cwt", "application/vc+cose"] {
            let token = cose::tagged(&sign1(typ, claims(), &key));
            assert!(matches!(
                authenticate(&token, &key),
                Err(StatusListTokenError::Cose(CoseError::WrongType { .. }))
            ));
        }
        let refused = authenticate(&signed(claims(), &self::key(Algorithm::EdDsa)), &key);
        assert!(matches!(
            refused,
            Err(StatusListTokenError::Cose(CoseError::Signature(_)))
        ));
        let refused = authenticate(&signed(claims(), &key), &self::key(Algorithm::Es256));
        assert!(matches!(
            refused,
            Err(StatusListTokenError::Cose(CoseError::WrongKey { .. }))
        ));
    }

    #[test]
    fn the_tag_is_that_of_sign1() {
        let key = key(Algorithm::EdDsa);
        let untagged = sign1(STATUS_LIST_CWT_TYPE, claims(), &key);
        assert!(authenticate(&cose::tagged(&untagged), &key).is_ok());
        let with_tags = |tags: &[u8]| [tags, &untagged].concat();
        // None, COSE_Mac0, the CWT tag around the right one, and the right one twice.
        for tags in [&[][..], &[0xd1], &[0xd8, 61, 0xd2], &[0xd2, 0xd2]] {
            let refused = authenticate(&with_tags(tags), &key);
            assert!(
                matches!(refused, Err(StatusListTokenError::Cose(CoseError::Form { .. }))),
                "{tags:?}"
            );
        }
    }

    #[test]
    fn no_change_of_a_byte_passes() {
        let key = key(Algorithm::EdDsa);
        let token = signed(claims(), &key);
        assert!(authenticate(&token, &key).is_ok());
        for place in 0..token.len() {
            let mut changed = token.clone();
            changed[place] ^= 1;
            assert!(authenticate(&changed, &key).is_err(), "{place}");
        }
    }
}
