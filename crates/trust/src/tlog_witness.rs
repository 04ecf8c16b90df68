//! Asking a witness for its cosignature, and what a plain witness answers.
//!
//! [C2SP tlog-witness](https://c2sp.org/tlog-witness): the body of `add-checkpoint`, the checks in the order of the text,
//! and the cosignature lines of the answer. A plain witness says that a checkpoint is consistent with all that it saw of
//! the log, and nothing about what the log holds; that is the state witness's statement ([`crate::witness`]).
//!
//! Out of scope: storing. A caller stores the checkpoint before it fulfils the signing request, by compare-and-swap with
//! the one that was judged against, so that it never signs a fork, whenever it dies.

use std::fmt;

use keys::SigningRequest;
use keys::Timestamp;
use thiserror::Error;

use crate::checkpoint::Checkpoint;
use crate::checkpoint::CheckpointError;
use crate::checkpoint::SignedCheckpoint;
use crate::cosignature;
use crate::merkle::Hash;
use crate::merkle::ProofError;
use crate::merkle::verify_consistency;
use crate::note::MAX_NOTE_BYTES;
use crate::note::NoteError;
use crate::note::NoteSignature;
use crate::note::VerifierKey;
use crate::note::parse_signatures;
use crate::tiles::decimal;

/// "The client MUST NOT send more than 63 consistency proof lines."
const MAX_PROOF_LINES: usize = 63;

/// The old size, proof lines of 45 bytes, and a note.
pub const MAX_ADD_CHECKPOINT_BYTES: usize = 32 + 45 * MAX_PROOF_LINES + MAX_NOTE_BYTES;

/// The media type of an answer that tells the size a witness knows.
pub const SIZE_MEDIA_TYPE: &str = "text/x.tlog.size";

/// The body of `add-checkpoint`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddCheckpoint {
    old: u64,
    proof: Vec<Hash>,
    checkpoint: SignedCheckpoint,
}

/// A witness does not cosign. Each but [`Key`](AddCheckpointError::Key) is the fault of who asks.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum AddCheckpointError {
    /// The checkpoint is none.
    #[error("the checkpoint is not understood")]
    Checkpoint(#[from] CheckpointError),
    /// The proof is not that of the two trees.
    #[error("the consistency proof does not lead from size {old} to size {new}")]
    Consistency {
        /// Size of the witness's tree.
        old: u64,
        /// Size of the checkpoint's.
        new: u64,
        /// What is wrong with it.
        #[source]
        source: Option<ProofError>,
    },
    /// The witness's key does not cosign: its operator's fault.
    #[error("the witness's key does not cosign")]
    Key(#[source] NoteError),
    /// The text is not that of the call.
    #[error("expected an add-checkpoint request: {expected}")]
    Malformed {
        /// What was expected at the place of the fault.
        expected: &'static str,
    },
    /// The old size is not the one of the last checkpoint that was cosigned.
    #[error("expected the old size {expected}, which was cosigned last, found {found}")]
    OldSize {
        /// What the witness knows.
        expected: u64,
        /// What was sent.
        found: u64,
    },
    /// Another tree of the same size was cosigned: a fork.
    #[error("expected the root that was cosigned at size {size}, found another")]
    Root {
        /// The size of both.
        size: u64,
    },
    /// The old size is beyond the checkpoint's.
    #[error("expected an old size of at most {size}, found {found}")]
    Shrunk {
        /// Size of the checkpoint.
        size: u64,
        /// What was sent.
        found: u64,
    },
    /// No key of the log signed the checkpoint.
    #[error("expected the signature of a key of the log, found none")]
    Signature,
    /// The witness does not know the log.
    #[error("expected a log that this witness knows, found {found:?}")]
    UnknownLog {
        /// The checkpoint's origin.
        found: String,
    },
}

impl AddCheckpoint {
    /// A request for a cosignature of `checkpoint`, whose tree `proof` shows to begin with the one of `old` leaves.
    #[must_use]
    pub const fn new(old: u64, proof: Vec<Hash>, checkpoint: SignedCheckpoint) -> Self {
        Self { old, proof, checkpoint }
    }

    /// Reads the body of a call.
    ///
    /// # Errors
    /// [`AddCheckpointError::Malformed`] and [`AddCheckpointError::Checkpoint`].
    pub fn parse(bytes: &[u8]) -> Result<Self, AddCheckpointError> {
        let malformed = |expected| AddCheckpointError::Malformed { expected };
        if bytes.len() > MAX_ADD_CHECKPOINT_BYTES {
            return Err(malformed("at most 163 KiB"));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| malformed("UTF-8"))?;
        let (head, note) = text
            .split_once("\n\n")
            .ok_or_else(|| malformed("an empty line before the checkpoint"))?;
        let mut lines = head.split('\n');
        let old = lines.next().and_then(|line| line.strip_prefix("old "));
        let old = old.and_then(decimal);
        let old = old.ok_or_else(|| malformed("`old` and a size in decimal on the first line"))?;
        let proof: Result<Vec<Hash>, _> = lines.map(Hash::parse_base64).collect();
        let proof = proof.map_err(|_| malformed("hashes in base64, one on a line"))?;
        if proof.len() > MAX_PROOF_LINES {
            return Err(malformed("at most 63 proof lines"));
        }
        let checkpoint = SignedCheckpoint::parse(note.as_bytes())?;
        Ok(Self { old, proof, checkpoint })
    }

    /// The checkpoint, of which nothing is checked yet.
    #[must_use]
    pub const fn checkpoint(&self) -> &SignedCheckpoint {
        &self.checkpoint
    }

    /// Checks that the log signed the checkpoint, with both algorithms where `logs` has its keys of both: these are the keys
    /// that the witness trusts for this origin.
    ///
    /// # Errors
    /// [`AddCheckpointError::UnknownLog`] without any, and [`AddCheckpointError::Signature`].
    pub fn check_log(&self, logs: &[VerifierKey]) -> Result<(), AddCheckpointError> {
        let origin = self.checkpoint.unverified().origin();
        if !logs.iter().any(|log| log.name() == origin) {
            return Err(AddCheckpointError::UnknownLog {
                found: origin.to_owned(),
            });
        }
        self.checkpoint
            .verify_log(logs)
            .map_err(|_| AddCheckpointError::Signature)?;
        Ok(())
    }

    /// Checks that the checkpoint's tree begins with `latest`, the last one of this log that the witness cosigned.
    ///
    /// # Errors
    /// [`AddCheckpointError`].
    pub fn check_consistency(&self, latest: Option<&Checkpoint>) -> Result<(), AddCheckpointError> {
        let new = self.checkpoint.unverified();
        let old = self.old;
        if old > new.size() {
            let size = new.size();
            return Err(AddCheckpointError::Shrunk { size, found: old });
        }
        let expected = latest.map_or(0, Checkpoint::size);
        if old != expected {
            return Err(AddCheckpointError::OldSize { expected, found: old });
        }
        let inconsistent = |source| AddCheckpointError::Consistency {
            old,
            new: new.size(),
            source,
        };
        match latest.filter(|latest| latest.size() > 0) {
            Some(latest) if old == new.size() && latest.root() != new.root() => {
                Err(AddCheckpointError::Root { size: old })
            }
            Some(latest) => verify_consistency(old, new.size(), latest.root(), new.root(), &self.proof)
                .map_err(|error| inconsistent(Some(error))),
            // "The proof MUST be empty if the old size is zero."
            None if self.proof.is_empty() => Ok(()),
            None => Err(inconsistent(None)),
        }
    }

    /// The request for a plain witness's cosignature at `now`, after both checks.
    ///
    /// # Errors
    /// [`AddCheckpointError`].
    pub fn judge(
        &self,
        logs: &[VerifierKey],
        latest: Option<&Checkpoint>,
        now: Timestamp,
        key: &VerifierKey,
    ) -> Result<SigningRequest<NoteSignature>, AddCheckpointError> {
        self.check_log(logs)?;
        self.check_consistency(latest)?;
        cosignature::cosign(&self.checkpoint, now, key).map_err(AddCheckpointError::Key)
    }
}

impl fmt::Display for AddCheckpoint {
    /// The body of the call.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old)?;
        for hash in &self.proof {
            writeln!(f, "{}", hash.to_base64())?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

impl AddCheckpointError {
    /// The HTTP status of the answer.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Checkpoint(_) | Self::Malformed { .. } | Self::Shrunk { .. } => 400,
            Self::Signature => 403,
            Self::UnknownLog { .. } => 404,
            Self::OldSize { .. } | Self::Root { .. } => 409,
            Self::Consistency { .. } => 422,
            Self::Key(_) => 500,
        }
    }

    /// The size of the last checkpoint that the witness cosigned, where the answer tells it.
    #[must_use]
    pub const fn known_size(&self) -> Option<u64> {
        match self {
            Self::OldSize { expected, .. } => Some(*expected),
            Self::Root { size } => Some(*size),
            _ => None,
        }
    }
}

/// The cosignature lines of an answer, which may be of several keys. None of them is verified.
///
/// # Errors
/// [`NoteError`], the witness's fault.
pub fn parse_answer(body: &[u8]) -> Result<Vec<NoteSignature>, NoteError> {
    let text = std::str::from_utf8(body).map_err(|_| NoteError::Malformed {
        expected: "signature lines in UTF-8",
    })?;
    parse_signatures(text)
}

/// The size in an answer that refuses the old size.
#[must_use]
pub fn parse_size(body: &[u8]) -> Option<u64> {
    decimal(std::str::from_utf8(body).ok()?.strip_suffix('\n')?)
}

#[cfg(test)]
mod tests {
    use keys::Algorithm;
    use keys::Signer as _;
    use signer::SoftwareKey;

    use super::*;
    use crate::merkle::Nodes;
    use crate::merkle::consistency_proof;
    use crate::merkle::leaf_hash;
    use crate::merkle::root;
    use crate::note::SignatureType;

    const ORIGIN: &str = "log.example/one";
    const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);

    struct Leaves(Vec<Hash>);

    impl Nodes for Leaves {
        type Error = std::convert::Infallible;

        fn node(&self, level: u8, index: u64) -> Result<Hash, Self::Error> {
            let (from, width) = (usize::try_from(index << level).unwrap(), 1 << level);
            Ok(root(&self.0[from..from + width]))
        }
    }

    fn key(number: u8) -> SoftwareKey {
        SoftwareKey::from_secret(Algorithm::EdDsa, &[number; 32]).unwrap()
    }

    fn verifier(name: &str, signature_type: SignatureType, number: u8) -> VerifierKey {
        VerifierKey::new(name, signature_type, key(number).public_key().clone()).unwrap()
    }

    fn log() -> VerifierKey {
        verifier(ORIGIN, SignatureType::Ed25519, 1)
    }

    /// So many leaves; those from the third on are of this `fork`.
    fn leaves(size: u64, fork: u8) -> Leaves {
        let leaf = |index: u64| leaf_hash(&[u8::try_from(index).unwrap(), if index < 3 { 0 } else { fork }]);
        Leaves((0..size).map(leaf).collect())
    }

    fn checkpoint(size: u64, fork: u8) -> SignedCheckpoint {
        let checkpoint = Checkpoint::new(ORIGIN, size, root(&leaves(size, fork).0)).unwrap();
        key(1)
            .fulfil(SignedCheckpoint::sign(checkpoint, &log()).unwrap())
            .unwrap()
    }

    fn request(old: u64, size: u64, fork: u8) -> AddCheckpoint {
        let proof = match old {
            0 => Vec::new(),
            _ if old >= size => Vec::new(),
            old => consistency_proof(&leaves(size, fork), old, size).unwrap(),
        };
        AddCheckpoint::new(old, proof, checkpoint(size, fork))
    }

    fn judge(request: &AddCheckpoint, latest: Option<(u64, u8)>) -> Result<(), AddCheckpointError> {
        let latest = latest.map(|(size, fork)| checkpoint(size, fork).unverified().clone());
        let witness = verifier("witness.example/w", SignatureType::Cosignature, 2);
        let asked = request.judge(&[log()], latest.as_ref(), NOW, &witness)?;
        let answer = format!("{}\n", key(2).fulfil(asked).unwrap());
        let mut cosigned = request.checkpoint().clone();
        parse_answer(answer.as_bytes())
            .unwrap()
            .into_iter()
            .for_each(|line| cosigned.add(line));
        assert_eq!(cosignature::verify(&cosigned, &witness), Ok(NOW));
        Ok(())
    }

    #[test]
    fn a_log_that_grows_is_cosigned() {
        assert_eq!(judge(&request(0, 2, 0), None), Ok(()));
        assert_eq!(judge(&request(2, 7, 0), Some((2, 0))), Ok(()));
        // The same once more, as after a lost answer.
        assert_eq!(judge(&request(7, 7, 0), Some((7, 0))), Ok(()));
        assert_eq!(judge(&request(0, 0, 0), None), Ok(()));
        assert_eq!(judge(&request(0, 4, 0), Some((0, 0))), Ok(()));
    }

    #[test]
    fn what_is_written_is_read() {
        for request in [request(0, 2, 0), request(2, 7, 0), request(7, 7, 0)] {
            assert_eq!(AddCheckpoint::parse(request.to_string().as_bytes()), Ok(request));
        }
    }

    #[test]
    fn everything_else_is_refused_with_its_status() {
        let unsigned = |text: &str| AddCheckpoint::parse(text.replacen("\u{2014} log", "\u{2014} other", 1).as_bytes());
        let unsigned = unsigned(&request(0, 2, 0).to_string()).unwrap();
        let mut wrong_proof = request(2, 7, 0);
        wrong_proof.proof.reverse();
        let mut needless_proof = request(0, 2, 0);
        needless_proof.proof.push(Hash::ZERO);
        let mut other = checkpoint(2, 0).to_string().replace(ORIGIN, "log.example/two");
        other.insert_str(0, "old 0\n\n");
        let other = AddCheckpoint::parse(other.as_bytes()).unwrap();
        for (request, latest, status, known) in [
            (other, None, 404, None),
            (unsigned, None, 403, None),
            (request(5, 2, 0), Some((5, 0)), 400, None),
            (request(2, 7, 0), Some((5, 0)), 409, Some(5)),
            (request(2, 7, 0), None, 409, Some(0)),
            (request(0, 7, 0), Some((5, 0)), 409, Some(5)),
            (request(7, 7, 1), Some((7, 0)), 409, Some(7)),
            (request(5, 7, 1), Some((5, 0)), 422, None),
            (wrong_proof, Some((2, 0)), 422, None),
            (needless_proof, None, 422, None),
        ] {
            let refused = judge(&request, latest).unwrap_err();
            assert_eq!((refused.status(), refused.known_size()), (status, known), "{refused}");
        }
    }

    #[test]
    fn other_texts_are_refused() {
        let good = request(2, 7, 0).to_string();
        let (head, note) = good.split_once("\n\n").unwrap();
        let many = format!("{}\n", Hash::ZERO.to_base64()).repeat(64);
        for bad in [
            String::new(),
            note.to_owned(),
            good.replacen("old 2", "old 02", 1),
            good.replacen("old 2", "old -2", 1),
            good.replacen("old 2", "2", 1),
            good.replacen("old 2\n", "old 2\nAAAA\n", 1),
            good.replacen("old 2\n", "old 2 \n", 1),
            format!("{head}\n{note}"),
            format!("old 2\n{many}\n{note}"),
            good.trim_end().to_owned(),
        ] {
            let refused = AddCheckpoint::parse(bad.as_bytes()).unwrap_err();
            assert_eq!(refused.status(), 400, "{bad}");
        }
        let large = format!("{good}{}", "x".repeat(MAX_ADD_CHECKPOINT_BYTES));
        assert!(AddCheckpoint::parse(large.as_bytes()).is_err());
    }

    #[test]
    fn sizes_are_read_as_they_are_written() {
        assert_eq!(parse_size(b"20852014\n"), Some(20_852_014));
        for bad in ["20852014", "05\n", "", "\n", "5\n\n"] {
            assert_eq!(parse_size(bad.as_bytes()), None, "{bad:?}");
        }
    }
}
