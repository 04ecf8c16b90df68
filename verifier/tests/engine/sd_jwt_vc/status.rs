//! What the committed lists say.

use super::*;

#[test]
fn revoked_credential_is_refused_and_its_neighbours_are_not() {
    for (index, is_revoked) in [(INDEX - 1, false), (INDEX, true), (INDEX + 1, false)] {
        let (mut nation, agency) = Nation::before_snapshot(|_| {});
        nation.commit(&agency, &[(index, Status::Invalid)]);
        nation.snapshot(SNAPSHOT);
        let result = genuine(&nation, &agency);
        if is_revoked {
            assert_eq!(refused(result), Reason::Revoked { committed: GENESIS });
        } else {
            assert!(result.is_ok());
        }
    }
}

#[test]
fn credential_that_was_revoked_after_the_bundle_is_refused_with_the_next_bundle() {
    let (mut nation, agency) = Nation::with_issuer();
    let before = nation.bundle();
    nation.commit(&agency, &[(INDEX, Status::Invalid)]);
    nation.snapshot(SNAPSHOT.plus(MINUTE));
    let presentation = present(&agency, &issue(&agency));
    assert!(judge(&before, &age(), presentation.clone()).is_ok());
    assert_eq!(
        refused(judge(&nation.bundle(), &age(), presentation)),
        Reason::Revoked { committed: SNAPSHOT }
    );
}

#[test]
fn suspended_credential_is_refused() {
    let (mut nation, agency) = Nation::before_snapshot(|_| {});
    nation.commit(&agency, &[(INDEX, Status::Suspended)]);
    nation.snapshot(SNAPSHOT);
    assert_eq!(
        refused(genuine(&nation, &agency)),
        Reason::Suspended { committed: GENESIS }
    );
}

#[test]
fn status_without_a_meaning_is_refused() {
    let (mut nation, agency) = Nation::before_snapshot(|_| {});
    nation.commit(&agency, &[(INDEX, Status::Other(3))]);
    nation.snapshot(SNAPSHOT);
    assert_eq!(
        refused(genuine(&nation, &agency)),
        Reason::Revoked { committed: GENESIS }
    );
}

#[test]
fn status_list_that_nobody_committed_is_not_covered() {
    let uri = "https://platform.example/issuers/population/status/2";
    let result = with_credential(|agency| issue_with(agency, uri.to_owned(), |_| {}));
    assert_eq!(not_covered(result), Reason::StatusNotCovered { uri: uri.to_owned() });
}

#[test]
fn status_list_that_the_bundle_was_made_without_is_not_covered() {
    let (nation, agency) = Nation::with_issuer();
    let bundle = nation.bundle_without(|blob| !blob.starts_with(b"{"));
    let result = judge(&bundle, &age(), present(&agency, &issue(&agency)));
    assert_eq!(not_covered(result), Reason::StatusNotCovered { uri: agency.list_uri() });
}

#[test]
fn place_beyond_the_end_of_the_list_is_not_covered() {
    let (nation, agency) = Nation::with_issuer();
    let status = StatusReference::token_status_list(agency.list_uri(), CAPACITY);
    let status: &'static StatusReference = Box::leak(Box::new(status));
    let credential = issue_with(&agency, agency.list_uri(), |credential| {
        credential.status = Some(status);
    });
    let result = judge(&nation.bundle(), &age(), present(&agency, &credential));
    assert_eq!(not_covered(result), Reason::StatusNotCovered { uri: agency.list_uri() });
}

#[test]
fn status_list_that_is_not_what_its_commitment_says_is_refused() {
    let (mut nation, agency) = Nation::before_snapshot(|_| {});
    nation.commit_compact(&agency, b"no zlib".to_vec(), |_| {});
    nation.snapshot(SNAPSHOT);
    assert_eq!(
        refused(genuine(&nation, &agency)),
        Reason::StatusBroken { uri: agency.list_uri() }
    );
}

#[test]
fn credential_without_status_is_refused_where_its_type_demands_one() {
    let without = |agency: &Agency| issue_with(agency, agency.list_uri(), |credential| credential.status = None);
    assert_eq!(refused(with_credential(without)), Reason::StatusMissing);

    let (mut nation, agency) = Nation::with_issuer();
    let mut relaxed = schema(IDENTITY);
    relaxed.status_required = false;
    nation.publish(IDENTITY, relaxed);
    nation.snapshot(SNAPSHOT.plus(MINUTE));
    let verified = judge(&nation.bundle(), &age(), present(&agency, &without(&agency))).unwrap();
    assert_eq!(verified.to_value()["status"], json!({"value": "unlisted"}));
}

#[test]
fn status_of_an_unknown_mechanism_is_refused() {
    let (nation, agency) = Nation::with_issuer();
    let mut payload = claims();
    payload.insert("iss".to_owned(), json!(agency.did));
    payload.insert("vct".to_owned(), json!(type_iri(IDENTITY)));
    payload.insert("iat".to_owned(), json!(ISSUED.unix()));
    payload.insert(
        "cnf".to_owned(),
        json!({"jwk": wallet().public_key().to_jwk().to_value()}),
    );
    let status = json!({"status_list": {"idx": INDEX, "uri": agency.list_uri()}, "crl": {"uri": "https://a.example"}});
    payload.insert("status".to_owned(), status);
    let header = json!({"kid": agency.method("es256"), "typ": "dc+sd-jwt"});
    let payload = Value::Object(payload).to_string();
    let request = jws::sign(
        header.as_object().unwrap().clone(),
        payload.as_bytes(),
        Algorithm::Es256,
    );
    let credential = format!("{}~", agency.es256.fulfil(request).unwrap());
    let unverified = Unverified::<SdJwtVc>::parse(&credential).unwrap();
    let held = unverified.restore(agency.es256.public_key(), &agency.did).unwrap();
    let request = held.present(&[]).unwrap().bind(CLIENT_ID, NONCE, NOW).unwrap();
    let presentation = Value::from(wallet().fulfil(request).unwrap());
    assert_eq!(
        refused(judge(&nation.bundle(), &age(), presentation)),
        Reason::StatusUnknownMechanism { name: "crl".to_owned() }
    );
}
