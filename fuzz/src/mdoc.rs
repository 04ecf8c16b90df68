//! mdocs as they come, mobile security objects and data elements that are the input's, certificates and their paths.

use credential::Mdoc;
use credential::Unverified;
use credential::mdoc::SessionTranscript;
use credential::mdoc::device_response;
use credential::mdoc::parse_device_response;
use keys::Algorithm;
use keys::base64url;
use keys::cbor;
use keys::cose;
use keys::cose::HeaderMap;
use keys::x509::Certificate;
use keys::x509::Purpose;
use keys::x509::verify_path;

use crate::NOW;
use crate::holder;
use crate::issuer;

/// The input as mdoc, as device response, as certificate, and as what an issuer signs.
pub fn fuzz(data: &[u8]) {
    certificates(data);
    let encoded = base64url::encode(data);
    verify(&encoded);
    let signed = sign(data);
    verify(&signed);
    present(&signed);
}

/// A certificate is read as it stands; one that leads to itself as anchor says that it is no signer.
fn certificates(data: &[u8]) {
    let Ok(certificate) = Certificate::from_der(data) else {
        return;
    };
    assert_eq!(certificate.der(), data);
    let _ = (certificate.country(), certificate.state_or_province());
    for purpose in [Purpose::Signature, Purpose::MdocDocumentSigner, Purpose::MdocReader] {
        let _ = verify_path(&[data.to_vec()], std::slice::from_ref(&certificate), purpose, NOW);
    }
}

fn transcript() -> SessionTranscript {
    SessionTranscript::openid4vp("did:example:verifier", "n-1", None, "https://verifier.example/response")
}

fn verify(text: &str) {
    if let Ok(unverified) = Unverified::<Mdoc>::parse(text) {
        let _ = (unverified.type_hint(), unverified.verification_method());
        let _ = unverified.authenticate(issuer().public(), &issuer().did, NOW);
    }
    for unverified in parse_device_response(text).into_iter().flatten() {
        let _ = unverified.type_hint();
        if let Ok(authentic) = unverified.authenticate(issuer().public(), &issuer().did, NOW) {
            let _ = authentic.verify_device_signature(&transcript());
        }
    }
}

/// An array of the input is a mobile security object and the data elements beside it; anything else is the object alone.
fn sign(data: &[u8]) -> String {
    let items = cbor::items(data, keys::json::DEFAULT_LIMITS);
    let (object, elements) = match items.as_deref() {
        Ok([object, elements @ ..]) => (*object, elements),
        _ => (data, &[][..]),
    };
    let unprotected = HeaderMap::new().with_key_id(issuer().method.as_bytes());
    let payload = cbor::tag_24(object).to_vec();
    let auth = issuer().sign(cose::sign(HeaderMap::new(), unprotected, payload, Algorithm::EdDsa));
    let elements: Vec<Vec<u8>> = elements.iter().map(|element| cbor::tag_24(*element).to_vec()).collect();
    let elements: Vec<&[u8]> = elements.iter().map(Vec::as_slice).collect();
    let namespaces = cbor::map_of_encoded(&[("n", &cbor::array_of_encoded(&elements))]);
    base64url::encode(cbor::map_of_encoded(&[
        ("nameSpaces", &namespaces),
        ("issuerAuth", &auth),
    ]))
}

/// What a wallet took, it can show: all of it, one element of it, and nothing of it.
fn present(signed: &str) {
    let held = Unverified::<Mdoc>::parse(signed).and_then(|read| read.restore(issuer().public(), &issuer().did));
    let Ok(held) = held else { return };
    let paths = held.disclosable_paths();
    for chosen in [paths.as_slice(), paths.get(..1).unwrap_or_default(), &[]] {
        let request = held.present(chosen).expect("its own paths").sign(&transcript());
        if request.algorithm() != Algorithm::EdDsa {
            return;
        }
        let response = device_response(&[holder().sign(request)]);
        let documents = parse_device_response(&response).expect("our own response");
        assert_eq!(documents.len(), 1);
        verify(&response);
    }
}
