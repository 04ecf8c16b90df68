//! The parts of OAuth 2.0 that the credential protocols and the hub need.
//!
//! [`error`] responses, [`bearer`] tokens in requests, [`server_metadata`] (RFC 8414),
//! [`client_assertion`] (RFC 7523) and [`access_token`]s as JWTs (RFC 9068).

pub mod access_token;
pub mod bearer;
pub mod client_assertion;
pub mod error;
pub mod server_metadata;

pub use bearer::BearerErrorCode;
pub use bearer::BearerToken;
pub use error::ErrorResponse;
pub use error::TokenErrorCode;
pub use server_metadata::AuthorizationServerMetadata;
