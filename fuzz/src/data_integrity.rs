//! Credentials with proofs as they come, and documents that we secure ourselves.

use std::sync::LazyLock;

use credential::LdpVc;
use credential::Unverified;
use credential::data_integrity;
use credential::data_integrity::Cryptosuite;
use credential::data_integrity::ProofOptions;
use credential::data_integrity::ProofPlace;
use jsonld::ContextLoader;
use serde_json::Map;
use serde_json::Value;

use crate::NOW;
use crate::issuer;
use crate::object;
use crate::text;
use crate::transaction;

/// Where the context of the sample's credential type is.
pub(crate) const CONTEXT: &str = "https://attestry.example/types/PersonIdentity/context.jsonld";

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
    if let Ok(presentation) = data_integrity::UnverifiedPresentation::parse(text) {
        let _ = presentation.authenticate(issuer().public(), &issuer().did, &transaction(), &CONTEXTS);
    }
    if let Some(document) = object(data) {
        for suite in Cryptosuite::ALL {
            issue(document.clone(), suite);
        }
    }
}

/// What we secure, verifies, also with a second proof over the first.
fn issue(document: Map<String, Value>, cryptosuite: Cryptosuite) {
    let options = ProofOptions {
        cryptosuite,
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
