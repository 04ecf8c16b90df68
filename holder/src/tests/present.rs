//! What a person is shown is what leaves, and nothing else.

use credential::SdJwtVc;
use credential::Transaction;
use credential::Unverified;
use keys::Signer as _;
use openid4vc::CredentialFormat;
use openid4vc::vci::configuration::CredentialMetadata;
use serde_json::Value;
use serde_json::json;

use super::DAY;
use super::ISSUER;
use super::Issued;
use super::NOW;
use super::Scene;
use super::object;
use crate::CredentialRecord;
use crate::Holdings;
use crate::OpenError;
use crate::PresentationStep;
use crate::Proposal;
use crate::ProposalError;
use crate::ProposedCredential;
use crate::UnsignedPresentation;
use crate::Verifier;
use crate::envelope;

fn holdings(records: Vec<CredentialRecord>) -> Holdings {
    Holdings::open(records).unwrap()
}

/// Label, value and whether it was asked for, as the person reads them.
fn shown(proposal: &Proposal<'_>) -> Vec<(String, String, bool)> {
    let disclosed = proposal.credentials().iter().flat_map(ProposedCredential::disclosed);
    disclosed
        .map(|one| (one.claim.label.clone(), one.claim.value_text(), one.requested))
        .collect()
}

fn line(label: &str, value: &str, requested: bool) -> (String, String, bool) {
    (label.to_owned(), value.to_owned(), requested)
}

fn ids(proposal: &Proposal<'_>) -> Vec<String> {
    let credentials = proposal.credentials().iter();
    credentials.map(|one| one.record().id.clone()).collect()
}

#[test]
fn only_what_is_asked_for_is_shown_and_leaves() {
    let scene = Scene::new();
    let holdings = holdings(vec![scene.record("a1", Issued::default())]);
    let request = scene.ask(&json!([{"path": ["age_over_18"]}]));
    let proposal = holdings.propose(&request, &[], NOW, &mut signer::os_rng()).unwrap();
    assert_eq!(proposal.verifier(), Verifier::Did("did:example:verifier".to_owned()));
    let expected = [
        line("Adult", "true", true),
        // Not withheld by the issuer's choice: the shell of the address, an empty list, and the country.
        line("Address", "{}", false),
        line("issuing_country", "XA", false),
        line("nationalities", "[]", false),
    ];
    assert_eq!(shown(&proposal), expected);

    let unsigned = proposal.present(NOW, &mut signer::os_rng()).unwrap();
    let signed = unsigned.into_iter().map(|one| {
        let PresentationStep::Sign { holder_key, signing } = one.step else {
            panic!("to be signed")
        };
        assert_eq!(holder_key, "keys/a1");
        (one.query_id, scene.holder.fulfil(signing).unwrap())
    });
    let vp_token = UnsignedPresentation::collect(signed.collect());
    let presented: Vec<_> = vp_token.iter().collect();
    let [("pid", Value::String(text))] = presented.as_slice() else {
        panic!("one presentation, found {presented:?}")
    };
    let authentic = Unverified::<SdJwtVc>::parse(text)
        .unwrap()
        .authenticate(scene.issuer.public_key(), ISSUER, NOW)
        .unwrap();
    let transaction = Transaction {
        audience: "decentralized_identifier:did:example:verifier",
        nonce: &request.request().nonce,
        now: NOW,
        max_age: 60,
    };
    assert!(authentic.verify_key_binding(&transaction).unwrap().is_proven());
    // Without its key binding a wallet could read it, and so can this test.
    let bare = text.rsplit_once('~').unwrap().0.to_owned() + "~";
    let seen = Unverified::<SdJwtVc>::parse(&bare)
        .unwrap()
        .restore(scene.issuer.public_key(), ISSUER)
        .unwrap();
    let mut claims = seen.claims().clone();
    claims.retain(|name, _| !envelope(&CredentialFormat::SdJwtVc).contains(&name.as_str()));
    let leaves = json!({"age_over_18": true, "address": {}, "issuing_country": "XA", "nationalities": []});
    assert_eq!(claims, object(leaves));
}

#[test]
fn nested_claims_and_single_elements_are_shown_one_by_one() {
    let scene = Scene::new();
    let holdings = holdings(vec![scene.record("a1", Issued::default())]);
    let request = scene.ask(&json!([{"path": ["address"]}, {"path": ["nationalities", 1]}]));
    let expected = [
        line("Address.country", "XA", true),
        line("Town", "Riverside", true),
        line("issuing_country", "XA", false),
        line("nationalities", r#"["XB"]"#, true),
    ];
    assert_eq!(
        shown(&holdings.propose(&request, &[], NOW, &mut signer::os_rng()).unwrap()),
        expected
    );
}

#[test]
fn a_number_of_the_person_in_sub_is_shown() {
    let scene = Scene::new();
    let mut issued = Issued::default();
    issued.claims["sub"] = "X0000001A".into();
    let holdings = holdings(vec![scene.record("a1", issued)]);
    let request = scene.ask(&json!([{"path": ["age_over_18"]}]));
    let shown = shown(&holdings.propose(&request, &[], NOW, &mut signer::os_rng()).unwrap());
    assert!(shown.contains(&line("sub", "X0000001A", false)), "{shown:?}");
}

#[test]
fn a_claim_that_is_not_asked_for_does_not_leave_with_a_wallet_of_two() {
    let scene = Scene::new();
    let licence = Issued {
        vct: "urn:licence",
        claims: json!({"licence_number": "L1"}),
        disclosable: json!([["licence_number"]]),
        ..Issued::default()
    };
    let holdings = holdings(vec![scene.record("a1", licence), scene.record("b2", Issued::default())]);
    let request = scene.ask(&json!([{"path": ["family_name"]}]));
    let proposal = holdings.propose(&request, &[], NOW, &mut signer::os_rng()).unwrap();
    assert_eq!(ids(&proposal), ["b2"]);
    assert!(!format!("{:?}", shown(&proposal)).contains("L1"));
}

#[test]
fn the_text_of_issuers_cannot_command_the_screen() {
    let scene = Scene::new();
    let mut issued = Issued::default();
    issued.claims["family_name"] = "D\u{1b}[31moe\u{202e}".into();
    let record = scene.record("a1", issued);
    let held = record.open().unwrap();
    assert_eq!(held.name(&record, &["en"]), "Person\u{fffd}[2J identity");
    assert_eq!(held.name(&record, &["fr"]), "Ausweis");
    let unnamed = CredentialRecord {
        metadata: CredentialMetadata::default(),
        ..record.clone()
    };
    assert_eq!(held.name(&unnamed, &["en"]), "urn:pid");
    let holdings = holdings(vec![record]);
    let request = scene.ask(&json!([{"path": ["family_name"]}]));
    let shown = shown(&holdings.propose(&request, &[], NOW, &mut signer::os_rng()).unwrap());
    assert_eq!(shown[0], line("Family\u{fffd} name", "D\u{fffd}[31moe\u{fffd}", true));
}

#[test]
fn what_is_not_valid_now_is_not_proposed() {
    let scene = Scene::new();
    let request = scene.ask(&json!([{"path": ["age_over_18"]}]));
    let expired = || Issued {
        valid_until: Some(NOW),
        ..Issued::default()
    };
    let future = || Issued {
        valid_from: Some(NOW.plus(1)),
        ..Issued::default()
    };
    let only_expired = holdings(vec![scene.record("a1", expired()), scene.record("b2", future())]);
    let error = only_expired
        .propose(&request, &[], NOW, &mut signer::os_rng())
        .unwrap_err();
    assert!(
        matches!(&error, ProposalError::NotValidNow { ids } if ids == &["a1", "b2"]),
        "{error}"
    );
    // A second earlier it was valid.
    assert_eq!(
        ids(&only_expired
            .propose(&request, &[], NOW.minus(1), &mut signer::os_rng())
            .unwrap()),
        ["a1"]
    );
    let both = holdings(vec![
        scene.record("a1", expired()),
        scene.record("c3", Issued::default()),
    ]);
    assert_eq!(
        ids(&both.propose(&request, &[], NOW, &mut signer::os_rng()).unwrap()),
        ["c3"]
    );
    // Also not when the person asks for it.
    let chosen = both.propose(&request, &["a1".to_owned()], NOW, &mut signer::os_rng());
    assert!(matches!(chosen, Err(ProposalError::NotAsked { id }) if id == "a1"));
}

#[test]
fn what_the_wallet_lacks_is_named_by_the_request_s_own_ids() {
    let scene = Scene::new();
    let holdings = holdings(vec![scene.record("a1", Issued::default())]);
    for claims in [
        json!([{"path": ["iris_scan"]}]),
        json!([{"path": ["age_over_18"], "values": [false]}]),
    ] {
        let error = holdings
            .propose(&scene.ask(&claims), &[], NOW, &mut signer::os_rng())
            .unwrap_err();
        assert!(
            matches!(&error, ProposalError::Lacking { query_ids } if query_ids == &["pid"]),
            "{error}"
        );
    }
}

#[test]
fn the_chosen_credential_is_used() {
    let scene = Scene::new();
    let records = ["a1", "b2", "c3"].map(|id| scene.record(id, Issued::default()));
    let holdings = holdings(records.to_vec());
    let request = scene.ask(&json!([{"path": ["age_over_18"]}]));
    assert_eq!(
        ids(&holdings.propose(&request, &[], NOW, &mut signer::os_rng()).unwrap()),
        ["a1"]
    );
    let chosen = |chosen: &[&str]| {
        let chosen: Vec<String> = chosen.iter().map(|id| (*id).to_owned()).collect();
        holdings.propose(&request, &chosen, NOW, &mut signer::os_rng())
    };
    assert_eq!(ids(&chosen(&["b2"]).unwrap()), ["b2"]);
    assert!(matches!(chosen(&["zz"]), Err(ProposalError::Unknown { id }) if id == "zz"));
    // One credential is asked for, so a second choice has no use.
    assert!(matches!(chosen(&["b2", "c3"]), Err(ProposalError::NotAsked { id }) if id == "c3"));
}

#[test]
fn where_several_are_taken_all_chosen_ones_go() {
    let scene = Scene::new();
    let records = ["a1", "b2", "c3"].map(|id| scene.record(id, Issued::default()));
    let holdings = holdings(records.to_vec());
    let request = scene.ask_query(&json!({"credentials": [
        {"id": "pid", "format": "dc+sd-jwt", "multiple": true, "meta": {"vct_values": ["urn:pid"]}, "claims": [{"path": ["age_over_18"]}]},
    ]}));
    assert_eq!(
        ids(&holdings.propose(&request, &[], NOW, &mut signer::os_rng()).unwrap()),
        ["a1"]
    );
    let chosen = ["c3".to_owned(), "b2".to_owned()];
    assert_eq!(
        ids(&holdings.propose(&request, &chosen, NOW, &mut signer::os_rng()).unwrap()),
        ["b2", "c3"]
    );
}

#[test]
fn of_two_options_the_one_with_the_chosen_credential_is_taken() {
    let scene = Scene::new();
    let licence = Issued {
        vct: "urn:licence",
        ..Issued::default()
    };
    let holdings = holdings(vec![scene.record("a1", Issued::default()), scene.record("b2", licence)]);
    let request = scene.ask_query(&json!({
        "credentials": [
            {"id": "pid", "format": "dc+sd-jwt", "meta": {"vct_values": ["urn:pid"]}, "claims": [{"path": ["age_over_18"]}]},
            {"id": "mdl", "format": "dc+sd-jwt", "meta": {"vct_values": ["urn:licence"]}, "claims": [{"path": ["age_over_18"]}]},
        ],
        "credential_sets": [{"options": [["pid"], ["mdl"]]}, {"options": [["mdl"]], "required": false}],
    }));
    // Optional parts are not disclosed.
    assert_eq!(
        ids(&holdings.propose(&request, &[], NOW, &mut signer::os_rng()).unwrap()),
        ["a1"]
    );
    assert_eq!(
        ids(&holdings
            .propose(&request, &["b2".to_owned()], NOW, &mut signer::os_rng())
            .unwrap()),
        ["b2"]
    );
}

#[test]
fn a_damaged_record_is_an_error() {
    let scene = Scene::new();
    let good = scene.record("a1", Issued::default());
    assert!(Holdings::open(vec![good.clone()]).is_ok());
    let damage = |damage: fn(&Scene, &mut CredentialRecord)| {
        let mut record = good.clone();
        damage(&scene, &mut record);
        match Holdings::open(vec![good.clone(), record]) {
            Err(ProposalError::Open { source, .. }) => source,
            other => panic!("expected a refusal, found {other:?}"),
        }
    };
    let text = damage(|_, record| record.text = record.text.replacen('~', "~x", 1));
    assert!(matches!(text, OpenError::SdJwtVc(_)), "{text}");
    let key = damage(|scene, record| record.issuer_key = scene.holder.public_key().to_jwk());
    assert!(matches!(key, OpenError::SdJwtVc(_)), "{key}");
    let issuer = damage(|_, record| record.issuer = "did:example:other".to_owned());
    assert!(matches!(issuer, OpenError::SdJwtVc(_)), "{issuer}");
    let format = damage(|_, record| record.format = "mso_mdoc".into());
    assert!(matches!(format, OpenError::Mdoc(_)), "{format}");
    let format = damage(|_, record| record.format = "ac_vc".into());
    assert!(matches!(format, OpenError::Format { .. }), "{format}");
}

#[test]
fn expired_credentials_can_be_looked_at() {
    let scene = Scene::new();
    let record = scene.record(
        "a1",
        Issued {
            valid_until: Some(NOW.minus(DAY)),
            ..Issued::default()
        },
    );
    let held = record.open().unwrap();
    assert!(!held.is_current(NOW));
    assert!(held.is_current(NOW.minus(DAY + 1)));
    let shown = held.shown_claims(&record);
    let labels: Vec<&str> = shown.iter().map(|claim| claim.label.as_str()).collect();
    assert_eq!(
        labels,
        [
            "Adult",
            "Family\u{fffd} name",
            "Address.country",
            "Town",
            "issuing_country",
            "nationalities"
        ]
    );
}

#[test]
fn debug_output_has_no_claims() {
    let scene = Scene::new();
    let record = scene.record("a1", Issued::default());
    let text = format!(
        "{record:?} {:?} {:?}",
        record.open().unwrap(),
        holdings(vec![record.clone()])
    );
    assert!(!text.contains("Doe") && !text.contains(&record.text), "{text}");
}
