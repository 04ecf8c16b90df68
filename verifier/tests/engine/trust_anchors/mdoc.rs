//! mdocs whose document signer an authority vouches for that the verifier chose.

use credential::ClaimPath;
use credential::Mdoc;
use credential::Unverified;
use credential::mdoc::MdocError;
use credential::mdoc::NewMdoc;
use credential::mdoc::SessionTranscript;
use credential::mdoc::device_response;
use credential::mdoc::mso::DigestAlgorithm;
use keys::cbor;
use keys::cose::CoseError;
use keys::x509::Certificate;
use keys::x509::X509Error;
use openid4vc::vp::VpToken;
use trust::bundle::Extract;
use trust::bundle::Subjects;
use verifier::Answer;
use verifier::Reason;

use super::*;
use crate::answer::RESPONSE_URI;
use crate::answer::question;
use crate::answer::refused;
use crate::nation::Nation;

const DOC_TYPE: &str = "org.iso.18013.5.1.mDL";
const NAMESPACE: &str = "org.iso.18013.5.1";
const STRANGER: &str = "did:example:stranger#key-1";

/// A licence with this signer's certificate, as its holder presents it.
fn present(chain: &[Vec<u8>], key_id: &str) -> Value {
    let device = wallet();
    let new = NewMdoc {
        key_id,
        certificates: chain,
        doc_type: DOC_TYPE,
        digest_algorithm: DigestAlgorithm::Sha256,
        device_key: device.public_key(),
        signed: ISSUED,
        valid_from: ISSUED,
        valid_until: ISSUED.plus(10 * DAY),
        status: None,
        namespaces: &[(
            NAMESPACE,
            vec![
                ("issuing_country", cbor::Value::text("XA")),
                ("age_over_18", cbor::Value::Bool(true)),
            ],
        )],
    };
    let signer = university();
    let mdoc = signer
        .fulfil(new.issue(Algorithm::Es256, &mut signer::os_rng()))
        .unwrap();
    let did = key_id.split_once('#').unwrap().0;
    let held = Unverified::<Mdoc>::parse(&mdoc).unwrap();
    let held = held.restore(signer.public_key(), did).unwrap();
    let path = ClaimPath::of_keys([NAMESPACE, "age_over_18"]).unwrap();
    let transcript = SessionTranscript::openid4vp(CLIENT_ID, NONCE, None, RESPONSE_URI);
    let document = device.fulfil(held.present(&[path]).unwrap().sign(&transcript)).unwrap();
    Value::from(device_response(&[document]))
}

fn licence() -> DcqlQuery {
    query(
        "mso_mdoc",
        &json!({"doctype_value": DOC_TYPE}),
        &[&[NAMESPACE, "age_over_18"]],
    )
}

fn verdict(anchors: &TrustAnchors, presentation: Value) -> Result<Verified, Refused> {
    judge_at(&[], anchors, &licence(), presentation, NOW)
}

#[test]
fn licence_of_a_chosen_authority_is_valid_whatever_its_kid_claims() {
    let root = root();
    let chosen = anchors(&[authority_anchor(&root, &[DOC_TYPE])]);
    let verified = verdict(&chosen, present(&[leaf()], STRANGER)).unwrap();
    let name = credential::mdoc::anchor_name(&Certificate::from_der(&root).unwrap());
    let issuer = json!({"id": name, "trust_anchor": name, "types": [DOC_TYPE], "key": null});
    assert_eq!(verified.to_value()["issuer"], issuer);
    let other = anchors(&[authority_anchor(&root, &[DEGREE])]);
    let reason = refused(verdict(&other, present(&[leaf()], STRANGER)));
    assert!(matches!(reason, Reason::TypeNotChosen { .. }));
}

#[test]
fn signer_of_another_authority_is_refused() {
    let chosen = anchors(&[authority_anchor(&root(), &[DOC_TYPE])]);
    let other = key(Algorithm::Es256, 72);
    let forged = certificate_by(&other, Role::DocumentSigner, university().public_key(), |_| {});
    let reason = refused(verdict(&chosen, present(&[forged], STRANGER)));
    assert_eq!(reason, Reason::Certificates(X509Error::NoAnchor));
    let expired = certificate(Role::DocumentSigner, university().public_key(), |new| {
        new.valid_until = NOW.minus(1);
    });
    let reason = refused(verdict(&chosen, present(&[expired], STRANGER)));
    assert!(matches!(reason, Reason::Certificates(X509Error::Validity { .. })));
    assert!(matches!(
        refused(verdict(&chosen, present(&[], STRANGER))),
        Reason::IssuerUnknown { .. }
    ));
}

#[test]
fn did_that_a_bundle_knows_is_followed_and_its_certificates_are_not() {
    let (nation, agency) = Nation::with_issuer();
    let chosen = anchors(&[authority_anchor(&root(), &[DOC_TYPE])]);
    let presentation = present(&[leaf()], &agency.method("es256"));
    let result = judge_at(&[&nation.bundle()], &chosen, &licence(), presentation.clone(), NOW);
    let is_followed = |result| matches!(refused(result), Reason::Mdoc(MdocError::Cose(CoseError::Signature(_))));
    assert!(is_followed(result));

    // Nor because of an extract that is about nobody.
    let extract = nation.extract_bytes(&Subjects::default());
    let extracts = [Extract::load(&extract, nation.state.anchor()).unwrap()];
    let mut vp_token = VpToken::default();
    vp_token.add("it", presentation);
    let answer = Answer {
        vp_token: &vp_token,
        extracts: &extracts,
    };
    let policy = policy().with_trust_anchors(&chosen);
    let query = licence();
    let result = verifier::verify(answer, &question(&query), &[&nation.bundle()], &policy, NOW);
    assert!(is_followed(result));
}
