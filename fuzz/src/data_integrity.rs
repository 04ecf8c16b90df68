//! Credentials with proofs as they come, and documents that we secure ourselves.

use std::sync::LazyLock;

use credential::LdpVc;
use credential::Unverified;
use credential::data_integrity;
use credential::data_integrity::BaseProofOptions;
use credential::data_integrity::Cryptosuite;
use credential::data_integrity::LdpVcError;
use credential::data_integrity::Pointer;
use credential::data_integrity::ProofOptions;
use credential::data_integrity::ProofPlace;
use credential::vc::DataModelVersion;
use jsonld::ContextLoader;
use keys::Algorithm;
use serde_json::Map;
use serde_json::Value;

use crate::NOW;
use crate::Party;
use crate::issuer;
use crate::object;
use crate::text;
use crate::transaction;

/// Where the context of the sample's credential type is.
pub(crate) const CONTEXT: &str = "https://attestry.example/types/PersonIdentity/context.jsonld";

/// One suite of each transformation; those of ECDSA differ in the hash and the curve alone.
pub(crate) const EDDSA: [Cryptosuite; 2] = [Cryptosuite::EddsaRdfc2022, Cryptosuite::EddsaJcs2022];

/// The bundled contexts and the type's.
pub(crate) static CONTEXTS: LazyLock<ContextLoader> = LazyLock::new(|| {
    let mut contexts = ContextLoader::bundled();
    let document = include_str!("../../schemas/types/PersonIdentity/context.jsonld");
    contexts.register(CONTEXT, serde_json::from_str(document).expect("JSON"));
    contexts
});

/// The input as secured credential, as presentation, and as document to be secured by each suite.
pub fn fuzz(data: &[u8]) {
    let Some(text) = text(data) else { return };
    if let Ok(credential) = Unverified::<LdpVc>::parse(text) {
        let _ = credential.authenticate(issuer().public(), &issuer().did, &CONTEXTS, NOW);
    }
    if let Ok(credential) = Unverified::<LdpVc>::parse(text) {
        let (key, issuer) = (selective_issuer().public(), &selective_issuer().did);
        if let Ok(held) = credential.restore(key, issuer, &CONTEXTS) {
            let _ = held.derive(&[], b"n-1", &CONTEXTS, &mut crate::verdict::Salts(1));
        }
    }
    if let Ok(presentation) = data_integrity::UnverifiedPresentation::parse(text) {
        let _ = presentation.authenticate(issuer().public(), &issuer().did, &transaction(), &CONTEXTS);
    }
    if let Some(document) = object(data) {
        for suite in EDDSA {
            issue(document.clone(), suite);
        }
        issue_selective(document);
    }
}

/// What we secure, verifies, also with a second proof over the first.
fn issue(document: Map<String, Value>, cryptosuite: Cryptosuite) {
    let options = ProofOptions {
        cryptosuite,
        algorithm: keys::Algorithm::EdDsa,
        verification_method: &issuer().method,
        created: Some(NOW),
        expires: None,
    };
    let Ok(request) = data_integrity::issue(document, &options, &CONTEXTS) else {
        return;
    };
    let secured = issuer().sign(request);
    restore(&secured);
    let mut chain = secured;
    chain.remove("proof");
    for (id, previous) in [("urn:x:1", None), ("urn:x:2", Some("urn:x:1"))] {
        let place = ProofPlace {
            id: Some(id),
            previous: previous.as_slice(),
        };
        // Two proofs may be too much work where one was not.
        let Ok(request) = data_integrity::add_proof(chain, &options, place, &CONTEXTS) else {
            return;
        };
        chain = issuer().sign(request);
    }
    restore(&chain);
}

fn restore(secured: &Map<String, Value>) {
    let _held = Unverified::<LdpVc>::from_object(secured)
        .expect("what we secure is read")
        .restore(issuer().public(), &issuer().did, &CONTEXTS)
        .expect("what we secure verifies");
}

/// An issuer with a P-256 key.
pub(crate) fn selective_issuer() -> &'static Party {
    static PARTY: LazyLock<Party> = LazyLock::new(|| Party::of(Algorithm::Es256, 3));
    &PARTY
}

/// What we secure so that a part can be shown, is held; and of each member that can be shown by itself, a verifier
/// accepts what was derived. The document's own issuer is replaced.
fn issue_selective(mut document: Map<String, Value>) {
    let issuer = selective_issuer();
    document.insert("issuer".to_owned(), Value::from(issuer.did.as_str()));
    let subject = document.get("credentialSubject").and_then(Value::as_object);
    let names = subject.into_iter().flat_map(Map::keys);
    let pointers: Vec<Pointer> = names
        .take(8)
        .filter_map(|name| {
            let name = name.replace('~', "~0").replace('/', "~1");
            format!("/credentialSubject/{name}").parse().ok()
        })
        .collect();
    let options = BaseProofOptions {
        cryptosuite: Cryptosuite::EcdsaSd2023,
        key: issuer.public(),
        verification_method: &issuer.method,
        created: Some(NOW),
        expires: None,
        mandatory: &[],
        data_model: DataModelVersion::V2_0,
    };
    let mut rng = crate::verdict::Salts(1);
    let Ok(request) = data_integrity::issue_selective(document, &options, &CONTEXTS, &mut rng) else {
        return;
    };
    let secured = Value::Object(issuer.sign(request)).to_string();
    let held = Unverified::<LdpVc>::parse(&secured)
        .expect("what we secure is read")
        .restore(issuer.public(), &issuer.did, &CONTEXTS)
        .expect("what we secure verifies");
    for pointer in pointers {
        // Refused where what is left is no credential.
        if let Ok(derived) = held.derive(&[pointer], b"n-1", &CONTEXTS, &mut rng) {
            let base = Unverified::<LdpVc>::parse(derived.as_str()).expect("what we derive is read");
            let held = base.restore(issuer.public(), &issuer.did, &CONTEXTS);
            assert_eq!(held.err(), Some(LdpVcError::Presented));
        }
    }
}
