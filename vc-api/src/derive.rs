//! Deriving a credential that discloses a part of another
//! ([derive credential](https://w3c.github.io/vcalm/#derive-credential)): what a holder's software does with a suite
//! that has selective disclosure.

use credential::LdpVc;
use credential::Unverified;
use credential::data_integrity::Cryptosuite;
use serde::Deserialize;
use serde_json::Map;
use serde_json::Value;

use crate::issue::not_selective;
use crate::problem::Details;
use crate::problem::Refusal;

/// The body of the request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct DeriveRequest {
    verifiable_credential: Map<String, Value>,
    #[serde(rename = "options")]
    _options: DeriveOptions,
}

/// What to disclose, besides what is mandatory.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct DeriveOptions {
    #[serde(rename = "selectivePointers")]
    _selective_pointers: Vec<String>,
}

/// The derived credential.
pub(crate) fn derive(request: &DeriveRequest) -> Result<Value, Refusal> {
    let credential = Unverified::<LdpVc>::from_object(&request.verifiable_credential);
    let credential = credential.map_err(|error| Details::from(&error).refuse())?;
    match credential.cryptosuite() {
        suite @ (Cryptosuite::EddsaJcs2022 | Cryptosuite::EddsaRdfc2022) => Err(not_selective(suite.as_str())),
    }
}
