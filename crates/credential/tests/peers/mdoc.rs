//! mdoc against npm `@owf/mdoc`, each side with a document signer under an issuing authority (IACA).

use std::collections::BTreeMap;

use credential::Authentic;
use credential::ClaimPath;
use credential::Mdoc;
use credential::Unverified;
use credential::evidence::AuthorityFact;
use credential::evidence::Freshness;
use credential::evidence::ReleaseEvidence;
use credential::evidence::Staleness;
use credential::mdoc::MdocError;
use credential::mdoc::NewMdoc;
use credential::mdoc::SessionTranscript;
use credential::mdoc::device_response;
use credential::mdoc::full_date;
use credential::mdoc::mso::DigestAlgorithm;
use credential::mdoc::parse_device_response;
use keys::Algorithm;
use keys::base64url;
use keys::cbor;
use keys::x509::Certificate;
use keys::x509::Name;
use keys::x509::NewCertificate;
use keys::x509::Purpose;
use keys::x509::Role;
use keys::x509::verify_path;
use serde_json::Value;
use serde_json::json;

use crate::matrix::Exchange;
use crate::mutation;
use crate::mutation::Mutation;
use crate::party::Party;
use crate::party::now;
use crate::peer;
use crate::peer::MDOC;

const DAY: i64 = 86_400;
const DOC_TYPE: &str = "org.iso.18013.5.1.mDL";
const NAMESPACE: &str = "org.iso.18013.5.1";
const ISSUER: &str = "did:example:issuer";
const KEY_ID: &str = "did:example:issuer#key-1";
const CLIENT: &str = "decentralized_identifier:did:example:verifier";
const NONCE: &str = "n-1";
const RESPONSE_URI: &str = "https://verifier.example/responses/1";
const ASKED: [&str; 2] = ["family_name", "issuing_country"];

/// An issuing authority, its document signer, and a device.
struct Scene {
    authority: Vec<u8>,
    certificate: Vec<u8>,
    issuer: Party,
    device: Party,
}

fn scene() -> Option<Scene> {
    peer::are_installed().then(|| {
        let (root, issuer) = (Party::new(Algorithm::Es256), Party::new(Algorithm::Es256));
        let name = |common_name| Name {
            country: "XA",
            common_name,
        };
        let authority = NewCertificate {
            subject: name("Authority"),
            key: root.key(),
            issuer: name("Authority"),
            issuer_key: root.key(),
            role: Role::Iaca,
            valid_from: now().minus(DAY),
            valid_until: now().plus(300 * DAY),
            issuer_url: "https://authority.example",
            revocation_list_url: "https://authority.example/crl",
            subject_uri: None,
        };
        let signer = NewCertificate {
            subject: name("Agency"),
            key: issuer.key(),
            role: Role::DocumentSigner,
            subject_uri: Some(ISSUER),
            ..authority.clone()
        };
        Scene {
            authority: root.sign(authority.issue(&mut signer::os_rng())),
            certificate: root.sign(signer.issue(&mut signer::os_rng())),
            device: Party::new(Algorithm::Es256),
            issuer,
        }
    })
}

/// What a wallet or a verifier reads, by identifier.
type Elements = BTreeMap<String, Value>;

impl Scene {
    fn ours(&self) -> String {
        let text = |text: &str| cbor::Value::text(text);
        let category = cbor::Value::Map(vec![
            (text("vehicle_category_code"), text("B")),
            (text("issue_date"), full_date("2010-11-03")),
        ]);
        let elements = vec![
            ("family_name", text("Temasuka")),
            ("birth_date", full_date("1990-05-17")),
            ("age_over_18", cbor::Value::Bool(true)),
            ("height", cbor::Value::from(175_u64)),
            ("portrait", cbor::Value::bytes([0xff, 0xd8, 0xff, 0xe0])),
            ("driving_privileges", cbor::Value::Array(vec![category])),
            ("issuing_country", text("XA")),
        ];
        let new = NewMdoc {
            key_id: KEY_ID,
            certificates: std::slice::from_ref(&self.certificate),
            doc_type: DOC_TYPE,
            digest_algorithm: DigestAlgorithm::Sha256,
            device_key: self.device.key(),
            signed: now().minus(60),
            valid_from: now().minus(60),
            valid_until: now().plus(DAY),
            status: None,
            namespaces: &[(NAMESPACE, elements)],
        };
        self.issuer.sign(new.issue(Algorithm::Es256, &mut signer::os_rng()))
    }

    fn theirs(&self) -> String {
        let elements = json!({
            "family_name": "Temasuka", "birth_date": {"date": "1990-05-17"}, "age_over_18": true, "height": 175,
            "portrait": {"bytes": "_9j_4A"}, "issuing_country": "XA",
            "driving_privileges": [{"vehicle_category_code": "B", "issue_date": {"date": "2010-11-03"}}],
        });
        let question = json!({
            "do": "issue", "key": self.issuer.private_jwk(), "certificate": base64url::encode(&self.certificate),
            "docType": DOC_TYPE, "namespaces": {NAMESPACE: elements}, "device": self.device.jwk(),
            "validUntil": now().plus(DAY).to_rfc3339(),
        });
        text(&MDOC.ask(&question).unwrap()["mdoc"])
    }

    /// Reads what was issued or presented, as a reader who trusts the authority.
    fn by_path(&self, unverified: Unverified<Mdoc>) -> Result<Authentic<Mdoc>, MdocError> {
        let anchor = Certificate::from_der(&self.authority)?;
        let path = verify_path(unverified.certificates(), &[anchor], Purpose::MdocDocumentSigner, now())?;
        unverified.authenticate_path(&path, now())
    }

    fn read(&self, mdoc: &str) -> Result<Elements, MdocError> {
        let held = self.by_path(Unverified::<Mdoc>::parse(mdoc)?)?.hold_issued()?;
        Ok(elements(&Value::Object(held.claims().clone())))
    }

    fn question(&self, mdoc: &str) -> Value {
        json!({"do": "verify", "mdoc": mdoc, "anchor": base64url::encode(&self.authority)})
    }

    /// The document of the two elements that were asked for.
    fn presented_by_us(&self) -> String {
        let unverified = Unverified::<Mdoc>::parse(&self.ours()).unwrap();
        let authentic = unverified.authenticate(self.issuer.key(), ISSUER, now()).unwrap();
        let held = authentic.hold_issued().unwrap();
        let paths = ASKED.map(|identifier| ClaimPath::of_keys([NAMESPACE, identifier]).unwrap());
        let document = self.device.sign(held.present(&paths).unwrap().sign(&transcript(NONCE)));
        device_response(&[document])
    }

    fn presented_by_the_peer(&self, mdoc: &str) -> String {
        let question = json!({
            "do": "present", "mdoc": mdoc, "key": self.device.private_jwk(), "docType": DOC_TYPE,
            "elements": {NAMESPACE: ASKED}, "session": session(NONCE),
        });
        text(&MDOC.ask(&question).unwrap()["response"])
    }

    /// Reads a presentation to a session: both signatures, and what is shown.
    fn receive(&self, response: &str, nonce: &str) -> Result<Elements, MdocError> {
        let mut documents = parse_device_response(response)?;
        let authentic = self.by_path(documents.pop().expect("at least one document"))?;
        let holder_binding = authentic.verify_device_signature(&transcript(nonce))?;
        let evidence = ReleaseEvidence {
            authority: AuthorityFact {
                issuer: authentic.facts().issuer().to_owned(),
                types: authentic.facts().types().to_vec(),
            },
            status: Vec::new(),
            freshness: Freshness {
                now: now(),
                as_of: now(),
                staleness: Staleness::AcceptAnyAge,
            },
            holder_binding,
        };
        let (_, claims) = authentic.release(&evidence).expect("all that is needed").into_parts();
        Ok(elements(&Value::Object(claims)))
    }

    fn presentation_question(&self, response: &str, nonce: &str) -> Value {
        json!({
            "do": "verify_presentation", "response": response, "anchor": base64url::encode(&self.authority),
            "session": session(nonce),
        })
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}

fn transcript(nonce: &str) -> SessionTranscript {
    SessionTranscript::openid4vp(CLIENT, nonce, None, RESPONSE_URI)
}

fn session(nonce: &str) -> Value {
    json!({"clientId": CLIENT, "nonce": nonce, "responseUri": RESPONSE_URI})
}

fn elements(claims: &Value) -> Elements {
    let of_namespace = claims[NAMESPACE].as_object().cloned().unwrap_or_default();
    of_namespace.into_iter().collect()
}

/// Whoever presents may leave data elements out, so an mdoc that shows none says nothing false.
fn shows(read: Result<Elements, MdocError>) -> bool {
    read.is_ok_and(|elements| !elements.is_empty())
}

fn exchange(what: &str) -> Exchange<'_> {
    Exchange {
        format: "mso_mdoc, ES256".to_owned(),
        peer: MDOC.name(),
        what,
    }
}

/// The label and the value of `kid`, which is not signed: the peer finds the key by the certificate.
fn kid() -> Vec<u8> {
    let head = [4, 0x58, u8::try_from(KEY_ID.len()).unwrap()];
    [&head, KEY_ID.as_bytes()].concat()
}

/// The peer must refuse every mutation, or read nothing of it. Of the `known` ones it reads what was signed.
fn offer_to_the_peer(genuine: &Value, mutations: &[Mutation<String>], questions: &[Value], what: &str, known: &[&str]) {
    let answers = MDOC.ask_all(questions);
    let accepted = answers.into_iter().map(|answer| {
        let claims = answer.map_or(Value::Null, |answer| answer["claims"].clone());
        // See `shows`; these are one document's claims, or those of each document.
        let is_read = ![Value::Null, json!({}), json!([])].contains(&claims);
        assert!(!is_read || claims == *genuine, "{what}: {claims}");
        is_read
    });
    exchange(what).refused_by_the_peer(mutations, accepted, known);
}

#[test]
fn the_peer_reads_our_mdocs() {
    let Some(scene) = scene() else { return };
    let ours = scene.ours();
    let claims = MDOC.ask(&scene.question(&ours)).unwrap()["claims"].clone();
    let read = elements(&claims);
    assert_eq!(read["family_name"], "Temasuka");
    assert_eq!(read["birth_date"], json!({"date": "1990-05-17"}));
    assert_eq!(read["portrait"], json!({"bytes": "_9j_4A"}));
    assert_eq!(
        read["driving_privileges"],
        json!([{"vehicle_category_code": "B", "issue_date": {"date": "2010-11-03"}}])
    );
    let date = b"1990-05-17".as_slice();
    let kid = kid();
    let parts = [
        ("kid", kid.as_slice(), kid.len() - 1),
        ("a date's hyphen", date, 4),
        ("a date's hyphen", b"2010-11-03", 7),
    ];
    let mutations = mutation::of_cbor(&ours, &parts);
    let questions: Vec<Value> = mutations.iter().map(|(_, mdoc)| scene.question(mdoc)).collect();
    // It compares the digest of what it encodes anew, and a date with a comma for a hyphen is the same date to it.
    let known = ["kid", "a date's hyphen"];
    offer_to_the_peer(&claims, &mutations, &questions, "we issue, they verify", &known);
}

#[test]
fn mdocs_of_the_peer_are_authentic() {
    let Some(scene) = scene() else { return };
    let theirs = scene.theirs();
    let read = scene.read(&theirs).unwrap();
    assert_eq!(read["birth_date"], "1990-05-17");
    assert_eq!(read["portrait"], "_9j_4A");
    assert_eq!(read["driving_privileges"][0]["issue_date"], "2010-11-03");
    let mutations = mutation::of_cbor(&theirs, &[]);
    exchange("they issue, we verify").all_refused(&mutations, |mdoc| shows(scene.read(mdoc)));
}

#[test]
fn the_peer_reads_our_presentations() {
    let Some(scene) = scene() else { return };
    let response = scene.presented_by_us();
    let read = MDOC.ask(&scene.presentation_question(&response, NONCE)).unwrap();
    assert_eq!(
        read["claims"],
        json!([{NAMESPACE: {"family_name": "Temasuka", "issuing_country": "XA"}}])
    );
    MDOC.ask(&scene.presentation_question(&response, "n-2")).unwrap_err();
    let kid = kid();
    let status = b"fstatus\0".as_slice();
    let parts = [
        ("kid", kid.as_slice(), kid.len() - 1),
        ("the status", status, status.len() - 1),
    ];
    let mutations = mutation::of_cbor(&response, &parts);
    let questions: Vec<Value> = mutations
        .iter()
        .map(|(_, response)| scene.presentation_question(response, NONCE))
        .collect();
    offer_to_the_peer(
        &read["claims"],
        &mutations,
        &questions,
        "we present, they verify",
        &["kid", "the status"],
    );
}

#[test]
fn presentations_of_the_peer_are_bound() {
    let Some(scene) = scene() else { return };
    let shown = json!({"family_name": "Temasuka", "issuing_country": "XA"});
    let of_ours = scene
        .receive(&scene.presented_by_the_peer(&scene.ours()), NONCE)
        .unwrap();
    assert_eq!(json!(of_ours), shown);
    let response = scene.presented_by_the_peer(&scene.theirs());
    assert_eq!(json!(scene.receive(&response, NONCE).unwrap()), shown);
    let refused = scene.receive(&response, "n-2").unwrap_err();
    assert!(matches!(refused, MdocError::Cose(_)), "{refused:?}");
    let mutations = mutation::of_cbor(&response, &[]);
    exchange("they present, we verify").all_refused(&mutations, |response| shows(scene.receive(response, NONCE)));
}
