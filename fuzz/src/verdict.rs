//! Any answer to one question, with a genuine bundle. Only the genuine presentation is valid.

use std::sync::LazyLock;

use credential::ClaimPath;
use credential::SdJwtVc;
use credential::Unverified;
use credential::sd_jwt::Decoys;
use credential::sd_jwt_vc::NewCredential;
use credential::status_list::StatusReference;
use holder::Contexts;
use holder::CredentialRecord;
use json_schema::Evaluator;
use keys::Algorithm;
use keys::PublicKey;
use keys::json;
use openid4vc::CredentialFormat;
use openid4vc::dcql::DcqlQuery;
use openid4vc::vci::CredentialConfiguration;
use openid4vc::vci::configuration::CredentialMetadata;
use openid4vc::vci::configuration::FormatProfile;
use openid4vc::vp::VpToken;
use serde_json::Value;
use serde_json::json;
use trust::TrustedBundle;
use trust::bundle::Limits;
use verifier::Delivered;
use verifier::Policy;
use verifier::Question;
use verifier::RequestOrigin;
use verifier::TrustAnchors;

use crate::dcql::VCT;
use crate::holder;
use crate::nation::Agency;
use crate::nation::GENESIS;
use crate::nation::Nation;
use crate::nation::list_uri;

const CLIENT_ID: &str = "decentralized_identifier:did:example:verifier";

/// A credential of the small registry's issuer, and a presentation of it.
pub(crate) struct Answer {
    pub(crate) record: CredentialRecord,
    pub(crate) configuration: CredentialConfiguration,
    pub(crate) issuer_key: PublicKey,
    pub(crate) presentation: String,
    bundle: TrustedBundle,
    query: DcqlQuery,
}

pub(crate) static ANSWER: LazyLock<Answer> = LazyLock::new(|| {
    let (nation, agency) = Nation::with_issuer();
    let issuer_key = keys::Signer::public_key(&agency.key).clone();
    let text = issue(&agency);
    let held = Unverified::<SdJwtVc>::parse(&text).expect("an SD-JWT");
    let held = held.restore(&issuer_key, &agency.did).expect("our own");
    let age: Vec<ClaimPath> = serde_json::from_value(json!([["age_over_18"]])).expect("a path");
    let request = held.present(&age).expect("its own path");
    let request = request.bind(CLIENT_ID, "n-1", GENESIS.plus(60)).expect("a key");
    let profile = FormatProfile::SdJwtVc { vct: VCT.to_owned() };
    Answer {
        record: CredentialRecord {
            id: "1".to_owned(),
            format: CredentialFormat::SdJwtVc,
            text,
            issuer: agency.did.clone(),
            issuer_key: issuer_key.to_jwk(),
            issuer_name: None,
            holder_key: "1".to_owned(),
            received_at: GENESIS,
            metadata: CredentialMetadata::default(),
            contexts: Contexts::default(),
        },
        configuration: CredentialConfiguration::keyed(
            profile,
            None,
            vec!["EdDSA".into()],
            vec!["jwk".to_owned()],
            &[Algorithm::EdDsa],
            CredentialMetadata::default(),
        )
        .expect("a configuration"),
        issuer_key,
        presentation: holder().sign(request),
        bundle: TrustedBundle::load(&nation.bundle(), nation.state.anchor(), Limits::default()).expect("our own"),
        query: DcqlQuery::parse(crate::seeds::QUERY.as_bytes()).expect("our own query"),
    }
});

fn issue(agency: &Agency) -> String {
    let Value::Object(claims) = json!({"given_name": "Aroha", "age_over_18": true, "nationalities": ["NZ", "WS"]})
    else {
        return String::new();
    };
    let disclosable = json!([["given_name"], ["age_over_18"], ["nationalities", null]]);
    let disclosable: Vec<ClaimPath> = serde_json::from_value(disclosable).expect("paths");
    let credential = NewCredential {
        issuer: &agency.did,
        key_id: &agency.method(),
        vct: VCT,
        type_integrity: None,
        other_types: &[],
        holder: Some(&holder().public().to_jwk()),
        issued_at: GENESIS,
        valid_from: None,
        valid_until: None,
        status: Some(&StatusReference::token_status_list(list_uri(agency), 3)),
        claims: &claims,
        disclosable: &disclosable,
        decoys: Decoys::None,
    };
    let mut salts = Salts(1);
    let request = credential.issue(Algorithm::EdDsa, &mut salts).expect("a credential");
    agency.key.fulfil(request).expect("the issuer's key")
}

/// The input as `vp_token`, and as the presentation in it; and as the verifier's own file of trust anchors.
pub fn fuzz(data: &[u8]) {
    let _ = TrustAnchors::default().with(data);
    if let Ok(value) = json::parse(data, json::DEFAULT_LIMITS) {
        judge(value);
    }
    if let Some(text) = crate::text(data) {
        judge(json!({"identity": [text]}));
        let _ = verifier::accept_request(text, &[&ANSWER.bundle], 600, GENESIS.plus(60));
    }
}

fn judge(vp_token: Value) {
    let Ok(token) = VpToken::from_value(vp_token.clone(), &ANSWER.query) else {
        return;
    };
    let question = Question {
        delivered: Delivered::Posted {
            response_uri: "https://verifier.example/responses/1",
            encryption_key: None,
        },
        client_id: CLIENT_ID,
        nonce: "n-1",
        query: &ANSWER.query,
        origin: RequestOrigin::Own,
    };
    let now = ANSWER.bundle.as_of().plus(60);
    let policy = Policy::new(7_200, &Evaluator);
    match verifier::verify(&token, &question, &[&ANSWER.bundle], &policy, now) {
        Ok(verified) => {
            assert_eq!(vp_token, json!({"identity": [ANSWER.presentation]}));
            let _ = verified.to_value();
        }
        Err(refused) => {
            assert_ne!(vp_token, json!({"identity": [ANSWER.presentation]}), "{refused:?}");
            let _ = refused.to_value();
        }
    }
}

/// Salts that are the same at every start, so that findings can be repeated. For no other use.
pub(crate) struct Salts(pub(crate) u8);

impl rand_core::TryRng for Salts {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        bytes.fill(self.0);
        self.0 += 1;
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Salts {}
