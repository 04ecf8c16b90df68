//! `StatusCommit`: digests of an issuer's status lists.

use keys::Timestamp;
use keys::cbor::Value;

use super::DecodeError;
use crate::codec;
use crate::codec::Fields;
use crate::codec::MapBuilder;
use crate::merkle::Hash;

/// Body of a `StatusCommit` entry. Subject and ns are the issuer's DID; the one signature is by an assertion
/// key of its document, and its signer is that key's DID URL. Lists that are not named keep the commitment
/// that they have.
///
/// ```cddl
/// status-commit = {
///   1: [* status-list],    ; ascending by URI
///   2: [* tstr]            ; URIs of lists that end, ascending
/// }
/// status-list = {
///   1: tstr,               ; URI: `status_list.uri`, or `statusListCredential`
///   2: 1 / 2 / 4 / 8,      ; bits per credential
///   3: uint,               ; capacity: how many indices there are
///   4: [+ token],          ; the standard forms, ascending by format
///   5: 0 / 1,              ; encoding of the compact form: zlib, Golomb-Rice chunks
///   6: bstr .size 32,      ; digest of the compact form: SHA-256, or Merkle root over chunks
///   7: uint,               ; its length in bytes
///   8: time,               ; next update
///   9: uint,               ; epoch, rising
///   ? 10: tstr             ; statusPurpose of a Bitstring Status List
/// }
/// token = { 1: 0..3, 2: bstr .size 32 }
///                          ; statuslist+jwt, statuslist+cwt, BitstringStatusListCredential as vc+jwt, the same with
///                          ; a Data Integrity proof; SHA-256
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusCommitBody {
    /// New lists and new states of lists; ascending by URI.
    pub lists: Vec<StatusList>,
    /// URIs of lists that end; ascending.
    pub ended: Vec<String>,
}

/// One status list at one epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusList {
    /// What credentials refer to.
    pub uri: String,
    /// Bits per credential: 1, 2, 4 or 8.
    pub bits: u8,
    /// How many indices there are.
    pub capacity: u64,
    /// The standard forms that the issuer serves at this epoch; ascending by format.
    pub tokens: Vec<StatusToken>,
    /// How the compact form is encoded.
    pub encoding: StatusEncoding,
    /// Digest of the compact form ([`crate::status_bits::compact_digest`]): the name of its bytes in a bundle.
    pub compact: Hash,
    /// Length of the compact form in bytes.
    pub compact_length: u64,
    /// When the issuer means to commit the next state.
    pub next_update: Timestamp,
    /// Rises with every commitment of this list.
    pub epoch: u64,
    /// `statusPurpose` of a Bitstring Status List. The compact form has the same status types all the same; the purpose
    /// says which of them the list shows as set.
    pub purpose: Option<String>,
}

/// A standard form of a list, known by its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusToken {
    /// Which form.
    pub format: TokenFormat,
    /// SHA-256 of the bytes that the issuer serves.
    pub digest: Hash,
}

/// The standard forms of a status list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TokenFormat {
    /// Token Status List, `application/statuslist+jwt`.
    Jwt = 0,
    /// Token Status List, `application/statuslist+cwt`.
    Cwt = 1,
    /// W3C `BitstringStatusListCredential`, `application/vc+jwt`.
    Bitstring = 2,
    /// W3C `BitstringStatusListCredential` with a Data Integrity proof, `application/vc`.
    BitstringProof = 3,
}

/// How the compact form of a list is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StatusEncoding {
    /// The byte array of the [Token Status List](https://datatracker.ietf.org/doc/draft-ietf-oauth-status-list/)
    /// (index 0 in the lowest bits of the first byte), compressed with zlib as its `lst` is. The digest
    /// is SHA-256 of that.
    Zlib = 0,
    /// Golomb-Rice coded distances in chunks of 131,072 indices ([`crate::golomb_rice`]). The digest is
    /// the Merkle root over the chunks.
    GolombRice = 1,
}

/// 2^27 bits are 16 MiB decoded and more credentials than a list should hold; larger issuers use several.
const MAX_LIST_BITS: u64 = 1 << 27;

impl StatusCommitBody {
    pub(super) fn to_value(&self) -> Value {
        MapBuilder::default()
            .put(1, Value::Array(self.lists.iter().map(StatusList::to_value).collect()))
            .put(2, codec::texts_value(&self.ended))
            .build()
    }

    pub(super) fn from_value(value: Value) -> Result<Self, DecodeError> {
        let mut fields = Fields::open("status commit", value)?;
        let body = Self {
            lists: fields.array(1, StatusList::from_value)?,
            ended: fields.texts(2)?,
        };
        if !body.lists.is_sorted_by(|left, right| left.uri < right.uri) || !codec::is_sorted_set(&body.ended) {
            return Err(fields.shape("lists ascending by URI"));
        }
        if body
            .ended
            .iter()
            .any(|uri| body.lists.iter().any(|list| list.uri == *uri))
        {
            return Err(fields.shape("lists that either go on or end"));
        }
        if body.lists.is_empty() && body.ended.is_empty() {
            return Err(fields.shape("at least one list"));
        }
        fields.end()?;
        Ok(body)
    }
}

impl StatusList {
    pub(crate) fn to_value(&self) -> Value {
        MapBuilder::default()
            .put(1, Value::text(&self.uri))
            .put(2, u64::from(self.bits))
            .put(3, self.capacity)
            .put(4, Value::Array(self.tokens.iter().map(StatusToken::to_value).collect()))
            .put(5, self.encoding as u64)
            .put(6, codec::hash_value(self.compact))
            .put(7, self.compact_length)
            .put(8, codec::time_value(self.next_update))
            .put(9, self.epoch)
            .optional(10, self.purpose.as_ref().map(Value::text))
            .build()
    }

    pub(crate) fn from_value(value: Value) -> Result<Self, DecodeError> {
        let mut fields = Fields::open("status list", value)?;
        let bits = |number| [1_u8, 2, 4, 8].into_iter().find(|bits| u64::from(*bits) == number);
        let list = Self {
            uri: fields.text(1)?,
            bits: fields.variant(2, "1, 2, 4 or 8 bits", bits)?,
            capacity: fields.unsigned(3)?,
            tokens: fields.array(4, StatusToken::from_value)?,
            encoding: fields.variant(5, "0 (zlib) or 1 (Golomb-Rice)", StatusEncoding::from_number)?,
            compact: fields.hash(6)?,
            compact_length: fields.unsigned(7)?,
            next_update: fields.time(8)?,
            epoch: fields.unsigned(9)?,
            purpose: fields.optional_text(10)?,
        };
        let size = list.capacity.checked_mul(u64::from(list.bits));
        if list.capacity == 0 || size.is_none_or(|size| size > MAX_LIST_BITS) {
            return Err(fields.shape("a capacity of at least 1 and at most 2^27 bits"));
        }
        if list.tokens.is_empty() || !list.tokens.is_sorted_by(|left, right| left.format < right.format) {
            return Err(fields.shape("at least one token, ascending by format"));
        }
        fields.end()?;
        Ok(list)
    }
}

impl StatusEncoding {
    pub(crate) fn from_number(number: u64) -> Option<Self> {
        [Self::Zlib, Self::GolombRice]
            .into_iter()
            .find(|encoding| *encoding as u64 == number)
    }
}

impl StatusToken {
    fn to_value(&self) -> Value {
        MapBuilder::default()
            .put(1, self.format as u64)
            .put(2, codec::hash_value(self.digest))
            .build()
    }

    fn from_value(value: Value) -> Result<Self, DecodeError> {
        let mut fields = Fields::open("status token", value)?;
        let format = |number| {
            let known = [
                TokenFormat::Jwt,
                TokenFormat::Cwt,
                TokenFormat::Bitstring,
                TokenFormat::BitstringProof,
            ];
            known.into_iter().find(|format| *format as u64 == number)
        };
        let token = Self {
            format: fields.variant(1, "a token format from 0 to 3", format)?,
            digest: fields.hash(2)?,
        };
        fields.end()?;
        Ok(token)
    }
}
