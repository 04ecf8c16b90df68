//! Presenting W3C credentials: the holder signs a presentation with the credential in it
//! ([OpenID4VP 1.0, appendix B.1](https://openid.net/specs/openid-4-verifiable-presentations-1_0.html#name-w3c-verifiable-credentials)).

use credential::ClaimPath;
use credential::Held;
use credential::HolderKey;
use credential::LdpVc;
use credential::Unverified;
use credential::VcJwt;
use credential::data_integrity;
use credential::data_integrity::Cryptosuite;
use credential::data_integrity::LdpVpError;
use credential::data_integrity::Pointer;
use credential::evidence::Credential;
use credential::vc_jwt;
use did::Did;
use did::Purpose;
use keys::Algorithm;
use keys::SigningRequest;
use keys::json;
use rand_core::CryptoRng;
use serde_json::Map;
use serde_json::Value;

use crate::Contexts;
use crate::ProposalError;
use crate::proposal::Transaction;

/// The `vp+jwt` for a transaction.
pub(crate) fn present_jwt(
    held: &Held<VcJwt>,
    transaction: &Transaction<'_>,
) -> Result<SigningRequest<Value>, ProposalError> {
    let holder = Holder::of(held)?;
    let presentation = vc_jwt::Presentation {
        holder: holder.did,
        key_id: &holder.key_id,
        audience: transaction.audience,
        nonce: transaction.nonce,
        issued_at: transaction.now,
    };
    Ok(presentation.sign(&[held], holder.algorithm).map(Value::from))
}

/// Hands what a verifier sees of a credential to `then`: of one with selective disclosure what is mandatory and
/// what `paths` select, of another all. A proof that can be bound is bound to `nonce`.
pub(crate) fn with_shown<T>(
    held: &Held<LdpVc>,
    paths: &[ClaimPath],
    nonce: &str,
    contexts: &Contexts,
    rng: &mut dyn CryptoRng,
    then: impl FnOnce(&Held<LdpVc>) -> Result<T, ProposalError>,
) -> Result<T, ProposalError> {
    if !held.is_selective() {
        return then(held);
    }
    let pointers: Result<Vec<Pointer>, _> = paths.iter().map(Pointer::try_from).collect();
    let pointers = pointers.map_err(ProposalError::Selection)?;
    let derived = held.derive(&pointers, nonce.as_bytes(), &contexts.loader(), rng);
    then(&derived.map_err(|error| refused(LdpVpError::Credential(error)))?)
}

/// The presentation with a proof for a transaction. The proof is of the credential's own suite if that signs
/// presentations and the holder's key can make it, since a verifier that reads the one reads the other; otherwise of
/// the first suite that it can make.
pub(crate) fn present_ldp(
    held: &Held<LdpVc>,
    contexts: &Contexts,
    transaction: &Transaction<'_>,
) -> Result<SigningRequest<Value>, ProposalError> {
    let holder = Holder::of(held)?;
    let credential =
        Unverified::<LdpVc>::parse(held.as_str()).map_err(|error| refused(LdpVpError::Credential(error)))?;
    let cryptosuite = std::iter::once(credential.cryptosuite())
        .chain(Cryptosuite::ALL)
        .find(|suite| !suite.is_selective() && suite.algorithms().contains(&holder.algorithm))
        .ok_or(ProposalError::HolderDid)?;
    let presentation = data_integrity::Presentation {
        holder: holder.did,
        verification_method: &holder.key_id,
        cryptosuite,
        algorithm: holder.algorithm,
        domain: transaction.audience,
        challenge: transaction.nonce,
        created: transaction.now,
    };
    let signing = presentation.sign(&[held], &contexts.loader()).map_err(refused)?;
    Ok(signing.map(Value::Object))
}

/// The credential itself, proof included.
pub(crate) fn document(held: &Held<LdpVc>) -> Result<Map<String, Value>, ProposalError> {
    let limits = json::Limits {
        max_bytes: data_integrity::MAX_CREDENTIAL_BYTES,
        ..json::DEFAULT_LIMITS
    };
    json::parse_object(held.as_str().as_bytes(), limits).map_err(|error| refused(LdpVpError::Json(error)))
}

fn refused(error: LdpVpError) -> ProposalError {
    ProposalError::LdpVp(Box::new(error))
}

/// The subject, who presents, and its only key.
struct Holder<'a> {
    did: &'a str,
    key_id: String,
    algorithm: Algorithm,
}

impl<'a> Holder<'a> {
    fn of<T: Credential>(held: &'a Held<T>) -> Result<Self, ProposalError> {
        let Some(HolderKey::Did(did)) = held.facts().holder() else {
            return Err(ProposalError::HolderDid);
        };
        let (key_id, algorithm) = key_of(did).ok_or(ProposalError::HolderDid)?;
        Ok(Self { did, key_id, algorithm })
    }
}

fn key_of(did: &str) -> Option<(String, Algorithm)> {
    let did = Did::parse(did).ok()?;
    let document = match did.method() {
        did::methods::key::METHOD => did::methods::key::resolve(&did).ok()?,
        did::methods::jwk::METHOD => did::methods::jwk::resolve(&did).ok()?,
        _ => return None,
    };
    let method = document.method_ids(Purpose::Authentication).into_iter().next()?;
    let key = document.key_for(&method, Purpose::Authentication).ok()?;
    Some((method.to_string(), key.algorithm()))
}
