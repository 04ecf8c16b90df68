//! JWTs as they come, and JWTs whose payload is the input.

use credential::Unverified;
use credential::VcJwt;
use credential::vc_jwt;
use keys::jwe;
use keys::jws::UnverifiedJws;
use openid4vc::oauth::access_token::UnverifiedAccessToken;
use openid4vc::oauth::client_assertion::UnverifiedAssertion;

use crate::NOW;
use crate::holder;
use crate::issuer;
use crate::object;
use crate::text;
use crate::transaction;

/// Larger than any input.
const MAX_BYTES: usize = 1 << 20;

/// The input as JWT and as JWE; or, where it has two lines, as `typ` and payload of a JWT.
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
    if typ == "vc+jwt" {
        issue(payload);
    }
}

fn read(text: &str) {
    let _ = UnverifiedJws::parse(text, MAX_BYTES).map(|jws| jws.header().certificates());
    let _ = UnverifiedJws::parse(text, MAX_BYTES).map(|jws| jws.verify(issuer().public()));
    if let Ok(credential) = Unverified::<VcJwt>::parse(text) {
        let _ = credential.verification_method();
        let _ = credential.authenticate(issuer().public(), &issuer().did, NOW);
    }
    if let Ok(presentation) = vc_jwt::UnverifiedPresentation::parse(text) {
        let _ = presentation.verification_method();
        let _ = presentation.authenticate(issuer().public(), &issuer().did, &transaction());
    }
    if let Ok(token) = UnverifiedAccessToken::parse(text) {
        let _ = token.verify(issuer().public(), &issuer().did, "did:example:verifier", NOW);
    }
    if let Ok(assertion) = UnverifiedAssertion::parse(text) {
        let _ = assertion.verify(issuer().public(), "did:example:verifier", NOW);
    }
}

/// What we issue, we accept; a wallet can present it; a verifier takes it.
fn issue(data: &[u8]) {
    let Some(document) = object(data) else { return };
    let Ok(request) = vc_jwt::issue(document, &issuer().method, keys::Algorithm::EdDsa) else {
        return;
    };
    let text = issuer().sign(request);
    let unverified = Unverified::<VcJwt>::parse(&text).expect("what we issue is read");
    let by = unverified.issuer().to_owned();
    let Ok(held) = unverified.restore(issuer().public(), &by) else {
        return;
    };
    let presentation = vc_jwt::Presentation {
        holder: &holder().did,
        key_id: &holder().method,
        audience: "did:example:verifier",
        nonce: "n-1",
        issued_at: NOW,
    };
    let presented = holder().sign(presentation.sign(&[&held], keys::Algorithm::EdDsa));
    let presented = vc_jwt::UnverifiedPresentation::parse(&presented)
        .expect("what we present is read")
        .authenticate(holder().public(), &holder().did, &transaction())
        .expect("what we present is authentic");
    assert_eq!(presented.credentials.len(), 1);
}

pub(crate) fn decryption_key() -> jwe::DecryptionKey {
    jwe::DecryptionKey::from_bytes(&[7; 32]).expect("a scalar")
}
