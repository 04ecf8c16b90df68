//! Issuing an mdoc.

use keys::Algorithm;
use keys::PublicKey;
use keys::SigningRequest;
use keys::Timestamp;
use keys::base64url;
use keys::cbor;
use keys::cbor::Value;
use keys::cose;
use keys::cose::HeaderMap;
use rand_core::CryptoRng;

use super::issuer_signed::Item;
use super::issuer_signed::MIN_RANDOM_BYTES;
use super::mso::DigestAlgorithm;
use super::mso::MobileSecurityObject;
use crate::random::Random;
use crate::status_list::StatusReference;

/// A namespace and its data elements: identifier and value.
pub type Namespace<'a> = (&'a str, Vec<(&'a str, Value)>);

/// An mdoc to be issued.
#[derive(Clone)]
pub struct NewMdoc<'a> {
    /// `kid`: absolute DID URL of the issuer's key.
    pub key_id: &'a str,
    /// `x5chain`: the certificate of that key, for verifiers who do not know the DID, and those below the anchor.
    pub certificates: &'a [Vec<u8>],
    /// `docType`.
    pub doc_type: &'a str,
    /// `digestAlgorithm`.
    pub digest_algorithm: DigestAlgorithm,
    /// `deviceKey`: the wallet's key.
    pub device_key: &'a PublicKey,
    /// `signed`.
    pub signed: Timestamp,
    /// `validFrom`, not before `signed`.
    pub valid_from: Timestamp,
    /// `validUntil`.
    pub valid_until: Timestamp,
    /// `status`.
    pub status: Option<&'a StatusReference>,
    /// The data elements, each identifier once in its namespace.
    pub namespaces: Vec<Namespace<'a>>,
}

impl NewMdoc<'_> {
    /// `IssuerSigned` with all data elements in base64url, once signed by `key_id`'s key.
    pub fn issue(self, algorithm: Algorithm, rng: &mut dyn CryptoRng) -> SigningRequest<String> {
        let mut random = Random::new(rng);
        let mut digests = Vec::new();
        let mut namespaces = Vec::new();
        for (namespace, elements) in self.namespaces {
            let ids = shuffled(elements.len(), &mut random);
            let items = ids.into_iter().zip(elements).map(|(id, (identifier, value))| {
                let salt: [u8; 2 * MIN_RANDOM_BYTES] = random.take();
                let item = Item::new(id, salt.to_vec(), identifier, value);
                let digest = self.digest_algorithm.digest(&item.encoded);
                ((Value::from(id), Value::Bytes(digest)), item.encoded)
            });
            let (of_namespace, items): (Vec<_>, Vec<_>) = items.unzip();
            let items: Vec<&[u8]> = items.iter().map(Vec::as_slice).collect();
            digests.push((Value::text(namespace), Value::Map(of_namespace)));
            namespaces.push((namespace.to_owned(), cbor::array_of_encoded(&items)));
        }
        let mso = MobileSecurityObject {
            digest_algorithm: self.digest_algorithm,
            value_digests: Value::Map(digests),
            device_key: self.device_key.clone(),
            doc_type: self.doc_type.to_owned(),
            signed: self.signed,
            valid_from: self.valid_from,
            valid_until: self.valid_until,
            status: self.status.cloned(),
            unknown_status: Vec::new(),
        };
        // ISO/IEC 18013-5 has nothing but `alg` in the protected header.
        let mut unprotected = HeaderMap::new().with_key_id(self.key_id);
        if !self.certificates.is_empty() {
            unprotected = unprotected.with_x5chain(self.certificates);
        }
        let request = cose::sign(HeaderMap::new(), unprotected, mso.to_vec(), algorithm);
        request.map(move |issuer_auth| base64url::encode(encode(&namespaces, &issuer_auth)))
    }
}

impl std::fmt::Debug for NewMdoc<'_> {
    /// Without the data elements.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewMdoc")
            .field("key_id", &self.key_id)
            .field("doc_type", &self.doc_type)
            .finish_non_exhaustive()
    }
}

/// `IssuerSigned` of encoded parts; without `nameSpaces` if there are none.
pub(super) fn encode(namespaces: &[(String, Vec<u8>)], issuer_auth: &[u8]) -> Vec<u8> {
    let encoded: Vec<(&str, &[u8])> = namespaces
        .iter()
        .map(|(name, items)| (name.as_str(), items.as_slice()))
        .collect();
    let encoded = cbor::map_of_encoded(&encoded);
    let mut members = vec![("issuerAuth", issuer_auth)];
    if !namespaces.is_empty() {
        members.push(("nameSpaces", encoded.as_slice()));
    }
    cbor::map_of_encoded(&members)
}

/// The numbers below `count` in a random order, so that a digest's number does not tell its element.
fn shuffled(count: usize, random: &mut Random<'_>) -> Vec<u64> {
    let mut order: Vec<(u64, u64)> = (0_u64..).take(count).map(|id| (random.number(), id)).collect();
    order.sort_unstable();
    order.into_iter().map(|(_, id)| id).collect()
}
