//! [`bbs-2023`](https://www.w3.org/TR/vc-di-bbs/#bbs-2023): selective disclosure that cannot be linked.
//!
//! An issuer signs the statements of a document as the messages of one BBS signature, under a header of the proof's
//! options and the statements that nobody may leave out. The holder shows a part of the document with a proof that
//! is made anew each time. The signature itself, and the key that labels blank nodes, stay with the holder.
//!
//! # What still links
//! Everything that is shown each time: the mandatory statements, the proof's options and the number of statements.
//! So `created` is never written, and an issuer makes mandatory only what many credentials have in common.
//!
//! # Optional features
//! Anonymous holder binding and pseudonyms are refused: their drafts still move, and the standard calls them at risk.

mod proof_value;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use jsonld::ContextLoader;
use keys::Algorithm;
use keys::SigningRequest;
use keys::bbs;
use keys::bbs::BbsError;
use keys::bbs::SigningInput;
use rand_core::CryptoRng;
use serde_json::Map;
use serde_json::Value;
use thiserror::Error;

use super::Pointer;
use super::SelectiveError;
use super::cryptosuite;
use super::selective::Statements;
use super::selective::labelled_n_quads;
use super::selective::labels;
use super::selective::labels::HmacKey;

use proof_value::BaseProofValue;
use proof_value::DerivedProofValue;
use proof_value::ProofValue;

/// The value of `cryptosuite`.
pub(super) const NAME: &str = "bbs-2023";

/// The fault of the document's author or presenter, or of whoever changed it.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum Bbs2023Error {
    /// The signature or proof does not hold.
    #[error("the document's statements are not what was signed")]
    Bbs(#[from] BbsError),
    /// A feature of the standard that is at risk.
    #[error("expected a proof of the baseline, found one of an optional feature")]
    Feature,
    /// The base proof names other things than were signed.
    #[error("expected the header and key of the base proof to be those of the document and its issuer, found others")]
    Header,
    /// Indexes of mandatory statements that repeat, descend or point nowhere.
    #[error("expected ascending indexes of the mandatory statements, found others")]
    Indexes,
    /// A derived proof where a base proof belongs.
    #[error("expected a base proof, found one derived from it")]
    NotBase,
    /// A base proof where a derived proof belongs: its sender gave away all that makes it unlinkable.
    #[error("expected a derived proof, found a base proof")]
    NotDerived,
    /// `proofValue` is not of the form that the suite demands.
    #[error("expected `proofValue` as {expected}, found another form")]
    ProofValue {
        /// What belongs there.
        expected: &'static str,
    },
    /// The document or the pointers into it.
    #[error("the statements of the document cannot be told")]
    Selective(#[from] SelectiveError),
    /// The proof's options.
    #[error("the proof's options cannot be canonicalized")]
    Options(#[source] Box<cryptosuite::CryptosuiteError>),
}

/// What a base proof is over.
struct Signed<'d> {
    statements: Statements<'d>,
    mandatory: BTreeSet<usize>,
    header: [u8; 64],
}

/// A part of a document, to be shown to one verifier.
pub(super) struct Derivation<'a> {
    /// What to show besides what is mandatory.
    pub(super) pointers: &'a [Pointer],
    /// What the proof is bound to.
    pub(super) presentation_header: &'a [u8],
}

/// [Create Base Proof](https://www.w3.org/TR/vc-di-bbs/#create-base-proof-bbs-2023): a request for the proof of
/// `document` under `configuration` (with `type` and `cryptosuite`), with `key`, of which the statements that
/// `mandatory` selects can never be left out.
pub(super) fn sign(
    document: &Map<String, Value>,
    mut configuration: Map<String, Value>,
    key: &bbs::PublicKey,
    mandatory: Vec<Pointer>,
    hmac_key: HmacKey,
    contexts: &ContextLoader,
) -> Result<SigningRequest<Value>, Bbs2023Error> {
    let signed = Signed::new(document, &configuration, &mandatory, &hmac_key, contexts)?;
    let input = SigningInput {
        header: signed.header.to_vec(),
        messages: signed.messages().map(|line| line.as_bytes().to_vec()).collect(),
    };
    let (header, public_key) = (signed.header, *key.as_bytes());
    Ok(SigningRequest::new(Algorithm::Bbs, input.to_bytes(), move |signature| {
        let value = BaseProofValue {
            signature: signature.as_bytes().to_vec(),
            header,
            public_key,
            hmac_key,
            mandatory,
        };
        configuration.insert("proofValue".to_owned(), Value::from(value.to_text()));
        Value::Object(configuration)
    }))
}

/// Checks a base proof, as its holder does once: [`Verify`](https://www.ietf.org/archive/id/draft-irtf-cfrg-bbs-signatures-09.html#name-signature-verification-veri)
/// over what the document says now.
pub(super) fn verify_base(
    document: &Map<String, Value>,
    proof: &Map<String, Value>,
    key: &bbs::PublicKey,
    contexts: &ContextLoader,
) -> Result<(), Bbs2023Error> {
    let (configuration, value) = take_value(proof)?;
    let ProofValue::Base(value) = value else {
        return Err(Bbs2023Error::NotBase);
    };
    let signed = Signed::new(document, &configuration, &value.mandatory, &value.hmac_key, contexts)?;
    if signed.header != value.header || key.as_bytes() != &value.public_key {
        return Err(Bbs2023Error::Header);
    }
    let messages: Vec<&str> = signed.messages().collect();
    let signature = bbs::Signature::from_bytes(&value.signature)?;
    Ok(key.verify(&signed.header, &messages, &signature)?)
}

/// [Add Derived Proof](https://www.w3.org/TR/vc-di-bbs/#add-derived-proof-bbs-2023): the part of `document` with its
/// proof, from a base proof that was checked before.
pub(super) fn derive(
    document: &Map<String, Value>,
    proof: &Map<String, Value>,
    derivation: &Derivation<'_>,
    contexts: &ContextLoader,
    rng: &mut dyn CryptoRng,
) -> Result<(Map<String, Value>, Value), Bbs2023Error> {
    let (mut configuration, value) = take_value(proof)?;
    let ProofValue::Base(value) = value else {
        return Err(Bbs2023Error::NotBase);
    };
    let signed = Signed::new(document, &configuration, &value.mandatory, &value.hmac_key, contexts)?;
    let pointers = [value.mandatory.as_slice(), derivation.pointers].concat();
    let shown = signed.statements.select(&pointers)?;
    let among_messages = |position: &usize| position - signed.mandatory.range(..position).count();
    let selective: Vec<usize> = shown.positions.difference(&signed.mandatory).map(among_messages).collect();
    let messages: Vec<&str> = signed.messages().collect();
    let key = bbs::PublicKey::from_bytes(&value.public_key).map_err(|_| Bbs2023Error::Header)?;
    let bbs_proof = key.prove(
        &bbs::Signature::from_bytes(&value.signature)?,
        &signed.header,
        derivation.presentation_header,
        &messages,
        &selective,
        rng,
    )?;
    let mandatory = shown
        .positions
        .iter()
        .enumerate()
        .filter(|(_, position)| signed.mandatory.contains(position));
    let derived = DerivedProofValue {
        bbs_proof,
        labels: shown.labels.iter().filter_map(|label| number_of(label)).collect(),
        mandatory: mandatory.map(|(index, _)| index).collect(),
        selective,
        presentation_header: derivation.presentation_header.to_vec(),
    };
    configuration.insert("proofValue".to_owned(), Value::from(derived.to_text()));
    Ok((shown.document, Value::Object(configuration)))
}

/// [Verify Derived Proof](https://www.w3.org/TR/vc-di-bbs/#verify-derived-proof-bbs-2023). Gives the presentation
/// header that the proof is bound to.
pub(super) fn verify_derived(
    document: &Map<String, Value>,
    proof: &Map<String, Value>,
    key: &bbs::PublicKey,
    contexts: &ContextLoader,
) -> Result<Vec<u8>, Bbs2023Error> {
    let (configuration, value) = take_value(proof)?;
    let ProofValue::Derived(value) = value else {
        return Err(Bbs2023Error::NotDerived);
    };
    let labels: Vec<String> = value.labels.iter().map(|number| format!("b{number}")).collect();
    let lines = labelled_n_quads(document, contexts, &labels)?;
    let ascending = value.mandatory.is_sorted_by(|left, right| left < right);
    if !ascending || value.mandatory.last().is_some_and(|last| *last >= lines.len()) {
        return Err(Bbs2023Error::Indexes);
    }
    let mandatory: BTreeSet<usize> = value.mandatory.into_iter().collect();
    let header = header(document, &configuration, &lines, &mandatory, contexts)?;
    let messages: Vec<&str> = others(&lines, &mandatory).collect();
    key.verify_proof(
        &value.bbs_proof,
        &header,
        &value.presentation_header,
        &messages,
        &value.selective,
    )?;
    Ok(value.presentation_header)
}

/// Whether a proof is one that only its holder should see. Nothing is checked.
pub(super) fn is_base(proof: &Map<String, Value>) -> Result<bool, Bbs2023Error> {
    Ok(matches!(take_value(proof)?.1, ProofValue::Base(_)))
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
    ) -> Result<Self, Bbs2023Error> {
        let statements = Statements::new(document, contexts, |count| labels::shuffled(hmac_key, count))?;
        let mandatory = statements.select(mandatory)?.positions;
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

/// The proof's options, and the value of the proof.
fn take_value(proof: &Map<String, Value>) -> Result<(Map<String, Value>, ProofValue), Bbs2023Error> {
    let mut configuration = proof.clone();
    let value = configuration.remove("proofValue");
    let text = value.as_ref().and_then(Value::as_str).unwrap_or_default();
    Ok((configuration, ProofValue::parse(text)?))
}

/// `proofHash`, then `mandatoryHash`.
fn header(
    document: &Map<String, Value>,
    configuration: &Map<String, Value>,
    lines: &[String],
    mandatory: &BTreeSet<usize>,
    contexts: &ContextLoader,
) -> Result<[u8; 64], Bbs2023Error> {
    let mut configuration = configuration.clone();
    // The terms of the proof mean what they mean in the document.
    if let Some(context) = document.get("@context") {
        configuration.insert("@context".to_owned(), context.clone());
    }
    let options = cryptosuite::canonical_n_quads(&Value::Object(configuration), contexts)
        .map_err(|error| Bbs2023Error::Options(Box::new(error)))?;
    let mandatory: String = mandatory.iter().filter_map(|at| lines.get(*at)).map(String::as_str).collect();
    let mut header = [0; 64];
    let hashes = [keys::sha256(options.as_bytes()), keys::sha256(mandatory.as_bytes())];
    for (to, from) in header.iter_mut().zip(hashes.as_flattened()) {
        *to = *from;
    }
    Ok(header)
}

/// The lines at other positions.
fn others<'l>(lines: &'l [String], positions: &BTreeSet<usize>) -> impl Iterator<Item = &'l str> {
    lines
        .iter()
        .enumerate()
        .filter(|(at, _)| !positions.contains(at))
        .map(|(_, line)| line.as_str())
}

/// The number of a label that [`labels::shuffled`] made.
fn number_of(label: &str) -> Option<usize> {
    label.strip_prefix('b')?.parse().ok()
}
