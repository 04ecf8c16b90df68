//! The wallet on a machine: encrypted folder, HTTP, consent.
//!
//! In scope: the wallet's folder ([`Wallet`], over [`signer::Vault`]), accepting offers over
//! [OpenID4VCI](https://openid.net/specs/openid-4-verifiable-credential-issuance-1_0.html) ([`Offer`]),
//! answering requests over
//! [OpenID4VP](https://openid.net/specs/openid-4-verifiable-presentations-1_0.html) or by file
//! ([`Prepared`]), and the journal of what was presented to whom.
//!
//! Out of scope: what fits and what it discloses (`holder`), and asking the person: between [`Prepared`] and an
//! answer stands [`Proposed`], whose [`Proposed::disclosure`] a person is shown first.
//!
//! Calls on a wallet read and write files and block for as long; a service around it calls them where blocking
//! is allowed.

mod accept;
mod contexts;
mod extract;
mod file;
mod history;
mod offer;
mod peer;
mod present;
mod resolve;
mod wallet;

pub use accept::AcceptError;
pub use accept::Accepted;
pub use accept::NotAccepted;
pub use contexts::ContextError;
pub use extract::ExtractError;
pub use file::write_private;
pub use file::write_private_bytes;
pub use history::HistoryCredential;
pub use history::HistoryEntry;
pub use history::Outcome;
pub use offer::Offer;
pub use offer::OfferedCredential;
pub use offer::ReadOfferError;
pub use peer::PeerError;
pub use present::CredentialDisclosure;
pub use present::Disclosure;
pub use present::Prepared;
pub use present::PresentError;
pub use present::Proposed;
pub use present::Receipt;
pub use present::VerifierSummary;
pub use resolve::KeySource;
pub use resolve::ResolveError;
pub use wallet::CredentialDetails;
pub use wallet::CredentialSummary;
pub use wallet::Wallet;
pub use wallet::WalletError;
