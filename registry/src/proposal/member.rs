//! The members of proposals whose JSON is not the form of their type: times, digests, names.

use keys::Algorithm;
use keys::PublicKey;
use keys::Timestamp;
use serde::Deserialize;
use serde::Deserializer;
use serde::de::Error as _;
use trust::entry::APPROVAL_ALGORITHMS;
use trust::entry::Action;
use trust::entry::Backdating;
use trust::entry::DocumentRole;
use trust::entry::EntryType;
use trust::entry::OnStale;
use trust::entry::Reason;
use trust::entry::approval_algorithm_name;
use trust::merkle::Hash;

pub(super) const fn refuse_stale() -> OnStale {
    OnStale::Refuse
}

pub(super) const fn refuse_backdated() -> Backdating {
    Backdating::Refuse
}

pub(super) const fn unspecified() -> Reason {
    Reason::Unspecified
}

pub(super) fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let text = String::deserialize(deserializer)?;
    Timestamp::parse_rfc3339(&text).map_err(|_| D::Error::custom("expected a time such as 2026-11-23T03:00:00Z"))
}

pub(super) fn optional_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    time(deserializer).map(Some)
}

pub(super) fn multikey<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PublicKey, D::Error> {
    let text = String::deserialize(deserializer)?;
    PublicKey::from_multikey(&text)
        .map_err(|_| D::Error::custom("expected a public key as Multikey, z6Mk... or zDn..."))
}

pub(super) fn hash<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Hash, D::Error> {
    let text = String::deserialize(deserializer)?;
    Hash::parse_hex(&text).map_err(|_| D::Error::custom("expected a SHA-256 digest of 64 hexadecimal digits"))
}

pub(super) fn optional_hash<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Hash>, D::Error> {
    hash(deserializer).map(Some)
}

pub(super) fn hashes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Hash>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    let parse = |text: &String| Hash::parse_hex(text);
    let hashes: Result<Vec<Hash>, _> = texts.iter().map(parse).collect();
    hashes.map_err(|_| D::Error::custom("expected SHA-256 digests of 64 hexadecimal digits"))
}

const ACTIONS: [(&str, Action); 3] = [
    ("issue", Action::Issue),
    ("publish", Action::Publish),
    ("verify", Action::Verify),
];

/// One of the names of an enumeration.
fn named<'de, D: Deserializer<'de>, T: Copy>(deserializer: D, names: &[(&str, T)]) -> Result<T, D::Error> {
    let text = String::deserialize(deserializer)?;
    one_of(&text, names)
}

fn one_of<E: serde::de::Error, T: Copy>(text: &str, names: &[(&str, T)]) -> Result<T, E> {
    let found = names.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
    found.ok_or_else(|| {
        let names: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
        E::custom(format!("expected one of {}", names.join(", ")))
    })
}

pub(super) fn action<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Action, D::Error> {
    named(deserializer, &ACTIONS)
}

pub(super) fn actions<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Action>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts.iter().map(|text| one_of(text, &ACTIONS)).collect()
}

pub(super) fn algorithms<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Algorithm>, D::Error> {
    let named =
        APPROVAL_ALGORITHMS.map(|algorithm| (approval_algorithm_name(algorithm).unwrap_or_default(), algorithm));
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts.iter().map(|text| one_of(text, &named)).collect()
}

/// A member that is there, if only to say that there is nothing.
pub(super) fn or_null<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    Option::deserialize(deserializer)
}

pub(super) fn on_stale<'de, D: Deserializer<'de>>(deserializer: D) -> Result<OnStale, D::Error> {
    let names = [
        ("refuse", OnStale::Refuse),
        ("warn", OnStale::Warn),
        ("accept_with_risk", OnStale::AcceptWithRisk),
    ];
    named(deserializer, &names)
}

pub(super) fn backdating<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Backdating, D::Error> {
    named(
        deserializer,
        &[
            ("refuse", Backdating::Refuse),
            ("accept_before", Backdating::AcceptBefore),
        ],
    )
}

pub(super) fn reason<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Reason, D::Error> {
    let names = [
        ("unspecified", Reason::Unspecified),
        ("key_compromise", Reason::KeyCompromise),
        ("ceased_operation", Reason::CeasedOperation),
        ("non_compliance", Reason::NonCompliance),
        ("superseded", Reason::Superseded),
        ("withdrawn", Reason::Withdrawn),
    ];
    named(deserializer, &names)
}

pub(super) fn role<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DocumentRole, D::Error> {
    let names = [
        ("type_metadata", DocumentRole::TypeMetadata),
        ("json_schema", DocumentRole::JsonSchema),
        ("context", DocumentRole::Context),
        ("display", DocumentRole::Display),
    ];
    named(deserializer, &names)
}

pub(super) fn target<'de, D: Deserializer<'de>>(deserializer: D) -> Result<EntryType, D::Error> {
    let names = [
        ("did", EntryType::DidEvent),
        ("accreditation", EntryType::Accreditation),
        ("recognition", EntryType::Recognition),
        ("schema", EntryType::Schema),
    ];
    named(deserializer, &names)
}
