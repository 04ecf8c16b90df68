//! Cosignatures: a statement that a checkpoint is consistent with all that whoever makes it saw before.
//!
//! [C2SP tlog-cosignature](https://c2sp.org/tlog-cosignature), both formats: `cosignature/v1` with Ed25519 by witnesses,
//! and `subtree/v1` with ML-DSA-44, by witnesses and by a log that signs its own checkpoints with a second key
//! ([tlog-checkpoint, signatures](https://c2sp.org/tlog-checkpoint#signatures)). State witnesses make one further
//! statement with theirs (`spec/registry.md`), so their keys are their own.

use keys::Algorithm;
use keys::Signature;
use keys::SigningRequest;
use keys::Timestamp;
use keys::ml_dsa;

use crate::checkpoint::Checkpoint;
use crate::checkpoint::SignedCheckpoint;
use crate::note::Note;
use crate::note::NoteError;
use crate::note::NoteSignature;
use crate::note::SignatureType;
use crate::note::VerifierKey;

/// `uint8 label[12]` of a `cosigned_message`.
const SUBTREE_LABEL: &[u8; 12] = b"subtree/v1\n\0";

/// Asks for the cosignature of `checkpoint` at `time` by the witness `key`, of type [`SignatureType::Cosignature`].
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
    let seconds = seconds(time)?;
    let (name, id) = (key.name().to_owned(), key.id());
    Ok(SigningRequest::new(
        Algorithm::EdDsa,
        message(seconds, checkpoint.note().text()),
        move |signature| NoteSignature::new(name, id, timestamped(seconds, signature.as_bytes())),
    ))
}

/// Asks for the signature of `checkpoint` at `time` by `key`, of type [`SignatureType::MlDsa44`]: that of the log
/// whose name the key has, or a witness's cosignature. As for [`cosign`], what it states was checked before.
///
/// # Errors
/// [`NoteError::VerifierKey`] for a key of another type or a time before 1970, [`NoteError::Malformed`] for an origin
/// that the format has no room for.
pub fn cosign_ml_dsa(
    checkpoint: &Checkpoint,
    time: Timestamp,
    key: &VerifierKey,
) -> Result<ml_dsa::SigningRequest<NoteSignature>, NoteError> {
    if key.signature_type() != SignatureType::MlDsa44 {
        return Err(NoteError::VerifierKey {
            expected: "a key that cosigns trees (type 0x06)",
        });
    }
    let seconds = seconds(time)?;
    let message = tree_message(key.name(), seconds, checkpoint).ok_or(NoteError::Malformed {
        expected: "an origin of at most 255 bytes",
    })?;
    let (name, id) = (key.name().to_owned(), key.id());
    Ok(ml_dsa::SigningRequest::new(message, move |signature| {
        NoteSignature::new(name, id, timestamped(seconds, signature.as_bytes()))
    }))
}

/// Verifies the cosignature of the witness `key` on `checkpoint` and returns its time.
///
/// # Errors
/// [`NoteError::Unsigned`] without a line of the key, [`NoteError::Signature`] when it is wrong,
/// [`NoteError::VerifierKey`] for a key of another type.
pub fn verify(checkpoint: &SignedCheckpoint, key: &VerifierKey) -> Result<Timestamp, NoteError> {
    let note = checkpoint.note();
    match key.signature_type() {
        SignatureType::Cosignature => verify_ed25519(note, key),
        SignatureType::MlDsa44 => {
            let time = verify_ml_dsa(note, checkpoint.unverified(), key)?;
            // "The cosignature MUST NOT omit the timestamp": without it a witness says nothing of the largest tree.
            Some(time)
                .filter(|time| time.unix() != 0)
                .ok_or_else(|| NoteError::Signature {
                    name: key.name().to_owned(),
                })
        }
        SignatureType::Ed25519 => Err(NoteError::VerifierKey {
            expected: "a key that cosigns (type 0x04 or 0x06)",
        }),
    }
}

/// Verifies the signature of `key`, of type [`SignatureType::MlDsa44`], over the tree of `checkpoint` in `note`, and
/// returns its time, which is zero where the signer says nothing of the largest tree.
pub(crate) fn verify_ml_dsa(note: &Note, checkpoint: &Checkpoint, key: &VerifierKey) -> Result<Timestamp, NoteError> {
    let public = key.ml_dsa_44().ok_or(NoteError::VerifierKey {
        expected: "a key that cosigns trees (type 0x06)",
    })?;
    let (seconds, signature) = find(note, key)?;
    let wrong = || wrong(key);
    let signature = ml_dsa::Signature::from_bytes(signature).map_err(|_| wrong())?;
    let message = tree_message(key.name(), seconds, checkpoint).ok_or_else(wrong)?;
    public.verify(&message, &signature).map_err(|_| wrong())?;
    timestamp(seconds).ok_or_else(wrong)
}

fn verify_ed25519(note: &Note, key: &VerifierKey) -> Result<Timestamp, NoteError> {
    let (seconds, signature) = find(note, key)?;
    let wrong = || wrong(key);
    let signature = Signature::from_bytes(signature).map_err(|_| wrong())?;
    let public = key.ed25519().ok_or_else(wrong)?;
    public
        .verify(&message(seconds, note.text()), &signature)
        .map_err(|_| wrong())?;
    timestamp(seconds).ok_or_else(wrong)
}

/// `timestamped_signature` of the key's line.
fn find<'a>(note: &'a Note, key: &VerifierKey) -> Result<(u64, &'a [u8]), NoteError> {
    let line = key.find(note).ok_or_else(|| NoteError::Unsigned {
        name: key.name().to_owned(),
    })?;
    let (seconds, signature) = line.bytes().split_first_chunk::<8>().ok_or_else(|| wrong(key))?;
    Ok((u64::from_be_bytes(*seconds), signature))
}

fn wrong(key: &VerifierKey) -> NoteError {
    NoteError::Signature {
        name: key.name().to_owned(),
    }
}

fn seconds(time: Timestamp) -> Result<u64, NoteError> {
    u64::try_from(time.unix()).map_err(|_| NoteError::VerifierKey {
        expected: "a time after 1970",
    })
}

/// "It MUST NOT exceed 2^63 - 1"
fn timestamp(seconds: u64) -> Option<Timestamp> {
    i64::try_from(seconds).ok().map(Timestamp::from_unix)
}

fn timestamped(seconds: u64, signature: &[u8]) -> Vec<u8> {
    [&seconds.to_be_bytes(), signature].concat()
}

/// Header line, time line, note text.
fn message(seconds: u64, text: &str) -> Vec<u8> {
    format!("cosignature/v1\ntime {seconds}\n{text}").into_bytes()
}

/// The `cosigned_message` of a whole tree: label, signer, time, origin, first leaf, size, root. It says all that the text
/// of a checkpoint says, for there are no extension lines. `None` for a name that does not fit the one byte of its length.
fn tree_message(signer: &str, seconds: u64, checkpoint: &Checkpoint) -> Option<Vec<u8>> {
    let (signer_bytes, origin_bytes) = (
        u8::try_from(signer.len()).ok()?,
        u8::try_from(checkpoint.origin().len()).ok()?,
    );
    let start: u64 = 0;
    Some(
        [
            SUBTREE_LABEL.as_slice(),
            &[signer_bytes],
            signer.as_bytes(),
            &seconds.to_be_bytes(),
            &[origin_bytes],
            checkpoint.origin().as_bytes(),
            &start.to_be_bytes(),
            &checkpoint.size().to_be_bytes(),
            checkpoint.root().as_bytes(),
        ]
        .concat(),
    )
}

#[cfg(test)]
mod tests {
    use signer::MlDsaKey;

    use super::*;
    use crate::merkle::Hash;

    const ORIGIN: &str = "log.example";
    const TIME: Timestamp = Timestamp::from_unix(1_795_392_000);

    fn witness(number: u8) -> (MlDsaKey, VerifierKey) {
        let key = MlDsaKey::from_seed(&[number; 32]).unwrap();
        let verifier = VerifierKey::ml_dsa("witness.example/w", ml_dsa::Signer::public_key(&key).clone()).unwrap();
        (key, verifier)
    }

    fn checkpoint(size: u64) -> SignedCheckpoint {
        let text = format!("{ORIGIN}\n{size}\n{}\n", Hash::digest(b"root").to_base64());
        SignedCheckpoint::parse(format!("{text}\n\u{2014} {ORIGIN} AAAAAAA=\n").as_bytes()).unwrap()
    }

    fn cosigned(size: u64, time: Timestamp) -> SignedCheckpoint {
        let (key, verifier) = witness(1);
        let mut checkpoint = checkpoint(size);
        let request = cosign_ml_dsa(checkpoint.unverified(), time, &verifier).unwrap();
        checkpoint.add(request.fulfil(&key).unwrap());
        checkpoint
    }

    /// Written out from the text of the standard, byte by byte.
    #[test]
    fn the_message_of_a_tree_is_the_structure_of_the_standard() {
        let root = Hash::digest(b"root");
        let checkpoint = Checkpoint::new("o", 0x0102, root).unwrap();
        let mut expected =
            b"subtree/v1\x0a\x00\x02ab\0\0\0\0\0\0\0\x07\x01o\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x02".to_vec();
        expected.extend_from_slice(root.as_bytes());
        assert_eq!(tree_message("ab", 7, &checkpoint), Some(expected));
        let long = Checkpoint::new(&"o".repeat(256), 1, root).unwrap();
        assert_eq!(tree_message("ab", 7, &long), None);
    }

    #[test]
    fn a_witness_with_ml_dsa_cosigns_one_tree_at_one_time() {
        let (_, verifier) = witness(1);
        let genuine = cosigned(9, TIME);
        assert_eq!(verify(&genuine, &verifier), Ok(TIME));
        let wrong = Err(NoteError::Signature {
            name: verifier.name().to_owned(),
        });
        let line = verifier.find(genuine.note()).unwrap();
        let with = |bytes: Vec<u8>, size| {
            let mut other = checkpoint(size);
            other.add(NoteSignature::new(line.name().to_owned(), line.id(), bytes));
            verify(&other, &verifier)
        };
        assert_eq!(with(line.bytes().to_vec(), 9), Ok(TIME));
        // Of another tree.
        assert_eq!(with(line.bytes().to_vec(), 10), wrong);
        // Any of the time's bytes, and one of the signature's.
        for at in [0, 7, 8, line.bytes().len() - 1] {
            let mut changed = line.bytes().to_vec();
            changed[at] ^= 1;
            assert_eq!(with(changed, 9), wrong, "byte {at}");
        }
        // Longer and shorter.
        assert_eq!(with([line.bytes(), &[0]].concat(), 9), wrong);
        assert_eq!(with(line.bytes()[..line.bytes().len() - 1].to_vec(), 9), wrong);
        assert_eq!(with(vec![0; 7], 9), wrong);
    }

    #[test]
    fn a_witness_that_leaves_out_the_time_is_refused() {
        let verifier = witness(1).1;
        let (with, without) = (cosigned(9, TIME), cosigned(9, Timestamp::from_unix(0)));
        assert_eq!(verify(&with, &verifier), Ok(TIME));
        assert!(verify(&without, &verifier).is_err());
        // The signature itself is good: a log may sign so.
        assert!(verify_ml_dsa(without.note(), without.unverified(), &verifier).is_ok());
    }

    #[test]
    fn a_line_under_another_key_id_is_none_of_this_key() {
        let (genuine, (_, verifier)) = (cosigned(9, TIME), witness(1));
        assert_eq!(verify(&genuine, &verifier), Ok(TIME));
        let line = verifier.find(genuine.note()).unwrap();
        let mut other = checkpoint(9);
        let bytes = line.bytes().to_vec();
        other.add(NoteSignature::new(line.name().to_owned(), line.id() ^ 1, bytes));
        assert!(matches!(verify(&other, &verifier), Err(NoteError::Unsigned { .. })));
        assert!(matches!(
            verify(&genuine, &witness(2).1),
            Err(NoteError::Unsigned { .. })
        ));
    }
}
