//! Requests that come in the same file as their answer.

use keys::Algorithm;
use keys::Signer as _;
use keys::Timestamp;
use openid4vc::vp::AuthorizationRequest;
use openid4vc::vp::ClientId;
use openid4vc::vp::RequestError;
use serde_json::json;
use signer::SoftwareKey;
use verifier::Reason;
use verifier::accept_request;

use crate::answer::query;
use crate::nation::DAY;
use crate::nation::MINUTE;
use crate::nation::NOW;
use crate::nation::Nation;
use crate::nation::SNAPSHOT;
use crate::nation::key;
use crate::nation::type_iri;

const MAX_AGE: i64 = 10 * MINUTE;

/// A request by the client with this DID, signed by `signer` as `did_url`.
pub(crate) fn request(did: &str, did_url: &str, signer: &SoftwareKey, made: Timestamp) -> String {
    let meta = json!({"vct_values": [type_iri("PersonIdentity")]});
    let request = AuthorizationRequest::for_file(
        ClientId::for_did(did).unwrap(),
        query("dc+sd-jwt", &meta, &[&["age_over_18"]]),
        &mut signer::os_rng(),
    )
    .unwrap();
    let algorithm = signer.public_key().algorithm();
    let request = openid4vc::vp::request_object::sign(&request, did_url, algorithm, made, made.plus(DAY)).unwrap();
    signer.fulfil(request).unwrap()
}

fn refusal(jwt: &str, now: Timestamp) -> Reason {
    let (nation, _) = Nation::with_issuer();
    let refused = accept_request(jwt, &[&nation.bundle()], MAX_AGE, now).unwrap_err();
    assert_eq!(refused.reasons().len(), 1);
    refused.reasons()[0].clone()
}

#[test]
fn signed_by_a_did_key_or_by_a_verifier_that_the_bundle_knows_is_accepted() {
    let (nation, agency) = Nation::with_issuer();
    let own = key(Algorithm::Es256, 77);
    let did = did::methods::key::did(own.public_key());
    let by_did_key = request(&did, &did::methods::key::method_id(own.public_key()), &own, NOW);
    let by_agency = request(&agency.did, &agency.method("es256"), &agency.es256, NOW);
    for (jwt, did) in [(by_did_key, &did), (by_agency, &agency.did)] {
        let received = accept_request(&jwt, &[&nation.bundle()], MAX_AGE, NOW.plus(MAX_AGE)).unwrap();
        assert_eq!(received.request().client_id.did(), Some(did.as_str()));
    }
}

#[test]
fn too_old_is_refused() {
    let (_, agency) = Nation::with_issuer();
    let jwt = request(&agency.did, &agency.method("es256"), &agency.es256, NOW);
    assert_eq!(
        refusal(&jwt, NOW.plus(MAX_AGE + 1)),
        Reason::RequestTooOld { limit: MAX_AGE }
    );
}

#[test]
fn signed_by_another_key_is_refused() {
    let (_, agency) = Nation::with_issuer();
    let jwt = request(&agency.did, &agency.method("es256"), &key(Algorithm::Es256, 77), NOW);
    assert!(matches!(refusal(&jwt, NOW), Reason::Request(RequestError::Jws(_))));
}

#[test]
fn signed_by_a_verifier_in_no_bundle_is_refused() {
    let stranger = "did:webvh:QmStranger:stranger.example";
    let jwt = request(stranger, &format!("{stranger}#1"), &key(Algorithm::Es256, 77), SNAPSHOT);
    assert_eq!(
        refusal(&jwt, NOW),
        Reason::IssuerUnknown {
            issuer: stranger.to_owned()
        }
    );
}
