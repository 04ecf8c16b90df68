//! Whose key a proof names: did:key and did:jwk say it themselves, did:webvh is in the registry's log, and a did:web
//! is known if it is one of our own instances. Nothing is fetched.

use did::Did;
use did::DidUrl;
use did::Document;
use did::Purpose;
use did::document::KeyForError;
use did::document::NewMethod;
use did::document::new_document;
use did::methods;
use did::resolve::Options;
use did::resolve::ResolutionError;
use did::resolve::Step;
use did::syntax::SyntaxError;
use did::webvh;
use did::webvh::VersionQuery;
use keys::PublicKey;
use thiserror::Error;

use crate::Instance;
use crate::VcApi;

/// No key: the fault of whoever wrote the proof, or a DID that we do not resolve.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub(crate) enum ResolveError {
    /// The DID has ended.
    #[error("expected an active DID, found one that has ended")]
    Deactivated,
    /// The document does not name the key for this purpose.
    #[error("the DID's document has no such key for this purpose")]
    Key(#[from] KeyForError),
    /// A did:web that is not ours, or a did:webvh that is not in our log.
    #[error("expected a did:key or did:jwk, a did:webvh of this platform's registry, or a did:web of its instances")]
    NotHere,
    /// The DID's own text gives no key.
    #[error("the DID does not resolve")]
    Resolution(#[from] ResolutionError),
    /// Not a DID URL.
    #[error("expected a DID URL as verification method")]
    Syntax(#[from] SyntaxError),
}

/// The key of the verification method, if its DID's document names it for `purpose`.
pub(crate) fn key(api: &VcApi, verification_method: &str, purpose: Purpose) -> Result<PublicKey, ResolveError> {
    let url = DidUrl::parse(verification_method)?;
    Ok(document(api, url.did())?.key_for(&url, purpose)?)
}

fn document(api: &VcApi, did: &Did) -> Result<Document, ResolveError> {
    match did.method() {
        methods::key::METHOD | methods::jwk::METHOD => {
            let options = Options {
                version: VersionQuery::Latest,
                now: api.0.clock.now(),
            };
            match did::resolve::resolve(did, options)? {
                Step::Done(resolved) => resolved.document.ok_or(ResolveError::Deactivated),
                Step::Fetch(_) => Err(ResolveError::NotHere),
            }
        }
        webvh::METHOD => api.0.registry.document(did.as_str()).ok_or(ResolveError::NotHere),
        methods::web::METHOD => {
            let mut instances = api.instances().into_iter();
            let ours = instances.find(|instance| instance.record().did == did.as_str());
            ours.and_then(|instance| document_of(&instance))
                .ok_or(ResolveError::NotHere)
        }
        other => Err(ResolutionError::Method {
            found: other.to_owned(),
        }
        .into()),
    }
}

/// The document of an instance's did:web, which lies at `/vc-api/{instance}/did.json`.
pub(crate) fn document_of(instance: &Instance) -> Option<Document> {
    let record = instance.record();
    let did = Did::parse(&record.did).ok()?;
    if did.method() != methods::web::METHOD {
        return None;
    }
    let method = NewMethod {
        fragment: record.verification_method.split_once('#')?.1,
        key: instance.signer().public_key(),
        purposes: &[Purpose::AssertionMethod],
    };
    Document::from_value(new_document(did.as_str(), &[method])).ok()
}
