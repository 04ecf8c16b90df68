//! What the hub keeps, and under which keys. All in the room `hub/` of the store:
//!
//! | key | value |
//! |---|---|
//! | `api/{api}` | the DID of the API's source |
//! | `publication/{api}/{version}` | [`Publication`] as JSON |
//! | `openapi/{api}/{version}` | the OpenAPI document as JSON |
//! | `grant/{id}` | [`Grant`] as JSON |
//! | `grant-of/{party}{id}` | nothing: which grants an agency is party to |
//! | `consent/{id}` | [`Consent`] as JSON |
//! | `statement/{digest}` | a statement's text |
//! | `used/{digest}` | when a `jti` may be forgotten, 8 bytes |
//! | `used-until/{time}{digest}` | nothing: the same, in the order of time |
//! | `evidence/...` | see [`crate::evidence`] |
//!
//! `{party}` is the SHA-256 of a DID, since DIDs may be longer than keys. Statements and the records that
//! they make are written by the evidence log in one transaction with their evidence ([`Change`]).

use did::Did;
use keys::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use store::CommitError;
use store::Direction;
use store::Keyspace;
use store::KeyspaceError;
use store::Snapshot;
use store::Store;
use store::StoreError;
use thiserror::Error;

use crate::protocol::consent::Consent;
use crate::protocol::grant::Grant;
use crate::protocol::id::ApiId;
use crate::protocol::id::ApiVersion;
use crate::protocol::id::ConsentId;
use crate::protocol::id::GrantId;
use crate::protocol::publication::Publication;
use crate::protocol::statement::Statement;

/// How many entries a list shows at most; the next page begins after the last one.
pub(crate) const MAX_PAGE: usize = 200;

/// How many used identifiers are forgotten in one go.
const SWEEP: usize = 1_000;

/// The store failed, or holds something that this program did not write.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreFailure {
    /// It was not acknowledged.
    #[error("the hub's store did not take a change")]
    Commit(#[from] CommitError),
    /// A record is not readable: damage, or another program's.
    #[error("expected {what} at its key in the store, found something else")]
    Corrupt {
        /// What was expected.
        what: &'static str,
        /// Why it is not that.
        #[source]
        source: serde_json::Error,
    },
    /// It could not be read.
    #[error("the hub's store cannot be read")]
    Read(#[from] StoreError),
    /// A prefix of ours is none: a programming error.
    #[error("the hub's room of the store cannot be named")]
    Room(#[from] KeyspaceError),
}

/// The hub's room of a store.
#[derive(Clone, Debug)]
pub(crate) struct HubStore {
    room: Store,
}

/// A record together with the bytes that it was read from, for compare-and-swap.
#[derive(Clone, Debug)]
pub(crate) struct Stored<T> {
    pub(crate) value: T,
    bytes: Vec<u8>,
}

/// Writes that are made only if nothing that they rest on has changed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Change {
    expected: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    writes: Vec<(Vec<u8>, Vec<u8>)>,
}

impl HubStore {
    pub(crate) fn new(store: &Store) -> Result<Self, StoreFailure> {
        Ok(Self {
            room: store.room(&Keyspace::new("hub/")?),
        })
    }

    /// The store, confined to the hub's room.
    pub(crate) const fn room(&self) -> &Store {
        &self.room
    }

    /// Whose API it is.
    pub(crate) async fn owner(&self, api: &ApiId) -> Result<Option<Stored<Did>>, StoreFailure> {
        self.read(api_key(api), "the DID of an API's source").await
    }

    pub(crate) async fn publication(
        &self,
        api: &ApiId,
        version: &ApiVersion,
    ) -> Result<Option<Publication>, StoreFailure> {
        let stored = self.read(publication_key(api, version), "a publication").await?;
        Ok(stored.map(|stored: Stored<Publication>| stored.value))
    }

    /// The newest of an API's versions, for what all of them share.
    pub(crate) async fn publications_of(&self, api: &ApiId) -> Result<Vec<Publication>, StoreFailure> {
        let (found, _) = self.list(&format!("publication/{api}/"), None, "a publication").await?;
        Ok(found)
    }

    pub(crate) async fn openapi(
        &self,
        api: &ApiId,
        version: &ApiVersion,
    ) -> Result<Option<serde_json::Value>, StoreFailure> {
        let stored = self.read(openapi_key(api, version), "an OpenAPI document").await?;
        Ok(stored.map(|stored: Stored<serde_json::Value>| stored.value))
    }

    /// A page of the catalogue, and after which key the next one begins.
    pub(crate) async fn catalogue(
        &self,
        after: Option<&str>,
    ) -> Result<(Vec<Publication>, Option<String>), StoreFailure> {
        self.list("publication/", after, "a publication").await
    }

    pub(crate) async fn grant(&self, id: &GrantId) -> Result<Option<Stored<Grant>>, StoreFailure> {
        self.read(grant_key(id), "a grant").await
    }

    /// A page of all grants.
    pub(crate) async fn grants(&self, after: Option<&str>) -> Result<(Vec<Grant>, Option<String>), StoreFailure> {
        self.list("grant/", after, "a grant").await
    }

    /// A page of the grants that an agency is party to.
    pub(crate) async fn grants_of(
        &self,
        party: &Did,
        after: Option<&str>,
    ) -> Result<(Vec<Grant>, Option<String>), StoreFailure> {
        let snapshot = self.room.snapshot().await?;
        let prefix = party_prefix("grant-of/", party);
        let names = names_after(&snapshot, &prefix, after.map(str::as_bytes)).await?;
        let mut grants = Vec::new();
        for name in &names {
            let key = [b"grant/".as_slice(), name].concat();
            if let Some(bytes) = snapshot.get(&key).await? {
                grants.push(decode(&bytes, "a grant")?);
            }
        }
        Ok((grants, next_page(&names)))
    }

    pub(crate) async fn consent(&self, id: &ConsentId) -> Result<Option<Stored<Consent>>, StoreFailure> {
        self.read(consent_key(id), "a consent").await
    }

    /// Remembers a client assertion. `false` if it was there already: exactly one of many concurrent calls
    /// with the same gets `true`.
    pub(crate) async fn use_once(&self, digest: &str, until: Timestamp) -> Result<bool, StoreFailure> {
        let (used, by_time) = used_keys(digest, until);
        let (used, by_time) = (&used, &by_time);
        let first = self
            .room
            .transact(|tx| async move {
                if tx.get(used).await.map_err(CommitError::Refused)?.is_some() {
                    return Ok(false);
                }
                tx.put(used, until.unix().to_be_bytes()).map_err(CommitError::Refused)?;
                tx.put(by_time, []).map_err(CommitError::Refused)?;
                Ok::<_, CommitError>(true)
            })
            .await?;
        Ok(first)
    }

    /// Forgets what would be refused for its age anyway. Says how many.
    pub(crate) async fn sweep(&self, now: Timestamp) -> Result<usize, StoreFailure> {
        let snapshot = self.room.snapshot().await?;
        let (start, end) = (time_key(Timestamp::from_unix(0)), time_key(now));
        let old = snapshot.range(start..end, SWEEP, Direction::Forward).await?;
        let transaction = self.room.begin().await?;
        for entry in &old {
            let digest = entry.key.get(time_key(now).len()..).unwrap_or_default();
            transaction.delete([b"used/".as_slice(), digest].concat())?;
            transaction.delete(&entry.key)?;
        }
        transaction.commit().await?;
        Ok(old.len())
    }

    async fn read<T: DeserializeOwned>(
        &self,
        key: Vec<u8>,
        what: &'static str,
    ) -> Result<Option<Stored<T>>, StoreFailure> {
        let Some(bytes) = self.room.snapshot().await?.get(&key).await? else {
            return Ok(None);
        };
        Ok(Some(Stored {
            value: decode(&bytes, what)?,
            bytes,
        }))
    }

    async fn list<T: DeserializeOwned>(
        &self,
        prefix: &str,
        after: Option<&str>,
        what: &'static str,
    ) -> Result<(Vec<T>, Option<String>), StoreFailure> {
        let snapshot = self.room.snapshot().await?;
        let names = names_after(&snapshot, prefix.as_bytes(), after.map(str::as_bytes)).await?;
        let mut values = Vec::new();
        for name in &names {
            if let Some(bytes) = snapshot.get([prefix.as_bytes(), name].concat()).await? {
                values.push(decode(&bytes, what)?);
            }
        }
        Ok((values, next_page(&names)))
    }
}

impl Change {
    /// A change by a statement: keeps its text, and that its `jti` is used; refused if it was.
    pub(crate) fn by<T>(statement: &Statement<T>) -> Self {
        let digest = keys::base64url::encode(keys::sha256(
            format!("statement\0{}\0{}", statement.issuer, statement.jti).as_bytes(),
        ));
        let (used, by_time) = used_keys(&digest, statement.expires_at);
        let mut change = Self::default();
        change.insert(used, statement.expires_at.unix().to_be_bytes().to_vec());
        change.put(by_time, Vec::new());
        change.put(
            statement_key(statement.digest.as_str()),
            statement.text.clone().into_bytes(),
        );
        change
    }

    /// Keeps the text of a statement that came inside another; refused if it is there.
    pub(crate) fn keep_once<T>(&mut self, statement: &Statement<T>) {
        self.insert(
            statement_key(statement.digest.as_str()),
            statement.text.clone().into_bytes(),
        );
    }

    pub(crate) fn publish(
        &mut self,
        publication: &Publication,
        openapi: &serde_json::Value,
        owner: Option<Stored<Did>>,
    ) -> Result<(), StoreFailure> {
        let (api, version) = (&publication.api, &publication.version);
        match owner {
            None => self.insert(api_key(api), encode(&publication.source, "the DID of an API's source")?),
            Some(owner) => self.expected.push((api_key(api), Some(owner.bytes))),
        }
        self.insert(publication_key(api, version), encode(publication, "a publication")?);
        self.put(openapi_key(api, version), encode(openapi, "an OpenAPI document")?);
        Ok(())
    }

    pub(crate) fn insert_grant(&mut self, grant: &Grant) -> Result<(), StoreFailure> {
        self.insert(grant_key(&grant.id), encode(grant, "a grant")?);
        for party in grant.parties() {
            let key = [
                party_prefix("grant-of/", party).as_slice(),
                grant.id.as_str().as_bytes(),
            ]
            .concat();
            self.put(key, Vec::new());
        }
        Ok(())
    }

    pub(crate) fn replace_grant(&mut self, old: Stored<Grant>, new: &Grant) -> Result<(), StoreFailure> {
        self.replace(grant_key(&new.id), old.bytes, encode(new, "a grant")?);
        Ok(())
    }

    pub(crate) fn insert_consent(&mut self, consent: &Consent) -> Result<(), StoreFailure> {
        self.insert(consent_key(&consent.id), encode(consent, "a consent")?);
        Ok(())
    }

    pub(crate) fn replace_consent(&mut self, old: Stored<Consent>, new: &Consent) -> Result<(), StoreFailure> {
        self.replace(consent_key(&new.id), old.bytes, encode(new, "a consent")?);
        Ok(())
    }

    /// What must still be so.
    pub(crate) fn expected(&self) -> &[(Vec<u8>, Option<Vec<u8>>)] {
        &self.expected
    }

    /// What is written.
    pub(crate) fn writes(&self) -> &[(Vec<u8>, Vec<u8>)] {
        &self.writes
    }

    /// Bytes written.
    pub(crate) fn size(&self) -> usize {
        self.writes.iter().map(|(key, value)| key.len() + value.len()).sum()
    }

    fn insert(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.expected.push((key.clone(), None));
        self.put(key, value);
    }

    fn replace(&mut self, key: Vec<u8>, old: Vec<u8>, new: Vec<u8>) {
        self.expected.push((key.clone(), Some(old)));
        self.put(key, new);
    }

    fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.writes.push((key, value));
    }
}

/// The start of an agency's keys in an index.
pub(crate) fn party_prefix(index: &str, party: &Did) -> Vec<u8> {
    let digest = keys::base64url::encode(keys::sha256(party.as_str().as_bytes()));
    format!("{index}{digest}/").into_bytes()
}

/// The names below `prefix` from after `after` on, a page of them.
pub(crate) async fn names_after(
    snapshot: &Snapshot,
    prefix: &[u8],
    after: Option<&[u8]>,
) -> Result<Vec<Vec<u8>>, StoreFailure> {
    // A zero byte is the first that can follow a name; 0xff follows no text.
    let start = match after {
        None => prefix.to_vec(),
        Some(name) => [prefix, name, &[0]].concat(),
    };
    let end = [prefix, &[0xff]].concat();
    let entries = snapshot.range(start..end, MAX_PAGE, Direction::Forward).await?;
    let names = entries
        .into_iter()
        .filter_map(|entry| entry.key.strip_prefix(prefix).map(<[u8]>::to_vec));
    Ok(names.collect())
}

/// Where the next page begins, if this one is full.
fn next_page(names: &[Vec<u8>]) -> Option<String> {
    let last = names.last().filter(|_| names.len() == MAX_PAGE)?;
    String::from_utf8(last.clone()).ok()
}

fn decode<T: DeserializeOwned>(bytes: &[u8], what: &'static str) -> Result<T, StoreFailure> {
    serde_json::from_slice(bytes).map_err(|source| StoreFailure::Corrupt { what, source })
}

fn encode<T: Serialize>(value: &T, what: &'static str) -> Result<Vec<u8>, StoreFailure> {
    serde_json::to_vec(value).map_err(|source| StoreFailure::Corrupt { what, source })
}

fn api_key(api: &ApiId) -> Vec<u8> {
    format!("api/{api}").into_bytes()
}

fn publication_key(api: &ApiId, version: &ApiVersion) -> Vec<u8> {
    format!("publication/{api}/{version}").into_bytes()
}

fn openapi_key(api: &ApiId, version: &ApiVersion) -> Vec<u8> {
    format!("openapi/{api}/{version}").into_bytes()
}

fn grant_key(id: &GrantId) -> Vec<u8> {
    format!("grant/{id}").into_bytes()
}

fn consent_key(id: &ConsentId) -> Vec<u8> {
    format!("consent/{id}").into_bytes()
}

fn statement_key(digest: &str) -> Vec<u8> {
    format!("statement/{digest}").into_bytes()
}

fn time_key(time: Timestamp) -> Vec<u8> {
    // Whoever signs times before 1970 signs something expired.
    let seconds = u64::try_from(time.unix()).unwrap_or(0);
    [b"used-until/".as_slice(), &seconds.to_be_bytes()].concat()
}

fn used_keys(digest: &str, until: Timestamp) -> (Vec<u8>, Vec<u8>) {
    let by_time = [time_key(until).as_slice(), digest.as_bytes()].concat();
    (format!("used/{digest}").into_bytes(), by_time)
}
