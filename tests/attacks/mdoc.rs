//! mdocs that were put together from others, presented to somebody else, or signed by an office that should not.

use credential::Mdoc;
use credential::Unverified;
use credential::mdoc::NewMdoc;
use credential::mdoc::SessionTranscript;
use credential::mdoc::mso::DigestAlgorithm;
use credential::status_list::StatusReference;
use e2e::Client;
use e2e::LogView;
use e2e::Place;
use e2e::Platform;
use e2e::Wallet;
use keys::Algorithm;
use keys::PublicKey;
use keys::Signer as _;
use keys::Timestamp;
use keys::base64url;
use keys::cbor;
use keys::json::Limits;
use openid4vc::form;
use serde_json::Value;
use serde_json::json;
use server::Clock;
use signer::Passphrase;
use signer::SoftwareKey;
use signer::Vault;

use crate::presentation::Asked;

const MAYA: &str = "X0000001A";
const HARUTO: &str = "X0000002C";
const MDL: &str = "org.iso.18013.5.1.mDL";
const NAMESPACE: &str = "org.iso.18013.5.1";
const PID: &str = "eu.europa.ec.eudi.pid.1";
const DAY: i64 = 86_400;
const LIMITS: Limits = Limits {
    max_bytes: 1 << 20,
    max_depth: 16,
};

/// A person with a licence.
struct Person {
    wallet: Wallet,
    licence: String,
    issuer: PublicKey,
}

impl Person {
    fn new(platform: &Platform, subject: &str) -> Self {
        let wallet = Wallet::new();
        let terms = json!({"type": "DrivingLicence", "subject": subject, "format": "mso_mdoc"});
        let licence = wallet.accept(platform.client(), &platform.offer_with("transport", &terms));
        let method = Unverified::<Mdoc>::parse(&licence)
            .unwrap()
            .verification_method()
            .unwrap();
        let issuer = LogView::pin(platform.client()).key(platform.client(), &method);
        Self {
            wallet,
            licence,
            issuer,
        }
    }

    /// The family name, to a session.
    fn present(&self, session: &SessionTranscript) -> String {
        let elements = [[NAMESPACE, "family_name"]];
        self.wallet
            .present_mdoc(&self.licence, &self.issuer, &elements, session)
    }

    fn status(&self) -> StatusReference {
        let unverified = Unverified::<Mdoc>::parse(&self.licence).unwrap();
        let did = unverified.issuer().unwrap().to_owned();
        let held = unverified.restore(&self.issuer, &did).unwrap();
        held.facts().status()[0].clone()
    }

    fn issuer_method(&self) -> String {
        Unverified::<Mdoc>::parse(&self.licence)
            .unwrap()
            .verification_method()
            .unwrap()
    }
}

fn query(doctype: &str, namespace: &str) -> Value {
    json!({"credentials": [{"id": "asked", "format": "mso_mdoc", "meta": {"doctype_value": doctype},
        "claims": [{"path": [namespace, "family_name"]}]}]})
}

fn session(asked: &Asked) -> SessionTranscript {
    session_of(asked.text("client_id"), asked.text("nonce"), asked.text("response_uri"))
}

fn session_of(client_id: &str, nonce: &str, response_uri: &str) -> SessionTranscript {
    SessionTranscript::openid4vp(client_id, nonce, None, response_uri)
}

/// Asks, has it answered, and returns the verdict; claims are told of a valid one alone.
fn verdict(client: &Client, query: &Value, present: impl FnOnce(&Asked) -> String) -> Value {
    let asked = Asked::of(client, query);
    let token = json!({"asked": [present(&asked)]}).to_string();
    let form = form::encode([("vp_token", token.as_str()), ("state", asked.text("state"))]);
    assert_eq!(client.send(&asked.post(&form)).status, 200);
    let verdict = asked.state(client)["verdict"].clone();
    assert_eq!(
        verdict.get("claims").is_some(),
        verdict["verdict"] == "valid",
        "{verdict}"
    );
    verdict
}

fn expect_valid(client: &Client, present: impl FnOnce(&Asked) -> String) {
    let verdict = verdict(client, &query(MDL, NAMESPACE), present);
    assert_eq!(verdict["verdict"], "valid", "{verdict}");
}

fn expect_refused(client: &Client, reason: &str, present: impl FnOnce(&Asked) -> String) {
    let verdict = verdict(client, &query(MDL, NAMESPACE), present);
    assert_eq!(verdict["verdict"], "refused", "{verdict}");
    assert!(verdict["reasons"].to_string().contains(reason), "{reason} in {verdict}");
}

#[test]
fn a_device_signature_for_another_nonce_or_client_or_address_is_refused() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let client = platform.client();
    let person = Person::new(&platform, MAYA);
    expect_valid(client, |asked| person.present(&session(asked)));
    let reason = "the COSE message is refused";
    let (evil, elsewhere) = (
        "decentralized_identifier:did:web:evil.example",
        "https://evil.example/responses",
    );
    expect_refused(client, reason, |asked| {
        person.present(&session_of(
            asked.text("client_id"),
            "another",
            asked.text("response_uri"),
        ))
    });
    expect_refused(client, reason, |asked| {
        person.present(&session_of(evil, asked.text("nonce"), asked.text("response_uri")))
    });
    expect_refused(client, reason, |asked| {
        person.present(&session_of(asked.text("client_id"), asked.text("nonce"), elsewhere))
    });
    // The right session of another request.
    let other = Asked::of(client, &query(MDL, NAMESPACE));
    expect_refused(client, reason, |_| person.present(&session(&other)));
    platform.stop();
}

#[test]
fn an_mdoc_that_another_holder_presents_is_refused() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let client = platform.client();
    let (person, thief) = (Person::new(&platform, MAYA), Wallet::new());
    expect_valid(client, |asked| person.present(&session(asked)));
    expect_refused(client, "the COSE message is refused", |asked| {
        let elements = [[NAMESPACE, "family_name"]];
        thief.present_mdoc(&person.licence, &person.issuer, &elements, &session(asked))
    });
    platform.stop();
}

#[test]
fn a_changed_element_and_one_of_another_document_are_refused() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let client = platform.client();
    let (maya, haruto) = (Person::new(&platform, MAYA), Person::new(&platform, HARUTO));
    expect_valid(client, |asked| {
        let genuine = Parts::of(&maya.present(&session(asked)));
        genuine.response()
    });
    expect_refused(client, "data element", |asked| {
        let mut parts = Parts::of(&maya.present(&session(asked)));
        let name = b"Temasuka";
        let at = parts
            .namespaces
            .windows(name.len())
            .position(|window| window == name)
            .unwrap();
        parts.namespaces[at] = b'R';
        parts.response()
    });
    // Signed by the same office, for somebody else.
    expect_refused(client, "data element", |asked| {
        let mut parts = Parts::of(&maya.present(&session(asked)));
        parts.namespaces = Parts::of(&haruto.present(&session(asked))).namespaces;
        parts.response()
    });
    // The other way round it is Haruto's licence, which Maya's device does not sign for.
    expect_refused(client, "the COSE message is refused", |asked| {
        let mut parts = Parts::of(&haruto.present(&session(asked)));
        parts.device_signed = Parts::of(&maya.present(&session(asked))).device_signed;
        parts.response()
    });
    platform.stop();
}

/// What a device response is put together from.
struct Parts {
    doc_type: Vec<u8>,
    namespaces: Vec<u8>,
    issuer_auth: Vec<u8>,
    device_signed: Vec<u8>,
}

impl Parts {
    fn of(response: &str) -> Self {
        let response = base64url::decode(response).unwrap();
        let documents = member(&response, "documents");
        let document = cbor::items(&documents, LIMITS).unwrap()[0].to_vec();
        let issuer_signed = member(&document, "issuerSigned");
        Self {
            doc_type: member(&document, "docType"),
            namespaces: member(&issuer_signed, "nameSpaces"),
            issuer_auth: member(&issuer_signed, "issuerAuth"),
            device_signed: member(&document, "deviceSigned"),
        }
    }

    fn response(&self) -> String {
        let issuer_signed =
            cbor::map_of_encoded(&[("nameSpaces", &self.namespaces), ("issuerAuth", &self.issuer_auth)]);
        let document = cbor::map_of_encoded(&[
            ("docType", &self.doc_type),
            ("issuerSigned", &issuer_signed),
            ("deviceSigned", &self.device_signed),
        ]);
        credential::mdoc::device_response(&[document])
    }
}

fn member(map: &[u8], name: &str) -> Vec<u8> {
    let entries = cbor::entries(map, LIMITS).unwrap();
    let found = entries.iter().find(|(key, _)| key.as_text() == Some(name));
    found.unwrap_or_else(|| panic!("expected {name}")).1.to_vec()
}

/// With the office's own key, as if it had been stolen or misused: everything is right but one thing.
#[test]
fn an_expired_mdoc_and_one_of_a_type_that_the_office_may_not_issue_are_refused() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let person = Person::new(&platform, MAYA);
    let address = platform.client().address().to_string();
    platform.stop();
    let office = office_key(&place, "transport-es256");
    assert_eq!(office.public_key(), &person.issuer);
    let platform = place.up(&["--listen", &address]);
    let client = platform.client();
    let now = Clock::System.now().minus(60);
    let present = |licence: String, namespace: &str, asked: &Asked| {
        let elements = [[namespace, "family_name"]];
        person
            .wallet
            .present_mdoc(&licence, &person.issuer, &elements, &session(asked))
    };
    let genuine = sign(&office, &person, MDL, NAMESPACE, (now.minus(DAY), now.plus(DAY)));
    expect_valid(client, |asked| present(genuine, NAMESPACE, asked));
    let expired = sign(&office, &person, MDL, NAMESPACE, (now.minus(2 * DAY), now.minus(DAY)));
    expect_refused(client, "not valid now", |asked| present(expired, NAMESPACE, asked));
    let identity = sign(&office, &person, PID, PID, (now.minus(DAY), now.plus(DAY)));
    let verdict = verdict(client, &query(PID, PID), |asked| present(identity, PID, asked));
    assert_eq!(verdict["verdict"], "refused", "{verdict}");
    assert!(verdict["reasons"].to_string().contains("accredited"), "{verdict}");
    platform.stop();
}

/// A key of a stopped platform's vault.
fn office_key(place: &Place, name: &str) -> SoftwareKey {
    let passphrase = std::fs::read_to_string(place.data().join("unlock.key")).unwrap();
    let vault = Vault::open(
        &place.data().join("vault"),
        &Passphrase::new(passphrase.trim().to_owned()),
    )
    .unwrap();
    vault.key(&format!("keys/{name}")).unwrap().unwrap()
}

fn sign(
    office: &SoftwareKey,
    person: &Person,
    doc_type: &str,
    namespace: &str,
    (from, until): (Timestamp, Timestamp),
) -> String {
    let (key_id, status) = (person.issuer_method(), person.status());
    let new = NewMdoc {
        key_id: &key_id,
        certificates: &[],
        doc_type,
        digest_algorithm: DigestAlgorithm::Sha256,
        device_key: person.wallet.key(),
        signed: from,
        valid_from: from,
        valid_until: until,
        status: Some(&status),
        namespaces: &[(
            namespace,
            vec![("family_name", cbor::Value::text("Temasuka-Lakshmore"))],
        )],
    };
    office
        .fulfil(new.issue(Algorithm::Es256, &mut signer::os_rng()))
        .unwrap()
}
