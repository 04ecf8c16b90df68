//! The registry in others' forms over HTTP: signed, up to date, and proven to be what the log has committed to.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keys::Algorithm;
use keys::Signer as _;
use keys::cose::UnverifiedSign1;
use keys::jws::UnverifiedJws;
use keys::x509::Certificate;
use serde_json::Value;
use serde_json::json;
use server::Clock;
use server::fetch::Fetched;
use signer::SoftwareKey;
use trust::entry::Body;
use trust::entry::Entry;
use trust::entry::ProjectionDigests;
use trust::merkle::Hash;
use trust::proof::TlogProof;

use crate::nation::*;

const LOTE: &str = "/export/lote.json";
const VICAL: &str = "/export/vical.cbor";
/// Of the registry's service key in these tests.
const PUBLISHER: u8 = 130;
const MAX_BYTES: usize = 1 << 20;

fn particulars(name: &str) -> Value {
    json!({
        "names": {"en": name, "ms": format!("{name} (ms)")},
        "trade_names": {"en": ["XA-REG-7"]},
        "postal_addresses": {
            "en": {"street": "1 Register Square", "locality": "Sampleton", "postal_code": "10001", "country": "XA"},
        },
        "electronic_addresses": {"en": ["mailto:office@agency.example", "https://agency.example"]},
        "information": {"en": ["https://agency.example/about"]},
    })
}

/// The publication, with a certificate that the registry's key makes for itself.
fn publication_json() -> Value {
    json!({
        "type": "policy", "action": "publication",
        "publication": {
            "particulars": particulars("Governance of the Nation"),
            "territory": "XA",
            "url": "https://registry.attestry.example",
            "notices": {"en": ["Data of a test."]},
        },
    })
}

fn es256(number: u8) -> Arc<SoftwareKey> {
    Arc::new(SoftwareKey::from_secret(Algorithm::Es256, &[number; 32]).unwrap())
}

async fn configured(folder: tempfile::TempDir, clock: Clock, publisher: Option<u8>) -> Nation {
    let nation = Nation::configured(folder, clock, |config| {
        config.publication_key = publisher.map(|number| es256(number) as Arc<dyn keys::Signer>);
    });
    nation.await.unwrap()
}

/// A registry with a publication, and an agency that issues a type as an mdoc and is listed.
async fn published() -> (Nation, Agency) {
    let nation = configured(tempfile::tempdir().unwrap(), Clock::manual(GENESIS), Some(PUBLISHER)).await;
    nation.agree(publication_json()).await;
    let agency = Agency::new("population", 20);
    nation.admit(&agency).await;
    let mut schema = schema_json();
    schema["doctype"] = "example.identity.1".into();
    let mut grant = grant_json(&agency);
    grant["listing"] = json!({
        "particulars": particulars("Population Office"),
        "certificates": [STANDARD.encode(certificate_of(&nation))],
    });
    for proposal in [schema, grant] {
        nation.agree(proposal).await;
    }
    (nation, agency)
}

/// Of the key that signs projections: any certificate does for an issuing authority here.
fn certificate_of(nation: &Nation) -> Vec<u8> {
    let state = nation.registry.state();
    let publication = state.policy().unwrap().body().publication.clone();
    publication.unwrap().certificate
}

/// The claims of the list, which the key of its certificate signed, as others verify it.
fn claims(answer: &Fetched) -> Value {
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    let text = std::str::from_utf8(&answer.body).unwrap();
    let jws = UnverifiedJws::parse(text, MAX_BYTES).unwrap();
    let certificates = jws.header().certificates().unwrap().unwrap();
    let certificate = Certificate::from_der(&certificates[0]).unwrap();
    assert_eq!(certificate.key(), es256(PUBLISHER).public_key());
    let verified = jws.verify(certificate.key()).unwrap();
    serde_json::from_slice::<Value>(verified.payload()).unwrap()["LoTE"].take()
}

fn names(list: &Value) -> Vec<String> {
    let entities = list["TrustedEntitiesList"].as_array();
    let name = |entity: &Value| {
        let names = &entity["TrustedEntityInformation"]["TEName"];
        assert_eq!(names[1]["lang"], "ms", "the name in the other language");
        names[0]["value"].as_str().unwrap().to_owned()
    };
    entities.into_iter().flatten().map(name).collect()
}

/// Asks until the list has as many entities: projections are not made more often than they take time.
async fn list_of(nation: &Nation, count: usize) -> (Fetched, Value) {
    for _ in 0..200 {
        nation.clock.advance(60);
        let answer = nation.get(LOTE).await;
        let list = claims(&answer);
        if names(&list).len() == count {
            return (answer, list);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the list does not change");
}

/// The digests that the log has, by the proof that the registry gives.
async fn proven(nation: &Nation) -> ProjectionDigests {
    let answer = json_of(&nation.get("/registry/projections").await);
    let leaf = STANDARD.decode(answer["snapshot"].as_str().unwrap()).unwrap();
    let proof = TlogProof::parse(answer["proof"].as_str().unwrap()).unwrap();
    let state = nation.registry.state();
    let policy = state.policy().unwrap();
    let quorum = &policy.body().state_quorum;
    proof.verify_with(&leaf, policy.witnesses(), quorum).unwrap();
    let Body::Snapshot(body) = Entry::parse(&leaf).unwrap().body().clone() else {
        panic!("a Snapshot");
    };
    let digests = body.projections.unwrap();
    let told = answer["projections"].as_array().unwrap().iter();
    let told: Vec<(String, Hash)> = told
        .map(|one| {
            let digest = Hash::parse_hex(one["sha256"].as_str().unwrap()).unwrap();
            (one["name"].as_str().unwrap().to_owned(), digest)
        })
        .collect();
    assert_eq!(told, digests.digests);
    digests
}

#[tokio::test]
async fn the_list_follows_the_registry_and_the_log_has_its_digest() {
    let (nation, _) = published().await;
    let (answer, list) = list_of(&nation, 1).await;
    assert_eq!(answer.headers["content-type"], "application/jose");
    assert_eq!(names(&list), ["Population Office"]);
    let first = list["ListAndSchemeInformation"]["LoTESequenceNumber"].as_u64().unwrap();

    let digests = proven(&nation).await;
    let text = std::str::from_utf8(&answer.body).unwrap();
    let jws = UnverifiedJws::parse(text, MAX_BYTES).unwrap();
    assert_eq!(digests.get("etsi-lote"), Some(Hash::digest(jws.unverified_payload())));

    let answer = nation.get(VICAL).await;
    let sign1 = UnverifiedSign1::parse(&answer.body, MAX_BYTES).unwrap();
    let verified = sign1.verify(es256(PUBLISHER).public_key()).unwrap();
    assert_eq!(digests.get("vical"), Some(Hash::digest(verified.payload())));
    assert_eq!(verified.headers().x5chain(), [certificate_of(&nation)]);
    let types = b"example.identity.1";
    assert!(verified.payload().windows(types.len()).any(|window| window == types));

    let suspend = json!({"type": "accreditation", "action": "suspend", "id": "population-identity"});
    nation.agree(suspend).await;
    let (_, list) = list_of(&nation, 0).await;
    let second = list["ListAndSchemeInformation"]["LoTESequenceNumber"].as_u64().unwrap();
    assert!(second > first, "{second} after {first}");
    assert_ne!(proven(&nation).await, digests);
}

/// Status lists change all day, and are in no projection.
#[tokio::test]
async fn a_new_status_makes_no_new_list() {
    let (nation, agency) = published().await;
    let (_, list) = list_of(&nation, 1).await;
    // Long enough that a change would be followed.
    tokio::time::sleep(Duration::from_secs(2)).await;
    nation.clock.advance(60);
    let (leaf, compact) = nation.commitment(&agency, 1, &[3]);
    nation.registry.append(leaf, vec![compact]).await.unwrap();
    nation.clock.advance(60);
    assert_eq!(claims(&nation.get(LOTE).await), list);
}

/// Officers see every name and address before they approve it.
#[tokio::test]
async fn officers_see_what_is_listed() {
    let (nation, _) = published().await;
    let proposals = json_of(&nation.get("/registry/proposals").await);
    let summaries: Vec<&str> = proposals["proposals"]
        .as_array()
        .unwrap()
        .iter()
        .map(|proposal| proposal["summary"].as_str().unwrap())
        .collect();
    let told = |words: &[&str]| {
        let all = |summary: &&str| words.iter().all(|word| summary.contains(word));
        assert!(summaries.iter().any(all), "{words:?} in {summaries:#?}");
    };
    let certificate = Hash::digest(&certificate_of(&nation)).to_string();
    told(&[
        "\"Governance of the Nation\" (en)",
        "\"1 Register Square, 10001, Sampleton, XA\" (en)",
        "below https://registry.attestry.example",
        &certificate,
        "\"Data of a test.\" (en)",
    ]);
    told(&[
        "listed as \"Population Office\" (en), \"Population Office (ms)\" (ms) (also \"XA-REG-7\" (en))",
        "\"mailto:office@agency.example\" (en)",
        "\"https://agency.example/about\" (en)",
        &format!("issuing authorities of SHA-256 {certificate}"),
    ]);
}

#[tokio::test]
async fn without_a_publication_there_is_nothing_to_get() {
    let nation = configured(tempfile::tempdir().unwrap(), Clock::manual(GENESIS), Some(PUBLISHER)).await;
    for path in [LOTE, VICAL, "/registry/projections"] {
        assert_eq!(nation.get(path).await.status, 404, "{path}");
    }
    // What ends the publication ends the lists.
    nation.agree(publication_json()).await;
    assert_eq!(nation.get(LOTE).await.status, 200);
    let end = json!({"type": "policy", "action": "publication", "publication": null});
    nation.agree(end).await;
    assert_eq!(nation.get(LOTE).await.status, 404);
}

/// After a restart the lists are the same, to the last byte of what is signed; another key signs none.
#[tokio::test]
async fn only_the_key_of_the_certificate_signs() {
    let (nation, _) = published().await;
    let (before, _) = list_of(&nation, 1).await;
    let digests = proven(&nation).await;
    let (folder, clock) = nation.stop().await;
    let nation = configured(folder, clock, Some(PUBLISHER)).await;
    assert_eq!(names(&claims(&nation.get(LOTE).await)), names(&claims(&before)));
    assert_eq!(proven(&nation).await.digests.len(), digests.digests.len());
    let (folder, clock) = nation.stop().await;
    let nation = configured(folder, clock, Some(PUBLISHER + 1)).await;
    let answer = nation.get(LOTE).await;
    assert_eq!((answer.status, kind(&answer).as_str()), (503, "not-signed"));
    let (folder, clock) = nation.stop().await;
    let nation = configured(folder, clock, None).await;
    assert_eq!(nation.get(VICAL).await.status, 503);
}

/// A registry without a key cannot make a certificate of it.
#[tokio::test]
async fn a_publication_without_certificate_needs_a_key() {
    let nation = Nation::new().await;
    let answer = nation.post_admin("/registry/proposals", &publication_json()).await;
    assert_eq!(answer.status, 400);
    assert!(String::from_utf8_lossy(&answer.body).contains("certificate"));
}
