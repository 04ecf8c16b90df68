//! Issuing an mdoc.

use keys::Algorithm;
use keys::PublicKey;
use keys::SigningRequest;
use keys::Timestamp;
use keys::base64url;
use keys::cbor;
use keys::cbor::Value;
use keys::cbor::Writer;
use keys::cose;
use keys::cose::HeaderMap;
use rand_core::CryptoRng;

use super::issuer_signed::MIN_RANDOM_BYTES;
use super::mso;
use super::mso::DigestAlgorithm;
use crate::random::Random;
use crate::status_list::StatusReference;

/// Room for ten data elements or their digests, so that they are moved seldom while they are written.
const TYPICAL_BYTES: usize = 2048;

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
    pub namespaces: &'a [Namespace<'a>],
}

impl NewMdoc<'_> {
    /// `IssuerSigned` with all data elements in base64url, once signed by `key_id`'s key.
    pub fn issue(self, algorithm: Algorithm, rng: &mut dyn CryptoRng) -> SigningRequest<String> {
        let (elements, digests) = self.elements(&mut Random::new(rng));
        let mso = mso::encode(&self, &digests);
        // ISO/IEC 18013-5 has nothing but `alg` in the protected header.
        let mut unprotected = HeaderMap::new().with_key_id(self.key_id);
        if !self.certificates.is_empty() {
            unprotected = unprotected.with_x5chain(self.certificates);
        }
        let elements = (!self.namespaces.is_empty()).then_some(elements);
        let request = cose::sign(HeaderMap::new(), unprotected, mso, algorithm);
        request.map(move |issuer_auth| base64url::encode(encode(elements.as_deref(), &issuer_auth)))
    }

    /// `nameSpaces` and `valueDigests`. Each element is encoded where it stays, and read again only for its digest.
    fn elements(&self, random: &mut Random<'_>) -> (Vec<u8>, Vec<u8>) {
        let mut namespaces: Vec<&Namespace<'_>> = self.namespaces.iter().collect();
        namespaces.sort_by_key(|(name, _)| (name.len(), *name));
        let [mut of_elements, mut of_digests] = [(); 2].map(|()| Writer::with_capacity(TYPICAL_BYTES));
        of_elements.map(namespaces.len());
        of_digests.map(namespaces.len());
        let mut item = Writer::new();
        for (name, elements) in namespaces {
            of_elements.text(name);
            of_elements.array(elements.len());
            let ids = shuffled(elements.len(), random);
            let mut digests = Vec::with_capacity(elements.len());
            for (id, (identifier, value)) in ids.into_iter().zip(elements) {
                let salt: [u8; 2 * MIN_RANDOM_BYTES] = random.take();
                item.clear();
                write_item(&mut item, id, &salt, identifier, value);
                let begin = of_elements.as_bytes().len();
                of_elements.tag_24(item.as_bytes());
                let encoded = of_elements.as_bytes().get(begin..).unwrap_or_default();
                digests.push((id, self.digest_algorithm.digest(encoded)));
            }
            digests.sort_unstable_by_key(|(id, _)| *id);
            of_digests.text(name);
            of_digests.map(digests.len());
            for (id, digest) in digests {
                of_digests.unsigned(id);
                of_digests.bytes(&digest);
            }
        }
        (of_elements.into_bytes(), of_digests.into_bytes())
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
pub(super) fn encode(elements: Option<&[u8]>, issuer_auth: &[u8]) -> Vec<u8> {
    let members = [("issuerAuth", Some(issuer_auth)), ("nameSpaces", elements)];
    let members = members.into_iter().filter_map(|(name, value)| Some((name, value?)));
    cbor::map_of_encoded(&members.collect::<Vec<_>>())
}

/// One `IssuerSignedItem`.
pub(super) fn write_item(out: &mut Writer, digest_id: u64, random: &[u8], identifier: &str, value: &Value) {
    out.map(4);
    out.text("random");
    out.bytes(random);
    out.text("digestID");
    out.unsigned(digest_id);
    out.text("elementValue");
    out.value(value);
    out.text("elementIdentifier");
    out.text(identifier);
}

/// The numbers below `count` in a random order, so that a digest's number does not tell its element.
fn shuffled(count: usize, random: &mut Random<'_>) -> Vec<u64> {
    let mut order: Vec<(u64, u64)> = (0_u64..).take(count).map(|id| (random.number(), id)).collect();
    order.sort_unstable();
    order.into_iter().map(|(_, id)| id).collect()
}
