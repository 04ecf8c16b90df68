//! A registry whose issuer signs with P-256, the bundle of its state, and a verifier with a question.

use credential::status_list::StatusReference;
use did::webvh;
use json_schema::Evaluator;
use keys::Algorithm;
use keys::Signer as _;
use keys::Timestamp;
use openid4vc::dcql::DcqlQuery;
use openid4vc::vp::VpToken;
use serde_json::json;
use trust::Anchor;
use trust::TrustedBundle;
use trust::bundle::Limits;
use trust::entry::Action;
use verifier::Delivered;
use verifier::Policy;
use verifier::Question;
use verifier::RequestOrigin;

use crate::VERIFIER;
use crate::key;
use crate::nation::Agency;
use crate::nation::GENESIS;
use crate::nation::HOUR;
use crate::nation::IDENTITY;
use crate::nation::Nation;
use crate::nation::grant;
use crate::nation::list_uri;
use crate::sd_jwt_vc::Presented;
use crate::sd_jwt_vc::VCT;

/// A bundle and an answer to be judged with it.
pub struct Verdict {
    bundle: TrustedBundle,
    answer: VpToken,
    query: DcqlQuery,
    presented: Presented,
    now: Timestamp,
}

/// The bytes of a bundle, and what it is loaded against.
pub struct Packed {
    /// The bundle.
    pub bytes: Vec<u8>,
    anchor: Anchor,
}

impl Verdict {
    /// A presentation of the first `disclosed` claims; the query asks for `given_name`.
    pub fn new(disclosed: usize) -> Self {
        let (nation, agency) = nation(0);
        let now = nation.state.time().plus(60);
        let status = StatusReference::token_status_list(list_uri(&agency), 3);
        let presented = Presented::of_issuer(&agency.did, key(Algorithm::Es256, 3), &status, now, disclosed);
        let query = json!({"credentials": [{"id": "identity", "format": "dc+sd-jwt", "meta": {"vct_values": [VCT]},
            "claims": [{"path": ["age_over_18"]}]}]});
        let query = DcqlQuery::from_value(&query).expect("a query");
        Self {
            bundle: Packed::of(&nation).load(),
            answer: VpToken::from_value(json!({"identity": [presented.text]}), &query).expect("an answer"),
            query,
            presented,
            now,
        }
    }

    /// From the answer to the verdict.
    pub fn verify(&self) {
        let question = Question {
            client_id: VERIFIER,
            nonce: "n-1",
            query: &self.query,
            origin: RequestOrigin::Own,
            delivered: Delivered::Posted {
                response_uri: "https://verifier.example/responses/1",
                encryption_key: None,
            },
        };
        let policy = Policy::new(300, &Evaluator);
        let verified = verifier::verify(&self.answer, &question, &[&self.bundle], &policy, self.now);
        assert_eq!(verified.expect("a genuine answer").credentials().len(), 1);
    }

    /// The two signatures alone.
    pub fn raw(&self) {
        self.presented.raw();
    }
}

impl Packed {
    /// The bundle of a registry with this many agencies, each with a DID, an accreditation and a status list.
    pub fn new(agencies: u8) -> Self {
        Self::of(&nation(agencies).0)
    }

    fn of(nation: &Nation) -> Self {
        Self {
            bytes: nation.bundle(),
            anchor: nation.state.anchor().clone(),
        }
    }

    /// Verifies and loads it.
    pub fn load(&self) -> TrustedBundle {
        TrustedBundle::load(&self.bytes, &self.anchor, Limits::default()).expect("our own bundle")
    }
}

/// The registry, with an issuer that signs credentials with P-256, and further agencies.
fn nation(others: u8) -> (Nation, Agency) {
    let mut nation = Nation::new();
    nation.publish(IDENTITY);
    let agency = issuer();
    admit(&mut nation, "accreditation-issuer", &agency);
    for number in 0..others {
        let other = Agency::new(&format!("agency-{number}"), number);
        admit(&mut nation, &format!("accreditation-{number}"), &other);
    }
    nation.snapshot(GENESIS.plus(HOUR));
    (nation, agency)
}

fn admit(nation: &mut Nation, accreditation: &str, agency: &Agency) {
    nation
        .log_lines(&agency.did, vec![agency.first_line.clone()])
        .expect("a log line");
    nation
        .grant(accreditation, grant(&agency.did, Action::Issue, &[IDENTITY]))
        .expect("an accreditation");
    nation.commit(agency, 1, &[1, 5, 900]).expect("a status list");
}

/// As [`Agency::new`], with a second key for credentials.
fn issuer() -> Agency {
    let (update, credentials) = (key(Algorithm::EdDsa, 20), key(Algorithm::Es256, 3));
    let did = "did:webvh:{SCID}:population.attestry.example";
    let mut parameters = webvh::ParameterChanges::default();
    parameters.update_keys = Some(vec![update.public_key().to_multikey()]);
    let method = |fragment: &str, multikey: String| json!({"id": format!("{did}#{fragment}"), "type": "Multikey", "controller": did, "publicKeyMultibase": multikey});
    let creation = webvh::create(webvh::NewLog {
        document: json!({
            "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
            "id": did,
            "verificationMethod": [
                method("key", update.public_key().to_multikey()),
                method("p256", credentials.public_key().to_multikey()),
            ],
            "assertionMethod": [format!("{did}#key"), format!("{did}#p256")],
        }),
        parameters,
        time: GENESIS,
        signer: update.public_key(),
    });
    let creation = creation.expect("a DID");
    let did = creation.did.to_string();
    let first_line = update.fulfil(creation.line).expect("the update key").into_bytes();
    Agency {
        did,
        key: update,
        first_line,
    }
}
