//! The beginning of a log: the Policy that its officers sign before there is anything else.

use keys::Algorithm;
use keys::PublicKey;
use keys::Timestamp;
use keys::ml_dsa;
use trust::entry::Authority;
use trust::entry::Draft;
use trust::entry::PolicyBody;
use trust::entry::PolicyKind;
use trust::entry::Publication;
use trust::entry::Recovery;
use trust::note::NoteError;
use trust::note::SignatureType;
use trust::note::VerifierKey;

/// Name of the witness line, and so of the state quorum, in the tlog-policy text.
const STATE_WITNESS: &str = "state";

/// What a new registry begins with. Officers sign [`Genesis::draft`] on their own machines; the draft
/// assembled with at least the governing authority's threshold of signatures is the genesis leaf.
pub struct Genesis<'a> {
    /// The unique name of the log.
    pub log_name: &'a str,
    /// The log's Ed25519 key.
    pub log_key: &'a PublicKey,
    /// The log's key of ML-DSA-44, where its checkpoints shall count with both signatures only: whoever pins this log's
    /// genesis has then pinned that, too.
    pub second_log_key: Option<&'a ml_dsa::PublicKey>,
    /// The state witness's Ed25519 key.
    pub witness_key: &'a PublicKey,
    /// The first one governs. Thresholds are 2 or more; officers ascend by id.
    pub authorities: Vec<Authority>,
    /// Keys that replace a quorum of officers who lost theirs.
    pub recovery: Option<Recovery>,
    /// Under whose name and where the registry is shown in others' forms.
    pub publication: Option<Publication>,
    /// The time before the first Snapshot: now.
    pub time: Timestamp,
}

impl Genesis<'_> {
    /// The genesis Policy: one log, one state witness whose cosignature is the quorum, accredited DIDs of
    /// methods key and webvh, approvals with ESP256 and Ed25519.
    ///
    /// # Errors
    /// [`NoteError::VerifierKey`] for a name or key that no log or witness can have.
    pub fn draft(self) -> Result<Draft, NoteError> {
        let log = VerifierKey::new(self.log_name, SignatureType::Ed25519, self.log_key.clone())?;
        let mut logs = format!("log {log}\n");
        if let Some(second) = self.second_log_key {
            logs = format!("{logs}log {}\n", VerifierKey::ml_dsa(self.log_name, second.clone())?);
        }
        let witness_name = witness_name(self.log_name);
        let witness = VerifierKey::new(&witness_name, SignatureType::Cosignature, self.witness_key.clone())?;
        let policy = PolicyBody {
            kind: PolicyKind::Regular,
            authorities: self.authorities,
            witness_policy: format!("{logs}witness {STATE_WITNESS} {witness}\nquorum {STATE_WITNESS}\n"),
            state_quorum: STATE_WITNESS.to_owned(),
            methods: vec!["key".to_owned(), "webvh".to_owned()],
            algorithms: vec![Algorithm::Es256, Algorithm::EdDsa],
            recovery: self.recovery,
            genesis_time: Some(self.time),
            publication: self.publication,
        };
        Ok(Draft::genesis(self.log_name, policy))
    }
}

/// The name of the in-process state witness of a log.
#[must_use]
pub fn witness_name(log_name: &str) -> String {
    format!("{log_name}/witness")
}
