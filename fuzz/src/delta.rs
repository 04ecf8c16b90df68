//! What is applied to a bundle at hand: it makes a bundle that holds, or an error.

use std::sync::LazyLock;

use trust::TrustedBundle;
use trust::bundle::DeltaStart;
use trust::bundle::Limits;
use trust::bundle::ListBefore;
use trust::bundle::export_delta;
use trust::merkle;
use trust::state::StatusRecord;
use trust::status_bits::StatusBits;

use crate::nation::Leaves;
use crate::nation::Nation;

const LIMITS: Limits = Limits {
    max_bytes: 1 << 20,
    max_plain_bytes: 8 << 20,
};

/// A bundle, and the delta to the one after two revocations.
pub(crate) static UPDATE: LazyLock<(TrustedBundle, Vec<u8>)> = LazyLock::new(|| {
    let (old, _) = nation(&[&[3]]);
    let (new, _) = nation(&[&[3], &[3, 7, 1_000]]);
    let base = TrustedBundle::load(&old.bundle(), old.state.anchor(), LIMITS).expect("our own bundle");
    (base, delta(&old, &new))
});

fn nation(revoked: &[&[usize]]) -> (Nation, crate::nation::Agency) {
    let (mut nation, agency) = Nation::with_issuer();
    for (revoked, epoch) in revoked.iter().zip(2..) {
        nation.commit(&agency, epoch, revoked).expect("our own commitment");
        nation.snapshot(nation.state.time().plus(60));
    }
    (nation, agency)
}

fn delta(old: &Nation, new: &Nation) -> Vec<u8> {
    let (now, size) = (new.state.time(), old.state.size());
    let proof = new.proof(new.state.size() - 1, new.witnessed(&[(0, now), (1, now)]));
    let consistency = merkle::consistency_proof(&Leaves(new.hashes()), size, new.state.size());
    let start = DeltaStart {
        size,
        state: old.state.digest(),
        consistency: consistency.expect("leaves at hand"),
    };
    let before = |record: &StatusRecord| {
        let list = old
            .state
            .status_list(record.issuer(), &record.list().uri)
            .expect("the list")
            .list();
        let bytes = old.blob(list.compact).expect("its contents");
        ListBefore::Other(StatusBits::from_compact(list, &bytes).expect("our own list"))
    };
    let snapshot = new.leaves.last().expect("a Snapshot");
    let blob = |digest| new.blob(digest);
    export_delta(&new.state, snapshot, &proof, &start, before, blob).expect("our own delta")
}

/// The input as a delta.
pub fn fuzz(data: &[u8]) {
    let (base, _) = &*UPDATE;
    if let Ok((bundle, bytes)) = base.apply(data, LIMITS) {
        assert!(bundle.newer_than(base).is_ok());
        let again = TrustedBundle::load(&bytes, base.anchor(), LIMITS).expect("a bundle that was loaded");
        assert_eq!(again.state().digest(), bundle.state().digest());
    }
}
