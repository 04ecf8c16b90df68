//! [OpenID for Verifiable Credential Issuance 1.0](https://openid.net/specs/openid-4-verifiable-credential-issuance-1_0.html),
//! both sides.
//!
//! The pre-authorized code flow, in the order of its messages: [`offer`], [`metadata`], [`token`],
//! [`nonce`], [`proof`], [`credential`], [`notification`]; [`deferred`] has the messages of deferred
//! issuance. What an issuer keeps between them is in [`grant`]; a server saves the new state with
//! compare-and-swap before it answers.
//!
//! Not implemented, and refused where it is demanded: encrypted requests and responses, `di_vp` and
//! `attestation` proofs, `x5c` in proofs, `DPoP`.

pub mod authorization_details;
pub mod configuration;
pub mod credential;
pub mod deferred;
pub mod grant;
pub mod metadata;
pub mod nonce;
pub mod notification;
pub mod offer;
pub mod offer_reference;
pub mod proof;
pub mod token;

mod credential_error;

pub use configuration::CredentialConfiguration;
pub use credential::CredentialError;
pub use credential::CredentialRequest;
pub use credential::CredentialResponse;
pub use grant::AccessTokenRecord;
pub use grant::PreAuthorizedGrant;
pub use metadata::IssuerMetadata;
pub use nonce::NonceKey;
pub use offer::CredentialOffer;
pub use offer_reference::OfferRecord;
pub use proof::HolderKey;
pub use token::TokenError;
pub use token::TokenRequest;
pub use token::TokenResponse;
