//! The witnesses of the Policy that run elsewhere: each is asked for its cosignature by
//! [C2SP tlog-witness](https://c2sp.org/tlog-witness), all at once, until the Policy is satisfied.

use std::collections::BTreeMap;
use std::time::Duration;

use server::Fetcher;
use server::fetch::FetchError;
use server::fetch::Outgoing;
use store::Store;
use store::records::RecordError;
use thiserror::Error;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio::time::timeout_at;
use trust::checkpoint::SignedCheckpoint;
use trust::cosignature;
use trust::merkle;
use trust::merkle::Hash;
use trust::note::MAX_NOTE_BYTES;
use trust::note::NoteError;
use trust::note::NoteSignature;
use trust::note::VerifierKey;
use trust::tiles::TreeEdge;
use trust::tlog_policy::TlogPolicy;
use trust::tlog_witness::AddCheckpoint;
use trust::tlog_witness::parse_answer;
use trust::tlog_witness::parse_size;

use crate::published::Tiles;
use crate::published::over_tiles;

/// A quorum that has not answered by then is out of reach: a witness needs one commit to its disk. Whoever meets two groups
/// of entries that wait so long still gets an answer before the request is given up (`crates/server/src/guard.rs`).
const PATIENCE: Duration = Duration::from_secs(5);

/// A witness that was met for the first time, or that lost an answer of ours, tells its size in the first answer. More
/// than a second such answer means that others ask it for the same log.
const ATTEMPTS: usize = 3;

/// What the witnesses of elsewhere were last known to have cosigned.
pub(crate) struct Cosigners {
    fetcher: Fetcher,
    /// By URL: the size of the tree.
    sizes: BTreeMap<String, u64>,
}

/// A witness did not cosign. Whether that is our fault, it alone knows.
#[derive(Debug, Error)]
enum AskError {
    #[error("the answer is no cosignature")]
    Answer(#[from] NoteError),
    #[error("the witness does not answer")]
    Fetch(#[from] FetchError),
    #[error("the witness answered, and its own line is not there")]
    NoLine,
    #[error("the log cannot be read for a consistency proof")]
    Record(#[from] RecordError),
    #[error("the witness refuses with HTTP status {status}: {text}")]
    Refused { status: u16, text: String },
    #[error(
        "the witness has cosigned {found} entries, where the log has {expected}: another log of this name is about"
    )]
    Larger { expected: u64, found: u64 },
}

/// A checkpoint and the tree below it, for one question.
struct Question {
    fetcher: Fetcher,
    checkpoint: SignedCheckpoint,
    edge: TreeEdge,
    store: Store,
    url: String,
    /// The keys that cosign there: a witness that makes several statements has a key for each.
    keys: Vec<VerifierKey>,
    /// What they are thought to know.
    old: u64,
}

impl Cosigners {
    pub(crate) const fn new(fetcher: Fetcher) -> Self {
        Self {
            fetcher,
            sizes: BTreeMap::new(),
        }
    }

    /// Adds cosignatures of the `policy`'s witnesses to `checkpoint`, whose tree has this `edge`, until the policy and its
    /// `state_quorum` are satisfied, nobody is left to ask, or the patience ends. The witness with the key `own` was asked
    /// already.
    pub(crate) async fn collect(
        &mut self,
        checkpoint: &mut SignedCheckpoint,
        policy: &TlogPolicy,
        state_quorum: &str,
        edge: &TreeEdge,
        store: &Store,
        own: &VerifierKey,
    ) {
        let mut by_url: BTreeMap<&str, Vec<VerifierKey>> = BTreeMap::new();
        for witness in policy.witnesses().iter().filter(|witness| witness.key() != own) {
            if let Some(url) = witness.url() {
                by_url.entry(url).or_default().push(witness.key().clone());
            }
        }
        let mut asked = JoinSet::new();
        for (url, keys) in by_url {
            let question = Question {
                fetcher: self.fetcher.clone(),
                checkpoint: checkpoint.clone(),
                edge: edge.clone(),
                store: store.clone(),
                url: url.to_owned(),
                keys,
                old: self.sizes.get(url).copied().unwrap_or(0),
            };
            asked.spawn(async move { (question.url.clone(), question.ask().await) });
        }
        let end = Instant::now() + PATIENCE;
        while policy.verify_with(checkpoint, state_quorum).is_err() {
            let Ok(Some(Ok((url, answer)))) = timeout_at(end, asked.join_next()).await else {
                break;
            };
            match answer {
                Ok(lines) => {
                    for line in lines {
                        checkpoint.add(line);
                    }
                    self.sizes.insert(url, edge.size());
                }
                Err(error) => {
                    self.sizes.remove(&url);
                    tracing::warn!(witness = %url, cause = %server::problem::chain(&error), "no cosignature");
                }
            }
        }
        // The others are not cut off: a witness that is always the last would otherwise learn nothing, and be of no use
        // when it is needed.
        asked.detach_all();
    }
}

impl Question {
    async fn ask(self) -> Result<Vec<NoteSignature>, AskError> {
        let url = format!("{}/add-checkpoint", self.url.trim_end_matches('/'));
        let size = self.edge.size();
        let mut old = self.old;
        let mut refused = (409, String::new());
        for _ in 0..ATTEMPTS {
            let proof = self.proof(old).await?;
            let body = AddCheckpoint::new(old, proof, self.checkpoint.clone()).to_string();
            let request = Outgoing::post(&url, "text/plain; charset=utf-8", body, MAX_NOTE_BYTES)?;
            let answer = self.fetcher.send(request).await?;
            if answer.status == 200 {
                return self.lines(&answer.body);
            }
            let known = parse_size(&answer.body).filter(|known| answer.status == 409 && *known != old);
            refused = (answer.status, short(&answer.body));
            match known {
                Some(found) if found > size => return Err(AskError::Larger { expected: size, found }),
                Some(known) => old = known,
                None => break,
            }
        }
        let (status, text) = refused;
        Err(AskError::Refused { status, text })
    }

    /// The lines of the known keys; "the client MUST ignore any cosignatures from unknown keys". There may be fewer than
    /// keys: a witness that cannot make one statement may still make another.
    fn lines(&self, body: &[u8]) -> Result<Vec<NoteSignature>, AskError> {
        let mut found = Vec::new();
        for line in parse_answer(body)? {
            let of_line = |key: &&VerifierKey| (line.name(), line.id()) == (key.name(), key.id());
            if let Some(key) = self.keys.iter().find(of_line) {
                let mut cosigned = self.checkpoint.clone();
                cosigned.add(line.clone());
                cosignature::verify(&cosigned, key)?;
                found.push(line);
            }
        }
        if found.is_empty() {
            return Err(AskError::NoLine);
        }
        Ok(found)
    }

    async fn proof(&self, old: u64) -> Result<Vec<Hash>, RecordError> {
        let size = self.edge.size();
        if old == 0 || old >= size {
            return Ok(Vec::new());
        }
        // Not kept for longer than that: a witness may take its time.
        let store = self.store.snapshot().await?;
        over_tiles(&store, &self.edge, &mut Tiles::default(), |nodes| {
            merkle::consistency_proof(nodes, old, size)
        })
        .await
    }
}

/// The beginning of a text that a stranger wrote, for a log.
fn short(body: &[u8]) -> String {
    String::from_utf8_lossy(body)
        .chars()
        .filter(|character| !character.is_control())
        .take(200)
        .collect()
}
