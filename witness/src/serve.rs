//! A witness: it cosigns checkpoints that are consistent with all that it cosigned of a log before
//! ([C2SP tlog-witness](https://c2sp.org/tlog-witness)), and of registries also what their entries come to.
//!
//! It makes two statements, each with a key of its own. The *plain* one says that nothing was taken back. The *state* one
//! says besides that every entry was re-executed, that the last leaf is the Snapshot which that gives, and that its time
//! is about now (`spec/registry.md`). Where only the first is true, only the first is given.
//!
//! What it remembers of a log is durable before it signs, and is changed only from what was judged: two requests at once,
//! or a death between the two steps, give no cosignature of a fork.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ::store::CommitError;
use ::store::Store;
use ::store::StoreError;
use ::store::records::RecordError;
use axum::Router;
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::IntoResponse as _;
use axum::response::Response;
use axum::routing::post;
use keys::Signer;
use keys::SignerError;
use keys::SigningRequest;
use server::Clock;
use server::Problem;
use server::problem::chain;
use thiserror::Error;
use tokio::sync::Mutex;
use tokio::time::timeout;
use trust::Anchor;
use trust::checkpoint::Checkpoint;
use trust::checkpoint::SignedCheckpoint;
use trust::merkle::Hash;
use trust::note::NoteError;
use trust::note::NoteSignature;
use trust::note::SignatureType;
use trust::note::VerifierKey;
use trust::tlog_witness::AddCheckpoint;
use trust::tlog_witness::AddCheckpointError;
use trust::tlog_witness::MAX_ADD_CHECKPOINT_BYTES;
use trust::tlog_witness::SIZE_MEDIA_TYPE;
use trust::witness::StateWitness;
use trust::witness::WitnessRefusal;

use crate::FollowError;
use crate::Source;
use crate::follow::Bundles;

/// How long a plain statement waits for the state statement beside it: less than a log waits for either.
const PATIENCE: Duration = Duration::from_secs(3);

/// What a witness needs from around it.
pub struct Config {
    /// The name of its plain key, such as `witness.example/w1`: a URL without scheme. That of its state key ends in
    /// `/state`.
    pub name: String,
    /// The Ed25519 key of plain statements, which signs nothing else.
    pub plain_key: Arc<dyn Signer>,
    /// The Ed25519 key of state statements, which signs nothing else.
    pub state_key: Arc<dyn Signer>,
    /// The keys of the logs that it cosigns plainly; the name of each is its log's origin, and several may have one.
    pub logs: Vec<VerifierKey>,
    /// The registries whose entries it re-executes, and where it reads them.
    pub registries: Vec<(Anchor, Source)>,
    /// The store, confined to this service's room.
    pub store: Store,
    /// The time.
    pub clock: Clock,
}

/// The running witness. Cheap to clone.
#[derive(Clone)]
pub struct Witness(Arc<Inner>);

struct Inner {
    plain: KeyPair,
    state: KeyPair,
    logs: Vec<VerifierKey>,
    registries: BTreeMap<String, Registry>,
    store: Store,
    clock: Clock,
}

struct KeyPair {
    signer: Arc<dyn Signer>,
    verifier: VerifierKey,
}

struct Registry {
    source: Source,
    /// What was re-executed, up to a checkpoint that the log signed. After a start nothing: the next request begins to
    /// re-execute everything, and its consistency with what was cosigned before is proven like that of any other log.
    followed: Arc<Mutex<StateWitness>>,
}

/// There is no cosignature.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CosignError {
    /// Nothing was stored, so nothing was signed.
    #[error("the witness's record was not saved")]
    Commit(#[from] CommitError),
    /// What was stored cannot be read back.
    #[error("the witness's record cannot be read")]
    Record(#[from] RecordError),
    /// The checkpoint is not cosigned: the fault of who asks.
    #[error("the checkpoint is not cosigned")]
    Refused(#[from] AddCheckpointError),
    /// The key did not sign.
    #[error("the witness did not sign")]
    Signer(#[from] SignerError),
}

/// The state statement is not made; the plain one may be.
#[derive(Debug, Error)]
enum StateError {
    #[error("the entries before are still being re-executed")]
    Busy,
    #[error("the entries cannot be read")]
    Follow(#[from] FollowError),
    #[error("the registry does not hold")]
    Refused(#[from] WitnessRefusal),
    #[error("the state key did not sign")]
    Signer(#[from] SignerError),
}

impl From<StoreError> for CosignError {
    fn from(error: StoreError) -> Self {
        Self::Record(error.into())
    }
}

impl KeyPair {
    fn new(name: &str, signer: Arc<dyn Signer>) -> Result<Self, NoteError> {
        let verifier = VerifierKey::new(name, SignatureType::Cosignature, signer.public_key().clone())?;
        Ok(Self { signer, verifier })
    }

    fn sign(&self, asked: SigningRequest<NoteSignature>) -> Result<NoteSignature, SignerError> {
        keys::signing::fulfil(&*self.signer, asked)
    }
}

impl Witness {
    /// A witness of these logs and registries.
    ///
    /// # Errors
    /// [`NoteError`] for a name or key that no witness can have.
    pub fn new(config: Config) -> Result<Self, NoteError> {
        let mut logs = config.logs;
        logs.extend(config.registries.iter().map(|(anchor, _)| anchor.log().clone()));
        let registries = config.registries.into_iter().map(|(anchor, source)| {
            let origin = anchor.origin().to_owned();
            let followed = Arc::new(Mutex::new(StateWitness::new(anchor)));
            (origin, Registry { source, followed })
        });
        Ok(Self(Arc::new(Inner {
            plain: KeyPair::new(&config.name, config.plain_key)?,
            state: KeyPair::new(&format!("{}/state", config.name), config.state_key)?,
            logs,
            registries: registries.collect(),
            store: config.store,
            clock: config.clock,
        })))
    }

    /// What verifiers know of its plain statements: for a `witness` line of a tlog-policy.
    #[must_use]
    pub fn plain_key(&self) -> &VerifierKey {
        &self.0.plain.verifier
    }

    /// What verifiers know of its state statements.
    #[must_use]
    pub fn state_key(&self) -> &VerifierKey {
        &self.0.state.verifier
    }

    /// `POST /add-checkpoint`.
    pub fn router(&self) -> Router {
        let add = post(add_checkpoint).layer(DefaultBodyLimit::max(MAX_ADD_CHECKPOINT_BYTES));
        Router::new().route("/add-checkpoint", add).with_state(self.clone())
    }

    /// Judges a checkpoint, remembers it, and cosigns it with each key whose statement is true.
    ///
    /// # Errors
    /// [`CosignError`].
    pub async fn cosign(&self, request: &AddCheckpoint) -> Result<Vec<NoteSignature>, CosignError> {
        let inner = &self.0;
        // Before there is a record to read: anybody may ask.
        request.check_log(&inner.logs)?;
        let origin = request.checkpoint().unverified().origin();
        let plain = self.remember(request, &record(origin)).await?;
        let mut lines = vec![inner.plain.sign(plain)?];
        if let Some(registry) = inner.registries.get(origin) {
            match self.state_line(registry, request.checkpoint()).await {
                Ok(line) => lines.push(line),
                Err(error) => tracing::warn!(origin, cause = %chain(&error), "no state statement"),
            }
        }
        Ok(lines)
    }

    /// Stores the checkpoint, if it is consistent with the last one and another.
    async fn remember(
        &self,
        request: &AddCheckpoint,
        record: &str,
    ) -> Result<SigningRequest<NoteSignature>, CosignError> {
        let inner = &self.0;
        let remembered = inner.store.transact(|tx| async move {
            let latest = tx.get(record).await?.map(|bytes| parse(&bytes)).transpose()?;
            let asked = request.judge(&inner.logs, latest.as_ref(), inner.clock.now(), &inner.plain.verifier)?;
            // Anybody may show the last checkpoint again; that costs no write.
            if latest.as_ref() != Some(request.checkpoint().unverified()) {
                tx.put(record, request.checkpoint().to_string())?;
            }
            Ok(asked)
        });
        remembered.await
    }

    /// The state statement about a checkpoint that was remembered.
    async fn state_line(
        &self,
        registry: &Registry,
        checkpoint: &SignedCheckpoint,
    ) -> Result<NoteSignature, StateError> {
        // One at a time. Nobody waits for another's question, so nobody can make others wait.
        let followed = registry.followed.clone().try_lock_owned();
        let mut followed = followed.map_err(|_| StateError::Busy)?;
        let (witness, source, checkpoint) = (self.clone(), registry.source.clone(), checkpoint.clone());
        // It goes on when whoever asked has gone: a log that is too long for one answer is re-executed all the same, and
        // the next question finds that done.
        let judging = tokio::spawn(async move { witness.re_execute(&source, &mut followed, &checkpoint).await });
        let asked = timeout(PATIENCE, judging).await.map_err(|_| StateError::Busy)?;
        let asked = asked.map_err(|error| StateError::Follow(error.into()))??;
        Ok(self.0.state.sign(asked)?)
    }

    /// Applies the entries up to the checkpoint, which the log signed, and judges it.
    async fn re_execute(
        &self,
        source: &Source,
        followed: &mut StateWitness,
        checkpoint: &SignedCheckpoint,
    ) -> Result<SigningRequest<NoteSignature>, StateError> {
        let (now, key) = (self.0.clock.now(), &self.0.state.verifier);
        let (from, to) = (followed.tree().0, checkpoint.unverified().size());
        if from == to {
            return Ok(followed.judge(checkpoint, now, key)?);
        }
        let mut next = followed.clone();
        let mut bundles = Bundles::new(std::slice::from_ref(source), from, to);
        while let Some((_, entries)) = bundles.next().await? {
            for entry in &entries {
                next.follow(entry)?;
            }
        }
        let judged = next.judge(checkpoint, now, key);
        // Entries under the signed root are the log's, whatever else is wrong with the checkpoint, such as its time.
        if next.tree() == (to, checkpoint.unverified().root()) {
            *followed = next;
        }
        Ok(judged?)
    }
}

/// Where the last checkpoint of a log is. Origins may be longer than keys.
fn record(origin: &str) -> String {
    format!("checkpoint/{}", Hash::digest(origin.as_bytes()))
}

fn parse(bytes: &[u8]) -> Result<Checkpoint, RecordError> {
    let signed = SignedCheckpoint::parse(bytes).map_err(|_| RecordError::Damaged {
        key: "checkpoint".to_owned(),
    })?;
    Ok(signed.unverified().clone())
}

async fn add_checkpoint(State(witness): State<Witness>, body: Bytes) -> Response {
    let asked = AddCheckpoint::parse(&body).map_err(CosignError::Refused);
    let cosigned = match asked {
        Ok(request) => witness.cosign(&request).await,
        Err(error) => Err(error),
    };
    match cosigned {
        Ok(lines) => {
            let headers = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
            let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
            (headers, lines.join("\n") + "\n").into_response()
        }
        Err(CosignError::Refused(refused)) => refuse(&refused),
        Err(error) => Problem::internal(&error).into_response(),
    }
}

fn refuse(error: &AddCheckpointError) -> Response {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match error.known_size() {
        Some(size) => {
            let headers = [(header::CONTENT_TYPE, SIZE_MEDIA_TYPE)];
            (status, headers, format!("{size}\n")).into_response()
        }
        None => (status, format!("{}\n", chain(error))).into_response(),
    }
}
