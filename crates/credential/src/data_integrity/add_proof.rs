//! Credentials with proofs over the whole document
//! ([add proof](https://www.w3.org/TR/vc-data-integrity/#add-proof)).

use jsonld::ContextLoader;
use jsonld::Options;
use keys::Algorithm;
use keys::SigningRequest;
use keys::Timestamp;
use serde_json::Map;
use serde_json::Value;

use super::Cryptosuite;
use super::CryptosuiteError;
use super::LdpVcError;
use super::ProofPurpose;
use super::cryptosuite::Transformation;
use super::document;
use super::proof::check_method;
use super::proof::read_place;
use super::proof_set::ProofSet;
use super::proof_set::check_previous;
use crate::vc::CredentialProperties;

/// What goes into a proof besides the document.
#[derive(Clone, Copy, Debug)]
pub struct ProofOptions<'a> {
    /// How the proof is made.
    pub cryptosuite: Cryptosuite,
    /// The algorithm of the issuer's key, one of the suite's.
    pub algorithm: Algorithm,
    /// Absolute DID URL of the issuer's key.
    pub verification_method: &'a str,
    /// When the proof is made.
    pub created: Option<Timestamp>,
    /// From when on the proof (not the credential) is void.
    pub expires: Option<Timestamp>,
}

/// The place of a proof among others.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProofPlace<'a> {
    /// `id`, a URL by which later proofs name it.
    pub id: Option<&'a str>,
    /// `previousProof`: the ids of those that this one covers too.
    pub previous: &'a [&'a str],
}

/// The credential `document` with a proof in it, once signed. Every context must be one of `contexts`.
///
/// # Errors
/// [`LdpVcError`], the caller's fault: a document that nobody could verify.
pub fn issue(
    document: Map<String, Value>,
    options: &ProofOptions<'_>,
    contexts: &ContextLoader,
) -> Result<SigningRequest<Map<String, Value>>, LdpVcError> {
    let properties = CredentialProperties::read(&document)?;
    issue_checked(document, &properties, options, contexts)
}

/// The same for a document of version 1.1 of the data model, which Data Integrity secures as well: for services that
/// secure what others say. What this platform says itself is of version 2.0.
///
/// # Errors
/// [`LdpVcError`], the caller's fault: a document of another version, or one that nobody could verify.
pub fn issue_1_1(
    document: Map<String, Value>,
    options: &ProofOptions<'_>,
    contexts: &ContextLoader,
) -> Result<SigningRequest<Map<String, Value>>, LdpVcError> {
    let properties = CredentialProperties::read_1_1(&document)?;
    issue_checked(document, &properties, options, contexts)
}

fn issue_checked(
    document: Map<String, Value>,
    properties: &CredentialProperties,
    options: &ProofOptions<'_>,
    contexts: &ContextLoader,
) -> Result<SigningRequest<Map<String, Value>>, LdpVcError> {
    check_unsecured(&document, properties, options, contexts)?;
    let configuration = options.configuration(ProofPurpose::AssertionMethod);
    let request = options
        .cryptosuite
        .sign(options.algorithm, &document, configuration, contexts)?;
    Ok(request.map(|proof| with_proof(document, proof)))
}

/// Whether a proof of `document` could be verified.
pub(super) fn check_unsecured(
    document: &Map<String, Value>,
    properties: &CredentialProperties,
    options: &ProofOptions<'_>,
    contexts: &ContextLoader,
) -> Result<(), LdpVcError> {
    if document.contains_key("proof") {
        return Err(LdpVcError::Secured);
    }
    check_method(&properties.issuer, options.verification_method)?;
    check_document(document, properties, options.cryptosuite, contexts)
}

/// The credential with a further proof, once signed, or with its first one
/// ([add proof set/chain](https://www.w3.org/TR/vc-data-integrity/#add-proof-set-chain)). It may be by anybody: what it
/// means besides the issuer's own is for those to say who check it. No signature is checked.
///
/// # Errors
/// [`LdpVcError`], the caller's fault.
pub fn add_proof(
    mut credential: Map<String, Value>,
    options: &ProofOptions<'_>,
    place: ProofPlace<'_>,
    contexts: &ContextLoader,
) -> Result<SigningRequest<Map<String, Value>>, LdpVcError> {
    let proofs = if credential.contains_key("proof") {
        ProofSet::take(&mut credential)?
    } else {
        ProofSet::none()
    };
    let properties = CredentialProperties::read(&credential)?;
    check_document(&credential, &properties, options.cryptosuite, contexts)?;
    let mut configuration = options.configuration(ProofPurpose::AssertionMethod);
    configuration.extend(place.id.map(|id| ("id".to_owned(), Value::from(id))));
    if !place.previous.is_empty() {
        configuration.insert("previousProof".to_owned(), Value::from(place.previous));
    }
    let (id, previous) = read_place(&configuration).map_err(LdpVcError::Generation)?;
    proofs
        .check_addition(id.as_deref(), &previous)
        .map_err(LdpVcError::Generation)?;
    let covered = proofs.with_previous(&previous, &credential);
    check_previous(&covered, options.cryptosuite, contexts)?;
    let request = options
        .cryptosuite
        .sign(options.algorithm, &covered, configuration, contexts)?;
    Ok(request.map(|proof| {
        let mut all = proofs.into_values();
        all.push(proof);
        with_proof(credential, Value::Array(all))
    }))
}

/// What must be true of a document that is to be signed.
fn check_document(
    document: &Map<String, Value>,
    properties: &CredentialProperties,
    suite: Cryptosuite,
    contexts: &ContextLoader,
) -> Result<(), LdpVcError> {
    document::check(document, contexts)?;
    document::check_places(document)?;
    document::check_context_digests(document, &properties.related_resources, contexts)?;
    match suite.transformation() {
        // Signing transforms the document anyway.
        Transformation::Rdfc | Transformation::Statements(_) => {}
        // What we issue has a meaning for everybody, also for those who read it as JSON-LD.
        Transformation::Jcs(_) => {
            jsonld::check(document, &Options::compact(contexts)).map_err(CryptosuiteError::from)?;
        }
    }
    Ok(())
}

pub(super) fn with_proof(mut document: Map<String, Value>, proof: Value) -> Map<String, Value> {
    document.insert("proof".to_owned(), proof);
    document
}

impl ProofOptions<'_> {
    /// The proof configuration, apart from what the suite adds.
    pub(super) fn configuration(&self, purpose: ProofPurpose) -> Map<String, Value> {
        let mut configuration = Map::from_iter([
            ("verificationMethod".to_owned(), Value::from(self.verification_method)),
            ("proofPurpose".to_owned(), Value::from(purpose.as_str())),
        ]);
        for (name, time) in [("created", self.created), ("expires", self.expires)] {
            configuration.extend(time.map(|time| (name.to_owned(), Value::from(time.to_rfc3339()))));
        }
        configuration
    }
}
