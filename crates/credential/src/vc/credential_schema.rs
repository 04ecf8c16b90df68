//! `credentialSchema` ([data schemas](https://www.w3.org/TR/vc-data-model-2.0/#data-schemas)) of the types that
//! [VC JSON Schema](https://www.w3.org/TR/vc-json-schema/) defines: which document is the schema, and what an evaluation
//! comes to. Retrieving it is the caller's, and so is the evaluation itself ([`SchemaEvaluator`]): validators of JSON
//! Schema bring some thirty crates, randomness among them.

use keys::json;
use serde_json::Map;
use serde_json::Value;
use thiserror::Error;

use super::DataModelError;
use super::ProblemType;
use super::malformed;
use super::optional_id;
use super::read_type_strings;
use super::related_resource::Digests;
use super::typed_objects;
use crate::Authentic;
use crate::evidence::Credential;
use crate::integrity::IntegrityError;

/// The version of JSON Schema that every implementation must support.
pub const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// Bytes of a schema: a hundred claims, each with labels and rules, fit twice.
pub const MAX_SCHEMA_BYTES: usize = 256 * 1024;

/// The type of a credential whose subject is a schema.
const SCHEMA_CREDENTIAL: &str = "JsonSchemaCredential";

/// The type of a schema.
const SCHEMA: &str = "JsonSchema";

/// What the `credentialSchema` of a [`SCHEMA_CREDENTIAL`] names.
const SCHEMA_OF_SCHEMAS: &str = "https://www.w3.org/ns/credentials/json-schema/v2.json";

/// One object of `credentialSchema`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialSchema {
    id: String,
    kind: SchemaKind,
    digests: Digests,
}

/// How a schema is packaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchemaKind {
    /// The document at `id` is the schema.
    JsonSchema,
    /// The document at `id` is a credential with the schema in it.
    JsonSchemaCredential,
    /// In a way that we do not know: the outcome is [`SchemaOutcome::Indeterminate`].
    Unknown,
}

/// A JSON Schema that a credential refers to, with the digests checked that the reference has.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonSchema(Value);

/// What an [evaluation](https://www.w3.org/TR/vc-json-schema/#evaluation) comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum SchemaOutcome {
    /// The credential is not valid against the schema.
    Failure,
    /// Nobody can tell: a version that is not supported, or a schema that is none.
    Indeterminate,
    /// The credential is valid against the schema.
    Success,
}

/// Applies JSON Schema 2020-12. It must retrieve nothing, and end in bearable time whatever the schema is. It sees claims
/// that nobody has released yet, and keeps nothing of them; a test of the architecture lets one crate be one.
pub trait SchemaEvaluator {
    /// Whether `document` is valid against `schema`; `None` if `schema` cannot be used.
    fn evaluate(&self, schema: &Value, document: &Value) -> Option<bool>;
}

/// The fault of the schema's author, or of whoever served it.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum SchemaError {
    /// Another document than the one that the credential means.
    #[error("the integrity of the schema is not shown")]
    Integrity(#[from] IntegrityError),
    /// Not strict JSON.
    #[error("the schema is not read")]
    Json(#[from] json::JsonError),
    /// A member is missing or malformed.
    #[error("expected `{member}` of the schema as {expected}, found something else or nothing")]
    Member {
        /// Its name.
        member: &'static str,
        /// What belongs there.
        expected: &'static str,
    },
    /// The schema is packaged in another way than the credential says.
    #[error("expected a schema packaged as the credential says, found it in another way")]
    Package,
}

impl SchemaError {
    /// The `type` of a problem report.
    #[must_use]
    pub const fn problem_type(&self) -> ProblemType {
        match self {
            Self::Integrity(_) => ProblemType::CryptographicSecurityError,
            Self::Json(_) => ProblemType::ParsingError,
            Self::Member { .. } | Self::Package => ProblemType::MalformedValueError,
        }
    }
}

impl CredentialSchema {
    pub(super) fn read_all(document: &Map<String, Value>) -> Result<Vec<Self>, DataModelError> {
        let property = "credentialSchema";
        let read = |object: &Map<String, Value>| {
            let id = optional_id(object, property)?.ok_or_else(|| malformed(property, "objects with an id"))?;
            let kind = match read_type_strings(object).as_deref() {
                Some([SCHEMA]) => SchemaKind::JsonSchema,
                Some([SCHEMA_CREDENTIAL]) => SchemaKind::JsonSchemaCredential,
                _ => SchemaKind::Unknown,
            };
            Ok(Self {
                id: id.to_owned(),
                kind,
                digests: Digests::read(object)?,
            })
        };
        typed_objects(document, property)?.into_iter().map(read).collect()
    }

    /// The URL of the schema, or of the credential that has it.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// How the schema is packaged.
    #[must_use]
    pub const fn kind(&self) -> SchemaKind {
        self.kind
    }

    /// The schema, given the bytes at [`Self::id`] exactly as retrieved.
    ///
    /// # Errors
    /// [`SchemaError`], after which the bytes must not be used.
    pub fn open(&self, bytes: &[u8]) -> Result<JsonSchema, SchemaError> {
        if self.kind != SchemaKind::JsonSchema {
            return Err(SchemaError::Package);
        }
        self.digests.verify(bytes)?;
        let limits = json::Limits {
            max_bytes: MAX_SCHEMA_BYTES,
            ..json::DEFAULT_LIMITS
        };
        JsonSchema::new(Value::Object(json::parse_object(bytes, limits)?))
    }

    /// The schema, given the bytes at [`Self::id`] exactly as retrieved and the credential that they were authenticated
    /// as. Whether its issuer may say what a credential of this type looks like, is for the caller to decide.
    ///
    /// # Errors
    /// [`SchemaError`], after which the credential must not be used.
    pub fn open_credential<T: Credential>(
        &self,
        bytes: &[u8],
        credential: &Authentic<T>,
    ) -> Result<JsonSchema, SchemaError> {
        let is_one = credential
            .facts()
            .types()
            .iter()
            .any(|type_| type_ == SCHEMA_CREDENTIAL);
        if self.kind != SchemaKind::JsonSchemaCredential || !is_one {
            return Err(SchemaError::Package);
        }
        self.digests.verify(bytes)?;
        let document = credential.contents.claims();
        if document.get("id").and_then(Value::as_str) != Some(&self.id) {
            return Err(SchemaError::Member {
                member: "id",
                expected: "the URL by which the credential was found",
            });
        }
        let of_schemas = Self::read_all(document).unwrap_or_default();
        if !of_schemas
            .iter()
            .any(|schema| schema.kind == SchemaKind::JsonSchema && schema.id == SCHEMA_OF_SCHEMAS)
        {
            return Err(SchemaError::Member {
                member: "credentialSchema",
                expected: "the schema of schemas",
            });
        }
        let subject = document.get("credentialSubject").and_then(Value::as_object);
        let subject = subject.filter(|subject| read_type_strings(subject).as_deref() == Some(&[SCHEMA]));
        let schema = subject.and_then(|subject| subject.get("jsonSchema"));
        let schema = schema.filter(|schema| schema.is_object()).ok_or(SchemaError::Member {
            member: "credentialSubject",
            expected: "a JsonSchema with its jsonSchema",
        })?;
        JsonSchema::new(schema.clone())
    }
}

impl<T: Credential> Authentic<T> {
    /// Evaluates the credential, without its proof, against a schema. Nothing but the outcome is told.
    pub fn evaluate(&self, schema: &JsonSchema, evaluator: &dyn SchemaEvaluator) -> SchemaOutcome {
        let mut document = self.contents.claims().clone();
        document.remove("proof");
        schema.evaluate(document, evaluator)
    }
}

impl JsonSchema {
    /// "Schemas without a `$schema` property are not considered valid and MUST NOT be processed", nor those without an
    /// `$id`.
    fn new(schema: Value) -> Result<Self, SchemaError> {
        for member in ["$id", "$schema"] {
            if !schema.get(member).is_some_and(Value::is_string) {
                return Err(SchemaError::Member {
                    member,
                    expected: "a URL",
                });
            }
        }
        Ok(Self(schema))
    }

    fn evaluate(&self, document: Map<String, Value>, evaluator: &dyn SchemaEvaluator) -> SchemaOutcome {
        if self.0.get("$schema").and_then(Value::as_str) != Some(DIALECT) {
            return SchemaOutcome::Indeterminate;
        }
        match evaluator.evaluate(&self.0, &Value::Object(document)) {
            Some(true) => SchemaOutcome::Success,
            Some(false) => SchemaOutcome::Failure,
            None => SchemaOutcome::Indeterminate,
        }
    }
}

#[cfg(test)]
mod tests {
    use keys::Algorithm;
    use keys::Signer as _;
    use keys::Timestamp;
    use keys::signing::fulfil;
    use serde_json::json;
    use signer::SoftwareKey;

    use super::*;
    use crate::Unverified;
    use crate::VcJwt;
    use crate::integrity;
    use crate::vc::BASE_CONTEXT;
    use crate::vc::CredentialProperties;

    const ISSUER: &str = "did:example:issuer";
    const URL: &str = "https://example.com/credentials/3734";

    fn schema() -> Value {
        json!({"$id": "https://example.com/email.json", "$schema": DIALECT, "required": ["emailAddress"]})
    }

    fn reference(members: &Value) -> CredentialSchema {
        let Value::Object(document) = json!({
            "@context": [BASE_CONTEXT],
            "type": ["VerifiableCredential"],
            "issuer": ISSUER,
            "credentialSubject": {"id": "did:example:subject"},
            "credentialSchema": members,
        }) else {
            panic!("an object")
        };
        CredentialProperties::read(&document).unwrap().schemas.remove(0)
    }

    fn schema_credential() -> Value {
        json!({
            "@context": [BASE_CONTEXT],
            "id": URL,
            "type": ["VerifiableCredential", "JsonSchemaCredential"],
            "issuer": ISSUER,
            "credentialSchema": {"id": SCHEMA_OF_SCHEMAS, "type": "JsonSchema"},
            "credentialSubject": {"type": "JsonSchema", "jsonSchema": schema()},
        })
    }

    fn authentic(document: &Value) -> Authentic<VcJwt> {
        let key = SoftwareKey::generate(Algorithm::EdDsa, &mut signer::os_rng());
        let document = document.as_object().unwrap().clone();
        let request = crate::vc_jwt::issue(&document, "did:example:issuer#1", Algorithm::EdDsa).unwrap();
        let text = fulfil(&key, request).unwrap();
        let unverified = Unverified::<VcJwt>::parse(&text).unwrap();
        unverified
            .authenticate(key.public_key(), ISSUER, Timestamp::from_unix(1_800_000_000))
            .unwrap()
    }

    /// Knows `required`, and nothing else.
    struct Required;

    impl SchemaEvaluator for Required {
        fn evaluate(&self, schema: &Value, document: &Value) -> Option<bool> {
            let names = schema.get("required")?.as_array()?;
            Some(names.iter().all(|name| document.get(name.as_str().unwrap()).is_some()))
        }
    }

    #[test]
    fn outcomes() {
        let of = |schema: &Value, document: Value| {
            let reference = reference(&json!({"id": URL, "type": "JsonSchema"}));
            let schema = reference.open(schema.to_string().as_bytes()).unwrap();
            schema.evaluate(document.as_object().unwrap().clone(), &Required)
        };
        assert_eq!(of(&schema(), json!({"emailAddress": "a"})), SchemaOutcome::Success);
        assert_eq!(of(&schema(), json!({})), SchemaOutcome::Failure);
        let mut older = schema();
        older["$schema"] = json!("http://json-schema.org/draft-07/schema#");
        assert_eq!(of(&older, json!({"emailAddress": "a"})), SchemaOutcome::Indeterminate);
        let mut unusable = schema();
        unusable["required"] = json!(7);
        assert_eq!(
            of(&unusable, json!({"emailAddress": "a"})),
            SchemaOutcome::Indeterminate
        );
    }

    #[test]
    fn schemas_that_must_not_be_processed() {
        let bytes = schema().to_string();
        let plain = |members: Value| {
            let mut reference_members = json!({"id": URL, "type": "JsonSchema"});
            reference_members
                .as_object_mut()
                .unwrap()
                .extend(members.as_object().unwrap().clone());
            reference(&reference_members)
        };
        let right = integrity::compute(bytes.as_bytes());
        assert!(plain(json!({"digestSRI": right})).open(bytes.as_bytes()).is_ok());
        let wrong = integrity::compute(b"other");
        assert_eq!(
            plain(json!({"digestSRI": wrong})).open(bytes.as_bytes()),
            Err(SchemaError::Integrity(IntegrityError::Mismatch))
        );
        for member in ["$id", "$schema"] {
            let mut without = schema();
            without.as_object_mut().unwrap().remove(member);
            assert_eq!(
                plain(json!({})).open(without.to_string().as_bytes()),
                Err(SchemaError::Member {
                    member,
                    expected: "a URL"
                })
            );
        }
        let large = format!("{{\"$id\":\"{}\"}}", "x".repeat(MAX_SCHEMA_BYTES));
        for unread in ["[]", "{\"a\":1,\"a\":2}", "", &large] {
            assert!(matches!(
                plain(json!({})).open(unread.as_bytes()),
                Err(SchemaError::Json(_))
            ));
        }
        // Packaged in another way than the credential says.
        for type_ in [
            json!("JsonSchemaCredential"),
            json!("Other"),
            json!(["JsonSchema", "Other"]),
        ] {
            let refused = plain(json!({"type": type_})).open(bytes.as_bytes());
            assert_eq!(refused, Err(SchemaError::Package));
        }
    }

    #[test]
    fn schemas_in_credentials() {
        let reference = reference(&json!({"id": URL, "type": "JsonSchemaCredential"}));
        assert_eq!(
            (reference.id(), reference.kind()),
            (URL, SchemaKind::JsonSchemaCredential)
        );
        let open = |document: &Value| reference.open_credential(b"bytes", &authentic(document));
        assert_eq!(open(&schema_credential()), Ok(JsonSchema(schema())));
        let refused = |change: &dyn Fn(&mut Value)| {
            let mut document = schema_credential();
            change(&mut document);
            open(&document).unwrap_err()
        };
        let member = |error| match error {
            SchemaError::Member { member, .. } => member,
            other => panic!("{other:?}"),
        };
        let another = refused(&|document| document["type"] = json!(["VerifiableCredential", "Other"]));
        assert_eq!(another, SchemaError::Package);
        assert_eq!(
            member(refused(&|document| document["id"] = json!("https://example.com/1"))),
            "id"
        );
        assert_eq!(
            member(refused(&|document| document["credentialSchema"]["id"] = json!(URL))),
            "credentialSchema"
        );
        for (name, value) in [
            ("type", json!("Other")),
            ("jsonSchema", json!("x")),
            ("jsonSchema", json!(null)),
        ] {
            let blamed = member(refused(&|document| document["credentialSubject"][name] = value.clone()));
            assert_eq!(blamed, "credentialSubject");
        }
        let blamed = member(refused(&|document| {
            document["credentialSubject"]["jsonSchema"]
                .as_object_mut()
                .unwrap()
                .remove("$schema");
        }));
        assert_eq!(blamed, "$schema");
    }
}
