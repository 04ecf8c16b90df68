//! One record of statuses and its views.

use std::collections::BTreeMap;

use credential::LdpVc;
use credential::Unverified;
use credential::VcJwt;
use credential::status_list::BitstringPurpose;
use credential::status_list::BitstringStatusList;
use credential::status_list::MIN_ENTRIES;
use credential::status_list::Status;
use credential::status_list::StatusList;
use credential::status_list::StatusListAggregation;
use credential::status_list::StatusPurpose;
use credential::status_list::StatusReference;
use credential::status_list::UnverifiedStatusListCwt;
use credential::status_list::UnverifiedStatusListToken;
use jsonld::ContextLoader;
use keys::Signer as _;
use serde_json::json;
use server::fetch::Fetched;
use trust::entry::TokenFormat;
use trust::merkle::Hash;
use trust::status_bits::StatusBits;

use crate::formats::FORMATS;
use crate::formats::accepted;
use crate::formats::holder;
use crate::service::NOW;
use crate::service::Service;
use crate::service::by_did_key;
use crate::service::json_of;

/// A list in every form that is published, each fetched and checked as its standard demands.
struct Views {
    uri: String,
    tokens: [StatusList; 2],
    bitstrings: Vec<(StatusPurpose, BitstringStatusList)>,
    bytes: BTreeMap<(String, &'static str), Vec<u8>>,
}

impl Views {
    async fn fetch(service: &Service, uri: &str) -> Self {
        let mut bytes = BTreeMap::new();
        let mut get = async |uri: &str, media_type: &'static str| {
            let answer = service.get(uri, &[("accept", media_type)]).await;
            assert_eq!((answer.status, answer.content_type()), (200, Some(media_type)), "{uri}");
            bytes.insert((uri.to_owned(), media_type), answer.body.clone());
            answer.body
        };
        let (did, es256, eddsa) = (
            &service.identity.did,
            service.identity.es256.public_key(),
            service.identity.eddsa.public_key(),
        );
        let now = service.clock.now();
        let jwt = get(uri, "application/statuslist+jwt").await;
        let jwt = UnverifiedStatusListToken::parse(std::str::from_utf8(&jwt).unwrap()).unwrap();
        let cwt = UnverifiedStatusListCwt::parse(&get(uri, "application/statuslist+cwt").await).unwrap();
        assert_eq!(jwt.key_id().map(str::as_bytes), cwt.key_id());
        let tokens = [
            jwt.authenticate(es256, did, uri, now).unwrap(),
            cwt.authenticate(es256, did, uri, now).unwrap(),
        ];
        let mut bitstrings = Vec::new();
        for purpose in BitstringPurpose::ALL.map(StatusPurpose::from) {
            let uri = format!("{uri}/{}", purpose.as_str());
            let jose = get(&uri, "application/vc+jwt").await;
            let jose = Unverified::<VcJwt>::parse(std::str::from_utf8(&jose).unwrap()).unwrap();
            let jose = jose.authenticate(es256, did, now).unwrap();
            let proof = get(&uri, "application/vc").await;
            let proof = Unverified::<LdpVc>::parse(std::str::from_utf8(&proof).unwrap()).unwrap();
            let proof = proof.authenticate(eddsa, did, &ContextLoader::bundled(), now).unwrap();
            bitstrings.push((
                purpose.clone(),
                BitstringStatusList::from_credential(&jose, &uri).unwrap(),
            ));
            bitstrings.push((purpose, BitstringStatusList::from_credential(&proof, &uri).unwrap()));
        }
        Self {
            uri: uri.to_owned(),
            tokens,
            bitstrings,
            bytes,
        }
    }

    /// What every form says about a place; they must say the same.
    fn status(&self, index: usize) -> Status {
        let reference = StatusReference::token_status_list(self.uri.clone(), index);
        let [jwt, cwt] = self
            .tokens
            .each_ref()
            .map(|token| token.read(&reference).unwrap().status());
        assert_eq!(jwt, cwt, "{index}");
        for (purpose, list) in &self.bitstrings {
            let reference = StatusReference::bitstring(list.uri().to_owned(), index, purpose.clone());
            let is_set = list.read(&reference).unwrap().value() == 1;
            let shown = match jwt {
                Status::Invalid => *purpose == StatusPurpose::Revocation,
                Status::Suspended => *purpose == StatusPurpose::Suspension,
                Status::Valid => false,
                Status::Other(_) => panic!("{index}: {jwt:?}"),
            };
            assert_eq!(is_set, shown, "{index} {purpose:?}");
        }
        jwt
    }

    /// What was served is what the registry has, and bundles say the same.
    fn check_commitments(&self, service: &Service) {
        let mut digests = Vec::new();
        for (view, purpose) in [
            ("", None),
            ("/revocation", Some("revocation")),
            ("/suspension", Some("suspension")),
        ] {
            let uri = format!("{}{view}", self.uri);
            let (list, compact) = service.registry.committed(&service.identity.did, &uri).unwrap();
            assert_eq!(list.purpose.as_deref(), purpose);
            for token in &list.tokens {
                let media_type = match token.format {
                    TokenFormat::Jwt => "application/statuslist+jwt",
                    TokenFormat::Cwt => "application/statuslist+cwt",
                    TokenFormat::Bitstring => "application/vc+jwt",
                    TokenFormat::BitstringProof => "application/vc",
                };
                assert_eq!(
                    token.digest,
                    Hash::digest(&self.bytes[&(uri.clone(), media_type)]),
                    "{uri}"
                );
            }
            assert_eq!(list.tokens.len(), 2);
            let bits = StatusBits::from_compact(&list, &compact).unwrap();
            assert_eq!(bits.bytes(), self.tokens[0].array().packed());
            digests.push((list.compact, list.epoch));
        }
        assert!(digests.iter().all(|one| *one == digests[0]), "one record: {digests:?}");
    }
}

/// Issues one credential for each of `count` keys; the list, and the places.
async fn issued(service: &Service, format: &str, count: usize) -> (String, Vec<usize>) {
    let keys: Vec<_> = (0..count).map(|_| holder(format)).collect();
    let holders: Vec<_> = keys.iter().map(|key| (key, by_did_key(key))).collect();
    let credentials = service.obtain(format, &holders).await.credentials();
    let facts: Vec<_> = credentials.iter().map(|one| accepted(service, format, one).0).collect();
    let uri = facts[0].status()[0].uri();
    let uri = uri.strip_suffix("/revocation").unwrap_or(uri).to_owned();
    (uri, facts.iter().map(|facts| facts.status()[0].index()).collect())
}

#[tokio::test]
async fn what_is_served_is_what_was_committed_in_every_view() {
    let service = Service::start().await;
    let mut lists = Vec::new();
    for format in FORMATS {
        let (uri, places) = issued(&service, format, 1).await;
        let views = Views::fetch(&service, &uri).await;
        views.check_commitments(&service);
        assert_eq!(views.status(places[0]), Status::Valid, "{format}");
        lists.push(uri);
    }
    assert_eq!(lists[0], lists[2], "one list for every format of a type");
}

#[tokio::test]
async fn changed_credential_of_any_format_is_changed_in_every_view() {
    for format in FORMATS {
        let service = Service::start().await;
        let (uri, places) = issued(&service, format, 1).await;
        let id = &service.ids().await[0];
        for (change, name, status) in [
            ("suspend", "suspended", Status::Suspended),
            ("reinstate", "valid", Status::Valid),
            ("suspend", "suspended", Status::Suspended),
            ("revoke", "revoked", Status::Invalid),
        ] {
            // What is done twice is done.
            for _ in 0..2 {
                let answer = service.change(id, change).await;
                let expected = json!({"id": id, "status": name, "committed": true});
                assert_eq!((answer.status, answer.body), (200, expected), "{format} {change}");
            }
            let views = Views::fetch(&service, &uri).await;
            views.check_commitments(&service);
            assert_eq!(views.status(places[0]), status, "{format} {change}");
        }
        for change in ["reinstate", "suspend"] {
            let answer = service.change(id, change).await;
            assert_eq!(answer.status, 409, "{}", answer.body);
            assert_eq!(answer.body["type"], "https://attestry.example/problems/revoked");
        }
        assert_eq!(Views::fetch(&service, &uri).await.status(places[0]), Status::Invalid);
        assert_eq!(service.change("none", "suspend").await.status, 404);
    }
}

/// Two processes commit the same list; the first one's answer from the registry comes last.
#[tokio::test]
async fn a_process_that_learns_late_of_its_commitment_does_not_publish_an_older_list() {
    let service = Service::start().await;
    let format = FORMATS[0];
    let (uri, places) = issued(&service, format, 2).await;
    let other = service.another().await;
    let ids = service.ids().await;
    let (release, delay) = tokio::sync::oneshot::channel();
    *service.registry.delay.lock().unwrap() = Some(delay);
    let late = service.change(&ids[0], "revoke");
    let soon = async {
        while service.registry.delay.lock().unwrap().is_some() {
            tokio::task::yield_now().await;
        }
        let answer = other.change(&ids[1], "revoke").await;
        release.send(()).unwrap();
        answer
    };
    let (late, soon) = tokio::join!(late, soon);
    for answer in [late, soon] {
        assert_eq!(answer.body["committed"], true, "{}", answer.body);
    }
    let views = Views::fetch(&service, &uri).await;
    views.check_commitments(&service);
    assert!(places.iter().all(|place| views.status(*place) == Status::Invalid));
}

/// Three states are reached in two changes, so every sequence of two, each on a credential of its own, has every change
/// of every state; and no sequence makes the views differ in any place of the list.
#[tokio::test]
async fn whatever_is_done_all_views_say_the_same_of_every_place() {
    const CHANGES: [&str; 3] = ["suspend", "reinstate", "revoke"];
    let service = Service::start().await;
    let (uri, places) = issued(&service, "dc+sd-jwt", CHANGES.len().pow(2)).await;
    let mut expected = vec![0; 3];
    for (number, id) in service.ids().await.iter().enumerate() {
        let mut status = Status::Valid;
        for change in [CHANGES[number / 3], CHANGES[number % 3]] {
            let after = match (status, change) {
                (_, "revoke") => Some(Status::Invalid),
                (Status::Invalid, _) => None,
                (_, "suspend") => Some(Status::Suspended),
                _ => Some(Status::Valid),
            };
            let answer = service.change(id, change).await;
            assert_eq!(
                answer.status,
                if after.is_some() { 200 } else { 409 },
                "{status:?} {change}"
            );
            status = after.unwrap_or(status);
        }
        expected[usize::from(status.value())] += 1;
    }
    let views = Views::fetch(&service, &uri).await;
    views.check_commitments(&service);
    let mut found = vec![0; 3];
    for index in 0..MIN_ENTRIES {
        let status = views.status(index);
        if places.contains(&index) {
            found[usize::from(status.value())] += 1;
        } else {
            assert_eq!(status, Status::Valid, "{index}");
        }
    }
    assert_eq!(found, expected);
}

#[tokio::test]
async fn the_form_is_the_one_that_is_asked_for() {
    let service = Service::start().await;
    let (uri, _) = issued(&service, "dc+sd-jwt", 1).await;
    let revocation = format!("{uri}/revocation");
    for (uri, accept, content_type) in [
        (&uri, None, "application/statuslist+jwt"),
        (&uri, Some("*/*"), "application/statuslist+jwt"),
        (
            &uri,
            Some("application/statuslist+jwt;q=0.1, application/statuslist+cwt"),
            "application/statuslist+cwt",
        ),
        (&revocation, None, "application/vc+jwt"),
        (&revocation, Some("application/vc"), "application/vc"),
        (&revocation, Some("application/json"), "application/json"),
    ] {
        let headers: Vec<_> = accept.map(|accept| ("accept", accept)).into_iter().collect();
        let answer = service.get(uri, &headers).await;
        assert_eq!(
            (answer.status, answer.content_type()),
            (200, Some(content_type)),
            "{accept:?}"
        );
        assert_eq!(answer.headers["vary"], "accept");
        assert_eq!(answer.headers["access-control-allow-origin"], "*");
    }
    for (uri, accept) in [
        (&uri, "application/vc+jwt"),
        (&uri, "text/html"),
        (&revocation, "application/statuslist+cwt"),
        (&revocation, "application/vc+jwt;q=0"),
    ] {
        let answer = service.get(uri, &[("accept", accept)]).await;
        assert_eq!(answer.status, 406, "{accept}");
    }
}

#[tokio::test]
async fn caches_keep_a_list_for_its_time_to_live_and_not_beyond_its_end() {
    let service = Service::start().await;
    let (uri, _) = issued(&service, "dc+sd-jwt", 1).await;
    let first = service.get(&uri, &[]).await;
    let list = Views::fetch(&service, &uri).await.tokens[0].clone();
    let refresh = list.lifetime().refresh_at(NOW).unwrap().seconds_since(NOW);
    assert_eq!(first.headers["cache-control"], format!("public, max-age={refresh}"));
    let end = list.lifetime().valid_until().unwrap();
    for (left, max_age) in [(100, 100), (0, 0), (-1, 0)] {
        service
            .clock
            .advance(end.minus(left).seconds_since(service.clock.now()));
        let answer = service.get(&uri, &[]).await;
        assert_eq!(answer.headers["cache-control"], format!("public, max-age={max_age}"));
    }
    service.clock.advance(NOW.seconds_since(service.clock.now()));

    let tag = first.headers["etag"].as_str();
    let known = async |tag: &str| service.get(&uri, &[("if-none-match", tag)]).await;
    let unchanged = known(&format!("\"other\", {tag}")).await;
    assert_eq!((unchanged.status, unchanged.body.len()), (304, 0));
    assert_eq!(unchanged.headers["etag"], tag);
    assert_eq!(known("\"other\"").await.status, 200);
    let id = &service.ids().await[0];
    assert_eq!(service.change(id, "suspend").await.status, 200);
    assert_eq!(known(tag).await.status, 200, "another list");
}

#[tokio::test]
async fn every_list_is_in_the_aggregation_that_the_metadata_link() {
    let service = Service::start().await;
    let metadata = service.server_metadata().await;
    let endpoint = metadata["status_list_aggregation_endpoint"].as_str().unwrap();
    let aggregation = async || {
        let answer = service.get(endpoint, &[]).await;
        assert_eq!((answer.status, answer.content_type()), (200, Some("application/json")));
        StatusListAggregation::parse(&answer.body).unwrap().status_lists
    };
    assert!(aggregation().await.is_empty());
    let (uri, _) = issued(&service, "dc+sd-jwt", 1).await;
    assert_eq!(aggregation().await, [uri.as_str()]);
    let views = Views::fetch(&service, &uri).await;
    assert!(
        views
            .tokens
            .iter()
            .all(|token| token.aggregation_uri() == Some(endpoint))
    );
}

#[tokio::test]
async fn lists_of_the_past_are_not_published() {
    let service = Service::start().await;
    let (uri, _) = issued(&service, "dc+sd-jwt", 1).await;
    let problem = |answer: Fetched| (answer.status, json_of(&answer)["type"].clone());
    let past = service.get(&format!("{uri}?time=1686925000"), &[]).await;
    assert_eq!(
        problem(past),
        (501, json!("https://attestry.example/problems/historical"))
    );
    let past = service
        .get(&format!("{uri}/revocation?timestamp=2026-01-01T00:00:00Z"), &[])
        .await;
    let retrieval = "https://www.w3.org/ns/credentials/status-list#STATUS_RETRIEVAL_ERROR";
    assert_eq!(problem(past), (501, json!(retrieval)));
}

#[tokio::test]
async fn list_that_is_not_there_is_not_found() {
    let service = Service::start().await;
    let (uri, _) = issued(&service, "dc+sd-jwt", 1).await;
    let none = format!("{}/status/none", service.identifier());
    for uri in [none.clone(), format!("{none}/revocation"), format!("{uri}/refresh")] {
        assert_eq!(service.get(&uri, &[]).await.status, 404, "{uri}");
    }
}
