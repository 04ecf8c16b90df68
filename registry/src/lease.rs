//! Which of the processes on one store is the sequencer.
//!
//! The holder renews a record every half second. To everybody else the lease has lapsed when that record has not changed
//! for five seconds of their own; the holder stops a second earlier, by its own clock, counted from before it asked the
//! store. So no two machines' clocks are ever compared, and a process that slept does nothing when it wakes.
//!
//! The lease keeps two processes out of each other's way. That there is no fork does not rest on it: every write of the
//! sequencer demands, in its transaction, that its term is still the one in the store, and nothing is signed before
//! such a write.
//!
//! | Key | Value |
//! |---|---|
//! | `lease/term` | eight bytes of number, then who: changes when the sequencer does |
//! | `lease/beat` | eight bytes that grow while there is a holder; empty when it resigned |

use std::sync::Arc;
use std::time::Duration;

use store::CommitError;
use store::Store;
use store::StoreError;
use store::Transaction;
use store::records::RecordError;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::Operators;

const TERM: &str = "lease/term";
const BEAT: &str = "lease/beat";

/// How often the lease is renewed, or looked at.
const EVERY: Duration = Duration::from_millis(500);

/// A record that has not changed for so long has no holder any more.
const LAPSES: Duration = Duration::from_secs(5);

/// How long a holder counts on it. The second less is for a signature that is under way.
const HELD: Duration = Duration::from_secs(4);

/// What the parts of the service ask before they write or sign.
pub(crate) struct Lease(watch::Receiver<Option<Held>>);

/// Renews the lease, or waits for it, until it is dropped.
pub(crate) struct Keeper {
    store: Store,
    held: Arc<watch::Sender<Option<Held>>>,
    task: Option<AbortHandle>,
}

/// One process's time as the sequencer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Term(Vec<u8>);

#[derive(Clone)]
struct Held {
    term: Term,
    /// `None` where nobody else can take it.
    until: Option<Instant>,
}

/// What is in the store about the lease.
#[derive(Clone, PartialEq, Eq)]
struct Found {
    term: Option<Vec<u8>>,
    beat: Option<Vec<u8>>,
}

impl Lease {
    /// Takes the lease if nobody has it, and goes on renewing or awaiting it.
    pub(crate) async fn start(store: &Store, operators: Operators) -> Result<(Self, Keeper), RecordError> {
        let (held, seen) = watch::channel(None);
        let held = Arc::new(held);
        let task = match operators {
            Operators::One => {
                let found = Found::read(store).await?;
                let term = found.next_term([0; 16]);
                if !take(store, &found, &term).await? {
                    return Err(RecordError::Commit(CommitError::Conflict));
                }
                held.send_replace(Some(Held { term, until: None }));
                None
            }
            Operators::Several { id } => {
                let mut candidate = Candidate {
                    store: store.clone(),
                    id,
                    held: held.clone(),
                    last: None,
                };
                candidate.step().await?;
                Some(tokio::spawn(candidate.run()).abort_handle())
            }
        };
        let keeper = Keeper {
            store: store.clone(),
            held,
            task,
        };
        Ok((Self(seen), keeper))
    }

    /// The term under which this process may write and sign now.
    pub(crate) fn held(&self) -> Option<Term> {
        let held = self.0.borrow();
        let held = held.as_ref()?;
        let holds = held.until.is_none_or(|until| Instant::now() < until);
        holds.then(|| held.term.clone())
    }

    /// Whether this process may still write and sign under `term`.
    pub(crate) fn is_held(&self, term: &Term) -> bool {
        self.held().as_ref() == Some(term)
    }
}

impl Keeper {
    /// Lets another process take over at once. This one never does again.
    pub(crate) async fn resign(self) -> Result<(), RecordError> {
        if let Some(task) = &self.task {
            task.abort();
        }
        let Some(Held { term, .. }) = self.held.send_replace(None) else {
            return Ok(());
        };
        let term = &term;
        self.store
            .transact(|tx| async move {
                if term.is_in_force(&tx).await? {
                    tx.put(BEAT, [])?;
                }
                Ok(())
            })
            .await
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

impl Term {
    /// Whether the transaction still finds it in the store. It then commits only if that does not change.
    pub(crate) async fn is_in_force(&self, tx: &Transaction) -> Result<bool, StoreError> {
        Ok(tx.get(TERM).await?.as_ref() == Some(&self.0))
    }
}

impl Found {
    async fn read(store: &Store) -> Result<Self, StoreError> {
        let snapshot = store.snapshot().await?;
        Ok(Self {
            term: snapshot.get(TERM).await?,
            beat: snapshot.get(BEAT).await?,
        })
    }

    /// Whether nobody ever had it, or the last one gave it back.
    fn is_free(&self) -> bool {
        self.term.is_none() || self.beat.as_ref().is_none_or(Vec::is_empty)
    }

    fn next_term(&self, id: [u8; 16]) -> Term {
        let number = number_in(self.term.as_deref()).wrapping_add(1);
        Term([&number.to_be_bytes()[..], &id].concat())
    }
}

struct Candidate {
    store: Store,
    id: [u8; 16],
    held: Arc<watch::Sender<Option<Held>>>,
    /// What was found last, and when it was seen for the first time.
    last: Option<(Found, Instant)>,
}

impl Candidate {
    async fn run(mut self) {
        loop {
            tokio::time::sleep(EVERY).await;
            if let Err(error) = self.step().await {
                tracing::warn!(cause = %server::problem::chain(&error), "the registry's lease was not looked after");
            }
        }
    }

    async fn step(&mut self) -> Result<(), RecordError> {
        let began = Instant::now();
        let held = self.held.borrow().clone();
        match held {
            Some(Held { term, .. }) if renew(&self.store, &term).await? => self.hold(term, began),
            Some(_) => {
                tracing::info!("another process is the registry's sequencer now");
                self.held.send_replace(None);
            }
            None => self.await_turn(began).await?,
        }
        Ok(())
    }

    async fn await_turn(&mut self, began: Instant) -> Result<(), RecordError> {
        let found = Found::read(&self.store).await?;
        let since = match &self.last {
            Some((last, since)) if *last == found => *since,
            _ => Instant::now(),
        };
        if found.is_free() || since.elapsed() >= LAPSES {
            let term = found.next_term(self.id);
            if take(&self.store, &found, &term).await? {
                tracing::info!("this process is the registry's sequencer now");
                self.last = None;
                self.hold(term, began);
                return Ok(());
            }
        }
        self.last = Some((found, since));
        Ok(())
    }

    fn hold(&self, term: Term, began: Instant) {
        let until = Some(began + HELD);
        self.held.send_replace(Some(Held { term, until }));
    }
}

/// Whether the lease is still there to be renewed.
async fn renew(store: &Store, term: &Term) -> Result<bool, RecordError> {
    store
        .transact(|tx| async move {
            if !term.is_in_force(&tx).await? {
                return Ok(false);
            }
            let next = number_in(tx.get(BEAT).await?.as_deref()).wrapping_add(1);
            tx.put(BEAT, next.to_be_bytes())?;
            Ok(true)
        })
        .await
}

/// Whether it was as it was found, and is now taken.
async fn take(store: &Store, found: &Found, term: &Term) -> Result<bool, RecordError> {
    store
        .transact(|tx| async move {
            let now = Found {
                term: tx.get(TERM).await?,
                beat: tx.get(BEAT).await?,
            };
            if now != *found {
                return Ok(false);
            }
            tx.put(TERM, term.0.as_slice())?;
            tx.put(BEAT, 1_u64.to_be_bytes())?;
            Ok(true)
        })
        .await
}

/// The number in the first eight bytes; 0 where there is none.
fn number_in(bytes: Option<&[u8]>) -> u64 {
    let first = bytes.and_then(|bytes| bytes.first_chunk());
    first.map_or(0, |bytes| u64::from_be_bytes(*bytes))
}
