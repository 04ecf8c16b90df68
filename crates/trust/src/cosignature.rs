//! Cosignatures: a witness's statement that a checkpoint is consistent with all it saw before.
//!
//! [C2SP tlog-cosignature](https://c2sp.org/tlog-cosignature), the Ed25519 format `cosignature/v1`. State
//! witnesses make one further statement with it (`spec/registry.md`), so their keys are their own.

use keys::Algorithm;
use keys::Signature;
use keys::SigningRequest;
use keys::Timestamp;

use crate::checkpoint::SignedCheckpoint;
use crate::note::NoteError;
use crate::note::NoteSignature;
use crate::note::SignatureType;
use crate::note::VerifierKey;

/// Asks for the cosignature of `checkpoint` at `time` by the witness `key`.
///
/// Whoever calls this has verified the log's signature and the consistency with its last checkpoint, and
/// has stored the new one.
///
/// # Errors
/// [`NoteError::VerifierKey`] for a key of another type or a time before 1970.
pub fn cosign(
    checkpoint: &SignedCheckpoint,
    time: Timestamp,
    key: &VerifierKey,
) -> Result<SigningRequest<NoteSignature>, NoteError> {
    if key.signature_type() != SignatureType::Cosignature {
        return Err(NoteError::VerifierKey {
            expected: "a key that cosigns (type 0x04)",
        });
    }
    let seconds = u64::try_from(time.unix()).map_err(|_| NoteError::VerifierKey {
        expected: "a time after 1970",
    })?;
    let (name, id) = (key.name().to_owned(), key.id());
    Ok(SigningRequest::new(
        Algorithm::EdDsa,
        message(seconds, checkpoint.note().text()),
        move |signature| {
            let mut bytes = seconds.to_be_bytes().to_vec();
            bytes.extend_from_slice(signature.as_bytes());
            NoteSignature::new(name, id, bytes)
        },
    ))
}

/// Verifies the cosignature of `key` on `checkpoint` and returns its time.
///
/// # Errors
/// [`NoteError::Unsigned`] without a line of the key, [`NoteError::Signature`] when it is wrong,
/// [`NoteError::VerifierKey`] for a key of another type.
pub fn verify(checkpoint: &SignedCheckpoint, key: &VerifierKey) -> Result<Timestamp, NoteError> {
    if key.signature_type() != SignatureType::Cosignature {
        return Err(NoteError::VerifierKey {
            expected: "a key that cosigns (type 0x04)",
        });
    }
    let line = key.find(checkpoint.note()).ok_or_else(|| NoteError::Unsigned {
        name: key.name().to_owned(),
    })?;
    let wrong = || NoteError::Signature {
        name: key.name().to_owned(),
    };
    let (seconds, signature) = line.bytes().split_first_chunk::<8>().ok_or_else(wrong)?;
    let seconds = u64::from_be_bytes(*seconds);
    let signature = Signature::from_bytes(signature).map_err(|_| wrong())?;
    key.public_key()
        .verify(&message(seconds, checkpoint.note().text()), &signature)
        .map_err(|_| wrong())?;
    // "It MUST NOT exceed 2^63 - 1"
    i64::try_from(seconds).map(Timestamp::from_unix).map_err(|_| wrong())
}

/// Header line, time line, note text.
fn message(seconds: u64, text: &str) -> Vec<u8> {
    format!("cosignature/v1\ntime {seconds}\n{text}").into_bytes()
}
