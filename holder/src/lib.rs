//! The wallet's core: what is held, what a request asks for, what is presented. Pure.
//!
//! In scope: checking a credential on receipt, reading the wallet's own credentials, matching a request with
//! them, saying in plain words what would be disclosed and to whom, and making the response as signing
//! requests.
//!
//! Out of scope: keys and files (`holder/agent`, a browser), HTTP, asking the person. What they must do between
//! two calls is in the types: nothing can be presented without a [`Proposal`], and a [`Proposal`] is what a
//! person is shown.

pub mod card;
mod claims;
mod contexts;
mod held;
mod holdings;
mod proposal;
mod receive;
mod text;
mod w3c;

#[cfg(test)]
mod tests;

pub use claims::ShownClaim;
pub use claims::envelope;
pub use contexts::Contexts;
pub use held::CredentialRecord;
pub use held::HeldCredential;
pub use held::OpenError;
pub use held::W3c;
pub use holdings::Holdings;
pub use proposal::DisclosedClaim;
pub use proposal::PresentationStep;
pub use proposal::Proposal;
pub use proposal::ProposalError;
pub use proposal::ProposedCredential;
pub use proposal::UnsignedPresentation;
pub use proposal::Verifier;
pub use receive::Expected;
pub use receive::ReceiveError;
pub use receive::Received;
pub use receive::is_readable;
pub use receive::issuer_key_url;
pub use receive::key_algorithms;
pub use receive::proof_key;
pub use text::printable;
