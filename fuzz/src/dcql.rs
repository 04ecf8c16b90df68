//! Queries as a wallet and a verifier evaluate them, over credentials that are the input's as well.

use keys::json;
use openid4vc::CredentialFormat;
use openid4vc::dcql::ClaimsPath;
use openid4vc::dcql::DcqlQuery;
use openid4vc::dcql::HeldCredential;
use openid4vc::dcql::Presented;
use openid4vc::dcql::Selection;
use openid4vc::dcql::answer;
use serde_json::Value;

/// Everything in the queries of our seeds fits this type.
pub(crate) const VCT: &str = "https://attestry.example/types/PersonIdentity";

/// The first line is the query, the second one the claims of the wallet's credential.
pub fn fuzz(data: &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let claims = json::parse(data.get(end + 1..).unwrap_or_default(), json::DEFAULT_LIMITS).unwrap_or_default();
    if let Ok(path) = json::parse(&data[..end], json::DEFAULT_LIMITS)
        && let Ok(path) = ClaimsPath::from_value(&path)
    {
        let _ = path.select(&claims);
    }
    let Ok(query) = DcqlQuery::parse(&data[..end]) else {
        return;
    };
    assert_eq!(DcqlQuery::from_value(&query.to_value()).as_ref(), Ok(&query));
    select(&query, &claims);
}

/// What the wallet plans to send is what the verifier takes.
fn select(query: &DcqlQuery, claims: &Value) {
    let held = |id, format| HeldCredential {
        id,
        format,
        types: vec![VCT.to_owned()],
        claims,
        can_prove_holder_binding: true,
        authorities: Vec::new(),
    };
    let held = [
        held("one", CredentialFormat::SdJwtVc),
        held("two", CredentialFormat::JwtVcJson),
        held("three", CredentialFormat::LdpVc),
    ];
    let selection = Selection::evaluate(query, &held);
    for with_optional in [false, true] {
        let Ok(choice) = selection.default_choice(with_optional) else {
            continue;
        };
        let planned = selection.plan(&choice).expect("the default is a choice");
        let presented = planned.iter().map(|planned| {
            let credential = held.iter().find(|one| one.id == planned.credential_id).expect("held");
            Presented {
                query_id: &planned.query.id,
                format: credential.format.clone(),
                types: credential.types.clone(),
                claims,
                holder_binding_proven: true,
            }
        });
        let presented: Vec<Presented<'_>> = presented.collect();
        assert_eq!(answer::check(query, &presented), Ok(()));
    }
}
