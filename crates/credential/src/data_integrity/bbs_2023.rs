//! [`bbs-2023`](https://www.w3.org/TR/vc-di-bbs/#bbs-2023): selective disclosure that cannot be linked.
//!
//! An issuer signs the statements of a document as the messages of one BBS signature, under a header of the proof's
//! own terms and the mandatory statements: the *base proof*, for the holder alone. The holder's *derived proof* is
//! made anew each time; it shows that there is such a signature, and nothing of it.
//!
//! # What still links
//! Whatever is shown each time: mandatory statements, the proof's terms, the number of statements and the positions
//! of those that are shown. So `created` is never written, and what identifies one credential (its `id`, that of its
//! subject, an entry in a status list) links if an issuer puts it in.
//!
//! # Optional features
//! Anonymous holder binding and pseudonyms are refused by name: the standard calls them at risk, and the drafts that
//! they rest on still change.

mod proof_value;

#[cfg(test)]
mod vectors;

use std::collections::BTreeSet;

use jsonld::ContextLoader;
use jsonld::HashAlgorithm;
use keys::Algorithm;
use keys::PublicKey;
use keys::SignatureError;
use keys::SigningRequest;
use keys::bbs;
use keys::bbs::BbsError;
use keys::bbs::MAX_MESSAGES;
use keys::bbs::SigningInput;
use rand_core::CryptoRng;
use serde_json::Map;
use serde_json::Value;
use thiserror::Error;

use self::proof_value::Base;
use self::proof_value::Derived;
use self::proof_value::MAX_PRESENTATION_HEADER_BYTES;
use super::CryptosuiteError;
use super::Pointer;
use super::SelectiveError;
use super::cryptosuite::Disclosure;
use super::cryptosuite::canonical_n_quads;
use super::selective::Statements;
use super::selective::labelled_n_quads;
use super::selective::labels;
use super::selective::labels::HmacKey;
use crate::vc::ProblemType;

/// The fault of the proof's maker, or of whoever changed it or its document.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum Bbs2023Error {
    /// The signature or proof is malformed, or not by this key over these statements.
    #[error("the BBS signature or proof does not hold")]
    Bbs(#[from] BbsError),
    /// What follows the header of `proofValue` is malformed.
    #[error("expected {expected} in the proof value, found something else")]
    Component {
        /// What belongs there.
        expected: &'static str,
    },
    /// A feature of the standard that is at risk.
    #[error("expected a proof of the baseline, found one with an optional feature")]
    Feature,
    /// Another header, or no multibase of base64url.
    #[error("expected `proofValue` as base64url multibase of the header of this kind of proof, found another form")]
    Header,
    /// The key is of another suite.
    #[error("expected a BLS12-381 key, found another")]
    Key(#[source] SignatureError),
    /// A base proof that names another header or key than those that were signed with.
    #[error("expected the base proof to name its own header and the issuer's key, found others")]
    Mismatch,
    /// A statement is counted as mandatory that is not there.
    #[error("expected ascending positions of mandatory statements among {statements}, found others")]
    MandatoryPosition {
        /// How many statements there are.
        statements: usize,
    },
    /// A presentation header that nobody would read.
    #[error("expected a presentation header of at most {MAX_PRESENTATION_HEADER_BYTES} bytes, found {found}")]
    PresentationHeader {
        /// Its bytes.
        found: usize,
    },
    /// The parts of the document are not named as they should be.
    #[error("the selection is refused")]
    Selective(#[from] SelectiveError),
}

impl Bbs2023Error {
    /// The `type` of a problem report.
    pub(super) const fn problem_type(&self) -> ProblemType {
        match self {
            Self::Bbs(BbsError::Signature) => ProblemType::CryptographicSecurityError,
            Self::Bbs(_)
            | Self::Component { .. }
            | Self::Feature
            | Self::Header
            | Self::Key(_)
            | Self::Mismatch
            | Self::MandatoryPosition { .. }
            | Self::PresentationHeader { .. }
            | Self::Selective(_) => ProblemType::ProofVerificationError,
        }
    }
}

/// What a holder chooses for one presentation.
pub(super) struct Derivation<'a> {
    /// What to show besides what is mandatory.
    pub(super) selective: &'a [Pointer],
    /// What the proof is bound to.
    pub(super) presentation_header: &'a [u8],
}

/// What a base proof is over.
struct Signed<'d> {
    statements: Statements<'d>,
    mandatory: BTreeSet<usize>,
    header: [u8; 64],
}

/// [Create Base Proof](https://www.w3.org/TR/vc-di-bbs/#create-base-proof-bbs-2023): a request for the proof of
/// `document` (without `proof`) under `configuration` (without `proofValue`), by the private half of `key`.
pub(super) fn sign(
    document: &Map<String, Value>,
    configuration: Map<String, Value>,
    key: &PublicKey,
    mandatory: Vec<Pointer>,
    contexts: &ContextLoader,
    rng: &mut dyn CryptoRng,
) -> Result<SigningRequest<Value>, CryptosuiteError> {
    let mut hmac_key: HmacKey = [0; 32];
    rng.fill_bytes(&mut hmac_key);
    sign_with(document, configuration, key, mandatory, hmac_key, contexts)
}

fn sign_with(
    document: &Map<String, Value>,
    mut configuration: Map<String, Value>,
    key: &PublicKey,
    mandatory: Vec<Pointer>,
    hmac_key: HmacKey,
    contexts: &ContextLoader,
) -> Result<SigningRequest<Value>, CryptosuiteError> {
    let signed = Signed::new(document, &configuration, &mandatory, &hmac_key, contexts)?;
    let input = SigningInput {
        header: signed.header.to_vec(),
        messages: signed.messages().map(|line| line.as_bytes().to_vec()).collect(),
    };
    let (header, public_key) = (signed.header, *bbs_key(key)?.as_bytes());
    Ok(SigningRequest::new(
        Algorithm::Bbs,
        input.to_bytes(),
        move |signature| {
            let base = Base {
                signature: signature.as_bytes().to_vec(),
                header,
                public_key,
                hmac_key,
                mandatory,
            };
            configuration.insert("proofValue".to_owned(), Value::from(base.encode()));
            Value::Object(configuration)
        },
    ))
}

/// Checks a base proof as its holder. There is no such step in the standard, where a holder would learn only from a
/// verifier that it holds nothing.
pub(super) fn verify_base(
    document: &Map<String, Value>,
    configuration: &Map<String, Value>,
    proof_value: &str,
    key: &PublicKey,
    contexts: &ContextLoader,
) -> Result<(), CryptosuiteError> {
    let base = Base::decode(proof_value)?;
    let key = bbs_key(key)?;
    let signed = Signed::new(document, configuration, &base.mandatory, &base.hmac_key, contexts)?;
    if signed.header != base.header || *key.as_bytes() != base.public_key {
        return Err(Bbs2023Error::Mismatch.into());
    }
    let messages: Vec<&str> = signed.messages().collect();
    let signature = bbs::Signature::from_bytes(&base.signature).map_err(Bbs2023Error::Bbs)?;
    let verified = key.verify(&signed.header, &messages, &signature);
    Ok(verified.map_err(Bbs2023Error::Bbs)?)
}

/// [Add Derived Proof](https://www.w3.org/TR/vc-di-bbs/#add-derived-proof-bbs-2023): what is mandatory in `document`
/// and what was chosen, with its `proofValue`.
pub(super) fn derive(
    document: &Map<String, Value>,
    proof: &Map<String, Value>,
    derivation: &Derivation<'_>,
    contexts: &ContextLoader,
    rng: &mut dyn CryptoRng,
) -> Result<(Map<String, Value>, String), CryptosuiteError> {
    let mut configuration = proof.clone();
    let proof_value = configuration.remove("proofValue");
    let base = Base::decode(proof_value.as_ref().and_then(Value::as_str).unwrap_or_default())?;
    let found = derivation.presentation_header.len();
    if found > MAX_PRESENTATION_HEADER_BYTES {
        return Err(Bbs2023Error::PresentationHeader { found }.into());
    }
    let signed = Signed::new(document, &configuration, &base.mandatory, &base.hmac_key, contexts)?;
    let pointers = [base.mandatory.as_slice(), derivation.selective].concat();
    let shown = signed.statements.select(&pointers).map_err(refused)?;
    let messages: Vec<&str> = signed.messages().collect();
    // A message's index is its statement's position without the mandatory ones before it.
    let index = |position: &usize| position - signed.mandatory.range(..position).count();
    let selective: Vec<usize> = shown.positions.difference(&signed.mandatory).map(index).collect();
    let key = bbs::PublicKey::from_bytes(&base.public_key).map_err(|_| Bbs2023Error::Mismatch)?;
    let signature = bbs::Signature::from_bytes(&base.signature).map_err(Bbs2023Error::Bbs)?;
    let bbs_proof = key
        .prove(
            &signature,
            &signed.header,
            derivation.presentation_header,
            &messages,
            &selective,
            rng,
        )
        .map_err(Bbs2023Error::Bbs)?;
    let relative = shown.positions.iter().zip(0..);
    let derived = Derived {
        bbs_proof,
        labels: shown.labels,
        mandatory: relative
            .filter(|(position, _)| signed.mandatory.contains(position))
            .map(|(_, relative)| relative)
            .collect(),
        selective,
        presentation_header: derivation.presentation_header.to_vec(),
    };
    Ok((shown.document, derived.encode()?))
}

/// [Verify Derived Proof](https://www.w3.org/TR/vc-di-bbs/#verify-derived-proof-bbs-2023).
pub(super) fn verify_derived(
    document: &Map<String, Value>,
    configuration: &Map<String, Value>,
    proof_value: &str,
    key: &PublicKey,
    contexts: &ContextLoader,
) -> Result<(), CryptosuiteError> {
    let derived = Derived::decode(proof_value)?;
    let key = bbs_key(key)?;
    let lines = labelled_n_quads(document, contexts, &derived.labels).map_err(refused)?;
    let mandatory = derived.positions(lines.len())?;
    let header = header(document, configuration, &lines, &mandatory, contexts)?;
    let messages: Vec<&str> = others(&lines, &mandatory).collect();
    let verified = key.verify_proof(
        &derived.bbs_proof,
        &header,
        &derived.presentation_header,
        &messages,
        &derived.selective,
    );
    Ok(verified.map_err(Bbs2023Error::Bbs)?)
}

/// What the proof with this value is good for.
pub(super) fn disclosure(proof_value: &str) -> Result<Disclosure, Bbs2023Error> {
    if proof_value.starts_with(proof_value::BASE_PREFIX) {
        Ok(Disclosure::Base)
    } else if proof_value.starts_with(proof_value::DERIVED_PREFIX) {
        Ok(Disclosure::Derived)
    } else if proof_value::FEATURES
        .iter()
        .any(|prefix| proof_value.starts_with(prefix))
    {
        Err(Bbs2023Error::Feature)
    } else {
        Err(Bbs2023Error::Header)
    }
}

/// What a derived proof with this value is bound to; none for a base proof.
pub(super) fn presentation_header(proof_value: &str) -> Option<Vec<u8>> {
    Derived::decode(proof_value)
        .ok()
        .map(|derived| derived.presentation_header)
}

impl<'d> Signed<'d> {
    /// [Base Proof Transformation](https://www.w3.org/TR/vc-di-bbs/#base-proof-transformation-bbs-2023) and
    /// [Hashing](https://www.w3.org/TR/vc-di-bbs/#base-proof-hashing-bbs-2023).
    fn new(
        document: &'d Map<String, Value>,
        configuration: &Map<String, Value>,
        mandatory: &[Pointer],
        hmac_key: &HmacKey,
        contexts: &'d ContextLoader,
    ) -> Result<Self, CryptosuiteError> {
        let make_labels = |count| labels::shuffled(hmac_key, count);
        let statements = Statements::new(document, contexts, make_labels).map_err(refused)?;
        let mandatory = statements.select(mandatory).map_err(refused)?.positions;
        let found = statements.n_quads().len() - mandatory.len();
        if found > MAX_MESSAGES {
            return Err(Bbs2023Error::Bbs(BbsError::TooManyMessages { found }).into());
        }
        let header = header(document, configuration, statements.n_quads(), &mandatory, contexts)?;
        Ok(Self {
            statements,
            mandatory,
            header,
        })
    }

    /// The statements that may be left out.
    fn messages(&self) -> impl Iterator<Item = &str> {
        others(self.statements.n_quads(), &self.mandatory)
    }
}

/// `bbsHeader`: the hash of the proof's terms, then that of the mandatory statements.
fn header(
    document: &Map<String, Value>,
    configuration: &Map<String, Value>,
    lines: &[String],
    mandatory: &BTreeSet<usize>,
    contexts: &ContextLoader,
) -> Result<[u8; 64], CryptosuiteError> {
    // The terms of the proof mean what they mean in the document.
    let context = document.get("@context");
    let configuration = canonical_n_quads(configuration, context, HashAlgorithm::Sha256, contexts)?;
    let mandatory = mandatory.iter().filter_map(|at| lines.get(*at));
    let mandatory: String = mandatory.map(String::as_str).collect();
    let hashes = [
        keys::sha256(configuration.as_bytes()),
        keys::sha256(mandatory.as_bytes()),
    ];
    let mut header = [0; 64];
    for (to, from) in header.iter_mut().zip(hashes.as_flattened()) {
        *to = *from;
    }
    Ok(header)
}

/// The lines at other positions.
fn others<'l>(lines: &'l [String], positions: &BTreeSet<usize>) -> impl Iterator<Item = &'l str> {
    let others = lines.iter().enumerate().filter(|(at, _)| !positions.contains(at));
    others.map(|(_, line)| line.as_str())
}

/// The algorithm is the suite's, never the key's.
fn bbs_key(key: &PublicKey) -> Result<&bbs::PublicKey, Bbs2023Error> {
    match key {
        PublicKey::Bls12381G2(key) => Ok(key),
        PublicKey::Ed25519(_) | PublicKey::P256(_) | PublicKey::P384(_) | PublicKey::P521(_) => {
            Err(Bbs2023Error::Key(SignatureError))
        }
    }
}

/// What makes a document no JSON-LD is the same fault under every suite.
fn refused(error: SelectiveError) -> CryptosuiteError {
    match error {
        SelectiveError::Canonicalization(error) => error.into(),
        SelectiveError::JsonLd(error) => error.into(),
        other => Bbs2023Error::Selective(other).into(),
    }
}
