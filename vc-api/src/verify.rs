//! Verifying ([verify credential](https://w3c.github.io/vcalm/#verify-credential),
//! [verify presentation](https://w3c.github.io/vcalm/#verify-presentation)): proof, purpose, data model, times, and
//! the schemas and the status where they are within reach. All of it always; `checks` can ask for more, never for less.
//!
//! Not judged: the issuer's authority, freshness, and whether the presenter is a credential's subject. That is the
//! `verifier`'s verdict, and needs a question of our own.

use credential::Facts;
use credential::LdpVc;
use credential::Transaction;
use credential::Unverified;
use credential::data_integrity::Expected;
use credential::data_integrity::ProofKeys;
use credential::data_integrity::UnverifiedPresentation;
use credential::vc::ENVELOPED_CREDENTIAL;
use credential::vc::ENVELOPED_PRESENTATION;
use credential::vc::Envelope;
use credential::vc::ProblemType;
use credential::vc_cose;
use credential::vc_jose_cose::EnvelopedCredential;
use credential::vc_jose_cose::Mechanism;
use credential::vc_jose_cose::UnverifiedPresentation as EnvelopingPresentation;
use credential::vc_jose_cose::W3cCredential;
use credential::vc_jwt;
use credential::vc_sd_jwt;
use did::Purpose;
use json_schema::Evaluator;
use keys::Timestamp;
use serde::Deserialize;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use server::Problem;

use crate::VcApi;
use crate::contexts;
use crate::issue::context_urls;
use crate::problem::Details;
use crate::problem::Refusal;
use crate::resolve;
use crate::resolve::ResolveError;
use crate::schemas::Schemas;
use crate::status;
use crate::status::Reading;

/// What `checks` may name. The first ones are made in any case; the others make an error of what cannot be checked here:
/// a schema or a status that is not within reach, and the keys of an issuer that is no DID.
const CHECKS: [&str; 5] = ["proof", "validity", SCHEMA_CHECK, STATUS_CHECK, ISSUER_CHECK];
const SCHEMA_CHECK: &str = "credentialSchema";
const STATUS_CHECK: &str = "credentialStatus";
const ISSUER_CHECK: &str = "issuer";
/// What the issuers begin with whose keys can be told.
const DID: &str = "did:";

/// The body of a request to verify a credential.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct CredentialRequest {
    verifiable_credential: Value,
    #[serde(default)]
    options: Option<VerifyOptions>,
}

/// The body of a request to verify a presentation.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct PresentationRequest {
    verifiable_presentation: Value,
    #[serde(default)]
    options: Option<VerifyOptions>,
}

/// Options that we know. Another one may ask for a check that we do not make, so it is refused.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct VerifyOptions {
    #[serde(default)]
    checks: Vec<String>,
    /// What the proof must have been made for.
    challenge: Option<String>,
    domain: Option<String>,
    #[serde(default)]
    return_credential: bool,
    #[serde(default)]
    return_presentation: bool,
    #[serde(default)]
    return_results: bool,
    /// They are always there.
    #[serde(rename = "returnProblemDetails")]
    _return_problem_details: Option<Value>,
}

/// A credential that verified.
struct Verified {
    facts: Facts,
    /// What the caller sent, for the answer.
    input: Value,
    statuses: Vec<Value>,
    warnings: Vec<Details>,
}

impl VerifyOptions {
    fn check(&self) -> Result<(), Refusal> {
        match self.checks.iter().find(|check| !CHECKS.contains(&check.as_str())) {
            None => Ok(()),
            Some(found) => {
                let detail = format!("expected checks of {}, found {found:?}", CHECKS.join(", "));
                Err(Details::malformed(detail).not_verified())
            }
        }
    }

    fn needs(&self, check: &str) -> bool {
        self.checks.iter().any(|asked| asked == check)
    }
}

/// Verifies a credential with an embedded proof, or in an envelope. Gives the body of the answer.
pub(crate) async fn credential(api: &VcApi, request: CredentialRequest) -> Result<Value, Refusal> {
    let options = request.options.unwrap_or_default();
    options.check()?;
    check_expected(&request.verifiable_credential, &options)?;
    let verified = one(api, request.verifiable_credential, &options).await?;
    let mut answer = json!({"verified": true, "problemDetails": details(&verified.warnings)});
    if let Value::Object(answer) = &mut answer {
        if options.return_results {
            answer.insert("results".to_owned(), results(&verified));
        }
        if options.return_credential {
            answer.insert("credential".to_owned(), verified.input);
        }
    }
    Ok(answer)
}

/// Verifies a presentation and every credential in it. Gives the body of the answer.
pub(crate) async fn presentation(api: &VcApi, request: PresentationRequest) -> Result<Value, Refusal> {
    let options = request.options.unwrap_or_default();
    options.check()?;
    let input = request.verifiable_presentation;
    let object = as_object(&input)?;
    let (holder, credentials) = if is_of_type(object, ENVELOPED_PRESENTATION) {
        let envelope = Envelope::of_presentation(object);
        let envelope = envelope.map_err(|error| Details::from(&error).not_verified())?;
        match envelope.media_type() {
            "application/vp+jwt" => enveloped_presentation::<vc_jwt::JwtMessage>(api, envelope, &options).await?,
            "application/vp+sd-jwt" => {
                enveloped_presentation::<vc_sd_jwt::SdJwtMessage>(api, envelope, &options).await?
            }
            "application/vp+cose;base64" => {
                enveloped_presentation::<vc_cose::CoseMessage>(api, envelope, &options).await?
            }
            other => return Err(other_envelope(other)),
        }
    } else {
        signed_presentation(api, object, &options).await?
    };
    let mut warnings = vec![holder_not_judged()];
    warnings.extend(credentials.iter().flat_map(|one| one.warnings.clone()));
    let mut answer = json!({"verified": true, "problemDetails": details(&warnings)});
    if let Value::Object(answer) = &mut answer {
        if options.return_results {
            answer.insert(
                "results".to_owned(),
                presentation_results(&holder, &credentials, &options),
            );
        }
        if options.return_presentation {
            answer.insert("verifiablePresentation".to_owned(), input);
        }
    }
    Ok(answer)
}

async fn signed_presentation(
    api: &VcApi,
    object: &Map<String, Value>,
    options: &VerifyOptions,
) -> Result<(String, Vec<Verified>), Refusal> {
    let refused = |error| Details::from(&error).not_verified();
    let presentation = UnverifiedPresentation::from_object(object).map_err(refused)?;
    let method = presentation.verification_method();
    let key = resolve::key(api, method, Purpose::Authentication);
    let key = key.map_err(|error| Details::from(&error).not_verified())?;
    let inputs = credentials_of(object);
    let of_credentials = inputs.iter().filter_map(Value::as_object).flat_map(context_urls);
    let contexts = contexts::loader(api, context_urls(object).chain(of_credentials)).await;
    let contexts = contexts.map_err(|error| Problem::internal(&error))?;
    let holder = presentation.holder().to_owned();
    let expected = Expected {
        challenge: options.challenge.as_deref(),
        domain: options.domain.as_deref(),
        now: api.0.clock.now(),
    };
    let signed = presentation.check_signed(&key, &holder, &expected, &contexts);
    let signed = signed.map_err(refused)?;
    let mut verified = Vec::new();
    for (credential, input) in signed.credentials.into_iter().zip(inputs) {
        verified.push(ldp_vc(api, credential, input.clone(), options).await?);
    }
    Ok((signed.holder, verified))
}

/// The credentials of a presentation, as they were sent.
fn credentials_of(presentation: &Map<String, Value>) -> &[Value] {
    match presentation.get("verifiableCredential") {
        Some(Value::Array(credentials)) => credentials,
        Some(single) => std::slice::from_ref(single),
        None => &[],
    }
}

/// A presentation in an envelope names its receiver and the receiver's nonce; the caller must know both.
async fn enveloped_presentation<M: Mechanism>(
    api: &VcApi,
    envelope: Envelope<'_>,
    options: &VerifyOptions,
) -> Result<(String, Vec<Verified>), Refusal> {
    let refused = |error| Details::from(&error).not_verified();
    let presentation = EnvelopingPresentation::<M>::parse(envelope.data()).map_err(refused)?;
    let method = presentation.verification_method().map_err(refused)?;
    let key = resolve::key(api, &method, Purpose::Authentication);
    let key = key.map_err(|error| Details::from(&error).not_verified())?;
    let (Some(nonce), Some(audience)) = (options.challenge.as_deref(), options.domain.as_deref()) else {
        let detail = "expected options.challenge and options.domain for a presentation in an envelope, found none";
        return Err(Details::malformed(detail).not_verified());
    };
    let transaction = Transaction {
        audience,
        nonce,
        now: api.0.clock.now(),
        // The nonce is the caller's: it knows how old it is.
        max_age: i64::MAX,
    };
    let holder = presentation.holder().to_owned();
    let presented = presentation.authenticate(&key, &holder, &transaction);
    let presented = presented.map_err(refused)?;
    let mut verified = Vec::new();
    for credential in presented.credentials {
        verified.push(enveloped(api, credential, Value::Null, options).await?);
    }
    Ok((holder, verified))
}

async fn one(api: &VcApi, input: Value, options: &VerifyOptions) -> Result<Verified, Refusal> {
    let object = as_object(&input)?;
    if is_of_type(object, ENVELOPED_CREDENTIAL) {
        let envelope = Envelope::of_credential(object);
        let envelope = envelope.map_err(|error| Details::from(&error).not_verified())?;
        let credential = EnvelopedCredential::open(envelope);
        let credential = credential.map_err(|error| Details::from(&error).not_verified())?;
        let credential = credential.ok_or_else(|| other_envelope(envelope.media_type()))?;
        return enveloped(api, credential, input, options).await;
    }
    let credential = Unverified::<LdpVc>::from_object(object);
    let credential = credential.map_err(|error| Details::from(&error).not_verified())?;
    ldp_vc(api, credential, input, options).await
}

async fn ldp_vc(
    api: &VcApi,
    credential: Unverified<LdpVc>,
    input: Value,
    options: &VerifyOptions,
) -> Result<Verified, Refusal> {
    let keys = keys_of(api, &credential).map_err(|error| Details::from(&error).not_verified())?;
    let urls = input.as_object().into_iter().flat_map(context_urls);
    let contexts = contexts::loader(api, urls).await;
    let contexts = contexts.map_err(|error| Problem::internal(&error))?;
    let issuer = credential.issuer().to_owned();
    let refused = |error| Details::from(&error).not_verified();
    if issuer.starts_with(DID) {
        let authentic = credential.authenticate_set(&keys, &issuer, &contexts, api.0.clock.now());
        let authentic = authentic.map_err(refused)?;
        let schemas = Schemas::find(api, authentic.schemas()).await;
        let warnings = schemas.judge(
            |schema| authentic.evaluate(schema, &Evaluator),
            options.needs(SCHEMA_CHECK),
        )?;
        return with_status(api, authentic.facts(), input, options, warnings).await;
    }
    let signed = credential.check_signed(&keys, &contexts, api.0.clock.now());
    let signed = signed.map_err(refused)?;
    let signers: Vec<&str> = signed.signers().collect();
    let detail = format!(
        "signed by {}; nothing ties that to the issuer, which is no DID",
        signers.join(", ")
    );
    let details = Details::own("issuer-not-checked", detail);
    if options.needs(ISSUER_CHECK) {
        return Err(details.not_verified());
    }
    let schemas = Schemas::find(api, signed.schemas()).await;
    let mut warnings = schemas.judge(
        |schema| signed.evaluate(schema, &Evaluator),
        options.needs(SCHEMA_CHECK),
    )?;
    warnings.push(details);
    with_status(api, signed.facts(), input, options, warnings).await
}

/// The keys of all proofs: all must hold
/// ([verify proof sets and chains](https://www.w3.org/TR/vc-data-integrity/#verify-proof-sets-and-chains)).
pub(crate) fn keys_of(api: &VcApi, credential: &Unverified<LdpVc>) -> Result<ProofKeys, ResolveError> {
    let mut methods = credential.verification_methods();
    methods.try_fold(ProofKeys::new(), |keys, method| {
        let key = resolve::key(api, method, Purpose::AssertionMethod)?;
        Ok(keys.with(method, key))
    })
}

async fn enveloped(
    api: &VcApi,
    credential: EnvelopedCredential,
    input: Value,
    options: &VerifyOptions,
) -> Result<Verified, Refusal> {
    match credential {
        EnvelopedCredential::Cose(credential) => enveloping(api, credential, input, options).await,
        EnvelopedCredential::Jwt(credential) => enveloping(api, credential, input, options).await,
        EnvelopedCredential::SdJwt(credential) => enveloping(api, credential, input, options).await,
    }
}

async fn enveloping<M: Mechanism>(
    api: &VcApi,
    credential: Unverified<W3cCredential<M>>,
    input: Value,
    options: &VerifyOptions,
) -> Result<Verified, Refusal> {
    let refused = |error| Details::from(&error).not_verified();
    let method = credential.verification_method().map_err(refused)?;
    let key = resolve::key(api, &method, Purpose::AssertionMethod);
    let key = key.map_err(|error| Details::from(&error).not_verified())?;
    let issuer = credential.issuer().to_owned();
    let authentic = credential.authenticate(&key, &issuer, api.0.clock.now());
    let authentic = authentic.map_err(refused)?;
    let schemas = Schemas::find(api, authentic.schemas()).await;
    let warnings = schemas.judge(
        |schema| authentic.evaluate(schema, &Evaluator),
        options.needs(SCHEMA_CHECK),
    )?;
    with_status(api, authentic.facts(), input, options, warnings).await
}

/// Reads the status of an authentic credential, about which there were `warnings` before.
async fn with_status(
    api: &VcApi,
    facts: &Facts,
    input: Value,
    options: &VerifyOptions,
    mut warnings: Vec<Details>,
) -> Result<Verified, Refusal> {
    let mut statuses = Vec::new();
    warnings.insert(0, not_judged());
    for reference in facts.status() {
        let reading = status::read(api, facts, reference).await;
        let reading = reading.map_err(|error| Problem::internal(&error))?;
        let verified = match &reading {
            Reading::Clear => true,
            Reading::Set => {
                let detail = format!("the status list {} says so", reference.uri());
                return Err(Details::own("revoked", detail).not_verified());
            }
            Reading::Unknown(why) => {
                unread(format!("{why}: {}", reference.uri()), options, &mut warnings)?;
                false
            }
        };
        statuses.push(json!({"verified": verified, "input": reference.to_value()}));
    }
    for name in facts.unknown_status() {
        unread(format!("the status type {name} is not known"), options, &mut warnings)?;
    }
    Ok(Verified {
        facts: facts.clone(),
        input,
        statuses,
        warnings,
    })
}

/// A status that was not read: an error for whoever asked for it, and a warning for everybody else.
fn unread(detail: String, options: &VerifyOptions, warnings: &mut Vec<Details>) -> Result<(), Refusal> {
    let details = Details::own("status-unknown", detail);
    if options.needs(STATUS_CHECK) {
        return Err(details.not_verified());
    }
    warnings.push(details);
    Ok(())
}

/// So that nobody takes the answer for a verdict.
fn not_judged() -> Details {
    let detail = "the credential is authentic and within its times; whether its issuer has the authority to issue it was not judged";
    Details::own("authority-not-judged", detail)
}

fn holder_not_judged() -> Details {
    let detail =
        "the holder signed the presentation; whether the holder is the subject of its credentials was not judged";
    Details::own("holder-binding-not-judged", detail)
}

/// What a credential's proof must have been made for, if the caller says so.
fn check_expected(credential: &Value, options: &VerifyOptions) -> Result<(), Refusal> {
    let proof = credential.get("proof");
    for (name, expected) in [("challenge", &options.challenge), ("domain", &options.domain)] {
        let Some(expected) = expected else { continue };
        let found = proof.and_then(|proof| proof.get(name)).and_then(Value::as_str);
        if found != Some(expected) {
            let problem_type = match name {
                "challenge" => ProblemType::InvalidChallengeError,
                _ => ProblemType::InvalidDomainError,
            };
            return Err(Details::typed(
                problem_type,
                format!("expected the {name} of the options in the proof, found another or none"),
            )
            .not_verified());
        }
    }
    Ok(())
}

fn as_object(input: &Value) -> Result<&Map<String, Value>, Refusal> {
    let object = input.as_object();
    object.ok_or_else(|| Details::parsing("expected a JSON object, found another value").not_verified())
}

fn is_of_type(object: &Map<String, Value>, name: &str) -> bool {
    object.get("type").is_some_and(|found| match found {
        Value::Array(types) => types.iter().any(|found| found == name),
        single => single == name,
    })
}

/// Media types of VC-JOSE-COSE, and no others.
fn other_envelope(found: &str) -> Refusal {
    let detail = format!("expected an envelope with a media type of VC-JOSE-COSE, found {found:?}");
    Details::malformed(detail).not_verified()
}

fn details(all: &[Details]) -> Vec<Value> {
    all.iter().map(Details::to_value).collect()
}

fn results(verified: &Verified) -> Value {
    let facts = &verified.facts;
    let time = |time: Option<Timestamp>| time.map(|time| json!({"verified": true, "input": time.to_rfc3339()}));
    let method = facts.key_id().unwrap_or_default();
    let mut results = json!({
        "proof": [{"verified": true, "input": {"verificationMethod": method}}],
        "credentialStatus": verified.statuses,
    });
    if let Value::Object(results) = &mut results {
        for (name, value) in [("validFrom", facts.valid_from()), ("validUntil", facts.valid_until())] {
            results.extend(time(value).map(|value| (name.to_owned(), value)));
        }
    }
    results
}

fn presentation_results(holder: &str, credentials: &[Verified], options: &VerifyOptions) -> Value {
    let given = |value: &Option<String>| value.as_ref().map(|input| json!({"verified": true, "input": input}));
    let mut presentation = json!({
        "holder": {"verified": true, "input": holder},
        "proof": [{"verified": true}],
    });
    if let Value::Object(presentation) = &mut presentation {
        for (name, value) in [("challenge", &options.challenge), ("domain", &options.domain)] {
            presentation.extend(given(value).map(|value| (name.to_owned(), value)));
        }
    }
    let of_credentials: Vec<Value> = credentials
        .iter()
        .map(|one| json!({"verified": true, "problemDetails": details(&one.warnings), "results": results(one)}))
        .collect();
    json!({"presentation": presentation, "credentials": of_credentials})
}
