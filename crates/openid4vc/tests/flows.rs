//! Both protocols from end to end between an issuer, a wallet and a verifier, through the public API alone
//! and with every record going through its stored form. HTTP is what lies between the lines.

#![cfg(test)]

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use keys::Algorithm;
use keys::Signer as _;
use keys::Timestamp;
use openid4vc::dcql;
use openid4vc::dcql::DcqlQuery;
use openid4vc::dcql::HeldCredential;
use openid4vc::dcql::Presented;
use openid4vc::dcql::Selection;
use openid4vc::format::CredentialFormat;
use openid4vc::oauth::AuthorizationServerMetadata;
use openid4vc::oauth::BearerToken;
use openid4vc::oauth::server_metadata::PRE_AUTHORIZED_CODE_GRANT;
use openid4vc::url::SecureUrl;
use openid4vc::vci::AccessTokenRecord;
use openid4vc::vci::CredentialOffer;
use openid4vc::vci::CredentialRequest;
use openid4vc::vci::CredentialResponse;
use openid4vc::vci::IssuerMetadata;
use openid4vc::vci::NonceKey;
use openid4vc::vci::PreAuthorizedGrant;
use openid4vc::vci::TokenRequest;
use openid4vc::vci::TokenResponse;
use openid4vc::vci::credential;
use openid4vc::vci::credential::IssuedCredential;
use openid4vc::vci::grant::OfferTerms;
use openid4vc::vci::grant::TokenPolicy;
use openid4vc::vci::nonce::NonceResponse;
use openid4vc::vci::notification::NotificationEvent;
use openid4vc::vci::notification::NotificationRecord;
use openid4vc::vci::notification::NotificationRequest;
use openid4vc::vci::offer::OfferUri;
use openid4vc::vci::offer::TransactionCode;
use openid4vc::vci::proof;
use openid4vc::vci::proof::ProofKey;
use openid4vc::vci::proof::UnverifiedProofs;
use openid4vc::vp::ClientId;
use openid4vc::vp::Invocation;
use openid4vc::vp::Session;
use openid4vc::vp::VpToken;
use openid4vc::vp::invocation::RequestReference;
use openid4vc::vp::invocation::RequestUriMethod;
use openid4vc::vp::invocation::RequestUriPost;
use openid4vc::vp::request_object;
use openid4vc::vp::response::AuthorizationResponse;
use openid4vc::vp::response::Outgoing;
use openid4vc::vp::session::Outcome;
use openid4vc::vp::session::SessionTerms;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use signer::SoftwareKey;

fn now() -> Timestamp {
    Timestamp::from_unix(1_795_402_800)
}

fn url(text: &str) -> SecureUrl {
    SecureUrl::parse(text).unwrap()
}

/// What a store gives back.
fn stored<T: Serialize + DeserializeOwned>(record: &T) -> T {
    serde_json::from_slice(&serde_json::to_vec(record).unwrap()).unwrap()
}

fn issuer_documents(issuer: &SecureUrl) -> (String, String) {
    let metadata = json!({
        "credential_issuer": issuer,
        "credential_endpoint": format!("{issuer}/credential"),
        "nonce_endpoint": format!("{issuer}/nonce"),
        "notification_endpoint": format!("{issuer}/notification"),
        "batch_credential_issuance": {"batch_size": 4},
        "credential_configurations_supported": {"PersonIdentity": {
            "format": "dc+sd-jwt", "vct": "urn:pid",
            "credential_signing_alg_values_supported": ["ES256"],
            "cryptographic_binding_methods_supported": ["jwk"],
            "proof_types_supported": {"jwt": {"proof_signing_alg_values_supported": ["ES256", "EdDSA"]}}
        }}
    });
    let server = AuthorizationServerMetadata::pre_authorized(issuer.clone(), url(&format!("{issuer}/token")));
    (metadata.to_string(), serde_json::to_string(&server).unwrap())
}

#[test]
fn a_wallet_obtains_two_credentials_with_a_transaction_code() {
    let rng = &mut signer::os_rng();
    let issuer = url("http://127.0.0.1:8080/issuers/population");
    let (metadata_document, server_document) = issuer_documents(&issuer);
    let nonce_key = NonceKey::generate(rng);

    // An officer makes an offer; the person gets the URI and, by another way, the code.
    let tx_code = TransactionCode::generate(rng);
    let terms = OfferTerms {
        credential_issuer: issuer.clone(),
        credential_configuration_ids: vec!["PersonIdentity".to_owned()],
        subject: "S0000001A".to_owned(),
        tx_code: Some(tx_code.clone()),
        tx_code_description: Some("The six digits in the letter".to_owned()),
        lifetime: 600,
    };
    let (grant, offer) = PreAuthorizedGrant::offer(terms, now(), rng).unwrap();
    let grant = stored(&grant);

    // The wallet reads the offer and asks the issuer who it is.
    let OfferUri::Value(offer) = OfferUri::parse(&offer.to_uri()).unwrap() else {
        panic!("by value")
    };
    let at = IssuerMetadata::url(&offer.credential_issuer);
    assert_eq!(
        at.as_str(),
        "http://127.0.0.1:8080/.well-known/openid-credential-issuer/issuers/population"
    );
    let metadata = IssuerMetadata::parse(metadata_document.as_bytes(), &offer.credential_issuer).unwrap();
    metadata.expect_plain().unwrap();
    let id = offer.credential_configuration_ids[0].as_str();
    metadata.configuration(id).unwrap();
    let server = metadata.authorization_server(None).unwrap();
    let server = AuthorizationServerMetadata::parse(server_document.as_bytes(), server).unwrap();
    server.token_endpoint_for(PRE_AUTHORIZED_CODE_GRANT).unwrap();

    // Token.
    let form = TokenRequest::for_offer(&offer, Some(tx_code.reveal()))
        .unwrap()
        .to_form();
    let request = TokenRequest::parse(form.as_bytes()).unwrap();
    let (grant, outcome) = grant.redeem(&request, TokenPolicy::default(), now(), rng);
    let redeemed = outcome.unwrap();
    let token_record = stored(&redeemed.record);
    let token = TokenResponse::parse(&serde_json::to_vec(&redeemed.response).unwrap()).unwrap();
    assert!(
        stored(&grant)
            .redeem(&request, TokenPolicy::default(), now(), rng)
            .1
            .is_err()
    );

    // Nonce, and two keys that sign it.
    let nonce = serde_json::to_vec(&nonce_key.issue(&issuer, 300, now(), rng)).unwrap();
    let nonce = NonceResponse::parse(&nonce).unwrap();
    let holder = [Algorithm::Es256, Algorithm::EdDsa].map(|algorithm| SoftwareKey::generate(algorithm, rng));
    let proofs = holder.each_ref().map(|key| {
        let named = ProofKey::Jwk(key.public_key().clone());
        key.fulfil(proof::sign(&named, &issuer, Some(&nonce.c_nonce), None, now()))
            .unwrap()
    });
    let body = CredentialRequest::new(&token, id, proofs.to_vec()).to_json();

    // Credentials.
    let bearer = BearerToken::from_header(Some(&format!("Bearer {}", token.access_token))).unwrap();
    assert_eq!(bearer.digest().to_text(), token_record.digest().to_text());
    let response = issue(&token_record, &body, &metadata, &nonce_key);
    let CredentialResponse::Issued {
        credentials,
        notification_id,
    } = CredentialResponse::parse(response.as_bytes(), holder.len()).unwrap()
    else {
        panic!("at once")
    };
    let thumbprints = holder.map(|key| json!(key.public_key().to_jwk().thumbprint()));
    assert!(credentials.iter().map(|one| &one.credential).eq(&thumbprints));
    assert_eq!(notification_id, None);

    // Notification.
    let (id, record) = NotificationRecord::new(&token_record, vec!["c1".to_owned()], rng);
    let event = NotificationEvent::CredentialAccepted;
    let request = NotificationRequest {
        notification_id: id,
        event,
        event_description: None,
    };
    let request = NotificationRequest::parse(&serde_json::to_vec(&request).unwrap()).unwrap();
    let record = stored(&record).notify(&token_record, request.event, now()).unwrap();
    assert_eq!(record.last, Some((event, now())));
}

/// The credential endpoint; the "credential" is the thumbprint of its key.
fn issue(token: &AccessTokenRecord, body: &str, metadata: &IssuerMetadata, nonce_key: &NonceKey) -> String {
    let request = CredentialRequest::parse(body.as_bytes()).unwrap();
    let (token, authorized) = credential::authorize(token, &request, metadata, now()).unwrap();
    assert_eq!(authorized.subject, "S0000001A");
    let rules = authorized.proof_rules(&metadata.credential_issuer);
    let proofs = UnverifiedProofs::parse(&authorized.jwt_proofs, &rules).unwrap();
    assert!(proofs.did_urls().is_empty());
    let used = proofs.nonce_ids(nonce_key, &metadata.credential_issuer, now());
    assert_eq!(used.len(), 1);
    let again = proofs
        .clone()
        .verify(&rules, &BTreeMap::new(), Some(nonce_key), &used, now());
    assert!(again.is_err(), "the nonce is good once");
    let verified = proofs
        .verify(&rules, &BTreeMap::new(), Some(nonce_key), &BTreeSet::new(), now())
        .unwrap();
    assert_eq!(token.remaining_credentials, TokenPolicy::default().max_credentials - 2);
    let credential = |key: &openid4vc::vci::HolderKey| IssuedCredential {
        credential: json!(key.key().to_jwk().thumbprint()),
    };
    let credentials = verified.keys.iter().map(credential).collect();
    serde_json::to_string(&CredentialResponse::Issued {
        credentials,
        notification_id: None,
    })
    .unwrap()
}

#[test]
fn an_offer_by_reference_is_the_same_offer() {
    let at = url("https://issuer.example/offers/1");
    let OfferUri::Reference(found) = OfferUri::parse(&OfferUri::reference(&at)).unwrap() else {
        panic!("by reference")
    };
    assert_eq!(found, at);
    let body = json!({"credential_issuer": "https://issuer.example", "credential_configuration_ids": ["a"]});
    assert!(CredentialOffer::parse(body.to_string().as_bytes()).is_ok());
}

struct Verifier {
    key: SoftwareKey,
    did: String,
    session: Session,
}

impl Verifier {
    fn new(encrypted: bool) -> Self {
        let rng = &mut signer::os_rng();
        let key = SoftwareKey::generate(Algorithm::EdDsa, rng);
        let did = format!("did:key:{}", key.public_key().to_multikey());
        let query = json!({"credentials": [{"id": "pid", "format": "dc+sd-jwt", "meta": {"vct_values": ["urn:pid"]},
            "claims": [{"path": ["age_over_18"], "values": [true]}]}]});
        let terms = SessionTerms {
            client_id: ClientId::for_did(&did).unwrap(),
            response_uri: url("http://127.0.0.1:8080/verifier/responses/1"),
            encrypted,
            dcql_query: DcqlQuery::from_value(&query).unwrap(),
            vp_formats_supported: Map::from_iter([("dc+sd-jwt".to_owned(), json!({"kb-jwt_alg_values": ["ES256"]}))]),
            lifetime: 600,
        };
        let session = stored(&Session::start(terms, now(), rng).unwrap());
        Self { key, did, session }
    }

    fn uri(&self) -> String {
        RequestReference {
            client_id: ClientId::for_did(&self.did).unwrap(),
            request_uri: url("http://127.0.0.1:8080/verifier/requests/1"),
            method: RequestUriMethod::Post,
        }
        .to_uri()
    }

    /// The request endpoint.
    fn request_object(&self, body: &str) -> String {
        let post = RequestUriPost::parse(body.as_bytes()).unwrap();
        let request = self.session.request(post.wallet_nonce, now()).unwrap();
        let did_url = format!("{}#{}", self.did, self.key.public_key().to_multikey());
        let signing = request_object::sign(&request, &did_url, Algorithm::EdDsa, now(), now().plus(300)).unwrap();
        self.key.fulfil(signing).unwrap()
    }
}

#[test]
fn a_wallet_presents_one_claim_to_a_signed_request() {
    for encrypted in [false, true] {
        let rng = &mut signer::os_rng();
        let verifier = Verifier::new(encrypted);

        // The wallet gets the request, resolves the verifier's DID and verifies.
        let Invocation::Reference(reference) = Invocation::parse(&verifier.uri()).unwrap() else {
            panic!("by reference")
        };
        let (fetch, awaited) = reference.fetch(&Map::new(), rng);
        let jwt = verifier.request_object(&fetch.form.unwrap());
        let unverified = awaited.receive(&jwt).unwrap();
        assert!(unverified.did_url().starts_with(&verifier.did));
        let received = unverified
            .verify(verifier.key.public_key(), awaited.wallet_nonce(), now())
            .unwrap();
        let request = received.request();

        // It finds what to present, and presents that much.
        let claims = json!({"vct": "urn:pid", "family_name": "Doe", "age_over_18": true});
        let held = HeldCredential {
            id: "1",
            format: CredentialFormat::SdJwtVc,
            types: vec!["urn:pid".to_owned()],
            claims: &claims,
            can_prove_holder_binding: true,
            authorities: vec![],
        };
        let selection = Selection::evaluate(&request.dcql_query, &[held]);
        let choice = selection.default_choice(false).unwrap();
        let mut vp_token = VpToken::default();
        for planned in selection.plan(&choice).unwrap() {
            vp_token.add(
                &planned.query.id,
                Value::from("issuer.signed.jwt~age_over_18~kb.jwt.signed"),
            );
        }
        let outgoing = AuthorizationResponse::Presented(vp_token.clone())
            .pack(request, rng)
            .unwrap();
        let Outgoing::Post { url: to, form } = outgoing else {
            panic!("a post")
        };
        assert_eq!(to.as_str(), "http://127.0.0.1:8080/verifier/responses/1");

        // The verifier takes the answer once, and checks it against its query.
        let (session, outcome) = verifier.session.answer(form.as_bytes(), now()).unwrap();
        let Outcome::Presented(answer) = outcome else {
            panic!("an answer")
        };
        assert_eq!(answer.vp_token, vp_token);
        assert_eq!(
            answer.client_id.as_str(),
            format!("decentralized_identifier:{}", verifier.did)
        );
        assert_eq!(answer.nonce, request.nonce);
        let disclosed = json!({"vct": "urn:pid", "age_over_18": true});
        let presented = Presented {
            query_id: "pid",
            format: CredentialFormat::SdJwtVc,
            types: vec!["urn:pid".to_owned()],
            claims: &disclosed,
            holder_binding_proven: true,
        };
        dcql::answer::check(&answer.dcql_query, &[presented]).unwrap();
        assert!(stored(&session).answer(form.as_bytes(), now()).is_err());
    }
}
