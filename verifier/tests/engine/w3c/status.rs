//! What the committed lists say, and how far the bundle knows.

use super::*;

#[test]
fn revoked_credential_is_refused_and_its_neighbours_are_not() {
    for kind in ALL {
        for (index, is_revoked) in [(INDEX - 1, false), (INDEX, true), (INDEX + 1, false)] {
            let (mut nation, agency) = Nation::before_snapshot(|_| {});
            nation.commit(&agency, &[(index, Status::Invalid)]);
            nation.snapshot(SNAPSHOT);
            let result = genuine(kind, &nation, &agency);
            if is_revoked {
                assert_eq!(refused(result), Reason::Revoked { committed: GENESIS }, "{kind:?}");
            } else {
                assert!(result.is_ok(), "{kind:?}");
            }
        }
    }
}

/// The credential refers to revocation alone; the record behind both views says more.
#[test]
fn suspended_credential_is_refused() {
    for kind in ALL {
        let (mut nation, agency) = Nation::before_snapshot(|_| {});
        nation.commit(&agency, &[(INDEX, Status::Suspended)]);
        nation.snapshot(SNAPSHOT);
        assert_eq!(
            refused(genuine(kind, &nation, &agency)),
            Reason::Suspended { committed: GENESIS },
            "{kind:?}"
        );
    }
}

/// Each view says one thing only; a credential that names one of them is judged by the record behind both.
#[test]
fn each_view_is_enough_to_refuse() {
    let entry = |agency: &Agency, purpose: &str| {
        let uri = match purpose {
            "revocation" => agency.bitstring_uri(),
            _ => agency.suspension_uri(),
        };
        StatusReference::bitstring(uri, INDEX, purpose.into()).to_value()
    };
    let committed = GENESIS;
    for kind in ALL {
        for purposes in [&["revocation"][..], &["suspension"], &["revocation", "suspension"]] {
            for (status, reason) in [
                (Status::Valid, None),
                (Status::Invalid, Some(Reason::Revoked { committed })),
                (Status::Suspended, Some(Reason::Suspended { committed })),
            ] {
                let (mut nation, agency) = Nation::before_snapshot(|_| {});
                nation.commit(&agency, &[(INDEX, status)]);
                nation.snapshot(SNAPSHOT);
                let mut document = kind.document(&agency);
                document["credentialStatus"] = purposes.iter().map(|purpose| entry(&agency, purpose)).collect();
                let presentation = kind.present(&agency, &[kind.issue(&agency, document)]);
                let result = judge(&nation.bundle(), &kind.query(), presentation);
                match reason {
                    None => assert_eq!(result.unwrap().credentials()[0].status().len(), purposes.len()),
                    Some(reason) => assert_eq!(refused(result), reason, "{kind:?} {purposes:?}"),
                }
            }
        }
    }
}

/// After a reinstatement and an update of the bundle it counts again.
#[test]
fn reinstated_credential_is_valid_with_the_next_bundle() {
    for kind in ALL {
        let (mut nation, agency) = Nation::before_snapshot(|_| {});
        nation.commit(&agency, &[(INDEX, Status::Suspended)]);
        nation.snapshot(SNAPSHOT);
        assert!(matches!(
            refused(genuine(kind, &nation, &agency)),
            Reason::Suspended { .. }
        ));
        nation.commit(&agency, &[]);
        nation.snapshot(SNAPSHOT.plus(MINUTE));
        assert!(genuine(kind, &nation, &agency).is_ok());
    }
}

#[test]
fn status_of_another_purpose_than_the_list_s_is_refused() {
    for purpose in ["suspension", "refresh", "message", "own"] {
        let result = changed(JWT, |_, document| {
            document["credentialStatus"]["statusPurpose"] = json!(purpose);
        });
        assert!(matches!(refused(result), Reason::StatusBroken { .. }), "{purpose}");
    }
    let result = changed(JWT, |agency, document| {
        document["credentialStatus"]["statusListCredential"] = json!(agency.list_uri());
    });
    assert!(matches!(refused(result), Reason::StatusBroken { .. }));
}

/// One bit is revocation; as a list for suspensions it would never say suspended.
#[test]
fn suspension_list_of_one_bit_is_refused() {
    for (bits, capacity, fits) in [(2, 64, true), (1, 128, false)] {
        let (mut nation, agency) = Nation::before_snapshot(|_| {});
        let zeros = trust::status_bits::StatusBits::new(bits, capacity, vec![0; 16]).unwrap();
        nation.commit_compact(&agency, zeros.to_compact(trust::entry::StatusEncoding::Zlib), |list| {
            (list.bits, list.capacity) = (bits, capacity);
            list.purpose = list.purpose.as_ref().map(|_| "suspension".to_owned());
        });
        nation.snapshot(SNAPSHOT);
        let mut document = JWT.document(&agency);
        document["credentialStatus"]["statusPurpose"] = json!("suspension");
        let presentation = JWT.present(&agency, &[JWT.issue(&agency, document)]);
        let result = judge(&nation.bundle(), &JWT.query(), presentation);
        if fits {
            assert!(result.is_ok());
        } else {
            assert!(matches!(refused(result), Reason::StatusBroken { .. }));
        }
    }
}

#[test]
fn credential_without_status_is_refused_where_its_type_demands_one() {
    for kind in ALL {
        let result = changed(kind, |_, document| {
            document.as_object_mut().unwrap().remove("credentialStatus");
        });
        assert_eq!(refused(result), Reason::StatusMissing, "{kind:?}");
    }
}

#[test]
fn status_of_an_unknown_mechanism_is_refused() {
    let result = changed(JWT, |_, document| {
        let known = document["credentialStatus"].clone();
        document["credentialStatus"] = json!([known, {"type": "OtherStatus", "id": "https://a.example/1"}]);
    });
    let name = "OtherStatus".to_owned();
    assert_eq!(refused(result), Reason::StatusUnknownMechanism { name });
}

#[test]
fn credential_newer_than_the_bundle_is_not_covered() {
    for kind in ALL {
        let (nation, agency) = Nation::with_issuer();
        // By the signature's time; and by validFrom where the signature tells none.
        for (signed, valid_from, fits) in [
            (Some(SNAPSHOT), SNAPSHOT.plus(1), true),
            (Some(SNAPSHOT.plus(1)), ISSUED, false),
            (None, SNAPSHOT, true),
            (None, SNAPSHOT.plus(1), false),
        ] {
            let mut document = kind.document(&agency);
            document["validFrom"] = json!(valid_from.to_rfc3339());
            let credential = kind.issue_at(&agency, document, signed);
            let result = judge(&nation.bundle(), &kind.query(), kind.present(&agency, &[credential]));
            if fits {
                assert!(result.is_ok(), "{kind:?} {signed:?}");
            } else {
                assert_eq!(
                    not_covered(result),
                    Reason::NewerThanBundle { bundle: SNAPSHOT },
                    "{kind:?}"
                );
            }
        }
    }
}

#[test]
fn expired_credential_is_refused() {
    for kind in ALL {
        let result = changed(kind, |_, document| document["validUntil"] = json!(NOW.to_rfc3339()));
        match refused(result) {
            Reason::VcJwt(VcJwtError::Validity(_)) | Reason::LdpVc(LdpVcError::Validity(_)) => {}
            other => panic!("{kind:?} {other:?}"),
        }
    }
}
