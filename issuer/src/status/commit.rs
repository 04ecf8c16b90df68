//! Commitment of the lists to the registry, and publication of what was committed.

use ::credential::status_list::StatusArray;
use ::store::Direction;
use trust::entry::Body;
use trust::entry::StatusCommitBody;

use super::BITS;
use super::MAX_LISTS;
use super::RENEW_SECONDS;
use super::StatusError;
use super::forms::Forms;
use super::forms::forms;
use super::forms::published_key;
use super::list_key;
use super::read_list;
use super::status_key;
use crate::Desk;
use crate::Issuer;
use crate::records::Committed;
use crate::records::ListRecord;
use crate::store::Load as _;
use crate::store::RecordError;
use crate::store::save;

/// Lists of one commitment: three views of about 300 bytes each, more with a long URL, and an entry holds 65,535.
const LISTS_PER_COMMIT: usize = 40;

/// What was committed of a list, and at which epoch its statuses were read.
struct Published {
    list: String,
    seen: u64,
    committed: Committed,
    forms: Forms,
}

/// Commits the lists that changed or whose commitment is getting old. What one agency may not do, or not now,
/// holds up no other: the first error is returned after all had their turn.
pub(crate) async fn commit_due(issuer: &Issuer) -> Result<(), StatusError> {
    let mut done = Ok(());
    for desk in issuer.desks() {
        let due = due_lists(issuer, desk.agency.id()).await?;
        for chunk in due.chunks(LISTS_PER_COMMIT) {
            done = done.and(commit(issuer, &desk, chunk).await);
        }
    }
    done
}

async fn due_lists(issuer: &Issuer, agency: &str) -> Result<Vec<ListRecord>, RecordError> {
    let now = issuer.0.clock.now();
    let snapshot = issuer.0.records.snapshot().await?;
    let mut due = Vec::new();
    for entry in snapshot
        .prefix(&list_key(agency, ""), MAX_LISTS, Direction::Forward)
        .await?
    {
        let list = read_list(&entry)?;
        let fresh = list
            .committed
            .is_some_and(|committed| committed.epoch == list.epoch && now.seconds_since(committed.at) < RENEW_SECONDS);
        if !fresh {
            due.push(list);
        }
    }
    Ok(due)
}

/// Signs the lists as they are now, commits them to the registry, and publishes what was committed. `lists` are
/// as the caller saw them; what another commitment has covered meanwhile is done.
pub(super) async fn commit(issuer: &Issuer, desk: &Desk, lists: &[ListRecord]) -> Result<(), StatusError> {
    // One commitment of an agency at a time: each stands on the one before it.
    let _turn = desk.committing.lock().await;
    let now = issuer.0.clock.now();
    let agency = desk.agency.id();
    let (mut commitments, mut blobs, mut published) = (Vec::new(), Vec::new(), Vec::new());
    for (list, array) in reserve(issuer, agency, lists).await? {
        let next = Committed {
            epoch: list.attempted,
            at: now,
        };
        let forms = forms(issuer, desk, &list.uri, &array, now)?;
        commitments.extend(forms.commitments(&list.uri, next));
        blobs.push(forms.compact.clone());
        published.push(Published {
            list: list.id,
            seen: list.epoch,
            committed: next,
            forms,
        });
    }
    if published.is_empty() {
        return Ok(());
    }
    commitments.sort_by(|left, right| left.uri.cmp(&right.uri));
    let body = Body::StatusCommit(StatusCommitBody {
        lists: commitments,
        ended: Vec::new(),
    });
    let (did, signer) = (desk.agency.did(), desk.agency.signer());
    let draft = issuer.0.registry.draft(did, did, body).await?;
    let signature = keys::signing::fulfil(
        signer,
        draft.sign(desk.agency.key_id(), signer.public_key().algorithm()),
    )?;
    issuer
        .0
        .registry
        .append(draft.assemble(vec![signature])?, blobs)
        .await?;
    Ok(publish(issuer, agency, &published).await?)
}

/// Reads the lists that are still to be committed, and notes the epoch of this attempt before the registry sees
/// it. If its answer never comes, for a crash or otherwise, it may have the epoch all the same, and would take
/// no second commitment of it.
async fn reserve(
    issuer: &Issuer,
    agency: &str,
    lists: &[ListRecord],
) -> Result<Vec<(ListRecord, StatusArray)>, RecordError> {
    issuer
        .0
        .records
        .store()
        .transact(|tx| async move {
            let mut reserved = Vec::new();
            for seen in lists {
                let (key, status_key) = (list_key(agency, &seen.id), status_key(agency, &seen.id));
                let list = tx.load::<ListRecord>(&key).await?;
                let mut list = list.ok_or(RecordError::Damaged { key: key.clone() })?;
                let covers = |committed: Committed| committed.epoch >= seen.epoch;
                if list.committed != seen.committed && list.committed.is_some_and(covers) {
                    continue;
                }
                let packed = tx.get(&status_key).await?;
                let packed = packed.ok_or(RecordError::Damaged { key: status_key })?;
                // A renewal says a new time about the same statuses, and so rises too.
                list.attempted = list.epoch.max(list.attempted + 1);
                save(&tx, &key, &list)?;
                reserved.push((list, StatusArray::from_packed(BITS, packed)));
            }
            Ok(reserved)
        })
        .await
}

/// Notes what the registry has. If a status changed meanwhile, the list stays due.
async fn publish(issuer: &Issuer, agency: &str, published: &[Published]) -> Result<(), RecordError> {
    issuer
        .0
        .records
        .store()
        .transact(|tx| async move {
            for Published {
                list: id,
                seen,
                committed,
                forms,
            } in published
            {
                let key = list_key(agency, id);
                let Some(mut list) = tx.load::<ListRecord>(&key).await? else {
                    continue;
                };
                // Another process has committed and published since: what the registry has is there already.
                if list.committed.is_some_and(|newest| newest.epoch > committed.epoch) {
                    continue;
                }
                let unchanged = list.epoch == *seen;
                list.committed = Some(*committed);
                list.epoch = if unchanged {
                    committed.epoch
                } else {
                    list.epoch.max(committed.epoch + 1)
                };
                save(&tx, &key, &list)?;
                for (form, bytes) in &forms.published {
                    tx.put(published_key(agency, id, *form), bytes.as_slice())?;
                }
            }
            Ok(())
        })
        .await
}
