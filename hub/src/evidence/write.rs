//! Appending: one task takes what has queued up, gives each record its place, signs one checkpoint over all of
//! them and commits once. So the more calls there are, the less of a sync and a signature each one costs, and
//! nobody waits for a timer.
//!
//! A record is acknowledged only after the commit is durable, and a checkpoint is seen by nobody before.

use std::collections::VecDeque;
use std::sync::Arc;

use keys::Signer;
use keys::SignerError;
use keys::signing::fulfil;
use store::CommitError;
use store::Store;
use store::StoreError;
use store::Transaction;
use thiserror::Error;
use tokio::sync::mpsc;
use tokio::sync::oneshot;
use trust::checkpoint::Checkpoint;
use trust::checkpoint::CheckpointError;
use trust::checkpoint::SignedCheckpoint;
use trust::merkle::Hash;
use trust::merkle::leaf_hash;
use trust::note::VerifierKey;
use trust::tiles::Tile;
use trust::tiles::TileKind;
use trust::tiles::TreeEdge;
use trust::tiles::encode_hashes;

use super::EvidenceReader;
use super::HEAD;
use super::ReadError;
use super::id_key;
use super::record_key;
use super::salt_key;
use super::tile_key;
use crate::protocol::record::Draft;
use crate::protocol::record::MAX_RECORD_BYTES;
use crate::store::Change;
use crate::store::party_prefix;

/// Records of one commit. Ten times the calls that arrive during a slow sync at full load.
const MAX_BATCH: usize = 256;

/// Bytes of one commit: half of what a transaction takes, so that what a batch adds of its own fits too.
const MAX_BATCH_BYTES: usize = store::MAX_TRANSACTION_BYTES / 2;

/// What waits to be written; who comes later waits before the queue.
const QUEUE: usize = 1_024;

/// Other processes on the same store append too; each attempt begins with what they wrote.
const MAX_ATTEMPTS: usize = 32;

/// Nothing was acknowledged.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(crate) enum AppendError {
    /// What the change rests on has changed meanwhile.
    #[error("what the change rests on was changed by somebody else")]
    Changed,
    /// The log cannot be written now. The environment's fault.
    #[error("the evidence log cannot be written: {reason}")]
    Unavailable {
        /// Why.
        reason: String,
    },
}

/// The log could not be begun or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LogError {
    /// The checkpoint could not be made.
    #[error("the checkpoint of the evidence log cannot be made")]
    Checkpoint(#[from] CheckpointError),
    /// Not acknowledged.
    #[error("the store did not take evidence")]
    Commit(#[from] CommitError),
    /// The stored tree and the stored checkpoint disagree: damage, or another key or origin.
    #[error("expected the evidence log's records to lead to its signed checkpoint, found another root")]
    Damaged,
    /// A record that is larger than any honest one.
    #[error("expected a record of at most {MAX_RECORD_BYTES} bytes, found {found}")]
    RecordSize {
        /// Its size.
        found: usize,
    },
    /// A record could not be written as JSON.
    #[error("a record of evidence cannot be written as JSON")]
    Encode(#[from] serde_json::Error),
    /// What is stored cannot be read.
    #[error("the evidence log cannot be read")]
    Read(#[from] ReadError),
    /// The key cannot be used now.
    #[error("the evidence log's key cannot sign")]
    Sign(#[from] SignerError),
    /// The store.
    #[error("the store cannot be written")]
    Store(#[from] StoreError),
}

/// A handle on the log. Clones write to the same log, which ends with the last of them.
#[derive(Clone, Debug)]
pub(crate) struct EvidenceLog {
    queue: mpsc::Sender<Job>,
}

/// A record and the change that it is evidence of.
#[derive(Debug)]
struct Job {
    draft: Draft,
    change: Change,
    done: oneshot::Sender<Result<u64, AppendError>>,
}

/// The one task that writes.
struct Writer {
    store: Store,
    signer: Arc<dyn Signer>,
    key: VerifierKey,
    /// What was written last, unless somebody else may have written since.
    tree: Option<Tree>,
}

/// The log's right edge.
#[derive(Clone, Debug)]
struct Tree {
    edge: TreeEdge,
    /// The leaf hash of the last record.
    last: Hash,
    /// The checkpoint over it, as stored.
    head: Vec<u8>,
}

impl EvidenceLog {
    /// Opens the log in `store`, or begins it with a checkpoint of the empty tree, and starts its task.
    ///
    /// # Errors
    /// [`LogError`]; a log whose records and checkpoint disagree is not written to.
    pub(crate) async fn open(store: Store, signer: Arc<dyn Signer>, key: VerifierKey) -> Result<Self, LogError> {
        let mut writer = Writer {
            store,
            signer,
            key,
            tree: None,
        };
        writer.begin().await?;
        let (queue, jobs) = mpsc::channel(QUEUE);
        tokio::spawn(writer.run(jobs));
        Ok(Self { queue })
    }

    /// Appends a record and makes the change, both or neither. Returns the sequence once both are durable.
    ///
    /// # Errors
    /// [`AppendError`]; what was to be evidenced must then not be done, or not be told.
    pub(crate) async fn append(&self, draft: Draft, change: Change) -> Result<u64, AppendError> {
        let gone = || AppendError::Unavailable {
            reason: "its task has ended".to_owned(),
        };
        let (done, result) = oneshot::channel();
        self.queue.send(Job { draft, change, done }).await.map_err(|_| gone())?;
        result.await.map_err(|_| gone())?
    }
}

impl Writer {
    async fn begin(&mut self) -> Result<(), LogError> {
        let reader = EvidenceReader::new(self.store.clone());
        if reader.now().await?.is_none() {
            let head = self.sign(&TreeEdge::default())?;
            let transaction = self.store.begin().await?;
            // Another process may begin the same log: then its checkpoint is the one.
            if transaction.get(HEAD).await?.is_none() {
                transaction.put(HEAD, head)?;
                match transaction.commit().await {
                    Ok(()) | Err(CommitError::Conflict) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        self.tree = Some(self.load().await?);
        Ok(())
    }

    async fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut taken = Vec::new();
        while jobs.recv_many(&mut taken, MAX_BATCH).await > 0 {
            let mut waiting: VecDeque<Job> = taken.drain(..).collect();
            while !waiting.is_empty() {
                let mut size = 0;
                let fitting = waiting
                    .iter()
                    .take_while(|job| {
                        size += job.change.size() + MAX_RECORD_BYTES;
                        size <= MAX_BATCH_BYTES
                    })
                    .count();
                let batch = waiting.drain(..fitting.max(1)).collect();
                self.write(batch).await;
            }
        }
    }

    /// Writes a batch and answers each of its jobs.
    async fn write(&mut self, batch: Vec<Job>) {
        for _ in 0..MAX_ATTEMPTS {
            match self.attempt(&batch).await {
                Ok((tree, sequences)) => {
                    self.tree = Some(tree);
                    for (job, sequence) in batch.into_iter().zip(sequences) {
                        // Whoever does not wait any more has lost nothing: the record is there.
                        job.done.send(sequence.ok_or(AppendError::Changed)).ok();
                    }
                    return;
                }
                Err(LogError::Commit(CommitError::Conflict) | LogError::Store(StoreError::Conflict)) => {
                    self.tree = None;
                }
                Err(error) => {
                    self.tree = None;
                    let reason = server::problem::chain(&error);
                    tracing::error!(cause = %reason, "evidence was not written");
                    return refuse(batch, &reason);
                }
            }
        }
        refuse(batch, "other processes kept writing");
    }

    /// One transaction. `None` for a job whose change rests on something that has changed.
    async fn attempt(&mut self, batch: &[Job]) -> Result<(Tree, Vec<Option<u64>>), LogError> {
        let transaction = self.store.begin().await?;
        let stored = transaction.get(HEAD).await?;
        let mut tree = match &self.tree {
            Some(tree) if stored.as_ref() == Some(&tree.head) => tree.clone(),
            Some(_) | None => {
                let tree = self.load().await?;
                if stored.as_ref() != Some(&tree.head) {
                    return Err(CommitError::Conflict.into());
                }
                tree
            }
        };
        let mut sequences = Vec::new();
        for job in batch {
            sequences.push(add(&transaction, &mut tree, job).await?);
        }
        if sequences.iter().any(Option::is_some) {
            tree.head = self.sign(&tree.edge)?;
            transaction.put(HEAD, tree.head.clone())?;
            transaction.commit().await?;
        }
        Ok((tree, sequences))
    }

    fn sign(&self, edge: &TreeEdge) -> Result<Vec<u8>, LogError> {
        let checkpoint = Checkpoint::new(self.key.name(), edge.size(), edge.root())?;
        let request = SignedCheckpoint::sign(checkpoint, &self.key)?;
        Ok(fulfil(&*self.signer, request)?.to_string().into_bytes())
    }

    /// The tree as it is stored, checked against its checkpoint.
    async fn load(&self) -> Result<Tree, LogError> {
        let state = EvidenceReader::new(self.store.clone()).now().await?;
        let state = state.ok_or(LogError::Damaged)?;
        let checkpoint = state.head().verify_log(std::slice::from_ref(&self.key))?;
        let mut partial = Vec::new();
        let mut below = state.size();
        for level in 0.. {
            let index = below / u64::from(trust::tiles::TILE_WIDTH);
            if let Some(tile) = Tile::in_tree(TileKind::Hashes(level), index, state.size()) {
                partial.push((tile, state.hashes(tile).await?));
            }
            below = index;
            if below == 0 {
                break;
            }
        }
        let edge = TreeEdge::restore(state.size(), |tile| {
            let found = partial.iter().find(|(loaded, _)| *loaded == tile);
            found.map(|(_, hashes)| hashes.clone()).ok_or(LogError::Damaged)
        })?;
        if edge.root() != checkpoint.root() {
            return Err(LogError::Damaged);
        }
        let last = match state.size().checked_sub(1) {
            None => Hash::ZERO,
            Some(last) => leaf_hash(&state.record(last).await?),
        };
        Ok(Tree {
            edge,
            last,
            head: state.head().to_string().into_bytes(),
        })
    }
}

/// Puts one record and its change into the transaction, unless what the change rests on has changed.
async fn add(transaction: &Transaction, tree: &mut Tree, job: &Job) -> Result<Option<u64>, LogError> {
    for (key, expected) in job.change.expected() {
        // Reads what earlier jobs of the same batch wrote, too.
        if transaction.get(key).await? != *expected {
            return Ok(None);
        }
    }
    let sequence = tree.edge.size();
    let sealed = job.draft.seal(sequence, tree.last)?;
    if sealed.bytes.len() > MAX_RECORD_BYTES {
        return Err(LogError::RecordSize {
            found: sealed.bytes.len(),
        });
    }
    let mut full = Vec::new();
    tree.edge.append(sealed.leaf, |tile, hashes| full.push((tile, hashes)));
    tree.last = sealed.leaf;
    for (tile, hashes) in full {
        transaction.put(tile_key(tile), encode_hashes(&hashes))?;
    }
    transaction.put(record_key(sequence), sealed.bytes)?;
    transaction.put(id_key(&job.draft.id), sequence.to_be_bytes())?;
    if let Some(salt) = &job.draft.salt {
        transaction.put(salt_key(&job.draft.id), String::from(salt.clone()))?;
    }
    for party in job.draft.event.parties() {
        let key = [
            party_prefix("evidence/party/", party).as_slice(),
            &sequence.to_be_bytes(),
        ]
        .concat();
        transaction.put(key, [])?;
    }
    for (key, value) in job.change.writes() {
        transaction.put(key, value.clone())?;
    }
    Ok(Some(sequence))
}

fn refuse(batch: Vec<Job>, reason: &str) {
    for job in batch {
        let refused = AppendError::Unavailable {
            reason: reason.to_owned(),
        };
        job.done.send(Err(refused)).ok();
    }
}
