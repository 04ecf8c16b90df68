//! Deriving a credential that discloses a part of another
//! ([derive credential](https://w3c.github.io/vcalm/#derive-credential)): what a holder's software does with a suite
//! that has selective disclosure.

use credential::LdpVc;
use credential::Unverified;
use did::Purpose;
use keys::json;
use serde::Deserialize;
use serde_json::Map;
use serde_json::Value;
use server::Problem;

use crate::VcApi;
use crate::contexts;
use crate::issue::context_urls;
use crate::issue::not_selective;
use crate::issue::pointers;
use crate::problem::Details;
use crate::problem::Refusal;
use crate::resolve;

/// The caller names no verifier, so that what is derived is bound to none: that is for a presentation around it.
const PRESENTATION_HEADER: &[u8] = &[];

/// The body of the request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct DeriveRequest {
    verifiable_credential: Map<String, Value>,
    options: DeriveOptions,
}

/// What to disclose, besides what is mandatory.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct DeriveOptions {
    selective_pointers: Vec<String>,
}

/// What everybody may see of a credential that is for everybody, such as a status list, where its instance has made a
/// base proof: all of it.
pub(crate) async fn show(api: &VcApi, credential: Map<String, Value>) -> Result<Value, Refusal> {
    let request = DeriveRequest {
        verifiable_credential: credential,
        options: DeriveOptions {
            selective_pointers: vec!["/credentialSubject".to_owned()],
        },
    };
    derive(api, &request).await
}

/// The derived credential.
pub(crate) async fn derive(api: &VcApi, request: &DeriveRequest) -> Result<Value, Refusal> {
    let refused = |error| Details::from(&error).refuse();
    let credential = Unverified::<LdpVc>::from_object(&request.verifiable_credential).map_err(refused)?;
    if !credential.cryptosuite().is_selective() {
        return Err(not_selective(credential.cryptosuite().as_str()));
    }
    let selective = pointers(&request.options.selective_pointers)?;
    let key = resolve::key(api, credential.verification_method(), Purpose::AssertionMethod);
    let key = key.map_err(|error| Details::from(&error).refuse())?;
    let contexts = contexts::loader(api, context_urls(&request.verifiable_credential)).await;
    let contexts = contexts.map_err(|error| Problem::internal(&error))?;
    let issuer = credential.issuer().to_owned();
    let held = credential.hold_issued(&key, &issuer, &contexts, api.0.clock.now());
    let held = held.map_err(refused)?;
    let derived = held.derive(&selective, PRESENTATION_HEADER, &contexts, &mut signer::os_rng());
    let derived = derived.map_err(refused)?;
    let derived = json::parse(derived.as_str().as_bytes(), json::DEFAULT_LIMITS);
    Ok(derived.map_err(|error| Problem::internal(&error))?)
}
