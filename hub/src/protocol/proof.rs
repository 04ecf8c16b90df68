//! Evidence that holds without the hub: a record, its place in the log, and the log's signed head.
//!
//! The log is a transparency log in C2SP form: leaves are records, the head is a
//! [checkpoint](https://c2sp.org/tlog-checkpoint) signed with the hub's Ed25519 key, and the proof is an
//! inclusion proof of [RFC 6962](https://www.rfc-editor.org/rfc/rfc6962.html#section-2.1.1).

use serde::Deserialize;
use serde::Serialize;
use thiserror::Error;
use trust::checkpoint::Checkpoint;
use trust::checkpoint::CheckpointError;
use trust::checkpoint::SignedCheckpoint;
use trust::merkle;
use trust::merkle::Hash;
use trust::merkle::MAX_PROOF_HASHES;
use trust::merkle::ProofError;
use trust::note::VerifierKey;

use super::commitment::Salt;
use super::record::Record;
use super::record::RecordError;

/// What the hub hands out to the parties of a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// The record's JSON text, byte for byte.
    pub record: String,
    /// The hashes from the leaf's sibling up to the root's child, in base64.
    pub inclusion_path: Vec<String>,
    /// The signed checkpoint, a C2SP note.
    pub checkpoint: String,
    /// The salt of the record's commitments, unless it was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salt: Option<Salt>,
}

/// A record that the hub's log has.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct VerifiedRecord {
    record: Record,
    checkpoint: Checkpoint,
}

/// Why the evidence shows nothing. The fault of whoever handed it over.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum EvidenceError {
    /// The checkpoint is broken or not signed by this key.
    #[error("expected a checkpoint signed by the log's key")]
    Checkpoint(#[from] CheckpointError),
    /// The record is not in the tree of the checkpoint, or was changed.
    #[error("expected the record in the log of the checkpoint")]
    Inclusion(#[from] ProofError),
    /// The path is not one of hashes.
    #[error("expected at most {MAX_PROOF_HASHES} hashes in base64")]
    Path,
    /// The record is not readable.
    #[error("expected a record of hub evidence")]
    Record(#[from] RecordError),
    /// Two records that were said to follow each other do not.
    #[error("expected record {expected} to follow the one before, found another sequence or previous hash")]
    Chain {
        /// The sequence at which the chain breaks.
        expected: u64,
    },
}

/// Checks that `record` is the record of its sequence in the log of `key`, as signed in `checkpoint`.
///
/// `path` is the inclusion proof in base64. Nothing but the key needs to be trusted or known before.
///
/// # Errors
/// [`EvidenceError`]; such evidence shows nothing.
pub fn verify_evidence(
    record: &[u8],
    path: &[String],
    checkpoint: &str,
    key: &VerifierKey,
) -> Result<VerifiedRecord, EvidenceError> {
    let signed = SignedCheckpoint::parse(checkpoint.as_bytes())?;
    let checkpoint = signed.verify_log(std::slice::from_ref(key))?.clone();
    if path.len() > MAX_PROOF_HASHES {
        return Err(EvidenceError::Path);
    }
    let path: Result<Vec<Hash>, _> = path.iter().map(|hash| Hash::parse_base64(hash)).collect();
    let path = path.map_err(|_| EvidenceError::Path)?;
    // The sequence is read from bytes that are not proven yet, and proven with the rest of them.
    let parsed = Record::parse(record)?;
    let leaf = merkle::leaf_hash(record);
    merkle::verify_inclusion(leaf, parsed.sequence, checkpoint.size(), &path, checkpoint.root())?;
    Ok(VerifiedRecord {
        record: parsed,
        checkpoint,
    })
}

/// Checks that the records follow each other without a gap: each has the sequence after, and the leaf hash
/// of, the one before it.
///
/// # Errors
/// [`EvidenceError::Record`], [`EvidenceError::Chain`].
pub fn verify_chain(records: &[&[u8]]) -> Result<(), EvidenceError> {
    let mut before: Option<(u64, Hash)> = None;
    for bytes in records {
        let record = Record::parse(bytes)?;
        if let Some((sequence, leaf)) = before {
            let expected = sequence.saturating_add(1);
            if record.sequence != expected || record.previous != leaf.to_base64() {
                return Err(EvidenceError::Chain { expected });
            }
        }
        before = Some((record.sequence, merkle::leaf_hash(bytes)));
    }
    Ok(())
}

impl Evidence {
    /// [`verify_evidence`] of this.
    ///
    /// # Errors
    /// [`EvidenceError`]; such evidence shows nothing.
    pub fn verify(&self, key: &VerifierKey) -> Result<VerifiedRecord, EvidenceError> {
        verify_evidence(self.record.as_bytes(), &self.inclusion_path, &self.checkpoint, key)
    }
}

impl VerifiedRecord {
    /// The record.
    #[must_use]
    pub const fn record(&self) -> &Record {
        &self.record
    }

    /// The head of the log that it was shown to be in.
    #[must_use]
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }
}

#[cfg(test)]
mod tests {
    use keys::Algorithm;
    use keys::Signer as _;
    use signer::SoftwareKey;
    use trust::note::SignatureType;

    use super::super::id::EvidenceId;
    use super::super::publication::tests::NOW;
    use super::super::record::Draft;
    use super::super::record::Event;
    use super::*;

    const ORIGIN: &str = "hub.example/evidence";

    struct Leaves(Vec<Hash>);

    impl merkle::Nodes for Leaves {
        type Error = ();

        fn node(&self, level: u8, index: u64) -> Result<Hash, ()> {
            let width = 1_usize << level;
            let start = usize::try_from(index).unwrap() * width;
            self.0.get(start..start + width).map(merkle::root).ok_or(())
        }
    }

    fn log(count: u64) -> (Vec<Vec<u8>>, Leaves) {
        let mut previous = Hash::ZERO;
        let mut records = Vec::new();
        let mut leaves = Vec::new();
        for sequence in 0..count {
            let id = EvidenceId::generate(&mut signer::os_rng());
            let draft = Draft {
                id,
                time: NOW,
                event: Event::Call(Box::default()),
                salt: None,
            };
            let sealed = draft.seal(sequence, previous).unwrap();
            previous = sealed.leaf;
            leaves.push(sealed.leaf);
            records.push(sealed.bytes);
        }
        (records, Leaves(leaves))
    }

    fn signed(key: &SoftwareKey, origin: &str, size: u64, root: Hash) -> String {
        let verifier = verifier(key, origin);
        let request = SignedCheckpoint::sign(Checkpoint::new(origin, size, root).unwrap(), &verifier).unwrap();
        key.fulfil(request).unwrap().to_string()
    }

    fn verifier(key: &SoftwareKey, origin: &str) -> VerifierKey {
        VerifierKey::new(origin, SignatureType::Ed25519, key.public_key().clone()).unwrap()
    }

    fn genuine(key: &SoftwareKey) -> Evidence {
        let (records, leaves) = log(7);
        let path = merkle::inclusion_proof(&leaves, 4, 7).unwrap();
        Evidence {
            record: String::from_utf8(records[4].clone()).unwrap(),
            inclusion_path: path.into_iter().map(Hash::to_base64).collect(),
            checkpoint: signed(key, ORIGIN, 7, merkle::root(&leaves.0)),
            salt: None,
        }
    }

    fn key(seed: u8) -> SoftwareKey {
        SoftwareKey::from_secret(Algorithm::EdDsa, &[seed; 32]).unwrap()
    }

    #[test]
    fn genuine_evidence_is_verified() {
        let verified = genuine(&key(1)).verify(&verifier(&key(1), ORIGIN)).unwrap();
        assert_eq!(verified.record().sequence, 4);
        assert_eq!(verified.checkpoint().size(), 7);
    }

    #[test]
    fn a_tampered_record_is_detected() {
        let refused = |from: &str, to: &str| {
            let mut evidence = genuine(&key(1));
            evidence.record = evidence.record.replacen(from, to, 1);
            evidence.verify(&verifier(&key(1), ORIGIN)).unwrap_err()
        };
        assert!(matches!(refused("begun", "begun "), EvidenceError::Record(_)));
        assert_eq!(
            refused("\"duration_ms\":0", "\"duration_ms\":1"),
            EvidenceError::Inclusion(ProofError::Root)
        );
        assert_eq!(
            refused("\"duration_ms\":0", "\"duration_ms\": 0"),
            EvidenceError::Inclusion(ProofError::Root)
        );
        assert_eq!(
            refused("\"sequence\":4", "\"sequence\":5"),
            EvidenceError::Inclusion(ProofError::Root)
        );
        assert!(matches!(
            refused("\"sequence\":4", "\"sequence\":7"),
            EvidenceError::Inclusion(ProofError::Index { .. })
        ));
    }

    #[test]
    fn another_key_origin_head_or_path_is_refused() {
        let evidence = genuine(&key(1));
        assert!(matches!(
            evidence.verify(&verifier(&key(2), ORIGIN)),
            Err(EvidenceError::Checkpoint(_))
        ));
        assert!(matches!(
            evidence.verify(&verifier(&key(1), "other.example")),
            Err(EvidenceError::Checkpoint(_))
        ));
        let mut changed = evidence.clone();
        changed.checkpoint = signed(&key(1), ORIGIN, 7, Hash::digest(b"another root"));
        assert_eq!(
            changed.verify(&verifier(&key(1), ORIGIN)),
            Err(EvidenceError::Inclusion(ProofError::Root))
        );
        let mut changed = evidence.clone();
        changed.checkpoint = changed.checkpoint.replacen("\n7\n", "\n8\n", 1);
        assert!(matches!(
            changed.verify(&verifier(&key(1), ORIGIN)),
            Err(EvidenceError::Checkpoint(_))
        ));
        let mut changed = evidence.clone();
        changed.inclusion_path.pop();
        assert!(matches!(
            changed.verify(&verifier(&key(1), ORIGIN)),
            Err(EvidenceError::Inclusion(ProofError::Length { .. }))
        ));
        let mut changed = evidence;
        changed.inclusion_path.push("not base64".to_owned());
        assert_eq!(changed.verify(&verifier(&key(1), ORIGIN)), Err(EvidenceError::Path));
    }

    #[test]
    fn a_gap_in_the_chain_shows() {
        let (records, _) = log(5);
        let mut chain: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
        assert_eq!(verify_chain(&chain), Ok(()));
        chain.remove(2);
        assert_eq!(verify_chain(&chain), Err(EvidenceError::Chain { expected: 2 }));
        let other = log(5).0;
        let mixed: Vec<&[u8]> = [&records[0], &other[1]].into_iter().map(Vec::as_slice).collect();
        assert_eq!(verify_chain(&mixed), Err(EvidenceError::Chain { expected: 1 }));
    }
}
