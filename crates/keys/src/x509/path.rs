//! From a signer's certificate to a trust anchor
//! ([RFC 5280 section 6](https://www.rfc-editor.org/rfc/rfc5280#section-6); ISO/IEC 18013-5 annex B).

use super::ANY_EXTENDED_KEY_USAGE;
use super::Certificate;
use super::MDOC_DOCUMENT_SIGNER;
use super::MDOC_READER;
use super::X509Error;
use crate::PublicKey;
use crate::Timestamp;

/// Each certificate costs a signature check; no issuer's path is longer.
const MAX_CHAIN: usize = 8;

/// ISO/IEC 18013-5 annex B, table B.3: a document signer's certificate is valid for 457 days at most.
const DOCUMENT_SIGNER_DAYS: i64 = 457;
const SECONDS_A_DAY: i64 = 86_400;

/// What the signer's certificate must be for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Any signature of content.
    Signature,
    /// The issuer's signature of an SD-JWT VC with `x5c`.
    SdJwtVcIssuer,
    /// The issuer's signature of an mdoc, by a certificate of an IACA.
    MdocDocumentSigner,
    /// A reader's signature of an mdoc request.
    MdocReader,
}

/// Evidence that a signer's certificate is one of a trust anchor's, for one purpose and within [`Self::valid_from`] and
/// [`Self::valid_until`].
#[derive(Clone, Debug)]
#[must_use]
pub struct CertificatePath {
    signer: Certificate,
    anchor: Certificate,
    purpose: Purpose,
    valid_from: Timestamp,
    valid_until: Timestamp,
}

impl CertificatePath {
    /// The signer's certificate.
    #[must_use]
    pub const fn signer(&self) -> &Certificate {
        &self.signer
    }

    /// The key of the signer's certificate.
    #[must_use]
    pub const fn key(&self) -> &PublicKey {
        self.signer.key()
    }

    /// The trust anchor that the path ends in.
    #[must_use]
    pub const fn anchor(&self) -> &Certificate {
        &self.anchor
    }

    /// What it was checked for.
    #[must_use]
    pub const fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// Every certificate of the path is valid from then on.
    #[must_use]
    pub const fn valid_from(&self) -> Timestamp {
        self.valid_from
    }

    /// Every certificate of the path is valid until then.
    #[must_use]
    pub const fn valid_until(&self) -> Timestamp {
        self.valid_until
    }

    /// Checks the time once more: a path may be kept and used again.
    ///
    /// # Errors
    /// [`X509Error::Validity`].
    pub fn check_validity(&self, now: Timestamp) -> Result<(), X509Error> {
        if self.valid_from <= now && now <= self.valid_until {
            return Ok(());
        }
        Err(X509Error::Validity {
            now,
            from: self.valid_from,
            until: self.valid_until,
        })
    }
}

/// Leads from `chain`, the signer's certificate first and each followed by its issuer's, to one of `anchors`. An anchor
/// at the end of the chain is left out, as the standards want it.
///
/// # Errors
/// [`X509Error`], the sender's fault.
pub fn verify_path(
    chain: &[Vec<u8>],
    anchors: &[Certificate],
    purpose: Purpose,
    now: Timestamp,
) -> Result<CertificatePath, X509Error> {
    let chain = match chain.split_last() {
        // A chain of nothing but an anchor stays, to be refused as a signer.
        Some((last, rest)) if !rest.is_empty() && anchors.iter().any(|anchor| anchor.der() == last.as_slice()) => rest,
        _ => chain,
    };
    if chain.len() > MAX_CHAIN {
        return Err(X509Error::Form {
            expected: "a path of eight certificates at most",
        });
    }
    let chain = chain
        .iter()
        .map(|der| Certificate::from_der(der))
        .collect::<Result<Vec<_>, _>>()?;
    let [signer, authorities @ ..] = chain.as_slice() else {
        return Err(X509Error::NoCertificate);
    };
    check_signer(signer, purpose)?;
    let mut below = signer;
    for (place, authority) in authorities.iter().enumerate() {
        check_issued(below, authority, place)?;
        below = authority;
    }
    let anchor = find_anchor(below, anchors, authorities.len())?;
    if purpose == Purpose::MdocDocumentSigner {
        check_document_signer(signer, anchor)?;
    }
    let all = || chain.iter().chain([anchor]);
    let valid_from = all().map(Certificate::valid_from).max().unwrap_or(now);
    let valid_until = all().map(Certificate::valid_until).min().unwrap_or(now);
    let path = CertificatePath {
        signer: signer.clone(),
        anchor: anchor.clone(),
        purpose,
        valid_from,
        valid_until,
    };
    path.check_validity(now)?;
    Ok(path)
}

/// A signer signs, and is no authority.
fn check_signer(signer: &Certificate, purpose: Purpose) -> Result<(), X509Error> {
    let extensions = signer.extensions();
    if extensions
        .basic_constraints
        .is_some_and(|constraints| constraints.is_authority)
    {
        let expected = "no right to issue certificates";
        return Err(X509Error::Purpose { expected });
    }
    let may_commit = matches!(purpose, Purpose::Signature | Purpose::SdJwtVcIssuer);
    let may_sign = extensions
        .key_usage
        .is_some_and(|usage| usage.digital_signature || (may_commit && usage.content_commitment));
    if !may_sign {
        let expected = "the key usage digitalSignature";
        return Err(X509Error::Purpose { expected });
    }
    let (id, expected) = match purpose {
        Purpose::Signature => return Ok(()),
        Purpose::SdJwtVcIssuer => return check_credential_usage(signer),
        Purpose::MdocDocumentSigner => (
            MDOC_DOCUMENT_SIGNER,
            "the critical extended key usage of an mdoc document signer, and no other",
        ),
        Purpose::MdocReader => (
            MDOC_READER,
            "the critical extended key usage of mdoc reader authentication, and no other",
        ),
    };
    match &extensions.extended_key_usage {
        Some(usage) if usage.is_critical && usage.purposes == [id] => Ok(()),
        _ => Err(X509Error::Purpose { expected }),
    }
}

/// No extended key usage is registered for SD-JWT VC, so that most signers have none. One that is there limits the key to
/// what it names ([RFC 5280](https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.12)): the certificate of a TLS server,
/// which the same authority may give to anybody, signs no credentials. That of a document signer of mdocs does.
fn check_credential_usage(signer: &Certificate) -> Result<(), X509Error> {
    let usage = signer.extensions().extended_key_usage.as_ref();
    let is_for_credentials = |id| [ANY_EXTENDED_KEY_USAGE, MDOC_DOCUMENT_SIGNER].contains(id);
    if usage.is_none_or(|usage| usage.purposes.iter().any(is_for_credentials)) {
        return Ok(());
    }
    Err(X509Error::Purpose {
        expected: "no extended key usage, any, or that of an mdoc document signer",
    })
}

/// `authority`, with `below` authorities between it and the signer, issued `certificate`.
fn check_issued(certificate: &Certificate, authority: &Certificate, below: usize) -> Result<(), X509Error> {
    if certificate.issuer() != authority.subject() {
        return Err(X509Error::NoAnchor);
    }
    // Both identifiers are optional; two that differ are of different keys.
    let ids = (
        &certificate.extensions().authority_key_id,
        &authority.extensions().subject_key_id,
    );
    if let (Some(authority_key_id), Some(subject_key_id)) = ids
        && authority_key_id != subject_key_id
    {
        return Err(X509Error::NoAnchor);
    }
    let extensions = authority.extensions();
    let constraints = extensions
        .basic_constraints
        .filter(|constraints| constraints.is_authority);
    let constraints = constraints.ok_or(X509Error::NotAnAuthority {
        expected: "basic constraints that say so",
    })?;
    if constraints.path_length.is_some_and(|length| below > length) {
        return Err(X509Error::NotAnAuthority {
            expected: "a path length constraint that allows the authorities below it",
        });
    }
    if !extensions.key_usage.is_some_and(|usage| usage.certificate_sign) {
        return Err(X509Error::NotAnAuthority {
            expected: "the key usage keyCertSign",
        });
    }
    certificate.verify(authority)
}

/// An anchor may have changed its key under the same name, so each is tried; the refusal is that of the last one.
fn find_anchor<'a>(
    certificate: &Certificate,
    anchors: &'a [Certificate],
    below: usize,
) -> Result<&'a Certificate, X509Error> {
    let mut refusal = X509Error::NoAnchor;
    for anchor in anchors.iter().filter(|anchor| anchor.subject() == certificate.issuer()) {
        match check_issued(certificate, anchor, below) {
            Ok(()) => return Ok(anchor),
            Err(error) => refusal = error,
        }
    }
    Err(refusal)
}

/// The rest of ISO/IEC 18013-5 annex B: an IACA signs its document signers itself, and both are of one country.
fn check_document_signer(signer: &Certificate, anchor: &Certificate) -> Result<(), X509Error> {
    let lifetime = signer.valid_until().seconds_since(signer.valid_from());
    if lifetime > DOCUMENT_SIGNER_DAYS * SECONDS_A_DAY {
        return Err(X509Error::LivesTooLong {
            limit: DOCUMENT_SIGNER_DAYS,
        });
    }
    if anchor
        .extensions()
        .basic_constraints
        .and_then(|constraints| constraints.path_length)
        != Some(0)
    {
        return Err(X509Error::NotAnAuthority {
            expected: "a path length constraint of 0, as every IACA has it",
        });
    }
    if anchor.country().is_none() || signer.country() != anchor.country() {
        let attribute = "countryName";
        return Err(X509Error::ForeignName { attribute });
    }
    let state = anchor.state_or_province();
    if state.is_some() && signer.state_or_province() != state {
        let attribute = "stateOrProvinceName";
        return Err(X509Error::ForeignName { attribute });
    }
    Ok(())
}
