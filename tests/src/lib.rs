//! Flows, attacks, conformance and architecture tests over the whole workspace.
