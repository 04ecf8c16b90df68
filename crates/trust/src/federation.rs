//! [OpenID Federation 1.0](https://openid.net/specs/openid-federation-1_0.html) around the registry's projection of that
//! name: its statements one by one, an agency's own Entity Configuration, and the Trust Chain of one step between them.
//!
//! The registry is the Trust Anchor and has no Intermediates, so a chain has three statements: the subject's Entity
//! Configuration, the registry's Subordinate Statement about it, and the registry's Entity Configuration. The keys that
//! count for the first are those of the second, which are the ones of the subject's DID document.
//!
//! Out of scope: fetching and serving (`registry/`, `issuer/`), Trust Marks, metadata policies (the registry has none), and
//! federations of others.

mod configuration;

use std::collections::BTreeMap;

use keys::Algorithm;
use keys::PublicKey;
use keys::SigningRequest;
use keys::Timestamp;
use keys::json;
use keys::json::JsonError;
use keys::jws;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

pub use configuration::ConfigurationError;
pub use configuration::MAX_CONFIGURATION_BYTES;
pub use configuration::Resolved;

/// `typ` of an [Entity Statement](https://openid.net/specs/openid-federation-1_0.html#entity-statement); its media
/// type with `application/` before it.
pub const ENTITY_STATEMENT: &str = "entity-statement+jwt";
/// `typ` of a [resolve response](https://openid.net/specs/openid-federation-1_0.html#resolve-response).
pub const RESOLVE_RESPONSE: &str = "resolve-response+jwt";
/// Where an Entity Configuration is, after the
/// [entity identifier](https://openid.net/specs/openid-federation-1_0.html#federation_configuration).
pub const CONFIGURATION_PATH: &str = "/.well-known/openid-federation";

/// A configuration is signed when it is asked for; whoever keeps it asks again within a day.
const LEAF_LIFETIME: i64 = 86_400;

/// What the registry signs as Trust Anchor: the projection
/// [`openid-federation`](crate::projection::Projections::FEDERATION), read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Federation {
    anchor: Map<String, Value>,
    subordinates: BTreeMap<String, Subordinate>,
}

/// The claims of one Subordinate Statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subordinate(Map<String, Value>);

/// What an agency says of itself under the registry.
#[derive(Debug)]
pub struct Leaf<'a> {
    /// Its entity identifier.
    pub entity: &'a str,
    /// The registry's.
    pub superior: &'a str,
    /// The DID URL of its key.
    pub key_id: &'a str,
    /// Its key.
    pub key: &'a PublicKey,
    /// By Entity Type.
    pub metadata: Map<String, Value>,
    /// The time.
    pub issued_at: Timestamp,
}

/// A request for a JWT of this `typ` over `claims`.
pub fn sign(typ: &str, key_id: &str, claims: &Map<String, Value>, algorithm: Algorithm) -> SigningRequest<String> {
    let header = [("typ", typ), ("kid", key_id)];
    let header = header.into_iter().map(|(name, value)| (name.to_owned(), value.into()));
    jws::sign(header.collect(), json::to_text(claims).as_bytes(), algorithm)
}

impl Federation {
    /// Reads the content of the projection.
    ///
    /// # Errors
    /// [`JsonError`]: these bytes are another's.
    pub fn parse(content: &[u8]) -> Result<Self, JsonError> {
        let shape = || JsonError::Shape {
            expected: "an object with `trust_anchor` and `subordinate_statements`",
        };
        // As long as the list of agencies.
        let limits = json::Limits {
            max_bytes: content.len(),
            ..json::DEFAULT_LIMITS
        };
        let mut members = json::parse_object(content, limits)?;
        let (Some(Value::Object(anchor)), Some(Value::Array(statements))) =
            (members.remove("trust_anchor"), members.remove("subordinate_statements"))
        else {
            return Err(shape());
        };
        let mut subordinates = BTreeMap::new();
        for statement in statements {
            let (Some(subject), Value::Object(claims)) = (text(&statement, "sub"), statement) else {
                return Err(shape());
            };
            subordinates.insert(subject, Subordinate(claims));
        }
        Ok(Self { anchor, subordinates })
    }

    /// The claims of the registry's Entity Configuration.
    #[must_use]
    pub const fn anchor(&self) -> &Map<String, Value> {
        &self.anchor
    }

    /// What it says of the entity with this identifier.
    #[must_use]
    pub fn subordinate(&self, identifier: &str) -> Option<&Subordinate> {
        self.subordinates.get(identifier)
    }

    /// The identifiers of [Immediate Subordinates](https://openid.net/specs/openid-federation-1_0.html#entity_listing)
    /// that may have one of these Entity Types; of all, where none is asked for.
    pub fn list<'f>(&'f self, entity_types: &'f [String]) -> impl Iterator<Item = &'f str> {
        let asked = |statement: &Subordinate| {
            entity_types.is_empty() || entity_types.iter().any(|entity_type| statement.allows(entity_type))
        };
        let found = self.subordinates.iter().filter(move |(_, statement)| asked(statement));
        found.map(|(identifier, _)| identifier.as_str())
    }
}

impl Subordinate {
    /// The claims.
    #[must_use]
    pub const fn claims(&self) -> &Map<String, Value> {
        &self.0
    }

    /// Whether its subject may have this Entity Type
    /// ([Entity Type Constraints](https://openid.net/specs/openid-federation-1_0.html#entity_type_constraints)).
    #[must_use]
    pub fn allows(&self, entity_type: &str) -> bool {
        let allowed = self
            .0
            .get("constraints")
            .and_then(|constraints| constraints.get("allowed_entity_types"));
        let allowed = allowed.and_then(Value::as_array).map(Vec::as_slice);
        entity_type == "federation_entity" || allowed.unwrap_or_default().iter().any(|allowed| allowed == entity_type)
    }
}

impl Leaf<'_> {
    /// A request for the [Entity Configuration](https://openid.net/specs/openid-federation-1_0.html#ec-specific):
    /// a JWT.
    pub fn sign(&self) -> SigningRequest<String> {
        let algorithm = self.key.algorithm();
        let claims = Map::from_iter([
            ("iss".to_owned(), self.entity.into()),
            ("sub".to_owned(), self.entity.into()),
            ("iat".to_owned(), self.issued_at.unix().into()),
            ("exp".to_owned(), self.issued_at.plus(LEAF_LIFETIME).unix().into()),
            ("jwks".to_owned(), json!({"keys": [jwk(self.key, self.key_id)]})),
            ("authority_hints".to_owned(), json!([self.superior])),
            ("metadata".to_owned(), self.metadata.clone().into()),
        ]);
        sign(ENTITY_STATEMENT, self.key_id, &claims, algorithm)
    }
}

/// A key for signatures under this id.
pub(crate) fn jwk(key: &PublicKey, id: &str) -> Value {
    let mut jwk = key.to_jwk();
    jwk.kid = Some(id.to_owned());
    jwk.alg = Some(key.algorithm().jose_name().to_owned());
    jwk.use_ = Some("sig".to_owned());
    jwk.to_value()
}

fn text(object: &Value, name: &str) -> Option<String> {
    object.get(name).and_then(Value::as_str).map(str::to_owned)
}
