//! Status lists: places for new credentials, revocation, and commitment to the registry.
//!
//! Every list has 131,072 places, the herd that the Bitstring Status List standard asks for at least, and a
//! credential gets a random free one, so that an index tells nothing about order. A list's standard forms are
//! signed anew for each commitment and served as they were committed: a monitor can compare the two.
//!
//! Each list is one record with two views: the Token Status List that SD-JWT VCs name, and the Bitstring Status List
//! of revocations that W3C credentials name, at the same address with `/bitstring`. Both are made from the same
//! statuses and committed in the same entry, with the same compact form, so that they cannot disagree.

use ::credential::status_list::BitsPerEntry;
use ::credential::status_list::BitstringCredential;
use ::credential::status_list::BitstringPurpose;
use ::credential::status_list::Status;
use ::credential::status_list::StatusArray;
use ::credential::status_list::StatusListToken;
use ::credential::status_list::StatusPurpose;
use ::credential::vc_jwt;
use ::credential::vc_jwt::VcJwtError;
use ::store::Direction;
use ::store::Entry;
use ::store::Transaction;
use keys::SignerError;
use keys::Timestamp;
use keys::base64url;
use rand_core::CryptoRng;
use serde_json::Value;
use thiserror::Error;
use trust::entry::AssembleError;
use trust::entry::Body;
use trust::entry::StatusCommitBody;
use trust::entry::StatusEncoding;
use trust::entry::StatusList;
use trust::entry::StatusToken;
use trust::entry::TokenFormat;
use trust::merkle::Hash;

use crate::Desk;
use crate::Issuer;
use crate::RegistryError;
use crate::records::Committed;
use crate::records::CredentialStatus;
use crate::records::CurrentList;
use crate::records::IssuedCredential;
use crate::records::ListRecord;
use crate::records::Place;
use crate::store::Load as _;
use crate::store::RecordError;
use crate::store::fresh_id;
use crate::store::save;

/// Places of a list; 16 kB for each bit of status.
const CAPACITY: usize = 131_072;
/// Valid, invalid, suspended.
const BITS: BitsPerEntry = BitsPerEntry::Two;
/// After so many taken places in a row the list is four fifths full or fuller (0.8^16 is 3 %), and a new one
/// is started.
const TRIES: usize = 16;
/// A commitment is renewed before verifiers that ask for daily news run out of them.
const RENEW_SECONDS: i64 = 6 * 60 * 60;
/// When verifiers may expect the next state at the latest: two renewals may fail.
const NEXT_UPDATE_SECONDS: i64 = 24 * 60 * 60;
/// Lists of one commitment: about 250 bytes for each of the two views, and an entry holds 65,535.
const LISTS_PER_COMMIT: usize = 100;
/// Lists of one agency that are read at a time; ten years of a national issuer.
const MAX_LISTS: usize = 10_000;

/// A status was not read, changed or committed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StatusError {
    /// The entry cannot be assembled: our fault.
    #[error("the status commitment cannot be assembled")]
    Assemble(#[from] AssembleError),
    /// The credential has no place in a status list: it cannot be revoked and ends by itself.
    #[error("the credential {id} has no status list; it ends by itself")]
    Unlisted {
        /// Its id.
        id: String,
    },
    /// The Bitstring Status List cannot be made: our fault.
    #[error("the bitstring status list cannot be made")]
    Bitstring(#[from] VcJwtError),
    /// The registry did not take the commitment.
    #[error("the status was not committed")]
    Registry(#[from] RegistryError),
    /// The key did not sign.
    #[error("the status list was not signed")]
    Signer(#[from] SignerError),
    /// The store failed.
    #[error("the status was not saved")]
    Store(#[from] RecordError),
    /// No such credential.
    #[error("the agency has issued no credential {id}")]
    Unknown {
        /// Its id.
        id: String,
    },
}

/// The address of the Bitstring view of the list at `uri`.
pub(crate) fn bitstring_uri(uri: &str) -> String {
    format!("{uri}/bitstring")
}

/// Takes `count` random free places in the current list of a type, within the transaction that issues.
/// `None` when there is no list yet, or it is as good as full: [`start_list`] and try again.
pub(crate) async fn take_places(
    tx: &Transaction,
    desk: &Desk,
    credential_type: &str,
    credentials: &[String],
    rng: &mut impl CryptoRng,
) -> Result<Option<Vec<Place>>, RecordError> {
    let (agency, identifier) = (desk.agency.id(), desk.identifier.as_str());
    let current = tx.load::<CurrentList>(&current_key(agency, credential_type)).await?;
    // After the platform moved, new credentials point to where it is now.
    let Some(CurrentList { list, uri }) = current.filter(|current| current.uri.starts_with(identifier)) else {
        return Ok(None);
    };
    let mut places = Vec::new();
    for credential in credentials {
        let mut tries = 0;
        let index = loop {
            let index = random_index(rng);
            if tx
                .get(place_key(agency, &list, index))
                .await
                .map_err(RecordError::from)?
                .is_none()
            {
                break index;
            }
            tries += 1;
            if tries == TRIES {
                return Ok(None);
            }
        };
        tx.put(place_key(agency, &list, index), credential.as_bytes())
            .map_err(RecordError::from)?;
        places.push(Place {
            list: list.clone(),
            uri: uri.clone(),
            index,
        });
    }
    Ok(Some(places))
}

/// Starts a new list for a type and commits it: a credential must not point to a list that no bundle has.
pub(crate) async fn start_list(issuer: &Issuer, desk: &Desk, credential_type: &str) -> Result<(), StatusError> {
    let agency = desk.agency.id();
    let id = &fresh_id(&mut signer::os_rng());
    let record = issuer
        .0
        .records
        .store()
        .transact(|tx| async move {
            if let Some(waiting) = waiting_list(&tx, desk, credential_type).await? {
                return Ok(waiting);
            }
            let record = ListRecord {
                id: id.clone(),
                uri: format!("{}/status/{id}", desk.identifier),
                agency: agency.to_owned(),
                credential_type: credential_type.to_owned(),
                epoch: 0,
                attempted: 0,
                committed: None,
            };
            save(&tx, &list_key(agency, id), &record)?;
            tx.put(status_key(agency, id), StatusArray::new(BITS, CAPACITY).packed())?;
            Ok::<_, RecordError>(record)
        })
        .await?;
    let current = CurrentList {
        list: record.id.clone(),
        uri: record.uri.clone(),
    };
    commit(issuer, desk, &[record]).await?;
    let current = &current;
    issuer
        .0
        .records
        .store()
        .transact(|tx| async move { save(&tx, &current_key(agency, credential_type), current) })
        .await?;
    Ok(())
}

/// A list of the type that was started here and not committed yet: the registry refused it, or somebody else is
/// at it. It is taken up again, so that refused attempts leave one list behind and not one each.
async fn waiting_list(tx: &Transaction, desk: &Desk, credential_type: &str) -> Result<Option<ListRecord>, RecordError> {
    let prefix = list_key(desk.agency.id(), "");
    for entry in tx.prefix(&prefix, MAX_LISTS, Direction::Forward).await? {
        let list = read_list(&entry)?;
        let is_ours = list.credential_type == credential_type && list.uri.starts_with(desk.identifier.as_str());
        if is_ours && list.committed.is_none() {
            return Ok(Some(list));
        }
    }
    Ok(None)
}

/// Revokes a credential for good. Returns the record, and whether the registry has the new status already;
/// if not, [`commit_due`] goes on trying.
pub(crate) async fn revoke(issuer: &Issuer, desk: &Desk, id: &str) -> Result<(IssuedCredential, bool), StatusError> {
    let agency = desk.agency.id();
    let now = issuer.0.clock.now();
    let changed = issuer
        .0
        .records
        .store()
        .transact(|tx| async move { revoke_in(&tx, agency, id, now).await })
        .await?;
    let (credential, list) = changed.map_err(|not| match not {
        NotRevoked::Unknown => StatusError::Unknown { id: id.to_owned() },
        NotRevoked::Unlisted => StatusError::Unlisted { id: id.to_owned() },
    })?;
    let committed = match commit(issuer, desk, &[list]).await {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!(agency, credential = id, cause = %server::problem::chain(&error), "revoked, not yet committed");
            false
        }
    };
    Ok((credential, committed))
}

enum NotRevoked {
    Unknown,
    Unlisted,
}

async fn revoke_in(
    tx: &Transaction,
    agency: &str,
    id: &str,
    now: Timestamp,
) -> Result<Result<(IssuedCredential, ListRecord), NotRevoked>, RecordError> {
    let key = format!("credential/{agency}/{id}");
    let Some(mut credential) = tx.load::<IssuedCredential>(&key).await? else {
        return Ok(Err(NotRevoked::Unknown));
    };
    let place = match &credential.status {
        CredentialStatus::Unlisted => return Ok(Err(NotRevoked::Unlisted)),
        CredentialStatus::Valid { place } | CredentialStatus::Revoked { place, .. } => place.clone(),
    };
    let list_key = list_key(agency, &place.list);
    let damaged = |key: &str| RecordError::Damaged { key: key.to_owned() };
    let mut list = tx
        .load::<ListRecord>(&list_key)
        .await?
        .ok_or_else(|| damaged(&list_key))?;
    if matches!(credential.status, CredentialStatus::Revoked { .. }) {
        return Ok(Ok((credential, list)));
    }
    let status_key = status_key(agency, &place.list);
    let packed = tx.get(&status_key).await?.ok_or_else(|| damaged(&status_key))?;
    let mut array = StatusArray::from_packed(BITS, packed);
    if array.set(place.index, Status::Invalid).is_none() {
        return Err(damaged(&status_key));
    }
    list.epoch += 1;
    credential.status = CredentialStatus::Revoked { place, revoked_at: now };
    tx.put(&status_key, array.packed())?;
    save(tx, &list_key, &list)?;
    save(tx, &key, &credential)?;
    Ok(Ok((credential, list)))
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

fn read_list(entry: &Entry) -> Result<ListRecord, RecordError> {
    serde_json::from_slice(&entry.value).map_err(|_| RecordError::Damaged {
        key: String::from_utf8_lossy(&entry.key).into_owned(),
    })
}

/// Signs the lists as they are now, commits them to the registry, and publishes what was committed. `lists` are
/// as the caller saw them; what another commitment has covered meanwhile is done.
async fn commit(issuer: &Issuer, desk: &Desk, lists: &[ListRecord]) -> Result<(), StatusError> {
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
        let forms = forms(desk, &list.uri, &array, now)?;
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

/// A list at one moment.
struct Forms {
    /// The Status List Token.
    token: String,
    /// The `BitstringStatusListCredential` of revocations, as `vc+jwt`.
    bitstring: String,
    /// For bundles.
    compact: Vec<u8>,
}

/// What was committed of a list, and at which epoch its statuses were read.
struct Published {
    list: String,
    seen: u64,
    committed: Committed,
    forms: Forms,
}

/// The standard forms, signed, and the compact form.
fn forms(desk: &Desk, uri: &str, array: &StatusArray, now: Timestamp) -> Result<Forms, StatusError> {
    let (did, key_id, signer) = (desk.agency.did(), desk.agency.key_id(), desk.agency.signer());
    let algorithm = signer.public_key().algorithm();
    let token = StatusListToken {
        uri,
        issuer: did,
        key_id,
        issued_at: now,
        expires_at: Some(now.plus(NEXT_UPDATE_SECONDS)),
        time_to_live: u64::try_from(RENEW_SECONDS).ok(),
        array,
    };
    let bitstring = BitstringCredential {
        uri: &bitstring_uri(uri),
        issuer: did,
        purpose: BitstringPurpose::Revocation,
        valid_from: now,
        valid_until: Some(now.plus(NEXT_UPDATE_SECONDS)),
        time_to_live: u64::try_from(RENEW_SECONDS * 1_000).ok(),
        array,
    };
    let bitstring = vc_jwt::issue(bitstring.document(), key_id, algorithm)?;
    let list = array.to_status_list();
    let compact = list
        .get("lst")
        .and_then(Value::as_str)
        .and_then(|lst| base64url::decode(lst).ok());
    Ok(Forms {
        token: keys::signing::fulfil(signer, token.sign(algorithm))?,
        bitstring: keys::signing::fulfil(signer, bitstring)?,
        compact: compact.unwrap_or_default(),
    })
}

impl Forms {
    /// The two views of the list at `uri`.
    fn commitments(&self, uri: &str, next: Committed) -> [StatusList; 2] {
        let view = |uri: String, format, bytes: &str, purpose: Option<BitstringPurpose>| StatusList {
            uri,
            bits: BITS.number(),
            // Both are constants of this file, and far below 2^64.
            capacity: u64::try_from(CAPACITY).unwrap_or(u64::MAX),
            tokens: vec![StatusToken {
                format,
                digest: Hash::digest(bytes.as_bytes()),
            }],
            encoding: StatusEncoding::Zlib,
            compact: Hash::digest(&self.compact),
            compact_length: u64::try_from(self.compact.len()).unwrap_or(u64::MAX),
            next_update: next.at.plus(NEXT_UPDATE_SECONDS),
            epoch: next.epoch,
            purpose: purpose.map(|purpose| StatusPurpose::from(purpose).as_str().to_owned()),
        };
        let revocation = Some(BitstringPurpose::Revocation);
        [
            view(uri.to_owned(), TokenFormat::Jwt, &self.token, None),
            view(bitstring_uri(uri), TokenFormat::Bitstring, &self.bitstring, revocation),
        ]
    }
}

/// Notes what the registry has. If a credential was revoked meanwhile, the list stays due.
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
                let unchanged = list.epoch == *seen;
                list.committed = Some(*committed);
                list.epoch = if unchanged {
                    committed.epoch
                } else {
                    list.epoch.max(committed.epoch + 1)
                };
                save(&tx, &key, &list)?;
                tx.put(published_key(agency, id), forms.token.as_bytes())?;
                tx.put(bitstring_key(agency, id), forms.bitstring.as_bytes())?;
            }
            Ok(())
        })
        .await
}

/// The Status List Token that the registry has committed.
pub(crate) async fn published_token(issuer: &Issuer, agency: &str, list: &str) -> Result<Option<Vec<u8>>, RecordError> {
    read_published(issuer, published_key(agency, list)).await
}

/// The `BitstringStatusListCredential` that the registry has committed.
pub(crate) async fn published_bitstring(
    issuer: &Issuer,
    agency: &str,
    list: &str,
) -> Result<Option<Vec<u8>>, RecordError> {
    read_published(issuer, bitstring_key(agency, list)).await
}

async fn read_published(issuer: &Issuer, key: String) -> Result<Option<Vec<u8>>, RecordError> {
    Ok(issuer.0.records.snapshot().await?.get(key).await?)
}

fn random_index(rng: &mut impl CryptoRng) -> usize {
    // The capacity is a power of two, so that no index is likelier than another.
    usize::try_from(rng.next_u32()).unwrap_or(0) % CAPACITY
}

fn current_key(agency: &str, credential_type: &str) -> String {
    format!("current/{agency}/{credential_type}")
}

fn list_key(agency: &str, list: &str) -> String {
    format!("list/{agency}/{list}")
}

fn status_key(agency: &str, list: &str) -> String {
    format!("status/{agency}/{list}")
}

fn published_key(agency: &str, list: &str) -> String {
    format!("published/{agency}/{list}")
}

fn bitstring_key(agency: &str, list: &str) -> String {
    format!("bitstring/{agency}/{list}")
}

fn place_key(agency: &str, list: &str, index: usize) -> String {
    format!("place/{agency}/{list}/{index:06}")
}
