//! The document of a did:web on its way into the log: from the website or a file into a proposal, and before the eyes
//! of officers, who look at the website themselves.

use std::path::Path;

use anyhow::Context as _;
use anyhow::Result;
use did::Did;
use did::methods::web;
use serde_json::Value;
use serde_json::json;
use server::fetch::Fetcher;
use server::fetch::Outgoing;
use server::fetch::Reach;
use trust::entry::MAX_WEB_DOCUMENT_BYTES;
use trust::merkle::Hash;

use crate::files;

/// The proposal to log the document of `did`, which is in `file`, or else is fetched from where the DID says.
pub(super) async fn proposal(did: &str, file: Option<&Path>) -> Result<Value> {
    let parsed = Did::parse(did).with_context(|| format!("expected a did:web, found {did}"))?;
    let url = web::url(&parsed)?;
    let (bytes, place) = match file {
        Some(file) => {
            let limit = u64::try_from(MAX_WEB_DOCUMENT_BYTES)?;
            (files::read(file, "DID document", limit)?, file.display().to_string())
        }
        None => (fetch(&url).await?, url),
    };
    web::read(&parsed, &bytes).with_context(|| format!("expected the document of {did} in {place}, found another"))?;
    let document = String::from_utf8(bytes)?;
    Ok(json!({"type": "did", "action": "snapshot", "did": did, "document": document}))
}

/// The document for officers: verbatim, but for characters that a terminal would not show as they are.
pub(super) fn shown(did: &str, document: &[u8]) -> String {
    let mut text = format!(
        "the document of {did}, {} bytes of SHA-256 {}:\n",
        document.len(),
        Hash::digest(document)
    );
    for character in String::from_utf8_lossy(document).chars() {
        match character {
            '\n' | '\t' | '"' | '\'' | '\\' => text.push(character),
            other => text.extend(other.escape_debug()),
        }
    }
    text
}

/// What the website says of a document now.
pub(super) struct Compared {
    /// Whether it serves this very document; `None` where it could not be asked.
    same: Option<bool>,
    /// The finding for people.
    pub(super) told: String,
}

impl Compared {
    /// The finding for programs.
    pub(super) fn to_json(&self) -> Value {
        json!({"serves_this_document": self.same, "told": self.told})
    }
}

/// What the website says of it now, seen from the officer's own machine: the proposal came from somebody else.
pub(super) async fn compared(did: &str, document: &[u8]) -> Compared {
    let Ok(Ok(url)) = Did::parse(did).map(|did| web::url(&did)) else {
        return Compared {
            same: None,
            told: format!("{did} names no place on the web"),
        };
    };
    comparison(&url, &fetch(&url).await, document)
}

fn comparison(url: &str, served: &Result<Vec<u8>>, document: &[u8]) -> Compared {
    let (same, told) = match served {
        Ok(served) if served == document => (Some(true), format!("{url} serves this document now")),
        Ok(served) => {
            let (size, digest) = (served.len(), Hash::digest(served));
            let told = format!("{url} serves ANOTHER document now, {size} bytes of SHA-256 {digest}");
            (Some(false), told)
        }
        Err(error) => (None, format!("{url} could not be compared: {error:#}")),
    };
    Compared { same, told }
}

/// A website of somebody else names the place, so nothing on this machine is reached.
async fn fetch(url: &str) -> Result<Vec<u8>> {
    let request =
        Outgoing::get(url, MAX_WEB_DOCUMENT_BYTES)?.header("accept", "application/did+json, application/json");
    let fetched = Fetcher::new(Reach::PublicOnly)?.send(request).await?;
    anyhow::ensure!(
        fetched.is_success(),
        "expected a document at {url}, found the status {}",
        fetched.status
    );
    Ok(fetched.body)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DID: &str = "did:web:agency.example";

    #[tokio::test]
    async fn document_in_a_file_is_proposed_verbatim() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("did.json");
        let text = format!("{{ \"id\":\"{DID}\" }}\n");
        std::fs::write(&file, &text).unwrap();
        let expected = json!({"type": "did", "action": "snapshot", "did": DID, "document": text});
        assert_eq!(proposal(DID, Some(&file)).await.unwrap(), expected);
        for other in [
            "did:web:other.example",
            "did:web:agency.example:..",
            "did:key:z6Mk",
            "agency",
        ] {
            assert!(proposal(other, Some(&file)).await.is_err(), "{other}");
        }
        std::fs::write(&file, " ".repeat(MAX_WEB_DOCUMENT_BYTES + 1)).unwrap();
        let refused = proposal(DID, Some(&file)).await.unwrap_err().to_string();
        assert!(refused.contains("at most 32768 bytes"), "{refused}");
    }

    #[tokio::test]
    async fn officers_are_told_of_another_document_at_the_website() {
        let url = "https://agency.example/.well-known/did.json";
        let told = |served| comparison(url, &served, b"{}");
        let same = told(Ok(b"{}".to_vec()));
        assert_eq!(
            same.to_json(),
            json!({"serves_this_document": true, "told": format!("{url} serves this document now")})
        );
        // Another byte is another document, even where it says the same.
        let other = told(Ok(b"{ }".to_vec()));
        let digest = Hash::digest(b"{ }");
        assert_eq!(
            other.to_json(),
            json!({
                "serves_this_document": false,
                "told": format!("{url} serves ANOTHER document now, 3 bytes of SHA-256 {digest}"),
            })
        );
        let unreached = told(Err(anyhow::anyhow!("no answer")));
        assert_eq!(
            unreached.to_json(),
            json!({"serves_this_document": null, "told": format!("{url} could not be compared: no answer")})
        );
        let nowhere = compared("did:web:127.0.0.1", b"{}").await;
        assert_eq!(
            nowhere.to_json(),
            json!({"serves_this_document": null, "told": "did:web:127.0.0.1 names no place on the web"})
        );
    }

    /// A document that hides something behind what a terminal does with it.
    #[test]
    fn officers_see_every_character() {
        let text = shown(
            DID,
            "{\"id\": \"\u{202e}\u{1b}[2K\u{9b}\",\n\t\"a\": \"\\n\"}".as_bytes(),
        );
        assert!(
            text.ends_with("{\"id\": \"\\u{202e}\\u{1b}[2K\\u{9b}\",\n\t\"a\": \"\\n\"}"),
            "{text}"
        );
        assert!(text.starts_with("the document of did:web:agency.example, "), "{text}");
    }
}
