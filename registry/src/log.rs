//! The log as its writer holds it: from accepted entries to a published checkpoint.
//!
//! The order survives a crash at every point, and nothing that could be a fork is ever signed:
//!
//! 1. Entries, full tiles, contents and the text of the new checkpoint become durable in one commit. The witness executes
//!    them meanwhile.
//! 2. Only then the log signs that checkpoint.
//! 3. The witness makes its record durable, then cosigns, and the Policy's witnesses of elsewhere are asked.
//! 4. The head becomes durable, then visible.
//!
//! After a crash between 1 and 4 the log begins with a new Snapshot on top of what 1 left, and has that
//! witnessed: the Snapshot before may be too old by then. Entries that are durable never go away.
//!
//! Where several processes have the store, one of them writes (`lease.rs`) and the others follow it
//! ([`Log::catch_up`]), so that each can go on where it stops.

use std::collections::BTreeMap;
use std::sync::Arc;

use ::store::CommitError;
use ::store::Snapshot;
use ::store::records::RecordError;
use keys::SignerError;
use thiserror::Error;
use tokio::time::Instant;
use trust::Anchor;
use trust::anchor::AnchorError;
use trust::checkpoint::Checkpoint;
use trust::checkpoint::CheckpointError;
use trust::checkpoint::SignedCheckpoint;
use trust::entry::AssembleError;
use trust::merkle::Hash;
use trust::merkle::leaf_hash;
use trust::note::NoteError;
use trust::state::Projecting;
use trust::state::Refusal;
use trust::state::SnapshotTimes;
use trust::state::State;
use trust::tiles::TreeEdge;

use crate::blobs;
use crate::cosigners::Cosigners;
use crate::lease::Term;
use crate::projecting::Projector;
use crate::published::Published;
use crate::published::UnfitError;
use crate::setup::Setup;
use crate::store;
use crate::store::Additions;
use crate::store::HEAD;
use crate::store::PENDING;
use crate::store::Replace;
use crate::store::damaged;
use crate::witness::Replay;
use crate::witness::Witness;
use crate::witness::WitnessError;

/// When the next Snapshot is meant to come. One comes every five minutes; an hour without means trouble.
const NEXT_UPDATE_SECONDS: i64 = 3_600;

/// No bundle older than a month counts, whatever a credential type allows.
const HARD_EXPIRY_SECONDS: i64 = 30 * 86_400;

/// The log at its end.
pub(crate) struct Log {
    setup: Arc<Setup>,
    state: Arc<State>,
    edge: TreeEdge,
    /// The text under `pending`, as it must still be stored.
    pending: Option<String>,
    /// The leaves from `first` on, which the witness or the world has not seen.
    unpublished: Vec<Vec<u8>>,
    first: u64,
    witness: Witness,
    cosigners: Cosigners,
    projector: Projector,
    published: Option<Arc<Published>>,
}

/// Entries that are about to be added.
pub(crate) struct Growth {
    /// The witness's execution of the same entries.
    replay: Replay,
    state: State,
    edge: TreeEdge,
    additions: Additions,
    known: BTreeMap<Hash, u64>,
}

/// The service cannot start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The genesis Policy gives no anchor: the caller's fault.
    #[error("the genesis Policy cannot begin a log")]
    Anchor(#[from] AnchorError),
    /// An entry in the store does not count: the store was changed by other hands.
    #[error("the entry of index {index} in the store is invalid")]
    Entry {
        /// Its index.
        index: u64,
        /// Why.
        #[source]
        refusal: Refusal,
    },
    /// The keys or the Policy are not for this service: the caller's fault.
    #[error("expected a policy with this log's name and key, and a URL for every witness but this service's own")]
    Keys,
    /// The name of the log or a key is not usable: the caller's fault.
    #[error("expected a log name without spaces and Ed25519 keys")]
    Name(#[from] NoteError),
    /// The log is empty and there is nothing to begin with: the caller's fault.
    #[error("expected a genesis Policy for the empty log, found none")]
    NoGenesis,
    /// The log began with another Policy: the caller's fault.
    #[error("expected the genesis Policy that the log began with, found another")]
    OtherGenesis,
    /// The entries in the store do not give the tree that was signed.
    #[error("expected the tree that the log signed, found another: the store was changed by other hands")]
    Root,
    /// What was left is not witnessed, or no Snapshot can be made now.
    #[error("the log cannot go on")]
    Seal(#[from] SealError),
    /// The store failed.
    #[error("the registry's store cannot be used")]
    Store(#[from] RecordError),
    /// The witness does not recognize the log.
    #[error("the state witness does not accept the log in the store")]
    Witness(#[from] WitnessError),
}

/// A checkpoint was not published. The environment's fault, or a refusal by the witness.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SealError {
    /// The Snapshot is too large: our fault.
    #[error("the snapshot cannot be assembled")]
    Assemble(#[from] AssembleError),
    /// The checkpoint cannot be written: our fault.
    #[error("the checkpoint cannot be written")]
    Checkpoint(#[from] CheckpointError),
    /// The store did not take the entries, or the head.
    #[error("the log was not saved")]
    Commit(#[from] CommitError),
    /// Another process is the sequencer by now, or none is.
    #[error("expected to be the log's sequencer, found that another process may be")]
    NotSequencer,
    /// What was stored cannot be read back.
    #[error("the log cannot be read")]
    Record(#[from] RecordError),
    /// What was stored does not open again.
    #[error("the log was given up after a failure and does not open again")]
    Reopen(#[source] Box<OpenError>),
    /// The log's key did not sign.
    #[error("the log did not sign")]
    Signer(#[from] SignerError),
    /// The state machine refuses our own Snapshot.
    #[error("the snapshot is refused")]
    Snapshot(#[source] Refusal),
    /// Signatures and tree do not satisfy the Policy in force.
    #[error("the checkpoint is not fit to be published")]
    Unfit(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Too few witnesses of elsewhere cosigned. The entries are durable and are published with the next checkpoint.
    #[error("the checkpoint is not cosigned by as many witnesses as the policy demands")]
    Unwitnessed(#[source] UnfitError),
    /// The witness did not cosign. Nothing was published.
    #[error("the checkpoint was not cosigned")]
    Witness(#[from] WitnessError),
}

impl Log {
    /// Replays the log in the store; an empty one awaits its first entry, `genesis`.
    pub(crate) async fn open(
        setup: Arc<Setup>,
        snapshot: &Snapshot,
        genesis: Option<&[u8]>,
    ) -> Result<Self, OpenError> {
        let is_empty = store::text(snapshot, PENDING).await?.is_none();
        let stored = store::entries(snapshot, 0, u64::from(!is_empty)).await?;
        let first = stored.first().map(Vec::as_slice);
        if let (Some(first), Some(genesis)) = (first, genesis)
            && first != genesis
        {
            return Err(OpenError::OtherGenesis);
        }
        let anchor = Anchor::of_genesis(first.or(genesis).ok_or(OpenError::NoGenesis)?)?;
        if *anchor.log() != setup.log.verifier {
            return Err(OpenError::Keys);
        }
        let mut log = Self {
            state: Arc::new(State::new(anchor.clone())),
            edge: TreeEdge::default(),
            pending: None,
            unpublished: Vec::new(),
            first: 0,
            witness: Witness::new(setup.clone(), anchor),
            cosigners: Cosigners::new(setup.fetcher.clone()),
            projector: Projector::default(),
            published: None,
            setup,
        };
        log.catch_up(snapshot).await?;
        Ok(log)
    }

    /// Takes in what the store has beyond what this process knows. After an error the log must be opened again.
    pub(crate) async fn catch_up(&mut self, snapshot: &Snapshot) -> Result<(), OpenError> {
        let pending = store::text(snapshot, PENDING).await?;
        let (size, root) = match &pending {
            Some(text) => parse_pending(text).ok_or_else(|| damaged(PENDING))?,
            None => (0, TreeEdge::default().root()),
        };
        let news = size.checked_sub(self.edge.size()).ok_or(OpenError::Root)?;
        let leaves = store::entries(snapshot, self.edge.size(), news).await?;
        self.follow(snapshot, leaves).await?;
        if self.edge.root() != root {
            return Err(OpenError::Root);
        }
        self.pending = pending;
        let policy = self.state.policy();
        if policy.is_some_and(|policy| !self.setup.can_serve(policy.body())) {
            return Err(OpenError::Keys);
        }
        self.witness.catch_up(snapshot, self.first, &self.unpublished).await?;
        let seen = self.published.as_ref().map_or(0, |head| head.size());
        let first = self.witness.size().min(seen);
        let known = usize::try_from(first.saturating_sub(self.first)).unwrap_or(usize::MAX);
        self.unpublished.drain(..known.min(self.unpublished.len()));
        self.first = self.first.max(first);
        Ok(())
    }

    /// Applies the next leaves. On the way it meets the published head, whose signatures and root must hold.
    async fn follow(&mut self, snapshot: &Snapshot, leaves: Vec<Vec<u8>>) -> Result<(), OpenError> {
        let head = store::text(snapshot, HEAD).await?;
        let known = self.published.as_ref().map(|head| head.checkpoint.to_string());
        let is_new = head != known;
        let head = match head {
            Some(note) => Some(SignedCheckpoint::parse(note.as_bytes()).map_err(|_| damaged(HEAD))?),
            None => None,
        };
        let mut awaited = head.as_ref().map(|head| head.unverified().size()).filter(|_| is_new);
        let (mut state, mut edge) = ((*self.state).clone(), self.edge.clone());
        let mut meet = |state: &State, edge: &TreeEdge, leaf: &[u8]| {
            if let Some(head) = head.as_ref().filter(|_| awaited == Some(edge.size())) {
                let at_head = Published::new(Arc::new(state.clone()), edge.clone(), head.clone(), leaf.to_vec());
                self.published = Some(Arc::new(at_head.map_err(|_| OpenError::Root)?));
                awaited = None;
            }
            Ok::<_, OpenError>(())
        };
        if let Some(last) = self.unpublished.last() {
            meet(&state, &edge, last)?;
        }
        for leaf in &leaves {
            let index = edge.size();
            state
                .apply(index, leaf)
                .map_err(|refusal| OpenError::Entry { index, refusal })?;
            edge.append(leaf_hash(leaf), |_, _| {});
            meet(&state, &edge, leaf)?;
        }
        if awaited.is_some() {
            return Err(OpenError::Root);
        }
        (self.state, self.edge) = (Arc::new(state), edge);
        self.unpublished.extend(leaves);
        Ok(())
    }

    /// The state after all durable entries, published or not.
    pub(crate) const fn state(&self) -> &Arc<State> {
        &self.state
    }

    /// The last published checkpoint, if everything durable is under it.
    pub(crate) fn published(&self) -> Option<&Arc<Published>> {
        self.published.as_ref().filter(|head| head.size() == self.edge.size())
    }

    /// The last published checkpoint, whatever is durable beyond it.
    pub(crate) fn last_published(&self) -> Option<Arc<Published>> {
        self.published.clone()
    }

    /// Begins to add entries. Nothing changes before [`Log::seal`].
    pub(crate) fn grow(&self) -> Growth {
        Growth {
            replay: self.replay(),
            state: (*self.state).clone(),
            edge: self.edge.clone(),
            additions: Additions {
                first: self.edge.size(),
                ..Additions::default()
            },
            known: BTreeMap::new(),
        }
    }

    /// Adds the entries and a Snapshot on top, and returns when the witnessed checkpoint is durable.
    pub(crate) async fn seal(&mut self, term: &Term, mut growth: Growth) -> Result<Arc<Published>, SealError> {
        let time = self.setup.clock.now().max(growth.state.time());
        let times = SnapshotTimes {
            time,
            next_update: time.plus(NEXT_UPDATE_SECONDS),
            hard_expiry: time.plus(HARD_EXPIRY_SECONDS),
        };
        let (projecting, begun) = (self.projector.due(&growth.state), Instant::now());
        let leaf = growth.state.snapshot(times, projecting)?;
        let made = (projecting == Projecting::Anew).then(|| Projector::made(&growth.state, begun));
        growth.append(leaf, BTreeMap::new()).map_err(SealError::Snapshot)?;
        let checkpoint = Checkpoint::new(growth.state.anchor().origin(), growth.edge.size(), growth.edge.root())?;
        let Growth {
            replay,
            state,
            edge,
            mut additions,
            ..
        } = growth;
        additions.pending = pending_text(&checkpoint);
        match store::extend(&self.setup.store, term, self.pending.as_deref(), &additions).await? {
            Replace::Done => {}
            Replace::Stale => return Err(SealError::NotSequencer),
        }
        self.projector.remember(made);
        (self.state, self.edge) = (Arc::new(state), edge);
        self.unpublished
            .extend(additions.leaves.into_iter().map(|(_, leaf)| leaf));
        self.pending = Some(additions.pending);
        self.publish(term, checkpoint, replay).await
    }

    /// Publishes what is durable, as it is. Its Snapshot must not be too old for its witnesses.
    pub(crate) async fn publish_again(&mut self, term: &Term) -> Result<Arc<Published>, SealError> {
        let origin = self.state.anchor().origin();
        let checkpoint = Checkpoint::new(origin, self.edge.size(), self.edge.root())?;
        self.publish(term, checkpoint, self.replay()).await
    }

    /// The witness's execution, begun with the durable leaves that it has not seen.
    fn replay(&self) -> Replay {
        let replay = self.witness.replay();
        let seen = usize::try_from(self.witness.size().saturating_sub(self.first)).unwrap_or(usize::MAX);
        for leaf in self.unpublished.iter().skip(seen) {
            replay.add(leaf.clone());
        }
        replay
    }

    /// Why the state refuses a leaf, if it does.
    pub(crate) fn refusal(&self, leaf: &[u8]) -> Option<Refusal> {
        let mut state = (*self.state).clone();
        state.apply(self.edge.size(), leaf).err()
    }

    /// Signs what is durable, has it cosigned, and publishes it.
    async fn publish(
        &mut self,
        term: &Term,
        checkpoint: Checkpoint,
        replay: Replay,
    ) -> Result<Arc<Published>, SealError> {
        let log = &self.setup.log;
        // A process that was stopped after it had saved, and woke after another took over, goes no further.
        if !self.setup.lease.is_held(term) {
            return Err(SealError::NotSequencer);
        }
        tracing::debug!(size = checkpoint.size(), root = %checkpoint.root(), "the log signs");
        let mut signed = log.signer.fulfil(SignedCheckpoint::sign(checkpoint, &log.verifier)?)?;
        if let Some(second) = &self.setup.second {
            let request = signed.sign_again(self.setup.clock.now(), &second.verifier)?;
            signed.add(request.fulfil(&*second.signer)?);
        }
        let cosignature = self.witness.cosign(term, &signed, replay).await?;
        signed.add(cosignature);
        if let Some(policy) = self.state.policy() {
            let (witnesses, quorum) = (policy.witnesses(), &policy.body().state_quorum);
            let (store, own) = (&self.setup.store, &self.setup.witness.verifier);
            let cosigners = &mut self.cosigners;
            cosigners
                .collect(&mut signed, witnesses, quorum, &self.edge, store, own)
                .await;
        }
        let snapshot = self.unpublished.last().cloned().unwrap_or_default();
        let head = match Published::new(self.state.clone(), self.edge.clone(), signed, snapshot) {
            Ok(head) => head,
            Err(error @ UnfitError::Witnesses(_)) => return Err(SealError::Unwitnessed(error)),
            Err(error) => return Err(SealError::Unfit(error.into())),
        };
        let before = self.published.as_ref().map(|before| &*before.state);
        let retired = blobs::retired(before, &head.state, self.setup.clock.now());
        let expected = self.pending.as_deref().unwrap_or_default();
        let note = head.checkpoint.to_string();
        match store::publish(&self.setup.store, term, expected, &note, &retired).await? {
            Replace::Done => {}
            Replace::Stale => return Err(SealError::NotSequencer),
        }
        self.unpublished.clear();
        self.first = head.size();
        let head = Arc::new(head);
        self.published = Some(head.clone());
        Ok(head)
    }
}

impl Growth {
    /// Adds a leaf that the state machine accepts, with its contents, and returns its index.
    ///
    /// # Errors
    /// [`Refusal`]; nothing is added.
    pub(crate) fn append(&mut self, leaf: Vec<u8>, blobs: BTreeMap<Hash, Vec<u8>>) -> Result<u64, Refusal> {
        let index = self.edge.size();
        self.state.apply(index, &leaf)?;
        let hash = leaf_hash(&leaf);
        let tiles = &mut self.additions.tiles;
        self.edge.append(hash, |tile, hashes| tiles.push((tile, hashes)));
        self.known.insert(hash, index);
        self.replay.add(leaf.clone());
        self.additions.leaves.push((hash, leaf));
        self.additions.blobs.extend(blobs);
        Ok(index)
    }

    /// The index of a leaf that was added here.
    pub(crate) fn index_of(&self, hash: Hash) -> Option<u64> {
        self.known.get(&hash).copied()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.additions.leaves.is_empty()
    }
}

impl SealError {
    /// Whether it is known what the store holds. If not, the log is read again before anything else.
    pub(crate) const fn is_settled(&self) -> bool {
        match self {
            Self::Assemble(_)
            | Self::Checkpoint(_)
            | Self::Signer(_)
            | Self::Snapshot(_)
            | Self::Unfit(_)
            | Self::Unwitnessed(_)
            | Self::Witness(WitnessError::Refused(_) | WitnessError::Signer(_)) => true,
            Self::Commit(_)
            | Self::NotSequencer
            | Self::Record(_)
            | Self::Reopen(_)
            | Self::Witness(
                WitnessError::OtherWitness
                | WitnessError::Record(_)
                | WitnessError::Rollback { .. }
                | WitnessError::Stopped(_),
            ) => false,
        }
    }
}

fn pending_text(checkpoint: &Checkpoint) -> String {
    format!("{} {}", checkpoint.size(), checkpoint.root())
}

pub(crate) fn parse_pending(text: &str) -> Option<(u64, Hash)> {
    let (size, root) = text.split_once(' ')?;
    Some((size.parse().ok()?, Hash::parse_hex(root).ok()?))
}
