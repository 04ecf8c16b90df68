//! The data exchange: catalogue, access, data path, evidence log.
//!
//! # What's in scope
//! - A source agency publishes an API with its OpenAPI document; a consumer agency applies for access to
//!   fields of it for a purpose; the deciding agency approves or refuses; either side ends a grant.
//!   Each of these is a statement signed by the agency ([`protocol::statement`]), which is its
//!   authentication and its evidence at once.
//! - A person consents with a key that the source knows, and takes the consent back.
//! - The token endpoint: a client assertion (`private_key_jwt`) becomes an access token (`at+jwt`).
//! - The data path: a call is held against token, grant, consent and the API's description, forwarded with a
//!   signed context, and its answer cut down to the fields that grant and consent both cover.
//! - The evidence log: every call, refused ones too, and every statement is a record in a transparency log.
//!   Nothing is answered before its record is durable. [`verify_evidence`] needs the hub's key and nothing else.
//!   `spec/evidence.md` is the protocol.
//!
//! # What's out of scope
//! - Who is an agency, and which keys it has: the binary's [`AgencyDirectory`] says so.
//! - The source's own service, which checks the context if it wants to ([`protocol::context`]).
//! - Verifiable credentials: what a person holds goes to a verifier directly, not through the hub.
//! - TLS, the Host check and the listening socket: `crates/server`.

mod access;
mod config;
mod consent;
mod directory;
mod error;
mod evidence;
mod exchange;
mod http;
mod hub;
pub mod protocol;
mod publish;
mod redeem;
mod store;

pub use config::Config;
pub use config::ConfigError;
pub use directory::AgencyDirectory;
pub use directory::Answer;
pub use directory::DirectoryError;
pub use evidence::LogError;
pub use evidence::ReadError;
pub use hub::Hub;
pub use hub::Parts;
pub use hub::StartError;
pub use protocol::proof::Evidence;
pub use protocol::proof::EvidenceError;
pub use protocol::proof::VerifiedRecord;
pub use protocol::proof::verify_chain;
pub use protocol::proof::verify_evidence;
pub use store::StoreFailure;

/// All routes of the hub: below `/hub`, and its metadata at the root's `/.well-known`.
pub fn router(hub: Hub) -> axum::Router {
    http::router(hub)
}
