//! Issuers outside of every registry, by certificates and by issuer metadata that the verifier chose: what is accepted,
//! and each refusal by itself.

mod certificates;
mod file;
mod mdoc;
mod metadata;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keys::Algorithm;
use keys::PublicKey;
use keys::Signer as _;
use keys::Timestamp;
use keys::jws;
use keys::x509::Name;
use keys::x509::NewCertificate;
use keys::x509::Role;
use openid4vc::dcql::DcqlQuery;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use signer::SoftwareKey;
use trust::TrustedBundle;
use verifier::Refused;
use verifier::TrustAnchors;
use verifier::Verified;

use crate::answer::CLIENT_ID;
use crate::answer::NONCE;
use crate::answer::judge_by;
use crate::answer::policy;
use crate::answer::query;
use crate::nation::DAY;
use crate::nation::ISSUED;
use crate::nation::MINUTE;
use crate::nation::NOW;
use crate::nation::key;

const ISSUER: &str = "https://university.example/diplomas";
const DEGREE: &str = "urn:example:degree";
const AUTHORITY: Name<'_> = Name {
    country: "XA",
    common_name: "Authority",
};
const SIGNER: Name<'_> = Name {
    country: "XA",
    common_name: "University",
};

fn authority() -> SoftwareKey {
    key(Algorithm::Es256, 70)
}

/// The key of the issuer.
fn university() -> SoftwareKey {
    key(Algorithm::Es256, 71)
}

fn wallet() -> SoftwareKey {
    key(Algorithm::Es256, 50)
}

/// A certificate by the authority, of its own if `role` is that of one.
fn certificate(role: Role, subject: &PublicKey, change: impl for<'a> FnOnce(&mut NewCertificate<'a>)) -> Vec<u8> {
    certificate_by(&authority(), role, subject, change)
}

fn certificate_by(
    by: &SoftwareKey,
    role: Role,
    subject: &PublicKey,
    change: impl for<'a> FnOnce(&mut NewCertificate<'a>),
) -> Vec<u8> {
    let mut new = NewCertificate {
        subject: if role == Role::Iaca { AUTHORITY } else { SIGNER },
        key: subject,
        issuer: AUTHORITY,
        issuer_key: by.public_key(),
        role,
        valid_from: ISSUED.minus(DAY),
        valid_until: ISSUED.plus(100 * DAY),
        issuer_url: "https://authority.example",
        revocation_list_url: "https://authority.example/crl",
        subject_uri: Some(ISSUER),
    };
    change(&mut new);
    by.fulfil(new.issue(&mut signer::os_rng())).unwrap()
}

fn root() -> Vec<u8> {
    certificate(Role::Iaca, authority().public_key(), |_| {})
}

/// The certificate of the issuer.
fn leaf() -> Vec<u8> {
    certificate(Role::DocumentSigner, university().public_key(), |_| {})
}

fn anchors(anchors: &[Value]) -> TrustAnchors {
    let file = json!({"attestry": "trust-anchors/1", "anchors": anchors});
    TrustAnchors::default().with(file.to_string().as_bytes()).unwrap()
}

fn authority_anchor(certificate: &[u8], types: &[&str]) -> Value {
    json!({"certificate": STANDARD.encode(certificate), "types": types})
}

/// What a credential says; a test changes one thing.
struct New {
    header: Map<String, Value>,
    claims: Map<String, Value>,
    key: SoftwareKey,
}

fn new() -> New {
    let header = json!({"typ": "dc+sd-jwt"});
    let claims = json!({
        "iss": ISSUER, "vct": DEGREE, "iat": ISSUED.unix(), "exp": ISSUED.plus(10 * DAY).unix(),
        "cnf": {"jwk": wallet().public_key().to_jwk().to_value()}, "degree": "MSc",
    });
    New {
        header: header.as_object().unwrap().clone(),
        claims: claims.as_object().unwrap().clone(),
        key: university(),
    }
}

/// With these certificates.
fn certified(chain: &[Vec<u8>]) -> New {
    let chain: Vec<String> = chain.iter().map(|der| STANDARD.encode(der)).collect();
    new().header("x5c", json!(chain))
}

impl New {
    fn header(mut self, name: &str, value: Value) -> Self {
        self.header.insert(name.to_owned(), value);
        self
    }

    fn claim(mut self, name: &str, value: Value) -> Self {
        self.claims.insert(name.to_owned(), value);
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.claims.remove(name).unwrap();
        self
    }

    fn by(self, key: SoftwareKey) -> Self {
        Self { key, ..self }
    }

    /// As its holder presents it to this verifier.
    fn present(self) -> Value {
        let algorithm = self.key.public_key().algorithm();
        let payload = Value::Object(self.claims).to_string();
        let request = jws::sign(self.header, payload.as_bytes(), algorithm);
        let credential = format!("{}~", self.key.fulfil(request).unwrap());
        let header = Map::from_iter([("typ".to_owned(), json!("kb+jwt"))]);
        let payload = json!({
            "aud": CLIENT_ID, "nonce": NONCE, "iat": NOW.minus(MINUTE).unix(),
            "sd_hash": keys::base64url::encode(keys::sha256(credential.as_bytes())),
        });
        let request = jws::sign(header, payload.to_string().as_bytes(), Algorithm::Es256);
        Value::from(format!("{credential}{}", wallet().fulfil(request).unwrap()))
    }
}

fn degree() -> DcqlQuery {
    query("dc+sd-jwt", &json!({"vct_values": [DEGREE]}), &[&["degree"]])
}

fn judge_at(
    bundles: &[&TrustedBundle],
    anchors: &TrustAnchors,
    query: &DcqlQuery,
    presentation: Value,
    now: Timestamp,
) -> Result<Verified, Refused> {
    let policy = policy().with_trust_anchors(anchors);
    judge_by(bundles, query, presentation, &policy, now)
}

/// The verdict of a verifier that knows no registry.
fn judge(anchors: &TrustAnchors, presentation: Value) -> Result<Verified, Refused> {
    judge_at(&[], anchors, &degree(), presentation, NOW)
}
