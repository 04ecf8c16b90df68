//! Checkpoints: what a log says its tree is.
//!
//! [C2SP tlog-checkpoint](https://c2sp.org/tlog-checkpoint). Extension lines are refused: the text does not
//! recommend them, ML-DSA cosignatures do not cover them, and no log of ours writes them.

use std::fmt;

use keys::SigningRequest;
use keys::Timestamp;
use keys::ml_dsa;
use thiserror::Error;

use crate::cosignature;
use crate::merkle::Hash;
use crate::merkle::empty_root;
use crate::note::Note;
use crate::note::NoteError;
use crate::note::NoteSignature;
use crate::note::SignatureType;
use crate::note::VerifierKey;
use crate::tiles::decimal;

/// Origin, size and root of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    origin: String,
    size: u64,
    root: Hash,
}

/// A checkpoint with signature lines, none of them verified yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    note: Note,
}

/// Why bytes are no checkpoint. The sender's fault.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The note around it is broken.
    #[error("the checkpoint is no signed note")]
    Note(#[from] NoteError),
    /// The text is not that of a checkpoint.
    #[error("expected a checkpoint: {expected}")]
    Malformed {
        /// What was expected at the place of the fault.
        expected: &'static str,
    },
}

impl Checkpoint {
    /// A checkpoint from its parts.
    ///
    /// # Errors
    /// [`CheckpointError::Malformed`] for an origin that is empty or has control characters, or a root that
    /// an empty tree does not have.
    pub fn new(origin: &str, size: u64, root: Hash) -> Result<Self, CheckpointError> {
        if origin.is_empty() || origin.chars().any(char::is_control) {
            return Err(CheckpointError::Malformed {
                expected: "a non-empty origin without control characters",
            });
        }
        if size == 0 && root != empty_root() {
            return Err(CheckpointError::Malformed {
                expected: "the root of the empty tree at size 0",
            });
        }
        Ok(Self {
            origin: origin.to_owned(),
            size,
            root,
        })
    }

    /// The unique name of the log.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The number of leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The root of the tree.
    #[must_use]
    pub const fn root(&self) -> Hash {
        self.root
    }

    /// That the key is one of this log.
    fn check_name(&self, log: &VerifierKey) -> Result<(), CheckpointError> {
        if log.name() == self.origin {
            Ok(())
        } else {
            Err(CheckpointError::Malformed {
                expected: "a log key with the origin as its name",
            })
        }
    }

    fn parse_text(text: &str) -> Result<Self, CheckpointError> {
        let malformed = |expected| CheckpointError::Malformed { expected };
        let mut lines = text.split_terminator('\n');
        let (Some(origin), Some(size), Some(root), None) = (lines.next(), lines.next(), lines.next(), lines.next())
        else {
            return Err(malformed("exactly three lines: origin, size and root"));
        };
        let size = decimal(size).ok_or_else(|| malformed("the size in decimal without leading zeros"))?;
        let root = Hash::parse_base64(root).map_err(|_| malformed("the root in base64"))?;
        Self::new(origin, size, root)
    }
}

impl fmt::Display for Checkpoint {
    /// The note text, three lines.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, self.root.to_base64())
    }
}

impl SignedCheckpoint {
    /// Asks for the log's signature over `checkpoint`. The name of the log's key is the origin.
    ///
    /// # Errors
    /// [`CheckpointError::Malformed`] when it is not.
    pub fn sign(checkpoint: Checkpoint, log: &VerifierKey) -> Result<SigningRequest<Self>, CheckpointError> {
        checkpoint.check_name(log)?;
        let note = Note::unsigned(checkpoint.to_string())?;
        Ok(note.sign(log).map(move |signature| {
            let mut signed = Self { checkpoint, note };
            signed.add(signature);
            signed
        }))
    }

    /// Parses a signed checkpoint. No signature is verified.
    ///
    /// # Errors
    /// [`CheckpointError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, CheckpointError> {
        let note = Note::parse(bytes)?;
        let checkpoint = Checkpoint::parse_text(note.text())?;
        Ok(Self { checkpoint, note })
    }

    /// Adds a signature line, such as a witness's cosignature. It is not verified.
    pub fn add(&mut self, signature: NoteSignature) {
        self.note.add(signature);
    }

    /// Asks for the log's second signature at `time`, with its key of ML-DSA-44. It covers origin, size and root, which is
    /// all that a checkpoint of ours says ([tlog-checkpoint](https://c2sp.org/tlog-checkpoint#signatures)).
    ///
    /// # Errors
    /// [`CheckpointError::Malformed`] for a key of another name, [`CheckpointError::Note`] for one of another type.
    pub fn sign_again(
        &self,
        time: Timestamp,
        log: &VerifierKey,
    ) -> Result<ml_dsa::SigningRequest<NoteSignature>, CheckpointError> {
        self.checkpoint.check_name(log)?;
        Ok(cosignature::cosign_ml_dsa(&self.checkpoint, time, log)?)
    }

    /// Verifies that the log of the origin signed: with one of its keys of Ed25519 among `logs`, and where there are keys of
    /// ML-DSA-44 of this origin among them, with one of those too. So no break of one algorithm alone signs for a log that
    /// has named keys of both. This is the one place where a log's signature counts.
    ///
    /// # Errors
    /// [`CheckpointError::Malformed`] without an Ed25519 key of this origin, [`CheckpointError::Note`] for a missing or wrong
    /// signature.
    pub fn verify_log(&self, logs: &[VerifierKey]) -> Result<&Checkpoint, CheckpointError> {
        let of_type = |wanted| {
            let origin = &self.checkpoint.origin;
            logs.iter()
                .filter(move |log| log.signature_type() == wanted && log.name() == origin)
        };
        let signed = any(of_type(SignatureType::Ed25519), |log| self.note.verify(log));
        signed.unwrap_or(Err(CheckpointError::Malformed {
            expected: "the origin that is the name of an Ed25519 key of the log",
        }))?;
        let signed_again = any(of_type(SignatureType::MlDsa44), |log| {
            cosignature::verify_ml_dsa(&self.note, &self.checkpoint, log).map(drop)
        });
        signed_again.unwrap_or(Ok(()))?;
        Ok(&self.checkpoint)
    }

    /// What the checkpoint says, without any proof that the log said it: to find the right keys.
    #[must_use]
    pub const fn unverified(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The note around the checkpoint.
    #[must_use]
    pub const fn note(&self) -> &Note {
        &self.note
    }
}

impl fmt::Display for SignedCheckpoint {
    /// The signed note.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.note.fmt(f)
    }
}

/// Whether one of the keys verifies: `None` without any, otherwise success or the last failure.
fn any<'a>(
    keys: impl Iterator<Item = &'a VerifierKey>,
    verify: impl Fn(&VerifierKey) -> Result<(), NoteError>,
) -> Option<Result<(), CheckpointError>> {
    let mut outcome = None;
    for key in keys {
        match verify(key) {
            Ok(()) => return Some(Ok(())),
            Err(error) => outcome = Some(Err(error.into())),
        }
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\u{2014} example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n";

    #[test]
    fn the_example_of_the_standard_parses_and_round_trips() {
        let signed = SignedCheckpoint::parse(EXAMPLE.as_bytes()).unwrap();
        assert_eq!(signed.unverified().origin(), "example.com/behind-the-sofa");
        assert_eq!(signed.unverified().size(), 20_852_163);
        assert_eq!(signed.to_string(), EXAMPLE);
        assert_eq!(signed.unverified().to_string(), signed.note().text());
    }

    #[test]
    fn other_texts_are_refused() {
        for changed in [
            EXAMPLE.replace("20852163", "020852163"),
            EXAMPLE.replace("20852163", "+20852163"),
            EXAMPLE.replace("20852163", "18446744073709551616"),
            EXAMPLE.replace("20852163", "0"),
            EXAMPLE.replace("q2I=\n", "q2I\n"),
            EXAMPLE.replace("q2I=\n", "q2I=\nextension\n"),
            EXAMPLE.replacen("example.com/behind-the-sofa", "", 1),
            EXAMPLE.replacen("20852163\n", "", 1),
        ] {
            assert!(
                matches!(
                    SignedCheckpoint::parse(changed.as_bytes()),
                    Err(CheckpointError::Malformed { .. })
                ),
                "{changed}"
            );
        }
    }
}
