//! One certificate ([RFC 5280 section 4.1](https://www.rfc-editor.org/rfc/rfc5280#section-4.1)).

use std::fmt;

use der::Decode as _;
use der::Reader as _;
use der::SliceReader;
use der::Tag;
use der::TagNumber;
use der::Tagged as _;
use der::asn1::AnyRef;
use der::asn1::BitStringRef;
use der::asn1::GeneralizedTime;
use der::asn1::ObjectIdentifier;
use der::asn1::UintRef;
use der::asn1::UtcTime;

use super::AUTHORITY_KEY_IDENTIFIER;
use super::BASIC_CONSTRAINTS;
use super::CRL_DISTRIBUTION_POINTS;
use super::EC_PUBLIC_KEY;
use super::ECDSA_WITH_SHA256;
use super::ECDSA_WITH_SHA384;
use super::ECDSA_WITH_SHA512;
use super::ED25519;
use super::EXTENDED_KEY_USAGE;
use super::ISSUER_ALT_NAME;
use super::KEY_USAGE;
use super::NAME_CONSTRAINTS;
use super::POLICY_CONSTRAINTS;
use super::PRIME256V1;
use super::SECP384R1;
use super::SECP521R1;
use super::SUBJECT_ALT_NAME;
use super::SUBJECT_KEY_IDENTIFIER;
use super::X509Error;
use crate::Algorithm;
use crate::PublicKey;
use crate::Signature;
use crate::Timestamp;

/// The certificates of known issuers are below 1.5 KiB; alternative names and policies may add a few.
const MAX_BYTES: usize = 8 * 1024;

/// Fewer than a path has of everything; a longer list is no certificate's.
const MAX_EXTENSIONS: usize = 32;

/// The parsed certificate. Nobody has checked its signature yet.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    /// As received: this is signed.
    tbs: Vec<u8>,
    algorithm: Algorithm,
    signature: Signature,
    serial: Vec<u8>,
    /// Names are compared by their encodings, as ISO/IEC 18013-5 has it.
    issuer: Vec<u8>,
    subject: Vec<u8>,
    valid_from: Timestamp,
    valid_until: Timestamp,
    key: PublicKey,
    extensions: Extensions,
}

/// What the extensions say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Extensions {
    pub(super) authority_key_id: Option<Vec<u8>>,
    pub(super) basic_constraints: Option<BasicConstraints>,
    pub(super) dns_names: Vec<String>,
    pub(super) extended_key_usage: Option<ExtendedKeyUsage>,
    pub(super) key_usage: Option<KeyUsage>,
    pub(super) subject_key_id: Option<Vec<u8>>,
    pub(super) uris: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BasicConstraints {
    pub(super) is_authority: bool,
    /// How many authorities may stand between this one and a signer.
    pub(super) path_length: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KeyUsage {
    pub(super) digital_signature: bool,
    /// Once called non-repudiation: signatures of content, none of a protocol.
    pub(super) content_commitment: bool,
    pub(super) certificate_sign: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ExtendedKeyUsage {
    pub(super) is_critical: bool,
    pub(super) purposes: Vec<ObjectIdentifier>,
}

impl Certificate {
    /// Reads a DER certificate.
    ///
    /// # Errors
    /// [`X509Error`], the sender's fault: another version than 3, unknown algorithms, a critical extension that is not
    /// understood.
    pub fn from_der(bytes: &[u8]) -> Result<Self, X509Error> {
        if bytes.len() > MAX_BYTES {
            return Err(X509Error::TooLarge {
                limit: MAX_BYTES,
                found: bytes.len(),
            });
        }
        let (tbs, algorithm, signature) = read_outer(bytes).map_err(|_| X509Error::Form {
            expected: "a signed DER structure",
        })?;
        let algorithm = signature_algorithm(algorithm)?;
        let signature = read_signature(algorithm, signature).ok_or(X509Error::Form {
            expected: "a signature of its algorithm",
        })?;
        let inner = Inner::read(tbs).map_err(|_| X509Error::Form {
            expected: "a TBSCertificate of version 3",
        })?;
        let (valid_from, valid_until) = read_validity(inner.validity).ok_or(X509Error::Form {
            expected: "a validity period",
        })?;
        // RFC 5280 section 4.1.1.2: the same algorithm inside and outside.
        if signature_algorithm(inner.algorithm)? != algorithm {
            return Err(X509Error::Form {
                expected: "one signature algorithm",
            });
        }
        Ok(Self {
            der: bytes.to_vec(),
            tbs: tbs.to_vec(),
            algorithm,
            signature,
            serial: inner.serial.to_vec(),
            issuer: inner.issuer.to_vec(),
            subject: inner.subject.to_vec(),
            valid_from,
            valid_until,
            key: read_key(inner.key)?,
            extensions: match inner.extensions {
                Some(extensions) => Extensions::read(extensions.value())?,
                None => Extensions::default(),
            },
        })
    }

    /// The certificate as received.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// SHA-256 of the certificate: its name in a list of trust anchors.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        crate::sha256(&self.der)
    }

    /// The key that it is about.
    #[must_use]
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The first second of its validity.
    #[must_use]
    pub const fn valid_from(&self) -> Timestamp {
        self.valid_from
    }

    /// The last second of its validity.
    #[must_use]
    pub const fn valid_until(&self) -> Timestamp {
        self.valid_until
    }

    /// The URIs among its subject alternative names.
    #[must_use]
    pub fn uris(&self) -> &[String] {
        &self.extensions.uris
    }

    /// The DNS names among its subject alternative names.
    #[must_use]
    pub fn dns_names(&self) -> &[String] {
        &self.extensions.dns_names
    }

    /// The serial number, the most significant byte first and without the zero that makes it positive. Nobody has
    /// checked that it is.
    #[must_use]
    pub fn serial_number(&self) -> &[u8] {
        &self.serial
    }

    /// The identifier of its key: [RFC 5280 section 4.2.1.2](https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.2).
    #[must_use]
    pub fn subject_key_id(&self) -> Option<&[u8]> {
        self.extensions.subject_key_id.as_deref()
    }

    /// `commonName` of the subject.
    #[must_use]
    pub fn common_name(&self) -> Option<String> {
        attribute(&self.subject, super::COMMON_NAME)
    }

    /// `countryName` of the subject.
    #[must_use]
    pub fn country(&self) -> Option<String> {
        attribute(&self.subject, super::COUNTRY_NAME)
    }

    /// `stateOrProvinceName` of the subject.
    #[must_use]
    pub fn state_or_province(&self) -> Option<String> {
        attribute(&self.subject, super::STATE_OR_PROVINCE_NAME)
    }

    /// The issuer's name in DER.
    #[must_use]
    pub fn issuer(&self) -> &[u8] {
        &self.issuer
    }

    /// The subject's name in DER.
    #[must_use]
    pub fn subject(&self) -> &[u8] {
        &self.subject
    }

    pub(super) const fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// Checks that `issuer`'s key signed this certificate.
    pub(super) fn verify(&self, issuer: &Self) -> Result<(), X509Error> {
        if issuer.key.algorithm() != self.algorithm {
            return Err(X509Error::Algorithm {
                found: format!("{} under an {} key", self.algorithm, issuer.key.algorithm()),
            });
        }
        Ok(issuer.key.verify(&self.tbs, &self.signature)?)
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("key", &self.key)
            .field("valid_from", &self.valid_from)
            .field("valid_until", &self.valid_until)
            .field("extensions", &self.extensions)
            .finish_non_exhaustive()
    }
}

/// The members of a `TBSCertificate`.
struct Inner<'a> {
    serial: &'a [u8],
    algorithm: AnyRef<'a>,
    issuer: &'a [u8],
    validity: &'a [u8],
    subject: &'a [u8],
    key: AnyRef<'a>,
    extensions: Option<AnyRef<'a>>,
}

impl<'a> Inner<'a> {
    fn read(tbs: &'a [u8]) -> der::Result<Self> {
        let mut reader = SliceReader::new(sequence(tbs)?)?;
        // [0] EXPLICIT INTEGER 2: without it a certificate has no extensions, and so no constraints.
        if reader.tlv_bytes()? != [0xa0, 0x03, 0x02, 0x01, 0x02] {
            return Err(context(0, true).value_error().into());
        }
        let serial = AnyRef::decode(&mut reader)?.value();
        let mut inner = Self {
            serial: serial.strip_prefix(&[0]).unwrap_or(serial),
            algorithm: AnyRef::decode(&mut reader)?,
            issuer: reader.tlv_bytes()?,
            validity: reader.tlv_bytes()?,
            subject: reader.tlv_bytes()?,
            key: AnyRef::decode(&mut reader)?,
            extensions: None,
        };
        while !reader.is_finished() {
            let optional = AnyRef::decode(&mut reader)?;
            // The unique identifiers [1] and [2] name issuer and subject once more, which nobody reads.
            let is_unique_id = [context(1, false), context(2, false)].contains(&optional.tag());
            if !is_unique_id || inner.extensions.is_some() {
                optional.tag().assert_eq(context(3, true))?;
                if inner.extensions.replace(optional).is_some() {
                    return Err(optional.tag().value_error().into());
                }
            }
        }
        Ok(inner)
    }
}

impl Extensions {
    fn read(bytes: &[u8]) -> Result<Self, X509Error> {
        const FORM: X509Error = X509Error::Form {
            expected: "extensions, each once",
        };
        let list = sequence(bytes).map_err(|_| FORM)?;
        let mut reader = SliceReader::new(list).map_err(|_| FORM)?;
        let mut extensions = Self::default();
        let mut seen = Vec::new();
        while !reader.is_finished() {
            let (id, is_critical, value) = reader
                .sequence(|reader| {
                    let id = ObjectIdentifier::decode(reader)?;
                    let is_critical = Tag::peek(reader)? == Tag::Boolean && bool::decode(reader)?;
                    let value = AnyRef::decode(reader)?;
                    value.tag().assert_eq(Tag::OctetString)?;
                    Ok::<_, der::Error>((id, is_critical, value.value()))
                })
                .map_err(|_| FORM)?;
            if seen.contains(&id) || seen.len() == MAX_EXTENSIONS {
                return Err(FORM);
            }
            seen.push(id);
            extensions.take(id, is_critical, value)?;
        }
        Ok(extensions)
    }

    fn take(&mut self, id: ObjectIdentifier, is_critical: bool, value: &[u8]) -> Result<(), X509Error> {
        let form = |expected| move |_: der::Error| X509Error::Form { expected };
        match id {
            SUBJECT_KEY_IDENTIFIER => self.subject_key_id = Some(read_octets(value).map_err(form("a key identifier"))?),
            AUTHORITY_KEY_IDENTIFIER => {
                self.authority_key_id = read_authority_key_id(value).map_err(form("an authority key identifier"))?;
            }
            KEY_USAGE => self.key_usage = Some(read_key_usage(value).map_err(form("a key usage"))?),
            BASIC_CONSTRAINTS => {
                let constraints = read_basic_constraints(value).map_err(form("basic constraints"))?;
                self.basic_constraints = Some(constraints);
            }
            EXTENDED_KEY_USAGE => {
                let purposes = read_purposes(value).map_err(form("an extended key usage"))?;
                self.extended_key_usage = Some(ExtendedKeyUsage { is_critical, purposes });
            }
            SUBJECT_ALT_NAME => {
                (self.uris, self.dns_names) = read_names(value).map_err(form("subject alternative names"))?;
            }
            // These narrow what the certificate may do, so they are not ignored even when they are not critical.
            NAME_CONSTRAINTS | POLICY_CONSTRAINTS => {
                return Err(X509Error::CriticalExtension { found: id.to_string() });
            }
            ISSUER_ALT_NAME | CRL_DISTRIBUTION_POINTS => {}
            _ if is_critical => return Err(X509Error::CriticalExtension { found: id.to_string() }),
            _ => {}
        }
        Ok(())
    }
}

fn context(number: u32, constructed: bool) -> Tag {
    Tag::ContextSpecific {
        constructed,
        number: TagNumber(number),
    }
}

/// The content of the one SEQUENCE in `bytes`.
fn sequence(bytes: &[u8]) -> der::Result<&[u8]> {
    let any = AnyRef::from_der(bytes)?;
    any.tag().assert_eq(Tag::Sequence)?;
    Ok(any.value())
}

/// `TBSCertificate` as it stands, algorithm, and signature.
fn read_outer(bytes: &[u8]) -> der::Result<(&[u8], AnyRef<'_>, &[u8])> {
    let mut reader = SliceReader::new(sequence(bytes)?)?;
    let tbs = reader.tlv_bytes()?;
    let algorithm = AnyRef::decode(&mut reader)?;
    let signature = BitStringRef::decode(&mut reader)?;
    reader.finish()?;
    let signature = signature.as_bytes().ok_or_else(|| Tag::BitString.value_error())?;
    Ok((tbs, algorithm, signature))
}

/// Algorithm identifiers of signatures have no parameters.
fn signature_algorithm(identifier: AnyRef<'_>) -> Result<Algorithm, X509Error> {
    let id = identifier
        .sequence(ObjectIdentifier::decode)
        .map_err(|_: der::Error| X509Error::Form {
            expected: "a signature algorithm without parameters",
        })?;
    match id {
        ECDSA_WITH_SHA256 => Ok(Algorithm::Es256),
        ECDSA_WITH_SHA384 => Ok(Algorithm::Es384),
        ECDSA_WITH_SHA512 => Ok(Algorithm::Es512),
        ED25519 => Ok(Algorithm::EdDsa),
        other => Err(X509Error::Algorithm {
            found: other.to_string(),
        }),
    }
}

/// Ed25519 signatures stand as they are; ECDSA's are two integers.
fn read_signature(algorithm: Algorithm, bytes: &[u8]) -> Option<Signature> {
    let coordinate_bytes = match algorithm {
        Algorithm::Bbs => return None,
        Algorithm::EdDsa => return Signature::from_bytes(bytes).ok(),
        Algorithm::Es256 => 32,
        Algorithm::Es384 => 48,
        Algorithm::Es512 => 66,
    };
    let mut reader = SliceReader::new(sequence(bytes).ok()?).ok()?;
    let mut fixed = Vec::new();
    for _ in 0..2 {
        let number = UintRef::decode(&mut reader).ok()?;
        let padding = usize::checked_sub(coordinate_bytes, number.as_bytes().len())?;
        fixed.resize(fixed.len().checked_add(padding)?, 0);
        fixed.extend_from_slice(number.as_bytes());
    }
    reader.finish().ok()?;
    Signature::from_bytes(&fixed).ok()
}

fn read_key(info: AnyRef<'_>) -> Result<PublicKey, X509Error> {
    let form = |_: der::Error| X509Error::Form {
        expected: "a public key",
    };
    let (algorithm, curve, key) = info
        .sequence(|reader| {
            let (algorithm, curve) = reader.sequence(|reader| {
                let algorithm = ObjectIdentifier::decode(reader)?;
                let is_finished = reader.is_finished();
                let curve = (!is_finished).then(|| ObjectIdentifier::decode(reader)).transpose()?;
                Ok::<_, der::Error>((algorithm, curve))
            })?;
            Ok::<_, der::Error>((algorithm, curve, BitStringRef::decode(reader)?))
        })
        .map_err(form)?;
    let bytes = key.as_bytes().ok_or(X509Error::Form {
        expected: "a public key of whole bytes",
    })?;
    match (algorithm, curve) {
        (EC_PUBLIC_KEY, Some(PRIME256V1)) => Ok(PublicKey::from_p256_sec1(bytes)?),
        (EC_PUBLIC_KEY, Some(SECP384R1)) => Ok(PublicKey::from_p384_sec1(bytes)?),
        (EC_PUBLIC_KEY, Some(SECP521R1)) => Ok(PublicKey::from_p521_sec1(bytes)?),
        (ED25519, None) => {
            let bytes = bytes.try_into().map_err(|_| X509Error::Form {
                expected: "32 bytes of an Ed25519 key",
            })?;
            Ok(PublicKey::from_ed25519(bytes)?)
        }
        (algorithm, curve) => Err(X509Error::Algorithm {
            found: format!(
                "a key of {algorithm} with {}",
                curve.map_or_else(|| "no curve".to_owned(), |curve| curve.to_string())
            ),
        }),
    }
}

fn read_validity(bytes: &[u8]) -> Option<(Timestamp, Timestamp)> {
    let mut reader = SliceReader::new(sequence(bytes).ok()?).ok()?;
    let mut time = || {
        let any = AnyRef::decode(&mut reader).ok()?;
        let since_epoch = match any.tag() {
            Tag::UtcTime => any.decode_as::<UtcTime>().ok()?.to_unix_duration(),
            Tag::GeneralizedTime => any.decode_as::<GeneralizedTime>().ok()?.to_unix_duration(),
            _ => return None,
        };
        i64::try_from(since_epoch.as_secs()).ok().map(Timestamp::from_unix)
    };
    let period = (time()?, time()?);
    reader.finish().ok()?;
    Some(period)
}

fn read_octets(bytes: &[u8]) -> der::Result<Vec<u8>> {
    let any = AnyRef::from_der(bytes)?;
    any.tag().assert_eq(Tag::OctetString)?;
    Ok(any.value().to_vec())
}

/// `keyIdentifier` [0], if it is there; issuer and serial number would say the same.
fn read_authority_key_id(bytes: &[u8]) -> der::Result<Option<Vec<u8>>> {
    let mut reader = SliceReader::new(sequence(bytes)?)?;
    while !reader.is_finished() {
        let any = AnyRef::decode(&mut reader)?;
        if any.tag() == context(0, false) {
            return Ok(Some(any.value().to_vec()));
        }
    }
    Ok(None)
}

fn read_key_usage(bytes: &[u8]) -> der::Result<KeyUsage> {
    let bits = BitStringRef::from_der(bytes)?;
    Ok(KeyUsage {
        digital_signature: bits.get(0).unwrap_or(false),
        content_commitment: bits.get(1).unwrap_or(false),
        certificate_sign: bits.get(5).unwrap_or(false),
    })
}

fn read_basic_constraints(bytes: &[u8]) -> der::Result<BasicConstraints> {
    let mut reader = SliceReader::new(sequence(bytes)?)?;
    let mut constraints = BasicConstraints {
        is_authority: false,
        path_length: None,
    };
    if !reader.is_finished() && Tag::peek(&reader)? == Tag::Boolean {
        constraints.is_authority = bool::decode(&mut reader)?;
    }
    if !reader.is_finished() {
        constraints.path_length = Some(usize::from(u8::decode(&mut reader)?));
    }
    reader.finish()?;
    Ok(constraints)
}

fn read_purposes(bytes: &[u8]) -> der::Result<Vec<ObjectIdentifier>> {
    let mut reader = SliceReader::new(sequence(bytes)?)?;
    let mut purposes = Vec::new();
    while !reader.is_finished() {
        purposes.push(ObjectIdentifier::decode(&mut reader)?);
    }
    Ok(purposes)
}

/// URIs [6] and DNS names [2].
fn read_names(bytes: &[u8]) -> der::Result<(Vec<String>, Vec<String>)> {
    let mut reader = SliceReader::new(sequence(bytes)?)?;
    let (mut uris, mut dns_names) = (Vec::new(), Vec::new());
    while !reader.is_finished() {
        let any = AnyRef::decode(&mut reader)?;
        let names = match any.tag() {
            tag if tag == context(6, false) => &mut uris,
            tag if tag == context(2, false) => &mut dns_names,
            _ => continue,
        };
        let text = std::str::from_utf8(any.value()).ok().filter(|text| text.is_ascii());
        names.push(text.ok_or_else(|| Tag::Ia5String.value_error())?.to_owned());
    }
    Ok((uris, dns_names))
}

/// The attribute of this type in a `Name`, if it is there once.
fn attribute(name: &[u8], type_: ObjectIdentifier) -> Option<String> {
    let mut reader = SliceReader::new(sequence(name).ok()?).ok()?;
    let mut found = None;
    while !reader.is_finished() {
        let set = AnyRef::decode(&mut reader).ok()?;
        set.tag().assert_eq(Tag::Set).ok()?;
        let mut set = SliceReader::new(set.value()).ok()?;
        while !set.is_finished() {
            let (id, value) = set
                .sequence(|reader| Ok::<_, der::Error>((ObjectIdentifier::decode(reader)?, AnyRef::decode(reader)?)))
                .ok()?;
            if id == type_
                && found
                    .replace(std::str::from_utf8(value.value()).ok()?.to_owned())
                    .is_some()
            {
                return None;
            }
        }
    }
    found
}
