//! The trust registry's log service, governance, witness and DID resolution.
