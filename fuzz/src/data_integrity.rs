//! Credentials with proofs as they come, and documents that we secure ourselves.

use std::sync::LazyLock;

use credential::LdpVc;
use credential::Unverified;
use credential::data_integrity;
use credential::data_integrity::Cryptosuite;
use credential::data_integrity::ProofOptions;
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
    if let Ok(presentation) = data_integrity::UnverifiedPresentation::parse(text) {
        let _ = presentation.authenticate(issuer().public(), &issuer().did, &transaction(), &CONTEXTS);
    }
    if let Some(document) = object(data) {
        for suite in EDDSA {
            issue(document.clone(), suite);
        }
    }
}

/// What we secure, verifies.
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
    let secured = Value::Object(issuer().sign(request)).to_string();
    let _held = Unverified::<LdpVc>::parse(&secured)
        .expect("what we secure is read")
        .restore(issuer().public(), &issuer().did, &CONTEXTS)
        .expect("what we secure verifies");
}
