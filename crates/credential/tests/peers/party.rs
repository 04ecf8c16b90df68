//! Issuers and holders whose secret keys the peers get as well.

use std::time::SystemTime;
use std::time::UNIX_EPOCH;

use keys::Algorithm;
use keys::PublicKey;
use keys::Signer as _;
use keys::SigningRequest;
use keys::Timestamp;
use keys::base64url;
use keys::signing::fulfil;
use rand_core::Rng as _;
use serde_json::Value;
use serde_json::json;
use signer::SoftwareKey;

/// The time. The peers read the clock themselves.
#[expect(
    clippy::disallowed_methods,
    reason = "the peers sign and check with the time of the clock"
)]
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_unix(i64::try_from(since.as_secs()).unwrap())
}

/// Somebody with a key.
pub(crate) struct Party {
    key: SoftwareKey,
    secret: Vec<u8>,
}

impl Party {
    pub(crate) fn new(algorithm: Algorithm) -> Self {
        let mut secret = match algorithm {
            Algorithm::Bbs | Algorithm::EdDsa | Algorithm::Es256 => vec![0; 32],
            Algorithm::Es384 => vec![0; 48],
            Algorithm::Es512 => vec![0; 66],
        };
        loop {
            signer::os_rng().fill_bytes(&mut secret);
            // Not every number is a scalar of the group.
            if let Ok(key) = SoftwareKey::from_secret(algorithm, &secret) {
                return Self { key, secret };
            }
        }
    }

    pub(crate) fn key(&self) -> &PublicKey {
        self.key.public_key()
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        self.key().algorithm()
    }

    pub(crate) fn sign<T>(&self, request: SigningRequest<T>) -> T {
        fulfil(&self.key, request).unwrap()
    }

    pub(crate) fn jwk(&self) -> Value {
        self.key().to_jwk().to_value()
    }

    pub(crate) fn private_jwk(&self) -> Value {
        let mut jwk = self.jwk();
        jwk["d"] = json!(base64url::encode(&self.secret));
        jwk
    }

    pub(crate) fn did_key(&self) -> String {
        format!("did:key:{}", self.key().to_multikey())
    }

    pub(crate) fn did_key_method(&self) -> String {
        format!("{}#{}", self.did_key(), self.key().to_multikey())
    }
}

/// A compact JWS, or what begins with one, with another first bit in its signature.
pub(crate) fn with_other_signature(text: &str) -> String {
    let (jws, rest) = text
        .split_once('~')
        .map_or((text, None), |(jws, rest)| (jws, Some(rest)));
    let (signed, signature) = jws.rsplit_once('.').unwrap();
    let mut signature = base64url::decode(signature).unwrap();
    signature[0] ^= 0x80;
    let changed = format!("{signed}.{}", base64url::encode(signature));
    rest.map_or_else(|| changed.clone(), |rest| format!("{changed}~{rest}"))
}

/// A compact JWS with another payload.
pub(crate) fn with_other_payload(jws: &str, change: impl FnOnce(&mut Value)) -> String {
    let parts: Vec<&str> = jws.split('.').collect();
    let mut payload = serde_json::from_slice(&base64url::decode(parts[1]).unwrap()).unwrap();
    change(&mut payload);
    format!("{}.{}.{}", parts[0], base64url::encode(payload.to_string()), parts[2])
}
