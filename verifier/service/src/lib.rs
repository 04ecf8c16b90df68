//! The OpenID4VP relying party around the verification engine.
