//! Each check of a path fails alone, after the genuine path has passed.

use std::convert::Infallible;

use p256::ecdsa::signature::Signer as _;
use rand_core::TryCryptoRng;
use rand_core::TryRng;

use super::new::extension;
use super::new::tlv;
use super::*;
use crate::PublicKey;
use crate::Signature;
use crate::SigningRequest;

const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);
const DAY: i64 = 86_400;
const AGENCY: &str = "did:example:agency";

/// Certificates need serial numbers, and tests the same ones each time.
struct Counting(u8);

impl TryRng for Counting {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.0 = self.0.wrapping_add(1);
        Ok(u32::from(self.0))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.try_next_u32().map(u64::from)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes.fill_with(|| {
            self.0 = self.0.wrapping_add(1);
            self.0
        });
        Ok(())
    }
}

impl TryCryptoRng for Counting {}

/// A P-256 key pair, numbered.
#[derive(Clone)]
struct Pair(p256::ecdsa::SigningKey, PublicKey);

fn pair(number: u8) -> Pair {
    let key = p256::ecdsa::SigningKey::from_slice(&[number; 32]).unwrap();
    let public = PublicKey::from_p256_sec1(key.verifying_key().to_sec1_point(false).as_bytes()).unwrap();
    Pair(key, public)
}

impl Pair {
    fn fulfil(&self, request: SigningRequest<Vec<u8>>) -> Vec<u8> {
        let signature: p256::ecdsa::Signature = self.0.sign(request.message());
        request.complete(Signature::from_bytes(&signature.to_bytes()).unwrap())
    }
}

const IACA: Name<'_> = Name {
    country: "UT",
    common_name: "Utopia IACA",
};
const SIGNER: Name<'_> = Name {
    country: "UT",
    common_name: "Utopia DS",
};

fn iaca_of(root: &Pair) -> NewCertificate<'_> {
    NewCertificate {
        subject: IACA,
        key: &root.1,
        issuer: IACA,
        issuer_key: &root.1,
        role: Role::Iaca,
        valid_from: NOW.minus(1000 * DAY),
        valid_until: NOW.plus(1000 * DAY),
        issuer_url: "https://agency.example",
        revocation_list_url: "https://agency.example/crl",
        subject_uri: None,
    }
}

fn signer_of<'a>(root: &'a Pair, signer: &'a Pair) -> NewCertificate<'a> {
    NewCertificate {
        subject: SIGNER,
        key: &signer.1,
        role: Role::DocumentSigner,
        valid_from: NOW.minus(100 * DAY),
        valid_until: NOW.plus(300 * DAY),
        subject_uri: Some(AGENCY),
        ..iaca_of(root)
    }
}

fn issue(new: &NewCertificate<'_>, by: &Pair) -> Vec<u8> {
    by.fulfil(new.issue(&mut Counting(0)))
}

fn anchor() -> Certificate {
    Certificate::from_der(&issue(&iaca_of(&pair(1)), &pair(1))).unwrap()
}

fn leaf() -> Vec<u8> {
    issue(&signer_of(&pair(1), &pair(2)), &pair(1))
}

fn verify(chain: &[Vec<u8>]) -> Result<CertificatePath, X509Error> {
    verify_path(chain, &[anchor()], Purpose::MdocDocumentSigner, NOW)
}

/// The document signer's certificate with its extensions changed, signed by the IACA.
fn with_extensions(change: impl FnOnce(&mut Vec<Vec<u8>>)) -> Result<CertificatePath, X509Error> {
    let (root, signer) = (pair(1), pair(2));
    let new = signer_of(&root, &signer);
    let mut extensions = new.extensions();
    change(&mut extensions);
    verify(&[root.fulfil(new.issue_with(&extensions, &mut Counting(0)))])
}

fn without(id: ObjectIdentifier) -> impl FnOnce(&mut Vec<Vec<u8>>) {
    move |extensions| {
        let before = extensions.len();
        extensions.retain(|one| !one.windows(id.as_bytes().len()).any(|window| window == id.as_bytes()));
        assert_eq!(extensions.len(), before - 1);
    }
}

#[test]
fn a_document_signer_of_the_iaca_passes() {
    let path = verify(&[leaf()]).unwrap();
    assert_eq!(path.key(), &pair(2).1);
    assert_eq!(path.anchor(), &anchor());
    assert_eq!(path.signer().uris(), [AGENCY]);
    assert_eq!(path.signer().country().as_deref(), Some("UT"));
    assert_eq!(
        (path.valid_from(), path.valid_until()),
        (NOW.minus(100 * DAY), NOW.plus(300 * DAY))
    );
    // An anchor at the end of the chain says nothing more.
    assert!(verify(&[leaf(), anchor().der().to_vec()]).is_ok());
}

#[test]
fn no_anchor_and_another_iaca_of_the_same_name_are_refused() {
    let refused =
        |anchors: &[Certificate]| verify_path(&[leaf()], anchors, Purpose::MdocDocumentSigner, NOW).unwrap_err();
    assert_eq!(refused(&[]), X509Error::NoAnchor);
    let other = pair(3);
    let impostor = Certificate::from_der(&issue(&iaca_of(&other), &other)).unwrap();
    assert_eq!(refused(std::slice::from_ref(&impostor)), X509Error::NoAnchor);
    assert!(verify_path(&[leaf()], &[impostor, anchor()], Purpose::MdocDocumentSigner, NOW).is_ok());
    assert_eq!(verify(&[]).unwrap_err(), X509Error::NoCertificate);
}

#[test]
fn a_document_signer_that_another_key_signed_is_refused() {
    let forged = issue(&signer_of(&pair(1), &pair(2)), &pair(3));
    assert_eq!(verify(&[forged]).unwrap_err(), X509Error::Signature(SignatureError));
    let mut changed = leaf();
    let at = changed.windows(9).position(|window| window == b"Utopia DS").unwrap();
    changed[at] ^= 1;
    assert_eq!(verify(&[changed]).unwrap_err(), X509Error::Signature(SignatureError));
}

#[test]
fn an_iaca_as_document_signer_is_refused() {
    assert_eq!(
        verify(&[anchor().der().to_vec()]).unwrap_err(),
        X509Error::Purpose {
            expected: "no right to issue certificates"
        }
    );
}

#[test]
fn a_document_signer_as_iaca_is_refused() {
    let (below, third) = (pair(2), pair(3));
    let new = NewCertificate {
        issuer: SIGNER,
        issuer_key: &below.1,
        ..signer_of(&below, &third)
    };
    assert!(matches!(
        verify(&[issue(&new, &below), leaf()]),
        Err(X509Error::NotAnAuthority { .. })
    ));
}

#[test]
fn an_authority_between_is_refused_where_the_iaca_allows_none() {
    let (root, between, signer) = (pair(1), pair(2), pair(3));
    let name = Name {
        country: "UT",
        common_name: "Utopia Sub-CA",
    };
    let authority = NewCertificate {
        subject: name,
        key: &between.1,
        ..iaca_of(&root)
    };
    let authority = issue(&authority, &root);
    let new = NewCertificate {
        issuer: name,
        ..signer_of(&between, &signer)
    };
    let leaf = issue(&new, &between);
    assert_eq!(
        verify(&[leaf.clone(), authority.clone()]).unwrap_err(),
        X509Error::NotAnAuthority {
            expected: "a path length constraint that allows the authorities below it"
        }
    );
    // The authority itself as anchor is one.
    let anchors = [Certificate::from_der(&authority).unwrap()];
    assert!(verify_path(&[leaf], &anchors, Purpose::MdocDocumentSigner, NOW).is_ok());
}

#[test]
fn an_authority_without_the_right_to_sign_certificates_is_refused() {
    let root = pair(1);
    let new = iaca_of(&root);
    let refusal = |gone: ObjectIdentifier| {
        let mut extensions = new.extensions();
        without(gone)(&mut extensions);
        let anchor = Certificate::from_der(&root.fulfil(new.issue_with(&extensions, &mut Counting(0)))).unwrap();
        verify_path(&[leaf()], &[anchor], Purpose::MdocDocumentSigner, NOW).unwrap_err()
    };
    for id in [KEY_USAGE, BASIC_CONSTRAINTS] {
        assert!(matches!(refusal(id), X509Error::NotAnAuthority { .. }), "{id}");
    }
}

#[test]
fn the_signers_usages_are_demanded() {
    assert!(with_extensions(|_| {}).is_ok());
    for id in [KEY_USAGE, EXTENDED_KEY_USAGE] {
        assert!(
            matches!(with_extensions(without(id)), Err(X509Error::Purpose { .. })),
            "{id}"
        );
    }
    let usage = |purposes: &[ObjectIdentifier], is_critical| {
        let purposes: Vec<Vec<u8>> = purposes.iter().map(|id| tlv(6, &[id.as_bytes().to_vec()])).collect();
        extension(EXTENDED_KEY_USAGE, is_critical, tlv(0x30, &purposes))
    };
    let exchanged = |usage: Vec<u8>| {
        with_extensions(|extensions| {
            without(EXTENDED_KEY_USAGE)(extensions);
            extensions.push(usage);
        })
    };
    assert!(exchanged(usage(&[MDOC_DOCUMENT_SIGNER], true)).is_ok());
    for bad in [
        usage(&[MDOC_DOCUMENT_SIGNER], false),
        usage(&[MDOC_READER], true),
        usage(&[MDOC_DOCUMENT_SIGNER, MDOC_READER], true),
    ] {
        assert!(matches!(exchanged(bad), Err(X509Error::Purpose { .. })));
    }
    assert!(verify_path(&[leaf()], &[anchor()], Purpose::Signature, NOW).is_ok());
    assert!(matches!(
        verify_path(&[leaf()], &[anchor()], Purpose::MdocReader, NOW),
        Err(X509Error::Purpose { .. })
    ));
}

#[test]
fn a_certificate_for_tls_issues_no_credentials() {
    let server = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1");
    let with = |purposes: &[ObjectIdentifier]| {
        let (root, signer) = (pair(1), pair(2));
        let new = signer_of(&root, &signer);
        let mut extensions = new.extensions();
        without(EXTENDED_KEY_USAGE)(&mut extensions);
        if !purposes.is_empty() {
            let purposes: Vec<Vec<u8>> = purposes.iter().map(|id| tlv(6, &[id.as_bytes().to_vec()])).collect();
            extensions.push(extension(EXTENDED_KEY_USAGE, false, tlv(0x30, &purposes)));
        }
        let leaf = root.fulfil(new.issue_with(&extensions, &mut Counting(0)));
        verify_path(&[leaf], &[anchor()], Purpose::SdJwtVcIssuer, NOW)
    };
    for good in [&[][..], &[ANY_EXTENDED_KEY_USAGE], &[server, MDOC_DOCUMENT_SIGNER]] {
        assert!(with(good).is_ok(), "{good:?}");
    }
    for bad in [&[server][..], &[MDOC_READER]] {
        assert!(matches!(with(bad), Err(X509Error::Purpose { .. })), "{bad:?}");
    }
}

#[test]
fn extensions_that_are_not_understood_are_refused_where_they_matter() {
    let own = ObjectIdentifier::new_unwrap("1.2.3.4");
    assert!(with_extensions(|extensions| extensions.push(extension(own, false, vec![5, 0]))).is_ok());
    for critical in [
        extension(own, true, vec![5, 0]),
        extension(NAME_CONSTRAINTS, false, vec![0x30, 0]),
        extension(POLICY_CONSTRAINTS, false, vec![0x30, 0]),
    ] {
        assert!(matches!(
            with_extensions(|extensions| extensions.push(critical)),
            Err(X509Error::CriticalExtension { .. })
        ));
    }
    assert!(matches!(
        with_extensions(|extensions| extensions.push(extensions[0].clone())),
        Err(X509Error::Form { .. })
    ));
}

#[test]
fn a_key_identifier_of_another_authority_is_refused() {
    let other = extension(AUTHORITY_KEY_IDENTIFIER, false, tlv(0x30, &[tlv(0x80, &[vec![7; 20]])]));
    assert_eq!(
        with_extensions(|extensions| {
            without(AUTHORITY_KEY_IDENTIFIER)(extensions);
            extensions.push(other);
        })
        .unwrap_err(),
        X509Error::NoAnchor
    );
}

#[test]
fn paths_are_valid_only_in_their_time() {
    let at = |now| verify_path(&[leaf()], &[anchor()], Purpose::MdocDocumentSigner, now).map(drop);
    assert_eq!(at(NOW.plus(300 * DAY)), Ok(()));
    assert!(matches!(at(NOW.plus(300 * DAY + 1)), Err(X509Error::Validity { .. })));
    assert_eq!(at(NOW.minus(100 * DAY)), Ok(()));
    assert!(matches!(at(NOW.minus(100 * DAY + 1)), Err(X509Error::Validity { .. })));
    let path = verify(&[leaf()]).unwrap();
    assert!(path.check_validity(NOW.plus(301 * DAY)).is_err());
    // An anchor that has expired leads nowhere.
    let root = pair(1);
    let expired = NewCertificate {
        valid_until: NOW.minus(1),
        ..iaca_of(&root)
    };
    let anchors = [Certificate::from_der(&issue(&expired, &root)).unwrap()];
    assert!(matches!(
        verify_path(&[leaf()], &anchors, Purpose::MdocDocumentSigner, NOW),
        Err(X509Error::Validity { .. })
    ));
}

#[test]
fn a_document_signer_of_another_country_or_for_too_long_is_refused() {
    let (root, signer) = (pair(1), pair(2));
    let foreign = NewCertificate {
        subject: Name {
            country: "ZZ",
            ..SIGNER
        },
        ..signer_of(&root, &signer)
    };
    assert_eq!(
        verify(&[issue(&foreign, &root)]).unwrap_err(),
        X509Error::ForeignName {
            attribute: "countryName"
        }
    );
    let long = NewCertificate {
        valid_until: NOW.plus(358 * DAY),
        ..signer_of(&root, &signer)
    };
    assert_eq!(
        verify(&[issue(&long, &root)]).unwrap_err(),
        X509Error::LivesTooLong { limit: 457 }
    );
}

#[test]
fn ed25519_certificates_are_read_as_written() {
    use ed25519_dalek::Signer as _;
    let key = ed25519_dalek::SigningKey::from_bytes(&[9; 32]);
    let public = PublicKey::from_ed25519(key.verifying_key().as_bytes()).unwrap();
    let root = Pair(pair(1).0, public);
    let request = iaca_of(&root).issue(&mut Counting(0));
    let signature = Signature::from_bytes(&key.sign(request.message()).to_bytes()).unwrap();
    let certificate = Certificate::from_der(&request.complete(signature)).unwrap();
    assert_eq!(certificate.key(), &root.1);
    assert_eq!(certificate.verify(&certificate), Ok(()));
}

#[test]
fn every_cut_and_anything_behind_is_refused() {
    let whole = leaf();
    assert!(Certificate::from_der(&whole).is_ok());
    for length in 0..whole.len() {
        assert!(Certificate::from_der(&whole[..length]).is_err(), "{length}");
    }
    assert!(Certificate::from_der(&[&whole[..], &[0]].concat()).is_err());
    assert!(matches!(
        Certificate::from_der(&vec![0; 10_000]),
        Err(X509Error::TooLarge { .. })
    ));
}
