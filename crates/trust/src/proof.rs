//! Proofs for use without a network: an index, an inclusion path and a witnessed checkpoint in one text.
//!
//! [C2SP tlog-proof](https://c2sp.org/tlog-proof), `c2sp.org/tlog-proof@v1`.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;

use crate::checkpoint::CheckpointError;
use crate::checkpoint::SignedCheckpoint;
use crate::merkle;
use crate::merkle::Hash;
use crate::merkle::MAX_PROOF_HASHES;
use crate::merkle::ProofError;
use crate::note::MAX_NOTE_BYTES;
use crate::tiles::decimal;
use crate::tlog_policy::TlogPolicy;
use crate::tlog_policy::WitnessError;
use crate::tlog_policy::WitnessedCheckpoint;

const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// The checkpoint, 64 lines of hashes, and as much again for `extra`.
pub const MAX_TLOG_PROOF_BYTES: usize = 2 * MAX_NOTE_BYTES;

/// A parsed proof, not yet verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlogProof {
    extra: Option<Vec<u8>>,
    index: u64,
    path: Vec<Hash>,
    checkpoint: SignedCheckpoint,
}

/// Why a text is no proof. The sender's fault.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlogProofError {
    /// The checkpoint in it is broken.
    #[error("the checkpoint of the tlog-proof is broken")]
    Checkpoint(#[from] CheckpointError),
    /// The leaf is not at the index of the tree.
    #[error("the inclusion path of the tlog-proof does not hold")]
    Inclusion(#[from] ProofError),
    /// Not the format.
    #[error("expected a tlog-proof: {expected}")]
    Malformed {
        /// What was expected at the place of the fault.
        expected: &'static str,
    },
    /// The checkpoint lacks signatures that the policy demands.
    #[error("the checkpoint of the tlog-proof is not witnessed as the policy demands")]
    Witnesses(#[from] WitnessError),
}

impl TlogProof {
    /// A proof from its parts.
    #[must_use]
    pub const fn new(index: u64, path: Vec<Hash>, checkpoint: SignedCheckpoint) -> Self {
        Self {
            extra: None,
            index,
            path,
            checkpoint,
        }
    }

    /// Parses a proof; nothing is verified.
    ///
    /// # Errors
    /// [`TlogProofError::Malformed`], [`TlogProofError::Checkpoint`].
    pub fn parse(text: &str) -> Result<Self, TlogProofError> {
        let malformed = |expected| TlogProofError::Malformed { expected };
        if text.len() > MAX_TLOG_PROOF_BYTES {
            return Err(malformed("at most 320 KiB"));
        }
        let (head, checkpoint) = text
            .split_once("\n\n")
            .ok_or_else(|| malformed("an empty line before the checkpoint"))?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(HEADER) {
            return Err(malformed("the first line `c2sp.org/tlog-proof@v1`"));
        }
        let extra = match lines.next_if(|line| line.starts_with("extra ")) {
            Some(line) => Some(
                STANDARD
                    .decode(line.trim_start_matches("extra "))
                    .map_err(|_| malformed("extra data in base64"))?,
            ),
            None => None,
        };
        let index = lines
            .next()
            .and_then(|line| line.strip_prefix("index "))
            .and_then(decimal);
        let index = index.ok_or_else(|| malformed("a line `index <decimal>`"))?;
        let path: Result<Vec<Hash>, _> = lines.take(MAX_PROOF_HASHES + 1).map(Hash::parse_base64).collect();
        let path = path.map_err(|_| malformed("hashes in base64"))?;
        if path.len() > MAX_PROOF_HASHES {
            return Err(malformed("at most 64 hashes"));
        }
        Ok(Self {
            extra,
            index,
            path,
            checkpoint: SignedCheckpoint::parse(checkpoint.as_bytes())?,
        })
    }

    /// Verifies signatures, witnesses and inclusion of the leaf with this data.
    ///
    /// # Errors
    /// [`TlogProofError`] but `Malformed`.
    pub fn verify(&self, leaf: &[u8], policy: &TlogPolicy) -> Result<WitnessedCheckpoint, TlogProofError> {
        self.verify_witnessed(leaf, policy.verify(&self.checkpoint)?)
    }

    /// As [`TlogProof::verify`], with the further demand that this witness or group of the policy cosigned.
    ///
    /// # Errors
    /// [`TlogProofError`] but `Malformed`.
    pub fn verify_with(
        &self,
        leaf: &[u8],
        policy: &TlogPolicy,
        name: &str,
    ) -> Result<WitnessedCheckpoint, TlogProofError> {
        self.verify_witnessed(leaf, policy.verify_with(&self.checkpoint, name)?)
    }

    fn verify_witnessed(
        &self,
        leaf: &[u8],
        witnessed: WitnessedCheckpoint,
    ) -> Result<WitnessedCheckpoint, TlogProofError> {
        let checkpoint = witnessed.checkpoint();
        merkle::verify_inclusion(
            merkle::leaf_hash(leaf),
            self.index,
            checkpoint.size(),
            &self.path,
            checkpoint.root(),
        )?;
        Ok(witnessed)
    }

    /// Opaque data that nothing authenticates.
    #[must_use]
    pub fn extra(&self) -> Option<&[u8]> {
        self.extra.as_deref()
    }

    /// The index that the proof claims for its leaf.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// The checkpoint, not verified.
    #[must_use]
    pub const fn checkpoint(&self) -> &SignedCheckpoint {
        &self.checkpoint
    }
}

impl fmt::Display for TlogProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", STANDARD.encode(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        self.path
            .iter()
            .try_for_each(|hash| writeln!(f, "{}", hash.to_base64()))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the standard, whose shortened signatures are those of the example of tlog-cosignature.
    const PROOF: &str = "c2sp.org/tlog-proof@v1
extra YWdl
index 73894
gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=
B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

\u{2014} example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
\u{2014} witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
";

    #[test]
    fn a_proof_reads_and_writes_as_the_standard_has_it() {
        let proof = TlogProof::parse(PROOF).unwrap();
        assert_eq!(
            (proof.index(), proof.extra(), proof.path.len()),
            (73_894, Some(b"age".as_slice()), 2)
        );
        assert_eq!(proof.checkpoint().unverified().size(), 20_852_163);
        assert_eq!(proof.to_string(), PROOF);
        let bare = PROOF.replace("extra YWdl\n", "");
        assert_eq!(TlogProof::parse(&bare).unwrap().to_string(), bare);
    }

    #[test]
    fn malformed_proofs_are_refused() {
        let hash = "gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=\n";
        for changed in [
            PROOF.replace("@v1", "@v2"),
            PROOF.replace("extra YWdl", "extra YWd"),
            PROOF.replace("index 73894", "index 073894"),
            PROOF.replace("index 73894\n", ""),
            PROOF.replace(hash, "gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPl\n"),
            PROOF.replace(hash, &hash.repeat(MAX_PROOF_HASHES)),
            PROOF.replace("index 73894\n", "index 73894\nindex 1\n"),
            PROOF.replace("\n\nexample", "\nexample"),
            PROOF.replace("YWdl", &"YWdl".repeat(MAX_TLOG_PROOF_BYTES / 4)),
        ] {
            assert!(TlogProof::parse(&changed).is_err(), "{changed:.200}");
        }
    }
}
