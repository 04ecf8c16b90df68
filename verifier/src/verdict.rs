//! The verdict, its reasons and its form as JSON.

use credential::data_integrity::LdpVcError;
use credential::data_integrity::LdpVpError;
use credential::evidence::HolderError;
use credential::evidence::ReleaseError;
use credential::mdoc::MdocError;
use credential::sd_jwt::KeyBindingError;
use credential::sd_jwt_vc::SdJwtVcError;
use credential::sd_jwt_vc::issuer_metadata::IssuerMetadataError;
use credential::vc::SchemaError;
use credential::vc_jwt::VcJwtError;
use credential::vc_jwt::VpJwtError;
use keys::Timestamp;
use keys::x509::X509Error;
use openid4vc::CredentialFormat;
use openid4vc::dcql::AnswerError;
use openid4vc::vp::RequestError;
use openid4vc::vp::response::ResponseError;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use thiserror::Error;
use trust::bundle::RecognitionError;
use trust::state::AccreditationStatus;

use crate::Authority;
use crate::RequestOrigin;
use crate::Verified;
use crate::VerifiedCredential;

/// Claims of an SD-JWT VC that are not about the subject.
const SD_JWT_ENVELOPE: [&str; 9] = [
    "iss",
    "vct",
    "vct#integrity",
    "aka_vcts",
    "cnf",
    "iat",
    "nbf",
    "exp",
    "status",
];

/// In a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Everything was checked and holds.
    Valid,
    /// The bundle does not reach far enough to say: fetch a newer one.
    NotCovered,
    /// The bundle is older than the credential's type or the recognition of its registry allows: fetch a newer one.
    Stale,
    /// It does not hold.
    Refused,
}

/// An answer that is not accepted.
#[derive(Clone, Debug, Error)]
#[error("{}", first(.reasons))]
pub struct Refused {
    reasons: Vec<Reason>,
}

/// Why an answer is not accepted. No reason holds a claim.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum Reason {
    /// The issuer's accreditation does not count now.
    #[error("expected an active accreditation of {issuer}, found it {}", standing(.status))]
    AccreditationNotActive {
        /// The issuer.
        issuer: String,
        /// How it stands.
        status: AccreditationStatus,
    },
    /// What came is not what was asked for.
    #[error("the answer is not what was asked for")]
    Answer(#[source] AnswerError),
    /// The bundle itself says not to be used any more.
    #[error("the trust bundle expired at {expired}")]
    BundleExpired {
        /// When.
        expired: Timestamp,
    },
    /// The issuer's certificates do not lead to a trust anchor.
    #[error("the issuer's certificates are refused")]
    Certificates(#[from] X509Error),
    /// This machine's clock is behind.
    #[error("the clock says {now}, a trust bundle was witnessed at {bundle}; set the clock")]
    ClockBehind {
        /// This machine's time.
        now: Timestamp,
        /// That of the newest bundle, this one or one before.
        bundle: Timestamp,
    },
    /// The credential refers to a context that is not one of its types'.
    #[error("expected the contexts of the credential's types, found {url}")]
    Context {
        /// Its URL.
        url: String,
    },
    /// A registered context is no JSON, or two are registered under one URL: the registry's fault.
    #[error("the registered context {url} cannot be used")]
    ContextBroken {
        /// Its URL.
        url: String,
    },
    /// The bundle was made without the context's bytes.
    #[error("the trust bundle does not have the context {url}; fetch a whole bundle")]
    ContextNotCovered {
        /// Its URL.
        url: String,
    },
    /// A part is not of the form that it should have.
    #[error("expected {expected}, found another form")]
    Form {
        /// What should be there.
        expected: &'static str,
    },
    /// A format that this verifier does not read.
    #[error("expected a format that this verifier reads, found {found}")]
    Format {
        /// The format.
        found: CredentialFormat,
    },
    /// Whoever presented is not the credential's subject.
    #[error("the presenter is not the credential's subject")]
    Holder(#[from] HolderError),
    /// The holder's DID is not of a method that carries its key, and in no bundle.
    #[error("expected a presentation by a did:key, a did:jwk or a DID that the trust bundle knows, found another")]
    HolderKeyUnknown,
    /// The issuer's pinned metadata has no key for the credential.
    #[error("the issuer's key set is refused")]
    IssuerKeys(#[from] IssuerMetadataError),
    /// The issuer's DID is in no bundle, or its URL in no trust anchor.
    #[error("no trust bundle and no trust anchor knows the issuer {issuer}")]
    IssuerUnknown {
        /// Its DID or URL.
        issuer: String,
    },
    /// The holder's signature.
    #[error("the holder binding does not hold")]
    KeyBinding(#[from] KeyBindingError),
    /// The key was reported as lost.
    #[error("the key {method} was reported as compromised since {since}")]
    KeyCompromised {
        /// The verification method.
        method: String,
        /// Since when.
        since: Timestamp,
    },
    /// The DID document has no such key for this purpose.
    #[error("the DID document has no key {method} for this purpose")]
    KeyUnknown {
        /// The verification method.
        method: String,
    },
    /// The credential itself.
    #[error("the credential is refused")]
    LdpVc(#[from] LdpVcError),
    /// The presentation around the credential.
    #[error("the presentation is refused")]
    LdpVp(#[from] LdpVpError),
    /// The mdoc or its device signature.
    #[error("the mdoc is refused")]
    Mdoc(#[from] MdocError),
    /// The credential is newer than what the bundle knows.
    #[error("the credential is newer than the trust bundle of {bundle}; fetch a newer bundle")]
    NewerThanBundle {
        /// The bundle's time.
        bundle: Timestamp,
    },
    /// No bundle was given.
    #[error("expected a trust bundle or a trust anchor, found none")]
    NoBundle,
    /// The issuer has no accreditation for the type.
    #[error("{issuer} is not accredited to issue {schema}")]
    NotAccredited {
        /// The issuer.
        issuer: String,
        /// The schema's id.
        schema: String,
    },
    /// The registry that accredited the issuer is recognised, but not for this.
    #[error("the registry {origin} is not recognised for {what}")]
    NotRecognisedFor {
        /// Its origin.
        origin: String,
        /// A type, or `issuing`.
        what: String,
    },
    /// A presentation for something that was not asked.
    #[error("the answer has a presentation for {query_id:?}, which was not asked")]
    NotAsked {
        /// The name it came under.
        query_id: String,
    },
    /// The registry that knows the issuer is neither pinned nor recognised by a pinned one.
    #[error("the issuer's registry does not count here")]
    Recognition(#[from] RecognitionError),
    /// Our own mistake: evidence was incomplete.
    #[error("the evidence is not complete")]
    Release(#[from] ReleaseError),
    /// The request in the file.
    #[error("the request in the file is refused")]
    Request(#[from] RequestError),
    /// The request in the file is old.
    #[error("the request in the file is older than {limit} seconds")]
    RequestTooOld {
        /// How old it may be.
        limit: i64,
    },
    /// The response in the file.
    #[error("the response in the file is refused")]
    Response(#[from] ResponseError),
    /// Revoked by its issuer.
    #[error("the credential was revoked by its issuer, as committed at {committed}")]
    Revoked {
        /// When the status was committed.
        committed: Timestamp,
    },
    /// A schema that the credential names is not used.
    #[error("the schema {url} cannot be used")]
    Schema {
        /// Its URL.
        url: String,
        /// What is wrong with it.
        source: SchemaError,
    },
    /// The credential that has the schema.
    #[error("the credential that has the schema {url} is refused")]
    SchemaCredential {
        /// Its URL.
        url: String,
        /// Why.
        source: Box<Self>,
    },
    /// The credential is not as its schema says.
    #[error("the credential is not valid against the schema {url}")]
    SchemaFailure {
        /// Its URL.
        url: String,
    },
    /// Nobody can tell: another version of JSON Schema, another kind of schema, or one beyond the limits.
    #[error("the credential cannot be evaluated against the schema {url}")]
    SchemaIndeterminate {
        /// Its URL.
        url: String,
    },
    /// The schema is not in the bundle.
    #[error("the trust bundle does not have the schema {url}; fetch a whole bundle")]
    SchemaNotCovered {
        /// Its URL.
        url: String,
    },
    /// The credential itself.
    #[error("the credential is refused")]
    SdJwtVc(#[from] SdJwtVcError),
    /// Too old knowledge.
    #[error("what is known is of {as_of}, {age} s old, and at most {limit} s are allowed; fetch a newer bundle")]
    Stale {
        /// Seconds since then.
        age: i64,
        /// The limit of the type, or of the recognition.
        limit: i64,
        /// When it was true.
        as_of: Timestamp,
    },
    /// The committed list is broken.
    #[error("the status list {uri} is broken")]
    StatusBroken {
        /// The list.
        uri: String,
    },
    /// The type demands a status.
    #[error("expected a credential with a status, found none")]
    StatusMissing,
    /// The bundle has no such list of this issuer, or the place is beyond it.
    #[error("the trust bundle does not cover the status list {uri} of this issuer; fetch a newer bundle")]
    StatusNotCovered {
        /// The list.
        uri: String,
    },
    /// A status mechanism that we do not read.
    #[error("expected a status list, found the mechanism {name:?}")]
    StatusUnknownMechanism {
        /// Its name.
        name: String,
    },
    /// Suspended by its issuer.
    #[error("the credential is suspended by its issuer, as committed at {committed}")]
    Suspended {
        /// When the status was committed.
        committed: Timestamp,
    },
    /// The contexts give the credential's types no meaning.
    #[error("the credential's types have no meaning in its contexts")]
    TypeMeaning(#[from] jsonld::Error),
    /// The verifier does not trust this anchor with the type.
    #[error("the trust anchor {anchor} was not chosen for the type {type_name}")]
    TypeNotChosen {
        /// The anchor's name.
        anchor: String,
        /// The type.
        type_name: String,
    },
    /// The type is in no bundle.
    #[error("the trust bundle knows no credential type {type_name}")]
    TypeUnknown {
        /// The type.
        type_name: String,
    },
    /// The credential itself.
    #[error("the credential is refused")]
    VcJwt(#[from] VcJwtError),
    /// The presentation around the credential.
    #[error("the presentation is refused")]
    VpJwt(#[from] VpJwtError),
}

/// What a relying party should know although the verdict is valid.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// The issuer's right or key was withdrawn later; the logged rule lets older credentials count.
    IssuedBeforeRevocation {
        /// Since when it is withdrawn.
        since: Timestamp,
    },
    /// The request came with the presentation.
    RequestFromFile,
    /// Older knowledge than wanted, accepted by the type's policy with this risk.
    Risk {
        /// Seconds.
        age: i64,
        /// Expected revocations since then.
        revocations_per_million: Option<u64>,
    },
    /// Older knowledge than wanted, accepted by the type's policy.
    Stale {
        /// Seconds.
        age: i64,
        /// The type's limit.
        limit: i64,
    },
}

impl Verdict {
    /// The word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::NotCovered => "not_covered",
            Self::Stale => "stale",
            Self::Refused => "refused",
        }
    }
}

impl From<Reason> for Refused {
    fn from(reason: Reason) -> Self {
        Self::new(vec![reason])
    }
}

impl From<ResponseError> for Refused {
    fn from(error: ResponseError) -> Self {
        Self::new(vec![Reason::Response(error)])
    }
}

impl Refused {
    /// An answer with at least one reason.
    #[must_use]
    pub(crate) const fn new(reasons: Vec<Reason>) -> Self {
        Self { reasons }
    }

    /// The worst of the reasons decides.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.reasons
            .iter()
            .map(Reason::verdict)
            .max()
            .unwrap_or(Verdict::Refused)
    }

    /// Every reason that was found.
    #[must_use]
    pub fn reasons(&self) -> &[Reason] {
        &self.reasons
    }

    /// The verdict as JSON.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let reasons: Vec<String> = self.reasons.iter().map(|reason| chain(reason)).collect();
        json!({
            "verdict": self.verdict().as_str(),
            "reasons": reasons,
            "issuer": null,
            "as_of": null,
            "status": null,
            "holder_binding": "none",
            "warnings": [],
        })
    }
}

impl Reason {
    /// What it means for the verdict.
    #[must_use]
    pub const fn verdict(&self) -> Verdict {
        match self {
            Self::ContextNotCovered { .. }
            | Self::NewerThanBundle { .. }
            | Self::SchemaNotCovered { .. }
            | Self::StatusNotCovered { .. } => Verdict::NotCovered,
            Self::BundleExpired { .. } | Self::Stale { .. } => Verdict::Stale,
            Self::AccreditationNotActive { .. }
            | Self::Answer(_)
            | Self::Certificates(_)
            | Self::ClockBehind { .. }
            | Self::Context { .. }
            | Self::ContextBroken { .. }
            | Self::Form { .. }
            | Self::Format { .. }
            | Self::Holder(_)
            | Self::HolderKeyUnknown
            | Self::IssuerKeys(_)
            | Self::IssuerUnknown { .. }
            | Self::KeyBinding(_)
            | Self::KeyCompromised { .. }
            | Self::KeyUnknown { .. }
            | Self::LdpVc(_)
            | Self::LdpVp(_)
            | Self::Mdoc(_)
            | Self::NoBundle
            | Self::NotAccredited { .. }
            | Self::NotAsked { .. }
            | Self::NotRecognisedFor { .. }
            | Self::Recognition(_)
            | Self::Release(_)
            | Self::Request(_)
            | Self::RequestTooOld { .. }
            | Self::Response(_)
            | Self::Revoked { .. }
            | Self::Schema { .. }
            | Self::SchemaCredential { .. }
            | Self::SchemaFailure { .. }
            | Self::SchemaIndeterminate { .. }
            | Self::SdJwtVc(_)
            | Self::StatusBroken { .. }
            | Self::StatusMissing
            | Self::StatusUnknownMechanism { .. }
            | Self::Suspended { .. }
            | Self::TypeMeaning(_)
            | Self::TypeNotChosen { .. }
            | Self::TypeUnknown { .. }
            | Self::VcJwt(_)
            | Self::VpJwt(_) => Verdict::Refused,
        }
    }

    /// Whether an extract of a register gives this reason where it was not made for the credential.
    pub(crate) const fn may_be_left_out(&self) -> bool {
        matches!(
            self,
            Self::ContextNotCovered { .. }
                | Self::IssuerUnknown { .. }
                | Self::NotAccredited { .. }
                | Self::SchemaNotCovered { .. }
                | Self::StatusNotCovered { .. }
                | Self::TypeUnknown { .. }
        )
    }
}

impl Verified {
    /// The verdict as JSON, claims included. For one credential the members stand at the top; for several,
    /// those of the first, and all of them under `credentials`.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let all: Vec<Value> = self.credentials.iter().map(|one| self.credential_value(one)).collect();
        let mut verdict = all.first().and_then(Value::as_object).cloned().unwrap_or_default();
        verdict.insert("verdict".to_owned(), json!(Verdict::Valid.as_str()));
        verdict.insert("reasons".to_owned(), json!([]));
        verdict.insert(
            "warnings".to_owned(),
            self.warnings.iter().map(Warning::to_value).collect(),
        );
        if all.len() > 1 {
            verdict.insert("credentials".to_owned(), Value::Array(all));
        }
        Value::Object(verdict)
    }

    fn credential_value(&self, one: &VerifiedCredential) -> Value {
        let facts = one.facts();
        let status: Vec<Value> = one
            .status()
            .iter()
            .map(|status| json!({"value": "valid", "uri": status.uri, "index": status.index, "committed": status.committed.to_rfc3339()}))
            .collect();
        let holder_binding = match (one.holder_binding_proven(), self.origin) {
            (false, _) => "none",
            (true, RequestOrigin::Own) => "request",
            (true, RequestOrigin::File { .. }) => "request_from_file",
        };
        let (ground, name, as_of) = match one.authority() {
            Authority::Registry {
                accreditation, as_of, ..
            } => ("accreditation", accreditation, Some(as_of.to_rfc3339())),
            Authority::TrustAnchor { name } => ("trust_anchor", name, None),
        };
        let mut issuer = json!({"id": facts.issuer(), ground: name, "types": facts.types(), "key": facts.key_id()});
        let recognised = match one.authority() {
            Authority::Registry { recognised_by, .. } => recognised_by.as_deref(),
            Authority::TrustAnchor { .. } => None,
        };
        if let (Some(by), Some(issuer)) = (recognised, issuer.as_object_mut()) {
            issuer.insert("recognised_by".to_owned(), by.into());
        }
        json!({
            "query": one.query_id(),
            "issuer": issuer,
            "as_of": as_of,
            "status": status.first().cloned().unwrap_or_else(|| json!({"value": "unlisted"})),
            "holder_binding": holder_binding,
            "claims": subject_claims(one),
        })
    }
}

impl Warning {
    fn to_value(&self) -> Value {
        match self {
            Self::IssuedBeforeRevocation { since } => {
                json!({"kind": "issued_before_revocation", "since": since.to_rfc3339()})
            }
            Self::RequestFromFile => json!({"kind": "request_from_file"}),
            Self::Risk {
                age,
                revocations_per_million,
            } => {
                json!({"kind": "risk", "age_seconds": age, "revocations_per_million": revocations_per_million})
            }
            Self::Stale { age, limit } => json!({"kind": "stale", "age_seconds": age, "limit_seconds": limit}),
        }
    }
}

/// What a relying party asked for, without the technical envelope of the credential.
fn subject_claims(one: &VerifiedCredential) -> Map<String, Value> {
    match one.facts().format() {
        credential::CredentialFormat::DcSdJwt => without(one.claims(), &SD_JWT_ENVELOPE),
        credential::CredentialFormat::MsoMdoc => one.claims().clone(),
        credential::CredentialFormat::JwtVcJson
        | credential::CredentialFormat::LdpVc
        | credential::CredentialFormat::VcCose
        | credential::CredentialFormat::VcSdJwt => {
            match one.claims().get("credentialSubject") {
                // The subject's DID is the holder's key, as `cnf` is in an SD-JWT.
                Some(Value::Object(subject)) => without(subject, &["id"]),
                Some(several) => Map::from_iter([("credentialSubject".to_owned(), several.clone())]),
                None => Map::new(),
            }
        }
    }
}

fn without(claims: &Map<String, Value>, envelope: &[&str]) -> Map<String, Value> {
    claims
        .iter()
        .filter(|(name, _)| !envelope.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

fn first(reasons: &[Reason]) -> String {
    reasons
        .first()
        .map_or_else(|| "refused".to_owned(), |reason| chain(reason))
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

const fn standing(status: &AccreditationStatus) -> &'static str {
    match status {
        AccreditationStatus::Active => "active",
        AccreditationStatus::NotYetValid => "not yet valid",
        AccreditationStatus::Expired => "expired",
        AccreditationStatus::Suspended { .. } => "suspended",
        AccreditationStatus::Revoked { .. } => "revoked",
    }
}
