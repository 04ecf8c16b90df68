//! The context of a call: what the hub tells the source, signed, in the header [`HEADER`].
//!
//! A source that checks it knows that the call came through the hub, for whom, under which grant and consent,
//! and which fields may leave it. The consumer's own token is never forwarded.

use did::Did;
use keys::Algorithm;
use keys::SigningRequest;
use keys::Timestamp;
use keys::base64url;
use keys::jws;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use super::consent::Consent;
use super::field::FieldSet;
use super::grant::Grant;
use super::id::EvidenceId;
use super::openapi::Method;

/// The header that carries it.
pub const HEADER: &str = "hub-context";

/// Its `typ`.
pub const TYP: &str = "hub-context+jwt";

/// A source reads it at once; clocks differ by less.
const LIFETIME_SECONDS: i64 = 60;

/// What the source is told.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The evidence record of the call.
    pub call: &'a EvidenceId,
    /// The source.
    pub source: &'a Did,
    /// The grant.
    pub grant: &'a Grant,
    /// The consent.
    pub consent: Option<&'a Consent>,
    /// The fields that the consumer may see.
    pub fields: &'a FieldSet,
    /// The method.
    pub method: Method,
    /// Path and query as forwarded, below the upstream URL.
    pub target: &'a str,
    /// The body.
    pub body: &'a [u8],
}

/// A request for the header's value. `hub` is the hub's issuer identifier, `kid` names its key.
pub fn sign(
    context: &Context<'_>,
    hub: &str,
    kid: &str,
    algorithm: Algorithm,
    now: Timestamp,
) -> SigningRequest<String> {
    let header = Map::from_iter([
        ("typ".to_owned(), Value::from(TYP)),
        ("kid".to_owned(), Value::from(kid)),
    ]);
    let mut claims = json!({
        "iss": hub,
        "aud": context.source,
        "iat": now,
        "exp": now.plus(LIFETIME_SECONDS),
        "jti": context.call,
        "consumer": context.grant.consumer,
        "grant": context.grant.id,
        "purpose": context.grant.application.purpose,
        "legal_basis": context.grant.application.legal_basis,
        "fields": context.fields,
        "method": context.method,
        "target": context.target,
        "body_sha256": base64url::encode(keys::sha256(context.body)),
    });
    if let (Some(consent), Value::Object(claims)) = (context.consent, &mut claims) {
        claims.insert("consent".to_owned(), json!(consent.id));
    }
    jws::sign(header, claims.to_string().as_bytes(), algorithm)
}

#[cfg(test)]
mod tests {
    use keys::Signer as _;
    use keys::jws::UnverifiedJws;
    use signer::SoftwareKey;

    use super::super::consent::tests::consent;
    use super::super::grant::tests::approved;
    use super::super::publication::tests::NOW;
    use super::*;

    #[test]
    fn the_source_learns_for_whom_and_what() {
        let key = SoftwareKey::generate(Algorithm::EdDsa, &mut signer::os_rng());
        let (grant, consent) = (approved(), consent());
        let context = Context {
            call: &EvidenceId::generate(&mut signer::os_rng()),
            source: &grant.source,
            grant: &grant,
            consent: Some(&consent),
            fields: &FieldSet::parse_list("given_name").unwrap(),
            method: Method::Get,
            target: "/persons/X1",
            body: b"",
        };
        let jwt = key
            .fulfil(sign(
                &context,
                "https://attestry.example/hub",
                "k",
                Algorithm::EdDsa,
                NOW,
            ))
            .unwrap();
        let verified = UnverifiedJws::parse(&jwt, 8_192)
            .unwrap()
            .verify(key.public_key())
            .unwrap();
        verified.header().expect_typ(TYP).unwrap();
        let claims = verified.claims().unwrap();
        assert_eq!(claims["aud"], "did:web:source.example");
        assert_eq!(claims["consumer"], "did:web:consumer.example");
        assert_eq!(claims["consent"], json!(consent.id));
        assert_eq!(claims["fields"], json!(["given_name"]));
        assert_eq!(claims["exp"], json!(NOW.plus(60)));
    }
}
