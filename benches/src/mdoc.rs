//! An mdoc with ten data elements, presented with all of them and the device's signature; ES256. The document signer's
//! path to its anchor is kept, as a verifier keeps it for all mdocs of a signer.

use credential::Mdoc;
use credential::Unverified;
use credential::mdoc::Namespace;
use credential::mdoc::NewMdoc;
use credential::mdoc::SessionTranscript;
use credential::mdoc::device_response;
use credential::mdoc::mso::DigestAlgorithm;
use credential::mdoc::parse_device_response;
use keys::Algorithm;
use keys::PublicKey;
use keys::Signer as _;
use keys::SigningRequest;
use keys::base64url;
use keys::cbor::Value;
use keys::x509::Certificate;
use keys::x509::CertificatePath;
use keys::x509::Name;
use keys::x509::NewCertificate;
use keys::x509::Purpose;
use keys::x509::Role;
use keys::x509::verify_path;
use serde_json::json;
use signer::SoftwareKey;

use crate::NOW;
use crate::RawCheck;
use crate::RawSigning;
use crate::VERIFIER;
use crate::key;
use crate::material;

const NAMESPACE: &str = "org.iso.18013.5.1";
const DOC_TYPE: &str = "org.iso.18013.5.1.mDL";
const DAY: i64 = 86_400;

/// Numbers of the keys.
const ISSUER: u8 = 3;
const DEVICE: u8 = 4;

/// One presentation, and what is needed to check it and to issue its mdoc again.
pub struct Presented {
    text: String,
    issuer: SoftwareKey,
    device: SoftwareKey,
    chain: [Vec<u8>; 1],
    namespaces: [Namespace<'static>; 1],
    path: CertificatePath,
    transcript: SessionTranscript,
    raw: [RawCheck; 2],
    raw_issue: RawSigning,
}

fn elements() -> Vec<(&'static str, Value)> {
    let text = Value::text;
    vec![
        ("given_name", text("Aroha")),
        ("family_name", text("Ngata")),
        ("birth_date", credential::mdoc::full_date("1996-02-29")),
        ("age_over_18", Value::Bool(true)),
        ("birth_place", text("Porirua")),
        ("sex", Value::from(2_u64)),
        ("issuing_country", text("XA")),
        ("issuing_authority", text("Population Agency")),
        ("administrative_number", text("P000001")),
        ("document_number", text("XA1234567")),
    ]
}

fn request(chain: &[Vec<u8>], device: &PublicKey, elements: &[Namespace<'_>]) -> SigningRequest<String> {
    let new = NewMdoc {
        key_id: "did:example:issuer#p256",
        certificates: chain,
        doc_type: DOC_TYPE,
        digest_algorithm: DigestAlgorithm::Sha256,
        device_key: device,
        signed: NOW.minus(60),
        valid_from: NOW.minus(60),
        valid_until: NOW.plus(DAY),
        status: None,
        namespaces: elements,
    };
    new.issue(Algorithm::Es256, &mut signer::os_rng())
}

/// The certificate of `subject`, signed by the issuing authority's key.
fn certificate(role: Role, subject: &PublicKey, authority: &SoftwareKey) -> Vec<u8> {
    let name = |common_name| Name {
        country: "XA",
        common_name,
    };
    let new = NewCertificate {
        subject: name(if role == Role::Iaca { "IACA" } else { "DS" }),
        key: subject,
        issuer: name("IACA"),
        issuer_key: authority.public_key(),
        role,
        valid_from: NOW.minus(DAY),
        valid_until: NOW.plus(400 * DAY),
        issuer_url: "https://issuer.example",
        revocation_list_url: "https://issuer.example/crl",
        subject_uri: None,
    };
    let request = new.issue(&mut signer::os_rng());
    authority.fulfil(request).expect("the authority's key")
}

/// Signs, and keeps the check of that signature.
fn sign<T>(key: &SoftwareKey, request: SigningRequest<T>) -> (T, RawCheck) {
    let raw = RawCheck::new(key, request.message().to_vec());
    let signature = raw.signature;
    (request.complete(signature), raw)
}

impl Presented {
    /// A presentation of all ten elements.
    pub fn new() -> Self {
        let authority = key(Algorithm::Es256, 5);
        let [issuer, device] = [ISSUER, DEVICE].map(|number| key(Algorithm::Es256, number));
        let anchor = certificate(Role::Iaca, authority.public_key(), &authority);
        let chain = [certificate(Role::DocumentSigner, issuer.public_key(), &authority)];
        let anchors = [Certificate::from_der(&anchor).expect("our own certificate")];
        let path = verify_path(&chain, &anchors, Purpose::MdocDocumentSigner, NOW).expect("our own certificates");
        let namespaces = [(NAMESPACE, elements())];
        let (mdoc, issuer_check) = sign(&issuer, request(&chain, device.public_key(), &namespaces));
        let raw_issue = RawSigning {
            key: key(Algorithm::Es256, ISSUER),
            message: issuer_check.message.clone(),
        };
        let held = Unverified::<Mdoc>::parse(&mdoc)
            .and_then(|parsed| parsed.restore(issuer.public_key(), "did:example:issuer"))
            .expect("our own mdoc");
        let transcript = SessionTranscript::openid4vp(VERIFIER, "n-1", None, "https://verifier.example/response");
        let presentation = held.present(&held.disclosable_paths()).expect("its own paths");
        let (document, device_check) = sign(&device, presentation.sign(&transcript));
        Self {
            text: device_response(&[document]),
            issuer,
            device,
            chain,
            namespaces,
            path,
            transcript,
            raw: [issuer_check, device_check],
            raw_issue,
        }
    }

    /// All of issuing, the signature included.
    pub fn issue(&self) {
        let request = request(&self.chain, self.device.public_key(), &self.namespaces);
        let _mdoc = self.issuer.fulfil(request).expect("the issuer's key");
    }

    /// The signature alone.
    pub fn raw_issue(&self) {
        self.raw_issue.run();
    }

    /// For others to verify and to issue.
    pub fn material(&self) -> serde_json::Value {
        let mut response = base64url::decode(&self.text).expect("base64url");
        let signature = self.raw[0].signature;
        let signature = signature.as_bytes();
        let found = response.windows(signature.len()).position(|bytes| bytes == signature);
        response[found.expect("the issuer's signature")] ^= 1;
        let [certificate] = &self.chain;
        let elements: serde_json::Map<_, _> = elements()
            .into_iter()
            .map(|(name, value)| (name.to_owned(), base64url::encode(value.to_vec()).into()))
            .collect();
        json!({
            "text": self.text, "tampered": base64url::encode(&response),
            "transcript": base64url::encode(self.transcript.as_bytes()),
            "certificate": base64url::encode(certificate),
            "issuer": material::key(Algorithm::Es256, ISSUER), "device": material::key(Algorithm::Es256, DEVICE),
            "doc_type": DOC_TYPE, "namespace": NAMESPACE, "elements": elements,
        })
    }

    /// Everything that `crates/credential` checks.
    pub fn verify(&self) {
        let mut documents = parse_device_response(&self.text).expect("a genuine response");
        let unverified = documents.pop().expect("a document");
        let authentic = unverified.authenticate_path(&self.path, NOW).expect("a genuine mdoc");
        let binding = authentic
            .verify_device_signature(&self.transcript)
            .expect("a genuine presentation");
        assert!(binding.is_proven());
    }

    /// The two signatures alone.
    pub fn raw(&self) {
        self.raw.iter().for_each(RawCheck::run);
    }
}

impl Default for Presented {
    fn default() -> Self {
        Self::new()
    }
}
