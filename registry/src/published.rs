//! What the world may see: the last checkpoint that was witnessed, and reads of the tree below it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use store::Snapshot;
use store::Store;
use store::records::RecordError;
use tokio::sync::watch;
use trust::bundle;
use trust::bundle::Profile;
use trust::bundle::Subjects;
use trust::checkpoint::SignedCheckpoint;
use trust::merkle;
use trust::merkle::Hash;
use trust::proof::TlogProof;
use trust::state::State;
use trust::tiles::Tile;
use trust::tiles::TileKind;
use trust::tiles::TileNodes;
use trust::tiles::TileNodesError;
use trust::tiles::TreeEdge;
use trust::tiles::encode_hashes;
use trust::tiles::push_entry;
use trust::tlog_policy::WitnessError;

use crate::BundleError;
use crate::log::parse_pending;
use crate::store::HEAD;
use crate::store::PENDING;
use crate::store::blob;
use crate::store::damaged;
use crate::store::entries;
use crate::store::text;
use crate::store::tile as stored_tile;

/// How often a bundle is begun anew because the log moved on under it.
const TRIES: usize = 20;

/// How long a head that the store has is waited for. Where another process writes it is seen a moment later.
const SEEN_WITHIN: Duration = Duration::from_millis(250);

/// State and tree at a checkpoint that satisfies the Policy in force.
pub(crate) struct Published {
    pub(crate) state: Arc<State>,
    pub(crate) edge: TreeEdge,
    pub(crate) checkpoint: SignedCheckpoint,
    /// The last leaf, a Snapshot.
    pub(crate) snapshot: Vec<u8>,
}

/// What was read and computed before: neighbours have most of their proofs in common.
#[derive(Default)]
pub(crate) struct Tiles {
    read: BTreeMap<Tile, Vec<Hash>>,
    /// By level and index. A complete subtree is the same in every larger tree.
    nodes: BTreeMap<(u8, u64), Hash>,
}

/// Why a checkpoint is not published.
#[derive(Debug, thiserror::Error)]
pub enum UnfitError {
    /// The tree is another one, or its last leaf is no Snapshot.
    #[error("expected the checkpoint of the tree, with a Snapshot as the last leaf, found another")]
    Tree,
    /// Its signatures do not satisfy the Policy.
    #[error("the checkpoint is not witnessed as the policy demands")]
    Witnesses(#[from] WitnessError),
}

impl Published {
    /// Checks that the checkpoint is of this state and tree and that a verifier would believe it.
    pub(crate) fn new(
        state: Arc<State>,
        edge: TreeEdge,
        checkpoint: SignedCheckpoint,
        snapshot: Vec<u8>,
    ) -> Result<Self, UnfitError> {
        let policy = state.policy().ok_or(UnfitError::Tree)?;
        policy
            .witnesses()
            .verify_with(&checkpoint, &policy.body().state_quorum)?;
        let claimed = checkpoint.unverified();
        let last = state.clock().and_then(|clock| clock.index.checked_add(1));
        if (claimed.size(), claimed.root()) != (edge.size(), edge.root()) || last != Some(edge.size()) {
            return Err(UnfitError::Tree);
        }
        Ok(Self {
            state,
            edge,
            checkpoint,
            snapshot,
        })
    }

    pub(crate) const fn size(&self) -> u64 {
        self.edge.size()
    }

    /// The proof that the leaf at `index` is in the tree. `known` holds the tiles read so far.
    pub(crate) async fn proof(
        &self,
        store: &Snapshot,
        index: u64,
        known: &mut Tiles,
    ) -> Result<TlogProof, RecordError> {
        let path = over_tiles(store, &self.edge, known, |nodes| {
            merkle::inclusion_proof(nodes, index, self.size())
        });
        Ok(TlogProof::new(index, path.await?, self.checkpoint.clone()))
    }

    /// The bytes of a tile, as wide as it is asked for; `None` where the tree has no such tile.
    pub(crate) async fn tile(&self, store: &Snapshot, wanted: Tile) -> Result<Option<Vec<u8>>, RecordError> {
        let Some(widest) = Tile::in_tree(wanted.kind(), wanted.index(), self.size()) else {
            return Ok(None);
        };
        if wanted.width() > widest.width() {
            return Ok(None);
        }
        match wanted.kind() {
            TileKind::Entries => entry_bundle(store, wanted).await.map(Some),
            TileKind::Hashes(_) => {
                let hashes = match partial(&self.edge, widest) {
                    Some(hashes) => hashes,
                    None => stored_tile(store, widest).await?,
                };
                Ok(hashes.get(..usize::from(wanted.width())).map(encode_hashes))
            }
        }
    }
}

/// Nodes of a tree whose tiles are at hand, each computed once.
pub(crate) struct KnownNodes<'a> {
    tiles: TileNodes<&'a dyn Fn(Tile) -> Result<Vec<Hash>, Tile>>,
    nodes: RefCell<&'a mut BTreeMap<(u8, u64), Hash>>,
}

impl merkle::Nodes for KnownNodes<'_> {
    type Error = TileNodesError<Tile>;

    fn node(&self, level: u8, index: u64) -> Result<Hash, Self::Error> {
        if let Some(hash) = self.nodes.borrow().get(&(level, index)) {
            return Ok(*hash);
        }
        let hash = self.tiles.node(level, index)?;
        self.nodes.borrow_mut().insert((level, index), hash);
        Ok(hash)
    }
}

/// Makes something of the nodes of the tree with this edge. Tiles that it needs are read and kept in `known`.
pub(crate) async fn over_tiles<T>(
    store: &Snapshot,
    edge: &TreeEdge,
    known: &mut Tiles,
    make: impl Fn(&KnownNodes<'_>) -> Result<T, TileNodesError<Tile>>,
) -> Result<T, RecordError> {
    loop {
        let result = {
            let Tiles { read, nodes } = known;
            let fetch = |tile: Tile| partial(edge, tile).or_else(|| read.get(&tile).cloned()).ok_or(tile);
            make(&KnownNodes {
                tiles: TileNodes::new(edge.size(), &fetch),
                nodes: RefCell::new(nodes),
            })
        };
        match result {
            Ok(done) => return Ok(done),
            Err(TileNodesError::Fetch(missing)) => {
                known.read.insert(missing, stored_tile(store, missing).await?);
            }
            Err(TileNodesError::Missing { level, index }) => return Err(damaged(&format!("node {level}/{index}"))),
        }
    }
}

/// Partial tiles are in memory, full ones in the store.
fn partial(edge: &TreeEdge, tile: Tile) -> Option<Vec<Hash>> {
    let mut partial = edge.partial_tiles();
    partial
        .find(|(known, _)| *known == tile)
        .map(|(_, hashes)| hashes.to_vec())
}

/// The bundle of the published state, and the size of its tree.
pub(crate) async fn bundle(
    store: &Store,
    published: &watch::Receiver<Arc<Published>>,
    profile: &Profile,
) -> Result<(u64, Vec<u8>), BundleError> {
    let (snapshot, head) = at_head(store, published).await?.ok_or(BundleError::Moving)?;
    let mut contents = BTreeMap::new();
    for digest in profile.contents(&head.state, 0) {
        if let Some(bytes) = blob(&snapshot, digest).await.map_err(RecordError::from)? {
            contents.insert(digest, bytes);
        }
    }
    let proof = head
        .proof(&snapshot, head.size().saturating_sub(1), &mut Tiles::default())
        .await?;
    let bytes = bundle::export(&head.state, &head.snapshot, &proof, |digest| {
        contents.get(&digest).cloned()
    })?;
    Ok((head.size(), bytes))
}

/// The extract of the published state about `subjects`, and that state.
pub(crate) async fn extract(
    store: &Store,
    published: &watch::Receiver<Arc<Published>>,
    subjects: &Subjects,
) -> Result<(Arc<State>, Vec<u8>), BundleError> {
    let (snapshot, head) = at_head(store, published).await?.ok_or(BundleError::Moving)?;
    let mut lists = BTreeMap::new();
    for digest in subjects.contents(&head.state) {
        if let Some(bytes) = blob(&snapshot, digest).await.map_err(RecordError::from)? {
            lists.insert(digest, bytes);
        }
    }
    let proof = head
        .proof(&snapshot, head.size().saturating_sub(1), &mut Tiles::default())
        .await?;
    let bytes = bundle::export_extract(&head.state, &head.snapshot, &proof, subjects, |digest| {
        lists.get(&digest).cloned()
    })?;
    Ok((head.state.clone(), bytes))
}

/// The published head and the store at one moment: contents that a later entry replaced may go with its publication.
/// `None` if the head moved on each time.
pub(crate) async fn at_head(
    store: &Store,
    published: &watch::Receiver<Arc<Published>>,
) -> Result<Option<(Snapshot, Arc<Published>)>, RecordError> {
    let mut published = published.clone();
    for _ in 0..TRIES {
        let head = published.borrow_and_update().clone();
        let snapshot = store.snapshot().await?;
        if text(&snapshot, HEAD).await? == Some(head.checkpoint.to_string()) {
            return Ok(Some((snapshot, head)));
        }
        // Seen or not, the next try tells.
        drop(tokio::time::timeout(SEEN_WITHIN, published.changed()).await);
    }
    Ok(None)
}

/// The bytes of a bundle of entries that are durable, witnessed or not; `None` where there are not as many.
pub(crate) async fn durable_entries(store: &Snapshot, wanted: Tile) -> Result<Option<Vec<u8>>, RecordError> {
    let pending = text(store, PENDING).await?;
    let size = pending.as_deref().and_then(parse_pending).map_or(0, |(size, _)| size);
    let widest = Tile::in_tree(wanted.kind(), wanted.index(), size);
    match widest.filter(|widest| wanted.width() <= widest.width()) {
        Some(_) => entry_bundle(store, wanted).await.map(Some),
        None => Ok(None),
    }
}

async fn entry_bundle(store: &Snapshot, wanted: Tile) -> Result<Vec<u8>, RecordError> {
    let width = u64::from(wanted.full().width());
    let first = wanted.index().saturating_mul(width);
    let mut bytes = Vec::new();
    for leaf in entries(store, first, u64::from(wanted.width())).await? {
        push_entry(&mut bytes, &leaf).map_err(|_| damaged(&wanted.to_string()))?;
    }
    Ok(bytes)
}
