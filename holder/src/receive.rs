//! Checking what an issuer delivered before it is kept.

use credential::HolderKey;
use credential::SdJwtVc;
use credential::Unverified;
use credential::sd_jwt_vc::SdJwtVcError;
use keys::PublicKey;
use keys::Timestamp;
use openid4vc::CredentialFormat;
use openid4vc::vci::configuration::CredentialConfiguration;
use openid4vc::vci::configuration::FormatProfile;
use openid4vc::vci::proof::ProofKey;
use serde_json::Value;
use thiserror::Error;

/// What the wallet asked for and with which key.
#[derive(Clone, Debug)]
pub struct Expected<'a> {
    /// The configuration of the offer.
    pub configuration: &'a CredentialConfiguration,
    /// The key that the proof showed.
    pub holder_key: &'a PublicKey,
    /// The key that [`issuer_key_url`] names, resolved by the caller.
    pub issuer_key: &'a PublicKey,
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
    #[error("expected an issuer that binds the credential to a key given as jwk, found other methods")]
    KeyNaming,
    /// The credential itself.
    #[error("the credential is refused")]
    SdJwtVc(#[from] SdJwtVcError),
    /// Another type than the offer's.
    #[error("expected a credential of the type that was offered, found another")]
    Type,
}

/// The DID URL of the key that a delivered credential says it is signed with; the caller resolves it.
///
/// # Errors
/// [`ReceiveError`].
pub fn issuer_key_url(credential: &Value, configuration: &CredentialConfiguration) -> Result<String, ReceiveError> {
    match &configuration.profile {
        FormatProfile::SdJwtVc { .. } => Ok(parse(credential)?.verification_method()?),
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
    let methods = &configuration.cryptographic_binding_methods_supported;
    match &configuration.profile {
        FormatProfile::SdJwtVc { .. } if methods.iter().any(|method| method == "jwk") => Ok(ProofKey::Jwk(key.clone())),
        FormatProfile::SdJwtVc { .. } => Err(ReceiveError::KeyNaming),
        _ => Err(ReceiveError::Format),
    }
}

impl Received {
    /// Checks a delivered credential: the issuer's signature, the type, the validity, and that it is bound to
    /// the key of this wallet's proof.
    ///
    /// # Errors
    /// [`ReceiveError`].
    pub fn check(credential: &Value, expected: &Expected<'_>) -> Result<Self, ReceiveError> {
        let FormatProfile::SdJwtVc { vct } = &expected.configuration.profile else {
            return Err(ReceiveError::Format);
        };
        let unverified = parse(credential)?;
        let issuer = unverified.issuer()?.to_owned();
        let held = unverified
            .authenticate(expected.issuer_key, &issuer, expected.now)?
            .hold_issued()?;
        if held.facts().types().first() != Some(vct) {
            return Err(ReceiveError::Type);
        }
        if !matches!(held.facts().holder(), Some(HolderKey::Key(key)) if key == expected.holder_key) {
            return Err(ReceiveError::Binding);
        }
        Ok(Self {
            format: CredentialFormat::SdJwtVc,
            text: held.as_str().to_owned(),
            issuer,
        })
    }
}

fn parse(credential: &Value) -> Result<Unverified<SdJwtVc>, ReceiveError> {
    let text = credential.as_str().ok_or(ReceiveError::Format)?;
    Ok(Unverified::<SdJwtVc>::parse(text)?)
}
