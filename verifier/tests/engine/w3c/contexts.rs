//! What the terms mean, and who says so.

use super::*;

#[test]
fn context_of_another_type_is_refused_though_it_is_registered() {
    for kind in ALL {
        let result = changed(kind, |_, document| {
            document["@context"] = json!([BASE, context_url(IDENTITY), context_url(LICENCE)]);
        });
        let url = context_url(LICENCE);
        assert_eq!(refused(result), Reason::Context { url }, "{kind:?}");
    }
}

/// An rdfc signature covers statements, not contexts: who added one after signing is found by the list alone.
#[test]
fn context_added_after_signing_is_refused() {
    let (nation, agency) = Nation::with_issuer();
    let text = RDFC.issue(&agency, RDFC.document(&agency));
    let mut credential: Value = serde_json::from_str(&text).unwrap();
    let widened = json!([BASE, context_url(IDENTITY), context_url(LICENCE)]);
    credential["@context"] = widened;
    let unverified = Unverified::<LdpVc>::parse(&credential.to_string()).unwrap();
    let authentic = unverified.authenticate(agency.eddsa.public_key(), &agency.did, &loader(), NOW);
    assert!(authentic.is_ok(), "otherwise this tests nothing");
    let presentation = RDFC.present(&agency, &[credential.to_string()]);
    let url = context_url(LICENCE);
    assert_eq!(
        refused(judge(&nation.bundle(), &RDFC.query(), presentation)),
        Reason::Context { url }
    );
}

#[test]
fn context_that_is_not_registered_is_refused() {
    let unknown = "https://attestry.example/unknown.jsonld";
    let contexts = || json!([BASE, context_url(IDENTITY), unknown]);
    let url = unknown.to_owned();
    let result = changed(JWT, |_, document| document["@context"] = contexts());
    assert_eq!(refused(result), Reason::Context { url: url.clone() });

    let (nation, agency) = Nation::with_issuer();
    let mut document = RDFC.document(&agency);
    document["@context"] = contexts();
    let mut known = loader();
    known.register(
        unknown,
        json!({"@context": {"more": "https://attestry.example/vocab#more"}}),
    );
    let text = RDFC.issue_with(&agency, document, Some(ISSUED), &known);
    let presentation = resigned(&serde_json::from_str(&text).unwrap());
    let unknown_context = LdpVcError::Document(DocumentError::UnknownContext { url });
    assert_eq!(
        refused(judge(&nation.bundle(), &RDFC.query(), presentation)),
        Reason::LdpVc(unknown_context)
    );
}

#[test]
fn context_written_into_a_document_is_refused() {
    let result = changed(JWT, |_, document| {
        document["@context"] = json!([BASE, context_url(IDENTITY), {"more": "https://attestry.example/vocab#more"}]);
    });
    assert!(matches!(refused(result), Reason::Form { .. }));
}

#[test]
fn context_that_the_bundle_was_made_without_is_not_covered() {
    for kind in ALL {
        let (nation, agency) = Nation::with_issuer();
        let bundle = nation.bundle_without(|blob| blob == context(IDENTITY).as_bytes());
        let presentation = kind.present(&agency, &[kind.issue(&agency, kind.document(&agency))]);
        let url = context_url(IDENTITY);
        assert_eq!(
            not_covered(judge(&bundle, &kind.query(), presentation)),
            Reason::ContextNotCovered { url },
            "{kind:?}"
        );
    }
}

/// The genuine credential, after another context was published for a type.
fn with_published(name: &str, url: &str, context: &str) -> Result<Verified, Refused> {
    let (mut nation, agency) = Nation::with_issuer();
    nation.publish_context(name, url, context);
    nation.snapshot(SNAPSHOT.plus(1));
    genuine(JWT, &nation, &agency)
}

#[test]
fn registered_context_that_is_no_json_is_refused() {
    let url = context_url(IDENTITY);
    let result = with_published(IDENTITY, &url, "{\"@context\":");
    assert_eq!(refused(result), Reason::ContextBroken { url });
}

#[test]
fn url_that_is_registered_with_two_contents_is_refused() {
    let url = context_url(IDENTITY);
    let result = with_published(LICENCE, &url, context(LICENCE));
    assert_eq!(refused(result), Reason::ContextBroken { url });
}

#[test]
fn type_that_its_own_context_does_not_define_is_refused() {
    let result = with_published(IDENTITY, &context_url(IDENTITY), r#"{"@context": {}}"#);
    assert!(matches!(refused(result), Reason::TypeMeaning(_)));
}
