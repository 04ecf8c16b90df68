//! Our credentials and keys as other libraries take them, so that they verify the same bytes as we do.
//!
//! Each format has one credential as `text`, and `tampered`, which whoever verifies must refuse: a library that does
//! not is not measured.

use credential::data_integrity::Cryptosuite;
use keys::Algorithm;
use keys::base64url;
use keys::multibase;
use serde_json::Value;
use serde_json::json;

use crate::NOW;
use crate::bbs_2023::Unlinkable;
use crate::mdoc;
use crate::sd_jwt_vc;
use crate::selective::Shown;
use crate::w3c;

/// What is always mandatory in a credential of which a part can be shown; others are to issue the same.
pub(crate) const MANDATORY: [&str; 5] = [
    "/issuer",
    "/validFrom",
    "/validUntil",
    "/credentialStatus",
    "/credentialSubject/id",
];

/// By format.
pub fn material() -> Value {
    let proven = |suite| w3c::Proven::new(suite).material();
    json!({
        "now": NOW.to_rfc3339(),
        "contexts": { w3c::CONTEXT: w3c::context() },
        "dc+sd-jwt": sd_jwt_vc::Presented::new(10).material(),
        "mso_mdoc": mdoc::Presented::new().material(),
        "vc+jwt": w3c::Jwts::new().material(),
        "eddsa-jcs-2022": proven(Cryptosuite::EddsaJcs2022),
        "eddsa-rdfc-2022": proven(Cryptosuite::EddsaRdfc2022),
        "ecdsa-rdfc-2019": proven(Cryptosuite::EcdsaRdfc2019),
        "ecdsa-sd-2023": Shown::new(10).material(),
        "bbs-2023": Unlinkable::new().material(),
    })
}

/// The private key of this number as JWK and as Multikeys.
pub(crate) fn key(algorithm: Algorithm, number: u8) -> Value {
    let secret = [number; 32];
    let key = crate::key(algorithm, number);
    let public = keys::Signer::public_key(&key);
    let mut jwk = serde_json::to_value(public.to_jwk()).expect("JSON");
    jwk["d"] = base64url::encode(secret).into();
    let multicodec = match algorithm {
        Algorithm::Bbs => [0x8a, 0x26],
        Algorithm::EdDsa => [0x80, 0x26],
        Algorithm::Es256 => [0x86, 0x26],
        Algorithm::Es384 => [0x87, 0x26],
        Algorithm::Es512 => [0x88, 0x26],
    };
    let secret_multikey = multibase::encode_base58btc(&[multicodec.as_slice(), &secret].concat());
    json!({"jwk": jwk, "multikey": public.to_multikey(), "secret_multikey": secret_multikey})
}

/// The JWS with another signature.
pub(crate) fn other_signature(jws: &str) -> String {
    // The last character of a signature has bits that do not count.
    let (head, tail) = jws.split_at(jws.len() - 9);
    let (changed, tail) = tail.split_at(1);
    format!("{head}{}{tail}", if changed == "A" { "B" } else { "A" })
}

/// The document about somebody else.
pub(crate) fn other_name(document: &str) -> String {
    let other = document.replace("Aroha", "Aroho");
    assert_ne!(document, other, "the given name is disclosed");
    other
}
