//! Proposals to log the document of a did:web.

use did::Did;
use did::methods::web;
use serde::Deserialize;
use serde_json::Map;
use serde_json::Value;
use trust::entry::Body;
use trust::entry::DidEventBody;

use super::BodyError;
use super::Proposed;
use super::parse;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Snapshot {
    did: String,
    document: String,
}

/// The document is looked at before any officer is asked. A JSON text is UTF-8, so as a string it keeps its bytes.
pub(super) fn read(members: Map<String, Value>) -> Result<Proposed, BodyError> {
    let Snapshot { did, document } = parse(members)?;
    web::read(&Did::parse(&did)?, document.as_bytes())?;
    let document = document.into_bytes();
    // The first authority approves, and no other.
    Ok(Proposed::new(None, did, Body::DidEvent(DidEventBody::Web { document })))
}
