//! The Bitstring Status List view of a [`StatusArray`]
//! ([bitstring status list credential](https://www.w3.org/TR/vc-bitstring-status-list/#bitstringstatuslistcredential)).
//!
//! One list for each purpose: "revocation" is set where the record says invalid, "suspension" where it says
//! suspended. Entries of more than one bit ("message") are not read or written.

use keys::Timestamp;
use keys::base64url;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use thiserror::Error;

use super::BitsPerEntry;
use super::StatusArray;
use super::StatusList;
use super::StatusListError;
use super::StatusPurpose;
use super::compression::gzip_compress;
use super::compression::gzip_decompress;
use crate::Authentic;
use crate::evidence::Credential;
use crate::vc::BASE_CONTEXT;
use crate::vc::CREDENTIAL_TYPE;

/// The `type` of the credential around a list.
pub const STATUS_LIST_CREDENTIAL: &str = "BitstringStatusListCredential";

/// Fewer entries would not hide one credential among others: 16 KiB of single bits.
pub const MIN_ENTRIES: usize = 131_072;

/// A list's credential document, for issuing it as `vc+jwt` or with a Data Integrity proof.
#[derive(Clone, Debug)]
pub struct BitstringCredential<'a> {
    /// Where the credential is published, as entries name it.
    pub uri: &'a str,
    /// The issuer's DID.
    pub issuer: &'a str,
    /// Which view of the record.
    pub purpose: BitstringPurpose,
    /// When the list is true; `validFrom`.
    pub valid_from: Timestamp,
    /// After which nobody may rely on it; `validUntil`.
    pub valid_until: Option<Timestamp>,
    /// Milliseconds after which a fresh copy should be fetched.
    pub time_to_live: Option<u64>,
    /// The record.
    pub array: &'a StatusArray,
}

/// The purposes for which a list can be derived from a record of status types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BitstringPurpose {
    /// Set where the status is invalid.
    Revocation,
    /// Set where the status is suspended.
    Suspension,
}

/// The publisher's fault: the credential holds no list that we can use.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum BitstringCredentialError {
    /// The list inside.
    #[error("the bitstring is not read")]
    List(#[from] StatusListError),
    /// It does not tell when it was true.
    #[error("expected a list with `validFrom` or `iat`, found neither")]
    NoTime,
    /// A member is missing or malformed.
    #[error("expected `{member}` as {expected}, found something else or nothing")]
    Member {
        /// Its name.
        member: &'static str,
        /// What belongs there.
        expected: &'static str,
    },
    /// It speaks of another purpose.
    #[error("expected a list for {expected}, found one for another purpose")]
    WrongPurpose {
        /// The purpose asked for.
        expected: String,
    },
}

impl BitstringCredential<'_> {
    /// The document to be secured.
    #[must_use]
    pub fn document(&self) -> Map<String, Value> {
        let purpose = StatusPurpose::from(self.purpose);
        let mut subject = json!({
            "id": format!("{}#list", self.uri),
            "type": "BitstringStatusList",
            "statusPurpose": purpose.as_str(),
            "encodedList": self.array.to_encoded_list(self.purpose),
        });
        if let (Some(milliseconds), Value::Object(subject)) = (self.time_to_live, &mut subject) {
            subject.insert("ttl".to_owned(), json!(milliseconds));
        }
        let mut document = Map::from_iter([
            ("@context".to_owned(), json!([BASE_CONTEXT])),
            ("id".to_owned(), json!(self.uri)),
            ("type".to_owned(), json!([CREDENTIAL_TYPE, STATUS_LIST_CREDENTIAL])),
            ("issuer".to_owned(), json!(self.issuer)),
            ("validFrom".to_owned(), json!(self.valid_from.to_rfc3339())),
            ("credentialSubject".to_owned(), subject),
        ]);
        document.extend(
            self.valid_until
                .map(|time| ("validUntil".to_owned(), json!(time.to_rfc3339()))),
        );
        document
    }
}

impl StatusList {
    /// The list of an authenticated status list credential that was fetched from `uri`, for one purpose
    /// ([validate algorithm](https://www.w3.org/TR/vc-bitstring-status-list/#validate-algorithm)).
    ///
    /// # Errors
    /// [`BitstringCredentialError`], after which no statement about any status can be made.
    pub fn from_bitstring_credential<T: Credential>(
        credential: &Authentic<T>,
        uri: &str,
        purpose: &StatusPurpose,
    ) -> Result<Self, BitstringCredentialError> {
        let malformed = |member, expected| BitstringCredentialError::Member { member, expected };
        let facts = &credential.facts;
        if !facts.types().iter().any(|type_| type_ == STATUS_LIST_CREDENTIAL) {
            return Err(malformed("type", STATUS_LIST_CREDENTIAL));
        }
        let document = credential.contents.claims();
        // Optional, but another id means that another list was put in this one's place.
        if document.get("id").is_some_and(|id| id.as_str() != Some(uri)) {
            return Err(malformed("id", "the URL that the list was fetched from"));
        }
        let subject = document.get("credentialSubject").and_then(Value::as_object);
        let subject = subject.ok_or_else(|| malformed("credentialSubject", "one object"))?;
        if subject.get("type").and_then(Value::as_str) != Some("BitstringStatusList") {
            return Err(malformed("credentialSubject.type", "BitstringStatusList"));
        }
        if !has_purpose(subject, purpose) {
            return Err(BitstringCredentialError::WrongPurpose {
                expected: purpose.as_str().to_owned(),
            });
        }
        if subject.get("statusSize").is_some_and(|size| size.as_u64() != Some(1)) {
            return Err(malformed("credentialSubject.statusSize", "1"));
        }
        let encoded = subject.get("encodedList").and_then(Value::as_str);
        let array = StatusArray::from_encoded_list(encoded.ok_or_else(|| malformed("encodedList", "a string"))?)?;
        let as_of = facts
            .issued_at()
            .or_else(|| facts.valid_from())
            .ok_or(BitstringCredentialError::NoTime)?;
        Ok(Self::of_purpose(
            facts.issuer().to_owned(),
            uri.to_owned(),
            array,
            purpose.clone(),
            as_of,
        ))
    }
}

/// `statusPurpose` is one string or several.
fn has_purpose(subject: &Map<String, Value>, purpose: &StatusPurpose) -> bool {
    match subject.get("statusPurpose") {
        Some(Value::String(one)) => one == purpose.as_str(),
        Some(Value::Array(several)) => several.iter().any(|one| one.as_str() == Some(purpose.as_str())),
        _ => false,
    }
}

impl StatusArray {
    /// `encodedList` of one purpose: GZIP, then base64url with the multibase prefix `u`. Filled up with unset
    /// entries to [`MIN_ENTRIES`].
    #[must_use]
    pub fn to_encoded_list(&self, purpose: BitstringPurpose) -> String {
        let set = StatusPurpose::from(purpose).status();
        let mut bitstring = vec![0_u8; self.len().max(MIN_ENTRIES).div_ceil(8)];
        for (index, _) in self.iter().enumerate().filter(|(_, status)| Some(*status) == set) {
            if let Some(byte) = bitstring.get_mut(index / 8) {
                // The first entry is the left-most bit.
                *byte |= 0x80 >> (index % 8);
            }
        }
        format!("u{}", base64url::encode(gzip_compress(&bitstring)))
    }

    /// Reads an `encodedList` of single bits, as an array with one bit for each entry.
    ///
    /// # Errors
    /// [`StatusListError`], the publisher's fault.
    pub fn from_encoded_list(encoded: &str) -> Result<Self, StatusListError> {
        let malformed = || StatusListError::Encoding {
            expected: "with the multibase prefix u",
        };
        let compressed = encoded.strip_prefix('u').and_then(|rest| base64url::decode(rest).ok());
        let mut bitstring = gzip_decompress(&compressed.ok_or_else(malformed)?)?;
        for byte in &mut bitstring {
            *byte = byte.reverse_bits();
        }
        let array = Self::from_packed(BitsPerEntry::One, bitstring);
        if array.len() < MIN_ENTRIES {
            return Err(StatusListError::TooShort {
                minimum: MIN_ENTRIES,
                found: array.len(),
            });
        }
        Ok(array)
    }
}

impl From<BitstringPurpose> for StatusPurpose {
    fn from(purpose: BitstringPurpose) -> Self {
        match purpose {
            BitstringPurpose::Revocation => Self::Revocation,
            BitstringPurpose::Suspension => Self::Suspension,
        }
    }
}

#[cfg(test)]
mod tests {
    use keys::Algorithm;
    use keys::Signer as _;
    use keys::signing::fulfil;
    use signer::SoftwareKey;

    use super::super::Status;
    use super::super::StatusReference;
    use super::*;
    use crate::Unverified;
    use crate::VcJwt;
    use crate::vc_jwt;

    const URI: &str = "https://issuer.example/bitstring/1";
    const ISSUER: &str = "did:example:issuer";
    const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);

    fn record() -> StatusArray {
        let mut array = StatusArray::new(BitsPerEntry::Two, 200_000);
        for (index, status) in [(0, Status::Invalid), (7, Status::Suspended), (199_999, Status::Invalid)] {
            array.set(index, status).unwrap();
        }
        array
    }

    fn document(purpose: BitstringPurpose) -> Map<String, Value> {
        let array = record();
        let (valid_until, time_to_live) = (Some(NOW.plus(60)), Some(1000));
        BitstringCredential {
            uri: URI,
            issuer: ISSUER,
            purpose,
            valid_from: NOW,
            valid_until,
            time_to_live,
            array: &array,
        }
        .document()
    }

    fn authentic(document: Map<String, Value>) -> Authentic<VcJwt> {
        let key = SoftwareKey::generate(Algorithm::EdDsa, &mut signer::os_rng());
        let text = fulfil(
            &key,
            vc_jwt::issue(document, "did:example:issuer#1", Algorithm::EdDsa).unwrap(),
        )
        .unwrap();
        Unverified::<VcJwt>::parse(&text)
            .unwrap()
            .authenticate(key.public_key(), ISSUER, NOW)
            .unwrap()
    }

    fn list(document: Map<String, Value>) -> Result<StatusList, BitstringCredentialError> {
        StatusList::from_bitstring_credential(&authentic(document), URI, &StatusPurpose::Revocation)
    }

    fn with(change: impl FnOnce(&mut Value)) -> Result<StatusList, BitstringCredentialError> {
        let mut document = Value::Object(document(BitstringPurpose::Revocation));
        assert!(list(document.as_object().unwrap().clone()).is_ok());
        change(&mut document);
        list(document.as_object().unwrap().clone())
    }

    /// The two views are read back entry by entry and compared with the record.
    #[test]
    fn both_views_agree_with_the_record() {
        let record = record();
        let token_view = StatusArray::from_status_list(&record.to_status_list()).unwrap();
        assert_eq!(token_view, record);
        for (purpose, set) in [
            (BitstringPurpose::Revocation, Status::Invalid),
            (BitstringPurpose::Suspension, Status::Suspended),
        ] {
            let list = authentic(document(purpose));
            let list = StatusList::from_bitstring_credential(&list, URI, &purpose.into()).unwrap();
            assert_eq!((list.issuer(), list.uri(), list.as_of()), (ISSUER, URI, NOW));
            for index in [0, 1, 6, 7, 8, 199_998, 199_999] {
                let expected = if record.get(index) == Some(set) {
                    set
                } else {
                    Status::Valid
                };
                let reference = StatusReference::bitstring(URI.to_owned(), index, purpose.into());
                assert_eq!(list.read(&reference).unwrap().status(), expected, "{purpose:?} {index}");
            }
        }
    }

    #[test]
    fn the_first_entry_is_the_left_most_bit() {
        let encoded = record().to_encoded_list(BitstringPurpose::Revocation);
        let bitstring = gzip_decompress(&base64url::decode(&encoded[1..]).unwrap()).unwrap();
        assert_eq!((bitstring[0], bitstring[24_999]), (0x80, 0x01));
        assert_eq!(bitstring.len(), 25_000);
    }

    #[test]
    fn short_records_are_filled_up_and_short_lists_refused() {
        let encoded = StatusArray::new(BitsPerEntry::One, 8).to_encoded_list(BitstringPurpose::Revocation);
        assert_eq!(StatusArray::from_encoded_list(&encoded).unwrap().len(), MIN_ENTRIES);
        let short = format!("u{}", base64url::encode(gzip_compress(&[0; MIN_ENTRIES / 8 - 1])));
        assert!(matches!(
            StatusArray::from_encoded_list(&short),
            Err(StatusListError::TooShort { .. })
        ));
    }

    #[test]
    fn other_encodings_are_refused() {
        let good = StatusArray::new(BitsPerEntry::One, 8).to_encoded_list(BitstringPurpose::Revocation);
        for bad in [
            good[1..].to_owned(),
            format!("z{}", &good[1..]),
            format!("{good}="),
            String::new(),
        ] {
            assert!(
                matches!(
                    StatusArray::from_encoded_list(&bad),
                    Err(StatusListError::Encoding { .. })
                ),
                "{bad}"
            );
        }
        let zlib = format!(
            "u{}",
            base64url::encode(super::super::compression::zlib_compress(&vec![0; 20_000]))
        );
        assert!(matches!(
            StatusArray::from_encoded_list(&zlib),
            Err(StatusListError::Compression { .. })
        ));
    }

    #[test]
    fn a_list_of_another_purpose_is_refused() {
        let refused = with(|document| document["credentialSubject"]["statusPurpose"] = json!("suspension"));
        assert!(matches!(refused, Err(BitstringCredentialError::WrongPurpose { .. })));
        let both = json!(["suspension", "revocation"]);
        assert!(with(|document| document["credentialSubject"]["statusPurpose"] = both).is_ok());
    }

    #[test]
    fn what_is_not_this_list_is_refused() {
        for (member, refused) in [
            (
                "type",
                with(|document| document["type"] = json!([CREDENTIAL_TYPE, "Other"])),
            ),
            (
                "id",
                with(|document| document["id"] = json!("https://issuer.example/bitstring/2")),
            ),
            (
                "credentialSubject.type",
                with(|document| document["credentialSubject"]["type"] = json!("Other")),
            ),
            (
                "credentialSubject.statusSize",
                with(|document| document["credentialSubject"]["statusSize"] = json!(2)),
            ),
            (
                "encodedList",
                with(|document| document["credentialSubject"]["encodedList"] = json!(1)),
            ),
        ] {
            match refused {
                Err(BitstringCredentialError::Member { member: found, .. }) => assert_eq!(found, member),
                other => panic!("{member}: {other:?}"),
            }
        }
        let untimed = with(|document| drop(document.as_object_mut().unwrap().remove("validFrom")));
        assert_eq!(untimed.err(), Some(BitstringCredentialError::NoTime));
    }
}
