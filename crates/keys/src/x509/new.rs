//! Issuing the certificates that an mdoc needs (ISO/IEC 18013-5 annex B): a root of an issuing authority (IACA), and
//! the document signers under it. And the one of whoever signs lists of trust, which stands for itself.

use der::asn1::ObjectIdentifier;
use rand_core::CryptoRng;

use super::AUTHORITY_KEY_IDENTIFIER;
use super::BASIC_CONSTRAINTS;
use super::COMMON_NAME;
use super::COUNTRY_NAME;
use super::CRL_DISTRIBUTION_POINTS;
use super::EC_PUBLIC_KEY;
use super::ECDSA_WITH_SHA256;
use super::ECDSA_WITH_SHA384;
use super::ECDSA_WITH_SHA512;
use super::ED25519;
use super::EXTENDED_KEY_USAGE;
use super::ISSUER_ALT_NAME;
use super::KEY_USAGE;
use super::MDOC_DOCUMENT_SIGNER;
use super::ORGANIZATION_NAME;
use super::PRIME256V1;
use super::SECP384R1;
use super::SECP521R1;
use super::SUBJECT_ALT_NAME;
use super::SUBJECT_KEY_IDENTIFIER;
use super::TRUST_LIST_SIGNER;
use super::VICAL_SIGNER;
use crate::Algorithm;
use crate::PublicKey;
use crate::Signature;
use crate::SigningRequest;
use crate::Timestamp;

const BOOLEAN: u8 = 0x01;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OBJECT_IDENTIFIER: u8 = 0x06;
const UTF8_STRING: u8 = 0x0c;
const PRINTABLE_STRING: u8 = 0x13;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const CONTEXT_0: u8 = 0x80;
const CONTEXT_6: u8 = 0x86;
const CONSTRUCTED_0: u8 = 0xa0;
const CONSTRUCTED_3: u8 = 0xa3;

/// Of a serial number.
const SERIAL_BYTES: usize = 16;

/// Bits of a key usage, as one byte after the number of unused bits.
const DIGITAL_SIGNATURE: [u8; 2] = [7, 0x80];
const CERTIFICATE_AND_CRL_SIGN: [u8; 2] = [1, 0x06];

/// A distinguished name, of the attributes that every mdoc certificate has.
#[derive(Clone, Copy, Debug)]
pub struct Name<'a> {
    /// `countryName`: ISO 3166-1 alpha-2.
    pub country: &'a str,
    /// `commonName`.
    pub common_name: &'a str,
}

/// What the subject of a new certificate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The root of an issuing authority.
    Iaca,
    /// A signer of mdocs, below an [`Role::Iaca`].
    DocumentSigner,
}

/// A certificate to be issued.
#[derive(Clone, Debug)]
pub struct NewCertificate<'a> {
    /// Whose key it is.
    pub subject: Name<'a>,
    /// The key.
    pub key: &'a PublicKey,
    /// Who signs.
    pub issuer: Name<'a>,
    /// With which key.
    pub issuer_key: &'a PublicKey,
    /// What for.
    pub role: Role,
    /// First second of validity.
    pub valid_from: Timestamp,
    /// Last second of validity.
    pub valid_until: Timestamp,
    /// Where the issuer is reached, as `issuerAltName`.
    pub issuer_url: &'a str,
    /// Where its revocation list is.
    pub revocation_list_url: &'a str,
    /// A URI as `subjectAltName`: the DID of an agency.
    pub subject_uri: Option<&'a str>,
}

impl NewCertificate<'_> {
    /// The DER certificate, once signed by `issuer_key`.
    pub fn issue(&self, rng: &mut dyn CryptoRng) -> SigningRequest<Vec<u8>> {
        self.issue_with(&self.extensions(), rng)
    }

    pub(super) fn issue_with(&self, extensions: &[Vec<u8>], rng: &mut dyn CryptoRng) -> SigningRequest<Vec<u8>> {
        let names = (name(self.issuer), name(self.subject));
        let validity = (self.valid_from, self.valid_until);
        sign(
            self.issuer_key.algorithm(),
            names,
            validity,
            self.key,
            extensions,
            serial(rng),
        )
    }

    pub(super) fn extensions(&self) -> Vec<Vec<u8>> {
        let uri = |uri: &str| tlv(CONTEXT_6, &[uri.as_bytes().to_vec()]);
        let point = tlv(CONSTRUCTED_0, &[uri(self.revocation_list_url)]);
        let points = tlv(SEQUENCE, &[tlv(SEQUENCE, &[tlv(CONSTRUCTED_0, &[point])])]);
        let mut extensions = vec![
            extension(
                SUBJECT_KEY_IDENTIFIER,
                false,
                tlv(OCTET_STRING, &[key_identifier(self.key)]),
            ),
            extension(ISSUER_ALT_NAME, false, tlv(SEQUENCE, &[uri(self.issuer_url)])),
            extension(CRL_DISTRIBUTION_POINTS, false, points),
        ];
        if let Some(subject_uri) = self.subject_uri {
            extensions.push(extension(SUBJECT_ALT_NAME, false, tlv(SEQUENCE, &[uri(subject_uri)])));
        }
        let bits = |bits: [u8; 2]| tlv(BIT_STRING, &[bits.to_vec()]);
        match self.role {
            Role::Iaca => {
                let constraints = tlv(SEQUENCE, &[tlv(BOOLEAN, &[vec![0xff]]), tlv(INTEGER, &[vec![0]])]);
                extensions.push(extension(KEY_USAGE, true, bits(CERTIFICATE_AND_CRL_SIGN)));
                extensions.push(extension(BASIC_CONSTRAINTS, true, constraints));
            }
            Role::DocumentSigner => {
                let authority = tlv(SEQUENCE, &[tlv(CONTEXT_0, &[key_identifier(self.issuer_key)])]);
                extensions.push(extension(AUTHORITY_KEY_IDENTIFIER, false, authority));
                extensions.push(extension(KEY_USAGE, true, bits(DIGITAL_SIGNATURE)));
                let purposes = tlv(SEQUENCE, &[object_identifier(MDOC_DOCUMENT_SIGNER)]);
                extensions.push(extension(EXTENDED_KEY_USAGE, true, purposes));
            }
        }
        extensions
    }
}

/// A certificate of whoever signs lists of trust, to be issued by that key itself: what it vouches for is told by
/// whoever names the certificate.
#[derive(Clone, Debug)]
pub struct NewListSigner<'a> {
    /// `countryName`: the territory of the lists. [ETSI TS 119 602](https://www.etsi.org/deliver/etsi_ts/119600_119699/119602/)
    /// clause 6.8 wants it and the next one to be those of the list.
    pub country: &'a str,
    /// `organizationName`: the name of who keeps them.
    pub organization: &'a str,
    /// `commonName`.
    pub common_name: &'a str,
    /// The key.
    pub key: &'a PublicKey,
    /// First second of validity.
    pub valid_from: Timestamp,
    /// Last second of validity.
    pub valid_until: Timestamp,
}

impl NewListSigner<'_> {
    /// The DER certificate, once signed by its key. The extended key usages are those of a signer of trusted lists
    /// (ETSI TS 119 612) and of a VICAL (ISO/IEC 18013-5 annex C).
    pub fn issue(&self) -> SigningRequest<Vec<u8>> {
        let name = tlv(
            SEQUENCE,
            &[
                attribute(COUNTRY_NAME, PRINTABLE_STRING, self.country),
                attribute(ORGANIZATION_NAME, UTF8_STRING, self.organization),
                attribute(COMMON_NAME, UTF8_STRING, self.common_name),
            ],
        );
        let purposes = [TRUST_LIST_SIGNER, VICAL_SIGNER].map(object_identifier);
        let extensions = [
            extension(
                SUBJECT_KEY_IDENTIFIER,
                false,
                tlv(OCTET_STRING, &[key_identifier(self.key)]),
            ),
            extension(KEY_USAGE, true, tlv(BIT_STRING, &[DIGITAL_SIGNATURE.to_vec()])),
            extension(EXTENDED_KEY_USAGE, true, tlv(SEQUENCE, &purposes)),
        ];
        let validity = (self.valid_from, self.valid_until);
        // Nobody else issues under this name and key, and these two numbers differ from one certificate to the next.
        let times = [validity.0.unix().to_be_bytes(), validity.1.unix().to_be_bytes()].concat();
        let serial = serial_of(&[self.key.to_multikey_bytes(), times].concat());
        let names = (name.clone(), name);
        sign(self.key.algorithm(), names, validity, self.key, &extensions, serial)
    }
}

/// The certificate of `key`, once signed with `algorithm`. Names are those of issuer and subject.
fn sign(
    algorithm: Algorithm,
    (issuer, subject): (Vec<u8>, Vec<u8>),
    (valid_from, valid_until): (Timestamp, Timestamp),
    key: &PublicKey,
    extensions: &[Vec<u8>],
    serial: Vec<u8>,
) -> SigningRequest<Vec<u8>> {
    let tbs = tlv(
        SEQUENCE,
        &[
            tlv(CONSTRUCTED_0, &[tlv(INTEGER, &[vec![2]])]),
            tlv(INTEGER, &[serial]),
            algorithm_identifier(algorithm),
            issuer,
            tlv(SEQUENCE, &[time(valid_from), time(valid_until)]),
            subject,
            public_key_info(key),
            tlv(CONSTRUCTED_3, &[tlv(SEQUENCE, extensions)]),
        ],
    );
    SigningRequest::new(algorithm, tbs.clone(), move |signature| {
        let signature = encode_signature(algorithm, &signature);
        let signature = tlv(BIT_STRING, &[vec![0], signature]);
        tlv(SEQUENCE, &[tbs, algorithm_identifier(algorithm), signature])
    })
}

/// Tag, length and the parts of the value.
pub(super) fn tlv(tag: u8, parts: &[Vec<u8>]) -> Vec<u8> {
    let value = parts.concat();
    let mut out = vec![tag];
    let length = value.len().to_be_bytes();
    let significant: Vec<u8> = length.into_iter().skip_while(|byte| *byte == 0).collect();
    match significant.as_slice() {
        [] => out.push(0),
        [short @ 0..0x80] => out.push(*short),
        long => {
            // Eight bytes at most.
            out.push(0x80 | u8::try_from(long.len()).unwrap_or(8));
            out.extend_from_slice(long);
        }
    }
    out.extend(value);
    out
}

fn object_identifier(id: ObjectIdentifier) -> Vec<u8> {
    tlv(OBJECT_IDENTIFIER, &[id.as_bytes().to_vec()])
}

pub(super) fn extension(id: ObjectIdentifier, is_critical: bool, value: Vec<u8>) -> Vec<u8> {
    let mut parts = vec![object_identifier(id)];
    if is_critical {
        parts.push(tlv(BOOLEAN, &[vec![0xff]]));
    }
    parts.push(tlv(OCTET_STRING, &[value]));
    tlv(SEQUENCE, &parts)
}

/// Positive, 126 random bits: annex B wants 63 at least, and 20 bytes at most.
fn serial(rng: &mut dyn CryptoRng) -> Vec<u8> {
    let mut serial = vec![0; SERIAL_BYTES];
    rng.fill_bytes(&mut serial);
    positive(serial)
}

/// As [`serial`], of the digest of what makes the certificate different from others of its issuer.
fn serial_of(distinct: &[u8]) -> Vec<u8> {
    positive(crate::sha256(distinct).into_iter().take(SERIAL_BYTES).collect())
}

fn positive(mut serial: Vec<u8>) -> Vec<u8> {
    if let Some(first) = serial.first_mut() {
        // The sign bit off, and another on, so that no leading zero byte is left to strip.
        *first = *first & 0x7f | 0x40;
    }
    serial
}

fn algorithm_identifier(algorithm: Algorithm) -> Vec<u8> {
    let id = match algorithm {
        // BBS signs no certificate, and whoever reads this refuses it.
        Algorithm::Bbs => return tlv(SEQUENCE, &[]),
        Algorithm::EdDsa => ED25519,
        Algorithm::Es256 => ECDSA_WITH_SHA256,
        Algorithm::Es384 => ECDSA_WITH_SHA384,
        Algorithm::Es512 => ECDSA_WITH_SHA512,
    };
    tlv(SEQUENCE, &[object_identifier(id)])
}

fn attribute(id: ObjectIdentifier, tag: u8, text: &str) -> Vec<u8> {
    let value = tlv(tag, &[text.as_bytes().to_vec()]);
    tlv(SET, &[tlv(SEQUENCE, &[object_identifier(id), value])])
}

fn name(name: Name<'_>) -> Vec<u8> {
    tlv(
        SEQUENCE,
        &[
            attribute(COUNTRY_NAME, PRINTABLE_STRING, name.country),
            attribute(COMMON_NAME, UTF8_STRING, name.common_name),
        ],
    )
}

/// `UTCTime` until 2049, as [RFC 5280 section 4.1.2.5](https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.5) wants it.
fn time(time: Timestamp) -> Vec<u8> {
    let digits: String = time
        .to_rfc3339()
        .chars()
        .filter(|character| character.is_ascii_digit() || *character == 'Z')
        .collect();
    match (digits.get(..4), digits.get(2..)) {
        (Some(year), Some(short)) if ("1950".."2050").contains(&year) => tlv(UTC_TIME, &[short.as_bytes().to_vec()]),
        _ => tlv(GENERALIZED_TIME, &[digits.into_bytes()]),
    }
}

fn public_key_info(key: &PublicKey) -> Vec<u8> {
    let (algorithm, bytes) = match key {
        // No certificate has such a key, and whoever reads this refuses it.
        PublicKey::Bls12381G2(_) => (Vec::new(), Vec::new()),
        PublicKey::Ed25519(_) => (
            vec![object_identifier(ED25519)],
            key.ed25519_bytes().map_or_else(Vec::new, |bytes| bytes.to_vec()),
        ),
        PublicKey::P256(key) => (
            vec![object_identifier(EC_PUBLIC_KEY), object_identifier(PRIME256V1)],
            key.sec1().to_vec(),
        ),
        PublicKey::P384(key) => (
            vec![object_identifier(EC_PUBLIC_KEY), object_identifier(SECP384R1)],
            key.sec1().to_vec(),
        ),
        PublicKey::P521(key) => (
            vec![object_identifier(EC_PUBLIC_KEY), object_identifier(SECP521R1)],
            key.sec1().to_vec(),
        ),
    };
    tlv(
        SEQUENCE,
        &[tlv(SEQUENCE, &algorithm), tlv(BIT_STRING, &[vec![0], bytes])],
    )
}

/// Method 1 of [RFC 7093](https://www.rfc-editor.org/rfc/rfc7093#section-2), over the whole key info: 160 bits of
/// SHA-256.
fn key_identifier(key: &PublicKey) -> Vec<u8> {
    crate::sha256(&public_key_info(key)).into_iter().take(20).collect()
}

/// ECDSA's two numbers as integers; Ed25519's signature as it stands.
fn encode_signature(algorithm: Algorithm, signature: &Signature) -> Vec<u8> {
    let bytes = signature.as_bytes();
    match algorithm {
        Algorithm::Bbs | Algorithm::EdDsa => bytes.to_vec(),
        Algorithm::Es256 | Algorithm::Es384 | Algorithm::Es512 => {
            let (r, s) = bytes.split_at(bytes.len() / 2);
            tlv(SEQUENCE, &[unsigned(r), unsigned(s)])
        }
    }
}

/// Without leading zero bytes, and with one where the first bit would be read as a sign.
fn unsigned(number: &[u8]) -> Vec<u8> {
    let mut digits: Vec<u8> = number.iter().copied().skip_while(|byte| *byte == 0).collect();
    if digits.first().is_none_or(|first| *first >= 0x80) {
        digits.insert(0, 0);
    }
    tlv(INTEGER, &[digits])
}
