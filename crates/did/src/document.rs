//! DID documents ([DID Core section 5](https://www.w3.org/TR/did-core/#core-properties)) and the key
//! that a document gives for a purpose
//! ([Controlled Identifiers, retrieving a verification method](https://www.w3.org/TR/cid-1.0/#retrieve-verification-method)).
//!
//! A document is kept as it came. Unknown members, key types and services stay in it untouched; a
//! method that we cannot use is an error only when its key is asked for.

use std::collections::BTreeSet;

use keys::Jwk;
use keys::PublicKey;
use keys::json;
use serde_json::Map;
use serde_json::Value;
use thiserror::Error;

use crate::Did;
use crate::DidUrl;
use crate::syntax::SyntaxError;

/// A document of a hundred keys and services is below 64 KiB.
pub const MAX_DOCUMENT_BYTES: usize = 256 * 1024;

/// Services hold nested objects; the deepest of any standard has six levels.
const LIMITS: json::Limits = json::Limits {
    max_bytes: MAX_DOCUMENT_BYTES,
    max_depth: 16,
};

/// A verification relationship: what a key may be used for
/// ([DID Core section 5.3](https://www.w3.org/TR/did-core/#verification-relationships)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Purpose {
    /// To issue credentials.
    AssertionMethod,
    /// To prove to be the subject.
    Authentication,
    /// To delegate a capability.
    CapabilityDelegation,
    /// To invoke a capability.
    CapabilityInvocation,
    /// To agree on an encryption key.
    KeyAgreement,
}

impl Purpose {
    /// The member of the document, which is also the `proofPurpose` of a Data Integrity proof.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AssertionMethod => "assertionMethod",
            Self::Authentication => "authentication",
            Self::CapabilityDelegation => "capabilityDelegation",
            Self::CapabilityInvocation => "capabilityInvocation",
            Self::KeyAgreement => "keyAgreement",
        }
    }

    const ALL: [Self; 5] = [
        Self::AssertionMethod,
        Self::Authentication,
        Self::CapabilityDelegation,
        Self::CapabilityInvocation,
        Self::KeyAgreement,
    ];
}

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

/// The document is not one: the fault of its controller.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum DocumentError {
    /// Two verification methods have one identifier, so that it is open which key is meant.
    #[error("expected distinct verification methods, found {id} twice")]
    DuplicateMethod {
        /// The identifier.
        id: String,
    },
    /// The document is about someone else.
    #[error("expected the document of {expected}, found the document of {found}")]
    Id {
        /// The DID that was asked for.
        expected: String,
        /// The `id` of the document.
        found: String,
    },
    /// An identifier within the document is not a DID or DID URL.
    #[error("the `{member}` of the document is not a DID URL")]
    Identifier {
        /// Where it stands.
        member: &'static str,
        /// What is wrong with it.
        #[source]
        source: SyntaxError,
    },
    /// Not JSON, or not within the limits.
    #[error("the document is not readable JSON")]
    Json(#[from] json::JsonError),
    /// A member has another type than DID Core gives it.
    #[error("expected the document member `{member}` to be {expected}")]
    Member {
        /// Its name.
        member: &'static str,
        /// What it has to be.
        expected: &'static str,
    },
}

/// Why a document gives no key.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyForError {
    /// The verification method carries no usable public key: its controller's fault.
    #[error("the key material of {id} is not usable: {problem}")]
    Material {
        /// The verification method.
        id: String,
        /// What is wrong.
        problem: &'static str,
    },
    /// The document has the method, but not for this purpose: the fault of who used it so.
    #[error("expected {id} under `{purpose}`, found it only elsewhere in the document")]
    NotForThisPurpose {
        /// The verification method.
        id: String,
        /// What was asked for.
        purpose: &'static str,
    },
    /// The document has no such method.
    #[error("expected a verification method {id} in the document, found none")]
    NotFound {
        /// What was asked for.
        id: String,
    },
    /// The DID URL belongs to another document, or has a path or query, or no fragment.
    #[error("expected {expected} and a fragment, found {found}")]
    OtherDocument {
        /// The DID of the document.
        expected: String,
        /// What was asked for.
        found: String,
    },
    /// A type of key or method that we do not implement.
    #[error(
        "expected a Multikey, JsonWebKey, JsonWebKey2020 or Ed25519VerificationKey2020 with an Ed25519 or P-256 key, found {found}"
    )]
    Unsupported {
        /// The `type`, or the kind of key.
        found: String,
    },
    /// The method names a time after which it must not be used; we do not judge that time.
    #[error("{id} has the member `{member}`, so its key is not given")]
    Withdrawn {
        /// The verification method.
        id: String,
        /// `revoked` or `expires`.
        member: &'static str,
    },
}

/// A DID document with a sound skeleton: `id` is a DID, verification methods are distinct.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    id: Did,
    value: Map<String, Value>,
}

impl Document {
    /// Parses the JSON of a document.
    ///
    /// # Errors
    /// [`DocumentError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, DocumentError> {
        Self::from_value(json::parse(bytes, LIMITS)?)
    }

    /// Takes a document that was part of another text, parsed strictly with it.
    ///
    /// # Errors
    /// [`DocumentError`].
    pub fn from_value(value: Value) -> Result<Self, DocumentError> {
        let Value::Object(value) = value else {
            return Err(DocumentError::Member {
                member: "document",
                expected: "an object",
            });
        };
        let id = text_member(&value, "id")?;
        let id = Did::parse(id).map_err(|source| DocumentError::Identifier { member: "id", source })?;
        let document = Self { id, value };
        document.check_lists()?;
        document.check_methods()?;
        Ok(document)
    }

    /// Refuses a document about anyone but `did`.
    ///
    /// # Errors
    /// [`DocumentError::Id`].
    pub fn expect_id(&self, did: &Did) -> Result<(), DocumentError> {
        if &self.id == did {
            return Ok(());
        }
        Err(DocumentError::Id {
            expected: did.to_string(),
            found: self.id.to_string(),
        })
    }

    /// The subject.
    #[must_use]
    pub const fn id(&self) -> &Did {
        &self.id
    }

    /// Other identifiers that the document claims for its subject. A claim only.
    pub fn also_known_as(&self) -> impl Iterator<Item = &str> {
        self.list("alsoKnownAs").iter().filter_map(Value::as_str)
    }

    /// The services, as they came.
    #[must_use]
    pub fn services(&self) -> &[Value] {
        self.list("service")
    }

    /// The service whose `id` is `#fragment` of this document, absolute or relative.
    #[must_use]
    pub fn service(&self, fragment: &str) -> Option<&Value> {
        let wanted = self.id.with_fragment(fragment).ok()?;
        self.services().iter().find(|service| {
            let id = service.get("id").and_then(Value::as_str);
            id.and_then(|id| DidUrl::parse_in(&self.id, id).ok()).as_ref() == Some(&wanted)
        })
    }

    /// The identifiers of all methods under `purpose`, in the order of the document. References into
    /// other documents are among them.
    #[must_use]
    pub fn method_ids(&self, purpose: Purpose) -> Vec<DidUrl> {
        self.list(purpose.name())
            .iter()
            .filter_map(|entry| self.entry_id(entry))
            .collect()
    }

    /// The public key of the verification method `id`, if the document names it for `purpose`.
    ///
    /// This does not say that the DID is trusted, nor that the document is its newest.
    ///
    /// # Errors
    /// [`KeyForError`].
    pub fn key_for(&self, id: &DidUrl, purpose: Purpose) -> Result<PublicKey, KeyForError> {
        let in_this_document =
            id.did() == &self.id && id.path().is_empty() && id.query().is_none() && id.fragment().is_some();
        if !in_this_document {
            return Err(KeyForError::OtherDocument {
                expected: self.id.to_string(),
                found: id.to_string(),
            });
        }
        let mut under_purpose = self.list(purpose.name()).iter();
        let Some(entry) = under_purpose.find(|entry| self.entry_id(entry).as_ref() == Some(id)) else {
            return Err(self.not_under_purpose(id, purpose));
        };
        let method = match entry {
            Value::Object(embedded) => embedded,
            _ => self
                .listed_method(id)
                .ok_or_else(|| KeyForError::NotFound { id: id.to_string() })?,
        };
        public_key(id, method)
    }

    /// The document as JSON.
    #[must_use]
    pub const fn as_map(&self) -> &Map<String, Value> {
        &self.value
    }

    /// The document as JSON.
    #[must_use]
    pub fn into_value(self) -> Value {
        Value::Object(self.value)
    }

    fn not_under_purpose(&self, id: &DidUrl, purpose: Purpose) -> KeyForError {
        if self
            .methods()
            .any(|(_, method)| self.entry_id(method).as_ref() == Some(id))
        {
            KeyForError::NotForThisPurpose {
                id: id.to_string(),
                purpose: purpose.name(),
            }
        } else {
            KeyForError::NotFound { id: id.to_string() }
        }
    }

    /// Only `verificationMethod` can be referred to; an embedded method serves its own relationship.
    fn listed_method(&self, id: &DidUrl) -> Option<&Map<String, Value>> {
        self.list(VERIFICATION_METHOD)
            .iter()
            .find(|method| self.entry_id(method).as_ref() == Some(id))?
            .as_object()
    }

    /// The identifier of a method or of a reference to one, made absolute.
    fn entry_id(&self, entry: &Value) -> Option<DidUrl> {
        let text = match entry {
            Value::String(text) => text,
            other => other.get("id")?.as_str()?,
        };
        DidUrl::parse_in(&self.id, text).ok()
    }

    /// All verification methods, listed and embedded.
    fn methods(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        let embedded = Purpose::ALL
            .into_iter()
            .flat_map(|purpose| {
                self.list(purpose.name())
                    .iter()
                    .map(move |entry| (purpose.name(), entry))
            })
            .filter(|(_, entry)| entry.is_object());
        self.list(VERIFICATION_METHOD)
            .iter()
            .map(|method| (VERIFICATION_METHOD, method))
            .chain(embedded)
    }

    /// Empty where the member is absent; that it is an array was checked.
    fn list(&self, member: &str) -> &[Value] {
        self.value
            .get(member)
            .and_then(Value::as_array)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    fn check_lists(&self) -> Result<(), DocumentError> {
        for member in ["alsoKnownAs", "service", VERIFICATION_METHOD]
            .into_iter()
            .chain(Purpose::ALL.map(Purpose::name))
        {
            if self.value.get(member).is_some_and(|value| !value.is_array()) {
                return Err(DocumentError::Member {
                    member,
                    expected: "an array",
                });
            }
        }
        if self.list("alsoKnownAs").iter().any(|entry| !entry.is_string()) {
            return Err(DocumentError::Member {
                member: "alsoKnownAs",
                expected: "an array of strings",
            });
        }
        if self
            .list(VERIFICATION_METHOD)
            .iter()
            .chain(self.services())
            .any(|entry| !entry.is_object())
        {
            return Err(DocumentError::Member {
                member: "verificationMethod",
                expected: "an array of objects",
            });
        }
        for purpose in Purpose::ALL {
            if self
                .list(purpose.name())
                .iter()
                .any(|entry| !entry.is_object() && !entry.is_string())
            {
                return Err(DocumentError::Member {
                    member: purpose.name(),
                    expected: "an array of strings or objects",
                });
            }
        }
        Ok(())
    }

    /// "The set of verification methods MUST NOT include multiple methods with the same `id`."
    /// (DID Core section 5.2)
    fn check_methods(&self) -> Result<(), DocumentError> {
        let mut seen = BTreeSet::new();
        for (member, method) in self.methods() {
            let id = method.get("id").and_then(Value::as_str).ok_or(DocumentError::Member {
                member,
                expected: "methods with an `id`",
            })?;
            let id = DidUrl::parse_in(&self.id, id).map_err(|source| DocumentError::Identifier { member, source })?;
            if !seen.insert(id.clone()) {
                return Err(DocumentError::DuplicateMethod { id: id.to_string() });
            }
        }
        Ok(())
    }
}

const VERIFICATION_METHOD: &str = "verificationMethod";

fn text_member<'a>(map: &'a Map<String, Value>, member: &'static str) -> Result<&'a str, DocumentError> {
    map.get(member).and_then(Value::as_str).ok_or(DocumentError::Member {
        member,
        expected: "a string",
    })
}

/// The key of one verification method, by its declared `type`.
fn public_key(id: &DidUrl, method: &Map<String, Value>) -> Result<PublicKey, KeyForError> {
    let material = |problem| KeyForError::Material {
        id: id.to_string(),
        problem,
    };
    for member in ["revoked", "expires"] {
        if method.contains_key(member) {
            return Err(KeyForError::Withdrawn {
                id: id.to_string(),
                member,
            });
        }
    }
    let controller = method.get("controller").and_then(Value::as_str);
    if controller.is_none_or(|controller| Did::parse(controller).is_err()) {
        return Err(material("it has no `controller` that is a DID"));
    }
    let kind = method
        .get("type")
        .and_then(Value::as_str)
        .ok_or_else(|| material("it has no `type`"))?;
    match kind {
        "Multikey" => multikey(id, method),
        "Ed25519VerificationKey2020" => match multikey(id, method)? {
            key @ PublicKey::Ed25519(_) => Ok(key),
            PublicKey::P256(_) => Err(material("its type says Ed25519, its key says P-256")),
        },
        "JsonWebKey" | "JsonWebKey2020" => {
            let jwk = method
                .get("publicKeyJwk")
                .ok_or_else(|| material("it has no `publicKeyJwk`"))?;
            let jwk = Jwk::from_value(jwk).map_err(|_| material("its `publicKeyJwk` is not a public JWK"))?;
            if !matches!(jwk.crv.as_str(), "Ed25519" | "P-256") {
                return Err(KeyForError::Unsupported {
                    found: format!("a JWK of curve {}", jwk.crv),
                });
            }
            PublicKey::from_jwk(&jwk).map_err(|_| material("its `publicKeyJwk` is not a valid key"))
        }
        other => Err(KeyForError::Unsupported {
            found: other.to_owned(),
        }),
    }
}

fn multikey(id: &DidUrl, method: &Map<String, Value>) -> Result<PublicKey, KeyForError> {
    let material = |problem| KeyForError::Material {
        id: id.to_string(),
        problem,
    };
    let text = method.get("publicKeyMultibase").and_then(Value::as_str);
    let text = text.ok_or_else(|| material("it has no `publicKeyMultibase`"))?;
    PublicKey::from_multikey(text).map_err(|_| material("its `publicKeyMultibase` is not an Ed25519 or P-256 Multikey"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ED25519: &str = "z6MkjchhfUsD6mmvni8mCdXHw216Xrm9bQe2mBH1P5RDjVJG";
    const P256: &str = "zDnaerx9CtbPJ1q36T5Ln5wYt3MQYeGRG5ehnPAmxcf5mDZpv";

    fn genuine() -> Value {
        json!({
            "@context": ["https://www.w3.org/ns/did/v1"],
            "id": "did:a:b",
            "alsoKnownAs": ["did:x:y"],
            "verificationMethod": [
                {"id": "did:a:b#one", "type": "Multikey", "controller": "did:a:b", "publicKeyMultibase": ED25519},
                {"id": "#two", "type": "Multikey", "controller": "did:a:b", "publicKeyMultibase": P256},
                {"id": "#jwk", "type": "JsonWebKey2020", "controller": "did:a:b", "publicKeyJwk":
                    {"kty": "EC", "crv": "P-256", "x": "igrFmi0whuihKnj9R3Om1SoMph72wUGeFaBbzG2vzns", "y": "efsX5b10x8yjyrj4ny3pGfLcY7Xby1KzgqOdqnsrJIM"}},
                {"id": "#old", "type": "Ed25519VerificationKey2020", "controller": "did:a:b", "publicKeyMultibase": ED25519},
            ],
            "assertionMethod": ["did:a:b#one", "#two", "#jwk", "#old", "did:other:c#d"],
            "authentication": [
                {"id": "#own", "type": "Multikey", "controller": "did:a:b", "publicKeyMultibase": ED25519},
            ],
            "service": [{"id": "#files", "type": "relativeRef", "serviceEndpoint": "https://example.com"}],
        })
    }

    fn key_of(document: &Value, id: &str, purpose: Purpose) -> Result<PublicKey, KeyForError> {
        Document::from_value(document.clone())
            .unwrap()
            .key_for(&DidUrl::parse(id).unwrap(), purpose)
    }

    fn assertion_key_after(change: impl FnOnce(&mut Value)) -> Result<PublicKey, KeyForError> {
        let mut document = genuine();
        change(&mut document);
        key_of(&document, "did:a:b#one", Purpose::AssertionMethod)
    }

    fn refusal_after(change: impl FnOnce(&mut Value)) -> DocumentError {
        let mut document = genuine();
        change(&mut document);
        Document::from_value(document).unwrap_err()
    }

    #[test]
    fn keys_come_out_for_their_purpose() {
        let document = genuine();
        for (id, multikey) in [
            ("did:a:b#one", ED25519),
            ("did:a:b#two", P256),
            ("did:a:b#jwk", P256),
            ("did:a:b#old", ED25519),
        ] {
            let key = key_of(&document, id, Purpose::AssertionMethod).unwrap();
            assert_eq!(key.to_multikey(), multikey, "{id}");
        }
        assert_eq!(
            key_of(&document, "did:a:b#own", Purpose::Authentication)
                .unwrap()
                .to_multikey(),
            ED25519
        );
    }

    #[test]
    fn keys_do_not_come_out_for_another_purpose() {
        let document = genuine();
        for (id, purpose) in [
            ("did:a:b#one", Purpose::Authentication),
            ("did:a:b#own", Purpose::AssertionMethod),
            ("did:a:b#own", Purpose::KeyAgreement),
        ] {
            assert!(
                matches!(
                    key_of(&document, id, purpose),
                    Err(KeyForError::NotForThisPurpose { .. })
                ),
                "{id}"
            );
        }
    }

    #[test]
    fn embedded_method_is_not_reachable_by_reference() {
        let mut document = genuine();
        document["assertionMethod"] = json!(["#own"]);
        let found = key_of(&document, "did:a:b#own", Purpose::AssertionMethod);
        assert!(matches!(found, Err(KeyForError::NotFound { .. })));
    }

    #[test]
    fn unknown_and_foreign_methods_give_no_key() {
        let document = genuine();
        let found = |id| key_of(&document, id, Purpose::AssertionMethod).unwrap_err();
        assert!(matches!(found("did:a:b#none"), KeyForError::NotFound { .. }));
        for foreign in ["did:other:c#d", "did:a:b", "did:a:b/p#one", "did:a:b?versionId=1#one"] {
            assert!(matches!(found(foreign), KeyForError::OtherDocument { .. }), "{foreign}");
        }
    }

    #[test]
    fn unusable_key_material_is_named() {
        assert!(assertion_key_after(|_| ()).is_ok());
        let set = |member: &'static str, value: Value| {
            assertion_key_after(move |document| document["verificationMethod"][0][member] = value)
        };
        assert!(matches!(
            set("publicKeyMultibase", json!("z6Mk")),
            Err(KeyForError::Material { .. })
        ));
        assert!(matches!(
            set("publicKeyMultibase", json!(7)),
            Err(KeyForError::Material { .. })
        ));
        assert!(matches!(
            set("controller", json!("nobody")),
            Err(KeyForError::Material { .. })
        ));
        assert!(matches!(
            set("controller", Value::Null),
            Err(KeyForError::Material { .. })
        ));
        assert!(matches!(
            set("type", json!("X25519KeyAgreementKey2020")),
            Err(KeyForError::Unsupported { .. })
        ));
        assert!(matches!(
            set("type", json!("JsonWebKey")),
            Err(KeyForError::Material { .. })
        ));
        assert!(matches!(
            set("revoked", json!("2020-01-01T00:00:00Z")),
            Err(KeyForError::Withdrawn { member: "revoked", .. })
        ));
        assert!(matches!(
            set("expires", json!("2099-01-01T00:00:00Z")),
            Err(KeyForError::Withdrawn { member: "expires", .. })
        ));
    }

    #[test]
    fn type_and_key_must_agree() {
        let found = assertion_key_after(|document| {
            document["verificationMethod"][0]["type"] = json!("Ed25519VerificationKey2020");
            document["verificationMethod"][0]["publicKeyMultibase"] = json!(P256);
        });
        assert!(matches!(found, Err(KeyForError::Material { .. })));
    }

    #[test]
    fn private_and_foreign_jwks_are_refused() {
        let with = |change: fn(&mut Value)| {
            let mut document = genuine();
            change(&mut document["verificationMethod"][2]["publicKeyJwk"]);
            key_of(&document, "did:a:b#jwk", Purpose::AssertionMethod)
        };
        assert!(with(|_| ()).is_ok());
        assert!(matches!(
            with(|jwk| jwk["d"] = json!("AA")),
            Err(KeyForError::Material { .. })
        ));
        assert!(matches!(
            with(|jwk| jwk["crv"] = json!("secp256k1")),
            Err(KeyForError::Unsupported { .. })
        ));
    }

    #[test]
    fn skeleton_is_checked() {
        assert!(matches!(
            Document::from_value(json!([])),
            Err(DocumentError::Member { member: "document", .. })
        ));
        assert!(matches!(
            refusal_after(|document| document["id"] = json!(7)),
            DocumentError::Member { member: "id", .. }
        ));
        assert!(matches!(
            refusal_after(|document| document["id"] = json!("did:a:b#c")),
            DocumentError::Identifier { member: "id", .. }
        ));
        for member in ["verificationMethod", "assertionMethod", "service", "alsoKnownAs"] {
            for value in [json!({}), json!([7])] {
                let found = refusal_after(|document| document[member] = value.clone());
                assert!(matches!(found, DocumentError::Member { .. }), "{member}: {found}");
            }
        }
        let found = refusal_after(|document| document["verificationMethod"][0]["id"] = json!("one"));
        assert!(matches!(
            found,
            DocumentError::Identifier {
                member: "verificationMethod",
                ..
            }
        ));
    }

    #[test]
    fn two_methods_of_one_name_are_refused() {
        let found = refusal_after(|document| document["verificationMethod"][1]["id"] = json!("#one"));
        assert_eq!(
            found,
            DocumentError::DuplicateMethod {
                id: "did:a:b#one".into()
            }
        );
        let found = refusal_after(|document| document["authentication"][0]["id"] = json!("did:a:b#two"));
        assert_eq!(
            found,
            DocumentError::DuplicateMethod {
                id: "did:a:b#two".into()
            }
        );
    }

    #[test]
    fn size_and_duplicates_are_checked_while_parsing() {
        assert!(Document::parse(genuine().to_string().as_bytes()).is_ok());
        assert!(matches!(
            Document::parse(br#"{"id":"did:a:b","id":"did:a:c"}"#),
            Err(DocumentError::Json(_))
        ));
        let large = json!({"id": "did:a:b", "x": "y".repeat(MAX_DOCUMENT_BYTES)}).to_string();
        assert!(matches!(Document::parse(large.as_bytes()), Err(DocumentError::Json(_))));
    }

    #[test]
    fn new_documents_give_their_keys() {
        let (one, two) = (
            PublicKey::from_multikey(ED25519).unwrap(),
            PublicKey::from_multikey(P256).unwrap(),
        );
        let document = new_document(
            "did:a:b",
            &[
                NewMethod {
                    fragment: "one",
                    key: &one,
                    purposes: &[Purpose::AssertionMethod, Purpose::Authentication],
                },
                NewMethod {
                    fragment: "two",
                    key: &two,
                    purposes: &[Purpose::AssertionMethod],
                },
            ],
        );
        for (id, key) in [("did:a:b#one", one), ("did:a:b#two", two)] {
            assert_eq!(key_of(&document, id, Purpose::AssertionMethod).unwrap(), key);
        }
        assert!(key_of(&document, "did:a:b#one", Purpose::Authentication).is_ok());
        assert!(key_of(&document, "did:a:b#two", Purpose::Authentication).is_err());
        assert!(document.get("keyAgreement").is_none());
    }

    #[test]
    fn other_members_are_readable() {
        let document = Document::from_value(genuine()).unwrap();
        assert_eq!(document.also_known_as().collect::<Vec<_>>(), ["did:x:y"]);
        assert_eq!(document.service("files").unwrap()["type"], "relativeRef");
        assert!(document.service("whois").is_none());
        assert_eq!(
            document.method_ids(Purpose::Authentication),
            [DidUrl::parse("did:a:b#own").unwrap()]
        );
        assert!(document.expect_id(&Did::parse("did:a:b").unwrap()).is_ok());
        assert!(matches!(
            document.expect_id(&Did::parse("did:a:c").unwrap()),
            Err(DocumentError::Id { .. })
        ));
        assert_eq!(document.into_value(), genuine());
    }
}
