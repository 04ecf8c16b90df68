//! The programs that these tests ask.

#[path = "../../../../tests/interop/ask.rs"]
mod ask;

pub(crate) use ask::Peer;
pub(crate) use ask::are_installed;

pub(crate) const BITSTRING_STATUS_LIST: Peer =
    Peer::new("data-integrity.mjs", "npm @digitalbazaar/vc-bitstring-status-list");
pub(crate) const CWT: Peer = Peer::new("cwt_peer.py", "PyPI cwt");
pub(crate) const DATA_INTEGRITY: Peer = Peer::new("data-integrity.mjs", "npm @digitalbazaar/vc");
pub(crate) const JOSE: Peer = Peer::new("jose.mjs", "npm jose");
pub(crate) const MDOC: Peer = Peer::new("mdoc.mjs", "npm @owf/mdoc");
pub(crate) const SD_JWT_IN_JAVASCRIPT: Peer = Peer::new("sd-jwt-vc.mjs", "npm @sd-jwt/sd-jwt-vc");
pub(crate) const SD_JWT_IN_PYTHON: Peer = Peer::new("sd_jwt_peer.py", "PyPI sd-jwt");
pub(crate) const STATUS_LIST_JWT: Peer = Peer::new("status-list.mjs", "npm @sd-jwt/jwt-status-list");
