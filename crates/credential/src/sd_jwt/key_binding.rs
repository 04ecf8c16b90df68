//! The Key Binding JWT ([RFC 9901, key binding JWT](https://www.rfc-editor.org/rfc/rfc9901#name-key-binding-jwt)):
//! the holder's signature over one presentation for one verifier.

use keys::Algorithm;
use keys::PublicKey;
use keys::SigningRequest;
use keys::Timestamp;
use keys::json;
use keys::json::JsonError;
use keys::json::Tree;
use keys::jws;
use keys::jws::JwsError;
use keys::jws::UnverifiedJws;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use thiserror::Error;

use super::Digest;
use super::HashAlgorithm;
use super::SdJwt;
use crate::Facts;
use crate::HolderBinding;
use crate::HolderKey;
use crate::evidence::Transaction;
use crate::registered_claims::ClaimError;
use crate::registered_claims::MAX_CLOCK_SKEW;
use crate::registered_claims::ValidityError;
use crate::registered_claims::check_validity;
use crate::registered_claims::numeric_date;
use crate::registered_claims::required_string;

/// The `typ` of a Key Binding JWT.
const TYPE: &str = "kb+jwt";

/// Bytes of a Key Binding JWT: a header, four claims, and room for the hashes of transaction data.
const MAX_BYTES: usize = 16 * 1024;

/// The holder's fault: the presentation is not bound to this transaction. Nonces are not told.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyBindingError {
    /// A claim is missing or of another type.
    #[error("a claim of the Key Binding JWT is not read")]
    Claim(#[from] ClaimError),
    /// The JWT itself: form, type, algorithm or signature.
    #[error("the Key Binding JWT is refused")]
    Jws(#[from] JwsError),
    /// There is none, and key binding is required.
    #[error("expected a Key Binding JWT, found none")]
    Missing,
    /// The credential names no holder key (`cnf`).
    #[error("expected a holder key in the credential, found none")]
    NoHolderKey,
    /// Made before the window of acceptance, or in the future.
    #[error("expected a Key Binding JWT made between {earliest} and {latest}, found {found}")]
    OutsideWindow {
        /// Start of the window.
        earliest: Timestamp,
        /// End of the window.
        latest: Timestamp,
        /// Its `iat`.
        found: Timestamp,
    },
    /// The payload is not strict JSON.
    #[error("the payload of the Key Binding JWT is not read")]
    Payload(#[source] JsonError),
    /// Its own `nbf` or `exp` says that it is not valid now.
    #[error("the Key Binding JWT is not valid now")]
    Validity(#[from] ValidityError),
    /// Made for another verifier.
    #[error("expected aud {expected:?}, found another")]
    WrongAudience {
        /// Who we are.
        expected: String,
    },
    /// Made for another transaction.
    #[error("expected the nonce of this transaction, found another")]
    WrongNonce,
    /// Made for another SD-JWT or another choice of disclosures.
    #[error("expected sd_hash over what was sent, found another")]
    WrongSdHash,
}

/// A request for the holder's signature that turns `sd_jwt` (compact, with its last tilde) into an SD-JWT+KB.
pub(crate) fn bind(
    sd_jwt: String,
    hash: HashAlgorithm,
    audience: &str,
    nonce: &str,
    issued_at: Timestamp,
    algorithm: Algorithm,
) -> SigningRequest<String> {
    let payload = json!({
        "aud": audience,
        "iat": issued_at.unix(),
        "nonce": nonce,
        "sd_hash": hash.digest(&sd_jwt).as_str(),
    });
    let header = Map::from_iter([("typ".to_owned(), Value::from(TYPE))]);
    jws::sign(header, payload.to_string().as_bytes(), algorithm).map(move |key_binding| sd_jwt + &key_binding)
}

/// Checks the Key Binding JWT of an SD-JWT with these facts, and that the holder's key in them made it.
pub(crate) fn verify_bound(
    sd_jwt: &SdJwt,
    hash: HashAlgorithm,
    facts: &Facts,
    transaction: &Transaction<'_>,
) -> Result<HolderBinding, KeyBindingError> {
    let key_binding = sd_jwt.key_binding().ok_or(KeyBindingError::Missing)?;
    let Some(HolderKey::Key(holder)) = facts.holder() else {
        return Err(KeyBindingError::NoHolderKey);
    };
    let sd_hash = match hash {
        // Already computed over the same bytes.
        HashAlgorithm::Sha256 => Digest::encode(&facts.fingerprint.0),
        HashAlgorithm::Sha384 | HashAlgorithm::Sha512 => hash.digest(sd_jwt.without_key_binding()),
    };
    verify_key_binding(key_binding, holder, sd_hash.as_str(), transaction)?;
    Ok(HolderBinding {
        fingerprint: facts.fingerprint,
        proven: true,
    })
}

/// Checks a Key Binding JWT against the holder's key, the transaction, and the `sd_hash` of what was sent with it
/// ([RFC 9901, verification by the Verifier](https://www.rfc-editor.org/rfc/rfc9901#name-verification-by-the-verifie), step 5).
pub(super) fn verify_key_binding(
    key_binding: &str,
    holder: &PublicKey,
    sd_hash: &str,
    transaction: &Transaction<'_>,
) -> Result<(), KeyBindingError> {
    let jws = UnverifiedJws::parse(key_binding, MAX_BYTES)?;
    jws.header().expect_typ(TYPE)?;
    let verified = jws.verify(holder)?;
    let claims = Tree::parse_object(verified.payload(), json::DEFAULT_LIMITS).map_err(KeyBindingError::Payload)?;
    let claims = claims.root();

    let now = transaction.now;
    let found = numeric_date(claims, "iat")?.ok_or_else(|| ClaimError::missing("iat", "seconds since the epoch"))?;
    let (earliest, latest) = (now.minus(transaction.max_age), now.plus(MAX_CLOCK_SKEW));
    if found < earliest || found > latest {
        return Err(KeyBindingError::OutsideWindow {
            earliest,
            latest,
            found,
        });
    }
    check_validity(numeric_date(claims, "nbf")?, numeric_date(claims, "exp")?, now)?;
    if required_string(claims, "aud")? != transaction.audience {
        return Err(KeyBindingError::WrongAudience {
            expected: transaction.audience.to_owned(),
        });
    }
    if required_string(claims, "nonce")? != transaction.nonce {
        return Err(KeyBindingError::WrongNonce);
    }
    if required_string(claims, "sd_hash")? != sd_hash {
        return Err(KeyBindingError::WrongSdHash);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use keys::Signer as _;
    use keys::signing::fulfil;
    use signer::SoftwareKey;

    use super::*;

    const SD_JWT: &str = "a.b.c~D~";
    const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);

    fn transaction() -> Transaction<'static> {
        Transaction {
            audience: "did:example:verifier",
            nonce: "n-1",
            now: NOW,
            max_age: 300,
        }
    }

    fn key(algorithm: Algorithm) -> SoftwareKey {
        SoftwareKey::generate(algorithm, &mut signer::os_rng())
    }

    fn claims() -> Value {
        json!({"aud": "did:example:verifier", "iat": NOW.unix(), "nonce": "n-1", "sd_hash": HashAlgorithm::Sha256.digest(SD_JWT).as_str()})
    }

    fn signed(typ: &str, claims: &Value, key: &SoftwareKey) -> String {
        let header = Map::from_iter([("typ".to_owned(), Value::from(typ))]);
        fulfil(
            key,
            jws::sign(header, claims.to_string().as_bytes(), key.public_key().algorithm()),
        )
        .unwrap()
    }

    fn verify(key_binding: &str, key: &SoftwareKey) -> Result<(), KeyBindingError> {
        verify_key_binding(
            key_binding,
            key.public_key(),
            HashAlgorithm::Sha256.digest(SD_JWT).as_str(),
            &transaction(),
        )
    }

    /// Signs the genuine claims with one member changed, or removed by `null`.
    fn with(member: &str, value: Value) -> Result<(), KeyBindingError> {
        let key = key(Algorithm::EdDsa);
        assert_eq!(verify(&signed(TYPE, &claims(), &key), &key), Ok(()));
        let mut claims = claims();
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(member);
        } else {
            claims[member] = value;
        }
        verify(&signed(TYPE, &claims, &key), &key)
    }

    #[test]
    fn what_is_bound_verifies() {
        for algorithm in [Algorithm::Es256, Algorithm::EdDsa] {
            let key = key(algorithm);
            let hash = HashAlgorithm::Sha256;
            let request = bind(SD_JWT.to_owned(), hash, "did:example:verifier", "n-1", NOW, algorithm);
            let presentation = fulfil(&key, request).unwrap();
            assert_eq!(verify(presentation.strip_prefix(SD_JWT).unwrap(), &key), Ok(()));
        }
    }

    #[test]
    fn wrong_audience_is_refused() {
        for aud in [json!("did:example:other"), json!("did:example:verifier/")] {
            assert!(matches!(with("aud", aud), Err(KeyBindingError::WrongAudience { .. })));
        }
        // "The value MUST be a single string".
        assert!(matches!(
            with("aud", json!(["did:example:verifier"])),
            Err(KeyBindingError::Claim(_))
        ));
        assert!(matches!(with("aud", Value::Null), Err(KeyBindingError::Claim(_))));
    }

    #[test]
    fn wrong_nonce_is_refused() {
        assert_eq!(with("nonce", json!("n-2")), Err(KeyBindingError::WrongNonce));
        assert!(matches!(with("nonce", json!(1)), Err(KeyBindingError::Claim(_))));
        assert!(matches!(with("nonce", Value::Null), Err(KeyBindingError::Claim(_))));
    }

    #[test]
    fn wrong_sd_hash_is_refused() {
        let other = HashAlgorithm::Sha256.digest("a.b.c~").as_str().to_owned();
        assert_eq!(with("sd_hash", json!(other)), Err(KeyBindingError::WrongSdHash));
        assert!(matches!(with("sd_hash", Value::Null), Err(KeyBindingError::Claim(_))));
    }

    #[test]
    fn iat_outside_the_window_is_refused() {
        for (iat, accepted) in [(-300, true), (-301, false), (60, true), (61, false)] {
            let result = with("iat", json!(NOW.plus(iat).unix()));
            assert_eq!(result.is_ok(), accepted, "{iat}: {result:?}");
            assert!(accepted || matches!(result, Err(KeyBindingError::OutsideWindow { .. })));
        }
        assert!(matches!(with("iat", Value::Null), Err(KeyBindingError::Claim(_))));
    }

    #[test]
    fn its_own_validity_counts() {
        assert!(matches!(
            with("exp", json!(NOW.unix())),
            Err(KeyBindingError::Validity(_))
        ));
        assert!(matches!(
            with("nbf", json!(NOW.plus(61).unix())),
            Err(KeyBindingError::Validity(_))
        ));
        assert_eq!(with("exp", json!(NOW.plus(1).unix())), Ok(()));
    }

    #[test]
    fn wrong_type_is_refused() {
        let key = key(Algorithm::EdDsa);
        for typ in ["JWT", "dc+sd-jwt", "vp+jwt"] {
            let refused = verify(&signed(typ, &claims(), &key), &key);
            assert!(
                matches!(refused, Err(KeyBindingError::Jws(JwsError::WrongType { .. }))),
                "{typ}"
            );
        }
    }

    #[test]
    fn another_key_is_refused() {
        let (holder, thief) = (key(Algorithm::Es256), key(Algorithm::Es256));
        let refused = verify(&signed(TYPE, &claims(), &thief), &holder);
        assert!(matches!(refused, Err(KeyBindingError::Jws(JwsError::Signature(_)))));
        let refused = verify(&signed(TYPE, &claims(), &key(Algorithm::EdDsa)), &holder);
        assert!(matches!(refused, Err(KeyBindingError::Jws(JwsError::WrongKey { .. }))));
    }
}
