//! A person with two identity credentials and a licence, an issuer and a verifier.

mod card;
mod mdoc;
mod present;
mod receive;
mod w3c;

use credential::ClaimPath;
use credential::sd_jwt::Decoys;
use credential::sd_jwt_vc::NewCredential;
use keys::Algorithm;
use keys::Signer as _;
use keys::Timestamp;
use openid4vc::CredentialFormat;
use openid4vc::dcql::DcqlQuery;
use openid4vc::vci::configuration::CredentialMetadata;
use openid4vc::vp::AuthorizationRequest;
use openid4vc::vp::ClientId;
use openid4vc::vp::ReceivedRequest;
use openid4vc::vp::UnverifiedRequestObject;
use openid4vc::vp::request_object;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use signer::SoftwareKey;

use crate::Contexts;
use crate::CredentialRecord;

const NOW: Timestamp = Timestamp::from_unix(1_795_402_800);
const ISSUER: &str = "did:example:population";
const DAY: i64 = 86_400;

/// What an issuer signs for a wallet's key.
struct Issued {
    vct: &'static str,
    claims: Value,
    disclosable: Value,
    valid_from: Option<Timestamp>,
    valid_until: Option<Timestamp>,
}

struct Scene {
    issuer: SoftwareKey,
    holder: SoftwareKey,
    verifier: SoftwareKey,
}

impl Default for Issued {
    fn default() -> Self {
        Self {
            vct: "urn:pid",
            claims: json!({
                "family_name": "Doe",
                "age_over_18": true,
                "address": {"locality": "Riverside", "country": "XA"},
                "nationalities": ["XA", "XB"],
                "issuing_country": "XA",
            }),
            disclosable: json!([
                ["family_name"],
                ["age_over_18"],
                ["address", "locality"],
                ["address", "country"],
                ["nationalities", 0],
                ["nationalities", 1],
            ]),
            valid_from: None,
            valid_until: Some(NOW.plus(DAY)),
        }
    }
}

impl Scene {
    fn new() -> Self {
        let rng = &mut signer::os_rng();
        Self {
            issuer: SoftwareKey::generate(Algorithm::EdDsa, rng),
            holder: SoftwareKey::generate(Algorithm::Es256, rng),
            verifier: SoftwareKey::generate(Algorithm::EdDsa, rng),
        }
    }

    /// The text of a credential for the wallet's key.
    fn issue(&self, issued: Issued) -> String {
        self.issue_to(&self.holder, issued)
    }

    fn issue_to(&self, holder: &SoftwareKey, issued: Issued) -> String {
        let disclosable: Vec<ClaimPath> = serde_json::from_value(issued.disclosable).unwrap();
        let Value::Object(claims) = issued.claims else {
            panic!("claims are an object")
        };
        let credential = NewCredential {
            issuer: ISSUER,
            key_id: &format!("{ISSUER}#key-1"),
            vct: issued.vct,
            type_integrity: None,
            other_types: &[],
            holder: Some(&holder.public_key().to_jwk()),
            issued_at: NOW.minus(2 * DAY),
            valid_from: issued.valid_from,
            valid_until: issued.valid_until,
            status: None,
            claims: &claims,
            disclosable: &disclosable,
            decoys: Decoys::None,
        };
        let signing = credential.issue(Algorithm::EdDsa, &mut signer::os_rng()).unwrap();
        self.issuer.fulfil(signing).unwrap()
    }

    fn record(&self, id: &str, issued: Issued) -> CredentialRecord {
        CredentialRecord {
            id: id.to_owned(),
            format: CredentialFormat::SdJwtVc,
            text: self.issue(issued),
            issuer: ISSUER.to_owned(),
            issuer_key: self.issuer.public_key().to_jwk(),
            issuer_name: Some("Population Office".to_owned()),
            holder_key: format!("keys/{id}"),
            received_at: NOW,
            metadata: metadata(),
            contexts: Contexts::default(),
        }
    }

    /// A signed request for `claims` (DCQL paths) of an identity credential.
    fn ask(&self, claims: &Value) -> ReceivedRequest {
        self.ask_query(&json!({"credentials": [
            {"id": "pid", "format": "dc+sd-jwt", "meta": {"vct_values": ["urn:pid"]}, "claims": claims},
        ]}))
    }

    fn ask_query(&self, query: &Value) -> ReceivedRequest {
        let client_id = ClientId::for_did("did:example:verifier").unwrap();
        let query = DcqlQuery::from_value(query).unwrap();
        let request = AuthorizationRequest::for_file(client_id, query, &mut signer::os_rng()).unwrap();
        let signing = request_object::sign(
            &request,
            "did:example:verifier#key-1",
            Algorithm::EdDsa,
            NOW,
            NOW.plus(300),
        );
        let jwt = self.verifier.fulfil(signing.unwrap()).unwrap();
        let unverified = UnverifiedRequestObject::parse(&jwt, None).unwrap();
        unverified.verify(self.verifier.public_key(), None, NOW).unwrap()
    }
}

fn metadata() -> CredentialMetadata {
    serde_json::from_value(json!({
        "display": [{"name": "Ausweis", "locale": "de"}, {"name": "Person\u{1b}[2J identity", "locale": "en"}],
        "claims": [
            {"path": ["age_over_18"], "display": [{"name": "Volljährig", "locale": "de"}, {"name": "Adult", "locale": "en"}]},
            {"path": ["family_name"], "display": [{"name": "Family\u{202e} name"}]},
            {"path": ["address"], "display": [{"name": "Address", "locale": "en"}]},
            {"path": ["address", "locality"], "display": [{"name": "Town", "locale": "en"}]},
        ],
    }))
    .unwrap()
}

fn object(value: Value) -> Map<String, Value> {
    serde_json::from_value(value).unwrap()
}
