//! Issuing what the caller says ([issue credential](https://w3c.github.io/vcalm/#issue-credential)): the document is
//! the caller's, the key is the instance's.

use credential::data_integrity;
use credential::data_integrity::BaseProofOptions;
use credential::data_integrity::Cryptosuite;
use credential::data_integrity::Pointer;
use credential::data_integrity::ProofOptions;
use credential::vc::BASE_CONTEXT_1_1;
use credential::vc::CredentialProperties;
use credential::vc::DataModelVersion;
use credential::vc::ProblemType;
use credential::vc::envelope_of_credential;
use credential::vc_jwt;
use keys::SignerError;
use serde::Deserialize;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use server::Problem;

use crate::Instance;
use crate::Mechanism;
use crate::VcApi;
use crate::contexts;
use crate::problem::Details;
use crate::problem::Refusal;
use crate::status;

/// The media type of what is in an envelope.
pub(crate) const JWT_MEDIA_TYPE: &str = "application/vc+jwt";

/// The contexts with the terms of a proof; the first one is written.
const DATA_INTEGRITY_CONTEXTS: [&str; 2] = [
    "https://w3id.org/security/data-integrity/v2",
    "https://w3id.org/security/data-integrity/v1",
];

/// The body of the request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IssueRequest {
    credential: Map<String, Value>,
    #[serde(default)]
    options: Option<IssueOptions>,
}

/// Options that we know. Another one would ask for something that the credential then lacks, so it is refused.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct IssueOptions {
    /// What a holder must always disclose.
    mandatory_pointers: Option<Vec<String>>,
    /// What the status of a credential without `id` is asked for by.
    credential_id: Option<String>,
}

/// The secured credential: with a proof in it, or in an envelope.
pub(crate) async fn issue(api: &VcApi, instance: &Instance, request: IssueRequest) -> Result<Value, Refusal> {
    let IssueRequest {
        credential: mut document,
        options,
    } = request;
    let options = options.unwrap_or_default();
    let record = instance.record();
    if !document.contains_key("issuer") {
        document.insert("issuer".to_owned(), Value::from(record.did.as_str()));
    }
    inject_context(&mut document);
    // Before anything is kept of it.
    let properties = CredentialProperties::read_received(&document).map_err(|error| Details::from(&error).refuse())?;
    if properties.issuer != record.did {
        let detail = format!("expected the issuer {:?}, found {:?}", record.did, properties.issuer);
        return Err(Details::malformed(detail).refuse());
    }
    let id = document.get("id").and_then(Value::as_str).map(str::to_owned);
    let id = id.or(options.credential_id);
    // The entry's terms are those of 2.0, and the instance signs the list.
    let takes_status = properties.version == DataModelVersion::V2_0 && !document.contains_key("credentialStatus");
    if let Some(id) = id.filter(|_| takes_status) {
        let entry = status::entry(api, record, &id).await;
        let entry = entry.map_err(|error| Problem::internal(&error))?;
        document.insert("credentialStatus".to_owned(), entry.to_value());
    }
    let mandatory = options.mandatory_pointers.as_deref();
    secure(api, instance, document, properties.version, mandatory).await
}

/// `document`, which is of this version of the data model, secured by the instance.
pub(crate) async fn secure(
    api: &VcApi,
    instance: &Instance,
    document: Map<String, Value>,
    version: DataModelVersion,
    mandatory_pointers: Option<&[String]>,
) -> Result<Value, Refusal> {
    // Whoever asks for mandatory parts must get a credential that has optional ones.
    if mandatory_pointers.is_some() && instance.mechanism().is_for_everybody() {
        return Err(not_selective(instance.mechanism().as_str()));
    }
    match instance.mechanism() {
        Mechanism::DataIntegrity(suite) => {
            let mandatory = pointers(mandatory_pointers.unwrap_or_default())?;
            let credential = embed(api, instance, suite, document, version, &mandatory).await?;
            Ok(Value::Object(credential))
        }
        Mechanism::Jwt => {
            let algorithm = instance.signer().public_key().algorithm();
            let request = vc_jwt::issue(&document, &instance.record().verification_method, algorithm);
            let request = request.map_err(|error| Details::from(&error).refuse())?;
            let jwt = instance
                .signer()
                .fulfil(request)
                .map_err(|error| signer_failed(&error))?;
            Ok(envelope_of_credential(JWT_MEDIA_TYPE, &jwt))
        }
    }
}

/// `document` with a proof in it; with a base proof, where the suite has one.
async fn embed(
    api: &VcApi,
    instance: &Instance,
    cryptosuite: Cryptosuite,
    document: Map<String, Value>,
    version: DataModelVersion,
    mandatory: &[Pointer],
) -> Result<Map<String, Value>, Refusal> {
    let key = instance.signer().public_key();
    let (verification_method, created) = (&instance.record().verification_method, Some(api.0.clock.now()));
    let contexts = contexts::loader(api, context_urls(&document)).await;
    let contexts = contexts.map_err(|error| Problem::internal(&error))?;
    let request = if cryptosuite.is_selective() {
        let options = BaseProofOptions {
            cryptosuite,
            key,
            verification_method,
            created,
            expires: None,
            mandatory,
            data_model: version,
        };
        data_integrity::issue_selective(document, &options, &contexts, &mut signer::os_rng())
    } else {
        let options = ProofOptions {
            cryptosuite,
            algorithm: key.algorithm(),
            verification_method,
            created,
            expires: None,
        };
        match version {
            DataModelVersion::V1_1 => data_integrity::issue_1_1(document, &options, &contexts),
            DataModelVersion::V2_0 => data_integrity::issue(document, &options, &contexts),
        }
    };
    let request = request.map_err(|error| Details::from(&error).refuse())?;
    let signed = instance.signer().fulfil(request);
    signed.map_err(|error| signer_failed(&error))
}

/// The JSON pointers of a request. How many there may be, the suite says.
pub(crate) fn pointers(texts: &[String]) -> Result<Vec<Pointer>, Refusal> {
    let parsed: Result<_, _> = texts.iter().map(|text| text.parse::<Pointer>()).collect();
    parsed.map_err(|error| Details::of(ProblemType::MalformedValueError, &error).refuse())
}

/// A document of the data model 1.1 lacks the terms of Data Integrity, so their context is added
/// ([context injection](https://www.w3.org/TR/vc-data-integrity/#context-injection)).
fn inject_context(document: &mut Map<String, Value>) {
    if !lacks_proof_terms(document) {
        return;
    }
    let injected = Value::from(DATA_INTEGRITY_CONTEXTS[0]);
    match document.get_mut("@context") {
        Some(Value::Array(contexts)) => contexts.push(injected),
        Some(single) => *single = json!([single.take(), injected]),
        None => {}
    }
}

fn lacks_proof_terms(document: &Map<String, Value>) -> bool {
    let mut urls = context_urls(document);
    urls.next() == Some(BASE_CONTEXT_1_1) && !urls.any(|url| DATA_INTEGRITY_CONTEXTS.contains(&url))
}

pub(crate) fn not_selective(mechanism: &str) -> Refusal {
    let detail = format!("expected a suite with selective disclosure, found {mechanism}");
    Details::own("not-selective", detail).refuse()
}

/// The contexts that are URLs; what else there is, the check of the document refuses.
pub(crate) fn context_urls(document: &Map<String, Value>) -> impl Iterator<Item = &str> {
    let contexts = match document.get("@context") {
        Some(Value::Array(contexts)) => contexts.as_slice(),
        Some(single) => std::slice::from_ref(single),
        None => &[],
    };
    contexts.iter().filter_map(Value::as_str)
}

fn signer_failed(error: &SignerError) -> Refusal {
    Problem::internal(error).into()
}
