//! The credential around a Bitstring Status List
//! ([bitstring status list credential](https://www.w3.org/TR/vc-bitstring-status-list/#bitstringstatuslistcredential)).

use std::time::Duration;

use keys::Timestamp;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use thiserror::Error;

use super::Bitstring;
use super::Lifetime;
use super::MIN_ENTRIES;
use super::Status;
use super::StatusError;
use super::StatusListError;
use super::StatusMessages;
use super::StatusProblem;
use super::StatusPurpose;
use super::StatusReading;
use super::StatusReference;
use super::StatusSize;
use crate::Authentic;
use crate::evidence::Credential;
use crate::vc::BASE_CONTEXT;
use crate::vc::CREDENTIAL_TYPE;

/// The `type` of the credential around a list.
pub const STATUS_LIST_CREDENTIAL: &str = "BitstringStatusListCredential";

/// A list's credential document, for issuing it as `vc+jwt` or with a Data Integrity proof.
#[derive(Clone, Debug)]
pub struct BitstringCredential<'a> {
    /// Where the credential is published, as entries name it.
    pub uri: &'a str,
    /// The issuer's DID.
    pub issuer: &'a str,
    /// What its entries are for; at least one.
    pub purposes: &'a [StatusPurpose],
    /// When the list is true; `validFrom`.
    pub valid_from: Timestamp,
    /// After which nobody may rely on it; `validUntil`.
    pub valid_until: Option<Timestamp>,
    /// Milliseconds after which a fresh copy should be fetched.
    pub time_to_live: Option<u64>,
    /// The statuses.
    pub bitstring: &'a Bitstring,
    /// What the values mean, and so how many bits an entry has; for the purpose `message`. The VC 2.0 context does not
    /// define its members, so a Data Integrity proof needs another context besides.
    pub messages: Option<&'a StatusMessages>,
}

/// An authentic Bitstring Status List.
#[derive(Clone, Debug)]
pub struct BitstringStatusList {
    issuer: String,
    uri: String,
    purposes: Vec<StatusPurpose>,
    lifetime: Lifetime,
    /// `statusSize`, if told.
    size: Option<StatusSize>,
    messages: Option<StatusMessages>,
    bitstring: Bitstring,
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
}

impl BitstringCredentialError {
    /// What the standard calls it.
    #[must_use]
    pub const fn problem(&self) -> StatusProblem {
        match self {
            Self::List(StatusListError::TooShort { .. }) => StatusProblem::ListLength,
            Self::List(StatusListError::TooLarge | StatusListError::NotCompressed) | Self::NoTime => {
                StatusProblem::Verification
            }
            Self::List(
                StatusListError::Bits { .. } | StatusListError::Encoding { .. } | StatusListError::Compression { .. },
            )
            | Self::Member { .. } => StatusProblem::MalformedValue,
        }
    }
}

impl BitstringCredential<'_> {
    /// The document to be secured.
    ///
    /// # Errors
    /// [`StatusListError::NotCompressed`], our fault.
    pub fn document(&self) -> Result<Map<String, Value>, StatusListError> {
        let purposes: Vec<&str> = self.purposes.iter().map(StatusPurpose::as_str).collect();
        let purpose = match purposes.as_slice() {
            [one] => json!(one),
            several => json!(several),
        };
        let mut subject = Map::from_iter([
            ("id".to_owned(), json!(format!("{}#list", self.uri))),
            ("type".to_owned(), json!("BitstringStatusList")),
            ("statusPurpose".to_owned(), purpose),
            ("encodedList".to_owned(), json!(self.bitstring.to_encoded_list()?)),
        ]);
        subject.extend(self.time_to_live.map(|time| ("ttl".to_owned(), json!(time))));
        if let Some(messages) = self.messages {
            subject.insert("statusSize".to_owned(), json!(messages.size().bits()));
            subject.insert("statusMessages".to_owned(), messages.to_value());
        }
        let mut document = Map::from_iter([
            ("@context".to_owned(), json!([BASE_CONTEXT])),
            ("id".to_owned(), json!(self.uri)),
            ("type".to_owned(), json!([CREDENTIAL_TYPE, STATUS_LIST_CREDENTIAL])),
            ("issuer".to_owned(), json!(self.issuer)),
            ("validFrom".to_owned(), json!(self.valid_from.to_rfc3339())),
            ("credentialSubject".to_owned(), Value::Object(subject)),
        ]);
        document.extend(
            self.valid_until
                .map(|time| ("validUntil".to_owned(), json!(time.to_rfc3339()))),
        );
        Ok(document)
    }
}

impl BitstringStatusList {
    /// The list of an authenticated status list credential that was fetched from `uri`. Whether its issuer may speak
    /// about the status of another issuer's credentials, the caller decides.
    ///
    /// # Errors
    /// [`BitstringCredentialError`], after which no statement about any status can be made.
    pub fn from_credential<T: Credential>(
        credential: &Authentic<T>,
        uri: &str,
    ) -> Result<Self, BitstringCredentialError> {
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
        let purposes = read_purposes(subject).ok_or_else(|| malformed("statusPurpose", "one or more strings"))?;
        let (size, messages) = read_messages(subject, &purposes)?;
        let encoded = subject.get("encodedList").and_then(Value::as_str);
        let encoded = encoded.ok_or_else(|| malformed("encodedList", "a string"))?;
        let as_of = facts.issued_at().or_else(|| facts.valid_from());
        Ok(Self {
            issuer: facts.issuer().to_owned(),
            uri: uri.to_owned(),
            purposes,
            lifetime: Lifetime {
                as_of: as_of.ok_or(BitstringCredentialError::NoTime)?,
                valid_until: facts.valid_until(),
                time_to_live: read_time_to_live(subject)?,
            },
            size,
            messages,
            bitstring: Bitstring::from_encoded_list(encoded)?,
        })
    }

    /// Who signed it.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Where it is published: its identifier.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// When it was true, and how long it may be used.
    #[must_use]
    pub const fn lifetime(&self) -> &Lifetime {
        &self.lifetime
    }

    /// What the list says about the credential with this entry
    /// ([validate algorithm](https://www.w3.org/TR/vc-bitstring-status-list/#validate-algorithm)).
    ///
    /// # Errors
    /// [`StatusError`], after which the credential must be refused.
    pub fn read(&self, reference: &StatusReference) -> Result<StatusReading, StatusError> {
        if reference.uri() != self.uri {
            return Err(StatusError::WrongList {
                expected: reference.uri().to_owned(),
                found: self.uri.clone(),
            });
        }
        let purpose = reference.purpose().filter(|purpose| self.purposes.contains(purpose));
        let purpose = purpose.ok_or_else(|| StatusError::wrong_purpose(reference))?;
        let size = reference.size();
        if let Some(found) = self.size.filter(|found| *found != size) {
            return Err(StatusError::WrongSize {
                expected: size.bits(),
                found: found.bits(),
            });
        }
        let (index, entries) = (reference.index(), self.bitstring.entries(size));
        if entries < MIN_ENTRIES {
            return Err(StatusError::TooShort { entries });
        }
        let value = self.bitstring.get(size, index);
        let value = value.ok_or(StatusError::IndexOutOfRange { index, entries })?;
        let status = if value == 0 { Status::Valid } else { purpose.when_set() };
        Ok(StatusReading {
            issuer: self.issuer.clone(),
            reference: reference.clone(),
            status,
            value,
            message: self.message(reference, value),
            as_of: self.lifetime.as_of,
        })
    }

    /// The message of a value: as the credential itself has it, since its holder knows that one; else as the list has
    /// it; else the two words of the standard.
    fn message(&self, reference: &StatusReference, value: u32) -> Option<String> {
        let messages = reference.messages().or(self.messages.as_ref());
        let message = match (messages, value) {
            (Some(messages), value) => messages.get(value),
            (None, 0) => Some("unset"),
            (None, 1) => Some("set"),
            (None, _) => None,
        };
        message.map(str::to_owned)
    }
}

const fn malformed(member: &'static str, expected: &'static str) -> BitstringCredentialError {
    BitstringCredentialError::Member { member, expected }
}

fn read_purposes(subject: &Map<String, Value>) -> Option<Vec<StatusPurpose>> {
    match subject.get("statusPurpose")? {
        Value::String(one) => Some(vec![StatusPurpose::from(one.as_str())]),
        Value::Array(several) if !several.is_empty() => several
            .iter()
            .map(|one| one.as_str().map(StatusPurpose::from))
            .collect(),
        _ => None,
    }
}

/// `statusSize` and `statusMessages`, which a list of messages must have.
fn read_messages(
    subject: &Map<String, Value>,
    purposes: &[StatusPurpose],
) -> Result<(Option<StatusSize>, Option<StatusMessages>), BitstringCredentialError> {
    let size = subject.get("statusSize").map(|size| {
        let size = StatusSize::read(size);
        size.ok_or_else(|| malformed("statusSize", "an integer from 1 to 16"))
    });
    let size = size.transpose()?;
    let messages = subject.get("statusMessages").map(|messages| {
        let messages = StatusMessages::read(messages, size.unwrap_or(StatusSize::ONE));
        messages.ok_or_else(|| malformed("statusMessages", "one message for each value"))
    });
    let messages = messages.transpose()?;
    if purposes.contains(&StatusPurpose::Message) {
        if size.is_none() {
            return Err(malformed("statusSize", "an integer from 1 to 16"));
        }
        if messages.is_none() {
            return Err(malformed("statusMessages", "one message for each value"));
        }
    }
    Ok((size, messages))
}

fn read_time_to_live(subject: &Map<String, Value>) -> Result<Option<Duration>, BitstringCredentialError> {
    let Some(time) = subject.get("ttl") else {
        return Ok(None);
    };
    let milliseconds = time.as_u64().ok_or_else(|| malformed("ttl", "milliseconds"))?;
    Ok(Some(Duration::from_millis(milliseconds)))
}

#[cfg(test)]
mod tests {
    use keys::Algorithm;
    use keys::Signer as _;
    use keys::signing::fulfil;
    use signer::SoftwareKey;

    use super::super::BitsPerEntry;
    use super::super::BitstringPurpose;
    use super::super::StatusArray;
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
        document_of(&record().to_bitstring(purpose), &[purpose.into()], None)
    }

    fn document_of(
        bitstring: &Bitstring,
        purposes: &[StatusPurpose],
        messages: Option<&StatusMessages>,
    ) -> Map<String, Value> {
        let (valid_until, time_to_live) = (Some(NOW.plus(600)), Some(60_000));
        BitstringCredential {
            uri: URI,
            issuer: ISSUER,
            purposes,
            valid_from: NOW,
            valid_until,
            time_to_live,
            bitstring,
            messages,
        }
        .document()
        .unwrap()
    }

    fn authentic(document: &Map<String, Value>) -> Authentic<VcJwt> {
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

    fn list(document: &Map<String, Value>) -> Result<BitstringStatusList, BitstringCredentialError> {
        BitstringStatusList::from_credential(&authentic(document), URI)
    }

    fn with(change: impl FnOnce(&mut Value)) -> Result<BitstringStatusList, BitstringCredentialError> {
        let mut document = Value::Object(document(BitstringPurpose::Revocation));
        assert!(list(document.as_object().unwrap()).is_ok());
        change(&mut document);
        list(document.as_object().unwrap())
    }

    fn reference(index: usize, purpose: impl Into<StatusPurpose>) -> StatusReference {
        StatusReference::bitstring(URI.to_owned(), index, purpose.into())
    }

    fn messages() -> StatusMessages {
        let texts = ["pending_review", "accepted", "rejected", "undefined"];
        StatusMessages::new(texts.map(str::to_owned).to_vec()).unwrap()
    }

    /// A list of messages of two bits, in which entry 492 is "rejected".
    fn list_of_messages() -> Map<String, Value> {
        let messages = messages();
        let mut bitstring = Bitstring::new(messages.size(), 0);
        bitstring.set(messages.size(), 492, 2).unwrap();
        document_of(&bitstring, &[StatusPurpose::Message], Some(&messages))
    }

    /// The views are read back entry by entry and compared with the record.
    #[test]
    fn both_views_agree_with_the_record() {
        let record = record();
        let token_view = record.compress().unwrap().to_status_list(None);
        assert_eq!(StatusArray::from_status_list(&token_view).unwrap(), record);
        for (purpose, set) in [
            (BitstringPurpose::Revocation, Status::Invalid),
            (BitstringPurpose::Suspension, Status::Suspended),
        ] {
            let list = list(&document(purpose)).unwrap();
            assert_eq!((list.issuer(), list.uri(), list.lifetime().as_of()), (ISSUER, URI, NOW));
            for index in [0, 1, 6, 7, 8, 199_998, 199_999] {
                let is_set = record.get(index) == Some(set);
                let reading = list.read(&reference(index, purpose)).unwrap();
                let expected = if is_set { set } else { Status::Valid };
                assert_eq!(reading.status(), expected, "{purpose:?} {index}");
                assert_eq!(reading.value(), u32::from(is_set));
                assert_eq!(reading.message(), Some(if is_set { "set" } else { "unset" }));
            }
        }
    }

    #[test]
    fn a_list_of_another_purpose_is_refused() {
        let list_of = |purposes: Value| {
            with(|document| document["credentialSubject"]["statusPurpose"] = purposes)
                .unwrap()
                .read(&reference(0, BitstringPurpose::Revocation))
        };
        let refused = list_of(json!("suspension")).unwrap_err();
        assert!(matches!(refused, StatusError::WrongPurpose { .. }));
        assert_eq!(refused.problem(), StatusProblem::Verification);
        let both = list_of(json!(["suspension", "revocation"])).unwrap();
        assert_eq!(both.status(), Status::Invalid);
        let token = StatusReference::token_status_list(URI.to_owned(), 0);
        let list = list(&document(BitstringPurpose::Revocation)).unwrap();
        assert!(matches!(list.read(&token), Err(StatusError::WrongPurpose { .. })));
    }

    #[test]
    fn a_set_entry_means_what_its_purpose_says() {
        let purposes: [(&str, Status); 5] = [
            ("revocation", Status::Invalid),
            ("suspension", Status::Suspended),
            ("refresh", Status::Valid),
            ("message", Status::Valid),
            ("own", Status::Other(1)),
        ];
        let mut bitstring = Bitstring::new(StatusSize::ONE, 0);
        bitstring.set(StatusSize::ONE, 1, 1).unwrap();
        let words = StatusMessages::new(vec!["no".to_owned(), "yes".to_owned()]).unwrap();
        let all = purposes.map(|(purpose, _)| StatusPurpose::from(purpose));
        let list = list(&document_of(&bitstring, &all, Some(&words))).unwrap();
        for (purpose, set) in purposes {
            let unset = list.read(&reference(0, purpose)).unwrap();
            assert_eq!((unset.status(), unset.message()), (Status::Valid, Some("no")));
            let reading = list.read(&reference(1, purpose)).unwrap();
            assert_eq!(
                (reading.status(), reading.value(), reading.message()),
                (set, 1, Some("yes")),
                "{purpose}"
            );
        }
    }

    #[test]
    fn messages_are_told_and_refuse_nothing() {
        let list = list(&list_of_messages()).unwrap();
        let entry = |index| reference(index, StatusPurpose::Message).with_messages(messages());
        for (index, value, message) in [(491, 0, "pending_review"), (492, 2, "rejected")] {
            let reading = list.read(&entry(index)).unwrap();
            assert_eq!((reading.value(), reading.message()), (value, Some(message)));
            assert!(reading.is_acceptable());
        }
        // The message is the one that the holder knows.
        let mut texts = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
        let own = reference(492, StatusPurpose::Message).with_messages(StatusMessages::new(texts.clone()).unwrap());
        assert_eq!(list.read(&own).unwrap().message(), Some("c"));
        // One bit of a list of two would be half of another credential's status.
        texts.truncate(2);
        for entry in [
            reference(492, StatusPurpose::Message),
            own.with_messages(StatusMessages::new(texts).unwrap()),
        ] {
            let refused = list.read(&entry).unwrap_err();
            assert_eq!(refused, StatusError::WrongSize { expected: 1, found: 2 });
            assert_eq!(refused.problem(), StatusProblem::Verification);
        }
    }

    #[test]
    fn a_list_of_messages_tells_their_size_and_texts() {
        for (member, value) in [
            ("statusSize", Value::Null),
            ("statusSize", json!(0)),
            ("statusSize", json!("2")),
            ("statusSize", json!(17)),
            ("statusMessages", Value::Null),
            (
                "statusMessages",
                json!([{"status": "0x0", "message": "a"}, {"status": "0x1", "message": "b"}]),
            ),
        ] {
            let mut document = list_of_messages();
            assert!(list(&document).is_ok());
            let subject = document["credentialSubject"].as_object_mut().unwrap();
            if value.is_null() {
                subject.remove(member);
            } else {
                subject.insert(member.to_owned(), value.clone());
            }
            let refused = list(&document).unwrap_err();
            assert_eq!(refused.problem(), StatusProblem::MalformedValue);
            // Without a size the four messages are too many.
            let blamed = [member, "statusMessages"];
            assert!(
                matches!(&refused, BitstringCredentialError::Member { member, .. } if blamed.contains(member)),
                "{member} {value}: {refused}"
            );
        }
    }

    /// The herd is counted in entries, not in bits.
    #[test]
    fn a_list_with_too_few_entries_is_refused() {
        let short = Bitstring::new(StatusSize::ONE, 0);
        let list = list(&document_of(&short, &[StatusPurpose::Refresh], None)).unwrap();
        let entry = reference(1, StatusPurpose::Refresh);
        assert!(list.read(&entry).is_ok());
        let refused = list.read(&entry.with_messages(messages())).unwrap_err();
        assert_eq!(
            refused,
            StatusError::TooShort {
                entries: MIN_ENTRIES / 2
            }
        );
        assert_eq!(refused.problem(), StatusProblem::ListLength);

        let encoded = |bytes: &[u8]| {
            let compressed = super::super::compression::gzip_compress(bytes).unwrap();
            format!("u{}", keys::base64url::encode(compressed))
        };
        let refused = with(|document| document["credentialSubject"]["encodedList"] = json!(encoded(&[0; 16_383])));
        assert_eq!(refused.unwrap_err().problem(), StatusProblem::ListLength);
        assert!(with(|document| document["credentialSubject"]["encodedList"] = json!(encoded(&[0; 16_384]))).is_ok());
    }

    #[test]
    fn an_index_beyond_the_end_is_out_of_range() {
        let list = list(&document(BitstringPurpose::Revocation)).unwrap();
        assert!(list.read(&reference(199_999, BitstringPurpose::Revocation)).is_ok());
        for index in [200_000, usize::MAX] {
            let refused = list.read(&reference(index, BitstringPurpose::Revocation)).unwrap_err();
            assert!(matches!(refused, StatusError::IndexOutOfRange { .. }));
            assert_eq!(refused.problem(), StatusProblem::Range);
        }
        let other = StatusReference::bitstring("https://issuer.example/2".to_owned(), 0, StatusPurpose::Revocation);
        assert!(matches!(list.read(&other), Err(StatusError::WrongList { .. })));
    }

    #[test]
    fn what_is_not_this_list_is_refused() {
        type Change = fn(&mut Value);
        let cases: [(&str, Change); 8] = [
            ("type", |document| document["type"] = json!([CREDENTIAL_TYPE, "Other"])),
            ("id", |document| {
                document["id"] = json!("https://issuer.example/bitstring/2");
            }),
            ("credentialSubject.type", |document| {
                document["credentialSubject"]["type"] = json!("Other");
            }),
            ("statusPurpose", |document| {
                document["credentialSubject"]["statusPurpose"] = json!([]);
            }),
            ("statusPurpose", |document| {
                document["credentialSubject"]["statusPurpose"] = json!(["revocation", 1]);
            }),
            ("statusSize", |document| {
                document["credentialSubject"]["statusSize"] = json!(0);
            }),
            ("encodedList", |document| {
                document["credentialSubject"]["encodedList"] = json!(1);
            }),
            ("ttl", |document| document["credentialSubject"]["ttl"] = json!("60")),
        ];
        for (member, change) in cases {
            let refused = with(change).unwrap_err();
            assert_eq!(refused.problem(), StatusProblem::MalformedValue);
            match refused {
                BitstringCredentialError::Member { member: found, .. } => assert_eq!(found, member),
                other => panic!("{member}: {other:?}"),
            }
        }
        let untimed = with(|document| drop(document.as_object_mut().unwrap().remove("validFrom")));
        assert_eq!(untimed.err(), Some(BitstringCredentialError::NoTime));
        let no_id = with(|document| drop(document.as_object_mut().unwrap().remove("id")));
        assert!(no_id.is_ok(), "the id is optional");
    }

    #[test]
    fn the_validity_period_and_the_time_to_live_are_told() {
        let list = list(&document(BitstringPurpose::Revocation)).unwrap();
        assert_eq!(list.lifetime().valid_until(), Some(NOW.plus(600)));
        assert_eq!(list.lifetime().refresh_at(NOW), Some(NOW.plus(60)));
        assert_eq!(list.lifetime().refresh_at(NOW.plus(590)), Some(NOW.plus(600)));
    }
}
