//! Accepting offers, and what is not kept.

use holder::ReceiveError;
use holder_agent::AcceptError;
use holder_agent::Accepted;
use holder_agent::ContextError;
use holder_agent::CredentialSummary;
use holder_agent::Offer;
use holder_agent::PeerError;
use holder_agent::ReadOfferError;
use holder_agent::ResolveError;
use holder_agent::Wallet;
use keys::Algorithm;
use keys::Signer as _;
use openid4vc::vci::metadata::MetadataError;
use serde_json::json;
use signer::SoftwareKey;
use signer::Vault;

use crate::NOW;
use crate::chain;
use crate::fetcher;
use crate::issuer::Fault;
use crate::items;
use crate::passphrase;
use crate::platform::DOMAIN;
use crate::platform::Platform;
use crate::platform::document;
use crate::wallet;

async fn read(uri: &str) -> Result<Offer, ReadOfferError> {
    Offer::read(uri, &fetcher()).await
}

async fn accept(platform: &Platform, wallet: &Wallet, types: &[&str]) -> Result<Accepted, AcceptError> {
    let uri = platform.issuer(|issuer| issuer.offer(types, None)).to_uri();
    let offer = read(&uri).await.unwrap();
    wallet.accept(&offer, None, &fetcher(), &platform.0.clock).await
}

/// The credentials of a new offer.
pub(crate) async fn accepted(platform: &Platform, wallet: &Wallet, types: &[&str]) -> Vec<CredentialSummary> {
    let accepted = accept(platform, wallet, types).await.unwrap();
    assert!(accepted.not_received.is_empty());
    accepted.received
}

#[tokio::test]
async fn an_offered_credential_is_received_and_shown() {
    let platform = Platform::start().await;
    let (wallet, folder) = wallet();
    let uri = platform.issuer(|issuer| issuer.offer(&["Identity"], None)).to_uri();
    let offer = read(&uri).await.unwrap();
    assert_eq!(offer.issuer_name().as_deref(), Some("Population Office"));
    assert_eq!(offer.credentials()[0].name.as_deref(), Some("Person identity"));
    assert_eq!(offer.tx_code(), None);

    let accepted = wallet
        .accept(&offer, None, &fetcher(), &platform.0.clock)
        .await
        .unwrap();
    assert!(accepted.not_received.is_empty());
    let [summary] = accepted.received.as_slice() else {
        panic!("one credential")
    };
    assert_eq!(wallet.list().unwrap(), accepted.received);
    assert_eq!(summary.name, "Person identity");
    assert_eq!(summary.types, ["urn:pid"]);
    assert_eq!(summary.issuer, platform.issuer(|issuer| issuer.did.clone()));
    assert_eq!(summary.received_at, NOW);
    assert!(summary.is_current(NOW) && !summary.is_current(NOW.plus(86_400)));
    assert_eq!(summary.id.len(), 10);
    let details = wallet.show(&summary.id).unwrap();
    let shown: Vec<(&str, String)> = details
        .shown
        .iter()
        .map(|claim| (claim.label.as_str(), claim.value_text()))
        .collect();
    let expected = [
        ("Adult", "true".to_owned()),
        ("family_name", "Nguyễn".to_owned()),
        ("issuing_country", "XA".to_owned()),
    ];
    assert_eq!(shown, expected);
    assert_eq!(details.claims["vct"], "urn:pid");
    assert_eq!(
        serde_json::to_value(&details).unwrap()["received_at"],
        "2026-11-23T03:00:00Z"
    );
    assert_eq!(
        platform.issuer(|issuer| issuer.notifications.clone()),
        ["credential_accepted"]
    );

    // It is still there after the wallet was closed.
    let list = wallet.list().unwrap();
    drop(wallet);
    let wallet = Wallet::open(folder.path(), &passphrase()).unwrap();
    assert_eq!(wallet.list().unwrap(), list);
}

#[tokio::test]
async fn a_code_is_redeemed_once() {
    let platform = Platform::start().await;
    let (wallet, _folder) = wallet();
    let uri = platform.issuer(|issuer| issuer.offer(&["Identity"], None)).to_uri();
    let offer = read(&uri).await.unwrap();
    let accepted = wallet
        .accept(&offer, None, &fetcher(), &platform.0.clock)
        .await
        .unwrap();
    assert_eq!(accepted.received.len(), 1);
    let again = wallet
        .accept(&offer, None, &fetcher(), &platform.0.clock)
        .await
        .unwrap_err();
    assert!(
        matches!(&again, AcceptError::Peer(error) if error.code() == Some("invalid_grant")),
        "{}",
        chain(&again)
    );
    assert_eq!(wallet.list().unwrap().len(), 1);
}

#[tokio::test]
async fn the_transaction_code_is_asked_for_and_checked() {
    let platform = Platform::start().await;
    let (wallet, folder) = wallet();
    let uri = platform.issuer(|issuer| issuer.offer_uri_by_reference(&["Identity"], Some("471100")));
    let offer = read(&uri).await.unwrap();
    let described = offer.tx_code().unwrap();
    assert_eq!(
        (described.length, described.description.as_deref()),
        (Some(6), Some("In the letter"))
    );
    // None at all, one that is too short and one that is no number cost no try at the issuer.
    for slip in [None, Some("4711"), Some("47110x")] {
        let error = wallet
            .accept(&offer, slip, &fetcher(), &platform.0.clock)
            .await
            .unwrap_err();
        assert!(matches!(error, AcceptError::TxCode(_)), "{}", chain(&error));
    }
    let wrong = wallet
        .accept(&offer, Some("471101"), &fetcher(), &platform.0.clock)
        .await
        .unwrap_err();
    assert!(
        matches!(&wrong, AcceptError::Peer(error) if error.code() == Some("invalid_grant")),
        "{}",
        chain(&wrong)
    );
    assert!(wallet.list().unwrap().is_empty());
    assert!(items(folder.path(), "keys").is_empty());
    let right = wallet
        .accept(&offer, Some("471100"), &fetcher(), &platform.0.clock)
        .await
        .unwrap();
    assert_eq!(right.received.len(), 1);

    // A code where none is asked for is a slip, too.
    let uri = platform.issuer(|issuer| issuer.offer(&["Identity"], None)).to_uri();
    let offer = read(&uri).await.unwrap();
    let error = wallet
        .accept(&offer, Some("471100"), &fetcher(), &platform.0.clock)
        .await
        .unwrap_err();
    assert!(matches!(error, AcceptError::TxCode(_)), "{}", chain(&error));
}

#[tokio::test]
async fn an_offer_that_its_issuer_does_not_make_is_refused() {
    let platform = Platform::start().await;
    let genuine = platform.issuer(|issuer| issuer.offer(&["Identity"], None));
    assert!(read(&genuine.to_uri()).await.is_ok());

    let mut unknown = genuine.clone();
    unknown.credential_configuration_ids = vec!["Passport".to_owned()];
    let error = read(&unknown.to_uri()).await.unwrap_err();
    assert!(
        matches!(
            error,
            ReadOfferError::Metadata(MetadataError::UnknownConfiguration { .. })
        ),
        "{}",
        chain(&error)
    );
    let mut without_code = genuine.clone();
    without_code.grants.pre_authorized_code = None;
    let error = read(&without_code.to_uri()).await.unwrap_err();
    assert!(matches!(error, ReadOfferError::NoCode), "{}", chain(&error));
    let foreign = platform.issuer(|issuer| issuer.offer(&["Foreign"], None));
    let error = read(&foreign.to_uri()).await.unwrap_err();
    assert!(
        matches!(&error, ReadOfferError::Unreadable { found } if found == "jwt_vc_json-ld"),
        "{}",
        chain(&error)
    );
    let error = read("openid-credential-offer://?x=1").await.unwrap_err();
    assert!(matches!(error, ReadOfferError::Offer(_)), "{}", chain(&error));
    let gone = platform.url("/issuers/population/offers/none");
    let error = read(&openid4vc::vci::offer::OfferUri::reference(&gone))
        .await
        .unwrap_err();
    assert!(
        matches!(error, ReadOfferError::Peer(PeerError::Refused { status: 404, .. })),
        "{}",
        chain(&error)
    );
    // The metadata at the issuer's place are another issuer's.
    platform.issuer(|issuer| issuer.metadata["credential_issuer"] = "https://other.example".into());
    let error = read(&genuine.to_uri()).await.unwrap_err();
    assert!(
        matches!(error, ReadOfferError::Metadata(MetadataError::CredentialIssuer { .. })),
        "{}",
        chain(&error)
    );
}

#[tokio::test]
async fn what_is_not_as_offered_is_not_kept_and_leaves_no_key() {
    let platform = Platform::start().await;
    let (wallet, folder) = wallet();
    let refused = async |fault: Fault| {
        platform.issuer(|issuer| {
            issuer.fault = fault;
            issuer.notifications.clear();
        });
        let error = accept(&platform, &wallet, &["Identity"]).await.unwrap_err();
        assert!(wallet.list().unwrap().is_empty(), "{fault:?}");
        assert!(items(folder.path(), "keys").is_empty(), "{fault:?}");
        assert!(!chain(&error).contains("Nguyễn"), "{}", chain(&error));
        (error, platform.issuer(|issuer| issuer.notifications.clone()))
    };
    let failure = ["credential_failure"];
    let (error, told) = refused(Fault::Tampered).await;
    assert!(
        matches!(error, AcceptError::Receive(ReceiveError::SdJwtVc(_))),
        "{}",
        chain(&error)
    );
    assert_eq!(told, failure);
    let (error, told) = refused(Fault::OtherHolder).await;
    assert!(
        matches!(error, AcceptError::Receive(ReceiveError::Binding)),
        "{}",
        chain(&error)
    );
    assert_eq!(told, failure);
    let (error, told) = refused(Fault::OtherType).await;
    assert!(
        matches!(error, AcceptError::Receive(ReceiveError::Type)),
        "{}",
        chain(&error)
    );
    assert_eq!(told, failure);
    let (error, _) = refused(Fault::Deferred).await;
    assert!(matches!(error, AcceptError::Deferred), "{}", chain(&error));
    let (error, _) = refused(Fault::WebPage).await;
    assert!(matches!(error, AcceptError::Answer(_)), "{}", chain(&error));
    platform.issuer(|issuer| issuer.fault = Fault::None);
    assert_eq!(accepted(&platform, &wallet, &["Identity"]).await.len(), 1);
}

#[tokio::test]
async fn a_refused_nonce_is_replaced_once() {
    let platform = Platform::start().await;
    let (wallet, _folder) = wallet();
    platform.issuer(|issuer| issuer.fault = Fault::Nonces(1));
    assert_eq!(accepted(&platform, &wallet, &["Identity"]).await.len(), 1);
    assert_eq!(platform.issuer(|issuer| issuer.requests), 2);
    platform.issuer(|issuer| (issuer.fault, issuer.requests) = (Fault::Nonces(2), 0));
    let error = accept(&platform, &wallet, &["Identity"]).await.unwrap_err();
    assert!(
        matches!(&error, AcceptError::Peer(error) if error.code() == Some("invalid_nonce")),
        "{}",
        chain(&error)
    );
    assert_eq!(platform.issuer(|issuer| issuer.requests), 2);
}

#[tokio::test]
async fn of_several_credentials_those_that_are_good_are_kept() {
    let platform = Platform::start().await;
    let (wallet, folder) = wallet();
    let received = accepted(&platform, &wallet, &["Licence", "Identity"]).await;
    let names: Vec<&str> = received.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["Driving licence", "Person identity"]);
    platform.issuer(|issuer| issuer.fault = Fault::NoLicence);
    let accepted = accept(&platform, &wallet, &["Licence", "Identity", "Foreign"])
        .await
        .unwrap();
    assert_eq!(accepted.received[0].name, "Person identity");
    let [licence, foreign] = accepted.not_received.as_slice() else {
        panic!("two are missing")
    };
    assert_eq!(licence.configuration_id, "Licence");
    assert!(matches!(&licence.error, AcceptError::Peer(error) if error.code() == Some("credential_request_denied")));
    assert!(matches!(
        (foreign.configuration_id.as_str(), &foreign.error),
        ("Foreign", AcceptError::NotReadable)
    ));
    assert_eq!(wallet.list().unwrap().len(), 3);
    assert_eq!(items(folder.path(), "keys").len(), 3);
}

#[tokio::test]
async fn the_issuer_s_key_comes_from_its_log_in_the_registry() {
    let platform = Platform::start().await;
    let (wallet, _folder) = wallet();
    let key = platform.issuer(|issuer| issuer.key.public_key().clone());
    let (did, log) = Platform::new_did(&key);
    platform.issuer(|issuer| issuer.take_did(&did));
    let nowhere = accept(&platform, &wallet, &["Identity"]).await.unwrap_err();
    assert!(
        matches!(nowhere, AcceptError::Resolve(ResolveError::Nowhere { .. })),
        "{}",
        chain(&nowhere)
    );
    // A log of somebody else, and one that was changed, are not the DID's.
    let (_, other) = Platform::new_did(&key);
    for forged in [other, log.replace("key-1", "key-9")] {
        platform.publish(&did, &forged);
        let error = accept(&platform, &wallet, &["Identity"]).await.unwrap_err();
        assert!(matches!(error, AcceptError::Resolve(_)), "{}", chain(&error));
    }
    platform.publish(&did, &log);
    platform.issuer(|issuer| issuer.key_id = format!("{did}#key-2"));
    let no_key = accept(&platform, &wallet, &["Identity"]).await.unwrap_err();
    assert!(
        matches!(no_key, AcceptError::Resolve(ResolveError::Key(_))),
        "{}",
        chain(&no_key)
    );
    // The key is the DID's, but it is another one that signed.
    let genuine = platform.issuer(|issuer| {
        issuer.take_did(&did);
        let stranger = SoftwareKey::generate(Algorithm::Es256, &mut signer::os_rng());
        std::mem::replace(&mut issuer.key, stranger)
    });
    let forged = accept(&platform, &wallet, &["Identity"]).await.unwrap_err();
    assert!(
        matches!(forged, AcceptError::Receive(ReceiveError::SdJwtVc(_))),
        "{}",
        chain(&forged)
    );
    assert!(wallet.list().unwrap().is_empty());
    platform.issuer(|issuer| issuer.key = genuine);
    assert_eq!(accepted(&platform, &wallet, &["Identity"]).await[0].issuer, did);
}

/// Its website can never be reached here.
#[tokio::test]
async fn did_web_of_an_issuer_counts_as_the_pinned_registry_has_it() {
    let platform = Platform::start().await;
    let (wallet, _folder) = wallet();
    let did = format!("did:web:{DOMAIN}");
    let key = platform.issuer(|issuer| {
        issuer.take_did(&did);
        issuer.key.public_key().clone()
    });
    let anchor = platform.registry(|registry| {
        registry.log(&did, &document(&did, &key));
        registry.anchor().clone()
    });
    let unpinned = accept(&platform, &wallet, &["Identity"]).await.unwrap_err();
    let website = matches!(unpinned, AcceptError::Resolve(ResolveError::Peer(_)));
    assert!(website, "{}", chain(&unpinned));
    let wallet = wallet.with_anchors(vec![anchor]);
    assert_eq!(accepted(&platform, &wallet, &["Identity"]).await[0].issuer, did);
}

#[tokio::test]
async fn an_issuer_that_wants_what_the_wallet_cannot_do_is_refused_before_the_code_is_spent() {
    let platform = Platform::start().await;
    let (wallet, _folder) = wallet();
    let genuine = platform.issuer(|issuer| issuer.metadata.clone());
    let uri = platform.issuer(|issuer| issuer.offer(&["Identity"], None)).to_uri();
    platform.issuer(|issuer| issuer.metadata["credential_response_encryption"] = json!({"encryption_required": true}));
    let error = read(&uri).await.unwrap_err();
    assert!(
        matches!(error, ReadOfferError::Metadata(MetadataError::EncryptionRequired)),
        "{}",
        chain(&error)
    );
    platform.issuer(|issuer| issuer.metadata = genuine);
    let offer = read(&uri).await.unwrap();
    assert_eq!(
        wallet
            .accept(&offer, None, &fetcher(), &platform.0.clock)
            .await
            .unwrap()
            .received
            .len(),
        1
    );
}

#[tokio::test]
async fn a_w3c_credential_is_kept_with_what_its_terms_mean() {
    let platform = Platform::start().await;
    let (wallet, folder) = wallet();
    platform.issuer(|issuer| issuer.fault = Fault::NoContext);
    let error = accept(&platform, &wallet, &["IdentityLdp"]).await.unwrap_err();
    assert!(
        matches!(error, AcceptError::Context(ContextError::Missing { .. })),
        "{}",
        chain(&error)
    );
    assert!(items(folder.path(), "keys").is_empty());
    platform.issuer(|issuer| issuer.fault = Fault::None);
    let received = accepted(&platform, &wallet, &["IdentityLdp"]).await.remove(0);
    assert_eq!(
        (received.name.as_str(), received.types.as_slice()),
        ("Identity", ["Identity".to_owned()].as_slice())
    );
    // The context is not asked for again.
    platform.issuer(|issuer| issuer.fault = Fault::NoContext);
    let details = wallet.show(&received.id).unwrap();
    assert_eq!(details.shown[0].path, "credentialSubject.age_over_18");
    assert_eq!(details.shown[0].label, "age_over_18");
}

#[tokio::test]
async fn keys_of_a_crash_are_swept_up() {
    let platform = Platform::start().await;
    let (wallet, folder) = wallet();
    let kept = accepted(&platform, &wallet, &["Identity"]).await.remove(0);
    drop(wallet);
    let vault = Vault::open(folder.path(), &passphrase()).unwrap();
    vault
        .generate_key("keys/0123456789", Algorithm::Es256, &mut signer::os_rng())
        .unwrap();
    drop(vault);
    let wallet = Wallet::open(folder.path(), &passphrase()).unwrap();
    assert_eq!(items(folder.path(), "keys").len(), 2);
    let next = accepted(&platform, &wallet, &["Identity"]).await.remove(0);
    let mut keys = items(folder.path(), "keys");
    keys.sort();
    let mut expected = [kept.id, next.id];
    expected.sort();
    assert_eq!(keys, expected);
}
