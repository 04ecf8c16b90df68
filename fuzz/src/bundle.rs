//! What a verifier downloads, what an officer is asked to sign, and what the log takes.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use trust::Anchor;
use trust::TrustedBundle;
use trust::bundle::Extract;
use trust::bundle::Limits;
use trust::bundle::Subjects;
use trust::entry::ApprovalSignature;
use trust::entry::Draft;
use trust::entry::Entry;
use trust::state::State;

use crate::nation::Agency;
use crate::nation::Nation;
use crate::nation::list_uri;

/// A registry with an issuer, its bundle, and what a new leaf is applied to.
pub(crate) struct Registry {
    pub(crate) leaves: Vec<Vec<u8>>,
    pub(crate) bundle: Vec<u8>,
    pub(crate) extract: Vec<u8>,
    pub(crate) anchor: Anchor,
    issuer: String,
    list: String,
}

pub(crate) static REGISTRY: LazyLock<Registry> = LazyLock::new(|| {
    let (mut nation, agency) = Nation::with_issuer();
    let web = Agency::web("water", 31);
    nation.log_did(&web).expect("the document of a did:web");
    nation.snapshot(nation.state.time().plus(60));
    let list = list_uri(&agency);
    let subjects = Subjects {
        entities: BTreeSet::from([agency.did.clone(), web.did]),
        chunks: BTreeSet::from([(list.clone(), 0)]),
        ..Subjects::default()
    };
    Registry {
        extract: nation.extract(&subjects),
        issuer: agency.did,
        list,
        bundle: nation.bundle(),
        anchor: nation.state.anchor().clone(),
        leaves: nation.leaves,
    }
});

const LIMITS: Limits = Limits {
    max_bytes: 1 << 20,
    max_plain_bytes: 8 << 20,
};

/// The input as each of them.
pub fn fuzz(data: &[u8]) {
    let _ = TrustedBundle::load(data, &REGISTRY.anchor, LIMITS);
    if let Ok(extract) = Extract::load(data, &REGISTRY.anchor) {
        // Whatever is left out, what is there is the registry's.
        for record in extract.bundle().state().dids() {
            let _ = record.document();
        }
        let _ = extract.bundle().status(&REGISTRY.issuer, &REGISTRY.list, 7);
    }
    let _ = Anchor::parse(data);
    if let Ok(signature) = ApprovalSignature::parse(data) {
        assert_eq!(signature.to_bytes(), data);
    }
    if let Ok(draft) = Draft::parse(data) {
        assert_eq!(draft.to_bytes(), data);
        let _ = draft.message();
    }
    if Entry::parse(data).is_ok() {
        // Once as the first leaf, once after all that we have.
        let _ = Anchor::of_genesis(data).map(|anchor| State::new(anchor).apply(0, data));
        let mut state = State::new(REGISTRY.anchor.clone());
        for (leaf, index) in REGISTRY.leaves.iter().zip(0..) {
            state.apply(index, leaf).expect("our own leaf");
        }
        let _ = state.apply(state.size(), data);
    }
}
