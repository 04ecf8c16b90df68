//! The query itself: what may stand in it
//! ([OpenID4VP 1.0, sections 6.1 to 6.3](https://openid.net/specs/openid-4-verifiable-presentations-1_0.html#credential_query)).
//!
//! A value of [`DcqlQuery`] keeps every rule of those sections. Unknown properties are ignored, as the
//! text demands; two rules are looser here because the text tells wallets to be (see
//! [`DcqlQuery::repeats_a_claim`]) or contradicts itself (an empty `meta` sets no constraint).

use std::collections::BTreeSet;

use keys::json;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Map;
use serde_json::Value;
use thiserror::Error;

use super::path::ClaimsPath;
use super::path::PathComponent;
use crate::format::CredentialFormat;

/// A query with 32 credentials of 32 claims each needs about 100 kB.
pub const QUERY_LIMITS: json::Limits = json::Limits {
    max_bytes: 128 * 1_024,
    max_depth: 16,
};
/// Nobody can consent to more at once.
pub const MAX_CREDENTIAL_QUERIES: usize = 32;
/// More than the largest attribute set we know (the EUDI PID has about 30 claims).
pub const MAX_CLAIMS: usize = 128;
/// For `values`, `vct_values`, `type_values`, `claim_sets`, `credential_sets`, `options`, authorities.
pub const MAX_ALTERNATIVES: usize = 64;
/// Identifiers chosen by the verifier; they come back as member names.
pub const MAX_ID_BYTES: usize = 128;

/// A valid DCQL query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawQuery")]
#[non_exhaustive]
pub struct DcqlQuery {
    /// What is asked for; at least one, with unique ids.
    pub credentials: Vec<CredentialQuery>,
    /// Which combinations satisfy the verifier; empty if the member is absent, and then all of
    /// [`Self::credentials`] are asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub credential_sets: Vec<CredentialSetQuery>,
}

/// A request for presentations of one kind of credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CredentialQuery {
    /// The name of the answer in the `vp_token`.
    pub id: String,
    /// The format asked for.
    pub format: CredentialFormat,
    /// Whether several credentials may answer.
    #[serde(skip_serializing_if = "is_false")]
    pub multiple: bool,
    /// Which types are asked for.
    pub meta: Meta,
    /// Which issuers' authorities the verifier accepts; empty if any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub trusted_authorities: Vec<TrustedAuthoritiesQuery>,
    /// Whether the holder must prove possession of the key in the credential.
    #[serde(skip_serializing_if = "is_true")]
    pub require_cryptographic_holder_binding: bool,
    /// The claims asked for; empty if the member is absent: nothing selectively disclosable.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<ClaimsQuery>,
    /// Alternatives of claim ids, the preferred first; empty if all of [`Self::claims`] are asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub claim_sets: Vec<Vec<String>>,
}

/// The type constraints of a format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Meta {
    /// `dc+sd-jwt`: one of these `vct`, or a type that extends one of them.
    SdJwtVc {
        /// At least one.
        vct_values: Vec<String>,
    },
    /// `jwt_vc_json`, `ldp_vc`: all types of one of these sets, as expanded IRIs.
    W3c {
        /// At least one set, none of them empty.
        type_values: Vec<Vec<String>>,
    },
    /// `mso_mdoc`: this doctype.
    MsoMdoc {
        /// The doctype.
        doctype_value: String,
    },
    /// A format that we do not know, or no constraint: kept as it stands.
    Other(Map<String, Value>),
}

/// Authorities of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TrustedAuthoritiesQuery {
    /// `aki`, `etsi_tl`, `openid_federation` or another kind.
    #[serde(rename = "type")]
    pub kind: String,
    /// At least one value of that kind.
    pub values: Vec<String>,
}

/// One claim asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ClaimsQuery {
    /// Its name for `claim_sets`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Where it is.
    pub path: ClaimsPath,
    /// The values that are of use to the verifier: strings, integers or booleans; empty if any.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "present_values")]
    pub values: Vec<Value>,
    /// For mdoc: whether the verifier will keep the value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intent_to_retain: Option<bool>,
}

/// One use case of the verifier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CredentialSetQuery {
    /// Sets of credential query ids; each of them satisfies the use case.
    pub options: Vec<Vec<String>>,
    /// Whether the verifier cannot do without it.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub required: bool,
}

/// The verifier's fault: the query breaks a rule of the text. A wallet answers `invalid_request`.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum QueryError {
    /// `claim_sets` without `claims`.
    #[error("expected `claims` where `claim_sets` is present")]
    ClaimSetsWithoutClaims,
    /// An array that must have elements.
    #[error("expected a non-empty array in `{member}`")]
    Empty {
        /// The member's name.
        member: &'static str,
    },
    /// Not the JSON of a query: a member is absent or of another type.
    #[error("expected the members of a DCQL query with their types")]
    Shape,
    /// An id of other characters than letters, digits, `_` and `-`.
    #[error("expected an id of letters, digits, underscore and hyphen in `{member}`")]
    Id {
        /// Where it stands.
        member: &'static str,
    },
    /// A claim without an id where `claim_sets` must name it.
    #[error("expected an id in each of `claims` where `claim_sets` is present")]
    MissingClaimId,
    /// A path that the format cannot have.
    #[error("expected a path of namespace and data element for mso_mdoc")]
    MdocPath,
    /// The text itself could not be read.
    #[error("expected a DCQL query as JSON")]
    Json(#[source] json::JsonError),
    /// An id that stands twice.
    #[error("expected unique ids in `{member}`")]
    Repeated {
        /// Where.
        member: &'static str,
    },
    /// More elements than we handle.
    #[error("expected at most {limit} elements in `{member}`")]
    TooMany {
        /// Where.
        member: &'static str,
        /// The limit.
        limit: usize,
    },
    /// A set that names what is not in the query.
    #[error("expected ids of this query in `{member}`")]
    Unknown {
        /// Where.
        member: &'static str,
    },
    /// A value to match that is no string, integer or boolean.
    #[error("expected strings, integers or booleans in `values`")]
    Value,
}

impl DcqlQuery {
    /// Parses the JSON text of a query.
    ///
    /// # Errors
    /// [`QueryError`], the verifier's fault.
    pub fn parse(text: &[u8]) -> Result<Self, QueryError> {
        Self::from_value(&json::parse(text, QUERY_LIMITS).map_err(QueryError::Json)?)
    }

    /// Reads a query from parsed JSON.
    ///
    /// # Errors
    /// [`QueryError`], the verifier's fault.
    pub fn from_value(value: &Value) -> Result<Self, QueryError> {
        RawQuery::deserialize(value).map_err(|_| QueryError::Shape)?.try_into()
    }

    /// The query as JSON.
    #[must_use]
    pub fn to_value(&self) -> Value {
        // Only strings, numbers and lists inside: serializing cannot fail.
        serde_json::to_value(self).unwrap_or(Value::Null)
    }

    /// The credential query of this id.
    #[must_use]
    pub fn credential(&self, id: &str) -> Option<&CredentialQuery> {
        self.credentials.iter().find(|credential| credential.id == id)
    }

    /// Whether a claim is pointed to twice: "Verifiers MUST NOT", but "Wallets SHOULD ignore such duplicate
    /// claim queries", so parsing takes it and only whoever makes a request asks.
    #[must_use]
    pub fn repeats_a_claim(&self) -> bool {
        self.credentials.iter().any(|credential| {
            let mut seen = BTreeSet::new();
            !credential.claims.iter().all(|claim| seen.insert(&claim.path))
        })
    }

    /// Whether any presentation may come without proof of possession: then the request needs a `state`
    /// ([section 5.3](https://openid.net/specs/openid-4-verifiable-presentations-1_0.html#nkb-credentials)).
    #[must_use]
    pub fn accepts_unbound(&self) -> bool {
        self.credentials
            .iter()
            .any(|credential| !credential.require_cryptographic_holder_binding)
    }
}

#[derive(Deserialize)]
struct RawQuery {
    credentials: Vec<RawCredentialQuery>,
    credential_sets: Option<Vec<CredentialSetQuery>>,
}

#[derive(Deserialize)]
struct RawCredentialQuery {
    id: String,
    format: CredentialFormat,
    #[serde(default)]
    multiple: bool,
    meta: Map<String, Value>,
    trusted_authorities: Option<Vec<TrustedAuthoritiesQuery>>,
    #[serde(default = "yes")]
    require_cryptographic_holder_binding: bool,
    claims: Option<Vec<ClaimsQuery>>,
    claim_sets: Option<Vec<Vec<String>>>,
}

impl TryFrom<RawQuery> for DcqlQuery {
    type Error = QueryError;

    fn try_from(raw: RawQuery) -> Result<Self, QueryError> {
        non_empty(&raw.credentials, "credentials", MAX_CREDENTIAL_QUERIES)?;
        let credentials = raw
            .credentials
            .into_iter()
            .map(CredentialQuery::try_from)
            .collect::<Result<Vec<_>, _>>()?;
        let ids = unique(
            credentials.iter().map(|credential| credential.id.as_str()),
            "credentials",
        )?;
        let credential_sets = optional(raw.credential_sets, "credential_sets", MAX_ALTERNATIVES)?;
        for set in &credential_sets {
            references(&set.options, &ids, "options")?;
        }
        Ok(Self {
            credentials,
            credential_sets,
        })
    }
}

impl TryFrom<RawCredentialQuery> for CredentialQuery {
    type Error = QueryError;

    fn try_from(raw: RawCredentialQuery) -> Result<Self, QueryError> {
        check_id(&raw.id, "credentials")?;
        let meta = Meta::of_format(&raw.format, raw.meta)?;
        let trusted_authorities = optional(raw.trusted_authorities, "trusted_authorities", MAX_ALTERNATIVES)?;
        for authorities in &trusted_authorities {
            non_empty(&authorities.values, "trusted_authorities.values", MAX_ALTERNATIVES)?;
        }
        if raw.claim_sets.is_some() && raw.claims.is_none() {
            return Err(QueryError::ClaimSetsWithoutClaims);
        }
        let claims = optional(raw.claims, "claims", MAX_CLAIMS)?;
        let claim_sets = optional(raw.claim_sets, "claim_sets", MAX_ALTERNATIVES)?;
        check_claims(&claims, &raw.format)?;
        let claim_ids = unique(claims.iter().filter_map(|claim| claim.id.as_deref()), "claims")?;
        if !claim_sets.is_empty() && claim_ids.len() != claims.len() {
            return Err(QueryError::MissingClaimId);
        }
        for set in &claim_sets {
            // An empty alternative is a way to ask for nothing; the text does not forbid it.
            named(set, &claim_ids, "claim_sets")?;
        }
        Ok(Self {
            id: raw.id,
            format: raw.format,
            multiple: raw.multiple,
            meta,
            trusted_authorities,
            require_cryptographic_holder_binding: raw.require_cryptographic_holder_binding,
            claims,
            claim_sets,
        })
    }
}

impl Meta {
    fn of_format(format: &CredentialFormat, meta: Map<String, Value>) -> Result<Self, QueryError> {
        // "If empty, no specific constraints are placed on the metadata".
        if meta.is_empty() {
            return Ok(Self::Other(meta));
        }
        let member = |name: &str| meta.get(name).cloned().ok_or(QueryError::Shape);
        match format {
            CredentialFormat::SdJwtVc => {
                let vct_values: Vec<String> = typed(member("vct_values")?)?;
                non_empty(&vct_values, "vct_values", MAX_ALTERNATIVES)?;
                Ok(Self::SdJwtVc { vct_values })
            }
            CredentialFormat::JwtVcJson | CredentialFormat::LdpVc => {
                let type_values: Vec<Vec<String>> = typed(member("type_values")?)?;
                non_empty(&type_values, "type_values", MAX_ALTERNATIVES)?;
                for types in &type_values {
                    non_empty(types, "type_values", MAX_ALTERNATIVES)?;
                }
                Ok(Self::W3c { type_values })
            }
            CredentialFormat::MsoMdoc => Ok(Self::MsoMdoc {
                doctype_value: typed(member("doctype_value")?)?,
            }),
            CredentialFormat::Other(_) => Ok(Self::Other(meta)),
        }
    }
}

fn check_claims(claims: &[ClaimsQuery], format: &CredentialFormat) -> Result<(), QueryError> {
    for claim in claims {
        if let Some(id) = &claim.id {
            check_id(id, "claims")?;
        }
        if claim.values.len() > MAX_ALTERNATIVES {
            return Err(QueryError::TooMany {
                member: "values",
                limit: MAX_ALTERNATIVES,
            });
        }
        let scalar = |value: &Value| value.is_string() || value.is_boolean() || value.is_i64() || value.is_u64();
        if !claim.values.iter().all(scalar) {
            return Err(QueryError::Value);
        }
        let two_keys = matches!(claim.path.components(), [PathComponent::Key(_), PathComponent::Key(_)]);
        if *format == CredentialFormat::MsoMdoc && !two_keys {
            return Err(QueryError::MdocPath);
        }
    }
    Ok(())
}

fn check_id(id: &str, member: &'static str) -> Result<(), QueryError> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if id.is_empty() || id.len() > MAX_ID_BYTES || !id.bytes().all(fits) {
        return Err(QueryError::Id { member });
    }
    Ok(())
}

fn references(options: &[Vec<String>], ids: &BTreeSet<&str>, member: &'static str) -> Result<(), QueryError> {
    non_empty(options, member, MAX_ALTERNATIVES)?;
    for option in options {
        non_empty(option, member, MAX_CREDENTIAL_QUERIES)?;
        named(option, ids, member)?;
    }
    Ok(())
}

fn named(set: &[String], ids: &BTreeSet<&str>, member: &'static str) -> Result<(), QueryError> {
    if set.len() > ids.len() {
        return Err(QueryError::TooMany {
            member,
            limit: ids.len(),
        });
    }
    if set.iter().all(|id| ids.contains(id.as_str())) {
        Ok(())
    } else {
        Err(QueryError::Unknown { member })
    }
}

fn unique<'a>(ids: impl Iterator<Item = &'a str>, member: &'static str) -> Result<BTreeSet<&'a str>, QueryError> {
    let mut seen = BTreeSet::new();
    for id in ids {
        if !seen.insert(id) {
            return Err(QueryError::Repeated { member });
        }
    }
    Ok(seen)
}

fn optional<T>(list: Option<Vec<T>>, member: &'static str, limit: usize) -> Result<Vec<T>, QueryError> {
    if let Some(list) = &list {
        non_empty(list, member, limit)?;
    }
    Ok(list.unwrap_or_default())
}

fn non_empty<T>(list: &[T], member: &'static str, limit: usize) -> Result<(), QueryError> {
    if list.is_empty() {
        return Err(QueryError::Empty { member });
    }
    if list.len() > limit {
        return Err(QueryError::TooMany { member, limit });
    }
    Ok(())
}

fn typed<T: for<'de> Deserialize<'de>>(value: Value) -> Result<T, QueryError> {
    serde_json::from_value(value).map_err(|_| QueryError::Shape)
}

/// `values` that is present must have an element; `Vec` alone could not tell it from an absent one.
fn present_values<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Value>, D::Error> {
    let values = Vec::deserialize(deserializer)?;
    if values.is_empty() {
        return Err(serde::de::Error::custom("expected a non-empty array in `values`"));
    }
    Ok(values)
}

const fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_true(value: &bool) -> bool {
    *value
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn genuine() -> Value {
        json!({
            "credentials": [{
                "id": "pid",
                "format": "dc+sd-jwt",
                "meta": {"vct_values": ["urn:eudi:pid:1"]},
                "trusted_authorities": [{"type": "aki", "values": ["s9tIpPmhxdiuNkHMEWNpYim8S8Y"]}],
                "claims": [
                    {"id": "a", "path": ["family_name"], "values": ["Doe", 5, true]},
                    {"id": "b", "path": ["nationalities", null]}
                ],
                "claim_sets": [["a", "b"], ["a"]],
                "unknown": {"ignored": true}
            }],
            "credential_sets": [{"options": [["pid"]], "required": false}]
        })
    }

    /// The genuine query with one change.
    fn changed(pointer: &str, value: Value) -> Result<DcqlQuery, QueryError> {
        assert!(DcqlQuery::from_value(&genuine()).is_ok());
        let mut query = genuine();
        let (parent, member) = pointer.rsplit_once('/').unwrap();
        query.pointer_mut(parent).unwrap()[member] = value;
        DcqlQuery::from_value(&query)
    }

    #[test]
    fn defaults_are_those_of_the_text() {
        let minimal = json!({"credentials": [{"id": "a", "format": "dc+sd-jwt", "meta": {}}]});
        let query = DcqlQuery::from_value(&minimal).unwrap();
        let credential = query.credential("a").unwrap();
        assert!(credential.require_cryptographic_holder_binding);
        assert!(!credential.multiple);
        assert_eq!(query.to_value(), minimal);
        let sets = json!({"options": [["pid"]]});
        assert!(serde_json::from_value::<CredentialSetQuery>(sets).unwrap().required);
    }

    #[test]
    fn empty_arrays_are_refused() {
        for (pointer, member) in [
            ("/credentials", "credentials"),
            ("/credential_sets", "credential_sets"),
            ("/credentials/0/claims", "claims"),
            ("/credentials/0/claim_sets", "claim_sets"),
            ("/credentials/0/trusted_authorities", "trusted_authorities"),
        ] {
            assert_eq!(
                changed(pointer, json!([])),
                Err(QueryError::Empty { member }),
                "{pointer}"
            );
        }
        assert_eq!(
            changed("/credentials/0/meta", json!({"vct_values": []})),
            Err(QueryError::Empty { member: "vct_values" })
        );
        let sets = |options: Value| changed("/credential_sets", json!([{"options": options}]));
        assert_eq!(sets(json!([])), Err(QueryError::Empty { member: "options" }));
        assert_eq!(sets(json!([[]])), Err(QueryError::Empty { member: "options" }));
        let values = json!([{"id": "a", "path": ["x"], "values": []}, {"id": "b", "path": ["y"]}]);
        assert_eq!(changed("/credentials/0/claims", values), Err(QueryError::Shape));
        let authorities = json!([{"type": "aki", "values": []}]);
        assert_eq!(
            changed("/credentials/0/trusted_authorities", authorities),
            Err(QueryError::Empty {
                member: "trusted_authorities.values"
            })
        );
    }

    #[test]
    fn required_members_are_required() {
        for member in ["id", "format", "meta"] {
            let mut query = genuine();
            query["credentials"][0].as_object_mut().unwrap().remove(member);
            assert_eq!(DcqlQuery::from_value(&query), Err(QueryError::Shape), "{member}");
        }
        assert_eq!(
            changed("/credentials/0/meta", json!({"vct_value": ["typo"]})),
            Err(QueryError::Shape)
        );
        assert_eq!(changed("/credentials/0/multiple", json!("yes")), Err(QueryError::Shape));
    }

    #[test]
    fn ids_are_checked() {
        for bad in ["", "a b", "é", "a.b", &"a".repeat(MAX_ID_BYTES + 1)] {
            assert_eq!(
                changed("/credentials/0/id", json!(bad)),
                Err(QueryError::Id { member: "credentials" }),
                "{bad}"
            );
        }
        let mut twice = genuine();
        let first = twice["credentials"][0].clone();
        twice["credentials"].as_array_mut().unwrap().push(first);
        assert_eq!(
            DcqlQuery::from_value(&twice),
            Err(QueryError::Repeated { member: "credentials" })
        );
        let claims = json!([{"id": "a", "path": ["x"]}, {"id": "a", "path": ["y"]}]);
        assert_eq!(
            changed("/credentials/0/claims", claims),
            Err(QueryError::Repeated { member: "claims" })
        );
    }

    #[test]
    fn sets_name_what_exists() {
        assert_eq!(
            changed("/credential_sets", json!([{"options": [["other"]]}])),
            Err(QueryError::Unknown { member: "options" })
        );
        assert_eq!(
            changed("/credentials/0/claim_sets", json!([["c"]])),
            Err(QueryError::Unknown { member: "claim_sets" })
        );
        let unnamed = json!([{"id": "a", "path": ["x"]}, {"path": ["y"]}]);
        let mut query = genuine();
        query["credentials"][0]["claims"] = unnamed;
        query["credentials"][0]["claim_sets"] = json!([["a"]]);
        assert_eq!(DcqlQuery::from_value(&query), Err(QueryError::MissingClaimId));
    }

    #[test]
    fn claim_sets_without_claims_are_refused() {
        let mut query = genuine();
        query["credentials"][0].as_object_mut().unwrap().remove("claims");
        assert_eq!(DcqlQuery::from_value(&query), Err(QueryError::ClaimSetsWithoutClaims));
    }

    #[test]
    fn values_are_scalars() {
        for bad in [json!(1.5), json!(null), json!({}), json!([])] {
            let claims = json!([{"id": "a", "path": ["x"], "values": [bad]}, {"id": "b", "path": ["y"]}]);
            assert_eq!(changed("/credentials/0/claims", claims), Err(QueryError::Value));
        }
    }

    #[test]
    fn mdoc_paths_have_two_keys() {
        let query = |path: Value| {
            DcqlQuery::from_value(&json!({"credentials": [{
                "id": "mdl", "format": "mso_mdoc", "meta": {"doctype_value": "org.iso.18013.5.1.mDL"},
                "claims": [{"path": path}]
            }]}))
        };
        assert!(query(json!(["org.iso.18013.5.1", "given_name"])).is_ok());
        assert_eq!(query(json!(["org.iso.18013.5.1"])), Err(QueryError::MdocPath));
        assert_eq!(query(json!(["org.iso.18013.5.1", 0])), Err(QueryError::MdocPath));
        assert_eq!(query(json!(["org.iso.18013.5.1", "a", "b"])), Err(QueryError::MdocPath));
    }

    #[test]
    fn too_much_is_refused() {
        let many: Vec<Value> = (0..=MAX_CREDENTIAL_QUERIES)
            .map(|n| json!({"id": format!("c{n}"), "format": "dc+sd-jwt", "meta": {}}))
            .collect();
        assert_eq!(
            DcqlQuery::from_value(&json!({"credentials": many})),
            Err(QueryError::TooMany {
                member: "credentials",
                limit: MAX_CREDENTIAL_QUERIES
            })
        );
        let text = format!(
            "{{\"credentials\":[],\"x\":\"{}\"}}",
            "x".repeat(QUERY_LIMITS.max_bytes)
        );
        assert!(matches!(DcqlQuery::parse(text.as_bytes()), Err(QueryError::Json(_))));
    }

    #[test]
    fn a_repeated_claim_is_seen() {
        let query = |path: &str| {
            DcqlQuery::from_value(&json!({"credentials": [{"id": "a", "format": "dc+sd-jwt", "meta": {},
                "claims": [{"path": ["x"]}, {"path": [path]}]}]}))
            .unwrap()
        };
        assert!(!query("y").repeats_a_claim());
        assert!(query("x").repeats_a_claim());
    }
}
