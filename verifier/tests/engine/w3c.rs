//! W3C credentials as JWTs and with Data Integrity proofs: the same tests for both, and those of one alone.

mod contexts;
mod holder;
mod issuer;
mod schemas;
mod selective;
mod status;

use credential::LdpVc;
use credential::Unverified;
use credential::VcJwt;
use credential::data_integrity;
use credential::data_integrity::Cryptosuite;
use credential::data_integrity::DocumentError;
use credential::data_integrity::LdpVcError;
use credential::data_integrity::LdpVpError;
use credential::data_integrity::ProofError;
use credential::data_integrity::ProofOptions;
use credential::evidence::HolderError;
use credential::status_list::Status;
use credential::status_list::StatusPurpose;
use credential::status_list::StatusReference;
use credential::vc_jwt;
use credential::vc_jwt::VcJwtError;
use credential::vc_jwt::VpJwtError;
use jsonld::ContextLoader;
use keys::Algorithm;
use keys::Signer as _;
use keys::Timestamp;
use keys::jws::JwsError;
use openid4vc::dcql::AnswerError;
use openid4vc::dcql::DcqlQuery;
use serde_json::Value;
use serde_json::json;
use signer::SoftwareKey;
use verifier::Reason;
use verifier::Refused;
use verifier::Verified;

use crate::answer::CLIENT_ID;
use crate::answer::MAX_AGE;
use crate::answer::NONCE;
use crate::answer::judge;
use crate::answer::not_covered;
use crate::answer::query_with;
use crate::answer::refused;
use crate::nation::Agency;
use crate::nation::DAY;
use crate::nation::GENESIS;
use crate::nation::IDENTITY;
use crate::nation::ISSUED;
use crate::nation::LICENCE;
use crate::nation::MINUTE;
use crate::nation::NOW;
use crate::nation::Nation;
use crate::nation::SNAPSHOT;
use crate::nation::VACCINATION;
use crate::nation::context;
use crate::nation::context_url;
use crate::nation::grant;
use crate::nation::key;
use crate::nation::type_iri;

const BASE: &str = "https://www.w3.org/ns/credentials/v2";
const BASE_TYPE: &str = "https://www.w3.org/2018/credentials#VerifiableCredential";
const INDEX: usize = 7;

/// How credentials are secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Jwt,
    Ldp(Cryptosuite),
}

const JWT: Kind = Kind::Jwt;
const RDFC: Kind = Kind::Ldp(Cryptosuite::EddsaRdfc2022);
const ALL: [Kind; 3] = [JWT, RDFC, Kind::Ldp(Cryptosuite::EddsaJcs2022)];

/// The key with a DID of its own.
struct Wallet {
    key: SoftwareKey,
    did: String,
    method: String,
}

impl Wallet {
    fn new(kind: Kind, number: u8) -> Self {
        let key = key(kind.holder_algorithm(), number);
        let did = did::methods::key::did(key.public_key());
        let method = did::methods::key::method_id(key.public_key());
        Self { key, did, method }
    }
}

impl Kind {
    const fn format(self) -> &'static str {
        match self {
            Self::Jwt => "jwt_vc_json",
            Self::Ldp(_) => "ldp_vc",
        }
    }

    const fn holder_algorithm(self) -> Algorithm {
        match self {
            Self::Jwt => Algorithm::Es256,
            Self::Ldp(_) => Algorithm::EdDsa,
        }
    }

    fn wallet(self) -> Wallet {
        Wallet::new(self, 50)
    }

    /// The agency's document for the usual wallet, at place [`INDEX`] of its list.
    fn document(self, agency: &Agency) -> Value {
        let status = StatusReference::bitstring(agency.bitstring_uri(), INDEX, StatusPurpose::Revocation);
        json!({
            "@context": [BASE, context_url(IDENTITY)],
            "type": ["VerifiableCredential", IDENTITY],
            "issuer": {"id": agency.did, "name": "Population Agency"},
            "validFrom": ISSUED.to_rfc3339(),
            "validUntil": ISSUED.plus(100 * DAY).to_rfc3339(),
            "credentialStatus": status.to_value(),
            "credentialSubject": {
                "id": self.wallet().did, "family_name": "Tan", "birthdate": "1990-02-28", "age_over_18": true,
            },
        })
    }

    fn issue(self, agency: &Agency, document: Value) -> String {
        self.issue_at(agency, document, Some(ISSUED))
    }

    fn issue_at(self, agency: &Agency, document: Value, at: Option<Timestamp>) -> String {
        self.issue_with(agency, document, at, &loader())
    }

    fn issue_with(self, agency: &Agency, document: Value, at: Option<Timestamp>, contexts: &ContextLoader) -> String {
        let Value::Object(mut document) = document else {
            panic!("an object")
        };
        match self {
            Self::Jwt => {
                document.extend(at.map(|at| ("iat".to_owned(), json!(at.unix()))));
                let request = vc_jwt::issue(&document, &agency.method("es256"), Algorithm::Es256);
                agency.es256.fulfil(request.unwrap()).unwrap()
            }
            Self::Ldp(cryptosuite) => {
                let options = ProofOptions {
                    cryptosuite,
                    algorithm: Algorithm::EdDsa,
                    verification_method: &agency.method("eddsa"),
                    created: at,
                    expires: None,
                };
                let request = data_integrity::issue(document, &options, contexts).unwrap();
                Value::Object(agency.eddsa.fulfil(request).unwrap()).to_string()
            }
        }
    }

    /// What the usual wallet presents a minute before [`NOW`].
    fn present(self, agency: &Agency, credentials: &[String]) -> Value {
        let sent = Sent {
            wallet: self.wallet(),
            ..Sent::new(self)
        };
        sent.present(agency, credentials)
    }

    fn query(self) -> DcqlQuery {
        self.query_with(|_| {})
    }

    fn query_with(self, change: impl FnOnce(&mut Value)) -> DcqlQuery {
        let meta = json!({"type_values": [[BASE_TYPE, type_iri(IDENTITY)]]});
        query_with(self.format(), &meta, &[&["credentialSubject", "age_over_18"]], change)
    }
}

/// What a wallet sends.
struct Sent {
    kind: Kind,
    wallet: Wallet,
    audience: &'static str,
    nonce: &'static str,
    at: Timestamp,
}

impl Sent {
    fn new(kind: Kind) -> Self {
        Self {
            kind,
            wallet: kind.wallet(),
            audience: CLIENT_ID,
            nonce: NONCE,
            at: NOW.minus(MINUTE),
        }
    }

    fn present(&self, agency: &Agency, credentials: &[String]) -> Value {
        match self.kind {
            Kind::Jwt => {
                let restore = |text: &String| {
                    let credential = Unverified::<VcJwt>::parse(text).unwrap();
                    credential.restore(agency.es256.public_key(), &agency.did).unwrap()
                };
                let held: Vec<_> = credentials.iter().map(restore).collect();
                let presentation = vc_jwt::Presentation {
                    holder: &self.wallet.did,
                    key_id: &self.wallet.method,
                    audience: self.audience,
                    nonce: self.nonce,
                    issued_at: self.at,
                };
                let algorithm = self.wallet.key.public_key().algorithm();
                let request = presentation.sign(&held.iter().collect::<Vec<_>>(), algorithm);
                Value::from(self.wallet.key.fulfil(request).unwrap())
            }
            Kind::Ldp(cryptosuite) => {
                let loader = loader();
                let restore = |text: &String| {
                    let credential = Unverified::<LdpVc>::parse(text).unwrap();
                    credential
                        .restore(agency.eddsa.public_key(), &agency.did, &loader)
                        .unwrap()
                };
                let held: Vec<_> = credentials.iter().map(restore).collect();
                let presentation = data_integrity::Presentation {
                    holder: &self.wallet.did,
                    verification_method: &self.wallet.method,
                    cryptosuite,
                    algorithm: Algorithm::EdDsa,
                    domain: self.audience,
                    challenge: self.nonce,
                    created: self.at,
                };
                let request = presentation.sign(&held.iter().collect::<Vec<_>>(), &loader).unwrap();
                Value::Object(self.wallet.key.fulfil(request).unwrap())
            }
        }
    }
}

/// A presentation of any JSON as a credential, properly signed by the usual wallet.
fn resigned(credential: &Value) -> Value {
    let wallet = RDFC.wallet();
    let (_, agency) = Nation::with_issuer();
    let template = RDFC.present(&agency, &[RDFC.issue(&agency, RDFC.document(&agency))]);
    let mut document = template.as_object().unwrap().clone();
    document.remove("proof");
    document.insert("verifiableCredential".to_owned(), json!([credential]));
    let mut configuration = template["proof"].as_object().unwrap().clone();
    configuration.remove("proofValue");
    configuration.remove("@context");
    configuration.insert("cryptosuite".to_owned(), json!("eddsa-jcs-2022"));
    let request = keys::data_integrity::jcs_sign(
        keys::data_integrity::JcsSuite::EddsaJcs2022,
        Algorithm::EdDsa,
        &document,
        configuration,
    )
    .unwrap();
    document.insert("proof".to_owned(), wallet.key.fulfil(request).unwrap());
    Value::Object(document)
}

/// The contexts of every sample type.
fn loader() -> ContextLoader {
    let mut loader = ContextLoader::bundled();
    for name in [IDENTITY, LICENCE, VACCINATION] {
        loader.register(&context_url(name), serde_json::from_str(context(name)).unwrap());
    }
    loader
}

fn genuine(kind: Kind, nation: &Nation, agency: &Agency) -> Result<Verified, Refused> {
    let credential = kind.issue(agency, kind.document(agency));
    judge(&nation.bundle(), &kind.query(), kind.present(agency, &[credential]))
}

/// The verdict on a credential whose document was changed before it was signed.
fn changed(kind: Kind, change: impl FnOnce(&Agency, &mut Value)) -> Result<Verified, Refused> {
    let (nation, agency) = Nation::with_issuer();
    let mut document = kind.document(&agency);
    change(&agency, &mut document);
    let credential = kind.issue(&agency, document);
    judge(&nation.bundle(), &kind.query(), kind.present(&agency, &[credential]))
}

/// The verdict on the genuine credential, sent in another way.
fn sent(kind: Kind, change: impl FnOnce(&mut Sent)) -> Result<Verified, Refused> {
    let (nation, agency) = Nation::with_issuer();
    let credential = kind.issue(&agency, kind.document(&agency));
    let mut sent = Sent::new(kind);
    change(&mut sent);
    judge(&nation.bundle(), &kind.query(), sent.present(&agency, &[credential]))
}

#[test]
fn genuine_presentation_is_valid_and_shows_the_subject() {
    for kind in ALL {
        let (nation, agency) = Nation::with_issuer();
        let verified = genuine(kind, &nation, &agency).unwrap();
        let fragment = if kind == JWT { "es256" } else { "eddsa" };
        let expected = json!({
            "verdict": "valid",
            "reasons": [],
            "query": "it",
            "issuer": {
                "id": agency.did,
                "accreditation": "population-issues-identity",
                "types": [IDENTITY],
                "key": agency.method(fragment),
            },
            "as_of": SNAPSHOT.to_rfc3339(),
            "status": {
                "value": "valid", "uri": agency.bitstring_uri(), "index": INDEX, "committed": GENESIS.to_rfc3339()
            },
            "holder_binding": "request",
            "warnings": [],
            "claims": {"family_name": "Tan", "birthdate": "1990-02-28", "age_over_18": true},
        });
        assert_eq!(verified.to_value(), expected, "{kind:?}");
    }
}

#[test]
fn holder_with_a_did_jwk_is_accepted() {
    for kind in ALL {
        let (nation, agency) = Nation::with_issuer();
        let wallet = kind.wallet();
        let did = did::methods::jwk::did(wallet.key.public_key());
        let sent = Sent {
            wallet: Wallet {
                method: format!("{did}#0"),
                did: did.clone(),
                ..wallet
            },
            ..Sent::new(kind)
        };
        let mut document = kind.document(&agency);
        document["credentialSubject"]["id"] = json!(did);
        let credential = kind.issue(&agency, document);
        let result = judge(&nation.bundle(), &kind.query(), sent.present(&agency, &[credential]));
        assert!(result.is_ok(), "{kind:?} {result:?}");
    }
}

#[test]
fn agency_that_a_bundle_knows_presents_with_its_own_did() {
    for kind in ALL {
        let (mut nation, agency) = Nation::before_snapshot(|_| {});
        let holder = nation.admit("transport", 30);
        nation.commit(&agency, &[]);
        nation.snapshot(SNAPSHOT);
        let mut document = kind.document(&agency);
        document["credentialSubject"]["id"] = json!(holder.did);
        let (fragment, key) = match kind {
            Kind::Jwt => ("es256", holder.es256),
            Kind::Ldp(_) => ("eddsa", holder.eddsa),
        };
        let wallet = Wallet {
            method: format!("{}#{fragment}", holder.did),
            did: holder.did,
            key,
        };
        let sent = Sent {
            wallet,
            ..Sent::new(kind)
        };
        let credential = kind.issue(&agency, document);
        let result = judge(&nation.bundle(), &kind.query(), sent.present(&agency, &[credential]));
        assert!(result.is_ok(), "{kind:?} {result:?}");
    }
}

// The query.

#[test]
fn types_are_asked_for_by_their_iris() {
    for kind in ALL {
        let (nation, agency) = Nation::with_issuer();
        let credential = kind.issue(&agency, kind.document(&agency));
        for (types, fits) in [
            (json!([[type_iri(IDENTITY)]]), true),
            (json!([[type_iri(LICENCE)], [BASE_TYPE]]), true),
            (json!([[type_iri(IDENTITY), type_iri(LICENCE)]]), false),
            (json!([[IDENTITY]]), false),
            (json!([["VerifiableCredential"]]), false),
        ] {
            let query = kind.query_with(|one| one["meta"]["type_values"] = types.clone());
            let result = judge(
                &nation.bundle(),
                &query,
                kind.present(&agency, std::slice::from_ref(&credential)),
            );
            if fits {
                assert!(result.is_ok(), "{kind:?} {types}");
            } else {
                assert!(
                    matches!(refused(result), Reason::Answer(AnswerError::Type { .. })),
                    "{kind:?} {types}"
                );
            }
        }
    }
}

#[test]
fn one_presentation_has_one_credential_unless_several_may_come() {
    for kind in ALL {
        let (nation, agency) = Nation::with_issuer();
        let credential = kind.issue(&agency, kind.document(&agency));
        let several = kind.query_with(|one| one["multiple"] = json!(true));
        for (count, fits_one, fits_several) in [(0, false, false), (1, true, true), (2, false, true)] {
            if kind == RDFC && count == 0 {
                // An empty list makes no statement, so that no wallet can sign it.
                continue;
            }
            let presentation = kind.present(&agency, &vec![credential.clone(); count]);
            for (query, fits) in [(&kind.query(), fits_one), (&several, fits_several)] {
                let result = judge(&nation.bundle(), query, presentation.clone());
                if fits {
                    let verified = result.unwrap();
                    assert_eq!(verified.credentials().len(), count, "{kind:?}");
                    let listed = verified.to_value()["credentials"].as_array().map_or(1, Vec::len);
                    assert_eq!(listed, count);
                } else {
                    assert!(matches!(refused(result), Reason::Form { .. }), "{kind:?} {count}");
                }
            }
        }
    }
}

#[test]
fn without_holder_binding_the_bare_credential_comes_and_nothing_else() {
    for kind in ALL {
        let (nation, agency) = Nation::with_issuer();
        let waived = kind.query_with(|one| one["require_cryptographic_holder_binding"] = json!(false));
        let text = kind.issue(&agency, kind.document(&agency));
        let bare = match kind {
            Kind::Jwt => Value::from(text.clone()),
            Kind::Ldp(_) => serde_json::from_str(&text).unwrap(),
        };
        let verified = judge(&nation.bundle(), &waived, bare.clone()).unwrap();
        assert_eq!(verified.to_value()["holder_binding"], "none");
        assert!(judge(&nation.bundle(), &kind.query(), bare).is_err(), "{kind:?}");
        let bound = kind.present(&agency, &[text]);
        assert!(judge(&nation.bundle(), &waived, bound).is_err(), "{kind:?}");
    }
}

#[test]
fn presentation_of_another_format_is_refused() {
    let (nation, agency) = Nation::with_issuer();
    let jwt = JWT.present(&agency, &[JWT.issue(&agency, JWT.document(&agency))]);
    let ldp = RDFC.present(&agency, &[RDFC.issue(&agency, RDFC.document(&agency))]);
    for (query, presentation) in [(RDFC.query(), jwt), (JWT.query(), ldp)] {
        let result = judge(&nation.bundle(), &query, presentation);
        assert!(matches!(refused(result), Reason::Form { .. }));
    }
}
