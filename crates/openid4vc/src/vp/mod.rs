//! [OpenID for Verifiable Presentations 1.0](https://openid.net/specs/openid-4-verifiable-presentations-1_0.html),
//! both sides, with response modes `direct_post` and `direct_post.jwt`.
//!
//! A verifier: [`session`] makes the request and takes the answer, [`request_object`] signs the request,
//! [`invocation`] makes the URI. A wallet: [`invocation`] reads the URI, [`request_object`] or
//! [`request`] gives a [`ReceivedRequest`], [`crate::dcql::select`] finds what to present,
//! [`response`] makes the answer. [`mod@file`] has both as files, for use without a network.
//!
//! Not implemented, and refused: client identifier prefixes other than `decentralized_identifier` and
//! `redirect_uri`, `transaction_data`, `scope` instead of a query, encrypted request objects, the Digital
//! Credentials API.

pub mod client_id;
pub mod client_metadata;
pub mod error;
pub mod file;
pub mod invocation;
pub mod request;
pub mod request_object;
pub mod response;
pub mod session;

pub use client_id::ClientId;
pub use client_metadata::ClientMetadata;
pub use error::AuthorizationErrorCode;
pub use invocation::Invocation;
pub use request::AuthorizationRequest;
pub use request::Delivery;
pub use request::ReceivedRequest;
pub use request::RequestError;
pub use request_object::UnverifiedRequestObject;
pub use response::VpToken;
pub use session::Session;
