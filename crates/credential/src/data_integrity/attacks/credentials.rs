//! What is done to credentials.

use jsonld::ContextLoader;
use jsonld::DataLoss;
use keys::Algorithm;
use keys::Signer as _;
use keys::data_integrity::ProofError as JcsProofError;
use keys::json::JsonError;
use keys::signing::fulfil;
use serde_json::Value;
use serde_json::json;
use signer::SoftwareKey;

use super::super::*;
use super::*;
use crate::HolderKey;
use crate::Unverified;
use crate::registered_claims::ValidityError;

#[test]
fn genuine_credentials_tell_their_facts() {
    let world = World::new();
    for suite in WHOLE {
        let credential = world.issue(suite, |_| {});
        let unverified = Unverified::<LdpVc>::parse(&credential.to_string()).unwrap();
        assert_eq!(
            (unverified.issuer(), unverified.verification_method()),
            (ISSUER, ISSUER_KEY)
        );
        assert_eq!(unverified.cryptosuite(), suite);
        assert_eq!(
            unverified.contexts().collect::<Vec<_>>(),
            ["https://www.w3.org/ns/credentials/v2", CONTEXT]
        );
        let contexts: Vec<String> = unverified.contexts().map(str::to_owned).collect();
        let authentic = world.authenticate(&credential).unwrap();
        assert!(authentic.contexts().eq(contexts.iter()));
        let facts = authentic.facts();
        assert_eq!(facts.types(), ["Licence"]);
        assert_eq!(facts.holder(), Some(&HolderKey::Did(HOLDER.to_owned())));
        assert_eq!(facts.key_id(), Some(ISSUER_KEY));
        assert_eq!(facts.status().len(), 1);
        assert_eq!(facts.issued_at(), Some(NOW));
        // The proof ends before the credential.
        assert_eq!(facts.valid_until(), Some(NOW.plus(3_600)));
        let held = authentic.hold_issued().unwrap();
        assert_eq!(held.claims()["credentialSubject"]["points"], 4);
        assert!(!held.claims().contains_key("proof"));
        let restored = Unverified::<LdpVc>::parse(held.as_str()).unwrap();
        assert!(
            restored
                .restore(world.issuer.public_key(), ISSUER, &world.contexts)
                .is_ok()
        );
    }
}

#[test]
fn term_added_after_signing_that_no_context_defines() {
    let [rdfc, jcs] = World::new().refused(|credential| credential["credentialSubject"]["admin"] = json!(true));
    let lost = jsonld::Error::DataLoss {
        term: "admin".to_owned(),
        loss: DataLoss::UndefinedTerm,
    };
    assert_eq!(rdfc, LdpVcError::Cryptosuite(lost.into()));
    assert!(matches!(
        jcs,
        LdpVcError::Cryptosuite(CryptosuiteError::Json(JcsProofError::Signature(_)))
    ));
}

#[test]
fn term_added_after_signing_with_its_context() {
    let errors = World::new().refused(|credential| {
        credential["@context"]
            .as_array_mut()
            .unwrap()
            .push(json!(OTHER_CONTEXT));
        credential["credentialSubject"]["other"] = json!(true);
    });
    assert!(bad_signature(&errors), "{errors:?}");
}

#[test]
fn context_added_after_signing() {
    let world = World::new();
    let add = |suite| {
        let mut credential = world.issue(suite, |_| {});
        credential["@context"]
            .as_array_mut()
            .unwrap()
            .push(json!(OTHER_CONTEXT));
        Unverified::<LdpVc>::parse(&credential.to_string()).unwrap()
    };
    // A JCS proof names the contexts that were there; what was added after them is dropped again.
    let jcs = add(Cryptosuite::EddsaJcs2022);
    assert!(!jcs.contexts().any(|url| url == OTHER_CONTEXT));
    let jcs = jcs.authenticate(world.issuer.public_key(), ISSUER, &world.contexts, NOW);
    assert_eq!(jcs.unwrap().hold_issued().unwrap().claims()["@context"][1], CONTEXT);
    // In RDF a context that changes no statement is not seen, so the caller can compare the list.
    assert!(
        add(Cryptosuite::EddsaRdfc2022)
            .contexts()
            .any(|url| url == OTHER_CONTEXT)
    );
}

#[test]
fn context_put_before_that_of_a_jcs_proof() {
    let world = World::new();
    let mut credential = world.issue(Cryptosuite::EddsaJcs2022, |_| {});
    credential["@context"]
        .as_array_mut()
        .unwrap()
        .insert(1, json!(OTHER_CONTEXT));
    let refused = world.authenticate(&credential).unwrap_err();
    assert_eq!(refused, LdpVcError::Proof(ProofError::Context));
}

#[test]
fn context_of_an_rdfc_proof_is_refused_because_nothing_covers_it() {
    let world = World::new();
    let mut credential = world.issue(Cryptosuite::EddsaRdfc2022, |_| {});
    credential["proof"]["@context"] = credential["@context"].clone();
    let refused = world.authenticate(&credential).unwrap_err();
    assert_eq!(refused, LdpVcError::Proof(ProofError::Context));
}

#[test]
fn terms_redefined_inside_the_document() {
    let context = json!({"class": "https://agency.example/points"});
    for error in World::new().refused(|credential| {
        credential["@context"].as_array_mut().unwrap().push(context.clone());
        if let Some(own) = credential.pointer_mut("/proof/@context") {
            own.as_array_mut().unwrap().push(context.clone());
        }
    }) {
        assert_eq!(error, LdpVcError::Document(DocumentError::InlineContext));
    }
    for error in World::new().refused(|credential| credential["credentialSubject"]["@context"] = context.clone()) {
        assert_eq!(error, LdpVcError::Document(DocumentError::InlineContext));
    }
}

#[test]
fn unknown_context() {
    let world = World::new();
    let stranger = ContextLoader::bundled();
    for suite in WHOLE {
        let credential = world.issue(suite, |_| {}).to_string();
        let refused = Unverified::<LdpVc>::parse(&credential)
            .unwrap()
            .authenticate(world.issuer.public_key(), ISSUER, &stranger, NOW)
            .unwrap_err();
        assert_eq!(
            refused,
            LdpVcError::Document(DocumentError::UnknownContext {
                url: CONTEXT.to_owned()
            })
        );
    }
}

#[test]
fn tampered_claim() {
    let errors = World::new().refused(|credential| credential["credentialSubject"]["points"] = json!(5));
    assert!(bad_signature(&errors), "{errors:?}");
    let errors = World::new().refused(|credential| credential["credentialSubject"]["id"] = json!("did:key:z6MkThief"));
    assert!(bad_signature(&errors), "{errors:?}");
}

#[test]
fn removed_status() {
    let errors = World::new().refused(|credential| {
        credential.as_object_mut().unwrap().remove("credentialStatus");
    });
    assert!(bad_signature(&errors), "{errors:?}");
}

/// The same statements, but no reader of JSON would see the status (see also the tests of `jsonld`).
#[test]
fn status_hidden_under_another_spelling() {
    let [rdfc, _] = World::new().refused(|credential| {
        let status = credential.as_object_mut().unwrap().remove("credentialStatus").unwrap();
        credential["https://www.w3.org/2018/credentials#credentialStatus"] = status;
    });
    let hidden = jsonld::Error::NotCompact {
        term: "https://www.w3.org/2018/credentials#credentialStatus".to_owned(),
    };
    assert_eq!(rdfc, LdpVcError::Cryptosuite(hidden.into()));
}

/// The same statements again: everything with one id is one thing.
#[test]
fn expiry_moved_below_the_subject() {
    let world = World::new();
    let mut credential = world.issue(Cryptosuite::EddsaRdfc2022, |document| {
        document["credentialSubject"]["knows"] = json!({"id": document["id"]});
    });
    let _ = world.authenticate(&credential).unwrap();
    let expiry = credential.as_object_mut().unwrap().remove("validUntil");
    credential["credentialSubject"]["knows"]["type"] = json!("VerifiableCredential");
    credential["credentialSubject"]["knows"]["validUntil"] = expiry.unwrap();
    assert_eq!(
        world.authenticate(&credential).unwrap_err(),
        LdpVcError::Document(DocumentError::DescribedElsewhere {
            property: "knows".to_owned()
        })
    );
}

#[test]
fn claim_moved_away_from_the_subject() {
    let world = World::new();
    let mut credential = world.issue(Cryptosuite::EddsaRdfc2022, |document| {
        document["credentialSubject"]["knows"] = json!({"id": "did:key:z6MkOther", "knows": {"id": HOLDER}});
    });
    let _ = world.authenticate(&credential).unwrap();
    let points = credential["credentialSubject"]
        .as_object_mut()
        .unwrap()
        .remove("points");
    credential["credentialSubject"]["knows"]["knows"]["points"] = points.unwrap();
    assert_eq!(
        world.authenticate(&credential).unwrap_err(),
        LdpVcError::Document(DocumentError::DescribedElsewhere {
            property: "knows".to_owned()
        })
    );
}

#[test]
fn number_that_implementations_read_differently() {
    for error in World::new().refused(|credential| {
        credential["credentialSubject"]["points"] = json!(9_007_199_254_740_993_u64);
    }) {
        let expected = DocumentError::LargeInteger {
            property: "points".to_owned(),
        };
        assert_eq!(error, LdpVcError::Document(expected));
    }
}

#[test]
fn foreign_key() {
    let world = World::new();
    let stranger = SoftwareKey::generate(Algorithm::EdDsa, &mut signer::os_rng());
    let p256 = SoftwareKey::generate(Algorithm::Es256, &mut signer::os_rng());
    let errors = |key: &SoftwareKey| {
        WHOLE.map(|suite| {
            let credential = world.issue(suite, |_| {});
            world
                .authenticate_at(&credential, key.public_key(), ISSUER, NOW)
                .unwrap_err()
        })
    };
    assert!(bad_signature(&errors(&stranger)));
    let (suites, found) = (WHOLE.map(Cryptosuite::as_str), Algorithm::Es256);
    let expected = [
        CryptosuiteError::Algorithm {
            suite: suites[0],
            found,
        },
        CryptosuiteError::Json(JcsProofError::Algorithm {
            suite: suites[1],
            found,
        }),
    ];
    assert_eq!(errors(&p256), expected.map(LdpVcError::Cryptosuite));
}

#[test]
fn another_issuer() {
    let world = World::new();
    for suite in WHOLE {
        let credential = world.issue(suite, |_| {});
        let key = world.issuer.public_key();
        let refused = world
            .authenticate_at(&credential, key, "did:web:other.example", NOW)
            .unwrap_err();
        let expected = "did:web:other.example".to_owned();
        assert_eq!(refused, LdpVcError::Proof(ProofError::VerificationMethod { expected }));
    }
}

/// An agency signs a credential that names another agency as its issuer.
#[test]
fn proof_by_an_authentic_key_of_somebody_else() {
    let world = World::new();
    for suite in WHOLE {
        let mut credential = world.issue(suite, |_| {});
        credential["issuer"] = json!("did:web:ministry.example");
        let refused = world.authenticate(&credential).unwrap_err();
        assert_eq!(
            refused,
            LdpVcError::WrongIssuer {
                expected: ISSUER.to_owned(),
                found: "did:web:ministry.example".to_owned()
            }
        );
        let mut document = as_object(self::credential());
        document.insert("issuer".to_owned(), json!("did:web:ministry.example"));
        let refused = issue(document, &options(suite), &world.contexts).unwrap_err();
        assert!(matches!(
            refused,
            LdpVcError::Proof(ProofError::VerificationMethod { .. })
        ));
    }
}

#[test]
fn verification_methods_that_are_not_absolute_urls_of_the_issuer() {
    for method in ["#key-1", "key-1", ISSUER, "did:web:agency.example.evil.example#key-1"] {
        for error in World::new().refused(|credential| credential["proof"]["verificationMethod"] = json!(method)) {
            let expected = ISSUER.to_owned();
            assert_eq!(
                error,
                LdpVcError::Proof(ProofError::VerificationMethod { expected }),
                "{method}"
            );
        }
    }
}

#[test]
fn expired_proof() {
    let world = World::new();
    for suite in WHOLE {
        let credential = world.issue(suite, |_| {});
        let at = |now| world.authenticate_at(&credential, world.issuer.public_key(), ISSUER, now);
        assert!(at(NOW.plus(3_599)).is_ok());
        let until = NOW.plus(3_600);
        let expired = ValidityError::Expired { until, now: until };
        assert_eq!(at(until).unwrap_err(), LdpVcError::Proof(ProofError::Validity(expired)));
    }
}

#[test]
fn proof_made_in_the_future() {
    let world = World::new();
    let credential = world.issue(Cryptosuite::EddsaRdfc2022, |_| {});
    let at = |now| world.authenticate_at(&credential, world.issuer.public_key(), ISSUER, now);
    assert!(at(NOW.minus(60)).is_ok());
    assert!(matches!(
        at(NOW.minus(61)),
        Err(LdpVcError::Proof(ProofError::Validity(
            ValidityError::NotYetValid { .. }
        )))
    ));
}

#[test]
fn times_moved_after_signing() {
    let errors = World::new().refused(|credential| credential["proof"]["expires"] = json!("2099-01-01T00:00:00Z"));
    assert!(bad_signature(&errors), "{errors:?}");
    let errors = World::new().refused(|credential| {
        credential["proof"].as_object_mut().unwrap().remove("expires");
    });
    assert!(bad_signature(&errors), "{errors:?}");
    for error in World::new().refused(|credential| credential["proof"]["expires"] = json!("2099-01-01")) {
        assert!(matches!(
            error,
            LdpVcError::Proof(ProofError::Member { member: "expires", .. })
        ));
    }
}

#[test]
fn expired_credential() {
    let world = World::new();
    let credential = world.issue(Cryptosuite::EddsaRdfc2022, |document| {
        document["validUntil"] = json!(NOW.plus(10).to_rfc3339());
    });
    let at = |now| world.authenticate_at(&credential, world.issuer.public_key(), ISSUER, now);
    assert!(at(NOW.plus(9)).is_ok());
    assert!(matches!(at(NOW.plus(10)), Err(LdpVcError::Validity(_))));
}

/// A holder's proof of a presentation is no issuer's assertion.
#[test]
fn wrong_purpose() {
    for error in World::new().refused(|credential| credential["proof"]["proofPurpose"] = json!("authentication")) {
        let expected = "assertionMethod";
        assert_eq!(error, LdpVcError::Proof(ProofError::WrongPurpose { expected }));
    }
}

#[test]
fn proof_removed() {
    for error in World::new().refused(|credential| {
        credential.as_object_mut().unwrap().remove("proof");
    }) {
        assert_eq!(error, LdpVcError::Proof(ProofError::Missing));
    }
    for member in [
        "proofValue",
        "cryptosuite",
        "verificationMethod",
        "proofPurpose",
        "type",
    ] {
        for error in World::new().refused(|credential| {
            credential["proof"].as_object_mut().unwrap().remove(member);
        }) {
            assert!(
                matches!(error, LdpVcError::Proof(ProofError::Member { member: found, .. }) if found == member),
                "{error:?}"
            );
        }
    }
}

/// A suite that reads the document in another way must not be chosen by the sender.
#[test]
fn other_cryptosuite() {
    for name in ["eddsa-rdfc-2022", "eddsa-jcs-2022"] {
        let world = World::new();
        for suite in WHOLE.into_iter().filter(|suite| suite.as_str() != name) {
            let mut credential = world.issue(suite, |_| {});
            credential["proof"]["cryptosuite"] = json!(name);
            assert!(world.authenticate(&credential).is_err());
        }
    }
    for error in World::new().refused(|credential| credential["proof"]["cryptosuite"] = json!("none")) {
        assert_eq!(error, LdpVcError::Proof(ProofError::Cryptosuite));
    }
}

#[test]
fn proof_value_in_another_form() {
    let [rdfc, jcs] = World::new().refused(|credential| {
        let value = credential["proof"]["proofValue"].as_str().unwrap();
        let bytes = keys::multibase::decode(value).unwrap();
        credential["proof"]["proofValue"] = json!(format!("u{}", keys::base64url::encode(bytes)));
    });
    assert_eq!(rdfc, LdpVcError::Cryptosuite(CryptosuiteError::ProofValue));
    assert!(matches!(jcs, LdpVcError::Cryptosuite(CryptosuiteError::Json(_))));
}

#[test]
fn duplicate_member() {
    let world = World::new();
    for suite in WHOLE {
        let text = world.issue(suite, |_| {}).to_string();
        assert!(Unverified::<LdpVc>::parse(&text).is_ok());
        let twice = text.replacen("\"points\":4", "\"points\":12,\"points\":4", 1);
        assert_ne!(text, twice);
        assert!(matches!(
            Unverified::<LdpVc>::parse(&twice),
            Err(LdpVcError::Json(JsonError::Malformed {
                problem: "duplicate member",
                ..
            }))
        ));
    }
}

#[test]
fn poison_graph() {
    let world = World::new();
    // A clique would need labels, which compact mode refuses; a tree of equal nodes needs none.
    let leaf = json!({"class": "2B"});
    let twig = json!({"knows": vec![leaf; 8]});
    let tree = json!({"knows": vec![json!({"knows": vec![twig; 8]}); 8]});
    let mut credential = world.issue(Cryptosuite::EddsaRdfc2022, |_| {});
    credential["credentialSubject"]["knows"] = tree;
    assert!(matches!(
        world.authenticate(&credential),
        Err(LdpVcError::Cryptosuite(CryptosuiteError::Canonicalization(_)))
    ));
}

#[test]
fn too_large_and_too_deep() {
    let world = World::new();
    let mut credential = world.issue(Cryptosuite::EddsaRdfc2022, |_| {});
    credential["credentialSubject"]["class"] = json!("x".repeat(MAX_CREDENTIAL_BYTES));
    assert!(matches!(
        world.authenticate(&credential),
        Err(LdpVcError::Json(JsonError::TooLarge { .. }))
    ));
    let mut credential = world.issue(Cryptosuite::EddsaRdfc2022, |_| {});
    let deep = (0..40).fold(json!(1), |inner, _| json!([inner]));
    credential["credentialSubject"]["class"] = deep;
    assert!(matches!(
        world.authenticate(&credential),
        Err(LdpVcError::Json(JsonError::Malformed { .. }))
    ));
    let mut credential = world.issue(Cryptosuite::EddsaRdfc2022, |_| {});
    let others = (0..MAX_CONTEXTS).map(|number| json!(format!("https://other.example/{number}")));
    credential["@context"] = [json!("https://www.w3.org/ns/credentials/v2")]
        .into_iter()
        .chain(others)
        .collect();
    assert_eq!(
        world.authenticate(&credential).unwrap_err(),
        LdpVcError::Document(DocumentError::InlineContext)
    );
}

#[test]
fn secured_documents_are_not_signed_again() {
    let world = World::new();
    let signed = as_object(world.issue(Cryptosuite::EddsaRdfc2022, |_| {}));
    let refused = issue(signed, &options(Cryptosuite::EddsaRdfc2022), &world.contexts);
    assert_eq!(refused.unwrap_err(), LdpVcError::Secured);
}

/// A status list travels as any credential.
#[test]
fn status_lists_are_credentials_too() {
    use crate::status_list::BitsPerEntry;
    use crate::status_list::BitstringCredential;
    use crate::status_list::BitstringPurpose;
    use crate::status_list::BitstringStatusList;
    use crate::status_list::Status;
    use crate::status_list::StatusArray;
    use crate::status_list::StatusPurpose;
    use crate::status_list::StatusReference;

    let world = World::new();
    let mut array = StatusArray::new(BitsPerEntry::One, 16);
    array.set(7, Status::Invalid).unwrap();
    let list = BitstringCredential {
        uri: "https://agency.example/status/1",
        issuer: ISSUER,
        purposes: &[StatusPurpose::Revocation],
        valid_from: NOW,
        valid_until: Some(NOW.plus(600)),
        time_to_live: Some(60_000),
        bitstring: &array.to_bitstring(BitstringPurpose::Revocation),
        messages: None,
    };
    for suite in WHOLE {
        let request = issue(list.document().unwrap(), &options(suite), &world.contexts).unwrap();
        let credential = Value::Object(fulfil(&world.issuer, request).unwrap());
        let authentic = world.authenticate(&credential).unwrap();
        let list = BitstringStatusList::from_credential(&authentic, list.uri).unwrap();
        for (index, status) in [(7, Status::Invalid), (8, Status::Valid)] {
            let reference = StatusReference::bitstring(list.uri().to_owned(), index, StatusPurpose::Revocation);
            assert_eq!(list.read(&reference).unwrap().status(), status);
        }
    }
}

/// The context that gives the claims their meaning is not the one that the issuer saw.
#[test]
fn context_of_another_digest() {
    let world = World::new();
    let resource =
        |url: &str, text: &str| json!([{"id": url, "digestSRI": crate::integrity::compute(text.as_bytes())}]);
    let url = "https://www.w3.org/ns/credentials/v2";
    let text = world.contexts.text(url).unwrap().to_owned();
    for suite in WHOLE {
        let issue_with = |related: Value| {
            let mut document = credential();
            document["relatedResource"] = related;
            issue(as_object(document), &options(suite), &world.contexts).map(drop)
        };
        assert_eq!(issue_with(resource(url, &text)), Ok(()));
        let refused = |url: &str, source| {
            let url = url.to_owned();
            Err(LdpVcError::Document(DocumentError::ContextDigest { url, source }))
        };
        let mismatch = Some(crate::integrity::IntegrityError::Mismatch);
        assert_eq!(issue_with(resource(url, "other")), refused(url, mismatch));
        // Registered without its bytes.
        assert_eq!(issue_with(resource(CONTEXT, &text)), refused(CONTEXT, None));
        // No context of this document: for whoever makes use of it.
        assert_eq!(issue_with(resource("https://agency.example/a.png", "other")), Ok(()));

        let credential = world.issue(suite, |document| document["relatedResource"] = resource(url, &text));
        let authentic = world.authenticate(&credential).unwrap();
        assert_eq!(authentic.related_resources().len(), 1);
        let mut world = World {
            contexts: ContextLoader::bundled(),
            ..World::new()
        };
        world.contexts.register_text(url, &format!("{text} ")).unwrap();
        world.contexts.register(CONTEXT, json!({"@context": {}}));
        assert_eq!(
            world.authenticate(&credential).unwrap_err(),
            LdpVcError::Document(DocumentError::ContextDigest {
                url: url.to_owned(),
                source: mismatch
            })
        );
    }
}

/// Read where it is received, by the dates of its own version; never issued, nor given a further proof.
#[test]
fn credentials_of_version_1_1() {
    let world = World::new();
    let old = as_object(json!({
        "@context": [
            "https://www.w3.org/2018/credentials/v1",
            "https://w3id.org/security/data-integrity/v2",
            CONTEXT,
        ],
        "type": ["VerifiableCredential", "Licence"],
        "issuer": ISSUER,
        "issuanceDate": "2026-01-01T00:00:00Z",
        "expirationDate": NOW.plus(60).to_rfc3339(),
        "credentialSubject": {"id": HOLDER, "class": ["2B"]},
    }));
    for suite in WHOLE {
        let refused = issue(old.clone(), &options(suite), &world.contexts).map(drop);
        assert!(matches!(refused, Err(LdpVcError::DataModel(_))), "{refused:?}");
        let configuration = options(suite).configuration(ProofPurpose::AssertionMethod);
        let request = suite
            .sign(Algorithm::EdDsa, &old, configuration, &world.contexts)
            .unwrap();
        let mut credential = old.clone();
        credential.insert("proof".to_owned(), fulfil(&world.issuer, request).unwrap());
        let credential = Value::Object(credential);
        let authentic = world.authenticate(&credential).unwrap();
        assert_eq!(authentic.data_model(), DataModelVersion::V1_1);
        assert_eq!(authentic.facts().types(), ["Licence"]);
        // Both versions' contexts give `validUntil` the same IRI; the dates of 1.1 have none in 2.0, and 2.0 needs none.
        let mut as_new = credential.clone();
        as_new["@context"][0] = json!("https://www.w3.org/ns/credentials/v2");
        let mut as_old = world.issue(suite, |_| {});
        as_old["@context"][0] = json!("https://www.w3.org/2018/credentials/v1");
        for swapped in [as_new, as_old] {
            assert!(world.authenticate(&swapped).is_err());
        }
        let late = world.authenticate_at(&credential, world.issuer.public_key(), ISSUER, NOW.plus(60));
        assert!(matches!(late, Err(LdpVcError::Validity(_))), "{late:?}");
        let place = ProofPlace::default();
        let refused = add_proof(as_object(credential), &options(suite), place, &world.contexts).map(drop);
        assert!(matches!(refused, Err(LdpVcError::DataModel(_))), "{refused:?}");
    }
}
