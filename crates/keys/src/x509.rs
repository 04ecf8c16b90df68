//! X.509 certificates and the paths they form ([RFC 5280](https://www.rfc-editor.org/rfc/rfc5280)), as far as
//! credentials need them: `x5chain` of mdoc and `x5c` of SD-JWT VC.
//!
//! [`verify_path`] leads from the certificates of a message to one of the trust anchors that the caller chose, and
//! gives a [`CertificatePath`] as evidence. A certificate alone proves nothing.
//!
//! A path may have critical extensions only of the kinds that are checked here; name constraints and policies, which
//! would narrow what a CA may do, are refused rather than ignored. Out of scope: revocation lists and OCSP. Whoever
//! trusts an anchor decides how it learns of withdrawn certificates; for our own agencies the registry tells.

mod certificate;
mod new;
mod path;

pub use certificate::Certificate;
pub use new::Name;
pub use new::NewCertificate;
pub use new::NewListSigner;
pub use new::Role;
pub use path::CertificatePath;
pub use path::Purpose;
pub use path::verify_path;

use der::asn1::ObjectIdentifier;
use thiserror::Error;

use crate::KeyError;
use crate::SignatureError;
use crate::Timestamp;

const ECDSA_WITH_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const ECDSA_WITH_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3");
const ECDSA_WITH_SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.4");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const PRIME256V1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const SECP384R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const SECP521R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");

const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
const COUNTRY_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.6");
const STATE_OR_PROVINCE_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.8");
const ORGANIZATION_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.10");

const SUBJECT_KEY_IDENTIFIER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.14");
const KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.15");
const SUBJECT_ALT_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");
const ISSUER_ALT_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.18");
const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");
const NAME_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.30");
const CRL_DISTRIBUTION_POINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.31");
const AUTHORITY_KEY_IDENTIFIER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.35");
const POLICY_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.36");
const EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37");
const ANY_EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37.0");

/// ISO/IEC 18013-5 annex B: document signer and reader authentication certificates.
const MDOC_DOCUMENT_SIGNER: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.0.18013.5.1.2");
const MDOC_READER: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.0.18013.5.1.6");

/// ISO/IEC 18013-5 annex C: signer of a VICAL.
const VICAL_SIGNER: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.0.18013.5.1.8");
/// ETSI TS 119 612: signer of a trusted list.
const TRUST_LIST_SIGNER: ObjectIdentifier = ObjectIdentifier::new_unwrap("0.4.0.2231.3.0");

/// The peer sent certificates that do not lead to a trust anchor, or the anchor is none.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum X509Error {
    /// An algorithm that we do not implement.
    #[error(
        "expected a certificate signed with Ed25519 or with ECDSA on P-256 and SHA-256 or on P-384 and SHA-384, found {found}"
    )]
    Algorithm {
        /// The object identifier.
        found: String,
    },
    /// A critical extension that is not checked here, or one that may not be ignored.
    #[error("expected no critical extension but those that are understood, found {found}")]
    CriticalExtension {
        /// The object identifier.
        found: String,
    },
    /// Country or state of a document signer are not those of its IACA.
    #[error("expected the {attribute} of the certificate that ends the path, found another")]
    ForeignName {
        /// Which attribute.
        attribute: &'static str,
    },
    /// Not a DER certificate of version 3.
    #[error("expected {expected} in the certificate, found something else")]
    Form {
        /// What belongs there.
        expected: &'static str,
    },
    /// The key in the certificate.
    #[error("the certificate's key is not used")]
    Key(#[from] KeyError),
    /// Valid for longer than its kind may be.
    #[error("expected a certificate that is valid for {limit} days at most")]
    LivesTooLong {
        /// The limit.
        limit: i64,
    },
    /// There is no certificate to begin with.
    #[error("expected a certificate of the signer, found none")]
    NoCertificate,
    /// No trust anchor that signed the last certificate.
    #[error("expected a path to a trust anchor, found none")]
    NoAnchor,
    /// A certificate that signed others is none of a certification authority, or not for so long a path.
    #[error("expected a certification authority's certificate with {expected}, found another")]
    NotAnAuthority {
        /// What it lacks.
        expected: &'static str,
    },
    /// The signer's certificate is for another use.
    #[error("expected a signer's certificate with {expected}, found another")]
    Purpose {
        /// What it lacks.
        expected: &'static str,
    },
    /// The signature is not the issuer's.
    #[error("the certificate's signature is not valid")]
    Signature(#[from] SignatureError),
    /// Longer than certificates are.
    #[error("expected a certificate of at most {limit} bytes, found {found}")]
    TooLarge {
        /// The limit.
        limit: usize,
        /// Its length.
        found: usize,
    },
    /// Before or after its validity period.
    #[error("expected certificates valid at {now}, found one from {from} to {until}")]
    Validity {
        /// The time of checking.
        now: Timestamp,
        /// Its beginning.
        from: Timestamp,
        /// Its end.
        until: Timestamp,
    },
}

#[cfg(test)]
mod tests;
