//! Answering requests, and what is not answered.

use holder::ProposalError;
use holder_agent::HistoryEntry;
use holder_agent::KeySource;
use holder_agent::Outcome;
use holder_agent::PeerError;
use holder_agent::Prepared;
use holder_agent::PresentError;
use holder_agent::ResolveError;
use holder_agent::Wallet;
use holder_agent::WalletError;
use keys::Algorithm;
use keys::Signer as _;
use openid4vc::dcql::DcqlQuery;
use openid4vc::form;
use openid4vc::vp::AuthorizationRequest;
use openid4vc::vp::ClientId;
use openid4vc::vp::RequestError;
use openid4vc::vp::Session;
use openid4vc::vp::UnverifiedRequestObject;
use openid4vc::vp::file::PresentationFile;
use openid4vc::vp::file::RequestFile;
use openid4vc::vp::invocation::RequestUriMethod;
use openid4vc::vp::invocation::unsigned_uri;
use openid4vc::vp::request_object;
use openid4vc::vp::session::Outcome as SessionOutcome;
use openid4vc::vp::session::SessionTerms;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use server::Clock;
use signer::SoftwareKey;
use trust::Anchor;
use trust::merkle::Hash;

use crate::NOW;
use crate::accept::accepted;
use crate::chain;
use crate::fetcher;
use crate::platform::DOMAIN;
use crate::platform::Platform;
use crate::platform::document;
use crate::verifier::Fault;
use crate::verifier::adult;
use crate::verifier::seen;
use crate::wallet;

/// A platform, and a wallet with one identity.
struct Scene {
    platform: Platform,
    wallet: Wallet,
    id: String,
    folder: tempfile::TempDir,
}

impl Scene {
    async fn new() -> Self {
        let platform = Platform::start().await;
        let (wallet, folder) = wallet();
        let id = accepted(&platform, &wallet, &["Identity"]).await.remove(0).id;
        Self {
            platform,
            wallet,
            id,
            folder,
        }
    }

    async fn prepare(&self, request: &str) -> Result<Prepared, PresentError> {
        self.wallet.prepare(request, &fetcher(), &self.platform.0.clock).await
    }

    /// Starts a session at the verifier and prepares its request.
    async fn asked(&self) -> Prepared {
        self.platform.ask(false);
        let uri = self.platform.request_uri(RequestUriMethod::Post);
        self.prepare(&uri).await.unwrap()
    }

    async fn send(&self, prepared: &Prepared) -> Result<(), PresentError> {
        let proposed = prepared.propose(&[], NOW)?;
        proposed
            .send(&self.wallet, &fetcher(), &self.platform.0.clock)
            .await
            .map(drop)
    }

    /// What the verifier reads in the answer that it took.
    fn delivered(&self) -> Map<String, Value> {
        let (issuer, key) = self
            .platform
            .issuer(|issuer| (issuer.did.clone(), issuer.key.public_key().clone()));
        self.platform.verifier(|verifier| match verifier.outcome.take() {
            Some(SessionOutcome::Presented(answer)) => seen(
                &answer.vp_token,
                answer.client_id.as_str(),
                &answer.nonce,
                (&issuer, &key),
            ),
            other => panic!("expected an answer, found {other:?}"),
        })
    }

    /// Verifier, outcome and labels of the only entry.
    fn journal(&self) -> HistoryEntry {
        let mut history = self.wallet.history().unwrap();
        assert_eq!(history.len(), 1);
        history.remove(0)
    }
}

/// What leaves when an adult is asked for: `issuing_country` cannot be withheld.
fn adult_only() -> Map<String, Value> {
    serde_json::from_value(json!({"age_over_18": true, "issuing_country": "XA"})).unwrap()
}

/// A self-contained request by `key`.
fn request_file(key: &SoftwareKey) -> RequestFile {
    let client_id = ClientId::for_did(&did::methods::key::did(key.public_key())).unwrap();
    let request = AuthorizationRequest::for_file(client_id, adult(), &mut signer::os_rng()).unwrap();
    let method = did::methods::key::method_id(key.public_key());
    let signing = request_object::sign(&request, &method, key.public_key().algorithm(), NOW, NOW.plus(300));
    RequestFile::new(key.fulfil(signing.unwrap()).unwrap())
}

#[tokio::test]
async fn what_the_person_saw_is_what_the_verifier_gets() {
    for (encrypted, method) in [
        (false, RequestUriMethod::Post),
        (true, RequestUriMethod::Post),
        (false, RequestUriMethod::Get),
    ] {
        let scene = Scene::new().await;
        scene.platform.ask(encrypted);
        let prepared = scene.prepare(&scene.platform.request_uri(method)).await.unwrap();
        let proposed = prepared.propose(&[], NOW).unwrap();
        let disclosure = proposed.disclosure();
        let did = scene.platform.verifier(|verifier| verifier.did.clone());
        assert_eq!(disclosure.verifier.did.as_deref(), Some(did.as_str()));
        assert_eq!(disclosure.verifier.key_source, Some(KeySource::Did));
        let at = scene.platform.url("/verifier/responses/1");
        assert_eq!(disclosure.verifier.response_uri, Some(at.clone()));
        let [credential] = disclosure.credentials.as_slice() else {
            panic!("one credential")
        };
        assert_eq!(
            (credential.id.as_str(), credential.name.as_str()),
            (scene.id.as_str(), "Person identity")
        );
        let shown: Vec<(&str, String, bool)> = credential
            .claims
            .iter()
            .map(|one| (one.claim.label.as_str(), one.claim.value_text(), one.requested))
            .collect();
        assert_eq!(
            shown,
            [
                ("Adult", "true".to_owned(), true),
                ("issuing_country", "XA".to_owned(), false)
            ]
        );

        let receipt = proposed
            .send(&scene.wallet, &fetcher(), &scene.platform.0.clock)
            .await
            .unwrap();
        assert_eq!(receipt.redirect_uri.as_deref(), Some("https://shop.example/thanks"));
        assert_eq!(scene.delivered(), adult_only());
        let entry = scene.journal();
        assert_eq!((entry.at, entry.outcome), (NOW, Outcome::Delivered));
        assert_eq!(entry.verifier, format!("decentralized_identifier:{did}"));
        assert_eq!(entry.response_uri.as_deref(), Some(at.as_str()));
        assert_eq!(entry.credentials[0].id, scene.id);
        assert_eq!(entry.credentials[0].claims, ["Adult", "issuing_country"]);
        // As a word: a DID may have these letters in it.
        let written = serde_json::to_string(&entry).unwrap();
        let mut words = written.split(|c: char| !c.is_ascii_alphanumeric());
        assert!(words.all(|word| word != "XA"), "no values in {written}");
    }
}

#[tokio::test]
async fn the_verifier_s_key_comes_from_its_log_in_the_registry_and_the_person_is_told() {
    let scene = Scene::new().await;
    let (did, log) = scene.platform.verifier(|verifier| {
        let (did, log) = Platform::new_did(verifier.key.public_key());
        verifier.take_did(&did);
        (did, log)
    });
    scene.platform.ask(false);
    let uri = scene.platform.request_uri(RequestUriMethod::Post);
    let error = scene.prepare(&uri).await.unwrap_err();
    assert!(
        matches!(error, PresentError::Resolve(ResolveError::Nowhere { .. })),
        "{}",
        chain(&error)
    );
    // Whoever serves the request cannot make up a log for somebody else's DID.
    let stranger = SoftwareKey::generate(Algorithm::EdDsa, &mut signer::os_rng());
    scene
        .platform
        .publish(&did, &Platform::new_did(stranger.public_key()).1);
    let error = scene.prepare(&uri).await.unwrap_err();
    assert!(matches!(error, PresentError::Resolve(_)), "{}", chain(&error));
    scene.platform.publish(&did, &log);
    let origin = &scene.platform.0.origin;
    let verifier = scene.prepare(&uri).await.unwrap().verifier();
    assert_eq!(verifier.did.as_deref(), Some(did.as_str()));
    assert_eq!(verifier.key_source, Some(KeySource::Registry(origin.clone())));
    let told = serde_json::to_value(&verifier).unwrap();
    assert_eq!(
        told["key_source"],
        format!("its own signed log, from the registry at {origin}")
    );
}

/// A verifier whose DID is a website, and the URI of its request.
async fn asked_by_did_web() -> (Scene, String) {
    let scene = Scene::new().await;
    let did = format!("did:web:{DOMAIN}");
    scene.platform.verifier(|verifier| verifier.take_did(&did));
    scene.platform.ask(false);
    let uri = scene.platform.request_uri(RequestUriMethod::Post);
    (scene, uri)
}

/// The website was asked, which is not there.
fn is_of_website(error: &PresentError) -> bool {
    let PresentError::Resolve(ResolveError::Peer(error)) = error else {
        return false;
    };
    error.to_string() == "the website of the DID does not answer"
}

/// The website in the DID can never be reached here, so a key that is found was logged.
#[tokio::test]
async fn did_web_of_a_verifier_counts_as_the_pinned_registry_has_it() {
    let (mut scene, uri) = asked_by_did_web().await;
    let (did, key) = scene
        .platform
        .verifier(|verifier| (verifier.did.clone(), verifier.key.public_key().clone()));
    let log = |scene: &Scene, document: &Value| scene.platform.registry(|registry| registry.log(&did, document));
    log(&scene, &document(&did, &key));
    // Whoever sends a request could log what they like in a registry of their own.
    let error = scene.prepare(&uri).await.unwrap_err();
    assert!(is_of_website(&error), "{}", chain(&error));
    let anchor = scene.platform.registry(|registry| registry.anchor().clone());
    let other = Anchor::new(anchor.log().clone(), Hash::digest(b"another genesis")).unwrap();
    scene.wallet = scene.wallet.with_anchors(vec![other.clone()]);
    let error = scene.prepare(&uri).await.unwrap_err();
    assert!(is_of_website(&error), "{}", chain(&error));

    scene.wallet = scene.wallet.with_anchors(vec![other, anchor]);
    let origin = scene.platform.0.origin.clone();
    let verifier = scene.prepare(&uri).await.unwrap().verifier();
    assert_eq!(verifier.did.as_deref(), Some(did.as_str()));
    assert_eq!(verifier.key_source, Some(KeySource::Logged(origin.clone())));
    assert_eq!(
        serde_json::to_value(&verifier).unwrap()["key_source"],
        format!("its document as officers logged it, from the registry at {origin}")
    );

    // Another key under its name, and none.
    let stranger = SoftwareKey::generate(Algorithm::EdDsa, &mut signer::os_rng());
    log(&scene, &document(&did, stranger.public_key()));
    let error = scene.prepare(&uri).await.unwrap_err();
    assert!(matches!(error, PresentError::Request(_)), "{}", chain(&error));
    log(&scene, &json!({"id": did}));
    let error = scene.prepare(&uri).await.unwrap_err();
    let no_key = matches!(error, PresentError::Resolve(ResolveError::Key(_)));
    assert!(no_key, "{}", chain(&error));
    log(&scene, &document(&did, &key));
    assert!(scene.prepare(&uri).await.is_ok());
}

#[tokio::test]
async fn website_is_asked_where_the_pinned_registry_has_no_such_did_and_not_where_its_answer_is_refused() {
    let (mut scene, uri) = asked_by_did_web().await;
    let (did, key) = scene
        .platform
        .verifier(|verifier| (verifier.did.clone(), verifier.key.public_key().clone()));
    let (anchor, expired) = scene.platform.registry(|registry| {
        registry.log("did:web:other.invalid", &document("did:web:other.invalid", &key));
        (registry.anchor().clone(), registry.hard_expiry())
    });
    scene.wallet = scene.wallet.with_anchors(vec![anchor]);
    let error = scene.prepare(&uri).await.unwrap_err();
    assert!(is_of_website(&error), "{}", chain(&error));

    scene
        .platform
        .registry(|registry| registry.log(&did, &document(&did, &key)));
    assert!(scene.prepare(&uri).await.is_ok());
    scene
        .platform
        .registry(|registry| registry.forged = Some(b"no extract".to_vec()));
    let error = scene.prepare(&uri).await.unwrap_err();
    let refused = matches!(error, PresentError::Resolve(ResolveError::Register { .. }));
    assert!(refused, "{}", chain(&error));
    scene.platform.registry(|registry| registry.forged = None);
    let late = Clock::manual(expired.plus(1));
    let error = scene.wallet.prepare(&uri, &fetcher(), &late).await.unwrap_err();
    let refused = matches!(error, PresentError::Resolve(ResolveError::Expired { .. }));
    assert!(refused, "{}", chain(&error));
    scene.platform.registry(|registry| registry.end(&did));
    let error = scene.prepare(&uri).await.unwrap_err();
    let ended = matches!(error, PresentError::Resolve(ResolveError::Ended { .. }));
    assert!(ended, "{}", chain(&error));
}

#[tokio::test]
async fn requests_that_are_not_their_client_s_are_refused() {
    let scene = Scene::new().await;
    scene.platform.ask(false);
    let uri = scene.platform.request_uri(RequestUriMethod::Post);
    assert!(scene.prepare(&uri).await.is_ok());
    for (fault, expected) in [
        (Fault::OtherKey, "signed by its client"),
        (Fault::OtherClient, "same client_id"),
        (Fault::NoWalletNonce, "wallet_nonce"),
    ] {
        scene.platform.verifier(|verifier| verifier.fault = fault);
        let error = scene.prepare(&uri).await.unwrap_err();
        assert!(matches!(error, PresentError::Request(_)), "{}", chain(&error));
        assert!(chain(&error).contains(expected), "{fault:?}: {}", chain(&error));
    }
    scene.platform.verifier(|verifier| verifier.fault = Fault::None);
    let gone = uri.replace("requests%2F1", "requests%2F2");
    let error = scene.prepare(&gone).await.unwrap_err();
    assert!(matches!(error, PresentError::Peer(_)), "{}", chain(&error));
    let error = scene.prepare("openid4vp://?client_id=shop").await.unwrap_err();
    assert!(matches!(error, PresentError::Request(_)), "{}", chain(&error));
    let error = scene.prepare("{}").await.unwrap_err();
    assert!(matches!(error, PresentError::File(_)), "{}", chain(&error));
}

#[tokio::test]
async fn an_expired_request_is_not_answered() {
    let scene = Scene::new().await;
    let prepared = scene.asked().await;
    // The person took long.
    scene.platform.0.clock.advance(300);
    let error = scene.send(&prepared).await.unwrap_err();
    assert!(
        matches!(error, PresentError::Request(RequestError::Expired)),
        "{}",
        chain(&error)
    );
    assert!(scene.wallet.history().unwrap().is_empty());
    scene.platform.0.clock.advance(60);
    let uri = scene.platform.request_uri(RequestUriMethod::Post);
    let error = scene.prepare(&uri).await.unwrap_err();
    assert!(
        matches!(error, PresentError::Request(RequestError::Expired)),
        "{}",
        chain(&error)
    );
}

#[tokio::test]
async fn a_request_in_a_file_is_answered_by_a_file() {
    let scene = Scene::new().await;
    let key = SoftwareKey::generate(Algorithm::Es256, &mut signer::os_rng());
    let file = request_file(&key);
    let prepared = scene.prepare(&file.to_json()).await.unwrap();
    assert!(prepared.is_answered_by_file());
    assert_eq!(prepared.verifier().response_uri, None);
    let error = scene.send(&prepared).await.unwrap_err();
    assert!(matches!(error, PresentError::AnsweredByFile), "{}", chain(&error));
    assert!(scene.wallet.history().unwrap().is_empty());

    let proposed = prepared.propose(std::slice::from_ref(&scene.id), NOW).unwrap();
    let text = proposed.to_file(&scene.wallet, &scene.platform.0.clock).unwrap();
    read_back(&scene, &text, file.request());
    let entry = scene.journal();
    assert_eq!((entry.outcome, entry.response_uri), (Outcome::File, None));
    // Signed by somebody else than it says.
    let stranger = request_file(&SoftwareKey::generate(Algorithm::Es256, &mut signer::os_rng()));
    let (head, _) = file.request().rsplit_once('.').unwrap();
    let (_, signature) = stranger.request().rsplit_once('.').unwrap();
    let forged = RequestFile::new(format!("{head}.{signature}")).to_json();
    let error = scene.prepare(&forged).await.unwrap_err();
    assert!(
        matches!(error, PresentError::Request(RequestError::Jws(_))),
        "{}",
        chain(&error)
    );
}

/// A verifier that has only the file reads the claims in it.
fn read_back(scene: &Scene, text: &str, request: &str) {
    let file = PresentationFile::parse(text.as_bytes()).unwrap();
    assert_eq!(file.request(), request);
    let unverified = UnverifiedRequestObject::parse(file.request(), None).unwrap();
    let id = did::DidUrl::parse(unverified.did_url()).unwrap();
    let key = did::methods::key::public_key_of_method(&id).unwrap();
    let received = unverified.verify(&key, None, NOW).unwrap();
    let asked = received.request();
    let vp_token = file.vp_token(&asked.dcql_query).unwrap();
    let (did, key) = scene
        .platform
        .issuer(|issuer| (issuer.did.clone(), issuer.key.public_key().clone()));
    let claims = seen(&vp_token, asked.client_id.as_str(), &asked.nonce, (&did, &key));
    assert_eq!(claims, adult_only());
}

#[tokio::test]
async fn a_request_from_the_network_can_be_answered_by_a_file_too() {
    for encrypted in [false, true] {
        let scene = Scene::new().await;
        scene.platform.ask(encrypted);
        let uri = scene.platform.request_uri(RequestUriMethod::Get);
        let prepared = scene.prepare(&uri).await.unwrap();
        let proposed = prepared.propose(&[], NOW).unwrap();
        let text = proposed.to_file(&scene.wallet, &scene.platform.0.clock).unwrap();
        let file = PresentationFile::parse(text.as_bytes()).unwrap();
        read_back(&scene, &text, file.request());
        assert!(
            scene.platform.verifier(|verifier| verifier.outcome.is_none()),
            "nothing was sent"
        );
    }
}

#[tokio::test]
async fn a_request_object_in_the_uri_is_read() {
    let scene = Scene::new().await;
    scene.platform.ask(false);
    let (jwt, did) = scene
        .platform
        .verifier(|verifier| (verifier.request_object(None), verifier.did.clone()));
    let client_id = format!("decentralized_identifier:{did}");
    let uri = format!(
        "openid4vp://?{}",
        form::encode([("client_id", client_id.as_str()), ("request", &jwt)])
    );
    let prepared = scene.prepare(&uri).await.unwrap();
    let text = prepared
        .propose(&[], NOW)
        .unwrap()
        .to_file(&scene.wallet, &scene.platform.0.clock)
        .unwrap();
    read_back(&scene, &text, &jwt);
}

#[tokio::test]
async fn an_unsigned_request_is_answered_only_to_the_url_that_it_names() {
    let scene = Scene::new().await;
    let at = scene.platform.url("/verifier/responses/1");
    let session = scene
        .platform
        .ask_as(ClientId::for_response_uri(&at).unwrap(), at.clone(), false);
    let uri = unsigned_uri(&session.request(None, NOW).unwrap()).unwrap();
    let prepared = scene.prepare(&uri).await.unwrap();
    let verifier = prepared.verifier();
    assert_eq!(
        (verifier.did, verifier.key_source, verifier.response_uri),
        (None, None, Some(at))
    );
    let proposed = prepared.propose(&[], NOW).unwrap();
    let error = proposed.to_file(&scene.wallet, &scene.platform.0.clock).unwrap_err();
    assert!(matches!(error, PresentError::UnsignedRequest), "{}", chain(&error));
    scene.send(&prepared).await.unwrap();
    assert_eq!(scene.delivered(), adult_only());
}

#[tokio::test]
async fn a_w3c_credential_is_presented_with_a_proof_for_this_verifier() {
    let scene = Scene::new().await;
    accepted(&scene.platform, &scene.wallet, &["IdentityLdp"]).await;
    let client_id = scene
        .platform
        .verifier(|verifier| ClientId::for_did(&verifier.did).unwrap());
    let query = json!({"credentials": [{"id": "pid", "format": "ldp_vc",
        "meta": {"type_values": [["https://types.example/vocab#Identity"]]}}]});
    let terms = SessionTerms {
        client_id: client_id.clone(),
        response_uri: scene.platform.url("/verifier/responses/1"),
        encrypted: true,
        dcql_query: DcqlQuery::from_value(&query).unwrap(),
        vp_formats_supported: Map::new(),
        lifetime: 600,
    };
    let session = Session::start(terms, NOW, &mut signer::os_rng()).unwrap();
    scene.platform.verifier(|verifier| verifier.session = Some(session));
    let uri = scene.platform.request_uri(RequestUriMethod::Post);
    let prepared = scene.prepare(&uri).await.unwrap();
    let disclosure = prepared.propose(&[], NOW).unwrap().disclosure();
    assert!(disclosure.always_seen.contains(&"credentialStatus") && !disclosure.always_seen.contains(&"vct"));
    scene.send(&prepared).await.unwrap();
    let outcome = scene.platform.verifier(|verifier| verifier.outcome.take());
    let Some(SessionOutcome::Presented(answer)) = outcome else {
        panic!("expected an answer")
    };
    let Some(("pid", Value::Object(presentation))) = answer.vp_token.iter().next() else {
        panic!("expected an object")
    };
    let proof = &presentation["proof"];
    assert_eq!(proof["challenge"], answer.nonce);
    assert_eq!(proof["domain"], client_id.as_str());
    assert_eq!(
        presentation["verifiableCredential"][0]["credentialSubject"]["age_over_18"],
        true
    );
}

#[tokio::test]
async fn declining_tells_no_more_than_that() {
    let scene = Scene::new().await;
    let prepared = scene.asked().await;
    prepared
        .decline(&scene.wallet, &fetcher(), &scene.platform.0.clock)
        .await
        .unwrap();
    scene.platform.verifier(|verifier| match verifier.outcome.take() {
        Some(SessionOutcome::Refused(refused)) => {
            assert_eq!(
                (refused.error.as_str(), refused.error_description),
                ("access_denied", None)
            );
        }
        other => panic!("expected a refusal, found {other:?}"),
    });
    let entry = scene.journal();
    assert_eq!((entry.outcome, entry.credentials.len()), (Outcome::Declined, 0));
}

#[tokio::test]
async fn a_wallet_without_the_claims_answers_nothing() {
    let scene = Scene::new().await;
    let prepared = scene.asked().await;
    scene.wallet.forget(&scene.id).unwrap();
    // Opened before: the key is gone all the same.
    let error = scene.send(&prepared).await.unwrap_err();
    assert!(
        matches!(error, PresentError::Wallet(WalletError::KeyMissing { .. })),
        "{}",
        chain(&error)
    );
    let prepared = scene.asked().await;
    let error = prepared.propose(&[], NOW).unwrap_err();
    assert!(matches!(error, ProposalError::Lacking { .. }), "{}", chain(&error));
    assert!(scene.wallet.history().unwrap().is_empty());
}

#[tokio::test]
async fn the_journal_tells_a_refusal_from_an_answer_that_was_lost() {
    let scene = Scene::new().await;
    let prepared = scene.asked().await;
    scene.send(&prepared).await.unwrap();
    let error = scene.send(&prepared).await.unwrap_err();
    assert!(
        matches!(error, PresentError::Peer(PeerError::Refused { .. })),
        "{}",
        chain(&error)
    );
    // Nobody listens on port 1.
    let at = openid4vc::SecureUrl::parse("http://127.0.0.1:1/responses").unwrap();
    let session = scene
        .platform
        .ask_as(ClientId::for_response_uri(&at).unwrap(), at.clone(), false);
    let uri = unsigned_uri(&session.request(None, NOW).unwrap()).unwrap();
    let prepared = scene.prepare(&uri).await.unwrap();
    let error = scene.send(&prepared).await.unwrap_err();
    assert!(
        matches!(error, PresentError::Peer(PeerError::Fetch { .. })),
        "{}",
        chain(&error)
    );
    let outcomes: Vec<Outcome> = scene
        .wallet
        .history()
        .unwrap()
        .iter()
        .map(|entry| entry.outcome)
        .collect();
    assert_eq!(outcomes, [Outcome::Delivered, Outcome::Refused, Outcome::Sending]);
}

#[tokio::test]
async fn a_damaged_wallet_presents_nothing() {
    let scene = Scene::new().await;
    let path = scene.folder.path().join("credentials").join(&scene.id);
    std::fs::write(&path, b"damaged").unwrap();
    scene.platform.ask(false);
    let uri = scene.platform.request_uri(RequestUriMethod::Post);
    let error = scene.prepare(&uri).await.unwrap_err();
    assert!(
        matches!(error, PresentError::Wallet(WalletError::Item { .. })),
        "{}",
        chain(&error)
    );
}
