//! W3C credentials and presentations secured as JWTs, `vc+jwt` and `vp+jwt`
//! ([VC-JOSE-COSE](https://www.w3.org/TR/vc-jose-cose/#with-jose)). The document is the payload; there is no
//! `vc` or `vp` claim around it. OpenID4VCI and OpenID4VP call the format `jwt_vc_json`.
//!
//! Who signed: `issuer` (or `holder`) is a DID and `kid` the absolute DID URL of one of its keys, as the
//! Recommendation demands when `iss` is absent. Relative forms are read as for SD-JWT VCs.
//!
//! Holder binding: the DID in `credentialSubject.id` is the holder's. The presentation is signed by a key of that
//! DID and carries the verifier (`aud`) and the nonce (`nonce`) as JWT claims.
//!
//! Not done here: `vc+cose`, `vc+sd-jwt`, JSON-LD processing, `credentialSchema`.

mod credential;
mod presentation;

pub use credential::VcJwt;
pub use credential::VcJwtError;
pub use credential::issue;
pub use presentation::Presentation;
pub use presentation::PresentedVcJwts;
pub use presentation::SignedVpJwt;
pub use presentation::UnverifiedPresentation;
pub use presentation::VpJwtError;
pub use presentation::issue_presentation;

/// The `typ` of a credential.
pub const CREDENTIAL_TYP: &str = "vc+jwt";

/// The `typ` of a presentation.
pub const PRESENTATION_TYP: &str = "vp+jwt";

/// Bytes of a credential; as large as an SD-JWT may be, for the same portrait.
pub const MAX_CREDENTIAL_BYTES: usize = crate::sd_jwt::MAX_BYTES;

/// Bytes of a presentation: two large credentials after another base64, or some hundred small ones.
pub const MAX_PRESENTATION_BYTES: usize = 2 << 20;

/// Credentials in one presentation. A request asks for a handful; each costs a signature check.
pub const MAX_CREDENTIALS: usize = 64;

#[cfg(test)]
mod tests;
