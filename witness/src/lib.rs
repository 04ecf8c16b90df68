//! A registry's log watched from outside, by whoever does not want to trust its operator.
//!
//! In scope: reading a log that is served by [C2SP tlog-tiles](https://c2sp.org/tlog-tiles), from its operator, from a
//! mirror or from a folder ([`Source`]); replaying and judging it ([`audit`]); keeping a copy that is judged before it is
//! kept ([`mirror`]); and cosigning its checkpoints ([`Witness`]).
//!
//! Out of scope: what the entries mean and what a violation is (`crates/trust`).

mod follow;
mod mirror;
mod serve;
mod source;

pub use follow::FollowError;
pub use follow::Progress;
pub use follow::audit;
pub use mirror::MirrorError;
pub use mirror::mirror;
pub use serve::Config;
pub use serve::CosignError;
pub use serve::Witness;
pub use source::Source;
pub use source::SourceError;
