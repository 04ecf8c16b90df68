//! DID documents ([DID Core section 5](https://www.w3.org/TR/did-core/#core-properties)) and the key
//! that a document gives for a purpose
//! ([Controlled Identifiers, retrieving a verification method](https://www.w3.org/TR/cid-1.0/#retrieve-verification-method)).
//!
//! A document is kept as it came. Unknown members, key types and services stay in it untouched; a
//! method that we cannot use is an error only when its key is asked for.

mod method;
mod new;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use keys::PublicKey;
use keys::json;
use serde_json::Map;
use serde_json::Value;
use thiserror::Error;

use crate::Did;
use crate::DidUrl;
use crate::syntax::SyntaxError;

pub use new::NewMethod;
pub use new::new_document;

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

    /// Each of them.
    pub const ALL: [Self; 5] = [
        Self::AssertionMethod,
        Self::Authentication,
        Self::CapabilityDelegation,
        Self::CapabilityInvocation,
        Self::KeyAgreement,
    ];
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
        "expected a Multikey, JsonWebKey, JsonWebKey2020 or Ed25519VerificationKey2020 with an Ed25519, P-256, P-384 or P-521 key, found {found}"
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
        method::public_key(id, method)
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
