//! A plain witness: it cosigns checkpoints that are consistent with all that it cosigned of a log before
//! ([C2SP tlog-witness](https://c2sp.org/tlog-witness)).
//!
//! What it remembers of a log is durable before it signs, and is changed only from what was judged: two requests at once,
//! or a death between the two steps, give no cosignature of a fork.

use std::sync::Arc;

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
use server::Clock;
use server::Problem;
use server::problem::chain;
use thiserror::Error;
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

/// What a witness needs from around it.
pub struct Config {
    /// The name of its key, such as `witness.example/w1`: a URL without scheme.
    pub name: String,
    /// Its Ed25519 key, which makes no other statements than this one.
    pub key: Arc<dyn Signer>,
    /// The keys of the logs that it cosigns; the name of each is its log's origin, and several may have one.
    pub logs: Vec<VerifierKey>,
    /// The store, confined to this service's room.
    pub store: Store,
    /// The time.
    pub clock: Clock,
}

/// The running witness. Cheap to clone.
#[derive(Clone)]
pub struct Witness(Arc<Inner>);

struct Inner {
    key: Arc<dyn Signer>,
    verifier: VerifierKey,
    logs: Vec<VerifierKey>,
    store: Store,
    clock: Clock,
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

impl From<StoreError> for CosignError {
    fn from(error: StoreError) -> Self {
        Self::Record(error.into())
    }
}

impl Witness {
    /// A witness of these logs.
    ///
    /// # Errors
    /// [`NoteError`] for a name or key that no witness can have.
    pub fn new(config: Config) -> Result<Self, NoteError> {
        let public_key = config.key.public_key().clone();
        let verifier = VerifierKey::new(&config.name, SignatureType::Cosignature, public_key)?;
        Ok(Self(Arc::new(Inner {
            key: config.key,
            verifier,
            logs: config.logs,
            store: config.store,
            clock: config.clock,
        })))
    }

    /// What verifiers know of it: for the `witness` line of a tlog-policy.
    #[must_use]
    pub fn verifier_key(&self) -> &VerifierKey {
        &self.0.verifier
    }

    /// `POST /add-checkpoint`.
    pub fn router(&self) -> Router {
        let add = post(add_checkpoint).layer(DefaultBodyLimit::max(MAX_ADD_CHECKPOINT_BYTES));
        Router::new().route("/add-checkpoint", add).with_state(self.clone())
    }

    /// Judges a checkpoint, remembers it, and cosigns it.
    ///
    /// # Errors
    /// [`CosignError`].
    pub async fn cosign(&self, request: &AddCheckpoint) -> Result<NoteSignature, CosignError> {
        let inner = &self.0;
        // Before there is a record to read: anybody may ask.
        request.check_log(&inner.logs)?;
        let record = record(request.checkpoint().unverified().origin());
        let record = &record;
        let asked = inner
            .store
            .transact(|tx| async move {
                let latest = tx.get(record).await?.map(|bytes| parse(&bytes)).transpose()?;
                let now = inner.clock.now();
                let asked = request.judge(&inner.logs, latest.as_ref(), now, &inner.verifier)?;
                tx.put(record, request.checkpoint().to_string())?;
                Ok::<_, CosignError>(asked)
            })
            .await?;
        Ok(keys::signing::fulfil(&*inner.key, asked)?)
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
        Ok(signature) => {
            let headers = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
            (headers, format!("{signature}\n")).into_response()
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
