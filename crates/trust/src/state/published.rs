//! A DID document with its keys.

use std::sync::OnceLock;

use did::DidUrl;
use did::Document;
use did::document::KeyForError;
use did::document::Purpose;
use keys::PublicKey;

/// A document, and each of its keys from when it was first asked for.
#[derive(Clone, Debug)]
pub(super) struct Published {
    document: Document,
    keys: Vec<PublishedKey>,
}

#[derive(Clone, Debug)]
struct PublishedKey {
    id: DidUrl,
    purpose: Purpose,
    key: OnceLock<Result<PublicKey, KeyForError>>,
}

impl Published {
    pub(super) fn new(document: Document) -> Self {
        let of_purpose = |purpose| {
            let ids = document.method_ids(purpose).into_iter();
            ids.map(move |id| PublishedKey {
                id,
                purpose,
                key: OnceLock::new(),
            })
        };
        Self {
            keys: Purpose::ALL.into_iter().flat_map(of_purpose).collect(),
            document,
        }
    }

    pub(super) const fn document(&self) -> &Document {
        &self.document
    }

    /// [`Document::key_for`].
    pub(super) fn key_for(&self, id: &DidUrl, purpose: Purpose) -> Result<PublicKey, KeyForError> {
        let named = self.keys.iter().find(|key| key.purpose == purpose && key.id == *id);
        let find = || self.document.key_for(id, purpose);
        match named {
            Some(named) => named.key.get_or_init(find).clone(),
            None => find(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Asked once or twice, for each purpose: what the document itself says.
    #[test]
    fn keys_are_those_of_the_document() {
        let did = "did:web:agency.example";
        let (one, other) = (format!("{did}#1"), format!("{did}#2"));
        let key = "z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp";
        let method =
            |id: &str, key: &str| json!({"id": id, "type": "Multikey", "controller": did, "publicKeyMultibase": key});
        let document = Document::from_value(json!({
            "id": did,
            "verificationMethod": [method(&one, key), method(&other, "z6Mk")],
            "assertionMethod": [one, other],
        }));
        let document = document.unwrap();
        let published = Published::new(document.clone());
        for id in [one, other, format!("{did}#3"), "did:web:other.example#1".to_owned()] {
            let id = DidUrl::parse(&id).unwrap();
            for purpose in Purpose::ALL {
                let expected = document.key_for(&id, purpose);
                assert_eq!(published.key_for(&id, purpose), expected);
                assert_eq!(published.key_for(&id, purpose), expected);
            }
        }
        let first = DidUrl::parse("did:web:agency.example#1").unwrap();
        let found = published.key_for(&first, Purpose::AssertionMethod);
        assert_eq!(found.unwrap().to_multikey(), key);
    }
}
