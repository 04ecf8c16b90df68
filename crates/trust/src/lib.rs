//! The trust registry: what its log holds, what that adds up to, and how it is believed offline.
//!
//! In scope: the C2SP formats of a transparency log ([`merkle`], [`tiles`], [`note`], [`checkpoint`],
//! [`cosignature`], [`proof`], [`tlog_policy`], [`tlog_witness`]); the registry's entries ([`entry`]) and the deterministic
//! state machine over them ([`state`]); the state witness ([`witness`]) and the audit ([`audit`]); the trust bundle ([`bundle`],
//! [`anchor`]) with compact status lists ([`status_bits`], [`golomb_rice`]). `spec/registry.md` is the same
//! for people with another programming language. [`trqp`] answers others' questions from the same state, and
//! [`projection`] is that state in others' forms; [`federation`] is what is signed and read around one of them.
//!
//! Out of scope: storing and serving the log (`registry/`), what a credential says
//! (`crates/credential`), and the verdict on one (`verifier/`). Pure: no I/O, clock, randomness or signing.

pub mod anchor;
pub mod audit;
pub mod bundle;
pub mod checkpoint;
pub mod cosignature;
pub mod entry;
pub mod federation;
pub mod golomb_rice;
pub mod merkle;
pub mod note;
pub mod projection;
pub mod proof;
pub mod state;
pub mod status_bits;
pub mod tiles;
pub mod tlog_policy;
pub mod tlog_witness;
pub mod trqp;
pub mod witness;

mod codec;
mod did_log;

pub use anchor::Anchor;
pub use bundle::TrustedBundle;
pub use did_log::DidLogError;
