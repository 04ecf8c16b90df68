//! Claims come out only for complete evidence about the credential at hand.

use keys::Algorithm;
use keys::Signer as _;
use serde_json::json;

use super::*;
use crate::SdJwtVc;
use crate::sd_jwt_vc::tests::ISSUER;
use crate::sd_jwt_vc::tests::LIST;
use crate::sd_jwt_vc::tests::NOW;
use crate::sd_jwt_vc::tests::Scene;
use crate::sd_jwt_vc::tests::VCT;
use crate::sd_jwt_vc::tests::transaction;
use crate::status_list::BitsPerEntry;
use crate::status_list::Status;
use crate::status_list::StatusArray;
use crate::status_list::StatusList;

fn evidence(authentic: &Authentic<SdJwtVc>) -> ReleaseEvidence {
    let array = StatusArray::new(BitsPerEntry::Two, 16);
    let list = StatusList::of_status_types(ISSUER.to_owned(), LIST.to_owned(), array, NOW.minus(60));
    ReleaseEvidence {
        authority: AuthorityFact {
            issuer: ISSUER.to_owned(),
            types: vec![VCT.to_owned(), "urn:example:base".to_owned()],
        },
        status: authentic
            .facts()
            .status()
            .iter()
            .map(|reference| list.read(reference).unwrap())
            .collect(),
        freshness: Freshness {
            now: NOW,
            as_of: NOW.minus(30),
            staleness: Staleness::RefuseAfter(60),
        },
        holder_binding: authentic.verify_key_binding(&transaction()).unwrap(),
    }
}

#[test]
fn the_whole_way_from_issuer_to_claims() {
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa] {
        let scene = Scene::new(algorithm);
        let held = scene.hold();
        assert_eq!(held.claims()["address"], json!({"city": "B", "country": "C"}));
        let paths: Vec<String> = held
            .disclosable_paths()
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(paths.len(), 5, "{paths:?}");

        let presented = scene.present(json!([["address", "city"], ["nationalities", 1]]));
        let unverified = Unverified::<SdJwtVc>::parse(&presented).unwrap();
        assert_eq!(unverified.issuer(), Ok(ISSUER));
        assert_eq!(unverified.type_hint(), Ok(VCT));
        assert_eq!(
            unverified.verification_method(),
            Ok("did:example:issuer#key-1".to_owned())
        );
        let authentic = unverified.authenticate(scene.issuer.public_key(), ISSUER, NOW).unwrap();
        let facts = authentic.facts();
        assert_eq!(facts.types(), [VCT, "urn:example:base"]);
        assert_eq!(facts.holder(), Some(&HolderKey::Key(scene.holder.public_key().clone())));
        assert_eq!(
            (facts.valid_from(), facts.valid_until()),
            (Some(NOW.minus(10)), Some(NOW.plus(1000)))
        );
        assert_eq!(facts.issued_at(), Some(NOW.minus(10)));
        assert_eq!(facts.key_id(), Some("did:example:issuer#key-1"));
        assert_eq!(facts.type_integrity(), Some("sha256-x"));
        assert_eq!(facts.key(), scene.issuer.public_key());

        let complete = evidence(&authentic);
        assert!(complete.holder_binding.is_proven());
        let (_, claims) = authentic.release(&complete).unwrap().into_parts();
        assert_eq!(claims["address"], json!({"city": "B", "country": "C"}));
        assert_eq!(claims["nationalities"], json!(["E"]));
        assert_eq!(claims["open"], json!(true));
        assert!(!claims.contains_key("name") && !claims.contains_key("_sd") && !claims.contains_key("_sd_alg"));
    }
}

#[test]
fn claims_are_released_only_for_evidence_about_this_credential() {
    let scene = Scene::new(Algorithm::EdDsa);
    let presented = scene.present(json!([["name"]]));
    let other = scene.authenticate(&scene.present(json!([["name"]]))).unwrap();
    let release = |change: &dyn Fn(&mut ReleaseEvidence)| {
        let authentic = scene.authenticate(&presented).unwrap();
        let mut changed = evidence(&authentic);
        assert!(scene.authenticate(&presented).unwrap().release(&changed).is_ok());
        change(&mut changed);
        authentic.release(&changed).err()
    };
    assert_eq!(release(&|_| ()), None);
    assert!(matches!(
        release(&|e| e.authority.issuer.push('x')),
        Some(ReleaseError::IssuerWithoutAuthority { .. })
    ));
    assert!(matches!(
        release(&|e| e.authority.types.truncate(1)),
        Some(ReleaseError::TypeWithoutAuthority { .. })
    ));
    assert!(matches!(
        release(&|e| e.status.clear()),
        Some(ReleaseError::StatusNotRead { .. })
    ));
    for status in [Status::Invalid, Status::Suspended, Status::Other(3)] {
        let refused = release(&|e| {
            let mut array = StatusArray::new(BitsPerEntry::Two, 16);
            array.set(3, status).unwrap();
            let list = StatusList::of_status_types(ISSUER.to_owned(), LIST.to_owned(), array, NOW);
            e.status = vec![
                list.read(&StatusReference::token_status_list(LIST.to_owned(), 3))
                    .unwrap(),
            ];
        });
        assert_eq!(refused, Some(ReleaseError::NotValid));
    }
    let elsewhere = release(&|e| {
        let list = StatusList::of_status_types(
            ISSUER.to_owned(),
            LIST.to_owned(),
            StatusArray::new(BitsPerEntry::Two, 16),
            NOW,
        );
        e.status = vec![
            list.read(&StatusReference::token_status_list(LIST.to_owned(), 4))
                .unwrap(),
        ];
    });
    assert!(matches!(elsewhere, Some(ReleaseError::StatusNotRead { .. })));
    let foreign = release(&|e| {
        let array = StatusArray::new(BitsPerEntry::Two, 16);
        let list = StatusList::of_status_types("did:example:other".to_owned(), LIST.to_owned(), array, NOW);
        e.status = vec![
            list.read(&StatusReference::token_status_list(LIST.to_owned(), 3))
                .unwrap(),
        ];
    });
    assert!(matches!(foreign, Some(ReleaseError::StatusOfAnother { .. })));
    assert!(matches!(
        release(&|e| e.freshness.now = NOW.plus(1)),
        Some(ReleaseError::Stale { limit: 60, age: 61 })
    ));
    assert!(matches!(
        release(&|e| e.freshness.as_of = NOW.minus(61)),
        Some(ReleaseError::Stale { .. })
    ));
    let any_age = release(&|e| {
        e.freshness = Freshness {
            now: NOW.plus(999),
            as_of: NOW,
            staleness: Staleness::AcceptAnyAge,
        };
    });
    assert_eq!(any_age, None);
    let expired = release(&|e| {
        e.freshness = Freshness {
            now: NOW.plus(1000),
            as_of: NOW,
            staleness: Staleness::AcceptAnyAge,
        };
    });
    assert!(matches!(expired, Some(ReleaseError::Validity(_))));
    let binding = release(&|e| e.holder_binding = other.verify_key_binding(&transaction()).unwrap());
    assert_eq!(binding, Some(ReleaseError::HolderBindingOfAnother));
    let waived = scene.authenticate(&presented).unwrap().waive_holder_binding();
    assert!(!waived.is_proven());
    assert_eq!(release(&|e| e.holder_binding = waived.clone()), None);
}

#[test]
fn debug_output_has_no_claims() {
    let scene = Scene::new(Algorithm::EdDsa);
    let presented = scene.present(json!([["address"]]));
    let authentic = scene.authenticate(&presented).unwrap();
    let complete = evidence(&authentic);
    let texts = [
        format!("{:?}", Unverified::<SdJwtVc>::parse(&presented).unwrap()),
        format!("{authentic:?}"),
        format!("{:?}", scene.hold()),
        format!("{:?}", authentic.release(&complete).unwrap()),
    ];
    for text in texts {
        assert!(!text.contains("city") && !text.contains("country"), "{text}");
    }
}
