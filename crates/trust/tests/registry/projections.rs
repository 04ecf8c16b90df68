//! The registry in others' forms: what it shows, and that nobody can show another one.

use keys::Signer as _;
use keys::Timestamp;
use keys::cbor::Value as Cbor;
use serde_json::Value;
use serde_json::json;
use trust::TrustedBundle;
use trust::bundle::Limits;
use trust::entry::AccreditationBody;
use trust::entry::Action;
use trust::entry::Backdating;
use trust::entry::Body;
use trust::entry::Draft;
use trust::entry::Entry;
use trust::entry::EntryType;
use trust::entry::Grant;
use trust::entry::IncidentBody;
use trust::entry::Listing;
use trust::entry::PolicyBody;
use trust::entry::ProjectionDigests;
use trust::entry::Reason;
use trust::entry::SchemaBody;
use trust::entry::SnapshotBody;
use trust::entry::TombstoneBody;
use trust::merkle::Hash;
use trust::projection::Projections;
use trust::state::Projecting;
use trust::state::Refusal;

use crate::accreditations::delegate;
use crate::accreditations::with_ministry;
use crate::nation::*;

/// What happens to an agency, and what it is.
type Event = (&'static str, fn(&mut Nation, &Agency));

/// The List of Trusted Entities that a Snapshot of this time makes.
fn list(nation: &mut Nation, time: Timestamp) -> Value {
    let leaf = nation.snapshot_leaf_with(time, Projecting::Anew);
    nation.append(&leaf).unwrap();
    let projections = nation.state.projections().unwrap();
    let bytes = projections.content(Projections::LOTE).unwrap();
    assert_eq!(
        projections.digests().get(Projections::LOTE),
        Some(Hash::digest(bytes)),
        "the digest is of what is signed"
    );
    serde_json::from_slice::<Value>(bytes).unwrap()["LoTE"].take()
}

/// The DIDs that are listed.
fn listed(nation: &mut Nation, time: Timestamp) -> Vec<String> {
    let list = list(nation, time);
    let entities = list["TrustedEntitiesList"].as_array().cloned().unwrap_or_default();
    let did = |entity: &Value| {
        let identity = &entity["TrustedEntityServices"][0]["ServiceInformation"]["ServiceDigitalIdentity"];
        identity["OtherIds"][0].as_str().unwrap().to_owned()
    };
    entities.iter().map(did).collect()
}

fn body_of(leaf: &[u8]) -> SnapshotBody {
    match Entry::parse(leaf).unwrap().body() {
        Body::Snapshot(body) => body.clone(),
        _ => panic!(),
    }
}

/// The Snapshot of this time with other projections.
fn with_projections(nation: &Nation, time: Timestamp, projections: Option<ProjectionDigests>) -> Vec<u8> {
    let body = SnapshotBody {
        projections,
        ..body_of(&nation.snapshot_leaf(time))
    };
    let (seq, prev) = nation.state.next_in_chain(EntryType::Snapshot, ORIGIN);
    Entry::without_approval(ORIGIN, ORIGIN, seq, prev, &Body::Snapshot(body)).unwrap()
}

#[test]
fn the_list_says_who_may_do_what_with_which_keys() {
    let (mut nation, agency) = Nation::with_issuer();
    let epoch = nation.state.clock().unwrap().epoch;
    let found = list(&mut nation, GENESIS.plus(2 * HOUR));
    let place = "https://registry.attestry.example/export/lote.json";
    let name = json!([{"lang": "en", "value": "Governance of the Nation"}]);
    let address = json!([{
        "lang": "en", "StreetAddress": "1 Register Square", "Locality": "Sampleton", "PostalCode": "10001", "Country": "XA",
    }]);
    let electronic = json!([
        {"lang": "en", "uriValue": "https://agency.example"},
        {"lang": "en", "uriValue": "mailto:office@agency.example"},
    ]);
    let about = json!([{"lang": "en", "uriValue": "https://agency.example/about"}]);
    let mut jwk = serde_json::to_value(public(20).to_jwk()).unwrap();
    jwk["kid"] = agency.method().into();
    let expected = json!({
        "ListAndSchemeInformation": {
            "LoTEVersionIdentifier": 1,
            "LoTESequenceNumber": epoch + 2,
            "LoTEType": place,
            "SchemeOperatorName": name,
            "SchemeOperatorAddress": {
                "SchemeOperatorPostalAddress": address,
                "SchemeOperatorElectronicAddress": electronic,
            },
            "SchemeName": [{"lang": "en", "value": "XA:Governance of the Nation"}],
            "SchemeInformationURI": about,
            "StatusDeterminationApproach": format!("{place}#accreditation"),
            "SchemeTypeCommunityRules": about,
            "SchemeTerritory": "XA",
            "PolicyOrLegalNotice": [{"LoTELegalNotice": {"lang": "en", "value": "Data of a test."}}],
            "ListIssueDateTime": "2026-11-23T02:00:00Z",
            "NextUpdate": "2026-11-30T02:00:00Z",
            "DistributionPoints": [place],
        },
        "TrustedEntitiesList": [{
            "TrustedEntityInformation": {
                "TEName": [{"lang": "en", "value": "An Agency"}],
                "TEAddress": {"TEPostalAddress": address, "TEElectronicAddress": electronic},
                "TEInformationURI": about,
            },
            "TrustedEntityServices": [{"ServiceInformation": {
                "ServiceName": [{"lang": "en", "value": IDENTITY}],
                "ServiceTypeIdentifier": format!("{place}#issue"),
                "ServiceDefinitionURI": [{"lang": "en", "uriValue": format!("https://attestry.example/types/{IDENTITY}")}],
                "ServiceDigitalIdentity": {
                    "OtherIds": [agency.did],
                    "PublicKeyValues": [jwk],
                    "X509Certificates": [{"val": base64(&certificate(131))}],
                },
            }}],
        }],
    });
    assert_eq!(found, expected);
}

#[test]
fn the_list_of_issuing_authorities_says_for_which_documents() {
    let (mut nation, agency) = Nation::with_issuer();
    // Two types under one certificate. Whoever verifies issues nothing.
    nation
        .grant("accreditation-2", grant(&agency.did, Action::Issue, &[LICENCE]))
        .unwrap();
    let verifier = nation.admit("verifier", 21);
    nation
        .grant("accreditation-3", grant(&verifier.did, Action::Verify, &[IDENTITY]))
        .unwrap();
    let time = GENESIS.plus(2 * HOUR);
    let leaf = nation.snapshot_leaf_with(time, Projecting::Anew);
    nation.append(&leaf).unwrap();
    let projections = nation.state.projections().unwrap();
    let bytes = projections.content(Projections::VICAL).unwrap();
    let vical = keys::cbor::decode(bytes, keys::json::DEFAULT_LIMITS).unwrap();

    let date = |time: Timestamp| Cbor::Tag(0, Box::new(Cbor::text(time.to_rfc3339())));
    let map = |members: Vec<(&str, Cbor)>| {
        Cbor::Map(
            members
                .into_iter()
                .map(|(name, value)| (Cbor::text(name), value))
                .collect(),
        )
    };
    let types = [LICENCE, IDENTITY].map(|id| Cbor::text(format!("example.attestry.{id}")));
    let der = certificate(131);
    let parsed = keys::x509::Certificate::from_der(&der).unwrap();
    let info = map(vec![
        ("ski", Cbor::bytes(parsed.subject_key_id().unwrap())),
        ("issuer", Cbor::bytes(parsed.issuer())),
        ("docType", Cbor::Array(types.to_vec())),
        ("subject", Cbor::bytes(parsed.subject())),
        ("notAfter", date(GENESIS.plus(365 * DAY))),
        ("notBefore", date(GENESIS)),
        ("certificate", Cbor::bytes(der.as_slice())),
        (
            "serialNumber",
            Cbor::Tag(2, Box::new(Cbor::bytes(parsed.serial_number()))),
        ),
        ("issuingCountry", Cbor::text("XA")),
        ("issuingAuthority", Cbor::text("Trust registry")),
    ]);
    let number = nation.state.clock().unwrap().epoch + 1;
    let expected = map(vec![
        ("date", date(time)),
        ("version", Cbor::text("1.0")),
        ("nextUpdate", date(time.plus(7 * DAY))),
        ("vicalIssueID", Cbor::Unsigned(number)),
        ("vicalProvider", Cbor::text("Governance of the Nation")),
        ("certificateInfos", Cbor::Array(vec![info])),
    ]);
    assert_eq!(vical.to_vec(), expected.to_vec());
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[test]
fn two_readers_of_one_log_make_the_same_bytes() {
    let (mut nation, _) = Nation::with_issuer();
    list(&mut nation, GENESIS.plus(2 * HOUR));
    let mut replayed = trust::state::State::new(nation.state.anchor().clone());
    for (index, leaf) in (0..).zip(&nation.leaves) {
        replayed.apply(index, leaf).unwrap();
    }
    assert_eq!(replayed.projections(), nation.state.projections());
}

/// Most of a list is taken from the one before. Whoever reads the state back from a bundle has none, and makes the same.
#[test]
fn a_list_made_from_the_last_one_is_the_list_of_the_state() {
    let mut nation = Nation::new();
    nation.publish(IDENTITY);
    let agency = Agency::web("population", 20);
    nation.log_document(&agency.did, &agency.first_line).unwrap();
    nation
        .grant("accreditation-1", grant(&agency.did, Action::Issue, &[IDENTITY]))
        .unwrap();
    nation
        .grant("accreditation-2", grant(&agency.did, Action::Verify, &[IDENTITY]))
        .unwrap();
    let changes: [Event; 7] = [
        ("nothing", |_, _| ()),
        ("terms", |nation, agency| {
            let terms = Grant {
                listing: Some(Listing {
                    particulars: particulars("Another Name"),
                    certificates: Vec::new(),
                    federation_entity: None,
                }),
                ..grant(&agency.did, Action::Verify, &[IDENTITY])
            };
            let amend = Body::Accreditation(AccreditationBody::Amend(terms));
            nation.govern("accreditation-2", amend).unwrap();
        }),
        ("the document", |nation, agency| {
            nation
                .log_document(&agency.did, &web_document(&agency.did, 77, true))
                .unwrap();
        }),
        ("an incident", |nation, agency| declare(nation, &agency.method())),
        ("its end", |nation, agency| {
            let withdraw = IncidentBody::Withdraw {
                reason: Reason::Unspecified,
            };
            nation.govern(&agency.method(), Body::Incident(withdraw)).unwrap();
        }),
        ("the schema", |nation, _| {
            nation.govern(IDENTITY, Body::Schema(SchemaBody::Withdraw)).unwrap();
        }),
        ("the publication", |nation, _| {
            let mut next = PolicyBody {
                genesis_time: None,
                ..policy()
            };
            published(&mut next).url = "https://elsewhere.example".to_owned();
            nation.govern(ORIGIN, Body::Policy(next)).unwrap();
        }),
    ];
    let mut lists = Vec::new();
    for (what, change) in changes {
        change(&mut nation, &agency);
        nation.snapshot(nation.state.time().plus(60));
        let bundle = TrustedBundle::load(&nation.bundle(), nation.state.anchor(), Limits::default()).unwrap();
        let mut restored = bundle.state().clone();
        let leaf = nation.snapshot_leaf_with(nation.state.time().plus(60), Projecting::Anew);
        assert_eq!(restored.apply(restored.size(), &leaf), Ok(()), "{what}");
        nation.append(&leaf).unwrap();
        let content = nation.state.projections().unwrap().content(Projections::LOTE).unwrap();
        let mut list = serde_json::from_slice::<Value>(content).unwrap();
        lists.push(list["LoTE"]["TrustedEntitiesList"].take());
    }
    let is_new = lists.windows(2).map(|pair| pair[0] != pair[1]);
    assert!(
        is_new.clone().all(|is_new| is_new),
        "each changes the list: {:?}",
        is_new.collect::<Vec<_>>()
    );
}

/// A did:webvh keeps its record when it moves, and its keys are of the new name: so are the incidents.
#[test]
fn an_incident_on_the_new_name_of_a_did_is_heard_of() {
    let mut nation = Nation::new();
    nation.publish(IDENTITY);
    let agency = Agency::webvh("population", 20, Some(true));
    nation.log_did(&agency).unwrap();
    nation
        .grant("accreditation-1", grant(&agency.did, Action::Issue, &[IDENTITY]))
        .unwrap();
    let mut document = nation.state.document(&agency.did).unwrap().into_value().to_string();
    document = document.replace("population.attestry.example", "moved.attestry.example");
    let mut document: Value = serde_json::from_str(&document).unwrap();
    document["alsoKnownAs"] = json!([agency.did]);
    let update = did::webvh::Update {
        document: Some(document.clone()),
        parameters: did::webvh::ParameterChanges::default(),
        time: GENESIS.plus(60),
        signer: agency.key.public_key(),
    };
    let log = nation.state.did(&agency.did).unwrap().webvh().unwrap();
    let line = agency
        .key
        .fulfil(log.newest().unwrap().update(update).unwrap())
        .unwrap();
    nation.log_lines(&agency.did, vec![line.into_bytes()]).unwrap();
    assert_eq!(listed(&mut nation, GENESIS.plus(HOUR)), [agency.did]);
    let method = document["assertionMethod"][0].as_str().unwrap();
    assert!(method.contains("moved.attestry.example"), "{method}");
    declare(&mut nation, method);
    assert_eq!(listed(&mut nation, GENESIS.plus(2 * HOUR)), [""; 0]);
}

/// Each of these takes the agency off the list, and nothing else does.
#[test]
fn what_does_not_count_is_not_listed() {
    let time = GENESIS.plus(2 * HOUR);
    let (mut nation, agency) = Nation::with_issuer();
    assert_eq!(listed(&mut nation, time), [agency.did]);

    let withdrawn: [Event; 6] = [
        ("suspended", |nation, _| {
            let suspend = AccreditationBody::Suspend {
                reason: Reason::NonCompliance,
                emergency: false,
            };
            nation.govern("accreditation-1", Body::Accreditation(suspend)).unwrap();
        }),
        ("revoked", |nation, _| {
            let revoke = AccreditationBody::Revoke {
                reason: Reason::Withdrawn,
                since: None,
            };
            nation.govern("accreditation-1", Body::Accreditation(revoke)).unwrap();
        }),
        ("ended", |nation, agency| {
            let end = TombstoneBody {
                target: EntryType::DidEvent,
                reason: Reason::CeasedOperation,
            };
            nation.govern(&agency.did, Body::Tombstone(end)).unwrap();
        }),
        ("its only key stolen", |nation, agency| {
            declare(nation, &agency.method());
        }),
        ("all its keys stolen", |nation, agency| {
            declare(nation, &agency.did);
        }),
        ("not to be listed", |nation, agency| {
            let silent = Grant {
                listing: None,
                ..grant(&agency.did, Action::Issue, &[IDENTITY])
            };
            let amend = Body::Accreditation(AccreditationBody::Amend(silent));
            nation.govern("accreditation-1", amend).unwrap();
        }),
    ];
    for (why, withdraw) in withdrawn {
        let (mut nation, agency) = Nation::with_issuer();
        withdraw(&mut nation, &agency);
        assert_eq!(listed(&mut nation, time), [""; 0], "{why}");
    }
    let (mut nation, _) = Nation::with_issuer();
    let over = listed(&mut nation, GENESIS.plus(365 * DAY));
    assert_eq!(over, [""; 0], "expired");
}

fn declare(nation: &mut Nation, subject: &str) {
    let incident = IncidentBody::Declare {
        invalid_since: GENESIS,
        backdating: Backdating::Refuse,
        emergency: false,
        reason: Reason::KeyCompromise,
    };
    nation.govern(subject, Body::Incident(incident)).unwrap();
}

/// Whoever passes something on does not name those below it: no officer would have seen it.
#[test]
fn no_listing_is_passed_on() {
    let (mut nation, ministry, _, below) = with_ministry();
    let named = Grant {
        listing: grant(&below.entity, Action::Issue, &[IDENTITY]).listing,
        ..below.clone()
    };
    let refused = delegate(&mut nation, &ministry, "branch", named);
    assert!(matches!(refused, Err(Refusal::Content { .. })), "{refused:?}");
    delegate(&mut nation, &ministry, "branch", below).unwrap();
    assert_eq!(listed(&mut nation, GENESIS.plus(HOUR)), [ministry.did]);
}

/// Of a nation with a library authority besides, whose officers have the numbers 60 and 61.
fn with_libraries() -> (Nation, Agency) {
    let mut with = policy();
    let mut other = with.authorities[0].clone();
    other.id = "libraries".to_owned();
    other.scope = Some(vec![LICENCE.to_owned()]);
    for (officer, number) in other.officers.iter_mut().zip(60..) {
        officer.key = public(number);
    }
    with.authorities.push(other);
    let mut nation = Nation::with_policy(with).unwrap();
    nation.publish(IDENTITY);
    nation.publish(LICENCE);
    let agency = nation.admit("population", 20);
    nation
        .grant("accreditation-1", grant(&agency.did, Action::Issue, &[IDENTITY]))
        .unwrap();
    let terms = Grant {
        listing: Some(Listing {
            particulars: particulars("A Library"),
            certificates: vec![certificate(132)],
            federation_entity: None,
        }),
        ..grant(&agency.did, Action::Issue, &[LICENCE])
    };
    let body = Body::Accreditation(AccreditationBody::Grant(terms));
    let draft = nation.draft_by("libraries", "accreditation-2", body);
    let signatures = [(0, 60), (1, 61)].map(|(officer, number)| {
        let request = draft.sign(OFFICERS[officer], keys::Algorithm::EdDsa);
        key(number).fulfil(request).unwrap()
    });
    nation.append(&draft.assemble(signatures.to_vec()).unwrap()).unwrap();
    (nation, agency)
}

/// Whoever may grant one type names no agency over the governing authority, and vouches for no signer of another type.
#[test]
fn an_authority_with_a_scope_speaks_within_it() {
    let (mut nation, _) = with_libraries();
    let list = list(&mut nation, GENESIS.plus(HOUR));
    let entity = &list["TrustedEntitiesList"][0];
    assert_eq!(entity["TrustedEntityInformation"]["TEName"][0]["value"], "An Agency");
    let certified = |number: u8| json!([{"val": base64(&certificate(number))}]);
    for (service, number) in [(0, 131), (1, 132)] {
        let identity = &entity["TrustedEntityServices"][service]["ServiceInformation"]["ServiceDigitalIdentity"];
        assert_eq!(identity["X509Certificates"], certified(number));
    }
    let vical = nation.state.projections().unwrap().content(Projections::VICAL).unwrap();
    let vical = keys::cbor::decode(vical, keys::json::DEFAULT_LIMITS).unwrap();
    let infos = vical.get("certificateInfos").unwrap();
    let Cbor::Array(infos) = infos else { panic!("an array") };
    let types = |info: &Cbor| (info.get("certificate").cloned(), info.get("docType").cloned());
    let mut found: Vec<_> = infos.iter().map(types).collect();
    let expected = |number: u8, id: &str| {
        let doctype = Cbor::text(format!("example.attestry.{id}"));
        (Some(Cbor::bytes(certificate(number))), Some(Cbor::Array(vec![doctype])))
    };
    let mut wanted = vec![expected(131, IDENTITY), expected(132, LICENCE)];
    let key = |pair: &(Option<Cbor>, Option<Cbor>)| format!("{pair:?}");
    found.sort_by_key(key);
    wanted.sort_by_key(key);
    assert_eq!(found, wanted);
}

#[test]
fn a_snapshot_with_another_list_is_refused() {
    let refused = |nation: &mut Nation, leaf: &[u8]| {
        let refusal = nation.append(leaf).unwrap_err();
        assert!(
            matches!(refusal, Refusal::Snapshot { expected } if expected.contains("projections")),
            "{refusal}"
        );
    };
    let (mut nation, _) = Nation::with_issuer();
    let time = GENESIS.plus(2 * HOUR);
    let made = body_of(&nation.snapshot_leaf_with(time, Projecting::Anew))
        .projections
        .unwrap();

    let mut forged = made.clone();
    forged.digests[0].1 = Hash::digest(b"a list with a friend");
    for projections in [
        None,
        Some(forged),
        Some(ProjectionDigests {
            made: time.minus(1),
            ..made.clone()
        }),
        Some(ProjectionDigests {
            digests: [made.digests.clone(), vec![("zz".to_owned(), Hash::ZERO)]].concat(),
            ..made.clone()
        }),
    ] {
        let leaf = with_projections(&nation, time, projections);
        refused(&mut nation, &leaf);
    }
    let leaf = with_projections(&nation, time, Some(made));
    nation.append(&leaf).unwrap();
}

#[test]
fn a_list_is_carried_over_for_less_than_a_day() {
    let (mut nation, agency) = Nation::with_issuer();
    let made = GENESIS.plus(2 * HOUR);
    list(&mut nation, made);
    let known = nation.state.projections().unwrap().clone();
    // What changes meanwhile is in the next one.
    nation
        .grant("accreditation-2", grant(&agency.did, Action::Issue, &[LICENCE]))
        .unwrap();
    nation.snapshot(made.plus(DAY).minus(1));
    assert_eq!(nation.state.projections(), Some(&known));
    let stale = with_projections(&nation, made.plus(DAY), Some(known.digests().clone()));
    assert!(matches!(nation.append(&stale), Err(Refusal::Snapshot { .. })));
    nation.snapshot(made.plus(DAY));
    let renewed = nation.state.projections().unwrap();
    assert_eq!(renewed.digests().made, made.plus(DAY));
    assert_ne!(renewed.content(Projections::LOTE), known.content(Projections::LOTE));
}

#[test]
fn without_a_publication_there_are_no_projections() {
    let mut nation = Nation::with_policy(PolicyBody {
        publication: None,
        ..policy()
    })
    .unwrap();
    let time = GENESIS.plus(HOUR);
    assert_eq!(
        body_of(&nation.snapshot_leaf_with(time, Projecting::Anew)).projections,
        None
    );
    let invented = ProjectionDigests {
        made: time,
        digests: vec![(Projections::LOTE.to_owned(), Hash::ZERO)],
    };
    let leaf = with_projections(&nation, time, Some(invented));
    assert!(matches!(nation.append(&leaf), Err(Refusal::Snapshot { .. })));
    nation.snapshot(time);
    assert_eq!(nation.state.projections(), None);
}

#[test]
fn other_forms_of_a_listing_are_refused() {
    let forms: [Change<Listing>; 12] = [
        Change("a name", |listing| listing.particulars.names.clear()),
        Change("one name for each language", |listing| {
            listing.particulars.names = localised(&["A", "B"]);
        }),
        Change("a language tag", |listing| {
            listing.particulars.names[0].language = "English".to_owned();
        }),
        Change("a postal address", |listing| {
            listing.particulars.postal_addresses.clear();
        }),
        Change("a country of two letters", |listing| {
            listing.particulars.postal_addresses[0].country = "Xa".to_owned();
        }),
        Change("text without control characters", |listing| {
            listing.particulars.postal_addresses[0].street = "1\nRegister Square".to_owned();
        }),
        Change("electronic addresses in order", |listing| {
            listing.particulars.electronic_addresses.reverse();
        }),
        Change("electronic addresses as URIs", |listing| {
            listing.particulars.electronic_addresses = localised(&["office@agency.example"]);
        }),
        Change("https for information", |listing| {
            listing.particulars.information = localised(&["http://agency.example"]);
        }),
        Change("certificates", |listing| listing.certificates = vec![b"none".to_vec()]),
        Change("each certificate once", |listing| {
            listing.certificates = vec![certificate(131), certificate(131)];
        }),
        Change("an entity identifier without a slash at the end", |listing| {
            listing.federation_entity = Some("https://agency.example/".to_owned());
        }),
    ];
    for Change(expected, change) in forms {
        let (mut nation, agency) = Nation::with_issuer();
        let mut with = grant(&agency.did, Action::Issue, &[LICENCE]);
        change(with.listing.as_mut().unwrap());
        let refusal = nation.grant("accreditation-2", with).unwrap_err();
        // What is no certificate has the form of one: bytes.
        let is_of_form = matches!(refusal, Refusal::Content { .. });
        assert!(
            is_of_form == (expected == "certificates") && (is_of_form || matches!(refusal, Refusal::Decode(_))),
            "{expected}: {refusal}"
        );
    }
}

#[test]
fn other_forms_of_a_publication_are_refused() {
    let forms: [Change<PolicyBody>; 4] = [
        Change("a territory", |policy| {
            published(policy).territory = "Sample".to_owned();
        }),
        Change("an https URL", |policy| {
            published(policy).url = "http://a.example".to_owned();
        }),
        Change("a certificate", |policy| published(policy).certificate = vec![0x30, 0]),
        Change("a notice", |policy| published(policy).notices.clear()),
    ];
    for Change(expected, change) in forms {
        let mut with = policy();
        change(&mut with);
        let leaf = approved(&Draft::genesis(ORIGIN, with), &[0, 1]);
        assert!(
            Entry::parse(&leaf).is_err() || Nation::with_genesis(&leaf).is_err(),
            "{expected}"
        );
    }
    assert!(Nation::with_policy(policy()).is_ok());
}

fn published(policy: &mut PolicyBody) -> &mut trust::entry::Publication {
    policy.publication.as_mut().unwrap()
}
