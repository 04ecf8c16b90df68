//! The forms in which a list is published, each as its standard has it, and the commitment to all of them.

use ::credential::data_integrity;
use ::credential::data_integrity::ProofOptions;
use ::credential::status_list::Bitstring;
use ::credential::status_list::BitstringCredential;
use ::credential::status_list::BitstringPurpose;
use ::credential::status_list::CompressedList;
use ::credential::status_list::StatusArray;
use ::credential::status_list::StatusListAggregation;
use ::credential::status_list::StatusListToken;
use ::credential::status_list::StatusPurpose;
use ::credential::vc_jwt;
use ::store::Direction;
use keys::Timestamp;
use serde_json::Value;
use trust::entry::StatusEncoding;
use trust::entry::StatusList;
use trust::entry::StatusToken;
use trust::entry::TokenFormat;
use trust::merkle::Hash;
use trust::status_bits::StatusBits;
use trust::status_bits::compact_digest;

use super::BITS;
use super::CAPACITY;
use super::MAX_LISTS;
use super::NEXT_UPDATE_SECONDS;
use super::StatusError;
use super::TIME_TO_LIVE_SECONDS;
use super::list_key;
use super::read_list;
use crate::Desk;
use crate::Issuer;
use crate::document::CRYPTOSUITE;
use crate::records::Committed;
use crate::records::ListRecord;
use crate::store::Load as _;
use crate::store::RecordError;

/// One of the forms of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Token Status List, `statuslist+jwt`.
    TokenJwt,
    /// Token Status List, `statuslist+cwt`.
    TokenCwt,
    /// Bitstring Status List.
    Bitstring(BitstringPurpose, Securing),
}

/// How a Bitstring Status List is secured: as the credentials that name it are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Securing {
    /// `vc+jwt`.
    Jose,
    /// `vc` with a Data Integrity proof.
    DataIntegrity,
}

/// What a commitment says of a list's capacity. The cast widens.
const COMMITTED_CAPACITY: u64 = CAPACITY as u64;

/// A list at one moment.
pub(super) struct Forms {
    /// What is served.
    pub(super) published: Vec<(Form, Vec<u8>)>,
    /// For bundles: the encoding in which a change is a few bytes of a delta, and the digest.
    pub(super) compact: Vec<u8>,
    digest: Hash,
}

/// A form as it was committed.
pub(crate) struct PublishedForm {
    pub(crate) bytes: Vec<u8>,
    /// Seconds for which a copy may be used.
    pub(crate) max_age: i64,
}

/// The address of the Bitstring view of the list at `uri`.
pub(crate) fn bitstring_uri(uri: &str, purpose: BitstringPurpose) -> String {
    format!("{uri}/{}", StatusPurpose::from(purpose).as_str())
}

/// Where an agency names all its Token Status Lists.
fn aggregation_uri(desk: &Desk) -> String {
    format!("{}/status", desk.identifier)
}

impl Form {
    /// The part of its key in the store.
    const fn name(self) -> &'static str {
        match self {
            Self::TokenJwt => "statuslist+jwt",
            Self::TokenCwt => "statuslist+cwt",
            Self::Bitstring(BitstringPurpose::Revocation, Securing::Jose) => "revocation/vc+jwt",
            Self::Bitstring(BitstringPurpose::Revocation, Securing::DataIntegrity) => "revocation/vc",
            Self::Bitstring(BitstringPurpose::Suspension, Securing::Jose) => "suspension/vc+jwt",
            Self::Bitstring(BitstringPurpose::Suspension, Securing::DataIntegrity) => "suspension/vc",
        }
    }

    const fn token_format(self) -> TokenFormat {
        match self {
            Self::TokenJwt => TokenFormat::Jwt,
            Self::TokenCwt => TokenFormat::Cwt,
            Self::Bitstring(_, Securing::Jose) => TokenFormat::Bitstring,
            Self::Bitstring(_, Securing::DataIntegrity) => TokenFormat::BitstringProof,
        }
    }

    const fn purpose(self) -> Option<BitstringPurpose> {
        match self {
            Self::TokenJwt | Self::TokenCwt => None,
            Self::Bitstring(purpose, _) => Some(purpose),
        }
    }
}

/// Every form of the list at `uri`, signed, and the compact form.
pub(super) fn forms(
    issuer: &Issuer,
    desk: &Desk,
    uri: &str,
    array: &StatusArray,
    now: Timestamp,
) -> Result<Forms, StatusError> {
    let list = array.compress()?;
    let mut published = Vec::from(token_forms(desk, uri, &list, now)?);
    for purpose in BitstringPurpose::ALL {
        let bitstring = array.to_bitstring(purpose);
        published.extend(bitstring_forms(issuer, desk, uri, (purpose, &bitstring), now)?);
    }
    let statuses = StatusBits::new(BITS.number(), COMMITTED_CAPACITY, array.packed().to_vec())?;
    let compact = statuses.to_compact(StatusEncoding::GolombRice);
    Ok(Forms {
        published,
        digest: compact_digest(StatusEncoding::GolombRice, &compact)?,
        compact,
    })
}

fn token_forms(
    desk: &Desk,
    uri: &str,
    list: &CompressedList,
    now: Timestamp,
) -> Result<[(Form, Vec<u8>); 2], StatusError> {
    let signer = desk.agency.signer();
    let token = StatusListToken {
        uri,
        issuer: desk.agency.did(),
        key_id: desk.agency.key_id(),
        issued_at: now,
        expires_at: Some(now.plus(NEXT_UPDATE_SECONDS)),
        time_to_live: Some(TIME_TO_LIVE_SECONDS.into()),
        aggregation_uri: Some(&aggregation_uri(desk)),
        list,
    };
    let algorithm = signer.public_key().algorithm();
    let jwt = keys::signing::fulfil(signer, token.sign(algorithm))?;
    let cwt = keys::signing::fulfil(signer, token.sign_cwt(algorithm))?;
    Ok([(Form::TokenJwt, jwt.into_bytes()), (Form::TokenCwt, cwt)])
}

fn bitstring_forms(
    issuer: &Issuer,
    desk: &Desk,
    uri: &str,
    (purpose, bitstring): (BitstringPurpose, &Bitstring),
    now: Timestamp,
) -> Result<[(Form, Vec<u8>); 2], StatusError> {
    let agency = &desk.agency;
    let document = BitstringCredential {
        uri: &bitstring_uri(uri, purpose),
        issuer: agency.did(),
        purposes: &[purpose.into()],
        valid_from: now,
        valid_until: Some(now.plus(NEXT_UPDATE_SECONDS)),
        time_to_live: Some(u64::from(TIME_TO_LIVE_SECONDS) * 1_000),
        bitstring,
        messages: None,
    };
    let document = document.document()?;
    let signer = agency.signer();
    let jose = vc_jwt::issue(&document, agency.key_id(), signer.public_key().algorithm())?;
    let options = ProofOptions {
        cryptosuite: CRYPTOSUITE,
        algorithm: agency.data_integrity_signer().public_key().algorithm(),
        verification_method: agency.data_integrity_method(),
        created: Some(now),
        expires: None,
    };
    let proof = data_integrity::issue(document, &options, &issuer.0.contexts)?;
    let proof = Value::Object(keys::signing::fulfil(agency.data_integrity_signer(), proof)?);
    Ok([
        (
            Form::Bitstring(purpose, Securing::Jose),
            keys::signing::fulfil(signer, jose)?.into_bytes(),
        ),
        (
            Form::Bitstring(purpose, Securing::DataIntegrity),
            proof.to_string().into_bytes(),
        ),
    ])
}

impl Forms {
    /// The views of the list at `uri`.
    pub(super) fn commitments(&self, uri: &str, next: Committed) -> Vec<StatusList> {
        let views = [None].into_iter().chain(BitstringPurpose::ALL.map(Some));
        views.map(|purpose| self.commitment(uri, purpose, next)).collect()
    }

    fn commitment(&self, uri: &str, purpose: Option<BitstringPurpose>, next: Committed) -> StatusList {
        let forms = self.published.iter().filter(|(form, _)| form.purpose() == purpose);
        let token = |(form, bytes): &(Form, Vec<u8>)| StatusToken {
            format: form.token_format(),
            digest: Hash::digest(bytes),
        };
        StatusList {
            uri: purpose.map_or_else(|| uri.to_owned(), |purpose| bitstring_uri(uri, purpose)),
            bits: BITS.number(),
            capacity: COMMITTED_CAPACITY,
            tokens: forms.map(token).collect(),
            encoding: StatusEncoding::GolombRice,
            compact: self.digest,
            compact_length: u64::try_from(self.compact.len()).unwrap_or(u64::MAX),
            next_update: next.at.plus(NEXT_UPDATE_SECONDS),
            epoch: next.epoch,
            purpose: purpose.map(|purpose| StatusPurpose::from(purpose).as_str().to_owned()),
        }
    }
}

/// A form of a list, as the registry has it committed.
pub(crate) async fn published(
    issuer: &Issuer,
    agency: &str,
    list: &str,
    form: Form,
) -> Result<Option<PublishedForm>, RecordError> {
    let snapshot = issuer.0.records.snapshot().await?;
    let record = snapshot.load::<ListRecord>(&list_key(agency, list)).await?;
    let Some(committed) = record.and_then(|record| record.committed) else {
        return Ok(None);
    };
    let bytes = snapshot.get(published_key(agency, list, form)).await?;
    let left = committed
        .at
        .plus(NEXT_UPDATE_SECONDS)
        .seconds_since(issuer.0.clock.now());
    Ok(bytes.map(|bytes| PublishedForm {
        bytes,
        max_age: left.clamp(0, TIME_TO_LIVE_SECONDS.into()),
    }))
}

/// Every Token Status List of an agency that the registry knows.
pub(crate) async fn aggregation(issuer: &Issuer, agency: &str) -> Result<StatusListAggregation, RecordError> {
    let snapshot = issuer.0.records.snapshot().await?;
    let entries = snapshot
        .prefix(&list_key(agency, ""), MAX_LISTS, Direction::Forward)
        .await?;
    let mut status_lists = Vec::new();
    for entry in entries {
        let list = read_list(&entry)?;
        if list.committed.is_some() {
            status_lists.push(list.uri);
        }
    }
    Ok(StatusListAggregation { status_lists })
}

pub(super) fn published_key(agency: &str, list: &str, form: Form) -> String {
    format!("published/{agency}/{list}/{}", form.name())
}
