//! Credential types, recognitions and incidents.

use did::DidUrl;
use trust::entry::Action;
use trust::entry::Backdating;
use trust::entry::Body;
use trust::entry::EntryType;
use trust::entry::IncidentBody;
use trust::entry::Reason;
use trust::entry::Recognition;
use trust::entry::RecognitionBody;
use trust::entry::Schema;
use trust::entry::SchemaBody;
use trust::entry::TombstoneBody;
use trust::merkle::Hash;
use trust::note::SignatureType;
use trust::note::VerifierKey;
use trust::state::EMERGENCY_LAPSES_AFTER;
use trust::state::Refusal;

use crate::nation::*;

fn publish(nation: &mut Nation, id: &str, schema: Schema) -> Result<(), Refusal> {
    nation.govern(id, Body::Schema(SchemaBody::Publish(schema)))
}

#[test]
fn name_of_another_schema_is_refused_in_each_kind() {
    let taken = schema(IDENTITY);
    let changes: [Change<Schema>; 4] = [
        Change("vct", |own| own.vct = schema(IDENTITY).vct),
        Change("alias", |own| own.aliases = vec![schema(IDENTITY).vct]),
        Change("W3C type", |own| own.w3c_types = schema(IDENTITY).w3c_types),
        Change("doctype", |own| own.doctype = schema(IDENTITY).doctype),
    ];
    for Change(kind, change) in changes {
        let mut nation = Nation::new();
        publish(&mut nation, IDENTITY, taken.clone()).unwrap();
        let mut own = schema(LICENCE);
        change(&mut own);
        assert!(
            matches!(publish(&mut nation, LICENCE, own), Err(Refusal::NameTaken { .. })),
            "{kind}"
        );
    }
}

#[test]
fn new_version_replaces_the_names_of_the_old_one() {
    let mut nation = Nation::new();
    publish(&mut nation, IDENTITY, schema(IDENTITY)).unwrap();
    let newer = Schema {
        aliases: Vec::new(),
        ..schema(IDENTITY)
    };
    publish(&mut nation, IDENTITY, newer).unwrap();
    assert!(nation.state.schema_of_vct("urn:attestry:PersonIdentity").is_none());
    assert_eq!(nation.state.schema_of_vct(&schema(IDENTITY).vct).unwrap().0, IDENTITY);
}

#[test]
fn withdrawn_and_ended_schemas_are_gone() {
    let mut nation = Nation::new();
    publish(&mut nation, IDENTITY, schema(IDENTITY)).unwrap();
    publish(&mut nation, LICENCE, schema(LICENCE)).unwrap();
    nation.govern(IDENTITY, Body::Schema(SchemaBody::Withdraw)).unwrap();
    assert!(nation.state.schema_of_w3c_type(IDENTITY).is_none());
    assert!(matches!(
        nation.govern(IDENTITY, Body::Schema(SchemaBody::Withdraw)),
        Err(Refusal::Standing { .. })
    ));
    let end = Body::Tombstone(TombstoneBody {
        target: EntryType::Schema,
        reason: Reason::Superseded,
    });
    nation.govern(LICENCE, end).unwrap();
    assert!(nation.state.schema_of_w3c_type(LICENCE).is_none());
    assert_eq!(publish(&mut nation, LICENCE, schema(LICENCE)), Err(Refusal::Tombstoned));
}

#[test]
fn malformed_schemas_are_no_entries() {
    let mut nation = Nation::new();
    let base_type = Schema {
        w3c_types: vec!["VerifiableCredential".to_owned()],
        ..schema(IDENTITY)
    };
    assert!(matches!(
        publish(&mut nation, IDENTITY, base_type),
        Err(Refusal::Decode(_))
    ));
    let alias = Schema {
        aliases: vec![schema(IDENTITY).vct],
        ..schema(IDENTITY)
    };
    assert!(matches!(publish(&mut nation, IDENTITY, alias), Err(Refusal::Decode(_))));
}

fn recognition() -> Recognition {
    Recognition {
        log: VerifierKey::new("registry.elsewhere.example", SignatureType::Ed25519, public(90))
            .unwrap()
            .to_string(),
        genesis: Hash::digest(b"genesis"),
        size: 7,
        root: Hash::digest(b"root"),
        actions: vec![Action::Issue],
        mapping: Vec::new(),
        max_staleness: 86_400,
        valid_until: GENESIS.plus(365 * DAY),
    }
}

#[test]
fn recognition_counts_until_it_is_withdrawn_or_over() {
    let foreign = "registry.elsewhere.example";
    let mut nation = Nation::new();
    let recognise = Body::Recognition(RecognitionBody::Recognise(recognition()));
    nation.govern(foreign, recognise.clone()).unwrap();
    assert_eq!(nation.state.recognition(foreign, GENESIS), Some(&recognition()));
    assert_eq!(nation.state.recognition(foreign, GENESIS.plus(365 * DAY)), None);
    nation
        .govern(foreign, Body::Recognition(RecognitionBody::Withdraw))
        .unwrap();
    assert_eq!(nation.state.recognition(foreign, GENESIS), None);
    let withdrawn = nation.govern(foreign, Body::Recognition(RecognitionBody::Withdraw));
    assert!(matches!(withdrawn, Err(Refusal::Standing { .. })));
}

#[test]
fn recognition_of_oneself_or_under_another_name_is_refused() {
    let mut nation = Nation::new();
    let own = nation.govern(ORIGIN, Body::Recognition(RecognitionBody::Recognise(recognition())));
    assert!(matches!(own, Err(Refusal::Identity { .. })));
    let other = nation.govern(
        "registry.third.example",
        Body::Recognition(RecognitionBody::Recognise(recognition())),
    );
    assert!(matches!(other, Err(Refusal::Content { .. })));
    let leaf = approved(
        &nation.draft(
            "registry.elsewhere.example",
            Body::Recognition(RecognitionBody::Recognise(recognition())),
        ),
        &[0],
    );
    assert!(matches!(nation.append(&leaf), Err(Refusal::Signatures { .. })));
}

fn incident(emergency: bool) -> Body {
    Body::Incident(IncidentBody::Declare {
        invalid_since: GENESIS,
        backdating: Backdating::Refuse,
        emergency,
        reason: Reason::KeyCompromise,
    })
}

#[test]
fn incident_stands_against_a_key_or_the_whole_did() {
    let (mut nation, agency) = Nation::with_issuer();
    let method = DidUrl::parse(&agency.method()).unwrap();
    assert!(nation.state.incident_on(&method).is_none());
    nation.govern(&agency.method(), incident(false)).unwrap();
    assert_eq!(nation.state.incident_on(&method).unwrap().invalid_since, GENESIS);
    // The key cannot commit to status lists any more.
    assert_eq!(
        nation.commit(&agency, 2, &[]),
        Err(Refusal::Signer { found: agency.method() })
    );
    let withdraw = Body::Incident(IncidentBody::Withdraw {
        reason: Reason::Unspecified,
    });
    nation.govern(&agency.method(), withdraw.clone()).unwrap();
    nation.commit(&agency, 2, &[]).unwrap();
    assert!(matches!(
        nation.govern(&agency.method(), withdraw),
        Err(Refusal::Standing { .. })
    ));
    nation.govern(&agency.did, incident(false)).unwrap();
    assert!(nation.state.incident_on(&method).is_some());
}

#[test]
fn emergency_incident_lapses_and_is_not_repeated_by_the_same_officer() {
    let (mut nation, agency) = Nation::with_issuer();
    let method = DidUrl::parse(&agency.method()).unwrap();
    let declare = |nation: &mut Nation, officer: u8| {
        let leaf = approved(&nation.draft(&agency.method(), incident(true)), &[officer]);
        nation.append(&leaf)
    };
    declare(&mut nation, 0).unwrap();
    assert!(nation.state.incident_on(&method).is_some());
    assert!(matches!(declare(&mut nation, 1), Err(Refusal::Standing { .. })));
    nation.snapshot(nation.state.time().plus(EMERGENCY_LAPSES_AFTER));
    assert!(nation.state.incident_on(&method).is_none());
    assert_eq!(
        declare(&mut nation, 0),
        Err(Refusal::EmergencyRepeated {
            officer: OFFICERS[0].to_owned()
        })
    );
    declare(&mut nation, 1).unwrap();
    nation.govern(&agency.method(), incident(false)).unwrap();
    nation.snapshot(nation.state.time().plus(EMERGENCY_LAPSES_AFTER));
    assert!(nation.state.incident_on(&method).is_some());
}

#[test]
fn incident_in_the_future_or_without_a_key_is_refused() {
    let (mut nation, agency) = Nation::with_issuer();
    assert!(matches!(
        nation.govern("not a DID", incident(false)),
        Err(Refusal::Identity { .. })
    ));
    let future = Body::Incident(IncidentBody::Declare {
        invalid_since: nation.state.time().plus(1),
        backdating: Backdating::Refuse,
        emergency: false,
        reason: Reason::KeyCompromise,
    });
    assert!(matches!(
        nation.govern(&agency.did, future),
        Err(Refusal::Content { .. })
    ));
    let leaf = approved(&nation.draft(&agency.did, incident(false)), &[0]);
    assert_eq!(nation.append(&leaf), Err(Refusal::Signatures { expected: 2, found: 1 }));
}
