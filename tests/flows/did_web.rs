//! An issuer whose DID is a website: officers log its document, and the platform answers from the log.

use std::fs;

use did::Purpose;
use did::document::NewMethod;
use did::document::new_document;
use e2e::LogView;
use e2e::Place;
use keys::Algorithm;
use keys::Signer as _;
use serde_json::Value;
use serde_json::json;
use signer::SoftwareKey;
use trust::entry::Action;

/// No such website is there: what is in a file is not fetched. The port must arrive as it is written.
const DID: &str = "did:web:agency.example%3A8443:population";

/// A `did.json` with a new key.
fn document(did: &str) -> Value {
    let key = SoftwareKey::generate(Algorithm::EdDsa, &mut signer::os_rng());
    let method = NewMethod {
        fragment: "key",
        key: key.public_key(),
        purposes: &[Purpose::AssertionMethod],
    };
    new_document(did, &[method])
}

#[test]
fn a_did_web_is_logged_by_officers_and_accredited() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let file = place.path("did.json");
    let propose = |arguments: &[&str]| {
        let proposed = platform.run(&place, &[&["registry", "propose"], arguments].concat());
        proposed.expect(0)["id"].as_str().unwrap().to_owned()
    };
    let propose_json = |body: Value| {
        let file = place.path("proposal.json");
        fs::write(&file, body.to_string()).unwrap();
        propose(&[file.to_str().unwrap()])
    };
    let of_file = ["--did", DID, "--document", file.to_str().unwrap()];
    place.approve(
        &platform,
        &propose_json(json!({"type": "policy", "action": "methods", "methods": ["key", "web", "webvh"]})),
    );

    let (first, second) = (document(DID), document(DID));
    fs::write(&file, first.to_string()).unwrap();
    let proposal = propose(&of_file);
    let approved = place.approve_as(&platform, &proposal, 1);
    let website = &approved.expect(0)["website"];
    assert_eq!(website["serves_this_document"], Value::Null);
    let unreached = "https://agency.example:8443/population/did.json could not be compared: ";
    assert!(website["told"].as_str().unwrap().starts_with(unreached), "{website}");
    assert_eq!(place.approve_as(&platform, &proposal, 2).expect(0)["state"], "appended");
    let resolved = platform.run(&place, &["resolve", DID]).expect(0).clone();
    assert_eq!(resolved["didDocument"], first);
    let version = resolved["didDocumentMetadata"]["versionId"]
        .as_str()
        .unwrap()
        .to_owned();

    fs::write(&file, second.to_string()).unwrap();
    place.approve(&platform, &propose(&of_file));
    let resolved = platform.run(&place, &["resolve", DID]);
    assert_eq!(resolved.expect(0)["didDocument"], second);
    let earlier = platform.run(&place, &["resolve", &format!("{DID}?versionId={version}")]);
    assert_eq!(earlier.expect(0)["didDocument"], first);

    let bundle = LogView::pin(platform.client()).bundle(platform.client());
    let schema = bundle.state().schemas().next().unwrap().id().to_owned();
    let grant = propose_json(json!({
        "type": "accreditation", "action": "grant", "id": "website", "entity": DID, "may": "issue",
        "resources": [schema], "valid_until": "2100-01-01T00:00:00Z", "max_staleness": 86_400,
    }));
    place.approve(&platform, &grant);
    let bundle = LogView::pin(platform.client()).bundle(platform.client());
    let accredited = bundle.accreditation(DID, Action::Issue, &schema, bundle.as_of());
    assert_eq!(accredited.unwrap().record.id(), "website");
    assert_eq!(Value::from(bundle.document(DID).unwrap().as_map().clone()), second);
    platform.stop();
}

#[test]
fn what_is_no_document_of_the_did_is_not_proposed() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let file = place.path("did.json");
    fs::write(&file, document("did:web:other.example").to_string()).unwrap();
    let document = ["--document", file.to_str().unwrap()];
    for (arguments, told) in [
        ([&["--did", DID][..], &document].concat(), "found another"),
        (vec!["--did", "did:web:127.0.0.1"], "names no place on the web"),
        (vec!["--did", "did:web:agency.example:.."], "names no place on the web"),
        (document.to_vec(), "--did"),
        (vec![], "--did"),
    ] {
        let refused = platform.run(&place, &[&["registry", "propose"], &arguments[..]].concat());
        assert_eq!(refused.code, 2, "{arguments:?}");
        assert!(refused.stderr.contains(told), "{}", refused.stderr);
    }
    let listed = platform.run(&place, &["registry", "proposals"]);
    assert!(!listed.expect(0).to_string().contains("other.example"));
    platform.stop();
}
