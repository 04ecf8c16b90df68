//! The registry's log as a monitor sees it: checkpoints one after another, each proven to continue the last.

use credential::SdJwtVc;
use credential::Unverified;
use did::DidUrl;
use did::Purpose;
use keys::PublicKey;
use trust::Anchor;
use trust::TrustedBundle;
use trust::bundle::Limits;
use trust::checkpoint::Checkpoint;
use trust::checkpoint::SignedCheckpoint;
use trust::merkle::consistency_proof;
use trust::merkle::verify_consistency;
use trust::tiles::Tile;
use trust::tiles::TileNodes;
use trust::tiles::parse_hashes;

use crate::Client;

/// What a monitor remembers: the anchor, and the largest checkpoint that it saw.
#[derive(Clone, Debug)]
pub struct LogView {
    anchor: Anchor,
    last: Option<Checkpoint>,
}

impl LogView {
    /// Pins the anchor.
    #[must_use]
    pub fn pin(client: &Client) -> Self {
        Self {
            anchor: Anchor::parse(&client.get("/registry/anchor").body).unwrap(),
            last: None,
        }
    }

    /// The registry that this is a view of.
    #[must_use]
    pub const fn anchor(&self) -> &Anchor {
        &self.anchor
    }

    /// The size of the largest tree so far.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.last.as_ref().map_or(0, Checkpoint::size)
    }

    /// Reads a checkpoint that was seen somewhere, and remembers it if it is the largest. Nothing is proven:
    /// [`LogView::follow`] does that.
    pub fn saw(&mut self, checkpoint: &[u8]) {
        let signed = SignedCheckpoint::parse(checkpoint).unwrap();
        let seen = signed.verify_log(std::slice::from_ref(self.anchor.log())).unwrap();
        if self.size() == seen.size() {
            let last = self.last.as_ref().map(Checkpoint::root);
            assert_eq!(last, Some(seen.root()), "two trees of {} leaves", seen.size());
        } else if self.size() < seen.size() {
            self.last = Some(seen.clone());
        }
    }

    /// Reads the current checkpoint, and has the log's own tiles prove that it continues the largest one
    /// seen before.
    pub fn follow(&mut self, client: &Client) {
        let signed = SignedCheckpoint::parse(&client.get("/registry/checkpoint").body).unwrap();
        let new = signed
            .verify_log(std::slice::from_ref(self.anchor.log()))
            .unwrap()
            .clone();
        if let Some(old) = self.last.replace(new.clone()) {
            assert!(
                old.size() <= new.size(),
                "the log shrank from {} to {}",
                old.size(),
                new.size()
            );
            let nodes = TileNodes::new(new.size(), |tile: Tile| {
                let answer = client.get(&format!("/registry/{tile}"));
                assert_eq!(answer.status, 200, "{tile}: {}", answer.text());
                parse_hashes(&answer.body, tile.width())
            });
            let proof = consistency_proof(&nodes, old.size(), new.size()).unwrap();
            let proven = verify_consistency(old.size(), new.size(), old.root(), new.root(), &proof);
            assert_eq!(proven, Ok(()), "{} to {}", old.size(), new.size());
        }
    }

    /// Fetches and checks the trust bundle.
    #[must_use]
    pub fn bundle(&self, client: &Client) -> TrustedBundle {
        let answer = client.get("/registry/bundle");
        assert_eq!(answer.status, 200, "{}", answer.text());
        TrustedBundle::load(&answer.body, &self.anchor, Limits::default()).unwrap()
    }

    /// The key that signed an SD-JWT VC, from the bundle.
    #[must_use]
    pub fn issuer_key(&self, client: &Client, credential: &str) -> PublicKey {
        let method = Unverified::<SdJwtVc>::parse(credential)
            .unwrap()
            .verification_method()
            .unwrap();
        self.key(client, &method)
    }

    /// The key of a DID URL with which an issuer signs, from the bundle.
    #[must_use]
    pub fn key(&self, client: &Client, method: &str) -> PublicKey {
        let method = DidUrl::parse(method).unwrap();
        let document = self.bundle(client).document(method.did().as_str()).unwrap();
        document.key_for(&method, Purpose::AssertionMethod).unwrap()
    }
}
