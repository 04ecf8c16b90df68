//! The trust registry's log, state machine, snapshot and bundle. Pure.

pub mod anchor;
pub mod bundle;
pub mod checkpoint;
pub mod cosignature;
pub mod entry;
pub mod golomb_rice;
pub mod merkle;
pub mod note;
pub mod proof;
pub mod state;
pub mod status_bits;
pub mod tiles;
pub mod tlog_policy;
pub mod witness;

mod codec;
mod did_log;

pub use anchor::Anchor;
pub use bundle::TrustedBundle;
pub use did_log::DidLogError;
