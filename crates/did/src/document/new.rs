//! Documents to be written.

use keys::PublicKey;
use serde_json::Value;

use super::Purpose;
use super::VERIFICATION_METHOD;

/// A verification method of a document to be written.
#[derive(Clone, Copy, Debug)]
pub struct NewMethod<'a> {
    /// What follows `#` in its identifier.
    pub fragment: &'a str,
    /// The public key, written as Multikey.
    pub key: &'a PublicKey,
    /// What the key is for.
    pub purposes: &'a [Purpose],
}

/// The JSON of a document with these methods. `did` is taken as it is, so that it may hold the
/// placeholder of [`crate::webvh::create`]; whoever reads the document checks it.
#[must_use]
pub fn new_document(did: &str, methods: &[NewMethod<'_>]) -> Value {
    let id = |method: &NewMethod<'_>| format!("{did}#{}", method.fragment);
    let mut document = serde_json::json!({
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
        "id": did,
    });
    let described = |method: &NewMethod<'_>| {
        serde_json::json!({
            "id": id(method),
            "type": "Multikey",
            "controller": did,
            "publicKeyMultibase": method.key.to_multikey(),
        })
    };
    let mut set = |member: &str, items: Vec<Value>| {
        if let Some(document) = document.as_object_mut().filter(|_| !items.is_empty()) {
            document.insert(member.to_owned(), Value::Array(items));
        }
    };
    set(VERIFICATION_METHOD, methods.iter().map(described).collect());
    for purpose in Purpose::ALL {
        let for_purpose = methods.iter().filter(|method| method.purposes.contains(&purpose));
        set(
            purpose.name(),
            for_purpose.map(|method| Value::from(id(method))).collect(),
        );
    }
    document
}
