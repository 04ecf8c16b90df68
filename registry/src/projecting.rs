//! When a Snapshot makes projections anew, and the projections signed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keys::Signer;
use keys::SignerError;
use keys::Timestamp;
use keys::cose;
use keys::cose::HeaderMap;
use keys::jws;
use keys::x509::Certificate;
use keys::x509::NewListSigner;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use thiserror::Error;
use tokio::sync::Mutex;
use tokio::time::Instant;
use trust::entry::EntryType;
use trust::entry::Particulars;
use trust::entry::Publication;
use trust::entry::SectionDigest;
use trust::merkle::Hash;
use trust::projection::Projections;
use trust::state::PolicyRecord;
use trust::state::Projecting;
use trust::state::State;

/// Whoever replays the log makes the projections again, so to make them shall take less than one part in this many of the time.
const SHARE: u32 = 200;

/// Of the certificate that the registry's own key makes for itself.
const COMMON_NAME: &str = "Trust registry";
/// Five years; a Policy with another certificate may come before.
const CERTIFIED_SECONDS: i64 = 5 * 365 * 86_400;
/// Clocks of readers differ.
const BEFORE: i64 = 3_600;

/// Remembers what the last projections were made of.
#[derive(Default)]
pub(crate) struct Projector {
    last: Option<Made>,
}

pub(crate) struct Made {
    of: Shown,
    at: Instant,
    took: Duration,
}

impl Projector {
    /// Whether the next Snapshot of `state` makes them: where what they show has changed, and the last time was long enough ago.
    pub(crate) fn due(&self, state: &State) -> Projecting {
        let Some(last) = &self.last else {
            return Projecting::Anew;
        };
        if shown(state) == last.of || last.at.elapsed() < last.took * SHARE {
            return Projecting::IfDue;
        }
        Projecting::Anew
    }

    /// To be remembered when the Snapshot of `state`, which took from `begun` on, is in the log.
    pub(crate) fn made(state: &State, begun: Instant) -> Made {
        Made {
            of: shown(state),
            at: Instant::now(),
            took: begun.elapsed(),
        }
    }

    pub(crate) fn remember(&mut self, made: Option<Made>) {
        self.last = made.or_else(|| self.last.take());
    }
}

/// What projections are made of, but for what passes with time alone: the Policy in force, which a recovery becomes without
/// an entry, and the sections.
type Shown = (Option<Hash>, Vec<SectionDigest>);

/// Status lists change all day, and no projection has them.
fn shown(state: &State) -> Shown {
    let mut sections = state.sections();
    sections.retain(|digest| digest.section != EntryType::StatusCommit);
    (state.policy().map(PolicyRecord::hash), sections)
}

/// A certificate of `key` as the signer of this registry's projections, made by itself.
///
/// # Errors
/// [`SignerError`].
pub fn certify(
    key: &dyn Signer,
    particulars: &Particulars,
    territory: &str,
    now: Timestamp,
) -> Result<Vec<u8>, SignerError> {
    let name = particulars.names.first().map_or("", |name| &name.text);
    let new = NewListSigner {
        country: territory,
        organization: name,
        common_name: COMMON_NAME,
        key: key.public_key(),
        valid_from: now.minus(BEFORE),
        valid_until: now.plus(CERTIFIED_SECONDS),
    };
    keys::signing::fulfil(key, new.issue())
}

/// The key of the certificate that the Policy's publication names, and what it signed last.
pub(crate) struct Publisher {
    key: Option<Arc<dyn Signer>>,
    signed: Mutex<BTreeMap<&'static str, Signed>>,
}

struct Signed {
    /// Of what was signed, and of the certificate.
    of: (Hash, Hash),
    bytes: Arc<[u8]>,
}

/// What is signed, and with what.
pub(crate) struct Signing<'s> {
    pub(crate) publication: &'s Publication,
    pub(crate) content: &'s [u8],
    /// Of the content, as the Snapshot has it.
    pub(crate) digest: Hash,
    pub(crate) key: &'s dyn Signer,
}

impl Signing<'_> {
    /// The same for the same content and certificate.
    pub(crate) fn of(&self) -> (Hash, Hash) {
        (self.digest, Hash::digest(&self.publication.certificate))
    }
}

/// A projection is not to be had.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ProjectionError {
    /// The Policy's certificate is of a key that this process does not have. The operator's fault.
    #[error("expected the key of the certificate that the policy's publication names, found another or none")]
    Key,
    /// The Policy has no publication: there are no projections.
    #[error("expected a policy with a publication, found one without")]
    NoPublication,
    /// The key did not sign.
    #[error("the projection is not signed")]
    Signer(#[from] SignerError),
}

impl Publisher {
    pub(crate) fn new(key: Option<Arc<dyn Signer>>) -> Self {
        Self {
            key,
            signed: Mutex::default(),
        }
    }

    /// The key, whether the Policy's certificate is of it or not.
    pub(crate) fn key(&self) -> Option<&dyn Signer> {
        self.key.as_deref()
    }

    /// The List of Trusted Entities as a JWS in compact form, a baseline signature (level B-B) of
    /// [JAdES, ETSI TS 119 182-1](https://www.etsi.org/deliver/etsi_ts/119100_119199/11918201/).
    pub(crate) async fn lote(&self, state: &State, now: Timestamp) -> Result<Arc<[u8]>, ProjectionError> {
        let sign = |publication: &Publication, key: &dyn Signer, payload: &[u8]| {
            let header = Map::from_iter([
                ("iat".to_owned(), Value::from(now.unix())),
                ("x5c".to_owned(), json!([STANDARD.encode(&publication.certificate)])),
                (
                    "x5t#S256".to_owned(),
                    URL_SAFE_NO_PAD.encode(keys::sha256(&publication.certificate)).into(),
                ),
            ]);
            let request = jws::sign(header, payload, key.public_key().algorithm());
            keys::signing::fulfil(key, request).map(String::into_bytes)
        };
        self.signed(state, Projections::LOTE, sign).await
    }

    /// The list of issuing authorities of mdocs as an untagged `COSE_Sign1`, with the certificate in `x5chain`
    /// (ISO/IEC 18013-5 clause C.1.7.1).
    pub(crate) async fn vical(&self, state: &State) -> Result<Arc<[u8]>, ProjectionError> {
        let sign = |publication: &Publication, key: &dyn Signer, payload: &[u8]| {
            let certificates = std::slice::from_ref(&publication.certificate);
            let unprotected = HeaderMap::default().with_x5chain(certificates);
            let algorithm = key.public_key().algorithm();
            let request = cose::sign(HeaderMap::default(), unprotected, payload.to_vec(), algorithm);
            keys::signing::fulfil(key, request)
        };
        self.signed(state, Projections::VICAL, sign).await
    }

    /// The projection of this name, signed when it is asked for the first time.
    async fn signed(
        &self,
        state: &State,
        name: &'static str,
        sign: impl FnOnce(&Publication, &dyn Signer, &[u8]) -> Result<Vec<u8>, SignerError>,
    ) -> Result<Arc<[u8]>, ProjectionError> {
        let signing = self.signing(state, name)?;
        let of = signing.of();
        let mut signed = self.signed.lock().await;
        if let Some(signed) = signed.get(name).filter(|signed| signed.of == of) {
            return Ok(signed.bytes.clone());
        }
        let bytes: Arc<[u8]> = sign(signing.publication, signing.key, signing.content)?.into();
        let new = Signed {
            of,
            bytes: bytes.clone(),
        };
        signed.insert(name, new);
        Ok(bytes)
    }

    /// The projection of this name of the last Snapshot, and the key for it.
    pub(crate) fn signing<'s>(&'s self, state: &'s State, name: &str) -> Result<Signing<'s>, ProjectionError> {
        let publication = state
            .policy()
            .map(PolicyRecord::body)
            .and_then(|policy| policy.publication.as_ref());
        let publication = publication.ok_or(ProjectionError::NoPublication)?;
        let projections = state.projections().ok_or(ProjectionError::NoPublication)?;
        Ok(Signing {
            publication,
            content: projections.content(name).ok_or(ProjectionError::NoPublication)?,
            digest: projections.digests().get(name).ok_or(ProjectionError::NoPublication)?,
            key: self.key_of(publication).ok_or(ProjectionError::Key)?,
        })
    }

    fn key_of(&self, publication: &Publication) -> Option<&dyn Signer> {
        let certificate = Certificate::from_der(&publication.certificate).ok()?;
        self.key.as_deref().filter(|key| key.public_key() == certificate.key())
    }
}
