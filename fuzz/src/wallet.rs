//! What a wallet receives and stores, and what it would show for a request.

use std::sync::LazyLock;

use holder::Contexts;
use holder::CredentialRecord;
use holder::Expected;
use holder::Holdings;
use holder::Received;
use keys::json;
use keys::json::DEFAULT_LIMITS;
use openid4vc::vp::UnverifiedRequestObject;
use openid4vc::vp::request_object::REQUEST_OBJECT_TYP;
use serde_json::Value;

use crate::holder;
use crate::issuer;
use crate::nation::GENESIS;
use crate::text;
use crate::verdict::ANSWER;

static NO_CONTEXTS: LazyLock<Contexts> = LazyLock::new(Contexts::default);

static HOLDINGS: LazyLock<Holdings> =
    LazyLock::new(|| Holdings::open(vec![ANSWER.record.clone()]).expect("our own record"));

/// The input as stored record, as delivered credential, and as request for the wallet's credential.
pub fn fuzz(data: &[u8]) {
    if let Ok(record) = json::parse_as::<CredentialRecord>(data, DEFAULT_LIMITS) {
        if let Ok(held) = record.open() {
            let _ = held.name(&record, &["en", "de"]);
            let _ = held.shown_claims(&record);
        }
    }
    if let Some(text) = text(data) {
        let shown = holder::printable(text);
        assert!(!shown.contains(char::is_control));
        receive(text);
    }
    let jwt = issuer().jws(REQUEST_OBJECT_TYP, data);
    let now = GENESIS.plus(60);
    if let Ok(request) = UnverifiedRequestObject::parse(&jwt, None)
        && let Ok(request) = request.verify(issuer().public(), None, now)
    {
        if let Ok(proposal) = HOLDINGS.propose(&request, &[], now, &mut crate::verdict::Salts(1)) {
            let _ = (proposal.verifier(), proposal.credentials().len());
            let _ = proposal
                .present(now, &mut crate::verdict::Salts(1))
                .expect("what was proposed can be presented");
        }
    }
}

fn receive(text: &str) {
    let expected = Expected {
        configuration: &ANSWER.configuration,
        holder_key: holder().public(),
        issuer_key: &ANSWER.issuer_key,
        contexts: &NO_CONTEXTS,
        now: GENESIS.plus(60),
    };
    let credential = Value::from(text);
    let _ = holder::issuer_key_url(&credential, &ANSWER.configuration);
    let _ = Received::check(&credential, &expected);
}
