//! One record of statuses and its two views.

use credential::Facts;
use credential::Unverified;
use credential::VcJwt;
use credential::status_list::Status;
use credential::status_list::StatusList;
use credential::status_list::StatusPurpose;
use credential::status_list::UnverifiedStatusListToken;
use keys::Signer as _;
use trust::merkle::Hash;
use trust::status_bits::StatusBits;

use crate::formats::FORMATS;
use crate::formats::accepted;
use crate::formats::holder;
use crate::service::NOW;
use crate::service::Service;
use crate::service::by_did_key;

/// The list that a credential names, fetched and checked as its standard demands.
async fn fetched(service: &Service, facts: &Facts) -> (StatusList, Vec<u8>) {
    let reference = &facts.status()[0];
    let answer = service.get(reference.uri()).await;
    assert_eq!(answer.status, 200);
    let text = std::str::from_utf8(&answer.body).unwrap();
    let (did, key) = (&service.identity.did, service.identity.es256.public_key());
    let list = match reference.purpose() {
        None => {
            assert_eq!(answer.content_type(), Some("application/statuslist+jwt"));
            let token = UnverifiedStatusListToken::parse(text).unwrap();
            token.authenticate(key, did, reference.uri(), NOW).unwrap()
        }
        Some(purpose) => {
            assert_eq!(answer.content_type(), Some("application/vc+jwt"));
            assert_eq!(*purpose, StatusPurpose::Revocation);
            let credential = Unverified::<VcJwt>::parse(text).unwrap();
            let authentic = credential.authenticate(key, did, NOW).unwrap();
            StatusList::from_bitstring_credential(&authentic, reference.uri(), purpose).unwrap()
        }
    };
    (list, answer.body)
}

#[tokio::test]
async fn what_is_served_is_what_was_committed_in_both_views() {
    let service = Service::start().await;
    let mut compacts = Vec::new();
    for format in FORMATS {
        let key = holder(format);
        let credentials = service.obtain(format, &[(&key, by_did_key(&key))]).await.credentials();
        let (facts, _) = accepted(&service, format, &credentials[0]);
        let (list, bytes) = fetched(&service, &facts).await;
        assert_eq!(list.read(&facts.status()[0]).unwrap().status(), Status::Valid);
        let (committed, compact) = service.registry.committed(facts.issuer(), list.uri()).unwrap();
        assert_eq!(committed.tokens[0].digest, Hash::digest(&bytes), "{format}");
        let purpose = (format != "dc+sd-jwt").then(|| "revocation".to_owned());
        assert_eq!(committed.purpose, purpose);
        compacts.push(compact);
    }
    assert_eq!(compacts[0], compacts[1]);
}

#[tokio::test]
async fn revoked_credential_of_any_format_is_revoked_in_both_views() {
    for format in FORMATS {
        let service = Service::start().await;
        let key = holder(format);
        let credentials = service.obtain(format, &[(&key, by_did_key(&key))]).await.credentials();
        let (facts, _) = accepted(&service, format, &credentials[0]);
        let before = service
            .registry
            .committed(facts.issuer(), facts.status()[0].uri())
            .unwrap();
        service.revoke(format).await;
        let (list, bytes) = fetched(&service, &facts).await;
        assert_eq!(
            list.read(&facts.status()[0]).unwrap().status(),
            Status::Invalid,
            "{format}"
        );

        let token_uri = facts.status()[0].uri().trim_end_matches("/bitstring").to_owned();
        let index = u64::try_from(facts.status()[0].index()).unwrap();
        for uri in [token_uri.clone(), format!("{token_uri}/bitstring")] {
            let (committed, compact) = service.registry.committed(facts.issuer(), &uri).unwrap();
            assert!(committed.epoch > before.0.epoch);
            let bits = StatusBits::from_compact(&committed, &compact).unwrap();
            assert_eq!(bits.get(index), Some(1), "{format} {uri}");
            if uri == list.uri() {
                assert_eq!(committed.tokens[0].digest, Hash::digest(&bytes));
            }
        }
    }
}

#[tokio::test]
async fn list_that_is_not_there_is_not_found() {
    let service = Service::start().await;
    for path in ["status/none", "status/none/bitstring"] {
        let answer = service.get(&format!("{}/{path}", service.identifier())).await;
        assert_eq!(answer.status, 404, "{path}");
    }
}
