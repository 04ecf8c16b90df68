//! `IssuerSigned`: data elements and the issuer's signature (ISO/IEC 18013-5 clause 8.3.2.1.2.2).
//!
//! ```text
//! IssuerSigned = { ? "nameSpaces": { + NameSpace => [ + IssuerSignedItemBytes ] }, "issuerAuth": COSE_Sign1 }
//! IssuerSignedItemBytes = #6.24(bstr .cbor IssuerSignedItem)
//! IssuerSignedItem = { "digestID": uint, "random": bstr, "elementIdentifier": tstr, "elementValue": any }
//! ```

use keys::cbor;
use keys::cbor::Value;
use keys::cose::UnverifiedSign1;
use serde_json::Map;

use super::LIMITS;
use super::MAX_BYTES;
use super::MdocError;
use super::mso::MobileSecurityObject;
use super::value::to_json;

/// Clause 9.1.2.5: a salt that is shorter could be guessed, and the element with it.
pub(super) const MIN_RANDOM_BYTES: usize = 16;

/// A licence has some forty data elements; each is looked up among the digests of its namespace.
const MAX_ELEMENTS: usize = 1024;

/// The bytes as received, and where in them each data element stands.
pub(super) struct IssuerSigned {
    fingerprint: [u8; 32],
    /// `issuerAuth` as received.
    pub(super) issuer_auth: Vec<u8>,
    pub(super) namespaces: Vec<(String, Vec<Item>)>,
}

/// One `IssuerSignedItemBytes`.
pub(super) struct Item {
    /// As received, with its tag: this has the digest.
    pub(super) encoded: Vec<u8>,
    digest_id: u64,
    pub(super) identifier: String,
    value: Value,
}

impl IssuerSigned {
    pub(super) fn parse(bytes: &[u8]) -> Result<(Self, UnverifiedSign1), MdocError> {
        let members = cbor::entries(bytes, LIMITS)?;
        let issuer_auth = member(&members, "issuerAuth").ok_or(MdocError::Form {
            member: "issuerAuth",
            expected: "a COSE_Sign1",
        })?;
        let mut namespaces = Vec::new();
        if let Some(encoded) = member(&members, "nameSpaces") {
            for (namespace, items) in cbor::entries(encoded, LIMITS)? {
                let Value::Text(namespace) = namespace else {
                    return Err(MdocError::Form {
                        member: "nameSpaces",
                        expected: "a map of names",
                    });
                };
                let items = cbor::items(items, LIMITS)?.into_iter().map(Item::parse);
                namespaces.push((namespace, items.collect::<Result<_, _>>()?));
            }
        }
        if namespaces
            .iter()
            .map(|(_, items): &(_, Vec<Item>)| items.len())
            .sum::<usize>()
            > MAX_ELEMENTS
        {
            return Err(MdocError::Form {
                member: "nameSpaces",
                expected: "1024 data elements at most",
            });
        }
        let issuer_signed = Self {
            fingerprint: keys::sha256(bytes),
            issuer_auth: issuer_auth.to_vec(),
            namespaces,
        };
        Ok((issuer_signed, UnverifiedSign1::parse(issuer_auth, MAX_BYTES)?))
    }

    /// SHA-256 of the bytes as received.
    pub(super) const fn fingerprint(&self) -> [u8; 32] {
        self.fingerprint
    }

    /// The data elements as `{namespace: {identifier: value}}`, each compared with its digest.
    pub(super) fn claims(&self, mso: &MobileSecurityObject) -> Result<Map<String, serde_json::Value>, MdocError> {
        let mut claims = Map::new();
        for (namespace, items) in &self.namespaces {
            let digests = mso
                .value_digests
                .get(namespace)
                .and_then(Value::as_map)
                .unwrap_or_default();
            let mut elements = Map::new();
            for item in items {
                let id = Value::from(item.digest_id);
                let expected = digests
                    .iter()
                    .find_map(|(found, digest)| (*found == id).then(|| digest.as_bytes())?);
                if expected != Some(mso.digest_algorithm.digest(&item.encoded).as_slice()) {
                    return Err(MdocError::Digest {
                        namespace: namespace.clone(),
                        digest_id: item.digest_id,
                    });
                }
                // Two values of one element are two answers to one question. Elements of one digest are the same bytes,
                // so they have one identifier as well.
                let twice = elements.insert(item.identifier.clone(), to_json(item.value.clone())?);
                if twice.is_some() {
                    return Err(MdocError::Form {
                        member: "elementIdentifier",
                        expected: "an identifier that comes once",
                    });
                }
            }
            claims.insert(namespace.clone(), elements.into());
        }
        Ok(claims)
    }
}

impl Item {
    fn parse(encoded: &[u8]) -> Result<Self, MdocError> {
        let form = |member, expected| MdocError::Form { member, expected };
        let bytes = cbor::decode_foreign(encoded, LIMITS)?;
        let bytes = bytes
            .as_encoded()
            .ok_or_else(|| form("IssuerSignedItemBytes", "CBOR in a byte string with tag 24"))?;
        let Value::Map(entries) = cbor::decode_foreign(bytes, LIMITS)? else {
            return Err(form("IssuerSignedItem", "a map"));
        };
        let (mut digest_id, mut identifier, mut element, mut has_salt) = (None, None, None, false);
        for (key, value) in entries {
            match (key.as_text(), value) {
                (Some("digestID"), Value::Unsigned(id)) => digest_id = Some(id),
                (Some("random"), Value::Bytes(random)) => has_salt = random.len() >= MIN_RANDOM_BYTES,
                (Some("elementIdentifier"), Value::Text(text)) => identifier = Some(text),
                (Some("elementValue"), value) => element = Some(value),
                _ => {}
            }
        }
        if !has_salt {
            return Err(form("random", "16 bytes or more"));
        }
        Ok(Self {
            encoded: encoded.to_vec(),
            digest_id: digest_id.ok_or_else(|| form("digestID", "an unsigned number"))?,
            identifier: identifier.ok_or_else(|| form("elementIdentifier", "a name"))?,
            value: element.ok_or_else(|| form("elementValue", "a value"))?,
        })
    }
}

/// The encoding of a member, if it is there.
pub(super) fn member<'a>(members: &[(Value, &'a [u8])], name: &str) -> Option<&'a [u8]> {
    members
        .iter()
        .find_map(|(key, value)| (key.as_text() == Some(name)).then_some(*value))
}
