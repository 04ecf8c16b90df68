//! Vectors of the Token Status List draft and examples of Bitstring Status List 1.0.

use std::fs;
use std::path::Path;

use credential::status_list::BitsPerEntry;
use credential::status_list::Bitstring;
use credential::status_list::Status;
use credential::status_list::StatusArray;
use credential::status_list::StatusList;
use credential::status_list::StatusPurpose;
use credential::status_list::StatusReference;
use credential::status_list::StatusSize;
use credential::status_list::UnverifiedStatusListCwt;
use credential::status_list::UnverifiedStatusListToken;
use credential::vc::CredentialProperties;
use keys::Algorithm;
use keys::Jwk;
use keys::PublicKey;
use keys::Timestamp;
use keys::cbor;
use serde_json::Value;
use serde_json::json;

use crate::vectors;

/// A printed JSON object: perhaps text before it, and strings that are wrapped.
fn printed_json(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap();
    let json: String = text[text.find('{').unwrap()..].split_whitespace().collect();
    serde_json::from_str(&json).unwrap()
}

/// Printed hexadecimal text, perhaps after other text and a colon, perhaps line by line before `#` and what it means.
fn printed_hex(path: &Path) -> Vec<u8> {
    let text = fs::read_to_string(path).unwrap();
    let text = text.split_once("encoded:").map_or(text.as_str(), |(_, hex)| hex);
    let lines = text.lines().map(|line| line.split('#').next().unwrap());
    let digits: Vec<u8> = lines
        .flat_map(str::bytes)
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

/// Whose the draft's examples are: the public part of the key in its `src/util.py`.
fn author() -> PublicKey {
    let jwk = json!({
        "kty": "EC", "crv": "P-256",
        "x": "I3HWm_0Ds1dPMI-IWmf4mBmH-YaeAVbPVu7vB27CxXo",
        "y": "6N_d5Elj9bs1htgV3okJKIdbHEpkgTmAluYKJemzn1M",
    });
    PublicKey::from_jwk(&Jwk::from_value(&jwk).unwrap()).unwrap()
}

const EXAMPLE_URI: &str = "https://example.com/statuslists/1";
/// `iat` of the examples.
const EXAMPLE_TIME: Timestamp = Timestamp::from_unix(1_686_920_170);

/// The list of the examples, with what both formats say about it.
fn check_example(list: &StatusList) {
    assert_eq!(
        *list.array(),
        StatusArray::from_packed(BitsPerEntry::One, vec![0xb9, 0xa3])
    );
    assert_eq!(list.as_of(), EXAMPLE_TIME);
    assert_eq!(list.lifetime().valid_until(), Some(Timestamp::from_unix(2_291_720_170)));
    assert_eq!(
        list.lifetime().refresh_at(EXAMPLE_TIME),
        Some(EXAMPLE_TIME.plus(43_200))
    );
    let reference = StatusReference::token_status_list(EXAMPLE_URI.to_owned(), 0);
    assert_eq!(list.read(&reference).unwrap().status(), Status::Invalid);
}

/// The statuses that the draft lists for a width, as `status[INDEX]=VALUE` under the width's heading.
fn printed_statuses(draft: &str, bits: BitsPerEntry) -> Vec<(usize, u8)> {
    let heading = format!("## {}-bit Status List", bits.number());
    let section = draft.split(&heading).nth(1).unwrap().split("\n## ").next().unwrap();
    let status = |line: &str| {
        let (index, value) = line.trim().strip_prefix("status[")?.split_once(']')?;
        let (_, value) = value.split_once("0b")?;
        Some((index.parse().unwrap(), u8::from_str_radix(value, 2).unwrap()))
    };
    section.lines().filter_map(status).collect()
}

#[test]
fn examples_of_the_token_status_list_draft() {
    let Some(root) = vectors::folder("token-status-list") else {
        return;
    };
    for (file, bits, packed) in [
        ("status_list_encoding_json.md", BitsPerEntry::One, vec![0xb9, 0xa3]),
        (
            "status_list_encoding2_json.md",
            BitsPerEntry::Two,
            vec![0xc9, 0x44, 0xf9],
        ),
    ] {
        let array = StatusArray::from_status_list(&printed_json(&root.join("examples").join(file))).unwrap();
        assert_eq!(array, StatusArray::from_packed(bits, packed));
        assert_eq!(
            StatusArray::from_status_list(&array.compress().unwrap().to_status_list(None)).unwrap(),
            array
        );
    }
}

#[test]
fn cbor_examples_of_the_token_status_list_draft() {
    let Some(root) = vectors::folder("token-status-list") else {
        return;
    };
    for (name, bits, packed) in [
        ("status_list_encoding_cbor", BitsPerEntry::One, vec![0xb9, 0xa3]),
        ("status_list_encoding2_cbor", BitsPerEntry::Two, vec![0xc9, 0x44, 0xf9]),
    ] {
        let encoded = printed_hex(&root.join("examples").join(format!("{name}.md")));
        let annotated = printed_hex(&root.join("examples").join(format!("{name}_diag.md")));
        assert_eq!(encoded, annotated);
        let array = StatusArray::from_packed(bits, packed);
        assert_eq!(read_cbor(&encoded), array);
        let list = array.compress().unwrap();
        // Compressed as RECOMMENDED, so that even the bytes are the draft's.
        assert!(encoded.ends_with(list.bytes()));
        assert_eq!(read_cbor(&list.to_cbor(None).to_vec()), array);
    }
}

fn read_cbor(encoded: &[u8]) -> StatusArray {
    let limits = keys::json::Limits {
        max_bytes: 1 << 20,
        max_depth: 2,
    };
    StatusArray::from_cbor(&cbor::decode_foreign(encoded, limits).unwrap()).unwrap()
}

#[test]
fn long_vectors_of_the_token_status_list_draft() {
    let Some(root) = vectors::folder("token-status-list") else {
        return;
    };
    let draft = fs::read_to_string(root.join("draft-ietf-oauth-status-list.md")).unwrap();
    for (name, bits) in [
        ("status_list_encoding1_long", BitsPerEntry::One),
        ("status_list_encoding2_long", BitsPerEntry::Two),
        ("status_list_encoding4", BitsPerEntry::Four),
        ("status_list_encoding8", BitsPerEntry::Eight),
    ] {
        let file = |format: &str| root.join("examples").join(format!("{name}_{format}.md"));
        let listed = printed_statuses(&draft, bits);
        assert!(listed.len() >= 10, "{name}: {}", listed.len());
        let mut expected = StatusArray::new(bits, 1 << 20);
        for (index, value) in listed {
            expected.set(index, Status::from(value)).unwrap();
        }
        let json = StatusArray::from_status_list(&printed_json(&file("json"))).unwrap();
        assert_eq!(json, expected, "{name}");
        assert_eq!(read_cbor(&printed_hex(&file("cbor"))), expected, "{name}");
    }
}

#[test]
fn the_printed_status_list_tokens_are_authentic() {
    let Some(root) = vectors::folder("token-status-list") else {
        return;
    };
    let text = fs::read_to_string(root.join("examples/status_list_jwt_raw.md")).unwrap();
    let token = UnverifiedStatusListToken::parse(&text.split_whitespace().collect::<String>()).unwrap();
    let issuer = "https://example.com";
    assert_eq!((token.issuer(), token.key_id()), (Some(issuer), Some("12")));
    check_example(
        &token
            .authenticate(&author(), issuer, EXAMPLE_URI, EXAMPLE_TIME)
            .unwrap(),
    );

    let encoded = printed_hex(&root.join("examples/status_list_cwt.md"));
    assert_eq!(encoded, printed_hex(&root.join("examples/status_list_cwt_diag.md")));
    let token = UnverifiedStatusListCwt::parse(&encoded).unwrap();
    assert_eq!((token.issuer(), token.key_id()), (None, Some(&b"12"[..])));
    check_example(
        &token
            .authenticate(&author(), issuer, EXAMPLE_URI, EXAMPLE_TIME)
            .unwrap(),
    );
}

#[test]
fn the_printed_referenced_token_is_read() {
    let Some(root) = vectors::folder("token-status-list") else {
        return;
    };
    let token = printed_hex(&root.join("examples/referenced_token_cwt.md"));
    assert_eq!(token, printed_hex(&root.join("examples/referenced_token_cwt_diag.md")));
    let sign1 = keys::cose::UnverifiedSign1::parse(&token, 1 << 10).unwrap();
    assert_eq!(author().algorithm(), Algorithm::Es256);
    let verified = sign1.verify(&author()).unwrap();
    let limits = keys::json::Limits {
        max_bytes: 1 << 10,
        max_depth: 4,
    };
    let claims = cbor::decode_foreign(verified.payload(), limits).unwrap();
    let status = claims.as_map().unwrap().iter();
    let (_, status) = status
        .into_iter()
        .find(|(key, _)| key.as_unsigned() == Some(65_535))
        .unwrap();
    let expected = StatusReference::token_status_list(EXAMPLE_URI.to_owned(), 0);
    assert_eq!(expected.to_status_map(), *status);
    assert_eq!(StatusReference::from_status_map(status), Ok((Some(expected), vec![])));
}

#[test]
fn examples_of_the_bitstring_status_list() {
    let Some(root) = vectors::folder("bitstring-status-list") else {
        return;
    };
    let examples = vectors::json(&root.join("spec-examples.json"));
    let parsed = examples
        .as_array()
        .unwrap()
        .iter()
        .filter(|example| example["parsed"] == true);
    let (mut lists, mut entries) = (0, 0);
    for document in parsed.filter_map(|example| example["example"].as_object()) {
        if document
            .get("credentialSubject")
            .is_none_or(|subject| subject.get("type").is_none())
        {
            continue;
        }
        let properties = CredentialProperties::read(document).unwrap();
        entries += properties.status.len();
        for reference in properties.status {
            assert!(matches!(
                reference.purpose(),
                Some(StatusPurpose::Revocation | StatusPurpose::Suspension)
            ));
        }
        if let Some(encoded) = document["credentialSubject"].get("encodedList") {
            lists += 1;
            let bitstring = Bitstring::from_encoded_list(encoded.as_str().unwrap()).unwrap();
            assert_eq!(bitstring.entries(StatusSize::ONE), 131_072);
            assert_eq!(bitstring, Bitstring::new(StatusSize::ONE, 0));
        }
    }
    assert!(lists >= 1 && entries >= 3, "{lists} lists, {entries} entries");
}
