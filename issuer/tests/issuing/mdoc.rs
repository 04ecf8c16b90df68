//! An agency's mdocs: what wallets and readers outside of the registry find in them.

use std::fs;
use std::path::Path;

use credential::HolderKey;
use credential::Mdoc;
use credential::Unverified;
use credential::mdoc::anchor_name;
use issuer::Agency;
use issuer::AgencySigners;
use issuer::agency::AgencyError;
use keys::Algorithm;
use keys::PublicKey;
use keys::Signer as _;
use keys::Timestamp;
use keys::base64url;
use keys::cbor;
use keys::json::Limits;
use keys::x509::Certificate;
use keys::x509::Name;
use keys::x509::NewCertificate;
use keys::x509::Purpose;
use keys::x509::Role;
use keys::x509::verify_path;
use openid4vc::vci::proof::ProofKey;
use serde_json::Value;
use serde_json::json;
use signer::SoftwareKey;

use crate::registry::Identity;
use crate::service::NOW;
use crate::service::PERSON;
use crate::service::Service;
use crate::service::agency_folder;

const DAY: i64 = 86_400;
const PID: &str = "eu.europa.ec.eudi.pid.1";
const LIMITS: Limits = Limits {
    max_bytes: 1 << 20,
    max_depth: 16,
};

/// An issuing authority.
struct Authority(SoftwareKey);

impl Authority {
    fn new() -> Self {
        Self(SoftwareKey::generate(Algorithm::Es256, &mut signer::os_rng()))
    }

    fn sign(&self, key: &PublicKey, role: Role, valid_until: Timestamp) -> Vec<u8> {
        let name = |common_name| Name {
            country: "XA",
            common_name,
        };
        let new = NewCertificate {
            subject: name(if role == Role::Iaca { "Authority" } else { "Agency" }),
            key,
            issuer: name("Authority"),
            issuer_key: self.0.public_key(),
            role,
            valid_from: NOW.minus(DAY),
            valid_until,
            issuer_url: "https://authority.example",
            revocation_list_url: "https://authority.example/crl",
            subject_uri: None,
        };
        self.0.fulfil(new.issue(&mut signer::os_rng())).unwrap()
    }

    fn anchor(&self) -> Certificate {
        let der = self.sign(self.0.public_key(), Role::Iaca, NOW.plus(1_000 * DAY));
        Certificate::from_der(&der).unwrap()
    }

    fn certify(&self, folder: &Path, key: &PublicKey, valid_until: Timestamp) {
        let der = self.sign(key, Role::DocumentSigner, valid_until);
        fs::write(folder.join("document-signer.der"), der).unwrap();
    }

    /// A service whose agency has a certificate that ends then.
    async fn service(&self, valid_until: Timestamp) -> Service {
        let certify = |folder: &Path, identity: &Identity| {
            self.certify(folder, identity.es256.public_key(), valid_until);
        };
        Service::start_as(certify).await
    }
}

fn device() -> SoftwareKey {
    SoftwareKey::generate(Algorithm::Es256, &mut signer::os_rng())
}

async fn obtain(service: &Service, device: &SoftwareKey) -> Value {
    let proof = ProofKey::Jwk(device.public_key().clone());
    service
        .obtain("mso_mdoc", &[(device, proof)])
        .await
        .credentials()
        .remove(0)
}

/// The value of each data element of a name space, as CBOR.
fn elements(mdoc: &str, namespace: &str) -> Vec<(String, cbor::Value)> {
    let bytes = base64url::decode(mdoc).unwrap();
    let member = |map: &[u8], name: &str| {
        let entries = cbor::entries(map, LIMITS).unwrap();
        entries
            .iter()
            .find(|(key, _)| key.as_text() == Some(name))
            .unwrap()
            .1
            .to_vec()
    };
    let items = member(&member(&bytes, "nameSpaces"), namespace);
    let item = |item: &&[u8]| {
        let item = cbor::decode(item, LIMITS).unwrap();
        let item = cbor::decode(item.as_encoded().unwrap(), LIMITS).unwrap();
        let identifier = item.get("elementIdentifier").unwrap().as_text().unwrap();
        (identifier.to_owned(), item.get("elementValue").unwrap().clone())
    };
    cbor::items(&items, LIMITS).unwrap().iter().map(item).collect()
}

#[tokio::test]
async fn an_mdoc_is_the_agency_s_and_the_device_s() {
    let (authority, device) = (Authority::new(), device());
    let service = authority.service(NOW.plus(400 * DAY)).await;
    let credential = obtain(&service, &device).await;
    let mdoc = credential.as_str().unwrap();
    let (did, key) = (&service.identity.did, service.identity.es256.public_key());
    let unverified = Unverified::<Mdoc>::parse(mdoc).unwrap();
    assert_eq!(unverified.verification_method().unwrap(), format!("{did}#es256"));
    let held = unverified.authenticate(key, did, NOW).unwrap().hold_issued().unwrap();
    let facts = held.facts();
    assert_eq!(facts.types(), [PID]);
    assert_eq!(facts.holder(), Some(&HolderKey::Key(device.public_key().clone())));
    assert_eq!(facts.issued_at(), Some(NOW));
    assert_eq!(facts.status().len(), 1);
    assert!(facts.status()[0].uri().starts_with(service.identifier().as_str()));
    assert_eq!(held.claims()[PID]["personal_administrative_number"], PERSON);

    // The same for a reader that knows the authority and no registry.
    let unverified = Unverified::<Mdoc>::parse(mdoc).unwrap();
    let anchor = authority.anchor();
    let path = verify_path(
        unverified.certificates(),
        std::slice::from_ref(&anchor),
        Purpose::MdocDocumentSigner,
        NOW,
    );
    let authentic = unverified.authenticate_path(&path.unwrap(), NOW).unwrap();
    assert_eq!(authentic.facts().issuer(), anchor_name(&anchor));
}

#[tokio::test]
async fn data_elements_have_the_types_of_the_rulebook() {
    let (authority, device) = (Authority::new(), device());
    let service = authority.service(NOW.plus(400 * DAY)).await;
    let credential = obtain(&service, &device).await;
    let mdoc = credential.as_str().unwrap();
    let elements = elements(mdoc, PID);
    let element = |name: &str| &elements.iter().find(|(identifier, _)| identifier == name).unwrap().1;
    let text = |text: &str| cbor::Value::text(text);
    assert_eq!(element("birth_date").as_tagged(1004), Some(&text("1990-05-17")));
    assert_eq!(element("portrait").as_bytes().unwrap()[..3], [0xff, 0xd8, 0xff]);
    assert_eq!(*element("nationality"), cbor::Value::Array(vec![text("XA")]));
    assert_eq!(element("place_of_birth").get("country"), Some(&text("XA")));
    assert_eq!(*element("sex"), cbor::Value::from(2_u64));
    assert_eq!(*element("resident_city"), text("Teluk Biru"));
    let order: Vec<&String> = elements.iter().map(|(identifier, _)| identifier).collect();
    assert_eq!(order.len(), 20 - 1, "all but family_name_birth: {order:?}");
}

#[tokio::test]
async fn metadata_of_an_mdoc_are_those_of_its_data_elements() {
    let service = Authority::new().service(NOW.plus(400 * DAY)).await;
    let metadata = service.metadata().await;
    let mdoc = &metadata["credential_configurations_supported"]["PersonIdentity.mso_mdoc"];
    assert_eq!(mdoc["doctype"], PID);
    assert_eq!(mdoc["cryptographic_binding_methods_supported"], json!(["cose_key"]));
    assert_eq!(mdoc["credential_signing_alg_values_supported"], json!([-7]));
    let claims = mdoc["credential_metadata"]["claims"].as_array().unwrap();
    let of = |path: Value| claims.iter().find(|claim| claim["path"] == path).unwrap();
    let birth = of(json!([PID, "birth_date"]));
    assert_eq!(
        (&birth["mandatory"], &birth["display"][0]["name"]),
        (&json!(true), &json!("Date of birth"))
    );
    assert!(of(json!([PID, "place_of_birth", "country"])).get("display").is_some());
    assert!(
        of(json!(["eu.europa.ec.eudi.pid.xa.1", "age_over_18"]))
            .get("mandatory")
            .is_none()
    );
}

#[tokio::test]
async fn an_mdoc_ends_with_its_certificate_and_none_is_signed_after() {
    let (authority, device) = (Authority::new(), device());
    let end = NOW.plus(30 * DAY);
    let service = authority.service(end).await;
    let credential = obtain(&service, &device).await;
    let unverified = Unverified::<Mdoc>::parse(credential.as_str().unwrap()).unwrap();
    let (did, key) = (&service.identity.did, service.identity.es256.public_key());
    let authentic = unverified.authenticate(key, did, NOW).unwrap();
    assert_eq!(authentic.facts().valid_until(), Some(end));

    service.clock.advance(30 * DAY);
    let proof = ProofKey::Jwk(device.public_key().clone());
    let answer = service.obtain("mso_mdoc", &[(&device, proof)]).await;
    assert_eq!(answer.status, 500, "{}", answer.body);
}

#[tokio::test]
async fn a_certificate_of_another_key_is_not_taken() {
    let folder = tempfile::tempdir().unwrap();
    let keys = [Algorithm::Es256, Algorithm::EdDsa].map(|one| SoftwareKey::generate(one, &mut signer::os_rng()));
    let [es256, eddsa] = keys.map(std::sync::Arc::new);
    agency_folder(folder.path(), "did:example:agency");
    let signers = AgencySigners {
        jose: es256.clone(),
        data_integrity: eddsa,
        bbs: None,
    };
    Authority::new().certify(folder.path(), es256.public_key(), NOW.plus(DAY));
    assert!(Agency::load(folder.path(), signers.clone()).await.is_ok());
    Authority::new().certify(folder.path(), device().public_key(), NOW.plus(DAY));
    let refused = Agency::load(folder.path(), signers.clone()).await.err().unwrap();
    assert!(matches!(refused, AgencyError::CertificateKey { .. }), "{refused}");
    fs::write(folder.path().join("document-signer.der"), "none").unwrap();
    let refused = Agency::load(folder.path(), signers).await.err().unwrap();
    assert!(matches!(refused, AgencyError::Certificate { .. }), "{refused}");
}
