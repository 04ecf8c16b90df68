//! OpenID4VCI 1.0, OpenID4VP 1.0 with DCQL, and the parts of OAuth that they and the hub need.
//!
//! In scope: the messages of both protocols for both sides (issuer and wallet, verifier and wallet),
//! the state that a server keeps between them, and every rule that a message must keep before
//! anything acts on it. A step of a server is `(state, message, now, rng) -> (state, reply or error)`.
//!
//! Out of scope: HTTP (status codes, headers, sockets), storage, the formats of credentials and who is
//! trusted. Keys that a DID names are resolved by the caller and handed in.
//!
//! One file per endpoint or section, named as the standards name it:
//! [OpenID4VCI 1.0](https://openid.net/specs/openid-4-verifiable-credential-issuance-1_0.html) in
//! [`vci`], [OpenID4VP 1.0](https://openid.net/specs/openid-4-verifiable-presentations-1_0.html) in [`vp`]
//! and [`dcql`], and [`oauth`].

pub mod dcql;
pub mod form;
pub mod format;
pub mod oauth;
pub mod secret;
pub mod url;
pub mod vci;
pub mod vp;

mod claims;

pub use format::CredentialFormat;
pub use secret::Secret;
pub use secret::SecretDigest;
pub use url::SecureUrl;
