//! The Digital Credentials Query Language
//! ([OpenID4VP 1.0, section 6](https://openid.net/specs/openid-4-verifiable-presentations-1_0.html#dcql_query)).
//!
//! [`query`] parses, [`path`] points at claims, [`select`] is the wallet's half (what to present and what
//! to disclose of it), [`answer`] is the verifier's half (whether what came satisfies the query).

pub mod answer;
pub mod path;
pub mod query;
pub mod select;

mod criteria;

pub use answer::AnswerError;
pub use answer::Presented;
pub use path::ClaimsPath;
pub use path::PathComponent;
pub use query::CredentialQuery;
pub use query::DcqlQuery;
pub use query::QueryError;
pub use select::Choice;
pub use select::HeldCredential;
pub use select::Selection;
