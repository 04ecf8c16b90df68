//! JWTs as they come, and JWTs whose payload is the input; and so the other mechanisms of VC-JOSE-COSE.

use credential::Unverified;
use credential::VcSdJwt;
use credential::vc_cose;
use credential::vc_cose::CoseMessage;
use credential::vc_jose_cose::Mechanism;
use credential::vc_jose_cose::Presentation;
use credential::vc_jose_cose::UnverifiedPresentation;
use credential::vc_jose_cose::W3cCredential;
use credential::vc_jwt;
use credential::vc_jwt::JwtMessage;
use credential::vc_sd_jwt;
use credential::vc_sd_jwt::SdJwtMessage;
use credential::vc_sd_jwt::Selective;
use keys::Algorithm;
use keys::cose;
use keys::cose::HeaderMap;
use keys::jwe;
use keys::jws::UnverifiedJws;
use openid4vc::oauth::access_token::UnverifiedAccessToken;
use openid4vc::oauth::client_assertion::UnverifiedAssertion;
use serde_json::Value;

use crate::NOW;
use crate::holder;
use crate::issuer;
use crate::object;
use crate::text;
use crate::transaction;

/// Larger than any input.
const MAX_BYTES: usize = 1 << 20;

/// The input as JWT, JWE, SD-JWT and COSE message; or, where it has two lines, as `typ` and payload: of a JWT, of an
/// SD-JWT with one disclosure in each further line, or of a COSE message.
pub fn fuzz(data: &[u8]) {
    let Some(end) = data.iter().position(|byte| *byte == b'\n') else {
        if let Some(text) = text(data) {
            read(text);
            let _ = jwe::key_id(text, MAX_BYTES);
            let _ = jwe::decrypt(text, &decryption_key(), MAX_BYTES);
        }
        return;
    };
    let (Some(typ), payload) = (text(&data[..end]), &data[end + 1..]) else {
        return;
    };
    let signed = issuer().jws(typ, payload);
    let verified = UnverifiedJws::parse(&signed, MAX_BYTES).and_then(|jws| jws.verify(issuer().public()));
    assert_eq!(verified.expect("our own signature").payload(), payload);
    read(&signed);
    if typ.ends_with("+sd-jwt") {
        if let Some(signed) = text(payload).and_then(|payload| crate::sd_jwt::sign(typ, payload)) {
            read(&signed);
        }
    } else if typ.ends_with("+cose") {
        let protected = HeaderMap::new().with_typ(typ).with_key_id(issuer().method.as_bytes());
        let request = cose::sign(protected, HeaderMap::new(), payload.to_vec(), Algorithm::EdDsa);
        read(&vc_cose::to_text(&issuer().sign(request)));
    } else if typ == "vc+jwt" {
        issue(payload);
    }
}

fn read(text: &str) {
    let _ = UnverifiedJws::parse(text, MAX_BYTES).map(|jws| jws.header().certificates());
    let _ = UnverifiedJws::parse(text, MAX_BYTES).map(|jws| jws.verify(issuer().public()));
    enveloping::<CoseMessage>(text);
    enveloping::<JwtMessage>(text);
    enveloping::<SdJwtMessage>(text);
    if let Ok(credential) = Unverified::<VcSdJwt>::parse(text)
        && let Ok(authentic) = credential.authenticate(issuer().public(), &issuer().did, NOW)
    {
        let _ = authentic.verify_key_binding(&transaction());
    }
    if let Ok(token) = UnverifiedAccessToken::parse(text) {
        let _ = token.verify(issuer().public(), &issuer().did, "did:example:verifier", NOW);
    }
    if let Ok(assertion) = UnverifiedAssertion::parse(text) {
        let _ = assertion.verify(issuer().public(), "did:example:verifier", NOW);
    }
}

fn enveloping<M: Mechanism>(text: &str) {
    if let Ok(credential) = Unverified::<W3cCredential<M>>::parse(text) {
        let _ = credential.verification_method();
        let _ = credential.authenticate(issuer().public(), &issuer().did, NOW);
    }
    if let Ok(presentation) = UnverifiedPresentation::<M>::parse(text) {
        let _ = presentation.verification_method();
        let _ = presentation.authenticate(issuer().public(), &issuer().did, &transaction());
    }
}

/// What we issue, we accept; a wallet can present it; a verifier takes it.
fn issue(data: &[u8]) {
    let Some(document) = object(data) else { return };
    let (key_id, algorithm) = (issuer().method.as_str(), Algorithm::EdDsa);
    let mut envelopes = Vec::new();
    if let Ok(request) = vc_jwt::issue(&document, key_id, algorithm) {
        envelopes.extend(keep::<JwtMessage>(&issuer().sign(request)));
    }
    if let Ok(request) = vc_cose::issue(&document, key_id, algorithm) {
        envelopes.extend(keep::<CoseMessage>(&vc_cose::to_text(&issuer().sign(request))));
    }
    let mut salts = crate::verdict::Salts(1);
    if let Ok(request) = vc_sd_jwt::issue(&document, Selective::default(), key_id, algorithm, &mut salts) {
        envelopes.extend(keep::<SdJwtMessage>(&issuer().sign(request)));
    }
    let presentation = Presentation {
        holder: &holder().did,
        key_id: &holder().method,
        audience: "did:example:verifier",
        nonce: "n-1",
        issued_at: NOW,
    };
    let signed = holder().sign(presentation.sign_jwt(envelopes.clone(), algorithm));
    presented::<JwtMessage>(&signed, envelopes.len());
    let signed = holder().sign(presentation.sign_sd_jwt(envelopes.clone(), algorithm));
    presented::<SdJwtMessage>(&signed, envelopes.len());
    let number = envelopes.len();
    let signed = holder().sign(presentation.sign_cose(envelopes, algorithm));
    presented::<CoseMessage>(&vc_cose::to_text(&signed), number);
}

/// The envelope of what a wallet keeps.
fn keep<M: Mechanism>(text: &str) -> Option<Value> {
    let unverified = Unverified::<W3cCredential<M>>::parse(text).expect("what we issue is read");
    let by = unverified.issuer().to_owned();
    let held = unverified.restore(issuer().public(), &by).ok()?;
    assert_eq!(held.as_str(), text);
    Some(held.envelope())
}

fn presented<M: Mechanism>(text: &str, number: usize) {
    let presented = UnverifiedPresentation::<M>::parse(text)
        .expect("what we present is read")
        .authenticate(holder().public(), &holder().did, &transaction())
        .expect("what we present is authentic");
    assert_eq!(presented.credentials.len(), number);
}

pub(crate) fn decryption_key() -> jwe::DecryptionKey {
    jwe::DecryptionKey::from_bytes(&[7; 32]).expect("a scalar")
}
