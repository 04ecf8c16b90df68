//! The W3C test suite for VC-JOSE-COSE: every case of the three mechanisms.

use std::fs;
use std::path::Path;

use credential::ClaimPath;
use credential::Unverified;
use credential::vc_cose;
use credential::vc_cose::CoseMessage;
use credential::vc_jose_cose::Mechanism;
use credential::vc_jose_cose::UnverifiedPresentation;
use credential::vc_jose_cose::W3cCredential;
use credential::vc_jwt;
use credential::vc_jwt::JwtMessage;
use credential::vc_sd_jwt;
use credential::vc_sd_jwt::SdJwtMessage;
use credential::vc_sd_jwt::Selective;
use keys::Jwk;
use keys::PublicKey;
use keys::Signer as _;
use keys::SigningRequest;
use keys::Timestamp;
use serde_json::Map;
use serde_json::Value;
use signer::SoftwareKey;

use crate::vectors;

const ISSUER: &str = "https://example.issuer/vc-jose-cose";
/// Before the `exp` of every presentation of the suite that has one.
const NOW: Timestamp = Timestamp::from_unix(1_734_300_000);

/// Where the result differs from the suite's on purpose.
///
/// * 4 and 7: the `id` of an envelope ends in a line feed, so that it is no URL, which the
///   [data model](https://www.w3.org/TR/vc-data-model-2.0/#enveloped-verifiable-credentials) demands; and its base64 has no
///   padding, which [RFC 2397](https://www.rfc-editor.org/rfc/rfc2397) demands. To be accepted by the suite.
/// * 5: asks that unknown properties are refused although a context with `@vocab` defines them all. VC-JOSE-COSE itself
///   says that they are ignored.
/// * 31: what is in the envelope is no JWT, and "credentials in verifiable presentations MUST be secured"; and `holder` is
///   a DID, whose key nobody gives. To be accepted by the suite.
const DIFFERENT: [u64; 4] = [4, 5, 7, 31];

struct Case<'a> {
    feature: &'a str,
    input: String,
    key: Value,
    disclosable: Vec<ClaimPath>,
}

impl Case<'_> {
    fn public_key(&self) -> PublicKey {
        PublicKey::from_jwk(&Jwk::from_value(&self.key["publicKeyJwk"]).unwrap()).unwrap()
    }

    fn secret_key(&self) -> SoftwareKey {
        let secret = keys::base64url::decode(self.key["secretKeyJwk"]["d"].as_str().unwrap()).unwrap();
        SoftwareKey::from_secret(self.public_key().algorithm(), &secret).unwrap()
    }

    /// Whether it is issued, with the secured text.
    fn issue(&self) -> Option<String> {
        let document: Map<String, Value> = serde_json::from_str(&self.input).ok()?;
        let (key, key_id) = (self.secret_key(), self.key["id"].as_str().unwrap());
        let algorithm = key.public_key().algorithm();
        let selective = Selective {
            disclosable: &self.disclosable,
            ..Selective::default()
        };
        let rng = &mut signer::os_rng();
        let to_text = |request: SigningRequest<Vec<u8>>| request.map(|message| vc_cose::to_text(&message));
        let request = match self.feature {
            "credential_jose" => vc_jwt::issue(&document, key_id, algorithm).ok()?,
            "credential_sdjwt" => vc_sd_jwt::issue(&document, selective, key_id, algorithm, rng).ok()?,
            "credential_cose" => to_text(vc_cose::issue(&document, key_id, algorithm).ok()?),
            "presentation_jose" => vc_jwt::issue_presentation(&document, key_id, algorithm).ok()?,
            "presentation_sdjwt" => vc_sd_jwt::issue_presentation(&document, selective, key_id, algorithm, rng).ok()?,
            "presentation_cose" => to_text(vc_cose::issue_presentation(&document, key_id, algorithm).ok()?),
            other => panic!("{other}"),
        };
        Some(keys::signing::fulfil(&key, request).unwrap())
    }

    fn verify(&self, text: &str) -> bool {
        let key = &self.public_key();
        match self.feature {
            "credential_jose" => credential::<JwtMessage>(text, key),
            "credential_sdjwt" => credential::<SdJwtMessage>(text, key),
            "credential_cose" => credential::<CoseMessage>(&padded(text), key),
            "presentation_jose" => presentation::<JwtMessage>(text, key),
            "presentation_sdjwt" => presentation::<SdJwtMessage>(text, key),
            "presentation_cose" => presentation::<CoseMessage>(&padded(text), key),
            other => panic!("{other}"),
        }
    }
}

fn credential<M: Mechanism>(text: &str, key: &PublicKey) -> bool {
    let parsed = Unverified::<W3cCredential<M>>::parse(text);
    parsed.and_then(|parsed| parsed.authenticate(key, ISSUER, NOW)).is_ok()
}

fn presentation<M: Mechanism>(text: &str, key: &PublicKey) -> bool {
    let parsed = UnverifiedPresentation::<M>::parse(text);
    parsed.and_then(|parsed| parsed.check_signed(key, ISSUER, NOW)).is_ok()
}

/// The suite's files have no padding.
fn padded(text: &str) -> String {
    format!("{text}{}", "=".repeat(text.len().next_multiple_of(4) - text.len()))
}

/// `a.b[0]` as a claims path.
fn path(text: &Value) -> ClaimPath {
    let text = text.as_str().unwrap().replace('[', ".").replace(']', "");
    let component = |part: &str| part.parse::<u64>().map_or_else(|_| Value::from(part), Value::from);
    serde_json::from_value(text.split('.').map(component).collect()).unwrap()
}

fn read<'a>(root: &Path, case: &'a Value) -> Case<'a> {
    let input = root.join("input");
    let text = |member: &str| case[member].as_str().unwrap();
    Case {
        feature: text("feature"),
        input: fs::read_to_string(input.join(text("input_file")))
            .unwrap()
            .trim()
            .to_owned(),
        key: vectors::json(&input.join(text("key_file"))),
        disclosable: case["disclosure_paths"]
            .as_array()
            .into_iter()
            .flatten()
            .map(path)
            .collect(),
    }
}

#[test]
fn cases_of_the_test_suite() {
    let Some(root) = vectors::folder("vc-jose-cose-inputs") else {
        return;
    };
    let cases = vectors::json(&root.join("cases.json"));
    let mut run = 0;
    for (name, case) in cases.as_object().unwrap() {
        let expected = (case["expected_result"] == "success") != DIFFERENT.contains(&case["number"].as_u64().unwrap());
        let subject = read(&root, case);
        let passed = match case["fn"].as_str().unwrap() {
            "issue" => {
                let issued = subject.issue();
                // What was issued holds, unless the case's own input has a presented credential that is none.
                let opens = subject.input
                    != fs::read_to_string(root.join("input/presentation-single.json"))
                        .unwrap()
                        .trim();
                let of_another = subject.key["controller"] != ISSUER;
                assert!(
                    issued
                        .as_ref()
                        .is_none_or(|text| !opens || of_another || subject.verify(text)),
                    "{name}"
                );
                issued.is_some()
            }
            "verify" => subject.verify(&subject.input),
            other => panic!("{other}"),
        };
        assert_eq!(passed, expected, "{name}");
        run += 1;
    }
    assert_eq!(run, 35);
}
