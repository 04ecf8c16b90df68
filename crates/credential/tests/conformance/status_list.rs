//! Vectors of the Token Status List draft and examples of Bitstring Status List 1.0.

use std::fs;
use std::path::Path;

use credential::status_list::BitsPerEntry;
use credential::status_list::Bitstring;
use credential::status_list::Status;
use credential::status_list::StatusArray;
use credential::status_list::StatusPurpose;
use credential::status_list::StatusSize;
use credential::status_list::UnverifiedStatusListToken;
use credential::vc::CredentialProperties;
use serde_json::Value;

use crate::vectors;

/// A printed JSON object: perhaps text before it, and strings that are wrapped.
fn printed_json(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap();
    let json: String = text[text.find('{').unwrap()..].split_whitespace().collect();
    serde_json::from_str(&json).unwrap()
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
        assert_eq!(StatusArray::from_status_list(&array.compress().unwrap().to_status_list(None)).unwrap(), array);
    }
}

#[test]
fn long_vectors_of_the_token_status_list_draft() {
    let Some(root) = vectors::folder("token-status-list") else {
        return;
    };
    let draft = fs::read_to_string(root.join("draft-ietf-oauth-status-list.md")).unwrap();
    for (file, bits) in [
        ("status_list_encoding1_long_json.md", BitsPerEntry::One),
        ("status_list_encoding2_long_json.md", BitsPerEntry::Two),
        ("status_list_encoding4_json.md", BitsPerEntry::Four),
        ("status_list_encoding8_json.md", BitsPerEntry::Eight),
    ] {
        let read = StatusArray::from_status_list(&printed_json(&root.join("examples").join(file))).unwrap();
        let listed = printed_statuses(&draft, bits);
        assert!(listed.len() >= 10, "{file}: {}", listed.len());
        let mut expected = StatusArray::new(bits, 1 << 20);
        for (index, value) in listed {
            expected.set(index, Status::from(value)).unwrap();
        }
        assert_eq!(read, expected, "{file}");
    }
}

#[test]
fn the_printed_status_list_token_is_parsed() {
    let Some(root) = vectors::folder("token-status-list") else {
        return;
    };
    let text = fs::read_to_string(root.join("examples/status_list_jwt_raw.md")).unwrap();
    let token = UnverifiedStatusListToken::parse(&text.split_whitespace().collect::<String>()).unwrap();
    assert_eq!(
        (token.issuer(), token.key_id()),
        (Some("https://example.com"), Some("12"))
    );
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
