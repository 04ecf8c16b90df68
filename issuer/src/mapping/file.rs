//! The mapping file, read strictly: an unknown or misplaced setting is an error, never ignored.

use std::path::PathBuf;

use jiff::tz::Offset;
use keys::json;
use keys::json::JsonError;
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

use super::ClaimRule;
use super::Condition;
use super::Disclosure;
use super::Mapping;
use super::Origin;
use super::Source;
use super::Test;
use super::Validity;
use super::mdoc;
use super::mdoc::RawMdoc;
use super::transform::Field;
use super::transform::Transform;

/// The longest sample is 3 kB; twenty times that is a large register.
const LIMITS: json::Limits = json::Limits {
    max_bytes: 64 << 10,
    max_depth: 8,
};

/// More claims than any register page shows.
const MAX_CLAIMS: usize = 200;

/// `address.street_address` has two steps; twice that is deep enough for people to read.
const MAX_PATH: usize = 4;

/// PostgreSQL's limit for the name of a column; CSV has no limit of its own.
const MAX_COLUMN_BYTES: usize = 63;

/// Ten years: the longest validity of a document that we know of.
const MAX_DAYS: u32 = 3_653;

/// Names that belong to the envelope of some credential format, and so cannot be claims:
/// [SD-JWT VC](https://www.ietf.org/archive/id/draft-ietf-oauth-sd-jwt-vc-19.html#name-registered-jwt-claims),
/// [JWT](https://www.rfc-editor.org/rfc/rfc7519#section-4.1) and JSON-LD.
const RESERVED: [&str; 11] = [
    "aka_vcts", "aud", "cnf", "exp", "iat", "iss", "jti", "nbf", "status", "sub", "vct",
];

/// The mapping file is wrong: the fault of whoever wrote it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MappingError {
    /// Not JSON that we read.
    #[error("the mapping is not strict JSON")]
    Json(#[source] JsonError),
    /// A member is unknown, missing or of another type.
    #[error("the mapping has another shape than schemas/mapping.schema.json describes")]
    Shape(#[source] serde_json::Error),
    /// A setting does not fit.
    #[error("{place}: expected {expected}, found {found}")]
    Setting {
        /// Where in the file, such as `claims[3].years`.
        place: String,
        /// What belongs there.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMapping {
    /// For editors.
    #[serde(rename = "$schema")]
    _schema: Option<String>,
    credential_type: String,
    register: RawSource,
    subject: String,
    utc_offset: Option<String>,
    #[serde(default)]
    eligible: Vec<RawCondition>,
    validity: RawValidity,
    status_list: bool,
    claims: Vec<RawClaim>,
    mdoc: Option<RawMdoc>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum RawSource {
    Csv(RawCsv),
    Postgres(RawPostgres),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCsv {
    path: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPostgres {
    table: String,
    url_env: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCondition {
    column: String,
    is: RawTest,
    values: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum RawTest {
    Empty,
    OneOf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawValidity {
    days: u32,
    not_after: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawClaim {
    path: Vec<String>,
    column: Option<String>,
    value: Option<Value>,
    required: Option<bool>,
    disclosure: Option<RawDisclosure>,
    #[serde(rename = "as")]
    kind: Option<Kind>,
    years: Option<u16>,
    separator: Option<String>,
    field_separator: Option<String>,
    member: Option<String>,
    fields: Option<Vec<RawField>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawField {
    name: String,
    #[serde(rename = "as")]
    kind: Option<Kind>,
    separator: Option<String>,
    member: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RawDisclosure {
    Always,
    Each,
    Selective,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    AgeOver,
    Boolean,
    Date,
    Image,
    Integer,
    List,
    Records,
    #[default]
    Text,
}

pub(super) fn parse(bytes: &[u8]) -> Result<Mapping, MappingError> {
    let value = json::parse(bytes, LIMITS).map_err(MappingError::Json)?;
    let raw: RawMapping = serde_json::from_value(value).map_err(MappingError::Shape)?;
    let claims = claims(raw.claims)?;
    Ok(Mapping {
        credential_type: type_name(raw.credential_type)?,
        source: source(raw.register)?,
        subject_column: column("subject", raw.subject)?,
        utc_offset: utc_offset(raw.utc_offset.as_deref())?,
        eligible: raw
            .eligible
            .into_iter()
            .enumerate()
            .map(condition)
            .collect::<Result<_, _>>()?,
        validity: validity(raw.validity)?,
        has_status: raw.status_list,
        disclosable: super::disclosable(&claims),
        mdoc: raw.mdoc.map(|raw| mdoc::parse(raw, &claims)).transpose()?,
        claims,
    })
}

pub(super) fn wrong(place: impl Into<String>, expected: &'static str, found: impl Into<String>) -> MappingError {
    MappingError::Setting {
        place: place.into(),
        expected,
        found: found.into(),
    }
}

/// The name is a folder under `schemas/types` and a part of URLs.
fn type_name(name: String) -> Result<String, MappingError> {
    let fits = name.len() <= 64
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if fits {
        return Ok(name);
    }
    Err(wrong(
        "credential_type",
        "up to 64 ASCII letters and digits, a letter first",
        name,
    ))
}

fn source(raw: RawSource) -> Result<Source, MappingError> {
    match raw {
        RawSource::Csv(RawCsv { path }) => {
            if path.as_os_str().is_empty() {
                return Err(wrong("register.csv.path", "the path of a file", "an empty text"));
            }
            Ok(Source::Csv { path })
        }
        RawSource::Postgres(RawPostgres { table, url_env }) => {
            let names: Vec<&str> = table.split('.').collect();
            if names.len() > 2 || !names.iter().all(|name| is_column(name)) {
                return Err(wrong("register.postgres.table", "`schema.table` or `table`", table));
            }
            let fits = url_env.starts_with(|first: char| first.is_ascii_uppercase())
                && url_env
                    .bytes()
                    .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
            if !fits {
                // A URL pasted here has a password in it, so it is not repeated.
                return Err(wrong(
                    "register.postgres.url_env",
                    "the name of an environment variable, such as ATTESTRY_REGISTER_URL",
                    "something else",
                ));
            }
            Ok(Source::Postgres { table, url_env })
        }
    }
}

fn is_column(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= MAX_COLUMN_BYTES
        && !name.chars().any(|character| character.is_control() || character == '"')
}

fn column(place: &str, name: String) -> Result<String, MappingError> {
    if is_column(&name) {
        return Ok(name);
    }
    Err(wrong(
        place,
        "a column name of 1 to 63 bytes without quotes and control characters",
        name,
    ))
}

/// `+08:00`; UTC where it is not given. Ages and last days follow the calendar of the place.
fn utc_offset(text: Option<&str>) -> Result<Offset, MappingError> {
    let Some(text) = text else { return Ok(Offset::UTC) };
    let parsed = || {
        let (sign, rest) = text.split_at_checked(1)?;
        let (hours, minutes) = rest.split_once(':')?;
        if hours.len() != 2 || minutes.len() != 2 || !hours.bytes().chain(minutes.bytes()).all(|b| b.is_ascii_digit()) {
            return None;
        }
        let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
        // Civil clocks run from -12:00 to +14:00.
        if hours > 14 || minutes > 59 {
            return None;
        }
        let seconds = hours * 3_600 + minutes * 60;
        match sign {
            "+" => Offset::from_seconds(seconds).ok(),
            "-" => Offset::from_seconds(-seconds).ok(),
            _ => None,
        }
    };
    parsed().ok_or_else(|| wrong("utc_offset", "an offset such as +08:00", text))
}

fn condition((place, raw): (usize, RawCondition)) -> Result<Condition, MappingError> {
    let test = match (raw.is, raw.values) {
        (RawTest::Empty, None) => Test::Empty,
        (RawTest::OneOf, Some(values)) if !values.is_empty() => Test::OneOf(values),
        (RawTest::Empty, Some(_)) => return Err(wrong(format!("eligible[{place}].values"), "nothing", "a list")),
        (RawTest::OneOf, _) => {
            return Err(wrong(format!("eligible[{place}].values"), "at least one text", "none"));
        }
    };
    Ok(Condition {
        column: column(&format!("eligible[{place}].column"), raw.column)?,
        test,
    })
}

fn validity(raw: RawValidity) -> Result<Validity, MappingError> {
    if !(1..=MAX_DAYS).contains(&raw.days) {
        return Err(wrong("validity.days", "1 to 3653 days", raw.days.to_string()));
    }
    let not_after = raw
        .not_after
        .map(|name| column("validity.not_after", name))
        .transpose()?;
    Ok(Validity {
        days: raw.days,
        not_after,
    })
}

fn claims(raw: Vec<RawClaim>) -> Result<Vec<ClaimRule>, MappingError> {
    if raw.is_empty() || raw.len() > MAX_CLAIMS {
        return Err(wrong("claims", "1 to 200 claims", raw.len().to_string()));
    }
    let mut rules: Vec<ClaimRule> = Vec::with_capacity(raw.len());
    for (place, raw) in raw.into_iter().enumerate() {
        let place = format!("claims[{place}]");
        let rule = claim(&place, raw)?;
        let clash = rules.iter().find(|other| overlap(&other.path, &rule.path));
        if let Some(other) = clash {
            return Err(wrong(
                format!("{place}.path"),
                "a path that no other claim has or leads through",
                other.path.join("."),
            ));
        }
        rules.push(rule);
    }
    Ok(rules)
}

/// One path is the other's beginning, or the same.
fn overlap(one: &[String], other: &[String]) -> bool {
    one.iter().zip(other).all(|(one, other)| one == other)
}

fn claim(place: &str, mut raw: RawClaim) -> Result<ClaimRule, MappingError> {
    let path = path(place, std::mem::take(&mut raw.path))?;
    let disclosure = match raw.disclosure.unwrap_or(RawDisclosure::Selective) {
        RawDisclosure::Always => Disclosure::Always,
        RawDisclosure::Each => Disclosure::Each,
        RawDisclosure::Selective => Disclosure::Selective,
    };
    let origin = origin(place, raw)?;
    let is_list = matches!(
        &origin,
        Origin::Column {
            transform: Transform::List { .. } | Transform::Records { .. },
            ..
        }
    );
    if disclosure == Disclosure::Each && !is_list {
        return Err(wrong(
            format!("{place}.disclosure"),
            "`always` or `selective` for what is no list",
            "`each`",
        ));
    }
    Ok(ClaimRule {
        path,
        origin,
        disclosure,
    })
}

fn path(place: &str, path: Vec<String>) -> Result<Vec<String>, MappingError> {
    let place = format!("{place}.path");
    if path.is_empty() || path.len() > MAX_PATH {
        return Err(wrong(place, "1 to 4 names", path.len().to_string()));
    }
    for (depth, name) in path.iter().enumerate() {
        if !is_claim_name(name, depth == 0) {
            return Err(wrong(place, "the name of a claim, none of the envelope", name));
        }
    }
    Ok(path)
}

/// SD-JWT's own names are reserved at every depth, the envelope's at the top.
fn is_claim_name(name: &str, at_the_top: bool) -> bool {
    let is_syntax = name.is_empty() || name.starts_with(['_', '@']) || name == "..." || name.contains('#');
    // `id` and `type` are keywords of every W3C context, at every depth.
    let is_keyword = matches!(name, "id" | "type");
    let is_envelope = at_the_top && RESERVED.contains(&name);
    name.len() <= 64 && !is_syntax && !is_keyword && !is_envelope && !name.chars().any(char::is_control)
}

fn origin(place: &str, mut raw: RawClaim) -> Result<Origin, MappingError> {
    match (raw.column.take(), raw.value.take()) {
        (Some(name), None) => {
            let column = column(&format!("{place}.column"), name)?;
            let required = raw.required.unwrap_or(false);
            Ok(Origin::Column {
                column,
                transform: transform(place, raw)?,
                required,
            })
        }
        (None, Some(value)) => {
            let has_more = raw.required.is_some() || raw.kind.is_some() || has_settings(&raw);
            if has_more {
                return Err(wrong(
                    place,
                    "`path`, `value` and `disclosure` for a constant",
                    "more settings",
                ));
            }
            if !matches!(value, Value::Bool(_) | Value::String(_)) && !value.is_i64() {
                return Err(wrong(
                    format!("{place}.value"),
                    "a text, a whole number, true or false",
                    "another type",
                ));
            }
            Ok(Origin::Constant(value))
        }
        (None, None) => Err(wrong(place, "`column` or `value`", "neither")),
        (Some(_), Some(_)) => Err(wrong(place, "`column` or `value`", "both")),
    }
}

const fn has_settings(raw: &RawClaim) -> bool {
    raw.years.is_some()
        || raw.separator.is_some()
        || raw.field_separator.is_some()
        || raw.member.is_some()
        || raw.fields.is_some()
}

/// Takes out the settings that belong to the kind; whatever is left over does not belong.
fn transform(place: &str, mut raw: RawClaim) -> Result<Transform, MappingError> {
    let transform = match raw.kind.unwrap_or_default() {
        Kind::AgeOver => match raw.years.take() {
            Some(years @ 1..=150) => Transform::AgeOver { years },
            _ => return Err(wrong(format!("{place}.years"), "1 to 150 years", "something else")),
        },
        Kind::Boolean => Transform::Boolean,
        Kind::Date => Transform::Date,
        Kind::Image => Transform::Image,
        Kind::Integer => Transform::Integer,
        Kind::List => list(place, raw.separator.take(), raw.member.take())?,
        Kind::Records => {
            let fields = raw
                .fields
                .take()
                .filter(|fields| !fields.is_empty() && fields.len() <= MAX_CLAIMS);
            let fields = fields.ok_or_else(|| wrong(format!("{place}.fields"), "1 to 200 fields", "none or more"))?;
            let records = separator(&format!("{place}.separator"), raw.separator.take())?;
            let within = separator(&format!("{place}.field_separator"), raw.field_separator.take())?;
            if records == within {
                return Err(wrong(
                    format!("{place}.field_separator"),
                    "another text than `separator`",
                    within,
                ));
            }
            Transform::Records {
                separator: records,
                field_separator: within,
                fields: record_fields(place, fields)?,
            }
        }
        Kind::Text => Transform::Text,
    };
    if has_settings(&raw) {
        return Err(wrong(place, "only settings that belong to its `as`", "more settings"));
    }
    Ok(transform)
}

fn list(place: &str, text: Option<String>, member: Option<String>) -> Result<Transform, MappingError> {
    if let Some(member) = member.as_ref().filter(|member| !is_claim_name(member, false)) {
        return Err(wrong(format!("{place}.member"), "the name of a claim", member));
    }
    Ok(Transform::List {
        separator: separator(&format!("{place}.separator"), text)?,
        member,
    })
}

fn separator(place: &str, text: Option<String>) -> Result<String, MappingError> {
    text.filter(|text| !text.is_empty() && text.len() <= 8)
        .ok_or_else(|| wrong(place, "a text of 1 to 8 bytes", "something else"))
}

fn record_fields(place: &str, raw: Vec<RawField>) -> Result<Vec<Field>, MappingError> {
    let mut fields: Vec<Field> = Vec::with_capacity(raw.len());
    for (index, raw) in raw.into_iter().enumerate() {
        let place = format!("{place}.fields[{index}]");
        let is_new = fields.iter().all(|other| other.name != raw.name);
        if !is_new || !is_claim_name(&raw.name, false) {
            return Err(wrong(
                format!("{place}.name"),
                "the name of a claim, none twice",
                raw.name,
            ));
        }
        let has_settings = raw.separator.is_some() || raw.member.is_some();
        let transform = match raw.kind.unwrap_or_default() {
            Kind::Boolean => Transform::Boolean,
            Kind::Date => Transform::Date,
            Kind::Integer => Transform::Integer,
            Kind::List => list(&place, raw.separator, raw.member)?,
            Kind::Text => Transform::Text,
            Kind::AgeOver | Kind::Image | Kind::Records => {
                return Err(wrong(
                    format!("{place}.as"),
                    "text, date, boolean, integer or list",
                    "another one",
                ));
            }
        };
        if has_settings && !matches!(transform, Transform::List { .. }) {
            return Err(wrong(place, "only settings that belong to its `as`", "more settings"));
        }
        fields.push(Field {
            name: raw.name,
            transform,
        });
    }
    Ok(fields)
}
