//! Several proofs of one document: [proof sets](https://www.w3.org/TR/vc-data-integrity/#proof-sets) and
//! [proof chains](https://www.w3.org/TR/vc-data-integrity/#proof-chains).

use std::borrow::Cow;
use std::collections::BTreeMap;

use jsonld::ContextLoader;
use keys::PublicKey;
use keys::Timestamp;
use serde_json::Map;
use serde_json::Value;

use super::Cryptosuite;
use super::DocumentError;
use super::LdpVcError;
use super::MAX_PROOFS;
use super::ProofError;
use super::cryptosuite::Disclosure;
use super::cryptosuite::Transformation;
use super::document;
use super::proof::Proof;
use super::proof::is_method_of;

/// Keys that the caller resolved, each for the verification method that it belongs to.
#[derive(Clone, Debug, Default)]
pub struct ProofKeys(BTreeMap<String, PublicKey>);

/// Whose proofs must hold, besides those whose keys are given.
#[derive(Clone, Copy, Debug)]
pub(super) enum Makers<'a> {
    /// Everybody's: nothing tells which of them the issuer has made.
    All,
    /// This issuer's, one at least.
    Issuer(&'a str),
}

/// A proof that was checked, and that held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedProof {
    id: Option<String>,
    pub(super) verification_method: String,
    cryptosuite: Cryptosuite,
    created: Option<Timestamp>,
    expires: Option<Timestamp>,
}

/// The proofs of a document: one or more, their order without circles or gaps, all over the same contexts.
pub(super) struct ProofSet(Vec<Proof>);

impl ProofKeys {
    /// No key.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the key of a verification method, an absolute DID URL. Proofs of others than the issuer are checked if their
    /// key is given: giving it says that they must hold.
    #[must_use]
    pub fn with(mut self, verification_method: &str, key: PublicKey) -> Self {
        self.0.insert(verification_method.to_owned(), key);
        self
    }

    pub(super) fn get(&self, verification_method: &str) -> Option<&PublicKey> {
        self.0.get(verification_method)
    }
}

impl Makers<'_> {
    /// Whether the key of this verification method is one of theirs.
    pub(super) fn made(self, verification_method: &str) -> bool {
        match self {
            Self::All => true,
            Self::Issuer(issuer) => is_method_of(issuer, verification_method),
        }
    }
}

impl VerifiedProof {
    /// Its `id`.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The DID URL of the key that made it.
    #[must_use]
    pub fn verification_method(&self) -> &str {
        &self.verification_method
    }

    /// How it was made.
    #[must_use]
    pub const fn cryptosuite(&self) -> Cryptosuite {
        self.cryptosuite
    }

    /// When it was made, as its maker says.
    #[must_use]
    pub const fn created(&self) -> Option<Timestamp> {
        self.created
    }

    /// From when on it is void.
    #[must_use]
    pub const fn expires(&self) -> Option<Timestamp> {
        self.expires
    }

    /// Whether a key of this DID made it.
    #[must_use]
    pub fn is_by(&self, did: &str) -> bool {
        is_method_of(did, &self.verification_method)
    }
}

impl ProofSet {
    /// Takes the proofs out of `document`, which is then the document that they cover.
    pub(super) fn take(document: &mut Map<String, Value>) -> Result<Self, ProofError> {
        let maps = match document.remove("proof") {
            None => return Err(ProofError::Missing),
            Some(Value::Array(proofs)) => proofs,
            Some(single) => vec![single],
        };
        if maps.is_empty() || maps.len() > MAX_PROOFS {
            return Err(ProofError::Set {
                most: MAX_PROOFS,
                found: maps.len(),
            });
        }
        let proofs = maps.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
        check_order(&proofs)?;
        let mut covered = proofs.iter().map(|proof| proof.covered_context(document));
        let first = covered.next().transpose()?.flatten();
        for context in covered {
            if context? != first {
                return Err(ProofError::Context);
            }
        }
        if let Some(context) = first.cloned() {
            document.insert("@context".to_owned(), context);
        }
        Ok(Self(proofs))
    }

    /// The proofs of a document that has none yet.
    pub(super) const fn none() -> Self {
        Self(Vec::new())
    }

    /// Takes the only proof out of `document`.
    pub(super) fn take_one(document: &mut Map<String, Value>) -> Result<Proof, ProofError> {
        let proofs = Self::take(document)?;
        let found = proofs.0.len();
        proofs.into_one().ok_or(ProofError::Set { most: 1, found })
    }

    /// How much of what was signed the document shows. A proof with selective disclosure stands alone: one over the
    /// whole beside it would tie what is shown to what is not.
    pub(super) fn disclosure(&self) -> Result<Disclosure, LdpVcError> {
        match self.0.as_slice() {
            [one] => Ok(one.cryptosuite.disclosure(one.value())?),
            several => {
                check_none_selective(several)?;
                Ok(Disclosure::Whole)
            }
        }
    }

    /// What a derived proof, which was verified, is bound to; none if it cannot be bound.
    pub(super) fn presentation_header(&self) -> Option<Vec<u8>> {
        match self.0.as_slice() {
            [one] => one.cryptosuite.presentation_header(one.value()),
            _ => None,
        }
    }

    /// The only proof; none if there are several.
    pub(super) fn into_one(self) -> Option<Proof> {
        let [one] = <[Proof; 1]>::try_from(self.0).ok()?;
        Some(one)
    }

    /// The first proof of a key of `identity`; the first of all, if there is none.
    pub(super) fn main(&self, identity: &str) -> Option<&Proof> {
        self.of(identity).next().or_else(|| self.0.first())
    }

    pub(super) fn verification_methods(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|proof| proof.verification_method.as_str())
    }

    /// The proofs that keys of `identity` made.
    pub(super) fn of(&self, identity: &str) -> impl Iterator<Item = &Proof> {
        self.0
            .iter()
            .filter(move |proof| is_method_of(identity, &proof.verification_method))
    }

    /// The proofs that must hold: those of `makers`, one at least, and those whose keys are given.
    pub(super) fn required(&self, makers: Makers<'_>, keys: &ProofKeys) -> Result<Vec<&Proof>, ProofError> {
        if let Makers::Issuer(issuer) = makers
            && self.of(issuer).next().is_none()
        {
            return Err(ProofError::VerificationMethod {
                expected: issuer.to_owned(),
            });
        }
        let is_required = |proof: &&Proof| {
            let method = &proof.verification_method;
            makers.made(method) || keys.get(method).is_some()
        };
        Ok(self.0.iter().filter(is_required).collect())
    }

    /// Checks a proof's signature, and that the proofs before it are among the `required` ones, which the caller checks
    /// too: a proof holds only if those do
    /// ([verify proof sets and chains](https://www.w3.org/TR/vc-data-integrity/#verify-proof-sets-and-chains)).
    pub(super) fn verify(
        &self,
        proof: &Proof,
        required: &[&Proof],
        document: &Map<String, Value>,
        keys: &ProofKeys,
        contexts: &ContextLoader,
    ) -> Result<VerifiedProof, LdpVcError> {
        let unknown = |proof: &Proof| ProofError::UnknownKey {
            verification_method: proof.verification_method.clone(),
        };
        for previous in self.before(&proof.previous) {
            if !required.iter().any(|other| std::ptr::eq(*other, previous)) {
                return Err(unknown(previous).into());
            }
        }
        let key = keys.get(&proof.verification_method).ok_or_else(|| unknown(proof))?;
        let covered = self.covered(proof, document);
        check_previous(&covered, proof.cryptosuite, contexts)?;
        proof.cryptosuite.verify(&covered, &proof.map, key, contexts)?;
        Ok(VerifiedProof {
            id: proof.id.clone(),
            verification_method: proof.verification_method.clone(),
            cryptosuite: proof.cryptosuite,
            created: proof.created,
            expires: proof.expires,
        })
    }

    /// What a proof covers: the document, and those proofs that it names as previous ones.
    pub(super) fn covered<'a>(&self, proof: &Proof, document: &'a Map<String, Value>) -> Cow<'a, Map<String, Value>> {
        self.with_previous(&proof.previous, document)
    }

    /// `document` with the proofs of these ids in it, if there are any ids.
    pub(super) fn with_previous<'a>(
        &self,
        ids: &[String],
        document: &'a Map<String, Value>,
    ) -> Cow<'a, Map<String, Value>> {
        if ids.is_empty() {
            return Cow::Borrowed(document);
        }
        let previous = self.before(ids).map(|proof| Value::Object(proof.map.clone())).collect();
        let mut document = document.clone();
        document.insert("proof".to_owned(), Value::Array(previous));
        Cow::Owned(document)
    }

    /// The proofs of these ids, in the order of the document.
    fn before<'a>(&'a self, ids: &'a [String]) -> impl Iterator<Item = &'a Proof> {
        self.0
            .iter()
            .filter(|proof| proof.id.as_ref().is_some_and(|id| ids.contains(id)))
    }

    /// Whether a further proof with this id and these previous ones may be added.
    pub(super) fn check_addition(&self, id: Option<&str>, previous: &[String]) -> Result<(), ProofError> {
        if self.0.len() >= MAX_PROOFS {
            return Err(ProofError::Set {
                most: MAX_PROOFS,
                found: self.0.len() + 1,
            });
        }
        check_none_selective(&self.0)?;
        if id.is_some() && self.0.iter().any(|proof| proof.id.as_deref() == id) {
            return Err(ProofError::Id);
        }
        check_present(previous, &self.0)
    }

    /// All proofs, as received.
    pub(super) fn into_values(self) -> Vec<Value> {
        self.0.into_iter().map(|proof| Value::Object(proof.map)).collect()
    }

    #[cfg(test)]
    pub(super) fn proofs(&self) -> &[Proof] {
        &self.0
    }
}

/// Checks what a proof covers besides the document, which is checked by itself: the previous proofs.
pub(super) fn check_previous(
    covered: &Map<String, Value>,
    suite: Cryptosuite,
    contexts: &ContextLoader,
) -> Result<(), DocumentError> {
    match suite.transformation() {
        Transformation::Rdfc | Transformation::Statements(_) if covered.contains_key("proof") => {
            document::check(covered, contexts)
        }
        // As JSON, `@context` of a previous proof is a text like any other.
        Transformation::Rdfc | Transformation::Statements(_) | Transformation::Jcs(_) => Ok(()),
    }
}

fn read(value: Value) -> Result<Proof, ProofError> {
    let Value::Object(map) = value else {
        return Err(ProofError::Member {
            member: "proof",
            expected: "objects",
        });
    };
    Proof::read(map)
}

/// Ids are unique, previous proofs are there, and none is its own previous proof.
fn check_order(proofs: &[Proof]) -> Result<(), ProofError> {
    for (position, proof) in proofs.iter().enumerate() {
        let same_id = |other: &Proof| proof.id.is_some() && other.id == proof.id;
        if proofs.iter().skip(position + 1).any(same_id) {
            return Err(ProofError::Id);
        }
        check_present(&proof.previous, proofs)?;
    }
    // Each round settles those whose previous ones are settled; a round without any means a circle.
    let mut open: Vec<&Proof> = proofs.iter().collect();
    while !open.is_empty() {
        let is_open = |id: &String| open.iter().any(|other| other.id.as_ref() == Some(id));
        let remaining: Vec<&Proof> = open
            .iter()
            .copied()
            .filter(|proof| proof.previous.iter().any(is_open))
            .collect();
        if remaining.len() == open.len() {
            return Err(ProofError::Circle);
        }
        open = remaining;
    }
    Ok(())
}

fn check_none_selective(proofs: &[Proof]) -> Result<(), ProofError> {
    if proofs.iter().any(|proof| proof.cryptosuite.is_selective()) {
        let found = proofs.len().max(2);
        return Err(ProofError::Set { most: 1, found });
    }
    Ok(())
}

fn check_present(previous: &[String], proofs: &[Proof]) -> Result<(), ProofError> {
    let is_there = |id: &&String| proofs.iter().any(|proof| proof.id.as_ref() == Some(id));
    match previous.iter().find(|id| !is_there(id)) {
        Some(id) => Err(ProofError::PreviousProof { id: id.clone() }),
        None => Ok(()),
    }
}
