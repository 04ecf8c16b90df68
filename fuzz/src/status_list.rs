//! Status lists: tokens, bitstrings, and the compact forms of the bundle.

use credential::status_list::BitsPerEntry;
use credential::status_list::Bitstring;
use credential::status_list::BitstringPurpose;
use credential::status_list::StatusArray;
use credential::status_list::StatusListAggregation;
use credential::status_list::StatusReference;
use credential::status_list::StatusSize;
use credential::status_list::UnverifiedStatusListCwt;
use credential::status_list::UnverifiedStatusListToken;
use credential::vc::CredentialProperties;
use keys::Algorithm;
use keys::cbor;
use keys::cose;
use keys::cose::HeaderMap;
use keys::json;
use keys::json::DEFAULT_LIMITS;
use serde_json::Value;
use serde_json::json as value;
use trust::entry::StatusEncoding;
use trust::entry::StatusList;
use trust::merkle::Hash;
use trust::status_bits::StatusBits;
use trust::status_bits::compact_digest;
use trust::status_bits::status_in_compact;

use crate::NOW;
use crate::issuer;
use crate::text;

const URI: &str = "https://issuer.example/status/1";

/// The input as token in either format, as its payload, as compressed list, as compact list, and as the statuses themselves.
pub fn fuzz(data: &[u8]) {
    if let Some(text) = text(data) {
        token(text);
        let _ = Bitstring::from_encoded_list(text);
    }
    token(&issuer().jws(credential::status_list::STATUS_LIST_TYPE, data));
    cwt(data);
    let protected = HeaderMap::new().with_typ(credential::status_list::STATUS_LIST_CWT_TYPE);
    let request = cose::sign(protected, HeaderMap::new(), data.to_vec(), Algorithm::EdDsa);
    cwt(&cose::tagged(&issuer().sign(request)));
    if let Ok(value) = cbor::decode_foreign(data, DEFAULT_LIMITS) {
        let _ = StatusArray::from_cbor(&value);
        if let Ok((Some(reference), _)) = StatusReference::from_status_map(&value) {
            let again = StatusReference::from_status_map(&reference.to_status_map());
            assert_eq!(again, Ok((Some(reference), Vec::new())));
        }
    }
    if let Ok(claim) = json::parse(data, DEFAULT_LIMITS) {
        let _ = StatusArray::from_status_list(&claim);
        entry(claim);
    }
    if let Ok(aggregation) = StatusListAggregation::parse(data) {
        let written = aggregation.to_value().to_string();
        assert_eq!(StatusListAggregation::parse(written.as_bytes()), Ok(aggregation));
    }
    let encoded = keys::base64url::encode(data);
    for bits in [1, 2, 4, 8] {
        let _ = StatusArray::from_status_list(&value!({"bits": bits, "lst": encoded}));
    }
    let _ = Bitstring::from_encoded_list(&format!("u{encoded}"));
    compact(data);
    round_trips(data);
}

fn token(text: &str) {
    if let Ok(token) = UnverifiedStatusListToken::parse(text) {
        let _ = token.authenticate(issuer().public(), &issuer().did, URI, NOW);
    }
}

fn cwt(bytes: &[u8]) {
    if let Ok(token) = UnverifiedStatusListCwt::parse(bytes) {
        let _ = token.authenticate(issuer().public(), &issuer().did, URI, NOW);
    }
}

/// The input as the status entry of a credential: what was read is read again as it is written.
fn entry(entry: Value) {
    let document = |entry: Value| {
        let document = value!({
            "@context": ["https://www.w3.org/ns/credentials/v2"], "type": "VerifiableCredential",
            "issuer": issuer().did, "credentialSubject": {"id": "did:example:1"}, "credentialStatus": entry,
        });
        CredentialProperties::read(document.as_object().expect("an object"))
    };
    for reference in document(entry).map(|properties| properties.status).unwrap_or_default() {
        let again = document(reference.to_value()).expect("our own entry");
        assert_eq!(again.status, [reference]);
    }
}

/// The first two bytes are the capacity, the rest is the compact form.
fn compact(data: &[u8]) {
    let Some((capacity, compact)) = data.split_at_checked(2) else {
        return;
    };
    let capacity = u64::from(u16::from_le_bytes([capacity[0], capacity[1]]));
    for encoding in [StatusEncoding::GolombRice, StatusEncoding::Zlib] {
        for bits in [1, 2] {
            let Ok(digest) = compact_digest(encoding, compact) else {
                continue;
            };
            let list = described(encoding, bits, capacity, digest, compact.len());
            let decoded = StatusBits::from_compact(&list, compact);
            let one = status_in_compact(&list, compact, capacity / 2);
            if let (Ok(decoded), Ok(one)) = (&decoded, one) {
                assert_eq!(decoded.get(capacity / 2), one);
            }
        }
    }
}

fn round_trips(statuses: &[u8]) {
    for bits in [
        BitsPerEntry::One,
        BitsPerEntry::Two,
        BitsPerEntry::Four,
        BitsPerEntry::Eight,
    ] {
        let array = StatusArray::from_packed(bits, statuses.to_vec());
        let list = array.compress().expect("our own list");
        assert_eq!(
            StatusArray::from_status_list(&list.to_status_list(None)).as_ref(),
            Ok(&array)
        );
        assert_eq!(StatusArray::from_cbor(&list.to_cbor(None)).as_ref(), Ok(&array));
    }
    // Costs a thousand times as much as the rest, since it is filled up to 131,072 entries.
    if statuses.first() == Some(&0) {
        bitstring(statuses);
    }
    let capacity = statuses.len() as u64 * 8;
    for encoding in [StatusEncoding::GolombRice, StatusEncoding::Zlib] {
        let Ok(bits) = StatusBits::new(1, capacity, statuses.to_vec()) else {
            return;
        };
        let compact = bits.to_compact(encoding);
        let digest = compact_digest(encoding, &compact).expect("our own form");
        let list = described(encoding, 1, capacity, digest, compact.len());
        let read = StatusBits::from_compact(&list, &compact).expect("our own form");
        assert_eq!(read.bytes(), statuses);
    }
}

fn bitstring(statuses: &[u8]) {
    let revoked = StatusArray::from_packed(BitsPerEntry::One, statuses.to_vec());
    let bitstring = revoked.to_bitstring(BitstringPurpose::Revocation);
    let encoded = bitstring.to_encoded_list().expect("our own list");
    assert_eq!(Bitstring::from_encoded_list(&encoded).as_ref(), Ok(&bitstring));
    for (index, status) in revoked.iter().enumerate() {
        assert_eq!(bitstring.get(StatusSize::ONE, index), Some(u32::from(status.value())));
    }
}

fn described(encoding: StatusEncoding, bits: u8, capacity: u64, compact: Hash, length: usize) -> StatusList {
    StatusList {
        uri: URI.to_owned(),
        bits,
        capacity,
        tokens: Vec::new(),
        encoding,
        compact,
        compact_length: length as u64,
        next_update: NOW,
        epoch: 1,
        purpose: None,
    }
}
