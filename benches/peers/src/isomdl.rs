//! isomdl. It does not compare the data elements with the digests that the issuer signed; the path to the anchor is
//! left out, as it is on our side.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use isomdl::cbor;
use isomdl::definitions::CoseKey;
use isomdl::definitions::DeviceKeyInfo;
use isomdl::definitions::DeviceResponse;
use isomdl::definitions::DigestAlgorithm;
use isomdl::definitions::EC2Curve;
use isomdl::definitions::EC2Y;
use isomdl::definitions::IssuerSigned;
use isomdl::definitions::ValidityInfo;
use isomdl::definitions::helpers::NonEmptyVec;
use isomdl::definitions::session::SessionTranscript;
use isomdl::definitions::x509::X5Chain;
use isomdl::definitions::x509::x5chain::CertificateWithDer;
use isomdl::issuance::Mdoc;
use isomdl::issuance::mdoc::Namespaces;
use isomdl::presentation::authentication::mdoc::device_authentication;
use isomdl::presentation::authentication::mdoc::issuer_authentication;
use p256::ecdsa::SigningKey;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;
use time::Duration;
use time::OffsetDateTime;

use crate::Outcome;
use crate::Work;
use crate::string;
use crate::verifying;

/// Any transcript, as it was encoded.
#[derive(Clone, Deserialize, Serialize)]
struct Transcript(ciborium::Value);

impl SessionTranscript for Transcript {}

fn bytes(of: &Value, name: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(string(of, name)).expect("base64url")
}

pub fn works(of: &Value) -> Vec<Work> {
    let certificate = CertificateWithDer::from_der(&bytes(of, "certificate")).expect("a certificate");
    let chain = X5Chain::from(NonEmptyVec::new(certificate));
    let transcript: Transcript = cbor::from_slice(&bytes(of, "transcript")).expect("CBOR");
    let verify = {
        let chain = chain.clone();
        move |text: &str| verify(text, &chain, &transcript)
    };
    vec![
        verifying("mso_mdoc/verify", of, verify),
        ("mso_mdoc/issue", issuing(of, chain)),
    ]
}

fn verify(text: &str, chain: &X5Chain, transcript: &Transcript) -> Outcome {
    let response: DeviceResponse = cbor::from_slice(&URL_SAFE_NO_PAD.decode(text)?)?;
    let documents = response.documents.ok_or("no documents")?;
    let document = documents.first().ok_or("no document")?;
    issuer_authentication(chain.clone(), &document.issuer_signed)?;
    device_authentication(document, transcript.clone())?;
    Ok(())
}

fn issuing(of: &Value, chain: X5Chain) -> Box<dyn Fn()> {
    let coordinate = |name| bytes(&of["device"]["jwk"], name);
    let device_key_info = DeviceKeyInfo {
        device_key: CoseKey::EC2 {
            crv: EC2Curve::P256,
            x: coordinate("x"),
            y: EC2Y::Value(coordinate("y")),
        },
        key_authorizations: None,
        key_info: None,
    };
    let signer = SigningKey::from_slice(&bytes(&of["issuer"]["jwk"], "d")).expect("a key");
    let (doc_type, namespace) = (string(of, "doc_type"), string(of, "namespace"));
    let elements: BTreeMap<String, ciborium::Value> = of["elements"]
        .as_object()
        .expect("elements")
        .keys()
        .map(|name| {
            (
                name.clone(),
                cbor::from_slice(&bytes(&of["elements"], name)).expect("CBOR"),
            )
        })
        .collect();
    let signed = OffsetDateTime::from_unix_timestamp(1_800_000_000).expect("a time");
    Box::new(move || {
        let mdoc = Mdoc::issue::<_, p256::ecdsa::Signature>(
            doc_type.clone(),
            Namespaces::from([(namespace.clone(), elements.clone())]),
            ValidityInfo {
                signed,
                valid_from: signed,
                valid_until: signed + Duration::DAY,
                expected_update: None,
            },
            DigestAlgorithm::SHA256,
            device_key_info.clone(),
            chain.clone(),
            false,
            signer.clone(),
        )
        .expect("an mdoc");
        let issued = IssuerSigned {
            namespaces: Some(mdoc.namespaces),
            issuer_auth: mdoc.issuer_auth,
        };
        let _text = URL_SAFE_NO_PAD.encode(cbor::to_vec(&issued).expect("CBOR"));
    })
}
