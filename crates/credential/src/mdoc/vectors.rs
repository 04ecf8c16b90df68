//! ISO/IEC 18013-5 annex D, and what auth0's and isomdl's libraries make of it. Its certificate of the issuing authority
//! is not among them, so the document signer's key is taken from its certificate here.

use std::path::PathBuf;

use keys::cbor;
use keys::cose::AgreementKey;
use keys::cose::UnverifiedSign1;
use keys::x509::Certificate;
use keys::x509::Purpose;
use keys::x509::verify_path;

use super::*;

/// The folder, or `None` where it is not there and not required.
fn vectors() -> Option<PathBuf> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/vectors");
    let folder = PathBuf::from(std::env::var_os("ATTESTRY_VECTORS").unwrap_or_else(|| default.into())).join("mdoc");
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(
        std::env::var_os("ATTESTRY_REQUIRE_VECTORS").is_none(),
        "no vectors at {}",
        folder.display()
    );
    println!("skipped: no vectors at {}", folder.display());
    None
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

/// The hex strings of a JSON file, by name.
struct Strings(Value);

impl Strings {
    fn read(file: &str) -> Option<Self> {
        let text = std::fs::read_to_string(vectors()?.join(file)).unwrap();
        Some(Self(serde_json::from_str(&text).unwrap()))
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        hex(self.0[name].as_str().unwrap())
    }

    /// A string of annex D.
    fn iso(&self, name: &str) -> Vec<u8> {
        self.bytes(&format!("ISO_18013_5_ANNEX_D_{name}"))
    }
}

fn only(response: &[u8]) -> Result<Unverified<Mdoc>, MdocError> {
    let mut documents = parse_device_response(&base64url::encode(response))?;
    assert_eq!(documents.len(), 1);
    Ok(documents.remove(0))
}

/// Checks the issuer's signature with the key of the certificate that came with it.
fn with_own_certificate(unverified: Unverified<Mdoc>) -> Result<Authentic<Mdoc>, MdocError> {
    let certificate = Certificate::from_der(&unverified.certificates()[0]).unwrap();
    unverified.check_signature(certificate.key(), "issuer".to_owned(), None)
}

/// The transcript inside `SessionTranscriptBytes`.
fn transcript(bytes: &[u8]) -> SessionTranscript {
    let decoded = cbor::decode_foreign(bytes, LIMITS).unwrap();
    let encoded = decoded.as_encoded().unwrap();
    let parts = cbor::items(encoded, LIMITS).unwrap();
    let handover = cbor::decode_foreign(parts[2], LIMITS).unwrap();
    let [select, request] = handover.as_array().unwrap() else {
        panic!("an NFC handover")
    };
    let transcript =
        SessionTranscript::nfc(parts[0], parts[1], select.as_bytes().unwrap(), request.as_bytes()).unwrap();
    assert_eq!(transcript.as_bytes(), encoded);
    transcript
}

fn agreement_key(bytes: &[u8]) -> AgreementKey {
    AgreementKey::from_bytes(bytes.try_into().unwrap()).unwrap()
}

fn check_annex_d(response: &[u8], transcript_bytes: &[u8], reader: &[u8]) {
    let authentic = with_own_certificate(only(response).unwrap()).unwrap();
    let facts = authentic.facts();
    assert_eq!(facts.types(), ["org.iso.18013.5.1.mDL"]);
    assert_eq!(facts.issued_at().unwrap().to_rfc3339(), "2020-10-01T13:30:02Z");
    assert!(matches!(
        check_time(facts, Timestamp::parse_rfc3339("2026-01-01T00:00:00Z").unwrap()),
        Err(MdocError::Validity(ValidityError::Expired { .. }))
    ));
    assert_eq!(
        check_time(facts, Timestamp::parse_rfc3339("2021-01-01T00:00:00Z").unwrap()),
        Ok(())
    );
    let transcript = transcript(transcript_bytes);
    let reader = agreement_key(reader);
    assert!(authentic.verify_device_mac(&transcript, &reader).unwrap().is_proven());
    assert!(matches!(
        authentic.verify_device_signature(&transcript),
        Err(MdocError::DeviceAuth { .. })
    ));
    let another = SessionTranscript::openid4vp("a", "b", None, "c");
    assert!(authentic.verify_device_mac(&another, &reader).is_err());
    assert_eq!(authentic.contents.claims[MDL_NAMESPACE]["family_name"], "Doe");
    assert_eq!(authentic.contents.claims[MDL_NAMESPACE]["expiry_date"], "2024-10-20");
}

#[test]
fn annex_d_device_response() {
    let Some(strings) = Strings::read("iso18013-5-annex-d.json") else {
        return;
    };
    let response = strings.iso("DEVICE_RESPONSE");
    check_annex_d(
        &response,
        &strings.iso("SESSION_TRANSCRIPT_BYTES"),
        &strings.iso("EPHEMERAL_READER_KEY_D"),
    );
    let authentic = with_own_certificate(only(&response).unwrap()).unwrap();
    let portrait = base64url::encode(strings.iso("DEVICE_RESPONSE_PORTRAIT_DATA"));
    assert_eq!(authentic.contents.claims[MDL_NAMESPACE]["portrait"], portrait);
    assert_eq!(only(&response).unwrap().certificates(), [strings.iso("DS_CERT")]);
    assert_eq!(
        verify_path(
            &[strings.iso("DS_CERT")],
            &[],
            Purpose::MdocDocumentSigner,
            Timestamp::from_unix(0)
        )
        .unwrap_err(),
        X509Error::NoAnchor
    );
}

#[test]
fn annex_d_device_response_with_a_changed_element_is_refused() {
    let Some(strings) = Strings::read("iso18013-5-annex-d.json") else {
        return;
    };
    let mut response = strings.iso("DEVICE_RESPONSE");
    let at = response.windows(3).position(|window| window == b"Doe").unwrap();
    response[at] ^= 1;
    assert!(matches!(
        with_own_certificate(only(&response).unwrap()),
        Err(MdocError::Digest { digest_id: 0, .. })
    ));
}

#[test]
fn annex_d_keys_and_reader_authentication() {
    let Some(strings) = Strings::read("iso18013-5-annex-d.json") else {
        return;
    };
    for name in ["EPHEMERAL_READER_KEY", "EPHEMERAL_DEVICE_KEY", "STATIC_DEVICE_KEY"] {
        let coordinate = |axis| strings.iso(&format!("{name}_{axis}"));
        let jwk = keys::Jwk::from_coordinates("EC", "P-256", &coordinate("X"), Some(&coordinate("Y")));
        let private = agreement_key(&coordinate("D"));
        assert_eq!(private.public_key(), PublicKey::from_jwk(&jwk), "{name}");
    }
    let e_device_key = strings.iso("E_DEVICE_KEY_BYTES");
    let decoded = cbor::decode_foreign(&e_device_key, LIMITS).unwrap();
    let e_device_key = cbor::decode_foreign(decoded.as_encoded().unwrap(), LIMITS).unwrap();
    let expected = agreement_key(&strings.iso("EPHEMERAL_DEVICE_KEY_D"))
        .public_key()
        .unwrap();
    assert_eq!(PublicKey::from_cose_key(&e_device_key), Ok(expected));

    // ReaderAuthentication = ["ReaderAuthentication", SessionTranscript, ItemsRequestBytes]
    let authentication = cbor::array_of_encoded(&[
        &cbor::Value::text("ReaderAuthentication").to_vec(),
        transcript(&strings.iso("SESSION_TRANSCRIPT_BYTES")).as_bytes(),
        &cbor::tag_24(strings.iso("ITEMS_REQUEST")).to_vec(),
    ]);
    let reader = Certificate::from_der(&strings.iso("READER_CERT")).unwrap();
    let signature = UnverifiedSign1::parse(&strings.iso("READER_AUTH"), MAX_BYTES).unwrap();
    assert_eq!(signature.headers().x5chain(), [reader.der()]);
    let payload = cbor::tag_24(authentication).to_vec();
    assert!(signature.verify_detached(payload, reader.key()).is_ok());
}

#[test]
fn auth0_device_responses() {
    let Some(strings) = Strings::read("auth0-mdl-hex.json") else {
        return;
    };
    for first in [0, 3] {
        let part = |offset| strings.bytes(&format!("__tests__/verifier.tests.ts#{}", first + offset));
        check_annex_d(&part(0), &part(1), &part(2));
    }
    // Those of the parser have no device authentication, which makes them no presentation.
    for name in ["issuerSigned", "deviceResponse", "deviceResponse2"] {
        let response = strings.bytes(&format!("__tests__/parser/{name}.tests.ts#0"));
        assert_eq!(
            only(&response).unwrap_err(),
            MdocError::Form {
                member: "deviceSigned",
                expected: "the device's signature or MAC"
            },
            "{name}"
        );
        // One has the certificate in both headers, and one has `undefined` in its mobile security object.
        let members = cbor::entries(&response, LIMITS).unwrap();
        let documents = issuer_signed::member(&members, "documents").unwrap();
        let document = cbor::entries(cbor::items(documents, LIMITS).unwrap()[0], LIMITS).unwrap();
        let issuer_signed = issuer_signed::member(&document, "issuerSigned").unwrap();
        let unverified = Unverified::<Mdoc>::parse(&base64url::encode(issuer_signed));
        let object = unverified.and_then(|unverified| unverified.unverified_mso().map(drop));
        let expected = match name {
            "issuerSigned" => Ok(()),
            "deviceResponse" => Err(MdocError::Cose(CoseError::DuplicateLabel {
                label: cbor::Value::from(33_u64),
            })),
            _ => Err(MdocError::Cbor(CborError::SimpleValue { found: 23 })),
        };
        assert_eq!(object, expected, "{name}");
    }
}

#[test]
fn isomdl_definitions() {
    let Some(folder) = vectors() else { return };
    let text = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let file = |name: &str| hex(text(&format!("definitions/{name}")).trim());
    let issued = Unverified::<Mdoc>::parse(&base64url::encode(file("issuer_signed.cbor"))).unwrap();
    assert_eq!(issued.type_hint().as_deref(), Ok("org.iso.18013.5.1.mDL"));
    let held = with_own_certificate(issued).unwrap().hold_issued().unwrap();
    assert_eq!(held.claims()[MDL_NAMESPACE]["document_number"], "123456789");
    assert_eq!(held.disclosable_paths().len(), 6);
    // The elements' values are cut off, and so their digests differ.
    let dehydrated = Unverified::<Mdoc>::parse(&base64url::encode(file("issuer_signed_dehydrated.cbor"))).unwrap();
    assert!(matches!(
        with_own_certificate(dehydrated),
        Err(MdocError::Digest { digest_id: 0, .. })
    ));
    // A device response with an element that the device signed, of one byte of salt, and with errors.
    assert_eq!(
        only(&file("device_response.cbor")).unwrap_err(),
        MdocError::DeviceSignedElements
    );
    // Formats of isomdl's own.
    assert!(Unverified::<Mdoc>::parse(&base64url::encode(file("namespaced_data.cbor"))).is_err());
    assert!(Unverified::<Mdoc>::parse(text("tests/data/stringified-mdl.txt").trim()).is_err());
    let session = file("session/session_transcript.cbor");
    assert!(!transcript(&session).as_bytes().is_empty());
}
