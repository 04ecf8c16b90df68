//! A few genuine inputs for each target, written to its corpus before the fuzzer starts.
//!
//! They are made here and not committed: keys and salts are fixed, so they are the same each time, and they follow
//! the formats when these change.

use std::path::Path;

use keys::Algorithm;
use keys::Timestamp;
use keys::cbor::Value as Cbor;
use keys::cose;
use keys::cose::HeaderMap;
use keys::cose::MacKey;
use keys::jwe;
use serde_json::Value;
use serde_json::json;

use crate::NOW;
use crate::bundle::REGISTRY;
use crate::delta::UPDATE;
use crate::holder;
use crate::issuer;
use crate::nation;
use crate::nation::Nation;
use crate::vci::ISSUER;
use crate::verdict::ANSWER;

/// The question of the targets `verdict` and `vp`.
pub(crate) const QUERY: &str = r#"{"credentials":[{"id":"identity","format":"dc+sd-jwt","meta":{"vct_values":["https://attestry.example/types/PersonIdentity"]},"claims":[{"path":["age_over_18"]}]}]}"#;

/// Writes the seeds of a target to `corpus/TARGET/seed-N`.
///
/// # Panics
/// When the folder cannot be written, or there is no such target.
pub fn write(target: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    std::fs::create_dir_all(&folder).expect("a folder for the corpus");
    for (seed, number) in seeds(target).into_iter().zip(1..) {
        std::fs::write(folder.join(format!("seed-{number}")), seed).expect("a file in the corpus");
    }
}

fn seeds(target: &str) -> Vec<Vec<u8>> {
    match target {
        "bbs_2023" => crate::bbs_2023::seeds(),
        "bundle" => bundle(),
        "cbor" => vec![cbor()],
        "cose" => cose(),
        "data_integrity" => texts(data_integrity()),
        "dcql" => texts(dcql()),
        "delta" => vec![UPDATE.1.clone(), unpacked(&UPDATE.1)],
        "did" => texts(did()),
        "encodings" => texts(encodings()),
        "federation" => texts(crate::federation::seeds()),
        "json" => texts([
            document().to_string(),
            r#"{"a":[1,-2.5e-7,1e21,true,null],"\u00e9":"\ud83d\ude00"}"#.to_owned(),
        ]),
        "json_schema" => texts([
            json!([{
                "$id": "https://example.com/schema", "$schema": credential::vc::DIALECT,
                "properties": {"credentialSubject": {"$ref": "#/$defs/subject"}},
                "$defs": {"subject": {"type": "object", "required": ["given_name"], "properties": {
                    "given_name": {"type": "string", "pattern": "^[A-Z][a-z]+$", "format": "email"}
                }}}
            }, document()])
            .to_string(),
        ]),
        "jsonld" => texts([document().to_string(), INLINE_CONTEXT.to_owned()]),
        "jsonld_paths" => {
            let mut seeds = texts([document().to_string(), INLINE_CONTEXT.to_owned()]);
            // One for each genuine document, without and with changes.
            seeds.extend((0..7).flat_map(|template| [vec![template], vec![template, 3, 2, 1, 5, 7, 4, 9, 3, 1, 2]]));
            seeds
        }
        "jwt" => texts(jwt()),
        "mapping" => vec![[ROW, include_bytes!("../../schemas/sample/mappings/PersonIdentity.json")].concat()],
        "mdoc" => mdoc(),
        "sd_jwt" => texts([ANSWER.record.text.clone(), ANSWER.presentation.clone(), sd_jwt()]),
        "status_list" => status_list(),
        "svg_template" => texts(crate::svg_template::seeds()),
        "tlog" => tlog(),
        "vci" => texts(vci()),
        "verdict" => texts([
            ANSWER.presentation.clone(),
            ANSWER.record.text.clone(),
            request_object("attestry.file"),
            json!({"attestry": "trust-anchors/1", "anchors": [{
                "issuer": "https://issuer.example", "types": ["a"],
                "metadata": {"issuer": "https://issuer.example", "jwks": {"keys": [issuer().public().to_jwk().to_value()]}}
            }]})
            .to_string(),
        ]),
        "vp" => texts(vp()),
        "wallet" => texts([
            serde_json::to_string(&ANSWER.record).expect("a record"),
            ANSWER.record.text.clone(),
            request("direct_post").to_string(),
        ]),
        other => panic!("expected a target of this crate, found {other}"),
    }
}

fn texts(texts: impl IntoIterator<Item = String>) -> Vec<Vec<u8>> {
    texts.into_iter().map(String::into_bytes).collect()
}

const ROW: &[u8] = br#"{"subject_id":"P0001","given_name":"Aroha","family_name":"Ngata","birthdate":"1996-02-29","nationalities":"NZ;WS","sex":"2","date_of_expiry":"2031-01-01","date_of_issuance":"2026-01-01"}
"#;

const INLINE_CONTEXT: &str = r#"{"@context":{"@vocab":"https://example.org/","knows":{"@id":"knows","@container":"@set"},"name":{"@language":"en"}},"@id":"_:a","name":"A","knows":[{"@id":"_:b","knows":{"@id":"_:a"}},{"@list":[1,2.5,true]}]}"#;

/// A credential document.
pub(crate) fn document() -> Value {
    json!({
        "@context": ["https://www.w3.org/ns/credentials/v2", crate::data_integrity::CONTEXT],
        "id": "urn:uuid:5a1f0c3e-7d39-4b3f-9c1e-0f8f0a2b6c11",
        "type": ["VerifiableCredential", "PersonIdentity"],
        "issuer": issuer().did,
        "validFrom": "2026-12-01T00:00:00Z",
        "credentialSubject": {"id": holder().did, "given_name": "Aroha", "place_of_birth": {"locality": "Porirua"}},
        "credentialStatus": {
            "type": "BitstringStatusListEntry", "statusPurpose": "revocation",
            "statusListIndex": "7", "statusListCredential": "https://issuer.example/status/1"
        }
    })
}

fn data_integrity() -> Vec<String> {
    use credential::data_integrity;
    let Value::Object(plain) = document() else {
        return Vec::new();
    };
    let mut seeds = vec![document().to_string()];
    for cryptosuite in crate::data_integrity::EDDSA {
        let options = data_integrity::ProofOptions {
            cryptosuite,
            algorithm: Algorithm::EdDsa,
            verification_method: &issuer().method,
            created: Some(NOW),
            expires: None,
        };
        let request =
            data_integrity::issue(plain.clone(), &options, &crate::data_integrity::CONTEXTS).expect("our own document");
        seeds.push(Value::Object(issuer().sign(request)).to_string());
    }
    seeds.extend(selective());
    seeds
}

/// A base proof, and what is derived from it.
fn selective() -> [String; 2] {
    let (issuer, contexts) = (
        crate::data_integrity::selective_issuer(),
        &*crate::data_integrity::CONTEXTS,
    );
    let mut document = document();
    document["issuer"] = json!(issuer.did);
    let options = credential::data_integrity::BaseProofOptions {
        cryptosuite: credential::data_integrity::Cryptosuite::EcdsaSd2023,
        key: issuer.public(),
        verification_method: &issuer.method,
        created: Some(NOW),
        expires: None,
        mandatory: &[],
        data_model: credential::vc::DataModelVersion::V2_0,
    };
    let document = document.as_object().expect("an object").clone();
    let mut rng = crate::verdict::Salts(1);
    let request = credential::data_integrity::issue_selective(document, &options, contexts, &mut rng);
    let base = Value::Object(issuer.sign(request.expect("our own document"))).to_string();
    let held = credential::Unverified::<credential::LdpVc>::parse(&base)
        .and_then(|base| base.restore(issuer.public(), &issuer.did, contexts))
        .expect("our own credential");
    let chosen = ["/credentialSubject/place_of_birth"
        .parse::<credential::data_integrity::Pointer>()
        .expect("a pointer")];
    let derived = held.derive(&chosen, b"n-1", contexts, &mut rng).expect("a part of it");
    [base, derived.as_str().to_owned()]
}

fn bundle() -> Vec<Vec<u8>> {
    let mut seeds = vec![
        REGISTRY.bundle.clone(),
        REGISTRY.extract.clone(),
        unpacked(&REGISTRY.bundle),
        REGISTRY.anchor.to_string().into_bytes(),
    ];
    seeds.extend(REGISTRY.leaves.iter().cloned());
    let (nation, agency) = Nation::with_issuer();
    let body = trust::entry::Body::Accreditation(trust::entry::AccreditationBody::Grant(nation::grant(
        &agency.did,
        trust::entry::Action::Issue,
        &[nation::LICENCE],
    )));
    let draft = nation.draft("accreditation-2", body);
    let signature = nation::key(1)
        .fulfil(draft.sign("officer-1", Algorithm::EdDsa))
        .expect("an officer's key");
    seeds.extend([draft.to_bytes(), signature.to_bytes()]);
    let web = nation::Agency::web("transport", 30);
    let body = trust::entry::Body::DidEvent(trust::entry::DidEventBody::Web {
        document: web.first_line,
    });
    let draft = nation.draft(&web.did, body);
    seeds.extend([draft.to_bytes(), nation::approved(&draft, &[0, 1])]);
    seeds
}

/// The same bundle with nothing compressed, so that changes of a byte reach what is inside.
fn unpacked(bundle: &[u8]) -> Vec<u8> {
    let limits = keys::json::Limits {
        max_bytes: usize::MAX,
        max_depth: 32,
    };
    let Cbor::Map(mut members) = keys::cbor::decode(bundle, limits).expect("our own bundle") else {
        return Vec::new();
    };
    for (_, member) in &mut members {
        let Cbor::Array(packed) = member else { continue };
        for one in packed {
            let Cbor::Map(fields) = one else { continue };
            if let [_, (_, Cbor::Unsigned(encoding @ 1)), _, (_, Cbor::Bytes(bytes))] = fields.as_mut_slice() {
                *encoding = 0;
                let mut plain = Vec::new();
                let mut decoder = flate2::read::ZlibDecoder::new(bytes.as_slice());
                std::io::Read::read_to_end(&mut decoder, &mut plain).expect("our own compression");
                *bytes = plain;
            }
        }
    }
    Cbor::Map(members).to_vec()
}

fn cbor() -> Vec<u8> {
    Cbor::Map(vec![
        (
            Cbor::from(1_u64),
            Cbor::Array(vec![Cbor::from(-300_i64), Cbor::Bool(true), Cbor::Null]),
        ),
        (Cbor::text("key"), Cbor::Tag(24, Box::new(Cbor::bytes([1, 2, 3])))),
    ])
    .to_vec()
}

fn dcql() -> Vec<String> {
    let sets = json!({
        "credentials": [
            {"id": "a", "format": "dc+sd-jwt", "meta": {"vct_values": [crate::dcql::VCT]}, "multiple": true,
             "claims": [{"id": "x", "path": ["nationalities", null], "values": ["NZ"]}, {"id": "y", "path": ["name"]}],
             "claim_sets": [["x", "y"], ["y"]]},
            {"id": "b", "format": "ldp_vc", "meta": {"type_values": [[crate::dcql::VCT]]},
             "trusted_authorities": [{"type": "aki", "values": ["AAAA"]}]},
        ],
        "credential_sets": [{"options": [["a"], ["b"]]}, {"options": [["b"]], "required": false}]
    });
    let claims = json!({"age_over_18": true, "name": "A", "nationalities": ["NZ", "WS"]});
    vec![
        format!("{QUERY}\n{claims}"),
        format!("{sets}\n{claims}"),
        format!("[\"a\",null,0]\n{claims}"),
    ]
}

fn did() -> Vec<String> {
    let agency = nation::Agency::new("population", 20);
    let line = String::from_utf8(agency.first_line.clone()).expect("JSON");
    let jwk = did::methods::jwk::did(issuer().public());
    let web = json!({"@context": "https://www.w3.org/ns/did/v1", "id": "did:web:agency.example",
        "verificationMethod": [{"id": "#1", "type": "JsonWebKey", "controller": "did:web:agency.example",
            "publicKeyJwk": issuer().public().to_jwk().to_value()}], "assertionMethod": ["#1"]});
    vec![
        issuer().did.clone(),
        format!("{}?versionId=1#key", agency.did),
        jwk,
        line.clone(),
        format!("{}\n{line}", agency.did),
        web.to_string(),
        format!("did:web:agency.example\n{web}"),
        "did:web:agency.example%3A8443:departments:1".to_owned(),
    ]
}

fn encodings() -> Vec<String> {
    let p256 = signer::SoftwareKey::from_secret(Algorithm::Es256, &[3; 32]).expect("a scalar");
    vec![
        issuer().public().to_multikey(),
        keys::Signer::public_key(&p256).to_multikey(),
        // Tag 5 of SEC1, which some readers take for a compressed point.
        "zDnafWRnxcDzEYRYfNJiFvmoaRnxcDzeYRYfNJiF8TUsgmcCe".to_owned(),
        "2026-11-23T03:00:00.5+08:00".to_owned(),
        keys::base64url::encode(b"bytes"),
    ]
}

fn jwt() -> Vec<String> {
    let mut vc = document();
    vc["iat"] = NOW.unix().into();
    let presentation = json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"], "type": ["VerifiablePresentation"],
        "holder": issuer().did, "aud": "did:example:verifier", "nonce": "n-1", "iat": NOW.unix(),
        "verifiableCredential": [{"@context": "https://www.w3.org/ns/credentials/v2",
            "type": "EnvelopedVerifiableCredential",
            "id": format!("data:application/vc+jwt,{}", issuer().jws("vc+jwt", vc.to_string().as_bytes()))}]
    });
    let token = json!({"iss": issuer().did, "sub": issuer().did, "aud": "did:example:verifier", "client_id": "a", "jti": "1",
        "scope": "a b", "iat": NOW.unix(), "exp": NOW.unix() + 60});
    let encrypted = jwe::encrypt(
        b"plaintext",
        &crate::jwt::decryption_key().public_jwk(),
        jwe::ContentEncryption::A128Gcm,
        &jwe::SenderHeader::default(),
        &mut crate::verdict::Salts(1),
    );
    vec![
        format!("vc+jwt\n{}", document()),
        format!("vc+jwt\n{vc}"),
        issuer().jws("vc+jwt", vc.to_string().as_bytes()),
        format!("vp+jwt\n{presentation}"),
        format!("vc+sd-jwt\n{}", sd_document()),
        format!("vp+sd-jwt\n{presentation}"),
        format!("application/vc+cose\n{vc}"),
        format!("application/vp+cose\n{presentation}"),
        format!("at+jwt\n{token}"),
        format!("client-authentication+jwt\n{token}"),
        encrypted.expect("our own key"),
    ]
}

/// A credential document whose subject has a name and an address that are disclosed. See `sd_jwt::sign`.
fn sd_document() -> String {
    let mut document = document();
    document["_sd_alg"] = "sha-256".into();
    document["credentialSubject"] = json!({"id": holder().did, "_sd": ["@1", "@2", "decoy"]});
    format!("{document}\n[\"s\",\"name\",\"A\"]\n[\"s\",\"address\",{{\"city\":\"B\"}}]")
}

/// See `sd_jwt::sign`.
fn sd_jwt() -> String {
    let payload = json!({
        "iss": issuer().did, "vct": crate::dcql::VCT, "iat": NOW.unix(), "exp": NOW.unix() + 60, "_sd_alg": "sha-256",
        "cnf": {"jwk": holder().public().to_jwk().to_value()}, "_sd": ["@1", "@4", "decoy"],
        "status": {"status_list": {"idx": 3, "uri": "https://issuer.example/status/1"}}, "list": [{"...": "@2"}, 1]
    });
    format!(
        "{payload}\n[\"s\",\"name\",\"A\"]\n[\"s\",\"NZ\"]\n[\"s\",\"city\",\"B\"]\n[\"s\",\"address\",{{\"_sd\":[\"@3\"]}}]"
    )
}

fn status_list() -> Vec<Vec<u8>> {
    use credential::status_list::BitsPerEntry;
    use credential::status_list::BitstringPurpose;
    use credential::status_list::Status;
    use credential::status_list::StatusArray;
    use credential::status_list::StatusListAggregation;
    use credential::status_list::StatusMessages;
    use credential::status_list::StatusPurpose;
    use credential::status_list::StatusReference;
    let mut array = StatusArray::new(BitsPerEntry::Two, 100);
    for (index, status) in [(3, Status::Invalid), (50, Status::Suspended)] {
        array.set(index, status).expect("an entry");
    }
    let compressed = array.compress().expect("a list");
    let aggregation_uri = Some("https://issuer.example/status");
    let (list, cbor) = (
        compressed.to_status_list(aggregation_uri),
        compressed.to_cbor(aggregation_uri),
    );
    let claims = Cbor::Map(vec![
        (Cbor::from(2_u64), Cbor::text("https://issuer.example/status/1")),
        (Cbor::from(4_u64), Cbor::from(NOW.unix() + 60)),
        (Cbor::from(6_u64), Cbor::from(NOW.unix())),
        (Cbor::from(65_533_u64), cbor.clone()),
        (Cbor::from(65_534_u64), Cbor::from(60_u64)),
    ]);
    let payload = json!({"sub": "https://issuer.example/status/1", "iat": NOW.unix(), "exp": NOW.unix() + 60, "ttl": 60,
        "status_list": list});
    let encoded = array
        .to_bitstring(BitstringPurpose::Revocation)
        .to_encoded_list()
        .expect("a list");
    let messages = ["a", "b", "c", "undefined"].map(str::to_owned).to_vec();
    let entry = StatusReference::bitstring("https://issuer.example/1".to_owned(), 3, StatusPurpose::Message)
        .with_messages(StatusMessages::new(messages).expect("four messages"))
        .with_references(vec!["https://issuer.example/codes".to_owned()]);
    let aggregation = StatusListAggregation {
        status_lists: vec!["https://issuer.example/status/1".to_owned()],
    };
    let reference = StatusReference::token_status_list("https://issuer.example/status/1".to_owned(), 3);
    let mut seeds = texts([
        payload.to_string(),
        encoded,
        list.to_string(),
        entry.to_value().to_string(),
        aggregation.to_value().to_string(),
    ]);
    seeds.extend([claims.to_vec(), cbor.to_vec(), reference.to_status_map().to_vec()]);
    seeds
}

fn tlog() -> Vec<Vec<u8>> {
    let (nation, _) = Nation::with_issuer();
    let time = Timestamp::from_unix(nation::GENESIS.unix() + nation::HOUR);
    let checkpoint = nation.witnessed(&[(0, time), (1, time)]);
    let second = checkpoint.sign_again(time, &nation::second_log_key()).expect("a request");
    let mut twice = checkpoint.clone();
    twice.add(second.fulfil(&nation::ml_dsa_key(120)).expect("a signature"));
    let mut seeds = texts([
        checkpoint.to_string(),
        twice.to_string(),
        nation.proof(2, twice).to_string(),
        nation::ml_dsa_policy(),
        nation::second_log_key().to_string(),
        trust::tlog_witness::AddCheckpoint::new(2, nation.hashes(), checkpoint.clone()).to_string(),
        nation.proof(2, checkpoint).to_string(),
        nation::witness_policy(),
        r#"{"entity_id":"did:example:a","authority_id":"https://r.example#g","action":"issue","resource":"T","context":{"time":"2026-11-23T00:00:00Z"}}"#.to_owned(),
        nation::witness_key(0).to_string(),
        "tile/0/x001/234.p/5".to_owned(),
        "tile/entries/067".to_owned(),
    ]);
    let mut entries = Vec::new();
    for leaf in &nation.leaves[..2] {
        trust::tiles::push_entry(&mut entries, leaf).expect("a leaf");
    }
    seeds.extend([entries, trust::tiles::encode_hashes(&nation.hashes()[..2])]);
    seeds
}

pub(crate) fn issuer_metadata() -> String {
    json!({
        "credential_issuer": ISSUER, "credential_endpoint": format!("{ISSUER}/credential"),
        "nonce_endpoint": format!("{ISSUER}/nonce"), "batch_credential_issuance": {"batch_size": 5},
        "display": [{"name": "Population Office", "locale": "en"}],
        "credential_configurations_supported": {"PersonIdentity": {
            "format": "dc+sd-jwt", "vct": crate::dcql::VCT, "scope": "identity",
            "credential_signing_alg_values_supported": ["ES256"],
            "cryptographic_binding_methods_supported": ["jwk", "did:key"],
            "proof_types_supported": {"jwt": {"proof_signing_alg_values_supported": ["ES256", "EdDSA"]}},
            "credential_metadata": {"display": [{"name": "Identity", "locale": "en", "background_color": "#12107c"}],
                "claims": [{"path": ["given_name"], "mandatory": true, "display": [{"name": "Name", "locale": "en"}]}]}
        }}
    })
    .to_string()
}

fn vci() -> Vec<String> {
    let offer = json!({"credential_issuer": ISSUER, "credential_configuration_ids": ["PersonIdentity"], "grants": {
        "urn:ietf:params:oauth:grant-type:pre-authorized_code": {"pre-authorized_code": "abc",
            "tx_code": {"length": 6, "input_mode": "numeric", "description": "By letter"}}}})
    .to_string();
    let encoded = openid4vc::form::encode([("credential_offer", offer.as_str())]);
    let server = json!({"issuer": ISSUER, "token_endpoint": format!("{ISSUER}/token"),
        "grant_types_supported": ["urn:ietf:params:oauth:grant-type:pre-authorized_code"]});
    let proof = json!({"aud": ISSUER, "iat": NOW.unix(), "nonce": "n"}).to_string();
    let request = json!({"credential_configuration_id": "PersonIdentity",
        "proofs": {"jwt": [holder().jws("openid4vci-proof+jwt", proof.as_bytes())]}});
    let details = json!([{"type": "openid_credential", "credential_configuration_id": "PersonIdentity",
        "credential_identifiers": ["a"]}]);
    vec![
        offer,
        format!("openid-credential-offer://?{encoded}"),
        "openid-credential-offer://?credential_offer_uri=https%3A%2F%2Fissuer.example%2Foffers%2F1".to_owned(),
        issuer_metadata(),
        server.to_string(),
        proof,
        request.to_string(),
        json!({"credentials": [{"credential": "x"}], "notification_id": "1"}).to_string(),
        json!({"transaction_id": "x", "interval": 5}).to_string(),
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Apre-authorized_code&pre-authorized_code=abc&tx_code=123456"
            .to_owned(),
        json!({"access_token": "a", "token_type": "bearer", "expires_in": 60, "authorization_details": details}).to_string(),
        details.to_string(),
        json!({"notification_id": "1", "event": "credential_accepted"}).to_string(),
    ]
}

fn cose() -> Vec<Vec<u8>> {
    let protected = || {
        HeaderMap::new()
            .with_typ("application/cwt")
            .with_x5chain(&[vec![1], vec![2]])
    };
    let unprotected = || HeaderMap::new().with_key_id(*b"1");
    let sign1 = issuer().sign(cose::sign(protected(), unprotected(), b"p".to_vec(), Algorithm::EdDsa));
    let key = MacKey::from_bytes(&[1; 32]).expect("a key of the right length");
    vec![
        cose::tagged(&sign1),
        sign1,
        cose::mac(protected(), unprotected(), b"p", &key).expect("a MAC"),
        issuer().public().to_cose_key().to_vec(),
    ]
}

fn mdoc() -> Vec<Vec<u8>> {
    let public = issuer().public();
    let name = keys::x509::Name {
        country: "UT",
        common_name: "IACA",
    };
    let certificate = |role| {
        let new = keys::x509::NewCertificate {
            subject: name,
            key: public,
            issuer: name,
            issuer_key: public,
            role,
            valid_from: NOW.minus(60),
            valid_until: NOW.plus(60),
            issuer_url: "https://issuer.example",
            revocation_list_url: "https://issuer.example/crl",
            subject_uri: Some(&issuer().did),
        };
        issuer().sign(new.issue(&mut signer::os_rng()))
    };
    let (iaca, signer) = (
        certificate(keys::x509::Role::Iaca),
        certificate(keys::x509::Role::DocumentSigner),
    );
    let new = credential::mdoc::NewMdoc {
        key_id: &issuer().method,
        certificates: std::slice::from_ref(&signer),
        doc_type: "example.attestry.PersonIdentity",
        digest_algorithm: credential::mdoc::mso::DigestAlgorithm::Sha256,
        device_key: holder().public(),
        signed: NOW.minus(60),
        valid_from: NOW.minus(60),
        valid_until: NOW.plus(60),
        status: None,
        namespaces: &[(
            "n",
            vec![
                ("a", Cbor::Bool(true)),
                ("b", credential::mdoc::full_date("2026-11-28")),
            ],
        )],
    };
    let issued = issuer().sign(new.issue(Algorithm::EdDsa, &mut signer::os_rng()));
    let held = credential::Unverified::<credential::Mdoc>::parse(&issued)
        .and_then(|read| read.restore(public, &issuer().did))
        .expect("our own mdoc");
    let transcript = credential::mdoc::SessionTranscript::openid4vp(
        "did:example:verifier",
        "n-1",
        None,
        "https://verifier.example/response",
    );
    let presentation = held.present(&held.disclosable_paths()).expect("its own paths");
    let response = credential::mdoc::device_response(&[holder().sign(presentation.sign(&transcript))]);
    let bytes = |text: &str| keys::base64url::decode(text).expect("base64url");
    vec![bytes(&issued), bytes(&response), iaca, signer]
}

fn request(response_mode: &str) -> Value {
    let query: Value = serde_json::from_str(QUERY).expect("JSON");
    json!({
        "client_id": format!("decentralized_identifier:{}", issuer().did), "response_type": "vp_token",
        "response_mode": response_mode, "response_uri": "https://verifier.example/response", "nonce": "n-1", "state": "s",
        "dcql_query": query, "aud": "https://self-issued.me/v2", "iat": nation::GENESIS.unix(), "exp": NOW.unix() + 60,
        "client_metadata": {"jwks": {"keys": [encryption_key()]},
            "encrypted_response_enc_values_supported": ["A128GCM"],
            "vp_formats_supported": {"dc+sd-jwt": {"sd-jwt_alg_values": ["ES256"]}}}
    })
}

fn request_object(response_mode: &str) -> String {
    let mut parameters = request(response_mode);
    if response_mode == "attestry.file"
        && let Some(parameters) = parameters.as_object_mut()
    {
        parameters.remove("response_uri");
    }
    issuer().jws("oauth-authz-req+jwt", parameters.to_string().as_bytes())
}

fn encryption_key() -> Value {
    let mut jwk = crate::jwt::decryption_key().public_jwk().to_value();
    for (name, value) in [("alg", "ECDH-ES"), ("use", "enc"), ("kid", "1")] {
        jwk[name] = value.into();
    }
    jwk
}

fn vp() -> Vec<String> {
    let token = json!({"identity": [ANSWER.presentation]}).to_string();
    let plain = openid4vc::form::encode([("vp_token", token.as_str()), ("state", "state")]);
    let client_id = format!("decentralized_identifier:{}", issuer().did);
    let by_reference = openid4vc::form::encode([
        ("client_id", client_id.as_str()),
        ("request_uri", "https://verifier.example/request/1"),
        ("request_uri_method", "post"),
    ]);
    let unsigned = openid4vc::form::encode([
        ("client_id", "redirect_uri:https://verifier.example/response"),
        ("response_type", "vp_token"),
        ("response_mode", "direct_post"),
        ("response_uri", "https://verifier.example/response"),
        ("nonce", "n-1"),
        ("dcql_query", QUERY),
    ]);
    let signed = request_object("attestry.file");
    vec![
        json!({"attestry": "presentation-request/1", "request": signed}).to_string(),
        json!({"attestry": "presentation/1", "request": signed,
            "response": {"vp_token": {"identity": [ANSWER.presentation]}}})
        .to_string(),
        request("direct_post").to_string(),
        request("direct_post.jwt").to_string(),
        request("direct_post")["client_metadata"].to_string(),
        plain,
        json!({"vp_token": {"identity": [ANSWER.presentation]}}).to_string(),
        "error=access_denied&error_description=no".to_owned(),
        format!("openid4vp://?{by_reference}"),
        format!("openid4vp://?{unsigned}"),
        client_id,
        "wallet_nonce=abc&wallet_metadata=%7B%7D".to_owned(),
    ]
}
