//! The data exchange: catalogue, access, data path, evidence log.

pub mod protocol;

pub use protocol::proof::Evidence;
pub use protocol::proof::EvidenceError;
pub use protocol::proof::verify_chain;
pub use protocol::proof::verify_evidence;
