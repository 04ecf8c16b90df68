//! Decentralized identifiers: syntax, documents and the methods `key`, `jwk`, `web` and `webvh`.
//!
//! In scope: [DID Core](https://www.w3.org/TR/did-core/) syntax and documents, which key a document
//! gives for which purpose, reading and writing
//! [did:webvh 1.0](https://identity.foundation/didwebvh/v1.0/) logs, and the result types of
//! [DID Resolution](https://www.w3.org/TR/did-resolution/).
//!
//! Out of scope: fetching (a method that needs the network returns a [`resolve::Step::Fetch`], and
//! `crates/server` fetches), private keys (writing returns a [`keys::SigningRequest`]), and whether
//! an identifier is to be trusted (`crates/trust`).

pub mod document;
pub mod methods;
pub mod resolve;
pub mod syntax;

mod location;

pub use document::Document;
pub use document::Purpose;
pub use methods::webvh;
pub use syntax::Did;
pub use syntax::DidUrl;
