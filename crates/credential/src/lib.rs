//! SD-JWT VC, mdoc, VC-JOSE-COSE, Data Integrity and status lists: bytes to authentic credentials. Pure.
//!
//! In scope: issuing (as [`keys::SigningRequest`]s), authenticating, presenting, holder binding and status
//! lists of each [`CredentialFormat`].
//!
//! Out of scope: whose key it is (`crates/did`), whether an issuer may issue (`crates/trust`), and the verdict
//! (`verifier`), which alone may release claims. See [`evidence`] for the steps from bytes to claims.

pub mod claim_path;
pub mod data_integrity;
pub mod evidence;
mod format;
pub mod integrity;
mod key_id;
pub mod mdoc;
mod random;
pub mod registered_claims;
pub mod sd_jwt;
pub mod sd_jwt_vc;
pub mod status_list;
pub mod vc;
pub mod vc_cose;
pub mod vc_jose_cose;
pub mod vc_jwt;
pub mod vc_sd_jwt;

pub use claim_path::ClaimPath;
pub use data_integrity::LdpVc;
pub use evidence::Authentic;
pub use evidence::Facts;
pub use evidence::Held;
pub use evidence::HolderBinding;
pub use evidence::HolderKey;
pub use evidence::Transaction;
pub use evidence::Unverified;
pub use format::CredentialFormat;
pub use format::UnknownFormat;
pub use mdoc::Mdoc;
pub use sd_jwt_vc::SdJwtVc;
pub use vc_cose::VcCose;
pub use vc_jwt::VcJwt;
pub use vc_sd_jwt::VcSdJwt;
