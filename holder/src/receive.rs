//! Checking what an issuer delivered before it is kept.

use credential::Facts;
use credential::HolderKey;
use credential::LdpVc;
use credential::Mdoc;
use credential::SdJwtVc;
use credential::Unverified;
use credential::VcJwt;
use credential::data_integrity::Cryptosuite;
use credential::data_integrity::LdpVcError;
use credential::mdoc::MdocError;
use credential::sd_jwt_vc::SdJwtVcError;
use credential::vc::CREDENTIAL_TYPE;
use credential::vc_jwt::VcJwtError;
use keys::Algorithm;
use keys::PublicKey;
use keys::Timestamp;
use openid4vc::CredentialFormat;
use openid4vc::vci::configuration::CredentialConfiguration;
use openid4vc::vci::configuration::FormatProfile;
use openid4vc::vci::proof::ProofKey;
use serde_json::Value;
use thiserror::Error;

use crate::Contexts;

/// What the wallet asked for and with which key.
#[derive(Clone, Debug)]
pub struct Expected<'a> {
    /// The configuration of the offer.
    pub configuration: &'a CredentialConfiguration,
    /// The key that the proof showed.
    pub holder_key: &'a PublicKey,
    /// The key that [`issuer_key_url`] names, resolved by the caller.
    pub issuer_key: &'a PublicKey,
    /// The documents of [`crate::Contexts::needed`].
    pub contexts: &'a Contexts,
    /// The time.
    pub now: Timestamp,
}

/// A credential that is what was offered, signed by its issuer and bound to the wallet's key.
#[derive(Clone, Debug)]
#[must_use]
pub struct Received {
    /// The identifier of its format in both protocols.
    pub format: CredentialFormat,
    /// The credential as it was issued.
    pub text: String,
    /// The issuer's DID.
    pub issuer: String,
}

/// The issuer delivered something that is not kept. The issuer's fault.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReceiveError {
    /// The credential is bound to another key, or to none.
    #[error("expected a credential bound to the wallet's key, found another")]
    Binding,
    /// The format is none that this version reads, or not the one of the offer.
    #[error("expected a credential in the format of the offer that this wallet reads, found another")]
    Format,
    /// The issuer binds credentials in a way that this wallet does not know.
    #[error(
        "expected an issuer that binds credentials to a jwk, cose_key, did:key or did:jwk as the format has it, found others"
    )]
    KeyNaming,
    /// The credential itself.
    #[error("the credential is refused")]
    LdpVc(#[source] Box<LdpVcError>),
    /// The credential itself.
    #[error("the credential is refused")]
    Mdoc(#[from] MdocError),
    /// The credential itself.
    #[error("the credential is refused")]
    SdJwtVc(#[from] SdJwtVcError),
    /// Another cryptosuite than the offer's.
    #[error("expected a credential with a cryptosuite of the offer, found one with {}", found.as_str())]
    Suite {
        /// The one that came.
        found: Cryptosuite,
    },
    /// Another type than the offer's.
    #[error("expected a credential of the type that was offered, found another")]
    Type,
    /// The credential itself.
    #[error("the credential is refused")]
    VcJwt(#[from] VcJwtError),
}

/// The DID URL of the key that a delivered credential says it is signed with; the caller resolves it.
///
/// # Errors
/// [`ReceiveError`].
pub fn issuer_key_url(credential: &Value, configuration: &CredentialConfiguration) -> Result<String, ReceiveError> {
    match &configuration.profile {
        FormatProfile::SdJwtVc { .. } => Ok(sd_jwt_vc(credential)?.verification_method()?),
        FormatProfile::JwtVcJson { .. } => Ok(vc_jwt(credential)?.verification_method()?),
        FormatProfile::LdpVc { .. } => Ok(ldp_vc(credential)?.verification_method().to_owned()),
        FormatProfile::MsoMdoc { .. } => Ok(mdoc(credential)?.verification_method()?),
        _ => Err(ReceiveError::Format),
    }
}

/// How the wallet's proof names `key` for this configuration
/// ([OpenID4VCI 1.0, appendix F.1](https://openid.net/specs/openid-4-verifiable-credential-issuance-1_0.html#jwt-proof-type)).
///
/// # Errors
/// [`ReceiveError::Format`] for a format that this version does not read, [`ReceiveError::KeyNaming`] when the
/// issuer binds credentials in none of the ways that the wallet knows.
pub fn proof_key(configuration: &CredentialConfiguration, key: &PublicKey) -> Result<ProofKey, ReceiveError> {
    let binds_to = |method: &str| {
        let methods = &configuration.cryptographic_binding_methods_supported;
        methods.iter().any(|one| one == method)
    };
    match &configuration.profile {
        FormatProfile::SdJwtVc { .. } if binds_to("jwk") => Ok(ProofKey::Jwk(key.clone())),
        // The issuer makes a COSE_Key of it.
        FormatProfile::MsoMdoc { .. } if binds_to("cose_key") => Ok(ProofKey::Jwk(key.clone())),
        // The subject of a W3C credential is a DID.
        FormatProfile::JwtVcJson { .. } | FormatProfile::LdpVc { .. } if binds_to("did:key") => Ok(ProofKey::DidUrl {
            url: did::methods::key::method_id(key),
            key: key.clone(),
        }),
        FormatProfile::JwtVcJson { .. } | FormatProfile::LdpVc { .. } if binds_to("did:jwk") => Ok(ProofKey::DidUrl {
            url: format!("{}#0", did::methods::jwk::did(key)),
            key: key.clone(),
        }),
        FormatProfile::SdJwtVc { .. }
        | FormatProfile::JwtVcJson { .. }
        | FormatProfile::LdpVc { .. }
        | FormatProfile::MsoMdoc { .. } => Err(ReceiveError::KeyNaming),
        _ => Err(ReceiveError::Format),
    }
}

/// The kinds of key that this wallet can have a credential of this configuration bound to, best first.
#[must_use]
pub fn key_algorithms(configuration: &CredentialConfiguration) -> Vec<Algorithm> {
    let wanted: &[Algorithm] = match &configuration.profile {
        // It is presented with a Data Integrity proof, and most verifiers read those of Ed25519.
        FormatProfile::LdpVc { .. } => &[Algorithm::EdDsa, Algorithm::Es256],
        _ => &[Algorithm::Es256, Algorithm::EdDsa],
    };
    let proven = configuration.jwt_proof_algorithms();
    wanted
        .iter()
        .copied()
        .filter(|algorithm| proven.contains(algorithm))
        .collect()
}

/// Whether this version reads credentials of this configuration.
#[must_use]
pub const fn is_readable(configuration: &CredentialConfiguration) -> bool {
    matches!(
        configuration.profile,
        FormatProfile::SdJwtVc { .. }
            | FormatProfile::JwtVcJson { .. }
            | FormatProfile::LdpVc { .. }
            | FormatProfile::MsoMdoc { .. }
    )
}

impl Received {
    /// Checks a delivered credential: the issuer's signature, the type, the validity, and that it is bound to
    /// the key of this wallet's proof.
    ///
    /// # Errors
    /// [`ReceiveError`].
    pub fn check(credential: &Value, expected: &Expected<'_>) -> Result<Self, ReceiveError> {
        match &expected.configuration.profile {
            FormatProfile::SdJwtVc { vct } => Self::sd_jwt_vc(credential, vct, expected),
            FormatProfile::JwtVcJson { types } => Self::vc_jwt(credential, types, expected),
            FormatProfile::LdpVc { types, .. } => Self::ldp_vc(credential, types, expected),
            FormatProfile::MsoMdoc { doctype } => Self::mdoc(credential, doctype, expected),
            _ => Err(ReceiveError::Format),
        }
    }

    fn sd_jwt_vc(credential: &Value, vct: &String, expected: &Expected<'_>) -> Result<Self, ReceiveError> {
        let unverified = sd_jwt_vc(credential)?;
        let issuer = unverified.issuer()?.to_owned();
        let held = unverified
            .authenticate(expected.issuer_key, &issuer, expected.now)?
            .hold_issued()?;
        if held.facts().types().first() != Some(vct) {
            return Err(ReceiveError::Type);
        }
        Self::bound(held.facts(), held.as_str(), expected)
    }

    fn vc_jwt(credential: &Value, types: &[String], expected: &Expected<'_>) -> Result<Self, ReceiveError> {
        let unverified = vc_jwt(credential)?;
        let issuer = unverified.issuer().to_owned();
        let held = unverified
            .authenticate(expected.issuer_key, &issuer, expected.now)?
            .hold_issued()?;
        check_types(held.facts(), types)?;
        Self::bound(held.facts(), held.as_str(), expected)
    }

    fn ldp_vc(credential: &Value, types: &[String], expected: &Expected<'_>) -> Result<Self, ReceiveError> {
        let unverified = ldp_vc(credential)?;
        check_suite(unverified.cryptosuite(), expected.configuration)?;
        let issuer = unverified.issuer().to_owned();
        let loader = expected.contexts.loader();
        let held = unverified.hold_issued(expected.issuer_key, &issuer, &loader, expected.now)?;
        check_types(held.facts(), types)?;
        Self::bound(held.facts(), held.as_str(), expected)
    }

    fn mdoc(credential: &Value, doctype: &String, expected: &Expected<'_>) -> Result<Self, ReceiveError> {
        let unverified = mdoc(credential)?;
        let issuer = unverified.issuer()?.to_owned();
        let held = unverified
            .authenticate(expected.issuer_key, &issuer, expected.now)?
            .hold_issued()?;
        if held.facts().types().first() != Some(doctype) {
            return Err(ReceiveError::Type);
        }
        Self::bound(held.facts(), held.as_str(), expected)
    }

    /// The last check, and the same for every format: it is this wallet that can present it.
    fn bound(facts: &Facts, text: &str, expected: &Expected<'_>) -> Result<Self, ReceiveError> {
        let key = expected.holder_key;
        let is_own = match facts.holder() {
            Some(HolderKey::Key(holder)) => holder == key,
            Some(HolderKey::Did(holder)) => {
                *holder == did::methods::key::did(key) || *holder == did::methods::jwk::did(key)
            }
            None => false,
        };
        if !is_own {
            return Err(ReceiveError::Binding);
        }
        Ok(Self {
            format: expected.configuration.format(),
            text: text.to_owned(),
            issuer: facts.issuer().to_owned(),
        })
    }
}

/// The credential may have further types; authority for them is the verifier's question.
fn check_types(facts: &Facts, offered: &[String]) -> Result<(), ReceiveError> {
    let has = |name: &String| name == CREDENTIAL_TYPE || facts.types().contains(name);
    if offered.iter().all(has) {
        Ok(())
    } else {
        Err(ReceiveError::Type)
    }
}

/// Whoever was offered a credential of which parts can be shown must not get one that leaves as a whole. An offer that
/// names no suite at all promises none.
fn check_suite(found: Cryptosuite, configuration: &CredentialConfiguration) -> Result<(), ReceiveError> {
    let offered = &configuration.credential_signing_alg_values_supported;
    if offered.is_empty() || offered.iter().any(|name| name.as_str() == Some(found.as_str())) {
        Ok(())
    } else {
        Err(ReceiveError::Suite { found })
    }
}

fn sd_jwt_vc(credential: &Value) -> Result<Unverified<SdJwtVc>, ReceiveError> {
    let text = credential.as_str().ok_or(ReceiveError::Format)?;
    Ok(Unverified::<SdJwtVc>::parse(text)?)
}

fn vc_jwt(credential: &Value) -> Result<Unverified<VcJwt>, ReceiveError> {
    let text = credential.as_str().ok_or(ReceiveError::Format)?;
    Ok(Unverified::<VcJwt>::parse(text)?)
}

fn ldp_vc(credential: &Value) -> Result<Unverified<LdpVc>, ReceiveError> {
    let object = credential.as_object().ok_or(ReceiveError::Format)?;
    Ok(Unverified::<LdpVc>::from_object(object)?)
}

fn mdoc(credential: &Value) -> Result<Unverified<Mdoc>, ReceiveError> {
    let text = credential.as_str().ok_or(ReceiveError::Format)?;
    Ok(Unverified::<Mdoc>::parse(text)?)
}

impl From<LdpVcError> for ReceiveError {
    fn from(error: LdpVcError) -> Self {
        Self::LdpVc(Box::new(error))
    }
}
