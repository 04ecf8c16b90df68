//! The wallet on a machine: encrypted folder, HTTP, consent.
