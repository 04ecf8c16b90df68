//! An mdoc with ten data elements, presented with all of them and the device's signature; ES256. The document signer's
//! path to its anchor is kept, as a verifier keeps it for all mdocs of a signer.

use credential::Mdoc;
use credential::Unverified;
use credential::mdoc::NewMdoc;
use credential::mdoc::SessionTranscript;
use credential::mdoc::device_response;
use credential::mdoc::mso::DigestAlgorithm;
use credential::mdoc::parse_device_response;
use keys::Algorithm;
use keys::PublicKey;
use keys::Signer as _;
use keys::SigningRequest;
use keys::cbor::Value;
use keys::x509::Certificate;
use keys::x509::CertificatePath;
use keys::x509::Name;
use keys::x509::NewCertificate;
use keys::x509::Purpose;
use keys::x509::Role;
use keys::x509::verify_path;
use signer::SoftwareKey;

use crate::NOW;
use crate::RawCheck;
use crate::VERIFIER;
use crate::key;

const NAMESPACE: &str = "org.iso.18013.5.1";
const DAY: i64 = 86_400;

/// One presentation, and what is needed to check it.
pub struct Presented {
    text: String,
    path: CertificatePath,
    transcript: SessionTranscript,
    raw: [RawCheck; 2],
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
        let [authority, issuer, device] = [5, 3, 4].map(|number| key(Algorithm::Es256, number));
        let anchor = certificate(Role::Iaca, authority.public_key(), &authority);
        let chain = [certificate(Role::DocumentSigner, issuer.public_key(), &authority)];
        let anchors = [Certificate::from_der(&anchor).expect("our own certificate")];
        let path = verify_path(&chain, &anchors, Purpose::MdocDocumentSigner, NOW).expect("our own certificates");
        let text = Value::text;
        let elements = vec![
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
        ];
        let new = NewMdoc {
            key_id: "did:example:issuer#p256",
            certificates: &chain,
            doc_type: "org.iso.18013.5.1.mDL",
            digest_algorithm: DigestAlgorithm::Sha256,
            device_key: device.public_key(),
            signed: NOW.minus(60),
            valid_from: NOW.minus(60),
            valid_until: NOW.plus(DAY),
            status: None,
            namespaces: vec![(NAMESPACE, elements)],
        };
        let (mdoc, issuer_check) = sign(&issuer, new.issue(Algorithm::Es256, &mut signer::os_rng()));
        let held = Unverified::<Mdoc>::parse(&mdoc)
            .and_then(|parsed| parsed.restore(issuer.public_key(), "did:example:issuer"))
            .expect("our own mdoc");
        let transcript = SessionTranscript::openid4vp(VERIFIER, "n-1", None, "https://verifier.example/response");
        let presentation = held.present(&held.disclosable_paths()).expect("its own paths");
        let (document, device_check) = sign(&device, presentation.sign(&transcript));
        Self {
            text: device_response(&[document]),
            path,
            transcript,
            raw: [issuer_check, device_check],
        }
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
