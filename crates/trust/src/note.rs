//! Signed notes: text with signature lines below it, and the verifier keys that check them.
//!
//! [C2SP signed-note](https://c2sp.org/signed-note). In scope: Ed25519 log signatures (type `0x01`) and the
//! verifier-key format of every type. Cosignatures (types `0x04` and `0x06`) are checked in [`crate::cosignature`].

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keys::Algorithm;
use keys::PublicKey;
use keys::Signature;
use keys::SigningRequest;
use keys::ml_dsa;
use thiserror::Error;

/// A checkpoint with 16 post-quantum signatures of 5 kB each, twice over. Checked before parsing.
pub const MAX_NOTE_BYTES: usize = 160 << 10;

/// The text demands at least 16; this leaves room for a log, its second key and 32 witnesses twice over.
pub const MAX_SIGNATURES: usize = 100;

/// Names are schema-less URLs; the ML-DSA cosignature format has one length byte for them.
const MAX_NAME_BYTES: usize = 255;

/// The largest key material of a known type is 1,312 bytes; base64 and the name come on top.
const MAX_VERIFIER_KEY_BYTES: usize = 2_200;

/// The signature types with keys that we verify.
/// [Signature types](https://c2sp.org/signed-note#signature-types)
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SignatureType {
    /// `0x01`: Ed25519 over the note text. Logs.
    Ed25519,
    /// `0x04`: timestamped Ed25519 cosignature of a checkpoint. Witnesses.
    Cosignature,
    /// `0x06`: timestamped ML-DSA-44 cosignature of a tree. Witnesses, and logs beside [`SignatureType::Ed25519`].
    MlDsa44,
}

/// A verifier key (vkey): who signs, with what, known by which id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: u32,
    signature_type: SignatureType,
    key: Key,
}

/// Only [`SignatureType::MlDsa44`] has an ML-DSA-44 key; the constructors see to it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Key {
    /// As it verifies, and as it is written.
    Ed25519(Box<(PublicKey, [u8; 32])>),
    MlDsa44(ml_dsa::PublicKey),
}

/// A parsed note. Its text means nothing before a signature of a trusted key was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

/// One signature line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteSignature {
    name: String,
    id: u32,
    /// What follows the key id: for cosignatures a timestamp and the signature.
    bytes: Vec<u8>,
}

/// Why a note or key is refused. The sender's fault.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoteError {
    /// More bytes or signatures than a note of ours can have.
    #[error("expected a note of at most {MAX_NOTE_BYTES} bytes and {MAX_SIGNATURES} signatures, found more")]
    TooLarge,
    /// Not the format of a signed note.
    #[error("expected a signed note: {expected}")]
    Malformed {
        /// What was expected at the place of the fault.
        expected: &'static str,
    },
    /// Not a verifier key of a type that we verify.
    #[error("expected a verifier key of type 0x01, 0x04 or 0x06: {expected}")]
    VerifierKey {
        /// What was expected at the place of the fault.
        expected: &'static str,
    },
    /// No signature line has the name and id of the key.
    #[error("expected a signature by {name}, found none")]
    Unsigned {
        /// Name of the key.
        name: String,
    },
    /// A signature line of the key is there and does not verify.
    #[error("expected a valid signature by {name}, found another")]
    Signature {
        /// Name of the key.
        name: String,
    },
}

impl SignatureType {
    /// The identifier byte.
    #[must_use]
    pub const fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 0x01,
            Self::Cosignature => 0x04,
            Self::MlDsa44 => 0x06,
        }
    }
}

impl Key {
    /// The key material of a verifier key.
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Ed25519(key) => &key.1,
            Self::MlDsa44(key) => key.as_bytes(),
        }
    }
}

impl VerifierKey {
    /// A verifier key of Ed25519 from its parts; the id is computed.
    ///
    /// # Errors
    /// [`NoteError::VerifierKey`] for a bad name, a key that is not Ed25519, or a type of other keys.
    pub fn new(name: &str, signature_type: SignatureType, key: PublicKey) -> Result<Self, NoteError> {
        let bytes = key.ed25519_bytes().filter(|_| signature_type != SignatureType::MlDsa44);
        let bytes = bytes.ok_or(NoteError::VerifierKey {
            expected: "an Ed25519 key for the types 0x01 and 0x04",
        })?;
        Self::of(name, signature_type, Key::Ed25519(Box::new((key, bytes))))
    }

    /// A verifier key of [`SignatureType::MlDsa44`] from its parts; the id is computed.
    ///
    /// # Errors
    /// [`NoteError::VerifierKey`] for a bad name.
    pub fn ml_dsa(name: &str, key: ml_dsa::PublicKey) -> Result<Self, NoteError> {
        Self::of(name, SignatureType::MlDsa44, Key::MlDsa44(key))
    }

    fn of(name: &str, signature_type: SignatureType, key: Key) -> Result<Self, NoteError> {
        if !is_key_name(name) {
            return Err(NoteError::VerifierKey {
                expected: "a name without spaces, plus and control characters",
            });
        }
        let id = key_id(name, signature_type, key.bytes());
        Ok(Self {
            name: name.to_owned(),
            id,
            signature_type,
            key,
        })
    }

    /// Parses `<name>+<8 hex digits>+<base64>`.
    ///
    /// # Errors
    /// [`NoteError::VerifierKey`], also when the id is not that of name and key.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let malformed = |expected| NoteError::VerifierKey { expected };
        if text.len() > MAX_VERIFIER_KEY_BYTES {
            return Err(malformed("at most 2,200 bytes"));
        }
        let form = "<name>+<8 hex digits>+<base64>";
        let (name, rest) = text.split_once('+').ok_or_else(|| malformed(form))?;
        let (id, material) = rest.split_once('+').ok_or_else(|| malformed(form))?;
        let material = STANDARD.decode(material).map_err(|_| malformed(form))?;
        let (byte, key_bytes) = material.split_first().ok_or_else(|| malformed(form))?;
        let signature_type = match byte {
            0x01 => SignatureType::Ed25519,
            0x04 => SignatureType::Cosignature,
            0x06 => SignatureType::MlDsa44,
            _ => return Err(malformed("signature type 0x01, 0x04 or 0x06")),
        };
        let parsed = if signature_type == SignatureType::MlDsa44 {
            let key = ml_dsa::PublicKey::from_bytes(key_bytes).map_err(|_| malformed("1,312 bytes of key"))?;
            Self::ml_dsa(name, key)?
        } else {
            let key_bytes: &[u8; 32] = key_bytes.try_into().map_err(|_| malformed("32 bytes of key"))?;
            let key = PublicKey::from_ed25519(key_bytes).map_err(|_| malformed("a usable Ed25519 key"))?;
            Self::new(name, signature_type, key)?
        };
        if id == format!("{:08x}", parsed.id) {
            Ok(parsed)
        } else {
            Err(malformed("the id of this name and key"))
        }
    }

    /// Who signs with it: a log's origin or a witness's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first four bytes of the hash of name, type and key.
    #[must_use]
    pub const fn id(&self) -> u32 {
        self.id
    }

    /// What it signs.
    #[must_use]
    pub const fn signature_type(&self) -> SignatureType {
        self.signature_type
    }

    /// The key material: 32 bytes of Ed25519, or 1,312 of ML-DSA-44. Two verifier keys with the same material are
    /// duplicates, whatever their names and types.
    #[must_use]
    pub fn key_bytes(&self) -> &[u8] {
        self.key.bytes()
    }

    /// The Ed25519 key of the types `0x01` and `0x04`.
    pub(crate) fn ed25519(&self) -> Option<&PublicKey> {
        match &self.key {
            Key::Ed25519(key) => Some(&key.0),
            Key::MlDsa44(_) => None,
        }
    }

    /// The key of type `0x06`.
    pub(crate) const fn ml_dsa_44(&self) -> Option<&ml_dsa::PublicKey> {
        match &self.key {
            Key::Ed25519(_) => None,
            Key::MlDsa44(key) => Some(key),
        }
    }

    /// The signature line of this key in `note`, not yet verified.
    #[must_use]
    pub fn find<'a>(&self, note: &'a Note) -> Option<&'a NoteSignature> {
        note.signatures
            .iter()
            .find(|line| line.id == self.id && line.name == self.name)
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut material = vec![self.signature_type.byte()];
        material.extend_from_slice(self.key.bytes());
        write!(f, "{}+{:08x}+{}", self.name, self.id, STANDARD.encode(material))
    }
}

impl Note {
    /// Parses a signed note. No signature is verified.
    ///
    /// # Errors
    /// [`NoteError::TooLarge`], [`NoteError::Malformed`].
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > MAX_NOTE_BYTES {
            return Err(NoteError::TooLarge);
        }
        let malformed = |expected| NoteError::Malformed { expected };
        let whole = std::str::from_utf8(bytes).map_err(|_| malformed("UTF-8"))?;
        if whole.bytes().any(|byte| byte < 0x20 && byte != b'\n') {
            return Err(malformed("no control characters"));
        }
        // "the text is separated from the signatures by the last empty line in the note"
        let split = whole
            .rfind("\n\n")
            .ok_or_else(|| malformed("an empty line before the signatures"))?;
        let (text, lines) = whole.split_at(split + 1);
        let lines = lines.strip_prefix('\n').unwrap_or(lines);
        let signatures = parse_signatures(lines)?;
        if signatures.is_empty() {
            return Err(malformed("at least one signature"));
        }
        Ok(Self {
            text: text.to_owned(),
            signatures,
        })
    }

    /// An unsigned text on its way to become a note. `text` must end in a newline.
    ///
    /// # Errors
    /// [`NoteError::Malformed`] for text that no note can have.
    pub fn unsigned(text: String) -> Result<Self, NoteError> {
        if !text.ends_with('\n') || text.bytes().any(|byte| byte < 0x20 && byte != b'\n') {
            return Err(NoteError::Malformed {
                expected: "text that ends in a newline, without other control characters",
            });
        }
        Ok(Self {
            text,
            signatures: Vec::new(),
        })
    }

    /// Asks for this note's signature by `key`, which must be of type [`SignatureType::Ed25519`].
    #[must_use = "nothing is signed until the request is fulfilled"]
    pub fn sign(&self, key: &VerifierKey) -> SigningRequest<NoteSignature> {
        let (name, id) = (key.name.clone(), key.id);
        SigningRequest::new(Algorithm::EdDsa, self.text.as_bytes().to_vec(), move |signature| {
            NoteSignature {
                name,
                id,
                bytes: signature.as_bytes().to_vec(),
            }
        })
    }

    /// Adds a signature line; a line of the same key is replaced.
    pub fn add(&mut self, signature: NoteSignature) {
        self.signatures
            .retain(|line| (&line.name, line.id) != (&signature.name, signature.id));
        self.signatures.push(signature);
    }

    /// The signed text, with its final newline.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signature lines.
    #[must_use]
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Verifies the signature of `key`, which must be of type [`SignatureType::Ed25519`].
    ///
    /// # Errors
    /// [`NoteError::Unsigned`] without a line of the key, [`NoteError::Signature`] when it is wrong,
    /// [`NoteError::VerifierKey`] for a key of another type.
    pub fn verify(&self, key: &VerifierKey) -> Result<(), NoteError> {
        let signs_notes = key.signature_type == SignatureType::Ed25519;
        let public = key.ed25519().filter(|_| signs_notes).ok_or(NoteError::VerifierKey {
            expected: "a key that signs notes (type 0x01)",
        })?;
        let line = key
            .find(self)
            .ok_or_else(|| NoteError::Unsigned { name: key.name.clone() })?;
        let wrong = || NoteError::Signature { name: key.name.clone() };
        let signature = Signature::from_bytes(&line.bytes).map_err(|_| wrong())?;
        public.verify(self.text.as_bytes(), &signature).map_err(|_| wrong())
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

impl NoteSignature {
    /// A signature line from its parts: what a signing request of another type completes to.
    pub(crate) const fn new(name: String, id: u32, bytes: Vec<u8>) -> Self {
        Self { name, id, bytes }
    }

    /// The name on the line.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key id on the line.
    #[must_use]
    pub const fn id(&self) -> u32 {
        self.id
    }

    /// What follows the key id.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Display for NoteSignature {
    /// The line without its newline.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.id.to_be_bytes().to_vec();
        bytes.extend_from_slice(&self.bytes);
        write!(f, "\u{2014} {} {}", self.name, STANDARD.encode(bytes))
    }
}

/// Parses signature lines, as they end a note and as a witness answers with.
///
/// # Errors
/// [`NoteError::TooLarge`], [`NoteError::Malformed`].
pub fn parse_signatures(text: &str) -> Result<Vec<NoteSignature>, NoteError> {
    let malformed = || NoteError::Malformed {
        expected: "signature lines of the form `\u{2014} <name> <base64>`",
    };
    if !text.is_empty() && !text.ends_with('\n') {
        return Err(malformed());
    }
    let mut signatures = Vec::new();
    for line in text.split_terminator('\n') {
        if signatures.len() == MAX_SIGNATURES {
            return Err(NoteError::TooLarge);
        }
        let (name, encoded) = line
            .strip_prefix("\u{2014} ")
            .and_then(|line| line.split_once(' '))
            .ok_or_else(malformed)?;
        let bytes = STANDARD.decode(encoded).map_err(|_| malformed())?;
        let (id, bytes) = bytes.split_first_chunk::<4>().ok_or_else(malformed)?;
        if !is_key_name(name) || bytes.is_empty() {
            return Err(malformed());
        }
        signatures.push(NoteSignature {
            name: name.to_owned(),
            id: u32::from_be_bytes(*id),
            bytes: bytes.to_vec(),
        });
    }
    Ok(signatures)
}

/// "Key names MUST be non-empty and MUST NOT contain any Unicode spaces or plus (U+002B) characters."
pub(crate) fn is_key_name(name: &str) -> bool {
    let allowed = |c: char| !c.is_whitespace() && c != '+' && !c.is_control();
    !name.is_empty() && name.len() <= MAX_NAME_BYTES && name.chars().all(allowed)
}

fn key_id(name: &str, signature_type: SignatureType, key: &[u8]) -> u32 {
    let mut material = name.as_bytes().to_vec();
    material.extend_from_slice(&[b'\n', signature_type.byte()]);
    material.extend_from_slice(key);
    let [first, second, third, fourth, ..] = keys::sha256(&material);
    u32::from_be_bytes([first, second, third, fourth])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the standard.
    const VERIFIER_KEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    const NOTE: &str = "This is an example message.\n\n\u{2014} example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

    #[test]
    fn the_example_of_the_standard_verifies_and_a_changed_text_does_not() {
        let key = VerifierKey::parse(VERIFIER_KEY).unwrap();
        let note = Note::parse(NOTE.as_bytes()).unwrap();
        assert_eq!(note.verify(&key), Ok(()));
        assert_eq!(note.text(), "This is an example message.\n");
        assert_eq!(note.to_string(), NOTE);
        assert_eq!(key.to_string(), VERIFIER_KEY);
        let changed = Note::parse(NOTE.replace("example message", "exbmple message").as_bytes()).unwrap();
        assert_eq!(
            changed.verify(&key),
            Err(NoteError::Signature {
                name: "example.com/foo".to_owned()
            })
        );
    }

    #[test]
    fn a_line_of_the_same_name_and_another_id_is_ignored() {
        let key = VerifierKey::parse(VERIFIER_KEY).unwrap();
        let other = Note::parse(
            NOTE.replace("Uw2QOkn8", "Uw2QOun8")
                .replace("foo Uw2Q", "foo Vw2Q")
                .as_bytes(),
        )
        .unwrap();
        assert_eq!(
            other.verify(&key),
            Err(NoteError::Unsigned {
                name: "example.com/foo".to_owned()
            })
        );
    }

    #[test]
    fn malformed_notes_are_refused() {
        for note in [
            "",
            "text\n",
            "text\n\n",
            "text\n\nx\n",
            "text\n\n\u{2014} a b\n",
            "te\rxt\n\n\u{2014} a AAAAAAA=\n",
            "t\n\n\u{2014} a+b AAAAAAA=\n",
        ] {
            assert!(
                matches!(Note::parse(note.as_bytes()), Err(NoteError::Malformed { .. })),
                "{note:?}"
            );
        }
        assert!(matches!(
            Note::parse(NOTE.trim_end().as_bytes()),
            Err(NoteError::Malformed { .. })
        ));
        assert_eq!(Note::parse(&vec![b'a'; MAX_NOTE_BYTES + 1]), Err(NoteError::TooLarge));
        let line = NOTE.split("\n\n").nth(1).unwrap();
        let many = format!("text\n\n{}", line.repeat(MAX_SIGNATURES + 1));
        assert_eq!(Note::parse(many.as_bytes()), Err(NoteError::TooLarge));
    }

    #[test]
    fn the_last_empty_line_separates() {
        let note = NOTE.replace("This is", "This\n\nis");
        assert_eq!(
            Note::parse(note.as_bytes()).unwrap().text(),
            "This\n\nis an example message.\n"
        );
    }

    #[test]
    fn a_verifier_key_with_another_id_name_or_type_is_refused() {
        for text in [
            VERIFIER_KEY.replace("530d903a", "530d903b"),
            VERIFIER_KEY.replace("530d903a", "530D903A"),
            VERIFIER_KEY.replace("foo", "bar"),
            VERIFIER_KEY.replace("example.com/foo", ""),
            VERIFIER_KEY.replace("+Aek", "+Cek"),
            // Type 0x06 with a key of 32 bytes.
            VERIFIER_KEY.replace("+Aek", "+Buk"),
            VERIFIER_KEY.replace('+', "-"),
        ] {
            assert!(
                matches!(VerifierKey::parse(&text), Err(NoteError::VerifierKey { .. })),
                "{text}"
            );
        }
    }
}
