//! Identifiers are displayed as they were written; every method's documents and logs are read.

use did::Did;
use did::DidUrl;
use did::Document;
use did::methods;
use did::resolve;
use did::webvh;
use did::webvh::VersionQuery;

use crate::NOW;
use crate::text;

/// The input as identifier, document, witness file, log, and as the answer to every fetch.
pub fn fuzz(data: &[u8]) {
    let _ = Document::parse(data);
    let _ = webvh::WitnessFile::parse(data);
    let _ = webvh::LogState::genesis(data, Some(NOW));
    let _ = webvh::resolve_log(None, data, None, &VersionQuery::Latest, Some(NOW));
    // A DID, and after a line break what its host answers.
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let Some(name) = text(&data[..end]) else { return };
    let answer = data.get(end + 1..).unwrap_or_default();
    if let Ok(url) = DidUrl::parse(name) {
        assert_eq!(url.to_string(), name);
        assert_eq!(DidUrl::parse_in(url.did(), name), Ok(url.clone()));
        let _ = url.query_parameter("versionId");
        let _ = VersionQuery::of_url(&url);
        let _ = methods::key::public_key_of_method(&url);
    }
    if let Ok(did) = Did::parse(name) {
        assert_eq!(did.to_string(), name);
        if let Ok(key) = methods::key::public_key(&did) {
            assert_eq!(methods::key::did(&key), name);
        }
        let _ = methods::web::url(&did);
        resolve_with(&did, answer);
    }
}

fn resolve_with(did: &Did, answer: &[u8]) {
    let mut step = resolve::resolve(did, options());
    // The longest resolution asks for a log and a witness file.
    for _ in 0..4 {
        match step {
            Ok(resolve::Step::Fetch(fetch)) => step = fetch.resume(Some(answer)),
            Ok(resolve::Step::Done(resolved)) => {
                let _ = resolved.to_value();
                return;
            }
            Err(error) => {
                let _ = error.to_value();
                return;
            }
        }
    }
    panic!("the resolution does not end");
}

fn options() -> resolve::Options {
    resolve::Options {
        version: VersionQuery::Latest,
        now: NOW,
    }
}
