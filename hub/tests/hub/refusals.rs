//! Calls that are refused: each breaks one rule after the genuine call has passed, and leaves evidence.

use std::sync::atomic::Ordering;

use hub::protocol::commitment::OpenCommitment;
use hub::protocol::consent::ConsentTerms;
use hub::protocol::field::FieldSet;
use hub::protocol::statement::StatementKind;
use keys::Algorithm;
use serde_json::json;
use signer::SoftwareKey;

use crate::world::Reply;
use crate::world::World;
use crate::world::ready;

const TARGET: &str = "/persons/X0000001A?fields=given_name";

/// Refused for this reason with this status, before the source heard of it, and written down.
async fn assert_refused(world: &World, reply: &Reply, status: u16, reason: &str) {
    assert_eq!((reply.status, reply.problem().as_str()), (status, reason));
    assert_eq!(reply.headers["content-type"], "application/problem+json");
    let record = world.newest_record().await;
    assert_eq!(record["id"], reply.headers["hub-evidence"].as_str());
    assert_eq!(record["event"]["outcome"], json!({"is": "refused", "reason": reason}));
    assert_eq!(record["event"]["status"], status);
    assert!(!record.to_string().contains("X0000001A"), "{record}");
}

/// The genuine call passes, the changed one does not and is not forwarded.
async fn assert_only_genuine(world: &World, token: &str, changed: &Reply, status: u16, reason: &str) {
    assert_refused(world, changed, status, reason).await;
    let calls = world.source.calls();
    let genuine = world.call("GET", TARGET, token, &[]).await;
    assert_eq!(genuine.status, 200, "{:?}", genuine.json());
    assert_eq!(world.source.calls(), calls + 1);
    assert_eq!(calls, 0, "the refused call was forwarded");
}

#[tokio::test]
async fn without_a_token() {
    let (world, token) = ready().await;
    let reply = world
        .send(
            "GET",
            "/hub/api/population/v1/persons/X0000001A?fields=given_name",
            &[],
            b"",
        )
        .await;
    assert_eq!(reply.headers["www-authenticate"], "Bearer");
    assert_only_genuine(&world, &token, &reply, 401, "token-missing").await;
}

#[tokio::test]
async fn with_an_expired_token() {
    let (world, token) = ready().await;
    assert_eq!(world.call("GET", TARGET, &token, &[]).await.status, 200);
    world.clock.advance(300);
    let reply = world.call("GET", TARGET, &token, &[]).await;
    assert!(reply.headers["www-authenticate"].contains("invalid_token"));
    assert_refused(&world, &reply, 401, "token-invalid").await;
}

#[tokio::test]
async fn with_a_token_for_another_audience() {
    let (world, token) = ready().await;
    let reading = world.token(&world.bank, "hub.read").await;
    let reply = world.call("GET", TARGET, &reading, &[]).await;
    assert_only_genuine(&world, &token, &reply, 401, "token-invalid").await;
}

#[tokio::test]
async fn with_a_token_that_the_hub_did_not_sign() {
    let (world, token) = ready().await;
    let other = SoftwareKey::generate(Algorithm::EdDsa, &mut signer::os_rng());
    let (signing_input, _) = token.rsplit_once('.').unwrap();
    let signature = keys::Signer::sign(&other, signing_input.as_bytes()).unwrap();
    let forged = format!("{signing_input}.{}", keys::base64url::encode(signature.as_bytes()));
    let reply = world.call("GET", TARGET, &forged, &[]).await;
    assert_only_genuine(&world, &token, &reply, 401, "token-invalid").await;
}

#[tokio::test]
async fn under_a_revoked_grant() {
    let world = World::new().await;
    world.publish().await;
    let grant = world.grant(&world.bank, &world.application()).await;
    let consent = world.consent(&world.consent_terms()).await;
    let token = world
        .token(&world.bank, &format!("grant:{grant} consent:{consent}"))
        .await;
    assert_eq!(world.call("GET", TARGET, &token, &[]).await.status, 200);
    let revocation = json!({"grant": grant, "reason": "The project ended"});
    let statement = world.statement(&world.population, StatementKind::Revocation, &revocation);
    let revoked = world
        .post_statement(&format!("/hub/grants/{grant}/revocation"), &statement)
        .await;
    assert_eq!(
        (revoked.status, revoked.json()["standing"].as_str()),
        (200, Some("revoked"))
    );
    let reply = world.call("GET", TARGET, &token, &[]).await;
    assert_refused(&world, &reply, 403, "grant-revoked").await;
    assert_eq!(world.source.calls(), 1);
}

#[tokio::test]
async fn for_fields_that_were_not_granted() {
    let (world, token) = ready().await;
    let reply = world
        .call("GET", "/persons/X0000001A?fields=given_name,birthdate", &token, &[])
        .await;
    assert!(reply.json()["detail"].as_str().unwrap().contains("birthdate"));
    assert_only_genuine(&world, &token, &reply, 403, "fields-not-granted").await;
}

#[tokio::test]
async fn for_fields_that_the_consent_does_not_cover() {
    let (world, token) = ready().await;
    let reply = world
        .call("GET", "/persons/X0000001A?fields=family_name", &token, &[])
        .await;
    assert_only_genuine(&world, &token, &reply, 403, "consent-fields").await;
}

#[tokio::test]
async fn without_saying_which_fields() {
    let (world, token) = ready().await;
    let reply = world.call("GET", "/persons/X0000001A", &token, &[]).await;
    assert_only_genuine(&world, &token, &reply, 400, "fields-missing").await;
}

#[tokio::test]
async fn about_another_subject_than_the_consents() {
    let (world, token) = ready().await;
    let reply = world
        .call("GET", "/persons/X0000002B?fields=given_name", &token, &[])
        .await;
    assert_only_genuine(&world, &token, &reply, 403, "consent-subject").await;
}

#[tokio::test]
async fn under_an_expired_consent() {
    let world = World::new().await;
    world.publish().await;
    let grant = world.grant(&world.bank, &world.application()).await;
    let consent = world.consent(&world.consent_terms()).await;
    world.clock.advance(3_500);
    let token = world
        .token(&world.bank, &format!("grant:{grant} consent:{consent}"))
        .await;
    assert_eq!(world.call("GET", TARGET, &token, &[]).await.status, 200);
    world.clock.advance(100);
    let reply = world.call("GET", TARGET, &token, &[]).await;
    assert_refused(&world, &reply, 403, "consent-expired").await;
}

#[tokio::test]
async fn under_a_withdrawn_consent() {
    let world = World::new().await;
    world.publish().await;
    let grant = world.grant(&world.bank, &world.application()).await;
    let consent = world.consent(&world.consent_terms()).await;
    let token = world
        .token(&world.bank, &format!("grant:{grant} consent:{consent}"))
        .await;
    assert_eq!(world.call("GET", TARGET, &token, &[]).await.status, 200);
    let withdrawal = world.statement(
        &world.maya,
        StatementKind::ConsentWithdrawal,
        &json!({"consent": consent}),
    );
    let withdrawn = world
        .post_statement(&format!("/hub/consents/{consent}/withdrawal"), &withdrawal)
        .await;
    assert_eq!(withdrawn.status, 200, "{:?}", withdrawn.json());
    let reply = world.call("GET", TARGET, &token, &[]).await;
    assert_refused(&world, &reply, 403, "consent-withdrawn").await;
}

/// A grant with a token that leaves the consent open, and the genuine consent.
async fn with_open_token() -> (World, String, String) {
    let world = World::new().await;
    world.publish().await;
    let grant = world.grant(&world.bank, &world.application()).await;
    let token = world.token(&world.bank, &format!("grant:{grant}")).await;
    let consent = world.consent(&world.consent_terms()).await;
    (world, token, consent)
}

async fn assert_only_genuine_consent(change: impl FnOnce(&mut ConsentTerms), reason: &str) {
    let (world, token, genuine) = with_open_token().await;
    let mut terms = world.consent_terms();
    change(&mut terms);
    let consent = world.consent(&terms).await;
    let reply = world.call("GET", TARGET, &token, &[("consent-id", &consent)]).await;
    assert_refused(&world, &reply, 403, reason).await;
    assert_eq!(world.source.calls(), 0);
    assert_eq!(
        world
            .call("GET", TARGET, &token, &[("consent-id", &genuine)])
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn under_a_consent_for_another_purpose() {
    assert_only_genuine_consent(|terms| terms.purpose = "To advertise".to_owned(), "consent-purpose").await;
}

#[tokio::test]
async fn under_a_consent_for_other_fields() {
    let only = FieldSet::parse_list("birthdate").unwrap();
    assert_only_genuine_consent(|terms| terms.fields = only, "consent-fields").await;
}

#[tokio::test]
async fn under_a_consent_of_another_person() {
    let (world, token, genuine) = with_open_token().await;
    let other = crate::world::Party::person();
    let bound = ("X0000002B".to_owned(), keys::Signer::public_key(&other.key).clone());
    world.directory.subjects.lock().unwrap().push(bound);
    let mut terms = world.consent_terms();
    terms.subject = OpenCommitment::to_subject("X0000002B", &mut signer::os_rng());
    let registered = world.register(&terms, &world.bank, &other).await;
    let id = registered.json()["id"].as_str().unwrap().to_owned();
    let reply = world.call("GET", TARGET, &token, &[("consent-id", &id)]).await;
    assert_refused(&world, &reply, 403, "consent-subject").await;
    assert_eq!(
        world
            .call("GET", TARGET, &token, &[("consent-id", &genuine)])
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn under_a_consent_that_was_given_to_another_consumer() {
    let (world, token, genuine) = with_open_token().await;
    let mut terms = world.consent_terms();
    terms.consumer = world.shop.did();
    let registered = world.register(&terms, &world.shop, &world.maya).await;
    let id = registered.json()["id"].as_str().unwrap().to_owned();
    let reply = world.call("GET", TARGET, &token, &[("consent-id", &id)]).await;
    assert_refused(&world, &reply, 403, "consent-parties").await;
    assert_eq!(
        world
            .call("GET", TARGET, &token, &[("consent-id", &genuine)])
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn under_a_consent_that_nobody_knows() {
    let (world, token, genuine) = with_open_token().await;
    for unknown in ["AAAAAAAAAAAAAAAAAAAAAA", "nonsense"] {
        let reply = world.call("GET", TARGET, &token, &[("consent-id", unknown)]).await;
        assert_refused(&world, &reply, 403, "consent-unknown").await;
    }
    assert_eq!(
        world
            .call("GET", TARGET, &token, &[("consent-id", &genuine)])
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn for_what_the_description_does_not_have() {
    let (world, token) = ready().await;
    for (method, target, status, reason) in [
        ("GET", "/persons", 404, "path-unknown"),
        ("GET", "", 404, "path-unknown"),
        ("GET", "/", 404, "path-unknown"),
        (
            "GET",
            "/persons/../persons/X0000001A?fields=given_name",
            404,
            "path-unknown",
        ),
        (
            "GET",
            "/persons/X0000001A%2Fnotes?fields=given_name",
            404,
            "path-unknown",
        ),
        ("GET", "//persons/X0000001A?fields=given_name", 404, "path-unknown"),
        ("DELETE", TARGET, 405, "method-not-allowed"),
        ("BREW", TARGET, 405, "method-not-allowed"),
        (
            "GET",
            "/persons/X0000001A?fields=given_name&admin=1",
            400,
            "query-parameter",
        ),
        (
            "GET",
            "/persons/X0000001A?fields=given_name&fields=birthdate",
            400,
            "query-parameter",
        ),
    ] {
        let reply = world.call(method, target, &token, &[]).await;
        assert_refused(&world, &reply, status, reason).await;
    }
    let reply = world.call("DELETE", TARGET, &token, &[]).await;
    assert_eq!(reply.headers["allow"], "GET");
    assert_only_genuine(&world, &token, &reply, 405, "method-not-allowed").await;
}

#[tokio::test]
async fn for_an_api_that_is_not_published() {
    let (world, token) = ready().await;
    let authorization = format!("Bearer {token}");
    for path in [
        "/hub/api/population/v2/persons/X0000001A",
        "/hub/api/other/v1/x",
        "/hub/api/UPPER/v1/x",
    ] {
        let reply = world.send("GET", path, &[("authorization", &authorization)], b"").await;
        assert_refused(&world, &reply, 404, "api-unknown").await;
    }
}

#[tokio::test]
async fn with_an_oversized_body() {
    let (world, token) = ready().await;
    let largest = vec![b' '; 64 * 1024];
    let reply = world.call_with_body("GET", TARGET, &token, &[], &largest).await;
    assert_eq!(reply.status, 200);
    let larger = vec![b' '; 64 * 1024 + 1];
    let reply = world.call_with_body("GET", TARGET, &token, &[], &larger).await;
    assert_refused(&world, &reply, 413, "body-too-large").await;
    assert_eq!(world.source.calls(), 1);
}

/// A grant that needs no consent, so that any subject can be called.
async fn without_consent() -> (World, String) {
    let world = World::new().await;
    let mut publication = world.publication();
    publication["consent"] = json!("by-legal-basis");
    let statement = world.statement(&world.population, StatementKind::Publication, &publication);
    assert_eq!(world.post_statement("/hub/catalogue", &statement).await.status, 201);
    let mut application = world.application();
    application["legal_basis"] = json!({"basis": "contract"});
    let grant = world.grant(&world.bank, &application).await;
    let token = world.token(&world.bank, &format!("grant:{grant}")).await;
    (world, token)
}

#[tokio::test]
async fn answers_that_cannot_be_handed_out() {
    let (world, token) = without_consent().await;
    for (subject, status, reason) in [
        ("unknown", 404, "source-status"),
        ("broken", 502, "source-status"),
        ("html", 502, "source-answer"),
        ("large", 502, "source-answer-too-large"),
        ("slow", 504, "source-timeout"),
    ] {
        let reply = world
            .call("GET", &format!("/persons/{subject}?fields=given_name"), &token, &[])
            .await;
        assert_refused(&world, &reply, status, reason).await;
        assert!(!String::from_utf8_lossy(&reply.body).contains("stack trace"));
    }
}

#[tokio::test]
async fn a_source_that_is_down() {
    let mut world = World::new().await;
    // Nothing listens on the discard port of this machine.
    world.upstream = "http://127.0.0.1:9/v1".to_owned();
    world.publish().await;
    let grant = world.grant(&world.bank, &world.application()).await;
    let consent = world.consent(&world.consent_terms()).await;
    let token = world
        .token(&world.bank, &format!("grant:{grant} consent:{consent}"))
        .await;
    let reply = world.call("GET", TARGET, &token, &[]).await;
    assert_refused(&world, &reply, 502, "source-unreachable").await;
}

#[tokio::test]
async fn no_answer_and_no_action_without_evidence() {
    let (world, token) = ready().await;
    assert_eq!(world.call("GET", TARGET, &token, &[]).await.status, 200);
    let before = world.newest_record().await;
    world.evidence_key.is_unplugged.store(true, Ordering::SeqCst);

    let reply = world.call("GET", TARGET, &token, &[]).await;
    assert_eq!((reply.status, reply.problem().as_str()), (503, "evidence-unavailable"));
    assert!(!String::from_utf8_lossy(&reply.body).contains("Maya"));
    let calls = world.source.calls();
    let reply = world.call("POST", "/persons/X0000001A/notes", &token, &[]).await;
    assert_eq!((reply.status, reply.problem().as_str()), (503, "evidence-unavailable"));
    assert_eq!(world.source.calls(), calls, "something was changed without evidence");
    let mut publication = world.publication();
    publication["version"] = json!("v2");
    let statement = world.statement(&world.population, StatementKind::Publication, &publication);
    let reply = world.post_statement("/hub/catalogue", &statement).await;
    assert_eq!((reply.status, reply.problem().as_str()), (503, "evidence-unavailable"));

    world.evidence_key.is_unplugged.store(false, Ordering::SeqCst);
    assert_eq!(world.newest_record().await, before);
    assert_eq!(world.call("GET", TARGET, &token, &[]).await.status, 200);
    // What was refused for want of evidence was not half done.
    assert_eq!(world.post_statement("/hub/catalogue", &statement).await.status, 201);
}

#[tokio::test]
async fn no_answer_without_a_store() {
    let (world, token) = ready().await;
    assert_eq!(world.call("GET", TARGET, &token, &[]).await.status, 200);
    world.store.close().await;
    let reply = world.call("GET", TARGET, &token, &[]).await;
    assert_eq!((reply.status, reply.problem().as_str()), (503, "evidence-unavailable"));
    assert_eq!(world.source.calls(), 1);
}
