//! `credentialSchema` ([VC JSON Schema](https://www.w3.org/TR/vc-json-schema/)): the schemas are those that the registry
//! has; nothing is fetched. A credential that does not satisfy one does not verify. Where nobody can tell, the answer says
//! so, and whoever asks for the check `credentialSchema` gets an error instead.

use credential::LdpVc;
use credential::Unverified;
use credential::VcJwt;
use credential::vc::CredentialSchema;
use credential::vc::JsonSchema;
use credential::vc::SchemaError;
use credential::vc::SchemaKind;
use credential::vc::SchemaOutcome;
use did::Purpose;
use trust::TrustedBundle;
use trust::entry::DocumentRole;

use crate::VcApi;
use crate::contexts;
use crate::issue::JWT_MEDIA_TYPE;
use crate::problem::Details;
use crate::problem::Refusal;
use crate::resolve;
use crate::verify::keys_of;

/// The media type of a credential with an embedded proof.
const EMBEDDED_PROOF: &str = "application/vc";

/// Every schema that a credential names, by its URL.
pub(crate) struct Schemas(Vec<(String, Opened)>);

/// What became of a schema.
enum Opened {
    Schema(JsonSchema),
    /// It is another one than the credential means, or packaged in another way.
    Refused(SchemaError),
    /// It cannot be had, for this reason.
    Unknown(&'static str),
}

impl Schemas {
    /// Finds the schemas; the registry is asked only if there are any.
    pub(crate) async fn find(api: &VcApi, references: &[CredentialSchema]) -> Self {
        if references.is_empty() {
            return Self(Vec::new());
        }
        let bundle = api.0.registry.bundle().await.ok();
        let open = |reference: &CredentialSchema| match &bundle {
            Some(bundle) => open(api, bundle, reference),
            None => Opened::Unknown("no trust bundle is at hand"),
        };
        let named = references
            .iter()
            .map(|reference| (reference.id().to_owned(), open(reference)));
        Self(named.collect())
    }

    /// The warnings about schemas of which nobody can tell whether they are satisfied; errors if `needed`.
    pub(crate) fn judge(
        &self,
        evaluate: impl Fn(&JsonSchema) -> SchemaOutcome,
        needed: bool,
    ) -> Result<Vec<Details>, Refusal> {
        let mut warnings = Vec::new();
        for (url, opened) in &self.0 {
            let why = match opened {
                Opened::Schema(schema) => match evaluate(schema) {
                    SchemaOutcome::Success => continue,
                    SchemaOutcome::Failure => {
                        let detail = format!("the credential is not valid against {url}");
                        return Err(Details::own("schema-failure", detail).not_verified());
                    }
                    SchemaOutcome::Indeterminate => "the schema cannot be evaluated",
                },
                Opened::Refused(error) => return Err(Details::of(error.problem_type(), error).not_verified()),
                Opened::Unknown(why) => why,
            };
            let details = Details::own("schema-indeterminate", format!("{why}: {url}"));
            if needed {
                return Err(details.not_verified());
            }
            warnings.push(details);
        }
        Ok(warnings)
    }
}

fn open(api: &VcApi, bundle: &TrustedBundle, reference: &CredentialSchema) -> Opened {
    let Some((document, bytes)) = bundle.document_at(DocumentRole::JsonSchema, reference.id()) else {
        return Opened::Unknown("the registry has no such schema");
    };
    let schema = match reference.kind() {
        SchemaKind::Unknown => return Opened::Unknown("the kind of the schema is not known"),
        SchemaKind::JsonSchema => reference.open(bytes),
        SchemaKind::JsonSchemaCredential => match open_credential(api, reference, &document.media_type, bytes) {
            Some(opened) => opened,
            None => return Opened::Unknown("the credential that has the schema does not verify"),
        },
    };
    schema.map_or_else(Opened::Refused, Opened::Schema)
}

/// `None` for a credential that does not verify.
fn open_credential(
    api: &VcApi,
    reference: &CredentialSchema,
    media_type: &str,
    bytes: &[u8],
) -> Option<Result<JsonSchema, SchemaError>> {
    let (text, now) = (str::from_utf8(bytes).ok()?, api.0.clock.now());
    match media_type {
        JWT_MEDIA_TYPE => {
            let credential = Unverified::<VcJwt>::parse(text).ok()?;
            let key = resolve::key(api, &credential.verification_method().ok()?, Purpose::AssertionMethod).ok()?;
            let issuer = credential.issuer().to_owned();
            let credential = credential.authenticate(&key, &issuer, now).ok()?;
            Some(reference.open_credential(bytes, &credential))
        }
        EMBEDDED_PROOF => {
            let credential = Unverified::<LdpVc>::parse(text).ok()?;
            let (keys, issuer) = (keys_of(api, &credential).ok()?, credential.issuer().to_owned());
            let credential = credential.authenticate_set(&keys, &issuer, &contexts::bundled(), now);
            Some(reference.open_credential(bytes, &credential.ok()?))
        }
        _ => Some(Err(SchemaError::Package)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(opened: Opened, outcome: SchemaOutcome, needed: bool) -> Result<usize, ()> {
        let schemas = Schemas(vec![("https://example.com/schema".to_owned(), opened)]);
        let warnings = schemas.judge(|_| outcome, needed);
        warnings.map(|warnings| warnings.len()).map_err(drop)
    }

    fn schema() -> Opened {
        let credential = serde_json::json!({
            "@context": ["https://www.w3.org/ns/credentials/v2"], "type": ["VerifiableCredential"],
            "issuer": "did:example:a", "credentialSubject": {"id": "did:example:b"},
            "credentialSchema": {"id": "https://example.com/schema", "type": "JsonSchema"},
        });
        let properties = credential::vc::CredentialProperties::read(credential.as_object().unwrap()).unwrap();
        let text = format!(r#"{{"$id": "a", "$schema": "{}"}}"#, credential::vc::DIALECT);
        Opened::Schema(properties.schemas[0].open(text.as_bytes()).unwrap())
    }

    #[test]
    fn only_success_is_silent() {
        for needed in [false, true] {
            assert_eq!(judged(schema(), SchemaOutcome::Success, needed), Ok(0));
            assert_eq!(judged(schema(), SchemaOutcome::Failure, needed), Err(()));
            let refused = Opened::Refused(SchemaError::Package);
            assert_eq!(judged(refused, SchemaOutcome::Success, needed), Err(()));
        }
        let unknown = || Opened::Unknown("why");
        assert_eq!(judged(schema(), SchemaOutcome::Indeterminate, false), Ok(1));
        assert_eq!(judged(schema(), SchemaOutcome::Indeterminate, true), Err(()));
        assert_eq!(judged(unknown(), SchemaOutcome::Success, false), Ok(1));
        assert_eq!(judged(unknown(), SchemaOutcome::Success, true), Err(()));
    }
}
