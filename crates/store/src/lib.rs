//! One ordered key-value store with transactions: fjall, sled or PostgreSQL.
//!
//! # What's in scope
//! - [`Store`]: open an engine by its [`StoreUrl`], begin a [`Transaction`], take a [`Snapshot`].
//! - Optimistic transactions: every read of a transaction, of one key or of a range, is declared.
//!   Those that commit could have run one after the other; so lost updates, write skew and phantoms
//!   do not happen. An embedded engine answers [`CommitError::Conflict`] whenever a declared read
//!   changed, PostgreSQL only when no such order is left. [`Store::transact`] retries.
//! - Durability: `Ok` from a commit means that it is on disk. A closed store, a full disk or a
//!   failed sync is an error, and loss or damage before the last acknowledged commit is found when
//!   the store is opened (`embedded` tells how; PostgreSQL does it with its own log and checksums).
//! - [`copy`](copy()) from one engine to another.
//!
//! # What's out of scope
//! - What keys and values mean: each actor's `store.rs` says that for its own [`Keyspace`].
//! - Encryption at rest: secrets are sealed before they come here (`crates/signer`).
//! - Replication: PostgreSQL's business.
//!
//! ```
//! # async fn example(folder: &std::path::Path) -> Result<(), Box<dyn std::error::Error>> {
//! use store::{CommitError, Keyspace, Store, StoreUrl};
//!
//! let store = Store::open(&StoreUrl::parse_in("fjall", folder)?).await?;
//! let nonces = Keyspace::new("issuer/")?.within("nonce/")?;
//! let key = nonces.key("n-0S6_WzA2Mj");
//! // Exactly one of many concurrent calls gets `true`.
//! let (store, key) = (&store, &key);
//! let first = store
//!     .transact(|tx| async move {
//!         let unused = tx.get(key).await?.is_none();
//!         tx.put(key, b"used")?;
//!         Ok::<_, CommitError>(unused)
//!     })
//!     .await?;
//! assert!(first);
//! # Ok(()) }
//! ```

mod copy;
mod embedded;
mod engine;
mod error;
mod format;
mod keyspace;
mod limits;
mod postgres;
mod range;
pub mod records;
mod store;
mod transaction;
mod url;

pub use copy::CopyError;
pub use copy::CopyProgress;
pub use copy::copy;
pub use error::CommitError;
pub use error::OpenError;
pub use error::StoreError;
pub use format::FormatError;
pub use keyspace::Keyspace;
pub use keyspace::KeyspaceError;
pub use limits::MAX_KEY_BYTES;
pub use limits::MAX_SCAN_BYTES;
pub use limits::MAX_TRANSACTION_BYTES;
pub use limits::MAX_VALUE_BYTES;
pub use range::Direction;
pub use store::Store;
pub use transaction::Entry;
pub use transaction::Snapshot;
pub use transaction::Transaction;
pub use url::StoreUrl;
pub use url::UrlError;
