//! `credentialSchema` of a W3C credential: the schemas are those that the registry has, by their digests, and every one
//! of them must be satisfied ([VC JSON Schema](https://www.w3.org/TR/vc-json-schema/#processing)). Nothing is fetched.
//!
//! The Recommendation knows a third outcome, *indeterminate*. A schema that the bundle does not have makes the credential
//! not covered; one that nobody can evaluate refuses it.

use credential::Authentic;
use credential::LdpVc;
use credential::Unverified;
use credential::VcJwt;
use credential::evidence::Credential;
use credential::vc::CredentialSchema;
use credential::vc::JsonSchema;
use credential::vc::SchemaError;
use credential::vc::SchemaKind;
use credential::vc::SchemaOutcome;
use did::Purpose;
use jsonld::ContextLoader;
use trust::TrustedBundle;
use trust::entry::DocumentRole;

use crate::Reason;
use crate::authority;
use crate::evidence::Judge;

/// Media types of a schema that is packaged as a credential. What is registered under another one is no credential.
const JWT: &str = "application/vc+jwt";
const EMBEDDED_PROOF: &str = "application/vc";

impl Judge<'_> {
    /// Evaluates an authentic credential against every schema that it names.
    pub(crate) fn check_schemas<T: Credential>(
        &self,
        bundle: &TrustedBundle,
        authentic: &Authentic<T>,
        schemas: &[CredentialSchema],
    ) -> Result<(), Reason> {
        schemas.iter().try_for_each(|reference| {
            let url = || reference.id().to_owned();
            let schema = self.schema(bundle, reference)?;
            match authentic.evaluate(&schema, self.schemas) {
                SchemaOutcome::Success => Ok(()),
                SchemaOutcome::Failure => Err(Reason::SchemaFailure { url: url() }),
                SchemaOutcome::Indeterminate => Err(Reason::SchemaIndeterminate { url: url() }),
            }
        })
    }

    fn schema(&self, bundle: &TrustedBundle, reference: &CredentialSchema) -> Result<JsonSchema, Reason> {
        let url = || reference.id().to_owned();
        if reference.kind() == SchemaKind::Unknown {
            return Err(Reason::SchemaIndeterminate { url: url() });
        }
        let (document, bytes) = bundle
            .document_at(DocumentRole::JsonSchema, reference.id())
            .ok_or_else(|| Reason::SchemaNotCovered { url: url() })?;
        let schema = match reference.kind() {
            SchemaKind::JsonSchemaCredential => {
                let opened = self.open_credential(reference, &document.media_type, bytes);
                opened.map_err(|source| Reason::SchemaCredential {
                    url: url(),
                    source: Box::new(source),
                })?
            }
            SchemaKind::JsonSchema | SchemaKind::Unknown => reference.open(bytes),
        };
        schema.map_err(|source| Reason::Schema { url: url(), source })
    }

    /// The schema of a credential whose issuer signed it. That it is the schema which is meant, the registry says.
    fn open_credential(
        &self,
        reference: &CredentialSchema,
        media_type: &str,
        bytes: &[u8],
    ) -> Result<Result<JsonSchema, SchemaError>, Reason> {
        match media_type {
            JWT => {
                let credential = Unverified::<VcJwt>::parse(str::from_utf8(bytes).unwrap_or_default())?;
                let (issuer, method) = (credential.issuer().to_owned(), credential.verification_method()?);
                let (_, key) = authority::key(&self.bundles, &issuer, &method, Purpose::AssertionMethod)?;
                let credential = credential.authenticate(&key, &issuer, self.now)?;
                Ok(reference.open_credential(bytes, &credential))
            }
            EMBEDDED_PROOF => {
                let credential = Unverified::<LdpVc>::parse(str::from_utf8(bytes).unwrap_or_default())?;
                let (issuer, (_, keys)) = (credential.issuer().to_owned(), self.issuer(&credential)?);
                // Every term of such a credential is one of the base context.
                let contexts = ContextLoader::bundled();
                let credential = credential.authenticate_set(&keys, &issuer, &contexts, self.now)?;
                Ok(reference.open_credential(bytes, &credential))
            }
            _ => Ok(Err(SchemaError::Package)),
        }
    }
}
